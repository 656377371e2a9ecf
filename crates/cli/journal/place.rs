//! Checks the media of a journal: two devices, each still mounted where it was at the beginning.
//!
//! The folder on each medium is held open while the journal is written. If its path later leads to
//! another folder, the medium was unmounted or replaced, and lines written to that path would not
//! be on the medium that people take home.

use std::fs::File;
use std::path::{Path, PathBuf};

use ceremony::record::Mode;
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::fs::{Mode as Permissions, OFlags, fstat, open, openat, stat};

use super::failed;
use crate::files;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::sources::shown;

/// An open handle of a folder; the path may not be a symbolic link.
#[derive(Debug)]
pub(super) struct Held(File);

impl Held {
    pub(super) fn open(folder: &Path) -> Result<Self, Halt> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = open(folder, flags, Permissions::empty());
        held.map(|held| Self(held.into())).map_err(|error| failed(folder, &error.into()))
    }

    /// Opens a file in the folder that was opened at first, even if the path now leads elsewhere.
    ///
    /// Follows no symbolic link.
    pub(super) fn file(&self, name: &str, flags: OFlags) -> std::io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, Permissions::from_raw_mode(0o666))?.into())
    }

    /// Checks that the path still leads to this folder.
    pub(super) fn is_at(&self, folder: &Path) -> std::io::Result<()> {
        let (held, found) = (fstat(&self.0)?, stat(folder)?);
        if (held.st_dev, held.st_ino) == (found.st_dev, found.st_ino) {
            return Ok(());
        }
        Err(files::ours(says!(
            "別のフォルダー(媒体が抜かれたか、差し替えられた)",
            "another folder: the medium was taken out or replaced"
        )))
    }
}

/// Refuses two journals on one device, because both would be lost together.
///
/// In a drill this is only a warning.
pub(crate) fn two_devices(folders: &[PathBuf], mode: Mode, lang: Lang) -> Result<(), Halt> {
    let [a, b] = folders else { return Ok(()) };
    let (Some(on_a), Some(on_b)) = (device(a), device(b)) else { return Ok(()) };
    if on_a != on_b {
        return Ok(());
    }
    if mode == Mode::Real {
        let asked = super::two_folders();
        let (a, b) = (shown(a), shown(b));
        let found = says!("同じ媒体の上にある {a} と {b}", "{a} and {b} on one device");
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

/// Returns the device number of a folder, or of its nearest existing parent.
fn device(folder: &Path) -> Option<u64> {
    let folder = std::path::absolute(folder).ok()?;
    folder.ancestors().find_map(|above| stat(above).ok()).map(|found| found.st_dev)
}
