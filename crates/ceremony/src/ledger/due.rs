//! What falls due: asked with a date, answered from the state and the policy.

use alloc::vec::Vec;

use super::State;
use crate::name::Name;
use crate::plan::ProfileName;
use crate::policy::Policy;
use crate::time::Instant;

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
    /// The last CRL runs out: verifiers refuse everything.
    CrlsRunOut,
    /// A DS certificate ends (4.7.1).
    Renewal(Name),
    /// A root key stops signing certificates (5.6, 6.3.2).
    KeyUse(Name),
    /// A root certificate ends: its key has no duty any more (6.2.10).
    RootEnds(Name),
}

impl State {
    /// Everything that is still ahead or was missed at this time, by date.
    #[must_use]
    pub fn due(&self, policy: &Policy, at: Instant) -> Vec<Due> {
        let mut due = Vec::new();
        if let Some(batch) = self.batches.iter().rev().find(|batch| batch.issued) {
            if let Some(day) = batch.next_ceremony {
                due.push(Due { by: day.start(), kind: DueKind::Crls });
            }
            due.push(Due { by: batch.covers_until, kind: DueKind::CrlsRunOut });
        }
        for (name, certificate) in &self.certificates {
            let live = certificate.revoked().is_none() && certificate.not_after >= at;
            match certificate.profile {
                ProfileName::Ds if live => {
                    due.push(Due {
                        by: certificate.not_after,
                        kind: DueKind::Renewal(name.clone()),
                    });
                }
                ProfileName::Root => self.due_of_root(policy, &certificate.issuer, &mut due),
                ProfileName::Ds | ProfileName::OldWithNew | ProfileName::NewWithOld => {}
            }
        }
        due.sort_by_key(|due| due.by);
        due
    }

    fn due_of_root(&self, policy: &Policy, name: &Name, due: &mut Vec<Due>) {
        let Some(key) = self.keys.get(name).filter(|key| key.exists()) else { return };
        if let Ok(end) = key.use_ends(policy) {
            due.push(Due { by: end, kind: DueKind::KeyUse(name.clone()) });
        }
        if let Some(root) = self.root_of(name.as_str()) {
            due.push(Due { by: root.not_after, kind: DueKind::RootEnds(name.clone()) });
        }
    }
}
