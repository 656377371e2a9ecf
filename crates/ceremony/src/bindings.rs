//! The bindings: the values that fill the graph's holes for the first attempt, as far as they are
//! known at review (all but the public keys).
//!
//! They also contain the digest of every input. So the bindings' id, which is read aloud and signed
//! on paper, covers what the graph does not show: approvals, credentials, and who examined an
//! application.
//!
//! Approvals and the transcript's first record name both ids, the graph's and the bindings'. A
//! rehearsal and a drill have bindings of their own, which say so: an approval of them is none of
//! the real ceremony.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt::Write as _;

use crate::graph::{Graph, Item};
use crate::hex::{Digest, encode};
use crate::key::PublicKey;
use crate::name::Name;
use crate::record::{Mode, Predecessor};
use crate::x509::EncodeError;

/// The bindings of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bindings {
    text: String,
}

impl Bindings {
    /// Makes the bindings of a graph.
    ///
    /// `known` holds the public keys that exist already; `stand_ins` holds a public key for every
    /// key.
    pub(crate) fn of(
        graph: &Graph,
        inputs: &BTreeMap<String, Digest>,
        predecessor: Option<&Predecessor>,
        known: &BTreeMap<Name, PublicKey>,
        stand_ins: &BTreeMap<Name, PublicKey>,
    ) -> Result<Self, EncodeError> {
        let mut text = String::from("gishiki bindings v1\n\n# inputs\n\n");
        for (name, digest) in inputs {
            let _ = writeln!(text, "{digest}  {name}");
        }
        text.push_str("\n# what they compile to\n\n");
        let _ = writeln!(text, "graph        {}", graph.id());
        match graph.mode {
            Mode::Rehearsal => text.push_str("held as      a rehearsal\n"),
            Mode::Drill => text.push_str("held as      a drill\n"),
            Mode::Real => {}
        }
        match predecessor {
            None => text.push_str("predecessor  nothing\n"),
            Some(before) => {
                let _ = writeln!(text, "predecessor  {}", before.head);
                let _ = writeln!(text, "postscript   {}", before.postscript);
            }
        }
        text.push_str("\n# keys, first attempt\n\n");
        for key in &graph.keys {
            let _ = writeln!(text, "«{}.id» = {}", key.name, encode(&key.id(graph, 0).0));
            if let Some(public) = known.get(&key.name) {
                let _ = writeln!(text, "«{}.public» = {}", key.name, encode(public.point()));
            }
        }
        text.push_str("\n# to be signed, first attempt\n\n");
        for (index, certificate) in graph.certificates.iter().enumerate() {
            let name = &certificate.name;
            let _ = write!(text, "«{name}.serial» = {}; ", encode(&graph.serial(name, 0)));
            write_structure(&mut text, graph, Item::Certificate(index), known, stand_ins)?;
        }
        for (index, planned) in graph.crls.iter().enumerate() {
            let number = graph.crl_number(planned.slot, 0);
            let _ = write!(text, "«{}.number» = {number}; ", planned.crl.name);
            write_structure(&mut text, graph, Item::Crl(index), known, stand_ins)?;
        }
        Ok(Self { text })
    }

    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bindings' id: SHA-256 over their canonical text.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of_parts("gishiki bindings v1", &[self.text.as_bytes()])
    }
}

/// Writes a structure's digest if all its holes are known, and otherwise only its length.
fn write_structure(
    text: &mut String,
    graph: &Graph,
    item: Item,
    known: &BTreeMap<Name, PublicKey>,
    stand_ins: &BTreeMap<Name, PublicKey>,
) -> Result<(), EncodeError> {
    if let Ok(tbs) = graph.to_be_signed(item, 0, known) {
        let _ = writeln!(text, "{} octets, sha256 {}", tbs.len(), Digest::of(&tbs));
    } else {
        let tbs = graph.to_be_signed(item, 0, stand_ins)?;
        let _ = writeln!(text, "{} octets, open until its keys exist", tbs.len());
    }
    Ok(())
}
