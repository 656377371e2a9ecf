//! Whether the program that holds a ceremony is the one that was released for it.
//!
//! **Deliberately absent:** a proof of which program runs. A program says its own name; that the
//! image which says it is the pinned one, people and firmware measure.

use alloc::string::String;

use crate::fault::Fault;
use crate::inputs::Inputs;
use crate::language::Bilingual;
use crate::ledger::State;
use crate::record::{Mode, Place};
use crate::rule::RuleId;
use crate::says;
use crate::violation::Input;

/// What the program that holds a ceremony must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Whether a real ceremony needs a release.
    pub needed: bool,
    /// The program that is released, if one is.
    pub tool: Option<String>,
}

impl Released {
    /// What a plan asks on this state. What the policy asked until now, no policy takes away.
    pub(crate) fn of(inputs: &Inputs, state: &State) -> Self {
        let before = state.last_policy().is_some_and(|before| before.decision.release.is_some());
        Self {
            needed: before || inputs.policy.decision.release.is_some(),
            tool: inputs.release.as_ref().map(|release| release.tool.get_ref().clone()),
        }
    }

    /// Refuses to hold a real ceremony by a program that is not released.
    pub(crate) fn judge(&self, mode: Mode, place: &Place) -> Result<(), Fault> {
        let asked = match (mode, &self.tool) {
            (Mode::Real, None) if self.needed => {
                says!("プログラムのリリース({})", "a release of the program, in {}", Input::Release)
            }
            (Mode::Real, Some(tool)) if *tool != place.tool => {
                says!("リリースされたプログラム {tool}", "the released program, {tool}")
            }
            (Mode::Rehearsal | Mode::Drill | Mode::Real, _) => return Ok(()),
        };
        Err(Fault::new(RuleId::S_TOOL, asked, Bilingual::plain(&place.tool)))
    }
}
