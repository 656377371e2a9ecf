//! Transcripts that were tampered with: raw, and by a forger who holds the audit key.
//!
//! A hash chain that anyone can compute again protects nothing by itself. So each change is made
//! twice: alone, and with everything after it recomputed and sealed again with the rehearsal's
//! audit key, which everybody knows. Changes that replay then still accepts are those that only the
//! seal protects against; `seal_only` is the complete list of them, with reasons.
//!
//! Long sheets, bundle, inputs and words are sampled; `GISHIKI_ALL=1` takes every octet.

mod adversary;
mod cards;
mod ceremonies;
mod changes;
pub(crate) mod forger;
mod inventions;
mod seal_only;

use std::collections::{BTreeMap, BTreeSet};

use ceremonies::{eventful_rehearsal, golden, real_ceremony, small_rehearsal, stopped_rehearsal};
use ceremony::anchor::Anchor;
use ceremony::canonical::canonical;
use ceremony::record::Mode;
use ceremony::rule::RuleId;
use ceremony::seal::Made;
use ceremony::verify::{Refusal, Sealed, Trust, Verdict, replay, replay_unsealed};
use ceremony::violation::Input;
use changes::Vocabulary;
use forger::{Book, Keys, Refused, derived, prove, verdict};
use seal_only::ONLY_THE_SEAL;
use serde_json::{Value, json};

use crate::people::RELEASE;
use crate::support::{Dice, complete, nothing, root};

#[test]
fn an_unchanged_ceremony_is_forged_to_the_same_octets() {
    for sealed in [golden(), eventful_rehearsal(), stopped_rehearsal()] {
        assert!(matches!(verdict(&sealed, &Trust::Rehearsal), Ok(Verdict::Verified(_))));
        let book = Book::of(sealed);
        for from in [0, 1, book.transcript - 1, book.transcript, book.records.len()] {
            let forged = book.forge(from..from, &[]).unwrap();
            assert!(forged.transcript == book.sealed.transcript);
            assert!(forged.bundle == book.sealed.bundle);
            assert!(forged.after == book.sealed.after);
        }
    }
}

/// The first record names the graph that its inputs give, and no other.
#[test]
fn another_graph_under_the_first_record_is_refused() {
    let mut sealed = golden();
    let text = String::from_utf8(sealed.transcript).unwrap();
    let record: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let graph = record["event"]["graph"].as_str().unwrap();
    sealed.transcript = text.replacen(graph, &"0".repeat(64), 1).into_bytes();
    let refusal = replay(&sealed, &nothing()).unwrap_err();
    let place = refusal.place.en.as_str();
    assert_eq!((refusal.fault.rule, place), (RuleId::S_OPENED, "transcript.jsonl line 1"));
}

/// The folder with these lines.
fn folder(book: &Book, lines: &[&str]) -> Sealed {
    let mut sealed = Sealed { transcript: Vec::new(), after: None, ..book.sealed.clone() };
    for line in lines {
        let after = sealed.after.is_some() || line.contains(r#""kind":"sealed""#);
        let to = if after { sealed.after.get_or_insert_default() } else { &mut sealed.transcript };
        to.extend(line.as_bytes());
    }
    sealed
}

#[test]
fn every_record_deleted_swapped_or_doubled_is_refused() {
    let book = Book::of(golden());
    let count = book.records.len();
    let lines: Vec<&str> = (0..count).map(|index| book.line(index)).collect();
    assert!(replay(&folder(&book, &lines), &nothing()).is_ok());
    let (mut refused, mut taken) = (0, Vec::new());
    let mut judge = |what: &'static str, index: usize, lines: &[&str]| {
        // What follows a fault is not read; where there is none yet, everything is.
        let near = &lines[..lines.len().min(index + 3)];
        let more = |refusal: &Refusal| refusal.fault.rule == RuleId::S_END;
        let mut said = replay(&folder(&book, near), &nothing()).map(drop);
        if said.as_ref().is_err_and(more) {
            said = replay(&folder(&book, lines), &nothing()).map(drop);
        }
        match said {
            Ok(()) => taken.push((what, index)),
            Err(_) => refused += 1,
        }
    };
    for index in 0..count {
        let mut less = lines.clone();
        less.remove(index);
        judge("deleted", index, &less);
        let mut twice = lines.clone();
        twice.insert(index, lines[index]);
        judge("doubled", index, &twice);
        let mut swapped = lines.clone();
        if index + 1 < count {
            swapped.swap(index, index + 1);
            judge("swapped", index, &swapped);
        }
    }
    // The postscript is on paper, and the next ceremony names its digest: until then it may end at
    // any record.
    assert_eq!(taken, [("deleted", count - 1)]);
    println!("{refused} deletions, doublings and swaps of {count} records refused");
}

