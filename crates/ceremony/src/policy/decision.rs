//! Who decides what before a ceremony: the tables `[decision.…]` of the policy.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::Digest;
use crate::name::Name;
use crate::roster::PersonEntry;
use crate::time::{CalendarSpan, Day};

/// Who decides what, before a ceremony.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Decisions {
    /// Who applies for a Document Signer certificate.
    pub issue: Applicants,
    /// Who applies for a revocation.
    pub revocation: Applicants,
    /// Who examines and approves an application; never an applicant.
    pub examination: Deciders,
    /// Who agrees to the revocation of a compromised Document Signer key, if the CP/CPS asks that.
    pub ds_compromise: Option<Agreement>,
    /// Who judges that a root key is compromised: people of every organisation that decides.
    pub compromise: Deciders,
    /// Who approves an appointment.
    pub appointment: Appointing,
    /// Who grants the right to enter.
    pub entry_right: Deciders,
    /// Who enrols credentials.
    pub credential: Deciders,
    /// Who approves each plan with their cards before the day.
    pub approval: Approving,
    /// Who approves the program's release besides; without it a ceremony needs none.
    pub release: Option<Releasing>,
}

/// Who applies together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Applicants {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// How many people of which role, all of them, and nobody else.
    pub by: BTreeMap<Name, Spanned<u32>>,
}

/// Whose decision it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deciders {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The role.
    pub by: Spanned<Name>,
}

/// Whose agreement is needed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The role.
    pub by: Spanned<Name>,
    /// The organisation.
    pub of: Spanned<Name>,
}

/// Who approves plans.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approving {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The roles of which one holder approves, or one of each organisation that decides.
    pub by: Vec<Spanned<Name>>,
    /// How long before the ceremony's window an approval may be made.
    pub within: Spanned<CalendarSpan>,
    /// Who may sign keylessly as well, as evidence beside the cards.
    pub keyless: Option<Keyless>,
}

/// Keyless signatures of approvals, by Sigstore: who has which identity, and what they are verified
/// with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keyless {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// SHA-256 of `trusted_root.json` beside the policy.
    pub trusted_root: Spanned<Digest>,
    /// The day on which that file was obtained: it has no date of its own.
    pub obtained: Spanned<Day>,
    /// The people, by their id in the roster.
    pub person: BTreeMap<Name, Signer>,
}

/// A person's keyless identity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The identity in the certificate: a mail address or a URI, compared as a whole.
    pub identity: String,
    /// Who says so: the issuer in the certificate, compared as a whole.
    pub issuer: String,
}

/// Who approves the release of the program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Releasing {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The roles of which one holder approves; of each organisation, where the role says so.
    pub by: Vec<Spanned<Name>>,
}

/// Who appoints.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointing {
    /// The section of the CP/CPS that this table comes from.
    pub section: String,
    /// The roles that approve an appointment, all of them.
    pub by: Vec<Spanned<Name>>,
    /// The roles whose holders are appointed by a letter instead.
    #[serde(default)]
    pub letter: Vec<Spanned<Name>>,
}

impl Appointing {
    /// Whether a letter appoints this person.
    #[must_use]
    pub fn is_by_letter(&self, person: &PersonEntry) -> bool {
        self.letter.iter().any(|role| person.holds(role.get_ref()))
    }
}
