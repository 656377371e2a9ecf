//! The fault sweep: the real program is killed, or made to fail, at any system call and at any call
//! of its token's module, up to three times in one ceremony. After each fault the test only follows
//! the program's own words, until the ceremony is sealed or abandoned. Then it judges what is left.
//! See `docs/sweep.md`.
//!
//! `GISHIKI_ALL=1` takes 20,000 points, `GISHIKI_SWEEP=N` takes N, `GISHIKI_SWEEP=M..N` those from
//! M to N - 1; `GISHIKI_SWEEP=C_SignInit` takes every fault at every call of that function of the
//! module, `GISHIKI_SWEEP="write( /token"` at every system call with these words.
//! `GISHIKI_SWEEP_POINT=N` shows one of them alone.

mod judge;
mod point;
pub(crate) mod scene;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use point::{Point, Universe};
use scene::Scene;
use words::{End, Walk};

use crate::support::complete;

/// How many points a run of all tests takes.
const SAMPLE: usize = 500;
/// How many `GISHIKI_ALL=1` takes.
const ALL: usize = 20_000;

/// Which points are taken, each with the place of its ceremony among the scenes.
fn asked(universes: &[Universe]) -> Vec<(usize, Point)> {
    let point = |number: usize| {
        let place = number % universes.len();
        (place, Point::of(number, universes.len(), &universes[place]))
    };
    if let Ok(number) = std::env::var("GISHIKI_SWEEP_POINT") {
        return vec![point(number.parse().unwrap_or_else(|_| {
            panic!("GISHIKI_SWEEP_POINT={number}: a number");
        }))];
    }
    let numbers = match std::env::var("GISHIKI_SWEEP").as_deref() {
        Ok(called) if called.starts_with("C_") || called.contains('/') => {
            let places = universes.iter().enumerate();
            let at = |(place, universe): (usize, &Universe)| {
                universe.at(called).into_iter().map(move |point| (place, point))
            };
            return places.flat_map(at).collect();
        }
        Ok(range) => {
            let (from, to) = range.split_once("..").unwrap_or(("0", range));
            match (from.parse(), to.parse()) {
                (Ok(from), Ok(to)) => from..to,
                _ => panic!("GISHIKI_SWEEP={range}: a number, a range, a function, or a path"),
            }
        }
        Err(_) if complete() => 0..ALL,
        Err(_) => 0..SAMPLE,
    };
    numbers.map(point).collect()
}

/// What `pkcs11-tool` says of a token that SoftHSM does not show.
const GONE: &str = "No slot with token named";

/// What came of the points.
#[derive(Default)]
struct Tally {
    ends: BTreeMap<End, usize>,
    /// By how many faults were meant, and how many of them happened.
    faults: BTreeMap<(usize, usize), usize>,
    sessions: usize,
    violations: Vec<String>,
}

impl Tally {
    fn take(&mut self, ceremony: &str, point: &Point, walk: Result<Walk, String>) {
        match walk {
            Ok(walk) => {
                *self.ends.entry(walk.end).or_default() += 1;
                *self.faults.entry((point.faults.len(), walk.fired)).or_default() += 1;
                self.sessions += walk.sessions;
            }
            Err(what) => self.violations.push(format!("{ceremony}, {point}\n    {what}")),
        }
    }

    fn print(&self, points: usize) {
        println!("points: {points}, in {} sessions", self.sessions);
        for ((meant, fired), count) in &self.faults {
            println!("  {meant} faults meant, {fired} happened: {count}");
        }
        for (end, count) in &self.ends {
            println!("  ended {end:?}: {count}");
        }
        println!("violations: {}", self.violations.len());
        for violation in &self.violations {
            println!("  {violation}");
        }
    }
}

/// One point in a folder of its own. A token that SoftHSM itself no longer shows, because it was
/// killed while it wrote it or because the machine is busy, is the end of a token and of no
/// ceremony: then the point is walked once more, and this is said.
fn walk(scene: &Scene, point: &Point) -> Result<Walk, String> {
    let walked = walk_once(scene, point);
    match &walked {
        Err(what) if what.contains(GONE) => {
            println!("walked once more: {}, {point}\n    {what}", scene.ceremony);
            walk_once(scene, point)
        }
        Ok(_) | Err(_) => walked,
    }
}

fn walk_once(scene: &Scene, point: &Point) -> Result<Walk, String> {
    let walked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let history = scene.before.copy();
        let walk = words::follow(scene, &history, point)?;
        judge::judge(scene, &history, &walk);
        Ok(walk)
    }));
    walked.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| said.to_string()));
        Err(said.unwrap_or_default())
    })
}

#[test]
fn wherever_a_fault_comes_the_words_lead_to_an_end() {
    let scenes = Scene::all();
    let universes: Vec<Universe> = scenes.iter().map(Universe::of).collect();
    for (scene, universe) in scenes.iter().zip(&universes) {
        println!("{}: {universe}", scene.ceremony);
    }
    let asked = asked(&universes);
    let (tally, next) = (Mutex::new(Tally::default()), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((place, point)) = asked.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let scene = &scenes[*place];
                    let walk = walk(scene, point);
                    tally.lock().unwrap().take(scene.ceremony, point, walk);
                }
            });
        }
    });
    let tally = tally.into_inner().unwrap();
    println!("seed {:#x}; GISHIKI_SWEEP_POINT=N replays one point", point::SEED);
    tally.print(asked.len());
    assert!(tally.violations.is_empty(), "{} violations", tally.violations.len());
    let named = ["GISHIKI_SWEEP", "GISHIKI_SWEEP_POINT"].map(std::env::var_os);
    let fired: usize = tally.faults.iter().map(|((_, fired), count)| fired * count).sum();
    assert!(
        named.iter().any(Option::is_some) || fired * 10 >= asked.len() * 9,
        "{fired} faults in {} points",
        asked.len()
    );
}
