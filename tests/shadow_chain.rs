//! A P-256 chain out of the product's profile, judged by a verifier of mobile driving licences.
//!
//! The verifier knows ISO/IEC 18013-5 Annex B but not P-384, so the chain is a shadow of the real
//! one: the same code describes and encodes both. It reads the machine's clock, and so do these
//! tests.

use ceremony::key::{Curve, SignerCurve, SignerKey};
use ceremony::x509::{ToBeSignedCertificate, profile};
use isomdl::definitions::x509::X5Chain;
use isomdl::definitions::x509::trust_anchor::{PemTrustAnchor, TrustAnchorRegistry, TrustPurpose};
use isomdl::definitions::x509::validation::ValidationRuleset;

use crate::issuing::{self, ROOT_SERIAL, SIGNER_SERIAL, TestKey};

const ROOT_KEY: TestKey = TestKey { curve: Curve::P256, octet: 0x11 };
const SIGNER_KEY: TestKey = TestKey { curve: Curve::P256, octet: 0x22 };

/// What the verifier says about this root with a Document Signer of other people's making.
fn errors(root: &ToBeSignedCertificate) -> Vec<String> {
    judged(root, &issuing::document_signer(ROOT_KEY, SIGNER_KEY, issuing::days_ago(1)))
}

/// What the verifier says about a Document Signer under this root.
fn judged(root: &ToBeSignedCertificate, signer: &[u8]) -> Vec<String> {
    let der = ROOT_KEY.signed(&root.to_der(&ROOT_SERIAL, &ROOT_KEY.keys()).unwrap());
    let anchor = PemTrustAnchor {
        certificate_pem: issuing::pem("CERTIFICATE", &der),
        purpose: TrustPurpose::Iaca,
    };
    let registry = TrustAnchorRegistry::from_pem_certificates(vec![anchor]).unwrap();
    let chain = X5Chain::builder().with_der_certificate(signer).unwrap().build().unwrap();
    ValidationRuleset::Mdl.validate(&chain, &registry).errors
}

#[test]
fn the_root_is_accepted_as_an_iaca() {
    assert_eq!(errors(&issuing::root(Curve::P256, issuing::days_ago(1))), Vec::<String>::new());
}

#[test]
fn a_root_without_any_one_of_its_extensions_is_refused() {
    let root = issuing::root(Curve::P256, issuing::days_ago(1));
    for index in 0..root.extensions.len() {
        let mut less = root.clone();
        let dropped = less.extensions.remove(index);
        assert_ne!(errors(&less), Vec::<String>::new(), "without {}", dropped.name());
    }
}

/// A Document Signer out of the product's profile, for a key of the tests.
fn signer() -> ToBeSignedCertificate {
    let not_before = issuing::days_ago(1);
    profile::document_signer(&profile::DocumentSigner {
        name: "ds-0001".parse().unwrap(),
        ca: issuing::ca(),
        subject: issuing::name("JP", "機構", "Sample DS 0001"),
        public: SignerKey::from_octets(SignerCurve::P256, SIGNER_KEY.public().point()).unwrap(),
        issuer: "g1".parse().unwrap(),
        issuer_curve: Curve::P256,
        not_before,
        not_after: not_before.plus(&"4 months".parse().unwrap()).unwrap(),
        purpose: "1.0.18013.5.1.2".parse().unwrap(),
        issuer_alt_name: issuing::issuer_alt_name(),
        crl_urls: vec![issuing::CRL_URL.into()],
    })
}

#[test]
fn the_document_signer_is_accepted_and_needs_each_of_its_extensions() {
    let root = issuing::root(Curve::P256, issuing::days_ago(1));
    let signed = |signer: &ToBeSignedCertificate| {
        ROOT_KEY.signed(&signer.to_der(&SIGNER_SERIAL, &ROOT_KEY.keys()).unwrap())
    };
    assert_eq!(judged(&root, &signed(&signer())), Vec::<String>::new());
    for index in 0..signer().extensions.len() {
        let mut less = signer();
        let dropped = less.extensions.remove(index);
        assert_ne!(
            judged(&root, &signed(&less)),
            Vec::<String>::new(),
            "without {}",
            dropped.name()
        );
    }
}
