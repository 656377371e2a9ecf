//! Attacks on the record while it lies on two media: what is added to one, taken from both, or
//! changed on either. The program's words are followed after each, and the ceremony goes on.

use std::fs;
use std::path::PathBuf;

use ceremony::hex::Digest;
use ceremony::record::{Answer, Event, GENESIS, Record, Refuser, Said};
use ceremony::rule::RuleId;
use serde_json::Value;

use crate::people::signed_after;
use crate::support::{Drill, LATER, copy, genesis, run, text};
use crate::terminal::resumed;

/// A ceremony that was interrupted while this operation waited for its answer: whom the script
/// names for it are none of those who may.
fn interrupted_at(op: &str) -> Drill {
    let drill = Drill::new();
    answers(&drill, &format!("[op.{op}]\nby = [\"p12\"]\n"));
    let output = run(&mut drill.run_command(&genesis()));
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    answers(&drill, "");
    drill
}

/// The same once more, with its journals.
fn copied(drill: &Drill) -> Drill {
    let other = drill.copy();
    for medium in ["A", "B"] {
        copy(&drill.path(medium), &other.path(medium));
    }
    other
}

fn answers(drill: &Drill, more: &str) {
    fs::write(drill.path("answers.toml"), format!("default = \"as-planned\"\n{more}")).unwrap();
}

fn journal(drill: &Drill, medium: &str) -> PathBuf {
    drill.path(medium).join("journal.jsonl")
}

fn lines(drill: &Drill, medium: &str) -> Vec<String> {
    let text = fs::read_to_string(journal(drill, medium)).unwrap();
    text.lines().map(String::from).collect()
}

/// The last head that people said is on paper.
fn last_noted(drill: &Drill) -> String {
    let lines = lines(drill, "A");
    let noted = lines.iter().rfind(|line| line.contains(r#""kind":"noted""#)).unwrap();
    let record: Value = serde_json::from_str(noted).unwrap();
    record["event"]["head"].as_str().unwrap().to_string()
}

fn write(drill: &Drill, medium: &str, lines: &[String]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(journal(drill, medium), text).unwrap();
}

/// The chain value that a line bears.
fn chain(line: &str) -> Digest {
    let line: Value = serde_json::from_str(line).unwrap();
    line["chain"].as_str().unwrap().parse().unwrap()
}

/// The lines with one more, which follows from them as a run would have written it.
fn with(mut lines: Vec<String>, event: Event) -> Vec<String> {
    let last = Record::read(lines.last().unwrap()).unwrap();
    let signed = signed_after(&lines, &event);
    let record = Record {
        at: last.at,
        origin: event.origin(),
        result: event.outcome(),
        number: last.number + 1,
        signed,
        terminal: last.terminal,
        event,
    };
    let head = record.chain(chain(lines.last().unwrap()));
    lines.push(record.to_line(head).trim_end().to_string());
    lines
}

/// The events of this kind in a transcript, with the operation's name or nothing.
fn events(drill: &Drill, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.map(|line| line["event"].clone()).filter(|event| event["kind"] == kind).collect()
}

fn resume(drill: &Drill, more: &[&str]) -> (Option<i32>, String) {
    let output = run(drill.resume_command(LATER).args(more));
    (output.status.code(), text(&output))
}

fn approval(by: &str) -> Event {
    let said = Said { by: vec![by.parse().unwrap()], facts: Default::default() };
    let op = "complete-digital-agency".to_string();
    Event::Answered { op, attempt: 0, answer: Answer::People(said) }
}

#[test]
fn an_approval_on_one_medium_is_no_approval() {
    for medium in ["A", "B"] {
        let drill = interrupted_at("complete-digital-agency");
        let whole = lines(&drill, medium);
        let forged = with(whole.clone(), approval("p02"));
        // Nobody writes an approval and the word that its head is on paper at once.
        let head = chain(forged.last().unwrap());
        let by = vec!["p13".parse().unwrap()];
        let noted = with(forged.clone(), Event::Noted { head, by, mistaken: 0 });
        write(&drill, medium, &noted);
        let (code, said) = resume(&drill, &[]);
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains("by one write at most") && said.contains("--put-aside"), "{said}");
        write(&drill, medium, &forged);
        let (code, said) = resume(&drill, &[]);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("one medium only are not taken: 1"), "{said}");
        let [resumed] = events(&drill, "resumed").try_into().unwrap();
        assert_eq!((&resumed["dropped"], &resumed["copied"]), (&1.into(), &0.into()));
        // It was asked again, and given in the second session.
        let asked = events(&drill, "asked");
        let again = asked.iter().filter(|event| event["op"] == "complete-digital-agency");
        let attempts: Vec<i64> = again.map(|event| event["attempt"].as_i64().unwrap()).collect();
        assert_eq!(attempts, [0, 1]);
        assert!(drill.verify().contains("drill, consistent"));
    }
}

