//! Whoever can write the folder of the last ceremony, and has no key at all: what comes after the
//! seal is in no seal, and while nothing pins it, no chain value of it is known. Both verifiers
//! take nothing there that somebody else would have had to sign.

use std::fs;
use std::path::Path;

use ceremony::record::GENESIS;
use serde_json::{Value, json};

use crate::second::second;
use crate::support::{copy, gishiki, root, run, text, with_postscript};
use crate::tamper::forger::{derived, line};

/// The last ceremony of the golden ledger, which nothing pins.
const LAST: &str = "2032-03-token-lost";

/// The records of its postscript.
fn records(ledger: &Path) -> Vec<Value> {
    let after = fs::read_to_string(ledger.join(LAST).join("after.jsonl")).unwrap();
    after.lines().map(|record| serde_json::from_str(record).unwrap()).collect()
}

/// Writes a postscript of these events, chained, and the manifest that follows.
fn write(ledger: &Path, records: &[Value]) {
    let (mut chain, mut after) = (GENESIS, String::new());
    for (number, record) in (0..).zip(records) {
        let mut record = record.clone();
        record.as_object_mut().unwrap().remove("chain");
        let written = line(derived(record, number), chain);
        let chained: Value = serde_json::from_str(&written).unwrap();
        chain = chained["chain"].as_str().unwrap().parse().unwrap();
        after += &written;
    }
    with_postscript(&ledger.join(LAST), &after);
}

/// What both say of a ledger whose last postscript is this: exit codes and words.
fn judged(records: impl Fn(Vec<Value>) -> Vec<Value>) -> [(Option<i32>, String); 2] {
    let ledger = tempfile::tempdir().unwrap();
    copy(&root().join("golden/mdoc-root"), ledger.path());
    write(ledger.path(), &records(self::records(ledger.path())));
    let first = run(gishiki().arg("verify").arg(ledger.path()).arg("--rehearsal"));
    [(first.status.code(), text(&first)), second(ledger.path(), &["--rehearsal"])]
}

/// A record like this one, of another event.
fn told(like: &Value, event: Value) -> Value {
    let mut record = like.clone();
    record["event"] = event;
    record.as_object_mut().unwrap().remove("signed");
    record
}

fn resumed(like: &Value) -> Value {
    let transcript = root().join("golden/mdoc-root").join(LAST).join("transcript.jsonl");
    let transcript = fs::read_to_string(transcript).unwrap();
    let first: Value = serde_json::from_str(transcript.lines().next().unwrap()).unwrap();
    let session = json!({ "kind": "resumed", "room": first["event"]["room"], "torn": 0,
        "copied": 0, "dropped": 1, "new-medium": [] });
    told(like, session)
}

/// How many records there are when this is asked.
fn asked(records: &[Value], op: &str) -> usize {
    let is = |record: &Value| record["event"]["kind"] == "asked" && record["event"]["op"] == op;
    records.iter().position(is).unwrap()
}

/// Everything from this question on, refused by a rule.
fn refused(records: &[Value], from: usize) -> Vec<Value> {
    let refuse = |record: &Value| {
        let mut event = record["event"].clone();
        event["kind"] = json!("refused");
        let members = event.as_object_mut().unwrap();
        members.remove("answer");
        members.extend([("rule".into(), json!("S-PRESENT")), ("by".into(), json!([]))]);
        members.insert("reason".into(), json!("nobody was there any more"));
        told(record, event)
    };
    let rest = records[from..].iter().map(|record| match &record["event"]["kind"] {
        kind if kind == "answered" => refuse(record),
        _ => record.clone(),
    });
    [records[..from].to_vec(), rest.collect()].concat()
}

#[test]
fn nothing_is_written_behind_the_last_exit() {
    for (code, said) in judged(|mut records| {
        records.push(resumed(records.last().unwrap()));
        records
    }) {
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains("after.jsonl"), "{said}");
    }
}

/// A refusal that is on one medium only is asked again after the seal; nobody's is told of them.
#[test]
fn no_refusal_is_invented_in_a_session_after_the_seal() {
    for by in [json!(["p01"]), json!([]), json!(["zz-nobody"])] {
        for (code, said) in judged(|records| {
            let cut = asked(&records, "anchor-words");
            let mut session = resumed(&records[cut]);
            session["event"]["refusal"] = json!({ "rule": "people", "reason": "the head is another",
                "by": by, "lifted": [] });
            let (before, rest) = records.split_at(cut);
            [before, &[session], rest].concat()
        }) {
            assert_eq!(code, Some(4), "{said}");
        }
    }
}

