//! Rules on people: roles, numbers, separation, appointment.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;

use super::acts::{named, number};
use super::{Report, acts};
use crate::language::Bilingual;
use crate::name::Name;
use crate::policy::OF_EACH_ORGANIZATION;
use crate::roster::PersonEntry;
use crate::says;
use crate::time::Day;
use crate::violation::Input;

impl<'a> Report<'a> {
    /// Returns everybody on whom the plan counts and who is in the roster: reserves meet no duty
    /// before they come.
    fn participants(&self) -> Vec<&'a PersonEntry> {
        let inputs = self.inputs;
        let ids = inputs.plan.participants.iter();
        ids.filter_map(|id| inputs.roster.person.get(id.get_ref())).collect()
    }

    /// Returns everybody who may come and is in the roster, with their id.
    pub(super) fn who_may_come(&self) -> Vec<(&'a Name, &'a PersonEntry)> {
        let inputs = self.inputs;
        inputs
            .plan
            .may_come()
            .filter_map(|id| inputs.roster.person.get_key_value(id.get_ref()))
            .collect()
    }

    /// Whether the roster has a person with this id who held the role on this day: what somebody
    /// did who has left since stays valid.
    fn named_with(&self, id: &str, role: &Name, day: Day) -> bool {
        self.inputs.roster.person.get(id).is_some_and(|person| person.held(role, day))
    }
}

/// Names a person in a message.
pub(super) fn who(id: &Name, person: &PersonEntry) -> Bilingual {
    let name = person.said();
    says!(name; "{name} ({id})", "{name} ({id})")
}

/// The advice if too few people hold a role.
fn more_holders() -> Bilingual {
    says!("この役割を持つ参加者を増やす", "let more holders of the role take part")
}

fn holds(person: &PersonEntry, role: &Name) -> bool {
    person.roles.iter().any(|held| held.get_ref() == role)
}

/// S-PARTICIPANT: everybody who may come is a person of the roster who serves, named once.
pub(super) fn participants(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for (index, id) in inputs.plan.may_come().enumerate() {
        let again = inputs.plan.may_come().take(index).any(|p| p.get_ref() == id.get_ref());
        let ended = |person: &'_ PersonEntry| person.ended.as_ref().map(|day| *day.get_ref());
        let found = match (inputs.roster.person.get(id.get_ref().as_str()), again) {
            (_, true) => Some(says!("{} が 2 回", "{} twice", id.get_ref())),
            (None, false) => Some(Bilingual::plain(id.get_ref())),
            (Some(person), false) => ended(person).map(|day| {
                let id = id.get_ref();
                says!("{day} に任命の終わった {id}", "{id}, who served until {day}")
            }),
        };
        if let Some(found) = found {
            report.refuse(
                Input::Plan,
                id.span(),
                says!(
                    "任命簿にあり任命の続く者を 1 回ずつ",
                    "a person of the roster who serves, once"
                ),
                found,
                says!(
                    "ID を正すか、その者を任命簿に記入する",
                    "correct the identifier, or enter the person in the roster"
                ),
            );
        }
    }
}

/// R-ROLES: every role of 5.2.1 that a ceremony needs is present; if the policy asks so, from each
/// organisation.
pub(super) fn roles(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for (role, asked) in &inputs.policy.role {
        let least = *asked.at_least.get_ref();
        let present = report.participants().into_iter().filter(|p| holds(p, role));
        let organizations: Vec<Name> = present.map(|p| p.organization.get_ref().clone()).collect();
        let mut groups: Vec<(Bilingual, usize)> = Vec::new();
        let (title, section) = (asked.name.said(), &asked.section);
        if asked.each_organization {
            for of in inputs.cps.deciding() {
                let count = organizations.iter().filter(|o| *o == of).count();
                groups.push((
                    says!(title; "{of} の{title}({role})", "{title} ({role}) of {of}"),
                    count,
                ));
            }
        } else {
            groups.push((named(report, role.as_str()), organizations.len()));
        }
        for (who, count) in groups {
            if count < usize::try_from(least).unwrap_or(usize::MAX) {
                report.refuse(
                    Input::Plan,
                    participants_span(report),
                    says!(who; "{who} {least} 名以上({section})", "at least {least} {who} ({section})"),
                    number(count),
                    more_holders(),
                );
            }
        }
    }
}

/// R-MULTI: people who operate never act alone.
pub(super) fn multi(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for (role, asked) in inputs.policy.role.iter().filter(|(_, role)| role.operator) {
        let present = report.participants().into_iter().filter(|p| holds(p, role)).count();
        if present == 1 {
            let title = asked.name.said();
            report.refuse(
                Input::Plan,
                participants_span(report),
                says!(title; "{title}({role}) 2 名以上", "two or more of {title} ({role})"),
                number(present),
                says!("単独で操作しない", "nobody operates alone"),
            );
        }
    }
}

