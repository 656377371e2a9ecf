//! The extensions that a certificate or CRL of this CA can have: a closed set.
//!
//! Whether an extension is critical is determined by its kind (RFC 5280 4.2, ISO 18013-5 Annex B),
//! so it cannot be chosen wrongly. **Deliberately absent:** every extension that no profile of this
//! CA uses.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use der::Encode as _;
use der::asn1::{BitString, Ia5String, ObjectIdentifier, OctetString, Uint};

use super::EncodeError;
use super::address::{IssuerAltName, shown_urls};
use super::encoding::{
    AuthorityKeyIdentifier, BasicConstraints, DistributionPoint, DistributionPointName,
    EncodedExtension, GeneralName,
};
use crate::key::{PublicKey, SignerKey};
use crate::name::Name;

/// One extension, with named holes for the values that the token supplies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// 4.2.1.2, computed by method (1).
    SubjectKeyIdentifier {
        /// The subject's key.
        key: Name,
    },
    /// 4.2.1.1 and 5.2.1, with keyIdentifier only.
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
        /// The most CA certificates that may follow in a path.
        path_len: Option<u8>,
    },
    /// 4.2.1.7, by URI, by e-mail address, or by both.
    IssuerAltName {
        /// Where the issuer can be found.
        names: IssuerAltName,
    },
    /// 4.2.1.13, one distribution point whose full name is these URIs.
    CrlDistributionPoints {
        /// Where the CRL of the issuer's key is published: the same CRL at each address.
        urls: Vec<String>,
    },
    /// 5.2.3.
    CrlNumber,
}

/// A bit of KeyUsage that a profile of this CA uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUse {
    /// digitalSignature (0): signs anything except certificates and CRLs.
    DigitalSignature,
    /// keyCertSign (5): signs certificates.
    CertSign,
    /// cRLSign (6): signs CRLs.
    CrlSign,
}

/// The values for the holes of the extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Supplied<'a> {
    pub(super) keys: &'a BTreeMap<Name, PublicKey>,
    /// The key that a request brought, with its certificate's name.
    pub(super) own: Option<(&'a Name, &'a SignerKey)>,
    pub(super) number: Option<u64>,
}

impl Supplied<'_> {
    /// The key of the CA with this name.
    pub(super) fn key(&self, name: &Name) -> Result<&PublicKey, EncodeError> {
        self.keys.get(name).ok_or_else(|| EncodeError::NoKey { key: name.clone() })
    }

    /// The identifier of the key with this name.
    fn identifier(&self, name: &Name) -> Result<[u8; 20], EncodeError> {
        match self.own {
            Some((of, key)) if of == name => Ok(key.key_identifier()),
            Some(_) | None => Ok(self.key(name)?.key_identifier()),
        }
    }
}

impl KeyUse {
    /// Returns the bit's name in RFC 5280 4.2.1.3.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DigitalSignature => "digitalSignature",
            Self::CertSign => "keyCertSign",
            Self::CrlSign => "cRLSign",
        }
    }

    /// Returns the bit in its octet, where bit 0 is the most significant one.
    const fn mask(self) -> u8 {
        match self {
            Self::DigitalSignature => 0x80,
            Self::CertSign => 0x80 >> 5,
            Self::CrlSign => 0x80 >> 6,
        }
    }
}

impl Extension {
    /// Returns the extension's name in RFC 5280.
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

    /// Returns the extension's object identifier.
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

    /// Whether the extension is critical: a relying party that does not know it must reject the
    /// certificate.
    #[must_use]
    pub const fn critical(&self) -> bool {
        match self {
            // ISO 18013-5 B.1.4: a DS certificate serves only this purpose.
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

    /// Returns the line for the graph, in which the values that the token or the ledger supplies
    /// are shown by name, with their lengths in octets.
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
            Self::IssuerAltName { names } => names.to_string(),
            Self::CrlDistributionPoints { urls } => shown_urls(urls),
            Self::CrlNumber => format!("«{of}.number»"),
        };
        format!("{}{critical}: {value}", self.name())
    }

    /// Encodes the extension's value in DER.
    pub(super) fn encoded(&self, supplied: Supplied<'_>) -> Result<EncodedExtension, EncodeError> {
        Ok(EncodedExtension {
            extn_id: self.oid(),
            critical: self.critical(),
            extn_value: OctetString::new(self.value(supplied)?)?,
        })
    }

    fn value(&self, supplied: Supplied<'_>) -> Result<Vec<u8>, EncodeError> {
        let identifier = |key| Ok::<_, EncodeError>(supplied.identifier(key)?.to_vec());
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
            Self::IssuerAltName { names } => {
                let uri = names.uri.iter().map(|uri| ascii(uri).map(GeneralName::Uri));
                let email = names.email.iter().map(|text| ascii(text).map(GeneralName::Email));
                uri.chain(email).collect::<Result<Vec<_>, _>>()?.to_der()?
            }
            Self::CrlDistributionPoints { urls } => {
                let uris = urls.iter().map(|url| ascii(url).map(GeneralName::Uri));
                let full_name = DistributionPointName::FullName(uris.collect::<Result<_, _>>()?);
                vec![DistributionPoint { distribution_point: full_name }].to_der()?
            }
            Self::CrlNumber => {
                let number = supplied.number.ok_or(EncodeError::NoNumber)?;
                Uint::new(&number.to_be_bytes())?.to_der()?
            }
        })
    }
}

/// Encodes a named bit list of one octet, without the zero bits at its end (X.690 11.2.2).
fn named_bits(octet: u8) -> Result<Vec<u8>, EncodeError> {
    let bits = match u8::try_from(octet.trailing_zeros()) {
        Ok(unused @ 0..8) => BitString::new(unused, vec![octet])?,
        Ok(_) | Err(_) => BitString::new(0, vec![])?,
    };
    Ok(bits.to_der()?)
}

fn ascii(address: &str) -> Result<Ia5String, EncodeError> {
    Ia5String::new(address).map_err(|_| EncodeError::Uri { found: address.to_string() })
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
        let mut names = IssuerAltName { uri: Some(uri.clone()), email: None };
        assert_eq!(value(&Extension::IssuerAltName { names: names.clone() }), "30058603613a62");
        names.email = Some("c@d".to_string());
        let both = Extension::IssuerAltName { names: names.clone() };
        assert_eq!(value(&both), "300a8603613a628103634064");
        names.uri = None;
        assert_eq!(value(&Extension::IssuerAltName { names }), "30058103634064");
        let points = Extension::CrlDistributionPoints { urls: vec![uri.clone()] };
        assert_eq!(value(&points), "300b3009a007a0058603613a62");
        let points = Extension::CrlDistributionPoints { urls: vec![uri, "c:d".to_string()] };
        assert_eq!(value(&points), "3010300ea00ca00a8603613a628603633a64");
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
        let names = IssuerAltName { uri: Some(uri.clone()), email: None };
        let error = Extension::IssuerAltName { names }.value(supplied).unwrap_err();
        assert_eq!(error, EncodeError::Uri { found: uri });
    }
}
