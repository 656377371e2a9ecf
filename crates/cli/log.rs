//! `log`: shows the records of ceremonies, filtered by person, kind, result and time (CP/CPS 5.4.1,
//! 5.4.3).
//!
//! It reads and judges nothing: whether the records are true is what `verify` says.

use std::path::{Path, PathBuf};

use ceremony::fault::Fault;
use ceremony::name::Name;
use ceremony::record::Record;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::seal::{JOURNAL_FILE, TRANSCRIPT_FILE};
use ceremony::verify::Refusal;
use serde_json::Value;

use crate::args::{Form, Log};
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::report::{print, tell};
use crate::sources::shown;
use crate::{events, files, ledgers};

/// The records behind the seal.
const AFTER_FILE: &str = "after.jsonl";

/// One record, and where it stands.
struct Line {
    ceremony: String,
    book: &'static str,
    record: Record,
}

/// Shows a log.
pub(crate) fn show(asked: &Log, lang: Lang) -> Result<(), Halt> {
    let mut lines = Vec::new();
    for folder in ceremonies(&asked.folder)? {
        lines.extend(read(&folder)?.into_iter().filter(|line| is_asked(line, asked)));
    }
    tell(pick(
        lang,
        "記録をそのまま示す。正しいかどうかは `gishiki verify` が判定する",
        "the records as they stand; `gishiki verify` says whether they are true",
    ));
    print(&match asked.form {
        Form::Text => text(&lines, lang),
        Form::Json => json(&lines, lang),
        Form::Csv => csv(&lines, lang),
    })
}

/// The folder itself if it holds records; otherwise those of the ledger, in its order.
fn ceremonies(folder: &Path) -> Result<Vec<PathBuf>, Halt> {
    let has = |name: &str| folder.join(name).symlink_metadata().is_ok();
    if has(TRANSCRIPT_FILE) || has(JOURNAL_FILE) {
        return Ok(vec![folder.to_path_buf()]);
    }
    let whole = ledgers::whole(ledgers::list(folder)?, folder)?;
    Ok(whole.into_iter().map(|entry| entry.folder).collect())
}

fn read(folder: &Path) -> Result<Vec<Line>, Halt> {
    let mut lines: Vec<Line> = Vec::new();
    let mut ceremony = String::new();
    for book in [TRANSCRIPT_FILE, JOURNAL_FILE, AFTER_FILE] {
        let path = folder.join(book);
        if path.symlink_metadata().is_err() {
            continue;
        }
        let octets = files::read_sealed(&path)?;
        for (number, line) in String::from_utf8_lossy(&octets).lines().enumerate() {
            let record = Record::read(line).map_err(|error| {
                let (file, number) = (shown(&path), number + 1);
                let place = says!("{file} の {number} 行目", "{file} line {number}");
                let asked = says!("1 件の記録", "a record");
                let fault = Fault::new(RuleId::S_RECORD, asked, error.said());
                Halt::Verification(Refusal { place, fault })
            })?;
            if let ceremony::record::Event::Opened(opened) = &record.event {
                ceremony = opened.ceremony.to_string();
            }
            lines.push(Line { ceremony: ceremony.clone(), book, record });
        }
    }
    Ok(lines)
}

fn is_asked(line: &Line, asked: &Log) -> bool {
    let Record { at, event, signed, .. } = &line.record;
    let is_of = |person: &Name| event.people().contains(person) || signed.contains_key(person);
    asked.person.as_ref().is_none_or(is_of)
        && asked.kind.as_ref().is_none_or(|kind| *kind == text_of(&line.record, "kind"))
        && asked.result.as_ref().is_none_or(|result| *result == text_of(&line.record, "result"))
        && asked.from.is_none_or(|from| *at >= from)
        && asked.until.is_none_or(|until| *at <= until)
}

/// The word that a record itself has for its kind or its result.
fn text_of(record: &Record, name: &str) -> String {
    let value = match name {
        "kind" => serde_json::to_value(&record.event).ok().and_then(|e| e.get("kind").cloned()),
        _ => serde_json::to_value(record.result).ok(),
    };
    value.as_ref().and_then(Value::as_str).map_or_else(String::new, String::from)
}

fn said(line: &Line, lang: Lang) -> String {
    events::said(&line.record.event, &str::to_string, lang)
}

fn signers(line: &Line) -> String {
    let signed: Vec<&str> = line.record.signed.keys().map(Name::as_str).collect();
    signed.join(" ")
}

fn text(lines: &[Line], lang: Lang) -> String {
    let row = |line: &Line| {
        let Record { at, number, origin, .. } = &line.record;
        let place = if line.book == AFTER_FILE { "+" } else { " " };
        let signed = match signers(line) {
            none if none.is_empty() => none,
            signed => format!(" ✍ {signed}"),
        };
        let result = text_of(&line.record, "result");
        format!("{at} {place}{number:<4} {result:<8} {origin:<12} {}{signed}\n", said(line, lang))
    };
    lines.iter().map(row).collect()
}

/// The columns of the CSV form, which are the members of the JSON form.
fn columns(line: &Line, lang: Lang) -> [(&'static str, String); 10] {
    let Record { at, number, origin, terminal, .. } = &line.record;
    [
        ("ceremony", line.ceremony.clone()),
        ("book", line.book.to_string()),
        ("number", number.to_string()),
        ("at", at.to_string()),
        ("kind", text_of(&line.record, "kind")),
        ("result", text_of(&line.record, "result")),
        ("origin", origin.clone()),
        ("signed", signers(line)),
        ("terminal", terminal.clone()),
        ("said", said(line, lang)),
    ]
}

fn json(lines: &[Line], lang: Lang) -> String {
    let object = |line: &Line| {
        let columns = columns(line, lang).into_iter();
        Value::Object(columns.map(|(name, text)| (name.to_string(), Value::from(text))).collect())
    };
    format!("{:#}\n", Value::Array(lines.iter().map(object).collect()))
}

fn csv(lines: &[Line], lang: Lang) -> String {
    let heading = lines.first().map(|line| columns(line, lang).map(|(name, _)| name).join(","));
    let rows =
        lines.iter().map(|line| columns(line, lang).map(|(_, text)| quoted(&text)).join(","));
    heading.into_iter().chain(rows).map(|row| row + "\r\n").collect()
}

/// A field of RFC 4180. A text that a spreadsheet would take for a formula gets a leading `'`.
fn quoted(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if is_formula { format!("'{text}") } else { text.to_string() };
    match text.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}
