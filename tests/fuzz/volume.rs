//! Fuzzes the reader of an ISO: partition table and FAT volume with some octets changed. What
//! comes out is a file that is no longer than the ISO, or a refusal.
#![no_main]

use std::io::{Cursor, Write as _};
use std::sync::LazyLock;

/// Octets before the volume: the protective record, the table's header, its one entry.
const BEFORE: usize = 3 * 512;
const VOLUME: usize = 64 * 512;

static ISO: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut volume = Cursor::new(vec![0; VOLUME]);
    fatfs::format_volume(&mut volume, fatfs::FormatVolumeOptions::new()).unwrap();
    {
        let system = fatfs::FileSystem::new(&mut volume, fatfs::FsOptions::new()).unwrap();
        let folder = system.root_dir().create_dir("EFI").unwrap().create_dir("BOOT").unwrap();
        folder.create_file("BOOTX64.EFI").unwrap().write_all(&[0x4d; 3_000]).unwrap();
    }
    let mut iso = vec![0; BEFORE];
    iso[512..520].copy_from_slice(b"EFI PART");
    iso[512 + 72] = 2;
    iso[512 + 80] = 1;
    iso[512 + 84] = 128;
    let system = [
        0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
    ];
    iso[1_024..1_040].copy_from_slice(&system);
    iso[1_024 + 32] = 3;
    iso[1_024 + 40] = 3 + 64 - 1;
    iso.extend(volume.into_inner());
    assert_eq!(image::unified_kernel_image(&iso).unwrap(), [0x4d; 3_000]);
    iso
});

// Each four octets change one: three say where, the last says to what.
libfuzzer_sys::fuzz_target!(|changes: &[u8]| {
    let mut iso = ISO.clone();
    for change in changes.chunks_exact(4) {
        let place = usize::from(change[0]) << 16 | usize::from(change[1]) << 8;
        let place = (place | usize::from(change[2])) % iso.len();
        iso[place] = change[3];
    }
    if let Ok(file) = image::unified_kernel_image(&iso) {
        assert!(file.len() <= iso.len());
    }
});
