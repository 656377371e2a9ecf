//! The rule on approvals before the day: there are people who may give them.

use alloc::format;
use alloc::vec::Vec;

use super::Report;
use crate::approval::{Approvals, holders};
use crate::language::Bilingual;
use crate::name::Name;
use crate::policy::Signer;
use crate::says;
use crate::violation::Input;

/// S-APPROVED: for every approval that a plan needs, and for the program's release, there is
/// somebody, and every organisation that decides is among those who approve. A keyless identity is
/// that of one person of the roster.
pub(super) fn approvals(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let by = &inputs.policy.decision.approval.by;
    let span = by
        .first()
        .map_or_else(|| inputs.policy.decision.approval.within.span(), toml::Spanned::span);
    let refuse = |report: &mut Report<'_>, asked: Bilingual| {
        let advice = says!(
            "`[decision.approval]` の役割の者を任命するか、役割を加えるか、役割に `each-organization` を書く",
            "appoint holders of the roles of `[decision.approval]`, add a role, or give a role `each-organization`"
        );
        report.refuse(Input::Policy, span.clone(), asked, Bilingual::none(), advice);
    };
    let approvals = Approvals::of(inputs, report.state);
    let empty: Vec<_> = approvals.needed.iter().filter(|one| one.by.is_empty()).collect();
    for one in &empty {
        let of = &one.of;
        refuse(report, says!(of; "承認する者({of})", "somebody who approves: {of}"));
    }
    if let Some(releasing) = inputs.policy.decision.release.as_ref().filter(|r| r.by.is_empty()) {
        let span = inputs.entry("decision.release.by").span;
        let asked = says!(
            "プログラムのリリースを承認する役割",
            "a role that approves the program's release"
        );
        let advice = says!(
            "役割を書くか、リリースを求めないなら `[decision.release]` を削除する({})",
            "name a role, or delete `[decision.release]` where no release is asked for ({})",
            releasing.section
        );
        report.refuse(Input::Policy, span, asked, Bilingual::none(), advice);
    }
    for organization in inputs.cps.deciding().filter(|_| empty.is_empty()) {
        let of = holders(inputs, None, Some(organization));
        if !approvals.needed.iter().any(|one| one.by.is_subset(&of) && !one.by.is_empty()) {
            refuse(
                report,
                says!("{organization} による計画の承認", "an approval by {organization}"),
            );
        }
    }
    keyless(report);
}

/// Refuses keyless identities of nobody, one of two people, one without identity or issuer, and a
/// trusted root of a day that is yet to come.
fn keyless(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let Some(keyless) = &inputs.policy.decision.approval.keyless else { return };
    let span = keyless.trusted_root.span();
    let advice = || {
        says!(
            "`[decision.approval.keyless.person.ID]` に任命簿の者と、その者だけの identity を書く",
            "name people of the roster in `[decision.approval.keyless.person.ID]`, each with an identity of their own"
        )
    };
    let (day, obtained) = (report.at().day(), &keyless.obtained);
    if *obtained.get_ref() > day {
        let asked = says!(
            "セレモニーの日 {day} までに取得した trusted root",
            "a trusted root obtained by the day of the ceremony, {day}"
        );
        let advice = says!(
            "`trusted_root.json` を取得した日を `obtained` に書く",
            "write the day on which `trusted_root.json` was obtained in `obtained`"
        );
        let found = Bilingual::plain(obtained.get_ref());
        report.refuse(Input::Policy, obtained.span(), asked, found, advice);
    }
    let mut seen: Vec<(&Signer, &Name)> = Vec::new();
    for (person, signer) in &keyless.person {
        for (entry, text) in [("identity", &signer.identity), ("issuer", &signer.issuer)] {
            if text.trim().is_empty() {
                let path = format!("decision.approval.keyless.person.{person}.{entry}");
                let place = inputs.entry(&path).span;
                let asked = says!(
                    "keyless で署名する {person} の {entry}",
                    "the {entry} of {person}, who may sign keylessly"
                );
                let advice = says!(
                    "証明書にあるとおりに書くか、{person} の表を削除する",
                    "write it as the certificate has it, or delete the table of {person}"
                );
                report.refuse(Input::Policy, place, asked, Bilingual::none(), advice);
            }
        }
        if inputs.roster.serving(person.as_str()).is_none() {
            let asked = says!(
                "任命簿にある者の keyless の identity",
                "a keyless identity of somebody in the roster"
            );
            report.refuse(Input::Policy, span.clone(), asked, Bilingual::plain(person), advice());
        }
        if let Some((_, other)) = seen.iter().find(|(one, _)| *one == signer) {
            let asked = says!(
                "{person} だけの keyless の identity",
                "a keyless identity that {person} alone has"
            );
            let found = says!("{other} も持つもの", "one that {other} has as well");
            report.refuse(Input::Policy, span.clone(), asked, found, advice());
        }
        seen.push((signer, person));
    }
}
