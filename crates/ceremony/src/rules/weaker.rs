//! What a policy or a CP/CPS asks less than that of the ceremony before: reported, so that no
//! reviewer overlooks it. The CP/CPS refuses what is too little; this says what became less, also
//! of the CP/CPS.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cmp::Ordering;

use toml::Value;

use super::Report;
use crate::canonical::written;
use crate::cps::{Amount, Tree};
use crate::language::Bilingual;
use crate::says;
use crate::violation::Input;

/// How an entry becomes weaker.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// The number is lower, or the entry is gone.
    Less,
    /// The number or span is greater, or the entry is gone.
    More,
    /// The list lacks something that it had.
    Without,
    /// The list has something that it had not.
    With,
    /// The value is another.
    Other,
    /// A value that was there is another, or gone.
    Changed,
    /// It was this word, and is not any more.
    Word(&'static str),
    /// There is one, and there was none.
    New,
    /// A whole table is gone.
    Gone,
}

/// The entries of a CP/CPS on which what it asks depends; `*` stands for any name.
const CPS: &[(&str, Way)] = &[
    ("document.approved-by", Way::Other),
    ("document.without", Way::With),
    ("rule.*", Way::Gone),
    ("rule.*.by", Way::Without),
    ("rule.*.demand", Way::Without),
    ("rule.*.elsewhere", Way::New),
];

/// The entries of a policy that keep a ceremony safe; `*` stands for any name.
const ENTRIES: &[(&str, Way)] = &[
    ("act.*.by.*", Way::Less),
    ("act.*.signed", Way::Word("each")),
    ("role.*.at-least", Way::Less),
    ("role.*.each-organization", Way::Other),
    ("role.*.operator", Way::Other),
    ("separate.pairs", Way::Without),
    ("decision.*.by", Way::Other),
    ("decision.*.of", Way::Other),
    ("decision.*.letter", Way::Other),
    ("decision.*.within", Way::More),
    ("decision.approval.keyless.trusted-root", Way::Changed),
    ("decision.approval.keyless.person.*.identity", Way::Changed),
    ("decision.approval.keyless.person.*.issuer", Way::Changed),
    ("training.max-months", Way::More),
    ("training.newer", Way::Word("refuse")),
    ("clock.max-offset-seconds", Way::More),
    ("journal.sheets-per-head", Way::More),
    ("ledger-head.on", Way::Word("token")),
    ("crl.interval", Way::More),
    ("crl.revocation-within", Way::More),
    ("ds.curves", Way::With),
    ("ds.validity", Way::More),
    ("ds.max-days", Way::More),
    ("ds.extended-key-usage", Way::Other),
    ("token.mechanisms", Way::Without),
    ("token.production-serials", Way::Without),
    ("token.leave-out", Way::With),
    ("token.not-told", Way::With),
    ("token.may-hold", Way::With),
    ("network.permits", Way::Other),
    ("image.builders", Way::Less),
    ("duty.*", Way::Gone),
    ("duty.*.every", Way::More),
    ("duty.*.by", Way::With),
    ("duty.*.of", Way::Changed),
];

/// S-WEAKER: reports each entry of policy and CP/CPS that asks less than in the ceremony before.
pub(super) fn weaker(report: &mut Report<'_>) {
    let (state, inputs) = (report.state, report.inputs);
    if let Some(before) = state.policy.as_deref().map(Tree::of) {
        compare(report, Input::Policy, ENTRIES, &before, inputs.entries());
    }
    let now = inputs.texts().get(&Input::Cps.to_string()).map(String::as_str);
    if let Some(before) = state.cps.as_deref().filter(|before| Some(*before) != now) {
        compare(report, Input::Cps, CPS, &Tree::of(before), &inputs.cps_entries());
    }
}

fn compare(
    report: &mut Report<'_>,
    input: Input,
    entries: &[(&str, Way)],
    before: &Tree,
    after: &Tree,
) {
    let paths: BTreeSet<&str> = before.paths().chain(after.paths()).collect();
    for path in paths {
        let Some((_, way)) = entries.iter().find(|(pattern, _)| fits(pattern, path)) else {
            continue;
        };
        let (was, now) = (before.at(path), after.at(path));
        // Of a requirement or duty that is gone as a whole nothing else is said, and of a duty that
        // was not there nothing.
        let table = path.rsplit_once('.').map_or("", |(table, _)| table);
        let duty = table.starts_with("duty.");
        let was_there = before.at(table).value.is_some();
        let is_gone = (input == Input::Cps || duty) && was_there && after.at(table).value.is_none();
        if is_gone
            || (duty && !was_there)
            || !is_weaker(*way, was.value.as_ref(), now.value.as_ref())
        {
            continue;
        }
        let shown = |value: Option<&Value>| value.map(written);
        let asked = match (way, shown(was.value.as_ref())) {
            (Way::Gone, _) => says!("以前は [{path}] あり", "[{path}], as before"),
            (_, Some(was)) => says!("以前は {path} = {was}", "{path} = {was}, as before"),
            (_, None) => says!("以前は {path} なし", "no {path}, as before"),
        };
        let advice = if input == Input::Cps {
            says!(
                "意図した変更かを、運用規程を承認する者が確かめる",
                "those who approve the CP/CPS see whether this is meant"
            )
        } else {
            says!(
                "意図した変更かを、ポリシーを承認する者が確かめる",
                "those who approve the policy see whether this is meant"
            )
        };
        let found = shown(now.value.as_ref()).map_or_else(Bilingual::none, Bilingual::plain);
        report.refuse(input, now.span, asked, found, advice);
    }
}

