//! Rules on who does what: the policy may ask for more people at an act, never for fewer.

use alloc::format;
use alloc::string::ToString;

use super::Report;
use crate::policy::PolicyAct;
use crate::rule::RuleId;
use crate::violation::Input;

/// The rule that gives an act to roles, the act, and how many of which role it needs at least.
type Least = (RuleId, &'static str, &'static [(&'static str, u32)]);

/// Every act of a ceremony but the reading of the clock, which any two people do (D27).
const LEAST: &[Least] = &[
    // 5.2.1.8: facility staff stand by at entry and exit.
    (RuleId::R_FACILITY, "entry", &[("facility-staff", 1)]),
    (RuleId::R_FACILITY, "exit", &[("facility-staff", 1)]),
    // 5.2.1.4, 8.1: issuing officer and auditor witness that the work follows the script.
    (RuleId::R_WITNESS, "roll-call", &[("auditor", 1)]),
    (RuleId::R_WITNESS, "papers", &[("issuing-officer", 1), ("auditor", 1)]),
    (RuleId::R_WITNESS, "application", &[("auditor", 1)]),
    (RuleId::R_WITNESS, "supersede", &[("auditor", 1)]),
    (RuleId::R_WITNESS, "fingerprint", &[("issuing-officer", 1), ("auditor", 1)]),
    (RuleId::R_WITNESS, "anchor-words", &[("issuing-officer", 1), ("auditor", 1)]),
    // 6.2.8, 6.2.9, 6.1.1: several custodians.
    (RuleId::R_ACTIVATE, "activation", &[("custodian", 2)]),
    (RuleId::R_DEACTIVATE, "deactivation", &[("custodian", 2)]),
    (RuleId::R_KEYGEN, "key-operation", &[("custodian", 2)]),
    // 5.2.1.3, 5.2.1.6: custodians operate the HSM, PKI engineers the PKI system; 5.2.1.2: the
    // operations manager carries the ceremony out.
    (RuleId::R_WHO_OPERATES, "key-operation", &[("custodian", 2)]),
    (RuleId::R_WHO_OPERATES, "certificate-operation", &[("custodian", 2), ("pki-engineer", 1)]),
    (RuleId::R_WHO_OPERATES, "orphan-removal", &[("custodian", 2)]),
    (RuleId::R_WHO_OPERATES, "supersede", &[("operations-manager", 1)]),
    (RuleId::R_WHO_OPERATES, "hand-over", &[("operations-manager", 1)]),
    // 6.2.4, 6.2.10.1: several custodians copy a key, and destroy one.
    (RuleId::R_BACKUP, "copy", &[("custodian", 2)]),
    (RuleId::R_DESTROY, "destruction", &[("custodian", 2)]),
    // 5.2.1.4: the issuing officer approves; 4.1.2, 3.2.1.3 (D31): the applicants state what is so.
    (RuleId::R_APPROVE, "application", &[("issuing-officer", 1)]),
    (RuleId::R_APPLY_DS, "application", &[("operations-manager", 1)]),
    // 5.2.1.1, 5.7.1 (D33, D34): CA managers judge, order and complete.
    (RuleId::R_COMPROMISE_JUDGE, "compromise", &[("ca-manager", 2)]),
    (RuleId::R_COMPROMISE, "order", &[("ca-manager", 1)]),
    (RuleId::R_COMPLETE, "completion", &[("ca-manager", 1)]),
];

/// The policy gives each act of this rule to at least these people.
pub(super) fn held(report: &mut Report<'_>) {
    let rule = report.rule;
    for (_, kind, roles) in LEAST.iter().filter(|(of, _, _)| *of == rule) {
        asks(report, kind, roles);
    }
}

/// S-HEADS: what was signed since the last noted head could be signed again, were both media set
/// back to it.
pub(super) fn heads(report: &mut Report<'_>) {
    let most = &report.inputs.policy.journal.sheets_per_head;
    if !(1..=64).contains(most.get_ref()) {
        report.refuse(
            Input::Policy,
            most.span(),
            "1 to 64 sheets between two heads that people note",
            most.get_ref().to_string(),
            "8 is what people can copy without losing patience",
        );
    }
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
    let people = people(act);
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

/// An act of the policy.
pub(super) fn act<'a>(report: &Report<'a>, kind: &str) -> Option<&'a PolicyAct> {
    let inputs = report.inputs;
    inputs.policy.act.iter().find(|(name, _)| name.as_str() == kind).map(|(_, act)| act)
}

/// How many people an act asks for.
pub(super) fn people(act: Option<&PolicyAct>) -> u32 {
    let counts = act.into_iter().flat_map(|act| act.by.values());
    counts.fold(0, |sum, count| sum.saturating_add(*count.get_ref()))
}

/// Where an act says by whom; where there is no such act, the head of the policy.
pub(super) fn place_of(report: &Report<'_>, act: Option<&PolicyAct>) -> core::ops::Range<usize> {
    let first = act.and_then(|act| act.by.values().next());
    first.map_or_else(|| report.inputs.policy.cps.version.span(), toml::Spanned::span)
}
