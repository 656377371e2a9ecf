//! People at a terminal: each step of the script is shown as it stands there, then its questions
//! are asked.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};

use ceremony::graph::{Graph, Op};
use ceremony::hex::Digest;
use ceremony::name::Name;
use ceremony::record::{Said, WHO};
use ceremony::run::{self, Fact, FactKind, HEAD};
use ceremony::script::{self, Language};
use ceremony::words;

use super::{Asked, PROMPT, Question, Reply};
use crate::exit::Halt;

/// The controlling terminal, whatever standard input and output are.
#[derive(Debug)]
pub(crate) struct Terminal {
    language: Language,
    keys: BufReader<File>,
    screen: File,
}

/// What a person typed.
enum Typed {
    Text(String),
    Refuse,
    Deviation,
}

impl Terminal {
    pub(crate) fn open(language: Language) -> Result<Self, Halt> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty");
        let screen = tty.map_err(|error| no_terminal(&error.to_string()))?;
        let keys = screen.try_clone().map_err(|error| no_terminal(&error.to_string()))?;
        Ok(Self { language, keys: BufReader::new(keys), screen })
    }

    pub(super) fn ask(&mut self, question: &Question<'_>) -> Result<Reply, Halt> {
        if question.asked != Asked::Mistaken {
            self.show_step(question)?;
        }
        let mut said = question.said.to_vec();
        for fact in question.request.facts.iter().skip(said.len()) {
            match self.ask_fact(fact)? {
                Some(Typed::Text(value)) => said.push((fact.name.to_string(), value)),
                Some(Typed::Refuse) => return self.refuse(question.graph),
                Some(Typed::Deviation) => return self.deviate(question.graph),
                None => return Ok(Reply::Mistaken { question: fact.name, said }),
            }
        }
        let who = self.pick("確認した者の ID(空白区切り): ", "who confirms (ids, by spaces): ");
        self.who(question.graph, who, said)
    }

    fn show_step(&mut self, question: &Question<'_>) -> Result<(), Halt> {
        let op = &question.request.op;
        let step = script::step(question.graph, op, self.language);
        let number = op.id.number();
        self.show(&format!(
            "\n── {number}. {} [{}]\n{}\n☞ {}\n",
            step.title, op.section, step.say, step.see
        ))?;
        for duty in script::who(question.graph, op, self.language) {
            self.show(&format!("   {duty}\n"))?;
        }
        if question.asked == Asked::First {
            self.show(self.pick(
                "   (いいえ: no ／ 相違: deviation)\n",
                "   (to stop: no / not as scripted: deviation)\n",
            ))?;
        }
        Ok(())
    }

    /// Who says so: the end of every question.
    fn who(
        &mut self,
        graph: &Graph,
        prompt: &str,
        said: Vec<(String, String)>,
    ) -> Result<Reply, Halt> {
        match self.line(prompt)? {
            Typed::Refuse => self.refuse(graph),
            Typed::Deviation => self.deviate(graph),
            Typed::Text(text) => match participants(graph, &text) {
                Ok(by) => Ok(Reply::Said(Said { by, facts: said.into_iter().collect() })),
                Err(unknown) => {
                    self.unknown(&unknown)?;
                    Ok(Reply::Mistaken { question: WHO, said })
                }
            },
        }
    }

    /// Shows a head, and waits until somebody says that it is on paper.
    pub(super) fn note(&mut self, graph: &Graph, op: &Op, head: Digest) -> Result<Reply, Halt> {
        let words = words::lines(&head.0);
        let label = self.pick("記録の最新値", "head of the record");
        let first = words.first().map_or("", String::as_str);
        self.show(&format!("\n✎  {label} ({}. `{}`)\n   {first}\n", op.id.number(), op.name))?;
        let prompt = self.pick(
            "手順書に書き留めた者の ID(空白区切り): ",
            "who noted it in the script (ids, by spaces): ",
        );
        self.who(graph, prompt, Vec::new())
    }

    pub(super) fn holds(&mut self, graph: &Graph, by: &[Name], what: &str) -> Result<bool, Halt> {
        self.show(&format!("\n!! {what}\n"))?;
        let ids: Vec<&str> = by.iter().map(Name::as_str).collect();
        let ids = ids.join(" ");
        let question = match self.language {
            Language::Ja => {
                format!("{ids} に尋ねる。中止のままなら no、撤回するなら {ids} の ID: ")
            }
            Language::En => format!("{ids}: no if it holds; your ids if it does not: "),
        };
        loop {
            match self.line(&question)? {
                Typed::Refuse | Typed::Deviation => return Ok(true),
                Typed::Text(text) => match participants(graph, &text) {
                    Ok(named) if named == by => return Ok(false),
                    Ok(_) => self.unknown(&text)?,
                    Err(unknown) => self.unknown(&unknown)?,
                },
            }
        }
    }

    pub(super) fn consent(&mut self, graph: &Graph, what: &str) -> Result<Reply, Halt> {
        self.show(&format!("\n!! {what}\n"))?;
        let who = self.pick(
            "同意する 2 名(役割の異なる者)の ID。同意しない場合は no: ",
            "ids of two people of two roles who consent; otherwise no: ",
        );
        loop {
            match self.line(who)? {
                Typed::Refuse | Typed::Deviation => return self.refuse(graph),
                Typed::Text(text) => match participants(graph, &text) {
                    Ok(by) => return Ok(Reply::Said(Said { by, facts: BTreeMap::new() })),
                    Err(unknown) => self.unknown(&unknown)?,
                },
            }
        }
    }

    /// Shows something, and gives what is typed then.
    pub(crate) fn choose(&mut self, shown: &str, prompt: &str) -> Result<String, Halt> {
        self.show(shown)?;
        Ok(match self.line(prompt)? {
            Typed::Text(text) => text,
            Typed::Refuse | Typed::Deviation => "no".to_string(),
        })
    }

    /// What was typed for a question; nothing where it is no answer.
    fn ask_fact(&mut self, fact: &Fact) -> Result<Option<Typed>, Halt> {
        // What stands on the papers is never shown: people compare by entering it.
        let on_paper = stands_on_paper(fact);
        let prompt = self.prompt(fact, on_paper)?;
        let typed = self.line(&prompt)?;
        let Typed::Text(text) = typed else { return Ok(Some(typed)) };
        let value = match &fact.kind {
            FactKind::Digest(_) if is_nothing(&text) && fact.name == HEAD => Ok("0".repeat(64)),
            FactKind::Digest(_) => digits(&text),
            FactKind::Integer(..) | FactKind::Words => Ok(text),
        };
        match value.and_then(|value| fact.judge(&value).map(|()| value)) {
            Ok(value) => {
                if matches!(fact.kind, FactKind::Digest(_)) {
                    self.show(self.pick("   ✓ 一致しました\n", "   ✓ agrees\n"))?;
                }
                Ok(Some(Typed::Text(value)))
            }
            Err(asked) => {
                let differs = self.pick("一致しません", "does not agree");
                let asked = if on_paper { "" } else { &asked };
                self.show(&format!("   ✗ {differs} {asked}\n"))?;
                if fact.name == HEAD {
                    self.show(self.pick(
                        "   画面で確認した者の ID が書かれた最後の値を入力してください。\n",
                        "   Enter the last one beside which stands who confirmed it on the screen.\n",
                    ))?;
                }
                Ok(None)
            }
        }
    }

    fn prompt(&mut self, fact: &Fact, on_paper: bool) -> Result<String, Halt> {
        let name = self.name(fact);
        Ok(match &fact.kind {
            FactKind::Digest(_) if fact.name == HEAD && on_paper => format!(
                "{name} ({}): ",
                self.pick(
                    "手順書に書き留め、画面で確認した最後の値の 8 語以上。なければ「なし」",
                    "8 words or more of the last one noted and confirmed; none if there is none"
                )
            ),
            FactKind::Digest(_) if on_paper => {
                format!(
                    "{name} ({}): ",
                    self.pick("書類の 8 語以上", "8 words or more from the papers")
                )
            }
            FactKind::Digest(digest) => {
                self.show(&format!("   {name}\n   {digest}\n"))?;
                for line in words::lines(&digest.0) {
                    self.show(&format!("     {line}\n"))?;
                }
                format!(
                    "{name} ({}): ",
                    self.pick("読み上げた初めの 8 語", "the first 8 words, as read aloud")
                )
            }
            FactKind::Integer(low, high) => format!("{name} ({low}…{high}): "),
            FactKind::Words => format!("{name}: "),
        })
    }

    /// What a value is called at the terminal; in records it has one name in every language.
    fn name(&self, fact: &Fact) -> &'static str {
        match (self.language, fact.name) {
            (Language::En, name) => name,
            (Language::Ja, "offset-seconds") => "時計の差(秒)",
            (Language::Ja, "reference") => "持ち込んだ時計の名称",
            (Language::Ja, "second-factor") => "第二の要素の名称",
            (Language::Ja, "procedure") => "複製の手順の名称と版",
            (Language::Ja, "head") => "記録の最新値",
            (Language::Ja, "audit-key") => "監査用の鍵の値",
            (Language::Ja, "paper") => "申請書のダイジェスト",
            (Language::Ja, "notification") => "届出のダイジェスト",
            (Language::Ja, "requests") => "CSR の一覧のダイジェスト",
            (Language::Ja, "sha256") => "SHA-256",
            // `graph` and `bindings` stand on the papers under these names.
            (Language::Ja, name) => name,
        }
    }

    fn refuse(&mut self, graph: &Graph) -> Result<Reply, Halt> {
        let (by, reason) = self.who_and_why(graph)?;
        Ok(Reply::Refused { by, reason })
    }

    fn deviate(&mut self, graph: &Graph) -> Result<Reply, Halt> {
        let (by, reason) = self.who_and_why(graph)?;
        Ok(Reply::Deviation { by, reason })
    }

    fn who_and_why(&mut self, graph: &Graph) -> Result<(Vec<Name>, String), Halt> {
        let by = loop {
            if let Typed::Text(text) =
                self.line(self.pick("申し出る者の ID: ", "who says so (ids): "))?
            {
                match participants(graph, &text) {
                    Ok(by) => break by,
                    Err(unknown) => self.unknown(&unknown)?,
                }
            }
        };
        loop {
            if let Typed::Text(reason) = self.line(self.pick("理由: ", "reason: "))? {
                match run::words(&reason) {
                    Ok(()) => return Ok((by, reason)),
                    Err(fault) => self.show(&format!("   ✗ {}\n", fault.asked))?,
                }
            }
        }
    }

    fn unknown(&mut self, unknown: &str) -> Result<(), Halt> {
        let text = self.pick("参加者ではありません", "no participant");
        self.show(&format!("   ✗ {text}: {unknown}\n"))
    }

    fn line(&mut self, prompt: &str) -> Result<Typed, Halt> {
        self.show(&format!("{PROMPT}{prompt}"))?;
        let mut line = String::new();
        let read =
            self.keys.read_line(&mut line).map_err(|error| no_terminal(&error.to_string()))?;
        if read == 0 {
            return Err(no_terminal("its end"));
        }
        Ok(match line.trim() {
            "no" | "いいえ" => Typed::Refuse,
            "deviation" | "相違" => Typed::Deviation,
            text => Typed::Text(text.to_string()),
        })
    }

    fn show(&mut self, text: &str) -> Result<(), Halt> {
        let shown = self.screen.write_all(text.as_bytes()).and_then(|()| self.screen.flush());
        shown.map_err(|error| no_terminal(&error.to_string()))
    }

    const fn pick<'t>(&self, ja: &'t str, en: &'t str) -> &'t str {
        match self.language {
            Language::Ja => ja,
            Language::En => en,
        }
    }
}

