//! The compiled plan: every operation of a ceremony, in the order in which it is executed.
//!
//! The graph asks; the room answers. It is what people review, sign and hold as a script, and what
//! the run walks. Whatever a token will supply stands in it by name, `«g1.public»`, so the
//! rehearsed and the real graph have one id.
//!
//! **Invariants.** Only [`compile`](crate::compile::compile) makes a [`Graph`]. An [`OpId`] is had
//! only by pushing an operation, so there is no cycle and no dangling input. **Deliberately
//! absent:** attempts, answers, times of events.

mod key;
mod text;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::hex::{Digest, Octets};
use crate::key::{Curve, PublicKey};
use crate::ledger::Revoked;
use crate::name::Name;
use crate::plan::{ApplicationKind, Order, ProfileName};
use crate::policy::{Backup, HeadOn};
use crate::rehearsal::RehearsalUse;
use crate::serial;
use crate::time::{Day, Instant};
use crate::x509::{DirectoryName, EncodeError, ToBeSignedCertificate, ToBeSignedCrl};

/// How many neighbours under one key are signed as one operation.
pub const SHEET: usize = 64;

/// The compiled plan.
#[derive(Debug, Clone)]
pub struct Graph {
    pub(crate) ca: Name,
    pub(crate) ca_name: DirectoryName,
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
    pub(crate) released: Vec<Name>,
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
    /// One digest for all the requests: what is read in the room (6.1.3).
    #[must_use]
    pub fn requests_digest(&self) -> Option<Digest> {
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

/// What is done in an operation. Closed: a new act breaks the build wherever it must be thought of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// People: a participant enters the room (5.2.1.8).
    Entry {
        /// Who enters.
        person: Name,
    },
    /// People: everyone of a role is present and identified (5.2.3).
    RollCall {
        /// The role called.
        role: Name,
    },
    /// People: the ids on the signed script are read to the machine.
    Papers,
    /// People: the machine's clock is compared with a reference (6.8).
    Clock,
    /// Token: which token is this?
    Identify,
    /// People: the activation data and the second factor are brought together (6.2.8).
    Activate,
    /// Token: log in.
    Login,
    /// Token: what is on it? (6.2.1.1: dedicated)
    Inventory,
    /// Token: which ledger head is on it?
    ReadHead,
    /// People: an application is compared with its paper, and approved (4.2.2, 6.1.3).
    Application {
        /// Which.
        application: Name,
    },
    /// People: CA managers judge a root key to be compromised (5.2.1.1, 5.7.3).
    Compromise {
        /// Which key.
        key: Name,
    },
    /// People: something is ordered to stop or to go on (5.7.3).
    Order {
        /// What.
        order: Order,
    },
    /// People: the unreleased rest of an older batch of CRLs is ordered to be destroyed (4.9.7).
    Supersede {
        /// The ceremony that made it.
        ceremony: Name,
    },
    /// People: CA managers approve the destruction of a root key (6.2.10.1).
    ApproveDestruction {
        /// Which key.
        key: Name,
        /// Of which organisation.
        organization: Name,
    },
    /// Token: destroy a key pair, and see in a fresh session that it is gone.
    Destroy {
        /// Which key.
        key: Name,
    },
    /// Token: make a key pair.
    Generate {
        /// Which.
        key: Name,
    },
    /// Token: the audit key signs the transcript's head, its first signature.
    SignHead,
    /// Token, negative: reading the private value must fail.
    ReadValue {
        /// Which key.
        key: Name,
    },
    /// Token, negative: wrapping under an ordinary key must fail.
    Wrap {
        /// Which key.
        key: Name,
    },
    /// Token: sign a sheet of neighbours under one key.
    Sign(Sheet),
    /// People: the fingerprint of a root certificate is read aloud (6.1.4).
    Fingerprint {
        /// Which certificate.
        certificate: Name,
    },
    /// People: a CA manager approves that the work is completed (5.2.1.1).
    Complete {
        /// Of which organisation.
        organization: Name,
    },
    /// Token: write the ledger head.
    WriteHead,
    /// Token: the audit key seals the transcript. Its Asked is the event Closed.
    Seal,
    /// People, after the seal: a certificate is handed over, which is the notice of its issue
    /// (4.3.3).
    HandOver {
        /// Which.
        certificate: Name,
    },
    /// Token, after the seal: log out.
    Logout,
    /// People, after the seal: HSM and server are shut down, power is off (6.2.9).
    Deactivate,
    /// People, after the seal: the words of the anchor are read aloud and written down.
    AnchorWords,
    /// People, after the seal: a participant leaves the room (5.2.1.8).
    Exit {
        /// Who leaves.
        person: Name,
    },
}

/// Neighbours under one key that are signed as one operation and share their attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The signing key.
    pub key: Name,
    /// What is signed, in order.
    pub items: Vec<Item>,
}

/// A structure of the graph, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// In the list of certificates.
    Certificate(usize),
    /// In the list of CRLs.
    Crl(usize),
}

