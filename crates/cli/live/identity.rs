//! Which image this is: measured from the boot medium, compared with the papers, and kept for the
//! transcript.

use std::fs;
use std::path::Path;

use ceremony::hex::Digest;
use ceremony::rule::RuleId;
use serde::Deserialize;

use super::system::System;
use crate::files::read_document;
use crate::halt::Halt;

/// Where the measured identity lies while the system is up; in RAM, only in the live image.
const MEASURED: &str = "/run/gishiki/image";

/// The image's identity as the operators' medium has it: the pinned file of the repository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Papers {
    /// SHA-256 of the ISO file.
    iso_sha256: Digest,
    /// What PCR 11 must be, where a TPM measured it.
    pcr_11: String,
}

/// Keeps what was measured.
pub(super) fn keep(medium: &Digest) -> Result<(), Halt> {
    let failed = |error: std::io::Error| Halt::media(RuleId::S_LIVE, MEASURED, error.to_string());
    fs::create_dir_all("/run/gishiki").map_err(failed)?;
    fs::write(MEASURED, medium.to_string()).map_err(failed)
}

/// The image that this program runs in, for the transcript; `none` outside a live image.
pub(crate) fn measured() -> String {
    fs::read_to_string(MEASURED).unwrap_or_else(|_| "none".to_string())
}

/// Refuses an image that is not the one that the papers name.
pub(super) fn compare(papers: &Path, system: &System) -> Result<(), Halt> {
    let octets = read_document(papers)?;
    let wrong = |found: String| {
        Halt::media(RuleId::S_IMAGE, format!("the image's identity in {}", papers.display()), found)
    };
    let text = std::str::from_utf8(&octets).map_err(|error| wrong(error.to_string()))?;
    let papers: Papers = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if papers.iso_sha256 != system.medium {
        let asked = format!("the image that the papers name, {}", papers.iso_sha256);
        return Err(Halt::media(RuleId::S_IMAGE, asked, system.medium.to_string()));
    }
    let measured = system.pcrs.iter().find(|(number, _)| *number == 11);
    match measured {
        Some((_, value)) if *value != papers.pcr_11 => Err(Halt::media(
            RuleId::S_IMAGE,
            format!("PCR 11 as the papers name it, {}", papers.pcr_11),
            value.clone(),
        )),
        Some(_) | None => Ok(()),
    }
}
