//! The line on which the dialogue takes place.
//!
//! The machine of a drill may have two, a screen and a serial line. Both ask for the language, and
//! the first one that is answered has the dialogue.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use ceremony::language::Bilingual;
use ceremony::rule::RuleId;

use super::{ask, say};
use crate::args::Line;
use crate::files::said;
use crate::halt::Halt;
use crate::lang::{Lang, pick};

/// A file that exists while the machine has two lines; `nix/live/init` creates it.
const TWO: &str = "/run/gishiki/two-lines";
/// The file that names the line with the dialogue; init waits until the dialogue ends there.
const TAKEN: &str = "/run/gishiki/dialogue";
/// The file with the size of the letters on the screen: `small` or `large`.
///
/// Init chooses by the screen's width, and restarts the dialogue if people choose the other size.
const LETTERS: &str = "/run/gishiki/letters";

/// Asks for the language; returns `None` if the screen restarts with letters of the other size.
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

/// Shows what else can be chosen besides the language.
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

/// Takes the dialogue to this line; returns the other line if that one already has it.
fn taken_by_another(line: Line) -> Result<Option<String>, Halt> {
    if !Path::new(TWO).exists() {
        return Ok(None);
    }
    let failed = |error: std::io::Error| at(TAKEN, &error);
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
    fs::write(LETTERS, other).map_err(|error| at(LETTERS, &error))
}

fn at(path: &str, error: &std::io::Error) -> Halt {
    Halt::media(RuleId::S_LIVE, Bilingual::plain(path), said(error))
}
