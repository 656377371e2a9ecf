//! The compiled plan: every operation of a ceremony, in the order in which it is executed.
//!
//! The graph asks; the room answers. It is what people review, sign and hold as a script, and what the run walks.
//! Whatever a token will supply stands in it by name, `«g1.public»`, so the rehearsed and the real graph have one id.
//!
//! **Invariants.** Only [`compile`](crate::compile::compile) makes a [`Graph`]. An [`OpId`] is had only by pushing an
//! operation, so there is no cycle and no dangling input. **Deliberately absent:** attempts, answers, times of events.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::hex::{Digest, Octets};
use crate::key::{Curve, PublicKey};
use crate::name::Name;
use crate::policy::{Backup, HeadOn};
use crate::rehearsal::{RehearsalKey, RehearsalUse};
use crate::serial;
use crate::time::Instant;
use crate::token::{Attribute, KeyTemplate};
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
    pub(crate) certificates: Vec<ToBeSignedCertificate>,
    pub(crate) crls: Vec<PlannedCrl>,
    pub(crate) ops: Vec<Op>,
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

/// A key that shall exist on the token afterwards.
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
            | Self::Inventory => Phase::Opening,
            Self::Generate { .. }
            | Self::SignHead
            | Self::ReadValue { .. }
            | Self::Wrap { .. }
            | Self::Sign(_)
            | Self::Fingerprint { .. }
            | Self::Complete { .. }
            | Self::WriteHead => Phase::Work,
            Self::Seal => Phase::Seal,
            Self::Logout | Self::Deactivate | Self::AnchorWords | Self::Exit { .. } => {
                Phase::Postscript
            }
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
            | Self::Deactivate
            | Self::AnchorWords
            | Self::Exit { .. } => true,
            Self::Identify
            | Self::Login
            | Self::Inventory
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

impl PlannedKey {
    /// CKA_ID of this attempt (see [`serial::key_id`]).
    #[must_use]
    pub fn id(&self, graph: &Graph, attempt: u32) -> Octets {
        Octets(serial::key_id(&graph.seed, &self.name, attempt).to_vec())
    }

    /// The key pair as the token is asked to make it: every attribute is said (CP/CPS 6.2.1.1, 6.2.6).
    #[must_use]
    pub fn template(&self, graph: &Graph, attempt: u32) -> KeyTemplate {
        let private = private_attributes(self.backup);
        let mut expected_private = private.clone();
        let extractable = self.backup == Backup::WrapTrusted;
        expected_private.extend([
            (Attribute::AlwaysSensitive, true),
            (Attribute::NeverExtractable, !extractable),
            (Attribute::Local, true),
        ]);
        KeyTemplate {
            id: self.id(graph, attempt),
            label: self.label(graph),
            curve: self.curve,
            private,
            public: public_attributes(),
            expected_private,
            rehearsal: self.rehearsal(graph, attempt),
        }
    }

    /// CKA_LABEL of both objects.
    #[must_use]
    pub fn label(&self, graph: &Graph) -> String {
        format!("{} {}", graph.ca, self.name)
    }

    /// The derived key that stands in for this one in a rehearsal.
    #[must_use]
    pub fn rehearsal(&self, graph: &Graph, attempt: u32) -> RehearsalKey {
        RehearsalKey {
            ca: graph.ca_name.to_der(),
            usage: self.usage,
            generation: self.generation,
            attempt: u8::try_from(attempt).unwrap_or(u8::MAX),
            curve: self.curve,
        }
    }
}

fn private_attributes(backup: Backup) -> BTreeMap<Attribute, bool> {
    let extractable = backup == Backup::WrapTrusted;
    BTreeMap::from([
        (Attribute::Token, true),
        (Attribute::Private, true),
        (Attribute::Modifiable, false),
        (Attribute::Sensitive, true),
        (Attribute::Extractable, extractable),
        (Attribute::WrapWithTrusted, extractable),
        (Attribute::Sign, true),
        (Attribute::SignRecover, false),
        (Attribute::Decrypt, false),
        (Attribute::Unwrap, false),
        (Attribute::Derive, false),
    ])
}

fn public_attributes() -> BTreeMap<Attribute, bool> {
    BTreeMap::from([
        (Attribute::Token, true),
        (Attribute::Private, false),
        (Attribute::Modifiable, false),
        (Attribute::Verify, true),
        (Attribute::VerifyRecover, false),
        (Attribute::Encrypt, false),
        (Attribute::Wrap, false),
        (Attribute::Derive, false),
    ])
}

impl Graph {
    /// The graph's id: SHA-256 over its canonical text.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of_parts("gishiki graph v1", &[self.text().as_bytes()])
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

