//! The common parts of the commands that hold a ceremony (`run`, `resume`): the state of the CA on
//! which it is held, its people, and its end.

use std::path::Path;
use std::sync::Arc;

use ceremony::graph::Graph;
use ceremony::hex::Digest;
use ceremony::key::Proof;
use ceremony::language::Bilingual;
use ceremony::ledger::State;
use ceremony::plan::After;
use ceremony::record::{End, Mode};
use ceremony::rule::RuleId;
use ceremony::run::Run;
use ceremony::says;
use ceremony::verify::{JustClosed, Sealed, Trust, Verdict, Verified, replay_own};

use crate::args;
use crate::conduct::{Conduct, ending};
use crate::halt::{Halt, Reached};
use crate::journal::Written;
use crate::judged::{prove_and_conclude, read_anchor, refuse_unpinned};
use crate::lang::{Lang, language, pick};
use crate::people::{People, Scripted, Terminal};
use crate::report::print;
use crate::rows;
use crate::secrets::PinSource;
use crate::sources::shown;
use crate::{ledgers, output};

/// Returns the state on which a ceremony is held, from the ledger given with `--ledger`.
///
/// The ledger is anchored, or in a drill, that of drills. Golden ceremonies are never used. The
/// ledger may not contain a later ceremony.
pub(crate) fn held_on(held: &args::Held, mode: Mode, after: &After) -> Result<Arc<State>, Halt> {
    if let (After::Ceremony(name), Some(ledger)) = (after, held.ledger.as_deref()) {
        ledgers::refuse_later(ledger, name)?;
    }
    follows(held.ledger.as_deref(), held.anchor.as_deref(), mode, after)
}

/// Returns the state after the predecessor that the plan names (`after`).
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
        let asked = says!("{name} のある台帳(--ledger)", "--ledger, the ledger that holds {name}");
        Halt::media(RuleId::S_LEDGER, asked, none())
    })?;
    let anchor = read_anchor(anchor)?;
    let trust = match (mode, &anchor) {
        (Mode::Drill, None) => Trust::Drill,
        (_, Some(anchor)) => Trust::Anchor(anchor),
        (Mode::Real | Mode::Rehearsal, None) => {
            let asked = says!("この CA のアンカー(--anchor)", "--anchor, the CA's anchor");
            return Err(Halt::media(RuleId::S_ANCHOR, asked, none()));
        }
    };
    let chain = ledgers::chain(&ledgers::list(ledger)?, name, ledger)?;
    let (state, _) = ledgers::fold(&chain, &trust)?;
    refuse_unpinned(&state, &trust)?;
    Ok(state)
}

/// The words for something that is missing.
fn none() -> Bilingual {
    Bilingual::none()
}

/// Returns the words for a mode: real, drill or rehearsal.
pub(crate) fn kind(mode: Mode) -> Bilingual {
    let ja = match mode {
        Mode::Rehearsal => "リハーサル",
        Mode::Drill => "訓練",
        Mode::Real => "本番",
    };
    Bilingual { ja: ja.into(), en: output::mode(mode).into() }
}

/// Performs the rest of the ceremony, verifies what was written, and publishes it.
pub(crate) fn finish(
    mut conduct: Conduct,
    run: Run,
    held: &args::Held,
    lang: Lang,
) -> Result<(), Halt> {
    let stopped = |halt: Halt| halt.held(Reached::of(&held.journal));
    let run = conduct.go(run).map_err(stopped)?;
    publish(conduct, &run, &held.out, lang).map_err(stopped)?;
    ending(&run)
}

fn publish(conduct: Conduct, run: &Run, out: &Path, lang: Lang) -> Result<(), Halt> {
    let trust = JustClosed::of(run).map_or(Trust::None, Trust::Room);
    conduct.say(pick(lang, "検証しています…", "verifying what was written…"));
    let (sealed, verified) = judge(conduct, run, &trust)?;
    output::write(out, &output::files(&verified, &sealed))?;
    print(&rows::fit(std::io::stdout(), &summary(&verified, out, lang)))
}

pub(crate) fn people(
    held: &args::Held,
    mode: Mode,
    graph: &Graph,
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
                says!("端末で答える参加者", "people at a terminal"),
                says!("訓練でしか使えない --answers", "--answers, which only a drill takes"),
            ));
        }
        Some(path) => People::Scripted(Scripted::read(path, graph)?),
        None => People::Terminal(Terminal::open(language(lang))?),
    };
    let pin = PinSource::of(held.pin_fd);
    Ok((people, pin))
}

/// Verifies what was written, as any verifier would.
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
        // The medium returned records of a ceremony with another head.
        Verdict::NotAnchored(_) | Verdict::NotPinned(_) => {
            let asked = says!("今締めくくったセレモニー", "the ceremony that was just closed");
            let found = says!("記録の最新値が異なるもの", "a ceremony with another head");
            Err(Halt::media(RuleId::S_SEAL, asked, found))
        }
    }
}

/// The number of certificates that the summary lists; the manifest lists all.
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
        lang.said(&kind(verified.facts().mode))
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
    for op in run.undone_after_the_seal() {
        let step = crate::events::step(run.graph(), &op.name, lang);
        text.push_str(&match lang {
            Lang::Ja => format!("  ! 封印後に断られ、行われなかった手順: {step}\n"),
            Lang::En => format!("  ! refused after the seal, and not done: {step}\n"),
        });
    }
    let head = pick(lang, "記録の最新値", "head     ");
    let audit_key = pick(lang, "監査用の鍵  ", "audit key");
    text.push_str(&format!("  {head} {}\n", verified.facts().head));
    text.push_str(&format!("  {audit_key} {}\n", verified.facts().audit_key));
    if verified.facts().mode != Mode::Rehearsal {
        text.push_str(&last_of_the_slip(run, lang));
    }
    text
}

/// Returns the postscript's head, which people write on the slip for the anchor.
///
/// It is known only after the last record.
fn last_of_the_slip(run: &Run, lang: Lang) -> String {
    let postscript = run.postscript_head();
    let words = ceremony::words::shown(&postscript.0, language(lang));
    let words: String = words.iter().map(|line| format!("    {line}\n")).collect();
    let what = pick(
        lang,
        "最後に退室する者が、この単語を別紙 D の控えに書き、その横に署名してから退室する。",
        "those who leave last write these words on the slip of annex D, sign beside them, and then leave",
    );
    let name = pick(lang, "追記の最新値", "postscript");
    format!("  {name} {postscript}\n{words}  {what}\n")
}
