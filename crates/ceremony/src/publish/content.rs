//! What a file of a release is, judged by its octets: on the closed list of 2.2, or refused.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::Decode as _;
use x509_cert::ext::pkix::CrlDistributionPoints;
use x509_cert::ext::pkix::name::DistributionPointName;

use super::statement::Statement;
use crate::cps;
use crate::fault::Fault;
use crate::hex::{self, Digest, Octets};
use crate::language::{Bilingual, Language};
use crate::notice;
use crate::path::{self, Weight};
use crate::path::{Certificate, Iaca, Judgement, RehearsalKeys, RelyingParty as _, Role, Unproved};
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;
use crate::x509::judge::address;

/// A file that may be published, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The name under which the ceremony made it; of the CP/CPS, the name in `cps.toml`.
    pub name: String,
    /// Its SHA-256.
    pub digest: Digest,
    /// Its length.
    pub octets: usize,
    /// What it is.
    pub content: Content,
}

impl Item {
    /// The name that the ceremony gave the file, without its ending.
    #[must_use]
    pub fn stem(&self) -> &str {
        self.name.rsplit_once('.').map_or(self.name.as_str(), |(stem, _)| stem)
    }
}

/// The closed list of CP/CPS 2.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A root certificate.
    Root(Root),
    /// A link certificate.
    Link(Link),
    /// A CRL.
    Crl(Crl),
    /// The notice of a compromise.
    Notice(Language),
    /// The CP/CPS.
    Cps(Document),
}

/// What publication needs to know of the CP/CPS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its title and its version.
    pub title: (String, String),
    /// The first instant at which it is in force.
    pub from: Instant,
}

/// What publication needs to know of a root certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// The identifier of its key.
    pub key: Octets,
    /// The CA's Name in DER.
    pub name: Vec<u8>,
    /// Its serial number.
    pub serial: Octets,
    /// notBefore and notAfter.
    pub validity: (Instant, Instant),
    /// The addresses of its key's CRL.
    pub crls: Vec<String>,
}

/// What publication needs to know of a link certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The key that signed it.
    pub signer: Octets,
    /// The key in it.
    pub key: Octets,
    /// Its serial number.
    pub serial: Octets,
    /// notBefore and notAfter.
    pub validity: (Instant, Instant),
}

/// What publication needs to know of a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    /// The key that signed it.
    pub key: Octets,
    /// Its number.
    pub number: u64,
    /// thisUpdate.
    pub this_update: Instant,
    /// nextUpdate.
    pub next_update: Instant,
    /// How many entries it has.
    pub entries: usize,
    /// The serial numbers of root and link certificates that it lists.
    pub revokes: Vec<Octets>,
}

/// A root certificate that is known, by which other files are judged.
#[derive(Debug, Clone)]
pub struct Known {
    info: Vec<u8>,
    root: Root,
}

/// Judges the files of releases, and remembers the roots and links among them.
#[derive(Debug)]
pub struct Judge {
    party: Iaca,
    roots: BTreeMap<Octets, Known>,
    links: Vec<Octets>,
}

impl Judge {
    /// A judge that knows no root yet.
    #[must_use]
    pub const fn new(rehearsal: RehearsalKeys) -> Self {
        let party = Iaca { rehearsal, annex_b: Weight::Warn, ca: None };
        Self { party, roots: BTreeMap::new(), links: Vec::new() }
    }

    /// Learns a root or link certificate, if the file is one that the statement names. The keys of
    /// all releases are learned before anything is judged.
    pub fn learn(&mut self, statement: &Statement, octets: &[u8]) {
        if statement.name_of(&Digest::of(octets)).is_none() {
            return;
        }
        let Ok(certificate) = Certificate::read(octets) else { return };
        if let Ok(Some(root)) = self.root(&certificate) {
            let info = certificate.key().to_vec();
            self.roots.insert(root.key.clone(), Known { info, root });
        } else if certificate.self_issued() {
            self.links.push(Octets(certificate.serial().to_vec()));
        }
    }

