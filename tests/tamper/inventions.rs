//! What never happened, told by whoever holds the audit key: replay asks only whether it could
//! have, and the anchor alone refuses it. Every kind that `docs/transcript-format.md` names is told
//! once.

use std::sync::Arc;

use ceremony::rule::RuleId;
use ceremony::verify::replay;
use serde_json::{Value, json};

use super::adversary::{anchor, ceremonies};
use super::forger::Book;
use crate::support::root;

/// What is asked, in the middle of the ceremony, when something is invented.
const QUESTION: &str = "fingerprint-root-g1";

/// The first key.
const GENERATE: &str = "generate-audit";

/// A ceremony with something in it that never happened.
struct Invention {
    /// As the document names it.
    what: &'static str,
    /// How many records of the book stay as they are.
    kept: usize,
    /// What comes after them, each yet to be fitted to what stands before it.
    then: Vec<Value>,
}

/// The index of the record of this kind and operation.
fn of(book: &Book, kind: &str, op: &str) -> usize {
    let is = |record: &Value| record["event"]["kind"] == kind && record["event"]["op"] == op;
    book.records.iter().position(is).unwrap()
}

/// A record of this event; the rest is fitted.
fn told(book: &Book, event: Value) -> Value {
    let mut record = book.records[1].clone();
    record["event"] = event;
    record
}

/// The same, asked or answered at the second attempt.
fn again(record: &Value) -> Value {
    let mut record = record.clone();
    record["event"]["attempt"] = json!(1);
    record
}

/// Between the question and its answer.
fn meanwhile(book: &Book, what: &'static str, event: Value) -> Invention {
    let kept = of(book, "answered", QUESTION);
    Invention { what, kept, then: [&[told(book, event)], &book.records[kept..]].concat() }
}

/// An attempt that came to nothing, and another.
fn lost(book: &Book, what: &'static str, op: &str, cause: &str) -> Invention {
    let kept = of(book, "answered", op);
    let lost = json!({ "kind": "lost", "op": op, "attempt": 0, "cause": cause });
    let records = &book.records;
    let then = [told(book, lost), again(&records[kept - 1]), again(&records[kept])];
    Invention { what, kept, then: [&then, &records[kept + 1..]].concat() }
}

/// Going on after an interruption before anything was done: everybody enters and opens once more.
fn another_session(book: &Book) -> Vec<Value> {
    let resumed = json!({ "kind": "resumed", "room": book.records[0]["event"]["room"],
        "torn": 0, "copied": 0, "dropped": 0, "new-medium": [] });
    let session = &book.records[1..of(book, "asked", GENERATE)];
    [&[told(book, resumed)], session].concat()
}

fn interrupted(book: &Book) -> Invention {
    let kept = of(book, "asked", GENERATE);
    let then = [&another_session(book), &book.records[kept..]].concat();
    Invention { what: "interruptions with whole sessions", kept, then }
}

/// A key generation in doubt that left something, which was removed; the next attempt's key.
fn removed(book: &Book) -> Invention {
    let answered = of(book, "answered", GENERATE);
    let found = |publics: u32| {
        let mut found = book.records[answered]["event"]["answer"].clone();
        let members = found.as_object_mut().unwrap();
        members.retain(|name, _| name != "from" && name != "token");
        members["publics"] = json!(publics);
        found
    };
    let removed = json!({ "kind": "orphan-removed", "op": GENERATE, "attempt": 0,
        "found": found(0), "by": ["p07", "p13"] });
    let mut key = again(&book.records[answered]);
    let graph = book.graph();
    let template = graph.audit_key().unwrap().template(graph, 1);
    let point = ceremony::hex::encode(template.rehearsal.public().unwrap().point());
    key["event"]["answer"]["point"] = json!(point);
    let noted = &book.records[answered + 1];
    let asked = again(&book.records[answered - 1]);
    let then = [told(book, removed), noted.clone(), asked, key];
    let then = [&another_session(book), then.as_slice(), &book.records[answered + 1..]].concat();
    Invention { what: "removals of remains", kept: answered, then }
}

/// A completed ceremony that becomes an aborted one.
fn refused(book: &Book) -> Invention {
    let kept = of(book, "answered", QUESTION);
    let refused = json!({ "kind": "refused", "op": QUESTION, "attempt": 0, "rule": "people",
        "reason": "the third word was not the one on paper", "by": ["p07", "p13"] });
    let head = of(book, "asked", "write-head");
    let mut closed = book.records[head + 2].clone();
    closed["event"]["end"] = json!("aborted");
    let noted = book.records[kept + 1].clone();
    let [asked, written, sealed] = [head, head + 1, head + 3].map(|at| book.records[at].clone());
    let then = vec![told(book, refused), noted, asked, written, closed, sealed];
    Invention { what: "a refusal", kept, then }
}

#[test]
fn what_never_happened_is_refused_by_the_anchor_alone() {
    let (_, book) = ceremonies().swap_remove(0);
    let deviation = json!({ "kind": "deviation", "op": QUESTION, "reason": "late", "by": ["p04"] });
    let mistaken = json!({ "kind": "mistaken", "op": QUESTION, "attempt": 0,
        "question": ceremony::record::WHO });
    let inventions = [
        meanwhile(&book, "deviations", deviation),
        meanwhile(&book, "wrong answers", mistaken),
        lost(&book, "wrong PINs", "login", "CKR_PIN_INCORRECT"),
        lost(&book, "lost attempts", "read-value-g1", "CKR_DEVICE_ERROR"),
        interrupted(&book),
        removed(&book),
        refused(&book),
    ];
    // The document names these, and no others.
    let document = std::fs::read_to_string(root().join("docs/transcript-format.md")).unwrap();
    let document = document.replace('\n', " ");
    let (_, named) =
        document.split_once("as long as they could have happened in that order: ").unwrap();
    let (named, _) = named.split_once(", after which").unwrap();
    let named: Vec<&str> =
        named.split([',', ';']).map(|name| name.trim().trim_start_matches("and ")).collect();
    assert_eq!(named, inventions.each_ref().map(|invention| invention.what));
    let after = Arc::clone(replay(&book.sealed, &book.state).unwrap().state());
    let anchor = anchor(&after);
    for Invention { what, kept, then } in inventions {
        let forged = book.perform(kept, &then);
        let forged = forged.unwrap_or_else(|refused| panic!("{what}: {}", refused.fault));
        let trial = replay(&forged, &book.state).unwrap();
        assert!(trial.checks.iter().all(|check| check.prove().is_ok()), "{what}");
        assert_eq!(anchor.compare(trial.state()).unwrap_err().rule, RuleId::S_ANCHOR, "{what}");
    }
}
