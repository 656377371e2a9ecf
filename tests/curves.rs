//! Document Signers on every curve that ISO/IEC 18013-5 allows and the product verifies: requests
//! made by OpenSSL, their certificates judged by OpenSSL and by `validate`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64ct::{Base64, Encoding as _};
use ceremony::hex::Digest;
use ceremony::key::{SignerCurve, Verifier};
use ceremony::x509::request;

use crate::support::{copy, gishiki, root, run, succeed, text};

/// A curve's name in a policy, what OpenSSL is asked for, and the hash function of the proof.
const KEYS: [(&str, &[&str], &str); 8] = [
    ("P-256", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "-sha256"),
    ("P-384", &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "-sha384"),
    ("P-521", &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "-sha512"),
    // What OpenSSL hashes with if nobody says anything.
    ("P-521", &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], "-sha256"),
    ("brainpoolP256r1", &["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"], "-sha256"),
    ("brainpoolP256r1", &["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"], "-sha512"),
    ("brainpoolP384r1", &["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1"], "-sha384"),
    ("Ed25519", &["ed25519"], "-sha512"),
];

/// A request by OpenSSL.
fn requested(folder: &Path, kind: &[&str], more: &[&str]) -> String {
    let path = folder.join("request.csr");
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-new", "-nodes", "-subj", "/C=JP/CN=FAKE applicant", "-newkey"]);
    openssl.args(kind).args(more).arg("-keyout").arg(folder.join("key.pem"));
    succeed(openssl.arg("-out").arg(&path));
    fs::read_to_string(path).unwrap()
}

/// The octets of a request, with what is done to them, as PEM again.
fn bent(pem: &str, bend: impl FnOnce(&mut Vec<u8>)) -> String {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = Base64::decode_vec(&base64).unwrap();
    bend(&mut der);
    let base64 = Base64::encode_string(&der);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{base64}\n-----END CERTIFICATE REQUEST-----\n")
}

/// The sample's first two ceremonies, with these curves in the policy and a certificate for each of
/// these requests.
fn plans(folder: &Path, curves: &str, requests: &[String]) -> PathBuf {
    let (from, plans) = (root().join("ceremony-plans/mdoc-root"), folder.join("plans"));
    for ceremony in ["2026-04-genesis", "2026-06-ds"] {
        copy(&from.join(ceremony), &plans.join(ceremony));
    }
    for name in ["cps.toml", "cps.ja.txt", "roster.toml"] {
        fs::copy(from.join(name), plans.join(name)).unwrap();
    }
    let policy = fs::read_to_string(from.join("policy.toml")).unwrap();
    let listed = "curves             = [\"P-256\", \"P-384\"]";
    assert_eq!(policy.matches(listed).count(), 1);
    fs::write(plans.join("policy.toml"), policy.replace(listed, curves)).unwrap();
    let path = plans.join("2026-06-ds/plan.toml");
    let plan = fs::read_to_string(&path).unwrap();
    let (head, _) = plan.split_once("[certificate.ds-0001]").unwrap();
    let (_, crls) = plan.split_once("[crls]").unwrap();
    let mut written = String::from(head);
    for (place, request) in requests.iter().enumerate() {
        let name = format!("ds-{:04}", place + 1);
        fs::write(path.with_file_name(format!("{name}.csr")), request).unwrap();
        written.push_str(&format!(
            "[certificate.{name}]\nprofile = \"ds\"\nissuer = \"g1\"\n\
             not-before = 2026-06-30T00:00:00+09:00\ncsr = \"{name}.csr\"\n\
             csr-sha256 = \"{}\"\napplication = \"a-2026-06\"\n\n",
            Digest::of(request.as_bytes())
        ));
    }
    fs::write(&path, format!("{written}[crls]{crls}")).unwrap();
    plans
}

fn all_curves() -> String {
    let names = SignerCurve::ALL.map(|curve| format!("\"{}\"", curve.name()));
    format!("curves = [{}]", names.join(", "))
}

