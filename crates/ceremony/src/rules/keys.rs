//! Rules on root keys: their names, their use, their renewal and their end.

use alloc::vec::Vec;

use super::Report;
use crate::inputs::Inputs;
use crate::language::Bilingual;
use crate::ledger::{Certificate, Key, Standing};
use crate::name::Name;
use crate::plan::{Copy, PlanKey, ProfileName, generation};
use crate::policy::Backup;
use crate::rehearsal::RehearsalUse;
use crate::releases::{Release, releases};
use crate::says;
use crate::time::Instant;
use crate::violation::Input;

/// S-KEYS: a key's name says its generation. A first ceremony generates `g1` and no other root key;
/// a later one generates at most the next generation.
pub(super) fn keys(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for name in plan.key.keys() {
        if generation(name.get_ref()).is_none() {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "世代を名とするルート鍵(g1 から g16)",
                    "a root key named for its generation: g1 to g16"
                ),
                Bilingual::plain(name.get_ref()),
                says!("鍵の名を改める", "rename the key"),
            );
        }
    }
    let next = report.state.generation(RehearsalUse::Root) + 1;
    let of_next = plan.key.keys().filter(|name| generation(name.get_ref()) == Some(next)).count();
    let first = report.state.last.is_none();
    if of_next != plan.key.len() || plan.key.len() > 1 || (first && plan.key.is_empty()) {
        let asked = if first {
            says!(
                "ルート鍵 g1 だけを生成する最初のセレモニー",
                "a first ceremony that makes one root key, g1"
            )
        } else {
            says!("新しいルート鍵は g{next} だけ", "at most one new root key, g{next}")
        };
        let advice = if first {
            says!("[key.g1] だけを書く", "write [key.g1] and no other")
        } else {
            says!("[key.g{next}] だけを書くか、[key] を書かない", "write [key.g{next}], or no key")
        };
        report.refuse(
            Input::Plan,
            plan.ceremony.span(),
            asked,
            says!("鍵 {} 個", "{} keys", plan.key.len()),
            advice,
        );
    }
}

/// S-KEY-LEFT: a root key without a certificate, left by an aborted ceremony, is destroyed by the
/// next plan, because its day of issue is over (D9).
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
                says!(
                    "[destruction.{name}](この鍵は電子証明書のないまま生成の日を過ぎた)",
                    "[destruction.{name}]: the key has no certificate, and its day is over"
                ),
                Bilingual::nothing(),
                says!("この鍵を破棄し、新しい鍵に代える", "destroy it; a new key takes its place"),
            );
        }
    }
}

/// R-KEYLIFE: a key signs no certificate after its five years (5.6, 6.3.2; D37).
pub(super) fn key_life(report: &mut Report<'_>) {
    let (plan, policy) = (&report.inputs.plan, &report.inputs.policy);
    let until = *plan.window.get_ref().until.get_ref();
    for certificate in plan.certificate.values() {
        let Some(issuer) = &certificate.issuer else { continue };
        let Some(key) = report.state.keys.get(issuer.get_ref()) else { continue };
        let Ok(end) = key.use_ends(policy) else { continue };
        let later = certificate.not_before.as_ref().filter(|begins| *begins.get_ref() > end);
        let (place, asked, found) = if until > end {
            let key = issuer.get_ref();
            let asked =
                says!("{end} までの {key} の署名", "a signature under {key} not after {end}");
            (issuer.span(), asked, says!("{until} までのセレモニー", "a ceremony until {until}"))
        } else if let Some(begins) = later {
            let asked = says!(
                "{} で署名し、有効期間の開始日が {end} までの電子証明書",
                "a certificate under {} that begins by {end}",
                issuer.get_ref()
            );
            (begins.span(), asked, Bilingual::plain(begins.get_ref()))
        } else {
            continue;
        };
        let advice = says!("次の世代の鍵で署名する", "let the next generation's key sign it");
        report.refuse(Input::Plan, place, asked, found, advice);
    }
}

