//! Reads what people type at the terminal: objections, numbers, digests and ids.

use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::run::{ABSENT, PRESENT, Run};
use ceremony::says;
use ceremony::words::{self, Misread};

/// What a person typed.
pub(super) enum Typed {
    Text(String),
    Opposed(Opposed),
}

/// An objection that a person types instead of an answer.
#[derive(Clone, Copy)]
pub(super) enum Opposed {
    Refuse,
    Deviation,
    Break,
}

impl Typed {
    /// The same where no break can be made: the word is a text like any other.
    pub(super) fn without_break(self) -> Self {
        match self {
            Self::Opposed(Opposed::Break) => Self::Text("break".into()),
            Self::Opposed(Opposed::Refuse | Opposed::Deviation) | Self::Text(_) => self,
        }
    }
}

/// Whether a line says to go back to the value before, in either language and in full width too.
pub(super) fn is_back(text: &str) -> bool {
    ["back", "戻る"].contains(&word(text).as_str())
}

/// Classifies a line; "no", "deviation" and "break" are recognised in both languages and in full
/// width.
pub(super) fn typed(text: &str) -> Typed {
    match word(text).as_str() {
        "no" | "いいえ" => Typed::Opposed(Opposed::Refuse),
        "deviation" | "相違" => Typed::Opposed(Opposed::Deviation),
        "break" | "休憩" => Typed::Opposed(Opposed::Break),
        _ => Typed::Text(text.to_string()),
    }
}

/// Whether a line says yes, in either language and in full width too.
pub(crate) fn is_yes(text: &str) -> bool {
    ["yes", "はい"].contains(&word(text).as_str())
}

/// Whether a line says no, in either language and in full width too.
pub(crate) fn is_no(text: &str) -> bool {
    matches!(typed(text), Typed::Opposed(Opposed::Refuse))
}

/// What somebody says whose card is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtCard {
    /// Nothing but the Enter key: it goes on.
    GoesOn,
    /// A no: this is not to be signed.
    Objects,
    /// The card does not work.
    Failed,
}

/// Recognises what is said at a card; `None` for everything else. That may be a PIN, so nothing is
/// copied here.
pub(crate) fn at_card(typed: &[u8]) -> Option<AtCard> {
    if typed.is_empty() {
        return Some(AtCard::GoesOn);
    }
    let text = std::str::from_utf8(typed).ok()?.trim().trim_end_matches(['.', '。', '．']);
    let is = |word: &str| text.chars().map(half).flat_map(char::to_lowercase).eq(word.chars());
    let is_one = |words: [&str; 2]| words.into_iter().any(is);
    match (is_one(["no", "いいえ"]), is_one(["failed", "不調"])) {
        (true, _) => Some(AtCard::Objects),
        (false, true) => Some(AtCard::Failed),
        (false, false) => None,
    }
}

/// One word as it is recognised, however it is typed.
fn word(text: &str) -> String {
    half_width(text.trim_end_matches(['.', '。', '．'])).to_lowercase()
}

/// Replaces full-width letters, digits, minus signs and spaces by the ASCII ones.
fn half_width(text: &str) -> String {
    text.chars().map(half).collect()
}

fn half(c: char) -> char {
    match c {
        '！'..='～' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
        '−' => '-',
        '　' => ' ',
        c => c,
    }
}

/// Returns a whole number in the form of the records, from the ways in which people type it.
pub(super) fn number(text: &str) -> String {
    let plain = half_width(text);
    plain.parse::<i64>().map_or(plain, |value| value.to_string())
}

/// Whether a number was read from a plate, in small or capital letters, with blanks or without.
pub(super) fn is_same(serial: &str, text: &str) -> bool {
    let plain = |text: &str| -> String {
        half_width(text).split_whitespace().collect::<String>().to_uppercase()
    };
    plain(serial) == plain(text)
}

/// Whether somebody says that no head was noted yet.
pub(super) fn is_nothing(text: &str) -> bool {
    ["none", "なし"].contains(&word(text).as_str())
}

/// Returns hexadecimal digits from digits, or from words of either list.
///
/// # Errors
///
/// Says what kind of typing error this is: such an input cannot show that the papers differ.
pub(super) fn digits(text: &str) -> Result<String, Bilingual> {
    let joined: String = text.split_whitespace().collect();
    let octets = match ceremony::hex::decode(&joined) {
        Some(octets) => octets,
        None => words::octets(text).map_err(|misread| match misread {
            Misread::Word(word) => says!(
                "この位置に来る単語ではありません: `{word}`。綴りと順序を確かめ、もう一度入力してください",
                "`{word}` is not in the word list at its place: type it again"
            ),
            Misread::Part(short @ ..6) => says!(
                "かなの 6 語に足りません({short} 語)。もう一度入力してください",
                "fewer than 6 words in kana ({short}): type it again"
            ),
            Misread::Part(count) => says!(
                "かなは 6 語ずつの行です({count} 語)。行の終わりまで、もう一度入力してください",
                "words in kana are lines of 6 ({count}): type it again"
            ),
        })?,
    };
    match octets.len() {
        short @ ..8 => Err(says!(
            "8 語(かなは 6 語)に足りません({short} 語)。もう一度入力してください",
            "fewer than 8 words ({short}): type it again"
        )),
        _ => Ok(ceremony::hex::encode(&octets)),
    }
}

