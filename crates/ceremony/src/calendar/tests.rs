//! Dates of a calendar by values: ends of months, leap days, offsets, people who come and go.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use super::*;

/// A policy and a roster with these tables besides.
fn documents(duties: &str, roster: impl Fn(&str) -> String) -> (Policy, Roster) {
    let policy = include_str!("../../../../ceremony-plans/utopia-mdl/policy.toml");
    let policy = policy.split("\n[calendar]").next().unwrap();
    let roster = roster(include_str!("../../../../ceremony-plans/utopia-mdl/roster.toml"));
    let policy = Policy::parse(format!("{policy}\n{duties}").as_bytes()).unwrap();
    policy.judge_duties().unwrap();
    (policy, Roster::parse(roster.as_bytes()).unwrap())
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn done(duty: &str, on: &str) -> Done {
    let (duty, person) = (duty.parse().unwrap(), "u05".parse().unwrap());
    let (at, on) = (at(&format!("{on}T12:00:00+00:00")), day(on));
    Done { duty, on, person, at, note: None, evidence: Vec::new() }
}

/// A ledger whose first ceremony ended on this day, and in which nothing else is due.
fn items_on(
    documents: &(Policy, Roster),
    first: Option<&str>,
    records: &[Done],
    now: &str,
) -> Vec<Item> {
    let state = State::default();
    let held = first.map(|first| Held { state: &state, first: day(first) });
    items(&documents.0, &documents.1, held, records, at(now)).unwrap()
}

fn duty(every: &str, more: &str) -> String {
    let every = if every.is_empty() { String::new() } else { format!("every = \"{every}\"\n") };
    format!(
        "[duty.one]\nsection = \"12\"\nname = {{ en = \"one\" }}\n{every}within = \"10 days\"\nby = [\"witness\"]\n{more}"
    )
}

/// The date and the standing of the one duty.
fn one(
    tables: &str,
    first: Option<&str>,
    records: &[Done],
    now: &str,
) -> (Option<String>, &'static str) {
    let of = documents(tables, |text| text.to_string());
    let found = items_on(&of, first, records, now);
    let item = found.into_iter().find(|item| item.what.id() == "duty.one").unwrap();
    (item.on.map(|day| day.to_string()), item.standing.name())
}

#[test]
fn a_date_follows_from_the_day_before_it_by_the_calendar() {
    for (every, last, date) in [
        ("1 month", "2027-01-31", "2027-02-28"),
        ("1 month", "2028-01-31", "2028-02-29"),
        ("1 month", "2027-02-28", "2027-03-28"),
        ("1 year", "2028-02-29", "2029-02-28"),
        ("4 years", "2028-02-29", "2032-02-29"),
        ("1 month 10 days", "2027-01-31", "2027-03-10"),
        ("100 days", "2027-01-11", "2027-04-21"),
    ] {
        let table = duty(every, "");
        let now = &format!("{last}T23:59:59+00:00");
        let date = Some(date.to_string());
        // From the day on which it was done, and as well from the first ceremony.
        assert_eq!(one(&table, Some("2026-12-01"), &[done("one", last)], now).0, date, "{last}");
        assert_eq!(one(&table, Some(last), &[], now).0, date, "{last}");
    }
}

#[test]
fn a_duty_is_later_coming_due_and_overdue() {
    let (table, first) = (duty("1 month", ""), Some("2027-03-31"));
    for (now, standing) in [
        ("2027-04-19T23:59:59+00:00", "later"),
        ("2027-04-20T00:00:00+00:00", "coming"),
        ("2027-04-29T23:59:59+00:00", "coming"),
        ("2027-04-30T00:00:00+00:00", "due"),
        ("2027-04-30T23:59:59+00:00", "due"),
        ("2027-05-01T00:00:00+00:00", "overdue"),
        // The day is that of the offset in which it is asked.
        ("2027-04-30T23:59:59-05:00", "due"),
        ("2027-05-01T00:00:00+14:00", "overdue"),
    ] {
        assert_eq!(one(&table, first, &[], now), (Some("2027-04-30".into()), standing), "{now}");
    }
}

#[test]
fn the_latest_day_counts_and_nothing_that_is_yet_to_come() {
    let table = duty("1 month", "");
    let records = [done("one", "2027-05-20"), done("one", "2027-04-20"), done("one", "2027-06-20")];
    let on = |now| one(&table, Some("2027-03-31"), &records, now).0.unwrap();
    assert_eq!(on("2027-04-19T23:59:59+00:00"), "2027-04-30");
    assert_eq!(on("2027-04-20T00:00:00+00:00"), "2027-05-20");
    assert_eq!(on("2027-06-19T23:59:59+00:00"), "2027-06-20");
    assert_eq!(on("2027-06-20T00:00:00+00:00"), "2027-07-20");
    // Of another duty it says nothing.
    let other = [done("other", "2027-06-01")];
    assert_eq!(
        one(&table, Some("2027-03-31"), &other, "2027-06-02T00:00:00+00:00"),
        (Some("2027-04-30".into()), "overdue")
    );
}

#[test]
fn what_is_done_once_is_done_before_the_first_ceremony() {
    let table = duty("", "");
    assert_eq!(one(&table, None, &[], "2027-01-11T00:00:00+00:00"), (None, "undated"));
    let first = Some("2027-01-11");
    let on = Some("2027-01-11".to_string());
    assert_eq!(one(&table, first, &[], "2027-01-11T12:00:00+00:00"), (on.clone(), "due"));
    assert_eq!(one(&table, first, &[], "2027-01-12T00:00:00+00:00"), (on, "overdue"));
    let records = [done("one", "2026-12-20")];
    for first in [None, first] {
        assert_eq!(one(&table, first, &records, "2035-01-01T00:00:00+00:00"), (None, "done"));
    }
}

#[test]
fn a_first_date_stands_until_it_is_done() {
    let table = duty("6 months", "first = 2027-09-30\n");
    for (first, records, on) in [
        (None, vec![], "2027-09-30"),
        (Some("2027-01-11"), vec![], "2027-09-30"),
        (Some("2027-01-11"), vec![done("one", "2027-08-31")], "2028-02-29"),
    ] {
        let now = "2027-09-01T00:00:00+00:00";
        assert_eq!(one(&table, first, &records, now).0.unwrap(), on);
    }
    // A recurring duty without it has no date before the first ceremony.
    assert_eq!(one(&duty("6 months", ""), None, &[], "2027-09-01T00:00:00+00:00").1, "undated");
}

#[test]
fn people_are_trained_while_they_serve() {
    let table = "[calendar]\nsection = \"ours\"\nwithin = \"2 months\"\n";
    let roster = |text: &str| {
        let last = text.replacen("trained      = [2026-11-03", "trained      = [2028-02-29", 1);
        let (before, u06) = last.split_once("[person.u06]").unwrap();
        let ended = u06.replacen("appointed ", "ended = 2028-03-15\nappointed ", 1);
        format!("{before}[person.u06]{ended}")
    };
    let of = documents(table, roster);
    let found = items_on(&of, None, &[], "2028-03-01T00:00:00+00:00");
    let shown = |item: &Item| (item.what.id(), item.on.unwrap().to_string(), item.standing.name());
    let shown: Vec<_> = found.iter().map(shown).collect();
    assert_eq!(shown.len(), 6, "{shown:?}");
    assert!(shown.contains(&("appointment.u06".into(), "2028-03-15".into(), "coming")));
    assert!(shown.contains(&("training.u01".into(), "2030-02-28".into(), "later")), "{shown:?}");
    assert!(!shown.iter().any(|(id, ..)| id == "training.u06"));
    // After the last day nothing is asked of them.
    let found = items_on(&of, None, &[], "2028-03-16T00:00:00+00:00");
    assert!(found.iter().all(|item| !item.what.id().ends_with("u06")));
    // Whoever was never trained is due from their appointment on.
    let of = documents("", |text| {
        text.replacen("trained      = [2026-11-03", "trained = [2029-11-03", 1)
    });
    let found = items_on(&of, None, &[], "2028-03-16T00:00:00+00:00");
    let u01 = found.iter().find(|item| item.what.id() == "training.u01").unwrap();
    assert_eq!((u01.standing, u01.from, &u01.last), (Standing::Overdue, None, &None));
}

#[test]
fn what_comes_first_stands_first() {
    let tables = format!("{}{}", duty("1 month", ""), duty("", "").replace("one", "two"));
    let of = documents(&tables, |text| text.to_string());
    let found = items_on(&of, Some("2027-01-11"), &[], "2027-02-11T00:00:00+00:00");
    let ids: Vec<String> = found.iter().take(3).map(|item| item.what.id()).collect();
    assert_eq!(ids, ["duty.two", "duty.one", "training.u01"]);
    assert!(found.is_sorted_by_key(|item| (item.standing, item.on)));
}

/// The rules that refuse the tables, by what was found.
fn refused(tables: &str) -> Vec<String> {
    let policy = include_str!("../../../../ceremony-plans/utopia-mdl/policy.toml");
    let policy = policy.split("\n[calendar]").next().unwrap();
    let policy = Policy::parse(format!("{policy}\n{tables}").as_bytes()).unwrap();
    let faults: Vec<_> = policy.judge_duties().err().into_iter().flatten().collect();
    assert!(
        faults.iter().all(|fault| fault.rule == RuleId::S_DUTY && !fault.place.span.is_empty())
    );
    faults.into_iter().map(|fault| fault.found.en).collect()
}

#[test]
fn a_duty_is_somebodys_and_has_a_date() {
    let ten = duty("10 days", "");
    assert!(refused(&ten).is_empty());
    for (from, to, found) in [
        ("\"10 days\"\nwithin", "\"9 days\"\nwithin", "10 days"),
        ("\"10 days\"\nwithin", "\"240 hours\"\nwithin", "240 hours"),
        ("\"10 days\"\nwithin", "\"0 days\"\nwithin", "0 days"),
        ("within = \"10 days\"", "within = \"10 hours\"", "10 hours"),
        ("[\"witness\"]", "[]", "none"),
        ("[\"witness\"]", "[\"witness\", \"wizard\"]", "wizard"),
        ("[\"witness\"]", "[\"witness\"]\nof = \"elsewhere\"", "elsewhere"),
    ] {
        let tables = ten.replacen(from, to, 1);
        assert_ne!(tables, ten);
        assert_eq!(refused(&tables).first().map(String::as_str), Some(found), "{tables}");
    }
    let hours = "[calendar]\nsection = \"ours\"\nwithin = \"3 hours\"\n";
    assert_eq!(refused(hours), ["3 hours"]);
}
