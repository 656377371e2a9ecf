//! The order of path validation: first the roots and the CRLs of their keys, then each link
//! certificate with the CRLs of its key, last the certificate to validate.

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use der::oid::AssociatedOid as _;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

use super::{
    Certificate, Crl, Issuer, Item, Judgement, Offered, RelyingParty, Role, Shown, Step, Unproved,
};
use crate::hex;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;
use crate::x509::judge::words;

/// A key that is trusted under a Name.
#[derive(Debug, Clone)]
struct TrustedKey {
    name: Vec<u8>,
    identifier: Vec<u8>,
    spki: Vec<u8>,
    certifies: bool,
    lists: bool,
    /// The first and the last second of its root, as far as they are known.
    begins: Instant,
    ends: Option<Instant>,
    /// How many CA certificates of another Name may follow; any number without a constraint.
    below: Option<u8>,
    /// The certificates that make it trusted, beginning with the root.
    by: Vec<Item>,
}

/// A CRL that a trusted key signed, and whether it is current at the time of validation.
#[derive(Debug)]
struct List<'c> {
    crl: &'c Crl,
    current: bool,
}

/// The state of a validation in progress.
struct Trial<'c, P> {
    at: Instant,
    party: &'c P,
    certificates: &'c BTreeMap<Item, Certificate>,
    keys: Vec<TrustedKey>,
    lists: BTreeMap<Item, List<'c>>,
    judgements: BTreeMap<Item, Judgement>,
}

