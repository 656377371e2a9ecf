//! What every command has that holds a ceremony, from its beginning or after an interruption: the
//! state it is held on, its people, and its end.

use std::path::Path;
use std::sync::Arc;

use ceremony::hex::Digest;
use ceremony::key::Proof;
use ceremony::ledger::State;
use ceremony::plan::After;
use ceremony::record::{End, Mode};
use ceremony::rule::RuleId;
use ceremony::run::Run;
use ceremony::verify::{JustClosed, Sealed, Trust, Verdict, Verified, replay_own};

use crate::args;
use crate::conduct::{Conduct, ending};
use crate::halt::{Halt, Reached};
use crate::journal::Written;
use crate::judged::{prove_and_conclude, read_anchor, refuse_unpinned};
use crate::lang::{Lang, language, pick};
use crate::people::{People, Scripted, Terminal};
use crate::report::print;
use crate::secrets::PinSource;
use crate::sources::shown;
use crate::{ledgers, output};

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
        Halt::media(RuleId::S_LEDGER, format!("--ledger, the ledger that holds {name}"), "none")
    })?;
    let anchor = read_anchor(anchor)?;
    let trust = match (mode, &anchor) {
        (Mode::Drill, None) => Trust::Drill,
        (_, Some(anchor)) => Trust::Anchor(anchor),
        (Mode::Real | Mode::Rehearsal, None) => {
            return Err(Halt::media(RuleId::S_ANCHOR, "--anchor, the CA's anchor", "none"));
        }
    };
    let chain = ledgers::chain(&ledgers::list(ledger)?, name, ledger)?;
    let (state, _) = ledgers::fold(&chain, &trust)?;
    refuse_unpinned(&state, &trust)?;
    Ok(state)
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
                RuleId::S_DRILL,
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
            Err(Halt::media(RuleId::S_SEAL, "the ceremony that was just closed", "another head"))
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
