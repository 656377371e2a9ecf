//! Messages about what gishiki did or could not do: they claim no more than is true, and say what
//! to do next.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{
    Drill, genesis, genesis_golden, gishiki, gishiki_at, root, run, sample_ca, succeed, text,
};

/// The sample CA with a custodian whose training is late, and an exception for it.
fn excepted_plan(folder: &Path) -> std::path::PathBuf {
    let plan = sample_ca(folder);
    let change = |path: &Path, from: &str, to: &str| {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    let exception = "[[exception]]\nrule = \"R-STAFF-CREDENTIAL\"\nreason = \"moved to April\"\n\
                     approved-by = [\"p01\", \"p07\"]\nuntil = 2026-05-01T00:00:00+09:00\n";
    let file = plan.join("plan.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n{exception}")).unwrap();
    change(&folder.join("roster.toml"), "enrolled = 2026-03-03", "enrolled = 2026-04-02");
    plan
}

#[test]
fn an_excepted_rule_is_not_said_to_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let plan = excepted_plan(&folder.path().join("ca"));
    let said = succeed(gishiki().arg("check").arg(&plan));
    let first = "exception R-STAFF-CREDENTIAL until 2026-05-01T00:00:00+09:00, approved by p01 p07: \
                 moved to April\n  excepted R-STAFF-CREDENTIAL: ";
    assert!(said.starts_with(first), "{said}");
    assert!(said.contains("\nkeeps every rule but the excepted: 2026-04-genesis\n"), "{said}");
    let out = folder.path().join("out");
    succeed(gishiki().arg("rehearse").arg(&plan).arg("--out").arg(&out));
    let said = succeed(gishiki().arg("verify").arg(&out).arg("--rehearsal"));
    let unplanned = said.split("# not as planned\n").nth(1).unwrap();
    assert!(unplanned.starts_with("  exception R-STAFF-CREDENTIAL"), "{said}");
    assert!(unplanned.contains("\n  excepted R-STAFF-CREDENTIAL: "), "{said}");
    let said = succeed(gishiki().arg("verify").arg(&out).args(["--rehearsal", "--rules"]));
    assert!(!said.contains("✓ R-STAFF-CREDENTIAL"), "{said}");
    assert!(said.contains("– R-STAFF-CREDENTIAL"), "{said}");
}

/// An aborted ceremony is consistent, and hands out nothing: both are said.
#[test]
fn an_abort_is_said_by_every_verdict() {
    let drill = Drill::new();
    let answers = "default = \"as-planned\"\n[op.complete-j-lis]\nrefuse = \"a seal was broken\"\n";
    fs::write(drill.path("answers.toml"), answers).unwrap();
    let output = run(&mut drill.run_command(&genesis()));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("stopped: "), "{}", text(&output));
    let said = drill.verify();
    assert!(
        said.contains(
            "aborted by FAKE Hajime Kanri (p01): a seal was broken; nothing is handed out"
        ),
        "{said}"
    );
    let ledger = drill.path("ledger");
    fs::create_dir(&ledger).unwrap();
    fs::rename(drill.path("out"), ledger.join("2026-04-genesis")).unwrap();
    let said = succeed(gishiki().arg("verify").arg(&ledger).arg("--drill"));
    assert!(said.contains("signatures, aborted, refusals: 1, reports: 1\n"), "{said}");
    let output = run(gishiki().arg("verify").arg(ledger.join("2026-04-genesis")));
    assert_eq!(output.status.code(), Some(7));
    assert!(text(&output).contains("drill, aborted, audit key"), "{}", text(&output));
}

/// Whoever reads a refusal knows what can be done next.
#[test]
fn each_stop_names_what_comes_next() {
    let drill = Drill::new();
    // Before anything: the window, a terminal, a medium that cannot be written.
    let mut late = gishiki_at("2026-04-02 01:30:00");
    drill.env(&mut late).arg("run").arg(genesis()).arg("--room").arg(drill.path("room.toml"));
    late.arg("--journal").arg(drill.path("A")).arg("--journal").arg(drill.path("B"));
    late.arg("--out").arg(drill.path("out")).arg("--answers").arg(drill.path("answers.toml"));
    let said = text(&run(&mut late));
    assert!(said.starts_with("time: S-WINDOW") && said.contains("Nothing was begun"), "{said}");
    fs::write(drill.path("A"), "no folder").unwrap();
    let output = run(&mut drill.run_command(&genesis()));
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    assert!(text(&output).contains("Nothing was begun"), "{}", text(&output));
    fs::remove_file(drill.path("A")).unwrap();
    // The token refuses the PIN: the journal is kept.
    fs::write(drill.path("pin"), "another").unwrap();
    let output = run(&mut drill.run_command(&genesis()));
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("go on with:\n  gishiki resume --room "), "{}", text(&output));
    fs::write(drill.path("pin"), crate::support::PIN).unwrap();
    // After the seal the folder cannot be written: nothing is lost.
    fs::write(drill.path("none"), "a file where a folder is asked for").unwrap();
    // Later than whatever the one before has recorded.
    let mut resume = drill.resume_command("2026-04-01 03:30:00");
    let arguments: Vec<_> = resume.get_args().map(|a| a.to_owned()).collect();
    let mut elsewhere = gishiki_at(crate::support::LATER);
    let out = drill.path("out").into_os_string();
    elsewhere.args(arguments.into_iter().map(|argument| match argument == out {
        true => drill.path("none/out").into_os_string(),
        false => argument,
    }));
    drill.env(&mut elsewhere).stdin(fs::File::open(drill.path("pin")).unwrap());
    let output = run(&mut elsewhere);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("S-OUT") && said.contains("choose another --out"), "{said}");
    assert!(run(&mut resume).status.success());
    assert!(drill.verify().contains("drill, consistent"));
}

