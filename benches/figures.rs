//! The figures of `docs/performance.md`, each as a ratio of things measured in one run on one disk.
//!
//! `cargo bench` prints them. It needs softhsm2 and faketime. With `--cold` it also builds the
//! release from nothing.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement stops where it fails, and prints"
)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType};
use cryptoki::session::UserType;
use cryptoki::types::AuthPin;
use p384::ecdsa::signature::hazmat::PrehashVerifier as _;
use p384::ecdsa::{Signature, VerifyingKey};

const GISHIKI: &str = env!("CARGO_BIN_EXE_gishiki");
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// Preloaded: its command would add a process.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const PIN: &str = "bench-pin";
/// Signatures of the first ceremony: the root and 104 CRLs; head and seal are P-256 and counted
/// apart.
const DIGESTS: usize = 105;
/// Its sheets: the root's, and two of CRLs.
const SHEETS: usize = 3;
const ROUNDS: usize = 9;

fn main() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let plan = root.join("ceremony-plans/mdoc-root/2026-04-genesis");
    whole_processes(&plan);
    on_softhsm(&plan);
    crates(&root);
    if std::env::args().any(|argument| argument == "--cold") {
        cold_build(&root);
    }
}

/// Medians of whole processes.
fn whole_processes(plan: &Path) {
    for command in ["check", "graph"] {
        let median = median(ROUNDS, || timed(Command::new(GISHIKI).arg(command).arg(plan)));
        println!("{command}, whole process: {median:.1?} (asked: under 20 ms)");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut round = 0;
    let rehearsal = median(ROUNDS, || {
        round += 1;
        let out = folder.path().join(round.to_string());
        timed(Command::new(GISHIKI).arg("rehearse").arg(plan).arg("--out").arg(out))
    });
    println!("rehearsal with 104 CRLs, whole process: {rehearsal:.1?} (asked: under 1 s)");
}

/// A run on SoftHSM2 against the work that nobody can avoid, in turns, on the same token and disk.
fn on_softhsm(plan: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let mut ratios = Vec::new();
    let mut fixed_ratios = Vec::new();
    let mut raw_ratios = Vec::new();
    let mut rows = Vec::new();
    for round in 0..ROUNDS {
        let place = folder.path().join(round.to_string());
        fs::create_dir(&place).unwrap();
        let run = drill(plan, &place);
        let bare = unavoidable(&place);
        let least = bare.signing + bare.verifying + bare.syncing;
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
    let middle = ROUNDS / 2;
    println!(
        "run on SoftHSM2, whole process: {:.2} × (signing + one verification each + one synced intent and result a \
         sheet); min {:.2}, max {:.2} (asked: at most 1.10)",
        ratios[middle],
        ratios[0],
        ratios[ROUNDS - 1]
    );
    println!(
        "run on SoftHSM2, whole process: {:.2} × the same and a process that opens the token and makes two keys",
        fixed_ratios[middle]
    );
    println!("run on SoftHSM2, whole process: {:.2} × raw signing alone", raw_ratios[middle]);
}

/// Holds the whole ceremony as a drill on a fresh token; how long it took.
fn drill(plan: &Path, place: &Path) -> Duration {
    let tokens = place.join("tokens");
    fs::create_dir(&tokens).unwrap();
    let conf = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    let conf_path = place.join("softhsm2.conf");
    fs::write(&conf_path, conf).unwrap();
    let init = Command::new("softhsm2-util")
        .env("SOFTHSM2_CONF", &conf_path)
        .args([
            "--init-token",
            "--free",
            "--label",
            "DRILL bench",
            "--so-pin",
            "bench-so-pin",
            "--pin",
            PIN,
        ])
        .output()
        .unwrap();
    assert!(init.status.success());
    let slots = Command::new("softhsm2-util")
        .env("SOFTHSM2_CONF", &conf_path)
        .arg("--show-slots")
        .output()
        .unwrap();
    let slots = String::from_utf8(slots.stdout).unwrap();
    let serial =
        slots.lines().find_map(|line| line.trim().strip_prefix("Serial number:")).unwrap().trim();
    let digest = ceremony::hex::Digest::of(&fs::read(MODULE).unwrap());
    let room = format!(
        "format = 1\ndrill = true\nterminal = \"bench\"\n[token]\nmodule = \"{MODULE}\"\nsha256 = \"{digest}\"\n\
         serial = \"{serial}\"\n"
    );
    fs::write(place.join("room.toml"), room).unwrap();
    fs::write(place.join("answers.toml"), "default = \"as-planned\"\n").unwrap();
    fs::write(place.join("pin"), PIN).unwrap();
    let mut command = Command::new(GISHIKI);
    command.env("LD_PRELOAD", FAKETIME).env("FAKETIME", "@2026-04-01 01:30:00");
    command.arg("run").arg(plan);
    command.env("TZ", "UTC").env("SOFTHSM2_CONF", &conf_path).current_dir(place);
    command.args(["--room", "room.toml", "--journal", "A", "--journal", "B", "--out", "out"]);
    command.args(["--answers", "answers.toml", "--pin-fd", "0"]);
    command.stdin(fs::File::open(place.join("pin")).unwrap());
    timed(&mut command)
}

/// What the bare module needs for the same work.
struct Bare {
    /// As many digests signed.
    signing: Duration,
    /// Each signature verified once.
    verifying: Duration,
    /// One synced intent and result a sheet, on two files.
    syncing: Duration,
    /// Loading the module, logging in, and making two key pairs.
    fixed: Duration,
}

/// The same number of digests signed raw, verified once each, and one synced intent and result on
/// two files a sheet.
fn unavoidable(place: &Path) -> Bare {
    let begin = Instant::now();
    let module = Pkcs11::new(MODULE).unwrap();
    // SoftHSM reads SOFTHSM2_CONF when it is initialised; every round finalises it again.
    let conf = place.join("softhsm2.conf");
    with_environment("SOFTHSM2_CONF", &conf, || {
        module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    });
    let slot = module.get_slots_with_initialized_token().unwrap()[0];
    let session = module.open_rw_session(slot).unwrap();
    session.login(UserType::User, Some(&AuthPin::new(PIN.into()))).unwrap();
    let make = || {
        let parameters = vec![0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
        session
            .generate_key_pair(
                &Mechanism::EccKeyPairGen,
                &[Attribute::EcParams(parameters), Attribute::Token(true)],
                &[Attribute::Token(true), Attribute::Sign(true)],
            )
            .unwrap()
    };
    make();
    let (public, private) = make();
    let fixed = begin.elapsed();
    let point = session.get_attributes(public, &[AttributeType::EcPoint]).unwrap();
    let Some(Attribute::EcPoint(point)) = point.into_iter().next() else { panic!("no point") };
    let key = VerifyingKey::from_sec1_bytes(&point[2..]).unwrap();
    let digests: Vec<[u8; 48]> = (0..DIGESTS).map(|i| [u8::try_from(i).unwrap(); 48]).collect();
    let begin = Instant::now();
    let signatures: Vec<Vec<u8>> = digests
        .iter()
        .map(|digest| session.sign(&Mechanism::Ecdsa, private, digest).unwrap())
        .collect();
    let signing = begin.elapsed();
    let begin = Instant::now();
    for (digest, signature) in digests.iter().zip(&signatures) {
        key.verify_prehash(digest, &Signature::from_slice(signature).unwrap()).unwrap();
    }
    let verifying = begin.elapsed();
    let line = vec![b'x'; 200 * DIGESTS / SHEETS];
    let begin = Instant::now();
    for _ in 0..2 * SHEETS {
        for medium in ["one", "other"] {
            let mut file =
                OpenOptions::new().append(true).create(true).open(place.join(medium)).unwrap();
            file.write_all(&line).unwrap();
            file.sync_data().unwrap();
        }
    }
    let syncing = begin.elapsed();
    drop(session);
    module.finalize().unwrap();
    Bare { signing, verifying, syncing, fixed }
}

#[expect(unsafe_code, reason = "SoftHSM takes its configuration from the environment only")]
fn with_environment(name: &str, value: &Path, then: impl FnOnce()) {
    // SAFETY: this program has one thread.
    unsafe { std::env::set_var(name, value) };
    then();
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

fn timed(command: &mut Command) -> Duration {
    let begin = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let taken = begin.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    taken
}

fn median(rounds: usize, mut measure: impl FnMut() -> Duration) -> Duration {
    let mut taken: Vec<Duration> = (0..rounds).map(|_| measure()).collect();
    taken.sort();
    taken[rounds / 2]
}
