//! People who can be mistaken, refuse, be late and leave. They read the head from their paper,
//! never from the machine, and everything that they say is kept, so that an answer that nobody gave
//! is noticed.

use std::collections::{BTreeMap, BTreeSet};

use ceremony::graph::{Act, Op, PeopleAct, TokenAct};
use ceremony::hex::Digest;
use ceremony::name::Name;
use ceremony::record::{Said, WHO};
use ceremony::run::{FactKind, HEAD, Run};

use super::checker::Met;
use super::faults::{Fault, OfPeople, Site};
use super::world::{crash, listed, with};
use crate::people::{Asked, Question, Reply, others, two_of_two_roles, who_notes};

/// What people heard, said and noted.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What the tool said in this session.
    pub(super) heard: Vec<String>,
    /// What was said, as the records must have it.
    pub(super) said: BTreeSet<String>,
    /// The heads on paper that were confirmed on the screen, the last one last.
    paper: Vec<Digest>,
    /// How often the head was not taken in this session.
    not_taken: u32,
    /// How often somebody was asked for the time in this session.
    times: u32,
    /// How many PINs were entered in this session.
    pins: u32,
    /// How often people have said something.
    pub(super) count: u32,
}

impl Told {
    pub(super) fn hear(&mut self, text: &str) {
        self.heard.push(text.to_string());
        // As they are told, they strike out the head that did not count.
        if text.contains("Strike that head out, and read the one before it") {
            self.paper.pop();
        }
    }

    /// A new session begins.
    pub(super) fn sit_down(&mut self) {
        self.heard.clear();
        self.not_taken = 0;
        self.times = 0;
        self.pins = 0;
    }

    fn say(&mut self, what: String) {
        self.count += 1;
        self.said.insert(what);
    }

    /// The head that is read from paper: at first the last one. If the machine does not take it and
    /// it was noted just before the interruption, the one before.
    fn head(&self) -> Option<Digest> {
        let back = usize::try_from(self.not_taken.min(1)).unwrap();
        self.paper.iter().rev().nth(back).or(self.paper.first()).copied()
    }
}

/// Returns an answer of people as a record has it.
pub(super) fn answered(op: &str, by: &str, facts: &BTreeMap<String, String>) -> String {
    format!("answered {op} by {by}: {facts:?}")
}

/// A question is heard: time passes, and something goes wrong. People who leave end the process.
fn heard(what: &str) -> Option<OfPeople> {
    heard_at(Site::Question, what)
}

fn heard_at(site: Site, what: &str) -> Option<OfPeople> {
    let fault = with(|world| {
        world.time += 7;
        world.note(format!("asked {what}"));
        let fault = match world.pass(site)? {
            Fault::People(_, fault) | Fault::Card(_, fault) => fault,
            Fault::Token(..) | Fault::Write(..) | Fault::Media(..) => return None,
        };
        match fault {
            OfPeople::Late(hours) => world.time += i64::from(hours) * 3600,
            OfPeople::Clock(minutes) => world.skew += i64::from(minutes) * 60,
            OfPeople::Mistaken
            | OfPeople::Wrong
            | OfPeople::Refuse
            | OfPeople::Deviate
            | OfPeople::Break
            | OfPeople::Leave => {}
        }
        Some(fault)
    })
    .flatten();
    if fault == Some(OfPeople::Leave) {
        crash();
    }
    fault
}

/// Two people who are in the room, or the one who is.
fn two_here(run: &Run) -> Vec<Name> {
    let here = run.present().map(|(id, _)| id);
    here.filter(|id| run.may_say(std::slice::from_ref(id)).is_ok()).take(2).cloned().collect()
}

fn refused(run: &Run, op: &str) -> Reply {
    let by = two_here(run);
    with(|world| world.told.say(format!("refused {op} by {}", listed(&by))));
    Reply::Refused { by, reason: "simulated".into() }
}

fn deviation(run: &Run, op: &str) -> Reply {
    let by = two_here(run);
    with(|world| world.told.say(format!("deviation {op} by {}", listed(&by))));
    Reply::Deviation { by, reason: "simulated".into() }
}

/// A break, where one can be made.
fn pause(run: &Run, op: &str) -> Option<Reply> {
    run.may_pause().ok()?;
    let by = others(run, None);
    if by.len() != 2 {
        return None;
    }
    with(|world| world.told.say(format!("break at {op} by {}", listed(&by))));
    Some(Reply::Paused { by, reason: "simulated".into() })
}

/// A question of the script.
pub(crate) fn ask(question: &Question<'_>) -> Reply {
    let op = question.request.op.name.as_str();
    let fault = heard(op);
    let mut said = question.as_planned("simulated");
    let reads = matches!(question.request.op.act, Act::People(PeopleAct::Papers));
    let on_paper = with(|world| {
        if !reads {
            return None;
        }
        let is_head = |fact: &&ceremony::run::Fact| fact.name == HEAD;
        let FactKind::Digest(asked) = &question.request.facts.iter().find(is_head)?.kind else {
            return None;
        };
        if question.asked == Asked::Mistaken && world.told.not_taken == 0 {
            world.told.not_taken = 1;
        }
        let head = world.told.head()?;
        let right = head == *asked;
        world.note(format!("read {head}, {}", if right { "as asked" } else { "not as asked" }));
        Some((head, right))
    })
    .flatten();
    if let Some((head, right)) = on_paper {
        said.facts.insert(HEAD.into(), head.to_string());
        let before = with(|world| std::mem::replace(&mut world.told.not_taken, 1)).unwrap_or(0);
        if !right && before > 0 {
            return refused(question.run, op);
        }
        if right {
            with(|world| world.told.not_taken = 0);
        }
    }
    match fault {
        Some(OfPeople::Mistaken) => return Reply::Mistaken { question: WHO, said: Vec::new() },
        Some(OfPeople::Refuse) => return refused(question.run, op),
        Some(OfPeople::Deviate) => return deviation(question.run, op),
        Some(OfPeople::Break) => {
            if let Some(reply) = pause(question.run, op) {
                return reply;
            }
        }
        Some(OfPeople::Wrong) => said.by = Vec::new(),
        Some(OfPeople::Leave | OfPeople::Late(_) | OfPeople::Clock(_)) | None => {}
    }
    let words = answered(op, &listed(&said.by), &said.facts);
    with(|world| world.told.say(words));
    Reply::Said(said)
}

