//! Cases that change a structure: the octets to be signed, as a tree of DER, before they are
//! judged.

use std::collections::BTreeMap;

use ceremony::fault::Fault;
use ceremony::graph::Item;
use ceremony::hex;
use ceremony::key::{Curve, PublicKey};
use ceremony::name::Name;
use ceremony::record::Mode;
use ceremony::x509::judge::{
    self, EntryReasons, ExpectedCrl, ExpectedDs, ExpectedLink, ExpectedRoot,
};
use ceremony::x509::{DirectoryName, IssuerAltName, Reason, Revoked, profile};
use serde::Deserialize;

use super::case::Case;
use super::inputs::Texts;
use crate::issuing;

/// What is changed of a structure, in this order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Mutation {
    of: Of,
    /// Elements, each with its tag and length, replaced wherever they stand: at least once.
    #[serde(default)]
    replace: Vec<Replace>,
    /// The extension with this identifier goes.
    drop_extension: Option<String>,
    /// An extension more, at the end.
    add_extension: Option<Added>,
    /// The extension with this identifier gets this value.
    set_value: Option<Value>,
    /// The extension with this identifier becomes critical, or no longer is.
    flip_critical: Option<String>,
    /// Octets after the structure.
    append: Option<String>,
    /// What is asked of it, where not what the sample CA asks.
    #[serde(default)]
    asked: Asked,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Of {
    /// The sample CA's root.
    Root,
    /// Its first CRL, which is empty.
    Crl,
    /// Its first Document Signer certificate.
    Ds,
    /// Its link certificate of the old key under the new one.
    Link,
    /// The same with two revoked certificates: 11…11 for key compromise, 22…22 for no reason.
    CrlOfTwo,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    from: String,
    to: String,
    /// Only there, counted from 1.
    only: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    oid: String,
    #[serde(default)]
    critical: bool,
    value: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    oid: String,
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Asked {
    /// The CA's name is the one that stands in the structure.
    ca_as_found: bool,
    months: Option<u16>,
    validity: Option<String>,
    crl_urls: Option<Vec<String>>,
    authority_key_identifier: bool,
    omit_reasons: bool,
}

/// DER as a tree: octets of primitive elements, lists of constructed ones.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Octets(Vec<u8>),
    List(u8, Vec<Tree>),
}

impl Tree {
    fn read(octets: &[u8]) -> Vec<Self> {
        let mut rest = octets;
        let mut trees = Vec::new();
        while let [tag, first, ..] = *rest {
            let (head, length) = match first {
                0x81 => (3, usize::from(rest[2])),
                0x82 => (4, usize::from(rest[2]) << 8 | usize::from(rest[3])),
                short => (2, usize::from(short)),
            };
            let (element, more) = rest.split_at(head + length);
            trees.push(match tag & 0x20 {
                0 => Self::Octets(element.to_vec()),
                _ => Self::List(tag, Self::read(&element[head..])),
            });
            rest = more;
        }
        trees
    }

    fn write(&self) -> Vec<u8> {
        match self {
            Self::Octets(octets) => octets.clone(),
            Self::List(tag, trees) => {
                element(*tag, &trees.iter().flat_map(Self::write).collect::<Vec<_>>())
            }
        }
    }

    /// Replaces every element that is written so, or only one of them; counts them on.
    fn replace(&mut self, from: &[u8], to: &[u8], only: Option<usize>, count: &mut usize) {
        if self.write() == from {
            *count += 1;
            if only.is_none_or(|only| only == *count) {
                *self = Self::Octets(to.to_vec());
            }
        } else if let Self::List(_, trees) = self {
            trees.iter_mut().for_each(|tree| tree.replace(from, to, only, count));
        }
    }

    /// The list whose first element is this object identifier, wherever it stands first.
    fn beginning_with(&mut self, oid: &[u8]) -> Option<&mut Vec<Self>> {
        let Self::List(_, trees) = self else { return None };
        if trees.first().is_some_and(|first| first.write() == oid) {
            return Some(trees);
        }
        trees.iter_mut().find_map(|tree| tree.beginning_with(oid))
    }

