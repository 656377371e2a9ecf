//! The rules of certificates that one root key issues over another key: links, and Document Signer
//! certificates. What they share with a root is judged by the root's functions.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use der::Encode as _;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, ExtendedKeyUsage, KeyUsage};

use super::certificate::{
    Kind, algorithm, basic_constraints, country, distribution_points, forbidden, issuer,
    issuer_alt_name, key_usage, name_lengths, name_strings, names, public_key, serial, subject,
    subject_key_identifier, unique_identifiers, uris, version,
};
use super::reading::{
    AUTHORITY_KEY_IDENTIFIER, Certificate, EXTENDED_KEY_USAGE, Judgement, KEY_USAGE, extension,
    instant, once_each, rule, shown, time_form,
};
use super::{ExpectedDs, ExpectedLink};
use crate::fault::Fault;
use crate::hex;
use crate::rule::RuleId;

/// Every rule of a link certificate.
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
        key_usage(certificate),
        basic_constraints(certificate),
        issuer_alt_name(certificate, &expected.issuer_alt_name),
        distribution_points(certificate, &expected.crl_url),
    ];
    all(certificate, judgements, Kind::Link)
}

/// Every rule of a Document Signer certificate.
pub(super) fn ds(certificate: &Certificate, expected: &ExpectedDs) -> Vec<Fault> {
    let judgements = [
        algorithm(certificate, expected.issuer_curve),
        ds_key(certificate, expected),
        country(certificate, &expected.country),
        issuer(certificate.issuer(), &expected.ca),
        subject(certificate, &expected.subject),
        ds_validity(certificate, expected),
        ds_days(certificate, expected),
        authority_key_identifier(certificate, &expected.issuer_key),
        ds_key_usage(certificate),
        purpose(certificate, expected),
        issuer_alt_name(certificate, &expected.issuer_alt_name),
        distribution_points(certificate, &expected.crl_url),
    ];
    all(certificate, judgements, Kind::Ds)
}

/// With the rules that every certificate keeps.
fn all<const N: usize>(
    certificate: &Certificate,
    judgements: [Judgement; N],
    kind: Kind,
) -> Vec<Fault> {
    let validity = certificate.validity();
    let common = [
        version(certificate),
        serial(certificate),
        names(certificate),
        name_strings(certificate),
        name_lengths(certificate),
        time_form([validity.not_before, validity.not_after].into_iter()),
        unique_identifiers(certificate),
        once_each(certificate.extensions()),
        subject_key_identifier(certificate),
        uris(certificate),
    ];
    let judged = common.into_iter().chain(judgements).filter_map(Result::err);
    judged.chain(forbidden(certificate, kind)).collect()
}

fn link_key(certificate: &Certificate, expected: &ExpectedLink) -> Judgement {
    use sha1::{Digest as _, Sha1};
    let key = certificate.subject_public_key_info().subject_public_key.raw_bytes();
    let found = Sha1::digest(key);
    let asked = format!("the root key {}", hex::encode(&expected.subject_key));
    rule(RuleId::R_LINK, found[..] == expected.subject_key, &asked, || hex::encode(&found))
}

fn link_validity(certificate: &Certificate, expected: &ExpectedLink) -> Judgement {
    let validity = certificate.validity();
    let holds = instant(validity.not_before) == Some(expected.not_before)
        && instant(validity.not_after) == Some(expected.not_after);
    let asked = format!("{} to {}", expected.not_before, expected.not_after);
    rule(RuleId::R_LINK, holds, &asked, || {
        format!("{} to {}", shown(Some(validity.not_before)), shown(Some(validity.not_after)))
    })
}

fn ds_key(certificate: &Certificate, expected: &ExpectedDs) -> Judgement {
    let found = certificate.subject_public_key_info().to_der().unwrap_or_default();
    let asked = hex::encode(&expected.public_key);
    rule(RuleId::R_DS, found == expected.public_key, &asked, || hex::encode(&found))
}

fn ds_validity(certificate: &Certificate, expected: &ExpectedDs) -> Judgement {
    let validity = certificate.validity();
    let last = instant(validity.not_after);
    let holds = instant(validity.not_before) == Some(expected.not_before)
        && last.is_some_and(|last| last > expected.not_before && last <= expected.root_ends);
    let asked = format!("from {} to {} at the latest", expected.not_before, expected.root_ends);
    rule(RuleId::R_DS, holds, &asked, || {
        format!("{} to {}", shown(Some(validity.not_before)), shown(Some(validity.not_after)))
    })
}

fn ds_days(certificate: &Certificate, expected: &ExpectedDs) -> Judgement {
    let validity = certificate.validity();
    // RFC 5280 4.1.2.5: the last second is inside.
    let end = expected.not_before.plus_seconds(i64::from(expected.max_days) * 86_400 - 1);
    let holds = instant(validity.not_after).is_some_and(|last| last <= end);
    let asked = format!("at most {} days, to {end}", expected.max_days);
    rule(RuleId::I_DS_VALIDITY, holds, &asked, || shown(Some(validity.not_after)))
}

fn authority_key_identifier(certificate: &Certificate, asked: &[u8; 20]) -> Judgement {
    let kind = (RuleId::I_AKI, AUTHORITY_KEY_IDENTIFIER, false);
    let asked = hex::encode(asked);
    let found: AuthorityKeyIdentifier = extension(certificate.extensions(), kind, &asked)?;
    let key = found.key_identifier.as_ref().map(|key| hex::encode(key.as_bytes()));
    let alone =
        found.authority_cert_issuer.is_none() && found.authority_cert_serial_number.is_none();
    let holds = alone && key.as_ref() == Some(&asked);
    rule(RuleId::I_AKI, holds, &asked, || format!("{found:?}"))
}

fn ds_key_usage(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_DS_KEY_USAGE, KEY_USAGE, true);
    let asked = "digitalSignature alone, critical";
    let found: KeyUsage = extension(certificate.extensions(), kind, asked)?;
    let holds = found.digital_signature() && found.0.into_iter().count() == 1;
    rule(RuleId::I_DS_KEY_USAGE, holds, asked, || {
        found.0.into_iter().map(|bit| format!("{bit:?}")).collect::<Vec<_>>().join(" ")
    })
}

fn purpose(certificate: &Certificate, expected: &ExpectedDs) -> Judgement {
    let kind = (RuleId::I_DS_EKU, EXTENDED_KEY_USAGE, true);
    let asked = format!("{} alone, critical", expected.purpose);
    let found: ExtendedKeyUsage = extension(certificate.extensions(), kind, &asked)?;
    let found: Vec<_> = found.0.iter().map(|oid| oid.to_string()).collect();
    rule(RuleId::I_DS_EKU, found == [expected.purpose.as_str()], &asked, || found.join(", "))
}
