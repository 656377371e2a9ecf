//! The policy: what the CA chose within its CP/CPS, one file for each CA. Every table names its
//! section of the CP/CPS.
//!
//! The numbers, names and roles of a CA are in this file and nowhere else. What its CP/CPS demands
//! of them is in [`cps`](crate::cps).

mod decision;
mod duty;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::key::{Curve, SignerCurve};
use crate::language::{Language, Text};
use crate::name::Name;
use crate::text;
use crate::time::{CalendarSpan, Offset};
use crate::token::Attribute;
use crate::violation::{Input, Violation};
use crate::x509::{IssuerAltName, Rdn};

pub use self::decision::{
    Agreement, Applicants, Appointing, Approving, Deciders, Decisions, Keyless, Releasing, Signer,
};
pub use self::duty::{CalendarPolicy, Duty};

/// A policy as read from `policy.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The standards that it is based on, and their editions.
    #[serde(default)]
    pub standards: BTreeMap<String, String>,
    /// Policy identifiers. They name the policy in documents; no certificate has them.
    #[serde(default)]
    pub oid: BTreeMap<String, String>,
    /// The CA.
    pub ca: Ca,
    /// Root keys and certificates.
    pub root: RootPolicy,
    /// Document Signer certificates.
    pub ds: DsPolicy,
    /// The audit key.
    pub audit: AuditPolicy,
    /// CRLs.
    pub crl: CrlPolicy,
    /// The machine's clock.
    pub clock: ClockPolicy,
    /// The place of the ledger head, besides the papers.
    pub ledger_head: HeadPolicy,
    /// The journal, and how often people note its head on paper.
    pub journal: JournalPolicy,
    /// How long what is done in a ceremony takes.
    pub pace: PacePolicy,
    /// The one cable to an HSM that a CP/CPS may permit; absent for an air gap.
    pub network: Option<NetworkPolicy>,
    /// The live image; absent where a CA does not say how many build it.
    pub image: Option<ImagePolicy>,
    /// The tokens.
    pub token: TokenPolicy,
    /// The organisations, by id.
    pub organization: BTreeMap<Name, Organization>,
    /// The roles, by id.
    pub role: BTreeMap<Name, Role>,
    /// Pairs of roles that one person must not hold together.
    pub separate: Separate,
    /// Training.
    pub training: Training,
    /// Who decides what, before a ceremony.
    pub decision: Decisions,
    /// Who does each act, by the act's kind.
    pub act: BTreeMap<Name, PolicyAct>,
    /// What is due by state and register; absent where a CA does not say how early it is listed.
    pub calendar: Option<CalendarPolicy>,
    /// What is done besides ceremonies, by id.
    #[serde(default)]
    pub duty: BTreeMap<Name, Duty>,
}

/// The CA (3.1, 1.5.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ca {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// Its name in the file system.
    pub id: Spanned<Name>,
    /// The languages of its documents, the first one first.
    pub languages: Vec<Spanned<Language>>,
    /// The offset from UTC in which the CA counts its days and writes its times.
    pub offset: Spanned<Offset>,
    /// Its Name, one for all generations.
    pub name: Spanned<Vec<Spanned<Rdn>>>,
}

/// The RDNs of a name in a policy, without their places.
pub(crate) fn rdns(name: &Spanned<Vec<Spanned<Rdn>>>) -> Vec<Rdn> {
    name.get_ref().iter().map(|rdn| rdn.get_ref().clone()).collect()
}

/// Root keys and certificates (5.6, 6.1.5.1, 6.2.4, 6.3.2, 7.1.2.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RootPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The curve.
    pub curve: Spanned<Curve>,
    /// How long the certificate is valid.
    pub validity: Spanned<CalendarSpan>,
    /// How long the key signs certificates.
    pub key_use: Spanned<CalendarSpan>,
    /// The age from which a key without a successor is reported, and is renewed without a reason.
    pub rollover_from: Spanned<CalendarSpan>,
    /// How long before the end of its root certificate a key has its successor at the latest.
    pub rollover_latest: Spanned<CalendarSpan>,
    /// Whether and how the key may be backed up.
    pub backup: Spanned<Backup>,
    /// issuerAltName.
    pub issuer_alt_name: Spanned<IssuerAltName>,
    /// cRLDistributionPoints: URIs with `{key}` in each.
    pub crl_urls: Spanned<Vec<Spanned<String>>>,
    /// Whether the root has an authorityKeyIdentifier, which is that of its own key.
    pub authority_key_identifier: bool,
}

