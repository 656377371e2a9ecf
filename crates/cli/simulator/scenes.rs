//! The ceremonies that are simulated: every one of both sample CAs, each on the state that the
//! goldens before it left, with a batch of CRLs that is as short as the rules admit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use ceremony::compile::Compiled;
use ceremony::cps::Cps;
use ceremony::hex::Octets;
use ceremony::ledger::State;
use ceremony::name::Name;
use ceremony::plan::Plan;
use ceremony::record::Mode;
use ceremony::time::Instant;
use ceremony::token::Holder;
use ceremony::token::KeyTemplate;
use ceremony::verify::{Trust, Verdict};

use super::faults::Site;
use super::world::contents;
use crate::judged::Judging;
use crate::ledgers;
use crate::review::compiled;
use crate::sources::Sources;

/// One ceremony, ready to be held.
pub(super) struct Scene {
    pub(super) name: String,
    /// Every document of the CA's folder that it needs.
    documents: BTreeMap<String, Vec<u8>>,
    pub(super) state: Arc<State>,
    pub(super) from: Instant,
    pub(super) spares: Vec<Name>,
    pub(super) head: Option<(String, Octets)>,
    compiled: Compiled,
}

impl Scene {
    pub(super) fn held(&self, holder: &Holder) -> Vec<KeyTemplate> {
        self.compiled.held(holder)
    }

    /// The ceremony's folder in the folder of a history.
    pub(super) fn plan(&self, history: &Path) -> PathBuf {
        history.join("plans").join(&self.name)
    }

    /// Writes the documents to the folder of a history.
    pub(super) fn lay_out(&self, history: &Path) {
        fs::create_dir_all(self.plan(history)).unwrap();
        for (name, octets) in &self.documents {
            fs::write(history.join("plans").join(name), octets).unwrap();
        }
    }
}

/// The folder that histories are written to: memory, where there is such a folder.
pub(super) fn home() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let above = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    above.join(format!("gishiki-simulator-{}", std::process::id()))
}

/// The sample CAs.
const CAS: [&str; 2] = ["mdoc-root", "utopia-mdl"];

/// Every scene, CA by CA, the first ceremony of each first.
pub(super) static SCENES: LazyLock<Vec<Arc<Scene>>> =
    LazyLock::new(|| CAS.into_iter().flat_map(of_ca).collect());

/// The places of the CAs' first ceremonies among the scenes.
pub(super) fn firsts() -> Vec<usize> {
    let scenes = SCENES.iter().enumerate();
    scenes.filter(|(_, scene)| scene.state.last.is_none()).map(|(place, _)| place).collect()
}

fn of_ca(ca: &str) -> Vec<Arc<Scene>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plans = root.join("ceremony-plans").join(ca);
    let goldens = ledgers::list(&root.join("golden").join(ca)).unwrap();
    let chain = ledgers::whole(ledgers::plans(&plans).unwrap(), &plans).unwrap();
    let mut state: Arc<State> = Arc::default();
    let mut scenes = Vec::new();
    for entry in &chain {
        scenes.push(Arc::new(scene(&plans, entry, Arc::clone(&state))));
        let golden = goldens[&entry.name].files().unwrap();
        let verdict = Judging::begin(golden, &state).unwrap().end(&Trust::Rehearsal).unwrap();
        let Verdict::Verified(verified) = verdict else { unreachable!("a golden verifies") };
        state = Arc::clone(&verified.facts().state);
    }
    scenes
}

fn scene(plans: &Path, entry: &ledgers::Entry, state: Arc<State>) -> Scene {
    let copies = tempfile::tempdir().unwrap();
    let (above, copies) = (entry.folder.parent().unwrap(), copies.path());
    for name in ["cps.toml", "roster.toml"] {
        fs::copy(above.join(name), copies.join(name)).unwrap();
    }
    // A sealed folder has the document's digest only.
    let cps = Cps::parse(&fs::read(above.join("cps.toml")).unwrap()).unwrap();
    let document = cps.document.file.get_ref();
    fs::copy(plans.join(document), copies.join(document)).unwrap();
    let policy = fs::read_to_string(above.join("policy.toml")).unwrap();
    let spare = policy.lines().find(|line| line.starts_with("spare ")).unwrap();
    fs::write(copies.join("policy.toml"), policy.replace(spare, "spare = \"1 day\"")).unwrap();
    let plan = copies.join(entry.name.as_str());
    fs::create_dir_all(&plan).unwrap();
    for (name, octets) in contents(&entry.folder) {
        fs::write(plan.join(name), octets).unwrap();
    }
    let compiled = shortened(&plan, &state);
    // As it is when the ceremony begins: another token may stand in the place of a lost one.
    let head = compiled.state.token_head.clone().map(|head| (compiled.graph.head_label(), head));
    Scene {
        name: entry.name.to_string(),
        documents: contents(copies),
        from: compiled.graph.window().0,
        spares: compiled.graph.spares().cloned().collect(),
        state,
        head,
        compiled,
    }
}

/// The ceremony with the next one as soon after it as the rules admit.
fn shortened(folder: &Path, state: &Arc<State>) -> Compiled {
    let plan = folder.join("plan.toml");
    let text = fs::read_to_string(&plan).unwrap();
    let window = Plan::parse(text.as_bytes()).unwrap().window.into_inner();
    let line = text.lines().find(|line| line.starts_with("next-ceremony")).unwrap();
    for days in 1..90 {
        let next = window.from.get_ref().day().plus_days(days).unwrap();
        fs::write(&plan, text.replace(line, &format!("next-ceremony = {next}"))).unwrap();
        let compiled =
            compiled(Sources::read(folder).unwrap(), |_| Ok((Arc::clone(state), Mode::Rehearsal)));
        if let Ok((compiled, _)) = compiled {
            return compiled;
        }
    }
    unreachable!("{} with its own date keeps every rule", plan.display())
}

/// How many sites of each kind a history of this scene passes that meets no fault.
pub(super) static PASSED: LazyLock<Vec<BTreeMap<Site, u32>>> = LazyLock::new(|| {
    let whole = |number: usize| super::history(number, &[]).passed;
    (0..SCENES.len()).map(whole).collect()
});
