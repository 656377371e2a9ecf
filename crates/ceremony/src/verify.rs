//! The judge: compiles the sealed inputs again, replays the transcript, and says whether it is so.
//!
//! Replay walks the same fold as the live run and compares every line it gives with the line that
//! was written. Nothing in the sealed folder is believed: graph, bindings, structures, records,
//! statement and bundle are computed again.
//!
//! **Invariants.** Only [`Trial::conclude`] makes a [`Verified`], only with every signature proved
//! and only under some trust; and only a [`Verified`] hands out artefacts. Without trust there is a
//! verdict, and the digest of each file, so that whoever has the files can compare them.

mod account;
mod history;
pub mod kept;
mod lines;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use account::{Account, Begun, Finding, Judged, Postscript, Standing};
pub use history::{Happening, History, What};

use lines::Lines;

use crate::anchor::Anchor;
use crate::compile::{Compiled, compile};
use crate::fault::Fault;
use crate::hex::Digest;
use crate::inputs::Inputs;
use crate::key::{Check, Proof, PublicKey};
use crate::ledger::State;
use crate::record::{End, Event, Mode, Opened};
use crate::rule::RuleId;
use crate::run::{Next, Run, Stop};
use crate::seal::{self, Made};

/// A sealed ceremony as it lies in a folder. Nothing in it is believed.
#[derive(Debug, Clone, Default)]
pub struct Sealed {
    /// `inputs/`: the canonical texts by name.
    pub inputs: BTreeMap<String, Vec<u8>>,
    /// `transcript.jsonl`
    pub transcript: Vec<u8>,
    /// `transcript.sigstore.json`
    pub bundle: Vec<u8>,
    /// `after.jsonl`, if the postscript has begun.
    pub after: Option<Vec<u8>>,
}

/// What makes a sealed ceremony more than consistent.
#[derive(Debug)]
pub enum Trust<'a> {
    /// The CA's anchor.
    Anchor(&'a Anchor),
    /// The room in which it has just been held.
    Room(JustClosed),
    /// It is a rehearsal, and is taken as one.
    Rehearsal,
    /// It is a drill, and is taken as one.
    Drill,
    /// None.
    None,
}

/// The evidence that a live run has just been sealed here. Only [`JustClosed::of`] makes one.
#[derive(Debug)]
pub struct JustClosed {
    /// Of its transcript, and of its postscript.
    heads: [Digest; 2],
}

impl JustClosed {
    /// From the run that was just closed in this room.
    #[must_use]
    pub fn of(run: &Run) -> Option<Self> {
        let heads = [run.transcript_head(), run.postscript_head()];
        run.closed().map(|_| Self { heads })
    }
}

/// A fault, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct Refusal {
    /// A file, and the line in it from 1.
    pub place: String,
    /// What is wrong.
    pub fault: Fault,
}

/// A replayed ceremony whose signatures are still to be proved, in any order, on any threads.
#[derive(Debug)]
pub struct Trial {
    run: Box<Run>,
    history: History,
    bundle: Vec<u8>,
    made: Made,
    /// Every signature of the ceremony.
    pub checks: Vec<Check>,
    seal: Digest,
    state: Arc<State>,
}

/// What can be said of a sealed ceremony.
#[derive(Debug)]
pub enum Verdict {
    /// Verified, under this trust.
    Verified(Box<Verified>),
    /// Everything fits together, but nothing says that it is the CA's.
    NotAnchored(Box<Consistent>),
    /// It follows on a ceremony that the anchor pins; the anchor does not pin it yet.
    NotPinned(Box<Consistent>),
}

