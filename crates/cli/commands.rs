//! The commands, one function each.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use ceremony::compile::{Compiled, compile};
use ceremony::hex::Digest;
use ceremony::key::Proof;
use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::record::{End, Mode};
use ceremony::run::Run;
use ceremony::script::{self, Language};
use ceremony::verify::{JustClosed, Sealed, Trust, Verdict, Verified, replay_own};

use crate::args::{self, Command, Lang};
use crate::conduct::{Clock, Conduct, clock, ending};
use crate::ends::At;
use crate::exit::{Halt, Reached};
use crate::files::{self, Folder, shown};
use crate::journal::{Journal, Written};
use crate::people::{People, Scripted, Terminal};
use crate::secrets::PinSource;
use crate::verdicts::prove_and_conclude;
use crate::{
    diff, journal, ledgers, live, output, probe, proofs, rehearsals, resume, room, state, validate,
    verdicts,
};

/// Performs a command.
pub(crate) fn perform(command: Command, asked: Option<Lang>, lang: Lang) -> Result<(), Halt> {
    match command {
        Command::Check(planned) => check(&planned, lang),
        Command::Graph(planned) => print(reviewed(&planned)?.graph.text()),
        Command::Bind(planned) => print(reviewed(&planned)?.bindings.text()),
        Command::Script(planned) => print(&script::render(&reviewed(&planned)?, language(lang))),
        Command::Diff(asked) => diff::show(&asked, lang),
        Command::Rehearse(rehearse) => rehearsals::rehearse(&rehearse, lang),
        Command::Probe(asked) => probe::ask(&asked, lang),
        Command::Run(run) => self::run(&run, lang),
        Command::Resume(resume) => resume::resume(&resume, lang),
        Command::State(asked) => state::show(&asked, lang),
        Command::Abandon(abandon) => crate::abandon::abandon(&abandon, lang),
        Command::Verify(verify) => verdicts::verify(&verify, lang),
        Command::Validate(validate) => validate::say(&validate, lang),
        // People choose the language at the terminal; the environment says nothing about them.
        Command::Live(line) => live::lead(asked, line.here),
        Command::Screen(line) => live::screen::carry(line.here),
        #[cfg(feature = "image")]
        Command::Image(command) => crate::image::perform(&command, lang),
    }
}

pub(crate) const fn language(lang: Lang) -> Language {
    match lang {
        Lang::Ja => Language::Ja,
        Lang::En => Language::En,
    }
}

pub(crate) const fn pick<'t>(lang: Lang, ja: &'t str, en: &'t str) -> &'t str {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}

