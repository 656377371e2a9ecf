//! What text may stand in an input: what a reviewer sees is what is read.
//!
//! Refused are octets that are not UTF-8, control characters, a byte order mark, text that is not
//! in NFC, and every character that changes how text is shown without being seen: bidirectional
//! controls, zero-width and other format characters. Two texts that look alike then are alike, but
//! for homoglyphs, which names exclude by their alphabet.

use alloc::format;
use alloc::string::{String, ToString};
use core::ops::Range;

use serde::de::DeserializeOwned;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use crate::bounds::{DOCUMENT, Exceeded, MARKS};
use crate::violation::{Input, Violation};

/// Why octets are no text of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} at octet {at}")]
pub struct TextError {
    /// The first octet that is refused.
    pub at: usize,
    /// What was found there.
    pub found: String,
}

/// The text of these octets, if it may stand in an input.
pub fn admit(octets: &[u8]) -> Result<&str, TextError> {
    DOCUMENT
        .judge(octets.len())
        .map_err(|e| TextError { at: DOCUMENT.length(), found: e.to_string() })?;
    let text = core::str::from_utf8(octets).map_err(|error| TextError {
        at: error.valid_up_to(),
        found: "octets that are not UTF-8".to_string(),
    })?;
    let mut marks = octets.iter().enumerate().filter(|(_, octet)| is_mark(**octet));
    if let Some((at, _)) = marks.nth(MARKS.length()) {
        let more = Exceeded { bound: MARKS, found: MARKS.most + 1 + count(marks.count()) };
        return Err(TextError { at, found: more.to_string() });
    }
    if let Some((at, character)) = text.char_indices().find(|(_, character)| is_refused(*character))
    {
        let found = format!("the character U+{:04X}, which cannot be seen", u32::from(character));
        return Err(TextError { at, found });
    }
    if is_nfc_quick(text.chars()) != IsNormalized::Yes {
        let differs = text.nfc().zip(text.char_indices()).find(|(normal, (_, c))| normal != c);
        if let Some((_, (at, character))) = differs {
            let found = format!("U+{:04X}, not in normalisation form NFC", u32::from(character));
            return Err(TextError { at, found });
        }
    }
    Ok(text)
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}

const fn is_mark(octet: u8) -> bool {
    matches!(octet, b'\n' | b'=' | b',' | b'.' | b'[' | b']' | b'{' | b'}')
}

/// Whether no input may hold this character: it is not seen, or changes how others are seen.
#[must_use]
pub const fn is_refused(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}')
}

/// Reads a document: its text, then its form.
pub(crate) fn document<T: DeserializeOwned>(input: Input, octets: &[u8]) -> Result<T, Violation> {
    let text = text_of(input, octets)?;
    toml::from_str(text).map_err(|error| form(input, text, &error))
}

/// The text of a document.
pub(crate) fn text_of(input: Input, octets: &[u8]) -> Result<&str, Violation> {
    let text = admit(octets).map_err(|error| {
        // The whole character, so that a message can point at it.
        let after = octets.get(error.at + 1..).unwrap_or_default();
        let rest = after.iter().take_while(|octet| (0x80..0xc0).contains(*octet)).count();
        let span = error.at.min(octets.len())..(error.at + 1 + rest).min(octets.len());
        let asked = "UTF-8 text in NFC without characters that cannot be seen";
        Violation::at(
            input,
            span,
            "S-TEXT",
            asked,
            &error.found,
            "write the character that is meant, or none",
        )
    })?;
    if text.trim().is_empty() {
        return Err(Violation::whole(input, "S-FORM", "a document", "an empty file", "write it"));
    }
    Ok(text)
}

pub(crate) fn form(input: Input, text: &str, error: &toml::de::Error) -> Violation {
    let span: Range<usize> = error.span().unwrap_or(0..0);
    let found = error.message().to_string();
    let shown: String = text.get(span.clone()).unwrap_or_default().chars().take(60).collect();
    let found = if shown.is_empty() { found } else { format!("{found}: `{}`", shown.trim()) };
    Violation::at(
        input,
        span,
        "S-FORM",
        &format!("{input} as docs/plan-format.md describes it"),
        &found,
        "",
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_refused_where_it_stands() {
        for (text, at) in [
            ("ab\u{202e}c", 2),
            ("\u{feff}a", 0),
            ("a\u{200b}", 1),
            ("a\rb", 1),
            ("a\0", 1),
            ("e\u{301}", 0),
            ("が\u{200d}", 3),
        ] {
            assert_eq!(admit(text.as_bytes()).unwrap_err().at, at, "{text:?}");
        }
        assert_eq!(admit(b"ab\xff").unwrap_err().at, 2);
        assert_eq!(admit("é が\tx\n儀式".as_bytes()).unwrap(), "é が\tx\n儀式");
        assert!(admit(&alloc::vec![b'a'; DOCUMENT.length()]).is_ok());
        assert!(admit(&alloc::vec![b'a'; DOCUMENT.length() + 1]).is_err());
        assert!(admit(&alloc::vec![b'\n'; MARKS.length()]).is_ok());
        assert_eq!(admit(&alloc::vec![b'['; MARKS.length() + 1]).unwrap_err().at, MARKS.length());
    }
}
