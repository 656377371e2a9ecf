//! The compiled plan: every operation of a ceremony, in execution order.
//!
//! The graph is what people review, sign and hold as a script, and what the run executes. A value
//! that a token will supply is written as a named hole, such as `«g1.public»`, so the rehearsed and
//! the real ceremony have the same graph id.
//!
//! **Invariants.** Only [`compile`](crate::compile::compile) makes a [`Graph`]. An [`OpId`] can
//! only be obtained by pushing an operation, so there is no cycle and no reference to a missing
//! operation. **Deliberately absent:** attempts, answers, times of events.

mod act;
mod decided;
mod key;
mod people;
mod text;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use act::{Act, Item, PeopleAct, Phase, Sheet, TokenAct};
pub use decided::{ground_said, order_said};
pub(crate) use people::Signers;
pub use people::{Duty, Person};

use crate::hex::{Digest, Octets};
use crate::key::{Curve, PublicKey};
use crate::language::{Bilingual, Language};
use crate::ledger::{Addresses, Revoked};
use crate::name::Name;
use crate::plan::{ApplicationKind, Order, ProfileName};
use crate::policy::{Backup, HeadOn};
use crate::record::Mode;
use crate::rehearsal::RehearsalUse;
use crate::rule::RuleId;
use crate::serial;
use crate::time::{Day, Instant, Offset};
use crate::token::Attribute;
use crate::x509::{DirectoryName, EncodeError, ToBeSignedCertificate, ToBeSignedCrl};

/// The largest number of structures under one key that are signed as one operation.
pub const SHEET: usize = 64;

/// The compiled plan.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) ca: Name,
    pub(crate) ca_name: DirectoryName,
    /// The addresses in the CA's certificates; the structures in the canonical text show them.
    pub(crate) addresses: Addresses,
    pub(crate) ceremony: Name,
    pub(crate) after: Option<Name>,
    pub(crate) sequence: u32,
    pub(crate) window: (Instant, Instant),
    pub(crate) seed: [u8; 32],
    /// How it is held. It is not in the graph's text: what is done is the same in every mode, and
    /// only the serial numbers differ, which are values of holes.
    pub(crate) mode: Mode,
    /// The languages of the CA's documents.
    pub(crate) languages: Vec<Language>,
    pub(crate) exceptions: Vec<Bilingual>,
    /// The clauses that the CP/CPS gives its rules, for verdicts. They are not in the graph's text.
    pub(crate) clauses: BTreeMap<RuleId, String>,
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
    /// The plan's written reasons for its keys, copies, compromises and destructions, a line each.
    /// People compare them with the papers.
    pub(crate) reasons: Vec<Written>,
    pub(crate) released: Vec<Name>,
    pub(crate) recovery: Option<PlannedRecovery>,
    /// The root keys that are declared lost, each with what became of its token.
    pub(crate) lost: BTreeMap<Name, String>,
    /// The certificate that each new one renews. It is not in the graph's text, but in the plan.
    pub(crate) renewals: BTreeMap<Name, Name>,
    /// SHA-256 of the previous ceremony's journal, if that ceremony could not be sealed.
    pub(crate) abandoned: Option<Digest>,
    /// The other tokens that take part, with the keys that they hold before the ceremony.
    pub(crate) spares: BTreeMap<Name, BTreeSet<Name>>,
    /// SHA-256 of each SubjectPublicKeyInfo that a DS certificate of this plan certifies.
    pub(crate) certified: BTreeSet<Digest>,
    pub(crate) ops: Vec<Op>,
    /// The canonical text and its digest, once the graph is whole.
    pub(crate) whole: Option<(String, Digest)>,
}

