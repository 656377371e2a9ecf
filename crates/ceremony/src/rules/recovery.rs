//! Rules on what a ceremony goes on from where something was lost: a root token, a seal.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::Report;
use crate::ledger::State;
use crate::name::Name;
use crate::plan::Recovery;
use crate::time::Instant;
use crate::violation::Input;

/// R-RECOVER: a lost root token gives its place to one that is proved to hold every key that has
/// duties; both organisations' CA managers approve it, and it is said what became of the lost one
/// (5.7.2, 6.2.4).
pub(super) fn recovery(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let Some(recovery) = &plan.recovery else { return };
    for fault in faults(report, recovery) {
        report.refuse(
            Input::Plan,
            recovery.token.span(),
            "a token with a proved copy of every root key that has duties, what became of the lost one, and the approval of the CA managers of both organisations",
            fault,
            "without such a token the keys are lost: call the CA managers",
        );
    }
}

fn faults(report: &Report<'_>, recovery: &Recovery) -> Vec<String> {
    let token = recovery.token.get_ref();
    let mut faults = Vec::new();
    match report.before.spares.get(token) {
        None => faults.push(format!("no token {token} with copies in the ledger")),
        Some(spare) => {
            let needed = needed(report.before, report.at()).into_iter();
            let missing = needed.filter(|key| !spare.copies.contains(key));
            faults.extend(missing.map(|key| format!("no proved copy of {key} on {token}")));
        }
    }
    let approved: Vec<&Name> = recovery.approved_by.iter().map(|o| o.get_ref()).collect();
    let asked = report.inputs.policy.cps.approved_by.iter().map(|o| o.get_ref());
    let missing = asked.filter(|organization| !approved.contains(organization));
    faults.extend(missing.map(|organization| format!("no approval of {organization}")));
    if recovery.lost.get_ref().trim().is_empty() {
        faults.push("no word of the lost token".into());
    }
    let mut copies = report.inputs.plan.copy.values();
    if copies.any(|copy| copy.token.get_ref() == token) {
        faults.push(format!("a copy to {token}, which is the root token from now on"));
    }
    faults
}

/// The root keys that sign CRLs still: neither compromised, nor past the end of their roots.
fn needed(state: &State, at: Instant) -> Vec<Name> {
    let lives = |name: &Name| state.root_of(name.as_str()).is_some_and(|root| root.not_after >= at);
    let keys = state.root_keys().filter(|(_, key)| key.compromised.is_none());
    keys.map(|(name, _)| name.clone()).filter(lives).collect()
}

/// S-ABANDONED: the journal of the ceremony before, if that one could not be sealed, is named by
/// its digest, which people signed on paper.
pub(super) fn abandoned(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let asked = report.state.last.as_ref().and_then(|last| last.abandoned);
    let found = plan.abandoned.as_ref().map(|digest| *digest.get_ref());
    if asked == found {
        return;
    }
    let place = plan.abandoned.as_ref().map_or_else(|| plan.after.span(), toml::Spanned::span);
    let show = |digest: Option<crate::hex::Digest>| {
        digest.map_or_else(|| "none".into(), |digest| format!("{digest}"))
    };
    report.refuse(
        Input::Plan,
        place,
        match asked {
            Some(digest) => format!("abandoned = \"{digest}\""),
            None if report.state.last.is_none() => {
                "no `abandoned`: nothing is before a first ceremony, and one that was given up is no part of a ledger".into()
            }
            None => "no `abandoned`: the ceremony before was sealed".into(),
        },
        show(found),
        "compare with the digest that everyone signed on paper",
    );
}
