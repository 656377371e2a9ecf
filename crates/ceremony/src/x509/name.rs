//! Distinguished names: ordered lists of RDNs with one attribute each.
//!
//! One Name is used, octet for octet, for all generations of a CA, so it has only one encoding
//! (profiles D5). **Invariant:** a [`DirectoryName`] can be encoded, keeps the upper bounds of RFC
//! 5280 A.1, has one country and a common name, and contains no invisible characters.
//! **Deliberately absent:** other attributes, and RDNs with several values.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::asn1::{ObjectIdentifier, PrintableStringRef};
use der::{Encode as _, Tag};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;

use super::encoding;
use crate::certain::Certain as _;
use crate::language::Bilingual;
use crate::says;

/// One RelativeDistinguishedName: an attribute of RFC 5280 A.1 with its value.
///
/// ISO/IEC 18013-5 Annex B names no others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Rdn {
    /// countryName: two capital letters.
    C(String),
    /// stateOrProvinceName.
    #[serde(rename = "ST")]
    St(String),
    /// localityName.
    L(String),
    /// organizationName.
    O(String),
    /// organizationalUnitName.
    #[serde(rename = "OU")]
    Ou(String),
    /// commonName.
    #[serde(rename = "CN")]
    Cn(String),
    /// serialNumber, of the subject and not of the certificate.
    #[serde(rename = "serialNumber")]
    SerialNumber(String),
}

/// A distinguished name: RDNs in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirectoryName {
    rdns: Vec<Rdn>,
    /// The DER encoding, kept because it is in every structure and in every serial number's
    /// derivation.
    der: Vec<u8>,
}

/// Why RDNs cannot form a [`DirectoryName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryNameError {
    /// The country is not an upper-case ISO 3166-1 alpha-2 code (ISO 18013-5 B.1.2).
    #[error("{}", self.said().en)]
    Country {
        /// The text.
        found: String,
    },
    /// There is not exactly one country (ISO 18013-5 B.1.2).
    #[error("{}", self.said().en)]
    Countries {
        /// How many there are.
        found: usize,
    },
    /// There is no common name (ISO 18013-5 B.1.2).
    #[error("{}", self.said().en)]
    NoCommonName,
    /// A text is empty or longer than its upper bound (RFC 5280 A.1).
    #[error("{}", self.said().en)]
    Length {
        /// The attribute's symbol, such as `O`.
        attribute: &'static str,
        /// How many characters it may have.
        most: usize,
        /// How many characters the text has.
        found: usize,
    },
    /// A serial number is no PrintableString (RFC 5280 A.1, X520SerialNumber).
    #[error("{}", self.said().en)]
    NotPrintable {
        /// The text.
        found: String,
    },
    /// A text has a control or format character, or is not in NFC, so people would not read what is
    /// encoded.
    #[error("{}", self.said().en)]
    Unreadable {
        /// The attribute's symbol, such as `O`.
        attribute: &'static str,
        /// The text.
        found: String,
    },
}

impl DirectoryNameError {
    /// Words the error in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        match self {
            Self::Country { found } => says!(
                "国名は大文字 2 文字。あったものは `{}`",
                "a country is two capital letters; found `{}`",
                found.escape_debug()
            ),
            Self::Countries { found } => says!(
                "C はちょうど 1 つ。あったものは {found} 個",
                "a name has exactly one C; found {found}"
            ),
            Self::NoCommonName => says!("CN のない名称", "a name without a CN"),
            Self::Length { attribute, most, found } => says!(
                "{attribute} は 1 から {most} 文字。あったものは {found} 文字",
                "{attribute} is 1 to {most} characters long; found {found}"
            ),
            Self::NotPrintable { found } => says!(
                "serialNumber は PrintableString の文字列。あったものは `{}`",
                "serialNumber has the characters of PrintableString alone; found `{}`",
                found.escape_debug()
            ),
            Self::Unreadable { attribute, found } => says!(
                "{attribute} は制御文字を含まない NFC の文字列。あったものは `{}`",
                "{attribute} is NFC without control characters; found `{}`",
                found.escape_unicode()
            ),
        }
    }
}

