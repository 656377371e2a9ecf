//! Checks the live system before people are asked anything: no network except a reviewed link, no
//! late kernel modules, the reviewed kernel command line, and a boot medium whose digest is known.

use std::fs;
use std::path::Path;

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;

use super::hardware::Hardware;
use super::media;
use crate::files::said;
use crate::halt::Halt;
use crate::lang::{Lang, language, pick};
use crate::report::print;

/// A system that was checked.
#[derive(Debug)]
pub(crate) struct System {
    /// The variant of the image, `drill` or `production`.
    variant: String,
    /// The SHA-256 digest of the boot medium up to the end of the image.
    pub(super) medium: Digest,
    /// The values that a TPM measured, with their PCR numbers; empty if there is no TPM.
    pub(super) pcrs: Vec<(u8, String)>,
    secure_boot: Option<bool>,
    /// The drivers, daemons and link that the image has for its token.
    pub(super) hardware: Hardware,
}

/// How the kernel marks the lockdown that is in force.
const CONFIDENTIALITY: &str = "[confidentiality]";
/// The PCRs that record how the system was booted: the boot loader code, and what systemd's stub
/// measures (the sections of the unified kernel image, and parameters from outside).
const PCRS: [u8; 4] = [4, 7, 11, 12];

/// Checks the system below `root`, and computes the digest of the boot medium.
pub(super) fn judge(root: &Path, lang: Lang) -> Result<System, Halt> {
    refuse_unlike(root)?;
    let hardware = Hardware::judge(root)?;
    print(pick(lang, "起動媒体のハッシュ値を計算しています…\n", "hashing the boot medium…\n"))?;
    let medium = media::boot_medium()?;
    Ok(System {
        variant: text(root, "etc/gishiki/variant")?,
        medium,
        pcrs: PCRS
            .iter()
            .filter_map(|number| {
                let path = format!("sys/class/tpm/tpm0/pcr-sha256/{number}");
                Some((*number, text(root, &path).ok()?.to_lowercase()))
            })
            .collect(),
        secure_boot: secure_boot(root),
        hardware,
    })
}

/// Refuses a system that differs from the reviewed one; only the first difference is reported.
fn refuse_unlike(root: &Path) -> Result<(), Halt> {
    let same = |rule, what: Bilingual, asked: &str, found: &str| {
        if asked == found {
            return Ok(());
        }
        let asked = says!(what; "{what}: {asked}", "{what}: {asked}");
        Err(Halt::media(rule, asked, Bilingual::plain(found)))
    };
    same(
        RuleId::S_COMMAND_LINE,
        says!(
            "イメージを作ったときのカーネルのコマンドライン",
            "the kernel's command line, as the image was built with"
        ),
        &text(root, "etc/gishiki/cmdline")?,
        &text(root, "proc/cmdline")?,
    )?;
    let mut interfaces: Vec<String> = names(root, "sys/class/net")?;
    interfaces.retain(|name| name != "lo");
    let named = Hardware::interfaces(root)?;
    let besides = says!("lo のほかのネットワークインターフェース", "network interfaces besides lo");
    same(RuleId::S_NO_NETWORK, besides, named, &interfaces.join(" "))?;
    same(
        RuleId::S_MODULES,
        Bilingual::plain("modules_disabled"),
        "1",
        &text(root, "proc/sys/kernel/modules_disabled")?,
    )?;
    let lockdown = text(root, "sys/kernel/security/lockdown")?;
    if !lockdown.contains(CONFIDENTIALITY) {
        let asked = Bilingual::plain(format_args!("lockdown {CONFIDENTIALITY}"));
        return Err(Halt::media(RuleId::S_LOCKDOWN, asked, Bilingual::plain(lockdown)));
    }
    let swaps = text(root, "proc/swaps")?.lines().skip(1).count().to_string();
    same(RuleId::S_NO_SWAP, says!("スワップ領域の数", "swap areas"), "0", &swaps)
}

fn text(root: &Path, path: &str) -> Result<String, Halt> {
    let path = root.join(path);
    fs::read_to_string(&path).map(|text| text.trim().to_string()).map_err(|error| {
        let asked = says!("専用イメージの {}", "the live image's {}", path.display());
        Halt::media(RuleId::S_LIVE, asked, said(&error))
    })
}

fn names(root: &Path, path: &str) -> Result<Vec<String>, Halt> {
    Ok(media::entries(&root.join(path))?
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_string()))
        .collect())
}

