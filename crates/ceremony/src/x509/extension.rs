//! The extensions that a certificate or CRL of this CA can hold: a closed set.
//!
//! Whether an extension is critical is a property of its kind (RFC 5280 4.2, ISO 18013-5 Annex B),
//! so it cannot be chosen wrongly. **Deliberately absent:** every extension that no profile of ours
//! has.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use der::Encode as _;
use der::asn1::{BitString, Ia5String, ObjectIdentifier, OctetString, Uint};

use super::EncodeError;
use super::encoding::{
    AuthorityKeyIdentifier, BasicConstraints, DistributionPoint, DistributionPointName,
    EncodedExtension, GeneralName,
};
use crate::key::PublicKey;
use crate::name::Name;

/// One extension, with names where the token supplies the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// 4.2.1.2, by method (1).
    SubjectKeyIdentifier {
        /// The subject's key.
        key: Name,
    },
    /// 4.2.1.1 and 5.2.1, by the key alone.
    AuthorityKeyIdentifier {
        /// The issuer's key.
        key: Name,
    },
    /// 4.2.1.3.
    KeyUsage {
        /// What the key may do.
        uses: BTreeSet<KeyUse>,
    },
    /// 4.2.1.12, one purpose.
    ExtendedKeyUsage {
        /// The purpose's object identifier.
        purpose: ObjectIdentifier,
    },
    /// 4.2.1.9.
    BasicConstraints {
        /// Whether the subject is a CA.
        ca: bool,
        /// How many CAs may follow in a path.
        path_len: Option<u8>,
    },
    /// 4.2.1.7, one URI.
    IssuerAltName {
        /// Where the issuer can be found.
        uri: String,
    },
    /// 4.2.1.13, one distribution point with one URI.
    CrlDistributionPoints {
        /// Where the CRL of the issuer's key is published.
        uri: String,
    },
    /// 5.2.3.
    CrlNumber,
}

/// A bit of KeyUsage that a profile of ours has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUse {
    /// digitalSignature (0): signs anything but certificates and CRLs.
    DigitalSignature,
    /// keyCertSign (5): signs certificates.
    CertSign,
    /// cRLSign (6): signs CRLs.
    CrlSign,
}

/// What fills the holes of the extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Supplied<'a> {
    pub(super) keys: &'a BTreeMap<Name, PublicKey>,
    /// The key that a request brought, under its certificate's name.
    pub(super) own: Option<(&'a Name, &'a PublicKey)>,
    pub(super) number: Option<u64>,
}

impl Supplied<'_> {
    pub(super) fn key(&self, name: &Name) -> Result<&PublicKey, EncodeError> {
        if let Some((of, key)) = self.own
            && of == name
        {
            return Ok(key);
        }
        self.keys.get(name).ok_or_else(|| EncodeError::NoKey { key: name.clone() })
    }
}

impl KeyUse {
    /// The bit as RFC 5280 4.2.1.3 names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DigitalSignature => "digitalSignature",
            Self::CertSign => "keyCertSign",
            Self::CrlSign => "cRLSign",
        }
    }

    /// Bit 0 is the first one of the first octet.
    const fn mask(self) -> u8 {
        match self {
            Self::DigitalSignature => 0x80,
            Self::CertSign => 0x80 >> 5,
            Self::CrlSign => 0x80 >> 6,
        }
    }
}