#[test]
fn every_record_deleted_swapped_or_doubled_is_refused_also_under_a_good_seal() {
    let (mut refused, mut taken) = (0, BTreeSet::new());
    for sealed in [golden(), eventful_rehearsal(), stopped_rehearsal()] {
        let book = Book::of(sealed);
        let records = &book.records;
        for (index, record) in records.iter().enumerate() {
            let again = derived(record.clone(), record["number"].as_u64().unwrap() + 1);
            let mut forged = vec![
                ("deleted", book.forge(index..index + 1, &[])),
                ("doubled", book.forge(index..index + 1, &[record.clone(), again])),
            ];
            if let Some(next) = records.get(index + 1) {
                let number = |record: &Value| record["number"].as_u64().unwrap();
                let first = derived(next.clone(), number(record));
                let second = derived(record.clone(), number(next));
                forged.push(("swapped", book.forge(index..index + 2, &[first, second])));
            }
            for (what, forged) in forged {
                if forged.is_ok() {
                    let last = index + 1 == records.len();
                    let kind = |at: usize| records[at]["event"]["kind"].as_str().unwrap();
                    let who = if last {
                        "the last".into()
                    } else {
                        format!("{} before {}", kind(index), kind(index + 1))
                    };
                    taken.insert((what, who));
                } else {
                    refused += 1;
                }
            }
        }
    }
    // People say when something deviates, are mistaken, and lose the use of a card; a machine may
    // fail twice.
    let expected = [
        ("deleted", "card-failed before answered"),
        ("deleted", "deviation before mistaken"),
        ("deleted", "mistaken before card-failed"),
        ("deleted", "the last"),
        ("doubled", "deviation before mistaken"),
        ("doubled", "mistaken before card-failed"),
        ("doubled", "resumed before asked"),
        ("swapped", "card-failed before answered"),
        ("swapped", "deviation before mistaken"),
        ("swapped", "mistaken before card-failed"),
    ];
    assert_eq!(taken, expected.map(|(what, kind)| (what, kind.to_string())).into());
    println!("{refused} deletions, doublings and swaps under a good seal refused");
}

/// One in so many, or with `GISHIKI_ALL=1` every one.
fn one_in(sampled: usize) -> usize {
    if complete() { 1 } else { sampled }
}

/// Changes the lowest bit of octets; every change must be refused.
fn every_octet(octets: &[u8], stride: usize, taken: impl Fn(&[u8]) -> bool) -> usize {
    let places = (0..octets.len()).step_by(stride);
    let changed = places.len();
    for place in places {
        let mut other = octets.to_vec();
        other[place] ^= 1;
        assert!(!taken(&other), "octet {place} of {}", String::from_utf8_lossy(octets));
    }
    changed
}

/// Every octet of the golden's records, but one in 96 of its two sheets of signatures and of its
/// first record: the same records of a smaller ceremony are changed octet by octet.
#[test]
fn every_octet_of_every_record_is_judged() {
    let (golden, small) = (Book::of(golden()), Book::of(small_rehearsal()));
    let judge = |book: &Book, index: usize, stride: usize| {
        every_octet(book.line(index).as_bytes(), stride, |other| {
            str::from_utf8(other).is_ok_and(|other| match index {
                0 => book.judge_first(other).is_ok(),
                _ => book.judge(index, other).is_ok(),
            })
        })
    };
    let long = |book: &Book, index: usize| index == 0 || book.line(index).contains("signatures");
    let mut refused = 0;
    for index in 0..golden.records.len() {
        refused += judge(&golden, index, if long(&golden, index) { one_in(96) } else { 1 });
    }
    for index in (0..small.records.len()).filter(|index| long(&small, *index)) {
        refused += judge(&small, index, 1);
    }
    println!("{refused} changed octets of records refused");
}

