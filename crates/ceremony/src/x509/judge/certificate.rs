//! The rules of a root certificate, one function each.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::{Any, ObjectIdentifier};
use der::{Decode as _, Encode as _, Tag, Tagged as _};
use sha1::{Digest as _, Sha1};
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, GeneralNames};
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, BasicConstraints, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;

use super::ExpectedRoot;
use super::reading::{
    AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, Certificate,
    EXTENDED_KEY_USAGE, ISSUER_ALT_NAME, Judgement, KEY_USAGE, SUBJECT_KEY_IDENTIFIER, extension,
    instant, oid, once_each, rule, shown, time_form,
};
use crate::fault::Fault;
use crate::hex;
use crate::key::{Curve, PublicKey};
use crate::rule::RuleId;
use crate::time::Instant;
use crate::x509::{named_curve, signature_algorithm};

const COUNTRY: &str = "2.5.4.6";
const ORGANIZATION: &str = "2.5.4.10";
const COMMON_NAME: &str = "2.5.4.3";

/// Every rule of a root certificate.
pub(super) fn faults(certificate: &Certificate, expected: &ExpectedRoot) -> Vec<Fault> {
    let validity = certificate.validity();
    let times = [validity.not_before, validity.not_after];
    let judgements = [
        version(certificate),
        serial(certificate),
        algorithm(certificate, expected.curve),
        public_key(certificate, expected.curve),
        names(certificate),
        name_strings(certificate),
        name_lengths(certificate),
        country(certificate, &expected.country),
        issuer(certificate.issuer(), &expected.ca),
        subject(certificate, &expected.ca),
        time_form(times.into_iter()),
        validity_of_the_cps(certificate, expected),
        validity_of_iso(certificate),
        unique_identifiers(certificate),
        once_each(certificate.extensions()),
        subject_key_identifier(certificate),
        key_usage(certificate),
        basic_constraints(certificate),
        issuer_alt_name(certificate, &expected.issuer_alt_name),
        distribution_points(certificate, &expected.crl_url),
        uris(certificate),
    ];
    judgements
        .into_iter()
        .filter_map(Result::err)
        .chain(forbidden(certificate, Kind::Root))
        .collect()
}

/// Whose extensions are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Link,
    Ds,
}

/// What no extension of this kind may be.
pub(super) fn forbidden(certificate: &Certificate, kind: Kind) -> Vec<Fault> {
    let further = if kind == Kind::Ds { RuleId::I_DS_EXT } else { RuleId::I_ROOT_EXT };
    let judgements = [
        absent(certificate, kind, RuleId::R_NO_POLICY_EXT, "no certificatePolicies"),
        absent(
            certificate,
            kind,
            RuleId::R_NO_CONSTRAINT_EXT,
            "no nameConstraints, no policyConstraints",
        ),
        absent(certificate, kind, RuleId::R_NO_OCSP, "nothing about OCSP"),
        absent(
            certificate,
            kind,
            RuleId::R_CERT_KINDS,
            "a CA certificate without an extended key usage",
        ),
        absent(certificate, kind, RuleId::R_DS_NOT_CA, "a certificate without basicConstraints"),
        absent(certificate, kind, further, "no further extension"),
    ];
    judgements.into_iter().filter_map(Result::err).collect()
}

pub(super) fn version(certificate: &Certificate) -> Judgement {
    let found = certificate.version();
    rule(RuleId::R_V3, found == Version::V3, "version 3", || format!("{found:?}"))
}

pub(super) fn serial(certificate: &Certificate) -> Judgement {
    let octets = certificate.serial_number().as_bytes();
    // 20 octets of which the first is 1 to 127: positive, and not below 2^152.
    let holds = octets.len() == 20 && matches!(octets.first(), Some(1..=0x7f));
    rule(RuleId::R_SERIAL, holds, "20 octets, positive, from 2^152 up", || hex::encode(octets))
}

pub(super) fn algorithm(certificate: &Certificate, curve: Curve) -> Judgement {
    let found = certificate.signature();
    let holds = found.oid == signature_algorithm(curve) && found.parameters.is_none();
    let asked = format!("{} without parameters", signature_algorithm(curve));
    rule(RuleId::R_ALG, holds, &asked, || algorithm_text(found.oid, found.parameters.as_ref()))
}

