//! What falls due: asked with a date, answered from the state and the policy.

use alloc::format;
use alloc::vec::Vec;

use super::{Batch, Key, State};
use crate::name::Name;
use crate::plan::ProfileName;
use crate::policy::Policy;
use crate::time::{CalendarSpan, Instant};

/// From when a root key that has no successor is reported (D14).
pub(crate) const ALARM_MONTHS: u16 = 57;

/// Until when a successor may begin: a month before the root of 64 months ends (D14).
const LAST_MONTHS: u16 = 63;

/// So many months after the day of this time, by the calendar.
pub(crate) fn months_after(at: Instant, months: u16) -> Option<Instant> {
    let span: CalendarSpan = format!("{months} months").parse().ok()?;
    at.day().start().plus(&span).ok()
}

/// Something that has to be done by a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// By when.
    pub by: Instant,
    /// What.
    pub kind: DueKind,
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueKind {
    /// The next ceremony signs the next CRLs (4.9.7).
    Crls,
    /// The last CRL of a root key runs out: verifiers refuse everything under it.
    CrlsRunOut(Name),
    /// A DS certificate ends (4.7.1).
    Renewal(Name),
    /// A root key without successor is reported from here on: its rollover is planned (6.3.2; D14).
    Rollover(Name),
    /// The last second in which a successor of a root key may begin (6.3.2; D14).
    RolloverEnds(Name),
    /// A root key stops signing certificates (5.6, 6.3.2).
    KeyUse(Name),
    /// A root certificate ends: its key has no duty any more (6.2.10).
    RootEnds(Name),
}

impl Due {
    /// Whether it was missed at this time. The next CRLs are signed some time on their day.
    #[must_use]
    pub fn is_overdue_at(&self, at: Instant) -> bool {
        match self.kind {
            DueKind::Crls => self.by.day().days_since(at.day()) < 0,
            // A CRL is good before its nextUpdate, everything else up to its last second.
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
    /// Everything that is still ahead or was missed at this time, by date. What came later than
    /// this time is left out.
    #[must_use]
    pub fn due(&self, policy: &Policy, at: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        let known = |batch: &&Batch| batch.is_out_at(at);
        let last = self.batches.iter().rev().find(known);
        if let Some(day) = last.and_then(|batch| batch.next_ceremony) {
            due.push(Due { by: day.start(), kind: DueKind::Crls });
        }
        due.extend(
            self.run_out(at).map(|(name, by)| Due { by, kind: DueKind::CrlsRunOut(name.clone()) }),
        );
        for (name, certificate) in &self.certificates {
            let revoked = certificate.revoked().is_some_and(|revoked| revoked.date <= at);
            let live = certificate.is_valid_at(at) && !revoked;
            match certificate.profile {
                ProfileName::Ds if live => {
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
            let months = [
                (months_after(key.made_at, ALARM_MONTHS), DueKind::Rollover(name.clone())),
                (
                    months_after(key.made_at, LAST_MONTHS).map(|end| end.plus_seconds(-1)),
                    DueKind::RolloverEnds(name.clone()),
                ),
            ];
            due.extend(months.into_iter().filter_map(|(by, kind)| Some(Due { by: by?, kind })));
        }
        if let Ok(end) = key.use_ends(policy) {
            due.push(Due { by: end, kind: DueKind::KeyUse(name.clone()) });
        }
        if let Some(root) = self.root_of(name.as_str()) {
            due.push(Due { by: root.not_after, kind: DueKind::RootEnds(name.clone()) });
        }
    }
}
