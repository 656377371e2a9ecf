//! Rules on the plan itself: order, time, keys, certificates, the CRL batch.

use alloc::format;
use alloc::string::ToString;

use super::{Report, all, is_known};
use crate::compile::generation;
use crate::plan::After;
use crate::violation::Input;

/// S-AFTER: a plan names the ceremony it comes after; a CA's first comes after nothing.
pub(super) fn after(report: &mut Report<'_>) {
    let after = &report.inputs.plan.after;
    if let After::Ceremony(name) = after.get_ref() {
        report.refuse(
            Input::Plan,
            after.span(),
            format!("a ledger that holds `{name}`"),
            "no ledger",
            "a CA's first ceremony comes after \"nothing\"",
        );
    }
}

/// S-SEQUENCE: sequences begin at 1 and leave room in a CRL number.
pub(super) fn sequence(report: &mut Report<'_>) {
    let sequence = &report.inputs.plan.sequence;
    if !(1..=0x7fff_ffff).contains(sequence.get_ref()) {
        report.refuse(
            Input::Plan,
            sequence.span(),
            "a sequence from 1 to 2147483647",
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

/// S-KEYS: a first ceremony makes exactly the key of generation 1, `g1`; names say the generation.
pub(super) fn keys(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for name in plan.key.keys() {
        if generation(name.get_ref()).is_none() {
            report.refuse(
                Input::Plan,
                name.span(),
                "a root key named for its generation: g1 to g16",
                name.get_ref().to_string(),
                "rename the key",
            );
        }
    }
    let first = plan.key.keys().filter(|name| generation(name.get_ref()) == Some(1)).count();
    if first != 1 || plan.key.len() != 1 {
        report.refuse(
            Input::Plan,
            plan.ceremony.span(),
            "a first ceremony that makes one root key, g1",
            format!("{} keys", plan.key.len()),
            "write [key.g1] and no other",
        );
    }
}

/// S-REFERENCE: a certificate's key is a key of the plan.
pub(super) fn references(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for certificate in plan.certificate.values() {
        let key = &certificate.key;
        if !plan.key.keys().any(|name| name.get_ref() == key.get_ref()) {
            report.refuse(
                Input::Plan,
                key.span(),
                "a key of this plan",
                key.get_ref().to_string(),
                "write its [key.…] table, or correct the name",
            );
        }
    }
}

/// R-CERT-KINDS: the root CA issues the kinds of certificate of 1.3.1 and no other; a first
/// ceremony, its root.
pub(super) fn certificate_kinds(report: &mut Report<'_>) {
    for certificate in report.inputs.plan.certificate.values() {
        let profile = &certificate.profile;
        if profile.get_ref().as_str() != "root" {
            report.refuse(
                Input::Plan,
                profile.span(),
                "the profile `root`",
                profile.get_ref().to_string(),
                "a first ceremony issues the self-signed root certificate only",
            );
        }
    }
}

/// R-NO-RENEW: no key is certified twice by itself (4.6); R-ROOT: and each root key once.
pub(super) fn one_root_each(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for name in plan.key.keys() {
        let of_key = plan.certificate.values().filter(|c| c.key.get_ref() == name.get_ref());
        let count = of_key.count();
        if count != 1 {
            report.refuse(
                Input::Plan,
                name.span(),
                format!("one self-signed certificate over {}", name.get_ref()),
                count.to_string(),
                "a certificate is not renewed without a new key",
            );
        }
    }
}

/// R-ROOT: notBefore is the day of issue, 00:00 in Japan, which is the day of the window (7.1.2.1,
/// D9).
pub(super) fn root_begins(report: &mut Report<'_>) {
    let day = report.at().day();
    for certificate in report.inputs.plan.certificate.values() {
        let not_before = &certificate.not_before;
        if *not_before.get_ref() != day.start() {
            report.refuse(
                Input::Plan,
                not_before.span(),
                format!("notBefore {}", day.start()),
                not_before.get_ref().to_string(),
                "the root begins on the day on which its key is generated and it is issued",
            );
        }
    }
}

/// R-CRL-CADENCE: the next ceremony comes within three months, at most 90 days (4.9.7, D3), and
/// after this one.
pub(super) fn cadence(report: &mut Report<'_>) {
    let Some(crls) = &report.inputs.plan.crls else {
        let span = report.inputs.plan.ceremony.span();
        report.refuse(
            Input::Plan,
            span,
            "a batch of CRLs",
            "none",
            "write [crls] with the day of the next ceremony",
        );
        return;
    };
    let next = &crls.get_ref().next_ceremony;
    let days = next.get_ref().days_since(report.at().day());
    let most = i64::from(*report.inputs.policy.crl.max_interval_days.get_ref());
    if !(1..=most).contains(&days) {
        report.refuse(
            Input::Plan,
            next.span(),
            format!("a next ceremony 1 to {most} days after this one"),
            format!("{days} days"),
            "CRLs are issued again every three months at the latest",
        );
    }
}

/// S-CRL-BATCH: the batch, spare days included, is not larger than the policy allows (D1).
pub(super) fn batch(report: &mut Report<'_>) {
    let Some(crls) = &report.inputs.plan.crls else { return };
    let policy = &report.inputs.policy.crl;
    let next = &crls.get_ref().next_ceremony;
    let count =
        next.get_ref().days_since(report.at().day()) + i64::from(*policy.spare_days.get_ref());
    let most = i64::from(*policy.max_batch.get_ref());
    if count > most {
        report.refuse(
            Input::Plan,
            next.span(),
            format!("at most {most} daily CRLs for a key"),
            count.to_string(),
            "hold the next ceremony earlier",
        );
    }
}

/// S-CRL-END: no CRL outlives the root whose key signs it.
pub(super) fn crl_within_root(report: &mut Report<'_>) {
    let (plan, policy) = (&report.inputs.plan, &report.inputs.policy);
    let Some(crls) = &plan.crls else { return };
    let next = &crls.get_ref().next_ceremony;
    let last = i64::from(*policy.crl.spare_days.get_ref()) - 1
        + i64::from(*policy.crl.validity_days.get_ref());
    let Ok(end) = next.get_ref().plus_days(last) else { return };
    for certificate in plan.certificate.values() {
        let root_end = certificate.not_before.get_ref().plus(policy.root.validity.get_ref());
        if root_end.is_ok_and(|root_end| end.start() >= root_end) {
            report.refuse(
                Input::Plan,
                next.span(),
                "CRLs that end before the root does",
                format!("a last CRL that ends at {}", end.start()),
                "hold the next ceremony earlier",
            );
        }
    }
}

/// S-EXCEPTION: an exception names a rule that allows one, has a reason, two approvers of two roles
/// and an end ahead.
pub(super) fn exception(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let at = report.at();
    for exception in &inputs.plan.exception {
        let rule = exception.rule.get_ref();
        if !all().any(|known| known.id == rule && !known.must) {
            let known = is_known(rule);
            let found = if known { format!("{rule}, which allows none") } else { rule.clone() };
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
