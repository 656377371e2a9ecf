//! What comes next in a run: the order of a ceremony, also after a stop or an interruption.

use super::{Book, Run};
use crate::graph::{Act, Op, Phase, TokenAct};
use crate::record::End;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// Ask this operation, at this attempt.
    Ask(&'a Op, u32),
    /// Wait for the answer to this operation, which was asked.
    Answer(&'a Op, u32),
    /// Record the attempt of this operation as lost: it was asked in an earlier session and never
    /// answered.
    Burn(&'a Op, u32),
    /// Look on the token for what this key generation left, whose result is unknown.
    Settle(&'a Op, u32),
    /// Have the head after this operation, or after its refusal, noted on paper. Nothing else
    /// happens before.
    Note(&'a Op, u32),
    /// End the session: it was interrupted for a break. What follows is another session.
    Pause,
    /// Write the closing record; nothing else is left to do.
    Close(End),
    /// Seal the transcript, then write the record that begins the postscript.
    Seal,
    /// Nothing is left to do: the postscript is complete.
    Nothing,
    /// Give up: the ceremony stopped where no audit key can seal it, either before there was one or
    /// in a session whose opening was refused. Unless it is resumed, the unsealed journal is its
    /// only record.
    Abandon,
}

impl Run {
    /// What comes next.
    #[must_use]
    pub fn next(&self) -> Next<'_> {
        if let Some(op) = self.pending.and_then(|i| self.op_at(i)) {
            return Next::Answer(op, self.attempt(op));
        }
        if let Some(op) = self.burn.and_then(|i| self.op_at(i)) {
            return Next::Burn(op, self.attempt(op));
        }
        if self.paused {
            let due = self.due.and_then(|i| self.op_at(i));
            return due.map_or(Next::Pause, |op| Next::Note(op, self.attempt(op)));
        }
        match (self.book, self.closed) {
            (Book::Postscript, closed) => self.next_of_postscript(closed),
            (Book::Transcript, Some(_)) => Next::Seal,
            (Book::Transcript, None) => self.next_of_transcript(),
        }
    }

    /// Returns what comes next after the seal. What an aborted ceremony made is withheld, so
    /// nothing is handed over.
    fn next_of_postscript(&self, closed: Option<End>) -> Next<'_> {
        let withheld = |op: &Op| closed != Some(End::Completed) && op.act.is_hand_over();
        let mut ops = self.graph().ops.iter().zip(&self.ops).filter(|(_, state)| !state.done);
        let skipped = |op: &Op| withheld(op) || self.is_of_absent(op);
        ops.find(|(op, _)| op.act.phase() == Phase::Postscript && !skipped(op))
            .map_or(Next::Nothing, |(op, _)| Next::Ask(op, self.attempt(op)))
    }

    fn next_of_transcript(&self) -> Next<'_> {
        if self.stopped.is_some() {
            return self.next_when_stopped();
        }
        if let Some(op) = self.next_in(|phase| phase <= Phase::Opening) {
            return Next::Ask(op, self.attempt(op));
        }
        if let Some(op) = self.due.and_then(|i| self.op_at(i)) {
            return Next::Note(op, self.attempt(op));
        }
        if let Some(op) = self.doubt.and_then(|i| self.op_at(i)) {
            return Next::Settle(op, self.attempt(op));
        }
        self.next_in(|phase| phase == Phase::Work)
            .map_or(Next::Close(End::Completed), |op| Next::Ask(op, self.attempt(op)))
    }

    /// Returns what comes next in a stopped run. Only these are left: the opening again after an
    /// interruption, the ledger head, the closing record and the seal. If the opening itself was
    /// refused, not even these in this session.
    fn next_when_stopped(&self) -> Next<'_> {
        let opening = self.next_in(|phase| phase == Phase::Opening);
        let due = self.due.and_then(|i| self.op_at(i));
        if !self.audit_ready || self.halted {
            // In a session whose opening is not done, the head before was compared with no paper.
            return due
                .filter(|_| self.halted || opening.is_none())
                .map_or(Next::Abandon, |op| Next::Note(op, self.attempt(op)));
        }
        if let Some(op) = opening {
            return Next::Ask(op, self.attempt(op));
        }
        if let Some(op) = due {
            return Next::Note(op, self.attempt(op));
        }
        let head = self.graph().ops.iter().find(|op| op.act == Act::Token(TokenAct::WriteHead));
        match head {
            Some(op) if self.written_head.is_none() && !self.headless => {
                Next::Ask(op, self.attempt(op))
            }
            Some(_) | None => Next::Close(End::Aborted),
        }
    }

    fn next_in(&self, phase: impl Fn(Phase) -> bool) -> Option<&Op> {
        let mut ops = self.graph().ops.iter().zip(&self.ops);
        ops.find(|(op, state)| !state.done && phase(op.act.phase()) && !self.is_of_absent(op))
            .map(|(op, _)| op)
    }
}
