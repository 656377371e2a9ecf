//! Fills the Nix store with the locked inputs, and makes a new lock of Debian packages.
//!
//! Both use the machine's own apt and cargo, so this code contains no address of a registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;

use crate::archive::{inputs, judge};
use crate::fetch::{APT, apt, cached, compare, download, fetch_crates, of_vendor, succeed};
use crate::lock::{DEBIAN, Debian, Package, Release};
use crate::{Fault, Locks, unusable};

/// Adds every locked input to the Nix store, after comparing it with its lock.
///
/// The inputs come from `archive`, or without one from apt and cargo. `vendor` is the folder with
/// the vendors' files, if they are not in the archive. Returns the number of inputs.
///
/// # Errors
/// `S-STALE` if the mirror no longer has a locked version, and nothing else is wrong; `S-LOCK` if a
/// file differs from its lock, or an archive has more or less than the locks; `S-FILE` if a file
/// cannot be used or a program fails.
pub fn seed(
    repository: &Path,
    archive: Option<&Path>,
    vendor: Option<&Path>,
) -> Result<usize, Fault> {
    let locks = Locks::read(repository)?;
    let folder = tempfile::tempdir().map_err(|error| unusable(Path::new("/tmp"), &error))?;
    let files = match archive {
        Some(archive) => archived(&locks, archive, vendor, folder.path())?,
        None => downloaded(&locks, repository, vendor, folder.path())?,
    };
    for some in files.chunks(100) {
        succeed(Command::new("nix-store").args(["--add-fixed", "sha256"]).args(some))?;
    }
    Ok(files.len())
}

/// Checks an archive, and puts its inputs into `folder` under the names that the recipe uses.
fn archived(
    locks: &Locks,
    archive: &Path,
    vendor: Option<&Path>,
    folder: &Path,
) -> Result<Vec<PathBuf>, Fault> {
    let mut inputs = inputs(locks)?;
    if vendor.is_some() {
        inputs.retain(|path, _| !path.starts_with("vendor/"));
    }
    judge(archive, &inputs)?;
    let mut files = Vec::new();
    for (path, input) in &inputs {
        let (from, to) = (archive.join(path), folder.join(&input.name));
        // A hard link, or a copy where the folder is on another file system.
        fs::hard_link(&from, &to)
            .or_else(|_| fs::copy(&from, &to).map(|_| ()))
            .map_err(|error| unusable(&from, &error))?;
        files.push(to);
    }
    if vendor.is_some() {
        files.extend(of_vendors(locks, vendor)?);
    }
    Ok(files)
}

fn downloaded(
    locks: &Locks,
    repository: &Path,
    vendor: Option<&Path>,
    folder: &Path,
) -> Result<Vec<PathBuf>, Fault> {
    let mut files = packages(&locks.debian, folder)?;
    fetch_crates(repository)?;
    for one in locks.crate_inputs() {
        let path = cached(&one.name)?;
        compare(&path, &one.sha256)?;
        files.push(path);
    }
    files.extend(of_vendors(locks, vendor)?);
    Ok(files)
}

/// The paths of the vendors' files in their folder, each compared with its lock.
fn of_vendors(locks: &Locks, vendor: Option<&Path>) -> Result<Vec<PathBuf>, Fault> {
    let mut files = Vec::new();
    for file in locks.vendor.values() {
        let path = of_vendor(vendor, &file.name)?;
        compare(&path, &file.sha256)?;
        files.push(path);
    }
    Ok(files)
}

/// Downloads packages into a folder, under the names that the recipe uses.
fn packages(debian: &Debian, folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let version = |(name, package): (&String, &Package)| format!("{name}={}", package.version);
    let wanted: Vec<String> = debian.packages.iter().map(version).collect();
    download(apt("apt-get"), &wanted.iter().collect::<Vec<_>>(), folder)?;
    let mut files = Vec::new();
    for (name, package) in &debian.packages {
        let path = folder.join(package.file(name));
        compare(&path, &package.sha256)?;
        let named = folder.join(format!("{name}.deb"));
        fs::rename(&path, &named).map_err(|error| unusable(&path, &error))?;
        files.push(named);
    }
    Ok(files)
}

