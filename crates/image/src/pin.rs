//! The pin of an image: the digests and measurements that identify it.
//!
//! It is reviewed in the repository, carried to the room on the operators' medium, and compared
//! there before the token is used.

use std::path::Path;

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use serde::{Deserialize, Serialize};

use crate::{Fault, medium, recipe, unified, unusable};

/// The pin of one image, as in `golden/image/*.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pin {
    /// The version of the format: always 1.
    pub format: u32,
    /// The store name of the derivation that builds the ISO; absent if the pin was computed from
    /// the file alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derivation: Option<String>,
    /// The ISO's length in octets.
    pub iso_octets: u64,
    /// SHA-256 of the ISO.
    pub iso_sha256: Digest,
    /// SHA-256 of the Nix archive (NAR) of the derivation's output, a folder with the ISO in it.
    pub nar_sha256: Digest,
    /// SHA-256 of the unified kernel image in it.
    pub uki_sha256: Digest,
    /// The value of PCR 4 if firmware starts the image and nothing before it.
    pub pcr_4: Digest,
    /// The value of PCR 11, which measures the sections of the unified kernel image.
    pub pcr_11: Digest,
}

impl Pin {
    /// Computes the pin of this ISO.
    ///
    /// # Errors
    /// `S-PIN` if it is not an ISO with a unified kernel image in it.
    pub fn of(iso: &[u8], derivation: Option<String>) -> Result<Self, Fault> {
        let uki = medium::unified_kernel_image(iso)?;
        let measured = unified::measure(&uki)?;
        Ok(Self {
            format: 1,
            derivation,
            iso_octets: u64::try_from(iso.len()).unwrap_or(u64::MAX),
            iso_sha256: Digest::of(iso),
            nar_sha256: recipe::archive_of_output(iso)?,
            uki_sha256: Digest::of(&uki),
            pcr_4: measured.pcr_4,
            pcr_11: measured.pcr_11,
        })
    }

    /// Reads a pin.
    ///
    /// # Errors
    /// `S-FILE` if the file cannot be read; `S-PIN` if it is not a pin of format 1.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        let text = std::fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
        let wrong =
            |found: Bilingual| Fault::new(RuleId::S_PIN, Bilingual::plain(path.display()), found);
        let pin: Self = toml::from_str(&text).map_err(|error| wrong(Bilingual::plain(error)))?;
        if pin.format == 1 {
            Ok(pin)
        } else {
            Err(wrong(Bilingual::plain(format!("format {}", pin.format))))
        }
    }

    /// The pin as text, as it is written to a file.
    #[must_use]
    pub fn text(&self) -> String {
        let line =
            |name: &str, value: &dyn std::fmt::Display| format!("{name:<10} = \"{value}\"\n");
        let mut text = format!("{:<10} = 1\n", "format");
        if let Some(derivation) = &self.derivation {
            text.push_str(&line("derivation", derivation));
        }
        text.push_str(&format!("{:<10} = {}\n", "iso-octets", self.iso_octets));
        for (name, value) in [
            ("iso-sha256", &self.iso_sha256),
            ("nar-sha256", &self.nar_sha256),
            ("uki-sha256", &self.uki_sha256),
            ("pcr-4", &self.pcr_4),
            ("pcr-11", &self.pcr_11),
        ] {
            text.push_str(&line(name, value));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn what_is_no_pin_or_image_is_refused() {
        let zero = Digest([0; 32]);
        let pin = Pin {
            format: 1,
            derivation: None,
            iso_octets: 1,
            iso_sha256: zero,
            nar_sha256: zero,
            uki_sha256: zero,
            pcr_4: zero,
            pcr_11: zero,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Pin::read(&path)
        };
        assert_eq!(read(&pin.text()).unwrap(), pin);
        for (from, to) in [("= 1", "= 2"), ("iso-sha256", "iso-sha1"), ("\"0", "\"")] {
            assert_eq!(read(&pin.text().replacen(from, to, 1)).unwrap_err().rule, RuleId::S_PIN);
        }
        for octets in [vec![], vec![0; 1 << 20], b"MZ".repeat(4096)] {
            assert_eq!(Pin::of(&octets, None).unwrap_err().rule, RuleId::S_PIN);
            assert_eq!(unified::measure(&octets).unwrap_err().rule, RuleId::S_PIN);
        }
    }
}
