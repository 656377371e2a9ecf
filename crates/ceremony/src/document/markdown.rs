//! Sets a document as Markdown (CommonMark with tables).
//!
//! One fact stands on one line, so a difference of two documents shows what changed. A line to
//! write on is a run of `_` between spaces, which Markdown takes for no emphasis.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::{Blank, Block, Document, Span, Step, StepWords, Table, Text};
use crate::language::Language;
use crate::words;

/// Sets the document as Markdown.
#[must_use]
pub fn markdown(document: &Document) -> String {
    let mut out = format!("# {}\n\n", document.title);
    for block in &document.blocks {
        write_block(&mut out, block, document.language);
    }
    // A file ends with one line feed.
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn write_block(out: &mut String, block: &Block, language: Language) {
    match block {
        Block::Part(title) => {
            let _ = writeln!(out, "## {title}\n");
        }
        Block::Paragraph(text) => {
            let _ = writeln!(out, "{}\n", set(text));
        }
        Block::List(items) => {
            for item in items {
                let _ = writeln!(out, "- {}", set(item));
            }
            out.push('\n');
        }
        Block::Numbered(items) => {
            for (number, item) in (1_u32..).zip(items) {
                let _ = writeln!(out, "{number}. {}", set(item));
            }
            out.push('\n');
        }
        Block::Lines(lines) => {
            let fence = fence(lines, 3);
            let _ = writeln!(out, "{fence}text\n{}\n{fence}\n", lines.trim_end_matches('\n'));
        }
        Block::Value(name, digest) => {
            let _ = writeln!(out, "**{name}**\n\n```text\n{digest}");
            for line in words::shown(&digest.0, language) {
                let _ = writeln!(out, "{line}");
            }
            out.push_str("```\n\n");
        }
        Block::Table(table) => write_table(out, table),
        Block::Steps(labels, parts) => {
            for part in parts {
                let _ = writeln!(out, "## {}\n", part.title);
                for step in &part.steps {
                    write_step(out, *labels, step);
                }
            }
        }
        Block::Drawing(drawing) => {
            let _ = writeln!(out, "{}\n", drawing.says);
        }
    }
}

fn write_table(out: &mut String, table: &Table) {
    let names: Vec<&str> = table.head.iter().map(|column| column.name).collect();
    let _ = writeln!(out, "| {} |", names.join(" | "));
    let _ = writeln!(out, "|{}", "---|".repeat(table.head.len()));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| set(cell).replace('|', "\\|")).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn write_step(out: &mut String, labels: StepWords, step: &Step) {
    let _ = writeln!(out, "### {}. {} `{}`\n", step.number, step.title, step.name);
    let _ = writeln!(out, "- {}: {} [{}]", labels.who, step.who.join("; "), step.section);
    let _ = writeln!(out, "- {}: {}", labels.say, set(&step.say));
    let _ = writeln!(out, "- {}: {}", labels.see, set(&step.see));
    let (time, initials) = (blank(Blank::Time), blank(Blank::Initials));
    let _ = writeln!(out, "- {} {time} {} {initials}", labels.time, labels.initials);
    for text in &step.writes {
        let _ = writeln!(out, "- {}", set(text));
    }
    out.push('\n');
}

/// A text on one line.
pub(super) fn set(text: &Text) -> String {
    text.0
        .iter()
        .map(|span| match span {
            Span::Words(words) => unmarked(words),
            Span::Code(code) => self::code(code),
            Span::Strong(words) => format!("**{}**", unmarked(words)),
            Span::Blank(place) => blank(*place),
        })
        .collect()
}

/// More backticks than stand together in a text, and at least so many.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(least.max(longest.saturating_add(1)))
}

/// A code span.
pub(crate) fn code(text: &str) -> String {
    let fence = fence(text, 1);
    let pad = if fence.len() > 1 { " " } else { "" };
    if text.is_empty() { String::new() } else { format!("{fence}{pad}{text}{pad}{fence}") }
}

/// Words in which no letter is markup, whoever wrote them. `_` within a word is none by itself, nor
/// is a bar outside a table.
pub(crate) fn unmarked(words: &str) -> String {
    let mut out = String::new();
    let mut before = ' ';
    let mut letters = words.chars().peekable();
    while let Some(letter) = letters.next() {
        let after = letters.peek().copied().unwrap_or(' ');
        let is_markup = match letter {
            '<' | '&' | '*' | '`' | '~' | '\\' => true,
            '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
            '(' => before == ']',
            _ => false,
        };
        if is_markup {
            out.push('\\');
        }
        out.push(letter);
        before = letter;
    }
    out
}

fn blank(blank: Blank) -> String {
    let groups = |digits: usize, of: usize| ["_".repeat(digits).as_str()].repeat(of).join(" ");
    match blank {
        Blank::Time => "____ : ____".to_string(),
        Blank::Date => "______ - ____ - ____".to_string(),
        Blank::Initials => "________".to_string(),
        Blank::Id => "______".to_string(),
        Blank::Words(Language::En) => groups(9, 8),
        Blank::Words(Language::Ja) => groups(9, 6),
        Blank::AllWords(Language::En) => groups(9, 32),
        Blank::AllWords(Language::Ja) => groups(9, 24),
        Blank::Digits => groups(4, 16),
        Blank::Line => "____________________".to_string(),
        Blank::Lines => groups(40, 3),
    }
}

#[cfg(test)]
mod tests {
    use super::{Text, set};

    #[test]
    fn nobodys_words_are_markup() {
        for (words, shown) in [
            ("<b>slow</b> & *so*", "\\<b>slow\\</b> \\& \\*so\\*"),
            ("CKA_LABEL, _so_", "CKA_LABEL, \\_so\\_"),
            ("[p01](x) [p02]", "[p01]\\(x) [p02]"),
            ("`a` ~b~ \\c", "\\`a\\` \\~b\\~ \\\\c"),
        ] {
            assert_eq!(set(&Text::plain(words)), shown);
        }
        assert_eq!(set(&Text::code("a``b")), "``` a``b ```");
    }
}
