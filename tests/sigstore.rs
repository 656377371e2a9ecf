//! The seal of the golden, read by others: Sigstore's own types, and OpenSSL.

use std::fs;
use std::process::Command;

use sigstore_types::{Bundle, SignatureContent, bundle::VerificationMaterialContent};

use crate::support::{genesis_golden, succeed};

/// The audit key's point, out of the transcript.
fn audit_point() -> Vec<u8> {
    let transcript = fs::read_to_string(genesis_golden().join("transcript.jsonl")).unwrap();
    let line = transcript
        .lines()
        .find(|line| line.contains("\"answered\"") && line.contains("\"op\":\"generate-audit\""))
        .unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    ceremony::hex::decode(line["event"]["answer"]["point"].as_str().unwrap()).unwrap()
}

#[test]
fn the_seal_is_a_sigstore_bundle_that_openssl_verifies() {
    let json = fs::read_to_string(genesis_golden().join("transcript.sigstore.json")).unwrap();
    let bundle = Bundle::from_json(&json).unwrap();
    assert_eq!(bundle.media_type().as_str(), "application/vnd.dev.sigstore.bundle.v0.3+json");
    let public =
        ceremony::key::PublicKey::from_point(ceremony::key::Curve::P256, &audit_point()).unwrap();
    let VerificationMaterialContent::PublicKey(key) = &bundle.verification_material.content else {
        panic!("no public key hint");
    };
    assert_eq!(key.hint, public.spki_digest().to_string());
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        panic!("no DSSE envelope")
    };
    assert_eq!(envelope.payload_type, "application/vnd.in-toto+json");

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("message"), envelope.pae()).unwrap();
    fs::write(path("signature"), envelope.signature.sig.as_bytes()).unwrap();
    fs::write(path("key.der"), ceremony::x509::subject_public_key_info(&public)).unwrap();
    let verified = succeed(
        Command::new("openssl")
            .args(["dgst", "-sha256", "-keyform", "DER", "-verify"])
            .arg(path("key.der"))
            .arg("-signature")
            .arg(path("signature"))
            .arg(path("message")),
    );
    assert_eq!(verified.trim(), "Verified OK");
}

#[test]
fn the_statement_names_every_file_with_the_digest_that_sha256sum_gives() {
    let json = fs::read_to_string(genesis_golden().join("transcript.sigstore.json")).unwrap();
    let SignatureContent::DsseEnvelope(envelope) = Bundle::from_json(&json).unwrap().content else {
        panic!("no DSSE envelope");
    };
    let statement: serde_json::Value = serde_json::from_slice(envelope.payload.as_bytes()).unwrap();
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    let mut list = String::new();
    for subject in statement["subject"].as_array().unwrap() {
        let digest = subject["digest"]["sha256"].as_str().unwrap();
        list.push_str(&format!("{digest}  {}\n", subject["name"].as_str().unwrap()));
    }
    let folder = tempfile::tempdir().unwrap();
    let sums = folder.path().join("sums");
    fs::write(&sums, &list).unwrap();
    succeed(
        Command::new("sha256sum")
            .arg("--check")
            .arg("--strict")
            .arg(&sums)
            .current_dir(genesis_golden()),
    );
    let unnamed = ["manifest.json", "transcript.sigstore.json", "after.jsonl"];
    let files = crate::support::files(&genesis_golden());
    assert_eq!(list.lines().count() + unnamed.len(), files.len());
}
