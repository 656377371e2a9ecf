//! Fetches inputs: apt and cargo, the only programs of others that are asked, and the vendors'
//! folder. Whatever comes is compared with its lock.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ceremony::hex::Digest;
use ceremony::rule::RuleId;

use crate::{Fault, unusable};

/// apt's own folder, made by `nix/setup`: the suite's indices, signatures checked by apt.
pub(crate) const APT: &str = "/var/lib/gishiki/apt.conf";

/// Has apt download these, each `NAME=VERSION`, into a folder.
pub(crate) fn download(mut apt: Command, wanted: &[&String], folder: &Path) -> Result<(), Fault> {
    if wanted.is_empty() {
        return Ok(());
    }
    apt.args(["download", "-qq"]).args(wanted).current_dir(folder).env("LC_ALL", "C");
    succeed(&mut apt).map(|_| ()).map_err(|fault| {
        if !have_left(&fault.found) {
            return fault;
        }
        let asked = "every locked version on the mirror (otherwise: gishiki image seed --from \
                     ARCHIVE, or a new lock, gishiki image lock)";
        Fault::new(RuleId::S_STALE, asked, fault.found)
    })
}

/// Has cargo download every locked crate into its cache.
pub(crate) fn fetch_crates(repository: &Path) -> Result<(), Fault> {
    let mut fetch = Command::new("cargo");
    fetch.args(["fetch", "--locked", "--quiet"]).current_dir(repository);
    succeed(&mut fetch).map(|_| ())
}

/// Whether apt says of some packages that they or their versions are not on the mirror, and of
/// nothing else. The name of a kernel's package has its version in it.
fn have_left(said: &str) -> bool {
    let mut errors = said.lines().filter_map(|line| line.strip_prefix("E: ")).peekable();
    errors.peek().is_some()
        && errors.all(|error| {
            (error.starts_with("Version '") && error.ends_with("' was not found"))
                || error.starts_with("Unable to locate package ")
                || error.starts_with("Couldn't find any package by ")
        })
}

/// A file must have this SHA-256.
pub(crate) fn compare(path: &Path, asked: &Digest) -> Result<(), Fault> {
    let found = Digest::of(&fs::read(path).map_err(|error| unusable(path, &error))?);
    if found == *asked {
        return Ok(());
    }
    Err(Fault::new(
        RuleId::S_LOCK,
        format!("{} with SHA-256 {asked}", path.display()),
        found.to_string(),
    ))
}

/// Where cargo keeps a crate that it has downloaded.
pub(crate) fn cached(name: &str) -> Result<PathBuf, Fault> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let cache = home.unwrap_or_default().join("registry/cache");
    let entries = fs::read_dir(&cache).map_err(|error| unusable(&cache, &error))?;
    let mut registries = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let found =
        registries.find_map(|registry| Some(registry.join(name)).filter(|path| path.exists()));
    found.ok_or_else(|| Fault::new(RuleId::S_LOCK, name, "not in cargo's cache"))
}

/// apt for the suite of the image.
pub(crate) fn apt(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("APT_CONFIG", APT).env("LC_ALL", "C");
    command
}

/// Runs a program that must succeed; its output.
pub(crate) fn succeed(command: &mut Command) -> Result<String, Fault> {
    let asked = format!("{} to succeed", command.get_program().to_string_lossy());
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| Fault::new(RuleId::S_FILE, &asked, error.to_string()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Fault::new(RuleId::S_FILE, asked, String::from_utf8_lossy(&output.stderr).trim()))
}

/// A vendor's file in the vendors' folder.
pub(crate) fn of_vendor(folder: Option<&Path>, name: &str) -> Result<PathBuf, Fault> {
    let asked = || format!("--vendor, the folder with {name}");
    Ok(folder.ok_or_else(|| Fault::new(RuleId::S_LOCK, asked(), "none"))?.join(name))
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
