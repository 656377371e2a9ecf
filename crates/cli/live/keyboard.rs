//! Sets the keyboard layout: that of Japan (JIS X 6002) or that of the United States.
//!
//! The kernel starts with the US layout. Letters and digits are at the same place in both, so the
//! questions before this one can be answered with either. Symbols are not, and a PIN may contain
//! some; so people test their keys before they type a PIN.
//!
//! [`KEYS`] contains only the keys that differ; all others stay as the kernel has them. `dumpkmap`
//! and `loadkmap` of the image's busybox read and write the kernel's tables: a magic word, 256
//! octets that say which tables (plain, shifted, …) follow, and 128 numbers for each.

use std::io::Write as _;
use std::process::{Command, Stdio};

use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;

use super::{ask, say};
use crate::files::said;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::people::is_no;

/// A keyboard layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Jis,
    Us,
}

/// The number of a key (`linux/input-event-codes.h`), and its symbols, plain and shifted, in the
/// JIS and US layouts. The symbols are empty if the layout has no such key, or the key types no
/// symbol.
type Key = (usize, &'static str, &'static str);

/// The keys that differ between the layouts.
const KEYS: [Key; 16] = [
    (3, "2\"", "2@"),
    (7, "6&", "6^"),
    (8, "7'", "7&"),
    (9, "8(", "8*"),
    (10, "9)", "9("),
    (11, "0~", "0)"),
    (12, "-=", "-_"),
    (13, "^~", "=+"),
    (26, "@`", "[{"),
    (27, "[{", "]}"),
    (39, ";+", ";:"),
    (40, ":*", "'\""),
    // On JIS this key switches the input script, which has no use here.
    (41, "", "`~"),
    (43, "]}", "\\|"),
    // The key left of the right shift key, and the yen key.
    (89, "\\_", ""),
    (124, "\\|", ""),
];

/// Page up and page down without the effect of shift (`linux/keyboard.h`, `K_PGUP` and `K_PGDN`).
///
/// With shift they would call the kernel's own scroll-back, which no longer exists.
const PAGES: [(usize, u16); 2] = [(104, 0x0118), (109, 0x0119)];

/// The value of a key that types nothing (`K_HOLE`).
const NOTHING: u16 = 0x0200;

/// The beginning of a dumped table; then follow the octets that say which tables are present.
const MAGIC: &[u8] = b"bkeymap";
const TABLES: usize = 256;
/// The size of a table in octets.
const TABLE: usize = 128 * 2;

/// Symbols whose keys differ between the layouts, for people to test before a PIN.
const SYMBOLS: &str = "@ ^ : _ \\ |";

/// Asks for the layout, and lets people test the keys.
pub(super) fn choose(lang: Lang) -> Result<(), Halt> {
    loop {
        say("")?;
        let layout = match ask(pick(
            lang,
            "キーボード  1: JIS(日本語)  2: US(英語) ? ",
            "keyboard  1: JIS (Japanese)  2: US ? ",
        ))?
        .as_str()
        {
            "1" => Layout::Jis,
            "2" => Layout::Us,
            _ => continue,
        };
        load(layout)?;
        if tried(lang)? {
            return Ok(());
        }
    }
}