/// Whether people read this from paper, and the screen does not show it.
fn stands_on_paper(fact: &Fact) -> bool {
    fact.rule == "S-PAPERS" || fact.rule == "S-NOTED"
}

/// Whether somebody says that nothing was noted yet.
fn is_nothing(text: &str) -> bool {
    ["none", "なし"].contains(&text)
}

/// Hexadecimal digits, from digits or from words.
fn digits(text: &str) -> Result<String, String> {
    let joined: String = text.split_whitespace().collect();
    if ceremony::hex::decode(&joined).is_some() {
        return Ok(joined);
    }
    words::octets(text)
        .map(|octets| ceremony::hex::encode(&octets))
        .map_err(|word| format!("`{word}`"))
}

/// Participants by their ids, each once, in order; the first that is none.
fn participants(graph: &Graph, text: &str) -> Result<Vec<Name>, String> {
    let mut by = Vec::new();
    for id in text.split([' ', ',', '　']).filter(|id| !id.is_empty()) {
        let name: Name = id.parse().map_err(|_| id.to_string())?;
        if !graph.people().contains_key(&name) {
            return Err(id.to_string());
        }
        by.push(name);
    }
    by.sort();
    by.dedup();
    if by.is_empty() { Err(String::from("–")) } else { Ok(by) }
}

fn no_terminal(found: &str) -> Halt {
    Halt::Interrupted(ceremony::run::Fault {
        rule: "S-TERMINAL",
        asked: "a terminal to ask people at".to_string(),
        found: found.to_string(),
    })
}
