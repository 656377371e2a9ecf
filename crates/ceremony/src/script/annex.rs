//! The script's annexes: how to go on after an interruption, the numbers of later attempts, what to
//! do on a refusal, the slip that `anchor.toml` is copied from, sheets for what differs, what
//! everybody signs at the end, and the words of the script.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::{Labels, numbers};
use crate::compile::Compiled;
use crate::document::{Blank, Block, Table, Text};
use crate::graph::{Graph, Origin, Phase};
use crate::hex::encode;
use crate::language::Language;
use crate::says;
use crate::words;

/// How many later attempts the annex lists of each number.
const LISTED: u32 = 3;

/// So many heads may be asked for that no step of the script has a line for: one after each
/// refusal, and one for each failed making of a key.
const MORE_HEADS: usize = 6;

/// So many things may differ before another sheet is taken.
const SHEET_ROWS: usize = 8;

/// The annexes, in order.
pub(super) fn blocks(compiled: &Compiled, language: Language) -> Vec<Block> {
    let graph = &compiled.graph;
    let labels = language.labels();
    let part = |title: &str| Block::Part(title.to_string());
    let said = |text: &str| Block::Paragraph(Text::of(text));
    let mut blocks = vec![part(labels.annex_resume)];
    blocks.push(Block::Numbered(labels.resume.iter().map(|text| Text::of(text)).collect()));
    blocks.push(said(labels.questions));
    blocks.push(Block::Table(questions(graph, labels)));
    blocks.push(said(labels.more_heads));
    let after = Text::plain(labels.after_step).and(Text::blank(Blank::Id));
    let more = labels.head(after.and(Text::plain(labels.line_of_words)), language);
    blocks.push(Block::List(vec![more; MORE_HEADS]));
    blocks.extend([part(labels.annex_attempts), said(labels.attempts)]);
    blocks.push(Block::Lines(attempts(graph, language)));
    blocks.extend([part(labels.annex_refusal), said(labels.refusal)]);
    blocks.extend([part(labels.annex_slip), said(labels.slip)]);
    slip(&mut blocks, compiled, language);
    blocks.extend([part(labels.annex_differs), said(labels.differs)]);
    blocks.push(Block::Table(sheet(labels)));
    blocks.extend([part(labels.annex_attest), said(labels.attest)]);
    blocks.push(Block::Table(attestation(graph, language)));
    blocks.push(part(labels.annex_words));
    let row = |[word, means]: &[&str; 2]| [Text::of(word), Text::of(means)].into();
    blocks.push(Block::Table(Table {
        caption: labels.annex_words.to_string(),
        head: labels.words_head.into(),
        rows: labels.words.iter().map(row).collect(),
        is_form: false,
    }));
    blocks
}

/// What may be asked when a ceremony is resumed, in the order in which it is asked.
fn questions(graph: &Graph, labels: &Labels) -> Table {
    let steps = numbers(graph, Phase::Opening);
    let steps = steps.map_or_else(String::new, |(first, last)| format!("{first} – {last}"));
    let row = |row: &[&str; 3]| row.map(|cell| Text::of(&cell.replace("{steps}", &steps))).into();
    let again = core::iter::once(&labels.questions_steps);
    let rows = labels.questions_first.iter().chain(again).chain(labels.questions_later);
    Table {
        caption: labels.annex_resume.to_string(),
        head: labels.questions_head.into(),
        rows: rows.map(row).collect(),
        is_form: false,
    }
}

/// The numbers of later attempts.
fn attempts(graph: &Graph, language: Language) -> String {
    let word = language.pick(&says!("試行", "attempt")).to_string();
    let numbered = language.pick(&says!("シリアル番号", "serial")).to_string();
    let mut lines = Vec::new();
    for certificate in &graph.certificates {
        for attempt in 1..=LISTED {
            let serial = encode(&graph.serial(&certificate.name, attempt));
            lines.push(format!("{} {word} {attempt}  {numbered} {serial}", certificate.name));
        }
    }
    for key in graph.keys.iter().filter(|key| key.origin == Origin::Here) {
        for attempt in 1..=LISTED {
            let id = encode(&key.id(graph, attempt).0);
            lines.push(format!("{} {word} {attempt}  CKA_ID {id}", key.name));
        }
    }
    lines.join("\n")
}

/// What is known stands on the slip already; the rest is written by hand, in words.
fn slip(blocks: &mut Vec<Block>, compiled: &Compiled, language: Language) {
    let (graph, labels) = (&compiled.graph, language.labels());
    let id = compiled.bindings.id();
    let mut lines = vec![
        format!("sequence    {}", graph.sequence),
        format!("name        {}", graph.ceremony),
        format!("bindings    {id}"),
    ];
    lines.extend(words::own(&id.0, language).into_iter().map(|line| format!("            {line}")));
    blocks.push(Block::Lines(lines.join("\n")));
    let makes_audit_key = graph.audit_key().is_some_and(|key| key.origin == Origin::Here);
    let audit_key = makes_audit_key.then_some(labels.slip_audit_key);
    let blanks = [Some(labels.slip_head), audit_key, Some(labels.slip_postscript)];
    let blank = |label: &str| Text::of(label).and(Text::blank(Blank::AllWords(language)));
    blocks.push(Block::List(blanks.into_iter().flatten().map(blank).collect()));
    let signed = Text::plain(labels.date)
        .and(Text::blank(Blank::Date))
        .and(Text::plain(labels.all_sign))
        .and(Text::blank(Blank::Line));
    blocks.push(Block::Paragraph(signed));
}

/// The sheet for what differs from the script.
fn sheet(labels: &Labels) -> Table {
    let blank = [Blank::Time, Blank::Id, Blank::Lines, Blank::Line].map(Text::blank);
    Table {
        caption: labels.annex_differs.to_string(),
        head: labels.differs_head.into(),
        rows: vec![blank.into(); SHEET_ROWS],
        is_form: true,
    }
}

/// What everybody signs at the end.
fn attestation(graph: &Graph, language: Language) -> Table {
    let labels = language.labels();
    let row = |(id, person): (&crate::name::Name, &crate::graph::Person)| {
        let name = Text::plain(language.pick(&person.name));
        let [date, time, signed] = [Blank::Date, Blank::Time, Blank::Line].map(Text::blank);
        [Text::plain(id), name, date, time, signed].into()
    };
    Table {
        caption: labels.annex_attest.to_string(),
        head: labels.attest_head.into(),
        rows: graph.people.iter().map(row).collect(),
        is_form: true,
    }
}
