//! Computes when a root key had no CRL in force.

use alloc::vec::Vec;

use super::{Batch, Key, State};
use crate::name::Name;
use crate::time::Instant;

/// A period in which a root key that must have a CRL had none in force, so that verifiers reject
/// every certificate under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The key.
    pub key: Name,
    /// The beginning.
    pub from: Instant,
    /// The end.
    pub until: Instant,
}

impl Gap {
    /// Returns its length in days, rounded up.
    #[must_use]
    pub fn days(&self) -> i64 {
        let seconds = self.until.unix() - self.from.unix();
        (seconds + 86_399) / 86_400
    }
}

impl State {
    /// Returns every period before this time in which a root key had no CRL in force, although the
    /// key could be used and its root certificate was valid and handed out.
    ///
    /// A CRL counts from when it was handed out.
    #[must_use]
    pub fn uncovered(&self, until: Instant) -> Vec<Gap> {
        let keys = self.keys.iter().filter_map(|(name, key)| {
            let root = self.root_of(name.as_str())?;
            let from = root.not_before.max(root.out_at?);
            Some((name, from, ends(key, root.not_after).min(until)))
        });
        keys.flat_map(|(name, from, until)| self.gaps(name, from, until)).collect()
    }

    fn gaps(&self, key: &Name, from: Instant, until: Instant) -> Vec<Gap> {
        let issued = self.batches.iter().filter(|batch| batch.issued);
        let some = |(begins, ends): &(Instant, Instant)| begins < ends;
        let mut covers: Vec<_> =
            issued.filter_map(|batch| batch.covers(key)).filter(some).collect();
        covers.sort();
        let mut gaps = Vec::new();
        let mut covered = from;
        for (begins, ends) in covers {
            let begins = begins.min(until);
            if begins > covered {
                gaps.push(Gap { key: key.clone(), from: covered, until: begins });
            }
            covered = covered.max(ends);
        }
        if until > covered {
            gaps.push(Gap { key: key.clone(), from: covered, until });
        }
        gaps
    }

    /// Returns the last batch in ledger order that has CRLs of this key and was handed out by this
    /// time.
    ///
    /// It supersedes the earlier ones, even if it ends sooner.
    #[must_use]
    pub fn last_batch(&self, key: &Name, at: Instant) -> Option<&Batch> {
        let of_key = |batch: &&Batch| batch.is_out_at(at) && batch.crls.contains_key(key);
        self.batches.iter().rev().find(of_key)
    }

    /// Returns every root key that must have a CRL at this time, with the time at which its last
    /// CRL ends.
    pub fn run_out(&self, at: Instant) -> impl Iterator<Item = (&Name, Instant)> {
        self.keys.iter().filter_map(move |(name, key)| {
            let root = self.root_of(name.as_str())?;
            let serves = key.serves_at(at) && at <= root.not_after;
            let (_, until) = self.last_batch(name, at).filter(|_| serves)?.covers(name)?;
            Some((name, until))
        })
    }
}

/// Returns when a key no longer needs CRLs: at the end of its root certificate, or when it was
/// compromised, destroyed or lost.
fn ends(key: &Key, root_ends: Instant) -> Instant {
    let ends = [key.compromised, key.destroyed, key.lost];
    ends.into_iter().flatten().fold(root_ends, Instant::min)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::expect_used, reason = "a test stops where it fails")]
    use super::*;
    use crate::ledger::Crls;

    fn at(day: &str) -> Instant {
        alloc::format!("{day}T00:00:00+09:00").parse().expect("a time")
    }

    fn key() -> Name {
        "g1".parse().expect("a name")
    }

    /// A batch of one key, handed out as it begins.
    fn batch(name: &str, (first, last, next): (&str, &str, &str)) -> Batch {
        let (first, last, next_update) = (at(first), at(last), at(next));
        let crls = Crls { first, last, next_update, superseded_by: None, withdrawn: None };
        Batch {
            ceremony: name.parse().expect("a name"),
            crls: [(key(), crls)].into(),
            ended_at: first,
            numbers: (0, 0),
            entries: (0, 0),
            next_ceremony: None,
            issued: true,
        }
    }

    fn state(batches: impl IntoIterator<Item = Batch>) -> State {
        State { batches: batches.into_iter().collect(), ..State::default() }
    }

    /// An emergency batch ends before the old batch whose unreleased CRLs were destroyed.
    #[test]
    fn what_was_destroyed_covers_nothing() {
        let mut old = batch("old", ("2026-04-01", "2026-07-13", "2026-07-16"));
        let new = batch("new", ("2026-05-01", "2026-05-28", "2026-05-31"));
        let (from, until) = (at("2026-04-01"), at("2026-08-01"));
        let gap = |since: &str| [Gap { key: key(), from: at(since), until }];
        // Nothing was destroyed, so the CRLs of both batches count.
        let both = state([old.clone(), new.clone()]);
        assert_eq!(both.gaps(&key(), from, until), gap("2026-07-16"));
        old.crls.get_mut(&key()).expect("its CRLs").withdrawn = Some(new.first());
        let both = state([old, new]);
        assert_eq!(both.gaps(&key(), from, until), gap("2026-05-31"));
        let last = both.last_batch(&key(), until).expect("a batch");
        assert_eq!(last.ceremony.as_str(), "new");
        assert_eq!(last.rest_at(at("2026-05-28")).count(), 0);
        assert_eq!(last.rest_at(at("2026-05-27")).count(), 1);
    }

    /// A CRL of the morning that was signed in the afternoon does not cover the morning.
    #[test]
    fn a_batch_covers_from_when_it_was_handed_out() {
        let old = batch("old", ("2026-04-01", "2026-04-02", "2026-04-05"));
        let mut new = batch("new", ("2026-04-05", "2026-05-28", "2026-05-31"));
        new.ended_at = at("2026-04-05").plus_seconds(36_000);
        let ended = new.ended_at;
        let found = state([old, new]).gaps(&key(), at("2026-04-01"), at("2026-05-01"));
        assert_eq!(found, [Gap { key: key(), from: at("2026-04-05"), until: ended }]);
    }
}
