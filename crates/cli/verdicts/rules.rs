//! Lists by which rules a folder was judged, on which evidence, and which rules were not judged.

use std::collections::{BTreeMap, BTreeSet};

use ceremony::name::Name;
use ceremony::rule::RuleId;
use ceremony::verify::kept::{Basis, By, Where, all};
use ceremony::verify::{Begun, Consistent, Finding, Judged, Standing};

use super::named::people;
use crate::lang::{Lang, pick};
use crate::report::plain;

/// The kinds of evidence, in the order in which they are shown.
pub(crate) const BASES: [Basis; 5] = [
    Basis::Proved,
    Basis::Signed,
    Basis::Stated(By::People),
    Basis::Stated(By::Papers),
    Basis::Stated(By::Token),
];

/// Where the rules are judged that a folder cannot show.
const ELSEWHERE: [Where; 3] = [Where::Edge, Where::Image, Where::Path];

pub(crate) const fn heading(basis: Basis, lang: Lang) -> &'static str {
    match basis {
        Basis::Proved => pick(lang, "証明(オクテットから計算)", "proved, computed from octets"),
        Basis::Signed => pick(
            lang,
            "署名(参加者がカードで署名した言葉)",
            "signed by people in the room, each with their own card",
        ),
        Basis::Stated(By::People) => {
            pick(lang, "申告(参加者の言葉)", "stated by people in the room")
        }
        Basis::Stated(By::Papers) => pick(
            lang,
            "申告(計画・ポリシー・任命簿)",
            "stated by the approved papers: plan, policy, roster",
        ),
        Basis::Stated(By::Token) => {
            pick(lang, "申告(トークンの回答)", "stated by the token of itself")
        }
        Basis::Elsewhere(Where::Edge) => {
            pick(lang, "ファイル・媒体・モジュール・端末", "files, media, module, terminal")
        }
        Basis::Elsewhere(Where::Image) => pick(lang, "専用イメージ", "the live image"),
        Basis::Elsewhere(Where::Path) => pick(
            lang,
            "電子証明書の有効性確認(`gishiki validate`)",
            "whether to rely on a certificate (`gishiki validate`)",
        ),
    }
}

/// The rules that were kept, by this kind of evidence.
pub(crate) fn kept(facts: &Consistent, basis: Basis) -> impl Iterator<Item = &Judged> {
    let judged = facts.account.judged.iter();
    judged.filter(move |judged| judged.basis == basis && judged.standing == Standing::Kept)
}

/// Counts the judged rules by their kind of evidence.
pub(super) fn counted(facts: &Consistent, lang: Lang) -> String {
    let [proved, signed, people, papers, token] = BASES.map(|basis| kept(facts, basis).count());
    let ids: Vec<&str> = refused(facts).map(|(judged, _)| judged.id.as_str()).collect();
    let stopped = match (ids.is_empty(), lang) {
        (true, _) => String::new(),
        (false, Lang::Ja) => format!("拒否した規則: {}\n", ids.join(" ")),
        (false, Lang::En) => format!("rules that refused: {}\n", ids.join(" ")),
    };
    let kept = match lang {
        Lang::Ja => format!(
            "満たした規則: 証明 {proved}、参加者のカードの署名 {signed}、申告は参加者 {people}・書類 {papers}・トークン {token}(一覧は --rules)\n判定しない規則: ファイル・媒体・端末、専用イメージ、電子証明書の有効性確認\n"
        ),
        Lang::En => format!(
            "rules kept: proved {proved}, signed by people's cards {signed}, stated by people {people}, by papers {papers}, by the token {token} (--rules lists them)\nnot judged here: files, media and terminal, the live image, whether to rely on a certificate\n"
        ),
    };
    stopped + &kept
}

/// Lists the rules that refused something, and why.
pub(crate) fn refused(facts: &Consistent) -> impl Iterator<Item = (&Judged, &str)> {
    facts.account.judged.iter().filter_map(|judged| match &judged.standing {
        Standing::Refused(reason) => Some((judged, reason.as_str())),
        Standing::Kept | Standing::Excepted(_) | Standing::Reported(_) => None,
    })
}

/// Lists the judged rules that are not simply kept: those that an exception covers, and those that
/// are reported.
pub(super) fn unkept(facts: &Consistent, lang: Lang) -> Vec<String> {
    let rows = |judged: &Judged| {
        let (word, findings) = match &judged.standing {
            // What happened says so, at its time.
            Standing::Kept | Standing::Refused(_) => return Vec::new(),
            Standing::Excepted(findings) => (pick(lang, "例外により許容", "excepted"), findings),
            Standing::Reported(findings) => (pick(lang, "報告", "reported"), findings),
        };
        let row = |finding| format!("{word} {}: {}", judged.id, said(finding, lang));
        findings.iter().map(row).collect()
    };
    facts.account.unkept().flat_map(rows).collect()
}

