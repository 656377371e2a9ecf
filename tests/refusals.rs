//! What a run refuses: the fold is walked in this process with the rehearsal token, and one thing
//! is changed.

use std::collections::BTreeMap;

use ceremony::hex::{Digest, Octets};
use ceremony::name::Name;
use ceremony::record::{
    Answer, Attempt, BootEvent, BootKind, Event, Mode, Outcome, Place, Refuser, Said, Signatures,
};
use ceremony::rule::RuleId;
use ceremony::run::{Next, Run};
use ceremony::token::{Attribute, KeyFacts, TokenAnswer, TokenIdentity, TokenObject};

use crate::people::{apply, approvals, card};
use crate::walk::{Walk, compiled, compiled_with, resumed};

fn said(answer: &Answer) -> Said {
    let Answer::People(said) = answer else { panic!("{answer:?}") };
    said.clone()
}

fn with_fact(answer: &Answer, name: &str, value: &str) -> Answer {
    let mut said = said(answer);
    said.facts.insert(name.into(), value.into());
    Answer::People(said)
}

#[test]
fn a_structure_without_its_keys_is_not_encoded() {
    let compiled = compiled();
    let item = ceremony::graph::Item::Certificate(0);
    assert!(compiled.graph.to_be_signed(item, 0, &BTreeMap::new()).is_err());
    let none = ceremony::graph::Item::Certificate(9);
    assert!(compiled.graph.to_be_signed(none, 0, &BTreeMap::new()).is_err());
}

/// What was asked may have had its effect: a run gives the request of an attempt once.
#[test]
fn no_request_is_given_twice() {
    let mut walk = Walk::rehearsal();
    walk.ask();
    assert!(walk.run.request().is_ok());
    assert!(walk.run.request().is_ok(), "people can be asked again");
    let mut walk = Walk::rehearsal().until("generate-g1");
    assert!(walk.run.request().is_ok());
    let again = walk.run.request().unwrap_err();
    assert_eq!((again.rule, again.found.en.as_str()), (RuleId::S_ORDER, "a second one"));
}

/// Whatever offset a clock shows, the line is the same: replay refuses every other spelling.
#[test]
fn every_record_is_written_in_the_offset_of_the_ca() {
    let walk = Walk::rehearsal();
    let asked = || Event::Asked(Attempt { op: "first-in".into(), attempt: 0 });
    let written = |at| walk.run.clone().apply(at, asked(), Signatures::new()).unwrap().line;
    let line = written(walk.at);
    assert!(line.contains("+09:00") && !line.contains("+00:00"), "{line}");
    for offset in ["+00:00", "-03:30", "+14:00"] {
        assert_eq!(written(walk.at.at(offset.parse().unwrap())), line, "{offset}");
    }
}

#[test]
fn events_out_of_order_are_refused() {
    let mut walk = Walk::rehearsal();
    let asked = |op: &str| Event::Asked(Attempt { op: op.into(), attempt: 0 });
    let rule =
        |walk: &Walk, event: Event| apply(walk.run.clone(), walk.at, event).unwrap_err().rule;
    assert_eq!(rule(&walk, asked("seal")), RuleId::S_ORDER);
    assert_eq!(
        rule(&walk, Event::Closed { end: ceremony::record::End::Completed }),
        RuleId::S_ORDER
    );
    assert_eq!(rule(&walk, Event::Sealed { bundle: Digest::of(b"") }), RuleId::S_ORDER);
    assert_eq!(rule(&walk, Event::Opened(walk.run.opened().clone())), RuleId::S_ORDER);
    let at = |at| walk.run.clone().apply(at, asked("first-in"), Signatures::new());
    let early = at(walk.at.plus_seconds(-1));
    assert_eq!(early.unwrap_err().rule, RuleId::S_TIME_BACK);
    let late = at(walk.run.graph().window().1.plus_seconds(1));
    assert_eq!(late.unwrap_err().rule, RuleId::S_WINDOW);
    walk.ask();
    assert_eq!(rule(&walk, asked("entry-p02")), RuleId::S_ORDER);
    let refused = |rule: Refuser, by: &[&str]| Event::Refused {
        op: "first-in".into(),
        attempt: 0,
        rule,
        reason: "a reason".into(),
        by: by.iter().map(|p| p.parse().unwrap()).collect(),
    };
    assert_eq!(rule(&walk, refused(Refuser::Rule(RuleId::S_WINDOW), &["p01"])), RuleId::S_REFUSED);
    // Who stops it is people or a rule: a record that says otherwise is none.
    let nobody = serde_json::json!({ "kind": "refused", "op": "first-in", "attempt": 0,
        "rule": "a mood", "reason": "no", "by": [] });
    let read = serde_json::from_value::<Event>(nobody).unwrap_err().to_string();
    assert!(read.contains("`a mood` is neither `people` nor a rule"), "{read}");
    assert_eq!(rule(&walk, refused(Refuser::People, &[])), RuleId::R_AUTHN);
    assert_eq!(rule(&walk, refused(Refuser::People, &["p99"])), RuleId::R_AUTHN);
    // Who is still outside says nothing that is recorded.
    assert_eq!(rule(&walk, refused(Refuser::People, &["p01"])), RuleId::S_PRESENT);
    walk.take(refused(Refuser::People, &["p12"])).unwrap();
    assert!(matches!(walk.run.next(), Next::Note(..)), "a refusal's head is noted too");
    walk.note();
    assert_eq!(walk.run.next(), Next::Abandon);
}

