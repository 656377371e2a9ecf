//! Lines as rows of a screen: no word is broken at its edge, and what was shown since people
//! answered last is counted.
//!
//! A command that is to be copied stands in backquotes, and is not broken either. Where nothing
//! says how wide the screen is, lines stay as they are.

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How many rows were shown since people answered last.
static SHOWN: AtomicUsize = AtomicUsize::new(0);

/// Rows and columns of a terminal; `None` if this is none, or it does not say.
pub(crate) fn size(of: impl AsFd) -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(of).ok()?;
    let size = (usize::from(size.ws_row), usize::from(size.ws_col));
    Some(size).filter(|(rows, columns)| *rows > 0 && *columns > 0)
}

/// Returns a text as this terminal shows it, and counts its rows.
pub(crate) fn fit(of: impl AsFd, text: &str) -> String {
    let Some((_, columns)) = size(of) else { return text.to_string() };
    let wrapped = wrapped(text, columns);
    SHOWN.fetch_add(wrapped.matches('\n').count(), Ordering::Relaxed);
    wrapped
}

/// Returns how many rows were shown since people answered last.
pub(crate) fn shown() -> usize {
    SHOWN.load(Ordering::Relaxed)
}

/// People answered: they have read what stood above.
pub(crate) fn answered() {
    SHOWN.store(0, Ordering::Relaxed);
}

/// Breaks lines that are wider than a screen between words. What is wider than the screen alone is
/// broken where the screen ends.
pub(crate) fn wrapped(text: &str, columns: usize) -> String {
    text.split_inclusive('\n').map(|line| wrapped_line(line, columns)).collect()
}

fn wrapped_line(line: &str, columns: usize) -> String {
    let (words, end) = line.strip_suffix('\n').map_or((line, ""), |words| (words, "\n"));
    if words.width() <= columns {
        return line.to_string();
    }
    let marks: String = words.chars().take_while(|c| " >!✓✗☞✎✍─".contains(*c)).collect();
    let margin = if marks.width() * 2 > columns { 0 } else { marks.width() };
    let (mut rows, mut row, mut at) = (Vec::new(), String::new(), 0);
    let mut next_row = |row: &mut String, at: &mut usize| {
        rows.push(row.trim_end_matches(' ').to_string());
        (*row, *at) = (" ".repeat(margin), margin);
    };
    for piece in pieces(words) {
        let wide = piece.trim_end_matches(' ').width();
        if at + wide > columns && at > margin {
            next_row(&mut row, &mut at);
        }
        for letter in piece.chars() {
            let letter_wide = letter.width().unwrap_or(0);
            if at + letter_wide > columns && letter != ' ' {
                next_row(&mut row, &mut at);
            }
            row.push(letter);
            at += letter_wide;
        }
    }
    rows.push(row);
    rows.join("\n") + end
}

/// The parts of a line that are not broken, each with the spaces behind it.
fn pieces(line: &str) -> Vec<String> {
    let has_code = line.matches('`').count().is_multiple_of(2);
    let (mut pieces, mut piece, mut in_code) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        piece.push(letter);
        in_code ^= has_code && letter == '`';
        if !in_code && letters.peek().is_some_and(|next| may_break(&piece, letter, *next)) {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    pieces.push(piece);
    pieces
}

/// What a letter is for the question where a line may be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A letter of an alphabet, a digit or a mark as wide as one.
    Narrow,
    Hiragana,
    Katakana,
    /// Chinese characters, and whatever else is as wide.
    Wide,
    /// A mark that is as wide as a Chinese character.
    Mark,
}

impl Kind {
    fn of(letter: char) -> Self {
        match letter {
            '々' => Self::Wide,
            '\u{3000}'..='\u{303f}' | '！'..='／' | '：'..='＠' | '［'..='｀' | '｛'..='～' => {
                Self::Mark
            }
            '\u{3040}'..='\u{309f}' => Self::Hiragana,
            '\u{30a0}'..='\u{30ff}' => Self::Katakana,
            letter if letter.width() == Some(2) => Self::Wide,
            _ => Self::Narrow,
        }
    }
}

/// Whether a row may end between these two letters; `piece` ends with the first of them.
///
/// Japanese has no spaces: a row ends behind a mark, or where another kind of letters begins. A
/// particle, which is in hiragana, stays with its word, and a unit with its number.
fn may_break(piece: &str, letter: char, next: char) -> bool {
    let (kind, next_kind) = (Kind::of(letter), Kind::of(next));
    if letter == ' ' {
        let number = piece.trim_end_matches(' ').ends_with(|c: char| c.is_ascii_digit());
        return next != ' ' && !(number && next_kind != Kind::Narrow);
    }
    if next == ' '
        || "([「『【〈《〔（".contains(letter)
        || ")],.:;!?…」』】〉》〕）、。".contains(next)
    {
        return false;
    }
    kind == Kind::Mark || (kind != next_kind && next_kind != Kind::Hiragana)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_rows_have_the_margin_of_their_line() {
        let said = "   one two three four\n!! five six seven\nshort\n";
        let rows = "   one two\n   three\n   four\n!! five six\n   seven\nshort\n";
        assert_eq!(wrapped(said, 11), rows);
        assert_eq!(wrapped(said, 80), said);
        // The space behind a prompt stays.
        assert_eq!(
            wrapped("> who confirms (ids, by spaces): ", 20),
            "> who confirms (ids,\n  by spaces): "
        );
    }

    #[test]
    fn japanese_breaks_between_words_too() {
        let said = "中断の前にこの欄に書いた値があれば、セレモニーの記録を線で消してください。";
        for columns in 16..60 {
            let rows = wrapped(said, columns);
            assert_eq!(rows.replace('\n', ""), said);
            for row in rows.lines() {
                assert!(row.width() <= columns, "{row}");
                assert!(!row.starts_with(['、', '。', 'の', 'を', 'ー']), "{row}");
            }
            assert!(rows.contains("セレモニー") && rows.contains("ください"), "{rows}");
        }
        assert_eq!(wrapped("経過 120 分です", 9), "経過\n120 分で\nす");
    }

    #[test]
    fn what_is_copied_is_in_one_row_if_it_has_room() {
        let said = "次のコマンド `gishiki --lang ja verify OUT` を使う";
        let rows = wrapped(said, 32);
        assert!(rows.lines().any(|row| row.contains("`gishiki --lang ja verify OUT`")), "{rows}");
        // What no row has room for is broken where the screen ends.
        assert_eq!(wrapped("a bcdefgh", 4), "a\nbcde\nfgh");
    }
}
