//! People at a terminal: each step of the script is shown as it stands there, then its questions
//! are asked.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};

use ceremony::graph::{Graph, Op};
use ceremony::hex::Digest;
use ceremony::name::Name;
use ceremony::record::{Said, WHO};
use ceremony::rule::RuleId;
use ceremony::run::{self, Fact, FactKind, HEAD};
use ceremony::script::{self, Language};
use ceremony::words;

use super::{Asked, Question, Reply};
use crate::clock::Clock;
use crate::halt::Halt;
use crate::secrets::{self, PROMPT};

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
    Opposed(Opposed),
}

/// What a person says instead of an answer.
#[derive(Clone, Copy)]
enum Opposed {
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
        while let Some(fact) = question.request.facts.get(said.len()) {
            match self.ask_fact(fact)? {
                Some(Typed::Text(value)) => said.push((fact.name.to_string(), value)),
                Some(Typed::Opposed(how)) => {
                    if let Some(reply) = self.oppose(question.graph, how)? {
                        return Ok(reply);
                    }
                }
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
        loop {
            let text = match self.line(prompt)? {
                Typed::Text(text) => text,
                Typed::Opposed(how) => match self.oppose(graph, how)? {
                    Some(reply) => return Ok(reply),
                    None => continue,
                },
            };
            return match participants(graph, &text) {
                Ok(by) => Ok(Reply::Said(Said { by, facts: said.into_iter().collect() })),
                Err(unknown) => {
                    self.unknown(&unknown)?;
                    Ok(Reply::Mistaken { question: WHO, said })
                }
            };
        }
    }

    /// Shows a head, and waits until somebody says that it is on paper.
    pub(super) fn note(&mut self, graph: &Graph, op: &Op, head: Digest) -> Result<Reply, Halt> {
        let words = words::lines(&head.0);
        let label = self.pick("記録の最新値", "head of the record");
        let first = words.first().map_or("", String::as_str);
        self.show(&format!("\n✎  {label} ({}. `{}`)\n   {first}\n", op.id.number(), op.name))?;
        let prompt = self.pick(
            "手順書に書き留めた。画面で確認した者の ID(空白区切り): ",
            "noted in the script; confirmed on the screen by (ids, by spaces): ",
        );
        self.who(graph, prompt, Vec::new())
    }

    pub(super) fn lifted(
        &mut self,
        graph: &Graph,
        by: &[Name],
        what: &str,
    ) -> Result<Vec<Name>, Halt> {
        self.show(&format!("\n!! {what}\n"))?;
        let ids: Vec<&str> = by.iter().map(Name::as_str).collect();
        let ids = ids.join(" ");
        let question = match (self.language, by.is_empty()) {
            (Language::Ja, true) => {
                String::from("中止のままなら no。役割の異なる 2 名が撤回するなら、その 2 名の ID: ")
            }
            (Language::En, true) => String::from(
                "no if it holds; if it does not, ids of two people of two roles who say so: ",
            ),
            (Language::Ja, false) => {
                format!("{ids} に尋ねる。中止のままなら no、撤回するなら {ids} の ID: ")
            }
            (Language::En, false) => {
                format!("{ids}: no if it holds; your ids if it does not: ")
            }
        };
        loop {
            match self.line(&question)? {
                Typed::Opposed(_) => return Ok(Vec::new()),
                Typed::Text(text) => match participants(graph, &text) {
                    Ok(named) => return Ok(named),
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
                Typed::Opposed(_) => {
                    if let Some(reply) = self.oppose(graph, Opposed::Refuse)? {
                        return Ok(reply);
                    }
                }
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
            Typed::Opposed(_) => "no".to_string(),
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
            FactKind::Integer(..) => Ok(number(&text)),
            FactKind::Words => Ok(text),
        };
        match value.and_then(|value| fact.judge(&value).map(|()| value)) {
            Ok(value) => {
                if matches!(fact.kind, FactKind::Digest(_)) {
                    self.show(self.pick("   ✓ 一致しました\n", "   ✓ agrees\n"))?;
                }
                Ok(Some(Typed::Text(value)))
            }
            Err(asked) => {
                let said = match (&fact.kind, self.language) {
                    (FactKind::Digest(_), _) if on_paper => {
                        self.pick("一致しません", "does not agree").to_string()
                    }
                    (FactKind::Integer(low, high), Language::Ja) => {
                        format!("{low} から {high} までの整数ではありません")
                    }
                    (FactKind::Words, Language::Ja) => WORDS.to_string(),
                    (FactKind::Words, Language::En) => asked,
                    (FactKind::Digest(_) | FactKind::Integer(..), _) => {
                        format!("{} {asked}", self.pick("一致しません", "does not agree"))
                    }
                };
                self.show(&format!("   ✗ {said}\n"))?;
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
            FactKind::Integer(low, high) => {
                if fact.name == "offset-seconds" {
                    self.show_clock()?;
                }
                format!("{name} ({low}…{high}): ")
            }
            FactKind::Words => format!("{name}: "),
        })
    }

    /// The machine's time, and which is taken from which.
    fn show_clock(&mut self) -> Result<(), Halt> {
        let now = Clock::System.now()?;
        self.show(&match self.language {
            Language::Ja => format!(
                "   装置の時計: {now}\n   差 = 装置の時刻 − 持ち込んだ時計の時刻(装置が進んでいれば正)\n"
            ),
            Language::En => format!(
                "   the machine's clock: {now}\n   difference = the machine's minus the one carried in (positive if the machine is ahead)\n"
            ),
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

    /// Who says so, and why; nothing where it is taken back.
    fn oppose(&mut self, graph: &Graph, how: Opposed) -> Result<Option<Reply>, Halt> {
        self.show(self.pick("   (取り消すには: no)\n", "   (to take it back: no)\n"))?;
        loop {
            let Typed::Text(text) =
                self.line(self.pick("申し出る者の ID: ", "who says so (ids): "))?
            else {
                return Ok(None);
            };
            match participants(graph, &text) {
                Ok(by) => {
                    let Some(reason) = self.why()? else { continue };
                    return Ok(Some(match how {
                        Opposed::Refuse => Reply::Refused { by, reason },
                        Opposed::Deviation => Reply::Deviation { by, reason },
                    }));
                }
                Err(unknown) => self.unknown(&unknown)?,
            }
        }
    }

    /// The reason; nothing where the answer before it is taken back.
    fn why(&mut self) -> Result<Option<String>, Halt> {
        loop {
            let Typed::Text(reason) = self.line(self.pick("理由: ", "reason: "))? else {
                return Ok(None);
            };
            match run::words(&reason) {
                Ok(()) => return Ok(Some(reason)),
                Err(fault) => {
                    let asked = self.pick(WORDS, &fault.asked).to_string();
                    self.show(&format!("   ✗ {asked}\n"))?;
                }
            }
        }
    }

    fn unknown(&mut self, unknown: &str) -> Result<(), Halt> {
        let text = self.pick("参加者ではありません", "no participant");
        self.show(&format!("   ✗ {text}: {unknown}\n"))
    }

    /// A line that was typed. A terminal that steps back over octets, not characters, leaves parts
    /// of characters: what is no text is asked for again.
    fn line(&mut self, prompt: &str) -> Result<Typed, Halt> {
        let failed = |error: std::io::Error| no_terminal(&error.to_string());
        let _asked = secrets::Asked::shown(self.screen.try_clone().map_err(failed)?, prompt);
        loop {
            self.show(&format!("{PROMPT}{prompt}"))?;
            let mut line = Vec::new();
            if self.keys.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                return Err(no_terminal("its end"));
            }
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

/// What [`run::words`] asks, in Japanese.
const WORDS: &str = "1 行に 1 字以上 200 字以内の文字(タブや矢印キーは不可)を入力してください";

/// What a line says, however a no is written.
fn typed(text: &str) -> Typed {
    let word = half_width(text.trim_end_matches(['.', '。', '．'])).to_lowercase();
    match word.as_str() {
        "no" | "いいえ" => Typed::Opposed(Opposed::Refuse),
        "deviation" | "相違" => Typed::Opposed(Opposed::Deviation),
        _ => Typed::Text(text.to_string()),
    }
}

/// Letters and digits as an input method writes them, in their plain form.
fn half_width(text: &str) -> String {
    let plain = |c: char| match c {
        '！'..='～' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
        '−' => '-',
        '　' => ' ',
        c => c,
    };
    text.chars().map(plain).collect()
}

/// A whole number as records have it, from the ways in which people write it.
fn number(text: &str) -> String {
    let plain = half_width(text);
    plain.parse::<i64>().map_or(plain, |value| value.to_string())
}

/// Whether people read this from paper, and the screen does not show it.
fn stands_on_paper(fact: &Fact) -> bool {
    fact.rule == RuleId::S_PAPERS || fact.rule == RuleId::S_NOTED
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
    let text = half_width(text);
    for id in text.split([' ', ',', '、']).filter(|id| !id.is_empty()) {
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
    Halt::Interrupted(ceremony::fault::Fault {
        rule: RuleId::S_TERMINAL,
        asked: "a terminal to ask people at".to_string(),
        found: found.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_a_no_however_it_is_written() {
        for no in ["no", "No", "NO", "no.", "いいえ", "いいえ。", "ｎｏ"] {
            assert!(matches!(typed(no), Typed::Opposed(Opposed::Refuse)), "{no}");
        }
        for other in ["none", "p01", "n", "no way", "", "。"] {
            assert!(matches!(typed(other), Typed::Text(text) if text == other), "{other}");
        }
    }

    #[test]
    fn a_number_is_taken_as_people_write_it() {
        for (typed, taken) in
            [("2", "2"), ("+2", "2"), ("２", "2"), ("－２", "-2"), ("−2", "-2"), ("02", "2")]
        {
            assert_eq!(number(typed), taken);
        }
        assert_eq!(number("two"), "two");
    }
}