#[test]
fn the_seventeenth_attempt_is_refused_where_it_has_a_number() {
    for (op, limited) in [("login", false), ("generate-g1", true), ("sign-root-g1", true)] {
        let mut walk = Walk::rehearsal().until(op);
        for attempt in 0..20 {
            let cause = "CKR_DEVICE_ERROR".to_string();
            walk.take(Event::Lost { op: op.into(), attempt, cause }).unwrap();
            let taken = walk.take(Event::Asked(Attempt { op: op.into(), attempt: attempt + 1 }));
            assert_eq!(taken.is_err(), limited && attempt == 15, "{op} {attempt}");
            if let Err(fault) = taken {
                assert_eq!(fault.rule, RuleId::S_ATTEMPTS);
                break;
            }
        }
    }
}

#[test]
fn answers_to_something_else_are_refused() {
    let mut walk = Walk::rehearsal().until("clock");
    let good = walk.planned();
    assert_eq!(walk.refuses(&Answer::Token(TokenAnswer::Done {})), RuleId::S_ANSWER);
    assert_eq!(walk.refuses(&with_fact(&good, "another", "fact")), RuleId::S_ANSWER);
    for words in ["", " \u{202e}", "two\nlines", &"x".repeat(201)] {
        let cause = Event::Lost { op: "clock".into(), attempt: 0, cause: words.into() };
        assert_eq!(
            apply(walk.run.clone(), walk.at, cause).unwrap_err().rule,
            RuleId::S_WORDS,
            "{words:?}"
        );
    }
    assert_eq!(walk.refuses(&with_fact(&good, "offset-seconds", "31")), RuleId::R_TIME);
    assert_eq!(walk.refuses(&with_fact(&good, "offset-seconds", "+1")), RuleId::R_TIME);
    assert_eq!(walk.refuses(&with_fact(&good, "reference", "")), RuleId::R_TIME);
    let walk = walk_after(walk, "identify");
    assert_eq!(walk.refuses(&Answer::Token(TokenAnswer::Done {})), RuleId::S_ANSWER);
    assert_eq!(walk.refuses(&good), RuleId::S_ANSWER);
}

fn walk_after(mut walk: Walk, name: &str) -> Walk {
    let answer = walk.planned();
    walk.answer(answer).unwrap();
    walk.until(name)
}

#[test]
fn what_people_say_is_judged() {
    let mut walk = Walk::rehearsal().until("papers");
    let good = walk.planned();
    let graph = walk.run.opened().graph.to_string();
    assert_eq!(walk.refuses(&with_fact(&good, "graph", &graph[..15])), RuleId::S_PAPERS);
    assert_eq!(walk.refuses(&with_fact(&good, "graph", &"0".repeat(64))), RuleId::S_PAPERS);
    assert!(walk.run.judge(&with_fact(&good, "graph", &graph[..16])).is_ok());
    let by = |people: &[&str]| {
        let mut said = said(&good);
        said.by = people.iter().map(|p| p.parse().unwrap()).collect();
        Answer::People(said)
    };
    assert_eq!(walk.refuses(&by(&["p07"])), RuleId::R_MULTI);
    assert_eq!(walk.refuses(&by(&["p07", "p12", "p13"])), RuleId::R_WHO_OPERATES);
    assert_eq!(walk.refuses(&by(&["p13", "p07"])), RuleId::R_AUTHN);
    assert_eq!(walk.refuses(&by(&["p07", "p07", "p13"])), RuleId::R_AUTHN);
    let mut walk = walk_after(walk, "activate");
    let good = walk.planned();
    assert_eq!(walk.refuses(&with_fact(&good, "second-factor", "")), RuleId::R_ACTIVATE);
    let mut walk = walk_after(walk, "fingerprint-root-g1");
    let good = walk.planned();
    assert_eq!(walk.refuses(&with_fact(&good, "sha256", &"0".repeat(16))), RuleId::R_FINGERPRINT);
    let walk = walk_after(walk, "complete-j-lis");
    let mut other = said(&good);
    other.by = vec!["p02".parse().unwrap()];
    other.facts.clear();
    assert_eq!(walk.refuses(&Answer::People(other)), RuleId::R_WHO_OPERATES);
}

