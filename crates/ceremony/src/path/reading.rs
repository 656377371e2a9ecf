//! Certificates and CRLs that somebody else hands over, read without repairing them.
//!
//! What is signed is taken from the octets themselves: encoding the structure again must give the
//! same octets, so the part that was signed cannot be another one than the part that is judged.
//!
//! **Invariant:** an extension stands once, and one that this module looks into is DER.
//! **Deliberately absent:** PEM, and every judgement on what stands in a structure.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::AnyRef;
use der::oid::AssociatedOid;
use der::{Decode, Encode, SliceReader};
use spki::SubjectPublicKeyInfoRef;
use x509_cert::certificate::{CertificateInner, Raw, Version};
use x509_cert::crl::CertificateList;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlNumber, CrlReason, ExtendedKeyUsage, KeyUsage,
    SubjectKeyIdentifier,
};
use x509_cert::time::Time;

use crate::bounds::{CERTIFICATE, ENTRIES, EXTENSIONS, Exceeded};
use crate::fault::Fault;
use crate::hex;
use crate::key::{Curve, PublicKey};
use crate::rule::RuleId;
use crate::time::Instant;
use crate::x509::{readable, subject_public_key_info};

/// A signed structure taken apart: what a signature check needs.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The SubjectPublicKeyInfo of the key that shall have signed, in DER.
    pub key: &'a [u8],
    /// The AlgorithmIdentifier beside the signature, in DER.
    pub algorithm: &'a [u8],
    /// The octets that were signed.
    pub octets: &'a [u8],
    /// The value of the signature.
    pub signature: &'a [u8],
}

/// Algorithm and signature of a structure, and the octets that were signed.
#[derive(Debug)]
struct Envelope {
    inner_algorithm: Vec<u8>,
    algorithm: Vec<u8>,
    octets: Vec<u8>,
    signature: Vec<u8>,
}

impl Envelope {
    const fn signed<'a>(&'a self, key: &'a [u8]) -> Signed<'a> {
        Signed {
            key,
            algorithm: self.algorithm.as_slice(),
            octets: self.octets.as_slice(),
            signature: self.signature.as_slice(),
        }
    }
}

/// A certificate as it was handed over.
#[derive(Debug)]
pub struct Certificate {
    envelope: Envelope,
    version: Version,
    serial: Vec<u8>,
    issuer: Vec<u8>,
    shown_issuer: String,
    subject: Vec<u8>,
    shown: String,
    spki: Vec<u8>,
    validity: (Instant, Instant),
    extensions: Vec<Extension>,
}

/// A CRL as it was handed over.
#[derive(Debug)]
pub struct Crl {
    envelope: Envelope,
    version: Version,
    issuer: Vec<u8>,
    shown: String,
    this_update: Instant,
    next_update: Option<Instant>,
    extensions: Vec<Extension>,
    entries: Vec<Entry>,
}

/// An entry of a CRL.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) serial: Vec<u8>,
    pub(super) date: Instant,
    pub(super) reason: Option<CrlReason>,
    pub(super) critical: Option<String>,
}

impl Certificate {
    /// Reads a certificate in DER.
    pub(super) fn read(der: &[u8]) -> Result<Self, Fault> {
        CERTIFICATE.judge(der.len()).map_err(over)?;
        let found: CertificateInner<Raw> = same_again(der, "a certificate")?;
        let tbs = found.tbs_certificate();
        let validity = tbs.validity();
        let extensions = tbs.extensions().cloned().unwrap_or_default();
        known_and_once(&extensions)?;
        Ok(Self {
            envelope: Envelope {
                inner_algorithm: octets(tbs.signature()),
                algorithm: octets(found.signature_algorithm()),
                octets: octets(tbs),
                signature: found.signature().as_bytes().unwrap_or_default().to_vec(),
            },
            version: tbs.version(),
            serial: tbs.serial_number().as_bytes().to_vec(),
            issuer: octets(tbs.issuer()),
            shown_issuer: readable::name(tbs.issuer()),
            subject: octets(tbs.subject()),
            shown: readable::name(tbs.subject()),
            spki: octets(tbs.subject_public_key_info()),
            validity: (instant(validity.not_before)?, instant(validity.not_after)?),
            extensions,
        })
    }

    /// The octets that were signed: the TBSCertificate.
    #[must_use]
    pub fn tbs(&self) -> &[u8] {
        &self.envelope.octets
    }

    /// The subject, as people read it.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The issuer, as people read it.
    #[must_use]
    pub fn shown_issuer(&self) -> &str {
        &self.shown_issuer
    }

