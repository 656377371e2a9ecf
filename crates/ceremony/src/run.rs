//! One ceremony in progress.
//!
//! A [`Run`] never touches the outside world. It says what comes next ([`Run::next`]) and what to
//! ask ([`Run::request`]), and takes what happened ([`Run::apply`]). The command line feeds it from
//! a token and from people; the verifier feeds it from a transcript. Both walk this same code, so a
//! transcript that verifies is a ceremony that could have happened.
//!
//! **Invariant:** one operation, one request, one answer, one pair of events. A line that replay
//! gives is compared octet by octet with the line that was written, so number, chain, origin,
//! result and terminal are judged by being computed again. **Deliberately absent:** files, clocks,
//! randomness. A second attempt is an event, never a loop.

mod approved;
mod ask;
mod facts;
mod head;
mod judge;
mod next;
mod present;
mod probe;
mod signed;
mod state;
mod token;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use ask::{Fact, FactKind, HEAD, PeopleRequest, Request, as_words, words};
pub use judge::Expected;
pub use next::Next;
pub use present::{ABSENT, PRESENT};
pub use probe::{
    Finding, Life, Outcome, Probe, ProbeAnswer, ProbeRequest, ProbeStep, TokenCondition, TokenFlag,
    unfit,
};
pub use signed::ToSign;

use sha2::{Digest as _, Sha256};

use crate::compile::Compiled;
use crate::fault::Fault;
use crate::graph::{Act, Op, Origin, TokenAct};
use crate::hex::{Digest, Octets};
use crate::key::{Check, Nonce, Proof, PublicKey};
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::{
    Answer, Approved, End, Event, GENESIS, Mode, Opened, Place, Record, Refuser, Signatures,
};
use crate::register::derived;
use crate::rehearsal;
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;

/// How many attempts an operation may have whose attempt number is part of a CRL number, a serial
/// number or a CKA_ID. In a CRL number it has 4 bits, so the sixteenth failure stops the ceremony.
/// Other operations may be attempted without limit.
pub const ATTEMPTS: u32 = 16;

/// A ceremony in progress: a fold over its events.
#[derive(Debug, Clone)]
pub struct Run {
    compiled: Box<Compiled>,
    opened: Opened,
    place: Place,
    book: Book,
    head: Digest,
    number: u64,
    last_at: Instant,
    /// The time of the first record.
    begun_at: Instant,
    session: u32,
    /// By the operation's place: its next attempt, and whether it is done (for an operation of the
    /// opening: done in this session).
    ops: Vec<OpState>,
    /// The operation that was asked in this session and is not answered yet.
    pending: Option<usize>,
    /// The pending operation whose request was handed out already, by its place, attempt and
    /// session.
    requested: Option<(usize, u32, u32)>,
    /// An operation that was asked in an earlier session and never answered. Its attempt is
    /// recorded as lost before anything else happens.
    burn: Option<usize>,
    /// A key generation whose result is unknown.
    doubt: Option<usize>,
    stopped: Option<Stop>,
    /// Whether the opening of this session was refused, so that nothing more is asked in it.
    halted: bool,
    /// Whether this session was interrupted for a break, so that nothing more is asked in it.
    paused: bool,
    closed: Option<End>,
    /// SHA-256 of the bundle that sealed the ceremony.
    sealed: Option<Digest>,
    keys: BTreeMap<Name, PublicKey>,
    key_ids: BTreeMap<Name, Octets>,
    audit_ready: bool,
    /// The ledger head on the token, once this ceremony has written it.
    written_head: Option<Octets>,
    /// Every ledger head that this ceremony asked the token to write. Where the answer was lost,
    /// any of them may be on the token.
    asked_heads: BTreeSet<Octets>,
    /// Whether the token refused the head of a stopped ceremony in this session, so that the
    /// ceremony is sealed without it.
    headless: bool,
    /// The last head that people confirmed to be noted on paper.
    noted: Option<Noted>,
    /// The operation whose head must be noted on paper before the ceremony goes on.
    due: Option<usize>,
    /// The people who did not come, as those who stand by have said.
    absent: BTreeSet<Name>,
    /// The people who have come so far, as those who stand by have said.
    entered: BTreeSet<Name>,
    /// The people whose cards do not sign, as two others have said.
    cardless: BTreeSet<Name>,
    /// What people have said and confirmed, with its time.
    told: Vec<(Instant, Event)>,
    signed: BTreeMap<String, Signed>,
    nonces: BTreeSet<Nonce>,
    /// The keys with which a rehearsal signs for people.
    derived: Arc<BTreeMap<Name, PublicKey>>,
    owed: BTreeMap<Digest, String>,
    transcript_hash: Sha256,
    /// The chain value of the transcript's last record, once the postscript has begun.
    transcript_head: Digest,
    ended_at: Instant,
}

