//! Keeps what was shown on a screen, for scrolling back.
//!
//! The dialogue's output consists of lines: the cursor moves within the current line while somebody
//! types, but never to another line. So lines are kept, and a page of them is drawn when it is
//! needed. Input without echo, such as a PIN, was never shown and is not kept.

use std::collections::VecDeque;

use unicode_width::UnicodeWidthChar as _;

/// The number of lines that are kept, more than the longest ceremony shows.
const MOST_LINES: usize = 50_000;
/// The length of the longest line that is kept, in characters.
const LONGEST: usize = 10_000;
/// The sequence that moves the cursor to the upper left corner and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// The lines that were shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    before: VecDeque<String>,
    /// The current line, and the position of the cursor in it.
    line: Vec<char>,
    at: usize,
    /// The octets of an incomplete UTF-8 character.
    part: Vec<u8>,
    escape: Escape,
}

/// The state in a terminal escape sequence, which is not text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Begun,
    Inside,
}

impl Shown {
    /// Takes output that goes to the screen.
    pub(super) fn take(&mut self, octets: &[u8]) {
        self.part.extend(octets);
        let octets = std::mem::take(&mut self.part);
        let mut rest = octets.as_slice();
        while !rest.is_empty() {
            let (text, after) = match std::str::from_utf8(rest) {
                Ok(text) => (text, &[][..]),
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    let Some(length) = error.error_len() else {
                        // The rest of the character comes with the next output.
                        self.text(std::str::from_utf8(good).unwrap_or_default());
                        self.part = bad.to_vec();
                        return;
                    };
                    (
                        std::str::from_utf8(good).unwrap_or_default(),
                        bad.get(length..).unwrap_or_default(),
                    )
                }
            };
            self.text(text);
            rest = after;
        }
    }

    fn text(&mut self, text: &str) {
        for letter in text.chars() {
            match (self.escape, letter) {
                (Escape::None, '\x1b') => self.escape = Escape::Begun,
                (Escape::Begun, '[') => self.escape = Escape::Inside,
                (Escape::Inside, '\x20'..='\x3f') => {}
                (Escape::Begun | Escape::Inside, _) => self.escape = Escape::None,
                (Escape::None, '\n') => self.end_line(),
                (Escape::None, '\r') => self.at = 0,
                (Escape::None, '\x08') => self.at = self.at.saturating_sub(1),
                (Escape::None, letter) if letter.is_control() => {}
                (Escape::None, letter) => self.put(letter),
            }
        }
    }

    fn put(&mut self, letter: char) {
        if let Some(place) = self.line.get_mut(self.at) {
            *place = letter;
        } else if self.line.len() < LONGEST {
            self.line.push(letter);
        } else {
            return;
        }
        self.at += 1;
    }

    fn end_line(&mut self) {
        self.before.push_back(self.line.drain(..).collect());
        self.at = 0;
        if self.before.len() > MOST_LINES {
            self.before.pop_front();
        }
    }

    /// Returns the last rows on a screen of this width, at most `most` of them.
    fn last(&self, columns: usize, most: usize) -> Vec<String> {
        let now: String = self.line.iter().collect();
        let mut rows = VecDeque::new();
        for line in std::iter::once(&now).chain(self.before.iter().rev()) {
            for row in wrapped(line, columns).into_iter().rev() {
                if rows.len() == most {
                    return rows.into();
                }
                rows.push_front(row);
            }
        }
        rows.into()
    }

    /// Returns how many rows people can scroll back at most.
    pub(super) fn furthest(&self, columns: usize, rows: usize) -> usize {
        self.last(columns, usize::MAX).len().saturating_sub(rows)
    }

    /// Draws the screen as it was `back` rows ago; its last line shows the keys for scrolling.
    pub(super) fn before(&self, columns: usize, rows: usize, back: usize) -> String {
        let mut page = self.last(columns, rows + back);
        page.truncate(rows.saturating_sub(1));
        let left = self.furthest(columns, rows).saturating_sub(back);
        let ways = format!("── ↑{left} ↓{back}  PageUp / PageDown  Enter: 戻る / back ──");
        format!(
            "{CLEAR}{}\r\n{}",
            page.join("\r\n"),
            wrapped(&ways, columns).first().map_or("", |row| row)
        )
    }

    /// Draws the current screen.
    pub(super) fn now(&self, columns: usize, rows: usize) -> String {
        format!("{CLEAR}{}", self.last(columns, rows).join("\r\n"))
    }
}

/// Wraps a line into the rows of a screen of this width.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let (mut rows, mut row, mut width) = (Vec::new(), String::new(), 0);
    for letter in line.chars() {
        let wide = letter.width().unwrap_or(0);
        if width + wide > columns {
            rows.push(std::mem::take(&mut row));
            width = 0;
        }
        row.push(letter);
        width += wide;
    }
    rows.push(row);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Shown {
        let mut shown = Shown::default();
        // Input octet by octet, as in the worst case.
        text.as_bytes().iter().for_each(|octet| shown.take(&[*octet]));
        shown
    }

    #[test]
    fn lines_are_kept_as_they_were_seen() {
        let shown = of("one\r\n\x1b[1mtwo\x1b[0m\r\n> ab\x08 \x08c時");
        assert_eq!(shown.last(80, 9), ["one", "two", "> ac時"]);
        assert_eq!(shown.now(80, 2), "\x1b[H\x1b[2Jtwo\r\n> ac時");
        let mut broken = of("a");
        broken.take(b"\xff\xe6");
        broken.take(b"\x99\x82b");
        assert_eq!(broken.last(80, 1), ["a時b"]);
    }

    #[test]
    fn a_long_line_takes_as_many_rows_as_on_the_screen() {
        let shown = of("abcdef\r\n時時時");
        assert_eq!(shown.last(4, 9), ["abcd", "ef", "時時", "時"]);
        assert_eq!(shown.last(5, 9), ["abcde", "f", "時時", "時"]);
        assert_eq!(shown.last(4, 2), ["時時", "時"]);
        assert_eq!(shown.furthest(4, 3), 1);
    }

    #[test]
    fn one_looks_back_as_far_as_anything_was_shown() {
        let text: Vec<String> = (0..10).map(|number| format!("line {number}")).collect();
        let shown = of(&text.join("\r\n"));
        assert_eq!(shown.furthest(80, 4), 6);
        let page = shown.before(80, 4, 6);
        assert!(
            page.starts_with("\x1b[H\x1b[2Jline 0\r\nline 1\r\nline 2\r\n── ↑0 ↓6"),
            "{page:?}"
        );
        assert!(shown.before(80, 4, 3).contains("line 3\r\nline 4\r\nline 5\r\n── ↑3 ↓3"));
        assert!(shown.now(80, 4).ends_with("line 8\r\nline 9"));
    }

    #[test]
    fn what_is_kept_has_an_end() {
        let mut shown = Shown::default();
        shown.take("x\n".repeat(MOST_LINES + 5).as_bytes());
        shown.take("y".repeat(LONGEST + 5).as_bytes());
        assert_eq!((shown.before.len(), shown.line.len()), (MOST_LINES, LONGEST));
    }
}