    /// The canonical text, whose digest is the graph's id.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::from("gishiki graph v1\n\n");
        let after = self.after.as_ref().map_or("nothing", Name::as_str);
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line(format!("ca        {}", self.ca));
        line(format!("name      {}", self.ca_name));
        line(format!("ceremony  {}", self.ceremony));
        line(format!("after     {after}"));
        line(format!("sequence  {}", self.sequence));
        line(format!("window    {} until {}", self.window.0, self.window.1));
        line(format!("clock     at most {} s from the reference", self.demands.max_clock_offset));
        line(format!("head on   {}", self.demands.head_on.name()));
        line(format!("needs     {}", self.demands.mechanisms.join(", ")));
        line(format!("never in a drill: {}", or_none(&self.demands.production_serials)));
        for exception in &self.exceptions {
            line(format!("exception {exception}"));
        }
        self.write_people(&mut out);
        self.write_keys(&mut out);
        self.write_structures(&mut out);
        self.write_operations(&mut out);
        out
    }

    fn write_people(&self, out: &mut String) {
        out.push_str("\n# people\n\n");
        for (id, person) in &self.people {
            let roles: Vec<&str> = person.roles.iter().map(Name::as_str).collect();
            let _ = writeln!(
                out,
                "{id:<6} {} / {}, {}: {}",
                person.name.en,
                person.name.ja,
                person.organization,
                roles.join(", ")
            );
        }
    }

    fn write_keys(&self, out: &mut String) {
        out.push_str("\n# keys\n");
        for key in &self.keys {
            let template = key.template(self, 0);
            let name = &key.name;
            let _ =
                writeln!(out, "\nkey {name}: {}, generation {}", key.curve.name(), key.generation);
            let _ = writeln!(out, "  CKA_LABEL  {}", template.label);
            let _ = writeln!(out, "  CKA_ID     «{name}.id» (20)");
            let _ = writeln!(out, "  point      «{name}.public» ({})", key.curve.point_octets());
            let _ = writeln!(out, "  private    {}", attributes(&template.expected_private));
            let _ = writeln!(out, "  public     {}", attributes(&template.public));
        }
    }

    fn write_structures(&self, out: &mut String) {
        out.push_str("\n# to be signed\n");
        for certificate in &self.certificates {
            let _ = writeln!(out, "\ncertificate {}", certificate.name);
            for line in certificate.lines() {
                let _ = writeln!(out, "  {line}");
            }
        }
        if let Some(first) = self.crls.first() {
            let common: Vec<String> = first
                .crl
                .lines()
                .into_iter()
                .filter(|line| self.crls.iter().all(|c| c.crl.lines().contains(line)))
                .collect();
            let _ = writeln!(out, "\ncrls: {}, each with", self.crls.len());
            for line in &common {
                let _ = writeln!(out, "  {line}");
            }
            for planned in &self.crls {
                let own: Vec<String> =
                    planned.crl.lines().into_iter().filter(|line| !common.contains(line)).collect();
                let _ = writeln!(
                    out,
                    "crl {} (slot {}): {}; next release {}",
                    planned.crl.name,
                    planned.slot,
                    own.join("; "),
                    planned.next_release
                );
            }
        }
    }

    fn write_operations(&self, out: &mut String) {
        out.push_str("\n# operations\n\n");
        for op in &self.ops {
            let _ = write!(out, "{:03} {}", op.id.number(), op.name);
            if let Act::Sign(sheet) = &op.act {
                let names: Vec<&str> = [sheet.items.first(), sheet.items.last()]
                    .into_iter()
                    .flatten()
                    .filter_map(|item| self.item_name(*item).map(Name::as_str))
                    .collect();
                let _ = write!(
                    out,
                    ": {} under {}, {}",
                    sheet.items.len(),
                    sheet.key,
                    names.join(" … ")
                );
            }
            let _ = write!(out, " [{}]", op.section);
            let duties: Vec<String> = op
                .by
                .iter()
                .map(|duty| {
                    let persons: Vec<&str> = duty.persons.iter().map(Name::as_str).collect();
                    format!("{} {} of {}", duty.at_least, duty.role, persons.join(" "))
                })
                .collect();
            let _ = writeln!(out, " by {}", or_none(&duties));
        }
    }
}

fn or_none(items: &[String]) -> String {
    if items.is_empty() { String::from("none") } else { items.join(", ") }
}

fn attributes(attributes: &BTreeMap<Attribute, bool>) -> String {
    let said: Vec<String> = attributes
        .iter()
        .map(|(attribute, value)| format!("{}{}", if *value { '+' } else { '-' }, attribute.name()))
        .collect();
    said.join(" ")
}
