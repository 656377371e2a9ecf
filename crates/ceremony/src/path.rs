//! Whether a certificate may be relied on at a time: what a verifier must do (CP/CPS 4.5.2, 4.9.6,
//! 7.1.9; RFC 5280 6; RFC 9810 4.4).
//!
//! A link certificate is never a step of a path. It is judged like any other certificate, under a
//! key that is trusted already, and if it holds, the key in it is trusted too: the other root is
//! *installed* (RFC 9810 4.4.2, RFC 4210 4.4). So every certificate lies one step under a trusted
//! key, and validators that count a self-issued certificate as a step come to the same answer.
//!
//! All generations of the CA have one Name, so a Name does not say which key signed; the key
//! identifiers do. Every certificate, roots too, needs a CRL of its day, and none of the CRLs that
//! are offered may name it.
//!
//! **Invariant:** a key is trusted only because a root was given as trusted, or because a
//! certificate under a trusted key holds. A [`Verdict`] is made by [`validate`] only.
//! **Deliberately absent:** clocks, fetching, and everything about paths of more than one step
//! (path length, name constraints, policies).

mod form;
mod iaca;
mod reading;
mod rules;
mod trial;

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::fault::Fault;
use crate::rule::RuleId;
use crate::time::Instant;

pub use iaca::{Iaca, RehearsalKeys};
pub use reading::{Certificate, Crl, Signed};
pub use rules::RULES;

/// What a verifier is given, each certificate and CRL in DER.
#[derive(Debug, Clone, Default)]
pub struct Offered {
    /// Roots that are trusted, because they came from a trustworthy place.
    pub roots: Vec<Vec<u8>>,
    /// Link certificates, from anywhere.
    pub links: Vec<Vec<u8>>,
    /// CRLs, from anywhere.
    pub crls: Vec<Vec<u8>>,
    /// The certificate in question.
    pub target: Vec<u8>,
}

/// One thing that was offered, by its place in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A root.
    Root(usize),
    /// A link certificate.
    Link(usize),
    /// A CRL.
    Crl(usize),
    /// The certificate in question.
    Target,
}

/// What a certificate is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A root: self-signed.
    Root,
    /// A link: one key of the CA certified by another, or what else installs a key.
    Link,
    /// A Document Signer, or what else is certified and certifies nothing.
    Signer,
}

/// What a relying party brings with it: the signatures that it can check, and what it asks beyond
/// RFC 5280. [`Iaca`] is the one of this product; the tests have one for RSA.
pub trait RelyingParty {
    /// Checks a signature; what is wrong with it otherwise.
    fn signature(&self, signed: &Signed<'_>) -> Result<(), String>;

    /// Judges the form of a certificate in a role.
    fn certificate(&self, certificate: &Certificate, role: Role, judgement: &mut Judgement);

    /// Judges the form of a CRL.
    fn crl(&self, crl: &Crl, judgement: &mut Judgement);

    /// Whether this critical extension of a CRL is understood.
    fn processes(&self, extension: &str) -> bool;

    /// Whether the certificates that this CRL can name include this one.
    fn speaks_for(&self, crl: &Crl, certificate: &Certificate) -> bool;
}

/// The rules that were held against something, and those that it broke.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    judged: Vec<RuleId>,
    faults: Vec<Fault>,
}

impl Judgement {
    /// Holds a rule against what was found; gives whether it holds.
    pub fn ask(
        &mut self,
        rule: RuleId,
        holds: bool,
        asked: &str,
        found: impl FnOnce() -> String,
    ) -> bool {
        if !self.judged.contains(&rule) {
            self.judged.push(rule);
        }
        if !holds {
            self.faults.push(Fault { rule, asked: asked.to_string(), found: found() });
        }
        holds
    }

    /// Adds what another judge held against it, and found.
    fn add(&mut self, rules: impl Iterator<Item = RuleId>, faults: Vec<Fault>) {
        for rule in rules {
            self.ask(rule, true, "", String::new);
        }
        self.faults.extend(faults);
    }

    /// Of something that could not be read.
    fn unread(fault: Fault) -> Self {
        Self { judged: Vec::from([fault.rule]), faults: Vec::from([fault]) }
    }

    /// The rules that were held against it.
    #[must_use]
    pub fn judged(&self) -> &[RuleId] {
        &self.judged
    }

    /// The rules that it broke.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Whether it broke none.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }
}

/// What was offered, and what it came to.
#[derive(Debug)]
pub struct Step {
    /// What it is.
    pub item: Item,
    /// What it says of itself.
    pub shown: Shown,
    /// What it came to.
    pub judgement: Judgement,
}

/// What is shown of something that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// It could not be read.
    Unread,
    /// A certificate.
    Certificate {
        /// What it was taken for.
        role: Role,
        /// Its subject.
        subject: String,
        /// Its serial number in hexadecimal digits.
        serial: String,
        /// Its subject key identifier in hexadecimal digits.
        key: String,
        /// Its first and its last second.
        validity: (Instant, Instant),
    },
    /// A CRL.
    Crl {
        /// Its number in hexadecimal digits.
        number: String,
        /// The identifier of the key that signed it, in hexadecimal digits.
        key: String,
        /// thisUpdate and nextUpdate.
        updates: (Instant, Option<Instant>),
        /// How many certificates it names.
        entries: usize,
    },
}

/// Whether the certificate may be relied on, and why.
#[derive(Debug)]
pub struct Verdict {
    at: Instant,
    steps: Vec<Step>,
}

impl Verdict {
    /// The time that was asked for.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// Everything that was offered, in its order: roots, links, CRLs, the certificate in question.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the certificate may be relied on: it is there and nothing speaks against it.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let target = self.steps.iter().find(|step| step.item == Item::Target);
        target.is_some_and(|step| step.judgement.holds())
    }

    /// Why it may not be relied on: what speaks against the roots, links or CRLs that it would
    /// need, and then what speaks against itself. Nothing, if it may be.
    #[must_use]
    pub fn reasons(&self) -> Vec<(Item, &Fault)> {
        let faults = |wanted: fn(Item) -> bool| {
            let steps = self.steps.iter().filter(move |step| wanted(step.item));
            steps.flat_map(|step| step.judgement.faults().iter().map(|fault| (step.item, fault)))
        };
        let own: Vec<(Item, &Fault)> = faults(|item| item == Item::Target).collect();
        let lacks = |rules: &[RuleId]| own.iter().any(|(_, fault)| rules.contains(&fault.rule));
        let mut reasons = Vec::new();
        if lacks(&[RuleId::P_PATH_ISSUER, RuleId::P_PATH_KEY]) {
            reasons.extend(faults(|item| matches!(item, Item::Root(_) | Item::Link(_))));
        }
        if lacks(&[RuleId::P_PATH_CRL]) || reasons.iter().any(|(_, f)| f.rule == RuleId::P_PATH_CRL)
        {
            reasons.extend(faults(|item| matches!(item, Item::Crl(_))));
        }
        reasons.extend(own);
        reasons
    }
}

/// Judges whether the certificate may be relied on at this time.
#[must_use]
pub fn validate(offered: &Offered, at: Instant, party: &impl RelyingParty) -> Verdict {
    Verdict { at, steps: trial::hold(offered, at, party) }
}
