//! Computes what falls due from the state and the policy.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use super::{Batch, Certificate, Key, State};
use crate::name::Name;
use crate::plan::ProfileName;
use crate::policy::Policy;
use crate::time::{CalendarSpan, Instant};

/// Returns the instant this many calendar months after the day of `at`.
pub(crate) fn months_after(at: Instant, months: u16) -> Option<Instant> {
    let span: CalendarSpan = format!("{months} months").parse().ok()?;
    at.midnight().plus(&span).ok()
}

/// A task with its deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The deadline.
    pub by: Instant,
    /// The task.
    pub kind: DueKind,
}

/// A kind of task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueKind {
    /// The next ceremony, which signs the next CRLs (4.9.7).
    Crls,
    /// The end of a root key's last CRL, after which verifiers reject everything under the key.
    CrlsRunOut(Name),
    /// The renewal of a DS certificate that has no successor yet, by its end (4.7.1).
    Renewal(Name),
    /// The time from which a root key without a successor is reported, so that the rollover is
    /// planned.
    Rollover(Name),
    /// The last second in which a root key's successor may begin.
    RolloverEnds(Name),
    /// The end of a root key's use for signing certificates (5.6, 6.3.2).
    KeyUse(Name),
    /// The end of a root certificate, after which its key has no duty (6.2.10).
    RootEnds(Name),
}

impl Due {
    /// Whether the deadline was missed at this time. The next CRLs are due at any time of their
    /// day.
    #[must_use]
    pub fn is_overdue_at(&self, at: Instant) -> bool {
        match self.kind {
            DueKind::Crls => self.by.day().days_since(at.day()) < 0,
            // A CRL is in force until just before its nextUpdate, everything else through its last
            // second.
            DueKind::CrlsRunOut(_) => self.by <= at,
            DueKind::Renewal(_)
            | DueKind::Rollover(_)
            | DueKind::RolloverEnds(_)
            | DueKind::KeyUse(_)
            | DueKind::RootEnds(_) => self.by < at,
        }
    }
}

impl State {
    /// Returns everything that is ahead or overdue at this time, by date. Events after this time
    /// are ignored.
    #[must_use]
    pub fn due(&self, policy: &Policy, at: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        let known = |batch: &&Batch| batch.is_out_at(at);
        let last = self.batches.iter().rev().find(known);
        if let Some(day) = last.and_then(|batch| batch.next_ceremony) {
            due.push(Due { by: day.start(*policy.ca.offset.get_ref()), kind: DueKind::Crls });
        }
        due.extend(
            self.run_out(at).map(|(name, by)| Due { by, kind: DueKind::CrlsRunOut(name.clone()) }),
        );
        let handed_out = |c: &&Certificate| c.out_at.is_some_and(|out| out <= at);
        let renewals = self.certificates.values().filter(handed_out);
        let renewed: BTreeSet<&Name> = renewals.filter_map(|c| c.renews.as_ref()).collect();
        for (name, certificate) in &self.certificates {
            let revoked = certificate.revoked().is_some_and(|revoked| revoked.date <= at);
            let live = certificate.is_valid_at(at) && !revoked;
            match certificate.profile {
                ProfileName::Ds if live && !renewed.contains(name) => {
                    due.push(Due {
                        by: certificate.not_after,
                        kind: DueKind::Renewal(name.clone()),
                    });
                }
                ProfileName::Root => self.due_of_root(policy, &certificate.issuer, at, &mut due),
                ProfileName::Ds | ProfileName::OldWithNew | ProfileName::NewWithOld => {}
            }
        }
        due.sort_by_key(|due| due.by);
        due
    }

    fn due_of_root(&self, policy: &Policy, name: &Name, at: Instant, due: &mut Vec<Due>) {
        let Some(key) = self.keys.get(name).filter(|key| key.serves_at(at)) else { return };
        let later = |other: &Key| other.generation > key.generation && other.serves_at(at);
        if !self.root_keys().any(|(_, other)| later(other)) {
            let from = key.rollover_from(policy).ok();
            let latest = self.root_of(name.as_str()).and_then(|root| {
                let end = root.not_after.plus_seconds(1);
                let day = end.day().plus(policy.root.rollover_latest.get_ref(), -1).ok()?;
                Some(day.start(end.offset()).plus_seconds(-1))
            });
            let spans = [
                (from, DueKind::Rollover(name.clone())),
                (latest, DueKind::RolloverEnds(name.clone())),
            ];
            due.extend(spans.into_iter().filter_map(|(by, kind)| Some(Due { by: by?, kind })));
        }
        if let Ok(end) = key.use_ends(policy) {
            due.push(Due { by: end, kind: DueKind::KeyUse(name.clone()) });
        }
        if let Some(root) = self.root_of(name.as_str()) {
            due.push(Due { by: root.not_after, kind: DueKind::RootEnds(name.clone()) });
        }
    }
}
