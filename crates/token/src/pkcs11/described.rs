//! Finds a token by its serial number, and reads its identity.

use ceremony::language::Bilingual;
use ceremony::says;
use ceremony::token::TokenError;
use cryptoki_sys::*;

use super::calls::said;
use super::{Pkcs11Token, text};

/// The texts of CK_TOKEN_INFO.
pub(super) struct Described {
    pub(super) label: String,
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) hardware: String,
    pub(super) firmware: String,
}

impl Described {
    pub(super) fn of(info: &CK_TOKEN_INFO) -> Self {
        let version = |v: CK_VERSION| format!("{}.{}", v.major, v.minor);
        Self {
            label: text::field(&info.label),
            manufacturer: text::field(&info.manufacturerID),
            model: text::field(&info.model),
            serial: text::field(&info.serialNumber),
            hardware: version(info.hardwareVersion),
            firmware: version(info.firmwareVersion),
        }
    }
}

impl Pkcs11Token {
    /// Checks that there is exactly one token with this serial number. A read.
    pub(crate) fn is_there(&self, serial: &str) -> Result<(), TokenError> {
        self.find(serial).map(drop)
    }

    /// Finds the one token with this serial number among all slots. A read. The error of a slot
    /// that cannot be read is told, because its token may be the one.
    pub(super) fn find(&self, serial: &str) -> Result<(CK_SLOT_ID, Described), TokenError> {
        let mut found = Vec::new();
        let mut others = Vec::new();
        for slot in self.calls.slots()? {
            let described = match self.calls.token_info(slot) {
                Ok(info) => Described::of(&info),
                Err(error) => {
                    let told = error.found();
                    others.push(says!(told; "スロット {slot}: {told}", "slot {slot}: {told}"));
                    continue;
                }
            };
            let named = self.label.as_ref().is_none_or(|label| *label == described.label);
            if described.serial == serial && named {
                found.push((slot, described));
            } else if !described.serial.is_empty() {
                others.push(Bilingual::plain(described.serial));
            }
        }
        let found = match (found.len(), found.pop()) {
            (1, Some(only)) => return Ok(only),
            (0, _) => {
                // A reader's name shows people that cable, driver and daemon are right.
                let empty = self.calls.empty_slots().unwrap_or_default();
                let unknown = |name: &String| {
                    says!("{name}: 認識できるトークンなし", "{name}: no token that it knows")
                };
                others.extend(empty.iter().map(unknown));
                let others = listed(others);
                says!(
                    others;
                    "製造番号 {serial} のトークンなし。見つかったもの: {others}",
                    "no token with serial number {serial}; found {others}"
                )
            }
            (many, _) => says!(
                "製造番号 {serial} のトークン {many} 個",
                "{many} tokens with serial number {serial}"
            ),
        };
        Err(said("C_GetTokenInfo", found))
    }
}

/// What the slots have said.
fn listed(slots: Vec<Bilingual>) -> Bilingual {
    if slots.is_empty() {
        return says!("スロットなし", "no slot");
    }
    let (ja, en): (Vec<String>, Vec<String>) =
        slots.into_iter().map(|slot| (slot.ja, slot.en)).unzip();
    Bilingual { ja: ja.join("、"), en: en.join(", ") }
}
