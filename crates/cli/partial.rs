//! What is written bears a hidden name, `.NAME.partial`, until it is whole and durable. What a
//! killed writing left is nothing yet: whoever lists a folder passes over it, and the next writing
//! of the same removes it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use tempfile::TempDir;

/// Whether something of this name is not whole.
pub(crate) fn is_partial(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".") && name.ends_with(b".partial")
}

/// Writes a file whole: under its hidden name, synced, then renamed.
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

/// The folder that shall become this one, once all is in it.
pub(crate) fn folder(path: &Path) -> std::io::Result<TempDir> {
    builder(&cleared(path)?).tempdir_in(path.parent().unwrap_or(Path::new(".")))
}

/// The hidden name of this, under which nothing is left.
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

/// It is removed again if its writing fails.
fn builder(name: &OsStr) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(name).rand_bytes(0);
    builder
}
