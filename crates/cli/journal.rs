//! The journal: the transcript while it is written, on two media at once.
//!
//! Each folder holds `inputs.json` (every input, by name), `journal.jsonl`, and after the seal
//! `bundle.json` and `after.jsonl`; or `given-up`, once people sign its digest instead. A line
//! counts when it is durable on both.
//!
//! Lines are [noted](Journal::note) and then [kept](Journal::keep): whoever causes an effect, or
//! shows one, keeps before it. So an answer and the question after it are written together.
//!
//! **Invariant:** what is durable on both media is never changed. What becomes of the rest is said
//! by [`recover`].

pub(crate) mod recover;

mod ended;

pub(crate) mod place;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ceremony::compile::Compiled;
use ceremony::fault::Fault;
use ceremony::hex::Digest;
use ceremony::inputs::input_digest;
use ceremony::name::Name;
use ceremony::record::{Event, Record};
use ceremony::rule::RuleId;
use ceremony::run::Book;
use ceremony::time::Instant;
use rustix::fs::OFlags;

use crate::files::{names, read_sealed};
use crate::halt::{Halt, Reached};
use crate::partial::{self, is_partial};
use crate::sources::shown;

const INPUTS: &str = "inputs.json";
const TRANSCRIPT: &str = "journal.jsonl";
const BUNDLE: &str = "bundle.json";
const AFTER: &str = "after.jsonl";
const GIVEN_UP: &str = "given-up";

/// Where a run's lines go.
#[derive(Debug)]
pub(crate) enum Journal {
    /// A rehearsal's: only in memory.
    Memory(Written),
    /// On two media, and what is noted for them.
    Media([Medium; 2], Noted),
}

/// Lines that are not durable yet: at most an answer and the question after it.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    transcript: String,
    after: String,
}

/// What was written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) transcript: Vec<u8>,
    pub(crate) bundle: Vec<u8>,
    pub(crate) after: Vec<u8>,
}

/// One medium's folder, held by this process alone.
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

    /// Whether a ceremony was begun in one of these folders: a line is durable there.
    pub(crate) fn is_begun(folders: &[PathBuf]) -> bool {
        folders.iter().any(|folder| holds_a_line(folder))
    }

    /// The name of the ceremony in these folders, if the first record of one of them says it.
    pub(crate) fn ceremony(folders: &[PathBuf]) -> Option<Name> {
        let opened = |folder: &PathBuf| {
            let octets = read_sealed(&folder.join(TRANSCRIPT)).ok()?;
            let first = octets.split(|octet| *octet == b'\n').next()?;
            let record = Record::read(std::str::from_utf8(first).ok()?).ok()?;
            if let Event::Opened(opened) = record.event { Some(opened.ceremony) } else { None }
        };
        folders.iter().find_map(opened)
    }

    /// Whether a ceremony was sealed: in one of these folders its last record closes it, and a
    /// bundle is beside it. Whether that is its seal is proved where it is read.
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

    /// When the last record was written that is durable in one of these folders, if there is one
    /// that can be read.
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

    /// Says on both media that the ceremony is given up, with the digest that people sign: nobody
    /// goes on with it after that.
    pub(crate) fn give_up(folders: &[PathBuf], digest: &Digest) -> Result<(), Halt> {
        for folder in two(folders)?.iter().filter(|folder| holds_a_line(folder)) {
            put(&folder.join(GIVEN_UP), format!("{digest}\n").as_bytes())?;
        }
        Ok(())
    }

    /// The ceremony in these folders was not given up.
    pub(crate) fn refuse_given_up(folders: &[PathBuf]) -> Result<(), Halt> {
        let given_up = folders.iter().map(|folder| folder.join(GIVEN_UP));
        let Some(mark) = given_up.into_iter().find(|mark| mark.symlink_metadata().is_ok()) else {
            return Ok(());
        };
        let digest =
            read_sealed(&mark).map(|octets| String::from_utf8_lossy(&octets).trim().to_string());
        let found = format!("{}: it was given up as {}", shown(&mark), digest.unwrap_or_default());
        let asked = "a journal that goes on";
        Err(Halt::media(RuleId::S_ABANDONED, asked, found).held(Reached::GivenUp))
    }

    /// Takes a line, to be durable when [`Journal::keep`] returns.
    pub(crate) fn note(&mut self, book: Book, line: &str) {
        match (self, book) {
            (Self::Memory(written), Book::Transcript) => written.transcript.extend(line.as_bytes()),
            (Self::Memory(written), Book::Postscript) => written.after.extend(line.as_bytes()),
            (Self::Media(_, noted), Book::Transcript) => noted.transcript.push_str(line),
            (Self::Media(_, noted), Book::Postscript) => noted.after.push_str(line),
        }
    }

    /// Everything noted is durable on both media when this returns, and both are where they were.
    pub(crate) fn keep(&mut self) -> Result<(), Halt> {
        let Self::Media(media, noted) = self else { return Ok(()) };
        for medium in media.iter_mut() {
            medium.append(noted).map_err(|error| failed(&medium.folder, &error))?;
        }
        // To write takes its time, and an effect follows: a medium that was taken out meanwhile
        // leaves the question on the other one alone.
        for medium in media {
            medium.held.is_at(&medium.folder).map_err(|error| failed(&medium.folder, &error))?;
        }
        *noted = Noted::default();
        Ok(())
    }

    /// Writes the bundle; durable on both media when this returns.
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

    /// Everything written by now, read from the first medium.
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
        // Once more, now that no other process can write it: nothing is done yet, a torn line goes.
        refuse_filled(&medium.folder, &BEGUN)?;
        medium.transcript.set_len(0).map_err(|error| failed(&medium.folder, &error))?;
        put(&medium.folder.join(INPUTS), &inputs)?;
        Ok(medium)
    }

    /// Appends what is noted, and syncs it.
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
                format!("{} for this process alone", shown(&path)),
                "another process that holds it; one that was stopped by Ctrl-Z goes on with `fg`",
            )
        })?;
        Ok(Self { folder, held, transcript })
    }

    /// Cuts or extends a file of lines to these octets, of which it holds a beginning already.
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

