//! Where the files of an archive come from: the Nix store, where it has them; otherwise this
//! machine's own apt and cargo, and the vendors' folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use ceremony::hex::Digest;
use ceremony::rule::RuleId;
use nix_derivation::{CAHash, NixHash, StoreDir};

use crate::archive::{Archive, INDEX, clear, inputs, judge, named, shown, walk};
use crate::fetch::{apt, cached, compare, download, fetch_crates, of_vendor, succeed};
use crate::{Fault, Fixed, Locks, unusable};

/// What a machine without Nix needs first, from its own suite: Debian 12.
const NIX: &str = "nix-bin";
/// The name of this program in an archive.
const PROGRAM: &str = "gishiki";

/// Every file that an archive shall hold.
pub(crate) struct Wanted<'w> {
    /// Locked inputs, by their place in the archive.
    inputs: BTreeMap<String, Fixed>,
    /// Debian's `NAME=VERSION` of each package among them.
    debian: BTreeMap<String, String>,
    /// Nix and what it needs: the place of each package, its `NAME=VERSION`, its SHA-256.
    host: BTreeMap<String, (String, Digest)>,
    /// This program.
    program: (&'w Path, Digest),
    vendor: Option<&'w Path>,
}

impl<'w> Wanted<'w> {
    pub(crate) fn of(
        locks: &Locks,
        vendor: Option<&'w Path>,
        program: &'w Path,
    ) -> Result<Self, Fault> {
        let debian = locks.debian.packages.iter().map(|(name, package)| {
            (format!("debian/{}", package.file(name)), format!("{name}={}", package.version))
        });
        let octets = fs::read(program).map_err(|error| unusable(program, &error))?;
        Ok(Self {
            inputs: inputs(locks)?,
            debian: debian.collect(),
            host: host()?,
            program: (program, Digest::of(&octets)),
            vendor,
        })
    }

    /// Every file and its SHA-256, in the order of their names.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, Digest)> {
        let host = self.host.iter().map(|(path, (_, sha256))| (path.as_str(), *sha256));
        let inputs = self.inputs.iter().map(|(path, input)| (path.as_str(), input.sha256));
        let all: BTreeMap<&str, Digest> =
            inputs.chain(host).chain([(PROGRAM, self.program.1)]).collect();
        all.into_iter()
    }
}

/// Collects every input into the folder `to`, with Nix and this program. What is on its way lies in
/// `.NAME.partial` beside it, and is used again if this was interrupted. An archive that is there
/// already is judged and left as it is.
///
/// # Errors
/// `S-LOCK` if a file is not the locked one, or if the folder holds something else; `S-STALE` if
/// the mirror no longer has a locked version, and neither has the store; `S-FILE`.
pub fn archive(
    repository: &Path,
    to: &Path,
    vendor: Option<&Path>,
    program: &Path,
) -> Result<Archive, Fault> {
    let locks = Locks::read(repository)?;
    if to.symlink_metadata().is_ok() {
        let judged = judge(to, &inputs(&locks)?)?;
        return Ok(Archive { found: true, ..judged });
    }
    let name =
        to.file_name().ok_or_else(|| Fault::new(RuleId::S_FILE, "a new folder", shown(to)))?;
    let partial = to.with_file_name(format!(".{}.partial", name.to_string_lossy()));
    fs::create_dir_all(&partial).map_err(|error| unusable(&partial, &error))?;
    let wanted = Wanted::of(&locks, vendor, program)?;
    refuse_strange(&partial, &wanted)?;
    collect(&wanted, repository, &partial)?;
    let lines: String =
        wanted.files().map(|(name, sha256)| format!("{sha256}  {name}\n")).collect();
    let index = partial.join(INDEX);
    fs::write(&index, lines).map_err(|error| unusable(&index, &error))?;
    let judged = judge(&partial, &inputs(&locks)?)?;
    durable(&partial, to).map_err(|error| unusable(to, &error))?;
    Ok(judged)
}

