//! The same plan on a real module: the same to-be-signed octets, the same transcript once answers
//! are replaced; and a token that errs or lies is refused, with nothing handed out.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{
    Drill, SOFTHSM, assert_same_to_be_signed, faulty_module, genesis, genesis_golden, gishiki,
    records, run, succeed, text,
};

/// A record without what only the room, the token and the chain say.
fn without_answers(mut record: Value) -> Value {
    record["at"] = Value::Null;
    record["chain"] = Value::Null;
    record["terminal"] = Value::Null;
    let event = record["event"].as_object_mut().unwrap();
    for field in ["room", "mode", "bundle"] {
        event.remove(field);
    }
    if let Some(answer) = event.get_mut("answer") {
        let from = answer["from"].clone();
        let what = answer.get("token").or(answer.get("by")).cloned();
        *answer = serde_json::json!([from, what]);
    }
    record
}

#[test]
fn a_run_on_softhsm_signs_the_same_octets_and_writes_the_same_transcript() {
    let drill = Drill::new();
    succeed(&mut drill.run_command(&genesis()));
    let (out, golden) = (drill.path("out"), genesis_golden());
    for name in ["graph.txt", "bindings.txt", "script.ja.md", "script.en.md"] {
        assert!(
            fs::read(out.join(name)).unwrap() == fs::read(golden.join(name)).unwrap(),
            "{name}"
        );
    }
    assert_same_to_be_signed(&out, &golden);
    let plain =
        |folder: &Path| records(folder).into_iter().map(without_answers).collect::<Vec<_>>();
    let (real, rehearsed) = (plain(&out), plain(&golden));
    assert_eq!(real.len(), rehearsed.len());
    for (real, rehearsed) in real.iter().zip(&rehearsed) {
        assert_eq!(real, rehearsed);
    }
}

#[test]
fn a_drill_is_a_drill_and_nothing_else() {
    let drill = Drill::new();
    succeed(&mut drill.run_command(&genesis()));
    let verdict = |flag: Option<&str>| {
        run(gishiki().arg("verify").arg(drill.path("out")).args(flag)).status.code()
    };
    assert_eq!(verdict(Some("--drill")), Some(0));
    assert_eq!(verdict(None), Some(7));
    assert_eq!(verdict(Some("--rehearsal")), Some(4));
}

/// Runs with a fault at the module; what gishiki said, and its exit code.
fn with_fault(base: &Drill, at: &str) -> (Drill, String, Option<i32>) {
    let drill = base.copy();
    let mut command = drill.run_command(&genesis());
    command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at);
    let output = run(&mut command);
    (drill, text(&output), output.status.code())
}

#[test]
fn every_lie_of_a_token_is_refused_by_its_rule() {
    let base = Drill::new();
    base.write_room(&faulty_module());
    for (lie, rule) in [
        ("C_Sign#2:other-digest", "S-SIGNATURE"),
        ("C_Sign#2:truncate", "S-SIGNATURE"),
        ("C_Sign#2:zero-r", "S-SIGNATURE"),
        ("C_Sign#2:der", "S-SIGNATURE"),
        ("C_Sign#4:repeat", "S-NONCE"),
        ("C_Sign#40:other-digest", "S-SIGNATURE"),
        ("C_GenerateKeyPair#1:nothing", "R-KEY-IN-HSM"),
        ("C_GenerateKeyPair#2:nothing", "R-KEY-IN-HSM"),
        // CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_DECRYPT, CKA_SIGN,
        // CKA_DERIVE
        ("C_GetAttributeValue#*:flip=103", "R-KEY-IN-HSM"),
        ("C_GetAttributeValue#*:flip=162", "R-KEY-IN-HSM"),
        ("C_GetAttributeValue#*:flip=163", "R-KEY-IN-HSM"),
        ("C_GetAttributeValue#*:flip=165", "R-KEY-IN-HSM"),
        ("C_GetAttributeValue#*:flip=105", "R-KEY-IN-HSM"),
        ("C_GetAttributeValue#*:flip=108", "R-KEY-IN-HSM"),
        ("C_GetAttributeValue#*:flip=10c", "R-KEY-IN-HSM"),
    ] {
        let (drill, said, code) = with_fault(&base, lie);
        assert!(said.contains(rule), "{lie}: {said}");
        assert!(matches!(code, Some(1 | 3)), "{lie}: {code:?} {said}");
        assert!(!said.contains("panicked"), "{lie}: {said}");
        // A ceremony that could be sealed is sealed as aborted; nothing is handed out of it.
        let handed_out =
            drill.path("out/root-g1.der").exists() || drill.path("out/crls.txt").exists();
        assert!(!handed_out, "{lie}: something was handed out");
    }
}

#[test]
fn every_error_of_a_token_stops_and_the_ceremony_can_be_resumed() {
    let base = Drill::new();
    base.write_room(&faulty_module());
    for at in [
        "C_GetSlotList#1:error=30",
        "C_OpenSession#1:error=30",
        "C_Login#1:error=a0",
        "C_FindObjectsInit#1:error=30",
        "C_GenerateKeyPair#1:error=30",
        "C_GenerateKeyPair#1:error-after=30",
        "C_GenerateKeyPair#2:error=30",
        "C_GenerateKeyPair#2:error-after=32",
        "C_Sign#1:error=30",
        "C_Sign#2:error-after=30",
        "C_Sign#70:error=31",
        "C_CreateObject#1:error=31",
        "C_CreateObject#1:error-after=31",
        "C_Sign#107:error=30",
    ] {
        let (drill, said, code) = with_fault(&base, at);
        assert!(!said.contains("panicked"), "{at}: {said}");
        if code != Some(0) {
            assert_eq!(code, Some(3), "{at}: {said}");
            assert!(!drill.path("out").exists(), "{at}");
            let mut resumed = drill.resume_command(crate::support::LATER);
            resumed.env("FAULTY_MODULE", SOFTHSM);
            let output = run(&mut resumed);
            assert!(output.status.success(), "{at}: {}", text(&output));
        }
        assert!(drill.verify().contains("drill, consistent"), "{at}");
    }
}

#[test]
fn a_wrong_pin_is_tried_once() {
    let base = Drill::new();
    base.write_room(&faulty_module());
    let drill = base.copy();
    fs::write(drill.path("pin"), "another-pin").unwrap();
    let log = drill.path("calls");
    let mut command = drill.run_command(&genesis());
    command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_LOG", &log);
    let output = run(&mut command);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("CKR_PIN_INCORRECT"));
    let calls = fs::read_to_string(log).unwrap();
    assert_eq!(calls.lines().filter(|line| line.ends_with("C_Login")).count(), 1);
}
