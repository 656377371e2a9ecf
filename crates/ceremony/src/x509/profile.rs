//! The profiles of this CA's certificates and CRLs, each stated once, clause by clause.
//!
//! Read it beside RFC 5280, ISO/IEC 18013-5 Annex B and chapter 7 of the CP/CPS. A clause that adds
//! no field is here too, as a comment where the field would be. The same functions serve rehearsal,
//! run and verification, and the P-256 test chains.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;

use super::address::IssuerAltName;
use super::certificate::{SubjectKey, ToBeSignedCertificate};
use super::crl::ToBeSignedCrl;
use super::extension::{Extension, KeyUse};
use super::name::DirectoryName;
use super::revocation::Revoked;
use crate::key::{Curve, SignerKey};
use crate::name::Name;
use crate::time::{CalendarSpan, Instant, TimeError};

/// The values of plan and policy for a self-signed root certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The plan's name of the certificate.
    pub name: Name,
    /// The CA's Name, the same for all generations.
    pub ca: DirectoryName,
    /// The root key, which is certified and signs.
    pub key: Name,
    /// The curve of the root key.
    pub curve: Curve,
    /// The day of issue (CP/CPS 7.1.2.1).
    pub not_before: Instant,
    /// How long it is valid (CP/CPS 6.3.2).
    pub validity: CalendarSpan,
    /// Where the issuer can be found.
    pub issuer_alt_name: IssuerAltName,
    /// Where the CRL of this key is published.
    pub crl_urls: Vec<String>,
    /// Whether it names its own key as the signing one, too.
    pub authority_key_identifier: bool,
}

/// The values of plan, policy and ledger for a link certificate (CP/CPS 7.1.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The plan's name of the certificate.
    pub name: Name,
    /// The CA's Name, the same for all generations.
    pub ca: DirectoryName,
    /// The root key that is certified.
    pub key: Name,
    /// The root key that signs.
    pub issuer: Name,
    /// The curve of both keys.
    pub curve: Curve,
    /// notBefore of the certified key's root: the day on which it was generated.
    pub not_before: Instant,
    /// notAfter of the old root.
    pub not_after: Instant,
    /// Where the issuer can be found.
    pub issuer_alt_name: IssuerAltName,
    /// Where the CRL of the signing key is published.
    pub crl_urls: Vec<String>,
}

/// The values of plan and policy for a Document Signer certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSigner {
    /// The plan's name of the certificate.
    pub name: Name,
    /// The CA's Name.
    pub ca: DirectoryName,
    /// The Document Signer's name, decided beforehand and never taken from a request (CP/CPS
    /// 3.1.2).
    pub subject: DirectoryName,
    /// The key that the request brought.
    pub public: SignerKey,
    /// The root key that signs.
    pub issuer: Name,
    /// The curve of that key.
    pub issuer_curve: Curve,
    /// The first second of validity.
    pub not_before: Instant,
    /// The last second of validity.
    pub not_after: Instant,
    /// The one extended key usage (ISO 18013-5 B.1.4; D15).
    pub purpose: ObjectIdentifier,
    /// Where the issuer can be found.
    pub issuer_alt_name: IssuerAltName,
    /// Where the CRL of the signing key is published.
    pub crl_urls: Vec<String>,
}

/// The values of plan and policy for one CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    /// The plan's name of the CRL.
    pub name: Name,
    /// The CA's Name, the same for all generations.
    pub ca: DirectoryName,
    /// The root key that signs.
    pub key: Name,
    /// The curve of the root key.
    pub curve: Curve,
    /// When it takes effect.
    pub this_update: Instant,
    /// Until when it may be relied on.
    pub next_update: Instant,
    /// Every revoked certificate that has not expired, of all generations.
    pub revoked: Arc<[Revoked]>,
}

