//! Reads a certificate signing request (PKCS #10, RFC 2986): its public key and its proof of
//! possession.
//!
//! Everything else in a certificate comes from plan and policy (CP/CPS 3.1.2; D31). Other requested
//! extensions are ignored, but a request to be a CA is refused. The proof may be hashed with
//! SHA-256, SHA-384 or SHA-512, whatever the curve, or be of Ed25519: it shows that the applicant
//! has the key, and nothing relies on it later. **Invariant:** the proof is a [`Check`] that the
//! caller must verify before anything is issued.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use der::asn1::ObjectIdentifier;
use der::{Decode as _, Encode as _};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::request::{CertReq, Version};

use super::{EC_PUBLIC_KEY, ED25519, algorithm, ecdsa_with, named_signer_curve, signer_key_info};
use crate::bounds::{EXTENSIONS, REQUEST};
use crate::key::{Check, Hash, KeyError, Scheme, SignerCurve, SignerKey, SignerSignature};
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;

const REQUEST_LABEL: &str = "CERTIFICATE REQUEST";
/// What Java's keytool and Windows' certreq write; parsers may take it for the other (RFC 7468 7).
const NEW_REQUEST_LABEL: &str = "NEW CERTIFICATE REQUEST";
const LABELS: [&str; 2] = [REQUEST_LABEL, NEW_REQUEST_LABEL];
const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
const CHALLENGE_PASSWORD: &str = "1.2.840.113549.1.9.7";

/// A request that was read: the key and the proof of its possession.
#[derive(Debug, Clone)]
pub struct Request {
    /// The subscriber's public key.
    pub public: SignerKey,
    /// The request's signature under that key, not yet verified.
    pub possession: Check,
}

/// Why a file is refused as a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}; found {}", asked.en, found.en)]
pub struct RequestError {
    /// The rule that refuses it: R-DS, R-DS-NOT-CA if it asks to be a CA, or R-DS-KEY-STAYS if the
    /// file contains a private key.
    pub rule: RuleId,
    /// What is asked.
    pub asked: Bilingual,
    /// What was found.
    pub found: Bilingual,
}

/// Reads a request from a file that consists of one PEM block.
///
/// # Errors
///
/// [`RequestError`], with the rule that refuses it.
pub fn read(name: &str, text: &str) -> Result<Request, RequestError> {
    let der = block(text)?;
    let asked = || says!("DER の PKCS #10 の要求", "a PKCS #10 request in DER");
    let refused = |error: der::Error| no(asked(), Bilingual::plain(error));
    let request = CertReq::from_der(&der).map_err(refused)?;
    let again = request.to_der().map_err(refused)?;
    if again != der {
        let found = says!(
            "同じ要求を符号化し直したものと異なるオクテット",
            "octets that are not what encoding the same request gives"
        );
        return Err(no(asked(), found));
    }
    if request.info.version != Version::V1 {
        let found = Bilingual::plain(format!("{:?}", request.info.version));
        return Err(no(says!("PKCS #10 のバージョン 1(値 0)", "version 1 (0) of PKCS #10"), found));
    }
    let public = public_key(&request)?;
    attributes(&request)?;
    let possession = possession(name, &request, &public)?;
    Ok(Request { public, possession })
}

const fn no(asked: Bilingual, found: Bilingual) -> RequestError {
    RequestError { rule: RuleId::R_DS, asked, found }
}

