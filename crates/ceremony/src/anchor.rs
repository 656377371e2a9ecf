//! The anchor: the reviewed file that identifies a CA's ceremonies, and the only root of trust of
//! `verify`.
//!
//! It pins every ceremony of a ledger. The values of each pin were read aloud as words at the
//! ceremony, written on a signed slip of paper, and committed by a reviewed change. So somebody who
//! holds only the audit key cannot alter an earlier ceremony unnoticed.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Display;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::fault::Fault;
use crate::hex::Digest;
use crate::language::Bilingual;
use crate::ledger::{Held, State};
use crate::name::Name;
use crate::record::Mode;
use crate::rule::RuleId;
use crate::says;
use crate::text;
use crate::time::Day;
use crate::violation::{Input, Violation};
use crate::words;

/// An anchor as read from `anchor.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Anchor {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The CA's name in the file system.
    pub ca: Name,
    /// The kind of its ceremonies: real, or drill. A rehearsal has no anchor, because everyone can
    /// compute its keys.
    pub mode: Spanned<Mode>,
    /// The pins of all ceremonies, in ledger order, as written on their slips of paper.
    pub ceremony: Vec<Pin>,
}

/// The pin of one ceremony: the values on its slip of paper.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pin {
    /// The ceremony's place in the ledger.
    pub sequence: u32,
    /// The ceremony's name.
    pub name: Name,
    /// The bindings' id, which covers every input.
    #[serde(deserialize_with = "value")]
    pub bindings: Digest,
    /// The chain value of the transcript's last record.
    #[serde(deserialize_with = "value")]
    pub head: Digest,
    /// The chain value of the postscript's last record; 32 zero octets if there is no postscript.
    #[serde(deserialize_with = "value")]
    pub postscript: Digest,
    /// SHA-256 of the SubjectPublicKeyInfo of an audit key that was generated in this ceremony. No
    /// earlier key vouches for a new audit key (5.7.2), so people confirm it on the slip.
    #[serde(default, deserialize_with = "value_if_any")]
    pub audit_key: Option<Digest>,
    /// The day on which the slip was signed.
    pub signed_on: Day,
}

/// Reads a digest as the slip shows it: 64 hexadecimal digits, or the words that were read
/// aloud, 32 of the PGP list or 24 in kana.
fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    words::digest(&text).map_err(|said| D::Error::custom(said.en))
}

fn value_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    value(deserializer).map(Some)
}

impl Anchor {
    /// Reads `anchor.toml`.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        let anchor = text::document(Input::Anchor, octets, |anchor: &Self| &anchor.format)?;
        if *anchor.mode.get_ref() == Mode::Rehearsal {
            return Err(vec![Violation::at(
                Input::Anchor,
                anchor.mode.span(),
                RuleId::S_FORM,
                says!("`real` 又は `drill`", "`real` or `drill`"),
                says!(
                    "リハーサル(鍵は誰でも計算できる)",
                    "a rehearsal, whose keys everyone can compute"
                ),
                says!(
                    "リハーサルは --rehearsal で検証し、アンカーを要しない",
                    "a rehearsal is judged with --rehearsal and needs no anchor"
                ),
            )]);
        }
        Ok(anchor)
    }

    /// Compares every ceremony of a ledger, in order, with its pin, and counts those that are
    /// pinned.
    ///
    /// # Errors
    ///
    /// S-ANCHOR, with the first value that differs.
    pub fn compare(&self, state: &State) -> Result<Pinned, Fault> {
        if let Some(genesis) = &state.genesis {
            same(&says!("認証局", "the CA"), &self.ca, &genesis.ca)?;
        }
        let mut pinned = 0;
        for (found, pin) in state.held.iter().zip(&self.ceremony) {
            pin.compare(found)?;
            pinned += 1;
        }
        Ok(Pinned { pinned, held: state.held.len(), pins: self.ceremony.len() })
    }

    /// Whether this ceremony is pinned.
    #[must_use]
    pub fn pins(&self, ceremony: &Name) -> bool {
        self.ceremony.iter().any(|pin| pin.name == *ceremony)
    }

    /// Returns the first pinned ceremony that the ledger lacks, if the ledger ends before the last
    /// pin.
    #[must_use]
    pub fn lacked(&self, state: &State) -> Option<&Pin> {
        self.ceremony.get(state.held.len())
    }
}

