//! Files of releases and of the host, read without following links.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ceremony::bounds::{Bound, SEALED_FILE};
use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use os::Unread;

use crate::stop::Stop;

/// A path, as people read it.
pub(crate) fn shown(path: &Path) -> Bilingual {
    Bilingual::plain(path.display().to_string().escape_debug())
}

/// Reads a regular file of at most this size.
pub(crate) fn read_within(path: &Path, bound: Bound) -> Result<Vec<u8>, Stop> {
    os::read(path, bound).map_err(|unread| refused(path, unread))
}

/// Why a file at this path was not read.
pub(crate) fn refused(path: &Path, unread: Unread) -> Stop {
    match unread {
        Unread::Failed(error) => Stop::io(shown(path), &error),
        Unread::Large(over) => {
            let fault = Fault::new(RuleId::S_FILE, over.bound.said(), over.found());
            Stop::media(&shown(path), &fault)
        }
    }
}

/// Reads a file that a ceremony made.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    read_within(path, SEALED_FILE)
}

/// Reads a file that may be absent.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Stop> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Stop::io(shown(path), &error)),
        Ok(_) => read(path).map(Some),
    }
}

/// Lists a folder's entries by name.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, Stop> {
    let names = os::names(folder).map_err(|error| Stop::io(shown(folder), &error))?;
    Ok(names.iter().map(|(name, _)| folder.join(name)).collect())
}
