//! The script: the graph as the document that people hold in the room (構築手順書), in Japanese or
//! English.
//!
//! It is made from the same graph as the run, so what is on paper is what the machine asks for, in
//! the same order, under the same numbers. Its title page shows the digests that people enter and
//! compare.
//!
//! **Deliberately absent:** anything that the graph, the bindings and the inputs do not say, and
//! how it is set ([`crate::document`]).

mod annex;
mod en;
mod ja;
mod labels;
mod title;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use self::labels::Labels;
use crate::compile::Compiled;
use crate::document::{self, Blank, Block, Document, Text, first_words};
use crate::graph::{Act, Graph, Item, Op, PeopleAct, Phase, Signers};
use crate::language::Language;
use crate::name::Name;

/// What a step is called, what is said, and what must be seen.
pub struct Step {
    /// Its title.
    pub title: String,
    /// What is said or done.
    pub say: String,
    /// What must be seen before going on.
    pub see: String,
}

/// The step of an operation in this language.
#[must_use]
pub fn step(graph: &Graph, op: &Op, language: Language) -> Step {
    match language {
        Language::Ja => ja::step(graph, op),
        Language::En => en::step(graph, op),
    }
}

/// Who acts in an operation, in this language: numbers, roles and the people who may.
#[must_use]
pub fn who(graph: &Graph, op: &Op, language: Language) -> Vec<String> {
    let labels = language.labels();
    let duty = |duty: &crate::graph::Duty| {
        let persons: Vec<String> = duty
            .persons
            .iter()
            .map(|id| {
                let name = graph.people.get(id).map_or("", |person| language.pick(&person.name));
                format!("{name} ({id})")
            })
            .collect();
        let (role, least) = (role(graph, &duty.role, language), duty.at_least);
        let some = persons.len() > least;
        let persons = persons.join(", ");
        match (language, some) {
            (Language::Ja, true) => format!("{role}(次の者のうち {least} 名): {persons}"),
            (Language::Ja, false) => format!("{role} {least} 名: {persons}"),
            (Language::En, _) => format!("{role} {least} of {persons}"),
        }
    };
    let signed = op.signers().map(|signers| match signers {
        Signers::WhoAnswers => labels.signed.to_string(),
        Signers::One(person) => format!("{} ({person})", labels.signed_by),
    });
    op.by.iter().map(duty).chain(signed).collect()
}

/// A role's name in this language.
#[must_use]
pub fn role(graph: &Graph, role: &Name, language: Language) -> String {
    language.pick(&graph.role(role)).to_string()
}

/// The whole script, in Markdown.
#[must_use]
pub fn render(compiled: &Compiled, language: Language) -> String {
    document::markdown(&made(compiled, language))
}

/// The whole script as an HTML file for paper.
#[must_use]
pub fn page(compiled: &Compiled, language: Language) -> String {
    document::html(&made(compiled, language))
}

fn made(compiled: &Compiled, language: Language) -> Document {
    let graph = &compiled.graph;
    let labels = language.labels();
    let mut blocks = title::blocks(compiled, language);
    let part = |(phase, title): (Phase, &'static str)| {
        let ops = graph.ops.iter().filter(|op| op.act.phase() == phase);
        let steps: Vec<document::Step> = ops.map(|op| set(graph, op, language)).collect();
        (!steps.is_empty()).then(|| document::Part { title: title.to_string(), steps })
    };
    let parts = Phase::ALL.into_iter().zip(labels.phases).filter_map(part).collect();
    blocks.push(Block::Steps(labels.columns, parts));
    blocks.extend(annex::blocks(compiled, language));
    Document {
        language,
        title: format!("{}: {} / {}", labels.title, graph.ca, graph.ceremony),
        running: [
            format!("{} / {} (#{})", graph.ca, graph.ceremony, graph.sequence),
            format!("graph: {}", first_words(&graph.id(), language)),
        ],
        blocks,
    }
}

/// An operation as a step of the document.
fn set(graph: &Graph, op: &Op, language: Language) -> document::Step {
    let labels = language.labels();
    let Step { title, say, see } = step(graph, op, language);
    let mut writes = Vec::new();
    if matches!(op.act, Act::People(PeopleAct::Fingerprint { .. })) {
        writes.push(Text::plain(labels.fingerprint).and(Text::blank(Blank::Digits)));
    }
    if op.noted {
        writes.push(labels.head(Text::plain(labels.head), language));
    }
    document::Step {
        number: op.id.number().to_string(),
        name: op.name.clone(),
        title,
        who: who(graph, op, language),
        section: op.section.to_string(),
        say: Text::of(&say),
        see: Text::of(&see),
        writes,
    }
}

/// The numbers of the first and the last step of a part; `None` if the ceremony has none of it.
fn numbers(graph: &Graph, phase: Phase) -> Option<(usize, usize)> {
    let mut of_part = graph.ops.iter().filter(|op| op.act.phase() == phase);
    let first = of_part.next()?.id.number();
    Some((first, of_part.next_back().map_or(first, |op| op.id.number())))
}

/// The first and the last structure of a sheet, and how many there are.
fn sheet_names(graph: &Graph, items: &[Item]) -> (String, usize) {
    (first_to_last(items.iter().filter_map(|item| graph.item_name(*item))), items.len())
}

fn first_to_last<'a>(names: impl Iterator<Item = &'a Name>) -> String {
    match names.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first, .., last] => format!("`{first}` – `{last}`"),
    }
}
