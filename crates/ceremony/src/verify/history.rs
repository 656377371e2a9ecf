//! What happened in a ceremony that its result does not show: who answered, which sessions it took,
//! and everything that was not as planned.
//!
//! A fold over the records that replay reads. It judges nothing: replay does, on the same records.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::name::Name;
use crate::record::{Answer, Event, Mode, Place, Record, Refuser, Resumed, WHO};
use crate::time::Instant;
use crate::token::{TokenAnswer, TokenIdentity};

/// What the token says where a PIN was wrong.
const WRONG_PIN: &str = "CKR_PIN_INCORRECT";

/// What happened in a ceremony, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Rehearsal, drill or real.
    pub mode: Option<Mode>,
    /// Where each session was held, the first one first, with the time at which it began.
    pub sessions: Vec<(Instant, Place)>,
    /// The time of the last record.
    pub ended: Option<Instant>,
    /// Every operation that was answered, with the people who answered it by session, from 0; of a
    /// token, nobody.
    pub answered: BTreeMap<String, BTreeMap<usize, BTreeSet<Name>>>,
    /// Who said that a head is on paper.
    pub noted: BTreeSet<Name>,
    /// The session in which each operation was asked last.
    asked: BTreeMap<String, usize>,
    /// What the tokens said of themselves, by serial number.
    pub tokens: BTreeMap<String, TokenIdentity>,
    /// What was not as planned.
    pub happened: Vec<Happening>,
    /// The operation that was answered or refused last.
    at_hand: String,
}

/// Something that was not as planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When it was recorded.
    pub at: Instant,
    /// What it was.
    pub what: What,
}

/// What can happen. Closed: a verdict has words for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Something was not as the script has it.
    Deviation {
        /// The operation at hand.
        op: String,
        /// What people said of it.
        reason: String,
        /// Who said so.
        by: Vec<Name>,
    },
    /// The ceremony was stopped.
    Refused {
        /// The operation at hand.
        op: String,
        /// The rule, or `people`.
        rule: Refuser,
        /// Why.
        reason: String,
        /// Who refused; nobody where a rule did.
        by: Vec<Name>,
    },
    /// It went on after an interruption.
    Interrupted {
        /// The time of the last record before it.
        since: Instant,
        /// The record with which it went on.
        resumed: Box<Resumed>,
    },
    /// A PIN was wrong.
    WrongPin {
        /// The login.
        op: String,
    },
    /// The machine refused what people typed.
    Mistaken {
        /// The operation.
        op: String,
        /// What was asked.
        question: String,
    },
    /// Nobody knows what became of an attempt; its numbers are burned.
    Lost {
        /// The operation.
        op: String,
        /// Which attempt of it, from 0.
        attempt: u32,
        /// Why.
        cause: String,
    },
    /// A key pair in doubt was found complete, and taken.
    Adopted {
        /// The operation.
        op: String,
    },
    /// The remains of a key pair were removed from the token.
    Removed {
        /// The operation.
        op: String,
        /// Who consented.
        by: Vec<Name>,
    },
}

impl History {
    /// Takes the next record.
    pub fn take(&mut self, record: &Record) {
        let since = self.ended.unwrap_or(record.at);
        self.ended = Some(record.at);
        let what = match &record.event {
            Event::Opened(opened) => {
                self.mode = Some(opened.mode);
                self.sessions.push((record.at, opened.room.clone()));
                return;
            }
            Event::Answered { op, answer, .. } => return self.take_answer(op, answer),
            Event::Lost { op, cause, .. } if cause.contains(WRONG_PIN) => {
                What::WrongPin { op: op.clone() }
            }
            Event::Lost { op, attempt, cause } => {
                What::Lost { op: op.clone(), attempt: *attempt, cause: cause.clone() }
            }
            Event::Asked(asked) => {
                self.asked.insert(asked.op.clone(), self.session());
                return;
            }
            Event::Noted { by, mistaken, .. } => {
                self.noted.extend(by.iter().cloned());
                return self.take_mistaken(record.at, *mistaken);
            }
            Event::Adopted { op, .. } => {
                // It was made in the session that asked for it.
                self.people_of(op);
                What::Adopted { op: op.clone() }
            }
            Event::OrphanRemoved { op, by, .. } => What::Removed { op: op.clone(), by: by.clone() },
            Event::Refused { op, rule, reason, by, .. } => {
                self.at_hand.clone_from(op);
                What::Refused {
                    op: op.clone(),
                    rule: *rule,
                    reason: reason.clone(),
                    by: by.clone(),
                }
            }
            Event::Deviation { op, reason, by } => {
                What::Deviation { op: op.clone(), reason: reason.clone(), by: by.clone() }
            }
            Event::Resumed(resumed) => {
                self.sessions.push((record.at, resumed.room.clone()));
                What::Interrupted { since, resumed: Box::new(resumed.clone()) }
            }
            Event::Mistaken { op, question, .. } => {
                What::Mistaken { op: op.clone(), question: question.clone() }
            }
            Event::Closed { .. } | Event::Sealed { .. } => return,
        };
        self.happened.push(Happening { at: record.at, what });
    }

    /// Which session it is, from 0.
    fn session(&self) -> usize {
        self.sessions.len().saturating_sub(1)
    }

    /// Who answered this operation in the session in which it was asked.
    fn people_of(&mut self, op: &str) -> &mut BTreeSet<Name> {
        let session = self.asked.get(op).copied().unwrap_or_else(|| self.session());
        self.answered.entry(op.into()).or_default().entry(session).or_default()
    }

    fn take_answer(&mut self, op: &str, answer: &Answer) {
        self.at_hand = op.into();
        let people = self.people_of(op);
        match answer {
            Answer::People(said) => people.extend(said.by.iter().cloned()),
            Answer::Token(TokenAnswer::Identity(identity)) => {
                self.tokens.insert(identity.serial.clone(), identity.clone());
            }
            Answer::Token(_) => {}
        }
    }

    /// Wrong answers to who noted a head: after the operation that was answered last.
    fn take_mistaken(&mut self, at: Instant, count: u32) {
        for _ in 0..count {
            let (op, question) = (self.at_hand.clone(), WHO.to_string());
            self.happened.push(Happening { at, what: What::Mistaken { op, question } });
        }
    }

    /// Whether everything was as planned.
    #[must_use]
    pub fn is_as_planned(&self) -> bool {
        self.happened.is_empty()
    }
}
