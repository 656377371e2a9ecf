//! Drafts of documents: a CA to fill in, and the plan of its next ceremony.
//!
//! A draft holds what follows from the state of the CA, its policy, its roster and the calendar.
//! Where only people can say what belongs, it has a place to fill in, which every reader refuses
//! and says what to write there. Whatever a draft proposes is judged like everything that people
//! write: nothing here is a rule.
//!
//! **Deliberately absent:** today's date and randomness. The caller gives the day and the seed.

mod ca;
mod crew;
mod document;
pub mod drill;
mod plan;
mod tables;

use alloc::format;
use alloc::string::String;

pub use self::ca::{NewCa, new_ca};
pub use self::plan::{Draft, Kind};
use crate::canonical::quoted;
use crate::language::Language;
use crate::text::open::{BETWEEN, MARK};

/// Returns a place to be filled in, in a document: what to write, in Japanese and in English.
fn place(ja: &str, en: &str) -> String {
    quoted(&format!("{MARK}{ja}{BETWEEN}{en}"))
}

/// Returns a template with its places and its texts written out.
///
/// `‹日本語|English›` is a place to be filled in, `«日本語|English»` a text in the CA's languages,
/// and `@name@` the value of that name.
fn written(template: &str, languages: &[Language], values: &[(&str, String)]) -> String {
    let mut text = String::from(template);
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), value);
    }
    let text = replaced(&text, ['‹', '›'], place);
    replaced(&text, ['«', '»'], |ja, en| in_languages(languages, &quoted(ja), &quoted(en)))
}

/// Returns a text in these languages, as a table of TOML; its halves are values already.
fn in_languages(languages: &[Language], ja: &str, en: &str) -> String {
    let half = |language: &Language| match language {
        Language::Ja => format!("ja = {ja}"),
        Language::En => format!("en = {en}"),
    };
    let halves: alloc::vec::Vec<String> = languages.iter().map(half).collect();
    format!("{{ {} }}", halves.join(", "))
}

/// Replaces each piece between two signs, in which `|` stands between two halves.
fn replaced(text: &str, [opens, closes]: [char; 2], by: impl Fn(&str, &str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(opens)
        && let Some((inner, after)) = behind.split_once(closes)
        && let Some((ja, en)) = inner.split_once('|')
    {
        out.push_str(before);
        out.push_str(&by(ja, en));
        rest = after;
    }
    out.push_str(rest);
    out
}
