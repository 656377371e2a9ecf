//! Transcripts that were tampered with.
mod ceremonies;
mod changes;
mod forger;

use ceremony::verify::{Trust, Verdict};
use ceremonies::{eventful_rehearsal, golden, small_rehearsal, stopped_rehearsal};
use changes::Vocabulary;
use forger::{Book, verdict};
use std::collections::BTreeMap;

#[test]
fn tamper_an_unchanged_ceremony_is_forged_to_the_same_octets() {
    for sealed in [golden(), small_rehearsal(), eventful_rehearsal(), stopped_rehearsal()] {
        assert!(matches!(verdict(&sealed, &Trust::Rehearsal), Ok(Verdict::Verified(_))));
        let book = Book::of(sealed);
        for from in [0, 1, book.transcript - 1, book.transcript, book.records.len()] {
            let forged = book.forge(from..from, &[], None).unwrap();
            assert!(forged.transcript == book.sealed.transcript);
            assert!(forged.bundle == book.sealed.bundle);
            assert!(forged.after == book.sealed.after);
        }
        println!("{} records", book.records.len());
    }
}

#[derive(Default)]
struct Tally(BTreeMap<(String, &'static str), (usize, usize)>);

fn walk(book: &Book, from: usize, stride: usize, tally: &mut Tally) {
    let vocabulary = Vocabulary::of(book, stride);
    for index in from..book.records.len() {
        for change in vocabulary.changes(book, index) {
            let forged = book.forge(index..index + 1, &[change.record], change.suspect);
            let count = tally.0.entry((change.field, change.how)).or_default();
            match forged {
                Ok(_) => count.1 += 1,
                Err(_) => count.0 += 1,
            }
        }
    }
}

#[test]
fn tamper_walk_explore() {
    for (name, sealed, stride) in [("golden", golden(), 8), ("eventful", eventful_rehearsal(), 8), ("stopped", stopped_rehearsal(), 8)] {
        let t = std::time::Instant::now();
        let mut tally = Tally::default();
        walk(&Book::of(sealed), 0, stride, &mut tally);
        println!("== {name} {:?} {:?}", t.elapsed(), tally.0.values().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)));
        for ((field, how), (refused, accepted)) in tally.0 {
            if accepted > 0 { println!("{field} | {how} | {refused} | {accepted}"); }
        }
    }
}
