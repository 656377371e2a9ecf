//! Renders a difference as a page: plain text for a terminal, Markdown for a pull request.
//!
//! Text from a plan's author is put in code spans, in which a forge makes no links, mentions or
//! tables. **Deliberately absent:** colours; plus, minus and arrow signs work everywhere.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::gravity::{About, Gravity, weighed};
use super::mermaid::flowchart;
use super::{Ceremonies, Change, Difference, Part, Row, Side, words};
use crate::document::{code, unmarked};
use crate::language::{Bilingual, Language};
use crate::name::Name;
use crate::text::is_refused;

/// The format of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a terminal.
    Text,
    /// Markdown, for a forge such as GitHub.
    Markdown,
}

impl Form {
    /// Writes a value of the plan.
    fn value(self, text: &str) -> String {
        match self {
            Self::Text => shown(text),
            Self::Markdown => code(&shown(text)),
        }
    }

    /// Writes gishiki's own words.
    fn words(self, text: &str) -> String {
        match self {
            Self::Text => shown(text),
            Self::Markdown => unmarked(&shown(text)),
        }
    }
}

/// The longest line that may hold both sides of a field; longer ones are split in two.
const ONE_LINE: usize = 96;

/// How many subjects with the same rows are named; the others are only counted.
const NAMED: usize = 6;

/// Renders the page; empty if nothing differs.
#[must_use]
pub fn render(difference: &Difference, language: Language, form: Form) -> String {
    if difference.is_empty() {
        return String::new();
    }
    let (old, new) = &difference.ceremonies;
    let ceremonies = if old == new { new.to_string() } else { format!("{old} → {new}") };
    let title = words::title(&ceremonies, language);
    match form {
        Form::Text => text(difference, &title, language),
        Form::Markdown => markdown(difference, &title, "##", language),
    }
}

/// Renders the page of all ceremonies of a CA, which is called by this name; empty if nothing
/// differs. What several ceremonies share stands under one heading.
#[must_use]
pub fn render_all(ca: &str, all: &Ceremonies, language: Language, form: Form) -> String {
    if all.is_empty() {
        return String::new();
    }
    let title = words::title(&form.words(ca), language);
    let mut out = match form {
        Form::Text => format!("{title}\n"),
        Form::Markdown => format!("## {title}\n"),
    };
    for (side, names) in [(Side::Old, &all.gone), (Side::New, &all.added)] {
        if names.is_empty() {
            continue;
        }
        let names: Vec<String> = names.iter().map(|name| form.value(name.as_str())).collect();
        let (side, names) = (words::ceremonies(side, language), names.join(", "));
        let _ = match form {
            Form::Text => writeln!(out, "\n{side}: {names}"),
            Form::Markdown => writeln!(out, "\n- **{side}** {names}"),
        };
    }
    for (names, difference) in &all.shared {
        let names = named(names.iter().map(Name::as_str), language, form);
        out.push('\n');
        out.push_str(&match form {
            Form::Text => text(difference, &format!("== {names}"), language),
            Form::Markdown => markdown(difference, &names, "###", language),
        });
    }
    if !all.ids.is_empty() {
        let heading = words::each(language);
        match form {
            Form::Text => {
                let _ = writeln!(out, "\n== {heading}");
                text_part(&mut out, Part::Ids, &all.ids, language);
            }
            Form::Markdown => {
                let _ = writeln!(out, "\n### {heading}");
                markdown_part(&mut out, Part::Ids, &all.ids, "###", language);
            }
        }
    }
    out
}

/// Lists names; of many only the first ones, and how many more there are.
fn named<'a>(all: impl Iterator<Item = &'a str>, language: Language, form: Form) -> String {
    let all: Vec<&str> = all.collect();
    let mut names: Vec<String> = all.iter().take(NAMED).map(|name| form.value(name)).collect();
    if all.len() > NAMED {
        names.push(words::more(all.len() - NAMED, language));
    }
    names.join(", ")
}

