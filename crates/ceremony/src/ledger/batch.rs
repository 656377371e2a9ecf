//! A batch of CRLs that a ceremony signed, and when they are in force.

use alloc::collections::BTreeMap;

use crate::name::Name;
use crate::time::{Day, Instant};

/// The CRLs of one ceremony.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The ceremony.
    pub ceremony: Name,
    /// The CRLs of each key that signed some.
    pub crls: BTreeMap<Name, Crls>,
    /// When its ceremony ended, which is the earliest time anyone could have it.
    pub ended_at: Instant,
    /// The lowest and the highest CRL number.
    pub numbers: (u64, u64),
    /// The number of entries in the first and in the last CRL. Certificates that end in between are
    /// listed in the first only.
    pub entries: (usize, usize),
    /// When the next ceremony was planned to be.
    pub next_ceremony: Option<Day>,
    /// Whether it was handed out.
    pub issued: bool,
}

/// The CRLs of one key in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crls {
    /// The first thisUpdate.
    pub first: Instant,
    /// The last thisUpdate.
    pub last: Instant,
    /// The last nextUpdate, after which no CRL of the batch is current.
    pub next_update: Instant,
    /// The first later ceremony in which the same key signed CRLs while these were not all
    /// released. A batch of another key supersedes nothing.
    pub superseded_by: Option<Name>,
    /// When the CRLs that supersede these take effect, if the destruction of those that were not
    /// released yet was ordered and confirmed.
    pub withdrawn: Option<Instant>,
}

impl Crls {
    /// Whether unreleased CRLs may exist at this time. CRLs with the same content do not remove
    /// them; only their confirmed destruction does.
    #[must_use]
    pub fn has_rest_at(&self, at: Instant) -> bool {
        self.withdrawn.is_none() && self.last > at
    }
}

impl Batch {
    /// Returns the earliest thisUpdate of all keys.
    #[must_use]
    pub fn first(&self) -> Instant {
        self.crls.values().map(|crls| crls.first).min().unwrap_or(self.ended_at)
    }

    /// Returns the latest thisUpdate of all keys.
    #[must_use]
    pub fn last(&self) -> Instant {
        self.crls.values().map(|crls| crls.last).max().unwrap_or(self.ended_at)
    }

    /// Whether it was handed out by this time.
    #[must_use]
    pub fn is_out_at(&self, at: Instant) -> bool {
        self.issued && self.ended_at <= at
    }

    /// Returns from when until when the batch had a CRL of this key in force; unreleased CRLs that
    /// were destroyed do not count.
    #[must_use]
    pub fn covers(&self, key: &Name) -> Option<(Instant, Instant)> {
        let crls = self.crls.get(key)?;
        let until = crls.withdrawn.map_or(crls.next_update, |end| end.min(crls.next_update));
        Some((crls.first.max(self.ended_at), until))
    }

    /// Returns the keys of which unreleased CRLs may exist at this time.
    pub fn rest_at(&self, at: Instant) -> impl Iterator<Item = &Name> {
        let rest = move |(_, crls): &(&Name, &Crls)| self.issued && crls.has_rest_at(at);
        self.crls.iter().filter(rest).map(|(key, _)| key)
    }
}
