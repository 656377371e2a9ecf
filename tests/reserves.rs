//! A plan names who may come besides those on whom it counts: whoever is ill changes no plan.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::terminal::Terminal;
use crate::support::{
    Drill, IN_WINDOW, LATER, assert_same_to_be_signed, genesis_golden, gishiki, gishiki_at,
    records, run, sample_ca, succeed, text,
};

/// The sample's first ceremony, to which a third custodian may come.
fn plan(drill: &Drill) -> PathBuf {
    let plan = sample_ca(&drill.path("ca"));
    let file = plan.join("plan.toml");
    let text = fs::read_to_string(&file).unwrap();
    let (from, to) = ("\"p13\"]\n", "\"p13\"]\nreserves = [\"p06\"]\n");
    assert_eq!(text.matches(from).count(), 1);
    fs::write(&file, text.replace(from, to)).unwrap();
    plan
}

fn answer(drill: &Drill, scenes: &str) {
    fs::write(drill.path("answers.toml"), format!("default = \"as-planned\"\n{scenes}")).unwrap();
}

/// Everybody who is named in an event of this folder's transcript and postscript, and its
/// operations.
fn named(out: &Path) -> (Vec<String>, Vec<String>) {
    let mut events = records(out);
    let postscript = fs::read_to_string(out.join("after.jsonl")).unwrap();
    events.extend(postscript.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    let (mut people, mut ops) = (Vec::new(), Vec::new());
    for event in events.iter().map(|record| &record["event"]) {
        let said = [&event["answer"]["by"], &event["by"]];
        let ids = said.into_iter().filter_map(Value::as_array).flatten();
        people.extend(ids.filter_map(Value::as_str).map(String::from));
        ops.extend(event["op"].as_str().map(String::from));
    }
    (people, ops)
}

#[test]
fn an_ill_custodian_changes_no_plan() {
    let drill = Drill::new();
    let plan = plan(&drill);
    answer(
        &drill,
        "[op.entry-p04]\nfacts = { attendance = \"absent\" }\n\
         [op.entry-p06]\nfacts = { attendance = \"present\" }\n",
    );
    succeed(&mut drill.run_command(&plan));
    let said = drill.verify();
    assert!(said.contains("mdoc-root 2026-04-genesis"), "{said}");
    // What is signed does not depend on who came.
    assert_same_to_be_signed(&drill.path("out"), &genesis_golden());
    let (people, ops) = named(&drill.path("out"));
    assert!(people.contains(&"p06".into()) && !people.contains(&"p04".into()), "{people:?}");
    assert!(ops.contains(&"exit-p06".into()) && !ops.contains(&"exit-p04".into()), "{ops:?}");
    let mut verify = gishiki();
    verify.arg("--lang").arg("en").arg("verify").arg(drill.path("out")).arg("--rules");
    let rules = text(&run(&mut verify));
    assert!(rules.contains("· S-PRESENT"), "{rules}");
    assert!(rules.contains("absent: FAKE Kagi Ichiro (p04)"), "{rules}");
    assert!(rules.contains("came in reserve: FAKE Kagi Saburo (p06)"), "{rules}");
}

#[test]
fn too_few_people_are_refused_before_anything_is_done() {
    let drill = Drill::new();
    let plan = plan(&drill);
    answer(&drill, "[op.entry-p04]\nfacts = { attendance = \"absent\" }\n");
    let output = run(&mut drill.run_command(&plan));
    let said = text(&output);
    assert!(!output.status.success() && said.contains("S-PRESENT"), "{said}");
    assert!(said.contains("p04 p06"), "{said}");
    let journal = fs::read_to_string(drill.path("A/journal.jsonl")).unwrap();
    assert!(!journal.contains("\"generate-"), "{journal}");
}

const ATTENDANCE: &str = "attendance (present/absent): ";

/// `gishiki COMMAND …` at a terminal, with the papers of this plan.
fn begun(drill: &Drill, words: &[&str], time: &str, plan: &Path) -> Terminal {
    let mut command = gishiki_at(time);
    drill.env(&mut command).args(["--lang", "en"]).args(words);
    command.arg("--room").arg(drill.path("room.toml")).arg("--out").arg(drill.path("out"));
    for medium in ["A", "B"] {
        command.arg("--journal").arg(drill.path(medium));
    }
    let mut check = gishiki();
    Terminal::open(&command).with_papers(check.arg("check").arg(plan).arg("--drill"))
}

/// Answers as planned until this person's entry, and says whether they came.
fn attend(terminal: &mut Terminal, person: &str, attendance: &str) {
    while !terminal.until_prompt(ATTENDANCE).contains(&format!("({person})")) {
        terminal.answer("present");
    }
    terminal.answer(attendance);
}

/// At a terminal, whoever is absent can say nothing, and too few are told at once.
#[test]
fn attendance_is_asked_at_the_terminal() {
    let drill = Drill::new();
    let plan = plan(&drill);
    let mut terminal = begun(&drill, &["run", plan.to_str().unwrap()], IN_WINDOW, &plan);
    while !terminal.until_prompt(ATTENDANCE).contains("(p04)") {
        terminal.answer("present");
    }
    assert!(terminal.types("ill").contains("✗ present or absent"));
    assert!(terminal.types("absent").ends_with("who confirms (ids, by spaces): "));
    assert!(terminal.types("p04").contains("R-WHO-OPERATES"));
    terminal.answer("p12");
    while !terminal.until_prompt(ATTENDANCE).contains("(p06)") {
        terminal.answer("present");
    }
    // The third custodian has to come now: the question comes again, not only who says so.
    terminal.answer("absent");
    terminal.until_prompt("who confirms (ids, by spaces): ");
    let said = terminal.types("p12");
    assert!(
        said.contains("S-PRESENT") && said.ends_with("attendance (present/absent): "),
        "{said}"
    );
    terminal.answer("present");
    terminal.until("Papers");
    let open = terminal.until_prompt("who confirms (ids, by spaces): ");
    assert!(!open.is_empty());
    assert!(terminal.types("p04").contains("✗ recorded as absent: p04"));
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    assert!(drill.verify().contains("mdoc-root 2026-04-genesis"));
}

/// What was said of comings before an interruption, and no head was noted after it, is asked again:
/// somebody who did not come then may come now.
#[test]
fn after_an_interruption_who_came_is_asked_again() {
    let drill = Drill::new();
    let plan = plan(&drill);
    let mut terminal = begun(&drill, &["run", plan.to_str().unwrap()], IN_WINDOW, &plan);
    // As planned the reserve does not come.
    attend(&mut terminal, "p06", "absent");
    terminal.until("Papers");
    drop(terminal);
    let mut terminal = begun(&drill, &["resume"], LATER, &plan);
    // No head was noted yet.
    terminal.values.insert("head".into(), "none".into());
    attend(&mut terminal, "p04", "absent");
    attend(&mut terminal, "p06", "present");
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    let (people, ops) = named(&drill.path("out"));
    assert!(people.contains(&"p06".into()) && !ops.contains(&"exit-p04".into()), "{ops:?}");
    assert!(drill.verify().contains("mdoc-root 2026-04-genesis"));
}
