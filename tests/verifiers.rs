//! The two verifiers of ECDSA agree: on every signature of the goldens, and on the vectors of
//! Wycheproof, which are made to tell implementations apart.

use std::collections::BTreeMap;
use std::fs;

use ceremony::key::{
    Check, Curve, Hash, PublicKey, Scheme, Signature, SignerCurve, SignerKey, SignerSignature,
    Verifier,
};
use ceremony::plan::Plan;
use ceremony::verify::replay;

use crate::support::{root, sealed, state_after};

const BOTH: [Verifier; 2] = [Verifier::RustCrypto, Verifier::Graviola];

/// A processor without its instructions has the one in Rust alone, and the tests below say so.
#[test]
fn the_fast_one_is_taken_where_the_processor_has_its_instructions() {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap();
    let flags = processor.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has = |flag: &str| flags.split_whitespace().any(|word| word == flag);
    let asked = ["adx", "bmi1", "bmi2", "avx2", "aes", "pclmulqdq", "ssse3"];
    assert_eq!(Verifier::fastest() == Verifier::Graviola, asked.into_iter().all(has), "{flags}");
}

/// Every signature that the golden ceremonies have, those of their requests too.
fn golden_checks() -> Vec<Check> {
    let mut found = Vec::new();
    for folder in fs::read_dir(root().join("golden/mdoc-root")).unwrap() {
        let sealed = sealed(&folder.unwrap().path());
        let plan = Plan::parse(&sealed.inputs["plan.toml"]).unwrap();
        found.extend(replay(&sealed, &state_after(plan.after.get_ref())).unwrap().checks);
    }
    found
}

#[test]
fn both_prove_every_signature_of_the_goldens() {
    let checks = golden_checks();
    for check in &checks {
        for verifier in BOTH {
            let _held = check.prove_by(verifier).unwrap_or_else(|error| {
                panic!("{}: {verifier:?}: {error}", check.subject);
            });
        }
    }
    assert!(checks.len() > 1_300, "{}", checks.len());
    println!("{} signatures", checks.len());
}

/// A test of Wycheproof.
struct Vector {
    name: String,
    valid: bool,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

fn vectors(file: &str) -> Vec<Vector> {
    let path = root().join("tests/verifiers").join(file).with_extension("txt");
    let octets = |text: &str| match text {
        "-" => Vec::new(),
        hex => ceremony::hex::decode(hex).unwrap(),
    };
    let vector = |line: &str| {
        let parts: Vec<&str> = line.split(' ').collect();
        let [id, result, key, message, signature] = parts.as_slice() else { panic!("{line}") };
        Vector {
            name: format!("{file} {id}"),
            valid: *result == "valid",
            key: octets(key),
            message: octets(message),
            signature: octets(signature),
        }
    };
    fs::read_to_string(path).unwrap().lines().map(vector).collect()
}

/// Whether this signature is good, as both say.
fn both_say(vector: &Vector, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    let [one, other] = BOTH.map(|verifier| key.verify(message, signature, verifier).is_ok());
    assert_eq!(one, other, "{}", vector.name);
    one
}

fn judge(file: &str, curve: Curve, der: bool) -> BTreeMap<&'static str, usize> {
    let mut counted = BTreeMap::new();
    for vector in vectors(file) {
        let key = PublicKey::from_point(curve, &vector.key).unwrap();
        let raw = match der {
            true => Signature::raw_from_der(curve, &vector.signature),
            false => Ok(vector.signature.clone()),
        };
        let signature = raw.and_then(|raw| Signature::from_raw(curve, &raw));
        let Ok(signature) = signature else {
            assert!(!vector.valid, "{}: refused as no signature", vector.name);
            *counted.entry("no signature").or_default() += 1;
            continue;
        };
        let good = both_say(&vector, &key, &vector.message, &signature);
        assert_eq!(good, vector.valid, "{}", vector.name);
        *counted.entry(if good { "good" } else { "bad" }).or_default() += 1;
        // One bit less or more, of either, and both refuse.
        let mut message = vector.message.clone();
        if let Some(octet) = message.first_mut() {
            *octet ^= 1;
            assert!(!both_say(&vector, &key, &message, &signature), "{}", vector.name);
        }
        let mut raw = signature.raw().to_vec();
        // Not the last bit: the vectors have an s of which it makes n − s, which is as good.
        *raw.last_mut().unwrap() ^= 2;
        if let Ok(other) = Signature::from_raw(curve, &raw) {
            assert!(!both_say(&vector, &key, &vector.message, &other), "{}", vector.name);
        }
    }
    counted
}

