//! The first ceremony of the sample, walked in this process with the rehearsal token, up to any
//! operation.

use ceremony::compile::{Compiled, compile};
use ceremony::fault::Fault;
use ceremony::inputs::{Documents, Inputs};
use ceremony::key::PublicKey;
use ceremony::name::Name;
use ceremony::record::{Answer, Attempt, Event, Mode, Place, Resumed};
use ceremony::rule::RuleId;
use ceremony::run::{Next, Request, Run};
use ceremony::time::Instant;
use ceremony::token::{TokenAnswer, TokenError};
use token::{RehearsalToken, Token};

use crate::people::{RELEASE, apply, approvals, card, with_cards};
use crate::support::{genesis, nothing};

/// The first ceremony.
pub(crate) fn compiled() -> Compiled {
    compiled_on("", Mode::Rehearsal)
}

/// The first ceremony on tokens of which the policy says this.
pub(crate) fn compiled_on(tokens: &str, mode: Mode) -> Compiled {
    compiled_with(tokens, mode, &card)
}

/// The same, with these cards if it is a real one.
pub(crate) fn compiled_with(
    tokens: &str,
    mode: Mode,
    cards: &dyn Fn(&Name) -> PublicKey,
) -> Compiled {
    let read = |name: &str| std::fs::read(genesis().join(name)).unwrap();
    let policy = String::from_utf8(read("../policy.toml")).unwrap();
    let policy = policy.replace("[token]\n", &format!("[token]\n{tokens}"));
    let mut roster = String::from_utf8(read("../roster.toml")).unwrap();
    if mode == Mode::Real {
        roster = with_cards(roster.as_bytes(), cards);
    }
    let documents = Documents {
        plan: &read("plan.toml"),
        cps: &read("../cps.toml"),
        policy: policy.as_bytes(),
        roster: roster.as_bytes(),
        release: (mode == Mode::Real).then_some(RELEASE.as_bytes()),
    };
    let inputs = Inputs::read(documents, &[].into()).unwrap();
    compile(&inputs, &nothing(), mode).unwrap()
}

/// A run in this process, up to an operation that was asked and not yet answered.
pub(crate) struct Walk {
    pub(crate) run: Run,
    pub(crate) token: Token,
    pub(crate) at: Instant,
}

/// The record that goes on here after an interruption that cost nothing.
pub(crate) fn resumed(room: Place) -> Resumed {
    Resumed {
        room,
        torn: 0,
        copied: 0,
        dropped: 0,
        refusal: None,
        aside: None,
        new_medium: Vec::new(),
    }
}

impl Walk {
    pub(crate) fn begin(mode: Mode, place: Place) -> Result<Self, Fault> {
        Self::on(Token::Rehearsal(RehearsalToken::new()), mode, place)
    }

    /// On this token.
    pub(crate) fn on(token: Token, mode: Mode, place: Place) -> Result<Self, Fault> {
        Self::of(compiled_on("", mode), token, place)
    }

    /// Of this ceremony.
    pub(crate) fn of(compiled: Compiled, token: Token, place: Place) -> Result<Self, Fault> {
        let at = compiled.graph.window().0;
        let approved = approvals(&compiled, at);
        let run = Run::begin(compiled, place, approved, at)?.run;
        Ok(Self { run, token, at })
    }

    pub(crate) fn rehearsal() -> Self {
        Self::begin(Mode::Rehearsal, Place::rehearsal()).unwrap()
    }

    pub(crate) fn take(&mut self, event: Event) -> Result<(), Fault> {
        self.run = apply(self.run.clone(), self.at, event)?.run;
        Ok(())
    }

    /// Somebody says that a head is on paper, if one is due.
    pub(crate) fn note(&mut self) {
        if let Next::Note(..) = self.run.next() {
            let (head, by) = (self.run.head(), vec!["p13".parse().unwrap()]);
            self.take(Event::Noted { head, by, mistaken: 0 }).unwrap();
        }
    }

    /// Asks what comes next; its name.
    pub(crate) fn ask(&mut self) -> String {
        self.note();
        let Next::Ask(op, attempt) = self.run.next() else { panic!("{:?}", self.run.next()) };
        let asked = Attempt { op: op.name.clone(), attempt };
        self.take(Event::Asked(asked.clone())).unwrap();
        asked.op
    }

    /// What the token says to the pending operation.
    pub(crate) fn asked_of_token(&mut self) -> Result<TokenAnswer, TokenError> {
        match self.run.request().unwrap() {
            Request::Token(_, request) => self.token.perform(request),
            other @ (Request::People(_) | Request::Copy(..)) => panic!("{other:?}"),
        }
    }

    /// What the planned people and the rehearsal token answer.
    pub(crate) fn planned(&mut self) -> Answer {
        match self.run.clone().request().unwrap() {
            Request::Token(_, request) => Answer::Token(self.token.perform(request).unwrap()),
            Request::Copy(..) => panic!("the first ceremony makes no copy"),
            Request::People(request) => {
                Answer::People(request.as_planned(self.run.graph(), "a word"))
            }
        }
    }

    pub(crate) fn answer(&mut self, answer: Answer) -> Result<(), Fault> {
        let Next::Answer(op, attempt) = self.run.next() else { panic!("{:?}", self.run.next()) };
        let event = Event::Answered { op: op.name.clone(), attempt, answer };
        self.take(event)
    }

    /// Walks as planned until this operation is asked.
    pub(crate) fn until(mut self, name: &str) -> Self {
        while self.ask() != name {
            let answer = self.planned();
            self.answer(answer).unwrap();
        }
        self
    }

    /// The rule that refuses this answer to the pending operation.
    pub(crate) fn refuses(&self, answer: &Answer) -> RuleId {
        let Err(fault) = self.run.judge(answer) else { panic!("accepted: {answer:?}") };
        fault.rule
    }
}
