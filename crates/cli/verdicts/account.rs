//! The part of a verdict before its last line: where and with what a ceremony was held, what was
//! not as planned, and on which evidence the verdict rests.

use ceremony::ledger::State;
use ceremony::name::Name;
use ceremony::record::{Aside, End, NO_IMAGE, Outcome, Place, Refuser, Resumed, WHO};
use ceremony::run::Stop;
use ceremony::time::Instant;
use ceremony::verify::{
    Account, Consistent, Happening, History, Judged, Postscript, Standing, What,
};

use super::named::{people, step};
use crate::lang::{Lang, language, pick};
use crate::output;
use crate::report::{padded, plain};

/// What pins the postscript from outside. It is written after the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pinned {
    /// The anchor pins it.
    Anchor,
    /// The first record of the next ceremony names its digest; that ceremony was not judged.
    By(Name),
    /// The first record of the next ceremony names another digest.
    Another(Name),
    /// Nothing that was looked at.
    No,
}

/// Returns everything that is printed before the verdict's last line.
pub(crate) fn said(facts: &Consistent, pinned: &Pinned, lang: Lang) -> String {
    let account = &facts.account;
    let name = format!("{} {} (#{})", account.ca, facts.opened.ceremony, account.sequence);
    let mut text = format!("{name}\n");
    let width = match lang {
        Lang::Ja => 26,
        Lang::En => 11,
    };
    for (label, value) in circumstances(facts, pinned, lang) {
        text.push_str(&format!("  {}{value}\n", padded(label, width)));
    }
    text.push_str(&format!("\n# {}\n", pick(lang, "計画どおりでなかったこと", "not as planned")));
    let rows = unplanned(facts, lang);
    if rows.is_empty() {
        text.push_str(&format!("  {}\n", pick(lang, "なし", "nothing")));
    }
    for row in rows {
        text.push_str(&format!("  {row}\n"));
    }
    let gaps = gaps(&facts.state, lang);
    if !gaps.is_empty() {
        let title = pick(lang, "ここまでの台帳", "the ledger up to here");
        text.push_str(&format!("\n# {title}\n  {}\n", gaps.join("\n  ")));
    }
    text
}

fn circumstances(facts: &Consistent, pinned: &Pinned, lang: Lang) -> Vec<(&'static str, String)> {
    let mut rows = held(facts, lang);
    rows.extend(tokens(facts, lang));
    // On the papers graph and bindings stand under these names.
    rows.push((pick(lang, "グラフ(graph)", "graph"), facts.opened.graph.to_string()));
    let bindings = pick(lang, "バインディング(bindings)", "bindings");
    rows.push((bindings, facts.opened.bindings.to_string()));
    let approved: Vec<&str> = facts.opened.approvals.keys().map(Name::as_str).collect();
    if !approved.is_empty() {
        rows.push((pick(lang, "カードによる承認", "approved by"), approved.join(" ")));
    }
    rows.push((pick(lang, "記録の最新値", "head"), facts.head.to_string()));
    rows.push((pick(lang, "監査用の鍵", "audit key"), facts.audit_key.to_string()));
    let told = postscript(facts.postscript, lang).to_string() + &pinned_by(pinned, lang);
    rows.push((pick(lang, "封印後", "postscript"), told));
    rows
}

/// When, where and with what it was held, apart from the tokens.
pub(crate) fn held(facts: &Consistent, lang: Lang) -> Vec<(&'static str, String)> {
    let history = &facts.account.history;
    let of = |part: fn(&Place) -> &String| {
        let mut values: Vec<String> = Vec::new();
        for (_, place) in &history.sessions {
            let value = match part(place).as_str() {
                "rehearsal" => pick(lang, "リハーサル", "rehearsal").to_string(),
                value => plain(value),
            };
            if values.last() != Some(&value) {
                values.push(value);
            }
        }
        values.join(pick(lang, "、次に ", ", then "))
    };
    let time = |at: Option<Instant>| at.map_or_else(String::new, |at| at.to_string());
    let begun = history.sessions.first().map(|(at, _)| *at);
    let image = of(|place| &place.image);
    let image = if image == NO_IMAGE { pick(lang, "なし", "none").to_string() } else { image };
    let mut rows = vec![
        (pick(lang, "種別", "mode"), mode(facts, lang).to_string()),
        (pick(lang, "時刻", "held"), format!("{} – {}", time(begun), time(history.ended))),
        (pick(lang, "実施場所", "room"), of(|place| &place.room)),
        (pick(lang, "端末", "terminal"), of(|place| &place.terminal)),
        (pick(lang, "ツール", "tool"), of(|place| &place.tool)),
        (pick(lang, "イメージ", "image"), image),
    ];
    rows.extend(since_boot(&history.sessions, lang));
    rows
}

