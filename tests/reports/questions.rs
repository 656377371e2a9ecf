//! Ten questions of an auditor. Each answer is computed here from the records and the files
//! themselves, by code that shares nothing with the report, and is then looked for in the report.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ceremony::hex::Digest;
use ceremony::words;
use serde_json::Value;

use super::markdown;
use crate::cards::Held;
use crate::support::{
    IN_WINDOW, SOFTHSM, files, genesis_golden, gishiki_at, records, root, succeed,
};

/// The records of a sealed folder, those behind the seal too.
fn all_records(folder: &Path) -> Vec<Value> {
    let after = fs::read_to_string(folder.join("after.jsonl")).unwrap();
    let after = after.lines().map(|line| serde_json::from_str(line).unwrap());
    records(folder).into_iter().chain(after).collect()
}

/// The last answer to an operation: when, and the event.
fn answer(records: &[Value], op: &str) -> (String, Value) {
    let is = |record: &&Value| record["event"]["kind"] == "answered" && record["event"]["op"] == op;
    let record = records.iter().rev().find(is).unwrap_or_else(|| panic!("no answer to {op}"));
    (record["at"].as_str().unwrap().to_string(), record["event"].clone())
}

/// The time of day of a record.
fn time(at: &str) -> &str {
    &at[11..19]
}

/// The rows of the table that has this heading in it, each with its cells.
fn rows(report: &str, heading: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = report.lines().collect();
    let at = lines.iter().position(|line| line.starts_with('|') && line.contains(heading));
    let at = at.unwrap_or_else(|| panic!("no table {heading}: {report}"));
    let rows = lines[at + 2..].iter().take_while(|line| line.starts_with('|'));
    let cells =
        |line: &&str| line.trim_matches('|').split(" | ").map(|c| c.trim().into()).collect();
    rows.map(cells).collect()
}

/// The text of a row that begins with this.
fn row(report: &str, heading: &str, begin: &str) -> String {
    let rows = rows(report, heading);
    let found = rows.iter().find(|row| row.iter().any(|cell| cell.contains(begin)));
    found.unwrap_or_else(|| panic!("no row {begin}: {rows:?}")).join(" | ")
}

/// The numbers of the operations of a sealed folder's graph.
fn numbers(folder: &Path) -> BTreeMap<String, usize> {
    let graph = fs::read_to_string(folder.join("graph.txt")).unwrap();
    let (_, operations) = graph.split_once("\n# operations\n").unwrap();
    let numbered = |line: &str| {
        let (number, rest) = line.split_once(' ')?;
        let name = rest.split([' ', ':']).next()?;
        Some((name.to_string(), number.parse().ok()?))
    };
    operations.lines().filter_map(numbered).collect()
}

#[test]
fn who_was_present_and_when() {
    let folder = genesis_golden();
    let (records, said) = (all_records(&folder), markdown("en", &folder, &["--rehearsal"]));
    let people = fs::read_to_string(folder.join("inputs/plan.toml")).unwrap();
    let (_, people) = people.split_once("participants = [").unwrap();
    let people: Vec<&str> =
        people.split(']').next().unwrap().split('"').skip(1).step_by(2).collect();
    assert_eq!(people.len(), 10);
    for person in people {
        // Who stands by is in the room first, and leaves last.
        let (came, left) = match person {
            "p12" => ("first-in".to_string(), "last-out".to_string()),
            person => (format!("entry-{person}"), format!("exit-{person}")),
        };
        let ((came, _), (left, _)) = (answer(&records, &came), answer(&records, &left));
        let row = row(&said, "| came | left |", &format!("({person})"));
        assert!(row.contains(&format!("| {} | {} |", time(&came), time(&left))), "{row}");
    }
    let row = row(&said, "| came | left |", "(p07)");
    assert!(row.contains("| j-lis | CA certificate issuing officer |"), "{row}");
}

#[test]
fn which_token() {
    let folder = root().join("golden/mdoc-root/2026-12-backup-drill");
    let (records, said) = (records(&folder), markdown("en", &folder, &["--rehearsal"]));
    for (name, op) in [("root token", "identify"), ("vault", "identify-vault")] {
        let token = answer(&records, op).1["answer"].clone();
        let row =
            row(&said, "| serial number |", &format!("`{}`", token["serial"].as_str().unwrap()));
        let values = ["label", "manufacturer", "model", "firmware"];
        let values = values.map(|value| token[value].as_str().unwrap());
        assert!(row.contains(name) && row.ends_with(&values.join(" | ")), "{row}");
    }
}