/// R-ROLLOVER-LATEST: the next root key is certified at least a month before the old root
/// certificate ends (6.3.2; D14).
pub(super) fn rollover_latest(report: &mut Report<'_>) {
    for (name, _, root) in renewed(report) {
        let at = report.at();
        let span = report.inputs.policy.root.rollover_latest.get_ref();
        let before = span.said();
        if at.midnight().plus(span).is_ok_and(|later| later > root.not_after) {
            let end = root.not_after;
            report.refuse(
                Input::Plan,
                report.inputs.plan.ceremony.span(),
                says!(
                    before;
                    "{name} の自己署名電子証明書の満了({end})の {before}前までに生成する新しいルート鍵",
                    "a new root key {before} before the root of {name} ends, at {end}"
                ),
                Bilingual::plain(at),
                says!(
                    "このルート鍵の更新はもう定めどおりにはできない。認証局の責任者に連絡する",
                    "the old root can no longer be renewed in order; call those who are responsible for the CA"
                ),
            );
        }
    }
}

/// R-ROLLOVER-EARLY: a root key that is renewed in its first 57 months has a reason, which the CA
/// managers of both organisations approved (6.3.2; D14).
pub(super) fn rollover_early(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let given = plan.key.values().any(PlanKey::has_reason);
    for (name, key, _) in renewed(report) {
        let policy = &report.inputs.policy;
        let from = policy.root.rollover_from.get_ref().said();
        let due = key.rollover_from(policy);
        let at = report.at();
        if due.is_ok_and(|due| at < due) && !given {
            report.refuse(
                Input::Plan,
                plan.ceremony.span(),
                says!(
                    from;
                    "生成から {from}たたない {name} を更新する理由",
                    "a reason why {name} is renewed before it is {from} old"
                ),
                Bilingual::none(),
                says!(
                    "新しい鍵の `use` と並べて `reason` と `approved-by` を書く",
                    "write `reason` beside the new key's use, and who approved it"
                ),
            );
        }
    }
    for key in plan.key.values() {
        let said = key.reason.as_ref().map(toml::Spanned::span);
        let approved = key.approved_by.first().map(toml::Spanned::span);
        let Some(place) = said.or(approved) else { continue };
        if !key.has_reason() {
            let advice = says!("早期に更新する理由を書く", "say why it is early");
            let (asked, found) = (says!("理由", "a reason"), Bilingual::none());
            report.refuse(Input::Plan, place.clone(), asked, found, advice);
        }
        for asked in report.inputs.cps.deciding() {
            if !key.approved_by.iter().any(|o| o.get_ref() == asked) {
                report.refuse(
                    Input::Plan,
                    place.clone(),
                    approval(asked),
                    Bilingual::none(),
                    says!(
                        "早期の鍵更新は、決定するすべての組織が承認する",
                        "every deciding organisation approves that a key is renewed early"
                    ),
                );
            }
        }
    }
}

/// Words the approval by an organisation.
fn approval(organization: &Name) -> Bilingual {
    says!("{organization} の承認", "the approval of {organization}")
}

/// R-ROLLOVER-LINK: a new root key comes with both link certificates to the old key, unless the old
/// key is compromised; there are no link certificates without a new key (5.6, 4.7.6; D24).
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
                    0 => says!(
                        "リンク証明書 {} のないこと",
                        "no link certificate {}",
                        profile.name()
                    ),
                    _ => says!(
                        "新旧の鍵のリンク証明書 {} を 1 通",
                        "one link certificate {} of the two keys",
                        profile.name()
                    ),
                },
                says!("{1} 通のうち条件に合うもの {0} 通", "{} of {}", good, links.len()),
                says!(
                    "新しいルート鍵とそのリンク証明書 2 通は同じセレモニーで作る。危殆化した鍵にリンク証明書はない",
                    "a new root key and both its links come in one ceremony; a compromised key has none"
                ),
            );
        }
    }
}

