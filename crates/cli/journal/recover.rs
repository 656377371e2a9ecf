//! Going on with two journals, neither of which is believed by itself.
//!
//! Each is replayed on its own before anything is changed. What stands on both is taken. A run
//! writes to one medium and then to the other: at most one record, or an answer and what came
//! right after it, stands on one only. Where more does, the other one was cut, and the two differ.
//!
//! Of what stands on one only, two things are taken. The token's answer that its signatures prove:
//! nobody else can give it. And a question that comes right after what is taken: the token may have
//! done what it asks, should the other medium have been cut, so its number is burned. Everything
//! else is dropped, counted, and asked again. Where one journal is lost, does not replay, or
//! differs from the other, it takes the consent of two people of two roles to go on with the other
//! one alone.
//!
//! **Invariant:** nothing is written before [`Reading::level`]. Resuming and giving up read alike.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::hex::Digest;
use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::record::{Answer, Aside, Event, LoneRefusal, Mode, Record};
use ceremony::rule::RuleId;
use ceremony::run::{Next, Run};
use ceremony::verify::{Refusal, replay_line, replay_unsealed};

use super::{
    AFTER, BUNDLE, COPIED, INPUTS, Journal, Medium, Noted, TRANSCRIPT, failed, holds_a_line, put,
    read_inputs, refuse_filled, two, whole_lines,
};
use crate::files::read_sealed;
use crate::halt::{Halt, Reached};
use crate::proofs::prove;
use crate::sources::shown;

/// What the name of a file that was put aside begins with.
const ASIDE: &str = "aside-";

/// Whether a file of this name was put aside.
pub(super) fn is_aside(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(ASIDE.as_bytes())
}

/// Two journals, read whole; nothing is changed.
#[derive(Debug)]
pub(crate) struct Found {
    sides: [Side; 2],
    /// The inputs that the journals name.
    pub(crate) inputs: BTreeMap<String, Vec<u8>>,
}

/// One folder.
#[derive(Debug)]
struct Side {
    folder: PathBuf,
    /// The journal in it; none in a new medium, or where it is to be put aside.
    held: Option<Held>,
    aside: Option<Aside>,
}

/// A journal, held by this process alone.
#[derive(Debug)]
struct Held {
    medium: Medium,
    transcript: Vec<u8>,
    after: Vec<u8>,
    bundle: Vec<u8>,
    /// Octets of a torn last line.
    torn: usize,
}

/// What two journals tell, and what both shall hold.
#[derive(Debug)]
pub(crate) struct Reading {
    /// What is taken of them.
    pub(crate) agreed: Agreed,
    sides: [Side; 2],
    /// Every bundle that stands on a medium.
    pub(crate) bundles: Vec<Vec<u8>>,
    /// Octets of torn last lines, on both media together.
    pub(crate) torn: usize,
}

/// What is taken of two journals.
#[derive(Debug)]
pub(crate) struct Agreed {
    /// The ceremony as it shall stand on both media.
    pub(crate) run: Run,
    pub(crate) transcript: Vec<u8>,
    after: Vec<u8>,
    /// Records that are copied from one medium to the other.
    pub(crate) copied: usize,
    /// Records that stood on one medium only and are dropped.
    pub(crate) dropped: usize,
    /// Whether people's word that a head is on paper is among them.
    pub(crate) head_dropped: bool,
    /// A refusal among them, which holds until people say that it does not.
    pub(crate) refusal: Option<LoneRefusal>,
}

impl Found {
    /// Reads two journals, or the one that is left. One that is named to be put aside is not read.
    pub(crate) fn read(folders: &[PathBuf], put_aside: Option<&Path>) -> Result<Self, Halt> {
        let [a, b] = two(folders)?;
        if !holds_a_line(&a) && !holds_a_line(&b) {
            let asked = format!("a ceremony's journal in {} or {}", shown(&a), shown(&b));
            let found = "none";
            return Err(Halt::media(RuleId::S_JOURNAL, asked, found));
        }
        one_of(&a, &b, put_aside)?;
        let sides = [Side::read(a, put_aside)?, Side::read(b, put_aside)?];
        let folders = sides.each_ref().map(|side| side.folder.clone());
        let begun = sides.iter().filter_map(|side| side.held.as_ref());
        let mut begun = begun.map(|held| &held.transcript).filter(|lines| !lines.is_empty());
        let first = begun.next().map(Vec::as_slice).unwrap_or_default();
        // A journal whose first record is none says nothing of the inputs; the other one may.
        let inputs = read_inputs(&folders, first).or_else(|halt| match begun.next() {
            Some(other) => read_inputs(&folders, other).map_err(|_| halt),
            None => Err(halt),
        })?;
        Ok(Self { sides, inputs })
    }

    /// The ceremony that the interrupted one comes after.
    pub(crate) fn after(&self) -> Result<After, Halt> {
        let plan = self.inputs.get("plan.toml").map(Vec::as_slice).unwrap_or_default();
        let plan = Plan::parse(plan).map_err(|v| Halt::media(v.rule, v.asked, v.found))?;
        Ok(plan.after.into_inner())
    }

