//! The plan: one ceremony, declared: what shall exist afterwards, not what is to be done.
//!
//! Names are still names here, and every field keeps its place in the text, for messages. What a
//! plan means is said by [`compile`](crate::compile::compile). **Deliberately absent:** commands,
//! slots, PINs, and whatever the policy asks of every ceremony.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::hex;
use crate::hex::Digest;
use crate::name::Name;
use crate::rehearsal::GENERATIONS;
use crate::rule::RuleId;
use crate::text;
use crate::time::{Day, Instant};
use crate::violation::{Input, Violation};
use crate::x509::Reason;

/// `plan.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plan {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The ceremony's name, unique in its CA.
    pub ceremony: Spanned<Name>,
    /// The ceremony before, or `nothing`.
    pub after: Spanned<After>,
    /// When it may take place.
    pub window: Spanned<Window>,
    /// 256 bits from a CSPRNG, from which serial numbers and CKA_IDs are derived.
    pub serials: Spanned<Seed>,
    /// Above every sequence in the ledger.
    pub sequence: Spanned<u32>,
    /// Who takes part, by the roster's identifiers.
    pub participants: Vec<Spanned<Name>>,
    /// Keys that shall exist on the token afterwards.
    #[serde(default)]
    pub key: BTreeMap<Spanned<Name>, PlanKey>,
    /// Certificates that shall exist afterwards.
    #[serde(default)]
    pub certificate: BTreeMap<Spanned<Name>, PlanCertificate>,
    /// The batch of daily CRLs.
    pub crls: Option<Spanned<PlanCrls>>,
    /// Applications that the certificates and revocations of this plan rest on (4.1, 4.9.2).
    #[serde(default)]
    pub application: BTreeMap<Spanned<Name>, Application>,
    /// Certificates that shall be revoked.
    #[serde(default)]
    pub revocation: BTreeMap<Spanned<Name>, Revocation>,
    /// Root keys that are judged to be compromised (5.7.3).
    #[serde(default)]
    pub compromise: BTreeMap<Spanned<Name>, Compromise>,
    /// What is ordered to stop or to go on (5.7.3).
    #[serde(default)]
    pub orders: Vec<Spanned<Order>>,
    /// Copies of root keys that shall exist on other tokens (6.2.4).
    #[serde(default)]
    pub copy: BTreeMap<Spanned<Name>, Copy>,
    /// Root keys that shall not exist any more, on any token (6.2.10).
    #[serde(default)]
    pub destruction: BTreeMap<Spanned<Name>, Destruction>,
    /// The root token is lost, and one that holds copies of its keys takes its place (5.7.2).
    pub recovery: Option<Recovery>,
    /// SHA-256 of the journal of the ceremony before, where that one could not be sealed.
    pub abandoned: Option<Spanned<Digest>>,
    /// Certificates of an aborted ceremony that are handed out after all.
    #[serde(default)]
    pub release: Vec<Spanned<Name>>,
    /// Rules that this plan may break, and why.
    #[serde(default)]
    pub exception: Vec<Exception>,
}

/// What a plan comes after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// It is the CA's first ceremony.
    Nothing,
    /// This ceremony.
    Ceremony(Name),
}

/// From when until when, both included.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The first instant.
    pub from: Spanned<Instant>,
    /// The last instant.
    pub until: Spanned<Instant>,
}

/// 256 public random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

/// A key that shall exist.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanKey {
    /// What it is for.
    #[serde(rename = "use")]
    pub usage: Spanned<KeyUse>,
    /// Why it comes before its time (6.3.2).
    pub reason: Option<Spanned<String>>,
    /// The organisations whose CA managers approved that.
    #[serde(rename = "approved-by", default)]
    pub approved_by: Vec<Spanned<Name>>,
}

impl PlanKey {
    /// Whether it says why it comes before its time.
    #[must_use]
    pub fn has_reason(&self) -> bool {
        self.reason.as_ref().is_some_and(|reason| !reason.get_ref().trim().is_empty())
    }
}

/// What a planned key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUse {
    /// A root key.
    Root,
}

