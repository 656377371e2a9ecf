//! The people in the room, by three front ends: a terminal, a file of scripted answers (drills
//! only), stand-ins (rehearsals only). What is an answer is decided by the core; here it is only
//! asked for.

mod scripted;
mod terminal;

use std::collections::BTreeMap;

use ceremony::graph::{Graph, Op};
use ceremony::name::Name;
use ceremony::record::Said;
use ceremony::run::{FactKind, PeopleRequest};

pub(crate) use scripted::Scripted;
pub(crate) use terminal::Terminal;

use crate::exit::Halt;

/// How a line begins that waits for somebody to type, and no other line: people see at a glance
/// that it is their turn.
pub(crate) const PROMPT: &str = "> ";

/// Who answers.
#[derive(Debug)]
pub(crate) enum People {
    /// People at a terminal.
    Terminal(Terminal),
    /// A file of answers.
    Scripted(Scripted),
    /// Nobody: everything goes as planned.
    StandIns,
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
}

/// One question of an operation, with what people must see to answer it.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) request: &'a PeopleRequest,
    /// How many times people were asked this before.
    pub(crate) again: usize,
}

impl People {
    pub(crate) fn ask(&mut self, question: &Question<'_>) -> Result<Reply, Halt> {
        match self {
            Self::Terminal(terminal) => terminal.ask(question),
            Self::Scripted(scripted) => scripted.ask(question),
            Self::StandIns => Ok(Reply::Said(as_planned(question.request, "rehearsal"))),
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
        }
    }

    /// Whether there is somebody who can answer again: type a value or a PIN once more.
    pub(crate) const fn can_answer_again(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }
}

/// The answer of exactly the people and values that are asked for.
fn as_planned(request: &PeopleRequest, words: &str) -> Said {
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

/// The first two participants who share no role.
fn two_of_two_roles(graph: &Graph) -> Vec<Name> {
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
