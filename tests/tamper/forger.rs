//! A forger who holds the audit key: changes a record, makes everything after it fit again, and
//! seals it anew.
//!
//! What fits again is what the audit key can make fit: chain, numbers, the signature on the head,
//! the head on the token, what people read aloud, the seal, and the name of the seal in the
//! postscript. The rehearsal's root key is known to all as well, but this forger does not use it: a
//! real one would not have it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ceremony::compile::{Compiled, compile};
use ceremony::graph::Graph;
use ceremony::hex::{Digest, Octets, decode, encode};
use ceremony::inputs::Inputs;
use ceremony::key::{Check, Curve, PublicKey};
use ceremony::ledger::State;
use ceremony::record::{Event, GENESIS, Mode, Record};
use ceremony::run::{FactKind, Next, Request, Run, Step};
use ceremony::seal::Made;
use ceremony::token::TokenAnswer;
use ceremony::verify::{Sealed, Trust, Verdict, replay, replay_unsealed};
use ceremony::violation::Violation;
use serde_json::{Value, json};

use super::ceremonies::signature;
use crate::people;
use crate::support::nothing;

/// Which of the rehearsal's keys a forger uses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// The audit key alone: a real root key would not be at hand.
    Audit,
    /// The root key of the first generation as well, with which every structure is signed anew.
    AuditAndRoot,
}

/// A sealed ceremony taken apart: its records, and the run before each of them.
pub(super) struct Book {
    pub(super) sealed: Sealed,
    /// What the ceremonies before it left.
    pub(super) state: Arc<State>,
    /// The records, without chain values: of the transcript, then of the postscript.
    pub(super) records: Vec<Value>,
    lines: Vec<String>,
    /// The run before each record; before the first there is none.
    before: Vec<Option<Run>>,
    /// How many records the transcript has.
    pub(super) transcript: usize,
    /// Whether a forger has the cards of people as well. In a rehearsal everybody has them.
    has_cards: bool,
}

impl Book {
    /// Of a first ceremony.
    pub(super) fn of(sealed: Sealed) -> Self {
        Self::on(nothing(), sealed)
    }

    /// Of a ceremony that was held on this state.
    pub(super) fn on(state: Arc<State>, sealed: Sealed) -> Self {
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        let own = |text: String| text.lines().map(|line| format!("{line}\n")).collect::<Vec<_>>();
        let mut lines = own(text(&sealed.transcript));
        let transcript = lines.len();
        lines.extend(own(text(sealed.after.as_deref().unwrap_or_default())));
        let mut before = vec![None];
        let mut run = replay_unsealed(&sealed.inputs, lines[0].as_bytes(), b"", &state).unwrap();
        for line in lines.iter().skip(1) {
            before.push(Some(run.clone()));
            run = judge(run, line).unwrap().run;
        }
        let record = |line: &String| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            value.as_object_mut().unwrap().remove("chain").unwrap();
            value
        };
        let records = lines.iter().map(record).collect();
        Self { records, sealed, state, lines, before, transcript, has_cards: true }
    }

    /// The same in the hands of somebody who has no card of anybody.
    pub(super) fn without_cards(self) -> Self {
        Self { has_cards: false, ..self }
    }

    /// The same records, to be performed again on other inputs: those must compile, and the first
    /// record names them.
    pub(super) fn on_inputs(&self, inputs: BTreeMap<String, Vec<u8>>) -> Result<Self, String> {
        let said = |violations: Vec<Violation>| {
            violations.first().map_or_else(String::new, |v| format!("{}: {}", v.rule, v.found.en))
        };
        let Event::Opened(opened) =
            serde_json::from_value(self.records[0]["event"].clone()).unwrap()
        else {
            panic!("a transcript begins with Opened")
        };
        let compiled = self.compiled(&inputs, opened.mode).map_err(said)?;
        let opened = compiled.opened(opened.room);
        let mut records = self.records.clone();
        records[0]["event"] = serde_json::to_value(Event::Opened(opened)).unwrap();
        let sealed = Sealed { inputs, ..self.sealed.clone() };
        let (lines, before) = (Vec::new(), vec![None]);
        Ok(Self { records, sealed, state: Arc::clone(&self.state), lines, before, ..*self })
    }

    /// What inputs compile to after the same ceremonies, for one of this mode.
    pub(super) fn compiled(
        &self,
        inputs: &BTreeMap<String, Vec<u8>>,
        mode: Mode,
    ) -> Result<Compiled, Vec<Violation>> {
        Inputs::sealed(inputs).and_then(|inputs| compile(&inputs, &self.state, mode))
    }

    /// What was agreed.
    pub(super) fn graph(&self) -> &Graph {
        self.before.last().and_then(Option::as_ref).unwrap().graph()
    }

    /// The closed run, before the seal.
    pub(super) fn closed(&self) -> &Run {
        self.before[self.transcript].as_ref().unwrap()
    }

    /// The line of a record, with its end.
    pub(super) fn line(&self, index: usize) -> &str {
        &self.lines[index]
    }

    /// What replay says of another line in a record's place, all before it being as it was.
    pub(super) fn judge(&self, index: usize, line: &str) -> Result<Step, String> {
        match &self.before[index] {
            Some(run) => judge(run.clone(), line),
            None => panic!("the first record is judged by `judge_first`"),
        }
    }

    /// What replay says of another line in the first record's place.
    pub(super) fn judge_first(&self, line: &str) -> Result<Run, String> {
        replay_unsealed(&self.sealed.inputs, line.as_bytes(), b"", &self.state)
            .map_err(|r| r.fault.to_string())
    }

    /// The folder with these records instead of those of a range, everything after them made to
    /// fit, sealed again; or where and why replay does not take it.
    pub(super) fn forge(
        &self,
        replaced: Range<usize>,
        by: &[Value],
    ) -> Result<Sealed, Box<Refused>> {
        self.forge_near(replaced, by, None, usize::MAX)
    }

    /// The same, as far as this many records after what was replaced.
    ///
    /// `suspect` is the signature among the first record's that was changed, if one was: it is
    /// proved first.
    pub(super) fn forge_near(
        &self,
        replaced: Range<usize>,
        by: &[Value],
        suspect: Option<usize>,
        reach: usize,
    ) -> Result<Sealed, Box<Refused>> {
        let folder = Sealed { inputs: self.sealed.inputs.clone(), ..Sealed::default() };
        let mut forgery = Forgery { book: self, run: None, folder };
        match forgery.write(replaced, by, suspect, reach) {
            Ok(()) => Ok(forgery.folder),
            Err((at, fault)) => Err(Box::new(Refused { at, fault, folder: forgery.folder })),
        }
    }
}

