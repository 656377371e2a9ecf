//! The changed part of a graph as a Mermaid flowchart, which forges draw: keys, and the
//! certificates and CRLs that they sign.
//!
//! Only what changed is in it, with the key that signs it. Names have no letter that Mermaid reads
//! as markup.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::{Difference, Part, Side, words};
use crate::graph::Graph;
use crate::language::Language;
use crate::name::Name;
use crate::says;

/// The largest number of boxes that anybody can read.
const MOST: usize = 48;

/// What a key signs, or the key itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Node {
    Key(Name),
    Certificate(Name),
    /// The batch of CRLs of this key.
    Crls(Name),
}

/// What is signed in a graph, with the key that signs it.
pub(super) type Signs = BTreeSet<(Name, Node)>;

/// Reads what is signed in a graph.
pub(super) fn signs(graph: &Graph) -> Signs {
    let certificates = graph.certificates.iter().map(|certificate| {
        (certificate.issuer_key.clone(), Node::Certificate(certificate.name.clone()))
    });
    let crls = graph.crl_keys().into_iter().map(|key| (key.clone(), Node::Crls(key.clone())));
    certificates.chain(crls).collect()
}

impl Node {
    fn said(&self, language: Language) -> String {
        let said = match self {
            Self::Key(name) => says!("鍵 {name}", "key {name}"),
            Self::Certificate(name) => says!("電子証明書 {name}", "certificate {name}"),
            Self::Crls(key) => says!("{key} の CRL", "CRLs of {key}"),
        };
        language.pick(&said).to_string()
    }
}

/// The flowchart; empty if the same keys sign the same certificates and CRLs, of which only fields
/// changed, or if too many changed.
pub(super) fn flowchart(difference: &Difference, language: Language) -> String {
    let sides = sides(difference);
    let (old, new) = &difference.signs;
    let is_key = |node: &Node| matches!(node, Node::Key(_));
    if (old == new && !sides.keys().any(is_key)) || old.is_empty() && new.is_empty() {
        return String::new();
    }
    let is_of = |key: &Name, node: &Node| {
        sides.contains_key(node) || sides.contains_key(&Node::Key(key.clone()))
    };
    let arcs: BTreeSet<&(Name, Node)> =
        old.union(new).filter(|(key, node)| is_of(key, node)).collect();
    let keys = arcs.iter().map(|(key, _)| Node::Key(key.clone()));
    let signed = arcs.iter().map(|(_, node)| node.clone());
    let nodes: BTreeSet<Node> = keys.chain(signed).chain(sides.keys().cloned()).collect();
    if nodes.len() > MOST {
        return String::new();
    }
    let nodes: Vec<&Node> = nodes.iter().collect();
    let id = |node: &Node| {
        let place = nodes.iter().position(|other| *other == node).unwrap_or(nodes.len());
        format!("n{place}")
    };
    let mut out = String::from("flowchart LR\n");
    for node in &nodes {
        let (mark, class) = match sides.get(node) {
            Some(Side::New) => ("+ ", ":::new"),
            Some(Side::Old) => ("− ", ":::old"),
            Some(Side::Both) => ("± ", ":::changed"),
            None => ("", ""),
        };
        let _ = writeln!(out, "  {}[\"{mark}{}\"]{class}", id(node), node.said(language));
    }
    for arc in arcs {
        let (key, node) = arc;
        let line = if new.contains(arc) { "-->" } else { "-.->" };
        let _ = writeln!(out, "  {} {line} {}", id(&Node::Key(key.clone())), id(node));
    }
    out.push_str("  classDef new stroke-width:3px\n");
    out.push_str("  classDef old stroke-dasharray:4 3\n");
    out.push_str("  classDef changed stroke-width:2px\n");
    out
}

/// Which plans have what changed.
fn sides(difference: &Difference) -> BTreeMap<Node, Side> {
    let (old, new) = &difference.signs;
    let batch = words::batch();
    let mut sides = BTreeMap::new();
    for (part, change) in difference
        .parts
        .iter()
        .flat_map(|(part, changes)| changes.iter().map(move |change| (part, change)))
    {
        let Ok(name) = change.subject.en.parse::<Name>() else { continue };
        let node = match part {
            Part::Keys => Node::Key(name),
            Part::Certificates => Node::Certificate(name),
            Part::Crls if change.title.as_ref() == Some(&batch) => Node::Crls(name),
            Part::Crls
            | Part::Ceremony
            | Part::Rules
            | Part::Decisions
            | Part::People
            | Part::Operations
            | Part::Plan
            | Part::Cps
            | Part::Policy
            | Part::Roster
            | Part::Release
            | Part::Ids => continue,
        };
        sides.insert(node, change.side);
    }
    // A structure that another key signs is told by its fields; the arcs show both keys.
    for (_, node) in old.symmetric_difference(new) {
        sides.entry(node.clone()).or_insert(Side::Both);
    }
    sides
}
