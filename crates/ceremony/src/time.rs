//! Instants, days and calendar spans, without a clock.
//!
//! All times are whole seconds. An instant carries the offset from UTC in which it is shown and in
//! which its day is counted. A CA has one fixed offset, in its policy (`[ca] offset`), so no time
//! zone database is needed; rule S-OFFSET holds plan and policy to it, and
//! [`Run`](crate::run::Run) writes every record in it.
//!
//! **Deliberately absent:** "now". Times of artefacts come from the plan, times of events from the
//! room.

mod offset;

pub use offset::Offset;

use alloc::format;
use alloc::string::{String, ToString};
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use jiff::civil::Date;
use jiff::{Span, Timestamp, ZonedDateTime};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::language::Bilingual;
use crate::says;

/// Why a text or number is not a time that gishiki accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.en)]
pub struct TimeError(Bilingual);

impl TimeError {
    /// Returns the error that is worded so.
    pub(crate) const fn new(said: Bilingual) -> Self {
        Self(said)
    }

    /// Words the error in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        self.0.clone()
    }
}

/// A point in time, in whole seconds since 1970-01-01T00:00:00Z, with the offset in which it is
/// shown.
///
/// **Invariant:** two instants are equal if their seconds are: the offset decides only how an
/// instant is written, and which day it lies on.
#[derive(Debug, Clone, Copy)]
pub struct Instant {
    seconds: i64,
    offset: Offset,
}

/// A calendar day: a bare date, which begins at another instant in each offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

/// A calendar span, such as `5 years 4 months`. A day after the end of the month becomes its last
/// day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSpan {
    text: String,
    years: i64,
    months: i64,
    days: i64,
    hours: i64,
}

impl CalendarSpan {
    /// Returns its years and months.
    fn months(&self) -> Span {
        Span::new().years(self.years).months(self.months)
    }
}

impl PartialEq for Instant {
    fn eq(&self, other: &Self) -> bool {
        self.seconds == other.seconds
    }
}

impl Eq for Instant {}

impl PartialOrd for Instant {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Instant {
    fn cmp(&self, other: &Self) -> Ordering {
        self.seconds.cmp(&other.seconds)
    }
}

impl Hash for Instant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.seconds.hash(state);
    }
}

impl Instant {
    /// Returns the instant of this many seconds since the Unix epoch, shown in this offset.
    ///
    /// # Errors
    ///
    /// Outside the years 1 to 9999.
    pub fn from_unix(seconds: i64, offset: Offset) -> Result<Self, TimeError> {
        Timestamp::from_second(seconds).map_err(|_| {
            TimeError(says!(
                "1970 年から {seconds} 秒は、扱える日時の範囲外",
                "{seconds} seconds since 1970 is outside the years 1 to 9999"
            ))
        })?;
        Ok(Self { seconds, offset })
    }

    /// Returns the same instant, shown in this offset.
    #[must_use]
    pub const fn at(self, offset: Offset) -> Self {
        Self { offset, ..self }
    }

    /// Returns the offset in which it is shown.
    #[must_use]
    pub const fn offset(self) -> Offset {
        self.offset
    }

    /// Returns whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.seconds
    }

    fn zoned(self) -> ZonedDateTime {
        let at = Timestamp::from_second(self.seconds).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned_datetime(self.offset.zone())
    }

    /// The day in which this instant lies, in its offset.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.zoned().date())
    }

    /// Returns 00:00:00 of its day, in its offset.
    #[must_use]
    pub fn midnight(self) -> Self {
        self.day().start(self.offset)
    }

    /// Returns the instant this many seconds later (earlier if negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self { seconds: self.seconds.saturating_add(seconds), ..self }
    }

    /// Returns when a span that begins now is over, its exclusive end, at the same time of day.
    ///
    /// Years and months end before the corresponding day; where a month has none, with its last day
    /// (Civil Code art. 143 (2)): four months from 31 October are over as 1 March begins. Days and
    /// hours follow.
    ///
    /// # Errors
    ///
    /// Outside the years 1 to 9999.
    pub fn plus(self, span: &CalendarSpan) -> Result<Self, TimeError> {
        let begins = self.day();
        let clamped = begins.0.checked_add(span.months()).map_err(|_| out_of_range(&self, span))?;
        let missing = i64::from(clamped.day() < begins.0.day());
        let end = Day(clamped).plus_days(missing + span.days)?.start(self.offset);
        let later = self.seconds - self.midnight().seconds + span.hours * 3_600;
        Self::from_unix(end.plus_seconds(later).seconds, self.offset)
    }

    /// Returns year, month, day, hour, minute and second in UTC.
    #[must_use]
    pub fn utc(self) -> (i16, i8, i8, i8, i8, i8) {
        let at = self.at(Offset::UTC).zoned();
        (at.year(), at.month(), at.day(), at.hour(), at.minute(), at.second())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.zoned();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            self.offset
        )
    }
}

