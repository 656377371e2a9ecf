//! Judges to-be-signed octets: does this certificate, this CRL, keep every rule of its profile?
//!
//! A judge sees only octets and a few facts of policy and plan. It decodes with the types of
//! `x509-cert`, not with those that wrote the octets, and states every rule anew, so one mistake
//! would have to be made twice to pass.
//!
//! **Invariant:** every rule has one id, listed in [`RULES`]; every fault names one of them.
//! **Deliberately absent:** descriptions and profiles, signatures, and rules about more than one
//! structure.

mod certificate;
mod crl;
mod issued;
mod reading;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

use crate::fault::Fault;
use crate::key::Curve;
use crate::rule::RuleId;
use crate::time::Instant;

/// What policy and plan ask of a root certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedRoot {
    /// The CA's Name in DER.
    pub ca: Vec<u8>,
    /// The CA's country.
    pub country: String,
    /// The curve of the root key.
    pub curve: Curve,
    /// The day of issue.
    pub not_before: Instant,
    /// Calendar months of validity: 64 for 5 years 4 months.
    pub months: u16,
    /// Where the issuer can be found.
    pub issuer_alt_name: String,
    /// Where the CRL of this key is published.
    pub crl_url: String,
}

/// What policy, plan and ledger ask of a link certificate.
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
    /// notBefore of the certified key's root.
    pub not_before: Instant,
    /// notAfter of the old root.
    pub not_after: Instant,
    /// Where the issuer can be found.
    pub issuer_alt_name: String,
    /// Where the CRL of the signing key is published.
    pub crl_url: String,
}

/// What policy, plan and ledger ask of a Document Signer certificate.
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
    /// The most days of validity.
    pub max_days: u32,
    /// The end of the root whose key signs.
    pub root_ends: Instant,
    /// The one purpose.
    pub purpose: String,
    /// Where the issuer can be found.
    pub issuer_alt_name: String,
    /// Where the CRL of the signing key is published.
    pub crl_url: String,
}

/// What policy, plan and ledger ask of a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedCrl {
    /// The CA's Name in DER.
    pub ca: Vec<u8>,
    /// The curve of the key that signs.
    pub curve: Curve,
    /// The identifier of the key that signs.
    pub key_identifier: [u8; 20],
    /// When it takes effect.
    pub this_update: Instant,
    /// It ends at 00:00 in Japan this many days after the day of effect.
    pub validity_days: u32,
    /// Its number.
    pub number: u64,
    /// Whether entries carry reasons (policy `crl.reason-codes`).
    pub reasons: EntryReasons,
    /// The serial number of every certificate that shall be in it.
    pub revoked: Vec<[u8; 20]>,
}

/// Whether the entries of CRLs carry reason codes: CP/CPS 7.2.2 asks for them, ISO 18013-5 does not
/// want them (D2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryReasons {
    /// A non-critical reason code, where there is a reason to give.
    Include,
    /// No entry extension at all.
    Omit,
}

/// Every fault of these octets as the TBSCertificate of a root; none, if it keeps every rule.
#[must_use]
pub fn root(tbs: &[u8], expected: &ExpectedRoot) -> Vec<Fault> {
    match reading::certificate(tbs) {
        Ok(certificate) => certificate::faults(&certificate, expected),
        Err(fault) => Vec::from([fault]),
    }
}

/// Every fault of these octets as the TBSCertificate of a link certificate.
#[must_use]
pub fn link(tbs: &[u8], expected: &ExpectedLink) -> Vec<Fault> {
    match reading::certificate(tbs) {
        Ok(certificate) => issued::link(&certificate, expected),
        Err(fault) => Vec::from([fault]),
    }
}

/// Every fault of these octets as the TBSCertificate of a Document Signer.
#[must_use]
pub fn ds(tbs: &[u8], expected: &ExpectedDs) -> Vec<Fault> {
    match reading::certificate(tbs) {
        Ok(certificate) => issued::ds(&certificate, expected),
        Err(fault) => Vec::from([fault]),
    }
}

