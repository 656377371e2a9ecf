//! Certificates and batches of CRLs as text for people, beside the DER files.
//!
//! The text is decoded from the finished octets, not taken from the description, so it shows what
//! was made, not what was meant. The same octets give the same text on every machine.
//! **Deliberately absent:** parsing the text again.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::{Any, ObjectIdentifier};
use der::{Decode as _, Encode as _, Tag, Tagged as _};
use spki::AlgorithmIdentifierOwned;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, GeneralNames};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
    KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::time::Time;

use super::{signature_algorithm, signature_name};
use crate::hex::{self, Digest};
use crate::key::Curve;
use crate::time::{Instant, Offset};

mod entries;

pub(super) use entries::decimal;

/// One finished CRL of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow<'a> {
    /// The plan's name of the CRL.
    pub name: String,
    /// The CRL number.
    pub number: u64,
    /// When it takes effect.
    pub this_update: Instant,
    /// Until when it may be relied on.
    pub next_update: Instant,
    /// When the next one is planned to be released, for which X.509 has no field (CP/CPS 7.2.2,
    /// D1).
    pub next_release: Instant,
    /// How many certificates it revokes.
    pub entries: usize,
    /// When it was signed (CP/CPS 4.9.7, D29).
    pub signed_at: Instant,
    /// The finished CRL.
    pub der: &'a [u8],
}

/// Returns the text of a finished certificate: its fields, its extensions, its fingerprint. Times
/// are shown in this offset, the CA's, and in UTC.
#[must_use]
pub fn certificate(der: &[u8], offset: Offset) -> String {
    let mut lines = match CertificateInner::<Raw>::from_der(der) {
        Ok(certificate) => fields(&certificate, offset),
        Err(error) => Vec::from([("no certificate".to_string(), error.to_string())]),
    };
    lines.push(("length".to_string(), format!("{} octets", der.len())));
    lines.push(("SHA-256".to_string(), Digest::of(der).to_string()));
    let width = lines.iter().map(|(field, _)| field.chars().count()).max().unwrap_or_default();
    lines.iter().map(|(field, value)| format!("{field:width$}  {value}\n")).collect()
}

