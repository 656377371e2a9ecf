//! The rules of a root certificate, one function each. Other certificates share many of them.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::{Any, ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use der::{Decode as _, Encode as _, Tag, Tagged as _};
use sha1::{Digest as _, Sha1};
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage,
    KeyUsage, SubjectKeyIdentifier,
};
use x509_cert::name::Name;

use super::address::{distribution_points, issuer_alt_name, uris};
use super::reading::{
    AUTHORITY_KEY_IDENTIFIER, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, Certificate,
    EXTENDED_KEY_USAGE, ISSUER_ALT_NAME, Judgement, KEY_USAGE, SUBJECT_KEY_IDENTIFIER, extension,
    instant, oid, period, rule, shown,
};
use super::{ExpectedRoot, words};
use crate::fault::Fault;
use crate::hex;
use crate::key::{Curve, PublicKey};
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::time::{Day, Instant, Offset};
use crate::x509::{named_curve, signature_algorithm};

pub(super) const COUNTRY: &str = "2.5.4.6";
pub(super) const STATE: &str = "2.5.4.8";
const LOCALITY: &str = "2.5.4.7";
const ORGANIZATION: &str = "2.5.4.10";
const UNIT: &str = "2.5.4.11";
pub(super) const COMMON_NAME: &str = "2.5.4.3";
const SERIAL_NUMBER: &str = "2.5.4.5";

/// Judges a root certificate by every rule.
pub(super) fn faults(certificate: &Certificate, expected: &ExpectedRoot) -> Vec<Fault> {
    let judgements = [
        serial(certificate),
        algorithm(certificate, expected.curve),
        public_key(certificate, expected.curve),
        names(certificate),
        country(certificate, &expected.country),
        issuer(certificate.issuer(), &expected.ca),
        subject(certificate, &expected.ca),
        validity_of_the_cps(certificate, expected),
        issuer_alt_name(certificate, &expected.issuer_alt_name),
        distribution_points(certificate, &expected.crl_urls),
        own_authority(certificate, expected),
        uris(certificate),
    ];
    judgements
        .into_iter()
        .filter_map(Result::err)
        .chain(forbidden(certificate, Kind::Root))
        .collect()
}

/// The kind of certificate that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A self-signed root.
    Root,
    /// One key of the CA certified by another.
    Link,
    /// A Document Signer.
    Ds,
}

/// Judges that a certificate of this kind has no forbidden extension.
pub(super) fn forbidden(certificate: &Certificate, kind: Kind) -> Vec<Fault> {
    let further = if kind == Kind::Ds { RuleId::I_DS_EXT } else { RuleId::I_ROOT_EXT };
    let judgements = [
        absent(certificate, kind, RuleId::R_NO_POLICY_EXT, || {
            says!("certificatePolicies なし", "no certificatePolicies")
        }),
        absent(certificate, kind, RuleId::R_NO_CONSTRAINT_EXT, || {
            says!(
                "nameConstraints と policyConstraints なし",
                "no nameConstraints, no policyConstraints"
            )
        }),
        absent(certificate, kind, RuleId::R_NO_OCSP, || {
            says!("OCSP に関する拡張なし", "no extension about OCSP")
        }),
        absent(certificate, kind, RuleId::R_CERT_KINDS, || {
            says!(
                "extKeyUsage のない認証局の電子証明書",
                "a CA certificate without an extended key usage"
            )
        }),
        absent(certificate, kind, RuleId::R_DS_NOT_CA, || {
            says!("basicConstraints のない電子証明書", "a certificate without basicConstraints")
        }),
        absent(certificate, kind, further, || says!("ほかの拡張なし", "no further extension")),
    ];
    judgements.into_iter().filter_map(Result::err).collect()
}

pub(super) fn version(certificate: &Certificate) -> Judgement {
    let found = certificate.version();
    let asked = || Bilingual::plain("version 3");
    rule(RuleId::R_V3, found == Version::V3, asked, || words::version(found))
}