/// Counts what the live image recorded before the sessions, and what of it was refused.
fn since_boot(sessions: &[(Instant, Place)], lang: Lang) -> Option<(&'static str, String)> {
    let events = || sessions.iter().flat_map(|(_, place)| &place.since_boot);
    let refused = events().filter(|event| event.result == Outcome::Refused).count();
    let total = events().count();
    let told = match lang {
        Lang::Ja => format!("{total} 件の出来事、うち拒否 {refused} 件(gishiki log に示す)"),
        Lang::En => format!("{total} events, {refused} of them refused (gishiki log shows them)"),
    };
    (total > 0).then_some((pick(lang, "起動から", "since boot"), told))
}

const fn mode(facts: &Consistent, lang: Lang) -> &'static str {
    match lang {
        Lang::En => output::mode(facts.mode),
        Lang::Ja => match facts.mode {
            ceremony::record::Mode::Rehearsal => "リハーサル",
            ceremony::record::Mode::Drill => "訓練",
            ceremony::record::Mode::Real => "本番",
        },
    }
}

/// Lists the tokens by serial number, with the identity that they reported.
fn tokens(facts: &Consistent, lang: Lang) -> Vec<(&'static str, String)> {
    let place = &facts.opened.room;
    let described = |serial: &String| {
        let identity = facts.account.history.tokens.get(serial);
        let described = identity.map(|one| {
            let (label, model) = (plain(one.label.trim()), plain(one.model.trim()));
            let (maker, firmware) = (plain(one.manufacturer.trim()), plain(&one.firmware));
            format!(" ({label}; {maker} {model}, {firmware})")
        });
        format!("{}{}", plain(serial), described.unwrap_or_default())
    };
    let root = (pick(lang, "トークン", "token"), described(&place.token));
    let spares = place.spares.iter();
    let spares = spares.map(|(name, serial)| {
        (pick(lang, "トークン", "token"), format!("{name}: {}", described(serial)))
    });
    std::iter::once(root).chain(spares).collect()
}

/// Says how far the postscript goes.
pub(crate) const fn postscript(found: Postscript, lang: Lang) -> &'static str {
    match found {
        Postscript::Complete => pick(lang, "完了", "complete"),
        Postscript::Refused => pick(
            lang,
            "最後まで記録されている。ただし、拒否されて行われなかった手順がある",
            "ended, but something in it was refused and stays undone",
        ),
        Postscript::Incomplete => pick(
            lang,
            "途中まで(退室・非活性化などは判定しない)",
            "incomplete: exits, deactivation and what else follows the seal are not judged",
        ),
        Postscript::Absent => pick(
            lang,
            "なし(退室・非活性化などは判定しない)",
            "absent: exits, deactivation and what else follows the seal are not judged",
        ),
    }
}

/// Says what pins the postscript.
fn pinned_by(pinned: &Pinned, lang: Lang) -> String {
    match (pinned, lang) {
        (Pinned::Anchor, Lang::Ja) => "、アンカーが固定する".to_string(),
        (Pinned::Anchor, Lang::En) => "; pinned by the anchor".to_string(),
        (Pinned::By(next), Lang::Ja) => format!("、{next} の記録と一致(そちらは未検証)"),
        (Pinned::By(next), Lang::En) => format!("; pinned by {next}, which was not judged here"),
        (Pinned::Another(next), Lang::Ja) => format!("、{next} は別のものを記録している"),
        (Pinned::Another(next), Lang::En) => format!("; {next} names another one"),
        (Pinned::No, Lang::Ja) => "、固定なし(後のセレモニーは見つからない)".to_string(),
        (Pinned::No, Lang::En) => "; not pinned: no later ceremony was found".to_string(),
    }
}

