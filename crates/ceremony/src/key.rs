//! Public keys and what they prove: curves, points, key identifiers, signatures.
//!
//! **Invariant:** a [`Proof`] exists only because [`Check::prove`] verified the signature in
//! software, over our own octets. **Deliberately absent:** every private key and every signing
//! operation.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384};

use crate::certain::Certain as _;
use crate::hex::Digest;
pub use verifier::Verifier;

mod verifier;

/// A named curve, with the digest that is signed under it.
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

    /// Octets of a field element: half of a raw signature, and the length of the digest that is
    /// signed.
    #[must_use]
    pub const fn field_octets(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    /// Octets of an uncompressed point (SEC 1 2.3.3).
    #[must_use]
    pub const fn point_octets(self) -> usize {
        1 + 2 * self.field_octets()
    }

    /// The digest of a message that is signed under this curve: SHA-256 or SHA-384.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256 => Sha256::digest(message).to_vec(),
            Self::P384 => Sha384::digest(message).to_vec(),
        }
    }
}

/// Why octets are no public key or no signature of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an uncompressed point of the curve.
    #[error("no uncompressed point on {}: {found} octets", .curve.name())]
    Point {
        /// The curve that was asked for.
        curve: Curve,
        /// How many octets were found.
        found: usize,
    },
    /// r or s is zero or not below the order of the curve, or the length is wrong.
    #[error("no raw r‖s signature for {}: {found} octets", .curve.name())]
    Signature {
        /// The curve that was asked for.
        curve: Curve,
        /// How many octets were found.
        found: usize,
    },
    /// The signature does not verify over our octets.
    #[error("the signature does not verify over the octets that were asked to be signed")]
    Verification,
}

/// A public key: an uncompressed point that lies on its curve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey {
    curve: Curve,
    point: Vec<u8>,
}

impl PublicKey {
    /// The key with this uncompressed point (`04 ‖ x ‖ y`); refused unless it lies on the curve.
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

    /// Whether a signature by this key is good on a message.
    pub fn verify(
        &self,
        message: &[u8],
        signature: &Signature,
        verifier: Verifier,
    ) -> Result<(), KeyError> {
        if self.curve == signature.curve && verifier.holds(self, message, signature) {
            return Ok(());
        }
        Err(KeyError::Verification)
    }
}

/// A raw signature, r ‖ s as PKCS #11 returns it, with r and s in 1..n.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Signature {
    curve: Curve,
    raw: Vec<u8>,
}

impl Signature {
    /// The signature with these octets; refused unless r and s are in 1..n.
    pub fn from_raw(curve: Curve, raw: &[u8]) -> Result<Self, KeyError> {
        match curve {
            Curve::P256 => p256::ecdsa::Signature::from_slice(raw).map(drop),
            Curve::P384 => p384::ecdsa::Signature::from_slice(raw).map(drop),
        }
        .map_err(|_| KeyError::Signature { curve, found: raw.len() })?;
        Ok(Self { curve, raw: raw.to_vec() })
    }

    /// r ‖ s.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// r, which is never seen twice.
    #[must_use]
    pub fn r(&self) -> &[u8] {
        self.raw.get(..self.curve.field_octets()).certain("raw is r ‖ s, each as long as the field")
    }

    /// What a ledger keeps of r for the life of its keys: its first 32 octets. Two signatures that
    /// share them give the key away, or are one in 2¹²⁸.
    #[must_use]
    pub fn nonce(&self) -> Nonce {
        let mut nonce = [0; 32];
        for (place, octet) in nonce.iter_mut().zip(self.r()) {
            *place = *octet;
        }
        Nonce(nonce)
    }

    /// r ‖ s out of an ECDSA-Sig-Value in DER.
    pub fn raw_from_der(curve: Curve, der: &[u8]) -> Result<Vec<u8>, KeyError> {
        match curve {
            Curve::P256 => p256::ecdsa::Signature::from_der(der).map(|s| s.to_bytes().to_vec()),
            Curve::P384 => p384::ecdsa::Signature::from_der(der).map(|s| s.to_bytes().to_vec()),
        }
        .map_err(|_| KeyError::Signature { curve, found: der.len() })
    }

    /// ECDSA-Sig-Value in DER (RFC 5758 3.2).
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

/// The first 32 octets of an r.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nonce([u8; 32]);

/// One signature that is still to be verified. It can be proved on any thread.
#[derive(Debug, Clone)]
pub struct Check {
    id: Digest,
    /// What the signature is on, for messages: an artefact's name.
    pub subject: String,
    key: PublicKey,
    message: Arc<[u8]>,
    signature: Signature,
}

/// The evidence that one [`Check`] held.
#[derive(Debug)]
#[must_use]
pub struct Proof(Digest);

impl Check {
    /// The check that `signature` by `key` is good on a message.
    pub(crate) fn new(
        subject: &str,
        key: &PublicKey,
        message: Arc<[u8]>,
        signature: Signature,
    ) -> Self {
        let digest = key.curve.digest(&message);
        let id = Digest::of_parts(
            "gishiki check v1",
            &[subject.as_bytes(), key.point(), &digest, signature.raw()],
        );
        Self { id, subject: String::from(subject), key: key.clone(), message, signature }
    }

    pub(crate) const fn id(&self) -> Digest {
        self.id
    }

    /// The signature that is to be verified.
    pub(crate) const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Whether one of these proofs is of this check.
    #[must_use]
    pub fn is_among(&self, proofs: &[Proof]) -> bool {
        proofs.iter().any(|proof| proof.0 == self.id)
    }

    /// Verifies the signature with the fastest verifier of this machine. For P-384, a third of a
    /// millisecond or a whole one.
    pub fn prove(&self) -> Result<Proof, KeyError> {
        self.prove_by(Verifier::fastest())
    }

    /// Verifies the signature with this verifier.
    pub fn prove_by(&self, verifier: Verifier) -> Result<Proof, KeyError> {
        self.key.verify(&self.message, &self.signature, verifier)?;
        Ok(Proof(self.id))
    }
}

impl Proof {
    pub(crate) const fn id(&self) -> Digest {
        self.0
    }
}
