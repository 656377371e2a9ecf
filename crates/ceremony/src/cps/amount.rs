//! Amounts that a CP/CPS limits: numbers, and spans by the calendar.

use alloc::format;
use core::cmp::Ordering;
use core::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Value;

use crate::canonical::written;
use crate::language::{Sentence, both};
use crate::time::CalendarSpan;

/// A number, or a span such as `5 years 4 months`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// A number.
    Number(i64),
    /// A span.
    Span(CalendarSpan),
}

impl Amount {
    /// What is said behind a value that is no amount.
    pub(crate) const REFUSED: Sentence = both(
        " は数でも、`3 years` のような期間でもない",
        " is no number and no span such as `3 years`",
    );

    /// Returns the amount that a policy states; `None` if the value is neither.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(Self::Number(*number)),
            Value::String(text) => text.parse().ok().map(Self::Span),
            Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => None,
        }
    }

    /// Compares two amounts; `None` if they are of different kinds, or if it depends on the day on
    /// which two spans begin which of them is longer.
    pub(crate) fn compared(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => Some(one.cmp(two)),
            (Self::Span(one), Self::Span(two)) => one.compared(two),
            (Self::Number(_), Self::Span(_)) | (Self::Span(_), Self::Number(_)) => None,
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Span(span) => write!(f, "\"{span}\""),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let refused = || {
            let found = written(&value);
            D::Error::custom(format!("`{found}`{}", Self::REFUSED.en))
        };
        Self::of(&value).ok_or_else(refused)
    }
}