impl RootPolicy {
    /// Returns the addresses of a key's CRL.
    pub(crate) fn urls_of(&self, key: &Name) -> Vec<String> {
        let urls = self.crl_urls.get_ref().iter();
        urls.map(|url| url.get_ref().replace("{key}", key.as_str())).collect()
    }
}

/// Whether and how a key may be backed up (6.2.4, 6.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backup {
    /// The key is wrapped under a TRUSTED key that exists only inside tokens.
    WrapTrusted,
    /// The token's own cloning copies the key.
    Vendor,
    /// The key may not be backed up.
    None,
}

impl Backup {
    /// Returns the word for it in a policy.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrapTrusted => "wrap-trusted",
            Self::Vendor => "vendor",
            Self::None => "none",
        }
    }
}

/// Document Signer certificates (1.4.1 (3), 3.1, 4.7; D4, D15, D42).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DsPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The curves that are allowed for a request's key.
    pub curves: Vec<Spanned<SignerCurve>>,
    /// How long a certificate is valid; the plan may say less, never more.
    pub validity: Spanned<CalendarSpan>,
    /// The longest validity in days.
    pub max_days: Spanned<u32>,
    /// The object identifier of the one extended key usage.
    pub extended_key_usage: Spanned<String>,
    /// The subject, in which `{number}` stands for what follows `ds-` in the certificate's name.
    pub name: Spanned<Vec<Spanned<Rdn>>>,
    /// Whether a renewal revokes the old certificate; there is no default (D4).
    pub renewal: Spanned<Renewal>,
}

/// What happens to the old certificate in a renewal (4.7.3 against 4.4.1.2; D4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renewal {
    /// It is revoked in the same ceremony.
    RevokeOld,
    /// It stays valid until it expires.
    KeepOld,
}

/// The audit key (5.4.4, 5.4.6).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The curve.
    pub curve: Spanned<Curve>,
    /// Why it is on the root's HSM.
    pub justification: Spanned<String>,
}

/// CRLs (4.9.7, 7.2.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CrlPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// From the day of thisUpdate to nextUpdate.
    pub validity: Spanned<CalendarSpan>,
    /// From thisUpdate to the planned next release, always counted from a batch's first day.
    pub period: Spanned<CalendarSpan>,
    /// How far beyond the next ceremony CRLs are signed.
    pub spare: Spanned<CalendarSpan>,
    /// The longest time from a ceremony to the next, by the calendar.
    pub interval: Spanned<CalendarSpan>,
    /// The largest number of CRLs of one key in one batch.
    pub max_batch: Spanned<u32>,
    /// The longest time from the approval of a revocation, or the judgement on a key, to the end of
    /// the ceremony that puts it on a CRL.
    pub revocation_within: Spanned<CalendarSpan>,
    /// Whether entries have their reason code (D2); there is no default.
    pub reason_codes: Spanned<ReasonCodes>,
}

/// Whether CRL entries have their reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCodes {
    /// They do, as 7.2.2 asks.
    Include,
    /// They do not, as ISO/IEC 18013-5 asks.
    Omit,
}

/// The machine's clock (6.8, D27).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClockPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The largest difference allowed between the clock and the reference, in seconds.
    pub max_offset_seconds: Spanned<u32>,
}

/// The place of the ledger head, besides the papers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The token, or paper only.
    pub on: Spanned<HeadOn>,
}

/// A place of the ledger head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadOn {
    /// As a data object on the token.
    Token,
    /// On paper only: not every module stores data objects.
    Paper,
}

impl HeadOn {
    /// Returns its name in policy and graph.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Paper => "paper",
        }
    }
}

