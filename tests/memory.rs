//! Lack of memory: whatever the limit, a command ends with an exit code of the table and says why,
//! and a ceremony goes on afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::activation::{attempt, dealt, given};
use crate::kill::small_ca;
use crate::support::{
    Drill, GISHIKI, LATER, copy, genesis, genesis_golden, root, run, succeed, text,
};

/// The exit code of a process that was refused memory.
const REFUSED: i32 = 71;

/// This command with so many octets of address space.
fn limited(command: &Command, octets: u64) -> Command {
    let mut limited = Command::new("prlimit");
    limited.arg(format!("--as={octets}")).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    // A backtrace of a refusal is of no use, and takes its time.
    limited.env("RUST_BACKTRACE", "0");
    limited
}

/// The least address space that the system begins the program in, to 64 KiB: with less, the loader
/// or the kernel ends it, and not one line of it has run.
fn least() -> u64 {
    let begins = |octets| {
        let version = limited(Command::new(GISHIKI).arg("--version"), octets).output().unwrap();
        version.status.success()
    };
    let (mut without, mut with) = (1 << 20, 1 << 30);
    assert!(begins(with) && !begins(without));
    while with - without > 64 << 10 {
        let middle = without.midpoint(with);
        if begins(middle) { with = middle } else { without = middle }
    }
    with
}

/// An end of the table: no signal, no abort, no code that it does not have, and no bug.
fn ends_in_the_table(output: &Output, what: &str) -> i32 {
    let said = text(output);
    let code = output.status.code().unwrap_or_else(|| panic!("{what}: {}: {said}", output.status));
    assert!(matches!(code, 0..=9 | REFUSED), "{what}: {code}: {said}");
    // The standard library panics where it is refused the memory to begin a thread: no bug of ours.
    // The thread that has its answer meanwhile may end the process first, with that answer's code.
    let is_of_std = said.contains("failed to allocate an alternative stack");
    assert!(is_of_std || !said.contains("panicked"), "{what}: {said}");
    assert!(code == 0 || !said.is_empty(), "{what}: {code} without a word");
    code
}

/// From the least space up to what is enough, in steps that grow.
fn sweep(least: u64, most: u64) -> impl Iterator<Item = u64> {
    let grow = |step: &u64| Some(step + (step / 3).max(128 << 10));
    let steps = std::iter::successors(Some(0), grow);
    steps.map(move |step| least + step).take_while(move |octets| *octets < most)
}

fn command(arguments: &[&str]) -> Command {
    let mut command = crate::support::gishiki();
    command.args(arguments);
    command
}

/// Sealed folders that somebody made to be expensive.
fn hostile(folder: &Path) -> Vec<PathBuf> {
    let made = |name: &str, change: &dyn Fn(&Path)| {
        let out = folder.join(name);
        copy(&genesis_golden(), &out);
        change(&out);
        out
    };
    let sparse = |path: PathBuf, size: u64| fs::File::create(path).unwrap().set_len(size).unwrap();
    let transcript = fs::read_to_string(genesis_golden().join("transcript.jsonl")).unwrap();
    let first = transcript.lines().next().unwrap();
    vec![
        // 64 MiB that cost nobody anything.
        made("sparse-transcript", &|out| sparse(out.join("transcript.jsonl"), 64 << 20)),
        made("sparse-files", &|out| {
            (0..400).for_each(|n| sparse(out.join(format!("x{n:04}.crl")), 1 << 26));
        }),
        made("many-lines", &|out| {
            fs::write(out.join("transcript.jsonl"), "1\n".repeat(1_000_000)).unwrap();
        }),
        made("many-records", &|out| {
            let lines = format!("{first}\n").repeat((60 << 20) / first.len());
            fs::write(out.join("transcript.jsonl"), lines).unwrap();
        }),
        made("long-record", &|out| {
            fs::write(out.join("transcript.jsonl"), format!("[{}1]\n", "1,".repeat(400_000)))
                .unwrap();
        }),
        made("deep-folders", &|out| {
            let deep: PathBuf = std::iter::repeat_n("inputs", 400).collect();
            fs::create_dir_all(out.join(deep)).unwrap();
        }),
        made("large-plan", &|out| {
            fs::write(out.join("inputs/plan.toml"), "x = [\n".repeat(20_000)).unwrap();
        }),
        made("large-bundle", &|out| {
            let bundle = format!("{{\"x\":[{}1]}}\n", "1,".repeat(8 << 20));
            fs::write(out.join("transcript.sigstore.json"), bundle).unwrap();
        }),
    ]
}

