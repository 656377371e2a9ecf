//! Keys and signatures of Document Signers on curves that no key of the CA lies on.

use alloc::vec::Vec;

use p521::ecdsa::signature::hazmat::PrehashVerifier as _;

use super::{Scheme, SignerCurve};

/// Whether these octets are a key on this curve, in its one encoding.
pub(super) fn is_key(curve: SignerCurve, octets: &[u8]) -> bool {
    // Of SEC 1, the uncompressed form alone: RFC 5480 2.2 has others, Annex B has not.
    let uncompressed = octets.first() == Some(&4);
    match curve {
        SignerCurve::P521 => uncompressed && p521(octets).is_some(),
        SignerCurve::BrainpoolP256r1 => uncompressed && bp256(octets).is_some(),
        SignerCurve::BrainpoolP384r1 => uncompressed && bp384(octets).is_some(),
        SignerCurve::Ed25519 => ed25519(octets).is_some(),
        SignerCurve::P256 | SignerCurve::P384 => false,
    }
}

/// The one encoding of a signature on this curve, if these octets are one.
pub(super) fn again(curve: SignerCurve, octets: &[u8]) -> Option<Vec<u8>> {
    Some(match curve {
        SignerCurve::P521 => {
            p521::ecdsa::Signature::from_der(octets).ok()?.to_der().as_bytes().to_vec()
        }
        SignerCurve::BrainpoolP256r1 => {
            bp256::r1::ecdsa::Signature::from_der(octets).ok()?.to_der().as_bytes().to_vec()
        }
        SignerCurve::BrainpoolP384r1 => {
            bp384::r1::ecdsa::Signature::from_der(octets).ok()?.to_der().as_bytes().to_vec()
        }
        SignerCurve::Ed25519 => {
            ed25519_dalek::Signature::from_slice(octets).ok()?.to_bytes().to_vec()
        }
        SignerCurve::P256 | SignerCurve::P384 => return None,
    })
}

/// Whether this is the key's signature on the message.
pub(super) fn holds(
    (curve, key): (SignerCurve, &[u8]),
    scheme: Scheme,
    (message, signature): (&[u8], &[u8]),
) -> bool {
    let held = match scheme {
        Scheme::Ecdsa(hash) => ecdsa((curve, key), &hash.digest(message), signature),
        Scheme::Ed25519 if curve == SignerCurve::Ed25519 => eddsa(key, message, signature),
        Scheme::Ed25519 => None,
    };
    held.is_some()
}

fn ecdsa((curve, key): (SignerCurve, &[u8]), digest: &[u8], signature: &[u8]) -> Option<()> {
    match curve {
        SignerCurve::P521 => {
            let signature = p521::ecdsa::Signature::from_der(signature).ok()?;
            p521(key)?.verify_prehash(digest, &signature).ok()
        }
        SignerCurve::BrainpoolP256r1 => {
            let signature = bp256::r1::ecdsa::Signature::from_der(signature).ok()?;
            bp256(key)?.verify_prehash(digest, &signature).ok()
        }
        SignerCurve::BrainpoolP384r1 => {
            let signature = bp384::r1::ecdsa::Signature::from_der(signature).ok()?;
            bp384(key)?.verify_prehash(digest, &signature).ok()
        }
        SignerCurve::Ed25519 | SignerCurve::P256 | SignerCurve::P384 => None,
    }
}

/// Strictly: no key and no R of small order, and S below the order (RFC 8032 5.1.7).
fn eddsa(key: &[u8], message: &[u8], signature: &[u8]) -> Option<()> {
    let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
    ed25519(key)?.verify_strict(message, &signature).ok()
}

fn p521(octets: &[u8]) -> Option<p521::ecdsa::VerifyingKey> {
    p521::ecdsa::VerifyingKey::from_sec1_bytes(octets).ok()
}

fn bp256(octets: &[u8]) -> Option<ecdsa::VerifyingKey<bp256::BrainpoolP256r1>> {
    ecdsa::VerifyingKey::from_sec1_bytes(octets).ok()
}

fn bp384(octets: &[u8]) -> Option<ecdsa::VerifyingKey<bp384::BrainpoolP384r1>> {
    ecdsa::VerifyingKey::from_sec1_bytes(octets).ok()
}

/// A point in its one encoding (y below the modulus: RFC 8032 5.1.3), and not of small order.
fn ed25519(octets: &[u8]) -> Option<ed25519_dalek::VerifyingKey> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(octets.try_into().ok()?).ok()?;
    let canonical = key.to_edwards().compress().to_bytes() == octets;
    (canonical && !key.is_weak()).then_some(key)
}
