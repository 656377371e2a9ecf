//! Keyless bundles beside the approvals by card: which there are, and whether they hold.
//!
//! A bundle is evidence and no approval: without its person's card nothing is approved, and with it
//! nothing needs a bundle. But one that does not hold is refused, because somebody put it there.
//! **Deliberately absent:** networks. Everything is verified with the trusted root beside the
//! policy, which the policy pins.

#[cfg(feature = "keyless")]
mod curves;
#[cfg(feature = "keyless")]
mod verified;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use ceremony::compile::Compiled;
use ceremony::name::Name;

use crate::halt::Halt;
use crate::lang::Lang;

/// How the name of a bundle ends, behind its person.
const ENDING: &str = ".sigstore.json";

/// The person whose bundle has this name; `None` if it is no name of a bundle.
pub(crate) fn of(name: &OsString) -> Option<Name> {
    name.to_str()?.strip_suffix(ENDING)?.parse().ok()
}

/// Judges the bundles beside a plan, and tells each in a line.
#[cfg(feature = "keyless")]
pub(crate) fn judge(
    plan: &Path,
    compiled: &Compiled,
    bundles: &BTreeMap<Name, PathBuf>,
    lang: Lang,
) -> Result<String, Halt> {
    let told = |(person, path)| verified::told(plan, compiled, (person, path), lang);
    bundles.iter().map(told).collect()
}

/// Says of each bundle that this build cannot judge it.
#[cfg(not(feature = "keyless"))]
pub(crate) fn judge(
    _: &Path,
    _: &Compiled,
    bundles: &BTreeMap<Name, PathBuf>,
    lang: Lang,
) -> Result<String, Halt> {
    let told = |person: &Name| match lang {
        Lang::Ja => format!("  keyless {person}: このビルドは判定しない\n"),
        Lang::En => format!("  keyless {person}: not judged by this build\n"),
    };
    Ok(bundles.keys().map(told).collect())
}
