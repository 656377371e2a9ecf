//! Verification of a sealed ceremony: compiles its inputs again and replays its transcript.
//!
//! Replay uses the same fold as the live run and compares each line that the fold produces with the
//! line in the transcript. Nothing in the sealed folder is trusted: graph, bindings, structures,
//! records, statement and bundle are computed again.
//!
//! **Invariants.** Only [`Trial::conclude`] makes a [`Verified`], and only when every signature was
//! verified and a [`Trust`] applies. Only a [`Verified`] gives access to artefacts. Without trust
//! there is a verdict and the digest of each file, so that a holder of the files can compare them.

mod account;
mod history;
pub mod kept;
mod lines;
mod refusal;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use account::{Account, Begun, Finding, Judged, Mark, Postscript, Standing};
pub use history::{Deed, Happening, History, What};

use lines::Lines;

use crate::anchor::Anchor;
use crate::compile::{Compiled, compile};
use crate::fault::Fault;
use crate::hex::Digest;
use crate::inputs::Inputs;
use crate::key::{Check, Proof, PublicKey};
use crate::language::Bilingual;
use crate::ledger::State;
use crate::record::{End, Event, Mode, Opened};
use crate::rule::RuleId;
use crate::run::{Next, Run, Stop};
use crate::says;
use crate::seal::{self, Made};
pub use refusal::Refusal;

/// A sealed ceremony as read from a folder. None of it is trusted.
#[derive(Debug, Clone, Default)]
pub struct Sealed {
    /// `inputs/`: the canonical texts, by name.
    pub inputs: BTreeMap<String, Vec<u8>>,
    /// `transcript.jsonl`
    pub transcript: Vec<u8>,
    /// `transcript.sigstore.json`
    pub bundle: Vec<u8>,
    /// `after.jsonl`, if the postscript has begun.
    pub after: Option<Vec<u8>>,
}

/// The reason why a consistent ceremony is accepted as genuine.
#[derive(Debug)]
pub enum Trust<'a> {
    /// The CA's anchor pins it.
    Anchor(&'a Anchor),
    /// It was closed a moment ago by this process.
    Room(JustClosed),
    /// It is a rehearsal, and the caller accepts a rehearsal.
    Rehearsal,
    /// It is a drill, and the caller accepts a drill.
    Drill,
    /// No reason: only consistency is judged.
    None,
}

/// Evidence that a live run was closed by this process. Only [`JustClosed::of`] makes one.
#[derive(Debug)]
pub struct JustClosed {
    /// The heads of its transcript and of its postscript.
    heads: [Digest; 2],
}

impl JustClosed {
    /// Takes the heads of a live run; `None` if the run is not closed.
    #[must_use]
    pub fn of(run: &Run) -> Option<Self> {
        let heads = [run.transcript_head(), run.postscript_head()];
        run.closed().map(|_| Self { heads })
    }
}

/// A replayed ceremony whose signatures are still to be verified.
///
/// The checks are independent: they can be proved in any order and on any thread.
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

/// The result of verifying a sealed ceremony that is consistent.
#[derive(Debug)]
pub enum Verdict {
    /// The ceremony is verified under the trust that was given.
    Verified(Box<Verified>),
    /// The ceremony is consistent, but nothing shows that it is the CA's.
    NotAnchored(Box<Consistent>),
    /// The ceremony follows one that the anchor pins, but the anchor does not pin it yet.
    NotPinned(Box<Consistent>),
}

/// The facts of a consistent ceremony, whether it is trusted or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistent {
    /// Rehearsal, drill or real.
    pub mode: Mode,
    /// SHA-256 of the audit key's SubjectPublicKeyInfo.
    pub audit_key: Digest,
    /// The chain value of the last record.
    pub head: Digest,
    /// The number of signatures that were verified.
    pub signatures: usize,
    /// How the ceremony ended.
    pub end: End,
    /// The content of its first record.
    pub opened: Opened,
    /// The refusal that stopped it, if there was one.
    pub stopped: Option<Stop>,
    /// The length and SHA-256 of every file that it made, by name. The content is deliberately not
    /// here: a file can be compared, but not obtained.
    pub files: BTreeMap<String, (usize, Digest)>,
    /// How far its postscript goes.
    pub postscript: Postscript,
    /// What a verdict reports beside the result.
    pub account: Account,
    /// The state of the CA after this ceremony and all before it.
    pub state: Arc<State>,
}

/// A verified ceremony. Artefacts are available only from this type.
#[derive(Debug)]
pub struct Verified {
    run: Run,
    facts: Consistent,
    bundle: Vec<u8>,
    artefacts: BTreeMap<String, Vec<u8>>,
}