/// The note for a reader if a plan has no graph, with a line above it.
fn note(difference: &Difference, language: Language) -> String {
    let (old, new) = difference.broken;
    match words::broken(old, new, language) {
        "" => String::new(),
        note => format!("\n{note}\n"),
    }
}

/// The subjects of one part that have the same rows.
struct Group<'a> {
    subjects: Vec<&'a Change>,
    first: &'a Change,
}

/// Groups the changes, in their order; only subjects in both plans share a group.
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
        named(self.subjects.iter().map(|change| language.pick(&change.subject)), language, form)
    }

    /// Returns the title, if the group has one.
    fn title(&self, language: Language, gap: &str, form: Form) -> String {
        match (self.subjects.as_slice(), &self.first.title) {
            ([_], Some(title)) => format!("{gap}{}", form.words(language.pick(title))),
            _ => String::new(),
        }
    }
}

fn text(difference: &Difference, title: &str, language: Language) -> String {
    let mut out = format!("{title}\n{}", note(difference, language));
    for (part, changes) in weighed(difference) {
        text_part(&mut out, part, &changes, language);
    }
    out
}

fn text_part(out: &mut String, part: Part, changes: &[Change], language: Language) {
    let _ = writeln!(out, "\n# {}", words::part(part, language));
    for group in groups(changes) {
        text_of(out, part, &group, language);
    }
}

fn text_of(out: &mut String, part: Part, group: &Group<'_>, language: Language) {
    let change = group.first;
    let nameless = change.subject.en.is_empty();
    let (mark, indent) = match (change.side, nameless) {
        (Side::New, _) => ("+ ", "      "),
        (Side::Old, _) => ("- ", "      "),
        (Side::Both, false) => ("", "    "),
        (Side::Both, true) => ("", "  "),
    };
    let title = group.title(language, "  ", Form::Text);
    if !nameless || !mark.is_empty() {
        let _ = write!(out, "  {mark}{}{title}", group.names(language, Form::Text));
    }
    if change.side != Side::Both && !is_long(part, change.side) {
        let said = told(part, change).map(|row| one_side(part, row, language, Form::Text));
        let said = said.collect::<Vec<_>>().join("; ");
        let _ = writeln!(out, "{}{said}", if said.is_empty() { "" } else { " · " });
        return;
    }
    if !nameless {
        out.push('\n');
    }
    for row in &change.rows {
        if change.side != Side::Both {
            let _ = writeln!(out, "{indent}{}", one_side(part, row, language, Form::Text));
            continue;
        }
        let weaker = weaker(row, language).map(|word| format!("{word} · ")).unwrap_or_default();
        let label = format!("{weaker}{}", label(part, row, language, Form::Text));
        let (old, new) = both_sides(row, language, Form::Text);
        let line = format!("{indent}{label}{old} → {new}");
        // A digest has no place to be divided, and only one of both is whole.
        if line.chars().count() <= ONE_LINE || row.gravity() == Gravity::Digest {
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

/// Whether a subject in one plan only is shown field by field: what will be signed, and what rules
/// find.
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
        | Part::Cps
        | Part::Policy
        | Part::Roster
        | Part::Release
        | Part::Ids => false,
    }
}

/// The fields that are shown of a certificate that will no longer be signed.
const GONE: [&str; 5] = ["profile", "serialNumber", "notBefore", "notAfter", "subject"];

/// Returns the rows to show of a subject that is in one plan only.
fn told(part: Part, change: &Change) -> impl Iterator<Item = &Row> {
    let few = part == Part::Certificates && change.side == Side::Old;
    change.rows.iter().filter(move |row| !few || GONE.contains(&row.field.as_str()))
}

/// Returns a field's name to put before its value; empty if the subject has only one kind of value.
fn label(part: Part, row: &Row, language: Language, form: Form) -> String {
    let field = form.words(&words::field(part, &row.field, language));
    if field.is_empty() { field } else { format!("{field}: ") }
}

fn one_side(part: Part, row: &Row, language: Language, form: Form) -> String {
    let value = row.new.as_ref().or(row.old.as_ref()).map(|value| form.value(language.pick(value)));
    format!("{}{}", label(part, row, language, form), value.unwrap_or_default())
}

/// The word before a field in both plans that protects less than before.
fn weaker(row: &Row, language: Language) -> Option<&'static str> {
    (row.gravity() == Gravity::Weaker).then(|| words::weaker(language))
}