pub(super) fn serial(certificate: &Certificate) -> Judgement {
    let octets = certificate.serial_number().as_bytes();
    // 20 octets of which the first is 1 to 127: positive, and not below 2^152.
    let holds = octets.len() == 20 && matches!(octets.first(), Some(1..=0x7f));
    let asked = || says!("20 オクテット、2^152 以上の正の数", "20 octets, positive, from 2^152 up");
    rule(RuleId::R_SERIAL, holds, asked, || Bilingual::plain(hex::encode(octets)))
}

pub(super) fn algorithm(certificate: &Certificate, curve: Curve) -> Judgement {
    let found = certificate.signature();
    let holds = found.oid == signature_algorithm(curve) && found.parameters.is_none();
    let asked =
        || says!("{}(パラメーターなし)", "{} without parameters", signature_algorithm(curve));
    rule(RuleId::R_ALG, holds, asked, || algorithm_text(found.oid, found.parameters.as_ref()))
}

pub(super) fn public_key(certificate: &Certificate, curve: Curve) -> Judgement {
    let info = certificate.subject_public_key_info();
    let parameters = info.algorithm.parameters.as_ref();
    let named = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let point = info.subject_public_key.as_bytes().unwrap_or_default();
    let holds = info.algorithm.oid.to_string() == "1.2.840.10045.2.1"
        && named == Some(named_curve(curve))
        && PublicKey::from_point(curve, point).is_ok();
    let asked = || {
        let (name, oid) = (curve.name(), named_curve(curve));
        says!("{name}({oid})の非圧縮の点", "an uncompressed point on {name} ({oid})")
    };
    rule(RuleId::R_ALG, holds, asked, || {
        let algorithm = algorithm_text(info.algorithm.oid, parameters);
        says!(
            algorithm; "{algorithm}、点 {} オクテット", "{algorithm} and {} octets", point.len()
        )
    })
}

fn algorithm_text(oid: ObjectIdentifier, parameters: Option<&Any>) -> Bilingual {
    let parameters = parameters.and_then(|any| any.to_der().ok());
    let text = parameters.map_or_else(Bilingual::none, |der| Bilingual::plain(hex::encode(&der)));
    says!(text; "{oid}、パラメーター {text}", "{oid}, parameters {text}")
}

/// R-DN: one attribute in each RDN, of those that Annex B names; a CN; none empty.
pub(super) fn names(certificate: &Certificate) -> Judgement {
    let known = [COUNTRY, STATE, LOCALITY, ORGANIZATION, UNIT, COMMON_NAME, SERIAL_NUMBER];
    for name in [certificate.issuer(), certificate.subject()] {
        let full = name.iter().all(|attribute| !attribute.value.value().is_empty());
        let alone = name.iter_rdn().all(|rdn| rdn.len() == 1);
        let kinds: Vec<String> = name.iter().map(|attribute| attribute.oid.to_string()).collect();
        let named = kinds.iter().any(|kind| kind == COMMON_NAME);
        let others = kinds.iter().any(|kind| !known.contains(&kind.as_str()));
        let asked = || {
            says!(
                "CN を含む、空でない C、ST、L、O、OU、CN、serialNumber(1 つずつの RDN)",
                "C, ST, L, O, OU, CN, serialNumber, one in each RDN, none empty, with a CN"
            )
        };
        let holds = full && alone && named && !others;
        rule(RuleId::R_DN, holds, asked, || Bilingual::plain(words::name(name)))?;
    }
    Ok(())
}

/// Every ST, L, O, OU, CN and serialNumber of issuer and subject, with its kind.
fn texts(certificate: &Certificate) -> impl Iterator<Item = (String, &Any)> {
    let texts = [STATE, LOCALITY, ORGANIZATION, UNIT, COMMON_NAME, SERIAL_NUMBER];
    [certificate.issuer(), certificate.subject()]
        .into_iter()
        .flat_map(Name::iter)
        .map(|attribute| (attribute.oid.to_string(), &attribute.value))
        .filter(move |(kind, _)| texts.contains(&kind.as_str()))
}

