//! Rules on continuing after a loss: of the root token, or of a ceremony that could not be sealed.

use alloc::vec::Vec;

use super::Report;
use crate::language::Bilingual;
use crate::ledger::State;
use crate::name::Name;
use crate::plan::{Loss, Recovery};
use crate::says;
use crate::time::Instant;
use crate::violation::Input;

/// R-RECOVER: a lost root token is replaced by a token that is proved to hold every root key that
/// is still needed.
///
/// Every deciding organisation approves it, and the plan states what became of the lost
/// token (5.7.2, 6.2.4).
pub(super) fn recovery(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let Some(recovery) = &plan.recovery else { return };
    for fault in faults(report, recovery) {
        report.refuse(
            Input::Plan,
            recovery.token.span(),
            says!(
                "役目の残るすべてのルート鍵の、検証済みの複製を持つトークン、失われたトークンの顛末、決定するすべての組織の承認",
                "a token with a proved copy of every root key that has duties, a statement of what became of the lost token, and the approval of every deciding organisation"
            ),
            fault,
            says!(
                "複製のない鍵は失われている。[lost.…] に書き、次の世代の鍵を作る",
                "a key without a copy is lost: declare it by [lost.…], and make the next root key"
            ),
        );
    }
}

fn faults(report: &Report<'_>, recovery: &Recovery) -> Vec<Bilingual> {
    let token = recovery.token.get_ref();
    let mut faults = Vec::new();
    match report.before.spares.get(token) {
        None => faults.push(says!(
            "複製を持つトークン {token} は台帳になし",
            "no token {token} with copies in the ledger"
        )),
        Some(spare) => {
            let needed = needed(report.before, report.at()).into_iter();
            let declared =
                |key: &Name| report.inputs.plan.lost.keys().any(|lost| lost.get_ref() == key);
            let missing = needed.filter(|key| !spare.copies.contains(key) && !declared(key));
            faults.extend(missing.map(|key| {
                says!("{token} に {key} の検証済みの複製なし", "no proved copy of {key} on {token}")
            }));
        }
    }
    let approved: Vec<&Name> = recovery.approved_by.iter().map(|o| o.get_ref()).collect();
    let asked = report.inputs.cps.deciding();
    let missing = asked.filter(|organization| !approved.contains(organization));
    faults.extend(
        missing.map(|organization| {
            says!("{organization} の承認なし", "no approval of {organization}")
        }),
    );
    if recovery.lost.get_ref().trim().is_empty() {
        faults.push(says!(
            "失われたトークンの記載なし",
            "no statement of what became of the lost token"
        ));
    }
    let mut copies = report.inputs.plan.copy.values();
    if copies.any(|copy| copy.token.get_ref() == token) {
        faults.push(says!(
            "以後ルートのトークンとなる {token} への複製",
            "a copy to {token}, which is the root token from now on"
        ));
    }
    faults
}

/// S-LOST: a root key is declared lost only if no token has a copy of it, with what became of its
/// token and the approval of every deciding organisation; and another root key goes on.
///
/// Without a recovery, every root key was on the lost token.
pub(super) fn lost(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    for (name, loss) in &plan.lost {
        for (asked, found, advice) in loss_faults(report, name.get_ref(), loss) {
            report.refuse(Input::Plan, name.span(), asked, found, advice);
        }
    }
    let Some(first) = plan.lost.keys().next() else { return };
    let declared = |key: &Name| plan.lost.keys().any(|lost| lost.get_ref() == key);
    let others = report.before.root_keys().map(|(name, _)| name);
    let others = others.filter(|name| !declared(name) && plan.recovery.is_none());
    for name in others.cloned().collect::<Vec<_>>() {
        let advice = match copy_of(report, &name) {
            Some(token) => by_recovery(token),
            None => says!("[lost.{name}] も書く", "write [lost.{name}] too"),
        };
        report.refuse(
            Input::Plan,
            first.span(),
            says!(
                "失われたトークンにあったすべてのルート鍵",
                "every root key that was on the lost token"
            ),
            says!("{name} についての記載なし", "nothing of {name}"),
            advice,
        );
    }
    if report.state.issuing_key().is_none() && plan.key.is_empty() {
        report.refuse(
            Input::Plan,
            first.span(),
            says!("後を継ぐルート鍵", "a root key that goes on"),
            Bilingual::none(),
            says!("次の世代の鍵とその証明書を書く", "write the next root key and its certificate"),
        );
    }
}

