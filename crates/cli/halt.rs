//! The reasons why a command halts, and how far a ceremony had come when it did.

use std::path::{Path, PathBuf};

use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::verify::Refusal;
use ceremony::violation::Violation;

use crate::sources::{Sources, shown};

/// The exit code for a command line that cannot be followed; clap's own code, 2, is ours for a
/// violated plan.
pub(crate) const USAGE: u8 = 64;

/// The reason why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Halt {
    /// People refused; the ceremony was closed as aborted, or is to be abandoned.
    People(Bilingual),
    /// People interrupted the ceremony for a break; what they do before anybody leaves.
    Paused(Bilingual),
    /// The plan, the policy or the roster breaks rules.
    Violations(Box<Sources>, Vec<Violation>),
    /// A document beside a plan, such as a room or an anchor, is not of its form.
    Unread(Box<(PathBuf, Vec<u8>)>, Vec<Violation>),
    /// The token failed, or is not as it must be.
    Token(Fault),
    /// A sealed folder is refused.
    Verification(Refusal),
    /// The command line asks for something that cannot be done, such as a folder that is to be new
    /// and exists already. What can be done instead may be empty.
    Asked(Fault, Box<Bilingual>),
    /// A file, a folder or a medium is not as it must be.
    Media(Fault),
    /// The ceremony is interrupted and can be resumed.
    Interrupted(Fault),
    /// A sealed ceremony is consistent, but no anchor confirms that it is the CA's.
    NotAnchored(Bilingual),
    /// These ceremonies come after those that the anchor pins, and are not pinned themselves.
    NotPinned(Bilingual),
    /// Two plans differ in meaning; the differences were already printed.
    Differs,
    /// Something is overdue; the list was already printed.
    Overdue,
    /// A bug in gishiki: a fault that its own code should have made impossible.
    Bug(Fault),
    /// A bug in gishiki: a panic, whose place was already printed.
    Panicked,
    /// Another halt, during a ceremony. How far the ceremony had come determines what people can
    /// do.
    Held(Reached, Box<Self>),
    /// A halt whose message was already printed; only the exit code remains.
    Told(Box<Self>),
}

impl Halt {
    pub(crate) fn code(&self) -> u8 {
        match self {
            // A ceremony that was not begun cannot be resumed, so the code is 5 instead of 6.
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
            Self::Media(_) | Self::Unread(..) => 5,
            Self::Interrupted(_) | Self::Paused(_) => 6,
            Self::NotAnchored(_) | Self::NotPinned(_) => 7,
            Self::Differs => 8,
            Self::Overdue => 9,
            Self::Asked(..) => USAGE,
            Self::Bug(_) | Self::Panicked => 70,
            Self::Told(halt) => halt.code(),
        }
    }

    /// Adds the folder, of a ledger or a journal, in which a file is refused.
    pub(crate) fn in_folder(self, folder: &Path) -> Self {
        let Self::Verification(Refusal { place, fault }) = self else { return self };
        let folder = shown(folder);
        let place = says!(place; "{folder}/{place}", "{folder}/{place}");
        Self::Verification(Refusal { place, fault })
    }

    /// Adds how far the ceremony had come.
    pub(crate) fn held(self, reached: Reached) -> Self {
        if matches!(self, Self::Held(..)) {
            return self;
        }
        Self::Held(reached, Box::new(self))
    }

    /// Returns the halt for a document that is read for itself and is not of its form.
    pub(crate) fn unread(
        path: impl Into<PathBuf>,
        octets: &[u8],
    ) -> impl FnOnce(Vec<Violation>) -> Self {
        let document = Box::new((path.into(), octets.to_vec()));
        |violations| Self::Unread(document, violations)
    }

    /// Returns the halt for a command line that cannot be followed, with what to do instead.
    pub(crate) fn asked(
        rule: RuleId,
        asked: impl Into<Bilingual>,
        found: impl Into<Bilingual>,
        advice: impl Into<Bilingual>,
    ) -> Self {
        Self::Asked(Fault::new(rule, asked, found), Box::new(advice.into()))
    }

    /// Returns the halt for a file or medium that is not as required.
    pub(crate) fn media(
        rule: RuleId,
        asked: impl Into<Bilingual>,
        found: impl Into<Bilingual>,
    ) -> Self {
        Self::Media(Fault::new(rule, asked, found))
    }
}

/// How far a ceremony had come when it was halted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reached {
    /// No record of the ceremony is durable.
    Nothing,
    /// No record of the ceremony is durable, and these folders hold something else.
    Taken(Vec<PathBuf>),
    /// The ceremony has begun: its journals have records.
    Begun,
    /// People interrupted the ceremony for a break.
    Paused,
    /// People or a rule stopped the ceremony, and an audit key can seal it as aborted.
    Stopped,
    /// The ceremony stopped before there was an audit key.
    Unsealable,
    /// The ceremony is sealed but not written out yet.
    Sealed,
    /// The ceremony is abandoned; its record may not be written out yet.
    GivenUp,
    /// The two journals differ, or one of them does not replay; any one of these folders may be
    /// left out.
    Unlike(Vec<PathBuf>),
}