/// Describes the self-signed root certificate (ISO/IEC 18013-5 B.1.2, CP/CPS 7.1).
pub fn root(root: &Root) -> Result<ToBeSignedCertificate, TimeError> {
    // RFC 5280 4.2.1.1: a self-signed certificate may omit authorityKeyIdentifier, and ISO 18013-5
    // B.1.2 does not ask for it; with it, the identifier is that of its own key.
    let own = root.authority_key_identifier;
    let own = own.then(|| Extension::AuthorityKeyIdentifier { key: root.key.clone() });
    // ISO 18013-5 B.1.2, RFC 5280 4.2.1.2 (1): SHA-1 of the public key.
    let identifier = Extension::SubjectKeyIdentifier { key: root.key.clone() };
    let fixed = [
        // ISO 18013-5 B.1.2: exactly keyCertSign and cRLSign, critical. CP/CPS 6.1.7.
        Extension::KeyUsage { uses: BTreeSet::from([KeyUse::CertSign, KeyUse::CrlSign]) },
        // ISO 18013-5 B.1.2: a CA with no CA below it; critical.
        Extension::BasicConstraints { ca: true, path_len: Some(0) },
        // ISO 18013-5 B.1.2: where the issuer can be found.
        Extension::IssuerAltName { names: root.issuer_alt_name.clone() },
        // ISO 18013-5:2021 B.1.2: the addresses of this key's CRL; no reasons, no cRLIssuer.
        Extension::CrlDistributionPoints { urls: root.crl_urls.clone() },
        //
        // CP/CPS 7.1.6: no certificatePolicies. ISO 18013-5 B.1.1: no policyMappings.
        // CP/CPS 7.1.5, 7.1.7: no nameConstraints, no policyConstraints.
        // ISO 18013-5 B.1.1: no inhibitAnyPolicy, no freshestCRL.
        // CP/CPS 4.9.9, 7.3: no OCSP, hence no authorityInfoAccess.
        // ISO 18013-5 B.1.2: no extKeyUsage in a root.
        // CP/CPS 7.1.9: no other critical extension.
        // Nothing here.
    ];
    Ok(ToBeSignedCertificate {
        name: root.name.clone(),

        // CP/CPS 7.1.1: version 3. ISO 18013-5 B.1.2 and CP/CPS 7.1.2.1: a serial number of 20
        // octets. Both are the same in every certificate of this CA and are written by
        // `ToBeSignedCertificate`.

        // CP/CPS 7.1.3, RFC 5758 3.2: ecdsa-with-SHA384 on P-384, ecdsa-with-SHA256 on P-256,
        // parameters absent; it follows from the issuer's curve.
        issuer_key: root.key.clone(),
        issuer_curve: root.curve,

        // ISO 18013-5 B.1.2: issuer and subject are equal, octet for octet. CP/CPS 7.1.4: fixed
        // beforehand.
        issuer: root.ca.clone(),
        subject: root.ca.clone(),

        // CP/CPS 7.1.2.1, 6.3.2: from the day of issue for 5 years 4 months. RFC 5280 4.1.2.5: both
        // ends are included, so notAfter is one second before the span's end. ISO 18013-5 B.1.2: at
        // most 20 years.
        not_before: root.not_before,
        not_after: root.not_before.plus(&root.validity)?.plus_seconds(-1),

        // The policy's curve (CP/CPS 6.1.5.1). ISO 18013-5 B.1.2: a named curve, the point
        // uncompressed.
        subject_key: root.key.clone(),
        subject_public: SubjectKey::Supplied(root.curve),

        // RFC 5280 4.1.2.8: no unique identifiers.
        extensions: [identifier].into_iter().chain(own).chain(fixed).collect(),
    })
}

/// Describes a link certificate (ISO/IEC 18013-5 B.1.3, RFC 4210 4.4, CP/CPS 7.1.2.2).
///
/// Clauses that also hold for the root certificate are not repeated.
#[must_use]
pub fn link(link: &Link) -> ToBeSignedCertificate {
    ToBeSignedCertificate {
        name: link.name.clone(),

        // CP/CPS 7.1.2.2: one root key is certified, the other signs.
        issuer_key: link.issuer.clone(),
        issuer_curve: link.curve,
        subject_key: link.key.clone(),
        subject_public: SubjectKey::Supplied(link.curve),

        // RFC 5280 6.1: the certificate is self-issued, so it does not count towards the path
        // length. RFC 9810 4.4: a change of the CA's name is not a rollover. Both names are the
        // CA's, octet for octet (D5).
        issuer: link.ca.clone(),
        subject: link.ca.clone(),

        // CP/CPS 7.1.2.2: from the day on which the certified key was generated to the end of the
        // old root certificate. RFC 4210 4.4.1 says the same.
        not_before: link.not_before,
        not_after: link.not_after,

        extensions: vec![
            // RFC 5280 4.2.1.2: that of the certified key, as in its root certificate.
            Extension::SubjectKeyIdentifier { key: link.key.clone() },
            // RFC 5280 4.2.1.1: required, because the certificate is not self-signed; keyIdentifier
            // only, because both roots have the same name.
            Extension::AuthorityKeyIdentifier { key: link.issuer.clone() },
            // As in the root.
            Extension::KeyUsage { uses: BTreeSet::from([KeyUse::CertSign, KeyUse::CrlSign]) },
            Extension::BasicConstraints { ca: true, path_len: Some(0) },
            Extension::IssuerAltName { names: link.issuer_alt_name.clone() },
            // CP/CPS 4.9.9, 9.6.1.1: the CRL of the key that signs lists link certificates.
            Extension::CrlDistributionPoints { urls: link.crl_urls.clone() },
            // CP/CPS 7.1.6: no certificatePolicies, and no other extension. Nothing here.
        ],
    }
}