pub(super) fn name_strings(certificate: &Certificate) -> Judgement {
    for (kind, value) in texts(certificate) {
        let (tag, serial) = (value.tag(), kind == SERIAL_NUMBER);
        let printable = value.decode_as::<PrintableStringRef<'_>>().is_ok();
        let holds = printable || (!serial && value.decode_as::<Utf8StringRef<'_>>().is_ok());
        let asked = || {
            if serial {
                return says!(
                    "serialNumber の、その文字だけの PrintableString",
                    "PrintableString in serialNumber, of its characters alone"
                );
            }
            says!(
                "その文字だけの UTF8String 又は PrintableString",
                "UTF8String or PrintableString, of its characters alone"
            )
        };
        rule(RuleId::P_NAME_STRING, holds, asked, || {
            Bilingual::plain(format!("{tag} {}", hex::encode(value.value())))
        })?;
    }
    Ok(())
}

pub(super) fn name_lengths(certificate: &Certificate) -> Judgement {
    for (kind, value) in texts(certificate) {
        // RFC 5280 A.1: ub-state-name and ub-locality-name; ub-organization-name and the others.
        let most = if [STATE, LOCALITY].contains(&kind.as_str()) { 128 } else { 64 };
        let text = String::from_utf8_lossy(value.value());
        let count = text.chars().count();
        let asked = || says!("{most} 文字以下", "at most {most} characters");
        let found = || says!("{count} 文字: {text}", "{count} characters: {text}");
        rule(RuleId::P_NAME_LENGTH, count <= most, asked, found)?;
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
        let asked = || {
            says!("PrintableString の C={asked} を 1 つだけ", "C={asked}, once, a PrintableString")
        };
        rule(RuleId::I_COUNTRY, holds, asked, || {
            let shown = |any: &&Any| format!("{} {}", any.tag(), hex::encode(any.value()));
            Bilingual::plain(found.iter().map(shown).collect::<Vec<_>>().join(", "))
        })?;
    }
    Ok(())
}

/// P-ISSUER: the issuer is the CA's Name, octet for octet.
pub(super) fn issuer(issuer: &Name, ca: &[u8]) -> Judgement {
    let found = issuer.to_der().unwrap_or_default();
    rule(RuleId::P_ISSUER, found == ca, || words::encoded(ca), || words::encoded(&found))
}

pub(super) fn subject(certificate: &Certificate, asked: &[u8]) -> Judgement {
    let found = certificate.subject().to_der().unwrap_or_default();
    let shown = words::encoded;
    rule(RuleId::R_DN_FIXED, found == asked, || shown(asked), || shown(&found))
}

fn validity_of_the_cps(certificate: &Certificate, expected: &ExpectedRoot) -> Judgement {
    let validity = certificate.validity();
    let offset = expected.not_before.offset();
    let first = instant(validity.not_before, offset);
    let last = instant(validity.not_after, offset);
    let end = expected.not_before.plus(&expected.validity).ok().map(|end| end.plus_seconds(-1));
    let holds = first == Some(expected.not_before) && end.is_some() && last == end;
    let asked = || {
        let end = end.map_or_else(|| says!("扱える時刻", "a representable time"), Bilingual::plain);
        says!(end; "{} から {end} まで", "{} to {end}", expected.not_before)
    };
    rule(RuleId::R_ROOT, holds, asked, || period(validity.not_before, validity.not_after, offset))
}

pub(super) fn validity_of_iso(certificate: &Certificate, offset: Offset) -> Judgement {
    let validity = certificate.validity();
    let end = instant(validity.not_before, offset).and_then(|first| months_after(first, 20 * 12));
    let last = instant(validity.not_after, offset);
    let holds = last.is_some() && end.is_some() && last <= end;
    let found = || shown(Some(validity.not_after), offset);
    let asked = || says!("20 年以内の終了日", "an end at most 20 years later");
    rule(RuleId::I_ROOT_VALIDITY, holds, asked, found)
}

/// Returns the exclusive end of so many months: the corresponding day or, where the month has none,
/// the first of the next month (Civil Code art. 143 (2)).
///
/// It is found from the digits of the date, and so not by the function that made the certificate.
fn months_after(start: Instant, months: u16) -> Option<Instant> {
    let day = start.day().to_string();
    let mut digits = day.split('-').map(str::parse::<u32>);
    let (year, month, day) = (digits.next()?.ok()?, digits.next()?.ok()?, digits.next()?.ok()?);
    let month =
        year.checked_mul(12)?.checked_add(month)?.checked_add(months.into())?.checked_sub(1)?;
    let day_of = |month: u32, day: u32| -> Option<Day> {
        format!("{:04}-{:02}-{day:02}", month / 12, month % 12 + 1).parse().ok()
    };
    let end = day_of(month, day).or_else(|| day_of(month.checked_add(1)?, 1))?;
    let time_of_day = start.unix().checked_sub(start.midnight().unix())?;
    Some(end.start(start.offset()).plus_seconds(time_of_day))
}

pub(super) fn unique_identifiers(certificate: &Certificate) -> Judgement {
    let (issuer, subject) = (certificate.issuer_unique_id(), certificate.subject_unique_id());
    let (issuer, subject) = (issuer.is_some(), subject.is_some());
    let asked = || says!("issuerUniqueID と subjectUniqueID なし", "no unique identifiers");
    rule(RuleId::P_UNIQUE_ID, !issuer && !subject, asked, || {
        let (of_issuer, of_subject) = (there(issuer), there(subject));
        says!(
            "issuerUniqueID {of_issuer}、subjectUniqueID {of_subject}",
            "issuer: {issuer}, subject: {subject}"
        )
    })
}

/// The Japanese word for present or absent.
pub(super) const fn there(is: bool) -> &'static str {
    if is { "あり" } else { "なし" }
}

