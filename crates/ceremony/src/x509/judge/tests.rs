//! A good structure has no fault, and for every rule there is one mutation that breaks it and
//! nothing else.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where it fails")]

mod issued;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use der::asn1::{Any, BitString, GeneralizedTime, ObjectIdentifier, OctetString, Uint};
use der::{DateTime, Decode as _, Encode as _, Tag};
use x509_cert::crl::TbsCertList;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::time::Time;

use super::{EntryReasons, ExpectedCrl, ExpectedRoot, RULES};
use crate::fault::Fault;
use crate::key::{Curve, PublicKey};
use crate::name::Name;
use crate::rehearsal::{RehearsalKey, RehearsalUse};
use crate::x509::encoding::{self, EncodedExtension, TbsCertificate};
use crate::x509::{DirectoryName, Reason, Revoked, crl::ToBeSignedCrl, profile};

const SERIAL: [u8; 20] = [0x55; 20];
type Raw = x509_cert::certificate::Raw;

fn key(generation: u8) -> PublicKey {
    let ca = ca().der().to_vec();
    let curve = Curve::P384;
    RehearsalKey { ca, usage: RehearsalUse::Root, generation, attempt: 0, curve }.public().unwrap()
}

fn keys() -> BTreeMap<Name, PublicKey> {
    let named = |generation| (alloc::format!("g{generation}").parse().unwrap(), key(generation));
    BTreeMap::from([named(1), named(2), named(3)])
}

fn ca() -> DirectoryName {
    DirectoryName::new("JP", "地方公共団体情報システム機構", "Sample IACA").unwrap()
}

fn root() -> profile::Root {
    profile::Root {
        name: "root-g1".parse().unwrap(),
        ca: ca(),
        key: "g1".parse().unwrap(),
        curve: Curve::P384,
        not_before: "2026-04-01T00:00:00+09:00".parse().unwrap(),
        validity: "5 years 4 months".parse().unwrap(),
        issuer_alt_name: "https://iaca.example/".to_string(),
        crl_url: "http://crl.example/g1.crl".to_string(),
    }
}

