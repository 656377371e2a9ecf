//! The sealed folder: every file that a verified ceremony hands out, written completely or not at
//! all.
//!
//! **Invariant:** files come from [`Verified`] only. The folder is written beside its place, its
//! manifest last, and renamed; an output that is there already is never overwritten.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use ceremony::bounds::{FILES, NAME, SEALED_FOLDER};
use ceremony::fault::Fault;
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::record::{End, Mode};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::seal::{BUNDLE_FILE, TRANSCRIPT_FILE};
use ceremony::verify::{Consistent, Refusal, Sealed, Verified};
use serde_json::json;

use crate::files::{self, names, read_of};
use crate::halt::Halt;
use crate::partial;
use crate::sources::shown;

/// The name of the postscript in an output folder.
pub(crate) const AFTER_FILE: &str = "after.jsonl";
/// The name of the only folder in an output folder.
const INPUTS: &str = "inputs";
/// The name of the manifest, the last file that is written.
pub(crate) const MANIFEST_FILE: &str = "manifest.json";

/// Returns every file of the sealed folder, by name.
pub(crate) fn files(verified: &Verified, sealed: &Sealed) -> BTreeMap<String, Vec<u8>> {
    let mut files = verified.artefacts().clone();
    for (name, octets) in books(sealed) {
        files.insert(name.into(), octets.to_vec());
    }
    let manifest = manifest(verified.facts(), sealed);
    files.insert(MANIFEST_FILE.into(), manifest.into_bytes());
    files
}

/// Returns the files besides the artefacts and the manifest: transcript, postscript, bundle and
/// inputs.
fn books(sealed: &Sealed) -> impl Iterator<Item = (&'static str, &[u8])> {
    let after = sealed.after.as_deref().map(|after| (AFTER_FILE, after));
    [(TRANSCRIPT_FILE, sealed.transcript.as_slice()), (BUNDLE_FILE, sealed.bundle.as_slice())]
        .into_iter()
        .chain(after)
}

/// Returns every file of the folder except the manifest, with its length and SHA-256.
fn listed(facts: &Consistent, sealed: &Sealed) -> BTreeMap<String, (usize, Digest)> {
    let mut listed = facts.files.clone();
    for (name, octets) in books(sealed) {
        listed.insert(name.into(), (octets.len(), Digest::of(octets)));
    }
    listed
}

/// Makes the manifest: the files of the folder, and the verdict under which it was written.
fn manifest(facts: &Consistent, sealed: &Sealed) -> String {
    let listed: Vec<serde_json::Value> = listed(facts, sealed)
        .iter()
        .map(|(name, (octets, digest))| {
            json!({ "name": name, "octets": octets, "sha256": digest.to_string() })
        })
        .collect();
    let opened = &facts.opened;
    // With name and bindings, what the slip of paper and the anchor have.
    let held = facts.state.held.last();
    let manifest = json!({
        "audit-key": facts.audit_key.to_string(),
        "bindings": opened.bindings.to_string(),
        "ceremony": opened.ceremony.as_str(),
        "end": match facts.end { End::Completed => "completed", End::Aborted => "aborted" },
        "files": listed,
        "format": opened.format,
        "graph": opened.graph.to_string(),
        "head": facts.head.to_string(),
        "mode": mode(facts.mode),
        "postscript": held.map(|held| held.postscript.to_string()),
        "sequence": held.map(|held| held.sequence),
    });
    // Rows of a few words each: people read and diff this file.
    format!("{manifest:#}\n")
}

pub(crate) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Rehearsal => "rehearsal",
        Mode::Drill => "drill",
        Mode::Real => "real",
    }
}