/// The kinds of acts to which a policy assigns people.
const ACTS: &[&str] = &[
    "activation",
    "anchor-words",
    "application",
    "certificate-operation",
    "clock",
    OF_EACH_ORGANIZATION,
    "compromise",
    "copy",
    "deactivation",
    "destruction",
    "entry",
    "exit",
    "fingerprint",
    "hand-over",
    "key-operation",
    "order",
    "orphan-removal",
    "papers",
    "roll-call",
    "supersede",
];

/// S-DUTY: every act has people, and every duty of the policy can be met by the participants; what
/// is done besides ceremonies is somebody's, and has a date.
pub(super) fn duties(report: &mut Report<'_>) {
    let inputs = report.inputs;
    report.violations.extend(inputs.policy.judge_duties().err().into_iter().flatten());
    for kind in ACTS {
        let by = inputs.policy.act.get(*kind).map(|act| &act.by);
        if by.is_none_or(BTreeMap::is_empty) {
            report.refuse(
                Input::Policy,
                inputs.entry(&format!("act.{kind}")).span,
                says!("[act.{kind}] に行う者", "[act.{kind}] with the people who do it"),
                says!("なし", "nobody"),
                says!("誰が何名で行うかを書く", "write who does it, and how many"),
            );
        }
    }
    for (kind, act) in inputs.policy.act.iter().filter(|(kind, _)| !ACTS.contains(&kind.as_str())) {
        report.refuse(
            Input::Policy,
            act.by.values().next().map(toml::Spanned::span).unwrap_or_default(),
            says!("手順の種類", "a kind of act"),
            Bilingual::plain(kind),
            says!(
                "docs/plan-format.md にある種類を書く",
                "write one of those in docs/plan-format.md"
            ),
        );
    }
    for (kind, act) in &inputs.policy.act {
        for (role, count) in &act.by {
            if !inputs.policy.role.contains_key(role) {
                report.refuse(
                    Input::Policy,
                    count.span(),
                    says!("ポリシーにある役割", "a role of the policy"),
                    Bilingual::plain(role),
                    Bilingual::default(),
                );
                continue;
            }
            let asked = *count.get_ref();
            if asked == 0 {
                let named = named(report, role.as_str());
                report.refuse(
                    Input::Policy,
                    count.span(),
                    says!(named; "[act.{kind}]: {named} 1 名以上", "one {named} or more at {kind}"),
                    number(0),
                    Bilingual::default(),
                );
            } else {
                enough(report, kind, role, asked);
            }
        }
    }
}

/// Refuses a plan in which too few participants hold a role that an act asks for: everywhere, and
/// where each deciding organisation acts for itself, in each of them.
fn enough(report: &mut Report<'_>, kind: &Name, role: &Name, asked: u32) {
    let deciding: Vec<Option<&Name>> = match kind.as_str() {
        OF_EACH_ORGANIZATION => report.inputs.cps.deciding().map(Some).collect(),
        _ => alloc::vec![None],
    };
    for organization in deciding {
        let of =
            |person: &&PersonEntry| organization.is_none_or(|o| person.organization.get_ref() == o);
        let able = report.participants().into_iter().filter(|p| holds(p, role)).filter(of);
        let present = able.count();
        if present >= usize::try_from(asked).unwrap_or(usize::MAX) {
            continue;
        }
        let named = named(report, role.as_str());
        let section = report.inputs.policy.act.get(kind).map_or("", |act| act.section.as_str());
        let asked = match organization {
            None => says!(
                named;
                "[act.{kind}]: {named} {asked} 名({section})",
                "{asked} of {named} for {kind} ({section})"
            ),
            Some(organization) => says!(
                named;
                "[act.{kind}]: {organization} の{named} {asked} 名({section})",
                "{asked} of {named} of {organization} for {kind} ({section})"
            ),
        };
        let advice = match organization {
            None => more_holders(),
            Some(organization) => says!(
                "{organization} の、この役割を持つ参加者を増やす(cps.toml の approved-by の組織がそれぞれ行う)",
                "let more holders of the role of {organization} take part: each organisation of approved-by in cps.toml acts for itself"
            ),
        };
        report.refuse(Input::Plan, participants_span(report), asked, number(present), advice);
    }
}

