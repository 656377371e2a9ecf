//! Reads certificates and CRLs from untrusted sources, strictly.
//!
//! Encoding the decoded structure again must give the same octets. So the part whose signature is
//! verified is exactly the part that is judged.
//!
//! **Invariant:** no extension occurs twice, and every extension whose value is used here is DER.
//! **Deliberately absent:** PEM, and any judgement on the content of a structure.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::AnyRef;
use der::oid::AssociatedOid;
use der::{Decode, Encode, SliceReader};
use spki::SubjectPublicKeyInfoRef;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::crl::CertificateList;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlNumber, CrlReason, KeyUsage, SubjectKeyIdentifier,
};
use x509_cert::time::Time;

use crate::bounds::{CERTIFICATE, ENTRIES, EXTENSIONS, Exceeded};
use crate::fault::Fault;
use crate::key::{Curve, PublicKey};
use crate::language::{Bilingual, Sentence, both};
use crate::rule::RuleId;
use crate::says;
use crate::time::{Instant, Offset};
use crate::x509::judge::{self, same_again, words};
use crate::x509::{readable, subject_public_key_info};

/// The parts of a signed structure that a signature check needs.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The SubjectPublicKeyInfo of the presumed signing key, in DER.
    pub key: &'a [u8],
    /// The outer AlgorithmIdentifier (signatureAlgorithm), in DER.
    pub algorithm: &'a [u8],
    /// The octets that were signed.
    pub octets: &'a [u8],
    /// The signature value.
    pub signature: &'a [u8],
}

/// The algorithms and the signature of a structure, and the octets that were signed.
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

/// A certificate that was read, but not yet judged.
#[derive(Debug)]
pub struct Certificate {
    envelope: Envelope,
    serial: Vec<u8>,
    issuer: Vec<u8>,
    shown_issuer: String,
    subject: Vec<u8>,
    shown: String,
    spki: Vec<u8>,
    validity: (Instant, Instant),
    extensions: Vec<Extension>,
}

/// A CRL that was read, but not yet judged.
#[derive(Debug)]
pub struct Crl {
    envelope: Envelope,
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
    /// Whether it has any extension.
    pub(super) extended: bool,
    /// Whether it has an extension beside a reason code.
    pub(super) detailed: bool,
}

impl Certificate {
    /// Reads a certificate in DER.
    pub(crate) fn read(der: &[u8]) -> Result<Self, Fault> {
        CERTIFICATE.judge(der.len()).map_err(over)?;
        let found: CertificateInner<Raw> = same_again(der, both("電子証明書", "a certificate"))?;
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

    /// The signed octets: the TBSCertificate in DER.
    #[must_use]
    pub fn tbs(&self) -> &[u8] {
        &self.envelope.octets
    }

    /// The subject, written for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The issuer, written for people.
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

    /// The certified key, as SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.spki
    }

    /// notBefore and notAfter: the first and the last second of validity.
    #[must_use]
    pub const fn validity(&self) -> (Instant, Instant) {
        self.validity
    }

    /// The value of the extension with this OID in DER, if it is present.
    #[must_use]
    pub fn extension(&self, oid: &str) -> Option<&[u8]> {
        value_by_text(&self.extensions, oid)
    }

    /// The subjectKeyIdentifier, if the extension is present.
    #[must_use]
    pub fn key_identifier(&self) -> Option<Vec<u8>> {
        value(&self.extensions).map(|SubjectKeyIdentifier(id)| id.as_bytes().to_vec())
    }

    /// Whether the certificate is self-issued: issuer and subject are the same Name (RFC 5280 3.2).
    pub(crate) fn self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// The identifier of the signing key, from authorityKeyIdentifier.
    ///
    /// A self-issued certificate may omit that extension; then it is the certificate's own key
    /// identifier (RFC 5280 4.2.1.1).
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

    pub(crate) fn signed<'a>(&'a self, key: &'a [u8]) -> Signed<'a> {
        self.envelope.signed(key)
    }

    pub(crate) fn one_algorithm(&self) -> bool {
        self.envelope.inner_algorithm == self.envelope.algorithm
    }
}