fn out_of_range(start: &impl fmt::Display, span: &CalendarSpan) -> TimeError {
    TimeError(says!(
        "{start} の {span} 後は、扱える日時の範囲外",
        "{start} plus {span} is out of range"
    ))
}

impl FromStr for Instant {
    type Err = TimeError;

    /// Reads RFC 3339 with an explicit offset, which it keeps, and whole seconds. Refuses second 60
    /// and local times.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refused = || {
            TimeError(says!(
                "`{text}` は 2026-04-01T10:00:00+09:00 のような日時でない",
                "`{text}` is not a time such as 2026-04-01T10:00:00+09:00"
            ))
        };
        let second = text.get(17..19).ok_or_else(refused)?;
        if second == "60" {
            return Err(TimeError(says!(
                "`{text}` の 60 秒は認められない(うるう秒は扱わない)",
                "`{text}`: second 60 is refused; leap seconds have no place here"
            )));
        }
        let at: Timestamp = text.parse().map_err(|_| refused())?;
        if at.subsec_nanosecond() != 0 {
            return Err(TimeError(says!(
                "`{text}` に秒未満の端数がある",
                "`{text}`: only whole seconds are accepted"
            )));
        }
        let offset = match text.get(19..) {
            Some("Z" | "z") => Offset::UTC,
            Some(offset) => offset.parse().map_err(|_| refused())?,
            None => return Err(refused()),
        };
        Self::from_unix(at.as_second(), offset)
    }
}

impl Day {
    /// Returns 00:00:00 of this day in this offset.
    #[must_use]
    pub fn start(self, offset: Offset) -> Instant {
        let start = self.0.to_zoned_datetime(offset.zone());
        Instant { seconds: start.map_or(0, |at| at.timestamp().as_second()), offset }
    }

    /// Returns 23:59:59 of this day in this offset.
    #[must_use]
    pub fn last_second(self, offset: Offset) -> Instant {
        self.start(offset).plus_seconds(86_399)
    }

    /// Returns the day this many days later (earlier if negative).
    ///
    /// # Errors
    ///
    /// Outside the years that days can have.
    pub fn plus_days(self, days: i64) -> Result<Self, TimeError> {
        let out = || {
            TimeError(says!(
                "{self} の {days} 日後は、扱える日の範囲外",
                "{self} plus {days} days is out of range"
            ))
        };
        if days.unsigned_abs() > 1_000_000 {
            return Err(out());
        }
        self.0.checked_add(Span::new().days(days)).map(Day).map_err(|_| out())
    }

    /// Returns the day so many calendar spans later (earlier if negative).
    ///
    /// All of them are counted at once, so that a month from the last day of January, which is the
    /// last day of February, does not move the days of the months after it.
    ///
    /// # Errors
    ///
    /// Outside the years that days can have, and if the span has hours, which no day has.
    pub fn plus(self, span: &CalendarSpan, times: i64) -> Result<Self, TimeError> {
        let later = || {
            let times = |number: i64| number.checked_mul(times).filter(|_| span.hours == 0);
            let (years, months) = (times(span.years)?, times(span.months)?);
            let later = Span::new().try_years(years).ok()?.try_months(months).ok()?;
            self.0.checked_add(later.try_days(times(span.days)?).ok()?).ok()
        };
        later().map(Day).ok_or_else(|| {
            let span = span.said();
            TimeError(says!(
                span;
                "{self} の {span} 後({times} 倍)は、扱える日でない",
                "{self} plus {span}, {times} times, is not a day"
            ))
        })
    }

    /// The number of days from `earlier` to this day.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        (self.start(Offset::UTC).seconds - earlier.start(Offset::UTC).seconds) / 86_400
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
        let refused = || {
            TimeError(says!(
                "`{text}` は、暦にある日を 2026-04-01 のように年-月-日で書いたものでない",
                "`{text}` is not a day of the calendar, as year-month-day, such as 2026-04-01"
            ))
        };
        if text.len() != 10 {
            return Err(refused());
        }
        text.parse::<Date>().map(Day).map_err(|_| refused())
    }
}

impl CalendarSpan {
    /// Returns the span of so many days.
    #[must_use]
    pub fn of_days(days: u32) -> Self {
        let text = format!("{days} days");
        Self { text, years: 0, months: 0, days: days.into(), hours: 0 }
    }

