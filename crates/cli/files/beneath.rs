//! Opens paths on a medium without following symbolic links or leaving the medium's file system.
//!
//! The kernel resolves each path (`openat2` with `RESOLVE_BENEATH`, `RESOLVE_NO_SYMLINKS` and
//! `RESOLVE_NO_XDEV`), so a path cannot change between check and use.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use ceremony::bounds::{DEPTH, SEALED_FILE};
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, open, openat2};
use rustix::io::Errno;

use crate::files::said;
use crate::halt::Halt;
use crate::sources::shown;

/// A folder below which paths are opened.
#[derive(Debug)]
pub(crate) struct Beneath {
    at: PathBuf,
    root: OwnedFd,
}

impl Beneath {
    /// Opens the folder at which a medium is mounted.
    pub(crate) fn of(at: &Path) -> Result<Self, Halt> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match open(at, flags, Mode::empty()) {
            Ok(root) => Ok(Self { at: at.to_path_buf(), root }),
            Err(error) => Err(Halt::media(RuleId::S_MEDIUM, asked(at), found(error))),
        }
    }

    /// Returns whether the path exists.
    ///
    /// Refuses it if it, or anything in it, is not a regular file or a folder on this file system.
    pub(crate) fn judge(&self, path: &Path) -> Result<bool, Halt> {
        self.judge_within(path, 0)
    }

    fn judge_within(&self, path: &Path, depth: usize) -> Result<bool, Halt> {
        let there = match self.open(path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(there) => there,
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(self.refused(path, found(error))),
        };
        let kind = self.kind(path, &there)?;
        match kind {
            FileType::RegularFile => {}
            FileType::Directory if DEPTH.judge(depth).is_err() => {
                return Err(self.too_deep(path));
            }
            FileType::Directory => {
                for name in self.names(path)? {
                    self.judge_within(&path.join(name), depth + 1)?;
                }
            }
            FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => return Err(self.refused(path, named(kind))),
        }
        Ok(true)
    }

    /// Creates the folder and its missing parents, and returns its full path.
    pub(crate) fn make(&self, path: &Path) -> Result<PathBuf, Halt> {
        let mut made = PathBuf::new();
        for part in path.components() {
            let above = match made.as_os_str().is_empty() {
                true => Path::new("."),
                false => made.as_path(),
            };
            let folder = OFlags::PATH | OFlags::DIRECTORY;
            let above = self.open(above, folder).map_err(|e| self.refused(&made, found(e)))?;
            made.push(part);
            match mkdirat(&above, part.as_os_str(), Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(self.refused(&made, said(&error.into()))),
            }
            self.open(&made, folder).map_err(|error| self.refused(&made, found(error)))?;
        }
        Ok(self.at.join(path))
    }

    /// Reads every file in a folder and its subfolders, by relative name.
    pub(crate) fn read(&self, folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
        let mut files = BTreeMap::new();
        self.read_into(&mut files, folder, "", 0)?;
        Ok(files)
    }

    fn read_into(
        &self,
        files: &mut BTreeMap<String, Vec<u8>>,
        folder: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), Halt> {
        DEPTH.judge(depth).map_err(|_| self.too_deep(folder))?;
        for name in self.names(folder)? {
            let path = folder.join(&name);
            let name = format!("{prefix}{}", name.to_string_lossy());
            let file = self
                .open(&path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK)
                .map_err(|error| self.refused(&path, found(error)))?;
            let kind = self.kind(&path, &file)?;
            match kind {
                FileType::RegularFile => {
                    let mut octets = Vec::new();
                    let mut file = File::from(file).take(SEALED_FILE.most + 1);
                    file.read_to_end(&mut octets)
                        .map_err(|error| self.refused(&path, said(&error)))?;
                    SEALED_FILE
                        .judge(octets.len())
                        .map_err(|exceeded| self.refused(&path, exceeded.said()))?;
                    files.insert(name, octets);
                }
                FileType::Directory => {
                    self.read_into(files, &path, &format!("{name}/"), depth + 1)?;
                }
                FileType::Symlink
                | FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => return Err(self.refused(&path, named(kind))),
            }
        }
        Ok(())
    }

    /// Lists the names in a folder, sorted.
    fn names(&self, folder: &Path) -> Result<Vec<OsString>, Halt> {
        let refused = |error: Errno| self.refused(folder, found(error));
        let opened = self.open(folder, OFlags::RDONLY | OFlags::DIRECTORY).map_err(refused)?;
        let mut names = Vec::new();
        for entry in Dir::new(opened).map_err(refused)? {
            let name = entry.map_err(refused)?.file_name().to_bytes().to_vec();
            if !matches!(name.as_slice(), b"." | b"..") {
                names.push(OsString::from_vec(name));
            }
        }
        names.sort();
        Ok(names)
    }

    fn kind(&self, path: &Path, file: &OwnedFd) -> Result<FileType, Halt> {
        let told = fstat(file).map_err(|error| self.refused(path, said(&error.into())))?;
        Ok(FileType::from_raw_mode(told.st_mode))
    }

    fn open(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        openat2(&self.root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
    }

    fn too_deep(&self, path: &Path) -> Halt {
        let (most, unit, unit_ja) = (DEPTH.most, DEPTH.unit, DEPTH.unit_ja);
        self.refused(path, says!("{unit_ja} {most} を超えるもの", "more than {most} {unit}"))
    }

    fn refused(&self, path: &Path, found: Bilingual) -> Halt {
        Halt::media(RuleId::S_MEDIUM, asked(&self.at.join(path)), found)
    }
}

