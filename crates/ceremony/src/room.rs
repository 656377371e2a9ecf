//! The room: facts of one place and day that must not be in a reviewed plan. Its digest goes into
//! the transcript.

use alloc::string::String;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::Digest;
use crate::name::Name;
use crate::plan::format_is_1;
use crate::text;
use crate::violation::{Input, Violation};

/// `room.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// Whether this is a drill.
    #[serde(default)]
    pub drill: bool,
    /// The terminal's unique identifier (5.4.1).
    pub terminal: Spanned<Name>,
    /// The token and its module.
    pub token: RoomToken,
}

/// The token and its module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomToken {
    /// The PKCS #11 module's path.
    pub module: Spanned<String>,
    /// SHA-256 of the module.
    pub sha256: Spanned<Digest>,
    /// CK_TOKEN_INFO serialNumber.
    pub serial: Spanned<String>,
    /// CK_TOKEN_INFO label, where a module gives several tokens one serial number, as NSS does.
    pub label: Option<Spanned<String>>,
    /// The string that the module wants in the reserved field of `C_Initialize`, as NSS does.
    pub initialize: Option<Spanned<String>>,
}

impl Room {
    /// Reads `room.toml`; the first error of its form otherwise.
    pub fn parse(octets: &[u8]) -> Result<Self, Violation> {
        let room: Self = text::document(Input::Room, octets)?;
        format_is_1(Input::Room, &room.format)?;
        Ok(room)
    }
}
