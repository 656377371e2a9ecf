//! Rules on decisions before the ceremony: applications, revocations, compromises.

use alloc::collections::BTreeSet;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::{Report, acts};
use crate::language::Bilingual;
use crate::ledger::{Certificate, Standing};
use crate::name::Name;
use crate::plan::{Application, ApplicationKind, Ground, ProfileName};
use crate::says;
use crate::violation::Input;

impl Report<'_> {
    fn has_role(&self, person: &Name, role: &Name) -> bool {
        let person = self.inputs.roster.serving(person.as_str());
        person.is_some_and(|person| person.roles.iter().any(|held| held.get_ref() == role))
    }

    fn is_of(&self, person: &Name, organization: &Name) -> bool {
        let person = self.inputs.roster.serving(person.as_str());
        person.is_some_and(|person| person.organization.get_ref() == organization)
    }
}

/// R-EXAMINE: an application was received, examined and approved, in this order and before the
/// ceremony (4.2.1, 4.2.2, 4.9.3), and a certificate or revocation is based on it.
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
                says!(
                    "受付、審査、承認、セレモニーの順",
                    "received, then examined, then approved, then the ceremony"
                ),
                Bilingual::plain(order.map(|at| at.to_string()).join(", ")),
                says!(
                    "時刻を正すか、セレモニーを遅らせる",
                    "correct the times, or hold the ceremony later"
                ),
            );
        }
        let certificates = plan.certificate.values().filter_map(|c| c.application.as_ref());
        let revocations = plan.revocation.values().map(|revocation| &revocation.application);
        if !certificates.chain(revocations).any(|used| used.get_ref() == name.get_ref()) {
            report.refuse(
                Input::Plan,
                name.span(),
                says!("発行又は失効の根拠となる申請", "an application for an issue or revocation"),
                says!("この申請に基づくものなし", "nothing names this application"),
                says!(
                    "申請を除くか、基づくものの `application` に書く",
                    "remove it, or name it as `application` of what it is for"
                ),
            );
        }
    }
}

/// R-EXAMINE: each application has a paper of its own, and is used in one ceremony only: a later
/// issue or revocation goes through the whole procedure again (4.2.1, 4.9.5).
pub(super) fn papers(report: &mut Report<'_>) {
    let applications = &report.inputs.plan.application;
    for (place, (_, application)) in applications.iter().enumerate() {
        let paper = application.paper.get_ref();
        let here = applications.values().take(place).any(|other| other.paper.get_ref() == paper);
        let found = match (here, report.state.papers.contains(paper)) {
            (true, _) => says!(
                "この計画の別の申請にも使われた書類",
                "a paper that another application of this plan uses too"
            ),
            (false, true) => {
                says!("以前のセレモニーで使われた書類", "a paper that an earlier ceremony used")
            }
            (false, false) => continue,
        };
        report.refuse(
            Input::Plan,
            application.paper.span(),
            says!("この申請だけの書類", "a paper of this application only"),
            found,
            says!("申請をやり直す", "apply again"),
        );
    }
}

/// R-APPROVE: people of the policy's role examine and approve, and none of them is an applicant.
pub(super) fn approved(report: &mut Report<'_>) {
    let role = report.inputs.policy.decision.examination.by.get_ref();
    let title = acts::title(report, role);
    for application in report.inputs.plan.application.values() {
        for decision in [&application.examined, &application.approved] {
            let by = decision.by.get_ref();
            let applied = application.by.iter().any(|applicant| applicant.get_ref() == by);
            if !report.has_role(by, role) || applied {
                report.refuse(
                    Input::Plan,
                    decision.by.span(),
                    says!(title; "申請者でない{title}", "{title}, who has not applied"),
                    Bilingual::plain(by),
                    says!(title; "{title}が審査し、承認する", "let {title} decide"),
                );
            }
        }
    }
}

/// R-APPLY-DS: the people whom the policy names apply, all of them and nobody else.
pub(super) fn applicants(report: &mut Report<'_>) {
    let decision = &report.inputs.policy.decision;
    for (name, application) in &report.inputs.plan.application {
        let by: BTreeSet<&Name> = application.by.iter().map(|person| person.get_ref()).collect();
        let asked = match application.kind.get_ref() {
            ApplicationKind::Issue | ApplicationKind::Renewal => &decision.issue.by,
            ApplicationKind::Revocation => &decision.revocation.by,
        };
        let complete = asked.iter().all(|(role, least)| {
            let holders = by.iter().filter(|person| report.has_role(person, role)).count();
            holders >= usize::try_from(*least.get_ref()).unwrap_or(usize::MAX)
        });
        let only = by.iter().all(|person| asked.keys().any(|role| report.has_role(person, role)));
        if !complete || !only {
            let titles = acts::titles(report, asked);
            let found: Vec<&str> = by.iter().map(|person| person.as_str()).collect();
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    titles;
                    "{titles}による申請(ほかの者を含まない)",
                    "an application by {titles}, and by nobody else"
                ),
                if found.is_empty() {
                    says!("申請者なし", "nobody")
                } else {
                    Bilingual::plain(found.join(" "))
                },
                says!("申請できる役割の者が申請する", "let the right roles apply"),
            );
        }
    }
}

