//! Path validation: whether a certificate may be relied on at a given time (CP/CPS 4.5.2, 4.9.6,
//! 7.1.9; RFC 5280 6; RFC 9810 4.4).
//!
//! A link certificate is never a step of a path. It is validated like any other certificate under a
//! key that is already trusted. If it is valid, the key in it is trusted as well: the other root is
//! *installed* (RFC 9810 4.4.2, RFC 4210 4.4). So every certificate is one step below a trusted
//! key, and validators that count a self-issued certificate as a step come to the same result.
//!
//! All generations of the CA have the same Name, so the signing key is found by the key
//! identifiers. Every certificate, including a root, needs a CRL that is current at the given time,
//! and no CRL that is given may list it.
//!
//! **Invariant:** a key is trusted only because a root was given as trusted, or because a
//! certificate under a trusted key is valid. Only [`validate`] makes a [`Verdict`].
//! The rules stand in layers: of the path (RFC 5280 6), of the structures (RFC 5280 4, 5), of Annex
//! B, and of one CA, if its policy is given. Those of structures are [`crate::x509::judge`]'s, by
//! which `check` judges what is to be signed.
//!
//! **Deliberately absent:** clocks, fetching, name constraints and policies, which no IACA has.

mod ca;
mod iaca;
mod reading;
mod rules;
mod trial;

use alloc::string::String;
use alloc::vec::Vec;

use crate::fault::Fault;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::time::Instant;

pub use ca::Ca;
pub use iaca::{Iaca, RehearsalKeys, Weight};
pub(crate) use reading::public_key;
pub use reading::{Certificate, Crl, Signed};
pub use rules::RULES;

/// The input of a validation; each certificate and CRL is in DER.
#[derive(Debug, Clone, Default)]
pub struct Offered {
    /// Trust anchors: roots from a trustworthy source.
    pub roots: Vec<Vec<u8>>,
    /// Link certificates, from any source.
    pub links: Vec<Vec<u8>>,
    /// CRLs, from any source.
    pub crls: Vec<Vec<u8>>,
    /// The certificate to validate.
    pub target: Vec<u8>,
}

/// An input of a validation, by its index in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A root.
    Root(usize),
    /// A link certificate.
    Link(usize),
    /// A CRL.
    Crl(usize),
    /// The certificate to validate.
    Target,
}

/// The role in which a certificate is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A root: self-signed.
    Root,
    /// A link certificate: one key of the CA certified by another, which installs that key.
    Link,
    /// A Document Signer, or any other end-entity certificate.
    Signer,
}

/// The parts of path validation that depend on the relying party.
///
/// They are the signature algorithms that it can verify, and what it requires beyond RFC 5280.
/// [`Iaca`] is the one of this product; the tests have one for RSA.
pub trait RelyingParty {
    /// Verifies a signature.
    ///
    /// # Errors
    /// Why the signature does not prove anything.
    fn signature(&self, signed: &Signed<'_>) -> Result<(), Unproved>;

    /// Judges the form of a certificate in this role.
    fn certificate(&self, certificate: &Certificate, role: Role, judgement: &mut Judgement);

    /// Judges a certificate against the key that signed it.
    fn issued(
        &self,
        certificate: &Certificate,
        role: Role,
        issuer: &Issuer<'_>,
        judgement: &mut Judgement,
    );

    /// Judges the form of a CRL.
    fn crl(&self, crl: &Crl, judgement: &mut Judgement);

    /// Whether the relying party can process this critical CRL extension, given by its OID.
    fn processes(&self, extension: &str) -> bool;

    /// Whether this certificate is in the scope of this CRL.
    fn speaks_for(&self, crl: &Crl, certificate: &Certificate) -> bool;
}

/// What is known of a key that signed a certificate.
#[derive(Debug, Clone, Copy)]
pub struct Issuer<'a> {
    /// The key, as SubjectPublicKeyInfo in DER.
    pub key: &'a [u8],
    /// The first second of its root.
    pub begins: Instant,
    /// The last second of its root. A link that installs a newer key does not tell it.
    pub ends: Option<Instant>,
}

/// Why a signature does not prove anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproved {
    /// The signature is wrong.
    Wrong(Bilingual),
    /// The relying party cannot verify signatures of this algorithm.
    Unknown(Bilingual),
}