/// A descriptor that nobody opened is told before anything else gets its number, and no command
/// that is printed names one.
#[test]
fn a_descriptor_that_is_not_open_is_told_at_once() {
    let drill = Drill::new();
    let plan = genesis();
    for (descriptor, found) in
        [("99", "none that is open"), ("1", "one that is open for writing only")]
    {
        let mut command = gishiki_at(crate::support::IN_WINDOW);
        drill.env(&mut command).arg("run").arg(&plan).arg("--room").arg(drill.path("room.toml"));
        for medium in ["A", "B"] {
            command.arg("--journal").arg(drill.path(medium));
        }
        command.arg("--out").arg(drill.path("out")).args(["--pin-fd", descriptor]);
        let output = run(&mut command);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(5), "{said}");
        assert!(said.contains("S-TERMINAL") && said.contains(found), "{said}");
        assert!(said.contains("Nothing was begun.") && said.contains("  gishiki run "), "{said}");
        let line = said.lines().find(|line| line.starts_with("  gishiki ")).unwrap();
        assert!(!line.contains("--pin-fd") && !drill.path("A").exists(), "{said}");
        let mut probe = gishiki();
        probe.arg("probe").arg("--room").arg(drill.path("room.toml"));
        let output = run(drill.env(&mut probe).args(["--pin-fd", descriptor]));
        assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    }
}

/// An output folder in a journal would be found out after the ceremony only.
#[test]
fn an_output_folder_lies_in_no_journal() {
    let drill = Drill::new();
    let out = drill.path("out").into_os_string();
    for within in ["A", "A/.", "B/out", "out/../A/more/out"] {
        fs::create_dir_all(drill.path("out")).unwrap();
        let mut command = gishiki_at("2026-04-01 01:00:00");
        let given = drill.run_command(&genesis());
        command.args(given.get_args().map(|argument| match argument == out {
            true => drill.path(within).into_os_string(),
            false => argument.to_owned(),
        }));
        drill.env(&mut command).stdin(fs::File::open(drill.path("pin")).unwrap());
        let output = run(&mut command);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(5), "{within}: {said}");
        assert!(said.contains("S-OUT") && said.contains("at the journal"), "{within}: {said}");
        assert!(!drill.path("A").exists() && !drill.path("B").exists(), "{within}");
    }
}

/// Folders that hold something else are named with what they hold, and a command has free ones.
#[test]
fn folders_that_are_taken_have_others_in_the_next_command() {
    let drill = Drill::new();
    let shown = |name: &str| drill.path(name).display().to_string();
    fs::create_dir(drill.path("out")).unwrap();
    let output = run(&mut drill.run_command(&genesis()));
    let said = text(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("S-OUT") && said.contains("Nothing was begun."), "{said}");
    assert!(said.contains(&format!(" --out {}", shown("out-2"))), "{said}");
    fs::remove_dir(drill.path("out")).unwrap();
    succeed(&mut drill.run_command(&genesis()));
    // The journals of one ceremony, given to the next one.
    let next = root().join("ceremony-plans/mdoc-root/2026-06-ds");
    let output = run(&mut drill.run_command(&next));
    let said = text(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    for told in [
        "asked: other folders for the journals of 2026-06-ds",
        "found: folders with the journals of 2026-04-genesis",
        &format!(" --journal {} --journal {} ", shown("A-2"), shown("B-2")),
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!said.contains("gishiki resume"), "{said}");
}

fn state(at: &str) -> (String, Value) {
    let ledger = root().join("golden/mdoc-root");
    let state =
        |json: &[&str]| succeed(gishiki().arg("state").arg(&ledger).args(["--at", at]).args(json));
    (state(&[]), serde_json::from_str(&state(&["--json"])).unwrap())
}

/// One of a list of the JSON, by its name.
fn named<'v>(state: &'v Value, list: &str, name: &str) -> &'v Value {
    let all = state[list].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {state}"))
}

