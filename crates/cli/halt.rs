//! Why a command did not do what it was asked, and how far a ceremony had come.

use std::path::{Path, PathBuf};

use ceremony::fault::Fault;
use ceremony::rule::RuleId;
use ceremony::seal::{JOURNAL_FILE, TRANSCRIPT_FILE};
use ceremony::verify::Refusal;
use ceremony::violation::Violation;

use crate::sources::{Sources, shown};

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Halt {
    /// People refused; the ceremony was closed as aborted, or is to be abandoned.
    People(String),
    /// The plan, the policy or the roster breaks rules.
    Violations(Box<Sources>, Vec<Violation>),
    /// The token failed, or is not as it must be.
    Token(Fault),
    /// A sealed folder is refused.
    Verification(Refusal),
    /// A file, a folder or a medium is not as it must be.
    Media(Fault),
    /// The ceremony is interrupted and can be resumed.
    Interrupted(Fault),
    /// Everything fits together, but nothing says that it is the CA's.
    NotAnchored(String),
    /// These ceremonies follow on what the anchor pins, and are not pinned themselves.
    NotPinned(String),
    /// Two plans do not mean the same; what differs was printed.
    Differs,
    /// Something is overdue; what is, was printed.
    Overdue,
    /// Our bug: what our own code should have made impossible.
    Bug(Fault),
    /// Our bug: a panic, which has said where.
    Panicked,
    /// One of the others, while a ceremony was held: how far it had come says what can be done.
    Held(Reached, Box<Self>),
    /// People were told already; the code is left to give.
    Told(Box<Self>),
}

impl Halt {
    pub(crate) fn code(&self) -> u8 {
        match self {
            // What was not begun cannot be resumed.
            Self::Held(Reached::Nothing | Reached::Taken(_), halt)
                if matches!(**halt, Self::Interrupted(_)) =>
            {
                5
            }
            Self::Held(_, halt) => halt.code(),
            Self::People(_) => 1,
            Self::Violations(..) => 2,
            Self::Token(_) => 3,
            Self::Verification(_) => 4,
            Self::Media(_) => 5,
            Self::Interrupted(_) => 6,
            Self::NotAnchored(_) | Self::NotPinned(_) => 7,
            Self::Differs => 8,
            Self::Overdue => 9,
            Self::Bug(_) | Self::Panicked => 70,
            Self::Told(halt) => halt.code(),
        }
    }

    /// Says in which folder of a ledger a sealed file is refused.
    pub(crate) fn in_folder(self, folder: &Path) -> Self {
        let Self::Verification(refusal) = self else { return self };
        let place = format!("{}/{}", shown(folder), refusal.place);
        Self::Verification(Refusal { place, ..refusal })
    }

    /// Says in which journal a record is refused, by the name that its file has there.
    pub(crate) fn in_journal(self, folder: &Path) -> Self {
        let Self::Verification(Refusal { place, fault }) = self else { return self };
        let place = match place.strip_prefix(TRANSCRIPT_FILE) {
            Some(line) => format!("{JOURNAL_FILE}{line}"),
            None => place,
        };
        Self::Verification(Refusal { place, fault }).in_folder(folder)
    }

    /// Says how far the ceremony had come.
    pub(crate) fn held(self, reached: Reached) -> Self {
        if matches!(self, Self::Held(..)) {
            return self;
        }
        Self::Held(reached, Box::new(self))
    }

    /// A file or medium is not as it must be.
    pub(crate) fn media(rule: RuleId, asked: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Media(Fault { rule, asked: asked.into(), found: found.into() })
    }
}

/// How far a ceremony had come when something stopped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reached {
    /// No record of it is durable.
    Nothing,
    /// No record of it is durable, and these folders hold something else.
    Taken(Vec<PathBuf>),
    /// It is in its journals.
    Begun,
    /// People or a rule have stopped it, and an audit key can seal that.
    Stopped,
    /// It has stopped before there was an audit key.
    Unsealable,
    /// It is sealed, and not yet written out.
    Sealed,
    /// It is given up, and its record is not yet written out.
    GivenUp,
    /// It is in journals that differ, or of which one could not have happened: one of these folders
    /// may be left out.
    Unlike(Vec<PathBuf>),
}
