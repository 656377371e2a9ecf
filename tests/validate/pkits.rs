//! NIST PKITS 4.5, "Verifying Paths with Self-Issued Certificates": all eight tests, through the
//! same path as the product's verdicts.
//!
//! The signatures are RSA, which the product does not know, and the certificates are no IACA's; so
//! the tests bring a relying party of RFC 5280. It is the world where it differs: it takes a CRL of
//! any key of a Name for every certificate of that Name, and it processes the one distribution
//! point by which those tests divide a CRL. The certificates of NIST's CAs stand where links do:
//! each is judged as a target under a trusted key, and installs its own.
//!
//! The product's own rule, a whole CRL by the same key, is held against the same data beside it: it
//! refuses whatever NIST refuses, and also what NIST accepts by a CRL of another key (4.5.1, 4.5.4,
//! 4.5.6) or of one distribution point (4.5.3).
//!
//! The data come with a package of the Python cryptography project (`./test` installs it).

use std::fs;
use std::path::PathBuf;

use ceremony::path::{self, Certificate, Crl, Judgement, Offered, RelyingParty, Role, Signed};
use x509_parser::prelude::{AlgorithmIdentifier, FromDer as _, SubjectPublicKeyInfo};
use x509_parser::verify::verify_signature;

use super::made::at;
use crate::support::root;

const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
const DISTRIBUTION_POINTS: &str = "2.5.29.31";

/// Which CRLs speak for a certificate.
#[derive(Clone, Copy, PartialEq)]
enum Speaks {
    /// Those of its issuer's Name, in their scope (RFC 5280 6.3.3).
    OfTheName,
    /// Those of the key that signed it, without a scope: the product's rule.
    OfTheKey,
}

struct Rfc5280(Speaks);

impl RelyingParty for Rfc5280 {
    fn signature(&self, signed: &Signed<'_>) -> Result<(), String> {
        let (_, key) = SubjectPublicKeyInfo::from_der(signed.key).map_err(|e| e.to_string())?;
        let (_, algorithm) =
            AlgorithmIdentifier::from_der(signed.algorithm).map_err(|e| e.to_string())?;
        let bits = x509_parser::der_parser::asn1_rs::BitString::new(0, signed.signature);
        verify_signature(&key, &algorithm, &bits, signed.octets).map_err(|e| e.to_string())
    }

    fn certificate(&self, _: &Certificate, _: Role, _: &mut Judgement) {}

    fn crl(&self, _: &Crl, _: &mut Judgement) {}

    fn processes(&self, extension: &str) -> bool {
        self.0 == Speaks::OfTheName && extension == ISSUING_DISTRIBUTION_POINT
    }

    fn speaks_for(&self, crl: &Crl, certificate: &Certificate) -> bool {
        if self.0 == Speaks::OfTheKey {
            return crl.signer_identifier() == certificate.signer_identifier();
        }
        // The scope is a SEQUENCE of one element, a distribution point's name; the certificate must
        // have one with the same name (RFC 5280 6.3.3 (b) (2) (i)).
        let Some(scope) = crl.extension(ISSUING_DISTRIBUTION_POINT) else { return true };
        let points = certificate.extension(DISTRIBUTION_POINTS).unwrap_or_default();
        let name = &scope[2..];
        points.windows(name.len()).any(|found| found == name)
    }
}

fn read(name: &str) -> Vec<u8> {
    let packages = fs::read_dir(root().join(".venv/lib")).unwrap();
    let python: PathBuf = packages.map(|entry| entry.unwrap().path()).next().unwrap();
    let data = python.join("site-packages/cryptography_vectors/x509/PKITS_data").join(name);
    fs::read(&data).unwrap_or_else(|error| panic!("{}: {error}; see ./test", data.display()))
}

struct Test {
    number: &'static str,
    ca: &'static str,
    self_issued: &'static str,
    crls: &'static [&'static str],
    target: &'static str,
    /// The rules that refuse it, as NIST asks; none if it is valid.
    nist: &'static [&'static str],
    /// The rules that refuse it where a CRL speaks for its own key alone.
    of_the_key: &'static [&'static str],
}

const NEW_KEY: Test = Test {
    number: "4.5.1",
    ca: "BasicSelfIssuedNewKeyCACert",
    self_issued: "BasicSelfIssuedNewKeyOldWithNewCACert",
    crls: &["BasicSelfIssuedNewKeyCACRL"],
    target: "ValidBasicSelfIssuedOldWithNewTest1EE",
    nist: &[],
    of_the_key: &["P-PATH-CRL"],
};