/// The file that records go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Book {
    /// The transcript, and its journal before the seal.
    Transcript,
    /// The postscript, after the seal.
    Postscript,
}

#[derive(Debug, Clone, Copy, Default)]
struct OpState {
    attempt: u32,
    done: bool,
    /// When it was answered last.
    at: Option<Instant>,
    /// The number of the record that answered it last.
    record: u64,
}

/// A head that people confirmed to be noted on paper, and the number of the record that says so.
#[derive(Debug, Clone, Copy)]
struct Noted {
    head: Digest,
    record: u64,
    /// The index of the operation after which it is noted.
    after: Option<usize>,
}

/// Why a ceremony can only be closed as aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Who stopped it.
    pub rule: Refuser,
    /// Why.
    pub reason: String,
}

/// A certificate or CRL with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The whole structure in DER.
    pub der: Vec<u8>,
    /// When its signature was recorded.
    pub at: Instant,
    /// The attempt that gave it.
    pub attempt: u32,
}

/// The result of an event that was accepted: the run after it, the line that records it, and the
/// signatures that are still to be verified.
#[derive(Debug)]
#[must_use]
pub struct Step {
    /// The run after the event.
    pub run: Run,
    /// The line that records the event, with its line feed.
    pub line: String,
    /// The signatures in the event. All of them must be verified before anything of the run is
    /// published.
    pub checks: Vec<Check>,
}

/// Joins several sentences into one, with the separator of each language.
fn joined(parts: impl IntoIterator<Item = Bilingual>, ja: &str, en: &str) -> Bilingual {
    let (in_ja, in_en): (Vec<String>, Vec<String>) =
        parts.into_iter().map(|part| (part.ja, part.en)).unzip();
    Bilingual { ja: in_ja.join(ja), en: in_en.join(en) }
}

impl Run {
    /// Begins a ceremony with these approvals of its plan. Returns the run after its first record.
    pub fn begin(
        compiled: Compiled,
        place: Place,
        approvals: BTreeMap<Name, Approved>,
        at: Instant,
    ) -> Result<Step, Fault> {
        let opened = Opened { approvals, ..compiled.opened(place) };
        Self::open(compiled, opened, at).and_then(|step| Self::with_approvals(step, at))
    }

    /// Begins a ceremony from a first record that was read. The record must equal the one that
    /// these inputs give.
    pub(crate) fn replay(compiled: Compiled, opened: Opened, at: Instant) -> Result<Step, Fault> {
        let expected = compiled.opened(opened.room.clone());
        let expected = Opened { approvals: opened.approvals.clone(), ..expected };
        if opened != expected {
            return Err(Fault::new(
                RuleId::S_OPENED,
                says!(
                    "入力、graph、bindings のダイジェストを挙げる最初の記録",
                    "a first record that names the digests of the inputs, the graph and the bindings"
                ),
                says!("別のダイジェスト", "other digests"),
            ));
        }
        Self::open(compiled, opened, at).and_then(|step| Self::with_approvals(step, at))
    }

