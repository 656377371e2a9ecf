//! The script's annexes: how to go on after an interruption, the numbers of later attempts, what to
//! do on a refusal.

use alloc::string::String;
use core::fmt::Write as _;

use super::Labels;
use crate::graph::Graph;
use crate::hex::encode;
use crate::run::ATTEMPTS;

/// The annexes.
pub(super) fn write(out: &mut String, graph: &Graph, labels: &Labels) {
    let _ = writeln!(out, "## {}\n\n{}\n", labels.annex_resume, labels.resume);
    let _ = writeln!(out, "## {}\n\n{}\n", labels.annex_attempts, labels.attempts);
    out.push_str("```text\n");
    for certificate in &graph.certificates {
        for attempt in 1..ATTEMPTS {
            let serial = encode(&graph.serial(&certificate.name, attempt));
            let _ = writeln!(out, "{} attempt {attempt:>2}  serial {serial}", certificate.name);
        }
    }
    for key in &graph.keys {
        for attempt in 1..ATTEMPTS {
            let id = encode(&key.id(graph, attempt).0);
            let _ = writeln!(out, "{} attempt {attempt:>2}  CKA_ID {id}", key.name);
        }
    }
    out.push_str("```\n\n");
    let _ = writeln!(out, "## {}\n\n{}", labels.annex_refusal, labels.refusal);
}
