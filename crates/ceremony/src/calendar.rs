//! The calendar of a CA: what is due, from its policy, the state of its ledger, its register, and
//! the records of what was done (docs/decisions/0127).
//!
//! A duty of the policy is due so long after the day on which it was last done; until it was done
//! for the first time, after the CA's first ceremony. What ceremonies have to do is said by the
//! state ([`State::due`](crate::ledger::State::due)).
//!
//! **Deliberately absent:** today, and any number of a CA. Both are given.

mod done;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

pub use self::done::{Doers, Done, Evidence, Weighed, Written};

use crate::fault::Fault;
use crate::ledger::{Due, DueKind, State};
use crate::name::Name;
use crate::policy::{Duty, Policy};
use crate::roster::{PersonEntry, Roster};
use crate::rule::RuleId;
use crate::says;
use crate::time::{CalendarSpan, Day, Instant, TimeError};

/// Something that is due, was done, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub what: What,
    /// The section of the CP/CPS, as the policy's table has it.
    pub section: String,
    /// The roles that the policy names for it; none for what ceremonies and appointments ask.
    pub by: Vec<Name>,
    /// Its date; `None` if it has none yet, or was done once and for all.
    pub on: Option<Day>,
    /// The day from which it is coming.
    pub from: Option<Day>,
    /// How it stands.
    pub standing: Standing,
    /// When it was last done, and by whom that was recorded.
    pub last: Option<(Day, Name)>,
}

/// What something in the calendar is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A duty of the policy.
    Duty(Name),
    /// What the state of the ledger asks.
    State(DueKind),
    /// The training of a person (5.3.4).
    Training(Name),
    /// The last day of a person's appointment.
    Appointment(Name),
}

/// How something stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Its date has passed.
    Overdue,
    /// It is due on this day.
    Due,
    /// Its date is near.
    Coming,
    /// Its date is further away.
    Later,
    /// Its date follows from the CA's first ceremony, which is not there yet.
    Undated,
    /// It was done, once and for all.
    Done,
}

impl Standing {
    /// Every standing, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Overdue, Self::Due, Self::Coming, Self::Later, Self::Undated, Self::Done];

    /// Its word in data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::Coming => "coming",
            Self::Later => "later",
            Self::Undated => "undated",
            Self::Done => "done",
        }
    }

    fn of(on: Day, from: Option<Day>, today: Day) -> Self {
        match on.days_since(today) {
            ..0 => Self::Overdue,
            0 => Self::Due,
            _ if from.is_some_and(|from| from <= today) => Self::Coming,
            _ => Self::Later,
        }
    }
}

impl What {
    /// Its id, the same on every day: a calendar moves what it knows by it.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Duty(id) => format!("duty.{id}"),
            Self::State(kind) => format!("state.{}", of_state(kind)),
            Self::Training(person) => format!("training.{person}"),
            Self::Appointment(person) => format!("appointment.{person}"),
        }
    }
}

fn of_state(kind: &DueKind) -> String {
    match kind {
        DueKind::Crls => "crls".to_string(),
        DueKind::CrlsRunOut(key) => format!("crls-run-out.{key}"),
        DueKind::Renewal(certificate) => format!("renewal.{certificate}"),
        DueKind::Rollover(key) => format!("rollover.{key}"),
        DueKind::RolloverEnds(key) => format!("rollover-ends.{key}"),
        DueKind::KeyUse(key) => format!("key-use.{key}"),
        DueKind::RootEnds(key) => format!("root-ends.{key}"),
    }
}

/// A ledger, and the day of its first ceremony.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The state that it left.
    pub state: &'a State,
    /// The day on which the first ceremony ended.
    pub first: Day,
}

/// Everything that is in the calendar on a day, by date. `ledger` is `None` before a first
/// ceremony; of `records` those that are later count for nothing.
///
/// # Errors
///
/// S-DUTY, if a date lies outside of the calendar.
pub fn items(
    policy: &Policy,
    roster: &Roster,
    ledger: Option<Held<'_>>,
    records: &[Done],
    at: Instant,
) -> Result<Vec<Item>, Fault> {
    let today = at.day();
    let mut items = Vec::new();
    let mut last: BTreeMap<&Name, (Day, Name)> = BTreeMap::new();
    for done in records.iter().filter(|done| done.at.at(at.offset()).day() <= today) {
        let this = (done.on, done.person.clone());
        match last.get(&done.duty) {
            Some(known) if *known >= this => {}
            Some(_) | None => drop(last.insert(&done.duty, this)),
        }
    }
    let first = ledger.map(|held| held.first);
    for (id, duty) in &policy.duty {
        items.push(of_duty(id, duty, (first, last.get(id)), today).map_err(|e| out(id, &e))?);
    }
    if let Some(held) = ledger {
        for due in held.state.due(policy, at) {
            items.push(of_ledger(policy, due, at)?);
        }
    }
    for (id, person) in roster.person.iter().filter(|(_, person)| serves(person, today)) {
        items.extend(of_person(policy, id, person, today)?);
    }
    items.sort_by_cached_key(|item| (item.standing, item.on, item.what.id()));
    Ok(items)
}

