//! Finds media by their labels: the two for journals, an optional third for outputs, a drill's
//! token, the medium of plans, and the medium that the system was booted from.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::Instant;
use rustix::mount::{MountFlags, UnmountFlags, unmount};

use crate::files::{beneath::Beneath, names, said};
use crate::halt::Halt;
use crate::journal::Journal;
use crate::output;

/// The label of the image's ISO 9660 file system.
const IMAGE: &str = "GISHIKI";
/// The labels of the media, and where they are mounted.
const A: (&str, &str) = ("GISHIKI-A", "/media/a");
const B: (&str, &str) = ("GISHIKI-B", "/media/b");
const OUT: (&str, &str) = ("GISHIKI-OUT", "/media/out");
const TOKEN: (&str, &str) = ("GISHIKI-TOK", "/media/token");
const PLANS: (&str, &str) = ("GISHIKI-PLAN", "/media/plans");

/// A device with a labelled file system.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Volume {
    device: PathBuf,
    partition: bool,
    kind: &'static str,
    label: String,
}

/// The files and folders on the operators' medium besides the ceremony's folder.
const OPERATORS: [&str; 4] = ["room.toml", "image.toml", "anchor.toml", "ledger"];

/// Mounted media, checked so that no symbolic link is among the paths that a ceremony uses.
#[derive(Debug)]
pub(super) struct Media {
    mounted: Vec<(Volume, &'static str)>,
}

impl Media {
    /// Mounts the two media for journals, a third for outputs if present, and the token's in a
    /// drill.
    ///
    /// It then checks the paths on them that the ceremony will read or write.
    pub(super) fn mount(drill: bool, ceremony: &str) -> Result<Self, Halt> {
        let volumes = volumes();
        let mut media = Self { mounted: Vec::new() };
        let mut wanted = vec![(A, "ext4"), (B, "ext4")];
        if drill {
            wanted.push((TOKEN, "ext4"));
        }
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|((label, at), kind)| Ok((the_only(&volumes, label, Some(kind))?, at)))
            .collect::<Result<_, Halt>>()?;
        let out = match volumes.iter().any(|volume| volume.label == OUT.0) {
            true => Some((the_only(&volumes, OUT.0, None)?, OUT.1)),
            false => None,
        };
        for (volume, at) in wanted.into_iter().chain(out) {
            // SoftHSM never calls fsync, so its medium is mounted with synchronous writes.
            let durable = MountFlags::SYNCHRONOUS | MountFlags::DIRSYNC;
            let flags = if at == TOKEN.1 { durable } else { MountFlags::empty() };
            mount(volume, at, flags)?;
            media.mounted.push((volume.clone(), at));
        }
        media.judge(ceremony)?;
        Ok(media)
    }

    /// Returns the time of the ceremony's last record, if its media are plugged in.
    ///
    /// The media are mounted read-only and unmounted again.
    pub(super) fn last_record(ceremony: &str) -> Option<Instant> {
        let volumes = volumes();
        let mut media = Self { mounted: Vec::new() };
        let mut found = None;
        for (label, at) in [A, B] {
            let Ok(volume) = the_only(&volumes, label, Some("ext4")) else { continue };
            if mount(volume, at, MountFlags::RDONLY).is_err() {
                continue;
            }
            media.mounted.push((volume.clone(), at));
            let judged = Beneath::of(Path::new(at)).and_then(|at| at.judge(Path::new(ceremony)));
            if judged.is_ok_and(|there| there) {
                let journal = Path::new(at).join(ceremony).join("journal");
                found = found.max(Journal::last_at(&[journal]));
            }
        }
        found
    }

    /// Refuses symbolic links in the ceremony's paths, before people or the token are asked
    /// anything.
    fn judge(&self, ceremony: &str) -> Result<(), Halt> {
        for (_, at) in &self.mounted {
            let medium = Beneath::of(Path::new(at))?;
            let operators = OPERATORS.iter().filter(|_| *at == A.1).copied();
            let token = (*at == TOKEN.1).then_some("tokens");
            for path in operators.chain(token).chain([ceremony]) {
                medium.judge(Path::new(path))?;
            }
        }
        Ok(())
    }

    /// Says in English which media were found.
    pub(super) fn named(&self) -> String {
        let labels = self.mounted.iter();
        let labels = labels.map(|(at, _)| format!("{} ({})", at.label, at.device.display()));
        labels.collect::<Vec<_>>().join(", ")
    }

    /// Returns the mount point of the operators' medium.
    pub(super) fn operators(&self) -> &Path {
        Path::new(A.1)
    }

