//! Reads files that somebody else wrote: once, whole, and only if they are plain files of their
//! folder.

pub(crate) mod beneath;

use crate::halt::Halt;
use crate::sources::{Sources, shown};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use ceremony::bounds::{Bound, DOCUMENT, Exceeded, FILE, OFFERED, SEALED_FILE};
use ceremony::inputs::Inputs;
use ceremony::plan::Plan;
use ceremony::rule::RuleId;
use rustix::fs::{FileType, Mode, OFlags, open, openat};
use rustix::io::Errno;

/// The name of a plan in its ceremony's folder.
pub(crate) const PLAN_FILE: &str = "plan.toml";

/// The only folder in a sealed folder.
pub(crate) const INPUTS: &str = "inputs";

impl Sources {
    /// Reads a ceremony's folder, and policy and roster of the CA's folder above it.
    pub(crate) fn read(ceremony: &Path) -> Result<Self, Halt> {
        let plan = ceremony.join(PLAN_FILE);
        let plan = (plan.clone(), read_document(&plan)?);
        let folder = std::path::absolute(ceremony).unwrap_or_else(|_| ceremony.to_path_buf());
        let above = folder.parent().unwrap_or(&folder);
        let shown = |name: &str| ceremony.join("..").join(name);
        Ok(Self {
            files: named_files(&plan.1, |name| read_document(&ceremony.join(name)))?,
            plan,
            policy: (shown("policy.toml"), read_document(&above.join("policy.toml"))?),
            roster: (shown("roster.toml"), read_document(&above.join("roster.toml"))?),
        })
    }

    /// Reads the inputs that a sealed folder keeps.
    pub(crate) fn sealed(folder: &Path) -> Result<Self, Halt> {
        let document = |name: &str| {
            let octets = read_input(folder, name)?;
            Ok((folder.join(INPUTS).join(name), octets))
        };
        let plan = document(PLAN_FILE)?;
        Ok(Self {
            files: named_files(&plan.1, |name| read_input(folder, name))?,
            plan,
            policy: document("policy.toml")?,
            roster: document("roster.toml")?,
        })
    }

    pub(crate) fn inputs(self) -> Result<Inputs, Halt> {
        Inputs::read(&self.plan.1, &self.policy.1, &self.roster.1, &self.files)
            .map_err(|violations| Halt::Violations(Box::new(self), violations))
    }
}

/// The certificate signing requests that a plan names: plain names of files beside it. A plan that
/// cannot be read names none; that is said elsewhere.
fn named_files(
    plan: &[u8],
    read: impl Fn(&str) -> Result<Vec<u8>, Halt>,
) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
    let Ok(plan) = Plan::parse(plan) else { return Ok(BTreeMap::new()) };
    let mut files = BTreeMap::new();
    for csr in plan.certificate.values().filter_map(|certificate| certificate.csr.as_ref()) {
        let name = csr.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            let asked = "the plain name of a file beside the plan";
            return Err(Halt::media(RuleId::S_FILE, asked, name.escape_debug().to_string()));
        }
        files.insert(name.clone(), read(name)?);
    }
    Ok(files)
}

/// Reads a document that people wrote: plan, policy, roster, room, anchor, answers. None is larger
/// than what the core admits as text.
pub(crate) fn read_document(path: &Path) -> Result<Vec<u8>, Halt> {
    read_at_most(path, DOCUMENT)
}

/// Reads an input of a sealed folder. The folder is the one that is given, whatever leads to it;
/// below it no link is followed, so what is read is what is judged and compared.
pub(crate) fn read_input(folder: &Path, name: &str) -> Result<Vec<u8>, Halt> {
    let path = folder.join(INPUTS).join(name);
    let refused = |error: Errno| {
        Halt::media(RuleId::S_FILE, format!("a plain file {}", shown(&path)), error.to_string())
    };
    let there = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(folder, there, Mode::empty()).map_err(refused)?;
    let inputs = openat(&root, INPUTS, there | OFlags::NOFOLLOW, Mode::empty()).map_err(refused)?;
    let file = openat(&inputs, name, PLAIN, Mode::empty()).map_err(refused)?;
    read_opened(file.into(), &path, DOCUMENT)
}

