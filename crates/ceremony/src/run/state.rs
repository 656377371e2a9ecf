//! How a run takes each kind of event: its precondition and its effect on the run.

mod paused;
mod refused;
mod resumed;

use alloc::vec::Vec;

use super::ask;
use super::judge::Weighed;
use super::present::Presence;
use super::{ATTEMPTS, Book, Next, Noted, OpState, Run, Signed};
use crate::fault::Fault;
use crate::graph::{Act, Phase, TokenAct};
use crate::hex::Digest;
use crate::key::{Check, PublicKey};
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::{Answer, Attempt, End, Event, WHO};
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;
use crate::token::KeyFacts;

impl Run {
    pub(super) fn take(&mut self, at: Instant, event: &Event) -> Result<Vec<Check>, Fault> {
        if let (Some(_), Book::Transcript, false) =
            (self.closed, self.book, matches!(event, Event::Resumed(_) | Event::Sealed { .. }))
        {
            let asked =
                says!("Closed の後の Resumed 又は封印", "Resumed, or the seal, after Closed");
            return Err(order(asked, event));
        }
        match event {
            Event::Opened(_) => {
                let asked = says!("最初に 1 回だけの Opened", "Opened only once, at the beginning");
                Err(order(asked, event))
            }
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
                self.may_refuse(at, *rule)?;
                self.take_refused(*rule, reason, by).map(none)
            }
            Event::Mistaken { op, attempt, question } => {
                self.take_mistaken(op, *attempt, question).map(none)
            }
            Event::Noted { head, by, .. } => self.take_noted(*head, by).map(none),
            Event::Deviation { op, reason, by } => self.take_deviation(op, reason, by).map(none),
            Event::Paused { op, attempt, reason, by } => {
                self.take_paused(op, *attempt, reason, by).map(none)
            }
            Event::CardFailed { person, reason, by } => {
                self.take_card_failed(person, reason, by).map(none)
            }
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
                Bilingual::plain(format_args!("Asked {}", asked.op)),
            ));
        };
        if op.name != asked.op || attempt != asked.attempt {
            return Err(Fault::new(
                RuleId::S_ORDER,
                asked_at(&op.name, attempt),
                asked_at(&asked.op, asked.attempt),
            ));
        }
        if self.is_exhausted(asked) {
            return Err(Fault::new(
                RuleId::S_ATTEMPTS,
                says!("{ATTEMPTS} 回以下の試行", "at most {ATTEMPTS} attempts"),
                Bilingual::plain(&op.name),
            ));
        }
        let (_, until) = self.graph().window;
        if at > until && self.stopped.is_none() && op.act.phase() < Phase::Seal {
            return Err(Fault::new(
                RuleId::S_WINDOW,
                says!("{until} までの手順", "operations until {until}"),
                Bilingual::plain(at),
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
                answer_at(&pending.name, expected),
                answer_at(op, attempt),
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
        if let Some(Presence { absent, entered }) = weighed.presence {
            (self.absent, self.entered) = (absent, entered);
        }
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
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), lost(op)));
        }
        let answered = self.pending == Some(index);
        let of_token = matches!(self.op_at(index).map(|op| &op.act), Some(Act::Token(_)));
        // What people were asked is lost by an interruption alone, and so is what nobody answered.
        let may = if answered { of_token } else { self.burn.is_none() || cause == INTERRUPTED };
        if !may {
            let found = says!("{op} の Lost({cause})", "Lost {op}: {cause}");
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), found));
        }
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
            return Err(Fault::new(RuleId::S_ORPHAN, remains(), Bilingual::nothing()));
        }
        if self.judge_key(&name, attempt, found).is_ok() {
            return Err(Fault::new(
                RuleId::S_ORPHAN,
                remains(),
                says!("完全な鍵ペア", "a key pair that is complete"),
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
                let asked = says!("結果の分からない鍵ペアの生成", "a key generation in doubt");
                Err(Fault::new(RuleId::S_ORDER, asked, Bilingual::plain(op)))
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
                says!("{op}(試行 {attempt})", "{op} at attempt {attempt}"),
            )),
        }
    }

    /// Takes a mistaken answer, which must be to a question of the current operation or to the
    /// question who they are.
    fn take_mistaken(&self, op: &str, attempt: u32, question: &str) -> Result<(), Fault> {
        self.at_hand(op, Some(attempt))?;
        self.may_speak()?;
        let asked = match self.graph().op(op).map(|op| &op.act) {
            Some(Act::People(act)) => self.facts(act)?,
            Some(Act::Token(_) | Act::Seal) | None => Vec::new(),
        };
        if question == WHO || asked.iter().any(|fact| fact.name == question) {
            return Ok(());
        }
        let names: Vec<&str> = asked.iter().map(|fact| fact.name).chain([WHO]).collect();
        let names = names.join(", ");
        Err(Fault::new(
            RuleId::S_ANSWER,
            says!("次のいずれか: {names}", "one of {names}"),
            Bilingual::plain(question),
        ))
    }

    fn take_noted(&mut self, head: Digest, by: &[Name]) -> Result<(), Fault> {
        if !matches!(self.next(), Next::Note(..)) {
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), Bilingual::plain("Noted")));
        }
        if head != self.head {
            let (asked, found) = (Bilingual::plain(self.head), Bilingual::plain(head));
            return Err(Fault::new(RuleId::S_NOTED, asked, found));
        }
        self.participants(by)?;
        self.noted = Some(Noted { head, record: self.number, after: self.due });
        Ok(())
    }

    fn take_deviation(&self, op: &str, reason: &str, by: &[Name]) -> Result<(), Fault> {
        self.at_hand(op, None)?;
        self.may_speak()?;
        ask::words(reason)?;
        self.participants(by)?;
        self.may_say(by)
    }

    fn take_closed(&mut self, at: Instant, end: End) -> Result<(), Fault> {
        if self.next() != Next::Close(end) {
            let found = Bilingual::plain(format_args!("Closed {end:?}"));
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), found));
        }
        self.closed = Some(end);
        self.ended_at = at;
        Ok(())
    }

    fn take_sealed(&mut self, bundle: Digest) -> Result<(), Fault> {
        if self.next() != Next::Seal {
            let found = Bilingual::plain(format_args!("Sealed {bundle}"));
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), found));
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

    /// Leaves an operation that is not done and is not asked any more.
    fn leave(&mut self, index: usize) {
        if let Some(state) = self.ops.get_mut(index) {
            state.done = true;
        }
    }

    /// Records that the attempt's numbers are never used again; the next attempt may follow.
    fn again(&mut self, index: usize) {
        self.pending = self.pending.filter(|i| *i != index);
        self.burn = self.burn.filter(|i| *i != index);
        self.doubt = self.doubt.filter(|i| *i != index);
        if let Some(state) = self.ops.get_mut(index) {
            state.attempt += 1;
        }
    }

    /// Returns the operation that a refusal or a deviation is about: the one that is asked now or
    /// would be asked next.
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
            // At the close, something may still be said, before everybody signs.
            Next::Close(_)
                if attempt.is_none()
                    && self.graph().op(op).is_some_and(|found| found.act == Act::Seal) =>
            {
                Ok(())
            }
            Next::Ask(..)
            | Next::Answer(..)
            | Next::Burn(..)
            | Next::Settle(..)
            | Next::Note(..)
            | Next::Pause
            | Next::Close(_)
            | Next::Seal
            | Next::Nothing
            | Next::Abandon => {
                Err(Fault::new(RuleId::S_ORDER, self.what_next(), Bilingual::plain(op)))
            }
        }
    }

    pub(super) fn participants(&self, by: &[Name]) -> Result<(), Fault> {
        let sorted = by.is_sorted_by(|a, b| a < b);
        if by.is_empty() || !sorted || !by.iter().all(|p| self.graph().people.contains_key(p)) {
            return Err(Fault::new(
                RuleId::R_AUTHN,
                says!("重複がなく順に並んだ参加者", "participants, each once, in order"),
                listed(by),
            ));
        }
        self.came(by)
    }

    /// Checks that at least two participants of two roles consent to a procedure of the script's
    /// annex.
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
            let asked = says!("役割の異なる 2 名", "two people of two roles");
            Err(Fault::new(RuleId::R_MULTI, asked, listed(by)))
        }
    }

    /// Words what may come next, for messages.
    pub(super) fn what_next(&self) -> Bilingual {
        match self.next() {
            Next::Ask(op, attempt) => asked_at(&op.name, attempt),
            Next::Answer(op, attempt) => answer_at(&op.name, attempt),
            Next::Burn(op, attempt) => {
                says!("Lost {}(試行 {attempt})", "Lost {} at attempt {attempt}", op.name)
            }
            Next::Settle(op, _) => says!(
                "{} の Adopted、OrphanRemoved 又は Lost",
                "Adopted, OrphanRemoved or Lost {}",
                op.name
            ),
            Next::Note(op, _) => {
                says!("Noted({} の後の記録の最新値)", "Noted, of the head after {}", op.name)
            }
            Next::Pause => says!("休憩の後の Resumed", "Resumed, after the break"),
            Next::Close(end) => Bilingual::plain(format_args!("Closed {end:?}")),
            Next::Seal => says!("封印", "the seal"),
            Next::Nothing => says!("これ以上の記録なし", "nothing more"),
            Next::Abandon => says!(
                "これ以上の記録なし(セレモニーは断念する)",
                "nothing more: the ceremony is to be abandoned"
            ),
        }
    }
}

/// The cause of an attempt that nobody answered before an interruption.
const INTERRUPTED: &str = "interrupted";

const fn none(_: ()) -> Vec<Check> {
    Vec::new()
}

fn order(asked: Bilingual, event: &Event) -> Fault {
    let found = Bilingual::plain(format_args!("{:?}", event.outcome()));
    Fault::new(RuleId::S_ORDER, asked, found)
}

fn asked_at(op: &str, attempt: u32) -> Bilingual {
    says!("Asked {op}(試行 {attempt})", "Asked {op} at attempt {attempt}")
}

fn answer_at(op: &str, attempt: u32) -> Bilingual {
    says!("{op} への回答(試行 {attempt})", "the answer to {op} at attempt {attempt}")
}

fn lost(op: &str) -> Bilingual {
    Bilingual::plain(format_args!("Lost {op}"))
}

fn remains() -> Bilingual {
    says!("鍵ペアの残存物", "remains of a key pair")
}

/// People by their ids.
fn listed(names: &[Name]) -> Bilingual {
    Bilingual::plain(names.iter().map(Name::as_str).collect::<Vec<_>>().join(" "))
}
