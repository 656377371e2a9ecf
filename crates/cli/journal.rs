//! The journal: a ceremony's transcript while it is being written, on two media at once.
//!
//! The folder on each medium holds `inputs.json` (every input, by name) and `journal.jsonl`; after
//! the seal also `bundle.json` and `after.jsonl` (the postscript). A ceremony that was abandoned
//! has `given-up` instead, with the digest that people sign. A line counts only when it is durable
//! on both media.
//!
//! Lines are first [noted](Journal::note) and then [kept](Journal::keep). The caller keeps them
//! before it causes an effect or shows a result. So an answer and the question after it can be
//! written together.
//!
//! **Invariant:** what is durable on both media is never changed. [`recover`] decides what happens
//! to lines that are on one medium only.

pub(crate) mod recover;

mod ended;

pub(crate) mod place;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ceremony::bounds::SEALED_FILE;
use ceremony::compile::Compiled;
use ceremony::fault::Fault;
use ceremony::hex::Digest;
use ceremony::inputs::input_digest;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::record::{Event, GENESIS, Record};
use ceremony::rule::RuleId;
use ceremony::run::Book;
use ceremony::says;
use ceremony::time::Instant;
use rustix::fs::OFlags;

use crate::files::{names, not_text, read_sealed, said};
use crate::halt::{Halt, Reached};
use crate::partial::{self, is_partial};
use crate::sources::shown;

const INPUTS: &str = "inputs.json";
const TRANSCRIPT: &str = "journal.jsonl";
const BUNDLE: &str = "bundle.json";
const AFTER: &str = "after.jsonl";
const GIVEN_UP: &str = "given-up";

/// Where the lines of a run are written.
#[derive(Debug)]
pub(crate) enum Journal {
    /// In memory only: the journal of a rehearsal.
    Memory(Written),
    /// On two media, with the lines that are noted but not written yet.
    Media([Medium; 2], Noted),
}

/// Lines that are not durable yet: at most an answer and the question after it.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    transcript: String,
    after: String,
}

/// The files of a journal as they were written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) transcript: Vec<u8>,
    pub(crate) bundle: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

/// The journal's folder on one medium, locked by this process.
#[derive(Debug)]
pub(crate) struct Medium {
    folder: PathBuf,
    held: place::Held,
    transcript: File,
}

impl Journal {
    /// Begins a journal in two new folders, with a copy of every input in each.
    pub(crate) fn begin(folders: &[PathBuf], compiled: &Compiled) -> Result<Self, Halt> {
        let folders = two(folders)?;
        for folder in &folders {
            refuse_filled(folder, &BEGUN)?;
        }
        let [a, b] = folders;
        let media = [Medium::create(a, compiled)?, Medium::create(b, compiled)?];
        Ok(Self::Media(media, Noted::default()))
    }

    /// Whether a ceremony was begun: at least one of these folders has a durable record.
    pub(crate) fn is_begun(folders: &[PathBuf]) -> bool {
        folders.iter().any(|folder| holds_a_record(folder))
    }

    /// Returns the name of the ceremony, if the first record in one of these folders can be read.
    pub(crate) fn ceremony(folders: &[PathBuf]) -> Option<Name> {
        let opened = |folder: &PathBuf| {
            let octets = read_sealed(&folder.join(TRANSCRIPT)).ok()?;
            let first = octets.split(|octet| *octet == b'\n').next()?;
            let record = Record::read(std::str::from_utf8(first).ok()?).ok()?;
            if let Event::Opened(opened) = record.event { Some(opened.ceremony) } else { None }
        };
        folders.iter().find_map(opened)
    }

