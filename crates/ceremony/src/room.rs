//! The room: facts of one place and day that must not be in a reviewed plan. Its digest goes into
//! the transcript.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::Digest;
use crate::name::Name;
use crate::plan::format_is_1;
use crate::rule::RuleId;
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
    /// The other tokens that take part, by the names that plans give them: those that hold
    /// backups.
    #[serde(default)]
    pub spare: BTreeMap<Name, RoomToken>,
}

/// A token and its module.
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
        room.each_token_once()?;
        Ok(room)
    }

    /// A copy from a token to itself would be none.
    fn each_token_once(&self) -> Result<(), Violation> {
        let mut seen = Vec::new();
        for token in core::iter::once(&self.token).chain(self.spare.values()) {
            let serial = token.serial.get_ref();
            let this = (token.sha256.get_ref(), serial, token.label.as_ref().map(Spanned::get_ref));
            if seen.contains(&this) {
                return Err(Violation::at(
                    Input::Room,
                    token.serial.span(),
                    RuleId::S_ROOM,
                    "each token once",
                    &format!("serial number `{serial}` twice"),
                    "give each token its own serial number, or its own label",
                ));
            }
            seen.push(this);
        }
        Ok(())
    }
}
