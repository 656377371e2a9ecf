//! Reduced histories that found a bug, by name: bugs that this product once had, each reintroduced
//! by hand and found again (described in decision 0086), and bugs that the simulator was the first
//! to find.

use super::checker::Met;
use super::faults::{Fault, OfMedium, OfPeople, OfToken, OfWrite, Remains};
use super::history;
use super::scenes::SCENES;
use super::sessions::Ending;

/// The first ceremony with these faults keeps every invariant, passes this situation, and ends so.
fn holds(faults: &[Fault], met: Met, ending: Ending) {
    let history = history(0, faults);
    assert_eq!(history.found, Vec::<String>::new(), "{}", history.trace.join("\n"));
    assert!(history.met.contains_key(&met), "{met:?} was not met: {}", history.trace.join("\n"));
    assert_eq!(history.ending, ending);
}

/// A generation of the audit key fails: it was once asked 16 times in silence.
#[test]
fn a_failed_key_generation_is_asked_again_by_people_only() {
    let fails = Fault::Token(3, OfToken::FailsBefore(0));
    holds(&[fails], Met::AskedAgain, Ending::Completed);
}

/// When people are asked whether a failed generation is asked again, somebody mistypes a name: that
/// was once taken for their consent.
#[test]
fn a_mistaken_answer_is_no_consent() {
    let fails = Fault::Token(3, OfToken::FailsBefore(0));
    let mistaken = Fault::People(21, OfPeople::Mistaken);
    holds(&[fails, mistaken], Met::AskedAgain, Ending::Completed);
}

/// The process ends while people are asked, and somebody writes their answer on one medium: what
/// stood on one medium was once believed.
#[test]
fn words_on_one_medium_are_nobodys() {
    let leave = Fault::People(26, OfPeople::Leave);
    let forged = Fault::Media(0, OfMedium::Forged(1));
    holds(&[leave, forged], Met::LoneWords, Ending::Completed);
}

/// A key generation leaves an object without a CKA_ID: once nobody looked for it.
#[test]
fn an_object_without_a_name_is_found() {
    let nameless = Fault::Token(3, OfToken::FailsAfter(0, Remains::Nameless));
    holds(&[nameless], Met::Nameless, Ending::Completed);
}

/// A key generation says that it failed and has made a good pair, and the clock goes back while
/// that is found out: the key was adopted with the time of the last record.
#[test]
fn an_adoption_has_the_time_of_the_clock() {
    let fails = Fault::Token(3, OfToken::FailsAfter(0, Remains::Whole));
    let back = Fault::Token(5, OfToken::Clock(-90));
    holds(&[fails, back], Met::WrongClock, Ending::Completed);
}

/// The clock goes back: once the last record's time was taken in its place.
#[test]
fn a_clock_before_the_last_record_is_set_first() {
    let back = Fault::People(25, OfPeople::Clock(-90));
    holds(&[back], Met::WrongClock, Ending::Completed);
}

/// After the seal one journal is put aside, and the copy of the other breaks off when only its
/// postscript is there: that folder was then refused for ever, as one with files in it.
#[test]
fn a_copy_that_broke_off_after_the_seal_is_made_again() {
    let faults = [
        Fault::Media(1, OfMedium::Flipped(0, 56_320)),
        Fault::Write(223, OfWrite::NotSynced),
        Fault::Write(225, OfWrite::NotSynced),
        Fault::Token(3, OfToken::FailsBefore(93)),
    ];
    let scene = SCENES.iter().position(|scene| scene.name == "2031-09-destruction").unwrap();
    let history = history(scene, &faults);
    assert_eq!(history.found, Vec::<String>::new(), "{}", history.trace.join("\n"));
    assert!(history.trace.join("\n").contains("Resume(Some("), "{}", history.trace.join("\n"));
    assert_eq!(history.ending, Ending::Completed);
}

/// The power is cut, or a medium fails, when the first record is on one medium, and that medium
/// damages it, wherever: the folder was then taken for a begun ceremony, which no command could go
/// on with or give up. What is damaged in a digest can still be read as a record.
#[test]
fn a_damaged_first_record_alone_has_begun_nothing() {
    for (name, write) in
        [("2031-03-rollover", OfWrite::StopsAfter), ("2026-06-ds", OfWrite::NotSynced)]
    {
        let scene = SCENES.iter().position(|scene| scene.name == name).unwrap();
        for at in (0..=u16::MAX).step_by(2_048).chain([32_512, 51_456]) {
            let faults = [Fault::Write(2, write), Fault::Media(0, OfMedium::Flipped(0, at))];
            let history = history(scene, &faults);
            let trace = history.trace.join("\n");
            assert_eq!(history.found, Vec::<String>::new(), "{name}, {at}: {trace}");
            assert_eq!(history.ending, Ending::Completed, "{name}, {at}");
        }
    }
}
