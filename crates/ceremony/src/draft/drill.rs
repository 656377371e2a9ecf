//! A CA's first ceremony, moved to another day, so that it can be held as a drill on that day.
//!
//! Only what the rules tie to the day is rewritten, in place: the window, the beginning of each
//! certificate that begins with the ceremony, the day of the next one, and the trainings. What has
//! to be done before the ceremony and is planned for a later day is dated to this day: a drill is
//! held before people are appointed and the CP/CPS is in force. Everything else stays as it was.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::ops::Range;

use crate::cps::Cps;
use crate::hex::Digest;
use crate::key::PublicKey;
use crate::name::Name;
use crate::plan::Plan;
use crate::roster::Roster;
use crate::time::{Day, Offset};

/// The most days to the next ceremony.
const MOST: i64 = 60;

/// Returns the text of a plan whose window is this whole day. The next ceremony is as many days
/// later as planned, but at most 60: a drill need not sign more CRLs.
#[must_use]
pub fn plan_on(text: &str, plan: &Plan, day: Day, offset: Offset) -> String {
    let (window, begins) = (plan.window.get_ref(), day.start(offset));
    let planned = window.from.get_ref().at(offset).day();
    let mut changes = Changes::default();
    changes.put(window.from.span(), begins.to_string());
    changes.put(window.until.span(), day.last_second(offset).to_string());
    for certificate in plan.certificate.values() {
        if let Some(at) = &certificate.not_before
            && at.get_ref().at(offset).day() == planned
        {
            changes.put(at.span(), begins.to_string());
        }
    }
    if let Some(crls) = &plan.crls {
        let next = &crls.get_ref().next_ceremony;
        let days = next.get_ref().days_since(planned).min(MOST);
        if let Ok(next_day) = day.plus_days(days) {
            changes.put(next.span(), next_day.to_string());
        }
    }
    changes.made_in(text)
}

/// Returns the text of a roster in which everybody was trained on this day and on this procedure,
/// and whatever else is dated later was done on this day.
#[must_use]
pub fn roster_on(text: &str, roster: &Roster, day: Day, procedure: Digest) -> String {
    let mut changes = Changes::default();
    for training in &roster.training {
        changes.put(training.day.span(), day.to_string());
        changes.put(training.procedure.span(), format!("\"{procedure}\""));
    }
    for person in roster.person.values() {
        changes.put(person.trained.span(), format!("[{day}]"));
        for done in [
            &person.appointed.on,
            &person.eligible,
            &person.entry_right.granted,
            &person.credential.enrolled,
        ] {
            if *done.get_ref() > day {
                changes.put(done.span(), day.to_string());
            }
        }
        if let Some(ended) = person.ended.as_ref().filter(|ended| *ended.get_ref() > day) {
            changes.put(ended.span(), day.to_string());
        }
    }
    changes.made_in(text)
}

/// Returns the text of a roster in which these people have other cards.
#[must_use]
pub fn roster_with(text: &str, roster: &Roster, cards: &BTreeMap<Name, PublicKey>) -> String {
    let mut changes = Changes::default();
    for (id, person) in &roster.person {
        if let Some(key) = cards.get(id) {
            changes.put(person.credential.public_key.span(), format!("\"{key}\""));
        }
    }
    changes.made_in(text)
}

/// Returns the text of a CP/CPS that is in force on this day, if it comes into force later.
#[must_use]
pub fn cps_on(text: &str, cps: &Cps, day: Day, offset: Offset) -> String {
    let (from, begins) = (&cps.document.from, day.start(offset));
    let mut changes = Changes::default();
    if *from.get_ref() > begins {
        changes.put(from.span(), begins.to_string());
    }
    changes.made_in(text)
}

/// Values to be written in the place of others, by the first octet of each.
#[derive(Default)]
struct Changes(BTreeMap<usize, (usize, String)>);

impl Changes {
    fn put(&mut self, span: Range<usize>, value: String) {
        self.0.insert(span.start, (span.end, value));
    }

    fn made_in(self, text: &str) -> String {
        let mut out = String::from(text);
        for (start, (end, value)) in self.0.into_iter().rev() {
            out.replace_range(start..end, &value);
        }
        out
    }
}
