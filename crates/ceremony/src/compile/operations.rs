//! The operations of a ceremony, in the order in which they are executed.
//!
//! Roll call, papers, clock, token identity, activation, login, inventory; then keys, the audit key
//! first; negative steps; certificates; CRLs; fingerprints; completion; ledger head; seal; and
//! after it logout, deactivation, anchor words and exits.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::Builder;
use crate::graph::{Act, Duty, Graph, Item, PlannedCrl, SHEET, Sheet};
use crate::name::Name;
use crate::policy::HeadOn;
use crate::rehearsal::RehearsalUse;

impl Builder<'_> {
    pub(super) fn operations(&self, graph: &mut Graph) {
        self.opening(graph);
        self.work(graph);
        self.closing(graph);
    }

    fn opening(&self, graph: &mut Graph) {
        let participants: Vec<Name> = graph.people.keys().cloned().collect();
        for person in participants {
            let act = Act::Entry { person: person.clone() };
            self.people_op(graph, format!("entry-{person}"), act, "entry");
        }
        for role in self.held_roles(graph) {
            let duty = Duty {
                persons: holders(graph, &role),
                at_least: holders(graph, &role).len(),
                role: role.clone(),
            };
            let section = self.section("roll-call");
            graph.push(format!("roll-call-{role}"), Act::RollCall { role }, vec![duty], &section);
        }
        self.people_op(graph, "papers".into(), Act::Papers, "papers");
        self.people_op(graph, "clock".into(), Act::Clock, "clock");
        self.token_op(graph, "identify".into(), Act::Identify, "activation");
        self.people_op(graph, "activate".into(), Act::Activate, "activation");
        self.token_op(graph, "login".into(), Act::Login, "activation");
        self.token_op(graph, "inventory".into(), Act::Inventory, "key-operation");
    }

    fn work(&self, graph: &mut Graph) {
        let keys: Vec<(Name, RehearsalUse)> =
            graph.keys.iter().map(|key| (key.name.clone(), key.usage)).collect();
        for (key, usage) in &keys {
            let act = Act::Generate { key: key.clone() };
            self.token_op(graph, format!("generate-{key}"), act, "key-operation");
            if *usage == RehearsalUse::Audit {
                self.token_op(graph, "sign-head".into(), Act::SignHead, "key-operation");
            }
        }
        for (key, _) in &keys {
            let act = Act::ReadValue { key: key.clone() };
            self.token_op(graph, format!("read-value-{key}"), act, "key-operation");
            let act = Act::Wrap { key: key.clone() };
            self.token_op(graph, format!("wrap-{key}"), act, "key-operation");
        }
        for index in 0..graph.certificates.len() {
            let Some(certificate) = graph.certificates.get(index) else { continue };
            let (name, key) = (certificate.name.clone(), certificate.issuer_key.clone());
            let sheet = Sheet { key, items: vec![Item::Certificate(index)] };
            self.token_op(graph, format!("sign-{name}"), Act::Sign(sheet), "certificate-operation");
        }
        self.crl_sheets(graph);
    }

    fn crl_sheets(&self, graph: &mut Graph) {
        let keys: Vec<Name> = graph.keys.iter().map(|key| key.name.clone()).collect();
        for key in keys {
            let of_key = |(_, planned): &(usize, &PlannedCrl)| planned.crl.issuer_key == key;
            let items: Vec<Item> =
                graph.crls.iter().enumerate().filter(of_key).map(|(i, _)| Item::Crl(i)).collect();
            for (number, sheet) in items.chunks(SHEET).enumerate() {
                let act = Act::Sign(Sheet { key: key.clone(), items: sheet.to_vec() });
                let name = format!("sign-crl-{key}-{}", number + 1);
                self.token_op(graph, name, act, "certificate-operation");
            }
        }
    }

    fn closing(&self, graph: &mut Graph) {
        let certificates: Vec<Name> = graph.certificates.iter().map(|c| c.name.clone()).collect();
        for certificate in certificates {
            let name = format!("fingerprint-{certificate}");
            self.people_op(graph, name, Act::Fingerprint { certificate }, "fingerprint");
        }
        for organization in self.inputs.policy.cps.approved_by.iter().map(|o| o.get_ref().clone()) {
            let mut duties = self.duties(graph, "completion");
            for duty in &mut duties {
                duty.persons.retain(|p| {
                    graph.people.get(p).is_some_and(|person| person.organization == organization)
                });
            }
            let section = self.section("completion");
            let name = format!("complete-{organization}");
            graph.push(name, Act::Complete { organization }, duties, &section);
        }
        if graph.demands.head_on == HeadOn::Token {
            self.token_op(graph, "write-head".into(), Act::WriteHead, "key-operation");
        }
        self.token_op(graph, "seal".into(), Act::Seal, "key-operation");
        self.token_op(graph, "logout".into(), Act::Logout, "deactivation");
        self.people_op(graph, "deactivate".into(), Act::Deactivate, "deactivation");
        self.people_op(graph, "anchor-words".into(), Act::AnchorWords, "anchor-words");
        let participants: Vec<Name> = graph.people.keys().cloned().collect();
        for person in participants {
            let act = Act::Exit { person: person.clone() };
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

fn holders(graph: &Graph, role: &Name) -> Vec<Name> {
    let holds = graph.people.iter().filter(|(_, person)| person.roles.contains(role));
    holds.map(|(id, _)| id.clone()).collect()
}