#[test]
fn every_octet_of_bundle_and_inputs_is_judged() {
    let small = Book::of(small_rehearsal());
    let run = small.closed();
    let made = Made::of(run);
    let taken =
        |other: &[u8]| made.read(run, other).is_ok_and(|check| prove(&[check], None).is_ok());
    assert!(taken(&small.sealed.bundle));
    let mut refused = every_octet(&small.sealed.bundle, one_in(19), taken);
    for (name, octets) in &small.sealed.inputs {
        refused += every_octet(octets, one_in(37), |other| {
            let mut inputs = small.sealed.inputs.clone();
            inputs.insert(name.clone(), other.to_vec());
            replay_unsealed(&inputs, small.line(0).as_bytes(), b"", &nothing()).is_ok()
        });
    }
    println!("{refused} changed octets of bundle and inputs refused");
}

/// Bits of any file, any place: 1,000, or with `GISHIKI_ALL=1` 100,000.
#[test]
fn seeded_bits_of_a_folder_are_judged() {
    let sealed = small_rehearsal();
    assert!(matches!(verdict(&sealed, &Trust::Rehearsal), Ok(Verdict::Verified(_))));
    let after = sealed.after.clone().unwrap();
    let files = sealed.inputs.values().chain([&sealed.transcript, &sealed.bundle, &after]);
    let sizes: Vec<usize> = files.map(Vec::len).collect();
    let count: usize = if complete() { 100_000 } else { 1_000 };
    let mut dice = Dice(15);
    let flips: Vec<(usize, usize)> =
        (0..count).map(|_| (dice.roll(sizes.iter().sum()), dice.roll(8))).collect();
    let judge = |(place, bit): &(usize, usize)| {
        let mut other = sealed.clone();
        let after = other.after.as_mut().unwrap();
        let files = other.inputs.values_mut();
        let files = files.chain([&mut other.transcript, &mut other.bundle, after]);
        let mut at = *place;
        for file in files {
            if let Some(octet) = file.get_mut(at) {
                *octet ^= 1 << bit;
                break;
            }
            at -= file.len();
        }
        assert!(verdict(&other, &Trust::Rehearsal).is_err(), "bit {bit} of octet {place}");
    };
    std::thread::scope(|scope| {
        for share in flips.chunks(count.div_ceil(2)) {
            scope.spawn(|| share.iter().for_each(judge));
        }
    });
    println!("{count} bits of {} octets refused", sizes.iter().sum::<usize>());
}

type WholeJudge = dyn Fn(&Sealed) -> bool;

