//! How much a change weighs for whoever reviews it: what cannot be undone and what protects less
//! stands first on a page.
//!
//! **Deliberately absent:** guesses from words. What a fact is about is said where it is read.

use alloc::vec::Vec;

use super::{Change, Difference, Part, Row, Side};

/// Why a change is read before others, the gravest first.
///
/// The order is that of the harm if a reviewer overlooks it: what is destroyed or signed stays so
/// after the ceremony, a weaker safeguard lasts until somebody sees it, and a date only until it
/// comes. What a program finds again by itself, digests, stands last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// A key is destroyed, which nobody can undo.
    Destroyed,
    /// Fewer people meet a duty, a role no longer has it, or a rule is excepted.
    Weaker,
    /// A certificate, a CRL or a revocation is new: it can be followed by another, not taken back.
    Signed,
    /// A rule refuses or reports what it did not.
    Found,
    /// A key is new, gone, another one, or kept in another way.
    Key,
    /// Something happens, begins or ends at another time.
    Date,
    /// Any other change.
    Other,
    /// An id or a digest, which follows from all the rest.
    Digest,
}

/// What a fact or a subject is about, as far as it decides the weight of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    /// The destruction of a key.
    Destruction,
    /// How many people of a role an operation asks for.
    Duty(usize),
    /// A rule that the plan excepts.
    Exception,
    /// What is signed.
    Signed,
    /// What a rule refuses or reports.
    Finding,
    /// A key, or how it is kept.
    Key,
    /// A time.
    Date,
    /// An id or a digest.
    Digest,
    /// Anything else.
    Other,
}

impl Row {
    /// How much it weighs that this field of something in both plans changed.
    #[must_use]
    pub fn gravity(&self) -> Gravity {
        let people = |about: About| match about {
            About::Duty(people) => Some(people),
            About::Destruction
            | About::Exception
            | About::Signed
            | About::Finding
            | About::Key
            | About::Date
            | About::Digest
            | About::Other => None,
        };
        let (old, new) = self.about;
        if people(old) > people(new) {
            return Gravity::Weaker;
        }
        match old.min(new) {
            About::Key => Gravity::Key,
            About::Date => Gravity::Date,
            About::Digest => Gravity::Digest,
            About::Destruction
            | About::Duty(_)
            | About::Exception
            | About::Signed
            | About::Finding
            | About::Other => Gravity::Other,
        }
    }
}

impl Change {
    /// How much the change weighs: of something in both plans, as much as its gravest field.
    #[must_use]
    pub fn gravity(&self) -> Gravity {
        match (self.side, self.about) {
            (Side::Both, _) => self.rows.iter().map(Row::gravity).min().unwrap_or(Gravity::Other),
            (Side::New, About::Destruction) => Gravity::Destroyed,
            (Side::New, About::Exception) => Gravity::Weaker,
            (Side::New, About::Signed) => Gravity::Signed,
            (Side::New, About::Finding) => Gravity::Found,
            (Side::New | Side::Old, About::Key) => Gravity::Key,
            (Side::New | Side::Old, About::Date) => Gravity::Date,
            (Side::New | Side::Old, About::Digest) => Gravity::Digest,
            (Side::New, About::Duty(_) | About::Other)
            | (
                Side::Old,
                About::Destruction
                | About::Duty(_)
                | About::Exception
                | About::Signed
                | About::Finding
                | About::Other,
            ) => Gravity::Other,
        }
    }
}

/// Returns the parts, their changes and the fields of these by weight; what weighs the same stays
/// in the order in which a reviewer reads it.
pub(super) fn weighed(difference: &Difference) -> Vec<(Part, Vec<Change>)> {
    let mut parts: Vec<(Part, Vec<Change>)> =
        difference.parts.iter().map(|(part, changes)| (*part, changes.clone())).collect();
    for (_, changes) in &mut parts {
        for change in changes.iter_mut().filter(|change| change.side == Side::Both) {
            change.rows.sort_by_key(Row::gravity);
        }
        changes.sort_by_key(Change::gravity);
    }
    parts.sort_by_key(|(_, changes)| changes.first().map(Change::gravity));
    parts
}
