//! `log`: the records of ceremonies by person, kind, result and time, in three forms.

use std::fs;

use ceremony::language::Language;
use ceremony::{hex, words};
use serde_json::{Value, json};

use crate::bad_input::refused;
use crate::support::{genesis_golden, gishiki, root, run, succeed, text};

fn log(arguments: &[&str]) -> String {
    let mut command = gishiki();
    command.args(["--lang", "en", "log"]).arg(genesis_golden()).args(arguments);
    String::from_utf8(run(&mut command).stdout).unwrap()
}

#[test]
fn every_record_is_there_and_each_filter_takes_its_own() {
    let all = log(&[]);
    let books = ["transcript.jsonl", "after.jsonl"].map(|book| genesis_golden().join(book));
    let records = books.map(|book| fs::read_to_string(book).unwrap().lines().count());
    let records: usize = records.iter().sum();
    assert_eq!(all.lines().count(), records, "{all}");
    assert!(all.contains("refused: ") || !all.contains(" refused "), "{all}");
    let of_auditor = log(&["--person", "p13"]);
    let lines: Vec<&str> = of_auditor.lines().collect();
    assert!(lines.iter().all(|line| line.contains("p13")), "{of_auditor}");
    // What the person signed and did not answer is the person's too: the close, and the exit.
    assert!(of_auditor.contains("the record of the ceremony, which is complete ✍ p01"));
    assert!(lines.last().unwrap().contains("Exit `exit-p13` ✍ p13"), "{of_auditor}");
    let noted = log(&["--kind", "noted"]);
    assert!(!noted.is_empty() && noted.lines().all(|line| line.contains("head noted: ")));
    assert_eq!(log(&["--result", "refused"]), "");
    let early = log(&["--until", "2026-04-01T10:00:00+09:00"]);
    let late = log(&["--from", "2026-04-01T10:00:01+09:00"]);
    assert_eq!(early.lines().count() + late.lines().count(), records);
    assert!(early.lines().count() > 1 && early.contains("opened: 2026-04-genesis"), "{early}");
}

/// Three records: people stop the ceremony, an attempt was interrupted, an answer was mistaken.
fn what_went_wrong() -> [Value; 3] {
    let transcript = fs::read_to_string(genesis_golden().join("transcript.jsonl")).unwrap();
    let mut first: Value = serde_json::from_str(transcript.lines().next().unwrap()).unwrap();
    let mut record = |result: &str, origin: &str, event: Value| {
        first["result"] = json!(result);
        first["origin"] = json!(origin);
        first["event"] = event;
        first.clone()
    };
    let refused = json!({ "kind": "refused", "op": "papers", "attempt": 0, "rule": "people", "reason": "封緘が破れていた", "by": ["p13"] });
    let lost =
        json!({ "kind": "lost", "op": "sign-root-g1", "attempt": 0, "cause": "interrupted" });
    let mistaken =
        json!({ "kind": "mistaken", "op": "clock", "attempt": 0, "question": "offset-seconds" });
    [
        record("refused", "p13", refused),
        record("lost", "gishiki", lost),
        record("refused", "gishiki", mistaken),
    ]
}

#[test]
fn a_text_in_japanese_has_no_words_of_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let records: String = what_went_wrong().iter().map(|record| format!("{record}\n")).collect();
    fs::write(folder.path().join("transcript.jsonl"), records).unwrap();
    let shown = |lang: &str, arguments: &[&str]| {
        succeed(gishiki().args(["--lang", lang, "log"]).arg(folder.path()).args(arguments))
    };
    let said = shown("ja", &[]);
    for (line, end) in said.lines().zip([
        " 拒否     p13          中止: papers: 参加者の申し出: 封緘が破れていた",
        " 結果不明 gishiki      結果不明: sign-root-g1: 中断",
        " 拒否     gishiki      誤った入力: clock (時計の差(秒))",
    ]) {
        assert!(line.ends_with(end), "{line}");
    }
    let said = shown("en", &[]);
    for end in [
        " refused  p13          refusal: papers: people: 封緘が破れていた\n",
        " lost     gishiki      lost: sign-root-g1: interrupted\n",
    ] {
        assert!(said.contains(end), "{said}");
    }
    // Other programs read the words of the format, in every language.
    let json: Value = serde_json::from_str(&shown("ja", &["--form", "json"])).unwrap();
    assert_eq!((&json[1]["kind"], &json[1]["result"]), (&json!("lost"), &json!("lost")));
    assert_eq!(shown("ja", &["--result", "lost"]).lines().count(), 1);
    // The words of a real record: its token, its people, and what was done.
    let mut command = gishiki();
    let real = succeed(command.args(["--lang", "ja", "log"]).arg(genesis_golden()));
    assert!(
        real.contains(" 完了     トークン     ") && real.contains(" 開始     gishiki "),
        "{real}"
    );
    assert!([" done ", " begun ", " noted ", " token "].iter().all(|raw| !real.contains(raw)));
}

