//! The distinguished names of this CA: country, organisation, common name, and nothing else.
//!
//! One Name stands for all generations of a CA, octet for octet, so there is one way to write it
//! (profiles D5).
//! **Invariant:** a [`DirectoryName`] can be encoded, keeps the upper bounds of RFC 5280 A.1, and
//! is read as it stands.
//! **Deliberately absent:** other attributes, names with several values in one RDN.

use crate::certain::Certain as _;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::asn1::{ObjectIdentifier, PrintableStringRef};
use der::{Encode as _, Tag};
use unicode_normalization::UnicodeNormalization as _;

use super::encoding;

/// id-at-countryName (RFC 5280 A.1).
pub(super) const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
/// id-at-organizationName.
pub(super) const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// id-at-commonName.
pub(super) const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// ub-organization-name and ub-common-name (RFC 5280 A.1), in characters.
const UPPER_BOUND: usize = 64;

/// A distinguished name of country, organisation and common name, in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirectoryName {
    country: String,
    organization: String,
    common_name: String,
    /// Encoded once: it stands in every structure, and in every serial number's derivation.
    der: Vec<u8>,
}

/// Why texts make no [`DirectoryName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryNameError {
    /// ISO 18013-5 B.1.2: upper-case ISO 3166-1 alpha-2.
    #[error("a country is two capital letters; found `{}`", found.escape_debug())]
    Country {
        /// The text.
        found: String,
    },
    /// RFC 5280 A.1.
    #[error("{attribute} is 1 to 64 characters long; found {found}")]
    Length {
        /// `O` or `CN`.
        attribute: &'static str,
        /// How many characters the text has.
        found: usize,
    },
    /// A control or format character, or a form that is not NFC: what is read is not what is
    /// encoded.
    #[error("{attribute} is NFC without control characters; found `{}`", found.escape_unicode())]
    Unreadable {
        /// `O` or `CN`.
        attribute: &'static str,
        /// The text.
        found: String,
    },
}

impl DirectoryName {
    /// The name of these parts.
    pub fn new(
        country: &str,
        organization: &str,
        common_name: &str,
    ) -> Result<Self, DirectoryNameError> {
        capital_letters(country)?;
        let (organization, common_name) =
            (readable("O", organization)?, readable("CN", common_name)?);
        let printable = PrintableStringRef::new(country).and_then(|text| text.to_der());
        let der = encoding::sequence(&[
            relative(COUNTRY, printable.certain("two capital letters")),
            relative(ORGANIZATION, organization.to_der().certain("at most 64 characters")),
            relative(COMMON_NAME, common_name.to_der().certain("at most 64 characters")),
        ]);
        Ok(Self { country: country.to_owned(), organization, common_name, der })
    }

    /// Every reason why these parts make no name.
    pub(crate) fn faults(
        country: &str,
        organization: &str,
        common_name: &str,
    ) -> Vec<DirectoryNameError> {
        let parts = [
            capital_letters(country).err(),
            readable("O", organization).err(),
            readable("CN", common_name).err(),
        ];
        parts.into_iter().flatten().collect()
    }

    /// countryName.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.country
    }

    /// organizationName.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// commonName.
    #[must_use]
    pub fn common_name(&self) -> &str {
        &self.common_name
    }

    /// Name in DER: C as PrintableString (ISO 18013-5 B.1.2), O and CN as UTF8String (RFC 5280
    /// 4.1.2.4), one attribute in each RDN.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// ISO 18013-5 B.1.2.
fn capital_letters(country: &str) -> Result<(), DirectoryNameError> {
    if country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(DirectoryNameError::Country { found: country.to_owned() })
}

/// RelativeDistinguishedName: a SET of one attribute.
fn relative(kind: ObjectIdentifier, value: Vec<u8>) -> Vec<u8> {
    let attribute =
        encoding::sequence(&[kind.to_der().certain("an object identifier of 3 octets"), value]);
    der::asn1::Any::new(Tag::Set, attribute)
        .and_then(|any| any.to_der())
        .certain("an attribute of at most 64 characters")
}

fn readable(attribute: &'static str, text: &str) -> Result<String, DirectoryNameError> {
    let found = text.chars().count();
    if found == 0 || found > UPPER_BOUND {
        return Err(DirectoryNameError::Length { attribute, found });
    }
    if text.chars().any(unseen) || !text.nfc().eq(text.chars()) {
        return Err(DirectoryNameError::Unreadable { attribute, found: text.to_owned() });
    }
    Ok(text.to_owned())
}

/// Characters that a reader cannot see, or that turn the order of what the reader sees.
fn unseen(c: char) -> bool {
    let turning = ['\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{200b}'..='\u{200f}'];
    c.is_control() || matches!(c, '\u{ad}' | '\u{feff}') || turning.iter().any(|r| r.contains(&c))
}

impl fmt::Display for DirectoryName {
    /// `C=JP, O=…, CN=…`; a comma or backslash of a value is written behind a backslash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace(',', "\\,");
        let (organization, common_name) = (escaped(&self.organization), escaped(&self.common_name));
        write!(f, "C={}, O={organization}, CN={common_name}", self.country)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn the_octets_are_those_of_rfc_5280() {
        let name = DirectoryName::new("JP", "機構", "CA").unwrap();
        let asked = "302b310b3009060355040613024a50\
                     310f300d060355040a0c06e6a99fe6a78b\
                     310b300906035504030c024341";
        assert_eq!(crate::hex::encode(name.der()), asked);
        assert_eq!(name.to_string(), "C=JP, O=機構, CN=CA");
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
            let name = DirectoryName::new(country, organization, common_name);
            assert!(name.is_err(), "{country} {organization} {common_name}");
        }
        assert!(DirectoryName::new("JP", &"機".repeat(64), "が").is_ok());
    }

    #[test]
    fn commas_do_not_make_two_names_look_alike() {
        let one = DirectoryName::new("JP", "A, CN=B", "C").unwrap();
        assert_eq!(one.to_string(), "C=JP, O=A\\, CN=B, CN=C");
    }
}
