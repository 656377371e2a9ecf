//! Sealed folders: each has the files that its transcript gives, wherever its ledger is read, and
//! nothing in it is read through a link.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{copy, gishiki, root, run, succeed, text};

/// The sample CA's first ceremonies, sealed, in a folder of their own.
struct Ledger {
    folder: tempfile::TempDir,
    /// Where a rehearsal on it is written, if it is.
    elsewhere: tempfile::TempDir,
}

impl Ledger {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for ceremony in ["2026-04-genesis", "2026-06-ds", "2026-09-renewal"] {
            let golden = root().join("golden/mdoc-root").join(ceremony);
            copy(&golden, &folder.path().join(ceremony));
        }
        Self { folder, elsewhere: tempfile::tempdir().unwrap() }
    }

    /// The earliest ceremony, which everything else is judged on.
    fn first(&self) -> PathBuf {
        self.folder.path().join("2026-04-genesis")
    }

    fn out(&self) -> PathBuf {
        self.elsewhere.path().join("out")
    }

    /// Every command that reads a ledger, on this one.
    fn readers(&self) -> Vec<Command> {
        let ledger = self.folder.path();
        let plans = root().join("ceremony-plans/mdoc-root");
        let plan = plans.join("2026-10-ds-compromise");
        let sealed = |name: &str| ledger.join(name);
        let commands: [&[&Path]; 8] = [
            &["verify".as_ref(), "--rehearsal".as_ref(), ledger],
            &["verify".as_ref(), "--rehearsal".as_ref(), &sealed("2026-09-renewal")],
            &["state".as_ref(), ledger],
            &["check".as_ref(), &plan, "--ledger".as_ref(), ledger],
            &["script".as_ref(), &plan, "--ledger".as_ref(), ledger],
            &["diff".as_ref(), &sealed("2026-06-ds"), &sealed("2026-09-renewal")],
            &[
                "rehearse".as_ref(),
                &plan,
                "--ledger".as_ref(),
                ledger,
                "--out".as_ref(),
                &self.out(),
            ],
            &["diff".as_ref(), &plan, &plan, "--ledger".as_ref(), ledger],
        ];
        commands
            .map(|arguments| {
                let mut command = gishiki();
                command.args(arguments);
                command
            })
            .into()
    }

    /// Refused by every command that reads it.
    fn refused(&self, what: &str, code: i32) {
        self.refused_by(self.readers(), what, code);
    }

    /// Refused where its state is asked for, which is how the others read it.
    fn has_no_state(&self, what: &str, code: i32) {
        let state = self.readers().into_iter().filter(|c| c.get_args().any(|a| a == "state"));
        self.refused_by(state.collect(), what, code);
    }

    fn refused_by(&self, readers: Vec<Command>, what: &str, code: i32) {
        assert!(!readers.is_empty());
        for mut command in readers {
            let output = run(&mut command);
            let said = text(&output);
            assert_eq!(output.status.code(), Some(code), "{what}: {command:?}: {said}");
            assert!(said.contains("2026-04-genesis") && said.contains(what), "{what}: {said}");
            assert!(!self.out().exists());
        }
    }
}

#[test]
fn an_earlier_folder_has_its_files_wherever_its_ledger_is_read() {
    let ledger = Ledger::new();
    let first = ledger.first();
    for mut command in ledger.readers() {
        let code = run(&mut command).status.code();
        assert!(matches!(code, Some(0 | 8)), "{command:?}: {code:?}");
    }
    fs::remove_dir_all(ledger.out()).unwrap();
    fs::write(first.join("note.txt"), "more").unwrap();
    ledger.refused("note.txt", 4);
    fs::remove_file(first.join("note.txt")).unwrap();
    for more in ["inputs/ds-0001.csr", "crl-g1-2026-04-01.txt"] {
        fs::write(first.join(more), "more").unwrap();
        ledger.has_no_state(more.trim_start_matches("inputs/"), 4);
        fs::remove_file(first.join(more)).unwrap();
    }
    for less in ["root-g1.der", "crls.txt", "script.ja.md", "manifest.json", "graph.txt"] {
        let octets = fs::read(first.join(less)).unwrap();
        fs::remove_file(first.join(less)).unwrap();
        ledger.has_no_state(less, 4);
        fs::write(first.join(less), [&octets[..], b" "].concat()).unwrap();
        ledger.has_no_state(less, 4);
        fs::write(first.join(less), octets).unwrap();
    }
    fs::create_dir(first.join("empty")).unwrap();
    ledger.has_no_state("empty", 4);
    fs::remove_dir(first.join("empty")).unwrap();
    succeed(gishiki().arg("state").arg(ledger.folder.path()));
}

/// What a link leads to may be right today.
#[test]
fn nothing_of_a_sealed_folder_is_read_through_a_link() {
    let ledger = Ledger::new();
    let first = ledger.first();
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = |from: &Path, to: &Path| {
        assert!(Command::new("mv").arg(from).arg(to).status().unwrap().success());
    };
    for name in ["root-g1.der", "transcript.jsonl", "inputs/plan.toml", "inputs"] {
        let (place, away) = (first.join(name), elsewhere.path().join("away"));
        moved(&place, &away);
        symlink(&away, &place).unwrap();
        ledger.refused(name, 5);
        fs::remove_file(&place).unwrap();
        moved(&away, &place);
    }
    succeed(gishiki().arg("state").arg(ledger.folder.path()));
}