/// Decodes the one PEM block.
fn block(text: &str) -> Result<Vec<u8>, RequestError> {
    REQUEST.judge(text.len()).map_err(|exceeded| {
        no(says!("16 KiB 以下の CSR", "a request of at most 16 KiB"), exceeded.found())
    })?;
    if text.contains("PRIVATE KEY") {
        return Err(RequestError {
            rule: RuleId::R_DS_KEY_STAYS,
            asked: says!("CSR", "a request"),
            found: says!(
                "秘密鍵(生成した所から出さない)",
                "a private key: it stays where it was made"
            ),
        });
    }
    let refused = |found: Bilingual| {
        let asked = says!(
            "PEM の {} ひとつ(又は {})だけで、ほかの文字のないもの",
            "one PEM block {} (or {}) and no other text",
            REQUEST_LABEL,
            NEW_REQUEST_LABEL
        );
        no(asked, found)
    };
    let inner = LABELS.into_iter().find_map(|label| {
        let rest = text.trim_ascii().strip_prefix(&format!("-----BEGIN {label}-----"))?;
        rest.strip_suffix(&format!("-----END {label}-----"))
    });
    let inner = inner.ok_or_else(|| refused(other_text(text)))?;
    if inner.contains("-----") {
        return Err(refused(says!("2 つ以上の PEM", "more than one block")));
    }
    let base64: String = inner.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    Base64::decode_vec(&base64)
        .map_err(|_| refused(says!("base64 でないもの", "something that is not base64")))
}

/// Says what stands where one PEM block of a request is asked.
fn other_text(text: &str) -> Bilingual {
    let first = text.trim_ascii().lines().next().unwrap_or_default();
    let label = first.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
    match label {
        None => says!("PEM でない始まり", "a beginning that is not PEM"),
        Some(label) if LABELS.contains(&label) => {
            says!("その終わりの後のほかの文字", "other text behind its end, or no end")
        }
        Some(label) => says!("PEM の {label}", "the PEM block {label}"),
    }
}

/// Reads the public key, encoded as in certificates: an uncompressed point on a named curve, or a
/// key of Ed25519.
fn public_key(request: &CertReq) -> Result<SignerKey, RequestError> {
    let refused = |found: Bilingual| {
        let curves = SignerCurve::ALL.into_iter().filter(|c| named_signer_curve(*c).is_some());
        let curves: Vec<_> = curves.map(SignerCurve::name).collect();
        let (ja, en) = (curves.join("、"), curves.join(", "));
        let asked = says!(
            "{ja} のいずれかの曲線を名で示した非圧縮の点、又は Ed25519 の鍵",
            "an uncompressed point on one of {en}, by the curve's name, or a key of Ed25519"
        );
        no(asked, found)
    };
    let info = &request.info.public_key;
    let parameters = info.algorithm.parameters.as_ref();
    let curve = if info.algorithm.oid == ED25519 {
        SignerCurve::Ed25519
    } else if info.algorithm.oid == EC_PUBLIC_KEY {
        let named = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        let explicit = || says!("名によらない曲線のパラメータ", "explicit parameters");
        let named = named.ok_or_else(|| refused(explicit()))?;
        let curve = SignerCurve::ALL.into_iter().find(|c| named_signer_curve(*c) == Some(named));
        curve.ok_or_else(|| refused(algorithm::refused(named, algorithm::curve(named))))?
    } else {
        let oid = info.algorithm.oid;
        let found = algorithm::refused(oid, algorithm::named(oid));
        return Err(refused(says!(found; "アルゴリズム {found}", "the algorithm {found}")));
    };
    let octets = info.subject_public_key.as_bytes().unwrap_or_default();
    let public = SignerKey::from_octets(curve, octets).map_err(|error| refused(error.said()))?;
    let same = info.to_der().is_ok_and(|der| der == signer_key_info(&public));
    let other = || refused(says!("同じ鍵の別の形", "the same key in another encoding"));
    if same { Ok(public) } else { Err(other()) }
}