const OLD_KEY: Test = Test {
    number: "4.5.3",
    ca: "BasicSelfIssuedOldKeyCACert",
    self_issued: "BasicSelfIssuedOldKeyNewWithOldCACert",
    crls: &["BasicSelfIssuedOldKeySelfIssuedCertCRL", "BasicSelfIssuedOldKeyCACRL"],
    target: "ValidBasicSelfIssuedNewWithOldTest3EE",
    nist: &[],
    // The scope of the CRL is not processed, so the link has none, so it installs nothing.
    of_the_key: &["P-PATH-KEY"],
};

const CRL_KEY: Test = Test {
    number: "4.5.6",
    ca: "BasicSelfIssuedCRLSigningKeyCACert",
    self_issued: "BasicSelfIssuedCRLSigningKeyCRLCert",
    crls: &["BasicSelfIssuedCRLSigningKeyCRLCertCRL", "BasicSelfIssuedCRLSigningKeyCACRL"],
    target: "ValidBasicSelfIssuedCRLSigningKeyTest6EE",
    nist: &[],
    of_the_key: &["P-PATH-CRL"],
};

const TESTS: [Test; 8] = [
    NEW_KEY,
    Test {
        number: "4.5.2",
        target: "InvalidBasicSelfIssuedOldWithNewTest2EE",
        nist: &["P-REVOKED"],
        of_the_key: &["P-PATH-CRL", "P-REVOKED"],
        ..NEW_KEY
    },
    OLD_KEY,
    Test {
        number: "4.5.4",
        target: "ValidBasicSelfIssuedNewWithOldTest4EE",
        of_the_key: &["P-PATH-CRL"],
        ..OLD_KEY
    },
    Test {
        number: "4.5.5",
        target: "InvalidBasicSelfIssuedNewWithOldTest5EE",
        nist: &["P-REVOKED"],
        of_the_key: &["P-PATH-CRL"],
        ..OLD_KEY
    },
    CRL_KEY,
    Test {
        number: "4.5.7",
        target: "InvalidBasicSelfIssuedCRLSigningKeyTest7EE",
        nist: &["P-REVOKED"],
        ..CRL_KEY
    },
    Test {
        number: "4.5.8",
        target: "InvalidBasicSelfIssuedCRLSigningKeyTest8EE",
        nist: &["P-PATH-CA"],
        of_the_key: &["P-PATH-KEY"],
        ..CRL_KEY
    },
];

impl Test {
    /// The rules that speak against the certificate itself.
    fn refused(&self, speaks: Speaks) -> Vec<&'static str> {
        let certificate = |name: &str| read(&format!("certs/{name}.crt"));
        let crls = ["TrustAnchorRootCRL"].iter().chain(self.crls);
        let offered = Offered {
            roots: vec![certificate("TrustAnchorRootCertificate")],
            links: vec![certificate(self.self_issued), certificate(self.ca)],
            crls: crls.map(|name| read(&format!("crls/{name}.crl"))).collect(),
            target: certificate(self.target),
        };
        let verdict = path::validate(&offered, at("2020-01-01T00:00:00Z"), &Rfc5280(speaks));
        let target = verdict.steps().last().unwrap();
        let faults = target.judgement.faults().iter().map(|fault| fault.rule.as_str()).collect();
        assert_eq!(verdict.is_valid(), target.judgement.holds());
        faults
    }
}

#[test]
fn nist_pkits_4_5_comes_out_as_nist_says() {
    for test in &TESTS {
        let valid = test.target.starts_with("Valid");
        assert_eq!(test.nist.is_empty(), valid, "{}: NIST's own word", test.number);
        assert_eq!(test.refused(Speaks::OfTheName), test.nist, "{} {}", test.number, test.target);
    }
    println!("PKITS 4.5: {} tests, 4 valid, 4 invalid", TESTS.len());
}

#[test]
fn a_crl_of_the_same_key_is_a_stricter_rule_than_nists() {
    for test in &TESTS {
        assert_eq!(test.refused(Speaks::OfTheKey), test.of_the_key, "{}", test.number);
        assert!(
            !test.of_the_key.is_empty(),
            "{}: every one of them has another key's",
            test.number
        );
    }
}
