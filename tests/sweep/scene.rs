//! The ceremonies that are swept: one of each kind, with a few CRLs, each on the ledger and the
//! tokens of those before.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::ledger::State;

use crate::life::history::History;
use crate::support::{copy, faulty_module, root, sealed, text};

/// A ceremony, and everything as it is before it.
pub(crate) struct Scene {
    pub(crate) ceremony: &'static str,
    pub(crate) plan: PathBuf,
    pub(crate) before: History,
    pub(crate) state: Arc<State>,
    /// The plans' folder lives as long.
    _plans: Arc<tempfile::TempDir>,
}

/// What is changed in the sample's plans, so that few CRLs are signed and nothing comes between.
const CHANGES: [(&str, &[(&str, &str)]); 5] = [
    ("2026-04-genesis", &[("2026-06-30", "2026-04-04")]),
    ("2026-06-ds", &[("2026-09-28", "2026-07-01")]),
    (
        "2026-12-backup-drill",
        &[
            ("2027-03-24", "2026-12-26"),
            ("\"2026-10-ds-compromise\"", "\"2026-06-ds\""),
            ("sequence = 5", "sequence = 3"),
        ],
    ),
    ("2031-03-rollover", &[("2031-06-06", "2031-03-11"), ("sequence = 6", "sequence = 4")]),
    (
        "2031-09-destruction",
        &[
            ("2031-12-01", "2031-09-04"),
            ("\"2031-06-two-generations\"", "\"2031-03-rollover\""),
            ("sequence = 8", "sequence = 5"),
        ],
    ),
];

impl Scene {
    pub(crate) fn all() -> Vec<Self> {
        let plans = Arc::new(tempfile::tempdir().unwrap());
        // A name that a shell must be told carefully.
        let ca = plans.path().join("the CA's plans");
        copy(&root().join("ceremony-plans/mdoc-root"), &ca);
        change(
            &ca.join("policy.toml"),
            &[("spare             = \"14 days\"", "spare             = \"1 day\"")],
        );
        let (history, mut state) = (History::new(), Arc::new(State::default()));
        let mut scenes = Vec::new();
        for (ceremony, changes) in CHANGES {
            let plan = ca.join(ceremony);
            change(&plan.join("plan.toml"), changes);
            let before = history.copy();
            let output = history.run_plan(&plan, &faulty_module(), None);
            assert!(output.status.success(), "{ceremony}: {}", text(&output));
            let next = left(&history.out(ceremony), &state);
            let _plans = Arc::clone(&plans);
            scenes.push(Self { ceremony, plan, before, state, _plans });
            state = next;
        }
        scenes
    }
}

fn change(file: &Path, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(file).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{}: {from}", file.display());
        text = text.replace(from, to);
    }
    // The destruction's quarterly renewal renews what no ceremony here has issued.
    if let (Some(from), Some(to)) =
        (text.find("[application.a-2031-09]"), text.find("[destruction"))
    {
        text.replace_range(from..to, "");
    }
    fs::write(file, text).unwrap();
}

/// The state that a sealed ceremony leaves.
pub(crate) fn left(out: &Path, before: &Arc<State>) -> Arc<State> {
    let sealed = sealed(out);
    let trial = ceremony::verify::replay(&sealed, before).unwrap();
    Arc::clone(trial.state())
}