/// Writes the folder, which must not exist: under a hidden name until everything is durable.
pub(crate) fn write(out: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Halt> {
    refuse_existing(out)?;
    let failed = |error: std::io::Error| {
        let asked = says!("{} への書き込み", "to write {}", shown(out));
        Halt::media(RuleId::S_OUT, asked, files::said(&error))
    };
    let absolute = std::path::absolute(out).map_err(failed)?;
    let parent = absolute.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(failed)?;
    let partial = partial::folder(&absolute).map_err(failed)?;
    let (last, others): (Vec<_>, Vec<_>) =
        files.iter().partition(|(name, _)| *name == MANIFEST_FILE);
    let folders: BTreeSet<_> = files.keys().filter_map(|name| Path::new(name).parent()).collect();
    for folder in folders {
        fs::create_dir_all(partial.path().join(folder)).map_err(failed)?;
    }
    for (name, octets) in others {
        write_file(&partial.path().join(name), octets).map_err(failed)?;
    }
    sync_medium(partial.path()).map_err(failed)?;
    for (name, octets) in last {
        write_file(&partial.path().join(name), octets).map_err(failed)?;
    }
    readable_by_all(partial.path()).map_err(failed)?;
    sync_medium(partial.path()).map_err(failed)?;
    refuse_existing(out)?;
    fs::rename(partial.path(), &absolute).map_err(failed)?;
    // It has its own name now; there is nothing left to remove.
    let _ = partial.keep();
    File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed)
}

