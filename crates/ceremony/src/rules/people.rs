//! Rules on people: roles, numbers, separation, appointment, training.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Report, acts};
use crate::name::Name;
use crate::roster::PersonEntry;
use crate::time::Day;
use crate::violation::Input;

impl<'a> Report<'a> {
    /// Every participant that the roster knows.
    fn participants(&self) -> Vec<&'a PersonEntry> {
        self.named_participants().into_iter().map(|(_, person)| person).collect()
    }

    /// The same with their ids.
    fn named_participants(&self) -> Vec<(&'a Name, &'a PersonEntry)> {
        let inputs = self.inputs;
        let ids = inputs.plan.participants.iter();
        ids.filter_map(|id| inputs.roster.person.get_key_value(id.get_ref())).collect()
    }
}

/// A person, where a rule says of whom it asks something.
fn who(id: &Name, person: &PersonEntry) -> String {
    format!("{} ({id})", person.name.get_ref())
}

fn holds(person: &PersonEntry, role: &Name) -> bool {
    person.roles.iter().any(|held| held.get_ref() == role)
}

/// S-PARTICIPANT: participants are people of the roster, each once.
pub(super) fn participants(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for (index, id) in inputs.plan.participants.iter().enumerate() {
        let again =
            inputs.plan.participants.iter().take(index).any(|p| p.get_ref() == id.get_ref());
        if again || !inputs.roster.person.contains_key(id.get_ref().as_str()) {
            let found =
                if again { format!("{} twice", id.get_ref()) } else { id.get_ref().to_string() };
            report.refuse(
                Input::Plan,
                id.span(),
                "a person of the roster, once",
                found,
                "correct the identifier, or enter the person in the roster",
            );
        }
    }
}

/// S-ROSTER: roles and organisations of the roster are those of the policy.
pub(super) fn roster_words(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for person in inputs.roster.person.values() {
        let organization = &person.organization;
        if !inputs.policy.organization.contains_key(organization.get_ref()) {
            report.refuse(
                Input::Roster,
                organization.span(),
                "an organisation of the policy",
                organization.get_ref().to_string(),
                "",
            );
        }
        for role in &person.roles {
            if !inputs.policy.role.contains_key(role.get_ref()) {
                report.refuse(
                    Input::Roster,
                    role.span(),
                    "a role of the policy",
                    role.get_ref().to_string(),
                    "",
                );
            }
        }
    }
}

/// R-ROLES: every role of 5.2.1 that a ceremony needs is present, where so asked from each
/// organisation.
pub(super) fn roles(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for (role, asked) in &inputs.policy.role {
        let least = *asked.at_least.get_ref();
        let present = report.participants().into_iter().filter(|p| holds(p, role));
        let organizations: Vec<Name> = present.map(|p| p.organization.get_ref().clone()).collect();
        let mut groups: Vec<(String, usize)> = Vec::new();
        if asked.each_organization {
            for organization in &inputs.policy.cps.approved_by {
                let count = organizations.iter().filter(|o| *o == organization.get_ref()).count();
                groups.push((format!("{role} of {}", organization.get_ref()), count));
            }
        } else {
            groups.push((role.to_string(), organizations.len()));
        }
        for (who, count) in groups {
            if count < usize::try_from(least).unwrap_or(usize::MAX) {
                report.refuse(
                    Input::Plan,
                    participants_span(report),
                    format!("at least {least} {who} ({}, {})", asked.ja, asked.section),
                    count.to_string(),
                    "let more holders of the role take part",
                );
            }
        }
    }
}

/// What custodians and operators do, and so never alone.
const TOGETHER: [&str; 7] = [
    "activation",
    "key-operation",
    "certificate-operation",
    "copy",
    "destruction",
    "orphan-removal",
    "deactivation",
];

