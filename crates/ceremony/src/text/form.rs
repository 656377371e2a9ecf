//! Finds all errors of form of a document, so that whoever wrote it can mend them at once.
//!
//! The document is read again and again: what is refused is noted, mended for the next reading, and
//! read on behind. What only the mending brings about is not noted.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::reader::{Mend, Reader, Refused, Step, Why};

/// The largest number of errors that are found in one document.
const ERRORS: usize = 50;
/// The largest number of octets that are read in all; a large document is not read often.
const OCTETS: usize = 16 << 20;

/// One error: where it is, and what the library or the type says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) span: Range<usize>,
    pub(super) said: String,
}

/// All errors of a document, in its order.
#[derive(Debug)]
pub(super) struct Errors<T> {
    pub(super) found: Vec<Wrong>,
    /// Whether nothing else is wrong; otherwise there may be more.
    pub(super) complete: bool,
    /// The document with stand-ins for what is wrong, if it could be read to its end.
    pub(super) mended: Option<T>,
}

/// Finds all errors of a document that was refused.
pub(super) fn errors<T: DeserializeOwned>(text: &str) -> Errors<T> {
    let (table, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        return of_syntax(&syntax);
    }
    let document = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    let mut errors = Errors { found: Vec::new(), complete: false, mended: None };
    let mut mend = Mend::default();
    let mut read = 0;
    while errors.found.len() < ERRORS && read <= OCTETS {
        read += text.len();
        let Refused { said, mut way, why } = match T::deserialize(Reader::of(&document, &mend)) {
            Err(refused) => refused,
            Ok(mended) => {
                errors.complete = true;
                errors.mended = Some(mended);
                break;
            }
        };
        way.reverse();
        match mended(&mut mend, &way, why) {
            Mended::New => errors.found.push(Wrong { span: span(&document, &way), said }),
            Mended::Again => {}
            Mended::Not => break,
        }
    }
    errors.found.sort_by_key(|wrong| wrong.span.start);
    errors
}

/// The errors of a document that is not TOML. What is in it is not judged.
fn of_syntax<T>(syntax: &[toml::de::Error]) -> Errors<T> {
    let first = syntax.iter().take(ERRORS);
    let mut found: Vec<Wrong> = first
        .map(|e| Wrong { span: e.span().unwrap_or(0..0), said: e.message().to_string() })
        .collect();
    found.sort_by_key(|wrong| wrong.span.start);
    // The parser itself reads on behind each of them.
    Errors { found, complete: syntax.len() <= ERRORS, mended: None }
}

/// What became of an error.
enum Mended {
    /// It was mended, and is an error of the document.
    New,
    /// An earlier mending brought it about, and it was mended.
    Again,
    /// It cannot be mended.
    Not,
}

/// Mends what was refused.
fn mended(document: &mut Mend, way: &[Step], why: Why) -> Mended {
    let mut caused = document.stand_in.is_some();
    let mut at = &mut *document;
    // An entry is left out as a whole, not its name.
    let way = match (why, way) {
        (Why::Unknown, [above @ .., Step::Name]) => above,
        (Why::Unknown | Why::Missing(_) | Why::Wrong, way) => way,
    };
    for step in way {
        at = at.within.entry(step.clone()).or_default();
        caused |= at.stand_in.is_some();
    }
    match why {
        Why::Unknown => at.left_out = true,
        Why::Missing(field) => {
            at.added.push(field);
            let missing = at.within.entry(Step::Entry(field.to_string())).or_default();
            missing.stand_in = Some(0);
        }
        Why::Wrong => {
            at.stand_in = Some(at.stand_in.map_or(0, |tried| tried + 1));
            if at.is_exhausted() {
                return around(document, way);
            }
        }
    }
    if caused { Mended::Again } else { Mended::New }
}

/// Mends the value around one that has no stand-in.
fn around(document: &mut Mend, way: &[Step]) -> Mended {
    let Some((Step::Name | Step::Entry(_) | Step::Item(_), above)) = way.split_last() else {
        return Mended::Not;
    };
    let mut at = &mut *document;
    for step in above {
        at = at.within.entry(step.clone()).or_default();
    }
    at.within.clear();
    at.stand_in = Some(at.stand_in.map_or(0, |tried| tried + 1));
    if at.is_exhausted() { around(document, above) } else { Mended::Again }
}

/// Returns the octets of what was refused.
fn span(document: &Spanned<DeValue<'_>>, way: &[Step]) -> Range<usize> {
    let mut at = document;
    let mut name = at.span();
    for step in way {
        let found = match (step, at.get_ref()) {
            (Step::Name, _) => return name,
            (Step::Entry(entry), DeValue::Table(table)) => table.get_key_value(entry.as_str()),
            (Step::Item(number), DeValue::Array(items)) => {
                at = items.get(*number).unwrap_or(at);
                continue;
            }
            (Step::Item(_) | Step::Entry(_), _) => None,
        };
        // What is not written is missing from the table that was reached.
        let Some((key, value)) = found else { break };
        (name, at) = (key.span(), value);
    }
    at.span()
}