#[test]
fn a_token_is_taken_for_what_it_is() {
    let mut walk = Walk::rehearsal().until("identify");
    let Answer::Token(TokenAnswer::Identity(good)) = walk.planned() else { panic!() };
    let identity = |change: &dyn Fn(&mut TokenIdentity)| {
        let mut identity = good.clone();
        change(&mut identity);
        Answer::Token(TokenAnswer::Identity(identity))
    };
    assert_eq!(walk.refuses(&identity(&|i| i.serial = "other".into())), RuleId::S_TOKEN_SERIAL);
    assert_eq!(walk.refuses(&identity(&|i| i.mechanisms.clear())), RuleId::S_TOKEN_MECHANISM);
    let place = |serial: &str| Place {
        room: "a room".into(),
        terminal: "t1".into(),
        tool: "0.1.0".into(),
        image: "none".into(),
        token: serial.into(),
        spares: BTreeMap::new(),
        since_boot: Vec::new(),
    };
    // A drill on a token in production, the real thing on one that is not, a rehearsal somewhere, a
    // real ceremony nowhere.
    let rule = |mode, place| Walk::begin(mode, place).err().map(|fault| fault.rule);
    // Whose key everybody can compute proves nothing, be it another person's.
    let ca = compiled().graph.ca_name().der().to_vec();
    let swapped = |person: &Name| match person.as_str() {
        "p13" => ceremony::rehearsal::key_of(&ca, &"p01".parse().unwrap()),
        _ => card(person),
    };
    let compiled = compiled_with("", Mode::Real, &swapped);
    let at = compiled.graph.window().0;
    let approved = approvals(&compiled, at);
    let begun = Run::begin(compiled, place("FAKE-HSM-0001"), approved, at).unwrap_err();
    assert_eq!(begun.rule, RuleId::S_REHEARSAL_KEY);
    // Nor may somebody have such a key who does not take part: they would enrol others next time.
    let absent = |person: &Name| match person.as_str() {
        "p06" => ceremony::rehearsal::key_of(&ca, person),
        _ => card(person),
    };
    let compiled = compiled_with("", Mode::Real, &absent);
    assert!(!compiled.graph.people().contains_key("p06"));
    let approved = approvals(&compiled, at);
    let begun = Run::begin(compiled, place("FAKE-HSM-0001"), approved, at).unwrap_err();
    assert_eq!(begun.rule, RuleId::S_REHEARSAL_KEY, "{begun}");
    assert_eq!(rule(Mode::Drill, place("FAKE-HSM-0001")), Some(RuleId::S_DRILL));
    assert_eq!(rule(Mode::Real, place("FAKE-HSM-0003")), Some(RuleId::S_DRILL));
    assert_eq!(rule(Mode::Rehearsal, place("x")), Some(RuleId::S_MODE));
    assert_eq!(rule(Mode::Real, Place::rehearsal()), Some(RuleId::S_MODE));
    for (mode, serial, label) in
        [(Mode::Drill, "S1", "mdoc-root"), (Mode::Real, "FAKE-HSM-0001", "DRILL mdoc-root")]
    {
        let mut walk = Walk::begin(mode, place(serial)).unwrap();
        while walk.ask() != "identify" {
            let answer = walk.planned();
            walk.answer(answer).unwrap();
        }
        let answer = identity(&|i| {
            i.serial = serial.into();
            i.label = label.into();
        });
        assert_eq!(walk.refuses(&answer), RuleId::S_DRILL, "{label}");
    }
}

