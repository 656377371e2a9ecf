//! `docs/traceability.md`: each requirement of the CP/CPS, the rules that hold it, what they
//! refuse, and the ceremony that shows it.
//!
//! `rows.toml` beside this file says which rules and tests meet a requirement; that they exist,
//! have cases, and that a golden holds what is said of it, is checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use ceremony::cps::{Cps, Requirement, RequirementId};
use ceremony::rules;
use serde::Deserialize;

use super::ELSEWHERE;
use super::case;
use crate::support::{document, root};

const HEAD: &str = "# Traceability

Written by `GISHIKI_RENEW=1 cargo test --test all rules` from the sample's `cps.toml`,
`tests/rules/rows.toml`, the registry of rules and the corpus of cases; do not edit.

Each row is one requirement of the CP/CPS: clause and sentence are those of
`ceremony-plans/mdoc-root/cps.toml`. A rule is explained in [rules.md](rules.md), its refused cases
lie in `tests/refused/`. The ceremony that shows a row is one of `golden/mdoc-root/`; the words
after it stand in that file, and a test looks.
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    #[serde(default)]
    tests: Vec<String>,
    #[serde(default)]
    shown: Vec<(String, String)>,
    #[serde(default)]
    rest: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("tests/rules/rows.toml")).unwrap();
    toml::from_str::<Rows>(&text).unwrap().row
}

/// The rules that meet a requirement: one that has its id, and those that it names.
fn rules_of(id: &str, requirement: &Requirement) -> Vec<String> {
    let own = rules::all().any(|rule| rule.id.as_str() == id).then(|| id.to_string());
    own.into_iter().chain(requirement.by.iter().map(|rule| rule.get_ref().clone())).collect()
}

/// The refused cases of each rule, and the tests that refuse where no case can.
fn refused() -> BTreeMap<String, BTreeSet<String>> {
    let mut refused: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for case in case::all("refused") {
        for rule in case.expect {
            let link = format!("[{0}](../tests/refused/{0}.toml)", case.name);
            refused.entry(rule).or_default().insert(link);
        }
    }
    for (rule, test) in ELSEWHERE {
        refused.entry((*rule).to_string()).or_default().insert(format!("`{test}`"));
    }
    refused
}

/// Two cases of each rule: the others are in the page of rules.
fn cases(rules: &[String], refused: &BTreeMap<String, BTreeSet<String>>) -> String {
    let of_rule = |rule: &String| refused.get(rule).into_iter().flatten().take(2);
    let chosen: BTreeSet<&String> = rules.iter().flat_map(of_rule).collect();
    chosen.into_iter().cloned().collect::<Vec<_>>().join(", ")
}

/// The requirements of the sample CA.
fn requirements() -> BTreeMap<String, Requirement> {
    let cps = fs::read(root().join("ceremony-plans/mdoc-root/cps.toml")).unwrap();
    let of = |(id, found): (toml::Spanned<RequirementId>, Requirement)| {
        (id.get_ref().to_string(), found)
    };
    Cps::parse(&cps).unwrap().rule.into_iter().map(of).collect()
}

fn page() -> String {
    let refused = refused();
    let requirements = requirements();
    let said = |id: &str| requirements[id].says.said().en;
    let mut page = HEAD.to_string();
    page.push_str(
        "\n| row | CP/CPS | requirement | rules | refused | tests | shown by |\n|---|---|---|---|---|---|---|\n",
    );
    let (met, left): (Vec<Row>, Vec<Row>) = rows().into_iter().partition(|row| {
        let met = !rules_of(&row.id, &requirements[&row.id]).is_empty();
        met || !row.tests.is_empty()
    });
    for row in &met {
        let rules = rules_of(&row.id, &requirements[&row.id]);
        let tests: Vec<String> = row.tests.iter().map(|test| format!("`{test}`")).collect();
        let shown = row.shown.iter().map(|(file, words)| {
            format!("[{file}](../golden/mdoc-root/{file}): `{}`", words.replace('|', "\\|"))
        });
        let mut shown: Vec<String> = shown.collect();
        shown.extend((!row.rest.is_empty()).then(|| row.rest.clone()));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.id,
            requirements[&row.id].clause,
            said(&row.id),
            rules.join(", "),
            cases(&rules, &refused),
            tests.join(", "),
            shown.join("; ")
        );
    }
    page.push_str(
        "\n## Met elsewhere, or not yet\n\n| row | CP/CPS | requirement | |\n|---|---|---|---|\n",
    );
    for row in &left {
        let (id, clause) = (&row.id, &requirements[&row.id].clause);
        let _ = writeln!(page, "| {id} | {clause} | {} | {} |", said(id), row.rest);
    }
    page
}

#[test]
fn the_page_of_requirements_is_what_the_code_says() {
    document("docs/traceability.md", &page());
}

#[test]
fn every_requirement_is_met_as_its_row_says() {
    let known: BTreeSet<&str> = rules::all().map(|rule| rule.id.as_str()).collect();
    let refused = refused();
    let sources: String = crate::support::files(&root().join("tests"))
        .into_iter()
        .filter(|(name, _)| name.ends_with(".rs"))
        .map(|(_, octets)| String::from_utf8(octets).unwrap())
        .collect();
    let reported: BTreeSet<String> =
        case::all("accepted").into_iter().flat_map(|case| case.reports).collect();
    let requirements = requirements();
    let mut seen = BTreeSet::new();
    for row in rows() {
        let id = &row.id;
        assert!(seen.insert(id.clone()), "{id} twice");
        let rules = rules_of(id, &requirements[id]);
        assert!(!rules.is_empty() || !row.rest.is_empty() || !row.tests.is_empty(), "{id}");
        for rule in &rules {
            assert!(known.contains(rule.as_str()), "{id}: no rule {rule}");
            let reported = reported.contains(rule);
            assert!(reported || refused.contains_key(rule), "{id}: nothing refused by {rule}");
        }
        assert!(rules.is_empty() || !row.shown.is_empty() || !row.rest.is_empty(), "{id}");
        for test in &row.tests {
            assert!(sources.contains(&format!("fn {test}()")), "{id}: no test {test}");
        }
        for (file, words) in &row.shown {
            let text = fs::read(root().join("golden/mdoc-root").join(file)).unwrap();
            assert!(
                String::from_utf8(text).unwrap().contains(words),
                "{id}: {file} says no {words}"
            );
        }
    }
    // Every rule of a CP/CPS is a requirement of the sample, and each of those has its row.
    let foreign = known.iter().filter(|rule| rule.starts_with("R-") && !seen.contains(**rule));
    let foreign: Vec<_> = foreign.collect();
    assert_eq!(foreign, [&"R-CPS"], "rules of no requirement");
    assert_eq!(seen, requirements.into_keys().collect(), "rows and requirements");
}

/// A rule is named by its [`RuleId`](ceremony::rule::RuleId), never by a string.
#[test]
fn no_rule_is_named_by_a_string_in_the_code() {
    let known: BTreeSet<&str> = rules::all().map(|rule| rule.id.as_str()).collect();
    for (name, octets) in crate::support::files(&root().join("crates")) {
        let tests = name.contains("/tests") || name.ends_with("/rule.rs");
        if !name.ends_with(".rs") || tests {
            continue;
        }
        let text = String::from_utf8_lossy(&octets);
        let named: Vec<&str> = text.split('"').filter(|word| known.contains(word)).collect();
        assert!(named.is_empty(), "{name}: {named:?}");
    }
}