/// How many digits are shown of a digest in whose place there is another. The new one is shown
/// whole: it is compared with what people approve.
const OLD_DIGITS: usize = 8;

fn both_sides(row: &Row, language: Language, form: Form) -> (String, String) {
    let side = |side: &Option<Bilingual>| {
        let absent = || words::absent(language).to_string();
        side.as_ref().map_or_else(absent, |value| form.value(language.pick(value)))
    };
    let old = match (&row.old, row.about) {
        (Some(old), (About::Digest, About::Digest)) => {
            let digits: String = language.pick(old).chars().take(OLD_DIGITS).collect();
            form.value(&format!("{digits}…"))
        }
        (old, _) => side(old),
    };
    (old, side(&row.new))
}

/// Writes a page below a heading of this level.
fn markdown(difference: &Difference, title: &str, level: &str, language: Language) -> String {
    let mut out = format!("{level} {title}\n{}", note(difference, language));
    for (part, changes) in weighed(difference) {
        markdown_part(&mut out, part, &changes, level, language);
    }
    let flowchart = flowchart(difference, language);
    if !flowchart.is_empty() {
        let heading = words::drawn(language);
        let _ = write!(out, "\n{level}# {heading}\n\n```mermaid\n{flowchart}```\n");
    }
    out
}

/// Writes the changes of one part, below a heading of this level.
fn markdown_part(
    out: &mut String,
    part: Part,
    changes: &[Change],
    level: &str,
    language: Language,
) {
    let heading = words::part(part, language);
    // Digests are folded in Markdown: they are for comparing, not for reading.
    let folded = part == Part::Ids;
    let _ = match folded {
        true => writeln!(out, "\n<details><summary>{heading}</summary>\n"),
        false => writeln!(out, "\n{level}# {heading}\n"),
    };
    let groups = groups(changes);
    let (kept, one_sided): (Vec<_>, Vec<_>) =
        groups.iter().partition(|group| group.first.side == Side::Both);
    for group in &one_sided {
        item(out, part, group, language);
    }
    if !kept.is_empty() {
        if !one_sided.is_empty() {
            out.push('\n');
        }
        table(out, part, &kept, language);
    }
    if folded {
        out.push_str("\n</details>\n");
    }
}

/// Writes a group of subjects that are in one plan only, as an item of a list.
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
    let named = groups.iter().any(|group| !group.first.subject.en.is_empty());
    let [what, columns @ ..] = words::columns(language);
    let first = if named { format!("{what} | ") } else { String::new() };
    let rule = if named { "---|" } else { "" };
    let _ = writeln!(out, "| {first}{} |\n|{rule}---|---|---|", columns.join(" | "));
    for group in groups {
        for (place, row) in group.first.rows.iter().enumerate() {
            let (old, new) = both_sides(row, language, Form::Markdown);
            let (old, new) = (cell(&old), cell(&new));
            let weaker = weaker(row, language).map(|word| format!("**{word}** "));
            let field = cell(&unmarked(&shown(&words::field(part, &row.field, language))));
            let field = format!("{}{field}", weaker.unwrap_or_default());
            let title = cell(&group.title(language, " ", Form::Markdown));
            let name = match (named, place) {
                (false, _) => String::new(),
                (true, 0) => format!("{}{title} | ", cell(&group.names(language, Form::Markdown))),
                (true, _) => " | ".to_string(),
            };
            let _ = writeln!(out, "| {name}{field} | {old} | {new} |");
        }
    }
}

/// Replaces control characters and invisible characters by U+FFFD.
fn shown(text: &str) -> String {
    let seen = |c: char| !c.is_control() && !is_refused(c);
    text.chars().map(|c| if seen(c) { c } else { '\u{fffd}' }).collect()
}

/// Escapes bars for a table cell: a bar would end the cell even inside a code span.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
