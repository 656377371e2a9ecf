//! The forms of the certificates and CRLs that are relied on here.
//!
//! A root keeps every rule of its profile; the policy's own words (addresses) are taken as they
//! stand, because a verifier has no policy.
//!
//! **Deliberately absent:** what RFC 5280 asks of every path; that is in [`super::trial`].

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid as _;
use der::{Decode as _, Tagged as _};
use sha1::{Digest as _, Sha1};
use spki::SubjectPublicKeyInfoRef;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, GeneralNames};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, CrlNumber, ExtendedKeyUsage,
    IssuerAltName, KeyUsage, SubjectKeyIdentifier,
};
use x509_cert::name::Name;

use super::Judgement;
use super::reading::public_key;
use super::reading::{Certificate, Crl};
use crate::hex;
use crate::key::Curve;
use crate::rule::RuleId;
use crate::x509::judge;

/// mdlDS (ISO/IEC 18013-5 B.1.4): signs mobile security objects (D15).
const DOCUMENT_SIGNER: &str = "1.0.18013.5.1.2";
/// 5 years and 4 months (CP/CPS 6.3.2, 7.1.2.1).
const ROOT_MONTHS: u16 = 64;
/// ISO/IEC 18013-5 B.1.4.
const SIGNER_DAYS: i64 = 457;

/// A root (CP/CPS 7.1.2.1, ISO/IEC 18013-5 B.1.2): every rule of its profile.
pub(super) fn root(root: &Certificate, judgement: &mut Judgement) {
    let expected = judge::ExpectedRoot {
        ca: root.subject().to_vec(),
        country: country(root.subject()).unwrap_or_default(),
        curve: public_key(root.key()).map_or(Curve::P384, |key| key.curve()),
        not_before: root.validity().0,
        months: ROOT_MONTHS,
        issuer_alt_name: one_uri(&alternative_names(root)).unwrap_or_default(),
        crl_url: distribution_uri(root).unwrap_or_default(),
    };
    let rules =
        judge::RULES.iter().map(|(id, _, _)| *id).filter(|id| id.as_str().starts_with("I-ROOT-"));
    judgement.add(rules, judge::root(root.tbs(), &expected));
}

/// A link certificate (CP/CPS 7.1.2.2, ISO/IEC 18013-5 B.1.3): one key of the CA by another.
pub(super) fn link(link: &Certificate, judgement: &mut Judgement) {
    let asked = "one Name as issuer and subject: self-issued";
    judgement.ask(RuleId::R_LINK, link.self_issued(), asked, || link.shown().to_string());
    let other_key =
        authority_alone(link.extensions()).is_some_and(|id| Some(id) != link.key_identifier());
    let asked = "an authority key identifier of another key, alone";
    judgement.ask(RuleId::R_LINK, other_key, asked, || identifier(link.signer_identifier()));
    let usage = link.key_usage();
    let both = usage.as_ref().is_some_and(|usage| {
        usage.key_cert_sign() && usage.crl_sign() && usage.0.into_iter().count() == 2
    });
    let asked = "keyUsage keyCertSign and cRLSign, critical";
    let holds = both && critical(link, KeyUsage::OID);
    judgement.ask(RuleId::R_LINK, holds, asked, || format!("{usage:?}"));
    let constraints = link.basic_constraints();
    let length = constraints.as_ref().is_some_and(|c| c.ca && c.path_len_constraint == Some(0));
    let asked = "basicConstraints cA TRUE, pathLenConstraint 0, critical";
    let holds = length && critical(link, BasicConstraints::OID);
    judgement.ask(RuleId::R_LINK, holds, asked, || format!("{constraints:?}"));
    subject_key_identifier(link, RuleId::R_LINK, judgement);
    only(link, RuleId::R_LINK, CA_EXTENSIONS, judgement);
}

