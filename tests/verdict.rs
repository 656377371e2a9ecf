//! Verdicts: they claim no more than was judged, and say on what they rest and everything that was
//! not as planned. What a reader sees is kept in `tests/verdict/`, in both languages.
//!
//! `GISHIKI_RENEW=1 cargo test --test all verdict::` renews it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ceremony::rules::{self, Stage};
use ceremony::verify::kept::{self, Basis};
use serde_json::Value;

use crate::support::{
    Drill, LATER, PIN, SOFTHSM, copy, faulty_module, genesis, genesis_golden, gishiki, root, run,
    snapshot, succeed, text, with_postscript,
};

/// The text without what differs from one ceremony or format to the next: digests, and of a drill
/// times, serial numbers and the program's source.
fn steady(text: &str, drill: Option<&Drill>) -> String {
    let version = succeed(gishiki().arg("--version"));
    let version = version.trim().strip_prefix("gishiki ").unwrap();
    let mut text = text.replace(version, "VERSION");
    if let Some(drill) = drill {
        text = text.replace(&drill.serial, "SERIAL");
    }
    let mut out = String::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let hex = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        if hex == 64 {
            out.push_str("SHA-256");
            rest = &rest[hex..];
        } else if drill.is_some() && is_time(rest) {
            out.push_str("TIME");
            rest = &rest[25..];
        } else {
            let next = rest.chars().next().unwrap();
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    out
}

fn is_time(text: &str) -> bool {
    let shape = "0000-00-00T00:00:00+00:00";
    text.len() >= shape.len()
        && text.bytes().zip(shape.bytes()).all(|(found, asked)| match asked {
            b'0' => found.is_ascii_digit(),
            other => found == other,
        })
}

/// Judges a folder or ledger in both languages, and compares with what is kept under this name.
fn kept_as(name: &str, target: &Path, arguments: &[&str], drill: Option<&Drill>) -> String {
    let mut english = String::new();
    for lang in ["ja", "en"] {
        let mut verify = gishiki();
        verify.args(["--lang", lang, "verify"]).arg(target).args(arguments);
        english = steady(&succeed(&mut verify), drill);
        snapshot("tests/verdict", &format!("{name}.{lang}"), &english);
    }
    english
}

fn last_line(said: &str) -> &str {
    said.lines().last().unwrap()
}

#[test]
fn of_the_first_ceremony() {
    let said = kept_as("genesis", &genesis_golden(), &["--rehearsal"], None);
    assert!(!said.contains('✓'), "the rules stand behind --rules: {said}");
    let reported =
        "# not as planned\n  reported S-COPY: a proved copy of g1 on another token; none\n\n";
    assert!(said.contains(reported), "{said}");
    assert_eq!(
        last_line(&said),
        "rehearsal, consistent: mdoc-root 2026-04-genesis, 145 signatures verified"
    );
    kept_as("genesis-rules", &genesis_golden(), &["--rehearsal", "--rules"], None);
}

/// The slip in words: what the paper has, and what `anchor.toml` takes.
#[test]
fn a_slip_is_shown_in_words() {
    let verify = |flags: &[&str]| {
        succeed(gishiki().arg("verify").arg(genesis_golden()).arg("--rehearsal").args(flags))
    };
    let said = verify(&["--slip"]);
    let head = said.lines().find_map(|line| line.strip_prefix("  head      ")).unwrap();
    let words = ceremony::words::lines(&ceremony::hex::decode(head.trim()).unwrap());
    assert!(said.contains(&format!("\n  head\n    {}\n", words.join("\n    "))), "{said}");
    for name in ["bindings", "postscript", "audit-key"] {
        assert!(said.contains(&format!("\n  {name}\n    ")), "{name}: {said}");
    }
    assert!(!verify(&[]).contains("its slip, in words"));
}

/// Each ceremony was judged by the rules of what was done in it.
#[test]
fn a_rule_is_listed_only_where_something_was_judged_by_it() {
    let listed = |ceremony: &str| {
        let folder = root().join("golden/mdoc-root").join(ceremony);
        succeed(gishiki().arg("verify").arg(folder).args(["--rehearsal", "--rules"]))
    };
    let (first, destruction) = (listed("2026-04-genesis"), listed("2031-09-destruction"));
    let (rollover, backup) = (listed("2031-03-rollover"), listed("2026-12-backup-drill"));
    let recovery = listed("2031-11-recovery");
    assert!(first.contains("✓ R-NO-TRANSFER "), "{first}");
    for (rule, judged, not) in [
        ("R-KEYGEN", &first, &destruction),
        ("R-FINGERPRINT", &rollover, &destruction),
        ("R-DESTROY", &destruction, &first),
        ("R-ROLLOVER-LINK", &rollover, &first),
        ("R-LINK", &rollover, &first),
        ("R-BACKUP", &backup, &first),
        ("R-EXAMINE", &destruction, &first),
        ("R-LINK", &rollover, &destruction),
        // A compromised root key has a successor, and no link to it.
        ("R-ROLLOVER-LINK", &rollover, &recovery),
        ("R-ROLLOVER-LATEST", &rollover, &recovery),
        ("R-KEYGEN", &recovery, &destruction),
    ] {
        assert!(judged.contains(&format!("✓ {rule} ")), "{rule}: {judged}");
        assert!(!not.contains(&format!("✓ {rule} ")), "{rule}: {not}");
    }
    // When a revocation was approved stands in the plan alone.
    let from = first.find("# stated by the approved papers").unwrap();
    let papers: Vec<&str> = first[from..].lines().skip(1).take_while(|l| !l.is_empty()).collect();
    assert!(papers.iter().any(|line| line.contains("✓ R-CRL-CADENCE ")), "{first}");
    // Who said so: those who read the fingerprint, and nobody where octets show it.
    let row = |rule: &str| first.lines().find(|line| line.contains(rule)).unwrap();
    assert!(row("✓ R-FINGERPRINT ").ends_with(']'), "{}", row("✓ R-FINGERPRINT "));
    assert!(!row("✓ S-SIGNATURE ").ends_with(']'));
    // Judged or named as not judged: every rule once.
    for rule in rules::all() {
        let times = first.split([' ', '\n']).filter(|word| *word == rule.id.as_str()).count();
        assert_eq!(times, 1, "{}", rule.id);
    }
}

/// Behind a rule that people stated stand those who are on record for it.
#[test]
fn those_who_noted_a_head_stand_behind_it() {
    let folder = genesis_golden();
    let said = succeed(gishiki().arg("verify").arg(&folder).args(["--rehearsal", "--rules"]));
    let behind = |rule: &str| -> BTreeSet<String> {
        let row = said.lines().find(|line| line.contains(&format!("✓ {rule} "))).unwrap();
        let (_, ids) = row.rsplit_once('[').unwrap();
        ids.trim_end_matches(']').split(' ').map(String::from).collect()
    };
    let records = crate::support::records(&folder);
    let by = |is: &dyn Fn(&Value) -> Option<Value>| -> BTreeSet<String> {
        let people = records.iter().filter_map(|record| is(&record["event"]));
        let people = people.flat_map(|by| by.as_array().unwrap().clone());
        people.map(|id| id.as_str().unwrap().to_string()).collect()
    };
    let noted = by(&|event| (event["kind"] == "noted").then(|| event["by"].clone()));
    let activated = by(&|event| {
        let is = event["kind"] == "answered" && event["op"] == "activate";
        is.then(|| event["answer"]["by"].clone())
    });
    assert!(!noted.is_empty() && activated.len() >= 2, "{noted:?} {activated:?}");
    assert_eq!(behind("S-NOTED"), noted);
    assert_eq!(behind("R-KEYGEN"), activated);
}

/// An aborted ceremony was judged by what it reached.
#[test]
fn of_an_aborted_ceremony() {
    let drill = Drill::new();
    let answers = "default = \"as-planned\"\n\
                   [op.clock]\ndeviation = \"the radio clock was replaced\"\n\
                   [op.fingerprint-root-g1]\nrefuse = \"a seal was broken\"\n";
    fs::write(drill.path("answers.toml"), answers).unwrap();
    let output = run(&mut drill.run_command(&genesis()));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let said = kept_as("aborted", &drill.path("out"), &["--drill"], Some(&drill));
    assert!(said.contains("deviation at Clock `clock`: the radio clock was replaced ["), "{said}");
    assert!(said.contains("aborted by FAKE "), "{said}");
    let said = succeed(gishiki().arg("verify").arg(drill.path("out")).args(["--drill", "--rules"]));
    for reached in ["R-KEY-IN-HSM", "R-ROOT", "S-DRILL", "S-REFUSED", "S-NOTED"] {
        assert!(said.contains(&format!("✓ {reached} ")), "{reached}: {said}");
    }
    // Of the two approvals of the completion, none; of the entries and exits, all.
    assert!(said.contains("✓ R-FACILITY "), "{said}");
    for not_reached in ["R-FINGERPRINT", "R-COMPLETE"] {
        assert!(!said.contains(&format!("✓ {not_reached} ")), "{not_reached}: {said}");
    }
}

/// What stopped a ceremony was not kept in it, whatever else the same rule was asked of.
#[test]
fn a_rule_that_refused_is_not_ticked() {
    let drill = Drill::new();
    drill.write_room(&faulty_module());
    let mut command = drill.run_command(&genesis());
    command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", "C_WrapKey#*:octets");
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for (drill, rule, kept) in [(&drill, "R-NO-TRANSFER", "R-KEY-IN-HSM")] {
        let verify = ["--drill", "--rules"];
        for lang in ["en", "ja"] {
            let mut command = gishiki();
            command.args(["--lang", lang, "verify"]).arg(drill.path("out")).args(verify);
            let said = succeed(&mut command);
            assert!(said.contains(&format!("  ✗ {rule} ")), "{said}");
            assert!(!said.contains(&format!("✓ {rule} ")), "{said}");
            assert!(said.contains(&format!("✓ {kept} ")), "{said}");
            let counted = ["rules that refused: ", "拒否した規則: "];
            assert!(
                counted.iter().any(|word| said.contains(&format!("\n{word}{rule}\n"))),
                "{said}"
            );
        }
    }
}

/// A login may fail without end: nothing says that it did not.
#[test]
fn of_a_pin_that_was_wrong_eighteen_times() {
    let drill = Drill::new();
    drill.write_room(&faulty_module());
    let faulty = |mut command: std::process::Command, at: &str| {
        run(command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at))
    };
    let wrong = "C_Login#1:error=a0";
    assert_eq!(faulty(drill.run_command(&genesis()), wrong).status.code(), Some(3));
    let at = |second: usize| format!("2026-04-01 02:{:02}:{:02}", second / 60, second % 60);
    for second in 1..18 {
        assert_eq!(faulty(drill.resume_command(&at(second * 30)), wrong).status.code(), Some(3));
    }
    let output = faulty(drill.resume_command(LATER), "0:none");
    assert!(output.status.success(), "{}", text(&output));
    let mut verify = gishiki();
    let said = succeed(verify.arg("verify").arg(drill.path("out")).args(["--drill", "--rules"]));
    assert_eq!(said.matches("a wrong PIN at Login `login`").count(), 18, "{said}");
    let row = said.lines().find(|line| line.contains("✓ S-ATTEMPTS ")).unwrap();
    assert!(
        row.ends_with("no key generation and no signing was tried more than 16 times"),
        "{row}"
    );
}

