//! Computes the TPM registers to expect after a unified kernel image has booted (TCG PC Client
//! Platform Firmware Profile; systemd-stub of version 257).

use ceremony::hex::Digest;
use ceremony::rule::RuleId;
use ceremony::says;

use crate::Fault;

/// The expected values of platform configuration registers (PCRs), SHA-256 bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// PCR 4, boot loader code: the image itself, and the kernel that it starts.
    pub pcr_4: Digest,
    /// PCR 11: the sections of the unified kernel image, in systemd-stub's order.
    pub pcr_11: Digest,
}

/// The sections in the order in which systemd-stub measures them. Only `.pcrsig` is not measured.
const SECTIONS: [&str; 13] = [
    ".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname", ".sbat",
    ".pcrpkey", ".profile", ".dtbauto", ".hwids",
];

/// A portable executable (PE), reduced to what is measured.
struct Executable<'o> {
    octets: &'o [u8],
    optional_header: usize,
    sections: Vec<Section<'o>>,
}

struct Section<'o> {
    name: String,
    octets: &'o [u8],
    raw: (usize, usize),
}

/// Computes the expected registers for this unified kernel image.
///
/// # Errors
/// `S-PIN` if it is not a portable executable for x86-64 with a kernel in it.
pub fn measure(uki: &[u8]) -> Result<Measured, Fault> {
    let wrong = || {
        Fault::new(
            RuleId::S_PIN,
            says!("x86-64 の統合カーネルイメージ", "a unified kernel image for x86-64"),
            says!("ほかのファイル", "another file"),
        )
    };
    let image = Executable::read(uki).ok_or_else(wrong)?;
    let mut pcr_11 = Register::default();
    for name in SECTIONS {
        if let Some(section) = image.sections.iter().find(|section| section.name == name) {
            pcr_11.extend(&Digest::of(&[name.as_bytes(), b"\0"].concat()));
            pcr_11.extend(&Digest::of(section.octets));
        }
    }
    let mut pcr_4 = Register::default();
    pcr_4.extend(&Digest::of(b"Calling EFI Application from Boot Option"));
    pcr_4.extend(&Digest::of(&[0; 4]));
    pcr_4.extend(&image.authenticode().ok_or_else(wrong)?);
    // The stub starts the kernel through the firmware, which measures it as the next application.
    let kernel =
        image.sections.iter().find(|section| section.name == ".linux").ok_or_else(wrong)?;
    let kernel = Executable::read(kernel.octets).and_then(|kernel| kernel.authenticode());
    pcr_4.extend(&kernel.ok_or_else(wrong)?);
    Ok(Measured { pcr_4: pcr_4.0, pcr_11: pcr_11.0 })
}

/// A PCR. It can only be extended: its new value is the digest of its old value and the new digest.
struct Register(Digest);

impl Default for Register {
    fn default() -> Self {
        Self(Digest([0; 32]))
    }
}

impl Register {
    fn extend(&mut self, digest: &Digest) {
        self.0 = Digest::of(&[self.0.0, digest.0].concat());
    }
}

impl<'o> Executable<'o> {
    fn read(octets: &'o [u8]) -> Option<Self> {
        let header = usize::try_from(word(octets, 0x3c)?).ok()?;
        if octets.get(..2)? != b"MZ" || octets.get(header..header + 4)? != b"PE\0\0" {
            return None;
        }
        let count = half(octets, header + 6)?;
        let optional_size = half(octets, header + 20)?;
        let optional_header = header + 24;
        // Only PE32+, in which the data directories begin at offset 112.
        if half(octets, optional_header)? != 0x20b {
            return None;
        }
        let table = optional_header + usize::from(optional_size);
        let sections = (0..usize::from(count)).map(|number| {
            let entry = octets.get(table + number * 40..table + number * 40 + 40)?;
            let name = entry.get(..8)?.split(|octet| *octet == 0).next()?;
            let virtual_size = usize::try_from(word(entry, 8)?).ok()?;
            let size = usize::try_from(word(entry, 16)?).ok()?;
            let at = usize::try_from(word(entry, 20)?).ok()?;
            Some(Section {
                name: String::from_utf8_lossy(name).into_owned(),
                octets: octets.get(at..at + virtual_size.min(size))?,
                raw: (at, size),
            })
        });
        Some(Self { octets, optional_header, sections: sections.collect::<Option<_>>()? })
    }

