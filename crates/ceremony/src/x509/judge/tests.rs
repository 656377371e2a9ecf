//! A good structure has no fault, and for every rule there is one mutation that breaks it and
//! nothing else.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

mod issued;
mod lists;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use der::asn1::{Any, BitString, GeneralizedTime, ObjectIdentifier, OctetString, Uint};
use der::{DateTime, Decode as _, Encode as _, Tag};

use super::{ExpectedRoot, RULES};
use crate::fault::Fault;
use crate::key::{Curve, PublicKey};
use crate::name::Name;
use crate::rehearsal::{RehearsalKey, RehearsalUse};
use crate::x509::encoding::{self, EncodedExtension, TbsCertificate};
use crate::x509::{DirectoryName, IssuerAltName, Rdn, profile};

const SERIAL: [u8; 20] = [0x55; 20];
type Raw = x509_cert::certificate::Raw;

fn key(generation: u8) -> PublicKey {
    let ca = ca().der().to_vec();
    let curve = Curve::P384;
    RehearsalKey { ca, usage: RehearsalUse::Root, generation, attempt: 0, curve }.public().unwrap()
}

fn keys() -> BTreeMap<Name, PublicKey> {
    let named = |generation| (format!("g{generation}").parse().unwrap(), key(generation));
    BTreeMap::from([named(1), named(2), named(3)])
}

fn ca() -> DirectoryName {
    of_three("JP", "地方公共団体情報システム機構", "Sample IACA")
}

fn of_three(country: &str, organization: &str, common_name: &str) -> DirectoryName {
    let (country, common_name) = (Rdn::C(country.into()), Rdn::Cn(common_name.into()));
    DirectoryName::new(&[country, Rdn::O(organization.into()), common_name]).unwrap()
}

fn root() -> profile::Root {
    profile::Root {
        name: "root-g1".parse().unwrap(),
        ca: ca(),
        key: "g1".parse().unwrap(),
        curve: Curve::P384,
        not_before: "2026-04-01T00:00:00+09:00".parse().unwrap(),
        validity: "5 years 4 months".parse().unwrap(),
        issuer_alt_name: IssuerAltName { uri: Some("https://iaca.example/".into()), email: None },
        crl_urls: vec!["http://crl.example/g1.crl".to_string()],
        authority_key_identifier: false,
    }
}

fn expected_root() -> ExpectedRoot {
    ExpectedRoot {
        ca: ca().der().to_vec(),
        country: "JP".to_string(),
        curve: Curve::P384,
        not_before: root().not_before,
        validity: "5 years 4 months".parse().unwrap(),
        issuer_alt_name: root().issuer_alt_name,
        crl_urls: root().crl_urls,
        authority_key_identifier: false,
    }
}

fn structure(root: &profile::Root) -> TbsCertificate {
    profile::root(root).unwrap().structure(&SERIAL, &keys()).unwrap()
}

/// The root with one change in what is encoded.
fn changed(change: impl FnOnce(&mut TbsCertificate)) -> Vec<u8> {
    let mut tbs = structure(&root());
    change(&mut tbs);
    tbs.to_der().unwrap()
}

/// The root with one change in its fields, each in DER.
fn rearranged(change: impl FnOnce(&mut Vec<Any>)) -> Vec<u8> {
    let mut fields = Vec::<Any>::from_der(&structure(&root()).to_der().unwrap()).unwrap();
    change(&mut fields);
    fields.to_der().unwrap()
}

fn added(kind: &str, value: &[u8]) -> Vec<u8> {
    let extension = EncodedExtension {
        extn_id: kind.parse().unwrap(),
        critical: false,
        extn_value: OctetString::new(value).unwrap(),
    };
    changed(|tbs| tbs.extensions.push(extension))
}

/// A Name of one attribute in each RDN.
fn name(attributes: &[(&str, Tag, &str)]) -> Vec<u8> {
    let mut parts = Vec::new();
    for (kind, tag, value) in attributes {
        let kind: ObjectIdentifier = kind.parse().unwrap();
        let value = Any::new(*tag, value.as_bytes()).unwrap();
        let pair = encoding::sequence(&[kind.to_der().unwrap(), value.to_der().unwrap()]);
        parts.push(Any::new(Tag::Set, pair).unwrap().to_der().unwrap());
    }
    encoding::sequence(&parts)
}

