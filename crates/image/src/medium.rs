//! Finds the unified kernel image inside the ISO, the way firmware does: partition table, EFI
//! system partition, `EFI/BOOT/BOOTX64.EFI`.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;

use crate::{Fault, said};

/// The type GUID of an EFI system partition, as encoded in the partition table (UEFI 5.3.3).
const EFI_SYSTEM: [u8; 16] =
    [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
const SECTOR: u64 = 512;

/// Returns the file `EFI/BOOT/BOOTX64.EFI` of the ISO's EFI system partition.
///
/// # Errors
/// `S-PIN` if the ISO has no such partition or file.
pub fn unified_kernel_image(iso: &[u8]) -> Result<Vec<u8>, Fault> {
    let wrong = |found: Bilingual| {
        let asked = says!(
            "EFI/BOOT/BOOTX64.EFI の入った EFI システムパーティションのある ISO",
            "an ISO with an EFI system partition that holds EFI/BOOT/BOOTX64.EFI"
        );
        Fault::new(RuleId::S_PIN, asked, found)
    };
    let partition = system_partition(iso)
        .ok_or_else(|| wrong(says!("そのようなパーティションなし", "no such partition")))?;
    let failed = |error: io::Error| wrong(said(&error));
    let options = fatfs::FsOptions::new();
    let volume = fatfs::FileSystem::new(Volume::new(partition), options).map_err(failed)?;
    let mut file = volume.root_dir().open_file("EFI/BOOT/BOOTX64.EFI").map_err(failed)?;
    let mut octets = Vec::new();
    file.read_to_end(&mut octets).map_err(failed)?;
    Ok(octets)
}

/// A volume with a limit on how much is read, because its cluster chains may be endless loops.
struct Volume<'o> {
    octets: Cursor<&'o [u8]>,
    left: usize,
}

impl<'o> Volume<'o> {
    /// The limit, as a multiple of the volume's size.
    const TIMES: usize = 4;
    /// The least number of octets that one read counts for.
    const LEAST: usize = 16;

    const fn new(partition: &'o [u8]) -> Self {
        let left = partition.len().saturating_mul(Self::TIMES);
        Self { octets: Cursor::new(partition), left }
    }
}

impl Read for Volume<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.octets.read(into)?;
        self.left = self.left.checked_sub(read.max(Self::LEAST)).ok_or_else(|| {
            os::ours(says!(
                "クラスターの連鎖が終わらないボリューム",
                "a volume whose cluster chains have no end"
            ))
        })?;
        Ok(read)
    }
}

impl Seek for Volume<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.octets.seek(to)
    }
}

impl Write for Volume<'_> {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn system_partition(iso: &[u8]) -> Option<&[u8]> {
    let table = slice(iso, SECTOR, SECTOR)?;
    if !table.starts_with(b"EFI PART") {
        return None;
    }
    let first = number(table, 72)?.checked_mul(SECTOR)?;
    let (count, size) = (half(table, 80)?, half(table, 84)?);
    // The number of entries is untrusted: the search ends at the first entry outside the ISO.
    for entry in 0..u64::from(count) {
        let entry = slice(iso, first.checked_add(entry * u64::from(size))?, u64::from(size))?;
        if entry.get(..16)? == EFI_SYSTEM {
            let (from, to) = (number(entry, 32)?, number(entry, 40)?);
            let sectors = to.checked_sub(from)?.checked_add(1)?;
            return slice(iso, from.checked_mul(SECTOR)?, sectors.checked_mul(SECTOR)?);
        }
    }
    None
}

fn slice(octets: &[u8], from: u64, count: u64) -> Option<&[u8]> {
    let from = usize::try_from(from).ok()?;
    octets.get(from..from.checked_add(usize::try_from(count).ok()?)?)
}

fn number(octets: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(octets.get(at..at + 8)?.try_into().ok()?))
}

fn half(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops where it fails"
    )]
    use super::*;

    /// An ISO whose partition table has these values and one entry.
    fn iso(first: u64, count: u32, size: u32, sectors: (u64, u64)) -> Vec<u8> {
        let mut iso = vec![0; 3 * 512];
        iso[512..520].copy_from_slice(b"EFI PART");
        iso[584..592].copy_from_slice(&first.to_le_bytes());
        iso[592..596].copy_from_slice(&count.to_le_bytes());
        iso[596..600].copy_from_slice(&size.to_le_bytes());
        iso[1_024..1_040].copy_from_slice(&EFI_SYSTEM);
        iso[1_056..1_064].copy_from_slice(&sectors.0.to_le_bytes());
        iso[1_064..1_072].copy_from_slice(&sectors.1.to_le_bytes());
        iso
    }

    /// The file's content, which is longer than one cluster.
    const IMAGE: [u8; 3_000] = [0x4d; 3_000];

    /// A volume with the file in it.
    fn volume() -> Vec<u8> {
        let mut volume = Cursor::new(vec![0; 64 * 512]);
        fatfs::format_volume(&mut volume, fatfs::FormatVolumeOptions::new()).unwrap();
        let system = fatfs::FileSystem::new(&mut volume, fatfs::FsOptions::new()).unwrap();
        let folder = system.root_dir().create_dir("EFI").unwrap().create_dir("BOOT").unwrap();
        folder.create_file("BOOTX64.EFI").unwrap().write_all(&IMAGE).unwrap();
        drop(folder);
        drop(system);
        volume.into_inner()
    }

    #[test]
    fn a_table_ends_where_the_iso_does() {
        let volume = volume();
        let whole = [iso(2, 1, 128, (3, 66)), volume].concat();
        assert_eq!(unified_kernel_image(&whole).unwrap(), IMAGE);
        for wrong in [
            iso(2, u32::MAX, 0, (0, 0)),
            iso(1, u32::MAX, 128, (0, 0)),
            iso(u64::MAX / SECTOR, u32::MAX, u32::MAX, (0, 0)),
            iso(2, 1, 128, (0, u64::MAX)),
            iso(2, 1, 128, (1, 0)),
        ] {
            assert_eq!(
                unified_kernel_image(&wrong).unwrap_err().rule,
                ceremony::rule::RuleId::S_PIN
            );
        }
    }

    #[test]
    fn a_chain_to_no_cluster_gives_another_file() {
        let mut volume = volume();
        let table = usize::from(volume[14]) * 512;
        // Clusters are counted from 2.
        volume[table + 12] = 1;
        let whole = [iso(2, 1, 128, (3, 66)), volume].concat();
        assert!(unified_kernel_image(&whole).is_ok_and(|image| image != IMAGE));
    }

    #[test]
    fn a_folder_without_an_end_is_refused() {
        let mut volume = volume();
        let name = b"BOOT       ";
        let at = volume.windows(name.len()).position(|octets| octets == name).unwrap();
        // The sector of the folder EFI gets only removed entries, and is its own successor.
        let sector = at / 512 * 512;
        for entry in (sector..sector + 512).step_by(32) {
            volume[entry] = 0xe5;
        }
        let table = usize::from(volume[14]) * 512;
        volume[table + 3..table + 5].copy_from_slice(&[2, 0xf0]);
        let whole = [iso(2, 1, 128, (3, 66)), volume].concat();
        let refused = unified_kernel_image(&whole).unwrap_err();
        assert!(refused.found.en.contains("no end"), "{refused}");
    }
}
