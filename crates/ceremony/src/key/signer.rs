//! The keys of Document Signers, whose possession a request proves.
//!
//! ISO/IEC 18013-5 gives them more curves than this CA signs on. **Invariant:** a [`SignerKey`] is
//! a point of its curve, in the one encoding that certificates have. **Deliberately absent:**
//! brainpoolP320r1, brainpoolP512r1 and Ed448, which no well-kept crate verifies (decision 0107).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use super::{Curve, Hash, KeyError, PublicKey, Signature, Verifier};

#[cfg(feature = "signers")]
mod further;
/// The core alone stands on few crates and verifies what its own keys sign: it refuses the others.
#[cfg(not(feature = "signers"))]
mod further {
    use super::{Scheme, SignerCurve, Vec};

    pub(super) const fn is_key(_: SignerCurve, _: &[u8]) -> bool {
        false
    }

    pub(super) const fn again(_: SignerCurve, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    pub(super) const fn holds(_: (SignerCurve, &[u8]), _: Scheme, _: (&[u8], &[u8])) -> bool {
        false
    }
}

/// A curve on which a Document Signer's key may lie (ISO/IEC 18013-5 Annex B), as far as a proof of
/// possession by it can be verified here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SignerCurve {
    /// secp256r1.
    #[serde(rename = "P-256")]
    P256,
    /// secp384r1.
    #[serde(rename = "P-384")]
    P384,
    /// secp521r1.
    #[serde(rename = "P-521")]
    P521,
    /// brainpoolP256r1 (RFC 5639).
    #[serde(rename = "brainpoolP256r1")]
    BrainpoolP256r1,
    /// brainpoolP384r1 (RFC 5639).
    #[serde(rename = "brainpoolP384r1")]
    BrainpoolP384r1,
    /// Ed25519 (RFC 8032), whose signatures name no hash function.
    Ed25519,
}

impl SignerCurve {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::BrainpoolP256r1,
        Self::BrainpoolP384r1,
        Self::Ed25519,
    ];

    /// The same curve, if the CA signs on it too.
    const fn own(self) -> Option<Curve> {
        match self {
            Self::P256 => Some(Curve::P256),
            Self::P384 => Some(Curve::P384),
            Self::P521 | Self::BrainpoolP256r1 | Self::BrainpoolP384r1 | Self::Ed25519 => None,
        }
    }

    /// The curve's name, as policies write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::BrainpoolP256r1 => "brainpoolP256r1",
            Self::BrainpoolP384r1 => "brainpoolP384r1",
            Self::Ed25519 => "Ed25519",
        }
    }
}

/// A Document Signer's public key: a point of its curve.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignerKey {
    curve: SignerCurve,
    octets: Vec<u8>,
}

impl SignerKey {
    /// Makes a key from the content of a subjectPublicKey: `04 ‖ x ‖ y`, or the 32 octets of
    /// Ed25519 (RFC 8410 4).
    ///
    /// # Errors
    /// [`KeyError::Signer`] if the octets have another form, the point is not on the curve, or it
    /// is an Ed25519 key of small order, under which a signature is good for almost every message.
    pub fn from_octets(curve: SignerCurve, octets: &[u8]) -> Result<Self, KeyError> {
        let holds = match curve.own() {
            Some(own) => PublicKey::from_point(own, octets).is_ok(),
            None => further::is_key(curve, octets),
        };
        let found = octets.len();
        let refused = || KeyError::Signer { curve, found };
        holds.then(|| Self { curve, octets: octets.to_vec() }).ok_or_else(refused)
    }

    /// The curve.
    #[must_use]
    pub const fn curve(&self) -> SignerCurve {
        self.curve
    }

    /// The content of the subjectPublicKey.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The subject key identifier of RFC 5280 4.2.1.2 (1): SHA-1 of the BIT STRING's value.
    #[must_use]
    pub fn key_identifier(&self) -> [u8; 20] {
        Sha1::digest(&self.octets).into()
    }

    /// Verifies a signature by this key on a message.
    ///
    /// P-256 and P-384 are verified by `verifier`, the others always by their one implementation.
    ///
    /// # Errors
    /// [`KeyError::Verification`], also if the signature is for another curve.
    pub fn verify(
        &self,
        message: &[u8],
        signature: &SignerSignature,
        verifier: Verifier,
    ) -> Result<(), KeyError> {
        let holds = self.curve == signature.curve
            && match self.curve.own() {
                Some(own) => self.holds(own, message, signature, verifier),
                None => further::holds(
                    (self.curve, &self.octets),
                    signature.scheme,
                    (message, &signature.octets),
                ),
            };
        if holds { Ok(()) } else { Err(KeyError::Verification) }
    }

    fn holds(&self, own: Curve, message: &[u8], of: &SignerSignature, by: Verifier) -> bool {
        let key = PublicKey::from_point(own, &self.octets);
        let raw = Signature::raw_from_der(own, &of.octets);
        let signature = raw.and_then(|raw| Signature::from_raw(own, &raw));
        match (of.scheme, key, signature) {
            (Scheme::Ecdsa(hash), Ok(key), Ok(signature)) => {
                key.verify_hashed(hash, message, &signature, by).is_ok()
            }
            (Scheme::Ecdsa(_) | Scheme::Ed25519, Ok(_) | Err(_), Ok(_) | Err(_)) => false,
        }
    }
}

/// How a Document Signer's key signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// ECDSA on a message that was hashed with this function (RFC 5758 3.2).
    Ecdsa(Hash),
    /// Ed25519, which hashes for itself (RFC 8410 3).
    Ed25519,
}

/// A signature by a Document Signer's key, as a request has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerSignature {
    curve: SignerCurve,
    scheme: Scheme,
    octets: Vec<u8>,
}

impl SignerSignature {
    /// Reads the content of a signature's BIT STRING: ECDSA-Sig-Value in DER, or the 64 octets of
    /// Ed25519 (RFC 8032 5.1.6).
    ///
    /// # Errors
    /// [`KeyError::SignerSignature`] if the scheme is not the curve's, or the octets are not the
    /// one encoding of two integers from 1 to n − 1, or not 64.
    pub fn read(curve: SignerCurve, scheme: Scheme, octets: &[u8]) -> Result<Self, KeyError> {
        let fits = match scheme {
            Scheme::Ecdsa(_) => curve != SignerCurve::Ed25519,
            Scheme::Ed25519 => curve == SignerCurve::Ed25519,
        };
        let again = match curve.own() {
            _ if !fits => None,
            Some(own) => again(own, octets),
            None => further::again(curve, octets),
        };
        match again {
            Some(again) if again == octets => Ok(Self { curve, scheme, octets: again }),
            Some(_) | None => Err(KeyError::SignerSignature { curve, found: octets.len() }),
        }
    }

    pub(super) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// The one encoding of a signature on a curve of the CA.
fn again(curve: Curve, der: &[u8]) -> Option<Vec<u8>> {
    let raw = Signature::raw_from_der(curve, der).ok()?;
    Some(Signature::from_raw(curve, &raw).ok()?.to_der())
}
