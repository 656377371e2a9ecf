//! The script: the graph as the document that people hold in the room (構築手順書), in Japanese or
//! English.
//!
//! It is rendered from the same graph as the run, so what is on paper is what the machine asks for,
//! in the same order, under the same numbers. Its title page shows the digests that people enter
//! and compare.
//!
//! **Deliberately absent:** anything that the graph, the bindings and the inputs do not say.

mod annex;
mod en;
mod ja;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::compile::Compiled;
use crate::graph::{Graph, Item, Op, Origin, Phase, Signers};
use crate::hex::Digest;
use crate::inputs::input_digest;
use crate::language::Language;
use crate::name::Name;
use crate::violation::Input;
use crate::words;

impl Language {
    const fn labels(self) -> &'static Labels {
        match self {
            Self::Ja => &ja::LABELS,
            Self::En => &en::LABELS,
        }
    }
}

/// The fixed words of a script.
struct Labels {
    title: &'static str,
    ceremony: &'static str,
    window: &'static str,
    digests: &'static str,
    digests_note: &'static str,
    exceptions: &'static str,
    people: &'static str,
    reserve: &'static str,
    people_head: &'static str,
    keys: &'static str,
    made: &'static str,
    exists: &'static str,
    decisions: &'static str,
    structures: &'static str,
    crl_numbers: &'static str,
    phases: [&'static str; 5],
    who: &'static str,
    say: &'static str,
    see: &'static str,
    sign: &'static str,
    head: &'static str,
    signed: &'static str,
    signed_by: &'static str,
    annex_resume: &'static str,
    resume: &'static str,
    more_heads: &'static str,
    more_head: &'static str,
    annex_attempts: &'static str,
    attempts: &'static str,
    annex_refusal: &'static str,
    refusal: &'static str,
    annex_slip: &'static str,
    slip: &'static str,
    slip_head: &'static str,
    slip_postscript: &'static str,
    slip_audit_key: &'static str,
    slip_sign: &'static str,
}

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
    graph.roles.get(role).map_or_else(|| role.to_string(), |both| language.pick(both).to_string())
}

/// The whole script, in Markdown.
#[must_use]
pub fn render(compiled: &Compiled, language: Language) -> String {
    let graph = &compiled.graph;
    let labels = language.labels();
    let mut out = format!("# {}: {} / {}\n\n", labels.title, graph.ca, graph.ceremony);
    let _ = writeln!(out, "- {}", graph.ca_name);
    let _ = writeln!(out, "- {}: {} (#{})", labels.ceremony, graph.ceremony, graph.sequence);
    let _ = writeln!(out, "- {}: {} – {}\n", labels.window, graph.window.0, graph.window.1);
    if !graph.exceptions.is_empty() {
        let _ = writeln!(out, "## {}\n", labels.exceptions);
        for exception in &graph.exceptions {
            let _ = writeln!(out, "- **{}**", language.pick(exception));
        }
        out.push('\n');
    }
    write_digests(&mut out, compiled, labels);
    write_people(&mut out, graph, language);
    write_decisions(&mut out, graph, labels, language);
    write_objects(&mut out, graph, labels);
    write_steps(&mut out, graph, language);
    annex::write(&mut out, compiled, labels);
    out
}

fn write_digests(out: &mut String, compiled: &Compiled, labels: &Labels) {
    let _ = writeln!(out, "## {}\n\n{}\n", labels.digests, labels.digests_note);
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
    for (name, digest) in digests {
        let _ = writeln!(out, "**{name}**\n\n```text\n{digest}");
        for line in words::lines(&digest.0) {
            let _ = writeln!(out, "{line}");
        }
        out.push_str("```\n\n");
    }
}

