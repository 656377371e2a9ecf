//! Recovers a ceremony from two journals, neither of which is trusted alone.
//!
//! Each journal is replayed on its own before anything is changed. Records that are on both media
//! are taken. A run writes to one medium and then to the other, so after an interruption one medium
//! may have at most one write more: one record, or an answer with the question or refusal that
//! follows it. If it has more than that, the other journal was truncated, and the two are said to
//! differ.
//!
//! Of the records on one medium only, two kinds are taken:
//!
//! - a token's answer whose signatures verify, because only the token can have made it;
//! - a question that directly follows a record that is taken: if the other medium was truncated,
//!   the token may have performed the operation, so the attempt and its numbers are burned.
//!
//! All other records are dropped and counted, and their operations are asked again. If one journal
//! is lost, does not replay, or differs from the other, two people of two roles must consent before
//! the ceremony goes on with one journal alone.
//!
//! **Invariant:** nothing is written before [`Reading::level`]. Resuming and abandoning read the
//! journals in the same way.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::record::{Answer, Aside, Event, LoneRefusal, Mode, Record};
use ceremony::rule::RuleId;
use ceremony::run::{Next, Run};
use ceremony::says;
use ceremony::verify::{Refusal, replay_line, replay_unsealed};

use super::{
    AFTER, BUNDLE, COPIED, INPUTS, Journal, Medium, Noted, TRANSCRIPT, failed, holds_a_record, put,
    read_inputs, refuse_filled, two, whole_lines,
};
use crate::files::read_sealed;
use crate::halt::{Halt, Reached};
use crate::proofs::prove;
use crate::sources::shown;

/// The prefix of the names that files get when their journal is put aside.
const ASIDE: &str = "aside-";

/// Whether a file of this name belongs to a journal that was put aside.
pub(super) fn is_aside(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(ASIDE.as_bytes())
}

/// Two journals, read completely but not yet replayed; nothing is changed.
#[derive(Debug)]
pub(crate) struct Found {
    sides: [Side; 2],
    /// The inputs that the first record lists.
    pub(crate) inputs: BTreeMap<String, Vec<u8>>,
}

/// The folder on one medium, with its journal if it has one.
#[derive(Debug)]
struct Side {
    folder: PathBuf,
    /// The journal in the folder; `None` on a new medium, or if the journal is to be put aside.
    held: Option<Held>,
    aside: Option<Aside>,
}

/// A journal, locked by this process.
#[derive(Debug)]
struct Held {
    medium: Medium,
    transcript: Vec<u8>,
    after: Vec<u8>,
    bundle: Vec<u8>,
    /// The length in octets of incomplete last lines.
    torn: usize,
}

/// The result of replaying two journals, and what both media are to hold.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The records that are taken.
    pub(crate) agreed: Agreed,
    sides: [Side; 2],
    /// Every complete bundle found on the media.
    pub(crate) bundles: Vec<Vec<u8>>,
    /// The length in octets of the incomplete last lines on both media together.
    pub(crate) torn: usize,
}

/// The records that are taken from two journals, and the number of those that are not.
#[derive(Debug)]
pub(crate) struct Agreed {
    /// The run after all records that are taken.
    pub(crate) run: Run,
    pub(crate) transcript: Vec<u8>,
    after: Vec<u8>,
    /// The number of records that are copied from one medium to the other.
    pub(crate) copied: usize,
    /// The number of dropped records, which were on one medium only.
    pub(crate) dropped: usize,
    /// Whether a dropped record confirms that a head was noted on paper.
    pub(crate) head_dropped: bool,
    /// A dropped refusal; it still holds unless people lift it.
    pub(crate) refusal: Option<LoneRefusal>,
}

