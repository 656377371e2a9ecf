//! Rules on the order of acts after a compromise: what stops, what goes on, and when (5.7.3; D34).

use alloc::vec::Vec;
use core::ops::Range;

use super::Report;
use crate::plan::{Order, ProfileName};
use crate::time::Instant;
use crate::violation::Input;

/// Where, what was asked, what was found.
type Fault = (Range<usize>, &'static str, &'static str);

/// R-COMPROMISE: the order of 5.7.3 (D34): everything revoked, with DS issuing and applications
/// stopped; then a new root; then new DS certificates; then the second CRL; then both resume.
pub(super) fn order(report: &mut Report<'_>) {
    let faults = [given_once(report), compromised(report), issued(report), resumed(report)];
    for (span, asked, found) in faults.into_iter().flatten() {
        report.refuse(Input::Plan, span, asked, found, "keep the order of 5.7.3");
    }
}

/// The orders that end a stop, each with what it ends.
const RESUMES: [(Order, Order); 2] = [
    (Order::ResumeDsIssuing, Order::StopDsIssuing),
    (Order::ResumeApplications, Order::StopApplications),
];

impl Report<'_> {
    fn ordered(&self, order: Order) -> Option<Range<usize>> {
        let mut orders = self.inputs.plan.orders.iter();
        orders.find(|found| *found.get_ref() == order).map(toml::Spanned::span)
    }

    /// Since when something is stopped.
    fn stopped(&self, order: Order) -> Option<Instant> {
        self.state.stopped.get(&order).copied()
    }

    fn certifies(&self, profile: ProfileName) -> bool {
        self.inputs.plan.certificate.values().any(|c| *c.profile.get_ref() == profile)
    }

    /// Whether this plan makes a root, or a sound one was made after this time.
    fn has_root_since(&self, since: Option<Instant>) -> bool {
        let compromised = &self.inputs.plan.compromise;
        let sound = self.state.issuing_key().filter(|(name, _)| {
            let mut judged = compromised.keys();
            !judged.any(|key| key.get_ref() == *name)
        });
        let fresh = sound.is_some_and(|(_, key)| since.is_none_or(|since| key.made_at > since));
        fresh || self.certifies(ProfileName::Root)
    }
}

/// An order is given once, and nothing stops and goes on in one ceremony.
fn given_once(report: &Report<'_>) -> Vec<Fault> {
    let orders = &report.inputs.plan.orders;
    let again = orders.iter().enumerate().filter(|(place, order)| {
        orders.iter().take(*place).any(|before| before.get_ref() == order.get_ref())
    });
    let twice = again.map(|(_, order)| (order.span(), "an order that is given once", "twice"));
    let both = RESUMES.into_iter().filter_map(|(resume, stop)| {
        report.ordered(stop)?;
        Some((report.ordered(resume)?, "what stops here resumed by a later plan", "both"))
    });
    twice.chain(both).collect()
}

/// The ceremony of a compromise: everything is revoked, both stop, nothing is issued.
fn compromised(report: &Report<'_>) -> Vec<Fault> {
    let plan = &report.inputs.plan;
    let span = plan.ceremony.span();
    let mut faults = Vec::new();
    if plan.compromise.is_empty() {
        return faults;
    }
    for (order, asked) in [
        (Order::StopDsIssuing, "orders with stop-ds-issuing"),
        (Order::StopApplications, "orders with stop-applications"),
    ] {
        if report.ordered(order).is_none() && report.stopped(order).is_none() {
            faults.push((span.clone(), asked, "none"));
        }
    }
    if !plan.certificate.is_empty() || !plan.key.is_empty() {
        let asked = "a ceremony that revokes and issues nothing";
        faults.push((span.clone(), asked, "keys or certificates"));
    }
    if plan.crls.is_none() {
        faults.push((span, "a CRL that names everything", "none"));
    }
    faults
}

/// No certificate comes from a compromised key, and no DS certificate while their issuing is
/// stopped, but with a new root or after one that was made since.
fn issued(report: &Report<'_>) -> Vec<Fault> {
    let plan = &report.inputs.plan;
    let mut faults = Vec::new();
    let under_compromised = plan.certificate.values().any(|certificate| {
        let issuer = certificate.issuer.as_ref().and_then(|i| report.state.keys.get(i.get_ref()));
        issuer.is_some_and(|key| key.compromised.is_some())
    });
    let span = plan.ceremony.span();
    if under_compromised {
        faults.push((span.clone(), "an issuer that is not compromised", "a compromised key"));
    }
    if !report.certifies(ProfileName::Ds) {
        return faults;
    }
    if let Some(stop) = report.ordered(Order::StopDsIssuing) {
        let asked = "no DS certificate in the ceremony that stops their issuing";
        faults.push((stop, asked, "DS certificates"));
    }
    let stopped = report.stopped(Order::StopDsIssuing);
    if stopped.is_some() && !report.has_root_since(stopped) {
        let asked = "a new root before new DS certificates, while their issuing is stopped";
        faults.push((span, asked, "no root that was made since the stop"));
    }
    faults
}

/// What is stopped goes on after a new root, if a key was compromised, and with the second CRL; DS
/// issuing first.
fn resumed(report: &Report<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let compromised = report.state.keys.values().filter_map(|key| key.compromised).max();
    for (resume, stop) in RESUMES {
        let Some(found) = report.ordered(resume) else { continue };
        if report.stopped(stop).is_none() {
            let asked = "an order to resume what is stopped";
            faults.push((found.clone(), asked, "it is not stopped"));
        }
        if !report.has_root_since(compromised) || report.inputs.plan.crls.is_none() {
            let asked = "a new root and the second CRL before anything resumes";
            faults.push((found, asked, "none"));
        }
    }
    let ds_stays_stopped = report.stopped(Order::StopDsIssuing).is_some()
        && report.ordered(Order::ResumeDsIssuing).is_none();
    if let (Some(found), true) = (report.ordered(Order::ResumeApplications), ds_stays_stopped) {
        let asked = "DS issuing resumed before, or with, the applications";
        faults.push((found, asked, "still stopped"));
    }
    faults
}
