//! Public keys and signature verification: curves, points, key identifiers, signatures.
//!
//! **Invariant:** a [`Proof`] exists only because [`Check::prove`] verified the signature in
//! software, over the octets that this program asked to be signed. **Deliberately absent:** private
//! keys and signing.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::certain::Certain as _;
use crate::hex::Digest;
use crate::language::Bilingual;
use crate::says;
pub use signer::{Scheme, SignerCurve, SignerKey, SignerSignature};
pub use verifier::Verifier;

mod signer;
mod verifier;
mod written;

/// A named curve, together with the hash function that is used with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Curve {
    /// secp256r1 with SHA-256: the audit key, and the shadow chains of tests.
    #[serde(rename = "P-256")]
    P256,
    /// secp384r1 with SHA-384: the root keys.
    #[serde(rename = "P-384")]
    P384,
}

impl Curve {
    /// The curve's name as FIPS 186-5 and plans write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// The length of a field element in octets. It is also half the length of a raw signature, and
    /// the length of the digest that is signed.
    #[must_use]
    pub const fn field_octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    /// The length of an uncompressed point in octets (SEC 1 2.3.3).
    #[must_use]
    pub const fn point_octets(self) -> usize {
        1 + 2 * self.field_octets()
    }

    /// The hash function with which this CA signs on this curve: SHA-256 or SHA-384.
    #[must_use]
    pub const fn hash(self) -> Hash {
        match self {
            Self::P256 => Hash::Sha256,
            Self::P384 => Hash::Sha384,
        }
    }

    /// Hashes a message for signing on this curve: SHA-256 or SHA-384.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        self.hash().digest(message)
    }
}

/// A hash function of FIPS 180-4, with which a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name that FIPS 180-4 gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Hashes a message.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// The reason why octets are rejected as a public key or as a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The octets are not an uncompressed point on the curve.
    #[error("{}", self.said().en)]
    Point {
        /// The curve that was asked for.
        curve: Curve,
        /// How many octets were found.
        found: usize,
    },
    /// The length is wrong, or r or s is zero or not below the order of the curve.
    #[error("{}", self.said().en)]
    Signature {
        /// The curve that was asked for.
        curve: Curve,
        /// How many octets were found.
        found: usize,
    },
    /// The octets are not a Document Signer's key on this curve.
    #[error("{}", self.said().en)]
    Signer {
        /// The curve that was asked for.
        curve: SignerCurve,
        /// How many octets were found.
        found: usize,
    },
    /// The octets are not the one encoding of a signature on this curve.
    #[error("{}", self.said().en)]
    SignerSignature {
        /// The curve that was asked for.
        curve: SignerCurve,
        /// How many octets were found.
        found: usize,
    },
    /// The signature does not verify over the octets that were asked to be signed.
    #[error("{}", self.said().en)]
    Verification,
}

impl KeyError {
    /// The reason in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        match self {
            Self::Point { curve, found } => says!(
                "{} の非圧縮の点でない {found} オクテット",
                "not an uncompressed point on {}: {found} octets",
                curve.name()
            ),
            Self::Signature { curve, found } => says!(
                "{} の r‖s の署名でない {found} オクテット",
                "not a raw r‖s signature for {}: {found} octets",
                curve.name()
            ),
            Self::Signer { curve: SignerCurve::Ed25519, found } => says!(
                "Ed25519 の公開鍵でない {found} オクテット",
                "not a public key of Ed25519: {found} octets"
            ),
            Self::Signer { curve, found } => says!(
                "{} の非圧縮の点でない {found} オクテット",
                "not an uncompressed point on {}: {found} octets",
                curve.name()
            ),
            Self::SignerSignature { curve, found } => says!(
                "{} の署名(規定の符号化)でない {found} オクテット",
                "not a signature of {} in its one encoding: {found} octets",
                curve.name()
            ),
            Self::Verification => says!(
                "署名を求めたオクテット列に対して正しくない署名",
                "the signature does not verify over the octets that were asked to be signed"
            ),
        }
    }
}

/// A public key: an uncompressed point that lies on its curve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    curve: Curve,
    point: Vec<u8>,
}