/// How much of a ledger an anchor pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned {
    /// The number of ceremonies that were compared and equal their pins.
    pub pinned: usize,
    /// The number of ceremonies in the ledger.
    pub held: usize,
    /// The number of pins in the anchor.
    pub pins: usize,
}

impl Pinned {
    /// Whether every ceremony of the ledger is pinned, including the last.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.pinned == self.held
    }
}

impl Pin {
    fn compare(&self, found: &Held) -> Result<(), Fault> {
        let name = &self.name;
        let of = |what: &str| says!("{name} の {what}", "the {what} of {name}");
        same(&says!("セレモニー", "the ceremony"), name, &found.ceremony)?;
        same(&of("sequence"), &self.sequence, &found.sequence)?;
        same(&of("bindings"), &self.bindings, &found.bindings)?;
        same(&of("head"), &self.head, &found.head)?;
        same(&of("postscript"), &self.postscript, &found.postscript)?;
        if self.audit_key == found.audit_key {
            return Ok(());
        }
        let key = |key: Option<Digest>| key.map_or_else(Bilingual::none, Bilingual::plain);
        let asked = key(self.audit_key);
        let asked = says!(
            asked;
            "{name} の新しい監査用の鍵: {asked}",
            "the new audit key of {name} {asked}"
        );
        Err(Fault::new(RuleId::S_ANCHOR, asked, key(found.audit_key)))
    }
}

/// Checks that a value of the ledger equals the anchor's.
fn same<T: PartialEq + Display>(what: &Bilingual, asked: &T, found: &T) -> Result<(), Fault> {
    if asked == found {
        return Ok(());
    }
    let asked = says!(what; "{what}: {asked}", "{what} {asked}");
    Err(Fault::new(RuleId::S_ANCHOR, asked, Bilingual::plain(found)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use alloc::format;
    use alloc::string::ToString as _;

    use super::*;

    fn parsed(head: &str) -> Result<Digest, String> {
        let other = Digest::of(b"other");
        let text = format!(
            "format = 1\nca = \"a\"\nmode = \"real\"\n[[ceremony]]\nsequence = 1\nname = \"one\"\n\
             bindings = \"{other}\"\nhead = \"\"\"{head}\"\"\"\npostscript = \"{other}\"\n\
             signed-on = 2026-04-01\n"
        );
        let anchor = Anchor::parse(text.as_bytes())
            .map_err(|found| found.first().unwrap().found.en.clone())?;
        assert_eq!(anchor.ceremony.first().unwrap().audit_key, None);
        Ok(anchor.ceremony.first().unwrap().head)
    }

    #[test]
    fn a_value_is_written_as_the_slip_has_it() {
        let head = Digest::of(b"head");
        assert_eq!(parsed(&head.to_string()).unwrap(), head);
        let lines = words::lines(&head.0).join("\n");
        assert_eq!(parsed(&format!("\n{lines}\n")).unwrap(), head);
        assert_eq!(parsed(&lines.to_uppercase()).unwrap(), head);
        let (short, last) = lines.rsplit_once(' ').unwrap();
        assert!(parsed(short).unwrap_err().contains("31 words; 32, or 24 in kana, are asked for"));
        let swapped = format!("{short} aardvark");
        assert!(parsed(&swapped).unwrap_err().contains("`aardvark` is not one"), "{last}");
        assert!(parsed("zulu").unwrap_err().contains("64 of 0–9"));
        let in_kana = words::kana(&head.0).join("\n");
        for typed in [in_kana.clone(), words::latin(&in_kana)] {
            assert_eq!(parsed(&typed).unwrap(), head);
            let (short, _) = typed.rsplit_once(' ').unwrap();
            assert!(parsed(short).unwrap_err().contains("23 words; 32, or 24 in kana"));
            let (line, _) = typed.split_once('\n').unwrap();
            assert!(parsed(line).unwrap_err().contains("6 words; 32, or 24 in kana"));
            let mixed = format!("{short} zulu");
            assert!(parsed(&mixed).unwrap_err().contains("`zulu` is not one"));
        }
    }
}
