//! Rules on the policy file: that it says what the CP/CPS says.
//!
//! The policy is data under change control; these rules hold it to the numbers and names that the
//! text states, so a change of the policy that the text does not allow does not compile.

use alloc::format;
use alloc::string::ToString;

use super::Report;
use crate::key::Curve;
use crate::policy::Organization;
use crate::violation::Input;
use crate::x509::DirectoryName;

/// The two organisations that decide together (1.3.4.2).
const DECIDING: [&str; 2] = ["j-lis", "digital-agency"];
/// Policy identifiers (1.2).
const OIDS: [&str; 3] =
    ["1.2.392.200149.23220.1.7", "1.2.392.200149.23220.1.4", "1.2.392.200149.23220.1.2"];

/// R-ALG: root keys are ECDSA of 384 bit, P-384 (6.1.5.1, 7.1.3).
pub(super) fn algorithm(report: &mut Report<'_>) {
    let curve = &report.inputs.policy.root.curve;
    if *curve.get_ref() != Curve::P384 {
        report.refuse(
            Input::Policy,
            curve.span(),
            "P-384 for root keys",
            curve.get_ref().name(),
            "6.1.5.1: ECDSA, 384 bit; a change is approved by 機構 and is a new CP/CPS",
        );
    }
}

/// S-AUDIT-CURVE: the audit key is P-256, the only pair with SHA-256 that every verifier of the
/// seal's form takes.
pub(super) fn audit_curve(report: &mut Report<'_>) {
    let curve = &report.inputs.policy.audit.curve;
    if *curve.get_ref() != Curve::P256 {
        report.refuse(
            Input::Policy,
            curve.span(),
            "P-256 for the audit key",
            curve.get_ref().name(),
            "",
        );
    }
}

/// R-HSM-DEDICATED: a second use of the root's HSM, the audit key, is justified in a line (6.2.1.1,
/// 5.4.6).
pub(super) fn audit_justified(report: &mut Report<'_>) {
    let why = &report.inputs.policy.audit.justification;
    if why.get_ref().trim().len() < 20 {
        report.refuse(
            Input::Policy,
            why.span(),
            "a line that justifies the audit key on the root's HSM",
            why.get_ref().clone(),
            "say why, with the section",
        );
    }
}

/// S-TOKEN-POLICY: what the policy says of its tokens' modules weakens no key: only what a key
/// might be used for besides is left out or not told, and nothing secret is brought along.
pub(super) fn token(report: &mut Report<'_>) {
    let token = &report.inputs.policy.token;
    for (list, what) in [(&token.leave_out, "left out"), (&token.not_told, "not told")] {
        for attribute in list.iter().filter(|attribute| !attribute.get_ref().is_usage()) {
            report.refuse(
                Input::Policy,
                attribute.span(),
                format!("a usage, modifiable or copyable that is {what}"),
                attribute.get_ref().name(),
                "what makes a key safe is said, and read back",
            );
        }
    }
    for brought in &token.may_hold {
        let class = &brought.class;
        if !["certificate", "public-key", "data", "other"].contains(&class.get_ref().as_str()) {
            report.refuse(
                Input::Policy,
                class.span(),
                "certificate, public-key, data or other",
                class.get_ref().clone(),
                "a root CA's token holds no private or secret key but the CA's (6.2.1.1)",
            );
        }
        if brought.label.get_ref().is_empty() {
            let span = brought.label.span();
            let advice = "name it as `gishiki probe` shows it";
            report.refuse(Input::Policy, span, "the label of what is brought", "none", advice);
        }
    }
}

/// R-ROOT: the root is valid for 5 years and 4 months (6.3.2, 7.1.2.1).
pub(super) fn root_validity(report: &mut Report<'_>) {
    let validity = &report.inputs.policy.root.validity;
    if validity.get_ref().to_string() != "5 years 4 months" {
        report.refuse(
            Input::Policy,
            validity.span(),
            "a root that is valid for 5 years 4 months",
            validity.get_ref().to_string(),
            "6.3.2 states the validity of the root certificate",
        );
    }
}

/// R-KEYLIFE: a root key is used for 5 years (5.6, 6.3.2).
pub(super) fn key_life(report: &mut Report<'_>) {
    let used = &report.inputs.policy.root.key_use;
    if used.get_ref().to_string() != "5 years" {
        report.refuse(
            Input::Policy,
            used.span(),
            "a root key that is used for 5 years",
            used.get_ref().to_string(),
            "5.6 states how long a root key is used",
        );
    }
}