    /// Says what a file of a release is. `cps` is what the sealed `cps.toml` says of the CP/CPS.
    ///
    /// # Errors
    /// S-PUBLISH if the statement does not name the file, or it is not on the closed list of 2.2;
    /// the rule of a structure that it breaks.
    pub fn item(
        &self,
        statement: &Statement,
        cps: Option<&cps::Document>,
        octets: &[u8],
    ) -> Result<Item, Fault> {
        let digest = Digest::of(octets);
        let made = |name: &str, content| {
            Ok(Item { name: name.to_string(), digest, octets: octets.len(), content })
        };
        if let Some(of) = cps.filter(|of| *of.sha256.get_ref() == digest) {
            let title = (of.title.clone(), of.version.get_ref().clone());
            let document = Document { title, from: *of.from.get_ref() };
            return made(of.file.get_ref(), Content::Cps(document));
        }
        let Some(name) = statement.name_of(&digest) else {
            let asked = says!(
                "{} の封印の statement が挙げるファイル",
                "a file that the sealed statement of {} names",
                statement.ceremony
            );
            return Err(Fault::new(RuleId::S_PUBLISH, asked, what(octets)));
        };
        if let Ok(certificate) = Certificate::read(octets) {
            return made(name, self.certificate(&certificate)?);
        }
        if let Ok(crl) = path::Crl::read(octets) {
            return made(name, Content::Crl(self.crl(&crl)?));
        }
        let text = core::str::from_utf8(octets).ok();
        match text.and_then(notice::recognise) {
            Some(language) => made(name, Content::Notice(language)),
            None => Err(refused(what(octets))),
        }
    }

    fn certificate(&self, certificate: &Certificate) -> Result<Content, Fault> {
        if let Some(root) = self.root(certificate)? {
            return Ok(Content::Root(root));
        }
        if !certificate.self_issued() {
            return Err(refused(says!("DS 電子証明書", "a Document Signer certificate")));
        }
        let signer = self.signer(certificate.signer_identifier(), certificate.issuer())?;
        let mut judgement = Judgement::default();
        self.party.certificate(certificate, Role::Link, &mut judgement);
        let signed = certificate.signed(&signer.info);
        proved(self.party.signature(&signed), certificate.one_algorithm(), &judgement)?;
        Ok(Content::Link(Link {
            signer: signer.root.key.clone(),
            key: Octets(certificate.key_identifier().unwrap_or_default()),
            serial: Octets(certificate.serial().to_vec()),
            validity: certificate.validity(),
        }))
    }

    /// Reads a root: self-issued, and signed by the key in it.
    fn root(&self, certificate: &Certificate) -> Result<Option<Root>, Fault> {
        let key = certificate.key_identifier().unwrap_or_default();
        let own = certificate.signer_identifier().is_some_and(|signer| signer == key);
        if !certificate.self_issued() || !own {
            return Ok(None);
        }
        let mut judgement = Judgement::default();
        self.party.certificate(certificate, Role::Root, &mut judgement);
        let signed = certificate.signed(certificate.key());
        proved(self.party.signature(&signed), certificate.one_algorithm(), &judgement)?;
        let of_another = self.roots.values().find(|one| one.root.name != certificate.subject());
        if of_another.is_some() {
            let shown = certificate.shown();
            let found = says!("別の認証局 {shown} のルート証明書", "a root of another CA, {shown}");
            return Err(refused(found));
        }
        Ok(Some(Root {
            key: Octets(key),
            name: certificate.subject().to_vec(),
            serial: Octets(certificate.serial().to_vec()),
            validity: certificate.validity(),
            crls: addresses(certificate),
        }))
    }