/// R-STAFF-CREDENTIAL: a person of the policy's role enrolled each participant's credential before
/// the ceremony.
pub(super) fn enrolment(report: &mut Report<'_>) {
    let day = report.at().day();
    let role = report.inputs.policy.decision.credential.by.get_ref();
    let title = acts::title(report, role);
    for (id, person) in report.who_may_come() {
        let by = &person.credential.by;
        let enrolled = person.credential.enrolled.get_ref();
        if !report.named_with(by.get_ref().as_str(), role, *enrolled) || *enrolled > day {
            let who = who(id, person);
            report.refuse(
                Input::Roster,
                by.span(),
                says!(
                    who, title;
                    "{title}が {day} までに登録した {who} の認証手段",
                    "a credential of {who} that {title} enrolled by {day}"
                ),
                says!("{} が {} に登録", "{} on {}", by.get_ref(), enrolled),
                says!(title; "{title}が登録する", "let {title} enrol it"),
            );
        }
    }
}

/// R-APPOINT: people of the policy's roles approved each participant's appointment; those of some
/// roles are appointed by a letter instead.
pub(super) fn appointment(report: &mut Report<'_>) {
    let day = report.at().day();
    let inputs = report.inputs;
    let appointing = &inputs.policy.decision.appointment;
    let titles: Vec<Bilingual> =
        appointing.by.iter().map(|role| acts::title(report, role.get_ref())).collect();
    let joined = |pick: fn(&Bilingual) -> &str, joint: &str| {
        titles.iter().map(pick).collect::<Vec<_>>().join(joint)
    };
    let titles = Bilingual { ja: joined(|t| &t.ja, "と"), en: joined(|t| &t.en, " and ") };
    for (id, person) in report.who_may_come() {
        let on = &person.appointed.on;
        let by = &person.appointed.by;
        let letter = by.iter().any(|b| b.get_ref() == "letter");
        let approver =
            |role: &Name| by.iter().any(|b| report.named_with(b.get_ref(), role, *on.get_ref()));
        let ranking = appointing.is_by_letter(person);
        let approved = if ranking {
            letter
        } else {
            appointing.by.iter().all(|role| approver(role.get_ref()))
        };
        if !approved || *on.get_ref() > day {
            let who = who(id, person);
            let asked = if ranking {
                says!(
                    who;
                    "{day} までの {who} の任命書",
                    "a letter of appointment of {who} by {day}"
                )
            } else {
                says!(
                    who, titles;
                    "{titles}が承認した、{day} までの {who} の任命",
                    "an appointment of {who} by {day} that {titles} approved"
                )
            };
            let names: Vec<&str> = by.iter().map(|b| b.get_ref().as_str()).collect();
            let names = names.join(" ");
            report.refuse(
                Input::Roster,
                on.span(),
                asked,
                says!("{}({names} による)", "{} by {names}", on.get_ref()),
                says!(
                    "任命簿を整える。離れた者は削除せず、`ended` にその日を書く",
                    "complete the register of appointments; whoever has left stays in it, with the day in `ended`"
                ),
            );
        }
    }
}

/// R-ENTRY-RIGHT: a person of the policy's role granted each participant the right to enter, by the
/// day of the ceremony.
pub(super) fn entry_right(report: &mut Report<'_>) {
    let day = report.at().day();
    let role = report.inputs.policy.decision.entry_right.by.get_ref();
    let title = acts::title(report, role);
    for (id, person) in report.who_may_come() {
        let right = &person.entry_right;
        let granted = *right.granted.get_ref();
        if !report.named_with(right.by.get_ref().as_str(), role, granted) || granted > day {
            let who = who(id, person);
            report.refuse(
                Input::Roster,
                right.by.span(),
                says!(
                    who, title;
                    "{title}が {day} までに {who} に付与した入退室権限",
                    "a right to enter that {title} granted {who} by {day}"
                ),
                says!("{} が {} に付与", "{} on {}", right.by.get_ref(), right.granted.get_ref()),
                says!(title; "{title}が付与する", "let {title} grant it"),
            );
        }
    }
}

/// R-ELIGIBLE: each participant's background was checked before the ceremony (5.3.2).
pub(super) fn eligible(report: &mut Report<'_>) {
    let day = report.at().day();
    for (id, person) in report.who_may_come() {
        let eligible = &person.eligible;
        if *eligible.get_ref() > day {
            let who = who(id, person);
            report.refuse(
                Input::Roster,
                eligible.span(),
                says!(who; "{day} までの {who} の経歴調査", "a background check of {who} by {day}"),
                Bilingual::plain(eligible.get_ref()),
                says!("セレモニーの前に調査する", "check before the ceremony"),
            );
        }
    }
}

fn participants_span(report: &Report<'_>) -> core::ops::Range<usize> {
    let participants = &report.inputs.plan.participants;
    let start = participants.first().map(|p| p.span().start).unwrap_or_default();
    let end = participants.last().map(|p| p.span().end).unwrap_or_default();
    start..end
}
