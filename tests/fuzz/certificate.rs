//! Fuzzes the reader of a certificate: what is read encodes to the same octets, and nothing is
//! relied on but what a golden root signed.
#![no_main]

#[path = "shared/golden.rs"]
mod golden;

use std::sync::LazyLock;

use ceremony::path::{Iaca, Item, Offered, RehearsalKeys, Shown, Weight, validate};
use der::{Decode as _, Encode as _};
use x509_cert::certificate::{CertificateInner, Raw};

static ROOT: LazyLock<Vec<u8>> = LazyLock::new(|| golden::file("root-g1.der"));
static CRL: LazyLock<Vec<u8>> = LazyLock::new(|| golden::file("crl-g1-2026-06-30.crl"));
static KNOWN: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| golden::ending("der"));

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let offered = Offered {
        roots: vec![ROOT.clone()],
        links: Vec::new(),
        crls: vec![CRL.clone()],
        target: octets.to_vec(),
    };
    let at = "2026-06-30T12:00:00+09:00".parse().unwrap();
    let party =
        Iaca { rehearsal: RehearsalKeys::Accepted, annex_b: Weight::Refuse, ca: None };
    let verdict = validate(&offered, at, &party);
    let target = verdict.steps().iter().find(|step| step.item == Item::Target).unwrap();
    let read = CertificateInner::<Raw>::from_der(octets);
    if target.shown != Shown::Unread {
        assert_eq!(read.as_ref().unwrap().to_der().unwrap(), octets);
        let _words = ceremony::x509::readable::certificate(octets, ceremony::time::Offset::UTC);
    }
    if verdict.is_valid() {
        let signed = read.unwrap().tbs_certificate().to_der().unwrap();
        let is_known = |der: &Vec<u8>| der.windows(signed.len()).any(|part| part == signed);
        assert!(KNOWN.iter().any(is_known), "something is relied on that no root signed");
    }
});
