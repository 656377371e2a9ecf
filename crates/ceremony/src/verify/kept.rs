//! For each rule: the sentence that holds where it is kept (in both languages), the kind of
//! evidence for it, and when it counts as judged.
//!
//! [`Rule::sentence`](crate::rules::Rule) says what is refused. A verdict needs the positive
//! statement, and only where it means something: "no token gives out a private key" is stated only
//! if a token was asked for one.
//!
//! **Invariant:** every rule is listed here exactly once, under its id. A test checks this.

mod elsewhere;
mod people;
mod plan;
mod room;
mod structures;

use crate::compile::Compiled;
use crate::graph::{Act, Graph};
use crate::language::{Sentence, both};
use crate::rule::RuleId;
use crate::verify::History;

/// The kind of evidence that a rule was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// It is computed from the sealed folder; everyone who has the folder gets the same result.
    Proved,
    /// People stated it, and signed it with their cards.
    Signed,
    /// It is a statement that the verdict repeats.
    Stated(By),
    /// It is judged elsewhere; the sealed folder does not show it.
    Elsewhere(Where),
}

/// The source of a statement that a verdict repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// People in the room, who are named in the record.
    People,
    /// Plan, policy and roster, which people approved beforehand.
    Papers,
    /// The token, about itself.
    Token,
}

/// Where a rule is judged whose outcome a sealed folder cannot show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where {
    /// By the program in the room, on files, media, PKCS #11 module and terminal.
    Edge,
    /// On the live image, or when it is built and checked.
    Image,
    /// By `gishiki validate`, for one certificate at one time.
    Path,
}

/// A kind of signed structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A self-signed certificate of a root key.
    Root,
    /// A link certificate.
    Link,
    /// A Document Signer certificate.
    Ds,
    /// A CRL.
    Crl,
}

/// The condition under which a rule counts as judged.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// In every sealed folder.
    Always,
    /// The plan, or the ledger before it, contains something within the rule's scope.
    Planned(fn(&Compiled) -> bool),
    /// At least one act of this kind was answered.
    Did(fn(&Act, &Graph) -> bool),
    /// The graph has acts of this kind, and all of them were answered.
    DidAll(fn(&Act, &Graph) -> bool),
    /// A structure of this form was signed.
    Signed(fn(Form) -> bool),
    /// The history contains an event within the rule's scope.
    Happened(fn(&History) -> bool),
    /// People confirmed that a head was written on paper.
    Noted,
    /// Never by a sealed folder: the rule is judged elsewhere.
    Never,
}

/// Rules that share a basis and a condition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    basis: Basis,
    when: When,
    /// Id, Japanese, English.
    rows: &'static [(RuleId, &'static str, &'static str)],
}

/// A rule as a verdict states it where it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// The rule's id.
    pub id: RuleId,
    /// The sentence that holds where the rule is kept.
    pub so: Sentence,
    /// The kind of evidence for that sentence.
    pub basis: Basis,
    /// The condition under which the rule counts as judged.
    pub when: When,
}

const fn proved(when: When, rows: &'static [(RuleId, &'static str, &'static str)]) -> Group {
    Group { basis: Basis::Proved, when, rows }
}

const fn stated(
    by: By,
    when: When,
    rows: &'static [(RuleId, &'static str, &'static str)],
) -> Group {
    Group { basis: Basis::Stated(by), when, rows }
}

/// Every rule, with its sentence, its basis and its condition.
pub fn all() -> impl Iterator<Item = Kept> {
    let groups =
        [plan::GROUPS, people::GROUPS, room::GROUPS, structures::GROUPS, elsewhere::GROUPS];
    groups.into_iter().flatten().flat_map(|group| {
        let row = |&(id, ja, en): &(RuleId, &'static str, &'static str)| Kept {
            id,
            so: both(ja, en),
            basis: group.basis,
            when: group.when,
        };
        group.rows.iter().map(row)
    })
}
