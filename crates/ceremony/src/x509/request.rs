//! Reads a certificate signing request (PKCS #10, RFC 2986), and takes two things out of it: the
//! public key and the proof of possession.
//!
//! Everything else in a certificate comes from plan and policy (CP/CPS 3.1.2; D31). What a request
//! asks for beyond that is no reason to issue it, and where it asks to be a CA, a reason not to.
//! **Invariant:** the proof is a [`Check`] that somebody else proves; nothing is issued before.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::request::{CertReq, Version};

use super::{EC_PUBLIC_KEY, named_curve, signature_algorithm, subject_public_key_info};
use crate::bounds::{EXTENSIONS, REQUEST};
use crate::key::{Check, Curve, PublicKey, Signature};

const BEGIN: &str = "-----BEGIN CERTIFICATE REQUEST-----";
const END: &str = "-----END CERTIFICATE REQUEST-----";
const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
const CHALLENGE_PASSWORD: &str = "1.2.840.113549.1.9.7";

/// A request that was read: the key, and what proves its possession.
#[derive(Debug, Clone)]
pub struct Request {
    /// The subscriber's public key.
    pub public: PublicKey,
    /// The request's signature under that key.
    pub possession: Check,
}

/// Why a file is no request that is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{asked}; found {found}")]
pub struct RequestError {
    /// What is asked.
    pub asked: &'static str,
    /// What was found.
    pub found: String,
}

/// Reads a request: one PEM block and nothing else.
pub fn read(name: &str, text: &str) -> Result<Request, RequestError> {
    let der = block(text)?;
    let request = CertReq::from_der(&der).map_err(|e| no("a PKCS #10 request in DER", &e))?;
    let again = request.to_der().map_err(|e| no("a PKCS #10 request in DER", &e))?;
    if again != der {
        let found = "octets that are not what encoding the same request gives";
        return Err(no("a PKCS #10 request in DER", &found));
    }
    if request.info.version != Version::V1 {
        return Err(no("version 1 (0) of PKCS #10", &format!("{:?}", request.info.version)));
    }
    let public = public_key(&request)?;
    attributes(&request)?;
    let possession = possession(name, &request, &public)?;
    Ok(Request { public, possession })
}

fn no(asked: &'static str, found: &dyn core::fmt::Display) -> RequestError {
    RequestError { asked, found: found.to_string() }
}

/// The octets of the one PEM block.
fn block(text: &str) -> Result<Vec<u8>, RequestError> {
    REQUEST.judge(text.len()).map_err(|e| no("a request of at most 16 KiB", &e.found()))?;
    if text.contains("PRIVATE KEY") {
        let found = "a private key: it stays where it was made (CP/CPS 6.1.2)";
        return Err(no("a request", &found));
    }
    let asked = "one PEM block CERTIFICATE REQUEST and no other text";
    let inner = text.trim_ascii().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
    let inner = inner.ok_or_else(|| no(asked, &"something else"))?;
    if inner.contains("-----") {
        return Err(no(asked, &"more than one block"));
    }
    let base64: String = inner.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    Base64::decode_vec(&base64).map_err(|_| no(asked, &"something that is no base64"))
}

/// An uncompressed point on a named curve of ours, in the one encoding that certificates have.
fn public_key(request: &CertReq) -> Result<PublicKey, RequestError> {
    let asked = "an uncompressed point on P-256 or P-384, by the curve's name";
    let info = &request.info.public_key;
    let shown = || format!("the algorithm {}", info.algorithm.oid);
    if info.algorithm.oid != EC_PUBLIC_KEY {
        return Err(no(asked, &shown()));
    }
    let parameters = info.algorithm.parameters.as_ref();
    let named = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
    let curve = [Curve::P256, Curve::P384].into_iter().find(|c| named == Some(named_curve(*c)));
    let curve = curve.ok_or_else(|| {
        let named = named.map_or("explicit parameters".to_string(), |oid| oid.to_string());
        no(asked, &named)
    })?;
    let point = info.subject_public_key.as_bytes().unwrap_or_default();
    let public = PublicKey::from_point(curve, point).map_err(|error| no(asked, &error))?;
    let same = info.to_der().is_ok_and(|der| der == subject_public_key_info(&public));
    if same { Ok(public) } else { Err(no(asked, &"the same in another form")) }
}

/// No attribute twice, no password, no wish to be a CA.
fn attributes(request: &CertReq) -> Result<(), RequestError> {
    let mut seen = Vec::new();
    for attribute in request.info.attributes.iter() {
        let oid = attribute.oid.to_string();
        if seen.contains(&oid) || attribute.values.len() != 1 {
            return Err(no("each attribute once, with one value", &oid));
        }
        if oid == CHALLENGE_PASSWORD {
            return Err(no("a request without a secret", &"challengePassword"));
        }
        if oid == EXTENSION_REQUEST {
            let value = attribute.values.get(0).and_then(|any| any.to_der().ok());
            let extensions = Vec::<Extension>::from_der(&value.unwrap_or_default());
            let extensions = extensions.map_err(|e| no("an extensionRequest in DER", &e))?;
            let asked = "a request for at most 64 extensions";
            EXTENSIONS.judge(extensions.len()).map_err(|e| no(asked, &e.found()))?;
            no_ca(&extensions)?;
        }
        seen.push(oid);
    }
    Ok(())
}

/// R-DS-NOT-CA: whoever asks to be a CA has misunderstood what is applied for.
fn no_ca(extensions: &[Extension]) -> Result<(), RequestError> {
    let asked = "a request of a Document Signer, which is no CA";
    for extension in extensions {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id.to_string().as_str() {
            "2.5.29.19" => {
                let constraints = BasicConstraints::from_der(value).map_err(|e| no(asked, &e))?;
                if constraints.ca {
                    return Err(no(asked, &"CA:TRUE"));
                }
            }
            "2.5.29.15" => {
                let usage = KeyUsage::from_der(value).map_err(|error| no(asked, &error))?;
                if usage.key_cert_sign() || usage.crl_sign() {
                    return Err(no(asked, &"keyCertSign or cRLSign"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The request's signature, to be proved under its own key.
fn possession(name: &str, request: &CertReq, public: &PublicKey) -> Result<Check, RequestError> {
    let curve = public.curve();
    let algorithm = &request.algorithm;
    if algorithm.oid != signature_algorithm(curve) || algorithm.parameters.is_some() {
        return Err(no("a signature with the digest of the key's curve", &algorithm.oid));
    }
    let asked = "a signature under the requested key";
    let der = request.signature.as_bytes().unwrap_or_default();
    let raw = Signature::raw_from_der(curve, der).map_err(|error| no(asked, &error))?;
    let signature = Signature::from_raw(curve, &raw).map_err(|error| no(asked, &error))?;
    if signature.to_der() != der {
        return Err(no(asked, &"the same signature in another form"));
    }
    let signed = request.info.to_der().map_err(|error| no(asked, &error))?;
    Ok(Check::new(&format!("the request {name}"), public, signed.into(), signature))
}
