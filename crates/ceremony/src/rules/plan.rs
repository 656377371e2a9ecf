//! Rules on the plan itself: its place in the ledger, its time, its exceptions.

use alloc::format;
use alloc::string::ToString;

use super::{Report, Rule, Stage, all};
use crate::plan::After;
use crate::rule::RuleId;
use crate::violation::Input;

/// S-AFTER: a plan names the ceremony it comes after, the last of the ledger; a CA's first comes
/// after nothing. It begins when that one has ended.
pub(super) fn after(report: &mut Report<'_>) {
    let after = &report.inputs.plan.after;
    let last = report.state.last.as_ref();
    let asked = last.map_or("nothing", |last| last.ceremony.as_str());
    let found = match after.get_ref() {
        After::Nothing => "nothing",
        After::Ceremony(name) => name.as_str(),
    };
    if asked != found {
        report.refuse(
            Input::Plan,
            after.span(),
            format!("after = \"{asked}\", the last ceremony of the ledger"),
            found,
            "a ledger has no forks: name its last ceremony, or bring the ledger that holds it",
        );
    }
    if let Some(last) = last.filter(|last| report.at() < last.ended_at) {
        report.refuse(
            Input::Plan,
            report.inputs.plan.window.get_ref().from.span(),
            format!("a beginning after {} ended, at {}", last.ceremony, last.ended_at),
            report.at().to_string(),
            "hold it later",
        );
    }
    let name = &report.inputs.plan.ceremony;
    if report.state.ceremonies.contains_key(name.get_ref()) {
        report.refuse(
            Input::Plan,
            name.span(),
            "a name that no ceremony of the ledger has",
            name.get_ref().to_string(),
            "choose another",
        );
    }
}

/// S-SEQUENCE: sequences begin at 1, rise, and leave room in a CRL number.
pub(super) fn sequence(report: &mut Report<'_>) {
    let sequence = &report.inputs.plan.sequence;
    let highest = report.state.ceremonies.values().map(|(_, sequence)| *sequence).max();
    let lowest = highest.map_or(1, |highest| highest.saturating_add(1));
    if !(lowest..=0x7fff_ffff).contains(sequence.get_ref()) {
        report.refuse(
            Input::Plan,
            sequence.span(),
            format!("a sequence from {lowest} to 2147483647"),
            sequence.get_ref().to_string(),
            "count on from the highest sequence in the ledger, aborted ceremonies included",
        );
    }
}

/// S-WINDOW: a window has a beginning before its end, on one day in Japan (D9).
pub(super) fn window(report: &mut Report<'_>) {
    let window = &report.inputs.plan.window;
    let (from, until) = (*window.get_ref().from.get_ref(), *window.get_ref().until.get_ref());
    if from >= until || from.day() != until.day() {
        report.refuse(
            Input::Plan,
            window.span(),
            "a window that begins before it ends, on one day in Japan",
            format!("{from} until {until}"),
            "a key is generated and certified on one day",
        );
    }
}

/// S-SERIALS: the seed of serial numbers comes from a CSPRNG.
pub(super) fn serials(report: &mut Report<'_>) {
    let serials = &report.inputs.plan.serials;
    let distinct: alloc::collections::BTreeSet<u8> = serials.get_ref().0.into_iter().collect();
    // 256 random bits have fewer than 16 distinct octets once in more than 10^19 draws.
    if distinct.len() < 16 {
        report.refuse(
            Input::Plan,
            serials.span(),
            "256 bits from a CSPRNG",
            format!("only {} distinct octets", distinct.len()),
            "take it from `openssl rand -hex 32`",
        );
    }
    if report.state.seeds.contains(&serials.get_ref().0) {
        report.refuse(
            Input::Plan,
            serials.span(),
            "256 bits that no ceremony of this CA used before",
            "those of an earlier ceremony",
            "take new ones from `openssl rand -hex 32`",
        );
    }
}

/// R-CPS-IN-FORCE: the ceremony lies in the period in which this version of the CP/CPS is in force
/// (1.5.3, 9.10.1).
pub(super) fn cps_in_force(report: &mut Report<'_>) {
    let cps = &report.inputs.policy.cps;
    let at = report.at();
    let ended = cps.until.as_ref().is_some_and(|until| at >= *until.get_ref());
    if at < *cps.from.get_ref() || ended {
        let from = cps.from.get_ref();
        let window = report.inputs.plan.window.get_ref().from.span();
        report.refuse(
            Input::Plan,
            window,
            format!(
                "a ceremony while version {} of the CP/CPS is in force, from {from}",
                cps.version.get_ref()
            ),
            at.to_string(),
            "take the policy of the version that is in force on that day",
        );
    }
}

/// What refuses and is no `must`: what is only reported needs no exception.
const fn allows_exception(rule: &Rule) -> bool {
    matches!(rule.stage, Stage::Plan(_)) && !rule.must
}

/// S-EXCEPTION: an exception names a rule that allows one, has a reason, two approvers of two roles
/// and an end ahead.
pub(super) fn exception(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let at = report.at();
    for exception in &inputs.plan.exception {
        let rule = exception.rule.get_ref();
        let known = RuleId::of(rule);
        if !all().any(|row| Some(row.id) == known && allows_exception(&row)) {
            let found = known.map_or_else(|| rule.clone(), |id| format!("{id}, which allows none"));
            report.refuse(
                Input::Plan,
                exception.rule.span(),
                "a rule that allows an exception",
                found,
                "remove the exception; change the plan so that it keeps the rule",
            );
        }
        if exception.reason.get_ref().trim().is_empty() {
            report.refuse(Input::Plan, exception.reason.span(), "a reason", "none", "say why");
        }
        if *exception.until.get_ref() <= at {
            report.refuse(
                Input::Plan,
                exception.until.span(),
                format!("an end after {at}"),
                exception.until.get_ref().to_string(),
                "an expired exception covers nothing",
            );
        }
        let mut roles = alloc::collections::BTreeSet::new();
        let mut people = alloc::collections::BTreeSet::new();
        for person in &exception.approved_by {
            let id = person.get_ref();
            let Some(found) = inputs.roster.person.get(id.as_str()) else {
                report.refuse(
                    Input::Plan,
                    person.span(),
                    "a person of the roster",
                    id.to_string(),
                    "",
                );
                continue;
            };
            people.insert(id);
            roles.extend(found.roles.iter().map(toml::Spanned::get_ref));
        }
        if people.len() < 2 || roles.len() < 2 {
            report.refuse(
                Input::Plan,
                exception.rule.span(),
                "two approvers of two roles",
                format!("{} of {}", people.len(), roles.len()),
                "let another role approve it too",
            );
        }
    }
}
