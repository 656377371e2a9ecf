//! The pages before the first step: what is held, by whom, with what, and the values to compare.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Labels, numbers, role};
use crate::compile::Compiled;
use crate::document::{Blank, Block, Table, Text, first_words};
use crate::graph::{Graph, Origin, Phase};
use crate::hex::Digest;
use crate::inputs::input_digest;
use crate::language::Language;
use crate::violation::Input;

/// Returns them in order.
pub(super) fn blocks(compiled: &Compiled, language: Language) -> Vec<Block> {
    let graph = &compiled.graph;
    let labels = language.labels();
    let mut blocks = Vec::new();
    blocks.push(Block::List(occasion(graph, labels)));
    if !graph.exceptions.is_empty() {
        let exceptions = graph.exceptions.iter().map(|exception| language.pick(exception));
        let strong = |text: &str| Text::strong(text);
        blocks.push(Block::Part(labels.exceptions.to_string()));
        blocks.push(Block::List(exceptions.map(strong).collect()));
    }
    blocks.push(Block::Part(labels.digests.to_string()));
    blocks.push(Block::Paragraph(Text::of(labels.digests_note)));
    let value = |(name, digest)| Block::Value(name, digest);
    blocks.extend(digests(compiled).into_iter().map(value));
    blocks.push(Block::Part(labels.people.to_string()));
    blocks.push(Block::Table(people(graph, language)));
    blocks.push(Block::Part(labels.material.to_string()));
    blocks.push(Block::Paragraph(Text::of(labels.material_note)));
    blocks.push(Block::Table(material(graph, labels)));
    blocks.push(Block::Part(labels.agenda.to_string()));
    blocks.push(Block::Table(agenda(compiled, labels)));
    // What was decided before the ceremony: the papers are compared with it.
    let lines = graph.decisions().into_iter().map(|line| match language {
        Language::Ja => line.ja,
        Language::En => line.en,
    });
    let decisions: Vec<String> = lines.collect();
    if !decisions.is_empty() {
        blocks.push(Block::Part(labels.decisions.to_string()));
        blocks.push(Block::Lines(decisions.join("\n")));
    }
    objects(&mut blocks, graph, labels);
    blocks
}

/// What is held, when, where, and which copy of the script this is.
fn occasion(graph: &Graph, labels: &Labels) -> Vec<Text> {
    let line = |label: &str, text: String| Text::plain(format!("{label}: {text}"));
    let blank = |label: &str| Text::plain(format!("{label}: ")).and(Text::blank(Blank::Line));
    let (from, until) = graph.window;
    [
        Text::plain(&graph.ca_name),
        line(labels.ceremony, format!("{} (#{})", graph.ceremony, graph.sequence)),
        line(labels.window, format!("{from} – {until}")),
        blank(labels.place),
        blank(labels.copy),
    ]
    .into()
}

fn digests(compiled: &Compiled) -> Vec<(String, Digest)> {
    let mut digests: Vec<(String, Digest)> = [
        ("graph".to_string(), compiled.graph.id()),
        ("bindings".to_string(), compiled.bindings.id()),
    ]
    .into();
    for input in [Input::Plan, Input::Policy, Input::Roster, Input::Release] {
        let text = compiled.inputs.get(&input.to_string());
        digests.extend(text.map(|text| (input.to_string(), input_digest(text))));
    }
    for (name, application) in &compiled.graph.applications {
        let papers = application.papers();
        digests.extend(papers.map(|(_, paper, digest)| (format!("{name} {paper}"), digest)));
    }
    digests
}

