//! The room: facts about the place and day of a ceremony that do not belong in a reviewed plan.
//!
//! Its digest is recorded in the transcript.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::Digest;
use crate::language::Bilingual;
use crate::name::Name;
use crate::rule::RuleId;
use crate::says;
use crate::text;
use crate::violation::{Input, Violation};

/// A room as read from `room.toml`.
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
    /// The other tokens that take part because they hold backups, by the names that plans give
    /// them.
    #[serde(default)]
    pub spare: BTreeMap<Name, RoomToken>,
    /// The modules behind which the cards of people are; a card is found by its key.
    #[serde(default)]
    pub cards: Vec<CardModule>,
}

/// A module behind which people's cards are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardModule {
    /// The PKCS #11 module's path.
    pub module: Spanned<String>,
    /// SHA-256 of the module.
    pub sha256: Spanned<Digest>,
    /// The string that the module expects in the reserved field of `C_Initialize`, as NSS does.
    pub initialize: Option<Spanned<String>>,
}

/// The fewest shares of which a PIN is put together, and the most that are dealt.
pub const SHARES: RangeInclusive<u8> = 2..=15;

/// A token and its module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoomToken {
    /// The PKCS #11 module's path.
    pub module: Spanned<String>,
    /// SHA-256 of the module.
    pub sha256: Spanned<Digest>,
    /// CK_TOKEN_INFO serialNumber.
    pub serial: Spanned<String>,
    /// CK_TOKEN_INFO label, if a module gives several tokens one serial number, as NSS does.
    pub label: Option<Spanned<String>>,
    /// The string that the module expects in the reserved field of `C_Initialize`, as NSS does.
    pub initialize: Option<Spanned<String>>,
    /// How many shares the user's PIN is put together from; without it somebody types the PIN.
    pub shares: Option<Spanned<u32>>,
    /// The same of the security officer's PIN, which a copy needs.
    pub so_shares: Option<Spanned<u32>>,
}

impl Room {
    /// Reads `room.toml`.
    ///
    /// # Errors
    ///
    /// All violations of the file's form, or a token that is named twice.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        let room = text::document(Input::Room, octets, |room: &Self| &room.format)?;
        room.each_token_once().map_err(|violation| vec![violation])?;
        room.shares_of_several().map_err(|violation| vec![violation])?;
        Ok(room)
    }

    /// Refuses a token that is named twice, because a copy to the same token would be no backup.
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
                    says!("トークンごとに 1 回だけの記載", "each token once"),
                    says!("製造番号 `{serial}` の重複", "serial number `{serial}` twice"),
                    says!(
                        "トークンごとに異なる製造番号かラベルを書く",
                        "give each token its own serial number, or its own label"
                    ),
                ));
            }
            seen.push(this);
        }
        Ok(())
    }

    /// Refuses a number of shares that no dealing has.
    fn shares_of_several(&self) -> Result<(), Violation> {
        for token in core::iter::once(&self.token).chain(self.spare.values()) {
            for shares in [&token.shares, &token.so_shares].into_iter().flatten() {
                let (found, least, most) = (*shares.get_ref(), SHARES.start(), SHARES.end());
                if !u8::try_from(found).is_ok_and(|found| SHARES.contains(&found)) {
                    return Err(Violation::at(
                        Input::Room,
                        shares.span(),
                        RuleId::S_ROOM,
                        says!("{least} から {most} までのシェアの数", "{least} to {most} shares"),
                        Bilingual::plain(found),
                        says!(
                            "`gishiki activation deal` の --need の数を書く",
                            "give the number that `gishiki activation deal` was given as --need"
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}
