//! Where the live image finds plans, goldens, ledgers and anchors.

use std::fs;
use std::path::{Path, PathBuf};

use ceremony::language::Bilingual;
use ceremony::plan::Plan;
use ceremony::rule::RuleId;
use ceremony::says;

use super::{CEREMONY, OUTPUTS, media};
use crate::files;
use crate::halt::Halt;

/// Returns every plan below `ceremony-plans/` of a root, sorted.
pub(super) fn plans(root: &Path) -> Result<Vec<PathBuf>, Halt> {
    let mut found = Vec::new();
    for ca in media::folders(&root.join("ceremony-plans"))? {
        found.extend(
            media::folders(&ca)?.into_iter().filter(|plan| plan.join("plan.toml").exists()),
        );
    }
    found.sort();
    if found.is_empty() {
        let above = root.join("ceremony-plans");
        let asked = says!("{} の下にある計画", "a plan below {}", above.display());
        return Err(Halt::media(RuleId::S_PLANS, asked, none()));
    }
    Ok(found)
}

/// The words for something that is missing.
pub(super) fn none() -> Bilingual {
    Bilingual::none()
}

/// Returns the CA's folder in `golden/` or `ledger/`, beside `ceremony-plans/`.
pub(super) fn beside(plan: &Path, kind: &str) -> PathBuf {
    let mut above = plan.ancestors().skip(1);
    let ca = above.next().and_then(Path::file_name).unwrap_or_default();
    above.nth(1).unwrap_or(Path::new(CEREMONY)).join(kind).join(ca)
}

/// Reads the plan of a ceremony.
pub(super) fn planned(plan: &Path) -> Result<Plan, Halt> {
    let path = plan.join(files::PLAN_FILE);
    let octets = files::read_document(&path)?;
    Plan::parse(&octets).map_err(Halt::unread(path, &octets))
}

/// The paths of a ledger and an anchor, if they exist.
pub(super) type History = (Option<PathBuf>, Option<PathBuf>);

/// Returns the ledger and anchor on which a ceremony is held, if they exist.
///
/// A real ceremony uses the ledger that was reviewed with its plan. Its anchor is the one beside
/// the plan, or else the one on the operators' medium. A drill uses the ledger on the operators'
/// medium, if there is one; that ledger has no anchor.
pub(super) fn history(plan: &Path, operators: &Path, drill: bool) -> History {
    let there = |path: &PathBuf| path.exists();
    let carried = Some(operators.join("ledger")).filter(|ledger| drill && there(ledger));
    if carried.is_some() {
        return (carried, None);
    }
    let anchors = [plan.with_file_name("anchor.toml"), operators.join("anchor.toml")];
    (Some(beside(plan, "ledger")).filter(there), anchors.into_iter().find(there))
}

/// Returns the folder in RAM for the outputs of this ceremony, after removing what it held.
pub(super) fn cleared(plan: &Path) -> Result<PathBuf, Halt> {
    let out = Path::new(OUTPUTS).join(name_of(plan));
    if out.exists() {
        fs::remove_dir_all(&out).map_err(|error| {
            let asked = says!("RAM の消去", "to clear RAM");
            Halt::media(RuleId::S_OUT, asked, files::said(&error))
        })?;
    }
    Ok(out)
}

pub(super) fn name_of(plan: &Path) -> &str {
    plan.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_medium_without_plans_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let plan = root.path().join("ceremony-plans/some-ca/2026-04-genesis");
        fs::create_dir_all(&plan).unwrap();
        let Err(Halt::Media(fault)) = plans(root.path()) else { panic!("accepted") };
        assert_eq!(fault.rule, RuleId::S_PLANS);
        fs::write(plan.join("plan.toml"), "").unwrap();
        assert_eq!(plans(root.path()).unwrap(), std::slice::from_ref(&plan));
        assert_eq!(beside(&plan, "golden"), root.path().join("golden/some-ca"));
    }
    #[test]
    fn a_real_ceremony_takes_what_was_reviewed_and_a_drill_what_operators_bring() {
        let folder = tempfile::tempdir().unwrap();
        let (root, operators) = (folder.path().join("image"), folder.path().join("a"));
        let plan = root.join("ceremony-plans/some-ca/2026-06-ds");
        let reviewed = [root.join("ledger/some-ca"), plan.with_file_name("anchor.toml")];
        let carried = [operators.join("ledger"), operators.join("anchor.toml")];
        fs::create_dir_all(&plan).unwrap();
        assert_eq!(history(&plan, &operators, false), (None, None));
        fs::create_dir_all(&carried[0]).unwrap();
        fs::write(&carried[1], "").unwrap();
        assert_eq!(history(&plan, &operators, false), (None, Some(carried[1].clone())));
        fs::create_dir_all(&reviewed[0]).unwrap();
        fs::write(&reviewed[1], "").unwrap();
        let [ledger, anchor] = reviewed.map(Some);
        assert_eq!(history(&plan, &operators, false), (ledger.clone(), anchor.clone()));
        assert_eq!(history(&plan, &operators, true), (Some(carried[0].clone()), None));
        fs::remove_dir(&carried[0]).unwrap();
        assert_eq!(history(&plan, &operators, true), (ledger, anchor));
    }
}