/// Makes a new lock of Debian packages for the same groups, from the signed indices of today.
///
/// Returns the text of the lock; nothing is written.
///
/// # Errors
/// `S-LOCK` if a package of a group no longer exists; `S-FILE` if apt fails or an index cannot be
/// read.
pub fn refresh(repository: &Path) -> Result<String, Fault> {
    let old = Locks::read(repository)?.debian;
    succeed(apt("apt-get").args(["update", "-qq"]))?;
    let kernel = newest_kernel()?;
    let mut groups = old.groups.clone();
    groups.insert("kernel".to_string(), vec![kernel]);
    let names: BTreeSet<&String> = groups.values().flatten().collect();
    let mut packages = BTreeMap::new();
    for name in names {
        packages.insert(name.clone(), package(name)?);
    }
    let lock = Debian { groups, packages, inrelease: releases()?, ..old };
    let text = serde_json::to_value(&lock).and_then(|value| serde_json::to_string_pretty(&value));
    text.map(|text| text + "\n").map_err(|error| {
        Fault::new(RuleId::S_LOCK, Bilingual::plain(DEBIAN), Bilingual::plain(error))
    })
}

/// The kernel package that the metapackage `linux-image-amd64` depends on.
fn newest_kernel() -> Result<String, Fault> {
    let shown = succeed(apt("apt-cache").args(["depends", "linux-image-amd64"]))?;
    let name = shown.lines().find_map(|line| line.trim().strip_prefix("Depends: linux-image-"));
    name.map(|name| format!("linux-image-{name}")).ok_or_else(|| {
        let asked = says!("linux-image-amd64 が依存するもの", "what linux-image-amd64 depends on");
        Fault::new(RuleId::S_LOCK, asked, Bilingual::plain(shown))
    })
}

fn package(name: &str) -> Result<Package, Fault> {
    let shown = succeed(apt("apt-cache").args(["show", "--no-all-versions", name]))?;
    let missing = |field: &str| {
        let asked = says!("{name} の {field}", "{field} of {name}");
        Fault::new(RuleId::S_LOCK, asked, Bilingual::none())
    };
    let field = |field: &str| {
        let line = shown.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
        line.map(str::to_string).ok_or_else(|| missing(field))
    };
    let policy = succeed(apt("apt-cache").args(["policy", name]))?;
    let archive = if policy.contains("-security/main") { "debian-security" } else { "debian" };
    Ok(Package {
        arch: field("Architecture")?,
        archive: archive.to_string(),
        path: field("Filename")?,
        sha256: field("SHA256")?.parse().map_err(|_| missing("SHA256"))?,
        size: field("Size")?.parse().map_err(|_| missing("Size"))?,
        version: field("Version")?,
    })
}

/// The signed InRelease files that apt has verified and keeps, by suite.
fn releases() -> Result<BTreeMap<String, Release>, Fault> {
    let lists = Path::new(APT).with_file_name("state/lists");
    let entries = fs::read_dir(&lists).map_err(|error| unusable(&lists, &error))?;
    let mut releases = BTreeMap::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((_, suite)) =
            name.strip_suffix("_InRelease").and_then(|name| name.split_once("_dists_"))
        else {
            continue;
        };
        let octets = fs::read(&path).map_err(|error| unusable(&path, &error))?;
        let text = String::from_utf8_lossy(&octets);
        let date = text.lines().find_map(|line| line.strip_prefix("Date: ")).unwrap_or_default();
        releases.insert(
            suite.to_string(),
            Release { date: date.to_string(), sha256: Digest::of(&octets) },
        );
    }
    Ok(releases)
}