    /// Real, or a drill, as the first record says that can be read.
    pub(crate) fn mode(&self) -> Mode {
        let first = self.sides.iter().filter_map(Side::first_line);
        let mut modes = first.filter_map(|line| {
            let line = String::from_utf8(line).ok()?;
            let Event::Opened(opened) = event(&line)? else { return None };
            Some(opened.mode)
        });
        modes.next().unwrap_or(Mode::Real)
    }

    /// Replays each journal on its own, and says what both have.
    pub(crate) fn replay(self, state: &Arc<State>) -> Result<Reading, Halt> {
        let Self { sides, inputs } = self;
        // The power was cut at the first record, which says nothing but what the inputs say.
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
                let found = "none: one is lost or put aside, and so is the other";
                return Err(Halt::media(RuleId::S_JOURNAL, "a journal to go on with", found));
            }
        };
        Ok(Reading { agreed, sides, bundles, torn })
    }
}

/// What one journal tells by itself.
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
    /// The first record, with its end.
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

/// A journal that does not replay, by line and rule; the other one may go on without it.
fn unfit(sides: &[Side; 2], side: &Side, refusal: Refusal) -> Halt {
    let halt = Halt::Verification(refusal).in_journal(&side.folder);
    match sides.iter().all(|side| side.held.is_some()) {
        true => halt.held(Reached::Unlike(vec![side.folder.clone()])),
        false => halt,
    }
}

/// What is put aside is one of the two.
pub(super) fn one_of(a: &Path, b: &Path, put_aside: Option<&Path>) -> Result<(), Halt> {
    match put_aside {
        Some(aside) if aside != a && aside != b => {
            let asked = format!("{} or {} to be put aside", shown(a), shown(b));
            Err(Halt::media(RuleId::S_JOURNAL, asked, shown(aside)))
        }
        Some(_) | None => Ok(()),
    }
}

/// What both journals have, and what is taken beyond the shorter one.
fn agreed(sides: &[Side; 2], a: Told, b: Told) -> Result<Agreed, Halt> {
    let size = |told: &Told| (told.transcript.len(), told.after.len());
    let continues = |long: &Told, short: &Told| {
        let rest = long.transcript.strip_prefix(short.transcript.as_slice())?;
        let rest_after = long.after.strip_prefix(short.after.as_slice())?;
        // A postscript that stands on one medium only begins where the transcripts are the same.
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
    let refusal = events().find_map(|event| {
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

/// Whether a run writes these lines at once ([`crate::conduct`]): one record, or an answer and the
/// question or refusal that comes of it. The question of an effect waits until everything before it
/// is durable, unless that proves itself.
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

/// The run after this line, if it is taken although it stands on one medium only.
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
        | Event::Resumed(_)
        | Event::Closed { .. }
        | Event::Sealed { .. } => None,
    }
}

/// The run after a token's answer that its own signatures prove.
fn proved_answer(run: &Run, line: &str) -> Option<Run> {
    let Event::Answered { answer: Answer::Token(_), .. } = event(line)? else { return None };
    let Next::Answer(..) = run.next() else { return None };
    let (run, checks) = replay_line(run.clone(), line).ok()?;
    (!checks.is_empty() && prove(&checks).is_ok()).then_some(run)
}

/// Two journals of which neither continues the other by one write.
fn differ(sides: &[Side; 2], a: &Told, b: &Told) -> Halt {
    let common = a.transcript.iter().zip(&b.transcript).take_while(|(a, b)| a == b).count();
    let line = lines(a.transcript.get(..common).unwrap_or_default()) + 1;
    let says = |side: &Side, told: &Told| {
        let count = told.run.records();
        format!("{}: {count} records, the last of {}", shown(&side.folder), told.run.last_at())
    };
    let [left, right] = sides;
    let found =
        format!("two that differ from line {line} on; {}; {}", says(left, a), says(right, b));
    let asked = "two journals of which one continues the other by one write at most";
    Halt::media(RuleId::S_JOURNAL, asked, found)
        .held(Reached::Unlike(sides.each_ref().map(|side| side.folder.clone()).to_vec()))
}

impl Reading {
    /// The folder of a new medium, or of one that is put aside: two people of two roles consent to
    /// it before anything is written.
    pub(crate) fn new_medium(&self) -> Option<&Path> {
        self.sides.iter().find(|side| side.held.is_none()).map(|side| side.folder.as_path())
    }

    /// The journal that is put aside.
    pub(crate) fn aside(&self) -> Option<&Aside> {
        self.sides.iter().find_map(|side| side.aside.as_ref())
    }

    /// Brings both media to what the reading has, with this bundle, if there is one.
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

    /// A medium in the place of a lost one; what was put aside on it gets another name. Each file
    /// is there whole or not at all: a journal of which a part is missing is one that was cut.
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
