//! Rules on certificates: their kinds, what each kind names, and when they begin.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Report;
use crate::ledger::{Certificate, Standing};
use crate::name::Name;
use crate::plan::{PlanCertificate, ProfileName};
use crate::violation::Input;

/// R-CERT-KINDS: the root CA issues the kinds of certificate of 1.3.1 and no other, and each names
/// what its kind needs and nothing else.
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
        for (found, field) in [("none", absent), ("one", more)] {
            if let Some((field, _)) = field {
                report.refuse(
                    Input::Plan,
                    name.span(),
                    format!("a {} certificate with {}", profile.name(), asked.join(", ")),
                    format!("`{field}`: {found}"),
                    "the root CA issues self-signed, link and DS certificates only",
                );
            }
        }
    }
}

/// S-REFERENCE: what a certificate or a decision names is there: keys in the plan or the ledger,
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
                let asked = if root { "a key of this plan" } else { "a root key that exists" };
                report.refuse(
                    Input::Plan,
                    key.span(),
                    asked,
                    key.get_ref().to_string(),
                    "write its [key.…] table, or correct the name",
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
                "an application of this plan",
                application.get_ref().to_string(),
                "write its [application.…] table, or correct the name",
            );
        }
    }
}

/// S-NAME: the name of a root or a link says what it is, and so no file or operation has another's
/// name; a Document Signer's is judged by R-DN.
pub(super) fn said_by_names(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for (name, certificate) in &plan.certificate {
        let key = certificate.key.as_ref().map(toml::Spanned::get_ref);
        let issuer = certificate.issuer.as_ref().map(toml::Spanned::get_ref);
        let asked = match (*certificate.profile.get_ref(), key, issuer) {
            (ProfileName::Root, Some(key), _) => format!("root-{key}"),
            (ProfileName::OldWithNew, Some(old), Some(new)) => format!("old-with-new-{old}-{new}"),
            (ProfileName::NewWithOld, Some(new), Some(old)) => format!("new-with-old-{old}-{new}"),
            // Without its keys it is none of the three kinds (R-CERT-KINDS).
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
                format!("the name {asked}"),
                name.get_ref().to_string(),
                "files and operations have their names from it",
            );
        }
    }
    // What is handed over of an application has its name; what is released has this one.
    for name in plan.application.keys().filter(|name| name.get_ref().as_str() == "released") {
        report.refuse(
            Input::Plan,
            name.span(),
            "an application with another name",
            name.get_ref().to_string(),
            "choose another",
        );
    }
}

/// R-SERIAL: a name, from which the serial number follows, is given to one certificate of the CA.
pub(super) fn names(report: &mut Report<'_>) {
    for name in report.inputs.plan.certificate.keys() {
        if report.state.knows_certificate(name.get_ref().as_str()) {
            report.refuse(
                Input::Plan,
                name.span(),
                "a name that no certificate of this CA has had",
                name.get_ref().to_string(),
                "choose another; DS certificates are counted on",
            );
        }
    }
}

/// R-NO-RENEW: no key is certified twice by itself (4.6); R-ROOT: and each root key once.
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
                format!("one self-signed certificate over {}", name.get_ref()),
                count.to_string(),
                "a certificate is not renewed without a new key",
            );
        }
    }
}

/// R-ROOT: notBefore is the day of issue, 00:00 in Japan, which is the day of the window (7.1.2.1,
/// D9).
pub(super) fn root_begins(report: &mut Report<'_>) {
    let day = report.at().day();
    for certificate in report.inputs.plan.certificate.values() {
        let Some(not_before) = &certificate.not_before else { continue };
        let root = *certificate.profile.get_ref() == ProfileName::Root;
        if root && *not_before.get_ref() != day.start() {
            report.refuse(
                Input::Plan,
                not_before.span(),
                format!("notBefore {}", day.start()),
                not_before.get_ref().to_string(),
                "the root begins on the day on which its key is generated and it is issued",
            );
        }
    }
}

/// S-RELEASE: what an aborted ceremony issued and withheld is released or revoked by the next plan,
/// certificate by certificate.
pub(super) fn release(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let withheld = report.state.withheld().filter(|(name, certificate)| {
        let revoked = plan.revocation.keys().any(|revoked| revoked.get_ref() == *name);
        let mut compromised = plan.compromise.keys();
        let compromised = compromised.any(|key| certificate.rests_on(key.get_ref()));
        // What was handed to nobody ends with the key in it.
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
                "a certificate that an aborted ceremony withheld, once",
                if again { format!("{found} twice") } else { found.to_string() },
                "correct the name",
            );
        }
    }
    let linkless = plan.release.iter().filter(|name| lacks_links(report, name.get_ref()));
    for name in linkless.collect::<Vec<_>>() {
        report.refuse(
            Input::Plan,
            name.span(),
            "a root that is released together with both its links to the generation before",
            "a root whose ceremony ended before its links were signed",
            "destroy its key, and hold the rollover again with the next one",
        );
    }
    for name in &withheld {
        if !plan.release.iter().any(|released| released.get_ref() == name) {
            report.refuse(
                Input::Plan,
                plan.ceremony.span(),
                format!("{name}, which an aborted ceremony withheld, released or revoked"),
                String::from("neither"),
                "name it in `release`; or write its [revocation.…], of a root the [destruction.…] of its key",
            );
        }
    }
}

/// Whether this is the root of a key that other root keys gave their place to, while the links
/// between them are not released with it (5.6; D24).
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