/// What came later than the day that is asked for is marked, and nothing of it is due.
#[test]
fn a_state_is_that_of_its_day() {
    let (said, json) = state("2026-07-01");
    for line in [
        "g1       P-384 made 2026-04-01T10:00:22+09:00, age 0 years 91 days, use left: 1734 days",
        "g2       P-384 made 2031-03-10T10:00:22+09:00, not yet",
        "2026-10-29  valid",
        "2026-09-28 – 2027-01-27  not yet",
        "2026-12-25 – 2027-04-06  327680–329312  entries 1 → 0  later",
        "2026-10-29T23:59:59+09:00  ds-0001 is renewed",
        "2031-01-01T00:00:00+09:00  g1 needs a successor",
        "2031-06-30T23:59:59+09:00  g1 must have a successor",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let due = said.split("# due").nth(1).unwrap();
    assert!(!due.contains("ds-0007") && !due.contains("g2") && !due.contains("g3"), "{due}");
    let standing = |name| named(&json, "certificates", name)["standing"].clone();
    assert_eq!(standing("ds-0001"), "valid");
    assert_eq!(standing("ds-0007"), "not-yet");
    assert_eq!(standing("old-with-new-g1-g2"), "not-yet", "its key was not made");
    assert_eq!(named(&json, "keys", "g1")["age-days"], 91);
    assert_eq!(named(&json, "keys", "g2")["age-days"], Value::Null);
}

/// A key that is compromised, destroyed or lost has no use left, and nothing of it is due.
#[test]
fn a_key_that_has_ended_is_not_due() {
    let (said, json) = state("2032-03-15");
    for (key, how) in [("g1", "destroyed"), ("g2", "compromised"), ("audit", "lost")] {
        let line = said.lines().find(|line| line.starts_with(&format!("  {key} "))).unwrap();
        assert!(line.contains(how) && !line.contains("left") && !line.contains("age"), "{line}");
        assert_eq!(named(&json, "keys", key)["serves"], false, "{key}");
        assert!(!said.split("# due").nth(1).unwrap().contains(&format!("{key} ")), "{said}");
    }
    assert_eq!(named(&json, "keys", "g3")["serves"], true);
    let due: Vec<&str> =
        json["due"].as_array().unwrap().iter().map(|due| due["what"].as_str().unwrap()).collect();
    assert_eq!(
        due,
        [
            "ds-0007 is renewed",
            "the next CRLs are signed",
            "the last CRL of g3 runs out",
            "g3 needs a successor",
            "g3 signs its last certificate",
            "g3 must have a successor",
            "g3 has no root any more",
        ]
    );
    let (said, _) = state("2036-09-01");
    assert!(said.contains("2036-08-25T00:00:00+09:00  g3 needs a successor  past"));
}

/// The room follows on paper: the screen has the script's numbers and titles, and what the machine
/// saw where the script says what must be seen.
#[test]
fn each_step_stands_on_the_screen_as_in_the_script() {
    let plan = genesis();
    for (lang, seen, head, paper) in [
        (
            "en",
            ["token: ", "objects: 0", "refused: CKR_", "signatures verified: 64"],
            "head: ",
            "(8 words on the screen)",
        ),
        (
            "ja",
            ["トークン: ", "オブジェクト: 0 個", "拒否: CKR_", "検証した署名: 64 件"],
            "記録の最新値: ",
            "(画面のかな 6 語)",
        ),
    ] {
        let drill = Drill::new();
        let output = run(drill.run_command(&plan).args(["--lang", lang]));
        assert!(output.status.success(), "{}", text(&output));
        let said = String::from_utf8(output.stderr).unwrap();
        let script = genesis_golden().join(format!("script.{lang}.md"));
        let script = fs::read_to_string(script).unwrap();
        let steps: Vec<_> = script.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let all = steps.len();
        let numbered = |step: &&str| {
            let (number, title) = step.split_once(". ").unwrap();
            format!("[{number:>3}/{all}] {title}")
        };
        let shown: Vec<&str> = said.lines().filter(|line| line.starts_with('[')).collect();
        assert_eq!(shown, steps.iter().map(numbered).collect::<Vec<_>>());
        for seen in seen {
            assert!(
                said.lines().any(|line| line.trim().starts_with(&format!("✓ {seen}"))),
                "{seen}"
            );
        }
        // Where the script has a line for it, and nowhere else.
        let noted = script.lines().filter(|line| line.contains(paper)).count();
        let heads = said.lines().filter(|line| line.trim().starts_with(head)).count();
        assert!(noted > 3);
        assert_eq!(heads, noted, "{said}");
    }
}

/// Whoever waits at a terminal sees how far it is; a file or another program gets nothing of it.
#[test]
fn long_work_shows_how_far_it_is_at_a_terminal() {
    let ledger = root().join("golden/mdoc-root");
    let last = root().join("ceremony-plans/mdoc-root/2026-09-renewal");
    let at_a_terminal = |arguments: &str| {
        let line = format!("{} --lang en {arguments}", crate::support::GISHIKI);
        let mut script = std::process::Command::new("script");
        succeed(script.args(["-qec", &line, "/dev/null"]).env("LC_ALL", "C.UTF-8"))
    };
    let folded = "[  1/2] 2026-04-genesis\r\n[  2/2] 2026-06-ds\r\n";
    let (ledger, last) = (ledger.display(), last.display());
    let said = at_a_terminal(&format!("check {last} --ledger {ledger}"));
    assert!(said.starts_with(folded), "{said}");
    let said = at_a_terminal(&format!("diff {last} {last} --ledger {ledger}"));
    assert_eq!(said, folded);
    let said = at_a_terminal(&format!("state {ledger}"));
    assert!(said.contains("] 2026-09-renewal\r\n"), "{said}");
    let output = run(gishiki().args(["check", &last.to_string(), "--ledger", &ledger.to_string()]));
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output));
}