/// A wrong PIN, and that it took two sessions.
#[test]
fn of_a_resumed_ceremony() {
    let drill = Drill::new();
    fs::write(drill.path("pin"), "another").unwrap();
    let output = run(&mut drill.run_command(&genesis()));
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    fs::write(drill.path("pin"), PIN).unwrap();
    let output = run(&mut drill.resume_command(LATER));
    assert!(output.status.success(), "{}", text(&output));
    let said = kept_as("resumed", &drill.path("out"), &["--drill"], Some(&drill));
    assert!(said.contains("a wrong PIN at Login `login`"), "{said}");
    assert!(said.contains("went on after an interruption since TIME"), "{said}");
}

/// A key pair that was in doubt and taken, and signatures of which nobody knows.
#[test]
fn of_a_ceremony_that_was_killed_twice() {
    let drill = Drill::new();
    drill.write_room(&faulty_module());
    let mut first = drill.run_command(&genesis());
    let mut second = drill.resume_command(LATER);
    let mut third = drill.resume_command("2026-04-01 03:10:00");
    for (command, at) in [
        (&mut first, Some("C_GenerateKeyPair#2:kill-after")),
        (&mut second, Some("C_Sign#20:kill-after")),
        (&mut third, None),
    ] {
        command.env("FAULTY_MODULE", SOFTHSM);
        let output = run(command.envs(at.map(|at| ("FAULTY_AT", at))));
        assert_eq!(output.status.success(), at.is_none(), "{}", text(&output));
    }
    let said = kept_as("killed", &drill.path("out"), &["--drill"], Some(&drill));
    for what in ["taken at Key pair generation `generate-g1`", "lost: Signing ("] {
        assert!(said.contains(what), "{what}: {said}");
    }
    assert_eq!(said.matches("went on after an interruption").count(), 2, "{said}");
}

