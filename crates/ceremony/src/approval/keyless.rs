//! Keyless signatures of an approval, which stand beside the cards (docs/decisions/0115).
//!
//! The statement is the one that a card signs, without its time: a keyless signature has its time
//! from the log. **Deliberately absent:** Sigstore. What a bundle is worth is judged at the edge,
//! and no ceremony rests on it.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::dsse::IN_TOTO_STATEMENT;
use crate::hex::Digest;
use crate::name::Name;
use crate::policy::{self, Signer};
use crate::record::canonical_json;
use crate::time::Day;

const PREDICATE: &str = "https://gishiki.example/approval/v1";

/// What the policy pins for keyless signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyless {
    /// SHA-256 of the trusted root.
    pub trusted_root: Digest,
    /// The day on which the trusted root was obtained.
    pub obtained: Day,
    /// Whose identity is which.
    pub by: BTreeMap<Name, Signer>,
}

impl Keyless {
    pub(super) fn of(policy: &policy::Keyless) -> Self {
        let policy::Keyless { section: _, trusted_root, obtained, person } = policy;
        Self {
            trusted_root: *trusted_root.get_ref(),
            obtained: *obtained.get_ref(),
            by: person.iter().map(|(id, one)| (id.clone(), one.clone())).collect(),
        }
    }
}

/// The in-toto statement of an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: Sha256,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sha256 {
    sha256: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    ca: String,
    ceremony: String,
    person: String,
}

/// What an approval names: its CA and ceremony, and the ids of its graph and bindings.
pub(crate) struct ToApprove<'a> {
    pub(crate) ca: &'a Name,
    pub(crate) ceremony: &'a Name,
    pub(crate) graph: Digest,
    pub(crate) bindings: Digest,
}

impl Statement {
    /// The statement by which this person approves.
    pub(crate) fn of(of: &ToApprove<'_>, person: &Name) -> Self {
        let subject = |name: &str, sha256: Digest| Subject {
            name: name.to_string(),
            digest: Sha256 { sha256 },
        };
        Self {
            kind: IN_TOTO_STATEMENT.to_string(),
            subject: [subject("graph", of.graph), subject("bindings", of.bindings)].into(),
            predicate_type: PREDICATE.to_string(),
            predicate: Predicate {
                ca: of.ca.to_string(),
                ceremony: of.ceremony.to_string(),
                person: person.to_string(),
            },
        }
    }

    /// Reads a statement, in whatever order its members stand. None may be there twice, and no
    /// other at all: all readers of it shall read the same.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(payload)
    }

    /// The canonical text.
    pub(crate) fn text(&self) -> String {
        canonical_json(self)
    }

    /// Whether it is of this graph and these bindings, whatever else it says.
    pub(crate) fn names(&self, graph: Digest, bindings: Digest) -> bool {
        let has = |name: &str, digest: Digest| {
            self.subject.iter().any(|one| one.name == name && one.digest.sha256 == digest)
        };
        has("graph", graph) && has("bindings", bindings)
    }

    /// Each member with what it says, in the order in which they are compared.
    pub(crate) fn members(&self) -> Vec<(String, String)> {
        let mut all = Vec::from([("_type".to_string(), self.kind.clone())]);
        let subjects = self.subject.iter();
        all.extend(subjects.map(|one| (one.name.clone(), one.digest.sha256.to_string())));
        let Predicate { ca, ceremony, person } = &self.predicate;
        let rest = [
            ("predicateType", &self.predicate_type),
            ("ca", ca),
            ("ceremony", ceremony),
            ("person", person),
        ];
        all.extend(rest.map(|(name, value)| (name.to_string(), value.clone())));
        all
    }
}
