//! The whole life of both CAs with a card for each person: every act is signed, also when the power
//! goes at a card's signature.
//!
//! Of the signatures of each ceremony one is taken; `GISHIKI_ALL=1` takes every one.

use std::collections::BTreeSet;
use std::fs;

use ceremony::plan::Plan;
use serde_json::Value;

use super::history::{CEREMONIES, History};
use crate::second::second;
use crate::support::{complete, faulty_module, gishiki, run, text};

/// The ceremonies of the second CA, in the order of their ledger.
const OF_UTOPIA: [&str; 5] =
    ["2027-01-genesis", "2027-03-issue", "2027-08-revocation", "2034-02-rollover", "2034-03-issue"];

/// CKA_ID of the key on a card.
const CARD: &str = "01";

/// Which of the signatures of a ceremony are by cards, counted from 1.
fn by_cards(history: &History, ceremony: &str) -> Vec<usize> {
    let noted = fs::read_to_string(history.folder().join(format!("signed-{ceremony}"))).unwrap();
    let of_card = |line: &str| line.split(' ').next() == Some(CARD);
    noted.lines().enumerate().filter(|(_, line)| of_card(line)).map(|(n, _)| n + 1).collect()
}

/// Kills the process at a card's signature, goes on, and judges the whole ledger.
fn killed_at(before: &History, ceremony: &str, point: &str) {
    let (history, module) = (before.copy(), faulty_module());
    let killed = history.run(ceremony, &module, Some(point));
    assert!(!killed.status.success(), "{ceremony} {point}: nobody killed it");
    for session in 0..3 {
        if history.out(ceremony).join("manifest.json").exists() {
            break;
        }
        let output = history.go_on(ceremony, &module, 1 + session);
        assert!(output.status.success(), "{ceremony} {point}: {}", text(&output));
    }
    assert!(history.verify().contains("drill, consistent"), "{ceremony} {point}");
}

/// Whatever people said is signed by their cards: no card failed, and everybody who came signed the
/// whole record at its close.
fn all_signed(history: &History, ceremony: &str) {
    let out = history.out(ceremony);
    let text = fs::read_to_string(out.join("transcript.jsonl")).unwrap();
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |kind: &str| records.iter().filter(|one| one["event"]["kind"] == kind).count();
    assert_eq!((of("card-failed"), of("closed")), (0, 1), "{ceremony}");
    let closed = records.iter().find(|one| one["event"]["kind"] == "closed").unwrap();
    let signed: BTreeSet<&str> =
        closed["signed"].as_object().unwrap().keys().map(String::as_str).collect();
    let plan = Plan::parse(&fs::read(out.join("inputs/plan.toml")).unwrap()).unwrap();
    let came = plan.participants.iter().map(|id| id.get_ref().as_str());
    assert_eq!(signed, came.collect(), "{ceremony}");
}

/// Holds a CA's whole life; returns how many signatures cards made, and how many were broken off.
fn whole_life(ca: &'static str, ceremonies: &[&str]) -> (usize, usize) {
    let (history, module) = (History::with_cards(ca), faulty_module());
    let (mut signatures, mut kills) = (0, 0);
    for (turn, ceremony) in ceremonies.iter().enumerate() {
        let before = history.copy();
        let output = history.run(ceremony, &module, None);
        assert!(output.status.success(), "{ceremony}: {}", text(&output));
        let cards = by_cards(&history, ceremony);
        signatures += cards.len();
        let sides = ["kill-before", "kill-after"];
        let sampled = cards.iter().cycle().skip(turn * 11).take(1);
        let sampled = sampled.map(|n| format!("C_Sign#{n}:{}", sides[turn % 2]));
        let points: Vec<String> = match complete() {
            true => cards.iter().flat_map(|n| sides.map(|s| format!("C_Sign#{n}:{s}"))).collect(),
            false => sampled.collect(),
        };
        for point in points {
            killed_at(&before, ceremony, &point);
            kills += 1;
        }
        all_signed(&history, ceremony);
    }
    let (code, said) = second(&history.ledger(), &["--drill"]);
    assert_eq!(code, Some(0), "{said}");
    let state = run(gishiki().arg("state").arg(history.ledger()));
    assert!(state.status.success(), "{}", text(&state));
    (signatures, kills)
}

#[test]
fn people_with_cards_hold_the_whole_life_of_both_cas() {
    std::thread::scope(|scope| {
        let utopia = scope.spawn(|| whole_life("utopia-mdl", &OF_UTOPIA));
        let (signatures, kills) = whole_life("mdoc-root", &CEREMONIES);
        let (of_utopia, more) = utopia.join().unwrap();
        println!("{signatures} and {of_utopia} signatures by cards, {kills} and {more} broken off");
        assert!(signatures > 300 && of_utopia > 50, "{signatures} {of_utopia}");
        assert!(kills >= CEREMONIES.len() && more >= OF_UTOPIA.len());
    });
}
