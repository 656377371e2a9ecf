//! The entry of the CA in an LDAP directory, as a value (RFC 4523).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use der::asn1::{AnyRef, ContextSpecific};
use der::{Decode as _, Encode as _, TagMode, TagNumber};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::name::Name;

use super::content::{Item, Link};
use super::due::Due;
use crate::fault::Fault;
use crate::hex::Octets;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::x509::readable;

/// The attributes that publication owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// The root certificates.
    CaCertificate,
    /// The CRL of every key.
    CertificateRevocationList,
    /// The links between two keys.
    CrossCertificatePair,
}

impl Attribute {
    /// Its description in LDAP; all are transferred in binary (RFC 4523 2).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CaCertificate => "cACertificate;binary",
            Self::CertificateRevocationList => "certificateRevocationList;binary",
            Self::CrossCertificatePair => "crossCertificatePair;binary",
        }
    }
}

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// A file.
    Item(&'a Item),
    /// A certificate pair: what was issued to a key, and what that key issued back.
    Pair(Option<&'a Item>, Option<&'a Item>),
}

/// A distinguished name (RFC 4514), and type and value of its first part.
pub type Named = (String, (&'static str, String));

/// One entry, and those above it, the topmost first.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Their names.
    pub names: Vec<Named>,
    /// The values of the last of them.
    pub values: BTreeMap<Attribute, Vec<Value<'a>>>,
}

/// Returns the entry of the CA, which stands under its Name: all that is due, in one entry, so that
/// it is changed by one request or not at all.
///
/// # Errors
/// S-PUBLISH if the CA's Name has an attribute that a directory's core schema does not have.
pub fn directory<'a>(due: &Due<'a>) -> Result<Option<Entry<'a>>, Fault> {
    let Some((_, root, _)) = due.roots.first() else { return Ok(None) };
    let mut values: BTreeMap<Attribute, Vec<Value<'a>>> = BTreeMap::new();
    let valid =
        due.roots.iter().filter(|(_, root, withdrawn)| !withdrawn && root.validity.1 >= due.at);
    values.insert(Attribute::CaCertificate, valid.map(|(item, ..)| Value::Item(item)).collect());
    let crls = due.crls.values().map(|(item, _)| Value::Item(item)).collect();
    values.insert(Attribute::CertificateRevocationList, crls);
    values.insert(Attribute::CrossCertificatePair, pairs(&due.links));
    Ok(Some(Entry { names: names(&root.name)?, values }))
}

/// Each pair of keys once: the links between them.
fn pairs<'a>(links: &[(&'a Item, &'a Link)]) -> Vec<Value<'a>> {
    let mut pairs: BTreeMap<(&Octets, &Octets), [Option<&'a Item>; 2]> = BTreeMap::new();
    for (item, link) in links {
        let (key, place) = match link.signer <= link.key {
            true => ((&link.signer, &link.key), 0),
            false => ((&link.key, &link.signer), 1),
        };
        let pair = pairs.entry(key).or_default();
        if let Some(half) = pair.get_mut(place) {
            *half = Some(item);
        }
    }
    pairs.into_values().map(|[to, by]| Value::Pair(to, by)).collect()
}

/// Encodes a CertificatePair (RFC 4523 2.3): `issuedToThisCA [0]`, `issuedByThisCA [1]`.
///
/// # Errors
/// P-DER if one is not a certificate.
pub fn pair(to: Option<&[u8]>, by: Option<&[u8]>) -> Result<Vec<u8>, Fault> {
    let broken = |error: der::Error| {
        let asked = says!("電子証明書 2 つの組", "a pair of certificates");
        Fault::new(RuleId::P_DER, asked, Bilingual::plain(error))
    };
    let mut content = Vec::new();
    for (number, half) in [(0, to), (1, by)] {
        let Some(octets) = half else { continue };
        let _read = CertificateInner::<Raw>::from_der(octets).map_err(broken)?;
        let value = AnyRef::from_der(octets).map_err(broken)?;
        let tag_number = TagNumber(number);
        let tagged = ContextSpecific { tag_number, tag_mode: TagMode::Explicit, value };
        content.extend(tagged.to_der().map_err(broken)?);
    }
    AnyRef::new(der::Tag::Sequence, &content).and_then(|any| any.to_der()).map_err(broken)
}

fn names(der: &[u8]) -> Result<Vec<Named>, Fault> {
    let refused = |found: Bilingual| {
        let asked =
            says!("C、O、OU、L、ST、CN だけから成る名称", "a Name of C, O, OU, L, ST and CN only");
        Fault::new(RuleId::S_PUBLISH, asked, found)
    };
    let name = Name::from_der(der).map_err(|error| refused(Bilingual::plain(error)))?;
    let mut names = Vec::new();
    let mut above = String::new();
    for attribute in name.iter() {
        let (kind, value) = readable::attribute(attribute);
        let known = ["C", "O", "OU", "L", "ST", "CN"].into_iter().find(|known| *known == kind);
        let kind = known.ok_or_else(|| refused(Bilingual::plain(&kind)))?;
        let comma = if above.is_empty() { "" } else { "," };
        above = format!("{kind}={}{comma}{above}", escaped(&value));
        names.push((above.clone(), (kind, value)));
    }
    Ok(names)
}

/// RFC 4514 2.4.
fn escaped(value: &str) -> String {
    let mut out = String::new();
    let last = value.chars().count().saturating_sub(1);
    for (place, c) in value.chars().enumerate() {
        let edge = (c == ' ' && (place == 0 || place == last)) || (c == '#' && place == 0);
        if edge || "\"+,;<>\\".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
