//! Names that plans give to things: keys, certificates, people, roles.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::borrow::Borrow;
use core::fmt;
use core::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::language::Bilingual;
use crate::says;

/// A name: 1 to 40 of `a`–`z`, `0`–`9` and `-`, beginning with a letter or digit.
///
/// Upper case is not allowed, so no two names differ by case alone, and every name is a safe file
/// name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    /// Borrows the text, by which maps find a name; names and texts have the same order.
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The error of a text that is not a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said().en)]
pub struct NameError(String);

impl NameError {
    /// Words the error in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let Self(found) = self;
        says!(
            "名は a–z、0–9、`-` の 1 から 40 文字で、`-` で始まらない。あったものは `{found}`",
            "a name is 1 to 40 of a–z, 0–9 and `-`, not beginning with `-`; found `{found}`"
        )
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || text.len() > 40 || text.starts_with('-') || !text.chars().all(plain) {
            let shown: String = text.chars().take(60).collect();
            return Err(NameError(format!("{}", shown.escape_default())));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
