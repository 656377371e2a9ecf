//! What a plan leaves open until the next ceremony: reported, and never refused.

use alloc::vec::Vec;

use super::Report;
use crate::language::Bilingual;
use crate::ledger::{Certificate, Key, Standing};
use crate::name::Name;
use crate::plan::{PlanCertificate, ProfileName};
use crate::rehearsal::RehearsalUse;
use crate::releases::{last_releases, releases};
use crate::says;
use crate::time::Instant;
use crate::violation::Input;

/// S-SUCCESSOR: reports each valid DS certificate that ends before the next ceremony and that no
/// other one renews (4.7.1).
pub(super) fn successors(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let Some(crls) = &plan.crls else { return };
    let next = crls.get_ref().next_ceremony.get_ref().start(report.offset());
    let here = plan.certificate.values().filter_map(|certificate| certificate.renews.as_ref());
    let mut renewed = report.state.renewed();
    renewed.extend(here.map(toml::Spanned::get_ref));
    let ends_without = |name: &Name, end: Instant| end < next && !renewed.contains(name);
    let known = report.state.certificates.iter().filter(|(name, certificate)| {
        serves(report, name, certificate) && ends_without(name, certificate.not_after)
    });
    let known = known.map(|(name, certificate)| (name.clone(), certificate.not_after));
    let made = plan.certificate.iter().filter_map(|(name, certificate)| {
        let end = end_of(report, certificate)?;
        ends_without(name.get_ref(), end).then(|| (name.get_ref().clone(), end))
    });
    for (name, end) in known.chain(made).collect::<Vec<_>>() {
        report.refuse(
            Input::Plan,
            crls.span(),
            says!(
                "次のセレモニー({next})より前に終わる {name} の後継",
                "a successor of {name}, which ends before the next ceremony of {next}"
            ),
            says!("なし。{end} に終わる", "none; it ends at {end}"),
            says!(
                "この計画で更新するか、次のセレモニーを早める。使い終えるものなら、そのままでよい",
                "renew it in this plan, or hold the next ceremony earlier; leave it if its use ends"
            ),
        );
    }
}

/// Whether a certificate of the ledger is a DS certificate that is still valid after this plan.
fn serves(report: &Report<'_>, name: &Name, certificate: &Certificate) -> bool {
    let plan = &report.inputs.plan;
    let revoked = plan.revocation.keys().any(|revoked| revoked.get_ref() == name);
    let falls = plan.compromise.keys().any(|key| *key.get_ref() == certificate.issuer);
    let released = plan.release.iter().any(|released| released.get_ref() == name);
    let out = certificate.standing == Standing::Issued || released;
    let ds = certificate.profile == ProfileName::Ds;
    ds && out && !revoked && !falls && certificate.not_after >= report.at()
}

/// Returns the last second of a DS certificate of the plan.
fn end_of(report: &Report<'_>, certificate: &PlanCertificate) -> Option<Instant> {
    let usual = || {
        let begins = certificate.not_before.as_ref()?.get_ref();
        Some(begins.plus(report.inputs.policy.ds.validity.get_ref()).ok()?.plus_seconds(-1))
    };
    let ds = *certificate.profile.get_ref() == ProfileName::Ds;
    let said = certificate.not_after.as_ref().map(|end| *end.get_ref());
    said.or_else(usual).filter(|_| ds)
}

/// S-COPY: reports each root key that still has duties and of which no other token has a proved
/// copy: it is lost with its only token (6.2.4).
pub(super) fn copied(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let lives = report.state.root_keys().filter(|(name, key)| {
        let root = report.state.root_of(name.as_str());
        signs_on(report, name, key) && root.is_some_and(|root| root.not_after >= report.at())
    });
    let keys = plan.key.keys().map(toml::Spanned::get_ref).chain(lives.map(|(name, _)| name));
    let alone = keys.filter(|name| {
        let copied = plan.copy.values().any(|copy| copy.key.get_ref() == *name);
        !copied && !report.state.spares.values().any(|spare| spare.copies.contains(*name))
    });
    for name in alone.cloned().collect::<Vec<_>>() {
        report.refuse(
            Input::Plan,
            plan.ceremony.span(),
            says!(
                "別のトークンにある {name} の、検証済みの複製",
                "a proved copy of {name} on another token"
            ),
            Bilingual::none(),
            says!(
                "トークンを失えば鍵も失われる。ポリシーが許すなら [copy.…] で複製を作る",
                "the key is lost with its token: make a copy by a [copy.…] table, if the policy allows one"
            ),
        );
    }
}

/// Whether a root key of the ledger signs CRLs after this plan too.
fn signs_on(report: &Report<'_>, name: &Name, key: &Key) -> bool {
    let plan = &report.inputs.plan;
    let judged = plan.compromise.keys().any(|judged| judged.get_ref() == name);
    let gone = plan.destruction.keys().any(|gone| gone.get_ref() == name);
    key.exists() && key.compromised.is_none() && !judged && !gone
}

/// S-CRL-GAP: reports the days on which a certificate of the CA is valid, and the key that signed
/// it has no CRL in force.
///
/// They are the days before this ceremony, if the last CRLs ran out, and those after the last CRL
/// of a key that signs no more: of a compromised, destroyed or lost one.
pub(super) fn gaps(report: &mut Report<'_>) {
    let Some(crls) = &report.inputs.plan.crls else { return };
    let (state, at) = (report.state, report.at());
    let before = state.run_out(at).filter(|(_, ends)| *ends < at);
    let before = before.map(|(name, ends)| (name.clone(), ends, at));
    let roots = state.keys.iter().filter(|(_, key)| key.usage == RehearsalUse::Root);
    let after = roots.filter_map(|(name, key)| {
        let until = state.signed_until(name).filter(|_| !signs_on(report, name, key))?;
        let from = last_crl(report, name).unwrap_or(at).max(at);
        (from <= until).then(|| (name.clone(), from, until))
    });
    for (name, from, until) in before.chain(after).collect::<Vec<_>>() {
        report.refuse(
            Input::Plan,
            crls.span(),
            says!(
                "{name} が署名したものが有効なすべての日に、{name} の CRL",
                "a CRL of {name} on every day on which something that it signed is valid"
            ),
            says!("{from} から {until} までなし", "none from {from} until {until}"),
            says!(
                "CRL は以前にさかのぼって発行できず、署名しなくなった鍵の CRL も増やせない。検証者に知らせる",
                "no CRL can be issued for days that are over, or by a key that signs no more: tell those who verify"
            ),
        );
    }
}

/// Returns when the last CRL of a key that signs no more ends, those of this plan included.
fn last_crl(report: &Report<'_>, name: &Name) -> Option<Instant> {
    let state = report.state;
    let issued = state.batches.iter().filter(|batch| batch.issued);
    let signed = issued.filter_map(|batch| batch.covers(name)).map(|(_, until)| until).max();
    let judged = report.inputs.plan.compromise.keys().any(|key| key.get_ref() == name);
    let here = || {
        let (plan, policy) = (&report.inputs.plan, &report.inputs.policy.crl);
        let next = *plan.crls.as_ref()?.get_ref().next_ceremony.get_ref();
        let (first, last) = (report.at().day(), state.signed_until(name)?.day());
        let batch = releases(policy, first, next).ok()?;
        let further = last_releases(policy, first, last).ok()?;
        let ends = batch.into_iter().chain(further).map(|release| release.next_update).max()?;
        let over = state.root_of(name.as_str())?.not_after.plus_seconds(1);
        Some(ends.start(report.offset()).min(over))
    };
    signed.max(if judged { here() } else { None })
}
