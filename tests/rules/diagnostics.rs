//! What people read when a rule refuses: the rendered messages of typical cases, as snapshots.
//!
//! `GISHIKI_RENEW=1 cargo test --test all rules::diagnostics` renews them.

use std::fs;

use super::case;
use super::inputs::Texts;
use crate::support::{gishiki, root, run, snapshot, text};

/// Cases whose messages are kept, beside `tests/snapshots`.
const TYPICAL: &[&str] = &[
    "s-form-many",
    "s-form-unknown",
    "s-form-type",
    "s-text-zero-width",
    "s-window-two-days",
    "r-root-day",
    "r-crl-cadence-late",
    "r-roles",
    "separate-auditor-custodian",
    "r-trained",
    "r-crl-validity",
    "r-witness",
    "s-exception-must",
    "uri-without-host",
];

#[test]
fn messages_point_to_the_place_and_say_what_to_do() {
    let cases = case::all("refused");
    for name in TYPICAL {
        let case = cases.iter().find(|case| case.name == *name).expect(name);
        let place = tempfile::tempdir().unwrap();
        Texts::changed(case).write(place.path());
        let mut command = gishiki();
        command.current_dir(place.path()).args(["check", "2026-04-genesis"]);
        let output = run(&mut command);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", text(&output));
        assert!(output.stdout.is_empty(), "{name}");
        let said = text(&output);
        assert!(case.expect.iter().all(|id| said.contains(&format!("{id} ["))), "{name}: {said}");
        snapshot("tests/snapshots", name, &said);
    }
    let kept = fs::read_dir(root().join("tests/snapshots")).unwrap();
    assert_eq!(kept.count(), TYPICAL.len(), "a snapshot of no case");
}

#[test]
fn messages_speak_japanese_too() {
    let cases = case::all("refused");
    let case = cases.iter().find(|case| case.name == "r-trained").unwrap();
    let place = tempfile::tempdir().unwrap();
    Texts::changed(case).write(place.path());
    let mut command = gishiki();
    let output =
        run(command.args(["--lang", "ja", "check"]).arg(place.path().join("2026-04-genesis")));
    let said = text(&output);
    assert!(said.contains("求めたもの") && said.contains("違反 1 件"), "{said}");
}

/// What cannot be seen, or steers a terminal, is not shown as it stands, and moves nothing.
#[test]
fn no_character_of_an_input_steers_the_terminal() {
    let bad = ['\u{1b}', '\u{9b}', '\u{ad}', '\u{200b}', '\u{202e}', '\u{e0041}', '\r', '\0'];
    let place = tempfile::tempdir().unwrap();
    Texts::sample().write(place.path());
    let path = place.path().join("2026-04-genesis/plan.toml");
    let plan = fs::read_to_string(&path).unwrap();
    for c in bad {
        let line = format!("[crls] # a{c}[2J b{c}c\n");
        fs::write(&path, plan.replace("[crls]\n", &line)).unwrap();
        let output = run(gishiki().current_dir(place.path()).args(["check", "2026-04-genesis"]));
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output);
        assert!(!said.contains(c), "{c:?}: {said:?}");
        assert!(said.contains("S-TEXT [") && said.contains("plan.toml:21:11]"), "{c:?}: {said}");
    }
}
