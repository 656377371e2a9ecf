//! Asks people at a terminal: shows each step as it is in the script, then asks its questions.

mod value;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};

use ceremony::fault::Fault;
use ceremony::graph::{Act, Op, Phase};
use ceremony::hex::Digest;
use ceremony::language::{Bilingual, Language};
use ceremony::name::Name;
use ceremony::record::{Said, WHO};
use ceremony::rule::RuleId;
use ceremony::run::{self, Run};
use ceremony::says;
use ceremony::script;
use ceremony::words;

use super::typed::{Opposed, Typed, is_back, participants, typed};
use super::{Asked, Question, Reply};
use crate::clock::Clock;
use crate::files::said;
use crate::halt::Halt;
use crate::rows;
use crate::secrets::{self, PROMPT};
use value::Given;
pub(crate) use value::named;

/// The most rows that a question has at a screen of 80 columns.
const QUESTION: usize = 5;

/// The controlling terminal, even if standard input and output are redirected.
#[derive(Debug)]
pub(crate) struct Terminal {
    language: Language,
    keys: BufReader<File>,
    screen: File,
}

impl Terminal {
    pub(crate) fn open(language: Language) -> Result<Self, Halt> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let screen = tty.map_err(failed)?;
        let keys = screen.try_clone().map_err(failed)?;
        Ok(Self { language, keys: BufReader::new(keys), screen })
    }

    pub(super) fn ask(&mut self, question: &Question<'_>) -> Result<Reply, Halt> {
        if question.asked != Asked::Mistaken {
            self.show_step(question)?;
        }
        let (run, op) = (question.run, &question.request.op);
        let mut said = question.said.to_vec();
        loop {
            while let Some(fact) = question.request.facts.get(said.len()) {
                match self.ask_fact(fact, run.graph().offset())? {
                    Given::Value(value) => said.push((fact.name.to_string(), value)),
                    Given::Back => drop(said.pop()),
                    Given::Opposed(how) => {
                        if let Some(reply) = self.oppose(run, op, how)? {
                            return Ok(reply);
                        }
                    }
                    Given::Mistaken => {
                        return Ok(Reply::Mistaken { question: fact.name, said });
                    }
                }
            }
            let who = self.pick("確認した者の ID(空白区切り): ", "who confirms (ids, by spaces): ");
            let typed = self.line_or_break(who)?;
            if matches!(&typed, Typed::Text(text) if is_back(text)) && said.pop().is_some() {
                continue;
            }
            if let Some(reply) = self.confirmed(run, op, typed, &said)? {
                return Ok(reply);
            }
        }
    }

    fn show_step(&mut self, question: &Question<'_>) -> Result<(), Halt> {
        let (run, op) = (question.run, &question.request.op);
        self.show_script(run, op)?;
        self.hint(run, op, !question.request.facts.is_empty())
    }

    /// Shows what the script says of a step.
    pub(crate) fn show_script(&mut self, run: &Run, op: &Op) -> Result<(), Halt> {
        let step = script::step(run.graph(), op, self.language);
        let number = op.id.number();
        self.show(&format!("\n── {number}. {} [{}]\n", step.title, op.section))?;
        self.show_progress(run, op)?;
        for duty in script::who(run.graph(), op, self.language) {
            self.show(&format!("   {duty}\n"))?;
        }
        self.show(&format!("{}\n☞ {}\n", step.say, step.see))
    }

    /// Shows which step and part it is, the minutes since the first record, and those that the
    /// policy reckons with.
    fn show_progress(&mut self, run: &Run, op: &Op) -> Result<(), Halt> {
        let (graph, pace) = (run.graph(), run.compiled().pace());
        let now = Clock::System(graph.offset()).now()?;
        let used = (now.unix() - run.begun_at().unix()).max(0) / 60;
        let (number, all) = (op.id.number(), graph.ops().len());
        let (part, parts) = (op.act.phase().number(), Phase::ALL.len());
        let (until, whole) = (pace.until(op), pace.whole());
        self.show(&match self.language {
            Language::Ja => format!(
                "   手順 {number}/{all}、第 {part} 部(全 {parts} 部)。経過 {used} 分。見込みはこの手順まで {until} 分、全体で {whole} 分\n"
            ),
            Language::En => format!(
                "   step {number} of {all}, part {part} of {parts}; {used} min used; reckoned: {until} min to the end of this step, {whole} in all\n"
            ),
        })
    }

    /// Shows what can be typed instead of every answer, where a break can be made, and how a value
    /// is corrected.
    ///
    /// After the seal a no stops nothing: only this step is not done.
    fn hint(&mut self, run: &Run, op: &Op, with_values: bool) -> Result<(), Halt> {
        let no = match is_after_the_seal(run, op) {
            false => self.pick("中止: no(いいえ)", "to stop: no"),
            true => self.pick("この手順を行わない: no(いいえ)", "not to do this step: no"),
        };
        let differs = self.pick("手順との相違: deviation(相違)", "not as scripted: deviation");
        let pause = self.pick("休憩: break(休憩)", "a break: break");
        let back = self.pick("直前の入力を直す: back(戻る)", "to correct what was typed: back");
        let mut hints = vec![no, differs];
        hints.extend(run.may_pause().is_ok().then_some(pause));
        hints.extend(with_values.then_some(back));
        let hints = hints.join(self.pick("  ", " / "));
        self.show(&format!("   ({hints})\n"))
    }

    /// Takes who answers, which ends every question. Returns `None` if it is to be asked again,
    /// because an objection was taken back.
    fn confirmed(
        &mut self,
        run: &Run,
        op: &Op,
        typed: Typed,
        said: &[(String, String)],
    ) -> Result<Option<Reply>, Halt> {
        let text = match typed {
            Typed::Opposed(how) => return self.oppose(run, op, how),
            Typed::Text(text) => text,
        };
        let said = said.to_vec();
        Ok(Some(match participants(run, &text) {
            Ok(by) => Reply::Said(Said { by, facts: said.into_iter().collect() }),
            Err(unknown) => {
                self.unknown(run, &unknown)?;
                Reply::Mistaken { question: WHO, said }
            }
        }))
    }

    /// Shows a head, and waits until somebody confirms that it is noted on paper.
    pub(super) fn note(&mut self, run: &Run, op: &Op, head: Digest) -> Result<Reply, Halt> {
        let words = words::first_lines(&head.0, self.language).join("\n   ");
        let label = self.pick("記録の最新値", "head of the record");
        self.show(&format!("\n✎  {label} ({}. `{}`)\n   {words}\n", op.id.number(), op.name))?;
        self.hint(run, op, false)?;
        let prompt = self.pick(
            "構築手順書に書き留め、画面で確認した者の ID(空白区切り): ",
            "noted in the script; confirmed on the screen by (ids, by spaces): ",
        );
        loop {
            let typed = self.line_or_break(prompt)?;
            if let Some(reply) = self.confirmed(run, op, typed, &[])? {
                return Ok(reply);
            }
        }
    }

    pub(super) fn lifted(&mut self, run: &Run, by: &[Name], what: &str) -> Result<Vec<Name>, Halt> {
        self.show(&format!("\n!! {what}\n"))?;
        let ids: Vec<&str> = by.iter().map(Name::as_str).collect();
        let ids = ids.join(" ");
        let question = match (self.language, by.is_empty()) {
            (Language::Ja, true) => {
                String::from("中止のままなら no。役割の異なる 2 名が撤回するなら、その 2 名の ID: ")
            }
            (Language::En, true) => {
                String::from("no if the stop holds; to lift it, ids of two people of two roles: ")
            }
            (Language::Ja, false) => {
                format!("{ids} が答える。中止のままなら no、撤回するなら {ids} と入力: ")
            }
            (Language::En, false) => {
                format!("{ids}: no if the stop holds; to lift it, your ids: ")
            }
        };
        loop {
            match self.line(&question)? {
                Typed::Opposed(_) => return Ok(Vec::new()),
                Typed::Text(text) => match participants(run, &text) {
                    Ok(named) => return Ok(named),
                    Err(unknown) => self.unknown(run, &unknown)?,
                },
            }
        }
    }

    pub(super) fn consent(&mut self, run: &Run, what: &str) -> Result<Reply, Halt> {
        self.show(&format!("\n!! {what}\n"))?;
        loop {
            match self.line(self.asks_for_two())? {
                Typed::Opposed(_) => {
                    self.show(self.pick(
                        "   同意しないことを記録します(前の質問に戻るには no(いいえ))\n",
                        "   that there is no consent will be recorded (to take it back: no)\n",
                    ))?;
                    if let Some(reply) = self.who_opposes(run, Opposed::Refuse)? {
                        return Ok(reply);
                    }
                }
                Typed::Text(text) => {
                    return match participants(run, &text) {
                        Ok(by) => Ok(Reply::Said(Said { by, facts: BTreeMap::new() })),
                        Err(unknown) => {
                            self.unknown(run, &unknown)?;
                            Ok(Reply::Mistaken { question: WHO, said: Vec::new() })
                        }
                    };
                }
            }
        }
    }

    const fn asks_for_two(&self) -> &'static str {
        self.pick(
            "同意する 2 名(役割の異なる者)の ID。同意しない場合は no: ",
            "ids of two people of two roles who consent; otherwise no: ",
        )
    }

    /// Asks two people to vouch for something; a no takes it back, and nothing is recorded.
    pub(super) fn vouch(&mut self, run: &Run, what: &str) -> Result<Reply, Halt> {
        self.show(&format!("\n!! {what}\n"))?;
        match self.line(self.asks_for_two())? {
            Typed::Opposed(_) => Ok(Reply::Refused { by: Vec::new(), reason: String::new() }),
            Typed::Text(text) => Ok(match participants(run, &text) {
                Ok(by) => Reply::Said(Said { by, facts: BTreeMap::new() }),
                Err(unknown) => {
                    self.unknown(run, &unknown)?;
                    Reply::Mistaken { question: WHO, said: Vec::new() }
                }
            }),
        }
    }

    pub(super) fn object(&mut self, run: &Run) -> Result<Option<Reply>, Halt> {
        self.show(self.pick(
            "   記録の誤りを、相違として記録します(申し出をやめるには no(いいえ))\n",
            "   What is not as the record has it is recorded as a deviation (to take it back: no)\n",
        ))?;
        self.who_opposes(run, Opposed::Deviation)
    }

    /// Shows lines that somebody is to read, as many at once as the screen has room for, and then
    /// as many as leave room for the question.
    pub(crate) fn read(&mut self, lines: &[String]) -> Result<(), Halt> {
        let size = rows::size(&self.screen);
        for line in lines {
            if let Some((height, columns)) = size {
                let high = rows::wrapped(line, columns).lines().count();
                // The prompt has a line of its own, and the last line read stays in sight.
                self.pause(high, height.saturating_sub(2))?;
            }
            self.show(&format!("{line}\n"))?;
        }
        // What is asked next must not push away what nobody has read yet.
        size.map_or(Ok(()), |(height, _)| self.pause(QUESTION, height))
    }

    /// Waits for Enter if this many rows more are too many for the screen. Rows that were shown
    /// before these lines, and that nobody has answered yet, count as well.
    fn pause(&mut self, more: usize, height: usize) -> Result<(), Halt> {
        if rows::shown() > 0 && rows::shown() + more > height {
            self.line(self.pick("   続きは Enter: ", "   Enter for more: "))?;
        }
        Ok(())
    }

    /// Shows a text and a prompt, and returns what is typed.
    pub(crate) fn choose(&mut self, shown: &str, prompt: &str) -> Result<String, Halt> {
        self.show(shown)?;
        Ok(match self.line(prompt)? {
            Typed::Text(text) => text,
            Typed::Opposed(_) => "no".to_string(),
        })
    }

    /// Says what this objection does, and asks who makes it, and why.
    fn oppose(&mut self, run: &Run, op: &Op, how: Opposed) -> Result<Option<Reply>, Halt> {
        let (ja, en) = match (how, is_after_the_seal(run, op)) {
            (Opposed::Refuse, false) => (
                "セレモニーの中止を申し出ます。理由まで入力すると取り消せません(申し出をやめるには no(いいえ))",
                "This stops the ceremony for good, once the reason is given (to take it back: no)",
            ),
            (Opposed::Refuse, true) => (
                "「no(いいえ)」を記録し、この手順を行いません。封印後なので、セレモニーは中止になりません(申し出をやめるには no(いいえ))",
                "The no is recorded, and this step is not done; after the seal it stops nothing (to take it back: no)",
            ),
            (Opposed::Break, _) => {
                if let Err(fault) = run.may_pause() {
                    let asked = self.language.pick(&fault.asked).to_string();
                    self.show(&format!("   ✗ {asked}\n"))?;
                    return Ok(None);
                }
                (
                    "休憩のため、この回を終えます。残って見張る者が署名します(申し出をやめるには no(いいえ))",
                    "This ends the session for a break; those who stay on guard sign it (to take it back: no)",
                )
            }
            (Opposed::Deviation, _) => (
                "手順との相違を記録します(申し出をやめるには no(いいえ))",
                "What was not as scripted is recorded (to take it back: no)",
            ),
        };
        self.show(&format!("   {}\n", self.pick(ja, en)))?;
        self.who_opposes(run, how)
    }

    /// Asks who objects, and why; returns `None` if the objection is taken back.
    fn who_opposes(&mut self, run: &Run, how: Opposed) -> Result<Option<Reply>, Halt> {
        loop {
            let who = match how {
                Opposed::Refuse | Opposed::Deviation => {
                    self.pick("申し出る者の ID: ", "who says so (ids): ")
                }
                Opposed::Break => self.pick(
                    "残る者(役割の異なる 2 名以上)の ID: ",
                    "who stays (ids of two people of two roles, or more): ",
                ),
            };
            let Typed::Text(text) = self.line(who)? else {
                return Ok(None);
            };
            match participants(run, &text) {
                Ok(by) => {
                    let may = match how {
                        Opposed::Refuse | Opposed::Deviation => run.may_say(&by),
                        Opposed::Break => run.two_roles(&by).and_then(|()| run.may_say(&by)),
                    };
                    if let Err(fault) = may {
                        let asked = self.language.pick(&fault.asked).to_string();
                        let found = self.language.pick(&fault.found).to_string();
                        self.show(&match how {
                            Opposed::Refuse | Opposed::Deviation => format!("   ✗ {found}\n"),
                            Opposed::Break => format!("   ✗ {asked}: {found}\n"),
                        })?;
                        continue;
                    }
                    let Some(reason) = self.why(how)? else { continue };
                    return Ok(Some(match how {
                        Opposed::Refuse => Reply::Refused { by, reason },
                        Opposed::Deviation => Reply::Deviation { by, reason },
                        Opposed::Break => Reply::Paused { by, reason },
                    }));
                }
                Err(unknown) => self.unknown(run, &unknown)?,
            }
        }
    }

    /// Asks for the reason; returns `None` if the answer before it is taken back.
    fn why(&mut self, how: Opposed) -> Result<Option<String>, Halt> {
        let prompt = match how {
            Opposed::Refuse => self.pick("理由: ", "reason: "),
            Opposed::Deviation => self.pick("相違の内容: ", "reason: "),
            Opposed::Break => self.pick("理由と再開の予定: ", "why, and until when: "),
        };
        loop {
            let Typed::Text(reason) = self.line(prompt)? else {
                return Ok(None);
            };
            match run::words(&reason) {
                Ok(()) => return Ok(Some(reason)),
                Err(fault) => {
                    self.show(&format!("   ✗ {}\n", self.words(&fault.asked)))?;
                }
            }
        }
    }

    /// Returns the demand of [`run::words`] as a sentence.
    fn words(&self, asked: &Bilingual) -> String {
        match self.language {
            Language::Ja => format!("{}で入力してください", asked.ja),
            Language::En => asked.en.clone(),
        }
    }

    fn unknown(&mut self, run: &Run, unknown: &str) -> Result<(), Halt> {
        if unknown.is_empty() {
            return self.show(self.pick("   ✗ ID を入力してください\n", "   ✗ type an id\n"));
        }
        let takes_part = run.graph().people().keys().any(|id| id.as_str() == unknown);
        let text = match takes_part {
            true => self.pick("欠席と記録されています", "recorded as absent"),
            false => self.pick("参加者の ID ではありません", "no participant"),
        };
        self.show(&format!("   ✗ {text}: {unknown}\n"))
    }

    /// Reads a line where no break can be made: the word is a text like any other.
    fn line(&mut self, prompt: &str) -> Result<Typed, Halt> {
        Ok(self.line_or_break(prompt)?.without_break())
    }

    /// Reads a line.
    ///
    /// A terminal that erases octets instead of characters can leave parts of a character. A line
    /// that is not UTF-8 is asked for again.
    fn line_or_break(&mut self, prompt: &str) -> Result<Typed, Halt> {
        let _asked = secrets::Asked::shown(self.screen.try_clone().map_err(failed)?, prompt);
        loop {
            self.show(&format!("{PROMPT}{prompt}"))?;
            let mut line = Vec::new();
            if self.keys.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                return Err(no_terminal(says!("端末の終わり", "the end of its input")));
            }
            rows::answered();
            match std::str::from_utf8(&line) {
                Ok(text) => return Ok(typed(text.trim())),
                Err(_) => self.show(self.pick(
                    "   ✗ 文字として読めません。もう一度入力してください\n",
                    "   ✗ that cannot be read as text: type it again\n",
                ))?,
            }
        }
    }

    fn show(&mut self, text: &str) -> Result<(), Halt> {
        let text = rows::fit(&self.screen, text);
        let shown = self.screen.write_all(text.as_bytes()).and_then(|()| self.screen.flush());
        shown.map_err(failed)
    }

    const fn pick<'t>(&self, ja: &'t str, en: &'t str) -> &'t str {
        match self.language {
            Language::Ja => ja,
            Language::En => en,
        }
    }
}

fn is_after_the_seal(run: &Run, op: &Op) -> bool {
    run.graph().ops().iter().take_while(|other| other.name != op.name).any(|o| o.act == Act::Seal)
}

fn no_terminal(found: Bilingual) -> Halt {
    Halt::Interrupted(Fault::new(RuleId::S_TERMINAL, super::asks_people(), found))
}

fn failed(error: std::io::Error) -> Halt {
    no_terminal(said(&error))
}