impl Found {
    /// Reads two journals, or the remaining one. A journal that is to be put aside is not replayed.
    pub(crate) fn read(folders: &[PathBuf], put_aside: Option<&Path>) -> Result<Self, Halt> {
        let [a, b] = two(folders)?;
        if !holds_a_record(&a) && !holds_a_record(&b) {
            let (a, b) = (shown(&a), shown(&b));
            let asked =
                says!("{a} 又は {b} にあるセレモニーの記録", "a ceremony's journal in {a} or {b}");
            return Err(Halt::media(RuleId::S_JOURNAL, asked, Bilingual::none()));
        }
        one_of(&a, &b, put_aside)?;
        let sides = [Side::read(a, put_aside)?, Side::read(b, put_aside)?];
        let folders = sides.each_ref().map(|side| side.folder.clone());
        let begun = sides.iter().filter_map(|side| side.held.as_ref());
        let mut begun = begun.map(|held| &held.transcript).filter(|lines| !lines.is_empty());
        let first = begun.next().map(Vec::as_slice).unwrap_or_default();
        // If one journal does not begin with a valid record, the other one lists the inputs.
        let inputs = read_inputs(&folders, first).or_else(|halt| match begun.next() {
            Some(other) => read_inputs(&folders, other).map_err(|_| halt),
            None => Err(halt),
        })?;
        Ok(Self { sides, inputs })
    }

    /// Returns the predecessor that the plan names (`after`).
    pub(crate) fn after(&self) -> Result<After, Halt> {
        let plan = self.inputs.get("plan.toml").map(Vec::as_slice).unwrap_or_default();
        let plan = Plan::parse(plan).map_err(Halt::unread("plan.toml", plan))?;
        Ok(plan.after.into_inner())
    }

    /// Returns the mode from the first Opened record that can be read; real if there is none.
    pub(crate) fn mode(&self) -> Mode {
        let first = self.sides.iter().filter_map(Side::first_line);
        let mut modes = first.filter_map(|line| {
            let line = String::from_utf8(line).ok()?;
            let Event::Opened(opened) = event(&line)? else { return None };
            Some(opened.mode)
        });
        modes.next().unwrap_or(Mode::Real)
    }

    /// Replays each journal on its own, and determines which records are taken.
    pub(crate) fn replay(self, state: &Arc<State>) -> Result<Reading, Halt> {
        let Self { sides, inputs } = self;
        // A journal without a complete line was interrupted at its first record, which contains
        // nothing but what the inputs say. So the other journal's first record is used.
        let first: Vec<u8> = sides.iter().find_map(Side::first_line).unwrap_or_default();
        let mut told = Vec::new();
        for side in &sides {
            let Some(held) = &side.held else { continue };
            let begun = !held.transcript.is_empty();
            let transcript = if begun { held.transcript.clone() } else { first.clone() };
            let run = replay_unsealed(&inputs, &transcript, &held.after, state);
            let run = run.map_err(|refusal| unfit(&sides, side, refusal))?;
            told.push(Told { run, transcript, after: held.after.clone() });
        }
        let held = || sides.iter().filter_map(|side| side.held.as_ref());
        let torn = held().map(|held| held.torn).sum();
        let bundles = held().map(|held| held.bundle.clone());
        let bundles = bundles.filter(|bundle| bundle.ends_with(b"}\n")).collect();
        let agreed = match (told.pop(), told.pop()) {
            (Some(b), Some(a)) => agreed(&sides, a, b)?,
            (Some(Told { run, transcript, after }), None) => {
                let copied = lines(&transcript) + lines(&after);
                let (dropped, head_dropped, refusal) = (0, false, None);
                Agreed { run, transcript, after, copied, dropped, head_dropped, refusal }
            }
            (None, _) => {
                let found = says!(
                    "なし(2 つとも失われたか、脇に置かれた)",
                    "none: both are lost or put aside"
                );
                let asked = says!("再開できる記録", "a journal to go on with");
                return Err(Halt::media(RuleId::S_JOURNAL, asked, found));
            }
        };
        Ok(Reading { agreed, sides, bundles, torn })
    }
}

/// The replay of one journal alone.
struct Told {
    run: Run,
    transcript: Vec<u8>,
    after: Vec<u8>,
}

