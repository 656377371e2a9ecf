//! The independent checker of the invariants.
//!
//! It uses nothing of `Run`: it reads lines of JSON, the token's own list of what it did, and what
//! people said.
//!
//! The numbers in the sentences are those of the invariants in `docs/ARCHITECTURE.md` ("Search by
//! machine").

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ceremony::hex::{Octets, encode};
use ceremony::run::Expected;
use ceremony::time::Instant;
use ceremony::token::Holder;
use serde_json::Value;
use x509_parser::prelude::FromDer as _;

use super::media::JOURNAL;
use super::room::{Told, answered};
use super::world::contents;

/// What a token is about to do.
#[derive(Debug)]
pub(super) enum Effect {
    None,
    Make(Octets),
    /// To sign these digests, with a key of which the token holds this many objects.
    Sign(Vec<Vec<u8>>, (usize, usize)),
    Destroy(Octets),
    Copy(Octets),
    Other,
}

/// A situation in which this product once failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Met {
    /// A key generation that failed is asked again.
    AskedAgain,
    /// What people said is on one medium only, and the ceremony goes on with both.
    LoneWords,
    /// An object without a CKA_ID was left on a token.
    Nameless,
    /// The clock does not agree with the last record, or with the plan.
    WrongClock,
}

/// What was seen of a ceremony, and what was found wrong.
#[derive(Debug, Default)]
pub(super) struct Checker {
    /// The violations found, each with the invariant that it breaks.
    pub(super) found: Vec<String>,
    /// Every signature that a token gave out, with the operation that was asked on both media then.
    signatures: Vec<Given>,
    /// The digest that each number was signed with: by key and kind, then number.
    numbers: BTreeMap<(String, String), Vec<u8>>,
    asked_now: Option<(String, u64)>,
    /// The octets that were on both media, and may never change.
    durable: Vec<u8>,
    /// Whether somebody has changed a medium since, so that both must be read again.
    is_changed: bool,
    /// What stood on one medium only before this session.
    lone: Vec<String>,
    /// Whether people consented to go on with one medium.
    is_alone: bool,
    pub(super) objects: Vec<Object>,
    /// Every time that the clock has shown since the records were looked at.
    clock: BTreeSet<String>,
    /// The same since the last write, if nothing was written since.
    shown: BTreeSet<String>,
    is_written: bool,
    /// What ever stood on one medium only.
    copied: BTreeSet<Vec<u8>>,
    /// How often people had said something when a key was made last, by its operation.
    made: BTreeMap<String, u32>,
    pub(super) words: u32,
    /// How often each situation occurred in which an old bug failed.
    pub(super) met: BTreeMap<Met, u32>,
}

/// A key that is to be on a token, or not to be there any more, once this operation is answered.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) holder: Holder,
    pub(super) id: Octets,
    pub(super) op: String,
    pub(super) attempt: u64,
    pub(super) is_there: bool,
}

#[derive(Debug)]
struct Given {
    op: String,
    attempt: u64,
    digest: Vec<u8>,
    signature: String,
}

/// The fields of a record that are checked here.
pub(super) struct Line {
    value: Value,
}

impl Line {
    pub(super) fn text(&self, name: &str) -> &str {
        self.value["event"][name].as_str().unwrap_or_default()
    }

    pub(super) fn kind(&self) -> &str {
        self.text("kind")
    }

    pub(super) fn attempt(&self) -> u64 {
        self.value["event"]["attempt"].as_u64().unwrap_or_default()
    }

    fn by(&self) -> String {
        let by = self.value["event"]["by"].as_array();
        let by = by.into_iter().flatten().filter_map(Value::as_str);
        by.collect::<Vec<_>>().join(" ")
    }

    fn answer(&self) -> &Value {
        &self.value["event"]["answer"]
    }

    fn is_of_people(&self) -> bool {
        self.answer()["from"] == "people"
    }

