//! What people see at a small screen of 80 columns, and what they are told after an
//! interruption.

use rustix::termios::{Winsize, tcsetwinsize};
use unicode_width::UnicodeWidthStr as _;

use super::{begun, resumed};
use crate::cards::Held;
use crate::support::terminal::{NOTED, shown_head};
use crate::support::{Drill, IN_WINDOW};

/// The rows of the screen.
const ROWS: u16 = 16;

/// Nothing is wider than the screen, and nothing that is to be read leaves it before Enter.
#[test]
fn a_small_screen_shows_the_close_a_page_at_a_time_and_breaks_no_word() {
    let held = Held::new();
    let mut terminal = held.at_a_terminal("run", IN_WINDOW);
    let size = Winsize { ws_row: ROWS, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal.pty(), size).unwrap();
    terminal.values.insert("   Enter for more".into(), String::new());
    terminal.until("Clock");
    let begun = terminal.said.len();
    let mut pages = 0;
    while let Some(open) = terminal.prompt() {
        let is_of_close = open.contains("on record under this name");
        if is_of_close || open.ends_with("Enter for more: ") {
            // The first line is what was typed.
            assert!(open.lines().skip(1).count() <= usize::from(ROWS), "{open}");
            pages += 1;
        }
        if let Some(above) = open.split("✍").next().filter(|_| is_of_close && pages == 1) {
            assert!(above.contains("\n── 40. Seal [") && above.contains("\n☞ "), "{above}");
        }
        let hint = if terminal.said.contains("✓ sealed:") {
            "(not to do this step: no /"
        } else {
            "(to stop: no /"
        };
        assert!(!open.contains(": no /") || open.contains(hint), "{open}");
        terminal.goes_on(&open);
    }
    assert_eq!(terminal.ends(), Some(0), "{}", terminal.said);
    // Ten people sign, and not all they did has room on one page.
    assert!(pages > 10 && terminal.said.contains("Enter for more: "), "{pages}");
    let said = terminal.said[begun..].to_string();
    for row in said.lines().filter(|row| !row.starts_with("> ")) {
        assert!(row.width() <= 80, "{row}");
    }
    assert!(said.contains("(not to do this step: no / not as scripted: deviation)"), "{said}");
}

#[test]
fn what_an_interruption_left_unknown_is_said_and_that_a_head_is_new() {
    let drill = Drill::new();
    let mut terminal = begun(&drill);
    terminal.until_prompt(NOTED[0]);
    let before = shown_head(&terminal.said);
    assert!(!terminal.said.contains("a new one"), "{}", terminal.said);
    terminal.presses(b"\x03");
    assert_eq!(terminal.ends(), Some(130), "{}", terminal.said);
    let mut terminal = resumed(&drill);
    terminal.values.insert("head".into(), "none".into());
    terminal.until_login();
    terminal.presses(b"\x03");
    assert_eq!(terminal.ends(), Some(130), "{}", terminal.said);
    // The answer that was not given is lost; the head that was being noted is another one now.
    let mut terminal = resumed(&drill);
    terminal.values.insert("head".into(), "none".into());
    let asked = terminal.until_prompt(NOTED[0]);
    let lost = ". Login `login` was interrupted: it is recorded as lost, because its result is";
    assert!(terminal.said.contains(lost), "{}", terminal.said);
    let (said, shown) = asked.rsplit_once('✎').unwrap();
    assert!(said.contains("the record of this session was added, so the head below"), "{asked}");
    assert!(said.contains("strike it out"), "{asked}");
    assert_ne!(shown_head(&terminal.said), before, "{shown}");
    // It is said where it is so, and nowhere else.
    terminal.answer("p13");
    let asked = terminal.until_prompt(NOTED[0]);
    assert!(!asked.contains("strike it out"), "{asked}");
}
