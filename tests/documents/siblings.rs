//! Both languages say the same: a document in Japanese has the headings, the commands and the
//! tables of its English sibling.
//!
//! What is printed is in the reader's language, and so are comments and the options that choose it:
//! these are not compared. `docs/usage.ja.md` and `docs/rules.ja.md` are written from the code: the
//! help texts are blocks of `text`, of which only the number is compared.

use super::{Block, console, parts, read};
use crate::support::root;

/// What people in the room and auditors read.
const IN_THE_ROOM: [&str; 12] = [
    "image",
    "anchor",
    "hsm",
    "on-a-token",
    "ends",
    "ledger",
    "cards",
    "activation",
    "papers",
    "publication",
    "duties",
    "readings",
];

/// Options whose value follows the reader: the language, and the offset of where it is spoken.
const OF_THE_READER: [&str; 3] = ["--lang", "--language", "--offset"];

/// The names of every document that is there in two languages, the English one first.
fn siblings() -> Vec<(String, String)> {
    let mut found = vec![("README.md".to_string(), "README.ja.md".to_string())];
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(stem) = name.strip_suffix(".ja.md") {
            found.push((format!("docs/{stem}.md"), format!("docs/{name}")));
        }
    }
    found
}

/// The level of each heading.
fn levels(outside: &[String]) -> Vec<usize> {
    let level = |line: &String| {
        let title = line.trim_start_matches('#');
        let level = line.len() - title.len();
        (level > 0 && title.starts_with(' ')).then_some(level)
    };
    outside.iter().filter_map(level).collect()
}

/// A line of code as it is in both languages.
fn shared(line: &str) -> String {
    let code = if line.starts_with('#') { "" } else { line.split(" # ").next().unwrap() };
    let mut words: Vec<String> = Vec::new();
    let mut rest = code.trim_end().split(' ');
    while let Some(word) = rest.next() {
        if !OF_THE_READER.contains(&word) {
            words.push(word.to_string());
        } else if rest.next().unwrap().ends_with(';') {
            words.last_mut().unwrap().push(';');
        }
    }
    words.join(" ")
}

/// The language of each block and, if nothing in it is printed, its code.
fn code(blocks: &[Block]) -> Vec<(&str, Vec<String>)> {
    let of = |block: &Block| {
        let printed = ["text", "console"].contains(&block.language.as_str());
        let lines = block.lines.iter().filter(|_| !printed);
        lines.map(|line| shared(line)).collect::<Vec<String>>()
    };
    blocks.iter().map(|block| (block.language.as_str(), of(block))).collect()
}

/// The commands of all `console` blocks.
fn commands(name: &str) -> Vec<String> {
    console(name).iter().map(|said| shared(&said.command)).collect()
}

/// The tables, with of each cell its code, if there is nothing else in the cell.
fn tables(outside: &[String]) -> Vec<Vec<Vec<Option<String>>>> {
    let lines = outside.split(|line| !line.starts_with('|'));
    let tables = lines.filter(|rows| !rows.is_empty());
    tables.map(|rows| rows.iter().map(|row| cells(row)).collect()).collect()
}

fn cells(row: &str) -> Vec<Option<String>> {
    let inner = row.strip_prefix('|').and_then(|row| row.strip_suffix('|'));
    let inner = inner.unwrap_or_else(|| panic!("a row without its end: {row}"));
    let code = |cell: &str| {
        let code = cell.trim().strip_prefix('`')?.strip_suffix('`')?;
        (!code.contains('`')).then(|| code.to_string())
    };
    inner.split('|').map(code).collect()
}

#[test]
fn both_languages_have_the_same_headings_commands_and_tables() {
    for (english, japanese) in siblings() {
        let (blocks, outside) = parts(&english);
        let (blocks_ja, outside_ja) = parts(&japanese);
        assert_eq!(levels(&outside), levels(&outside_ja), "headings of {japanese}");
        assert_eq!(code(&blocks), code(&blocks_ja), "blocks of {japanese}");
        assert_eq!(commands(&english), commands(&japanese), "commands of {japanese}");
        let (tables, tables_ja) = (tables(&outside), tables(&outside_ja));
        assert_eq!(tables.len(), tables_ja.len(), "tables of {japanese}");
        for (number, (table, table_ja)) in tables.iter().zip(&tables_ja).enumerate() {
            assert_eq!(table, table_ja, "{japanese}, table {}", number + 1);
        }
    }
}

#[test]
fn each_language_leads_to_the_other() {
    for (english, japanese) in siblings() {
        let ways = [(&english, "日本語", &japanese), (&japanese, "English", &english)];
        for (name, word, other) in ways {
            let link = format!("[{word}]({})", other.trim_start_matches("docs/"));
            assert!(read(name).lines().take(5).any(|line| line == link), "{name}: {link}");
        }
    }
}

/// A Japanese document leads to Japanese ones, except to its own sibling.
#[test]
fn who_reads_japanese_is_led_to_japanese() {
    let siblings = siblings();
    for (english, japanese) in &siblings {
        let text = read(japanese);
        for (other, _) in siblings.iter().filter(|(other, _)| other != english) {
            let from_docs = other.trim_start_matches("docs/");
            let link = if japanese.starts_with("docs/") { from_docs } else { other.as_str() };
            for end in [")", "#"] {
                let link = format!("]({link}{end}");
                assert!(!text.contains(&link), "{japanese}: {link}");
            }
        }
    }
}

#[test]
fn what_is_read_in_the_room_is_there_in_both_languages() {
    let siblings = siblings();
    for name in IN_THE_ROOM {
        let pair = (format!("docs/{name}.md"), format!("docs/{name}.ja.md"));
        assert!(siblings.contains(&pair), "docs/{name}.ja.md is missing");
        assert!(root().join(&pair.0).is_file(), "{}", pair.0);
    }
}
