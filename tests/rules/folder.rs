//! Cases of a sealed folder: the golden, changed, and judged by the program as by any verifier.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::case::Case;
use crate::support::{copy, genesis_golden, gishiki, run, text};

/// How it is judged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verify {
    /// The program's flag; `--rehearsal`, if absent.
    flag: Option<String>,
    /// An anchor to judge by.
    anchor: Option<String>,
}

/// A change of one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    name: String,
    /// Stands there exactly once.
    find: Option<String>,
    /// What goes there; at the file's end, or into a new file, without `find`.
    put: Option<String>,
    /// Only so many lines are kept, from the beginning.
    keep: Option<usize>,
}

pub(super) fn judge(case: &Case) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("sealed");
    copy(&genesis_golden(), &folder);
    for change in &case.body.file {
        change.apply(&case.name, &folder);
    }
    let mut command = gishiki();
    command.arg("verify").arg(&folder);
    let verify = case.body.verify.as_ref();
    match verify.and_then(|verify| verify.anchor.as_ref()) {
        Some(anchor) => {
            fs::write(place.path().join("anchor.toml"), anchor).unwrap();
            command.arg("--anchor").arg(place.path().join("anchor.toml"));
        }
        None => {
            let flag = verify.and_then(|verify| verify.flag.as_deref());
            command.arg(flag.unwrap_or("--rehearsal"));
        }
    }
    let output = run(&mut command);
    let said = text(&output);
    if output.status.success() {
        return Vec::new();
    }
    assert!(matches!(output.status.code(), Some(4 | 5)), "{}: {said}", case.name);
    let rule = said.lines().find_map(rule).unwrap_or_else(|| panic!("{}: {said}", case.name));
    vec![rule]
}

/// The rule of a line like `refused transcript.jsonl line 7: S-RECORD [5.4.1, 5.4.4]`, or of the
/// first line on a document, like `S-FORM [gishiki]`.
fn rule(line: &str) -> Option<String> {
    let (before, _) = line.split_once(" [")?;
    let id = before.rsplit_once(": ").map_or(before, |(_, id)| id);
    ceremony::rule::RuleId::of(id).map(|id| id.to_string())
}

impl Change {
    fn apply(&self, case: &str, folder: &Path) {
        let path = folder.join(&self.name);
        let before = fs::read_to_string(&path).unwrap_or_default();
        let put = self.put.as_deref();
        let after = match (&self.find, put, self.keep) {
            (Some(find), Some(put), None) => {
                assert_eq!(before.matches(find).count(), 1, "{case}: `{find}`");
                before.replace(find, put)
            }
            (None, Some(put), None) => before.clone() + put,
            (None, None, Some(lines)) => {
                before.split_inclusive('\n').take(lines).collect::<String>()
            }
            (None, None, None) => return fs::remove_file(&path).unwrap(),
            other => panic!("{case}: one change is asked for: {other:?}"),
        };
        assert_ne!(before, after, "{case}: nothing changed");
        fs::write(path, after).unwrap();
    }
}