pub(super) fn public_key(certificate: &Certificate, curve: Curve) -> Judgement {
    let info = certificate.subject_public_key_info();
    let parameters = info.algorithm.parameters.as_ref();
    let named = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let point = info.subject_public_key.as_bytes().unwrap_or_default();
    let holds = info.algorithm.oid.to_string() == "1.2.840.10045.2.1"
        && named == Some(named_curve(curve))
        && PublicKey::from_point(curve, point).is_ok();
    let asked = format!("an uncompressed point on {} ({})", curve.name(), named_curve(curve));
    rule(RuleId::R_ALG, holds, &asked, || {
        format!("{} and {} octets", algorithm_text(info.algorithm.oid, parameters), point.len())
    })
}

fn algorithm_text(oid: ObjectIdentifier, parameters: Option<&Any>) -> String {
    let parameters = parameters.and_then(|any| any.to_der().ok());
    let text = parameters.map_or_else(|| "none".to_string(), |der| hex::encode(&der));
    format!("{oid}, parameters {text}")
}

pub(super) fn names(certificate: &Certificate) -> Judgement {
    for name in [certificate.issuer(), certificate.subject()] {
        let kinds: Vec<Vec<String>> =
            name.iter_rdn().map(|rdn| rdn.iter().map(|a| a.oid.to_string()).collect()).collect();
        let full = name.iter().all(|attribute| !attribute.value.value().is_empty());
        let holds = full && kinds == [[COUNTRY], [ORGANIZATION], [COMMON_NAME]];
        rule(RuleId::R_DN, holds, "C, O, CN, one each, none empty", || format!("{name}"))?;
    }
    Ok(())
}

/// Every O and CN of both names.
fn texts(certificate: &Certificate) -> impl Iterator<Item = &Any> {
    let texts = [ORGANIZATION, COMMON_NAME];
    [certificate.issuer(), certificate.subject()]
        .into_iter()
        .flat_map(Name::iter)
        .filter(move |attribute| texts.contains(&attribute.oid.to_string().as_str()))
        .map(|attribute| &attribute.value)
}

pub(super) fn name_strings(certificate: &Certificate) -> Judgement {
    for value in texts(certificate) {
        let tag = value.tag();
        let holds = tag == Tag::Utf8String || tag == Tag::PrintableString;
        rule(RuleId::P_NAME_STRING, holds, "UTF8String or PrintableString", || format!("{tag}"))?;
    }
    Ok(())
}

pub(super) fn name_lengths(certificate: &Certificate) -> Judgement {
    for value in texts(certificate) {
        let text = core::str::from_utf8(value.value()).unwrap_or_default();
        let count = text.chars().count();
        let found = || format!("{count} characters: {text}");
        rule(RuleId::P_NAME_LENGTH, count <= 64, "at most 64 characters", found)?;
    }
    Ok(())
}

pub(super) fn country(certificate: &Certificate, asked: &str) -> Judgement {
    for name in [certificate.issuer(), certificate.subject()] {
        let found: Vec<&Any> =
            name.iter().filter(|a| a.oid.to_string() == COUNTRY).map(|a| &a.value).collect();
        let holds = match found.as_slice() {
            [one] => {
                one.tag() == Tag::PrintableString
                    && one.value() == asked.as_bytes()
                    && one.value().len() == 2
                    && one.value().iter().all(u8::is_ascii_uppercase)
            }
            _ => false,
        };
        let asked = format!("C={asked}, once, a PrintableString");
        rule(RuleId::I_COUNTRY, holds, &asked, || {
            let shown = |any: &&Any| format!("{} {}", any.tag(), hex::encode(any.value()));
            found.iter().map(shown).collect::<Vec<_>>().join(", ")
        })?;
    }
    Ok(())
}

/// P-ISSUER: the issuer is the CA's Name, octet for octet.
pub(super) fn issuer(issuer: &Name, ca: &[u8]) -> Judgement {
    let found = issuer.to_der().unwrap_or_default();
    rule(RuleId::P_ISSUER, found == ca, &hex::encode(ca), || hex::encode(&found))
}

pub(super) fn subject(certificate: &Certificate, asked: &[u8]) -> Judgement {
    let found = certificate.subject().to_der().unwrap_or_default();
    rule(RuleId::R_DN_FIXED, found == asked, &hex::encode(asked), || hex::encode(&found))
}

