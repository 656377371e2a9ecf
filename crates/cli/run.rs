//! Holds a ceremony from its beginning.

use std::path::Path;

use ceremony::compile::Compiled;
use ceremony::record::Mode;
use ceremony::rule::RuleId;
use ceremony::run::Run;
use ceremony::says;

use crate::args;
use crate::clock::{Bounds, Clock, judge_clock};
use crate::conduct::{Conduct, clock};
use crate::ends::At;
use crate::files;
use crate::halt::{Halt, Reached};
use crate::held::{finish, held_on, people};
use crate::journal::{self, Journal};
use crate::lang::Lang;
use crate::live::BootLog;
use crate::review::compiled;
use crate::sources::{Sources, shown};
use crate::{approvals, output, probe, room};

pub(crate) fn run(run: &args::Run, lang: Lang) -> Result<(), Halt> {
    let journals = &run.held.journal;
    let held = |halt: Halt| halt.held(Reached::of(journals));
    if Journal::is_begun(journals) {
        return Err(begun_already(run));
    }
    let out = &run.held.out;
    Journal::refuse_out_within(journals, out).map_err(held)?;
    output::refuse_existing(out).map_err(|halt| halt.held(Reached::Taken(vec![out.clone()])))?;
    let (conduct, run_begun) = begin(run, lang).map_err(held)?;
    finish(conduct, run_begun, &run.held, lang)
}

/// Returns the refusal to begin in journals that already hold a ceremony.
///
/// The planned ceremony is continued by `resume`; if it is another ceremony, the planned one needs
/// other folders.
fn begun_already(run: &args::Run) -> Halt {
    let journals = &run.held.journal;
    let asked = says!("まだセレモニーの記録がないフォルダー", "journals that hold no ceremony");
    let planned = Sources::read(&run.plan).and_then(Sources::inputs);
    let planned = planned.ok().map(|inputs| inputs.plan.ceremony.into_inner());
    match (Journal::ceremony(journals), planned) {
        (Some(there), Some(planned)) if there != planned => {
            let asked = says!(
                "{planned} の記録のための別のフォルダー",
                "other folders for the journals of {planned}"
            );
            let found = says!(
                "{there} の記録があるフォルダー。何も変わっていない",
                "folders with the journals of {there}; nothing in them was changed"
            );
            Halt::media(RuleId::S_JOURNAL, asked, found).held(Reached::Taken(journals.clone()))
        }
        (Some(there), _) => {
            let found = says!("そこで始まった {there}", "{there}, which was begun there");
            Halt::media(RuleId::S_JOURNAL, asked, found).held(Reached::of(journals))
        }
        (None, _) => {
            let found = says!("そこで始まったセレモニー", "a ceremony that was begun there");
            Halt::media(RuleId::S_JOURNAL, asked, found).held(Reached::of(journals))
        }
    }
}

/// Performs everything up to the first record, which is then durable.
fn begin(run: &args::Run, lang: Lang) -> Result<(Conduct, Run), Halt> {
    let sources = Sources::read(&run.plan)?;
    let entered = room::enter(&run.held.room, room::Wanted::Tokens)?;
    let (compiled, proofs) = compiled(sources, |plan| {
        let state = held_on(&run.held, entered.mode, plan.after.get_ref())?;
        Ok((state, entered.mode))
    })?;
    if entered.mode == Mode::Real {
        refuse_other_bindings(&run.plan, &compiled)?;
    }
    let clock = Clock::System(compiled.graph.offset());
    let bounds = Bounds { window: Some(compiled.graph.window()), last: None };
    if judge_clock(&bounds, clock.now()?).is_err() {
        let mut people = people(&run.held, entered.mode, &compiled.graph, lang)?.0;
        clock::agree(&mut people, &clock, &bounds, At::of(&run.held), lang)?;
    }
    let at = clock.now()?;
    let approved = approvals::beside(&run.plan, &compiled)?;
    let step = Run::begin(compiled.clone(), entered.place, approved, at).map_err(Halt::Media)?;
    let mut tokens = entered.tokens;
    // A wrong token is found here, before anything is begun, because these checks need no login.
    probe::before_anyone_enters(&mut tokens, &step.run)?;
    let (people, pin) = people(&run.held, entered.mode, &compiled.graph, lang)?;
    journal::place::two_devices(&run.held.journal, entered.mode, lang)?;
    let journal = Journal::begin(&run.held.journal, &compiled)?;
    let (cards, pin) = (entered.cards, Some(pin));
    let mut conduct = Conduct {
        tokens,
        cards,
        people,
        clock,
        journal,
        pin,
        progress: true,
        lang,
        proofs,
        unnoted: None,
    };
    let run_begun = conduct.keep(step)?;
    BootLog::here().recorded()?;
    Ok((conduct, run_begun))
}

/// Refuses bindings that differ from those that were reviewed with the plan.
///
/// The reviewed ones are in `bindings.txt` beside the plan (`gishiki bind`), if that file exists.
fn refuse_other_bindings(plan: &Path, compiled: &Compiled) -> Result<(), Halt> {
    let path = plan.join("bindings.txt");
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    if files::read_document(&path)? == compiled.bindings.text().as_bytes() {
        return Ok(());
    }
    let (id, path) = (compiled.bindings.id(), shown(&path));
    let asked =
        says!("{path} で確認を受けた bindings {id}", "the bindings {id}, as reviewed in {path}");
    let found = says!(
        "異なる bindings。計画をもう一度確認する",
        "different bindings: review the plan again"
    );
    Err(Halt::media(RuleId::S_PAPERS, asked, found))
}
