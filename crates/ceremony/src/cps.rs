//! The CP/CPS of a CA as data, one file for each CA: the document that it is, and what it requires.
//!
//! A requirement has its clause and a sentence. It may demand something of the policy (compared by
//! [`rules`](crate::rules)), turn on a rule of behaviour by having its id, or say where it is met
//! outside the program. The engine has no number, role or clause of a CP/CPS of its own.

mod amount;
mod tree;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::{Spanned, Value};

pub(crate) use self::amount::Amount;
pub(crate) use self::tree::{Found, Tree};
use crate::hex::Digest;
use crate::language::{Bilingual, Text};
use crate::name::Name;
use crate::rule::RuleId;
use crate::text;
use crate::time::Instant;
use crate::violation::{Input, Violation};

/// A CP/CPS as read from `cps.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cps {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// Which document it is.
    pub document: Document,
    /// What it requires, by id.
    pub rule: BTreeMap<Spanned<RequirementId>, Requirement>,
}

/// The document (RFC 3647 1.2, 1.5, 9.10).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: Spanned<String>,
    /// The file beside `cps.toml` that holds it.
    pub file: Spanned<String>,
    /// SHA-256 of that file.
    pub sha256: Spanned<Digest>,
    /// The first instant at which it is in force.
    pub from: Spanned<Instant>,
    /// The first instant at which it is no longer in force.
    pub until: Option<Spanned<Instant>>,
    /// The organisations that approved it, and that decide together under it.
    pub approved_by: Vec<Spanned<Name>>,
    /// Rules of behaviour of the engine that this CP/CPS does not have. Each of them is in force or
    /// named here.
    #[serde(default)]
    pub without: Vec<Spanned<String>>,
}

/// One requirement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The sections of the document that it comes from.
    pub clause: String,
    /// What holds, in a sentence.
    pub says: Text,
    /// What it demands of the policy.
    #[serde(default)]
    pub demand: Vec<Demand>,
    /// The rules of the engine that meet it, besides one that has its id.
    #[serde(default)]
    pub by: Vec<Spanned<String>>,
    /// Where it is met, if the program does not judge it.
    pub elsewhere: Option<Text>,
}

/// What a requirement demands of one entry of the policy. Everything that is named here must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Demand {
    /// The entry, as a dotted path from the top of `policy.toml`.
    pub of: Spanned<String>,
    /// The value that it has. Lists are compared without regard to order.
    pub is: Option<Value>,
    /// The least number or span.
    pub at_least: Option<Amount>,
    /// The greatest number or span.
    pub at_most: Option<Amount>,
    /// The values of which it has one.
    pub one_of: Option<Vec<Value>>,
    /// What the list contains, beside anything else.
    pub holds: Option<Vec<Value>>,
    /// The least sum of the numbers in a table, such as of the people of an act.
    pub sum_at_least: Option<u32>,
}

impl Demand {
    /// Whether it asks anything.
    pub(crate) const fn asks(&self) -> bool {
        let Self { of: _, is, at_least, at_most, one_of, holds, sum_at_least } = self;
        let values = is.is_some() || one_of.is_some() || holds.is_some();
        values || at_least.is_some() || at_most.is_some() || sum_at_least.is_some()
    }
}

/// The id of a requirement, such as `R-ROOT`: of the engine, or of the CA's own choice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequirementId(String);

impl RequirementId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says why a text is no id.
    pub(crate) fn refused() -> Bilingual {
        crate::says!(
            "要求事項の ID は A–Z、0–9、`-` の 3 から 40 文字で、英字で始まる",
            "an id of a requirement is 3 to 40 of A-Z, 0-9 and -, and begins with a letter"
        )
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text is not the id of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", RequirementId::refused().en)]
pub struct RequirementIdError;

impl FromStr for RequirementId {
    type Err = RequirementIdError;

    fn from_str(text: &str) -> Result<Self, RequirementIdError> {
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
        let begins = text.starts_with(|c: char| c.is_ascii_uppercase());
        let fits = (3..=40).contains(&text.len()) && begins && text.chars().all(plain);
        if fits { Ok(Self(text.into())) } else { Err(RequirementIdError) }
    }
}

impl<'de> Deserialize<'de> for RequirementId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Cps {
    /// Reads `cps.toml`.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        text::document(Input::Cps, octets, |cps: &Self| &cps.format)
    }

    /// Judges the document that lies beside `cps.toml`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// A violation of S-DOCUMENT if it is not the one that `cps.toml` names.
    pub fn judge_document(&self, found: Option<&[u8]>) -> Result<(), Violation> {
        let Document { file, sha256, .. } = &self.document;
        let digest = found.map(Digest::of);
        if digest == Some(*sha256.get_ref()) {
            return Ok(());
        }
        let (place, found) = match digest {
            None => (file.span(), crate::says!("ファイルなし", "no such file")),
            Some(digest) => (sha256.span(), Bilingual::plain(digest)),
        };
        let (file, sha256) = (file.get_ref(), sha256.get_ref());
        Err(Violation::at(
            Input::Cps,
            place,
            RuleId::S_DOCUMENT,
            crate::says!(
                "cps.toml と並ぶ `{file}`(SHA-256 は {sha256})",
                "`{file}` beside cps.toml, with the SHA-256 {sha256}"
            ),
            found,
            crate::says!(
                "運用規程の承認された版を置くか、版に合わせて cps.toml を改める",
                "put the approved version there, or revise cps.toml for this version"
            ),
        ))
    }

    /// Returns the requirement with the id of this rule.
    #[must_use]
    pub fn requirement(&self, rule: RuleId) -> Option<&Requirement> {
        let mut all = self.rule.iter();
        all.find(|(id, _)| id.get_ref().as_str() == rule.as_str()).map(|(_, found)| found)
    }

    /// Returns the clauses that this CP/CPS gives its rules, by id. Requirements that are the CA's
    /// own stand under R-CPS, by their ids.
    pub(crate) fn clauses(&self) -> BTreeMap<RuleId, String> {
        let mut clauses: BTreeMap<RuleId, String> = BTreeMap::new();
        for (id, requirement) in &self.rule {
            let id = id.get_ref().as_str();
            match RuleId::of(id) {
                Some(rule) => drop(clauses.insert(rule, requirement.clause.clone())),
                None if requirement.demand.is_empty() => {}
                None => {
                    let own = clauses.entry(RuleId::R_CPS).or_default();
                    let joint = if own.is_empty() { "" } else { ", " };
                    own.push_str(joint);
                    own.push_str(id);
                }
            }
        }
        clauses
    }

    /// Returns the organisations that decide together.
    pub(crate) fn deciding(&self) -> impl Iterator<Item = &Name> {
        self.document.approved_by.iter().map(Spanned::get_ref)
    }
}

impl Requirement {
    /// Words the requirement with its clause, as the advice beside a refusal.
    pub(crate) fn said(&self) -> Bilingual {
        let (clause, says) = (&self.clause, self.says.said());
        crate::says!(says; "{clause}: {says}", "{clause}: {says}")
    }
}
