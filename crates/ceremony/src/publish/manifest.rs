//! The manifest of a release: what its files are, for people and for whoever reads it by machine.
//!
//! It follows from the files and is believed by nobody: a reader writes it again and compares.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::{Value, json};

use super::content::{Content, Item};
use super::due::Release;
use crate::hex::Octets;
use crate::language::Bilingual;
use crate::says;
use crate::time::{Instant, Offset};

/// Whether something may be known to everybody (CP/CPS 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// What CP/CPS 9.3.2 lists.
    NotConfidential,
    /// All else: here, what proves the release.
    Confidential,
}

impl Label {
    /// The label as a manifest has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotConfidential => "not confidential",
            Self::Confidential => "confidential",
        }
    }

    /// The label as people read it.
    #[must_use]
    pub fn said(self) -> Bilingual {
        match self {
            Self::NotConfidential => says!("機密でない", "not confidential"),
            Self::Confidential => says!("機密", "confidential"),
        }
    }
}

/// Writes the manifest of a release. `proof` are the names of the files that prove it.
#[must_use]
pub fn manifest(release: &Release, proof: &[&str]) -> String {
    let statement = &release.statement;
    let mut items: Vec<&Item> = release.items.iter().collect();
    items.sort_by(|one, other| one.name.cmp(&other.name));
    let proof: Vec<Value> = proof
        .iter()
        .map(|name| json!({ "file": format!("proof/{name}"), "label": Label::Confidential.name() }))
        .collect();
    let manifest = json!({
        "ca": statement.ca,
        "ceremony": statement.ceremony,
        "format": 1,
        "items": items.into_iter().map(row).collect::<Vec<_>>(),
        "mode": statement.mode,
        "proof": proof,
        "sequence": statement.sequence,
        "supersedes": supersedes(release),
    });
    format!("{manifest:#}\n")
}

fn row(item: &Item) -> Value {
    let utc = |time: Instant| time.at(Offset::UTC).to_string();
    let mut row = json!({
        "file": format!("public/{}", item.name),
        "label": Label::NotConfidential.name(),
        "octets": item.octets,
        "sha256": item.digest,
    });
    let facts = match &item.content {
        Content::Root(root) => json!({
            "kind": "root",
            "key": root.key,
            "not-before": utc(root.validity.0),
            "not-after": utc(root.validity.1),
        }),
        Content::Link(link) => json!({
            "kind": "link",
            "key": link.key,
            "signed-by": link.signer,
            "not-before": utc(link.validity.0),
            "not-after": utc(link.validity.1),
        }),
        Content::Crl(crl) => json!({
            "kind": "crl",
            "key": crl.key,
            "number": crl.number,
            "this-update": utc(crl.this_update),
            "next-update": utc(crl.next_update),
            "entries": crl.entries,
        }),
        Content::Notice(language) => json!({ "kind": "notice", "language": language.code() }),
        Content::Cps(document) => json!({
            "kind": "cp-cps",
            "title": document.title.0,
            "version": document.title.1,
            "from": document.from.to_string(),
        }),
    };
    if let (Some(row), Value::Object(facts)) = (row.as_object_mut(), facts) {
        row.extend(facts);
    }
    row
}

/// Of each key the number below which, and the time from which, the CRLs of earlier ceremonies are
/// superseded.
fn supersedes(release: &Release) -> Vec<Value> {
    let mut keys: Vec<&Octets> = release.crls().map(|(_, crl)| &crl.key).collect();
    keys.sort();
    keys.dedup();
    let first = |key: &&Octets| {
        let of_key = release.crls().map(|(_, crl)| crl).filter(|crl| crl.key == **key);
        of_key.min_by_key(|crl| crl.number)
    };
    let first = keys.iter().filter_map(first);
    let row = |crl: &super::Crl| {
        let from = crl.this_update.at(Offset::UTC).to_string();
        json!({ "key": crl.key, "below": crl.number, "from": from })
    };
    first.map(row).collect()
}