    fn signatures(&self) -> impl Iterator<Item = &str> {
        self.answer()["signatures"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }
}

/// Returns the complete records in these octets.
pub(super) fn lines(octets: &[u8]) -> Vec<Line> {
    let whole =
        octets.split_inclusive(|octet| *octet == b'\n').filter(|line| line.ends_with(b"\n"));
    whole.filter_map(|line| serde_json::from_slice(line).ok()).map(|value| Line { value }).collect()
}

fn journal(folder: &Path) -> Vec<u8> {
    fs::read(folder.join(JOURNAL)).unwrap_or_default()
}

/// Returns the complete lines with which both begin.
fn common(a: &[u8], b: &[u8]) -> Vec<u8> {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let end = a[..same].iter().rposition(|octet| *octet == b'\n').map_or(0, |last| last + 1);
    a[..end].to_vec()
}

impl Checker {
    pub(super) fn wrong(&mut self, invariant: u32, what: impl Into<String>) {
        self.found.push(format!("invariant {invariant}: {}", what.into()));
    }

    pub(super) fn meet(&mut self, what: Met) {
        *self.met.entry(what).or_default() += 1;
    }

    pub(super) fn clock_showed(&mut self, at: Instant) {
        if std::mem::take(&mut self.is_written) {
            self.shown.clear();
        }
        self.shown.insert(at.to_string());
        self.clock.insert(at.to_string());
    }

    /// Records are written: each has a time that the clock has shown since the ones before.
    pub(super) fn written(&mut self, octets: &[u8]) {
        self.is_written = true;
        let all = octets.split_inclusive(|octet| *octet == b'\n');
        for raw in all.filter(|raw| !self.copied.contains(*raw)).collect::<Vec<_>>() {
            let Some(line) = lines(raw).pop() else { continue };
            let at = line.value["at"].as_str().unwrap_or_default().to_string();
            if !self.shown.contains(&at) {
                self.wrong(3, format!("{} is given the time {at}", line.kind()));
            }
        }
    }

    /// A medium has lost what stood on both.
    pub(super) const fn changed(&mut self) {
        self.is_changed = true;
    }

    /// A token is about to do something: what it is asked stands on both media, in this session the
    /// papers were read and somebody logged in, and people know of every attempt to make a key.
    pub(super) fn before_effect(&mut self, media: &[PathBuf; 2], holder: &Holder, effect: &Effect) {
        if matches!(effect, Effect::None) {
            return;
        }
        let [a, b] = media.each_ref().map(|folder| journal(folder));
        if a != b {
            self.wrong(3, "an effect while the two media differ");
        }
        let text = String::from_utf8_lossy(&a);
        let last = text.lines().next_back().unwrap_or_default();
        let Some(last) = lines(format!("{last}\n").as_bytes()).pop() else {
            return self.wrong(8, "an effect before a record");
        };
        let begun = text.rfind("\"kind\":\"resumed\"").unwrap_or(0);
        for op in ["papers", "activate", "login"] {
            if !text[begun..].contains(&format!("\"kind\":\"answered\",\"op\":\"{op}\"")) {
                self.wrong(8, format!("an effect in a session without {op}"));
            }
        }
        let (kind, op, attempt) = (last.kind(), last.text("op").to_string(), last.attempt());
        self.asked_now = Some((op.clone(), attempt));
        self.note_object(holder, effect, (&op, attempt));
        match effect {
            Effect::Make(_) => {
                if kind != "asked" {
                    self.wrong(1, format!("a key is made after {kind}"));
                }
                if self.made.insert(op.clone(), self.words) == Some(self.words) {
                    self.wrong(8, format!("{op} is asked once more, and nobody was told"));
                }
                if attempt > 0 {
                    self.meet(Met::AskedAgain);
                }
            }
            Effect::Sign(digests, objects) if kind == "asked" => {
                if *objects != (1, 1) {
                    self.wrong(5, format!("{op} by a key of {objects:?} objects"));
                }
                let again = |given: &Given| given.op == op && given.attempt == attempt;
                if self.signatures.iter().any(again) {
                    self.wrong(2, format!("{op} is signed twice at attempt {attempt}"));
                }
                if self.signatures.iter().any(|given| digests.contains(&given.digest)) {
                    self.wrong(2, format!("{op}: octets that were signed before"));
                }
            }
            // The seal.
            Effect::Sign(..) if kind == "closed" => self.asked_now = None,
            Effect::Sign(..) => self.wrong(1, format!("a signature after {kind}")),
            Effect::Destroy(_) if ["asked", "deviation"].contains(&kind) => {}
            Effect::Destroy(_) => self.wrong(7, format!("something is destroyed after {kind}")),
            Effect::Copy(_) | Effect::Other | Effect::None => {}
        }
    }

