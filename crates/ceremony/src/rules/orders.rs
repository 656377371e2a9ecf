//! Rules on the order of steps after a compromise: what stops and resumes, and when (5.7.3; D34).

use alloc::vec::Vec;
use core::ops::Range;

use super::Report;
use crate::language::Bilingual;
use crate::plan::{Order, ProfileName};
use crate::says;
use crate::time::Instant;
use crate::violation::Input;

/// A fault: where it is, what was asked, what was found.
type Fault = (Range<usize>, Bilingual, Bilingual);

/// R-COMPROMISE: the steps of 5.7.3 are taken in order (D34).
///
/// First everything is revoked, and DS issuing and applications stop. Then come, in this order, a
/// new root, new DS certificates, and the second CRL. Then both resume.
pub(super) fn order(report: &mut Report<'_>) {
    let faults = [given_once(report), compromised(report), issued(report), resumed(report)];
    for (span, asked, found) in faults.into_iter().flatten() {
        let advice = says!("運用規程の順序を守る", "keep the order of the CP/CPS");
        report.refuse(Input::Plan, span, asked, found, advice);
    }
}

/// Each order to resume, with the order to stop that it ends.
const RESUMES: [(Order, Order); 2] = [
    (Order::ResumeDsIssuing, Order::StopDsIssuing),
    (Order::ResumeApplications, Order::StopApplications),
];

impl Report<'_> {
    fn ordered(&self, order: Order) -> Option<Range<usize>> {
        let mut orders = self.inputs.plan.orders.iter();
        orders.find(|found| *found.get_ref() == order).map(toml::Spanned::span)
    }

    /// Returns since when an order to stop is in force.
    fn stopped(&self, order: Order) -> Option<Instant> {
        self.state.stopped.get(&order).copied()
    }

    fn certifies(&self, profile: ProfileName) -> bool {
        self.inputs.plan.certificate.values().any(|c| *c.profile.get_ref() == profile)
    }

    /// Whether this plan issues a root certificate, or an uncompromised root key was generated
    /// after this time.
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

/// Checks that an order is given once, and that nothing stops and resumes in one ceremony.
fn given_once(report: &Report<'_>) -> Vec<Fault> {
    let orders = &report.inputs.plan.orders;
    let again = orders.iter().enumerate().filter(|(place, order)| {
        orders.iter().take(*place).any(|before| before.get_ref() == order.get_ref())
    });
    let twice = again.map(|(_, order)| {
        let asked = says!("1 回だけの指示", "an order that is given once");
        (order.span(), asked, says!("2 回", "twice"))
    });
    let both = RESUMES.into_iter().filter_map(|(resume, stop)| {
        report.ordered(stop)?;
        let asked = says!(
            "この計画で停止するものを後の計画で再開すること",
            "what stops here resumed by a later plan"
        );
        Some((report.ordered(resume)?, asked, says!("停止と再開の両方", "both")))
    });
    twice.chain(both).collect()
}

/// Checks that the ceremony of a compromise revokes everything, stops both, and issues nothing.
fn compromised(report: &Report<'_>) -> Vec<Fault> {
    let plan = &report.inputs.plan;
    let span = plan.ceremony.span();
    let mut faults = Vec::new();
    if plan.compromise.is_empty() {
        return faults;
    }
    for (order, asked) in [
        (
            Order::StopDsIssuing,
            says!("stop-ds-issuing のある orders", "orders with stop-ds-issuing"),
        ),
        (
            Order::StopApplications,
            says!("stop-applications のある orders", "orders with stop-applications"),
        ),
    ] {
        if report.ordered(order).is_none() && report.stopped(order).is_none() {
            faults.push((span.clone(), asked, Bilingual::none()));
        }
    }
    if !plan.certificate.is_empty() || !plan.key.is_empty() {
        let asked = says!(
            "失効だけを行い、何も発行しないセレモニー",
            "a ceremony that revokes and issues nothing"
        );
        faults.push((span.clone(), asked, says!("鍵又は電子証明書", "keys or certificates")));
    }
    if plan.crls.is_none() {
        let asked = says!("すべてを載せた CRL", "a CRL that names everything");
        faults.push((span, asked, Bilingual::none()));
    }
    faults
}

/// Checks that no certificate is signed by a compromised key, and that, while DS issuing is
/// stopped, no DS certificate is issued without a new root in this plan or since the stop.
fn issued(report: &Report<'_>) -> Vec<Fault> {
    let plan = &report.inputs.plan;
    let mut faults = Vec::new();
    let under_compromised = plan.certificate.values().any(|certificate| {
        let issuer = certificate.issuer.as_ref().and_then(|i| report.state.keys.get(i.get_ref()));
        issuer.is_some_and(|key| key.compromised.is_some())
    });
    let span = plan.ceremony.span();
    if under_compromised {
        let asked = says!("危殆化していない発行者の鍵", "an issuer that is not compromised");
        faults.push((span.clone(), asked, says!("危殆化した鍵", "a compromised key")));
    }
    if !report.certifies(ProfileName::Ds) {
        return faults;
    }
    if let Some(stop) = report.ordered(Order::StopDsIssuing) {
        let asked = says!(
            "発行を停止するセレモニーで DS 電子証明書を発行しないこと",
            "no DS certificate in the ceremony that stops their issuing"
        );
        faults.push((stop, asked, says!("DS 電子証明書", "DS certificates")));
    }
    let stopped = report.stopped(Order::StopDsIssuing);
    if stopped.is_some() && !report.has_root_since(stopped) {
        let asked = says!(
            "DS 電子証明書の発行の停止中は、新しい DS 電子証明書より先に新しいルート鍵",
            "a new root before new DS certificates, while their issuing is stopped"
        );
        let found = says!("停止の後に生成したルート鍵なし", "no root that was made since the stop");
        faults.push((span, asked, found));
    }
    faults
}

/// Checks that what is stopped resumes only with the second CRL and, after a compromise, a new
/// root; DS issuing not after applications.
fn resumed(report: &Report<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let compromised = report.state.keys.values().filter_map(|key| key.compromised).max();
    for (resume, stop) in RESUMES {
        let Some(found) = report.ordered(resume) else { continue };
        if report.stopped(stop).is_none() {
            let asked = says!("停止中のものを再開する指示", "an order to resume what is stopped");
            faults.push((found.clone(), asked, says!("停止していない", "it is not stopped")));
        }
        if !report.has_root_since(compromised) || report.inputs.plan.crls.is_none() {
            let asked = says!(
                "再開の前に新しいルート鍵と 2 回目の CRL",
                "a new root and the second CRL before anything resumes"
            );
            faults.push((found, asked, Bilingual::none()));
        }
    }
    let ds_stays_stopped = report.stopped(Order::StopDsIssuing).is_some()
        && report.ordered(Order::ResumeDsIssuing).is_none();
    if let (Some(found), true) = (report.ordered(Order::ResumeApplications), ds_stays_stopped) {
        let asked = says!(
            "申請の受付の再開と同時か、それより前の、DS 電子証明書の発行の再開",
            "DS issuing resumed before, or with, the applications"
        );
        faults.push((found, asked, says!("停止したまま", "still stopped")));
    }
    faults
}
