//! The ledger: what the ceremonies of a CA have left behind.
//!
//! A [`State`] is the fold of sealed transcripts, in their order, and there is no second source of
//! it: whoever has the records has the state (CP/CPS 5.7.2). A plan is compiled against the state
//! that the ceremony before it left.
//!
//! **Invariant:** [`State::after`] takes a run that replay has judged; what an aborted ceremony
//! answered exists here too: its keys, its certificates (withheld), its burned numbers.
//! **Deliberately absent:** dates of today. What falls due is asked with a date.

mod covered;
mod due;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

pub use covered::Gap;
pub(crate) use due::{ALARM_MONTHS, months_after};
pub use due::{Due, DueKind};

use crate::hex::{Digest, Octets};
use crate::key::{Curve, Nonce, PublicKey};
use crate::name::Name;
use crate::plan::{Ground, Order, ProfileName};
use crate::policy::{Backup, Policy};
use crate::record::{End, Mode, Predecessor};
use crate::rehearsal::{RehearsalKey, RehearsalUse};
use crate::time::{Day, Instant, TimeError};
use crate::token::Holder;
use crate::x509::Reason;

/// A map that shares what it has in common with the map it came from.
pub type Map<K, V> = rpds::RedBlackTreeMapSync<K, V>;
/// A set that shares what it has in common with the set it came from.
pub type Set<T> = rpds::RedBlackTreeSetSync<T>;
/// A list that shares what it has in common with the list it came from.
pub type Vector<T> = rpds::VectorSync<T>;

/// What the ceremonies of a CA have left behind; before the first, nothing.
///
/// What grows with every ceremony is shared between the states before and after it, so a ledger is
/// folded in a time that grows with its length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// The CA's Name in DER, the same in every ceremony.
    pub ca_name: Vec<u8>,
    /// Where it is found.
    pub addresses: Option<Addresses>,
    /// The CA's first ceremony.
    pub genesis: Option<Genesis>,
    /// What an anchor pins of each ceremony, in their order.
    pub held: Vector<Held>,
    /// The last ceremony.
    pub last: Option<Last>,
    /// Every ceremony, with its end and its sequence.
    pub ceremonies: Map<Name, (End, u32)>,
    /// What is kept of the r of every signature: none may come back.
    pub nonces: Set<Nonce>,
    /// The seeds of serial numbers that were used.
    pub seeds: Set<[u8; 32]>,
    /// The serial number of the root token.
    pub token: Option<String>,
    /// The other tokens, by name.
    pub spares: BTreeMap<Name, Spare>,
    /// What ceremonies that did not end may have left on a token: CKA_IDs, each with the key's
    /// name. The next ceremony clears them.
    pub remains: BTreeMap<Holder, BTreeMap<Octets, Name>>,
    /// The ledger head that the last ceremony wrote on the root token.
    pub token_head: Option<Octets>,
    /// Heads that ceremonies since then asked to be written, and nobody knows whether they were.
    pub asked_heads: BTreeSet<Octets>,
    /// Every key, destroyed ones included, by name.
    pub keys: BTreeMap<Name, Key>,
    /// Every certificate, by name.
    pub certificates: Map<Name, Certificate>,
    /// Those that are revoked or withheld: a few, which are asked for in every ceremony.
    set_apart: Set<Name>,
    /// The self-signed certificate of each root key, both by name.
    pub roots: BTreeMap<Name, Name>,
    /// Serial numbers of attempts whose signature was lost, with what they were for.
    pub burned: Map<[u8; 20], Burned>,
    /// SHA-256 of every SubjectPublicKeyInfo that was certified in a DS certificate.
    pub certified: Set<Digest>,
    /// The batches of CRLs, in order.
    pub batches: Vector<Batch>,
    /// The highest CRL number that was ever asked to be signed.
    pub crl_number: u64,
    /// What is ordered to stop, since when.
    pub stopped: BTreeMap<Order, Instant>,
    /// The papers of applications that completed ceremonies rested on.
    pub papers: Set<Digest>,
}

/// Where the CA's certificates say that it is found: the same in all of them (D5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// issuerAltName.
    pub issuer_alt_name: String,
    /// cRLDistributionPoints, with `{key}` for the key's name.
    pub crl_url: String,
}

/// The CA's first ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The CA's name in the file system.
    pub ca: Name,
    /// Its ceremony.
    pub ceremony: Name,
    /// Rehearsal, drill or real: all the others are of the same kind.
    pub mode: Mode,
}

