//! The simulator: whole ceremonies, from the first record to an end, in which everything outside
//! the product fails according to a list of faults that follows from a seed.
//!
//! It holds ceremonies with the product's own commands (`run`, `resume`, `abandon`), in this
//! process. Each thread has a simulated world in place of everything outside the product:
//!
//! - [`device`] is a token that returns errors or false answers, dies and loses what it made,
//! - [`media`] are two folders that tear, fill, vanish and come back changed,
//! - [`room`] are people who are mistaken, refuse, are late and leave,
//! - [`world`] has the clock, and ends the process anywhere.
//!
//! [`sessions`] gives the command that the product names when it ends, until the ceremony is
//! sealed, given up, or was never begun. After each effect and each session [`checker`], which
//! shares nothing with the product's fold, checks the invariants on journals and tokens.
//!
//! One seed always gives the same history. A seed whose history breaks an invariant is reduced to
//! the faults that are needed, and becomes a test below.
//!
//! **Deliberately absent:** randomness, sleeping, and any judgement by the code under test.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says what it found"
)]

mod checker;
mod device;
mod faults;
mod found;
mod leavings;
mod lies;
mod media;
mod room;
mod scenes;
mod seeds;
mod sessions;
mod world;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) use device::{about_to_sign, clear, copy, perform, probe};
pub(crate) use media::{append, put};
pub(crate) use room::{OfCard, ask, choose, consent, enter_pin, lifted, note, object, sign, vouch};
pub(crate) use world::{entered, hears, is_on, now, people, state};

use checker::Met;
use faults::{Fault, Site};
use scenes::{SCENES, home};
use sessions::Ending;
use world::World;

/// The result of one history.
struct History {
    ending: Ending,
    /// The violations of invariants.
    found: Vec<String>,
    trace: Vec<String>,
    passed: BTreeMap<Site, u32>,
    met: BTreeMap<Met, u32>,
}

/// Holds the ceremony of this scene with these faults.
fn history(scene: usize, faults: &[Fault]) -> History {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let scene = Arc::clone(&SCENES[scene]);
    let folder = home().join(NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
    fs::create_dir_all(&folder).unwrap();
    scene.lay_out(&folder);
    world::set(Some(World::new(scene, folder.clone(), faults.to_vec())));
    let ending = sessions::hold();
    let mut world = world::set(None).unwrap();
    let left = world::contents(&folder).into_iter().filter(|(name, _)| !name.starts_with("plans/"));
    for (name, octets) in left {
        let digest = ceremony::hex::Digest::of(&octets);
        world.trace.push(format!("left {name} {digest}"));
    }
    fs::remove_dir_all(&folder).unwrap();
    // The last history also removes the folder above.
    let _ = fs::remove_dir(home());
    History {
        ending,
        found: world.checker.found,
        trace: world.trace,
        passed: world.passed,
        met: world.checker.met,
    }
}
