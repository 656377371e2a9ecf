//! A line of the transcript: one event in canonical JSON, chained to the line before.
//!
//! Each line has the fields that CP/CPS 5.4.1 asks of an audit record: terminal, kind of event,
//! time, result, origin. There is exactly one way to write a record: the canonical form (RFC 8785;
//! integers and strings only). A reader writes each line again and compares.
//!
//! **Deliberately absent:** any judgement. [`Run`](crate::run::Run) decides which events may follow
//! which.

mod error;
mod event;
mod place;
mod refuser;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use self::refuser::Refuser;
pub use error::RecordError;
pub use place::{BootEvent, BootKind, NO_IMAGE, Place, rehearsal_serial};

use crate::certain::Certain as _;
use crate::hex::{Digest, Octets};
use crate::name::Name;
use crate::time::Instant;
use crate::token::{KeyFacts, TokenAnswer};

/// One record of a journal, a transcript or a postscript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// When it happened, by the clock of the room.
    #[serde(with = "crate::time::text")]
    pub at: Instant,
    /// What happened.
    pub event: Event,
    /// The record's number, from 0.
    pub number: u64,
    /// Who or what caused it: identifiers of people, or `gishiki`, or `token`.
    pub origin: String,
    /// The result.
    pub result: Outcome,
    /// The signatures of people on this event, by person (see [`ToSign`](crate::run::ToSign)).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signed: Signatures,
    /// The terminal at which it happened.
    pub terminal: String,
}

/// Raw signatures (r ‖ s) of people on one event, by person.
pub type Signatures = BTreeMap<Name, Octets>;

/// The result of an event (CP/CPS 5.4.1 処理の結果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something begins.
    Begun,
    /// Done as asked.
    Done,
    /// The outcome is unknown; its serial or CRL numbers are never used again.
    Lost,
    /// Refused, by people or by a rule.
    Refused,
    /// Recorded without further effect.
    Noted,
}

/// An event of a ceremony. The list is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// The ceremony begins on this plan with these inputs.
    Opened(Opened),
    /// An operation is about to begin. The record is durable before the operation has an effect.
    Asked(Attempt),
    /// An operation was answered. The record is durable before anything else happens.
    Answered {
        /// Which operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// What was answered.
        answer: Answer,
    },
    /// It is unknown whether the operation had its effect. The attempt's serial or CRL numbers are
    /// never used again, and another attempt may follow.
    Lost {
        /// Which operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// `interrupted`, or the error that the token returned.
        cause: String,
    },
    /// A key pair from an attempt of unknown outcome was found complete and is adopted.
    Adopted {
        /// Which operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// The key's properties as read from the token.
        key: KeyFacts,
    },
    /// An incomplete key pair from such an attempt was destroyed, with the consent of people.
    OrphanRemoved {
        /// Which operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// What was found.
        found: KeyFacts,
        /// Who consented.
        by: Vec<Name>,
    },
    /// An operation was refused; the ceremony stops.
    Refused {
        /// Which operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// The rule, or `people`.
        rule: Refuser,
        /// Why.
        reason: String,
        /// The people who refused; empty where a rule did.
        by: Vec<Name>,
    },
    /// The machine rejected what people typed: a wrong word, id or number. They are asked again.
    Mistaken {
        /// The current operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// The name of the question; [`WHO`] where they were asked who they are. Neither the wrong
        /// answer nor the right one is recorded.
        question: String,
    },
    /// People confirm that they wrote a head on paper. From now on it is binding.
    Noted {
        /// The head: the chain value of the record before this one.
        head: Digest,
        /// The people who confirm it.
        by: Vec<Name>,
        /// How often the machine rejected an answer to the question who confirms. It is counted
        /// here because a separate record would change the head.
        #[serde(default, skip_serializing_if = "is_zero")]
        mistaken: u32,
    },
    /// Something differed from the script; people describe it and go on.
    Deviation {
        /// The current operation.
        op: String,
        /// What differed from the script.
        reason: String,
        /// The people who describe it.
        by: Vec<Name>,
    },
    /// People interrupt the ceremony for a break: the session ends, and these stay with everything
    /// that is secured until the next one.
    Paused {
        /// The current operation. It is asked again.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// Why.
        reason: String,
        /// The people who stay: two of two roles, or more.
        by: Vec<Name>,
    },
    /// A person's card does not sign. What this person does from now on is stated, not proved.
    CardFailed {
        /// Whose card it is.
        person: Name,
        /// What it did.
        reason: String,
        /// Two people of two roles who state this, and sign it with their own cards.
        by: Vec<Name>,
    },
    /// The ceremony is resumed after an interruption.
    Resumed(Resumed),
    /// The ceremony ends; the seal follows.
    Closed {
        /// How.
        end: End,
    },
    /// The postscript begins, after the seal.
    Sealed {
        /// SHA-256 of the bundle.
        bundle: Digest,
    },
}

/// The name of the question "who confirms?".
pub const WHO: &str = "by";

/// One attempt of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which operation.
    pub op: String,
    /// Which attempt of it, from 0.
    pub attempt: u32,
}

