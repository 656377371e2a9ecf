//! The plan: one ceremony, declared: what shall exist afterwards, not what is to be done.
//!
//! Names are still names here, and every field keeps its place in the text, for messages. What a
//! plan means is said by [`compile`](crate::compile::compile). **Deliberately absent:** commands,
//! slots, PINs, and whatever the policy asks of every ceremony.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use crate::hex;
use crate::name::Name;
use crate::text;
use crate::time::{Day, Instant};
use crate::violation::{Input, Violation};

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
}

/// What a planned key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUse {
    /// A root key.
    Root,
}

/// A certificate that shall exist.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlanCertificate {
    /// Its profile's name.
    pub profile: Spanned<Name>,
    /// The key in it.
    pub key: Spanned<Name>,
    /// notBefore.
    pub not_before: Spanned<Instant>,
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
        "S-FORM",
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