    /// Whether the ceremony was sealed: in one of these folders a bundle is present and the last
    /// record closes the ceremony.
    ///
    /// This does not verify the bundle; whoever reads the bundle does.
    pub(crate) fn is_sealed(folders: &[PathBuf]) -> bool {
        let is_there = |folder: &&PathBuf| folder.join(BUNDLE).symlink_metadata().is_ok();
        let closes = |folder: &PathBuf| {
            let lines = read_sealed(&folder.join(TRANSCRIPT)).map(|octets| whole_lines(octets).0);
            let text = lines.ok().and_then(|lines| String::from_utf8(lines).ok());
            let last = text.as_ref().and_then(|text| Record::read(text.lines().last()?).ok());
            last.is_some_and(|record| matches!(record.event, Event::Closed { .. }))
        };
        folders.iter().filter(is_there).any(closes)
    }

    /// Returns the time of the newest record in these folders, if any can be read.
    pub(crate) fn last_at(folders: &[PathBuf]) -> Option<Instant> {
        let last = |folder: &PathBuf| {
            let books = [AFTER, TRANSCRIPT].map(|book| read_sealed(&folder.join(book)));
            books.into_iter().find_map(|octets| {
                let (octets, _) = whole_lines(octets.ok()?);
                let line = octets.trim_ascii_end().rsplit(|octet| *octet == b'\n').next()?;
                let record = Record::read(std::str::from_utf8(line).ok()?);
                Some(record.ok()?.at)
            })
        };
        folders.iter().filter_map(last).max()
    }

    /// Marks the ceremony as abandoned on both media, with the digest that people sign.
    ///
    /// After that, no command goes on with the ceremony ([`Journal::refuse_given_up`]).
    pub(crate) fn give_up(folders: &[PathBuf], digest: &Digest) -> Result<(), Halt> {
        let held = |folder: &&PathBuf| folder.join(TRANSCRIPT).symlink_metadata().is_ok();
        for folder in two(folders)?.iter().filter(held) {
            put(&folder.join(GIVEN_UP), format!("{digest}\n").as_bytes())?;
        }
        Ok(())
    }

    /// Refuses a ceremony that was abandoned (S-ABANDONED).
    pub(crate) fn refuse_given_up(folders: &[PathBuf]) -> Result<(), Halt> {
        let given_up = folders.iter().map(|folder| folder.join(GIVEN_UP));
        let Some(mark) = given_up.into_iter().find(|mark| mark.symlink_metadata().is_ok()) else {
            return Ok(());
        };
        let digest =
            read_sealed(&mark).map(|octets| String::from_utf8_lossy(&octets).trim().to_string());
        let (mark, digest) = (shown(&mark), digest.unwrap_or_default());
        let found =
            says!("{mark}: {digest} として断念したもの", "{mark}: it was given up as {digest}");
        let asked = says!("続けられる記録", "a journal that goes on");
        Err(Halt::media(RuleId::S_ABANDONED, asked, found).held(Reached::GivenUp))
    }

    /// Refuses an output folder that is a journal or lies in one: what was sealed could not
    /// be written there, and the journal would not be read again.
    pub(crate) fn refuse_out_within(folders: &[PathBuf], out: &Path) -> Result<(), Halt> {
        let Ok(at) = place(out) else { return Ok(()) };
        let within = |folder: &&PathBuf| place(folder).is_ok_and(|folder| at.starts_with(folder));
        let Some(folder) = folders.iter().find(within) else { return Ok(()) };
        let (out, folder) = (shown(out), shown(folder));
        let asked =
            says!("記録フォルダーの外の --out", "an --out that is no journal and lies in none");
        let found = says!("記録フォルダー {folder} にある {out}", "{out}, at the journal {folder}");
        Err(Halt::media(RuleId::S_OUT, asked, found))
    }

    /// Adds a line to those that the next [`Journal::keep`] makes durable.
    pub(crate) fn note(&mut self, book: Book, line: &str) {
        match (self, book) {
            (Self::Memory(written), Book::Transcript) => written.transcript.extend(line.as_bytes()),
            (Self::Memory(written), Book::Postscript) => written.after.extend(line.as_bytes()),
            (Self::Media(_, noted), Book::Transcript) => noted.transcript.push_str(line),
            (Self::Media(_, noted), Book::Postscript) => noted.after.push_str(line),
        }
    }

