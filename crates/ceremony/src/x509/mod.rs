//! Certificates and CRLs (RFC 5280, ISO/IEC 18013-5 Annex B), described first and encoded when the
//! keys are known.
//!
//! A description has named holes for the values that the token or the ledger supplies: public keys,
//! key identifiers, serial and CRL numbers. The same description gives the lines of the graph, and
//! the octets to be signed in rehearsal and reality. [`judge`] judges the encoded octets: it
//! decodes them with the types of another author and does not know the descriptions.
//!
//! **Invariant:** the octets follow only from the description and the values for its holes.
//! **Deliberately absent:** signing, clocks, random serial numbers, PEM.

mod address;
pub(crate) mod algorithm;
mod encoding;

pub mod certificate;
pub mod crl;
pub mod extension;
pub mod judge;
pub mod name;
pub mod profile;
pub mod readable;
pub mod request;
mod revocation;

pub use address::IssuerAltName;
pub(crate) use address::shown_urls;
pub use certificate::{SubjectKey, ToBeSignedCertificate};
pub use crl::ToBeSignedCrl;
pub use extension::{Extension, KeyUse};
pub(crate) use name::shown;
pub use name::{DirectoryName, DirectoryNameError, Rdn};
pub use revocation::{Reason, Revoked};

use alloc::string::String;
use alloc::vec::Vec;

use der::Encode as _;
use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};

use crate::certain::Certain as _;
use crate::hex::Digest;
use crate::key::{Curve, Hash, PublicKey, Signature, SignerCurve, SignerKey};
use crate::language::Bilingual;
use crate::name::Name;
use crate::says;
use crate::time::Instant;

/// Why a description could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A hole has no value, because a key is missing.
    #[error("{}", self.said().en)]
    NoKey {
        /// The key's name.
        key: Name,
    },
    /// The supplied key is on another curve than planned.
    #[error("{}", self.said().en)]
    WrongCurve {
        /// The key's name.
        key: Name,
        /// The curve of the description.
        asked: Curve,
        /// The curve of the key.
        found: Curve,
    },
    /// A time is outside the years 1970 to 9999.
    #[error("{}", self.said().en)]
    Time {
        /// The time of the description.
        found: Instant,
    },
    /// A URI or e-mail address is not an IA5String (RFC 5280 4.2.1.6).
    #[error("{}", self.said().en)]
    Uri {
        /// The text of the description.
        found: String,
    },
    /// A certificate has a CRL number, which only a CRL can have.
    #[error("{}", self.said().en)]
    NoNumber,
    /// The graph does not contain the structure that it names.
    #[error("{}", self.said().en)]
    NoStructure,
    /// The structure is too long for the DER encoder, or cannot be encoded for another reason.
    #[error("{}", self.said().en)]
    Der(String),
}

impl EncodeError {
    /// Words the error in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        match self {
            Self::NoKey { key } => says!(
                "必要な `{key}` の公開鍵なし",
                "the public key of `{key}` is needed; no such key was supplied"
            ),
            Self::WrongCurve { key, asked, found } => says!(
                "{} でなければならない鍵 `{key}` が {}",
                "the key `{key}` shall lie on {}; found {}",
                asked.name(),
                found.name()
            ),
            Self::Time { found } => says!(
                "1970 年から 9999 年までの外にある時刻 {found}",
                "a time in the years 1970 to 9999 is needed; found {found}"
            ),
            Self::Uri { found } => {
                says!(
                    "ASCII でないアドレス `{found}`",
                    "an address in ASCII is needed; found `{found}`"
                )
            }
            Self::NoNumber => {
                says!("CRL 番号は電子証明書にはない", "a certificate has no CRL number")
            }
            Self::NoStructure => says!(
                "グラフのこの場所に署名の対象なし",
                "there is no structure at this place of the graph"
            ),
            Self::Der(error) => says!("DER でない: {error}", "not DER: {error}"),
        }
    }
}

impl From<der::Error> for EncodeError {
    fn from(error: der::Error) -> Self {
        Self::Der(alloc::format!("{error}"))
    }
}

/// id-ecPublicKey (RFC 5480 2.1.1).
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// ecdsa-with-SHA256 for P-256, ecdsa-with-SHA384 for P-384 (RFC 5758 3.2).
pub(crate) const fn signature_algorithm(curve: Curve) -> ObjectIdentifier {
    ecdsa_with(curve.hash())
}

/// ecdsa-with-SHA256, ecdsa-with-SHA384 and ecdsa-with-SHA512 (RFC 5758 3.2).
const fn ecdsa_with(hash: Hash) -> ObjectIdentifier {
    match hash {
        Hash::Sha256 => ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
        Hash::Sha384 => ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"),
        Hash::Sha512 => ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"),
    }
}