/// What the policy requires of the room and the token in every ceremony.
#[derive(Debug, Clone)]
pub struct Demands {
    /// The largest difference allowed between the machine's clock and the reference, in seconds.
    pub max_clock_offset: u32,
    /// Mechanisms that the token must offer.
    pub mechanisms: Vec<String>,
    /// Serial numbers of the tokens that are in production: never used in a drill.
    pub production_serials: Vec<String>,
    /// Where the ledger head is kept besides the papers.
    pub head_on: HeadOn,
    /// The largest number of sheets signed between two record heads that people note on paper.
    pub sheets_per_head: u32,
    /// Attributes that are left out of templates, because the module refuses them.
    pub leave_out: BTreeSet<Attribute>,
    /// Attributes that the module cannot return.
    pub not_told: BTreeSet<Attribute>,
    /// Objects that tokens of this model contain from the start: class and label.
    pub may_hold: BTreeSet<(String, String)>,
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
    /// SHA-256 of the file of each certificate signing request that belongs to it.
    pub requests: BTreeMap<Name, Digest>,
}

impl PlannedApplication {
    /// Returns its papers, whose digests are read aloud in the room, each with the rule that
    /// requires it.
    pub fn papers(&self) -> impl Iterator<Item = (RuleId, &'static str, Digest)> {
        let papers = [
            (RuleId::R_EXAMINE, "paper", Some(self.paper)),
            (RuleId::R_REVOKE, "notification", self.notification),
            (RuleId::R_CSR_INTAKE, "requests", self.requests_digest()),
        ];
        papers.into_iter().filter_map(|(rule, name, digest)| Some((rule, name, digest?)))
    }

    /// Returns one digest over all its requests (6.1.3).
    fn requests_digest(&self) -> Option<Digest> {
        let line = |(name, digest): (&Name, &Digest)| format!("{digest} {name}\n");
        let lines: String = self.requests.iter().map(line).collect();
        (!lines.is_empty()).then(|| Digest::of(lines.as_bytes()))
    }
}

/// A certificate that is revoked by this ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRevocation {
    /// The certificate.
    pub certificate: Name,
    /// The date, reason and ground of the revocation.
    pub revoked: Revoked,
}

/// A token with copies that takes the place of the lost root token (5.7.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRecovery {
    /// The token's name, under which it was a spare until now.
    pub token: Name,
    /// What became of the lost token.
    pub lost: String,
}

/// What a plan writes of its keys, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// Why a key is made before it is due.
    Key { key: Name, reason: String },
    /// The version of the emergency response plan, for a compromised key.
    ResponsePlan { key: Name, version: String },
    /// Where a copy of a key is kept.
    Copy { name: Name, key: Name, token: Name, kept: String },
    /// Why a key is destroyed.
    Destruction { key: Name, reason: String },
}

/// What the ledger knows of a key that exists already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownKey {
    /// Its public half.
    pub public: PublicKey,
    /// CKA_ID.
    pub id: Octets,
}

/// The origin of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is generated in this ceremony.
    Here,
    /// It was generated in an earlier ceremony.
    Before,
}

/// A key that this ceremony generates or uses.
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
    /// Its place in the order of days, then generations, from 0.
    pub slot: u16,
    /// When its successor is planned to be released (CP/CPS 7.2.2 次の更新予定日).
    pub next_release: Instant,
}

/// The position of an operation; obtained only by pushing an operation onto a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(usize);

impl OpId {
    /// Returns the number that the script shows, from 1.
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
    /// Its position.
    pub id: OpId,
    /// Its name in the graph, the script and the transcript.
    pub name: String,
    /// What is done.
    pub act: Act,
    /// Who does or witnesses it: every duty must be met.
    pub by: Vec<Duty>,
    /// The sections of the CP/CPS that require it.
    pub section: String,
    /// Whether those who answer it sign their answer with their cards at once. All else that they
    /// do is signed at the close.
    pub signed: bool,
    /// Whether people write the head of the record on paper after it. The ceremony continues only
    /// when they confirm this. A resumed session is compared with the last noted head.
    pub noted: bool,
}