#[test]
fn of_a_ledger() {
    let said = kept_as("ledger", &root().join("golden/mdoc-root"), &["--rehearsal"], None);
    // Between the fifth and the sixth ceremony the sample leaves out four years; it ended when the
    // sixth was over. The last CRL of g1 reaches the end of its root.
    let gap = "! no CRL of g1 in force: 2027-04-09T00:00:00+09:00 – 2031-03-10T10:";
    assert!(said.contains(gap), "{said}");
    assert_eq!(said.matches("no CRL of g1 in force").count(), 1, "{said}");
    assert_eq!(last_line(&said), "rehearsal, consistent: 1805 signatures verified");
}

/// A postscript that is cut off shows no exit and no deactivation.
#[test]
fn what_follows_the_seal_is_judged_where_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("2026-04-genesis");
    copy(&genesis_golden(), &out);
    let after = fs::read_to_string(out.join("after.jsonl")).unwrap();
    let lines: Vec<&str> = after.split_inclusive('\n').collect();
    let shown = |after: &str| {
        with_postscript(&out, after);
        succeed(gishiki().arg("verify").arg(&out).args(["--rehearsal", "--rules"]))
    };
    let whole = shown(&after);
    assert!(whole.contains("\n  postscript complete; not pinned: no later"), "{whole}");
    let cut = shown(&lines[..lines.len() - 2].concat());
    assert!(cut.contains("\n  postscript incomplete: "), "{cut}");
    for rule in ["R-DEACTIVATE", "R-FACILITY", "S-ANCHOR"] {
        assert!(whole.contains(&format!("✓ {rule} ")), "{rule}: {whole}");
        assert!(!cut.contains(&format!("✓ {rule} ")), "{rule}: {cut}");
    }
    // The ceremony after it pins it, and shows that it was cut.
    copy(&root().join("golden/mdoc-root/2026-06-ds"), &folder.path().join("2026-06-ds"));
    let cut = shown(&lines[..lines.len() - 2].concat());
    assert!(cut.contains("; 2026-06-ds names another one\n"), "{cut}");
    let whole = shown(&after);
    assert!(whole.contains("complete; pinned by 2026-06-ds, which was not judged here\n"));
}

