//! The compiled plan: every operation of a ceremony, in the order in which it is executed.
//!
//! The graph asks; the room answers. It is what people review, sign and hold as a script, and what
//! the run walks. Whatever a token will supply stands in it by name, `«g1.public»`, so the
//! rehearsed and the real graph have one id.
//!
//! **Invariants.** Only [`compile`](crate::compile::compile) makes a [`Graph`]. An [`OpId`] is had
//! only by pushing an operation, so there is no cycle and no dangling input. **Deliberately
//! absent:** attempts, answers, times of events.

mod act;
mod key;
mod text;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use act::{Act, Item, PeopleAct, Phase, Sheet, TokenAct};

use crate::hex::{Digest, Octets};
use crate::key::{Curve, PublicKey};
use crate::ledger::{Addresses, Revoked};
use crate::name::Name;
use crate::plan::{ApplicationKind, Order, ProfileName};
use crate::policy::{Backup, HeadOn};
use crate::rehearsal::RehearsalUse;
use crate::rule::RuleId;
use crate::serial;
use crate::time::{Day, Instant};
use crate::token::Attribute;
use crate::x509::{DirectoryName, EncodeError, ToBeSignedCertificate, ToBeSignedCrl};

/// How many neighbours under one key are signed as one operation.
pub const SHEET: usize = 64;

/// The compiled plan.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) ca: Name,
    pub(crate) ca_name: DirectoryName,
    /// Where certificates say that the CA is found; their structures show it.
    pub(crate) addresses: Addresses,
    pub(crate) ceremony: Name,
    pub(crate) after: Option<Name>,
    pub(crate) sequence: u32,
    pub(crate) window: (Instant, Instant),
    pub(crate) seed: [u8; 32],
    pub(crate) exceptions: Vec<String>,
    pub(crate) demands: Demands,
    pub(crate) people: BTreeMap<Name, Person>,
    pub(crate) roles: BTreeMap<Name, Bilingual>,
    pub(crate) organizations: BTreeMap<Name, Bilingual>,
    pub(crate) keys: Vec<PlannedKey>,
    /// What the ledger knows of keys that exist already; not part of the canonical text.
    pub(crate) known: BTreeMap<Name, KnownKey>,
    pub(crate) certificates: Vec<ToBeSignedCertificate>,
    pub(crate) profiles: BTreeMap<Name, ProfileName>,
    pub(crate) crls: Vec<PlannedCrl>,
    pub(crate) next_ceremony: Option<Day>,
    pub(crate) applications: BTreeMap<Name, PlannedApplication>,
    pub(crate) revocations: Vec<PlannedRevocation>,
    pub(crate) compromised: BTreeMap<Name, Instant>,
    pub(crate) orders: Vec<Order>,
    /// What the plan says in words of its keys, copies, compromises and destructions, a line each:
    /// people compare it with the papers.
    pub(crate) reasons: Vec<String>,
    pub(crate) released: Vec<Name>,
    pub(crate) recovery: Option<PlannedRecovery>,
    /// SHA-256 of the journal of the ceremony before, which could not be sealed.
    pub(crate) abandoned: Option<Digest>,
    /// The other tokens that take part, with the keys that they hold already.
    pub(crate) spares: BTreeMap<Name, BTreeSet<Name>>,
    /// SHA-256 of each SubjectPublicKeyInfo that a DS certificate of this plan certifies.
    pub(crate) certified: BTreeSet<Digest>,
    pub(crate) ops: Vec<Op>,
    /// The canonical text and its digest, once the graph is whole.
    pub(crate) whole: Option<(String, Digest)>,
}

/// What the policy asks of the room and the token in every ceremony.
#[derive(Debug, Clone)]
pub struct Demands {
    /// How far the machine's clock may be from the reference, in seconds.
    pub max_clock_offset: u32,
    /// Mechanisms that the token must offer.
    pub mechanisms: Vec<String>,
    /// Serial numbers of the tokens that are in production: never used in a drill.
    pub production_serials: Vec<String>,
    /// Where the ledger head is kept besides the papers.
    pub head_on: HeadOn,
    /// How many sheets are signed at most between two heads that people note on paper.
    pub sheets_per_head: u32,
    /// Attributes that are not said in a template, because the module refuses them.
    pub leave_out: BTreeSet<Attribute>,
    /// Attributes that the module cannot tell.
    pub not_told: BTreeSet<Attribute>,
    /// What the model brings with it: class and label.
    pub may_hold: BTreeSet<(String, String)>,
}

/// A participant.
#[derive(Debug, Clone)]
pub struct Person {
    /// The name as it is called in the room.
    pub name: Bilingual,
    /// The organisation.
    pub organization: Name,
    /// Every role held in this ceremony.
    pub roles: Vec<Name>,
}

/// One thing in both languages of the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bilingual {
    /// Japanese, as the CP/CPS writes it.
    pub ja: String,
    /// English.
    pub en: String,
}