/// Judges every input.
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
    /// Trusts the roots that were given, if each is valid at this time and not revoked.
    ///
    /// The CRL of a root is signed by the root's own key, so it is admitted before the root's
    /// revocation status is judged.
    fn trust_roots(&mut self, crls: &'c BTreeMap<Item, Crl>) {
        let of_roots = |item: &Item| matches!(item, Item::Root(_));
        let roots = self.certificates.iter().filter(|(item, _)| of_roots(item));
        for (item, root) in roots {
            let key = trusted(root, None, Vec::from([*item]));
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

    /// Trusts the key of each link certificate that is valid under a trusted key, and repeats,
    /// because another link may be valid under the new key.
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
                        let by = [signer.by.clone(), Vec::from([*item])].concat();
                        self.keys.push(trusted(link, Some(&signer), by));
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

    /// Judges the certificate to validate.
    ///
    /// The certificates that make its signing key trusted are looked up again in all CRLs, because
    /// a CRL by a key that was installed later may list them.
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
        if let Some(signer) = &signer {
            let length = certificate.self_issued() || role != Role::Link || signer.below != Some(0);
            let asked = || says!("ほかの認証局の証明書なし", "no further CA certificate");
            let found = || Bilingual::plain(certificate.shown());
            judgement.ask(RuleId::P_PATH_LENGTH, length, asked, found);
            let issuer = Issuer { key: &signer.spki, begins: signer.begins, ends: signer.ends };
            self.party.issued(certificate, role, &issuer, &mut judgement);
            self.status(certificate, &mut judgement);
        }
        (judgement, signer)
    }

    /// Finds the signing key among these keys, by Name, key identifier and signature (RFC 5280
    /// 6.1.3 (a) (1), (4)).
    fn signed_by(
        &self,
        certificate: &Certificate,
        keys: &[TrustedKey],
        judgement: &mut Judgement,
    ) -> Option<TrustedKey> {
        let mut keys: Vec<&TrustedKey> = keys.iter().collect();
        keys.retain(|key| key.name == certificate.issuer());
        let found = || Bilingual::plain(certificate.shown_issuer());
        judgement.ask(RuleId::P_PATH_ISSUER, !keys.is_empty(), of_this_name, found);
        if keys.is_empty() {
            return None;
        }
        let signer = certificate.signer_identifier();
        keys.retain(|key| Some(&key.identifier) == signer.as_ref());
        let asked = || {
            says!(
                "authorityKeyIdentifier の示す信頼する鍵",
                "a trusted key with the identifier in authorityKeyIdentifier"
            )
        };
        judgement.ask(RuleId::P_PATH_KEY, !keys.is_empty(), asked, || identifier(signer.as_ref()));
        if keys.is_empty() {
            return None;
        }
        keys.retain(|key| key.certifies);
        let asked = || {
            says!(
                "電子証明書に署名してよい鍵(cA と keyCertSign)",
                "a key that may sign certificates: cA and keyCertSign"
            )
        };
        judgement.ask(RuleId::P_PATH_CA, !keys.is_empty(), asked, || identifier(signer.as_ref()));
        let mut why = Unproved::Wrong(other_inside());
        keys.retain(|key| {
            let signed = certificate.signed(&key.spki);
            certificate.one_algorithm()
                && self.party.signature(&signed).map_err(|error| why = error).is_ok()
        });
        let key = keys.first().copied().cloned();
        if judgement.holds() {
            proved(key.is_some(), why, judgement);
        }
        key
    }

    /// Judges what needs no other structure: validity, extensions, role.
    fn form(&self, certificate: &Certificate, role: Role, judgement: &mut Judgement) {
        let (first, last) = certificate.validity();
        let asked = || says!("{} を含む有効期間", "a validity period that includes {}", self.at);
        let found = || says!("{first} から {last} まで", "{first} to {last}");
        let holds = first <= self.at && self.at <= last;
        judgement.ask(RuleId::P_PATH_TIME, holds, asked, found);
        let known = [KeyUsage::OID, BasicConstraints::OID, ExtendedKeyUsage::OID];
        let unknown = certificate
            .extensions()
            .iter()
            .find(|extension| extension.critical && !known.contains(&extension.extn_id));
        let found = || unknown.map(|one| Bilingual::plain(one.extn_id)).unwrap_or_default();
        judgement.ask(RuleId::R_VERIFIER, unknown.is_none(), all_processed, found);
        if role != Role::Signer {
            let asked = || {
                says!(
                    "電子証明書又は CRL に署名してよい鍵",
                    "a key that may sign certificates or CRLs"
                )
            };
            let found = || says!("いずれにも署名できない鍵", "a key that may sign neither");
            let holds = certifies(certificate) || lists(certificate);
            judgement.ask(RuleId::P_PATH_CA, holds, asked, found);
        }
        self.party.certificate(certificate, role, judgement);
    }

    /// Judges the revocation status (RFC 5280 6.3.3): a current CRL must cover the certificate, and
    /// no CRL may list it.
    fn status(&self, certificate: &Certificate, judgement: &mut Judgement) {
        let of_issuer = || self.speaking(certificate);
        let current = of_issuer().any(|list| list.current);
        let signer = certificate.signer_identifier();
        let asked = || {
            let key = identifier(signer.as_ref());
            says!(key; "{} の CRL(鍵 {key})", "a CRL for {} of key {key}", self.at)
        };
        judgement.ask(RuleId::P_PATH_CRL, current, asked, || match of_issuer().count() {
            0 => Bilingual::none(),
            count => {
                says!(
                    "{count} 件、いずれもこの時刻のものでない",
                    "{count}, none current at this time"
                )
            }
        });
        self.named(certificate, judgement);
    }

    /// Judges that no CRL lists the certificate.
    ///
    /// A revocation is never undone (CP/CPS 4.9.5). So it counts from its date on in every CRL that
    /// a trusted key of any generation signed, current or not.
    fn named(&self, certificate: &Certificate, judgement: &mut Judgement) {
        let lists = self.lists.values().filter(|list| list.crl.issuer() == certificate.issuer());
        let entries = lists.flat_map(|list| {
            let entries = list.crl.entries().iter();
            entries.filter(|entry| list.current || entry.date <= self.at)
        });
        let entry = { entries }.find(|entry| entry.serial == certificate.serial());
        let asked = || says!("どの CRL にもない電子証明書", "a certificate that no CRL names");
        judgement.ask(RuleId::P_REVOKED, entry.is_none(), asked, || {
            let reason = words::reason(entry.and_then(|entry| entry.reason));
            let date = entry.map_or(self.at, |entry| entry.date);
            let (name, serial) = (certificate.shown(), hex::encode(certificate.serial()));
            says!(
                "{name} {serial}、失効年月日 {date}: {reason}",
                "{name} {serial}, revoked {date}: {reason}"
            )
        });
    }

    /// The CRLs whose scope includes a certificate.
    fn speaking<'t>(&'t self, certificate: &'t Certificate) -> impl Iterator<Item = &'t List<'c>> {
        self.lists.values().filter(|list| {
            list.crl.issuer() == certificate.issuer()
                && self.party.speaks_for(list.crl, certificate)
        })
    }

    /// Judges the CRLs that are not admitted yet, and admits those that a trusted key signed.
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

    /// Judges that a trusted key signed the CRL and may sign CRLs (RFC 5280 6.3.3 (f), (g)).
    fn listed_by(&self, crl: &Crl, judgement: &mut Judgement) {
        let mut keys: Vec<&TrustedKey> = self.keys.iter().collect();
        keys.retain(|key| key.name == crl.issuer());
        let found = || Bilingual::plain(crl.shown());
        judgement.ask(RuleId::P_PATH_ISSUER, !keys.is_empty(), of_this_name, found);
        let signer = crl.signer_identifier();
        keys.retain(|key| Some(&key.identifier) == signer.as_ref() && key.lists);
        if judgement.holds() {
            let asked = || {
                says!(
                    "authorityKeyIdentifier の示す、CRL に署名してよい信頼する鍵",
                    "a trusted key with the identifier in authorityKeyIdentifier that may sign CRLs"
                )
            };
            judgement
                .ask(RuleId::P_PATH_KEY, !keys.is_empty(), asked, || identifier(signer.as_ref()));
        }
        let mut why = Unproved::Wrong(other_inside());
        keys.retain(|key| {
            let signed = crl.signed(&key.spki);
            crl.one_algorithm() && self.party.signature(&signed).map_err(|e| why = e).is_ok()
        });
        if judgement.holds() {
            proved(!keys.is_empty(), why, judgement);
        }
    }

    /// Judges the extensions of a CRL.
    ///
    /// A CRL with a critical extension that cannot be processed, of its own or of an entry, is not
    /// used at all (RFC 5280 5.2, 5.3).
    fn form_of_crl(&self, crl: &Crl, judgement: &mut Judgement) {
        let critical = crl.extensions().iter().filter(|extension| extension.critical);
        let unknown = critical
            .map(|extension| extension.extn_id.to_string())
            .find(|oid| !self.party.processes(oid))
            .or_else(|| crl.entries().iter().find_map(|entry| entry.critical.clone()));
        let found = || unknown.as_ref().map(Bilingual::plain).unwrap_or_default();
        judgement.ask(RuleId::R_VERIFIER, unknown.is_none(), all_processed, found);
        self.party.crl(crl, judgement);
    }

    /// Judges whether the CRL is current: from thisUpdate on and before nextUpdate, by which time
    /// its successor is published.
    fn of_the_day(&self, crl: &Crl, judgement: &mut Judgement) -> bool {
        let (this, next) = crl.updates();
        let holds = this <= self.at && next.is_some_and(|next| self.at < next);
        let asked = || {
            says!(
                "thisUpdate 以後、nextUpdate より前の {}",
                "a CRL that is current at {}: from thisUpdate on, before nextUpdate",
                self.at
            )
        };
        judgement.ask(RuleId::P_CRL_TIME, holds, asked, || {
            let next =
                next.map_or_else(|| says!("nextUpdate なし", "no nextUpdate"), Bilingual::plain);
            says!(next; "{this} から {next}", "{this} to {next}")
        })
    }
}