/// Returns the table of a batch, one CRL a line, in the order given, and below it what they revoke.
#[must_use]
pub fn batch(rows: &[BatchRow<'_>]) -> String {
    let head = [
        "name",
        "number",
        "thisUpdate",
        "nextUpdate",
        "next release",
        "entries",
        "length",
        "SHA-256",
        "signed at",
    ];
    let mut table = Vec::from([head.map(String::from)]);
    for row in rows {
        table.push([
            row.name.clone(),
            format!("{0} = 0x{0:x}", row.number),
            row.this_update.to_string(),
            row.next_update.to_string(),
            row.next_release.to_string(),
            row.entries.to_string(),
            row.der.len().to_string(),
            Digest::of(row.der).to_string(),
            row.signed_at.to_string(),
        ]);
    }
    let mut widths = [0; 9];
    for line in &table {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let text = |line: &[String; 9]| {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    table.iter().map(text).chain([entries::lists(rows)]).collect()
}

fn fields(certificate: &CertificateInner<Raw>, offset: Offset) -> Vec<(String, String)> {
    let tbs = certificate.tbs_certificate();
    let validity = tbs.validity();
    let key = tbs.subject_public_key_info();
    let spki = key.to_der().unwrap_or_default();
    let mut lines: Vec<(String, String)> = [
        ("version", format!("{:?}", tbs.version()).to_lowercase()),
        ("serialNumber", entries::both_bases(tbs.serial_number().as_bytes())),
        ("signature", algorithm(tbs.signature().oid)),
        ("issuer", name(tbs.issuer())),
        ("notBefore", time(validity.not_before, offset)),
        ("notAfter", time(validity.not_after, offset)),
        ("subject", name(tbs.subject())),
        ("subjectPublicKey", kind_of_key(&key.algorithm)),
        ("", hex::encode(key.subject_public_key.raw_bytes())),
        ("SHA-256 of it (SPKI)", Digest::of(&spki).to_string()),
    ]
    .map(|(field, value)| (field.to_string(), value))
    .into();
    lines.extend(tbs.extensions().into_iter().flatten().map(extension));
    lines.push(("signatureAlgorithm".into(), algorithm(certificate.signature_algorithm().oid)));
    lines.push(("signature".into(), hex::encode(certificate.signature().raw_bytes())));
    lines
}

/// Writes a time in the CA's offset, for auditors, and in UTC, as other tools show it; once, if
/// they are the same.
fn time(time: Time, offset: Offset) -> String {
    let utc = time.to_date_time().to_string();
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
    match seconds.and_then(|seconds| Instant::from_unix(seconds, offset).ok()) {
        Some(at) if offset != Offset::UTC => format!("{at} = {utc}"),
        Some(_) | None => utc,
    }
}

fn algorithm(oid: ObjectIdentifier) -> String {
    let known = [Curve::P256, Curve::P384].into_iter().find(|c| signature_algorithm(*c) == oid);
    known.map_or_else(|| oid.to_string(), |curve| format!("{} ({oid})", signature_name(curve)))
}

/// The curve of a key, or its algorithm if that has no parameters.
fn kind_of_key(algorithm: &AlgorithmIdentifierOwned) -> String {
    let Some(parameters) = &algorithm.parameters else {
        return super::algorithm::named(algorithm.oid);
    };
    let curve = parameters.decode_as::<ObjectIdentifier>().ok();
    curve.map_or_else(|| "no named curve".into(), super::algorithm::curve)
}

/// Writes a name in the order of its attributes, as [`super::DirectoryName`] does.
pub(crate) fn name(name: &Name) -> String {
    let attributes = name.iter().map(|one| {
        let (kind, value) = attribute(one);
        format!("{kind}={value}")
    });
    attributes.collect::<Vec<_>>().join(", ")
}

/// The same of a name in DER; empty if it is none.
pub(crate) fn name_of(der: &[u8]) -> String {
    Name::from_der(der).map(|found| name(&found)).unwrap_or_default()
}

/// The type of an attribute of a name, by its short name if it has one, and its value.
pub(crate) fn attribute(attribute: &AttributeTypeAndValue) -> (String, String) {
    let kind = match attribute.oid.to_string().as_str() {
        "2.5.4.6" => "C".to_string(),
        "2.5.4.8" => "ST".to_string(),
        "2.5.4.7" => "L".to_string(),
        "2.5.4.10" => "O".to_string(),
        "2.5.4.11" => "OU".to_string(),
        "2.5.4.3" => "CN".to_string(),
        "2.5.4.5" => "serialNumber".to_string(),
        other => other.to_string(),
    };
    (kind, text(&attribute.value))
}

/// Writes a string's characters, or the octets in hexadecimal if it is not a readable string.
fn text(value: &Any) -> String {
    let tag = value.tag();
    let string = (tag == Tag::Utf8String || tag == Tag::PrintableString)
        .then(|| core::str::from_utf8(value.value()).ok())
        .flatten()
        .filter(|text| !text.chars().any(char::is_control));
    string.map_or_else(
        || format!("#{}", hex::encode(&value.to_der().unwrap_or_default())),
        |text| text.replace('\\', "\\\\").replace(',', "\\,"),
    )
}

fn extension(extension: &Extension) -> (String, String) {
    let value = extension.extn_value.as_bytes();
    let oid = extension.extn_id.to_string();
    let known = known_extension(&oid, value);
    let (kind, text) = known.unwrap_or_else(|| (oid.clone(), hex::encode(value)));
    let critical = if extension.critical { " (critical)" } else { "" };
    (format!("{kind}{critical}"), text)
}

fn known_extension(oid: &str, value: &[u8]) -> Option<(String, String)> {
    let (kind, text) = match oid {
        "2.5.29.14" => {
            let found = SubjectKeyIdentifier::from_der(value).ok()?;
            ("subjectKeyIdentifier", hex::encode(found.0.as_bytes()))
        }
        "2.5.29.15" => ("keyUsage", key_usage(KeyUsage::from_der(value).ok()?)),
        "2.5.29.18" => ("issuerAltName", general_names(&GeneralNames::from_der(value).ok()?)),
        "2.5.29.19" => {
            let found = BasicConstraints::from_der(value).ok()?;
            let ca = if found.ca { "cA TRUE" } else { "cA FALSE" };
            let length = found.path_len_constraint;
            let length = length.map_or_else(String::new, |n| format!(" pathLenConstraint {n}"));
            ("basicConstraints", format!("{ca}{length}"))
        }
        "2.5.29.31" => {
            let points = CrlDistributionPoints::from_der(value).ok()?.0;
            let names = points.iter().map(|point| match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => general_names(names),
                Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => "other".into(),
            });
            ("cRLDistributionPoints", names.collect::<Vec<_>>().join(", "))
        }
        "2.5.29.35" => {
            let found = AuthorityKeyIdentifier::from_der(value).ok()?;
            ("authorityKeyIdentifier", hex::encode(found.key_identifier?.as_bytes()))
        }
        "2.5.29.37" => ("extKeyUsage", purposes(&ExtendedKeyUsage::from_der(value).ok()?)),
        _ => return None,
    };
    Some((kind.to_string(), text))
}

/// Writes the bits with their names in RFC 5280 4.2.1.3.
pub(crate) fn key_usage(usage: KeyUsage) -> String {
    let word = |bit: KeyUsages| match bit {
        KeyUsages::DigitalSignature => "digitalSignature",
        KeyUsages::NonRepudiation => "nonRepudiation",
        KeyUsages::KeyEncipherment => "keyEncipherment",
        KeyUsages::DataEncipherment => "dataEncipherment",
        KeyUsages::KeyAgreement => "keyAgreement",
        KeyUsages::KeyCertSign => "keyCertSign",
        KeyUsages::CRLSign => "cRLSign",
        KeyUsages::EncipherOnly => "encipherOnly",
        KeyUsages::DecipherOnly => "decipherOnly",
    };
    usage.0.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Writes each purpose by number, and by name if ISO/IEC 18013-5 Annex B gives it to a Document
/// Signer.
fn purposes(purposes: &ExtendedKeyUsage) -> String {
    let shown = purposes.0.iter().map(|oid| match oid.to_string().as_str() {
        "1.0.18013.5.1.2" => format!("mdlDS ({oid})"),
        other => other.to_string(),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// Writes names of an issuerAltName or of a distribution point in their order; a kind that no
/// profile has is shown in its octets.
pub(crate) fn general_names(names: &[GeneralName]) -> String {
    let shown = names.iter().map(|one| match one {
        GeneralName::UniformResourceIdentifier(uri) => format!("URI {}", uri.as_str()),
        GeneralName::Rfc822Name(address) => format!("email {}", address.as_str()),
        GeneralName::DnsName(host) => format!("DNS {}", host.as_str()),
        GeneralName::DirectoryName(directory) => name(directory),
        GeneralName::OtherName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => {
            format!("#{}", hex::encode(&one.to_der().unwrap_or_default()))
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;
    use crate::key::{PublicKey, Signature};
    use crate::rehearsal::{RehearsalKey, RehearsalUse};
    use crate::x509::{DirectoryName, IssuerAltName, Rdn, assemble, profile};

    fn key() -> PublicKey {
        RehearsalKey {
            ca: Vec::new(),
            usage: RehearsalUse::Audit,
            generation: 1,
            attempt: 0,
            curve: Curve::P256,
        }
        .public()
        .unwrap()
    }

    fn certificate_der() -> Vec<u8> {
        let root = profile::root(&profile::Root {
            name: "root-g1".parse().unwrap(),
            ca: DirectoryName::new(&[
                Rdn::C("JP".into()),
                Rdn::O("機構".into()),
                Rdn::Cn("Sample, CA".into()),
            ])
            .unwrap(),
            key: "g1".parse().unwrap(),
            curve: Curve::P256,
            not_before: "2026-04-01T00:00:00+09:00".parse().unwrap(),
            validity: "5 years 4 months".parse().unwrap(),
            issuer_alt_name: IssuerAltName {
                uri: Some("https://iaca.example/".to_string()),
                email: None,
            },
            crl_urls: alloc::vec!["http://crl.example/g1.crl".to_string()],
            authority_key_identifier: false,
        })
        .unwrap();
        let keys = BTreeMap::from([("g1".parse().unwrap(), key())]);
        let tbs = root.to_der(&[0x55; 20], &keys).unwrap();
        // Any r and s in 1..n will do, because the text does not verify the signature.
        assemble(&tbs, Curve::P256, &Signature::from_raw(Curve::P256, &[1; 64]).unwrap())
    }

    #[test]
    fn a_certificate_is_shown_field_by_field() {
        let der = certificate_der();
        let ski = hex::encode(&key().key_identifier());
        let text = certificate(&der, "+09:00".parse().unwrap());
        for (field, value) in [
            ("version", "v3"),
            (
                "serialNumber",
                "5555555555555555555555555555555555555555 = \
             487167212443634306067894944238761006551977514325",
            ),
            ("signature", "ecdsa-with-SHA256 (1.2.840.10045.4.3.2)"),
            ("issuer", "C=JP, O=機構, CN=Sample\\, CA"),
            ("notBefore", "2026-04-01T00:00:00+09:00 = 2026-03-31T15:00:00Z"),
            ("notAfter", "2031-07-31T23:59:59+09:00 = 2031-07-31T14:59:59Z"),
            ("subjectPublicKey", "P-256 (1.2.840.10045.3.1.7)"),
            ("subjectKeyIdentifier", ski.as_str()),
            ("keyUsage (critical)", "keyCertSign cRLSign"),
            ("basicConstraints (critical)", "cA TRUE pathLenConstraint 0"),
            ("issuerAltName", "URI https://iaca.example/"),
            ("cRLDistributionPoints", "URI http://crl.example/g1.crl"),
            ("SHA-256", Digest::of(&der).to_string().as_str()),
        ] {
            let line = format!("{field:27}  {value}");
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }

    #[test]
    fn a_time_is_shown_once_in_utc() {
        let line = |offset: &str| {
            let text = certificate(&certificate_der(), offset.parse().unwrap());
            text.lines().find(|line| line.starts_with("notBefore")).unwrap().to_string()
        };
        assert!(line("+00:00").ends_with("  2026-03-31T15:00:00Z"));
        assert!(line("-03:30").ends_with("  2026-03-31T11:30:00-03:30 = 2026-03-31T15:00:00Z"));
    }

    #[test]
    fn what_is_no_certificate_is_called_so() {
        let text = certificate(b"octets", Offset::UTC);
        assert!(text.starts_with("no certificate"), "{text}");
    }

    #[test]
    fn a_batch_is_one_table() {
        let at = |text: &str| text.parse().unwrap();
        let row = |name: &str, number| BatchRow {
            name: name.to_string(),
            number,
            this_update: at("2026-04-01T00:00:00+09:00"),
            next_update: at("2026-04-04T00:00:00+09:00"),
            next_release: at("2026-04-02T00:00:00+09:00"),
            entries: 0,
            signed_at: at("2026-04-01T11:00:00+09:00"),
            der: b"octets",
        };
        let text = batch(&[row("crl-a", 65_536), row("crl-bb", 65_552)]);
        let lines: Vec<&str> = text.lines().collect();
        let asked = format!(
            "crl-a   65536 = 0x10000  2026-04-01T00:00:00+09:00  2026-04-04T00:00:00+09:00  \
             2026-04-02T00:00:00+09:00  0        6       {}  2026-04-01T11:00:00+09:00",
            Digest::of(b"octets")
        );
        assert_eq!(lines.get(1), Some(&asked.as_str()));
        assert_eq!(lines.get(3..), Some(&["", "crl-a is no CRL", "", "crl-bb is no CRL"][..]));
    }
}