/// Replays a sealed ceremony on the state after the ceremonies before it.
///
/// Everything is judged here except the signatures.
///
/// # Errors
/// The first fault, with the file and line where it was found.
pub fn replay(sealed: &Sealed, state: &Arc<State>) -> Result<Trial, Refusal> {
    let mode = mode_of(seal::TRANSCRIPT_FILE, &sealed.transcript)?;
    replay_on(compiled(&sealed.inputs, state, mode)?, sealed)
}

/// Replays the files that a live run of this process has written.
///
/// The run's compiled graph is used again if the input texts are the same, because the same texts
/// compile to the same graph. Otherwise the inputs are compiled as in [`replay`].
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
    let octets = &sealed.transcript;
    let (run, mut checks) = transcript(compiled, seal::TRANSCRIPT_FILE, octets, &mut history)?;
    if run.next() != Next::Seal {
        let last = sealed.transcript.iter().filter(|octet| **octet == b'\n').count();
        let fault = Fault::new(
            RuleId::S_END,
            says!("終了の記録まである記録", "a transcript that ends with Closed"),
            says!("途中で終わっている記録", "an unfinished transcript"),
        );
        return Err(Refusal { place: lines::place(seal::TRANSCRIPT_FILE, last), fault });
    }
    let made = Made::of(&run);
    let sealed_by = made.read_signed(&run, &sealed.bundle);
    let (sealed_by, signature) = sealed_by.map_err(|f| refused(seal::BUNDLE_FILE, f))?;
    let seal = Digest::of(&sealed.bundle);
    if sealed.after.as_ref().is_some_and(Vec::is_empty) {
        let asked = says!("追記の記録", "records of the postscript");
        let fault = Fault::new(RuleId::S_RECORD, asked, says!("空のファイル", "an empty file"));
        return Err(refused(AFTER_FILE, fault));
    }
    let after = sealed.after.as_deref().unwrap_or_default();
    let run = Box::new(postscript(run, Some(seal), after, &mut checks, &mut history)?);
    let state = before.after(&run, &signature);
    let state = Arc::new(state.map_err(|f| refused(seal::TRANSCRIPT_FILE, f))?);
    checks.push(sealed_by);
    Ok(Trial { run, history, bundle: sealed.bundle.clone(), made, checks, seal, state })
}

/// Replays a journal that is not sealed, so that its ceremony can be resumed.
///
/// Its signatures are not verified here: they were verified before they were recorded, and are
/// verified again before any artefact is released.
pub fn replay_unsealed(
    inputs: &BTreeMap<String, Vec<u8>>,
    journal: &[u8],
    after: &[u8],
    state: &Arc<State>,
) -> Result<Run, Refusal> {
    let mut history = History::default();
    let compiled = compiled(inputs, state, mode_of(seal::JOURNAL_FILE, journal)?)?;
    let (run, mut checks) = transcript(compiled, seal::JOURNAL_FILE, journal, &mut history)?;
    if after.is_empty() {
        return Ok(run);
    }
    postscript(run, None, after, &mut checks, &mut history)
}

/// Replays one more line of a journal.
///
/// Returns the run after that line, and the checks of its signatures, which are still to be proved.
pub fn replay_line(run: Run, line: &str) -> Result<(Run, Vec<Check>), Refusal> {
    let mut lines = Lines::new(seal::JOURNAL_FILE, line.as_bytes())?;
    let mut checks = Vec::new();
    let Some(record) = lines.next_record()? else { return Ok((run, checks)) };
    let step = run.apply(record.at, record.event, record.signed).map_err(|f| lines.refuse(f))?;
    let run = lines.same(step, &mut checks)?;
    Ok((run, checks))
}

/// Replays the journal of a ceremony that could not be sealed.
///
/// Returns the checks that are still to be proved, the state of the CA afterwards, and the history.
/// Such a journal enters a ledger when a later plan names its digest.
pub fn replay_abandoned(
    inputs: &BTreeMap<String, Vec<u8>>,
    journal: &[u8],
    state: &Arc<State>,
) -> Result<(Vec<Check>, Arc<State>, History), Refusal> {
    let mut history = History::default();
    let compiled = compiled(inputs, state, mode_of(seal::JOURNAL_FILE, journal)?)?;
    let (run, checks) = transcript(compiled, seal::JOURNAL_FILE, journal, &mut history)?;
    let refused = |fault| refused(seal::JOURNAL_FILE, fault);
    for (name, key) in run.keys() {
        run.refuse_derived(name, key).map_err(refused)?;
    }
    let state = state.after_abandoned(&run, journal).map_err(refused)?;
    Ok((checks, Arc::new(state), history))
}

fn compiled(
    inputs: &BTreeMap<String, Vec<u8>>,
    state: &Arc<State>,
    mode: Mode,
) -> Result<Compiled, Refusal> {
    let inputs = Inputs::sealed(inputs).map_err(|violations| input_refusal(&violations))?;
    compile(&inputs, state, mode).map_err(|violations| input_refusal(&violations))
}

