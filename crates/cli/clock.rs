//! The clock: where the time of an event comes from, and what it must agree with.

use std::time::{SystemTime, UNIX_EPOCH};

use ceremony::fault::Fault;
use ceremony::rule::RuleId;
use ceremony::time::Instant;

use crate::halt::Halt;

/// Where the time of an event comes from.
#[derive(Debug)]
pub(crate) enum Clock {
    /// The machine's.
    System,
    /// A rehearsal's: one second for each act of people.
    Planned(Instant),
}

impl Clock {
    pub(crate) fn now(&self) -> Result<Instant, Halt> {
        match self {
            Self::Planned(at) => Ok(*at),
            Self::System => {
                #[cfg(test)]
                if let Some(now) = crate::simulator::now() {
                    return Ok(now);
                }
                let seconds =
                    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                Instant::from_unix(seconds).map_err(|error| {
                    let asked = "a clock that shows a time of ours";
                    Halt::Interrupted(Fault::new(RuleId::R_TIME, asked, error.to_string()))
                })
            }
        }
    }

    /// A rehearsal's goes on by a second.
    pub(crate) const fn after_people(&mut self) {
        if let Self::Planned(at) = self {
            *at = at.plus_seconds(1);
        }
    }
}

/// What the clock must agree with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The plan's window, while there is something to do in it.
    pub(crate) window: Option<(Instant, Instant)>,
    /// The last record, if there is one.
    pub(crate) last: Option<Instant>,
}

/// Whether a ceremony can be held at this time.
pub(crate) fn judge_clock(bounds: &Bounds, now: Instant) -> Result<(), Fault> {
    if let Some(last) = bounds.last.filter(|last| now < *last) {
        let asked = format!("a time not before the last record, {last}");
        return Err(Fault::new(RuleId::S_TIME_BACK, asked, now.to_string()));
    }
    let outside = bounds.window.filter(|(from, until)| now < *from || now > *until);
    if let Some((from, until)) = outside {
        let asked = format!("a time between {from} and {until}");
        return Err(Fault::new(RuleId::S_WINDOW, asked, now.to_string()));
    }
    Ok(())
}
