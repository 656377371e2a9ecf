//! `docs/rules.md` and `docs/rules.ja.md`: every rule, out of the registry and the corpus.
//!
//! `GISHIKI_RENEW=1 cargo test --test all rules` writes them; without that, they must be the same.

use ceremony::language::Language;
use ceremony::rules::{self, Rule, Stage};

use super::ELSEWHERE;
use super::case::{self, Case, Subject};
use crate::support::document;

const HEAD: &str = "# Rules

[日本語](rules.ja.md)

Written by `GISHIKI_RENEW=1 cargo test --test all rules` from the registry in the code; do not edit.

Every rule has one id: in code, messages, this page and the cases of `tests/refused/`. `R-…` are
rules of a CP/CPS, `I-…` are of ISO/IEC 18013-5 Annex B, `P-…` of RFC 5280, `S-…` are gishiki's own
safety.

These are the rules of the engine. It has no number, role or clause of a CP/CPS: those are in a CA's
`cps.toml` (what its CP/CPS requires, with clauses and sentences) and `policy.toml` (what the CA
chose). A rule of a CP/CPS on plans is in force if `cps.toml` has a requirement with its id, and
must be named under `without` there if not (S-CPS). A demand compares `policy.toml` with `cps.toml`;
any rule of a CP/CPS can have demands, and a requirement of the CA's own is refused under R-CPS.

No rule can be switched off. A rule without *must* may be excepted by a line of the plan: with a
reason, two approvers of two roles and an end, shown in graph and script. A rule that is judged in
several places stands once for each.

A rule of a CP/CPS is in force from `from` to `until` of `[document]` in `cps.toml`. A plan outside
these dates is refused (R-CPS-IN-FORCE), so each plan is judged by the version of its own day. The
other rules have no dates: they hold for every plan of format 1.
";

const HEAD_JA: &str = "# 規則

[English](rules.md)

コードの規則の一覧から `GISHIKI_RENEW=1 cargo test --test all rules` が書き出す。手では編集しない。

どの規則にも 1 つの ID があり、コード、画面の表示、このページ、`tests/refused/` の事例で同じものを用いる。`R-…` は
CP/CPS、`I-…` は ISO/IEC 18013-5 Annex B、`P-…` は RFC 5280、`S-…` は gishiki 自身の安全の規則である。

ここにあるのはエンジンの規則である。エンジンは CP/CPS の数値も役割も節番号も持たない。それらは CA の `cps.toml`(CP/CPS が
求めること、その節と文)と `policy.toml`(CA が選んだこと)にある。計画についての CP/CPS の規則は、`cps.toml` にその ID の
要件があれば効力を持ち、なければそこの `without` に書かなければならない(S-CPS)。要求は `policy.toml` を `cps.toml` と比べる。
CP/CPS のどの規則にも要求を書くことができ、CA だけの要件は R-CPS として拒否される。

どの規則も止められない。「必須」でない規則には、計画の 1 行で例外を認めることができる。例外には理由、役割の異なる 2 名の承認、
期限が要り、グラフと手順書に示される。数か所で判定する規則は、その数だけ現れる。

CP/CPS の規則は、`cps.toml` の `[document]` の `from` から `until` まで効力を持つ。この期間の外の計画は拒否する(R-CPS-IN-FORCE)。
したがって計画はその日の版で判定される。ほかの規則に日付はなく、format 1 のすべての計画に効力を持つ。
";

/// When a rule is in force.
fn dates(rule: &Rule, language: Language) -> &'static str {
    match language {
        _ if rule.id.as_str().starts_with("R-") => "`[document]`",
        Language::Ja => "常に",
        Language::En => "always",
    }
}

fn stage(rule: &Rule, language: Language) -> &'static str {
    let (ja, en) = match rule.stage {
        Stage::Form => ("ファイルを読むとき", "When a file is read"),
        Stage::Plan(_) => ("計画をコンパイルするとき", "When a plan is compiled"),
        Stage::Warn(_) => (
            "計画をコンパイルするとき(拒否せず報告する)",
            "When a plan is compiled: reported, not refused",
        ),
        Stage::Demand => (
            "計画をコンパイルするとき(CP/CPS がポリシーに求めること)",
            "When a plan is compiled: what the CP/CPS demands of the policy",
        ),
        Stage::Structure => ("署名するすべての構造", "On every structure that is to be signed"),
        Stage::Run => {
            ("事象が起きたとき(実施中と再演)", "When something happens, live and in replay")
        }
        Stage::Verify => ("封印されたフォルダーを判定するとき", "When a sealed folder is judged"),
        Stage::Path => (
            "証明書に依拠してよいかを確かめるとき",
            "When somebody asks whether a certificate may be relied on",
        ),
        Stage::Edge => ("ファイル・媒体・端末", "At the edge: files, media, terminals"),
        Stage::Live => {
            ("専用イメージで、トークンに触れる前", "On the live image, before the token is touched")
        }
        Stage::Image => {
            ("イメージを作成・判定・書込みするとき", "When an image is built, judged or written")
        }
    };
    match language {
        Language::Ja => ja,
        Language::En => en,
    }
}

/// The heads of the table's columns.
fn columns(rule: &Rule, language: Language) -> &'static str {
    let asks = matches!(rule.stage, Stage::Structure);
    match (language, asks) {
        (Language::Ja, true) => "| ID | 根拠 | 効力 | 必須 | 求めること | 事例 |",
        (Language::Ja, false) => "| ID | 根拠 | 効力 | 必須 | 拒否するもの | 事例 |",
        (Language::En, true) => "| id | clause | in force | must | asks | cases |",
        (Language::En, false) => "| id | clause | in force | must | refuses | cases |",
    }
}

/// The cases of a rule where it is judged so; all of its cases, if none is of that kind.
fn links(rule: &Rule, cases: &[Case]) -> String {
    let of_rule =
        || cases.iter().filter(|case| case.expect.iter().any(|id| id == rule.id.as_str()));
    let alike = |case: &&Case| match rule.stage {
        Stage::Form | Stage::Plan(_) | Stage::Demand | Stage::Warn(_) => {
            case.subject() == Subject::Inputs
        }
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

fn page(language: Language) -> String {
    let (head, must_be, accepted) = match language {
        Language::Ja => {
            (HEAD_JA, "必須", "\n## 受け入れるもの\n\n規則が拒否してはならないもの:\n\n")
        }
        Language::En => (HEAD, "must", "\n## Accepted\n\nWhat the rules must not refuse:\n\n"),
    };
    let cases = case::all("refused");
    let mut page = head.to_string();
    let mut last = "";
    for rule in rules::all() {
        if stage(&rule, language) != last {
            last = stage(&rule, language);
            let columns = columns(&rule, language);
            page.push_str(&format!("\n## {last}\n\n{columns}\n|---|---|---|---|---|---|\n"));
        }
        let must = if rule.must { must_be } else { "" };
        let sentence = match language {
            Language::Ja => rule.sentence.ja,
            Language::En => rule.sentence.en,
        };
        page.push_str(&format!(
            "| {} | {} | {} | {must} | {sentence} | {} |\n",
            rule.id,
            rule.clause,
            dates(&rule, language),
            links(&rule, &cases)
        ));
    }
    page.push_str(accepted);
    for case in case::all("accepted") {
        page.push_str(&format!("- [{0}](../tests/accepted/{0}.toml)\n", case.name));
    }
    page
}

#[test]
fn the_page_of_rules_is_what_the_code_says() {
    document("docs/rules.md", &page(Language::En));
    document("docs/rules.ja.md", &page(Language::Ja));
}