/// A root whose CA has another Name, which the policy asks for.
fn renamed(name: &[u8]) -> (Vec<u8>, ExpectedRoot) {
    let any = Any::from_der(name).unwrap();
    let tbs = changed(|tbs| (tbs.issuer, tbs.subject) = (any.clone(), any));
    (tbs, ExpectedRoot { ca: name.to_vec(), ..expected_root() })
}

fn rules(faults: &[Fault]) -> Vec<&'static str> {
    faults.iter().map(|fault| fault.rule.as_str()).collect()
}

fn generalized(year: u16) -> GeneralizedTime {
    GeneralizedTime::from_date_time(DateTime::new(year, 3, 31, 15, 0, 0).unwrap())
}

/// Octets that break a rule, and the expected values.
type RootCase = (&'static str, Vec<u8>, ExpectedRoot);

fn broken_roots() -> Vec<RootCase> {
    let (c, o, cn) = ("2.5.4.6", "2.5.4.10", "2.5.4.3");
    let (utf8, printable) = (Tag::Utf8String, Tag::PrintableString);
    let (long, state) = ("x".repeat(65), "x".repeat(129));
    let mut cases: Vec<RootCase> = vec![];
    for (rule, attributes) in [
        ("R-DN", vec![(c, printable, "JP"), (o, utf8, "O")]),
        ("R-DN", vec![(c, printable, "JP"), (cn, utf8, "CN"), ("2.5.4.12", utf8, "title")]),
        ("R-DN", vec![(c, printable, "JP"), (o, utf8, ""), (cn, utf8, "CN")]),
        ("I-COUNTRY", vec![(c, utf8, "JP"), (o, utf8, "O"), (cn, utf8, "CN")]),
        ("I-COUNTRY", vec![(c, printable, "jp"), (o, utf8, "O"), (cn, utf8, "CN")]),
        (
            "P-NAME-STRING",
            vec![(c, printable, "JP"), (o, Tag::TeletexString, "O"), (cn, utf8, "CN")],
        ),
        ("P-NAME-STRING", vec![(c, printable, "JP"), ("2.5.4.5", utf8, "1"), (cn, utf8, "CN")]),
        ("P-NAME-LENGTH", vec![(c, printable, "JP"), (o, utf8, "O"), (cn, utf8, &long)]),
        ("P-NAME-LENGTH", vec![(c, printable, "JP"), ("2.5.4.8", utf8, &state), (cn, utf8, "CN")]),
    ] {
        let (tbs, expected) = renamed(&name(&attributes));
        cases.push((rule, tbs, expected));
    }
    for (rule, tbs) in broken_fields().into_iter().chain(broken_extensions()) {
        cases.push((rule, tbs, expected_root()));
    }
    let centuries = profile::Root { validity: "21 years".parse().unwrap(), ..root() };
    let asked = ExpectedRoot { validity: "21 years".parse().unwrap(), ..expected_root() };
    cases.push(("I-ROOT-VALIDITY", structure(&centuries).to_der().unwrap(), asked));
    let asked = ExpectedRoot { authority_key_identifier: true, ..expected_root() };
    cases.push(("I-AKI", changed(|_| ()), asked));
    // One name that is shown as the two that are asked.
    let one = |uri: &str| profile::Root {
        issuer_alt_name: IssuerAltName { uri: Some(uri.into()), email: None },
        ..root()
    };
    let email = Some("ca@iaca.example".to_string());
    let issuer_alt_name = IssuerAltName { email, ..root().issuer_alt_name };
    let asked = ExpectedRoot { issuer_alt_name, ..expected_root() };
    let found = one("https://iaca.example/, email ca@iaca.example");
    cases.push(("I-ROOT-IAN P-URI", structure(&found).to_der().unwrap(), asked));
    let (a, b) = ("http://a.example/".to_string(), "http://b.example/".to_string());
    let found = profile::Root { crl_urls: vec![format!("{a}, URI {b}")], ..root() };
    let asked = ExpectedRoot { crl_urls: vec![a, b], ..expected_root() };
    cases.push(("I-ROOT-CDP P-URI", structure(&found).to_der().unwrap(), asked));
    for uri in ["ftp://crl.example/", "http:///g1.crl", "http://crl.example/{key}.crl"] {
        let changed = profile::Root { crl_urls: vec![uri.to_string()], ..root() };
        let asked = ExpectedRoot { crl_urls: vec![uri.to_string()], ..expected_root() };
        cases.push(("P-URI", structure(&changed).to_der().unwrap(), asked));
    }
    cases
}

fn broken_fields() -> Vec<(&'static str, Vec<u8>)> {
    let other = Any::from_der(of_three("JP", "O", "Other").der()).unwrap();
    let sha256: ObjectIdentifier = "1.2.840.10045.4.3.2".parse().unwrap();
    let mut trailing = changed(|_| ());
    trailing.push(0);
    let with_null = [&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03][..], &[5, 0]];
    let with_null = Any::new(Tag::Sequence, with_null.concat()).unwrap();
    let unique = Any::from_der(&[0x81, 0x02, 0x00, 0xff]).unwrap();
    let mut no_point = key(1).point().to_vec();
    no_point[96] ^= 1;
    let no_point = encoding::sequence(&[
        Vec::<Any>::from_der(&crate::x509::subject_public_key_info(&key(1))).unwrap()[0]
            .to_der()
            .unwrap(),
        BitString::from_bytes(&no_point).unwrap().to_der().unwrap(),
    ]);
    vec![
        ("P-DER", trailing),
        ("P-DER", vec![0x30, 0x80, 0, 0]),
        ("R-V3", changed(|tbs| tbs.version = 1)),
        ("R-SERIAL", changed(|tbs| tbs.serial_number = Uint::new(&[0x80; 20]).unwrap())),
        ("R-SERIAL", changed(|tbs| tbs.serial_number = Uint::new(&[0x55; 19]).unwrap())),
        ("R-SERIAL", rearranged(|fields| fields[1] = Any::new(Tag::Integer, [0x95; 20]).unwrap())),
        ("R-ALG", changed(|tbs| tbs.signature.algorithm = sha256)),
        ("R-ALG", rearranged(|fields| fields[2] = with_null)),
        ("P-ISSUER", changed(|tbs| tbs.issuer = other.clone())),
        ("R-DN-FIXED", changed(|tbs| tbs.subject = other)),
        ("R-ROOT", structure(&later(1, "5 years 4 months")).to_der().unwrap()),
        ("R-ROOT", structure(&later(0, "5 years 5 months")).to_der().unwrap()),
        (
            "P-TIME-FORM",
            changed(|tbs| {
                tbs.validity.not_before = encoding::Time::Generalized(generalized(2026));
            }),
        ),
        ("P-UNIQUE-ID", rearranged(|fields| fields.insert(7, unique))),
        (
            "P-EXT-UNIQUE",
            changed(|tbs| tbs.extensions.push(tbs.extensions.first().unwrap().clone())),
        ),
        (
            "R-ALG I-ROOT-SKI",
            changed(|tbs| tbs.subject_public_key_info = Any::from_der(&no_point).unwrap()),
        ),
    ]
}

