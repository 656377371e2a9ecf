//! A forger who holds the audit key and every root key, but no card of anybody: whatever is changed
//! in the record of a sealed ceremony, one of those who signed behind it is missing.

use serde_json::Value;

use super::ceremonies::{eventful_rehearsal, golden};
use super::changes::Vocabulary;
use super::forger::Book;
use super::one_in;

/// Whether a forgery failed for want of a card: another signature was asked for, or the one that is
/// there does not hold for what is now before it.
fn for_want_of_a_card(fault: &str) -> bool {
    let of_a_person = |fault: &str| fault.starts_with('p') || fault.starts_with("S-SIGNED");
    of_a_person(fault) && (fault.contains("S-SIGNED") || fault.contains("does not verify"))
}

#[test]
fn whoever_has_no_card_changes_no_record_at_all() {
    for sealed in [golden(), eventful_rehearsal()] {
        let with_cards = Book::of(sealed.clone());
        let book = Book::of(sealed).without_cards();
        let vocabulary = Vocabulary::of(&book, one_in(9));
        let (mut refused, mut for_a_card) = (0, 0);
        for index in 1..book.records.len() {
            for change in vocabulary.changes(&book, index).into_iter().step_by(one_in(5)) {
                // When the last one was written, only the anchor pins: nobody signs after it.
                if index + 1 == book.records.len() && change.field == "at" {
                    continue;
                }
                let changed = [change.record];
                let Err(refusal) = book.forge(index..index + 1, &changed) else {
                    panic!("record {index}: {} {}", change.field, change.how)
                };
                refused += 1;
                // What only a card stopped: with the cards, as in a rehearsal, it is taken.
                if with_cards.forge_near(index..index + 1, &changed, None, usize::MAX).is_ok() {
                    let said = &refusal.fault;
                    assert!(for_want_of_a_card(said), "{index} {}: {said}", change.field);
                    for_a_card += 1;
                }
            }
        }
        assert!(refused > 300 && for_a_card > 30, "{refused} {for_a_card}");
    }
}

/// A refusal, a deviation, a mistake, the last act: whatever is left out is missed by those who
/// signed after it.
#[test]
fn no_record_is_left_out_without_the_cards() {
    let book = Book::of(eventful_rehearsal()).without_cards();
    let mut left_out = 0;
    for index in 1..book.records.len() {
        let kind = book.records[index]["event"]["kind"].as_str().unwrap();
        if ["deviation", "mistaken", "card-failed"].contains(&kind) {
            let refusal = book.forge(index..index + 1, &[]).map(drop).unwrap_err();
            assert!(for_want_of_a_card(&refusal.fault), "{kind}: {}", refusal.fault);
            left_out += 1;
        }
    }
    assert!(left_out > 1, "{left_out}");
    // The last act: its answer, and its question too.
    let last = book.records.len();
    let cut = book.forge(last - 2..last, &[]).unwrap();
    let whole = super::verdict(&cut, &ceremony::verify::Trust::Rehearsal).unwrap();
    let ceremony::verify::Verdict::Verified(verified) = whole else { panic!() };
    let postscript = verified.facts().postscript;
    assert!(!postscript.is_ended(), "a cut postscript is told: {postscript:?}");
}

/// A signature fits no other record, although the same person made it with the same card.
#[test]
fn a_signature_fits_its_own_record_only() {
    let book = Book::of(golden()).without_cards();
    let signed: Vec<(usize, &Value)> = book
        .records
        .iter()
        .enumerate()
        .filter_map(|(index, record)| Some((index, record.get("signed")?)))
        .collect();
    let mut moved = 0;
    for (index, own) in &signed {
        for (_, other) in signed.iter().filter(|(other, _)| other != index) {
            for (person, raw) in other.as_object().unwrap() {
                if own.get(person).is_none() {
                    continue;
                }
                let mut record = book.records[*index].clone();
                record["signed"][person] = raw.clone();
                let refusal = book.forge(*index..index + 1, &[record]).map(drop).unwrap_err();
                assert_eq!(refusal.at, *index);
                // That of an earlier record has an r that was seen.
                let fault = &refusal.fault;
                assert!(for_want_of_a_card(fault) || fault.starts_with("S-NONCE"), "{fault}");
                moved += 1;
            }
        }
    }
    assert!(moved > 40, "{moved}");
}