/// Every fault of these octets as a TBSCertList; none, if it keeps every rule.
#[must_use]
pub fn crl(tbs: &[u8], expected: &ExpectedCrl) -> Vec<Fault> {
    match reading::crl(tbs) {
        Ok(crl) => crl::faults(&crl, expected),
        Err(fault) => Vec::from([fault]),
    }
}

/// Every rule that is judged here: id, clause, what it asks.
pub const RULES: &[(RuleId, &str, &str)] = &[
    (
        RuleId::P_DER,
        "RFC 5280 4.1, X.690 10, 11",
        "the structure and its extensions are DER and nothing follows",
    ),
    (RuleId::R_V3, "CP/CPS 7.1.1", "a certificate is version 3"),
    (
        RuleId::R_SERIAL,
        "CP/CPS 7.1.2.1, RFC 5280 4.1.2.2",
        "a serial number is positive, of 20 octets, from 2^152 up",
    ),
    (
        RuleId::R_ALG,
        "CP/CPS 6.1.5.1, 7.1.3, RFC 5758 3.2, RFC 5480 2",
        "key and signature algorithm are those of the curve",
    ),
    (
        RuleId::R_DN,
        "CP/CPS 3.1.1, 7.1.4",
        "names are C, O, CN, in this order, one each, none empty",
    ),
    (RuleId::R_DN_FIXED, "CP/CPS 3.1.2, 7.1.4", "the subject is the CA's Name, octet for octet"),
    (
        RuleId::R_ROOT,
        "CP/CPS 7.1.2.1, 6.3.2",
        "a root is valid from its day of issue for 5 years 4 months",
    ),
    (
        RuleId::R_LINK,
        "CP/CPS 7.1.2.2, RFC 4210 4.4.1",
        "a link is of one root key under the other, from the certified key's day to the old root's end",
    ),
    (
        RuleId::R_DS,
        "CP/CPS 4.3.1, 6.1.3, 6.3.2",
        "a DS certificate has the key of its request and the planned dates, and ends not after the root",
    ),
    (
        RuleId::R_DS_NOT_CA,
        "CP/CPS 1.4.1 (3), 1.6",
        "a DS certificate is no CA's: no basicConstraints",
    ),
    (RuleId::R_NO_POLICY_EXT, "CP/CPS 7.1.6", "no certificatePolicies"),
    (
        RuleId::R_NO_CONSTRAINT_EXT,
        "CP/CPS 7.1.5, 7.1.7",
        "no nameConstraints, no policyConstraints",
    ),
    (RuleId::R_NO_OCSP, "CP/CPS 4.9.9, 7.3", "no pointer to OCSP, no use for OCSP"),
    (
        RuleId::R_CERT_KINDS,
        "CP/CPS 1.3.1, 1.4.1",
        "a root names no other use by an extended key usage",
    ),
    (
        RuleId::R_CRL,
        "CP/CPS 7.2.1, 7.2.2",
        "a CRL is version 2, with the dates and the number asked for",
    ),
    (
        RuleId::R_CRL_COVER,
        "CP/CPS 4.9.7",
        "a CRL holds every revoked certificate that has not expired, and no other",
    ),
    (RuleId::R_NO_UNREVOKE, "CP/CPS 4.9.5, 4.9.13", "no certificateHold, no removeFromCRL"),
    (
        RuleId::I_COUNTRY,
        "ISO 18013-5 B.1.2",
        "one country, a PrintableString of two capitals, the issuing country",
    ),
    (
        RuleId::I_ROOT_SKI,
        "ISO 18013-5 B.1.2, RFC 5280 4.2.1.2 (1)",
        "subjectKeyIdentifier: SHA-1 of the key, not critical",
    ),
    (
        RuleId::I_ROOT_KEY_USAGE,
        "ISO 18013-5 B.1.2",
        "keyUsage: exactly keyCertSign and cRLSign, critical",
    ),
    (
        RuleId::I_ROOT_BASIC_CONSTRAINTS,
        "ISO 18013-5 B.1.2",
        "basicConstraints: cA, pathLenConstraint 0, critical",
    ),
    (
        RuleId::I_ROOT_IAN,
        "ISO 18013-5 B.1.2",
        "issuerAltName: the URI of the policy alone, not critical",
    ),
    (
        RuleId::I_ROOT_CDP,
        "ISO 18013-5:2021 B.1.2",
        "cRLDistributionPoints: one, by the URI of this key's CRL alone",
    ),
    (RuleId::I_ROOT_EXT, "ISO 18013-5 B.1.1, B.1.2", "no other extension"),
    (
        RuleId::I_AKI,
        "ISO 18013-5 B.1.4, RFC 5280 4.2.1.1",
        "authorityKeyIdentifier: the signing key's identifier alone, not critical",
    ),
    (RuleId::I_DS_KEY_USAGE, "ISO 18013-5 B.1.4", "keyUsage: digitalSignature alone, critical"),
    (
        RuleId::I_DS_EKU,
        "ISO 18013-5 B.1.4 (D15)",
        "extKeyUsage: the one purpose of the policy, critical",
    ),
    (RuleId::I_DS_VALIDITY, "ISO 18013-5 B.1.4", "at most 457 days"),
    (RuleId::I_DS_EXT, "ISO 18013-5 B.1.1, B.1.4", "no other extension"),
    (RuleId::I_ROOT_VALIDITY, "ISO 18013-5 B.1.2", "at most 20 years"),
    (
        RuleId::I_CRL_EXT,
        "ISO 18013-5 B.1",
        "exactly authorityKeyIdentifier and cRLNumber, not critical",
    ),
    (
        RuleId::I_CRL_ENTRY_EXT,
        "ISO 18013-5 B.1, CP/CPS 7.2.2 (D2)",
        "entry extensions as the policy says: a reason or none",
    ),
    (
        RuleId::I_CRL_NEXT_UPDATE,
        "ISO 18013-5 B.1",
        "nextUpdate stands, after thisUpdate, at most 90 days",
    ),
    (
        RuleId::P_TIME_FORM,
        "RFC 5280 4.1.2.5, 5.1.2.4",
        "UTCTime through 2049, GeneralizedTime from 2050",
    ),
    (RuleId::P_ISSUER, "RFC 5280 4.1.2.4, 5.1.2.3", "the issuer is the CA's Name, octet for octet"),
    (RuleId::P_NAME_STRING, "RFC 5280 4.1.2.4", "O and CN are UTF8String or PrintableString"),
    (RuleId::P_NAME_LENGTH, "RFC 5280 A.1", "O and CN have at most 64 characters"),
    (RuleId::P_UNIQUE_ID, "RFC 5280 4.1.2.8", "no issuerUniqueID, no subjectUniqueID"),
    (RuleId::P_EXT_UNIQUE, "RFC 5280 4.2", "no extension stands twice"),
    (RuleId::P_URI, "RFC 5280 4.2.1.6, RFC 3986", "URIs are absolute, http or https, with a host"),
    (RuleId::P_CRL_EMPTY, "RFC 5280 5.1.2.6", "revokedCertificates is absent when there is none"),
    (RuleId::P_CRL_DATES, "RFC 5280 5.1.2.6", "nothing was revoked after thisUpdate"),
    (RuleId::P_CRL_ONCE, "RFC 5280 5.3", "a serial number stands once"),
    (
        RuleId::P_CRL_KEY,
        "RFC 5280 5.2.1",
        "authorityKeyIdentifier names the signing key, by its identifier alone",
    ),
    (RuleId::P_CRL_NUMBER, "RFC 5280 5.2.3", "a CRL number has at most 20 octets"),
    (
        RuleId::P_REASON,
        "RFC 5280 5.3.1 (D20)",
        "a reason is one of those of the CP/CPS; unspecified is left out",
    ),
];
