//! What a drawing shows, from top to bottom: the acts of a graph that decide, make, sign, copy or
//! destroy something.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::graph::{Act, Graph, Item, Op, PeopleAct, PlannedKey, Sheet, TokenAct, order_said};
use crate::language::{Bilingual, Language};
use crate::name::Name;
use crate::says;
use crate::script;
use crate::token::Holder;
use crate::x509::ToBeSignedCertificate;

/// The largest number of certificates of a sheet that are drawn one by one.
const ONE_BY_ONE: usize = 4;

/// A row: one act, or several alike that follow each other.
pub(super) struct Row {
    /// The numbers of its first and its last step.
    pub(super) steps: (usize, usize),
    /// What the script calls the first.
    pub(super) title: String,
    pub(super) what: What,
}

/// What a row shows.
pub(super) enum What {
    /// People decide something, of these keys.
    Decided { lines: Vec<String>, keys: Vec<Name> },
    /// A key is made.
    Made { key: Name },
    /// A key signs something, which may certify another key.
    Signed { by: Name, subject: Option<Name>, lines: Vec<String> },
    /// A key signs a batch of CRLs.
    Crls(Batch),
    /// A key is copied to another token.
    Copied { key: Name, lines: Vec<String> },
    /// A key is destroyed; `ends` if it is the one on the root token.
    Destroyed { key: Name, ends: bool, lines: Vec<String> },
    /// Something is left that belongs to no key here.
    Removed { lines: Vec<String> },
}

/// CRLs that one key signs one after the other.
pub(super) struct Batch {
    pub(super) by: Name,
    pub(super) token: Holder,
    pub(super) first: Name,
    pub(super) last: Name,
    pub(super) count: usize,
}

/// The rows of a graph, in the order of its steps.
pub(super) fn rows(graph: &Graph, language: Language) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for op in graph.ops() {
        let step = op.id.number();
        let title = script::step(graph, op, language).title;
        for what in shown(graph, op, &title, language) {
            rows.push(Row { steps: (step, step), title: title.clone(), what });
        }
        crls(graph, op, &title, &mut rows);
    }
    rows
}

/// The keys in their columns: those of the graph, then any other that an act is about.
pub(super) fn keys(graph: &Graph, rows: &[Row]) -> Vec<Name> {
    let mut keys: Vec<Name> = graph.keys.iter().map(|key| key.name.clone()).collect();
    let mut known: BTreeSet<Name> = keys.iter().cloned().collect();
    for row in rows {
        for key in row.what.keys() {
            if known.insert(key.clone()) {
                keys.push(key.clone());
            }
        }
    }
    keys
}

impl What {
    fn keys(&self) -> Vec<&Name> {
        match self {
            Self::Decided { keys, .. } => keys.iter().collect(),
            Self::Made { key } | Self::Copied { key, .. } | Self::Destroyed { key, .. } => {
                Vec::from([key])
            }
            Self::Signed { by, subject, .. } => core::iter::once(by).chain(subject).collect(),
            Self::Crls(batch) => Vec::from([&batch.by]),
            Self::Removed { .. } => Vec::new(),
        }
    }
}

/// What an act shows, apart from CRLs.
fn shown(graph: &Graph, op: &Op, title: &str, language: Language) -> Vec<What> {
    let pick = |both: Bilingual| language.pick(&both).to_string();
    let decided = |about: String, keys: &[&Name]| {
        let lines = Vec::from([title.to_string(), about]);
        let keys = keys.iter().map(|key| (*key).clone()).collect();
        Vec::from([What::Decided { lines, keys }])
    };
    let organization = |id: &Name| {
        graph.organizations().get(id).map_or_else(|| id.to_string(), |both| pick(both.clone()))
    };
    match &op.act {
        Act::People(PeopleAct::Application { application }) => {
            decided(application.to_string(), &[])
        }
        Act::People(PeopleAct::Compromise { key }) => decided(key.to_string(), &[key]),
        Act::People(PeopleAct::Order { order }) => decided(pick(order_said(*order)), &[]),
        Act::People(PeopleAct::Supersede { ceremony, .. }) => decided(ceremony.to_string(), &[]),
        Act::People(
            PeopleAct::ApproveDestruction { key, organization: by }
            | PeopleAct::ApproveLoss { key, organization: by },
        ) => decided(format!("{key}, {}", organization(by)), &[key]),
        Act::People(PeopleAct::ApproveRecovery { token, organization: by }) => {
            decided(format!("{token}, {}", organization(by)), &[])
        }
        Act::People(PeopleAct::Complete { organization: by }) => decided(organization(by), &[]),
        Act::People(PeopleAct::HandOver { certificates }) => decided(some(certificates), &[]),
        Act::People(PeopleAct::Clone { key, to }) | Act::Token(TokenAct::Copy { key, to }) => {
            let copy = says!("{key} の複製({to} に)", "copy of {key} on {to}");
            Vec::from([What::Copied { key: key.clone(), lines: Vec::from([pick(copy)]) }])
        }
        Act::Token(TokenAct::Generate { key }) => Vec::from([What::Made { key: key.clone() }]),
        Act::Token(TokenAct::Destroy { key, token }) => {
            let (what, ends) = match token {
                Holder::Root => (says!("{key} の破棄", "{key} destroyed"), true),
                Holder::Spare(name) => {
                    let on = says!("{key} の破棄({name} の複製)", "{key} destroyed on {name}");
                    (on, false)
                }
            };
            let lines = Vec::from([pick(what)]);
            Vec::from([What::Destroyed { key: key.clone(), ends, lines }])
        }
        Act::Token(TokenAct::Clear { key, .. }) => {
            let what = says!("{key} の残りの除去", "remains of {key} removed");
            Vec::from([What::Removed { lines: Vec::from([pick(what)]) }])
        }
        Act::Token(TokenAct::Sign(sheet)) => certificates(graph, sheet, language),
        Act::Seal => graph.audit_key().into_iter().map(|key| sealed(key, language)).collect(),
        Act::People(
            PeopleAct::FirstIn
            | PeopleAct::Entry { .. }
            | PeopleAct::RollCall { .. }
            | PeopleAct::Papers
            | PeopleAct::Clock
            | PeopleAct::Media
            | PeopleAct::Plate { .. }
            | PeopleAct::Activate
            | PeopleAct::Fingerprint { .. }
            | PeopleAct::Deactivate
            | PeopleAct::AnchorWords
            | PeopleAct::Exit { .. }
            | PeopleAct::LastOut,
        )
        | Act::Token(
            TokenAct::Identify { .. }
            | TokenAct::Login { .. }
            | TokenAct::Inventory { .. }
            | TokenAct::ReadHead
            | TokenAct::Inspect { .. }
            | TokenAct::SignHead
            | TokenAct::ReadValue { .. }
            | TokenAct::Wrap { .. }
            | TokenAct::WriteHead
            | TokenAct::Logout { .. },
        ) => Vec::new(),
    }
}

