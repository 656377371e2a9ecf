//! Who is present. Where a plan names reserves, those who stand by say of each person whether they
//! came, and the duties are then met by those who did (docs/decisions/0105).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::Run;
use crate::fault::Fault;
use crate::graph::{Act, Duty, Op, PeopleAct, Person};
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::Said;
use crate::rule::RuleId;
use crate::says;

/// The answer that a person came.
pub const PRESENT: &str = "present";
/// The answer that a person did not come.
pub const ABSENT: &str = "absent";
/// The name of the question whether a person came.
pub(super) const ATTENDANCE: &str = "attendance";

impl Run {
    /// Everybody except those who are known not to have come.
    pub fn present(&self) -> impl Iterator<Item = (&Name, &Person)> {
        self.graph().people.iter().filter(|(id, _)| !self.is_absent(id))
    }

    /// Whether this person is known not to have come.
    #[must_use]
    pub fn is_absent(&self, person: &Name) -> bool {
        self.absent.contains(person)
    }

    /// Everybody who is known not to have come.
    pub fn absent(&self) -> impl Iterator<Item = &Name> {
        self.absent.iter()
    }

    /// The duties of an operation, met by those who came.
    pub(super) fn duties_of(&self, op: &Op) -> Vec<Duty> {
        self.graph().duties_without(&self.absent, op)
    }

    /// Whether an operation is about people who did not come, so that nobody is asked it.
    pub(crate) fn is_of_absent(&self, op: &Op) -> bool {
        match &op.act {
            Act::People(PeopleAct::Exit { person }) => self.is_absent(person),
            Act::People(PeopleAct::RollCall { .. }) => {
                let mut persons = op.by.iter().flat_map(|duty| &duty.persons);
                persons.all(|person| self.is_absent(person))
            }
            Act::People(_) | Act::Token(_) | Act::Seal => false,
        }
    }

    /// S-PRESENT: only people who came may answer.
    pub(super) fn came(&self, by: &[Name]) -> Result<(), Fault> {
        match by.iter().find(|person| self.is_absent(person)) {
            None => Ok(()),
            Some(person) => Err(Fault::new(
                RuleId::S_PRESENT,
                says!("セレモニーに出席した者", "people who came to the ceremony"),
                says!("欠席とされた {person}", "{person}, who is recorded as absent"),
            )),
        }
    }

    /// Takes from an answer who did not come; `None` if the operation does not ask that.
    ///
    /// # Errors
    ///
    /// By S-PRESENT, if those who still can come are too few for something that is to be done.
    pub(super) fn weigh_presence(
        &self,
        asked: &Op,
        said: &Said,
    ) -> Result<Option<BTreeSet<Name>>, Fault> {
        let (graph, people) = (self.graph(), asked.says_who_came());
        if !graph.has_reserves() || people.is_empty() {
            return Ok(None);
        }
        let mut absent = self.absent.clone();
        for person in people {
            let is_absent = match said.facts.get(ATTENDANCE) {
                Some(attendance) => attendance == ABSENT,
                // Those who are first in say so of themselves.
                None => !said.by.contains(person),
            };
            mark(&mut absent, person, is_absent);
        }
        let Some((op, duty)) = graph.unmet_without(&absent) else { return Ok(Some(absent)) };
        let names: Vec<&str> = absent.iter().map(Name::as_str).collect();
        Err(Fault::new(
            RuleId::S_PRESENT,
            says!(
                "`{}` に{1} {2} 名以上の出席",
                "for `{}`, {2} or more of {1} who come",
                op.name,
                duty.role,
                duty.at_least
            ),
            says!("欠席 {}", "absent: {}", names.join(" ")),
        ))
    }
}

fn mark(absent: &mut BTreeSet<Name>, person: &Name, is_absent: bool) {
    if is_absent {
        absent.insert(person.clone());
    } else {
        absent.remove(person);
    }
}

/// Words the demand of S-PRESENT, as the terminal shows it.
#[must_use]
pub(super) fn asked() -> Bilingual {
    says!("`present`(出席)又は `absent`(欠席)", "`present` or `absent`")
}
