//! Shows the clock of a machine without a network, with its limits, and lets people set it.
//!
//! What was set, and what failed, is shown. This includes the hardware clock, whose time applies
//! after the next start.

use std::fs;
use std::path::Path;
use std::process::Command;

use ceremony::language::Bilingual;
use ceremony::record::{BootKind, Outcome};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::{Instant, Offset};
use rustix::time::{ClockId, Timespec, clock_settime};

use super::boot_log::BootLog;
use super::{ask, say};
use crate::clock::{Bounds, Clock, judge_clock};
use crate::files::said;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::people::is_yes;
use crate::report;

/// The hardware clock, in whole seconds since 1970.
const HARDWARE: &str = "/sys/class/rtc/rtc0/since_epoch";

/// How far the hardware clock may differ from the system clock after it was set, in seconds.
const APART: i64 = 5;

/// Shows the clock until people confirm that it is right.
pub(super) fn confirm(
    bounds: &Bounds,
    offset: Offset,
    log: &BootLog,
    lang: Lang,
) -> Result<(), Halt> {
    loop {
        let before = Clock::System(offset).now()?;
        say(&shown(bounds, before, lang))?;
        let typed = ask(&match lang {
            Lang::Ja => {
                format!(
                    "正しければ yes(はい)、違えば {offset} の時刻を 2026-04-01 10:30:00 の形で: "
                )
            }
            Lang::En => format!(
                "yes if it is right; otherwise the time at {offset}, as 2026-04-01 10:30:00: "
            ),
        })?;
        if is_yes(&typed) {
            return log.note(BootKind::Clock, Outcome::Done, &format!("confirmed {before}"));
        }
        let moved = |at: &Instant| format!("set from {before} to {at}");
        match log.keep(BootKind::Clock, set(&typed, offset), moved) {
            Ok(at) => say(&became(at, lang)?)?,
            Err(halt) => report::show(&halt, lang),
        }
    }
}

/// Returns the text that shows the clock, its limits, and whether it is within them.
fn shown(bounds: &Bounds, now: Instant, lang: Lang) -> String {
    let mut text = format!("\n{}: {}", pick(lang, "時計", "clock"), spaced(now));
    if now.offset() != Offset::UTC {
        text.push_str(&format!(" = {}", spaced(now.at(Offset::UTC))));
    }
    if let Some((from, until)) = bounds.window {
        let (from, until) = (spaced(from), spaced(until));
        text.push_str(&match lang {
            Lang::Ja => format!("\n  実施時間帯: {from} から {until} まで"),
            Lang::En => format!("\n  the plan's window: {from} to {until}"),
        });
    }
    if let Some(last) = bounds.last {
        let what =
            pick(lang, "中断したセレモニーの最後の記録", "last record of the begun ceremony");
        text.push_str(&format!("\n  {what}: {}", spaced(last)));
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
                "時計が実施時間帯の外を指しています",
                "the clock stands outside the plan's window",
            ),
        });
    }
    text
}

/// Sets the system clock, and the hardware clock if possible, to a time in the CA's offset.
fn set(typed: &str, offset: Offset) -> Result<Instant, Halt> {
    let at = time_at(typed, offset)?;
    let time = Timespec { tv_sec: at.unix(), tv_nsec: 0 };
    clock_settime(ClockId::Realtime, time).map_err(|error| {
        let (at, why) = (spaced(at), said(&error.into()));
        let asked = says!(
            "{at} でなく、装置の時計にできる時刻",
            "a time that the machine's clock accepts, instead of {at}"
        );
        let found = says!(
            why;
            "合わせられなかった時計: {why}",
            "the clock was not set: {why}"
        );
        Halt::media(RuleId::S_CLOCK, asked, found)
    })?;
    // Whether this succeeded is read from the hardware clock itself (`became`).
    let _ = Command::new("hwclock").args(["-u", "-w"]).output();
    Ok(at)
}