    /// Begins a ceremony whose approvals are still to be judged.
    fn open(compiled: Compiled, opened: Opened, at: Instant) -> Result<Step, Fault> {
        let at = at.at(compiled.graph.offset());
        let (from, until) = compiled.graph.window;
        if at < from || at > until {
            return Err(Fault::new(
                RuleId::S_WINDOW,
                says!("{from} から {until} までの開始", "a beginning between {from} and {until}"),
                Bilingual::plain(at),
            ));
        }
        judge::place(&compiled, &opened.room)?;
        judge::known_tokens(&compiled.state, opened.mode, &opened.room)?;
        let ops = compiled.graph.ops.iter().map(|_| OpState::default()).collect();
        let known = &compiled.graph.known;
        let key_ids = known.iter().map(|(name, key)| (name.clone(), key.id.clone())).collect();
        let keys = compiled.graph.known_keys();
        let audit_ready =
            compiled.graph.audit_key().is_some_and(|key| key.origin == Origin::Before);
        let owed =
            compiled.checks.iter().map(|check| (check.id(), check.subject.clone())).collect();
        let derived = derived(compiled.graph.ca_name.der(), &compiled.register);
        let nonces = compiled.enrolled.clone();
        let mut run = Self {
            compiled: Box::new(compiled),
            place: opened.room.clone(),
            opened: opened.clone(),
            book: Book::Transcript,
            head: GENESIS,
            number: 0,
            last_at: at,
            begun_at: at,
            session: 0,
            ops,
            pending: None,
            requested: None,
            burn: None,
            doubt: None,
            stopped: None,
            halted: false,
            paused: false,
            closed: None,
            sealed: None,
            keys,
            key_ids,
            audit_ready,
            written_head: None,
            asked_heads: BTreeSet::new(),
            headless: false,
            noted: None,
            due: None,
            absent: BTreeSet::new(),
            entered: BTreeSet::new(),
            cardless: BTreeSet::new(),
            told: Vec::new(),
            signed: BTreeMap::new(),
            nonces,
            derived: Arc::new(derived),
            owed,
            transcript_hash: Sha256::new(),
            transcript_head: GENESIS,
            ended_at: at,
        };
        run.refuse_derived_cards()?;
        let line = run.write(at, Event::Opened(opened), Signatures::new());
        Ok(Step { run, line, checks: Vec::new() })
    }

    /// Takes an event that happened at this time, with the signatures of people on it
    /// ([`Run::to_sign`]). The run is consumed: after a fault there is no run, and nothing was
    /// recorded.
    ///
    /// The record has the CA's offset, whatever the clock shows: a record that is read with another
    /// one is not the line that replay writes.
    pub fn apply(mut self, at: Instant, event: Event, signed: Signatures) -> Result<Step, Fault> {
        let at = at.at(self.compiled.graph.offset());
        if at < self.last_at {
            return Err(Fault::new(
                RuleId::S_TIME_BACK,
                says!("{} 以後の時刻", "a time not before {}", self.last_at),
                Bilingual::plain(at),
            ));
        }
        let asked = self.to_sign(&event);
        let mut checks = self.take(at, &event)?;
        checks.extend(self.weigh_signed(&asked, &signed)?);
        for check in &checks {
            self.owed.insert(check.id(), check.subject.clone());
        }
        self.due = self.falls_due(&event);
        let line = self.write(at, event, signed);
        if matches!(self.pending_op(), Ok((op, _)) if op.act == Act::Token(TokenAct::WriteHead)) {
            self.asked_heads.insert(self.head_value());
        }
        Ok(Step { run: self, line, checks })
    }

    /// Judges whether an answer to the pending operation is what was asked for. The signatures in
    /// it are still to be verified.
    pub fn judge(&self, answer: &Answer) -> Result<Vec<Check>, Fault> {
        let (op, attempt) = self.pending_op()?;
        let weighed = self.weigh(op, attempt, answer)?;
        if let Some((name, key)) = &weighed.key {
            self.refuse_derived(name, key)?;
        }
        Ok(weighed.checks)
    }

