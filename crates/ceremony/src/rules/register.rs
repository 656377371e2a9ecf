//! The rule on the register: whoever is new or changed was enrolled.

use alloc::collections::BTreeSet;

use super::Report;
use super::people::who;
use crate::key::Nonce;
use crate::register::enrolling;
use crate::says;
use crate::violation::Input;

/// S-REGISTER: whoever the roster has otherwise than the register was enrolled, by the signatures
/// of those who were in the register before.
pub(super) fn enrolled(report: &mut Report<'_>) {
    let inputs = report.inputs;
    let mut seen = BTreeSet::new();
    for one in enrolling(inputs, report.state) {
        let who = who(one.person, one.entry);
        let is_new = |nonce: Nonce| !report.state.nonces.contains(&nonce) && seen.insert(nonce);
        if !one.nonces().into_iter().all(is_new) {
            let asked = says!(
                who;
                "{who} の登録の、使われたことのない r",
                "an r that was never seen, in the enrolment of {who}"
            );
            let advice = says!(
                "同じ r を 2 度使ったカードの鍵は計算できる。カードを替える",
                "from two signatures with one r anybody computes the card's key: replace the card"
            );
            let found = says!("r の重複", "a repeated r");
            report.refuse(Input::Roster, one.span(), asked, found, advice);
        }
        let Some(missing) = one.missing() else { continue };
        let (id, after) = (one.person, one.after);
        let enrolment = inputs.roster.enrolment.get(id);
        let stale = enrolment.filter(|made| *made.after.get_ref() != one.after);
        let span = stale.map_or_else(|| one.span(), |s| s.after.span());
        let found = match stale {
            Some(stale) => {
                let found = stale.after.get_ref();
                says!("{found} の後の登録", "an enrolment after {found}")
            }
            None => says!(missing; "{missing} の署名がない", "without the signature of {missing}"),
        };
        report.refuse(
            Input::Roster,
            span,
            says!(
                who;
                "台帳の最新値 {after} の後に署名した {who} の登録",
                "an enrolment of {who}, signed after the ledger's head {after}"
            ),
            found,
            says!(
                "新しい者、氏名、カード、組織、役割は `gishiki roster enrol {id}` で登録する",
                "a new person, name, card, organisation or role is enrolled by `gishiki roster enrol {id}`"
            ),
        );
    }
}
