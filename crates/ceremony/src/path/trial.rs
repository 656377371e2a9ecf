//! The order in which things come to be trusted: roots, the CRLs of their keys, links one after
//! another with the CRLs of theirs, and at last the certificate in question.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::oid::AssociatedOid as _;
use x509_cert::certificate::Version;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::{Certificate, Crl, Item, Judgement, Offered, RelyingParty, Role, Shown, Step};
use crate::hex;
use crate::rule::RuleId;
use crate::time::Instant;

/// A key that is trusted under a Name.
#[derive(Debug, Clone)]
struct TrustedKey {
    name: Vec<u8>,
    identifier: Vec<u8>,
    spki: Vec<u8>,
    certifies: bool,
    lists: bool,
    /// The certificates by which it is trusted, from the root on.
    by: Vec<Item>,
}

/// A CRL that a trusted key signed, and whether it is of its day.
#[derive(Debug)]
struct List<'c> {
    crl: &'c Crl,
    current: bool,
}

/// What is known so far.
struct Trial<'c, P> {
    at: Instant,
    party: &'c P,
    certificates: &'c BTreeMap<Item, Certificate>,
    keys: Vec<TrustedKey>,
    lists: BTreeMap<Item, List<'c>>,
    judgements: BTreeMap<Item, Judgement>,
}

/// Judges everything that was offered.
pub(super) fn hold(offered: &Offered, at: Instant, party: &impl RelyingParty) -> Vec<Step> {
    let mut judgements = BTreeMap::new();
    let mut certificates = BTreeMap::new();
    let mut crls = BTreeMap::new();
    let roots = offered.roots.iter().enumerate().map(|(place, der)| (Item::Root(place), der));
    let links = offered.links.iter().enumerate().map(|(place, der)| (Item::Link(place), der));
    for (item, der) in roots.chain(links).chain([(Item::Target, &offered.target)]) {
        match Certificate::read(der) {
            Ok(certificate) => drop(certificates.insert(item, certificate)),
            Err(fault) => drop(judgements.insert(item, Judgement::unread(fault))),
        }
    }
    for (place, der) in offered.crls.iter().enumerate() {
        match Crl::read(der) {
            Ok(crl) => drop(crls.insert(Item::Crl(place), crl)),
            Err(fault) => drop(judgements.insert(Item::Crl(place), Judgement::unread(fault))),
        }
    }
    let (keys, lists) = (Vec::new(), BTreeMap::new());
    let mut trial = Trial { at, party, certificates: &certificates, keys, lists, judgements };
    trial.trust_roots(&crls);
    trial.install_links(&crls);
    trial.judge_target();
    let step = |(item, judgement)| {
        let certificate = certificates.get(&item).map(|certificate| shown(item, certificate));
        let crl = crls.get(&item).map(shown_crl);
        Step { item, shown: certificate.or(crl).unwrap_or(Shown::Unread), judgement }
    };
    trial.judgements.into_iter().map(step).collect()
}

impl<'c, P: RelyingParty> Trial<'c, P> {
    /// A root is trusted as it was given, but not if its own CRL names it, or if it is no root of
    /// this day. Its CRL is judged before it is: only its key can have signed it.
    fn trust_roots(&mut self, crls: &'c BTreeMap<Item, Crl>) {
        let of_roots = |item: &Item| matches!(item, Item::Root(_));
        let roots = self.certificates.iter().filter(|(item, _)| of_roots(item));
        for (item, root) in roots {
            let key = trusted(root, Vec::from([*item]));
            let mut judgement = Judgement::default();
            self.signed_by(root, core::slice::from_ref(&key), &mut judgement);
            self.form(root, Role::Root, &mut judgement);
            if judgement.holds() {
                self.keys.push(key);
            }
            self.judgements.insert(*item, judgement);
        }
        self.admit(crls);
        for key in core::mem::take(&mut self.keys) {
            let Some(item) = key.by.first().copied() else { continue };
            let Some(root) = self.certificates.get(&item) else { continue };
            let mut judgement = self.judgements.remove(&item).unwrap_or_default();
            self.status(root, &mut judgement);
            if judgement.holds() {
                self.keys.push(key);
            }
            self.judgements.insert(item, judgement);
        }
    }