impl PublicKey {
    /// Makes a key from an uncompressed point (`04 ‖ x ‖ y`).
    ///
    /// # Errors
    /// [`KeyError::Point`] if the octets have another form, or the point is not on the curve.
    pub fn from_point(curve: Curve, point: &[u8]) -> Result<Self, KeyError> {
        let refused = || KeyError::Point { curve, found: point.len() };
        if point.len() != curve.point_octets() || point.first() != Some(&4) {
            return Err(refused());
        }
        match curve {
            Curve::P256 => p256::PublicKey::from_sec1_bytes(point).map(drop),
            Curve::P384 => p384::PublicKey::from_sec1_bytes(point).map(drop),
        }
        .map_err(|_| refused())?;
        Ok(Self { curve, point: point.to_vec() })
    }

    /// The curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The uncompressed point: 65 octets for P-256, 97 for P-384.
    #[must_use]
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    /// The subject key identifier of RFC 5280 4.2.1.2 (1): SHA-1 of the BIT STRING's value.
    #[must_use]
    pub fn key_identifier(&self) -> [u8; 20] {
        Sha1::digest(&self.point).into()
    }

    /// Verifies a signature by this key on a message, hashed with the curve's own hash function.
    ///
    /// # Errors
    /// [`KeyError::Verification`], also if the signature is for another curve.
    pub fn verify(
        &self,
        message: &[u8],
        signature: &Signature,
        verifier: Verifier,
    ) -> Result<(), KeyError> {
        self.verify_hashed(self.curve.hash(), message, signature, verifier)
    }

    /// Verifies a signature by this key on a message that was hashed with this function.
    ///
    /// # Errors
    /// [`KeyError::Verification`], also if the signature is for another curve.
    pub fn verify_hashed(
        &self,
        hash: Hash,
        message: &[u8],
        signature: &Signature,
        verifier: Verifier,
    ) -> Result<(), KeyError> {
        if self.curve == signature.curve && verifier.holds(self, hash, message, signature) {
            return Ok(());
        }
        Err(KeyError::Verification)
    }
}

/// A raw signature r ‖ s, as PKCS #11 returns it, with r and s from 1 to n − 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signature {
    curve: Curve,
    raw: Vec<u8>,
}

impl Signature {
    /// Makes a signature from these octets.
    ///
    /// # Errors
    /// [`KeyError::Signature`] if the length is wrong, or r or s is not from 1 to n − 1.
    pub fn from_raw(curve: Curve, raw: &[u8]) -> Result<Self, KeyError> {
        match curve {
            Curve::P256 => p256::ecdsa::Signature::from_slice(raw).map(drop),
            Curve::P384 => p384::ecdsa::Signature::from_slice(raw).map(drop),
        }
        .map_err(|_| KeyError::Signature { curve, found: raw.len() })?;
        Ok(Self { curve, raw: raw.to_vec() })
    }

    /// The octets r ‖ s.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The value r. Two signatures by one key must never have the same r.
    #[must_use]
    pub fn r(&self) -> &[u8] {
        self.raw.get(..self.curve.field_octets()).certain("raw is r ‖ s, each as long as the field")
    }

    /// The first 32 octets of r, which a ledger keeps to detect a repeated nonce.
    ///
    /// Two signatures with the same value used the same nonce, which reveals the private key. A
    /// coincidence is negligible: it needs about 2¹²⁸ signatures.
    #[must_use]
    pub fn nonce(&self) -> Nonce {
        let mut nonce = [0; 32];
        for (place, octet) in nonce.iter_mut().zip(self.r()) {
            *place = *octet;
        }
        Nonce(nonce)
    }

    /// Converts an ECDSA-Sig-Value in DER (RFC 5758 3.2) to r ‖ s.
    ///
    /// # Errors
    /// [`KeyError::Signature`] if it is not DER of two integers in range.
    pub fn raw_from_der(curve: Curve, der: &[u8]) -> Result<Vec<u8>, KeyError> {
        match curve {
            Curve::P256 => p256::ecdsa::Signature::from_der(der).map(|s| s.to_bytes().to_vec()),
            Curve::P384 => p384::ecdsa::Signature::from_der(der).map(|s| s.to_bytes().to_vec()),
        }
        .map_err(|_| KeyError::Signature { curve, found: der.len() })
    }

    /// The signature as ECDSA-Sig-Value in DER (RFC 5758 3.2).
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        match self.curve {
            Curve::P256 => p256::ecdsa::Signature::from_slice(&self.raw)
                .map(|s| s.to_der().as_bytes().to_vec()),
            Curve::P384 => p384::ecdsa::Signature::from_slice(&self.raw)
                .map(|s| s.to_der().as_bytes().to_vec()),
        }
        .certain("raw was read as a signature of this curve")
    }
}