/// What an image did before the session: nothing without an image, so many events, and words.
#[test]
fn what_an_image_did_before_a_session_is_judged() {
    let rule = |mode, place| Walk::begin(mode, place).err().map(|fault| fault.rule);
    let since = |image: &str, count: usize, what: &str| {
        let event = BootEvent {
            at: "2026-04-01T00:30:00+00:00".parse().unwrap(),
            kind: BootKind::Media,
            result: Outcome::Refused,
            what: what.into(),
        };
        Place {
            image: image.into(),
            since_boot: vec![event; count],
            ..Place { token: "S1".into(), ..Place::rehearsal() }
        }
    };
    assert_eq!(rule(Mode::Drill, since("an image", 256, "S-MEDIUM")), None);
    assert_eq!(rule(Mode::Drill, since("an image", 257, "S-MEDIUM")), Some(RuleId::S_ORDER));
    assert_eq!(rule(Mode::Drill, since("none", 1, "S-MEDIUM")), Some(RuleId::S_ORDER));
    for what in ["", "two\nlines", "a \u{202e} turn"] {
        assert_eq!(rule(Mode::Drill, since("an image", 1, what)), Some(RuleId::S_WORDS), "{what}");
    }
    assert_eq!(rule(Mode::Rehearsal, since("rehearsal", 1, "x")), Some(RuleId::S_MODE));
}

fn object(class: &str, id: &[u8], label: &str) -> TokenObject {
    TokenObject { class: class.into(), id: Octets(id.to_vec()), label: label.into() }
}

#[test]
fn a_token_holds_what_the_records_say() {
    let walk = Walk::rehearsal().until("inventory");
    for found in [
        object("private-key", b"other", "a key"),
        object("secret-key", b"", ""),
        object("data", b"", "mdoc-root ledger head"),
        object("certificate", b"", "x"),
    ] {
        let objects = vec![found];
        assert_eq!(
            walk.refuses(&Answer::Token(TokenAnswer::Objects { objects })),
            RuleId::R_HSM_DEDICATED
        );
    }
    let walk = walk_after(walk, "write-head");
    for values in [vec![], vec![Octets(vec![0; 36])]] {
        assert_eq!(
            walk.refuses(&Answer::Token(TokenAnswer::Heads { values })),
            RuleId::S_LEDGER_HEAD
        );
    }
    // After an interruption both keys must be there.
    let mut walk = walk;
    walk.take(Event::Resumed(resumed(Place::rehearsal()))).unwrap();
    walk.take(Event::Lost { op: "write-head".into(), attempt: 0, cause: "interrupted".into() })
        .unwrap();
    let mut walk = walk.until("inventory");
    let Answer::Token(TokenAnswer::Objects { objects }) = walk.planned() else { panic!() };
    assert_eq!(objects.len(), 4);
    let fewer = objects[1..].to_vec();
    assert_eq!(
        walk.refuses(&Answer::Token(TokenAnswer::Objects { objects: fewer })),
        RuleId::S_KEY_ABSENT
    );
    let twice = [objects.clone(), vec![objects[0].clone()]].concat();
    assert_eq!(
        walk.refuses(&Answer::Token(TokenAnswer::Objects { objects: twice })),
        RuleId::S_KEY_ABSENT
    );
}

#[test]
fn a_token_that_yields_a_key_is_refused() {
    let walk = Walk::rehearsal().until("read-value-audit");
    let yielded = Answer::Token(TokenAnswer::Yielded { octets: 32 });
    assert_eq!(walk.refuses(&yielded), RuleId::R_NO_TRANSFER);
    for step in ["wrap-audit", "read-value-g1"] {
        let walk = Walk::rehearsal().until(step);
        assert_eq!(walk.refuses(&yielded), RuleId::R_NO_TRANSFER);
    }
}

/// What failed was not refused: replay takes a denial by those return values only that say so.
#[test]
fn a_token_that_fails_to_give_a_key_has_not_refused_it() {
    let denied = |code: &str| Answer::Token(TokenAnswer::Denied { code: code.into() });
    for (step, refusals) in [
        ("read-value-audit", &["CKR_ATTRIBUTE_SENSITIVE", "no value"][..]),
        ("wrap-audit", &["CKR_KEY_UNEXTRACTABLE", "CKR_KEY_SIZE_RANGE", "no wrapping mechanism"]),
        ("wrap-g1", &["CKR_KEY_NOT_WRAPPABLE", "CKR_FUNCTION_NOT_SUPPORTED"]),
    ] {
        let walk = Walk::rehearsal().until(step);
        for code in refusals {
            assert!(walk.run.judge(&denied(code)).is_ok(), "{step} {code}");
        }
        for code in ["CKR_OK", "CKR_DEVICE_ERROR", "CKR_GENERAL_ERROR", "CKR_HOST_MEMORY", "no"] {
            assert_eq!(walk.refuses(&denied(code)), RuleId::R_NO_TRANSFER, "{step} {code}");
        }
    }
}

