//! Checks the clock before the first record is written.
//!
//! If the time is outside the plan's window, or before the last record, people see it; they set the
//! clock or stop. A ceremony that is resumed after its window can only be closed as aborted, and
//! people must confirm that first.

use ceremony::rule::RuleId;

use crate::clock::{Bounds, Clock, judge_clock};
use crate::ends::At;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::people::{People, is_no};

/// Returns when the clock is right, or when people confirm to go on after the window.
pub(crate) fn agree(
    people: &mut People,
    clock: &Clock,
    bounds: &Bounds,
    at: At,
    lang: Lang,
) -> Result<(), Halt> {
    while let Err(fault) = judge_clock(bounds, clock.now()?) {
        let late = fault.rule == RuleId::S_WINDOW && bounds.last.is_some();
        let shown = pick(lang, "時計が合わないか、実施時間帯の外です", "the clock does not agree");
        let asked = pick(lang, "求めたもの", "asked");
        let found = pick(lang, "あったもの", "found");
        let (what, was) = (lang.said(&fault.asked), lang.said(&fault.found));
        let shown = format!("\n✗ {shown}\n   {asked}: {what}\n   {found}: {was}\n");
        let Some(chosen) = people.choose(&shown, asks(late, at, lang))? else {
            // Nobody can set the clock. After the window the run itself refuses, and the abort is
            // sealed.
            return if late { Ok(()) } else { Err(Halt::Interrupted(fault)) };
        };
        match chosen.as_str() {
            typed if is_no(typed) => return Err(Halt::Interrupted(fault)),
            "late" if late => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

/// Returns the prompt for a wrong clock. On the live image, people set the clock in the menu.
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
    use ceremony::time::{Instant, Offset};

    #[test]
    fn a_clock_stands_in_the_window_and_not_before_the_last_record() {
        let at = Instant::from_unix(1_775_000_000, Offset::UTC)
            .unwrap_or_else(|error| unreachable!("{error}"));
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
