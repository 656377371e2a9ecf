//! Octets as lower-case hexadecimal digits, and the SHA-256 digests that name things.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::language::Bilingual;
use crate::says;

/// Lower-case hexadecimal digits of these octets.
#[must_use]
pub fn encode(octets: &[u8]) -> String {
    base16ct::lower::encode_string(octets)
}

/// Decodes lower-case hexadecimal digits; `None` if the text is anything else.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    base16ct::lower::decode_vec(text).ok()
}

/// Decodes 64 lower-case hexadecimal digits to 32 octets, or returns why it cannot.
pub(crate) fn seed(text: &str) -> Result<[u8; 32], Bilingual> {
    let octets = decode(text).and_then(|octets| octets.try_into().ok());
    octets.ok_or_else(|| {
        says!("小文字の 16 進数 64 桁が必要", "64 lower-case hexadecimal digits are asked for")
    })
}

/// Octets that are written as hexadecimal digits in a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Octets(pub Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).map(Self).ok_or_else(|| D::Error::custom("not lower-case hexadecimal digits"))
    }
}

/// A SHA-256 digest that names something, such as a graph, bindings, an input, or a record's place
/// in its chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Returns the SHA-256 digest of these octets.
    #[must_use]
    pub fn of(octets: &[u8]) -> Self {
        Self(Sha256::digest(octets).into())
    }

    /// Returns the digest of a domain and these parts, each preceded by its length in 8 octets.
    #[must_use]
    pub fn of_parts(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in core::iter::once(&domain.as_bytes()).chain(parts) {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hash.update(length.to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error of a text that is not a SHA-256 digest in lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said().en)]
pub struct DigestError;

impl DigestError {
    /// The same in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        says!(
            "SHA-256 のダイジェスト(0–9、a–f の 64 文字)でない",
            "not a SHA-256 digest: 64 of 0–9, a–f are asked for"
        )
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let octets = decode(text).ok_or(DigestError)?;
        octets.try_into().map(Self).map_err(|_| DigestError)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
