//! Certificates and batches of CRLs as text, for people to read beside the octets.
//!
//! The text is read out of the finished octets, never out of the description, so it shows what was
//! made, not what was meant. The same octets give the same text on every machine. **Deliberately
//! absent:** reading such a text again.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::{Any, ObjectIdentifier};
use der::{Decode as _, Encode as _, Tag, Tagged as _};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, GeneralNames};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, KeyUsage, SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::time::Time;

use super::{named_curve, signature_algorithm, signature_name};
use crate::hex::{self, Digest};
use crate::key::Curve;
use crate::time::Instant;

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
    /// When the next one shall be released; it has no field in X.509 (CP/CPS 7.2.2, D1).
    pub next_release: Instant,
    /// How many certificates it revokes.
    pub entries: usize,
    /// When it was signed (CP/CPS 4.9.7, D29).
    pub signed_at: Instant,
    /// The finished CRL.
    pub der: &'a [u8],
}

/// The text of a finished certificate: its fields, its extensions, its fingerprint.
#[must_use]
pub fn certificate(der: &[u8]) -> String {
    let mut lines = match CertificateInner::<Raw>::from_der(der) {
        Ok(certificate) => fields(&certificate),
        Err(error) => Vec::from([("no certificate".to_string(), error.to_string())]),
    };
    lines.push(("length".to_string(), format!("{} octets", der.len())));
    lines.push(("SHA-256".to_string(), Digest::of(der).to_string()));
    let width = lines.iter().map(|(field, _)| field.chars().count()).max().unwrap_or_default();
    lines.iter().map(|(field, value)| format!("{field:width$}  {value}\n")).collect()
}

/// The table of a batch, one CRL a line, in the order given.
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
            row.number.to_string(),
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
    table.iter().map(text).collect()
}

fn fields(certificate: &CertificateInner<Raw>) -> Vec<(String, String)> {
    let tbs = certificate.tbs_certificate();
    let validity = tbs.validity();
    let key = tbs.subject_public_key_info();
    let spki = key.to_der().unwrap_or_default();
    let mut lines: Vec<(String, String)> = [
        ("version", format!("{:?}", tbs.version()).to_lowercase()),
        ("serialNumber", hex::encode(tbs.serial_number().as_bytes())),
        ("signature", algorithm(tbs.signature().oid)),
        ("issuer", name(tbs.issuer())),
        ("notBefore", time(validity.not_before)),
        ("notAfter", time(validity.not_after)),
        ("subject", name(tbs.subject())),
        ("subjectPublicKey", curve(key.algorithm.parameters.as_ref())),
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

/// A time in Japan and in UTC: auditors read the one, other tools show the other.
fn time(time: Time) -> String {
    let utc = time.to_date_time().to_string();
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok();
    match seconds.and_then(|seconds| Instant::from_unix(seconds).ok()) {
        Some(at) => format!("{at} = {utc}"),
        None => utc,
    }
}

fn algorithm(oid: ObjectIdentifier) -> String {
    let known = [Curve::P256, Curve::P384].into_iter().find(|c| signature_algorithm(*c) == oid);
    known.map_or_else(|| oid.to_string(), |curve| format!("{} ({oid})", signature_name(curve)))
}

fn curve(parameters: Option<&Any>) -> String {
    let oid = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let Some(oid) = oid else { return "no named curve".into() };
    let known = [Curve::P256, Curve::P384].into_iter().find(|c| named_curve(*c) == oid);
    known.map_or_else(|| oid.to_string(), |curve| format!("{} ({oid})", curve.name()))
}

/// A name in the order of its attributes, as [`super::DirectoryName`] shows it.
pub(crate) fn name(name: &Name) -> String {
    let attributes = name.iter().map(|attribute| {
        let kind = match attribute.oid.to_string().as_str() {
            "2.5.4.6" => "C".to_string(),
            "2.5.4.10" => "O".to_string(),
            "2.5.4.3" => "CN".to_string(),
            other => other.to_string(),
        };
        format!("{kind}={}", text(&attribute.value))
    });
    attributes.collect::<Vec<_>>().join(", ")
}

/// A string's characters, or the octets of anything that is no readable string.
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
        _ => return None,
    };
    Some((kind.to_string(), text))
}

/// The bits by the names of RFC 5280 4.2.1.3.
fn key_usage(usage: KeyUsage) -> String {
    let bits = [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ];
    bits.into_iter().filter(|(set, _)| *set).map(|(_, bit)| bit).collect::<Vec<_>>().join(" ")
}

fn general_names(names: &[GeneralName]) -> String {
    let shown = names.iter().map(|name| match name {
        GeneralName::UniformResourceIdentifier(uri) => format!("URI {}", uri.as_str()),
        GeneralName::Rfc822Name(address) => format!("email {}", address.as_str()),
        GeneralName::DnsName(_)
        | GeneralName::OtherName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => {
            format!("#{}", hex::encode(&name.to_der().unwrap_or_default()))
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
    use crate::x509::{DirectoryName, assemble, profile};

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
            ca: DirectoryName::new("JP", "機構", "Sample, CA").unwrap(),
            key: "g1".parse().unwrap(),
            curve: Curve::P256,
            not_before: "2026-04-01T00:00:00+09:00".parse().unwrap(),
            validity: "5 years 4 months".parse().unwrap(),
            issuer_alt_name: "https://iaca.example/".to_string(),
            crl_url: "http://crl.example/g1.crl".to_string(),
        })
        .unwrap();
        let keys = BTreeMap::from([("g1".parse().unwrap(), key())]);
        let tbs = root.to_der(&[0x55; 20], &keys).unwrap();
        // Any r and s in 1..n will do: the text does not judge.
        assemble(&tbs, Curve::P256, &Signature::from_raw(Curve::P256, &[1; 64]).unwrap())
    }

    #[test]
    fn a_certificate_is_shown_field_by_field() {
        let der = certificate_der();
        let ski = hex::encode(&key().key_identifier());
        let text = certificate(&der);
        for (field, value) in [
            ("version", "v3"),
            ("serialNumber", "5555555555555555555555555555555555555555"),
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
    fn what_is_no_certificate_is_called_so() {
        let text = certificate(b"octets");
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
            "crl-a   65536   2026-04-01T00:00:00+09:00  2026-04-04T00:00:00+09:00  \
             2026-04-02T00:00:00+09:00  0        6       {}  2026-04-01T11:00:00+09:00",
            Digest::of(b"octets")
        );
        assert_eq!(lines.get(1), Some(&asked.as_str()));
        assert_eq!(lines.len(), 3);
    }
}
