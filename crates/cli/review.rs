//! Compiles a plan for review: what `graph`, `bind` and `script` print is read from this.

use std::path::Path;
use std::sync::Arc;

use ceremony::compile::{Compiled, compile};
use ceremony::key::Proof;
use ceremony::ledger::State;
use ceremony::plan::Plan;
use ceremony::record::Mode;
use ceremony::register::changes;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::verify::Trust;
use ceremony::violation::Violation;

use crate::args;
use crate::halt::Halt;
use crate::held::kind;
use crate::lang::{Lang, pick};
use crate::sources::Sources;
use crate::{ledgers, proofs};

/// Compiles a plan against a state, for a ceremony of a mode.
pub(crate) fn compiled(
    sources: Sources,
    state: impl FnOnce(&Plan) -> Result<(Arc<State>, Mode), Halt>,
) -> Result<(Compiled, Vec<Proof>), Halt> {
    let again = sources.clone();
    let inputs = sources.inputs()?;
    let (state, mode) = state(&inputs.plan)?;
    let refused = |violations| Halt::Violations(Box::new(again.clone()), violations);
    let compiled = compile(&inputs, &state, mode).map_err(refused)?;
    let proofs = proofs::prove(&compiled.checks)
        .map_err(|(check, _)| refused(vec![inputs.refused_possession(&check.subject)]))?;
    Ok((compiled, proofs))
}

/// Compiles a plan for review, as it will be held: as the ceremonies of its ledger were; a CA's
/// first as a real one, or with `--drill` as a drill.
pub(crate) fn reviewed(planned: &args::Planned) -> Result<Compiled, Halt> {
    reviewed_as(&planned.plan, planned.ledger.as_deref(), |state| {
        let asked = if planned.drill { Mode::Drill } else { Mode::Real };
        match &state.genesis {
            None => Ok(asked),
            Some(genesis) if planned.drill && genesis.mode != asked => {
                let of = kind(genesis.mode);
                let asked = says!("訓練の台帳", "a ledger of drills");
                let found = says!(of; "{of}の台帳", "a ledger of {of} ceremonies");
                Err(Halt::media(RuleId::S_MODE, asked, found))
            }
            Some(genesis) => Ok(genesis.mode),
        }
    })
}

/// Compiles a plan against its ledger, for a ceremony of the mode that the state gives.
pub(crate) fn reviewed_as(
    plan: &Path,
    ledger: Option<&Path>,
    mode: impl FnOnce(&State) -> Result<Mode, Halt>,
) -> Result<Compiled, Halt> {
    let (compiled, _) = compiled(Sources::read(plan)?, |read| {
        let state = ledgers::state_before(plan, read.after.get_ref(), ledger, &Trust::None)?;
        let mode = mode(&state)?;
        Ok((state, mode))
    })?;
    Ok(compiled)
}

/// What becomes otherwise in the register of people.
pub(crate) fn changes_of_register(compiled: &Compiled, lang: Lang) -> String {
    let changes = changes(&compiled.before.register, &compiled.register);
    let what = pick(lang, "任命簿", "register");
    changes.iter().map(|change| format!("  {what} {}\n", lang.said(change))).collect()
}

/// What the rules report without refusing the plan.
pub(crate) fn reports(compiled: &Compiled, lang: Lang) -> String {
    let what = pick(lang, "報告", "reported");
    let line = |v: &Violation| {
        format!("  {what} {}: {}; {}\n", v.rule, lang.said(&v.asked), lang.said(&v.found))
    };
    compiled.warnings.iter().map(line).collect()
}
