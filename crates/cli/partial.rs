//! Writes files and folders under a hidden name, `.NAME.partial`, until they are complete and
//! durable.
//!
//! If the process is killed meanwhile, the partial file has no meaning: listings ignore it, and the
//! next write of the same name removes it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use tempfile::TempDir;

/// Whether a file of this name is incomplete.
pub(crate) fn is_partial(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && name.ends_with(b".partial")
}

/// Writes a file completely or not at all: under its hidden name, synced, then renamed.
pub(crate) fn put(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    #[cfg(test)]
    if crate::simulator::is_on() {
        return crate::simulator::put(path, || put_whole(path, octets));
    }
    put_whole(path, octets)
}

fn put_whole(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = builder(&cleared(path)?).tempfile_in(folder)?;
    file.write_all(octets)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Creates a temporary folder under the hidden name, to be renamed to `path` when it is complete.
pub(crate) fn folder(path: &Path) -> std::io::Result<TempDir> {
    builder(&cleared(path)?).tempdir_in(path.parent().unwrap_or(Path::new(".")))
}

/// Returns the hidden name of a path, after removing what an earlier write left there.
fn cleared(path: &Path) -> std::io::Result<OsString> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".partial");
    let left = path.with_file_name(&name);
    let removed = match left.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&left),
        Ok(_) => fs::remove_file(&left),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map(|()| name)
}

/// Returns a builder for the hidden name; what it builds is deleted if writing fails.
fn builder(name: &OsStr) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(name).rand_bytes(0);
    builder
}