    /// The serial number's octets.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// The issuer's Name in DER.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// The subject's Name in DER.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    /// The certified key: SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.spki
    }

    /// The first and the last second of validity.
    #[must_use]
    pub const fn validity(&self) -> (Instant, Instant) {
        self.validity
    }

    /// The value of an extension in DER, if it stands.
    #[must_use]
    pub fn extension(&self, oid: &str) -> Option<&[u8]> {
        value_by_text(&self.extensions, oid)
    }

    /// The subject key identifier.
    #[must_use]
    pub fn key_identifier(&self) -> Option<Vec<u8>> {
        value(&self.extensions).map(|SubjectKeyIdentifier(id)| id.as_bytes().to_vec())
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    /// Self-issued (RFC 5280 3.2): issuer and subject are one entity.
    pub(super) fn self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// The identifier of the key that signed: as the certificate says, or, where it is self-issued
    /// and silent, its own key's (RFC 5280 4.2.1.1).
    #[must_use]
    pub fn signer_identifier(&self) -> Option<Vec<u8>> {
        let silent = || if self.self_issued() { self.key_identifier() } else { None };
        authority(&self.extensions).or_else(silent)
    }

    pub(super) fn key_usage(&self) -> Option<KeyUsage> {
        value(&self.extensions)
    }

    pub(super) fn basic_constraints(&self) -> Option<BasicConstraints> {
        value(&self.extensions)
    }

    pub(super) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    pub(super) fn signed<'a>(&'a self, key: &'a [u8]) -> Signed<'a> {
        self.envelope.signed(key)
    }

    pub(super) fn one_algorithm(&self) -> bool {
        self.envelope.inner_algorithm == self.envelope.algorithm
    }
}

impl Crl {
    /// Reads a CRL in DER.
    pub(super) fn read(der: &[u8]) -> Result<Self, Fault> {
        ENTRIES.judge(widest(der).unwrap_or_default()).map_err(over)?;
        let found: CertificateList<Raw> = same_again(der, "a CRL")?;
        let tbs = found.tbs_cert_list;
        let envelope = Envelope {
            inner_algorithm: octets(&tbs.signature),
            algorithm: octets(&found.signature_algorithm),
            octets: octets(&tbs),
            signature: found.signature.as_bytes().unwrap_or_default().to_vec(),
        };
        let extensions = tbs.crl_extensions.unwrap_or_default();
        known_and_once(&extensions)?;
        let mut entries = Vec::new();
        for entry in tbs.revoked_certificates.into_iter().flatten() {
            let extensions = entry.crl_entry_extensions.unwrap_or_default();
            known_and_once(&extensions)?;
            // No entry extension of ours is critical, so none that is can be processed.
            let critical = extensions.iter().find(|extension| extension.critical);
            entries.push(Entry {
                serial: entry.serial_number.as_bytes().to_vec(),
                date: instant(entry.revocation_date)?,
                reason: value(&extensions),
                critical: critical.map(|extension| extension.extn_id.to_string()),
            });
        }
        Ok(Self {
            envelope,
            version: tbs.version,
            issuer: octets(&tbs.issuer),
            shown: readable::name(&tbs.issuer),
            this_update: instant(tbs.this_update)?,
            next_update: tbs.next_update.map(instant).transpose()?,
            extensions,
            entries,
        })
    }

    /// The issuer's Name in DER.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        &self.issuer
    }

    /// The issuer, as people read it.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// When it takes effect, and until when it may be relied on.
    #[must_use]
    pub const fn updates(&self) -> (Instant, Option<Instant>) {
        (self.this_update, self.next_update)
    }

    /// How many certificates it names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of an extension in DER, if it stands.
    #[must_use]
    pub fn extension(&self, oid: &str) -> Option<&[u8]> {
        value_by_text(&self.extensions, oid)
    }

    /// The CRL number as hexadecimal digits.
    #[must_use]
    pub fn number(&self) -> Option<String> {
        value(&self.extensions).map(|CrlNumber(number)| hex::encode(number.as_bytes()))
    }

    /// The identifier of the key that signed, as the CRL says.
    #[must_use]
    pub fn signer_identifier(&self) -> Option<Vec<u8>> {
        authority(&self.extensions)
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    pub(super) fn signed<'a>(&'a self, key: &'a [u8]) -> Signed<'a> {
        self.envelope.signed(key)
    }

    pub(super) fn one_algorithm(&self) -> bool {
        self.envelope.inner_algorithm == self.envelope.algorithm
    }
}

/// More than a structure may have.
fn over(exceeded: Exceeded) -> Fault {
    Fault { rule: RuleId::P_DER, asked: exceeded.bound.to_string(), found: exceeded.found() }
}

