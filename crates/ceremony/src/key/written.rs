//! A public key as documents write it: its SubjectPublicKeyInfo (RFC 5480 2) in base64, the inner
//! line of a PEM file.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64, Encoding as _};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::{Curve, PublicKey};
use crate::language::Bilingual;
use crate::says;
use crate::x509::subject_public_key_info;

/// The error of a text that is not a public key on P-256 or P-384.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said().en)]
pub struct WrittenKeyError;

impl WrittenKeyError {
    /// The same in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        says!(
            "P-256 か P-384 の公開鍵(SubjectPublicKeyInfo の base64。PEM の中の文字列を 1 行にしたもの)でない",
            "not a public key on P-256 or P-384: the base64 of its SubjectPublicKeyInfo, as in a PEM file but on one line, is asked for"
        )
    }
}

impl FromStr for PublicKey {
    type Err = WrittenKeyError;

    fn from_str(text: &str) -> Result<Self, WrittenKeyError> {
        let info = Base64::decode_vec(text).map_err(|_| WrittenKeyError)?;
        let read = spki::SubjectPublicKeyInfoRef::try_from(info.as_slice());
        let read = read.map_err(|_| WrittenKeyError)?;
        let point = read.subject_public_key.as_bytes().ok_or(WrittenKeyError)?;
        let keys = [Curve::P256, Curve::P384].map(|curve| Self::from_point(curve, point));
        let key = keys.into_iter().flatten().find(|key| subject_public_key_info(key) == info);
        key.ok_or(WrittenKeyError)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base64::encode_string(&subject_public_key_info(self)))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
