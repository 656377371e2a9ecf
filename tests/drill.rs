//! `drill`: one command prepares a drill of either CA's first ceremony, on the day of the test.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bad_input::refused;
use crate::support::{gishiki, root, run, succeed, text};

const FIRSTS: [&str; 2] = ["mdoc-root/2026-04-genesis", "utopia-mdl/2027-01-genesis"];

/// The command that the page tells people to type, with answers of a file.
fn hold(drill: &Path) -> String {
    let page = fs::read_to_string(drill.join("README.md")).unwrap();
    let (_, rest) = page.split_once("```sh\n").unwrap();
    let (commands, _) = rest.split_once("```").unwrap();
    fs::write(drill.join("answers.toml"), "default = \"as-planned\"\n").unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_gishiki")).parent().unwrap().display().to_string();
    let commands = commands.trim_end();
    let script = format!(
        "set -euo pipefail\nexport PATH=\"{program}:$PATH\"\n{commands} --answers answers.toml --pin-fd 3 3< <(yes drill-pin | head -n 90)\n\
         gishiki verify OUT --drill --lang en\n"
    );
    let mut command = Command::new("bash");
    succeed(command.current_dir(drill).arg("-c").arg(script))
}

#[test]
fn what_it_writes_can_be_held_at_once() {
    for first in FIRSTS {
        let folder = tempfile::tempdir().unwrap();
        let drill = folder.path().join("a drill");
        let plan = root().join("ceremony-plans").join(first);
        let said = succeed(gishiki().args(["--lang", "en", "drill"]).arg(&plan).arg(&drill));
        assert!(said.contains("cd '") && said.contains(&format!("run {first}")), "{said}");
        let script = fs::read_to_string(drill.join("script.en.md")).unwrap();
        assert!(script.contains("**bindings**"));
        let verdict = hold(&drill);
        let signed = verdict.contains("drill, consistent: ") && verdict.contains("by people 0,");
        assert!(signed, "{first}: {verdict}");
        // The CA's own documents stay as they are.
        let text = fs::read_to_string(plan.join("plan.toml")).unwrap();
        assert_ne!(text, fs::read_to_string(drill.join(first).join("plan.toml")).unwrap());
    }
}

#[test]
fn what_cannot_be_prepared_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let drill = folder.path().join("drill");
    let mut command = gishiki();
    let later = root().join("ceremony-plans/mdoc-root/2026-06-ds");
    let output = run(command.args(["--lang", "en", "drill"]).arg(later).arg(&drill));
    refused(&output, 64, "S-AFTER");
    assert!(text(&output).contains("follows 2026-04-genesis"));
    let first = root().join("ceremony-plans").join(FIRSTS[0]);
    let mut command = gishiki();
    let output = run(command.arg("drill").arg(&first).arg(&drill).env("PATH", folder.path()));
    refused(&output, 5, "S-TOKEN");
    assert!(text(&output).contains("softhsm2-util"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::create_dir(&drill).unwrap();
    refused(&run(gishiki().arg("drill").arg(&first).arg(&drill)), 5, "S-OUT");
}
