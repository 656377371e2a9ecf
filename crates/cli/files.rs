//! Reads files that come from elsewhere: each once and completely, and only regular files, never
//! through a symbolic link.

pub(crate) mod beneath;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use ceremony::bounds::{Bound, DOCUMENT, Exceeded, FILE, OFFERED, SEALED_FILE};
use ceremony::cps::Cps;
use ceremony::inputs::{Documents, Inputs};
use ceremony::language::Bilingual;
use ceremony::plan::Plan;
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;

use crate::halt::Halt;
use crate::sources::{Sources, shown};

use os::{PLAIN, Unread};
pub(crate) use os::{names, not_text, ours, said};

/// The name of the plan file in a ceremony's folder.
pub(crate) const PLAN_FILE: &str = "plan.toml";

/// The name of the release in a CA's folder, which need not be there.
const RELEASE: &str = "release.toml";

/// The only subfolder of a sealed folder.
pub(crate) const INPUTS: &str = "inputs";

impl Sources {
    /// Reads the files of a ceremony's folder, and the policy and roster in the CA's folder above
    /// it.
    pub(crate) fn read(ceremony: &Path) -> Result<Self, Halt> {
        let plan = ceremony.join(PLAN_FILE);
        let plan = (plan.clone(), read_document(&plan)?);
        let folder = std::path::absolute(ceremony).unwrap_or_else(|_| ceremony.to_path_buf());
        let above = folder.parent().unwrap_or(&folder);
        let shown = |name: &str| ceremony.join("..").join(name);
        let cps = (shown("cps.toml"), read_document(&above.join("cps.toml"))?);
        Ok(Self {
            document: Some(document(&cps.1, above)?),
            cps,
            files: named_files(&plan.1, |name| read_document(&ceremony.join(name)))?,
            plan,
            policy: (shown("policy.toml"), read_document(&above.join("policy.toml"))?),
            roster: (shown("roster.toml"), read_document(&above.join("roster.toml"))?),
            release: optional(&above.join(RELEASE), read_document)?
                .map(|octets| (shown(RELEASE), octets)),
        })
    }

    /// Reads the inputs that are kept in a sealed folder.
    pub(crate) fn sealed(folder: &Path) -> Result<Self, Halt> {
        let document = |name: &str| {
            let octets = read_input(folder, name)?;
            Ok((folder.join(INPUTS).join(name), octets))
        };
        let plan = document(PLAN_FILE)?;
        Ok(Self {
            files: named_files(&plan.1, |name| read_input(folder, name))?,
            plan,
            cps: document("cps.toml")?,
            document: None,
            policy: document("policy.toml")?,
            roster: document("roster.toml")?,
            release: optional(&folder.join(INPUTS).join(RELEASE), |_| document(RELEASE))?,
        })
    }

    pub(crate) fn inputs(self) -> Result<Inputs, Halt> {
        let documents = Documents {
            plan: &self.plan.1,
            cps: &self.cps.1,
            policy: &self.policy.1,
            roster: &self.roster.1,
            release: self.release.as_ref().map(|(_, octets)| octets.as_slice()),
        };
        let read = Inputs::read(documents, &self.files);
        let judged = read.and_then(|inputs| match &self.document {
            None => Ok(inputs),
            Some(document) => match inputs.cps.judge_document(document.as_deref()) {
                Ok(()) => Ok(inputs),
                Err(violation) => Err(vec![violation]),
            },
        });
        judged.map_err(|violations| Halt::Violations(Box::new(self), violations))
    }
}

/// Reads a file that need not be there.
fn optional<T>(path: &Path, read: impl Fn(&Path) -> Result<T, Halt>) -> Result<Option<T>, Halt> {
    path.symlink_metadata().is_ok().then(|| read(path)).transpose()
}

/// Reads the CP/CPS that `cps.toml` names, a file beside it; `None` if there is none.
///
/// A `cps.toml` that cannot be parsed names none; its error is reported elsewhere.
fn document(cps: &[u8], beside: &Path) -> Result<Option<Vec<u8>>, Halt> {
    let Ok(cps) = Cps::parse(cps) else { return Ok(None) };
    let path = beside.join(plain_name(cps.document.file.get_ref())?);
    optional(&path, |path| read_at_most(path, FILE))
}

/// Admits the plain name of a file in a folder.
fn plain_name(name: &str) -> Result<&str, Halt> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        let asked = says!(
            "同じフォルダーにあるファイルの名(英数字と - _ . のみ)",
            "the plain name of a file in the same folder"
        );
        let found = Bilingual::plain(name.escape_debug());
        return Err(Halt::media(RuleId::S_FILE, asked, found));
    }
    Ok(name)
}

/// Reads the certificate signing requests that a plan names, which are files beside the plan.
///
/// A plan that cannot be parsed names none; the error of the plan is reported elsewhere.
fn named_files(
    plan: &[u8],
    read: impl Fn(&str) -> Result<Vec<u8>, Halt>,
) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
    let Ok(plan) = Plan::parse(plan) else { return Ok(BTreeMap::new()) };
    let mut files = BTreeMap::new();
    for csr in plan.certificate.values().filter_map(|certificate| certificate.csr.as_ref()) {
        let name = plain_name(csr.get_ref())?;
        files.insert(name.to_owned(), read(name)?);
    }
    Ok(files)
}

