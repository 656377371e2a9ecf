//! Where and with what a session is held.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};

use serde::{Deserialize, Serialize};

use crate::name::Name;

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
    /// The identity of the live image, or `none`.
    pub image: String,
    /// The serial number of the token.
    pub token: String,
    /// The serial numbers of the spare tokens, by their names in plans.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spares: BTreeMap<Name, String>,
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
