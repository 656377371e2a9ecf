//! Two generations of a CA, put together octet by octet: roots, links, Document Signers, CRLs.
//!
//! They are made apart from the product's profiles, so that each can be bent in one place.

use ceremony::key::Curve;
use ceremony::path::Offered;
use ceremony::time::Instant;
use ceremony::x509::{Reason, Revoked};

use crate::issuing::{self, CRL_URL, ISSUER_ALT_NAME, TestKey, ca, extension, tlv, utc};

/// The key of the first generation.
pub(crate) const OLD: TestKey = TestKey { curve: Curve::P384, octet: 0x11 };
/// The key of the second generation.
pub(crate) const NEW: TestKey = TestKey { curve: Curve::P384, octet: 0x33 };
/// A Document Signer's key.
pub(crate) const DOCUMENT: TestKey = TestKey { curve: Curve::P256, octet: 0x22 };
/// A key of nobody.
pub(crate) const STRANGER: TestKey = TestKey { curve: Curve::P384, octet: 0x77 };

/// Serial numbers by what they are of.
pub(crate) const OLD_WITH_NEW: [u8; 20] = [0x41; 20];
pub(crate) const NEW_WITH_OLD: [u8; 20] = [0x42; 20];
pub(crate) const SIGNER: [u8; 20] = [0x43; 20];

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// The day of the first key.
pub(crate) fn first_day() -> Instant {
    at("2026-04-01T00:00:00+09:00")
}

/// The day of the second key.
pub(crate) fn rollover() -> Instant {
    at("2031-01-15T00:00:00+09:00")
}

/// Noon of the day after the rollover, with the CRLs of that day.
pub(crate) fn noon() -> Instant {
    at("2031-01-16T12:00:00+09:00")
}

pub(crate) fn hours(from: Instant, hours: i64) -> Instant {
    from.plus_seconds(hours * 3_600)
}

/// The self-signed root of a key, out of the product's profile.
pub(crate) fn root(key: TestKey) -> Vec<u8> {
    let start = if key.octet == NEW.octet { rollover() } else { first_day() };
    let root = issuing::root(key.curve, start);
    key.signed(&root.to_der(&[key.octet; 20], &key.keys()).unwrap())
}

/// The last second of the first root: 64 months from its first.
pub(crate) fn old_end() -> Instant {
    at("2031-07-31T23:59:59+09:00")
}

/// A certificate that is still to be signed; each part can be another.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) version: u8,
    pub(crate) serial: [u8; 20],
    pub(crate) signer: TestKey,
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) not_before: Instant,
    pub(crate) not_after: Instant,
    pub(crate) key: Vec<u8>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

impl Made {
    pub(crate) fn signed(&self) -> Vec<u8> {
        let algorithm = tlv(0x30, &[&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]]);
        let tbs = tlv(
            0x30,
            &[
                &[0xa0, 3, 2, 1, self.version - 1],
                &tlv(2, &[&self.serial]),
                &algorithm,
                &self.issuer,
                &tlv(0x30, &[&utc(self.not_before), &utc(self.not_after)]),
                &self.subject,
                &self.key,
                &tlv(0xa3, &[&tlv(0x30, &[&self.extensions.concat()])]),
            ],
        );
        let signature = self.signer.sign(&tbs).to_der();
        tlv(0x30, &[&tbs, &algorithm, &tlv(3, &[&[0], &signature])])
    }

    /// The certificate, bent.
    pub(crate) fn with(&self, bend: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut bent = self.clone();
        bend(&mut bent);
        bent.signed()
    }

    /// With another value, or another criticality, of the extension id-ce `kind`.
    pub(crate) fn other(&self, kind: u8, critical: bool, value: &[u8]) -> Vec<u8> {
        self.with(|made| {
            made.drop(kind);
            made.extensions.push(extension(kind, critical, value));
        })
    }

    /// Takes an extension away.
    pub(crate) fn drop(&mut self, kind: u8) {
        self.extensions
            .retain(|found| !found.windows(5).take(3).any(|o| o == [6, 3, 0x55, 0x1d, kind]));
    }
}

/// subjectPublicKeyInfo of a key of the tests.
pub(crate) fn spki(key: TestKey) -> Vec<u8> {
    ceremony::x509::subject_public_key_info(&key.public())
}

fn uri(text: &str) -> Vec<u8> {
    tlv(0x86, &[text.as_bytes()])
}

fn common(signer: TestKey, key: TestKey) -> Vec<Vec<u8>> {
    let issuer_id = tlv(0x80, &[&signer.public().key_identifier()]);
    let point = tlv(0xa0, &[&tlv(0xa0, &[&uri(CRL_URL)])]);
    vec![
        extension(35, false, &tlv(0x30, &[&issuer_id])),
        extension(14, false, &tlv(4, &[&key.public().key_identifier()])),
        extension(18, false, &tlv(0x30, &[&uri(ISSUER_ALT_NAME)])),
        extension(31, false, &tlv(0x30, &[&tlv(0x30, &[&point])])),
    ]
}