/// R-CRL: a CRL is valid for 3 days, the next update is planned 1 day later (7.2.2, D1).
pub(super) fn crl_days(report: &mut Report<'_>) {
    let crl = &report.inputs.policy.crl;
    for (found, asked, what) in [
        (&crl.validity_days, 3, "days of validity"),
        (&crl.update_days, 1, "day until the next update"),
    ] {
        if *found.get_ref() != asked {
            report.refuse(
                Input::Policy,
                found.span(),
                format!("{asked} {what}"),
                found.get_ref().to_string(),
                "7.2.2 states the dates of a CRL",
            );
        }
    }
}

/// R-CRL-CADENCE: ceremonies are at most three months, 90 days, apart (4.9.7, D3).
pub(super) fn crl_interval(report: &mut Report<'_>) {
    let days = &report.inputs.policy.crl.max_interval_days;
    if !(1..=90).contains(days.get_ref()) {
        report.refuse(
            Input::Policy,
            days.span(),
            "1 to 90 days between ceremonies",
            days.get_ref().to_string(),
            "4.9.7: every three months",
        );
    }
}

/// S-CRL-BATCH: a batch has at most 104 CRLs of a key: 90 days and 14 spare ones (D1).
pub(super) fn batch(report: &mut Report<'_>) {
    let most = &report.inputs.policy.crl.max_batch;
    if !(1..=104).contains(most.get_ref()) {
        report.refuse(
            Input::Policy,
            most.span(),
            "a batch of 1 to 104 CRLs",
            most.get_ref().to_string(),
            "",
        );
    }
}

/// R-OID: the policy identifiers of 1.2.
pub(super) fn identifiers(report: &mut Report<'_>) {
    let oid = &report.inputs.policy.oid;
    for (found, asked) in [&oid.root, &oid.link, &oid.ds].into_iter().zip(OIDS) {
        if found.get_ref() != asked {
            report.refuse(
                Input::Policy,
                found.span(),
                format!("the identifier {asked}"),
                found.get_ref().clone(),
                "1.2 states the identifiers",
            );
        }
    }
}

/// R-STANDARDS: the policy names the edition of ISO/IEC 18013-5 that the CP/CPS names (1.1).
pub(super) fn standards(report: &mut Report<'_>) {
    let edition = &report.inputs.policy.standards.iso_18013_5;
    if edition.get_ref() != "2021" {
        report.refuse(
            Input::Policy,
            edition.span(),
            "ISO/IEC 18013-5:2021",
            edition.get_ref().clone(),
            "1.1 names the edition",
        );
    }
}

/// R-ORGANIZATIONS: the organisations that decide and approve are 機構 and デジタル庁 (1.3.4.2,
/// 1.5.3).
pub(super) fn organizations(report: &mut Report<'_>) {
    let policy = &report.inputs.policy;
    let approved: alloc::vec::Vec<&str> =
        policy.cps.approved_by.iter().map(|o| o.get_ref().as_str()).collect();
    let known = |id: &str| {
        policy.organization.iter().any(|(name, _): (_, &Organization)| name.as_str() == id)
    };
    let complete = DECIDING.into_iter().all(|id| approved.contains(&id) && known(id));
    if !complete || approved.len() != DECIDING.len() {
        report.refuse(
            Input::Policy,
            policy.cps.version.span(),
            "an approval by j-lis and digital-agency, each once",
            approved.join(", "),
            "1.5.3: in force by decision of both organisations",
        );
    }
}

/// R-DN-FIXED: the CA's Name, its folder and the addresses in its certificates are those of its
/// first ceremony: every generation has the same (3.1.2, 3.1.4; D5).
pub(super) fn fixed(report: &mut Report<'_>) {
    let (policy, state) = (&report.inputs.policy, report.state);
    let (Some(genesis), Some(addresses)) = (&state.genesis, &state.addresses) else { return };
    let ca = &policy.ca;
    let (country, organization) = (ca.country.get_ref(), ca.organization.get_ref());
    let name = DirectoryName::new(country, organization, ca.common_name.get_ref());
    // A Name that is none is judged where it is built.
    if let Some(name) = name.ok().filter(|name| name.der() != state.ca_name) {
        let place = ca.country.span().start..ca.common_name.span().end;
        let asked = format!("the Name that {} has had since {}", genesis.ca, genesis.ceremony);
        report.refuse(Input::Policy, place, asked, name.to_string(), SAME);
    }
    let (id, root) = (&ca.id, &policy.root);
    for (place, asked, found) in [
        (id.span(), genesis.ca.as_str(), id.get_ref().as_str()),
        (root.issuer_alt_name.span(), &addresses.issuer_alt_name, root.issuer_alt_name.get_ref()),
        (root.crl_url.span(), &addresses.crl_url, root.crl_url.get_ref()),
    ] {
        if asked != found {
            let asked = format!("{asked}, as in {}", genesis.ceremony);
            report.refuse(Input::Policy, place, asked, found, SAME);
        }
    }
}

const SAME: &str = "one CA has one name and one place in all its generations";