/// secp256r1 and secp384r1 (RFC 5480 2.1.1.1).
pub(crate) const fn named_curve(curve: Curve) -> ObjectIdentifier {
    match curve {
        Curve::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        Curve::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
    }
}

/// id-Ed25519, of keys and of signatures (RFC 8410 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The named curve of a Document Signer's key (RFC 5480 2.1.1.1, RFC 5639 4.1); Ed25519 has none.
pub(crate) const fn named_signer_curve(curve: SignerCurve) -> Option<ObjectIdentifier> {
    match curve {
        SignerCurve::P256 => Some(named_curve(Curve::P256)),
        SignerCurve::P384 => Some(named_curve(Curve::P384)),
        SignerCurve::P521 => Some(ObjectIdentifier::new_unwrap("1.3.132.0.35")),
        SignerCurve::BrainpoolP256r1 => Some(ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.7")),
        SignerCurve::BrainpoolP384r1 => Some(ObjectIdentifier::new_unwrap("1.3.36.3.3.2.8.1.1.11")),
        SignerCurve::Ed25519 => None,
    }
}

/// Returns the standard's name of the signature algorithm for this curve.
pub(crate) const fn signature_name(curve: Curve) -> &'static str {
    match curve {
        Curve::P256 => "ecdsa-with-SHA256",
        Curve::P384 => "ecdsa-with-SHA384",
    }
}

/// Returns ECParameters in DER: the object identifier of the named curve, as in CKA_EC_PARAMS.
#[must_use]
pub fn curve_parameters(curve: Curve) -> Vec<u8> {
    named_curve(curve).to_der().certain("an object identifier of 5 or 8 octets")
}

/// Returns SubjectPublicKeyInfo in DER (RFC 5480 2): id-ecPublicKey, the named curve, and the
/// uncompressed point.
#[must_use]
pub fn subject_public_key_info(key: &PublicKey) -> Vec<u8> {
    key_info(Some(named_curve(key.curve())), key.point())
}

/// Returns SubjectPublicKeyInfo of a Document Signer's key in DER: as for a key of the CA, or for
/// Ed25519 without parameters (RFC 8410 3, 4).
#[must_use]
pub fn signer_key_info(key: &SignerKey) -> Vec<u8> {
    key_info(named_signer_curve(key.curve()), key.octets())
}

fn key_info(curve: Option<ObjectIdentifier>, key: &[u8]) -> Vec<u8> {
    let oid =
        |oid: ObjectIdentifier| oid.to_der().certain("an object identifier of 3 to 11 octets");
    let algorithm = match curve {
        Some(curve) => encoding::sequence(&[oid(EC_PUBLIC_KEY), oid(curve)]),
        None => encoding::sequence(&[oid(ED25519)]),
    };
    let key = BitStringRef::from_bytes(key).and_then(|bits| bits.to_der());
    encoding::sequence(&[algorithm, key.certain("a key of at most 133 octets")])
}

impl SignerKey {
    /// Returns SHA-256 of the SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn spki_digest(&self) -> Digest {
        Digest::of(&signer_key_info(self))
    }

    /// Reads a SubjectPublicKeyInfo in DER, if it is the one encoding of a key on one of the
    /// curves.
    pub(crate) fn from_info(spki: &[u8]) -> Option<Self> {
        let info = spki::SubjectPublicKeyInfoRef::try_from(spki).ok()?;
        let octets = info.subject_public_key.as_bytes()?;
        let mut keys = SignerCurve::ALL.into_iter().flat_map(|c| Self::from_octets(c, octets));
        keys.find(|key| signer_key_info(key) == spki)
    }
}

impl PublicKey {
    /// Returns SHA-256 of the SubjectPublicKeyInfo in DER, by which anchors and bindings name a
    /// key.
    #[must_use]
    pub fn spki_digest(&self) -> Digest {
        Digest::of(&subject_public_key_info(self))
    }
}

/// Returns the signed structure in DER: the octets that were signed, the algorithm, and the
/// signature (RFC 5280 4.1.1, 5.1.1).
#[must_use]
pub fn assemble(tbs: &[u8], curve: Curve, signature: &Signature) -> Vec<u8> {
    use der::Decode as _;
    let signature = signature.to_der();
    let assembled = || {
        encoding::Assembled {
            tbs: AnyRef::from_der(tbs)?,
            algorithm: encoding::AlgorithmIdentifier { algorithm: signature_algorithm(curve) },
            signature: BitStringRef::from_bytes(&signature)?,
        }
        .to_der()
    };
    assembled()
        .certain("octets to be signed that were encoded here, with a signature of 104 octets")
}

/// Parses well-formed DER as ANY, to put it inside another structure.
fn embedded(der: &[u8]) -> Result<der::asn1::Any, EncodeError> {
    use der::Decode as _;
    Ok(AnyRef::from_der(der)?.into())
}
