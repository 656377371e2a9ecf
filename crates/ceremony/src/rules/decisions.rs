//! Rules on what was decided before the ceremony: applications, revocations, compromises.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::Report;
use crate::ledger::{Certificate, Standing};
use crate::name::Name;
use crate::plan::{Application, ApplicationKind, Ground, ProfileName};
use crate::violation::Input;

impl Report<'_> {
    fn has_role(&self, person: &Name, role: &str) -> bool {
        let person = self.inputs.roster.person.get(person.as_str());
        person.is_some_and(|person| person.roles.iter().any(|r| r.get_ref().as_str() == role))
    }

    fn is_of(&self, person: &Name, organization: &Name) -> bool {
        let person = self.inputs.roster.person.get(person.as_str());
        person.is_some_and(|person| person.organization.get_ref() == organization)
    }
}

/// R-EXAMINE: an application was received, then examined, then approved, all before the ceremony
/// (4.2.1, 4.2.2, 4.9.3); something rests on it.
pub(super) fn examined(report: &mut Report<'_>) {
    let at = report.at();
    let plan = &report.inputs.plan;
    for (name, application) in &plan.application {
        let Application { received, examined, approved, .. } = application;
        let agreed = application.agreed.as_ref().map_or(approved, |agreed| agreed);
        let order = [
            *received.get_ref(),
            *examined.at.get_ref(),
            *agreed.at.get_ref(),
            *approved.at.get_ref(),
            at,
        ];
        if !order.is_sorted() {
            report.refuse(
                Input::Plan,
                name.span(),
                "received, then examined, then approved, then the ceremony",
                order.map(|at| at.to_string()).join(", "),
                "correct the times, or hold the ceremony later",
            );
        }
        let certificates = plan.certificate.values().filter_map(|c| c.application.as_ref());
        let revocations = plan.revocation.values().map(|revocation| &revocation.application);
        if !certificates.chain(revocations).any(|used| used.get_ref() == name.get_ref()) {
            report.refuse(
                Input::Plan,
                name.span(),
                "an application on which something rests",
                "none",
                "remove it, or name it where it belongs",
            );
        }
    }
}

/// R-EXAMINE: one paper is one application, and one ceremony rests on it: whatever is issued or
/// revoked later goes through the whole procedure again (4.2.1, 4.9.5).
pub(super) fn papers(report: &mut Report<'_>) {
    let applications = &report.inputs.plan.application;
    for (place, (_, application)) in applications.iter().enumerate() {
        let paper = application.paper.get_ref();
        let here = applications.values().take(place).any(|other| other.paper.get_ref() == paper);
        let found = match (here, report.state.papers.contains(paper)) {
            (true, _) => "another application of this plan rests on it",
            (false, true) => "an earlier ceremony rested on it",
            (false, false) => continue,
        };
        report.refuse(
            Input::Plan,
            application.paper.span(),
            "the paper of this application only",
            found,
            "apply again",
        );
    }
}

/// R-APPROVE: the CA certificate issuing officer approves (4.2.2, 5.2.1.4), and has not applied
/// (5.2.4; D32).
pub(super) fn approved(report: &mut Report<'_>) {
    for application in report.inputs.plan.application.values() {
        for decision in [&application.examined, &application.approved] {
            let by = decision.by.get_ref();
            let applied = application.by.iter().any(|applicant| applicant.get_ref() == by);
            if !report.has_role(by, "issuing-officer") || applied {
                report.refuse(
                    Input::Plan,
                    decision.by.span(),
                    "the CA certificate issuing officer, who has not applied",
                    by.to_string(),
                    "let the issuing officer decide",
                );
            }
        }
    }
}

