//! The rehearsal's keys: derived from public facts, so known to everyone, so recognisable.
//!
//! A rehearsal must give the same octets on every machine, so its keys are derived. That makes them worthless as
//! secrets, and gishiki refuses them wherever something real is judged: by computing the whole closed set again
//! ([`recognise`]), never by believing a flag.

use alloc::vec::Vec;

use hmac::{Hmac, KeyInit as _, Mac as _};
use p384::elliptic_curve::ff::PrimeField as _;
use p384::elliptic_curve::sec1::ToSec1Point as _;
use sha2::Sha384;

use crate::key::{Curve, PublicKey};

/// What a rehearsal key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RehearsalUse {
    /// A root key, P-384.
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
    /// 1 to 16.
    pub generation: u8,
    /// 0 to 15.
    pub attempt: u8,
    /// The curve.
    pub curve: Curve,
}

/// The highest generation of the closed set.
pub const GENERATIONS: u8 = 16;
/// The number of attempts of the closed set.
pub const ATTEMPTS: u8 = 16;

impl RehearsalKey {
    /// The private scalar, big-endian: HKDF-SHA-384 (RFC 5869) over public facts, the first try that lies in 1..n.
    ///
    /// Not a secret: anyone computes it from the CA's Name.
    #[must_use]
    pub fn private_octets(&self) -> Vec<u8> {
        let usage: &[u8] = match self.usage {
            RehearsalUse::Root => b"root",
            RehearsalUse::Audit => b"audit",
        };
        let pseudorandom = mac(b"gishiki rehearsal v1", &[&self.ca]);
        let facts = [self.generation, self.attempt];
        for tried in 0..=u8::MAX {
            let block = mac(&pseudorandom, &[usage, &facts, &[tried], &[1]]);
            let octets = block.get(..self.curve.field_octets()).unwrap_or_default();
            if point(self.curve, octets).is_some() {
                return octets.to_vec();
            }
        }
        Vec::new()
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> Option<PublicKey> {
        PublicKey::from_point(self.curve, &point(self.curve, &self.private_octets())?).ok()
    }
}

/// The uncompressed point of this scalar, if it lies in 1..n.
fn point(curve: Curve, scalar: &[u8]) -> Option<Vec<u8>> {
    Some(match curve {
        Curve::P256 => {
            let scalar = p256::Scalar::from_repr(scalar.try_into().ok()?).into_option()?;
            let point = p256::ProjectivePoint::GENERATOR
                * p256::NonZeroScalar::new(scalar).into_option()?.as_ref();
            point.to_affine().to_sec1_point(false).as_bytes().to_vec()
        }
        Curve::P384 => {
            let scalar = p384::Scalar::from_repr(scalar.try_into().ok()?).into_option()?;
            let point = p384::ProjectivePoint::GENERATOR
                * p384::NonZeroScalar::new(scalar).into_option()?.as_ref();
            point.to_affine().to_sec1_point(false).as_bytes().to_vec()
        }
    })
}

/// Every rehearsal key of a CA, in a fixed order: 16 generations of 16 attempts of each use.
pub fn all(ca: &[u8], root: Curve, audit: Curve) -> impl Iterator<Item = RehearsalKey> + '_ {
    [(RehearsalUse::Root, root), (RehearsalUse::Audit, audit)].into_iter().flat_map(
        move |(usage, curve)| {
            (1..=GENERATIONS).flat_map(move |generation| {
                (0..ATTEMPTS).map(move |attempt| RehearsalKey {
                    ca: ca.to_vec(),
                    usage,
                    generation,
                    attempt,
                    curve,
                })
            })
        },
    )
}

/// Whether this key is one of the CA's rehearsal keys, found by computing all of them.
#[must_use]
pub fn recognise(ca: &[u8], key: &PublicKey) -> bool {
    all(ca, key.curve(), key.curve()).any(|candidate| candidate.public().as_ref() == Some(key))
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 48] {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha384>::new_from_slice(key) else { return [0; 48] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
