//! The transcript's line: one event, in canonical JSON, chained to the one before.
//!
//! Each line has the fields that CP/CPS 5.4.1 asks of an audit record: terminal, kind of event,
//! time, result, origin. A line is the canonical form (RFC 8785; integers and strings only) of its
//! content, so a reader writes each line again and compares: there is one way to write a record.
//!
//! **Deliberately absent:** any judgement. [`Run`](crate::run::Run) says which events may follow
//! which.

mod refuser;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

pub use self::refuser::Refuser;

use crate::certain::Certain as _;
use crate::hex::Digest;
use crate::name::Name;
use crate::time::Instant;
use crate::token::{KeyFacts, TokenAnswer};

/// What a journal, a transcript and a postscript consist of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// When it happened, said by the room.
    #[serde(with = "crate::time::text")]
    pub at: Instant,
    /// What happened.
    pub event: Event,
    /// The record's number, from 0.
    pub number: u64,
    /// Who or what caused it: identifiers of people, or `gishiki`, or `token`.
    pub origin: String,
    /// What became of it.
    pub result: Outcome,
    /// The terminal at which it happened.
    pub terminal: String,
}

/// The result of an event (CP/CPS 5.4.1 処理の結果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something begins.
    Begun,
    /// Done as asked.
    Done,
    /// Nobody knows; its numbers are burned.
    Lost,
    /// Refused, by people or by a rule.
    Refused,
    /// Written down, nothing more.
    Noted,
}

/// What may happen in a ceremony. Closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// The ceremony begins, on this plan, with these inputs.
    Opened(Opened),
    /// An operation is about to begin: durable before its effect.
    Asked(Attempt),
    /// Its answer: durable before anything else happens.
    Answered {
        /// Which operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// What was answered.
        answer: Answer,
    },
    /// Nobody knows whether the operation had its effect: its numbers are burned, and the next
    /// attempt may follow.
    Lost {
        /// Which operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// `interrupted`, or what the token said.
        cause: String,
    },
    /// A key pair in doubt was found complete on the token and is taken.
    Adopted {
        /// Which operation.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// What was read back.
        key: KeyFacts,
    },
    /// The remains of a key pair in doubt were destroyed, with the consent of people.
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
        /// Who refused; nobody where a rule did.
        by: Vec<Name>,
    },
    /// The machine refused what people typed: a wrong word, id or number. They are asked again.
    Mistaken {
        /// The operation at hand.
        op: String,
        /// Which attempt of it.
        attempt: u32,
        /// What was asked, by the question's name; [`WHO`] where they were asked who they are. What
        /// was typed and what would have been right are not recorded.
        question: String,
    },
    /// People say that a head stands on paper: from now on it counts.
    Noted {
        /// The head: the chain value of the record before this one.
        head: Digest,
        /// Who says so.
        by: Vec<Name>,
        /// How often the machine refused who said so. A record of its own would be another head.
        #[serde(default, skip_serializing_if = "is_zero")]
        mistaken: u32,
    },
    /// Something was not as the script has it; people say what and why, and go on.
    Deviation {
        /// The operation at hand.
        op: String,
        /// What was not as the script has it.
        reason: String,
        /// Who says so.
        by: Vec<Name>,
    },
    /// The ceremony goes on after an interruption.
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

/// The name of the question who confirms.
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
    /// Everything in the graph was done.
    Completed,
    /// It was stopped; nothing is handed out.
    Aborted,
}

/// Rehearsal, drill or the real thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Derived keys, stand-in people, planned clock.
    Rehearsal,
    /// A drill token, where a room says so.
    Drill,
    /// The CA's own token.
    Real,
}

/// The first record: what this ceremony is, by digests.
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
    /// Every input by name, with the digest of its canonical text or octets.
    pub inputs: BTreeMap<String, Digest>,
    /// The head of the ceremony before, and the digest of its postscript; absent at genesis.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub predecessor: Option<Predecessor>,
    /// The room.
    pub room: Place,
}

/// What the ceremony before left: the same two values as its slip of paper and the anchor have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Predecessor {
    /// The chain value of its transcript's last record.
    pub head: Digest,
    /// The chain value of its postscript's last record; [`GENESIS`] where there is none.
    pub postscript: Digest,
}

/// Where and with what a session of the ceremony is held. All of it is `rehearsal` in a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// The digest of the room file.
    pub room: String,
    /// The terminal's unique identifier.
    pub terminal: String,
    /// The version of the tool.
    pub tool: String,
    /// The identity of the live image, or `none`.
    pub image: String,
    /// The serial number of the token.
    pub token: String,
    /// The serial numbers of the other tokens, by the names that plans give them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spares: BTreeMap<Name, String>,
}

/// The serial number of a rehearsal token: the main one's, or a named one's.
#[must_use]
pub fn rehearsal_serial(spare: Option<&Name>) -> String {
    spare.map_or_else(|| "REHEARSAL".to_string(), |name| alloc::format!("REHEARSAL-{name}"))
}

impl Place {
    /// The place of every rehearsal on one token.
    #[must_use]
    pub fn rehearsal() -> Self {
        Self::rehearsal_with(core::iter::empty())
    }

