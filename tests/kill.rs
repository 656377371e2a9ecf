//! Power cuts: the first ceremony with three CRLs on SoftHSM2, killed by SIGKILL before and after
//! token requests and journal writes, then resumed. What must hold afterwards is checked after
//! every one.
//!
//! The points are each call of the module (of those that read on, one in three), each write to a
//! file of the journals and each sync of it, each file that is put in its place whole.
//! `GISHIKI_ALL=1` takes every call.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::second::second;
use crate::support::points::points;
use crate::support::{
    Drill, PIN, SOFTHSM, complete, faulty_module, files, gishiki, run, sample_ca, signed, text,
};

/// Where a run is killed.
#[derive(Debug, Clone)]
enum Point {
    /// At a call of the token's module, as the faulty module writes it.
    Token(String),
    /// At a system call, as strace counts them: on this file of a journal, or on any file.
    Journal { call: &'static str, file: &'static str, number: usize },
}

/// The sample CA with three CRLs.
pub(crate) fn small_ca(folder: &Path) -> PathBuf {
    let plan = sample_ca(folder);
    let put = |file: &Path, from: &str, to: &str| {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(file, text.replace(from, to)).unwrap();
    };
    put(&plan.join("plan.toml"), "next-ceremony = 2026-06-30", "next-ceremony = 2026-04-03");
    put(
        &plan.join("../policy.toml"),
        "spare             = \"14 days\"",
        "spare             = \"1 day\"",
    );
    plan
}

/// A run that is killed at this point, or not at all.
fn killed(drill: &Drill, plan: &Path, point: Option<&Point>) -> Output {
    let mut command = drill.run_command(plan);
    match point {
        None => run(&mut command),
        Some(Point::Token(at)) => {
            command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at);
            run(&mut command)
        }
        Some(point @ Point::Journal { .. }) => traced(drill, plan, point, Path::new("/dev/null")),
    }
}

/// A run that strace kills at a system call on a journal; what it saw is in the log.
fn traced(drill: &Drill, plan: &Path, point: &Point, log: &Path) -> Output {
    let Point::Journal { call, file, number } = point else { panic!("{point:?}") };
    let command = drill.run_command(plan);
    let mut traced = Command::new("strace");
    traced.arg("-f").arg("-o").arg(log);
    if !file.is_empty() {
        traced.arg("-P").arg(drill.path(file));
    }
    traced.arg("-e").arg(format!("trace={call}"));
    traced.arg("-e").arg(format!("inject={call}:signal=SIGKILL:when={number}"));
    traced.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            traced.env(name, value);
        }
    }
    traced.env("FAULTY_MODULE", SOFTHSM);
    traced.stdin(fs::File::open(drill.path("pin")).unwrap());
    run(&mut traced)
}

/// The module's calls of one whole run, by function, in order.
fn calls(base: &Drill, plan: &Path) -> Vec<String> {
    let drill = base.copy();
    let log = drill.path("calls");
    let mut command = drill.run_command(plan);
    command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_LOG", &log);
    let output = run(&mut command);
    assert!(output.status.success(), "{}", text(&output));
    let log = fs::read_to_string(log).unwrap();
    log.lines().map(|line| line.split(' ').nth(1).unwrap().to_string()).collect()
}

fn token_points(calls: &[String]) -> Vec<Point> {
    points(calls, ["kill-before", "kill-after"]).into_iter().map(Point::Token).collect()
}

/// How often one whole run makes this system call.
fn count(base: &Drill, plan: &Path, call: &'static str, file: &'static str) -> usize {
    let whole = base.copy();
    let never = Point::Journal { call, file, number: 65_535 };
    let log = whole.path("calls");
    let output = traced(&whole, plan, &never, &log);
    assert!(output.status.success(), "{}", text(&output));
    let log = fs::read_to_string(log).unwrap();
    // A call that another thread interrupts has a second line, which begins with `<...`.
    log.lines().filter(|line| line.contains(&format!(" {call}("))).count()
}

/// The files that are written line by line, and how each line becomes durable.
const LINES: [(&str, &str); 8] = [
    ("write", "A/journal.jsonl"),
    ("fdatasync", "A/journal.jsonl"),
    ("write", "B/journal.jsonl"),
    ("fdatasync", "B/journal.jsonl"),
    ("write", "A/after.jsonl"),
    ("fdatasync", "A/after.jsonl"),
    ("write", "B/after.jsonl"),
    ("fdatasync", "B/after.jsonl"),
];
/// How a file is put in its place whole: inputs and bundle of both media; and the output.
const WHOLE: [(&str, &str); 3] = [("fsync", ""), ("renameat", ""), ("rename", "")];