#[test]
fn both_are_right_on_wycheproof() {
    let mut all = BTreeMap::new();
    for (file, curve, der) in [
        ("ecdsa_secp256r1_sha256", Curve::P256, true),
        ("ecdsa_secp256r1_sha256_p1363", Curve::P256, false),
        ("ecdsa_secp384r1_sha384", Curve::P384, true),
        ("ecdsa_secp384r1_sha384_p1363", Curve::P384, false),
    ] {
        for (what, count) in judge(file, curve, der) {
            *all.entry(what).or_insert(0) += count;
        }
    }
    assert_eq!(all.values().sum::<usize>(), 1_530);
    assert_eq!(all["good"], 734);
    println!("{all:?}");
}

#[test]
fn a_key_and_a_signature_of_two_curves_prove_nothing() {
    let vector = vectors("ecdsa_secp256r1_sha256_p1363").remove(0);
    let key = PublicKey::from_point(Curve::P256, &vector.key).unwrap();
    let signature = Signature::from_raw(Curve::P384, &[1; 96]).unwrap();
    assert!(!both_say(&vector, &key, &vector.message, &signature));
}

/// The keys that a Document Signer alone may have, by their one implementation.
///
/// Wycheproof's vectors are what the authors of the crates did not choose. A signature in another
/// encoding than DER, or a key in none, is refused before anything is verified.
#[test]
fn the_keys_of_document_signers_are_right_on_wycheproof() {
    let ecdsa = Scheme::Ecdsa;
    for (file, curve, scheme, all, valid) in [
        ("ecdsa_secp521r1_sha512", SignerCurve::P521, ecdsa(Hash::Sha512), 542, 232),
        (
            "ecdsa_brainpoolP256r1_sha256",
            SignerCurve::BrainpoolP256r1,
            ecdsa(Hash::Sha256),
            485,
            176,
        ),
        (
            "ecdsa_brainpoolP384r1_sha384",
            SignerCurve::BrainpoolP384r1,
            ecdsa(Hash::Sha384),
            516,
            207,
        ),
        ("ed25519", SignerCurve::Ed25519, Scheme::Ed25519, 151, 88),
    ] {
        let (mut judged, mut good) = (0, 0);
        for vector in vectors(file) {
            judged += 1;
            let key = SignerKey::from_octets(curve, &vector.key).unwrap();
            let Ok(signature) = SignerSignature::read(curve, scheme, &vector.signature) else {
                assert!(!vector.valid, "{}: refused as no signature", vector.name);
                continue;
            };
            let [one, other] = BOTH.map(|by| key.verify(&vector.message, &signature, by).is_ok());
            assert_eq!((one, other), (vector.valid, vector.valid), "{}", vector.name);
            good += usize::from(one);
            let mut message = vector.message.clone();
            if let Some(octet) = message.first_mut() {
                *octet ^= 1;
                let changed = key.verify(&message, &signature, Verifier::RustCrypto);
                assert!(changed.is_err(), "{}", vector.name);
            }
        }
        assert_eq!((judged, good), (all, valid), "{file}");
    }
}

#[test]
fn a_signature_of_another_curve_or_scheme_proves_nothing() {
    let vector = vectors("ecdsa_brainpoolP256r1_sha256").remove(0);
    let sha256 = Scheme::Ecdsa(Hash::Sha256);
    let key = SignerKey::from_octets(SignerCurve::BrainpoolP256r1, &vector.key).unwrap();
    let of = |curve, scheme| SignerSignature::read(curve, scheme, &vector.signature);
    let proves = |signature: &SignerSignature| {
        key.verify(&vector.message, signature, Verifier::RustCrypto).is_ok()
    };
    assert!(proves(&of(SignerCurve::BrainpoolP256r1, sha256).unwrap()));
    assert!(!proves(&of(SignerCurve::P256, sha256).unwrap()));
    assert!(!proves(&of(SignerCurve::BrainpoolP256r1, Scheme::Ecdsa(Hash::Sha512)).unwrap()));
    assert!(of(SignerCurve::BrainpoolP256r1, Scheme::Ed25519).is_err());
    assert!(of(SignerCurve::Ed25519, sha256).is_err());
    assert!(SignerKey::from_octets(SignerCurve::P256, &vector.key).is_err(), "another curve");
}
