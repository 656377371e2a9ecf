//! Transcripts that were tampered with.
mod ceremonies;
mod forger;

use ceremony::verify::{Trust, Verdict};
use ceremonies::{eventful_rehearsal, golden, small_rehearsal, stopped_rehearsal};
use forger::{Book, verdict};

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
