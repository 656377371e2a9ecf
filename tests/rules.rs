//! The corpus of rules: every rule of gishiki refuses what it says, and accepts correct input.
//!
//! A case is a file. `refused/` and `accepted/` hold them; its first lines say which rules refuse
//! it and why, the rest says what is changed: of the sample CA's inputs, of a structure, in the
//! room, or in the golden. Adding a case is adding a file. What no file can say is a test, listed
//! in [`ELSEWHERE`].

mod acts;
mod case;
mod diagnostics;
mod folder;
mod inputs;
mod links;
mod page;
mod room;
mod rows;
mod structure;

use std::collections::{BTreeMap, BTreeSet};

use ceremony::record::Mode;
use ceremony::rule::RuleId;
use ceremony::rules::{self, Stage};

use self::case::{Case, Subject};
use crate::support::{files, root};

/// Rules of the edge, around the files, and of paths: the tests that show them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("S-STEP", "no_step_can_be_left_out"),
    ("S-TOKEN", "every_error_of_a_token_stops_and_the_ceremony_can_be_resumed"),
    ("S-DOCUMENT", "a_cps_document_is_the_one_that_cps_toml_names"),
    ("S-FILE", "files_that_are_no_plain_files_are_refused"),
    ("S-OUT", "an_output_is_never_overwritten"),
    ("S-DONE", "whatever_is_wrong_with_a_record_is_refused"),
    ("S-PUBLISH", "what_must_not_be_published_is_refused"),
    ("S-SERVED", "a_compromise_replaces_the_batch_at_once"),
    ("S-JOURNAL", "journals_are_two_and_continue_each_other"),
    ("S-ROOM", "a_module_is_the_one_that_the_room_names"),
    ("S-TERMINAL", "without_a_terminal_nobody_is_asked"),
    ("S-BUSY", "a_journal_is_held_by_one_process"),
    ("S-LEDGER", "a_ledger_is_one_history"),
    ("S-LIVE", "outside_the_image_nothing_is_led"),
    ("S-COMMAND-LINE", "an_extra_kernel_argument_stops"),
    ("S-NO-NETWORK", "a_system_is_refused_for_each_thing_that_it_must_not_be"),
    ("R-AIRGAP", "a_linked_image_reaches_its_one_peer_and_nothing_else"),
    ("S-LINK", "hardware_is_exactly_what_the_image_names"),
    ("S-DRIVER", "hardware_is_exactly_what_the_image_names"),
    ("S-DAEMON", "hardware_is_exactly_what_the_image_names"),
    ("S-MODULES", "a_system_is_refused_for_each_thing_that_it_must_not_be"),
    ("S-LOCKDOWN", "a_system_is_refused_for_each_thing_that_it_must_not_be"),
    ("S-NO-SWAP", "a_system_is_refused_for_each_thing_that_it_must_not_be"),
    ("S-CLOCK", "a_clock_is_set_to_times_only"),
    ("S-PLANS", "a_medium_without_plans_is_refused"),
    ("S-SELF-TEST", "an_image_whose_rehearsal_differs_stops"),
    ("S-MEDIUM", "a_missing_and_a_changed_medium_stop"),
    ("S-IMAGE", "a_missing_and_a_changed_medium_stop"),
    ("S-LOCK", "verify_accepts_the_image_and_names_every_fault"),
    ("S-STALE", "only_a_version_that_has_left_the_mirror_makes_a_lock_stale"),
    ("S-SOURCES", "verify_accepts_the_image_and_names_every_fault"),
    ("S-RECIPE", "verify_accepts_the_image_and_names_every_fault"),
    ("S-BUILT", "verify_accepts_the_image_and_names_every_fault"),
    ("S-ATTESTED", "an_image_has_the_builders_that_the_policy_asks"),
    ("S-PIN", "what_is_no_pin_or_image_is_refused"),
    ("S-STICK", "a_device_that_is_no_free_stick_is_refused"),
    ("P-PATH-ISSUER", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-PATH-KEY", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-PATH-SIGNATURE", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-PATH-TIME", "each_rule_of_a_path_refuses_what_it_says"),
    ("R-VERIFIER", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-PATH-CRL", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-CRL-TIME", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-REVOKED", "each_rule_of_a_path_refuses_what_it_says"),
    ("R-DS-NOT-CA", "each_rule_of_a_path_refuses_what_it_says"),
    ("I-DS-KEY", "each_rule_of_a_path_refuses_what_it_says"),
    ("I-DS-KEY-USAGE", "each_rule_of_a_path_refuses_what_it_says"),
    ("I-DS-EKU", "each_rule_of_a_path_refuses_what_it_says"),
    ("I-NAME", "each_rule_of_a_path_refuses_what_it_says"),
    ("I-STATE", "each_rule_of_a_path_refuses_what_it_says"),
    ("I-DS-WITHIN", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-SERIAL", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-PATH-ALGORITHM", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-PATH-LENGTH", "nist_pkits_comes_out_as_nist_says"),
    ("I-DS-VALIDITY", "each_rule_of_a_path_refuses_what_it_says"),
    ("I-DS-EXT", "each_rule_of_a_path_refuses_what_it_says"),
    ("P-PATH-CA", "a_link_that_is_bent_installs_nothing"),
    ("R-LINK", "a_link_that_is_bent_installs_nothing"),
];

/// Judges a case: the rules that refuse it, in order. Other faults of the case are panics.
fn judge(case: &Case) -> Vec<String> {
    match case.subject() {
        Subject::Inputs => inputs::judge(case),
        Subject::Structure => structure::judge(case),
        Subject::Room => room::judge(case),
        Subject::Folder => folder::judge(case),
    }
}

/// The documents of every accepted case that changes documents, by case and file.
pub(crate) fn accepted_texts() -> Vec<(String, String)> {
    let cases = case::all("accepted");
    let cases = cases.iter().filter(|case| !case.body.change.is_empty());
    cases.flat_map(|case| inputs::Texts::changed(case).documents(&case.name)).collect()
}

fn judge_all(subject: Subject) -> usize {
    let cases: Vec<Case> =
        case::all("refused").into_iter().filter(|case| case.subject() == subject).collect();
    let mut wrong = Vec::new();
    for case in &cases {
        let found = judge(case);
        if found != case.expect {
            wrong.push(format!("{}: asked {:?}, found {found:?}", case.name, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{subject:?}: {} cases refused, each by exactly its rules", cases.len());
    cases.len()
}

#[test]
fn inputs_are_refused_by_exactly_the_rules_that_they_break() {
    assert!(judge_all(Subject::Inputs) > 50);
}

#[test]
fn structures_are_refused_by_exactly_the_rules_that_they_break() {
    assert!(judge_all(Subject::Structure) > 50);
}

#[test]
fn what_happens_is_refused_by_exactly_the_rule_that_it_breaks() {
    assert!(judge_all(Subject::Room) > 30);
}

#[test]
fn sealed_folders_are_refused_by_exactly_the_rule_that_they_break() {
    assert!(judge_all(Subject::Folder) > 10);
}

#[test]
fn what_is_right_is_accepted() {
    let cases = case::all("accepted");
    for case in &cases {
        let found = judge(case);
        assert!(found.is_empty(), "{}: {found:?}", case.name);
        let compiled = inputs::Texts::changed(case).compiled(Mode::Real).unwrap();
        let mut reported: Vec<&str> = compiled.warnings.iter().map(|v| v.rule.as_str()).collect();
        reported.sort_unstable();
        assert_eq!(reported, case.reports, "{}", case.name);
        let excepted: Vec<&str> = compiled.excepted.iter().map(|v| v.rule.as_str()).collect();
        assert_eq!(excepted, case.excepts, "{}", case.name);
        for (words, there) in [(&case.body.shows, true), (&case.body.lacks, false)] {
            for words in words {
                let found = compiled.graph.text().contains(words);
                assert_eq!(found, there, "{}: {words}", case.name);
            }
        }
        for id in excepted {
            let line = format!("exception {id}");
            assert!(compiled.graph.text().contains(&line), "{}: {line}", case.name);
        }
    }
    assert!(inputs::violations(&inputs::Texts::sample()).is_empty(), "the sample CA");
    println!("{} cases accepted", cases.len());
}

#[test]
fn every_rule_has_a_case() {
    let known: BTreeSet<&str> = rules::all().map(|rule| rule.id.as_str()).collect();
    let mut covered: BTreeSet<String> = BTreeSet::new();
    for case in case::all("refused") {
        for id in &case.expect {
            assert!(known.contains(id.as_str()), "{}: no rule {id}", case.name);
        }
        covered.extend(case.expect);
    }
    covered.extend(case::all("accepted").into_iter().flat_map(|case| case.reports));
    let files = ["tests", "crates"].map(|folder| files(&root().join(folder)));
    let sources: String = files
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.ends_with(".rs"))
        .map(|(_, octets)| String::from_utf8(octets).unwrap().replace("\n    ", "\n"))
        .collect();
    for (id, test) in ELSEWHERE {
        assert!(known.contains(id), "{test}: no rule {id}");
        assert!(sources.contains(&format!("#[test]\nfn {test}()")), "no test {test}");
        covered.insert((*id).to_string());
    }
    let open: Vec<&&str> = known.iter().filter(|id| !covered.contains(**id)).collect();
    assert!(open.is_empty(), "rules without a case: {open:?}");
    println!("{} rules, each with a case", known.len());
}

/// A rule that is several functions has a case for each.
#[test]
fn every_function_of_a_rule_has_a_case() {
    let cases = case::all("refused").into_iter().chain(case::all("accepted"));
    let cases = cases.filter(|case| case.subject() == Subject::Inputs);
    let broken: BTreeSet<usize> =
        cases.flat_map(|case| inputs::Texts::changed(&case).broken()).collect();
    let judged = |stage| matches!(stage, Stage::Plan(_) | Stage::Warn(_));
    let functions = rules::all().enumerate().filter(|(_, rule)| judged(rule.stage));
    let open = functions.filter(|(place, _)| !broken.contains(place));
    let open: Vec<String> = open.map(|(_, r)| format!("{}: {}", r.id, r.sentence.en)).collect();
    assert!(open.is_empty(), "functions without a case: {open:#?}");
}

#[test]
fn no_rule_is_without_a_clause_or_a_sentence() {
    let (mut said, mut meant) = (BTreeMap::new(), BTreeMap::new());
    for rule in rules::all() {
        let (ja, en) = (rule.sentence.ja, rule.sentence.en);
        assert!(!rule.clause.is_empty() && en.is_ascii() && en.len() > 10, "{}", rule.id);
        assert!(ja.chars().any(|c| ('ぁ'..='鿿').contains(&c)), "{}: {ja}", rule.id);
        // What is said twice is said with the same words, in both languages.
        assert_eq!(*said.entry(en).or_insert(ja), ja, "{}", rule.id);
        assert_eq!(*meant.entry(ja).or_insert(en), en, "{}", rule.id);
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
        assert!(rule.id.as_str().chars().all(plain), "{}", rule.id);
        assert!(["R-", "I-", "P-", "S-"].contains(&&rule.id.as_str()[..2]), "{}", rule.id);
    }
    // Every id has a row, and there is no other.
    for id in RuleId::ALL {
        assert!(rules::find(*id).is_some_and(|rule| rule.id == *id), "{id}");
        assert_eq!(RuleId::of(id.as_str()), Some(*id));
    }
    assert_eq!(RuleId::of("R-NO-SUCH"), None);
}