/// The same if the folder may exist already with these files, in which case nothing is written.
pub(crate) fn write_once(out: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Halt> {
    match out.symlink_metadata().is_ok() && difference(files, &read_folder(out)?).is_none() {
        true => Ok(()),
        false => write(out, files),
    }
}

pub(crate) fn refuse_existing(out: &Path) -> Result<(), Halt> {
    if out.symlink_metadata().is_ok() {
        return Err(Halt::media(
            RuleId::S_OUT,
            says!("新しいフォルダー {}", "a new folder {}", shown(out)),
            says!("既にあるフォルダー", "one that is there already"),
        ));
    }
    Ok(())
}

fn write_file(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    let write = || File::create_new(path)?.write_all(octets);
    #[cfg(test)]
    if crate::simulator::is_on() {
        return crate::simulator::put(path, write);
    }
    write()
}

/// Makes a folder readable by everybody: a temporary one is readable by its owner only.
fn readable_by_all(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

/// Makes everything on the folder's file system durable.
fn sync_medium(folder: &Path) -> std::io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Reads every file of a sealed folder, by name.
pub(crate) fn read_folder(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
    let mut files = BTreeMap::new();
    read_into(&mut files, &mut SEALED_FOLDER.most.clone(), folder, "")?;
    Ok(files)
}

fn read_into(
    files: &mut BTreeMap<String, Vec<u8>>,
    left: &mut u64,
    folder: &Path,
    prefix: &str,
) -> Result<(), Halt> {
    let failed = |error: std::io::Error| {
        let asked = says!("フォルダー {}", "the folder {}", shown(folder));
        Halt::media(RuleId::S_FILE, asked, files::said(&error))
    };
    for (found, is_folder) in names(folder).map_err(failed)? {
        let path = folder.join(&found);
        let strange = || {
            says!(
                "封印されたフォルダーにないはずの名前",
                "a name that no file of a sealed folder has"
            )
        };
        let name = named(&found).ok_or_else(|| surplus_name(&found, strange()))?;
        if is_folder && prefix.is_empty() && name == INPUTS {
            read_into(files, left, &path, &format!("{name}/"))?;
            continue;
        }
        if is_folder {
            let what = says!("記録からは得られないフォルダー", "a folder that no transcript gives");
            return Err(surplus_name(&found, what));
        }
        FILES.judge(files.len() + 1).map_err(|exceeded| {
            let (folder, bound) = (shown(folder), FILES.said());
            let asked = says!(bound; "{folder}: {bound}", "{folder}: {bound}");
            Halt::media(RuleId::S_FILE, asked, exceeded.found())
        })?;
        let octets = read_of(&path, left, SEALED_FOLDER)?;
        files.insert(format!("{prefix}{name}"), octets);
    }
    Ok(())
}

/// Checks that a file of a sealed folder can have this name, before the file is opened.
fn named(name: &std::ffi::OsStr) -> Option<String> {
    let name = name.to_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name =
        NAME.judge(name.len()).is_ok() && !name.starts_with('.') && name.chars().all(plain);
    is_name.then(|| name.to_string())
}

/// The fault of a name that a sealed folder cannot have.
fn surplus_name(name: &std::ffi::OsStr, found: Bilingual) -> Halt {
    let asked = says!("この記録から得られるファイル", "the files that this transcript gives");
    let fault = Fault::new(RuleId::S_ARTEFACT, asked, found);
    Halt::Verification(Refusal::of(shown(Path::new(name)), fault))
}

/// Takes the sealed ceremony from these files.
pub(crate) fn sealed(files: &BTreeMap<String, Vec<u8>>) -> Sealed {
    let file = |name: &str| files.get(name).cloned().unwrap_or_default();
    let inputs = files.iter().filter_map(|(name, octets)| {
        Some((name.strip_prefix("inputs/")?.to_string(), octets.clone()))
    });
    Sealed {
        inputs: inputs.collect(),
        transcript: file(TRANSCRIPT_FILE),
        bundle: file(BUNDLE_FILE),
        after: files.get(AFTER_FILE).cloned(),
    }
}

/// Returns the first file that differs, is absent, or must not be there.
pub(crate) fn difference(
    asked: &BTreeMap<String, Vec<u8>>,
    found: &BTreeMap<String, Vec<u8>>,
) -> Option<(String, Bilingual)> {
    for (name, octets) in asked {
        let Some(other) = found.get(name) else {
            return Some((name.clone(), says!("ファイルなし", "no such file")));
        };
        if other != octets {
            return Some((name.clone(), first_difference(octets, other)));
        }
    }
    surplus(asked, found)
}

/// The same for a ceremony without trust: by digests only, because its content is not given out.
pub(crate) fn unlike(
    facts: &Consistent,
    sealed: &Sealed,
    found: &BTreeMap<String, Vec<u8>>,
) -> Option<(String, Bilingual)> {
    let manifest = manifest(facts, sealed);
    let mut asked = listed(facts, sealed);
    asked.insert(MANIFEST_FILE.into(), (manifest.len(), Digest::of(manifest.as_bytes())));
    for (name, (length, digest)) in &asked {
        let Some(octets) = found.get(name) else {
            return Some((name.clone(), says!("ファイルなし", "no such file")));
        };
        let other = Digest::of(octets);
        if other != *digest {
            let count = octets.len();
            let what = says!(
                "{count} オクテット、SHA-256 {other}({length} オクテット、{digest} でない)",
                "{count} octets with SHA-256 {other}, not {length} with {digest}"
            );
            return Some((name.clone(), what));
        }
    }
    surplus(&asked, found)
}

/// The fault of a file that must not be there.
fn surplus<T>(
    asked: &BTreeMap<String, T>,
    found: &BTreeMap<String, Vec<u8>>,
) -> Option<(String, Bilingual)> {
    let extra = found.keys().find(|name| !asked.contains_key(*name));
    extra.map(|name| {
        let what =
            says!("この記録からは得られないファイル", "a file that this transcript does not give");
        (name.clone(), what)
    })
}

fn first_difference(asked: &[u8], found: &[u8]) -> Bilingual {
    let at = asked
        .iter()
        .zip(found)
        .position(|(a, b)| a != b)
        .unwrap_or_else(|| asked.len().min(found.len()));
    let line = asked.iter().take(at).filter(|octet| **octet == b'\n').count() + 1;
    says!(
        "オクテット位置 {at}({line} 行目)から異なる内容",
        "other octets from octet {at}, line {line}"
    )
}