/// Standard output may be a pipe whose reader has gone; that is no failure of ours.
pub(crate) fn print(text: &str) -> Result<(), Halt> {
    #[cfg(test)]
    if crate::simulator::hears(text) {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Halt::media("S-OUT", "to write to standard output", error.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Compiles a plan against a state.
pub(crate) fn compiled(
    folder: Folder,
    state: impl FnOnce(&Plan) -> Result<Arc<State>, Halt>,
) -> Result<(Compiled, Vec<Proof>), Halt> {
    let again = folder.clone();
    let inputs = folder.inputs()?;
    let state = state(&inputs.plan)?;
    let refused = |violations| Halt::Violations(Box::new(again.clone()), violations);
    let compiled = compile(&inputs, &state).map_err(refused)?;
    let proofs = proofs::prove(&compiled.checks)
        .map_err(|(check, _)| refused(vec![inputs.refused_possession(&check)]))?;
    Ok((compiled, proofs))
}

/// Compiles a plan for review: against its ledger, whatever kind it is of.
pub(crate) fn reviewed(planned: &args::Planned) -> Result<Compiled, Halt> {
    let (compiled, _) = compiled(Folder::read(&planned.plan)?, |plan| {
        let ledger = planned.ledger.as_deref();
        ledgers::state_before(&planned.plan, plan.after.get_ref(), ledger, &Trust::None)
    })?;
    Ok(compiled)
}

fn check(planned: &args::Planned, lang: Lang) -> Result<(), Halt> {
    let compiled = reviewed(planned)?;
    let graph = &compiled.graph;
    let (certificates, crls) = graph.structures();
    let reported = compiled.warnings.iter().map(|v| {
        let what = pick(lang, "報告", "reported");
        format!("  {what} {}: {}; {}\n", v.rule, v.asked, v.found)
    });
    let reported: String = reported.collect();
    let granted = graph.exceptions().iter();
    let granted = granted.map(|line| format!("{} {line}\n", pick(lang, "例外", "exception")));
    let covered = compiled.excepted.iter().map(|v| {
        let what = pick(lang, "例外により許容", "excepted");
        format!("  {what} {}: {}; {}\n", v.rule, v.asked, v.found)
    });
    let exceptions: String = granted.chain(covered).collect();
    let kept = match compiled.excepted.is_empty() {
        true => pick(lang, "規則をすべて満たす:", "keeps every rule:"),
        false => pick(lang, "例外のほかは規則を満たす:", "keeps every rule but the excepted:"),
    };
    print(&format!(
        "{exceptions}{kept} {}\n  graph     {}\n  bindings  {}\n  {} {}, {} {certificates}, {} {crls}\n{reported}",
        graph.ceremony(),
        graph.id(),
        compiled.bindings.id(),
        pick(lang, "手順", "operations:"),
        graph.ops().len(),
        pick(lang, "電子証明書", "certificates:"),
        pick(lang, "CRL", "CRLs:"),
    ))
}

/// The state that a ceremony is held on: of an anchored ledger, or in a drill, of a drill's. A
/// golden is never looked for.
pub(crate) fn held_on(held: &args::Held, mode: Mode, after: &After) -> Result<Arc<State>, Halt> {
    if let (After::Ceremony(name), Some(ledger)) = (after, held.ledger.as_deref()) {
        ledgers::refuse_later(ledger, name)?;
    }
    follows(held.ledger.as_deref(), held.anchor.as_deref(), mode, after)
}

/// The state after the ceremony that this one comes after.
pub(crate) fn follows(
    ledger: Option<&Path>,
    anchor: Option<&Path>,
    mode: Mode,
    after: &After,
) -> Result<Arc<State>, Halt> {
    let After::Ceremony(name) = after else { return Ok(Arc::default()) };
    #[cfg(test)]
    if let Some(state) = crate::simulator::state() {
        return Ok(state);
    }
    let ledger = ledger.ok_or_else(|| {
        Halt::media("S-LEDGER", format!("--ledger, the ledger that holds {name}"), "none")
    })?;
    let anchor = verdicts::read_anchor(anchor)?;
    let trust = match (mode, &anchor) {
        (Mode::Drill, None) => Trust::Drill,
        (_, Some(anchor)) => Trust::Anchor(anchor),
        (Mode::Real | Mode::Rehearsal, None) => {
            return Err(Halt::media("S-ANCHOR", "--anchor, the CA's anchor", "none"));
        }
    };
    let chain = ledgers::chain(&ledgers::list(ledger)?, name, ledger)?;
    let (state, _) = ledgers::fold(&chain, &trust)?;
    verdicts::refuse_unpinned(&state, &trust)?;
    Ok(state)
}

fn run(run: &args::Run, lang: Lang) -> Result<(), Halt> {
    let journals = &run.held.journal;
    let held = |halt: Halt| halt.held(Reached::of(journals));
    if Journal::is_begun(journals) {
        return Err(begun_already(run));
    }
    let out = &run.held.out;
    output::refuse_existing(out).map_err(|halt| halt.held(Reached::Taken(vec![out.clone()])))?;
    let (conduct, run_begun) = begin(run, lang).map_err(held)?;
    finish(conduct, run_begun, &run.held, lang)
}

/// There is a ceremony in the journals: this one goes on by another command; another one has its
/// own folders, and this one wants others.
fn begun_already(run: &args::Run) -> Halt {
    let journals = &run.held.journal;
    let asked = "journals that hold no ceremony";
    let planned = Folder::read(&run.plan).and_then(Folder::inputs);
    let planned = planned.ok().map(|inputs| inputs.plan.ceremony.into_inner());
    match (Journal::ceremony(journals), planned) {
        (Some(there), Some(planned)) if there != planned => {
            let asked = format!("other folders for the journals of {planned}");
            let found = format!("those of {there}, which keep it; nothing in them was changed");
            Halt::media("S-JOURNAL", asked, found).held(Reached::Taken(journals.clone()))
        }
        (Some(there), _) => {
            let found = format!("{there}, which was begun there");
            Halt::media("S-JOURNAL", asked, found).held(Reached::of(journals))
        }
        (None, _) => {
            let found = "a ceremony that was begun there";
            Halt::media("S-JOURNAL", asked, found).held(Reached::of(journals))
        }
    }
}

/// Everything up to the first record, which is durable then.
fn begin(run: &args::Run, lang: Lang) -> Result<(Conduct, Run), Halt> {
    let folder = Folder::read(&run.plan)?;
    let entered = room::enter(&run.held.room, room::Wanted::Tokens)?;
    let (compiled, proofs) =
        compiled(folder, |plan| held_on(&run.held, entered.mode, plan.after.get_ref()))?;
    if entered.mode == Mode::Real {
        refuse_other_bindings(&run.plan, &compiled)?;
    }
    let clock = Clock::System;
    let bounds = clock::Bounds { window: Some(compiled.graph.window()), last: None };
    if clock::judge_clock(&bounds, clock.now()?).is_err() {
        let mut people = people(&run.held, entered.mode, lang)?.0;
        clock::agree(&mut people, &clock, &bounds, At::of(&run.held), lang)?;
    }
    let at = clock.now()?;
    let step = Run::begin(compiled.clone(), entered.mode, entered.place, at)
        .map_err(|fault| Halt::media(fault.rule, fault.asked, fault.found))?;
    let mut tokens = entered.tokens;
    // What needs no login is asked while nothing is begun: a wrong token costs nobody a day.
    probe::before_anyone_enters(&mut tokens, &step.run)?;
    let (people, pin) = people(&run.held, entered.mode, lang)?;
    journal::place::two_devices(&run.held.journal, entered.mode, lang)?;
    let journal = Journal::begin(&run.held.journal, &compiled)?;
    let mut conduct =
        Conduct { tokens, people, clock, journal, pin: Some(pin), progress: true, lang, proofs };
    let run_begun = conduct.keep(step)?;
    Ok((conduct, run_begun))
}

/// The bindings that were reviewed with the plan (`gishiki bind`), where they lie beside it, are
/// those that it has today.
fn refuse_other_bindings(plan: &Path, compiled: &Compiled) -> Result<(), Halt> {
    let path = plan.join("bindings.txt");
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    if files::read_document(&path)? == compiled.bindings.text().as_bytes() {
        return Ok(());
    }
    let asked = format!("the bindings {}, as reviewed in {}", compiled.bindings.id(), shown(&path));
    Err(Halt::media("S-PAPERS", asked, "others; the plan is to be reviewed once more"))
}

/// Goes on to the end of the postscript, judges everything once more from what was written, and
/// publishes.
pub(crate) fn finish(
    mut conduct: Conduct,
    run: Run,
    held: &args::Held,
    lang: Lang,
) -> Result<(), Halt> {
    let stopped = |halt: Halt| halt.held(Reached::of(&held.journal));
    let run = conduct.go(run).map_err(stopped)?;
    publish(conduct, &run, &held.out, lang).map_err(stopped)?;
    ending(&run, lang)
}

fn publish(conduct: Conduct, run: &Run, out: &Path, lang: Lang) -> Result<(), Halt> {
    let trust = JustClosed::of(run).map_or(Trust::None, Trust::Room);
    conduct.say(pick(lang, "検証しています…", "verifying what was written…"));
    let (sealed, verified) = judge(conduct, run, &trust)?;
    output::write(out, &output::files(&verified, &sealed))?;
    print(&summary(&verified, out, lang))
}

pub(crate) fn people(
    held: &args::Held,
    mode: Mode,
    lang: Lang,
) -> Result<(People, PinSource), Halt> {
    #[cfg(test)]
    if let Some(people) = crate::simulator::people() {
        return Ok(people);
    }
    let people = match &held.answers {
        Some(_) if mode != Mode::Drill => {
            return Err(Halt::media(
                "S-DRILL",
                "people at a terminal",
                "--answers, which only a drill takes",
            ));
        }
        Some(path) => People::Scripted(Scripted::read(path)?),
        None => People::Terminal(Terminal::open(language(lang))?),
    };
    let pin =
        held.pin_fd.map_or(PinSource::Terminal, |fd| PinSource::Descriptor(i32::try_from(fd).ok()));
    Ok((people, pin))
}

/// Judges what was written, as any verifier would.
pub(crate) fn judge(
    conduct: Conduct,
    run: &Run,
    trust: &Trust<'_>,
) -> Result<(Sealed, Verified), Halt> {
    judge_written(conduct.journal.written()?, conduct.proofs, run, trust)
}

pub(crate) fn judge_written(
    written: Written,
    proofs: Vec<Proof>,
    run: &Run,
    trust: &Trust<'_>,
) -> Result<(Sealed, Verified), Halt> {
    let inputs = &run.compiled().inputs;
    let sealed = Sealed {
        inputs: inputs
            .iter()
            .map(|(name, text)| (name.clone(), text.clone().into_bytes()))
            .collect(),
        transcript: written.transcript,
        bundle: written.bundle,
        after: Some(written.after),
    };
    let trial = replay_own(run, &sealed).map_err(Halt::Verification)?;
    match prove_and_conclude(trial, trust, proofs)? {
        Verdict::Verified(verified) => Ok((sealed, *verified)),
        // What was read back from the medium is another ceremony than the one that was held.
        Verdict::NotAnchored(_) | Verdict::NotPinned(_) => {
            Err(Halt::media("S-SEAL", "the ceremony that was just closed", "another head"))
        }
    }
}

/// How many certificates are named at the end; the manifest names all.
const SHOWN: usize = 20;

pub(crate) fn summary(verified: &Verified, out: &Path, lang: Lang) -> String {
    let run = verified.run();
    let (certificates, crls) = run.graph().structures();
    let mut text = format!(
        "{} {} ({})\n",
        match verified.end() {
            End::Completed => pick(lang, "正常完了:", "completed:"),
            End::Aborted => pick(lang, "中止(封印済み):", "aborted, and sealed:"),
        },
        run.graph().ceremony(),
        output::mode(verified.facts().mode)
    );
    let handed_out = match verified.end() {
        End::Completed => {
            format!(
                "{} {certificates}, {} {crls}",
                pick(lang, "電子証明書", "certificates:"),
                pick(lang, "CRL", "CRLs:")
            )
        }
        End::Aborted => pick(lang, "引き渡すものなし", "nothing is handed out").to_string(),
    };
    text.push_str(&format!(
        "  {}  {handed_out}, {} {}\n",
        shown(out),
        verified.signatures(),
        pick(lang, "件の署名を検証", "signatures verified")
    ));
    let certificates = verified.artefacts().iter().filter(|(name, _)| name.ends_with(".der"));
    for (name, octets) in certificates.clone().take(SHOWN) {
        text.push_str(&format!("  {name}  SHA-256 {}\n", Digest::of(octets)));
    }
    if certificates.count() > SHOWN {
        text.push_str(&format!("  … {}\n", shown(&out.join(output::MANIFEST_FILE))));
    }
    text.push_str(&format!("  head      {}\n", verified.facts().head));
    text.push_str(&format!("  audit key {}\n", verified.facts().audit_key));
    if verified.facts().mode != Mode::Rehearsal {
        text.push_str(&last_of_the_slip(run, lang));
    }
    text
}

/// The head of the postscript, which the slip for the anchor lacks until the last record is
/// written.
fn last_of_the_slip(run: &Run, lang: Lang) -> String {
    let postscript = run.postscript_head();
    let words = ceremony::words::lines(&postscript.0);
    let words: String = words.iter().map(|line| format!("    {line}\n")).collect();
    let what = pick(
        lang,
        "追記の最新値。別紙 D の控えに単語で書き、全員が署名する。",
        "the head of the postscript: write it on the slip of annex D in words; everyone signs it",
    );
    format!("  postscript {postscript}\n{words}  {what}\n")
}
