//! Verdicts: judges sealed folders and ledgers, and says what was proved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::anchor::Anchor;
use ceremony::compile::{Inputs, input_digest};
use ceremony::key::{Check, Proof};
use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::record::{End, Mode};
use ceremony::rules::Stage;
use ceremony::run::Fault;
use ceremony::verify::{Consistent, Refusal, Sealed, Trial, Trust, Verdict, Verified, replay};

use crate::args::{self, Lang};
use crate::commands::{pick, print};
use crate::exit::Halt;
use crate::files::{Folder, read_document, shown};
use crate::ledgers::{self, is_ledger};
use crate::places::place;
use crate::{output, proofs};

/// Judges a sealed folder, or a whole ledger.
pub(crate) fn verify(verify: &args::Verify, lang: Lang) -> Result<(), Halt> {
    let anchor = read_anchor(verify.anchor.as_deref())?;
    let trust = match (&anchor, verify.rehearsal, verify.drill) {
        (Some(anchor), _, _) => Trust::Anchor(anchor),
        (None, true, _) => Trust::Rehearsal,
        (None, false, true) => Trust::Drill,
        (None, false, false) => Trust::None,
    };
    match verify.folders.as_slice() {
        [ledger] if is_ledger(ledger) => verify_ledger(ledger, &trust, lang),
        [plan, out] => verify_folder(Some(plan), out, verify.ledger.as_deref(), &trust, lang),
        [out] => verify_folder(None, out, verify.ledger.as_deref(), &trust, lang),
        _ => Err(Halt::media("S-FILE", "one or two folders", "another number")),
    }
}

/// The anchor, if one is named.
pub(crate) fn read_anchor(path: Option<&Path>) -> Result<Option<Anchor>, Halt> {
    let Some(path) = path else { return Ok(None) };
    let octets = read_document(path)?;
    Anchor::parse(&octets).map(Some).map_err(|violation| {
        let place = place(path, &octets, &violation.place.span);
        Halt::media(violation.rule, format!("{} in {place}", violation.asked), violation.found)
    })
}

/// Every ceremony in its order, each with every file that it handed out.
fn verify_ledger(ledger: &Path, trust: &Trust<'_>, lang: Lang) -> Result<(), Halt> {
    let mut state = Arc::default();
    let (mut signatures, mut last) = (0, None);
    let chain = ledgers::whole(ledgers::list(ledger)?, ledger)?;
    if let Some(entry) = chain.last().filter(|entry| ledgers::is_abandoned(&entry.folder)) {
        let fault = Fault::new(
            "S-ABANDONED",
            "a ceremony after it, whose plan names its journal",
            "none: nothing vouches for it yet",
        );
        return Err(Halt::Verification(Refusal { place: entry.name.to_string(), fault }));
    }
    for entry in chain {
        if ledgers::is_abandoned(&entry.folder) {
            let (count, left) = ledgers::abandoned(&entry, &state)?;
            print(&format!(
                "· {:<40} {count} {}\n",
                entry.name.as_str(),
                pick(
                    lang,
                    "件の署名(封印なし。次の計画がその記録を挙げている)",
                    "signatures (not sealed; the next plan names its journal)"
                )
            ))?;
            signatures += count;
            state = left;
            continue;
        }
        let found = output::read_folder(&entry.folder)?;
        let verdict =
            judge_folder(&found, &state, trust).map_err(|halt| halt.in_folder(&entry.folder))?;
        let facts = match verdict {
            Verdict::Verified(verified) => (true, verified.facts().clone()),
            Verdict::NotAnchored(facts) | Verdict::NotPinned(facts) => (false, *facts),
        };
        let (trusted, facts) = facts;
        print(&format!(
            "{} {:<40} {} {}{}\n",
            if trusted { "✓" } else { "·" },
            entry.name.as_str(),
            facts.signatures,
            pick(lang, "件の署名", "signatures"),
            match facts.end {
                End::Completed => "",
                End::Aborted => pick(lang, "、中止", ", aborted"),
            }
        ))?;
        signatures += facts.signatures;
        state = Arc::clone(&facts.state);
        last = Some(facts);
    }
    let Some(facts) = last else { return Ok(()) };
    let counted =
        format!("{signatures} {}", pick(lang, "件の署名を検証した", "signatures verified"));
    if matches!(trust, Trust::None) {
        return Err(not_anchored(&facts));
    }
    refuse_unpinned(&state, trust)?;
    print(&format!("{}: {counted}\n  head      {}\n", heading(facts.mode, lang), facts.head))
}