/// The facts of a ceremony that is consistent in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistent {
    /// Rehearsal, drill or real.
    pub mode: Mode,
    /// SHA-256 of the audit key's SubjectPublicKeyInfo.
    pub audit_key: Digest,
    /// The chain value of the last record.
    pub head: Digest,
    /// How many signatures were verified.
    pub signatures: usize,
    /// How the ceremony ended.
    pub end: End,
    /// Its first record.
    pub opened: Opened,
    /// What stopped it, if something did.
    pub stopped: Option<Stop>,
    /// Every file that it made, by name, with its length and SHA-256: enough to say whether a file
    /// is the right one, and no road to its octets.
    pub files: BTreeMap<String, (usize, Digest)>,
    /// How much of its postscript is there.
    pub postscript: Postscript,
    /// What a verdict says beside the result.
    pub account: Account,
    /// What this ceremony and those before it left.
    pub state: Arc<State>,
}

/// A ceremony that was verified. The only road to an artefact.
#[derive(Debug)]
pub struct Verified {
    run: Run,
    facts: Consistent,
    bundle: Vec<u8>,
    artefacts: BTreeMap<String, Vec<u8>>,
}

/// Replays a sealed ceremony on the state that the ceremonies before it left. Everything but the
/// signatures is judged here.
pub fn replay(sealed: &Sealed, state: &Arc<State>) -> Result<Trial, Refusal> {
    replay_on(compiled(&sealed.inputs, state)?, sealed)
}

/// Replays what a run that was held here has written. Its inputs compiled to the run's graph when
/// it began, and the same texts compile to the same graph.
pub fn replay_own(run: &Run, sealed: &Sealed) -> Result<Trial, Refusal> {
    let own = run.compiled();
    let same = own.inputs.iter().map(|(name, text)| (name, text.as_bytes()));
    if same.eq(sealed.inputs.iter().map(|(name, octets)| (name, octets.as_slice()))) {
        return replay_on(own.clone(), sealed);
    }
    replay(sealed, &own.before)
}

fn replay_on(compiled: Compiled, sealed: &Sealed) -> Result<Trial, Refusal> {
    let before = Arc::clone(&compiled.before);
    let mut history = History::default();
    let (run, mut checks) = transcript(compiled, &sealed.transcript, &mut history)?;
    if run.next() != Next::Seal {
        let last = sealed.transcript.iter().filter(|octet| **octet == b'\n').count();
        let place = format!("{} line {last}", seal::TRANSCRIPT_FILE);
        return Err(refused(
            &place,
            Fault::new(RuleId::S_END, "a transcript that ends with Closed", "more to do"),
        ));
    }
    let made = Made::of(&run);
    let sealed_by = made.read(&run, &sealed.bundle).map_err(|f| refused(seal::BUNDLE_FILE, f))?;
    let seal = Digest::of(&sealed.bundle);
    let after = sealed.after.as_deref().unwrap_or_default();
    let run = Box::new(postscript(run, Some(seal), after, &mut checks, &mut history)?);
    let state = before.after(&run, sealed_by.signature());
    let state = Arc::new(state.map_err(|f| refused(seal::TRANSCRIPT_FILE, f))?);
    checks.push(sealed_by);
    Ok(Trial { run, history, bundle: sealed.bundle.clone(), made, checks, seal, state })
}

/// Replays a journal that is not sealed, to go on with it. Its signatures were proved when they
/// were written, and are proved again before anything is handed out.
pub fn replay_unsealed(
    inputs: &BTreeMap<String, Vec<u8>>,
    journal: &[u8],
    after: &[u8],
    state: &Arc<State>,
) -> Result<Run, Refusal> {
    let mut history = History::default();
    let (run, mut checks) = transcript(compiled(inputs, state)?, journal, &mut history)?;
    if after.is_empty() {
        return Ok(run);
    }
    postscript(run, None, after, &mut checks, &mut history)
}

/// Takes one more line of a journal: the run after it, and its signatures, which are still to be
/// proved.
pub fn replay_line(run: Run, line: &str) -> Result<(Run, Vec<Check>), Refusal> {
    let mut lines = Lines::new(seal::JOURNAL_FILE, line.as_bytes())?;
    let mut checks = Vec::new();
    let Some(record) = lines.next_record()? else { return Ok((run, checks)) };
    let step = run.apply(record.at, record.event).map_err(|f| lines.refuse(f))?;
    let run = lines.same(step, &mut checks)?;
    Ok((run, checks))
}