impl Rdn {
    /// Returns the attribute's symbol, as plans and readable texts write it.
    #[must_use]
    pub const fn symbol(&self) -> &'static str {
        match self {
            Self::C(_) => "C",
            Self::St(_) => "ST",
            Self::L(_) => "L",
            Self::O(_) => "O",
            Self::Ou(_) => "OU",
            Self::Cn(_) => "CN",
            Self::SerialNumber(_) => "serialNumber",
        }
    }

    /// Returns the attribute's value.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::C(value)
            | Self::St(value)
            | Self::L(value)
            | Self::O(value)
            | Self::Ou(value)
            | Self::Cn(value)
            | Self::SerialNumber(value) => value,
        }
    }

    /// Returns the same attribute with `to` in place of `from` in its value.
    #[must_use]
    pub fn replaced(&self, from: &str, to: &str) -> Self {
        let value = self.value().replace(from, to);
        match self {
            Self::C(_) => Self::C(value),
            Self::St(_) => Self::St(value),
            Self::L(_) => Self::L(value),
            Self::O(_) => Self::O(value),
            Self::Ou(_) => Self::Ou(value),
            Self::Cn(_) => Self::Cn(value),
            Self::SerialNumber(_) => Self::SerialNumber(value),
        }
    }

    /// Returns the attribute's type (RFC 5280 A.1).
    const fn oid(&self) -> ObjectIdentifier {
        match self {
            Self::C(_) => ObjectIdentifier::new_unwrap("2.5.4.6"),
            Self::St(_) => ObjectIdentifier::new_unwrap("2.5.4.8"),
            Self::L(_) => ObjectIdentifier::new_unwrap("2.5.4.7"),
            Self::O(_) => ObjectIdentifier::new_unwrap("2.5.4.10"),
            Self::Ou(_) => ObjectIdentifier::new_unwrap("2.5.4.11"),
            Self::Cn(_) => ObjectIdentifier::new_unwrap("2.5.4.3"),
            Self::SerialNumber(_) => ObjectIdentifier::new_unwrap("2.5.4.5"),
        }
    }

    /// The most characters of the value: ub-state-name, ub-locality-name and so on (RFC 5280 A.1).
    const fn most(&self) -> usize {
        match self {
            Self::C(_) => 2,
            Self::St(_) | Self::L(_) => 128,
            Self::O(_) | Self::Ou(_) | Self::Cn(_) | Self::SerialNumber(_) => 64,
        }
    }

    /// Judges whether the value can stand in this attribute.
    ///
    /// # Errors
    ///
    /// [`DirectoryNameError`], of this attribute alone.
    pub fn judge(&self) -> Result<(), DirectoryNameError> {
        self.fault().map_or(Ok(()), Err)
    }

    /// Returns why the value cannot stand in this attribute.
    fn fault(&self) -> Option<DirectoryNameError> {
        let (attribute, most, text) = (self.symbol(), self.most(), self.value());
        let found = text.chars().count();
        let capitals = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        if let Self::C(_) = self {
            return (!capitals).then(|| DirectoryNameError::Country { found: text.to_owned() });
        }
        if found == 0 || found > most {
            return Some(DirectoryNameError::Length { attribute, most, found });
        }
        if text.chars().any(unseen) || !text.nfc().eq(text.chars()) {
            return Some(DirectoryNameError::Unreadable { attribute, found: text.to_owned() });
        }
        let printable = PrintableStringRef::new(text).is_ok();
        let bare = matches!(self, Self::SerialNumber(_)) && !printable;
        bare.then(|| DirectoryNameError::NotPrintable { found: text.to_owned() })
    }

    /// Encodes a RelativeDistinguishedName: a SET of one attribute.
    ///
    /// C (ISO 18013-5 B.1.2) and serialNumber (RFC 5280 A.1) are PrintableString, the others
    /// UTF8String (RFC 5280 4.1.2.4).
    fn encoded(&self) -> Vec<u8> {
        let value = match self {
            Self::C(text) | Self::SerialNumber(text) => {
                PrintableStringRef::new(text).and_then(|text| text.to_der())
            }
            Self::St(text) | Self::L(text) | Self::O(text) | Self::Ou(text) | Self::Cn(text) => {
                text.to_der()
            }
        };
        let attribute = encoding::sequence(&[
            self.oid().to_der().certain("an object identifier of 3 octets"),
            value.certain("at most 128 characters that were looked at"),
        ]);
        der::asn1::Any::new(Tag::Set, attribute)
            .and_then(|any| any.to_der())
            .certain("an attribute of at most 128 characters")
    }
}

