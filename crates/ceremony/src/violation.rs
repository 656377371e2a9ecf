//! A violation of a rule by a document: which rule, where, what was asked and found, and what to
//! do.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Range;

use crate::language::Bilingual;
use crate::rule::RuleId;

/// One of the documents that gishiki reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// `plan.toml`
    Plan,
    /// `cps.toml`
    Cps,
    /// `policy.toml`
    Policy,
    /// `roster.toml`
    Roster,
    /// `release.toml`
    Release,
    /// `room.toml`
    Room,
    /// `anchor.toml`
    Anchor,
    /// `approvals/PERSON.toml`
    Approval,
    /// `attested/CA/IMAGE/PERSON.toml`
    Attestation,
    /// `duties/CA/DATE.DUTY.PERSON.toml`
    Done,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plan => "plan.toml",
            Self::Cps => "cps.toml",
            Self::Policy => "policy.toml",
            Self::Roster => "roster.toml",
            Self::Release => "release.toml",
            Self::Room => "room.toml",
            Self::Anchor => "anchor.toml",
            Self::Approval => "approvals/PERSON.toml",
            Self::Attestation => "attested/CA/IMAGE/PERSON.toml",
            Self::Done => "duties/CA/DATE.DUTY.PERSON.toml",
        })
    }
}

/// A place in a document, in octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The document.
    pub input: Input,
    /// The octets, as a half-open range.
    pub span: Range<usize>,
}

/// A violation of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's id.
    pub rule: RuleId,
    /// The clause that the CA's CP/CPS gives the rule; `None` for a rule of the engine.
    pub clause: Option<Box<str>>,
    /// Where it is.
    pub place: Place,
    /// What was asked.
    pub asked: Box<Bilingual>,
    /// What was found.
    pub found: Box<Bilingual>,
    /// What to do.
    pub advice: Box<Bilingual>,
}

impl Violation {
    pub(crate) fn at(
        input: Input,
        span: Range<usize>,
        rule: RuleId,
        asked: impl Into<Bilingual>,
        found: impl Into<Bilingual>,
        advice: impl Into<Bilingual>,
    ) -> Self {
        Self {
            rule,
            clause: None,
            place: Place { input, span },
            asked: Box::new(asked.into()),
            found: Box::new(found.into()),
            advice: Box::new(advice.into()),
        }
    }

    /// Names the clause of the CP/CPS.
    pub(crate) fn under(self, clause: &str) -> Self {
        Self { clause: Some(clause.into()), ..self }
    }

    /// Makes a violation by a document as a whole.
    pub(crate) fn whole(
        input: Input,
        rule: RuleId,
        asked: impl Into<Bilingual>,
        found: impl Into<Bilingual>,
        advice: impl Into<Bilingual>,
    ) -> Self {
        Self::at(input, 0..0, rule, asked, found, advice)
    }
}
