//! The clock of a machine that knows no network: shown with what it must agree with, and set by
//! people.
//!
//! What was typed and not set is told, of the machine's own clock too: that one has the time after
//! the next start.

use std::fs;
use std::path::Path;
use std::process::Command;

use ceremony::rule::RuleId;
use ceremony::time::Instant;
use rustix::time::{ClockId, Timespec, clock_settime};

use super::{ask, say};
use crate::clock::{Bounds, Clock, judge_clock};
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::report;

/// The machine's own clock, in whole seconds since 1970.
const HARDWARE: &str = "/sys/class/rtc/rtc0/since_epoch";

/// How far the machine's own clock may be behind after it was set, in seconds.
const APART: i64 = 5;

/// Shows the clock until people say that it is right.
pub(super) fn confirm(bounds: &Bounds, lang: Lang) -> Result<(), Halt> {
    loop {
        say(&shown(bounds, Clock::System.now()?, lang))?;
        let typed = ask(pick(
            lang,
            "正しければ yes、違えば日本時間を 2026-04-01 10:30:00 の形で: ",
            "yes if it is right; otherwise the time in Japan, as 2026-04-01 10:30:00: ",
        ))?;
        if typed == "yes" {
            return Ok(());
        }
        match set(&typed) {
            Ok(at) => say(&became(at, lang)?)?,
            Err(halt) => report::show(&halt, lang),
        }
    }
}

/// The clock, what the ceremony asks of it, and whether it is so.
fn shown(bounds: &Bounds, now: Instant, lang: Lang) -> String {
    let mut text = format!("\n{}: {} ({})", pick(lang, "時計", "clock"), in_japan(now), utc(now));
    if let Some((from, until)) = bounds.window {
        let (from, until) = (in_japan(from), in_japan(until));
        text.push_str(&match lang {
            Lang::Ja => format!("\n  計画の期間: {from} から {until} まで"),
            Lang::En => format!("\n  the plan's window: {from} to {until}"),
        });
    }
    if let Some(last) = bounds.last {
        let what = pick(lang, "中断した儀式の最後の記録", "last record of the begun ceremony");
        text.push_str(&format!("\n  {what}: {}", in_japan(last)));
    }
    if let Err(fault) = judge_clock(bounds, now) {
        text.push_str("\n  ✗ ");
        text.push_str(match fault.rule {
            RuleId::S_TIME_BACK => pick(
                lang,
                "時計が最後の記録より前を指しています",
                "the clock stands before the last record",
            ),
            _ => pick(
                lang,
                "時計が計画の期間の外を指しています",
                "the clock stands outside the plan's window",
            ),
        });
    }
    text
}

/// Sets the clock to a time in Japan.
fn set(typed: &str) -> Result<Instant, Halt> {
    let at = time_in_japan(typed)?;
    let time = Timespec { tv_sec: at.unix(), tv_nsec: 0 };
    clock_settime(ClockId::Realtime, time).map_err(|error| {
        let asked = format!("a time that the machine can have, not {}", in_japan(at));
        Halt::media(RuleId::S_CLOCK, asked, format!("the clock was not set: {error}"))
    })?;
    // The result is read from the clock itself.
    let _ = Command::new("hwclock").args(["-u", "-w"]).output();
    Ok(at)
}

/// What was set, and what was not: the machine's own clock is read back.
fn became(at: Instant, lang: Lang) -> Result<String, Halt> {
    let done = pick(lang, "✓ 時計を合わせました", "✓ the clock was set");
    let kept = hardware();
    let now = Clock::System.now()?;
    if kept.is_some_and(|kept| (now.unix() - kept.unix()).abs() <= APART) {
        return Ok(format!("{done}: {}", in_japan(at)));
    }
    let kept = kept.map_or_else(|| pick(lang, "なし", "none").to_string(), in_japan);
    Ok(format!(
        "{done}: {}\n{}: {kept}\n  {}",
        in_japan(at),
        pick(lang, "✗ 本体の時計は合いませんでした", "✗ the machine's own clock did not take it"),
        pick(
            lang,
            "電源を切るまでは、合わせた時刻で動きます。次の起動では、時計を確かめてください。",
            "Until it is switched off, the machine goes by the time that was set. Look at the clock after the next start.",
        )
    ))
}

fn hardware() -> Option<Instant> {
    let seconds = fs::read_to_string(Path::new(HARDWARE)).ok()?;
    Instant::from_unix(seconds.trim().parse().ok()?).ok()
}

/// A whole time, and nothing that a clock would make one of.
fn time_in_japan(typed: &str) -> Result<Instant, Halt> {
    let at = typed.replacen(' ', "T", 1) + "+09:00";
    match at.parse::<Instant>() {
        Ok(at) if typed.len() == "2026-04-01 10:30:00".len() => Ok(at),
        Ok(_) | Err(_) => {
            let asked = "a time in Japan as 2026-04-01 10:30:00, or yes";
            Err(Halt::media(RuleId::S_CLOCK, asked, typed))
        }
    }
}

fn in_japan(at: Instant) -> String {
    at.to_string().replace('T', " ").replace("+09:00", " JST")
}

fn utc(at: Instant) -> String {
    let (year, month, day, hour, minute, second) = at.utc();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_clock_is_set_to_times_only() {
        let at = time_in_japan("2026-04-01 10:30:00").unwrap();
        assert_eq!(in_japan(at), "2026-04-01 10:30:00 JST");
        assert_eq!(utc(at), "2026-04-01 01:30:00 UTC");
        for typed in ["", "soon", "2026-04-31 10:30:00", "2026-04-01", "2026-04-01 10:30:60", "YES"]
        {
            let Err(Halt::Media(fault)) = time_in_japan(typed) else { panic!("{typed}: accepted") };
            assert_eq!((fault.rule, fault.found.as_str()), (RuleId::S_CLOCK, typed));
        }
    }

    #[test]
    fn a_clock_is_shown_with_what_it_must_agree_with() {
        let at = |text| time_in_japan(text).unwrap();
        let window = Some((at("2026-04-01 10:00:00"), at("2026-04-01 18:00:00")));
        let last = Some(at("2026-04-01 11:00:00"));
        let shown = |now, last| shown(&Bounds { window, last }, at(now), Lang::En);
        let text = shown("2026-04-01 11:30:00", last);
        for part in [
            "clock: 2026-04-01 11:30:00 JST (2026-04-01 02:30:00 UTC)",
            "window: 2026-04-01 10:00:00 JST to 2026-04-01 18:00:00 JST",
            "last record of the begun ceremony: 2026-04-01 11:00:00 JST",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains('✗'), "{text}");
        assert!(
            shown("2026-04-01 10:30:00", last)
                .ends_with("✗ the clock stands before the last record")
        );
        let text = shown("1970-01-01 00:00:01", None);
        assert!(text.ends_with("✗ the clock stands outside the plan's window"), "{text}");
        assert!(!text.contains("last record"), "{text}");
    }
}
