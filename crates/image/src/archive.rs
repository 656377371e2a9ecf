//! An archive: a folder with every input of the image, for a machine without access to registries.
//!
//! It is collected completely or not at all, and each file is checked before the Nix store is
//! filled from it. The digests of inputs are in the locks of the repository. The other files, Nix
//! for Debian 12 and this program, have their digests only in the index of the archive.

use std::collections::BTreeMap;
use std::fs::{self};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;

use crate::{Fault, Fixed, Locks, unusable};

/// The index: the SHA-256 of every other file, in the format of `sha256sum --check`.
pub(crate) const INDEX: &str = "SHA256SUMS";
/// The folders whose files must be in a lock.
const LOCKED: [&str; 3] = ["debian/", "crates/", "vendor/"];
/// The most wrong files that a message names; the rest are counted.
const NAMED: usize = 20;

/// A checked archive: each file matches the index and the locks, and there is no other file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Whether the archive existed already.
    pub found: bool,
    /// The length of every file in octets, by name.
    pub files: BTreeMap<String, u64>,
    /// SHA-256 of the index, which names every file.
    pub index: Digest,
}

impl Archive {
    /// The number of files in a folder of the archive, and their total length in octets.
    #[must_use]
    pub fn sum(&self, folder: &str) -> (usize, u64) {
        let inside = self.files.iter().filter(|(name, _)| name.starts_with(folder));
        inside.fold((0, 0), |(count, sum), (_, octets)| (count + 1, sum + octets))
    }
}

/// The locked inputs, by their place in an archive.
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
            let found = says!("{sha256} と {}", "{sha256} and {}", other.sha256);
            let asked = says!("{path} という名の入力 1 つ", "one input named {path}");
            return Err(Fault::new(RuleId::S_LOCK, asked, found));
        }
    }
    Ok(inputs)
}

/// Checks an archive against these inputs, given by their place in it.
///
/// # Errors
/// `S-LOCK` if a file is missing, changed or added (the message names them), or if the index is
/// malformed; `S-FILE` if a file cannot be read.
pub(crate) fn judge(folder: &Path, inputs: &BTreeMap<String, Fixed>) -> Result<Archive, Fault> {
    let path = folder.join(INDEX);
    let octets = fs::read(&path).map_err(|error| {
        let none = error.kind() == ErrorKind::NotFound;
        if none {
            let asked = says!(
                "{} に完全なアーカイブがあるか、まだフォルダーがないこと",
                "a whole archive at {}, or no folder yet",
                shown(folder)
            );
            Fault::new(RuleId::S_LOCK, asked, says!("{INDEX} なし", "no {INDEX} in it"))
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
            None => wrong.push(says!("欠落: {name}", "missing: {name}")),
            Some(false) => {
                wrong.push(says!(
                    "変化: {name} は通常のファイルでない",
                    "changed: {name} is not a regular file"
                ));
            }
            Some(true) => {
                let octets = fs::read(&path).map_err(|error| unusable(&path, &error))?;
                let found = Digest::of(&octets);
                if found != *asked {
                    wrong.push(says!(
                        "変化: {name} の SHA-256 は {found}",
                        "changed: {name} has SHA-256 {found}"
                    ));
                }
                files.insert(name.clone(), u64::try_from(octets.len()).unwrap_or(u64::MAX));
            }
        }
    }
    for (name, input) in inputs {
        match index.get(name) {
            None => {
                wrong
                    .push(says!("欠落: 固定されている {name}", "missing: {name}, which is locked"));
            }
            Some(sha256) if *sha256 != input.sha256 => {
                wrong.push(says!(
                    "変化: {} として固定されている {name}",
                    "changed: {name}, which is locked as {}",
                    input.sha256
                ));
            }
            Some(_) => {}
        }
    }
    let added = lying.keys().filter(|name| *name != INDEX && !index.contains_key(*name));
    wrong.extend(added.map(|name| says!("追加: {name}", "added: {name}")));
    let locked = |name: &&String| LOCKED.iter().any(|folder| name.starts_with(folder));
    let unlocked = index.keys().filter(locked).filter(|name| !inputs.contains_key(*name));
    wrong.extend(unlocked.map(|name| {
        says!("追加: どこにも固定されていない {name}", "added: {name}, which no lock has")
    }));
    if wrong.is_empty() {
        return Ok(Archive { found: false, files, index: Digest::of(&octets) });
    }
    let asked = says!(
        "固定された入力だけの入った、{} のアーカイブ",
        "an archive at {} with the locked inputs and no others",
        shown(folder)
    );
    Err(Fault::new(RuleId::S_LOCK, asked, named(&wrong)))
}

/// Parses an index: the SHA-256 of each file, by name.
fn parse(octets: &[u8]) -> Result<BTreeMap<String, Digest>, Fault> {
    let text = String::from_utf8_lossy(octets);
    let line = |line: &str| {
        let (sha256, name) = line.split_once("  ")?;
        Some((name.to_string(), sha256.parse().ok()?))
    };
    let parsed: Option<BTreeMap<String, Digest>> = text.lines().map(line).collect();
    let parsed = parsed.filter(|parsed| parsed.len() == text.lines().count());
    parsed.ok_or_else(|| {
        let asked = says!(
            "{INDEX} の各行が SHA-256、空白 2 つ、名前で、名前の重複なし",
            "lines of a SHA-256, two spaces and a name in {INDEX}, each name once"
        );
        let found = says!("ほかの形の行、又は重複した名前", "another line, or a name twice");
        Fault::new(RuleId::S_LOCK, asked, found)
    })
}

/// Everything below a folder except folders, and whether it is a regular file. No link is followed.
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

/// Joins the first [`NAMED`] of these, and says how many more there are.
pub(crate) fn named(all: &[Bilingual]) -> Bilingual {
    let joined = |side: fn(&Bilingual) -> &str| {
        all.iter().take(NAMED).map(side).collect::<Vec<_>>().join("; ")
    };
    let named = Bilingual { ja: joined(|one| &one.ja), en: joined(|one| &one.en) };
    match all.len().checked_sub(NAMED) {
        Some(more @ 1..) => says!(named; "{named}; ほか {more} 件", "{named}; and {more} more"),
        Some(0) | None => named,
    }
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
            ("changed: gishiki is not a regular file", |folder| {
                fs::rename(folder.join("gishiki"), folder.join("other")).unwrap();
                std::os::unix::fs::symlink("other", folder.join("gishiki")).unwrap();
            }),
            ("added: host/b.deb", |folder| {
                fs::create_dir(folder.join("host")).unwrap();
                fs::write(folder.join("host/b.deb"), "b").unwrap();
            }),
            // Whoever changes an input and the index is still stopped by the lock.
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
            assert!(fault.found.en.contains(said), "{said}: {}", fault.found.en);
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
