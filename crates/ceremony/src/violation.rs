//! A broken rule of a plan: which, where, what was asked, what was found, what to do.

use alloc::string::{String, ToString};
use core::fmt;
use core::ops::Range;

use crate::rule::RuleId;

/// One of the documents that gishiki reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// `plan.toml`
    Plan,
    /// `policy.toml`
    Policy,
    /// `roster.toml`
    Roster,
    /// `room.toml`
    Room,
    /// `anchor.toml`
    Anchor,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plan => "plan.toml",
            Self::Policy => "policy.toml",
            Self::Roster => "roster.toml",
            Self::Room => "room.toml",
            Self::Anchor => "anchor.toml",
        })
    }
}

/// A place in a document, in octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The document.
    pub input: Input,
    /// From the first octet up to, not including, the last.
    pub span: Range<usize>,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's id.
    pub rule: RuleId,
    /// Where.
    pub place: Place,
    /// What was asked.
    pub asked: String,
    /// What was found.
    pub found: String,
    /// What to do.
    pub advice: String,
}

impl Violation {
    pub(crate) fn at(
        input: Input,
        span: Range<usize>,
        rule: RuleId,
        asked: &str,
        found: &str,
        advice: &str,
    ) -> Self {
        Self {
            rule,
            place: Place { input, span },
            asked: asked.to_string(),
            found: found.to_string(),
            advice: advice.to_string(),
        }
    }

    /// Of a document as a whole.
    pub(crate) fn whole(
        input: Input,
        rule: RuleId,
        asked: &str,
        found: &str,
        advice: &str,
    ) -> Self {
        Self::at(input, 0..0, rule, asked, found, advice)
    }
}