/// Of each ceremony of a ledger: who is on record when, with what.
#[test]
fn the_people_of_a_ledger_are_told_for_each_ceremony() {
    let mut command = gishiki();
    command.args(["--lang", "en", "verify"]).arg(root().join("golden/utopia-mdl"));
    let said = succeed(command.args(["--rehearsal", "--people"]));
    let tables: Vec<&str> = said.split("\n# people and times\n").skip(1).collect();
    assert_eq!(tables.len(), 5, "{said}");
    for table in tables {
        assert!(table.contains("  Exit `exit-") && table.contains("  closed\n"), "{table}");
    }
}

/// An exception that covers three people names each of them, before and after.
#[test]
fn of_an_exception_that_covers_three_people() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    copy(&root().join("ceremony-plans/mdoc-root"), &ca);
    let plan = ca.join("2026-04-genesis");
    let exception = "\n[[exception]]\nrule = \"R-TRAINED\"\nreason = \"the earthquake\"\n\
                 approved-by = [\"p01\", \"p07\"]\nuntil = 2026-05-01T00:00:00+09:00\n";
    let text = fs::read_to_string(plan.join("plan.toml")).unwrap();
    fs::write(plan.join("plan.toml"), text + exception).unwrap();
    let roster = fs::read_to_string(ca.join("roster.toml")).unwrap();
    let mut person = String::new();
    let changed = roster.lines().map(|line| {
        if let Some(id) = line.strip_prefix("[person.") {
            person = id.trim_end_matches(']').to_string();
        }
        let is_old = line.starts_with("trained ") && ["p01", "p04", "p05"].contains(&&*person);
        if is_old { "trained = [2025-03-31]\n".to_string() } else { format!("{line}\n") }
    });
    let changed: String = changed.collect();
    fs::write(ca.join("roster.toml"), changed).unwrap();
    let checked = succeed(gishiki().arg("check").arg(&plan));
    let out = folder.path().join("out");
    succeed(gishiki().arg("rehearse").arg(&plan).arg("--out").arg(&out));
    let verify = |arguments: &[&str]| succeed(gishiki().arg("verify").arg(&out).args(arguments));
    for said in [checked, verify(&["--rehearsal"]), verify(&["--rehearsal", "--rules"])] {
        for id in ["p01", "p04", "p05"] {
            let row = format!(" ({id}) within 12 months before 2026-04-01; 2025-03-31\n");
            assert!(said.contains(&row), "{row} {said}");
        }
        assert!(said.contains("excepted R-TRAINED: training of FAKE "), "{said}");
    }
}

