//! Copies of a key from one token to another: on two real tokens, interrupted at every call (of
//! those that read on, at one in three; `GISHIKI_ALL=1` takes every one), with modules that return
//! errors or false answers, and on rehearsal tokens.

mod rehearsed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::kill::small_ca;
use crate::support::points::points;
use crate::support::{
    Drill, PIN, SOFTHSM, copy, copyist, faulty_module, files, run, succeed, text,
};

const MAIN: &str = "DRILL mdoc-root";
const SPARE: &str = "DRILL backup-1";

/// A token that has held the first ceremony, and an empty one.
struct Two {
    drill: Drill,
    spare: String,
    point: String,
    key_id: String,
}

impl Two {
    fn new() -> Self {
        let drill = Drill::new();
        let plan = small_ca(&drill.path("ca"));
        succeed(&mut drill.run_command(&plan));
        let spare = drill.new_token(SPARE);
        let transcript = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
        let mut events = transcript.lines().map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            record["event"].clone()
        });
        let made = events.find(|e| e["kind"] == "answered" && e["op"] == "generate-g1").unwrap();
        let point = made["answer"]["point"].as_str().unwrap().to_string();
        let listed = listed(&drill, MAIN);
        let key_id = id_of(&listed, "mdoc-root g1");
        Self { drill, spare, point, key_id }
    }

    /// The same two tokens once more.
    fn copy(&self) -> Self {
        let drill = self.drill.copy();
        copy(&self.drill.path("ca"), &drill.path("ca"));
        let (spare, point) = (self.spare.clone(), self.point.clone());
        Self { drill, spare, point, key_id: self.key_id.clone() }
    }

    fn command(&self, action: &str, key: &str, module: &Path) -> Command {
        let mut command = Command::new(copyist());
        command.arg(action).arg(self.drill.path("ca/2026-04-genesis")).arg(key).arg(&self.point);
        command.arg(module).arg(&self.drill.serial).arg(module).arg(&self.spare);
        self.drill.env(&mut command).env("FAULTY_MODULE", SOFTHSM);
        command
    }

    /// Does it on the real module.
    fn act(&self, action: &str) -> Value {
        let printed = succeed(&mut self.command(action, "g1", Path::new(SOFTHSM)));
        serde_json::from_str(&printed).unwrap()
    }

    /// Does it with a fault of the module, through which both tokens are seen.
    fn faulty(&self, action: &str, at: &str) -> Output {
        run(self.command(action, "g1", &faulty_module()).env("FAULTY_AT", at))
    }

    /// The target holds the copy and nothing else, and it signs for the root's public key.
    fn judge_copy(&self) {
        let listed = listed(&self.drill, SPARE);
        assert_eq!(objects(&listed), (1, 1, 2), "{listed}");
        let path = |name: &str| self.drill.path(name);
        fs::write(path("message"), "what the copy signs").unwrap();
        let mut digest = Command::new("openssl");
        digest.args(["dgst", "-sha384", "-binary", "-out"]).arg(path("digest"));
        succeed(digest.arg(path("message")));
        let mut sign = tool(&self.drill, SPARE);
        sign.args(["--sign", "--mechanism", "ECDSA", "--signature-format", "openssl"]);
        sign.args(["--id", &self.key_id, "--input-file"]).arg(path("digest"));
        succeed(sign.arg("--output-file").arg(path("signature")));
        // SubjectPublicKeyInfo of P-384 (RFC 5480), before the point.
        let head = "3076301006072a8648ce3d020106052b81040022036200";
        let spki = ceremony::hex::decode(&format!("{head}{}", self.point)).unwrap();
        fs::write(path("public.der"), spki).unwrap();
        let mut verify = Command::new("openssl");
        verify.args(["dgst", "-sha384", "-keyform", "DER", "-verify"]).arg(path("public.der"));
        succeed(verify.arg("-signature").arg(path("signature")).arg(path("message")));
    }

    /// After whatever happened: what is left is removed, the source is as it was, and the copy is
    /// made.
    fn recover(&self, before: &str) {
        assert_eq!(self.act("clear"), json!({"token": "left", "objects": 0}));
        let left = listed(&self.drill, SPARE);
        assert_eq!(objects(&left), (0, 0, 0), "{left}");
        assert_eq!(sorted(&listed(&self.drill, MAIN)), sorted(before));
        self.act("copy");
        self.judge_copy();
    }
}

