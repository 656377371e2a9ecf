//! Conducts a ceremony: asks what the run asks for, of token and people, and writes down what
//! happened.
//!
//! **Invariant:** an effect begins only when its Asked, and every answer before it, is durable; no
//! head is shown before it is. Every signature is verified before it is recorded. This loop decides
//! nothing: what comes next, and whether an answer is one, is said by [`Run`].

pub(crate) mod clock;
pub(crate) mod doubt;
mod shown;

use ceremony::fault::Fault;
use ceremony::graph::{Act, Op, TokenAct};
use ceremony::key::Proof;
use ceremony::name::Name;
use ceremony::record::{Answer, Attempt, End, Event, Refuser, Resumed, WHO};
use ceremony::rule::RuleId;
use ceremony::run::{ATTEMPTS, Book, Next, Request, Run, Step, as_words};
use ceremony::seal::Made;
use ceremony::token::{Holder, TokenError};

use crate::clock::Clock;
use crate::halt::{Halt, Reached};
use crate::journal::Journal;
use crate::lang::{Lang, pick};
use crate::people::{Asked, People, Question, Reply};
use crate::proofs::prove;
use crate::report;
use crate::secrets::PinSource;
use crate::tokens::{Performed, Tokens};

/// What a ceremony is conducted with.
#[derive(Debug)]
pub(crate) struct Conduct {
    pub(crate) tokens: Tokens,
    pub(crate) people: People,
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) pin: Option<PinSource>,
    pub(crate) progress: bool,
    pub(crate) lang: Lang,
    /// Every signature that was verified here: none is verified twice.
    pub(crate) proofs: Vec<Proof>,
}

impl Conduct {
    /// Writes the line of a step, durable on both media, and goes on with its run.
    pub(crate) fn keep(&mut self, step: Step) -> Result<Run, Halt> {
        let run = self.note(step);
        self.journal.keep()?;
        Ok(run)
    }

    /// Notes the line of a step: it is durable with the next that is kept.
    fn note(&mut self, step: Step) -> Run {
        // The run says the book after the event; the line of Sealed is the first of the postscript.
        self.journal.note(step.run.book(), &step.line);
        step.run
    }

    fn take(&mut self, run: Run, event: Event) -> Result<Run, Halt> {
        let step = run.apply(self.clock.now()?, event).map_err(stopped)?;
        self.keep(step)
    }

    /// Takes a refusal, and says what it means for what follows.
    fn stop(&mut self, run: Run, refused: Event) -> Result<Run, Halt> {
        let went_on = run.stopped().is_none();
        let run = self.take(run, refused)?;
        if went_on && run.stopped().is_some() {
            self.say(pick(
                self.lang,
                "!! セレモニーは中止になった。この後の手順は、中止として締めくくり封印するためのものである。",
                "!! The ceremony has stopped. What follows only closes it as aborted, and seals it.",
            ));
        }
        Ok(run)
    }

    /// Takes an answer. It is written together with the question after it, unless a head is shown
    /// before that, or nothing is asked any more. Only an answer that proves itself waits for the
    /// question of an effect: what stands on one medium only then tells whether it was cut
    /// ([`crate::journal::recover`]).
    fn take_answer(&mut self, run: Run, answer: Event, is_proved: bool) -> Result<Run, Halt> {
        let step = run.apply(self.clock.now()?, answer).map_err(stopped)?;
        match step.run.next() {
            Next::Ask(op, _) if is_proved || !op.act.has_effect() => Ok(self.note(step)),
            Next::Ask(..)
            | Next::Answer(..)
            | Next::Burn(..)
            | Next::Settle(..)
            | Next::Note(..)
            | Next::Close(_)
            | Next::Seal
            | Next::Nothing
            | Next::Abandon => self.keep(step),
        }
    }

    /// Goes on with a run that was read from two journals, sealed already by this bundle or not.
    pub(crate) fn resume(
        &mut self,
        run: Run,
        seal: Option<&[u8]>,
        resumed: Resumed,
    ) -> Result<Run, Halt> {
        match (run.next(), seal) {
            (Next::Nothing, _) => Ok(run),
            (Next::Seal, Some(bundle)) => self.begin_postscript(run, bundle),
            _ => self.take(run, Event::Resumed(resumed)),
        }
    }