/// Gives the folder its name, once everything in it is on the device.
fn durable(partial: &Path, to: &Path) -> std::io::Result<()> {
    rustix::fs::syncfs(File::open(partial)?)?;
    fs::rename(partial, to)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// What an interrupted archiving cannot have left is somebody's, and stays untouched.
fn refuse_strange(partial: &Path, wanted: &Wanted) -> Result<(), Fault> {
    let known: BTreeSet<&str> = wanted.files().map(|(name, _)| name).collect();
    // Nix and this program may have been others on the day when it was begun.
    let own = |name: &str| known.contains(name) || name == INDEX || name.starts_with("host/");
    let strange: Vec<String> = walk(partial)?
        .into_iter()
        .filter(|(name, plain)| !plain || !own(name))
        .map(|(name, _)| name)
        .collect();
    if strange.is_empty() {
        return Ok(());
    }
    let asked = format!("nothing in {} but what an interrupted archiving left", shown(partial));
    Err(Fault::new(RuleId::S_LOCK, asked, named(&strange)))
}

/// Brings every file into the folder, each compared with its SHA-256. One that is there stays.
fn collect(wanted: &Wanted<'_>, repository: &Path, folder: &Path) -> Result<(), Fault> {
    for inside in ["crates", "debian", "host", "vendor"] {
        let path = folder.join(inside);
        fs::create_dir_all(&path).map_err(|error| unusable(&path, &error))?;
    }
    clear_old_host(wanted, folder)?;
    let mut left: BTreeMap<&str, Digest> = BTreeMap::new();
    for (path, sha256) in wanted.files() {
        if compare(&folder.join(path), &sha256).is_err() {
            clear(&folder.join(path))?;
            left.insert(path, sha256);
        }
    }
    // Whoever has built the image has its inputs, also those that have left every mirror.
    for (path, input) in &wanted.inputs {
        let stored = stored(input)?;
        if left.contains_key(path.as_str()) && compare(&stored, &input.sha256).is_ok() {
            copy(&stored, &folder.join(path))?;
            left.remove(path.as_str());
        }
    }
    let specs = |inside: &str| -> Vec<&String> {
        let of = |path: &&str| {
            wanted.debian.get(*path).or_else(|| wanted.host.get(*path).map(|(spec, _)| spec))
        };
        left.keys().filter(|path| path.starts_with(inside)).filter_map(of).collect()
    };
    download(apt("apt-get"), &specs("debian/"), &folder.join("debian"))?;
    download(Command::new("apt-get"), &specs("host/"), &folder.join("host"))?;
    if left.keys().any(|path| path.starts_with("crates/")) {
        fetch_crates(repository)?;
    }
    for (path, sha256) in left {
        let to = folder.join(path);
        if let Some(name) = path.strip_prefix("crates/") {
            copy(&cached(name)?, &to)?;
        } else if let Some(name) = path.strip_prefix("vendor/") {
            copy(&of_vendor(wanted.vendor, name)?, &to)?;
        } else if path == PROGRAM {
            copy(wanted.program.0, &to)?;
        }
        compare(&to, &sha256)?;
    }
    Ok(())
}

/// Packages of an earlier day, which Nix does not need any more.
fn clear_old_host(wanted: &Wanted<'_>, folder: &Path) -> Result<(), Fault> {
    let host = folder.join("host");
    let entries = fs::read_dir(&host).map_err(|error| unusable(&host, &error))?;
    for entry in entries {
        let name = entry.map_err(|error| unusable(&host, &error))?.file_name();
        if !wanted.host.contains_key(&format!("host/{}", name.to_string_lossy())) {
            clear(&host.join(name))?;
        }
    }
    Ok(())
}

/// Where the store has this input, if it has it.
fn stored(input: &Fixed) -> Result<PathBuf, Fault> {
    let flat = CAHash::Flat(NixHash::Sha256(input.sha256.0));
    let path = StoreDir::default().build_ca_path(&input.name, &flat, [], false);
    let path = path.map_err(|error| Fault::new(RuleId::S_LOCK, &input.name, error.to_string()))?;
    Ok(Path::new("/nix/store").join(path.to_basename()))
}

fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    fs::copy(from, to).map(|_| ()).map_err(|error| unusable(from, &error))
}

/// Nix and every package that it needs, as if nothing were installed, from this machine's suite.
fn host() -> Result<BTreeMap<String, (String, Digest)>, Fault> {
    // An empty status, and no cache in which another status would be left behind.
    let empty =
        ["Dir::State::status=/dev/null", "Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache="];
    let with_empty = |program: &str| {
        let mut apt = Command::new(program);
        apt.env("LC_ALL", "C").args(empty.iter().flat_map(|option| ["-o", option]));
        apt
    };
    let mut install = with_empty("apt-get");
    install.args(["install", "--print-uris", "-qq", "--no-install-recommends", NIX]);
    let listed = succeed(&mut install)?;
    // A line: an address, the file's name, its length, a digest.
    let names = listed.lines().filter_map(|line| line.split(' ').nth(1));
    let mut packages = BTreeMap::new();
    for name in names {
        let mut parts = name.split('_');
        if let (Some(package), Some(version)) = (parts.next(), parts.next()) {
            let spec = format!("{package}={}", version.replace("%3a", ":"));
            packages.insert(spec, format!("host/{name}"));
        }
    }
    let shown = succeed(with_empty("apt-cache").arg("show").args(packages.keys()))?;
    let mut digests = BTreeMap::new();
    for stanza in shown.split("\n\n") {
        let field = |field: &str| {
            let line = stanza.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
            line.map(str::to_string)
        };
        let digest = field("SHA256").and_then(|sha256| sha256.parse::<Digest>().ok());
        if let (Some(name), Some(version), Some(digest)) =
            (field("Package"), field("Version"), digest)
        {
            digests.insert(format!("{name}={version}"), digest);
        }
    }
    let host: Option<BTreeMap<_, _>> = packages
        .into_iter()
        .map(|(spec, path)| Some((path, (spec.clone(), *digests.get(&spec)?))))
        .collect();
    host.filter(|host| host.keys().any(|path| path.starts_with("host/nix-bin_"))).ok_or_else(|| {
        Fault::new(RuleId::S_FILE, format!("{NIX} and what it needs, of apt"), shown)
    })
}