    /// The Authenticode digest, which firmware measures: everything except the checksum, the entry
    /// of the certificate table, and the signatures.
    fn authenticode(&self) -> Option<Digest> {
        let octets = self.octets;
        let checksum = self.optional_header + 64;
        let directory = self.optional_header + 112 + 4 * 8;
        let headers = usize::try_from(word(octets, self.optional_header + 60)?).ok()?;
        let mut hashed = octets.get(..checksum)?.to_vec();
        hashed.extend(octets.get(checksum + 4..directory)?);
        hashed.extend(octets.get(directory + 8..headers)?);
        let mut sections: Vec<(usize, usize)> =
            self.sections.iter().map(|section| section.raw).filter(|(_, size)| *size > 0).collect();
        sections.sort_unstable();
        let (mut end, mut last) = (headers, 0);
        for (at, size) in sections {
            // Overlapping sections are refused: they would let a small file need much memory.
            if at < last {
                return None;
            }
            last = at.checked_add(size)?;
            hashed.extend(octets.get(at..at + size)?);
            end += size;
        }
        let signatures = usize::try_from(word(octets, directory + 4)?).ok()?;
        hashed.extend(octets.get(end..octets.len().checked_sub(signatures)?).unwrap_or_default());
        Some(Digest::of(&hashed))
    }
}

fn word(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(octets.get(at..at + 4)?.try_into().ok()?))
}

fn half(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(octets.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops where it fails"
    )]
    use super::*;

    /// A file with these sections, each by its name, its place and its length.
    fn executable(sections: &[(&str, usize, usize)], length: usize) -> Vec<u8> {
        let mut octets = vec![0; length];
        octets[..2].copy_from_slice(b"MZ");
        octets[0x3c] = 0x80;
        octets[0x80..0x84].copy_from_slice(b"PE\0\0");
        octets[0x86] = sections.len().try_into().unwrap();
        octets[0x94] = 240;
        octets[0x98..0x9a].copy_from_slice(&[0x0b, 0x02]);
        octets[0x98 + 60..0x98 + 62].copy_from_slice(&0x400_u16.to_le_bytes());
        for (number, (name, at, size)) in sections.iter().enumerate() {
            let entry = 0x98 + 240 + 40 * number;
            octets[entry..entry + name.len()].copy_from_slice(name.as_bytes());
            for (place, value) in [(8, size), (16, size), (20, at)] {
                let value = u32::try_from(*value).unwrap().to_le_bytes();
                octets[entry + place..entry + place + 4].copy_from_slice(&value);
            }
        }
        octets
    }

    #[test]
    fn sections_that_overlap_are_refused() {
        let kernel = executable(&[(".text", 0x400, 0x100)], 0x500);
        let image = |sections: &[(&str, usize, usize)]| {
            let mut image = executable(sections, 0x400);
            image.extend(&kernel);
            image.resize(0x1000, 0);
            measure(&image)
        };
        assert!(image(&[(".linux", 0x400, 0x500), (".osrel", 0x900, 8)]).is_ok());
        for sections in [
            [(".linux", 0x400, 0x500), (".osrel", 0x8ff, 8)],
            [(".linux", 0x400, 0x500), (".initrd", 0x400, 0x500)],
        ] {
            assert_eq!(image(&sections).unwrap_err().rule, ceremony::rule::RuleId::S_PIN);
        }
    }
}
