//! The adversary: whoever holds the audit key performs any ceremony of a ledger again, from other
//! inputs and other events, chained and sealed anew.
//!
//! Each forgery ends in one of three ways: replay refuses it, by a rule that is named; it is taken,
//! and the anchor, which pins every ceremony, refuses it; or it gives the same octets. While the
//! last ceremony is not pinned, what is taken there is what `docs/transcript-format.md` lists.
//!
//! The forgeries are drawn with a seed; `GISHIKI_ALL=1` draws ten times as many.

use std::collections::BTreeMap;
use std::sync::Arc;

use ceremony::anchor::Anchor;
use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::verify::{Sealed, replay};
use serde_json::Value;

use super::changes::Vocabulary;
use super::forger::{Book, Keys, derived};
use super::one_in;
use super::seal_only::ONLY_THE_SEAL;
use crate::support::{Dice, root, sealed, state_after};

/// How many forgeries are made of each ceremony; a tenth of all that `GISHIKI_ALL=1` makes.
const OF_EACH: usize = 270;

/// What became of one forgery.
enum Fate {
    /// Replay refuses it, by this rule.
    Refused(String),
    /// It gives what there was.
    Same,
    /// It is taken: what was changed, and the folder.
    Taken(String, Box<Sealed>),
}

/// The ceremonies of the golden ledger, in their order.
pub(super) fn ceremonies() -> Vec<(String, Book)> {
    let mut left: Vec<(String, Plan, Sealed)> = std::fs::read_dir(root().join("golden/mdoc-root"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let sealed = sealed(&entry.path());
            let plan = Plan::parse(&sealed.inputs["plan.toml"]).unwrap();
            (entry.file_name().into_string().unwrap(), plan, sealed)
        })
        .collect();
    left.sort_by_key(|(_, plan, _)| *plan.sequence.get_ref());
    left.into_iter()
        .map(|(name, plan, sealed)| {
            let state = match plan.after.get_ref() {
                After::Nothing => Arc::default(),
                after @ After::Ceremony(_) => state_after(after),
            };
            (name, Book::on(state, sealed))
        })
        .collect()
}

/// The anchor that pins every ceremony that this state has.
pub(super) fn anchor(state: &State) -> Anchor {
    let mut text = String::from("format = 1\nca = \"mdoc-root\"\nmode = \"drill\"\n");
    for held in &state.held {
        text += &format!(
            "[[ceremony]]\nsequence = {}\nname = \"{}\"\nbindings = \"{}\"\nhead = \"{}\"\n\
             postscript = \"{}\"\nsigned-on = 2026-04-01\n",
            held.sequence, held.ceremony, held.bindings, held.head, held.postscript
        );
        let key = held.audit_key.map(|key| format!("audit-key = \"{key}\"\n"));
        text += &key.unwrap_or_default();
    }
    Anchor::parse(text.as_bytes()).unwrap()
}

/// The rule that a fault names; what the library of proofs and the reader of records say is theirs.
fn rule(fault: &str) -> String {
    if fault.contains("this line is not a record") || fault.contains("another line") {
        return "S-RECORD".into();
    }
    if fault.contains("does not verify") || fault.contains("r ‖ s") {
        return "S-SIGNATURE".into();
    }
    let known = |word: &&str| ceremony::rule::RuleId::of(word).is_some();
    let mut words =
        fault.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'));
    words.find(known).map_or_else(|| format!("unexplained: {fault}"), String::from)
}

/// One forgery of a ceremony, drawn.
fn forge(book: &Book, vocabulary: &Vocabulary, dice: &mut Dice) -> Fate {
    let records = &book.records;
    let at = 1 + dice.roll(records.len() - 1);
    let again = || derived(records[at].clone(), records[at]["number"].as_u64().unwrap() + 1);
    let kind = |at: usize| records[at]["event"]["kind"].as_str().unwrap().to_string();
    let (what, forged) = match dice.roll(10) {
        0..=3 => {
            let mut changes = vocabulary.changes(book, at);
            let change = changes.swap_remove(dice.roll(changes.len()));
            let (what, changed) = (format!("{}: {}", change.field, change.how), [change.record]);
            (what, book.forge_near(at..at + 1, &changed, change.suspect, usize::MAX))
        }
        4 => (format!("less: {}", kind(at)), book.forge(at..at + 1, &[])),
        5 => (format!("twice: {}", kind(at)), {
            book.forge(at..at + 1, &[records[at].clone(), again()])
        }),
        6 if at + 1 < records.len() => {
            let swapped = [records[at + 1].clone(), records[at].clone()];
            let swapped: Vec<Value> = swapped
                .into_iter()
                .zip([&records[at], &records[at + 1]])
                .map(|(record, place)| derived(record, place["number"].as_u64().unwrap()))
                .collect();
            (format!("swapped: {}", kind(at)), book.forge(at..at + 2, &swapped))
        }
        6 | 7 => {
            let from = 1 + dice.roll(records.len() - 1);
            let number = records[at]["number"].as_u64().unwrap();
            let moved = derived(records[from].clone(), number);
            (format!("moved: {}", kind(from)), book.forge(at..at, &[moved]))
        }
        _ => return on_other_inputs(book, dice),
    };
    match forged {
        Ok(forged) if same(book, &forged) => Fate::Same,
        Ok(forged) => Fate::Taken(what, Box::new(forged)),
        Err(refused) => Fate::Refused(rule(&refused.fault)),
    }
}

