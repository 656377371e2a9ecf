//! The anchor: what says that a ceremony is the CA's. The only root of trust of `verify`.
//!
//! It pins every ceremony of a ledger. What it says of one was read aloud in words in the room,
//! written on a slip of paper, signed, and is committed by a reviewed change. Whoever holds the
//! audit key, and nothing else, can then change nothing that was held before.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::fault::Fault;
use crate::hex::Digest;
use crate::ledger::{Held, State};
use crate::name::Name;
use crate::plan::format_is_1;
use crate::record::Mode;
use crate::rule::RuleId;
use crate::text;
use crate::time::Day;
use crate::violation::{Input, Violation};
use crate::words;

/// `anchor.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Anchor {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The CA's name in the file system.
    pub ca: Name,
    /// Of which kind its ceremonies are: real, or the drills of a team that practises. Everyone
    /// can compute a rehearsal's keys, so there is no anchor for one.
    pub mode: Spanned<Mode>,
    /// Every ceremony, in their order, from its slip of paper.
    pub ceremony: Vec<Pin>,
}

/// One ceremony, as its slip of paper has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pin {
    /// Its place in the ledger.
    pub sequence: u32,
    /// Its name.
    pub name: Name,
    /// The bindings' id, which covers every input.
    #[serde(deserialize_with = "value")]
    pub bindings: Digest,
    /// The chain value of the transcript's last record.
    #[serde(deserialize_with = "value")]
    pub head: Digest,
    /// The chain value of the postscript's last record; 32 zero octets where there is none.
    #[serde(deserialize_with = "value")]
    pub postscript: Digest,
    /// SHA-256 of the SubjectPublicKeyInfo of an audit key that was made in it: no earlier key
    /// vouches for it (5.7.2), so people do.
    #[serde(default, deserialize_with = "value_if_any")]
    pub audit_key: Option<Digest>,
    /// The day on which the slip was signed.
    pub signed_on: Day,
}

/// A value as its slip has it: 64 hexadecimal digits, or the 32 words that were read aloud.
fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    if !text.trim().contains(char::is_whitespace) {
        return text.parse().map_err(D::Error::custom);
    }
    let octets = words::octets(&text).map_err(|word| {
        D::Error::custom(format!("`{word}` is not one of the PGP word list at its place"))
    })?;
    let octets: [u8; 32] = octets.try_into().map_err(|octets: Vec<u8>| {
        D::Error::custom(format!("{} words; 32 are asked for", octets.len()))
    })?;
    Ok(Digest(octets))
}

fn value_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    value(deserializer).map(Some)
}

impl Anchor {
    /// Reads `anchor.toml`; the first error of its form otherwise.
    pub fn parse(octets: &[u8]) -> Result<Self, Violation> {
        let anchor: Self = text::document(Input::Anchor, octets)?;
        format_is_1(Input::Anchor, &anchor.format)?;
        if *anchor.mode.get_ref() == Mode::Rehearsal {
            return Err(Violation::at(
                Input::Anchor,
                anchor.mode.span(),
                RuleId::S_FORM,
                "`real` or `drill`",
                "a rehearsal, whose keys everyone can compute",
                "a rehearsal is judged with --rehearsal and needs no anchor",
            ));
        }
        Ok(anchor)
    }

    /// Whether every ceremony of a ledger is the one that is pinned here, in the same order, and
    /// how many of them are.
    ///
    /// # Errors
    ///
    /// S-ANCHOR, with the first thing that differs.
    pub fn compare(&self, state: &State) -> Result<Pinned, Fault> {
        if let Some(genesis) = &state.genesis {
            same("the CA", &self.ca, &genesis.ca)?;
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

    /// The ceremony that a ledger lacks, if it ends before the last one that is pinned.
    #[must_use]
    pub fn lacked(&self, state: &State) -> Option<&Pin> {
        self.ceremony.get(state.held.len())
    }
}

/// How much of a ledger an anchor pins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pinned {
    /// How many ceremonies were compared and are the same.
    pub pinned: usize,
    /// How many the ledger has.
    pub held: usize,
    /// How many the anchor has.
    pub pins: usize,
}

impl Pinned {
    /// Whether the last ceremony of the ledger is pinned, and so each before it.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        self.pinned == self.held
    }
}

impl Pin {
    fn compare(&self, found: &Held) -> Result<(), Fault> {
        let of = |what: &str| format!("the {what} of {}", self.name);
        same("the ceremony", &self.name, &found.ceremony)?;
        same(&of("sequence"), &self.sequence, &found.sequence)?;
        same(&of("bindings"), &self.bindings, &found.bindings)?;
        same(&of("head"), &self.head, &found.head)?;
        same(&of("postscript"), &self.postscript, &found.postscript)?;
        let key = |key: &Option<Digest>| key.map_or_else(|| "none".to_string(), |k| k.to_string());
        same(&of("new audit key"), &key(&self.audit_key), &key(&found.audit_key))
    }
}

/// What the anchor says is what the ledger has.
fn same<T: PartialEq + ToString>(what: &str, asked: &T, found: &T) -> Result<(), Fault> {
    if asked == found {
        return Ok(());
    }
    Err(Fault::new(RuleId::S_ANCHOR, format!("{what} {}", asked.to_string()), found.to_string()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn parsed(head: &str) -> Result<Digest, String> {
        let other = Digest::of(b"other");
        let text = format!(
            "format = 1\nca = \"a\"\nmode = \"real\"\n[[ceremony]]\nsequence = 1\nname = \"one\"\n\
             bindings = \"{other}\"\nhead = \"\"\"{head}\"\"\"\npostscript = \"{other}\"\n\
             signed-on = 2026-04-01\n"
        );
        let anchor = Anchor::parse(text.as_bytes()).map_err(|violation| violation.found)?;
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
        assert!(parsed(short).unwrap_err().contains("31 words; 32 are asked for"));
        let swapped = format!("{short} aardvark");
        assert!(parsed(&swapped).unwrap_err().contains("`aardvark` is not one"), "{last}");
        assert!(parsed("zulu").unwrap_err().contains("64 of 0–9"));
    }
}