impl Crl {
    /// Reads a CRL in DER.
    pub(crate) fn read(der: &[u8]) -> Result<Self, Fault> {
        ENTRIES.judge(widest(der).unwrap_or_default()).map_err(over)?;
        let found: CertificateList<Raw> = same_again(der, both("CRL", "a CRL"))?;
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
            // This CA writes no critical entry extension, so none of them can be processed here.
            let critical = extensions.iter().find(|extension| extension.critical);
            entries.push(Entry {
                serial: entry.serial_number.as_bytes().to_vec(),
                date: instant(entry.revocation_date)?,
                reason: value(&extensions),
                critical: critical.map(|extension| extension.extn_id.to_string()),
                extended: !extensions.is_empty(),
                detailed: extensions.iter().any(|one| one.extn_id != CrlReason::OID),
            });
        }
        Ok(Self {
            envelope,
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

    /// The issuer, written for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// thisUpdate and nextUpdate.
    #[must_use]
    pub const fn updates(&self) -> (Instant, Option<Instant>) {
        (self.this_update, self.next_update)
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the CRL has no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of the extension with this OID in DER, if it is present.
    #[must_use]
    pub fn extension(&self, oid: &str) -> Option<&[u8]> {
        value_by_text(&self.extensions, oid)
    }

    /// The CRL number in decimal and hexadecimal digits.
    #[must_use]
    pub fn number(&self) -> Option<String> {
        self.number_octets().map(|octets| words::number(&octets))
    }

    /// The serial number of an entry that says more than a reason code.
    pub(crate) fn detailed(&self) -> Option<&[u8]> {
        let found = self.entries.iter().find(|entry| entry.detailed)?;
        Some(&found.serial)
    }

    /// Whether an entry has this serial number.
    pub(crate) fn lists(&self, serial: &[u8]) -> bool {
        self.entries.iter().any(|entry| entry.serial == serial)
    }

    pub(crate) fn number_octets(&self) -> Option<Vec<u8>> {
        value(&self.extensions).map(|CrlNumber(number)| number.as_bytes().to_vec())
    }

    /// The signed octets: the TBSCertList in DER.
    pub(super) fn tbs(&self) -> &[u8] {
        &self.envelope.octets
    }

    /// The identifier of the signing key, from authorityKeyIdentifier.
    #[must_use]
    pub fn signer_identifier(&self) -> Option<Vec<u8>> {
        authority(&self.extensions)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    pub(crate) fn signed<'a>(&'a self, key: &'a [u8]) -> Signed<'a> {
        self.envelope.signed(key)
    }

    pub(crate) fn one_algorithm(&self) -> bool {
        self.envelope.inner_algorithm == self.envelope.algorithm
    }
}

/// The fault for a structure that exceeds a bound.
fn over(exceeded: Exceeded) -> Fault {
    Fault::new(RuleId::P_DER, exceeded.bound.said(), exceeded.found())
}

/// The number of elements in the longest list of a signed structure. In a CRL, that list is its
/// entries. They are only counted here, not decoded.
fn widest(der: &[u8]) -> Option<usize> {
    let children = |octets| {
        let mut reader = SliceReader::new(octets).ok();
        core::iter::from_fn(move || AnyRef::decode(reader.as_mut()?).ok())
    };
    let signed = children(AnyRef::from_der(der).ok()?.value()).next()?;
    children(signed.value()).map(|list| children(list.value()).count()).max()
}

fn not_der(Sentence { ja, en }: Sentence, found: Bilingual) -> Fault {
    Fault::new(RuleId::P_DER, says!("{ja}(DER)", "{en} in DER"), found)
}

/// The DER of a part. It cannot fail, because the whole structure was already encoded again.
fn octets(part: &impl Encode) -> Vec<u8> {
    part.to_der().unwrap_or_default()
}

fn instant(time: Time) -> Result<Instant, Fault> {
    judge::instant(time, Offset::UTC)
        .ok_or_else(|| not_der(both("時刻", "a time"), Bilingual::plain(time.to_date_time())))
}

/// Checks that no extension occurs twice (RFC 5280 4.2), and that the values used here are DER.
///
/// A critical extension whose content cannot be processed is refused as such (CP/CPS 7.1.9).
fn known_and_once(extensions: &[Extension]) -> Result<(), Fault> {
    EXTENSIONS.judge(extensions.len()).map_err(over)?;
    for (index, extension) in extensions.iter().enumerate() {
        let oid = extension.extn_id;
        if extensions.iter().take(index).any(|other| other.extn_id == oid) {
            let asked = says!("重複のない拡張", "no extension twice");
            return Err(Fault::new(
                RuleId::P_EXT_UNIQUE,
                asked,
                says!("{oid} の重複", "{oid} twice"),
            ));
        }
        let content = judge::known_value(extension);
        let rule = if extension.critical { RuleId::R_VERIFIER } else { RuleId::P_DER };
        let asked = || says!("読み取れる拡張 {oid}", "an extension {oid} that can be read");
        content.map_err(|fault| Fault::new(rule, asked(), fault.found))?;
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

/// The key in a SubjectPublicKeyInfo, if it is encoded as RFC 5480 2 requires.
pub(crate) fn public_key(spki: &[u8]) -> Option<PublicKey> {
    let info = SubjectPublicKeyInfoRef::try_from(spki).ok()?;
    let point = info.subject_public_key.as_bytes()?;
    let keys = [Curve::P256, Curve::P384].map(|curve| PublicKey::from_point(curve, point));
    let written = |key: &PublicKey| subject_public_key_info(key) == spki;
    keys.into_iter().flatten().collect::<Vec<_>>().into_iter().find(written)
}
