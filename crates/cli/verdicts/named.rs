//! People as a verdict names them.

use ceremony::language::Bilingual;
use ceremony::name::Name;
use ceremony::verify::Account;

use crate::lang::{Lang, pick};
use crate::report::plain;

/// An operation by its id, and by what the script calls it.
pub(crate) fn step(account: &Account, op: &str, lang: Lang) -> String {
    let title = account.titles.get(op).map(|title| plain(lang.said(title)));
    title.map_or_else(|| plain(op), |title| format!("{title} `{}`", plain(op)))
}

/// People by their ids and names.
pub(crate) fn people<'n>(
    account: &Account,
    by: impl IntoIterator<Item = &'n Name>,
    lang: Lang,
) -> String {
    let named = |id: &Name| {
        let name = account.people.get(id).map(|name: &Bilingual| match lang {
            Lang::Ja => plain(&name.ja),
            Lang::En => plain(&name.en),
        });
        name.map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
    };
    by.into_iter().map(named).collect::<Vec<_>>().join(pick(lang, "、", ", "))
}