/// Lists exceptions, rules that are not simply kept, and what happened.
fn unplanned(facts: &Consistent, lang: Lang) -> Vec<String> {
    let mut rows = otherwise(facts, lang);
    let account = &facts.account;
    let told = |one: &Happening| format!("{}  {}", one.at, happening(account, &one.what, lang));
    rows.extend(account.history.happened.iter().map(told));
    rows.extend(stopped_by_itself(facts, lang));
    rows
}

/// Lists exceptions, rules that are not simply kept, and who came otherwise than planned.
pub(crate) fn otherwise(facts: &Consistent, lang: Lang) -> Vec<String> {
    let account = &facts.account;
    let exceptions = account.exceptions.iter();
    let mut rows: Vec<String> = exceptions
        .map(|line| format!("{} {}", pick(lang, "例外", "exception"), plain(lang.said(line))))
        .collect();
    rows.extend(super::rules::unkept(facts, lang));
    for (label, who) in [
        (pick(lang, "欠席", "absent"), &account.absent),
        (pick(lang, "予備の参加者から出席", "came in reserve"), &account.reserves),
    ] {
        if !who.is_empty() {
            rows.push(format!("{label}: {}", people(account, who, lang)));
        }
    }
    rows
}

/// Something at an operation.
fn at(account: &Account, what: &str, op: &str, lang: Lang) -> String {
    let op = step(account, op, lang);
    match lang {
        Lang::Ja => format!("{what}({op})"),
        Lang::En => format!("{what} at {op}"),
    }
}

/// Says what happened, at which operation, and who states it.
pub(crate) fn happening(account: &Account, what: &What, lang: Lang) -> String {
    let who = |by: &[Name]| people(account, by, lang);
    match what {
        What::Deviation { op, reason, by } => {
            let word = at(account, pick(lang, "相違", "deviation"), op, lang);
            format!("{word}: {} [{}]", plain(reason), who(by))
        }
        What::Refused { op, rule, reason, by } => {
            let word = at(account, pick(lang, "拒否", "refused"), op, lang);
            let by = match by.is_empty() {
                true => rule.to_string(),
                false => who(by),
            };
            format!("{word}: {} [{by}]", plain(reason))
        }
        What::Paused { op, reason, by } => {
            let word = at(account, pick(lang, "休憩", "a break"), op, lang);
            let stayed = pick(lang, "残った者", "who stayed");
            format!("{word}: {} [{stayed}: {}]", plain(reason), who(by))
        }
        What::Interrupted { since, resumed, is_break } => {
            let parts = [
                interruption(*since, resumed, *is_break, lang),
                lone_refusal(account, resumed, lang),
                put_aside(resumed, lang),
                new_medium(account, resumed, lang),
            ];
            parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
        }
        What::Mistaken { op, question } => {
            let word = pick(lang, "誤った入力", "a wrong answer");
            format!("{} ({})", at(account, word, op, lang), question_named(question, lang))
        }
        What::WrongPin { op } => at(account, pick(lang, "PIN の誤り", "a wrong PIN"), op, lang),
        What::Lost { op, attempt, cause } => {
            let op = step(account, op, lang);
            match lang {
                Lang::Ja => {
                    let cause = plain(cause);
                    let cause = if cause == "interrupted" { "中断".to_string() } else { cause };
                    format!("結果不明({op}、試行 {attempt}): {cause}")
                }
                Lang::En => format!("lost: {op}, attempt {attempt}: {}", plain(cause)),
            }
        }
        What::Adopted { op } => {
            let word = "a key pair in doubt was complete, and taken";
            at(account, pick(lang, "結果不明の鍵ペアは完全であり採用", word), op, lang)
        }
        What::CardFailed { person, reason, by } => {
            let word = pick(lang, "カードが署名せず", "no signature by the card of");
            format!(
                "{word}: {} ({}) [{}]",
                who(std::slice::from_ref(person)),
                plain(reason),
                who(by)
            )
        }
        What::Removed { op, by } => {
            let word = pick(lang, "不完全な鍵ペアを除去", "remains of a key pair removed");
            format!("{} [{}]", at(account, word, op, lang), who(by))
        }
    }
}