/// An operation that is to be added to a graph.
#[derive(Debug)]
pub(crate) struct NewOp {
    pub(crate) name: String,
    pub(crate) act: Act,
    pub(crate) by: Vec<Duty>,
    pub(crate) section: String,
    pub(crate) signed: bool,
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

    /// Fixes the graph for review: no operation can be pushed afterwards.
    pub(crate) fn close(mut self) -> Self {
        self.place_heads();
        let text = self.write();
        let id = Digest::of_parts("gishiki graph v1", &[text.as_bytes()]);
        self.whole = Some((text, id));
        self
    }

    /// Marks the operations after which people note the head.
    ///
    /// These are every key, copy, destruction and decision, and the last sheet of every run of
    /// sheets. A run that is longer than the policy's `sheets-per-head` is interrupted by further
    /// heads.
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

    /// Returns the ceremony's name.
    #[must_use]
    pub const fn ceremony(&self) -> &Name {
        &self.ceremony
    }

    /// The CA's Name.
    #[must_use]
    pub const fn ca_name(&self) -> &DirectoryName {
        &self.ca_name
    }

    /// Returns the CA's name in the file system, such as `mdoc-root`.
    #[must_use]
    pub const fn ca(&self) -> &Name {
        &self.ca
    }

    /// Returns the ceremony's place in the ledger.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Returns whether it is a rehearsal, a drill or a real ceremony.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// Returns the first and the last instant at which the ceremony may take place.
    #[must_use]
    pub const fn window(&self) -> (Instant, Instant) {
        self.window
    }

    /// Returns the offset of the CA's days, in which the window stands.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        self.window.0.offset()
    }

    /// Returns the exceptions from rules that this plan was granted, a line each.
    #[must_use]
    pub fn exceptions(&self) -> &[Bilingual] {
        &self.exceptions
    }

    /// Returns how many certificates and how many CRLs are signed.
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

    /// The names of the organisations.
    #[must_use]
    pub const fn organizations(&self) -> &BTreeMap<Name, Bilingual> {
        &self.organizations
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

    /// Returns the label of the ledger head on the token.
    #[must_use]
    pub fn head_label(&self) -> String {
        self.label_of("ledger head")
    }

    /// Returns CKA_LABEL of a key of this CA, no matter which ceremony generated or planned it.
    #[must_use]
    pub fn key_label(&self, key: &Name) -> String {
        self.label_of(key.as_str())
    }

    /// Returns the label of an object of this CA on a token: the CA's prefix, then `what`.
    pub(crate) fn label_of(&self, what: &str) -> String {
        format!("{} {what}", self.ca)
    }

    /// Returns the name of a structure, which is also its file's name without the extension.
    #[must_use]
    pub fn item_name(&self, item: Item) -> Option<&Name> {
        match item {
            Item::Certificate(i) => self.certificates.get(i).map(|c| &c.name),
            Item::Crl(i) => self.crls.get(i).map(|c| &c.crl.name),
        }
    }

    /// Encodes the structure to be signed at this attempt, with these public keys in its holes.
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
        serial::certificate(&self.seed, self.mode, self.ca_name.der(), certificate, attempt)
    }

    /// Returns the keys that sign CRLs in this ceremony.
    pub(crate) fn crl_keys(&self) -> BTreeSet<&Name> {
        self.crls.iter().map(|planned| &planned.crl.issuer_key).collect()
    }

    /// The number of a CRL: sequence · 2¹⁶ + slot · 2⁴ + attempt.
    #[must_use]
    pub fn crl_number(&self, slot: u16, attempt: u32) -> u64 {
        (u64::from(self.sequence) << 16) + (u64::from(slot) << 4) + u64::from(attempt & 15)
    }

    /// Adds an operation behind the others, which gives it its number.
    pub(crate) fn push(&mut self, new: NewOp) {
        let NewOp { name, act, by, section, signed } = new;
        let id = OpId(self.ops.len());
        self.ops.push(Op { id, name, act, by, section, signed, noted: false });
    }
}
