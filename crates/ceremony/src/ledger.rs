//! The ledger: the state that the ceremonies of a CA have left.
//!
//! A [`State`] is the fold of the sealed transcripts in their order, and has no other source:
//! whoever has the records has the state (CP/CPS 5.7.2). A plan is compiled against the state that
//! the previous ceremony left.
//!
//! **Invariant:** [`State::after`] takes a run that replay has judged. What an aborted ceremony
//! made is in the state too: its keys, its certificates (withheld), its burned numbers.
//! **Deliberately absent:** today's date. What falls due is computed for a date that the caller
//! gives.

mod batch;
mod covered;
mod due;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use batch::{Batch, Crls};
pub use covered::Gap;
pub use due::{Due, DueKind};

use crate::certain::Certain as _;
use crate::hex::{Digest, Octets};
use crate::key::{Curve, Nonce, PublicKey};
use crate::name::Name;
use crate::plan::{Ground, Order, ProfileName};
use crate::policy::{Backup, Policy};
use crate::record::{End, Mode, Predecessor};
use crate::rehearsal::{RehearsalKey, RehearsalUse};
use crate::roster::Register;
use crate::time::{Instant, TimeError};
use crate::token::Holder;
use crate::x509::{IssuerAltName, Reason};

/// A persistent map, which shares unchanged parts with the map it was derived from.
pub type Map<K, V> = rpds::RedBlackTreeMapSync<K, V>;
/// A persistent set, which shares unchanged parts with the set it was derived from.
pub type Set<T> = rpds::RedBlackTreeSetSync<T>;
/// A persistent list, which shares unchanged parts with the list it was derived from.
pub type Vector<T> = rpds::VectorSync<T>;

/// The state that the ceremonies of a CA have left; empty before the first.
///
/// The collections that grow with every ceremony are shared between the states before and after it,
/// so folding a ledger takes time in proportion to its length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The CA's Name in DER, the same in every ceremony.
    pub ca_name: Vec<u8>,
    /// The addresses in the CA's certificates.
    pub addresses: Option<Addresses>,
    /// The canonical text of the last ceremony's policy.
    pub policy: Option<Arc<str>>,
    /// The canonical text of the last ceremony's CP/CPS.
    pub cps: Option<Arc<str>>,
    /// The organisations that decide, as the last ceremony's CP/CPS had them.
    pub deciding: Vec<Name>,
    /// The CA's first ceremony.
    pub genesis: Option<Genesis>,
    /// The values that an anchor pins of each ceremony, in their order.
    pub held: Vector<Held>,
    /// The last ceremony.
    pub last: Option<Last>,
    /// Every ceremony, with its end and its sequence.
    pub ceremonies: Map<Name, (End, u32)>,
    /// What is kept of the r value of every signature. A repeated r would reveal the private key,
    /// so none may occur twice.
    pub nonces: Set<Nonce>,
    /// The seeds of serial numbers that were used.
    pub seeds: Set<[u8; 32]>,
    /// The serial number of the root token.
    pub token: Option<String>,
    /// The other tokens, by name.
    pub spares: BTreeMap<Name, Spare>,
    /// CKA_IDs, each with the key's name, of objects that unfinished ceremonies may have left on a
    /// token. The next ceremony removes them.
    pub remains: BTreeMap<Holder, BTreeMap<Octets, Name>>,
    /// The ledger head that the last ceremony wrote on the root token.
    pub token_head: Option<Octets>,
    /// Heads that later ceremonies asked a token to write, without a record of the result.
    pub asked_heads: BTreeSet<Octets>,
    /// Every key, destroyed ones included, by name.
    pub keys: BTreeMap<Name, Key>,
    /// Every certificate, by name.
    pub certificates: Map<Name, Certificate>,
    /// The names of the revoked or withheld certificates: a short list that every ceremony needs.
    set_apart: Set<Name>,
    /// The name of each root key's self-signed certificate, by the key's name.
    pub roots: BTreeMap<Name, Name>,
    /// Serial numbers of attempts whose signature was lost, with the certificates they were for.
    pub burned: Map<[u8; 20], Burned>,
    /// SHA-256 of every SubjectPublicKeyInfo that was certified in a DS certificate.
    pub certified: Set<Digest>,
    /// The batches of CRLs, in order.
    pub batches: Vector<Batch>,
    /// The highest CRL number that was ever asked to be signed.
    pub crl_number: u64,
    /// What is ordered to stop, since when.
    pub stopped: BTreeMap<Order, Instant>,
    /// The papers of applications in completed ceremonies.
    pub papers: Set<Digest>,
    /// The people of the last ceremony's roster.
    pub register: Arc<Register>,
}

