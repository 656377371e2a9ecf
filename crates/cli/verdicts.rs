//! Verdicts: judges sealed folders and ledgers, and says what was judged and on which evidence.
//!
//! The verdict stands last. What stands before it says nothing more than the record shows.

pub(crate) mod account;
pub(crate) mod named;
pub(crate) mod rules;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::fault::Fault;
use ceremony::inputs::{Inputs, input_digest};
use ceremony::language::Bilingual;
use ceremony::ledger::State;
use ceremony::plan::{After, Plan};
use ceremony::record::{End, Event, Mode, Record};
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::seal::{JOURNAL_FILE, TRANSCRIPT_FILE};
use ceremony::verify::{Consistent, Refusal, Sealed, Trust, Verdict};

use self::account::Pinned;
use crate::args;
use crate::files::read_sealed;
use crate::halt::Halt;
use crate::held::kind;
use crate::judged::{Judging, read_anchor, refuse_unpinned, trust};
use crate::lang::{Lang, pick};
use crate::ledgers::{self, is_ledger};
use crate::output;
use crate::report::print;
use crate::sources::{Sources, shown};

/// Judges a sealed folder, or a whole ledger.
pub(crate) fn verify(verify: &args::Verify, lang: Lang) -> Result<(), Halt> {
    let anchor = read_anchor(verify.by.anchor.as_deref())?;
    let trust = trust(anchor.as_ref(), verify.by.rehearsal, verify.by.drill);
    match verify.folders.as_slice() {
        [ledger] if is_ledger(ledger) => verify_ledger(ledger, &trust, verify, lang),
        [plan, out] => verify_folder(verify, Some(plan), out, &trust, lang),
        [out] => verify_folder(verify, None, out, &trust, lang),
        _ => {
            let asked = says!("1 つ又は 2 つのフォルダー", "one or two folders");
            Err(Halt::media(RuleId::S_FILE, asked, says!("ほかの数", "another number")))
        }
    }
}

/// Judges every ceremony of a ledger in its order, each with every file that it handed out.
fn verify_ledger(
    ledger: &Path,
    trust: &Trust<'_>,
    verify: &args::Verify,
    lang: Lang,
) -> Result<(), Halt> {
    let (mut signatures, mut last) = (0, None);
    let trusted = !matches!(trust, Trust::None);
    let chain = ledgers::whole(ledgers::list(ledger)?, ledger)?;
    // An anchor that pins it says whose it is; a plan after it does where there is none.
    let anchored = matches!(trust, Trust::Anchor(_));
    let last_is_given_up = |entry: &&ledgers::Entry| ledgers::is_abandoned(&entry.folder);
    if let Some(entry) = chain.last().filter(last_is_given_up).filter(|_| !anchored) {
        let fault = Fault::new(
            RuleId::S_ABANDONED,
            says!(
                "その記録を計画に示す、後のセレモニー",
                "a ceremony after it, whose plan names its journal"
            ),
            says!("なし。まだ裏付けがない", "none: nothing vouches for it yet"),
        );
        return Err(Halt::Verification(Refusal::of(&entry.name, fault)));
    }
    let state = ledgers::judge_each(&chain, trust, |entry, judged| {
        let verdict = match judged {
            ledgers::Judged::Sealed(verdict) => verdict,
            ledgers::Judged::Abandoned(count, _, history) => {
                signatures += count;
                return print(&format!(
                    "· {:<40} {count} {}{}\n",
                    entry.name.as_str(),
                    pick(
                        lang,
                        "件の署名(封印なし。次の計画がその記録を挙げている)",
                        "signatures (not sealed; the next plan names its journal)"
                    ),
                    account::counted(&history, lang)
                ));
            }
        };
        let verified = matches!(verdict, Verdict::Verified(_));
        let facts = into_facts(verdict);
        print(&format!(
            "{} {:<40} {} {}{}{}\n",
            if verified { '✓' } else { '·' },
            entry.name.as_str(),
            facts.signatures,
            pick(lang, "件の署名", "signatures"),
            match facts.end {
                End::Completed => "",
                End::Aborted => pick(lang, "、中止", ", aborted"),
            },
            account::counted_of(&facts, lang)
        ))?;
        if verify.rules {
            print(&format!("{}\n", rules::listed(&facts, trusted, lang)))?;
        }
        if verify.people {
            print(&format!("{}\n", table::of(&facts.account, lang)))?;
        }
        signatures += facts.signatures;
        last = Some(facts);
        Ok(())
    })?;
    let Some(facts) = last else { return Ok(()) };
    for gap in account::gaps(&facts.state, lang) {
        print(&format!("! {gap}\n"))?;
    }
    print(&last_postscript(&facts, trust, lang))?;
    print(&format!("  {}{}\n", pick(lang, "記録の最新値  ", "head      "), facts.head))?;
    if !trusted {
        return Err(not_anchored(&facts));
    }
    refuse_unpinned(&state, trust)?;
    let proved = pick(lang, "件の署名を検証した", "signatures verified");
    print(&format!("{}: {signatures} {proved}\n", heading(facts.mode, lang)))
}

