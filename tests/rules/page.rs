//! `docs/rules.md`: every rule, out of the registry and the corpus.
//!
//! `GISHIKI_RENEW=1 cargo test --test all rules` writes it; without that, it must be the same.

use ceremony::rules::{self, Rule, Stage};

use super::ELSEWHERE;
use super::case::{self, Case, Subject};
use crate::support::document;

const HEAD: &str = "# Rules

Written by `GISHIKI_RENEW=1 cargo test --test all rules` from the registry in the code; do not edit.

Every rule has one id: in code, messages, this page and the cases of `tests/refused/`. `R-…` are the
CP/CPS's, `I-…` are of ISO/IEC 18013-5 Annex B, `P-…` of RFC 5280, `S-…` are gishiki's own safety.
A clause that is a plain number is a section of the CP/CPS; `D…` is a decision on it, which the
policy cites too.

No rule can be switched off. A rule without *must* may be excepted by a line of the plan: with a
reason, two approvers of two roles and an end, shown in graph and script. A rule that is judged in
several places stands once for each.

A rule of the CP/CPS (`R-…`) is in force from `from` to `until` of `[cps]` in the policy: in the
sample since 2025-06-24, with no end yet. A plan outside these dates is refused (R-CPS-IN-FORCE), so
each plan is judged by the version of its own day; another version is another policy, and a rule
that it changes is changed with it. The other rules have no dates: they hold for every plan of
format 1.
";

/// When a rule is in force.
fn dates(rule: &Rule) -> &'static str {
    if rule.id.as_str().starts_with("R-") { "`[cps]`" } else { "always" }
}

fn stage(rule: &Rule) -> &'static str {
    match rule.stage {
        Stage::Form => "When a file is read",
        Stage::Plan(_) => "When a plan is compiled",
        Stage::Warn(_) => "When a plan is compiled: reported, not refused",
        Stage::Structure => "On every structure that is to be signed",
        Stage::Run => "When something happens, live and in replay",
        Stage::Verify => "When a sealed folder is judged",
        Stage::Path => "When somebody asks whether a certificate may be relied on",
        Stage::Edge => "At the edge: files, media, terminals",
        Stage::Live => "On the live image, before the token is touched",
        Stage::Image => "When an image is built, judged or written",
    }
}

/// The cases of a rule where it is judged so; all of its cases, if none is of that kind.
fn links(rule: &Rule, cases: &[Case]) -> String {
    let of_rule =
        || cases.iter().filter(|case| case.expect.iter().any(|id| id == rule.id.as_str()));
    let alike = |case: &&Case| match rule.stage {
        Stage::Form | Stage::Plan(_) | Stage::Warn(_) => case.subject() == Subject::Inputs,
        Stage::Structure => [Subject::Inputs, Subject::Structure].contains(&case.subject()),
        Stage::Run => case.subject() == Subject::Room,
        Stage::Verify | Stage::Path | Stage::Edge | Stage::Live | Stage::Image => {
            case.subject() == Subject::Folder
        }
    };
    let of_stage: Vec<&Case> = of_rule().filter(alike).collect();
    let chosen = if of_stage.is_empty() { of_rule().collect() } else { of_stage };
    let files = chosen.iter().map(|case| format!("[{0}](../tests/refused/{0}.toml)", case.name));
    let tests = ELSEWHERE.iter().filter(|(id, _)| *id == rule.id.as_str());
    let tests = tests.map(|(_, test)| format!("`{test}`"));
    files.chain(tests).collect::<Vec<_>>().join(", ")
}

fn page() -> String {
    let cases = case::all("refused");
    let mut page = HEAD.to_string();
    let mut last = "";
    for rule in rules::all() {
        if stage(&rule) != last {
            last = stage(&rule);
            let what = if matches!(rule.stage, Stage::Structure) { "asks" } else { "refuses" };
            page.push_str(&format!(
                "\n## {last}\n\n| id | clause | in force | must | {what} | cases |\n|---|---|---|---|---|---|\n"
            ));
        }
        let must = if rule.must { "must" } else { "" };
        page.push_str(&format!(
            "| {} | {} | {} | {must} | {} | {} |\n",
            rule.id,
            rule.clause,
            dates(&rule),
            rule.sentence,
            links(&rule, &cases)
        ));
    }
    page.push_str("\n## Accepted\n\nWhat the rules must not refuse:\n\n");
    for case in case::all("accepted") {
        page.push_str(&format!("- [{0}](../tests/accepted/{0}.toml)\n", case.name));
    }
    page
}

#[test]
fn the_page_of_rules_is_what_the_code_says() {
    document("docs/rules.md", &page());
}