    /// Returns the folders of the ceremony's two journals.
    pub(super) fn journals(&self, ceremony: &str) -> [PathBuf; 2] {
        [A, B].map(|(_, at)| Path::new(at).join(ceremony).join("journal"))
    }

    /// Creates the ceremony's folder on both media for journals.
    pub(super) fn make(&self, ceremony: &str) -> Result<(), Halt> {
        [A, B].iter().try_for_each(|(_, at)| {
            Beneath::of(Path::new(at))?.make(Path::new(ceremony)).map(|_| ())
        })
    }

    /// Writes files into a folder on every medium for outputs, and verifies them.
    ///
    /// A folder that already exists is not written again. Then every medium is unmounted and
    /// mounted again, so that the files are read from the device. Returns the mount points.
    pub(super) fn copy_out(
        mut self,
        files: &BTreeMap<String, Vec<u8>>,
        to: &Path,
    ) -> Result<Vec<PathBuf>, Halt> {
        for at in self.outputs() {
            write(at, files, to)?;
        }
        let volumes = std::mem::take(&mut self.mounted);
        for (volume, at) in volumes.iter().rev() {
            // A lazy unmount, as in `drop`, would leave a busy medium mounted, and its files would
            // be read from the cache.
            if let Err(error) = unmount(*at, UnmountFlags::empty()) {
                let _ = unmount(*at, UnmountFlags::DETACH);
                let asked = says!(
                    "読み返すためにアンマウントした媒体 {}",
                    "the medium {}, unmounted to be read back",
                    volume.label
                );
                return Err(Halt::media(RuleId::S_OUT, asked, said(&error.into())));
            }
        }
        forget_what_was_read()?;
        let mut read = Vec::new();
        for (volume, at) in volumes.into_iter().filter(|(_, at)| *at != TOKEN.1) {
            mount(&volume, at, MountFlags::RDONLY)?;
            self.mounted.push((volume, at));
            read_back(Path::new(at), files, to)?;
            read.push(PathBuf::from(at));
        }
        Ok(read)
    }

    /// Returns the mount points of the media for outputs.
    fn outputs(&self) -> impl Iterator<Item = &'static Path> {
        self.mounted.iter().filter(|(_, at)| *at != TOKEN.1).map(|(_, at)| Path::new(*at))
    }
}

/// Writes a sealed folder to a medium, unless the folder exists already.
fn write(at: &Path, files: &BTreeMap<String, Vec<u8>>, to: &Path) -> Result<(), Halt> {
    let medium = Beneath::of(at)?;
    if medium.judge(to)? {
        return Ok(());
    }
    medium.make(to.parent().unwrap_or(Path::new("")))?;
    output::write(&at.join(to), files)
}

/// Refuses a medium whose folder differs from these files.
fn read_back(at: &Path, files: &BTreeMap<String, Vec<u8>>, to: &Path) -> Result<(), Halt> {
    match output::difference(files, &Beneath::of(at)?.read(to)?) {
        None => Ok(()),
        Some((name, how)) => {
            let to = at.join(to);
            let asked =
                says!("{} に書いたとおりの {name}", "{name} as it was written to {}", to.display());
            Err(Halt::media(RuleId::S_OUT, asked, how))
        }
    }
}

/// Unmounts all media, including those that were removed.
impl Drop for Media {
    fn drop(&mut self) {
        rustix::fs::sync();
        for (_, at) in self.mounted.drain(..).rev() {
            // A medium that was removed can only be unmounted lazily.
            if unmount(at, UnmountFlags::empty()).is_err() {
                let _ = unmount(at, UnmountFlags::DETACH);
            }
        }
    }
}

/// Syncs all writes, and drops the kernel's caches so that the next read is from the media.
fn forget_what_was_read() -> Result<(), Halt> {
    rustix::fs::sync();
    let caches = Path::new("/proc/sys/vm/drop_caches");
    fs::write(caches, "3").map_err(|error| failed(caches, &error))
}

/// Mounts the medium of plans read-only, and checks it.
pub(super) fn mount_plans() -> Result<PathBuf, Halt> {
    let volumes = volumes();
    mount(the_only(&volumes, PLANS.0, None)?, PLANS.1, MountFlags::RDONLY)?;
    let medium = Beneath::of(Path::new(PLANS.1))?;
    let judged = ["ceremony-plans", "golden", "ledger"]
        .iter()
        .try_for_each(|path| medium.judge(Path::new(path)).map(|_| ()));
    if let Err(halt) = judged {
        // Unmounts it, so that people can plug in another one.
        let _ = unmount(PLANS.1, UnmountFlags::DETACH);
        return Err(halt);
    }
    Ok(PathBuf::from(PLANS.1))
}