impl DirectoryName {
    /// Makes a name of these RDNs.
    ///
    /// # Errors
    ///
    /// The first [`DirectoryNameError`].
    pub fn new(rdns: &[Rdn]) -> Result<Self, DirectoryNameError> {
        match Self::faults(rdns).into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(Self {
                rdns: rdns.to_vec(),
                der: encoding::sequence(&rdns.iter().map(Rdn::encoded).collect::<Vec<_>>()),
            }),
        }
    }

    /// Returns every reason why these RDNs cannot form a name, with the place in the list of the
    /// one that is wrong, or `None` where it is the list.
    pub(crate) fn faults(rdns: &[Rdn]) -> Vec<(Option<usize>, DirectoryNameError)> {
        let each = rdns.iter().enumerate().filter_map(|(i, rdn)| Some((Some(i), rdn.fault()?)));
        let mut faults: Vec<_> = each.collect();
        let countries = rdns.iter().filter(|rdn| matches!(rdn, Rdn::C(_))).count();
        if countries != 1 {
            faults.push((None, DirectoryNameError::Countries { found: countries }));
        }
        if !rdns.iter().any(|rdn| matches!(rdn, Rdn::Cn(_))) {
            faults.push((None, DirectoryNameError::NoCommonName));
        }
        faults
    }

    /// Returns the RDNs in their order.
    #[must_use]
    pub fn rdns(&self) -> &[Rdn] {
        &self.rdns
    }

    /// Returns countryName.
    #[must_use]
    pub fn country(&self) -> &str {
        let country = self.rdns.iter().find(|rdn| matches!(rdn, Rdn::C(_)));
        country.map_or("", Rdn::value)
    }

    /// Returns Name in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// Whether a character is invisible or changes the order of the visible text.
fn unseen(c: char) -> bool {
    let turning = ['\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{200b}'..='\u{200f}'];
    c.is_control() || matches!(c, '\u{ad}' | '\u{feff}') || turning.iter().any(|r| r.contains(&c))
}

