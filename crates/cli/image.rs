//! `gishiki image`: the live image from outside, for builders and reviewers.

use std::path::Path;

use ::image::{Archive, Pin, Proved};
use ceremony::rule::RuleId;
use ceremony::says;

use crate::args::{Attest, ImageCommand};
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::report::print;
use crate::{attestations, files};

/// Performs a command on the image.
pub(crate) fn perform(command: &ImageCommand, lang: Lang) -> Result<(), Halt> {
    let repository = Path::new(".");
    match command {
        ImageCommand::Lock => print(&::image::refresh(repository).map_err(Halt::Media)?),
        ImageCommand::Archive { to, vendor } => {
            let program = std::env::current_exe().map_err(|error| {
                let asked = says!("このプログラムのファイル", "this program's file");
                Halt::media(RuleId::S_FILE, asked, files::said(&error))
            })?;
            let archive = ::image::archive(repository, to, vendor.as_deref(), &program);
            print(&archived(&archive.map_err(Halt::Media)?, to, lang))
        }
        ImageCommand::Seed { from, vendor } => {
            let count = ::image::seed(repository, from.as_deref(), vendor.as_deref())
                .map_err(Halt::Media)?;
            print(&format!(
                "{count} {}\n",
                pick(lang, "件の入力をストアに入れました", "inputs are in the store")
            ))
        }
        ImageCommand::Verify { pin, iso, recipe, ca } => {
            let pin = Pin::read(pin).map_err(Halt::Media)?;
            let proved = ::image::verify(&pin, iso, recipe, repository).map_err(Halt::Media)?;
            print(&compared(&proved, &pin, lang))?;
            ca.as_deref().map_or(Ok(()), |ca| attestations::judge(ca, &proved, &pin, lang))
        }
        ImageCommand::Attest(asked) => {
            let pin = Pin::read(&asked.pin).map_err(Halt::Media)?;
            let Attest { iso, recipe, .. } = asked;
            let proved = ::image::verify(&pin, iso, recipe, repository).map_err(Halt::Media)?;
            attestations::attest(asked, &proved, &pin, lang)
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

/// What an archive holds.
fn archived(archive: &Archive, to: &Path, lang: Lang) -> String {
    let head = match archive.found {
        true => pick(lang, "すでに揃っていて、変わっていません:", "whole already, and as it was:"),
        false => pick(lang, "集めて読み返しました:", "collected and read back:"),
    };
    let parts = [
        ("debian/", pick(lang, "イメージの Debian パッケージ", "the image's Debian packages")),
        ("crates/", pick(lang, "クレート", "crates")),
        ("vendor/", pick(lang, "製造者のファイル", "vendors' files")),
        (
            "host/",
            pick(lang, "Debian 12 用の Nix とその依存", "Nix for Debian 12, and what it needs"),
        ),
        ("gishiki", pick(lang, "このプログラム", "this program")),
        ("", pick(lang, "合計", "in all")),
    ];
    let lines: String = parts
        .into_iter()
        .map(|(folder, words)| {
            let (count, octets) = archive.sum(folder);
            let (whole, tenths) = (octets / 1_000_000, octets / 100_000 % 10);
            format!("  {count:>4} {whole:>5}.{tenths} MB  {folder:<8} {words}\n")
        })
        .collect();
    let index = pick(lang, "索引の SHA-256(控えておく)", "SHA-256 of the index, to be kept");
    format!("{head} {}\n{lines}{index}: {}\n", to.display(), archive.index)
}

/// Words what was compared and what was not, and claims no more than that.
fn compared(proved: &Proved, pin: &Pin, lang: Lang) -> String {
    let Proved { image, pinned, unused, derivations, inputs, sources, .. } = proved;
    let octets = match pinned {
        true => pick(lang, "このリポジトリの固定値とも一致", "and the pin in this repository"),
        false => pick(
            lang,
            "このリポジトリにこのイメージの固定値はない",
            "this repository has no pin of this image",
        ),
    };
    let unused = match unused.as_slice() {
        [] => String::new(),
        names => format!(
            "  {} {}\n",
            pick(
                lang,
                "固定値の一覧にあり、このイメージにない入力:",
                "locked, and not in this image:"
            ),
            names.join(", ")
        ),
    };
    let iso = pin.iso_sha256;
    match lang {
        Lang::Ja => format!(
            "比べて一致したもの: {image}\n  ISO: 渡された固定値、{octets}\n  sha256 {iso}\n  \
             レシピ: golden/image の導出\n  計算し直した導出: {derivations}\n  \
             固定値の一覧にある入力: {inputs}\n  リポジトリにあるソース: {sources}\n{unused}\
             比べていないもの:\n  このレシピからこの ISO ができること(nix-build で作り直す。作り直した者は --ca が示す)\n  \
             nix/*.nix からこのレシピができること(nix-instantiate . -A {image})\n"
        ),
        Lang::En => format!(
            "compared, and the same: {image}\n  the ISO with the given pin; {octets}\n  \
             sha256 {iso}\n  the recipe with the derivation that golden/image names\n  \
             derivations computed again: {derivations}\n  inputs, each in a lock: {inputs}\n  \
             sources, each as in this repository: {sources}\n{unused}not compared:\n  \
             that this recipe makes this ISO (build it again: nix-build; --ca shows who did)\n  \
             that nix/*.nix make this recipe (nix-instantiate . -A {image})\n"
        ),
    }
}