    /// A link that holds under a trusted key installs its own; then another may hold under that.
    fn install_links(&mut self, crls: &'c BTreeMap<Item, Crl>) {
        let of_links = |item: &&Item| matches!(item, Item::Link(_));
        let mut open: Vec<Item> = self.certificates.keys().filter(of_links).copied().collect();
        loop {
            let mut left = Vec::new();
            for item in &open {
                let Some(link) = self.certificates.get(item) else { continue };
                let (judgement, signer) = self.judge(link, Role::Link);
                match signer {
                    Some(signer) if judgement.holds() => {
                        self.keys.push(trusted(link, [signer.by, Vec::from([*item])].concat()));
                        self.admit(crls);
                    }
                    Some(_) | None => left.push(*item),
                }
                self.judgements.insert(*item, judgement);
            }
            if left.len() == open.len() {
                return;
            }
            open = left;
        }
    }

    /// What installed the key that signed is asked again: a CRL of a later key may name it.
    fn judge_target(&mut self) {
        let Some(target) = self.certificates.get(&Item::Target) else { return };
        let (mut judgement, signer) = self.judge(target, role(target));
        for item in signer.into_iter().flat_map(|signer| signer.by) {
            if let Some(certificate) = self.certificates.get(&item) {
                self.named(certificate, &mut judgement);
            }
        }
        self.judgements.insert(Item::Target, judgement);
    }

    /// Judges a certificate under the keys that are trusted so far.
    fn judge(&self, certificate: &Certificate, role: Role) -> (Judgement, Option<TrustedKey>) {
        let mut judgement = Judgement::default();
        let signer = self.signed_by(certificate, &self.keys, &mut judgement);
        self.form(certificate, role, &mut judgement);
        if signer.is_some() {
            self.status(certificate, &mut judgement);
        }
        (judgement, signer)
    }

    /// RFC 5280 6.1.3 (a) (1), (4): the key that signed, among these, by Name, key identifier and
    /// signature.
    fn signed_by(
        &self,
        certificate: &Certificate,
        keys: &[TrustedKey],
        judgement: &mut Judgement,
    ) -> Option<TrustedKey> {
        let mut keys: Vec<&TrustedKey> = keys.iter().collect();
        keys.retain(|key| key.name == certificate.issuer());
        let found = || certificate.shown_issuer().to_string();
        judgement.ask(RuleId::P_PATH_ISSUER, !keys.is_empty(), "a trusted key of this Name", found);
        if keys.is_empty() {
            return None;
        }
        let signer = certificate.signer_identifier();
        keys.retain(|key| Some(&key.identifier) == signer.as_ref());
        let asked = "a trusted key with the authority key identifier";
        judgement.ask(RuleId::P_PATH_KEY, !keys.is_empty(), asked, || identifier(signer.as_ref()));
        if keys.is_empty() {
            return None;
        }
        keys.retain(|key| key.certifies);
        let asked = "a key that may sign certificates: cA and keyCertSign";
        judgement.ask(RuleId::P_PATH_CA, !keys.is_empty(), asked, || identifier(signer.as_ref()));
        let mut why = "another algorithm inside than outside".to_string();
        keys.retain(|key| {
            certificate.one_algorithm()
                && self
                    .party
                    .signature(&certificate.signed(&key.spki))
                    .map_err(|error| why = error)
                    .is_ok()
        });
        let key = keys.first().copied().cloned();
        if judgement.holds() {
            let asked = "a signature that verifies under the trusted key";
            judgement.ask(RuleId::P_PATH_SIGNATURE, key.is_some(), asked, || why);
        }
        key
    }