/// The rules that a certificate or CRL was judged by, its faults, and what was only noticed.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    judged: Vec<RuleId>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Judgement {
    /// Records the result of a rule, with a fault if it does not hold. Returns `holds`.
    pub fn ask(
        &mut self,
        rule: RuleId,
        holds: bool,
        asked: impl FnOnce() -> Bilingual,
        found: impl FnOnce() -> Bilingual,
    ) -> bool {
        if !self.judged.contains(&rule) {
            self.judged.push(rule);
        }
        if !holds {
            self.faults.push(Fault::new(rule, asked(), found()));
        }
        holds
    }

    /// Records a rule that a judge of structures held, unless the same fault is known.
    fn hold(&mut self, rule: RuleId, fault: Option<Fault>, weight: Weight) {
        if !self.judged.contains(&rule) {
            self.judged.push(rule);
        }
        let known = |fault: &Fault| self.faults.iter().any(|one| one.rule == fault.rule);
        match (fault.filter(|fault| !known(fault)), weight) {
            (Some(fault), Weight::Refuse) => self.faults.push(fault),
            (Some(fault), Weight::Warn) => self.warnings.push(fault),
            (None, Weight::Refuse | Weight::Warn) => {}
        }
    }

    /// The judgement on an input that could not be read.
    fn unread(fault: Fault) -> Self {
        Self { judged: Vec::from([fault.rule]), faults: Vec::from([fault]), warnings: Vec::new() }
    }

    /// The rules that were judged.
    #[must_use]
    pub fn judged(&self) -> &[RuleId] {
        &self.judged
    }

    /// The faults that were found.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What was noticed and refuses nothing.
    #[must_use]
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    /// Whether no fault was found.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

/// An input of a validation and the judgement on it.
#[derive(Debug)]
pub struct Step {
    /// Which input it is.
    pub item: Item,
    /// Its content, summarised for people.
    pub shown: Shown,
    /// The judgement on it.
    pub judgement: Judgement,
}

/// A summary of an input for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// An input that could not be read.
    Unread,
    /// A certificate.
    Certificate {
        /// The role in which it was judged.
        role: Role,
        /// Its subject.
        subject: String,
        /// Its serial number in hexadecimal digits.
        serial: String,
        /// Its subject key identifier in hexadecimal digits.
        key: String,
        /// notBefore and notAfter.
        validity: (Instant, Instant),
    },
    /// A CRL.
    Crl {
        /// Its number in decimal and hexadecimal digits.
        number: String,
        /// The identifier of the key that signed it, in hexadecimal digits.
        key: String,
        /// thisUpdate and nextUpdate.
        updates: (Instant, Option<Instant>),
        /// The number of its entries.
        entries: usize,
    },
}

/// The result of a validation, with the judgement on every input.
#[derive(Debug)]
pub struct Verdict {
    at: Instant,
    steps: Vec<Step>,
}

impl Verdict {
    /// The time for which the certificate was validated.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Every input in order: roots, links, CRLs, the certificate to validate.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the certificate may be relied on: it was given and no fault was found.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let target = self.steps.iter().find(|step| step.item == Item::Target);
        target.is_some_and(|step| step.judgement.holds())
    }

    /// The reasons why the certificate may not be relied on; none if it may.
    ///
    /// The causes come first: the faults of the CRLs, roots or links that it would need, then its
    /// own; what follows from the lack of a trusted key or a CRL comes last.
    #[must_use]
    pub fn reasons(&self) -> Vec<(Item, &Fault)> {
        let faults = |wanted: fn(Item) -> bool| {
            let steps = self.steps.iter().filter(move |step| wanted(step.item));
            steps.flat_map(|step| step.judgement.faults().iter().map(|fault| (step.item, fault)))
        };
        let own: Vec<(Item, &Fault)> = faults(|item| item == Item::Target).collect();
        let no_key = [RuleId::P_PATH_ISSUER, RuleId::P_PATH_KEY];
        let mut reasons = Vec::new();
        if own.iter().any(|(_, fault)| no_key.contains(&fault.rule)) {
            reasons.extend(faults(|item| matches!(item, Item::Root(_) | Item::Link(_))));
        }
        reasons.extend(own);
        if reasons.iter().any(|(_, fault)| fault.rule == RuleId::P_PATH_CRL) {
            reasons.splice(0..0, faults(|item| matches!(item, Item::Crl(_))));
        }
        reasons.sort_by_key(|(_, fault)| match fault.rule {
            RuleId::P_PATH_CRL => 1,
            rule if no_key.contains(&rule) => 2,
            _ => 0,
        });
        reasons
    }
}

/// Validates the certificate at this time, for this relying party.
#[must_use]
pub fn validate(offered: &Offered, at: Instant, party: &impl RelyingParty) -> Verdict {
    Verdict { at, steps: trial::hold(offered, at, party) }
}
