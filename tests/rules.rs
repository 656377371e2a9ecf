//! Every rule has a case that it refuses: a file in `tests/refused/`, or a test that is named here.
//!
//! A file says which rules it breaks (`# expect:`) and why, and changes the sample CA's text.
//! Adding a case is adding a file. `tests/accepted/` holds changes that keep every rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ceremony::compile::{Compiled, Inputs, compile};
use ceremony::rules::{Stage, all};
use ceremony::violation::Violation;
use serde::Deserialize;

use crate::support::{genesis, root};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    change: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    file: String,
    find: String,
    put: String,
}

/// A case's file, its expected rules in order, and what the sample CA gives with its changes.
struct Judged {
    path: PathBuf,
    expected: Vec<String>,
    texts: BTreeMap<String, String>,
    result: Result<Compiled, Vec<Violation>>,
}

fn cases(folder: &str) -> Vec<Judged> {
    let mut paths: Vec<PathBuf> = fs::read_dir(root().join("tests").join(folder))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| judge(path)).collect()
}

fn judge(path: &Path) -> Judged {
    let text = fs::read_to_string(path).unwrap();
    let header = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("# {name}: ")));
        line.map(str::to_string)
    };
    assert!(header("why").is_some(), "{}: a case says why", path.display());
    let expected = header("expect").unwrap_or_default();
    let mut expected: Vec<String> =
        expected.split(", ").filter(|rule| !rule.is_empty()).map(String::from).collect();
    expected.sort();
    let case: Case = toml::from_str(&text).unwrap();
    let mut texts = BTreeMap::new();
    for (name, place) in [
        ("plan.toml", genesis().join("plan.toml")),
        ("policy.toml", genesis().join("../policy.toml")),
        ("roster.toml", genesis().join("../roster.toml")),
    ] {
        texts.insert(name.to_string(), fs::read_to_string(place).unwrap());
    }
    for change in case.change {
        let text = texts.get_mut(&change.file).unwrap();
        let count = text.matches(&change.find).count();
        assert_eq!(count, 1, "{}: `{}` stands {count} times", path.display(), change.find);
        *text = text.replace(&change.find, &change.put);
    }
    let octets = |name: &str| texts[name].as_bytes();
    let inputs = Inputs::read(octets("plan.toml"), octets("policy.toml"), octets("roster.toml"));
    let result = inputs.and_then(|inputs| compile(&inputs));
    Judged { path: path.to_path_buf(), expected, texts, result }
}

