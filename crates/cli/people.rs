//! The people in the room, by three front ends: a terminal, a file of scripted answers (drills
//! only), stand-ins (rehearsals only). What is an answer is decided by the core; here it is only
//! asked for.

mod scripted;
mod terminal;

use crate::halt::Halt;
use std::collections::BTreeMap;

use ceremony::graph::{Act, Graph, Op, PeopleAct};
use ceremony::hex::Digest;
use ceremony::name::Name;
use ceremony::record::Said;
use ceremony::run::{FactKind, PeopleRequest};

pub(crate) use scripted::Scripted;
pub(crate) use terminal::Terminal;

/// Who answers.
#[derive(Debug)]
pub(crate) enum People {
    /// People at a terminal.
    Terminal(Terminal),
    /// A file of answers.
    Scripted(Scripted),
    /// Nobody: everything goes as planned.
    StandIns,
    /// Those of a simulated world.
    #[cfg(test)]
    Simulated,
}

/// What people reply to a question.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The answer.
    Said(Said),
    /// They stop the ceremony.
    Refused { by: Vec<Name>, reason: String },
    /// Something is not as the script has it; the question comes again.
    Deviation { by: Vec<Name>, reason: String },
    /// What was typed is no answer to this question; it comes again, after what was said before.
    Mistaken { question: &'static str, said: Vec<(String, String)> },
}

/// How a question comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// For the first time.
    First,
    /// Once more, from the beginning.
    Again,
    /// Once more where what was typed was no answer.
    Mistaken,
}

/// One question of an operation, with what people must see to answer it.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) request: &'a PeopleRequest,
    pub(crate) asked: Asked,
    /// What was said already, by the names of the questions.
    pub(crate) said: &'a [(String, String)],
}

impl People {
    pub(crate) fn ask(&mut self, question: &Question<'_>) -> Result<Reply, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.ask(question),
            Self::Scripted(scripted) => scripted.ask(question),
            Self::StandIns => Ok(Reply::Said(as_planned(question.request, "rehearsal"))),
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::ask(question)),
        }
    }

    /// Asks two people of two roles to consent to something that the script has in its annex.
    pub(crate) fn consent(&mut self, graph: &Graph, op: &Op, what: &str) -> Result<Reply, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.consent(graph, what),
            Self::Scripted(scripted) => scripted.consent(graph, op),
            Self::StandIns => {
                Ok(Reply::Refused { by: two_of_two_roles(graph), reason: what.to_string() })
            }
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::consent(graph, op, what)),
        }
    }

    /// Waits until somebody says that this head, after this operation, is on paper.
    pub(crate) fn note(&mut self, graph: &Graph, op: &Op, head: Digest) -> Result<Reply, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.note(graph, op, head),
            Self::Scripted(_) | Self::StandIns => {
                Ok(Reply::Said(Said { by: who_notes(graph), facts: BTreeMap::new() }))
            }
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::note(graph, op, head)),
        }
    }

    /// Asks who says that a refusal on one medium only does not hold: those who refused, or, of a
    /// rule's, two people of two roles. Nobody, if it holds.
    pub(crate) fn lifted(
        &mut self,
        graph: &Graph,
        by: &[Name],
        what: &str,
    ) -> Result<Vec<Name>, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.lifted(graph, by, what),
            Self::Scripted(_) | Self::StandIns => Ok(Vec::new()),
            #[cfg(test)]
            Self::Simulated => Ok(crate::simulator::lifted(what)),
        }
    }

    /// Asks those at the terminal to choose; nobody else can.
    pub(crate) fn choose(&mut self, shown: &str, prompt: &str) -> Result<Option<String>, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.choose(shown, prompt).map(Some),
            Self::Scripted(_) | Self::StandIns => Ok(None),
            #[cfg(test)]
            Self::Simulated => Ok(Some(crate::simulator::choose(prompt))),
        }
    }

    /// Whether there is somebody who can answer again: type a value or a PIN once more.
    pub(crate) const fn can_answer_again(&self) -> bool {
        #[cfg(test)]
        if matches!(self, Self::Simulated) {
            return true;
        }
        matches!(self, Self::Terminal(_))
    }
}

/// The answer of exactly the people and values that are asked for.
pub(crate) fn as_planned(request: &PeopleRequest, words: &str) -> Said {
    let mut by: Vec<Name> = request
        .op
        .by
        .iter()
        .flat_map(|duty| duty.persons.iter().take(duty.at_least).cloned())
        .collect();
    by.sort();
    by.dedup();
    let fact = |fact: &ceremony::run::Fact| {
        let value = match &fact.kind {
            FactKind::Digest(digest) => digest.to_string(),
            FactKind::Integer(low, high) => {
                if *low <= 0 && *high >= 0 { 0 } else { *low }.to_string()
            }
            FactKind::Words => words.to_string(),
        };
        (fact.name.to_string(), value)
    };
    let facts: BTreeMap<String, String> = request.facts.iter().map(fact).collect();
    Said { by, facts }
}

/// The first of those who read the papers to the machine.
pub(crate) fn who_notes(graph: &Graph) -> Vec<Name> {
    let papers = graph.ops().iter().find(|op| op.act == Act::People(PeopleAct::Papers));
    let duties = papers.map(|op| op.by.as_slice()).unwrap_or_default();
    duties.iter().flat_map(|duty| duty.persons.first()).min().cloned().into_iter().collect()
}

/// The first two participants who share no role.
pub(crate) fn two_of_two_roles(graph: &Graph) -> Vec<Name> {
    let people: Vec<_> = graph.people().iter().collect();
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
