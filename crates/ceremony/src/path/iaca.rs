//! The relying party of this product.
//!
//! It knows the CA's two signature algorithms, the profiles of ISO/IEC 18013-5 Annex B, and the
//! rules of one CA if it was given the CA's policy.
//!
//! **Invariant:** a rehearsal key is relied on only if the caller asks for that.

use alloc::vec::Vec;

use der::Encode as _;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::reading::{Certificate, Crl, Signed, public_key};
use super::{Ca, Issuer, Judgement, RelyingParty, Role, Unproved};
use crate::fault::Fault;
use crate::hex;
use crate::key::{Check, Curve, Signature};
use crate::language::Bilingual;
use crate::rehearsal;
use crate::rule::RuleId;
use crate::says;
use crate::time::Offset;
use crate::x509::judge::{self, Held, Kind, Layer};
use crate::x509::{algorithm, signature_algorithm};

/// Whether the keys of a rehearsal are accepted. Their private keys are public knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RehearsalKeys {
    /// A CA certificate with such a key is refused.
    Refused,
    /// They are accepted like any other key.
    Accepted,
}

/// What follows from a broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What breaks it is refused.
    Refuse,
    /// It is only said.
    Warn,
}

/// The relying party of an IACA.
#[derive(Debug, Clone)]
pub struct Iaca {
    /// Whether it accepts the keys of a rehearsal.
    pub rehearsal: RehearsalKeys,
    /// What follows from a broken rule of Annex B.
    pub annex_b: Weight,
    /// The CA whose own rules are to be kept too.
    pub ca: Option<Ca>,
}

impl Iaca {
    fn add(&self, held: Vec<Held>, of_the_ca: Vec<Fault>, judgement: &mut Judgement) {
        // The faults of the CA's rules include the general ones, which are said by their own layer.
        let known: Vec<Fault> = held.iter().filter_map(|one| one.fault.clone()).collect();
        for one in held {
            let weight = match one.layer {
                Layer::Path | Layer::Structure | Layer::Ca => Weight::Refuse,
                Layer::AnnexB => self.annex_b,
            };
            judgement.hold(one.rule, one.fault, weight);
        }
        for fault in of_the_ca.into_iter().filter(|fault| !known.contains(fault)) {
            judgement.hold(fault.rule, Some(fault), Weight::Refuse);
        }
    }
}

impl RelyingParty for Iaca {
    fn signature(&self, signed: &Signed<'_>) -> Result<(), Unproved> {
        let key = public_key(signed.key).ok_or_else(|| unknown(signed.key))?;
        let curve = key.curve();
        // RFC 5758 3.2: the parameters are absent.
        let oid = signature_algorithm(curve);
        let asked = AlgorithmIdentifierRef { oid, parameters: None };
        if !asked.to_der().is_ok_and(|asked| asked == signed.algorithm) {
            let found = says!("{oid} でない署名アルゴリズム", "another algorithm than {oid}");
            return Err(Unproved::Unknown(found));
        }
        let raw = Signature::raw_from_der(curve, signed.signature);
        let signature = raw.and_then(|raw| Signature::from_raw(curve, &raw));
        let signature = signature.map_err(|error| Unproved::Wrong(error.said()))?;
        let check = Check::new("path", &key, signed.octets.into(), signature);
        check.prove().map(drop).map_err(|error| Unproved::Wrong(error.said()))
    }

    fn certificate(&self, certificate: &Certificate, role: Role, judgement: &mut Judgement) {
        let kind = match role {
            Role::Root => Kind::Root,
            Role::Link => Kind::Link,
            Role::Signer => Kind::Ds,
        };
        let of_the_ca = self.ca.as_ref().map(|ca| ca.certificate(certificate, role));
        let held = judge::certificate(certificate.tbs(), kind, Offset::UTC);
        self.add(held, of_the_ca.unwrap_or_default(), judgement);
        if role == Role::Link {
            link(certificate, judgement);
        }
        // Only CA certificates have rehearsal keys: a root, or a link that certifies a root's key.
        if role != Role::Signer && self.rehearsal == RehearsalKeys::Refused {
            let key = public_key(certificate.key());
            let known = key.is_some_and(|key| rehearsal::recognise(certificate.subject(), &key));
            let asked = || says!("認証局だけが持つ鍵", "a key that is a secret of the CA");
            let found = || {
                let identifier = certificate.key_identifier().unwrap_or_default();
                Bilingual::plain(hex::encode(&identifier))
            };
            judgement.ask(RuleId::S_REHEARSAL_KEY, !known, asked, found);
        }
    }