impl Side {
    fn read(folder: PathBuf, put_aside: Option<&Path>) -> Result<Self, Halt> {
        let path = folder.join(TRANSCRIPT);
        if path.symlink_metadata().is_err() {
            refuse_filled(&folder, &COPIED)?;
            return Ok(Self { folder, held: None, aside: None });
        }
        if put_aside == Some(folder.as_path()) {
            let octets = read_sealed(&path)?;
            let records = u32::try_from(lines(&octets)).unwrap_or(u32::MAX);
            let aside = Some(Aside { sha256: Digest::of(&octets), records });
            return Ok(Self { folder, held: None, aside });
        }
        let medium = Medium::open(folder.clone(), false)?;
        let (transcript, torn) = whole_lines(read_sealed(&path)?);
        let (after, torn_after) = whole_lines(read_if_there(&folder.join(AFTER))?);
        let bundle = read_if_there(&folder.join(BUNDLE))?;
        let held = Held { medium, transcript, after, bundle, torn: torn + torn_after };
        Ok(Self { folder, held: Some(held), aside: None })
    }
}

impl Side {
    /// Returns the first record with its line end.
    fn first_line(&self) -> Option<Vec<u8>> {
        let transcript = &self.held.as_ref()?.transcript;
        let end = transcript.iter().position(|octet| *octet == b'\n')?;
        transcript.get(..=end).map(<[u8]>::to_vec)
    }
}

fn read_if_there(path: &Path) -> Result<Vec<u8>, Halt> {
    match path.symlink_metadata() {
        Ok(_) => read_sealed(path),
        Err(_) => Ok(Vec::new()),
    }
}

fn lines(octets: &[u8]) -> usize {
    octets.iter().filter(|octet| **octet == b'\n').count()
}

/// Returns the halt for a journal that does not replay, by line and rule.
///
/// If there is another journal, the ceremony may go on without this one.
fn unfit(sides: &[Side; 2], side: &Side, refusal: Refusal) -> Halt {
    let halt = Halt::Verification(refusal).in_folder(&side.folder);
    match sides.iter().all(|side| side.held.is_some()) {
        true => halt.held(Reached::Unlike(vec![side.folder.clone()])),
        false => halt,
    }
}

/// Refuses a folder to be put aside that is not one of the two journals.
pub(super) fn one_of(a: &Path, b: &Path, put_aside: Option<&Path>) -> Result<(), Halt> {
    match put_aside {
        Some(aside) if aside != a && aside != b => {
            let (a, b) = (shown(a), shown(b));
            let asked = says!("脇に置くのは {a} 又は {b}", "{a} or {b} to be put aside");
            Err(Halt::media(RuleId::S_JOURNAL, asked, Bilingual::plain(shown(aside))))
        }
        Some(_) | None => Ok(()),
    }
}

/// Determines the records that both journals have, and those taken beyond the end of the shorter
/// one.
fn agreed(sides: &[Side; 2], a: Told, b: Told) -> Result<Agreed, Halt> {
    let size = |told: &Told| (told.transcript.len(), told.after.len());
    let continues = |long: &Told, short: &Told| {
        let rest = long.transcript.strip_prefix(short.transcript.as_slice())?;
        let rest_after = long.after.strip_prefix(short.after.as_slice())?;
        // A postscript can be on one medium only if both transcripts are identical.
        (short.after.is_empty() || rest.is_empty()).then(|| [rest, rest_after].concat())
    };
    let (long, short) = if size(&a) >= size(&b) { (&a, &b) } else { (&b, &a) };
    let Some(beyond) = continues(long, short) else { return Err(differ(sides, &a, &b)) };
    let in_postscript = long.transcript.len() == short.transcript.len();
    let (mut transcript, mut after) = (short.transcript.clone(), short.after.clone());
    let mut run = short.run.clone();
    let beyond = String::from_utf8_lossy(&beyond).into_owned();
    let beyond: Vec<&str> = beyond.split_inclusive('\n').collect();
    if !is_one_write(&run, &beyond) {
        return Err(differ(sides, &a, &b));
    }
    let mut copied = 0;
    for line in &beyond {
        let Some(next) = taken_alone(&run, line) else { break };
        let book = if in_postscript { &mut after } else { &mut transcript };
        book.extend(line.as_bytes());
        run = next;
        copied += 1;
    }
    let dropped = beyond.get(copied..).unwrap_or_default();
    let events = || dropped.iter().filter_map(|line| event(line));
    // After the seal whoever refused is asked again, and can refuse again: nothing is held back.
    let refusal = events().filter(|_| !in_postscript).find_map(|event| {
        let Event::Refused { rule, reason, by, .. } = event else { return None };
        Some(LoneRefusal { rule, reason, by, lifted: Vec::new() })
    });
    let head_dropped = events().any(|event| matches!(event, Event::Noted { .. }));
    let dropped = dropped.len();
    Ok(Agreed { run, transcript, after, copied, dropped, head_dropped, refusal })
}

