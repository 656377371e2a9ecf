//! The rules of link certificates and Document Signer certificates.
//!
//! Rules that they share with a root are in the module for roots.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::address::{distribution_points, issuer_alt_name, uris};
use super::certificate::{
    Kind, algorithm, authority_key_identifier, country, forbidden, issuer, names, public_key,
    serial, subject,
};
use super::reading::{
    BASIC_CONSTRAINTS, Certificate, EXTENDED_KEY_USAGE, Judgement, KEY_USAGE, extension, instant,
    oid, period, rule, shown,
};
use super::{ExpectedDs, ExpectedLink, words};
use crate::fault::Fault;
use crate::hex;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::time::Offset;

/// The longest validity of a Document Signer in days (ISO/IEC 18013-5 B.1.4).
const SIGNER_DAYS: u32 = 457;

/// Judges a link certificate by every rule of its CA.
pub(super) fn link(certificate: &Certificate, expected: &ExpectedLink) -> Vec<Fault> {
    let judgements = [
        algorithm(certificate, expected.curve),
        public_key(certificate, expected.curve),
        country(certificate, &expected.country),
        issuer(certificate.issuer(), &expected.ca),
        subject(certificate, &expected.ca),
        link_key(certificate, expected),
        link_validity(certificate, expected),
        authority_key_identifier(certificate, &expected.issuer_key),
        issuer_alt_name(certificate, &expected.issuer_alt_name),
        distribution_points(certificate, &expected.crl_urls),
    ];
    all(certificate, judgements, Kind::Link)
}

/// Judges a Document Signer certificate by every rule of its CA.
pub(super) fn ds(certificate: &Certificate, expected: &ExpectedDs) -> Vec<Fault> {
    let judgements = [
        algorithm(certificate, expected.issuer_curve),
        ds_key(certificate, expected),
        country(certificate, &expected.country),
        issuer(certificate.issuer(), &expected.ca),
        subject(certificate, &expected.subject),
        ds_validity(certificate, expected),
        ds_days(certificate, expected.max_days, expected.not_before.offset()),
        authority_key_identifier(certificate, &expected.issuer_key),
        purpose_of(certificate, &expected.purpose),
        issuer_alt_name(certificate, &expected.issuer_alt_name),
        distribution_points(certificate, &expected.crl_urls),
    ];
    all(certificate, judgements, Kind::Ds)
}

/// Adds the CA's rules that are common to all certificates, and returns every fault.
fn all<const N: usize>(
    certificate: &Certificate,
    judgements: [Judgement; N],
    kind: Kind,
) -> Vec<Fault> {
    let common = [serial(certificate), names(certificate), uris(certificate)];
    let judged = common.into_iter().chain(judgements).filter_map(Result::err);
    judged.chain(forbidden(certificate, kind)).collect()
}

fn link_key(certificate: &Certificate, expected: &ExpectedLink) -> Judgement {
    use sha1::{Digest as _, Sha1};
    let key = certificate.subject_public_key_info().subject_public_key.raw_bytes();
    let found = Sha1::digest(key);
    let asked = || says!("ルート鍵 {}", "the root key {}", hex::encode(&expected.subject_key));
    let holds = found[..] == expected.subject_key;
    rule(RuleId::R_LINK, holds, asked, || Bilingual::plain(hex::encode(&found)))
}

fn link_validity(certificate: &Certificate, expected: &ExpectedLink) -> Judgement {
    let validity = certificate.validity();
    let offset = expected.not_before.offset();
    let holds = instant(validity.not_before, offset) == Some(expected.not_before)
        && instant(validity.not_after, offset) == Some(expected.not_after);
    let (first, last) = (expected.not_before, expected.not_after);
    let asked = || says!("{first} から {last} まで", "{first} to {last}");
    let found = || period(validity.not_before, validity.not_after, offset);
    rule(RuleId::R_LINK, holds, asked, found)
}

fn ds_key(certificate: &Certificate, expected: &ExpectedDs) -> Judgement {
    let found = certificate.subject_public_key_info().to_der().unwrap_or_default();
    let asked = || Bilingual::plain(hex::encode(&expected.public_key));
    let holds = found == expected.public_key;
    rule(RuleId::R_DS, holds, asked, || Bilingual::plain(hex::encode(&found)))
}