/// The addresses in the CA's certificates, the same in all of them (D5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// issuerAltName.
    pub issuer_alt_name: IssuerAltName,
    /// cRLDistributionPoints, with `{key}` for the key's name.
    pub crl_urls: Vec<String>,
}

/// The CA's first ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The CA's name in the file system.
    pub ca: Name,
    /// The ceremony's name.
    pub ceremony: Name,
    /// Rehearsal, drill or real: all ceremonies of a ledger have the same mode.
    pub mode: Mode,
}

/// The values that an anchor pins of a ceremony, and that its slip of paper shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its place in the ledger.
    pub sequence: u32,
    /// Its name.
    pub ceremony: Name,
    /// The bindings' id, which covers every input.
    pub bindings: Digest,
    /// The chain value of the transcript's last record.
    pub head: Digest,
    /// The chain value of the postscript's last record.
    pub postscript: Digest,
    /// SHA-256 of the SubjectPublicKeyInfo of an audit key that was generated in this ceremony: the
    /// first, or one that no earlier key vouches for.
    pub audit_key: Option<Digest>,
}

/// The last ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// Its name.
    pub ceremony: Name,
    /// Its sequence.
    pub sequence: u32,
    /// What the next ceremony's first record names as its predecessor.
    pub predecessor: Predecessor,
    /// When its transcript ended.
    pub ended_at: Instant,
    /// SHA-256 of its journal, if it could not be sealed. The next plan names this digest.
    pub abandoned: Option<Digest>,
}

/// A key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its public half.
    pub public: PublicKey,
    /// CKA_ID.
    pub id: Octets,
    /// What it is for.
    pub usage: RehearsalUse,
    /// The curve.
    pub curve: Curve,
    /// The generation, from 1.
    pub generation: u8,
    /// Whether and how it may be backed up.
    pub backup: Backup,
    /// When it was made.
    pub made_at: Instant,
    /// The beginning of the window in which it was made. What dates follow from is this day, also
    /// where the window crosses midnight.
    pub counted_from: Instant,
    /// When it was judged to be compromised.
    pub compromised: Option<Instant>,
    /// When it was destroyed.
    pub destroyed: Option<Instant>,
    /// When it was lost together with its token.
    pub lost: Option<Instant>,
}

/// A token that holds copies of root keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spare {
    /// Its serial number.
    pub serial: String,
    /// The keys on it, each proved by a CRL that the copy signed (6.2.4).
    pub copies: BTreeSet<Name>,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its profile.
    pub profile: ProfileName,
    /// The ceremony that issued it.
    pub ceremony: Name,
    /// Its serial number.
    pub serial: [u8; 20],
    /// The subject, as the graph writes it.
    pub subject: String,
    /// The root key in it; a DS certificate has none.
    pub key: Option<Name>,
    /// The root key that signed it.
    pub issuer: Name,
    /// The first second of validity.
    pub not_before: Instant,
    /// The last second of validity.
    pub not_after: Instant,
    /// SHA-256 of the certificate.
    pub digest: Digest,
    /// When the ceremony that handed it out ended; `None` while it is withheld.
    pub out_at: Option<Instant>,
    /// The DER of a certificate of an aborted ceremony, kept for the ceremony that releases it.
    pub der: Option<Vec<u8>>,
    /// The DS certificate that it renews.
    pub renews: Option<Name>,
    /// Whether it was issued, withheld or revoked.
    pub standing: Standing,
}

/// Whether a certificate was issued, withheld or revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was handed out.
    Issued,
    /// Its ceremony was aborted: it exists, but was not handed out.
    Withheld,
    /// It is revoked.
    Revoked(Revoked),
}

/// A revocation, which is never undone (4.9.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// The revocation date.
    pub date: Instant,
    /// The reason code, unless it is *unspecified*.
    pub reason: Option<Reason>,
    /// The ground of 4.9.1; `None` if the CA's key was compromised.
    pub ground: Option<Ground>,
}