impl Book {
    /// The folder with each record changed, made to fit what stands before it, and sealed again.
    pub(super) fn forge_throughout(
        &self,
        keys: Keys,
        change: impl Fn(&mut Value),
    ) -> Result<Sealed, Box<Refused>> {
        let folder = Sealed { inputs: self.sealed.inputs.clone(), ..Sealed::default() };
        let mut forgery = Forgery { book: self, run: None, folder };
        for (at, record) in self.records.iter().enumerate() {
            let mut record = forgery.fit(record.clone());
            if keys == Keys::AuditAndRoot
                && let Some(signatures) = forgery.run.as_ref().and_then(structures_signed)
                && record["event"]["answer"].get("signatures").is_some()
            {
                record["event"]["answer"]["signatures"] = json!(signatures);
            }
            change(&mut record);
            if let Err(fault) = forgery.take(record) {
                return Err(Box::new(Refused { at, fault, folder: forgery.folder }));
            }
        }
        Ok(forgery.folder)
    }
}

impl Book {
    /// The folder with these records after the first ones, each made to fit what stands before it,
    /// and at no earlier time.
    pub(super) fn perform(&self, kept: usize, then: &[Value]) -> Result<Sealed, Box<Refused>> {
        let folder = Sealed { inputs: self.sealed.inputs.clone(), ..Sealed::default() };
        let mut forgery = Forgery { book: self, run: self.before[kept].clone(), folder };
        self.lines.iter().take(kept).for_each(|line| forgery.keep(line));
        for (place, record) in then.iter().enumerate() {
            let mut record = forgery.fit(record.clone());
            let now = forgery.run.as_ref().map(|run| run.last_at().to_string());
            let said = record["at"].as_str().map(String::from);
            record["at"] = json!(now.max(said));
            if let Err(fault) = forgery.take(record) {
                return Err(Box::new(Refused { at: kept + place, fault, folder: forgery.folder }));
            }
        }
        Ok(forgery.folder)
    }
}

/// A forgery that replay does not take.
#[derive(Debug)]
pub(super) struct Refused {
    /// At which record of the forgery.
    pub(super) at: usize,
    /// Why.
    pub(super) fault: String,
    /// What was written up to there.
    pub(super) folder: Sealed,
}

/// What replay does with a line.
fn judge(run: Run, line: &str) -> Result<Step, String> {
    let text = line.strip_suffix('\n').ok_or("a torn last line")?;
    let record = Record::read(text).map_err(|error| error.to_string())?;
    let step =
        run.apply(record.at, record.event, record.signed).map_err(|fault| fault.to_string())?;
    if step.line == line { Ok(step) } else { Err("S-RECORD: another line".to_string()) }
}

