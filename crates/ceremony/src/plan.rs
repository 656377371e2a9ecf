//! The plan: the declaration of one ceremony. It says what shall exist afterwards, not what is
//! done.
//!
//! Names are not resolved yet, and every field keeps its position in the text for messages.
//! [`compile`](crate::compile::compile) determines what a plan means. **Deliberately absent:**
//! commands, slots, PINs, and whatever the policy requires of every ceremony.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::hex;
use crate::hex::Digest;
use crate::language::Bilingual;
use crate::name::Name;
use crate::rehearsal::GENERATIONS;
use crate::says;
use crate::text;
use crate::time::{Day, Instant};
use crate::violation::{Input, Violation};
use crate::x509::Reason;

/// A plan as read from `plan.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plan {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The ceremony's name, unique in its CA.
    pub ceremony: Spanned<Name>,
    /// The ceremony that it follows, or `nothing`.
    pub after: Spanned<After>,
    /// When it may take place.
    pub window: Spanned<Window>,
    /// 256 bits from a CSPRNG, from which serial numbers and CKA_IDs are derived.
    pub serials: Spanned<Seed>,
    /// The ceremony's sequence number, above every one in the ledger.
    pub sequence: Spanned<u32>,
    /// Who takes part, by the roster's identifiers.
    pub participants: Vec<Spanned<Name>>,
    /// Who may come besides them, so that somebody who cannot come changes no plan.
    #[serde(default)]
    pub reserves: Vec<Spanned<Name>>,
    /// Keys that shall exist on the token afterwards.
    #[serde(default)]
    pub key: BTreeMap<Spanned<Name>, PlanKey>,
    /// Certificates that shall exist afterwards.
    #[serde(default)]
    pub certificate: BTreeMap<Spanned<Name>, PlanCertificate>,
    /// The batch of daily CRLs.
    pub crls: Option<Spanned<PlanCrls>>,
    /// Applications on which the certificates and revocations of this plan are based (4.1, 4.9.2).
    #[serde(default)]
    pub application: BTreeMap<Spanned<Name>, Application>,
    /// Certificates that shall be revoked.
    #[serde(default)]
    pub revocation: BTreeMap<Spanned<Name>, Revocation>,
    /// Root keys that are judged to be compromised (5.7.3).
    #[serde(default)]
    pub compromise: BTreeMap<Spanned<Name>, Compromise>,
    /// Orders to stop or resume something (5.7.3).
    #[serde(default)]
    pub orders: Vec<Spanned<Order>>,
    /// Copies of root keys that shall exist on other tokens (6.2.4).
    #[serde(default)]
    pub copy: BTreeMap<Spanned<Name>, Copy>,
    /// Root keys that shall no longer exist on any token (6.2.10).
    #[serde(default)]
    pub destruction: BTreeMap<Spanned<Name>, Destruction>,
    /// The replacement of the lost root token by a token that holds copies of its keys (5.7.2).
    pub recovery: Option<Recovery>,
    /// Root keys that were lost with their only token (5.7.2).
    #[serde(default)]
    pub lost: BTreeMap<Spanned<Name>, Loss>,
    /// SHA-256 of the previous ceremony's journal, if that ceremony could not be sealed.
    pub abandoned: Option<Spanned<Digest>>,
    /// Withheld certificates of an aborted ceremony that are handed out after all.
    #[serde(default)]
    pub release: Vec<Spanned<Name>>,
    /// Rules that this plan may break, and why.
    #[serde(default)]
    pub exception: Vec<Exception>,
}

impl Plan {
    /// Everybody who may come: those who take part, then the reserves.
    pub fn may_come(&self) -> impl Iterator<Item = &Spanned<Name>> {
        self.participants.iter().chain(&self.reserves)
    }
}

/// What a plan follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing: it is the CA's first ceremony.
    Nothing,
    /// This ceremony.
    Ceremony(Name),
}

/// The time in which a ceremony may take place, both ends included.
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
    /// Why it is generated before its time (6.3.2).
    pub reason: Option<Spanned<String>>,
    /// The organisations whose CA managers approved this.
    #[serde(rename = "approved-by", default)]
    pub approved_by: Vec<Spanned<Name>>,
}

impl PlanKey {
    /// Whether it states a reason for being generated early.
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

/// A certificate that shall exist. The rules say which fields each profile requires.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlanCertificate {
    /// Its profile.
    pub profile: Spanned<ProfileName>,
    /// The root key in it; absent for a DS certificate, whose key comes from the request.
    pub key: Option<Spanned<Name>>,
    /// The root key that signs it; absent for a root certificate, which signs itself.
    pub issuer: Option<Spanned<Name>>,
    /// notBefore; absent for a link certificate, for which it follows from the roots (7.1.2.2).
    pub not_before: Option<Spanned<Instant>>,
    /// notAfter, if a DS certificate ends before its usual time.
    pub not_after: Option<Spanned<Instant>>,
    /// The file of the certificate signing request, beside the plan.
    pub csr: Option<Spanned<String>>,
    /// SHA-256 of that file.
    pub csr_sha256: Option<Spanned<Digest>>,
    /// The application on which it is based.
    pub application: Option<Spanned<Name>>,
    /// The valid DS certificate that it renews (4.7.1).
    pub renews: Option<Spanned<Name>>,
}