    /// Goes on until the postscript is complete, or something stops it.
    pub(crate) fn go(&mut self, mut run: Run) -> Result<Run, Halt> {
        loop {
            run = match run.next() {
                Next::Ask(op, attempt) => {
                    let asked = Attempt { op: op.name.clone(), attempt };
                    self.show(&run, op);
                    self.ask(run, asked)?
                }
                Next::Answer(..) => self.answer(run)?,
                Next::Burn(op, attempt) => {
                    let event =
                        Event::Lost { op: op.name.clone(), attempt, cause: "interrupted".into() };
                    self.take(run, event)?
                }
                Next::Settle(op, attempt) => {
                    let op = op.clone();
                    self.settle(run, &op, attempt, None)?
                }
                Next::Note(..) => self.note_what_is_due(run)?,
                Next::Close(end) => self.take(run, Event::Closed { end })?,
                Next::Seal => self.seal(run)?,
                Next::Nothing => return Ok(run),
                Next::Abandon => return Err(held(&run, Halt::People(why(&run, self.lang)))),
            };
        }
    }

    /// Asks, or stops because it is too late for this operation.
    fn ask(&mut self, run: Run, asked: Attempt) -> Result<Run, Halt> {
        let (_, until) = run.graph().window();
        let (late, exhausted) = (self.clock.now()? > until, run.is_exhausted(&asked));
        let refused = match (late && run.book() == Book::Transcript, exhausted) {
            _ if run.stopped().is_some() => None,
            (true, _) => Some((RuleId::S_WINDOW, format!("after {until}"))),
            (false, true) => Some((RuleId::S_ATTEMPTS, format!("after {ATTEMPTS} attempts"))),
            (false, false) => None,
        };
        let Some((rule, reason)) = refused else { return self.take(run, Event::Asked(asked)) };
        let Attempt { op, attempt } = asked;
        let asked = format!("{op} within the window, in at most {ATTEMPTS} attempts");
        tell(&Fault::new(rule, asked, &reason));
        let by = Vec::new();
        self.stop(run, Event::Refused { op, attempt, rule: Refuser::Rule(rule), reason, by })
    }

    fn answer(&mut self, mut run: Run) -> Result<Run, Halt> {
        let Next::Answer(op, attempt) = run.next() else { return Ok(run) };
        let op = op.clone();
        match run.request().map_err(Halt::Bug)? {
            Request::People(request) => self.answer_of_people(run, &op, attempt, &request),
            Request::Token(holder, request) => {
                let asked = Some((&holder, &request));
                self.tokens.hold_pins(self.pin.as_mut(), &op, asked, self.lang)?;
                let performed = self.tokens.perform(&run, &holder, request)?;
                self.answer_of_token(run, &op, attempt, performed)
            }
            Request::Copy(request, remains) => {
                self.tokens.hold_pins(self.pin.as_mut(), &op, None, self.lang)?;
                let answer = self.tokens.copy(&op, request, remains)?;
                self.answer_of_token(run, &op, attempt, (answer, Vec::new()))
            }
        }
    }

    fn answer_of_people(
        &mut self,
        mut run: Run,
        op: &Op,
        attempt: u32,
        request: &ceremony::run::PeopleRequest,
    ) -> Result<Run, Halt> {
        let mut said = Vec::new();
        let mut asked = Asked::First;
        loop {
            let graph = run.graph();
            let reply = self.people.ask(&Question { graph, request, asked, said: &said })?;
            let answer = match reply {
                Reply::Said(said) => Answer::People(said),
                Reply::Mistaken { question, said: until } => {
                    said = until;
                    asked = Asked::Mistaken;
                    run = self.mistaken(run, op, attempt, question)?;
                    continue;
                }
                Reply::Refused { by, reason } => {
                    return self.people_refuse(run, op, attempt, by, reason);
                }
                Reply::Deviation { by, reason } => {
                    said = Vec::new();
                    asked = Asked::Again;
                    run = self.take(run, Event::Deviation { op: op.name.clone(), reason, by })?;
                    continue;
                }
            };
            match run.judge(&answer) {
                Ok(_) => {
                    let answered = Event::Answered { op: op.name.clone(), attempt, answer };
                    let run = self.take_answer(run, answered, false)?;
                    self.tokens.stand_in(&run, op);
                    self.clock.after_people();
                    return Ok(run);
                }
                Err(fault) if self.people.can_answer_again() => {
                    tell(&fault);
                    let Answer::People(answered) = answer else { continue };
                    said = answered.facts.into_iter().collect();
                    asked = Asked::Mistaken;
                    run = self.mistaken(run, op, attempt, WHO)?;
                }
                Err(fault) => return Err(interrupted(fault.rule, &fault.asked, &fault.found)),
            }
        }
    }

