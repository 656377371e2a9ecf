//! Decides which text an input may contain, so that a reviewer sees all that gishiki reads.
//!
//! It refuses octets that are not UTF-8, control characters, a byte order mark, text that is not in
//! NFC, and every character that is invisible, changes how other text is displayed, or has no
//! agreed meaning: bidirectional controls, zero-width and other format characters, unusual spaces,
//! private use. So two texts that look alike are the same, except for homoglyphs, which the
//! alphabet of names excludes.

mod foreign;
mod form;
pub(crate) mod open;
mod reader;

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use crate::bounds::{DOCUMENT, Exceeded, MARKS};
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;
use crate::violation::{Input, Violation};

/// Why a document's octets were rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said().en)]
pub struct TextError {
    /// The first octet that is refused.
    pub at: usize,
    /// What was found there.
    pub found: Bilingual,
}

impl TextError {
    /// Words the error in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let Self { at, found } = self;
        says!(found; "{at} オクテット目にある{found}", "{found} at octet {at}")
    }
}

/// Returns the octets as text.
///
/// # Errors
///
/// [`TextError`], if they may not stand in an input.
pub fn admit(octets: &[u8]) -> Result<&str, TextError> {
    DOCUMENT
        .judge(octets.len())
        .map_err(|e| TextError { at: DOCUMENT.length(), found: e.said() })?;
    let text = core::str::from_utf8(octets).map_err(|error| TextError {
        at: error.valid_up_to(),
        found: says!("UTF-8 でないオクテット", "octets that are not UTF-8"),
    })?;
    let mut marks = octets.iter().enumerate().filter(|(_, octet)| is_mark(**octet));
    if let Some((at, _)) = marks.nth(MARKS.length()) {
        let more = Exceeded { bound: MARKS, found: MARKS.most + 1 + count(marks.count()) };
        return Err(TextError { at, found: more.said() });
    }
    if let Some((at, character)) = text.char_indices().find(|(_, character)| is_refused(*character))
    {
        let found = says!(
            "見えない文字 U+{:04X}",
            "the character U+{:04X}, which cannot be seen",
            u32::from(character)
        );
        return Err(TextError { at, found });
    }
    if is_nfc_quick(text.chars()) != IsNormalized::Yes {
        let differs = text.nfc().zip(text.char_indices()).find(|(normal, (_, c))| normal != c);
        if let Some((_, (at, character))) = differs {
            let found = says!(
                "正規化形式 NFC でない U+{:04X}",
                "U+{:04X}, not in normalisation form NFC",
                u32::from(character)
            );
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

/// Whether no input may contain this character: it is invisible, changes how others are displayed,
/// or has no agreed meaning.
///
/// Decided by the general categories of the Unicode Character Database 16.0.
#[must_use]
pub const fn is_refused(character: char) -> bool {
    is_control(character) || is_blank(character) || is_nobodys(character)
}

/// Controls (Cc) except tab and line feed; line and paragraph separators (Zl, Zp); format
/// characters (Cf); and all other Default_Ignorable_Code_Point of `DerivedCoreProperties.txt`.
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

/// Spaces (Zs) except U+0020 and U+3000, which people type; and signs that are drawn as blanks: an
/// empty braille pattern, a filler, a note without a head.
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

/// Reads a document of format 1: checks its text, then parses it.
///
/// The errors are all that its text has, or all of its form, in the order of the document.
pub(crate) fn document<T: DeserializeOwned>(
    input: Input,
    octets: &[u8],
    format: fn(&T) -> &Spanned<u32>,
) -> Result<T, Vec<Violation>> {
    let text = text_of(input, octets).map_err(|violation| vec![violation])?;
    if let Some(open) = open::refused(input, text) {
        return Err(vec![open]);
    }
    let other_format = |document: &T| {
        let format = format(document);
        (*format.get_ref() != 1).then(|| another_format(input, format))
    };
    let refused = match toml::from_str(text) {
        Ok(document) => match other_format(&document) {
            None => return Ok(document),
            Some(violation) => return Err(vec![violation]),
        },
        Err(refused) => refused,
    };
    let errors = form::errors(text);
    let wrong = errors.found.into_iter();
    let mut violations: Vec<_> =
        wrong.map(|wrong| violation(input, text, wrong.span, &wrong.said)).collect();
    if violations.is_empty() {
        violations.push(form(input, text, &refused));
    }
    violations.extend(errors.mended.as_ref().and_then(other_format));
    violations.sort_by_key(|violation| violation.place.span.start);
    if let Some(last) = violations.last_mut().filter(|_| !errors.complete) {
        *last.advice = says!(
            "ここまでを直してからもう一度確かめる(この先は読んでいない)",
            "mend these and check again: what else is wrong was not looked for"
        );
    }
    Err(violations)
}

/// Refuses a document whose `format` is not 1: this version of gishiki reads no other format.
fn another_format(input: Input, format: &Spanned<u32>) -> Violation {
    let found = says!("書式の版 {}", "format {}", format.get_ref());
    Violation::at(
        input,
        format.span(),
        RuleId::S_FORM,
        says!("書式の版 1", "format 1"),
        found,
        says!("この形式を扱う版の gishiki を使う", "use the gishiki that knows this format"),
    )
}

/// Returns every instant of a document, wherever it stands, with its place.
pub(crate) fn instants(
    input: Input,
    octets: &[u8],
) -> Result<Vec<(Range<usize>, Instant)>, Violation> {
    let text = text_of(input, octets)?;
    let table = DeTable::parse(text).map_err(|error| form(input, text, &error))?;
    let mut found = Vec::new();
    for value in table.get_ref().values() {
        collect(value, &mut found);
    }
    Ok(found)
}

fn collect(value: &Spanned<DeValue<'_>>, found: &mut Vec<(Range<usize>, Instant)>) {
    match value.get_ref() {
        DeValue::Datetime(at) => {
            // What is no instant is a bare date: the reader of the document refuses all else.
            found.extend(at.to_string().parse().ok().map(|at| (value.span(), at)));
        }
        DeValue::Array(items) => items.iter().for_each(|item| collect(item, found)),
        DeValue::Table(inner) => inner.values().for_each(|item| collect(item, found)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => {}
    }
}

/// Returns the text of a document, if it may stand in an input.
pub(crate) fn text_of(input: Input, octets: &[u8]) -> Result<&str, Violation> {
    let text = admit(octets).map_err(|error| {
        // The span covers the whole character, so that a message can point at it.
        let after = octets.get(error.at + 1..).unwrap_or_default();
        let rest = after.iter().take_while(|octet| (0x80..0xc0).contains(*octet)).count();
        let span = error.at.min(octets.len())..(error.at + 1 + rest).min(octets.len());
        let asked = says!(
            "見えない文字を含まない UTF-8・NFC の文書",
            "UTF-8 text in NFC without characters that cannot be seen"
        );
        let advice =
            says!("意図した文字に直すか、取り除く", "write the character that is meant, or none");
        Violation::at(input, span, RuleId::S_TEXT, asked, error.found, advice)
    })?;
    if text.trim().is_empty() {
        return Err(Violation::whole(
            input,
            RuleId::S_FORM,
            says!("文書", "a document"),
            says!("空のファイル", "an empty file"),
            says!("文書を書く", "write it"),
        ));
    }
    Ok(text)
}

pub(crate) fn form(input: Input, text: &str, error: &toml::de::Error) -> Violation {
    violation(input, text, error.span().unwrap_or(0..0), error.message())
}

/// Makes the violation of S-FORM of which the library, or a type, says this.
fn violation(input: Input, text: &str, span: Range<usize>, said: &str) -> Violation {
    let value = text.get(span.clone()).unwrap_or_default();
    let found = foreign::said(said, value);
    let shown: String = value.chars().take(60).collect();
    let found = if shown.is_empty() {
        found
    } else {
        says!(found; "{found}: `{}`", "{found}: `{}`", shown.trim())
    };
    let asked = says!(
        "docs/plan-format.md の定める {input}",
        "{input} as docs/plan-format.md describes it"
    );
    Violation::at(input, span, RuleId::S_FORM, asked, found, Bilingual::default())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use alloc::format;

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

    /// Refuses one character of each category and table, and accepts its allowed neighbours.
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

    /// A reason must contain something to read.
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
