//! Files of releases and of the host, read without following links.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use ceremony::bounds::{Bound, SEALED_FILE};
use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::fs::{Mode, OFlags, open};

use crate::stop::Stop;

/// A path, as people read it.
pub(crate) fn shown(path: &Path) -> Bilingual {
    Bilingual::plain(path.display().to_string().escape_debug())
}

/// Reads a regular file of at most this size.
pub(crate) fn read_within(path: &Path, bound: Bound) -> Result<Vec<u8>, Stop> {
    let failed = |error: std::io::Error| Stop::io(shown(path), &error);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    let file = File::from(file);
    let metadata = file.metadata().map_err(failed)?;
    let refused = |asked: Bilingual, found: Bilingual| {
        Stop::media(&shown(path), &Fault::new(RuleId::S_FILE, asked, found))
    };
    if !metadata.is_file() {
        let found = says!("通常のファイルでないもの", "something that is no plain file");
        return Err(refused(says!("通常のファイル", "a plain file"), found));
    }
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    bound.judge(length).map_err(|over| refused(bound.said(), over.found()))?;
    let mut octets = Vec::new();
    file.take(bound.most).read_to_end(&mut octets).map_err(failed)?;
    Ok(octets)
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
    let failed = |error: std::io::Error| Stop::io(shown(folder), &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        found.push(entry.path());
    }
    found.sort();
    Ok(found)
}
