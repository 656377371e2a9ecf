//! How a run takes each kind of event: what must hold before it, and what holds after.

mod resumed;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::ask;
use super::judge::Weighed;
use super::{ATTEMPTS, Book, Next, Noted, OpState, Run, Signed, Stop};
use crate::fault::Fault;
use crate::graph::{Act, Phase, TokenAct};
use crate::hex::Digest;
use crate::key::{Check, PublicKey};
use crate::name::Name;
use crate::record::{Answer, Attempt, End, Event, Refuser, WHO};
use crate::rule::RuleId;
use crate::time::Instant;
use crate::token::KeyFacts;

impl Run {
    pub(super) fn take(&mut self, at: Instant, event: &Event) -> Result<Vec<Check>, Fault> {
        if let (Some(_), Book::Transcript, false) =
            (self.closed, self.book, matches!(event, Event::Resumed(_) | Event::Sealed { .. }))
        {
            return Err(order("Resumed, or the seal, after Closed", event));
        }
        match event {
            Event::Opened(_) => Err(order("Opened only once, at the beginning", event)),
            Event::Asked(asked) => self.take_asked(at, asked).map(none),
            Event::Answered { op, attempt, answer } => self.take_answer(at, op, *attempt, answer),
            Event::Lost { op, attempt, cause } => self.take_lost(op, *attempt, cause).map(none),
            Event::Adopted { op, attempt, key } => {
                self.take_adopted(at, op, *attempt, key).map(none)
            }
            Event::OrphanRemoved { op, attempt, found, by } => {
                self.take_orphan(op, *attempt, found, by).map(none)
            }
            Event::Refused { op, attempt, rule, reason, by } => {
                self.at_hand(op, Some(*attempt))?;
                self.take_refused(*rule, reason, by).map(none)
            }
            Event::Mistaken { op, attempt, question } => {
                self.take_mistaken(op, *attempt, question).map(none)
            }
            Event::Noted { head, by, .. } => self.take_noted(*head, by).map(none),
            Event::Deviation { op, reason, by } => self.take_deviation(op, reason, by).map(none),
            Event::Resumed(resumed) => self.take_resumed(at, resumed).map(none),
            Event::Closed { end } => self.take_closed(at, *end).map(none),
            Event::Sealed { bundle } => self.take_sealed(*bundle).map(none),
        }
    }

    fn take_asked(&mut self, at: Instant, asked: &Attempt) -> Result<(), Fault> {
        let Next::Ask(op, attempt) = self.next() else {
            return Err(Fault::new(
                RuleId::S_ORDER,
                self.what_next(),
                format!("Asked {}", asked.op),
            ));
        };
        if op.name != asked.op || attempt != asked.attempt {
            return Err(Fault::new(
                RuleId::S_ORDER,
                format!("Asked {} at attempt {attempt}", op.name),
                format!("Asked {} at attempt {}", asked.op, asked.attempt),
            ));
        }
        if self.is_exhausted(asked) {
            return Err(Fault::new(
                RuleId::S_ATTEMPTS,
                format!("at most {ATTEMPTS} attempts"),
                op.name.clone(),
            ));
        }
        let (_, until) = self.graph().window;
        if at > until && self.stopped.is_none() && op.act.phase() < Phase::Seal {
            return Err(Fault::new(
                RuleId::S_WINDOW,
                format!("operations until {until}"),
                at.to_string(),
            ));
        }
        self.pending = Some(op.id.index());
        Ok(())
    }

    fn take_answer(
        &mut self,
        at: Instant,
        op: &str,
        attempt: u32,
        answer: &Answer,
    ) -> Result<Vec<Check>, Fault> {
        let (pending, expected) = self.pending_op()?;
        if pending.name != op || expected != attempt {
            return Err(Fault::new(
                RuleId::S_ORDER,
                format!("the answer to {} at attempt {expected}", pending.name),
                format!("the answer to {op} at attempt {attempt}"),
            ));
        }
        let weighed = self.weigh(pending, attempt, answer)?;
        let index = pending.id.index();
        self.pending = None;
        self.done(index, at);
        Ok(self.commit(at, attempt, weighed))
    }

