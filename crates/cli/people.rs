//! Asks the participants, in one of three ways: at a terminal, by a file of scripted answers
//! (drills only), or by stand-ins (rehearsals only).
//!
//! The core judges the answers; this module only asks.

mod scripted;
mod terminal;
mod typed;

use std::collections::BTreeMap;

use ceremony::graph::{Act, Op, PeopleAct};
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::record::Said;
use ceremony::run::{PeopleRequest, Run};
use ceremony::says;

use crate::halt::Halt;

pub(crate) use scripted::Scripted;
pub(crate) use terminal::{Terminal, named};
pub(crate) use typed::{AtCard, at_card, is_no, is_yes};

/// Who answers the questions.
#[derive(Debug)]
pub(crate) enum People {
    /// Participants at a terminal.
    Terminal(Terminal),
    /// A file of answers, in a drill.
    Scripted(Scripted),
    /// Nobody, in a rehearsal: every question is answered as planned.
    StandIns,
    /// The people of the simulator.
    #[cfg(test)]
    Simulated,
}

/// A reply to a question.
#[derive(Debug)]
pub(crate) enum Reply {
    /// An answer.
    Said(Said),
    /// A refusal, which stops the ceremony.
    Refused { by: Vec<Name>, reason: String },
    /// A statement that something deviates from the script; the question is then asked again.
    Deviation { by: Vec<Name>, reason: String },
    /// A break: the session ends, and these people stay with what is secured.
    Paused { by: Vec<Name>, reason: String },
    /// Input that does not answer the question `question`, which is asked again; the answers before
    /// it, in `said`, are kept.
    Mistaken { question: &'static str, said: Vec<(String, String)> },
}

/// How often, and from where, a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// For the first time.
    First,
    /// Again, from the beginning.
    Again,
    /// Again, from the question that was not answered correctly.
    Mistaken,
}

/// One question of an operation, with what people must see to answer it.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) run: &'a Run,
    pub(crate) request: &'a PeopleRequest,
    pub(crate) asked: Asked,
    /// The answers given so far, each with the name of its question.
    pub(crate) said: &'a [(String, String)],
}

impl Question<'_> {
    /// The planned answer (see [`PeopleRequest::as_planned`]).
    pub(crate) fn as_planned(&self, words: &str) -> Said {
        self.request.as_planned(self.run.graph(), words)
    }
}

impl People {
    pub(crate) fn ask(&mut self, question: &Question<'_>) -> Result<Reply, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.ask(question),
            Self::Scripted(scripted) => scripted.ask(question),
            Self::StandIns => Ok(Reply::Said(question.as_planned("rehearsal"))),
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::ask(question)),
        }
    }

    /// Asks two people of two roles to consent to a procedure in the annex of the script.
    pub(crate) fn consent(&mut self, run: &Run, op: &Op, what: &str) -> Result<Reply, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.consent(run, what),
            Self::Scripted(scripted) => scripted.consent(run, op),
            Self::StandIns => {
                Ok(Reply::Refused { by: two_of_two_roles(run), reason: what.to_string() })
            }
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::consent(run, op, what)),
        }
    }

    /// Waits until somebody confirms that the head after this operation is noted on paper.
    pub(crate) fn note(&mut self, run: &Run, op: &Op, head: Digest) -> Result<Reply, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.note(run, op, head),
            Self::Scripted(_) | Self::StandIns => {
                Ok(Reply::Said(Said { by: who_notes(run), facts: BTreeMap::new() }))
            }
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::note(run, op, head)),
        }
    }

    /// Asks who lifts a refusal that is on one medium only; returns nobody if it holds.
    ///
    /// The people who refused can lift it (`by`); a refusal by a rule, two people of two roles.
    pub(crate) fn lifted(&mut self, run: &Run, by: &[Name], what: &str) -> Result<Vec<Name>, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.lifted(run, by, what),
            Self::Scripted(_) | Self::StandIns => Ok(Vec::new()),
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::lifted(what)),
        }
    }

    /// Asks who finds something wrong, and what; `None` if nobody does, or it is taken back.
    pub(crate) fn object(&mut self, run: &Run) -> Result<Option<Reply>, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.object(run),
            Self::Scripted(_) | Self::StandIns => Ok(None),
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::object(run)),
        }
    }

    /// Asks two others of two roles to state that a person's card does not sign.
    pub(crate) fn vouch(
        &mut self,
        run: &Run,
        op: &Op,
        person: &Name,
        what: &str,
    ) -> Result<Reply, Halt> {
        #[cfg(test)]
        if matches!(self, Self::Simulated) {
            return Ok(crate::simulator::vouch(run, person));
        }
        let _ = person;
        if let Self::Terminal(terminal) = self {
            return terminal.vouch(run, what);
        }
        self.consent(run, op, what)
    }

    /// Lets people at the terminal choose; returns `None` if there is no terminal.
    pub(crate) fn choose(&mut self, shown: &str, prompt: &str) -> Result<Option<String>, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.choose(shown, prompt).map(Some),
            Self::Scripted(_) | Self::StandIns => Ok(None),
            #[cfg(test)]
            Self::Simulated => Ok(Some(crate::simulator::choose(prompt))),
        }
    }

    /// Whether somebody is present who can correct a value or a PIN.
    pub(crate) const fn can_answer_again(&self) -> bool {
        #[cfg(test)]
        if matches!(self, Self::Simulated) {
            return true;
        }
        matches!(self, Self::Terminal(_))
    }
}

/// The demand for a terminal, as a refusal states it.
pub(crate) fn asks_people() -> Bilingual {
    says!("参加者に尋ねる端末", "a terminal to ask people at")
}

/// Returns the first of those present who enter the values of the papers.
pub(crate) fn who_notes(run: &Run) -> Vec<Name> {
    let papers = run.graph().ops().iter().find(|op| op.act == Act::People(PeopleAct::Papers));
    let duties = papers.map(|op| op.by.as_slice()).unwrap_or_default();
    let is_there = |person: &&Name| !run.is_absent(person);
    let who = duties.iter().flat_map(|duty| duty.persons.iter().find(is_there));
    who.min().cloned().into_iter().collect()
}

/// Returns the first two of those present who have no role in common.
pub(crate) fn two_of_two_roles(run: &Run) -> Vec<Name> {
    others(run, None)
}

/// The same of those whose cards sign, and without this person; nobody, if there are not two.
pub(crate) fn others(run: &Run, without: Option<&Name>) -> Vec<Name> {
    let may = |id: &Name| Some(id) != without && !run.is_without_card(id);
    let people: Vec<_> = run.present().filter(|(id, _)| without.is_none() || may(id)).collect();
    for (id, person) in &people {
        let other = people
            .iter()
            .find(|(_, other)| other.roles.iter().all(|role| !person.roles.contains(role)));
        if let Some((other, _)) = other {
            let mut two = vec![(*id).clone(), (*other).clone()];
            two.sort();
            return two;
        }
    }
    Vec::new()
}