/// One sealed folder on the state that the ceremonies before it left.
fn verify_folder(
    plan: Option<&PathBuf>,
    out: &Path,
    ledger: Option<&Path>,
    trust: &Trust<'_>,
    lang: Lang,
) -> Result<(), Halt> {
    let found = output::read_folder(out)?;
    let sealed = output::sealed(&found);
    if let Some(plan) = plan {
        print(&same_plan(plan, &sealed, lang)?)?;
    }
    let after = sealed.inputs.get("plan.toml").and_then(|plan| Plan::parse(plan).ok());
    let state = match after.as_ref().map(|plan| plan.after.get_ref()) {
        Some(After::Ceremony(before)) => {
            let above = std::path::absolute(out).ok();
            let above = above.as_deref().and_then(Path::parent).unwrap_or(out);
            let ledger = ledger.unwrap_or(above);
            let chain = ledgers::chain(&ledgers::list(ledger)?, before, ledger)?;
            ledgers::fold(&chain, trust)?.0
        }
        Some(After::Nothing) | None => Arc::default(),
    };
    match judge_folder(&found, &state, trust)? {
        Verdict::Verified(verified) => print(&proved(&verified, lang)),
        Verdict::NotAnchored(facts) => Err(not_anchored(&facts)),
        Verdict::NotPinned(facts) => Err(not_pinned(&facts)),
    }
}

/// Under an anchor a ledger has every ceremony that is pinned, and none beside.
pub(crate) fn refuse_unpinned(state: &State, trust: &Trust<'_>) -> Result<(), Halt> {
    let Trust::Anchor(anchor) = trust else { return Ok(()) };
    let refused = |fault| Halt::Verification(Refusal { place: "anchor.toml".into(), fault });
    if let Some(pin) = anchor.lacked(state) {
        let asked = format!("a ledger with {}, which the anchor pins", pin.name);
        let last = state.held.last().map_or("nothing", |held| held.ceremony.as_str());
        let found = format!("one that ends with {last}");
        return Err(refused(Fault::new("S-ANCHOR", asked, found)));
    }
    if anchor.compare(state).map_err(refused)?.is_whole() {
        return Ok(());
    }
    let unpinned = state.held.iter().skip(anchor.ceremony.len());
    let names: Vec<&str> = unpinned.map(|held| held.ceremony.as_str()).collect();
    Err(Halt::NotPinned(names.join(", ")))
}

fn not_pinned(facts: &Consistent) -> Halt {
    Halt::NotPinned(facts.opened.ceremony.to_string())
}

fn not_anchored(facts: &Consistent) -> Halt {
    let mode = output::mode(facts.mode);
    let end = match facts.end {
        End::Completed => "",
        End::Aborted => ", aborted",
    };
    Halt::NotAnchored(format!("{mode}{end}, audit key {}, head {}", facts.audit_key, facts.head))
}

/// Replays a sealed folder, proves its signatures, and compares its files with those that the
/// transcript gives.
fn judge_folder(
    found: &BTreeMap<String, Vec<u8>>,
    state: &Arc<State>,
    trust: &Trust<'_>,
) -> Result<Verdict, Halt> {
    let sealed = output::sealed(found);
    let verdict = conclude(&sealed, state, trust, Vec::new())?;
    let difference = match &verdict {
        Verdict::Verified(verified) => output::difference(&output::files(verified, &sealed), found),
        Verdict::NotAnchored(facts) | Verdict::NotPinned(facts) => {
            output::unlike(facts, &sealed, found)
        }
    };
    if let Some((name, what)) = difference {
        let fault = Fault::new("S-ARTEFACT", "the file that this transcript gives", &what);
        return Err(Halt::Verification(Refusal { place: name, fault }));
    }
    Ok(verdict)
}

/// A plan that is given must have the canonical text of the sealed one; policy and roster move on,
/// and are reported.
fn same_plan(plan: &Path, sealed: &Sealed, lang: Lang) -> Result<String, Halt> {
    let inputs: Inputs = Folder::read(plan)?.inputs()?;
    let mut said = String::new();
    for (name, text) in inputs.texts() {
        let same = sealed.inputs.get(name).map(Vec::as_slice) == Some(text.as_bytes());
        if !same && name == "plan.toml" {
            let asked = format!("the plan in {}", shown(plan));
            let fault = Fault::new("S-INPUTS", &asked, "another plan was sealed");
            return Err(Halt::Verification(Refusal { place: format!("inputs/{name}"), fault }));
        }
        let word = match same {
            true => pick(lang, "封印時と同じ", "as it was sealed"),
            false => pick(lang, "封印後に改められた", "has moved on since the seal"),
        };
        said.push_str(&format!("{name} {} {word}\n", input_digest(text)));
    }
    Ok(said)
}

