//! The octets that the signature of a DSSE envelope (protocol v1.0.2) covers.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde_json::json;

use crate::hex::Digest;
use crate::name::Name;
use crate::record::canonical_json;

const HEAD_PAYLOAD: &str = "application/vnd.gishiki.head.v1+json";

/// Returns the pre-authentication encoding (PAE) of a payload of this type: the octets to be
/// signed.
pub(crate) fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Returns the message of the audit key's first signature, over the chain value at that record.
pub(crate) fn head_message(ceremony: &Name, head: Digest) -> Vec<u8> {
    let payload =
        canonical_json(&json!({ "ceremony": ceremony.as_str(), "head": head.to_string() }));
    pre_authentication(HEAD_PAYLOAD, payload.as_bytes())
}
