//! The goldens of the history, judged by people's other tools: Document Signers, links, revocations
//! over two generations.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ceremony::time::Instant;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::golden;
use super::history::CEREMONIES;
use crate::support::{at_time, files, root, run, succeed, text};

/// A structure of the history as PEM, under its own name in this folder.
fn pem(folder: &Path, ceremony: &str, file: &str) -> String {
    let (name, ending) = file.rsplit_once('.').unwrap();
    let kind = if ending == "crl" { "crl" } else { "x509" };
    let to = format!("{name}.pem");
    let mut openssl = Command::new("openssl");
    openssl.args([kind, "-inform", "DER", "-in"]).arg(golden(ceremony).join(file));
    succeed(openssl.arg("-out").arg(folder.join(&to)));
    to
}

/// A path that OpenSSL judges: root, links, CRLs, certificate, time, and whether it is good.
struct Judged {
    root: (&'static str, &'static str),
    links: &'static [(&'static str, &'static str)],
    crls: &'static [(&'static str, &'static str)],
    certificate: (&'static str, &'static str),
    at: &'static str,
    found: &'static str,
}

const G1: (&str, &str) = ("2026-04-genesis", "root-g1.der");
const G2: (&str, &str) = ("2031-03-rollover", "root-g2.der");
const NEW_WITH_OLD: (&str, &str) = ("2031-03-rollover", "new-with-old-g1-g2.der");
const OLD_WITH_NEW: (&str, &str) = ("2031-03-rollover", "old-with-new-g1-g2.der");
const DS_OF_G2: (&str, &str) = ("2031-06-two-generations", "ds-0005.der");
const DAY_OF_G1: (&str, &str) = ("2031-06-two-generations", "crl-g1-2031-06-20.crl");
const DAY_OF_G2: (&str, &str) = ("2031-06-two-generations", "crl-g2-2031-06-20.crl");

const PATHS: [Judged; 8] = [
    // A Document Signer on its day, before it, and after it.
    Judged {
        root: G1,
        links: &[],
        crls: &[("2026-06-ds", "crl-g1-2026-07-10.crl")],
        certificate: ("2026-06-ds", "ds-0001.der"),
        at: "2026-07-10T12:00:00+09:00",
        found: "OK",
    },
    // A batch that is read 48 hours late, and 72 hours late.
    Judged {
        root: G1,
        links: &[],
        crls: &[("2026-06-ds", "crl-g1-2026-07-10.crl")],
        certificate: ("2026-06-ds", "ds-0001.der"),
        at: "2026-07-12T23:59:59+09:00",
        found: "OK",
    },
    Judged {
        root: G1,
        links: &[],
        crls: &[("2026-06-ds", "crl-g1-2026-07-10.crl")],
        certificate: ("2026-06-ds", "ds-0001.der"),
        at: "2026-07-13T00:00:01+09:00",
        found: "CRL has expired",
    },
    // The revoked one, with the first CRL after its revocation, and with that of the day before.
    Judged {
        root: G1,
        links: &[],
        crls: &[("2026-10-ds-compromise", "crl-g1-2026-10-14.crl")],
        certificate: ("2026-09-renewal", "ds-0003.der"),
        at: "2026-10-14T20:00:00+09:00",
        found: "certificate revoked",
    },
    Judged {
        root: G1,
        links: &[],
        crls: &[("2026-09-renewal", "crl-g1-2026-10-13.crl")],
        certificate: ("2026-09-renewal", "ds-0003.der"),
        at: "2026-10-13T20:00:00+09:00",
        found: "OK",
    },
    // The new generation under its own root, and under the old root over the link.
    Judged {
        root: G2,
        links: &[],
        crls: &[DAY_OF_G2],
        certificate: DS_OF_G2,
        at: "2031-06-20T12:00:00+09:00",
        found: "OK",
    },
    Judged {
        root: G1,
        links: &[NEW_WITH_OLD],
        crls: &[DAY_OF_G1, DAY_OF_G2],
        certificate: DS_OF_G2,
        at: "2031-06-20T12:00:00+09:00",
        found: "OK",
    },
    // Without the link there is no way.
    Judged {
        root: G1,
        links: &[],
        crls: &[DAY_OF_G1, DAY_OF_G2],
        certificate: DS_OF_G2,
        at: "2031-06-20T12:00:00+09:00",
        found: "unable to get local issuer certificate",
    },
];

