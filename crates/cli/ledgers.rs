//! Ledgers on disk: a folder with one sealed folder for each ceremony of a CA, by its name.
//!
//! A ledger is read along its links, from the ceremony that a plan comes after back to the first,
//! and folded forward; every record is replayed and every signature proved again.
//! **Deliberately absent:** an index. What a ledger holds is what its transcripts say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::bounds::LEDGER;
use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::ledger::State;
use ceremony::name::Name;
use ceremony::plan::{After, Plan};
use ceremony::policy::Policy;
use ceremony::rule::RuleId;
use ceremony::says;
use ceremony::seal::{JOURNAL_FILE, TRANSCRIPT_FILE};
use ceremony::verify::{History, Refusal, Trust, Verdict, replay_abandoned};

use crate::files::{self, PLAN_FILE, names, read_document, read_input};
use crate::halt::Halt;
use crate::judged::{Judging, prove_all};
use crate::output;
use crate::partial::is_partial;
use crate::sources::shown;

/// One ceremony of a ledger.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Name,
    pub(crate) after: After,
    pub(crate) folder: PathBuf,
}

impl Entry {
    /// The plan of this ceremony.
    pub(crate) fn plan(&self) -> Result<Plan, Halt> {
        let octets = read_input(&self.folder, PLAN_FILE)?;
        Plan::parse(&octets).map_err(Halt::unread(self.folder.join(PLAN_FILE), &octets))
    }

    /// Every file of its folder.
    pub(crate) fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, Halt> {
        output::read_folder(&self.folder).map_err(|halt| halt.in_folder(&self.folder))
    }

    /// The policy that this ceremony was held under.
    pub(crate) fn policy(&self) -> Result<Policy, Halt> {
        let octets = read_input(&self.folder, "policy.toml")?;
        Policy::parse(&octets).map_err(Halt::unread(self.folder.join("policy.toml"), &octets))
    }
}

/// Whether a folder is a ledger: it contains folders and is not a sealed folder itself.
pub(crate) fn is_ledger(folder: &Path) -> bool {
    folder.is_dir() && !folder.join(TRANSCRIPT_FILE).exists() && !is_abandoned(folder)
}

/// Whether a folder holds the record of a ceremony that could not be sealed.
pub(crate) fn is_abandoned(folder: &Path) -> bool {
    folder.join(JOURNAL_FILE).exists()
}

/// Returns the state after the ceremony with this name, from the ledger that is given or found
/// beside the plan.
pub(crate) fn state_before(
    plan: &Path,
    after: &After,
    given: Option<&Path>,
    trust: &Trust<'_>,
) -> Result<Arc<State>, Halt> {
    let After::Ceremony(last) = after else { return Ok(Arc::default()) };
    let ledger = match given {
        Some(ledger) => ledger.to_path_buf(),
        None => beside(plan, last)?,
    };
    let (state, _) = fold(&chain(&list(&ledger)?, last, &ledger)?, trust)?;
    Ok(state)
}

/// Returns `ledger/<ca>` if it has that ceremony, otherwise `golden/<ca>`; both are beside
/// `ceremony-plans/`.
pub(crate) fn beside(plan: &Path, last: &Name) -> Result<PathBuf, Halt> {
    let plan = std::path::absolute(plan).unwrap_or_else(|_| plan.to_path_buf());
    let ca = plan.parent().and_then(Path::file_name);
    let root = plan.ancestors().nth(3);
    let candidates =
        ca.zip(root).map(|(ca, root)| [root.join("ledger").join(ca), root.join("golden").join(ca)]);
    let found = candidates
        .iter()
        .flatten()
        .find(|ledger| ledger.join(last.as_str()).join("inputs").join(PLAN_FILE).exists());
    found.cloned().ok_or_else(|| {
        let asked = says!("{last} のある台帳", "the ledger that holds {last}");
        let found = says!(
            "計画の傍らになし。--ledger で示す",
            "none beside the plan; name it with --ledger"
        );
        Halt::media(RuleId::S_LEDGER, asked, found)
    })
}

