//! Conducts a ceremony: asks the token and the people for what the run requests, and records the
//! answers.
//!
//! **Invariant:** an operation with an effect begins only when its Asked record, and every answer
//! before it, are durable. A head is shown only when it is durable. Every signature is verified
//! before it is recorded. This loop makes no decision of its own: [`Run`] determines what comes
//! next, and judges every answer.

pub(crate) mod clock;
pub(crate) mod doubt;
mod end;
mod shown;
mod signed;

use ceremony::fault::Fault;
use ceremony::graph::{Act, Op, TokenAct};
use ceremony::key::Proof;
use ceremony::language::Language;
use ceremony::name::Name;
use ceremony::record::{Answer, Attempt, Event, Refuser, Resumed, Signatures, WHO};
use ceremony::rule::RuleId;
use ceremony::run::{ATTEMPTS, Book, Fact, Next, Request, Run, Step, as_words};
use ceremony::says;
use ceremony::script;
use ceremony::seal::Made;
use ceremony::token::{Holder, TokenError};

use crate::cards::Cards;
use crate::clock::Clock;
use crate::halt::Halt;
use crate::journal::Journal;
use crate::lang::{Lang, pick};
use crate::live::BootLog;
use crate::people::{Asked, People, Question, Reply};
use crate::proofs::prove;
use crate::report;
use crate::secrets::PinSource;
use crate::tokens::{Performed, Tokens, failed};
use end::{held, interrupted, stopped, tell, why};
use signed::{Applied, not_signed};

pub(crate) use end::ending;

/// The devices, people and media with which a ceremony is conducted.
#[derive(Debug)]
pub(crate) struct Conduct {
    pub(crate) tokens: Tokens,
    pub(crate) cards: Cards,
    pub(crate) people: People,
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) pin: Option<PinSource>,
    pub(crate) progress: bool,
    pub(crate) lang: Lang,
    /// Proofs of the signatures that were verified in this process, so that none is verified twice.
    pub(crate) proofs: Vec<Proof>,
    /// The operation whose head was being noted when the session before this one ended.
    pub(crate) unnoted: Option<String>,
}

impl Conduct {
    /// Writes the line of a step so that it is durable on both media, and returns the step's run.
    pub(crate) fn keep(&mut self, step: Step) -> Result<Run, Halt> {
        let run = self.note(step);
        self.journal.keep()?;
        Ok(run)
    }

    /// Notes the line of a step; it becomes durable with the next step that is kept.
    fn note(&mut self, step: Step) -> Run {
        // `book()` is read after the event, because the line of Sealed is the first of the
        // postscript.
        self.journal.note(step.run.book(), &step.line);
        step.run
    }

    fn take(&mut self, run: Run, event: Event) -> Result<Run, Halt> {
        if matches!(event, Event::Mistaken { .. }) && self.journal.is_half_full()? {
            let asked = says!("読める答え", "an answer that can be taken");
            let found = says!(
                "記録の上限の半分に達した、誤った答え。押されたままのキーがないか確かめる",
                "wrong answers that fill half of the journal's bound; see whether a key is held down"
            );
            return Err(interrupted(RuleId::S_TERMINAL, asked, found));
        }
        match self.applied(run, event)? {
            Applied::Taken(step) => self.keep(*step),
            Applied::Unsigned(_) => Err(not_signed()),
        }
    }

    /// Records a refusal, and tells people if it stops the ceremony.
    fn stop(&mut self, run: Run, refused: Event) -> Result<Run, Halt> {
        let went_on = run.stopped().is_none();
        let by_people = matches!(refused, Event::Refused { rule: Refuser::People, .. });
        let run = match self.applied(run, refused)? {
            Applied::Taken(step) => self.keep(*step)?,
            // Whoever refused will not sign it: nothing is recorded, and the question stands.
            Applied::Unsigned(run) => return Ok(*run),
        };
        match run.stopped() {
            Some(_) if went_on => self.say(end::stopping(&run, self.lang)),
            None if by_people => self.say(pick(
                self.lang,
                "!! 「いいえ」を記録しました。封印後なので続けます。",
                "!! The no is recorded. It comes after the seal, so the ceremony goes on.",
            )),
            Some(_) | None => {}
        }
        Ok(run)
    }

    /// Records an answer.
    ///
    /// The answer is written together with the question after it, unless a head is shown before
    /// that question, or no question follows. If the question has an effect, only an answer with
    /// verified signatures (`is_proved`) is written together with it: recovery can then judge
    /// records that are on one medium only ([`crate::journal::recover`]).
    fn take_answer(&mut self, step: Step, is_proved: bool) -> Result<Run, Halt> {
        match step.run.next() {
            Next::Ask(op, _) if is_proved || !op.act.has_effect() => Ok(self.note(step)),
            Next::Ask(..)
            | Next::Answer(..)
            | Next::Burn(..)
            | Next::Settle(..)
            | Next::Note(..)
            | Next::Pause
            | Next::Close(_)
            | Next::Seal
            | Next::Nothing
            | Next::Abandon => self.keep(step),
        }
    }

