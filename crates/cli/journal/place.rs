//! Where a journal's media are: two devices, and each still where it was when the ceremony began.
//!
//! A folder is held open while its journal is written. A path that leads elsewhere afterwards is a
//! medium that was unmounted or replaced: what is written then would be on none that people take
//! home.

use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::sources::shown;
use std::fs::File;
use std::path::{Path, PathBuf};

use ceremony::record::Mode;
use ceremony::rule::RuleId;
use rustix::fs::{Mode as Permissions, OFlags, fstat, open, openat, stat};

use super::failed;

/// A folder that is held open, and never a link.
#[derive(Debug)]
pub(super) struct Held(File);

impl Held {
    pub(super) fn open(folder: &Path) -> Result<Self, Halt> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = open(folder, flags, Permissions::empty());
        held.map(|held| Self(held.into())).map_err(|error| failed(folder, &error.into()))
    }

    /// A file of this folder itself, whatever its path leads to by now, and never through a link.
    pub(super) fn file(&self, name: &str, flags: OFlags) -> std::io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, Permissions::from_raw_mode(0o666))?.into())
    }

    /// Whether the path still leads to this folder.
    pub(super) fn is_at(&self, folder: &Path) -> std::io::Result<()> {
        let (held, found) = (fstat(&self.0)?, stat(folder)?);
        if (held.st_dev, held.st_ino) == (found.st_dev, found.st_ino) {
            return Ok(());
        }
        Err(std::io::Error::other("another folder: the medium was taken out or replaced"))
    }
}

/// Refuses two journals on one device, which is lost as a whole; in a drill it is told.
pub(crate) fn two_devices(folders: &[PathBuf], mode: Mode, lang: Lang) -> Result<(), Halt> {
    let [a, b] = folders else { return Ok(()) };
    let (Some(on_a), Some(on_b)) = (device(a), device(b)) else { return Ok(()) };
    if on_a != on_b {
        return Ok(());
    }
    if mode == Mode::Real {
        let asked = "two journal folders, on two media";
        let found = format!("{} and {} on one device", shown(a), shown(b));
        return Err(Halt::media(RuleId::S_JOURNAL, asked, found));
    }
    let told = pick(
        lang,
        "! 記録の 2 つのフォルダーが同じ媒体の上にあります。本番では拒否されます。",
        "! both journal folders are on one device: in a real ceremony that is refused.",
    );
    crate::report::tell(told);
    Ok(())
}

/// The device of a folder, or of the one that it will be made in.
fn device(folder: &Path) -> Option<u64> {
    let folder = std::path::absolute(folder).ok()?;
    folder.ancestors().find_map(|above| stat(above).ok()).map(|found| found.st_dev)
}
