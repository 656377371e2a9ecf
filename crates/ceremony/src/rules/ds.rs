//! Rules on Document Signer certificates: requests, keys, names, renewals.

use alloc::collections::BTreeSet;
use alloc::format;

use super::Report;
use crate::hex::Digest;
use crate::inputs::Inputs;
use crate::language::Bilingual;
use crate::ledger::Standing;
use crate::name::Name;
use crate::plan::{ApplicationKind, Ground, PlanCertificate, ProfileName};
use crate::policy::Renewal;
use crate::says;
use crate::violation::Input;

/// R-DN: a Document Signer is named by a number of its own, such as `ds-0001` (3.1.5).
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
                says!(
                    "ds- と 4 桁以上の番号を名とする DS 電子証明書(ds-NNNN)",
                    "a DS certificate named ds-NNNN, with four digits or more"
                ),
                Bilingual::plain(name.get_ref()),
                says!("最後の番号に続ける", "continue from the last number"),
            );
        }
    }
}

/// R-CSR-INTAKE: the request's file has the digest that was examined (6.1.3, 4.2.1).
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
                Bilingual::plain(asked.get_ref()),
                found.map_or_else(|| says!("ファイルなし", "no file"), Bilingual::plain),
                says!(
                    "審査された CSR ではない。審査されたものを置く",
                    "this is not the request that was examined"
                ),
            );
        }
    }
}

/// R-DS: a request can be read, and its key is on a curve that the policy allows (4.3.1, 6.1.3;
/// D31).
pub(super) fn requests(report: &mut Report<'_>) {
    refused_requests(report);
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
                Bilingual {
                    ja: format!("{} の鍵", asked.join(" 又は ")),
                    en: format!("a key on {}", asked.join(" or ")),
                },
                Bilingual::plain(curve.name()),
                says!("別の鍵による CSR を求める", "ask for a request with another key"),
            );
        }
    }
}

/// R-DS: a certificate begins on the day of its ceremony or later, and before the next ceremony,
/// which could otherwise issue it (4.3.1).
pub(super) fn begins(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let first = report.at().midnight();
    let next =
        plan.crls.as_ref().map(|crls| crls.get_ref().next_ceremony.get_ref().start(first.offset()));
    for certificate in plan.certificate.values() {
        let Some(not_before) = &certificate.not_before else { continue };
        if *certificate.profile.get_ref() != ProfileName::Ds {
            continue;
        }
        let begins = *not_before.get_ref();
        let (asked, advice) = if begins < first {
            (
                says!("{first} 以後の有効期間の開始", "a beginning at {first} or later"),
                says!(
                    "発行の日より前を有効期間に含めない",
                    "nothing is valid before it was issued"
                ),
            )
        } else if let Some(next) = next.filter(|next| begins >= *next) {
            (
                says!("{next} より前の有効期間の開始", "a beginning before {next}"),
                says!("次のセレモニーで発行する", "the next ceremony issues it"),
            )
        } else {
            continue;
        };
        report.refuse(Input::Plan, not_before.span(), asked, Bilingual::plain(begins), advice);
    }
}

/// R-DS: a certificate is not valid for longer than the policy says; the plan may only say less
/// (D42).
pub(super) fn ends(report: &mut Report<'_>) {
    let validity = report.inputs.policy.ds.validity.get_ref();
    for certificate in report.inputs.plan.certificate.values() {
        let (Some(begins), Some(ends)) = (&certificate.not_before, &certificate.not_after) else {
            continue;
        };
        if *certificate.profile.get_ref() != ProfileName::Ds {
            continue;
        }
        let Ok(after) = begins.get_ref().plus(validity) else { continue };
        let validity = validity.said();
        let latest = after.plus_seconds(-1);
        if *ends.get_ref() > latest {
            report.refuse(
                Input::Plan,
                ends.span(),
                says!(
                    validity;
                    "{latest} まで(ds.validity の {validity} 以内)の満了",
                    "an end by {latest}, within the {validity} of ds.validity"
                ),
                Bilingual::plain(ends.get_ref()),
                says!(
                    "`not-after` は有効期間を短くするためだけに書く",
                    "write `not-after` only to make the validity shorter"
                ),
            );
        }
    }
}

/// R-DS-KEY-STAYS: no input contains a private key (6.1.2).
pub(super) fn key_stays(report: &mut Report<'_>) {
    refused_requests(report);
}

/// R-DS-NOT-CA: no request asks to be a CA (1.4.1 (3), 1.6).
pub(super) fn not_a_ca(report: &mut Report<'_>) {
    refused_requests(report);
}

/// Reports the requests that reading refused under this rule.
fn refused_requests(report: &mut Report<'_>) {
    for (name, certificate) in &report.inputs.plan.certificate {
        let Some(Err(error)) = report.inputs.requests.get(name.get_ref()) else { continue };
        if error.rule == report.rule {
            report.refuse(
                Input::Plan,
                certificate.csr.as_ref().map(toml::Spanned::span).unwrap_or_default(),
                error.asked.clone(),
                error.found.clone(),
                says!(
                    "Document Signer に新しい CSR を求める",
                    "ask the Document Signer for a new request"
                ),
            );
        }
    }
}

