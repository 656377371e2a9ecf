//! What the CP/CPS demands of the policy: the one comparison of `cps.toml` with `policy.toml`.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use toml::Value;

use crate::canonical::written;
use crate::cps::{Amount, Demand, Requirement, RequirementId};
use crate::inputs::Inputs;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::violation::{Input, Violation};

/// Judges every demand of the CP/CPS, by requirement.
///
/// A requirement whose id is no rule of the engine is refused under R-CPS, with its own id in the
/// advice.
pub(super) fn judge(inputs: &Inputs) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (id, requirement) in &inputs.cps.rule {
        for demand in &requirement.demand {
            violations.extend(unmet(inputs, id.get_ref(), requirement, demand));
        }
    }
    violations
}

/// Returns the violations of one demand, one for each thing that it asks and the entry lacks.
fn unmet(
    inputs: &Inputs,
    id: &RequirementId,
    requirement: &Requirement,
    demand: &Demand,
) -> Vec<Violation> {
    let entry = inputs.entry(demand.of.get_ref());
    let found = entry.value.as_ref();
    let shown = || found.map_or_else(Bilingual::none, |value| Bilingual::plain(written(value)));
    let rule = RuleId::of(id.as_str()).unwrap_or(RuleId::R_CPS);
    let advice = || {
        let said = requirement.said();
        let of = demand.of.get_ref();
        match found {
            Some(_) => {
                says!(said; "cps.toml の [rule.{id}]: {said}", "[rule.{id}] of cps.toml: {said}")
            }
            None => says!(
                said;
                "cps.toml の [rule.{id}]: {said}。policy.toml に {of} がない。そこに書くか、cps.toml の `of` を正す",
                "[rule.{id}] of cps.toml: {said}. policy.toml has no {of}: write it there, or correct `of` in cps.toml"
            ),
        }
    };
    asked(demand, found)
        .into_iter()
        .map(|asked| {
            let place = entry.span.clone();
            Violation::at(Input::Policy, place, rule, asked, shown(), advice())
                .under(&requirement.clause)
        })
        .collect()
}

/// Returns what a demand asks and the entry does not hold.
fn asked(demand: &Demand, found: Option<&Value>) -> Vec<Bilingual> {
    let Demand { of, is, at_least, at_most, one_of, holds, sum_at_least } = demand;
    let of = of.get_ref();
    let mut asked = Vec::new();
    if let Some(value) = is.as_ref().filter(|value| !found.is_some_and(|f| same(f, value))) {
        asked.push(Bilingual::plain(alloc::format!("{of} = {}", written(value))));
    }
    let amount = found.and_then(Amount::of);
    let beyond = |limit: &Amount, out: Ordering| {
        let compared = amount.as_ref().and_then(|amount| amount.compared(limit));
        compared.is_none_or(|order| order == out)
    };
    if let Some(least) = at_least.as_ref().filter(|least| beyond(least, Ordering::Less)) {
        asked.push(says!("{of} は {least} 以上", "{of} of at least {least}"));
    }
    if let Some(most) = at_most.as_ref().filter(|most| beyond(most, Ordering::Greater)) {
        asked.push(says!("{of} は {most} 以下", "{of} of at most {most}"));
    }
    if let Some(values) = one_of
        && !found.is_some_and(|found| values.iter().any(|value| same(found, value)))
    {
        let listed = values.iter().map(written).collect::<Vec<String>>();
        let (ja, en) = (listed.join("、"), listed.join(" or "));
        asked.push(says!("{of} は {ja} のいずれか", "{of} = {en}"));
    }
    for value in holds.iter().flatten() {
        let items = found.and_then(Value::as_array);
        if !items.is_some_and(|items| items.iter().any(|item| same(item, value))) {
            let value = written(value);
            asked.push(says!("{of} に {value} を含む", "{value} in {of}"));
        }
    }
    if let Some(least) = sum_at_least
        && sum(found) < i64::from(*least)
    {
        asked.push(says!("{of} の合計が {least} 以上", "{of} of at least {least} in all"));
    }
    asked
}