fn later(seconds: i64, validity: &str) -> profile::Root {
    let not_before = root().not_before.plus_seconds(seconds);
    profile::Root { not_before, validity: validity.parse().unwrap(), ..root() }
}

fn broken_extensions() -> Vec<(&'static str, Vec<u8>)> {
    let kinds =
        ["I-ROOT-SKI", "I-ROOT-KEY-USAGE", "I-ROOT-BASIC-CONSTRAINTS", "I-ROOT-IAN", "I-ROOT-CDP"];
    let mut cases = vec![];
    for (index, rule) in kinds.into_iter().enumerate() {
        cases.push((rule, changed(|tbs| drop(tbs.extensions.remove(index)))));
        cases.push((rule, changed(|tbs| tbs.extensions[index].critical ^= true)));
    }
    // The right URI, but for one reason only.
    let points = structure(&root()).extensions[4].extn_value.clone();
    let mut points = Vec::<Vec<Any>>::from_der(points.as_bytes()).unwrap();
    points[0].push(Any::from_der(&[0x81, 2, 6, 0x40]).unwrap());
    let partial_crl = points.to_der().unwrap();
    for (rule, index, value) in [
        ("I-ROOT-SKI", 0, &[&[4, 20][..], &[7; 20]].concat()[..]),
        ("I-ROOT-KEY-USAGE", 1, &[3, 2, 2, 4]),
        ("I-ROOT-KEY-USAGE", 1, &[3, 2, 1, 0x86]),
        ("P-DER", 1, &[3, 2, 0, 6]),
        ("I-ROOT-BASIC-CONSTRAINTS", 2, &[0x30, 3, 1, 1, 0xff]),
        ("I-ROOT-BASIC-CONSTRAINTS", 2, &[0x30, 6, 1, 1, 0xff, 2, 1, 1]),
        ("I-ROOT-IAN", 3, &[0x30, 5, 0x81, 3, b'a', b'@', b'b']),
        ("I-ROOT-CDP", 4, &[0x30, 0]),
        ("I-ROOT-CDP", 4, &partial_crl),
    ] {
        let value = OctetString::new(value).unwrap();
        cases.push((rule, changed(|tbs| tbs.extensions[index].extn_value = value)));
    }
    let usage = |last| [0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, last];
    let access = |last| {
        let method = [0x30, 15, 0x30, 13, 6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, last];
        [&method[..], &[0x86, 1, b'u']].concat()
    };
    cases.extend([
        ("R-NO-POLICY-EXT", added("2.5.29.32", &[0x30, 0])),
        ("R-NO-CONSTRAINT-EXT", added("2.5.29.30", &[0x30, 0])),
        ("R-NO-CONSTRAINT-EXT", added("2.5.29.36", &[0x30, 0])),
        ("R-NO-OCSP", added("1.3.6.1.5.5.7.1.1", &access(1))),
        ("I-ROOT-EXT", added("1.3.6.1.5.5.7.1.1", &access(2))),
        ("R-NO-OCSP", added("1.3.6.1.5.5.7.48.1.5", &[5, 0])),
        ("R-NO-OCSP", added("2.5.29.37", &usage(9))),
        ("R-CERT-KINDS", added("2.5.29.37", &usage(1))),
        ("I-ROOT-EXT", added("2.5.29.54", &[2, 1, 0])),
        ("I-ROOT-EXT", added("2.5.29.35", &[&[0x30, 22, 0x80, 20][..], &[7; 20]].concat())),
        ("I-ROOT-EXT", added("1.3.6.1.4.1.32473.1", &[5, 0])),
    ]);
    cases
}

