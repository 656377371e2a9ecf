//! A difference as a page: plain text for a terminal, Markdown for a pull request.
//!
//! What an author of a plan wrote stands in code spans, where a forge makes no link, mention or
//! table of it. **Deliberately absent:** colours; a plus, a minus and an arrow say it everywhere.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::{Change, Difference, Part, Row, Side, words};
use crate::graph::Bilingual;
use crate::script::Language;
use crate::text::is_refused;

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a terminal.
    Text,
    /// For a forge.
    Markdown,
}

impl Form {
    /// What the plan says.
    fn value(self, text: &str) -> String {
        match self {
            Self::Text => shown(text),
            Self::Markdown => code(text),
        }
    }

    /// What people call it.
    fn words(self, text: &str) -> String {
        match self {
            Self::Text => shown(text),
            Self::Markdown => prose(text),
        }
    }
}

/// A line that holds both sides of a field is no longer than this; otherwise each has its own.
const ONE_LINE: usize = 96;

/// So many subjects with the same rows are named; of the others the number.
const NAMED: usize = 6;

/// The page; nothing where nothing differs.
#[must_use]
pub fn render(difference: &Difference, language: Language, form: Form) -> String {
    if difference.is_empty() {
        return String::new();
    }
    let (old, new) = &difference.ceremonies;
    let ceremonies = if old == new { new.to_string() } else { format!("{old} → {new}") };
    let (old, new) = difference.broken;
    let note = words::broken(old, new, language);
    let gap = if note.is_empty() { "" } else { "\n" };
    let title = format!("{}\n{gap}{note}{gap}", words::title(&ceremonies, language));
    match form {
        Form::Text => text(difference, &title, language),
        Form::Markdown => markdown(difference, &title, language),
    }
}

/// Subjects of one part whose rows are the same.
struct Group<'a> {
    subjects: Vec<&'a Change>,
    first: &'a Change,
}

/// In their order; of subjects in both, those with the same rows together.
fn groups(changes: &[Change]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for change in changes {
        let same = |group: &&mut Group<'_>| {
            let both = group.first.side == Side::Both && change.side == Side::Both;
            both && group.first.rows == change.rows
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.subjects.push(change),
            None => groups.push(Group { subjects: Vec::from([change]), first: change }),
        }
    }
    groups
}

impl Group<'_> {
    fn names(&self, language: Language, form: Form) -> String {
        let named = self.subjects.iter().take(NAMED).map(|change| form.value(&change.subject));
        let mut names: Vec<String> = named.collect();
        if self.subjects.len() > NAMED {
            names.push(words::more(self.subjects.len() - NAMED, language));
        }
        names.join(", ")
    }

    /// What people call it, if it is one.
    fn title(&self, language: Language, gap: &str, form: Form) -> String {
        match (self.subjects.as_slice(), &self.first.title) {
            ([_], Some(title)) => format!("{gap}{}", form.words(language.pick(title))),
            _ => String::new(),
        }
    }
}

fn text(difference: &Difference, title: &str, language: Language) -> String {
    let mut out = String::from(title);
    for (part, changes) in &difference.parts {
        let _ = writeln!(out, "\n# {}", words::part(*part, language));
        for group in groups(changes) {
            text_of(&mut out, *part, &group, language);
        }
    }
    out
}

fn text_of(out: &mut String, part: Part, group: &Group<'_>, language: Language) {
    let change = group.first;
    let (mark, indent) = match (change.side, change.subject.is_empty()) {
        (Side::New, _) => ("+ ", "      "),
        (Side::Old, _) => ("- ", "      "),
        (Side::Both, false) => ("", "    "),
        (Side::Both, true) => ("", "  "),
    };
    let title = group.title(language, "  ", Form::Text);
    if !change.subject.is_empty() || !mark.is_empty() {
        let _ = write!(out, "  {mark}{}{title}", group.names(language, Form::Text));
    }
    if change.side != Side::Both && !is_long(part, change.side) {
        let said = told(part, change).map(|row| one_side(part, row, language, Form::Text));
        let said = said.collect::<Vec<_>>().join("; ");
        let _ = writeln!(out, "{}{said}", if said.is_empty() { "" } else { " · " });
        return;
    }
    if !change.subject.is_empty() {
        out.push('\n');
    }
    for row in &change.rows {
        let label = label(part, row, language, Form::Text);
        if change.side != Side::Both {
            let _ = writeln!(out, "{indent}{}", one_side(part, row, language, Form::Text));
            continue;
        }
        let (old, new) = both_sides(row, language, Form::Text);
        let line = format!("{indent}{label}{old} → {new}");
        if line.chars().count() <= ONE_LINE {
            let _ = writeln!(out, "{line}");
            continue;
        }
        let inner = if label.is_empty() { "" } else { "  " };
        if !label.is_empty() {
            let _ = writeln!(out, "{indent}{}", label.trim_end());
        }
        let _ = writeln!(out, "{indent}{inner}- {old}\n{indent}{inner}+ {new}");
    }
}

