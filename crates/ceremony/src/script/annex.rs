//! The script's annexes: how to go on after an interruption, the numbers of later attempts, what to
//! do on a refusal, and the slip that `anchor.toml` is copied from.

use alloc::string::String;
use core::fmt::Write as _;

use super::Labels;
use crate::compile::Compiled;
use crate::graph::Origin;
use crate::hex::encode;
use crate::words;

/// How many later attempts the annex lists of each number.
const LISTED: u32 = 3;

/// So many heads may be asked for that no step of the script has a line for: one after each refusal,
/// and one for each failed making of a key.
const MORE_HEADS: usize = 6;

/// The annexes.
pub(super) fn write(out: &mut String, compiled: &Compiled, labels: &Labels) {
    let graph = &compiled.graph;
    let _ = writeln!(out, "## {}\n\n{}\n", labels.annex_resume, labels.resume);
    let _ = writeln!(out, "{}\n", labels.more_heads);
    for _ in 0..MORE_HEADS {
        let _ = writeln!(out, "- {}", labels.more_head);
    }
    out.push('\n');
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
    let _ = writeln!(out, "## {}\n\n{}\n", labels.annex_refusal, labels.refusal);
    write_slip(out, compiled, labels);
}

/// What is known stands on it already; the rest is written by hand, in words.
fn write_slip(out: &mut String, compiled: &Compiled, labels: &Labels) {
    let graph = &compiled.graph;
    let _ = writeln!(out, "## {}\n\n{}\n", labels.annex_slip, labels.slip);
    let _ = writeln!(out, "```text");
    let _ = writeln!(out, "sequence    {}", graph.sequence);
    let _ = writeln!(out, "name        {}", graph.ceremony);
    let _ = writeln!(out, "bindings    {}", compiled.bindings.id());
    for line in words::lines(&compiled.bindings.id().0) {
        let _ = writeln!(out, "            {line}");
    }
    let _ = writeln!(out, "```\n");
    let makes_audit_key = graph.audit_key().is_some_and(|key| key.origin == Origin::Here);
    let mut blank = |label: &str| {
        let _ = writeln!(out, "- {label}\n");
        for _ in 0..WORD_LINES {
            let _ = writeln!(out, "  {}\n", ["_________"; 8].join(" "));
        }
    };
    blank(labels.slip_head);
    if makes_audit_key {
        blank(labels.slip_audit_key);
    }
    blank(labels.slip_postscript);
    let _ = writeln!(out, "{}", labels.slip_sign);
}

/// A digest is read aloud in so many lines of 8 words.
const WORD_LINES: usize = 4;
