//! Rules on the roster as a register: what its entries say, and that whoever is new or changed was
//! enrolled.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use toml::Spanned;

use super::Report;
use super::acts::named;
use super::people::who;
use crate::key::Nonce;
use crate::language::Bilingual;
use crate::name::Name;
use crate::policy::Separate;
use crate::register::enrolling;
use crate::roster::PersonEntry;
use crate::says;
use crate::violation::Input;

/// S-ROSTER: roles and organisations of the roster are those of the policy, each role once, and
/// nobody's end is yet to come.
pub(super) fn roster_words(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for person in inputs.roster.person.values() {
        let organization = &person.organization;
        if !inputs.policy.organization.contains_key(organization.get_ref()) {
            report.refuse(
                Input::Roster,
                organization.span(),
                says!("ポリシーにある組織", "an organisation of the policy"),
                Bilingual::plain(organization.get_ref()),
                Bilingual::default(),
            );
        }
        if let Some(ended) = &person.ended {
            let (on, day) = (*person.appointed.on.get_ref(), report.at().day());
            if !(on..=day).contains(ended.get_ref()) {
                report.refuse(
                    Input::Roster,
                    ended.span(),
                    says!(
                        "任命の日 {on} からセレモニーの日 {day} までの終了の日",
                        "an end from the day of the appointment, {on}, to that of the ceremony, {day}"
                    ),
                    Bilingual::plain(ended.get_ref()),
                    says!("任命が終わったときに書く", "write it when the appointment has ended"),
                );
            }
        }
        for (place, role) in person.roles.iter().enumerate() {
            if person.roles.iter().take(place).any(|other| other.get_ref() == role.get_ref()) {
                report.refuse(
                    Input::Roster,
                    role.span(),
                    says!("役割を 1 回ずつ", "each role once"),
                    says!("{} が 2 回", "{} twice", role.get_ref()),
                    says!("重複を削除する", "delete the second one"),
                );
            }
            if !inputs.policy.role.contains_key(role.get_ref()) {
                report.refuse(
                    Input::Roster,
                    role.span(),
                    says!("ポリシーにある役割", "a role of the policy"),
                    Bilingual::plain(role.get_ref()),
                    Bilingual::default(),
                );
            }
        }
    }
}

/// R-SEPARATE: no person holds two roles of an incompatible pair (5.2.4, D32).
pub(super) fn separate(report: &mut Report<'_>) {
    let inputs = report.inputs;
    for (id, person) in &inputs.roster.person {
        let Separate { section, pairs } = &inputs.policy.separate;
        for pair in pairs {
            let is_of_it =
                |role: &&Spanned<Name>| pair.iter().any(|r| r.get_ref() == role.get_ref());
            let mut held = person.roles.iter().filter(is_of_it);
            let Some(first) = held.next() else { continue };
            if let Some(second) = held.find(|role| role.get_ref() != first.get_ref()) {
                let who = who(id, person);
                let (one, other) = (
                    named(report, first.get_ref().as_str()),
                    named(report, second.get_ref().as_str()),
                );
                report.refuse(
                    Input::Roster,
                    second.span(),
                    says!(
                        who, one, other;
                        "{who} は{one}と{other}のどちらか一方({section})",
                        "{who} in one of {one} and {other} ({section})"
                    ),
                    says!("両方", "both"),
                    says!("一方を別の者に割り当てる", "let another person hold one of them"),
                );
            }
        }
    }
}

/// R-AUTHN: every person has a credential of their own (5.2.3): no key is used by two people.
pub(super) fn credentials(report: &mut Report<'_>) {
    let people: Vec<(&Name, &PersonEntry)> = report.inputs.roster.person.iter().collect();
    for (index, (id, person)) in people.iter().enumerate() {
        let key = &person.credential.public_key;
        let same = |other: &&(&Name, &PersonEntry)| {
            other.1.credential.public_key.get_ref() == key.get_ref()
        };
        if let Some((other, owner)) = people.iter().take(index).find(same) {
            let (one, other) = (who(id, person), who(other, owner));
            report.refuse(
                Input::Roster,
                key.span(),
                says!(one; "{one} だけの認証手段", "a credential of {one} alone"),
                says!(other; "{other} と同じもの", "that of {other} too"),
                says!("一人ずつ別の認証手段を登録する", "enrol a credential for each person"),
            );
        }
    }
}

/// S-REGISTER: whoever the roster has otherwise than the register was enrolled, by the signatures
/// of those who were in the register before.
pub(super) fn enrolled(report: &mut Report<'_>) {
    let inputs = report.inputs;
    refuse_unneeded(report);
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
        for (signer, span) in one.unneeded() {
            let asked = says!(
                who;
                "{who} の登録に署名すべき者の正しい署名だけ",
                "for {who}, signatures only of those who must sign the enrolment, each of which verifies"
            );
            let found = says!("{signer} の署名", "a signature of {signer}");
            let advice = says!("その行を削除する", "delete that line");
            report.refuse(Input::Roster, span, asked, found, advice);
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

/// Refuses an enrolment of somebody who is in no roster, and one for this ceremony of somebody who
/// needs none. What is left of an earlier ceremony says nothing, and is not looked at.
fn refuse_unneeded(report: &mut Report<'_>) {
    let (inputs, state) = (report.inputs, report.state);
    let Some(last) = &state.last else { return };
    let enrolling: Vec<&Name> = enrolling(inputs, state).iter().map(|one| one.person).collect();
    for (person, made) in &inputs.roster.enrolment {
        let is_for_this = *made.after.get_ref() == last.predecessor.head;
        let is_known = inputs.roster.person.contains_key(person);
        if is_known && (!is_for_this || enrolling.contains(&person)) {
            continue;
        }
        report.refuse(
            Input::Roster,
            made.after.span(),
            says!("登録を要する者の登録", "the enrolment of somebody who needs one"),
            says!("{person} の登録", "one of {person}"),
            says!("この登録を削除する", "delete it"),
        );
    }
}
