//! What text may stand in an input: what a reviewer sees is what is read.
//!
//! Refused are octets that are not UTF-8, control characters, a byte order mark, text that is not
//! in NFC, and every character that changes how text is shown without being seen, is drawn as
//! nothing, or has no meaning that two people share: bidirectional controls, zero-width and other
//! format characters, spaces of odd widths, private use. Two texts that look alike then are alike,
//! but for homoglyphs, which names exclude by their alphabet.

use alloc::format;
use alloc::string::{String, ToString};
use core::ops::Range;

use serde::de::DeserializeOwned;
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use crate::bounds::{DOCUMENT, Exceeded, MARKS};
use crate::rule::RuleId;
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

/// Whether no input may hold this character: it is not seen, or changes how others are seen, or
/// means something to nobody else. By general category, of the Unicode Character Database 16.0.
#[must_use]
pub const fn is_refused(character: char) -> bool {
    is_control(character) || is_blank(character) || is_nobodys(character)
}

/// Controls (Cc) but tab and line feed, line and paragraph separators (Zl, Zp), format characters
/// (Cf), and whatever else `DerivedCoreProperties.txt` has as Default_Ignorable_Code_Point.
const fn is_control(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Spaces (Zs) but the two that people type, U+0020 and U+3000; and signs that are drawn as
/// nothing: an empty braille pattern, a filler, a note without a head.
const fn is_blank(character: char) -> bool {
    matches!(
        character,
        '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{2800}' | '\u{16fe4}' | '\u{1d159}'
    )
}

/// Private use (Co: one block and the planes 15 and 16) and noncharacters.
const fn is_nobodys(character: char) -> bool {
    matches!(character,
        '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{f0000}'..='\u{10ffff}'
        | '\u{fffe}' | '\u{ffff}' | '\u{1fffe}' | '\u{1ffff}' | '\u{2fffe}' | '\u{2ffff}'
        | '\u{3fffe}' | '\u{3ffff}' | '\u{4fffe}' | '\u{4ffff}' | '\u{5fffe}' | '\u{5ffff}'
        | '\u{6fffe}' | '\u{6ffff}' | '\u{7fffe}' | '\u{7ffff}' | '\u{8fffe}' | '\u{8ffff}'
        | '\u{9fffe}' | '\u{9ffff}' | '\u{afffe}' | '\u{affff}' | '\u{bfffe}' | '\u{bffff}'
        | '\u{cfffe}' | '\u{cffff}' | '\u{dfffe}' | '\u{dffff}' | '\u{efffe}' | '\u{effff}')
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
            RuleId::S_TEXT,
            asked,
            &error.found,
            "write the character that is meant, or none",
        )
    })?;
    if text.trim().is_empty() {
        return Err(Violation::whole(
            input,
            RuleId::S_FORM,
            "a document",
            "an empty file",
            "write it",
        ));
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
        RuleId::S_FORM,
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

    /// One of each general category and table, by value, and its neighbours that may stand.
    #[test]
    fn what_nobody_sees_or_knows_is_refused() {
        for refused in [
            '\u{a0}',
            '\u{ad}',
            '\u{600}',
            '\u{6dd}',
            '\u{70f}',
            '\u{891}',
            '\u{8e2}',
            '\u{1680}',
            '\u{180e}',
            '\u{2003}',
            '\u{200a}',
            '\u{2028}',
            '\u{2029}',
            '\u{202f}',
            '\u{205f}',
            '\u{2064}',
            '\u{2800}',
            '\u{3164}',
            '\u{e000}',
            '\u{fdd0}',
            '\u{fdef}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{110bd}',
            '\u{13430}',
            '\u{1343f}',
            '\u{13441}',
            '\u{16fe4}',
            '\u{1d159}',
            '\u{1fffe}',
            '\u{5ffff}',
            '\u{e0001}',
            '\u{e0101}',
            '\u{effff}',
            '\u{f0000}',
            '\u{ffffd}',
            '\u{100000}',
            '\u{10fffd}',
            '\u{10ffff}',
        ] {
            let text = format!("a{refused}");
            assert_eq!(admit(text.as_bytes()).unwrap_err().at, 1, "U+{:04X}", u32::from(refused));
        }
        for planes in 0..=16_u32 {
            for last in [0xfffe, 0xffff] {
                assert!(is_refused(char::from_u32(planes << 16 | last).unwrap()), "{planes}");
            }
        }
        for taken in [
            ' ',
            '\t',
            '\n',
            '\u{3000}',
            '\u{2801}',
            '\u{fdcf}',
            '\u{fdf0}',
            '\u{fffd}',
            '\u{1342f}',
            '\u{20000}',
            '\u{2fffd}',
            '架',
            'ａ',
            '・',
            '–',
            '…',
        ] {
            assert!(!is_refused(taken), "U+{:04X}", u32::from(taken));
        }
    }

    /// A reason is something that somebody can read.
    #[test]
    fn blanks_are_no_words() {
        for blank in ["", " ", "   ", "\u{3000}", " \u{3000} ", "\u{2800}", "\t"] {
            assert_eq!(crate::run::words(blank).unwrap_err().rule, RuleId::S_WORDS, "{blank:?}");
        }
        assert!(crate::run::words(" a seal\u{3000}broke ").is_ok());
        for (said, words) in [("", "no words"), ("  ", "no words"), ("no PIN", "no PIN")] {
            assert_eq!(crate::run::as_words(said), words);
        }
        assert_eq!(crate::run::as_words("a\u{2800}b c\u{7}"), "a?b c?");
        assert_eq!(crate::run::as_words("\u{2800}"), "?");
    }
}
