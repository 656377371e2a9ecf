//! Every row of `docs/ends.md`: after each stop the words that the program prints lead to a sealed
//! ceremony or an abandoned record, whether the cause is mended or not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::kill::small_ca;
use crate::life::history::History;
use crate::support::{
    Drill, GISHIKI, IN_WINDOW, PIN, SOFTHSM, at_time, faulty_module, records, run, text,
};
use crate::sweep::scene::Scene;
use crate::sweep::words::{arguments, offered};

/// A first ceremony on one token, and its plan.
fn first() -> (Drill, PathBuf) {
    let drill = Drill::new();
    drill.write_room(&faulty_module());
    let plan = small_ca(&drill.path("the CA's plans"));
    (drill, plan)
}

/// A printed command, given to a shell a minute after the last, with a fault of the module or none.
fn give(drill: &Drill, line: &str, fault: &str) -> Output {
    static MINUTES: AtomicUsize = AtomicUsize::new(0);
    let minutes = 120 + MINUTES.fetch_add(1, Ordering::SeqCst);
    let time = format!("2026-04-01 {:02}:{:02}:00", minutes / 60, minutes % 60);
    let mut command = at_time(GISHIKI, &time);
    command.args(arguments(line).unwrap()).env("LC_ALL", "C.UTF-8").env_remove("LANG");
    drill.env(&mut command).env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", fault);
    run(command.stdin(fs::File::open(drill.path("pin")).unwrap()))
}

