//! Goes on with an interrupted ceremony, from its two journals.
//!
//! Everything is read, replayed and asked of people first; then both media are made the same, and
//! the record says that the ceremony goes on, and what became of what stood on one medium only.

use std::path::Path;
use std::sync::Arc;

use ceremony::hex::Digest;
use ceremony::ledger::State;
use ceremony::record::{LoneRefusal, Resumed};
use ceremony::rule::RuleId;
use ceremony::run::{Next, Run};
use ceremony::seal::Made;
use ceremony::verify::{JustClosed, Trust, Verified};

use crate::args;
use crate::clock::{Bounds, Clock};
use crate::conduct::doubt::{consent_to_medium, lifted};
use crate::conduct::{Conduct, clock, ending};
use crate::ends::At;
use crate::halt::{Halt, Reached};
use crate::held::{finish, follows, held_on, judge_written, people, summary};
use crate::journal::Journal;
use crate::journal::place;
use crate::journal::recover::{Agreed, Found, Reading};
use crate::lang::{Lang, pick};
use crate::people::People;
use crate::proofs::prove;
use crate::report::print;
use crate::review::compiled;
use crate::sources::{Sources, shown};
use crate::{output, room};

pub(crate) fn resume(resume: &args::Resume, lang: Lang) -> Result<(), Halt> {
    let journals = &resume.held.journal;
    let held = |halt: Halt| halt.held(Reached::of(journals));
    if resume.held.out.symlink_metadata().is_ok() {
        let (run, verified) = written_out(&resume.held).map_err(held)?;
        print(&summary(&verified, &resume.held.out, lang)).map_err(held)?;
        return ending(&run, lang);
    }
    let (conduct, run) = go_on(resume, lang).map_err(held)?;
    finish(conduct, run, &resume.held, lang)
}

/// A ceremony of which nothing is left to do: what it hands out is in its place.
fn written_out(held: &args::Held) -> Result<(Run, Verified), Halt> {
    let Some(ended) = Journal::ended(&held.journal)? else {
        output::refuse_existing(&held.out)?;
        return Err(Halt::media(RuleId::S_OUT, "a folder that stays where it is", "none any more"));
    };
    // Its own folder may be in the ledger already: none that is later is looked for.
    let (ledger, anchor) = (held.ledger.as_deref(), held.anchor.as_deref());
    let state = follows(ledger, anchor, ended.mode()?, &ended.after()?)?;
    let run = ended.run(&state).map_err(Halt::Verification)?;
    let trust = JustClosed::of(&run).map_or(Trust::None, Trust::Room);
    let (sealed, verified) = judge_written(ended.written, Vec::new(), &run, &trust)?;
    let found = output::read_folder(&held.out)?;
    match output::difference(&output::files(&verified, &sealed), &found) {
        None => Ok((run, verified)),
        Some((name, how)) => {
            let asked = format!("a new folder {}, or this ceremony's", shown(&held.out));
            Err(Halt::media(RuleId::S_OUT, asked, format!("another: {name}, {how}")))
        }
    }
}

/// Everything up to the record that says that the ceremony goes on.
fn go_on(resume: &args::Resume, lang: Lang) -> Result<(Conduct, Run), Halt> {
    let held = &resume.held;
    // What is sealed needs no token any more, should it be lost.
    let wanted = match Journal::is_sealed(&held.journal) {
        true => room::Wanted::Modules,
        false => room::Wanted::Tokens,
    };
    let entered = room::enter(&held.room, wanted)?;
    place::two_devices(&held.journal, entered.mode, lang)?;
    Journal::refuse_given_up(&held.journal)?;
    let found = Found::read(&held.journal, resume.put_aside.as_deref())?;
    let state = held_on(held, entered.mode, &found.after()?)?;
    let reading = found.replay(&state)?;
    let run = &reading.agreed.run;
    if let Some(plan) = &resume.plan {
        refuse_another(plan, run, &state)?;
    }
    if run.opened().mode != entered.mode {
        let asked = format!("a room for a {}", output::mode(run.opened().mode));
        return Err(Halt::media(RuleId::S_MODE, asked, output::mode(entered.mode)));
    }
    let (mut people, pin) = people(held, entered.mode, lang)?;
    // What was stopped or closed is sealed at any time.
    let goes_on = run.stopped().is_none() && run.closed().is_none();
    let window = goes_on.then(|| run.graph().window());
    let bounds = Bounds { window, last: Some(run.last_at()) };
    clock::agree(&mut people, &Clock::System, &bounds, At::of(held), lang)?;
    let (new_medium, refusal) = agreed_to(&mut people, &reading, lang)?;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let resumed = Resumed {
        room: entered.place,
        torn: count(reading.torn),
        copied: count(reading.agreed.copied),
        dropped: count(reading.agreed.dropped),
        refusal,
        aside: reading.aside().cloned(),
        new_medium,
    };
    let seal = seal_of(&reading);
    let not_taken = not_taken(&reading.agreed, lang);
    let (run, journal) = reading.level(seal.as_deref())?;
    let mut conduct = Conduct {
        tokens: entered.tokens,
        people,
        clock: Clock::System,
        journal,
        pin: Some(pin),
        progress: true,
        lang,
        proofs: Vec::new(),
    };
    not_taken.iter().for_each(|line| conduct.say(line));
    let run = conduct.resume(run, seal.as_deref(), resumed)?;
    Ok((conduct, run))
}

