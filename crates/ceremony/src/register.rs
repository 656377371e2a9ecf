//! The enrolments by which the register of people changes (docs/decisions/0110).
//!
//! The roster of a CA's first ceremony is pinned by the anchor: the bindings' id covers it. Every
//! later person, card, organisation and role comes with an enrolment, signed by the new card and by
//! those who enrol and appoint, with the keys that the register had before. So whoever holds
//! nothing but the audit key can bring no people of their own.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use serde_json::json;
use toml::Spanned;

use crate::certain::Certain as _;
use crate::dsse::pre_authentication;
use crate::hex::Digest;
use crate::inputs::Inputs;
use crate::key::{Nonce, PublicKey, Signature, Verifier};
use crate::language::Bilingual;
use crate::ledger::State;
use crate::name::Name;
use crate::policy::Decisions;
use crate::record::canonical_json;
use crate::rehearsal;
use crate::roster::{PersonEntry, Register, Registered};
use crate::says;

const PAYLOAD: &str = "application/vnd.gishiki.enrolment.v1+json";

/// A person whom the roster has otherwise than the register, so that an enrolment is needed.
#[derive(Debug, Clone)]
pub struct Enrolling<'a> {
    inputs: &'a Inputs,
    state: &'a State,
    /// Who enrols and appoints: as the last ceremony's policy has it.
    decision: Arc<Decisions>,
    /// Who is enrolled.
    pub person: &'a Name,
    /// The entry in the roster.
    pub entry: &'a PersonEntry,
    /// The chain value after which the enrolment is made: the head of the last ceremony.
    pub after: Digest,
}

/// The keys that everyone can compute, by the people for whom a rehearsal signs with them.
pub(crate) fn derived(ca: &[u8], people: &Register) -> BTreeMap<Name, PublicKey> {
    people.keys().map(|id| (id.clone(), rehearsal::key_of(ca, id))).collect()
}

/// The people whose keys everyone can compute, be it as that of another person.
pub(crate) fn everyones<'a>(ca: &[u8], people: &'a Register) -> BTreeSet<&'a Name> {
    let known = derived(ca, people);
    let is_known = |key: &PublicKey| known.values().any(|one| one == key);
    people.iter().filter(|(_, one)| is_known(&one.key)).map(|(id, _)| id).collect()
}

/// Everybody whom the roster has otherwise than the register; nobody before a first ceremony.
#[must_use]
pub fn enrolling<'a>(inputs: &'a Inputs, state: &'a State) -> Vec<Enrolling<'a>> {
    let Some(after) = state.last.as_ref().map(|last| last.predecessor.head) else {
        return Vec::new();
    };
    let decision = state.last_policy().map(|policy| Arc::new(policy.decision));
    let decision = decision.certain("a state after a ceremony has its policy");
    let changed = inputs.roster.person.iter().filter(|(id, entry)| {
        let now = entry.registered();
        let same = |known: &Registered| *known == now || known.has_only_ended(&now);
        !state.register.get(*id).is_some_and(same)
    });
    let one = |(person, entry)| Enrolling {
        inputs,
        state,
        decision: Arc::clone(&decision),
        person,
        entry,
        after,
    };
    changed.map(one).collect()
}