/// R-MULTI: custodians and operators act in numbers of two or more (5.2.2).
pub(super) fn multi(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for kind in TOGETHER {
        let act = acts::act(report, kind);
        let people = acts::people(act);
        if people < 2 {
            let span = acts::place_of(report, act);
            report.refuse(
                Input::Policy,
                span,
                format!("two or more people at {kind}"),
                people.to_string(),
                "5.2.2 複数人: custodians and operators never act alone",
            );
        }
    }
    for (role, asked) in inputs.policy.role.iter().filter(|(_, role)| role.operator) {
        let present = report.participants().into_iter().filter(|p| holds(p, role)).count();
        if present == 1 {
            report.refuse(
                Input::Plan,
                participants_span(report),
                format!("two or more of {role} ({})", asked.ja),
                "1",
                "nobody operates alone (5.2.2)",
            );
        }
    }
}

/// S-DUTY: every duty of the policy can be met by the participants.
pub(super) fn duties(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for (kind, act) in &inputs.policy.act {
        for (role, count) in &act.by {
            if !inputs.policy.role.contains_key(role) {
                report.refuse(
                    Input::Policy,
                    count.span(),
                    "a role of the policy",
                    role.to_string(),
                    "",
                );
                continue;
            }
            let present = report.participants().into_iter().filter(|p| holds(p, role)).count();
            let asked = *count.get_ref();
            if asked == 0 {
                let span = count.span();
                report.refuse(
                    Input::Policy,
                    span,
                    format!("one {role} or more at {kind}"),
                    "0",
                    "",
                );
            } else if present < usize::try_from(asked).unwrap_or(usize::MAX) {
                report.refuse(
                    Input::Plan,
                    participants_span(report),
                    format!("{asked} of {role} for {kind} ({})", act.section),
                    present.to_string(),
                    "let more holders of the role take part",
                );
            }
        }
    }
}

/// R-SEPARATE: nobody holds two roles of an incompatible pair (5.2.4, D32).
pub(super) fn separate(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for (id, person) in &inputs.roster.person {
        for pair in &inputs.policy.separate {
            let held: Vec<_> = person
                .roles
                .iter()
                .filter(|role| pair.roles.iter().any(|r| r.get_ref() == role.get_ref()))
                .collect();
            if let [first, second] = held.as_slice() {
                report.refuse(
                    Input::Roster,
                    second.span(),
                    format!(
                        "{} in one of {} and {} ({})",
                        who(id, person),
                        first.get_ref(),
                        second.get_ref(),
                        pair.section
                    ),
                    "both",
                    "let another person hold one of them",
                );
            }
        }
    }
}

/// R-AUTHN: every person has an own credential (5.2.3): one key, one person.
pub(super) fn credentials(report: &mut Report<'_>) {
    let people: Vec<(&Name, &PersonEntry)> = report.inputs.roster.person.iter().collect();
    for (index, (id, person)) in people.iter().enumerate() {
        let key = &person.credential.key_sha256;
        let same = |other: &&(&Name, &PersonEntry)| {
            other.1.credential.key_sha256.get_ref() == key.get_ref()
        };
        if let Some((other, owner)) = people.iter().take(index).find(same) {
            report.refuse(
                Input::Roster,
                key.span(),
                format!("a credential of {} alone", who(id, person)),
                format!("that of {} too", who(other, owner)),
                "enrol a credential for each person",
            );
        }
    }
}

/// R-STAFF-CREDENTIAL: the operations manager enrolled each participant's credential (5.2.4 (3)),
/// before the ceremony.
pub(super) fn enrolment(report: &mut Report<'_>) {
    let day = report.at().day();
    let inputs = report.inputs;
    for (id, person) in report.named_participants() {
        let by = &person.credential.by;
        let manager = inputs.roster.person.get(by.get_ref().as_str());
        let is_manager = manager
            .is_some_and(|m| m.roles.iter().any(|r| r.get_ref().as_str() == "operations-manager"));
        if !is_manager || *person.credential.enrolled.get_ref() > day {
            report.refuse(
                Input::Roster,
                by.span(),
                format!(
                    "a credential of {} that an operations manager enrolled by {day}",
                    who(id, person)
                ),
                format!("{} on {}", by.get_ref(), person.credential.enrolled.get_ref()),
                "let the operations manager enrol it",
            );
        }
    }
}