/// Proves checks, the suspect first: a verdict needs every one of them.
pub(super) fn prove(checks: &[Check], suspect: Option<usize>) -> Result<(), String> {
    let first = suspect.and_then(|index| checks.get(index));
    for check in first.into_iter().chain(checks) {
        let _held = check.prove().map_err(|error| format!("{}: {error}", check.subject))?;
    }
    Ok(())
}

struct Forgery<'b> {
    book: &'b Book,
    run: Option<Run>,
    folder: Sealed,
}

impl Forgery<'_> {
    fn write(
        &mut self,
        replaced: Range<usize>,
        by: &[Value],
        suspect: Option<usize>,
        reach: usize,
    ) -> Result<(), (usize, String)> {
        let book = self.book;
        let start = replaced.start;
        for line in book.lines.iter().take(start) {
            self.keep(line);
        }
        self.run = book.before.get(start).cloned().flatten();
        if start >= book.transcript {
            self.folder.bundle.clone_from(&book.sealed.bundle);
        }
        for (place, record) in by.iter().enumerate() {
            let suspect = suspect.filter(|_| place == 0);
            let before = book.records.get(start).filter(|_| place == 0);
            let same = before.is_some_and(|before| before["event"] == record["event"]);
            // Whoever changes a signature keeps the change; every other record is signed anew.
            let record = if same { record.clone() } else { self.signed(record.clone()) };
            let proved = self.take(record).and_then(|checks| prove(&checks, suspect));
            proved.map_err(|fault| (start + place, fault))?;
        }
        let after = start + by.len();
        for (place, record) in book.records.iter().skip(replaced.end).take(reach).enumerate() {
            let record = self.fit(record.clone());
            let checks = self.take(record).map_err(|fault| (after + place, fault))?;
            // What sheets sign does not hang on what people said; only the head is signed anew, and
            // what people themselves sign.
            if checks.len() == 1 || !book.has_cards {
                prove(&checks, None).map_err(|fault| (after + place, fault))?;
            }
        }
        if self.folder.bundle.is_empty() && reach == usize::MAX {
            return Err((after, "S-END: more to do".to_string()));
        }
        Ok(())
    }

    fn keep(&mut self, line: &str) {
        let sealed = line.contains(r#""kind":"sealed""#) || self.folder.after.is_some();
        let book = if sealed {
            self.folder.after.get_or_insert_default()
        } else {
            &mut self.folder.transcript
        };
        book.extend(line.as_bytes());
    }

    /// Chains a record and lets replay judge its line.
    fn take(&mut self, record: Value) -> Result<Vec<Check>, String> {
        let record_is_sealed = record["event"]["kind"] == "sealed";
        let head = match &self.run {
            Some(run) if !record_is_sealed => run.head(),
            Some(_) | None => GENESIS,
        };
        let line = line(record, head);
        self.keep(&line);
        let Some(run) = self.run.take() else {
            self.run = Some(self.book.judge_first(&line)?);
            return Ok(Vec::new());
        };
        let step = judge(run, &line)?;
        if record_is_sealed {
            replay(&self.folder, &self.book.state).map_err(|refusal| refusal.to_string())?;
        }
        self.run = Some(step.run);
        if matches!(self.run.as_ref().map(Run::next), Some(Next::Seal)) {
            self.seal()?;
        }
        Ok(step.checks)
    }

    /// Seals with the rehearsal's audit key.
    fn seal(&mut self) -> Result<(), String> {
        let run = self.run.as_ref().ok_or("no run")?;
        let made = Made::of(run);
        let signature = audit_signature(run, "application/vnd.in-toto+json", made.statement());
        let answer = TokenAnswer::Signatures { signatures: vec![signature] };
        let sealed = made.seal(run, &answer).map_err(|fault| fault.to_string())?;
        prove(std::slice::from_ref(&sealed.check), None)?;
        self.folder.bundle = sealed.bundle.into_bytes();
        Ok(())
    }

    /// A record with the signatures of people that it needs: a rehearsal's people have keys that
    /// everyone can compute.
    fn signed(&self, mut record: Value) -> Value {
        let event = serde_json::from_value::<Event>(record["event"].clone());
        let run = self.run.as_ref().filter(|_| self.book.has_cards);
        let (Some(run), Ok(event)) = (run, event) else { return record };
        let signed = people::signed(run, &event);
        record.as_object_mut().unwrap().remove("signed");
        if !signed.is_empty() {
            record["signed"] = serde_json::to_value(signed).unwrap();
        }
        record
    }

    /// A record of the book made to fit what now stands before it, signed anew.
    fn fit(&self, record: Value) -> Value {
        self.signed(self.fitted(record))
    }

    fn fitted(&self, mut record: Value) -> Value {
        let Some(run) = &self.run else { return record };
        let event = &mut record["event"];
        if event["kind"] == "sealed" {
            event["bundle"] = json!(Digest::of(&self.folder.bundle).to_string());
            return derived(record, 0);
        }
        if event["kind"] == "noted" {
            event["head"] = json!(run.head().to_string());
        }
        let Some(answer) = event.get_mut("answer") else { return derived(record, run.records()) };
        if let Some(signatures) = answer.get_mut("signatures")
            && matches!(run.next(), Next::Answer(op, _) if op.name == "sign-head")
        {
            let (name, head) = (run.graph().ceremony().as_str(), run.head().to_string());
            let payload = json!({ "ceremony": name, "head": head }).to_string();
            let kind = "application/vnd.gishiki.head.v1+json";
            *signatures = json!([encode(&audit_signature(run, kind, &payload).0)]);
        }
        if let Some(values) = answer.get_mut("values")
            && matches!(run.next(), Next::Answer(op, _) if op.name == "write-head")
        {
            *values = json!([format!("{:08x}{}", run.graph().sequence(), run.head())]);
        }
        if let (Some(facts), Ok(Request::People(request))) =
            (answer.get_mut("facts"), run.clone().request())
        {
            for fact in request.facts {
                if let FactKind::Digest(digest) = &fact.kind {
                    facts[fact.name] = json!(digest.to_string());
                }
            }
        }
        derived(record, run.records())
    }
}

