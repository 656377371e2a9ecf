//! CRLs: good ones, and others that are broken in one place.

use alloc::vec;
use alloc::vec::Vec;

use der::asn1::{Any, GeneralizedTime, OctetString};
use der::{DateTime, Decode as _, Encode as _};
use x509_cert::crl::TbsCertList;
use x509_cert::ext::pkix::CrlReason;
use x509_cert::time::Time;

use super::{Raw, ca, key, keys, of_three, rules};
use crate::fault::Fault;
use crate::key::Curve;
use crate::x509::judge::{self, EntryReasons, ExpectedCrl};
use crate::x509::{Reason, Revoked, crl::ToBeSignedCrl, profile};

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
        validity: "3 days".parse().unwrap(),
        root_ends: "2031-07-31T23:59:59+09:00".parse().unwrap(),
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
    let other = x509_cert::name::Name::from_der(of_three("JP", "O", "Other").der()).unwrap();
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

fn cases() -> Vec<CrlCase> {
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
    let asked = ExpectedCrl { validity: "91 days".parse().unwrap(), ..asked() };
    cases.push(("I-CRL-NEXT-UPDATE", long.to_der(0x1_0000, &keys()).unwrap(), asked));
    cases
}

fn utc(year: u16, month: u8, day: u8, hour: u8) -> Time {
    Time::from(DateTime::new(year, month, day, hour, 0, 0).unwrap())
}

/// What the judge finds in each, and the rule that it breaks.
pub(super) fn broken() -> Vec<(&'static str, Vec<Fault>)> {
    let judged = |(rule, tbs, expected): CrlCase| (rule, judge::crl(&tbs, &expected));
    cases().into_iter().map(judged).collect()
}

#[test]
fn a_good_list_has_no_fault() {
    for list in [vec![], revoked()] {
        assert_eq!(judge::crl(&crl_der(list.clone()), &expected_crl(&list)), []);
    }
}

#[test]
fn an_emergency_crl_ends_at_midnight() {
    let noon = "2026-04-02T12:34:56+09:00".parse().unwrap();
    let list = ToBeSignedCrl { this_update: noon, ..crl(vec![]) };
    let asked = ExpectedCrl { this_update: noon, ..expected_crl(&[]) };
    assert_eq!(judge::crl(&list.to_der(0x1_0000, &keys()).unwrap(), &asked), []);
}

/// The last CRLs of a key reach to the end of its root, and not one second less or more.
#[test]
fn a_crl_ends_with_the_root() {
    let root_ends = crl(vec![]).next_update.plus_seconds(-3_601);
    let asked = ExpectedCrl { root_ends, ..expected_crl(&[]) };
    for (seconds, found) in [(0, vec!["R-CRL"]), (1, vec![]), (2, vec!["R-CRL"])] {
        let list = ToBeSignedCrl { next_update: root_ends.plus_seconds(seconds), ..crl(vec![]) };
        assert_eq!(rules(&judge::crl(&list.to_der(0x1_0000, &keys()).unwrap(), &asked)), found);
    }
}