    /// What a certificate says of itself: version, time, extensions, role.
    fn form(&self, certificate: &Certificate, role: Role, judgement: &mut Judgement) {
        let version = certificate.version();
        judgement.ask(RuleId::R_V3, version == Version::V3, "version 3", || format!("{version:?}"));
        let (first, last) = certificate.validity();
        let asked = format!("a validity that holds {}", self.at);
        let holds = first <= self.at && self.at <= last;
        judgement.ask(RuleId::P_PATH_TIME, holds, &asked, || format!("{first} to {last}"));
        let known = [KeyUsage::OID, BasicConstraints::OID, ExtendedKeyUsage::OID];
        let unknown = certificate
            .extensions()
            .iter()
            .find(|extension| extension.critical && !known.contains(&extension.extn_id));
        let asked = "no critical extension that cannot be processed";
        let found = || unknown.map_or_else(String::new, |one| one.extn_id.to_string());
        judgement.ask(RuleId::R_VERIFIER, unknown.is_none(), asked, found);
        if role != Role::Signer {
            let asked = "a key that may sign certificates or CRLs";
            let holds = certifies(certificate) || lists(certificate);
            judgement.ask(RuleId::P_PATH_CA, holds, asked, || "neither".to_string());
        }
        self.party.certificate(certificate, role, judgement);
    }

    /// RFC 5280 6.3.3: a CRL of the day speaks for the certificate, and none names it.
    fn status(&self, certificate: &Certificate, judgement: &mut Judgement) {
        let of_issuer = || self.speaking(certificate);
        let current = of_issuer().any(|list| list.current);
        let signer = certificate.signer_identifier();
        let asked = format!("a CRL for {} of key {}", self.at, identifier(signer.as_ref()));
        judgement.ask(RuleId::P_PATH_CRL, current, &asked, || match of_issuer().count() {
            0 => "none".to_string(),
            count => format!("{count}, none of this time"),
        });
        self.named(certificate, judgement);
    }

    /// A revocation is never undone (CP/CPS 4.9.5), so it counts in every CRL that a trusted key
    /// signed, of its day or not, from its date on; and in those of other generations too.
    fn named(&self, certificate: &Certificate, judgement: &mut Judgement) {
        let lists = self.lists.values().filter(|list| list.crl.issuer() == certificate.issuer());
        let entries = lists.flat_map(|list| {
            let entries = list.crl.entries().iter();
            entries.filter(|entry| list.current || entry.date <= self.at)
        });
        let entry = { entries }.find(|entry| entry.serial == certificate.serial());
        judgement.ask(
            RuleId::P_REVOKED,
            entry.is_none(),
            "a certificate that no CRL names",
            || {
                let reason = entry.and_then(|entry| entry.reason);
                let reason = reason.map_or_else(|| "unspecified".to_string(), |r| format!("{r:?}"));
                let date = entry.map_or(self.at, |entry| entry.date);
                let serial = hex::encode(certificate.serial());
                format!("{} {serial}, revoked {date}: {reason}", certificate.shown())
            },
        );
    }