fn ds_validity(certificate: &Certificate, expected: &ExpectedDs) -> Judgement {
    let validity = certificate.validity();
    let offset = expected.not_before.offset();
    let last = instant(validity.not_after, offset);
    let holds = instant(validity.not_before, offset) == Some(expected.not_before)
        && last.is_some_and(|last| last > expected.not_before && last <= expected.root_ends);
    let (first, end) = (expected.not_before, expected.root_ends);
    let asked =
        || says!("{first} から、遅くとも {end} まで", "from {first} to {end} at the latest");
    rule(RuleId::R_DS, holds, asked, || period(validity.not_before, validity.not_after, offset))
}

fn ds_days(certificate: &Certificate, days: u32, offset: Offset) -> Judgement {
    let validity = certificate.validity();
    // RFC 5280 4.1.2.5: the validity period includes notAfter itself.
    let seconds = i64::from(days) * 86_400 - 1;
    let end = instant(validity.not_before, offset).map(|first| first.plus_seconds(seconds));
    let last = instant(validity.not_after, offset);
    let asked = || {
        let end = end.map_or_else(Bilingual::none, Bilingual::plain);
        says!(end; "{days} 日以内({end} まで)", "at most {days} days, to {end}")
    };
    let holds = last.is_some() && end.is_some() && last <= end;
    rule(RuleId::I_DS_VALIDITY, holds, asked, || shown(Some(validity.not_after), offset))
}

pub(super) fn ds_key_usage(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_DS_KEY_USAGE, KEY_USAGE, true);
    let asked = || says!("digitalSignature だけ(critical)", "digitalSignature alone, critical");
    let found: KeyUsage = extension(certificate.extensions(), kind, asked)?;
    let holds = found.digital_signature() && found.0.into_iter().count() == 1;
    rule(RuleId::I_DS_KEY_USAGE, holds, asked, || words::bits(found))
}

/// I-DS-VALIDITY: both ends count, so the last second is one before the same time of the last day.
pub(super) fn ds_validity_of_iso(certificate: &Certificate, offset: Offset) -> Judgement {
    ds_days(certificate, SIGNER_DAYS, offset)
}

/// R-DS-NOT-CA: nothing gives the key to certify.
pub(super) fn signs_nothing(certificate: &Certificate) -> Judgement {
    let all = || certificate.extensions().into_iter().flatten();
    let constraints = all().find(|one| oid(one) == BASIC_CONSTRAINTS);
    let constraints =
        constraints.and_then(|one| BasicConstraints::from_der(one.extn_value.as_bytes()).ok());
    let usage = all().find(|one| oid(one) == KEY_USAGE);
    let usage = usage.and_then(|one| KeyUsage::from_der(one.extn_value.as_bytes()).ok());
    let ca = constraints.is_some_and(|constraints| constraints.ca);
    let signs = usage.as_ref().is_some_and(|usage| usage.key_cert_sign() || usage.crl_sign());
    let asked =
        || says!("cA、keyCertSign、cRLSign のいずれもなし", "no cA, keyCertSign or cRLSign");
    rule(RuleId::R_DS_NOT_CA, !ca && !signs, asked, || {
        let usage = usage.map_or_else(Bilingual::none, words::bits);
        let ca = if ca { "TRUE" } else { "FALSE" };
        says!(usage; "cA {ca}、keyUsage {usage}", "cA {ca}, keyUsage {usage}")
    })
}

/// I-DS-EKU: this purpose and no other.
pub(super) fn purpose_of(certificate: &Certificate, purpose: &str) -> Judgement {
    let kind = (RuleId::I_DS_EKU, EXTENDED_KEY_USAGE, true);
    let asked = || says!("{purpose} だけ(critical)", "{purpose} alone, critical");
    let found: ExtendedKeyUsage = extension(certificate.extensions(), kind, asked)?;
    let found: Vec<_> = found.0.iter().map(|oid| oid.to_string()).collect();
    let holds = found == [purpose];
    rule(RuleId::I_DS_EKU, holds, asked, || Bilingual::plain(found.join(", ")))
}