/// R-APPLY-DS: a DS application is made by the operations manager together with the key custodians,
/// several of them (4.1.1, 4.3.2), a revocation's by CA managers only (4.9.2; D25).
pub(super) fn applicants(report: &mut Report<'_>) {
    for (name, application) in &report.inputs.plan.application {
        let by: BTreeSet<&Name> = application.by.iter().map(|person| person.get_ref()).collect();
        let holders = |role: &str| by.iter().filter(|person| report.has_role(person, role)).count();
        let only = |roles: &[&str]| {
            by.iter().all(|person| roles.iter().any(|role| report.has_role(person, role)))
        };
        let (asked, good) = match application.kind.get_ref() {
            ApplicationKind::Issue | ApplicationKind::Renewal => (
                "the operations manager together with key custodians, two or more, and nobody else",
                holders("operations-manager") >= 1
                    && holders("custodian") >= 2
                    && only(&["operations-manager", "custodian"]),
            ),
            ApplicationKind::Revocation => {
                ("a CA manager, and nobody else", !by.is_empty() && only(&["ca-manager"]))
            }
        };
        if !good {
            let found: Vec<&str> = by.iter().map(|person| person.as_str()).collect();
            report.refuse(
                Input::Plan,
                name.span(),
                asked,
                if found.is_empty() { "nobody".to_string() } else { found.join(" ") },
                "let the right roles apply",
            );
        }
    }
}

/// R-APPLY-SAME-ORG: every applicant belongs to an organisation that operates the root CA (3.2.2,
/// 3.4.1).
pub(super) fn same_organization(report: &mut Report<'_>) {
    let operating: Vec<&Name> =
        report.inputs.policy.cps.approved_by.iter().map(|o| o.get_ref()).collect();
    for application in report.inputs.plan.application.values() {
        for person in &application.by {
            if !operating.iter().any(|o| report.is_of(person.get_ref(), o)) {
                report.refuse(
                    Input::Plan,
                    person.span(),
                    "an applicant of the organisations that operate the root CA",
                    person.get_ref().to_string(),
                    "refuse the application",
                );
            }
        }
    }
}

/// R-REVOKE: a revocation, that of a renewal's old certificate too, rests on an application for
/// revocation, and where the ground is the
/// subscriber's, on their notification too (4.9.1, 4.9.2; D25).
pub(super) fn revoke(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for (name, revocation) in &plan.revocation {
        let asked = revocation.application.get_ref();
        let Some((_, application)) =
            plan.application.iter().find(|(found, _)| found.get_ref() == asked)
        else {
            continue;
        };
        let ground = *revocation.ground.get_ref();
        let kind = *application.kind.get_ref();
        if kind != ApplicationKind::Revocation {
            report.refuse(
                Input::Plan,
                revocation.application.span(),
                "an application for revocation",
                kind.name(),
                "a CA manager applies for a revocation",
            );
        }
        if ground.is_the_subscribers() && application.notification.is_none() {
            report.refuse(
                Input::Plan,
                name.span(),
                format!("the subscriber's notification for the ground {}", ground.name()),
                "none",
                "write the digest of the paper as `notification`",
            );
        }
    }
}

/// R-REVOKE-GROUND: the ground is one of 4.9.1; termination is not stipulated (5.8; D35), and a
/// renewal's is for the certificate that is renewed (4.7.3).
pub(super) fn ground(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for (name, revocation) in &plan.revocation {
        let ground = *revocation.ground.get_ref();
        let renewed = plan.certificate.values().filter_map(|c| c.renews.as_ref());
        let renewed = renewed.into_iter().any(|renewed| renewed.get_ref() == name.get_ref());
        let asked = match ground {
            Ground::Termination => "a ground that can be stipulated: 5.8 says nothing of the end",
            Ground::Renewal if !renewed => "a certificate that this plan renews",
            Ground::KeyCompromise
            | Ground::UseStopped
            | Ground::DataChanged
            | Ground::ContentWrong
            | Ground::Breach
            | Ground::Inaccurate
            | Ground::Necessary
            | Ground::Renewal => continue,
        };
        report.refuse(
            Input::Plan,
            revocation.ground.span(),
            asked,
            ground.name(),
            "name the ground of 4.9.1 that applies",
        );
    }
}

