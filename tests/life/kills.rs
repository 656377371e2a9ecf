//! Power cuts in every ceremony of the history, once and twice.
//!
//! Of the points of each ceremony some are taken; `GISHIKI_ALL=1` takes every one: each call
//! with which a request begins or by which something changes. What a request only reads on is
//! left to the first ceremony.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::history::{CEREMONIES, History};
use crate::second::second;
use crate::support::points::READS;
use crate::support::{complete, faulty_module, gishiki, run, signed, text};

/// Calls after which something on a token, or known of it, is another.
const CHANGING: [&str; 11] = [
    "C_GenerateKeyPair",
    "C_Sign",
    "C_CreateObject",
    "C_DestroyObject/private-key",
    "C_DestroyObject/public-key",
    "C_DestroyObject/secret-key",
    "C_DestroyObject/data",
    "C_DeriveKey",
    "C_WrapKey",
    "C_UnwrapKey",
    "C_Login",
];
/// Calls with which the requests begin that change nothing: of each ceremony one is sampled.
const ASKING: [&str; 4] = ["C_Logout", "C_GetTokenInfo", "C_OpenSession", "C_FindObjectsInit"];

/// The points of one ceremony: all, or of each function one, on the one side or the other.
fn points_of(calls: &[String], turn: usize) -> Vec<String> {
    let sides = ["kill-before", "kill-after"];
    if complete() {
        let taken = calls.iter().enumerate().filter(|(_, call)| !READS.contains(&call.as_str()));
        let numbers = taken.map(|(index, _)| index + 1);
        return numbers.flat_map(|n| sides.map(|fault| format!("{n}:{fault}"))).collect();
    }
    let mut points = Vec::new();
    for function in CHANGING.into_iter().chain([ASKING[turn % ASKING.len()]]) {
        let count = calls.iter().filter(|call| *call == function).count();
        if count > 0 {
            let number = 1 + (turn * 7) % count;
            points.push(format!("{function}#{number}:{}", sides[turn % 2]));
        }
    }
    points
}

/// Kills, resumes (once more killed, if asked), and judges what is left.
fn judge_point(before: &History, ceremony: &str, point: &str, again: Option<&str>) {
    let history = before.copy();
    let module = faulty_module();
    let killed = history.run(ceremony, &module, Some(point));
    let ended = history.out(ceremony).join("manifest.json").exists();
    assert!(!killed.status.success(), "{ceremony} {point}: nobody killed it");
    assert!(ended || !history.out(ceremony).exists(), "{ceremony} {point}: half an output");
    if let Some(again) = again {
        let killed = history.resume(ceremony, &module, 1, Some(again));
        assert!(!killed.status.success(), "{ceremony} {point} {again}: nobody killed it twice");
    }
    for session in 0..3 {
        if history.out(ceremony).join("manifest.json").exists() {
            break;
        }
        let output = history.go_on(ceremony, &module, 2 + session);
        assert!(!text(&output).contains("panicked"), "{ceremony} {point}: {}", text(&output));
        assert!(output.status.success(), "{ceremony} {point}: {}", text(&output));
    }
    judge_numbers(&history, ceremony, point);
    let noted = history.folder().join(format!("signed-{ceremony}"));
    signed::judge(&noted, &history.out(ceremony), &format!("{ceremony} {point}"));
    let verify = run(gishiki().arg("verify").arg(history.ledger()).arg("--drill"));
    assert!(verify.status.success(), "{ceremony} {point}: {}", text(&verify));
    // So does the second verifier, which is slower.
    if complete() || point.starts_with("C_Sign#") {
        let (code, said) = second(&history.ledger(), &["--drill"]);
        assert_eq!(code, Some(0), "{ceremony} {point}: {said}");
    }
    if ceremony == CEREMONIES[7] {
        // Nothing of the destroyed key is on either token: the audit key, g2 and its copy are left.
        assert_eq!(history.keys_on("DRILL mdoc-root"), (2, 2), "{point}");
        assert_eq!(history.keys_on("DRILL vault"), (1, 1), "{point}");
    }
}

/// What was burned is never used, and nothing is answered twice.
fn judge_numbers(history: &History, ceremony: &str, point: &str) {
    let transcript = fs::read_to_string(history.out(ceremony).join("transcript.jsonl")).unwrap();
    let (mut answered, mut lost) = (BTreeSet::new(), BTreeSet::new());
    for line in transcript.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let event = &record["event"];
        let attempt = (event["op"].to_string(), event["attempt"].to_string());
        let once = ["sign-", "generate-", "destroy-", "copy-"];
        let signs = once.iter().any(|kind| attempt.0.contains(kind));
        match event["kind"].as_str() {
            Some("answered" | "adopted") if signs => {
                assert!(answered.insert(attempt), "{ceremony} {point}: answered twice");
            }
            Some("lost") => drop(lost.insert(attempt)),
            _ => {}
        }
    }
    assert!(answered.is_disjoint(&lost), "{ceremony} {point}: a burned number was used");
}