    fn list(&mut self) -> &mut Vec<Self> {
        match self {
            Self::List(_, trees) => trees,
            Self::Octets(octets) => panic!("no list: {}", hex::encode(octets)),
        }
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let low = |n: usize| u8::try_from(n & 0xff).unwrap();
    let head = match length {
        0..0x80 => vec![tag, low(length)],
        0x80..0x100 => vec![tag, 0x81, low(length)],
        _ => vec![tag, 0x82, low(length >> 8), low(length)],
    };
    [head, content.to_vec()].concat()
}

/// An object identifier in DER.
fn oid(text: &str) -> Vec<u8> {
    let parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
    let mut content = Vec::new();
    for part in std::iter::once(parts[0] * 40 + parts[1]).chain(parts[2..].iter().copied()) {
        let groups: Vec<u8> =
            (0..5).map(|i| u8::try_from(part >> (7 * i) & 0x7f).unwrap()).collect();
        let last = groups.iter().rposition(|group| *group != 0).unwrap_or(0);
        let octets = groups[..=last].iter().enumerate().rev();
        content.extend(octets.map(|(i, group)| if i == 0 { *group } else { group | 0x80 }));
    }
    element(6, &content)
}

fn octets(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    hex::decode(&text).unwrap_or_else(|| panic!("no hexadecimal digits: {text}"))
}

pub(super) fn judge(case: &Case) -> Vec<String> {
    let mutation = case.body.structure.as_ref().unwrap();
    let sample = Sample::new(&mutation.of);
    let before = sample.octets(&mutation.of);
    assert!(sample.faults(mutation, &before, &Asked::default()).is_empty(), "before the change");
    let after = mutation.apply(&case.name, &before);
    let faults = sample.faults(mutation, &after, &mutation.asked);
    let mut rules: Vec<String> = faults.iter().map(|fault| fault.rule.to_string()).collect();
    rules.sort();
    rules
}

impl Mutation {
    fn apply(&self, case: &str, before: &[u8]) -> Vec<u8> {
        let mut tree = Tree::read(before).remove(0);
        assert_eq!(tree.write(), before, "{case}: a tree is what it was read from");
        for Replace { from, to, only } in &self.replace {
            let mut count = 0;
            tree.replace(&octets(from), &octets(to), *only, &mut count);
            assert!(count >= only.unwrap_or(1), "{case}: {from} stands {count} times");
            // What was put in may be replaced again.
            tree = Tree::read(&tree.write()).remove(0);
        }
        let no_extension = |oid: &str| -> ! { panic!("{case}: no extension {oid}") };
        if let Some(kind) = &self.drop_extension {
            match tree.beginning_with(&oid(kind)) {
                Some(found) => {
                    let whole = Tree::List(0x30, found.clone()).write();
                    tree.replace(&whole, &[], None, &mut 0);
                }
                None => no_extension(kind),
            }
        }
        if let Some(added) = &self.add_extension {
            let critical = if added.critical { vec![1, 1, 0xff] } else { vec![] };
            let value = element(4, &octets(&added.value));
            let whole = element(0x30, &[oid(&added.oid), critical, value].concat());
            // Extensions stand last, in an explicit tag.
            tree.list().last_mut().unwrap().list()[0].list().push(Tree::Octets(whole));
        }
        if let Some(Value { oid: kind, value }) = &self.set_value {
            match tree.beginning_with(&oid(kind)) {
                Some(found) => {
                    *found.last_mut().unwrap() = Tree::Octets(element(4, &octets(value)));
                }
                None => no_extension(kind),
            }
        }
        if let Some(kind) = &self.flip_critical {
            match tree.beginning_with(&oid(kind)) {
                Some(found) if found.len() == 3 => drop(found.remove(1)),
                Some(found) => found.insert(1, Tree::Octets(vec![1, 1, 0xff])),
                None => no_extension(kind),
            }
        }
        let mut after = tree.write();
        after.extend(self.append.as_ref().map(|text| octets(text)).unwrap_or_default());
        assert_ne!(after, before, "{case}: nothing changed");
        after
    }
}

/// The sample CA's structures, with rehearsal keys in their holes.
struct Sample {
    graph: ceremony::graph::Graph,
    keys: BTreeMap<Name, PublicKey>,
}

const THIS_UPDATE: &str = "2026-04-01T00:00:00+09:00";

impl Sample {
    fn new(of: &Of) -> Self {
        let texts = match of {
            Of::Root | Of::Crl | Of::CrlOfTwo => Texts::sample(),
            Of::Ds => Texts::of("2026-06-ds"),
            Of::Link => Texts::of("2031-03-rollover"),
        };
        let graph = texts.compiled(Mode::Real).unwrap().graph;
        let keys = ["g1", "g2"].into_iter().filter_map(|name| {
            let name: Name = name.parse().unwrap();
            let key = graph.key(&name)?.rehearsal(&graph, 0).public().unwrap();
            Some((name, key))
        });
        let keys = keys.collect();
        Self { graph, keys }
    }

    /// The octets of the certificate with this name.
    fn certificate(&self, name: &str) -> Vec<u8> {
        let mut items = (0..9).map(Item::Certificate);
        let named = |item: &Item| self.graph.item_name(*item).is_some_and(|n| n.as_str() == name);
        let item = items.find(named).unwrap();
        self.graph.to_be_signed(item, 0, &self.keys).unwrap()
    }

    fn identifier(&self, key: &str) -> [u8; 20] {
        self.keys[key].key_identifier()
    }

    fn expected_link(&self) -> ExpectedLink {
        ExpectedLink {
            ca: ca().der().to_vec(),
            country: "JP".to_string(),
            curve: Curve::P384,
            subject_key: self.identifier("g1"),
            issuer_key: self.identifier("g2"),
            not_before: THIS_UPDATE.parse().unwrap(),
            not_after: "2031-07-31T23:59:59+09:00".parse().unwrap(),
            issuer_alt_name: issuer_alt_name(),
            crl_urls: vec!["http://crl.example/mdoc/g2.crl".to_string()],
        }
    }