fn sealed(key: &PlannedKey, language: Language) -> What {
    let what = says!("封印された記録", "the sealed record");
    let lines = Vec::from([language.pick(&what).to_string()]);
    What::Signed { by: key.name.clone(), subject: None, lines }
}

/// The certificates of a sheet: each by itself, or if they are many their first and last.
fn certificates(graph: &Graph, sheet: &Sheet, language: Language) -> Vec<What> {
    let planned: Vec<_> = sheet
        .items
        .iter()
        .filter_map(|item| match item {
            Item::Certificate(place) => graph.certificates.get(*place),
            Item::Crl(_) => None,
        })
        .collect();
    let by = |lines: Vec<String>, subject: Option<Name>| What::Signed {
        by: sheet.key.clone(),
        subject,
        lines,
    };
    if planned.len() > ONE_BY_ONE {
        let names: Vec<Name> = planned.iter().map(|one| one.name.clone()).collect();
        let count = planned.len();
        let what = says!("電子証明書 {count} 件", "{count} certificates");
        return Vec::from([by(Vec::from([language.pick(&what).to_string(), some(&names)]), None)]);
    }
    let one = |certificate: &&ToBeSignedCertificate| {
        let profile = graph.profile_of(&certificate.name).said();
        let subject = Some(certificate.subject_key.clone())
            .filter(|key| *key != sheet.key && graph.key(key).is_some());
        let days = format!("{} – {}", certificate.not_before.day(), certificate.not_after.day());
        let lines = [
            certificate.name.to_string(),
            language
                .pick(&says!(profile; "電子証明書: {profile}", "certificate: {profile}"))
                .into(),
            days,
        ];
        by(lines.into(), subject)
    };
    planned.iter().map(one).collect()
}

/// Adds the CRLs of a sheet: to the row before, if that has those of the same key and token.
fn crls(graph: &Graph, op: &Op, title: &str, rows: &mut Vec<Row>) {
    let Act::Token(TokenAct::Sign(sheet)) = &op.act else { return };
    let crl = |item: &Item| match item {
        Item::Crl(_) => graph.item_name(*item),
        Item::Certificate(_) => None,
    };
    let names: Vec<&Name> = sheet.items.iter().filter_map(crl).collect();
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return };
    let step = op.id.number();
    if let Some(Row { steps, what: What::Crls(batch), .. }) = rows.last_mut()
        && batch.by == sheet.key
        && batch.token == sheet.token
        && steps.1 + 1 == step
    {
        steps.1 = step;
        batch.last = (*last).clone();
        batch.count += names.len();
        return;
    }
    let what = What::Crls(Batch {
        by: sheet.key.clone(),
        token: sheet.token.clone(),
        first: (*first).clone(),
        last: (*last).clone(),
        count: names.len(),
    });
    rows.push(Row { steps: (step, step), title: title.to_string(), what });
}

impl Batch {
    /// What it is called, and its first and its last CRL.
    pub(super) fn lines(&self, language: Language) -> Vec<String> {
        let (key, count) = (&self.by, self.count);
        let on = match &self.token {
            Holder::Root => Bilingual::default(),
            Holder::Spare(name) => says!("({name} の複製で)", ", by the copy on {name}"),
        };
        let what = says!(on; "{key} の CRL {count} 件{on}", "CRLs of {key}: {count}{on}");
        let what = language.pick(&what).to_string();
        match self.first == self.last {
            true => Vec::from([what, self.first.to_string()]),
            false => Vec::from([what, format!("{} –", self.first), self.last.to_string()]),
        }
    }
}

/// Names: each, or if they are many the first, the last and how many they are.
fn some(names: &[Name]) -> String {
    match names {
        [first, .., last] if names.len() > ONE_BY_ONE => {
            format!("{first} – {last} ({})", names.len())
        }
        names => names.iter().map(Name::as_str).collect::<Vec<_>>().join(", "),
    }
}
