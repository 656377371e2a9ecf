//! Roots and CRLs out of the product's profiles, signed by keys of the tests, and a Document Signer
//! beside them.
//!
//! The Document Signer's certificate is put together octet by octet: it must not share a line with
//! the product, because it is what other people's validators judge the product's root by.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Encoding as _};
use ceremony::key::{Curve, PublicKey, Signature};
use ceremony::name::Name;
use ceremony::time::{Instant, Offset};
use ceremony::x509::profile::{self, Crl, Root};
use ceremony::x509::{DirectoryName, IssuerAltName, Rdn, Revoked, ToBeSignedCertificate, assemble};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;

/// The serial number of every root of the tests.
pub(crate) const ROOT_SERIAL: [u8; 20] = [0x55; 20];
/// The serial number of every Document Signer of the tests.
pub(crate) const SIGNER_SERIAL: [u8; 20] = [0x66; 20];

pub(crate) const ISSUER_ALT_NAME: &str = "https://iaca.example/";
pub(crate) const CRL_URL: &str = "http://crl.example/g1.crl";

/// A key pair of the tests: everyone knows the private key.
#[derive(Clone, Copy)]
pub(crate) struct TestKey {
    pub(crate) curve: Curve,
    pub(crate) octet: u8,
}

impl TestKey {
    fn scalar(self) -> Vec<u8> {
        vec![self.octet; self.curve.field_octets()]
    }

    pub(crate) fn public(self) -> PublicKey {
        let point = match self.curve {
            Curve::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&self.scalar()).unwrap();
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
            }
            Curve::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&self.scalar()).unwrap();
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec()
            }
        };
        PublicKey::from_point(self.curve, &point).unwrap()
    }

    pub(crate) fn sign(self, message: &[u8]) -> Signature {
        let digest = self.curve.digest(message);
        let raw = match self.curve {
            Curve::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&self.scalar()).unwrap();
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                signature.to_bytes().to_vec()
            }
            Curve::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&self.scalar()).unwrap();
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                signature.to_bytes().to_vec()
            }
        };
        Signature::from_raw(self.curve, &raw).unwrap()
    }

    /// The signed structure.
    pub(crate) fn signed(self, tbs: &[u8]) -> Vec<u8> {
        assemble(tbs, self.curve, &self.sign(tbs))
    }

    pub(crate) fn keys(self) -> BTreeMap<Name, PublicKey> {
        BTreeMap::from([("g1".parse().unwrap(), self.public())])
    }
}

/// Some validators know no other time than the machine's, so their chains begin some days before
/// it.
pub(crate) fn days_ago(days: i64) -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Instant::from_unix(i64::try_from(now).unwrap() - days * 86_400, Offset::UTC).unwrap()
}

pub(crate) fn ca() -> DirectoryName {
    name("JP", "地方公共団体情報システム機構", "Sample IACA")
}

pub(crate) fn issuer_alt_name() -> IssuerAltName {
    IssuerAltName { uri: Some(ISSUER_ALT_NAME.into()), email: None }
}

/// A Name of country, organisation and common name.
pub(crate) fn name(country: &str, organization: &str, common_name: &str) -> DirectoryName {
    let rdns = [Rdn::C(country.into()), Rdn::O(organization.into()), Rdn::Cn(common_name.into())];
    DirectoryName::new(&rdns).unwrap()
}

/// The root as the product describes it.
pub(crate) fn root(curve: Curve, not_before: Instant) -> ToBeSignedCertificate {
    profile::root(&Root {
        name: "root-g1".parse().unwrap(),
        ca: ca(),
        key: "g1".parse().unwrap(),
        curve,
        not_before,
        validity: "5 years 4 months".parse().unwrap(),
        issuer_alt_name: issuer_alt_name(),
        crl_urls: vec![CRL_URL.into()],
        authority_key_identifier: false,
    })
    .unwrap()
}

/// A signed CRL of the product's profile, for three days.
pub(crate) fn crl(key: TestKey, this_update: Instant, revoked: Vec<Revoked>) -> Vec<u8> {
    let next_update = this_update.plus(&"3 days".parse().unwrap()).unwrap();
    let description = profile::crl(&Crl {
        name: "crl-g1".parse().unwrap(),
        ca: ca(),
        key: "g1".parse().unwrap(),
        curve: key.curve,
        this_update,
        next_update,
        revoked: revoked.into(),
    });
    key.signed(&description.to_der(65_536, &key.keys()).unwrap())
}

/// A Document Signer's certificate (ISO/IEC 18013-5 B.1.4), valid for four months.
pub(crate) fn document_signer(issuer: TestKey, subject: TestKey, not_before: Instant) -> Vec<u8> {
    let algorithm: &[u8] = match issuer.curve {
        Curve::P256 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
        Curve::P384 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3],
    };
    let named_curve: &[u8] = match subject.curve {
        Curve::P256 => &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        Curve::P384 => &[6, 5, 0x2b, 0x81, 4, 0, 0x22],
    };
    let ec_public_key = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    let point = subject.public();
    let not_after = not_before.plus(&"4 months".parse().unwrap()).unwrap();
    let issuer_id = tlv(0x80, &[&issuer.public().key_identifier()]);
    let subject_id = tlv(4, &[&point.key_identifier()]);
    let uri = |text: &str| tlv(0x86, &[text.as_bytes()]);
    let point_name = tlv(0xa0, &[&tlv(0xa0, &[&uri(CRL_URL)])]);
    let extended_key_usage = [0x30, 9, 6, 7, 0x28, 0x81, 0x8c, 0x5d, 5, 1, 2];
    let extensions = tlv(
        0x30,
        &[
            &extension(35, false, &tlv(0x30, &[&issuer_id])),
            &extension(14, false, &subject_id),
            &extension(15, true, &[3, 2, 7, 0x80]),
            &extension(37, true, &extended_key_usage),
            &extension(18, false, &tlv(0x30, &[&uri(ISSUER_ALT_NAME)])),
            &extension(31, false, &tlv(0x30, &[&tlv(0x30, &[&point_name])])),
        ],
    );
    let tbs = tlv(
        0x30,
        &[
            &[0xa0, 3, 2, 1, 2],
            &tlv(2, &[&SIGNER_SERIAL]),
            algorithm,
            ca().der(),
            &tlv(0x30, &[&utc(not_before), &utc(not_after)]),
            name("JP", "機構", "Sample DS 0001").der(),
            &tlv(
                0x30,
                &[&tlv(0x30, &[&ec_public_key, named_curve]), &tlv(3, &[&[0], point.point()])],
            ),
            &tlv(0xa3, &[&extensions]),
        ],
    );
    let signature = issuer.sign(&tbs).to_der();
    tlv(0x30, &[&tbs, algorithm, &tlv(3, &[&[0], &signature])])
}

/// An extension under id-ce (2.5.29).
pub(crate) fn extension(kind: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    tlv(0x30, &[&[6, 3, 0x55, 0x1d, kind], critical, &tlv(4, &[value])])
}

pub(crate) fn utc(at: Instant) -> Vec<u8> {
    let (year, month, day, hour, minute, second) = at.utc();
    let year = year % 100;
    let text = format!("{year:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    tlv(0x17, &[text.as_bytes()])
}

/// Tag, length, value (X.690 8.1).
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let [high, low] = u16::try_from(value.len()).unwrap().to_be_bytes();
    let header = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [header, value].concat()
}

/// PEM (RFC 7468).
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
