//! How a run takes a refusal: who may refuse what, and what becomes of the run.

use alloc::string::ToString as _;

use super::super::{ATTEMPTS, Book, Next, Run, Stop, ask};
use crate::fault::Fault;
use crate::graph::{Act, Phase, TokenAct};
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::{Attempt, Refuser};
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;

impl Run {
    /// Checks whether this rule can refuse what is at hand. A rule judges what a token answered or
    /// left; before a question, only the window (S-WINDOW) and the number of attempts (S-ATTEMPTS)
    /// can stop a ceremony. What people are asked is refused by people, who sign it. After the seal
    /// no rule refuses anything.
    pub(super) fn may_refuse(&self, at: Instant, refuser: Refuser) -> Result<(), Fault> {
        let Refuser::Rule(rule) = refuser else { return self.may_speak() };
        let (_, until) = self.graph().window;
        let may = match self.next() {
            Next::Ask(op, attempt) => {
                let asked = Attempt { op: op.name.clone(), attempt };
                let late = rule == RuleId::S_WINDOW && at > until;
                let exhausted = rule == RuleId::S_ATTEMPTS && self.is_exhausted(&asked);
                let goes_on = self.book == Book::Transcript && self.stopped.is_none();
                goes_on && (late || exhausted)
            }
            Next::Answer(op, _) | Next::Settle(op, _) => {
                let before_a_question = matches!(rule, RuleId::S_WINDOW | RuleId::S_ATTEMPTS);
                let of_token = matches!(op.act, Act::Token(_)) && !before_a_question;
                of_token && self.book == Book::Transcript
            }
            Next::Burn(..)
            | Next::Note(..)
            | Next::Pause
            | Next::Close(_)
            | Next::Seal
            | Next::Nothing
            | Next::Abandon => false,
        };
        if may {
            return Ok(());
        }
        let asked = says!(
            "人の中止の申し出、又はトークンの答えの規則による拒否",
            "a refusal by people, or a rule's refusal of what a token answered"
        );
        Err(Fault::new(RuleId::S_REFUSED, asked, Bilingual::plain(rule)))
    }

    /// Whether a refusal on one medium only could have followed these records: a rule's one of what
    /// a token was asked, or before the next question.
    pub(super) fn may_have_refused(&self, at: Instant, refuser: Refuser) -> bool {
        let (_, until) = self.graph().window;
        let asked = self.pending.or(self.doubt).and_then(|index| self.op_at(index));
        match refuser {
            Refuser::People => true,
            Refuser::Rule(RuleId::S_WINDOW) => at > until,
            Refuser::Rule(RuleId::S_ATTEMPTS) => {
                self.ops.iter().any(|state| state.attempt >= ATTEMPTS)
            }
            Refuser::Rule(_) => asked.is_some_and(|op| matches!(op.act, Act::Token(_))),
        }
    }

    /// Checks that people can say something now: while they are asked. Before a question that is
    /// only whether a failed key generation is attempted once more.
    pub(super) fn may_speak(&self) -> Result<(), Fault> {
        match self.next() {
            Next::Ask(op, attempt) => match &op.act {
                Act::Token(TokenAct::Generate { .. }) if attempt > 0 => Ok(()),
                Act::People(_) | Act::Token(_) | Act::Seal => {
                    let found = says!("{} の前の発言", "words before {}", op.name);
                    Err(Fault::new(RuleId::S_ORDER, self.what_next(), found))
                }
            },
            Next::Answer(..)
            | Next::Burn(..)
            | Next::Settle(..)
            | Next::Note(..)
            | Next::Pause
            | Next::Close(_)
            | Next::Seal
            | Next::Nothing
            | Next::Abandon => Ok(()),
        }
    }

    /// Checks who refuses: people give their names, a rule has none.
    pub(super) fn who_refuses(
        &self,
        refuser: Refuser,
        reason: &str,
        by: &[Name],
    ) -> Result<(), Fault> {
        ask::words(reason)?;
        match refuser {
            Refuser::People => self.participants(by).and_then(|()| self.may_say(by)),
            Refuser::Rule(_) if by.is_empty() => Ok(()),
            Refuser::Rule(rule) => {
                let asked = says!(
                    "名を伴う `people`、又は名のない規則",
                    "`people` with names, or a rule without"
                );
                let found = says!("名を伴う {rule}", "{rule} with names");
                Err(Fault::new(RuleId::S_REFUSED, asked, found))
            }
        }
    }

    pub(super) fn take_refused(
        &mut self,
        rule: Refuser,
        reason: &str,
        by: &[Name],
    ) -> Result<(), Fault> {
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
}