/// The same events on a plan, policy or roster with one other value.
fn on_other_inputs(book: &Book, dice: &mut Dice) -> Fate {
    let inputs = &book.sealed.inputs;
    let names: Vec<&String> = inputs.keys().collect();
    let name = names[dice.roll(names.len())];
    let text = String::from_utf8(inputs[name].clone()).unwrap();
    // One digit or letter of one value: the form stays, the meaning does not.
    let places: Vec<usize> = text
        .split_inclusive('\n')
        .scan(0, |start, line| {
            let (from, value) = (*start, line.find(" = ").map_or(0, |at| at + 3));
            *start += line.len();
            Some((from, value, line))
        })
        .filter(|(_, value, _)| *value > 0)
        .flat_map(|(from, value, line)| {
            let letters = line.bytes().enumerate().skip(value);
            let letters = letters.filter(|(_, octet)| octet.is_ascii_alphanumeric());
            letters.map(move |(at, _)| from + at).collect::<Vec<_>>()
        })
        .collect();
    if places.is_empty() {
        // A request: any other octet in it breaks its own signature, or its form.
        return Fate::Same;
    }
    let place = places[dice.roll(places.len())];
    let mut octets = text.clone().into_bytes();
    octets[place] = match octets[place] {
        b'9' => b'8',
        digit @ b'0'..=b'8' => digit + 1,
        b'f' => b'e',
        b'z' | b'Z' => b'y',
        letter => letter + 1,
    };
    let line = text[..place].rsplit('\n').next().unwrap();
    let field = line.split(" = ").next().unwrap().to_string();
    let mut changed = inputs.clone();
    changed.insert(name.clone(), octets);
    let again = match book.on_inputs(changed) {
        Ok(again) => again,
        Err(fault) => return Fate::Refused(rule(&fault)),
    };
    match again.forge_throughout(Keys::Audit, |_| {}) {
        Ok(forged) => {
            let checks = replay(&forged, &book.state).map(|trial| trial.checks);
            let proved = checks.map(|checks| checks.iter().all(|check| check.prove().is_ok()));
            match proved {
                Ok(true) => Fate::Taken(format!("inputs/{name}: {field}"), Box::new(forged)),
                Ok(false) => Fate::Refused("S-SIGNATURE".into()),
                Err(refusal) => Fate::Refused(refusal.fault.rule.to_string()),
            }
        }
        Err(refused) => Fate::Refused(rule(&refused.fault)),
    }
}

fn same(book: &Book, forged: &Sealed) -> bool {
    let whole = |sealed: &Sealed| (sealed.transcript.clone(), sealed.after.clone());
    whole(&book.sealed) == whole(forged)
}

/// What the document lists of the last ceremony, while it is not pinned: fields, and records that
/// people's words and a machine's failures make.
fn is_listed(what: &str) -> bool {
    let (field, how) = what.split_once(": ").unwrap();
    let only = |field: &str| ONLY_THE_SEAL.iter().any(|only| only.fields.contains(&field));
    let path = what.rsplit_once(": ").map_or(what, |(path, _)| path);
    // A copied key is read back as a generated one is.
    let path = &path.replace("answered copy: key.", "answered generate: ");
    match field {
        "less" | "twice" | "swapped" | "moved" => {
            let free = ["deviation", "mistaken", "resumed", "noted", "asked", "lost", "refused"];
            free.contains(&how) || ["answered", "sealed"].contains(&how)
        }
        _ => field.starts_with("inputs/") || only(path),
    }
}

#[test]
fn what_the_holder_of_the_audit_key_can_change_is_refused_by_the_anchor() {
    let (mut refused, mut same, mut pinned) = (BTreeMap::new(), 0, 0);
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for (number, (name, book)) in ceremonies().into_iter().enumerate() {
        let after = Arc::clone(replay(&book.sealed, &book.state).unwrap().state());
        let anchor = anchor(&after);
        let vocabulary = Vocabulary::of(&book, 7);
        let mut dice = Dice(0x6769_7368_696b_6900 + u64::try_from(number).unwrap());
        for _ in 0..OF_EACH * 10 / one_in(10) {
            match forge(&book, &vocabulary, &mut dice) {
                Fate::Refused(rule) => *refused.entry(rule).or_default() += 1,
                Fate::Same => same += 1,
                Fate::Taken(what, forged) => {
                    let trial = replay(&forged, &book.state).unwrap();
                    let fault = anchor.compare(trial.state()).unwrap_err();
                    assert_eq!(fault.rule.as_str(), "S-ANCHOR", "{name}: {what}");
                    assert!(is_listed(&what), "{name}: not listed: {what}");
                    *taken.entry(what).or_default() += 1;
                    pinned += 1;
                }
            }
        }
    }
    let all: usize = refused.values().sum::<usize>() + same + pinned;
    println!("{all} forgeries: {pinned} refused by the anchor alone, {same} the same octets");
    println!("refused by replay: {refused:#?}");
    println!("what the anchor alone refuses: {taken:#?}");
    let unexplained: Vec<&String> =
        refused.keys().filter(|rule| rule.starts_with("unexplained")).collect();
    assert!(unexplained.is_empty(), "{unexplained:#?}");
    assert!(all >= 3_000 && pinned > 100, "{all}, {pinned}");
}
