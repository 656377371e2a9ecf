//! Asks people for one value: shows what they compare it with, and reads what they type.

use ceremony::language::Language;
use ceremony::rule::RuleId;
use ceremony::run::{self, Fact, FactKind, HEAD};
use ceremony::time::Offset;
use ceremony::words;

use super::super::typed::{
    Opposed, Typed, attendance, digits, is_back, is_nothing, is_same, number,
};
use super::Terminal;
use crate::clock::Clock;
use crate::halt::Halt;

/// What is given where a value is asked for.
pub(super) enum Given {
    Value(String),
    /// Back to the value before, which was typed wrong.
    Back,
    Opposed(Opposed),
    /// No valid answer.
    Mistaken,
}

impl Terminal {
    /// Asks for one value.
    pub(super) fn ask_fact(&mut self, fact: &Fact, offset: Offset) -> Result<Given, Halt> {
        // A value on the papers is never shown: people compare it by typing it.
        let on_paper = stands_on_paper(fact);
        let prompt = self.prompt(fact, offset, on_paper)?;
        let text = match self.line_or_break(&prompt)? {
            Typed::Opposed(how) => return Ok(Given::Opposed(how)),
            Typed::Text(text) if is_back(&text) => return Ok(Given::Back),
            Typed::Text(text) => text,
        };
        let value = match &fact.kind {
            FactKind::Digest(_) if is_nothing(&text) && fact.name == HEAD => Ok("0".repeat(64)),
            FactKind::Digest(_) => digits(&text),
            FactKind::Integer(..) => Ok(number(&text)),
            FactKind::Words => Ok(text),
            // How letters are written on a plate says nothing.
            FactKind::Plate(serial) if is_same(serial, &text) => Ok(serial.clone()),
            FactKind::Plate(_) => Ok(text),
            FactKind::Attendance { .. } => Ok(attendance(&text)),
        };
        let value = match value {
            Ok(value) if fact.judge(&value).is_ok() => Ok(value),
            Ok(value) => Err(self.not(fact, &value)),
            Err(unread) => Err(self.language.pick(&unread).to_string()),
        };
        match value {
            Ok(value) => {
                if matches!(fact.kind, FactKind::Digest(_) | FactKind::Plate(_)) {
                    self.show(self.pick("   ✓ 一致しました\n", "   ✓ agrees\n"))?;
                }
                Ok(Given::Value(value))
            }
            Err(said) => {
                self.show(&format!("   ✗ {said}\n"))?;
                if fact.name == HEAD && on_paper {
                    self.show(self.pick(
                        "   画面で確認した者の ID が書かれた最後の値を入力してください。\n",
                        "   Enter the last value that has beside it the id of who confirmed it on the screen.\n",
                    ))?;
                }
                Ok(Given::Mistaken)
            }
        }
    }

    /// Returns why a value is not the answer. A digest that differs is not shown beside the right
    /// one: people look for it on the papers or on the screen.
    fn not(&self, fact: &Fact, value: &str) -> String {
        match (&fact.kind, self.language) {
            (FactKind::Digest(_) | FactKind::Plate(_), _) => {
                self.pick("一致しません", "does not agree").to_string()
            }
            (FactKind::Integer(low, high), Language::Ja) => {
                format!("{low} から {high} までの整数ではありません")
            }
            (FactKind::Integer(low, high), Language::En) => {
                format!("not a whole number from {low} to {high}")
            }
            (FactKind::Attendance { .. }, _) => self
                .pick("present(出席)か absent(欠席)で答えてください", "present or absent")
                .to_string(),
            (FactKind::Words, _) => {
                run::words(value).err().map_or_else(String::new, |fault| self.words(&fault.asked))
            }
        }
    }

    fn prompt(&mut self, fact: &Fact, offset: Offset, on_paper: bool) -> Result<String, Halt> {
        let name = self.name(fact);
        Ok(match &fact.kind {
            FactKind::Digest(_) if fact.name == HEAD && on_paper => format!(
                "{name} ({}): ",
                self.pick(
                    "書き留め、確認した最後のかな(ローマ字)6 語か英単語 8 語。なければ none(なし)",
                    "8 words or more of the last one noted and confirmed; none if there is none"
                )
            ),
            FactKind::Digest(_) if on_paper => {
                format!(
                    "{name} ({}): ",
                    self.pick(
                        "書類の初めのかな(ローマ字)6 語、英単語 8 語又は 16 進 16 桁以上",
                        "8 words or more, or 16 digits, from the papers"
                    )
                )
            }
            FactKind::Digest(digest) => {
                self.show(&format!("   {name}\n   {digest}\n"))?;
                for line in words::shown(&digest.0, self.language) {
                    self.show(&format!("     {line}\n"))?;
                }
                format!(
                    "{name} ({}): ",
                    self.pick(
                        "読み上げた初めのかな(ローマ字)6 語又は英単語 8 語",
                        "the first 8 words, as read aloud"
                    )
                )
            }
            FactKind::Integer(low, high) => {
                if fact.name == "offset-seconds" {
                    self.show_clock(offset)?;
                }
                format!("{name} ({low}…{high}): ")
            }
            FactKind::Words | FactKind::Plate(_) => format!("{name}: "),
            FactKind::Attendance { .. } => {
                format!("{name} ({}): ", self.pick("present 出席/absent 欠席", "present/absent"))
            }
        })
    }

    /// Shows the machine's time, and how the difference is calculated.
    fn show_clock(&mut self, offset: Offset) -> Result<(), Halt> {
        let now = Clock::System(offset).now()?;
        self.show(&match self.language {
            Language::Ja => format!(
                "   装置の時計: {now}\n   差 = 装置の時刻 − 持ち込んだ時計の時刻(装置が進んでいれば正)\n"
            ),
            Language::En => format!(
                "   the machine's clock: {now}\n   difference = the machine's minus the one carried in (positive if the machine is ahead)\n"
            ),
        })
    }

    /// Returns the name of a value at the terminal.
    fn name(&self, fact: &Fact) -> &'static str {
        match self.language {
            Language::En => fact.name,
            Language::Ja => named(fact.name).unwrap_or(fact.name),
        }
    }
}

/// Returns the Japanese name of a value, which records call by its English name in every language.
///
/// The papers name `graph` and `bindings` by these English names.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    match name {
        "attendance" => Some("出欠"),
        "offset-seconds" => Some("時計の差(秒)"),
        "reference" => Some("持ち込んだ時計の名称"),
        "second-factor" => Some("第二の認証要素の名称(例: トークンカード)"),
        "plate" => Some("銘板の製造番号"),
        "procedure" => Some("複製の手順の名称と版"),
        "head" => Some("記録の最新値"),
        "audit-key" => Some("監査用の鍵の値"),
        "paper" => Some("申請書のダイジェスト"),
        "notification" => Some("届出のダイジェスト"),
        "requests" => Some("CSR の一覧のダイジェスト"),
        "sha256" => Some("SHA-256"),
        _ => None,
    }
}

/// Whether people read this value from paper, and the screen does not show it.
fn stands_on_paper(fact: &Fact) -> bool {
    fact.rule == RuleId::S_PAPERS || fact.rule == RuleId::S_NOTED
}