/// Writes RDNs as `C=JP, O=…, CN=…`, with a backslash before a comma or backslash in a value.
pub(crate) fn shown(rdns: &[Rdn]) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,");
    let each = |rdn: &Rdn| alloc::format!("{}={}", rdn.symbol(), escaped(rdn.value()));
    rdns.iter().map(each).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for DirectoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.rdns))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    fn three(country: &str, organization: &str, common_name: &str) -> [Rdn; 3] {
        [Rdn::C(country.into()), Rdn::O(organization.into()), Rdn::Cn(common_name.into())]
    }

    #[test]
    fn the_octets_are_those_of_rfc_5280() {
        let name = DirectoryName::new(&three("JP", "機構", "CA")).unwrap();
        let asked = "302b310b3009060355040613024a50\
                     310f300d060355040a0c06e6a99fe6a78b\
                     310b300906035504030c024341";
        assert_eq!(crate::hex::encode(name.der()), asked);
        assert_eq!(name.to_string(), "C=JP, O=機構, CN=CA");
        let name = DirectoryName::new(&[
            Rdn::C("US".into()),
            Rdn::St("UT".into()),
            Rdn::L("L".into()),
            Rdn::Ou("D".into()),
            Rdn::Cn("CA".into()),
            Rdn::SerialNumber("1".into()),
        ]);
        let asked = "304b310b3009060355040613025553\
                     310b300906035504080c025554\
                     310a300806035504070c014c310a3008060355040b0c0144310b300906035504030c024341\
                     310a30080603550405130131";
        let name = name.unwrap();
        assert_eq!(crate::hex::encode(name.der()), asked);
        assert_eq!(name.to_string(), "C=US, ST=UT, L=L, OU=D, CN=CA, serialNumber=1");
    }

    #[test]
    fn a_name_that_cannot_be_read_as_it_stands_is_refused() {
        let long = "x".repeat(65);
        for (country, organization, common_name) in [
            ("jp", "O", "CN"),
            ("JPN", "O", "CN"),
            ("", "O", "CN"),
            ("JP", "", "CN"),
            ("JP", "O", ""),
            ("JP", &long, "CN"),
            ("JP", "O", &long),
            ("JP", "O\n", "CN"),
            ("JP", "O", "C\u{202e}N"),
            ("JP", "O", "か\u{3099}"),
        ] {
            let name = DirectoryName::new(&three(country, organization, common_name));
            assert!(name.is_err(), "{country} {organization} {common_name}");
        }
        assert!(DirectoryName::new(&three("JP", &"機".repeat(64), "が")).is_ok());
    }

    #[test]
    fn the_bounds_are_those_of_each_attribute() {
        let with = |rdn: Rdn| DirectoryName::new(&[Rdn::C("JP".into()), rdn, Rdn::Cn("A".into())]);
        assert!(with(Rdn::St("s".repeat(128))).is_ok());
        assert!(with(Rdn::L("l".repeat(128))).is_ok());
        assert!(with(Rdn::Ou("u".repeat(64))).is_ok());
        assert!(with(Rdn::SerialNumber("1".repeat(64))).is_ok());
        for (rdn, most, found) in [
            (Rdn::St("s".repeat(129)), 128, 129),
            (Rdn::L("l".repeat(129)), 128, 129),
            (Rdn::Ou("u".repeat(65)), 64, 65),
            (Rdn::SerialNumber("1".repeat(65)), 64, 65),
        ] {
            let attribute = rdn.symbol();
            let error = DirectoryNameError::Length { attribute, most, found };
            assert_eq!(with(rdn).unwrap_err(), error);
        }
        let error = with(Rdn::SerialNumber("no_1".into())).unwrap_err();
        assert_eq!(error, DirectoryNameError::NotPrintable { found: "no_1".into() });
    }

    #[test]
    fn a_name_has_one_country_and_a_common_name() {
        let (c, cn) = (|| Rdn::C("JP".into()), || Rdn::Cn("CA".into()));
        let none = DirectoryName::new(&[]).unwrap_err();
        assert_eq!(none, DirectoryNameError::Countries { found: 0 });
        let twice = DirectoryName::new(&[c(), c(), cn()]).unwrap_err();
        assert_eq!(twice, DirectoryNameError::Countries { found: 2 });
        let nameless = DirectoryName::new(&[c()]).unwrap_err();
        assert_eq!(nameless, DirectoryNameError::NoCommonName);
        assert!(DirectoryName::new(&[cn(), c()]).is_ok(), "the order is the policy's");
    }

    #[test]
    fn commas_do_not_make_two_names_look_alike() {
        let one = DirectoryName::new(&three("JP", "A, CN=B", "C")).unwrap();
        assert_eq!(one.to_string(), "C=JP, O=A\\, CN=B, CN=C");
    }
}
