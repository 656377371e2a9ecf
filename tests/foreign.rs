//! The golden's root and CRLs, judged by OpenSSL, GnuTLS, pkilint and x509-parser over the whole
//! batch.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ceremony::time::Instant;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use crate::support::{at_time, genesis_golden, root, run, succeed, text};

/// The root and these days' CRLs as PEM, in a folder of their own.
fn pem_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let convert = |kind: &str, from: PathBuf, to: &str| {
        let mut openssl = Command::new("openssl");
        openssl
            .args([kind, "-inform", "DER", "-in"])
            .arg(from)
            .arg("-out")
            .arg(folder.path().join(to));
        succeed(&mut openssl);
    };
    convert("x509", genesis_golden().join("root-g1.der"), "root.pem");
    for name in crls() {
        convert("crl", genesis_golden().join(format!("{name}.crl")), &format!("{name}.pem"));
    }
    folder
}

/// The names of the batch's CRLs, in order.
fn crls() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(genesis_golden())
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().to_str().unwrap().strip_suffix(".crl").map(String::from)
        })
        .collect();
    names.sort();
    assert_eq!(names.len(), 104);
    names
}

/// The beginning of a CRL's day of the CA.
fn day(name: &str) -> Instant {
    format!("{}T00:00:00+09:00", name.strip_prefix("crl-g1-").unwrap()).parse().unwrap()
}

fn openssl_accepts(folder: &Path, crl: &str, at: Instant) -> bool {
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder).args(["verify", "-x509_strict", "-crl_check", "-policy_check"]);
    openssl.args(["-attime", &at.unix().to_string(), "-CAfile", "root.pem", "-CRLfile"]);
    run(openssl.arg(format!("{crl}.pem")).arg("root.pem")).status.success()
}

#[test]
fn openssl_accepts_each_crl_from_its_day_to_48_hours_late_and_no_longer() {
    let folder = pem_folder();
    let hour = 3_600;
    let mut judged = 0;
    for (index, crl) in crls().iter().enumerate() {
        let start = day(crl);
        // The first CRL of a CA begins with its root: before it nothing is valid.
        assert!(!openssl_accepts(folder.path(), crl, start.plus_seconds(-1)), "{crl} early");
        assert!(openssl_accepts(folder.path(), crl, start.plus_seconds(12 * hour)), "{crl}");
        if index % 8 == 0 {
            assert!(openssl_accepts(folder.path(), crl, start), "{crl} at its first second");
            assert!(
                openssl_accepts(folder.path(), crl, start.plus_seconds(71 * hour)),
                "{crl} 47 h late"
            );
        }
        assert!(
            !openssl_accepts(folder.path(), crl, start.plus_seconds(72 * hour + 1)),
            "{crl} at 72 h"
        );
        judged += 1;
    }
    println!("CRLs judged by OpenSSL: {judged}");
}

#[test]
fn certtool_accepts_the_root_under_a_crl_of_the_day() {
    let folder = pem_folder();
    let names = crls();
    for (crl, time, good) in [
        (&names[0], "2026-04-01 03:00:00", true),
        (&names[50], "2026-05-21 03:00:00", true),
        (&names[0], "2026-04-05 03:00:00", false),
    ] {
        let mut certtool = at_time("certtool", time);
        certtool.current_dir(folder.path()).args([
            "--verify-crl",
            "--load-ca-certificate",
            "root.pem",
        ]);
        let output = run(certtool.args(["--infile", &format!("{crl}.pem")]));
        assert_eq!(output.status.success(), good, "{crl} at {time}: {}", text(&output));
    }
}

#[test]
fn pkilint_finds_nothing() {
    let folder = pem_folder();
    let tool = |name: &str| root().join(".venv/bin").join(name);
    let quiet = |command: &mut Command| {
        let said = succeed(command);
        for severity in ["NOTICE", "WARNING", "ERROR", "FATAL"] {
            assert!(!said.contains(severity), "{command:?}: {said}");
        }
    };
    quiet(
        Command::new(tool("lint_pkix_cert"))
            .args(["lint", "-s", "NOTICE"])
            .arg(folder.path().join("root.pem")),
    );
    let names = crls();
    for crl in [&names[0], &names[52], &names[103]] {
        let crl = folder.path().join(format!("{crl}.pem"));
        quiet(
            Command::new(tool("lint_crl"))
                .args(["lint", "-t", "CRL", "-p", "PKIX", "-s", "NOTICE"])
                .arg(crl),
        );
    }
}

#[test]
fn x509_parser_verifies_the_root_and_every_crl_and_their_numbers_increase() {
    let der = fs::read(genesis_golden().join("root-g1.der")).unwrap();
    let (rest, certificate) = X509Certificate::from_der(&der).unwrap();
    assert!(rest.is_empty());
    certificate.verify_signature(None).unwrap();
    let mut last = 0;
    for name in crls() {
        let der = fs::read(genesis_golden().join(format!("{name}.crl"))).unwrap();
        let (rest, crl) = CertificateRevocationList::from_der(&der).unwrap();
        assert!(rest.is_empty());
        crl.verify_signature(certificate.public_key()).unwrap();
        assert_eq!(crl.issuer().as_raw(), certificate.subject().as_raw());
        assert_eq!(crl.last_update().timestamp(), day(&name).unix());
        let number: u64 = crl.crl_number().unwrap().to_string().parse().unwrap();
        assert!(number > last, "{name}: {number} after {last}");
        last = number;
    }
}