/// Returns the last postscript's digest; every other one is named by the ceremony after it.
fn last_postscript(facts: &Consistent, trust: &Trust<'_>, lang: Lang) -> String {
    let name = &facts.opened.ceremony;
    let anchored = matches!(trust, Trust::Anchor(anchor) if anchor.pins(name));
    match (lang, anchored) {
        (Lang::Ja, true) => "  封印後の記録は、すべてアンカーが固定する\n".to_string(),
        (Lang::En, true) => "  every postscript is pinned by the anchor\n".to_string(),
        (Lang::Ja, false) => format!(
            "  封印後の記録は次のセレモニーが固定する。{name} のものはまだ固定されていない\n"
        ),
        (Lang::En, false) => format!(
            "  each postscript is pinned by the ceremony after it; that of {name} is not pinned yet\n"
        ),
    }
}

pub(crate) fn into_facts(verdict: Verdict) -> Consistent {
    match verdict {
        Verdict::Verified(verified) => verified.facts().clone(),
        Verdict::NotAnchored(facts) | Verdict::NotPinned(facts) => *facts,
    }
}

/// Judges one sealed folder on the state that the ceremonies before it left.
fn verify_folder(
    verify: &args::Verify,
    plan: Option<&PathBuf>,
    out: &Path,
    trust: &Trust<'_>,
    lang: Lang,
) -> Result<(), Halt> {
    let found = output::read_folder(out)?;
    let sealed = output::sealed(&found);
    if let Some(plan) = plan {
        print(&same_plan(plan, &sealed, lang)?)?;
    }
    let state = state_before(out, &sealed, verify.ledger.as_deref(), trust)?;
    let verdict = Judging::begin(found, &state)?.end(trust)?;
    let anchored = matches!(verdict, Verdict::Verified(_));
    let unpinned = matches!(verdict, Verdict::NotPinned(_));
    let facts = into_facts(verdict);
    let ledger = verify.ledger.as_deref().or_else(|| out.parent());
    let pinned = match (trust, anchored) {
        (Trust::Anchor(_), true) => Pinned::Anchor,
        _ => ledger.map_or(Pinned::No, |ledger| pinned(ledger, &facts)),
    };
    print(&account::said(&facts, &pinned, lang))?;
    if verify.rules {
        print(&rules::listed(&facts, anchored, lang))?;
    }
    if verify.people {
        print(&table::of(&facts.account, lang))?;
    }
    if verify.slip {
        print(&account::slip(&facts, lang))?;
    }
    print(&format!("\n{}", rules::counted(&facts, lang)))?;
    print(&account::aborted(&facts, lang))?;
    if unpinned {
        return Err(Halt::NotPinned(Bilingual::plain(&facts.opened.ceremony)));
    }
    if !anchored {
        return Err(not_anchored(&facts));
    }
    print(&format!(
        "{}: {} {}, {} {}\n",
        heading(facts.mode, lang),
        facts.account.ca,
        facts.opened.ceremony,
        facts.signatures,
        pick(lang, "件の署名を検証した", "signatures verified")
    ))
}

