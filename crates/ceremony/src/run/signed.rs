//! What people sign with their cards (docs/decisions/0109).
//!
//! Each signature covers one event, the chain value of the record before it, and which ceremony it
//! is of. So it can be moved to no other place, and whoever signs the closing record signs
//! everything before it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::present::few_without_card;
use super::{Next, Run};
use crate::dsse;
use crate::fault::Fault;
use crate::graph::{Op, Signers};
use crate::hex::Octets;
use crate::key::{Check, PublicKey, Signature};
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::{Answer, Event, Mode, Refuser, Signatures};
use crate::roster::Registered;
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;

/// One signature that an event needs: who signs it, with which key, and the octets to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ToSign {
    /// The person.
    pub person: Name,
    /// The key on the person's card.
    pub key: PublicKey,
    /// The DSSE pre-authentication encoding of what the person signs.
    pub message: Vec<u8>,
}

impl ToSign {
    /// Returns the check of this person's raw signature.
    ///
    /// # Errors
    ///
    /// S-SIGNED, if these octets are no signature of such a key.
    pub fn check(&self, raw: &Octets) -> Result<Check, Fault> {
        let Self { person, key, message } = self;
        let signature = self.signature(raw)?;
        let check = Check::new(person.as_str(), key, message.as_slice().into(), signature);
        Ok(check.called(by_card(person)))
    }

    pub(super) fn signature(&self, raw: &Octets) -> Result<Signature, Fault> {
        let Self { person, key, .. } = self;
        Signature::from_raw(key.curve(), &raw.0)
            .map_err(|error| Fault::new(RuleId::S_SIGNED, by_card(person), error.said()))
    }
}

impl Run {
    /// Returns what people sign before this event is recorded, in the order of their names; nothing
    /// if they sign it at the close.
    #[must_use]
    pub fn to_sign(&self, event: &Event) -> Vec<ToSign> {
        let ask = |person: Name| {
            let key = self.key_of(&person)?;
            let act = dsse::Act { event, person: &person };
            let message = dsse::act_message(&self.opened, self.graph().ca(), self.head, &act);
            Some(ToSign { person, key, message })
        };
        self.signers(event).into_iter().filter_map(ask).collect()
    }

    /// The key with which a person signs: that of the roster, or in a rehearsal a derived one.
    #[must_use]
    pub fn key_of(&self, person: &Name) -> Option<PublicKey> {
        let known = self.graph().people.get(person)?;
        match self.opened.mode {
            Mode::Rehearsal => self.derived.get(person).cloned(),
            Mode::Drill | Mode::Real => Some(known.key.clone()),
        }
    }

    /// Whether everybody can compute the key with which this program could sign for this person, so
    /// that it proves nothing.
    #[must_use]
    pub fn is_derived(&self, person: &Name) -> bool {
        self.key_of(person).is_some_and(|key| self.derived.get(person) == Some(&key))
    }

    /// Whether a person of the roster signs with a key that nobody else can compute, in the room or
    /// an approval before the day.
    pub(crate) fn has_own_key(&self, person: &Name) -> bool {
        let known = self.compiled.register.get(person);
        let own = |known: &Registered| self.derived.values().all(|key| *key != known.key);
        self.opened.mode != Mode::Rehearsal && known.is_some_and(own)
    }

    /// What this person has said and confirmed, in order, with its time.
    pub fn told_by(&self, person: &Name) -> impl Iterator<Item = &(Instant, Event)> {
        self.told.iter().filter(move |(_, event)| event.people().contains(person))
    }

    /// Whether this person's card was found not to sign.
    #[must_use]
    pub fn is_without_card(&self, person: &Name) -> bool {
        self.cardless.contains(person)
    }

    /// Who signs an event: those who answer, if the policy asks so for this act; always those who
    /// refuse, state a deviation or consent; at the close, everybody who came.
    fn signers(&self, event: &Event) -> BTreeSet<Name> {
        let named = |by: &[Name]| by.iter().cloned().collect();
        let mut signers: BTreeSet<Name> = match event {
            Event::Answered { op, answer: Answer::People(said), .. } => {
                match self.graph().op(op).and_then(Op::signers) {
                    Some(Signers::One(person)) => BTreeSet::from([person.clone()]),
                    Some(Signers::WhoAnswers) => named(&said.by),
                    None => BTreeSet::new(),
                }
            }
            Event::Refused { rule: Refuser::People, by, .. }
            | Event::Deviation { by, .. }
            | Event::Paused { by, .. }
            | Event::CardFailed { by, .. } => named(by),
            Event::Resumed(resumed) => {
                let lifted = resumed.refusal.iter().flat_map(|refusal| &refusal.lifted);
                resumed.new_medium.iter().chain(lifted).cloned().collect()
            }
            Event::Closed { .. } => self.present().map(|(id, _)| id.clone()).collect(),
            Event::Refused { rule: Refuser::Rule(_), .. }
            | Event::Answered { answer: Answer::Token(_), .. }
            | Event::Opened(_)
            | Event::Asked(_)
            | Event::Lost { .. }
            | Event::Adopted { .. }
            | Event::OrphanRemoved { .. }
            | Event::Mistaken { .. }
            | Event::Noted { .. }
            | Event::Sealed { .. } => BTreeSet::new(),
        };
        signers.retain(|person| !self.is_without_card(person));
        signers
    }