    /// Refuses a key that everyone can compute, except in a rehearsal. A run asks this of each new
    /// key, a verifier of all keys at the end.
    pub(crate) fn refuse_derived(&self, name: &Name, key: &PublicKey) -> Result<(), Fault> {
        let derived = || rehearsal::recognise(self.graph().ca_name.der(), key);
        if self.opened.mode != Mode::Rehearsal && derived() {
            return Err(Fault::new(
                RuleId::S_REHEARSAL_KEY,
                says!("ほかの誰も持たない鍵 {name}", "a key {name} that nobody else has"),
                says!(
                    "リハーサルの鍵(誰でも計算できる)",
                    "a rehearsal key, which everyone can compute"
                ),
            ));
        }
        Ok(())
    }

    /// What the signatures of the pending operation must cover, in order, so that each can be
    /// verified as it arrives.
    pub fn expected_signatures(&self) -> Result<Vec<Expected>, Fault> {
        let (op, attempt) = self.pending_op()?;
        self.expected(op, attempt)
    }

    /// Removes the signatures that these proofs cover from those still to be verified.
    pub fn settle(&mut self, proofs: &[Proof]) {
        for proof in proofs {
            self.owed.remove(&proof.id());
        }
    }

    /// Returns the operation whose head must be noted after this event: one that the script has a
    /// line for, or any that was refused.
    fn falls_due(&self, event: &Event) -> Option<usize> {
        let index = |op: &str| self.graph().op(op).map(|op| op.id.index());
        match event {
            Event::Answered { op, .. } | Event::Adopted { op, .. } => {
                self.graph().op(op).filter(|op| op.noted).map(|op| op.id.index()).or(self.due)
            }
            Event::OrphanRemoved { op, .. }
            | Event::Refused { op, .. }
            | Event::Paused { op, .. }
                if self.book == Book::Transcript =>
            {
                index(op)
            }
            Event::Noted { .. } | Event::Opened(_) => None,
            Event::OrphanRemoved { .. }
            | Event::Refused { .. }
            | Event::Paused { .. }
            | Event::Asked(_)
            | Event::Lost { .. }
            | Event::Mistaken { .. }
            | Event::Deviation { .. }
            | Event::CardFailed { .. }
            | Event::Resumed(_)
            | Event::Closed { .. }
            | Event::Sealed { .. } => self.due,
        }
    }

    fn write(&mut self, at: Instant, event: Event, signed: Signatures) -> String {
        if !event.people().is_empty() {
            self.told.push((at, event.clone()));
        }
        let record = Record {
            at,
            origin: event.origin(),
            result: event.outcome(),
            number: self.number,
            signed,
            terminal: self.place.terminal.clone(),
            event,
        };
        self.head = record.chain(self.head);
        self.number += 1;
        self.last_at = at;
        let line = record.to_line(self.head);
        if self.book == Book::Transcript {
            self.transcript_hash.update(line.as_bytes());
        }
        line
    }

    /// Returns the request for the pending operation; of a token once. It may have had its effect,
    /// so asking it again is another attempt with a record of its own.
    pub fn request(&mut self) -> Result<Request, Fault> {
        let (op, attempt) = self.pending_op()?;
        let asked = (op.id.index(), attempt, self.session);
        // People can be asked again; a token acts on what it is asked.
        if self.requested == Some(asked) && !op.act.is_of_people() {
            let asked = says!(
                "{} の試行 {attempt} の要求(1 回)",
                "one request for attempt {attempt} of {}",
                op.name
            );
            return Err(Fault::new(RuleId::S_ORDER, asked, says!("2 回目の要求", "a second one")));
        }
        let request = self.request_for(op, attempt)?;
        self.requested = Some(asked);
        Ok(request)
    }

    fn op_at(&self, index: usize) -> Option<&Op> {
        self.graph().ops.get(index)
    }

    fn attempt(&self, op: &Op) -> u32 {
        self.ops.get(op.id.index()).map_or(0, |state| state.attempt)
    }

    fn pending_op(&self) -> Result<(&Op, u32), Fault> {
        let op = self.pending.and_then(|i| self.op_at(i));
        op.map(|op| (op, self.attempt(op))).ok_or_else(|| {
            let asked = says!("回答を待つ手順", "an operation that waits for its answer");
            Fault::new(RuleId::S_ORDER, asked, Bilingual::none())
        })
    }
}