/// What the first record says that is held. It is compared with all that is computed from it.
fn mode_of(file: &'static str, octets: &[u8]) -> Result<Mode, Refusal> {
    let (_, opened) = Lines::new(file, octets)?.opened()?;
    Ok(opened.mode)
}

fn transcript(
    compiled: Compiled,
    file: &'static str,
    octets: &[u8],
    history: &mut History,
) -> Result<(Run, Vec<Check>), Refusal> {
    let mut lines = Lines::new(file, octets)?;
    let (first, opened) = lines.opened()?;
    let mut checks = compiled.checks.clone();
    history.take(&first);
    let step = Run::replay(compiled, opened, first.at).map_err(|f| lines.refuse(f))?;
    let mut run = lines.same(step, &mut checks)?;
    while let Some(record) = lines.next_record()? {
        history.take(&record);
        let step =
            run.apply(record.at, record.event, record.signed).map_err(|f| lines.refuse(f))?;
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
    let mut lines = Lines::new(AFTER_FILE, after)?;
    let mut run = run;
    while let Some(record) = lines.next_record()? {
        history.take(&record);
        if let (Event::Sealed { bundle }, Some(seal)) = (&record.event, seal)
            && *bundle != seal
        {
            return Err(lines.refuse(Fault::new(
                RuleId::S_SEAL,
                Bilingual::plain(seal),
                Bilingual::plain(bundle),
            )));
        }
        let step =
            run.apply(record.at, record.event, record.signed).map_err(|f| lines.refuse(f))?;
        run = lines.same(step, checks)?;
    }
    Ok(run)
}

impl Trial {
    /// The replayed run, before any signature is verified.
    #[must_use]
    pub const fn run(&self) -> &Run {
        &self.run
    }

    /// The checks that none of these proofs covers.
    #[must_use]
    pub fn unproved(&self, proofs: &[Proof]) -> Vec<Check> {
        let proved: BTreeSet<Digest> = proofs.iter().map(Proof::id).collect();
        self.checks.iter().filter(|check| !proved.contains(&check.id())).cloned().collect()
    }

    /// The state of the CA after this ceremony and all before it.
    #[must_use]
    pub const fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// SHA-256 of the bundle.
    #[must_use]
    pub const fn seal(&self) -> Digest {
        self.seal
    }

    /// Concludes the trial: gives the verdict under this trust.
    ///
    /// # Errors
    /// A signature without a proof; a ceremony of another mode than the trust asks for; outside a
    /// rehearsal, a key that everyone can compute; an anchor that contradicts the ledger.
    pub fn conclude(mut self, proofs: Vec<Proof>, trust: &Trust<'_>) -> Result<Verdict, Refusal> {
        if let Some(check) = self.unproved(&proofs).first() {
            let fault = Fault::new(
                RuleId::S_SIGNATURE,
                says!("検証済みの署名", "a verified signature"),
                says!("検証していない署名", "a signature that was not verified"),
            );
            let place = check.place().cloned();
            return Err(Refusal { place: place.unwrap_or_else(|| check.said()), fault });
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
                let compared = compared.map_err(|fault| refused(seal::TRANSCRIPT_FILE, fault))?;
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
            let asked = says!("監査用の鍵", "an audit key");
            let fault = Fault::new(RuleId::S_SEAL, asked, Bilingual::none());
            refused(seal::TRANSCRIPT_FILE, fault)
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
    let named = |mode: Mode| {
        let ja = match mode {
            Mode::Rehearsal => "リハーサル",
            Mode::Drill => "訓練",
            Mode::Real => "本番のセレモニー",
        };
        says!("{ja}", "a {mode:?}")
    };
    let fault = Fault::new(RuleId::S_MODE, named(asked), named(found));
    Err(refused(seal::TRANSCRIPT_FILE, fault))
}

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

    /// The number of signatures that were verified.
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

    /// Every file that may be released, by name: the documents, and for a completed ceremony the
    /// certificates and CRLs.
    #[must_use]
    pub const fn artefacts(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.artefacts
    }
}

/// The file of the postscript.
const AFTER_FILE: &str = "after.jsonl";

fn refused(place: &str, fault: Fault) -> Refusal {
    Refusal::of(place, fault)
}

fn input_refusal(violations: &[crate::violation::Violation]) -> Refusal {
    violations.first().map_or_else(
        || {
            let asked = says!("コンパイルできる入力", "inputs that compile");
            refused("inputs", Fault::new(RuleId::S_INPUTS, asked, Bilingual::none()))
        },
        |v| {
            refused(
                &format!("inputs/{}", v.place.input),
                Fault::new(v.rule, v.asked.clone(), v.found.clone()),
            )
        },
    )
}
