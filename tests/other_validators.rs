//! A P-384 root and its CRLs, out of the product's profiles, judged by other people's validators.
//!
//! A tool that is missing is a failure; `./test` installs them all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ceremony::key::Curve;
use ceremony::time::Instant;
use ceremony::x509::{Reason, Revoked};
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use crate::issuing::{self, ROOT_SERIAL, SIGNER_SERIAL, TestKey};

const ROOT_KEY: TestKey = TestKey { curve: Curve::P384, octet: 0x11 };
const SIGNER_KEY: TestKey = TestKey { curve: Curve::P384, octet: 0x22 };

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

/// When the chains of the tests begin, where the validator can be told the time.
fn opening_day() -> Instant {
    at("2026-04-01T00:00:00+09:00")
}

fn root(start: Instant) -> Vec<u8> {
    let root = issuing::root(Curve::P384, start);
    ROOT_KEY.signed(&root.to_der(&ROOT_SERIAL, &ROOT_KEY.keys()).unwrap())
}

/// The CRLs of the day after: one without entries, one with another certificate's, one with the
/// Document Signer's.
fn crls(start: Instant) -> [(&'static str, Vec<u8>); 3] {
    let date = start.plus_seconds(43_200);
    let other = Revoked { serial: [0x77; 20], date, reason: None };
    let signer = Revoked { serial: SIGNER_SERIAL, date, reason: Some(Reason::KeyCompromise) };
    let crl = |revoked| issuing::crl(ROOT_KEY, start.plus_seconds(86_400), revoked);
    [
        ("empty", crl(vec![])),
        ("other", crl(vec![other.clone()])),
        ("signer", crl(vec![other, signer])),
    ]
}

/// The chain and its CRLs as PEM files in a folder of their own.
fn folder(name: &str, start: Instant) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    let signer = issuing::document_signer(ROOT_KEY, SIGNER_KEY, start);
    fs::write(folder.join("root.pem"), issuing::pem("CERTIFICATE", &root(start))).unwrap();
    fs::write(folder.join("signer.pem"), issuing::pem("CERTIFICATE", &signer)).unwrap();
    for (crl, der) in crls(start) {
        fs::write(folder.join(crl_file(crl)), issuing::pem("X509 CRL", &der)).unwrap();
    }
    folder
}

fn crl_file(crl: &str) -> String {
    format!("{crl}.crl.pem")
}

/// What a tool answers.
fn run(folder: &Path, tool: &str, arguments: &[&str]) -> Output {
    let output = Command::new(tool).args(arguments).current_dir(folder).output();
    output.unwrap_or_else(|error| panic!("{tool}: {error}"))
}

fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]].map(String::from_utf8_lossy).concat()
}

#[test]
fn openssl_accepts_the_chain_and_finds_the_revoked_signer() {
    let folder = folder("openssl", opening_day());
    let noon = at("2026-04-02T12:00:00+09:00").unix().to_string();
    for (crl, _) in crls(opening_day()) {
        let file = crl_file(crl);
        let arguments = [
            &["verify", "-x509_strict", "-crl_check_all", "-policy_check", "-attime", &noon][..],
            &["-CAfile", "root.pem", "-CRLfile", &file, "signer.pem"],
        ]
        .concat();
        let output = run(&folder, "openssl", &arguments);
        let text = said(&output);
        assert_eq!(output.status.success(), crl != "signer", "{crl}: {text}");
        assert_eq!(text.contains("certificate revoked"), crl == "signer", "{crl}: {text}");
    }
}

#[test]
fn openssl_accepts_the_crl_for_three_days_only() {
    let folder = folder("openssl-days", opening_day());
    for (time, good) in [
        ("2026-04-01T23:59:59+09:00", false),
        ("2026-04-02T00:00:00+09:00", true),
        ("2026-04-04T23:59:59+09:00", true),
        ("2026-04-05T00:00:01+09:00", false),
    ] {
        let seconds = at(time).unix().to_string();
        let arguments = [
            &["verify", "-x509_strict", "-crl_check", "-attime", &seconds][..],
            &["-CAfile", "root.pem", "-CRLfile", "empty.crl.pem", "signer.pem"],
        ]
        .concat();
        let output = run(&folder, "openssl", &arguments);
        assert_eq!(output.status.success(), good, "{time}: {}", said(&output));
    }
}

#[test]
fn certtool_accepts_the_chain_and_finds_the_revoked_signer() {
    let start = issuing::days_ago(2);
    let folder = folder("certtool", start);
    for (crl, _) in crls(start) {
        let file = crl_file(crl);
        let chain = [
            &["--verify", "--load-ca-certificate", "root.pem"][..],
            &["--load-crl", &file, "--infile", "signer.pem"],
        ]
        .concat();
        let output = run(&folder, "certtool", &chain);
        let text = said(&output);
        assert_eq!(output.status.success(), crl != "signer", "{crl}: {text}");
        assert_eq!(text.contains("revoked"), crl == "signer", "{crl}: {text}");
    }
}

#[test]
fn x509_parser_reads_everything_and_verifies_the_signatures() {
    let der = root(opening_day());
    let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
    assert!(rest.is_empty());
    certificate.verify_signature(None).unwrap();
    assert_eq!(certificate.raw_serial(), ROOT_SERIAL);
    for (name, crl) in crls(opening_day()) {
        let (rest, list) = CertificateRevocationList::from_der(&crl).unwrap();
        assert!(rest.is_empty());
        list.verify_signature(certificate.public_key()).unwrap();
        let serials: Vec<&[u8]> =
            list.iter_revoked_certificates().map(|entry| entry.raw_serial()).collect();
        let revoked = serials.contains(&SIGNER_SERIAL.as_slice());
        assert_eq!(revoked, name == "signer");
    }
}