fn expected_root() -> ExpectedRoot {
    ExpectedRoot {
        ca: ca().der().to_vec(),
        country: "JP".to_string(),
        curve: Curve::P384,
        not_before: root().not_before,
        months: 64,
        issuer_alt_name: root().issuer_alt_name,
        crl_url: root().crl_url,
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

/// Octets that break a rule, and what was asked of them.
type RootCase = (&'static str, Vec<u8>, ExpectedRoot);

fn broken_roots() -> Vec<RootCase> {
    let (c, o, cn) = ("2.5.4.6", "2.5.4.10", "2.5.4.3");
    let (utf8, printable) = (Tag::Utf8String, Tag::PrintableString);
    let long = "x".repeat(65);
    let mut cases: Vec<RootCase> = vec![];
    for (rule, attributes) in [
        ("R-DN", vec![(c, printable, "JP"), (cn, utf8, "CN")]),
        ("R-DN", vec![(c, printable, "JP"), (cn, utf8, "CN"), (o, utf8, "O")]),
        ("R-DN", vec![(c, printable, "JP"), (o, utf8, ""), (cn, utf8, "CN")]),
        ("I-COUNTRY", vec![(c, utf8, "JP"), (o, utf8, "O"), (cn, utf8, "CN")]),
        ("I-COUNTRY", vec![(c, printable, "jp"), (o, utf8, "O"), (cn, utf8, "CN")]),
        (
            "P-NAME-STRING",
            vec![(c, printable, "JP"), (o, Tag::TeletexString, "O"), (cn, utf8, "CN")],
        ),
        ("P-NAME-LENGTH", vec![(c, printable, "JP"), (o, utf8, "O"), (cn, utf8, &long)]),
    ] {
        let (tbs, expected) = renamed(&name(&attributes));
        cases.push((rule, tbs, expected));
    }
    for (rule, tbs) in broken_fields().into_iter().chain(broken_extensions()) {
        cases.push((rule, tbs, expected_root()));
    }
    let centuries = profile::Root { validity: "21 years".parse().unwrap(), ..root() };
    let asked = ExpectedRoot { months: 21 * 12, ..expected_root() };
    cases.push(("I-ROOT-VALIDITY", structure(&centuries).to_der().unwrap(), asked));
    for uri in ["ftp://crl.example/", "http:///g1.crl", "http://crl.example/{key}.crl"] {
        let changed = profile::Root { crl_url: uri.to_string(), ..root() };
        let asked = ExpectedRoot { crl_url: uri.to_string(), ..expected_root() };
        cases.push(("P-URI", structure(&changed).to_der().unwrap(), asked));
    }
    cases
}

fn broken_fields() -> Vec<(&'static str, Vec<u8>)> {
    let other = Any::from_der(DirectoryName::new("JP", "O", "Other").unwrap().der()).unwrap();
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

fn crl(revoked: Vec<Revoked>) -> ToBeSignedCrl {
    profile::crl(&profile::Crl {
        name: "crl-g1-2026-04-02".parse().unwrap(),
        ca: ca(),
        key: "g1".parse().unwrap(),
        curve: Curve::P384,
        this_update: "2026-04-02T00:00:00+09:00".parse().unwrap(),
        next_update: "2026-04-05T00:00:00+09:00".parse().unwrap(),
        revoked: revoked.into(),
    })
}

fn revoked() -> Vec<Revoked> {
    let date = "2026-04-01T12:00:00+09:00".parse().unwrap();
    vec![
        Revoked { serial: [0x11; 20], date, reason: Some(Reason::KeyCompromise) },
        Revoked { serial: [0x22; 20], date, reason: None },
    ]
}

fn expected_crl(revoked: &[Revoked]) -> ExpectedCrl {
    ExpectedCrl {
        ca: ca().der().to_vec(),
        curve: Curve::P384,
        key_identifier: key(1).key_identifier(),
        this_update: "2026-04-02T00:00:00+09:00".parse().unwrap(),
        validity_days: 3,
        number: 0x1_0000,
        reasons: EntryReasons::Include,
        revoked: revoked.iter().map(|entry| entry.serial).collect(),
    }
}

fn crl_der(revoked: Vec<Revoked>) -> Vec<u8> {
    crl(revoked).to_der(0x1_0000, &keys()).unwrap()
}

fn changed_crl(change: impl FnOnce(&mut TbsCertList<Raw>)) -> Vec<u8> {
    let mut list = TbsCertList::<Raw>::from_der(&crl_der(revoked())).unwrap();
    change(&mut list);
    list.to_der().unwrap()
}

fn extension_of_list(index: usize, value: &[u8]) -> Vec<u8> {
    let value = OctetString::new(value).unwrap();
    changed_crl(|list| list.crl_extensions.as_mut().unwrap()[index].extn_value = value)
}

fn with_reason(reason: CrlReason) -> Vec<u8> {
    let value = OctetString::new(reason.to_der().unwrap()).unwrap();
    changed_crl(|list| {
        let entry = &mut list.revoked_certificates.as_mut().unwrap()[0];
        entry.crl_entry_extensions.as_mut().unwrap()[0].extn_value = value;
    })
}

type CrlCase = (&'static str, Vec<u8>, ExpectedCrl);

fn broken_lists() -> Vec<(&'static str, Vec<u8>)> {
    let mut trailing = crl_der(revoked());
    trailing.push(0);
    let other =
        x509_cert::name::Name::from_der(DirectoryName::new("JP", "O", "Other").unwrap().der())
            .unwrap();
    let identifier = key(1).key_identifier();
    let with_issuer = [&[0x30, 27, 0x80, 20][..], &identifier, &[0xa1, 0, 0x82, 1, 5]].concat();
    vec![
        ("P-DER", trailing),
        ("R-CRL", changed_crl(|list| list.version = x509_cert::Version::V3)),
        ("R-CRL", crl(revoked()).to_der(0x1_0001, &keys()).unwrap()),
        ("R-CRL", changed_crl(|list| list.this_update = utc(2026, 4, 1, 16))),
        ("R-CRL", changed_crl(|list| list.next_update = Some(utc(2026, 4, 5, 15)))),
        ("R-ALG", changed_crl(|list| list.signature.oid = "1.2.840.10045.4.3.2".parse().unwrap())),
        ("R-ALG", changed_crl(|list| list.signature.parameters = Some(Any::null()))),
        ("P-ISSUER", changed_crl(|list| list.issuer = other)),
        ("I-CRL-NEXT-UPDATE", changed_crl(|list| list.next_update = None)),
        ("I-CRL-EXT", changed_crl(|list| drop(list.crl_extensions.as_mut().unwrap().pop()))),
        ("I-CRL-EXT", changed_crl(|list| drop(list.crl_extensions.as_mut().unwrap().remove(0)))),
        ("I-CRL-EXT", changed_crl(|list| list.crl_extensions.as_mut().unwrap()[1].critical = true)),
        (
            "I-CRL-EXT",
            changed_crl(|list| {
                let mut more = list.crl_extensions.as_ref().unwrap()[0].clone();
                more.extn_id = "2.5.29.28".parse().unwrap();
                list.crl_extensions.as_mut().unwrap().push(more);
            }),
        ),
        (
            "P-EXT-UNIQUE",
            changed_crl(|list| {
                let again = list.crl_extensions.as_ref().unwrap()[1].clone();
                list.crl_extensions.as_mut().unwrap().push(again);
            }),
        ),
        ("P-CRL-KEY", extension_of_list(0, &[&[0x30, 22, 0x80, 20][..], &[7; 20]].concat())),
        ("P-CRL-KEY", extension_of_list(0, &with_issuer)),
        ("P-CRL-NUMBER", extension_of_list(1, &[&[2, 21, 0][..], &[0x80; 20]].concat())),
        (
            "P-TIME-FORM",
            changed_crl(|list| {
                list.this_update = Time::GeneralTime(GeneralizedTime::from_date_time(
                    list.this_update.to_date_time(),
                ));
            }),
        ),
    ]
}

fn broken_entries() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("P-CRL-ONCE", crl_der([revoked(), vec![revoked()[1].clone()]].concat())),
        ("R-CRL-COVER", crl_der(vec![revoked()[0].clone()])),
        ("R-NO-UNREVOKE", with_reason(CrlReason::CertificateHold)),
        ("R-NO-UNREVOKE", with_reason(CrlReason::RemoveFromCRL)),
        ("P-REASON", with_reason(CrlReason::Unspecified)),
        ("P-REASON", with_reason(CrlReason::AaCompromise)),
        (
            "P-CRL-DATES",
            changed_crl(|list| {
                list.revoked_certificates.as_mut().unwrap()[0].revocation_date =
                    utc(2026, 4, 1, 16);
            }),
        ),
        (
            "I-CRL-ENTRY-EXT",
            changed_crl(|list| {
                let entry = &mut list.revoked_certificates.as_mut().unwrap()[0];
                entry.crl_entry_extensions.as_mut().unwrap()[0].critical = true;
            }),
        ),
    ]
}

fn broken_crls() -> Vec<CrlCase> {
    let asked = || expected_crl(&revoked());
    let changed = broken_lists().into_iter().chain(broken_entries());
    let mut cases: Vec<CrlCase> = changed.map(|(rule, tbs)| (rule, tbs, asked())).collect();
    let omitted = ExpectedCrl { reasons: EntryReasons::Omit, ..asked() };
    cases.push(("I-CRL-ENTRY-EXT", crl_der(revoked()), omitted));
    let empty = changed_crl(|list| list.revoked_certificates = Some(vec![]));
    cases.push(("P-CRL-EMPTY", empty, expected_crl(&[])));
    let long = ToBeSignedCrl {
        next_update: "2026-07-02T00:00:00+09:00".parse().unwrap(),
        ..crl(revoked())
    };
    let asked = ExpectedCrl { validity_days: 91, ..asked() };
    cases.push(("I-CRL-NEXT-UPDATE", long.to_der(0x1_0000, &keys()).unwrap(), asked));
    cases
}

fn utc(year: u16, month: u8, day: u8, hour: u8) -> Time {
    Time::from(DateTime::new(year, month, day, hour, 0, 0).unwrap())
}

#[test]
fn a_good_structure_has_no_fault() {
    assert_eq!(super::root(&changed(|_| ()), &expected_root()), []);
    for list in [vec![], revoked()] {
        assert_eq!(super::crl(&crl_der(list.clone()), &expected_crl(&list)), []);
    }
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
fn an_emergency_crl_ends_at_midnight() {
    let noon = "2026-04-02T12:34:56+09:00".parse().unwrap();
    let list = ToBeSignedCrl { this_update: noon, ..crl(vec![]) };
    let asked = ExpectedCrl { this_update: noon, ..expected_crl(&[]) };
    assert_eq!(super::crl(&list.to_der(0x1_0000, &keys()).unwrap(), &asked), []);
}

#[test]
fn every_rule_is_broken_alone() {
    let mut broken = BTreeSet::new();
    for (rule, tbs, expected) in broken_roots() {
        let faults = super::root(&tbs, &expected);
        assert_eq!(rules(&faults).join(" "), rule, "{faults:#?}");
        broken.extend(rules(&faults));
    }
    for (rule, tbs, expected) in broken_crls() {
        let faults = super::crl(&tbs, &expected);
        assert_eq!(rules(&faults), [rule], "{faults:#?}");
        broken.extend(rules(&faults));
    }
    for (rule, faults) in issued::broken() {
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
