//! Instants, days and calendar spans, without a clock.
//!
//! All times are whole seconds. Japan has had the fixed offset +09:00 without daylight saving time
//! since 1952, so no time zone database is needed; every instant is shown with that offset.
//!
//! **Deliberately absent:** "now". Times of artefacts come from the plan, times of events from the
//! room.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp, ZonedDateTime};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// Why a text is no time of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TimeError(String);

/// A point in time, in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// A calendar day in Japan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

/// A span by the calendar, such as `5 years 4 months`; months are clamped to their last day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSpan {
    text: String,
    years: i64,
    months: i64,
    days: i64,
}

fn jst() -> TimeZone {
    TimeZone::fixed(Offset::constant(9))
}

impl Instant {
    /// The instant of this many seconds since the Unix epoch; refused outside the years 1 to 9999.
    pub fn from_unix(seconds: i64) -> Result<Self, TimeError> {
        Timestamp::from_second(seconds)
            .map_err(|_| TimeError(format!("{seconds} seconds since 1970 is no time of ours")))?;
        Ok(Self(seconds))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    fn zoned(self) -> ZonedDateTime {
        let at = Timestamp::from_second(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned_datetime(jst())
    }

    /// The day in Japan in which this instant lies.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.zoned().date())
    }

    /// This many seconds later (earlier if negative), or the nearest instant of ours.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The instant one calendar span later, at the same time of day in Japan.
    pub fn plus(self, span: &CalendarSpan) -> Result<Self, TimeError> {
        let later = self
            .zoned()
            .checked_add(Span::new().years(span.years).months(span.months).days(span.days))
            .map_err(|_| TimeError(format!("{self} plus {span} is out of range")))?;
        Self::from_unix(later.timestamp().as_second())
    }

    /// `20260401T000000Z`-style fields in UTC: year, month, day, hour, minute, second.
    #[must_use]
    pub fn utc(self) -> (i16, i8, i8, i8, i8, i8) {
        let at = Timestamp::from_second(self.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let at = at.to_zoned_datetime(TimeZone::UTC);
        (at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.zoned();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}+09:00",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )
    }
}

impl FromStr for Instant {
    type Err = TimeError;

    /// Reads RFC 3339 with an explicit offset and whole seconds. Second 60 and local times are
    /// refused.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refused =
            || TimeError(format!("`{text}` is no time such as 2026-04-01T10:00:00+09:00"));
        let second = text.get(17..19).ok_or_else(refused)?;
        if second == "60" {
            return Err(TimeError(format!(
                "`{text}`: second 60 is refused; leap seconds have no place here"
            )));
        }
        let at: Timestamp = text.parse().map_err(|_| refused())?;
        if at.subsec_nanosecond() != 0 {
            return Err(TimeError(format!("`{text}`: only whole seconds are accepted")));
        }
        Self::from_unix(at.as_second())
    }
}

impl Day {
    /// 00:00:00 in Japan of this day.
    #[must_use]
    pub fn start(self) -> Instant {
        let start = self.0.to_zoned_datetime(jst()).map_or(0, |at| at.timestamp().as_second());
        Instant(start)
    }

    /// This many days later (earlier if negative); refused outside the years of ours.
    pub fn plus_days(self, days: i64) -> Result<Self, TimeError> {
        let out = || TimeError(format!("{self} plus {days} days is out of range"));
        if days.unsigned_abs() > 1_000_000 {
            return Err(out());
        }
        self.0.checked_add(Span::new().days(days)).map(Day).map_err(|_| out())
    }

    /// The number of days from `earlier` to this day.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        (self.start().0 - earlier.start().0) / 86_400
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl FromStr for Day {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refused = || TimeError(format!("`{text}` is no day such as 2026-04-01"));
        if text.len() != 10 {
            return Err(refused());
        }
        text.parse::<Date>().map(Day).map_err(|_| refused())
    }
}

impl fmt::Display for CalendarSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for CalendarSpan {
    type Err = TimeError;

    /// Reads `5 years 4 months`, `12 months`, `3 days`: positive numbers, each unit at most once,
    /// in this order.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refused = || TimeError(format!("`{text}` is no span such as `5 years 4 months`"));
        let words: alloc::vec::Vec<&str> = text.split(' ').collect();
        let (mut years, mut months, mut days) = (0, 0, 0);
        let mut rank = 0;
        for pair in words.chunks(2) {
            let [number, unit] = pair else { return Err(refused()) };
            let number: u16 = number.parse().map_err(|_| refused())?;
            let (slot, this) = match *unit {
                "year" | "years" => (&mut years, 1),
                "month" | "months" => (&mut months, 2),
                "day" | "days" => (&mut days, 3),
                _ => return Err(refused()),
            };
            if number == 0 || this <= rank {
                return Err(refused());
            }
            rank = this;
            *slot = i64::from(number);
        }
        Ok(Self { text: text.to_string(), years, months, days })
    }
}

/// A bare TOML date or date-time has no other reading than its text.
fn from_toml<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = TimeError>,
{
    let value = toml::value::Datetime::deserialize(deserializer)?;
    value.to_string().parse().map_err(D::Error::custom)
}

impl<'de> Deserialize<'de> for Instant {
    /// From a TOML offset date-time.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_toml(deserializer)
    }
}

impl<'de> Deserialize<'de> for Day {
    /// From a bare TOML date, which stands for a day in Japan.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_toml(deserializer)
    }
}

impl<'de> Deserialize<'de> for CalendarSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// `at` in transcripts is text: [`Instant`] as RFC 3339 with +09:00, read back strictly.
pub(crate) mod text {
    use super::{Deserialize, Deserializer, Instant, Serializer, String, ToString};
    use serde::de::Error as _;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` calls by reference")]
    pub(crate) fn serialize<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.to_string())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Instant, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn five_years_four_months_clamp_to_the_end_of_the_month() {
        let span: CalendarSpan = "5 years 4 months".parse().unwrap();
        let end = at("2026-10-31T00:00:00+09:00").plus(&span).unwrap();
        assert_eq!(end.to_string(), "2032-02-29T00:00:00+09:00");
    }

    #[test]
    fn days_are_days_in_japan() {
        assert_eq!(at("2026-03-31T15:00:00Z").day().to_string(), "2026-04-01");
        assert_eq!(at("2026-03-31T14:59:59Z").day().to_string(), "2026-03-31");
        let day: Day = "2026-04-01".parse().unwrap();
        assert_eq!(day.start(), at("2026-04-01T00:00:00+09:00"));
        assert_eq!("2026-06-30".parse::<Day>().unwrap().days_since(day), 90);
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
        ] {
            assert!(text.parse::<Instant>().is_err(), "{text}");
        }
        for text in ["0 years", "-1 days", "4 months 5 years", "5 years 5 years", "years", ""] {
            assert!(text.parse::<CalendarSpan>().is_err(), "{text}");
        }
    }
}