/// A certificate that shall exist. Which fields a profile asks for is said by the rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlanCertificate {
    /// Its profile.
    pub profile: Spanned<ProfileName>,
    /// The root key in it; of a DS certificate none, it comes from the request.
    pub key: Option<Spanned<Name>>,
    /// The root key that signs it; of a root none, it signs itself.
    pub issuer: Option<Spanned<Name>>,
    /// notBefore; of a link certificate none, it follows from the roots (7.1.2.2).
    pub not_before: Option<Spanned<Instant>>,
    /// notAfter of a DS certificate that ends before its usual time.
    pub not_after: Option<Spanned<Instant>>,
    /// The file of the certificate signing request, beside the plan.
    pub csr: Option<Spanned<String>>,
    /// SHA-256 of that file.
    pub csr_sha256: Option<Spanned<Digest>>,
    /// The application that it rests on.
    pub application: Option<Spanned<Name>>,
    /// The valid DS certificate in whose place it comes (4.7.1).
    pub renews: Option<Spanned<Name>>,
}

/// The kinds of certificate that this CA issues (1.3.1), and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileName {
    /// The self-signed certificate of a root key.
    Root,
    /// A link certificate: the old key, signed by the new one.
    OldWithNew,
    /// A link certificate: the new key, signed by the old one.
    NewWithOld,
    /// A Document Signer certificate.
    Ds,
}

impl ProfileName {
    /// As plans, graphs and states write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::OldWithNew => "old-with-new",
            Self::NewWithOld => "new-with-old",
            Self::Ds => "ds",
        }
    }
}

/// An application, as it was examined and approved before the ceremony (4.2.1, 4.2.2, 4.9.3).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Application {
    /// What is applied for.
    pub kind: Spanned<ApplicationKind>,
    /// SHA-256 of the paper.
    pub paper: Spanned<Digest>,
    /// SHA-256 of the subscriber's notification, where the ground is theirs (D25).
    pub notification: Option<Spanned<Digest>>,
    /// Who applies.
    pub by: Vec<Spanned<Name>>,
    /// When it was received.
    pub received: Spanned<Instant>,
    /// Who examined it, and when.
    pub examined: Decision,
    /// Who of 機構 agreed, and when, where a DS key is compromised (4.9.12).
    pub agreed: Option<Decision>,
    /// Who approved it, and when.
    pub approved: Decision,
}

/// What is applied for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationKind {
    /// New certificates (4.1).
    Issue,
    /// Certificates in the place of valid ones (4.7).
    Renewal,
    /// Revocations (4.9).
    Revocation,
}

impl ApplicationKind {
    /// As plans and graphs write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Renewal => "renewal",
            Self::Revocation => "revocation",
        }
    }
}

/// Who decided, and when.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Who.
    pub by: Spanned<Name>,
    /// When.
    pub at: Spanned<Instant>,
}

/// A certificate that shall be revoked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Revocation {
    /// The ground of 4.9.1.
    pub ground: Spanned<Ground>,
    /// The application that it rests on.
    pub application: Spanned<Name>,
    /// The revocation date; the beginning of the window where none is written.
    pub date: Option<Spanned<Instant>>,
}

/// The grounds of 4.9.1: three by the subscriber's application or notification, five by 機構.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// (a) The key is compromised, or it is feared.
    KeyCompromise,
    /// (b) Use stopped.
    UseStopped,
    /// (c) The certified data changed.
    DataChanged,
    /// (d) Content or purpose is not right.
    ContentWrong,
    /// (e) Breach of the CP/CPS.
    Breach,
    /// (f) The CA is terminated.
    Termination,
    /// (g) Entries are inaccurate or misleading.
    Inaccurate,
    /// (h) Held necessary by the CA manager, or who determines conformity with the policy.
    Necessary,
    /// The old certificate of a renewal (4.7.3).
    Renewal,
}

impl Ground {
    /// As plans and graphs write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyCompromise => "key-compromise",
            Self::UseStopped => "use-stopped",
            Self::DataChanged => "data-changed",
            Self::ContentWrong => "content-wrong",
            Self::Breach => "breach",
            Self::Termination => "termination",
            Self::Inaccurate => "inaccurate",
            Self::Necessary => "necessary",
            Self::Renewal => "renewal",
        }
    }

    /// The reason code that a CRL entry carries (RFC 5280 5.3.1; D20); nothing for *unspecified*.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::KeyCompromise => Some(Reason::KeyCompromise),
            Self::UseStopped | Self::Termination => Some(Reason::CessationOfOperation),
            Self::DataChanged => Some(Reason::AffiliationChanged),
            Self::ContentWrong | Self::Breach | Self::Inaccurate => {
                Some(Reason::PrivilegeWithdrawn)
            }
            Self::Necessary => None,
            Self::Renewal => Some(Reason::Superseded),
        }
    }

    /// Whether the subscriber gives it, by an application or a notification (4.9.1 (1)).
    #[must_use]
    pub const fn is_the_subscribers(self) -> bool {
        matches!(self, Self::KeyCompromise | Self::UseStopped | Self::DataChanged)
    }
}