/// S-CRL-URL: the CRLs of each key have an address of their own, so it has the key's name in it
/// (D6).
pub(super) fn crl_url(report: &mut Report<'_>) {
    let url = &report.inputs.policy.root.crl_url;
    if url.get_ref().matches("{key}").count() != 1 {
        report.refuse(
            Input::Policy,
            url.span(),
            "an address with {key} in it, once",
            url.get_ref().clone(),
            "the CRLs of one key would take the place of another's",
        );
    }
}

/// R-DN: a Document Signer's name says its number (3.1.5).
pub(super) fn ds_name(report: &mut Report<'_>) {
    let name = &report.inputs.policy.ds.common_name;
    if name.get_ref().matches("{number}").count() != 1 {
        report.refuse(
            Input::Policy,
            name.span(),
            "a common name with {number} in it, once",
            name.get_ref().clone(),
            "all Document Signers would have one name",
        );
    }
}

/// I-DS-VALIDITY: a DS certificate is valid for 457 days at most (ISO/IEC 18013-5 B.1.4).
pub(super) fn ds_days(report: &mut Report<'_>) {
    let days = &report.inputs.policy.ds.max_days;
    if !(1..=457).contains(days.get_ref()) {
        report.refuse(
            Input::Policy,
            days.span(),
            "1 to 457 days for a DS certificate",
            days.get_ref().to_string(),
            "the standard states the most",
        );
    }
}

/// I-DS-EKU: the one purpose of a DS certificate is one of mdoc or of a scheme of its own, none of
/// the Web's: neither anyExtendedKeyUsage nor one of PKIX (D15).
pub(super) fn ds_purpose(report: &mut Report<'_>) {
    const ANY: &str = "2.5.29.37.0";
    const PKIX: &str = "1.3.6.1.5.5.7.3";
    let purpose = &report.inputs.policy.ds.extended_key_usage;
    let found = purpose.get_ref().as_str();
    let pkix =
        found.strip_prefix(PKIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    if found == ANY || pkix {
        report.refuse(
            Input::Policy,
            purpose.span(),
            "a purpose of Document Signers, such as 1.0.18013.5.1.2",
            found,
            "a DS certificate signs MSOs and is for nothing else (1.4.1 (3))",
        );
    }
}

/// R-TRAINED: training at least every 12 months (5.3.4).
pub(super) fn training(report: &mut Report<'_>) {
    let months = &report.inputs.policy.training.max_months;
    if !(1..=12).contains(months.get_ref()) {
        report.refuse(
            Input::Policy,
            months.span(),
            "training every 1 to 12 months",
            months.get_ref().to_string(),
            "5.3.4: at least every 12 months",
        );
    }
}

/// R-SEPARATE: the policy keeps the pairs of roles that D32 found apart (5.2.4).
pub(super) fn pairs(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let others = inputs.policy.role.keys().filter(|role| role.as_str() != "auditor");
    let mut asked: alloc::vec::Vec<(&str, &str)> =
        others.map(|role| ("auditor", role.as_str())).collect();
    asked.extend([
        ("issuing-officer", "operations-manager"),
        ("issuing-officer", "custodian"),
        ("ca-manager", "custodian"),
        ("ca-manager", "pki-engineer"),
    ]);
    for (one, other) in asked {
        let apart = inputs.policy.separate.iter().any(|pair| {
            let has = |role: &str| pair.roles.iter().any(|r| r.get_ref().as_str() == role);
            has(one) && has(other)
        });
        if !apart {
            let span = inputs.policy.cps.version.span();
            report.refuse(
                Input::Policy,
                span,
                format!("[[separate]] of {one} and {other}"),
                "none",
                "5.2.4 asks for separated duties; D32 names the least",
            );
        }
    }
}

/// R-ROLES: every role of 5.2.1 and the auditor of 8.1 stands in the policy; those the ceremony
/// cannot do without are asked for.
pub(super) fn roles(report: &mut Report<'_>) {
    let needed = [
        ("ca-manager", 1),
        ("operations-manager", 1),
        ("custodian", 2),
        ("issuing-officer", 1),
        ("systems-engineer", 0),
        ("pki-engineer", 2),
        ("operations-staff", 0),
        ("facility-staff", 1),
        ("auditor", 1),
    ];
    let policy = &report.inputs.policy;
    for (role, least) in needed {
        let found = policy.role.iter().find(|(id, _)| id.as_str() == role);
        let number = found.map(|(_, role)| *role.at_least.get_ref());
        if number.is_none_or(|number| number < least) {
            let span = found.map_or(policy.cps.version.span(), |(_, role)| role.at_least.span());
            report.refuse(
                Input::Policy,
                span,
                format!("at least {least} {role} in every ceremony"),
                number.map_or("no such role".to_string(), |n| n.to_string()),
                "5.2.1 states the roles",
            );
        }
    }
}