pub(super) fn subject_key_identifier(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_ROOT_SKI, SUBJECT_KEY_IDENTIFIER, false);
    let key = certificate.subject_public_key_info().subject_public_key.raw_bytes();
    let asked = hex::encode(&Sha1::digest(key));
    let says = || Bilingual::plain(&asked);
    let found: SubjectKeyIdentifier = extension(certificate.extensions(), kind, says)?;
    let found = hex::encode(found.0.as_bytes());
    rule(RuleId::I_ROOT_SKI, found == asked, says, || Bilingual::plain(&found))
}

pub(super) fn key_usage(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_ROOT_KEY_USAGE, KEY_USAGE, true);
    let asked = || says!("keyCertSign と cRLSign(critical)", "keyCertSign and cRLSign, critical");
    let found: KeyUsage = extension(certificate.extensions(), kind, asked)?;
    let holds = found.key_cert_sign() && found.crl_sign() && found.0.into_iter().count() == 2;
    rule(RuleId::I_ROOT_KEY_USAGE, holds, asked, || words::bits(found))
}

pub(super) fn basic_constraints(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_ROOT_BASIC_CONSTRAINTS, BASIC_CONSTRAINTS, true);
    let asked = || {
        says!("cA TRUE、pathLenConstraint 0(critical)", "cA TRUE, pathLenConstraint 0, critical")
    };
    let found: BasicConstraints = extension(certificate.extensions(), kind, asked)?;
    let holds = found.ca && found.path_len_constraint == Some(0);
    rule(RuleId::I_ROOT_BASIC_CONSTRAINTS, holds, asked, || {
        let (ca, length) = (found.ca, found.path_len_constraint);
        let length = length.map_or_else(Bilingual::none, Bilingual::plain);
        let ca = if ca { "TRUE" } else { "FALSE" };
        says!(length; "cA {ca}、pathLenConstraint {length}", "cA {ca}, pathLenConstraint {length}")
    })
}

