//! The keys of a rehearsal, which are derived from public facts and so can be recognised by anyone.
//!
//! A rehearsal must give the same octets on every machine, so its keys are derived. They are
//! therefore worthless as secrets, and gishiki refuses them wherever a real key is required: it
//! computes the whole closed set again ([`recognise`]) and trusts no flag.
//!
//! The private scalars of one use are consecutive: the first is derived with HKDF (RFC 5869), and
//! each attempt and generation adds one. So comparing a key with the whole set takes one scalar
//! multiplication and 32 additions.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use hmac::{Hmac, KeyInit as _, Mac as _};
use p384::elliptic_curve::ff::PrimeField as _;
use p384::elliptic_curve::sec1::ToSec1Point as _;
use sha2::Sha384;

use crate::certain::Certain as _;
use crate::key::{Curve, PublicKey};
use crate::name::Name;

/// What a rehearsal key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RehearsalUse {
    /// A root key.
    Root,
    /// An audit key, P-256.
    Audit,
}

/// One of the closed set of rehearsal keys of a CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalKey {
    /// The CA's Name in DER.
    pub ca: Vec<u8>,
    /// What it is for.
    pub usage: RehearsalUse,
    /// The generation, 1 to 16.
    pub generation: u8,
    /// The attempt, 0 to 15.
    pub attempt: u8,
    /// The curve.
    pub curve: Curve,
}

/// The highest generation of the closed set.
pub const GENERATIONS: u8 = 16;
/// The number of attempts of the closed set.
pub const ATTEMPTS: u8 = 16;

impl RehearsalKey {
    /// Returns the private scalar, big-endian; `None` outside the closed set.
    ///
    /// It is not a secret: anyone can compute it.
    #[must_use]
    pub fn private_octets(&self) -> Option<Vec<u8>> {
        let place = self.place()?;
        let first = first_octets(&self.ca, self.usage, self.curve);
        Some(match self.curve {
            Curve::P256 => {
                let scalar = p256_scalar(&first)? + p256::Scalar::from(place);
                scalar.to_repr().to_vec()
            }
            Curve::P384 => {
                let scalar = p384_scalar(&first)? + p384::Scalar::from(place);
                scalar.to_repr().to_vec()
            }
        })
    }

    /// Returns the public key; `None` outside the closed set.
    #[must_use]
    pub fn public(&self) -> Option<PublicKey> {
        let private = self.private_octets()?;
        let point = match self.curve {
            Curve::P256 => {
                let point = p256::ProjectivePoint::GENERATOR * p256_scalar(&private)?;
                point.to_affine().to_sec1_point(false).as_bytes().to_vec()
            }
            Curve::P384 => {
                let point = p384::ProjectivePoint::GENERATOR * p384_scalar(&private)?;
                point.to_affine().to_sec1_point(false).as_bytes().to_vec()
            }
        };
        PublicKey::from_point(self.curve, &point).ok()
    }

    /// Its offset among the keys of its use: (generation − 1) · 16 + attempt.
    fn place(&self) -> Option<u64> {
        let inside = (1..=GENERATIONS).contains(&self.generation) && self.attempt < ATTEMPTS;
        let place = u64::from(self.generation.checked_sub(1)?) * u64::from(ATTEMPTS);
        inside.then_some(place + u64::from(self.attempt))
    }
}

/// Returns the private scalar of a person's key in a rehearsal, big-endian, on P-256. Like all
/// private scalars here, it is not a secret.
#[must_use]
pub fn private_octets_of(ca: &[u8], person: &Name) -> Vec<u8> {
    derived(ca, &[b"person", person.as_str().as_bytes()], Curve::P256)
}

/// Returns the public key with which a person signs in a rehearsal.
#[must_use]
pub fn key_of(ca: &[u8], person: &Name) -> PublicKey {
    let scalar = p256_scalar(&private_octets_of(ca, person));
    let scalar = scalar.certain("a scalar whose highest octet is cleared");
    let point = (p256::ProjectivePoint::GENERATOR * scalar).to_affine().to_sec1_point(false);
    PublicKey::from_point(Curve::P256, point.as_bytes()).certain("a multiple of the generator")
}