    fn crl(&self, crl: &path::Crl) -> Result<Crl, Fault> {
        let signer = self.signer(crl.signer_identifier(), crl.issuer())?;
        let mut judgement = Judgement::default();
        self.party.crl(crl, &mut judgement);
        let signed = crl.signed(&signer.info);
        proved(self.party.signature(&signed), crl.one_algorithm(), &judgement)?;
        if let Some(serial) = crl.detailed() {
            let serial = hex::encode(serial);
            let found = says!(
                "{serial} について失効事由コードより詳しい CRL",
                "a CRL that says more of {serial} than a reason code"
            );
            return Err(refused(found));
        }
        let number = crl.number_octets().and_then(|octets| {
            let value = |sum: u64, octet: &u8| sum.checked_mul(256)?.checked_add((*octet).into());
            octets.iter().try_fold(0, value)
        });
        let (this_update, next_update) = crl.updates();
        let (Some(number), Some(next_update)) = (number, next_update) else {
            let found =
                says!("番号又は nextUpdate のない CRL", "a CRL without a number or a nextUpdate");
            return Err(refused(found));
        };
        let roots = self.roots.values().map(|one| &one.root.serial);
        let listed = |serial: &&Octets| crl.lists(&serial.0);
        Ok(Crl {
            key: signer.root.key.clone(),
            number,
            this_update,
            next_update,
            entries: crl.len(),
            revokes: roots.chain(&self.links).filter(listed).cloned().collect(),
        })
    }

    fn signer(&self, key: Option<Vec<u8>>, issuer: &[u8]) -> Result<&Known, Fault> {
        let key = Octets(key.unwrap_or_default());
        self.roots.get(&key).filter(|one| one.root.name == issuer).ok_or_else(|| {
            let asked =
                says!("この認証局のルート鍵による署名", "a signature by a root key of this CA");
            Fault::new(RuleId::P_PATH_KEY, asked, Bilingual::plain(hex::encode(&key.0)))
        })
    }
}

fn refused(found: Bilingual) -> Fault {
    let asked = says!(
        "運用規程 2.2 の挙げるもの(ルート証明書、リンク証明書、CRL、危殆化の公表、運用規程)",
        "what CP/CPS 2.2 lists: root, link, CRL, notice of a compromise, CP/CPS"
    );
    Fault::new(RuleId::S_PUBLISH, asked, found)
}

fn proved(
    signature: Result<(), Unproved>,
    one_algorithm: bool,
    judgement: &Judgement,
) -> Result<(), Fault> {
    if let Some(fault) = judgement.faults().first() {
        return Err(fault.clone());
    }
    let asked = says!("署名者の鍵で検証できる署名", "a signature that its key verifies");
    let found = match signature {
        Ok(()) if one_algorithm => return Ok(()),
        Ok(()) => says!("内側と異なる署名アルゴリズム", "another algorithm than inside"),
        Err(Unproved::Wrong(found) | Unproved::Unknown(found)) => found,
    };
    Err(Fault::new(RuleId::P_PATH_SIGNATURE, asked, found))
}

/// The addresses that a root gives for its own key's CRL.
fn addresses(certificate: &Certificate) -> Vec<String> {
    let points = certificate.extension("2.5.29.31");
    let points = points.and_then(|value| CrlDistributionPoints::from_der(value).ok());
    let mut found = Vec::new();
    for point in points.map(|points| points.0).unwrap_or_default() {
        if let Some(DistributionPointName::FullName(names)) = point.distribution_point {
            found.extend(names.iter().filter_map(address::uri).map(String::from));
        }
    }
    found
}

/// Names what a file seems to be, for whoever has to find out how it came here.
fn what(octets: &[u8]) -> Bilingual {
    let begins = |with: &str| octets.starts_with(with.as_bytes());
    let certificate = || Certificate::read(octets).ok();
    if let Some(certificate) = certificate() {
        let shown = certificate.shown();
        return match certificate.self_issued() {
            true => says!("{shown} の別の電子証明書", "another certificate of {shown}"),
            false => says!("{shown} の DS 電子証明書", "a Document Signer certificate of {shown}"),
        };
    }
    if let Ok(crl) = path::Crl::read(octets) {
        let (this, _) = crl.updates();
        return says!("別の CRL(thisUpdate {this})", "another CRL, with thisUpdate {this}");
    }
    if begins("-----BEGIN ") {
        return says!("PEM のファイル", "a PEM file");
    }
    if begins("{\"") {
        return says!("JSON(記録、bundle 等)", "JSON, such as a transcript or a bundle");
    }
    let count = octets.len();
    match core::str::from_utf8(octets) {
        Ok(_) => says!("{count} オクテットの別の文書", "another text, of {count} octets"),
        Err(_) => says!("{count} オクテットの別のもの", "{count} octets of something else"),
    }
}