/// What people are told of records that stood on one medium only.
pub(crate) fn not_taken(agreed: &Agreed, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    if agreed.dropped > 0 {
        let count = agreed.dropped;
        lines.push(match lang {
            Lang::Ja => format!("!! 片方の媒体にだけあった記録 {count} 件は採らない。件数は記録に残る。"),
            Lang::En => format!(
                "!! Records that stood on one medium only are not taken: {count}. The record says how many."
            ),
        });
    }
    if agreed.head_dropped {
        lines.push(
            pick(
                lang,
                "!! 最後に書き留めた値の確認はその中にあり、有効でない。台本のその値を線で消し、一つ前の値を読み上げる。",
                "!! Among them is the word that the last head is on paper: it does not count. Strike that head out, and read the one before it.",
            )
            .to_string(),
        );
    }
    lines
}

/// What only people can say of what was read: who consents to go on without a medium, and whether a
/// refusal that stands on one medium only holds.
fn agreed_to(
    people: &mut People,
    reading: &Reading,
    lang: Lang,
) -> Result<(Vec<ceremony::name::Name>, Option<LoneRefusal>), Halt> {
    let run = &reading.agreed.run;
    let new_medium = match reading.new_medium() {
        None => Vec::new(),
        Some(folder) => consent_to_medium(people, run, folder, reading.aside(), lang)?,
    };
    let refusal = match &reading.agreed.refusal {
        None => None,
        Some(refusal) => {
            Some(LoneRefusal { lifted: lifted(people, run, refusal, lang)?, ..refusal.clone() })
        }
    };
    Ok((new_medium, refusal))
}

/// The bundle that seals this run, if one of the media has it whole: it was made by the audit key,
/// so it may stand on one of them only.
pub(crate) fn seal_of(reading: &Reading) -> Option<Vec<u8>> {
    let run = &reading.agreed.run;
    if let Some(seal) = run.sealed() {
        return reading.bundles.iter().find(|bundle| Digest::of(bundle) == seal).cloned();
    }
    if run.next() != Next::Seal {
        return None;
    }
    let made = Made::of(run);
    let good = |bundle: &&Vec<u8>| {
        let check = made.read(run, bundle).ok();
        check.is_some_and(|check| prove(std::slice::from_ref(&check)).is_ok())
    };
    reading.bundles.iter().find(good).cloned()
}

/// The interrupted ceremony is the one of this plan, and nothing else changed either.
fn refuse_another(plan: &Path, run: &Run, state: &Arc<State>) -> Result<(), Halt> {
    let (planned, _) = compiled(Sources::read(plan)?, |_| Ok(Arc::clone(state)))?;
    let begun = run.compiled();
    for (what, asked, found) in [
        ("graph", planned.graph.id(), begun.graph.id()),
        ("bindings", planned.bindings.id(), begun.bindings.id()),
    ] {
        if asked != found {
            let asked = format!("a journal with the {what} of {}, {asked}", shown(plan));
            return Err(Halt::media(RuleId::S_PAPERS, asked, found.to_string()));
        }
    }
    Ok(())
}
