//! Shows people the progress while the token works: the current step of the script, and a summary
//! of the token's answer.

use ceremony::graph::{Act, Op, TokenAct};
use ceremony::record::Answer;
use ceremony::run::Run;
use ceremony::script;
use ceremony::token::{NO_VALUE, NO_WRAPPING, TokenAnswer, TokenIdentity};
use ceremony::words;

use super::Conduct;
use crate::events;
use crate::lang::{Lang, language, pick};
use crate::people::People;
use crate::report::plain;

impl Conduct {
    /// Shows the number and title of a step as the script has them.
    ///
    /// At a terminal, a step of people is not shown here, because its question shows all of it.
    pub(super) fn show(&self, run: &Run, op: &Op) {
        if op.act.is_of_people() && matches!(self.people, People::Terminal(_)) {
            return;
        }
        let title = script::step(run.graph(), op, language(self.lang)).title;
        let all = run.graph().ops().len();
        self.say(&format!("[{:>3}/{all}] {title} `{}`", op.id.number(), op.name));
    }

    /// Says that the result of an attempt is not known, because it was interrupted, and with which
    /// numbers the next one is made. Of an answer of people nothing can be unknown: they are asked
    /// once more.
    pub(super) fn say_lost(&self, run: &Run, op: &Op, attempt: u32) {
        let step = events::step(run.graph(), &op.name, self.lang);
        let is_made_again = run.stopped().is_none();
        if let Act::Token(act) = &op.act {
            self.say(&lost(&step, &op.name, act, attempt, is_made_again, self.lang));
        }
    }

    /// Says that a head is another one than the one that was shown for this operation before the
    /// interruption, and what becomes of that one on paper.
    pub(super) fn say_another_head(&mut self, op: &Op) {
        if self.unnoted.take_if(|unnoted| *unnoted == op.name).is_some() {
            self.say(another_head(op.act.is_of_people(), self.lang));
        }
    }

    /// Shows the head that is to be noted. At a terminal, the question shows it.
    pub(super) fn show_head(&self, run: &Run) {
        if matches!(self.people, People::Terminal(_)) {
            return;
        }
        let head = words::first_line(&run.head().0, language(self.lang));
        let label = pick(self.lang, "記録の最新値", "head");
        self.say(&format!("          {label}: {head}"));
    }
}

/// Words an attempt of a token that was interrupted.
fn lost(
    step: &str,
    name: &str,
    act: &TokenAct,
    attempt: u32,
    is_made_again: bool,
    lang: Lang,
) -> String {
    let next = attempt.saturating_add(1);
    let is_numbered = matches!(act, TokenAct::Sign(_) | TokenAct::Generate { .. });
    let (ja, en) = match (is_made_again, is_numbered) {
        (true, true) => (
            format!(
                "試行 {attempt} の番号は二度と使いません。次は試行 {next} で、番号は構築手順書の別紙 B のとおりです。"
            ),
            format!(
                " Its numbers are never used. Attempt {next} follows, with its numbers in annex B of the script."
            ),
        ),
        (true, false) => (format!("次は試行 {next} です。"), format!(" Attempt {next} follows.")),
        (false, true) => (
            format!("試行 {attempt} の番号は二度と使いません。"),
            " Its numbers are never used.".to_string(),
        ),
        (false, false) => (String::new(), String::new()),
    };
    match lang {
        Lang::Ja => format!(
            "!! 手順 {step} `{name}` の試行 {attempt} は中断したので、結果不明と記録しました。{ja}"
        ),
        Lang::En => format!(
            "!! Attempt {attempt} of step {step} `{name}` was interrupted: it is recorded as lost, because its result is not known.{en}"
        ),
    }
}

/// Says why a head is another one than before the interruption.
const fn another_head(is_of_people: bool, lang: Lang) -> &'static str {
    match is_of_people {
        true => pick(
            lang,
            "!! 中断の前に書き留めようとしていた値は無効です。この手順を記録し直したので、次の値は新しい値です。前の値を書いていれば、線で消してください。",
            "!! The head that was being noted before the interruption does not count: this step was recorded once more, so the head below is a new one. If the one before is on paper, strike it out.",
        ),
        false => pick(
            lang,
            "!! 中断の前に書き留めようとしていた値は無効です。再開の記録が加わったので、次の値は新しい値です。前の値を書いていれば、線で消してください。",
            "!! The head that was being noted before the interruption does not count: the record of this session was added, so the head below is a new one. If the one before is on paper, strike it out.",
        ),
    }
}

