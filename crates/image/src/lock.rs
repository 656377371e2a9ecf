//! The locks: the SHA-256 of every input of the image that comes from outside the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use serde::{Deserialize, Serialize};

use crate::{Fault, unusable};

/// An input with the name and digest that its fixed-output derivation has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fixed {
    /// The file's name in the store: `NAME.deb`, `NAME-VERSION.crate`, or that of a vendor's file.
    pub name: String,
    /// Its SHA-256.
    pub sha256: Digest,
}

/// The contents of `nix/debian.lock.json`, `Cargo.lock` and `nix/vendor.lock.json`.
#[derive(Debug, Clone)]
pub struct Locks {
    /// Debian packages.
    pub debian: Debian,
    /// Crates from a registry.
    pub crates: Vec<Crate>,
    /// Vendors' files, by their path in the image.
    pub vendor: BTreeMap<String, Vendor>,
}

/// The lock of Debian packages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debian {
    /// The packages' architecture.
    pub arch: String,
    /// The names of the packages that go into each file tree.
    pub groups: BTreeMap<String, Vec<String>>,
    /// The signed InRelease files through which the packages were found, by suite.
    pub inrelease: BTreeMap<String, Release>,
    /// The version of this file format: 1.
    pub lock: u32,
    /// The packages, by name.
    pub packages: BTreeMap<String, Package>,
    /// The name of the Debian suite.
    pub suite: String,
}

/// A signed InRelease file, as it was when the lock was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The value of its `Date` field.
    pub date: String,
    /// Its SHA-256.
    pub sha256: Digest,
}

/// A Debian package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// `amd64` or `all`.
    pub arch: String,
    /// `debian` or `debian-security`.
    pub archive: String,
    /// The package's path in its archive.
    pub path: String,
    /// SHA-256 of the package.
    pub sha256: Digest,
    /// Its length in octets.
    pub size: u64,
    /// Its version.
    pub version: String,
}

impl Package {
    /// The file name that apt gives to the package.
    pub(crate) fn file(&self, name: &str) -> String {
        format!("{name}_{}_{}.deb", self.version.replace(':', "%3a"), self.arch)
    }
}

/// A crate of `Cargo.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its SHA-256.
    pub sha256: Digest,
}

/// A vendor's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// Its name in the store.
    pub name: String,
    /// Its SHA-256.
    pub sha256: Digest,
    /// Its kind. The other requirements, such as the path of a driver, are checked by
    /// `nix/hardware.nix`.
    #[serde(default)]
    pub is: Kind,
    /// The arguments with which a daemon is started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
}

/// The kind of a vendor's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A PKCS #11 module, a library or a configuration file: it is only put in its place.
    #[default]
    File,
    /// A driver, which is loaded before the loading of modules is disabled.
    KernelModule,
    /// A program that is started before a token is used.
    Daemon,
}

#[derive(Deserialize)]
struct CargoLock {
    package: Vec<CargoPackage>,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: String,
    version: String,
    checksum: Option<Digest>,
}

/// The path of the lock of Debian packages in a repository.
pub(crate) const DEBIAN: &str = "nix/debian.lock.json";

impl Locks {
    /// Reads the locks of a repository.
    ///
    /// # Errors
    /// `S-FILE` if a lock cannot be read; `S-LOCK` if its content is malformed.
    pub fn read(repository: &Path) -> Result<Self, Fault> {
        let debian = json(repository, DEBIAN)?;
        let vendor = json(repository, "nix/vendor.lock.json")?;
        let cargo: CargoLock =
            toml::from_str(&text(repository, "Cargo.lock")?).map_err(|error| {
                Fault::new(RuleId::S_LOCK, Bilingual::plain("Cargo.lock"), Bilingual::plain(error))
            })?;
        let crates = cargo.package.into_iter().filter_map(|package| {
            let CargoPackage { name, version, checksum } = package;
            Some(Crate { name, version, sha256: checksum? })
        });
        Ok(Self { debian, crates: crates.collect(), vendor })
    }

    /// All locked inputs: those that a recipe may use.
    #[must_use]
    pub fn inputs(&self) -> BTreeSet<Fixed> {
        let packages = self
            .debian
            .packages
            .iter()
            .map(|(name, package)| Fixed { name: format!("{name}.deb"), sha256: package.sha256 });
        let vendor =
            self.vendor.values().map(|file| Fixed { name: file.name.clone(), sha256: file.sha256 });
        packages.chain(self.crate_inputs()).chain(vendor).collect()
    }

    /// The crates. Every recipe must use all of them.
    pub(crate) fn crate_inputs(&self) -> impl Iterator<Item = Fixed> {
        self.crates.iter().map(|one| Fixed {
            name: format!("{}-{}.crate", one.name, one.version),
            sha256: one.sha256,
        })
    }
}

fn text(repository: &Path, name: &str) -> Result<String, Fault> {
    let path = repository.join(name);
    std::fs::read_to_string(&path).map_err(|error| unusable(&path, &error))
}

fn json<T: for<'de> Deserialize<'de>>(repository: &Path, name: &str) -> Result<T, Fault> {
    serde_json::from_str(&text(repository, name)?).map_err(|error| {
        Fault::new(RuleId::S_LOCK, Bilingual::plain(name), Bilingual::plain(error))
    })
}