    /// Compares the signatures of an event with those that it needs, and remembers each r. They are
    /// still to be verified.
    pub(super) fn weigh_signed(
        &mut self,
        asked: &[ToSign],
        signed: &Signatures,
    ) -> Result<Vec<Check>, Fault> {
        if !asked.iter().map(|one| &one.person).eq(signed.keys()) {
            let asked = by_cards(asked.iter().map(|one| &one.person));
            return Err(Fault::new(RuleId::S_SIGNED, asked, by_cards(signed.keys())));
        }
        let pairs = || asked.iter().zip(signed.values());
        for (one, raw) in pairs() {
            let signature = one.signature(raw)?;
            self.refuse_seen(&signature, one.person.as_str(), &[])?;
            self.nonces.insert(signature.nonce());
        }
        pairs().map(|(one, raw)| one.check(raw)).collect()
    }

    /// Checks whether two others may still state that a person's card does not sign: of those who
    /// came, more than half sign with their own.
    ///
    /// # Errors
    ///
    /// S-SIGNED.
    pub fn may_be_without_card(&self) -> Result<(), Fault> {
        few_without_card(self.cardless.len().saturating_add(1), self.entered.len())
    }

    /// Checks who may state that a person's card does not sign: two others of two roles, whose own
    /// cards do.
    ///
    /// # Errors
    ///
    /// R-AUTHN, R-MULTI, S-PRESENT or S-SIGNED.
    pub fn may_state_failed(&self, person: &Name, by: &[Name]) -> Result<(), Fault> {
        self.may_be_without_card()?;
        self.participants(core::slice::from_ref(person))?;
        self.two_roles(by)?;
        self.may_say(by)?;
        self.are_here(core::slice::from_ref(person))?;
        let cannot = |other: &&Name| *other == person || self.is_without_card(other);
        if self.is_without_card(person) || by.iter().any(|other| cannot(&other)) {
            let asked = says!(
                "カードの使えない者 1 名と、カードの使えるほかの 2 名",
                "somebody whose card fails, and two others whose cards sign"
            );
            let by: Vec<&str> = by.iter().map(Name::as_str).collect();
            let by = by.join(" ");
            let found = says!("{person} について {by}", "{person}, by {by}");
            return Err(Fault::new(RuleId::S_SIGNED, asked, found));
        }
        Ok(())
    }

    /// Takes the statement that a card does not sign.
    pub(super) fn take_card_failed(
        &mut self,
        person: &Name,
        reason: &str,
        by: &[Name],
    ) -> Result<(), Fault> {
        if matches!(self.next(), Next::Pause | Next::Seal | Next::Nothing | Next::Abandon) {
            let found = says!("カードの不調の申し出", "a card that fails");
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), found));
        }
        super::ask::words(reason)?;
        self.may_state_failed(person, by)?;
        self.cardless.insert(person.clone());
        Ok(())
    }

    /// Refuses a real ceremony of a roster with keys that everyone can compute, whether or not
    /// these people take part: from the next ceremony on they enrol others.
    pub(super) fn refuse_derived_cards(&self) -> Result<(), Fault> {
        if self.opened.mode != Mode::Real {
            return Ok(());
        }
        match self.compiled.computable().first() {
            None => Ok(()),
            Some(person) => Err(Fault::new(
                RuleId::S_REHEARSAL_KEY,
                says!(
                    "任命簿にある、{person} だけが持つカードの公開鍵",
                    "in the roster, the public key of a card that {person} alone holds"
                ),
                says!(
                    "リハーサルの鍵(誰でも計算できる)",
                    "a rehearsal key, which everyone can compute"
                ),
            )),
        }
    }
}

fn by_card(person: &Name) -> Bilingual {
    says!("{person} のカードの署名", "a signature by the card of {person}")
}

fn by_cards<'a>(people: impl Iterator<Item = &'a Name>) -> Bilingual {
    let people: Vec<&str> = people.map(Name::as_str).collect();
    match people.join(" ") {
        none if none.is_empty() => says!("署名なし", "no signature"),
        people => says!("{people} のカードの署名", "signatures by the cards of {people}"),
    }
}
