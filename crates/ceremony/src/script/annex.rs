//! The script's annexes: how to go on after an interruption, the numbers of later attempts, what to
//! do on a refusal.

use alloc::string::String;
use core::fmt::Write as _;

use super::Labels;
use crate::graph::{Graph, Origin};
use crate::hex::encode;

/// How many later attempts the annex lists of each number.
const LISTED: u32 = 3;

/// The annexes.
pub(super) fn write(out: &mut String, graph: &Graph, labels: &Labels) {
    let _ = writeln!(out, "## {}\n\n{}\n", labels.annex_resume, labels.resume);
    let _ = writeln!(out, "## {}\n\n{}\n", labels.annex_attempts, labels.attempts);
    out.push_str("```text\n");
    for certificate in &graph.certificates {
        for attempt in 1..=LISTED {
            let serial = encode(&graph.serial(&certificate.name, attempt));
            let _ = writeln!(out, "{} attempt {attempt}  serial {serial}", certificate.name);
        }
    }
    for key in graph.keys.iter().filter(|key| key.origin == Origin::Here) {
        for attempt in 1..=LISTED {
            let id = encode(&key.id(graph, attempt).0);
            let _ = writeln!(out, "{} attempt {attempt}  CKA_ID {id}", key.name);
        }
    }
    out.push_str("```\n\n");
    let _ = writeln!(out, "## {}\n\n{}", labels.annex_refusal, labels.refusal);
}
