//! Seeds, and the tests: many seeds, one seed twice, and the reduced seeds that found a bug.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::checker::Met;
use super::faults::{Fault, Numbers};
use super::scenes::{PASSED, SCENES, firsts};
use super::sessions::Ending;
use super::{History, history};

/// The number of seeds that are tried by default.
const SEEDS: u64 = 5_000;

/// The scene and the faults of a seed: a CA's first ceremony two times in three.
fn of_seed(seed: u64) -> (usize, Vec<Fault>) {
    let mut numbers = Numbers::of(seed);
    let scenes: Vec<usize> = match numbers.below(3) {
        0 => (0..SCENES.len()).collect(),
        _ => firsts(),
    };
    let all = u32::try_from(scenes.len()).unwrap();
    let scene = scenes[usize::try_from(numbers.below(all)).unwrap()];
    let passed = &PASSED[scene];
    let faults = numbers.faults(|site| passed.get(&site).copied().unwrap_or_default());
    (scene, faults)
}

/// Returns the fewest of these faults with which an invariant is still broken.
fn shrunk(scene: usize, mut faults: Vec<Fault>) -> Vec<Fault> {
    let mut number = 0;
    while number < faults.len() {
        let mut fewer = faults.clone();
        fewer.remove(number);
        if history(scene, &fewer).found.is_empty() {
            number += 1;
        } else {
            faults = fewer;
        }
    }
    faults
}

/// Returns the report of a seed that broke an invariant.
fn report(seed: u64) -> String {
    let (scene, faults) = of_seed(seed);
    let faults = shrunk(scene, faults);
    let History { ending, found, trace, .. } = history(scene, &faults);
    let name = &SCENES[scene].name;
    let told: Vec<String> = trace
        .into_iter()
        .filter(|line| {
            ["fault", "session", "says", "Err", "ended"].iter().any(|w| line.starts_with(w))
        })
        .filter(|line| !line.starts_with("says ["))
        .map(|line| line.chars().take(300).collect())
        .collect();
    format!(
        "seed {seed}: {name} with {faults:?} is {ending:?}\n  {}\n    {}",
        found.join("\n  "),
        told.join("\n    ")
    )
}

/// Tries these seeds on every processor: how many histories ended how, and the seeds that found
/// something.
fn tried(seeds: std::ops::Range<u64>) -> (BTreeMap<Ending, u64>, Vec<u64>, BTreeMap<Met, u64>) {
    let next = AtomicU64::new(seeds.start);
    let found = Mutex::new((BTreeMap::new(), Vec::new(), BTreeMap::new()));
    // Made before any thread is in a world.
    assert_eq!(PASSED.len(), SCENES.len());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let (scene, faults) = of_seed(seed);
                    let history = history(scene, &faults);
                    let mut found = found.lock().unwrap();
                    *found.0.entry(history.ending).or_insert(0) += 1;
                    if !history.found.is_empty() {
                        found.1.push(seed);
                    }
                    for (met, count) in history.met {
                        *found.2.entry(met).or_insert(0) += u64::from(count);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn asked() -> u64 {
    std::env::var("GISHIKI_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap())
}

#[test]
fn no_seed_breaks_an_invariant() {
    let first = std::env::var("GISHIKI_SEED").map_or(0, |seed| seed.parse().unwrap());
    let (endings, mut found, met) = tried(first..first + asked());
    println!("endings: {endings:?}; met: {met:?}");
    found.sort_unstable();
    let shown: Vec<String> = found.iter().take(10).map(|seed| report(*seed)).collect();
    assert!(found.is_empty(), "{} seeds: {found:?}\n{}", found.len(), shown.join("\n\n"));
    assert!(!endings.contains_key(&Ending::None));
}

#[test]
fn without_faults_every_ceremony_is_completed() {
    for scene in 0..SCENES.len() {
        let history = history(scene, &[]);
        assert_eq!(history.found, Vec::<String>::new(), "{}", SCENES[scene].name);
        assert_eq!(history.ending, Ending::Completed, "{}", SCENES[scene].name);
    }
}

#[test]
fn a_seed_gives_the_same_history_twice() {
    assert_eq!(PASSED.len(), SCENES.len());
    for seed in 0..24 {
        let (scene, faults) = of_seed(seed);
        let [a, b] = [history(scene, &faults), history(scene, &faults)];
        assert!(a.trace == b.trace && a.found == b.found, "{seed}: {faults:?}");
    }
}
