//! `gishiki image`: the live image from outside, for builders and reviewers.

use std::path::Path;

use ::image::Pin;

use crate::args::{ImageCommand, Lang};
use crate::commands::{pick, print};
use crate::exit::Halt;

/// Performs a command on the image.
pub(crate) fn perform(command: &ImageCommand, lang: Lang) -> Result<(), Halt> {
    let repository = Path::new(".");
    match command {
        ImageCommand::Lock => print(&::image::refresh(repository).map_err(Halt::Media)?),
        ImageCommand::Seed { vendor } => {
            let count = ::image::seed(repository, vendor.as_deref()).map_err(Halt::Media)?;
            print(&format!(
                "{count} {}\n",
                pick(lang, "件の入力をストアに入れました", "inputs are in the store")
            ))
        }
        ImageCommand::Verify { pin, iso, recipe } => {
            let pin = Pin::read(pin).map_err(Halt::Media)?;
            let proved = ::image::verify(&pin, iso, recipe, repository).map_err(Halt::Media)?;
            print(&format!(
                "{}\n  {} {}\n  {} {}\n  {} {}\n  sha256 {}\n",
                pick(lang, "レシピと出力を検証しました", "recipe and output verified, without Nix"),
                pick(lang, "計算し直した derivation:", "derivations computed again:"),
                proved.derivations,
                pick(lang, "ロックにある入力:", "inputs, each in a lock:"),
                proved.inputs,
                pick(lang, "リポジトリにあるソース:", "sources, each as in this repository:"),
                proved.sources,
                pin.iso_sha256,
            ))
        }
        ImageCommand::Measure { uki } => {
            let octets = crate::files::read(uki)?;
            let measured = ::image::measure(&octets).map_err(Halt::Media)?;
            print(&format!("pcr-4  = \"{}\"\npcr-11 = \"{}\"\n", measured.pcr_4, measured.pcr_11))
        }
        ImageCommand::Pin { iso, derivation } => {
            let name = derivation.as_ref().and_then(|path| path.file_name());
            let name = name.map(|name| name.to_string_lossy().into_owned());
            let pin = Pin::of(&crate::files::read(iso)?, name).map_err(Halt::Media)?;
            print(&pin.text())
        }
        ImageCommand::Write { iso, to } => {
            let digest = ::image::write(iso, to).map_err(Halt::Media)?;
            print(&format!(
                "{} {}\n  sha256 {digest}\n",
                pick(lang, "書き込み、読み返しました:", "written and read back:"),
                to.display()
            ))
        }
    }
}
