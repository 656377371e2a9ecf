//! Compares the signatures that a token gave out, as the faulty module noted them, with the
//! records.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use ceremony::hex;
use ceremony::key::{Curve, Signature};
use serde_json::Value;

/// Asserts that every signature that the token returned is in the transcript or belongs to a lost
/// attempt, and that nothing was signed twice under one key; returns how many there were.
///
/// The token signs in the order in which it was asked, so one walk over both tells which signature
/// belongs to which attempt.
pub(crate) fn judge(noted: &Path, out: &Path, what: &str) -> usize {
    let noted = fs::read_to_string(noted).unwrap();
    let noted: Vec<Vec<&str>> = noted.lines().map(|line| line.split(' ').collect()).collect();
    let mut seen = BTreeSet::new();
    for line in &noted {
        assert!(seen.insert((line[0], line[1])), "{what}: a digest signed twice: {line:?}");
    }
    let given: Vec<&str> = noted.iter().map(|line| line[2]).collect();
    let (mut next, mut may_be_lost) = (0, false);
    let mut answered = |signature: &str, may_be_lost: bool| {
        let skipped = given[next..].iter().position(|given| *given == signature);
        let skipped = skipped.unwrap_or_else(|| panic!("{what}: the token never gave {signature}"));
        assert!(skipped == 0 || may_be_lost, "{what}: {skipped} signatures in no record");
        next += skipped + 1;
    };
    let transcript = fs::read_to_string(out.join("transcript.jsonl")).unwrap();
    let mut closed = false;
    for line in transcript.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let event = &record["event"];
        match event["kind"].as_str().unwrap() {
            "answered" => {
                for signature in event["answer"]["signatures"].as_array().into_iter().flatten() {
                    answered(signature.as_str().unwrap(), may_be_lost);
                    may_be_lost = false;
                }
            }
            "lost" if event["op"].as_str().unwrap().starts_with("sign-") => may_be_lost = true,
            "closed" => closed = true,
            // A seal that was made but not durable is made again, over the new head.
            "resumed" if closed => may_be_lost = true,
            _ => {}
        }
    }
    let bundle = fs::read(out.join("transcript.sigstore.json")).unwrap();
    let bundle: Value = serde_json::from_slice(&bundle).unwrap();
    let seal = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let seal = <base64ct::Base64 as base64ct::Encoding>::decode_vec(seal).unwrap();
    let seal = Signature::raw_from_der(Curve::P256, &seal).unwrap();
    answered(&hex::encode(&seal), may_be_lost);
    assert_eq!(next, given.len(), "{what}: signatures after the seal");
    given.len()
}
