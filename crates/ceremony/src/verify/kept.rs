//! What each rule says where it is kept, in both languages, on what that rests, and what in a
//! record makes it judged.
//!
//! [`Rule::sentence`](crate::rules::Rule) says what is refused. A verdict needs the other side: "no token
//! gives out a private key" is so only where a token was asked for one.
//!
//! **Invariant:** every rule stands here once, under its id; a test holds it.

mod elsewhere;
mod people;
mod plan;
mod room;
mod structures;

use crate::compile::Compiled;
use crate::graph::{Act, Graph};
use crate::rule::RuleId;
use crate::verify::History;

/// On what it rests that a rule was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Computed from octets: whoever has the folder computes the same.
    Proved,
    /// Somebody said so.
    Stated(By),
    /// Judged where no folder shows it.
    Elsewhere(Where),
}

/// Who said what a verdict repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// People in the room; their names stand in the record.
    People,
    /// Plan, policy and roster, which people approved before.
    Papers,
    /// The token, of itself.
    Token,
}

/// Where a rule is judged that no folder can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Where {
    /// In the room: files, media, module, terminal.
    Edge,
    /// On and about the live image.
    Image,
    /// By `gishiki validate`, of one certificate at one time.
    Path,
}

/// A form of what is signed.
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

/// What in a record makes a rule judged.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Every sealed folder.
    Always,
    /// The plan, or the ledger before it, has something that the rule is about.
    Planned(fn(&Compiled) -> bool),
    /// At least one act of this kind was answered.
    Did(fn(&Act, &Graph) -> bool),
    /// Every act of this kind was answered, and there is one.
    DidAll(fn(&Act, &Graph) -> bool),
    /// A structure of this form was signed.
    Signed(fn(Form) -> bool),
    /// Something happened.
    Happened(fn(&History) -> bool),
    /// Somebody said that a head is on paper.
    Noted,
    /// Nothing in a record does.
    Never,
}

/// Rules of one basis that are judged at the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    basis: Basis,
    when: When,
    /// Id, Japanese, English.
    rows: &'static [(RuleId, &'static str, &'static str)],
}

/// A sentence in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    /// In Japanese.
    pub ja: &'static str,
    /// In English.
    pub en: &'static str,
}

/// What a rule says where it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// The rule's id.
    pub id: RuleId,
    /// What is so.
    pub so: Sentence,
    /// On what that rests.
    pub basis: Basis,
    /// What in a record makes the rule judged.
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

/// Every rule, as it is where it is kept.
pub fn all() -> impl Iterator<Item = Kept> {
    let groups =
        [plan::GROUPS, people::GROUPS, room::GROUPS, structures::GROUPS, elsewhere::GROUPS];
    groups.into_iter().flatten().flat_map(|group| {
        let row = |&(id, ja, en): &(RuleId, &'static str, &'static str)| Kept {
            id,
            so: Sentence { ja, en },
            basis: group.basis,
            when: group.when,
        };
        group.rows.iter().map(row)
    })
}