#[test]
fn no_rule_refuses_what_people_were_asked() {
    for from in ["exit-p01", "exit-p03", "last-out"] {
        let [first, second] = judged(|records| refused(&records, asked(&records, from)));
        assert_eq!(first.0, Some(4), "{}", first.1);
        assert!(first.1.contains("S-REFUSED"), "{}", first.1);
        assert_eq!(second.0, Some(4), "{}", second.1);
    }
}

/// What ends without an answer is not done: nobody adopts an act of people, and what people were
/// asked after the seal is not lost.
#[test]
fn what_people_are_asked_is_answered_or_open() {
    let endings = [
        json!({ "kind": "adopted", "key": {} }),
        json!({ "kind": "lost", "cause": "p01 would not go" }),
        json!({ "kind": "lost", "cause": "interrupted" }),
        json!({ "kind": "orphan-removed", "found": {}, "by": ["p01", "p03"] }),
    ];
    for ending in endings {
        for (code, said) in judged(|records| {
            let at = asked(&records, "exit-p01");
            let mut event = ending.clone();
            event["op"] = json!("exit-p01");
            event["attempt"] = json!(0);
            [&records[..=at], &[told(&records[at], event)]].concat()
        }) {
            assert_eq!(code, Some(4), "{ending}: {said}");
        }
    }
}

/// After the seal no rule refuses a token's answer either.
#[test]
fn no_rule_refuses_a_logout() {
    for rule in ["R-NO-TRANSFER", "S-WINDOW", "S-ATTEMPTS"] {
        for (code, said) in judged(|records| {
            let at = asked(&records, "logout");
            let event = json!({ "kind": "refused", "op": "logout", "attempt": 0, "rule": rule,
                "reason": "p04 held the card back", "by": [] });
            [&records[..=at], &[told(&records[at], event)]].concat()
        }) {
            assert_eq!(code, Some(4), "{rule}: {said}");
        }
    }
}

/// What stands in a record is read as it is: no character hides or turns what stands beside it, and
/// a session is held with the tokens of the first one.
#[test]
fn no_record_hides_its_words_or_another_token() {
    let causes = ["ab\u{202e}deifirev", "a\u{200b}b", "two\nlines", "", " ", &"x".repeat(201)];
    for cause in causes {
        for (code, said) in judged(|records| {
            let at = asked(&records, "logout");
            let lost = json!({ "kind": "lost", "op": "logout", "attempt": 0, "cause": cause });
            [&records[..=at], &[told(&records[at], lost)]].concat()
        }) {
            assert_eq!(code, Some(4), "{cause:?}: {said}");
            assert!(!said.contains('\u{202e}'), "{said}");
        }
    }
    for (field, value) in
        [("token", json!("REHEARSAL vault")), ("spares", json!({ "vault": "REHEARSAL vault" }))]
    {
        for (code, said) in judged(|records| {
            let mut session = resumed(&records[0]);
            session["event"]["room"][field] = value.clone();
            [&records[..1], &[session]].concat()
        }) {
            assert_eq!(code, Some(4), "{field}: {said}");
        }
    }
}

/// A postscript that is an empty file is none.
#[test]
fn an_empty_postscript_is_refused() {
    let ledger = tempfile::tempdir().unwrap();
    copy(&root().join("golden/mdoc-root"), ledger.path());
    fs::write(ledger.path().join(LAST).join("after.jsonl"), "").unwrap();
    let first = run(gishiki().arg("verify").arg(ledger.path()).arg("--rehearsal"));
    assert_eq!(first.status.code(), Some(4), "{}", text(&first));
    assert!(text(&first).contains("after.jsonl"), "{}", text(&first));
    assert_eq!(second(ledger.path(), &["--rehearsal"]).0, Some(4));
}

/// A postscript that was cut, in which a session began or somebody mistyped, is taken while nothing
/// pins it; both say what is missing.
#[test]
fn what_is_missing_behind_the_seal_is_said() {
    let [first, second] = judged(|mut records| {
        records.truncate(asked(&records, "exit-p03"));
        records.push(resumed(records.last().unwrap()));
        records
    });
    assert_eq!((first.0, second.0), (Some(0), Some(0)), "{}\n{}", first.1, second.1);
    assert!(first.1.contains(", postscript incomplete"), "{}", first.1);
    assert!(second.1.contains(", postscript without exit-p03 exit-p04"), "{}", second.1);
    let [first, second] = judged(|records| records[..1].to_vec());
    assert_eq!((first.0, second.0), (Some(0), Some(0)), "{}\n{}", first.1, second.1);
    assert!(second.1.contains(", postscript without logout"), "{}", second.1);
}
