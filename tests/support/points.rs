//! The points of a run at which a fault is injected into a PKCS #11 module.

use super::complete;

/// Calls by which a request that has begun reads on.
pub(crate) const READS: [&str; 5] =
    ["C_GetAttributeValue", "C_FindObjects", "C_FindObjectsFinal", "C_CloseSession", "C_SignInit"];

/// Faults at the calls of a module, as `NUMBER:FAULT`: either of two at every call, but of those
/// that read on, one in three with one of the two. With `GISHIKI_ALL=1` all.
pub(crate) fn points(calls: &[String], faults: [&str; 2]) -> Vec<String> {
    let mut reads = 0;
    let mut points = Vec::new();
    for (number, call) in (1..).zip(calls) {
        let taken = if complete() || !READS.contains(&call.as_str()) {
            faults.as_slice()
        } else {
            reads += 1;
            match reads % 6 {
                0 => &faults[..1],
                3 => &faults[1..],
                _ => &[],
            }
        };
        points.extend(taken.iter().map(|fault| format!("{number}:{fault}")));
    }
    points
}
