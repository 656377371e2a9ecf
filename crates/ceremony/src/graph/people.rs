//! Who takes part, and who has to do what.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::{Act, Graph, Op, PeopleAct};
use crate::key::PublicKey;
use crate::language::Bilingual;
use crate::name::Name;

/// A participant.
#[derive(Debug, Clone)]
pub struct Person {
    /// The name as it is called in the room.
    pub name: Bilingual,
    /// The organisation.
    pub organization: Name,
    /// Every role held in this ceremony.
    pub roles: Vec<Name>,
    /// The key on this person's card, with which acts are signed.
    pub key: PublicKey,
    /// Whether the plan does not count on this person, who may come all the same.
    pub reserve: bool,
}

/// Whose cards sign an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signers<'a> {
    /// Those who answer.
    WhoAnswers,
    /// This person, whom it is about; those who stand by sign when they leave last.
    One(&'a Name),
}

/// A number of people of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// The role.
    pub role: Name,
    /// The participants who hold it and may meet this duty.
    pub persons: Vec<Name>,
    /// How many of them are needed.
    pub at_least: usize,
}

impl Duty {
    /// Lists the ids of the participants who may meet this duty.
    pub(crate) fn names(&self) -> alloc::string::String {
        let persons: Vec<&str> = self.persons.iter().map(Name::as_str).collect();
        persons.join(" ")
    }
}

impl Op {
    /// Whose cards sign its answer: those who answer, or at an exit whoever leaves; `None` if it is
    /// signed at the close.
    pub(crate) fn signers(&self) -> Option<Signers<'_>> {
        match &self.act {
            Act::People(PeopleAct::Exit { person }) if self.signed => Some(Signers::One(person)),
            Act::People(_) if self.signed => Some(Signers::WhoAnswers),
            Act::People(_) | Act::Token(_) | Act::Seal => None,
        }
    }

    /// The people of whom it says whether they came: one at an entry; those who stand by, of
    /// themselves.
    pub(crate) fn says_who_came(&self) -> Vec<&Name> {
        match &self.act {
            Act::People(PeopleAct::Entry { person }) => Vec::from([person]),
            Act::People(PeopleAct::FirstIn) => {
                self.by.iter().flat_map(|duty| &duty.persons).collect()
            }
            Act::People(_) | Act::Token(_) | Act::Seal => Vec::new(),
        }
    }
}

impl Graph {
    /// A role's name in both languages.
    #[must_use]
    pub fn role(&self, role: &Name) -> Bilingual {
        self.roles.get(role).cloned().unwrap_or_else(|| Bilingual::plain(role))
    }

    /// Whether people may come besides those on whom the plan counts.
    #[must_use]
    pub fn has_reserves(&self) -> bool {
        self.people.values().any(|person| person.reserve)
    }

    /// Whether the plan does not count on this person.
    #[must_use]
    pub fn is_reserve(&self, person: &Name) -> bool {
        self.people.get(person).is_some_and(|person| person.reserve)
    }

    /// The duties of an operation as they are without those who did not come: whoever came answers
    /// the roll call, and of those who stand by, whoever came leaves last.
    pub(crate) fn duties_without(&self, absent: &BTreeSet<Name>, op: &Op) -> Vec<Duty> {
        let all = matches!(op.act, Act::People(PeopleAct::RollCall { .. } | PeopleAct::LastOut));
        let narrowed = |duty: &Duty| {
            let mut duty = duty.clone();
            duty.persons.retain(|person| !absent.contains(person));
            if all {
                duty.at_least = duty.persons.len();
            }
            duty
        };
        op.by.iter().map(narrowed).collect()
    }

    /// The first operation for which too few are left without those who did not come.
    pub(crate) fn unmet_without(&self, absent: &BTreeSet<Name>) -> Option<(&Op, &Duty)> {
        let left = |duty: &Duty| duty.persons.iter().filter(|p| !absent.contains(*p)).count();
        let mut duties = self.ops.iter().flat_map(|op| op.by.iter().map(move |duty| (op, duty)));
        duties.find(|(_, duty)| left(duty) < duty.at_least)
    }
}