/// Returns a summary of a token's answer.
pub(super) fn seen(act: &Act, answer: &Answer, lang: Lang) -> Option<String> {
    let Answer::Token(answer) = answer else { return None };
    let (ja, en) = match answer {
        TokenAnswer::Identity(token) => {
            // The serial number is read from the plate first.
            let TokenIdentity { label, manufacturer, model, .. } = token;
            let told = plain(&format!("{label} · {manufacturer} · {model}"));
            let odd = [("label", label), ("manufacturer", manufacturer), ("model", model)];
            let odd: Vec<&str> =
                odd.iter().filter(|(_, text)| text.contains("\\x")).map(|(n, _)| *n).collect();
            let (ja, en) = match odd.is_empty() {
                true => (String::new(), String::new()),
                false => (
                    format!("\n          ({}: 文字でない値を \\xNN で示した)", odd.join(", ")),
                    format!(
                        "\n          ({}: bytes that are not text are shown as \\xNN)",
                        odd.join(", ")
                    ),
                ),
            };
            (format!("トークン: {told}{ja}"), format!("token: {told}{en}"))
        }
        TokenAnswer::Objects { objects } => {
            let count = objects.len();
            (format!("オブジェクト: {count} 個"), format!("objects: {count}"))
        }
        TokenAnswer::Key(_) | TokenAnswer::Copied(_) => {
            ("属性: 計画のとおり".into(), "attributes: as planned".into())
        }
        TokenAnswer::Denied { code } => {
            let ja = match code.as_str() {
                NO_VALUE => "値なし",
                NO_WRAPPING => "ラップのメカニズムなし",
                code => code,
            };
            (format!("拒否: {ja}"), format!("refused: {code}"))
        }
        TokenAnswer::Signatures { signatures } => {
            let count = signatures.len();
            (format!("検証した署名: {count} 件"), format!("signatures verified: {count}"))
        }
        TokenAnswer::Heads { values } => {
            let count = values.len();
            (
                format!("トークン上の台帳の最新値: {count} 個"),
                format!("heads on the token: {count}"),
            )
        }
        TokenAnswer::Left { objects } => {
            (format!("残り: {objects} 個"), format!("objects left: {objects}"))
        }
        TokenAnswer::Done {} => match act {
            Act::Token(TokenAct::Login { .. }) => ("ログインしました".into(), "logged in".into()),
            Act::Token(TokenAct::Logout { .. }) => {
                ("ログアウトしました".into(), "logged out".into())
            }
            Act::Token(_) | Act::People(_) | Act::Seal => return None,
        },
        TokenAnswer::Yielded { .. } => return None,
    };
    Some(match lang {
        Lang::Ja => ja,
        Lang::En => en,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ceremony::name::Name;

    #[test]
    fn an_attempt_that_is_lost_is_said_with_the_numbers_of_the_next() {
        let key: Name = "g1".parse().unwrap_or_else(|_| unreachable!());
        let generate = TokenAct::Generate { key };
        let said = |act, is_made_again, lang| lost("28. 鍵", "x", act, 0, is_made_again, lang);
        let ja = said(&generate, true, Lang::Ja);
        assert!(ja.starts_with("!! 手順 28. 鍵 `x` の試行 0 は中断"), "{ja}");
        assert!(ja.contains("次は試行 1 で、番号は構築手順書の別紙 B"), "{ja}");
        let en = said(&generate, true, Lang::En);
        assert!(en.contains("Attempt 1 follows, with its numbers in annex B"), "{en}");
        // What has no numbers has none in the annex; after a stop nothing is made again.
        assert!(said(&TokenAct::SignHead, true, Lang::En).ends_with(" Attempt 1 follows."));
        assert!(said(&generate, false, Lang::En).ends_with(" Its numbers are never used."));
        assert!(said(&TokenAct::SignHead, false, Lang::Ja).ends_with("記録しました。"));
    }
}
