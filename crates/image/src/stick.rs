//! Writes an image to a USB stick or a file, and reads it back.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::fs::{Advice, OFlags, fadvise};

use crate::{Fault, unusable};

/// Writes the ISO, reads it back and compares. Returns its SHA-256.
///
/// The target is a file that does not exist yet, or a whole device that is removable, not mounted
/// and large enough.
///
/// # Errors
/// `S-STICK` if the target is neither, or other octets are read back; `S-FILE` if a file cannot be
/// read or written.
pub fn write(iso: &Path, to: &Path) -> Result<Digest, Fault> {
    let octets = fs::read(iso).map_err(|error| unusable(iso, &error))?;
    let failed = |error: std::io::Error| unusable(to, &error);
    let mut file = match fs::metadata(to) {
        Ok(found) if found.file_type().is_block_device() => {
            refuse_precious(
                to,
                Path::new("/sys/class/block"),
                u64::try_from(octets.len()).unwrap_or(u64::MAX),
            )?;
            // The kernel refuses O_EXCL for a device that is in use, for example mounted.
            let alone = OFlags::EXCL.bits().cast_signed();
            let mut options = OpenOptions::new();
            options.read(true).write(true).custom_flags(alone).open(to).map_err(failed)?
        }
        Ok(_) => return Err(stick(to, says!("既にあるファイル", "a file that is there already"))),
        Err(_) => {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create_new(true).open(to).map_err(failed)?
        }
    };
    file.write_all(&octets).and_then(|()| file.sync_all()).map_err(failed)?;
    if read_back(&mut file, octets.len()).map_err(failed)? == octets {
        Ok(Digest::of(&octets))
    } else {
        Err(stick(to, says!("読み戻すと異なる内容", "different octets when read back")))
    }
}

/// Reads the first `count` octets back from the stick itself; the page cache is dropped first.
fn read_back(file: &mut File, count: usize) -> std::io::Result<Vec<u8>> {
    fadvise(&*file, 0, None, Advice::DontNeed)?;
    file.rewind()?;
    let mut read = vec![0; count];
    file.read_exact(&mut read)?;
    Ok(read)
}

fn stick(to: &Path, found: Bilingual) -> Fault {
    Fault::new(
        RuleId::S_STICK,
        says!(
            "新しいファイル、又は取り外せる USB メモリー: {}",
            "a new file or a removable stick at {}",
            to.display()
        ),
        found,
    )
}

/// Refuses a device that is not a whole, removable, unmounted stick of sufficient size.
fn refuse_precious(device: &Path, sys: &Path, octets: u64) -> Result<(), Fault> {
    let device = fs::canonicalize(device).map_err(|error| unusable(device, &error))?;
    let block = sys.join(device.file_name().unwrap_or_default());
    let text =
        |name: &str| fs::read_to_string(block.join(name)).unwrap_or_default().trim().to_string();
    if block.join("partition").exists() {
        return Err(stick(
            &device,
            says!(
                "パーティション。USB メモリー全体を指定する",
                "a partition; name the whole stick"
            ),
        ));
    }
    if text("removable") != "1" {
        return Err(stick(&device, says!("取り外せない装置", "a device that is not removable")));
    }
    if text("ro") != "0" {
        return Err(stick(
            &device,
            says!("書き込みの禁じられた USB メモリー", "a stick that is write-protected"),
        ));
    }
    let sectors = text("size").parse::<u64>().unwrap_or(0);
    if sectors.saturating_mul(512) < octets {
        return Err(stick(
            &device,
            says!("{sectors} セクターの USB メモリー", "a stick of {sectors} sectors"),
        ));
    }
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    match mounts.lines().find(|line| line.starts_with(&*device.to_string_lossy())) {
        Some(line) => Err(stick(&device, says!("マウント中: {line}", "mounted: {line}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn an_image_is_read_back_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (iso, to) = (folder.path().join("iso"), folder.path().join("to"));
        fs::write(&iso, b"image").unwrap();
        assert_eq!(write(&iso, &to).unwrap(), Digest::of(b"image"));
        fs::write(&iso, b"other").unwrap();
        assert_eq!(write(&iso, &to).unwrap_err().rule, RuleId::S_STICK);
        assert_eq!(fs::read(&to).unwrap(), b"image");
    }

    #[test]
    fn a_device_that_is_no_free_stick_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("sdx");
        fs::write(&device, b"").unwrap();
        let sys = folder.path().join("sys");
        let set = |name: &str, text: &str| {
            fs::create_dir_all(sys.join("sdx")).unwrap();
            fs::write(sys.join("sdx").join(name), text).unwrap();
        };
        let refused = |octets| refuse_precious(&device, &sys, octets).unwrap_err().found;
        set("removable", "0\n");
        assert!(refused(1).en.contains("not removable"));
        set("removable", "1\n");
        set("ro", "1\n");
        assert!(refused(1).en.contains("write-protected"));
        set("ro", "0\n");
        set("size", "2\n");
        assert!(refused(1025).en.contains("2 sectors"));
        refuse_precious(&device, &sys, 1024).unwrap();
        set("partition", "1\n");
        assert!(refused(1).en.contains("partition"));
    }
}
