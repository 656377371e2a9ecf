//! The difference in meaning between two plans, for whoever reviews a change.
//!
//! A [`Meaning`] holds what a plan says as named facts: of the graph, of the three documents, and
//! of the rules' findings. [`compare`] sets two of them side by side; differences in form alone are
//! in neither. The words for it are in `words`, the pages in `page`, their order in `gravity`, and
//! the differences of all ceremonies of a CA in `ceremonies`.
//!
//! **Invariant:** the difference is empty exactly when documents, graph, bindings and predecessor
//! are the same. The difference of (b, a) is the mirror of that of (a, b), except for titles, which
//! are always taken from the new plan. **Deliberately absent:** a graph of a plan that breaks
//! rules. Such a plan is compared by its documents and its violations only.

mod ceremonies;
mod gravity;
mod meaning;
mod mermaid;
mod page;
mod words;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::hex::Digest;
use crate::language::Bilingual;
use crate::name::Name;

use self::gravity::About;
pub use ceremonies::Ceremonies;
pub use gravity::Gravity;
pub use page::{Form, render, render_all};

/// The meaning of a plan, as named facts.
#[derive(Debug, Clone)]
pub struct Meaning {
    ceremony: Name,
    /// The graph's id; `None` if the plan breaks rules.
    graph: Option<Digest>,
    /// What is signed, with the key that signs it.
    signs: mermaid::Signs,
    parts: BTreeMap<Part, Vec<Subject>>,
}

/// A part of a plan's meaning, in the order in which a reviewer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Which ceremony it is, and when.
    Ceremony,
    /// Rules that refuse the plan or warn about it, and the plan's exceptions.
    Rules,
    /// The keys that are generated in the ceremony or exist before it.
    Keys,
    /// The certificates to be signed.
    Certificates,
    /// The batch of CRLs to be signed, and its entries.
    Crls,
    /// The decisions that were made before the ceremony.
    Decisions,
    /// Who takes part.
    People,
    /// What is done, and by whom.
    Operations,
    /// The plan's other entries.
    Plan,
    /// The CP/CPS.
    Cps,
    /// The policy.
    Policy,
    /// The roster.
    Roster,
    /// The release of the program.
    Release,
    /// The ids and digests, which follow from all the rest.
    Ids,
}

impl Part {
    /// Whether this part is read from the graph, which a plan that breaks rules does not have.
    const fn is_of_graph(self) -> bool {
        match self {
            Self::Ceremony
            | Self::Keys
            | Self::Certificates
            | Self::Crls
            | Self::Decisions
            | Self::People
            | Self::Operations => true,
            Self::Rules
            | Self::Plan
            | Self::Cps
            | Self::Policy
            | Self::Roster
            | Self::Release
            | Self::Ids => false,
        }
    }
}

/// What a group of facts is about, such as a key or a certificate.
#[derive(Debug, Clone)]
struct Subject {
    /// The key by which the subject is matched with one of the other plan.
    key: String,
    name: Bilingual,
    title: Option<Bilingual>,
    about: About,
    facts: Vec<Fact>,
}

#[derive(Debug, Clone)]
struct Fact {
    field: String,
    value: Bilingual,
    weight: Weight,
    about: About,
}

/// When a fact is shown to the reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Always.
    Full,
    /// Hidden if its subject is in one plan only, because it then follows from the other facts.
    Detail,
    /// Hidden if both plans have a graph, because the graph shows it.
    Said,
    /// Hidden of a subject in both plans if this part changes, because it then follows from it. The
    /// part stands before the fact's own.
    Follows(Part),
}

/// The difference between two plans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The names of the old and the new ceremony.
    pub ceremonies: (Name, Name),
    /// Whether the old and the new plan break rules and so have no graph to compare.
    pub broken: (bool, bool),
    /// What is signed by which key, in the old and in the new plan.
    signs: (mermaid::Signs, mermaid::Signs),
    /// The changes, by part.
    pub parts: BTreeMap<Part, Vec<Change>>,
}

/// The changes of one subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The subject's name.
    pub subject: Bilingual,
    /// The subject's display name; if it is in both plans, the new plan's.
    pub title: Option<Bilingual>,
    /// Which of the plans have the subject.
    pub side: Side,
    about: About,
    /// The changed fields.
    pub rows: Vec<Row>,
}

/// Which of the two plans have a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The old one only.
    Old,
    /// The new one only.
    New,
    /// Both.
    Both,
}