/// An application, as people compare it with the paper in the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedApplication {
    /// What is applied for.
    pub kind: ApplicationKind,
    /// SHA-256 of the paper.
    pub paper: Digest,
    /// SHA-256 of the subscriber's notification.
    pub notification: Option<Digest>,
    /// Who applies.
    pub by: Vec<Name>,
    /// The certificate signing requests that belong to it, with the digests of their files.
    pub requests: BTreeMap<Name, Digest>,
}

impl PlannedApplication {
    /// Its papers, which are read aloud in the room by their digests, each with the rule that asks
    /// for it.
    pub fn papers(&self) -> impl Iterator<Item = (RuleId, &'static str, Digest)> {
        let papers = [
            (RuleId::R_EXAMINE, "paper", Some(self.paper)),
            (RuleId::R_REVOKE, "notification", self.notification),
            (RuleId::R_CSR_INTAKE, "requests", self.requests_digest()),
        ];
        papers.into_iter().filter_map(|(rule, name, digest)| Some((rule, name, digest?)))
    }

    /// One digest for all the requests (6.1.3).
    fn requests_digest(&self) -> Option<Digest> {
        let line = |(name, digest): (&Name, &Digest)| format!("{digest} {name}\n");
        let lines: String = self.requests.iter().map(line).collect();
        (!lines.is_empty()).then(|| Digest::of(lines.as_bytes()))
    }
}

/// A certificate that is revoked by this ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRevocation {
    /// Which.
    pub certificate: Name,
    /// When and why.
    pub revoked: Revoked,
}

/// A token with copies that takes the place of the lost root token (5.7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRecovery {
    /// Its name among the other tokens until now.
    pub token: Name,
    /// What became of the lost one.
    pub lost: String,
}

/// What the ledger knows of a key that exists already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Its public half.
    pub public: PublicKey,
    /// CKA_ID.
    pub id: Octets,
}

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is made in this ceremony.
    Here,
    /// It was made in one before.
    Before,
}

/// A key that this ceremony makes or finds on the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedKey {
    /// The plan's name; `audit` for the audit key.
    pub name: Name,
    /// What it is for.
    pub usage: RehearsalUse,
    /// The curve.
    pub curve: Curve,
    /// The generation, from 1: the plan's `g1` is generation 1.
    pub generation: u8,
    /// Whether and how it may be backed up (CP/CPS 6.2.4).
    pub backup: Backup,
    /// Where it comes from.
    pub origin: Origin,
}

/// A CRL of the batch, with its slot in the numbering.
#[derive(Debug, Clone)]
pub struct PlannedCrl {
    /// What will be signed.
    pub crl: ToBeSignedCrl,
    /// Its place among (day, generation), from 0.
    pub slot: u16,
    /// When the one after it is planned to be released (CP/CPS 7.2.2 次の更新予定日).
    pub next_release: Instant,
}

/// The place of an operation. Had only by pushing one onto a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(usize);

impl OpId {
    /// The number that the script shows, from 1.
    #[must_use]
    pub const fn number(self) -> usize {
        self.0 + 1
    }

    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

/// One operation: one request, one answer, one pair of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// Where it stands.
    pub id: OpId,
    /// Its name in the graph, the script and the transcript.
    pub name: String,
    /// What is done.
    pub act: Act,
    /// Who does it, or stands by: every duty must be met.
    pub by: Vec<Duty>,
    /// The sections of the CP/CPS that ask for it.
    pub section: String,
    /// Whether people note the head of the record after it, and nothing goes on before they say so.
    /// A resumed session is compared with the last one.
    pub noted: bool,
}

/// A number of people of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// The role.
    pub role: Name,
    /// The participants who hold it and may meet this duty.
    pub persons: Vec<Name>,
    /// How many of them are needed.
    pub at_least: usize,
}

