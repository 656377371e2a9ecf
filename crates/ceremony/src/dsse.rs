//! The octets that the signature of a DSSE envelope (protocol v1.0.2) covers.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde_json::json;

use crate::hex::Digest;
use crate::name::Name;
use crate::record::{Event, Opened, canonical_json};

/// The payload type of an in-toto statement, and the `_type` within it.
pub(crate) const IN_TOTO_PAYLOAD: &str = "application/vnd.in-toto+json";
pub(crate) const IN_TOTO_STATEMENT: &str = "https://in-toto.io/Statement/v1";
const ACT_PAYLOAD: &str = "application/vnd.gishiki.act.v1+json";
const HEAD_PAYLOAD: &str = "application/vnd.gishiki.head.v1+json";

/// Returns the pre-authentication encoding (PAE) of a payload of this type: the octets to be
/// signed.
pub(crate) fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// Returns the message that a person's card signs: what the event says, after which record, in
/// which ceremony.
pub(crate) fn act_message(opened: &Opened, ca: &Name, head: Digest, act: &Act<'_>) -> Vec<u8> {
    let payload = canonical_json(&json!({
        "bindings": opened.bindings.to_string(),
        "ca": ca.as_str(),
        "ceremony": opened.ceremony.as_str(),
        "event": act.event,
        "graph": opened.graph.to_string(),
        "head": head.to_string(),
        "person": act.person.as_str(),
    }));
    pre_authentication(ACT_PAYLOAD, payload.as_bytes())
}

/// What a person signs of an event.
pub(crate) struct Act<'a> {
    pub(crate) event: &'a Event,
    pub(crate) person: &'a Name,
}

/// Returns the message of the audit key's first signature, over the chain value at that record.
pub(crate) fn head_message(ceremony: &Name, head: Digest) -> Vec<u8> {
    let payload =
        canonical_json(&json!({ "ceremony": ceremony.as_str(), "head": head.to_string() }));
    pre_authentication(HEAD_PAYLOAD, payload.as_bytes())
}