/// How a ceremony ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Every operation of the graph before the seal was done.
    Completed,
    /// It was stopped; no certificate or CRL is released.
    Aborted,
}

/// The kind of a ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A rehearsal: publicly derivable keys, simulated people, the planned times as the clock.
    Rehearsal,
    /// A drill: a token that the room file marks as a drill token.
    Drill,
    /// A real ceremony: the CA's own token.
    Real,
}

/// The content of the first record: identifies the ceremony by digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Opened {
    /// The format of plan, graph, bindings and transcript.
    pub format: u32,
    /// Rehearsal, drill or real.
    pub mode: Mode,
    /// The ceremony's name.
    pub ceremony: Name,
    /// The graph's id.
    pub graph: Digest,
    /// The bindings' id.
    pub bindings: Digest,
    /// The digest of every input's canonical text or octets, by name.
    pub inputs: BTreeMap<String, Digest>,
    /// The heads of the ceremony before; absent in the first ceremony of a ledger.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub predecessor: Option<Predecessor>,
    /// The approvals of the plan, by person.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub approvals: BTreeMap<Name, Approved>,
    /// The room.
    pub room: Place,
}

/// A person's approval of a plan before the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// When it was made, by the clock of whoever approved.
    #[serde(with = "crate::time::text")]
    pub at: Instant,
    /// The raw signature (r ‖ s) by the person's card.
    pub signed: Octets,
}

/// The heads of the ceremony before: the two values that its paper slip and the anchor also have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Predecessor {
    /// The chain value of its transcript's last record.
    pub head: Digest,
    /// The chain value of its postscript's last record; [`GENESIS`] where there is none.
    pub postscript: Digest,
}

/// The content of the record that resumes an interrupted ceremony.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Resumed {
    /// The place of the new session.
    pub room: Place,
    /// How many octets of an incomplete last line were cut off, on either medium.
    pub torn: u32,
    /// How many records were copied from one journal to the other: at most one, with a token's
    /// answer, or all of them to a new medium.
    pub copied: u32,
    /// How many records were on one medium only and were dropped. What people answered in them is
    /// asked again.
    pub dropped: u32,
    /// The refusal among the dropped records, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<LoneRefusal>,
    /// The journal that was set aside because it did not replay or differed from the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Aside>,
    /// The people who consented to a new medium in place of one that was lost or whose journal was
    /// set aside; empty if both media were present.
    pub new_medium: Vec<Name>,
}

/// A refusal that was recorded on one medium only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LoneRefusal {
    /// The rule, or `people`.
    pub rule: Refuser,
    /// Why.
    pub reason: String,
    /// The people who refused; empty where a rule did.
    pub by: Vec<Name>,
    /// The people who lifted it: all who refused, or two people of two roles where a rule refused.
    /// If empty, the refusal holds and the ceremony stops.
    pub lifted: Vec<Name>,
}

impl LoneRefusal {
    /// Whether the refusal holds and so stops the ceremony.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.lifted.is_empty()
    }
}

/// A journal that was set aside; it stays on its medium under another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Aside {
    /// SHA-256 of its octets.
    pub sha256: Digest,
    /// The number of its complete lines.
    pub records: u32,
}

/// What people or the token answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum Answer {
    /// People.
    People(Said),
    /// The token.
    Token(TokenAnswer),
}

/// What people answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The people who answered: each once, in the order of their names.
    pub by: Vec<Name>,
    /// Their answers, by the name of the question.
    pub facts: BTreeMap<String, String>,
}

/// What a line holds: the record and its chain value.
#[derive(Serialize, Deserialize)]
struct Line {
    chain: Digest,
    #[serde(flatten)]
    record: Record,
}

impl Record {
    /// The record's canonical JSON, without its chain value.
    fn canonical(&self) -> String {
        canonical_json(self)
    }

    /// The chain value after this record: SHA-256 over the chain value before it and this record.
    #[must_use]
    pub fn chain(&self, before: Digest) -> Digest {
        Digest::of_parts("gishiki record v1", &[&before.0, self.canonical().as_bytes()])
    }

    /// The record as a line of a file, with the line feed.
    #[must_use]
    pub fn to_line(&self, chain: Digest) -> String {
        let mut line = canonical_json(&Line { chain, record: self.clone() });
        line.push('\n');
        line
    }

    /// Reads one line, without its line feed.
    ///
    /// It does not check that the line is canonical or that its chain value follows. The caller
    /// writes the record again and compares.
    ///
    /// # Errors
    /// [`RecordError::Form`].
    pub fn read(line: &str) -> Result<Self, RecordError> {
        let line: Line =
            serde_json::from_str(line).map_err(|error| RecordError::Form(error.to_string()))?;
        Ok(line.record)
    }
}

/// Serialises to RFC 8785 JSON: keys sorted, no spaces, shortest escapes.
///
/// Correct only for values of integers and strings with ASCII keys.
pub(crate) fn canonical_json<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .certain("our types have string keys, integers and strings")
        .to_string()
}

/// The chain value before the first record.
pub const GENESIS: Digest = Digest([0; 32]);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}