/// R-APPLY-SAME-ORG: every applicant belongs to an organisation that operates the root CA (3.2.2,
/// 3.4.1).
pub(super) fn same_organization(report: &mut Report<'_>) {
    let operating: Vec<&Name> = report.inputs.cps.deciding().collect();
    for application in report.inputs.plan.application.values() {
        for person in &application.by {
            if !operating.iter().any(|o| report.is_of(person.get_ref(), o)) {
                report.refuse(
                    Input::Plan,
                    person.span(),
                    says!(
                        "ルート認証局を運用する組織の申請者",
                        "an applicant of the organisations that operate the root CA"
                    ),
                    Bilingual::plain(person.get_ref()),
                    says!("申請を却下する", "refuse the application"),
                );
            }
        }
    }
}

/// R-REVOKE: every revocation, also that of a renewal's old certificate, is based on an application
/// for revocation, and on the subscriber's notification if the ground is theirs (4.9.1, 4.9.2;
/// D25).
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
                says!("失効の申請", "an application for revocation"),
                Bilingual::plain(kind.name()),
                says!("失効の申請をやり直す", "apply for the revocation"),
            );
        }
        if ground.is_the_subscribers() && application.notification.is_none() {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "失効事由 {} についての電子証明書利用者の届出",
                    "the subscriber's notification for the ground {}",
                    ground.name()
                ),
                Bilingual::none(),
                says!(
                    "届出の書類のダイジェストを `notification` に書く",
                    "write the digest of the paper as `notification`"
                ),
            );
        }
    }
}

/// R-REVOKE-GROUND: the ground is one of 4.9.1. Termination is not allowed, because 5.8 does not
/// stipulate it (D35); `renewal` is allowed only for a certificate that the plan renews (4.7.3).
pub(super) fn ground(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for (name, revocation) in &plan.revocation {
        let ground = *revocation.ground.get_ref();
        let renewed = plan.certificate.values().filter_map(|c| c.renews.as_ref());
        let renewed = renewed.into_iter().any(|renewed| renewed.get_ref() == name.get_ref());
        let asked = match ground {
            Ground::Termination => says!(
                "定めのある失効事由(認証局の終了には定めがない)",
                "a stipulated ground: the termination of the CA is not"
            ),
            Ground::Renewal if !renewed => {
                says!("この計画が更新する電子証明書", "a certificate that this plan renews")
            }
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
            Bilingual::plain(ground.name()),
            says!("当てはまる事由を書く", "name the ground that applies"),
        );
    }
}

/// R-REVOKE-TARGET: only a DS certificate that this CA issued and that is valid and unrevoked is
/// revoked, with a date not before its notBefore and not after the CRL (4.9.1, 4.9.5; D18).
pub(super) fn target(report: &mut Report<'_>) {
    let at = report.at();
    for (name, revocation) in &report.inputs.plan.revocation {
        let certificate = report.state.certificates.get(name.get_ref());
        let fault = match certificate {
            None => Some(says!("この名の電子証明書なし", "no certificate with this name")),
            Some(Certificate { standing: Standing::Revoked(revoked), .. }) => {
                Some(says!("{} に失効した電子証明書", "one that was revoked at {}", revoked.date))
            }
            Some(certificate) if certificate.profile != ProfileName::Ds => Some(says!(
                "プロファイル {} の電子証明書",
                "a {} certificate",
                certificate.profile.name()
            )),
            Some(certificate) if certificate.not_after < at => Some(says!(
                "{} に満了した電子証明書",
                "one that ended at {}",
                certificate.not_after
            )),
            Some(certificate) => revocation.date.as_ref().and_then(|date| {
                let date = *date.get_ref();
                let within = certificate.not_before <= date && date <= at;
                (!within).then(|| says!("{date} の失効", "a revocation at {date}"))
            }),
        };
        if let Some(found) = fault {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "この認証局の有効な(失効していない)DS 電子証明書と、実施時間帯の初めまでの失効年月日",
                    "a DS certificate of this CA, valid and not revoked, up to the window's beginning"
                ),
                found,
                says!(
                    "自己署名電子証明書とリンク証明書は [compromise.…] だけで失効させる",
                    "root and link certificates are revoked by [compromise.…] only"
                ),
            );
        }
    }
}

