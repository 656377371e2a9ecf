//! The same plan on a real module: the same to-be-signed octets, the same transcript once answers
//! are replaced; and a token that errs or lies is refused, with nothing handed out.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::kill::small_ca;
use crate::support::terminal::SO_PIN;
use crate::support::{
    Drill, SOFTHSM, assert_same_to_be_signed, complete, faulty_module, genesis, genesis_golden,
    gishiki, records, run, signed, succeed, text,
};

/// A record without what only the room, the token and the chain say.
fn without_answers(mut record: Value) -> Value {
    record["at"] = Value::Null;
    record["chain"] = Value::Null;
    record["terminal"] = Value::Null;
    // Who signs is the same; what they sign follows from the chain.
    for signature in record.get_mut("signed").into_iter().flat_map(|s| s.as_object_mut().unwrap()) {
        *signature.1 = Value::Null;
    }
    let event = record["event"].as_object_mut().unwrap();
    for field in ["room", "mode", "bindings", "bundle", "head"] {
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
    let read = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read(&out, "graph.txt"), read(&golden, "graph.txt"));
    // A drill has serial numbers of its own, and so bindings, which its script shows.
    for (command, language, name) in [
        ("bind", "en", "bindings.txt"),
        ("script", "ja", "script.ja.md"),
        ("script", "en", "script.en.md"),
    ] {
        let mut reviewed = gishiki();
        reviewed.arg(command).arg(genesis()).args(["--drill", "--lang", language]);
        let reviewed = succeed(&mut reviewed);
        assert_eq!(read(&out, name), reviewed, "{name}");
        assert_ne!(reviewed, read(&golden, name), "{name}");
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

/// The module's calls of one whole run of this plan.
fn calls(base: &Drill, plan: &Path) -> Vec<String> {
    let drill = base.copy();
    let log = drill.path("calls");
    let mut command = drill.run_command(plan);
    succeed(command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_LOG", &log));
    let log = fs::read_to_string(log).unwrap();
    log.lines().map(|line| line.split(' ').nth(1).unwrap().to_string()).collect()
}

/// Which search finds the key that makes the second signature, the root's first.
fn search_before_the_second(base: &Drill) -> usize {
    let calls = calls(base, &genesis());
    let mut signs = calls.iter().enumerate().filter(|(_, call)| *call == "C_Sign");
    let (second, _) = signs.nth(1).unwrap();
    // Each search ends with a call that finds nothing more.
    calls[..second].iter().filter(|call| *call == "C_FindObjects").count() - 1
}

#[test]
fn every_lie_of_a_token_is_refused_by_its_rule() {
    let base = Drill::new();
    base.write_room(&faulty_module());
    let other_object = format!("C_FindObjects#{}:other-object", search_before_the_second(&base));
    for (lie, rule) in [
        ("C_Sign#2:other-digest", "S-SIGNATURE"),
        ("C_Sign#2:truncate", "S-SIGNATURE"),
        ("C_Sign#2:zero-r", "S-SIGNATURE"),
        ("C_Sign#2:zero-s", "S-SIGNATURE"),
        ("C_Sign#2:r-is-n", "S-SIGNATURE"),
        ("C_Sign#2:s-is-n", "S-SIGNATURE"),
        ("C_SignInit#2:other-key", "S-SIGNATURE"),
        // The audit key's own first signature.
        ("C_Sign#1:s-is-n", "S-SIGNATURE"),
        ("C_Sign#1:other-digest", "S-SIGNATURE"),
        ("C_SignInit#1:other-key", "S-SIGNATURE"),
        ("C_Sign#2:der", "S-SIGNATURE"),
        ("C_Sign#4:repeat", "S-NONCE"),
        ("C_Sign#40:other-digest", "S-SIGNATURE"),
        // The audit key, where the root's is looked for: to sign, and whenever.
        (&other_object, "S-SIGNATURE"),
        ("C_FindObjects#*:other-object", "R-KEY-IN-HSM"),
        // Another public key, which nothing shows before the key's own certificate is verified.
        ("C_GetAttributeValue#*:other-point", "S-SIGNATURE"),
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

/// CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY, CKR_DEVICE_REMOVED, CKR_PIN_INCORRECT,
/// CKR_USER_NOT_LOGGED_IN, CKR_TOKEN_NOT_PRESENT.
const ERRORS: [&str; 6] = ["30", "31", "32", "a0", "101", "e0"];

/// Every error at every call with `GISHIKI_ALL=1`; else one of them at every call, of reads at
/// one in 29.
fn error_points(calls: &[String]) -> Vec<String> {
    let all = complete();
    let sides = ["error", "error-after"];
    let mut points = Vec::new();
    for (index, _) in calls.iter().enumerate() {
        for (turn, error) in ERRORS.iter().enumerate() {
            for (side, fault) in sides.iter().enumerate() {
                if all || (index % ERRORS.len() == turn && (index / ERRORS.len()) % 2 == side) {
                    points.push(format!("{}:{fault}={error}", index + 1));
                }
            }
        }
    }
    let reads = ["C_GetAttributeValue", "C_FindObjectsFinal", "C_CloseSession"];
    let number = |point: &String| point.split(':').next().unwrap().parse::<usize>().unwrap();
    points.retain(|point| {
        let index = number(point) - 1;
        all || index % 29 == 0 || !reads.contains(&calls[index].as_str())
    });
    points
}

#[test]
fn every_error_of_a_token_stops_and_the_ceremony_can_be_resumed() {
    let base = Drill::new();
    base.write_room(&faulty_module());
    let folder = tempfile::tempdir().unwrap();
    let plan = small_ca(&folder.path().join("ca"));
    let calls = calls(&base, &plan);
    let mut points = error_points(&calls);
    // What the sample must not leave out: a key that is there although its making failed; a
    // negative step that failed, and did not refuse.
    let always = [
        "C_GenerateKeyPair#1:error-after=30",
        "C_GenerateKeyPair#2:error-after=32",
        "C_WrapKey#*:error=30",
        "C_GenerateKey#*:error=30",
    ];
    points.extend(always.map(String::from));
    crate::copies::judge_all(&points, |at| {
        let drill = base.copy();
        let mut command = drill.run_command(&plan);
        command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at);
        let output = run(&mut command);
        let (said, code) = (text(&output), output.status.code());
        assert!(!said.contains("panicked"), "{at}: {said}");
        // Some calls end what is over anyway: closing a session, or a search.
        assert!(matches!(code, Some(0 | 3)), "{at}: {code:?} {said}");
        if code != Some(0) {
            assert!(said.contains("S-TOKEN"), "{at}: {said}");
            assert!(!drill.path("out").exists(), "{at}");
            let mut goes_on = drill.go_on_command(&plan, crate::support::LATER);
            succeed(goes_on.env("FAULTY_MODULE", SOFTHSM));
        }
        assert!(drill.verify().contains("drill, consistent"), "{at}");
        signed::judge(&drill.path("signed"), &drill.path("out"), at);
    });
}

/// An error is no refusal: the token that fails to wrap a key may wrap it the next time.
#[test]
fn a_negative_step_that_fails_proves_nothing() {
    let base = Drill::new();
    base.write_room(&faulty_module());
    // CKR_DEVICE_ERROR, CKR_HOST_MEMORY, CKR_SESSION_HANDLE_INVALID.
    for at in ["C_WrapKey#*:error=30", "C_WrapKey#2:error=2", "C_GenerateKey#1:error=b3"] {
        let (drill, said, code) = with_fault(&base, at);
        assert_eq!(code, Some(3), "{at}: {said}");
        let call = at.split('#').next().unwrap();
        assert!(said.contains("S-TOKEN") && said.contains(&format!("{call}: CKR_")), "{said}");
        assert!(!drill.path("out").exists(), "{at}");
        let journal = fs::read_to_string(drill.path("A/journal.jsonl")).unwrap();
        assert!(journal.contains("\"kind\":\"lost\",\"op\":\"wrap-audit\""), "{at}");
        assert!(!journal.contains("\"op\":\"sign-root-g1\""), "{at}: it went on");
    }
    // And what says that the key is not to be wrapped in this way is a refusal: CKR_KEY_SIZE_RANGE,
    // CKR_MECHANISM_INVALID.
    for at in ["C_WrapKey#*:error=62", "C_WrapKey#1:error=70"] {
        let (_, said, code) = with_fault(&base, at);
        assert_eq!(code, Some(0), "{at}: {said}");
    }
}

/// A run, which must be stopped by its token; what it said.
fn stopped(drill: &Drill, plan: &Path) -> String {
    let output = run(&mut drill.run_command(plan));
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("S-TOKEN") && !drill.path("out").exists(), "{said}");
    said
}

#[test]
fn a_token_is_found_by_its_serial_number_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let plan = small_ca(&folder.path().join("ca"));
    // Two tokens of one label: the one that the room names is used, the other stays empty.
    let drill = Drill::new();
    let other = drill.new_token("DRILL mdoc-root");
    succeed(&mut drill.run_command(&plan));
    let on = |serial: &str| {
        let listed = crate::support::listed_on(&drill, serial);
        listed.lines().filter(|line| line.starts_with("Private Key Object")).count()
    };
    assert_eq!((on(&drill.serial), on(&other)), (2, 0));
    // A serial number that no token has: those that were found are named.
    let mut drill = Drill::new();
    let there = std::mem::replace(&mut drill.serial, "0123456789abcdef".into());
    drill.write_room(Path::new(SOFTHSM));
    let said = stopped(&drill, &plan);
    let asked = "no token with serial number 0123456789abcdef";
    assert!(said.contains(asked) && said.contains(&there), "{said}");
    // A token that is not there, and then comes back.
    let drill = Drill::new();
    fs::rename(drill.path("tokens"), drill.path("elsewhere")).unwrap();
    fs::create_dir(drill.path("tokens")).unwrap();
    assert!(stopped(&drill, &plan).contains("no token with serial number"));
    fs::remove_dir(drill.path("tokens")).unwrap();
    fs::rename(drill.path("elsewhere"), drill.path("tokens")).unwrap();
    assert!(!drill.path("A").exists(), "it had not begun");
    succeed(&mut drill.run_command(&plan));
    assert!(drill.verify().contains("drill, consistent"));
}

/// A token that its security officer has prepared, and to which no user can log in yet.
#[test]
fn a_token_that_is_not_initialised_stops_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let plan = small_ca(&folder.path().join("ca"));
    let mut drill = Drill::new();
    for entry in fs::read_dir(drill.path("tokens")).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    let tool = |arguments: &[&str]| {
        let mut tool = Command::new("pkcs11-tool");
        tool.args(["--module", SOFTHSM]).args(arguments);
        succeed(drill.env(&mut tool))
    };
    // Without a token there is a slot that waits for one; it has no serial number.
    assert!(stopped(&drill, &plan).contains("no token with serial number"));
    tool(&["--init-token", "--label", "DRILL mdoc-root", "--so-pin", SO_PIN, "--slot-index", "0"]);
    let slots = tool(&["--list-token-slots"]);
    let serial = slots.lines().find_map(|line| line.trim().strip_prefix("serial num"));
    drill.serial = serial.unwrap().trim().trim_start_matches(':').trim().to_string();
    drill.write_room(Path::new(SOFTHSM));
    let said = stopped(&drill, &plan);
    assert!(said.contains("not CKF_USER_PIN_INITIALIZED"), "{said}");
    assert!(!drill.path("A").exists(), "it had not begun");
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