/// Mounts a medium on which no symbolic link is followed, no device file works, and no program can
/// be executed.
fn mount(volume: &Volume, at: &str, flags: MountFlags) -> Result<(), Halt> {
    fs::create_dir_all(at).map_err(|error| failed(Path::new(at), &error))?;
    let never =
        MountFlags::NOSYMFOLLOW | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount(&volume.device, at, volume.kind, flags | never, None).map_err(|error| {
        let (label, device) = (&volume.label, volume.device.display());
        let asked =
            says!("マウントした媒体 {label}({device})", "the medium {label} ({device}), mounted");
        Halt::media(RuleId::S_MEDIUM, asked, said(&error.into()))
    })
}

/// Returns the only volume with this label; refuses if there are none or several.
fn the_only<'v>(
    volumes: &'v [Volume],
    label: &str,
    kind: Option<&str>,
) -> Result<&'v Volume, Halt> {
    let named: Vec<&Volume> = volumes.iter().filter(|volume| volume.label == label).collect();
    let asked = match kind {
        Some(kind) => says!(
            "ラベル {label}、形式 {kind} の媒体 1 つ",
            "one medium labelled {label}, formatted as {kind}"
        ),
        None => says!("ラベル {label} の媒体 1 つ", "one medium labelled {label}"),
    };
    match named.as_slice() {
        [only] if kind.is_none_or(|kind| kind == only.kind) => Ok(only),
        [] => Err(Halt::media(RuleId::S_MEDIUM, asked, present(volumes))),
        several => {
            let shown: Vec<String> =
                several.iter().map(|v| format!("{} ({})", v.device.display(), v.kind)).collect();
            Err(Halt::media(RuleId::S_MEDIUM, asked, Bilingual::plain(shown.join(", "))))
        }
    }
}

fn present(volumes: &[Volume]) -> Bilingual {
    let mut labels: Vec<&str> = volumes.iter().map(|volume| volume.label.as_str()).collect();
    labels.dedup();
    match labels.is_empty() {
        true => says!("媒体なし", "no medium"),
        false => says!("{} のみ", "only {}", labels.join(", ")),
    }
}

/// Returns the SHA-256 digest of the boot medium, up to the last sector of the image.
///
/// That sector is the backup GPT header, whose address is in the primary header.
pub(super) fn boot_medium() -> Result<Digest, Halt> {
    let refused = |found: Bilingual| {
        let asked =
            says!("書類と照合するための起動媒体", "the boot medium, to compare it with the papers");
        Halt::media(RuleId::S_MEDIUM, asked, found)
    };
    let mut found = Vec::new();
    // USB devices appear only some time after boot.
    for _ in 0..40 {
        found = volumes();
        found.retain(|volume| volume.label == IMAGE && !volume.partition);
        if !found.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(250));
    }
    let volume = the_only(&found, IMAGE, None)?;
    let failed = |error: std::io::Error| refused(said(&error));
    let mut device = File::open(&volume.device).map_err(failed)?;
    let table = read_at(&mut device, 512, 92).map_err(failed)?;
    let last = table.get(32..40).and_then(|octets| octets.try_into().ok()).map(u64::from_le_bytes);
    let last = match last {
        Some(last) if table.starts_with(b"EFI PART") && last < 1 << 31 => last,
        Some(_) | None => {
            return Err(refused(says!(
                "パーティション表のないもの",
                "one without a partition table"
            )));
        }
    };
    device.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut octets = Vec::new();
    device.take((last + 1) * 512).read_to_end(&mut octets).map_err(failed)?;
    Ok(Digest::of(&octets))
}

/// Returns every volume with a label, on disks, CDs and their partitions.
fn volumes() -> Vec<Volume> {
    let Ok(devices) = entries(Path::new("/sys/class/block")) else { return Vec::new() };
    let mut found: Vec<Volume> = devices
        .iter()
        .filter_map(|entry| {
            let device = Path::new("/dev").join(entry.file_name()?);
            let (kind, label) = label(&mut File::open(&device).ok()?)?;
            Some(Volume { device, partition: entry.join("partition").exists(), kind, label })
        })
        .collect();
    found.sort_by(|a, b| (&a.label, &a.device).cmp(&(&b.label, &b.device)));
    found
}

