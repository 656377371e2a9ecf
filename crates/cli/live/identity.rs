//! The identity of the live image: measured from the boot medium, compared with the papers, and
//! kept for the transcript.

use std::fs;
use std::path::Path;

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::record::NO_IMAGE;
use ceremony::rule::RuleId;
use ceremony::says;
use serde::Deserialize;

use super::system::System;
use crate::files::{not_text, read_document, said};
use crate::halt::Halt;

/// The file with the measured identity, in RAM; it exists only in the live image.
const MEASURED: &str = "/run/gishiki/image";

/// The image's identity in `image.toml` on the operators' medium, a file pinned in the repository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Papers {
    /// The SHA-256 digest of the ISO file.
    iso_sha256: Digest,
    /// The expected value of PCR 11, if a TPM measured it.
    pcr_11: String,
}

/// Stores the measured digest.
pub(super) fn keep(medium: &Digest) -> Result<(), Halt> {
    let failed = |error: std::io::Error| {
        Halt::media(RuleId::S_LIVE, Bilingual::plain(MEASURED), said(&error))
    };
    fs::create_dir_all("/run/gishiki").map_err(failed)?;
    fs::write(MEASURED, medium.to_string()).map_err(failed)
}

/// Returns the digest of the running image for the transcript, or `none` outside a live image.
pub(crate) fn measured() -> String {
    fs::read_to_string(MEASURED).unwrap_or_else(|_| NO_IMAGE.to_string())
}

/// Refuses an image that differs from the one that the papers name.
pub(super) fn compare(papers: &Path, system: &System) -> Result<(), Halt> {
    let octets = read_document(papers)?;
    let wrong = |found: Bilingual| {
        let asked = says!("{} にあるイメージの値", "the image's identity in {}", papers.display());
        Halt::media(RuleId::S_IMAGE, asked, found)
    };
    let text = std::str::from_utf8(&octets).map_err(|error| wrong(not_text(&error)))?;
    let papers: Papers = toml::from_str(text).map_err(|error| wrong(Bilingual::plain(error)))?;
    if papers.iso_sha256 != system.medium {
        let named = papers.iso_sha256;
        let asked = says!("書類にあるイメージ {named}", "the image that the papers name, {named}");
        return Err(Halt::media(RuleId::S_IMAGE, asked, Bilingual::plain(system.medium)));
    }
    let measured = system.pcrs.iter().find(|(number, _)| *number == 11);
    match measured {
        Some((_, value)) if *value != papers.pcr_11 => Err(Halt::media(
            RuleId::S_IMAGE,
            says!("書類にある PCR 11 の値 {}", "PCR 11 as the papers name it, {}", papers.pcr_11),
            Bilingual::plain(value),
        )),
        Some(_) | None => Ok(()),
    }
}