/// A serial number that a token was asked to sign, without a record of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burned {
    /// The certificate that it was for.
    pub certificate: Name,
    /// The notAfter of that certificate.
    pub not_after: Instant,
}

impl State {
    /// Returns the last ceremony's policy; `None` before a first ceremony.
    pub(crate) fn last_policy(&self) -> Option<Policy> {
        let text = self.policy.as_deref()?;
        Some(Policy::parse(text.as_bytes()).certain("a ceremony was compiled from it"))
    }

    /// Returns the existing root keys, including compromised ones.
    pub fn root_keys(&self) -> impl Iterator<Item = (&Name, &Key)> {
        self.keys.iter().filter(|(_, key)| key.usage == RehearsalUse::Root && key.exists())
    }

    /// Returns the existing audit key.
    #[must_use]
    pub fn audit_key(&self) -> Option<(&Name, &Key)> {
        self.keys.iter().find(|(_, key)| key.usage == RehearsalUse::Audit && key.exists())
    }

    /// Returns the highest generation of the keys of this use; 0 if there are none.
    #[must_use]
    pub fn generation(&self, usage: RehearsalUse) -> u8 {
        let of_use = self.keys.values().filter(|key| key.usage == usage);
        of_use.map(|key| key.generation).max().unwrap_or(0)
    }

    /// Returns the state in which this spare token has become the root token because the root token
    /// was lost; `None` if no such token is known.
    ///
    /// The audit key, the root keys without a copy on this token, and the ledger head are lost with
    /// the old token.
    #[must_use]
    pub fn recovered(&self, token: &Name, at: Instant) -> Option<Self> {
        let mut state = self.clone();
        let spare = state.spares.remove(token)?;
        for (name, key) in &mut state.keys {
            if key.exists() && !spare.copies.contains(name) {
                key.lost = Some(at);
            }
        }
        // Objects to remove: those on the lost token are lost with it; those on this token are
        // still there.
        let left = state.remains.remove(&Holder::Spare(token.clone()));
        state.remains.remove(&Holder::Root);
        state.remains.extend(left.map(|left| (Holder::Root, left)));
        state.token = Some(spare.serial);
        state.token_head = None;
        state.asked_heads.clear();
        Some(state)
    }

    /// Returns the state in which the root token is lost and no token takes its place yet.
    ///
    /// Every key that exists is lost with it, and so is the ledger head on it.
    #[must_use]
    pub fn without_token(&self, at: Instant) -> Self {
        let mut state = self.clone();
        for key in state.keys.values_mut().filter(|key| key.exists()) {
            key.lost = Some(at);
        }
        state.remains.remove(&Holder::Root);
        state.token = None;
        state.token_head = None;
        state.asked_heads.clear();
        state
    }

    /// Returns the DS certificates that a later one, which was handed out, renews.
    #[must_use]
    pub fn renewed(&self) -> BTreeSet<&Name> {
        let issued = self.certificates.values().filter(|c| c.standing == Standing::Issued);
        issued.filter_map(|certificate| certificate.renews.as_ref()).collect()
    }

    /// The self-signed certificate of a root key.
    #[must_use]
    pub fn root_of(&self, key: &str) -> Option<&Certificate> {
        self.certificates.get(self.roots.get(key)?)
    }

    /// Returns the last second of what a root key signed, without its own root certificate, in
    /// which relying parties trust of themselves; `None` if it signed nothing else.
    #[must_use]
    pub fn signed_until(&self, key: &Name) -> Option<Instant> {
        let signed = self.certificates.values().filter(|certificate| {
            certificate.issuer == *key && certificate.profile != ProfileName::Root
        });
        signed.map(|certificate| certificate.not_after).max()
    }

    /// Every revoked certificate.
    pub fn revoked(&self) -> impl Iterator<Item = (&Name, &Certificate, &Revoked)> {
        let apart = self.set_apart.iter().filter_map(|name| self.certificates.get_key_value(name));
        apart.filter_map(|(name, certificate)| Some((name, certificate, certificate.revoked()?)))
    }

    /// Every certificate that an aborted ceremony withheld.
    pub fn withheld(&self) -> impl Iterator<Item = (&Name, &Certificate)> {
        let apart = self.set_apart.iter().filter_map(|name| self.certificates.get_key_value(name));
        apart.filter(|(_, certificate)| certificate.standing == Standing::Withheld)
    }

