//! Who is present. Where a plan names reserves, those who stand by say of each person whether they
//! came, and the duties are then met by those who did (docs/decisions/0105).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::{Book, Next, Run};
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

/// Who came, as far as those who stand by have said so.
#[derive(Debug)]
pub(super) struct Presence {
    pub(super) absent: BTreeSet<Name>,
    pub(super) entered: BTreeSet<Name>,
}

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

    /// Checks whether these people can say something that is recorded: each has entered, or is
    /// asked now; and after the seal, where nobody signs the whole record any more, one of them
    /// signs.
    ///
    /// # Errors
    ///
    /// S-PRESENT or S-SIGNED.
    pub fn may_say(&self, by: &[Name]) -> Result<(), Fault> {
        self.are_here(by)?;
        if self.book() == Book::Transcript || by.iter().any(|id| !self.is_without_card(id)) {
            return Ok(());
        }
        let by: Vec<&str> = by.iter().map(Name::as_str).collect();
        let by = by.join(" ");
        Err(Fault::new(
            RuleId::S_SIGNED,
            says!("封印の後は、カードで署名する者", "after the seal, somebody whose card signs"),
            says!("カードの使えない {by} だけ", "{by} alone, without a card that signs"),
        ))
    }

    /// S-PRESENT: each has entered, or is asked now.
    pub(super) fn are_here(&self, by: &[Name]) -> Result<(), Fault> {
        let Next::Answer(now, _) = self.next() else { return Ok(()) };
        let is_asked = |person: &Name| now.by.iter().any(|duty| duty.persons.contains(person));
        let is_to_come = |person: &Name| {
            let mut ops = self.graph().ops.iter().zip(&self.ops);
            ops.any(|(op, state)| !state.done && op.says_who_came().contains(&person))
        };
        let outside = |person: &&Name| {
            !self.entered.contains(*person) && !is_asked(person) && is_to_come(person)
        };
        match by.iter().find(outside) {
            None => Ok(()),
            Some(person) => Err(Fault::new(
                RuleId::S_PRESENT,
                says!("入室した者", "people who have entered"),
                says!("まだ入室していない {person}", "{person}, who has not entered yet"),
            )),
        }
    }

    /// Takes from an answer who came and who did not; `None` if the operation does not ask that.
    ///
    /// # Errors
    ///
    /// By S-PRESENT, if those who still can come are too few for something that is to be done; by
    /// S-SIGNED, if too many of those who came are without a card.
    pub(super) fn weigh_presence(
        &self,
        asked: &Op,
        said: &Said,
    ) -> Result<Option<Presence>, Fault> {
        let (graph, people) = (self.graph(), asked.says_who_came());
        if people.is_empty() {
            return Ok(None);
        }
        let (mut absent, mut entered) = (self.absent.clone(), self.entered.clone());
        for person in people {
            let came = match (said.facts.get(ATTENDANCE), &asked.act) {
                (Some(attendance), _) => attendance != ABSENT,
                (None, Act::People(PeopleAct::Entry { .. })) => true,
                // Those who are first in say so of themselves.
                (None, Act::People(_) | Act::Token(_) | Act::Seal) => said.by.contains(person),
            };
            mark(&mut absent, person, graph.has_reserves() && !came);
            let stays = !graph.has_reserves() && entered.contains(person);
            mark(&mut entered, person, came || stays);
        }
        if asked.act == Act::People(PeopleAct::FirstIn) {
            entered.extend(said.by.iter().cloned());
        }
        few_without_card(self.cardless.len(), entered.len())?;
        let unmet = graph.has_reserves().then(|| graph.unmet_without(&absent)).flatten();
        let Some((op, duty)) = unmet else {
            return Ok(Some(Presence { absent, entered }));
        };
        let names: Vec<&str> = absent.iter().map(Name::as_str).collect();
        let role = graph.role(&duty.role);
        Err(Fault::new(
            RuleId::S_PRESENT,
            says!(
                role;
                "`{}` に{role} {1} 名以上の出席",
                "for `{}`, {1} or more who come ({role})",
                op.name,
                duty.at_least
            ),
            says!("欠席 {}", "absent: {}", names.join(" ")),
        ))
    }
}

/// S-SIGNED: two people may state that cards fail, but not of so many that few cards would sign in
/// the place of all: of those who came, more than half sign with their own.
pub(super) fn few_without_card(cardless: usize, entered: usize) -> Result<(), Fault> {
    if cardless == 0 || cardless.saturating_mul(2) < entered {
        return Ok(());
    }
    let asked = says!(
        "使えないカードは、これまでに入室した {entered} 名の半数未満",
        "cards that fail for fewer than half of the {entered} people who have come so far"
    );
    let found = says!(
        "{cardless} 名。カードかリーダーを直して署名する。直らないなら中断し(Ctrl-C)、カードが使えるようになってから `gishiki resume`、続けられないなら `gishiki abandon`",
        "{cardless}: mend card or reader, and let the card sign; otherwise interrupt (Ctrl-C), then `gishiki resume` when the cards work, or `gishiki abandon` if they never will"
    );
    Err(Fault::new(RuleId::S_SIGNED, asked, found))
}

fn mark(people: &mut BTreeSet<Name>, person: &Name, is_of_them: bool) {
    if is_of_them {
        people.insert(person.clone());
    } else {
        people.remove(person);
    }
}

/// Words the demand of S-PRESENT, as the terminal shows it.
#[must_use]
pub(super) fn asked() -> Bilingual {
    says!("`present`(出席)又は `absent`(欠席)", "`present` or `absent`")
}