/// A Document Signer (ISO/IEC 18013-5 B.1.4).
pub(super) fn signer(signer: &Certificate, judgement: &mut Judgement) {
    let usage = signer.key_usage();
    let constraints = signer.basic_constraints();
    let certifies = usage.as_ref().is_some_and(|usage| usage.key_cert_sign() || usage.crl_sign());
    let no_ca = !certifies && constraints.is_none();
    judgement.ask(RuleId::R_DS_NOT_CA, no_ca, "no cA, keyCertSign or cRLSign", || {
        format!("{usage:?} {constraints:?}")
    });
    let only_signs = usage
        .as_ref()
        .is_some_and(|usage| usage.digital_signature() && usage.0.into_iter().count() == 1);
    let holds = only_signs && critical(signer, KeyUsage::OID);
    let asked = "keyUsage digitalSignature alone, critical";
    judgement.ask(RuleId::I_DS_KEY_USAGE, holds, asked, || format!("{usage:?}"));
    let extended = extended_key_usage(signer);
    let holds = extended.as_slice() == [DOCUMENT_SIGNER] && critical(signer, ExtendedKeyUsage::OID);
    let asked = format!("extKeyUsage {DOCUMENT_SIGNER} alone, critical");
    judgement.ask(RuleId::I_DS_EKU, holds, &asked, || extended.join(" "));
    subject_key_identifier(signer, RuleId::I_DS_SKI, judgement);
    let alone = authority_alone(signer.extensions());
    let asked = "an authority key identifier, alone";
    judgement
        .ask(RuleId::I_DS_AKI, alone.is_some(), asked, || identifier(signer.signer_identifier()));
    let names = alternative_names(signer);
    let asked = "an issuerAltName of URIs or addresses, not critical";
    let holds = !names.is_empty() && names.iter().all(reaches);
    judgement.ask(RuleId::I_DS_IAN, holds, asked, || format!("{names:?}"));
    let asked = "one distribution point by a URI alone, not critical";
    let uri = distribution_uri(signer);
    judgement.ask(RuleId::I_DS_CDP, uri.is_some(), asked, || "another, or none".to_string());
    let (first, last) = signer.validity();
    let holds = last <= first.plus_seconds(SIGNER_DAYS * 86_400);
    let asked = format!("at most {SIGNER_DAYS} days");
    judgement.ask(RuleId::I_DS_VALIDITY, holds, &asked, || format!("{first} to {last}"));
    let (own, of_issuer) = (country(signer.subject()), country(signer.issuer()));
    let holds = own.is_some() && own == of_issuer;
    let asked = of_issuer.unwrap_or_default();
    judgement.ask(RuleId::I_COUNTRY, holds, &format!("C={asked}"), || own.unwrap_or_default());
    let holds = algorithm_of_signers(signer.key());
    let asked = "an uncompressed point on P-256, P-384 or P-521";
    judgement.ask(RuleId::I_DS_KEY, holds, asked, || hex::encode(signer.key()));
    only(signer, RuleId::I_DS_EXT, SIGNER_EXTENSIONS, judgement);
}

/// A CRL (ISO/IEC 18013-5 B.1, CP/CPS 7.2).
pub(super) fn crl(crl: &Crl, judgement: &mut Judgement) {
    let mut kinds: Vec<ObjectIdentifier> = crl.extensions().iter().map(|e| e.extn_id).collect();
    kinds.sort();
    let mut asked = [AuthorityKeyIdentifier::OID, CrlNumber::OID];
    asked.sort();
    let quiet = crl.extensions().iter().all(|extension| !extension.critical);
    let found = || kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let asks = "authorityKeyIdentifier and cRLNumber, not critical, nothing else";
    judgement.ask(RuleId::I_CRL_EXT, quiet && kinds == asked, asks, found);
    let alone = authority_alone(crl.extensions());
    let asks = "an authority key identifier, alone";
    judgement.ask(RuleId::P_CRL_KEY, alone.is_some(), asks, || identifier(crl.signer_identifier()));
    let octets = crl.number().map_or(0, |number| number.len() / 2);
    let asks = "a number of at most 20 octets";
    judgement.ask(RuleId::P_CRL_NUMBER, octets <= 20, asks, || format!("{octets} octets"));
    let mut serials: Vec<&[u8]> = crl.entries().iter().map(|e| e.serial.as_slice()).collect();
    serials.sort_unstable();
    let twice = serials.windows(2).find(|pair| pair.first() == pair.last());
    judgement.ask(RuleId::P_CRL_ONCE, twice.is_none(), "each serial number once", || {
        twice.and_then(|pair| pair.first()).map(|serial| hex::encode(serial)).unwrap_or_default()
    });
    let (this, _) = crl.updates();
    let late = crl.entries().iter().find(|entry| entry.date > this);
    judgement.ask(RuleId::P_CRL_DATES, late.is_none(), "no revocation after thisUpdate", || {
        late.map_or_else(String::new, |entry| hex::encode(&entry.serial))
    });
}

const CA_EXTENSIONS: &[ObjectIdentifier] = &[
    SubjectKeyIdentifier::OID,
    AuthorityKeyIdentifier::OID,
    KeyUsage::OID,
    BasicConstraints::OID,
    IssuerAltName::OID,
    CrlDistributionPoints::OID,
];

const SIGNER_EXTENSIONS: &[ObjectIdentifier] = &[
    SubjectKeyIdentifier::OID,
    AuthorityKeyIdentifier::OID,
    KeyUsage::OID,
    ExtendedKeyUsage::OID,
    IssuerAltName::OID,
    CrlDistributionPoints::OID,
];