/// R-DESTROY: a root key is destroyed only with the approval of the CA managers of both
/// organisations, and only when it has no duty left (6.2.10; D47).
///
/// It has none when its root certificate has ended or was never handed out, or when everything it
/// signed is revoked and another key signs the CRLs.
pub(super) fn destruction(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let at = report.at();
    for (name, destruction) in &inputs.plan.destruction {
        let Some(key) = live_key(report, name.get_ref()) else {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "台帳にあり、破棄されていないルート鍵",
                    "a root key of the ledger that exists"
                ),
                Bilingual::plain(name.get_ref()),
                says!("名を正す", "correct the name"),
            );
            continue;
        };
        let approved: Vec<&Name> = destruction.approved_by.iter().map(|o| o.get_ref()).collect();
        for asked in inputs.cps.deciding() {
            if !approved.contains(&asked) {
                report.refuse(
                    Input::Plan,
                    name.span(),
                    approval(asked),
                    Bilingual::none(),
                    says!(
                        "破棄は、決定するすべての組織が承認する",
                        "every deciding organisation approves a destruction"
                    ),
                );
            }
        }
        if destruction.reason.get_ref().trim().is_empty() {
            let span = destruction.reason.span();
            let advice = says!("役目を終えた理由を書く", "say why it has no duty any more");
            let (asked, found) = (says!("理由", "a reason"), Bilingual::none());
            report.refuse(Input::Plan, span, asked, found, advice);
        }
        if let Some(duty) = duty(report, name.get_ref(), key, at) {
            report.refuse(
                Input::Plan,
                name.span(),
                says!("役目を終えた鍵 {}", "a key {} without duties", name.get_ref()),
                duty,
                says!("自己署名電子証明書の満了を待つ", "wait until its root has ended"),
            );
        }
    }
}

/// R-BACKUP: a copy is made of a root key that exists or is generated here, that is not destroyed
/// here and that may be copied. It goes to a token that does not hold the key, and is proved by a
/// CRL that it signs (6.2.4; D26).
pub(super) fn copies(report: &mut Report<'_>) {
    for (name, copy) in &report.inputs.plan.copy {
        if let Some(found) = no_copy(report, name.get_ref(), copy) {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "複製してよいルート鍵、その鍵のないトークン、複製で署名する CRL",
                    "a root key that may be copied, a token without it, and a CRL that the copy signs"
                ),
                found,
                says!(
                    "複製してよいか(ポリシーの `backup`)は鍵の生成のときに決まっている",
                    "the policy's key.backup was fixed when the key was made"
                ),
            );
        }
    }
}

/// Says why a copy cannot be made, or would be useless.
fn no_copy(report: &Report<'_>, name: &Name, copy: &Copy) -> Option<Bilingual> {
    let plan = &report.inputs.plan;
    let (key, token) = (copy.key.get_ref(), copy.token.get_ref());
    let found = live_key(report, key);
    let made = plan.key.keys().any(|made| made.get_ref() == key);
    let backup = match found {
        Some(key) => Some(key.backup),
        None => made.then_some(*report.inputs.policy.root.backup.get_ref()),
    };
    match backup {
        None => return Some(says!("該当するルート鍵なし", "no such root key")),
        Some(Backup::None) => {
            return Some(says!(
                "バックアップしないものとして生成した鍵",
                "a key that was made to have no backup"
            ));
        }
        Some(Backup::WrapTrusted | Backup::Vendor) => {}
    }
    if plan.destruction.keys().any(|gone| gone.get_ref() == key) {
        return Some(says!("この計画で破棄する鍵", "a key that this plan destroys"));
    }
    let judged = plan.compromise.keys().any(|judged| judged.get_ref() == key);
    if judged || found.is_some_and(|key| key.compromised.is_some()) {
        return Some(says!("危殆化した鍵", "a compromised key"));
    }
    let held = report.state.spares.get(token).is_some_and(|s| s.copies.contains(key));
    let before = || plan.copy.iter().take_while(|(other, _)| other.get_ref() != name);
    let of_key = || before().filter(|(_, other)| other.key.get_ref() == key);
    if held || of_key().any(|(_, other)| other.token.get_ref() == token) {
        return Some(says!("既にこの鍵を持つトークン", "a token that holds it already"));
    }
    if crls_of(report, key) <= of_key().count() {
        return Some(says!("複製で署名する CRL なし", "no CRL that the copy signs"));
    }
    copy.kept.get_ref().trim().is_empty().then(|| {
        says!("保管の場所と保管者の記載なし", "no statement of where it is kept and by whom")
    })
}

