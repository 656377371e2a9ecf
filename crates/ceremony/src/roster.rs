//! The roster: the register of appointments (任命簿) as data: people, organisations, roles,
//! credentials.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::Digest;
use crate::name::Name;
use crate::plan::format_is_1;
use crate::text;
use crate::time::Day;
use crate::violation::{Input, Violation};

/// `roster.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The people, by id.
    pub person: BTreeMap<Name, PersonEntry>,
}

/// One person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PersonEntry {
    /// The name in Latin letters.
    pub name: Spanned<String>,
    /// The name as it is written in Japanese.
    pub name_ja: Spanned<String>,
    /// The organisation.
    pub organization: Spanned<Name>,
    /// The roles held.
    pub roles: Vec<Spanned<Name>>,
    /// The appointment (5.3.9).
    pub appointed: Appointment,
    /// The days of training (5.3.4): the register keeps them all.
    pub trained: Spanned<Vec<Day>>,
    /// The day of the background check (5.3.2).
    pub eligible: Spanned<Day>,
    /// The right to enter (5.1.2.1).
    pub entry_right: EntryRight,
    /// The credential (5.2.3).
    pub credential: Credential,
}

/// An appointment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointment {
    /// The day.
    pub on: Spanned<Day>,
    /// The people who approved it, or `letter`.
    pub by: Vec<Spanned<String>>,
}

/// A right to enter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRight {
    /// The day.
    pub granted: Spanned<Day>,
    /// Who granted it.
    pub by: Spanned<Name>,
}

/// A credential.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Credential {
    /// What it is.
    pub kind: CredentialKind,
    /// SHA-256 of its public key's SubjectPublicKeyInfo.
    pub key_sha256: Spanned<Digest>,
    /// The day of its enrolment.
    pub enrolled: Spanned<Day>,
    /// Who enrolled it.
    pub by: Spanned<Name>,
}

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// An IC card.
    IcCard,
}

impl Roster {
    /// Reads `roster.toml`; the first error of its form otherwise.
    pub fn parse(octets: &[u8]) -> Result<Self, Violation> {
        let roster: Self = text::document(Input::Roster, octets)?;
        format_is_1(Input::Roster, &roster.format)?;
        Ok(roster)
    }
}
