//! Adds the operations of a ceremony to its graph, in execution order.
//!
//! Those who stand by at the entries, in the room first; entries; roll call, papers, clock, journal
//! media, token identity and plate, activation, login, inventory, ledger head; confirmation of
//! earlier decisions; key generation, the audit key first; tests that must fail; certificates;
//! CRLs; destruction, supersession and stop orders; fingerprints; completion; ledger head; seal.
//! After the seal: hand-over, logout, deactivation, anchor words, exits, and those who stood by,
//! who leave last.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::Builder;
use crate::graph::{
    Act, Duty, Graph, Item, NewOp, Origin, PeopleAct, PlannedCrl, SHEET, Sheet, TokenAct,
};
use crate::name::Name;
use crate::plan::{Order, ProfileName};
use crate::policy::{Backup, HeadOn, OF_EACH_ORGANIZATION, Signed};
use crate::rehearsal::RehearsalUse;
use crate::rule::RuleId;
use crate::token::Holder;

impl Builder<'_> {
    pub(super) fn operations(&self, graph: &mut Graph) {
        self.opening(graph);
        self.work(graph);
        self.closing(graph);
    }

    fn opening(&self, graph: &mut Graph) {
        self.stand_by(graph, "first-in", PeopleAct::FirstIn, "entry");
        for person in self.passing(graph, "entry") {
            let act = Act::People(PeopleAct::Entry { person: person.clone() });
            self.people_op(graph, format!("entry-{person}"), act, "entry");
        }
        for role in self.held_roles(graph) {
            let (name, duties) = (format!("roll-call-{role}"), self.called(graph, &role));
            let act = Act::People(PeopleAct::RollCall { role });
            self.push(graph, name, act, duties, "roll-call");
        }
        self.people_op(graph, "papers".into(), Act::People(PeopleAct::Papers), "papers");
        self.people_op(graph, "clock".into(), Act::People(PeopleAct::Clock), "clock");
        self.people_op(graph, "media".into(), Act::People(PeopleAct::Media), "papers");
        let tokens = holders_of(graph);
        for token in tokens.clone() {
            let (name, of) = (format!("identify{}", token.suffix()), token.clone());
            self.token_op(graph, name, Act::Token(TokenAct::Identify { token: of }), "activation");
            let name = format!("plate{}", token.suffix());
            self.people_op(graph, name, Act::People(PeopleAct::Plate { token }), "activation");
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

    /// Adds the operations in which those who decided something before the ceremony confirm it
    /// (4.2.2, 5.2.1.1, 5.2.1.4).
    fn decisions(&self, graph: &mut Graph) {
        if let Some(token) = graph.recovery.as_ref().map(|recovery| recovery.token.clone()) {
            for organization in self.approvers() {
                let name = format!("approve-recovery-{organization}");
                let (token, of) = (token.clone(), organization.clone());
                let act = Act::People(PeopleAct::ApproveRecovery { token, organization: of });
                self.op_of(graph, name, act, &organization);
            }
        }
        for key in graph.lost.keys().cloned().collect::<Vec<_>>() {
            for organization in self.approvers() {
                let name = format!("approve-loss-{key}-{organization}");
                let (key, of) = (key.clone(), organization.clone());
                let act = Act::People(PeopleAct::ApproveLoss { key, organization: of });
                self.op_of(graph, name, act, &organization);
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
        for order in graph.orders.clone().into_iter().filter(|order| !order.resumes()) {
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

    /// Adds the copying of a key, by the tokens themselves or by people with the module's own
    /// cloning, and then the reading back of the copy.
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

    /// Adds the sheets of certificates: one for each self-signed root, one for each link
    /// certificate, and the DS certificates by signing key.
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

    /// Adds what ends with this ceremony: supersession of older CRLs, destruction of keys, stop
    /// orders.
    fn ends(&self, graph: &mut Graph) {
        let first = graph.crls.iter().map(|planned| planned.crl.this_update).min();
        if let (Some(first), false) = (first, graph.revocations.is_empty()) {
            for batch in &self.state.batches {
                // CRLs of a key that signs none here stay: nothing takes their place.
                let rest = batch.rest_at(first).cloned();
                let (gone, kept): (BTreeSet<Name>, BTreeSet<Name>) =
                    rest.partition(|key| graph.crl_keys().contains(key));
                if gone.is_empty() {
                    continue;
                }
                let ceremony = batch.ceremony.clone();
                let name = format!("supersede-{ceremony}");
                let act = Act::People(PeopleAct::Supersede { ceremony, kept });
                self.people_op(graph, name, act, "supersede");
            }
        }
        for key in self.inputs.plan.destruction.keys().map(|key| key.get_ref().clone()) {
            for organization in self.approvers() {
                let name = format!("approve-destruction-{key}-{organization}");
                let act = Act::People(PeopleAct::ApproveDestruction {
                    key: key.clone(),
                    organization: organization.clone(),
                });
                self.op_of(graph, name, act, &organization);
            }
            // Copies are destroyed first: the ledger knows the key as long as it is on the root
            // token.
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
        for order in graph.orders.clone().into_iter().filter(|order| order.resumes()) {
            self.order(graph, order);
        }
    }

    fn approvers(&self) -> Vec<Name> {
        self.inputs.cps.deciding().cloned().collect()
    }

    /// Adds an operation by those on duty who belong to this organisation.
    fn op_of(&self, graph: &mut Graph, name: String, act: Act, organization: &Name) {
        let mut duties = self.duties(graph, OF_EACH_ORGANIZATION);
        for duty in &mut duties {
            duty.persons.retain(|p| {
                graph.people.get(p).is_some_and(|person| person.organization == *organization)
            });
        }
        self.push(graph, name, act, duties, OF_EACH_ORGANIZATION);
    }

    fn crl_sheets(&self, graph: &mut Graph) {
        let keys: Vec<Name> = graph.keys.iter().map(|key| key.name.clone()).collect();
        for key in keys {
            let of_key = |(_, planned): &(usize, &PlannedCrl)| planned.crl.issuer_key == key;
            let mut items: Vec<Item> =
                graph.crls.iter().enumerate().filter(of_key).map(|(i, _)| Item::Crl(i)).collect();
            // The last CRLs are signed by the copies that are made here: a signature proves that a
            // copy works.
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
            self.op_of(graph, name, act, &organization);
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
        for person in self.passing(graph, "exit") {
            let act = Act::People(PeopleAct::Exit { person: person.clone() });
            self.people_op(graph, format!("exit-{person}"), act, "exit");
        }
        self.stand_by(graph, "last-out", PeopleAct::LastOut, "exit");
    }

    /// Who answers the roll call of a role: all who hold it. Of people who may stay away, as many
    /// as the policy asks to take part at least.
    fn called(&self, graph: &Graph, role: &Name) -> Vec<Duty> {
        let of = |persons: Vec<Name>, at_least| Duty { role: role.clone(), persons, at_least };
        let persons = holders(graph, role);
        let Some(asked) = self.inputs.policy.role.get(role).filter(|_| graph.has_reserves()) else {
            let all = persons.len();
            return vec![of(persons, all)];
        };
        let least = usize::try_from(*asked.at_least.get_ref()).unwrap_or(usize::MAX);
        let is_from = |person: &Name, organization: &Name| {
            graph.people.get(person).is_some_and(|p| p.organization == *organization)
        };
        if asked.each_organization {
            let from = |organization: &Name| {
                let held = persons.iter().filter(|person| is_from(person, organization));
                of(held.cloned().collect(), least)
            };
            return self.inputs.cps.deciding().map(from).collect();
        }
        // R-MULTI: nobody operates alone.
        let alone = asked.operator && graph.clauses.contains_key(&RuleId::R_MULTI);
        vec![of(persons, if alone { least.max(2) } else { least })]
    }

    /// Adds the operation of those who stand by at entries or exits. All of them are in the room
    /// before the first entry, and leave after the last exit: nobody lets themselves in or out. Of
    /// people who may stay away, as many as the policy asks are enough.
    fn stand_by(&self, graph: &mut Graph, name: &str, act: PeopleAct, kind: &str) {
        let all = |duty: Duty| match graph.has_reserves() {
            true => duty,
            false => Duty { at_least: duty.persons.len(), ..duty },
        };
        let duties = self.duties(graph, kind).into_iter().map(all).collect();
        self.push(graph, name.into(), Act::People(act), duties, kind);
    }

    /// The participants whose entry or exit others stand by.
    fn passing(&self, graph: &Graph, kind: &str) -> Vec<Name> {
        let duties = self.duties(graph, kind);
        let stands_by = |person: &Name| duties.iter().any(|duty| duty.persons.contains(person));
        graph.people.keys().filter(|person| !stands_by(person)).cloned().collect()
    }

    fn people_op(&self, graph: &mut Graph, name: String, act: Act, kind: &str) {
        let duties = self.duties(graph, kind);
        self.push(graph, name, act, duties, kind);
    }

    /// Adds an operation of a token, with the people who operate it and those who witness it.
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

    /// Adds an operation with the section and the manner of signing that the policy gives this kind
    /// of act. What people do not answer, they do not sign.
    fn push(&self, graph: &mut Graph, name: String, act: Act, by: Vec<Duty>, kind: &str) {
        let row = self.act(kind);
        let section = row.map(|row| row.section.clone()).unwrap_or_default();
        // The machine compares the plate, and everybody signs at the close that the media were so.
        let compared = matches!(act, Act::People(PeopleAct::Media | PeopleAct::Plate { .. }));
        let each = row.is_some_and(|row| row.signed == Signed::Each);
        let signed = act.is_of_people() && each && !compared;
        graph.push(NewOp { name, act, by, section, signed });
    }

    fn act(&self, kind: &str) -> Option<&crate::policy::PolicyAct> {
        self.inputs.policy.act.iter().find(|(name, _)| name.as_str() == kind).map(|(_, act)| act)
    }

    fn held_roles(&self, graph: &Graph) -> Vec<Name> {
        let held = |role: &&Name| graph.people.values().any(|person| person.roles.contains(role));
        self.inputs.policy.role.keys().filter(held).cloned().collect()
    }
}

/// Returns the tokens that take part, the root token first.
fn holders_of(graph: &Graph) -> Vec<Holder> {
    let spares = graph.spares.keys().map(|name| Holder::Spare(name.clone()));
    core::iter::once(Holder::Root).chain(spares).collect()
}

fn holders(graph: &Graph, role: &Name) -> Vec<Name> {
    let holds = graph.people.iter().filter(|(_, person)| person.roles.contains(role));
    holds.map(|(id, _)| id.clone()).collect()
}
