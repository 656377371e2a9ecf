//! What an event of a record is, in words.

use ceremony::graph::{Act, Graph, Op, PeopleAct};
use ceremony::hex::decode;
use ceremony::name::Name;
use ceremony::record::{Answer, BootEvent, BootKind, End, Event, Outcome, Refuser, WHO};
use ceremony::run::{ABSENT, PRESENT};
use ceremony::script;
use ceremony::token::{TokenAnswer, is_of_wrong_pin};
use ceremony::words;

use crate::lang::{Lang, language, pick};
use crate::people::named;
use crate::report::plain;

/// The cause that a record has of an attempt that nobody answered before an interruption.
const INTERRUPTED: &str = "interrupted";
/// Where the events before a session came from.
pub(crate) const IMAGE: &str = "image";

/// An operation as people find it in the script: its number, its title, and whom or what it is
/// about.
pub(crate) fn step(graph: &Graph, name: &str, lang: Lang) -> String {
    let Some(op) = graph.op(name) else { return plain(name) };
    let title = script::step(graph, op, language(lang)).title;
    let about = about(graph, op, lang).map_or_else(String::new, |about| format!(": {about}"));
    format!("{}. {title}{about}", op.id.number())
}

/// Whom or what an act of people is about, where its title does not say it.
fn about(graph: &Graph, op: &Op, lang: Lang) -> Option<String> {
    let person = |id: &Name| {
        let known = graph.people().get(id).map(|person| lang.said(&person.name));
        known.map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
    };
    let organization = |id: &Name| {
        let known = graph.organizations().get(id);
        known.map_or_else(|| id.to_string(), |known| lang.said(known).to_string())
    };
    match &op.act {
        Act::People(PeopleAct::Entry { person: id } | PeopleAct::Exit { person: id }) => {
            Some(person(id))
        }
        Act::People(PeopleAct::Complete { organization: id }) => Some(organization(id)),
        Act::People(
            PeopleAct::ApproveDestruction { key: of, organization: id }
            | PeopleAct::ApproveLoss { key: of, organization: id }
            | PeopleAct::ApproveRecovery { token: of, organization: id },
        ) => Some(format!("{of}, {}", organization(id))),
        Act::People(PeopleAct::Application { application: of }) => Some(of.to_string()),
        Act::People(PeopleAct::Compromise { key: of }) => Some(of.to_string()),
        Act::People(PeopleAct::Supersede { ceremony: of, .. }) => Some(of.to_string()),
        Act::People(PeopleAct::Fingerprint { certificate: of }) => Some(of.to_string()),
        Act::People(PeopleAct::Clone { key, to }) => Some(format!("{key} → {to}")),
        Act::People(PeopleAct::Order { .. }) => Some(script::step(graph, op, language(lang)).say),
        Act::People(PeopleAct::HandOver { certificates }) => {
            let names: Vec<&str> = certificates.iter().map(Name::as_str).collect();
            Some(names.join(", "))
        }
        Act::People(
            PeopleAct::FirstIn
            | PeopleAct::RollCall { .. }
            | PeopleAct::Papers
            | PeopleAct::Clock
            | PeopleAct::Media
            | PeopleAct::Plate { .. }
            | PeopleAct::Activate
            | PeopleAct::Deactivate
            | PeopleAct::AnchorWords
            | PeopleAct::LastOut,
        )
        | Act::Token(_)
        | Act::Seal => None,
    }
}

/// A value in a record: a digest by its first words and digits, everything else as it stands.
fn value(text: &str, lang: Lang) -> String {
    match (text, decode(text).filter(|octets| octets.len() >= 8)) {
        (PRESENT, _) => pick(lang, "出席", text).to_string(),
        (ABSENT, _) => pick(lang, "欠席", text).to_string(),
        (_, Some(octets)) if octets.iter().all(|octet| *octet == 0) => {
            pick(lang, "なし(まだ書き留めていない)", "none noted yet").to_string()
        }
        (_, Some(octets)) => in_words(&octets, lang),
        (_, None) => plain(text),
    }
}