/// Replays the journal of a ceremony that could not be sealed: the signatures that are still to be
/// proved, what it left, and what happened in it. A later plan makes it part of a ledger, by naming
/// its digest.
pub fn replay_abandoned(
    inputs: &BTreeMap<String, Vec<u8>>,
    journal: &[u8],
    state: &Arc<State>,
) -> Result<(Vec<Check>, Arc<State>, History), Refusal> {
    let mut history = History::default();
    let (run, checks) = transcript(compiled(inputs, state)?, journal, &mut history)?;
    let refused = |fault| refused(seal::JOURNAL_FILE, fault);
    for (name, key) in run.keys() {
        run.refuse_derived(name, key).map_err(refused)?;
    }
    let state = state.after_abandoned(&run, journal).map_err(refused)?;
    Ok((checks, Arc::new(state), history))
}

fn compiled(inputs: &BTreeMap<String, Vec<u8>>, state: &Arc<State>) -> Result<Compiled, Refusal> {
    let inputs = Inputs::sealed(inputs).map_err(|violations| input_refusal(&violations))?;
    compile(&inputs, state).map_err(|violations| input_refusal(&violations))
}

fn transcript(
    compiled: Compiled,
    octets: &[u8],
    history: &mut History,
) -> Result<(Run, Vec<Check>), Refusal> {
    let mut lines = Lines::new(seal::TRANSCRIPT_FILE, octets)?;
    let first = lines.next_record()?.ok_or_else(|| {
        refused(seal::TRANSCRIPT_FILE, Fault::new(RuleId::S_EMPTY, "a transcript", "no record"))
    })?;
    let Event::Opened(opened) = &first.event else {
        return Err(lines.refuse(Fault::new(RuleId::S_ORDER, "Opened", "another event")));
    };
    let mut checks = compiled.checks.clone();
    history.take(&first);
    let step = Run::replay(compiled, opened.clone(), first.at).map_err(|f| lines.refuse(f))?;
    let mut run = lines.same(step, &mut checks)?;
    while let Some(record) = lines.next_record()? {
        history.take(&record);
        let step = run.apply(record.at, record.event).map_err(|f| lines.refuse(f))?;
        run = lines.same(step, &mut checks)?;
    }
    Ok((run, checks))
}

fn postscript(
    run: Run,
    seal: Option<Digest>,
    after: &[u8],
    checks: &mut Vec<Check>,
    history: &mut History,
) -> Result<Run, Refusal> {
    let mut lines = Lines::new("after.jsonl", after)?;
    let mut run = run;
    while let Some(record) = lines.next_record()? {
        history.take(&record);
        if let (Event::Sealed { bundle }, Some(seal)) = (&record.event, seal)
            && *bundle != seal
        {
            return Err(lines.refuse(Fault::new(
                RuleId::S_SEAL,
                seal.to_string(),
                bundle.to_string(),
            )));
        }
        let step = run.apply(record.at, record.event).map_err(|f| lines.refuse(f))?;
        run = lines.same(step, checks)?;
    }
    Ok(run)
}

impl Trial {
    /// Replay's run, before anything is proved.
    #[must_use]
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// The signatures of the ceremony that these proofs do not cover.
    #[must_use]
    pub fn unproved(&self, proofs: &[Proof]) -> Vec<Check> {
        let proved: BTreeSet<Digest> = proofs.iter().map(Proof::id).collect();
        self.checks.iter().filter(|check| !proved.contains(&check.id())).cloned().collect()
    }

    /// What this ceremony and those before it left.
    #[must_use]
    pub const fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// SHA-256 of the bundle.
    #[must_use]
    pub const fn seal(&self) -> Digest {
        self.seal
    }