/// Returns the name of a question as the terminal asked it; records use the English name.
fn question_named(question: &str, lang: Lang) -> String {
    let named = match (lang, question) {
        (Lang::Ja, WHO) => Some("確認した者の ID"),
        (Lang::Ja, question) => crate::people::named(question),
        (Lang::En, _) => None,
    };
    named.map_or_else(|| plain(question), str::to_string)
}

fn interruption(since: Instant, resumed: &Resumed, is_break: bool, lang: Lang) -> String {
    let Resumed { torn, copied, dropped, .. } = resumed;
    let (ja, en) = match is_break {
        true => ("休憩", "a break"),
        false => ("中断", "an interruption"),
    };
    match lang {
        Lang::Ja => format!(
            "{since} の後に{ja}、再開(写した記録 {copied} 件、片方の媒体にだけあり採用しなかった記録 {dropped} 件、切り捨て {torn} オクテット)"
        ),
        Lang::En => format!(
            "went on after {en} since {since} (records copied: {copied}, on one medium only and not taken: {dropped}, octets cut off: {torn})"
        ),
    }
}

/// Words a refusal that was on one medium only, and whether it held.
fn lone_refusal(account: &Account, resumed: &Resumed, lang: Lang) -> String {
    let Some(refusal) = &resumed.refusal else { return String::new() };
    let by = match refusal.by.is_empty() {
        true => refusal.rule.to_string(),
        false => people(account, &refusal.by, lang),
    };
    let lifted = || people(account, &refusal.lifted, lang);
    let word = match (lang, refusal.holds()) {
        (Lang::Ja, true) => String::from("片方の媒体にだけあった拒否(維持)"),
        (Lang::Ja, false) => format!("片方の媒体にだけあった拒否(撤回 [{}])", lifted()),
        (Lang::En, true) => String::from("a refusal on one medium only, which holds"),
        (Lang::En, false) => {
            format!("a refusal on one medium only, which does not hold [{}]", lifted())
        }
    };
    format!("{word}: {} [{by}]", plain(&refusal.reason))
}

fn put_aside(resumed: &Resumed, lang: Lang) -> String {
    let Some(Aside { sha256, records }) = &resumed.aside else { return String::new() };
    match lang {
        Lang::Ja => format!("脇に置いた記録 {records} 件(SHA-256 {sha256})"),
        Lang::En => format!("a journal of {records} records put aside (SHA-256 {sha256})"),
    }
}

fn new_medium(account: &Account, resumed: &Resumed, lang: Lang) -> String {
    if resumed.new_medium.is_empty() {
        return String::new();
    }
    let word = pick(lang, "新しい媒体", "a new medium");
    format!("{word} [{}]", people(account, &resumed.new_medium, lang))
}

/// Says why a ceremony was aborted if no refusal in the record says so.
pub(crate) fn stopped_by_itself(facts: &Consistent, lang: Lang) -> Option<String> {
    let happened = &facts.account.history.happened;
    let refused = happened.iter().any(|one| matches!(one.what, What::Refused { .. }));
    let Stop { rule, reason } = facts.stopped.as_ref().filter(|_| !refused)?;
    Some(format!("{} {rule}: {}", pick(lang, "中止", "stopped by"), plain(reason)))
}

/// Shows the values of this ceremony's slip of paper in words, which people compare with the
/// paper.
pub(super) fn slip(facts: &Consistent, lang: Lang) -> String {
    let Some(held) = facts.state.held.last() else { return String::new() };
    let mut text = format!("\n# {}\n", pick(lang, "控えの値(単語)", "its slip, in words"));
    let key = held.audit_key.map(|key| ("audit-key", key));
    let key = key.map(|(name, key)| (pick(lang, "audit-key 監査用の鍵", name), key));
    let head = pick(lang, "head 記録の最新値", "head");
    let values = [("bindings", held.bindings), (head, held.head)];
    let postscript = [(pick(lang, "postscript 追記の最新値", "postscript"), held.postscript)];
    for (name, value) in values.into_iter().chain(postscript).chain(key) {
        let lines = ceremony::words::shown(&value.0, language(lang));
        text.push_str(&format!("  {name}\n    {}\n", lines.join("\n    ")));
    }
    text
}