/// `pkcs11-tool`, whose module and code are not ours, logged in to a token.
fn tool(drill: &Drill, label: &str) -> Command {
    let mut tool = Command::new("pkcs11-tool");
    tool.args(["--module", SOFTHSM, "--token-label", label, "--login", "--pin", PIN]);
    drill.env(&mut tool);
    tool
}

fn listed(drill: &Drill, label: &str) -> String {
    succeed(tool(drill, label).arg("--list-objects"))
}

/// Private keys, public keys, and objects of all classes.
fn objects(listed: &str) -> (usize, usize, usize) {
    let heads: Vec<&str> = listed.lines().filter(|line| !line.starts_with(' ')).collect();
    let count = |what: &str| heads.iter().filter(|line| line.starts_with(what)).count();
    (count("Private Key Object"), count("Public Key Object"), heads.len())
}

/// The CKA_ID of the first object with this label.
fn id_of(listed: &str, label: &str) -> String {
    let mut lines = listed.lines().skip_while(|line| !line.trim().ends_with(label));
    let id = lines.find_map(|line| line.trim().strip_prefix("ID:"));
    id.unwrap().trim().to_string()
}

fn sorted(text: &str) -> Vec<&str> {
    // A data object is shown with a handle, which moves.
    let mut lines: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("Data object")).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_copy_is_the_same_key_and_nothing_else_is_left_of_it() {
    let two = Two::new();
    let before = listed(&two.drill, MAIN);
    let wrapped = two.drill.path("wrapped");
    let mut command = two.command("copy", "g1", &faulty_module());
    let output = run(command.env("FAULTY_WRAPPED", &wrapped));
    assert!(output.status.success(), "{}", text(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let key = &answer["key"];
    assert_eq!((&key["privates"], &key["publics"]), (&json!(1), &json!(1)));
    assert_eq!(key["point"], two.point.as_str());
    assert_eq!(key["labels"], json!(["mdoc-root g1", "mdoc-root g1"]));
    let private = json!({
        "token": true, "private": true, "modifiable": false, "sensitive": true,
        "extractable": true, "wrap-with-trusted": true, "sign": true, "sign-recover": false,
        "decrypt": false, "unwrap": false, "derive": false, "copyable": false,
        // The token that unwrapped it knows nothing of its past.
        "always-sensitive": false, "never-extractable": false, "local": false,
    });
    assert_eq!(key["private"], private);
    assert_eq!(answer["mechanisms"], json!(["CKM_ECDH1_DERIVE", "CKM_AES_KEY_WRAP_PAD"]));
    for (side, wraps) in [("wrapping", true), ("unwrapping", false)] {
        let agreed = &answer[side];
        let said = ["trusted", "extractable", "token", "wrap", "unwrap", "decrypt", "encrypt"];
        let said = said.map(|name| agreed[name].as_bool().unwrap());
        assert_eq!(said, [true, false, false, wraps, !wraps, false, false], "{side}");
    }
    assert_eq!((&answer["source-left"], &answer["target-left"]), (&json!(0), &json!(0)));
    assert_eq!(sorted(&listed(&two.drill, MAIN)), sorted(&before));
    two.judge_copy();

    // R-LOG-NO-KEY: what was wrapped is in nothing that was printed or written.
    let octets = fs::read(&wrapped).unwrap();
    assert!(octets.len() > 48, "{}", octets.len());
    fs::remove_file(&wrapped).unwrap();
    let hex = ceremony::hex::encode(&octets[8..40]).into_bytes();
    let mut seen = files(two.drill.folder.path());
    seen.insert("printed".into(), text(&output).into_bytes());
    for (name, found) in &seen {
        let lower = found.to_ascii_lowercase();
        assert!(!found.windows(32).any(|part| part == &octets[8..40]), "{name}");
        assert!(!lower.windows(hex.len()).any(|part| part == hex), "{name}");
    }
    assert!(seen.len() > 20, "{}", seen.len());
}

#[test]
fn two_modules_and_nobody_logged_in_before_will_do() {
    let two = Two::new();
    let other = two.drill.path("another-module.so");
    fs::copy(SOFTHSM, &other).unwrap();
    let mut command = Command::new(copyist());
    command.arg("copy-afresh").arg(two.drill.path("ca/2026-04-genesis")).arg("g1").arg(&two.point);
    command.args([SOFTHSM, &two.drill.serial]).arg(&other).arg(&two.spare);
    succeed(two.drill.env(&mut command));
    two.judge_copy();
}

#[test]
fn a_weaker_way_is_refused_and_leaves_nothing() {
    let base = Two::new();
    let before = listed(&base.drill, MAIN);
    for (at, said) in [
        // A module that makes no TRUSTED key: it refuses the attribute, or makes another key.
        ("C_DeriveKey#1:error=10", "CKR_ATTRIBUTE_READ_ONLY: no TRUSTED key, no copy"),
        ("C_DeriveKey#2:error=d1", "CKR_TEMPLATE_INCONSISTENT: no TRUSTED key, no copy"),
        ("C_GetAttributeValue#*:flip=86", "trusted true was asked, false found"),
        // CKA_EXTRACTABLE of everything; CKA_WRAP_WITH_TRUSTED of the root key.
        ("C_GetAttributeValue#*:flip=162", "the agreed key: extractable false was asked"),
        ("C_GetAttributeValue#*:flip=210", "wrap-with-trusted true was asked, false found"),
        // One that wraps the root key under any key.
        ("C_WrapKey#1:octets", "under a key that is not TRUSTED: no copy"),
        ("C_WrapKey#2:octets", "under a key that is not TRUSTED: no copy"),
        ("C_Login#3:error=a0", "CKR_PIN_INCORRECT"),
    ] {
        let two = base.copy();
        let output = two.faulty("copy", at);
        assert_eq!(output.status.code(), Some(3), "{at}: {}", text(&output));
        assert!(text(&output).contains(said), "{at}: {}", text(&output));
        let left = listed(&two.drill, SPARE);
        assert_eq!(objects(&left), (0, 0, 0), "{at}: {left}");
        assert_eq!(sorted(&listed(&two.drill, MAIN)), sorted(&before), "{at}");
    }
}

#[test]
fn what_is_asked_wrongly_is_refused_before_a_key_leaves() {
    let two = Two::new();
    let softhsm = Path::new(SOFTHSM);
    let refused = |command: &mut Command, said: &str| {
        let output = run(two.drill.env(command));
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        assert!(text(&output).contains(said), "{said}: {}", text(&output));
    };
    let mut command = two.command("copy", "g1", softhsm);
    refused(command.env("COPYIST_OFFICERS", "absent"), "no PIN of the security officer was given");
    // One security officer who mistypes is not tried again, and shuts nobody out.
    let once = two.copy();
    let mut command = once.command("copy", "g1", softhsm);
    let output = run(command.env("COPYIST_OFFICERS", "one-is-wrong-first"));
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("C_Login: CKR_PIN_INCORRECT"), "{}", text(&output));
    once.judge_copy();
    // Another key than the one that was asked for: nothing has this public key and this CKA_ID.
    let mut other = two.copy();
    other.point = "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f".into();
    refused(&mut other.command("copy", "g1", softhsm), "not the public key that was asked for");
    // A token to itself, and users that are not there.
    let mut same = Command::new(copyist());
    same.arg("copy-afresh").arg(two.drill.path("ca/2026-04-genesis")).arg("g1").arg(&two.point);
    same.args([SOFTHSM, &two.spare, SOFTHSM, &two.spare]);
    refused(&mut same, "a copy wants two tokens, this is one");
    refused(&mut two.command("clear-afresh", "g1", softhsm), "a session of the user is wanted");
    refused(&mut two.command("destroy-afresh", "g1", softhsm), "a session of the user is wanted");
    // And the key is on the target already.
    two.act("copy");
    refused(&mut two.command("copy", "g1", softhsm), "2 objects with this CKA_ID on the target");
    two.judge_copy();
}

#[test]
fn a_key_that_may_not_leave_is_not_copied() {
    let mut two = Two::new();
    let audit = fs::read_to_string(two.drill.path("out/transcript.jsonl")).unwrap();
    let made = audit
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|r| r["event"]["op"] == "generate-audit" && r["event"]["kind"] == "answered");
    two.point = made.unwrap()["event"]["answer"]["point"].as_str().unwrap().to_string();
    let output = run(&mut two.command("copy", "audit", Path::new(SOFTHSM)));
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output).contains("extractable true was asked, false found"), "{}", text(&output));
}

