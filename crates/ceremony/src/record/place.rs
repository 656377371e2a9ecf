//! Where and with what a session is held.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::name::Name;
use crate::time::Instant;

/// The identity of the live image where there is none.
pub const NO_IMAGE: &str = "none";

/// The place and equipment of a session. In a rehearsal every field is `rehearsal`, except that
/// serial numbers are those of [`rehearsal_serial`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Place {
    /// The digest of the room file.
    pub room: String,
    /// The terminal's unique identifier.
    pub terminal: String,
    /// The version of the tool.
    pub tool: String,
    /// The identity of the live image, or [`NO_IMAGE`].
    pub image: String,
    /// The serial number of the token.
    pub token: String,
    /// The serial numbers of the spare tokens, by their names in plans.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spares: BTreeMap<Name, String>,
    /// What the live image recorded before this session: from its start on, or from the session
    /// before. Empty outside a live image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub since_boot: Vec<BootEvent>,
}

/// An event of the live image before a session (CP/CPS 5.4.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootEvent {
    /// When it happened, by the machine's clock, which may have been set afterwards.
    #[serde(with = "crate::time::text")]
    pub at: Instant,
    /// What happened.
    pub kind: BootKind,
    /// With what result: done or refused.
    pub result: Outcome,
    /// The details, in English: 1 to 200 characters.
    pub what: String,
}

/// The kind of an event of the live image. The list is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootKind {
    /// The image was started.
    Started,
    /// The image checked its system, or its identity.
    Checked,
    /// People confirmed or set the clock.
    Clock,
    /// The image rehearsed the plan and compared the result with its golden.
    Rehearsed,
    /// People were asked for media or a token.
    Media,
    /// The program that holds, resumes or abandons a ceremony ended.
    Session,
    /// Results were copied to the media.
    Copied,
    /// There were more events than a record takes; so many of the latest are left out.
    Omitted,
}

/// The serial number of a rehearsal token: the main token, or the spare with this name.
#[must_use]
pub fn rehearsal_serial(spare: Option<&Name>) -> String {
    spare.map_or_else(|| "REHEARSAL".to_string(), |name| alloc::format!("REHEARSAL-{name}"))
}

impl Place {
    /// The place of every rehearsal without spare tokens.
    #[must_use]
    pub fn rehearsal() -> Self {
        Self::rehearsal_with(core::iter::empty())
    }

    /// The place of every rehearsal with these spare tokens.
    #[must_use]
    pub fn rehearsal_with<'n>(spares: impl Iterator<Item = &'n Name>) -> Self {
        let word = || String::from("rehearsal");
        Self {
            room: word(),
            terminal: word(),
            tool: word(),
            image: word(),
            token: rehearsal_serial(None),
            spares: spares.map(|name| (name.clone(), rehearsal_serial(Some(name)))).collect(),
            since_boot: Vec::new(),
        }
    }

    /// Whether this is the place of a rehearsal, with or without spare tokens.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        *self == Self::rehearsal_with(self.spares.keys())
    }

    /// The serial numbers of all tokens, the main one's first.
    pub fn serials(&self) -> impl Iterator<Item = &String> {
        core::iter::once(&self.token).chain(self.spares.values())
    }
}
