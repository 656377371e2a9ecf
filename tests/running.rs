//! What `run` and `resume` refuse before anything happens: journals, media, modules, clock,
//! terminal.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::bad_input::refused;
use crate::support::{
    Drill, GISHIKI, IN_WINDOW, at_time, genesis, gishiki, gishiki_at, run, sample_ca, text,
};

#[test]
fn journals_are_two_and_continue_each_other() {
    let drill = Drill::new();
    let run_with = |journals: &[&str]| {
        let mut command = gishiki_at(IN_WINDOW);
        drill
            .env(&mut command)
            .arg("run")
            .arg(genesis())
            .arg("--room")
            .arg(drill.path("room.toml"));
        for journal in journals {
            command.arg("--journal").arg(drill.path(journal));
        }
        command
            .arg("--out")
            .arg(drill.path("out"))
            .arg("--answers")
            .arg(drill.path("answers.toml"));
        command.args(["--pin-fd", "0"]).stdin(fs::File::open(drill.path("pin")).unwrap());
        run(&mut command)
    };
    refused(&run_with(&["A"]), 5, "S-JOURNAL");
    refused(&run_with(&["A", "A"]), 5, "S-JOURNAL");
    refused(&run_with(&["A", "A/B"]), 5, "S-JOURNAL");
    refused(&run_with(&["A", "B", "C"]), 5, "S-JOURNAL");
    fs::create_dir(drill.path("A")).unwrap();
    fs::write(drill.path("A/other"), "x").unwrap();
    refused(&run_with(&["A", "B"]), 5, "S-JOURNAL");
    fs::remove_file(drill.path("A/other")).unwrap();
    // The power was cut before a first line was whole: nothing was done, and it begins.
    fs::write(drill.path("A/inputs.json"), "{").unwrap();
    fs::write(drill.path("A/journal.jsonl"), "{\"at\":").unwrap();
    assert!(run_with(&["A", "B"]).status.success());
    fs::remove_dir_all(drill.path("out")).unwrap();
    refused(&run_with(&["A", "B"]), 5, "S-JOURNAL");
    // One of two journals is bent: it is named by its line.
    let path = drill.path("B/journal.jsonl");
    let mut octets = fs::read(&path).unwrap();
    let chains = octets.windows(9).enumerate().filter(|(_, word)| *word == b"\"chain\":\"");
    let third = chains.map(|(at, _)| at + 9).nth(2).unwrap();
    let digit = &mut octets[third];
    *digit = if *digit == b'0' { b'1' } else { b'0' };
    fs::write(&path, &octets).unwrap();
    let said = run(&mut drill.resume_command(IN_WINDOW));
    refused(&said, 4, "S-RECORD");
    assert!(text(&said).contains(&format!("{}/", drill.path("B").display())), "{}", text(&said));
    assert_eq!(fs::read(&path).unwrap(), octets);
}