fn out(what: impl core::fmt::Display, error: &TimeError) -> Fault {
    let asked = says!("{what} の期日", "the date of {what}");
    Fault::new(RuleId::S_DUTY, asked, error.said())
}

fn serves(person: &PersonEntry, today: Day) -> bool {
    let ended = person.ended.as_ref().map(|day| *day.get_ref());
    *person.appointed.on.get_ref() <= today && ended.is_none_or(|ended| today <= ended)
}

fn of_duty(
    id: &Name,
    duty: &Duty,
    (genesis, last): (Option<Day>, Option<&(Day, Name)>),
    today: Day,
) -> Result<Item, TimeError> {
    let after =
        |day: Day| duty.every.as_ref().map(|every| day.plus(every.get_ref(), 1)).transpose();
    let first = duty.first.as_ref().map(|day| *day.get_ref());
    let on = match (last, first, genesis) {
        (Some((day, _)), _, _) => after(*day)?,
        (None, Some(first), _) => Some(first),
        // What is done once is done before the first ceremony.
        (None, None, Some(genesis)) => Some(after(genesis)?.unwrap_or(genesis)),
        (None, None, None) => None,
    };
    let from = on.map(|on| on.plus(duty.within.get_ref(), -1)).transpose()?;
    let standing = match on {
        Some(on) => Standing::of(on, from, today),
        None if last.is_some() => Standing::Done,
        None => Standing::Undated,
    };
    Ok(Item {
        what: What::Duty(id.clone()),
        section: duty.section.clone(),
        by: duty.by.iter().map(|role| role.get_ref().clone()).collect(),
        on,
        from,
        standing,
        last: last.cloned(),
    })
}

/// The day from which something is coming of which no `[duty.…]` says it.
fn from(policy: &Policy, on: Day) -> Result<Option<Day>, TimeError> {
    let within: Option<&CalendarSpan> = policy.calendar.as_ref().map(|one| one.within.get_ref());
    within.map(|within| on.plus(within, -1)).transpose()
}

fn of_ledger(policy: &Policy, due: Due, at: Instant) -> Result<Item, Fault> {
    let on = due.by.at(*policy.ca.offset.get_ref()).day();
    let from = from(policy, on).map_err(|error| out(of_state(&due.kind), &error))?;
    let standing = match due.is_overdue_at(at) {
        true => Standing::Overdue,
        // A time of this day that has not passed yet.
        false => Standing::of(on.max(at.day()), from, at.day()),
    };
    let section = match &due.kind {
        DueKind::Crls | DueKind::CrlsRunOut(_) => &policy.crl.section,
        DueKind::Renewal(_) => &policy.ds.section,
        DueKind::Rollover(_)
        | DueKind::RolloverEnds(_)
        | DueKind::KeyUse(_)
        | DueKind::RootEnds(_) => &policy.root.section,
    };
    let section = section.clone();
    let what = What::State(due.kind);
    Ok(Item { what, section, by: Vec::new(), on: Some(on), from, standing, last: None })
}

/// The next training of a person who serves, and the end of their appointment if there is one.
fn of_person(
    policy: &Policy,
    id: &Name,
    person: &PersonEntry,
    today: Day,
) -> Result<Vec<Item>, Fault> {
    let item = |what: What, section: &str, on: Day, last: Option<Day>| {
        let from = from(policy, on).map_err(|error| out(id, &error))?;
        Ok(Item {
            what,
            section: section.to_string(),
            by: Vec::new(),
            on: Some(on),
            from,
            standing: Standing::of(on, from, today),
            last: last.map(|day| (day, id.clone())),
        })
    };
    let mut items = Vec::new();
    let ended = person.ended.as_ref().map(|day| *day.get_ref());
    let trained = person.trained.get_ref().iter().copied().filter(|day| *day <= today).max();
    let months = *policy.training.max_months.get_ref();
    let on = match trained {
        // Nobody serves untrained.
        None => *person.appointed.on.get_ref(),
        Some(trained) => {
            let span = format!("{months} months").parse::<CalendarSpan>();
            span.and_then(|span| trained.plus(&span, 1)).map_err(|error| out(id, &error))?
        }
    };
    if ended.is_none_or(|ended| on <= ended) {
        items.push(item(What::Training(id.clone()), &policy.training.section, on, trained)?);
    }
    if let Some(ended) = ended {
        let section = &policy.decision.appointment.section;
        items.push(item(What::Appointment(id.clone()), section, ended, None)?);
    }
    Ok(items)
}

#[cfg(test)]
mod tests;
