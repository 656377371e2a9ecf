//! The policy: the CP/CPS as data, one file for a CA. Every table names the section it comes from.
//!
//! The numbers and names of the CP/CPS stand in this file and nowhere else in the product; the
//! rules of [`rules`](crate::rules) hold the file to the text.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::Digest;
use crate::key::Curve;
use crate::name::Name;
use crate::plan::format_is_1;
use crate::text;
use crate::time::{CalendarSpan, Instant};
use crate::token::Attribute;
use crate::violation::{Input, Violation};

/// `policy.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// Which CP/CPS this is.
    pub cps: Cps,
    /// The standards it is based on.
    pub standards: Standards,
    /// Policy identifiers, which no certificate carries (7.1.6).
    pub oid: Identifiers,
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
    /// Where the ledger head is kept besides the papers.
    pub ledger_head: HeadPolicy,
    /// The journal, and the heads of it that people note on paper.
    pub journal: JournalPolicy,
    /// The one cable to an HSM; a CP/CPS with an air gap has no such table.
    pub network: Option<NetworkPolicy>,
    /// The tokens.
    pub token: TokenPolicy,
    /// The organisations, by id.
    pub organization: BTreeMap<Name, Organization>,
    /// The roles, by id.
    pub role: BTreeMap<Name, Role>,
    /// Roles that one person does not hold together.
    #[serde(default)]
    pub separate: Vec<Pair>,
    /// Training.
    pub training: Training,
    /// Who does what, by the act's kind.
    pub act: BTreeMap<Name, PolicyAct>,
}

/// Which CP/CPS this is (1.5.3, 9.10.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cps {
    /// Where this comes from.
    pub section: String,
    /// The title.
    pub title: String,
    /// The version.
    pub version: Spanned<String>,
    /// SHA-256 of the document.
    pub sha256: Digest,
    /// The first instant at which it is in force.
    pub from: Spanned<Instant>,
    /// The first instant at which it no longer is.
    pub until: Option<Spanned<Instant>>,
    /// The organisations whose CA managers approved it.
    pub approved_by: Vec<Spanned<Name>>,
}

/// The standards (1.1, 7.1, 7.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Standards {
    /// Where this comes from.
    pub section: String,
    /// The edition of ISO/IEC 18013-5.
    pub iso_18013_5: Spanned<String>,
    /// The version of 技術資料, or `not held`.
    pub technical_material: String,
    /// The version of 技術仕様書, or `not held`.
    pub technical_specification: String,
}

/// Policy identifiers (1.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identifiers {
    /// Where this comes from.
    pub section: String,
    /// Of the self-signed certificate.
    pub root: Spanned<String>,
    /// Of link certificates.
    pub link: Spanned<String>,
    /// Of DS certificates.
    pub ds: Spanned<String>,
}

/// The CA (3.1, 1.5.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ca {
    /// Where this comes from.
    pub section: String,
    /// Its name in the file system.
    pub id: Spanned<Name>,
    /// countryName: two capitals.
    pub country: Spanned<String>,
    /// organizationName: 機構名.
    pub organization: Spanned<String>,
    /// commonName.
    pub common_name: Spanned<String>,
}

/// Root keys and certificates (5.6, 6.1.5.1, 6.2.4, 6.3.2, 7.1.2.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RootPolicy {
    /// Where this comes from.
    pub section: String,
    /// The curve.
    pub curve: Spanned<Curve>,
    /// How long the certificate is valid.
    pub validity: Spanned<CalendarSpan>,
    /// How long the key signs certificates.
    pub key_use: Spanned<CalendarSpan>,
    /// Whether and how the key may be backed up.
    pub backup: Spanned<Backup>,
    /// issuerAltName: a URI.
    pub issuer_alt_name: Spanned<String>,
    /// cRLDistributionPoints: a URI with `{key}` in it.
    pub crl_url: Spanned<String>,
}

/// Whether and how a key may be backed up (6.2.4, 6.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backup {
    /// Wrapped, under a TRUSTED key that exists only inside tokens.
    WrapTrusted,
    /// By the token's own cloning.
    Vendor,
    /// Not at all.
    None,
}

impl Backup {
    /// The word in a policy.
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
    /// Where this comes from.
    pub section: String,
    /// The curves that a request's key may lie on.
    pub curves: Vec<Spanned<Curve>>,
    /// How long a certificate is valid, where the plan does not say less.
    pub validity: Spanned<CalendarSpan>,
    /// The most days.
    pub max_days: Spanned<u32>,
    /// The one purpose: an object identifier.
    pub extended_key_usage: Spanned<String>,
    /// commonName, with `{number}` in it: what follows `ds-` in the certificate's name.
    pub common_name: Spanned<String>,
    /// Whether a renewal revokes the old certificate; no default (D4).
    pub renewal: Spanned<Renewal>,
}

