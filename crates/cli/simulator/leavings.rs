//! What a ceremony leaves when it has ended: the folder that it hands out, and what is on its
//! tokens.

use std::collections::BTreeMap;

use ceremony::hex::{Digest, encode};
use serde_json::Value;
use x509_parser::prelude::FromDer as _;

use super::checker::{Checker, lines};
use super::world::World;

impl Checker {
    /// Every file of the manifest is there, and no other; every certificate and CRL bears a
    /// signature that a token gave out, and nothing is handed out of a ceremony that was aborted.
    pub(super) fn judge_output(&mut self, out: &BTreeMap<String, Vec<u8>>, is_completed: bool) {
        let manifest = out.get("manifest.json").map(Vec::as_slice).unwrap_or_default();
        let manifest: Value = serde_json::from_slice(manifest).unwrap_or_default();
        let listed = manifest["files"].as_array().into_iter().flatten();
        let listed: BTreeMap<&str, &str> = listed
            .filter_map(|file| Some((file["name"].as_str()?, file["sha256"].as_str()?)))
            .collect();
        for (name, octets) in out.iter().filter(|(name, _)| *name != "manifest.json") {
            let found = Digest::of(octets).to_string();
            if listed.get(name.as_str()) != Some(&found.as_str()) {
                self.wrong(4, format!("{name} is not as the manifest has it"));
            }
        }
        if listed.keys().any(|name| !out.contains_key(*name)) || listed.is_empty() {
            self.wrong(4, "an output that is not complete");
        }
        let made = out.iter().filter(|(name, _)| name.ends_with(".der") || name.ends_with(".crl"));
        let made: Vec<_> = made.collect();
        if made.is_empty() == is_completed {
            self.wrong(4, format!("{} structures are handed out", made.len()));
        }
        for (name, der) in made {
            let signature = signature(der).unwrap_or_default();
            if !self.was_signed(&signature) {
                self.wrong(4, format!("{name} bears a signature that no token gave out here"));
            }
        }
    }
}

/// The signature of a certificate or CRL as a token gives it: r and s, as long as the curve asks.
fn signature(der: &[u8]) -> Option<String> {
    let (algorithm, whole) = match x509_parser::parse_x509_crl(der) {
        Ok((_, crl)) => {
            (crl.signature_algorithm.algorithm.clone(), crl.signature_value.data.to_vec())
        }
        Err(_) => {
            let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(der).ok()?;
            let algorithm = certificate.signature_algorithm.algorithm.clone();
            (algorithm, certificate.signature_value.data.to_vec())
        }
    };
    if algorithm == x509_parser::oid_registry::OID_SIG_ECDSA_WITH_SHA256 {
        let signature = p256::ecdsa::Signature::from_der(&whole).ok()?;
        return Some(encode(&signature.to_bytes()));
    }
    let signature = p384::ecdsa::Signature::from_der(&whole).ok()?;
    Some(encode(&signature.to_bytes()))
}

/// Every key that was recorded as made is on its token, once; every one that was recorded as
/// destroyed, or lost, is not; and nothing is there that nobody knows of.
pub(super) fn judge_tokens(world: &mut World, out: &BTreeMap<String, Vec<u8>>) {
    let transcript = out.get("transcript.jsonl").map(Vec::as_slice).unwrap_or_default();
    let records = lines(transcript);
    let objects = std::mem::take(&mut world.checker.objects);
    let mut wrong = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        let is_last = objects
            .iter()
            .skip(number + 1)
            .all(|other| (&other.id, &other.holder) != (&object.id, &object.holder));
        let answered = records.iter().any(|line| {
            ["answered", "adopted"].contains(&line.kind())
                && line.text("op") == object.op
                && line.attempt() == object.attempt
        });
        let Some(device) = world.device(&object.holder) else { continue };
        let found = device.bearing(&object.id);
        let asked = if object.is_there && answered { (1, 1) } else { (0, 0) };
        if is_last && found != asked {
            let invariant = if object.is_there { 5 } else { 7 };
            wrong.push((invariant, format!("{}: {found:?} objects, not {asked:?}", object.op)));
        }
    }
    let devices = std::iter::once(&world.root).chain(world.spares.values());
    for nameless in devices.flat_map(|device| device.remains()) {
        wrong.push((5, format!("{nameless:?} is on a token, and in no record")));
    }
    wrong.into_iter().for_each(|(invariant, what)| world.checker.wrong(invariant, what));
}