/// Whether this key is one of the CA's rehearsal keys. Compares it with all of them.
#[must_use]
pub fn recognise(ca: &[u8], key: &PublicKey) -> bool {
    [RehearsalUse::Root, RehearsalUse::Audit].into_iter().any(|usage| {
        let first = first_octets(ca, usage, key.curve());
        match key.curve() {
            Curve::P256 => is_near_p256(&first, key),
            Curve::P384 => is_near_p384(&first, key),
        }
        .unwrap_or(false)
    })
}

/// Whether a point is that of the first scalar or of one of the next 255, by baby-step giant-step:
/// the difference is r + 16·q, with 16 values of each.
macro_rules! is_near {
    ($curve:ident, $first:expr, $key:expr) => {{
        use $curve::ProjectivePoint as Point;
        let sought = $curve::PublicKey::from_sec1_bytes($key.point()).ok()?.to_projective();
        let octets = |point: Point| point.to_affine().to_sec1_point(true).as_bytes().to_vec();
        let mut baby = BTreeSet::new();
        let mut point = Point::IDENTITY;
        for _ in 0..ATTEMPTS {
            baby.insert(octets(point));
            point += Point::GENERATOR;
        }
        let giant = point;
        let mut between = sought - Point::GENERATOR * $first;
        for _ in 0..GENERATIONS {
            if baby.contains(&octets(between)) {
                return Some(true);
            }
            between -= giant;
        }
        Some(false)
    }};
}

fn is_near_p256(first: &[u8], key: &PublicKey) -> Option<bool> {
    is_near!(p256, p256_scalar(first)?, key)
}

fn is_near_p384(first: &[u8], key: &PublicKey) -> Option<bool> {
    is_near!(p384, p384_scalar(first)?, key)
}

/// Derives the first scalar of a use, big-endian. Its highest octet is cleared, so that it and the
/// scalars counted from it are in 1..n.
fn first_octets(ca: &[u8], usage: RehearsalUse, curve: Curve) -> Vec<u8> {
    let usage: &[u8] = match usage {
        RehearsalUse::Root => b"root",
        RehearsalUse::Audit => b"audit",
    };
    derived(ca, &[usage], curve)
}

/// Derives a scalar from what it is for, big-endian, with its highest octet cleared.
fn derived(ca: &[u8], usage: &[&[u8]], curve: Curve) -> Vec<u8> {
    let pseudorandom = mac(b"gishiki rehearsal v1", &[ca]);
    let block = mac(&pseudorandom, &[usage, &[curve.name().as_bytes(), &[1]]].concat());
    let mut octets =
        block.get(..curve.field_octets()).certain("a field of at most 48 octets").to_vec();
    if let Some(highest) = octets.first_mut() {
        *highest = 0;
    }
    octets
}

fn p256_scalar(octets: &[u8]) -> Option<p256::Scalar> {
    p256::Scalar::from_repr(octets.try_into().ok()?).into_option()
}

fn p384_scalar(octets: &[u8]) -> Option<p384::Scalar> {
    p384::Scalar::from_repr(octets.try_into().ok()?).into_option()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 48] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha384>::new_from_slice(key) else { return [0; 48] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn key(usage: RehearsalUse, curve: Curve, generation: u8, attempt: u8) -> RehearsalKey {
        RehearsalKey { ca: b"a CA".to_vec(), usage, generation, attempt, curve }
    }

    #[test]
    fn every_key_of_the_closed_set_is_recognised_and_differs_from_the_others() {
        let mut seen = alloc::collections::BTreeSet::new();
        for (usage, curve) in [
            (RehearsalUse::Root, Curve::P384),
            (RehearsalUse::Root, Curve::P256),
            (RehearsalUse::Audit, Curve::P256),
        ] {
            for generation in [1, 2, 16] {
                for attempt in [0, 1, 15] {
                    let public = key(usage, curve, generation, attempt).public().unwrap();
                    assert!(recognise(b"a CA", &public));
                    assert!(!recognise(b"another CA", &public));
                    assert!(seen.insert(public));
                }
            }
        }
    }

    #[test]
    fn there_is_no_key_outside_the_closed_set() {
        for (generation, attempt) in [(0, 0), (17, 0), (1, 16), (255, 255)] {
            assert!(key(RehearsalUse::Root, Curve::P384, generation, attempt).public().is_none());
        }
    }
}
