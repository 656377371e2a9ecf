//! Rules on certificates: their kinds, the fields of each kind, and when they begin.

use alloc::format;
use alloc::vec::Vec;

use super::Report;
use crate::language::Bilingual;
use crate::ledger::{Certificate, Standing};
use crate::name::Name;
use crate::plan::{PlanCertificate, ProfileName};
use crate::says;
use crate::violation::Input;

/// R-CERT-KINDS: the root CA issues only the kinds of certificate of 1.3.1, and each has the fields
/// that its kind needs and no others.
pub(super) fn kinds(report: &mut Report<'_>) {
    for (name, certificate) in &report.inputs.plan.certificate {
        let profile = *certificate.profile.get_ref();
        let PlanCertificate {
            profile: _,
            key,
            issuer,
            not_before,
            not_after,
            csr,
            csr_sha256,
            application,
            renews,
        } = certificate;
        let named = [
            ("key", key.is_some()),
            ("issuer", issuer.is_some()),
            ("not-before", not_before.is_some()),
            ("csr", csr.is_some()),
            ("csr-sha256", csr_sha256.is_some()),
            ("application", application.is_some()),
        ];
        let asked: &[&str] = match profile {
            ProfileName::Root => &["key", "not-before"],
            ProfileName::OldWithNew | ProfileName::NewWithOld => &["key", "issuer"],
            ProfileName::Ds => &["issuer", "not-before", "csr", "csr-sha256", "application"],
        };
        let ds_only = [("not-after", not_after.is_some()), ("renews", renews.is_some())];
        let absent = named.iter().find(|(field, there)| asked.contains(field) && !there);
        let more = named
            .iter()
            .find(|(field, there)| !asked.contains(field) && *there)
            .or_else(|| ds_only.iter().find(|(_, there)| profile != ProfileName::Ds && *there));
        let found = |(field, there): &(&str, bool)| {
            if *there {
                says!("`{field}` あり", "`{field}`: one")
            } else {
                says!("`{field}` なし", "`{field}`: none")
            }
        };
        for field in [absent, more].into_iter().flatten() {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "{} の電子証明書({} を書き、ほかは書かない)",
                    "a {} certificate with {}",
                    profile.name(),
                    asked.join(", ")
                ),
                found(field),
                says!(
                    "ルート認証局は自己署名電子証明書、リンク証明書、DS 電子証明書だけを発行する",
                    "the root CA issues self-signed, link and DS certificates only"
                ),
            );
        }
    }
}

/// S-REFERENCE: keys that a certificate or decision names are in the plan or the ledger,
/// applications in the plan, certificates in the ledger.
pub(super) fn references(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for certificate in plan.certificate.values() {
        let here = |name: &Name| plan.key.keys().any(|key| key.get_ref() == name);
        let root = *certificate.profile.get_ref() == ProfileName::Root;
        for (key, may_exist) in [(&certificate.key, !root), (&certificate.issuer, true)] {
            let Some(key) = key else { continue };
            let exists = report.state.root_keys().any(|(name, _)| name == key.get_ref());
            let there = here(key.get_ref()) || (may_exist && exists);
            if !there {
                let asked = if root {
                    says!("この計画の鍵", "a key of this plan")
                } else {
                    says!("存在するルート鍵", "a root key that exists")
                };
                report.refuse(
                    Input::Plan,
                    key.span(),
                    asked,
                    Bilingual::plain(key.get_ref()),
                    says!(
                        "その [key.…] を書くか、名を正す",
                        "write its [key.…] table, or correct the name"
                    ),
                );
            }
        }
    }
    let applications = plan
        .certificate
        .values()
        .filter_map(|certificate| certificate.application.as_ref())
        .chain(plan.revocation.values().map(|revocation| &revocation.application));
    for application in applications {
        if !plan.application.keys().any(|name| name.get_ref() == application.get_ref()) {
            report.refuse(
                Input::Plan,
                application.span(),
                says!("この計画の申請", "an application of this plan"),
                Bilingual::plain(application.get_ref()),
                says!(
                    "その [application.…] を書くか、名を正す",
                    "write its [application.…] table, or correct the name"
                ),
            );
        }
    }
}

