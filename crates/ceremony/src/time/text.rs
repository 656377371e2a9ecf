//! Serialises an [`Instant`] in transcripts as RFC 3339 text in its offset, and reads it back
//! strictly.

use alloc::string::{String, ToString as _};

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

use super::Instant;

pub(crate) fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_string())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}
