//! The differences of all ceremonies of a CA, each change once.
//!
//! What changes in a document that ceremonies share changes in each of them in the same way. Such a
//! change stands under one heading that names them all.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::{Change, Difference, Part, Side};
use crate::language::Bilingual;
use crate::name::Name;

/// What changes in the ceremonies of a CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceremonies {
    /// The ceremonies that only the old side has, in the order of their ledger.
    pub gone: Vec<Name>,
    /// The ceremonies that only the new side has.
    pub added: Vec<Name>,
    /// What changes in the same ceremonies, with their names; what most of them share is first.
    pub shared: Vec<(Vec<Name>, Difference)>,
    /// The ids and digests that one ceremony has for itself, each by the ceremony's name.
    pub ids: Vec<Change>,
}

/// A field of something in both plans, or all that one plan only has: what is shared as a whole.
type Unit = ((bool, bool), Part, Change);

/// The places of the ceremonies that share changes, the most first, and whether plans break rules.
type Together = (Reverse<usize>, BTreeSet<usize>, (bool, bool));

impl Ceremonies {
    /// Sorts the differences of ceremonies, which are in the order of their ledger.
    #[must_use]
    pub fn of(gone: Vec<Name>, added: Vec<Name>, differences: &[Difference]) -> Self {
        let mut places: BTreeMap<Unit, BTreeSet<usize>> = BTreeMap::new();
        for (place, difference) in differences.iter().enumerate() {
            for unit in units(difference) {
                places.entry(unit).or_default().insert(place);
            }
        }
        let mut shared: BTreeMap<Together, Difference> = BTreeMap::new();
        for (place, difference) in differences.iter().enumerate() {
            for unit in units(difference) {
                let Some(at) = places.get(&unit).filter(|at| at.first() == Some(&place)) else {
                    continue;
                };
                let (broken, part, change) = unit;
                let group = shared
                    .entry((Reverse(at.len()), at.clone(), broken))
                    .or_insert_with(|| difference.without_parts(at.len() == 1));
                put(group.parts.entry(part).or_default(), change);
            }
        }
        let names = |at: BTreeSet<usize>| {
            let of = at.into_iter().filter_map(|place| differences.get(place));
            of.map(|difference| difference.ceremonies.1.clone()).collect()
        };
        let mut shared: Vec<(Vec<Name>, Difference)> =
            shared.into_iter().map(|((_, at, _), of)| (names(at), of)).collect();
        let mut ids = Vec::new();
        for (names, difference) in &mut shared {
            let [name] = names.as_slice() else { continue };
            let own = difference.parts.remove(&Part::Ids).into_iter().flatten();
            ids.extend(own.map(|of| Change { subject: Bilingual::plain(name), ..of }));
        }
        shared.retain(|(_, difference)| !difference.is_empty());
        Self { gone, added, shared, ids }
    }

    /// Whether nothing changes in any ceremony.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.gone.is_empty()
            && self.added.is_empty()
            && self.shared.is_empty()
            && self.ids.is_empty()
    }
}

impl Difference {
    /// The same ceremonies without what changes; only that of a single ceremony is drawn.
    fn without_parts(&self, single: bool) -> Self {
        let signs = if single { self.signs.clone() } else { Default::default() };
        Self {
            ceremonies: self.ceremonies.clone(),
            broken: self.broken,
            signs,
            parts: BTreeMap::new(),
        }
    }
}

fn units(difference: &Difference) -> impl Iterator<Item = Unit> {
    let all = difference.parts.iter().flat_map(|(part, changes)| {
        changes.iter().flat_map(move |change| fields(change).into_iter().map(|one| (*part, one)))
    });
    all.map(|(part, change)| (difference.broken, part, change))
}

/// Divides what is in both plans by field.
fn fields(change: &Change) -> Vec<Change> {
    match change.side {
        Side::Old | Side::New => [change.clone()].into(),
        Side::Both => {
            let one = |row: &super::Row| Change { rows: [row.clone()].into(), ..change.clone() };
            change.rows.iter().map(one).collect()
        }
    }
}

/// Puts a change behind the others, and a further field to its subject.
fn put(changes: &mut Vec<Change>, change: Change) {
    let same = |last: &&mut Change| {
        (&last.subject, &last.title, last.side) == (&change.subject, &change.title, Side::Both)
            && change.side == Side::Both
    };
    match changes.last_mut().filter(same) {
        Some(last) => last.rows.extend(change.rows),
        None => changes.push(change),
    }
}