    /// Waits for a head that is due, if one is.
    fn note_what_is_due(&mut self, run: Run) -> Result<Run, Halt> {
        let Next::Note(op, attempt) = run.next() else { return Ok(run) };
        let op = op.clone();
        self.note_head(run, &op, attempt)
    }

    /// Waits until somebody says that the head is on paper.
    fn note_head(&mut self, mut run: Run, op: &Op, attempt: u32) -> Result<Run, Halt> {
        let mut mistaken = 0_u32;
        self.show_head(&run);
        loop {
            let head = run.head();
            match self.people.note(run.graph(), op, head)? {
                Reply::Said(said) => {
                    return self.take(run, Event::Noted { head, by: said.by, mistaken });
                }
                // What stands on paper by now stays the head: a record would make it another.
                Reply::Mistaken { .. } => mistaken = mistaken.saturating_add(1),
                Reply::Refused { by, reason } => {
                    return self.people_refuse(run, op, attempt, by, reason);
                }
                Reply::Deviation { by, reason } => {
                    run = self.take(run, Event::Deviation { op: op.name.clone(), reason, by })?;
                    self.say(pick(
                        self.lang,
                        "!! 今の申し出で値が変わった。書き留めた値を線で消し、次の値を書く。",
                        "!! What was said makes it another head. Strike out the one that was noted, and note this one.",
                    ));
                    self.show_head(&run);
                }
            }
        }
    }

    /// What the machine refused from people is on record, without what was typed.
    fn mistaken(&mut self, run: Run, op: &Op, attempt: u32, question: &str) -> Result<Run, Halt> {
        let (op, question) = (op.name.clone(), question.to_string());
        self.take(run, Event::Mistaken { op, attempt, question })
    }

    fn people_refuse(
        &mut self,
        run: Run,
        op: &Op,
        attempt: u32,
        by: Vec<Name>,
        reason: String,
    ) -> Result<Run, Halt> {
        let rule = Refuser::People;
        self.stop(run, Event::Refused { op: op.name.clone(), attempt, rule, reason, by })
    }

    fn answer_of_token(
        &mut self,
        run: Run,
        op: &Op,
        attempt: u32,
        (answer, mut proofs): Performed,
    ) -> Result<Run, Halt> {
        let answer = match answer {
            Ok(answer) => Answer::Token(answer),
            Err(error) => return self.failed(run, op, attempt, &error),
        };
        let judged = run.judge(&answer).and_then(|checks| {
            let rest: Vec<_> =
                checks.into_iter().filter(|check| !check.is_among(&proofs)).collect();
            prove(&rest).map_err(|(subject, error)| {
                Fault::new(
                    RuleId::S_SIGNATURE,
                    format!("a signature on {subject}"),
                    error.to_string(),
                )
            })
        });
        let judged = judged.map(|rest| {
            proofs.extend(rest);
            proofs
        });
        match judged {
            Ok(proofs) => {
                let seen = shown::seen(&answer, self.lang);
                let answered = Event::Answered { op: op.name.clone(), attempt, answer };
                let mut run = self.take_answer(run, answered, !proofs.is_empty())?;
                run.settle(&proofs);
                self.proofs.extend(proofs);
                if let Some(seen) = seen {
                    self.say(&format!("          ✓ {seen}"));
                }
                Ok(run)
            }
            Err(fault) => self.refuse(run, op, attempt, &fault),
        }
    }

    /// The token said that it failed: nobody knows what it did. Nothing is asked of it once more
    /// but by people.
    fn failed(&mut self, run: Run, op: &Op, attempt: u32, error: &TokenError) -> Result<Run, Halt> {
        let cause = as_words(&error.to_string());
        let fault =
            Fault::new(RuleId::S_TOKEN, format!("{} (`{}`)", op.act.kind(), op.name), &cause);
        if matches!(op.act, Act::Token(TokenAct::Generate { .. })) {
            tell(&fault);
            let run = self.settle(run, op, attempt, Some(&cause))?;
            let run = self.note_what_is_due(run)?;
            return self.once_more(run, op, fault);
        }
        let run =
            self.take(run, Event::Lost { op: op.name.clone(), attempt, cause: cause.clone() })?;
        let locked = error.code.ends_with("PIN_LOCKED");
        let asked_again =
            matches!(op.act, Act::Token(TokenAct::Login { .. })) && self.people.can_answer_again();
        // A stopped ceremony is sealed without its head on the token, if that cannot be written.
        let headless = op.act == Act::Token(TokenAct::WriteHead) && run.stopped().is_some();
        if (asked_again && !locked) || headless {
            tell(&fault);
            return Ok(run);
        }
        Err(Halt::Token(fault))
    }

