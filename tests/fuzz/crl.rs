//! Fuzzes the reader of a CRL: what is read encodes to the same octets, and none is believed but
//! what a golden root signed.
#![no_main]

#[path = "shared/golden.rs"]
mod golden;

use std::sync::LazyLock;

use ceremony::path::{Iaca, Item, Offered, RehearsalKeys, Shown, Weight, validate};
use der::{Decode as _, Encode as _};
use x509_cert::certificate::Raw;
use x509_cert::crl::CertificateList;

static ROOT: LazyLock<Vec<u8>> = LazyLock::new(|| golden::file("root-g1.der"));
static KNOWN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| golden::ending("crl"));

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let offered = Offered {
        roots: vec![ROOT.clone()],
        links: Vec::new(),
        crls: vec![octets.to_vec()],
        target: ROOT.clone(),
    };
    let at = "2026-06-30T12:00:00+09:00".parse().unwrap();
    let party =
        Iaca { rehearsal: RehearsalKeys::Accepted, annex_b: Weight::Refuse, ca: None };
    let verdict = validate(&offered, at, &party);
    let crl = verdict.steps().iter().find(|step| step.item == Item::Crl(0)).unwrap();
    let read = CertificateList::<Raw>::from_der(octets);
    if crl.shown != Shown::Unread {
        assert_eq!(read.as_ref().unwrap().to_der().unwrap(), octets);
    }
    if crl.judgement.holds() {
        let signed = read.unwrap().tbs_cert_list.to_der().unwrap();
        let is_known = |der: &Vec<u8>| der.windows(signed.len()).any(|part| part == signed);
        assert!(KNOWN.iter().any(is_known), "a CRL is believed that no root signed");
    }
});