/// S-NAME: the name of a root or link certificate says what it is, so no two files or operations
/// have the same name. R-DN judges a Document Signer's name.
pub(super) fn said_by_names(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for (name, certificate) in &plan.certificate {
        let key = certificate.key.as_ref().map(toml::Spanned::get_ref);
        let issuer = certificate.issuer.as_ref().map(toml::Spanned::get_ref);
        let asked = match (*certificate.profile.get_ref(), key, issuer) {
            (ProfileName::Root, Some(key), _) => format!("root-{key}"),
            (ProfileName::OldWithNew, Some(old), Some(new)) => format!("old-with-new-{old}-{new}"),
            (ProfileName::NewWithOld, Some(new), Some(old)) => format!("new-with-old-{old}-{new}"),
            // A certificate without its keys belongs to none of the three kinds (R-CERT-KINDS).
            (
                ProfileName::Root
                | ProfileName::OldWithNew
                | ProfileName::NewWithOld
                | ProfileName::Ds,
                _,
                _,
            ) => continue,
        };
        if name.get_ref().as_str() != asked {
            report.refuse(
                Input::Plan,
                name.span(),
                says!("名 {asked}", "the name {asked}"),
                Bilingual::plain(name.get_ref()),
                says!(
                    "求められた名に改める(ファイルと手順の名がこれに基づく)",
                    "use the required name: files and operations are named after it"
                ),
            );
        }
    }
    // A hand-over operation is named after its application; that of released certificates is
    // `released`.
    for name in plan.application.keys().filter(|name| name.get_ref().as_str() == "released") {
        report.refuse(
            Input::Plan,
            name.span(),
            says!("別の名の申請", "an application with another name"),
            Bilingual::plain(name.get_ref()),
            says!("別の名を選ぶ", "choose another"),
        );
    }
}

/// R-SERIAL: each certificate of the CA has a name of its own, because its serial number follows
/// from the name.
pub(super) fn names(report: &mut Report<'_>) {
    for name in report.inputs.plan.certificate.keys() {
        if report.state.knows_certificate(name.get_ref().as_str()) {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "この認証局の電子証明書に使われたことのない名",
                    "a name that no certificate of this CA has had"
                ),
                Bilingual::plain(name.get_ref()),
                says!(
                    "別の名を選ぶ。DS 電子証明書は番号を続ける",
                    "choose another name; DS certificates continue the numbering"
                ),
            );
        }
    }
}

/// R-NO-RENEW: no existing root key gets a second self-signed certificate (4.6). R-ROOT: each new
/// root key gets exactly one.
pub(super) fn one_root_each(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for name in plan.key.keys() {
        let of_key = plan.certificate.values().filter(|certificate| {
            let key = certificate.key.as_ref().map(toml::Spanned::get_ref);
            *certificate.profile.get_ref() == ProfileName::Root && key == Some(name.get_ref())
        });
        let count = of_key.count();
        if count != 1 {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "{} の自己署名電子証明書ひとつ",
                    "one self-signed certificate over {}",
                    name.get_ref()
                ),
                Bilingual::plain(count),
                says!(
                    "新しい鍵なしに電子証明書を更新しない",
                    "a certificate is not renewed without a new key"
                ),
            );
        }
    }
}

/// R-ROOT: notBefore is 00:00 of the day of issue, which is the day of the window
/// (7.1.2.1, D9).
pub(super) fn root_begins(report: &mut Report<'_>) {
    let begins = report.at().midnight();
    for certificate in report.inputs.plan.certificate.values() {
        let Some(not_before) = &certificate.not_before else { continue };
        let root = *certificate.profile.get_ref() == ProfileName::Root;
        if root && *not_before.get_ref() != begins {
            report.refuse(
                Input::Plan,
                not_before.span(),
                Bilingual::plain(format!("notBefore {begins}")),
                Bilingual::plain(not_before.get_ref()),
                says!(
                    "自己署名電子証明書の有効期間の開始は、鍵を生成し発行する日とする",
                    "the root begins on the day on which its key is generated and it is issued"
                ),
            );
        }
    }
}