    /// The CRLs that speak for a certificate.
    fn speaking<'t>(&'t self, certificate: &'t Certificate) -> impl Iterator<Item = &'t List<'c>> {
        self.lists.values().filter(|list| {
            list.crl.issuer() == certificate.issuer()
                && self.party.speaks_for(list.crl, certificate)
        })
    }

    /// Judges the CRLs that no trusted key is known to have signed yet.
    fn admit(&mut self, crls: &'c BTreeMap<Item, Crl>) {
        for (item, crl) in crls {
            if self.lists.contains_key(item) {
                continue;
            }
            let mut judgement = Judgement::default();
            self.listed_by(crl, &mut judgement);
            self.form_of_crl(crl, &mut judgement);
            let usable = judgement.holds();
            let current = self.of_the_day(crl, &mut judgement);
            if usable {
                self.lists.insert(*item, List { crl, current });
            }
            self.judgements.insert(*item, judgement);
        }
    }

    /// RFC 5280 6.3.3 (f), (g): a trusted key signed it, and that key may sign CRLs.
    fn listed_by(&self, crl: &Crl, judgement: &mut Judgement) {
        let mut keys: Vec<&TrustedKey> = self.keys.iter().collect();
        keys.retain(|key| key.name == crl.issuer());
        let asked = "a trusted key of this Name";
        judgement.ask(RuleId::P_PATH_ISSUER, !keys.is_empty(), asked, || crl.shown().to_string());
        let signer = crl.signer_identifier();
        keys.retain(|key| Some(&key.identifier) == signer.as_ref() && key.lists);
        if judgement.holds() {
            let asked = "a trusted key with the authority key identifier, for CRLs";
            judgement
                .ask(RuleId::P_PATH_KEY, !keys.is_empty(), asked, || identifier(signer.as_ref()));
        }
        let mut why = "another algorithm inside than outside".to_string();
        keys.retain(|key| {
            let signed = crl.signed(&key.spki);
            crl.one_algorithm() && self.party.signature(&signed).map_err(|e| why = e).is_ok()
        });
        if judgement.holds() {
            let asked = "a signature that verifies under the trusted key";
            judgement.ask(RuleId::P_PATH_SIGNATURE, !keys.is_empty(), asked, || why);
        }
    }

    /// RFC 5280 5.2, 5.3: a CRL with a critical extension that is not understood, of its own or of
    /// an entry, says nothing about any certificate.
    fn form_of_crl(&self, crl: &Crl, judgement: &mut Judgement) {
        let version = crl.version();
        judgement
            .ask(RuleId::R_CRL, version == Version::V2, "version 2", || format!("{version:?}"));
        let critical = crl.extensions().iter().filter(|extension| extension.critical);
        let unknown = critical
            .map(|extension| extension.extn_id.to_string())
            .find(|oid| !self.party.processes(oid))
            .or_else(|| crl.entries().iter().find_map(|entry| entry.critical.clone()));
        let asked = "no critical extension that cannot be processed";
        let found = || unknown.clone().unwrap_or_default();
        judgement.ask(RuleId::R_VERIFIER, unknown.is_none(), asked, found);
        self.party.crl(crl, judgement);
    }

    /// From thisUpdate on and before nextUpdate, when the one after it is there at the latest.
    fn of_the_day(&self, crl: &Crl, judgement: &mut Judgement) -> bool {
        let (this, next) = crl.updates();
        let holds = this <= self.at && next.is_some_and(|next| self.at < next);
        let asked = format!("thisUpdate, {}, and then nextUpdate", self.at);
        judgement.ask(RuleId::P_CRL_TIME, holds, &asked, || {
            let next = next.map_or_else(|| "no nextUpdate".to_string(), |next| next.to_string());
            format!("{this} to {next}")
        })
    }
}

/// A key as its certificate has it. Where keyUsage or basicConstraints are silent, RFC 5280 4.2.1.3
/// and 4.2.1.9 speak: every use, and no CA.
fn trusted(certificate: &Certificate, by: Vec<Item>) -> TrustedKey {
    TrustedKey {
        name: certificate.subject().to_vec(),
        identifier: certificate.key_identifier().unwrap_or_default(),
        spki: certificate.key().to_vec(),
        certifies: certifies(certificate),
        lists: lists(certificate),
        by,
    }
}

fn certifies(certificate: &Certificate) -> bool {
    certificate.key_usage().is_none_or(|usage| usage.key_cert_sign())
        && certificate.basic_constraints().is_some_and(|constraints| constraints.ca)
}

fn lists(certificate: &Certificate) -> bool {
    certificate.key_usage().is_none_or(|usage| usage.crl_sign())
}

/// What a certificate in question is taken for: a root signs itself, a link is issued by the CA to
/// the CA, everything else is a signer.
fn role(certificate: &Certificate) -> Role {
    match certificate.self_issued() {
        true if certificate.signer_identifier() == certificate.key_identifier() => Role::Root,
        true => Role::Link,
        false => Role::Signer,
    }
}

fn identifier(octets: Option<&Vec<u8>>) -> String {
    octets.map_or_else(|| "no key identifier".to_string(), |octets| hex::encode(octets))
}

fn shown(item: Item, certificate: &Certificate) -> Shown {
    Shown::Certificate {
        role: match item {
            Item::Root(_) => Role::Root,
            Item::Link(_) => Role::Link,
            Item::Target | Item::Crl(_) => role(certificate),
        },
        subject: certificate.shown().to_string(),
        serial: hex::encode(certificate.serial()),
        key: hex::encode(&certificate.key_identifier().unwrap_or_default()),
        validity: certificate.validity(),
    }
}

fn shown_crl(crl: &Crl) -> Shown {
    Shown::Crl {
        number: crl.number().unwrap_or_default(),
        key: hex::encode(&crl.signer_identifier().unwrap_or_default()),
        updates: crl.updates(),
        entries: crl.len(),
    }
}