/// R-DS-COMPROMISE: if a DS key is compromised, a person of the role and organisation that the
/// policy names agreed before the revocation was approved; in no other case is there an `agreed`.
pub(super) fn ds_compromise(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let agreement = report.inputs.policy.decision.ds_compromise.as_ref();
    let compromised = |application: &Name| {
        plan.revocation.values().any(|revocation| {
            *revocation.ground.get_ref() == Ground::KeyCompromise
                && revocation.application.get_ref() == application
        })
    };
    for (name, application) in &plan.application {
        let by = application.agreed.as_ref().map(|agreed| &agreed.by);
        let (good, asked) = match agreement {
            None => (by.is_none(), says!("`agreed` のない申請", "an application without `agreed`")),
            Some(agreement) => {
                let (role, of) = (agreement.by.get_ref(), agreement.of.get_ref());
                let agreed =
                    |person: &Name| report.has_role(person, role) && report.is_of(person, of);
                let good = by.map_or(!compromised(name.get_ref()), |by| agreed(by.get_ref()));
                let title = acts::title(report, role);
                (good, says!(title; "{of} の{title}による `agreed`", "`agreed` by {title} of {of}"))
            }
        };
        if !good {
            report.refuse(
                Input::Plan,
                by.map_or_else(|| name.span(), toml::Spanned::span),
                asked,
                by.map_or_else(Bilingual::none, |by| Bilingual::plain(by.get_ref())),
                says!(
                    "失効より前に、定められた組織の同意を得る",
                    "the agreement of the organisation that the policy names comes before the revocation"
                ),
            );
        }
    }
}

/// R-COMPROMISE-JUDGE: before the ceremony, people of the policy's role, of every organisation that
/// decides, judged that a root key of this CA is compromised. A key is judged once.
pub(super) fn judged(report: &mut Report<'_>) {
    let at = report.at();
    let role = report.inputs.policy.decision.compromise.by.get_ref();
    let title = acts::title(report, role);
    for (name, compromise) in &report.inputs.plan.compromise {
        let key = report.state.root_keys().find(|(found, _)| *found == name.get_ref());
        if key.is_none_or(|(_, key)| key.compromised.is_some()) {
            report.refuse(
                Input::Plan,
                name.span(),
                says!(
                    "台帳にあり、まだ危殆化と判断されていないルート鍵",
                    "a root key of the ledger that is not known to be compromised"
                ),
                Bilingual::plain(name.get_ref()),
                says!("名を正す", "correct the name"),
            );
        }
        for organization in report.inputs.cps.deciding() {
            let judged = compromise.judged_by.iter().any(|person| {
                let person = person.get_ref();
                report.has_role(person, role) && report.is_of(person, organization)
            });
            if !judged {
                report.refuse(
                    Input::Plan,
                    name.span(),
                    says!(
                        title;
                        "{organization} の{title}の判断",
                        "the judgement of {title} of {organization}"
                    ),
                    Bilingual::none(),
                    says!(
                        title;
                        "危殆化は、決定するすべての組織の{title}が判断する",
                        "{title} of every deciding organisation judges a compromise"
                    ),
                );
            }
        }
        for person in &compromise.judged_by {
            if !report.has_role(person.get_ref(), role) {
                report.refuse(
                    Input::Plan,
                    person.span(),
                    says!(
                        title;
                        "{title}だけの判断",
                        "the judgement of {title}, and of nobody else"
                    ),
                    Bilingual::plain(person.get_ref()),
                    says!(
                        title;
                        "危殆化は、決定するすべての組織の{title}が判断する",
                        "{title} of every deciding organisation judges a compromise"
                    ),
                );
            }
        }
        if *compromise.judged_at.get_ref() > at {
            let span = compromise.judged_at.span();
            let found = Bilingual::plain(compromise.judged_at.get_ref());
            let asked = says!("{at} より前の判断", "a judgement before {at}");
            report.refuse(Input::Plan, span, asked, found, Bilingual::default());
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
                says!("緊急時対応計画の版", "the version of the emergency response plan"),
                Bilingual::none(),
                says!("版を書く", "write it"),
            );
        }
    }
}
