//! X.509 (stub for the skeleton, replaced at once).
use crate::key::PublicKey;
use alloc::vec::Vec;
/// SubjectPublicKeyInfo in DER.
#[must_use]
pub fn subject_public_key_info(_key: &PublicKey) -> Vec<u8> {
    Vec::new()
}
