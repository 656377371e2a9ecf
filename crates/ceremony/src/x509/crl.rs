//! A CRL to be signed, described before its key exists.
//!
//! The entries of a day are shared by all its CRLs, and are encoded one by one into one buffer, so
//! a list of a million entries needs only its own length of memory. **Invariant:** without entries,
//! the field revokedCertificates is absent (RFC 5280 5.1.2.6). **Deliberately absent:** which
//! certificates a CRL lists; that follows from the ledger.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use der::Encode as _;

use super::certificate::same_curve;
use super::encoding::{AlgorithmIdentifier, Entries, TbsCertList, Time};
use super::extension::{Extension, Supplied};
use super::name::DirectoryName;
use super::revocation::Revoked;
use super::{EncodeError, embedded, signature_algorithm, signature_name};
use crate::key::{Curve, PublicKey};
use crate::name::Name;
use crate::time::Instant;

/// A TBSCertList with named holes for the values that the token supplies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToBeSignedCrl {
    /// The plan's name of the CRL.
    pub name: Name,
    /// The issuer.
    pub issuer: DirectoryName,
    /// The key that signs.
    pub issuer_key: Name,
    /// The curve of that key.
    pub issuer_curve: Curve,
    /// When it takes effect.
    pub this_update: Instant,
    /// Until when it may be relied on.
    pub next_update: Instant,
    /// Every revoked certificate, in the order of the CRL.
    pub revoked: Arc<[Revoked]>,
    /// The extensions of the CRL, in their order.
    pub extensions: Vec<Extension>,
}

impl ToBeSignedCrl {
    /// Returns the DER encoding to be signed.
    ///
    /// # Errors
    ///
    /// [`EncodeError`], if a hole has no value or a field cannot be encoded.
    pub fn to_der(
        &self,
        number: u64,
        keys: &BTreeMap<Name, PublicKey>,
    ) -> Result<Vec<u8>, EncodeError> {
        let supplied = Supplied { keys, own: None, number: Some(number) };
        same_curve(&self.issuer_key, self.issuer_curve, supplied.key(&self.issuer_key)?)?;
        let extensions = self.extensions.iter().map(|extension| extension.encoded(supplied));
        let list = TbsCertList {
            // The value 1 stands for v2.
            version: 1,
            signature: AlgorithmIdentifier { algorithm: signature_algorithm(self.issuer_curve) },
            issuer: embedded(self.issuer.der())?,
            this_update: Time::of(self.this_update)?,
            next_update: Time::of(self.next_update)?,
            // Absent when there is no entry (5.1.2.6).
            revoked_certificates: (!self.revoked.is_empty()).then_some(Entries(&self.revoked)),
            crl_extensions: extensions.collect::<Result<_, _>>()?,
        };
        Ok(list.to_der()?)
    }

    /// Returns the fields as the graph shows them, holes by name.
    ///
    /// Entries are only counted, because the CRL does not know the names of their certificates.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let revoked = match self.revoked.len() {
            0 => "revokedCertificates: absent".into(),
            count => format!("revokedCertificates: {count}"),
        };
        let mut lines = Vec::from([
            "version: v2".into(),
            format!("signature: {} by {}", signature_name(self.issuer_curve), self.issuer_key),
            format!("issuer: {}", self.issuer),
            format!("thisUpdate: {}", self.this_update),
            format!("nextUpdate: {}", self.next_update),
            revoked,
        ]);
        lines.extend(self.extensions.iter().map(|extension| extension.line(&self.name)));
        lines
    }
}