/// A kind of certificate that this CA issues (1.3.1); it issues no other.
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
    /// Says for people which kind of certificate it is.
    #[must_use]
    pub fn said(self) -> Bilingual {
        let name = self.name();
        match self {
            Self::Root => says!("ルート", "{name}"),
            Self::OldWithNew => says!("リンク(旧鍵に新鍵で署名)", "{name}"),
            Self::NewWithOld => says!("リンク(新鍵に旧鍵で署名)", "{name}"),
            Self::Ds => says!("DS", "{name}"),
        }
    }

    /// Returns the profile's name in plans, graphs and states.
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
    /// SHA-256 of the subscriber's notification, if the ground is the subscriber's (D25).
    pub notification: Option<Spanned<Digest>>,
    /// Who applies.
    pub by: Vec<Spanned<Name>>,
    /// When it was received.
    pub received: Spanned<Instant>,
    /// Who examined it, and when.
    pub examined: Decision,
    /// The decision by which 機構 agreed, if a DS key is compromised (4.9.12).
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
    /// Certificates that replace valid ones (4.7).
    Renewal,
    /// Revocations (4.9).
    Revocation,
}

impl ApplicationKind {
    /// Returns the kind's name in plans and graphs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Renewal => "renewal",
            Self::Revocation => "revocation",
        }
    }
}

/// A decision: who made it, and when.
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
    /// The application on which it is based.
    pub application: Spanned<Name>,
    /// The revocation date; if absent, the beginning of the window.
    pub date: Option<Spanned<Instant>>,
}

/// The grounds of 4.9.1: (a) to (c) are given by the subscriber, (d) to (h) by 機構.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// (a) The key is compromised, or a compromise is suspected.
    KeyCompromise,
    /// (b) The certificate is no longer used.
    UseStopped,
    /// (c) The certified data changed.
    DataChanged,
    /// (d) The content or the purpose is wrong.
    ContentWrong,
    /// (e) The CP/CPS was breached.
    Breach,
    /// (f) The CA is terminated.
    Termination,
    /// (g) Entries are inaccurate or misleading.
    Inaccurate,
    /// (h) The CA manager, or whoever determines conformity with the policy, considers it
    /// necessary.
    Necessary,
    /// The old certificate of a renewal is revoked (4.7.3).
    Renewal,
}

impl Ground {
    /// Returns the ground's name in plans and graphs.
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

    /// Returns the reason code of the CRL entry (RFC 5280 5.3.1; D20); `None` for *unspecified*.
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

    /// Whether the subscriber states this ground, in an application or notification (4.9.1 (1)).
    #[must_use]
    pub const fn is_the_subscribers(self) -> bool {
        matches!(self, Self::KeyCompromise | Self::UseStopped | Self::DataChanged)
    }
}

/// A root key that is judged to be compromised (5.2.1.1, 5.7.3).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Compromise {
    /// The CA managers who judged it.
    pub judged_by: Vec<Spanned<Name>>,
    /// When they judged it.
    pub judged_at: Spanned<Instant>,
    /// The version of the emergency response plan (緊急時対応計画) that was followed.
    pub response_plan: Spanned<String>,
}

/// An order to stop or resume something (5.7.3; D34).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// (2) Stop the issuing of DS certificates.
    StopDsIssuing,
    /// (3) Stop applications for card-substitute records.
    StopApplications,
    /// Resume the issuing of DS certificates.
    ResumeDsIssuing,
    /// (6) Resume applications for card-substitute records.
    ResumeApplications,
}

impl Order {
    /// Whether it resumes what was stopped.
    #[must_use]
    pub const fn resumes(self) -> bool {
        matches!(self, Self::ResumeDsIssuing | Self::ResumeApplications)
    }

    /// Returns the order's name in plans, graphs and states.
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
    /// The medium's label, seal and place, and who keeps it (5.2.1.3, 5.1.7).
    pub kept: Spanned<String>,
}

/// A root key that shall no longer exist (6.2.10; D47).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Destruction {
    /// The organisations whose CA managers approved it.
    pub approved_by: Vec<Spanned<Name>>,
    /// Why the key has no value and no duty left.
    pub reason: Spanned<String>,
}

/// The replacement of the lost root token by a token that holds copies of its keys (5.7.2, 6.2.4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recovery {
    /// The token with the copies, by its name in plans and rooms.
    pub token: Spanned<Name>,
    /// What became of the lost token: when, how, and where its remains are kept.
    pub lost: Spanned<String>,
    /// The organisations whose CA managers approved the replacement and the new audit key.
    pub approved_by: Vec<Spanned<Name>>,
}

/// A root key that was lost with its only token, so that the CA goes on without it (5.7.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Loss {
    /// What became of the token: when, how, and where its remains are kept.
    pub reason: Spanned<String>,
    /// The organisations whose CA managers approved going on without the key.
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
    /// Reads `plan.toml`.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        text::document(Input::Plan, octets, |plan: &Self| &plan.format)
    }
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
        hex::seed(&text).map(Self).map_err(|said| D::Error::custom(said.en))
    }
}

/// Returns the generation in a key's name, such as 1 for `g1`; `None` for any other name.
pub(crate) fn generation(key: &Name) -> Option<u8> {
    let number: u8 = key.as_str().strip_prefix('g')?.parse().ok()?;
    let plain = format!("g{number}") == key.as_str();
    (plain && (1..=GENERATIONS).contains(&number)).then_some(number)
}