fn write_people(out: &mut String, graph: &Graph, language: Language) {
    let labels = language.labels();
    let _ = writeln!(out, "## {}\n\n{}", labels.people, labels.people_head);
    out.push_str("|---|---|---|---|---|---|\n");
    for (id, person) in &graph.people {
        let roles = person.roles.iter().map(|r| role(graph, r, language));
        let reserve = person.reserve.then(|| labels.reserve.to_string());
        let roles: Vec<String> = roles.chain(reserve).collect();
        let organization = graph.organizations.get(&person.organization);
        let _ = writeln!(
            out,
            "| {id} | {} | {} | {} | {} | |",
            language.pick(&person.name),
            organization.map_or("", |both| language.pick(both)),
            roles.join(", "),
            first_words(&person.key.spki_digest())
        );
    }
    out.push('\n');
}

/// The first four words of a digest, by which a card is told from another.
fn first_words(digest: &Digest) -> String {
    let line = words::lines(&digest.0).into_iter().next().unwrap_or_default();
    line.split(' ').take(4).collect::<Vec<_>>().join(" ")
}

/// What was decided before the ceremony: the papers are compared with it.
fn write_decisions(out: &mut String, graph: &Graph, labels: &Labels, language: Language) {
    let lines = graph.decisions().into_iter().map(|line| match language {
        Language::Ja => line.ja,
        Language::En => line.en,
    });
    let decisions: Vec<String> = lines.collect();
    if decisions.is_empty() {
        return;
    }
    let _ = writeln!(out, "## {}\n\n```text\n{}\n```\n", labels.decisions, decisions.join("\n"));
}

fn write_objects(out: &mut String, graph: &Graph, labels: &Labels) {
    let _ = writeln!(out, "## {}\n", labels.keys);
    for key in &graph.keys {
        let _ = writeln!(
            out,
            "- `{}`: {}, CKA_LABEL `{}`, {}",
            key.name,
            key.curve.name(),
            key.label(graph),
            match key.origin {
                Origin::Here => labels.made,
                Origin::Before => labels.exists,
            }
        );
    }
    let _ = writeln!(out, "\n## {}\n", labels.structures);
    for certificate in &graph.certificates {
        let _ = writeln!(out, "- `{}`:\n", certificate.name);
        out.push_str("  ```text\n");
        for line in certificate.lines() {
            let _ = writeln!(out, "  {line}");
        }
        out.push_str("  ```\n");
    }
    if let (Some(first), Some(last)) = (graph.crls.first(), graph.crls.last()) {
        let _ = writeln!(
            out,
            "- CRL × {}: `{}` – `{}`, {} {} – {}",
            graph.crls.len(),
            first.crl.name,
            last.crl.name,
            labels.crl_numbers,
            graph.crl_number(first.slot, 0),
            graph.crl_number(last.slot, 0)
        );
    }
    out.push('\n');
}

fn write_steps(out: &mut String, graph: &Graph, language: Language) {
    let labels = language.labels();
    let mut phase = None;
    for op in &graph.ops {
        let this = op.act.phase();
        if phase != Some(this) {
            phase = Some(this);
            let heading = match this {
                Phase::Entry => 0,
                Phase::Opening => 1,
                Phase::Work => 2,
                Phase::Seal => 3,
                Phase::Postscript => 4,
            };
            let _ =
                writeln!(out, "## {}\n", labels.phases.get(heading).copied().unwrap_or_default());
        }
        write_step(out, graph, op, language);
    }
}

fn write_step(out: &mut String, graph: &Graph, op: &Op, language: Language) {
    let labels = language.labels();
    let step = step(graph, op, language);
    let _ = writeln!(out, "### {}. {} `{}`\n", op.id.number(), step.title, op.name);
    let _ =
        writeln!(out, "- {}: {} [{}]", labels.who, who(graph, op, language).join("; "), op.section);
    let _ = writeln!(out, "- {}: {}", labels.say, step.say);
    let _ = writeln!(out, "- {}: {}", labels.see, step.see);
    let _ = writeln!(out, "- {}", labels.sign);
    if op.noted {
        let _ = writeln!(out, "- {}", labels.head);
    }
    out.push('\n');
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