#[test]
fn softokn_is_refused_as_a_target() {
    let two = Two::new();
    let (folder, initialize) = crate::nss::database();
    let mut command = Command::new(copyist());
    command.arg("copy").arg(two.drill.path("ca/2026-04-genesis")).arg("g1").arg(&two.point);
    command.args([SOFTHSM, &two.drill.serial, crate::nss::SOFTOKN, crate::nss::SERIAL]);
    command.env("COPYIST_TARGET", format!("{}:{initialize}", crate::nss::LABEL));
    let output = run(two.drill.env(&mut command));
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    // It has no security officer once its user has a PIN: nobody makes a key TRUSTED.
    assert!(text(&output).contains("C_Login: CKR_USER_TYPE_INVALID"), "{}", text(&output));
    let place = format!("sql:{}", folder.path().display());
    let mut keys = Command::new("certutil");
    let listed = run(keys.args(["-K", "-d", &place, "-f"]).arg(folder.path().join("pin")));
    assert!(text(&listed).contains("no keys found"), "{}", text(&listed));
}

#[test]
fn destruction_covers_every_class_and_a_lie_is_seen() {
    let base = Two::new();
    base.act("copy");
    // A secret key with the same CKA_ID, which nobody of ours makes.
    let mut secret = tool(&base.drill, SPARE);
    secret.args(["--keygen", "--key-type", "AES:32", "--label", "secret", "--id", &base.key_id]);
    succeed(&mut secret);
    let two = base.copy();
    let output = two.faulty("destroy", "C_DestroyObject#*:nothing");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said, json!({"token": "left", "objects": 3}));
    assert_eq!(two.act("destroy"), json!({"token": "left", "objects": 0}));
    let left = listed(&two.drill, SPARE);
    assert_eq!(objects(&left), (0, 0, 0), "{left}");
    assert_eq!(two.act("destroy"), json!({"token": "left", "objects": 0}));
}

