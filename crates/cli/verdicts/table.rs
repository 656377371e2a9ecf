//! The table of people and times: who is on record with what, and whether their cards sign it.

use std::collections::BTreeSet;

use ceremony::name::Name;
use ceremony::verify::{Account, Mark};

use super::named::{people, step};
use crate::lang::{Lang, pick};

/// Returns a line for each record of people, in order, with a column for each of them.
pub(super) fn of(account: &Account, lang: Lang) -> String {
    let acts = &account.history.acts;
    let columns: BTreeSet<&Name> = acts.iter().flat_map(|deed| &deed.by).collect();
    let title = pick(lang, "参加者と時刻", "people and times");
    let legend = pick(
        lang,
        "S 本人のカードがこの記録に署名、s 本人の後の署名が覆う、- 申告のみ",
        "S signed by this person's card, s covered by a later signature of it, - stated only",
    );
    let mut text = format!("\n# {title}\n  {legend}\n");
    for person in &columns {
        text.push_str(&format!("  {}\n", people(account, [*person], lang)));
    }
    let width = |person: &Name| person.as_str().len();
    let heads: String = columns.iter().map(|person| format!(" {person}")).collect();
    text.push_str(&format!("\n  {:<19}{heads}\n", ""));
    for (index, deed) in acts.iter().enumerate() {
        let cell = |person: &&Name| {
            let mark = match account.mark(index, person) {
                Some(Mark::Signed) => "S",
                Some(Mark::Covered) => "s",
                Some(Mark::Stated) => "-",
                None => "",
            };
            format!(" {mark:^width$}", width = width(person))
        };
        let cells: String = columns.iter().map(cell).collect();
        let at: String = deed.at.to_string().chars().take(19).collect();
        text.push_str(&format!("  {at}{cells}  {}\n", what(account, &deed.what, lang)));
    }
    text
}

/// What a record is: an operation by its title and its id, or the kind of an event.
fn what(account: &Account, what: &str, lang: Lang) -> String {
    if account.titles.contains_key(what) {
        return step(account, what, lang);
    }
    let ja = match what {
        "approved" => "計画の承認",
        "noted" => "記録の最新値の書き留め",
        "deviation" => "相違",
        "refused" => "中止の申し出",
        "mistaken" => "誤った入力",
        "paused" => "休憩",
        "card-failed" => "カードの不調",
        "orphan-removed" => "鍵の残りの削除",
        "resumed" => "中断後の再開",
        "closed" => "記録の全体への署名",
        other => other,
    };
    pick(lang, ja, what).to_string()
}