/// What an anchor pins of a ceremony: its slip of paper.
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
    /// SHA-256 of the audit key's SubjectPublicKeyInfo, where it was made here: the first, or one
    /// that no earlier key vouches for.
    pub audit_key: Option<Digest>,
}

/// The ceremony before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// Its name.
    pub ceremony: Name,
    /// Its sequence.
    pub sequence: u32,
    /// What the next one's first record names.
    pub predecessor: Predecessor,
    /// When its transcript ended.
    pub ended_at: Instant,
    /// SHA-256 of its journal, if it could not be sealed: the next plan names it.
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
    /// When it was judged to be compromised.
    pub compromised: Option<Instant>,
    /// When it was destroyed.
    pub destroyed: Option<Instant>,
    /// When it was lost with its token.
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
    /// When the ceremony ended that handed it out; nothing while it is withheld.
    pub out_at: Option<Instant>,
    /// The certificate itself, of an aborted ceremony: the ceremony that releases it hands it out.
    pub der: Option<Vec<u8>>,
    /// Whether it can be relied on.
    pub standing: Standing,
}

/// Whether a certificate can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was handed out.
    Issued,
    /// Its ceremony was aborted: it exists, and was handed to nobody.
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
    /// The ground of 4.9.1; nothing where the CA's key was compromised.
    pub ground: Option<Ground>,
}

/// A serial number that was asked to be signed, with nobody knowing the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burned {
    /// The certificate it was for.
    pub certificate: Name,
    /// Its end, had it been signed.
    pub not_after: Instant,
}

/// The CRLs of one ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The ceremony.
    pub ceremony: Name,
    /// The CRLs of each key that signed some.
    pub crls: BTreeMap<Name, Crls>,
    /// When its ceremony ended: nobody had it before.
    pub ended_at: Instant,
    /// The lowest and the highest number.
    pub numbers: (u64, u64),
    /// Entries in the first and in the last one: those that end between them stand in the first.
    pub entries: (usize, usize),
    /// When the next ceremony was planned to be.
    pub next_ceremony: Option<Day>,
    /// The ceremony whose batch takes its place.
    pub superseded_by: Option<Name>,
    /// Whether it was handed out.
    pub issued: bool,
    /// From when its unreleased rest does not exist, if its destruction was ordered and confirmed:
    /// from when the batch counts that takes its place.
    pub withdrawn: Option<Instant>,
}

/// The CRLs of one key in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crls {
    /// The first thisUpdate.
    pub first: Instant,
    /// The last thisUpdate.
    pub last: Instant,
    /// The last nextUpdate: from then on what they say is out of date.
    pub next_update: Instant,
}

impl State {
    /// The root keys that exist, compromised ones included.
    pub fn root_keys(&self) -> impl Iterator<Item = (&Name, &Key)> {
        self.keys.iter().filter(|(_, key)| key.usage == RehearsalUse::Root && key.exists())
    }

    /// The audit key.
    #[must_use]
    pub fn audit_key(&self) -> Option<(&Name, &Key)> {
        self.keys.iter().find(|(_, key)| key.usage == RehearsalUse::Audit && key.exists())
    }

    /// The highest generation of the keys of this use, 0 where there was none.
    #[must_use]
    pub fn generation(&self, usage: RehearsalUse) -> u8 {
        let of_use = self.keys.values().filter(|key| key.usage == usage);
        of_use.map(|key| key.generation).max().unwrap_or(0)
    }

    /// The state in which this token, which holds copies, is the root token because the other was
    /// lost: with that one went its audit key, the root keys without a copy here, and the ledger
    /// head. Nothing where no such token is known.
    #[must_use]
    pub fn recovered(&self, token: &Name, at: Instant) -> Option<Self> {
        let mut state = self.clone();
        let spare = state.spares.remove(token)?;
        for (name, key) in &mut state.keys {
            if key.exists() && !spare.copies.contains(name) {
                key.lost = Some(at);
            }
        }
        // What was left on the lost token is lost too; what was left on this one is still here.
        let left = state.remains.remove(&Holder::Spare(token.clone()));
        state.remains.remove(&Holder::Root);
        state.remains.extend(left.map(|left| (Holder::Root, left)));
        state.token = Some(spare.serial);
        state.token_head = None;
        state.asked_heads.clear();
        Some(state)
    }