/// Describes a Document Signer certificate (ISO/IEC 18013-5 B.1.4, CP/CPS 1.4.1 (3)).
#[must_use]
pub fn document_signer(ds: &DocumentSigner) -> ToBeSignedCertificate {
    ToBeSignedCertificate {
        name: ds.name.clone(),

        // D16: ecdsa-with-SHA384 wherever the root key signs.
        issuer_key: ds.issuer.clone(),
        issuer_curve: ds.issuer_curve,

        // ISO 18013-5 B.1.4: the issuer is the root's subject, octet for octet; C and CN are
        // present, and C is the root's. CP/CPS 3.1.5: each subscriber has one name.
        issuer: ds.ca.clone(),
        subject: ds.subject.clone(),

        // ISO 18013-5 B.1.4: at most 457 days. CP/CPS 6.3.2: not after the root's notAfter (D42).
        not_before: ds.not_before,
        not_after: ds.not_after,

        // CP/CPS 6.1.2, 6.1.3: the key is the subscriber's, taken from a request; nothing else of
        // the request is used.
        subject_key: ds.name.clone(),
        subject_public: SubjectKey::Requested(ds.public.clone()),

        extensions: vec![
            // ISO 18013-5 B.1.4: both key identifiers.
            Extension::SubjectKeyIdentifier { key: ds.name.clone() },
            Extension::AuthorityKeyIdentifier { key: ds.issuer.clone() },
            // ISO 18013-5 B.1.4: digitalSignature alone, critical. CP/CPS 1.4.1 (3): it signs
            // MSOs.
            Extension::KeyUsage { uses: BTreeSet::from([KeyUse::DigitalSignature]) },
            // ISO 18013-5 B.1.4: one purpose, critical (D15).
            Extension::ExtendedKeyUsage { purpose: ds.purpose },
            // ISO 18013-5 B.1.4: the same as the root's.
            Extension::IssuerAltName { names: ds.issuer_alt_name.clone() },
            // ISO 18013-5 B.1.4: the address of the CRL of the key that signs it.
            Extension::CrlDistributionPoints { urls: ds.crl_urls.clone() },
            // ISO 18013-5 B.1.4, CP/CPS 1.4.1 (3): not a CA, so no basicConstraints. CP/CPS 7.1.6:
            // no certificatePolicies. Nothing here.
        ],
    }
}

/// Describes a CRL (ISO/IEC 18013-5 B.1, CRL profile; CP/CPS 7.2).
#[must_use]
pub fn crl(crl: &Crl) -> ToBeSignedCrl {
    ToBeSignedCrl {
        name: crl.name.clone(),

        // CP/CPS 7.2.1: version 2; the same in every CRL and written by `ToBeSignedCrl`.

        // CP/CPS 7.2.2: the issuer is the CA; ISO 18013-5: the root's subject, octet for octet. The
        // algorithm follows from the curve.
        issuer: crl.ca.clone(),
        issuer_key: crl.key.clone(),
        issuer_curve: crl.curve,

        // CP/CPS 7.2.2: from the day of effect to 3 days after it. RFC 5280 5.1.2.5: nextUpdate is
        // always present. X.509 has no field for the planned release of the next CRL; the batch's
        // table shows it.
        this_update: crl.this_update,
        next_update: crl.next_update,

        // CP/CPS 4.9.7: every revoked certificate that has not expired. RFC 5280 5.1.2.6: absent if
        // there is none. CP/CPS 7.2.2: the reason, if the policy includes it. RFC 5280 5.3.2,
        // 5.3.3: no other entry extension.
        revoked: crl.revoked.clone(),

        extensions: vec![
            // ISO 18013-5, RFC 5280 5.2.1: identifies the key, because generations share a name.
            Extension::AuthorityKeyIdentifier { key: crl.key.clone() },
            // ISO 18013-5, RFC 5280 5.2.3: one increasing sequence for all generations.
            Extension::CrlNumber,
            // ISO 18013-5: further extensions shall not be present: no issuingDistributionPoint,
            // deltaCRLIndicator, freshestCRL, issuerAltName, authorityInfoAccess. Nothing here.
        ],
    }
}