impl Graph {
    /// The graph's id: SHA-256 over its canonical text.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.whole.as_ref().map_or(Digest::of(b""), |(_, id)| *id)
    }

    /// The canonical text, whose digest is the graph's id.
    #[must_use]
    pub fn text(&self) -> &str {
        self.whole.as_ref().map_or("", |(text, _)| text)
    }

    /// No operation is pushed any more: what is reviewed is fixed.
    pub(crate) fn close(mut self) -> Self {
        self.place_heads();
        let text = self.write();
        let id = Digest::of_parts("gishiki graph v1", &[text.as_bytes()]);
        self.whole = Some((text, id));
        self
    }

    /// After every key, copy, destruction and decision, and after every run of sheets, which is
    /// broken where it is longer than the policy has it.
    fn place_heads(&mut self) {
        let most = self.demands.sheets_per_head;
        let signs: Vec<bool> =
            self.ops.iter().map(|op| matches!(op.act, Act::Token(TokenAct::Sign(_)))).collect();
        let follows = signs.iter().skip(1).copied().chain([false]);
        let mut sheets = 0;
        for ((op, is_sheet), more) in self.ops.iter_mut().zip(&signs).zip(follows) {
            sheets = if *is_sheet { sheets + 1 } else { 0 };
            op.noted = if *is_sheet { !more || sheets >= most } else { op.act.is_noted() };
            if op.noted {
                sheets = 0;
            }
        }
    }

    /// The ceremony's name.
    #[must_use]
    pub const fn ceremony(&self) -> &Name {
        &self.ceremony
    }

    /// The CA's name in the file system, such as `mdoc-root`.
    #[must_use]
    pub const fn ca(&self) -> &Name {
        &self.ca
    }

    /// The ceremony's place in the ledger.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// When the ceremony may take place.
    #[must_use]
    pub const fn window(&self) -> (Instant, Instant) {
        self.window
    }

    /// The exceptions from rules that this plan was granted, a line each.
    #[must_use]
    pub fn exceptions(&self) -> &[String] {
        &self.exceptions
    }

    /// How many certificates and how many CRLs are signed.
    #[must_use]
    pub const fn structures(&self) -> (usize, usize) {
        (self.certificates.len(), self.crls.len())
    }

    /// The other tokens that take part, by name.
    pub fn spares(&self) -> impl Iterator<Item = &Name> {
        self.spares.keys()
    }

    /// The operations in execution order.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The participants.
    #[must_use]
    pub const fn people(&self) -> &BTreeMap<Name, Person> {
        &self.people
    }

    /// The operation with this name.
    #[must_use]
    pub fn op(&self, name: &str) -> Option<&Op> {
        self.ops.iter().find(|op| op.name == name)
    }

    /// The key with this name.
    #[must_use]
    pub fn key(&self, name: &Name) -> Option<&PlannedKey> {
        self.keys.iter().find(|key| &key.name == name)
    }

    /// The profile of a certificate.
    #[must_use]
    pub fn profile_of(&self, certificate: &Name) -> ProfileName {
        self.profiles.get(certificate).copied().unwrap_or(ProfileName::Root)
    }

    /// The public keys that exist before the ceremony begins.
    #[must_use]
    pub fn known_keys(&self) -> BTreeMap<Name, PublicKey> {
        self.known.iter().map(|(name, key)| (name.clone(), key.public.clone())).collect()
    }

    /// The audit key.
    #[must_use]
    pub fn audit_key(&self) -> Option<&PlannedKey> {
        self.keys.iter().find(|key| key.usage == RehearsalUse::Audit)
    }

    /// The label of the ledger head on the token.
    #[must_use]
    pub fn head_label(&self) -> String {
        self.label_of("ledger head")
    }

    /// CKA_LABEL of a key of this CA with this name, whichever ceremony made it or was to.
    #[must_use]
    pub fn key_label(&self, key: &Name) -> String {
        self.label_of(key.as_str())
    }

    /// How the label of everything of this CA on a token begins, with what stands behind it.
    pub(crate) fn label_of(&self, what: &str) -> String {
        format!("{} {what}", self.ca)
    }

    /// The name of a structure: also its file's name without the ending.
    #[must_use]
    pub fn item_name(&self, item: Item) -> Option<&Name> {
        match item {
            Item::Certificate(i) => self.certificates.get(i).map(|c| &c.name),
            Item::Crl(i) => self.crls.get(i).map(|c| &c.crl.name),
        }
    }

    /// The structure's octets to be signed at this attempt, with these public keys in its holes.
    pub fn to_be_signed(
        &self,
        item: Item,
        attempt: u32,
        keys: &BTreeMap<Name, PublicKey>,
    ) -> Result<Vec<u8>, EncodeError> {
        match item {
            Item::Certificate(i) => {
                let certificate = self.certificates.get(i).ok_or(EncodeError::NoStructure)?;
                certificate.to_der(&self.serial(&certificate.name, attempt), keys)
            }
            Item::Crl(i) => {
                let planned = self.crls.get(i).ok_or(EncodeError::NoStructure)?;
                planned.crl.to_der(self.crl_number(planned.slot, attempt), keys)
            }
        }
    }

    /// The serial number of a certificate at this attempt (see [`serial::certificate`]).
    #[must_use]
    pub fn serial(&self, certificate: &Name, attempt: u32) -> [u8; 20] {
        serial::certificate(&self.seed, self.ca_name.der(), certificate, attempt)
    }

    /// The number of a CRL: sequence · 2¹⁶ + slot · 2⁴ + attempt.
    #[must_use]
    pub fn crl_number(&self, slot: u16, attempt: u32) -> u64 {
        (u64::from(self.sequence) << 16) + (u64::from(slot) << 4) + u64::from(attempt & 15)
    }

    pub(crate) fn push(&mut self, name: String, act: Act, by: Vec<Duty>, section: &str) {
        let id = OpId(self.ops.len());
        self.ops.push(Op { id, name, act, by, section: section.to_string(), noted: false });
    }
}
