//! The figures of `docs/performance.md`, each as a ratio of things measured in one run on one disk.
//!
//! `cargo bench` prints them. It needs softhsm2 and faketime. With `--cold` it also builds the
//! release from nothing; with `--small` each is measured once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a measurement stops where it fails, and prints"
)]

mod softhsm;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ceremony::key::{Curve, PublicKey, Signature, Verifier};
use p384::ecdsa::SigningKey;
use p384::ecdsa::signature::hazmat::PrehashSigner as _;
use softhsm::{GISHIKI, Place, parts, sized, timed, unavoidable};

/// Signatures of the first ceremony: the root and 104 CRLs; head and seal are P-256 and counted
/// apart.
const DIGESTS: usize = 105;
/// Its sheets: the root's, and two of CRLs.
const SHEETS: usize = 3;

/// How often each is measured.
fn rounds() -> usize {
    sized(15, 1)
}

fn main() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let plan = root.join("ceremony-plans/mdoc-root/2026-04-genesis");
    whole_processes(&plan);
    both_verifiers();
    on_softhsm(&plan);
    crates(&root);
    if parts().iter().any(|part| part == "--cold") {
        cold_build(&root);
    }
}

/// Medians of whole processes.
fn whole_processes(plan: &Path) {
    for command in ["check", "graph"] {
        let median = median(rounds(), || timed(Command::new(GISHIKI).arg(command).arg(plan)));
        println!("{command}, whole process: {median:.1?} (asked: under 20 ms)");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut round = 0;
    let rehearsal = median(rounds(), || {
        round += 1;
        let out = folder.path().join(round.to_string());
        timed(Command::new(GISHIKI).arg("rehearse").arg(plan).arg("--out").arg(out))
    });
    println!("rehearsal with 104 CRLs, whole process: {rehearsal:.1?} (asked: under 1 s)");
}

/// Signatures a second that each verifier verifies, in turns.
fn both_verifiers() {
    let key = SigningKey::from_slice(&[0x5a; 48]).unwrap();
    let public = key.verifying_key().to_sec1_point(false);
    let public = PublicKey::from_point(Curve::P384, public.as_bytes()).unwrap();
    let message = |number: usize| [vec![0; 700], number.to_be_bytes().to_vec()].concat();
    let sign = |number: usize| {
        let digest = Curve::P384.digest(&message(number));
        let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
        Signature::from_raw(Curve::P384, &signature.to_bytes()).unwrap()
    };
    let signed: Vec<_> = (0..200).map(|number| (message(number), sign(number))).collect();
    let verify = |verifier| {
        let begin = Instant::now();
        for (message, signature) in &signed {
            public.verify(message, signature, verifier).unwrap();
        }
        signed.len() as f64 / begin.elapsed().as_secs_f64()
    };
    let rows = (0..rounds()).map(|_| (verify(Verifier::RustCrypto), verify(Verifier::fastest())));
    let mut rows: Vec<(f64, f64)> = rows.collect();
    rows.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
    let (plain, fast) = rows[rows.len() / 2];
    println!(
        "P-384 signatures verified a second: RustCrypto {plain:.0}, {:?} {fast:.0}: {:.2} ×",
        Verifier::fastest(),
        fast / plain
    );
}

/// A run on SoftHSM2 against the work that nobody can avoid, in turns, on the same token and disk.
fn on_softhsm(plan: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let mut ratios = Vec::new();
    let mut fixed_ratios = Vec::new();
    let mut raw_ratios = Vec::new();
    let mut rows = Vec::new();
    for round in 0..rounds() {
        let place = Place::new(&folder.path().join(round.to_string()));
        // What the disk still owes to the round before is not this round's.
        timed(&mut Command::new("sync"));
        let run = place.drill(plan, "2026-04-01 01:30:00");
        let bare = unavoidable(&place, DIGESTS, SHEETS);
        let least = bare.least();
        ratios.push(run.as_secs_f64() / least.as_secs_f64());
        fixed_ratios.push(run.as_secs_f64() / (least + bare.fixed).as_secs_f64());
        raw_ratios.push(run.as_secs_f64() / bare.signing.as_secs_f64());
        rows.push((run, bare));
    }
    for (run, bare) in rows {
        println!(
            "  run {run:.1?}; signing {:.1?}, verifying {:.1?}, syncing {:.1?}; opening the token and making two keys {:.1?}",
            bare.signing, bare.verifying, bare.syncing, bare.fixed
        );
    }
    ratios.sort_by(f64::total_cmp);
    fixed_ratios.sort_by(f64::total_cmp);
    raw_ratios.sort_by(f64::total_cmp);
    let middle = ratios.len() / 2;
    println!(
        "run on SoftHSM2, whole process: {:.2} × (signing + one verification each by p384 + one synced intent and result a \
         sheet); min {:.2}, max {:.2} (asked: at most 1.10)",
        ratios[middle],
        ratios[0],
        ratios[ratios.len() - 1]
    );
    println!(
        "run on SoftHSM2, whole process: {:.2} × the same and a process that opens the token and makes two keys",
        fixed_ratios[middle]
    );
    println!(
        "run on SoftHSM2, whole process: {:.2} × raw signing alone; min {:.2}, max {:.2} (asked: at most 1.8)",
        raw_ratios[middle],
        raw_ratios[0],
        raw_ratios[raw_ratios.len() - 1]
    );
}

/// What the core stands on.
fn crates(root: &Path) {
    let tree = Command::new("cargo")
        .current_dir(root)
        .args([
            "tree",
            "-p",
            "ceremony",
            "-e",
            "normal,no-proc-macro",
            "--prefix",
            "none",
            "--no-dedupe",
        ])
        .output()
        .unwrap();
    let names: std::collections::BTreeSet<String> = String::from_utf8(tree.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(String::from))
        .collect();
    println!("crates in the core without proc-macros: {} (asked: under 60)", names.len());
}

fn cold_build(root: &Path) {
    let target = tempfile::tempdir().unwrap();
    let mut build = Command::new("cargo");
    build.current_dir(root).args(["build", "--release"]).env("CARGO_TARGET_DIR", target.path());
    println!(
        "cargo build --release, cold: {:.0?} (asked: under 3 minutes on 2 cores)",
        timed(&mut build)
    );
}

fn median(rounds: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut taken: Vec<Duration> = (0..rounds).map(|_| measure()).collect();
    taken.sort();
    taken[rounds / 2]
}
