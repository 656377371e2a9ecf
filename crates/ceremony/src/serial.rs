//! Serial numbers and CKA_IDs, which are random and yet known at review.
//!
//! A serial number is derived from 256 bits of a CSPRNG in the plan (RFC 5280 4.1.2.2). ISO/IEC
//! 18013-5 Annex B asks for at least 63 random bits; here there are 159. A second attempt has
//! another number, so no number is used for two signed structures. A rehearsal and a drill have
//! other numbers than the real ceremony: what was signed in them is under the same issuer, and
//! whoever meets both must be able to tell them apart.

use alloc::collections::BTreeSet;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha384;

use crate::certain::Certain as _;
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::Mode;
use crate::says;

/// Returns the serial number of a certificate at this attempt.
///
/// It is the first 20 octets of HMAC-SHA-384(seed, the domain ‖ the CA's Name ‖ the certificate's
/// name ‖ attempt ‖ try) with the top bit cleared. If it is below 2¹⁵², the next try is taken. The
/// domain is "gishiki serial v1", in a rehearsal followed by " rehearsal", in a drill by " drill".
#[must_use]
pub fn certificate(
    seed: &[u8; 32],
    mode: Mode,
    ca: &[u8],
    certificate: &Name,
    attempt: u32,
) -> [u8; 20] {
    let domain = match mode {
        Mode::Rehearsal => "gishiki serial v1 rehearsal",
        Mode::Drill => "gishiki serial v1 drill",
        Mode::Real => "gishiki serial v1",
    };
    let mut found = [0; 20];
    for tried in 0..=u32::MAX {
        found =
            first_20(&mac(seed, domain, &[ca, certificate.as_str().as_bytes()], &[attempt, tried]));
        if let Some(first) = found.first_mut() {
            *first &= 0x7f;
            if *first != 0 {
                break;
            }
        }
    }
    found
}

/// Returns the CKA_ID of a key at this attempt: the first 20 octets of HMAC-SHA-384(seed, "gishiki
/// id v1" ‖ key ‖ attempt).
#[must_use]
pub fn key_id(seed: &[u8; 32], key: &Name, attempt: u32) -> [u8; 20] {
    first_20(&mac(seed, "gishiki id v1", &[key.as_str().as_bytes()], &[attempt]))
}

/// Says why 256 bits are obviously none of a CSPRNG; `None` if nothing is seen.
///
/// It sees what people type instead of drawing: few different octets, eight octets that occur
/// twice, and octets that count. Each occurs once in more than 10^16 draws of 256 bits.
#[must_use]
pub fn not_random(seed: &[u8; 32]) -> Option<Bilingual> {
    let distinct: BTreeSet<u8> = seed.iter().copied().collect();
    if distinct.len() < 16 {
        let distinct = distinct.len();
        return Some(says!(
            "互いに異なるオクテットは {distinct} 個だけ",
            "only {distinct} distinct octets"
        ));
    }
    let blocks: BTreeSet<&[u8]> = seed.windows(8).collect();
    if blocks.len() < seed.windows(8).len() {
        return Some(says!("8 オクテット以上の繰り返し", "eight octets or more that occur twice"));
    }
    let next = || seed.iter().zip(seed.iter().skip(1));
    let steps: BTreeSet<u8> = next().map(|(one, other)| other.wrapping_sub(*one)).collect();
    // Random octets have about 30 different steps among 31; a run that counts has one or, where it
    // counts in hexadecimal digits or begins again, two or three.
    (steps.len() < 8).then(|| {
        says!("一定の間隔で数え上げるオクテット", "octets that count, in steps that recur")
    })
}

/// Computes HMAC-SHA-384 over parts, each preceded by its length in 4 octets, big-endian, and
/// numbers of 4 octets, big-endian.
fn mac(seed: &[u8; 32], domain: &str, parts: &[&[u8]], numbers: &[u32]) -> [u8; 48] {
    // HMAC takes keys of any length.
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
    fn serials_are_positive_of_20_octets_and_differ_by_mode_name_and_attempt() {
        let mut seen = alloc::collections::BTreeSet::new();
        for mode in [Mode::Rehearsal, Mode::Drill, Mode::Real] {
            for name in ["root-g1", "root-g2", "ds-0001"] {
                for attempt in 0..200 {
                    let name = name.parse().unwrap();
                    let serial = certificate(&[7; 32], mode, b"ca", &name, attempt);
                    let first = serial.first().copied().unwrap();
                    assert!((1..0x80).contains(&first));
                    assert!(seen.insert(serial));
                }
            }
        }
    }

    #[test]
    fn a_seed_that_counts_or_repeats_is_seen() {
        let seed =
            |octet: fn(u8) -> u8| core::array::from_fn(|at| octet(u8::try_from(at).unwrap()));
        for typed in [
            seed(|_| 0),
            seed(|at| at % 8),
            seed(|at| at),
            seed(|at| 255 - at),
            seed(|at| at.wrapping_mul(0x11)),
            seed(|at| at % 16 * 7),
            seed(|at| (at % 16).wrapping_mul(at % 16).wrapping_mul(13)),
            seed(|at| at / 10 * 16 + at % 10),
        ] {
            assert!(not_random(&typed).is_some(), "{typed:?}");
        }
        for count in 0..1000_u32 {
            let drawn = mac(&[7; 32], "drawn", &[], &[count]);
            assert_eq!(not_random(drawn.first_chunk().unwrap()), None, "{drawn:?}");
        }
    }
}