/// A fault: what was asked, what was found, what to do.
type LossFault = (Bilingual, Bilingual, Bilingual);

fn loss_faults(report: &Report<'_>, key: &Name, loss: &Loss) -> Vec<LossFault> {
    let mut faults = Vec::new();
    if !report.before.root_keys().any(|(name, _)| name == key) {
        faults.push((
            says!("台帳にあり、まだ失われていないルート鍵", "a root key of the ledger that exists"),
            Bilingual::plain(key),
            says!("名を正す", "correct the name"),
        ));
    }
    if let Some(token) = copy_of(report, key) {
        faults.push((
            says!("複製のないルート鍵", "a root key of which there is no copy"),
            says!("{token} に {key} の検証済みの複製", "a proved copy of {key} on {token}"),
            by_recovery(token),
        ));
    }
    for organization in report.inputs.cps.deciding() {
        if !loss.approved_by.iter().any(|by| by.get_ref() == organization) {
            faults.push((
                says!("{organization} の承認", "the approval of {organization}"),
                Bilingual::none(),
                says!(
                    "鍵なしで続けることは、決定するすべての組織が承認する",
                    "every deciding organisation approves that the CA goes on without the key"
                ),
            ));
        }
    }
    if loss.reason.get_ref().trim().is_empty() {
        faults.push((
            says!("失われたトークンの顛末", "what became of the lost token"),
            Bilingual::none(),
            says!(
                "いつ、どのように失われ、残ったものがどこにあるかを書く",
                "say when and how it was lost, and where what is left of it is kept"
            ),
        ));
    }
    faults
}

/// Returns a token that has a proved copy of the key.
fn copy_of<'a>(report: &Report<'a>, key: &Name) -> Option<&'a Name> {
    let mut spares = report.before.spares.iter();
    spares.find(|(_, spare)| spare.copies.contains(key)).map(|(token, _)| token)
}

fn by_recovery(token: &Name) -> Bilingual {
    says!(
        "[recovery] に {token} を書き、複製から復旧する",
        "recover from the copy: write [recovery] with {token}"
    )
}

/// Returns the root keys that still sign CRLs: not compromised, and with a root certificate that
/// has not ended.
fn needed(state: &State, at: Instant) -> Vec<Name> {
    let lives = |name: &Name| state.root_of(name.as_str()).is_some_and(|root| root.not_after >= at);
    let keys = state.root_keys().filter(|(_, key)| key.compromised.is_none());
    keys.map(|(name, _)| name.clone()).filter(lives).collect()
}

/// S-ABANDONED: if the previous ceremony could not be sealed, the plan names the digest of its
/// journal, which people signed on paper.
pub(super) fn abandoned(report: &mut Report<'_>) {
    let plan = &report.inputs.plan;
    let asked = report.state.last.as_ref().and_then(|last| last.abandoned);
    let found = plan.abandoned.as_ref().map(|digest| *digest.get_ref());
    if asked == found {
        return;
    }
    let place = plan.abandoned.as_ref().map_or_else(|| plan.after.span(), toml::Spanned::span);
    let show =
        |digest: Option<crate::hex::Digest>| digest.map_or_else(Bilingual::none, Bilingual::plain);
    report.refuse(
        Input::Plan,
        place,
        match asked {
            Some(digest) => says!("abandoned = \"{digest}\"", "abandoned = \"{digest}\""),
            None if report.state.last.is_none() => says!(
                "`abandoned` なし。最初のセレモニーの前には何もなく、断念したものは台帳に入らない",
                "no `abandoned`: nothing precedes a first ceremony, and an abandoned first ceremony is not in the ledger"
            ),
            None => says!(
                "`abandoned` なし。直前のセレモニーは封印済み",
                "no `abandoned`: the ceremony before was sealed"
            ),
        },
        show(found),
        says!(
            "紙に写して全員が署名したダイジェストと比べる",
            "compare with the digest that everyone signed on paper"
        ),
    );
}
