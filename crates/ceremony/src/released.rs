//! Whether the program that holds a ceremony is the one that was released for it.
//!
//! **Deliberately absent:** a proof of which program runs. A program says its own name; that the
//! image which says it is the pinned one, people and firmware measure.

use alloc::string::String;

use crate::fault::Fault;
use crate::hex::Digest;
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
    pub program: Option<Program>,
}

/// A program that is released, as `release.toml` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Version and source.
    pub tool: String,
    /// SHA-256 of the tool's image.
    pub image: Digest,
    /// SHA-256 of the report of its tests.
    pub tests: Digest,
}

impl Released {
    /// What a plan asks on this state. What the policy asked until now, no policy takes away.
    pub(crate) fn of(inputs: &Inputs, state: &State) -> Self {
        let before = state.last_policy().is_some_and(|before| before.decision.release.is_some());
        Self {
            needed: before || inputs.policy.decision.release.is_some(),
            program: inputs.release.as_ref().map(|release| Program {
                tool: release.tool.get_ref().clone(),
                image: *release.image.get_ref(),
                tests: *release.tests.get_ref(),
            }),
        }
    }

    /// Judges, before the day, what a ceremony of this mode will ask of the release: that there is
    /// one where one is needed, and that some program can name itself as it says.
    ///
    /// # Errors
    ///
    /// S-TOOL.
    pub fn judge_before(&self, mode: Mode) -> Result<(), Fault> {
        self.refuse_none(mode)?;
        match &self.program {
            Some(Program { tool, .. }) if mode == Mode::Real && !names_a_build(tool) => {
                let asked = says!(
                    "`tool` は `gishiki --version` が `gishiki` の後に示すとおり(例 `0.1.0 (source 64 桁の十六進数)`)",
                    "`tool` as `gishiki --version` says it behind `gishiki`, such as `0.1.0 (source …)` with 64 hexadecimal digits"
                );
                let found = says!(
                    "{tool}。専用イメージのプログラムの表示を {} に写す",
                    "{tool}: copy into {} what the program of the live image says",
                    Input::Release
                );
                Err(Fault::new(RuleId::S_TOOL, asked, found))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses a real ceremony for which no program is released.
    fn refuse_none(&self, mode: Mode) -> Result<(), Fault> {
        if mode != Mode::Real || !self.needed || self.program.is_some() {
            return Ok(());
        }
        let asked =
            says!("プログラムのリリース({})", "a release of the program, in {}", Input::Release);
        let found = says!(
            "なし。試験したプログラムを {} に書き、リリースを承認する者が承認する",
            "none: name the tested program in {}, and let those approve it who approve releases",
            Input::Release
        );
        Err(Fault::new(RuleId::S_TOOL, asked, found))
    }

    /// Refuses to hold a real ceremony by a program that is not released.
    pub(crate) fn judge(&self, mode: Mode, place: &Place) -> Result<(), Fault> {
        self.refuse_none(mode)?;
        match &self.program {
            Some(Program { tool, .. }) if mode == Mode::Real && *tool != place.tool => {
                let asked =
                    says!("リリースされたプログラム {tool}", "the released program, {tool}");
                Err(Fault::new(RuleId::S_TOOL, asked, Bilingual::plain(&place.tool)))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether a program may name itself so: a version, and the source that it was built from
/// (docs/decisions/0071).
fn names_a_build(tool: &str) -> bool {
    let Some((version, source)) = tool.strip_suffix(')').and_then(|tool| tool.split_once(" ("))
    else {
        return false;
    };
    let digits = |text: &str, count| {
        text.len() == count && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    let commit = source.strip_prefix("commit ");
    let commit = commit.map(|commit| commit.strip_suffix(", changed").unwrap_or(commit));
    let digest = source.strip_prefix("source ");
    version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(plain)
        && (commit.is_some_and(|commit| digits(commit, 40))
            || digest.is_some_and(|digest| digest == "unknown" || digits(digest, 64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_named_as_builds_name_themselves() {
        let (commit, source) = ("0123456789".repeat(4), "ab".repeat(32));
        for (tool, names) in [
            (alloc::format!("0.1.0 (commit {commit})"), true),
            (alloc::format!("0.1.0 (commit {commit}, changed)"), true),
            (alloc::format!("0.1.0 (source {source})"), true),
            ("0.1.0 (source unknown)".into(), true),
            ("0.1.0".into(), false),
            (alloc::format!("gishiki 0.1.0 (source {source})"), false),
            (alloc::format!("0.1.0 (source {})", source.to_uppercase()), false),
            (alloc::format!("0.1.0 (source {commit})"), false),
            (alloc::format!("0.1.0 (commit {commit}) "), false),
            (alloc::format!("(source {source})"), false),
        ] {
            assert_eq!(names_a_build(&tool), names, "{tool}");
        }
    }
}
