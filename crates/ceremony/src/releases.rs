//! The days on which the CRLs of a batch are released.
//!
//! A batch has a CRL on the day of its ceremony and one for each period of the policy after it, up
//! to the next ceremony and the spare time beyond (D1).

use alloc::vec::Vec;

use crate::policy::CrlPolicy;
use crate::says;
use crate::time::{Day, TimeError};

/// The largest number of releases that is computed; a batch is limited by the policy's `max-batch`.
const LIMIT: usize = 4096;

/// One release of a batch, the same for every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Release {
    /// The day of thisUpdate.
    pub(crate) this: Day,
    /// The day at whose start nextUpdate is.
    pub(crate) next_update: Day,
    /// The day of the next release.
    pub(crate) next: Day,
}

/// The largest number of releases of one key, which is also the largest `max-batch`.
pub(crate) const MOST: usize = 1024;

/// Returns the releases from this day to the next ceremony and the spare time after it.
///
/// # Errors
///
/// If a day is outside the calendar, a period does not lead to a later day, or there are more than
/// 4096 releases.
pub(crate) fn releases(
    policy: &CrlPolicy,
    first: Day,
    next_ceremony: Day,
) -> Result<Vec<Release>, TimeError> {
    let end = next_ceremony.plus(policy.spare.get_ref(), 1)?;
    let releases = until(policy, first, end, LIMIT)?;
    match releases.last() {
        Some(last) if last.next < end => Err(TimeError::new(says!(
            "{first} から {LIMIT} 件以内で {end} に達しない CRL",
            "CRLs that do not reach {end} from {first} in {LIMIT} of them"
        ))),
        Some(_) | None => Ok(releases),
    }
}

/// Returns the releases of a key that signs its last CRLs, through the last day on which something
/// that it signed is valid; at most 1024.
///
/// # Errors
///
/// If a day is outside the calendar, or a period does not lead to a later day.
pub(crate) fn last_releases(
    policy: &CrlPolicy,
    first: Day,
    last: Day,
) -> Result<Vec<Release>, TimeError> {
    until(policy, first, last.plus_days(1)?, MOST)
}

fn until(policy: &CrlPolicy, first: Day, end: Day, most: usize) -> Result<Vec<Release>, TimeError> {
    let (mut releases, mut this, mut count) = (Vec::new(), first, 0);
    while this < end && releases.len() < most {
        count += 1;
        let next = first.plus(policy.period.get_ref(), count)?;
        if next <= this {
            return Err(TimeError::new(says!(
                "{this} より後に公開される次の CRL",
                "a next CRL that is released after {this}"
            )));
        }
        let next_update = this.plus(policy.validity.get_ref(), 1)?;
        releases.push(Release { this, next_update, next });
        this = next;
    }
    Ok(releases)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use alloc::format;
    use alloc::string::{String, ToString};

    use super::*;

    fn policy(validity: &str, period: &str, spare: &str) -> CrlPolicy {
        let text = format!(
            "section = '4.9.7'\nvalidity = '{validity}'\nperiod = '{period}'\nspare = '{spare}'\n\
             interval = '8 months'\nmax-batch = 8\nrevocation-within = '48 hours'\n\
             reason-codes = 'omit'"
        );
        toml::from_str(&text).unwrap()
    }

    fn days(policy: &CrlPolicy, first: &str, next: &str) -> Vec<String> {
        let found = releases(policy, first.parse().unwrap(), next.parse().unwrap()).unwrap();
        found.iter().map(|release| release.this.to_string()).collect()
    }

    #[test]
    fn monthly_crls_of_the_31st_do_not_drift() {
        let monthly = policy("40 days", "1 month", "0 days");
        let found = days(&monthly, "2027-10-31", "2028-04-30");
        let asked = ["10-31", "11-30"].map(|day| format!("2027-{day}"));
        let asked =
            asked.into_iter().chain(["01-31", "02-29", "03-31"].map(|d| format!("2028-{d}")));
        let december = "2027-12-31".to_string();
        let mut asked: Vec<String> = asked.collect();
        asked.insert(2, december);
        assert_eq!(found, asked);
    }

    #[test]
    fn each_release_names_the_next_and_daily_ones_count_the_days() {
        let daily = policy("3 days", "1 day", "14 days");
        let (first, next) = ("2026-04-01".parse().unwrap(), "2026-06-30".parse().unwrap());
        let found = releases(&daily, first, next).unwrap();
        assert_eq!(found.len(), 104);
        for (one, other) in found.iter().zip(found.iter().skip(1)) {
            assert_eq!(one.next, other.this);
            assert_eq!(one.next_update, one.this.plus_days(3).unwrap());
        }
    }

    #[test]
    fn releases_that_stand_still_or_have_no_end_are_refused() {
        let (first, next) = ("2026-04-01".parse().unwrap(), "2026-06-30".parse().unwrap());
        for (period, spare) in [("0 days", "14 days"), ("12 hours", "1 day"), ("1 day", "99 years")]
        {
            assert!(releases(&policy("3 days", period, spare), first, next).is_err(), "{period}");
        }
    }
}
