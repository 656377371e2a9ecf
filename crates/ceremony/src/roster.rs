//! The roster: the register of appointments (任命簿) as data, with people, organisations, roles and
//! credentials.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::{Digest, Octets};
use crate::key::PublicKey;
use crate::language::Bilingual;
use crate::name::Name;
use crate::text;
use crate::time::Day;
use crate::violation::{Input, Violation};

/// A roster as read from `roster.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The people, by id.
    pub person: BTreeMap<Name, PersonEntry>,
    /// The enrolments of those who came, or changed, after the first ceremony.
    #[serde(default)]
    pub enrolment: BTreeMap<Name, Enrolment>,
    /// What was taught on days of training (5.3.3).
    #[serde(default)]
    pub training: Vec<Training>,
}

/// What was taught on a day of training.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// The day.
    pub day: Spanned<Day>,
    /// The procedure: the digest of CP/CPS data and policy that `check` gives (S-TRAINED).
    pub procedure: Spanned<Digest>,
    /// The program, as `gishiki --version` names it; judged where the CA has a release.
    pub tool: Option<Spanned<String>>,
}

/// The signatures by which the register takes a person's entry as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The head of the ceremony after which it was made.
    pub after: Spanned<Digest>,
    /// Raw signatures (r ‖ s) in hexadecimal digits, by person.
    #[serde(default)]
    pub signed: BTreeMap<Name, Spanned<Octets>>,
}

/// One person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PersonEntry {
    /// The name in Latin letters.
    pub name: Spanned<String>,
    /// The name as it is written in Japanese, if the CA has that language.
    pub name_ja: Option<Spanned<String>>,
    /// The organisation.
    pub organization: Spanned<Name>,
    /// The roles held.
    pub roles: Vec<Spanned<Name>>,
    /// The appointment (5.3.9).
    pub appointed: Appointment,
    /// The day on which it ended, if it did. What the person did until then stays valid; from then
    /// on they do nothing any more.
    pub ended: Option<Spanned<Day>>,
    /// The days of training (5.3.4): the register keeps them all.
    pub trained: Spanned<Vec<Day>>,
    /// The day of the background check (5.3.2).
    pub eligible: Spanned<Day>,
    /// The right to enter (5.1.2.1).
    pub entry_right: EntryRight,
    /// The credential (5.2.3).
    pub credential: Credential,
}

/// What the register holds of a person. Whatever changes of it is enrolled anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The name in Latin letters.
    pub name: String,
    /// The name as it is written in Japanese.
    pub name_ja: Option<String>,
    /// The key on the person's card.
    pub key: PublicKey,
    /// The organisation.
    pub organization: Name,
    /// The roles.
    pub roles: BTreeSet<Name>,
    /// The day on which the appointment ended, if it did.
    pub ended: Option<Day>,
}

impl Registered {
    /// Whether the person still serves.
    #[must_use]
    pub const fn serves(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether this is the same person, whose appointment has ended since: of that alone nobody
    /// signs an enrolment.
    #[must_use]
    pub(crate) fn has_only_ended(&self, now: &Self) -> bool {
        self.serves() && *now == Self { ended: now.ended, ..self.clone() }
    }
}

/// The people of a register, by id: those of the last ceremony's roster.
pub type Register = BTreeMap<Name, Registered>;

impl PersonEntry {
    /// What the register holds of the person.
    #[must_use]
    pub(crate) fn registered(&self) -> Registered {
        Registered {
            name: self.name.get_ref().clone(),
            name_ja: self.name_ja.as_ref().map(|name| name.get_ref().clone()),
            key: self.credential.public_key.get_ref().clone(),
            organization: self.organization.get_ref().clone(),
            roles: self.roles.iter().map(|role| role.get_ref().clone()).collect(),
            ended: self.ended.as_ref().map(|day| *day.get_ref()),
        }
    }

    /// Whether the person still serves.
    #[must_use]
    pub const fn serves(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether the person held this role and served on this day.
    #[must_use]
    pub fn held(&self, role: &Name, day: Day) -> bool {
        self.holds(role) && self.ended.as_ref().is_none_or(|ended| day <= *ended.get_ref())
    }

    /// Whether the person holds this role.
    #[must_use]
    pub fn holds(&self, role: &Name) -> bool {
        self.roles.iter().any(|held| held.get_ref() == role)
    }

    /// Returns the days of training that are at most so many months before this day.
    pub(crate) fn trained_within(&self, day: Day, months: u32) -> impl Iterator<Item = Day> {
        let span = format!("{months} months").parse();
        self.trained.get_ref().iter().copied().filter(move |trained| {
            let end = span.as_ref().ok().and_then(|span| trained.plus(span, 1).ok());
            *trained <= day && end.is_some_and(|end| day <= end)
        })
    }

    /// Returns the person's name; the Latin one stands for a Japanese one that there is not.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let en = self.name.get_ref().clone();
        let ja = self.name_ja.as_ref().map_or_else(|| en.clone(), |ja| ja.get_ref().clone());
        Bilingual { ja, en }
    }
}

/// An appointment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointment {
    /// The day of the appointment.
    pub on: Spanned<Day>,
    /// The people who approved it, or `letter`.
    pub by: Vec<Spanned<String>>,
}

/// A right to enter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRight {
    /// The day on which it was granted.
    pub granted: Spanned<Day>,
    /// Who granted it.
    pub by: Spanned<Name>,
}

/// A credential.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Credential {
    /// Its kind.
    pub kind: CredentialKind,
    /// Its public key: SubjectPublicKeyInfo in base64, on one line. What this person does in a
    /// ceremony is signed with it.
    pub public_key: Spanned<PublicKey>,
    /// The day of its enrolment.
    pub enrolled: Spanned<Day>,
    /// Who enrolled it.
    pub by: Spanned<Name>,
}

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// An IC card.
    IcCard,
}

impl Roster {
    /// The person with this id, if they still serve.
    #[must_use]
    pub(crate) fn serving(&self, id: &str) -> Option<&PersonEntry> {
        self.person.get(id).filter(|person| person.serves())
    }

    /// The register that this roster describes.
    #[must_use]
    pub(crate) fn register(&self) -> Register {
        self.person.iter().map(|(id, entry)| (id.clone(), entry.registered())).collect()
    }

    /// Reads `roster.toml`.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        text::document(Input::Roster, octets, |roster: &Self| &roster.format)
    }
}
