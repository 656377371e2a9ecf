//! The operations of a ceremony, in the order in which they are executed.
//!
//! Roll call, papers, clock, token identity, activation, login, inventory, the ledger head; then
//! what was decided before, confirmed; keys, the audit key first; negative steps; certificates;
//! CRLs; what ends; fingerprints; completion; ledger head; seal; and after it hand-over, logout,
//! deactivation, anchor words and exits.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::Builder;
use crate::graph::{Act, Duty, Graph, Item, Origin, PeopleAct, PlannedCrl, SHEET, Sheet, TokenAct};
use crate::name::Name;
use crate::plan::{Order, ProfileName};
use crate::policy::{Backup, HeadOn};
use crate::rehearsal::RehearsalUse;
use crate::token::Holder;

impl Builder<'_> {
    pub(super) fn operations(&self, graph: &mut Graph) {
        self.opening(graph);
        self.work(graph);
        self.closing(graph);
    }

    fn opening(&self, graph: &mut Graph) {
        let participants: Vec<Name> = graph.people.keys().cloned().collect();
        for person in participants {
            let act = Act::People(PeopleAct::Entry { person: person.clone() });
            self.people_op(graph, format!("entry-{person}"), act, "entry");
        }
        for role in self.held_roles(graph) {
            let duty = Duty {
                persons: holders(graph, &role),
                at_least: holders(graph, &role).len(),
                role: role.clone(),
            };
            let section = self.section("roll-call");
            graph.push(
                format!("roll-call-{role}"),
                Act::People(PeopleAct::RollCall { role }),
                vec![duty],
                &section,
            );
        }
        self.people_op(graph, "papers".into(), Act::People(PeopleAct::Papers), "papers");
        self.people_op(graph, "clock".into(), Act::People(PeopleAct::Clock), "clock");
        let tokens = holders_of(graph);
        for token in tokens.clone() {
            let name = format!("identify{}", token.suffix());
            self.token_op(graph, name, Act::Token(TokenAct::Identify { token }), "activation");
        }
        self.people_op(graph, "activate".into(), Act::People(PeopleAct::Activate), "activation");
        for token in tokens {
            let name = format!("login{}", token.suffix());
            self.token_op(
                graph,
                name,
                Act::Token(TokenAct::Login { token: token.clone() }),
                "activation",
            );
            let name = format!("inventory{}", token.suffix());
            self.token_op(graph, name, Act::Token(TokenAct::Inventory { token }), "key-operation");
        }
        if self.state.token_head.is_some() && graph.demands.head_on == HeadOn::Token {
            self.token_op(
                graph,
                "read-head".into(),
                Act::Token(TokenAct::ReadHead),
                "key-operation",
            );
        }
    }

    /// What was decided before the ceremony, confirmed by those who decided it (4.2.2, 5.2.1.1,
    /// 5.2.1.4).
    fn decisions(&self, graph: &mut Graph) {
        if let Some(token) = graph.recovery.as_ref().map(|recovery| recovery.token.clone()) {
            for organization in self.approvers() {
                let name = format!("approve-recovery-{organization}");
                let (token, of) = (token.clone(), organization.clone());
                let act = Act::People(PeopleAct::ApproveRecovery { token, organization: of });
                self.op_of(graph, name, act, "completion", &organization);
            }
        }
        for application in graph.applications.keys().cloned().collect::<Vec<_>>() {
            let name = format!("application-{application}");
            self.people_op(
                graph,
                name,
                Act::People(PeopleAct::Application { application }),
                "application",
            );
        }
        for key in graph.compromised.keys().cloned().collect::<Vec<_>>() {
            let name = format!("compromise-{key}");
            self.people_op(graph, name, Act::People(PeopleAct::Compromise { key }), "compromise");
        }
        let resumes =
            |order: &Order| matches!(order, Order::ResumeDsIssuing | Order::ResumeApplications);
        for order in graph.orders.clone().into_iter().filter(|order| !resumes(order)) {
            self.order(graph, order);
        }
    }

    fn order(&self, graph: &mut Graph, order: Order) {
        let name = format!("order-{}", order.name());
        self.people_op(graph, name, Act::People(PeopleAct::Order { order }), "order");
    }

    fn work(&self, graph: &mut Graph) {
        self.decisions(graph);
        for (token, left) in &self.state.remains {
            for (number, (id, key)) in left.iter().enumerate() {
                let name = format!("clear-{key}{}-{}", token.suffix(), number + 1);
                let (key, id, token) = (key.clone(), id.clone(), token.clone());
                self.token_op(
                    graph,
                    name,
                    Act::Token(TokenAct::Clear { key, id, token }),
                    "orphan-removal",
                );
            }
        }
        let keys: Vec<(Name, RehearsalUse, Origin)> =
            graph.keys.iter().map(|key| (key.name.clone(), key.usage, key.origin)).collect();
        for (key, usage, _) in keys.iter().filter(|(_, _, origin)| *origin == Origin::Here) {
            let act = Act::Token(TokenAct::Generate { key: key.clone() });
            self.token_op(graph, format!("generate-{key}"), act, "key-operation");
            if *usage == RehearsalUse::Audit {
                self.token_op(
                    graph,
                    "sign-head".into(),
                    Act::Token(TokenAct::SignHead),
                    "key-operation",
                );
            }
        }
        for (key, _, _) in &keys {
            let act = Act::Token(TokenAct::ReadValue { key: key.clone() });
            self.token_op(graph, format!("read-value-{key}"), act, "key-operation");
            let act = Act::Token(TokenAct::Wrap { key: key.clone() });
            self.token_op(graph, format!("wrap-{key}"), act, "key-operation");
        }
        self.certificate_sheets(graph);
        for (key, to) in self.copies() {
            self.copy(graph, key, to);
        }
        self.crl_sheets(graph);
        self.ends(graph);
    }

    /// By the tokens themselves, or by people with the modules' own means; then it is read back.
    fn copy(&self, graph: &mut Graph, key: Name, to: Name) {
        let vendor = graph.key(&key).is_some_and(|key| key.backup == Backup::Vendor);
        if !vendor {
            let name = format!("copy-{key}-{to}");
            return self.token_op(graph, name, Act::Token(TokenAct::Copy { key, to }), "copy");
        }
        let act = Act::People(PeopleAct::Clone { key: key.clone(), to: to.clone() });
        self.people_op(graph, format!("clone-{key}-{to}"), act, "copy");
        let name = format!("inspect-{key}-{to}");
        let act = Act::Token(TokenAct::Inspect { key, token: Holder::Spare(to) });
        self.token_op(graph, name, act, "copy");
    }

    fn copies(&self) -> Vec<(Name, Name)> {
        let copies = self.inputs.plan.copy.values();
        copies.map(|copy| (copy.key.get_ref().clone(), copy.token.get_ref().clone())).collect()
    }

    /// Each self-signed root on its own sheet, and each link; DS certificates by signing key.
    fn certificate_sheets(&self, graph: &mut Graph) {
        let mut of_key: BTreeMap<Name, Vec<Item>> = BTreeMap::new();
        let certificates: Vec<(Name, Name)> = graph
            .certificates
            .iter()
            .map(|certificate| (certificate.name.clone(), certificate.issuer_key.clone()))
            .collect();
        for (index, (name, key)) in certificates.into_iter().enumerate() {
            let item = Item::Certificate(index);
            if graph.profile_of(&name) == ProfileName::Ds {
                of_key.entry(key).or_default().push(item);
                continue;
            }
            let act =
                Act::Token(TokenAct::Sign(Sheet { key, token: Holder::Root, items: vec![item] }));
            self.token_op(graph, format!("sign-{name}"), act, "certificate-operation");
        }
        for (key, items) in of_key {
            for (number, sheet) in items.chunks(SHEET).enumerate() {
                let items = sheet.to_vec();
                let act = Act::Token(TokenAct::Sign(Sheet {
                    key: key.clone(),
                    token: Holder::Root,
                    items,
                }));
                let name = format!("sign-ds-{key}-{}", number + 1);
                self.token_op(graph, name, act, "certificate-operation");
            }
        }
    }

    /// What ends with this ceremony: older CRLs, keys, stops.
    fn ends(&self, graph: &mut Graph) {
        let first = graph.crls.iter().map(|planned| planned.crl.this_update).min();
        if let (Some(first), false) = (first, graph.revocations.is_empty()) {
            let rest = self.state.batches.iter().filter(|batch| batch.has_rest_at(first));
            for ceremony in rest.map(|batch| batch.ceremony.clone()) {
                let name = format!("supersede-{ceremony}");
                self.people_op(
                    graph,
                    name,
                    Act::People(PeopleAct::Supersede { ceremony }),
                    "supersede",
                );
            }
        }
        for key in self.inputs.plan.destruction.keys().map(|key| key.get_ref().clone()) {
            for organization in self.approvers() {
                let name = format!("approve-destruction-{key}-{organization}");
                let act = Act::People(PeopleAct::ApproveDestruction {
                    key: key.clone(),
                    organization: organization.clone(),
                });
                self.op_of(graph, name, act, "completion", &organization);
            }
            // The copies first: as long as the key is on the root token, the ledger knows it.
            for token in holders_of(graph).into_iter().rev() {
                let holds = match &token {
                    Holder::Root => true,
                    Holder::Spare(name) => graph.spares.get(name).is_some_and(|k| k.contains(&key)),
                };
                if holds {
                    let name = format!("destroy-{key}{}", token.suffix());
                    let act = Act::Token(TokenAct::Destroy { key: key.clone(), token });
                    self.token_op(graph, name, act, "destruction");
                }
            }
        }
        let resumes =
            |order: &Order| matches!(order, Order::ResumeDsIssuing | Order::ResumeApplications);
        for order in graph.orders.clone().into_iter().filter(resumes) {
            self.order(graph, order);
        }
    }

    fn approvers(&self) -> Vec<Name> {
        self.inputs.policy.cps.approved_by.iter().map(|o| o.get_ref().clone()).collect()
    }

    /// By those on duty who are of this organisation.
    fn op_of(&self, graph: &mut Graph, name: String, act: Act, kind: &str, organization: &Name) {
        let mut duties = self.duties(graph, kind);
        for duty in &mut duties {
            duty.persons.retain(|p| {
                graph.people.get(p).is_some_and(|person| person.organization == *organization)
            });
        }
        let section = self.section(kind);
        graph.push(name, act, duties, &section);
    }

    fn crl_sheets(&self, graph: &mut Graph) {
        let keys: Vec<Name> = graph.keys.iter().map(|key| key.name.clone()).collect();
        for key in keys {
            let of_key = |(_, planned): &(usize, &PlannedCrl)| planned.crl.issuer_key == key;
            let mut items: Vec<Item> =
                graph.crls.iter().enumerate().filter(of_key).map(|(i, _)| Item::Crl(i)).collect();
            // The last CRLs are signed by the copies that are made here: each proves itself by one.
            let mut proofs = Vec::new();
            for (_, to) in self.copies().into_iter().filter(|(copied, _)| *copied == key) {
                proofs.extend(items.pop().map(|item| (to, item)));
            }
            for (number, sheet) in items.chunks(SHEET).enumerate() {
                let items = sheet.to_vec();
                let act = Act::Token(TokenAct::Sign(Sheet {
                    key: key.clone(),
                    token: Holder::Root,
                    items,
                }));
                let name = format!("sign-crl-{key}-{}", number + 1);
                self.token_op(graph, name, act, "certificate-operation");
            }
            for (to, item) in proofs {
                let name = format!("sign-crl-{key}-on-{to}");
                let token = Holder::Spare(to);
                let act = Act::Token(TokenAct::Sign(Sheet {
                    key: key.clone(),
                    token,
                    items: vec![item],
                }));
                self.token_op(graph, name, act, "certificate-operation");
            }
        }
    }

    fn closing(&self, graph: &mut Graph) {
        let names = graph.certificates.iter().map(|certificate| certificate.name.clone());
        let roots = names.filter(|name| graph.profile_of(name) == ProfileName::Root);
        for certificate in roots.collect::<Vec<_>>() {
            let name = format!("fingerprint-{certificate}");
            self.people_op(
                graph,
                name,
                Act::People(PeopleAct::Fingerprint { certificate }),
                "fingerprint",
            );
        }
        for organization in self.approvers() {
            let name = format!("complete-{organization}");
            let act = Act::People(PeopleAct::Complete { organization: organization.clone() });
            self.op_of(graph, name, act, "completion", &organization);
        }
        if graph.demands.head_on == HeadOn::Token {
            self.token_op(
                graph,
                "write-head".into(),
                Act::Token(TokenAct::WriteHead),
                "key-operation",
            );
        }
        self.token_op(graph, "seal".into(), Act::Seal, "key-operation");
        let issued = graph.applications.iter();
        let mut handed: Vec<(String, Vec<Name>)> = issued
            .map(|(name, planned)| (name.to_string(), planned.requests.keys().cloned().collect()))
            .collect();
        let is_ds = |name: &&Name| {
            let found = self.state.certificates.get(*name);
            found.is_some_and(|certificate| certificate.profile == ProfileName::Ds)
        };
        handed.push(("released".into(), graph.released.iter().filter(is_ds).cloned().collect()));
        for (name, certificates) in handed.into_iter().filter(|(_, names)| !names.is_empty()) {
            let act = Act::People(PeopleAct::HandOver { certificates });
            self.people_op(graph, format!("hand-over-{name}"), act, "hand-over");
        }
        for token in holders_of(graph) {
            let name = format!("logout{}", token.suffix());
            self.token_op(graph, name, Act::Token(TokenAct::Logout { token }), "deactivation");
        }
        self.people_op(
            graph,
            "deactivate".into(),
            Act::People(PeopleAct::Deactivate),
            "deactivation",
        );
        self.people_op(
            graph,
            "anchor-words".into(),
            Act::People(PeopleAct::AnchorWords),
            "anchor-words",
        );
        let participants: Vec<Name> = graph.people.keys().cloned().collect();
        for person in participants {
            let act = Act::People(PeopleAct::Exit { person: person.clone() });
            self.people_op(graph, format!("exit-{person}"), act, "exit");
        }
    }

    fn people_op(&self, graph: &mut Graph, name: String, act: Act, kind: &str) {
        let duties = self.duties(graph, kind);
        graph.push(name, act, duties, &self.section(kind));
    }

    /// The token answers; these people operate it and stand by.
    fn token_op(&self, graph: &mut Graph, name: String, act: Act, kind: &str) {
        self.people_op(graph, name, act, kind);
    }

    fn duties(&self, graph: &Graph, kind: &str) -> Vec<Duty> {
        let Some(act) = self.act(kind) else { return Vec::new() };
        let duty = |(role, count): (&Name, &toml::Spanned<u32>)| Duty {
            role: role.clone(),
            persons: holders(graph, role),
            at_least: usize::try_from(*count.get_ref()).unwrap_or(usize::MAX),
        };
        act.by.iter().map(duty).collect()
    }

    fn section(&self, kind: &str) -> String {
        self.act(kind).map(|act| act.section.clone()).unwrap_or_default()
    }

    fn act(&self, kind: &str) -> Option<&crate::policy::PolicyAct> {
        self.inputs.policy.act.iter().find(|(name, _)| name.as_str() == kind).map(|(_, act)| act)
    }

    fn held_roles(&self, graph: &Graph) -> Vec<Name> {
        let held = |role: &&Name| graph.people.values().any(|person| person.roles.contains(role));
        self.inputs.policy.role.keys().filter(held).cloned().collect()
    }
}

/// The tokens that take part, the root token first.
fn holders_of(graph: &Graph) -> Vec<Holder> {
    let spares = graph.spares.keys().map(|name| Holder::Spare(name.clone()));
    core::iter::once(Holder::Root).chain(spares).collect()
}

fn holders(graph: &Graph, role: &Name) -> Vec<Name> {
    let holds = graph.people.iter().filter(|(_, person)| person.roles.contains(role));
    holds.map(|(id, _)| id.clone()).collect()
}