/// R-NO-RENEW: a DS certificate's key was never certified before and is not a key of the CA (4.6,
/// 4.8; D22).
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
                says!("証明されたことのない鍵", "a key that was never certified"),
                says!("鍵 {digest}", "the key {digest}"),
                says!(
                    "電子証明書は新しい鍵で更新し、鍵を替えない更新や変更はしない",
                    "renew with a new key; no renewal or modification keeps the old key"
                ),
            );
        }
    }
}

/// R-RENEW-WHEN: a renewal replaces a valid DS certificate that ends soon (4.7.1), and is based on
/// an application for renewal.
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
                says!(
                    "発行の申請、又は `renews` を伴う更新の申請",
                    "an application for issue, or for renewal with `renews`"
                ),
                kind.map_or_else(Bilingual::none, |kind| Bilingual::plain(kind.name())),
                says!(
                    "更新の対象の電子証明書を `renews` に書くか、発行を申請する",
                    "name the certificate to be renewed in `renews`, or apply for an issue"
                ),
            );
        }
        let Some(renews) = &certificate.renews else { continue };
        if let Some(found) = not_renewable(report, name.get_ref(), certificate, renews.get_ref()) {
            report.refuse(
                Input::Plan,
                renews.span(),
                says!(
                    "この認証局の有効な DS 電子証明書で、この回の CRL が尽きるより前に満了し、\
                     より遅く満了するものに 1 回だけ更新されるもの",
                    "a valid DS certificate of this CA that ends before the CRLs of this ceremony, and is renewed once, by one that ends later"
                ),
                found,
                says!(
                    "ほかは更新ではなく新規の発行とする",
                    "otherwise it is a new issue, not a renewal"
                ),
            );
        }
    }
}

/// Says why a certificate cannot renew this one.
///
/// A certificate may be renewed if it ends before the CRLs that this ceremony signs (4.7.1),
/// because the next ceremony may be too late for it.
fn not_renewable(
    report: &Report<'_>,
    name: &Name,
    certificate: &PlanCertificate,
    renews: &Name,
) -> Option<Bilingual> {
    let Inputs { plan, policy, .. } = report.inputs;
    let Some(old) = report.state.certificates.get(renews) else {
        return Some(says!("この名の電子証明書なし", "no certificate with this name"));
    };
    if old.profile != ProfileName::Ds {
        return Some(Bilingual::plain(old.profile.name()));
    }
    if old.standing != Standing::Issued || !old.is_valid_at(report.at()) {
        return Some(says!(
            "失効したか、満了したか、交付されていない電子証明書",
            "one that is revoked, or has ended, or was never handed out"
        ));
    }
    let mut before = plan.certificate.iter().take_while(|(other, _)| other.get_ref() != name);
    if before.any(|(_, c)| c.renews.as_ref().is_some_and(|other| other.get_ref() == renews)) {
        return Some(says!(
            "この計画の別の電子証明書が更新するもの",
            "one that another certificate of this plan renews"
        ));
    }
    let next = plan.crls.as_ref().map(|crls| crls.get_ref().next_ceremony.get_ref());
    let covered = next.and_then(|next| next.plus(policy.crl.spare.get_ref(), 1).ok());
    if covered.is_some_and(|covered| old.not_after.day() >= covered) {
        return Some(says!("{} に満了するもの", "one that ends at {}", old.not_after));
    }
    let begins = *certificate.not_before.as_ref()?.get_ref();
    if begins > old.not_after.plus_seconds(1) {
        return Some(says!(
            "新しいものの開始より前、{} に満了するもの",
            "one that ends at {}, before the new one begins",
            old.not_after
        ));
    }
    let usual = begins.plus(policy.ds.validity.get_ref()).ok()?.plus_seconds(-1);
    let ends = certificate.not_after.as_ref().map_or(usual, |end| *end.get_ref());
    (ends <= old.not_after).then(|| {
        says!(
            "{} に満了するもの(新しいものの満了は {ends})",
            "one that ends at {}, the new one at {ends}",
            old.not_after
        )
    })
}

/// R-REKEY: the policy decides whether a renewal revokes the old certificate (4.7.3; D4).
pub(super) fn rekey(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let renewal = *report.inputs.policy.ds.renewal.get_ref();
    for certificate in plan.certificate.values() {
        let Some(renews) = &certificate.renews else { continue };
        let revoked = plan.revocation.iter().any(|(name, revocation)| {
            name.get_ref() == renews.get_ref() && *revocation.ground.get_ref() == Ground::Renewal
        });
        let (asked, good) = match renewal {
            Renewal::RevokeOld => (
                says!(
                    "失効事由 `renewal` による古い電子証明書の失効",
                    "the old certificate revoked with the ground `renewal`"
                ),
                revoked,
            ),
            Renewal::KeepOld => (
                says!(
                    "更新を理由に失効させない古い電子証明書",
                    "the old certificate not revoked for its renewal"
                ),
                !revoked,
            ),
        };
        if !good {
            let found = if revoked {
                says!("失効", "revoked")
            } else {
                says!("失効せず", "not revoked")
            };
            report.refuse(
                Input::Plan,
                renews.span(),
                asked,
                found,
                says!("ポリシーの ds.renewal に従う", "follow the policy's ds.renewal"),
            );
        }
    }
}
