//! How a run takes a break: when one can be made, and what it leaves for the next session.

use super::super::{Book, Next, Run, ask};
use crate::fault::Fault;
use crate::graph::{Op, Phase};
use crate::name::Name;
use crate::rule::RuleId;
use crate::says;

impl Run {
    /// Takes a break, which two people of two roles who stay answer for. It ends the attempt that
    /// people were asked, and the head of its record is noted at once.
    pub(super) fn take_paused(
        &mut self,
        op: &str,
        attempt: u32,
        reason: &str,
        by: &[Name],
    ) -> Result<(), Fault> {
        self.may_pause()?;
        self.at_hand(op, Some(attempt))?;
        ask::words(reason)?;
        self.two_roles(by)?;
        self.may_say(by)?;
        if let Some(index) = self.pending {
            self.again(index);
        }
        self.paused = true;
        Ok(())
    }

    /// Checks whether a break can be made now: nothing has stopped the ceremony, this session's
    /// opening is done, and people are asked to do some of the work or to note a head.
    ///
    /// # Errors
    ///
    /// S-ORDER.
    pub fn may_pause(&self) -> Result<(), Fault> {
        let goes_on = self.book == Book::Transcript && self.stopped.is_none() && !self.paused;
        let is_work = |op: &Op| op.act.is_of_people() && op.act.phase() == Phase::Work;
        let next = self.next();
        let is_of_people =
            matches!(next, Next::Note(..)) || matches!(next, Next::Answer(op, _) if is_work(op));
        if goes_on && is_of_people {
            return Ok(());
        }
        let asked = says!(
            "休憩できる時点(この回の開始手順の後の、人の手順又は最新値の書き留め)",
            "a moment for a break: after the opening, at a step of people or at a head to note"
        );
        Err(Fault::new(RuleId::S_ORDER, asked, self.what_next()))
    }
}