#[test]
fn an_interrupted_ceremony_is_the_plans() {
    let drill = Drill::new();
    let answers = drill.path("answers.toml");
    let planned = "default = \"as-planned\"\n";
    let stop = format!("{planned}[op.clock]\nfacts = {{ offset-seconds = \"99\" }}\n");
    fs::write(&answers, stop).unwrap();
    assert_eq!(run(&mut drill.run_command(&genesis())).status.code(), Some(6));
    fs::write(&answers, planned).unwrap();
    let other = sample_ca(&drill.path("ca"));
    let plan = fs::read_to_string(other.join("plan.toml")).unwrap();
    fs::write(other.join("plan.toml"), plan.replacen("\"979f", "\"1234", 1)).unwrap();
    let journal = fs::read(drill.path("A/journal.jsonl")).unwrap();
    let resume =
        |plan: &Path| run(drill.resume_command(crate::support::LATER).arg("--plan").arg(plan));
    refused(&resume(&other), 5, "S-PAPERS");
    assert_eq!(fs::read(drill.path("A/journal.jsonl")).unwrap(), journal);
    let output = resume(&genesis());
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn outside_the_image_nothing_is_led() {
    let mut live = gishiki();
    live.args(["--lang", "en", "live"]).stdin(std::process::Stdio::null());
    refused(&run(&mut live), 5, "S-LIVE");
}

#[test]
fn a_lost_medium_is_replaced_with_consent() {
    let drill = Drill::new();
    fs::write(
        drill.path("answers.toml"),
        "default = \"as-planned\"\n[op.clock]\nfacts = { offset-seconds = \"99\" }\n",
    )
    .unwrap();
    assert_eq!(run(&mut drill.run_command(&genesis())).status.code(), Some(6));
    fs::write(drill.path("answers.toml"), "default = \"as-planned\"\n").unwrap();
    fs::remove_dir_all(drill.path("B")).unwrap();
    let output = run(&mut drill.resume_command(crate::support::LATER));
    assert!(output.status.success(), "{}", text(&output));
    let transcript = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    assert!(transcript.contains("\"new-medium\":[\"p01\",\"p03\"]"));
    assert!(drill.verify().contains("drill, consistent"));
}

#[test]
fn a_module_is_the_one_that_the_room_names() {
    let drill = Drill::new();
    let room = fs::read_to_string(drill.path("room.toml")).unwrap();
    let with = |from: &str, to: &str| {
        let changed = room.replace(from, to);
        assert_ne!(changed, room);
        fs::write(drill.path("room.toml"), changed).unwrap();
        let output = run(&mut drill.run_command(&genesis()));
        assert!(!drill.path("out").exists());
        let _ = fs::remove_dir_all(drill.path("A"));
        let _ = fs::remove_dir_all(drill.path("B"));
        output
    };
    let digest = room.split("sha256 = \"").nth(1).unwrap()[..64].to_string();
    refused(&with(&digest, &"0".repeat(64)), 5, "S-ROOM");
    refused(&with("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/none.so"), 5, "S-ROOM");
    refused(&with("format = 1", "format = 3"), 5, "S-FORM");
    refused(&with(&drill.serial, "0000000000000000"), 3, "no token with serial number");
    // Only a drill takes scripted answers.
    refused(&with("drill = true", "drill = false"), 5, "S-DRILL");
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let drill = Drill::new();
    let mut command = at_time("setsid", IN_WINDOW);
    command.args(["-w", GISHIKI, "run"]).arg(genesis());
    drill.env(&mut command).arg("--room").arg(drill.path("room.toml"));
    command.arg("--journal").arg(drill.path("A")).arg("--journal").arg(drill.path("B"));
    command.arg("--out").arg(drill.path("out")).stdin(Stdio::null());
    let output = run(&mut command);
    refused(&output, 5, "S-TERMINAL");
    assert!(text(&output).contains("Nothing was begun"), "{}", text(&output));
    assert!(!drill.path("A").exists(), "nothing began");
}

#[test]
fn a_journal_is_held_by_one_process() {
    let drill = Drill::new();
    assert!(run(&mut drill.run_command(&genesis())).status.success());
    fs::remove_dir_all(drill.path("out")).unwrap();
    let held = fs::OpenOptions::new().append(true).open(drill.path("A/journal.jsonl")).unwrap();
    held.lock().unwrap();
    refused(&run(&mut drill.resume_command(crate::support::LATER)), 5, "S-BUSY");
    drop(held);
    assert!(run(&mut drill.resume_command(crate::support::LATER)).status.success());
}

#[test]
fn outside_its_window_a_ceremony_does_not_begin() {
    let drill = Drill::new();
    let mut command = gishiki_at("2026-04-02 01:30:00");
    drill.env(&mut command).arg("run").arg(genesis()).arg("--room").arg(drill.path("room.toml"));
    command.arg("--journal").arg(drill.path("A")).arg("--journal").arg(drill.path("B"));
    command.arg("--out").arg(drill.path("out")).arg("--answers").arg(drill.path("answers.toml"));
    refused(&run(&mut command), 5, "S-WINDOW");
    assert!(!drill.path("A").exists());
}
