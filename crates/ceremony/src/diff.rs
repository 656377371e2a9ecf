//! What changes in meaning from one plan to another: for whoever reviews the change.
//!
//! A [`Meaning`] is what a plan says, as named facts: of the graph, of the three documents, and of
//! what the rules say to them. [`compare`] sets two of them side by side; what differs in form only
//! is in neither. The words for it are in `words`, the pages in `page`.
//!
//! **Invariant:** the difference is empty exactly when documents, graph, bindings and predecessor
//! are the same; that of (b, a) is the mirror of that of (a, b), but for titles, which are the new
//! one's. **Deliberately absent:** a graph of a plan that breaks rules, which nobody may have. Its
//! documents and its violations speak for it.

mod meaning;
mod page;
mod words;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::graph::Bilingual;
use crate::hex::Digest;
use crate::name::Name;

pub use page::{Form, render};

/// What a plan says.
#[derive(Debug, Clone)]
pub struct Meaning {
    ceremony: Name,
    /// The graph's id; nothing where rules are broken.
    graph: Option<Digest>,
    parts: BTreeMap<Part, Vec<Subject>>,
}

/// A part of what a plan says, in the order in which a reviewer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Which ceremony it is, and when.
    Ceremony,
    /// What the rules refuse, report, or are excepted from.
    Rules,
    /// The keys that are made or found.
    Keys,
    /// The certificates to be signed.
    Certificates,
    /// The batch of CRLs to be signed, and its entries.
    Crls,
    /// What was decided before.
    Decisions,
    /// Who takes part.
    People,
    /// What is done, and by whom.
    Operations,
    /// What else the plan says.
    Plan,
    /// The policy.
    Policy,
    /// The roster.
    Roster,
    /// The digests that follow.
    Ids,
}

impl Part {
    /// Whether it is read out of the graph, which a plan that breaks rules does not have.
    const fn is_of_graph(self) -> bool {
        match self {
            Self::Ceremony
            | Self::Keys
            | Self::Certificates
            | Self::Crls
            | Self::Decisions
            | Self::People
            | Self::Operations => true,
            Self::Rules | Self::Plan | Self::Policy | Self::Roster | Self::Ids => false,
        }
    }
}

/// What facts are about.
#[derive(Debug, Clone)]
struct Subject {
    /// What makes it the same subject on the other side.
    key: String,
    name: String,
    title: Option<Bilingual>,
    facts: Vec<Fact>,
}

#[derive(Debug, Clone)]
struct Fact {
    field: String,
    value: Bilingual,
    weight: Weight,
}

/// When a fact is worth a reviewer's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Always.
    Full,
    /// Not of a subject that is on one side only: it follows from the others.
    Detail,
    /// Not where both sides have a graph: the graph says it.
    Said,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The ceremonies of the old and of the new one.
    pub ceremonies: (Name, Name),
    /// Which of them break rules, and have no graph to be compared.
    pub broken: (bool, bool),
    /// The parts in which something differs.
    pub parts: BTreeMap<Part, Vec<Change>>,
}

/// What differs of one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub subject: String,
    /// What people call it; of a subject in both, the new one's.
    pub title: Option<Bilingual>,
    /// On which sides it is.
    pub side: Side,
    /// Field by field.
    pub rows: Vec<Row>,
}

/// On which sides a subject is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// In the old one only.
    Old,
    /// In the new one only.
    New,
    /// In both.
    Both,
}

/// One field on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub field: String,
    /// What the old one says.
    pub old: Option<Bilingual>,
    /// What the new one says.
    pub new: Option<Bilingual>,
}

impl Difference {
    /// Whether both mean the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The same, told from the other side.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.ceremonies = (self.ceremonies.1, self.ceremonies.0);
        self.broken = (self.broken.1, self.broken.0);
        for change in self.parts.values_mut().flatten() {
            change.side = match change.side {
                Side::Old => Side::New,
                Side::New => Side::Old,
                Side::Both => Side::Both,
            };
            for row in &mut change.rows {
                core::mem::swap(&mut row.old, &mut row.new);
            }
        }
        self
    }
}

/// Sets two meanings side by side.
#[must_use]
pub fn compare(old: &Meaning, new: &Meaning) -> Difference {
    let graphs = old.graph.is_some() && new.graph.is_some();
    // Where the graphs are one, only the documents can tell what differs.
    let said = graphs && old.graph != new.graph;
    let parts: BTreeSet<Part> = old.parts.keys().chain(new.parts.keys()).copied().collect();
    let mut found = BTreeMap::new();
    for part in parts.into_iter().filter(|part| graphs || !part.is_of_graph()) {
        let of = |meaning: &Meaning| meaning.parts.get(&part).cloned().unwrap_or_default();
        let changes = changes(part, &of(old), &of(new), said);
        if !changes.is_empty() {
            found.insert(part, changes);
        }
    }
    Difference {
        ceremonies: (old.ceremony.clone(), new.ceremony.clone()),
        broken: (old.graph.is_none(), new.graph.is_none()),
        parts: found,
    }
}

