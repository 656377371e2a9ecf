//! The history of a ceremony: who answered, in which sessions, and everything that did not go as
//! planned.
//!
//! It is a fold over the records that replay reads. It judges nothing; replay judges the same
//! records.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::name::Name;
use crate::record::{Answer, Approved, Event, Mode, Place, Record, Refuser, Resumed, WHO};
use crate::time::Instant;
use crate::token::{TokenAnswer, TokenIdentity, is_of_wrong_pin};
use crate::violation::Input;

/// What happened in a ceremony, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Rehearsal, drill or real.
    pub mode: Option<Mode>,
    /// The sessions in order: the time at which each began, and where it was held.
    pub sessions: Vec<(Instant, Place)>,
    /// The time of the last record.
    pub ended: Option<Instant>,
    /// The people who answered each operation, by operation and by session, counted from 0. The set
    /// is empty where a token answered.
    pub answered: BTreeMap<String, BTreeMap<usize, BTreeSet<Name>>>,
    /// Whether the plan was approved by somebody before the day.
    pub is_approved: bool,
    /// Whether it was a real ceremony of a CA that has a release of the program.
    pub is_released: bool,
    /// The people who confirmed that a head was written on paper.
    pub noted: BTreeSet<Name>,
    /// The people who are on record with something that no signature of theirs covers, because it
    /// comes after their last one.
    pub unsigned: BTreeSet<Name>,
    /// The session in which each operation was last asked.
    asked: BTreeMap<String, usize>,
    /// The identity that each token reported, by serial number.
    pub tokens: BTreeMap<String, TokenIdentity>,
    /// Everything that people did, in order.
    pub acts: Vec<Deed>,
    /// Everything that did not go as planned.
    pub happened: Vec<Happening>,
    /// The operation that was last answered or refused.
    at_hand: String,
    /// Whether the session was interrupted for a break.
    is_paused: bool,
}

/// One record of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// When it was recorded; of an approval, when it was made.
    pub at: Instant,
    /// The operation, or the kind of the event.
    pub what: String,
    /// The people whom it names, and those who signed it.
    pub by: BTreeSet<Name>,
    /// Those who signed it.
    pub signed: BTreeSet<Name>,
}

/// One thing that did not go as planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When it was recorded.
    pub at: Instant,
    /// What it was.
    pub what: What,
}

/// What can go otherwise than planned. The list is closed: a verdict has a sentence for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Something differed from the script.
    Deviation {
        /// The current operation.
        op: String,
        /// The description that people gave.
        reason: String,
        /// The people who gave it.
        by: Vec<Name>,
    },
    /// The ceremony was stopped.
    Refused {
        /// The current operation.
        op: String,
        /// The rule that refused, or `people`.
        rule: Refuser,
        /// Why.
        reason: String,
        /// The people who refused; empty where a rule did.
        by: Vec<Name>,
    },
    /// The ceremony was interrupted and resumed.
    Interrupted {
        /// The time of the last record before the interruption.
        since: Instant,
        /// The record that resumed the ceremony.
        resumed: Box<Resumed>,
        /// Whether it was interrupted for a break, which people had announced.
        is_break: bool,
    },
    /// People interrupted the ceremony for a break.
    Paused {
        /// The current operation.
        op: String,
        /// Why.
        reason: String,
        /// Who stayed.
        by: Vec<Name>,
    },
    /// A PIN was wrong.
    WrongPin {
        /// The login operation.
        op: String,
    },
    /// The machine rejected what people typed.
    Mistaken {
        /// The operation.
        op: String,
        /// The name of the question.
        question: String,
    },
    /// The outcome of an attempt is unknown; its serial or CRL numbers are never used again.
    Lost {
        /// The operation.
        op: String,
        /// Which attempt of it, from 0.
        attempt: u32,
        /// Why.
        cause: String,
    },
    /// A key pair from an attempt of unknown outcome was found complete and was adopted.
    Adopted {
        /// The operation.
        op: String,
    },
    /// A person's card did not sign.
    CardFailed {
        /// Whose card it is.
        person: Name,
        /// What it did.
        reason: String,
        /// Who states it.
        by: Vec<Name>,
    },
    /// An incomplete key pair was removed from the token.
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
        self.take_deed(record);
        // A signature covers every record before it, and its own.
        self.unsigned.extend(record.event.people().iter().cloned());
        self.unsigned.retain(|person| !record.signed.contains_key(person));
        let what = match &record.event {
            Event::Opened(opened) => {
                self.mode = Some(opened.mode);
                self.is_approved = !opened.approvals.is_empty();
                let release = Input::Release.to_string();
                self.is_released =
                    opened.mode == Mode::Real && opened.inputs.contains_key(&release);
                self.sessions.push((record.at, opened.room.clone()));
                return;
            }
            Event::Answered { op, answer, .. } => return self.take_answer(op, answer),
            Event::Lost { op, cause, .. } if is_of_wrong_pin(cause) => {
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
                // The key was made in the session that asked for it.
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
            Event::Paused { op, reason, by, .. } => {
                self.is_paused = true;
                What::Paused { op: op.clone(), reason: reason.clone(), by: by.clone() }
            }
            Event::CardFailed { person, reason, by } => {
                What::CardFailed { person: person.clone(), reason: reason.clone(), by: by.clone() }
            }
            Event::Resumed(resumed) => {
                self.sessions.push((record.at, resumed.room.clone()));
                let is_break = core::mem::take(&mut self.is_paused);
                What::Interrupted { since, resumed: Box::new(resumed.clone()), is_break }
            }
            Event::Mistaken { op, question, .. } => {
                What::Mistaken { op: op.clone(), question: question.clone() }
            }
            Event::Closed { .. } | Event::Sealed { .. } => return,
        };
        self.happened.push(Happening { at: record.at, what });
    }

    fn take_deed(&mut self, record: &Record) {
        if let Event::Opened(opened) = &record.event {
            let deed = |(person, approved): (&Name, &Approved)| {
                let by = BTreeSet::from([person.clone()]);
                Deed { at: approved.at, what: "approved".into(), signed: by.clone(), by }
            };
            self.acts.extend(opened.approvals.iter().map(deed));
            self.acts.sort_by_key(|deed| deed.at);
        }
        let signed: BTreeSet<Name> = record.signed.keys().cloned().collect();
        let by: BTreeSet<Name> = record.event.people().iter().chain(&signed).cloned().collect();
        if !by.is_empty() {
            let what = record.event.named().into();
            self.acts.push(Deed { at: record.at, what, by, signed });
        }
    }

    /// The number of the current session, from 0.
    fn session(&self) -> usize {
        self.sessions.len().saturating_sub(1)
    }

    /// The people who answered this operation in the session in which it was asked.
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

    /// Adds the rejected answers to the question who noted a head. They are listed under the
    /// operation that was answered last.
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