/// The state that the ceremonies before a sealed one left, in a ledger or in the folder above.
pub(crate) fn state_before(
    out: &Path,
    sealed: &Sealed,
    ledger: Option<&Path>,
    trust: &Trust<'_>,
) -> Result<Arc<State>, Halt> {
    let after = sealed.inputs.get("plan.toml").and_then(|plan| Plan::parse(plan).ok());
    Ok(match after.as_ref().map(|plan| plan.after.get_ref()) {
        Some(After::Ceremony(before)) => {
            let above = std::path::absolute(out).ok();
            let above = above.as_deref().and_then(Path::parent).unwrap_or(out);
            let ledger = ledger.unwrap_or(above);
            let chain = ledgers::chain(&ledgers::list(ledger)?, before, ledger)?;
            ledgers::fold(&chain, trust)?.0
        }
        Some(After::Nothing) | None => Arc::default(),
    })
}

/// Whether a ceremony after this one, in the same ledger, names its postscript.
fn pinned(ledger: &Path, facts: &Consistent) -> Pinned {
    let after = After::Ceremony(facts.opened.ceremony.clone());
    let Ok(found) = ledgers::list(ledger) else { return Pinned::No };
    let Some(next) = found.into_values().find(|entry| entry.after == after) else {
        return Pinned::No;
    };
    let books = [TRANSCRIPT_FILE, JOURNAL_FILE];
    let first = books.iter().find_map(|book| {
        let octets = read_sealed(&next.folder.join(book)).ok()?;
        let line = octets.split(|octet| *octet == b'\n').next()?.to_vec();
        Record::read(&String::from_utf8(line).ok()?).ok()
    });
    let Some(Record { event: Event::Opened(opened), .. }) = first else { return Pinned::No };
    let postscript = facts.state.held.last().map(|held| held.postscript);
    match opened.predecessor {
        Some(named) if named.head == facts.head && Some(named.postscript) == postscript => {
            Pinned::By(next.name)
        }
        Some(_) | None => Pinned::Another(next.name),
    }
}

pub(crate) fn not_anchored(facts: &Consistent) -> Halt {
    let mode = kind(facts.mode);
    let end = match facts.end {
        End::Completed => Bilingual::default(),
        End::Aborted => says!("、中止", ", aborted"),
    };
    let (key, head) = (facts.audit_key, facts.head);
    Halt::NotAnchored(says!(
        mode, end;
        "{mode}{end}、監査用の鍵 {key}、記録の最新値 {head}",
        "{mode}{end}, audit key {key}, head {head}"
    ))
}

/// Refuses a plan whose canonical text differs from the sealed one. Policy and roster change over
/// time, so differences in them are reported.
fn same_plan(plan: &Path, sealed: &Sealed, lang: Lang) -> Result<String, Halt> {
    let inputs: Inputs = Sources::read(plan)?.inputs()?;
    let mut said = String::new();
    for (name, text) in inputs.texts() {
        let same = sealed.inputs.get(name).map(Vec::as_slice) == Some(text.as_bytes());
        if !same && name == "plan.toml" {
            let asked = says!("{} の計画", "the plan in {}", shown(plan));
            let found = says!("封印されたのは別の計画", "another plan was sealed");
            let fault = Fault::new(RuleId::S_INPUTS, asked, found);
            return Err(Halt::Verification(Refusal::of(format!("inputs/{name}"), fault)));
        }
        let word = match same {
            true => pick(lang, "封印時と同じ", "as it was sealed"),
            false => pick(lang, "封印後に改められた", "has moved on since the seal"),
        };
        said.push_str(&format!("{name} {} {word}\n", input_digest(text)));
    }
    Ok(said)
}

const fn heading(mode: Mode, lang: Lang) -> &'static str {
    match mode {
        Mode::Real => pick(lang, "検証済み", "verified"),
        Mode::Drill => pick(lang, "訓練として整合", "drill, consistent"),
        Mode::Rehearsal => pick(lang, "リハーサルとして整合", "rehearsal, consistent"),
    }
}