    /// Makes every noted line durable on both media, and checks that both are still mounted where
    /// they were.
    pub(crate) fn keep(&mut self) -> Result<(), Halt> {
        let Self::Media(media, noted) = self else { return Ok(()) };
        for medium in media.iter_mut() {
            medium.append(noted).map_err(|error| failed(&medium.folder, &error))?;
        }
        // Writing takes time, and an effect follows. If a medium was removed meanwhile, the
        // question would be on the other medium alone.
        for medium in media {
            medium.held.is_at(&medium.folder).map_err(|error| failed(&medium.folder, &error))?;
        }
        *noted = Noted::default();
        Ok(())
    }

    /// Whether half of what a transcript may hold is written. Wrong answers leave the other half
    /// to everything else: a key that is held down must not fill a journal that nobody can read.
    pub(crate) fn is_half_full(&self) -> Result<bool, Halt> {
        let octets = match self {
            Self::Memory(written) => u64::try_from(written.transcript.len()).unwrap_or(u64::MAX),
            Self::Media([first, _], _) => {
                let failed = |error| failed(&first.folder, &error);
                first.transcript.metadata().map_err(failed)?.len()
            }
        };
        Ok(octets > SEALED_FILE.most / 2)
    }

    /// Writes the bundle; it is durable on both media when this returns.
    pub(crate) fn write_bundle(&mut self, bundle: &str) -> Result<(), Halt> {
        match self {
            Self::Memory(written) => written.bundle = bundle.as_bytes().to_vec(),
            Self::Media(media, _) => {
                for medium in media {
                    put(&medium.folder.join(BUNDLE), bundle.as_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Returns everything written so far, read from the first medium.
    pub(crate) fn written(&self) -> Result<Written, Halt> {
        match self {
            Self::Memory(written) => Ok(written.clone()),
            Self::Media([first, _], _) => Ok(Written {
                transcript: read_sealed(&first.folder.join(TRANSCRIPT))?,
                bundle: read_sealed(&first.folder.join(BUNDLE))?,
                after: read_sealed(&first.folder.join(AFTER))?,
            }),
        }
    }
}

impl Medium {
    fn create(folder: PathBuf, compiled: &Compiled) -> Result<Self, Halt> {
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        let inputs = serde_json::to_vec_pretty(&compiled.inputs).map_err(std::io::Error::other);
        let inputs = inputs.map_err(|error| failed(&folder, &error))?;
        let medium = Self::open(folder, true)?;
        // Checks again under the lock: another process may have written since. Nothing was done
        // yet, so an incomplete last line is removed.
        refuse_filled(&medium.folder, &BEGUN)?;
        medium.transcript.set_len(0).map_err(|error| failed(&medium.folder, &error))?;
        put(&medium.folder.join(INPUTS), &inputs)?;
        Ok(medium)
    }

    /// Appends the noted lines and syncs them.
    fn append(&mut self, noted: &Noted) -> std::io::Result<()> {
        self.held.is_at(&self.folder)?;
        if !noted.transcript.is_empty() {
            durably(&self.folder, &mut self.transcript, noted.transcript.as_bytes())?;
        }
        if !noted.after.is_empty() {
            let appended = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
            let mut after = self.held.file(AFTER, appended)?;
            durably(&self.folder, &mut after, noted.after.as_bytes())?;
        }
        Ok(())
    }

    fn open(folder: PathBuf, new: bool) -> Result<Self, Halt> {
        let held = place::Held::open(&folder)?;
        let path = folder.join(TRANSCRIPT);
        let appended = OFlags::RDWR | OFlags::APPEND;
        let flags = if new { appended | OFlags::CREATE } else { appended };
        let transcript = held.file(TRANSCRIPT, flags).map_err(|error| failed(&path, &error))?;
        transcript.try_lock().map_err(|_| {
            Halt::media(
                RuleId::S_BUSY,
                says!("このプロセスだけが使う {}", "{} for this process alone", shown(&path)),
                says!(
                    "別のプロセスが使用中。Ctrl-Z で止めたものは `fg` で続ける",
                    "another process that holds it; one that was stopped by Ctrl-Z goes on with `fg`"
                ),
            )
        })?;
        Ok(Self { folder, held, transcript })
    }

    /// Brings a file to exactly `octets`, of which it already holds the first `held`.
    fn bring_to(&mut self, name: &str, octets: &[u8], held: usize) -> Result<(), Halt> {
        let path = self.folder.join(name);
        let change = || -> std::io::Result<()> {
            let mut file = self.held.file(name, OFlags::WRONLY | OFlags::CREATE)?;
            let kept = held.min(octets.len());
            file.set_len(u64::try_from(kept).unwrap_or(u64::MAX))?;
            file.seek(SeekFrom::End(0))?;
            durably(&self.folder, &mut file, octets.get(kept..).unwrap_or_default())?;
            file.sync_all()
        };
        change().map_err(|error| failed(&path, &error))?;
        sync_folder(&self.folder)
    }
}

/// Whether a journal has a record.
///
/// A file that cannot be read counts as having one, so that it is never overwritten. A damaged
/// first line with nothing behind it does not: before the second record nothing is asked of anyone.
fn holds_a_record(folder: &Path) -> bool {
    let path = folder.join(TRANSCRIPT);
    let has = |octets: Vec<u8>| match whole_lines(octets).0.strip_suffix(b"\n") {
        None => false,
        Some(lines) if lines.contains(&b'\n') => true,
        Some(line) => str::from_utf8(line).is_ok_and(is_first_record),
    };
    path.symlink_metadata().is_ok() && read_sealed(&path).map_or(true, has)
}

/// Whether a line is the first record of a journal, which it is if the record that it gives is
/// written as this line.
fn is_first_record(line: &str) -> bool {
    let read = Record::read(line);
    read.is_ok_and(|record| record.to_line(record.chain(GENESIS)).trim_end() == line)
}

/// What a folder may contain if the power was cut while a ceremony was about to begin.
const BEGUN: [&str; 2] = [INPUTS, TRANSCRIPT];
/// The same, if the journal was being copied from the other medium: the transcript is copied last.
const COPIED: [&str; 3] = [INPUTS, AFTER, TRANSCRIPT];

/// Refuses a folder that already contains files.
///
/// Files that an interrupted beginning left (`ours`) are accepted: without a record, no operation
/// was performed.
fn refuse_filled(folder: &Path, ours: &[&str]) -> Result<(), Halt> {
    let ours = |name: &std::ffi::OsStr| {
        let begun = ours.iter().any(|ours| name == *ours) || is_partial(name);
        name == "lost+found" || recover::is_aside(name) || (begun && !holds_a_record(folder))
    };
    let found = match names(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(folder, &error)),
    };
    if found.iter().any(|(name, _)| !ours(name)) {
        let folder = shown(folder);
        let asked = says!(
            "記録のための空のフォルダー {folder}",
            "an empty folder {folder} for the journal"
        );
        let found = says!("ファイルのあるフォルダー", "files in it");
        return Err(Halt::media(RuleId::S_JOURNAL, asked, found));
    }
    Ok(())
}

/// Returns two different folders, or refuses.
fn two(folders: &[PathBuf]) -> Result<[PathBuf; 2], Halt> {
    let wrong = |found: Bilingual| Halt::media(RuleId::S_JOURNAL, two_folders(), found);
    let [a, b] = folders else {
        return Err(wrong(says!("{} 個の指定", "{} given", folders.len())));
    };
    let (Ok(at_a), Ok(at_b)) = (place(a), place(b)) else {
        return Err(wrong(says!("たどれないパス", "a path that cannot be resolved")));
    };
    if at_a == at_b {
        return Err(wrong(says!("同じフォルダー {}", "{} twice", shown(a))));
    }
    if at_a.starts_with(&at_b) || at_b.starts_with(&at_a) {
        let (a, b) = (shown(a), shown(b));
        return Err(wrong(says!(
            "{a} と {b}(一方が他方の中にある)",
            "{a} and {b}, the one inside the other"
        )));
    }
    Ok([a.clone(), b.clone()])
}

/// Returns where a path leads, also if what it names does not exist yet.
fn place(path: &Path) -> std::io::Result<PathBuf> {
    fs::canonicalize(path).or_else(|_| match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            let here = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Ok(place(here)?.join(name))
        }
        _ => std::path::absolute(path),
    })
}

/// The request for two different folders, as a refusal states it.
fn two_folders() -> Bilingual {
    says!("2 つの媒体にある 2 つの記録フォルダー", "two journal folders, on two media")
}

/// Splits octets into complete lines, and the length in octets of an incomplete last line.
fn whole_lines(mut octets: Vec<u8>) -> (Vec<u8>, usize) {
    let end = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |last| last + 1);
    let torn = octets.len() - end;
    octets.truncate(end);
    (octets, torn)
}

/// Reads the inputs whose digests the first record lists, from whichever medium has all of them
/// intact.
fn read_inputs(
    folders: &[PathBuf; 2],
    transcript: &[u8],
) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
    let wrong = |found: Bilingual| Halt::media(RuleId::S_JOURNAL, begins_with_opened(), found);
    let first = transcript.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let first = std::str::from_utf8(first).map_err(|error| wrong(not_text(&error)))?;
    if first.is_empty() {
        return Err(wrong(says!(
            "空の記録。何も行われていない",
            "an empty journal: nothing was done"
        )));
    }
    let record = Record::read(first).map_err(|error| wrong(error.said()))?;
    let Event::Opened(opened) = record.event else {
        return Err(wrong(says!("別のイベント", "another event")));
    };
    let held = folders.iter().map(|folder| {
        let octets = read_sealed(&folder.join(INPUTS)).unwrap_or_default();
        serde_json::from_slice(&octets).unwrap_or_default()
    });
    let held: Vec<BTreeMap<String, String>> = held.collect();
    let mut inputs = BTreeMap::new();
    for (name, digest) in opened.inputs {
        let mut texts = held.iter().filter_map(|texts| texts.get(&name));
        let whole = texts.find(|text| input_digest(text) == digest);
        let asked = says!(
            "いずれかの媒体にある入力 {name}({digest})",
            "the input {name} ({digest}) on one of the media"
        );
        let none = says!("完全なものなし", "no intact copy");
        let text = whole.ok_or_else(|| Halt::media(RuleId::S_JOURNAL, asked, none))?;
        inputs.insert(name, text.clone().into_bytes());
    }
    Ok(inputs)
}