fn validity_of_the_cps(certificate: &Certificate, expected: &ExpectedRoot) -> Judgement {
    let validity = certificate.validity();
    let (first, last) = (instant(validity.not_before), instant(validity.not_after));
    let end = months_after(expected.not_before, expected.months).map(|end| end.plus_seconds(-1));
    let holds = first == Some(expected.not_before) && end.is_some() && last == end;
    let end = end.map_or_else(|| "a time of ours".to_string(), |end| end.to_string());
    let asked = format!("{} to {end}", expected.not_before);
    rule(RuleId::R_ROOT, holds, &asked, || {
        format!("{} to {}", shown(Some(validity.not_before)), shown(Some(validity.not_after)))
    })
}

fn validity_of_iso(certificate: &Certificate) -> Judgement {
    let validity = certificate.validity();
    let end = instant(validity.not_before).and_then(|first| months_after(first, 20 * 12));
    let last = instant(validity.not_after);
    let holds = last.is_some() && end.is_some() && last <= end;
    let found = || shown(Some(validity.not_after));
    rule(RuleId::I_ROOT_VALIDITY, holds, "an end at most 20 years later", found)
}

fn months_after(start: Instant, months: u16) -> Option<Instant> {
    start.plus(&format!("{months} months").parse().ok()?).ok()
}

pub(super) fn unique_identifiers(certificate: &Certificate) -> Judgement {
    let (issuer, subject) = (certificate.issuer_unique_id(), certificate.subject_unique_id());
    let holds = issuer.is_none() && subject.is_none();
    rule(RuleId::P_UNIQUE_ID, holds, "no unique identifiers", || {
        format!("issuer: {}, subject: {}", issuer.is_some(), subject.is_some())
    })
}

pub(super) fn subject_key_identifier(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_ROOT_SKI, SUBJECT_KEY_IDENTIFIER, false);
    let key = certificate.subject_public_key_info().subject_public_key.raw_bytes();
    let asked = hex::encode(&Sha1::digest(key));
    let found: SubjectKeyIdentifier = extension(certificate.extensions(), kind, &asked)?;
    let found = hex::encode(found.0.as_bytes());
    rule(RuleId::I_ROOT_SKI, found == asked, &asked, || found.clone())
}

pub(super) fn key_usage(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_ROOT_KEY_USAGE, KEY_USAGE, true);
    let asked = "keyCertSign and cRLSign, critical";
    let found: KeyUsage = extension(certificate.extensions(), kind, asked)?;
    let holds = found.key_cert_sign() && found.crl_sign() && found.0.into_iter().count() == 2;
    rule(RuleId::I_ROOT_KEY_USAGE, holds, asked, || {
        found.0.into_iter().map(|bit| format!("{bit:?}")).collect::<Vec<_>>().join(" ")
    })
}

pub(super) fn basic_constraints(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_ROOT_BASIC_CONSTRAINTS, BASIC_CONSTRAINTS, true);
    let asked = "cA TRUE, pathLenConstraint 0, critical";
    let found: BasicConstraints = extension(certificate.extensions(), kind, asked)?;
    let holds = found.ca && found.path_len_constraint == Some(0);
    rule(RuleId::I_ROOT_BASIC_CONSTRAINTS, holds, asked, || {
        format!("cA {}, pathLenConstraint {:?}", found.ca, found.path_len_constraint)
    })
}

pub(super) fn issuer_alt_name(certificate: &Certificate, uri: &str) -> Judgement {
    let kind = (RuleId::I_ROOT_IAN, ISSUER_ALT_NAME, false);
    let asked = format!("URI {uri}, not critical");
    let found: GeneralNames = extension(certificate.extensions(), kind, &asked)?;
    let holds = one_uri(&found) == Some(uri);
    rule(RuleId::I_ROOT_IAN, holds, &asked, || format!("{found:?}"))
}

pub(super) fn distribution_points(certificate: &Certificate, url: &str) -> Judgement {
    let kind = (RuleId::I_ROOT_CDP, CRL_DISTRIBUTION_POINTS, false);
    let asked = format!("URI {url}, no reasons, no cRLIssuer, not critical");
    let found: CrlDistributionPoints = extension(certificate.extensions(), kind, &asked)?;
    let holds = match found.0.as_slice() {
        [point] => {
            let uri = match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => one_uri(names),
                Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => None,
            };
            uri == Some(url) && point.reasons.is_none() && point.crl_issuer.is_none()
        }
        _ => false,
    };
    rule(RuleId::I_ROOT_CDP, holds, &asked, || format!("{:?}", found.0))
}