fn facts_of(walk: &mut Walk) -> KeyFacts {
    let Answer::Token(TokenAnswer::Key(facts)) = walk.planned() else { panic!() };
    facts
}

#[test]
fn a_key_pair_in_doubt_is_adopted_whole_or_removed_with_consent() {
    let mut walk = Walk::rehearsal().until("generate-g1");
    let good = facts_of(&mut walk);
    let key = |change: &dyn Fn(&mut KeyFacts)| {
        let mut facts = good.clone();
        change(&mut facts);
        Answer::Token(TokenAnswer::Key(facts))
    };
    assert_eq!(walk.refuses(&key(&|f| f.point = Octets(vec![4; 97]))), RuleId::S_PUBLIC_KEY);
    assert_eq!(walk.refuses(&key(&|f| f.point = Octets(vec![0]))), RuleId::S_PUBLIC_KEY);
    assert_eq!(walk.refuses(&key(&|f| f.parameters = Octets(vec![5, 0]))), RuleId::R_ALG);
    assert_eq!(walk.refuses(&key(&|f| f.publics = 2)), RuleId::R_KEY_IN_HSM);
    for attribute in good.private.keys() {
        let flip = |facts: &mut KeyFacts| {
            let value = facts.private[attribute];
            facts.private.insert(*attribute, !value);
        };
        assert_eq!(walk.refuses(&key(&flip)), RuleId::R_KEY_IN_HSM, "{attribute:?}");
    }
    assert_eq!(
        walk.refuses(&key(&|f| _ = f.private.remove(&Attribute::AlwaysSensitive))),
        RuleId::R_KEY_IN_HSM
    );
    assert_eq!(walk.refuses(&key(&|f| f.strays = 1)), RuleId::R_KEY_IN_HSM);
    // A module that does not know COPYABLE copies nothing by it.
    let unknown = key(&|f| _ = f.private.remove(&Attribute::Copyable));
    assert!(walk.run.judge(&unknown).is_ok());
    let op = || "generate-g1".to_string();
    let by = |people: &[&str]| people.iter().map(|p| p.parse().unwrap()).collect::<Vec<_>>();
    let orphan = |found: KeyFacts, people: &[&str]| Event::OrphanRemoved {
        op: op(),
        attempt: 0,
        found,
        by: by(people),
    };
    let part = KeyFacts { privates: 0, ..good.clone() };
    let rule = |event: Event| apply(walk.run.clone(), walk.at, event).unwrap_err().rule;
    assert_eq!(rule(orphan(good.clone(), &["p01", "p03"])), RuleId::S_ORPHAN);
    assert_eq!(rule(orphan(part.clone(), &["p04", "p05"])), RuleId::R_MULTI);
    // What bears no CKA_ID is an orphan as well, beside a whole pair or alone.
    let beside = KeyFacts { strays: 2, ..good.clone() };
    assert_eq!(
        rule(Event::Adopted { op: op(), attempt: 0, key: beside.clone() }),
        RuleId::R_KEY_IN_HSM
    );
    let alone = KeyFacts { privates: 0, publics: 0, ..beside.clone() };
    for found in [beside, alone] {
        assert!(apply(walk.run.clone(), walk.at, orphan(found, &["p01", "p03"])).is_ok());
    }
    let nothing = KeyFacts { privates: 0, publics: 0, ..good.clone() };
    assert_eq!(rule(orphan(nothing, &["p01", "p03"])), RuleId::S_ORPHAN);
    assert_eq!(
        rule(Event::Adopted { op: op(), attempt: 0, key: part.clone() }),
        RuleId::R_KEY_IN_HSM
    );
    let adopted = Event::Adopted { op: op(), attempt: 0, key: good };
    assert!(apply(walk.run.clone(), walk.at, adopted).is_ok());
    walk.take(orphan(part, &["p01", "p03"])).unwrap();
    walk.note();
    assert!(matches!(walk.run.next(), Next::Ask(op, 1) if op.name == "generate-g1"));
}
