//! A certificate to be signed, described before its keys exist.
//!
//! **Invariant:** [`ToBeSignedCertificate::lines`] and [`ToBeSignedCertificate::to_der`] have the
//! same contents; the holes are shown by name in the lines and as octets in DER.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use der::Encode as _;
use der::asn1::Uint;

use super::encoding::{AlgorithmIdentifier, TbsCertificate, Time, Validity};
use super::extension::{Extension, Supplied};
use super::name::DirectoryName;
use super::{
    EncodeError, embedded, signature_algorithm, signature_name, signer_key_info,
    subject_public_key_info,
};
use crate::key::{Curve, PublicKey, SignerKey};
use crate::name::Name;
use crate::time::Instant;

/// Where a certified key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectKey {
    /// The token or the ledger supplies a key of the CA on this curve.
    Supplied(Curve),
    /// A Document Signer's request brought this one.
    Requested(SignerKey),
}

/// A TBSCertificate with named holes for the values that the token or the ledger supplies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToBeSignedCertificate {
    /// The plan's name of the certificate.
    pub name: Name,
    /// The issuer.
    pub issuer: DirectoryName,
    /// The subject.
    pub subject: DirectoryName,
    /// The first second of validity.
    pub not_before: Instant,
    /// The last second of validity.
    pub not_after: Instant,
    /// The key that is certified.
    pub subject_key: Name,
    /// Where that key comes from.
    pub subject_public: SubjectKey,
    /// The key that signs.
    pub issuer_key: Name,
    /// The curve of that key.
    pub issuer_curve: Curve,
    /// The extensions, in their order.
    pub extensions: Vec<Extension>,
}

impl ToBeSignedCertificate {
    /// Returns the DER encoding to be signed.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], if a hole has no value or a field cannot be encoded.
    pub fn to_der(
        &self,
        serial: &[u8; 20],
        keys: &BTreeMap<Name, PublicKey>,
    ) -> Result<Vec<u8>, EncodeError> {
        Ok(self.structure(serial, keys)?.to_der()?)
    }

    pub(super) fn structure(
        &self,
        serial: &[u8; 20],
        keys: &BTreeMap<Name, PublicKey>,
    ) -> Result<TbsCertificate, EncodeError> {
        let name = &self.subject_key;
        let own = match &self.subject_public {
            SubjectKey::Supplied(_) => None,
            SubjectKey::Requested(key) => Some((name, key)),
        };
        let supplied = Supplied { keys, own, number: None };
        let info = match &self.subject_public {
            SubjectKey::Supplied(curve) => {
                let key = supplied.key(name)?;
                same_curve(name, *curve, key)?;
                subject_public_key_info(key)
            }
            SubjectKey::Requested(key) => signer_key_info(key),
        };
        if let Some(issuer) = keys.get(&self.issuer_key) {
            same_curve(&self.issuer_key, self.issuer_curve, issuer)?;
        }
        let extensions = self.extensions.iter().map(|extension| extension.encoded(supplied));
        Ok(TbsCertificate {
            // The value 2 stands for v3.
            version: 2,
            serial_number: Uint::new(serial)?,
            signature: AlgorithmIdentifier { algorithm: signature_algorithm(self.issuer_curve) },
            issuer: embedded(self.issuer.der())?,
            validity: Validity {
                not_before: Time::of(self.not_before)?,
                not_after: Time::of(self.not_after)?,
            },
            subject: embedded(self.subject.der())?,
            subject_public_key_info: embedded(&info)?,
            extensions: extensions.collect::<Result<_, _>>()?,
        })
    }

    /// Returns the fields as the graph shows them, holes by name with their lengths in octets.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::from([
            "version: v3".into(),
            format!("serialNumber: «{}.serial» (20)", self.name),
            format!("signature: {} by {}", signature_name(self.issuer_curve), self.issuer_key),
            format!("issuer: {}", self.issuer),
            format!("notBefore: {}", self.not_before),
            format!("notAfter: {}", self.not_after),
            format!("subject: {}", self.subject),
            match &self.subject_public {
                SubjectKey::Supplied(curve) => format!(
                    "subjectPublicKey: {} «{}.public» ({})",
                    curve.name(),
                    self.subject_key,
                    curve.point_octets()
                ),
                SubjectKey::Requested(key) => format!(
                    "subjectPublicKey: {} {}",
                    key.curve().name(),
                    crate::hex::encode(key.octets())
                ),
            },
        ]);
        lines.extend(self.extensions.iter().map(|extension| extension.line(&self.name)));
        lines
    }
}

pub(super) fn same_curve(name: &Name, asked: Curve, key: &PublicKey) -> Result<(), EncodeError> {
    let found = key.curve();
    if found == asked {
        return Ok(());
    }
    Err(EncodeError::WrongCurve { key: name.clone(), asked, found })
}