#[test]
fn a_good_structure_has_no_fault() {
    assert_eq!(super::root(&changed(|_| ()), &expected_root()), []);
    let own = profile::Root { authority_key_identifier: true, ..root() };
    let asked = ExpectedRoot { authority_key_identifier: true, ..expected_root() };
    assert_eq!(super::root(&structure(&own).to_der().unwrap(), &asked), []);
}

#[test]
fn a_root_that_ends_after_2049_is_written_with_generalized_time() {
    let late = profile::Root { not_before: "2045-04-01T00:00:00+09:00".parse().unwrap(), ..root() };
    let tbs = structure(&late);
    assert!(matches!(tbs.validity.not_before, encoding::Time::Utc(_)));
    assert!(matches!(tbs.validity.not_after, encoding::Time::Generalized(_)));
    let asked = ExpectedRoot { not_before: late.not_before, ..expected_root() };
    assert_eq!(super::root(&tbs.to_der().unwrap(), &asked), []);
}

#[test]
fn every_rule_is_broken_alone() {
    let mut broken = BTreeSet::new();
    for (rule, tbs, expected) in broken_roots() {
        let faults = super::root(&tbs, &expected);
        assert_eq!(rules(&faults).join(" "), rule, "{faults:#?}");
        broken.extend(rules(&faults));
    }
    for (rule, faults) in lists::broken().into_iter().chain(issued::broken()) {
        assert_eq!(rules(&faults).join(" "), rule, "{faults:#?}");
        broken.extend(rules(&faults));
    }
    let listed: BTreeSet<&str> = RULES.iter().map(|(id, _, _)| id.as_str()).collect();
    assert_eq!(broken, listed);
    assert_eq!(listed.len(), RULES.len(), "an id stands once");
}

#[test]
fn octets_of_any_kind_are_refused_without_a_panic() {
    let good = changed(|_| ());
    let known: Vec<&str> = RULES.iter().map(|(id, _, _)| id.as_str()).collect();
    for cut in 0..good.len() {
        assert_eq!(rules(&super::root(&good[..cut], &expected_root())), ["P-DER"]);
    }
    for at in 0..good.len() {
        let mut bent = good.clone();
        bent[at] ^= 0x20;
        let faults = super::root(&bent, &expected_root());
        assert!(rules(&faults).iter().all(|rule| known.contains(rule)));
        // Any positive serial number of 20 octets is as good as another.
        assert_eq!(faults.is_empty(), serial_octet(&good, at), "octet {at}");
    }
}

/// Whether this octet belongs to the serial number.
fn serial_octet(tbs: &[u8], at: usize) -> bool {
    let start = tbs.windows(20).position(|window| window == SERIAL).unwrap();
    (start..start + 20).contains(&at)
}