/// What becomes of a card that is to sign.
pub(crate) enum OfCard {
    /// It signs.
    Signs,
    /// It does not, and is stated to fail.
    Fails,
    /// Its owner would not sign.
    Objects,
}

/// Somebody signs with a card, which may fail.
pub(crate) fn sign(run: &Run, person: &Name) -> OfCard {
    match heard_at(Site::Card, &format!("to sign: {person}")) {
        // Nobody is left who could state that another card fails.
        Some(OfPeople::Deviate | OfPeople::Wrong) if others(run, Some(person)).len() == 2 => {
            OfCard::Fails
        }
        Some(OfPeople::Refuse) => OfCard::Objects,
        Some(
            OfPeople::Deviate
            | OfPeople::Wrong
            | OfPeople::Mistaken
            | OfPeople::Break
            | OfPeople::Leave
            | OfPeople::Late(_)
            | OfPeople::Clock(_),
        )
        | None => OfCard::Signs,
    }
}

/// Two people of two roles state that a card fails.
pub(crate) fn vouch(run: &Run, person: &Name) -> Reply {
    let by = others(run, Some(person));
    with(|world| world.told.say(format!("{person} failed by {}", listed(&by))));
    Reply::Said(Said { by, facts: BTreeMap::new() })
}

/// At the close somebody says what is not as the record has it, or takes it back.
pub(crate) fn object(run: &Run) -> Option<Reply> {
    let fault = heard("what is wrong");
    matches!(fault, None | Some(OfPeople::Deviate)).then(|| deviation(run, "seal"))
}

/// Somebody enters a PIN. Who cannot log in after a while ends the process.
pub(crate) fn enter_pin(op: &Op) {
    if !matches!(op.act, Act::Token(TokenAct::Login { .. })) {
        return;
    }
    let _ = heard("for the PIN");
    let pins = with(|world| {
        world.told.pins += 1;
        world.told.pins
    });
    if pins > Some(6) {
        crash();
    }
}

/// Consent to something of the script's annex.
pub(crate) fn consent(run: &Run, op: &Op, what: &str) -> Reply {
    match heard(&format!("to consent: {what}")) {
        // A terminal takes no deviation there.
        Some(OfPeople::Refuse | OfPeople::Deviate) => refused(run, op.name.as_str()),
        Some(OfPeople::Mistaken) => Reply::Mistaken { question: WHO, said: Vec::new() },
        Some(
            OfPeople::Wrong
            | OfPeople::Break
            | OfPeople::Leave
            | OfPeople::Late(_)
            | OfPeople::Clock(_),
        )
        | None => {
            let by = two_of_two_roles(run);
            with(|world| world.told.say(format!("consent by {}", listed(&by))));
            Reply::Said(Said { by, facts: BTreeMap::new() })
        }
    }
}

/// Whether a refusal on one medium is lifted: those who refused hold to it, and a rule's holds.
pub(crate) fn lifted(what: &str) -> Vec<Name> {
    let _ = heard(&format!("whether it holds: {what}"));
    Vec::new()
}

/// The head is written down; it counts on paper once it is confirmed on the screen.
pub(crate) fn note(run: &Run, op: &Op, head: Digest) -> Reply {
    match heard(&format!("to note {head}")) {
        Some(OfPeople::Refuse) => return refused(run, op.name.as_str()),
        Some(OfPeople::Deviate) => return deviation(run, op.name.as_str()),
        Some(OfPeople::Break) => {
            if let Some(reply) = pause(run, op.name.as_str()) {
                return reply;
            }
        }
        Some(OfPeople::Mistaken | OfPeople::Wrong) => {
            return Reply::Mistaken { question: WHO, said: Vec::new() };
        }
        Some(OfPeople::Leave | OfPeople::Late(_) | OfPeople::Clock(_)) | None => {}
    }
    let by = who_notes(run);
    with(|world| {
        world.told.paper.push(head);
        world.told.say(format!("noted {head} by {}", listed(&by)));
    });
    Reply::Said(Said { by, facts: BTreeMap::new() })
}

/// What is done about a clock that does not agree: it is set; then people wait until it agrees; in
/// the end they go on late, where that is offered, or stop.
pub(crate) fn choose(asked: &str) -> String {
    let fault = heard(asked);
    with(|world| {
        world.told.times += 1;
        world.checker.meet(Met::WrongClock);
        if fault != Some(OfPeople::Refuse) {
            match world.told.times {
                1 => world.skew = 0,
                2..=8 => world.time += 3600,
                _ if asked.contains("late") => return "late".to_string(),
                _ => return "no".to_string(),
            }
            return String::new();
        }
        "no".to_string()
    })
    .unwrap_or_default()
}