/// Parses the ids of participants who are present, sorted and without duplicates.
///
/// # Errors
///
/// Returns the first id that is not one of theirs; it is empty if nothing was typed.
pub(super) fn participants(run: &Run, text: &str) -> Result<Vec<Name>, String> {
    let mut by = Vec::new();
    let text = half_width(text);
    for id in text.split([' ', ',', '、']).filter(|id| !id.is_empty()) {
        let name: Name = id.parse().map_err(|_| id.to_string())?;
        if !run.graph().people().contains_key(&name) || run.is_absent(&name) {
            return Err(id.to_string());
        }
        by.push(name);
    }
    by.sort();
    by.dedup();
    if by.is_empty() { Err(String::new()) } else { Ok(by) }
}

/// Returns whether somebody came as records have it, from the ways in which people type it.
pub(super) fn attendance(text: &str) -> String {
    match word(text).as_str() {
        "出席" => PRESENT.to_string(),
        "欠席" => ABSENT.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_no_is_a_no_however_it_is_written() {
        for no in ["no", "No", "NO", "no.", "いいえ", "いいえ。", "ｎｏ"] {
            assert!(matches!(typed(no), Typed::Opposed(Opposed::Refuse)), "{no}");
        }
        for other in ["none", "p01", "n", "no way", "", "。"] {
            assert!(matches!(typed(other), Typed::Text(text) if text == other), "{other}");
        }
        assert!(is_no("いいえ") && is_yes("はい。") && is_yes("ＹＥＳ"));
        assert!(!is_no("相違") && !is_no("yes") && !is_yes("no") && !is_yes(""));
    }

    #[test]
    fn going_back_is_taken_however_it_is_written() {
        assert!(is_back("back") && is_back("Back.") && is_back("ｂａｃｋ") && is_back("戻る。"));
        assert!(!is_back("no") && !is_back("") && !is_back("backup"));
    }

    #[test]
    fn at_a_card_only_three_answers_are_known() {
        let said = |text: &str| at_card(text.as_bytes());
        assert_eq!(said(""), Some(AtCard::GoesOn));
        for no in ["no", "No.", "ＮＯ", "いいえ", "いいえ。", " no "] {
            assert_eq!(said(no), Some(AtCard::Objects), "{no}");
        }
        for failed in ["failed", "Failed", "ｆａｉｌｅｄ", "不調", "不調。"] {
            assert_eq!(said(failed), Some(AtCard::Failed), "{failed}");
        }
        for other in [" ", "123456", "drill-pin", "nope", "fail", "yes", "相違", "。"] {
            assert_eq!(said(other), None, "{other}");
        }
        assert_eq!(at_card(&[0xe4, 0xb8]), None, "half of a character");
    }

    #[test]
    fn a_plate_is_read_as_people_type_it() {
        assert!(is_same("3a5F 0001", "３Ａ５ｆ0001") && is_same("REHEARSAL", " rehearsal"));
        assert!(!is_same("3A5F0001", "3A5F0002") && !is_same("3A5F0001", ""));
    }

    #[test]
    fn that_nothing_was_noted_is_taken_however_it_is_written() {
        for none in ["none", "None.", "ｎｏｎｅ", "なし", "なし。"] {
            assert!(is_nothing(none), "{none}");
        }
        assert!(!is_nothing("no") && !is_nothing(""));
    }

    #[test]
    fn a_number_is_taken_as_people_write_it() {
        for (typed, taken) in
            [("2", "2"), ("+2", "2"), ("２", "2"), ("－２", "-2"), ("−2", "-2"), ("02", "2")]
        {
            assert_eq!(number(typed), taken);
        }
        assert_eq!(number("two"), "two");
    }

    #[test]
    fn attendance_is_taken_in_both_languages() {
        for (typed, taken) in
            [("出席", PRESENT), ("欠席。", ABSENT), ("Present", PRESENT), ("ａｂｓｅｎｔ", ABSENT)]
        {
            assert_eq!(attendance(typed), taken);
        }
        assert_eq!(attendance("yes"), "yes", "which is no answer");
    }

    #[test]
    fn a_typing_error_is_not_a_difference() {
        let eight = "topmost istanbul pluto vagabond treadmill pacific brackish dictator";
        assert_eq!(digits(eight).unwrap(), "e58294f2e9a22748");
        assert_eq!(digits("e58294f2 e9a22748").unwrap(), "e58294f2e9a22748");
        let six = words::kana(&ceremony::hex::decode("e58294f2e9a22748").unwrap()).concat();
        assert_eq!(digits(&six).unwrap(), "e58294f2e9a22748");
        assert_eq!(digits(&words::latin(&six)).unwrap(), "e58294f2e9a22748");
        let (seven, _) = eight.rsplit_once(' ').unwrap();
        for (typed, said) in [
            ("", "(0 語)"),
            ("あいだ あいだ", "かなの 6 語に足りません(2 語)"),
            (&format!("{} aida", "aikokushin ".repeat(6)), "6 語ずつの行です(7 語)"),
            // The two bits behind the 64 are not zero.
            ("aida aida aida aida aida aida", "`aida`"),
            ("aida aida aida aida aida zulu", "`zulu`"),
            (seven, "(7 語)"),
            ("e58294f2e9a227", "(7 語)"),
            ("topmost pluto", "`pluto`"),
            ("topmast", "`topmast`"),
        ] {
            let error = digits(typed).unwrap_err().ja;
            assert!(error.contains(said) && error.contains("もう一度入力"), "{error}");
        }
    }
}