/// Reads a file of a sealed folder, or a book of a journal.
pub(crate) fn read_sealed(path: &Path) -> Result<Vec<u8>, Halt> {
    read_at_most(path, SEALED_FILE)
}

/// Reads a file of several that have a bound together, of which so many octets are left.
pub(crate) fn read_of(path: &Path, left: &mut u64, whole: Bound) -> Result<Vec<u8>, Halt> {
    // It is judged before it is opened; a file that grows meanwhile has the bound of one file.
    let length = path.symlink_metadata().map_or(0, |file| file.len());
    if length > *left {
        let found = whole.most.saturating_sub(*left).saturating_add(length);
        let asked = format!("{}: {whole}", shown(path));
        return Err(Halt::media(RuleId::S_FILE, asked, Exceeded { bound: whole, found }.found()));
    }
    let octets = read_sealed(path)?;
    *left = left.saturating_sub(u64::try_from(octets.len()).unwrap_or(u64::MAX));
    Ok(octets)
}

/// Reads a plain file of at most 1 GiB, following no link: no device, pipe or folder, not larger
/// than 1 GiB.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Halt> {
    read_at_most(path, FILE)
}

/// Reads a certificate or CRL: DER, or the one PEM block of a file (RFC 7468).
pub(crate) fn read_der(path: &Path, label: &str, left: &mut u64) -> Result<Vec<u8>, Halt> {
    let octets = read_of(path, left, OFFERED)?;
    if !octets.starts_with(b"-----") {
        return Ok(octets);
    }
    let refused = |found: &str| {
        Halt::media(
            RuleId::S_FILE,
            format!("DER, or one PEM block {label}, in {}", shown(path)),
            found,
        )
    };
    let text = String::from_utf8(octets).map_err(|_| refused("text that is not UTF-8"))?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut lines = text.trim_end().lines();
    if lines.next() != Some(&begin) || lines.next_back() != Some(&end) {
        return Err(refused("another block, or more than one"));
    }
    Base64::decode_vec(&lines.collect::<String>()).map_err(|_| refused("no base64"))
}

/// How a file is opened that somebody else wrote: never through a link, never waiting for a pipe.
const PLAIN: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// No device, no pipe, no folder, no link, no more than this.
fn read_at_most(path: &Path, bound: Bound) -> Result<Vec<u8>, Halt> {
    let file = open(path, PLAIN, Mode::empty()).map_err(|error| {
        Halt::media(RuleId::S_FILE, format!("a plain file {}", shown(path)), error.to_string())
    })?;
    read_opened(file.into(), path, bound)
}

fn read_opened(file: File, path: &Path, bound: Bound) -> Result<Vec<u8>, Halt> {
    let refused =
        |found: String| Halt::media(RuleId::S_FILE, format!("a plain file {}", shown(path)), found);
    let metadata = file.metadata().map_err(|error| refused(error.to_string()))?;
    if !metadata.is_file() {
        return Err(refused("something that is no plain file".to_string()));
    }
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    bound.judge(length).map_err(|exceeded| {
        Halt::media(RuleId::S_FILE, format!("{}: {bound}", shown(path)), exceeded.found())
    })?;
    // A file of nothing but holes says that it is large, and costs nobody anything: memory is asked
    // for, and a refusal is one like any other.
    let mut octets = Vec::new();
    octets
        .try_reserve_exact(length)
        .map_err(|error| refused(format!("{} octets; {error}", metadata.len())))?;
    file.take(bound.most).read_to_end(&mut octets).map_err(|error| refused(error.to_string()))?;
    Ok(octets)
}

/// The names in a folder, in order, each with whether it is a folder itself. The standard library's
/// listing panics where closing it fails, as it does on a medium that is going bad.
pub(crate) fn names(folder: &Path) -> std::io::Result<Vec<(OsString, bool)>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = open(folder, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(opened)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_os_string();
        if name == "." || name == ".." {
            continue;
        }
        let is_folder = match entry.file_type() {
            // Some file systems do not say.
            FileType::Unknown => folder.join(&name).symlink_metadata()?.is_dir(),
            FileType::Directory => true,
            FileType::RegularFile
            | FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice => false,
        };
        names.push((name, is_folder));
    }
    names.sort();
    Ok(names)
}