    /// A rule refuses the token's answer: the ceremony stops, and is closed as aborted if it can be
    /// sealed.
    fn refuse(&mut self, run: Run, op: &Op, attempt: u32, fault: &Fault) -> Result<Run, Halt> {
        tell(fault);
        if let Some((ja, en)) = report::advice(fault) {
            report::tell(&format!("  ☞ {}", pick(self.lang, ja, en)));
        }
        let reason = as_words(&format!("asked {}; found {}", fault.asked, fault.found));
        let event = Event::Refused {
            op: op.name.clone(),
            attempt,
            rule: Refuser::Rule(fault.rule),
            reason,
            by: Vec::new(),
        };
        let run = self.stop(run, event)?;
        let run = self.note_what_is_due(run)?;
        if run.next() == Next::Abandon {
            return Err(held(&run, Halt::Token(fault.clone())));
        }
        Ok(run)
    }

    fn seal(&mut self, run: Run) -> Result<Run, Halt> {
        if let Some(op) = run.graph().ops().iter().find(|op| op.act == Act::Seal) {
            self.show(&run, op);
        }
        let made = Made::of(&run);
        let request = made.request(&run).map_err(Halt::Bug)?;
        if let Some(op) = run.graph().ops().iter().find(|op| op.act == Act::Seal) {
            let asked = Some((&Holder::Root, &request));
            self.tokens.hold_pins(self.pin.as_mut(), op, asked, self.lang)?;
        }
        let answer = self.tokens.ask_root(request).map_err(|error| {
            Halt::Token(Fault::new(RuleId::S_TOKEN, "the seal", error.to_string()))
        })?;
        let sealed = made.seal(&run, &answer).map_err(Halt::Token)?;
        let proofs = prove(std::slice::from_ref(&sealed.check)).map_err(|(_, error)| {
            Halt::Token(Fault::new(RuleId::S_SEAL, "a seal that verifies", error.to_string()))
        })?;
        self.proofs.extend(proofs);
        self.journal.write_bundle(&sealed.bundle)?;
        self.begin_postscript(run, sealed.bundle.as_bytes())
    }

    /// The record that names the seal and begins the postscript.
    pub(crate) fn begin_postscript(&mut self, run: Run, bundle: &[u8]) -> Result<Run, Halt> {
        let bundle = ceremony::hex::Digest::of(bundle);
        self.take(run, Event::Sealed { bundle })
    }

    /// A line of progress, for whoever waits.
    pub(crate) fn say(&self, line: &str) {
        if self.progress {
            report::tell(line);
        }
    }
}

/// Says what is not as it was asked; the ceremony goes on.
fn tell(fault: &Fault) {
    report::tell(&format!("✗ {}", report::plain(&fault.to_string())));
}

/// How an ended ceremony leaves the command.
pub(crate) fn ending(run: &Run, lang: Lang) -> Result<(), Halt> {
    match run.closed() {
        Some(End::Completed) => Ok(()),
        Some(End::Aborted) | None => {
            let sealed = pick(lang, "中止として封印した。", "closed as aborted, and sealed.");
            Err(Halt::People(format!("{sealed} {}", why(run, lang))))
        }
    }
}

/// A ceremony stopped in a session that cannot seal it.
fn held(run: &Run, halt: Halt) -> Halt {
    halt.held(if run.is_sealable() { Reached::Stopped } else { Reached::Unsealable })
}

fn why(run: &Run, lang: Lang) -> String {
    let Some(stop) = run.stopped() else { return String::new() };
    let by = match stop.rule {
        Refuser::People => pick(lang, "立会者", "people"),
        Refuser::Rule(rule) => rule.as_str(),
    };
    format!("{by}: {}", stop.reason)
}

fn interrupted(rule: RuleId, asked: &str, found: &str) -> Halt {
    Halt::Interrupted(Fault::new(rule, asked, found))
}

/// A rule of the run refuses an event that is not the token's: the clock, people, or what they have
/// put into the room. Whatever else it refuses, we should not have asked.
fn stopped(fault: Fault) -> Halt {
    match fault.rule {
        RuleId::S_TIME_BACK | RuleId::S_WINDOW | RuleId::S_WORDS | RuleId::R_AUTHN => {
            Halt::Interrupted(fault)
        }
        RuleId::S_TOKEN_SERIAL
        | RuleId::S_SPARE
        | RuleId::S_DRILL
        | RuleId::S_MODE
        | RuleId::R_MULTI => Halt::Media(fault),
        _ => Halt::Bug(fault),
    }
}