#[test]
fn killed_in_any_ceremony_of_the_history_it_resumes() {
    let history = History::new();
    let module = faulty_module();
    let mut count = 0;
    let mut destroyed = 0;
    for (turn, ceremony) in CEREMONIES.into_iter().enumerate() {
        // The first ceremony has tests of its own.
        if turn > 0 {
            let points = points_of(&history.calls(ceremony, &module), turn);
            count += points.len();
            destroyed += points.iter().filter(|point| point.contains("/private-key")).count();
            std::thread::scope(|scope| {
                let half = points.len().div_ceil(2);
                for share in points.chunks(half.max(1)) {
                    let history = &history;
                    scope.spawn(move || {
                        share.iter().for_each(|at| judge_point(history, ceremony, at, None));
                    });
                }
            });
        }
        let output = history.run(ceremony, &module, None);
        assert!(output.status.success(), "{ceremony}: {}", text(&output));
    }
    println!(
        "kill points of the history: {count}, {destroyed} at the destruction of a private key"
    );
    assert!(count > 90, "{count}");
}

#[test]
fn killed_twice_it_resumes_and_a_key_that_was_kept_is_seen() {
    let history = History::new();
    let module = faulty_module();
    let twice = [
        (CEREMONIES[0], "C_GenerateKeyPair#2:kill-after", "C_Sign#1:kill-after"),
        (CEREMONIES[5], "C_GenerateKeyPair#1:kill-after", "C_Sign#1:kill-after"),
        // The key on the root token, then its copy: its private half is gone, its public half is
        // not, and the second time it is the same one step further.
        (
            CEREMONIES[7],
            "C_DestroyObject/private-key#1:kill-after",
            "C_DestroyObject/public-key#1:kill-before",
        ),
        (
            CEREMONIES[7],
            "C_DestroyObject/private-key#2:kill-before",
            "C_DestroyObject/private-key#1:kill-after",
        ),
        (CEREMONIES[7], "C_DestroyObject/public-key#2:kill-after", "C_Sign#1:kill-after"),
    ];
    for ceremony in &CEREMONIES[..8] {
        for (_, first, again) in twice.iter().filter(|(held, ..)| held == ceremony) {
            judge_point(&history, ceremony, first, Some(again));
        }
        if *ceremony == CEREMONIES[7] {
            kept(&history, ceremony);
        }
        let output = history.run(ceremony, &module, None);
        assert!(output.status.success(), "{ceremony}: {}", text(&output));
    }
}

/// A token that says that it destroyed the root key, or its copy, and kept it.
fn kept(before: &History, ceremony: &str) {
    for (at, rule) in [
        ("C_DestroyObject/private-key#1:nothing", "R-DESTROY"),
        ("C_DestroyObject/public-key#1:nothing", "R-DESTROY"),
        ("C_DestroyObject/private-key#2:nothing", "R-DESTROY"),
        ("C_DestroyObject/private-key#1:error=30", "S-TOKEN"),
    ] {
        let history = before.copy();
        let output = history.run(ceremony, &faulty_module(), Some(at));
        let said = text(&output);
        let code = if rule == "S-TOKEN" { 3 } else { 1 };
        assert!(output.status.code() == Some(code) && said.contains(rule), "{at}: {said}");
        let out = history.out(ceremony);
        assert!(!out.join("crls.txt").exists(), "{at}: something was handed out");
        if rule == "R-DESTROY" {
            // Sealed as aborted: in the state that follows, what was kept is still there.
            let state = run(gishiki().arg("state").arg(history.ledger()).arg("--json"));
            let state: Value = serde_json::from_slice(&state.stdout).unwrap();
            // The copy goes first: until it is gone, the key on the root token stands.
            let keys = state["keys"].as_array().unwrap();
            let g1 = keys.iter().find(|key| key["name"] == "g1").unwrap();
            let remains = state["remains"].to_string();
            let of_the_copy = at.contains("#1");
            assert_eq!(g1["destroyed"] == Value::Null, of_the_copy, "{at}: {state}");
            let of_it = remains.contains("\"g1\"") && remains.contains("vault") == of_the_copy;
            assert!(of_it, "{at}: {remains}");
        }
    }
}