/// A certificate as PEM, which `openssl verify` wants.
fn pem(folder: &Path, der: &Path) -> PathBuf {
    let path = folder.join(der.file_stem().unwrap()).with_extension("pem");
    let mut openssl = Command::new("openssl");
    succeed(openssl.args(["x509", "-inform", "DER", "-in"]).arg(der).arg("-out").arg(&path));
    path
}

/// The public key in a certificate or a request, as OpenSSL writes it.
fn public_key(kind: &str, path: &Path) -> String {
    succeed(Command::new("openssl").args([kind, "-noout", "-pubkey", "-in"]).arg(path))
}

#[test]
fn a_document_signer_on_every_curve_is_issued_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let requests: Vec<String> =
        KEYS.iter().map(|(_, kind, hash)| requested(folder.path(), kind, &[*hash])).collect();
    let plans = plans(folder.path(), &all_curves(), &requests);
    let out = folder.path().join("ledger");
    succeed(gishiki().arg("rehearse").arg(&plans).arg("--out").arg(&out));
    succeed(gishiki().arg("verify").arg(&out).arg("--rehearsal"));
    let root = out.join("2026-04-genesis/root-g1.der");
    let root_pem = pem(folder.path(), &root);
    for (place, (curve, ..)) in KEYS.iter().enumerate() {
        let name = format!("ds-{:04}", place + 1);
        let ds = out.join("2026-06-ds").join(&name).with_extension("der");
        let ds_pem = pem(folder.path(), &ds);
        let request = plans.join("2026-06-ds").join(&name).with_extension("csr");
        assert_eq!(public_key("x509", &ds_pem), public_key("req", &request), "{curve}");
        let mut openssl = Command::new("openssl");
        openssl.args(["verify", "-x509_strict", "-attime", "1788000000"]);
        succeed(openssl.arg("-CAfile").arg(&root_pem).arg(&ds_pem));
        let mut validate = gishiki();
        validate.args(["validate", "--rehearsal", "--at", "2026-06-30T12:00:00+09:00", "--root"]);
        validate.arg(&root).arg("--crl").arg(out.join("2026-06-ds/crl-g1-2026-06-30.crl"));
        succeed(validate.arg("--ca").arg(&plans).arg(&ds));
        let shown = fs::read_to_string(ds.with_extension("txt")).unwrap();
        assert!(shown.contains(&format!("{curve} (1.")), "{shown}");
    }
}

#[test]
fn a_request_that_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (curve, kind, hash) in KEYS {
        let pem = requested(folder.path(), kind, &[hash]);
        let read = request::read("ds-0001", &pem).unwrap();
        assert_eq!(read.public.curve().name(), curve);
        for verifier in [Verifier::RustCrypto, Verifier::Graviola] {
            let _held = read.possession.prove_by(verifier).unwrap();
        }
        // The common name, which is signed, and the signature's last octet.
        let at = |der: &[u8]| der.windows(4).position(|four| four == b"FAKE").unwrap();
        let name = bent(&pem, |der| {
            let at = at(der);
            der[at] = b'f';
        });
        let signature = bent(&pem, |der| *der.last_mut().unwrap() ^= 2);
        for changed in [name, signature] {
            let proved = request::read("ds-0001", &changed).map(|read| read.possession.prove());
            assert!(!matches!(proved, Ok(Ok(_))), "{curve}");
        }
        let read = request::read("ds-0001", &bent(&pem, |der| *der.last_mut().unwrap() ^= 2));
        assert!(read.is_err() || read.unwrap().possession.prove().is_err(), "{curve}");
    }
}