/// Whether a subject on one side is told field by field: what will be signed, and what is refused.
const fn is_long(part: Part, side: Side) -> bool {
    match part {
        Part::Rules => true,
        Part::Certificates => matches!(side, Side::New),
        Part::Ceremony
        | Part::Keys
        | Part::Crls
        | Part::Decisions
        | Part::People
        | Part::Operations
        | Part::Plan
        | Part::Policy
        | Part::Roster
        | Part::Ids => false,
    }
}

/// What is told of a certificate that will not be signed.
const GONE: [&str; 5] = ["profile", "serialNumber", "notBefore", "notAfter", "subject"];

/// The rows of a subject on one side that are told.
fn told(part: Part, change: &Change) -> impl Iterator<Item = &Row> {
    let few = part == Part::Certificates && change.side == Side::Old;
    change.rows.iter().filter(move |row| !few || GONE.contains(&row.field.as_str()))
}

/// A field's name before its value; nothing where a subject says one thing only.
fn label(part: Part, row: &Row, language: Language, form: Form) -> String {
    let field = form.words(&words::field(part, &row.field, language));
    if field.is_empty() { field } else { format!("{field}: ") }
}

fn one_side(part: Part, row: &Row, language: Language, form: Form) -> String {
    let value = row.new.as_ref().or(row.old.as_ref()).map(|value| form.value(language.pick(value)));
    format!("{}{}", label(part, row, language, form), value.unwrap_or_default())
}

fn both_sides(row: &Row, language: Language, form: Form) -> (String, String) {
    let side = |side: &Option<Bilingual>| {
        let absent = || words::absent(language).to_string();
        side.as_ref().map_or_else(absent, |value| form.value(language.pick(value)))
    };
    (side(&row.old), side(&row.new))
}

fn markdown(difference: &Difference, title: &str, language: Language) -> String {
    let mut out = format!("## {title}");
    for (part, changes) in &difference.parts {
        let heading = words::part(*part, language);
        // Digests are for comparing, not for reading.
        let folded = *part == Part::Ids;
        let _ = match folded {
            true => writeln!(out, "\n<details><summary>{heading}</summary>\n"),
            false => writeln!(out, "\n### {heading}\n"),
        };
        let groups = groups(changes);
        let (kept, one_sided): (Vec<_>, Vec<_>) =
            groups.iter().partition(|group| group.first.side == Side::Both);
        for group in &one_sided {
            item(&mut out, *part, group, language);
        }
        if !kept.is_empty() {
            if !one_sided.is_empty() {
                out.push('\n');
            }
            table(&mut out, *part, &kept, language);
        }
        if folded {
            out.push_str("\n</details>\n");
        }
    }
    out
}

/// A subject on one side, as an item of a list.
fn item(out: &mut String, part: Part, group: &Group<'_>, language: Language) {
    let change = group.first;
    let side = words::side(part, change.side, language);
    let title = group.title(language, " ", Form::Markdown);
    let _ = write!(out, "- **{side}** {}{title}", group.names(language, Form::Markdown));
    let said: Vec<String> =
        told(part, change).map(|row| one_side(part, row, language, Form::Markdown)).collect();
    if is_long(part, change.side) {
        let lines = said.iter().map(|line| format!("\n  - {line}"));
        let _ = writeln!(out, "{}", lines.collect::<String>());
    } else {
        let _ = writeln!(out, "{}{}", if said.is_empty() { "" } else { " · " }, said.join("; "));
    }
}

fn table(out: &mut String, part: Part, groups: &[&Group<'_>], language: Language) {
    let named = groups.iter().any(|group| !group.first.subject.is_empty());
    let [what, columns @ ..] = words::columns(language);
    let first = if named { format!("{what} | ") } else { String::new() };
    let rule = if named { "---|" } else { "" };
    let _ = writeln!(out, "| {first}{} |\n|{rule}---|---|---|", columns.join(" | "));
    for group in groups {
        for (place, row) in group.first.rows.iter().enumerate() {
            let (old, new) = both_sides(row, language, Form::Markdown);
            let (old, new) = (cell(&old), cell(&new));
            let field = prose(&words::field(part, &row.field, language));
            let title = group.title(language, " ", Form::Markdown);
            let name = match (named, place) {
                (false, _) => String::new(),
                (true, 0) => format!("{}{title} | ", cell(&group.names(language, Form::Markdown))),
                (true, _) => " | ".to_string(),
            };
            let _ = writeln!(out, "| {name}{field} | {old} | {new} |");
        }
    }
}

/// A value as a page may show it: no control character, and none that cannot be seen.
fn shown(text: &str) -> String {
    let seen = |c: char| !c.is_control() && !is_refused(c);
    text.chars().map(|c| if seen(c) { c } else { '\u{fffd}' }).collect()
}

/// Words outside a code span, in which nothing is markup.
fn prose(text: &str) -> String {
    let plain = |c: char| !"&<>|*_[]`~\\#".contains(c);
    let entity = |c: char| if plain(c) { c.to_string() } else { format!("&#{};", u32::from(c)) };
    shown(text).chars().map(entity).collect()
}

/// A code span, fenced with more backticks than stand in it.
fn code(text: &str) -> String {
    let text = shown(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    if text.is_empty() { String::new() } else { format!("{fence}{pad}{text}{pad}{fence}") }
}

/// In a table even a code span ends at a bar.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
