//! The calendar of a CA as iCalendar (RFC 5545), for the calendars that people look at.
//!
//! **Invariant:** the octets follow from what is shown: no clock, no random UID. An item has one
//! UID on every day, so that a calendar that takes in a later file moves what it knows.

use ceremony::calendar::Item;
use ceremony::time::{Day, Instant};

use super::Shown;
use super::shown::{last, name, roles, standing};
use crate::lang::{Lang, pick};

/// How many octets a line has at most, without its end (3.1).
const LINE: usize = 75;

/// Everything that has a date.
pub(super) fn calendar(shown: &Shown, lang: Lang) -> String {
    let ca = shown.doers.ca();
    let mut lines = vec![
        "BEGIN:VCALENDAR".to_string(),
        "VERSION:2.0".to_string(),
        "PRODID:-//gishiki//duties//EN".to_string(),
        "CALSCALE:GREGORIAN".to_string(),
        format!("X-WR-CALNAME:{}", escaped(&format!("gishiki {ca}"))),
    ];
    for item in &shown.items {
        if let Some(on) = item.on {
            lines.extend(event(shown, item, on, lang));
        }
    }
    lines.push("END:VCALENDAR".to_string());
    lines.iter().map(|line| folded(line)).collect()
}

/// One event of a whole day.
fn event(shown: &Shown, item: &Item, on: Day, lang: Lang) -> Vec<String> {
    let (id, ca, at) = (item.what.id(), shown.doers.ca(), shown.at);
    let said = name(shown, item, lang);
    let mut told = vec![format!("{}: {}", pick(lang, "条項", "section"), item.section)];
    if !item.by.is_empty() {
        let by = roles(shown, item, lang);
        told.push(format!("{}: {by}", pick(lang, "行う者", "by")));
    }
    told.push(last(item, lang));
    told.push(id.clone());
    told.retain(|line| !line.is_empty());
    let mut lines = vec![
        "BEGIN:VEVENT".to_string(),
        format!("UID:{id}@{ca}"),
        format!("DTSTAMP:{}", utc(at)),
        // The later of two files is the newer one.
        format!("SEQUENCE:{}", at.unix().div_euclid(86_400).max(0)),
        format!("DTSTART;VALUE=DATE:{}", date(on)),
        format!("SUMMARY:{}", escaped(&format!("{ca}: {said}"))),
        format!("DESCRIPTION:{}", escaped(&told.join("\n"))),
        format!("CATEGORIES:{}", escaped(standing(item.standing, lang))),
        "TRANSP:TRANSPARENT".to_string(),
    ];
    if let Some(from) = item.from {
        lines.extend([
            "BEGIN:VALARM".to_string(),
            "ACTION:DISPLAY".to_string(),
            format!("DESCRIPTION:{}", escaped(&said)),
            format!("TRIGGER:-P{}D", on.days_since(from)),
            "END:VALARM".to_string(),
        ]);
    }
    lines.push("END:VEVENT".to_string());
    lines
}

/// A day as iCalendar writes it (3.3.4).
fn date(day: Day) -> String {
    day.to_string().replace('-', "")
}

/// A time in UTC as iCalendar writes it (3.3.5).
fn utc(at: Instant) -> String {
    let (year, month, day, hour, minute, second) = at.utc();
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// A text as a value (3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            other if other.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// A line with its end, folded between characters where it is too long (3.1).
fn folded(line: &str) -> String {
    let (mut out, mut length) = (String::new(), 0);
    for c in line.chars() {
        if length + c.len_utf8() > LINE {
            out.push_str("\r\n ");
            // The space is a part of the line.
            length = 1;
        }
        out.push(c);
        length += c.len_utf8();
    }
    out + "\r\n"
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn long_lines_are_folded_between_characters() {
        let line = format!("SUMMARY:{}", "監査ログ, ".repeat(20));
        let text = folded(&line);
        assert!(text.ends_with("\r\n") && text.matches("\r\n").count() > 3);
        assert!(text.split("\r\n").all(|line| line.len() <= LINE));
        assert_eq!(text.replace("\r\n ", ""), format!("{line}\r\n"));
        let exact = "x".repeat(LINE);
        assert_eq!(folded(&exact), format!("{exact}\r\n"));
        assert_eq!(folded(&format!("{exact}x")), format!("{exact}\r\n x\r\n"));
    }

    #[test]
    fn what_has_a_meaning_is_escaped() {
        assert_eq!(escaped("a;b,c\\d\ne\rf"), "a\\;b\\,c\\\\d\\ne f");
    }

    #[test]
    fn times_and_days_are_written_without_signs() {
        let at: Instant = "2026-04-01T08:30:05+09:00".parse().unwrap();
        assert_eq!((utc(at), date(at.day())), ("20260331T233005Z".into(), "20260401".into()));
    }
}