#[test]
fn every_refused_case_breaks_exactly_the_rules_that_it_names() {
    let cases = cases("refused");
    assert!(cases.len() > 80);
    let mut other = Vec::new();
    for case in &cases {
        let shown = case.path.display();
        let Err(violations) = &case.result else {
            other.push(format!("{shown}: it compiles"));
            continue;
        };
        let mut found: Vec<String> = violations.iter().map(|v| v.rule.to_string()).collect();
        found.sort();
        if found != case.expected {
            other.push(format!("{shown}: {}", found.join(", ")));
        }
        for violation in violations {
            let text = &case.texts[&violation.place.input.to_string()];
            let span = &violation.place.span;
            assert!(text.get(span.clone()).is_some(), "{shown}: {violation:?} points outside");
            assert!(
                !violation.asked.is_empty() && !violation.found.is_empty(),
                "{shown}: {violation:?}"
            );
            let whole = span.is_empty() && span.start == 0;
            assert!(!whole || violation.rule == "S-FORM", "{shown}: {violation:?} points nowhere");
        }
    }
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn every_accepted_case_keeps_every_rule() {
    for case in cases("accepted") {
        let compiled = case.result.unwrap_or_else(|v| panic!("{}: {v:#?}", case.path.display()));
        let name = case.path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(compiled.excepted.is_empty(), name != "exception", "{name}");
        let shown = compiled.graph.text().contains("exception R-TRAINED");
        assert_eq!(shown, name == "exception", "{name}");
    }
}

/// Rules that are judged where no file of a plan can show it, and the tests that do.
const ELSEWHERE: &[(&str, &str)] = &[
    ("S-STRUCTURE", "a_structure_without_its_keys_is_not_encoded"),
    ("S-OPENED", "a_forger_who_re_seals"),
    ("S-ORDER", "events_out_of_order_are_refused"),
    ("S-TIME-BACK", "events_out_of_order_are_refused"),
    ("S-ATTEMPTS", "the_seventeenth_attempt_is_refused"),
    ("S-ANSWER", "answers_to_something_else_are_refused"),
    ("S-WORDS", "answers_to_something_else_are_refused"),
    ("S-REFUSED", "events_out_of_order_are_refused"),
    ("S-ORPHAN", "a_key_pair_in_doubt_is_adopted_whole_or_removed_with_consent"),
    ("S-MODE", "the_golden_is_a_rehearsal_that_verifies_and_nothing_more"),
    ("S-DRILL", "a_token_is_taken_for_what_it_is"),
    ("S-PAPERS", "what_people_say_is_judged"),
    ("R-FINGERPRINT", "what_people_say_is_judged"),
    ("S-ANCHOR", "a_whole_forged_ceremony_is_refused_by_the_anchor"),
    ("S-TOKEN-SERIAL", "a_token_is_taken_for_what_it_is"),
    ("S-TOKEN-MECHANISM", "a_token_is_taken_for_what_it_is"),
    ("S-TOKEN", "every_error_of_a_token_stops_and_the_ceremony_can_be_resumed"),
    ("S-KEY-ABSENT", "a_token_holds_what_the_records_say"),
    ("R-KEY-IN-HSM", "every_lie_of_a_token_is_refused_by_its_rule"),
    ("S-PUBLIC-KEY", "a_key_pair_in_doubt_is_adopted_whole_or_removed_with_consent"),
    ("S-REHEARSAL-KEY", "a_rehearsal_that_says_it_is_real_is_recognised_by_its_keys"),
    ("R-NO-TRANSFER", "a_token_that_yields_a_key_is_refused"),
    ("S-SIGNATURE", "every_lie_of_a_token_is_refused_by_its_rule"),
    ("S-NONCE", "every_lie_of_a_token_is_refused_by_its_rule"),
    ("S-LEDGER-HEAD", "a_token_holds_what_the_records_say"),
    ("S-INPUTS", "a_folder_that_was_changed_is_refused"),
    ("S-EMPTY", "a_folder_that_was_changed_is_refused"),
    ("S-RECORD", "a_folder_that_was_changed_is_refused"),
    ("S-END", "a_folder_that_was_changed_is_refused"),
    ("S-SEAL", "a_folder_that_was_changed_is_refused"),
    ("S-ARTEFACT", "a_folder_that_was_changed_is_refused"),
    ("S-FILE", "files_that_are_no_plain_files_are_refused"),
    ("S-OUT", "an_output_is_never_overwritten"),
    ("S-JOURNAL", "journals_are_two_and_continue_each_other"),
    ("S-ROOM", "a_module_is_the_one_that_the_room_names"),
    ("S-TERMINAL", "without_a_terminal_nobody_is_asked"),
    ("S-BUSY", "a_journal_is_held_by_one_process"),
];

/// The test that breaks each rule of structures, beside them.
const STRUCTURES: &str = "every_rule_is_broken_alone";

#[test]
fn every_rule_has_a_case_that_it_refuses() {
    let known: BTreeSet<&str> = all().map(|rule| rule.id).collect();
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for case in cases("refused") {
        for rule in case.expected {
            assert!(known.contains(rule.as_str()), "{}: no rule {rule}", case.path.display());
            shown.insert(rule);
        }
    }
    let mut sources = String::new();
    for folder in ["tests", "crates/ceremony/src/x509/judge"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "rs") {
                sources.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    for (rule, test) in ELSEWHERE {
        assert!(known.contains(rule), "no rule {rule}");
        assert!(sources.contains(&format!("fn {test}(")), "{rule}: no test {test}");
        shown.insert((*rule).to_string());
    }
    assert!(sources.contains(&format!("fn {STRUCTURES}(")), "no test {STRUCTURES}");
    for rule in all().filter(|rule| !matches!(rule.stage, Stage::Structure)) {
        assert!(shown.contains(rule.id), "{} has no case", rule.id);
    }
}

#[test]
fn the_document_of_rules_is_what_the_code_says() {
    let mut cases_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in cases("refused") {
        let name = case.path.file_name().unwrap().to_str().unwrap().to_string();
        let only: BTreeSet<String> = case.expected.into_iter().collect();
        for rule in only {
            cases_of.entry(rule).or_default().push(name.clone());
        }
    }
    let mut text = String::from(
        "# Rules\n\nGenerated from the code by a test (`UPDATE_DOCS=1 cargo test --test all rules`). A rule of the \
         stage *structure* says what it asks, every other what it refuses. *must*: no exception is possible. The dates \
         in force of the CP/CPS's rules are those of `[cps]` in the policy.\n\n\
         | rule | clause | stage | must | what | cases |\n|---|---|---|---|---|---|\n",
    );
    let mut rows: BTreeSet<String> = BTreeSet::new();
    for rule in all() {
        let elsewhere =
            ELSEWHERE.iter().find(|(id, _)| *id == rule.id).map(|(_, test)| format!("`{test}`"));
        let files = cases_of.get(rule.id).map(|names| names.join(", "));
        let structure = matches!(rule.stage, Stage::Structure).then(|| format!("`{STRUCTURES}`"));
        let shown: Vec<String> = [files, elsewhere, structure].into_iter().flatten().collect();
        rows.insert(format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            rule.id,
            rule.clause,
            rule.stage.name(),
            if rule.must { "must" } else { "" },
            rule.sentence,
            shown.join(", ")
        ));
    }
    for row in rows {
        let _ = write!(text, "{row}");
    }
    crate::support::document("docs/rules.md", &text);
}