pub(super) fn one_uri(names: &[GeneralName]) -> Option<&str> {
    match names {
        [name] => uri(name),
        _ => None,
    }
}

fn uri(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
        GeneralName::OtherName(_)
        | GeneralName::Rfc822Name(_)
        | GeneralName::DnsName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => None,
    }
}

pub(super) fn uris(certificate: &Certificate) -> Judgement {
    let mut names = Vec::new();
    for extension in certificate.extensions().into_iter().flatten() {
        let value = extension.extn_value.as_bytes();
        match oid(extension).as_str() {
            ISSUER_ALT_NAME => names.extend(GeneralNames::from_der(value).unwrap_or_default()),
            CRL_DISTRIBUTION_POINTS => {
                let points = CrlDistributionPoints::from_der(value).unwrap_or_default().0;
                for point in points {
                    if let Some(DistributionPointName::FullName(full)) = point.distribution_point {
                        names.extend(full);
                    }
                }
            }
            _ => (),
        }
    }
    for uri in names.iter().filter_map(uri) {
        let asked = "http:// or https://, a host, no character that RFC 3986 forbids";
        rule(RuleId::P_URI, reachable(uri), asked, || uri.to_string())?;
    }
    Ok(())
}

/// An unreplaced `{key}` is refused here too.
fn reachable(uri: &str) -> bool {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| !host.is_empty())
        && uri.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c))
}

/// No extension stands that this rule forbids.
fn absent(certificate: &Certificate, kind: Kind, id: RuleId, asked: &str) -> Judgement {
    let found: BTreeSet<String> = certificate
        .extensions()
        .into_iter()
        .flatten()
        .filter(|extension| forbidden_by(extension, kind) == Some(id))
        .map(oid)
        .collect();
    rule(id, found.is_empty(), asked, || found.into_iter().collect::<Vec<_>>().join(", "))
}

/// The rule that forbids an extension in a certificate of this kind.
fn forbidden_by(extension: &Extension, kind: Kind) -> Option<RuleId> {
    let value = extension.extn_value.as_bytes();
    let further = if kind == Kind::Ds { RuleId::I_DS_EXT } else { RuleId::I_ROOT_EXT };
    match (oid(extension).as_str(), kind) {
        (SUBJECT_KEY_IDENTIFIER | KEY_USAGE | ISSUER_ALT_NAME | CRL_DISTRIBUTION_POINTS, _)
        | (BASIC_CONSTRAINTS, Kind::Root | Kind::Link)
        | (AUTHORITY_KEY_IDENTIFIER, Kind::Link | Kind::Ds) => None,
        (BASIC_CONSTRAINTS, Kind::Ds) => Some(RuleId::R_DS_NOT_CA),
        ("2.5.29.32", _) => Some(RuleId::R_NO_POLICY_EXT),
        ("2.5.29.30" | "2.5.29.36", _) => Some(RuleId::R_NO_CONSTRAINT_EXT),
        ("1.3.6.1.5.5.7.48.1.5", _) => Some(RuleId::R_NO_OCSP),
        ("1.3.6.1.5.5.7.1.1", _) if points_to_ocsp(value) => Some(RuleId::R_NO_OCSP),
        (EXTENDED_KEY_USAGE, _) if signs_ocsp(value) => Some(RuleId::R_NO_OCSP),
        (EXTENDED_KEY_USAGE, Kind::Root | Kind::Link) => Some(RuleId::R_CERT_KINDS),
        (EXTENDED_KEY_USAGE, Kind::Ds) => None,
        _ => Some(further),
    }
}

fn points_to_ocsp(value: &[u8]) -> bool {
    AuthorityInfoAccessSyntax::from_der(value).is_ok_and(|access| {
        access.0.iter().any(|one| one.access_method.to_string() == "1.3.6.1.5.5.7.48.1")
    })
}

fn signs_ocsp(value: &[u8]) -> bool {
    ExtendedKeyUsage::from_der(value)
        .is_ok_and(|usage| usage.0.iter().any(|oid| oid.to_string() == "1.3.6.1.5.5.7.3.9"))
}