fn people(graph: &Graph, language: Language) -> Table {
    let labels = language.labels();
    let row = |(id, person): (&crate::name::Name, &crate::graph::Person)| {
        let roles = person.roles.iter().map(|r| role(graph, r, language));
        let reserve = person.reserve.then(|| labels.reserve.to_string());
        let roles: Vec<String> = roles.chain(reserve).collect();
        let organization = graph.organizations.get(&person.organization);
        [
            Text::plain(id),
            Text::plain(language.pick(&person.name)),
            Text::plain(organization.map_or("", |both| language.pick(both))),
            Text::plain(roles.join(", ")),
            Text::plain(first_words(&person.key.spki_digest(), language)),
            Text::default(),
            Text::default(),
            Text::default(),
        ]
        .into()
    };
    Table {
        caption: labels.people.to_string(),
        head: labels.people_head.into(),
        rows: graph.people.iter().map(row).collect(),
        is_form: true,
    }
}

/// What is brought into the room, with its marks and seals, which are filled in by hand.
fn material(graph: &Graph, labels: &Labels) -> Table {
    let token = |name: Option<&str>| match name {
        None => labels.token.to_string(),
        Some(name) => format!("{} {name}", labels.token),
    };
    let tokens = core::iter::once(token(None));
    let spares = graph.spares.keys().map(|name| token(Some(name.as_str())));
    let others = labels.materials.iter().map(|name| (*name).to_string());
    let row = |name: String| {
        let mut row = Vec::from([Text::plain(name)]);
        row.resize(labels.material_head.len(), Text::default());
        row
    };
    Table {
        caption: labels.material.to_string(),
        head: labels.material_head.into(),
        rows: tokens.chain(spares).chain(others).map(row).collect(),
        is_form: true,
    }
}

/// The parts, their steps, how long each takes as the policy reckons, and when it begins and ends.
fn agenda(compiled: &Compiled, labels: &Labels) -> Table {
    let (graph, pace) = (&compiled.graph, compiled.pace());
    let row = |name: &str, numbers: (usize, usize), minutes: u64| {
        let steps = match numbers {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first} – {last}"),
        };
        let time = Text::blank(Blank::Time);
        let known = [name.to_string(), steps, minutes.to_string()].map(Text::plain);
        known.into_iter().chain([time.clone(), time]).collect()
    };
    let part = |(phase, name): (Phase, &'static str)| {
        let numbers = numbers(graph, phase)?;
        Some(row(name, numbers, pace.part(phase)))
    };
    let parts = Phase::ALL.into_iter().zip(labels.phases).filter_map(part);
    let all = row(labels.all_parts, (1, graph.ops.len()), pace.whole());
    Table {
        caption: labels.agenda.to_string(),
        head: labels.agenda_head.into(),
        rows: parts.chain([all]).collect(),
        is_form: true,
    }
}

fn objects(blocks: &mut Vec<Block>, graph: &Graph, labels: &Labels) {
    let key = |key: &crate::graph::PlannedKey| {
        let origin = match key.origin {
            Origin::Here => labels.made,
            Origin::Before => labels.exists,
        };
        let (name, curve, label) = (&key.name, key.curve.name(), key.label(graph));
        Text::code(name)
            .and(Text::plain(format!(": {curve}, CKA_LABEL ")))
            .and(Text::code(label))
            .and(Text::plain(format!(", {origin}")))
    };
    blocks.push(Block::Part(labels.keys.to_string()));
    blocks.push(Block::List(graph.keys.iter().map(key).collect()));
    blocks.push(Block::Part(labels.structures.to_string()));
    for certificate in &graph.certificates {
        let lines: Vec<String> = certificate.lines();
        blocks.push(Block::Paragraph(Text::code(&certificate.name)));
        blocks.push(Block::Lines(lines.join("\n")));
    }
    if let (Some(first), Some(last)) = (graph.crls.first(), graph.crls.last()) {
        let numbers = format!(
            ", {} {} – {}",
            labels.crl_numbers,
            graph.crl_number(first.slot, 0),
            graph.crl_number(last.slot, 0)
        );
        let crls = Text::plain(format!("CRL × {}: ", graph.crls.len()))
            .and(Text::code(&first.crl.name))
            .and(Text::plain(" – "))
            .and(Text::code(&last.crl.name))
            .and(Text::plain(numbers));
        blocks.push(Block::List([crls].into()));
    }
}
