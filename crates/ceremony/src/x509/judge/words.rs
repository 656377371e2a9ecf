//! Parts of structures in words, for messages.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use der::Decode as _;
use spki::SubjectPublicKeyInfoRef;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{CrlReason, KeyUsage};
use x509_cert::name::Name;

use crate::hex;
use crate::language::{Bilingual, Sentence, both};
use crate::says;
use crate::x509::{algorithm, readable};

/// A Name, in the order in which it is encoded.
pub(super) fn name(name: &Name) -> String {
    readable::name(name)
}

/// A Name as it is encoded: in words, and its octets, because those are compared.
pub(super) fn encoded(der: &[u8]) -> Bilingual {
    let text = Name::from_der(der).map(|found| name(&found)).unwrap_or_default();
    let octets = hex::encode(der);
    says!("{text}(DER {octets})", "{text} (DER {octets})")
}

/// The version of a structure.
pub(super) fn version(version: Version) -> Bilingual {
    Bilingual::plain(match version {
        Version::V1 => "version 1",
        Version::V2 => "version 2",
        Version::V3 => "version 3",
    })
}

/// Names of an issuerAltName or of a distribution point.
pub(super) fn general_names(names: &[GeneralName]) -> Bilingual {
    if names.is_empty() {
        return Bilingual::none();
    }
    Bilingual::plain(readable::general_names(names))
}

/// The distribution points of a certificate.
pub(super) fn points(points: &[DistributionPoint]) -> Bilingual {
    let names = points.iter().filter_map(|point| match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => Some(names.as_slice()),
        Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => None,
    });
    let names = general_names(&names.flatten().cloned().collect::<Vec<_>>());
    let (count, reasons) = (points.len(), points.iter().any(|point| point.reasons.is_some()));
    let issuer = points.iter().any(|point| point.crl_issuer.is_some());
    let more = match (reasons, issuer) {
        (true, true) => both("、reasons と cRLIssuer あり", ", with reasons and cRLIssuer"),
        (true, false) => both("、reasons あり", ", with reasons"),
        (false, true) => both("、cRLIssuer あり", ", with cRLIssuer"),
        (false, false) => both("", ""),
    };
    let Sentence { ja, en } = more;
    says!(names; "配布点 {count} 件: {names}{ja}", "{count} points: {names}{en}")
}

/// The names of the bits of a keyUsage.
pub(super) fn bits(usage: KeyUsage) -> Bilingual {
    let bits = readable::key_usage(usage);
    if bits.is_empty() {
        return Bilingual::none();
    }
    Bilingual::plain(bits)
}

/// The name of a revocation reason (RFC 5280 5.3.1).
pub(crate) const fn reason(reason: Option<CrlReason>) -> &'static str {
    match reason {
        None | Some(CrlReason::Unspecified) => "unspecified",
        Some(CrlReason::KeyCompromise) => "keyCompromise",
        Some(CrlReason::CaCompromise) => "cACompromise",
        Some(CrlReason::AffiliationChanged) => "affiliationChanged",
        Some(CrlReason::Superseded) => "superseded",
        Some(CrlReason::CessationOfOperation) => "cessationOfOperation",
        Some(CrlReason::CertificateHold) => "certificateHold",
        Some(CrlReason::RemoveFromCRL) => "removeFromCRL",
        Some(CrlReason::PrivilegeWithdrawn) => "privilegeWithdrawn",
        Some(CrlReason::AaCompromise) => "aACompromise",
    }
}

/// A number that may be longer than any integer of the machine: in decimal, then in hexadecimal.
pub(crate) fn number(octets: &[u8]) -> String {
    format!("{} (0x{})", readable::decimal(octets), hex::encode(octets))
}

/// The algorithm of a key and the length of its value.
pub(super) fn key(spki: &[u8]) -> Bilingual {
    let Ok(info) = SubjectPublicKeyInfoRef::try_from(spki) else { return Bilingual::none() };
    let curve = info.algorithm.parameters_oid().ok();
    let curve = curve.map(|oid| format!(" {}", algorithm::curve(oid))).unwrap_or_default();
    let oid = algorithm::named(info.algorithm.oid);
    let length = info.subject_public_key.raw_bytes().len();
    says!(
        "アルゴリズム {oid}{curve}、{length} オクテットの鍵",
        "algorithm {oid}{curve}, a key of {length} octets"
    )
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_of_any_length_is_written_in_decimal_and_hexadecimal() {
        assert_eq!(number(&[]), "0 (0x)");
        assert_eq!(number(&[0]), "0 (0x00)");
        assert_eq!(number(&[2, 0, 0x50]), "131152 (0x020050)");
        let long = number(&[0xff; 20]);
        assert!(long.starts_with("1461501637330902918203684832716283019655932542975 (0xff"));
    }
}
