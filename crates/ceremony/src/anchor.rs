//! The anchor: what says that a ceremony is the CA's. The only root of trust of `verify`.
//!
//! It is read aloud in words in the room, written on paper, signed, and committed by a reviewed
//! change.

use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::Digest;
use crate::name::Name;
use crate::plan::format_is_1;
use crate::text;
use crate::time::Day;
use crate::violation::{Input, Violation};

/// `anchor.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Anchor {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The CA's name in the file system.
    pub ca: Name,
    /// The CA's first ceremony.
    pub ceremony: Name,
    /// SHA-256 of the audit key's SubjectPublicKeyInfo.
    pub audit_key: Digest,
    /// The chain value of the first ceremony's last record.
    pub genesis_head: Digest,
    /// The day on which it was signed on paper.
    pub signed_on: Day,
    /// Every later ceremony in which a new audit key came in, in their order.
    #[serde(default)]
    pub succession: Vec<Succession>,
}

/// A ceremony that made a new audit key because the root token was lost (5.7.2): no earlier key
/// vouches for it, so people do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Succession {
    /// The ceremony.
    pub ceremony: Name,
    /// SHA-256 of the new audit key's SubjectPublicKeyInfo.
    pub audit_key: Digest,
    /// The chain value of that ceremony's last record.
    pub head: Digest,
    /// The day on which it was signed on paper.
    pub signed_on: Day,
}

impl Anchor {
    /// Reads `anchor.toml`; the first error of its form otherwise.
    pub fn parse(octets: &[u8]) -> Result<Self, Violation> {
        let anchor: Self = text::document(Input::Anchor, octets)?;
        format_is_1(Input::Anchor, &anchor.format)?;
        Ok(anchor)
    }
}