/// One field in both plans.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The field's name.
    pub field: String,
    /// Its value in the old plan.
    pub old: Option<Bilingual>,
    /// Its value in the new plan.
    pub new: Option<Bilingual>,
    about: (About, About),
}

impl Difference {
    /// Whether the two plans mean the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns the difference with old and new exchanged.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.ceremonies = (self.ceremonies.1, self.ceremonies.0);
        self.signs = (self.signs.1, self.signs.0);
        self.broken = (self.broken.1, self.broken.0);
        for change in self.parts.values_mut().flatten() {
            change.side = match change.side {
                Side::Old => Side::New,
                Side::New => Side::Old,
                Side::Both => Side::Both,
            };
            for row in &mut change.rows {
                core::mem::swap(&mut row.old, &mut row.new);
                row.about = (row.about.1, row.about.0);
            }
        }
        self
    }
}

/// Compares two meanings.
#[must_use]
pub fn compare(old: &Meaning, new: &Meaning) -> Difference {
    let graphs = old.graph.is_some() && new.graph.is_some();
    // If the graphs are the same, only the documents can show the difference.
    let said = graphs && old.graph != new.graph;
    let parts: BTreeSet<Part> = old.parts.keys().chain(new.parts.keys()).copied().collect();
    let mut found: BTreeMap<Part, Vec<Change>> = BTreeMap::new();
    for part in parts.into_iter().filter(|part| graphs || !part.is_of_graph()) {
        let of = |meaning: &Meaning| meaning.parts.get(&part).cloned().unwrap_or_default();
        let follows = |from: Part| found.contains_key(&from);
        let changes = changes(part, (&of(old), &of(new)), said, follows);
        if !changes.is_empty() {
            found.insert(part, changes);
        }
    }
    Difference {
        ceremonies: (old.ceremony.clone(), new.ceremony.clone()),
        broken: (old.graph.is_none(), new.graph.is_none()),
        signs: match graphs {
            true => (old.signs.clone(), new.signs.clone()),
            false => Default::default(),
        },
        parts: found,
    }
}

fn changes(
    part: Part,
    (old, new): (&[Subject], &[Subject]),
    said: bool,
    follows: impl Fn(Part) -> bool,
) -> Vec<Change> {
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
        | Part::Cps
        | Part::Policy
        | Part::Roster
        | Part::Release
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
                Weight::Follows(from) => side != Side::Both || !follows(from),
            };
            facts.filter(worth).collect::<Vec<Fact>>()
        };
        let mut rows = rows(&shown(&before), &shown(&after));
        if moved.contains(&key) {
            rows.insert(0, place(&key, &old_keys, &new_keys));
        }
        // A table is left out if the graph shows each of its entries.
        let silent = |s: &Subject| !s.facts.is_empty() && shown(&Some(s.clone())).is_empty();
        let quiet = before.iter().chain(&after).all(silent);
        let Some(subject) = after.or(before) else { continue };
        if !rows.is_empty() || (side != Side::Both && !quiet) {
            let Subject { name: subject, title, about, .. } = subject;
            changes.push(Change { subject, title, side, about, rows });
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
        let find = |facts: &[Fact]| facts.iter().find(|f| f.field == field).cloned();
        let (old, new) = (find(old), find(new));
        let about = |fact: &Option<Fact>| fact.as_ref().map_or(About::Other, |fact| fact.about);
        let about = (about(&old), about(&new));
        let (old, new) = (old.map(|fact| fact.value), new.map(|fact| fact.value));
        (old != new).then_some(Row { field, old, new, about })
    };
    merged(&fields(old), &fields(new)).into_iter().filter_map(row).collect()
}

/// Merges both lists: the new one, with each name that is only in the old one placed behind the
/// name that it followed there.
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

/// Returns the names that changed their place among those common to both lists.
///
/// These are all but a longest sequence that kept its order. Of several such sequences the first by
/// its names is taken, so that the result is the same in both directions.
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

/// Says behind which name the key stood in the old list and stands in the new one.
fn place(key: &String, old: &[String], new: &[String]) -> Row {
    let behind = |keys: &[String]| {
        let at = keys.iter().position(|other| other == key)?;
        let before = at.checked_sub(1).and_then(|at| keys.get(at));
        Some(Bilingual::plain(before.map_or("-", String::as_str)))
    };
    let about = (About::Other, About::Other);
    Row { field: "follows".to_string(), old: behind(old), new: behind(new), about }
}
