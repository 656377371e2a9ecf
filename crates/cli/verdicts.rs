//! Verdicts: judges sealed folders and ledgers, and says what was proved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::anchor::Anchor;
use ceremony::compile::{Inputs, input_digest};
use ceremony::key::{Check, Proof};
use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::record::Mode;
use ceremony::rules::Stage;
use ceremony::run::Fault;
use ceremony::verify::{Consistent, Refusal, Sealed, Trust, Verdict, Verified, replay};

use crate::args::{self, Lang};
use crate::commands::{pick, print};
use crate::exit::Halt;
use crate::files::{Folder, read_document, shown};
use crate::ledgers::{self, is_ledger};
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
    let octets = path.map(read_document).transpose()?;
    octets
        .map(|octets| Anchor::parse(&octets))
        .transpose()
        .map_err(|v| Halt::media(v.rule, v.asked, v.found))
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
            Verdict::Verified(verified) => verified.facts().clone(),
            Verdict::NotAnchored(facts) => facts,
        };
        print(&format!(
            "{} {:<40} {} {}\n",
            match trust {
                Trust::None => "·",
                Trust::Anchor(_) | Trust::Room(_) | Trust::Rehearsal | Trust::Drill => "✓",
            },
            entry.name.as_str(),
            facts.signatures,
            pick(lang, "件の署名", "signatures")
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
    }
}

fn not_anchored(facts: &Consistent) -> Halt {
    let mode = output::mode(facts.mode);
    Halt::NotAnchored(format!("{mode}, audit key {}, head {}", facts.audit_key, facts.head))
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
    if let Verdict::Verified(verified) = &verdict {
        let asked = output::files(verified, &sealed);
        if let Some((name, what)) = output::difference(&asked, found) {
            let fault = Fault::new("S-ARTEFACT", "the file that this transcript gives", &what);
            return Err(Halt::Verification(Refusal { place: name, fault }));
        }
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
    mut proofs: Vec<Proof>,
) -> Result<Verdict, Halt> {
    let trial = replay(sealed, state).map_err(Halt::Verification)?;
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
    let mut text =
        format!("{}: {} {}\n", heading(facts.mode, lang), run.graph().ca(), run.graph().ceremony());
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
    let mut last = "";
    for rule in ceremony::rules::all() {
        let judged = !matches!(rule.stage, Stage::Path | Stage::Edge | Stage::Warn(_));
        if judged && rule.id != last {
            text.push_str(&format!("  ✓ {:<22} {:<28} {}\n", rule.id, rule.clause, rule.sentence));
            last = rule.id;
        }
    }
    text
}

const fn heading(mode: Mode, lang: Lang) -> &'static str {
    match mode {
        Mode::Real => pick(lang, "検証済み", "verified"),
        Mode::Drill => pick(lang, "訓練として整合", "drill, consistent"),
        Mode::Rehearsal => pick(lang, "リハーサルとして整合", "rehearsal, consistent"),
    }
}