fn only(
    certificate: &Certificate,
    rule: RuleId,
    known: &[ObjectIdentifier],
    judgement: &mut Judgement,
) {
    let more =
        certificate.extensions().iter().find(|extension| !known.contains(&extension.extn_id));
    judgement.ask(rule, more.is_none(), "no further extension", || {
        more.map_or_else(String::new, |extension| extension.extn_id.to_string())
    });
}

/// RFC 5280 4.2.1.2 (1), not critical.
fn subject_key_identifier(certificate: &Certificate, rule: RuleId, judgement: &mut Judgement) {
    let info = SubjectPublicKeyInfoRef::try_from(certificate.key()).ok();
    let digest = info.map(|info| Sha1::digest(info.subject_public_key.raw_bytes()).to_vec());
    let found = certificate.key_identifier();
    let quiet = !critical(certificate, SubjectKeyIdentifier::OID);
    let holds = quiet && found.is_some() && found == digest;
    let asked = format!("subjectKeyIdentifier {}, not critical", identifier(digest));
    judgement.ask(rule, holds, &asked, || identifier(found));
}

fn critical(certificate: &Certificate, kind: ObjectIdentifier) -> bool {
    let mut extensions = certificate.extensions().iter();
    extensions.any(|extension| extension.extn_id == kind && extension.critical)
}

/// The authority key identifier, if it stands for the key alone and is not critical.
fn authority_alone(extensions: &[Extension]) -> Option<Vec<u8>> {
    let is_it = |one: &&Extension| one.extn_id == AuthorityKeyIdentifier::OID && !one.critical;
    let value = extensions.iter().find(is_it)?.extn_value.as_bytes();
    let found = AuthorityKeyIdentifier::from_der(value).ok()?;
    let alone =
        found.authority_cert_issuer.is_none() && found.authority_cert_serial_number.is_none();
    found.key_identifier.filter(|_| alone).map(|identifier| identifier.as_bytes().to_vec())
}

fn extended_key_usage(certificate: &Certificate) -> Vec<String> {
    let value = certificate.extension(&ExtendedKeyUsage::OID.to_string());
    let found = value.and_then(|value| ExtendedKeyUsage::from_der(value).ok());
    found.map(|uses| uses.0.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn alternative_names(certificate: &Certificate) -> GeneralNames {
    let oid = IssuerAltName::OID;
    let value = certificate.extension(&oid.to_string()).filter(|_| !critical(certificate, oid));
    value.and_then(|value| GeneralNames::from_der(value).ok()).unwrap_or_default()
}

/// The URI of the one distribution point, which has neither reasons nor another issuer.
fn distribution_uri(certificate: &Certificate) -> Option<String> {
    let oid = CrlDistributionPoints::OID;
    let value = certificate.extension(&oid.to_string()).filter(|_| !critical(certificate, oid))?;
    let points = CrlDistributionPoints::from_der(value).ok()?.0;
    match points.as_slice() {
        [point] if point.reasons.is_none() && point.crl_issuer.is_none() => {
            match point.distribution_point.as_ref()? {
                DistributionPointName::FullName(names) => one_uri(names),
                DistributionPointName::NameRelativeToCRLIssuer(_) => None,
            }
        }
        _ => None,
    }
}

fn one_uri(names: &[GeneralName]) -> Option<String> {
    match names {
        [GeneralName::UniformResourceIdentifier(uri)] => Some(uri.as_str().to_string()),
        _ => None,
    }
}

const fn reaches(name: &GeneralName) -> bool {
    matches!(name, GeneralName::UniformResourceIdentifier(_) | GeneralName::Rfc822Name(_))
}

/// The one country of a Name, a PrintableString.
fn country(name: &[u8]) -> Option<String> {
    let name = Name::from_der(name).ok()?;
    let mut found = name.iter().filter(|attribute| attribute.oid.to_string() == "2.5.4.6");
    let (one, more) = (found.next()?, found.next());
    let printable = one.value.tag() == der::Tag::PrintableString && more.is_none();
    let text = core::str::from_utf8(one.value.value()).ok()?;
    printable.then(|| text.to_string())
}

/// Curves that a Document Signer may have. P-521 is not computed with here: its key signs nothing
/// that is judged.
fn algorithm_of_signers(spki: &[u8]) -> bool {
    let on_p521 = || {
        let info = SubjectPublicKeyInfoRef::try_from(spki).ok()?;
        let curve = info.algorithm.parameters_oid().ok()?;
        let point = info.subject_public_key.as_bytes()?;
        let long = point.len() == 133 && point.first() == Some(&4);
        let kind = info.algorithm.oid.to_string() == "1.2.840.10045.2.1";
        Some(long && kind && curve.to_string() == "1.3.132.0.35")
    };
    public_key(spki).is_some() || on_p521() == Some(true)
}

fn identifier(octets: Option<Vec<u8>>) -> String {
    octets.map_or_else(|| "none".to_string(), |octets| hex::encode(&octets))
}