    fn commit(&mut self, at: Instant, attempt: u32, weighed: Weighed) -> Vec<Check> {
        if let Some((name, key)) = weighed.key {
            self.remember_key(name, attempt, key);
        }
        for (name, der) in weighed.signed {
            self.signed.insert(name, Signed { der, at, attempt });
        }
        self.nonces.extend(weighed.nonces);
        self.audit_ready |= weighed.has_signed_head;
        if weighed.head.is_some() {
            self.written_head = weighed.head;
        }
        if let Some(key) = &weighed.destroyed {
            self.keys.remove(key);
        }
        weighed.checks
    }

    fn take_lost(&mut self, op: &str, attempt: u32, cause: &str) -> Result<(), Fault> {
        ask::words(cause)?;
        let index = self.in_doubt(op, attempt)?;
        let generation = matches!(
            self.op_at(index).map(|op| &op.act),
            Some(Act::Token(TokenAct::Generate { .. }))
        );
        if generation && self.pending != Some(index) && !matches!(self.next(), Next::Settle(..)) {
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), format!("Lost {op}")));
        }
        let answered = self.pending == Some(index);
        self.headless |= answered && self.stopped.is_some() && self.writes_head(index);
        self.again(index);
        Ok(())
    }

    fn writes_head(&self, index: usize) -> bool {
        self.op_at(index).is_some_and(|op| op.act == Act::Token(TokenAct::WriteHead))
    }

    fn take_adopted(
        &mut self,
        at: Instant,
        op: &str,
        attempt: u32,
        facts: &KeyFacts,
    ) -> Result<(), Fault> {
        let (index, name) = self.generation_in_doubt(op, attempt)?;
        let key = self.judge_key(&name, attempt, facts)?;
        self.remember_key(name, attempt, key);
        self.pending = None;
        self.doubt = None;
        self.done(index, at);
        Ok(())
    }

    fn remember_key(&mut self, name: Name, attempt: u32, key: PublicKey) {
        let id = self.graph().key(&name).map(|planned| planned.id(self.graph(), attempt));
        if let Some(id) = id {
            self.key_ids.insert(name.clone(), id);
        }
        self.keys.insert(name, key);
    }

    fn take_orphan(
        &mut self,
        op: &str,
        attempt: u32,
        found: &KeyFacts,
        by: &[Name],
    ) -> Result<(), Fault> {
        let (index, name) = self.generation_in_doubt(op, attempt)?;
        if (found.privates, found.publics, found.strays) == (0, 0, 0) {
            return Err(Fault::new(RuleId::S_ORPHAN, "remains of a key pair", "nothing"));
        }
        if self.judge_key(&name, attempt, found).is_ok() {
            return Err(Fault::new(
                RuleId::S_ORPHAN,
                "remains of a key pair",
                "a key pair that is complete",
            ));
        }
        self.two_roles(by)?;
        self.again(index);
        Ok(())
    }

    fn generation_in_doubt(&self, op: &str, attempt: u32) -> Result<(usize, Name), Fault> {
        let index = self.in_doubt(op, attempt)?;
        match self.op_at(index).map(|op| &op.act) {
            Some(Act::Token(TokenAct::Generate { key })) => Ok((index, key.clone())),
            Some(_) | None => {
                Err(Fault::new(RuleId::S_ORDER, "a key generation in doubt", op.to_string()))
            }
        }
    }

    fn in_doubt(&self, op: &str, attempt: u32) -> Result<usize, Fault> {
        let index = self.pending.or(self.burn).or(self.doubt);
        match index.and_then(|i| self.op_at(i)) {
            Some(found) if found.name == op && self.attempt(found) == attempt => {
                Ok(found.id.index())
            }
            Some(_) | None => Err(Fault::new(
                RuleId::S_ORDER,
                self.what_next(),
                format!("{op} at attempt {attempt}"),
            )),
        }
    }

    /// People refuse with their names, a rule with none.
    fn who_refuses(&self, refuser: Refuser, reason: &str, by: &[Name]) -> Result<(), Fault> {
        ask::words(reason)?;
        match refuser {
            Refuser::People => self.participants(by),
            Refuser::Rule(_) if by.is_empty() => Ok(()),
            Refuser::Rule(rule) => {
                let asked = "`people` with names, or a rule without";
                Err(Fault::new(RuleId::S_REFUSED, asked, format!("{rule} with names")))
            }
        }
    }

    fn take_refused(&mut self, rule: Refuser, reason: &str, by: &[Name]) -> Result<(), Fault> {
        self.who_refuses(rule, reason, by)?;
        // A key generation that was refused may have left something on the token.
        let pending = self.pending.take();
        let phase = |i: usize| self.op_at(i).map(|op| op.act.phase());
        self.halted |= pending.and_then(phase).is_some_and(|phase| phase <= Phase::Opening);
        self.doubt = self.doubt.or(pending.filter(|i| {
            matches!(self.op_at(*i).map(|op| &op.act), Some(Act::Token(TokenAct::Generate { .. })))
        }));
        self.headless |= pending.is_some_and(|index| self.writes_head(index));
        if let (Some(index), None) = (pending, self.doubt) {
            self.again(index);
        }
        if let (Some(index), Book::Postscript) = (pending, self.book) {
            // The ceremony is sealed: what people will not do after it stays undone.
            self.leave(index);
            return Ok(());
        }
        self.stopped = Some(Stop { rule, reason: reason.to_string() });
        Ok(())
    }

    /// A question of the operation at hand, or who they are: nothing else can be mistaken.
    fn take_mistaken(&self, op: &str, attempt: u32, question: &str) -> Result<(), Fault> {
        self.at_hand(op, Some(attempt))?;
        let asked = match self.graph().op(op).map(|op| &op.act) {
            Some(Act::People(act)) => self.facts(act)?,
            Some(Act::Token(_) | Act::Seal) | None => Vec::new(),
        };
        if question == WHO || asked.iter().any(|fact| fact.name == question) {
            return Ok(());
        }
        let names: Vec<&str> = asked.iter().map(|fact| fact.name).chain([WHO]).collect();
        Err(Fault::new(
            RuleId::S_ANSWER,
            format!("one of {}", names.join(", ")),
            question.to_string(),
        ))
    }

    fn take_noted(&mut self, head: Digest, by: &[Name]) -> Result<(), Fault> {
        if !matches!(self.next(), Next::Note(..)) {
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), "Noted"));
        }
        if head != self.head {
            return Err(Fault::new(RuleId::S_NOTED, self.head.to_string(), head.to_string()));
        }
        self.participants(by)?;
        self.noted = Some(Noted { head, record: self.number });
        Ok(())
    }

    fn take_deviation(&self, op: &str, reason: &str, by: &[Name]) -> Result<(), Fault> {
        self.at_hand(op, None)?;
        ask::words(reason)?;
        self.participants(by)
    }

    fn take_closed(&mut self, at: Instant, end: End) -> Result<(), Fault> {
        if self.next() != Next::Close(end) {
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), format!("Closed {end:?}")));
        }
        self.closed = Some(end);
        self.ended_at = at;
        Ok(())
    }

    fn take_sealed(&mut self, bundle: Digest) -> Result<(), Fault> {
        if self.next() != Next::Seal {
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), format!("Sealed {bundle}")));
        }
        self.book = Book::Postscript;
        self.sealed = Some(bundle);
        self.transcript_head = self.head;
        self.head = crate::record::GENESIS;
        self.number = 0;
        Ok(())
    }

    fn done(&mut self, index: usize, at: Instant) {
        let record = self.number;
        if let Some(state) = self.ops.get_mut(index) {
            *state = OpState { done: true, at: Some(at), record, ..*state };
        }
    }

    /// Nothing of it is asked any more, though it was not done.
    fn leave(&mut self, index: usize) {
        if let Some(state) = self.ops.get_mut(index) {
            state.done = true;
        }
    }

    /// The attempt is burned; the next one may follow.
    fn again(&mut self, index: usize) {
        self.pending = self.pending.filter(|i| *i != index);
        self.burn = self.burn.filter(|i| *i != index);
        self.doubt = self.doubt.filter(|i| *i != index);
        if let Some(state) = self.ops.get_mut(index) {
            state.attempt += 1;
        }
    }

    /// What is refused, or is not as the script has it, is what is asked now or would be asked
    /// next.
    fn at_hand(&self, op: &str, attempt: Option<u32>) -> Result<(), Fault> {
        match self.next() {
            Next::Ask(found, now)
            | Next::Answer(found, now)
            | Next::Burn(found, now)
            | Next::Settle(found, now)
            // While a head is to be noted, the operation before it is still at hand.
            | Next::Note(found, now)
                if found.name == op && attempt.is_none_or(|attempt| attempt == now) =>
            {
                Ok(())
            }
            Next::Ask(..)
            | Next::Answer(..)
            | Next::Burn(..)
            | Next::Settle(..)
            | Next::Note(..)
            | Next::Close(_)
            | Next::Seal
            | Next::Nothing
            | Next::Abandon => Err(Fault::new(RuleId::S_ORDER, self.what_next(), op.to_string())),
        }
    }

    fn participants(&self, by: &[Name]) -> Result<(), Fault> {
        let sorted = by.is_sorted_by(|a, b| a < b);
        if by.is_empty() || !sorted || !by.iter().all(|p| self.graph().people.contains_key(p)) {
            return Err(Fault::new(
                RuleId::R_AUTHN,
                "participants, each once, in order",
                by.iter().map(Name::as_str).collect::<Vec<_>>().join(" "),
            ));
        }
        Ok(())
    }

    /// At least two participants, of two roles: who may consent to what the script's annex has.
    pub fn two_roles(&self, by: &[Name]) -> Result<(), Fault> {
        self.participants(by)?;
        let people = &self.graph().people;
        let roles: Vec<&Vec<Name>> =
            by.iter().filter_map(|p| people.get(p)).map(|p| &p.roles).collect();
        let differ = |a: &Vec<Name>, b: &Vec<Name>| a.iter().any(|r| b.iter().any(|o| r != o));
        let enough =
            roles.iter().enumerate().any(|(i, a)| roles.iter().skip(i + 1).any(|b| differ(a, b)));
        if enough {
            Ok(())
        } else {
            let by: Vec<&str> = by.iter().map(Name::as_str).collect();
            Err(Fault::new(RuleId::R_MULTI, "two people of two roles", by.join(" ")))
        }
    }

    /// What may come next, for messages.
    fn what_next(&self) -> String {
        match self.next() {
            Next::Ask(op, attempt) => format!("Asked {} at attempt {attempt}", op.name),
            Next::Answer(op, attempt) => format!("the answer to {} at attempt {attempt}", op.name),
            Next::Burn(op, attempt) => format!("Lost {} at attempt {attempt}", op.name),
            Next::Settle(op, _) => format!("Adopted, OrphanRemoved or Lost {}", op.name),
            Next::Note(op, _) => format!("Noted, of the head after {}", op.name),
            Next::Close(end) => format!("Closed {end:?}"),
            Next::Seal => String::from("the seal"),
            Next::Nothing => String::from("nothing more"),
            Next::Abandon => String::from("nothing more: the ceremony is to be abandoned"),
        }
    }
}

const fn none(_: ()) -> Vec<Check> {
    Vec::new()
}

fn order(asked: &'static str, event: &Event) -> Fault {
    Fault::new(RuleId::S_ORDER, asked, format!("{:?}", event.outcome()))
}
