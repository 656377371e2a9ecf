//! One case: a file of `tests/refused` or `tests/accepted`.

use std::collections::BTreeMap;
use std::fs;

use ceremony::hex::Digest;
use ceremony::plan::Order;
use ceremony::time::Instant;
use serde::Deserialize;

use crate::support::root;

/// A file of the corpus.
#[derive(Debug)]
pub(super) struct Case {
    /// The file's name, without its ending.
    pub(super) name: String,
    /// The rules that refuse it, in order, as often as they do; none, if it is accepted.
    pub(super) expect: Vec<String>,
    /// Of an accepted case, the rules that its exceptions cover.
    pub(super) excepts: Vec<String>,
    /// Of an accepted case, the rules that report something.
    pub(super) reports: Vec<String>,
    /// Where a message must point to if not into changed text: the text there, as it begins.
    pub(super) at: Option<String>,
    pub(super) body: Body,
}

/// What is changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// The ceremony of the sample CA that it is about; otherwise the first.
    pub(super) on: Option<String>,
    /// Certificates that the ledger does not know after all.
    #[serde(default)]
    pub(super) forget: Vec<String>,
    /// Certificates that an aborted ceremony withheld after all.
    #[serde(default)]
    pub(super) withhold: Vec<String>,
    /// What is ordered to stop, since when.
    #[serde(default)]
    pub(super) stopped: BTreeMap<Order, Instant>,
    /// Root keys that were judged to be compromised, when.
    #[serde(default)]
    pub(super) compromised: BTreeMap<String, Instant>,
    /// The digest of the journal of the ceremony before, which was abandoned.
    pub(super) abandoned: Option<Digest>,
    /// Of an accepted case, what its graph says, and what it does not.
    #[serde(default)]
    pub(super) shows: Vec<String>,
    #[serde(default)]
    pub(super) lacks: Vec<String>,
    /// Of the sample CA's inputs.
    #[serde(default)]
    pub(super) change: Vec<Change>,
    /// Of a structure that is to be signed.
    pub(super) structure: Option<super::structure::Mutation>,
    /// How a ceremony begins.
    pub(super) begin: Option<super::room::Begin>,
    /// What happens in it.
    #[serde(default)]
    pub(super) step: Vec<super::room::Step>,
    /// How the golden is judged.
    pub(super) verify: Option<super::folder::Verify>,
    /// Of the golden's files.
    #[serde(default)]
    pub(super) file: Vec<super::folder::Change>,
}

/// A replacement in one of the sample CA's files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub(super) file: String,
    /// The whole file, of which nothing is left but what is put.
    #[serde(default)]
    pub(super) whole: bool,
    /// The table to look in, from its heading to the next; the whole file otherwise.
    pub(super) table: Option<String>,
    /// Stands there exactly once. Absent: `put` goes to the end of the file.
    pub(super) find: Option<String>,
    pub(super) put: String,
}

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    Inputs,
    Structure,
    Room,
    Folder,
}

impl Case {
    pub(super) fn subject(&self) -> Subject {
        let body = &self.body;
        let subjects = [
            (body.structure.is_some(), Subject::Structure),
            (body.begin.is_some() || !body.step.is_empty(), Subject::Room),
            (body.verify.is_some() || !body.file.is_empty(), Subject::Folder),
        ];
        let found: Vec<Subject> = subjects.into_iter().filter(|s| s.0).map(|s| s.1).collect();
        match (found.as_slice(), body.change.is_empty()) {
            ([], false) => Subject::Inputs,
            ([one], _) => *one,
            other => panic!("{}: one subject is asked for: {other:?}", self.name),
        }
    }
}

/// Every case of a folder, by name.
pub(super) fn all(folder: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = fs::read_dir(root().join("tests").join(folder))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_string();
            assert_eq!(path.extension().unwrap(), "toml", "{name}");
            read(name, &fs::read_to_string(path).unwrap(), folder == "refused")
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!cases.is_empty(), "{folder}");
    cases
}

fn read(name: String, text: &str, refused: bool) -> Case {
    let mut header: BTreeMap<&str, String> = BTreeMap::new();
    for line in text.lines().map_while(|line| line.strip_prefix("# ")) {
        let (key, value) =
            line.split_once(": ").unwrap_or_else(|| panic!("{name}: no `key: value`: {line}"));
        assert!(["expect", "excepts", "reports", "why", "at"].contains(&key), "{name}: {key}");
        assert!(header.insert(key, value.to_string()).is_none(), "{name}: {key} twice");
    }
    let rules = |key: &str| {
        let ids = header.get(key).map_or("", String::as_str).split(", ");
        let mut ids: Vec<String> = ids.filter(|id| !id.is_empty()).map(String::from).collect();
        ids.sort();
        ids
    };
    let (expect, excepts, reports) = (rules("expect"), rules("excepts"), rules("reports"));
    assert_eq!(refused, !expect.is_empty(), "{name}: a refused case names the rules");
    assert!(header.contains_key("why"), "{name}: a case says why");
    let body: Body = toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    Case { name, expect, excepts, reports, at: header.remove("at"), body }
}