/// What was said on both media before the head was on paper is asked again; what stands under a
/// head that was noted is not.
#[test]
fn what_people_said_since_the_last_noted_head_is_asked_again() {
    let drill = interrupted_at("complete-digital-agency");
    for medium in ["A", "B"] {
        let forged = with(lines(&drill, medium), approval("p02"));
        write(&drill, medium, &forged);
    }
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(0), "{said}");
    let asked = |op: &str| events(&drill, "asked").iter().filter(|e| e["op"] == op).count();
    assert_eq!((asked("complete-digital-agency"), asked("complete-j-lis")), (2, 1));
    assert_eq!((asked("entry-p01"), asked("generate-g1")), (1, 1));
    drill.verify();
}

#[test]
fn a_refusal_on_one_medium_stops_the_ceremony() {
    let drill = interrupted_at("complete-digital-agency");
    let op = "complete-digital-agency".to_string();
    let refused = Event::Refused {
        op,
        attempt: 0,
        rule: Refuser::People,
        reason: "the seal of the bag was broken".into(),
        by: vec!["p02".parse().unwrap()],
    };
    write(&drill, "B", &with(lines(&drill, "B"), refused));
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the seal of the bag was broken"), "{said}");
    let [resumed] = events(&drill, "resumed").try_into().unwrap();
    assert_eq!(resumed["refusal"]["lifted"], Value::Array(Vec::new()));
    drill.verify();
}

/// Whoever has one medium cannot end a ceremony in a rule's name: two people of two roles may say
/// that it does not hold, and the record says who.
#[test]
fn a_rules_refusal_on_one_medium_holds_unless_two_people_say_otherwise() {
    let forged = || {
        // A rule refuses what a token answers: both media are cut while one was asked.
        let drill = interrupted_at("fingerprint-root-g1");
        let mut asked = lines(&drill, "B");
        let of_sheet = |line: &String| line.contains(r#""op":"sign-crl-g1-1""#);
        asked.truncate(asked.iter().position(of_sheet).unwrap() + 1);
        write(&drill, "A", &asked);
        let (op, rule) = ("sign-crl-g1-1".to_string(), Refuser::Rule(RuleId::S_NONCE));
        let reason = "an r that was there before".to_string();
        let refused = Event::Refused { op, attempt: 0, rule, reason, by: Vec::new() };
        write(&drill, "B", &with(asked, refused));
        drill
    };
    let drill = forged();
    let mut terminal = resumed(&drill);
    let asked = terminal.prompt().unwrap();
    assert!(asked.contains("On one medium only, S-NONCE stopped the ceremony"), "{asked}");
    // Two of one role are not enough.
    assert!(terminal.types("p01").contains("R-MULTI"), "{}", terminal.said);
    terminal.answer("p01 p03");
    terminal.values.insert("head".into(), last_noted(&drill));
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    let [goes_on] = events(&drill, "resumed").try_into().unwrap();
    assert_eq!(goes_on["refusal"]["lifted"], Value::from(vec!["p01", "p03"]));
    let verdict = drill.verify();
    let lifted = "a refusal on one medium only, which does not hold [FAKE Hajime Kanri (p01)";
    assert!(verdict.contains(lifted) && verdict.contains("[S-NONCE]"), "{verdict}");
    let drill = forged();
    let mut terminal = resumed(&drill);
    assert!(terminal.prompt().unwrap().contains("no if the stop holds"));
    terminal.answer("no");
    terminal.values.insert("head".into(), last_noted(&drill));
    assert_eq!(terminal.finish(), Some(1), "{}", terminal.said);
    let [stops] = events(&drill, "resumed").try_into().unwrap();
    assert_eq!(stops["refusal"]["lifted"], Value::Array(Vec::new()));
    drill.verify();
}

/// Both media are set back to before the last head that was noted, so that a sheet could be signed
/// a second time: the paper says otherwise.
#[test]
fn media_that_were_set_back_do_not_have_the_head_on_the_paper() {
    let drill = interrupted_at("fingerprint-root-g1");
    let whole = lines(&drill, "A");
    let head = last_noted(&drill);
    let sheets = whole.iter().position(|line| line.contains("sign-root-g1")).unwrap();
    for medium in ["A", "B"] {
        write(&drill, medium, &whole[..sheets]);
    }
    answers(&drill, &format!("[op.papers]\nfacts = {{ head = \"{head}\" }}\n"));
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("S-NOTED"), "{said}");
    assert!(!lines(&drill, "A").iter().any(|line| line.contains("sign-root-g1")), "nothing signed");
    // Nobody noted a head that these journals do not have: with them back, it goes on.
    for medium in ["A", "B"] {
        write(&drill, medium, &whole);
    }
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(0), "{said}");
    drill.verify();
}

