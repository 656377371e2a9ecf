//! The clock that gives the time of each record, and the limits of that time.

use std::time::{SystemTime, UNIX_EPOCH};

use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::time::{Instant, Offset};

use crate::halt::Halt;

/// The source of the time of a record.
#[derive(Debug)]
pub(crate) enum Clock {
    /// The system clock, in the offset of the CA.
    System(Offset),
    /// The clock of a rehearsal: it advances by one second for each act of people.
    Planned(Instant),
}

impl Clock {
    pub(crate) fn now(&self) -> Result<Instant, Halt> {
        match self {
            Self::Planned(at) => Ok(*at),
            Self::System(offset) => {
                #[cfg(test)]
                if let Some(now) = crate::simulator::now(*offset) {
                    return Ok(now);
                }
                let seconds =
                    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                Instant::from_unix(seconds, *offset).map_err(|error| {
                    let asked = says!(
                        "この時代の時刻を示す時計",
                        "a clock that shows a time of the present era"
                    );
                    Halt::Interrupted(Fault::new(RuleId::R_TIME, asked, error.said()))
                })
            }
        }
    }

    /// Advances a rehearsal's clock by one second; does nothing to the system clock.
    pub(crate) const fn after_people(&mut self) {
        if let Self::Planned(at) = self {
            *at = at.plus_seconds(1);
        }
    }
}

/// The limits for the time of a ceremony.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The plan's window, as long as an operation remains to be done in it.
    pub(crate) window: Option<(Instant, Instant)>,
    /// The time of the last record, if there is one.
    pub(crate) last: Option<Instant>,
}

/// Checks that a ceremony can be held at this time.
pub(crate) fn judge_clock(bounds: &Bounds, now: Instant) -> Result<(), Fault> {
    if let Some(last) = bounds.last.filter(|last| now < *last) {
        return Err(Fault::new(RuleId::S_TIME_BACK, not_before(last), Bilingual::plain(now)));
    }
    let outside = bounds.window.filter(|(from, until)| now < *from || now > *until);
    if let Some((from, until)) = outside {
        let asked = says!("{from} から {until} までの時刻", "a time between {from} and {until}");
        return Err(Fault::new(RuleId::S_WINDOW, asked, Bilingual::plain(now)));
    }
    Ok(())
}

/// The demand on the time of every record, as a refusal states it.
pub(crate) fn not_before(last: Instant) -> Bilingual {
    says!("最後の記録の時刻 {last} 以後の時刻", "a time not before the last record, {last}")
}