/// What became of the changes of each field.
#[derive(Default)]
struct Tally {
    refused: usize,
    taken: BTreeMap<(String, &'static str), usize>,
}

/// Changes every field of every record from one on. The first change of a field that is taken in
/// some way is followed to the end, the next ones to the next record. Of the first that is taken
/// and the first that is refused of each field, a whole judge is asked too.
fn walk(book: &Book, from: usize, stride: usize, whole: Option<&WholeJudge>) -> Tally {
    let vocabulary = Vocabulary::of(book, stride);
    let (mut tally, mut refused_seen) = (Tally::default(), BTreeSet::new());
    let mut taken_seen = BTreeSet::new();
    for index in from..book.records.len() {
        for change in vocabulary.changes(book, index) {
            let field = (change.field, change.how);
            let first = !tally.taken.contains_key(&field);
            let reach = if first { usize::MAX } else { 1 };
            let changed = [change.record];
            match book.forge_near(index..index + 1, &changed, change.suspect, reach) {
                Ok(forged) => {
                    if let Some(whole) = whole
                        && first
                        && taken_seen.insert(field.0.clone())
                    {
                        assert!(whole(&forged), "{field:?}");
                    }
                    *tally.taken.entry(field).or_default() += 1;
                }
                Err(refusal) => {
                    tally.refused += 1;
                    if whole.is_some() && refused_seen.insert(field.0.clone()) {
                        refused_by_replay_too(&field, index, *refusal);
                    }
                }
            }
        }
    }
    tally
}

/// The forger's judge is the run; the first refusal of each field is looked at with the whole of
/// replay too.
fn refused_by_replay_too(field: &(String, &str), index: usize, refusal: Refused) {
    let Refused { at, fault, folder } = refusal;
    let by_proof = fault.contains("the signature does not verify");
    // Replay itself verifies no signature: a verdict does.
    let Err(said) = replay(&folder, &nothing()) else {
        return assert!(by_proof, "{field:?}: {fault}");
    };
    let file = folder.after.as_ref().map_or(&folder.transcript, |after| after);
    let line = file.iter().filter(|octet| **octet == b'\n').count();
    let here = said.place.en.ends_with(&format!(".jsonl line {line}"));
    assert!(at >= index && (here || by_proof), "{field:?}: {fault}; replay: {said}");
}

#[test]
fn every_field_is_judged_or_listed() {
    let verified =
        |forged: &Sealed| matches!(verdict(forged, &Trust::Rehearsal), Ok(Verdict::Verified(_)));
    let tallies = std::thread::scope(|scope| {
        let golden = scope.spawn(|| walk(&Book::of(golden()), 0, one_in(6), None));
        let eventful = walk(&Book::of(eventful_rehearsal()), 0, one_in(3), Some(&verified));
        let stopped = Book::of(stopped_rehearsal());
        let refused = |record: &Value| record["event"]["kind"] == "refused";
        let from = stopped.records.iter().position(refused).unwrap();
        [golden.join().unwrap(), eventful, walk(&stopped, from, one_in(3), Some(&verified))]
    });
    let refused: usize = tallies.iter().map(|tally| tally.refused).sum();
    let taken: usize = tallies.iter().flat_map(|tally| tally.taken.values()).sum();
    let found: BTreeSet<(&str, &str)> = tallies
        .iter()
        .flat_map(|t| t.taken.keys())
        .map(|(field, how)| (field.as_str(), *how))
        .collect();
    let listed: BTreeSet<(&str, &str)> = ONLY_THE_SEAL
        .iter()
        .flat_map(|only| {
            only.fields.iter().flat_map(|field| only.how.iter().map(|how| (*field, *how)))
        })
        .collect();
    let unlisted: Vec<_> = found.difference(&listed).collect();
    let judged: Vec<_> = listed.difference(&found).collect();
    assert!(unlisted.is_empty() && judged.is_empty(), "unlisted {unlisted:#?}, judged {judged:#?}");
    println!("{refused} changes refused, {taken} only the seal protects, in {} ways", listed.len());
}

#[test]
fn the_list_is_the_one_that_is_documented() {
    let document = std::fs::read_to_string(root().join("docs/transcript-format.md")).unwrap();
    assert!(document.contains(&format!("\n{}\n", seal_only::table())), "{}", seal_only::table());
}

#[test]
fn a_verdict_needs_every_signature_proved() {
    let sealed = small_rehearsal();
    let count = replay(&sealed, &nothing()).unwrap().checks.len();
    for absent in 0..count {
        let trial = replay(&sealed, &nothing()).unwrap();
        let proofs = trial.checks.iter().enumerate().filter(|(index, _)| *index != absent);
        let proofs = proofs.map(|(_, check)| check.prove().unwrap()).collect();
        let refusal = trial.conclude(proofs, &Trust::Rehearsal).unwrap_err();
        assert_eq!(refusal.fault.rule, RuleId::S_SIGNATURE);
    }
}

/// The anchor of this ceremony, as it is written.
fn anchor_of(sealed: &Sealed) -> String {
    let Ok(Verdict::NotAnchored(facts)) = verdict(sealed, &Trust::None) else {
        panic!("a consistent ceremony without trust is not anchored")
    };
    let held = facts.state.held.last().unwrap();
    format!(
        "format = 1\nca = \"mdoc-root\"\nmode = \"real\"\n[[ceremony]]\nsequence = 1\n\
         name = \"2026-04-genesis\"\nbindings = \"{}\"\nhead = \"{}\"\npostscript = \"{}\"\n\
         audit-key = \"{}\"\nsigned-on = 2026-04-01\n",
        held.bindings, held.head, held.postscript, facts.audit_key
    )
}

#[test]
fn a_whole_forged_ceremony_is_refused_by_the_anchor() {
    let (own, forged) = (real_ceremony(1), real_ceremony(2));
    let written = anchor_of(&own);
    let anchor = Anchor::parse(written.as_bytes()).unwrap();
    let verified = verdict(&own, &Trust::Anchor(&anchor));
    assert!(matches!(verified, Ok(Verdict::Verified(_))), "{verified:?}");
    assert!(matches!(verdict(&forged, &Trust::None), Ok(Verdict::NotAnchored(_))));
    let refusal = verdict(&forged, &Trust::Anchor(&anchor)).unwrap_err();
    assert!(refusal.contains("S-ANCHOR") && refusal.contains("the head"), "{refusal}");
    // What the anchor says of CA, ceremony and head is compared too.
    let head = written.split("\nhead = \"").nth(1).unwrap().get(..8).unwrap();
    for (from, to, what) in [
        ("\"mdoc-root\"", "\"mdl-root\"", "the CA"),
        ("2026-04-genesis", "2026-05-genesis", "the ceremony"),
        (head, "00000000", "the head of"),
    ] {
        let other = Anchor::parse(written.replacen(from, to, 1).as_bytes()).unwrap();
        let refusal = verdict(&own, &Trust::Anchor(&other)).unwrap_err();
        assert!(refusal.contains("S-ANCHOR") && refusal.contains(what), "{what}: {refusal}");
    }
    for trust in [Trust::Rehearsal, Trust::Drill] {
        let refusal = verdict(&forged, &trust).unwrap_err();
        assert!(refusal.contains("S-MODE"), "{refusal}");
    }
    let refusal = verdict(&golden(), &Trust::Anchor(&anchor)).unwrap_err();
    assert!(refusal.contains("S-MODE"), "{refusal}");
}

/// The forger's seal under the CA's own transcript, and the CA's seal under the forger's.
#[test]
fn a_seal_holds_for_its_own_transcript_only() {
    let (own, forged) = (real_ceremony(1), real_ceremony(2));
    for (one, other) in [(&own, &forged), (&forged, &own)] {
        let swapped = Sealed { bundle: other.bundle.clone(), ..one.clone() };
        let refusal = verdict(&swapped, &Trust::None).unwrap_err();
        assert!(refusal.contains("S-SEAL"), "{refusal}");
    }
}

#[test]
fn a_rehearsal_that_says_it_is_real_is_recognised_by_its_keys() {
    let mut book = Book::of(golden());
    // The program is released, too: whoever writes all inputs writes that.
    let release = RELEASE.replace("0.1.0", "tool-1");
    let release = canonical(Input::Release, release.as_bytes()).unwrap();
    let digest = ceremony::inputs::input_digest(&release);
    book.sealed.inputs.insert("release.toml".to_string(), release.into_bytes());
    let real = book.compiled(&book.sealed.inputs, Mode::Real).unwrap();
    let forged = book.forge_throughout(Keys::AuditAndRoot, |record| {
        record["terminal"] = json!("terminal-1");
        let event = &mut record["event"];
        if event["kind"] == "opened" {
            event["mode"] = json!("real");
            event["bindings"] = json!(real.bindings.id());
            event["inputs"]["release.toml"] = json!(digest);
            for member in ["image", "room", "terminal", "tool"] {
                event["room"][member] = json!(format!("{member}-1"));
            }
            event["room"]["token"] = json!("FAKE-HSM-0001");
        }
        if event["kind"] == "answered" && event["op"] == "identify" {
            event["answer"]["serial"] = json!("FAKE-HSM-0001");
        }
    });
    let forged = forged.unwrap_or_else(|refused| refused.folder);
    for trust in [Trust::None, Trust::Rehearsal] {
        let refusal = verdict(&forged, &trust).unwrap_err();
        assert!(refusal.contains("S-REHEARSAL-KEY"), "{refusal}");
    }
}