/// Whether a path is one of a pattern.
fn fits(pattern: &str, path: &str) -> bool {
    let (mut asked, mut found) = (pattern.split('.'), path.split('.'));
    loop {
        match (asked.next(), found.next()) {
            (None, None) => return true,
            (Some(asked), Some(found)) if asked == "*" || asked == found => {}
            (Some(_), _) | (None, Some(_)) => return false,
        }
    }
}

fn is_weaker(way: Way, was: Option<&Value>, now: Option<&Value>) -> bool {
    let order = || Amount::of(now?)?.compared(&Amount::of(was?)?);
    let lacks = |from: Option<&Value>, to: Option<&Value>| {
        let items = |of: Option<&Value>| -> Vec<String> {
            of.and_then(Value::as_array).into_iter().flatten().map(written).collect()
        };
        let there = items(to);
        items(from).iter().any(|item| !there.contains(item))
    };
    match way {
        Way::Less => was.is_some() && order().is_none_or(|order| order == Ordering::Less),
        // Spans that cannot be compared may be longer.
        Way::More => {
            was.is_some() && was != now && order().is_none_or(|order| order == Ordering::Greater)
        }
        Way::Without => lacks(was, now),
        Way::With => lacks(now, was),
        Way::Other => was != now,
        Way::Changed => was.is_some() && was != now,
        Way::Word(word) => was.and_then(Value::as_str) == Some(word) && was != now,
        Way::New => was.is_none() && now.is_some(),
        Way::Gone => was.is_some() && now.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Value> {
        Tree::of(&alloc::format!("a = {text}")).at("a").value
    }

    #[test]
    fn what_asks_less_is_weaker() {
        for (way, was, now, weaker) in [
            (Way::Less, "2", "1", true),
            (Way::Less, "2", "3", false),
            (Way::More, "\"3 months\"", "\"100 days\"", true),
            (Way::More, "\"3 months\"", "\"2 months\"", false),
            (Way::More, "30", "60", true),
            (Way::Without, "[1, 2]", "[2]", true),
            (Way::Without, "[1, 2]", "[3, 2, 1]", false),
            (Way::With, "[1]", "[1, 2]", true),
            (Way::With, "[1, 2]", "[1]", false),
            (Way::Other, "\"a\"", "\"b\"", true),
            (Way::Changed, "1", "2", true),
            (Way::Changed, "1", "1", false),
            (Way::Word("each"), "\"each\"", "\"at-close\"", true),
            (Way::Word("each"), "\"at-close\"", "\"each\"", false),
            (Way::Without, "[{ of = 1 }, { of = 2 }]", "[{ of = 2 }]", true),
            (Way::Other, "\"a\"", "\"a\"", false),
        ] {
            assert_eq!(is_weaker(way, of(was).as_ref(), of(now).as_ref()), weaker, "{was} {now}");
        }
        assert!(is_weaker(Way::Less, of("1").as_ref(), None));
        assert!(is_weaker(Way::Other, of("true").as_ref(), None));
        assert!(!is_weaker(Way::Less, None, of("1").as_ref()));
        assert!(is_weaker(Way::Word("each"), of("\"each\"").as_ref(), None));
        assert!(is_weaker(Way::New, None, of("1").as_ref()));
        assert!(!is_weaker(Way::New, of("1").as_ref(), None));
        assert!(is_weaker(Way::Gone, of("{ a = 1 }").as_ref(), None));
        assert!(!is_weaker(Way::Changed, None, of("1").as_ref()));
    }

    #[test]
    fn a_pattern_stands_for_names() {
        assert!(fits("act.*.by.*", "act.copy.by.custodian"));
        assert!(!fits("act.*.by.*", "act.copy.by"));
        assert!(!fits("act.*.by", "act.copy.section"));
    }
    #[test]
    fn what_protects_appointments_and_accounts_is_listed() {
        for (entries, path) in [
            (ENTRIES, "decision.appointment.letter"),
            (ENTRIES, "decision.release.by"),
            (ENTRIES, "decision.approval.keyless.trusted-root"),
            (ENTRIES, "decision.approval.keyless.person.p01.identity"),
            (ENTRIES, "act.roll-call.signed"),
            (ENTRIES, "training.newer"),
            (ENTRIES, "duty.log-inspection"),
            (ENTRIES, "duty.log-inspection.every"),
            (CPS, "document.approved-by"),
            (CPS, "rule.R-ROOT"),
        ] {
            assert!(entries.iter().any(|(pattern, _)| fits(pattern, path)), "{path}");
        }
    }
}