/// A link: `key` certified by `signer`, until the first root ends (RFC 9810 4.4.1).
pub(crate) fn link(key: TestKey, signer: TestKey) -> Made {
    let mut extensions = common(signer, key);
    extensions.push(extension(15, true, &[3, 2, 1, 6]));
    extensions.push(extension(19, true, &[0x30, 6, 1, 1, 0xff, 2, 1, 0]));
    let new = key.octet == NEW.octet;
    Made {
        version: 3,
        serial: if new { NEW_WITH_OLD } else { OLD_WITH_NEW },
        signer,
        issuer: ca().der().to_vec(),
        subject: ca().der().to_vec(),
        not_before: if new { rollover() } else { first_day() },
        not_after: old_end(),
        key: spki(key),
        extensions,
    }
}

/// A Document Signer's certificate of four months (ISO/IEC 18013-5 B.1.4).
pub(crate) fn signer(issuer: TestKey, not_before: Instant) -> Made {
    let mut extensions = common(issuer, DOCUMENT);
    extensions.push(extension(15, true, &[3, 2, 7, 0x80]));
    extensions.push(extension(37, true, &[0x30, 9, 6, 7, 0x28, 0x81, 0x8c, 0x5d, 5, 1, 2]));
    Made {
        version: 3,
        serial: SIGNER,
        signer: issuer,
        issuer: ca().der().to_vec(),
        subject: crate::issuing::name("JP", "機構", "Sample DS 0001").der().to_vec(),
        not_before,
        not_after: not_before.plus(&"4 months".parse().unwrap()).unwrap().plus_seconds(-1),
        key: spki(DOCUMENT),
        extensions,
    }
}

/// A CRL of the product's profile: these certificates, revoked an hour before.
pub(crate) fn crl(key: TestKey, this_update: Instant, revoked: &[[u8; 20]]) -> Vec<u8> {
    let date = hours(this_update, -1);
    let entry =
        |serial: &[u8; 20]| Revoked { serial: *serial, date, reason: Some(Reason::KeyCompromise) };
    issuing::crl(key, this_update, revoked.iter().map(entry).collect())
}

/// The CRL of the day of [`noon`].
pub(crate) fn today(key: TestKey, revoked: &[[u8; 20]]) -> Vec<u8> {
    crl(key, at("2031-01-16T00:00:00+09:00"), revoked)
}

/// What is offered when the verifier trusts one root, a link leads to the other, and both
/// generations have their CRL of the day: a Document Signer of the other generation.
pub(crate) fn over_the_link(trusted: TestKey, other: TestKey) -> Offered {
    Offered {
        roots: vec![root(trusted)],
        links: vec![link(other, trusted).signed()],
        crls: vec![today(OLD, &[]), today(NEW, &[])],
        target: signer(other, rollover()).signed(),
    }
}

/// A CRL that is still to be signed; each part can be another.
#[derive(Clone)]
pub(crate) struct MadeCrl {
    pub(crate) issuer: Vec<u8>,
    pub(crate) updates: (Instant, Option<Instant>),
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) extensions: Vec<Vec<u8>>,
}

/// A CRL of the first key for the day of [`first_day`], as the product's profile has it.
pub(crate) fn list() -> MadeCrl {
    let identifier = tlv(0x80, &[&OLD.public().key_identifier()]);
    MadeCrl {
        issuer: ca().der().to_vec(),
        updates: (first_day(), Some(hours(first_day(), 72))),
        entries: vec![],
        extensions: vec![
            extension(35, false, &tlv(0x30, &[&identifier])),
            extension(20, false, &[2, 1, 1]),
        ],
    }
}

impl MadeCrl {
    /// The CRL, bent and signed.
    pub(crate) fn with(&self, bend: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut bent = self.clone();
        bend(&mut bent);
        let algorithm = tlv(0x30, &[&[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]]);
        let (this, next) = bent.updates;
        let entries = bent.entries.concat();
        let list = tlv(
            0x30,
            &[
                &[2, 1, 1],
                &algorithm,
                &bent.issuer,
                &utc(this),
                &next.map(utc).unwrap_or_default(),
                &if entries.is_empty() { vec![] } else { tlv(0x30, &[&entries]) },
                &tlv(0xa0, &[&tlv(0x30, &[&bent.extensions.concat()])]),
            ],
        );
        let signature = OLD.sign(&list).to_der();
        tlv(0x30, &[&list, &algorithm, &tlv(3, &[&[0], &signature])])
    }
}

/// An entry: a serial number, its date, its extensions.
pub(crate) fn entry(serial: [u8; 20], date: Instant, extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = match extensions {
        [] => vec![],
        some => tlv(0x30, &[&some.concat()]),
    };
    tlv(0x30, &[&tlv(2, &[&serial]), &utc(date), &extensions])
}