    /// The self-signed certificate of a root key.
    #[must_use]
    pub fn root_of(&self, key: &str) -> Option<&Certificate> {
        self.certificates.get(self.roots.get(key)?)
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

    /// Gives a certificate another standing.
    pub fn set_standing(&mut self, name: &Name, standing: Standing) {
        let Some(certificate) = self.certificates.get_mut(name) else { return };
        certificate.standing = standing;
        if standing == Standing::Issued {
            self.set_apart.remove_mut(name);
        } else {
            self.set_apart.insert_mut(name.clone());
        }
    }

    /// The root key that signs certificates now: the latest generation that is neither compromised
    /// nor destroyed and has a certificate that was handed out.
    #[must_use]
    pub fn issuing_key(&self) -> Option<(&Name, &Key)> {
        self.root_keys()
            .filter(|(name, key)| {
                let root = self.root_of(name.as_str());
                key.compromised.is_none() && root.is_some_and(|r| r.standing != Standing::Withheld)
            })
            .max_by_key(|(_, key)| key.generation)
    }

    /// The state in which every key is the rehearsal's, of a CA that only ever rehearsed: what a
    /// rehearsal is held on, whatever the real keys are.
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

    /// Whether it served at this time: it was made, and neither compromised, destroyed nor lost.
    #[must_use]
    pub fn serves_at(&self, at: Instant) -> bool {
        let ends = [self.compromised, self.destroyed, self.lost];
        self.made_at <= at && ends.into_iter().flatten().all(|end| end > at)
    }

    /// For how long it had existed at this time: whole years by the calendar, and days.
    #[must_use]
    pub fn age_at(&self, at: Instant) -> (u16, i64) {
        let birthday = |years: u16| due::months_after(self.made_at, years.saturating_mul(12));
        let reached = |years: &u16| birthday(*years).is_some_and(|day| day <= at);
        let years = (1..=99).take_while(reached).last().unwrap_or(0);
        let since = birthday(years).unwrap_or(self.made_at);
        (years, at.day().days_since(since.day()))
    }

    /// The last second in which the key may sign certificates: the day before the anniversary,
    /// 24:00 in Japan (5.6, 6.3.2; D37).
    pub fn use_ends(&self, policy: &Policy) -> Result<Instant, TimeError> {
        let anniversary = self.made_at.day().start().plus(policy.root.key_use.get_ref())?;
        Ok(anniversary.plus_seconds(-1))
    }

    /// The derived key that stands in for this one in a rehearsal.
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

    /// Whether a key signed it or is the key in it: if that is compromised, it is worth nothing.
    #[must_use]
    pub fn rests_on(&self, key: &Name) -> bool {
        self.issuer == *key || self.key.as_ref() == Some(key)
    }

    /// Its revocation.
    #[must_use]
    pub const fn revoked(&self) -> Option<&Revoked> {
        match &self.standing {
            Standing::Revoked(revoked) => Some(revoked),
            Standing::Issued | Standing::Withheld => None,
        }
    }
}

impl Batch {
    /// The first thisUpdate of all keys.
    #[must_use]
    pub fn first(&self) -> Instant {
        self.crls.values().map(|crls| crls.first).min().unwrap_or(self.ended_at)
    }

    /// The last thisUpdate of all keys.
    #[must_use]
    pub fn last(&self) -> Instant {
        self.crls.values().map(|crls| crls.last).max().unwrap_or(self.ended_at)
    }

    /// Whether it was handed out by this time.
    #[must_use]
    pub fn is_out_at(&self, at: Instant) -> bool {
        self.issued && self.ended_at <= at
    }

    /// From when and until when a CRL of this key was in force; those of a rest that was destroyed
    /// never were.
    #[must_use]
    pub fn covers(&self, key: &Name) -> Option<(Instant, Instant)> {
        let crls = self.crls.get(key)?;
        let until = self.withdrawn.map_or(crls.next_update, |end| end.min(crls.next_update));
        Some((crls.first.max(self.ended_at), until))
    }

    /// Whether no other batch has taken its place, and its last CRL is still to come.
    #[must_use]
    pub fn is_open_at(&self, at: Instant) -> bool {
        self.issued && self.superseded_by.is_none() && self.last() > at
    }

    /// Whether there may be a rest of it somewhere that is not released at this time: it stays when
    /// a batch of the same content takes its place, until its destruction is confirmed.
    #[must_use]
    pub fn has_rest_at(&self, at: Instant) -> bool {
        self.issued && self.withdrawn.is_none() && self.last() > at
    }
}

impl State {
    /// Names that certificates of this CA have had, burned ones included: none is given twice.
    #[must_use]
    pub fn knows_certificate(&self, name: &str) -> bool {
        self.certificates.contains_key(name)
            || self.burned.values().any(|burned| burned.certificate.as_str() == name)
    }
}