/// Returns the sum of a table's numbers; 0 if there are none.
fn sum(found: Option<&Value>) -> i64 {
    let entries = found.and_then(Value::as_table).into_iter().flatten();
    entries.filter_map(|(_, value)| value.as_integer()).fold(0, i64::saturating_add)
}

/// Whether two values mean the same. The order of a list means nothing.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            let within = |items: &[Value], all: &[Value]| {
                items.iter().all(|item| all.iter().any(|other| same(item, other)))
            };
            one.len() == other.len() && within(one, other) && within(other, one)
        }
        (one, other) => one == other,
    }
}

/// S-CPS: every requirement is judged: it demands something, has the id of a rule, names the rules
/// that meet it, or says where it is met; and every rule of behaviour is in force or named as one
/// that the CP/CPS does not have.
pub(super) fn complete(report: &mut super::Report<'_>) {
    let cps = &report.inputs.cps;
    for (id, requirement) in &cps.rule {
        let known = RuleId::of(id.get_ref().as_str()).is_some();
        for rule in requirement.by.iter().filter(|rule| RuleId::of(rule.get_ref()).is_none()) {
            report.refuse(
                Input::Cps,
                rule.span(),
                says!("docs/rules.md にある規則", "a rule of docs/rules.md"),
                Bilingual::plain(rule.get_ref()),
                says!("ID を正す", "correct the id"),
            );
        }
        let judged = known || !requirement.demand.is_empty() || !requirement.by.is_empty();
        if !judged && requirement.elsewhere.is_none() {
            report.refuse(
                Input::Cps,
                id.span(),
                says!(
                    "規則の ID、`demand`、`by`、`elsewhere` のいずれか",
                    "the id of a rule, a `demand`, `by` or `elsewhere`"
                ),
                says!("何も判定されない {0}", "{0}, by which nothing is judged", id.get_ref()),
                says!(
                    "ID を正すか、ポリシーに求めること、又は満たす場所を書く",
                    "correct the id, say what is demanded of the policy, or say where it is met"
                ),
            );
        }
        for demand in requirement.demand.iter().filter(|demand| !demand.asks()) {
            report.refuse(
                Input::Cps,
                demand.of.span(),
                says!("ポリシーの項目に求めること", "what is demanded of the entry"),
                Bilingual::nothing(),
                says!(
                    "is、at-least、at-most、one-of、holds、sum-at-least のいずれかを書く",
                    "write is, at-least, at-most, one-of, holds or sum-at-least"
                ),
            );
        }
    }
    let without: Vec<_> = cps.document.without.iter().collect();
    for rule in super::behaviour() {
        let stated = cps.requirement(rule).is_some();
        let absent = without.iter().find(|id| id.get_ref() == rule.as_str());
        let found = match (stated, absent) {
            (true, None) | (false, Some(_)) => continue,
            (true, Some(_)) => says!("両方にある {rule}", "{rule} in both"),
            (false, None) => says!("どちらにもない {rule}", "{rule} in neither"),
        };
        report.refuse(
            Input::Cps,
            absent.map_or_else(|| cps.document.version.span(), |id| id.span()),
            says!("[rule] 又は `without` にある規則", "a rule in [rule] or in `without`"),
            found,
            says!(
                "運用規程がこの規則を持つかを確かめ、持てば [rule.{rule}]、持たなければ `without` に書く",
                "see whether the CP/CPS has this rule: write [rule.{rule}] if it does, name it in `without` if not"
            ),
        );
    }
    let behaviour: Vec<RuleId> = super::behaviour().collect();
    for id in &cps.document.without {
        if !behaviour.iter().any(|rule| rule.as_str() == id.get_ref()) {
            report.refuse(
                Input::Cps,
                id.span(),
                says!("運用規程の定める規則の ID", "the id of a rule that a CP/CPS may do without"),
                Bilingual::plain(id.get_ref()),
                says!("この項目を除くか、ID を正す", "remove it, or correct the id"),
            );
        }
    }
}
