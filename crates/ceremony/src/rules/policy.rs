//! Rules on the policy file: that it says what the CP/CPS says.
//!
//! The policy is data under change control; these rules hold it to the numbers and names that the
//! text states, so a change of the policy that the text does not allow does not compile.

use alloc::format;
use alloc::string::ToString;

use super::Report;
use crate::key::Curve;
use crate::policy::{Organization, PolicyAct};
use crate::violation::Input;

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

/// R-COMPLETE: completion is approved by CA managers (5.2.1.1), of both organisations.
pub(super) fn completion(report: &mut Report<'_>) {
    asks(report, "completion", &[("ca-manager", 1)]);
}

/// R-WITNESS: issuing officer and auditor stand by where keys and certificates are made (5.2.1.4,
/// 8.1).
pub(super) fn witness(report: &mut Report<'_>) {
    asks(report, "fingerprint", &[("issuing-officer", 1), ("auditor", 1)]);
    asks(report, "papers", &[("auditor", 1)]);
}

/// R-WHO-OPERATES: custodians operate the HSM, PKI engineers the PKI system (5.2.1.3, 5.2.1.6).
pub(super) fn operators(report: &mut Report<'_>) {
    asks(report, "key-operation", &[("custodian", 2)]);
    asks(report, "certificate-operation", &[("custodian", 2), ("pki-engineer", 1)]);
}

/// R-KEYGEN: several custodians together make the key (6.1.1).
pub(super) fn generation(report: &mut Report<'_>) {
    asks(report, "key-operation", &[("custodian", 2)]);
}

/// R-ACTIVATE: several people activate the key (6.2.8).
pub(super) fn activation(report: &mut Report<'_>) {
    asks(report, "activation", &[("custodian", 2)]);
}

/// R-DEACTIVATE: the key is deactivated by an orderly shutdown (6.2.9).
pub(super) fn deactivation(report: &mut Report<'_>) {
    asks(report, "deactivation", &[("custodian", 2)]);
}

/// R-FACILITY: facility staff stand by at entry and exit (5.2.1.8).
pub(super) fn facility(report: &mut Report<'_>) {
    asks(report, "entry", &[("facility-staff", 1)]);
    asks(report, "exit", &[("facility-staff", 1)]);
}

/// R-TIME: two people compare the clock with a reference; the machine may differ by a minute at
/// most (6.8, D27).
pub(super) fn clock(report: &mut Report<'_>) {
    let most = &report.inputs.policy.clock.max_offset_seconds;
    if !(1..=60).contains(most.get_ref()) {
        report.refuse(
            Input::Policy,
            most.span(),
            "1 to 60 seconds",
            most.get_ref().to_string(),
            "a trusted time source sets the clock",
        );
    }
    let act = act(report, "clock");
    let people: u32 = act.into_iter().flat_map(|act| act.by.values()).map(|c| *c.get_ref()).sum();
    if people < 2 {
        let span = place_of(report, act);
        report.refuse(
            Input::Policy,
            span,
            "two people who read the clock",
            people.to_string(),
            "the CP/CPS has a trusted time source; two people compare it",
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

/// An act of the policy asks for at least these numbers of these roles.
fn asks(report: &mut Report<'_>, kind: &str, roles: &[(&str, u32)]) {
    let act = act(report, kind);
    for (role, least) in roles {
        let count = act
            .and_then(|act| act.by.iter().find(|(name, _)| name.as_str() == *role))
            .map(|(_, c)| c);
        if count.is_none_or(|count| count.get_ref() < least) {
            let span = count.map_or_else(|| place_of(report, act), toml::Spanned::span);
            report.refuse(
                Input::Policy,
                span,
                format!("[act.{kind}] by at least {least} {role}"),
                count.map_or("none".to_string(), |c| c.get_ref().to_string()),
                "the CP/CPS gives this step to this role",
            );
        }
    }
}

fn act<'a>(report: &Report<'a>, kind: &str) -> Option<&'a PolicyAct> {
    let inputs = report.inputs;
    inputs.policy.act.iter().find(|(name, _)| name.as_str() == kind).map(|(_, act)| act)
}

/// Where an act says by whom; where there is no such act, the head of the policy.
fn place_of(report: &Report<'_>, act: Option<&PolicyAct>) -> core::ops::Range<usize> {
    let first = act.and_then(|act| act.by.values().next());
    first.map_or_else(|| report.inputs.policy.cps.version.span(), toml::Spanned::span)
}