#[test]
fn openssl_judges_paths_of_both_generations_as_we_do() {
    for path in PATHS {
        let folder = tempfile::tempdir().unwrap();
        let put = |(ceremony, file): &(&str, &str)| pem(folder.path(), ceremony, file);
        let together = |name: &str, parts: &[(&str, &str)]| {
            let texts = parts.iter().map(|part| folder.path().join(put(part)));
            let texts: String = texts.map(|path| fs::read_to_string(path).unwrap()).collect();
            fs::write(folder.path().join(name), texts).unwrap();
        };
        together("crls", path.crls);
        together("links", path.links);
        let at: Instant = path.at.parse().unwrap();
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder.path()).args(["verify", "-x509_strict", "-crl_check_all"]);
        openssl.args(["-attime", &at.unix().to_string(), "-CRLfile", "crls"]);
        openssl.args(["-CAfile", &put(&path.root)]);
        if !path.links.is_empty() {
            openssl.args(["-untrusted", "links"]);
        }
        let output = run(openssl.arg(put(&path.certificate)));
        let (name, said) = (path.certificate.1, text(&output));
        assert_eq!(output.status.success(), path.found == "OK", "{name} at {}: {said}", path.at);
        assert!(said.contains(path.found), "{name} at {}: {said}", path.at);
    }
}

/// GnuTLS accepts a Document Signer under its own root. Over a link it counts the link against the
/// root's pathLenConstraint of 0, which RFC 5280 6.1.4 (l) does not: a self-issued certificate is
/// not counted.
#[test]
fn certtool_accepts_a_signer_and_counts_links_unlike_rfc_5280() {
    let counted = "violates the signer's constraints";
    for (root, links, found) in
        [(G2, &[][..], "The certificate is trusted"), (G1, &[NEW_WITH_OLD][..], counted)]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut chain = String::new();
        for (ceremony, file) in [DS_OF_G2].iter().chain(links) {
            let name = pem(folder.path(), ceremony, file);
            chain.push_str(&fs::read_to_string(folder.path().join(name)).unwrap());
        }
        fs::write(folder.path().join("chain"), chain).unwrap();
        let mut certtool = at_time("certtool", "2031-06-20 03:00:00");
        certtool.current_dir(folder.path()).args(["--verify", "--infile", "chain"]);
        let anchor = pem(folder.path(), root.0, root.1);
        let output = run(certtool.args(["--load-ca-certificate", &anchor]));
        assert_eq!(output.status.success(), links.is_empty(), "{}: {}", root.1, text(&output));
        assert!(text(&output).contains(found), "{}: {}", root.1, text(&output));
    }
}

#[test]
fn pkilint_finds_nothing_in_signers_links_and_revocations() {
    let folder = tempfile::tempdir().unwrap();
    let tool = |name: &str| root().join(".venv/bin").join(name);
    let quiet = |command: &mut Command| {
        let said = succeed(command);
        for severity in ["NOTICE", "WARNING", "ERROR", "FATAL"] {
            assert!(!said.contains(severity), "{command:?}: {said}");
        }
    };
    for (ceremony, file) in
        [("2026-06-ds", "ds-0001.der"), ("2026-06-ds", "ds-0002.der"), NEW_WITH_OLD, OLD_WITH_NEW]
    {
        let name = pem(folder.path(), ceremony, file);
        let mut lint = Command::new(tool("lint_pkix_cert"));
        quiet(lint.args(["lint", "-s", "NOTICE"]).arg(folder.path().join(name)));
    }
    for (ceremony, file) in [
        ("2026-10-ds-compromise", "crl-g1-2026-10-14.crl"),
        ("2031-11-recovery", "crl-g3-2031-11-25.crl"),
        DAY_OF_G2,
    ] {
        let name = pem(folder.path(), ceremony, file);
        let mut lint = Command::new(tool("lint_crl"));
        lint.args(["lint", "-t", "CRL", "-p", "PKIX", "-s", "NOTICE"]);
        quiet(lint.arg(folder.path().join(name)));
    }
}