fn asked(path: &Path) -> Bilingual {
    let path = shown(path);
    says!(
        "この媒体自身にある通常のファイル又はフォルダー {path}",
        "{path}, a plain file or folder of this medium itself"
    )
}

fn found(error: Errno) -> Bilingual {
    match error {
        Errno::LOOP => says!("リンク", "a link"),
        Errno::XDEV => says!("媒体の外に出るパス", "a path that leads off the medium"),
        Errno::NOTDIR => says!("フォルダーでないもの", "no folder"),
        other => said(&other.into()),
    }
}

fn named(kind: FileType) -> Bilingual {
    match kind {
        FileType::RegularFile => says!("ファイル", "a file"),
        FileType::Directory => says!("フォルダー", "a folder"),
        FileType::Symlink => says!("リンク", "a link"),
        FileType::Fifo => says!("パイプ", "a pipe"),
        FileType::Socket => says!("ソケット", "a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => says!("デバイス", "a device"),
        FileType::Unknown => says!("種別の分からないもの", "something unknown"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use std::fs;
    use std::os::unix::fs::{chown, symlink};
    use std::process::Command;

    use super::*;

    fn refusal<T>(done: Result<T, Halt>) -> String {
        match done {
            Err(Halt::Media(fault)) => {
                assert_eq!(fault.rule, RuleId::S_MEDIUM);
                fault.found.en
            }
            Err(_) | Ok(_) => panic!("accepted"),
        }
    }

    #[test]
    fn no_path_is_followed_through_a_link() {
        let medium = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let beneath = Beneath::of(medium.path()).unwrap();
        let at = |name: &str| medium.path().join(name);
        symlink(elsewhere.path(), at("away")).unwrap();
        symlink(".", at("itself")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink("../away", at("folder/deep")).unwrap();
        for name in ["away", "itself", "folder", "folder/deep", "away/x"] {
            assert_eq!(refusal(beneath.judge(Path::new(name))), "a link", "{name}");
        }
        for name in ["away/journal", "itself/journal", "folder/deep/journal", "away"] {
            let found = refusal(beneath.make(Path::new(name)));
            assert!(["a link", "no folder"].contains(&found.as_str()), "{name}: {found}");
        }
        assert_eq!(refusal(beneath.read(Path::new("away"))), "a link");
        assert_eq!(refusal(beneath.read(Path::new("folder"))), "a link");
        for outside in ["../x", "/"] {
            assert_eq!(refusal(beneath.judge(Path::new(outside))), found(Errno::XDEV).en);
        }
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing was written");
    }

    #[test]
    fn what_is_plain_is_made_judged_and_read() {
        let medium = tempfile::tempdir().unwrap();
        let beneath = Beneath::of(medium.path()).unwrap();
        let ceremony = Path::new("2026-04-genesis/sealed");
        assert!(!beneath.judge(ceremony).unwrap());
        for _ in 0..2 {
            assert_eq!(beneath.make(ceremony).unwrap(), medium.path().join(ceremony));
        }
        fs::create_dir(medium.path().join(ceremony).join("inputs")).unwrap();
        fs::write(medium.path().join(ceremony).join("inputs/plan.toml"), "x").unwrap();
        assert!(beneath.judge(ceremony).unwrap());
        let read = beneath.read(ceremony).unwrap();
        assert_eq!(read, BTreeMap::from([("inputs/plan.toml".to_string(), b"x".to_vec())]));
        let pipe = medium.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(refusal(beneath.judge(Path::new("pipe"))), "a pipe");
        assert_eq!(refusal(beneath.read(Path::new("."))), "a pipe");
        // Root can use a USB stick that another machine wrote under another owner.
        if rustix::process::geteuid().is_root() {
            chown(medium.path().join("2026-04-genesis"), Some(1000), Some(1000)).unwrap();
            assert!(beneath.judge(ceremony).unwrap());
            beneath.make(ceremony).unwrap();
        }
    }

    #[test]
    fn no_path_leads_onto_another_file_system() {
        let beneath = Beneath::of(Path::new("/")).unwrap();
        // `/proc` is a separate file system on every machine.
        assert_eq!(refusal(beneath.judge(Path::new("proc"))), found(Errno::XDEV).en);
        assert_eq!(refusal(beneath.make(Path::new("proc/self/x"))), found(Errno::XDEV).en);
    }
}