/// Refuses repeated attributes, a challengePassword, too many extensions, and a request to be a CA.
fn attributes(request: &CertReq) -> Result<(), RequestError> {
    let mut seen = Vec::new();
    for attribute in request.info.attributes.iter() {
        let oid = attribute.oid.to_string();
        if seen.contains(&oid) || attribute.values.len() != 1 {
            let asked =
                says!("それぞれ 1 回だけで値がひとつの属性", "each attribute once, with one value");
            return Err(no(asked, Bilingual::plain(oid)));
        }
        if oid == CHALLENGE_PASSWORD {
            let asked = says!("秘密を含まない CSR", "a request without a secret");
            return Err(no(asked, Bilingual::plain("challengePassword")));
        }
        if oid == EXTENSION_REQUEST {
            let value = attribute.values.get(0).and_then(|any| any.to_der().ok());
            let extensions = Vec::<Extension>::from_der(&value.unwrap_or_default());
            let extensions = extensions.map_err(|error| {
                let asked = says!("DER の extensionRequest", "an extensionRequest in DER");
                no(asked, Bilingual::plain(error))
            })?;
            EXTENSIONS.judge(extensions.len()).map_err(|exceeded| {
                let asked =
                    says!("求める拡張が 64 以下の CSR", "a request for at most 64 extensions");
                no(asked, exceeded.found())
            })?;
            no_ca(&extensions)?;
        }
        seen.push(oid);
    }
    Ok(())
}

/// Refuses a request that asks to be a CA (R-DS-NOT-CA).
fn no_ca(extensions: &[Extension]) -> Result<(), RequestError> {
    let refused = |found: Bilingual| {
        let asked = says!(
            "認証局でない Document Signer の CSR",
            "a request of a Document Signer, which is not a CA"
        );
        RequestError { rule: RuleId::R_DS_NOT_CA, asked, found }
    };
    let unread = |error: der::Error| {
        let asked =
            says!("DER の basicConstraints と keyUsage", "basicConstraints and keyUsage in DER");
        no(asked, Bilingual::plain(error))
    };
    for extension in extensions {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id.to_string().as_str() {
            "2.5.29.19" => {
                let constraints = BasicConstraints::from_der(value).map_err(unread)?;
                if constraints.ca {
                    return Err(refused(Bilingual::plain("CA:TRUE")));
                }
            }
            "2.5.29.15" => {
                let usage = KeyUsage::from_der(value).map_err(unread)?;
                if usage.key_cert_sign() || usage.crl_sign() {
                    let found = says!("keyCertSign 又は cRLSign", "keyCertSign or cRLSign");
                    return Err(refused(found));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes the check that the request is signed under its own key.
fn possession(name: &str, request: &CertReq, public: &SignerKey) -> Result<Check, RequestError> {
    let curve = public.curve();
    let signed_with = &request.algorithm;
    let ecdsa = Hash::ALL.into_iter().find(|hash| signed_with.oid == ecdsa_with(*hash));
    let (asked, scheme) = if curve == SignerCurve::Ed25519 {
        let ed25519 = (signed_with.oid == ED25519).then_some(Scheme::Ed25519);
        (says!("Ed25519 の署名", "a signature of Ed25519"), ed25519)
    } else {
        let asked = says!(
            "{} 上の ECDSA の署名で、SHA-256、SHA-384 又は SHA-512 によるもの",
            "a signature with ECDSA on {} and SHA-256, SHA-384 or SHA-512",
            curve.name()
        );
        (asked, ecdsa.map(Scheme::Ecdsa))
    };
    let named = algorithm::named(signed_with.oid);
    let Some(scheme) = scheme else { return Err(no(asked, Bilingual::plain(named))) };
    if signed_with.parameters.is_some() {
        let found = says!("パラメータの付いた {named}", "{named} with parameters");
        return Err(no(asked, found));
    }
    let refused = |found: Bilingual| {
        let asked = says!("証明を求める鍵による署名", "a signature under the requested key");
        no(asked, found)
    };
    let octets = request.signature.as_bytes().unwrap_or_default();
    let signature = SignerSignature::read(curve, scheme, octets);
    let signature = signature.map_err(|error: KeyError| refused(error.said()))?;
    let signed = request.info.to_der().map_err(|error| refused(Bilingual::plain(error)))?;
    let subject = format!("the request {name}");
    let check = Check::possession(&subject, public, signed.into(), signature);
    Ok(check.called(says!("{name} の CSR の署名", "a signature on the request {name}")))
}
