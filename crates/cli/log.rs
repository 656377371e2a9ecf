//! `log`: shows the records of ceremonies, filtered by person, kind, result and time (CP/CPS 5.4.1,
//! 5.4.3).
//!
//! It reads and judges nothing: whether the records are true is what `verify` says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ceremony::fault::Fault;
use ceremony::name::Name;
use ceremony::record::{BootEvent, Event, Outcome, Record};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::seal::{JOURNAL_FILE, TRANSCRIPT_FILE};
use ceremony::time::Instant;
use ceremony::verify::Refusal;
use serde::Serialize;
use serde_json::Value;

use crate::args::{Form, Log};
use crate::halt::Halt;
use crate::lang::{Lang, language, pick};
use crate::report::{padded, plain, print, tell};
use crate::sources::shown;
use crate::{events, files, ledgers};

/// The records behind the seal.
const AFTER_FILE: &str = "after.jsonl";

/// The kind of a line that the live image recorded before a session.
const BOOT: &str = "boot";

/// A line of the log: a record, or an event of the live image that a record carries.
struct Line {
    ceremony: String,
    book: &'static str,
    number: u64,
    at: Instant,
    kind: String,
    result: Outcome,
    origin: String,
    /// Who signed it.
    signed: Vec<Name>,
    /// Everybody who is in it, with those who signed it.
    people: Vec<Name>,
    terminal: String,
    said: String,
}

impl Line {
    /// `titles` are what the script beside the record calls each operation.
    fn of(
        ceremony: &str,
        book: &'static str,
        record: &Record,
        titles: &BTreeMap<String, String>,
        lang: Lang,
    ) -> Self {
        let title = |op: &str| match titles.get(op) {
            Some(title) => format!("{title} `{op}`"),
            None => op.to_string(),
        };
        let signed: Vec<Name> = record.signed.keys().cloned().collect();
        Self {
            ceremony: ceremony.to_string(),
            book,
            number: record.number,
            at: record.at,
            kind: text_of(&record.event, |event| event.get("kind").cloned()),
            result: record.result,
            origin: record.origin.clone(),
            people: record.event.people().iter().chain(&signed).cloned().collect(),
            signed,
            terminal: record.terminal.clone(),
            said: events::said(&record.event, &title, lang),
        }
    }

    /// An event that this record carries.
    fn before(record: &Self, event: &BootEvent, lang: Lang) -> Self {
        Self {
            ceremony: record.ceremony.clone(),
            book: record.book,
            number: record.number,
            at: event.at,
            kind: BOOT.to_string(),
            result: event.result,
            origin: events::IMAGE.to_string(),
            signed: Vec::new(),
            people: Vec::new(),
            terminal: record.terminal.clone(),
            said: events::before(event, lang),
        }
    }

    fn signers(&self) -> String {
        self.signed.iter().map(Name::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// Shows a log.
pub(crate) fn show(asked: &Log, lang: Lang) -> Result<(), Halt> {
    let mut lines = Vec::new();
    for folder in ceremonies(&asked.folder)? {
        lines.extend(read(&folder, lang)?.into_iter().filter(|line| is_asked(line, asked)));
    }
    tell(pick(
        lang,
        "記録をそのまま示す。正しいかどうかは `gishiki verify` が判定する",
        "the records as they stand; `gishiki verify` says whether they are true",
    ));
    print(&match asked.form {
        Form::Text => text(&lines, lang),
        Form::Json => json(&lines),
        Form::Csv => csv(&lines),
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

/// What the script in this folder calls each operation; nothing where there is no script, as beside
/// a journal.
fn titles(folder: &Path, lang: Lang) -> Result<BTreeMap<String, String>, Halt> {
    let path = folder.join(format!("script.{}.md", language(lang).code()));
    if path.symlink_metadata().is_err() {
        return Ok(BTreeMap::new());
    }
    let octets = files::read_sealed(&path)?;
    let titled = |line: &str| {
        let (_, rest) = line.strip_prefix("### ")?.split_once(". ")?;
        let (title, op) = rest.strip_suffix('`')?.rsplit_once(" `")?;
        Some((op.to_string(), plain(title)))
    };
    Ok(String::from_utf8_lossy(&octets).lines().filter_map(titled).collect())
}

fn read(folder: &Path, lang: Lang) -> Result<Vec<Line>, Halt> {
    let titles = titles(folder, lang)?;
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
            if let Event::Opened(opened) = &record.event {
                ceremony = opened.ceremony.to_string();
            }
            let line = Line::of(&ceremony, book, &record, &titles, lang);
            let before = record.event.place().map_or(&[][..], |place| &place.since_boot);
            lines.extend(before.iter().map(|event| Line::before(&line, event, lang)));
            lines.push(line);
        }
    }
    Ok(lines)
}

fn is_asked(line: &Line, asked: &Log) -> bool {
    asked.person.as_ref().is_none_or(|person| line.people.contains(person))
        && asked.kind.as_ref().is_none_or(|kind| *kind == line.kind)
        && asked.result.as_ref().is_none_or(|result| *result == result_of(line))
        && asked.from.is_none_or(|from| line.at >= from)
        && asked.until.is_none_or(|until| line.at <= until)
}

/// The word that a record itself has for a value.
fn text_of(value: &impl Serialize, part: impl Fn(Value) -> Option<Value>) -> String {
    let value = serde_json::to_value(value).ok().and_then(part);
    value.as_ref().and_then(Value::as_str).map_or_else(String::new, String::from)
}

/// The word that records have for a result.
fn result_of(line: &Line) -> String {
    text_of(&line.result, Some)
}

fn text(lines: &[Line], lang: Lang) -> String {
    let row = |line: &Line| {
        let Line { book, number, at, result, origin, said, .. } = line;
        let place = if *book == AFTER_FILE { "+" } else { " " };
        let number = if line.kind == BOOT { String::new() } else { number.to_string() };
        let signed = match line.signers() {
            none if none.is_empty() => none,
            signed => format!(" ✍ {signed}"),
        };
        let result = padded(events::result(*result, lang), 9);
        let origin = padded(events::origin(origin, lang), 13);
        format!("{at} {place}{number:<4} {result}{origin}{said}{signed}\n")
    };
    lines.iter().map(row).collect()
}

/// The columns of the CSV form, which are the members of the JSON form.
fn columns(line: &Line) -> [(&'static str, String); 10] {
    [
        ("ceremony", line.ceremony.clone()),
        ("book", line.book.to_string()),
        ("number", line.number.to_string()),
        ("at", line.at.to_string()),
        ("kind", line.kind.clone()),
        ("result", result_of(line)),
        ("origin", line.origin.clone()),
        ("signed", line.signers()),
        ("terminal", line.terminal.clone()),
        ("said", line.said.clone()),
    ]
}

fn json(lines: &[Line]) -> String {
    let object = |line: &Line| {
        let columns = columns(line).into_iter();
        Value::Object(columns.map(|(name, text)| (name.to_string(), Value::from(text))).collect())
    };
    format!("{:#}\n", Value::Array(lines.iter().map(object).collect()))
}

fn csv(lines: &[Line]) -> String {
    let heading = lines.first().map(|line| columns(line).map(|(name, _)| name).join(","));
    let rows = lines.iter().map(|line| columns(line).map(|(_, text)| quoted(&text)).join(","));
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