/// What was asked, and what was found.
fn said(finding: &Finding, lang: Lang) -> String {
    format!("{}; {}", plain(lang.said(&finding.asked)), plain(lang.said(&finding.found)))
}

/// Lists every rule that was judged, and the ids of the others. If nothing shows whose the folder
/// is, no rule has a tick.
pub(super) fn listed(facts: &Consistent, trusted: bool, lang: Lang) -> String {
    let mut text = String::new();
    let tick = if trusted { '✓' } else { '·' };
    let clauses = &facts.account.clauses;
    let refusals: Vec<String> =
        refused(facts).map(|(judged, _)| row(judged, clauses, tick, lang)).collect();
    if !refusals.is_empty() {
        let title = pick(lang, "守られず、拒否した規則", "not kept: these refused");
        text.push_str(&format!("\n# {title}\n{}", refusals.concat()));
    }
    for basis in BASES {
        let of_basis = facts.account.judged.iter().filter(|judged| {
            judged.basis == basis && !matches!(judged.standing, Standing::Refused(_))
        });
        let rows: Vec<String> = of_basis.map(|judged| row(judged, clauses, tick, lang)).collect();
        if !rows.is_empty() {
            text.push_str(&format!("\n# {}\n{}", heading(basis, lang), rows.concat()));
        }
        if basis == Basis::Stated(By::People) {
            let who: BTreeSet<_> = facts.account.judged.iter().flat_map(|one| &one.by).collect();
            text.push_str(&format!("  {}\n", people(&facts.account, who, lang)));
        }
    }
    text.push_str(&format!("\n# {}\n", pick(lang, "判定しない規則", "not judged here")));
    let judged: BTreeSet<RuleId> = facts.account.judged.iter().map(|judged| judged.id).collect();
    let ids = |is: &dyn Fn(Basis) -> bool| {
        let of = all().filter(|kept| is(kept.basis) && !judged.contains(&kept.id));
        of.map(|kept| kept.id.as_str()).collect::<Vec<_>>().join(" ")
    };
    if !facts.account.begun.is_empty() {
        let word = pick(lang, "一部だけ行われた", "not whole");
        text.push_str(&format!("  {word}: {}\n", begun(facts, lang)));
    }
    let begun: BTreeSet<RuleId> = facts.account.begun.iter().map(|begun| begun.id).collect();
    let absent = all().filter(|kept| {
        let is_here = judged.contains(&kept.id) || begun.contains(&kept.id);
        !is_here && !matches!(kept.basis, Basis::Elsewhere(_))
    });
    let absent = absent.map(|kept| kept.id.as_str()).collect::<Vec<_>>().join(" ");
    let word = pick(lang, "このセレモニーに該当なし", "nothing of it in this ceremony");
    text.push_str(&format!("  {word}: {absent}\n"));
    for place in ELSEWHERE {
        let basis = Basis::Elsewhere(place);
        text.push_str(&format!("  {}: {}\n", heading(basis, lang), ids(&|found| found == basis)));
    }
    text
}

/// Lists the rules of which only some operations were answered.
fn begun(facts: &Consistent, lang: Lang) -> String {
    let row = |begun: &Begun| {
        let Begun { id, answered, planned } = begun;
        match lang {
            Lang::Ja => format!("{id}({planned} 件中 {answered} 件)"),
            Lang::En => format!("{id} ({answered} of {planned})"),
        }
    };
    let rows: Vec<String> = facts.account.begun.iter().map(row).collect();
    rows.join(pick(lang, "、", ", "))
}

/// The clause of a rule: as the CP/CPS says, or else as the standard does.
pub(crate) fn clause(id: RuleId, clauses: &BTreeMap<RuleId, String>) -> &str {
    let of_standard = || ceremony::rules::find(id).map_or("gishiki", |rule| rule.clause);
    clauses.get(&id).map_or_else(of_standard, String::as_str)
}

fn row(judged: &Judged, clauses: &BTreeMap<RuleId, String>, tick: char, lang: Lang) -> String {
    let clause = clause(judged.id, clauses);
    let row = format!("{:<24} {:<28}", judged.id, clause);
    let so = pick(lang, judged.so.ja, judged.so.en);
    let unticked = |word: &str, findings: &[Finding]| -> String {
        findings
            .iter()
            .map(|finding| format!("  – {row} {word}: {}\n", said(finding, lang)))
            .collect()
    };
    match &judged.standing {
        Standing::Kept if judged.by.is_empty() => format!("  {tick} {row} {so}\n"),
        Standing::Kept => {
            let by: Vec<&str> = judged.by.iter().map(Name::as_str).collect();
            format!("  {tick} {row} {so} [{}]\n", by.join(" "))
        }
        Standing::Excepted(findings) => {
            unticked(pick(lang, "例外により許容", "excepted"), findings)
        }
        Standing::Reported(findings) => unticked(pick(lang, "報告", "reported"), findings),
        Standing::Refused(reason) => {
            format!("  ✗ {row} {}: {}\n", pick(lang, "拒否", "refused"), plain(reason))
        }
    }
}
