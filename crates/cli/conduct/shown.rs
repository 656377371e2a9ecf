//! Shows people the progress while the token works: the current step of the script, and a summary
//! of the token's answer.

use ceremony::graph::{Act, Op, TokenAct};
use ceremony::record::Answer;
use ceremony::run::Run;
use ceremony::script;
use ceremony::token::{NO_VALUE, NO_WRAPPING, TokenAnswer, TokenIdentity};
use ceremony::words;

use super::Conduct;
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
