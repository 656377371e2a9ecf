//! Who stops a ceremony, as a record writes it.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::rule::RuleId;

/// Who stops a ceremony.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Refuser {
    /// People, who are named.
    People,
    /// A rule, by which something was judged.
    Rule(RuleId),
}

impl Refuser {
    /// How people are written, where a rule's id may stand.
    const PEOPLE: &str = "people";

    /// The rule, unless it was people.
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