    /// Whether it has hours, which no day has.
    #[must_use]
    pub const fn has_hours(&self) -> bool {
        self.hours != 0
    }

    /// Compares two spans: `None` if one is longer or shorter depending on the day on which both
    /// begin, or if they end outside the calendar.
    #[must_use]
    pub fn compared(&self, other: &Self) -> Option<Ordering> {
        // Of the same months the rest is as long on any day, and of the same rest the months are.
        let own = (self.years * 12 + self.months, self.days * 24 + self.hours);
        let its = (other.years * 12 + other.months, other.days * 24 + other.hours);
        let orders = (own.0.cmp(&its.0), own.1.cmp(&its.1));
        if let (Ordering::Equal, order) | (order, Ordering::Equal) = orders {
            return Some(order);
        }
        let mut orders = self.ends().zip(other.ends()).map(|(own, other)| Some(own?.cmp(&other?)));
        let order = orders.next()??;
        orders.all(|other| other == Some(order)).then_some(order)
    }

    /// Whether there is a day on which both begin and this one ends later, or outside the calendar.
    #[must_use]
    pub fn may_exceed(&self, other: &Self) -> bool {
        let later = |(own, other): (Option<Instant>, Option<Instant>)| {
            own.zip(other).is_none_or(|(own, other)| own > other)
        };
        self.ends().zip(other.ends()).any(later)
    }

    /// Returns when it ends for every day on which it can begin: four years have every one of the
    /// calendar's cycle that matters to month ends. `None` is outside the calendar.
    fn ends(&self) -> impl Iterator<Item = Option<Instant>> {
        let first: Day = Day(Date::constant(2001, 1, 1));
        (0..1_461).map(move |after| first.plus_days(after).ok()?.start(Offset::UTC).plus(self).ok())
    }

    /// Words the span in both languages.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let units =
            [(self.years, "年"), (self.months, "か月"), (self.days, "日"), (self.hours, "時間")];
        let some = units.iter().filter(|(number, _)| *number != 0);
        let words: alloc::vec::Vec<String> =
            some.map(|(number, unit)| alloc::format!("{number} {unit}")).collect();
        let ja = if words.is_empty() { String::from("0 日") } else { words.join(" ") };
        Bilingual { ja, en: self.text.clone() }
    }
}

impl fmt::Display for CalendarSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for CalendarSpan {
    type Err = TimeError;

    /// Reads spans such as `5 years 4 months`, `12 months`, `3 days`, `48 hours`: positive numbers,
    /// each unit at most once, in this order; and `0 days`, for nothing.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refused = || {
            TimeError(says!(
                "`{text}` は `years`、`months`、`days`、`hours` による期間(例: `3 years 2 months`)でない",
                "`{text}` is not a span of years, months, days or hours, such as `3 years 2 months`"
            ))
        };
        if text == "0 days" {
            return Ok(Self { text: text.to_string(), years: 0, months: 0, days: 0, hours: 0 });
        }
        let words: alloc::vec::Vec<&str> = text.split(' ').collect();
        let (mut years, mut months, mut days, mut hours) = (0, 0, 0, 0);
        let mut rank = 0;
        for pair in words.chunks(2) {
            let [number, unit] = pair else { return Err(refused()) };
            // One form of each number, without a sign or leading zeros.
            let number = number.parse().ok().filter(|n: &u16| n.to_string() == *number);
            let number = number.ok_or_else(refused)?;
            let (slot, this) = match *unit {
                "year" | "years" => (&mut years, 1),
                "month" | "months" => (&mut months, 2),
                "day" | "days" => (&mut days, 3),
                "hour" | "hours" => (&mut hours, 4),
                _ => return Err(refused()),
            };
            if number == 0 || this <= rank {
                return Err(refused());
            }
            rank = this;
            *slot = i64::from(number);
        }
        Ok(Self { text: text.to_string(), years, months, days, hours })
    }
}

/// Parses the text of a bare TOML date or date-time.
fn from_toml<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = TimeError>,
{
    let value = toml::value::Datetime::deserialize(deserializer)?;
    value.to_string().parse().map_err(D::Error::custom)
}

impl<'de> Deserialize<'de> for Instant {
    /// Reads a TOML offset date-time.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_toml(deserializer)
    }
}

impl<'de> Deserialize<'de> for Day {
    /// Reads a bare TOML date.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_toml(deserializer)
    }
}

impl<'de> Deserialize<'de> for CalendarSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
pub(crate) mod text;
