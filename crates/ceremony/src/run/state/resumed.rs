//! How a run goes on after an interruption: what is asked again and what stays.

use alloc::format;
use alloc::vec::Vec;

use super::super::{Book, Next, Run, Stop, judge};
use super::listed;
use crate::fault::Fault;
use crate::graph::{Act, Phase, TokenAct};
use crate::language::Bilingual;
use crate::name::Name;
use crate::record::{LoneRefusal, Place, Refuser, Resumed};
use crate::rule::RuleId;
use crate::says;
use crate::time::Instant;

impl Run {
    pub(super) fn take_resumed(&mut self, at: Instant, resumed: &Resumed) -> Result<(), Fault> {
        judge::place(&self.compiled, &resumed.room)?;
        let serials = |place: &Place| place.serials().cloned().collect::<Vec<_>>().join(", ");
        let (asked, found) = (serials(&self.opened.room), serials(&resumed.room));
        if asked != found {
            let (asked, found) = (Bilingual::plain(asked), Bilingual::plain(found));
            return Err(Fault::new(RuleId::S_TOKEN_SERIAL, asked, found));
        }
        let both_were_there = resumed.new_medium.is_empty();
        if !both_were_there {
            self.two_roles(&resumed.new_medium)?;
        } else if resumed.aside.is_some() {
            let asked = says!(
                "記録を脇に置くことに同意する、役割の異なる 2 名",
                "two people of two roles who consent to put a journal aside"
            );
            return Err(Fault::new(RuleId::R_MULTI, asked, says!("同意した者なし", "nobody")));
        }
        self.place = resumed.room.clone();
        self.session += 1;
        if self.book == Book::Postscript {
            return self.goes_on_after_the_seal(resumed);
        }
        if let Some(refusal) = &resumed.refusal {
            self.take_lone_refusal(at, resumed.dropped, refusal)?;
        }
        self.halted = false;
        self.paused = false;
        self.headless = false;
        self.closed = None;
        self.reopen_acts();
        if let Some(index) = self.pending.take() {
            match self.op_at(index).map(|op| &op.act) {
                Some(Act::Token(TokenAct::Generate { .. })) => self.doubt = Some(index),
                Some(_) | None => self.burn = Some(index),
            }
        }
        let (_, until) = self.graph().window;
        if at > until && self.stopped.is_none() {
            let reason = format!("resumed at {at}, after {until}");
            self.stopped = Some(Stop { rule: Refuser::Rule(RuleId::S_WINDOW), reason });
        }
        Ok(())
    }

    /// After the seal nothing is opened again, and what is on one medium only is asked again: no
    /// refusal is told of in such a record. When everything is done, nothing goes on.
    fn goes_on_after_the_seal(&self, resumed: &Resumed) -> Result<(), Fault> {
        if self.next() == Next::Nothing {
            let found = says!("さらに Resumed", "Resumed, after everything was done");
            return Err(Fault::new(RuleId::S_ORDER, self.what_next(), found));
        }
        if let Some(person) = resumed.new_medium.iter().find(|id| self.is_without_card(id)) {
            let asked = says!(
                "封印の後は、カードで署名する者の同意",
                "after the seal, the consent of people whose cards sign"
            );
            let found = says!("カードの使えない {person}", "{person}, without a card that signs");
            return Err(Fault::new(RuleId::S_SIGNED, asked, found));
        }
        match &resumed.refusal {
            None => Ok(()),
            Some(refusal) => {
                let asked = says!(
                    "封印の後は、片方の媒体にだけある中止の申し出なし",
                    "after the seal, no refusal that is on one medium only"
                );
                Err(Fault::new(RuleId::S_REFUSED, asked, listed(&refusal.by)))
            }
        }
    }

    /// Reopens the opening, and what people did since the last head noted on paper: only what that
    /// head covers is known to be theirs.
    fn reopen_acts(&mut self) {
        let noted = self.noted.map(|noted| noted.record);
        for (op, state) in self.compiled.graph.ops.iter().zip(&mut self.ops) {
            let since = state.done && noted.is_none_or(|noted| state.record > noted);
            match op.act.phase() {
                Phase::Opening => state.done = false,
                Phase::Entry | Phase::Work if since && op.act.is_of_people() => {
                    state.done = false;
                    state.at = None;
                    self.due = self.due.filter(|due| *due != op.id.index());
                    for person in op.says_who_came() {
                        self.absent.remove(person);
                    }
                }
                Phase::Entry | Phase::Work | Phase::Seal | Phase::Postscript => {}
            }
        }
    }

    fn take_lone_refusal(
        &mut self,
        at: Instant,
        dropped: u32,
        refusal: &LoneRefusal,
    ) -> Result<(), Fault> {
        self.who_refuses(refusal.rule, &refusal.reason, &refusal.by)?;
        if dropped == 0 || !self.may_have_refused(at, refusal.rule) {
            let asked = says!(
                "取り上げられなかった記録の中の、あり得た中止",
                "a refusal that could have been among the dropped records"
            );
            let found = Bilingual::plain(format_args!("{}, {dropped}", refusal.rule));
            return Err(Fault::new(RuleId::S_REFUSED, asked, found));
        }
        self.may_lift(refusal, &refusal.lifted)?;
        if refusal.holds() && self.stopped.is_none() {
            let (rule, reason) = (refusal.rule, refusal.reason.clone());
            self.stopped = Some(Stop { rule, reason });
        }
        Ok(())
    }

    /// Checks that these people may lift a refusal that is on one medium only: those who refused,
    /// or two people of two roles if a rule refused. An empty list lifts nothing.
    ///
    /// # Errors
    ///
    /// By S-REFUSED or R-MULTI where they cannot.
    pub fn may_lift(&self, refusal: &LoneRefusal, lifted: &[Name]) -> Result<(), Fault> {
        match (lifted, refusal.by.as_slice()) {
            ([], _) => Ok(()),
            (_, []) => self.two_roles(lifted),
            (_, by) if by == lifted => Ok(()),
            (_, by) => {
                let by = listed(by);
                let asked = says!(by; "中止を申し出た {by}", "{by}, who refused");
                Err(Fault::new(RuleId::S_REFUSED, asked, listed(lifted)))
            }
        }
    }
}