#[test]
fn success_without_a_key_is_seen_and_what_an_error_has_left_is_removed() {
    let base = Two::new();
    let before = listed(&base.drill, MAIN);
    let two = base.copy();
    let output = two.faulty("copy", "C_UnwrapKey#1:nothing");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["key"]["privates"], &said["key"]["publics"]), (&json!(0), &json!(1)));
    two.recover(&before);
    // SoftHSM leaves a private key with no name at all.
    let two = base.copy();
    let output = two.faulty("copy", "C_UnwrapKey#1:unfinished");
    assert!(text(&output).contains("C_UnwrapKey: CKR_"), "{}", text(&output));
    assert_eq!(objects(&listed(&two.drill, SPARE)), (1, 0, 1));
    two.recover(&before);
}

/// The module's calls of one whole action, by number.
fn calls(base: &Two, action: &str) -> Vec<String> {
    let two = base.copy();
    let log = two.drill.path("calls");
    let mut command = two.command(action, "g1", &faulty_module());
    succeed(command.env("FAULTY_LOG", &log));
    let log = fs::read_to_string(log).unwrap();
    log.lines().map(|line| line.split(' ').nth(1).unwrap().to_string()).collect()
}

/// Every point on two threads.
pub(crate) fn judge_all(points: &[String], judge: impl Fn(&str) + Sync) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let judged =
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judge(point)));
                    if judged.is_err() {
                        failed.lock().unwrap().push(point.clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("points: {}", points.len());
    assert!(failed.is_empty(), "{} of {}: {failed:?}", failed.len(), points.len());
}

#[test]
fn interrupted_at_any_call_it_is_cleared_and_repeated() {
    let base = Two::new();
    let before = listed(&base.drill, MAIN);
    let calls = calls(&base, "copy");
    for name in ["C_DeriveKey", "C_WrapKey", "C_UnwrapKey", "C_CreateObject", "C_DestroyObject"] {
        assert!(calls.iter().any(|call| call == name), "{name}");
    }
    judge_all(&points(&calls, ["kill-before", "kill-after"]), |at| {
        let two = base.copy();
        let output = two.faulty("copy", at);
        assert_eq!(output.status.code(), None, "{at}: {}", text(&output));
        two.recover(&before);
    });
}

#[test]
fn after_an_error_of_any_call_it_is_cleared_and_repeated() {
    let base = Two::new();
    let before = listed(&base.drill, MAIN);
    judge_all(&points(&calls(&base, "copy"), ["error=30", "error-after=30"]), |at| {
        let two = base.copy();
        let output = two.faulty("copy", at);
        // Some calls end what is over anyway: closing a session, or a search.
        assert!(matches!(output.status.code(), Some(0 | 3)), "{at}: {}", text(&output));
        assert!(!text(&output).contains("panicked"), "{at}: {}", text(&output));
        two.recover(&before);
    });
}

#[test]
fn clearing_that_is_interrupted_is_repeated() {
    let base = Two::new();
    let before = listed(&base.drill, MAIN);
    base.act("copy");
    judge_all(&points(&calls(&base, "clear"), ["kill-before", "kill-after"]), |at| {
        let two = base.copy();
        assert_eq!(two.faulty("clear", at).status.code(), None, "{at}");
        two.recover(&before);
    });
}

fn room_with_spare(drill: &Drill, serial: &str) -> String {
    let room = fs::read_to_string(drill.path("room.toml")).unwrap();
    let token = room.split("[token]").nth(1).unwrap().replace(&drill.serial, serial);
    format!("{room}\n[spare.backup-1]{token}")
}

#[test]
fn a_room_names_its_other_tokens_each_once() {
    let drill = Drill::new();
    let plan: PathBuf = small_ca(&drill.path("ca"));
    let spare = drill.new_token(SPARE);
    let write = |room: &str| fs::write(drill.path("room.toml"), room).unwrap();
    let twice = room_with_spare(&drill, &drill.serial);
    let good = room_with_spare(&drill, &spare);
    let digest = good.rsplit("sha256 = \"").next().unwrap()[..64].to_string();
    let last = good.rfind(&digest).unwrap();
    let wrong = format!("{}{}{}", &good[..last], "0".repeat(64), &good[last + 64..]);
    // The last is a room that is right, but this plan names no other token.
    let refused = [
        (&twice, "S-ROOM", "twice"),
        (&wrong, "S-ROOM", "SHA-256"),
        (&good, "S-SPARE", "backup-1"),
    ];
    for (room, rule, found) in refused {
        write(room);
        let output = run(&mut drill.run_command(&plan));
        assert_eq!(output.status.code(), Some(5), "{}", text(&output));
        assert!(text(&output).contains(rule), "{}", text(&output));
        assert!(text(&output).contains(found), "{}", text(&output));
    }
    drill.write_room(Path::new(SOFTHSM));
    // One line each: the first is the user's, and no more are asked for.
    fs::write(drill.path("pin"), format!("{PIN}\nanother\n")).unwrap();
    succeed(&mut drill.run_command(&plan));
    assert!(drill.verify().contains("drill, consistent"));
}

#[test]
fn an_empty_descriptor_holds_no_pin() {
    let drill = Drill::new();
    fs::write(drill.path("pin"), "").unwrap();
    let plan = small_ca(&drill.path("ca"));
    let output = run(&mut drill.run_command(&plan));
    assert_eq!(output.status.code(), Some(6), "{}", text(&output));
    assert!(text(&output).contains("S-TERMINAL"), "{}", text(&output));
}
