//! The texts that a plan was compiled from, as they are on disk, for messages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ceremony::violation::Input;

/// The texts that a plan was compiled from, as they are on disk, for messages.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sources {
    pub(crate) plan: (PathBuf, Vec<u8>),
    pub(crate) cps: (PathBuf, Vec<u8>),
    /// The CP/CPS itself, if it was read: `None` in a sealed folder, which has its digest only.
    pub(crate) document: Option<Option<Vec<u8>>>,
    pub(crate) policy: (PathBuf, Vec<u8>),
    pub(crate) roster: (PathBuf, Vec<u8>),
    /// The release of the program, if there is one.
    pub(crate) release: Option<(PathBuf, Vec<u8>)>,
    /// The other files that the plan names, beside it.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Sources {
    pub(crate) const fn of(&self, input: Input) -> Option<&(PathBuf, Vec<u8>)> {
        match input {
            Input::Plan => Some(&self.plan),
            Input::Cps => Some(&self.cps),
            Input::Policy => Some(&self.policy),
            Input::Roster => Some(&self.roster),
            Input::Release => self.release.as_ref(),
            Input::Room | Input::Anchor | Input::Approval | Input::Attestation | Input::Done => {
                None
            }
        }
    }
}

/// Makes a path safe for a message: no control character reaches the terminal.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string().replace("\\'", "'")
}
