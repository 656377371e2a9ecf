//! Link certificates and Document Signer certificates: a good one of each kind, and others that are
//! broken in one place.

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use der::asn1::{Any, OctetString};
use der::{Decode as _, Encode as _};

use super::{SERIAL, ca, key, keys, name, of_three, root};
use crate::fault::Fault;
use crate::key::{Curve, SignerCurve, SignerKey};
use crate::time::Instant;
use crate::x509::encoding::{EncodedExtension, TbsCertificate};
use crate::x509::judge::{ExpectedDs, ExpectedLink, ds, link};
use crate::x509::{DirectoryName, Rdn, profile};

/// Octets, and the rule that they break.
type Case = (&'static str, Vec<u8>);

/// The key that a request brought.
fn requested(generation: u8) -> SignerKey {
    SignerKey::from_octets(SignerCurve::P384, key(generation).point()).unwrap()
}

fn at(time: &str) -> Instant {
    time.parse().unwrap()
}

fn signer() -> profile::DocumentSigner {
    profile::DocumentSigner {
        name: "ds-0001".parse().unwrap(),
        ca: ca(),
        subject: of_three("JP", "O", "DS 0001"),
        public: requested(7),
        issuer: "g1".parse().unwrap(),
        issuer_curve: Curve::P384,
        not_before: at("2026-06-30T00:00:00+09:00"),
        not_after: at("2026-10-29T23:59:59+09:00"),
        purpose: "1.0.18013.5.1.2".parse().unwrap(),
        issuer_alt_name: root().issuer_alt_name,
        crl_urls: root().crl_urls,
    }
}

fn expected_ds() -> ExpectedDs {
    ExpectedDs {
        ca: ca().der().to_vec(),
        country: "JP".to_string(),
        subject: signer().subject.der().to_vec(),
        public_key: crate::x509::signer_key_info(&requested(7)),
        issuer_curve: Curve::P384,
        issuer_key: key(1).key_identifier(),
        not_before: signer().not_before,
        max_days: 457,
        root_ends: at("2031-07-31T23:59:59+09:00"),
        purpose: "1.0.18013.5.1.2".to_string(),
        issuer_alt_name: root().issuer_alt_name,
        crl_urls: root().crl_urls,
    }
}

fn rollover() -> profile::Link {
    profile::Link {
        name: "link-g2-g1".parse().unwrap(),
        ca: ca(),
        key: "g2".parse().unwrap(),
        issuer: "g1".parse().unwrap(),
        curve: Curve::P384,
        not_before: at("2031-03-31T00:00:00+09:00"),
        not_after: at("2031-07-31T23:59:59+09:00"),
        issuer_alt_name: root().issuer_alt_name,
        crl_urls: root().crl_urls,
    }
}

fn expected_link() -> ExpectedLink {
    ExpectedLink {
        ca: ca().der().to_vec(),
        country: "JP".to_string(),
        curve: Curve::P384,
        subject_key: key(2).key_identifier(),
        issuer_key: key(1).key_identifier(),
        not_before: rollover().not_before,
        not_after: rollover().not_after,
        issuer_alt_name: root().issuer_alt_name,
        crl_urls: root().crl_urls,
    }
}

fn of_signer(ds: &profile::DocumentSigner, change: impl FnOnce(&mut TbsCertificate)) -> Vec<u8> {
    let mut tbs = profile::document_signer(ds).structure(&SERIAL, &keys()).unwrap();
    change(&mut tbs);
    tbs.to_der().unwrap()
}

fn of_link(link: &profile::Link, change: impl FnOnce(&mut TbsCertificate)) -> Vec<u8> {
    let mut tbs = profile::link(link).structure(&SERIAL, &keys()).unwrap();
    change(&mut tbs);
    tbs.to_der().unwrap()
}

fn put(tbs: &mut TbsCertificate, index: usize, value: &[u8]) {
    tbs.extensions[index].extn_value = OctetString::new(value).unwrap();
}

fn add(tbs: &mut TbsCertificate, kind: &str, value: &[u8]) {
    tbs.extensions.push(EncodedExtension {
        extn_id: kind.parse().unwrap(),
        critical: true,
        extn_value: OctetString::new(value).unwrap(),
    });
}

fn broken_signers() -> Vec<Case> {
    let changed = |rule, change: fn(&mut TbsCertificate)| (rule, of_signer(&signer(), change));
    let other = |rule, ds: profile::DocumentSigner| (rule, of_signer(&ds, |_| ()));
    // Order of the extensions: SKI, AKI, key usage, purpose, issuerAltName, CRL.
    let mut cases = vec![
        changed("I-AKI", |tbs| drop(tbs.extensions.remove(1))),
        changed("I-AKI", |tbs| tbs.extensions[1].critical = true),
        changed("I-AKI", |tbs| put(tbs, 1, &[&[0x30, 22, 0x80, 20][..], &[7; 20]].concat())),
        changed("I-DS-KEY-USAGE", |tbs| drop(tbs.extensions.remove(2))),
        changed("I-DS-KEY-USAGE", |tbs| tbs.extensions[2].critical = false),
        changed("I-DS-KEY-USAGE", |tbs| put(tbs, 2, &[3, 2, 6, 0xc0])),
        changed("I-DS-EKU", |tbs| drop(tbs.extensions.remove(3))),
        changed("I-DS-EKU", |tbs| tbs.extensions[3].critical = false),
        changed("I-DS-EKU", |tbs| {
            let purposes =
                [0x30, 14, 6, 5, 0x28, 0x81, 0x8c, 0x5d, 5, 6, 5, 0x28, 0x81, 0x8c, 0x5d, 6];
            put(tbs, 3, &purposes);
        }),
        changed("I-ROOT-IAN", |tbs| drop(tbs.extensions.remove(4))),
        changed("I-ROOT-CDP", |tbs| drop(tbs.extensions.remove(5))),
        changed("R-DS-NOT-CA", |tbs| add(tbs, "2.5.29.19", &[0x30, 0])),
        changed("I-DS-EXT", |tbs| add(tbs, "1.3.6.1.4.1.32473.1", &[5, 0])),
        changed("R-NO-POLICY-EXT", |tbs| add(tbs, "2.5.29.32", &[0x30, 0])),
        changed("R-DN-FIXED", |tbs| tbs.subject = tbs.issuer.clone()),
        other("R-DS", profile::DocumentSigner { public: requested(8), ..signer() }),
        other("R-DS", later(1, 0)),
        other("I-DS-VALIDITY", later(0, 400 * 86_400)),
        other("I-AKI", profile::DocumentSigner { issuer: "g3".parse().unwrap(), ..signer() }),
    ];
    let foreign = name(&[
        ("2.5.4.6", der::Tag::PrintableString, "US"),
        ("2.5.4.10", der::Tag::Utf8String, "O"),
        ("2.5.4.3", der::Tag::Utf8String, "DS 0001"),
    ]);
    let foreign = Any::from_der(&foreign).unwrap();
    cases.push(("I-COUNTRY R-DN-FIXED", of_signer(&signer(), |tbs| tbs.subject = foreign)));
    cases
}

fn later(begin: i64, end: i64) -> profile::DocumentSigner {
    let (not_before, not_after) = (signer().not_before, signer().not_after);
    profile::DocumentSigner {
        not_before: not_before.plus_seconds(begin),
        not_after: not_after.plus_seconds(end),
        ..signer()
    }
}

fn broken_links() -> Vec<Case> {
    let changed = |rule, change: fn(&mut TbsCertificate)| (rule, of_link(&rollover(), change));
    let other = |rule, link: profile::Link| (rule, of_link(&link, |_| ()));
    let (begins, ends) = (rollover().not_before, rollover().not_after);
    vec![
        changed("I-AKI", |tbs| drop(tbs.extensions.remove(1))),
        changed("I-ROOT-KEY-USAGE", |tbs| drop(tbs.extensions.remove(2))),
        changed("I-ROOT-BASIC-CONSTRAINTS", |tbs| drop(tbs.extensions.remove(3))),
        changed("I-ROOT-EXT", |tbs| add(tbs, "1.3.6.1.4.1.32473.1", &[5, 0])),
        changed("R-DN-FIXED", |tbs| {
            tbs.subject = Any::from_der(of_three("JP", "O", "x").der()).unwrap();
        }),
        other("R-LINK", profile::Link { key: "g3".parse().unwrap(), ..rollover() }),
        other("R-LINK", profile::Link { not_before: begins.plus_seconds(-1), ..rollover() }),
        other("R-LINK", profile::Link { not_after: ends.plus_seconds(1), ..rollover() }),
        other("I-AKI", profile::Link { issuer: "g3".parse().unwrap(), ..rollover() }),
    ]
}

/// The Name of a CA that has an ST, which the Document Signer lacks.
fn of_another_state() -> DirectoryName {
    let (country, common_name) = (Rdn::C("JP".into()), Rdn::Cn("CA".into()));
    DirectoryName::new(&[country, Rdn::St("13".into()), common_name]).unwrap()
}

/// Every broken structure with the faults that it has.
pub(super) fn broken() -> Vec<(&'static str, Vec<Fault>)> {
    let signers = broken_signers().into_iter().map(|(rule, tbs)| (rule, ds(&tbs, &expected_ds())));
    let links = broken_links().into_iter().map(|(rule, tbs)| (rule, link(&tbs, &expected_link())));
    let state = of_another_state();
    let asked = ExpectedDs { ca: state.der().to_vec(), ..expected_ds() };
    let tbs = of_signer(&signer(), |tbs| tbs.issuer = Any::from_der(state.der()).unwrap());
    let states = [("I-STATE", ds(&tbs, &asked))];
    signers.chain(links).chain(states).collect()
}

#[test]
fn a_good_certificate_has_no_fault() {
    assert_eq!(ds(&of_signer(&signer(), |_| ()), &expected_ds()), []);
    assert_eq!(link(&of_link(&rollover(), |_| ()), &expected_link()), []);
    // Both of one state.
    let state = of_another_state();
    let asked =
        ExpectedDs { ca: state.der().to_vec(), subject: state.der().to_vec(), ..expected_ds() };
    let named = profile::DocumentSigner { ca: state.clone(), subject: state, ..signer() };
    assert_eq!(ds(&of_signer(&named, |_| ()), &asked), []);
}
