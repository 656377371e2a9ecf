//! The model of the room: it passes every golden ceremony, and refuses each in which a step is left
//! out, done twice or moved.

use std::sync::Arc;

use ceremony::compile::Compiled;
use ceremony::graph::Op;
use ceremony::inputs::Inputs;
use ceremony::plan::Plan;
use ceremony::verify::{Sealed, replay};
use ceremony::walk::{Asked, walk};

use crate::support::{root, sealed};

/// A ceremony of the goldens.
struct Held {
    name: String,
    compiled: Compiled,
    inputs: Inputs,
}

impl Held {
    /// What these steps lack, in English; `None` if nothing.
    fn lacks(&self, ops: &[Op]) -> Option<String> {
        let asked = Asked::of(&self.inputs, &self.compiled.state);
        let lacking = walk(&self.compiled.graph, ops, &asked).err()?;
        Some(lacking.asked(&self.compiled.graph).en)
    }

    fn ops(&self) -> Vec<Op> {
        self.compiled.graph.ops().to_vec()
    }

    fn at(&self, name: &str) -> usize {
        self.ops().iter().position(|op| op.name == name).unwrap_or_else(|| panic!("no {name}"))
    }

    fn without(&self, name: &str) -> Vec<Op> {
        let mut ops = self.ops();
        ops.remove(self.at(name));
        ops
    }

    /// The same steps, with this one right before another.
    fn with_before(&self, name: &str, other: &str) -> Vec<Op> {
        let mut ops = self.ops();
        let moved = ops.remove(self.at(name));
        let place = ops.iter().position(|op| op.name == other).unwrap();
        ops.insert(place, moved);
        ops
    }
}

/// The ceremonies of a golden ledger, in their order.
fn held(ca: &str) -> Vec<Held> {
    let folders = std::fs::read_dir(root().join("golden").join(ca)).unwrap();
    let mut ceremonies: Vec<(u32, String, Sealed)> = folders
        .map(|entry| {
            let entry = entry.unwrap();
            let sealed = sealed(&entry.path());
            let plan = Plan::parse(&sealed.inputs["plan.toml"]).unwrap();
            (*plan.sequence.get_ref(), entry.file_name().into_string().unwrap(), sealed)
        })
        .collect();
    ceremonies.sort_by_key(|(sequence, ..)| *sequence);
    let mut state = Arc::default();
    let mut held = Vec::new();
    for (_, name, sealed) in ceremonies {
        let trial = replay(&sealed, &state).unwrap();
        let (compiled, inputs) =
            (trial.run().compiled().clone(), Inputs::sealed(&sealed.inputs).unwrap());
        state = Arc::clone(trial.state());
        held.push(Held { name, compiled, inputs });
    }
    held
}

fn ceremony(name: &str) -> Held {
    held("mdoc-root").into_iter().find(|held| held.name == name).unwrap()
}

/// Every step of every golden is needed, but for these, which clear up after an earlier ceremony.
#[test]
fn no_step_can_be_left_out() {
    let mut refused = 0;
    for held in ["mdoc-root", "utopia-mdl"].into_iter().flat_map(held) {
        assert_eq!(held.lacks(&held.ops()), None, "{}", held.name);
        for op in held.ops() {
            let kind = op.act.kind();
            // Only the CA's state knows what an earlier ceremony left; those who answer for a
            // released certificate have it from there too.
            if ["supersede", "clear"].contains(&kind) || op.name == "hand-over-released" {
                continue;
            }
            let lacks = held.lacks(&held.without(&op.name));
            assert!(lacks.is_some(), "{} without {}", held.name, op.name);
            refused += 1;
        }
    }
    assert!(refused > 700, "{refused}");
}

/// What happens once happens once.
#[test]
fn what_is_done_once_is_not_done_twice() {
    let once = ["entry", "exit", "generate", "sign", "copy", "destroy", "logout", "first-in"];
    let mut refused = 0;
    for held in ["mdoc-root", "utopia-mdl"].into_iter().flat_map(held) {
        for (place, op) in held.ops().into_iter().enumerate() {
            if !once.contains(&op.act.kind()) {
                continue;
            }
            let mut ops = held.ops();
            ops.insert(place + 1, op.clone());
            assert!(held.lacks(&ops).is_some(), "{} with {} twice", held.name, op.name);
            refused += 1;
        }
    }
    assert!(refused > 300, "{refused}");
}