/// How many elements the longest list of what was signed has: the entries of a CRL, wherever they
/// stand in it. Nothing is made of them.
fn widest(der: &[u8]) -> Option<usize> {
    let children = |octets| {
        let mut reader = SliceReader::new(octets).ok();
        core::iter::from_fn(move || AnyRef::decode(reader.as_mut()?).ok())
    };
    let signed = children(AnyRef::from_der(der).ok()?.value()).next()?;
    children(signed.value()).map(|list| children(list.value()).count()).max()
}

fn not_der(asked: &str, found: String) -> Fault {
    Fault { rule: RuleId::P_DER, asked: format!("{asked} in DER"), found }
}

fn same_again<'a, T>(octets: &'a [u8], what: &str) -> Result<T, Fault>
where
    T: Decode<'a, Error = der::Error> + Encode,
{
    let value = T::from_der(octets).map_err(|error| not_der(what, error.to_string()))?;
    if value.to_der().is_ok_and(|again| again == octets) {
        return Ok(value);
    }
    let found = "octets that are not what encoding the same value gives";
    Err(not_der(what, found.to_string()))
}

/// DER of a part of a structure that was encoded again as a whole: it cannot fail.
fn octets(part: &impl Encode) -> Vec<u8> {
    part.to_der().unwrap_or_default()
}

fn instant(time: Time) -> Result<Instant, Fault> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
    seconds
        .and_then(|seconds| Instant::from_unix(seconds).ok())
        .ok_or_else(|| not_der("a time", time.to_date_time().to_string()))
}

/// RFC 5280 4.2: no extension stands twice; and the values that are looked into are DER. A critical
/// one whose content cannot be processed is refused for that (CP/CPS 7.1.9).
fn known_and_once(extensions: &[Extension]) -> Result<(), Fault> {
    EXTENSIONS.judge(extensions.len()).map_err(over)?;
    for (index, extension) in extensions.iter().enumerate() {
        let (oid, value) = (extension.extn_id, extension.extn_value.as_bytes());
        if extensions.iter().take(index).any(|other| other.extn_id == oid) {
            let asked = "no extension twice".to_string();
            return Err(Fault { rule: RuleId::P_EXT_UNIQUE, asked, found: format!("{oid} twice") });
        }
        let content = match oid {
            SubjectKeyIdentifier::OID => same_again::<SubjectKeyIdentifier>(value, "it").map(drop),
            AuthorityKeyIdentifier::OID => {
                same_again::<AuthorityKeyIdentifier>(value, "it").map(drop)
            }
            KeyUsage::OID => same_again::<KeyUsage>(value, "it").map(drop),
            BasicConstraints::OID => same_again::<BasicConstraints>(value, "it").map(drop),
            ExtendedKeyUsage::OID => same_again::<ExtendedKeyUsage>(value, "it").map(drop),
            CrlNumber::OID => same_again::<CrlNumber>(value, "it").map(drop),
            CrlReason::OID => same_again::<CrlReason>(value, "it").map(drop),
            _ => Ok(()),
        };
        let rule = if extension.critical { RuleId::R_VERIFIER } else { RuleId::P_DER };
        let asked = || format!("an extension {oid} that can be read");
        content.map_err(|fault| Fault { rule, asked: asked(), found: fault.found })?;
    }
    Ok(())
}

/// The value of an extension whose content [`known_and_once`] has read already.
fn value<'a, T>(extensions: &'a [Extension]) -> Option<T>
where
    T: Decode<'a, Error = der::Error> + AssociatedOid,
{
    let found = extensions.iter().find(|extension| extension.extn_id == T::OID)?;
    T::from_der(found.extn_value.as_bytes()).ok()
}

fn value_by_text<'a>(extensions: &'a [Extension], oid: &str) -> Option<&'a [u8]> {
    let found = extensions.iter().find(|extension| extension.extn_id.to_string() == oid);
    found.map(|extension| extension.extn_value.as_bytes())
}

fn authority(extensions: &[Extension]) -> Option<Vec<u8>> {
    let found: AuthorityKeyIdentifier = value(extensions)?;
    Some(found.key_identifier?.as_bytes().to_vec())
}

/// The key of a SubjectPublicKeyInfo that is written as RFC 5480 2 asks.
pub(super) fn public_key(spki: &[u8]) -> Option<PublicKey> {
    let info = SubjectPublicKeyInfoRef::try_from(spki).ok()?;
    let point = info.subject_public_key.as_bytes()?;
    let keys = [Curve::P256, Curve::P384].map(|curve| PublicKey::from_point(curve, point));
    let written = |key: &PublicKey| subject_public_key_info(key) == spki;
    keys.into_iter().flatten().collect::<Vec<_>>().into_iter().find(written)
}