/// Lets people test the keys; returns whether they accept the layout.
fn tried(lang: Lang) -> Result<bool, Halt> {
    say(&match lang {
        Lang::Ja => format!(
            "\n記号のキーを打ち、印字どおりに出るか確かめてください。PIN は打たないでください。\n  例: {SYMBOLS}"
        ),
        Lang::En => format!(
            "\nType symbols, and check that they appear as printed on the keys. Do not type a PIN here.\n  for example: {SYMBOLS}"
        ),
    })?;
    loop {
        let typed = ask(pick(
            lang,
            "試し打ち(空の Enter で次へ、no で選び直す): ",
            "try (Enter alone goes on, no chooses again): ",
        ))?;
        match typed.as_str() {
            "" => return Ok(true),
            typed if is_no(typed) => return Ok(false),
            typed if without_spaces(typed) == without_spaces(SYMBOLS) => {
                say(pick(lang, "✓ 例のとおりです", "✓ as in the example"))?;
            }
            _ => say(pick(
                lang,
                "例とは違います。キーの印字とも違うときは、no で選び直してください。",
                "This is not the example. If it is not what the keys have printed on them either, no chooses again.",
            ))?,
        }
    }
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Loads a layout into the kernel.
fn load(layout: Layout) -> Result<(), Halt> {
    let failed = |found: Bilingual| {
        let asked = says!("設定されたキーボードの表", "the keyboard's table, set");
        Halt::media(RuleId::S_LIVE, asked, found)
    };
    let dumped = Command::new("dumpkmap").output().map_err(|error| failed(said(&error)))?;
    let table = with(layout, dumped.stdout).ok_or_else(|| {
        failed(says!("カーネルの形式でない表", "a table that is not of the kernel's form"))
    })?;
    let mut load = Command::new("loadkmap");
    let mut load = load.stdin(Stdio::piped()).spawn().map_err(|error| failed(said(&error)))?;
    let written = load.stdin.take().map(|mut stdin| stdin.write_all(&table));
    let status = load.wait().map_err(|error| failed(said(&error)))?;
    match written {
        Some(Ok(())) if status.success() => Ok(()),
        Some(Err(error)) => Err(failed(said(&error))),
        Some(Ok(())) | None => Err(failed(Bilingual::plain(status))),
    }
}

/// Returns the table with the keys of this layout, or `None` if the table has an unknown form.
fn with(layout: Layout, mut table: Vec<u8>) -> Option<Vec<u8>> {
    let flags = table.strip_prefix(MAGIC)?.get(..TABLES)?;
    // The plain and the shifted table must be present, and come first.
    if flags.get(..2)? != [1, 1] || !(table.len() - MAGIC.len() - TABLES).is_multiple_of(TABLE) {
        return None;
    }
    let mut put = |shifted: usize, key: usize, value: u16| {
        let at = MAGIC.len() + TABLES + shifted * TABLE + key * 2;
        let place = table.get_mut(at..at + 2)?;
        place.copy_from_slice(&value.to_ne_bytes());
        Some(())
    };
    for (key, jis, us) in KEYS {
        let gives = match layout {
            Layout::Jis => jis,
            Layout::Us => us,
        };
        for shifted in 0..2 {
            let symbol = gives.as_bytes().get(shifted);
            put(shifted, key, symbol.map_or(NOTHING, |octet| u16::from(*octet)))?;
        }
    }
    for (key, value) in PAGES {
        put(1, key, value)?;
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops where it fails"
    )]
    use super::*;

    /// Returns a table in which no key types anything.
    fn empty() -> Vec<u8> {
        let mut table = MAGIC.to_vec();
        table.extend([1, 1, 1].iter().chain([0; TABLES - 3].iter()));
        table.extend([0; TABLE * 3]);
        table
    }

    #[test]
    fn every_symbol_of_ascii_is_on_either_keyboard_once_or_more() {
        // Some keys that are the same on both: the first key, and symbols of the digit and comma
        // rows.
        let alike = "!#$%1345,<.>/?";
        for layout in [Layout::Jis, Layout::Us] {
            let table = with(layout, empty()).unwrap();
            let keys = &table[MAGIC.len() + TABLES..MAGIC.len() + TABLES + 2 * TABLE];
            let given: Vec<u16> =
                keys.chunks(2).map(|two| u16::from_ne_bytes([two[0], two[1]])).collect();
            for symbol in (b'!'..=b'~').filter(|octet| !octet.is_ascii_alphanumeric()) {
                let there = given.contains(&u16::from(symbol));
                assert!(there || alike.contains(char::from(symbol)), "{layout:?} {symbol}");
            }
        }
    }

    #[test]
    fn the_keys_of_a_jis_keyboard_give_what_is_printed_on_them() {
        let table = with(Layout::Jis, empty()).unwrap();
        let given = |shifted: usize, key: usize| {
            let at = MAGIC.len() + TABLES + shifted * TABLE + key * 2;
            char::from_u32(u32::from(u16::from_ne_bytes([table[at], table[at + 1]]))).unwrap()
        };
        let pressed = [(0, 26), (0, 13), (0, 40), (1, 89), (0, 124), (1, 124)];
        let line: String = pressed.iter().map(|(shifted, key)| given(*shifted, *key)).collect();
        assert_eq!(line, without_spaces(SYMBOLS));
        // The third table is unchanged, and changing the layout back restores everything.
        assert!(table[MAGIC.len() + TABLES + 2 * TABLE..].iter().all(|octet| *octet == 0));
        let back = with(Layout::Us, table).unwrap();
        assert!(back == with(Layout::Us, empty()).unwrap());
    }

    #[test]
    fn a_table_of_another_form_is_left_alone() {
        assert_eq!(with(Layout::Jis, b"bkeymap".to_vec()), None);
        assert_eq!(
            with(Layout::Jis, b"?keymap".iter().chain(&empty()[7..]).copied().collect()),
            None
        );
        assert_eq!(with(Layout::Jis, empty()[..empty().len() - 1].to_vec()), None);
    }
}
