//! The implementations of ECDSA verification, and the choice among them.
//!
//! Each takes the whole message and hashes it itself, so comparing two of them covers everything
//! from the message to the result. **Invariant:** the set is closed; code outside this crate cannot
//! supply a verifier.

use super::{Curve, Hash, PublicKey, Signature};

/// An implementation of ECDSA verification (FIPS 186-5 6.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verifier {
    /// `p256` and `p384`: plain Rust, on every machine.
    RustCrypto,
    /// `graviola`: formally verified assembly from s2n-bignum, on processors with the instructions
    /// that it needs.
    #[cfg(feature = "graviola")]
    Graviola,
}

impl Verifier {
    /// The fastest on this processor.
    #[must_use]
    pub fn fastest() -> Self {
        #[cfg(feature = "graviola")]
        if graviola::util::is_cpu_supported() {
            return Self::Graviola;
        }
        Self::RustCrypto
    }

    pub(super) fn holds(
        self,
        key: &PublicKey,
        hash: Hash,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        match self {
            Self::RustCrypto => rust_crypto(key, hash, message, signature).is_ok(),
            // Without the check, it would abort on a processor that lacks its instructions.
            #[cfg(feature = "graviola")]
            Self::Graviola => {
                graviola::util::is_cpu_supported()
                    && by_graviola(key, hash, message, signature).is_ok()
            }
        }
    }
}

fn rust_crypto(
    key: &PublicKey,
    hash: Hash,
    message: &[u8],
    signature: &Signature,
) -> Result<(), p384::ecdsa::Error> {
    let digest = hash.digest(message);
    match key.curve {
        Curve::P256 => {
            use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
            let verifying = p256::ecdsa::VerifyingKey::from_sec1_bytes(&key.point)?;
            let signature = p256::ecdsa::Signature::from_slice(&signature.raw)?;
            verifying.verify_prehash(&digest, &signature)
        }
        Curve::P384 => {
            use p384::ecdsa::signature::hazmat::PrehashVerifier as _;
            let verifying = p384::ecdsa::VerifyingKey::from_sec1_bytes(&key.point)?;
            let signature = p384::ecdsa::Signature::from_slice(&signature.raw)?;
            verifying.verify_prehash(&digest, &signature)
        }
    }
}

#[cfg(feature = "graviola")]
fn by_graviola(
    key: &PublicKey,
    hash: Hash,
    message: &[u8],
    signature: &Signature,
) -> Result<(), graviola::Error> {
    use graviola::hashing::{Sha256, Sha384, Sha512};
    use graviola::signing::ecdsa::{P256, P384, VerifyingKey};
    let (message, raw) = (&[message][..], signature.raw.as_slice());
    match key.curve {
        Curve::P256 => {
            let key = VerifyingKey::<P256>::from_x962_uncompressed(&key.point)?;
            match hash {
                Hash::Sha256 => key.verify::<Sha256>(message, raw),
                Hash::Sha384 => key.verify::<Sha384>(message, raw),
                Hash::Sha512 => key.verify::<Sha512>(message, raw),
            }
        }
        Curve::P384 => {
            let key = VerifyingKey::<P384>::from_x962_uncompressed(&key.point)?;
            match hash {
                Hash::Sha256 => key.verify::<Sha256>(message, raw),
                Hash::Sha384 => key.verify::<Sha384>(message, raw),
                Hash::Sha512 => key.verify::<Sha512>(message, raw),
            }
        }
    }
}
