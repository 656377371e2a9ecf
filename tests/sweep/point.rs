//! The points of the sweep: every place where something can fail, and which are taken.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use super::scene::Scene;
use super::words;
use crate::support::{faulty_module, text};

/// Which faults a number stands for follows from this and the number alone.
pub(crate) const SEED: u64 = 0x6769_7368_696b_6912;

/// Something that goes wrong once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// At a system call of the program, as strace counts them: killed, or this error.
    System { call: String, number: usize, how: String },
    /// At a call of the token's module, as the faulty module writes it.
    Module(String),
}

/// One point: what goes wrong in the first session, in the one after it, in the third.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) number: usize,
    pub(crate) faults: Vec<Fault>,
    /// A module that fails so for good: then it is given up, as the words say.
    pub(crate) for_good: bool,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let good = if self.for_good { ", for good" } else { "" };
        write!(f, "point {}{good}: {:?}", self.number, self.faults)
    }
}

/// Errors that a file's calls are given.
const ERRORS: [(&str, &[&str]); 22] = [
    ("openat", &["EIO", "EROFS", "ENOSPC"]),
    ("open", &["EIO", "EROFS"]),
    ("write", &["EIO", "ENOSPC"]),
    ("pwrite64", &["EIO", "ENOSPC"]),
    ("read", &["EIO"]),
    ("pread64", &["EIO"]),
    ("fsync", &["EIO", "ENOSPC"]),
    ("fdatasync", &["EIO", "ENOSPC"]),
    ("syncfs", &["EIO"]),
    ("rename", &["EIO", "EROFS", "ENOSPC"]),
    ("renameat", &["EIO", "EROFS", "ENOSPC"]),
    ("renameat2", &["EIO", "EROFS", "ENOSPC"]),
    ("mkdir", &["EIO", "EROFS", "ENOSPC"]),
    ("unlink", &["EIO", "EROFS"]),
    ("unlinkat", &["EIO", "EROFS"]),
    ("ftruncate", &["EIO", "ENOSPC"]),
    ("chmod", &["EIO", "EROFS"]),
    ("statx", &["EIO"]),
    ("getdents64", &["EIO"]),
    ("flock", &["EIO"]),
    ("lseek", &["EIO"]),
    ("close", &["EIO"]),
];

/// What a module's call is given: a kill, or a return value with the call made or not.
const OF_MODULE: [&str; 9] = [
    "kill-before",
    "kill-after",
    "error=30", // CKR_DEVICE_ERROR
    "error-after=30",
    "error=32",       // CKR_DEVICE_REMOVED
    "error-after=31", // CKR_DEVICE_MEMORY
    "error=5",        // CKR_GENERAL_ERROR
    "error=101",      // CKR_USER_NOT_LOGGED_IN
    "error=b3",       // CKR_SESSION_HANDLE_INVALID
];

/// Every fault of one ceremony.
pub(crate) struct Universe {
    system: Vec<Fault>,
    module: Vec<Fault>,
    /// The names of the module's functions that were called.
    functions: Vec<String>,
    /// The function of each call.
    calls: Vec<String>,
    /// The system call of each fault, as strace prints it.
    lines: Vec<String>,
}

impl fmt::Display for Universe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (system, module) = (self.system.len(), self.module.len());
        write!(f, "{system} faults of system calls, {module} of the module's")
    }
}

impl Universe {
    /// Counts the calls of a whole run.
    pub(crate) fn of(scene: &Scene) -> Self {
        let history = scene.before.copy();
        let (log, traced) = (history.folder().join("calls"), history.folder().join("strace"));
        let mut command = history.command("run", &scene.plan, &faulty_module(), words::BEGINS);
        command.env("FAULTY_LOG", &log);
        let output = words::counted(&history, &command, &traced);
        assert!(output.status.success(), "{}: {}", scene.ceremony, text(&output));
        let log = fs::read_to_string(log).unwrap();
        let calls: Vec<&str> = log.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
        let numbers = 1..=calls.len();
        let module = numbers.flat_map(|n| OF_MODULE.map(|how| Fault::Module(format!("{n}:{how}"))));
        let calls: Vec<String> = calls.iter().map(|call| call.to_string()).collect();
        let mut functions = calls.clone();
        functions.sort();
        functions.dedup();
        let traced = fs::read_to_string(traced).unwrap();
        let (system, lines) = system_faults(&traced).into_iter().unzip();
        Self { system, module: module.collect(), functions, calls, lines }
    }

