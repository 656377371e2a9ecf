//! Certificates and CRLs (RFC 5280, ISO/IEC 18013-5 Annex B): described once, encoded when the keys
//! are known.
//!
//! A description holds names where the token or the ledger supplies the value: public keys, key
//! identifiers, serial and CRL numbers. The same description gives the lines of the graph, the
//! octets to be signed in a rehearsal and those in the room. What is encoded here is judged in
//! [`judge`], which decodes the octets with the types of another author and knows nothing of the
//! descriptions.
//!
//! **Invariant:** the octets follow from the description and what fills its holes, from nothing
//! else.
//! **Deliberately absent:** signing, clocks, random serial numbers, PEM.

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

pub use certificate::ToBeSignedCertificate;
pub use crl::ToBeSignedCrl;
pub use extension::{Extension, KeyUse};
pub use name::{DirectoryName, DirectoryNameError};
pub use revocation::{Reason, Revoked};

use alloc::string::String;
use alloc::vec::Vec;

use der::Encode as _;
use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};

use crate::certain::Certain as _;
use crate::hex::Digest;
use crate::key::{Curve, PublicKey, Signature};
use crate::name::Name;
use crate::time::Instant;

/// Why a description could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A hole is still open.
    #[error("the public key of `{key}` is needed; no such key was supplied")]
    NoKey {
        /// The key's name.
        key: Name,
    },
    /// The key that was supplied is not of the planned kind.
    #[error("the key `{key}` shall lie on {}; found {}", asked.name(), found.name())]
    WrongCurve {
        /// The key's name.
        key: Name,
        /// The curve of the description.
        asked: Curve,
        /// The curve of the key.
        found: Curve,
    },
    /// X.509 writes the years 1970 to 9999 here.
    #[error("a time in the years 1970 to 9999 is needed; found {found}")]
    Time {
        /// The time of the description.
        found: Instant,
    },
    /// A URI is an IA5String (RFC 5280 4.2.1.6).
    #[error("a URI in ASCII is needed; found `{found}`")]
    Uri {
        /// The text of the description.
        found: String,
    },
    /// A CRL number stands in CRLs only.
    #[error("a certificate has no CRL number")]
    NoNumber,
    /// The graph names a structure that it does not hold.
    #[error("there is no structure at this place of the graph")]
    NoStructure,
    /// The structure is longer than DER of ours can be.
    #[error("no DER: {0}")]
    Der(String),
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
    match curve {
        Curve::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
        Curve::P384 => ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"),
    }
}

/// secp256r1 and secp384r1 (RFC 5480 2.1.1.1).
pub(crate) const fn named_curve(curve: Curve) -> ObjectIdentifier {
    match curve {
        Curve::P256 => ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
        Curve::P384 => ObjectIdentifier::new_unwrap("1.3.132.0.34"),
    }
}

/// How a standard writes the algorithm that signs under this curve.
pub(crate) const fn signature_name(curve: Curve) -> &'static str {
    match curve {
        Curve::P256 => "ecdsa-with-SHA256",
        Curve::P384 => "ecdsa-with-SHA384",
    }
}

/// ECParameters in DER: the object identifier of the named curve, as CKA_EC_PARAMS holds it.
#[must_use]
pub fn curve_parameters(curve: Curve) -> Vec<u8> {
    named_curve(curve).to_der().certain("an object identifier of 5 or 8 octets")
}

/// SubjectPublicKeyInfo in DER (RFC 5480 2): id-ecPublicKey, the named curve, the uncompressed
/// point.
#[must_use]
pub fn subject_public_key_info(key: &PublicKey) -> Vec<u8> {
    let algorithm = encoding::sequence(&[
        EC_PUBLIC_KEY.to_der().certain("an object identifier of 7 octets"),
        curve_parameters(key.curve()),
    ]);
    let point = BitStringRef::from_bytes(key.point()).and_then(|bits| bits.to_der());
    encoding::sequence(&[algorithm, point.certain("a point of at most 97 octets")])
}

impl PublicKey {
    /// The SHA-256 of the SubjectPublicKeyInfo in DER: how anchors and bindings name a key.
    #[must_use]
    pub fn spki_digest(&self) -> Digest {
        Digest::of(&subject_public_key_info(self))
    }
}

/// The signed structure: the octets that were signed, the algorithm, and the signature (RFC 5280
/// 4.1.1, 5.1.1).
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

/// ANY in DER that is known to be well formed, to stand inside another structure.
fn embedded(der: &[u8]) -> Result<der::asn1::Any, EncodeError> {
    use der::Decode as _;
    Ok(AnyRef::from_der(der)?.into())
}