/// And whose card signs what they did: at a drill with cards.
#[test]
fn who_approved_and_by_what_it_is_shown_who_was_there() {
    let held = Held::new();
    let (drill, plan) = (&held.drill, held.plan());
    for person in ["p01", "p02", "p07"] {
        let mut approve = gishiki_at(IN_WINDOW);
        approve.args(["approve", person, "--drill", "--module", SOFTHSM, "--pin-fd", "0"]);
        approve.arg(&plan).stdin(fs::File::open(drill.path("pin")).unwrap());
        succeed(drill.env(&mut approve));
    }
    let answers = "default = \"as-planned\"\n\
                   [op.clock]\nfacts = { offset-seconds = \"2\", reference = \"radio clock 7\" }\n";
    fs::write(drill.path("answers.toml"), answers).unwrap();
    succeed(&mut drill.run_command(&plan));
    let out = drill.path("out");
    let (records, said) = (all_records(&out), markdown("en", &out, &["--drill"]));
    let approvals = records[0]["event"]["approvals"].as_object().unwrap().clone();
    assert_eq!(approvals.len(), 3);
    for (person, approved) in &approvals {
        let row = row(&said, "| who | when | what |", &format!("({person})"));
        assert!(row.contains(time(approved["at"].as_str().unwrap())), "{row}");
        assert!(row.contains("plan, policy, roster and CP/CPS"), "{row}");
    }
    let ahead = "the machine's clock was 2 s ahead of “radio clock 7”";
    assert!(row(&said, "| compared at |", ahead).contains("[p09 p13]"), "{said}");
    // How many of a person's records their own card signs: those that have a signature of theirs.
    for person in ["p01", "p07", "p12"] {
        let signed = records.iter().filter(|record| record["signed"][person].is_string()).count();
        let approved = usize::from(approvals.contains_key(person));
        let row = row(&said, "| came | left |", &format!("({person})"));
        assert!(row.contains(&format!("| own card | {} / ", signed + approved)), "{row}");
    }
}

