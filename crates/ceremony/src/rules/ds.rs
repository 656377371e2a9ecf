//! Rules on Document Signer certificates: requests, keys, names, renewals.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};

use super::Report;
use crate::hex::Digest;
use crate::inputs::Inputs;
use crate::ledger::Standing;
use crate::name::Name;
use crate::plan::{ApplicationKind, Ground, PlanCertificate, ProfileName};
use crate::policy::Renewal;
use crate::violation::Input;

/// R-DN: a Document Signer is named by a number that nobody else has (3.1.5): `ds-0001`.
pub(super) fn names(report: &mut Report<'_>) {
    for (name, certificate) in &report.inputs.plan.certificate {
        if *certificate.profile.get_ref() != ProfileName::Ds {
            continue;
        }
        let number = name.get_ref().as_str().strip_prefix("ds-").unwrap_or_default();
        let plain = number.len() >= 4 && number.chars().all(|c| c.is_ascii_digit());
        if !plain {
            report.refuse(
                Input::Plan,
                name.span(),
                "a DS certificate named ds-NNNN, with four digits or more",
                name.get_ref().to_string(),
                "count on from the last one",
            );
        }
    }
}

/// R-CSR-INTAKE: the request is the file whose digest the application holds (6.1.3, 4.2.1).
pub(super) fn intake(report: &mut Report<'_>) {
    let texts = report.inputs.texts();
    for certificate in report.inputs.plan.certificate.values() {
        let (Some(csr), Some(asked)) = (&certificate.csr, &certificate.csr_sha256) else {
            continue;
        };
        let found = texts.get(csr.get_ref()).map(|text| Digest::of(text.as_bytes()));
        if found != Some(*asked.get_ref()) {
            report.refuse(
                Input::Plan,
                asked.span(),
                asked.get_ref().to_string(),
                found.map_or("no file".to_string(), |found| found.to_string()),
                "this is not the request that was examined",
            );
        }
    }
}

/// R-DS: a request is one, with a key that the policy admits (4.3.1, 6.1.3; D31).
pub(super) fn requests(report: &mut Report<'_>) {
    refused_requests(report, false);
    let curves: BTreeSet<_> =
        report.inputs.policy.ds.curves.iter().map(|curve| *curve.get_ref()).collect();
    for (name, certificate) in &report.inputs.plan.certificate {
        let Some(Ok(request)) = report.inputs.requests.get(name.get_ref()) else { continue };
        let curve = request.public.curve();
        if !curves.contains(&curve) {
            let asked: alloc::vec::Vec<&str> = curves.iter().map(|curve| curve.name()).collect();
            report.refuse(
                Input::Plan,
                certificate.csr.as_ref().map(toml::Spanned::span).unwrap_or_default(),
                format!("a key on {}", asked.join(" or ")),
                curve.name(),
                "ask for a request with another key",
            );
        }
    }
}

/// R-DS: a certificate begins on the day of its ceremony at the earliest, and before the next one,
/// which could issue it otherwise (4.3.1).
pub(super) fn begins(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let first = report.at().day().start();
    let next = plan.crls.as_ref().map(|crls| crls.get_ref().next_ceremony.get_ref().start());
    for certificate in plan.certificate.values() {
        let Some(not_before) = &certificate.not_before else { continue };
        if *certificate.profile.get_ref() != ProfileName::Ds {
            continue;
        }
        let begins = *not_before.get_ref();
        let (asked, advice) = if begins < first {
            (format!("a beginning at {first} or later"), "nothing is valid before it was issued")
        } else if let Some(next) = next.filter(|next| begins >= *next) {
            (format!("a beginning before {next}"), "the next ceremony issues it")
        } else {
            continue;
        };
        report.refuse(Input::Plan, not_before.span(), asked, begins.to_string(), advice);
    }
}

/// R-DS-KEY-STAYS: no input holds a private key (6.1.2).
pub(super) fn key_stays(report: &mut Report<'_>) {
    refused_requests(report, true);
}

fn refused_requests(report: &mut Report<'_>, private: bool) {
    for (name, certificate) in &report.inputs.plan.certificate {
        let Some(Err(error)) = report.inputs.requests.get(name.get_ref()) else { continue };
        if error.found.starts_with("a private key") == private {
            report.refuse(
                Input::Plan,
                certificate.csr.as_ref().map(toml::Spanned::span).unwrap_or_default(),
                error.asked,
                error.found.clone(),
                "ask the Document Signer for a new request",
            );
        }
    }
}

