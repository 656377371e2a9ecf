//! Names of algorithms and curves in words, with their object identifiers.
//!
//! A message that gives a number alone sends its reader to a search engine. The tables have what
//! tools write into requests, also what no CA here takes. **Deliberately absent:** any judgement.

use alloc::format;
use alloc::string::{String, ToString as _};

use der::asn1::ObjectIdentifier;

use crate::language::Bilingual;
use crate::says;

/// Algorithms of keys and signatures (RFC 3279, 4055, 5480, 5758, 8410).
const ALGORITHMS: &[(&str, &str)] = &[
    ("1.2.840.10045.2.1", "a key on an elliptic curve"),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1"),
    ("1.2.840.10045.4.3.1", "ECDSA with SHA-224"),
    ("1.2.840.10045.4.3.2", "ECDSA with SHA-256"),
    ("1.2.840.10045.4.3.3", "ECDSA with SHA-384"),
    ("1.2.840.10045.4.3.4", "ECDSA with SHA-512"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.113549.1.1.1", "RSA"),
    ("1.2.840.113549.1.1.5", "RSA with SHA-1"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    ("1.2.840.113549.1.1.11", "RSA with SHA-256"),
    ("1.2.840.113549.1.1.12", "RSA with SHA-384"),
    ("1.2.840.113549.1.1.13", "RSA with SHA-512"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
];

/// Curves (RFC 5480 2.1.1.1, RFC 5639 4.1, SEC 2 2.4.1).
const CURVES: &[(&str, &str)] = &[
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.9", "brainpoolP320r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
];

/// Kinds of keys that ISO/IEC 18013-5 Annex B gives a Document Signer and no well-kept crate
/// verifies (decision 0107), with the length of a key: brainpoolP320r1, brainpoolP512r1, Ed448.
const UNVERIFIED: &[(&str, usize)] =
    &[("1.3.36.3.3.2.8.1.1.9", 81), ("1.3.36.3.3.2.8.1.1.13", 129), ("1.3.101.113", 57)];

/// Returns the length of a key of this kind, if Annex B has it and nothing here verifies by it.
pub(super) fn unverified(oid: ObjectIdentifier) -> Option<usize> {
    let number = oid.to_string();
    UNVERIFIED.iter().find(|(known, _)| *known == number).map(|(_, octets)| *octets)
}

/// Says of which kind a key is, and why it is refused if ISO/IEC 18013-5 has that kind.
pub(super) fn refused(oid: ObjectIdentifier, name: String) -> Bilingual {
    match unverified(oid) {
        None => Bilingual::plain(name),
        Some(_) => says!(
            "{name}(ISO/IEC 18013-5 は認めるが、このプログラムはその署名を検証できない)",
            "{name}, which ISO/IEC 18013-5 allows; this program cannot verify its signatures"
        ),
    }
}

/// Returns the algorithm in words with its number, or its number alone if it is unknown here.
pub(crate) fn named(oid: ObjectIdentifier) -> String {
    words(ALGORITHMS, oid)
}

/// Returns the curve's name with its number, or its number alone if it is unknown here.
pub(crate) fn curve(oid: ObjectIdentifier) -> String {
    words(CURVES, oid)
}

fn words(table: &[(&str, &str)], oid: ObjectIdentifier) -> String {
    let number = oid.to_string();
    let known = table.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.clone(), |(_, name)| format!("{name} ({number})"))
}