/// An approval and an exit that were refused: what was done of both is neither all nor nothing.
#[test]
fn of_a_rule_that_was_kept_in_part() {
    let drill = Drill::new();
    let exit = "exit-p13";
    let answers = |op: &str| format!("default = \"as-planned\"\n[op.{op}]\nrefuse = \"not yet\"\n");
    fs::write(drill.path("answers.toml"), answers(exit)).unwrap();
    let output = run(&mut drill.run_command(&genesis()));
    assert!(output.status.success(), "{}", text(&output));
    let judged = |drill: &Drill| {
        let mut verify = gishiki();
        succeed(verify.arg("verify").arg(drill.path("out")).args(["--drill", "--rules"]))
    };
    let said = judged(&drill);
    assert!(said.contains("\n  postscript ended, but something in it was refused"), "{said}");
    assert!(said.contains("\n  not whole: R-FACILITY (19 of 20)\n"), "{said}");
    for rule in ["S-ANCHOR", "R-DEACTIVATE", "R-COMPLETE"] {
        assert!(said.contains(&format!("✓ {rule} ")), "{rule}: {said}");
    }
    let nothing = said.lines().find(|line| line.contains("nothing of it in")).unwrap();
    assert!(!nothing.contains("R-FACILITY"), "{nothing}");

    let drill = Drill::new();
    let second = "complete-digital-agency";
    fs::write(drill.path("answers.toml"), answers(second)).unwrap();
    let output = run(&mut drill.run_command(&genesis()));
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let said = judged(&drill);
    assert!(said.contains("\n  not whole: R-COMPLETE (1 of 2)\n"), "{said}");
}

/// Every rule says in both languages what is so where it is kept, once, and not what it refuses.
#[test]
fn every_rule_has_a_sentence_in_both_languages() {
    let known: BTreeSet<&str> = rules::all().map(|rule| rule.id.as_str()).collect();
    let all: Vec<_> = kept::all().collect();
    let said: BTreeSet<&str> = all.iter().map(|kept| kept.id.as_str()).collect();
    assert_eq!(known, said);
    assert_eq!(all.len(), said.len(), "a rule with two sentences");
    let mut sentences = BTreeSet::new();
    for kept in &all {
        let (ja, en) = (kept.so.ja, kept.so.en);
        assert!(ja.chars().any(|c| ('ぁ'..='ん').contains(&c)), "{}: {ja}", kept.id);
        assert!(en.is_ascii() && en.len() > 10, "{}: {en}", kept.id);
        assert!(sentences.insert(ja) && sentences.insert(en), "{}: said of two rules", kept.id);
        for rule in rules::all().filter(|rule| rule.id == kept.id) {
            assert!(
                rule.sentence.en != en || matches!(rule.stage, Stage::Structure),
                "{}",
                kept.id
            );
        }
        let judged_elsewhere = rules::all().filter(|rule| rule.id == kept.id).all(|rule| {
            matches!(rule.stage, Stage::Path | Stage::Edge | Stage::Live | Stage::Image)
        });
        assert_eq!(matches!(kept.basis, Basis::Elsewhere(_)), judged_elsewhere, "{}", kept.id);
    }
}

/// The program names its source, and so does every transcript but a rehearsal's.
#[test]
fn a_transcript_names_the_source_of_the_program() {
    let version = succeed(gishiki().arg("--version"));
    let version = version.trim().strip_prefix("gishiki ").unwrap();
    assert!(version.starts_with(concat!(env!("CARGO_PKG_VERSION"), " (")), "{version}");
    assert!(["commit ", "source "].iter().any(|word| version.contains(word)), "{version}");
    let drill = Drill::new();
    assert!(run(&mut drill.run_command(&genesis())).status.success());
    let tool = |folder: &Path| {
        let first = crate::support::records(folder).remove(0);
        first["event"]["room"]["tool"].as_str().unwrap().to_string()
    };
    assert_eq!(tool(&drill.path("out")), version);
    assert_eq!(tool(&genesis_golden()), "rehearsal");
    assert!(drill.verify().contains(&format!("\n  tool       {version}\n")));
}
