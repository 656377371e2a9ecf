//! Finds the unified kernel image inside the ISO: partition table, EFI system partition, the file
//! that firmware starts.

use std::io::{Cursor, Read as _};

use crate::Fault;

use ceremony::rule::RuleId;

/// UEFI 5.3.3: the type of an EFI system partition, as it lies in the table.
const EFI_SYSTEM: [u8; 16] =
    [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
const SECTOR: u64 = 512;

/// The file `EFI/BOOT/BOOTX64.EFI` of the ISO's EFI system partition.
///
/// # Errors
/// `S-PIN` if there is none.
pub fn unified_kernel_image(iso: &[u8]) -> Result<Vec<u8>, Fault> {
    let asked = "an ISO with an EFI system partition that holds EFI/BOOT/BOOTX64.EFI";
    let wrong = |found: String| Fault::new(RuleId::S_PIN, asked, found);
    let partition = system_partition(iso).ok_or_else(|| wrong("no such partition".into()))?;
    let failed = |error: std::io::Error| wrong(error.to_string());
    let options = fatfs::FsOptions::new();
    let volume =
        fatfs::FileSystem::new(Cursor::new(partition.to_vec()), options).map_err(failed)?;
    let mut file = volume.root_dir().open_file("EFI/BOOT/BOOTX64.EFI").map_err(failed)?;
    let mut octets = Vec::new();
    file.read_to_end(&mut octets).map_err(failed)?;
    Ok(octets)
}

fn system_partition(iso: &[u8]) -> Option<&[u8]> {
    let table = slice(iso, SECTOR, SECTOR)?;
    if !table.starts_with(b"EFI PART") {
        return None;
    }
    let first = number(table, 72)?.checked_mul(SECTOR)?;
    let (count, size) = (half(table, 80)?, half(table, 84)?);
    (0..u64::from(count)).find_map(|entry| {
        let entry = slice(iso, first + entry * u64::from(size), u64::from(size))?;
        if entry.get(..16)? != EFI_SYSTEM {
            return None;
        }
        let (from, to) = (number(entry, 32)?, number(entry, 40)?);
        slice(iso, from.checked_mul(SECTOR)?, (to + 1).checked_sub(from)?.checked_mul(SECTOR)?)
    })
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