    /// Every fault at every call of one of the module's functions, or at every system call that has
    /// all of these words, as strace prints it; each alone.
    pub(crate) fn at(&self, place: &str) -> Vec<Point> {
        let calls = (1..).zip(&self.calls).filter(|(_, call)| *call == place);
        let faults = calls.flat_map(|(n, _)| OF_MODULE.map(|how| format!("{n}:{how}")));
        let on = self.system.iter().zip(&self.lines);
        let on = on.filter(|(_, line)| place.split(' ').all(|word| line.contains(word)));
        let faults = faults.map(Fault::Module).chain(on.map(|(fault, _)| fault.clone()));
        let point = |(number, fault)| Point { number, faults: vec![fault], for_good: false };
        faults.enumerate().map(point).collect()
    }
}

/// Every call of the main thread, from where the program's own code begins.
fn system_faults(traced: &str) -> Vec<(Fault, String)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let main = traced.split_whitespace().next().unwrap();
    let (mut begun, mut faults) = (false, Vec::new());
    for line in traced.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let Some((call, arguments)) = rest.trim_start().split_once('(') else { continue };
        if thread != main || !call.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            continue;
        }
        let number = counts.entry(call).or_default();
        *number += 1;
        begun |= call == "prctl" && arguments.contains("PR_SET_DUMPABLE");
        // What the faulty module notes of signatures is the test's, not the program's.
        let ours = arguments.contains("/signed-") || arguments.contains("/calls");
        if !begun || ours || call == "exit_group" {
            continue;
        }
        let known = ERRORS.iter().find(|(name, _)| *name == call);
        let errors = known.map_or(&[][..], |(_, errors)| errors).iter().copied();
        for how in ["KILL"].into_iter().chain(errors) {
            let (call, how) = (call.to_string(), how.to_string());
            faults.push((Fault::System { call, number: *number, how }, rest.to_string()));
        }
    }
    faults
}

/// A number that looks like chance (SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut z = SEED.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One of these, by a number that walks through all of them before any comes again.
fn nth<T: Clone>(of: &[T], number: usize) -> T {
    let (length, half) = (of.len(), of.len() * 5 / 8 + 1);
    let step = (half..).find(|step| gcd(*step, length) == 1).unwrap();
    of[number.wrapping_mul(step) % length].clone()
}

const fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Point {
    /// The point with this number. Of ten in a ceremony five are one fault, three are two, one is
    /// three, and one is a module that fails at one of its functions for good.
    pub(crate) fn of(number: usize, scenes: usize, universe: &Universe) -> Self {
        let turn = number / scenes;
        let chance = |salt: usize| mixed((number * 8 + salt) as u64) as usize;
        let any = |salt: usize| match chance(salt) % 2 {
            0 => nth(&universe.module, chance(salt + 1)),
            _ => nth(&universe.system, chance(salt + 1)),
        };
        let single = turn / 10 * 5 + turn % 10;
        let faults = match turn % 10 {
            0..=4 if single.is_multiple_of(2) => vec![nth(&universe.module, single / 2)],
            0..=4 => vec![nth(&universe.system, single / 2)],
            5..=7 => vec![any(0), any(2)],
            8 => vec![any(0), any(2), any(4)],
            _ => {
                let function = nth(&universe.functions, turn / 10);
                let how = OF_MODULE[2 + chance(0) % (OF_MODULE.len() - 2)];
                vec![Fault::Module(format!("{function}#*:{how}"))]
            }
        };
        Self { number, faults, for_good: turn % 10 == 9 }
    }
}
