//! Cases of what happens in the room: a rehearsal in this process, in which one answer or event is
//! another than the planned one.

use std::collections::BTreeMap;

use ceremony::compile::Compiled;
use ceremony::fault::Fault;
use ceremony::graph::Op;
use ceremony::hex::Digest;
use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::record::{Answer, Attempt, Event, Mode, Place};
use ceremony::rule::RuleId;
use ceremony::run::{Next, Request, Run, Step as Taken};
use ceremony::seal::Made;
use ceremony::time::Instant;
use ceremony::token::{Holder, TokenAnswer, TokenRequest};
use serde::Deserialize;
use serde_json::Value;
use token::RehearsalToken;

use super::case::Case;
use super::inputs::Texts;
use crate::people::{self, apply};

/// How a ceremony begins, where not as a rehearsal at the beginning of its window.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    mode: Option<Mode>,
    at: Option<String>,
    room: Option<Place>,
}

/// What happens at an operation, once those before have been taken. The last one is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    op: String,
    /// How often the operation is lost before.
    #[serde(default)]
    lose: u32,
    /// An event in the place of the next one. `op` and `attempt` are those at hand, unless it says
    /// others; `"$answer"` stands for what the token answers, `"$head"` for the head.
    event: Option<toml::Table>,
    /// The event comes after the operation was asked, in the place of its answer.
    #[serde(default)]
    asked: bool,
    /// The event comes in the place of the word that the head after the operation is noted.
    #[serde(default)]
    noted: bool,
    /// Whose cards sign the event, in the place of those that are asked: by person, the card.
    signed: Option<BTreeMap<Name, Name>>,
    /// When the event happens.
    at: Option<String>,
    /// The answer is the planned one.
    #[serde(default, rename = "as-planned")]
    as_planned: bool,
    /// The whole answer.
    answer: Option<toml::Table>,
    /// Fields of the answer: a value.
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    /// Fields of the answer: another field's value.
    #[serde(default)]
    copy: BTreeMap<String, String>,
}

/// A ceremony in which a case happens.
struct Rehearsal<'c> {
    case: &'c Case,
    steps: &'c [Step],
    token: RehearsalToken,
    at: Instant,
    lost: u32,
}

pub(super) fn judge(case: &Case) -> Vec<String> {
    let mode = case.body.begin.as_ref().and_then(|b| b.mode).unwrap_or(Mode::Rehearsal);
    let compiled = Texts::changed(case).compiled(mode).unwrap();
    let outcome = hold(case, compiled);
    outcome.err().map(|fault| fault.rule.to_string()).into_iter().collect()
}

fn instant(text: &str) -> Instant {
    text.parse().unwrap()
}

fn hold(case: &Case, compiled: Compiled) -> Result<(), Fault> {
    let (from, _) = compiled.graph.window();
    let begin = case.body.begin.as_ref();
    let at = begin.and_then(|b| b.at.as_deref()).map_or(from, instant);
    let place = begin.and_then(|b| b.room.clone()).unwrap_or_else(Place::rehearsal);
    let first = Run::begin(compiled, place, Default::default(), at)?;
    let token = RehearsalToken::new();
    Rehearsal { case, steps: &case.body.step, token, at, lost: 0 }.go(first.run)
}