/// The demand that a journal begins with an Opened record, as a refusal states it.
fn begins_with_opened() -> Bilingual {
    says!("Opened で始まる記録", "a journal that begins with Opened")
}

/// Appends octets to a file on a medium; they are durable when this returns.
fn durably(folder: &Path, file: &mut File, octets: &[u8]) -> std::io::Result<()> {
    #[cfg(test)]
    if crate::simulator::is_on() {
        return crate::simulator::append(folder, file, octets);
    }
    let _ = folder;
    file.write_all(octets)?;
    file.sync_data()
}

fn put(path: &Path, octets: &[u8]) -> Result<(), Halt> {
    partial::put(path, octets).map_err(|error| failed(path, &error))
}

fn sync_folder(folder: &Path) -> Result<(), Halt> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| failed(folder, &error))
}

fn failed(path: &Path, error: &std::io::Error) -> Halt {
    Halt::Interrupted(Fault::new(
        RuleId::S_JOURNAL,
        says!("{} にある記録媒体", "a journal medium at {}", shown(path)),
        said(error),
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn wrong_answers_leave_half_of_a_journal() {
        let half = usize::try_from(SEALED_FILE.most / 2).unwrap();
        for (octets, full) in [(0, false), (half, false), (half + 1, true)] {
            let written = Written { transcript: vec![b'x'; octets], ..Written::default() };
            assert_eq!(Journal::Memory(written).is_half_full().unwrap(), full, "{octets}");
        }
    }
}