    fn note_object(&mut self, holder: &Holder, effect: &Effect, (op, attempt): (&str, u64)) {
        let (Effect::Make(id) | Effect::Copy(id) | Effect::Destroy(id)) = effect else { return };
        let is_there = !matches!(effect, Effect::Destroy(_));
        let (holder, id, op) = (holder.clone(), id.clone(), op.to_string());
        self.objects.push(Object { holder, id, op, attempt, is_there });
    }

    /// The octets that a token is about to sign: no number stands in two of them.
    pub(super) fn about_to_sign(&mut self, expected: &[Expected]) {
        for expected in expected {
            let Some(tbs) = expected.structure() else { continue };
            let Some(number) = number(tbs) else {
                self.wrong(2, "a structure whose number cannot be read");
                continue;
            };
            let place = (encode(expected.key().point()), number);
            match self.numbers.get(&place) {
                Some(before) if before.as_slice() != tbs => {
                    self.wrong(2, format!("{} stands in two structures", place.1));
                }
                Some(_) | None => {
                    self.numbers.insert(place, tbs.to_vec());
                }
            }
        }
    }

    /// A token has signed.
    pub(super) fn signed(&mut self, digests: &[Vec<u8>], signatures: &[Octets]) {
        let Some((op, attempt)) = self.asked_now.clone() else { return };
        let given = digests.iter().zip(signatures).map(|(digest, signature)| Given {
            op: op.clone(),
            attempt,
            digest: digest.clone(),
            signature: encode(&signature.0),
        });
        self.signatures.extend(given);
    }

    /// Before a session: what stands on one medium only. With `consent` it goes on with one alone.
    pub(super) fn before_session(&mut self, media: &[PathBuf; 2], consent: bool) {
        let [a, b] = media.each_ref().map(|folder| journal(folder));
        let both = common(&a, &b);
        let rest = |octets: &[u8]| {
            let rest = octets[both.len()..].split_inclusive(|octet| *octet == b'\n');
            let rest = rest.filter(|line| line.ends_with(b"\n"));
            rest.map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>()
        };
        self.lone = [rest(&a), rest(&b)].concat();
        self.copied.extend(self.lone.iter().map(|line| line.as_bytes().to_vec()));
        let after = media.iter().map(|folder| fs::read(folder.join("after.jsonl")));
        for octets in after.flatten() {
            let records = octets.split_inclusive(|octet| *octet == b'\n');
            self.copied.extend(records.map(<[u8]>::to_vec));
        }
        self.is_alone = consent || media.iter().any(|folder| !folder.join(JOURNAL).exists());
        let of_people = |line: &String| {
            line.contains("\"from\":\"people\"") || line.contains("\"kind\":\"noted\"")
        };
        if !self.is_alone && self.lone.iter().any(of_people) {
            self.meet(Met::LoneWords);
        }
    }

    /// After a session, however it ended.
    pub(super) fn after_session(&mut self, media: &[PathBuf; 2], told: &Told) {
        if !media.iter().all(|folder| folder.join(JOURNAL).exists()) {
            return;
        }
        let [a, b] = media.each_ref().map(|folder| journal(folder));
        let both = common(&a, &b);
        if !both.starts_with(&self.durable) {
            // What is gone from one medium is dropped from both: one write at most.
            let kept = common(&both, &self.durable).len();
            let gone = lines(&self.durable[kept..]).len();
            match (self.is_changed, a == b) {
                (true, false) => return,
                (true, true) if gone <= 2 => {}
                (_, _) => {
                    self.wrong(3, format!("{gone} records that stood on both media are gone"))
                }
            }
        }
        self.is_changed &= a != b;
        let known = common(&both, &self.durable).len();
        self.judge_new(&both[known..], told);
        self.durable = both;
        self.clock.clear();
    }

