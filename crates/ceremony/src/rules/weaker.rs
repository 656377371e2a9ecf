//! What a policy asks less than that of the ceremony before: reported, so that no reviewer
//! overlooks it. The CP/CPS refuses what is too little; this says what became less.

use alloc::collections::BTreeSet;
use alloc::string::String;
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
}

/// The entries of a policy that keep a ceremony safe; `*` stands for any name.
const ENTRIES: &[(&str, Way)] = &[
    ("act.*.by.*", Way::Less),
    ("role.*.at-least", Way::Less),
    ("role.*.each-organization", Way::Other),
    ("role.*.operator", Way::Other),
    ("separate.pairs", Way::Without),
    ("decision.*.by", Way::Other),
    ("decision.*.of", Way::Other),
    ("decision.*.letter", Way::With),
    ("decision.*.within", Way::More),
    ("training.max-months", Way::More),
    ("clock.max-offset-seconds", Way::More),
    ("journal.sheets-per-head", Way::More),
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
];

/// S-WEAKER: reports each entry of the policy that asks less than in the ceremony before.
pub(super) fn weaker(report: &mut Report<'_>) {
    let Some(before) = report.state.policy.as_deref().map(Tree::of) else { return };
    let inputs = report.inputs;
    let paths: BTreeSet<&str> = before.paths().chain(inputs.entries().paths()).collect();
    for path in paths {
        let Some((_, way)) = ENTRIES.iter().find(|(pattern, _)| fits(pattern, path)) else {
            continue;
        };
        let (was, now) = (before.at(path), inputs.entry(path));
        if !is_weaker(*way, was.value.as_ref(), now.value.as_ref()) {
            continue;
        }
        let shown = |value: Option<&Value>| value.map(written);
        let asked = match shown(was.value.as_ref()) {
            Some(was) => says!("以前は {path} = {was}", "{path} = {was}, as before"),
            None => says!("以前は {path} なし", "no {path}, as before"),
        };
        report.refuse(
            Input::Policy,
            now.span,
            asked,
            shown(now.value.as_ref()).map_or_else(Bilingual::none, Bilingual::plain),
            says!(
                "意図した変更かを、ポリシーを承認する者が確かめる",
                "those who approve the policy see whether this is meant"
            ),
        );
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
            (Way::Other, "\"a\"", "\"a\"", false),
        ] {
            assert_eq!(is_weaker(way, of(was).as_ref(), of(now).as_ref()), weaker, "{was} {now}");
        }
        assert!(is_weaker(Way::Less, of("1").as_ref(), None));
        assert!(is_weaker(Way::Other, of("true").as_ref(), None));
        assert!(!is_weaker(Way::Less, None, of("1").as_ref()));
    }

    #[test]
    fn a_pattern_stands_for_names() {
        assert!(fits("act.*.by.*", "act.copy.by.custodian"));
        assert!(!fits("act.*.by.*", "act.copy.by"));
        assert!(!fits("act.*.by", "act.copy.section"));
    }
}
