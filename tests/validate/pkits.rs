//! NIST PKITS 4.2 (validity), 4.3 (names), 4.4 (revocation), 4.5 (self-issued certificates), 4.6
//! (basic constraints) and 4.7 (key usage), through the same path as the product's verdicts.
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

use ceremony::language::Bilingual;
use ceremony::path::{
    self, Certificate, Crl, Issuer, Judgement, Offered, RelyingParty, Role, Signed, Unproved,
};
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
    fn signature(&self, signed: &Signed<'_>) -> Result<(), Unproved> {
        let wrong = |error: &dyn std::fmt::Display| Unproved::Wrong(Bilingual::plain(error));
        let (_, key) = SubjectPublicKeyInfo::from_der(signed.key).map_err(|e| wrong(&e))?;
        let (_, algorithm) =
            AlgorithmIdentifier::from_der(signed.algorithm).map_err(|e| wrong(&e))?;
        let bits = x509_parser::der_parser::asn1_rs::BitString::new(0, signed.signature);
        verify_signature(&key, &algorithm, &bits, signed.octets).map_err(|e| wrong(&e))
    }

    fn certificate(&self, _: &Certificate, _: Role, _: &mut Judgement) {}

    fn issued(&self, _: &Certificate, _: Role, _: &Issuer<'_>, _: &mut Judgement) {}

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

/// Tests of 4.2, 4.3, 4.4, 4.6 and 4.7: the number, the CAs from the trust anchor down, the target.
/// The name of the target says what NIST answers.
const MORE: &[(&str, &str, &str)] = &[
    ("4.2.1", "BadnotBeforeDateCA", "InvalidCAnotBeforeDateTest1EE"),
    ("4.2.2", "GoodCA", "InvalidEEnotBeforeDateTest2EE"),
    ("4.2.3", "GoodCA", "Validpre2000UTCnotBeforeDateTest3EE"),
    ("4.2.4", "GoodCA", "ValidGeneralizedTimenotBeforeDateTest4EE"),
    ("4.2.5", "BadnotAfterDateCA", "InvalidCAnotAfterDateTest5EE"),
    ("4.2.6", "GoodCA", "InvalidEEnotAfterDateTest6EE"),
    ("4.2.7", "GoodCA", "Invalidpre2000UTCEEnotAfterDateTest7EE"),
    ("4.2.8", "GoodCA", "ValidGeneralizedTimenotAfterDateTest8EE"),
    ("4.3.1", "GoodCA", "InvalidNameChainingTest1EE"),
    ("4.3.2", "NameOrderingCA NameOrderCA", "InvalidNameChainingOrderTest2EE"),
    ("4.3.3", "GoodCA", "ValidNameChainingWhitespaceTest3EE"),
    ("4.3.4", "GoodCA", "ValidNameChainingWhitespaceTest4EE"),
    ("4.3.5", "GoodCA", "ValidNameChainingCapitalizationTest5EE"),
    ("4.3.6", "UIDCA", "ValidNameUIDsTest6EE"),
    ("4.3.7", "RFC3280MandatoryAttributeTypesCA", "ValidRFC3280MandatoryAttributeTypesTest7EE"),
    ("4.3.8", "RFC3280OptionalAttributeTypesCA", "ValidRFC3280OptionalAttributeTypesTest8EE"),
    ("4.3.9", "UTF8StringEncodedNamesCA", "ValidUTF8StringEncodedNamesTest9EE"),
    (
        "4.3.10",
        "RolloverfromPrintableStringtoUTF8StringCA",
        "ValidRolloverfromPrintableStringtoUTF8StringTest10EE",
    ),
    ("4.3.11", "UTF8StringCaseInsensitiveMatchCA", "ValidUTF8StringCaseInsensitiveMatchTest11EE"),
    ("4.4.1", "NoCRLCA", "InvalidMissingCRLTest1EE"),
    ("4.4.2", "GoodCA RevokedsubCA", "InvalidRevokedCATest2EE"),
    ("4.4.3", "GoodCA", "InvalidRevokedEETest3EE"),
    ("4.4.4", "BadCRLSignatureCA", "InvalidBadCRLSignatureTest4EE"),
    ("4.4.5", "BadCRLIssuerNameCA", "InvalidBadCRLIssuerNameTest5EE"),
    ("4.4.6", "WrongCRLCA", "InvalidWrongCRLTest6EE"),
    ("4.4.7", "TwoCRLsCA TwoCRLsCAGood TwoCRLsCABad", "ValidTwoCRLsTest7EE"),
    ("4.4.8", "UnknownCRLEntryExtensionCA", "InvalidUnknownCRLEntryExtensionTest8EE"),
    ("4.4.9", "UnknownCRLExtensionCA", "InvalidUnknownCRLExtensionTest9EE"),
    ("4.4.10", "UnknownCRLExtensionCA", "InvalidUnknownCRLExtensionTest10EE"),
    ("4.4.11", "OldCRLnextUpdateCA", "InvalidOldCRLnextUpdateTest11EE"),
    ("4.4.12", "pre2000CRLnextUpdateCA", "Invalidpre2000CRLnextUpdateTest12EE"),
    ("4.4.13", "GeneralizedTimeCRLnextUpdateCA", "ValidGeneralizedTimeCRLnextUpdateTest13EE"),
    ("4.4.14", "NegativeSerialNumberCA", "ValidNegativeSerialNumberTest14EE"),
    ("4.4.15", "NegativeSerialNumberCA", "InvalidNegativeSerialNumberTest15EE"),
    ("4.4.16", "LongSerialNumberCA", "ValidLongSerialNumberTest16EE"),
    ("4.4.17", "LongSerialNumberCA", "ValidLongSerialNumberTest17EE"),
    ("4.4.18", "LongSerialNumberCA", "InvalidLongSerialNumberTest18EE"),
    (
        "4.4.19",
        "SeparateCertificateandCRLKeysCertificateSigningCA SeparateCertificateandCRLKeysCRLSigning \
         SeparateCertificateandCRLKeys",
        "ValidSeparateCertificateandCRLKeysTest19EE",
    ),
    (
        "4.4.20",
        "SeparateCertificateandCRLKeysCertificateSigningCA SeparateCertificateandCRLKeysCRLSigning \
         SeparateCertificateandCRLKeys",
        "InvalidSeparateCertificateandCRLKeysTest20EE",
    ),
    (
        "4.4.21",
        "SeparateCertificateandCRLKeysCA2CertificateSigningCA \
         SeparateCertificateandCRLKeysCA2CRLSigning SeparateCertificateandCRLKeysCA2",
        "InvalidSeparateCertificateandCRLKeysTest21EE",
    ),
    ("4.6.1", "MissingbasicConstraintsCA", "InvalidMissingbasicConstraintsTest1EE"),
    ("4.6.2", "basicConstraintsCriticalcAFalseCA", "InvalidcAFalseTest2EE"),
    ("4.6.3", "basicConstraintsNotCriticalcAFalseCA", "InvalidcAFalseTest3EE"),
    ("4.6.4", "basicConstraintsNotCriticalCA", "ValidbasicConstraintsNotCriticalTest4EE"),
    ("4.6.5", "pathLenConstraint0CA pathLenConstraint0subCA", "InvalidpathLenConstraintTest5EE"),
    ("4.6.6", "pathLenConstraint0CA pathLenConstraint0subCA", "InvalidpathLenConstraintTest6EE"),
    ("4.6.7", "pathLenConstraint0CA", "ValidpathLenConstraintTest7EE"),
    ("4.6.8", "pathLenConstraint0CA", "ValidpathLenConstraintTest8EE"),
    (
        "4.6.9",
        "pathLenConstraint6CA pathLenConstraint6subCA0 pathLenConstraint6subsubCA00",
        "InvalidpathLenConstraintTest9EE",
    ),
    (
        "4.6.10",
        "pathLenConstraint6CA pathLenConstraint6subCA0 pathLenConstraint6subsubCA00",
        "InvalidpathLenConstraintTest10EE",
    ),
    ("4.6.11", SIX_ONE, "InvalidpathLenConstraintTest11EE"),
    ("4.6.12", SIX_ONE, "InvalidpathLenConstraintTest12EE"),
    ("4.6.13", SIX_FOUR, "ValidpathLenConstraintTest13EE"),
    ("4.6.14", SIX_FOUR, "ValidpathLenConstraintTest14EE"),
    (
        "4.6.15",
        "pathLenConstraint0CA pathLenConstraint0SelfIssuedCA",
        "ValidSelfIssuedpathLenConstraintTest15EE",
    ),
    (
        "4.6.16",
        "pathLenConstraint0CA pathLenConstraint0SelfIssuedCA pathLenConstraint0subCA2",
        "InvalidSelfIssuedpathLenConstraintTest16EE",
    ),
    (
        "4.6.17",
        "pathLenConstraint1CA pathLenConstraint1SelfIssuedCA pathLenConstraint1subCA \
         pathLenConstraint1SelfIssuedsubCA",
        "ValidSelfIssuedpathLenConstraintTest17EE",
    ),
    (
        "4.7.1",
        "keyUsageCriticalkeyCertSignFalseCA",
        "InvalidkeyUsageCriticalkeyCertSignFalseTest1EE",
    ),
    (
        "4.7.2",
        "keyUsageNotCriticalkeyCertSignFalseCA",
        "InvalidkeyUsageNotCriticalkeyCertSignFalseTest2EE",
    ),
    ("4.7.3", "keyUsageNotCriticalCA", "ValidkeyUsageNotCriticalTest3EE"),
    ("4.7.4", "keyUsageCriticalcRLSignFalseCA", "InvalidkeyUsageCriticalcRLSignFalseTest4EE"),
    ("4.7.5", "keyUsageNotCriticalcRLSignFalseCA", "InvalidkeyUsageNotCriticalcRLSignFalseTest5EE"),
];

const SIX_ONE: &str = "pathLenConstraint6CA pathLenConstraint6subCA1 \
    pathLenConstraint6subsubCA11 pathLenConstraint6subsubsubCA11X";
const SIX_FOUR: &str = "pathLenConstraint6CA pathLenConstraint6subCA4 \
    pathLenConstraint6subsubCA41 pathLenConstraint6subsubsubCA41X";

/// What NIST calls valid and is refused here, by which rule, and why.
const STRICTER: &[(&str, &str, &str)] = &[
    ("4.2.3", "P-DER", "a date before 1970 is not read; no CA of ISO/IEC 18013-5 is that old"),
    ("4.3.3", "P-PATH-ISSUER", "Names are compared octet for octet (ISO/IEC 18013-5 B.1.4)"),
    ("4.3.4", "P-PATH-ISSUER", "Names are compared octet for octet (ISO/IEC 18013-5 B.1.4)"),
    ("4.3.5", "P-PATH-ISSUER", "Names are compared octet for octet (ISO/IEC 18013-5 B.1.4)"),
    ("4.3.10", "P-PATH-ISSUER", "Names are compared octet for octet (ISO/IEC 18013-5 B.1.4)"),
    ("4.3.11", "P-PATH-ISSUER", "Names are compared octet for octet (ISO/IEC 18013-5 B.1.4)"),
];

#[test]
fn nist_pkits_comes_out_as_nist_says() {
    let packages = fs::read_dir(root().join(".venv/lib")).unwrap();
    let python: PathBuf = packages.map(|entry| entry.unwrap().path()).next().unwrap();
    let data = python.join("site-packages/cryptography_vectors/x509/PKITS_data");
    let there = |file: &String| data.join(file).exists();
    let mut wrong = Vec::new();
    for (number, cas, target) in MORE {
        let cas = || cas.split_whitespace();
        let links = cas().map(|ca| format!("certs/{ca}Cert.crt")).filter(there);
        let crls = cas().map(|ca| format!("crls/{ca}CRL.crl")).filter(there);
        let offered = Offered {
            roots: vec![read("certs/TrustAnchorRootCertificate.crt")],
            links: links.map(|name| read(&name)).collect(),
            crls: ["crls/TrustAnchorRootCRL.crl".to_owned()]
                .into_iter()
                .chain(crls)
                .map(|name| read(&name))
                .collect(),
            target: read(&format!("certs/{target}.crt")),
        };
        assert!(!offered.links.is_empty(), "{number}");
        let party = Rfc5280(Speaks::OfTheName);
        let verdict = path::validate(&offered, at("2020-01-01T00:00:00Z"), &party);
        let stricter = STRICTER.iter().find(|(of, _, _)| of == number);
        let valid = target.starts_with("Valid") && stricter.is_none();
        let rules: Vec<_> = verdict.reasons().iter().map(|(_, f)| f.rule.as_str()).collect();
        let by_its_rule = stricter.is_none_or(|(_, rule, _)| rules.contains(rule));
        if verdict.is_valid() != valid || !by_its_rule {
            wrong.push(format!("{number} {target}: {rules:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stricter = STRICTER.len();
    println!("PKITS: {} tests, {stricter} of them refused where NIST accepts", MORE.len());
}