/// When in a ceremony an act has its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Once, before everything.
    Entry,
    /// At the beginning, and again in every session after an interruption.
    Opening,
    /// Once.
    Work,
    /// The seal.
    Seal,
    /// After the seal, in the postscript.
    Postscript,
}

impl Act {
    /// When this act has its place.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match self {
            Self::Entry { .. } => Phase::Entry,
            Self::RollCall { .. }
            | Self::Papers
            | Self::Clock
            | Self::Identify
            | Self::Activate
            | Self::Login
            | Self::Inventory
            | Self::ReadHead => Phase::Opening,
            Self::Application { .. }
            | Self::Compromise { .. }
            | Self::Order { .. }
            | Self::Supersede { .. }
            | Self::ApproveDestruction { .. }
            | Self::Destroy { .. }
            | Self::Generate { .. }
            | Self::SignHead
            | Self::ReadValue { .. }
            | Self::Wrap { .. }
            | Self::Sign(_)
            | Self::Fingerprint { .. }
            | Self::Complete { .. }
            | Self::WriteHead => Phase::Work,
            Self::Seal => Phase::Seal,
            Self::HandOver { .. }
            | Self::Logout
            | Self::Deactivate
            | Self::AnchorWords
            | Self::Exit { .. } => Phase::Postscript,
        }
    }

    /// Whether people answer (otherwise the token does).
    #[must_use]
    pub const fn is_of_people(&self) -> bool {
        match self {
            Self::Entry { .. }
            | Self::RollCall { .. }
            | Self::Papers
            | Self::Clock
            | Self::Activate
            | Self::Fingerprint { .. }
            | Self::Complete { .. }
            | Self::Application { .. }
            | Self::Compromise { .. }
            | Self::Order { .. }
            | Self::Supersede { .. }
            | Self::ApproveDestruction { .. }
            | Self::HandOver { .. }
            | Self::Deactivate
            | Self::AnchorWords
            | Self::Exit { .. } => true,
            Self::Identify
            | Self::Login
            | Self::Inventory
            | Self::ReadHead
            | Self::Destroy { .. }
            | Self::Generate { .. }
            | Self::SignHead
            | Self::ReadValue { .. }
            | Self::Wrap { .. }
            | Self::Sign(_)
            | Self::WriteHead
            | Self::Seal
            | Self::Logout => false,
        }
    }

    /// Whether people note the head of the record after it: what a resumed session is compared
    /// with.
    #[must_use]
    pub const fn is_noted(&self) -> bool {
        matches!(
            self,
            Self::Generate { .. } | Self::SignHead | Self::Sign(_) | Self::Destroy { .. }
        )
    }

    /// The act's kind, as graph and script write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Entry { .. } => "entry",
            Self::RollCall { .. } => "roll-call",
            Self::Papers => "papers",
            Self::Clock => "clock",
            Self::Identify => "identify",
            Self::Activate => "activate",
            Self::Login => "login",
            Self::Inventory => "inventory",
            Self::ReadHead => "read-head",
            Self::Application { .. } => "application",
            Self::Compromise { .. } => "compromise",
            Self::Order { .. } => "order",
            Self::Supersede { .. } => "supersede",
            Self::ApproveDestruction { .. } => "approve-destruction",
            Self::Destroy { .. } => "destroy",
            Self::HandOver { .. } => "hand-over",
            Self::Generate { .. } => "generate",
            Self::SignHead => "sign-head",
            Self::ReadValue { .. } => "read-value",
            Self::Wrap { .. } => "wrap",
            Self::Sign(_) => "sign",
            Self::Fingerprint { .. } => "fingerprint",
            Self::Complete { .. } => "complete",
            Self::WriteHead => "write-head",
            Self::Seal => "seal",
            Self::Logout => "logout",
            Self::Deactivate => "deactivate",
            Self::AnchorWords => "anchor-words",
            Self::Exit { .. } => "exit",
        }
    }
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
        let text = self.write();
        let id = Digest::of_parts("gishiki graph v1", &[text.as_bytes()]);
        self.whole = Some((text, id));
        self
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

    /// How many certificates and how many CRLs are signed.
    #[must_use]
    pub const fn structures(&self) -> (usize, usize) {
        (self.certificates.len(), self.crls.len())
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
        format!("{} ledger head", self.ca)
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
        serial::certificate(&self.seed, &self.ca_name.to_der(), certificate, attempt)
    }

    /// The number of a CRL: sequence · 2¹⁶ + slot · 2⁴ + attempt.
    #[must_use]
    pub fn crl_number(&self, slot: u16, attempt: u32) -> u64 {
        (u64::from(self.sequence) << 16) + (u64::from(slot) << 4) + u64::from(attempt & 15)
    }

    pub(crate) fn push(&mut self, name: String, act: Act, by: Vec<Duty>, section: &str) {
        let id = OpId(self.ops.len());
        self.ops.push(Op { id, name, act, by, section: section.to_string() });
    }
}