impl<'a> Enrolling<'a> {
    /// The octets that are signed: the DSSE pre-authentication encoding of what the entry says.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let Self { entry, .. } = self;
        let text = |names: &mut dyn Iterator<Item = &str>| {
            names.map(ToString::to_string).collect::<Vec<_>>()
        };
        let mut roles: Vec<&str> = entry.roles.iter().map(|role| role.get_ref().as_str()).collect();
        roles.sort_unstable();
        let mut members = json!({
            "after": self.after.to_string(),
            "appointed-by": text(&mut entry.appointed.by.iter().map(|by| by.get_ref().as_str())),
            "appointed-on": entry.appointed.on.get_ref().to_string(),
            "ca": self.inputs.policy.ca.id.get_ref().as_str(),
            "enrolled-by": entry.credential.by.get_ref().as_str(),
            "enrolled-on": entry.credential.enrolled.get_ref().to_string(),
            "name": entry.name.get_ref(),
            "organization": entry.organization.get_ref().as_str(),
            "person": self.person.as_str(),
            "public-key": entry.credential.public_key.get_ref().to_string(),
            "roles": roles,
        });
        let further = [
            ("ended", entry.ended.as_ref().map(|day| day.get_ref().to_string())),
            ("name-ja", entry.name_ja.as_ref().map(|name| name.get_ref().clone())),
        ];
        for (name, value) in further {
            if let (Some(value), Some(members)) = (value, members.as_object_mut()) {
                members.insert(name.into(), json!(value));
            }
        }
        let payload = canonical_json(&members);
        pre_authentication(PAYLOAD, payload.as_bytes())
    }

    /// Who must sign: of each of these sets one. First the new card; then somebody who enrols
    /// cards; then of each role that appoints somebody. For those whom a letter appoints everybody
    /// signs who appoints, each of whom saw the letter: these are the people who approve plans, and
    /// no two of them replace the others.
    ///
    /// Roles and people are those of the ceremony before: nobody enrols by a role that this roster
    /// gives, or by a duty that this policy gives it. Where nobody else had such a role, one of
    /// those who appoint stands in; where there is none of them either, everybody else signs.
    #[must_use]
    pub fn needed(&self) -> Vec<BTreeSet<Name>> {
        let appointing = &self.decision.appointment;
        let appoint: Vec<&Name> = appointing.by.iter().map(Spanned::get_ref).collect();
        let enrols = |id: &Name| id == self.entry.credential.by.get_ref();
        let appoints =
            |id: &Name| self.entry.appointed.by.iter().any(|by| by.get_ref() == id.as_str());
        let mut needed = alloc::vec![BTreeSet::from([self.person.clone()])];
        needed.extend(self.of(&[self.decision.credential.by.get_ref()], &enrols));
        match appointing.is_by_letter(self.entry) {
            true => needed.extend(self.by_letter(&appoint)),
            false => needed.extend(appoint.iter().flat_map(|role| self.of(&[*role], &appoints))),
        }
        each_once(needed)
    }

    /// Everybody else who served in the register before.
    fn others(&self) -> impl Iterator<Item = (&Name, &Registered)> {
        let register = self.state.register.iter();
        register.filter(|(id, known)| *id != self.person && known.serves())
    }

    /// Everybody else who appoints. Where somebody of them has left or has a new card too,
    /// everybody who was there before signs but those, so that few cannot put others in the place
    /// of many.
    fn by_letter(&self, appoint: &[&Name]) -> Vec<BTreeSet<Name>> {
        let stays = |id: &Name, known: &Registered| {
            let now = self.inputs.roster.person.get(id);
            let same = |now: &PersonEntry| *now.credential.public_key.get_ref() == known.key;
            now.is_some_and(|now| now.serves() && same(now))
        };
        let appoints = |known: &Registered| appoint.iter().any(|r| known.roles.contains(*r));
        let others = || self.others();
        let (staying, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            others().filter(|(_, known)| appoints(known)).partition(|(id, known)| stays(id, known));
        let everybody = staying.is_empty() || !gone.is_empty();
        let signs = |id: &&Name| match everybody {
            true => !gone.contains_key(id),
            false => staying.contains_key(id),
        };
        let signing = others().map(|(id, _)| id).filter(signs);
        signing.map(|id| BTreeSet::from([id.clone()])).collect()
    }

    /// Those of whom one signs for these roles: whom the roster names, if they are among them.
    fn of(&self, roles: &[&Name], named: &dyn Fn(&Name) -> bool) -> Vec<BTreeSet<Name>> {
        let appoint: Vec<&Name> =
            self.decision.appointment.by.iter().map(Spanned::get_ref).collect();
        let others = || self.others();
        let with = |roles: &[&Name]| -> BTreeSet<Name> {
            let may = |known: &Registered| roles.iter().any(|role| known.roles.contains(*role));
            others().filter(|(_, known)| may(known)).map(|(id, _)| id.clone()).collect()
        };
        let mut may = with(roles);
        if may.is_empty() {
            may = with(&appoint);
        }
        if may.is_empty() {
            return others().map(|(id, _)| BTreeSet::from([id.clone()])).collect();
        }
        let named: BTreeSet<Name> = may.iter().filter(|id| named(id)).cloned().collect();
        alloc::vec![if named.is_empty() { may } else { named }]
    }

    /// What is missing when these people have signed.
    #[must_use]
    pub fn open(&self, signed: &BTreeSet<Name>) -> Vec<BTreeSet<Name>> {
        self.needed().into_iter().filter(|one| one.is_disjoint(signed)).collect()
    }

    /// Where the roster has what the register has not.
    pub(crate) fn span(&self) -> Range<usize> {
        let entry = self.entry;
        let (key, now) = (&entry.credential.public_key, entry.registered());
        let Some(known) = self.state.register.get(self.person) else { return key.span() };
        let is_new = |role: &&Spanned<Name>| !known.roles.contains(role.get_ref());
        let role = entry.roles.iter().find(is_new).or(entry.roles.first());
        match role {
            _ if known.key != now.key => key.span(),
            _ if known.name != now.name => entry.name.span(),
            _ if known.organization != now.organization => entry.organization.span(),
            Some(role) if known.roles != now.roles => role.span(),
            Some(_) | None if known.ended != now.ended => {
                entry.ended.as_ref().map_or(entry.name.span(), Spanned::span)
            }
            Some(_) | None => entry.name_ja.as_ref().map_or(entry.name.span(), Spanned::span),
        }
    }

    /// The key with which somebody signs this: the new one of the person, of everybody else that of
    /// the register before.
    #[must_use]
    pub fn key_of(&self, signer: &Name) -> Option<&'a PublicKey> {
        if signer == self.person {
            return Some(self.entry.credential.public_key.get_ref());
        }
        self.state.register.get(signer).map(|known| &known.key)
    }

    /// Whether this is the person's signature of what the entry says now.
    #[must_use]
    pub fn holds(&self, signer: &Name, raw: &[u8]) -> bool {
        self.verified(signer, raw).is_some()
    }

    /// The r of the person's signature of what the entry says now; `None` if it is none.
    fn verified(&self, signer: &Name, raw: &[u8]) -> Option<Nonce> {
        let key = self.key_of(signer)?;
        let signature = Signature::from_raw(key.curve(), raw).ok()?;
        key.verify(&self.message(), &signature, Verifier::fastest()).ok()?;
        Some(signature.nonce())
    }

    /// The r of each signature that is in the roster and holds: none of them may ever stand in
    /// another signature (S-NONCE).
    pub(crate) fn nonces(&self) -> Vec<Nonce> {
        let enrolment = self.inputs.roster.enrolment.get(self.person);
        let signed = enrolment.into_iter().flat_map(|made| &made.signed);
        signed.filter_map(|(id, raw)| self.verified(id, &raw.get_ref().0)).collect()
    }

    /// The people whose signatures of it are in the roster and hold.
    #[must_use]
    pub fn signed(&self) -> BTreeSet<Name> {
        let enrolment = self.inputs.roster.enrolment.get(self.person);
        let made = enrolment.filter(|made| *made.after.get_ref() == self.after);
        let signed = made.into_iter().flat_map(|made| &made.signed);
        let held = signed.filter(|(id, raw)| self.holds(id, &raw.get_ref().0));
        held.map(|(id, _)| id.clone()).collect()
    }

    /// The signers in the roster who are asked for nothing, or whose signature does not hold.
    pub(crate) fn unneeded(&self) -> Vec<(&'a Name, Range<usize>)> {
        let enrolment = self.inputs.roster.enrolment.get(self.person);
        let made = enrolment.filter(|made| *made.after.get_ref() == self.after);
        let (needed, held) = (self.needed(), self.signed());
        let wanted = |id: &Name| held.contains(id) && needed.iter().any(|one| one.contains(id));
        let signed = made.into_iter().flat_map(|made| &made.signed);
        let extra = signed.filter(|(id, _)| !wanted(id));
        extra.map(|(id, raw)| (id, raw.span())).collect()
    }

    /// Whose signatures are missing, in words; `None` if the enrolment is complete.
    #[must_use]
    pub fn missing(&self) -> Option<Bilingual> {
        let open = self.open(&self.signed());
        (!open.is_empty()).then(|| listed(&open))
    }
}