/// R-NO-RENEW: a key that was certified before, or is a key of the CA, is not certified (4.6, 4.8;
/// D22).
pub(super) fn new_keys(report: &mut Report<'_>) {
    let of_ca = report.state.keys.values().map(|key| key.public.spki_digest());
    let mut taken: BTreeSet<Digest> = of_ca.collect();
    for (name, certificate) in &report.inputs.plan.certificate {
        let Some(Ok(request)) = report.inputs.requests.get(name.get_ref()) else { continue };
        let digest = request.public.spki_digest();
        if !taken.insert(digest) || report.state.certified.contains(&digest) {
            report.refuse(
                Input::Plan,
                certificate.csr.as_ref().map(toml::Spanned::span).unwrap_or_default(),
                "a key that was never certified",
                format!("the key {digest}"),
                "a certificate is renewed with a new key, and nothing else is changed in one",
            );
        }
    }
}

/// R-RENEW-WHEN: a renewal takes the place of a valid DS certificate that runs out (4.7.1), on an
/// application for renewal.
pub(super) fn renews(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for (name, certificate) in &plan.certificate {
        let kind = certificate.application.as_ref().and_then(|asked| {
            let mut found = plan.application.iter();
            found
                .find(|(name, _)| name.get_ref() == asked.get_ref())
                .map(|(_, a)| *a.kind.get_ref())
        });
        let renewal = kind == Some(ApplicationKind::Renewal);
        let fits = match kind {
            None => true,
            Some(ApplicationKind::Issue | ApplicationKind::Renewal) => {
                renewal == certificate.renews.is_some()
            }
            Some(ApplicationKind::Revocation) => false,
        };
        if !fits {
            report.refuse(
                Input::Plan,
                name.span(),
                "an application for issue, or for renewal with `renews`",
                kind.map_or("none", ApplicationKind::name),
                "name the certificate in whose place it comes, or apply for its issue",
            );
        }
        let Some(renews) = &certificate.renews else { continue };
        if let Some(found) = not_renewable(report, name.get_ref(), certificate, renews.get_ref()) {
            report.refuse(
                Input::Plan,
                renews.span(),
                "a valid DS certificate of this CA that runs out before the CRLs of this ceremony do, renewed once, by one that ends later",
                found,
                "otherwise it is a new issue, not a renewal",
            );
        }
    }
}

/// Why a certificate does not take the place of this one.
///
/// It runs out (4.7.1) if it ends before the CRLs that this ceremony signs: the next ceremony may
/// come too late for it.
fn not_renewable(
    report: &Report<'_>,
    name: &Name,
    certificate: &PlanCertificate,
    renews: &Name,
) -> Option<String> {
    let Inputs { plan, policy, .. } = report.inputs;
    let Some(old) = report.state.certificates.get(renews) else {
        return Some("none of that name".to_string());
    };
    if old.profile != ProfileName::Ds {
        return Some(old.profile.name().to_string());
    }
    if old.standing != Standing::Issued || !old.is_valid_at(report.at()) {
        return Some("one that is revoked, or has ended, or was never handed out".to_string());
    }
    let mut before = plan.certificate.iter().take_while(|(other, _)| other.get_ref() != name);
    if before.any(|(_, c)| c.renews.as_ref().is_some_and(|other| other.get_ref() == renews)) {
        return Some("one that another certificate of this plan renews".to_string());
    }
    let spare = i64::from(*policy.crl.spare_days.get_ref());
    let next = plan.crls.as_ref().map(|crls| crls.get_ref().next_ceremony.get_ref());
    let covered = next.and_then(|next| next.plus_days(spare).ok());
    if covered.is_some_and(|covered| old.not_after >= covered.start()) {
        return Some(format!("one that ends at {}", old.not_after));
    }
    let begins = *certificate.not_before.as_ref()?.get_ref();
    if begins > old.not_after.plus_seconds(1) {
        return Some(format!("one that ends at {}, before the new one begins", old.not_after));
    }
    let usual = begins.plus(policy.ds.validity.get_ref()).ok()?.plus_seconds(-1);
    let ends = certificate.not_after.as_ref().map_or(usual, |end| *end.get_ref());
    (ends <= old.not_after)
        .then(|| format!("one that ends at {}, the new one at {ends}", old.not_after))
}

/// R-REKEY: whether the old certificate of a renewal is revoked is the policy's decision (4.7.3;
/// D4).
pub(super) fn rekey(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let renewal = *report.inputs.policy.ds.renewal.get_ref();
    for certificate in plan.certificate.values() {
        let Some(renews) = &certificate.renews else { continue };
        let revoked = plan.revocation.iter().any(|(name, revocation)| {
            name.get_ref() == renews.get_ref() && *revocation.ground.get_ref() == Ground::Renewal
        });
        let (asked, good): (&str, bool) = match renewal {
            Renewal::RevokeOld => {
                ("the old certificate revoked with the ground `renewal`", revoked)
            }
            Renewal::KeepOld => ("the old certificate not revoked for its renewal", !revoked),
        };
        if !good {
            let found = if revoked { "it is" } else { "it is not" };
            report.refuse(
                Input::Plan,
                renews.span(),
                asked,
                String::from(found),
                "the policy's ds.renewal says which",
            );
        }
    }
}
