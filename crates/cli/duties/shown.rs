//! The calendar of a CA as text and as JSON.

use ceremony::calendar::{Item, Standing, What};
use ceremony::name::Name;
use serde_json::{Value, json};

use super::{Shown, day};
use crate::lang::{Lang, pick};
use crate::report::{padded, plain};
use crate::sources::shown as path_shown;
use crate::state::describe;

/// What an item is, in words.
pub(super) fn name(shown: &Shown, item: &Item, lang: Lang) -> String {
    let who = |person: &Name| lang.said(&shown.doers.named(person)).to_string();
    match &item.what {
        What::Duty(id) => {
            let duty = shown.of.policy.duty.get(id);
            duty.map_or_else(|| id.to_string(), |duty| lang.said(&duty.name.said()).to_string())
        }
        What::State(kind) => describe(kind, lang),
        What::Training(person) => match lang {
            Lang::Ja => format!("{} の教育訓練", who(person)),
            Lang::En => format!("training of {}", who(person)),
        },
        What::Appointment(person) => match lang {
            Lang::Ja => format!("{} の任命の終わり", who(person)),
            Lang::En => format!("the appointment of {} ends", who(person)),
        },
    }
}

/// The roles of an item, by their names in the policy.
pub(super) fn roles(shown: &Shown, item: &Item, lang: Lang) -> String {
    let one = |id: &Name| {
        let role = shown.of.policy.role.get(id);
        role.map_or_else(|| id.to_string(), |role| lang.said(&role.name.said()).to_string())
    };
    let roles = item.by.iter().map(one).collect::<Vec<_>>().join(pick(lang, "又は", " or "));
    let What::Duty(id) = &item.what else { return roles };
    match shown.of.policy.duty.get(id).and_then(|duty| duty.of.as_ref()) {
        None => roles,
        Some(of) => format!("{roles} ({})", of.get_ref()),
    }
}

/// When an item was last done, and by whom that was recorded; empty if it never was.
pub(super) fn last(item: &Item, lang: Lang) -> String {
    let Some((on, person)) = &item.last else { return String::new() };
    let last = pick(lang, "前回", "last");
    match &item.what {
        // Whose training it is stands there already.
        What::Training(_) => format!("{last} {on}"),
        What::Duty(_) | What::State(_) | What::Appointment(_) => format!("{last} {on} {person}"),
    }
}

pub(super) const fn standing(standing: Standing, lang: Lang) -> &'static str {
    match standing {
        Standing::Overdue => pick(lang, "期日を過ぎたもの", "overdue"),
        Standing::Due => pick(lang, "今日が期日のもの", "due today"),
        Standing::Coming => pick(lang, "期日の近いもの", "coming"),
        Standing::Later => pick(lang, "その後のもの", "later"),
        Standing::Undated => {
            pick(lang, "最初のセレモニーで期日の決まるもの", "dated by the first ceremony")
        }
        Standing::Done => pick(lang, "実施済みのもの", "done"),
    }
}

/// The calendar for people.
pub(super) fn text(shown: &Shown, lang: Lang) -> String {
    let mut text = head(shown, lang);
    let row = |item: &Item| {
        let id = match &item.what {
            What::Duty(id) => id.to_string(),
            What::State(_) | What::Training(_) | What::Appointment(_) => item.what.id(),
        };
        let name = plain(&name(shown, item, lang));
        let [roles, section] = [roles(shown, item, lang), item.section.clone()].map(|t| plain(&t));
        [day(item.on), id, name, roles, section, last(item, lang)]
    };
    let rows: Vec<(Standing, [String; 6])> =
        shown.items.iter().map(|item| (item.standing, row(item))).collect();
    let mut widths = [0; 6];
    for (_, row) in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(wide(cell));
        }
    }
    for which in Standing::ALL {
        let mut these = rows.iter().filter(|(standing, _)| *standing == which).peekable();
        if these.peek().is_some() {
            text.push_str(&format!("\n# {}\n", standing(which, lang)));
        }
        for (_, row) in these {
            let cells = row.iter().zip(widths).map(|(cell, width)| padded(cell, width + 2));
            text.push_str(&format!("  {}\n", cells.collect::<String>().trim_end()));
        }
    }
    text.push_str(&remarks(shown, lang));
    text
}

/// How wide a text is; a Japanese character is as wide as two.
fn wide(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

fn head(shown: &Shown, lang: Lang) -> String {
    let (at, ca, count) = (shown.at, shown.doers.ca(), shown.found.done.len());
    let records = path_shown(&shown.of.records);
    let ledger = match (&shown.ledger, lang) {
        (Some(ledger), _) => {
            let (folder, rests) = (path_shown(&ledger.folder), ledger.rests.said(lang));
            format!("{}: {folder}: {rests}", pick(lang, "台帳", "ledger"))
        }
        (None, Lang::Ja) => "台帳: なし(--ledger で示す)。セレモニーの期日は含まない".to_string(),
        (None, Lang::En) => {
            "ledger: none (--ledger names one), so nothing here is of ceremonies".to_string()
        }
    };
    match lang {
        Lang::Ja => format!("基準時刻 {at}({ca})\n{ledger}\n実施の記録: {records}: {count} 件\n"),
        Lang::En => {
            format!("at {at}, {ca}\n{ledger}\nrecords of what was done: {records}: {count}\n")
        }
    }
}

/// What is to be known of the records.
fn remarks(shown: &Shown, lang: Lang) -> String {
    let mut rows = Vec::new();
    for file in &shown.found.unregistered {
        let why = pick(
            lang,
            "数える。ただし、どのセレモニーの任命簿にもまだないカードの署名",
            "counts, but by a card that no ceremony has taken into the register yet",
        );
        rows.push(format!("{}: {why}", plain(file)));
    }
    for (file, why) in &shown.found.others {
        let head = pick(lang, "数えない", "not counted");
        rows.push(format!("{}: {head}: {}", plain(file), plain(lang.said(why))));
    }
    if rows.is_empty() {
        return String::new();
    }
    format!("\n# {}\n  {}\n", pick(lang, "実施の記録", "records"), rows.join("\n  "))
}

/// The calendar for other programs.
pub(super) fn json(shown: &Shown) -> Value {
    let item = |item: &Item| {
        let last = item.last.as_ref();
        json!({
            "id": item.what.id(),
            "name": { "ja": name(shown, item, Lang::Ja), "en": name(shown, item, Lang::En) },
            "section": item.section,
            "by": item.by.iter().map(Name::as_str).collect::<Vec<_>>(),
            "on": item.on.map(|day| day.to_string()),
            "coming-from": item.from.map(|day| day.to_string()),
            "standing": item.standing.name(),
            "last": last.map(|(on, person)| json!({ "on": on.to_string(), "person": person.as_str() })),
        })
    };
    let others = shown.found.others.iter();
    let others: Vec<Value> =
        others.map(|(file, why)| json!({ "file": file, "why": why.en })).collect();
    let ledger = shown.ledger.as_ref();
    json!({
        "at": shown.at.to_string(),
        "ca": shown.doers.ca().as_str(),
        "judged": ledger.and_then(|ledger| ledger.rests.name()),
        "ceremonies": ledger.map(|ledger| ledger.history.len()),
        "records": shown.found.done.len(),
        "unregistered": shown.found.unregistered,
        "not-counted": others,
        "items": shown.items.iter().map(item).collect::<Vec<_>>(),
    })
}
