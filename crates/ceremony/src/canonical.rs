//! The canonical text of a document: the text that is digested and kept in a sealed folder.
//!
//! Two documents with the same meaning have the same canonical text: comments, white space, the
//! order of entries, the notation of tables and numbers, and the offset of a time are normalised.
//! The canonical text is TOML and parses to the same document.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use toml::value::{Array, Datetime};
use toml::{Table, Value};

use crate::text::{form, text_of};
use crate::time::Instant;
use crate::violation::{Input, Violation};

/// Returns the canonical text of a document.
///
/// # Errors
///
/// A violation if the document is not plain text or not TOML.
pub fn canonical(input: Input, octets: &[u8]) -> Result<String, Violation> {
    let text = text_of(input, octets)?;
    let table: Table = toml::from_str(text).map_err(|error| form(input, text, &error))?;
    let mut out = String::new();
    write_table(&mut out, &mut Vec::new(), &table);
    Ok(out.trim_start().to_string())
}

/// One table of a canonical text.
#[derive(Debug)]
pub(crate) struct Heading<'t> {
    /// Its name; empty for the entries before the first heading.
    pub(crate) name: &'t str,
    /// Whether it is an element of an array of tables.
    pub(crate) listed: bool,
    /// Its entries, as name and value.
    pub(crate) entries: Vec<(&'t str, &'t str)>,
}

/// Splits a canonical text into its tables. Each heading and each entry of the text is one line.
pub(crate) fn headings(text: &str) -> Vec<Heading<'_>> {
    let mut found = Vec::from([Heading { name: "", listed: false, entries: Vec::new() }]);
    for line in text.lines() {
        let bare = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
        let listed = bare.and_then(|bare| bare.strip_prefix('[')?.strip_suffix(']'));
        match (bare, listed, line.split_once(" = "), found.last_mut()) {
            (Some(bare), _, _, _) => found.push(Heading {
                name: listed.unwrap_or(bare),
                listed: listed.is_some(),
                entries: Vec::new(),
            }),
            (None, _, Some(entry), Some(last)) => last.entries.push(entry),
            (None, _, None, _) | (None, _, Some(_), None) => {}
        }
    }
    found
}

/// Writes a table: first its entries, by name; then its inner tables, by name, each under its full
/// heading.
fn write_table(out: &mut String, path: &mut Vec<String>, table: &Table) {
    for (name, value) in sorted(table) {
        if !is_heading(value) {
            let _ = write!(out, "{} = ", key(name));
            write_value(out, value);
            out.push('\n');
        }
    }
    for (name, value) in sorted(table) {
        path.push(key(name));
        match value {
            Value::Table(inner) => {
                let _ = write!(out, "\n[{}]\n", path.join("."));
                write_table(out, path, inner);
            }
            Value::Array(items) if is_heading(value) => {
                for inner in items.iter().filter_map(Value::as_table) {
                    let _ = write!(out, "\n[[{}]]\n", path.join("."));
                    write_table(out, path, inner);
                }
            }
            Value::Array(_)
            | Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => {}
        }
        path.pop();
    }
}

fn sorted(table: &Table) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| *name);
    entries
}

/// Whether a value is written under a heading: a table, or a non-empty array that holds only
/// tables.
fn is_heading(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(items) => !items.is_empty() && items.iter().all(Value::is_table),
        Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_) => false,
    }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_string() } else { quoted(name) }
}

/// Returns a value as a canonical text has it.
pub(crate) fn written(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    let text = match value {
        Value::String(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(at) => time(at),
        Value::Array(items) => return write_array(out, items),
        Value::Table(table) => {
            out.push_str("{ ");
            for (index, (name, value)) in sorted(table).into_iter().enumerate() {
                let _ = write!(out, "{}{} = ", if index == 0 { "" } else { ", " }, key(name));
                write_value(out, value);
            }
            out.push_str(" }");
            return;
        }
    };
    out.push_str(&text);
}

fn write_array(out: &mut String, items: &Array) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_value(out, item);
    }
    out.push(']');
}

/// Writes an instant in its own offset in one form, and a bare date as it is.
fn time(at: &Datetime) -> String {
    let text = at.to_string();
    text.parse::<Instant>().map_or(text, |instant| instant.to_string())
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other if other.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn of(text: &str) -> String {
        canonical(Input::Plan, text.as_bytes()).unwrap()
    }

    #[test]
    fn form_leaves_no_trace() {
        let one = "b = 1\na = 'x' # c\n[t.u]\nd = 2026-04-01T00:00:00+09:00\n[[l]]\nx = [1,\n 2]\n[[l]]\n";
        let other = "l = [{x = [0x1, 2]}, {}]\na = \"x\"\nt = { u = { d = 2026-04-01t00:00:00+09:00 } }\nb = +1\n";
        assert_eq!(of(one), of(other));
        assert_eq!(of(&of(one)), of(one));
        let read: Table = toml::from_str(&of(one)).unwrap();
        assert_eq!(read.get("b").unwrap().as_integer(), Some(1));
    }

    #[test]
    fn meaning_leaves_its_trace() {
        let texts = [
            "a = 1",
            "a = 2",
            "a = '1'",
            "b = 1",
            "[a]",
            "a = [1]",
            "a = true",
            "a = [[1]]",
            "a = []",
            "a = 2026-04-01T00:00:00+09:00",
            "a = 2026-03-31T15:00:00Z",
        ];
        let all: alloc::collections::BTreeSet<String> = texts.iter().map(|t| of(t)).collect();
        assert_eq!(all.len(), texts.len());
    }

    #[test]
    fn every_string_comes_back() {
        for text in ["", "\"", "\\", "a\\\"b", "日本語", "a b", "\\u0000", "é"] {
            let table = Table::from_iter([(text.to_string(), Value::String(text.to_string()))]);
            let mut out = String::new();
            write_table(&mut out, &mut Vec::new(), &table);
            assert_eq!(toml::from_str::<Table>(&out).unwrap(), table);
        }
    }
}
