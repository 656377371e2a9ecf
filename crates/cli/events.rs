//! What an event of a record is, in words.

use ceremony::record::{Answer, BootEvent, BootKind, End, Event};
use ceremony::token::TokenAnswer;

use crate::lang::{Lang, pick};
use crate::report::plain;

/// Says what an event is. `title` gives the words for an operation's name.
pub(crate) fn said(event: &Event, title: &dyn Fn(&str) -> String, lang: Lang) -> String {
    let two = |ja, en| pick(lang, ja, en).to_string();
    let with = |ja, en, detail: String| format!("{}: {detail}", pick(lang, ja, en));
    match event {
        Event::Opened(opened) => with("開始", "opened", opened.ceremony.to_string()),
        Event::Asked(asked) => with("問い", "asked", title(&asked.op)),
        Event::Answered { op, answer: Answer::People(said), .. } => {
            let facts = said.facts.iter().map(|(name, value)| format!(", {name} {}", plain(value)));
            title(op) + &facts.collect::<String>()
        }
        Event::Answered { op, answer: Answer::Token(answer), .. } => {
            format!("{}{}", title(op), of_token(answer, lang))
        }
        Event::Lost { op, cause, .. } => {
            with("結果不明", "lost", format!("{}: {}", title(op), plain(cause)))
        }
        Event::Adopted { op, .. } => with("結果不明の鍵の採用", "taken in doubt", title(op)),
        Event::OrphanRemoved { op, .. } => with("鍵の残りの削除", "removal of remains", title(op)),
        Event::Refused { op, rule, reason, .. } => {
            with("中止", "refusal", format!("{}: {rule}: {}", title(op), plain(reason)))
        }
        Event::Mistaken { op, question, .. } => {
            with("誤った入力", "a wrong answer", format!("{} ({})", title(op), plain(question)))
        }
        Event::Noted { head, .. } => {
            let words = ceremony::words::lines(&head.0);
            let words = words.first().map_or_else(String::new, String::clone);
            with("最新値の書き留め", "head noted", words)
        }
        Event::Deviation { op, reason, .. } => {
            with("相違", "deviation", format!("{}: {}", title(op), plain(reason)))
        }
        Event::CardFailed { person, reason, .. } => {
            with("カードの不調", "a card that failed", format!("{person}: {}", plain(reason)))
        }
        Event::Resumed(_) => two("中断後の再開", "resumed after an interruption"),
        Event::Closed { end: End::Completed } => {
            two("完了までのすべての記録", "the record of the ceremony, which is complete")
        }
        Event::Closed { end: End::Aborted } => {
            two("中止までのすべての記録", "the record of the ceremony, which is aborted")
        }
        Event::Sealed { bundle } => with("封印", "sealed", bundle.to_string()),
    }
}

/// Says what the live image did before a session.
pub(crate) fn before(event: &BootEvent, lang: Lang) -> String {
    let kind = match event.kind {
        BootKind::Started => pick(lang, "イメージの起動", "image started"),
        BootKind::Checked => pick(lang, "イメージの自己点検", "image checked"),
        BootKind::Clock => pick(lang, "時計", "clock"),
        BootKind::Rehearsed => pick(lang, "基準とのリハーサル", "rehearsed with the golden"),
        BootKind::Media => pick(lang, "媒体", "media"),
        BootKind::Session => pick(lang, "セッションの終わり", "session ended"),
        BootKind::Copied => pick(lang, "媒体への写し", "copied to media"),
        BootKind::Omitted => pick(lang, "載せなかった件数", "left out"),
    };
    format!("{kind}: {}", plain(&event.what))
}

/// What a token answered, behind the operation.
fn of_token(answer: &TokenAnswer, lang: Lang) -> String {
    let count = |ja, en, number: usize| format!(", {} {number}", pick(lang, ja, en));
    match answer {
        TokenAnswer::Identity(token) => format!(", {}", plain(&token.serial)),
        TokenAnswer::Objects { objects } => count("オブジェクト", "objects:", objects.len()),
        TokenAnswer::Signatures { signatures } => count("署名", "signatures:", signatures.len()),
        TokenAnswer::Denied { code } => format!(", {}", plain(code)),
        TokenAnswer::Left { objects } => format!(", {} {objects}", pick(lang, "残り", "left:")),
        TokenAnswer::Done {}
        | TokenAnswer::Key(_)
        | TokenAnswer::Copied(_)
        | TokenAnswer::Heads { .. }
        | TokenAnswer::Yielded { .. } => String::new(),
    }
}
