//! Compiles a plan for review: what `graph`, `bind` and `script` print is read from this.

use std::sync::Arc;

use ceremony::compile::{Compiled, compile};
use ceremony::key::Proof;
use ceremony::ledger::State;
use ceremony::plan::Plan;
use ceremony::verify::Trust;

use crate::args;
use crate::halt::Halt;
use crate::sources::Sources;
use crate::{ledgers, proofs};

/// Compiles a plan against a state.
pub(crate) fn compiled(
    sources: Sources,
    state: impl FnOnce(&Plan) -> Result<Arc<State>, Halt>,
) -> Result<(Compiled, Vec<Proof>), Halt> {
    let again = sources.clone();
    let inputs = sources.inputs()?;
    let state = state(&inputs.plan)?;
    let refused = |violations| Halt::Violations(Box::new(again.clone()), violations);
    let compiled = compile(&inputs, &state).map_err(refused)?;
    let proofs = proofs::prove(&compiled.checks)
        .map_err(|(check, _)| refused(vec![inputs.refused_possession(&check)]))?;
    Ok((compiled, proofs))
}

/// Compiles a plan for review: against its ledger, whatever kind it is of.
pub(crate) fn reviewed(planned: &args::Planned) -> Result<Compiled, Halt> {
    let (compiled, _) = compiled(Sources::read(&planned.plan)?, |plan| {
        let ledger = planned.ledger.as_deref();
        ledgers::state_before(&planned.plan, plan.after.get_ref(), ledger, &Trust::None)
    })?;
    Ok(compiled)
}
