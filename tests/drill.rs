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

/// Everybody whom the plan asks has a card: the command of the page approves with each of them.
fn approved_by_all(drill: &Path, plan: &str) {
    let page = fs::read_to_string(drill.join("README.md")).unwrap();
    let (_, command) = page.split_once("  gishiki approve ").unwrap();
    let (person, rest) = command.lines().next().unwrap().split_once(' ').unwrap();
    assert!(rest.starts_with(plan), "{page}");
    let only = page.lines().filter(|line| line.contains("approves before the day only"));
    let others = only.map(|line| line.split('`').nth(1).unwrap());
    for person in [person].into_iter().chain(others) {
        let mut command = gishiki();
        command.current_dir(drill).env("SOFTHSM2_CONF", drill.join("softhsm2.conf"));
        command.args(["--lang", "en", "approve", person]).args(rest.split(' '));
        fs::write(drill.join("pin"), "drill-pin\n").unwrap();
        command.args(["--pin-fd", "0"]).stdin(fs::File::open(drill.join("pin")).unwrap());
        let said = succeed(&mut command);
        assert!(said.contains(&format!("approved: {person}")), "{said}");
    }
    let mut check = gishiki();
    check.current_dir(drill).args(["--lang", "en", "check", plan, "--drill", "--approved"]);
    let said = text(&run(&mut check));
    let asked = said.split("approvals by card: ").nth(1).unwrap_or_default();
    // Whoever is still asked for is on the page, and has a token.
    let ids = asked.split(|c: char| !c.is_ascii_alphanumeric());
    for id in ids.filter(|id| id.starts_with('p') && id[1..].parse::<u8>().is_ok()) {
        assert!(page.contains(&format!("| `{id}` |")), "{id}: {said}");
    }
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
        approved_by_all(&drill, first);
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