/// What becomes otherwise in a register, a sentence for each person; nothing before a first
/// ceremony.
#[must_use]
pub fn changes(before: &Register, now: &Register) -> Vec<Bilingual> {
    if before.is_empty() {
        return Vec::new();
    }
    let roles = |of: &Registered| of.roles.iter().map(Name::as_str).collect::<Vec<_>>().join(", ");
    let mut said = Vec::new();
    for (id, one) in now {
        let (name, organization, held) = (&one.name, &one.organization, roles(one));
        let Some(known) = before.get(id) else {
            said.push(says!(
                "{id}: 新しい者、{name}({organization}; {held})",
                "{id}: new, {name} ({organization}; {held})"
            ));
            continue;
        };
        if known.key != one.key {
            said.push(says!("{id}: 別のカード({name})", "{id}: another card ({name})"));
        }
        if known.roles != one.roles {
            let was = roles(known);
            said.push(says!("{id}: 役割 {was} → {held}", "{id}: roles {was} → {held}"));
        }
        if known.organization != *organization {
            let was = &known.organization;
            said.push(says!(
                "{id}: 組織 {was} → {organization}",
                "{id}: organisation {was} → {organization}"
            ));
        }
        match (known.ended, one.ended) {
            (was, now) if was == now => {}
            (_, Some(day)) => {
                said.push(says!(
                    "{id}: {day} に任命終了({name})",
                    "{id}: served until {day} ({name})"
                ));
            }
            (_, None) => said.push(says!("{id}: 再び任命({name})", "{id}: serves again ({name})")),
        }
        if (&known.name, &known.name_ja) != (&one.name, &one.name_ja) {
            let was = &known.name;
            said.push(says!("{id}: 氏名 {was} → {name}", "{id}: name {was} → {name}"));
        }
    }
    let gone = before.iter().filter(|(id, _)| !now.contains_key(*id));
    said.extend(gone.map(|(id, known)| {
        let name = &known.name;
        says!("{id}: 任命簿から削除({name})", "{id}: no longer in the roster ({name})")
    }));
    said
}

/// The same, in their order, each only where it stands first.
pub(crate) fn each_once<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    let mut kept = Vec::new();
    for one in all {
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    kept
}

/// Says of each of these sets that one of it is meant.
#[must_use]
pub fn listed(sets: &[BTreeSet<Name>]) -> Bilingual {
    let list = |or: &str, joint: &str| {
        let one = |set: &BTreeSet<Name>| set.iter().map(Name::as_str).collect::<Vec<_>>().join(or);
        sets.iter().map(one).collect::<Vec<_>>().join(joint)
    };
    Bilingual { ja: list(" か ", "、"), en: list(" or ", ", ") }
}