/// S-RELEASE: the next plan releases or revokes each certificate that an aborted ceremony issued
/// and withheld.
pub(super) fn release(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let withheld = report.state.withheld().filter(|(name, certificate)| {
        let revoked = plan.revocation.keys().any(|revoked| revoked.get_ref() == *name);
        let mut compromised = plan.compromise.keys();
        let compromised = compromised.any(|key| certificate.rests_on(key.get_ref()));
        // A withheld certificate also ends when the key in it is destroyed.
        let destroyed = |key: &Name| plan.destruction.keys().any(|gone| gone.get_ref() == key);
        !revoked && !compromised && !certificate.key.as_ref().is_some_and(destroyed)
    });
    let withheld: alloc::collections::BTreeSet<Name> =
        withheld.map(|(name, _)| name.clone()).collect();
    for (place, name) in plan.release.iter().enumerate() {
        let again = plan.release.iter().take(place).any(|other| other.get_ref() == name.get_ref());
        if again || !withheld.contains(name.get_ref()) {
            let found = name.get_ref();
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "中止したセレモニーが引き渡さなかった電子証明書(1 回だけ挙げる)",
                    "a certificate that an aborted ceremony withheld, once"
                ),
                if again {
                    says!("{found} の重複", "{found} twice")
                } else {
                    Bilingual::plain(found)
                },
                says!("名を正す", "correct the name"),
            );
        }
    }
    let linkless = plan.release.iter().filter(|name| lacks_links(report, name.get_ref()));
    for name in linkless.collect::<Vec<_>>() {
        report.refuse(
            Input::Plan,
            name.span(),
            says!(
                "前の世代との双方向のリンク証明書とともに引き渡す自己署名電子証明書",
                "a root that is released together with both its links to the generation before"
            ),
            says!(
                "リンク証明書に署名する前にセレモニーが終わった自己署名電子証明書",
                "a root whose ceremony ended before its links were signed"
            ),
            says!(
                "その鍵を破棄し、次の世代の鍵で鍵更新をやり直す",
                "destroy its key, and hold the rollover again with the next one"
            ),
        );
    }
    for name in &withheld {
        if !plan.release.iter().any(|released| released.get_ref() == name) {
            report.refuse(
                Input::Plan,
                plan.ceremony.span(),
                says!(
                    "中止したセレモニーが引き渡さなかった {name} の引渡し又は失効",
                    "{name}, which an aborted ceremony withheld, released or revoked"
                ),
                says!("どちらもなし", "neither"),
                says!(
                    "`release` に挙げるか、[revocation.…](自己署名電子証明書は鍵の [destruction.…])を書く",
                    "name it in `release`; or write its [revocation.…], of a root the [destruction.…] of its key"
                ),
            );
        }
    }
}

/// Whether this is the root certificate of a key that succeeds other root keys, and is released
/// without both link certificates (5.6; D24).
fn lacks_links(report: &Report<'_>, name: &Name) -> bool {
    let state = report.state;
    let Some(root) = state.certificates.get(name).filter(|c| c.profile == ProfileName::Root) else {
        return false;
    };
    let released = |name: &Name| report.inputs.plan.release.iter().any(|r| r.get_ref() == name);
    let older = state.root_keys().filter(|(other, key)| {
        let has_root =
            state.root_of(other.as_str()).is_some_and(|r| r.standing == Standing::Issued);
        **other != root.issuer && key.compromised.is_none() && has_root
    });
    let links = |profile: ProfileName| {
        let of_root = |certificate: &Certificate| {
            certificate.issuer == root.issuer || certificate.key.as_ref() == Some(&root.issuer)
        };
        let mut all = state.certificates.iter();
        all.any(|(name, c)| c.profile == profile && of_root(c) && released(name))
    };
    older.count() > 0 && !(links(ProfileName::OldWithNew) && links(ProfileName::NewWithOld))
}