/// R-REVOKE-TARGET: only a DS certificate that this CA issued, that is within its validity and not
/// revoked, is revoked, not before it began and not after the CRL (4.9.1, 4.9.5; D18).
pub(super) fn target(report: &mut Report<'_>) {
    let at = report.at();
    for (name, revocation) in &report.inputs.plan.revocation {
        let certificate = report.state.certificates.get(name.get_ref());
        let fault = match certificate {
            None => Some("none of that name".to_string()),
            Some(Certificate { standing: Standing::Revoked(revoked), .. }) => {
                Some(format!("one that was revoked at {}", revoked.date))
            }
            Some(certificate) if certificate.profile != ProfileName::Ds => {
                Some(format!("a {} certificate", certificate.profile.name()))
            }
            Some(certificate) if certificate.not_after < at => {
                Some(format!("one that ended at {}", certificate.not_after))
            }
            Some(certificate) => revocation.date.as_ref().and_then(|date| {
                let date = *date.get_ref();
                let within = certificate.not_before <= date && date <= at;
                (!within).then(|| format!("a revocation at {date}"))
            }),
        };
        if let Some(found) = fault {
            report.refuse(
                Input::Plan,
                name.span(),
                "a DS certificate of this CA, valid and not revoked, up to the window's beginning",
                found,
                "root and link certificates are revoked by [compromise.…] only",
            );
        }
    }
}

/// R-DS-COMPROMISE: where a DS key is compromised, 機構's CA manager agreed before the officer
/// approved (4.9.12; D33); nobody else agrees to anything.
pub(super) fn ds_compromise(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let Some(agency) = report.inputs.policy.cps.approved_by.first().map(|o| o.get_ref()) else {
        return;
    };
    let compromised = |application: &Name| {
        plan.revocation.values().any(|revocation| {
            *revocation.ground.get_ref() == Ground::KeyCompromise
                && revocation.application.get_ref() == application
        })
    };
    for (name, application) in &plan.application {
        let by = application.agreed.as_ref().map(|agreed| &agreed.by);
        let good = by.map_or(!compromised(name.get_ref()), |by| {
            report.has_role(by.get_ref(), "ca-manager") && report.is_of(by.get_ref(), agency)
        });
        if !good {
            report.refuse(
                Input::Plan,
                by.map_or_else(|| name.span(), toml::Spanned::span),
                format!("`agreed` by the CA manager of {agency}"),
                by.map_or("none".to_string(), |by| by.get_ref().to_string()),
                "the agency's approval comes before the revocation",
            );
        }
    }
}

/// R-COMPROMISE-JUDGE: CA managers of both organisations judged, before the ceremony, that a root
/// key of this CA is compromised (5.2.1.1, 5.7.1; D33); it is judged once.
pub(super) fn judged(report: &mut Report<'_>) {
    let at = report.at();
    for (name, compromise) in &report.inputs.plan.compromise {
        let key = report.state.root_keys().find(|(found, _)| *found == name.get_ref());
        if key.is_none_or(|(_, key)| key.compromised.is_some()) {
            report.refuse(
                Input::Plan,
                name.span(),
                "a root key of the ledger that is not known to be compromised",
                name.get_ref().to_string(),
                "correct the name",
            );
        }
        for organization in report.inputs.policy.cps.approved_by.iter().map(|o| o.get_ref()) {
            let judged = compromise.judged_by.iter().any(|person| {
                let person = person.get_ref();
                report.has_role(person, "ca-manager") && report.is_of(person, organization)
            });
            if !judged {
                report.refuse(
                    Input::Plan,
                    name.span(),
                    format!("the judgement of the CA manager of {organization}"),
                    "none",
                    "the CA managers judge a compromise",
                );
            }
        }
        for person in &compromise.judged_by {
            if !report.has_role(person.get_ref(), "ca-manager") {
                report.refuse(
                    Input::Plan,
                    person.span(),
                    "the judgement of CA managers, and of nobody else",
                    person.get_ref().to_string(),
                    "the CA managers judge a compromise",
                );
            }
        }
        if *compromise.judged_at.get_ref() > at {
            let span = compromise.judged_at.span();
            let found = compromise.judged_at.get_ref().to_string();
            report.refuse(Input::Plan, span, format!("a judgement before {at}"), found, "");
        }
    }
}

/// R-EMERGENCY: a compromise is handled by a version of the emergency response plan (5.7.1).
pub(super) fn response_plan(report: &mut Report<'_>) {
    for compromise in report.inputs.plan.compromise.values() {
        if compromise.response_plan.get_ref().trim().is_empty() {
            report.refuse(
                Input::Plan,
                compromise.response_plan.span(),
                "the version of the emergency response plan",
                "none",
                "write it",
            );
        }
    }
}