    fn expected_ds(&self, tbs: &[u8], asked: &Asked) -> ExpectedDs {
        // The key stands in the seventh element: what the request brought is what is asked.
        let own = Tree::read(&self.certificate("ds-0001")).remove(0).list()[6].write();
        let subject = "FAKE Example mdoc DS 0001";
        let subject = issuing::name("JP", "FAKE Agency for Local Records", subject);
        ExpectedDs {
            ca: ca_of(tbs, asked),
            country: "JP".to_string(),
            subject: subject.der().to_vec(),
            public_key: own,
            issuer_curve: Curve::P384,
            issuer_key: self.identifier("g1"),
            not_before: "2026-06-30T00:00:00+09:00".parse().unwrap(),
            max_days: 457,
            root_ends: "2031-07-31T23:59:59+09:00".parse().unwrap(),
            purpose: "1.0.18013.5.1.2".to_string(),
            issuer_alt_name: issuer_alt_name(),
            crl_urls: vec!["http://crl.example/mdoc/g1.crl".to_string()],
        }
    }

    fn octets(&self, of: &Of) -> Vec<u8> {
        match of {
            Of::Root => self.graph.to_be_signed(Item::Certificate(0), 0, &self.keys).unwrap(),
            Of::Crl => self.graph.to_be_signed(Item::Crl(0), 0, &self.keys).unwrap(),
            Of::Ds => self.certificate("ds-0001"),
            Of::Link => self.certificate("old-with-new-g1-g2"),
            Of::CrlOfTwo => {
                let date = "2026-03-31T12:00:00+09:00".parse().unwrap();
                let crl = profile::crl(&profile::Crl {
                    name: "crl-g1-2026-04-01".parse().unwrap(),
                    ca: ca(),
                    key: "g1".parse().unwrap(),
                    curve: Curve::P384,
                    this_update: THIS_UPDATE.parse().unwrap(),
                    next_update: "2026-04-04T00:00:00+09:00".parse().unwrap(),
                    revoked: vec![
                        Revoked { serial: [0x11; 20], date, reason: Some(Reason::KeyCompromise) },
                        Revoked { serial: [0x22; 20], date, reason: None },
                    ]
                    .into(),
                });
                crl.to_der(self.graph.crl_number(0, 0), &self.keys).unwrap()
            }
        }
    }

    fn faults(&self, mutation: &Mutation, tbs: &[u8], asked: &Asked) -> Vec<Fault> {
        match mutation.of {
            Of::Root => judge::root(tbs, &expected_root(tbs, asked)),
            Of::Crl => judge::crl(tbs, &self.expected_crl(asked, vec![])),
            Of::Ds => judge::ds(tbs, &self.expected_ds(tbs, asked)),
            Of::Link => judge::link(tbs, &self.expected_link()),
            Of::CrlOfTwo => {
                judge::crl(tbs, &self.expected_crl(asked, vec![[0x11; 20], [0x22; 20]]))
            }
        }
    }

    fn expected_crl(&self, asked: &Asked, revoked: Vec<[u8; 20]>) -> ExpectedCrl {
        ExpectedCrl {
            ca: ca().der().to_vec(),
            curve: Curve::P384,
            key_identifier: self.keys.values().next().unwrap().key_identifier(),
            this_update: THIS_UPDATE.parse().unwrap(),
            validity: asked.validity.as_deref().unwrap_or("3 days").parse().unwrap(),
            root_ends: "2031-07-31T23:59:59+09:00".parse().unwrap(),
            number: self.graph.crl_number(0, 0),
            reasons: if asked.omit_reasons { EntryReasons::Omit } else { EntryReasons::Include },
            revoked,
        }
    }
}

fn ca() -> DirectoryName {
    issuing::name("JP", "FAKE Agency for Local Records", "FAKE Example mdoc Root CA")
}

fn issuer_alt_name() -> IssuerAltName {
    IssuerAltName { uri: Some("https://ca.example/mdoc/".to_string()), email: None }
}

/// The CA's Name: the sample's, or the issuer that stands in the structure.
fn ca_of(tbs: &[u8], asked: &Asked) -> Vec<u8> {
    let found = || Tree::read(tbs).remove(0).list()[3].write();
    if asked.ca_as_found { found() } else { ca().der().to_vec() }
}

fn expected_root(tbs: &[u8], asked: &Asked) -> ExpectedRoot {
    ExpectedRoot {
        ca: ca_of(tbs, asked),
        country: "JP".to_string(),
        curve: Curve::P384,
        not_before: THIS_UPDATE.parse().unwrap(),
        validity: format!("{} months", asked.months.unwrap_or(64)).parse().unwrap(),
        issuer_alt_name: issuer_alt_name(),
        crl_urls: asked
            .crl_urls
            .clone()
            .unwrap_or_else(|| vec!["http://crl.example/mdoc/g1.crl".to_string()]),
        authority_key_identifier: asked.authority_key_identifier,
    }
}