    /// What stands on both media since this session.
    fn judge_new(&mut self, more: &[u8], told: &Told) {
        let new = lines(more);
        for (raw, line) in more.split_inclusive(|octet| *octet == b'\n').zip(&new) {
            let at = line.value["at"].as_str().unwrap_or_default();
            let lone = self.lone.iter().any(|lone| lone.as_bytes() == raw);
            if lone && !self.is_alone && (line.is_of_people() || line.kind() == "noted") {
                self.wrong(
                    8,
                    format!("believed of one medium: {} {}", line.kind(), line.text("op")),
                );
            }
            // A record that was copied from one medium is of an earlier session.
            let shown = self.clock.contains(at) || self.copied.contains(raw);
            if !shown {
                self.wrong(3, format!("{} at {at}, which no clock has shown", line.kind()));
            }
            self.judge_words(line, told);
        }
    }

    /// How many words are in this journal that nobody said.
    pub(super) fn invented(&self, folder: &Path, told: &Told) -> usize {
        let mut checker = Self::default();
        lines(&journal(folder)).iter().for_each(|line| checker.judge_words(line, told));
        checker.found.len()
    }

    /// What people are recorded to have said, they have said.
    fn judge_words(&mut self, line: &Line, told: &Told) {
        let (op, by) = (line.text("op"), line.by());
        let said = match line.kind() {
            "answered" if line.is_of_people() => {
                let by = line.answer()["by"].as_array().into_iter().flatten();
                let by = by.filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
                let facts = serde_json::from_value(line.answer()["facts"].clone());
                answered(op, &by, &facts.unwrap_or_default())
            }
            "noted" => format!("noted {} by {by}", line.text("head")),
            "refused" if !by.is_empty() => format!("refused {op} by {by}"),
            "orphan-removed" => format!("consent by {by}"),
            "paused" => format!("break at {op} by {by}"),
            "card-failed" => format!("{} failed by {by}", line.text("person")),
            "deviation" => {
                let either = [format!("deviation {op} by {by}"), format!("consent by {by}")];
                either.into_iter().find(|said| told.said.contains(said)).unwrap_or_default()
            }
            _ => return,
        };
        if !told.said.contains(&said) {
            self.wrong(8, format!("{} that nobody said: {op} {said}", line.kind()));
        }
    }

    /// Everything that was recorded: on the media, what was put aside there included.
    pub(super) fn judge_signatures(&mut self, media: &[PathBuf; 2], is_over: bool) {
        let held = media.iter().flat_map(|folder| contents(folder));
        let journals = held.filter(|(name, _)| name.ends_with(JOURNAL));
        let records: Vec<Line> = journals.flat_map(|(_, octets)| lines(&octets)).collect();
        let mut wrong = Vec::new();
        for given in &self.signatures {
            let of_it = |line: &&Line| line.text("op") == given.op;
            let of_attempt = |line: &&Line| of_it(line) && line.attempt() == given.attempt;
            let mut answers = records.iter().filter(of_attempt);
            let written = answers.any(|line| line.signatures().any(|s| s == given.signature));
            let ended = records
                .iter()
                .filter(of_attempt)
                .any(|line| ["lost", "refused"].contains(&line.kind()));
            // In doubt until the next session burns it; in what is given up, for good.
            let asked = records.iter().filter(of_attempt).any(|line| line.kind() == "asked");
            if !(written || ended || asked && !is_over) {
                wrong.push(format!("a signature of {} at attempt {}", given.op, given.attempt));
            }
        }
        wrong.dedup();
        wrong
            .into_iter()
            .for_each(|what| self.wrong(1, format!("neither written nor burned: {what}")));
    }

    /// The signatures that a token has given out.
    pub(super) fn was_signed(&self, signature: &str) -> bool {
        self.signatures.iter().any(|given| given.signature == signature)
    }
}

/// The number of a certificate or CRL that is to be signed, with its kind.
fn number(tbs: &[u8]) -> Option<String> {
    if let Ok((_, crl)) = x509_parser::revocation_list::TbsCertList::from_der(tbs) {
        let mut extensions = crl.extensions().iter();
        return extensions.find_map(|extension| match extension.parsed_extension() {
            x509_parser::extensions::ParsedExtension::CRLNumber(number) => {
                Some(format!("cRLNumber {number}"))
            }
            _ => None,
        });
    }
    let (_, certificate) = x509_parser::certificate::TbsCertificate::from_der(tbs).ok()?;
    Some(format!("serialNumber {}", certificate.raw_serial_as_string()))
}