/// I-AKI: the signing key's identifier alone.
pub(super) fn authority_key_identifier(certificate: &Certificate, asked: &[u8; 20]) -> Judgement {
    let kind = (RuleId::I_AKI, AUTHORITY_KEY_IDENTIFIER, false);
    let asked = hex::encode(asked);
    let says = || Bilingual::plain(&asked);
    let found: AuthorityKeyIdentifier = extension(certificate.extensions(), kind, says)?;
    let key = found.key_identifier.as_ref().map(|key| hex::encode(key.as_bytes()));
    let alone =
        found.authority_cert_issuer.is_none() && found.authority_cert_serial_number.is_none();
    let holds = alone && key.as_ref() == Some(&asked);
    rule(RuleId::I_AKI, holds, says, || {
        let key = key.map_or_else(Bilingual::none, Bilingual::plain);
        if alone {
            return key;
        }
        says!(key; "{key} と、発行者又はシリアル番号", "{key} and an issuer or serial number")
    })
}

/// A root names its own key as the signing one, if the policy wants it (I-AKI), and otherwise no
/// key (I-ROOT-EXT).
fn own_authority(certificate: &Certificate, expected: &ExpectedRoot) -> Judgement {
    let key = certificate.subject_public_key_info().subject_public_key.raw_bytes();
    if expected.authority_key_identifier {
        return authority_key_identifier(certificate, &Sha1::digest(key).into());
    }
    let mut extensions = certificate.extensions().into_iter().flatten();
    let absent = !extensions.any(|extension| oid(extension) == AUTHORITY_KEY_IDENTIFIER);
    let asked = || says!("authorityKeyIdentifier なし", "no authorityKeyIdentifier");
    rule(RuleId::I_ROOT_EXT, absent, asked, || says!("あり", "there is one"))
}

/// Judges that the certificate has no extension that this rule forbids.
fn absent(
    certificate: &Certificate,
    kind: Kind,
    id: RuleId,
    asked: impl FnOnce() -> Bilingual,
) -> Judgement {
    let found: BTreeSet<String> = certificate
        .extensions()
        .into_iter()
        .flatten()
        .filter(|extension| forbidden_by(extension, kind) == Some(id))
        .map(oid)
        .collect();
    rule(id, found.is_empty(), asked, || {
        Bilingual::plain(found.into_iter().collect::<Vec<_>>().join(", "))
    })
}

/// The rule that forbids an extension in a certificate of this kind.
fn forbidden_by(extension: &Extension, kind: Kind) -> Option<RuleId> {
    let value = extension.extn_value.as_bytes();
    let further = if kind == Kind::Ds { RuleId::I_DS_EXT } else { RuleId::I_ROOT_EXT };
    match (oid(extension).as_str(), kind) {
        (
            SUBJECT_KEY_IDENTIFIER
            | AUTHORITY_KEY_IDENTIFIER
            | KEY_USAGE
            | ISSUER_ALT_NAME
            | CRL_DISTRIBUTION_POINTS,
            _,
        )
        | (BASIC_CONSTRAINTS, Kind::Root | Kind::Link) => None,
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    /// The profile counts with the calendar and the judge with digits, from each day of four years.
    #[test]
    fn the_judge_ends_months_where_the_profile_ends_them() {
        let first: Instant = "2027-01-01T09:30:00+09:00".parse().unwrap();
        for day in 0..1_461 {
            let begins = first.plus_seconds(day * 86_400);
            for months in [1, 4, 11, 12, 13, 64, 108, 240] {
                let judged = months_after(begins, months).unwrap();
                let span = format!("{months} months").parse().unwrap();
                assert_eq!(judged, begins.plus(&span).unwrap(), "{begins} {months}");
            }
        }
        let ends = |begins: &str| months_after(begins.parse().unwrap(), 64).unwrap().day();
        assert_eq!(ends("2026-10-31T00:00:00+09:00").to_string(), "2032-03-01");
        assert_eq!(ends("2026-10-29T00:00:00+09:00").to_string(), "2032-02-29");
        assert_eq!(months_after("9999-12-01T00:00:00Z".parse().unwrap(), 1), None);
    }
}
