//! Who refused, as a record writes it: people, or a rule.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::rule::RuleId;

/// Who or what refused and so stops a ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Refuser {
    /// People, whom the record names beside it.
    People,
    /// The rule that was broken.
    Rule(RuleId),
}

impl Refuser {
    /// The word for people, in the field that otherwise holds a rule's id.
    const PEOPLE: &str = "people";

    /// The rule that refused, or `None` if people refused.
    #[must_use]
    pub const fn rule(self) -> Option<RuleId> {
        match self {
            Self::People => None,
            Self::Rule(rule) => Some(rule),
        }
    }
}

impl fmt::Display for Refuser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::People => f.pad(Self::PEOPLE),
            Self::Rule(rule) => rule.fmt(f),
        }
    }
}

impl From<Refuser> for String {
    fn from(refuser: Refuser) -> Self {
        refuser.to_string()
    }
}

impl TryFrom<String> for Refuser {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == Self::PEOPLE {
            return Ok(Self::People);
        }
        let rule = RuleId::of(&text).map(Self::Rule);
        rule.ok_or_else(|| format!("`{text}` is neither `people` nor a rule"))
    }
}