    /// The place of every rehearsal in which these other tokens are used.
    #[must_use]
    pub fn rehearsal_with<'n>(spares: impl Iterator<Item = &'n Name>) -> Self {
        let word = || String::from("rehearsal");
        Self {
            room: word(),
            terminal: word(),
            tool: word(),
            image: word(),
            token: rehearsal_serial(None),
            spares: spares.map(|name| (name.clone(), rehearsal_serial(Some(name)))).collect(),
        }
    }

    /// Whether this is the place of a rehearsal, whichever tokens it uses.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        *self == Self::rehearsal_with(self.spares.keys())
    }

    /// The serial numbers of all tokens, the main one's first.
    pub fn serials(&self) -> impl Iterator<Item = &String> {
        core::iter::once(&self.token).chain(self.spares.values())
    }
}

/// The record with which an interrupted ceremony goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Resumed {
    /// Where and with what it goes on.
    pub room: Place,
    /// How many octets of a torn last line were cut off, on either medium.
    pub torn: u32,
    /// How many records were copied from one journal to the other: a token's answer at most, or all
    /// of them to a new medium.
    pub copied: u32,
    /// How many records stood on one medium only and were dropped: what people said there is asked
    /// again.
    pub dropped: u32,
    /// A refusal among those that were dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<LoneRefusal>,
    /// A journal that was put aside, because it did not replay or differed from the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Aside>,
    /// Who consented to a new medium in the place of one that is lost or was put aside; nobody if
    /// both were there.
    pub new_medium: Vec<Name>,
}

/// A refusal that stood on one medium only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LoneRefusal {
    /// The rule, or `people`.
    pub rule: Refuser,
    /// Why.
    pub reason: String,
    /// Who refused; nobody where a rule did.
    pub by: Vec<Name>,
    /// Who said that it does not hold: all who refused, or, of a rule's, two people of two roles.
    /// Nobody: it holds, and the ceremony stops.
    pub lifted: Vec<Name>,
}

impl LoneRefusal {
    /// Whether it stops the ceremony.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.lifted.is_empty()
    }
}

/// A journal that was put aside: it stays on its medium under another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Aside {
    /// SHA-256 of its octets.
    pub sha256: Digest,
    /// How many whole lines it had.
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
    /// Who answered, each once, in order.
    pub by: Vec<Name>,
    /// What they said, by the name of the question.
    pub facts: BTreeMap<String, String>,
}

/// Why a line is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not the JSON of a record.
    #[error("this line is no record: {0}")]
    Form(String),
    /// The JSON of a record, written in another way, or with a chain value that does not follow.
    #[error("this line is not what the record and the line before it give")]
    NotCanonical,
    /// The last line has no end.
    #[error("the last line is torn: it has no end")]
    Torn,
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

    /// The chain value after this record: SHA-256 over the one before and this record.
    #[must_use]
    pub fn chain(&self, before: Digest) -> Digest {
        Digest::of_parts("gishiki record v1", &[&before.0, self.canonical().as_bytes()])
    }

    /// The line, with its end.
    #[must_use]
    pub fn to_line(&self, chain: Digest) -> String {
        let mut line = canonical_json(&Line { chain, record: self.clone() });
        line.push('\n');
        line
    }

    /// Reads one line (without its end). Whether it is the canonical form of its content, chain
    /// value included, shows when it is written again.
    pub fn read(line: &str) -> Result<Self, RecordError> {
        let line: Line =
            serde_json::from_str(line).map_err(|error| RecordError::Form(error.to_string()))?;
        Ok(line.record)
    }
}

/// RFC 8785 for values of integers and strings whose keys are ASCII: keys sorted, no space, the
/// shortest escapes.
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

impl Event {
    /// The result that a record of this event carries.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Opened(_) | Self::Asked(_) | Self::Resumed(_) | Self::Sealed { .. } => {
                Outcome::Begun
            }
            Self::Answered { .. } | Self::Adopted { .. } | Self::OrphanRemoved { .. } => {
                Outcome::Done
            }
            Self::Lost { .. } => Outcome::Lost,
            Self::Refused { .. } | Self::Mistaken { .. } => Outcome::Refused,
            Self::Deviation { .. } | Self::Noted { .. } => Outcome::Noted,
            Self::Closed { end } => match end {
                End::Completed => Outcome::Done,
                End::Aborted => Outcome::Refused,
            },
        }
    }

    /// The origin that a record of this event carries.
    #[must_use]
    pub fn origin(&self) -> String {
        let people = |by: &[Name]| by.iter().map(Name::as_str).collect::<Vec<_>>().join(" ");
        let system = || String::from("gishiki");
        match self {
            Self::Answered { answer: Answer::People(said), .. } => people(&said.by),
            Self::Answered { answer: Answer::Token(_), .. } | Self::Adopted { .. } => {
                String::from("token")
            }
            Self::OrphanRemoved { by, .. }
            | Self::Deviation { by, .. }
            | Self::Noted { by, .. } => people(by),
            Self::Refused { by, .. } if !by.is_empty() => people(by),
            Self::Refused { .. }
            | Self::Opened(_)
            | Self::Asked(_)
            | Self::Lost { .. }
            | Self::Mistaken { .. }
            | Self::Resumed(_)
            | Self::Closed { .. }
            | Self::Sealed { .. } => system(),
        }
    }
}
