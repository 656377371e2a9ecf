//! What fills the graph's holes: everything known at review besides public keys, for the first
//! attempt; and the digest of every input, so that the bindings' id, which is read aloud and signed
//! on paper, covers what the graph does not show (approvals, credentials, who examined).
//!
//! Approvals and the transcript's first record name both ids: the graph's, and that of these
//! bindings.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt::Write as _;

use crate::graph::{Graph, Item};
use crate::hex::{Digest, encode};
use crate::key::PublicKey;
use crate::name::Name;
use crate::record::Predecessor;
use crate::x509::EncodeError;

/// The bindings of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bindings {
    text: String,
}

impl Bindings {
    /// Binds what is known: `known` holds the public keys that exist already, `stand_ins` one for
    /// every key.
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

/// A structure whose holes are all known is bound to the octet; of any other only the length is
/// known.
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