fn event(line: &str) -> Option<Event> {
    Record::read(line.trim_end()).ok().map(|record| record.event)
}

/// Whether a run writes these lines at once ([`crate::conduct`]).
///
/// These are one record, or an answer with the question or refusal that follows it. A question with
/// an effect is written with the answer before it only if that answer's signatures prove it.
fn is_one_write(run: &Run, lines: &[&str]) -> bool {
    match lines {
        [] | [_] => true,
        [first, second] => match (event(first), event(second)) {
            (Some(Event::Answered { .. }), Some(Event::Asked(asked))) => {
                let op = run.graph().op(&asked.op);
                proved_answer(run, first).is_some() || op.is_some_and(|op| !op.act.has_effect())
            }
            (Some(Event::Answered { .. }), Some(Event::Refused { .. })) => true,
            _ => false,
        },
        _ => false,
    }
}

/// Returns the run after a line that is on one medium only, or `None` if the line is not taken.
fn taken_alone(run: &Run, line: &str) -> Option<Run> {
    match event(line)? {
        Event::Asked(_) => replay_line(run.clone(), line).ok().map(|(run, _)| run),
        Event::Answered { .. } => proved_answer(run, line),
        Event::Opened(_)
        | Event::Adopted { .. }
        | Event::Lost { .. }
        | Event::OrphanRemoved { .. }
        | Event::Refused { .. }
        | Event::Mistaken { .. }
        | Event::Noted { .. }
        | Event::Deviation { .. }
        | Event::Paused { .. }
        | Event::CardFailed { .. }
        | Event::Resumed(_)
        | Event::Closed { .. }
        | Event::Sealed { .. } => None,
    }
}

/// Returns the run after a token's answer, if the answer has signatures and all of them verify.
fn proved_answer(run: &Run, line: &str) -> Option<Run> {
    let Event::Answered { answer: Answer::Token(_), .. } = event(line)? else { return None };
    let Next::Answer(..) = run.next() else { return None };
    let (run, checks) = replay_line(run.clone(), line).ok()?;
    (!checks.is_empty() && prove(&checks).is_ok()).then_some(run)
}

/// Returns the halt for two journals that differ by more than one write.
fn differ(sides: &[Side; 2], a: &Told, b: &Told) -> Halt {
    let common = a.transcript.iter().zip(&b.transcript).take_while(|(a, b)| a == b).count();
    let line = lines(a.transcript.get(..common).unwrap_or_default()) + 1;
    let says = |side: &Side, told: &Told| {
        let (folder, count) = (shown(&side.folder), told.run.records());
        let last = told.run.last_at();
        says!(
            "{folder} は {count} 件、最後は {last}",
            "{folder}: {count} records, the last at {last}"
        )
    };
    let [left, right] = sides;
    let (left, right) = (says(left, a), says(right, b));
    let found = says!(
        left, right;
        "{line} 行目から異なる 2 つの記録({left}。{right})",
        "two that differ from line {line} on; {left}; {right}"
    );
    let asked = says!(
        "差が 1 回の書き込み分以内の 2 つの記録",
        "two journals, one longer than the other by one write at most"
    );
    Halt::media(RuleId::S_JOURNAL, asked, found)
        .held(Reached::Unlike(sides.each_ref().map(|side| side.folder.clone()).to_vec()))
}

