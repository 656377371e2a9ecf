//! Collects the files of an archive: from the Nix store if it has them, otherwise from this
//! machine's own apt and cargo, and from the vendors' folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use nix_derivation::{CAHash, NixHash, StoreDir};

use crate::archive::{Archive, INDEX, clear, inputs, judge, named, shown, walk};
use crate::fetch::{apt, cached, compare, download, fetch_crates, of_vendor, succeed};
use crate::{Fault, Fixed, Locks, unusable};

/// The Debian 12 package with Nix, which a machine without Nix needs first.
const NIX: &str = "nix-bin";
/// The name of this program in an archive.
const PROGRAM: &str = "gishiki";

/// The files that an archive must contain.
pub(crate) struct Wanted<'w> {
    /// The locked inputs, by their place in the archive.
    inputs: BTreeMap<String, Fixed>,
    /// The `NAME=VERSION` of each Debian package among them, by its place.
    debian: BTreeMap<String, String>,
    /// Nix and its dependencies: `NAME=VERSION` and SHA-256 of each package, by its place.
    host: BTreeMap<String, (String, Digest)>,
    /// The path and SHA-256 of this program.
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

    /// Every file with its SHA-256, in the order of names.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, Digest)> {
        let host = self.host.iter().map(|(path, (_, sha256))| (path.as_str(), *sha256));
        let inputs = self.inputs.iter().map(|(path, input)| (path.as_str(), input.sha256));
        let all: BTreeMap<&str, Digest> =
            inputs.chain(host).chain([(PROGRAM, self.program.1)]).collect();
        all.into_iter()
    }
}

/// Collects every input into the new folder `to`, together with Nix and this program.
///
/// Until it is complete, the folder is called `.NAME.partial`; after an interruption its files are
/// used again. If `to` exists already, it is only checked.
///
/// # Errors
/// `S-LOCK` if a file differs from its lock, or a folder contains anything else; `S-STALE` if
/// neither the mirror nor the store has a locked version; `S-FILE` if a file cannot be used or a
/// program fails.
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
    let name = to.file_name().ok_or_else(|| {
        let asked = says!("新しいフォルダー", "a new folder");
        Fault::new(RuleId::S_FILE, asked, Bilingual::plain(shown(to)))
    })?;
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

/// Renames the folder to its final name, after its content is durable on the device.
fn durable(partial: &Path, to: &Path) -> std::io::Result<()> {
    rustix::fs::syncfs(File::open(partial)?)?;
    fs::rename(partial, to)?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Refuses a partial folder with files that an interrupted run cannot have left there.
///
/// Such files may belong to somebody, so nothing is removed.
fn refuse_strange(partial: &Path, wanted: &Wanted) -> Result<(), Fault> {
    let known: BTreeSet<&str> = wanted.files().map(|(name, _)| name).collect();
    // The versions of Nix and of this program may have changed since the interrupted run.
    let own = |name: &str| known.contains(name) || name == INDEX || name.starts_with("host/");
    let strange: Vec<Bilingual> = walk(partial)?
        .into_iter()
        .filter(|(name, plain)| !plain || !own(name))
        .map(|(name, _)| Bilingual::plain(name))
        .collect();
    if strange.is_empty() {
        return Ok(());
    }
    let asked = says!(
        "{} には中断した収集の残りだけがあること",
        "nothing in {} but what an interrupted archiving left",
        shown(partial)
    );
    Err(Fault::new(RuleId::S_LOCK, asked, named(&strange)))
}

/// Puts every file into the folder and compares it with its SHA-256. A right file that is there
/// already is kept.
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
    // A machine that has built the image has its inputs in the store, even if no mirror has them.
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

/// Removes packages of an interrupted run that Nix no longer needs.
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

/// The path of this input in the Nix store, whether it is there or not.
fn stored(input: &Fixed) -> Result<PathBuf, Fault> {
    let flat = CAHash::Flat(NixHash::Sha256(input.sha256.0));
    let path = StoreDir::default().build_ca_path(&input.name, &flat, [], false);
    let path = path.map_err(|error| {
        Fault::new(RuleId::S_LOCK, Bilingual::plain(&input.name), Bilingual::plain(error))
    })?;
    Ok(Path::new("/nix/store").join(path.to_basename()))
}

fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    fs::copy(from, to).map(|_| ()).map_err(|error| unusable(from, &error))
}

/// Nix and all its dependencies in this machine's suite, as if no package were installed.
fn host() -> Result<BTreeMap<String, (String, Digest)>, Fault> {
    // An empty list of installed packages, and no cache, which could keep another list.
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
    // Each line has an address, the file's name, its length and a digest.
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
        let asked = says!("apt の {NIX} とそれに要るもの", "{NIX} and its dependencies from apt");
        Fault::new(RuleId::S_FILE, asked, Bilingual::plain(shown))
    })
}