impl Extension {
    /// The extension as RFC 5280 names it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SubjectKeyIdentifier { .. } => "subjectKeyIdentifier",
            Self::AuthorityKeyIdentifier { .. } => "authorityKeyIdentifier",
            Self::KeyUsage { .. } => "keyUsage",
            Self::ExtendedKeyUsage { .. } => "extKeyUsage",
            Self::BasicConstraints { .. } => "basicConstraints",
            Self::IssuerAltName { .. } => "issuerAltName",
            Self::CrlDistributionPoints { .. } => "cRLDistributionPoints",
            Self::CrlNumber => "cRLNumber",
        }
    }

    /// The object identifier.
    #[must_use]
    pub const fn oid(&self) -> ObjectIdentifier {
        match self {
            Self::SubjectKeyIdentifier { .. } => ObjectIdentifier::new_unwrap("2.5.29.14"),
            Self::AuthorityKeyIdentifier { .. } => ObjectIdentifier::new_unwrap("2.5.29.35"),
            Self::KeyUsage { .. } => ObjectIdentifier::new_unwrap("2.5.29.15"),
            Self::ExtendedKeyUsage { .. } => ObjectIdentifier::new_unwrap("2.5.29.37"),
            Self::BasicConstraints { .. } => ObjectIdentifier::new_unwrap("2.5.29.19"),
            Self::IssuerAltName { .. } => ObjectIdentifier::new_unwrap("2.5.29.18"),
            Self::CrlDistributionPoints { .. } => ObjectIdentifier::new_unwrap("2.5.29.31"),
            Self::CrlNumber => ObjectIdentifier::new_unwrap("2.5.29.20"),
        }
    }

    /// Whether a relying party that does not know it must refuse the certificate.
    #[must_use]
    pub const fn critical(&self) -> bool {
        match self {
            // ISO 18013-5 B.1.4: a DS certificate serves this one purpose and no other.
            Self::KeyUsage { .. }
            | Self::ExtendedKeyUsage { .. }
            | Self::BasicConstraints { .. } => true,
            Self::SubjectKeyIdentifier { .. }
            | Self::AuthorityKeyIdentifier { .. }
            | Self::IssuerAltName { .. }
            | Self::CrlDistributionPoints { .. }
            | Self::CrlNumber => false,
        }
    }

    /// One line for the graph; what the token or the ledger supplies stands in it by name, with its
    /// octets.
    #[must_use]
    pub fn line(&self, of: &Name) -> String {
        let critical = if self.critical() { ", critical" } else { "" };
        let value = match self {
            Self::SubjectKeyIdentifier { key } | Self::AuthorityKeyIdentifier { key } => {
                format!("«{key}.ski» (20)")
            }
            Self::KeyUsage { uses } => {
                uses.iter().map(|bit| bit.name()).collect::<Vec<_>>().join(" ")
            }
            Self::ExtendedKeyUsage { purpose } => purpose.to_string(),
            Self::BasicConstraints { ca, path_len } => {
                let ca = if *ca { "cA TRUE" } else { "cA FALSE" };
                let path_len =
                    path_len.map_or_else(String::new, |n| format!(" pathLenConstraint {n}"));
                format!("{ca}{path_len}")
            }
            Self::IssuerAltName { uri } | Self::CrlDistributionPoints { uri } => {
                format!("URI {uri}")
            }
            Self::CrlNumber => format!("«{of}.number»"),
        };
        format!("{}{critical}: {value}", self.name())
    }

    /// The extension with its value in DER.
    pub(super) fn encoded(&self, supplied: Supplied<'_>) -> Result<EncodedExtension, EncodeError> {
        Ok(EncodedExtension {
            extn_id: self.oid(),
            critical: self.critical(),
            extn_value: OctetString::new(self.value(supplied)?)?,
        })
    }

    fn value(&self, supplied: Supplied<'_>) -> Result<Vec<u8>, EncodeError> {
        let identifier = |key| Ok::<_, EncodeError>(supplied.key(key)?.key_identifier().to_vec());
        Ok(match self {
            Self::SubjectKeyIdentifier { key } => OctetString::new(identifier(key)?)?.to_der()?,
            Self::AuthorityKeyIdentifier { key } => {
                let key_identifier = OctetString::new(identifier(key)?)?;
                AuthorityKeyIdentifier { key_identifier }.to_der()?
            }
            Self::KeyUsage { uses } => {
                let octet = uses.iter().fold(0, |octet, bit| octet | bit.mask());
                named_bits(octet)?
            }
            Self::ExtendedKeyUsage { purpose } => vec![*purpose].to_der()?,
            Self::BasicConstraints { ca, path_len } => {
                BasicConstraints { ca: *ca, path_len_constraint: *path_len }.to_der()?
            }
            Self::IssuerAltName { uri } => vec![general_name(uri)?].to_der()?,
            Self::CrlDistributionPoints { uri } => {
                let full_name = DistributionPointName::FullName(vec![general_name(uri)?]);
                vec![DistributionPoint { distribution_point: full_name }].to_der()?
            }
            Self::CrlNumber => {
                let number = supplied.number.ok_or(EncodeError::NoNumber)?;
                Uint::new(&number.to_be_bytes())?.to_der()?
            }
        })
    }
}

/// A named bit list of one octet: DER leaves out the zero bits at its end (X.690 11.2.2).
fn named_bits(octet: u8) -> Result<Vec<u8>, EncodeError> {
    let bits = match u8::try_from(octet.trailing_zeros()) {
        Ok(unused @ 0..8) => BitString::new(unused, vec![octet])?,
        Ok(_) | Err(_) => BitString::new(0, vec![])?,
    };
    Ok(bits.to_der()?)
}

fn general_name(uri: &str) -> Result<GeneralName, EncodeError> {
    let text = Ia5String::new(uri).map_err(|_| EncodeError::Uri { found: uri.to_string() })?;
    Ok(GeneralName::Uri(text))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use super::*;

    fn value(extension: &Extension) -> String {
        let supplied = Supplied { keys: &BTreeMap::new(), own: None, number: Some(0x0001_0080) };
        crate::hex::encode(&extension.value(supplied).unwrap())
    }

    #[test]
    fn the_octets_are_those_of_rfc_5280() {
        let both = BTreeSet::from([KeyUse::CertSign, KeyUse::CrlSign]);
        assert_eq!(value(&Extension::KeyUsage { uses: both }), "03020106");
        assert_eq!(value(&Extension::KeyUsage { uses: BTreeSet::new() }), "030100");
        let constraints = Extension::BasicConstraints { ca: true, path_len: Some(0) };
        assert_eq!(value(&constraints), "30060101ff020100");
        assert_eq!(value(&Extension::CrlNumber), "0203010080");
        let uri = "a:b".to_string();
        assert_eq!(value(&Extension::IssuerAltName { uri: uri.clone() }), "30058603613a62");
        let points = Extension::CrlDistributionPoints { uri };
        assert_eq!(value(&points), "300b3009a007a0058603613a62");
    }

    #[test]
    fn what_cannot_be_encoded_is_refused_with_what_was_found() {
        let supplied = Supplied { keys: &BTreeMap::new(), own: None, number: None };
        let key: Name = "g1".parse().unwrap();
        let error =
            Extension::SubjectKeyIdentifier { key: key.clone() }.value(supplied).unwrap_err();
        assert_eq!(error, EncodeError::NoKey { key });
        assert_eq!(Extension::CrlNumber.value(supplied).unwrap_err(), EncodeError::NoNumber);
        let uri = "https://機構/".to_string();
        let error = Extension::IssuerAltName { uri: uri.clone() }.value(supplied).unwrap_err();
        assert_eq!(error, EncodeError::Uri { found: uri });
    }
}