    /// Judges a CRL.
    ///
    /// One that is indirect, limited in scope or reasons, or a delta CRL has a critical extension
    /// that cannot be processed here.
    fn crl(&self, crl: &Crl, judgement: &mut Judgement) {
        let of_the_ca = self.ca.as_ref().map(|ca| ca.crl(crl)).unwrap_or_default();
        self.add(judge::list(crl.tbs(), Offset::UTC), of_the_ca, judgement);
        // Annex B, as it is quoted, wants no entry extensions; this CA writes reasons (D2).
        let reason = crl.entries().iter().find(|entry| entry.extended);
        let asked = says!("エントリーの拡張なし", "no extension of an entry");
        let fault = reason.map(|entry| {
            let serial = hex::encode(&entry.serial);
            Fault::new(RuleId::I_CRL_ENTRY_EXT, asked, says!("{serial} の拡張", "one of {serial}"))
        });
        judgement.hold(RuleId::I_CRL_ENTRY_EXT, fault, Weight::Warn);
    }

    fn issued(
        &self,
        certificate: &Certificate,
        role: Role,
        issuer: &Issuer<'_>,
        judgement: &mut Judgement,
    ) {
        match role {
            Role::Root => {}
            Role::Link => link_by(certificate, issuer, judgement),
            Role::Signer => {
                // The CA asks for it as well (R-DS).
                let weight = if self.ca.is_some() { Weight::Refuse } else { self.annex_b };
                judgement.hold(RuleId::I_DS_WITHIN, outlives(certificate, issuer), weight);
            }
        }
    }

    fn processes(&self, _extension: &str) -> bool {
        false
    }

    /// Whether the CRL and the certificate were signed by the same key.
    ///
    /// All keys of the CA have one Name, so some validators apply a CRL to certificates of its
    /// other keys too. Every CRL of this CA lists those as well (D6), so they lose nothing; and
    /// here, a CRL that omits them cannot hide a revocation.
    fn speaks_for(&self, crl: &Crl, certificate: &Certificate) -> bool {
        crl.signer_identifier() == certificate.signer_identifier()
    }
}

/// Judges that one key of the CA certifies another (RFC 9810 4.4).
fn link(link: &Certificate, judgement: &mut Judgement) {
    let asked = || {
        says!(
            "発行者と主体者が同じ名称(self-issued)",
            "one Name as issuer and subject: self-issued"
        )
    };
    let found = || {
        let (issuer, subject) = (link.shown_issuer(), link.shown());
        says!("発行者 {issuer}、主体者 {subject}", "issuer {issuer}, subject {subject}")
    };
    judgement.ask(RuleId::R_LINK, link.self_issued(), asked, found);
    let signer = link.signer_identifier();
    let other = signer.is_some() && signer != link.key_identifier();
    let asked = || says!("別の鍵による署名", "the signature of another key");
    let found = || Bilingual::plain(hex::encode(&signer.clone().unwrap_or_default()));
    judgement.ask(RuleId::R_LINK, other, asked, found);
}

/// Judges a link against the key that signed it.
///
/// Both links end with the older root (RFC 9810 4.4.1), so neither outlives the root of its issuer.
/// A key that vouches for a later one hands its trust over, and not to a weaker curve; the link
/// from a new key back to an old one may lead to a weaker.
fn link_by(link: &Certificate, issuer: &Issuer<'_>, judgement: &mut Judgement) {
    let (first, last) = link.validity();
    if let Some(ends) = issuer.ends {
        let asked = || says!("{ends} までの終わり", "an end not after {ends}");
        judgement.ask(RuleId::R_LINK, last <= ends, asked, || Bilingual::plain(last));
    }
    let curve = |key| public_key(key).map(|key| key.curve());
    let (of_link, of_issuer) = (curve(link.key()), curve(issuer.key));
    let weaker = of_issuer == Some(Curve::P384) && of_link != Some(Curve::P384);
    let asked = || {
        says!(
            "署名した鍵より弱くない曲線の、後の鍵",
            "a later key on a curve that is not weaker than that of the signing key"
        )
    };
    judgement.ask(RuleId::R_ALG, !weaker || first < issuer.begins, asked, || {
        of_link.map_or_else(Bilingual::none, |curve| Bilingual::plain(curve.name()))
    });
}

/// I-DS-WITHIN: a Document Signer is valid only while the root of its issuer is.
fn outlives(signer: &Certificate, issuer: &Issuer<'_>) -> Option<Fault> {
    let (first, last) = signer.validity();
    let holds = issuer.begins <= first && issuer.ends.is_none_or(|ends| last <= ends);
    if holds {
        return None;
    }
    let begins = issuer.begins;
    let asked = match issuer.ends {
        Some(ends) => says!("{begins} から {ends} までの間", "within {begins} to {ends}"),
        None => says!("{begins} 以後", "from {begins} on"),
    };
    let found = says!("{first} から {last} まで", "{first} to {last}");
    Some(Fault::new(RuleId::I_DS_WITHIN, asked, found))
}

fn unknown(key: &[u8]) -> Unproved {
    let info = SubjectPublicKeyInfoRef::try_from(key).ok();
    let name = info.map(|info| match info.algorithm.parameters_oid() {
        Ok(curve) => algorithm::curve(curve),
        Err(_) => algorithm::named(info.algorithm.oid),
    });
    let name = name.unwrap_or_default();
    Unproved::Unknown(says!(
        "このプログラムは {name} の鍵の署名を検証できない",
        "this program cannot verify signatures of a key on {name}"
    ))
}