/// Returns how many CRLs an existing root key signs in this ceremony: one for each release
/// before the end of its root certificate.
fn crls_of(report: &Report<'_>, key: &Name) -> usize {
    let Inputs { plan, policy, .. } = report.inputs;
    let Some(crls) = &plan.crls else { return 0 };
    let root_ends = report.state.root_of(key.as_str()).map(|root| root.not_after);
    let next = *crls.get_ref().next_ceremony.get_ref();
    let releases = releases(&policy.crl, report.at().day(), next).unwrap_or_default();
    let offset = report.at().offset();
    let within = |release: &&Release| {
        root_ends.is_none_or(|root_ends| release.this.start(offset) <= root_ends)
    };
    releases.iter().filter(within).count()
}

/// Says what a root key is still needed for; `None` if it has no duty left.
fn duty(report: &Report<'_>, name: &Name, key: &Key, at: Instant) -> Option<Bilingual> {
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
        let (subject, until) = (&certificate.subject, certificate.not_after);
        return Some(says!("{until} まで有効な {subject}", "{subject} is valid until {until}"));
    }
    let successor = report.state.issuing_key().is_some_and(|(other, _)| other != name);
    (key.compromised.is_none() || !successor).then(|| {
        says!("{} までこの鍵の CRL が必要", "its CRLs are asked for until {}", root.not_after)
    })
}

/// Returns the root key that a new key of this plan succeeds, if any: the latest that is neither
/// destroyed nor compromised.
///
/// A key that was renewed before, and whose successor is compromised, signs no link certificate
/// after its five years, so it is not succeeded then.
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

/// R-ROLLOVER: reports a root key without a successor from `root.rollover-from` on.
pub(super) fn rollover_due(report: &mut Report<'_>) {
    let Some((name, key)) = report.state.issuing_key() else { return };
    let (name, made_at) = (name.clone(), key.made_at);
    let root = &report.inputs.policy.root;
    let (from, latest) = (root.rollover_from.get_ref().said(), root.rollover_latest.get_ref());
    let latest = latest.said();
    let due = key.rollover_from(&report.inputs.policy);
    let at = report.at();
    if report.inputs.plan.key.is_empty() && due.is_ok_and(|due| at >= due) {
        report.refuse(
            Input::Plan,
            report.inputs.plan.ceremony.span(),
            says!(
                "{name}({made_at} に生成)の次の世代の鍵",
                "a successor of {name}, which was made at {made_at}"
            ),
            says!(
                from;
                "生成から {from}を過ぎてもなし",
                "none, {from} after it was made"
            ),
            says!(
                latest;
                "鍵更新を計画する。新しい鍵の電子証明書は、古いものの満了の {latest}前までに発行しなければならない",
                "plan the rollover; its certificate must be issued {latest} before the old one ends"
            ),
        );
    }
}

/// R-KEYLIFE: reports CRLs under a key whose five years are over: 6.3.2 allows no exception, but
/// 4.9.7 still asks for the CRLs (D7).
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
            says!("{end} までの鍵の使用", "keys that are used until {end}"),
            says!("その日より後の {name} の CRL", "CRLs of {name} after that day"),
            says!(
                "自己署名電子証明書の満了までは CRL が必要",
                "they are asked for until its root ends"
            ),
        );
    }
}
