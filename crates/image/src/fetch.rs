//! Fetches inputs through apt, cargo and the vendors' folder.
//!
//! The callers compare every file with its lock by [`compare`].

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;

use crate::{Fault, said, unusable};

/// The configuration, made by `nix/setup`, with which apt uses the image's suite.
///
/// apt verifies the signatures of the indices.
pub(crate) const APT: &str = "/var/lib/gishiki/apt.conf";

/// Downloads packages, each given as `NAME=VERSION`, into a folder with apt.
///
/// # Errors
/// `S-STALE` if the mirror no longer has some of them, and nothing else is wrong.
pub(crate) fn download(mut apt: Command, wanted: &[&String], folder: &Path) -> Result<(), Fault> {
    if wanted.is_empty() {
        return Ok(());
    }
    apt.args(["download", "-qq"]).args(wanted).current_dir(folder).env("LC_ALL", "C");
    let output = output(&mut apt)?;
    let told = told(&output);
    if output.status.success() {
        return Ok(());
    }
    if !have_left(&told) {
        return Err(failed(&apt, told));
    }
    let asked = says!(
        "固定した版がすべてミラーにあること(なければ gishiki image seed --from ARCHIVE、又は固定のし直し gishiki image lock)",
        "every locked version on the mirror (otherwise: gishiki image seed --from ARCHIVE, or a new lock, gishiki image lock)"
    );
    Err(Fault::new(RuleId::S_STALE, asked, Bilingual::plain(told)))
}

/// Downloads every locked crate into cargo's cache.
pub(crate) fn fetch_crates(repository: &Path) -> Result<(), Fault> {
    let mut fetch = Command::new("cargo");
    fetch.args(["fetch", "--locked", "--quiet"]).current_dir(repository);
    succeed(&mut fetch).map(|_| ())
}

/// Whether all of apt's errors say that a package or a version is not on the mirror.
///
/// Kernel packages have their version in the name, so an old one is reported as an unknown package.
fn have_left(said: &str) -> bool {
    let mut errors = said.lines().filter_map(|line| line.strip_prefix("E: ")).peekable();
    errors.peek().is_some()
        && errors.all(|error| {
            (error.starts_with("Version '") && error.ends_with("' was not found"))
                || error.starts_with("Unable to locate package ")
                || error.starts_with("Couldn't find any package by ")
        })
}

/// Checks that a file has this SHA-256.
pub(crate) fn compare(path: &Path, asked: &Digest) -> Result<(), Fault> {
    let found = Digest::of(&fs::read(path).map_err(|error| unusable(path, &error))?);
    if found == *asked {
        return Ok(());
    }
    Err(Fault::new(
        RuleId::S_LOCK,
        says!("SHA-256 が {asked} の {}", "{} with SHA-256 {asked}", path.display()),
        Bilingual::plain(found),
    ))
}

/// The path of a downloaded crate in cargo's cache.
pub(crate) fn cached(name: &str) -> Result<PathBuf, Fault> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let cache = home.unwrap_or_default().join("registry/cache");
    let entries = fs::read_dir(&cache).map_err(|error| unusable(&cache, &error))?;
    let mut registries = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let found =
        registries.find_map(|registry| Some(registry.join(name)).filter(|path| path.exists()));
    found.ok_or_else(|| {
        let none = says!("cargo のキャッシュになし", "not in cargo's cache");
        Fault::new(RuleId::S_LOCK, Bilingual::plain(name), none)
    })
}

/// A command of apt that uses the suite of the image.
pub(crate) fn apt(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("APT_CONFIG", APT).env("LC_ALL", "C");
    command
}

/// Runs a program that must succeed, and returns its standard output.
pub(crate) fn succeed(command: &mut Command) -> Result<String, Fault> {
    let output = output(command)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(failed(command, told(&output)))
}

fn output(command: &mut Command) -> Result<Output, Fault> {
    let output = command.stdin(Stdio::null()).output();
    output.map_err(|error| Fault::new(RuleId::S_FILE, success(command), said(&error)))
}

/// What a program says of its failure, in its own words.
fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_string()
}

fn failed(command: &Command, told: String) -> Fault {
    Fault::new(RuleId::S_FILE, success(command), Bilingual::plain(told))
}

fn success(command: &Command) -> Bilingual {
    says!("{} の成功", "{} to succeed", command.get_program().to_string_lossy())
}

/// The path of a vendor's file in the vendors' folder.
pub(crate) fn of_vendor(folder: Option<&Path>, name: &str) -> Result<PathBuf, Fault> {
    let none = || {
        let asked = says!("{name} のあるフォルダー --vendor", "--vendor, the folder with {name}");
        Fault::new(RuleId::S_LOCK, asked, Bilingual::none())
    };
    Ok(folder.ok_or_else(none)?.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_that_has_left_the_mirror_makes_a_lock_stale() {
        let version = "E: Version '1:1.3.1-2' for 'zlib1g' was not found";
        let kernel = "E: Unable to locate package linux-image-6.12.1+deb13-amd64\n\
                      E: Couldn't find any package by glob 'linux-image-6.12.1+deb13-amd64'\n\
                      E: Couldn't find any package by regex 'linux-image-6.12.1+deb13-amd64'";
        let unreachable = "E: Failed to fetch http://mirror.example/zlib1g.deb  404  Not Found";
        assert!(have_left(version) && have_left(kernel));
        assert!(have_left(&format!("W: Download is performed unsandboxed\n{kernel}\n{version}")));
        for said in ["", "W: Something else", unreachable, &format!("{version}\n{unreachable}")] {
            assert!(!have_left(said), "{said}");
        }
    }
}