    /// Sets the standing of a certificate.
    pub fn set_standing(&mut self, name: &Name, standing: Standing) {
        let Some(certificate) = self.certificates.get_mut(name) else { return };
        certificate.standing = standing;
        if standing == Standing::Issued {
            self.set_apart.remove_mut(name);
        } else {
            self.set_apart.insert_mut(name.clone());
        }
    }

    /// Returns the root key that currently signs certificates: the latest generation that is
    /// neither compromised nor destroyed and has a certificate that was handed out.
    #[must_use]
    pub fn issuing_key(&self) -> Option<(&Name, &Key)> {
        self.root_keys()
            .filter(|(name, key)| {
                let root = self.root_of(name.as_str());
                key.compromised.is_none() && root.is_some_and(|r| r.standing != Standing::Withheld)
            })
            .max_by_key(|(_, key)| key.generation)
    }

    /// Returns the state with each key replaced by its rehearsal key, as if the CA had only ever
    /// rehearsed.
    ///
    /// A rehearsal starts from this state, because it cannot use the real keys.
    #[must_use]
    pub fn rehearsed(&self) -> Self {
        let mut state = self.clone();
        if let Some(genesis) = &mut state.genesis {
            genesis.mode = Mode::Rehearsal;
        }
        for key in state.keys.values_mut() {
            if let Some(public) = key.rehearsal(&self.ca_name).public() {
                key.public = public;
            }
        }
        state
    }
}

impl Key {
    /// Whether it was neither destroyed nor lost.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.destroyed.is_none() && self.lost.is_none()
    }

    /// Whether the key could be used at this time: generated, and not compromised, destroyed or
    /// lost.
    #[must_use]
    pub fn serves_at(&self, at: Instant) -> bool {
        let ends = [self.compromised, self.destroyed, self.lost];
        self.made_at <= at && ends.into_iter().flatten().all(|end| end > at)
    }

    /// Returns its age at this time in whole calendar years, and in days.
    #[must_use]
    pub fn age_at(&self, at: Instant) -> (u16, i64) {
        let birthday = |years: u16| due::months_after(self.counted_from, years.saturating_mul(12));
        let reached = |years: &u16| birthday(*years).is_some_and(|day| day <= at);
        let years = (1..=99).take_while(reached).last().unwrap_or(0);
        let since = birthday(years).unwrap_or(self.counted_from);
        (years, at.day().days_since(since.day()))
    }

    /// Returns the time from which the key is due for renewal.
    pub fn rollover_from(&self, policy: &Policy) -> Result<Instant, TimeError> {
        self.counted_from.midnight().plus(policy.root.rollover_from.get_ref())
    }

    /// Returns the last second in which the key may sign certificates: the end of the day
    /// before the anniversary (5.6, 6.3.2; D37).
    pub fn use_ends(&self, policy: &Policy) -> Result<Instant, TimeError> {
        let anniversary = self.counted_from.midnight().plus(policy.root.key_use.get_ref())?;
        Ok(anniversary.plus_seconds(-1))
    }

    /// Returns the derived key that replaces this one in a rehearsal.
    #[must_use]
    pub fn rehearsal(&self, ca: &[u8]) -> RehearsalKey {
        RehearsalKey {
            ca: ca.to_vec(),
            usage: self.usage,
            generation: self.generation,
            attempt: 0,
            curve: self.curve,
        }
    }
}

impl Certificate {
    /// Whether it is within its validity at this time, both ends included.
    #[must_use]
    pub fn is_valid_at(&self, at: Instant) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Whether this key signed it or is the key in it, so that a compromise of the key makes it
    /// worthless.
    #[must_use]
    pub fn rests_on(&self, key: &Name) -> bool {
        self.issuer == *key || self.key.as_ref() == Some(key)
    }

    /// Returns its revocation, if it is revoked.
    #[must_use]
    pub const fn revoked(&self) -> Option<&Revoked> {
        match &self.standing {
            Standing::Revoked(revoked) => Some(revoked),
            Standing::Issued | Standing::Withheld => None,
        }
    }
}

impl State {
    /// Whether a certificate of this CA had this name, burned ones included. No name is used twice.
    #[must_use]
    pub fn knows_certificate(&self, name: &str) -> bool {
        self.certificates.contains_key(name)
            || self.burned.values().any(|burned| burned.certificate.as_str() == name)
    }
}