/// R-APPOINT: each participant's appointment was approved by a CA manager and an issuing officer
/// (5.3.9); of these two roles by a letter (D44).
pub(super) fn appointment(report: &mut Report<'_>) {
    let day = report.at().day();
    let inputs = report.inputs;
    for (id, person) in report.named_participants() {
        let on = &person.appointed.on;
        let by = &person.appointed.by;
        let own = ["ca-manager", "issuing-officer"];
        let letter = by.iter().any(|b| b.get_ref() == "letter");
        let approver = |role: &str| {
            by.iter().any(|b| {
                let approver = inputs.roster.person.get(b.get_ref().as_str());
                approver.is_some_and(|p| p.roles.iter().any(|r| r.get_ref().as_str() == role))
            })
        };
        let ranking = person.roles.iter().any(|r| own.contains(&r.get_ref().as_str()));
        let approved = if ranking { letter } else { own.into_iter().all(approver) };
        if !approved || *on.get_ref() > day {
            let asked = if ranking {
                format!("a letter of appointment of {} by {day}", who(id, person))
            } else {
                format!(
                    "an appointment of {} by {day} that a CA manager and an issuing officer approved",
                    who(id, person)
                )
            };
            let names: Vec<&str> = by.iter().map(|b| b.get_ref().as_str()).collect();
            report.refuse(
                Input::Roster,
                on.span(),
                asked,
                format!("{} by {}", on.get_ref(), names.join(" ")),
                "complete the register of appointments",
            );
        }
    }
}

/// R-ENTRY-RIGHT: a CA manager granted each participant the right to enter, before the day
/// (5.1.2.1).
pub(super) fn entry_right(report: &mut Report<'_>) {
    let day = report.at().day();
    let inputs = report.inputs;
    for (id, person) in report.named_participants() {
        let right = &person.entry_right;
        let granter = inputs.roster.person.get(right.by.get_ref().as_str());
        let manager =
            granter.is_some_and(|p| p.roles.iter().any(|r| r.get_ref().as_str() == "ca-manager"));
        if !manager || *right.granted.get_ref() > day {
            report.refuse(
                Input::Roster,
                right.by.span(),
                format!("a right to enter that a CA manager granted {} by {day}", who(id, person)),
                format!("{} on {}", right.by.get_ref(), right.granted.get_ref()),
                "let a CA manager grant it",
            );
        }
    }
}

/// R-TRAINED: training is not older than 12 months (5.3.4).
pub(super) fn trained(report: &mut Report<'_>) {
    let months = *report.inputs.policy.training.max_months.get_ref();
    let day = report.at().day();
    for (id, person) in report.named_participants() {
        let trained = &person.trained;
        let fresh = |trained: &Day| within_months(*trained, day, months);
        if !trained.get_ref().iter().any(fresh) {
            let last = trained.get_ref().iter().filter(|trained| **trained <= day).max();
            report.refuse(
                Input::Roster,
                trained.span(),
                format!("training of {} within {months} months before {day}", who(id, person)),
                last.map_or("none".to_string(), ToString::to_string),
                "train before the ceremony",
            );
        }
    }
}

/// R-ELIGIBLE: each participant's background was checked before the ceremony (5.3.2).
pub(super) fn eligible(report: &mut Report<'_>) {
    let day = report.at().day();
    for (id, person) in report.named_participants() {
        let eligible = &person.eligible;
        if *eligible.get_ref() > day {
            report.refuse(
                Input::Roster,
                eligible.span(),
                format!("a background check of {} by {day}", who(id, person)),
                eligible.get_ref().to_string(),
                "check before the ceremony",
            );
        }
    }
}

fn within_months(earlier: Day, day: Day, months: u32) -> bool {
    let span = format!("{months} months").parse();
    let end = span.ok().and_then(|span| earlier.start().plus(&span).ok());
    earlier <= day && end.is_some_and(|end| day.start() <= end)
}

fn participants_span(report: &Report<'_>) -> core::ops::Range<usize> {
    let participants = &report.inputs.plan.participants;
    let start = participants.first().map(|p| p.span().start).unwrap_or_default();
    let end = participants.last().map(|p| p.span().end).unwrap_or_default();
    start..end
}