#[test]
fn whatever_the_memory_every_command_ends_with_a_code_of_the_table() {
    let least = least();
    let folder = tempfile::tempdir().unwrap();
    let genesis = genesis().display().to_string();
    let golden = genesis_golden().display().to_string();
    let ledger = root().join("golden/mdoc-root").display().to_string();
    let renewal = root().join("ceremony-plans/mdoc-root/2026-09-renewal").display().to_string();
    let (certificate, crl) =
        (format!("{golden}/root-g1.der"), format!("{golden}/crl-g1-2026-04-01.crl"));
    let mut commands = vec![
        command(&["check", &genesis]),
        command(&["check", &renewal]),
        command(&["graph", &genesis]),
        command(&["script", &genesis]),
        command(&["diff", &genesis, &renewal]),
        command(&["verify", &golden, "--rehearsal"]),
        command(&["state", &ledger]),
        command(&[
            "validate",
            "--rehearsal",
            "--root",
            &certificate,
            "--crl",
            &crl,
            "--at",
            "2026-04-02T00:00:00+09:00",
            &certificate,
        ]),
    ];
    let hostile = hostile(folder.path());
    for out in &hostile {
        let out = out.to_str().unwrap();
        commands.push(command(&["verify", out, "--rehearsal"]));
    }
    let large = hostile[7].join("transcript.sigstore.json").display().to_string();
    commands.push(command(&["validate", "--root", &large, "--at", "2026-04-02T00:00:00Z", &large]));
    let (mut ended, mut refused) = (0, 0);
    for command in &commands {
        let what = format!("{command:?}");
        let unlimited = ends_in_the_table(&run(&mut limited(command, 4 << 30)), &what);
        assert_ne!(unlimited, REFUSED, "{what}");
        for octets in sweep(least, least + (400 << 20)) {
            let output = run(&mut limited(command, octets));
            let code = ends_in_the_table(&output, &format!("{what} in {octets}"));
            ended += 1;
            refused += usize::from(code == REFUSED);
            if code == unlimited && octets > least + (8 << 20) {
                break;
            }
            let said = text(&output);
            // As Rust's allocator, Rust's threads and the C library say it.
            let words = ["memory allocation of", "failed to allocate", "out of memory"];
            let is_said = words.iter().any(|words| said.contains(words));
            assert!(code != REFUSED || is_said, "{what}: {said}");
        }
    }
    println!("{ended} ends from {least} octets on, {refused} of them without memory");
    assert!(refused > 20, "{refused}");
}

/// A ceremony that is refused memory, or whose token's module is, goes on with more of it.
#[test]
fn a_ceremony_that_runs_out_of_memory_goes_on() {
    let least = least();
    let base = Drill::new();
    let (mut codes, mut goes_on) = (Vec::new(), 0);
    for octets in sweep(least, least + (200 << 20)) {
        let drill = base.copy();
        let plan = small_ca(&drill.path("ca"));
        let pin = || fs::File::open(drill.path("pin")).unwrap();
        let output = run(limited(&drill.run_command(&plan), octets).stdin(pin()));
        // faketime and the module's libraries are the loader's, too.
        if output.status.code().is_none_or(|code| code == 127) && codes.is_empty() {
            continue;
        }
        let code = ends_in_the_table(&output, &format!("run in {octets}"));
        codes.push(code);
        if code == 0 {
            break;
        }
        // Where a record is durable it is resumed, with as little memory, then with enough.
        let begun = fs::read(drill.path("A/journal.jsonl")).is_ok_and(|o| o.contains(&b'\n'));
        if !begun {
            succeed(&mut drill.run_command(&plan));
            continue;
        }
        goes_on += 1;
        let again = run(limited(&drill.resume_command(LATER), octets).stdin(pin()));
        ends_in_the_table(&again, &format!("resume in {octets}"));
        if !again.status.success() {
            succeed(&mut drill.resume_command("2026-04-01 04:00:00"));
        }
        assert!(drill.verify().contains("drill, consistent"));
    }
    println!("{codes:?}, {goes_on} went on");
    assert!(codes.contains(&REFUSED) && codes.last() == Some(&0), "{codes:?}");
}

/// Shares that are put together with little memory: an end of the table, no word of them in what is
/// said, and no login that the token would count.
#[test]
fn shares_in_little_memory_end_in_the_table_too() {
    let least = least();
    let drill = Drill::new();
    let shares = dealt(&drill, 2, 3);
    let lines = [shares[2].as_str(), &shares[0]];
    let mut codes = Vec::new();
    for octets in sweep(least, least + (200 << 20)) {
        let output = given(limited(&attempt(&drill), octets), &lines);
        // The module's libraries are the loader's, too.
        if output.status.code().is_none_or(|code| code == 127) && codes.is_empty() {
            continue;
        }
        codes.push(ends_in_the_table(&output, &format!("try in {octets}")));
        let said = text(&output);
        assert!(shares.iter().all(|share| !said.contains(&share[..16])), "{said}");
        if output.status.success() {
            break;
        }
    }
    assert!(codes.len() > 3 && codes.last() == Some(&0), "{codes:?}");
}
