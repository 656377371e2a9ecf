//! The simulated world, one for each thread. Product code reaches it only at its edges ([`super`]
//! says where).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ceremony::ledger::State;
use ceremony::name::Name;
use ceremony::record::{Mode, Place};
use ceremony::time::{Instant, Offset};
use ceremony::token::Holder;
use token::{RehearsalToken, Token};

use super::checker::Checker;
use super::device::Device;
use super::faults::{Fault, Site};
use super::room::Told;
use super::scenes::Scene;
use crate::cards::Cards;
use crate::people::People;
use crate::room::Entered;
use crate::secrets::PinSource;
use crate::tokens::Tokens;

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Everything outside the product, and what was seen of the product there.
pub(super) struct World {
    pub(super) scene: Arc<Scene>,
    /// The folder of this history; the two media and the output lie in it.
    pub(super) home: PathBuf,
    pub(super) faults: Vec<Fault>,
    /// How many faults have happened.
    pub(super) fired: usize,
    /// How often each kind of site was passed.
    pub(super) passed: BTreeMap<Site, u32>,
    /// What a good clock shows, in seconds, and how far the machine's clock is from it.
    pub(super) time: i64,
    pub(super) skew: i64,
    pub(super) root: Device,
    pub(super) spares: BTreeMap<Name, Device>,
    pub(super) told: Told,
    pub(super) checker: Checker,
    /// One line for everything that happened, in order.
    pub(super) trace: Vec<String>,
}

/// The panic payload that stands for the end of the process, as at a power cut.
pub(super) struct Crash;

/// Ends the simulated process of the tool: no code of it runs after this.
pub(super) fn crash() -> ! {
    with(|world| world.note("crash".into()));
    std::panic::resume_unwind(Box::new(Crash))
}

/// Runs this function on the world of the thread, if it has one.
pub(super) fn with<T>(say: impl FnOnce(&mut World) -> T) -> Option<T> {
    WORLD.with_borrow_mut(|world| world.as_mut().map(say))
}

/// Puts this thread into a world, or takes it out of one.
pub(super) fn set(world: Option<World>) -> Option<World> {
    WORLD.replace(world)
}

impl World {
    pub(super) fn new(scene: Arc<Scene>, home: PathBuf, faults: Vec<Fault>) -> Self {
        let root = Device::holding(scene.held(&Holder::Root), scene.head.clone());
        let spare = |name: &Name| {
            let held = scene.held(&Holder::Spare(name.clone()));
            (name.clone(), Device::holding(held, None))
        };
        Self {
            root,
            spares: scene.spares.iter().map(spare).collect(),
            time: scene.from.unix(),
            skew: 0,
            faults,
            fired: 0,
            passed: BTreeMap::new(),
            told: Told::default(),
            checker: Checker::default(),
            trace: Vec::new(),
            scene,
            home,
        }
    }

    pub(super) fn media(&self) -> [PathBuf; 2] {
        ["a", "b"].map(|name| self.home.join(name))
    }

    /// Notes what happened, without the name of the folder, which differs each time.
    pub(super) fn note(&mut self, line: String) {
        let home = self.home.display().to_string();
        self.trace.push(line.replace(&home, "…").trim_end().to_string());
    }

    /// Passes a site, and returns the fault that is to happen there, if any.
    pub(super) fn pass(&mut self, site: Site) -> Option<Fault> {
        let count = self.passed.entry(site).or_default();
        assert!(*count < 5_000, "a ceremony that goes round and round");
        let here = *count;
        *count += 1;
        let fault = self.faults.iter().find(|fault| fault.at() == (site, here)).copied()?;
        self.fired += 1;
        self.note(format!("fault {fault:?}"));
        Some(fault)
    }

    pub(super) fn device(&mut self, holder: &Holder) -> Option<&mut Device> {
        match holder {
            Holder::Root => Some(&mut self.root),
            Holder::Spare(name) => self.spares.get_mut(name),
        }
    }
}

/// Whether this thread is in a simulated world.
pub(crate) fn is_on() -> bool {
    with(|_| ()).is_some()
}

/// Returns the time of the machine's clock.
pub(crate) fn now(offset: Offset) -> Option<Instant> {
    with(|world| {
        let now = Instant::from_unix(world.time + world.skew, offset).unwrap();
        world.checker.clock_showed(now);
        now
    })
}

/// The room that a command enters, with its tokens switched on anew.
pub(crate) fn entered() -> Option<Entered> {
    with(|world| {
        let token = |name: Option<&Name>, device: &Device| {
            let token = name.map_or_else(RehearsalToken::new, |n| RehearsalToken::named(n.clone()));
            Token::Rehearsal(token.holding(device.pairs(), BTreeMap::new()))
        };
        let spares = world.spares.iter();
        let spares = spares.map(|(name, device)| (name.clone(), token(Some(name), device)));
        Entered {
            mode: Mode::Rehearsal,
            cards: Cards::default(),
            place: Place::rehearsal_with(world.scene.spares.iter()),
            tokens: Tokens {
                root: token(None, &world.root),
                spares: spares.collect(),
                shared: BTreeMap::new(),
            },
        }
    })
}

/// The state of the CA before the ceremony.
pub(crate) fn state() -> Option<Arc<State>> {
    with(|world| Arc::clone(&world.scene.state))
}

/// The people of the room.
pub(crate) fn people() -> Option<(People, PinSource)> {
    with(|_| (People::Simulated, PinSource::Terminal))
}

/// What the tool says to the room, on whichever stream; whether anybody here hears it.
pub(crate) fn hears(text: &str) -> bool {
    with(|world| {
        world.told.hear(text);
        world.note(format!("says {text}"));
    })
    .is_some()
}

/// The names of everything below a folder, with their octets.
pub(super) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found = BTreeMap::new();
    for entry in listed {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            let below = contents(&entry.path()).into_iter();
            found.extend(below.map(|(inner, octets)| (format!("{name}/{inner}"), octets)));
        } else {
            found.insert(name, std::fs::read(entry.path()).unwrap_or_default());
        }
    }
    found
}

/// A set of names, for messages.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n Name>) -> String {
    let names: BTreeSet<&str> = names.into_iter().map(Name::as_str).collect();
    names.into_iter().collect::<Vec<_>>().join(" ")
}
