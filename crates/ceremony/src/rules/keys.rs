//! Rules on root keys: their names, their use, their renewal and their end.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Report;
use crate::inputs::Inputs;
use crate::ledger::{ALARM_MONTHS, Certificate, Key, Standing, months_after};
use crate::name::Name;
use crate::plan::{Copy, PlanKey, ProfileName, generation};
use crate::policy::Backup;
use crate::rehearsal::RehearsalUse;
use crate::time::Instant;
use crate::violation::Input;

/// S-KEYS: names say the generation; a first ceremony makes exactly the key of generation 1, `g1`,
/// a later one at most the next generation's.
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
    let next = report.state.generation(RehearsalUse::Root) + 1;
    let of_next = plan.key.keys().filter(|name| generation(name.get_ref()) == Some(next)).count();
    let first = report.state.last.is_none();
    if of_next != plan.key.len() || plan.key.len() > 1 || (first && plan.key.is_empty()) {
        let asked = if first {
            "a first ceremony that makes one root key, g1".to_string()
        } else {
            format!("at most one new root key, g{next}")
        };
        let advice = if first {
            "write [key.g1] and no other".to_string()
        } else {
            format!("write [key.g{next}], or no key")
        };
        report.refuse(
            Input::Plan,
            plan.ceremony.span(),
            asked,
            format!("{} keys", plan.key.len()),
            &advice,
        );
    }
}

/// S-KEY-LEFT: a root key without its certificate, from an aborted ceremony, is destroyed by the
/// next plan: its day of issue is over (D9).
pub(super) fn left(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let left: Vec<Name> = report
        .state
        .root_keys()
        .filter(|(name, _)| report.state.root_of(name.as_str()).is_none())
        .map(|(name, _)| name.clone())
        .collect();
    for name in left {
        if !plan.destruction.keys().any(|key| *key.get_ref() == name) {
            report.refuse(
                Input::Plan,
                plan.ceremony.span(),
                format!("[destruction.{name}]: the key has no certificate, and its day is over"),
                "nothing",
                "destroy it; a new key takes its place",
            );
        }
    }
}

/// R-KEYLIFE: no certificate is signed by a key after its five years (5.6, 6.3.2; D37).
pub(super) fn key_life(report: &mut Report<'_>) {
    let (plan, policy) = (&report.inputs.plan, &report.inputs.policy);
    let until = *plan.window.get_ref().until.get_ref();
    for certificate in plan.certificate.values() {
        let Some(issuer) = &certificate.issuer else { continue };
        let Some(key) = report.state.keys.get(issuer.get_ref()) else { continue };
        let Ok(end) = key.use_ends(policy) else { continue };
        let later = certificate.not_before.as_ref().filter(|begins| *begins.get_ref() > end);
        let (place, asked, found) = if until > end {
            let asked = format!("a signature under {} not after {end}", issuer.get_ref());
            (issuer.span(), asked, format!("a ceremony until {until}"))
        } else if let Some(begins) = later {
            let asked = format!("a certificate under {} that begins by {end}", issuer.get_ref());
            (begins.span(), asked, begins.get_ref().to_string())
        } else {
            continue;
        };
        let advice = "let the next generation's key sign it";
        report.refuse(Input::Plan, place, asked, found, advice);
    }
}

/// R-ROLLOVER-LATEST: the next root key is certified not later than a month before the old
/// certificate expires (6.3.2; D14).
pub(super) fn rollover_latest(report: &mut Report<'_>) {
    for (name, _, root) in renewed(report) {
        let at = report.at();
        if months_after(at, 1).is_some_and(|later| later > root.not_after) {
            let end = root.not_after;
            report.refuse(
                Input::Plan,
                report.inputs.plan.ceremony.span(),
                format!("a new root key a month before the root of {name} ends, at {end}"),
                at.to_string(),
                "the old root can no longer be renewed in order; call the CA managers",
            );
        }
    }
}

/// R-ROLLOVER-EARLY: a root key that is renewed in its first 57 months says why, and a reason is
/// approved by the CA managers of both organisations (6.3.2; D14).
pub(super) fn rollover_early(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let given = plan.key.values().any(PlanKey::has_reason);
    for (name, key, _) in renewed(report) {
        let due = months_after(key.made_at, ALARM_MONTHS);
        let at = report.at();
        if due.is_some_and(|due| at < due) && !given {
            report.refuse(
                Input::Plan,
                plan.ceremony.span(),
                format!("a reason why {name} is renewed before its month {ALARM_MONTHS}"),
                "none",
                "write `reason` beside the new key's use, and who approved it",
            );
        }
    }
    for key in plan.key.values() {
        let said = key.reason.as_ref().map(toml::Spanned::span);
        let approved = key.approved_by.first().map(toml::Spanned::span);
        let Some(place) = said.or(approved) else { continue };
        if !key.has_reason() {
            report.refuse(Input::Plan, place.clone(), "a reason", "none", "say why it is early");
        }
        for asked in report.inputs.policy.cps.approved_by.iter().map(|o| o.get_ref()) {
            if !key.approved_by.iter().any(|o| o.get_ref() == asked) {
                report.refuse(
                    Input::Plan,
                    place.clone(),
                    format!("the approval of the CA manager of {asked}"),
                    "none",
                    "both organisations approve that a key is renewed early",
                );
            }
        }
    }
}

