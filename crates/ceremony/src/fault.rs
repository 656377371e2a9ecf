//! Something is not as it was asked: the one form of every refusal.

use alloc::string::String;

use crate::rule::RuleId;

/// Something is not as it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: asked {asked}; found {found}")]
pub struct Fault {
    /// The rule.
    pub rule: RuleId,
    /// What was asked.
    pub asked: String,
    /// What was found.
    pub found: String,
}

impl Fault {
    /// A fault against this rule.
    pub fn new(rule: RuleId, asked: impl Into<String>, found: impl Into<String>) -> Self {
        Self { rule, asked: asked.into(), found: found.into() }
    }
}