fn journal_points(base: &Drill, plan: &Path) -> Vec<Point> {
    let mut points = Vec::new();
    for (call, file) in LINES.into_iter().chain(WHOLE) {
        let count = count(base, plan, call, file);
        let least = match (file.is_empty(), file.contains("after")) {
            (true, _) => 1,
            (false, true) => 5,
            (false, false) => 30,
        };
        assert!(count >= least, "{call} {file}: {count}");
        points.extend((1..=count).map(|number| Point::Journal { call, file, number }));
    }
    points
}

/// Goes on after the kill until the ceremony is complete; how many sessions it took.
fn recover(drill: &Drill, plan: &Path, point: &Point) {
    for session in 0..3 {
        if drill.path("out/manifest.json").exists() {
            return;
        }
        let mut command = drill.resume_command(&format!("2026-04-01 0{}:00:00", 3 + session));
        command.env("FAULTY_MODULE", SOFTHSM);
        let output = run(&mut command);
        let said = text(&output);
        assert!(!said.contains("panicked"), "{point:?}: {said}");
        if output.status.success() {
            return;
        }
        // Nothing was recorded, so nothing was done: the folders are removed, and it begins again.
        let begun = ["A", "B"].iter().any(|medium| {
            fs::read(drill.path(medium).join("journal.jsonl"))
                .is_ok_and(|journal| journal.contains(&b'\n'))
        });
        assert!(!begun && output.status.code() == Some(5), "{point:?}: {said}");
        for medium in ["A", "B"] {
            let _ = fs::remove_dir_all(drill.path(medium));
        }
        let output = killed(drill, plan, Some(&Point::Token("0:none".into())));
        assert!(output.status.success(), "{point:?}: {}", text(&output));
    }
    panic!("{point:?}: not complete after three sessions");
}

fn whole_lines(octets: &[u8]) -> &[u8] {
    let end = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |last| last + 1);
    &octets[..end]
}

/// One point: kill, look, recover, judge.
fn judge_point(base: &Drill, plan: &Path, point: &Point) {
    let drill = base.copy();
    let output = killed(&drill, plan, Some(point));
    let ended = drill.path("out/manifest.json").exists();
    assert!(!output.status.success(), "{point:?}: nobody killed it");
    assert!(ended || !drill.path("out").exists(), "{point:?}: half an output");
    let read = |file: &str| {
        ["A", "B"].map(|medium| fs::read(drill.path(medium).join(file)).unwrap_or_default())
    };
    let durable = ["journal.jsonl", "after.jsonl"].map(read);
    recover(&drill, plan, point);
    // Verified, and the two journals are one.
    let verified = run(gishiki().arg("verify").arg(drill.path("out")).arg("--drill"));
    assert!(verified.status.success(), "{point:?}: {}", text(&verified));
    // The second verifier knows each order of events that an interruption leaves.
    if matches!(point, Point::Journal { call: "write", file: "A/journal.jsonl", .. }) || complete()
    {
        let (code, said) = second(&drill.path("out"), &["--drill"]);
        assert_eq!(code, Some(0), "{point:?}: {said}");
    }
    // Nothing that was durable has changed, unless nothing had begun.
    // Of what stood on one medium only, a token's answer is taken, and nothing else.
    let begun_again = durable[0].iter().all(|journal| whole_lines(journal).is_empty());
    for ((journal, sealed), before) in
        [("journal.jsonl", "transcript.jsonl"), ("after.jsonl", "after.jsonl")]
            .into_iter()
            .zip(&durable)
    {
        let sealed = fs::read(drill.path("out").join(sealed)).unwrap();
        for now in &read(journal) {
            assert!(*now == sealed, "{point:?}: {journal} is another on one medium");
        }
        let [a, b] = before.each_ref().map(|octets| whole_lines(octets));
        let both = if a.len() < b.len() { a } else { b };
        let kept = sealed.starts_with(both) && (a.starts_with(b) || b.starts_with(a));
        assert!(begun_again || kept, "{point:?}: a fork of {journal}");
    }
    let transcript = fs::read(drill.path("out/transcript.jsonl")).unwrap();
    signed::judge(&drill.path("signed"), &drill.path("out"), &format!("{point:?}"));
    judge_numbers(&transcript, point);
    judge_token(&drill, &transcript, point);
    for (name, octets) in files(drill.folder.path()) {
        let secret = octets.windows(PIN.len()).any(|window| window == PIN.as_bytes());
        assert!(name == "pin" || !secret, "{point:?}: the PIN is in {name}");
    }
}

