//! The enrolments by which the register of people changes (docs/decisions/0110).
//!
//! The roster of a CA's first ceremony is pinned by the anchor: the bindings' id covers it. Every
//! later person, card, organisation and role comes with an enrolment, signed by the new card and by
//! those who enrol and appoint, with the keys that the register had before. So whoever holds
//! nothing but the audit key can bring no people of their own.

use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde_json::json;

use crate::dsse::pre_authentication;
use crate::hex::Digest;
use crate::inputs::Inputs;
use crate::key::{PublicKey, Signature, Verifier};
use crate::language::Bilingual;
use crate::ledger::State;
use crate::name::Name;
use crate::record::canonical_json;
use crate::roster::{PersonEntry, Registered};
use crate::says;

const PAYLOAD: &str = "application/vnd.gishiki.enrolment.v1+json";
/// In the place of a person, for an appointment by letter.
const LETTER: &str = "letter";

/// A person whom the roster has otherwise than the register, so that an enrolment is needed.
#[derive(Debug, Clone, Copy)]
pub struct Enrolling<'a> {
    inputs: &'a Inputs,
    state: &'a State,
    /// Who is enrolled.
    pub person: &'a Name,
    /// The entry in the roster.
    pub entry: &'a PersonEntry,
    /// The chain value after which the enrolment is made: the head of the last ceremony.
    pub after: Digest,
}

/// Everybody whom the roster has otherwise than the register; nobody before a first ceremony.
#[must_use]
pub fn enrolling<'a>(inputs: &'a Inputs, state: &'a State) -> Vec<Enrolling<'a>> {
    let Some(after) = state.last.as_ref().map(|last| last.predecessor.head) else {
        return Vec::new();
    };
    let changed = inputs.roster.person.iter().filter(|(id, entry)| {
        state.register.get(*id).is_none_or(|known| *known != entry.registered())
    });
    changed.map(|(person, entry)| Enrolling { inputs, state, person, entry, after }).collect()
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
        let payload = canonical_json(&json!({
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
        }));
        pre_authentication(PAYLOAD, payload.as_bytes())
    }

    /// Everybody who must sign: the new card, who enrolled it, and who appointed the person.
    #[must_use]
    pub fn signers(&self) -> BTreeSet<Name> {
        let by = self.entry.appointed.by.iter().map(|by| by.get_ref().as_str());
        let appointing = by.filter(|by| *by != LETTER).filter_map(|by| by.parse().ok());
        let own = [self.person, self.entry.credential.by.get_ref()].map(Clone::clone);
        own.into_iter().chain(appointing).collect()
    }

    /// Where a letter appoints: those of whom one must sign, who saw the letter. They hold a role
    /// that appoints, and are neither the person nor who enrolled the card.
    #[must_use]
    pub fn witnesses(&self) -> Option<BTreeSet<Name>> {
        if !self.entry.appointed.by.iter().any(|by| by.get_ref() == LETTER) {
            return None;
        }
        let appoints = &self.inputs.policy.decision.appointment.by;
        let may = |known: &Registered| appoints.iter().any(|r| known.roles.contains(r.get_ref()));
        let signs = self.signers();
        let known = self.state.register.iter();
        let may = known.filter(|(id, known)| may(known) && !signs.contains(*id));
        Some(may.map(|(id, _)| id.clone()).collect())
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
        let Some(key) = self.key_of(signer) else { return false };
        let signature = Signature::from_raw(key.curve(), raw);
        let verified = signature
            .map(|signature| key.verify(&self.message(), &signature, Verifier::fastest()).is_ok());
        verified.unwrap_or(false)
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

    /// Whose signatures are missing, in words; `None` if the enrolment is complete.
    #[must_use]
    pub fn missing(&self) -> Option<Bilingual> {
        let signed = self.signed();
        let list = |names: &mut dyn Iterator<Item = &Name>, joint: &str| {
            names.map(Name::as_str).collect::<Vec<_>>().join(joint)
        };
        let signers = self.signers();
        let missing = list(&mut signers.difference(&signed), " ");
        let witnesses = self.witnesses().filter(|may| may.is_disjoint(&signed));
        let witness = witnesses.map(|may| {
            let [ja, en] = [" か ", " or "].map(|joint| list(&mut may.iter(), joint));
            Bilingual { ja, en }
        });
        match (missing.as_str(), witness) {
            ("", None) => None,
            ("", Some(one)) => Some(one),
            (missing, None) => Some(Bilingual::plain(missing)),
            (missing, Some(one)) => Some(says!(one; "{missing} {one}", "{missing}, and {one}")),
        }
    }
}
