//! Days and spans at their ends, in several offsets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
use super::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

/// Months end before the corresponding day or, where there is none, with the month's last day
/// (Civil Code art. 143 (2)), and days are counted from there.
#[test]
fn months_without_the_corresponding_day_end_with_their_last_day() {
    for (begins, span, over) in [
        ("2026-10-31", "5 years 4 months", "2032-03-01"),
        ("2026-10-30", "5 years 4 months", "2032-03-01"),
        ("2026-10-29", "5 years 4 months", "2032-02-29"),
        ("2026-10-31", "4 months", "2027-03-01"),
        ("2026-10-29", "4 months", "2027-03-01"),
        ("2026-10-28", "4 months", "2027-02-28"),
        ("2027-10-29", "4 months", "2028-02-29"),
        ("2027-10-30", "4 months", "2028-03-01"),
        ("2027-03-31", "1 month", "2027-05-01"),
        ("2027-03-31", "1 month 1 day", "2027-05-02"),
        ("2027-12-31", "1 month", "2028-01-31"),
        ("2028-02-29", "1 year", "2029-03-01"),
        ("2028-02-29", "1 year 1 month", "2029-03-29"),
        ("2028-02-29", "4 years", "2032-02-29"),
        ("2028-01-31", "31 days", "2028-03-02"),
    ] {
        let over = at(&alloc::format!("{over}T00:00:00+09:00"));
        let begins = at(&alloc::format!("{begins}T00:00:00+09:00"));
        assert_eq!(begins.plus(&span.parse().unwrap()).unwrap(), over, "{begins} {span}");
    }
    assert!(at("9999-10-31T00:00:00+09:00").plus(&"4 months".parse().unwrap()).is_err());
}

