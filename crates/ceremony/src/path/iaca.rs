//! The relying party of this product: it knows the CA's two signature algorithms and the forms of
//! ISO/IEC 18013-5 Annex B and of the CP/CPS.
//!
//! **Invariant:** a key of the rehearsal is relied on only where that is asked for.

use alloc::format;
use alloc::string::{String, ToString as _};

use der::Encode as _;
use spki::AlgorithmIdentifierRef;

use super::reading::{Certificate, Crl, Signed, public_key};
use super::{Judgement, RelyingParty, Role, form};
use crate::hex;
use crate::key::{Check, Signature};
use crate::rehearsal;
use crate::rule::RuleId;
use crate::x509::signature_algorithm;

/// What a verifier makes of the keys of a rehearsal, which everyone knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RehearsalKeys {
    /// Nothing under them is relied on.
    Refused,
    /// They stand for the real ones.
    Accepted,
}

/// The relying party of an IACA.
#[derive(Debug, Clone, Copy)]
pub struct Iaca {
    /// What it makes of the keys of a rehearsal.
    pub rehearsal: RehearsalKeys,
}

impl RelyingParty for Iaca {
    fn signature(&self, signed: &Signed<'_>) -> Result<(), String> {
        let key = public_key(signed.key).ok_or("a key that is on neither P-256 nor P-384")?;
        let curve = key.curve();
        // RFC 5758 3.2: the parameters are absent.
        let oid = signature_algorithm(curve);
        let asked = AlgorithmIdentifierRef { oid, parameters: None };
        if !asked.to_der().is_ok_and(|asked| asked == signed.algorithm) {
            return Err(format!("another algorithm than {oid}"));
        }
        let raw = Signature::raw_from_der(curve, signed.signature);
        let signature = raw.and_then(|raw| Signature::from_raw(curve, &raw));
        let signature = signature.map_err(|error| error.to_string())?;
        let check = Check::new("path", &key, signed.octets.into(), signature);
        check.prove().map(drop).map_err(|error| error.to_string())
    }

    fn certificate(&self, certificate: &Certificate, role: Role, judgement: &mut Judgement) {
        match role {
            Role::Root => form::root(certificate, judgement),
            Role::Link => form::link(certificate, judgement),
            Role::Signer => form::signer(certificate, judgement),
        }
        // The keys of a rehearsal sign: they are those of roots, which links have too.
        if role != Role::Signer && self.rehearsal == RehearsalKeys::Refused {
            let key = public_key(certificate.key());
            let known = key.is_some_and(|key| rehearsal::recognise(certificate.subject(), &key));
            let found = || hex::encode(&certificate.key_identifier().unwrap_or_default());
            judgement.ask(
                RuleId::S_REHEARSAL_KEY,
                !known,
                "a key that is a secret of the CA",
                found,
            );
        }
    }

    /// ISO/IEC 18013-5 B.1: exactly authorityKeyIdentifier and cRLNumber. So no CRL is indirect,
    /// partial or for some reasons only, and none is a difference to another.
    fn crl(&self, crl: &Crl, judgement: &mut Judgement) {
        form::crl(crl, judgement);
    }

    fn processes(&self, _extension: &str) -> bool {
        false
    }

    /// A CRL speaks for what its own key signed. Under one Name, several validators take it for
    /// certificates of the CA's other keys too; every CRL of this CA names those as well (D6), so
    /// nothing is lost, and a CRL that does not cannot hide a revocation.
    fn speaks_for(&self, crl: &Crl, certificate: &Certificate) -> bool {
        crl.signer_identifier() == certificate.signer_identifier()
    }
}