impl Reading {
    /// Returns the folder of a new medium, or of a journal that is put aside.
    ///
    /// Two people of two roles must consent before anything is written there.
    pub(crate) fn new_medium(&self) -> Option<&Path> {
        self.sides.iter().find(|side| side.held.is_none()).map(|side| side.folder.as_path())
    }

    /// Returns the digest and length of the journal that is put aside.
    pub(crate) fn aside(&self) -> Option<&Aside> {
        self.sides.iter().find_map(|side| side.aside.as_ref())
    }

    /// Writes the agreed records to both media, and the bundle if one is given.
    pub(crate) fn level(self, bundle: Option<&[u8]>) -> Result<(Run, Journal), Halt> {
        let Self { sides, agreed: Agreed { run, transcript, after, .. }, .. } = self;
        let inputs = sides.iter().find(|side| side.held.is_some()).map(|side| &side.folder);
        let inputs =
            inputs.map_or_else(|| Ok(Vec::new()), |folder| read_sealed(&folder.join(INPUTS)))?;
        let media = sides.map(|side| side.level(&inputs, &transcript, &after, bundle));
        let [a, b] = media;
        Ok((run, Journal::Media([a?, b?], Noted::default())))
    }
}

impl Side {
    fn level(
        self,
        inputs: &[u8],
        transcript: &[u8],
        after: &[u8],
        bundle: Option<&[u8]>,
    ) -> Result<Medium, Halt> {
        let mut held = match self.held {
            Some(held) => held,
            None => Self::renewed(self.folder, self.aside, inputs, [transcript, after])?,
        };
        for (name, octets, found) in
            [(TRANSCRIPT, transcript, &held.transcript), (AFTER, after, &held.after)]
        {
            let kept = found.iter().zip(octets).take_while(|(a, b)| a == b).count();
            let path = held.medium.folder.join(name);
            let length = path.metadata().map_or(0, |file| file.len());
            if usize::try_from(length) != Ok(octets.len()) || kept < octets.len() {
                held.medium.bring_to(name, octets, kept)?;
            }
        }
        if let Some(bundle) = bundle.filter(|bundle| *bundle != held.bundle) {
            put(&held.medium.folder.join(BUNDLE), bundle)?;
        }
        Ok(held.medium)
    }

    /// Writes the journal to a new medium, or beside a journal that is put aside and renamed.
    ///
    /// Each file is written completely or not at all, because a partial journal would look like a
    /// truncated one.
    fn renewed(
        folder: PathBuf,
        aside: Option<Aside>,
        inputs: &[u8],
        [transcript, after]: [&[u8]; 2],
    ) -> Result<Held, Halt> {
        fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
        if let Some(aside) = aside {
            let tag: String = aside.sha256.to_string().chars().take(16).collect();
            for name in [INPUTS, BUNDLE, AFTER, TRANSCRIPT] {
                let (from, to) = (folder.join(name), folder.join(format!("{ASIDE}{tag}-{name}")));
                if from.symlink_metadata().is_ok() {
                    fs::rename(&from, &to).map_err(|error| failed(&from, &error))?;
                }
            }
        }
        put(&folder.join(INPUTS), inputs)?;
        if !after.is_empty() || folder.join(AFTER).symlink_metadata().is_ok() {
            put(&folder.join(AFTER), after)?;
        }
        put(&folder.join(TRANSCRIPT), transcript)?;
        let medium = Medium::open(folder, false)?;
        let (transcript, after) = (transcript.to_vec(), after.to_vec());
        Ok(Held { medium, transcript, after, bundle: Vec::new(), torn: 0 })
    }
}