/// Two histories: the program says both, which line, and how to go on without one of them.
#[test]
fn two_journals_that_differ_lead_to_a_way_out() {
    let drill = interrupted_at("complete-digital-agency");
    let whole = lines(&drill, "A");
    let fork = with(whole.clone(), approval("p02"));
    let question = ceremony::record::WHO.to_string();
    let op = "complete-digital-agency".to_string();
    let other = with(whole.clone(), Event::Mistaken { op, attempt: 0, question });
    write(&drill, "A", &fork);
    write(&drill, "B", &other);
    let before = (lines(&drill, "A"), lines(&drill, "B"));
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(5), "{said}");
    let line = format!("differ from line {} on", whole.len() + 1);
    assert!(said.contains("S-JOURNAL") && said.contains(&line), "{said}");
    let put_aside = format!("--put-aside {}", drill.path("A").display());
    assert!(said.contains(&put_aside), "{said}");
    // In the menu of the live image it is another word.
    let (_, said) = resume(&drill, &["--led"]);
    let named = said.contains("  3: go on without the journal of one medium (");
    assert!(named && !said.contains(" --") && !said.contains("`--"), "{said}");
    assert_eq!(before, (lines(&drill, "A"), lines(&drill, "B")), "nothing is changed");
    // By the program's own words: the one with the approval is put aside, with two people's word.
    let aside = drill.path("A");
    let (code, said) = resume(&drill, &["--put-aside", aside.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    let [resumed] = events(&drill, "resumed").try_into().unwrap();
    assert_eq!(resumed["aside"]["records"], fork.len());
    assert_eq!(resumed["new-medium"].as_array().unwrap().len(), 2);
    let kept = fs::read_dir(drill.path("A")).unwrap().map(|entry| entry.unwrap().file_name());
    let kept: Vec<String> = kept.map(|name| name.into_string().unwrap()).collect();
    assert!(kept.iter().any(|name| name.starts_with("aside-")), "{kept:?}");
    drill.verify();
}

#[test]
fn a_journal_that_does_not_replay_is_named_by_line_and_rule() {
    let drill = interrupted_at("fingerprint-root-g1");
    let whole = lines(&drill, "B");
    let bent: Vec<String> = whole.iter().map(|line| line.replace("drill-1", "drill-2")).collect();
    write(&drill, "B", &bent);
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(4), "{said}");
    let place = format!("{}/journal.jsonl line ", drill.path("B").display());
    assert!(said.contains(&place) && said.contains("S-RECORD"), "{said}");
    assert!(said.contains(&format!("--put-aside {}", drill.path("B").display())), "{said}");
    let (code, said) = resume(&drill, &["--put-aside", drill.path("B").to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    drill.verify();
}

/// A forged answer of the token on one medium is not taken where its signatures do not hold.
#[test]
fn a_signature_on_one_medium_must_verify() {
    let drill = interrupted_at("fingerprint-root-g1");
    let whole = lines(&drill, "A");
    let answered = |line: &String| {
        line.contains(r#""op":"sign-crl-g1-1""#) && line.contains(r#""kind":"answered""#)
    };
    let at = whole.iter().position(answered).unwrap();
    write(&drill, "A", &whole[..at]);
    let mut record = Record::read(&whole[at]).unwrap();
    let Event::Answered { answer: Answer::Token(answer), .. } = &mut record.event else { panic!() };
    let ceremony::token::TokenAnswer::Signatures { signatures } = answer else { panic!() };
    signatures.swap(0, 1);
    let forged = with(whole[..at].to_vec(), record.event);
    write(&drill, "B", &forged);
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(0), "{said}");
    let [resumed] = events(&drill, "resumed").try_into().unwrap();
    assert_eq!((&resumed["dropped"], &resumed["copied"]), (&1.into(), &0.into()));
    drill.verify();
    assert_ne!(chain(&whole[0]), GENESIS);
}

/// The token's own answer, which stands on one medium only, is taken: it is proved.
#[test]
fn the_tokens_answer_on_one_medium_is_taken() {
    let drill = interrupted_at("fingerprint-root-g1");
    let whole = lines(&drill, "A");
    let answered = |line: &String| {
        line.contains(r#""op":"sign-crl-g1-1""#) && line.contains(r#""kind":"answered""#)
    };
    let at = whole.iter().position(answered).unwrap();
    write(&drill, "A", &whole[..at]);
    write(&drill, "B", &whole[..at + 2]);
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(0), "{said}");
    let [resumed] = events(&drill, "resumed").try_into().unwrap();
    // So is the question after it: had the other medium been cut, the token would have done it.
    assert_eq!((&resumed["dropped"], &resumed["copied"]), (&0.into(), &2.into()));
    let [lost] = events(&drill, "lost").try_into().unwrap();
    assert_eq!(lost["cause"], "interrupted");
    drill.verify();
}

/// An answer of the token that nothing proves is not taken of one medium: it is asked again.
#[test]
fn an_answer_without_a_signature_is_not_taken_of_one_medium() {
    for op in ["wrap-g1", "read-value-g1", "generate-g1"] {
        let drill = interrupted_at("complete-digital-agency");
        let whole = lines(&drill, "A");
        let is_answer = |line: &String| {
            line.contains(&format!(r#""op":"{op}""#)) && line.contains(r#""kind":"answered""#)
        };
        let at = whole.iter().position(is_answer).unwrap();
        write(&drill, "A", &whole[..at]);
        write(&drill, "B", &whole[..=at]);
        let (code, said) = resume(&drill, &[]);
        assert_eq!(code, Some(0), "{op}: {said}");
        let [resumed] = events(&drill, "resumed").try_into().unwrap();
        assert_eq!((&resumed["dropped"], &resumed["copied"]), (&1.into(), &0.into()), "{op}");
        drill.verify();
    }
}

/// More on one medium than a run writes at once: the other one was cut, perhaps to have a sheet
/// signed a second time. Neither is changed, and the one that is whole goes on.
#[test]
fn a_medium_that_was_cut_does_not_cut_the_other() {
    let base = interrupted_at("fingerprint-root-g1");
    let whole = lines(&base, "A");
    let at = |what: &str| whole.iter().position(|line| line.contains(what)).unwrap();
    for until in [1, at("generate-g1"), at("sign-root-g1"), at("sign-crl-g1-1"), whole.len() - 3] {
        for (cut, kept) in [("A", "B"), ("B", "A")] {
            let drill = copied(&base);
            write(&drill, cut, &whole[..until]);
            let (code, said) = resume(&drill, &[]);
            assert_eq!(code, Some(5), "{until}: {said}");
            assert!(said.contains("S-JOURNAL") && said.contains("--put-aside"), "{said}");
            assert_eq!((lines(&drill, kept).len(), lines(&drill, cut).len()), (whole.len(), until));
        }
    }
    write(&base, "B", &whole[..at("sign-root-g1")]);
    let (code, said) = resume(&base, &["--put-aside", base.path("B").to_str().unwrap()]);
    assert_eq!(code, Some(0), "{said}");
    base.verify();
}

/// What is given up is read as what goes on: nothing is taken of one medium that nothing proves.
#[test]
fn what_is_given_up_is_on_both_media() {
    let base = interrupted_at("complete-digital-agency");
    let whole = lines(&base, "A");
    let give_up = |drill: &Drill| {
        let mut command = crate::support::gishiki();
        command.args(["abandon", "--journal"]).arg(drill.path("A"));
        command.arg("--journal").arg(drill.path("B")).arg("--out").arg(drill.path("given"));
        let output = run(&mut command);
        (output.status.code(), text(&output))
    };
    let drill = copied(&base);
    let forged = with(whole.clone(), approval("p02"));
    write(&drill, "B", &forged);
    let (code, said) = give_up(&drill);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("one medium only are not taken: 1"), "{said}");
    let given = fs::read_to_string(drill.path("given/journal.jsonl")).unwrap();
    assert_eq!(given.lines().count(), whole.len());
    // Nobody goes on with what people signed as given up.
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("S-ABANDONED") && said.contains("it was given up as"), "{said}");
    fs::remove_dir_all(drill.path("given")).unwrap();
    assert_eq!(give_up(&drill).0, Some(0), "it is written out once more");

    let drill = copied(&base);
    write(&drill, "B", &whole[..whole.len() - 4]);
    let (code, said) = give_up(&drill);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("S-JOURNAL") && !drill.path("given").exists(), "{said}");

    // Nor while somebody holds it.
    let drill = copied(&base);
    let held = fs::File::open(journal(&drill, "A")).unwrap();
    held.lock().unwrap();
    let (code, said) = give_up(&drill);
    assert!(code == Some(5) && said.contains("S-BUSY"), "{said}");
    drop(held);

    // An empty bundle is no seal.
    fs::write(drill.path("B/bundle.json"), "").unwrap();
    assert_eq!(give_up(&drill).0, Some(0));
}

/// A ceremony is done where both media say so.
#[test]
fn a_postscript_that_was_cut_on_one_medium_is_not_the_end() {
    let drill = Drill::new();
    let output = run(&mut drill.run_command(&genesis()));
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(resume(&drill, &[]).0, Some(0), "done already");
    for file in ["A/after.jsonl", "out/after.jsonl"] {
        let whole = fs::read_to_string(drill.path(file)).unwrap();
        let first = whole.lines().next().unwrap();
        fs::write(drill.path(file), format!("{first}\n")).unwrap();
    }
    let (code, said) = resume(&drill, &[]);
    assert_eq!(code, Some(5), "{said}");
    assert!(!said.contains("completed"), "{said}");
}

/// A record that could not have happened is signed on paper by nobody, whichever line was bent; one
/// that is whole still is.
#[test]
fn a_journal_that_does_not_replay_is_not_given_up() {
    let drill = interrupted_at("fingerprint-root-g1");
    let whole = lines(&drill, "A");
    let abandon = || {
        let mut abandon = crate::support::gishiki();
        abandon.args(["--lang", "en", "abandon"]);
        abandon.arg("--journal").arg(drill.path("A")).arg("--journal").arg(drill.path("B"));
        let output = run(abandon.arg("--out").arg(drill.path("out")));
        (output.status.code(), text(&output))
    };
    let mut again = whole.clone();
    again[7] = again[7].replace("drill-1", "drill-2");
    let mut without = whole.clone();
    without.remove(5);
    for (bent, line, rule) in [
        (again, 8, "S-RECORD"),
        (without, 6, "S-ORDER"),
        // It has the form and the chain of a record; only it could not be said then, or by him.
        (with(whole.clone(), approval("p02")), whole.len() + 1, "S-"),
    ] {
        for medium in ["A", "B"] {
            write(&drill, medium, &bent);
        }
        let (code, said) = abandon();
        assert_eq!(code, Some(4), "{said}");
        let place = format!("line {line}: {rule}");
        assert!(said.contains(&place), "{place}: {said}");
        assert!(said.contains("was changed."), "{said}");
        assert!(!said.contains("sha256") && !drill.path("out").exists(), "{said}");
        assert!(lines(&drill, "A") == bent && lines(&drill, "B") == bent);
    }
    for medium in ["A", "B"] {
        write(&drill, medium, &whole);
    }
    let (code, said) = abandon();
    assert_eq!(code, Some(0), "{said}");
    let journal = fs::read(drill.path("out/journal.jsonl")).unwrap();
    assert!(said.contains(&Digest::of(&journal).to_string()), "{said}");
}
