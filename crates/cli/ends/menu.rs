//! The table of ends for the menu of the live image, which has no shell.

use super::{Exit, Way};
use crate::halt::Reached;
use crate::lang::{Lang, pick};

/// Returns the exit for when the cause is remedied.
pub(super) const fn mended(reached: &Reached, lang: Lang) -> Exit {
    match reached {
        Reached::Nothing => (
            pick(
                lang,
                "原因を除き、メニューからもう一度行ってください。",
                "Mend the cause, and choose in the menu once more:",
            ),
            Way::Again,
        ),
        Reached::Taken(_) => (
            pick(
                lang,
                "空の媒体を挿し、メニューからもう一度行ってください。",
                "Put in empty media, and choose in the menu once more:",
            ),
            Way::Again,
        ),
        Reached::Begun => (
            pick(
                lang,
                "原因を除き、続けてください。メニューからも再開できます。",
                "Mend the cause and go on, here or from the menu:",
            ),
            Way::Resume,
        ),
        Reached::Paused => (
            pick(
                lang,
                "全員が戻ったら、メニューから再開してください。",
                "When everybody is back, go on from the menu:",
            ),
            Way::Resume,
        ),
        Reached::Stopped => (
            pick(
                lang,
                "メニューから、中止として封印してください。",
                "Close it as aborted, and seal it, from the menu:",
            ),
            Way::Resume,
        ),
        Reached::Unsealable => (
            pick(
                lang,
                "メニューから、全員が紙に署名する記録の値を示してください。",
                "Show the digest of the journal, which everyone signs on paper, from the menu:",
            ),
            Way::Abandon,
        ),
        Reached::Sealed => (
            pick(
                lang,
                "原因を除き、メニューから書き出してください。",
                "Mend the cause, and write the folder from the menu:",
            ),
            Way::Resume,
        ),
        Reached::GivenUp => (
            pick(
                lang,
                "原因を除き、メニューからもう一度示してください。",
                "Mend the cause, and show it once more from the menu:",
            ),
            Way::Abandon,
        ),
        Reached::Unlike(_) => (
            pick(
                lang,
                "どちらが信用できないかを監査員と確かめてください。役割の異なる 2 名が同意すれば、その記録を除いて再開できます。",
                "Find out with the auditor which one is not to be believed. With the consent of two people of two roles it goes on without that one:",
            ),
            Way::Resume,
        ),
    }
}

/// Returns the exit for when the cause cannot be remedied.
pub(super) const fn unmended(reached: &Reached, lang: Lang) -> Option<Exit> {
    match reached {
        Reached::Begun | Reached::Paused => Some((
            pick(
                lang,
                "中止するには、再開して、いずれかの質問に「いいえ」と答えてください。トークンにログインできないなど、原因を除けないときは、メニューから断念の手続をしてください。",
                "To stop it, go on and answer a question with no. If the cause cannot be mended, or nobody can log in any more, give it up from the menu:",
            ),
            Way::Abandon,
        )),
        Reached::Stopped => Some((
            pick(
                lang,
                "監査用の鍵が使えないとき、又は同じ検査で再び止まるときは、メニューから断念の手続をしてください。",
                "If the audit key cannot be used any more, or the same check stops it again, give it up from the menu:",
            ),
            Way::Abandon,
        )),
        Reached::Unlike(_) => Some((
            pick(
                lang,
                "再開できないときは、残る記録の断念の手続をしてください。",
                "If it cannot go on, give up the other one:",
            ),
            Way::Abandon,
        )),
        Reached::Nothing
        | Reached::Taken(_)
        | Reached::Unsealable
        | Reached::Sealed
        | Reached::GivenUp => None,
    }
}
