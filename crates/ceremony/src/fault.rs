//! The one form of every refusal: which rule, what was asked, and what was found.

use alloc::boxed::Box;

use crate::language::Bilingual;
use crate::rule::RuleId;

/// Distinguishes faults of one rule that need different advice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Why {
    /// The rule's id alone determines the advice.
    #[default]
    Ruled,
    /// The token holds the head of a ceremony that the ledger at hand does not contain yet.
    LaterHead,
    /// The token holds objects with labels of this CA that the ledger does not contain.
    OwnLabels,
    /// The token does not return an attribute.
    NotTold,
}

/// A refusal: something is not as a rule asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: asked {}; found {}", asked.en, found.en)]
pub struct Fault {
    /// The rule.
    pub rule: RuleId,
    /// What was asked.
    pub asked: Box<Bilingual>,
    /// What was found.
    pub found: Box<Bilingual>,
    /// What the advice depends on, besides the rule.
    pub why: Why,
}

impl Fault {
    /// Makes a fault against this rule.
    pub fn new(rule: RuleId, asked: impl Into<Bilingual>, found: impl Into<Bilingual>) -> Self {
        Self { rule, asked: Box::new(asked.into()), found: Box::new(found.into()), why: Why::Ruled }
    }

    /// Returns the fault with what the advice depends on.
    #[must_use]
    pub fn because(self, why: Why) -> Self {
        Self { why, ..self }
    }
}