fn secure_boot(root: &Path) -> Option<bool> {
    const VARIABLE: &str =
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    fs::read(root.join(VARIABLE)).ok().map(|octets| octets.last() == Some(&1))
}

impl System {
    pub(super) fn drill(&self) -> bool {
        self.variant == "drill"
    }

    /// Returns what was checked and measured, in English, for the boot log.
    pub(super) fn noted(&self) -> Vec<String> {
        let link = match self.hardware.link {
            Some(_) => "the reviewed link alone",
            None => "no network",
        };
        let secure = self.secure_boot.map_or("unknown", |on| if on { "on" } else { "off" });
        let checked = format!(
            "{} image: {link}, modules fixed, lockdown confidentiality, no swap; Secure Boot {secure}",
            self.variant
        );
        let pcrs = self.pcrs.iter().map(|(number, value)| format!("PCR {number} {value}"));
        std::iter::once(checked).chain(pcrs).collect()
    }

    /// Returns the lines that people compare with the papers.
    pub(super) fn shown(&self, lang: Lang) -> String {
        let variant = match (lang, self.variant.as_str()) {
            (Lang::Ja, "drill") => "訓練用",
            (Lang::Ja, "production") => "本番用",
            (Lang::Ja | Lang::En, variant) => variant,
        };
        let mut lines = vec![
            format!("\ngishiki {} ({variant})", env!("CARGO_PKG_VERSION")),
            format!("  {}", crate::args::SOURCE),
            format!(
                "{}\n  {}",
                pick(lang, "イメージの SHA-256", "SHA-256 of the image"),
                self.medium
            ),
        ];
        lines.extend(
            ceremony::words::own(&self.medium.0, language(lang)).iter().map(|l| format!("    {l}")),
        );
        lines.extend(self.pcrs.iter().map(|(number, value)| format!("PCR {number:<2} {value}")));
        if self.pcrs.is_empty() {
            lines.push(pick(lang, "TPM はありません", "no TPM").to_string());
        }
        lines.push(format!(
            "Secure Boot: {}",
            match self.secure_boot {
                Some(true) => pick(lang, "有効", "on"),
                Some(false) => pick(lang, "無効", "off"),
                None => pick(lang, "不明", "unknown"),
            }
        ));
        lines.extend(self.hardware.shown(lang));
        let network = match (&self.hardware.link, lang) {
            (Some(_), _) => "",
            (None, Lang::Ja) => "ネットワークなし・",
            (None, Lang::En) => "no network, ",
        };
        lines.push(format!(
            "{network}{}",
            pick(
                lang,
                "モジュール固定・lockdown confidentiality・スワップなし",
                "modules fixed, lockdown confidentiality, no swap",
            )
        ));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use super::*;

    /// Returns a root folder like that of a correct live system.
    fn good() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, octets) in [
            ("etc/gishiki/cmdline", "console=tty0 quiet\n"),
            ("proc/cmdline", "console=tty0 quiet\n"),
            ("proc/swaps", "Filename Type Size Used Priority\n"),
            ("proc/sys/kernel/modules_disabled", "1\n"),
            ("sys/kernel/security/lockdown", "none integrity [confidentiality]\n"),
            ("sys/class/net/lo/operstate", "down\n"),
        ] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, octets).unwrap();
        }
        root
    }

    #[test]
    fn a_system_is_refused_for_each_thing_that_it_must_not_be() {
        refuse_unlike(good().path()).unwrap();
        for (path, octets, rule) in [
            ("proc/cmdline", "console=tty0 quiet rdinit=/bin/sh", RuleId::S_COMMAND_LINE),
            ("sys/class/net/eth0/operstate", "up", RuleId::S_NO_NETWORK),
            ("proc/sys/kernel/modules_disabled", "0", RuleId::S_MODULES),
            (
                "sys/kernel/security/lockdown",
                "none [integrity] confidentiality",
                RuleId::S_LOCKDOWN,
            ),
            ("proc/swaps", "Filename Type\n/dev/sda2 partition", RuleId::S_NO_SWAP),
        ] {
            let root = good();
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, octets).unwrap();
            let Err(Halt::Media(fault)) = refuse_unlike(root.path()) else {
                panic!("{rule}: accepted");
            };
            assert_eq!(fault.rule, rule);
        }
    }
}
