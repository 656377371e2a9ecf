//! When a key had no CRL in force: asked up to a time, answered from the batches.

use alloc::vec::Vec;

use super::{Batch, Key, Standing, State};
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
    /// valid and it served. CRLs count that were handed out.
    #[must_use]
    pub fn uncovered(&self, until: Instant) -> Vec<Gap> {
        let keys = self.keys.iter().filter_map(|(name, key)| {
            let root = self.root_of(name.as_str())?;
            let handed_out = root.standing != Standing::Withheld;
            handed_out.then_some((name, root.not_before, ends(key, root.not_after).min(until)))
        });
        keys.flat_map(|(name, from, until)| self.gaps(name, from, until)).collect()
    }

    fn gaps(&self, key: &Name, from: Instant, until: Instant) -> Vec<Gap> {
        let of_key = |batch: &&Batch| batch.issued && batch.keys.contains(key);
        let mut batches: Vec<&Batch> = self.batches.iter().filter(of_key).collect();
        batches.sort_by_key(|batch| batch.first);
        let mut gaps = Vec::new();
        let mut covered = from;
        for batch in batches {
            let begins = batch.first.min(until);
            if begins > covered {
                gaps.push(Gap { key: key.clone(), from: covered, until: begins });
            }
            covered = covered.max(batch.covers_until);
        }
        if until > covered {
            gaps.push(Gap { key: key.clone(), from: covered, until });
        }
        gaps
    }

    /// The last batch in which this key signed CRLs that were handed out, of those that had begun
    /// at this time.
    #[must_use]
    pub fn last_batch(&self, key: &Name, at: Instant) -> Option<&Batch> {
        let of_key = |batch: &&Batch| batch.issued && batch.keys.contains(key) && batch.first <= at;
        self.batches.iter().filter(of_key).max_by_key(|batch| batch.last)
    }
}

/// When a key stops having duties: its root's end, or whatever took it away before.
fn ends(key: &Key, root_ends: Instant) -> Instant {
    let ends = [key.compromised, key.destroyed, key.lost];
    ends.into_iter().flatten().fold(root_ends, Instant::min)
}