/// Returns a CA's folder of this kind beside `ceremony-plans/`: `ledger/<ca>` for `ledger`.
pub(crate) fn of_ca(ca: &Path, kind: &str) -> Option<PathBuf> {
    let ca = std::path::absolute(ca).ok()?;
    Some(ca.parent()?.parent()?.join(kind).join(ca.file_name()?))
}

/// Lists every ceremony in a ledger's folder.
pub(crate) fn list(ledger: &Path) -> Result<BTreeMap<Name, Entry>, Halt> {
    let folders = entries(ledger)?;
    let plan = |folder: &Path| read_input(folder, PLAN_FILE);
    folders.into_iter().map(|folder| entry(folder, plan)).collect()
}

/// Lists every planned ceremony of a CA's folder, in which policy and roster lie beside the plans.
pub(crate) fn plans(ca: &Path) -> Result<BTreeMap<Name, Entry>, Halt> {
    let folders = entries(ca)?.into_iter().filter(|path| path.is_dir());
    folders.map(|folder| entry(folder, |folder| read_document(&folder.join(PLAN_FILE)))).collect()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Halt> {
    let names = names(folder).map_err(|error| refused(folder, files::said(&error)))?;
    let mut paths: Vec<PathBuf> = names.iter().map(|(name, _)| folder.join(name)).collect();
    paths.retain(|path| !path.file_name().is_some_and(is_partial));
    LEDGER.judge(paths.len()).map_err(|exceeded| {
        let (folder, bound) = (shown(folder), LEDGER.said());
        let asked = says!(bound; "{folder}: {bound}", "{folder}: {bound}");
        Halt::media(RuleId::S_LEDGER, asked, exceeded.found())
    })?;
    if let Some(link) = paths.iter().find(|path| path.is_symlink()) {
        let found = link.file_name().map_or_else(String::new, |name| shown(Path::new(name)));
        return Err(refused(folder, says!("リンク {found}", "the link {found}")));
    }
    Ok(paths)
}

fn entry(
    folder: PathBuf,
    plan: impl Fn(&Path) -> Result<Vec<u8>, Halt>,
) -> Result<(Name, Entry), Halt> {
    let plan = plan(&folder)?;
    let plan = Plan::parse(&plan).map_err(Halt::unread(folder.join(PLAN_FILE), &plan))?;
    let name = plan.ceremony.get_ref().clone();
    if folder.file_name().is_none_or(|file| file != name.as_str()) {
        let found = says!("別の名前のセレモニー {name}", "the ceremony {name} under another name");
        return Err(refused(&folder, found));
    }
    let after = plan.after.get_ref().clone();
    Ok((name.clone(), Entry { name, after, folder }))
}

fn refused(place: &Path, found: Bilingual) -> Halt {
    let asked = says!("{} のセレモニー", "ceremonies in {}", shown(place));
    Halt::media(RuleId::S_LEDGER, asked, found)
}

/// Returns the ceremonies from the first one to this one.
pub(crate) fn chain(
    found: &BTreeMap<Name, Entry>,
    last: &Name,
    ledger: &Path,
) -> Result<Vec<Entry>, Halt> {
    let mut chain = Vec::new();
    let mut next = Some(last.clone());
    while let Some(name) = next {
        let entry = found.get(&name).filter(|_| chain.len() <= found.len()).ok_or_else(|| {
            let ledger = shown(ledger);
            let asked = says!(
                "台帳 {ledger} のセレモニー {name}",
                "the ceremony {name} in the ledger {ledger}",
            );
            Halt::media(RuleId::S_LEDGER, asked, says!("欠落", "a gap"))
        })?;
        next = match &entry.after {
            After::Nothing => None,
            After::Ceremony(before) => Some(before.clone()),
        };
        chain.push(entry.clone());
    }
    chain.reverse();
    // One history: beside none of its ceremonies there is another after the same one.
    for entry in &chain {
        let beside = |other: &&Entry| other.after == entry.after && other.name != entry.name;
        if let Some(other) = found.values().find(beside) {
            let (one, other) = (&entry.name, &other.name);
            let found = says!("分岐: {one} と {other}", "a fork: {one} and {other}");
            return Err(Halt::media(RuleId::S_LEDGER, one_history(ledger), found));
        }
    }
    Ok(chain)
}

/// Refuses a plan that does not follow the last ceremony of its ledger: that would make a fork.
pub(crate) fn refuse_later(ledger: &Path, last: &Name) -> Result<(), Halt> {
    let found = list(ledger)?;
    let after = After::Ceremony(last.clone());
    match found.values().find(|entry| entry.after == after) {
        None => Ok(()),
        Some(entry) => {
            let ledger = shown(ledger);
            let asked = says!(
                "{last} が台帳 {ledger} の最後のセレモニーであること",
                "{last} as the last ceremony of the ledger {ledger}"
            );
            let found = says!("その後の {}", "{} after it", entry.name);
            Err(Halt::media(RuleId::S_LEDGER, asked, found))
        }
    }
}

/// Returns all of these ceremonies in their order; refuses a fork and a gap.
pub(crate) fn whole(found: BTreeMap<Name, Entry>, ledger: &Path) -> Result<Vec<Entry>, Halt> {
    let followed: BTreeSet<&Name> = found
        .values()
        .filter_map(|entry| match &entry.after {
            After::Nothing => None,
            After::Ceremony(before) => Some(before),
        })
        .collect();
    let ends: Vec<&Name> = found.keys().filter(|name| !followed.contains(name)).collect();
    let [last] = ends.as_slice() else {
        let names: Vec<&str> = ends.iter().map(|name| name.as_str()).collect();
        let asked = says!(
            "台帳 {} の最後のセレモニー 1 つ",
            "one last ceremony in the ledger {}",
            shown(ledger)
        );
        let found = match names.is_empty() {
            true => Bilingual::none(),
            false => Bilingual::plain(names.join(", ")),
        };
        return Err(Halt::media(RuleId::S_LEDGER, asked, found));
    };
    let chain = chain(&found, last, ledger)?;
    let in_chain: BTreeSet<&Name> = chain.iter().map(|entry| &entry.name).collect();
    if let Some(other) = found.keys().find(|name| !in_chain.contains(name)) {
        let found = says!("分岐: {other}", "a fork: {other}");
        return Err(Halt::media(RuleId::S_LEDGER, one_history(ledger), found));
    }
    Ok(chain)
}

fn one_history(ledger: &Path) -> Bilingual {
    says!("台帳 {} の 1 つの履歴", "one history in the ledger {}", shown(ledger))
}

/// Judges a ceremony that could not be sealed: how many signatures of its journal were verified,
/// the state that it left, and what happened in it.
pub(crate) fn abandoned(
    entry: &Entry,
    before: &Arc<State>,
) -> Result<(usize, Arc<State>, History), Halt> {
    let files = entry.files()?;
    let inputs = output::sealed(&files).inputs;
    let ours = |name: &str| name == JOURNAL_FILE || name.starts_with("inputs/");
    if let Some(name) = files.keys().find(|name| !ours(name)) {
        let asked = says!("封印されていない記録とその入力", "an unsealed journal and its inputs");
        let found = says!("それ以外のファイル", "a file beside them");
        let fault = Fault::new(RuleId::S_ARTEFACT, asked, found);
        let refusal = Refusal::of(name, fault);
        return Err(Halt::Verification(refusal).in_folder(&entry.folder));
    }
    let journal = files.get(JOURNAL_FILE).map(Vec::as_slice).unwrap_or_default();
    replay_abandoned(&inputs, journal, before)
        .map_err(Halt::Verification)
        .and_then(|(checks, state, history)| Ok((prove_all(&checks)?.len(), state, history)))
        .map_err(|halt| halt.in_folder(&entry.folder))
}

/// Folds ceremonies in their order. Returns the state that they left, and how many signatures were
/// verified. Each must have exactly the files that its transcript yields. At a terminal, progress
/// is shown.
pub(crate) fn fold(chain: &[Entry], trust: &Trust<'_>) -> Result<(Arc<State>, usize), Halt> {
    fold_each(chain, trust, |_, _| {})
}

/// The same, and hands over the state that each ceremony left.
pub(crate) fn fold_each(
    chain: &[Entry],
    trust: &Trust<'_>,
    mut keep: impl FnMut(&Entry, &Arc<State>),
) -> Result<(Arc<State>, usize), Halt> {
    let mut signatures = 0;
    let mut number = 0;
    let waits = std::io::stderr().is_terminal();
    let state = judge_each(chain, trust, |entry, judged| {
        number += 1;
        if waits {
            let all = chain.len();
            let _ = writeln!(std::io::stderr(), "[{number:>3}/{all}] {}", entry.name);
        }
        keep(entry, judged.state());
        signatures += match judged {
            Judged::Abandoned(count, ..) => count,
            Judged::Sealed(Verdict::Verified(verified)) => verified.facts().signatures,
            Judged::Sealed(Verdict::NotAnchored(facts) | Verdict::NotPinned(facts)) => {
                facts.signatures
            }
        };
        Ok(())
    })?;
    Ok((state, signatures))
}

/// One ceremony of a ledger, judged.
pub(crate) enum Judged {
    /// A sealed one.
    Sealed(Verdict),
    /// One that could not be sealed: how many signatures were verified, the state that it left, and
    /// what happened.
    Abandoned(usize, Arc<State>, Box<History>),
}

impl Judged {
    /// The state that the ceremony left.
    const fn state(&self) -> &Arc<State> {
        match self {
            Self::Sealed(Verdict::Verified(verified)) => &verified.facts().state,
            Self::Sealed(Verdict::NotAnchored(facts) | Verdict::NotPinned(facts)) => &facts.state,
            Self::Abandoned(_, left, _) => left,
        }
    }
}

/// A ceremony whose signatures are still being verified.
enum Open {
    Sealed(Box<Judging>),
    Abandoned(usize, Arc<State>, Box<History>),
}

impl Open {
    fn begin(entry: &Entry, before: &Arc<State>) -> Result<Self, Halt> {
        if is_abandoned(&entry.folder) {
            let (count, left, history) = abandoned(entry, before)?;
            return Ok(Self::Abandoned(count, left, Box::new(history)));
        }
        let judging = Judging::begin(entry.files()?, before);
        judging.map(Box::new).map(Self::Sealed).map_err(|halt| halt.in_folder(&entry.folder))
    }

    const fn state(&self) -> &Arc<State> {
        match self {
            Self::Sealed(judging) => judging.state(),
            Self::Abandoned(_, left, _) => left,
        }
    }

    fn end(self, entry: &Entry, trust: &Trust<'_>) -> Result<Judged, Halt> {
        match self {
            Self::Sealed(judging) => {
                let verdict = judging.end(trust).map_err(|halt| halt.in_folder(&entry.folder))?;
                Ok(Judged::Sealed(verdict))
            }
            Self::Abandoned(count, left, history) => Ok(Judged::Abandoned(count, left, history)),
        }
    }
}

/// Judges ceremonies in their order, and returns the state that they left. While the signatures of
/// one are verified, the next is read and replayed; a fault of the earlier one is reported first.
pub(crate) fn judge_each(
    chain: &[Entry],
    trust: &Trust<'_>,
    mut take: impl FnMut(&Entry, Judged) -> Result<(), Halt>,
) -> Result<Arc<State>, Halt> {
    let mut state = Arc::default();
    let mut open: Option<(&Entry, Open)> = None;
    for entry in chain {
        let next = Open::begin(entry, &state);
        if let Some((before, open)) = open.take() {
            take(before, open.end(before, trust)?)?;
        }
        let next = next?;
        state = Arc::clone(next.state());
        open = Some((entry, next));
    }
    if let Some((last, open)) = open {
        take(last, open.end(last, trust)?)?;
    }
    Ok(state)
}