#[test]
fn json_and_csv_have_the_same_columns() {
    let json: Value = serde_json::from_str(&log(&["--form", "json", "--person", "p04"])).unwrap();
    let json = json.as_array().unwrap();
    assert!(json.len() > 3 && json[0]["ceremony"] == "2026-04-genesis");
    let csv = log(&["--form", "csv", "--person", "p04"]);
    let rows: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), json.len() + 1);
    assert_eq!(rows[0], "ceremony,book,number,at,kind,result,origin,signed,terminal,said");
    let second: Vec<&str> = rows[1].split(',').collect();
    assert_eq!(second[3], json[0]["at"]);
    // A comma in the words is no new column.
    let facts = log(&["--form", "csv", "--kind", "answered"]);
    let papers = facts.lines().find(|row| row.contains("papers")).unwrap();
    assert!(papers.contains("\"Papers `papers`, bindings "), "{papers}");
    // Values are shown as people read them aloud.
    let transcript = fs::read_to_string(genesis_golden().join("transcript.jsonl")).unwrap();
    let opened: Value = serde_json::from_str(transcript.lines().next().unwrap()).unwrap();
    let graph = hex::decode(opened["event"]["graph"].as_str().unwrap()).unwrap();
    let graph = words::first_line(&graph, Language::En);
    assert!(papers.contains(&format!("graph {graph} (")), "{papers}");
}

#[test]
fn a_ledger_has_the_records_of_all_its_ceremonies_in_order() {
    let mut command = gishiki();
    command.args(["--lang", "en", "log", "--form", "csv", "--kind", "opened"]);
    let csv = succeed(command.arg(root().join("golden/utopia-mdl")));
    let names: Vec<&str> = csv.lines().filter_map(|row| row.split(',').next()).skip(1).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| name.starts_with("20")).collect();
    let expected = [
        "2027-01-genesis",
        "2027-03-issue",
        "2027-08-revocation",
        "2034-02-rollover",
        "2034-03-issue",
    ];
    assert_eq!(names, expected);
}

#[test]
fn what_is_no_record_is_refused_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("transcript.jsonl"), "{}\n").unwrap();
    let output = run(gishiki().args(["--lang", "en", "log"]).arg(folder.path()));
    refused(&output, 4, "S-RECORD");
    assert!(text(&output).contains("transcript.jsonl line 1"), "{}", text(&output));
}

#[test]
fn what_the_image_did_before_a_session_stands_before_the_record_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let transcript = fs::read_to_string(genesis_golden().join("transcript.jsonl")).unwrap();
    let mut first: Value = serde_json::from_str(transcript.lines().next().unwrap()).unwrap();
    let (at, what) = ("2026-04-01T00:30:00+00:00", "set from 1970-01-01 to 2026-04-01");
    let clock = json!({ "at": at, "kind": "clock", "result": "done", "what": what });
    let medium = json!({ "at": at, "kind": "media", "result": "refused", "what": "S-MEDIUM" });
    first["event"]["room"]["since-boot"] = json!([clock, medium]);
    fs::write(folder.path().join("transcript.jsonl"), format!("{first}\n")).unwrap();
    let shown = |arguments: &[&str]| {
        let mut command = gishiki();
        command.args(["--lang", "en", "log"]).arg(folder.path()).args(arguments);
        succeed(&mut command)
    };
    let text = shown(&[]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with(at) && lines[0].ends_with(&format!("image        clock: {what}")));
    assert!(lines[1].contains(" refused ") && lines[1].ends_with("media: S-MEDIUM"), "{text}");
    assert!(lines[2].contains("opened"), "{text}");
    assert_eq!(shown(&["--kind", "boot", "--result", "refused"]).lines().count(), 1);
    assert_eq!(shown(&["--person", "p01"]), "");
    let json: Value = serde_json::from_str(&shown(&["--form", "json"])).unwrap();
    assert_eq!((&json[0]["kind"], &json[0]["origin"]), (&json!("boot"), &json!("image")));
}