/// Was the clock right and which way was it wrong, what was refused, how many attempts were there,
/// and what was not as planned?
pub(super) fn of_incidents(out: &Path) {
    let (records, said) = (all_records(out), markdown("en", out, &["--drill"]));
    let events = |kind: &str| -> Vec<&Value> {
        records.iter().filter(|record| record["event"]["kind"] == kind).collect()
    };
    let numbers = numbers(out);
    let clocks = records
        .iter()
        .filter(|record| record["event"]["kind"] == "answered" && record["event"]["op"] == "clock");
    let clocks: Vec<&Value> = clocks.collect();
    assert_eq!(clocks.len(), 3, "one in each session");
    assert_eq!(rows(&said, "| compared at |").len(), clocks.len());
    for clock in clocks {
        let row = row(&said, "| compared at |", time(clock["at"].as_str().unwrap()));
        assert!(
            row.contains("the machine's clock was 3 s behind “radio clock 7” [p09 p13]"),
            "{row}"
        );
    }
    let refused = events("refused");
    assert_eq!(refused.len(), 1);
    let op = refused[0]["event"]["op"].as_str().unwrap();
    let at = time(refused[0]["at"].as_str().unwrap());
    let row = row(&said, "| when | step | what |", "a seal was broken");
    assert!(row.contains(&format!("{at} | {} | refused at ", numbers[op])), "{row}");
    for person in refused[0]["event"]["by"].as_array().unwrap() {
        assert!(row.contains(&format!("({})", person.as_str().unwrap())), "{row}");
    }
    let happened = rows(&said, "| when | step | what |");
    let count = |word: &str| happened.iter().filter(|row| row[2].contains(word)).count();
    assert_eq!(count("deviation at"), events("deviation").len());
    assert_eq!(count("went on after an interruption"), events("resumed").len());
    let lost = events("lost");
    assert_eq!(count("a wrong PIN") + count("lost: "), lost.len());
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &lost {
        *tried.entry(one["event"]["op"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(tried.len(), 2, "a login and a sheet: {tried:?}");
    assert_eq!(said.matches("| attempts beyond the first |").count(), tried.len(), "{said}");
    for (op, lost) in tried {
        let how = match op {
            "login" => "with a wrong PIN",
            _ => "of them lost",
        };
        let told = format!("`{op}`: {} attempts, {lost} {how}", lost + 1);
        assert!(said.contains(&format!("| {}. ", numbers[op])) && said.contains(&told), "{said}");
    }
    let is_done = |name: &&String| {
        let is = |record: &Value| {
            let event = &record["event"];
            ["answered", "adopted"].iter().any(|kind| event["kind"] == *kind)
                && event["op"] == name.as_str()
        };
        name.as_str() == "seal" || records.iter().any(is)
    };
    let undone: BTreeSet<usize> =
        numbers.iter().filter(|(name, _)| !is_done(name)).map(|(_, number)| *number).collect();
    let told = super::questions::row(&said, "| against the plan |", "steps");
    let (_, told) = told.split_once("were not done: ").unwrap();
    let mut found = BTreeSet::new();
    for range in told.split(", ") {
        let (first, last) = range.split_once('–').unwrap_or((range, range));
        found.extend(first.parse::<usize>().unwrap()..=last.parse().unwrap());
    }
    assert!(!undone.is_empty());
    assert_eq!(found, undone);
}

#[test]
fn what_is_the_fingerprint() {
    for (ceremony, root_file) in [("2026-04-genesis", "root-g1"), ("2031-03-rollover", "root-g2")] {
        let folder = root().join("golden/mdoc-root").join(ceremony);
        let said = markdown("en", &folder, &["--rehearsal"]);
        let digest = Digest::of(&fs::read(folder.join(format!("{root_file}.der"))).unwrap());
        let (_, said) =
            said.split_once(&format!("**fingerprint of {root_file} (SHA-256)**")).unwrap();
        let words = words::lines(&digest.0).join("\n");
        assert!(said.starts_with(&format!("\n\n```text\n{digest}\n{words}\n")), "{said}");
    }
}

#[test]
fn who_holds_which_copy() {
    let folder = root().join("golden/mdoc-root/2026-12-backup-drill");
    let said = markdown("en", &folder, &["--rehearsal"]);
    let plan = fs::read_to_string(folder.join("inputs/plan.toml")).unwrap();
    let plan: toml::Table = plan.parse().unwrap();
    let copy = &plan["copy"]["g1-vault"];
    let [key, token, kept] = ["key", "token", "kept"].map(|field| copy[field].as_str().unwrap());
    let serial =
        records(&folder)[0]["event"]["room"]["spares"][token].as_str().unwrap().to_string();
    let row = row(&said, "| tokens that hold it |", "copy");
    assert!(row.starts_with(&format!("{key} | ")), "{row}");
    assert!(row.contains(&format!("a copy on {token} ({serial}, kept: {kept})")), "{row}");
    // Afterwards it is there still, in whatever was held since.
    let later = root().join("golden/mdoc-root/2031-03-rollover");
    let later = markdown("en", &later, &["--rehearsal"]);
    assert!(later.contains(&format!("a copy on {token} ({serial})")), "{later}");
}

#[test]
fn which_crls_exist_and_which_were_released() {
    let folder = root().join("golden/mdoc-root/2026-10-ds-compromise");
    let said = markdown("en", &folder, &["--rehearsal"]);
    let names: Vec<String> = files(&folder)
        .into_keys()
        .filter_map(|name| name.strip_suffix(".crl").map(String::from))
        .collect();
    let (first, last) = (names.first().unwrap(), names.last().unwrap());
    let row = row(&said, "| CRL numbers |", "g1");
    assert!(row.starts_with(&format!("g1 | {} | {first} – {last} |", names.len())), "{row}");
    // By the list of CRLs in the folder, which has a line for each.
    let list = fs::read_to_string(folder.join("crls.txt")).unwrap();
    let numbers = |name: &str| -> Vec<String> {
        let line = list.lines().find(|line| line.contains(name)).unwrap();
        line.split_whitespace().map(String::from).collect()
    };
    let told: Vec<&str> = row.split(" | ").nth(3).unwrap().split(" – ").collect();
    for (number, name) in told.iter().zip([first, last]) {
        assert!(numbers(name).contains(&number.to_string()), "{number}: {:?}", numbers(name));
    }
    let superseded = "supersedes the CRLs of g1 of 2026-09-renewal, the last of ";
    assert!(said.contains(superseded) && said.contains("were confirmed to be destroyed"), "{said}");
    assert!(said.contains("were released is not in a sealed folder"), "{said}");
}

#[test]
fn what_changed_against_the_plan() {
    let folder = genesis_golden();
    let said = markdown("en", &folder, &["--rehearsal"]);
    let (count, plan) = (numbers(&folder).len(), "| against the plan |");
    assert!(
        row(&said, plan, "steps").ends_with(&format!("all {count} that were planned were done"))
    );
    assert!(row(&said, plan, "attempts beyond the first").ends_with("| none"));
    assert!(row(&said, plan, "exceptions").contains("reported S-COPY: a proved copy of g1"));
    let none = "Of these there was nothing: deviations, refusals, interruptions, wrong PINs, \
                lost attempts, key pairs taken in doubt, remains removed, wrong answers, cards that \
                did not sign, breaks.";
    assert!(said.contains(none), "{said}");
}