/// The first line of a digest in words, and the same octets in digits.
fn in_words(octets: &[u8], lang: Lang) -> String {
    let first = octets.get(..8).unwrap_or(octets);
    let line = words::first_line(first, language(lang));
    format!("{line} ({}…)", ceremony::hex::encode(first))
}

/// The Japanese name of a value, without the example that the prompt has.
fn name_of(name: &str) -> Option<&'static str> {
    named(name)?.split("(例").next()
}

/// Who or which rule refused.
fn refuser(rule: Refuser, lang: Lang) -> String {
    match (rule, lang) {
        (Refuser::People, Lang::Ja) => "参加者の申し出".to_string(),
        (Refuser::People | Refuser::Rule(_), _) => rule.to_string(),
    }
}

/// The result of an event.
pub(crate) const fn result(result: Outcome, lang: Lang) -> &'static str {
    match result {
        Outcome::Begun => pick(lang, "開始", "begun"),
        Outcome::Done => pick(lang, "完了", "done"),
        Outcome::Lost => pick(lang, "結果不明", "lost"),
        Outcome::Refused => pick(lang, "拒否", "refused"),
        Outcome::Noted => pick(lang, "記録", "noted"),
    }
}

/// Where an event came from: the token, the image, this program, or people by their identifiers.
pub(crate) fn origin(origin: &str, lang: Lang) -> &str {
    match origin {
        "token" => pick(lang, "トークン", origin),
        IMAGE => pick(lang, "イメージ", origin),
        other => other,
    }
}

/// Says what an event is. `title` gives the words for an operation's name.
pub(crate) fn said(event: &Event, title: &dyn Fn(&str) -> String, lang: Lang) -> String {
    let two = |ja, en| pick(lang, ja, en).to_string();
    let with = |ja, en, detail: String| format!("{}: {detail}", pick(lang, ja, en));
    match event {
        Event::Opened(opened) => with("開始", "opened", opened.ceremony.to_string()),
        Event::Asked(asked) => with("問い", "asked", title(&asked.op)),
        Event::Answered { op, answer: Answer::People(said), .. } => {
            let fact = |(name, text): (&String, &String)| {
                let name = match lang {
                    Lang::Ja => name_of(name).unwrap_or(name),
                    Lang::En => name,
                };
                format!(", {name} {}", value(text, lang))
            };
            title(op) + &said.facts.iter().map(fact).collect::<String>()
        }
        Event::Answered { op, answer: Answer::Token(answer), .. } => {
            format!("{}{}", title(op), of_token(answer, lang))
        }
        Event::Lost { op, cause, .. } if is_of_wrong_pin(cause) => {
            with("PIN の誤り", "a wrong PIN", title(op))
        }
        Event::Lost { op, cause, .. } => {
            let cause = match cause.as_str() {
                INTERRUPTED => pick(lang, "中断", INTERRUPTED).to_string(),
                cause => plain(cause),
            };
            with("結果不明", "lost", format!("{}: {cause}", title(op)))
        }
        Event::Adopted { op, .. } => with("結果不明の鍵の採用", "taken in doubt", title(op)),
        Event::OrphanRemoved { op, .. } => with("鍵の残りの削除", "removal of remains", title(op)),
        Event::Refused { op, rule, reason, .. } => {
            let who = refuser(*rule, lang);
            with("中止", "refusal", format!("{}: {who}: {}", title(op), plain(reason)))
        }
        Event::Mistaken { op, question, .. } => {
            let question = match (lang, question.as_str()) {
                (Lang::Ja, WHO) => "答えた者".to_string(),
                (Lang::Ja, name) => name_of(name).map_or_else(|| plain(name), String::from),
                (Lang::En, name) => plain(name),
            };
            with("誤った入力", "a wrong answer", format!("{} ({question})", title(op)))
        }
        Event::Noted { head, .. } => {
            let words = words::first_line(&head.0, language(lang));
            with("記録の最新値の書き留め", "head noted", words)
        }
        Event::Deviation { op, reason, .. } => {
            with("相違", "deviation", format!("{}: {}", title(op), plain(reason)))
        }
        Event::Paused { op, reason, .. } => {
            with("休憩", "a break", format!("{}: {}", title(op), plain(reason)))
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
