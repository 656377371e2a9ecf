//! A document for people: what it says, apart from how it is set.
//!
//! One document is set in two forms: as Markdown, which reviewers diff ([`markdown`]), and as one
//! HTML file, which is printed and filled in by hand ([`html`]).
//!
//! **Invariant:** the octets of both forms follow from the document alone, so a golden and a
//! verifier compute them again. The HTML has no script and loads nothing. **Deliberately absent:**
//! sentences. They belong to whoever makes the document.

mod html;
mod markdown;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use html::html;
pub use markdown::markdown;
pub(crate) use markdown::{code, unmarked};

use crate::hex::{Digest, encode};
use crate::language::Language;
use crate::words;

/// A document in one language.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its language.
    pub language: Language,
    /// What it is; the first heading.
    pub title: String,
    /// What stands at the head of each page: what it belongs to, and what identifies its content.
    pub running: [String; 2],
    /// Its content.
    pub blocks: Vec<Block>,
}

/// A piece of a document.
#[derive(Debug, Clone)]
pub enum Block {
    /// A heading of a part.
    Part(String),
    /// Running text.
    Paragraph(Text),
    /// Items in no order.
    List(Vec<Text>),
    /// Items that are done in this order.
    Numbered(Vec<Text>),
    /// Lines that stand as they are.
    Lines(String),
    /// A digest under its name, in hexadecimal and in the words of the document's language.
    Value(String, Digest),
    /// A table.
    Table(Table),
    /// Steps that people carry out and confirm, in parts. They begin on a page of their own.
    Steps(StepWords, Vec<Part>),
    /// A drawing, and what it shows in words.
    Drawing(Drawing),
}

/// A table whose first row names its columns.
#[derive(Debug, Clone)]
pub struct Table {
    /// What it lists; a screen reader says it first.
    pub caption: String,
    /// Its columns.
    pub head: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Vec<Text>>,
    /// Whether people write in it, so that its rows are tall.
    pub is_form: bool,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// How much room it has.
    pub room: Room,
}

/// How much room a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// As little as what stands in it, on one line.
    Little,
    /// What is left.
    Rest,
    /// Enough for what people write: a signature, a number, a date.
    Hand,
}

/// The words around steps.
#[derive(Debug, Clone, Copy)]
pub struct StepWords {
    /// The number of a step.
    pub number: &'static str,
    /// Who acts.
    pub who: &'static str,
    /// What is said and done.
    pub say: &'static str,
    /// What must be seen before the next step.
    pub see: &'static str,
    /// When it was done.
    pub time: &'static str,
    /// Who saw it.
    pub initials: &'static str,
}

/// A part of the steps.
#[derive(Debug, Clone)]
pub struct Part {
    /// What it is called.
    pub title: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A step that people carry out and confirm.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its number.
    pub number: String,
    /// Its name in records.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Who acts.
    pub who: Vec<String>,
    /// The clause that asks for it.
    pub section: String,
    /// What is said and done.
    pub say: Text,
    /// What must be seen before the next step.
    pub see: Text,
    /// What people write down besides the time and their initials.
    pub writes: Vec<Text>,
}

/// A drawing in SVG, which an HTML page holds as it is.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// The element `svg`.
    pub svg: String,
    /// What it shows, for whoever does not see it.
    pub says: String,
}

/// Running text with names from records, emphasis, and places to write on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Vec<Span>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Span {
    Words(String),
    /// A name as it stands in records and files.
    Code(String),
    Strong(String),
    Blank(Blank),
}

/// A place to write on by hand, as large as what is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// A time of day.
    Time,
    /// A date.
    Date,
    /// Initials.
    Initials,
    /// The id of a person, or the number of a step.
    Id,
    /// The beginning of a digest in a language's own words: a line of eight, or of six in kana.
    Words(Language),
    /// A digest in a language's own words: four lines.
    AllWords(Language),
    /// A digest in hexadecimal, in groups of four digits.
    Digits,
    /// A name, a number or a signature.
    Line,
    /// Several lines.
    Lines,
}

impl Column {
    /// A column that is as narrow as what stands in it.
    #[must_use]
    pub const fn little(name: &'static str) -> Self {
        Self { name, room: Room::Little }
    }

    /// A column that has what is left.
    #[must_use]
    pub const fn rest(name: &'static str) -> Self {
        Self { name, room: Room::Rest }
    }

    /// A column that people write in.
    #[must_use]
    pub const fn hand(name: &'static str) -> Self {
        Self { name, room: Room::Hand }
    }
}

impl Text {
    /// Reads a text: `` `code` `` and `**emphasis**`. Any other letter stands for itself.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut spans = Vec::new();
        for (place, piece) in text.split('`').enumerate() {
            if place % 2 == 1 {
                spans.push(Span::Code(piece.to_string()));
                continue;
            }
            for (place, piece) in piece.split("**").enumerate() {
                match (piece.is_empty(), place % 2 == 1) {
                    (true, _) => {}
                    (false, true) => spans.push(Span::Strong(piece.to_string())),
                    (false, false) => spans.push(Span::Words(piece.to_string())),
                }
            }
        }
        Self(spans)
    }

    /// Returns words in which no letter has a meaning: a name, or what a person wrote.
    #[must_use]
    pub fn plain(text: impl ToString) -> Self {
        Self([Span::Words(text.to_string())].into())
    }

    /// Returns a name as it stands in records.
    #[must_use]
    pub fn code(text: impl ToString) -> Self {
        Self([Span::Code(text.to_string())].into())
    }

    /// Returns words that stand out, in which no letter has a meaning.
    #[must_use]
    pub fn strong(text: impl ToString) -> Self {
        Self([Span::Strong(text.to_string())].into())
    }

    /// Returns a place to write on.
    #[must_use]
    pub fn blank(blank: Blank) -> Self {
        Self([Span::Blank(blank)].into())
    }

    /// Returns both, one after the other.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// The digits of a digest in groups of four.
pub(crate) fn grouped(digest: &Digest) -> String {
    let digits = encode(&digest.0);
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// The first words of a digest, by which people tell one from another: 32 bits or 33.
pub(crate) fn first_words(digest: &Digest, language: Language) -> String {
    let count = match language {
        Language::Ja => 3,
        Language::En => 4,
    };
    let line = words::first_line(&digest.0, language);
    line.split(' ').take(count).collect::<Vec<_>>().join(" ")
}

/// A text as HTML writes it, also between quotation marks.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
