//! Reads a sealed ceremony from its two journals without changing anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::record::{Event, Mode, Record};
use ceremony::rule::RuleId;
use ceremony::run::Run;
use ceremony::says;
use ceremony::verify::Refusal;

use super::{AFTER, BUNDLE, Journal, TRANSCRIPT, Written, begins_with_opened, read_inputs, two};
use crate::files::read_sealed;
use crate::halt::Halt;

/// The files and inputs of a sealed ceremony, identical on both media.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) written: Written,
    inputs: std::collections::BTreeMap<String, Vec<u8>>,
}

impl Journal {
    /// Reads the ceremony if both folders have its bundle and postscript and agree byte for byte.
    ///
    /// Returns `None` otherwise.
    pub(crate) fn ended(folders: &[PathBuf]) -> Result<Option<Ended>, Halt> {
        let folders = two(folders)?;
        if !folders.iter().all(|folder| [BUNDLE, AFTER].iter().all(|name| has(folder, name))) {
            return Ok(None);
        }
        let [a, b] = folders.each_ref().map(|folder| {
            Ok::<_, Halt>(Written {
                transcript: read_sealed(&folder.join(TRANSCRIPT))?,
                bundle: read_sealed(&folder.join(BUNDLE))?,
                after: read_sealed(&folder.join(AFTER))?,
            })
        });
        let (written, other) = (a?, b?);
        if written != other {
            return Ok(None);
        }
        let inputs = read_inputs(&folders, &written.transcript)?;
        Ok(Some(Ended { written, inputs }))
    }
}

impl Ended {
    pub(crate) fn run(&self, state: &Arc<State>) -> Result<Run, Refusal> {
        let Written { transcript, after, .. } = &self.written;
        ceremony::verify::replay_unsealed(&self.inputs, transcript, after, state)
    }

    /// Returns the predecessor that the plan names (`after`).
    pub(crate) fn after(&self) -> Result<After, Halt> {
        let plan = self.inputs.get("plan.toml").map(Vec::as_slice).unwrap_or_default();
        let plan = Plan::parse(plan).map_err(Halt::unread("plan.toml", plan))?;
        Ok(plan.after.into_inner())
    }

    /// Returns whether the ceremony is real or a drill, from its first record.
    pub(crate) fn mode(&self) -> Result<Mode, Halt> {
        let first = self.written.transcript.split(|octet| *octet == b'\n').next();
        let first = std::str::from_utf8(first.unwrap_or_default()).unwrap_or_default();
        match Record::read(first).map(|record| record.event) {
            Ok(Event::Opened(opened)) => Ok(opened.mode),
            Ok(_) | Err(_) => Err(Halt::media(
                RuleId::S_JOURNAL,
                begins_with_opened(),
                says!("別のもの", "another record"),
            )),
        }
    }
}

fn has(folder: &Path, name: &str) -> bool {
    folder.join(name).symlink_metadata().is_ok()
}