/// Returns the type and label of a file system, from its superblock or boot sector.
fn label(device: &mut File) -> Option<(&'static str, String)> {
    let text = |octets: &[u8]| {
        let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
        String::from_utf8_lossy(octets.get(..end).unwrap_or_default()).trim().to_string()
    };
    let super_block = read_at(device, 1024, 136);
    if let Some(label) = super_block.ok().filter(|block| block.get(56..58) == Some(&[0x53, 0xef])) {
        return Some(("ext4", text(label.get(120..136)?)));
    }
    let volume = read_at(device, 32_768, 72);
    if let Some(volume) = volume.ok().filter(|volume| volume.get(1..6) == Some(b"CD001")) {
        return Some(("iso9660", text(volume.get(40..72)?)));
    }
    let boot = read_at(device, 0, 90).ok()?;
    if boot.get(82..87) == Some(b"FAT32") {
        return Some(("vfat", text(boot.get(71..82)?)));
    }
    if boot.get(54..57) == Some(b"FAT") {
        return Some(("vfat", text(boot.get(43..54)?)));
    }
    None
}

fn read_at(device: &mut File, at: u64, count: usize) -> std::io::Result<Vec<u8>> {
    let mut octets = vec![0; count];
    device.seek(SeekFrom::Start(at))?;
    device.read_exact(&mut octets)?;
    Ok(octets)
}

/// Returns the paths of the entries of a folder, sorted.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Halt> {
    let names = names(folder).map_err(|error| failed(folder, &error))?;
    Ok(names.iter().map(|(name, _)| folder.join(name)).collect())
}

/// Returns the paths of the folders in a folder, sorted.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, Halt> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.is_dir());
    Ok(paths)
}

pub(super) fn failed(path: &Path, error: &std::io::Error) -> Halt {
    let asked = says!("フォルダー {}", "the folder {}", path.display());
    Halt::media(RuleId::S_FILE, asked, said(error))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test stops where it fails"
    )]
    use super::*;

    fn volume(device: &str, kind: &'static str, label: &str) -> Volume {
        let (device, label) = (PathBuf::from(device), label.to_string());
        Volume { device, partition: false, kind, label }
    }

    #[test]
    fn a_medium_that_is_missing_doubled_or_of_another_form_is_named() {
        let there = [
            volume("/dev/sda", "ext4", "GISHIKI-A"),
            volume("/dev/sdb", "ext4", "GISHIKI-A"),
            volume("/dev/sdc", "vfat", "GISHIKI-B"),
            volume("/dev/sdd", "vfat", "GISHIKI-OUT"),
        ];
        assert_eq!(the_only(&there, "GISHIKI-OUT", None).unwrap(), &there[3]);
        assert_eq!(the_only(&there, "GISHIKI-B", Some("vfat")).unwrap(), &there[2]);
        for (label, kind, found) in [
            ("GISHIKI-A", Some("ext4"), "/dev/sda (ext4), /dev/sdb (ext4)"),
            ("GISHIKI-B", Some("ext4"), "/dev/sdc (vfat)"),
            ("GISHIKI-TOK", Some("ext4"), "only GISHIKI-A, GISHIKI-B, GISHIKI-OUT"),
        ] {
            let Err(Halt::Media(fault)) = the_only(&there, label, kind) else {
                panic!("{label}: accepted");
            };
            assert_eq!((fault.rule, fault.found.en.as_str()), (RuleId::S_MEDIUM, found));
            assert!(fault.asked.en.contains(label), "{}", fault.asked.en);
        }
    }

    #[test]
    fn a_file_system_is_known_by_its_own_fields() {
        let of = |fields: &[(usize, &[u8])]| {
            let mut octets = vec![0; 40_000];
            for (at, field) in fields {
                octets[*at..at + field.len()].copy_from_slice(field);
            }
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, &octets).unwrap();
            label(&mut file)
        };
        let named = |kind, label: &str| Some((kind, label.to_string()));
        assert_eq!(of(&[(1080, b"\x53\xef"), (1144, b"GISHIKI-A")]), named("ext4", "GISHIKI-A"));
        assert_eq!(of(&[(32_769, b"CD001"), (32_808, b"GISHIKI   ")]), named("iso9660", "GISHIKI"));
        assert_eq!(of(&[(82, b"FAT32"), (71, b"GISHIKI-OUT")]), named("vfat", "GISHIKI-OUT"));
        assert_eq!(of(&[(54, b"FAT16"), (43, b"GISHIKI-OUT")]), named("vfat", "GISHIKI-OUT"));
        assert_eq!(of(&[(54, b"NTFS")]), None);
    }
}