fn changes(part: Part, old: &[Subject], new: &[Subject], said: bool) -> Vec<Change> {
    let keys = |subjects: &[Subject]| subjects.iter().map(|s| s.key.clone()).collect::<Vec<_>>();
    let (old_keys, new_keys) = (keys(old), keys(new));
    let moved = match part {
        Part::Operations => moved(&old_keys, &new_keys),
        Part::Ceremony
        | Part::Rules
        | Part::Keys
        | Part::Certificates
        | Part::Crls
        | Part::Decisions
        | Part::People
        | Part::Plan
        | Part::Policy
        | Part::Roster
        | Part::Ids => BTreeSet::new(),
    };
    let (old, new) = (by_key(old), by_key(new));
    let mut changes = Vec::new();
    for key in merged(&old_keys, &new_keys) {
        let find = |subjects: &BTreeMap<&str, &Subject>| {
            subjects.get(key.as_str()).map(|subject| (*subject).clone())
        };
        let (before, after) = (find(&old), find(&new));
        let side = match (&before, &after) {
            (Some(_), None) => Side::Old,
            (None, Some(_)) => Side::New,
            (Some(_), Some(_)) | (None, None) => Side::Both,
        };
        let on_either = before.iter().chain(&after).flat_map(|subject| &subject.facts);
        let in_graph: BTreeSet<String> = on_either
            .filter(|fact| said && fact.weight == Weight::Said)
            .map(|fact| fact.field.clone())
            .collect();
        let shown = |subject: &Option<Subject>| {
            let facts = subject.iter().flat_map(|s| s.facts.iter().cloned());
            let worth = |fact: &Fact| match fact.weight {
                Weight::Full | Weight::Said => !in_graph.contains(&fact.field),
                Weight::Detail => side == Side::Both,
            };
            facts.filter(worth).collect::<Vec<Fact>>()
        };
        let mut rows = rows(&shown(&before), &shown(&after));
        if moved.contains(&key) {
            rows.insert(0, place(&key, &old_keys, &new_keys));
        }
        // A table whose every entry the graph says is no news.
        let silent = |s: &Subject| !s.facts.is_empty() && shown(&Some(s.clone())).is_empty();
        let quiet = before.iter().chain(&after).all(silent);
        let Some(subject) = after.or(before) else { continue };
        if !rows.is_empty() || (side != Side::Both && !quiet) {
            changes.push(Change { subject: subject.name, title: subject.title, side, rows });
        }
    }
    changes
}

fn by_key(subjects: &[Subject]) -> BTreeMap<&str, &Subject> {
    subjects.iter().map(|subject| (subject.key.as_str(), subject)).collect()
}

fn rows(old: &[Fact], new: &[Fact]) -> Vec<Row> {
    let fields = |facts: &[Fact]| facts.iter().map(|f| f.field.clone()).collect::<Vec<_>>();
    let row = |field: String| {
        let find =
            |facts: &[Fact]| facts.iter().find(|f| f.field == field).map(|f| f.value.clone());
        let (old, new) = (find(old), find(new));
        (old != new).then_some(Row { field, old, new })
    };
    merged(&fields(old), &fields(new)).into_iter().filter_map(row).collect()
}

/// Both lists as one: the new one, and each name of the old one only behind the name that it
/// followed.
fn merged(old: &[String], new: &[String]) -> Vec<String> {
    let known: BTreeSet<&String> = new.iter().collect();
    let mut gone: BTreeMap<Option<&String>, Vec<&String>> = BTreeMap::new();
    let mut before = None;
    for name in old {
        if known.contains(name) {
            before = Some(name);
        } else {
            gone.entry(before).or_default().push(name);
        }
    }
    let mut all = Vec::new();
    for name in [None].into_iter().chain(new.iter().map(Some)) {
        all.extend(name.cloned());
        all.extend(gone.remove(&name).unwrap_or_default().into_iter().cloned());
    }
    all
}

/// The names that changed their place among those of both lists: all but a longest sequence that
/// kept its order, of several the first by its names, so that it is the same from either side.
fn moved(old: &[String], new: &[String]) -> BTreeSet<String> {
    let mut ends: Vec<(usize, Vec<&String>)> = Vec::new();
    for name in new {
        let Some(place) = old.iter().position(|other| other == name) else { continue };
        let before = ends.iter().filter(|(other, _)| *other < place).map(|(_, kept)| kept);
        let mut kept = longest(before);
        kept.push(name);
        ends.push((place, kept));
    }
    let kept = longest(ends.iter().map(|(_, kept)| kept));
    let common = ends.iter().filter_map(|(_, chain)| chain.last().copied());
    common.filter(|name| !kept.contains(name)).cloned().collect()
}

fn longest<'a: 'b, 'b>(chains: impl Iterator<Item = &'b Vec<&'a String>>) -> Vec<&'a String> {
    let better = |one: &&Vec<&String>, other: &&Vec<&String>| {
        one.len().cmp(&other.len()).then_with(|| other.cmp(one))
    };
    chains.max_by(better).cloned().unwrap_or_default()
}

/// Behind what it stood, and behind what it stands.
fn place(key: &String, old: &[String], new: &[String]) -> Row {
    let behind = |keys: &[String]| {
        let at = keys.iter().position(|other| other == key)?;
        let before = at.checked_sub(1).and_then(|at| keys.get(at));
        Some(Bilingual::plain(before.map_or("-", String::as_str)))
    };
    Row { field: "follows".to_string(), old: behind(old), new: behind(new) }
}

impl Bilingual {
    /// What is the same in both languages.
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { ja: text.clone(), en: text }
    }
}