fn offset(text: &str) -> Offset {
    text.parse().unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_day_is_counted_in_the_offset_of_its_instant() {
    for (last, day, next) in [
        ("2026-03-31T23:59:59+09:00", "2026-03-31", "2026-04-01T00:00:00+09:00"),
        ("2026-03-31T23:59:59+00:00", "2026-03-31", "2026-04-01T00:00:00+00:00"),
        ("2028-02-29T23:59:59-03:30", "2028-02-29", "2028-03-01T00:00:00-03:30"),
        ("2026-12-31T23:59:59+14:00", "2026-12-31", "2027-01-01T00:00:00+14:00"),
    ] {
        let (last, next) = (at(last), at(next));
        assert_eq!(last.day().to_string(), day);
        assert_eq!((last.plus_seconds(1), last.plus_seconds(1).day()), (next, next.day()));
        assert_eq!(last.plus_seconds(1).to_string(), next.to_string());
        assert_eq!(next.day().days_since(last.day()), 1);
        assert_eq!(next.midnight(), next);
        assert_eq!(last.midnight().plus_seconds(86_399), last);
        assert_eq!(next.day().start(next.offset()).to_string(), next.to_string());
    }
    assert_eq!(
        at("2026-03-31T15:00:00Z").at(offset("+09:00")).day(),
        "2026-04-01".parse().unwrap()
    );
    assert_eq!(at("2026-03-31T15:00:00Z").day(), "2026-03-31".parse().unwrap());
    let day: Day = "2026-04-01".parse().unwrap();
    assert_eq!("2026-06-30".parse::<Day>().unwrap().days_since(day), 90);
    let month: CalendarSpan = "1 month".parse().unwrap();
    assert_eq!(
        "2026-01-31".parse::<Day>().unwrap().plus(&month, 1).unwrap().to_string(),
        "2026-02-28"
    );
}

/// Each span is counted in the calendar of the instant's offset, though the same second lies in
/// another month elsewhere.
#[test]
fn a_span_is_counted_in_the_offset_of_its_instant() {
    for (text, span, end) in [
        ("2026-10-31T00:00:00+09:00", "4 months", "2027-03-01T00:00:00+09:00"),
        ("2026-10-30T15:00:00Z", "4 months", "2027-03-01T15:00:00+00:00"),
        ("2026-01-31T23:30:00-03:30", "1 month", "2026-03-01T23:30:00-03:30"),
        ("2026-03-01T00:00:00+14:00", "9 years", "2035-03-01T00:00:00+14:00"),
        ("2028-02-29T00:00:00+00:00", "1 year", "2029-03-01T00:00:00+00:00"),
    ] {
        assert_eq!(at(text).plus(&span.parse().unwrap()).unwrap().to_string(), end, "{text}");
    }
}

#[test]
fn an_instant_is_its_second_and_is_shown_in_its_offset() {
    let (japan, utc) = (at("2026-04-01T00:00:00+09:00"), at("2026-03-31T15:00:00Z"));
    assert_eq!(japan, utc);
    assert_eq!(alloc::collections::BTreeSet::from([japan, utc]).len(), 1);
    assert_eq!(utc.to_string(), "2026-03-31T15:00:00+00:00");
    assert_eq!(utc.at(japan.offset()).to_string(), "2026-04-01T00:00:00+09:00");
    assert_eq!(japan.utc(), (2026, 3, 31, 15, 0, 0));
    assert_eq!(japan.at(offset("-03:30")).to_string(), "2026-03-31T11:30:00-03:30");
    assert_eq!(japan.at(offset("+14:00")).to_string(), "2026-04-01T05:00:00+14:00");
}

#[test]
fn an_offset_is_written_as_it_is_read() {
    for text in ["+00:00", "+09:00", "-03:30", "+05:45", "+14:00", "-14:00", "-00:01"] {
        assert_eq!(offset(text).to_string(), text);
    }
    for text in ["", "Z", "UTC", "-00:00", "+9:00", "+0900", "+14:01", "-14:01", "+09:60", "+09:0x"]
    {
        assert!(text.parse::<Offset>().is_err(), "{text}");
    }
}

#[test]
fn times_without_offset_or_with_second_60_are_refused() {
    for text in [
        "2026-04-01T10:00:00",
        "2026-04-01T10:00:60Z",
        "2026-02-29T10:00:00Z",
        "",
        "x",
        "2026-04-01T10:00:00.5Z",
        "2026-04-01T10:00:00+0900",
        "2026-04-01T10:00:00-00:00",
        "2026-04-01T10:00:00+14:01",
        "2026-04-01T10:00:00+09:00[Asia/Tokyo]",
    ] {
        assert!(text.parse::<Instant>().is_err(), "{text}");
    }
    for text in ["0 years", "-1 days", "4 months 5 years", "5 years 5 years", "years", ""] {
        assert!(text.parse::<CalendarSpan>().is_err(), "{text}");
    }
}

#[test]
fn spans_are_compared_on_whatever_day_they_begin() {
    let span = |text: &str| text.parse::<CalendarSpan>().unwrap();
    for (one, other, order) in [
        ("1 year", "12 months", Some(Ordering::Equal)),
        ("5 years 4 months", "5 years 3 months 27 days", Some(Ordering::Greater)),
        ("1 month", "31 days", None),
        ("1 month", "32 days", Some(Ordering::Less)),
        ("90 days", "3 months", None),
        ("2 months 30 days", "3 months 30 days", Some(Ordering::Less)),
        ("1 month 24 hours", "1 month 1 day", Some(Ordering::Equal)),
        ("1 month 2 days", "1 month 47 hours", Some(Ordering::Greater)),
    ] {
        assert_eq!(span(one).compared(&span(other)), order, "{one}, {other}");
    }
}

#[test]
fn months_are_counted_from_the_first_day() {
    let (month, day): (CalendarSpan, Day) =
        ("1 month".parse().unwrap(), "2027-01-31".parse().unwrap());
    let days = (-1..4).map(|times| day.plus(&month, times).unwrap().to_string());
    let days: alloc::vec::Vec<_> = days.collect();
    assert_eq!(days, ["2026-12-31", "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]);
    let leap: Day = "2028-01-31".parse().unwrap();
    assert_eq!(leap.plus(&month, 1).unwrap().to_string(), "2028-02-29");
}

#[test]
fn hours_are_of_instants_and_not_of_days() {
    let span: CalendarSpan = "2 days 3 hours".parse().unwrap();
    let later = at("2026-10-12T19:00:00+09:00").plus(&span).unwrap();
    assert_eq!(later, at("2026-10-14T22:00:00+09:00"));
    assert!(later.day().plus(&span, 1).is_err());
    assert_eq!(span.said().ja, "2 日 3 時間");
    let nothing: CalendarSpan = "0 days".parse().unwrap();
    assert_eq!(later.day().plus(&nothing, 7).unwrap(), later.day());
}