    /// The verdict, once every signature is proved.
    pub fn conclude(mut self, proofs: Vec<Proof>, trust: &Trust<'_>) -> Result<Verdict, Refusal> {
        if let Some(check) = self.unproved(&proofs).first() {
            let fault =
                Fault::new(RuleId::S_SIGNATURE, "a proved signature", "one that nobody has proved");
            return Err(refused(&check.subject, fault));
        }
        self.run.settle(&proofs);
        let facts = self.facts()?;
        for (name, key) in self.run.keys() {
            self.run
                .refuse_derived(name, key)
                .map_err(|fault| refused(seal::TRANSCRIPT_FILE, fault))?;
        }
        let trusted = match trust {
            Trust::None => false,
            Trust::Rehearsal => is(facts.mode, Mode::Rehearsal)?,
            Trust::Drill => is(facts.mode, Mode::Drill)?,
            Trust::Room(room) => room.heads == [facts.head, self.run.postscript_head()],
            Trust::Anchor(anchor) => {
                is(facts.mode, *anchor.mode.get_ref())?;
                let compared = anchor.compare(&self.state);
                let compared = compared.map_err(|fault| refused(ANCHOR_FILE, fault))?;
                if !compared.is_whole() {
                    return Ok(Verdict::NotPinned(Box::new(facts)));
                }
                true
            }
        };
        if trusted {
            let run = *self.run;
            let (bundle, artefacts) = (self.bundle, self.made.into_artefacts());
            return Ok(Verdict::Verified(Box::new(Verified { run, facts, bundle, artefacts })));
        }
        Ok(Verdict::NotAnchored(Box::new(facts)))
    }

    fn facts(&self) -> Result<Consistent, Refusal> {
        let audit = self.run.audit_public().map(PublicKey::spki_digest);
        let audit_key = audit.ok_or_else(|| {
            refused("transcript.jsonl", Fault::new(RuleId::S_SEAL, "an audit key", "none"))
        })?;
        let mode = self.run.opened().mode;
        let (head, state) = (self.run.transcript_head(), Arc::clone(&self.state));
        let signatures = self.checks.len();
        let end = self.run.closed().unwrap_or(End::Aborted);
        let stopped = self.run.stopped().cloned();
        let opened = self.run.opened().clone();
        let files = self.made.listed();
        let postscript = Postscript::of(&self.run, &self.history);
        let account = Account::of(&self.run, &self.history, postscript);
        Ok(Consistent {
            mode,
            audit_key,
            head,
            signatures,
            end,
            opened,
            stopped,
            files,
            postscript,
            account,
            state,
        })
    }
}

fn is(found: Mode, asked: Mode) -> Result<bool, Refusal> {
    if found == asked {
        return Ok(true);
    }
    Err(refused(
        "transcript.jsonl",
        Fault::new(RuleId::S_MODE, format!("a {asked:?}"), format!("a {found:?}")),
    ))
}

/// Where an anchor stands, in a refusal.
const ANCHOR_FILE: &str = "anchor.toml";

impl Verified {
    /// The facts.
    #[must_use]
    pub const fn facts(&self) -> &Consistent {
        &self.facts
    }

    /// The replayed run.
    #[must_use]
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// How many signatures were verified.
    #[must_use]
    pub const fn signatures(&self) -> usize {
        self.facts.signatures
    }

    /// How the ceremony ended.
    #[must_use]
    pub const fn end(&self) -> End {
        self.facts.end
    }

    /// The bundle's octets.
    #[must_use]
    pub fn bundle(&self) -> &[u8] {
        &self.bundle
    }

    /// Every file that may leave the room, by name: papers, and, of a completed ceremony,
    /// certificates and CRLs.
    #[must_use]
    pub const fn artefacts(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.artefacts
    }
}

fn refused(place: &str, fault: Fault) -> Refusal {
    Refusal { place: place.to_string(), fault }
}

fn input_refusal(violations: &[crate::violation::Violation]) -> Refusal {
    violations.first().map_or_else(
        || refused("inputs", Fault::new(RuleId::S_INPUTS, "inputs that compile", "none")),
        |v| {
            refused(
                &format!("inputs/{}", v.place.input),
                Fault::new(v.rule, v.asked.clone(), v.found.clone()),
            )
        },
    )
}
