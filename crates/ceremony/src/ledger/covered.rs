//! When a key had no CRL in force: asked up to a time, answered from the batches.

use alloc::vec::Vec;

use super::{Batch, Key, State};
use crate::name::Name;
use crate::time::Instant;

/// A time in which a key that had to have a CRL had none in force: verifiers refuse everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The key.
    pub key: Name,
    /// From when.
    pub from: Instant,
    /// Until when.
    pub until: Instant,
}

impl Gap {
    /// How many days it lasted, a begun one counted.
    #[must_use]
    pub fn days(&self) -> i64 {
        let seconds = self.until.unix() - self.from.unix();
        (seconds + 86_399) / 86_400
    }
}

impl State {
    /// Every time before this one in which a root key had no CRL in force although its root was
    /// valid and handed out, and it served. CRLs count from when they were handed out.
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

    /// The last batch with CRLs of this key that was handed out by this time, in the order of the
    /// ledger: it takes the place of those before it, also where it ends sooner.
    #[must_use]
    pub fn last_batch(&self, key: &Name, at: Instant) -> Option<&Batch> {
        let of_key = |batch: &&Batch| batch.is_out_at(at) && batch.crls.contains_key(key);
        self.batches.iter().rev().find(of_key)
    }

    /// Every root key that has to have a CRL at this time, with the time at which its last one runs
    /// out.
    pub fn run_out(&self, at: Instant) -> impl Iterator<Item = (&Name, Instant)> {
        self.keys.iter().filter_map(move |(name, key)| {
            let root = self.root_of(name.as_str())?;
            let serves = key.serves_at(at) && at <= root.not_after;
            let (_, until) = self.last_batch(name, at).filter(|_| serves)?.covers(name)?;
            Some((name, until))
        })
    }
}

/// When a key stops having duties: its root's end, or whatever took it away before.
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
        let crls = Crls { first: at(first), last: at(last), next_update: at(next) };
        Batch {
            ceremony: name.parse().expect("a name"),
            crls: [(key(), crls)].into(),
            ended_at: at(first),
            numbers: (0, 0),
            entries: (0, 0),
            next_ceremony: None,
            superseded_by: None,
            issued: true,
            withdrawn: None,
        }
    }

    fn state(batches: impl IntoIterator<Item = Batch>) -> State {
        State { batches: batches.into_iter().collect(), ..State::default() }
    }

    /// An emergency batch that ends before the one whose rest was destroyed for it.
    #[test]
    fn what_was_destroyed_covers_nothing() {
        let mut old = batch("old", ("2026-04-01", "2026-07-13", "2026-07-16"));
        let new = batch("new", ("2026-05-01", "2026-05-28", "2026-05-31"));
        let (from, until) = (at("2026-04-01"), at("2026-08-01"));
        let gap = |since: &str| [Gap { key: key(), from: at(since), until }];
        // Of the same content: both rests are there.
        let both = state([old.clone(), new.clone()]);
        assert_eq!(both.gaps(&key(), from, until), gap("2026-07-16"));
        old.withdrawn = Some(new.first());
        let both = state([old, new]);
        assert_eq!(both.gaps(&key(), from, until), gap("2026-05-31"));
        let last = both.last_batch(&key(), until).expect("a batch");
        assert_eq!(last.ceremony.as_str(), "new");
        assert!(!last.has_rest_at(at("2026-05-28")));
    }

    /// A CRL of the morning that was signed in the afternoon covered no morning.
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
