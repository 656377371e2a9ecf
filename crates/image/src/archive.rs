//! Every input of the image in one folder, for a machine without any registry: collected whole or
//! not at all, and judged file by file before the store is filled from it.
//!
//! The locks of the repository say which octets an input has. What comes besides, Nix for Debian 12
//! and this program, is known by the index alone.

use std::collections::BTreeMap;
use std::fs::{self};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ceremony::hex::Digest;
use ceremony::rule::RuleId;

use crate::{Fault, Fixed, Locks, unusable};

/// The index: every other file with its SHA-256, as `sha256sum --check` reads it.
pub(crate) const INDEX: &str = "SHA256SUMS";
/// The folders whose files the locks name.
const LOCKED: [&str; 3] = ["debian/", "crates/", "vendor/"];
/// How many wrong files are named; of more, their number.
const NAMED: usize = 20;

/// An archive that was judged: each file is as the index and the locks have it, and there is no
/// other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Whether it was whole before.
    pub found: bool,
    /// Every file with its length in octets.
    pub files: BTreeMap<String, u64>,
    /// SHA-256 of the index, which names every file.
    pub index: Digest,
}

impl Archive {
    /// How many files lie in a folder of it, and their octets.
    #[must_use]
    pub fn sum(&self, folder: &str) -> (usize, u64) {
        let inside = self.files.iter().filter(|(name, _)| name.starts_with(folder));
        inside.fold((0, 0), |(count, sum), (_, octets)| (count + 1, sum + octets))
    }
}

/// Where each locked input lies in an archive.
pub(crate) fn inputs(locks: &Locks) -> Result<BTreeMap<String, Fixed>, Fault> {
    let debian = locks.debian.packages.iter().map(|(name, package)| {
        let path = format!("debian/{}", package.file(name));
        (path, Fixed { name: format!("{name}.deb"), sha256: package.sha256 })
    });
    let crates = locks.crate_inputs().map(|input| (format!("crates/{}", input.name), input));
    let vendor = locks.vendor.values().map(|file| {
        let input = Fixed { name: file.name.clone(), sha256: file.sha256 };
        (format!("vendor/{}", file.name), input)
    });
    let mut inputs = BTreeMap::new();
    for (path, input) in debian.chain(crates).chain(vendor) {
        let sha256 = input.sha256;
        let other = inputs.insert(path.clone(), input).filter(|other| other.sha256 != sha256);
        if let Some(other) = other {
            let found = format!("{sha256} and {}", other.sha256);
            return Err(Fault::new(RuleId::S_LOCK, format!("one input named {path}"), found));
        }
    }
    Ok(inputs)
}

/// Judges an archive by these inputs, each of which has its place in it.
///
/// # Errors
/// `S-LOCK` names every file that is missing, changed or added; `S-FILE`.
pub(crate) fn judge(folder: &Path, inputs: &BTreeMap<String, Fixed>) -> Result<Archive, Fault> {
    let path = folder.join(INDEX);
    let octets = fs::read(&path).map_err(|error| {
        let none = error.kind() == ErrorKind::NotFound;
        let asked = format!("a whole archive at {}, or no folder yet", shown(folder));
        if none {
            Fault::new(RuleId::S_LOCK, asked, format!("no {INDEX} in it"))
        } else {
            unusable(&path, &error)
        }
    })?;
    let index = parse(&octets)?;
    let lying = walk(folder)?;
    let (mut wrong, mut files) = (Vec::new(), BTreeMap::new());
    for (name, asked) in &index {
        let path = folder.join(name);
        match lying.get(name) {
            None => wrong.push(format!("missing: {name}")),
            Some(false) => wrong.push(format!("changed: {name} is no plain file")),
            Some(true) => {
                let octets = fs::read(&path).map_err(|error| unusable(&path, &error))?;
                let found = Digest::of(&octets);
                if found != *asked {
                    wrong.push(format!("changed: {name} has SHA-256 {found}"));
                }
                files.insert(name.clone(), u64::try_from(octets.len()).unwrap_or(u64::MAX));
            }
        }
    }
    for (name, input) in inputs {
        match index.get(name) {
            None => wrong.push(format!("missing: {name}, which is locked")),
            Some(sha256) if *sha256 != input.sha256 => {
                wrong.push(format!("changed: {name}, which is locked as {}", input.sha256));
            }
            Some(_) => {}
        }
    }
    let added = lying.keys().filter(|name| *name != INDEX && !index.contains_key(*name));
    wrong.extend(added.map(|name| format!("added: {name}")));
    let locked = |name: &&String| LOCKED.iter().any(|folder| name.starts_with(folder));
    let unlocked = index.keys().filter(locked).filter(|name| !inputs.contains_key(*name));
    wrong.extend(unlocked.map(|name| format!("added: {name}, which no lock has")));
    if wrong.is_empty() {
        return Ok(Archive { found: false, files, index: Digest::of(&octets) });
    }
    let asked = format!("an archive at {} with the locked inputs and no others", shown(folder));
    Err(Fault::new(RuleId::S_LOCK, asked, named(&wrong)))
}

/// The lines of an index.
fn parse(octets: &[u8]) -> Result<BTreeMap<String, Digest>, Fault> {
    let text = String::from_utf8_lossy(octets);
    let line = |line: &str| {
        let (sha256, name) = line.split_once("  ")?;
        Some((name.to_string(), sha256.parse().ok()?))
    };
    let parsed: Option<BTreeMap<String, Digest>> = text.lines().map(line).collect();
    let parsed = parsed.filter(|parsed| parsed.len() == text.lines().count());
    let asked = format!("lines of a SHA-256, two spaces and a name in {INDEX}, each name once");
    parsed.ok_or_else(|| Fault::new(RuleId::S_LOCK, asked, "another line, or a name twice"))
}