/// A record with the number, origin and result that follow from its place and its event.
pub(crate) fn derived(mut record: Value, number: u64) -> Value {
    record["number"] = json!(number);
    if let Ok(event) = serde_json::from_value::<Event>(record["event"].clone()) {
        record["origin"] = json!(event.origin());
        record["result"] = serde_json::to_value(event.outcome()).unwrap();
    }
    record
}

/// The line of a record behind this chain value, whatever its members are.
pub(crate) fn line(mut record: Value, head: Digest) -> String {
    let canonical = record.to_string();
    let chain = Digest::of_parts("gishiki record v1", &[&head.0, canonical.as_bytes()]);
    record["chain"] = json!(chain.to_string());
    format!("{record}\n")
}

/// The rehearsal audit key's signature on a payload, as DSSE has it.
fn audit_signature(run: &Run, kind: &str, payload: &str) -> Octets {
    let message = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let audit = run.graph().audit_key().unwrap();
    let attempts = 0..ceremony::rehearsal::ATTEMPTS;
    let key = attempts
        .map(|attempt| audit.template(run.graph(), attempt.into()).rehearsal)
        .find(|key| key.public().as_ref() == run.audit_public())
        .unwrap();
    let private = key.private_octets().unwrap();
    Octets(signature(Curve::P256, &private, &Curve::P256.digest(message.as_bytes())))
}

/// The rehearsal's signatures on the structures that are asked for now, if any are.
fn structures_signed(run: &Run) -> Option<Vec<String>> {
    let expected = run.expected_signatures().ok()?;
    let root = run.graph().key(&"g1".parse().unwrap())?;
    let derived = |public: &PublicKey| {
        (0..ceremony::rehearsal::ATTEMPTS)
            .map(|attempt| root.template(run.graph(), attempt.into()))
            .find(|template| template.rehearsal.public().as_ref() == Some(public))
    };
    let signed = expected.iter().map(|expected| {
        let (tbs, key) = (expected.structure()?, expected.key());
        let private = derived(key)?.rehearsal.private_octets().unwrap();
        Some(encode(&signature(key.curve(), &private, &key.curve().digest(tbs))))
    });
    signed.collect()
}

/// The whole judgement: replay, every signature, the verdict.
pub(super) fn verdict(sealed: &Sealed, trust: &Trust<'_>) -> Result<Verdict, String> {
    let trial = replay(sealed, &nothing()).map_err(|refusal| refusal.to_string())?;
    let proofs: Result<Vec<_>, _> = trial.checks.iter().map(Check::prove).collect();
    let proofs = proofs.map_err(|error| error.to_string())?;
    trial.conclude(proofs, trust).map_err(|refusal| refusal.to_string())
}

/// The other signature that holds wherever (r, s) does: (r, n − s).
pub(super) fn mirrored(raw: &str) -> String {
    let octets = decode(raw).unwrap();
    let (r, s) = octets.split_at(octets.len() / 2);
    let mirrored = if s.len() == 32 {
        let signature = p256::ecdsa::Signature::from_slice(&octets).unwrap();
        (-*signature.s()).to_bytes().to_vec()
    } else {
        let signature = p384::ecdsa::Signature::from_slice(&octets).unwrap();
        (-*signature.s()).to_bytes().to_vec()
    };
    encode(&[r, &mirrored].concat())
}