/// Returns the message about what was set, after reading the hardware clock back.
fn became(at: Instant, lang: Lang) -> Result<String, Halt> {
    let done = pick(lang, "✓ 時計を合わせました", "✓ the clock was set");
    let kept = hardware(at.offset());
    let now = Clock::System(at.offset()).now()?;
    if kept.is_some_and(|kept| (now.unix() - kept.unix()).abs() <= APART) {
        return Ok(format!("{done}: {}", spaced(at)));
    }
    let kept = kept.map_or_else(|| pick(lang, "なし", "none").to_string(), spaced);
    Ok(format!(
        "{done}: {}\n{}: {kept}\n  {}",
        spaced(at),
        pick(lang, "✗ 本体の時計は合いませんでした", "✗ the machine's own clock did not take it"),
        pick(
            lang,
            "電源を切るまでは、合わせた時刻で動きます。次の起動では、時計を確かめてください。",
            "Until it is switched off, the machine goes by the time that was set. Look at the clock after the next start.",
        )
    ))
}

fn hardware(offset: Offset) -> Option<Instant> {
    let seconds = fs::read_to_string(Path::new(HARDWARE)).ok()?;
    Instant::from_unix(seconds.trim().parse().ok()?, offset).ok()
}

/// Parses a complete time; refuses anything that would have to be guessed or normalised.
fn time_at(typed: &str, offset: Offset) -> Result<Instant, Halt> {
    let at = typed.replacen(' ', "T", 1) + &offset.to_string();
    match at.parse::<Instant>() {
        Ok(at) if typed.len() == "2026-04-01 10:30:00".len() => Ok(at),
        Ok(_) | Err(_) => {
            let asked = says!(
                "2026-04-01 10:30:00 の形の {offset} の時刻、又は yes",
                "a time at {offset} as 2026-04-01 10:30:00, or yes"
            );
            Err(Halt::media(RuleId::S_CLOCK, asked, Bilingual::plain(typed)))
        }
    }
}

/// Writes a time as people read it: date, time of day, offset.
fn spaced(at: Instant) -> String {
    at.to_string().replace('T', " ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_clock_is_set_to_times_only() {
        let offset = |text: &str| text.parse().unwrap();
        for (text, east, utc) in [
            ("2026-04-01 00:30:00", "+09:00", "2026-03-31 15:30:00+00:00"),
            ("2026-03-31 23:00:00", "-03:30", "2026-04-01 02:30:00+00:00"),
            ("2026-03-31 23:00:00", "+00:00", "2026-03-31 23:00:00+00:00"),
        ] {
            let at = time_at(text, offset(east)).unwrap();
            assert_eq!(spaced(at), format!("{text}{east}"));
            assert_eq!(spaced(at.at(Offset::UTC)), utc);
        }
        for typed in ["", "soon", "2026-04-31 10:30:00", "2026-04-01", "2026-04-01 10:30:60", "YES"]
        {
            let Err(Halt::Media(fault)) = time_at(typed, offset("+09:00")) else {
                panic!("{typed}: accepted")
            };
            assert_eq!((fault.rule, fault.found.en.as_str()), (RuleId::S_CLOCK, typed));
        }
    }

    #[test]
    fn a_clock_is_shown_with_what_it_must_agree_with() {
        let at = |text| time_at(text, "+09:00".parse().unwrap()).unwrap();
        let window = Some((at("2026-04-01 10:00:00"), at("2026-04-01 18:00:00")));
        let last = Some(at("2026-04-01 11:00:00"));
        let shown = |now, last| shown(&Bounds { window, last }, at(now), Lang::En);
        let text = shown("2026-04-01 11:30:00", last);
        for part in [
            "clock: 2026-04-01 11:30:00+09:00 = 2026-04-01 02:30:00+00:00",
            "window: 2026-04-01 10:00:00+09:00 to 2026-04-01 18:00:00+09:00",
            "last record of the begun ceremony: 2026-04-01 11:00:00+09:00",
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
