//! `diff`: what changes in meaning between two plans, two sealed folders, one of each, or all
//! plans of a CA; each on disk or in a revision of git.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::compile::{Compiled, compile};
use ceremony::diff::{Ceremonies, Difference, Form, Meaning, compare, render, render_all};
use ceremony::ledger::State;
use ceremony::name::Name;
use ceremony::plan::After;
use ceremony::record::Mode;
use ceremony::seal::TRANSCRIPT_FILE;
use ceremony::verify::Trust;

use crate::args;
use crate::halt::Halt;
use crate::lang::{Lang, language, pick};
use crate::report::{print, tell};
use crate::revisions::Side;
use crate::sources::Sources;
use crate::{ledgers, proofs, report};

/// The states that the ceremonies of ledgers left; mostly both sides of a difference have the same
/// ledger.
type Folded = BTreeMap<(PathBuf, Name), Arc<State>>;

/// Shows what differs; prints nothing if both mean the same.
pub(crate) fn show(asked: &args::Diff, lang: Lang) -> Result<(), Halt> {
    let (old, new) = (Side::of(&asked.old)?, Side::of(&asked.new)?);
    let form = if asked.markdown { Form::Markdown } else { Form::Text };
    let ledger = asked.ledger.as_deref();
    let page = if old.is_ca() && new.is_ca() {
        let name = new.folder.file_name().unwrap_or_default().to_string_lossy();
        render_all(&name, &ceremonies(&old, &new, ledger)?, language(lang), form)
    } else {
        let mut folded = Folded::new();
        let old = meaning(&old, &old.folder, ledger, &mut folded)?;
        let new = meaning(&new, &new.folder, ledger, &mut folded)?;
        render(&compare(&old, &new), language(lang), form)
    };
    if page.is_empty() {
        return Ok(());
    }
    print(&page)?;
    Err(Halt::Differs)
}

/// Shows, below the refusal of a golden, what its plan means that the golden does not.
pub(crate) fn explain(golden: &Path, plan: &Path, ledger: Option<&Path>, lang: Lang) {
    let sides = || -> Result<Difference, Halt> {
        let (golden, plan) = (Side::on_disk(golden), Side::on_disk(plan));
        let mut folded = Folded::new();
        let new = meaning(&plan, &plan.folder, ledger, &mut folded)?;
        // A golden need not lie in a ledger: it is read on that of the plan.
        let found = folded.keys().next().map(|(ledger, _)| ledger.clone());
        let ledger = ledger.or(found.as_deref());
        Ok(compare(&meaning(&golden, &golden.folder, ledger, &mut folded)?, &new))
    };
    let shown = sides().and_then(|difference| match difference.is_empty() {
        true => {
            tell(pick(
                lang,
                "意味の変更なし: 計画は基準の入力と同じことを定める。違いはこのプログラムの文言か、基準のファイルの変更による。",
                "No change in meaning: the plan says what the golden's inputs say. What differs comes from this program's own words, or from a change of the golden's files.",
            ));
            Ok(())
        }
        false => print(&format!("\n{}", render(&difference, language(lang), Form::Text))),
    });
    if let Err(halt) = shown {
        tell(pick(
            lang,
            "意味の変更は比べられない:",
            "What changes in meaning cannot be compared:",
        ));
        report::show(&halt, lang);
    }
}

/// Compares all ceremonies of a CA. The last one is read first: its ledger has the states of all.
fn ceremonies(old: &Side, new: &Side, ledger: Option<&Path>) -> Result<Ceremonies, Halt> {
    let plans = |side: &Side| ledgers::whole(ledgers::plans(&side.folder)?, &side.folder);
    let (old_plans, new_plans) = (plans(old)?, plans(new)?);
    let only = |plans: &[ledgers::Entry], others: &[ledgers::Entry]| -> Vec<Name> {
        let others: BTreeSet<&Name> = others.iter().map(|plan| &plan.name).collect();
        let names = plans.iter().map(|plan| &plan.name);
        names.filter(|name| !others.contains(name)).cloned().collect()
    };
    let mut folded = Folded::new();
    let mut differences = Vec::new();
    for plan in new_plans.iter().rev() {
        let Some(before) = old_plans.iter().find(|old| old.name == plan.name) else { continue };
        let before = meaning(old, &before.folder, ledger, &mut folded)?;
        let after = meaning(new, &plan.folder, ledger, &mut folded)?;
        differences.push(compare(&before, &after));
    }
    differences.reverse();
    let (gone, added) = (only(&old_plans, &new_plans), only(&new_plans, &old_plans));
    Ok(Ceremonies::of(gone, added, &differences))
}

/// Reads the meaning of a ceremony's folder, which is that of the side or in it. A plan that breaks
/// rules has a meaning too; one that cannot be read has none.
fn meaning(
    side: &Side,
    path: &Path,
    ledger: Option<&Path>,
    folded: &mut Folded,
) -> Result<Meaning, Halt> {
    let is_sealed = path.join(TRANSCRIPT_FILE).exists();
    let sources = if is_sealed { Sources::sealed(path)? } else { Sources::read(path)? };
    let inputs = side.named(sources).inputs()?;
    let state = match inputs.plan.after.get_ref() {
        After::Nothing => Arc::default(),
        After::Ceremony(last) => {
            let ledger = match (ledger, is_sealed) {
                (Some(ledger), _) => ledger.to_path_buf(),
                (None, true) => above(path),
                (None, false) => side.ledger(path, last)?,
            };
            state(ledger, last, folded)?
        }
    };
    let proved = |compiled: Compiled| match proofs::prove(&compiled.checks) {
        Ok(_) => Ok(compiled),
        Err((check, _)) => Err(vec![inputs.refused_possession(&check.subject)]),
    };
    // What a plan means is how it will be held in earnest, whatever a sealed folder was.
    let compiled = compile(&inputs, &state, Mode::Real).and_then(proved);
    Ok(Meaning::of(&inputs, &state, &compiled))
}

/// Returns the state that a ceremony of a ledger left, and keeps those of all before it.
fn state(ledger: PathBuf, last: &Name, folded: &mut Folded) -> Result<Arc<State>, Halt> {
    let asked = (ledger, last.clone());
    if let Some(known) = folded.get(&asked) {
        return Ok(Arc::clone(known));
    }
    let (ledger, _) = &asked;
    let chain = ledgers::chain(&ledgers::list(ledger)?, last, ledger)?;
    let (state, _) = ledgers::fold_each(&chain, &Trust::None, |entry, left| {
        folded.insert((ledger.clone(), entry.name.clone()), Arc::clone(left));
    })?;
    Ok(state)
}

/// Returns the ledger that contains a sealed folder.
fn above(sealed: &Path) -> PathBuf {
    let absolute = std::path::absolute(sealed).unwrap_or_else(|_| sealed.to_path_buf());
    absolute.parent().map_or_else(|| absolute.clone(), Path::to_path_buf)
}