/// A state says on what it rests; what is overdue ends with a code of its own.
#[test]
fn a_state_says_on_what_it_rests_and_what_is_overdue() {
    let ledger = root().join("golden/mdoc-root");
    let state = |arguments: &[&str]| {
        let output = run(gishiki().arg("state").arg(&ledger).args(arguments));
        (output.status.code(), text(&output))
    };
    let (code, said) = state(&["--at", "2032-03-15"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("\n  not judged: consistent, but nothing says"), "{said}");
    assert!(said.contains("\n# the last CRL of each key\n  g1       2031-07-31, until "), "{said}");
    let (_, json) = state(&["--at", "2032-03-15", "--json", "--rehearsal"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["judged"], "rehearsal");
    let crl = &named(&json, "keys", "g3")["last-crl"];
    assert_eq!(crl["next-update"], "2032-06-03T00:00:00+09:00");
    let (code, said) = state(&["--drill"]);
    assert_eq!(code, Some(4), "{said}");
    // Two root keys in one batch: the CRLs of the old one end with its root.
    let (_, said) = state(&["--at", "2031-07-15", "--rehearsal"]);
    let crl =
        "\n  g1       2031-07-31, until 2031-08-01T00:00:00+09:00 (2031-06-two-generations)\n";
    assert!(said.contains(crl), "{said}");
    assert!(said.contains("2031-08-01T00:00:00+09:00  the last CRL of g1 runs out\n"), "{said}");
    // At its nextUpdate itself a CRL is out of date, whoever is asked.
    let (_, said) = state(&["--at", "2032-06-03", "--rehearsal"]);
    let rows = said.lines().filter(|line| line.contains("2032-06-03T00:00:00+09:00 (2032"));
    let rows = rows.chain(said.lines().filter(|line| line.contains("last CRL of g3 runs out")));
    let past: Vec<bool> = rows.map(|row| row.ends_with("  past")).collect();
    assert_eq!(past, [true, true], "{said}");
    for (day, code, overdue) in [
        ("2032-03-15", 0, false),
        // On the day itself the next CRLs are not overdue yet.
        ("2032-05-18", 0, false),
        ("2032-05-19", 9, true),
    ] {
        let (found, said) = state(&["--due", "--rehearsal", "--at", day]);
        assert_eq!(found, Some(code), "{day}: {said}");
        assert!(said.starts_with(&format!("at {day}T00:00:00+09:00: consistent as a rehearsal")));
        assert_eq!(said.contains("the next CRLs are signed  past"), overdue, "{said}");
    }
}

/// Copies are shown with where and by whom they are kept, in the words of the plan that made them.
#[test]
fn a_state_shows_the_custody_of_copies() {
    let ledger = tempfile::tempdir().unwrap();
    for ceremony in [
        "2026-04-genesis",
        "2026-06-ds",
        "2026-09-renewal",
        "2026-10-ds-compromise",
        "2026-12-backup-drill",
    ] {
        let golden = root().join("golden/mdoc-root").join(ceremony);
        crate::support::copy(&golden, &ledger.path().join(ceremony));
    }
    let said = succeed(gishiki().arg("state").arg(ledger.path()).arg("--rehearsal"));
    let copies = said.split("\n# copies and custody\n").nth(1).unwrap();
    let row = "  vault (REHEARSAL-vault): g1, kept: HSM FAKE-HSM-0002, seal 0417, safe B of the second site";
    assert!(copies.starts_with(row), "{said}");
}
