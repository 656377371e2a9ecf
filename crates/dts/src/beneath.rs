//! Files below a folder, reached through no link: whoever may write there cannot lead a write, a
//! read or a removal to another place.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use ceremony::bounds::{DEPTH, SEALED_FILE};
use os::PLAIN;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, fchmod, mkdirat, open, openat, renameat, unlinkat};
use rustix::io::Errno;

use crate::files::{refused, shown};
use crate::stop::Stop;

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// What everybody may read, whatever the process's umask.
const PUBLIC: (u32, u32) = (0o755, 0o644);

/// A folder, held open.
#[derive(Debug)]
pub(crate) struct Beneath {
    root: PathBuf,
    folder: OwnedFd,
}

impl Beneath {
    /// Opens a folder, which is made if it is not there.
    pub(crate) fn open(root: &Path) -> Result<Self, Stop> {
        let failed = |error: std::io::Error| Stop::io(shown(root), &error);
        std::fs::create_dir_all(root).map_err(failed)?;
        // The folder itself is named by the operator, and may be a link.
        let flags = FOLDER.difference(OFlags::NOFOLLOW);
        let folder = open(root, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        Ok(Self { root: root.to_path_buf(), folder })
    }

    /// The path of a file below, for messages.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn failed(&self, name: &str) -> impl FnOnce(Errno) -> Stop {
        let place = shown(&self.path(name));
        move |error| Stop::io(place, &error.into())
    }

    /// Opens the folder of a file, and returns it with the file's own name; `None` if there is no
    /// such folder and none is to be made.
    fn parent<'n>(&self, path: &'n str, make: bool) -> Result<Option<(OwnedFd, &'n str)>, Errno> {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut folder = openat(&self.folder, ".", FOLDER, Mode::empty())?;
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            let mode = Mode::from_bits_truncate(PUBLIC.0);
            let made = make && mkdirat(&folder, part, mode) != Err(Errno::EXIST);
            folder = match openat(&folder, part, FOLDER, Mode::empty()) {
                Err(Errno::NOENT) if !make => return Ok(None),
                opened => opened?,
            };
            if made {
                fchmod(&folder, mode)?;
            }
        }
        Ok(Some((folder, name)))
    }

    /// Reads a plain file; `None` if there is none.
    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Stop> {
        let Some((folder, name)) = self.parent(path, false).map_err(self.failed(path))? else {
            return Ok(None);
        };
        match openat(&folder, name, PLAIN, Mode::empty()) {
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed(path)(error)),
            Ok(file) => os::read_opened(file.into(), SEALED_FILE)
                .map(Some)
                .map_err(|unread| refused(&self.path(path), unread)),
        }
    }

    /// Writes a file whole or not at all: under a hidden name that is new, synced, then renamed.
    /// What an earlier writer left under that name is removed first.
    pub(crate) fn put(&self, path: &str, octets: &[u8]) -> Result<(), Stop> {
        let failed = |error: std::io::Error| Stop::io(shown(&self.path(path)), &error);
        let Some((folder, name)) = self.parent(path, true).map_err(self.failed(path))? else {
            return Err(failed(Errno::NOENT.into()));
        };
        let partial = partial(name);
        let write = || -> std::io::Result<()> {
            match unlinkat(&folder, &partial, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let mode = Mode::from_bits_truncate(PUBLIC.1);
            let mut file = File::from(openat(&folder, &partial, flags, mode)?);
            fchmod(&file, mode)?;
            file.write_all(octets)?;
            file.sync_all()?;
            renameat(&folder, &partial, &folder, name)?;
            File::from(folder.try_clone()?).sync_all()
        };
        write().map_err(|error| {
            let _ = unlinkat(&folder, &partial, AtFlags::empty());
            failed(error)
        })
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &str) -> Result<(), Stop> {
        match self.parent(path, false).map_err(self.failed(path))? {
            Some((folder, name)) => {
                unlinkat(&folder, name, AtFlags::empty()).map_err(self.failed(path))
            }
            None => Ok(()),
        }
    }

    /// Lists everything below a folder that is no folder itself, by its path; folders that are
    /// deeper than any that is made here are listed as they are.
    pub(crate) fn list(&self, below: &str) -> Result<Vec<String>, Stop> {
        let (mut open, mut found) = (vec![below.to_string()], Vec::new());
        while let Some(path) = open.pop() {
            let inside = format!("{path}/");
            let folder = match self.parent(&inside, false) {
                Ok(Some((folder, _))) if within(&path) => folder,
                Ok(None) => continue,
                Ok(Some(_)) | Err(Errno::NOTDIR | Errno::LOOP) => {
                    found.push(path);
                    continue;
                }
                Err(error) => return Err(self.failed(&path)(error)),
            };
            for entry in Dir::read_from(&folder).map_err(self.failed(&path))? {
                let entry = entry.map_err(self.failed(&path))?;
                let name = entry.file_name().to_string_lossy();
                if name != "." && name != ".." {
                    open.push(format!("{path}/{name}"));
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

fn within(path: &str) -> bool {
    DEPTH.judge(path.split('/').count()).is_ok()
}

/// The hidden name of a file while it is written.
pub(crate) fn partial(name: &str) -> String {
    format!(".{name}.partial")
}

/// Writes a file beside which nothing else is looked at.
pub(crate) fn put(path: &Path, octets: &[u8]) -> Result<(), Stop> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Beneath::open(folder.unwrap_or(Path::new(".")))?.put(name, octets)
}