/// Reads a document that people wrote: plan, policy, roster, room, anchor or answers.
///
/// The limit is that of the core for text ([`DOCUMENT`]).
pub(crate) fn read_document(path: &Path) -> Result<Vec<u8>, Halt> {
    read_at_most(path, DOCUMENT)
}

/// Reads an input of a sealed folder.
///
/// The path of the folder itself may contain symbolic links, but below it none is followed. So the
/// file that is read is the one that is judged and compared.
pub(crate) fn read_input(folder: &Path, name: &str) -> Result<Vec<u8>, Halt> {
    let path = folder.join(INPUTS).join(name);
    let failed = |error: Errno| refused(&path, DOCUMENT, Unread::Failed(error.into()));
    let there = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(folder, there, Mode::empty()).map_err(failed)?;
    let inputs = openat(&root, INPUTS, there | OFlags::NOFOLLOW, Mode::empty()).map_err(failed)?;
    let file = openat(&inputs, name, PLAIN, Mode::empty()).map_err(failed)?;
    os::read_opened(file.into(), DOCUMENT).map_err(|unread| refused(&path, DOCUMENT, unread))
}

/// Reads a file of a sealed folder, or a transcript or postscript of a journal.
pub(crate) fn read_sealed(path: &Path) -> Result<Vec<u8>, Halt> {
    read_at_most(path, SEALED_FILE)
}

/// Reads one of several files with a common limit `whole`, of which `left` octets remain.
pub(crate) fn read_of(path: &Path, left: &mut u64, whole: Bound) -> Result<Vec<u8>, Halt> {
    // The size is checked before the file is opened. A file that grows meanwhile is limited by
    // SEALED_FILE.
    let length = path.symlink_metadata().map_or(0, |file| file.len());
    if length > *left {
        let found = whole.most.saturating_sub(*left).saturating_add(length);
        let asked = within(path, whole);
        return Err(Halt::media(RuleId::S_FILE, asked, Exceeded { bound: whole, found }.found()));
    }
    let octets = read_sealed(path)?;
    *left = left.saturating_sub(u64::try_from(octets.len()).unwrap_or(u64::MAX));
    Ok(octets)
}

/// Reads a regular file of at most 1 GiB; follows no symbolic link.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Halt> {
    read_at_most(path, FILE)
}

/// Reads a certificate or CRL: DER, or a file with exactly one PEM block (RFC 7468).
pub(crate) fn read_der(path: &Path, label: &str, left: &mut u64) -> Result<Vec<u8>, Halt> {
    let octets = read_of(path, left, OFFERED)?;
    if !octets.starts_with(b"-----") {
        return Ok(octets);
    }
    let refused = |found: Bilingual| {
        let path = shown(path);
        let asked = says!(
            "{path} に DER、又は {label} の PEM ブロック 1 つ",
            "DER, or one PEM block {label}, in {path}"
        );
        Halt::media(RuleId::S_FILE, asked, found)
    };
    let text = String::from_utf8(octets)
        .map_err(|_| refused(says!("UTF-8 でない文字列", "text that is not UTF-8")))?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut lines = text.trim_end().lines();
    if lines.next() != Some(&begin) || lines.next_back() != Some(&end) {
        return Err(refused(says!(
            "別のブロック、又は 2 つ以上のブロック",
            "another block, or more than one"
        )));
    }
    Base64::decode_vec(&lines.collect::<String>())
        .map_err(|_| refused(says!("base64 でない文字列", "text that is not base64")))
}

/// Reads a regular file within a limit; refuses a device, pipe, folder or symbolic link.
fn read_at_most(path: &Path, bound: Bound) -> Result<Vec<u8>, Halt> {
    os::read(path, bound).map_err(|unread| refused(path, bound, unread))
}

fn refused(path: &Path, bound: Bound, unread: Unread) -> Halt {
    let (asked, found) = match unread {
        Unread::Failed(error) => (plain_file(path), said(&error)),
        Unread::Large(exceeded) => (within(path, bound), exceeded.found()),
    };
    Halt::media(RuleId::S_FILE, asked, found)
}

/// The demand for a regular file, as a refusal states it.
fn plain_file(path: &Path) -> Bilingual {
    says!("通常のファイル {}", "a plain file {}", shown(path))
}

/// The demand that a file is within a limit, as a refusal states it.
fn within(path: &Path, bound: Bound) -> Bilingual {
    let bound = bound.said();
    says!(bound; "{}: {bound}", "{}: {bound}", shown(path))
}

/// Returns the names in a folder that need not be there: none, if it is not.
pub(crate) fn names_if_any(folder: &Path) -> Result<Vec<OsString>, Halt> {
    if folder.symlink_metadata().is_err() {
        return Ok(Vec::new());
    }
    let names = names(folder).map_err(|error| {
        let asked = says!("読み出せる {}", "{}, to be read", shown(folder));
        Halt::media(RuleId::S_FILE, asked, said(&error))
    })?;
    Ok(names.into_iter().map(|(name, _)| name).collect())
}