/// The first 32 octets of the r of a signature; see [`Signature::nonce`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nonce([u8; 32]);

/// A signature that is still to be verified, with its key and message.
///
/// It can be proved on any thread.
#[derive(Debug, Clone)]
pub struct Check {
    id: Digest,
    /// The signed object, for messages: usually the name of an artefact.
    pub subject: String,
    /// The signature in words, where the object has no name or the signer matters.
    called: Option<Bilingual>,
    /// The line or file in which the signature is.
    place: Option<Bilingual>,
    claim: Claim,
    message: Arc<[u8]>,
}

/// Whose signature it is.
#[derive(Debug, Clone)]
enum Claim {
    /// That of a key of the CA, with the hash function of its curve.
    Ours(PublicKey, Signature),
    /// That of a Document Signer's key, in a request.
    Signer(SignerKey, SignerSignature),
}

/// Evidence that one [`Check`] was verified.
#[derive(Debug)]
#[must_use]
pub struct Proof(Digest);

impl Check {
    /// A check of `signature` by `key` on a message, hashed with the curve's own hash function.
    pub(crate) fn new(
        subject: &str,
        key: &PublicKey,
        message: Arc<[u8]>,
        signature: Signature,
    ) -> Self {
        let digest = key.curve.digest(&message);
        let id = identity(subject, &[key.point(), &digest, signature.raw()]);
        Self::of(id, subject, Claim::Ours(key.clone(), signature), message)
    }

    /// A check that a request is signed by the Document Signer's key in it.
    pub(crate) fn possession(
        subject: &str,
        key: &SignerKey,
        message: Arc<[u8]>,
        signature: SignerSignature,
    ) -> Self {
        let (scheme, digest) = match signature.scheme() {
            Scheme::Ecdsa(hash) => (hash.name(), hash.digest(&message)),
            Scheme::Ed25519 => (SignerCurve::Ed25519.name(), message.to_vec()),
        };
        let curve = key.curve().name();
        let parts: [&[u8]; 5] =
            [curve.as_bytes(), key.octets(), scheme.as_bytes(), &digest, signature.octets()];
        let id = identity(subject, &parts);
        Self::of(id, subject, Claim::Signer(key.clone(), signature), message)
    }

    fn of(id: Digest, subject: &str, claim: Claim, message: Arc<[u8]>) -> Self {
        Self { id, subject: String::from(subject), called: None, place: None, claim, message }
    }

    /// The same check, with these words for the signature.
    pub(crate) fn called(self, words: Bilingual) -> Self {
        Self { called: Some(words), ..self }
    }

    /// The same check of a signature that is in this line or file.
    pub(crate) fn placed(self, place: Bilingual) -> Self {
        Self { place: Some(place), ..self }
    }

    /// The signature in words.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let subject = &self.subject;
        let named = || says!("{subject} の署名", "a signature on {subject}");
        self.called.clone().unwrap_or_else(named)
    }

    /// The line or file in which the signature is; `None` if it is in none yet.
    #[must_use]
    pub const fn place(&self) -> Option<&Bilingual> {
        self.place.as_ref()
    }

    pub(crate) const fn id(&self) -> Digest {
        self.id
    }

    /// Whether one of these proofs belongs to this check.
    #[must_use]
    pub fn is_among(&self, proofs: &[Proof]) -> bool {
        proofs.iter().any(|proof| proof.0 == self.id)
    }

    /// Verifies the signature with the fastest verifier on this machine.
    ///
    /// For P-384 this takes 0.3 to 1 ms, depending on the verifier.
    ///
    /// # Errors
    /// [`KeyError::Verification`].
    pub fn prove(&self) -> Result<Proof, KeyError> {
        self.prove_by(Verifier::fastest())
    }

    /// Verifies the signature with this verifier.
    ///
    /// # Errors
    /// [`KeyError::Verification`].
    pub fn prove_by(&self, verifier: Verifier) -> Result<Proof, KeyError> {
        match &self.claim {
            Claim::Ours(key, signature) => key.verify(&self.message, signature, verifier)?,
            Claim::Signer(key, signature) => key.verify(&self.message, signature, verifier)?,
        }
        Ok(Proof(self.id))
    }
}

/// The identity of a check: everything that is verified, and what it is called.
fn identity(subject: &str, parts: &[&[u8]]) -> Digest {
    Digest::of_parts("gishiki check v1", &[&[subject.as_bytes()], parts].concat())
}

impl Proof {
    pub(crate) const fn id(&self) -> Digest {
        self.0
    }
}