impl<'c> Rehearsal<'c> {
    /// To the end of the postscript, or to a fault at the last step.
    fn go(mut self, mut run: Run) -> Result<(), Fault> {
        loop {
            let step = self.steps.first();
            run = match run.next() {
                Next::Ask(op, attempt) => {
                    let asked = Event::Asked(Attempt { op: op.name.clone(), attempt });
                    let op = op.clone();
                    match step.filter(|step| step.op == op.name) {
                        Some(step) if self.lost < step.lose => {
                            let run = apply(run, self.at, asked)?.run;
                            self.lost += 1;
                            let op = op.name.clone();
                            let lost =
                                Event::Lost { op, attempt, cause: "CKR_FUNCTION_FAILED".into() };
                            apply(run, self.at, lost)?.run
                        }
                        Some(step) if step.event.is_some() && !step.asked && !step.noted => {
                            self.happen(step, run, &op, attempt, None)?
                        }
                        Some(_) | None => apply(run, self.at, asked)?.run,
                    }
                }
                Next::Answer(op, attempt) | Next::Settle(op, attempt) => {
                    let op = op.clone();
                    self.answer(run, &op, attempt)?
                }
                Next::Burn(op, attempt) => {
                    let op = op.name.clone();
                    apply(run, self.at, Event::Lost { op, attempt, cause: "interrupted".into() })?
                        .run
                }
                Next::Note(op, attempt) => match step.filter(|s| s.noted && s.op == op.name) {
                    Some(step) => {
                        let op = op.clone();
                        self.happen(step, run, &op, attempt, None)?
                    }
                    None => {
                        let head = run.head();
                        let by = vec!["p13".parse().unwrap()];
                        apply(run, self.at, Event::Noted { head, by, mistaken: 0 })?.run
                    }
                },
                Next::Close(end) => apply(run, self.at, Event::Closed { end })?.run,
                Next::Seal => self.seal(run)?,
                Next::Pause | Next::Nothing | Next::Abandon => {
                    let name = &self.case.name;
                    assert!(self.steps.is_empty(), "{name}: never came to {}", self.steps[0].op);
                    return Ok(());
                }
            };
        }
    }

    /// A step was met: faults are those of the last one.
    fn met(&mut self, outcome: Result<Taken, Fault>) -> Result<Run, Fault> {
        let step = &self.steps[0];
        self.steps = &self.steps[1..];
        self.lost = 0;
        match outcome {
            Err(fault) if !self.steps.is_empty() => {
                panic!("{}: refused before its last step, at {}: {fault}", self.case.name, step.op)
            }
            Err(fault) => Err(fault),
            Ok(taken) => Ok(taken.run),
        }
    }

    fn happen(
        &mut self,
        step: &Step,
        run: Run,
        op: &Op,
        attempt: u32,
        answer: Option<Value>,
    ) -> Result<Run, Fault> {
        let mut event = serde_json::to_value(step.event.as_ref().unwrap()).unwrap();
        let fields = event.as_object_mut().unwrap();
        fields.entry("op").or_insert_with(|| op.name.clone().into());
        fields.entry("attempt").or_insert_with(|| attempt.into());
        for value in fields.values_mut().filter(|value| **value == "$head") {
            *value = run.head().to_string().into();
        }
        for value in fields.values_mut().filter(|value| **value == "$answer") {
            *value = answer.clone().unwrap();
            // What was found stands in an event without the words that say whose answer it was.
            value
                .as_object_mut()
                .unwrap()
                .retain(|name, _| !["from", "token"].contains(&name.as_str()));
        }
        let event: Event = serde_json::from_value(event).unwrap();
        self.at = step.at.as_deref().map_or(self.at, instant);
        let taken = self.signed_as_the_case_says(step, run, event);
        self.met(taken)
    }

    /// Applies an event with the signatures of the case, which must verify as well.
    fn signed_as_the_case_says(&self, step: &Step, run: Run, event: Event) -> Result<Taken, Fault> {
        let mut signed = people::signed(&run, &event);
        if let Some(cards) = &step.signed {
            let ca = run.graph().ca_name().der();
            let asked = run.to_sign(&event);
            let message = |person: &Name| {
                asked.iter().find(|one| one.person == *person).map(|one| one.message.clone())
            };
            let sign = |(person, card): (&Name, &Name)| {
                let message = message(person).unwrap_or_default();
                (person.clone(), token::sign_as(ca, card, &message).unwrap())
            };
            signed = cards.iter().map(sign).collect();
        }
        let taken = run.apply(self.at, event, signed)?;
        let broken = taken.checks.iter().find_map(|check| check.prove().err());
        broken.map_or(Ok(taken), |error| Err(signature_fault(&error.to_string())))
    }

