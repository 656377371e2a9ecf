//! One CRL with a million entries: built, signed and verified here, and made by `openssl ca` from
//! the same data.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Instant;

use ceremony::key::{Curve, PublicKey};
use ceremony::name::Name;
use ceremony::x509::profile::{self, Crl};
use ceremony::x509::{DirectoryName, Rdn, Reason, Revoked, assemble};
use p384::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p384::ecdsa::{Signature, SigningKey};

use crate::softhsm::{sized, timed};

/// The argument by which the bench calls itself, to measure the memory of one process.
pub(crate) const CHILD: &str = "--one-crl";
/// Entries of the list.
fn entries() -> u32 {
    sized(1_000_000, 1_000)
}

fn serial(number: u32) -> [u8; 20] {
    let mut serial = [0x40; 20];
    serial[16..].copy_from_slice(&number.to_be_bytes());
    serial
}

fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 48]).unwrap()
}

/// Builds, signs and verifies one list, and says what it took.
pub(crate) fn child(entries: u32) {
    let begin = Instant::now();
    let public = key().verifying_key().to_sec1_point(false);
    let public = PublicKey::from_point(Curve::P384, public.as_bytes()).unwrap();
    let name: Name = "g1".parse().unwrap();
    let date = "2026-04-01T12:00:00+09:00".parse().unwrap();
    let entry = |number| Revoked { serial: serial(number), date, reason: Some(Reason::Superseded) };
    let crl = profile::crl(&Crl {
        name: name.clone(),
        ca: DirectoryName::new(&[Rdn::C("JP".into()), Rdn::Cn("Bench".into())]).unwrap(),
        key: name.clone(),
        curve: Curve::P384,
        this_update: "2026-04-02T00:00:00+09:00".parse().unwrap(),
        next_update: "2026-04-05T00:00:00+09:00".parse().unwrap(),
        revoked: (0..entries).map(entry).collect(),
    });
    let tbs = crl.to_der(1, &BTreeMap::from([(name, public)])).unwrap();
    drop(crl);
    let digest = Curve::P384.digest(&tbs);
    let signature: Signature = key().sign_prehash(&digest).unwrap();
    key().verifying_key().verify_prehash(&digest, &signature).unwrap();
    let raw = ceremony::key::Signature::from_raw(Curve::P384, &signature.to_bytes()).unwrap();
    let list = assemble(&tbs, Curve::P384, &raw);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    println!(
        "CRL of {entries} entries, {} octets: built, signed and verified in {:.2?}, {} (asked: under 3 s, 200 MB)",
        list.len(),
        begin.elapsed(),
        peak.split_whitespace().collect::<Vec<_>>().join(" ")
    );
}

/// Ours in a process of its own, then OpenSSL's.
pub(crate) fn measure() {
    let own = std::env::current_exe().unwrap();
    let output = Command::new(own).args([CHILD, &entries().to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    print!("{}", String::from_utf8(output.stdout).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut index = String::new();
    for number in 0..entries() {
        let serial: String = serial(number).iter().map(|octet| format!("{octet:02X}")).collect();
        let _ = writeln!(
            index,
            "R\t310731145959Z\t260401030000Z,superseded\t{serial}\tunknown\t/C=JP/CN=DS {number}"
        );
    }
    fs::write(path("index.txt"), index).unwrap();
    fs::write(path("number"), "01\n").unwrap();
    let conf = "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha384\n\
                default_crl_days = 3\ncrl_extensions = e\nunique_subject = no\n[e]\nauthorityKeyIdentifier = keyid\n";
    fs::write(path("ca.conf"), conf).unwrap();
    let openssl = |arguments: &[&str]| {
        timed(Command::new("openssl").current_dir(folder.path()).args(arguments))
    };
    openssl(&["ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", "key.pem"]);
    openssl(&[
        "req",
        "-x509",
        "-new",
        "-key",
        "key.pem",
        "-subj",
        "/C=JP/CN=Bench",
        "-out",
        "ca.pem",
    ]);
    let arguments = [
        "ca", "-gencrl", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "key.pem", "-out",
        "list.pem",
    ];
    let taken = timed(
        Command::new("/usr/bin/env")
            .current_dir(folder.path())
            .args(["python3", "-c", PEAK, "openssl"])
            .args(arguments),
    );
    let peak = fs::read_to_string(path("peak")).unwrap();
    println!(
        "  openssl ca -gencrl on the same data, and no verification: {taken:.2?}, {} kB",
        peak.trim()
    );
}

/// Runs a command and writes down the most memory that it held.
const PEAK: &str = "import resource, subprocess, sys\n\
    subprocess.run(sys.argv[1:], check=True)\n\
    open('peak', 'w').write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))";