/// Whether a journal has a whole line. What is there and cannot be read counts as one: nothing of
/// it may be lost.
fn holds_a_line(folder: &Path) -> bool {
    let path = folder.join(TRANSCRIPT);
    path.symlink_metadata().is_ok()
        && read_sealed(&path).map_or(true, |octets| octets.contains(&b'\n'))
}

/// What may lie in a folder in which a ceremony was about to begin.
const BEGUN: [&str; 2] = [INPUTS, TRANSCRIPT];
/// The same, where one was about to be copied from the other medium: its transcript comes last.
const COPIED: [&str; 3] = [INPUTS, AFTER, TRANSCRIPT];

/// A journal begins in an empty folder, or where one was about to begin when the power was cut:
/// without a whole line, nothing was done.
fn refuse_filled(folder: &Path, ours: &[&str]) -> Result<(), Halt> {
    let ours = |name: &std::ffi::OsStr| {
        let begun = ours.iter().any(|ours| name == *ours) || is_partial(name);
        name == "lost+found" || recover::is_aside(name) || (begun && !holds_a_line(folder))
    };
    let found = match names(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(folder, &error)),
    };
    if found.iter().any(|(name, _)| !ours(name)) {
        let asked = format!("an empty folder {} for the journal", shown(folder));
        let found = "files in it";
        return Err(Halt::media(RuleId::S_JOURNAL, asked, found));
    }
    Ok(())
}

/// Two folders that are not the same.
fn two(folders: &[PathBuf]) -> Result<[PathBuf; 2], Halt> {
    let wrong =
        |found: String| Halt::media(RuleId::S_JOURNAL, "two journal folders, on two media", found);
    let [a, b] = folders else { return Err(wrong(format!("{} given", folders.len()))) };
    let place = |path: &Path| fs::canonicalize(path).or_else(|_| std::path::absolute(path));
    let (Ok(at_a), Ok(at_b)) = (place(a), place(b)) else {
        return Err(wrong("a path that leads nowhere".into()));
    };
    if at_a.starts_with(&at_b) || at_b.starts_with(&at_a) {
        return Err(wrong(format!("{} and {}, the one inside the other", shown(a), shown(b))));
    }
    Ok([a.clone(), b.clone()])
}

/// The whole lines of a file, and how many octets of a torn last line follow them.
fn whole_lines(mut octets: Vec<u8>) -> (Vec<u8>, usize) {
    let end = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |last| last + 1);
    let torn = octets.len() - end;
    octets.truncate(end);
    (octets, torn)
}

/// The inputs that the first record names, by name, from whichever medium has them whole.
fn read_inputs(
    folders: &[PathBuf; 2],
    transcript: &[u8],
) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
    let wrong =
        |found: String| Halt::media(RuleId::S_JOURNAL, "a journal that begins with Opened", found);
    let first = transcript.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let first = std::str::from_utf8(first).map_err(|error| wrong(error.to_string()))?;
    if first.is_empty() {
        return Err(wrong("an empty journal: nothing was done".into()));
    }
    let record = Record::read(first).map_err(|error| wrong(error.to_string()))?;
    let Event::Opened(opened) = record.event else {
        return Err(wrong("another event".into()));
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
        let asked = format!("the input {name} ({digest}) on one of the media");
        let text =
            whole.ok_or_else(|| Halt::media(RuleId::S_JOURNAL, asked, "none that is whole"))?;
        inputs.insert(name, text.clone().into_bytes());
    }
    Ok(inputs)
}

/// Writes octets at the end of a medium's file; durable when this returns.
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
    Halt::Interrupted(Fault {
        rule: RuleId::S_JOURNAL,
        asked: format!("a journal medium at {}", shown(path)),
        found: error.to_string(),
    })
}
