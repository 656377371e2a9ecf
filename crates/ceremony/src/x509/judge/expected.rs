//! What is expected of a structure that is judged: a few facts from policy, plan and ledger.

use alloc::string::String;
use alloc::vec::Vec;

use crate::key::Curve;
use crate::time::{CalendarSpan, Instant};
use crate::x509::IssuerAltName;

/// The values that policy and plan require of a root certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedRoot {
    /// The CA's Name in DER.
    pub ca: Vec<u8>,
    /// The CA's country.
    pub country: String,
    /// The curve of the root key.
    pub curve: Curve,
    /// notBefore: the start of the day of issue.
    pub not_before: Instant,
    /// The validity by the calendar.
    pub validity: CalendarSpan,
    /// What issuerAltName holds.
    pub issuer_alt_name: IssuerAltName,
    /// The URLs of the CRL of this key.
    pub crl_urls: Vec<String>,
    /// Whether it has an authorityKeyIdentifier.
    pub authority_key_identifier: bool,
}

/// The values that policy, plan and ledger require of a link certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedLink {
    /// The CA's Name in DER.
    pub ca: Vec<u8>,
    /// The CA's country.
    pub country: String,
    /// The curve of both root keys.
    pub curve: Curve,
    /// The certified key's identifier.
    pub subject_key: [u8; 20],
    /// The signing key's identifier.
    pub issuer_key: [u8; 20],
    /// notBefore: that of the certified key's root.
    pub not_before: Instant,
    /// notAfter: that of the old root.
    pub not_after: Instant,
    /// What issuerAltName holds.
    pub issuer_alt_name: IssuerAltName,
    /// The URLs of the CRL of the signing key.
    pub crl_urls: Vec<String>,
}

/// The values that policy, plan and ledger require of a Document Signer certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedDs {
    /// The CA's Name in DER.
    pub ca: Vec<u8>,
    /// The CA's country.
    pub country: String,
    /// The subject in DER.
    pub subject: Vec<u8>,
    /// The SubjectPublicKeyInfo of the request, in DER.
    pub public_key: Vec<u8>,
    /// The curve of the signing key.
    pub issuer_curve: Curve,
    /// The signing key's identifier.
    pub issuer_key: [u8; 20],
    /// notBefore.
    pub not_before: Instant,
    /// The longest validity in days.
    pub max_days: u32,
    /// notAfter of the root whose key signs.
    pub root_ends: Instant,
    /// The OID of the only extended key usage.
    pub purpose: String,
    /// What issuerAltName holds.
    pub issuer_alt_name: IssuerAltName,
    /// The URLs of the CRL of the signing key.
    pub crl_urls: Vec<String>,
}

/// The values that policy, plan and ledger require of a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedCrl {
    /// The CA's Name in DER.
    pub ca: Vec<u8>,
    /// The curve of the key that signs.
    pub curve: Curve,
    /// The identifier of the key that signs.
    pub key_identifier: [u8; 20],
    /// thisUpdate: when it takes effect.
    pub this_update: Instant,
    /// nextUpdate is 00:00 of a day of the CA, this span after the day of thisUpdate, unless the
    /// root ends before.
    pub validity: CalendarSpan,
    /// notAfter of the root of the key that signs: nextUpdate is at most the second after it.
    pub root_ends: Instant,
    /// The CRL number.
    pub number: u64,
    /// Whether entries carry reason codes (policy `crl.reason-codes`).
    pub reasons: EntryReasons,
    /// The serial number of every certificate that it must list.
    pub revoked: Vec<[u8; 20]>,
}

/// Whether the entries of CRLs carry reason codes.
///
/// CP/CPS 7.2.2 asks for them, ISO/IEC 18013-5 does not want them (D2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryReasons {
    /// An entry has a non-critical reason code, if there is a reason other than unspecified.
    Include,
    /// An entry has no extension at all.
    Omit,
}