/// A root key that is judged to be compromised (5.2.1.1, 5.7.3).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Compromise {
    /// The CA managers who judged.
    pub judged_by: Vec<Spanned<Name>>,
    /// When.
    pub judged_at: Spanned<Instant>,
    /// The version of the emergency response plan (緊急時対応計画).
    pub response_plan: Spanned<String>,
}

/// What is ordered to stop or to go on (5.7.3; D34).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// (2) The issuing of DS certificates stops.
    StopDsIssuing,
    /// (3) Applications for card-substitute records stop.
    StopApplications,
    /// The issuing of DS certificates goes on.
    ResumeDsIssuing,
    /// (6) Applications for card-substitute records go on.
    ResumeApplications,
}

impl Order {
    /// As plans, graphs and states write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StopDsIssuing => "stop-ds-issuing",
            Self::StopApplications => "stop-applications",
            Self::ResumeDsIssuing => "resume-ds-issuing",
            Self::ResumeApplications => "resume-applications",
        }
    }
}

/// A copy of a root key that shall exist on another token (6.2.4; D26).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Copy {
    /// The root key.
    pub key: Spanned<Name>,
    /// The token, by its name in plans and rooms.
    pub token: Spanned<Name>,
    /// Label, seal and place of the medium, and who keeps it (5.2.1.3, 5.1.7).
    pub kept: Spanned<String>,
}

/// A root key that shall not exist any more (6.2.10; D47).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Destruction {
    /// The organisations whose CA managers approved it.
    pub approved_by: Vec<Spanned<Name>>,
    /// Why it has no value and no duty any more.
    pub reason: Spanned<String>,
}

/// The root token is lost, and one that holds copies of its keys takes its place (5.7.2, 6.2.4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recovery {
    /// The token with the copies, by its name in plans and rooms.
    pub token: Spanned<Name>,
    /// What became of the lost token: when, how, and where what is left of it is kept.
    pub lost: Spanned<String>,
    /// The organisations whose CA managers approved it, and the audit key that is made with it.
    pub approved_by: Vec<Spanned<Name>>,
}

/// The batch of daily CRLs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlanCrls {
    /// The day of the next ceremony.
    pub next_ceremony: Spanned<Day>,
}

/// A rule that this plan may break.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exception {
    /// The rule.
    pub rule: Spanned<String>,
    /// Why.
    pub reason: Spanned<String>,
    /// Who approved it.
    pub approved_by: Vec<Spanned<Name>>,
    /// Until when it holds.
    pub until: Spanned<Instant>,
}

impl Plan {
    /// Reads `plan.toml`; the first error of its form otherwise.
    pub fn parse(octets: &[u8]) -> Result<Self, Violation> {
        let plan: Self = text::document(Input::Plan, octets)?;
        format_is_1(Input::Plan, &plan.format)?;
        Ok(plan)
    }
}

/// Formats are promises: another version is another reader's.
pub(crate) fn format_is_1(input: Input, format: &Spanned<u32>) -> Result<(), Violation> {
    if *format.get_ref() == 1 {
        return Ok(());
    }
    let found = alloc::format!("format {}", format.get_ref());
    Err(Violation::at(
        input,
        format.span(),
        RuleId::S_FORM,
        "format 1",
        &found,
        "use the gishiki that knows this format",
    ))
}

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Name::deserialize(deserializer)?;
        Ok(if name.as_str() == "nothing" { Self::Nothing } else { Self::Ceremony(name) })
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let octets = hex::decode(&text).and_then(|octets| octets.try_into().ok());
        octets
            .map(Self)
            .ok_or_else(|| D::Error::custom("64 lower-case hexadecimal digits are asked for"))
    }
}

/// The generation that a key's name says: `g1` is 1; nothing for any other name.
pub(crate) fn generation(key: &Name) -> Option<u8> {
    let number: u8 = key.as_str().strip_prefix('g')?.parse().ok()?;
    let plain = format!("g{number}") == key.as_str();
    (plain && (1..=GENERATIONS).contains(&number)).then_some(number)
}
