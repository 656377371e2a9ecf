//! The sample CA with everything in its certificates of another shape that ISO/IEC 18013-5 Annex B
//! and RFC 5280 allow: Name, issuerAltName, addresses of CRLs, a root that names its own key,
//! curve.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{copy, gishiki, root, run, succeed, text};

/// What stands in the sample's policy, and what stands there instead.
const CHANGES: [(&str, &str); 5] = [
    (
        "{ O = \"FAKE Agency for Local Records\" },\n  { CN = \"FAKE Example mdoc Root CA\" },",
        "{ ST = \"Utopia\" },\n  { O = \"FAKE Licences\" },\n  { OU = \"FAKE Drivers\" },\n  \
         { CN = \"FAKE Example IACA\" },",
    ),
    (
        "{ O = \"FAKE Agency for Local Records\" },\n  { CN = \"FAKE Example mdoc DS {number}\" },",
        "{ ST = \"Utopia\" },\n  { O = \"FAKE Licences\" },\n  { CN = \"FAKE DS {number}\" },",
    ),
    ("{ uri = \"https://ca.example/mdoc/\" }", "{ email = \"iaca@utopia.example\" }"),
    (
        "[\"http://crl.example/mdoc/{key}.crl\"]",
        "[\"https://crl.example/mdl/{key}.crl\", \
         \"ldap://ldap.example/cn={key},c=JP?certificateRevocationList;binary\"]",
    ),
    ("authority-key-identifier = false", "authority-key-identifier = true"),
];

/// The plans of the sample's first ceremony and of its first Document Signers, with these changes.
fn plans(folder: &Path, changes: &[(&str, &str)]) -> std::path::PathBuf {
    let (from, plans) = (root().join("ceremony-plans/mdoc-root"), folder.join("plans"));
    for ceremony in ["2026-04-genesis", "2026-06-ds"] {
        copy(&from.join(ceremony), &plans.join(ceremony));
    }
    for name in ["cps.toml", "cps.ja.txt", "roster.toml"] {
        fs::copy(from.join(name), plans.join(name)).unwrap();
    }
    let mut policy = fs::read_to_string(from.join("policy.toml")).unwrap();
    for (find, put) in changes {
        assert_eq!(policy.matches(find).count(), 1, "{find}");
        policy = policy.replace(find, put);
    }
    fs::write(plans.join("policy.toml"), policy).unwrap();
    plans
}

/// Writes a certificate as PEM, which `openssl verify` wants.
fn pem(folder: &Path, der: &Path) -> std::path::PathBuf {
    let path = folder.join(der.file_stem().unwrap()).with_extension("pem");
    let mut openssl = Command::new("openssl");
    succeed(openssl.args(["x509", "-inform", "DER", "-in"]).arg(der).arg("-out").arg(&path));
    path
}

fn shown(certificate: &Path) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-text", "-nameopt", "sep_comma_plus_space,sname"]);
    succeed(openssl.arg("-in").arg(certificate))
}

/// The line after the one that begins so.
fn after<'a>(text: &'a str, heading: &str) -> &'a str {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with(heading));
    lines.nth(1).unwrap_or_else(|| panic!("{heading} in {text}"))
}

#[test]
fn a_ca_of_another_shape_is_rehearsed_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, out) = (plans(folder.path(), &CHANGES), folder.path().join("ledger"));
    succeed(gishiki().arg("rehearse").arg(&plans).arg("--out").arg(&out));
    succeed(gishiki().arg("verify").arg(&out).arg("--rehearsal"));
    let root = pem(folder.path(), &out.join("2026-04-genesis/root-g1.der"));
    let ds = pem(folder.path(), &out.join("2026-06-ds/ds-0001.der"));
    let (of_root, of_ds) = (shown(&root), shown(&ds));
    let name = "C=JP, ST=Utopia, O=FAKE Licences, OU=FAKE Drivers, CN=FAKE Example IACA";
    assert!(of_root.contains(&format!("Issuer: {name}\n")), "{of_root}");
    assert!(of_root.contains(&format!("Subject: {name}\n")), "{of_root}");
    assert!(of_ds.contains(&format!("Issuer: {name}\n")), "{of_ds}");
    assert!(
        of_ds.contains("Subject: C=JP, ST=Utopia, O=FAKE Licences, CN=FAKE DS 0001\n"),
        "{of_ds}"
    );
    for text in [&of_root, &of_ds] {
        assert_eq!(after(text, "X509v3 Issuer Alternative Name"), "email:iaca@utopia.example");
        assert!(text.contains("URI:https://crl.example/mdl/g1.crl\n"), "{text}");
        let ldap = "URI:ldap://ldap.example/cn=g1,c=JP?certificateRevocationList;binary\n";
        assert!(text.contains(ldap), "{text}");
        assert_eq!(text.matches("Full Name").count(), 1, "{text}");
    }
    let own = after(&of_root, "X509v3 Subject Key Identifier").to_string();
    let authority =
        |text: &str| after(text, "X509v3 Authority Key Identifier").replace("keyid:", "");
    assert_eq!((authority(&of_root), authority(&of_ds)), (own.clone(), own));
    let mut openssl = Command::new("openssl");
    openssl.args(["verify", "-x509_strict", "-attime", "1788000000"]);
    succeed(openssl.arg("-CAfile").arg(&root).arg(&ds));
}

/// The sample's CP/CPS wants P-384; nothing but that rule refuses a root on P-256.
#[test]
fn a_root_on_p256_breaks_only_the_rule_of_this_cps() {
    let folder = tempfile::tempdir().unwrap();
    let curve = [("curve           = \"P-384\"", "curve           = \"P-256\"")];
    let plans = plans(folder.path(), &[&CHANGES[..], &curve].concat());
    let said = text(&run(gishiki().arg("check").arg(plans.join("2026-04-genesis"))));
    let known = ceremony::rule::RuleId::ALL.iter().map(|rule| rule.as_str());
    let refused: Vec<&str> = known.filter(|rule| said.contains(&format!("{rule} ["))).collect();
    assert_eq!(refused, ["R-ALG"], "{said}");
}