/// R-ROLLOVER-LINK: a new root key comes with both link certificates to the old one, unless that
/// one is compromised; links come with a new key, and only then (5.6, 4.7.6; D24).
pub(super) fn rollover_link(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let old: Vec<Name> = renewed(report).into_iter().map(|(name, _, _)| name).collect();
    let new: Vec<Name> = plan.key.keys().map(|name| name.get_ref().clone()).collect();
    for (profile, key, issuer) in
        [(ProfileName::OldWithNew, &old, &new), (ProfileName::NewWithOld, &new, &old)]
    {
        let links: Vec<_> =
            plan.certificate.iter().filter(|(_, c)| *c.profile.get_ref() == profile).collect();
        let asked = key.len().min(issuer.len()).min(old.len().min(1));
        let fits = |certificate: &crate::plan::PlanCertificate| {
            let is = |name: &Option<toml::Spanned<Name>>, asked: &[Name]| {
                name.as_ref().is_some_and(|name| asked.contains(name.get_ref()))
            };
            is(&certificate.key, key) && is(&certificate.issuer, issuer)
        };
        let good = links.iter().filter(|(_, certificate)| fits(certificate)).count();
        if good != asked || links.len() != asked {
            let place = links.first().map_or_else(|| plan.ceremony.span(), |(name, _)| name.span());
            report.refuse(
                Input::Plan,
                place,
                match asked {
                    0 => format!("no link certificate {}", profile.name()),
                    _ => format!("one link certificate {} of the two keys", profile.name()),
                },
                format!("{} of {}", good, links.len()),
                "a new root key and both its links come in one ceremony; a compromised key has none",
            );
        }
    }
}

/// R-DESTROY: a root key is destroyed with the approval of the CA managers of both organisations,
/// when it has no duty any more: its root has ended, or was handed to nobody, or all it signed is
/// revoked and another key signs the CRLs (6.2.10; D47).
pub(super) fn destruction(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let at = report.at();
    for (name, destruction) in &inputs.plan.destruction {
        let Some(key) = live_key(report, name.get_ref()) else {
            report.refuse(
                Input::Plan,
                name.span(),
                "a root key of the ledger that exists",
                name.get_ref().to_string(),
                "correct the name",
            );
            continue;
        };
        let approved: Vec<&Name> = destruction.approved_by.iter().map(|o| o.get_ref()).collect();
        for asked in inputs.policy.cps.approved_by.iter().map(|o| o.get_ref()) {
            if !approved.contains(&asked) {
                report.refuse(
                    Input::Plan,
                    name.span(),
                    format!("the approval of the CA manager of {asked}"),
                    "none",
                    "both organisations approve a destruction",
                );
            }
        }
        if destruction.reason.get_ref().trim().is_empty() {
            let span = destruction.reason.span();
            report.refuse(Input::Plan, span, "a reason", "none", "say why it has no duty any more");
        }
        if let Some(duty) = duty(report, name.get_ref(), key, at) {
            report.refuse(
                Input::Plan,
                name.span(),
                format!("a key {} without duties", name.get_ref()),
                duty,
                "wait until its root has ended",
            );
        }
    }
}

/// R-BACKUP: a copy is of a root key that lives on or is made here and may be copied, goes to a
/// token that does not hold it, and proves itself by a CRL (6.2.4; D26).
pub(super) fn copies(report: &mut Report<'_>) {
    for (name, copy) in &report.inputs.plan.copy {
        if let Some(found) = no_copy(report, name.get_ref(), copy) {
            report.refuse(
                Input::Plan,
                name.span(),
                "a root key that may be copied, a token without it, and a CRL that the copy signs",
                found,
                "the policy's key.backup was fixed when the key was made",
            );
        }
    }
}