    /// Goes on with a run that was recovered from two journals; `seal` is its bundle, if it was
    /// sealed.
    pub(crate) fn resume(
        &mut self,
        run: Run,
        seal: Option<&[u8]>,
        resumed: Resumed,
    ) -> Result<Run, Halt> {
        match (run.next(), seal) {
            (Next::Nothing, _) => Ok(run),
            (Next::Seal, Some(bundle)) => self.begin_postscript(run, bundle),
            _ => {
                self.unnoted = run.due().map(|op| op.name.clone());
                let run = self.take(run, Event::Resumed(resumed))?;
                BootLog::here().recorded()?;
                Ok(run)
            }
        }
    }

    /// Performs operations until the postscript is complete, or something stops the ceremony.
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
                    let op = op.clone();
                    let event =
                        Event::Lost { op: op.name.clone(), attempt, cause: "interrupted".into() };
                    let run = self.take(run, event)?;
                    self.say_lost(&run, &op, attempt);
                    run
                }
                Next::Settle(op, attempt) => {
                    let op = op.clone();
                    self.settle(run, &op, attempt, None)?
                }
                Next::Note(..) => self.note_what_is_due(run)?,
                Next::Pause => return Err(end::paused()),
                Next::Close(end) => self.close(run, end)?,
                Next::Seal => self.seal(run)?,
                Next::Nothing => return Ok(run),
                Next::Abandon => return Err(held(&run, Halt::People(why(&run)))),
            };
        }
    }

    /// Records the question of an operation.
    ///
    /// Records a refusal instead if the plan's window is over (S-WINDOW), or if all attempts are
    /// used up (S-ATTEMPTS).
    fn ask(&mut self, run: Run, asked: Attempt) -> Result<Run, Halt> {
        let (_, until) = run.graph().window();
        let (late, exhausted) = (self.clock.now()? > until, run.is_exhausted(&asked));
        let refused = match (late && run.book() == Book::Transcript, exhausted) {
            _ if run.stopped().is_some() => None,
            (true, _) => Some((RuleId::S_WINDOW, says!("{until} より後", "after {until}"))),
            (false, true) => Some((
                RuleId::S_ATTEMPTS,
                says!("{ATTEMPTS} 回の試行の後", "after {ATTEMPTS} attempts"),
            )),
            (false, false) => None,
        };
        let Some((rule, found)) = refused else { return self.take(run, Event::Asked(asked)) };
        let Attempt { op, attempt } = asked;
        let asked = says!(
            "実施時間帯の内、{ATTEMPTS} 回までの {op}",
            "{op} within the window, in at most {ATTEMPTS} attempts"
        );
        let (by, reason) = (Vec::new(), found.en.clone());
        tell(&Fault::new(rule, asked, found), self.lang);
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
            let question = Question { run: &run, request, asked, said: &said };
            let reply = self.people.ask(&question)?;
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
                    run = self.deviation(run, op, by, reason)?;
                    continue;
                }
                Reply::Paused { by, reason } => return self.pause(run, op, attempt, by, reason),
            };
            match run.judge(&answer) {
                Ok(_) => {
                    let answered = Event::Answered { op: op.name.clone(), attempt, answer };
                    let run = match self.applied(run, answered)? {
                        Applied::Taken(step) => self.take_answer(*step, false)?,
                        // Nothing was recorded, so the question stands.
                        Applied::Unsigned(run) => return Ok(*run),
                    };
                    self.tokens.stand_in(&run, op);
                    self.clock.after_people();
                    return Ok(run);
                }
                Err(fault) if self.people.can_answer_again() => {
                    tell(&fault, self.lang);
                    let Answer::People(answered) = answer else { continue };
                    // A value that is refused is asked again; otherwise only who says so.
                    let facts = request.facts.iter();
                    let kept = facts.take_while(|fact| fact.rule != fault.rule);
                    let value = |fact: &Fact| {
                        Some((fact.name.to_string(), answered.facts.get(fact.name)?.clone()))
                    };
                    said = kept.map_while(value).collect();
                    asked = Asked::Mistaken;
                    let again = request.facts.get(said.len()).map_or(WHO, |fact| fact.name);
                    run = self.mistaken(run, op, attempt, again)?;
                }
                Err(fault) => return Err(Halt::Interrupted(fault)),
            }
        }
    }

    /// Waits until the due head is noted on paper, if a head is due.
    fn note_what_is_due(&mut self, run: Run) -> Result<Run, Halt> {
        let Next::Note(op, attempt) = run.next() else { return Ok(run) };
        let op = op.clone();
        self.note_head(run, &op, attempt)
    }

    /// Waits until somebody confirms that the head is noted on paper.
    fn note_head(&mut self, mut run: Run, op: &Op, attempt: u32) -> Result<Run, Halt> {
        let mut mistaken = 0_u32;
        self.say_another_head(op);
        self.show_head(&run);
        loop {
            let head = run.head();
            match self.people.note(&run, op, head)? {
                Reply::Said(said) => {
                    return self.take(run, Event::Noted { head, by: said.by, mistaken });
                }
                // A mistake here is only counted: a Mistaken record would change the head that is
                // being noted.
                Reply::Mistaken { .. } => mistaken = mistaken.saturating_add(1),
                Reply::Refused { by, reason } => {
                    return self.people_refuse(run, op, attempt, by, reason);
                }
                Reply::Paused { by, reason } => return self.pause(run, op, attempt, by, reason),
                Reply::Deviation { by, reason } => {
                    run = self.deviation(run, op, by, reason)?;
                    self.say(pick(
                        self.lang,
                        "!! 今の申し出で値が変わりました。書き留めた値を線で消し、次の値を書いてください。",
                        "!! That statement is recorded, so the head has changed. Strike out the one that was noted, and note this one.",
                    ));
                    self.show_head(&run);
                }
            }
        }
    }

    /// Records that an answer was mistaken, without what was typed.
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
            prove(&rest).map_err(|(check, error)| {
                Fault::new(RuleId::S_SIGNATURE, check.said(), error.said())
            })
        });
        let judged = judged.map(|rest| {
            proofs.extend(rest);
            proofs
        });
        match judged {
            Ok(proofs) => {
                let seen = shown::seen(&op.act, &answer, self.lang);
                let answered = Event::Answered { op: op.name.clone(), attempt, answer };
                let step = run.apply(self.clock.now()?, answered, Signatures::new());
                let mut run = self.take_answer(step.map_err(stopped)?, !proofs.is_empty())?;
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

    /// Handles an error of the token, after which it is unknown what the token did.
    ///
    /// The operation is repeated only if people ask for it.
    fn failed(&mut self, run: Run, op: &Op, attempt: u32, error: &TokenError) -> Result<Run, Halt> {
        let cause = as_words(&error.to_string());
        let (kind, name) = (op.act.kind(), &op.name);
        let title = script::step(run.graph(), op, Language::Ja).title;
        let asked = says!("{title}(`{name}`)", "{kind} (`{name}`)");
        let fault = Fault::new(RuleId::S_TOKEN, asked, failed(error));
        if matches!(op.act, Act::Token(TokenAct::Generate { .. })) {
            tell(&fault, self.lang);
            let run = self.settle(run, op, attempt, Some(&cause))?;
            let run = self.note_what_is_due(run)?;
            return self.once_more(run, op, fault);
        }
        let run =
            self.take(run, Event::Lost { op: op.name.clone(), attempt, cause: cause.clone() })?;
        let locked = error.code.ends_with("PIN_LOCKED");
        let asked_again =
            matches!(op.act, Act::Token(TokenAct::Login { .. })) && self.people.can_answer_again();
        // If the head cannot be written to the token, a stopped ceremony is sealed without it.
        let headless = op.act == Act::Token(TokenAct::WriteHead) && run.stopped().is_some();
        if (asked_again && !locked) || headless {
            tell(&fault, self.lang);
            return Ok(run);
        }
        Err(Halt::Token(fault))
    }

    /// Stops the ceremony because a rule refuses the token's answer.
    ///
    /// It is then closed as aborted, if it can be sealed.
    fn refuse(&mut self, run: Run, op: &Op, attempt: u32, fault: &Fault) -> Result<Run, Halt> {
        tell(fault, self.lang);
        if let Some((ja, en)) = report::advice(fault) {
            report::tell(&format!("  ☞ {}", pick(self.lang, ja, en)));
        }
        let reason = as_words(&format!("asked {}; found {}", fault.asked.en, fault.found.en));
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
            let asked = says!("封印の署名", "the seal");
            Halt::Token(Fault::new(RuleId::S_TOKEN, asked, error.said()))
        })?;
        let sealed = made.seal(&run, &answer).map_err(Halt::Token)?;
        let proofs = prove(std::slice::from_ref(&sealed.check)).map_err(|(_, error)| {
            let asked = says!("検証できる封印", "a seal that verifies");
            Halt::Token(Fault::new(RuleId::S_SEAL, asked, error.said()))
        })?;
        self.proofs.extend(proofs);
        self.journal.write_bundle(&sealed.bundle)?;
        let run = self.begin_postscript(run, sealed.bundle.as_bytes())?;
        self.say(pick(
            self.lang,
            "          ✓ 封印: 署名を検証しました",
            "          ✓ sealed: the signature verifies",
        ));
        Ok(run)
    }

    /// Records the digest of the bundle; this record begins the postscript.
    pub(crate) fn begin_postscript(&mut self, run: Run, bundle: &[u8]) -> Result<Run, Halt> {
        let bundle = ceremony::hex::Digest::of(bundle);
        self.take(run, Event::Sealed { bundle })
    }

    /// Prints a line of progress, if progress is wanted.
    pub(crate) fn say(&self, line: &str) {
        if self.progress {
            report::tell(line);
        }
    }
}
