//! The line that the dialogue is led on. A drill's machine may have two, a screen and a serial
//! line: both ask for the language, and whichever answers first has the dialogue.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use super::{ask, say};
use crate::args::Line;
use crate::halt::Halt;
use crate::lang::{Lang, pick};

use ceremony::rule::RuleId;

/// There while the machine has two lines; `nix/live/init` makes it.
const TWO: &str = "/run/gishiki/two-lines";
/// The line that has the dialogue; init waits for that one to end.
const TAKEN: &str = "/run/gishiki/dialogue";
/// How large letters are on the screen: `small` or `large`. Init chooses by the screen's width, and
/// begins anew where people chose the other.
const LETTERS: &str = "/run/gishiki/letters";

/// Asks for the language; none where the screen begins anew with letters of another size.
pub(super) fn begin(lang: Option<Lang>, line: Line) -> Result<Option<Lang>, Halt> {
    if let Some(lang) = lang {
        return Ok(Some(lang));
    }
    loop {
        say("")?;
        offer(line)?;
        let lang = match (ask(question(line))?.as_str(), line) {
            ("1", Line::Screen | Line::Serial) => Lang::Ja,
            ("2", _) => Lang::En,
            ("3", Line::Screen) => {
                other_letters()?;
                return Ok(None);
            }
            _ => continue,
        };
        match taken_by_another(line)? {
            None => return Ok(Some(lang)),
            Some(other) => say(&match lang {
                Lang::Ja => format!("対話は{}で行われています。", named(&other, lang)),
                Lang::En => format!("The dialogue is on the {}.", named(&other, lang)),
            })?,
        }
    }
}

/// What can be chosen beside the language.
fn offer(line: Line) -> Result<(), Halt> {
    if Path::new(TWO).exists() {
        if line != Line::Console {
            say("画面とシリアル回線 ttyS0 の、先に答えた方で進みます。")?;
        }
        say("Of screen and serial line ttyS0, the one that answers first has the dialogue.")?;
    }
    match line {
        Line::Screen => {
            say("PageUp: 前の表示を見る / look back at what was shown")?;
            say("3: 文字の大きさを変える / letters of the other size")
        }
        Line::Console => say("PageUp: look back at what was shown"),
        Line::Serial => Ok(()),
    }
}

const fn question(line: Line) -> &'static str {
    match line {
        Line::Screen | Line::Serial => "gishiki  1: 日本語  2: English ? ",
        Line::Console => "gishiki  2: English ? ",
    }
}

fn named(name: &str, lang: Lang) -> &'static str {
    match name {
        "serial" => pick(lang, "シリアル回線 ttyS0", "serial line ttyS0"),
        _ => pick(lang, "画面", "screen"),
    }
}

/// Takes the dialogue to this line; the other one, if it has it already.
fn taken_by_another(line: Line) -> Result<Option<String>, Halt> {
    if !Path::new(TWO).exists() {
        return Ok(None);
    }
    let failed = |error: std::io::Error| Halt::media(RuleId::S_LIVE, TAKEN, error.to_string());
    match OpenOptions::new().write(true).create_new(true).open(TAKEN) {
        Ok(mut taken) => {
            let name = match line {
                Line::Screen | Line::Console => "screen",
                Line::Serial => "serial",
            };
            taken.write_all(name.as_bytes()).map_err(failed)?;
            Ok(None)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            fs::read_to_string(TAKEN).map(Some).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn other_letters() -> Result<(), Halt> {
    let other = match fs::read_to_string(LETTERS).unwrap_or_default().trim() {
        "large" => "small",
        _ => "large",
    };
    fs::write(LETTERS, other)
        .map_err(|error| Halt::media(RuleId::S_LIVE, LETTERS, error.to_string()))
}