fn begin(drill: &Drill, plan: &Path, fault: &str) -> Output {
    let mut command = drill.run_command(plan);
    run(command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", fault))
}

/// It stopped with this code and said so; the commands that it offers.
fn stopped(output: &Output, code: i32, says: &str) -> Vec<String> {
    let said = text(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(says) && !said.contains("a bug of gishiki"), "{says}: {said}");
    offered(&said)
}

fn abandoned(output: &Output, folder: &Path) {
    let said = text(output);
    assert!(output.status.success(), "{said}");
    let journal = fs::read(folder.join("journal.jsonl")).unwrap();
    assert!(said.contains(&ceremony::hex::Digest::of(&journal).to_string()), "{said}");
}

/// The ceremony as if it had not been given up.
fn not_given_up(drill: &Drill) {
    for medium in ["A", "B"] {
        fs::remove_file(drill.path(medium).join("given-up")).unwrap();
    }
}

fn completed(output: &Output) {
    assert!(output.status.success(), "{}", text(output));
    assert!(text(output).contains("completed: 2026-04-genesis"), "{}", text(output));
}

#[test]
fn what_was_not_begun_is_begun_again() {
    let (drill, plan) = first();
    fs::write(drill.path("A"), "no folder").unwrap();
    for _ in 0..2 {
        let ways = stopped(&begin(&drill, &plan, "0:none"), 5, "Nothing was begun.");
        assert!(ways.len() == 1 && ways[0].starts_with("run "), "{ways:?}");
    }
    fs::remove_file(drill.path("A")).unwrap();
    let ways = stopped(&begin(&drill, &plan, "1:error=30"), 3, "Nothing was begun.");
    completed(&give(&drill, &ways[0], "0:none"));
}

#[test]
fn a_login_may_fail_more_than_16_times_and_the_ceremony_goes_on_or_is_abandoned() {
    let (drill, plan) = first();
    fs::write(drill.path("pin"), "another").unwrap();
    let mut ways = stopped(&begin(&drill, &plan, "0:none"), 3, "The journal is kept.");
    for _ in 0..18 {
        assert!(ways[0].starts_with("resume ") && ways[1].starts_with("abandon "), "{ways:?}");
        ways = stopped(&give(&drill, &ways[0], "0:none"), 3, "CKR_PIN_INCORRECT");
    }
    // Not mended: given up. The record can be shown once more, and changes nothing.
    let [out, record] = ["out", "record"].map(|name| drill.path(name).display().to_string());
    for _ in 0..2 {
        let line = ways[1].replace(&out, &record);
        abandoned(&give(&drill, &line, "0:none"), Path::new(&record));
    }
    // Nobody goes on with what was given up.
    fs::write(drill.path("pin"), PIN).unwrap();
    stopped(&give(&drill, &ways[0], "0:none"), 5, "it was given up as");
    // Mended: it goes on.
    not_given_up(&drill);
    completed(&give(&drill, &ways[0], "0:none"));
    assert!(drill.verify().contains("drill, consistent"));
}

#[test]
fn sixteen_lost_signatures_stop_it_and_it_is_sealed() {
    let (drill, plan) = first();
    let mut ways = stopped(&begin(&drill, &plan, "C_Sign#2:error=30"), 3, "CKR_DEVICE_ERROR");
    for _ in 1..16 {
        ways = stopped(&give(&drill, &ways[0], "C_Sign#1:error=30"), 3, "CKR_DEVICE_ERROR");
    }
    // The seal itself fails, and then it does not.
    ways = stopped(&give(&drill, &ways[0], "C_Sign#1:error=30"), 3, "the seal");
    assert!(stopped(&give(&drill, &ways[0], "0:none"), 1, "S-ATTEMPTS").is_empty());
    assert!(drill.verify().contains("drill, consistent"));
}

#[test]
fn a_ceremony_that_stopped_before_its_audit_key_is_abandoned() {
    let (drill, plan) = first();
    fs::write(
        drill.path("answers.toml"),
        "default = \"as-planned\"\n[op.papers]\nrefuse = \"no\"\n",
    )
    .unwrap();
    let ways = stopped(&begin(&drill, &plan, "0:none"), 1, "there is no audit key to seal it");
    assert!(ways.len() == 1 && ways[0].starts_with("abandon "), "{ways:?}");
    // Where the record cannot be written, the same words come again.
    let nowhere = drill.path("room.toml/out").display().to_string();
    let elsewhere = ways[0].replace(&drill.path("out").display().to_string(), &nowhere);
    let again = stopped(&give(&drill, &elsewhere, "0:none"), 5, "S-OUT");
    assert!(again == [elsewhere], "{again:?}");
    let output = give(&drill, &ways[0], "0:none");
    abandoned(&output, &drill.path("out"));
    // It was the CA's first ceremony: no plan can name it.
    let said = text(&output);
    assert!(said.contains("initialise the token, and hold it on another plan"), "{said}");
    assert!(!said.contains("`abandoned`"), "{said}");
}

#[test]
fn a_stranger_in_the_answers_is_no_bug() {
    let (drill, plan) = first();
    let answers = "default = \"as-planned\"\n[op.papers]\nby = [\"nobody\"]\nrefuse = \"no\"\n";
    fs::write(drill.path("answers.toml"), answers).unwrap();
    let ways = stopped(&begin(&drill, &plan, "0:none"), 6, "R-AUTHN");
    fs::write(drill.path("answers.toml"), "default = \"as-planned\"\n").unwrap();
    completed(&give(&drill, &ways[0], "0:none"));
}

/// An answer to what is never asked would stop nothing; so a word that is misspelt is told first.
#[test]
fn an_answer_to_no_operation_is_refused_before_anything_begins() {
    let (drill, plan) = first();
    let answers = "default = \"as-planned\"\n\n[op.paper]\nrefuse = \"no\"\n";
    fs::write(drill.path("answers.toml"), answers).unwrap();
    let output = begin(&drill, &plan, "0:none");
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    let said = text(&output);
    let place = format!("{}:3:5", drill.path("answers.toml").display());
    assert!(said.contains(&place) && said.contains("`paper`, which is no operation"), "{said}");
    assert!(!drill.path("A").exists() && !drill.path("B").exists());
    fs::write(drill.path("answers.toml"), "default = \"as-planned\"\n").unwrap();
    completed(&begin(&drill, &plan, "0:none"));
}

#[test]
fn what_is_sealed_is_written_out_without_its_token_and_then_it_is_done() {
    let (drill, plan) = first();
    // The folder cannot be written.
    let out = drill.path("out").display().to_string();
    let nowhere = drill.path("room.toml/out").display().to_string();
    let mut command = at_time(GISHIKI, IN_WINDOW);
    let given = drill.run_command(&plan);
    command.args(given.get_args().map(|a| if a == out.as_str() { nowhere.as_ref() } else { a }));
    drill.env(&mut command).env("FAULTY_MODULE", SOFTHSM).env("LC_ALL", "C.UTF-8");
    let output = run(command.stdin(fs::File::open(drill.path("pin")).unwrap()));
    let ways = stopped(&output, 5, "The ceremony is sealed");
    assert!(ways.len() == 1 && ways[0].starts_with("resume "), "{ways:?}");
    // It is not given up.
    let abandon = format!("abandon --journal {0}/A --journal {0}/B --out {out}", drill_of(&drill));
    let again = stopped(&give(&drill, &abandon, "0:none"), 5, "The ceremony is sealed");
    assert!(again[0].starts_with("resume --room ROOM "), "{again:?}");
    // Another folder, and no token any more.
    fs::remove_dir_all(drill.path("tokens")).unwrap();
    fs::create_dir(drill.path("tokens")).unwrap();
    let line = ways[0].replace(&nowhere, &out);
    completed(&give(&drill, &line, "0:none"));
    let journals = || ["A", "B"].map(|medium| crate::support::files(&drill.path(medium)));
    let before = journals();
    // Done, however often it is asked; and a run says so in two steps.
    completed(&give(&drill, &line, "0:none"));
    let ways =
        stopped(&begin(&drill, &plan, "0:none"), 5, "2026-04-genesis, which was begun there");
    completed(&give(&drill, &ways[0], "0:none"));
    assert!(journals() == before);
    // Another folder in its place is none of ours.
    fs::write(drill.path("out/crls.txt"), "another").unwrap();
    let ways = stopped(&give(&drill, &line, "0:none"), 5, "crls.txt");
    completed(&give(&drill, &ways[0].replace(&out, &format!("{out}-2")), "0:none"));
}

fn drill_of(drill: &Drill) -> String {
    drill.folder.path().display().to_string()
}

#[test]
fn what_people_refuse_after_the_seal_stays_undone() {
    let (drill, plan) = first();
    let answers = "default = \"as-planned\"\n[op.deactivate]\nrefuse = \"the safe is shut\"\n";
    fs::write(drill.path("answers.toml"), answers).unwrap();
    let output = begin(&drill, &plan, "0:none");
    completed(&output);
    let undone = text(&output);
    assert!(
        undone.contains("! refused after the seal, and not done: 41. Deactivation"),
        "{undone}"
    );
    let after = fs::read_to_string(drill.path("out/after.jsonl")).unwrap();
    assert_eq!(after.matches("the safe is shut").count(), 1, "{after}");
    assert!(after.contains("\"op\":\"anchor-words\""), "{after}");
    assert!(drill.verify().contains("drill, consistent"));
}

/// A command of a history's ceremony.
fn held(history: &History, scene: &Scene, line: Option<&str>, hour: i64, fault: &str) -> Output {
    let mut base = history.command("run", &scene.plan, &faulty_module(), 1800 + 3600 * hour);
    if let Some(line) = line {
        let mut command = Command::new(GISHIKI);
        command.args(arguments(line).unwrap());
        for (name, value) in base.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        base = command;
    }
    base.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", fault);
    run(base.stdin(fs::File::open(history.folder().join("pin")).unwrap()))
}

#[test]
fn a_stopped_ceremony_is_sealed_without_the_head_that_its_token_does_not_take() {
    let mut scenes = Scene::all();
    let (next, scene) = (scenes.remove(2), scenes.remove(1));
    let plan = fs::read_to_string(next.plan.join("plan.toml")).unwrap();
    let plan = plan.replace("sequence = 3", "sequence = 3\nrelease = [\"ds-0001\", \"ds-0002\"]");
    fs::write(next.plan.join("plan.toml"), plan).unwrap();
    let refuse = "default = \"as-planned\"\n[op.papers]\nrefuse = \"the token is broken\"\n";
    // The token refuses the head; or it takes it, and says that it did not.
    for fault in ["C_CreateObject#*:error=30", "C_CreateObject#*:error-after=30"] {
        let history = scene.before.copy();
        let ways = stopped(&held(&history, &scene, None, 0, fault), 3, "write-head");
        // Mended or not, it goes on to the same question; so people stop it.
        let ways = stopped(&held(&history, &scene, Some(&ways[0]), 1, fault), 3, "write-head");
        history.answers(refuse);
        let says = "The ceremony has stopped, and its journal is kept.";
        let ways = stopped(&held(&history, &scene, Some(&ways[0]), 2, fault), 1, says);
        // People who refuse again have another way: the one to an abandoned record.
        let given_up = history.copy_with_journals(scene.ceremony);
        let again = stopped(
            &held(&given_up, &scene, Some(&elsewhere(&history, &given_up, &ways[0])), 3, fault),
            1,
            says,
        );
        let output = held(&given_up, &scene, Some(&again[1]), 3, fault);
        abandoned(&output, &given_up.out(scene.ceremony));
        history.answers("default = \"as-planned\"\n");
        let output = held(&history, &scene, Some(&ways[0]), 3, fault);
        assert!(stopped(&output, 1, "closed as aborted, and sealed").is_empty());
        let records = records(&history.out(scene.ceremony));
        let lost = |r: &&serde_json::Value| {
            r["event"]["kind"] == "lost" && r["event"]["op"] == "write-head"
        };
        assert_eq!(records.iter().filter(lost).count(), 3, "{fault}");
        history.verify();
        // The next ceremony finds the old head, or one that is in doubt.
        let output = history.run_plan(&next.plan, &faulty_module(), None);
        assert!(output.status.success(), "{fault}: {}", text(&output));
        history.verify();
    }
}

/// A command of one history's folder for a copy of it.
fn elsewhere(history: &History, copy: &History, line: &str) -> String {
    let shown = |history: &History| history.folder().display().to_string();
    line.replace(&shown(history), &shown(copy))
}

/// Two histories of one ceremony, each of which could have happened: a medium was copied, and both
/// went on.
#[test]
fn journals_that_differ_are_resumed_or_given_up_without_one_of_them() {
    let (drill, plan) = first();
    fs::write(drill.path("pin"), "another").unwrap();
    let ways = stopped(&begin(&drill, &plan, "0:none"), 3, "The journal is kept.");
    let copy = drill.copy();
    for medium in ["A", "B"] {
        crate::support::copy(&drill.path(medium), &copy.path(medium));
    }
    for one in [&drill, &copy] {
        let line = ways[0].replace(&drill_of(&drill), &drill_of(one));
        stopped(&give(one, &line, "0:none"), 3, "CKR_PIN_INCORRECT");
    }
    let journal = drill.path("B/journal.jsonl");
    fs::copy(copy.path("B/journal.jsonl"), &journal).unwrap();
    let aside = |line: &str, medium: &str| {
        line.ends_with(&format!(" --put-aside {}", drill.path(medium).display()))
    };
    fs::write(drill.path("pin"), PIN).unwrap();
    let says = "The two journals differ, or one of them does not replay.";
    // Whichever command is given, both ways are said for either journal.
    let abandon = ways[1].clone();
    for line in [&ways[0], &abandon] {
        let output = give(&drill, line, "0:none");
        let ways = stopped(&output, 5, says);
        let verbs: Vec<&str> = ways.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(verbs, ["resume", "resume", "abandon", "abandon"]);
        for (line, medium) in ways.iter().zip(["A", "B", "A", "B"]) {
            assert!(aside(line, medium), "{medium}: {line}");
        }
    }
    let ways = stopped(&give(&drill, &ways[0], "0:none"), 5, says);
    // Not mended: the other one is given up. Nothing is changed by it.
    let [out, record] = ["out", "record"].map(|name| drill.path(name).display().to_string());
    abandoned(&give(&drill, &ways[2].replace(&out, &record), "0:none"), Path::new(&record));
    let given_up = fs::read(drill.path("record/journal.jsonl")).unwrap();
    assert!(given_up == fs::read(&journal).unwrap());
    // Mended: two people consent, and it goes on.
    not_given_up(&drill);
    completed(&give(&drill, &ways[1], "0:none"));
    let found = records(&drill.path("out"));
    let resumed = found.iter().filter(|record| record["event"]["kind"] == "resumed");
    let last = resumed.map(|record| &record["event"]).next_back().unwrap();
    assert_eq!(last["new-medium"].as_array().unwrap().len(), 2, "{last}");
    assert!(last["aside"]["sha256"].is_string(), "{last}");
    assert!(drill.verify().contains("drill, consistent"));
}

/// One journal that could not have happened: from its first record on, or in a record that the
/// other one does not have.
#[test]
fn a_journal_that_does_not_replay_is_left_out() {
    let (base, plan) = first();
    fs::write(base.path("pin"), "another").unwrap();
    let ways = stopped(&begin(&base, &plan, "0:none"), 3, "The journal is kept.");
    fs::write(base.path("pin"), PIN).unwrap();
    for bent in ["no record\n", "more"] {
        let drill = base.copy();
        for medium in ["A", "B"] {
            crate::support::copy(&base.path(medium), &drill.path(medium));
        }
        let journal = drill.path("A/journal.jsonl");
        let whole = fs::read_to_string(&journal).unwrap();
        let last = whole.lines().last().unwrap();
        let text = if bent == "more" { format!("{whole}{last}\n") } else { bent.to_string() };
        fs::write(&journal, text).unwrap();
        let [resume, abandon] =
            [&ways[0], &ways[1]].map(|line| line.replace(&drill_of(&base), &drill_of(&drill)));
        let says = "The two journals differ, or one of them does not replay.";
        let output = give(&drill, &resume, "0:none");
        // The file is named as it is called on the medium.
        let file = drill.path("A/journal.jsonl").display().to_string();
        assert!(crate::support::text(&output).contains(&file), "{}", crate::support::text(&output));
        let ways = stopped(&output, 4, says);
        let aside = format!(" --put-aside {}", drill.path("A").display());
        assert!(ways.len() == 2 && ways.iter().all(|line| line.ends_with(&aside)), "{ways:?}");
        let again = stopped(&give(&drill, &abandon, "0:none"), 4, says);
        let same = again.iter().any(|line| *line == format!("{abandon}{aside}"));
        assert!(same, "{again:?}");
        let [out, record] = ["out", "record"].map(|name| drill.path(name).display().to_string());
        abandoned(&give(&drill, &ways[1].replace(&out, &record), "0:none"), Path::new(&record));
        not_given_up(&drill);
        completed(&give(&drill, &ways[0], "0:none"));
        assert!(drill.verify().contains("drill, consistent"));
    }
}