    fn answer(&mut self, run: Run, op: &Op, attempt: u32) -> Result<Run, Fault> {
        let settling = matches!(run.next(), Next::Settle(..));
        let request = match settling {
            true => Request::Token(Holder::Root, run.inspect_request(op, attempt).unwrap()),
            false => run.clone().request().unwrap(),
        };
        let planned = match request {
            Request::People(request) => {
                Answer::People(request.as_planned(run.graph(), "rehearsal"))
            }
            Request::Token(_, request) => Answer::Token(self.perform(request)),
            Request::Copy(..) => panic!("the first ceremony makes no copy"),
        };
        let step = self.steps.first().filter(|step| step.op == op.name);
        if let Some(step) = step.filter(|step| step.event.is_some() && step.asked) {
            let json = serde_json::to_value(&planned).unwrap();
            return self.happen(step, run, op, attempt, Some(json));
        }
        let op = op.name.clone();
        if let (true, Answer::Token(TokenAnswer::Key(key))) = (settling, &planned) {
            let adopted = Event::Adopted { op, attempt, key: key.clone() };
            return apply(run, self.at, adopted).map(|step| step.run);
        }
        let Some(step) = step.filter(|step| step.event.is_none()) else {
            let answered = Event::Answered { op, attempt, answer: planned };
            return apply(run, self.at, answered).map(|step| step.run);
        };
        let answer = step.changed(&self.case.name, &planned);
        let judged = run.judge(&answer).and_then(|checks| {
            let broken = checks.iter().find_map(|check| check.prove().err());
            broken.map_or(Ok(()), |error| Err(signature_fault(&error.to_string())))
        });
        let answered = Event::Answered { op, attempt, answer };
        let taken = judged.and_then(|()| self.signed_as_the_case_says(step, run, answered));
        self.met(taken)
    }

    fn seal(&mut self, run: Run) -> Result<Run, Fault> {
        let made = Made::of(&run);
        let planned = Answer::Token(self.perform(made.request(&run).unwrap()));
        let step = self.steps.first().filter(|step| step.op == "seal");
        let answer = step.map_or(planned.clone(), |step| step.changed(&self.case.name, &planned));
        let Answer::Token(answer) = answer else { panic!("{}: people seal", self.case.name) };
        let sealed = made.seal(&run, &answer).and_then(|sealed| {
            let proved = sealed.check.prove().map(drop);
            proved.map_err(|error| signature_fault(&error.to_string()))?;
            let bundle = Digest::of(sealed.bundle.as_bytes());
            apply(run, self.at, Event::Sealed { bundle })
        });
        if step.is_some() { self.met(sealed) } else { sealed.map(|taken| taken.run) }
    }

    fn perform(&mut self, request: TokenRequest) -> TokenAnswer {
        self.token.perform(request).unwrap()
    }
}

/// The fault of a signature that does not verify, as the command line names it.
fn signature_fault(found: &str) -> Fault {
    let [asked, found] = ["a signature", found].map(Bilingual::plain);
    Fault::new(RuleId::S_SIGNATURE, asked, found)
}

impl Step {
    /// The planned answer with this step's changes.
    fn changed(&self, case: &str, planned: &Answer) -> Answer {
        let before = serde_json::to_value(planned).unwrap();
        let mut json = match &self.answer {
            Some(answer) => serde_json::to_value(answer).unwrap(),
            None => before.clone(),
        };
        for (path, from) in &self.copy {
            *field(case, &mut json, path) = field(case, &mut before.clone(), from).clone();
        }
        for (path, value) in &self.set {
            *field(case, &mut json, path) = serde_json::to_value(value).unwrap();
        }
        assert_eq!(json == before, self.as_planned, "{case}: the planned answer");
        serde_json::from_value(json).unwrap_or_else(|error| panic!("{case}: {error}"))
    }
}

/// A field by its path; the last name may be new.
fn field<'j>(case: &str, json: &'j mut Value, path: &str) -> &'j mut Value {
    path.split('.').fold(json, |value, name| match value {
        Value::Object(fields) => fields.entry(name).or_insert(Value::Null),
        Value::Array(items) => {
            let index: usize = name.parse().unwrap();
            if index == items.len() {
                items.push(Value::Null);
            }
            &mut items[index]
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("{case}: {path}: no {name} in {value}")
        }
    })
}
