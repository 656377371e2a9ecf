//! A P-256 chain out of the product's profile, judged by a verifier of mobile driving licences.
//!
//! The verifier knows ISO/IEC 18013-5 Annex B but not P-384, so the chain is a shadow of the real
//! one: the same code describes and encodes both. It reads the machine's clock, and so do these
//! tests.

use ceremony::key::Curve;
use ceremony::x509::ToBeSignedCertificate;
use isomdl::definitions::x509::X5Chain;
use isomdl::definitions::x509::trust_anchor::{PemTrustAnchor, TrustAnchorRegistry, TrustPurpose};
use isomdl::definitions::x509::validation::ValidationRuleset;

use crate::issuing::{self, ROOT_SERIAL, TestKey};

const ROOT_KEY: TestKey = TestKey { curve: Curve::P256, octet: 0x11 };
const SIGNER_KEY: TestKey = TestKey { curve: Curve::P256, octet: 0x22 };

/// What the verifier says about a Document Signer under this root.
fn errors(root: &ToBeSignedCertificate) -> Vec<String> {
    let der = ROOT_KEY.signed(&root.to_der(&ROOT_SERIAL, &ROOT_KEY.keys()).unwrap());
    let anchor = PemTrustAnchor {
        certificate_pem: issuing::pem("CERTIFICATE", &der),
        purpose: TrustPurpose::Iaca,
    };
    let registry = TrustAnchorRegistry::from_pem_certificates(vec![anchor]).unwrap();
    let signer = issuing::document_signer(ROOT_KEY, SIGNER_KEY, issuing::days_ago(1));
    let chain = X5Chain::builder().with_der_certificate(&signer).unwrap().build().unwrap();
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