/// Replays, and proves the signatures that these proofs do not cover.
pub(crate) fn conclude(
    sealed: &Sealed,
    state: &Arc<State>,
    trust: &Trust<'_>,
    proofs: Vec<Proof>,
) -> Result<Verdict, Halt> {
    prove_and_conclude(replay(sealed, state).map_err(Halt::Verification)?, trust, proofs)
}

/// The verdict on what was replayed, once the signatures that these proofs do not cover are proved.
pub(crate) fn prove_and_conclude(
    trial: Trial,
    trust: &Trust<'_>,
    mut proofs: Vec<Proof>,
) -> Result<Verdict, Halt> {
    proofs.extend(prove_all(&trial.unproved(&proofs))?);
    trial.conclude(proofs, trust).map_err(Halt::Verification)
}

/// Proves these signatures of a transcript, or names one that does not hold.
pub(crate) fn prove_all(checks: &[Check]) -> Result<Vec<Proof>, Halt> {
    proofs::prove(checks).map_err(|(subject, error)| {
        let fault =
            Fault::new("S-SIGNATURE", format!("a signature on {subject}"), error.to_string());
        Halt::Verification(Refusal { place: "transcript.jsonl".into(), fault })
    })
}

/// What was proved, rule by rule.
fn proved(verified: &Verified, lang: Lang) -> String {
    let run = verified.run();
    let facts = verified.facts();
    let (ca, ceremony) = (run.graph().ca(), run.graph().ceremony());
    let mut text = format!("{}: {ca} {ceremony}\n", heading(facts.mode, lang));
    for exception in run.graph().exceptions() {
        text.push_str(&format!("  {} {exception}\n", pick(lang, "例外", "exception")));
    }
    text.push_str(&aborted(facts, lang));
    text.push_str(&format!(
        "  graph     {}\n  bindings  {}\n",
        run.opened().graph,
        run.opened().bindings
    ));
    text.push_str(&format!("  head      {}\n  audit key {}\n", facts.head, facts.audit_key));
    text.push_str(&format!(
        "  {} {}\n\n",
        verified.signatures(),
        pick(lang, "件の署名を検証した", "signatures verified")
    ));
    let excepted = &run.compiled().excepted;
    let mut last = "";
    for rule in ceremony::rules::all().filter(|rule| is_judged(rule.stage)) {
        if rule.id == last {
            continue;
        }
        last = rule.id;
        let row = format!("{:<22} {:<28}", rule.id, rule.clause);
        match excepted.iter().find(|violation| violation.rule == rule.id) {
            None => text.push_str(&format!("  ✓ {row} {}\n", rule.sentence)),
            Some(violation) => {
                let word = pick(lang, "例外により許容", "excepted");
                text.push_str(&format!("  – {row} {word}: {}\n", violation.found));
            }
        }
    }
    text
}

/// Whether a verifier of a sealed folder judges the rules of this stage. Files, media, terminals
/// and the live image were judged where they were; nobody can do so from the folder.
const fn is_judged(stage: Stage) -> bool {
    match stage {
        Stage::Form | Stage::Plan(_) | Stage::Structure | Stage::Run | Stage::Verify => true,
        Stage::Warn(_) | Stage::Path | Stage::Edge | Stage::Live | Stage::Image => false,
    }
}

/// That a ceremony was aborted, and by what: such a folder hands out no certificate.
fn aborted(facts: &Consistent, lang: Lang) -> String {
    match facts.end {
        End::Completed => String::new(),
        End::Aborted => {
            let (rule, reason) = facts.stopped.clone().unwrap_or_default();
            let word = pick(lang, "中止    ", "aborted  ");
            let none = pick(lang, "引き渡すものなし", "nothing is handed out");
            format!("  {word} {rule}: {reason}; {none}\n")
        }
    }
}

const fn heading(mode: Mode, lang: Lang) -> &'static str {
    match mode {
        Mode::Real => pick(lang, "検証済み", "verified"),
        Mode::Drill => pick(lang, "訓練として整合", "drill, consistent"),
        Mode::Rehearsal => pick(lang, "リハーサルとして整合", "rehearsal, consistent"),
    }
}
