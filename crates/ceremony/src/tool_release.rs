//! The release of the program for a CA's ceremonies (6.6.1; docs/decisions/0113).
//!
//! `release.toml` names the program that holds real ceremonies, the image that carries it, and the
//! report of its tests. It is an input like policy and roster: the bindings cover it, and whoever
//! approves the plan by card approves it. The policy says whose approval it needs besides.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Deserialize;
use toml::Spanned;

use crate::hex::Digest;
use crate::text;
use crate::violation::{Input, Violation};

/// A release as read from `release.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolRelease {
    /// The version of this format: 1.
    pub format: Spanned<u32>,
    /// The program, as `gishiki --version` names it on the image: version and source.
    pub tool: Spanned<String>,
    /// SHA-256 of the tool's image, as its pin gives it.
    pub image: Spanned<Digest>,
    /// SHA-256 of the report of the tests of this source.
    pub tests: Spanned<Digest>,
}

impl ToolRelease {
    /// Reads `release.toml`.
    ///
    /// # Errors
    ///
    /// All violations of the file's form.
    pub fn parse(octets: &[u8]) -> Result<Self, Vec<Violation>> {
        text::document(Input::Release, octets, |release: &Self| &release.format)
    }
}