/// The journal, and how often people note its head on paper (5.4.4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JournalPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The largest number of sheets signed between two heads that people note. If both media were
    /// reset, what was signed since the last noted head could be signed again.
    pub sheets_per_head: Spanned<u32>,
}

/// How many seconds what is done in a ceremony takes, as the CA reckons; nothing is refused because
/// it took longer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PacePolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// An act of people that is not named in `act`.
    pub people: Spanned<u32>,
    /// An act of a token, or the seal, that is not named in `act`.
    pub token: Spanned<u32>,
    /// One signature by a person's card.
    pub signature: Spanned<u32>,
    /// A head that is written on paper.
    pub head: Spanned<u32>,
    /// Acts by their kind in the graph.
    #[serde(default)]
    pub act: BTreeMap<Name, Spanned<u32>>,
}

/// The one network that a CP/CPS may permit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// What is permitted: one cable from the machine to an HSM.
    pub permits: Permitted,
}

/// A network that may be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permitted {
    /// One cable to one HSM, and nothing else that could be reached.
    LinkToHsm,
}

/// The live image on which ceremonies are held.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagePolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// How many people must attest with their cards that they built it to the same octets.
    pub builders: Spanned<u32>,
}

/// The tokens (6.2.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenPolicy {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// Mechanisms that a token must offer.
    pub mechanisms: Vec<Spanned<String>>,
    /// Serial numbers of tokens in production, never used in drills.
    pub production_serials: Vec<Spanned<String>>,
    /// Attributes that the module refuses in a template, even when FALSE. They are left out of
    /// templates and still read back.
    #[serde(default)]
    pub leave_out: Vec<Spanned<Attribute>>,
    /// Attributes that their module cannot tell when they are read back.
    #[serde(default)]
    pub not_told: Vec<Spanned<Attribute>>,
    /// Objects that tokens of this model contain from the start, besides those of every token.
    #[serde(default)]
    pub may_hold: Vec<Brought>,
}

/// An object that a model of token contains from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brought {
    /// `certificate`, `public-key`, `data` or `other`.
    pub class: Spanned<String>,
    /// CKA_LABEL, as a token's inventory shows it.
    pub label: Spanned<String>,
}

/// An organisation (1.3.4.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// Its name.
    pub name: Text,
}

/// A role (5.2.1, 8.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Role {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// Its name.
    pub name: Text,
    /// How many people of this role take part in every ceremony.
    pub at_least: Spanned<u32>,
    /// Whether that many are needed of each organisation that approves the CP/CPS.
    #[serde(default)]
    pub each_organization: bool,
    /// Whether people of this role operate the system, which is never done alone (5.2.2).
    #[serde(default)]
    pub operator: bool,
}

/// The pairs of roles that one person must not hold together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Separate {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The pairs.
    pub pairs: Vec<[Spanned<Name>; 2]>,
}

/// Training (5.3.4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Training {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The greatest age of a person's last training, in months.
    pub max_months: Spanned<u32>,
    /// What becomes of a plan with somebody who was trained on another procedure.
    pub newer: Newer,
}

/// What becomes of a plan with somebody who was trained, but on another procedure or program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Newer {
    /// It is reported (S-TRAINED).
    Report,
    /// It is refused (R-TRAINED).
    Refuse,
}

/// The kind of act by which each deciding organisation approves for itself, with people of its own:
/// the completion, and what else they decide in the room.
pub(crate) const OF_EACH_ORGANIZATION: &str = "completion";

/// Who does or witnesses an act.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyAct {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// How many people of which role.
    pub by: BTreeMap<Name, Spanned<u32>>,
    /// When those who do it sign it with their cards.
    #[serde(default)]
    pub signed: Signed,
}

/// When people sign with their cards what they did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signed {
    /// Each time, before the answer is recorded.
    Each,
    /// Once, at the close of the ceremony, together with everything else that is under their names.
    #[default]
    AtClose,
}

impl Policy {
    /// Reads `policy.toml`.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        text::document(Input::Policy, octets, |policy: &Self| &policy.format)
    }
}
