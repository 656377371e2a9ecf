//! Plain files that come from elsewhere: nobody waits for a pipe, follows a link, or runs out of
//! memory because of them.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Error, Read as _, Result};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use ceremony::bounds::{Bound, Exceeded};
use ceremony::says;
use rustix::fs::{Dir, FileType, Mode, OFlags, open};

use crate::ours;

/// The flags for opening a file from elsewhere: follow no symbolic link, and do not wait for a
/// pipe.
pub const PLAIN: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// Why a file was not read.
#[derive(Debug)]
pub enum Unread {
    /// A call failed, or it is no plain file.
    Failed(Error),
    /// It is larger than the bound.
    Large(Exceeded),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Reads a regular file within a bound; refuses a device, pipe, folder or symbolic link.
///
/// # Errors
/// [`Unread`].
pub fn read(path: &Path, bound: Bound) -> core::result::Result<Vec<u8>, Unread> {
    read_opened(open(path, PLAIN, Mode::empty()).map_err(Error::from)?.into(), bound)
}

/// The same of a file that was opened with [`PLAIN`].
///
/// # Errors
/// [`Unread`].
pub fn read_opened(file: File, bound: Bound) -> core::result::Result<Vec<u8>, Unread> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        let found = says!("通常のファイルでないもの", "something that is no plain file");
        return Err(ours(found).into());
    }
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    bound.judge(length).map_err(Unread::Large)?;
    // A sparse file can claim a large size at no cost. So the memory is reserved in a way that can
    // fail, and the failure is an ordinary refusal.
    let mut octets = Vec::new();
    octets.try_reserve_exact(length).map_err(|error| {
        ours(says!("{length} オクテット(メモリーが足りない)", "{length} octets; {error}"))
    })?;
    file.take(bound.most).read_to_end(&mut octets)?;
    Ok(octets)
}

/// Lists the names in a folder, sorted, each with whether it is itself a folder.
///
/// The standard library's listing is not used because it panics if closing the folder fails, as it
/// does on a failing medium.
///
/// # Errors
/// If the folder cannot be read.
pub fn names(folder: &Path) -> Result<Vec<(OsString, bool)>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = open(folder, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::new(opened)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_os_string();
        if name == "." || name == ".." {
            continue;
        }
        let is_folder = match entry.file_type() {
            // Some file systems do not report the type.
            FileType::Unknown => folder.join(&name).symlink_metadata()?.is_dir(),
            FileType::Directory => true,
            FileType::RegularFile
            | FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice => false,
        };
        names.push((name, is_folder));
    }
    names.sort();
    Ok(names)
}
