//! The implementations of ECDSA verification, and which of them this machine has.
//!
//! Both are given the whole message and hash it themselves, so what is compared is everything
//! between a message and "good". **Invariant:** the set is closed; nobody outside this crate can
//! bring a verifier that says yes.

use super::{Curve, PublicKey, Signature};

/// An implementation of ECDSA verification (FIPS 186-5 6.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verifier {
    /// `p256` and `p384`: plain Rust, on every machine.
    RustCrypto,
    /// `graviola`: assembly of s2n-bignum that is proved correct, on processors that have its
    /// instructions.
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

    pub(super) fn holds(self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        match self {
            Self::RustCrypto => rust_crypto(key, message, signature).is_ok(),
            // It would stop the program on a processor without its instructions.
            #[cfg(feature = "graviola")]
            Self::Graviola => {
                graviola::util::is_cpu_supported() && by_graviola(key, message, signature).is_ok()
            }
        }
    }
}

fn rust_crypto(
    key: &PublicKey,
    message: &[u8],
    signature: &Signature,
) -> Result<(), p384::ecdsa::Error> {
    let digest = key.curve.digest(message);
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
    message: &[u8],
    signature: &Signature,
) -> Result<(), graviola::Error> {
    use graviola::hashing::{Sha256, Sha384};
    use graviola::signing::ecdsa::{P256, P384, VerifyingKey};
    match key.curve {
        Curve::P256 => VerifyingKey::<P256>::from_x962_uncompressed(&key.point)?
            .verify::<Sha256>(&[message], &signature.raw),
        Curve::P384 => VerifyingKey::<P384>::from_x962_uncompressed(&key.point)?
            .verify::<Sha384>(&[message], &signature.raw),
    }
}
