//! A break: who stays signs it, the head is noted, and the ceremony goes on in another session.

use std::fs;

use ceremony::record::{Event, Record};
use ceremony::rule::RuleId;
use ceremony::run::Next;

use super::{begun, resumed};
use crate::second::second;
use crate::support::{Drill, gishiki, run, succeed, text};
use crate::walk::{self, Walk};

/// A break at the operation that is asked.
fn paused(walk: &Walk, by: &[&str]) -> Event {
    let (Next::Answer(op, attempt) | Next::Ask(op, attempt) | Next::Note(op, attempt)) =
        walk.run.next()
    else {
        panic!("{:?}", walk.run.next())
    };
    let by = by.iter().map(|person| person.parse().unwrap()).collect();
    Event::Paused { op: op.name.clone(), attempt, reason: "lunch".into(), by }
}

/// Only in the work, by two of two roles; then the head, and nothing else but another session.
#[test]
fn a_break_is_made_in_the_work_and_by_two() {
    for (op, by, rule) in [
        ("papers", &["p07", "p13"][..], RuleId::S_ORDER),
        ("generate-g1", &["p07", "p13"], RuleId::S_ORDER),
        ("fingerprint-root-g1", &["p13"], RuleId::R_MULTI),
        ("fingerprint-root-g1", &["p04", "p05"], RuleId::R_MULTI),
        ("fingerprint-root-g1", &["p07", "p99"], RuleId::R_AUTHN),
    ] {
        let mut walk = Walk::rehearsal().until(op);
        let event = paused(&walk, by);
        assert_eq!(walk.take(event).unwrap_err().rule, rule, "{op} {by:?}");
    }
    let mut walk = Walk::rehearsal().until("fingerprint-root-g1");
    let event = paused(&walk, &["p07", "p13"]);
    walk.take(event.clone()).unwrap();
    assert!(matches!(walk.run.next(), Next::Note(..)), "the head is noted first");
    assert_eq!(walk.take(event.clone()).unwrap_err().rule, RuleId::S_ORDER, "a second one");
    walk.note();
    assert_eq!(walk.run.next(), Next::Pause);
    assert_eq!(walk.take(event).unwrap_err().rule, RuleId::S_ORDER, "nothing else follows");
    // What was asked is asked again, as another attempt; nothing else is.
    let place = walk.run.place().clone();
    walk.take(Event::Resumed(walk::resumed(place))).unwrap();
    let walk = walk.until("fingerprint-root-g1");
    assert!(matches!(walk.run.next(), Next::Answer(_, 1)), "{:?}", walk.run.next());
}

#[test]
fn people_have_lunch_and_go_on() {
    let drill = Drill::new();
    let mut terminal = begun(&drill);
    let asked = terminal.until("Entry");
    assert!(!asked.contains("a break: break"), "not yet: {asked}");
    assert!(terminal.types("break").contains("✗ a moment for a break: after the opening"));
    let asked = terminal.until("Fingerprint");
    assert!(asked.contains(" / a break: break / to correct"), "{asked}");
    let said = terminal.types("Break");
    assert!(said.contains("This ends the session for a break"), "{said}");
    assert!(said.ends_with("who stays (ids of two people of two roles, or more): "), "{said}");
    assert!(terminal.types("p04 p05").contains("✗ two people of two roles: p04 p05"));
    assert!(terminal.types("p04 p13").ends_with("why, and until when: "));
    terminal.answer("lunch, until one o'clock");
    // The head after it is noted; nobody is asked anything else.
    let asked = terminal.prompt().unwrap();
    assert!(asked.contains("head of the record (36. `fingerprint-root-g1`)"), "{asked}");
    assert_eq!(terminal.finish(), Some(6), "{}", terminal.said);
    let said = terminal.said.replace('\r', "");
    assert!(said.contains("\na break: the token is logged out."), "{said}");
    let next = "\nWhen everybody is back, go on with:\n  gishiki --lang en resume --room ";
    assert!(said.contains(next), "{said}");
    let noted = terminal.values["head"].clone();
    let mut terminal = resumed(&drill);
    terminal.values.insert("head".into(), noted);
    let asked = terminal.until("Fingerprint");
    assert!(asked.contains("sha256"), "{asked}");
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);

    let said = drill.verify();
    assert!(said.contains("drill, consistent") && said.contains("a break at Fing"), "{said}");
    assert!(said.contains("went on after a break since "), "{said}");
    assert!(!said.contains("interruption"), "{said}");
    let (code, said) = second(&drill.path("out"), &["--drill"]);
    assert_eq!(code, Some(0), "{said}");
    let transcript = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    let events: Vec<Event> =
        transcript.lines().map(|line| Record::read(line).unwrap().event).collect();
    let at = events.iter().position(|event| matches!(event, Event::Paused { .. })).unwrap();
    assert!(matches!(events[at + 1..at + 3], [Event::Noted { .. }, Event::Resumed(_)]));
    assert!(!events.iter().any(|event| matches!(event, Event::Lost { .. })), "{transcript}");
    let log = |language: &str| {
        succeed(
            gishiki().args(["--lang", language, "log", "--kind", "paused"]).arg(drill.path("out")),
        )
    };
    assert!(
        log("en").contains("a break: Fingerprint `fingerprint-root-g1`: lunch, until one o'cl")
    );
    assert!(log("ja").contains("休憩: "), "{}", log("ja"));
    let report = |language: &str| {
        let mut report = gishiki();
        report.args(["--lang", language, "report"]).arg(drill.path("out")).arg("--drill");
        succeed(&mut report)
    };
    let said = report("en");
    assert!(said.contains("a break at Fingerprint") && said.contains("[who stayed: "), "{said}");
    assert!(said.contains("went on after a break since "), "{said}");
    assert!(report("ja").contains("[残った者: "), "{}", report("ja"));
}

/// The power goes while the head before a break is noted: it is noted after the opening of the next
/// session, and both verifiers know the record.
#[test]
fn a_break_that_is_interrupted_is_over() {
    let drill = Drill::new();
    let mut terminal = begun(&drill);
    terminal.until("Fingerprint");
    let noted = terminal.values["head"].clone();
    terminal.types("break");
    terminal.types("p04 p13");
    terminal.types("lunch");
    terminal.presses(b"\x03");
    assert_eq!(terminal.ends(), Some(130), "{}", terminal.said);
    let mut terminal = resumed(&drill);
    terminal.values.insert("head".into(), noted);
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    assert!(terminal.said.contains("!! The head that was being noted before the interruption"));
    assert!(drill.verify().contains("a break at Fingerprint"));
    let (code, said) = second(&drill.path("out"), &["--drill"]);
    assert_eq!(code, Some(0), "{said}");
}

/// A break that is over when the window is: what is left is to close it.
#[test]
fn whoever_does_not_come_back_in_time_closes_it() {
    let drill = Drill::new();
    let mut terminal = begun(&drill);
    terminal.until("Fingerprint");
    terminal.types("break");
    terminal.types("p04 p13");
    terminal.answer("lunch");
    assert_eq!(terminal.finish(), Some(6), "{}", terminal.said);
    let mut late = drill.resume_command("2026-04-02 01:30:00");
    let closed = run(&mut late);
    assert_eq!(closed.status.code(), Some(1), "{}", text(&closed));
    assert!(text(&closed).contains("closed as aborted, and sealed. S-WINDOW"), "{}", text(&closed));
    let said = drill.verify();
    assert!(said.contains("a break at Fingerprint `fingerprint-root-g1`: lunch"), "{said}");
}