/// The key of a certificate, with what it may sign.
///
/// Without keyUsage, every use is permitted (RFC 5280 4.2.1.3); without basicConstraints, the key
/// is not a CA's (4.2.1.9).
fn trusted(certificate: &Certificate, signer: Option<&TrustedKey>, by: Vec<Item>) -> TrustedKey {
    let (begins, ends) = certificate.validity();
    let own = certificate.basic_constraints().and_then(|found| found.path_len_constraint);
    let step = u8::from(!certificate.self_issued());
    let left = signer.and_then(|signer| signer.below).map(|left| left.saturating_sub(step));
    TrustedKey {
        name: certificate.subject().to_vec(),
        identifier: certificate.key_identifier().unwrap_or_default(),
        spki: certificate.key().to_vec(),
        certifies: certifies(certificate),
        lists: lists(certificate),
        begins,
        ends: signer.is_none().then_some(ends),
        below: [own, left].into_iter().flatten().min(),
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

/// The role of the certificate to validate: a self-signed certificate is a root, another
/// self-issued certificate is a link, everything else is a signer.
fn role(certificate: &Certificate) -> Role {
    match certificate.self_issued() {
        true if certificate.signer_identifier() == certificate.key_identifier() => Role::Root,
        true => Role::Link,
        false => Role::Signer,
    }
}

fn identifier(octets: Option<&Vec<u8>>) -> Bilingual {
    octets.map_or_else(
        || says!("鍵の識別子なし", "no key identifier"),
        |octets| Bilingual::plain(hex::encode(octets)),
    )
}

fn of_this_name() -> Bilingual {
    says!("この名称の信頼する鍵", "a trusted key of this Name")
}

fn under_trusted() -> Bilingual {
    says!("信頼する鍵で検証できる署名", "a signature that verifies under the trusted key")
}

/// Records whether a signature was verified; one of an unknown algorithm is not called wrong.
fn proved(holds: bool, why: Unproved, judgement: &mut Judgement) {
    let (rule, why) = match why {
        Unproved::Wrong(why) => (RuleId::P_PATH_SIGNATURE, why),
        Unproved::Unknown(why) if holds => (RuleId::P_PATH_SIGNATURE, why),
        Unproved::Unknown(why) => (RuleId::P_PATH_ALGORITHM, why),
    };
    judgement.ask(rule, holds, under_trusted, || why);
}

fn other_inside() -> Bilingual {
    says!(
        "内側と外側で異なる署名アルゴリズム",
        "signature algorithms that differ inside and outside"
    )
}

fn all_processed() -> Bilingual {
    says!("処理できない critical な拡張なし", "no critical extension that cannot be processed")
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