/// Why a copy cannot be made, or would be of no use.
fn no_copy(report: &Report<'_>, name: &Name, copy: &Copy) -> Option<&'static str> {
    let plan = &report.inputs.plan;
    let (key, token) = (copy.key.get_ref(), copy.token.get_ref());
    let found = live_key(report, key);
    let made = plan.key.keys().any(|made| made.get_ref() == key);
    let backup = match found {
        Some(key) => Some(key.backup),
        None => made.then_some(*report.inputs.policy.root.backup.get_ref()),
    };
    match backup {
        None => return Some("no such root key"),
        Some(Backup::None) => return Some("a key that was made to have no backup"),
        Some(Backup::WrapTrusted | Backup::Vendor) => {}
    }
    if plan.destruction.keys().any(|gone| gone.get_ref() == key) {
        return Some("a key that this plan destroys");
    }
    let judged = plan.compromise.keys().any(|judged| judged.get_ref() == key);
    if judged || found.is_some_and(|key| key.compromised.is_some()) {
        return Some("a compromised key");
    }
    let held = report.state.spares.get(token).is_some_and(|s| s.copies.contains(key));
    let before = || plan.copy.iter().take_while(|(other, _)| other.get_ref() != name);
    let of_key = || before().filter(|(_, other)| other.key.get_ref() == key);
    if held || of_key().any(|(_, other)| other.token.get_ref() == token) {
        return Some("a token that holds it already");
    }
    if crls_of(report, key) <= of_key().count() {
        return Some("no CRL that the copy signs");
    }
    copy.kept.get_ref().trim().is_empty().then_some("no word of where and by whom it is kept")
}

/// How many CRLs a root key signs in this ceremony: one a day, none that outlives its root.
fn crls_of(report: &Report<'_>, key: &Name) -> usize {
    let Inputs { plan, policy, .. } = report.inputs;
    let Some(crls) = &plan.crls else { return 0 };
    let root_ends = report.state.root_of(key.as_str()).map(|root| root.not_after);
    let first = report.at().day();
    let next = crls.get_ref().next_ceremony.get_ref();
    let most = i64::from(*policy.crl.max_batch.get_ref());
    let days = next.days_since(first) + i64::from(*policy.crl.spare_days.get_ref());
    let validity = i64::from(*policy.crl.validity_days.get_ref());
    let ends = (0..days.min(most)).filter_map(|day| first.plus_days(day + validity).ok());
    ends.filter(|end| root_ends.is_none_or(|root_ends| end.start() <= root_ends)).count()
}

/// What a root key is still needed for.
fn duty(report: &Report<'_>, name: &Name, key: &Key, at: Instant) -> Option<String> {
    let root = report.state.root_of(name.as_str())?;
    if root.not_after < at || root.standing == Standing::Withheld {
        return None;
    }
    let relied_on = |certificate: &&Certificate| {
        certificate.issuer == *name
            && certificate.standing == Standing::Issued
            && certificate.not_after >= at
    };
    if let Some(certificate) = report.state.certificates.values().find(relied_on) {
        return Some(format!("{} is valid until {}", certificate.subject, certificate.not_after));
    }
    let successor = report.state.issuing_key().is_some_and(|(other, _)| other != name);
    (key.compromised.is_none() || !successor)
        .then(|| format!("its CRLs are asked for until {}", root.not_after))
}

/// The root keys that a new key of this plan takes over from: the latest that is neither destroyed
/// nor compromised. One that was renewed before, and whose successor is compromised, signs no link
/// after its five years, and is not taken over from.
fn renewed(report: &Report<'_>) -> Vec<(Name, Key, Certificate)> {
    if report.inputs.plan.key.is_empty() {
        return Vec::new();
    }
    let Some((name, key)) = report.state.issuing_key() else { return Vec::new() };
    let compromised = report.inputs.plan.compromise.keys().any(|c| c.get_ref() == name);
    let renewed_before = key.generation < report.state.generation(RehearsalUse::Root);
    let until = *report.inputs.plan.window.get_ref().until.get_ref();
    let over = key.use_ends(&report.inputs.policy).is_ok_and(|end| until > end);
    let never = compromised || (renewed_before && over);
    let root = report.state.root_of(name.as_str()).filter(|_| !never);
    root.map(|root| (name.clone(), key.clone(), root.clone())).into_iter().collect()
}

fn live_key<'a>(report: &Report<'a>, name: &Name) -> Option<&'a Key> {
    report.state.root_keys().find(|(found, _)| *found == name).map(|(_, key)| key)
}

/// R-ROLLOVER: from month 57 on, a root key without successor is reported (6.3.2; D14).
pub(super) fn rollover_due(report: &mut Report<'_>) {
    let Some((name, key)) = report.state.issuing_key() else { return };
    let (name, made_at) = (name.clone(), key.made_at);
    let due = months_after(made_at, ALARM_MONTHS);
    let at = report.at();
    if report.inputs.plan.key.is_empty() && due.is_some_and(|due| at >= due) {
        report.refuse(
            Input::Plan,
            report.inputs.plan.ceremony.span(),
            format!("a successor of {name}, which was made at {made_at}"),
            format!("none in its month {ALARM_MONTHS} or later"),
            "plan the rollover; its certificate must be issued a month before the old one ends",
        );
    }
}

/// R-KEYLIFE: CRLs of a key whose five years are over are reported: 6.3.2 has no exception, 4.9.7
/// asks for them all the same (D7).
pub(super) fn crls_after_use(report: &mut Report<'_>) {
    let Some(crls) = &report.inputs.plan.crls else { return };
    let at = report.at();
    let over: Vec<(Name, Instant)> = report
        .state
        .root_keys()
        .filter_map(|(name, key)| {
            let end = key.use_ends(&report.inputs.policy).ok()?;
            let root = report.state.root_of(name.as_str())?;
            (at > end && at <= root.not_after).then(|| (name.clone(), end))
        })
        .collect();
    for (name, end) in over {
        report.refuse(
            Input::Plan,
            crls.span(),
            format!("keys that are used until {end}"),
            format!("CRLs of {name} after that day"),
            "they are asked for until its root ends (4.9.7; D7)",
        );
    }
}