/// Each need, left out once, with what the model says.
#[test]
fn a_spoilt_script_is_refused_with_what_it_lacks() {
    let genesis = ceremony("2026-04-genesis");
    let (ds, rollover) = (ceremony("2026-06-ds"), ceremony("2031-03-rollover"));
    let (gone, back) = (ceremony("2031-09-destruction"), ceremony("2031-11-recovery"));
    let (lost, drill) = (ceremony("2032-03-token-lost"), ceremony("2026-12-backup-drill"));
    let judged = ceremony("2031-11-root-compromise");
    let left_out = [
        (&genesis, "first-in", "before `entry-p01`: 1 or more of p12 are in the room"),
        (&genesis, "entry-p04", "before `roll-call-custodian`: 2 or more of p04 p05 are in"),
        (&genesis, "roll-call-auditor", "before `papers`: the roll of auditor is called"),
        (&genesis, "papers", "before `clock`: the papers are compared"),
        (&genesis, "clock", "before `identify`: the clock is compared"),
        (&genesis, "media", "before `identify`: the journal media are in the machine"),
        (&genesis, "identify", "before `plate`: the root token is identified"),
        (&genesis, "plate", "before `activate`: the plate of the root token is compared"),
        (&genesis, "activate", "before `login`: the activation data are at hand"),
        (&genesis, "login", "before `inventory`: people are logged in to the root token"),
        (&genesis, "inventory", "before `generate-audit`: what is on the root token is listed"),
        (&genesis, "generate-audit", "before `sign-head`: key audit is on the root token"),
        (&genesis, "sign-head", "before `complete-j-lis`: the audit key has signed a head"),
        (&genesis, "read-value-g1", "before `sign-root-g1`: key g1 could not be read"),
        (&genesis, "wrap-g1", "before `sign-root-g1`: key g1 could not be wrapped"),
        (&genesis, "sign-root-g1", "before `fingerprint-root-g1`: root-g1 is signed"),
        (&genesis, "fingerprint-root-g1", "the fingerprint of root-g1 is read"),
        (&genesis, "complete-j-lis", "before `write-head`: j-lis has approved the completion"),
        (&genesis, "write-head", "before `seal`: the ledger head is written"),
        (&genesis, "seal", "before `logout`: the transcript is sealed"),
        (&genesis, "logout", "before `deactivate`: not: people are logged in to the root token"),
        (&genesis, "deactivate", "before `exit-p01`: the HSM is off"),
        (&genesis, "anchor-words", "before `exit-p01`: the slip of the anchor is written"),
        (&genesis, "exit-p05", "before `last-out`: not: p05 is in the room"),
        (&genesis, "last-out", "at the end: not: p12 is in the room"),
        (&ds, "read-head", "before `application-a-2026-06`: the ledger head is read"),
        (&ds, "application-a-2026-06", "application a-2026-06 is confirmed"),
        (&ds, "hand-over-a-2026-06", "at the end: ds-0001 is handed over"),
        (&drill, "plate-vault", "before `activate`: the plate of token vault is compared"),
        (&drill, "copy-g1-vault", "before `sign-crl-g1-on-vault`: key g1 is on token vault"),
        (&gone, "approve-destruction-g1-j-lis", "j-lis has approved g1"),
        (&gone, "destroy-g1", "before `complete-j-lis`: not: key g1 is on the root token"),
        (&back, "order-resume-ds-issuing", "order resume-ds-issuing is given"),
        (&lost, "approve-recovery-j-lis", "before `generate-audit-2`: j-lis has approved vault"),
        (&judged, "compromise-g2", "g2 is judged to be compromised"),
        (&judged, "order-stop-ds-issuing", "order stop-ds-issuing is given"),
    ];
    for (held, step, said) in &left_out {
        let lacks = held.lacks(&held.without(step)).unwrap();
        assert!(lacks.contains(said), "{} without {step}: {lacks}", held.name);
    }
    let moved = [
        (&genesis, "exit-p04", "deactivate", "before `exit-p04`: the HSM is off"),
        (&genesis, "login", "clock", "before `login`: the activation data are at hand"),
        (&genesis, "seal", "complete-j-lis", "before `seal`: j-lis has approved"),
        (&genesis, "logout", "sign-root-g1", "before `logout`: the transcript is sealed"),
        (&rollover, "sign-new-with-old-g1-g2", "generate-g2", "key g1 could not be read"),
        (&gone, "destroy-g1", "approve-destruction-g1-j-lis", "j-lis has approved g1"),
    ];
    for (held, step, before, said) in &moved {
        let lacks = held.lacks(&held.with_before(step, before)).unwrap();
        assert!(lacks.contains(said), "{} with {step} before {before}: {lacks}", held.name);
    }
    // Whoever has left acts no more.
    let mut ops = genesis.with_before("exit-p13", "exit-p01");
    let mut again = ops[genesis.at("fingerprint-root-g1")].clone();
    again.name = "fingerprint-again".into();
    let after = ops.iter().position(|op| op.name == "exit-p13").unwrap() + 1;
    ops.insert(after, again);
    let lacks = genesis.lacks(&ops).unwrap();
    assert!(lacks.contains("before `fingerprint-again`: 1 or more of p13 are in"), "{lacks}");
}