/// Everything below a folder but folders, and whether it is a plain file. No link is followed.
pub(crate) fn walk(folder: &Path) -> Result<BTreeMap<String, bool>, Fault> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        let place = folder.join(&inside);
        let failed = |error: std::io::Error| unusable(&place, &error);
        for entry in fs::read_dir(&place).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let name = inside.join(entry.file_name());
            if kind.is_dir() {
                open.push(name);
            } else {
                found.insert(shown(&name), kind.is_file());
            }
        }
    }
    Ok(found)
}

/// Removes a file or link, if there is one.
pub(crate) fn clear(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(path, &error)),
        _ => Ok(()),
    }
}

pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The first of these, and how many more there are.
pub(crate) fn named(all: &[String]) -> String {
    let mut text = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    if all.len() > NAMED {
        text.push_str(&format!("; and {} more", all.len() - NAMED));
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    /// An archive with one input and one file that only the index has.
    fn whole() -> (tempfile::TempDir, BTreeMap<String, Fixed>) {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for (name, octets) in [("debian/a_1_all.deb", "a"), ("gishiki", "program")] {
            fs::create_dir_all(place(name).parent().unwrap()).unwrap();
            fs::write(place(name), octets).unwrap();
        }
        let (input, program) = (Digest::of(b"a"), Digest::of(b"program"));
        let index = format!("{input}  debian/a_1_all.deb\n{program}  gishiki\n");
        fs::write(place(INDEX), index).unwrap();
        let fixed = Fixed { name: "a.deb".into(), sha256: input };
        (folder, BTreeMap::from([("debian/a_1_all.deb".into(), fixed)]))
    }

    #[test]
    fn an_archive_has_the_locked_inputs_and_no_others() {
        let (folder, inputs) = whole();
        let judged = judge(folder.path(), &inputs).unwrap();
        assert_eq!((judged.sum("debian/"), judged.sum("")), ((1, 1), (2, 8)));

        type Change = fn(&Path);
        let changes: [(&str, Change); 9] = [
            ("no SHA256SUMS in it", |folder| fs::remove_file(folder.join(INDEX)).unwrap()),
            ("missing: gishiki", |folder| fs::remove_file(folder.join("gishiki")).unwrap()),
            ("changed: debian/a_1_all.deb has SHA-256", |folder| {
                fs::write(folder.join("debian/a_1_all.deb"), "b").unwrap();
            }),
            ("changed: gishiki has SHA-256", |folder| {
                fs::write(folder.join("gishiki"), "other").unwrap();
            }),
            ("changed: gishiki is no plain file", |folder| {
                fs::rename(folder.join("gishiki"), folder.join("other")).unwrap();
                std::os::unix::fs::symlink("other", folder.join("gishiki")).unwrap();
            }),
            ("added: host/b.deb", |folder| {
                fs::create_dir(folder.join("host")).unwrap();
                fs::write(folder.join("host/b.deb"), "b").unwrap();
            }),
            // Who changes an input, its index as well, stands before the lock.
            ("changed: debian/a_1_all.deb, which is locked as", |folder| {
                fs::write(folder.join("debian/a_1_all.deb"), "b").unwrap();
                index(folder, &[("debian/a_1_all.deb", "b"), ("gishiki", "program")]);
            }),
            ("missing: debian/a_1_all.deb, which is locked", |folder| {
                fs::remove_file(folder.join("debian/a_1_all.deb")).unwrap();
                index(folder, &[("gishiki", "program")]);
            }),
            ("added: crates/b.crate, which no lock has", |folder| {
                fs::create_dir(folder.join("crates")).unwrap();
                fs::write(folder.join("crates/b.crate"), "b").unwrap();
                let b = ("crates/b.crate", "b");
                index(folder, &[b, ("debian/a_1_all.deb", "a"), ("gishiki", "program")]);
            }),
        ];
        for (said, change) in changes {
            let (folder, inputs) = whole();
            change(folder.path());
            let fault = judge(folder.path(), &inputs).unwrap_err();
            assert_eq!(fault.rule, RuleId::S_LOCK);
            assert!(fault.found.contains(said), "{said}: {}", fault.found);
        }
    }

    fn index(folder: &Path, files: &[(&str, &str)]) {
        let line =
            |(name, octets): &(&str, &str)| format!("{}  {name}\n", Digest::of(octets.as_bytes()));
        fs::write(folder.join(INDEX), files.iter().map(line).collect::<String>()).unwrap();
    }

    #[test]
    fn an_index_is_read_as_it_is_or_not_at_all() {
        let digest = Digest::of(b"a");
        let line = format!("{digest}  a b\n");
        assert_eq!(parse(line.as_bytes()).unwrap().len(), 1);
        assert_eq!(parse(line.repeat(2).as_bytes()).unwrap_err().rule, RuleId::S_LOCK);
        for line in ["", "a", "00  a", &format!("{digest} a"), &format!("\\{digest}  a")] {
            assert_eq!(
                parse(format!("{line}\n").as_bytes()).unwrap_err().rule,
                RuleId::S_LOCK,
                "{line}"
            );
        }
    }
}