/// What `check` says of one request, in both languages.
fn said(request: &str, curves: &str) -> [String; 2] {
    let folder = tempfile::tempdir().unwrap();
    let plans = plans(folder.path(), curves, &[request.into()]);
    let ledger = folder.path().join("ledger");
    copy(&root().join("golden/mdoc-root/2026-04-genesis"), &ledger.join("2026-04-genesis"));
    ["ja", "en"].map(|lang| {
        let mut check = gishiki();
        check.args(["--lang", lang, "check"]).arg(plans.join("2026-06-ds"));
        let output = run(check.arg("--ledger").arg(&ledger));
        assert!(!output.status.success(), "{request}");
        // Long sentences are shown on several lines.
        let said: String = text(&output).replace(['\n', '│'], "");
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn what_the_policy_does_not_list_is_refused_in_its_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let listed = "curves = [\"P-256\", \"P-384\"]";
    for (curve, kind, hash) in &KEYS[2..] {
        let pem = requested(folder.path(), kind, &[*hash]);
        let [ja, en] = said(&pem, listed);
        assert!(ja.contains("R-DS [") && ja.contains("P-256 又は P-384 の鍵"), "{ja}");
        assert!(en.contains("asked: a key on P-256 or P-384"), "{en}");
        assert!(en.contains(&format!("found: {curve}")), "{en}");
        assert!(en.contains("1 violation") && !en.contains("I-DS-KEY"), "{en}");
    }
}

#[test]
fn what_no_crate_verifies_is_refused_and_not_called_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind) in [
        ("brainpoolP320r1", &["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP320r1"][..]),
        ("brainpoolP512r1", &["ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP512r1"][..]),
        ("Ed448", &["ed448"][..]),
    ] {
        let pem = requested(folder.path(), kind, &[]);
        let error = request::read("ds-0001", &pem).unwrap_err();
        assert_eq!(error.rule.as_str(), "R-DS");
        assert!(error.found.en.contains(name), "{error}");
        assert!(error.found.en.contains("ISO/IEC 18013-5 allows"), "{error}");
        assert!(error.found.ja.contains("ISO/IEC 18013-5 は認めるが"), "{}", error.found.ja);
    }
    // What Annex B does not have is only named.
    let pem = requested(folder.path(), &["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], &[]);
    let error = request::read("ds-0001", &pem).unwrap_err();
    assert_eq!(error.found.en, "secp256k1 (1.3.132.0.10)");
}

#[test]
fn a_key_in_another_form_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for curve in ["P-521", "brainpoolP256r1", "brainpoolP384r1"] {
        let named = format!("ec_paramgen_curve:{curve}");
        let kind = ["ec", "-pkeyopt", named.as_str()];
        let explicit = [&kind[..], &["-pkeyopt", "ec_param_enc:explicit"]].concat();
        let pem = requested(folder.path(), &explicit, &[]);
        let error = request::read("ds-0001", &pem).unwrap_err();
        assert_eq!(error.found.en, "explicit parameters", "{curve}");
        let octets = |pem: &str| request::read("ds-0001", pem).unwrap().public.octets().to_vec();
        let good = requested(folder.path(), &kind, &[]);
        let point = octets(&good);
        let place = |der: &[u8]| der.windows(point.len()).position(|w| w == point).unwrap();
        // Off the curve, as a hybrid point, and in the form of a compressed one.
        for (at, mask) in [(point.len() - 1, 1), (0, 4 ^ 6), (0, 4 ^ 2)] {
            let bent = bent(&good, |der| {
                let place = place(der);
                der[place + at] ^= mask;
            });
            let error = request::read("ds-0001", &bent).unwrap_err();
            let asked = format!("not an uncompressed point on {curve}");
            assert!(error.found.en.starts_with(&asked), "{error}");
        }
    }
    // Ed25519: no point of the curve, the neutral point (of small order), a y above the modulus.
    let good = requested(folder.path(), &["ed25519"], &[]);
    let key = request::read("ds-0001", &good).unwrap().public.octets().to_vec();
    let (mut none, mut neutral, mut beyond) = ([0; 32], [0; 32], [0xff; 32]);
    none[0] = 2;
    neutral[0] = 1;
    beyond[0] = 0xee;
    beyond[31] = 0x7f;
    for octets in [none, neutral, beyond] {
        let bent = bent(&good, |der| {
            let place = der.windows(32).position(|w| w == key).unwrap();
            der[place..place + 32].copy_from_slice(&octets);
        });
        let error = request::read("ds-0001", &bent).unwrap_err();
        assert!(error.found.en.starts_with("not a public key of Ed25519"), "{error}");
    }
}
