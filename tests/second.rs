//! The second verifier, `docs/verify.py`: written from the format's documents by somebody who had
//! not read this code. Both give the same verdict on every golden, and on ledgers in which
//! something was changed.
//!
//! Some changes are sampled; `GISHIKI_ALL=1` takes 3,000.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ceremony::record::GENESIS;
use serde_json::{Value, json};

use crate::support::{Dice, complete, copy, files, gishiki, root, run, text};
use crate::tamper::forger::{derived, line};

/// The exit code and the words of the second verifier.
pub(crate) fn second(ledger: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(root().join(".venv/bin/python"));
    command.arg(root().join("docs/verify.py")).arg(ledger).args(arguments);
    let output = run(&mut command);
    (output.status.code(), text(&output))
}

fn first(ledger: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(gishiki().arg("verify").arg(ledger).args(arguments));
    (output.status.code(), text(&output))
}

/// An auditor reads it whole.
#[test]
fn the_second_verifier_is_short() {
    let text = fs::read_to_string(root().join("docs/verify.py")).unwrap();
    assert!(text.lines().count() <= 500 && text.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn both_verifiers_agree_on_every_golden() {
    for ca in ["mdoc-root", "utopia-mdl"] {
        let ledger = root().join("golden").join(ca);
        for arguments in [&["--rehearsal"][..], &[]] {
            let (one, other) = (first(&ledger, arguments), second(&ledger, arguments));
            assert_eq!(one.0, other.0, "{ca} {arguments:?}: {}\n{}", one.1, other.1);
        }
        assert_eq!(second(&ledger, &["--rehearsal"]).0, Some(0));
    }
}

/// A ceremony that nobody held: everybody is recorded as absent, so that no card signs anything.
/// The token did what was asked, and everything is chained again.
#[test]
fn a_ceremony_without_people_is_none() {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("golden/mdoc-root"), folder.path());
    let path = folder.path().join("2032-03-token-lost/transcript.jsonl");
    let transcript = fs::read_to_string(&path).unwrap();
    let (mut chain, mut empty) = (GENESIS, String::new());
    for (number, record) in (0..).zip(transcript.lines()) {
        let mut record: Value = serde_json::from_str(record).unwrap();
        let members = record.as_object_mut().unwrap();
        members.remove("chain");
        members.remove("signed");
        let answer = record["event"].get_mut("answer");
        if let Some(answer) = answer.filter(|answer| answer["from"] == "people") {
            answer["by"] = json!([]);
            if let Some(attendance) = answer["facts"].get_mut("attendance") {
                *attendance = json!("absent");
            }
        }
        let record = line(derived(record, number), chain);
        let chained: Value = serde_json::from_str(&record).unwrap();
        chain = chained["chain"].as_str().unwrap().parse().unwrap();
        empty.push_str(&record);
    }
    fs::write(&path, empty).unwrap();
    let (code, said) = second(folder.path(), &["--rehearsal"]);
    assert_eq!(code, Some(4), "{said}");
    // The first act that anybody has to do; that the seal is another comes after it.
    assert!(said.contains("transcript.jsonl:3: asked [('1', "), "{said}");
    let (code, said) = first(folder.path(), &["--rehearsal"]);
    assert_eq!(code, Some(4), "{said}");
}

/// One change of a ledger: an octet, a file away, renamed, doubled or emptied, or cut.
fn change(ledger: &Path, paths: &[PathBuf], dice: &mut Dice) -> String {
    let path = &paths[dice.roll(paths.len())];
    let octets = fs::read(path).unwrap();
    let shown = path.strip_prefix(ledger).unwrap().display().to_string();
    match dice.roll(8) {
        0 => {
            fs::remove_file(path).unwrap();
            format!("{shown} removed")
        }
        1 => {
            fs::rename(path, path.with_extension("old")).unwrap();
            format!("{shown} renamed")
        }
        2 => {
            fs::write(path, &octets[..dice.roll(octets.len())]).unwrap();
            format!("{shown} cut")
        }
        3 => {
            fs::write(path, [&octets[..], b"\n"].concat()).unwrap();
            format!("{shown} with a line feed more")
        }
        _ => {
            let (at, bit) = (dice.roll(octets.len()), dice.roll(8));
            let mut octets = octets;
            octets[at] ^= 1 << bit;
            fs::write(path, octets).unwrap();
            format!("{shown}: bit {bit} of octet {at}")
        }
    }
}

/// What is published may be changed in a copy: the transcript alone gives it again.
#[test]
fn both_verifiers_refuse_a_changed_ledger() {
    let original = root().join("golden/utopia-mdl");
    let count = if complete() { 3_000 } else { 60 };
    let mut dice = Dice(2_034);
    let mut taken = BTreeMap::new();
    for number in 0..count {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger");
        copy(&original, &ledger);
        let paths: Vec<PathBuf> =
            files(&ledger).into_keys().map(|name| ledger.join(name)).collect();
        let what = change(&ledger, &paths, &mut dice);
        let (one, other) = (first(&ledger, &["--rehearsal"]), second(&ledger, &["--rehearsal"]));
        // What is no document at all has another code in the program (docs/bounds.md).
        assert!([Some(4), Some(5)].contains(&one.0), "{number}: {what}: {}", one.1);
        if other.0 != Some(4) {
            taken.insert(what, other);
        }
    }
    assert!(taken.is_empty(), "{} of {count}: {taken:#?}", taken.len());
}