/// Every certificate and CRL of the history by its issuer's key; numbers rise over all generations.
#[test]
fn x509_parser_verifies_every_structure_of_the_history() {
    let mut roots = BTreeMap::new();
    for (ceremony, key) in [(CEREMONIES[0], "g1"), (CEREMONIES[5], "g2"), (CEREMONIES[9], "g3")] {
        roots.insert(key, fs::read(golden(ceremony).join(format!("root-{key}.der"))).unwrap());
    }
    let public = |key: &str| X509Certificate::from_der(&roots[key]).unwrap().1;
    let (mut certificates, mut lists, mut last) = (0, 0, 0);
    for ceremony in CEREMONIES {
        let mut numbers = Vec::new();
        for (name, octets) in files(&golden(ceremony)) {
            let verified = |issuer: &str| {
                let (rest, certificate) = X509Certificate::from_der(&octets).unwrap();
                let good = certificate.verify_signature(Some(public(issuer).public_key()));
                rest.is_empty() && good.is_ok()
            };
            if name.ends_with(".der") {
                let by = roots.keys().filter(|issuer| verified(issuer)).count();
                assert_eq!(by, 1, "{ceremony}/{name}: signed by one root key");
                certificates += 1;
            } else if let Some(list) = name.strip_suffix(".crl") {
                let (rest, crl) = CertificateRevocationList::from_der(&octets).unwrap();
                let key = list.split('-').nth(1).unwrap();
                assert!(rest.is_empty(), "{ceremony}/{name}");
                crl.verify_signature(public(key).public_key()).unwrap();
                numbers.push(crl.crl_number().unwrap().to_string().parse::<u64>().unwrap());
                lists += 1;
            }
        }
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{ceremony}: a number twice");
        assert!(numbers[0] > last, "{ceremony}: {} after {last}", numbers[0]);
        last = *numbers.last().unwrap();
    }
    println!("{certificates} certificates and {lists} CRLs verified by x509-parser");
    assert_eq!((certificates, lists), (12, 1302));
}

/// 2.2, 5.5.1.2.1: what is behind a revocation is archived, and never published.
#[test]
fn the_grounds_of_a_revocation_leave_in_no_crl() {
    let mut entries = 0;
    for ceremony in CEREMONIES {
        for (name, octets) in files(&golden(ceremony)) {
            if !name.ends_with(".crl") {
                continue;
            }
            let (_, crl) = CertificateRevocationList::from_der(&octets).unwrap();
            for entry in crl.iter_revoked_certificates() {
                let kinds: Vec<String> = entry
                    .extensions()
                    .iter()
                    .map(|extension| extension.oid.to_id_string())
                    .collect();
                assert!(kinds.is_empty() || kinds == ["2.5.29.21"], "{ceremony}/{name}: {kinds:?}");
                entries += 1;
            }
        }
        for language in ["ja", "en"] {
            let notice = golden(ceremony).join(format!("notice.{language}.md"));
            let Ok(notice) = fs::read_to_string(notice) else { continue };
            let roster = fs::read_to_string(golden(ceremony).join("inputs/roster.toml")).unwrap();
            let names = roster.lines().filter_map(|line| line.strip_prefix("name"));
            for name in names.filter_map(|line| line.split('"').nth(1)) {
                assert!(!notice.contains(name), "{ceremony}: {name} in the notice");
            }
            assert!(!notice.contains("notification"), "{ceremony}");
        }
    }
    assert!(entries > 300, "{entries}");
}