/// What was asked at an attempt and not answered is burned: the answer has a later attempt.
fn judge_numbers(transcript: &[u8], point: &Point) {
    let mut answered = BTreeSet::new();
    let mut lost = BTreeSet::new();
    for line in std::str::from_utf8(transcript).unwrap().lines() {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let event = &record["event"];
        let attempt =
            || (event["op"].as_str().unwrap().to_string(), event["attempt"].as_u64().unwrap());
        // What people said since the last noted head is asked again, at the same attempt.
        let again = event["answer"]["from"] == "people";
        match event["kind"].as_str().unwrap() {
            "answered" | "adopted" if !again && !opening(event["op"].as_str().unwrap()) => {
                assert!(answered.insert(attempt()), "{point:?}: {event} twice");
            }
            "lost" | "orphan-removed" => {
                assert!(lost.insert(attempt()), "{point:?}: {event} twice");
            }
            _ => {}
        }
    }
    assert!(answered.is_disjoint(&lost), "{point:?}: a burned attempt was answered");
    for op in ["sign-root-g1", "sign-crl-g1-1", "generate-g1", "generate-audit"] {
        assert_eq!(answered.iter().filter(|(name, _)| name == op).count(), 1, "{point:?}: {op}");
    }
}

fn opening(op: &str) -> bool {
    ["papers", "clock", "identify", "activate", "login", "inventory"].contains(&op)
        || op.starts_with("roll-call")
}

/// The token holds the two keys of the transcript and the ledger head, and nothing else.
fn judge_token(drill: &Drill, transcript: &[u8], point: &Point) {
    let mut list = Command::new("pkcs11-tool");
    list.args(["--module", SOFTHSM, "--login", "--pin", PIN, "--list-objects"]);
    let output = run(drill.env(&mut list));
    let listed = text(&output);
    let count = |what: &str| listed.lines().filter(|line| line.starts_with(what)).count();
    assert_eq!(
        (count("Private Key Object"), count("Public Key Object"), count("Data object")),
        (2, 2, 1),
        "{point:?}: {listed}"
    );
    let transcript = std::str::from_utf8(transcript).unwrap();
    for line in listed.lines().filter(|line| line.trim().starts_with("EC_POINT:")) {
        // pkcs11-tool shows the DER OCTET STRING; the point is behind its head.
        let der = line.split_whitespace().last().unwrap();
        let point_of_key = &der[der.find("04").map_or(0, |_| 4)..];
        let found = transcript.contains(point_of_key) || transcript.contains(&point_of_key[2..]);
        assert!(found, "{point:?}: a key that no record names: {der}");
    }
}

/// Every point on two threads.
fn judge_all(base: &Drill, plan: &Path, points: &[Point]) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        judge_point(base, plan, point)
                    }));
                    if judged.is_err() {
                        failed.lock().unwrap().push(format!("{point:?}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("kill points: {}", points.len());
    assert!(failed.is_empty(), "{} of {} points: {failed:?}", failed.len(), points.len());
}

fn base() -> (Drill, tempfile::TempDir, PathBuf) {
    let drill = Drill::new();
    drill.write_room(&faulty_module());
    let folder = tempfile::tempdir().unwrap();
    let plan = small_ca(&folder.path().join("ca"));
    (drill, folder, plan)
}

#[test]
fn killed_at_a_token_request_it_resumes_and_nothing_is_used_twice() {
    let (base, _folder, plan) = base();
    let calls = calls(&base, &plan);
    assert!(calls.len() > 100, "{}", calls.len());
    judge_all(&base, &plan, &token_points(&calls));
}

#[test]
fn killed_at_a_journal_write_it_resumes_and_nothing_is_used_twice() {
    let (base, _folder, plan) = base();
    judge_all(&base, &plan, &journal_points(&base, &plan));
}

#[test]
fn the_whole_batch_killed_in_its_second_sheet_is_resumed() {
    let (base, _folder, _) = base();
    // sign-head, the root, 64 CRLs, and ten of the second sheet.
    let point = Point::Token("C_Sign#76:kill-after".into());
    let drill = base.copy();
    let plan = crate::support::genesis();
    assert!(!killed(&drill, &plan, Some(&point)).status.success());
    recover(&drill, &plan, &point);
    let transcript = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    assert!(transcript.contains("\"kind\":\"lost\",\"op\":\"sign-crl-g1-2\""));
    assert!(drill.verify().contains("drill, consistent"));
    let given = signed::judge(&drill.path("signed"), &drill.path("out"), "the whole batch");
    assert_eq!(given, 1 + 1 + 104 + 10 + 1, "ten of the second sheet were lost");
}
