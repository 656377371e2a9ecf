//! Offsets from UTC.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use jiff::tz::{self, TimeZone};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::TimeError;
use crate::says;

/// A fixed offset from UTC, in whole minutes, from -14:00 to +14:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset(tz::Offset);

impl Offset {
    /// The offset of UTC itself.
    pub const UTC: Self = Self(tz::Offset::UTC);

    /// The greatest number of minutes before or after UTC.
    const MOST: i32 = 14 * 60;

    pub(super) fn zone(self) -> TimeZone {
        TimeZone::fixed(self.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl FromStr for Offset {
    type Err = TimeError;

    /// Reads an offset as RFC 3339 writes it, such as `+09:00`. UTC is `+00:00`: RFC 3339 4.3 gives
    /// `-00:00` another meaning.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refused = || {
            TimeError::new(says!(
                "`{text}` は +05:30 のような、-14:00 から +14:00 までの UTC との時差でない(UTC は +00:00)",
                "`{text}` is not an offset from UTC such as +05:30, from -14:00 to +14:00 (UTC is +00:00)"
            ))
        };
        let octets: &[u8; 6] = text.as_bytes().try_into().map_err(|_| refused())?;
        let [sign, h1, h2, b':', m1, m2] = octets else { return Err(refused()) };
        let number = |tens: &u8, ones: &u8| {
            let digit =
                |octet: &u8| char::from(*octet).to_digit(10).and_then(|d| i32::try_from(d).ok());
            Some(digit(tens)? * 10 + digit(ones)?)
        };
        let hours = number(h1, h2).ok_or_else(refused)?;
        let minutes = number(m1, m2).filter(|minutes| *minutes < 60).ok_or_else(refused)?;
        let minutes = match (sign, hours * 60 + minutes) {
            (b'+', minutes) => minutes,
            (b'-', minutes) if minutes > 0 => -minutes,
            _ => return Err(refused()),
        };
        if minutes.abs() > Self::MOST {
            return Err(refused());
        }
        tz::Offset::from_seconds(minutes * 60).map(Self).map_err(|_| refused())
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
