//! Rules on the batch of daily CRLs.

use alloc::format;
use alloc::string::ToString;

use super::Report;
use crate::plan::{ApplicationKind, ProfileName};
use crate::violation::Input;

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

/// 4.9.8: within 48 hours; of the approval, or of the judgement, as D17 decides.
const PROMPT_SECONDS: i64 = 48 * 3600;

/// R-CRL-CADENCE: what was approved to be revoked, or judged to be compromised, is on a CRL within
/// 48 hours (4.9.7, 4.9.8; D17). Once that time has passed an exception says why: a late CRL is
/// better than none.
pub(super) fn prompt(report: &mut Report<'_>) {
    let (plan, at) = (&report.inputs.plan, report.at());
    let applications = plan.application.iter();
    let revocations =
        applications.filter(|(_, a)| *a.kind.get_ref() == ApplicationKind::Revocation);
    let approved = revocations.map(|(name, application)| {
        (&application.approved.at, format!("the approval of {}", name.get_ref()))
    });
    let judged = plan.compromise.iter().map(|(key, compromise)| {
        (&compromise.judged_at, format!("the judgement on {}", key.get_ref()))
    });
    for (since, what) in approved.chain(judged) {
        let latest = since.get_ref().plus_seconds(PROMPT_SECONDS);
        if at > latest {
            report.refuse(
                Input::Plan,
                since.span(),
                format!("a ceremony within 48 hours of {what}, by {latest}"),
                format!("one that begins at {at}"),
                "hold it earlier; if that cannot be done any more, an exception says why",
            );
        }
    }
}

/// R-CRL-CADENCE: a ceremony after the day that the last one planned for it, or after the last CRL
/// has run out, is reported (4.9.7).
pub(super) fn late(report: &mut Report<'_>) {
    let Some(batch) = report.state.batches.iter().rev().find(|batch| batch.issued) else { return };
    let at = report.at();
    let ceremony = &batch.ceremony;
    let planned = batch.next_ceremony.filter(|day| at.day() > *day);
    let run_out = report.state.run_out(at).filter(|(_, ends)| *ends <= at);
    let asked = match (run_out.min_by_key(|(_, ends)| *ends), planned) {
        (Some((key, ends)), _) => {
            format!("a ceremony before the last CRL of {key} runs out, at {ends}")
        }
        (None, Some(day)) => format!("a ceremony by {day}, as {ceremony} planned it"),
        (None, None) => return,
    };
    report.refuse(
        Input::Plan,
        report.inputs.plan.window.get_ref().from.span(),
        asked,
        at.to_string(),
        "CRLs are issued again every three months at the latest",
    );
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

/// S-CRL-END: no CRL outlives the root whose key signs it, and every day of the batch has one.
pub(super) fn crl_within_root(report: &mut Report<'_>) {
    let (plan, policy) = (&report.inputs.plan, &report.inputs.policy);
    let Some(crls) = &plan.crls else { return };
    let next = &crls.get_ref().next_ceremony;
    let last = i64::from(*policy.crl.spare_days.get_ref()) - 1
        + i64::from(*policy.crl.validity_days.get_ref());
    let Ok(end) = next.get_ref().plus_days(last) else { return };
    let made = plan.certificate.values().filter_map(|certificate| {
        let begins = certificate.not_before.as_ref()?.get_ref();
        let root = *certificate.profile.get_ref() == ProfileName::Root;
        root.then(|| begins.plus(policy.root.validity.get_ref()).ok()).flatten()
    });
    let live = report.state.issuing_key();
    let live = live.and_then(|(name, _)| Some(report.state.root_of(name.as_str())?.not_after));
    let latest = made.chain(live).max();
    if latest.is_some_and(|latest| end.start() > latest) {
        report.refuse(
            Input::Plan,
            next.span(),
            "CRLs that end before the latest root does",
            format!("a last CRL that ends at {}", end.start()),
            "hold the next ceremony earlier, or make the next root key",
        );
    }
}
