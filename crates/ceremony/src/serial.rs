//! Numbers that are random, yet known at review: serial numbers and CKA_IDs.
//!
//! A serial number comes from 256 bits that a CSPRNG gave when the plan was written (RFC 5280
//! 4.1.2.2; ISO/IEC 18013-5 Annex B asks for at least 63 random bits, here are 159). A second
//! attempt has another number, so a number is never used for two signed structures.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha384;

use crate::certain::Certain as _;
use crate::name::Name;

/// The serial number of a certificate: the first 20 octets of HMAC-SHA-384(seed, "gishiki serial
/// v1" ‖ the CA's Name ‖ the certificate's name ‖ attempt ‖ try), top bit cleared; below 2¹⁵² the
/// next try.
#[must_use]
pub fn certificate(seed: &[u8; 32], ca: &[u8], certificate: &Name, attempt: u32) -> [u8; 20] {
    let mut found = [0; 20];
    for tried in 0..=u32::MAX {
        found = first_20(&mac(
            seed,
            "gishiki serial v1",
            &[ca, certificate.as_str().as_bytes()],
            &[attempt, tried],
        ));
        if let Some(first) = found.first_mut() {
            *first &= 0x7f;
            if *first != 0 {
                break;
            }
        }
    }
    found
}

/// The CKA_ID of a key's attempt: the first 20 octets of HMAC-SHA-384(seed, "gishiki id v1" ‖ key ‖
/// attempt).
#[must_use]
pub fn key_id(seed: &[u8; 32], key: &Name, attempt: u32) -> [u8; 20] {
    first_20(&mac(seed, "gishiki id v1", &[key.as_str().as_bytes()], &[attempt]))
}

/// Each part is preceded by its length in 4 octets, big-endian; numbers are 4 octets, big-endian.
fn mac(seed: &[u8; 32], domain: &str, parts: &[&[u8]], numbers: &[u32]) -> [u8; 48] {
    // HMAC takes keys of every length.
    let mac = Hmac::<Sha384>::new_from_slice(seed);
    let mut mac = mac.certain("HMAC takes a key of any length");
    mac.update(domain.as_bytes());
    for part in parts {
        mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        mac.update(part);
    }
    for number in numbers {
        mac.update(&number.to_be_bytes());
    }
    mac.finalize().into_bytes().into()
}

fn first_20(block: &[u8; 48]) -> [u8; 20] {
    *block.first_chunk().certain("20 octets of 48")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn serials_are_positive_of_20_octets_and_differ_by_name_and_attempt() {
        let mut seen = alloc::collections::BTreeSet::new();
        for name in ["root-g1", "root-g2", "ds-0001"] {
            for attempt in 0..200 {
                let serial = certificate(&[7; 32], b"ca", &name.parse().unwrap(), attempt);
                let first = serial.first().copied().unwrap();
                assert!((1..0x80).contains(&first));
                assert!(seen.insert(serial));
            }
        }
    }
}
