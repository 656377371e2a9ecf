//! How long a ceremony takes, as its policy reckons: minutes for its parts, and for what is done
//! before a step.
//!
//! The script's agenda has these times, the screen shows them beside those that are used, and the
//! report of the sealed folder compares both.
//!
//! **Deliberately absent:** any effect on a run. A ceremony that takes longer is ended by its
//! window (S-WINDOW), and by nothing else.

use crate::graph::{Act, Graph, Op, Phase, Signers};
use crate::policy::PacePolicy;

/// The time that a policy reckons with, for one graph.
#[derive(Debug, Clone, Copy)]
pub struct Pace<'a> {
    policy: &'a PacePolicy,
    graph: &'a Graph,
}

impl<'a> Pace<'a> {
    /// Reckons with a policy's seconds.
    #[must_use]
    pub const fn new(policy: &'a PacePolicy, graph: &'a Graph) -> Self {
        Self { policy, graph }
    }

    /// The seconds of one operation: the act, the cards that sign it at once, and the head that is
    /// noted on paper after it. The seal includes the cards of all who sign the close.
    #[must_use]
    pub fn seconds(&self, op: &Op) -> u64 {
        let kind = op.act.kind();
        let act = self.policy.act.get(kind).map(|seconds| *seconds.get_ref());
        let act = act.unwrap_or_else(|| match op.act {
            Act::People(_) => *self.policy.people.get_ref(),
            Act::Token(_) | Act::Seal => *self.policy.token.get_ref(),
        });
        let cards = match (&op.act, op.signers()) {
            (Act::Seal, _) => self.graph.people.values().filter(|one| !one.reserve).count(),
            (_, None) => 0,
            (_, Some(Signers::One(_))) => 1,
            (_, Some(Signers::WhoAnswers)) => op.by.iter().map(|duty| duty.at_least).sum(),
        };
        let card = u64::from(*self.policy.signature.get_ref());
        let head = if op.noted { u64::from(*self.policy.head.get_ref()) } else { 0 };
        u64::from(act) + core::iter::repeat_n(card, cards).sum::<u64>() + head
    }

    /// The minutes of a part: from the end of the part before to its own end, both rounded up, so
    /// that the parts add up to the whole.
    #[must_use]
    pub fn part(&self, phase: Phase) -> u64 {
        let until = self.minutes(|op| op.act.phase() <= phase);
        until - self.minutes(|op| op.act.phase() < phase)
    }

    /// The minutes from the first step to the end of this one, rounded up.
    #[must_use]
    pub fn until(&self, last: &Op) -> u64 {
        self.minutes(|op| op.id <= last.id)
    }

    /// The minutes of the whole ceremony, rounded up.
    #[must_use]
    pub fn whole(&self) -> u64 {
        self.minutes(|_| true)
    }

    fn minutes(&self, counts: impl Fn(&Op) -> bool) -> u64 {
        let ops = self.graph.ops.iter().filter(|op| counts(op));
        ops.map(|op| self.seconds(op)).sum::<u64>().div_ceil(60)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::graph::Act;

    #[test]
    fn every_kind_of_act_can_be_named() {
        let rows = include_str!("graph/act.rs").split("=> (\"").skip(1);
        let kinds: Vec<&str> = rows.filter_map(|row| row.split('"').next()).collect();
        assert_eq!(Act::KINDS.as_slice(), [kinds.as_slice(), &["seal"]].concat());
    }
}
