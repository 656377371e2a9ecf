//! `diff`: what changes in meaning between two plans, two sealed folders, or one of each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::compile::{Compiled, compile};
use ceremony::diff::{Form, Meaning, compare, render};
use ceremony::ledger::State;
use ceremony::plan::After;
use ceremony::record::Mode;
use ceremony::seal::TRANSCRIPT_FILE;
use ceremony::verify::Trust;

use crate::args;
use crate::halt::Halt;
use crate::lang::{Lang, language};
use crate::report::print;
use crate::sources::Sources;
use crate::{ledgers, proofs};

/// A ledger up to a ceremony, and the state that it left; mostly both sides of a difference have
/// the same.
type Folded = Option<((PathBuf, After), Arc<State>)>;

/// Shows what differs; prints nothing if both mean the same.
pub(crate) fn show(asked: &args::Diff, lang: Lang) -> Result<(), Halt> {
    let mut folded = None;
    let old = meaning(&asked.old, asked.ledger.as_deref(), &mut folded)?;
    let new = meaning(&asked.new, asked.ledger.as_deref(), &mut folded)?;
    let difference = compare(&old, &new);
    if difference.is_empty() {
        return Ok(());
    }
    let form = if asked.markdown { Form::Markdown } else { Form::Text };
    print(&render(&difference, language(lang), form))?;
    Err(Halt::Differs)
}

/// Reads the meaning of a folder. A plan that breaks rules has a meaning too; one that cannot be
/// read has none.
fn meaning(path: &Path, ledger: Option<&Path>, folded: &mut Folded) -> Result<Meaning, Halt> {
    let is_sealed = path.join(TRANSCRIPT_FILE).exists();
    let sources = if is_sealed { Sources::sealed(path)? } else { Sources::read(path)? };
    let inputs = sources.inputs()?;
    let after = inputs.plan.after.get_ref();
    let ledger = match (ledger, is_sealed) {
        (Some(ledger), _) => Some(ledger.to_path_buf()),
        (None, true) => Some(above(path)),
        (None, false) => None,
    };
    let state = state(path, after, ledger, folded)?;
    let proved = |compiled: Compiled| match proofs::prove(&compiled.checks) {
        Ok(_) => Ok(compiled),
        Err((check, _)) => Err(vec![inputs.refused_possession(&check.subject)]),
    };
    // What a plan means is how it will be held in earnest, whatever a sealed folder was.
    let compiled = compile(&inputs, &state, Mode::Real).and_then(proved);
    Ok(Meaning::of(&inputs, &state, &compiled))
}

fn state(
    plan: &Path,
    after: &After,
    ledger: Option<PathBuf>,
    folded: &mut Folded,
) -> Result<Arc<State>, Halt> {
    let After::Ceremony(last) = after else { return Ok(Arc::default()) };
    let ledger = ledger.map_or_else(|| ledgers::beside(plan, last), Ok)?;
    let asked = (ledger, after.clone());
    if let Some((known, state)) = folded
        && *known == asked
    {
        return Ok(Arc::clone(state));
    }
    let state = ledgers::state_before(plan, after, Some(&asked.0), &Trust::None)?;
    *folded = Some((asked, Arc::clone(&state)));
    Ok(state)
}

/// Returns the ledger that contains a sealed folder.
fn above(sealed: &Path) -> PathBuf {
    let absolute = std::path::absolute(sealed).unwrap_or_else(|_| sealed.to_path_buf());
    absolute.parent().map_or_else(|| absolute.clone(), Path::to_path_buf)
}
