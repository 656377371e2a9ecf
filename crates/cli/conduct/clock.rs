//! The clock before anything is durable: one that stands outside the plan's window, or before the
//! last record, is shown to people. They set it, or stop.
//!
//! A ceremony that is resumed after its window can only be closed as aborted: people say so first.

use ceremony::rule::RuleId;

use crate::clock::{Bounds, Clock, judge_clock};
use crate::ends::At;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::people::People;

/// Returns when the clock is right, or when people go on with one that is late.
pub(crate) fn agree(
    people: &mut People,
    clock: &Clock,
    bounds: &Bounds,
    at: At,
    lang: Lang,
) -> Result<(), Halt> {
    while let Err(fault) = judge_clock(bounds, clock.now()?) {
        let late = fault.rule == RuleId::S_WINDOW && bounds.last.is_some();
        let shown = pick(lang, "時計が合いません", "the clock does not agree");
        let asked = pick(lang, "求めたもの", "asked");
        let found = pick(lang, "あったもの", "found");
        let shown =
            format!("\n✗ {shown}\n   {asked}: {}\n   {found}: {}\n", fault.asked, fault.found);
        let Some(chosen) = people.choose(&shown, asks(late, at, lang))? else {
            // Nobody is there to set it. One that is late is refused by the run, and sealed so.
            return if late { Ok(()) } else { Err(Halt::Interrupted(fault)) };
        };
        match chosen.as_str() {
            "no" | "いいえ" => return Err(Halt::Interrupted(fault)),
            "late" if late => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

/// What people can do with a clock that does not agree. On the live image they set it in the menu.
const fn asks(late: bool, at: At, lang: Lang) -> &'static str {
    match (late, at) {
        (true, At::Shell) => pick(
            lang,
            "時計を合わせて Enter。時計が正しく、中止として閉じるなら late。やめるなら no: ",
            "set it and press Enter; late if it is right, to close as aborted; no stops: ",
        ),
        (false, At::Shell) => pick(
            lang,
            "時計を合わせて Enter。やめるなら no: ",
            "set it and press Enter; no stops: ",
        ),
        (true, At::Menu) => pick(
            lang,
            "no でメニューに戻り、時計を合わせる。時計が正しく、中止として閉じるなら late。Enter でもう一度見る: ",
            "no, and then the clock can be set in the menu; late if it is right, to close as aborted; Enter looks again: ",
        ),
        (false, At::Menu) => pick(
            lang,
            "no でメニューに戻り、時計を合わせる。Enter でもう一度見る: ",
            "no, and then the clock can be set in the menu; Enter looks again: ",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ceremony::time::Instant;

    #[test]
    fn a_clock_stands_in_the_window_and_not_before_the_last_record() {
        let at = Instant::from_unix(1_775_000_000).unwrap_or_else(|error| unreachable!("{error}"));
        let later = |seconds| at.plus_seconds(seconds);
        let bounds = Bounds { window: Some((at, later(100))), last: Some(later(50)) };
        let rule = |now| judge_clock(&bounds, now).err().map(|fault| fault.rule);
        assert_eq!(rule(later(50)), None);
        assert_eq!(rule(later(100)), None);
        assert_eq!(rule(later(49)), Some(RuleId::S_TIME_BACK));
        assert_eq!(rule(later(101)), Some(RuleId::S_WINDOW));
        let begins = Bounds { last: None, ..bounds };
        let early = Bounds { window: Some((later(1), later(2))), ..begins };
        assert_eq!(judge_clock(&early, at).err().map(|fault| fault.rule), Some(RuleId::S_WINDOW));
    }

    #[test]
    fn at_the_menu_people_are_led_back_to_it() {
        for late in [false, true] {
            assert!(asks(late, At::Menu, Lang::En).contains("in the menu"));
            assert!(asks(late, At::Menu, Lang::Ja).contains("メニュー"));
            assert_eq!(asks(late, At::Menu, Lang::En).contains("late if it is right"), late);
        }
    }
}