/// What becomes of the old certificate in a renewal (4.7.3 against 4.4.1.2; D4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Renewal {
    /// It is revoked in the same ceremony.
    RevokeOld,
    /// It runs out by itself.
    KeepOld,
}

/// The audit key (5.4.4, 5.4.6).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditPolicy {
    /// Where this comes from.
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
    /// Where this comes from.
    pub section: String,
    /// nextUpdate: days after thisUpdate.
    pub validity_days: Spanned<u32>,
    /// The planned next release: days after thisUpdate.
    pub update_days: Spanned<u32>,
    /// Days that are signed beyond the next ceremony.
    pub spare_days: Spanned<u32>,
    /// The most CRLs of one key in one batch.
    pub max_batch: Spanned<u32>,
    /// The most days between ceremonies.
    pub max_interval_days: Spanned<u32>,
    /// Whether entries carry their reason code (D2); no default.
    pub reason_codes: Spanned<ReasonCodes>,
}

/// Whether CRL entries carry their reason code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCodes {
    /// As 7.2.2 asks.
    Include,
    /// As ISO/IEC 18013-5 asks.
    Omit,
}

/// The machine's clock (6.8, D27).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClockPolicy {
    /// Where this comes from.
    pub section: String,
    /// How far it may be from the reference.
    pub max_offset_seconds: Spanned<u32>,
}

/// Where the ledger head is kept besides the papers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadPolicy {
    /// Where this comes from.
    pub section: String,
    /// On the token, or nowhere else.
    pub on: Spanned<HeadOn>,
}

/// Where the ledger head is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadOn {
    /// As a data object on the token.
    Token,
    /// On paper only: not every module stores data objects.
    Paper,
}

impl HeadOn {
    /// As policy and graph write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Paper => "paper",
        }
    }
}

/// The journal, and the heads of it that people note on paper (5.4.4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JournalPolicy {
    /// Where this comes from.
    pub section: String,
    /// How many sheets are signed at most between two heads that people note: what was signed since
    /// the last one could be signed again if both media were set back.
    pub sheets_per_head: Spanned<u32>,
}

/// The one network that a CP/CPS may permit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkPolicy {
    /// Where this comes from.
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

/// The tokens (6.2.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenPolicy {
    /// Where this comes from.
    pub section: String,
    /// Mechanisms that a token must offer.
    pub mechanisms: Vec<Spanned<String>>,
    /// Serial numbers of tokens in production, never used in drills.
    pub production_serials: Vec<Spanned<String>>,
    /// Attributes that their module refuses in a template, even FALSE: they are not said, and read
    /// back all the same.
    #[serde(default)]
    pub leave_out: Vec<Spanned<Attribute>>,
    /// Attributes that their module cannot tell when they are read back.
    #[serde(default)]
    pub not_told: Vec<Spanned<Attribute>>,
    /// What their model brings with it, besides what every token has.
    #[serde(default)]
    pub may_hold: Vec<Brought>,
}

/// An object that a model of token brings with it.
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
    /// Where this comes from.
    pub section: String,
    /// Its name in Japanese.
    pub ja: String,
    /// Its name in English.
    pub en: String,
}

/// A role (5.2.1, 8.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Role {
    /// Where this comes from.
    pub section: String,
    /// Its name in Japanese.
    pub ja: String,
    /// Its name in English.
    pub en: String,
    /// How many take part in every ceremony.
    pub at_least: Spanned<u32>,
    /// That many of each organisation that approves the CP/CPS.
    #[serde(default)]
    pub each_organization: bool,
    /// Whether it operates, so never alone (5.2.2).
    #[serde(default)]
    pub operator: bool,
}

/// Roles that one person does not hold together (5.2.4, D32).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Where this comes from.
    pub section: String,
    /// The two roles.
    pub roles: [Spanned<Name>; 2],
}

/// Training (5.3.4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Training {
    /// Where this comes from.
    pub section: String,
    /// How old it may be.
    pub max_months: Spanned<u32>,
}

/// Who does an act, or stands by.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyAct {
    /// Where this comes from.
    pub section: String,
    /// How many of which role.
    pub by: BTreeMap<Name, Spanned<u32>>,
}

impl Policy {
    /// Reads `policy.toml`; the first error of its form otherwise.
    pub fn parse(octets: &[u8]) -> Result<Self, Violation> {
        let policy: Self = text::document(Input::Policy, octets)?;
        format_is_1(Input::Policy, &policy.format)?;
        Ok(policy)
    }
}
