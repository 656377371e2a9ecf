//! Checks a plan against every rule.

use crate::approvals;
use crate::args;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::report::print;
use crate::review::{changes_of_register, reports, reviewed};

pub(crate) fn check(asked: &args::Check, lang: Lang) -> Result<(), Halt> {
    let compiled = reviewed(&asked.planned)?;
    let approved = match asked.approved {
        true => approvals::judge(&asked.planned.plan, &compiled, lang)?,
        false => String::new(),
    };
    let graph = &compiled.graph;
    let (certificates, crls) = graph.structures();
    let reported = reports(&compiled, lang);
    let granted = graph.exceptions().iter();
    let granted =
        granted.map(|line| format!("{} {}\n", pick(lang, "例外", "exception"), lang.said(line)));
    let covered = compiled.excepted.iter().map(|v| {
        let what = pick(lang, "例外により許容", "excepted");
        format!("  {what} {}: {}; {}\n", v.rule, lang.said(&v.asked), lang.said(&v.found))
    });
    let exceptions: String = granted.chain(covered).collect();
    let cards = match (compiled.computable().len(), lang) {
        (0, _) => String::new(),
        (n, Lang::Ja) => {
            format!("  カード: {n} 名の鍵は誰でも計算できる。本番はこの任命簿を拒否する\n")
        }
        (n, Lang::En) => format!(
            "  cards: everyone can compute the keys of {n} people; a real ceremony refuses this roster\n"
        ),
    };
    let register = changes_of_register(&compiled, lang);
    let kept = match compiled.excepted.is_empty() {
        true => pick(lang, "規則をすべて満たす:", "keeps every rule:"),
        false => pick(lang, "例外のほかは規則を満たす:", "keeps every rule but the excepted:"),
    };
    print(&format!(
        "{exceptions}{kept} {}\n  {}{}\n  {}{}\n  {} {}, {} {certificates}, {} {crls}\n{cards}{register}{approved}{reported}",
        graph.ceremony(),
        // On the papers they stand under their English names.
        pick(lang, "グラフ(graph)             ", "graph     "),
        graph.id(),
        pick(lang, "バインディング(bindings)  ", "bindings  "),
        compiled.bindings.id(),
        pick(lang, "手順", "operations:"),
        graph.ops().len(),
        pick(lang, "電子証明書", "certificates:"),
        pick(lang, "CRL", "CRLs:"),
    ))
}