/// Lists the periods up to the last ceremony in which a key had no CRL in force.
pub(crate) fn gaps(state: &State, lang: Lang) -> Vec<String> {
    let Some(last) = &state.last else { return Vec::new() };
    let row = |gap: ceremony::ledger::Gap| match lang {
        Lang::Ja => {
            format!(
                "{} に有効な CRL がない: {} – {}({} 日)",
                gap.key,
                gap.from,
                gap.until,
                gap.days()
            )
        }
        Lang::En => {
            format!(
                "no CRL of {} in force: {} – {} ({} days)",
                gap.key,
                gap.from,
                gap.until,
                gap.days()
            )
        }
    };
    state.uncovered(last.ended_at).into_iter().map(row).collect()
}

/// Says that a ceremony was aborted, why, and by whom. Such a folder hands out no certificate.
pub(crate) fn aborted(facts: &Consistent, lang: Lang) -> String {
    match facts.end {
        End::Completed => String::new(),
        End::Aborted => {
            let stop = facts.stopped.as_ref();
            let by = facts.account.history.happened.iter().rev().find_map(|one| {
                let What::Refused { by, .. } = &one.what else { return None };
                (!by.is_empty()).then(|| people(&facts.account, by, lang))
            });
            let by = match stop.map(|stop| stop.rule) {
                Some(Refuser::Rule(rule)) => rule.to_string(),
                Some(Refuser::People) | None => by.unwrap_or_default(),
            };
            let reason = stop.map_or_else(String::new, |stop| plain(&stop.reason));
            match lang {
                Lang::Ja => format!("中止: {reason} [{by}]。引き渡すものなし\n"),
                Lang::En => format!("aborted by {by}: {reason}; nothing is handed out\n"),
            }
        }
    }
}

/// Counts what was not as planned, for one line of a ledger.
pub(super) fn counted(history: &History, lang: Lang) -> String {
    let some = counts(history, lang).into_iter().filter(|(_, count)| *count > 0);
    some.map(|(word, count)| format!("{}{word}: {count}", pick(lang, "、", ", "))).collect()
}

/// Counts everything that can go otherwise than planned, under its name.
pub(crate) fn counts(history: &History, lang: Lang) -> Vec<(&'static str, usize)> {
    let mut counts = [0_usize; 10];
    for one in &history.happened {
        let place = match &one.what {
            What::Deviation { .. } => 0,
            What::Refused { .. } => 1,
            What::Interrupted { is_break: true, .. } => continue,
            What::Interrupted { is_break: false, .. } => 2,
            What::WrongPin { .. } => 3,
            What::Lost { .. } => 4,
            What::Adopted { .. } => 5,
            What::Removed { .. } => 6,
            What::Mistaken { .. } => 7,
            What::CardFailed { .. } => 8,
            What::Paused { .. } => 9,
        };
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    let words = [
        pick(lang, "相違", "deviations"),
        pick(lang, "拒否", "refusals"),
        pick(lang, "中断", "interruptions"),
        pick(lang, "PIN の誤り", "wrong PINs"),
        pick(lang, "結果不明", "lost attempts"),
        pick(lang, "採用した鍵", "key pairs taken in doubt"),
        pick(lang, "除去した鍵の残り", "remains removed"),
        pick(lang, "誤った入力", "wrong answers"),
        pick(lang, "署名しないカード", "cards that did not sign"),
        pick(lang, "休憩", "breaks"),
    ];
    words.into_iter().zip(counts).collect()
}

/// The same, with what only a sealed ceremony has.
pub(super) fn counted_of(facts: &Consistent, lang: Lang) -> String {
    let exceptions = match facts.account.exceptions.len() {
        0 => String::new(),
        count => format!("{}: {count}", pick(lang, "、例外", ", exceptions")),
    };
    let reported = |judged: &&Judged| matches!(judged.standing, Standing::Reported(_));
    let reports = match facts.account.unkept().filter(reported).count() {
        0 => String::new(),
        count => format!("{}: {count}", pick(lang, "、報告", ", reports")),
    };
    let postscript = match facts.postscript {
        Postscript::Complete => "",
        Postscript::Refused => {
            pick(lang, "、封印後に行われなかったものがある", ", something undone after the seal")
        }
        Postscript::Incomplete => pick(lang, "、封印後の記録は途中まで", ", postscript incomplete"),
        Postscript::Absent => pick(lang, "、封印後の記録なし", ", no postscript"),
    };
    counted(&facts.account.history, lang) + &exceptions + &reports + postscript
}
