//! What surrounds a run: media that are full or may not be written, clocks that are wrong or jump,
//! another time zone, files that change during it. Each run either stops in a named state and can
//! be resumed, or goes on undisturbed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::kill::small_ca;
use crate::support::{
    Drill, LATER, at_time, complete, copy, files, genesis_golden, gishiki, records, run, succeed,
    text,
};

fn planned(drill: &Drill) -> PathBuf {
    small_ca(&drill.path("ca"))
}

/// This command under strace, which injects a fault where the filter says.
fn injected(command: &Command, drill: &Drill, filter: &[&str], on: Option<&Path>) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-o", "/dev/null"]);
    if let Some(on) = on {
        traced.arg("-P").arg(on);
    }
    for filter in filter {
        traced.arg("-e").arg(filter);
    }
    // For the run alone: strace measures its delays by a clock that nobody bends.
    for (name, value) in command.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value.and_then(|v| v.to_str())) {
            traced.arg("-E").arg(format!("{name}={value}"));
        }
    }
    traced.arg(command.get_program()).args(command.get_args());
    traced.stdin(fs::File::open(drill.path("pin")).unwrap());
    traced
}

/// Stopped with no output, in the way that can be resumed, or before anything was begun; what it
/// said.
fn interrupted(output: &Output, drill: &Drill, rule: &str) -> String {
    let said = text(output);
    let code = if begun(drill) { 6 } else { 5 };
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(rule) && !said.contains("panicked"), "{rule}: {said}");
    assert!(!drill.path("out").exists(), "{said}");
    said
}

/// Whether a record is durable on a medium.
fn begun(drill: &Drill) -> bool {
    let mut journals = ["A", "B"].iter().map(|medium| drill.path(medium).join("journal.jsonl"));
    journals.any(|journal| fs::read(journal).is_ok_and(|octets| octets.contains(&b'\n')))
}

fn resumed(drill: &Drill, time: &str) {
    succeed(&mut drill.resume_command(time));
    assert!(drill.verify().contains("drill, consistent"));
}

/// Loops over the writes to a journal until the fault no longer fires: every one with
/// `GISHIKI_ALL=1`, else one in nine.
#[test]
fn a_medium_that_fails_at_any_write_stops_the_run_and_it_resumes() {
    let base = Drill::new();
    let (step, mut fired) = (if complete() { 1 } else { 9 }, 0);
    for (file, error) in [("A/journal.jsonl", "ENOSPC"), ("B/after.jsonl", "EROFS")] {
        for number in (1..).step_by(step) {
            let drill = base.copy();
            let plan = planned(&drill);
            let filter = format!("inject=write:error={error}:when={number}");
            let command = drill.run_command(&plan);
            let on = drill.path(file);
            let filter = ["trace=write", filter.as_str()];
            let output = run(&mut injected(&command, &drill, &filter, Some(&on)));
            if output.status.success() {
                break;
            }
            let said = interrupted(&output, &drill, "S-JOURNAL");
            assert!(said.contains(&drill.path(&file[..1]).display().to_string()), "{said}");
            fired += 1;
            if begun(&drill) {
                resumed(&drill, LATER);
            } else {
                succeed(&mut drill.run_command(&plan));
            }
        }
    }
    println!("writes that failed: {fired}");
    assert!(fired >= 6, "{fired}");
}

/// A run whose first medium has so many pages, on a mount that this process alone sees; what it
/// holds is taken out before it is gone.
fn on_small_medium(drill: &Drill, plan: &Path, pages: usize) -> Output {
    fs::create_dir(drill.path("A")).unwrap();
    let script = format!(
        "mount -t tmpfs -o size={}k tmpfs A && \"$@\"; code=$?; cp -a A kept; exit $code",
        pages * 4
    );
    let command = drill.run_command(plan);
    let mut small = Command::new("unshare");
    small.current_dir(drill.folder.path());
    small.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh", "env"]);
    for (name, value) in command.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value.and_then(|v| v.to_str())) {
            small.arg(format!("{name}={value}"));
        }
    }
    small.arg(command.get_program()).args(command.get_args());
    let output = run(small.stdin(fs::File::open(drill.path("pin")).unwrap()));
    fs::remove_dir_all(drill.path("A")).unwrap();
    fs::rename(drill.path("kept"), drill.path("A")).unwrap();
    output
}

/// The medium is full at a page, and at the next, until all has room on it: lines are torn there.
#[test]
fn a_medium_that_is_full_tears_a_line_which_is_cut_off() {
    let base = Drill::new();
    let (mut full, mut torn) = (0, 0);
    for pages in 2.. {
        let drill = base.copy();
        let plan = planned(&drill);
        let output = on_small_medium(&drill, &plan, pages);
        if output.status.success() {
            break;
        }
        interrupted(&output, &drill, "S-JOURNAL");
        full += 1;
        let journal = fs::read(drill.path("A/journal.jsonl")).unwrap_or_default();
        if !begun(&drill) {
            // The inputs had no room: nothing was done.
            fs::remove_dir_all(drill.path("A")).unwrap();
            succeed(&mut drill.run_command(&plan));
            continue;
        }
        resumed(&drill, LATER);
        let found = records(&drill.path("out"));
        let cut = found.iter().find(|record| record["event"]["kind"] == "resumed");
        // A medium that is full only in the postscript leaves nothing to say in the transcript.
        let cut = cut.map_or(0, |record| record["event"]["torn"].as_u64().unwrap());
        assert_eq!(cut > 0, journal.last() != Some(&b'\n'), "{pages}: {cut}");
        torn += usize::from(cut > 0);
    }
    println!("media that were full: {full}, and tore a line: {torn}");
    assert!(full > 8 && torn > 3, "{full} {torn}");
}

#[test]
fn a_medium_that_may_not_be_written_stops_before_anything_is_done() {
    let drill = Drill::new();
    let plan = planned(&drill);
    let command = drill.run_command(&plan);
    // The journal is opened in its folder, whatever the path leads to by then.
    let on = drill.path("B");
    let filter = ["trace=openat", "inject=openat:error=EROFS:when=2"];
    let output = run(&mut injected(&command, &drill, &filter, Some(&on)));
    interrupted(&output, &drill, "S-JOURNAL");
    succeed(&mut drill.run_command(&plan));
    assert!(drill.verify().contains("drill, consistent"));
}

#[test]
fn a_clock_outside_the_window_begins_nothing() {
    let drill = Drill::new();
    let plan = planned(&drill);
    for time in ["1970-01-01 00:00:05", "2026-04-01 00:59:59", "2026-04-01 08:00:01"] {
        let mut command = drill.run_command(&plan);
        let output = run(command.env("FAKETIME", format!("@{time}")));
        assert!(matches!(output.status.code(), Some(5 | 6)), "{time}: {}", text(&output));
        assert!(text(&output).contains("S-WINDOW"), "{time}: {}", text(&output));
        assert!(!drill.path("out").exists() && !drill.path("A/journal.jsonl").exists(), "{time}");
    }
}

/// Runs with a delay at a write of the journal, in which `change` is made.
fn with_change(drill: &Drill, command: &mut Command, change: impl Fn()) -> Output {
    let journal = drill.path("A/journal.jsonl");
    let filter = ["trace=fdatasync", "inject=fdatasync:delay_exit=3000000:when=12"];
    let mut traced = injected(command, drill, &filter, Some(&journal));
    let child = traced.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = child.spawn().unwrap();
    let begun = Instant::now();
    let lines = || fs::read(&journal).map_or(0, |o| o.iter().filter(|c| **c == b'\n').count());
    let (mut seen, mut since) = (0, Instant::now());
    // The journal rests while the delay lasts.
    while seen < 12 || since.elapsed() < Duration::from_millis(700) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the run does not get so far");
        std::thread::sleep(Duration::from_millis(50));
        if lines() != seen {
            (seen, since) = (lines(), Instant::now());
        }
    }
    change();
    child.wait_with_output().unwrap()
}

/// A run whose clock jumps to this time.
fn jumped(drill: &Drill, time: &str) -> Output {
    let plan = planned(drill);
    let clock = drill.path("clock");
    fs::write(&clock, "@2026-04-01 01:30:00\n").unwrap();
    let mut command = drill.run_command(&plan);
    command.env_remove("FAKETIME").env("FAKETIME_TIMESTAMP_FILE", &clock);
    command.env("FAKETIME_NO_CACHE", "1");
    with_change(drill, &mut command, || fs::write(&clock, format!("@{time}\n")).unwrap())
}

#[test]
fn a_clock_that_jumps_stops_the_run() {
    // Back: nothing was recorded at that time, and with the right clock it goes on.
    let drill = Drill::new();
    let output = jumped(&drill, "2026-04-01 01:10:00");
    interrupted(&output, &drill, "S-TIME-BACK");
    resumed(&drill, LATER);
    // Past the window: that is recorded, and a record's time is never taken back. It can be closed
    // as aborted only, and without an audit key be abandoned.
    let drill = Drill::new();
    let output = jumped(&drill, "2026-04-02 01:30:00");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("S-WINDOW") && said.contains("gishiki abandon"), "{said}");
    interrupted(&run(&mut drill.resume_command(LATER)), &drill, "S-TIME-BACK");
    let mut abandon = gishiki();
    abandon.arg("abandon").arg("--journal").arg(drill.path("A"));
    abandon.arg("--journal").arg(drill.path("B")).arg("--out").arg(drill.path("out"));
    let said = succeed(&mut abandon);
    let journal = fs::read(drill.path("A/journal.jsonl")).unwrap();
    let digest = ceremony::hex::Digest::of(&journal).to_string();
    assert!(said.contains(&digest), "{said}");
}

/// What is on a medium that is no longer there would be on none that people take home.
#[test]
fn a_medium_that_is_replaced_stops_the_run_before_the_next_effect() {
    let drill = Drill::new();
    let plan = planned(&drill);
    let (there, away) = (drill.path("A"), drill.path("taken-out"));
    let mut command = drill.run_command(&plan);
    let output = with_change(&drill, &mut command, || {
        fs::rename(&there, &away).unwrap();
        copy(&away, &there);
    });
    let said = text(&output);
    assert!(said.contains("both journal folders are on one device"), "{said}");
    assert!(said.contains("the medium was taken out or replaced"), "{said}");
    interrupted(&output, &drill, "S-JOURNAL");
    fs::remove_dir_all(&there).unwrap();
    fs::rename(&away, &there).unwrap();
    resumed(&drill, LATER);
}

/// A run of which this medium is unmounted as soon as the question for the first key is durable
/// there: a mount that this process alone sees. What the medium holds then is taken out of it.
fn unmounted(drill: &Drill, medium: &str) -> Output {
    let plan = planned(drill);
    let command = drill.run_command(&plan);
    let on = drill.path(medium).join("journal.jsonl");
    let number = sync_of(drill, &on, "generate-audit");
    let filter = format!("inject=fdatasync:delay_exit=5000000:when={number}");
    let traced = injected(&command, drill, &["trace=fdatasync", &filter], Some(&on));
    fs::create_dir(drill.path(medium)).unwrap();
    let script = format!(
        "mount -t tmpfs tmpfs {medium} || exit\n\
         exec 3<&0\n\
         \"$@\" <&3 &\n\
         until grep -q generate-audit {medium}/journal.jsonl; do sleep 0.05; done\n\
         cp -a {medium} kept && umount -l {medium}\n\
         wait $!"
    );
    let mut alone = Command::new("unshare");
    alone.current_dir(drill.folder.path());
    alone.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh"]);
    alone.arg(traced.get_program()).args(traced.get_args());
    run(alone.stdin(fs::File::open(drill.path("pin")).unwrap()))
}

/// The number of the sync that makes this operation's question durable, in a run like this one.
fn sync_of(drill: &Drill, journal: &Path, op: &str) -> usize {
    let other = drill.copy();
    let command = other.run_command(&planned(&other));
    let on = other.path(journal.strip_prefix(drill.folder.path()).unwrap().to_str().unwrap());
    let log = other.path("log");
    let traced = injected(&command, &other, &["trace=write,fdatasync"], Some(&on));
    let mut logged = Command::new("strace");
    let at = |a| if a == "/dev/null" { log.as_os_str() } else { a };
    logged.args(["-s", "65536"]).args(traced.get_args().map(at));
    let output = run(logged.stdin(fs::File::open(other.path("pin")).unwrap()));
    assert!(output.status.success(), "{}", text(&output));
    let log = fs::read_to_string(log).unwrap();
    let until = log.split(op).next().unwrap();
    1 + until.matches("fdatasync(").count()
}

/// The token is not asked for a key whose question is on one medium only.
#[test]
fn a_medium_that_is_unmounted_stops_the_run_before_the_next_effect() {
    let base = Drill::new();
    for medium in ["A", "B"] {
        let drill = base.copy();
        let output = unmounted(&drill, medium);
        let said = text(&output);
        assert!(said.contains("the medium was taken out or replaced"), "{medium}: {said}");
        let away = drill.path(medium);
        assert!(files(&away).is_empty(), "nothing is written beside the medium");
        fs::remove_dir(&away).unwrap();
        fs::rename(drill.path("kept"), &away).unwrap();
        interrupted(&output, &drill, "S-JOURNAL");
        let asked = |medium: &str| {
            let journal = fs::read_to_string(drill.path(medium).join("journal.jsonl")).unwrap();
            journal.lines().last().unwrap().contains("generate-audit")
        };
        assert!(asked(medium), "the question is durable where it was taken out");
        let listed = crate::support::listed_on(&drill, &drill.serial);
        assert!(!listed.contains("Key Object"), "{medium}: {listed}");
        resumed(&drill, LATER);
    }
}

/// A folder or a file of a journal that is a link leads to another medium, or to none.
#[test]
fn no_journal_is_written_through_a_link() {
    let drill = Drill::new();
    let plan = planned(&drill);
    fs::create_dir(drill.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(drill.path("elsewhere"), drill.path("A")).unwrap();
    let output = run(&mut drill.run_command(&plan));
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
    assert!(files(&drill.path("elsewhere")).is_empty());
    fs::remove_file(drill.path("A")).unwrap();
    fs::create_dir(drill.path("A")).unwrap();
    std::os::unix::fs::symlink("/dev/null", drill.path("A/journal.jsonl")).unwrap();
    let output = run(&mut drill.run_command(&plan));
    assert_eq!(output.status.code(), Some(5), "{}", text(&output));
}

#[test]
fn another_time_zone_changes_nothing() {
    let golden = fs::read(genesis_golden().join("graph.txt")).unwrap();
    for (zone, time) in
        [("Asia/Tokyo", "2026-04-01 10:30:00"), ("America/St_Johns", "2026-03-31 23:00:00")]
    {
        let drill = Drill::new();
        let mut command = drill.run_command(&crate::support::genesis());
        succeed(command.env("TZ", zone).env("FAKETIME", format!("@{time}")));
        assert!(drill.verify().contains("drill, consistent"));
        assert!(fs::read(drill.path("out/graph.txt")).unwrap() == golden, "{zone}");
        let first = records(&drill.path("out"))[0]["at"].as_str().unwrap().to_string();
        assert!(first.starts_with("2026-04-01T10:30:"), "{zone}: {first}");
    }
}

/// Plan, policy, roster and room are read once; what lies there later is another matter.
#[test]
fn inputs_that_change_during_the_run_are_not_read_again() {
    let drill = Drill::new();
    let plan = planned(&drill);
    let before = files(&drill.path("ca"));
    let mut command = drill.run_command(&plan);
    let output = with_change(&drill, &mut command, || {
        for name in before.keys() {
            fs::write(drill.path("ca").join(name), "changed").unwrap();
        }
        fs::write(drill.path("room.toml"), "changed").unwrap();
    });
    assert!(output.status.success(), "{}", text(&output));
    assert!(drill.verify().contains("drill, consistent"));
    let other = tempfile::tempdir().unwrap();
    let again = small_ca(&other.path().join("ca"));
    let graph = succeed(gishiki().arg("graph").arg(&again));
    assert!(fs::read_to_string(drill.path("out/graph.txt")).unwrap() == graph);
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let drill = Drill::new();
    let plan = planned(&drill);
    let of_ca =
        ["2026-04-genesis/plan.toml", "cps.toml", "cps.ja.txt", "policy.toml", "roster.toml"];
    let of_ca = of_ca.map(|name| format!("ca/{name}"));
    for name in of_ca.iter().map(String::as_str).chain(["room.toml"]) {
        let mut command = at_time(crate::support::GISHIKI, crate::support::IN_WINDOW);
        let run_command = drill.run_command(&plan);
        command.args(run_command.get_args()).env("SOFTHSM2_CONF", drill.path("softhsm2.conf"));
        let filter = ["trace=open,openat", "inject=open,openat:error=EACCES"];
        let output = run(&mut injected(&command, &drill, &filter, Some(&drill.path(name))));
        let said = text(&output);
        assert_eq!(output.status.code(), Some(5), "{name}: {said}");
        assert!(said.contains("S-FILE") && said.contains("Permission denied"), "{name}: {said}");
        assert!(!drill.path("A").exists() && !drill.path("out").exists(), "{name}");
    }
}

/// A run that is killed at this system call, which is the first or a later one of its kind.
fn killed(drill: &Drill, call: &str, when: usize) -> Output {
    let filter = [format!("trace={call}"), format!("inject={call}:signal=KILL:when={when}")];
    let command = drill.run_command(&planned(drill));
    let output = run(&mut injected(&command, drill, &filter.each_ref().map(String::as_str), None));
    assert!(!output.status.success(), "{call} {when}: {}", text(&output));
    output
}

/// Every name under a drill's folder that says that something is not whole.
fn partial(drill: &Drill) -> Vec<String> {
    let names = ["", "A", "B"].map(|folder| drill.path(folder));
    let names = names.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".partial")).collect()
}

/// Until the folder has its name there is no output: what a kill leaves beside it is in nobody's
/// way, and goes when it is written again.
#[test]
fn a_kill_while_the_output_is_written_leaves_nothing_that_counts() {
    let base = Drill::new();
    for (call, when) in [("syncfs", 1), ("syncfs", 2), ("chmod", 1), ("rename", 1)] {
        let drill = base.copy();
        killed(&drill, call, when);
        assert!(partial(&drill) == [".out.partial"] && !drill.path("out").exists());
        // A ledger can be read beside it.
        let ledger = drill.path("ledger");
        copy(&genesis_golden(), &ledger.join("2026-04-genesis"));
        copy(&drill.path(".out.partial"), &ledger.join(".2026-06-ds.partial"));
        succeed(gishiki().arg("state").arg(&ledger));
        resumed(&drill, LATER);
        assert!(partial(&drill).is_empty(), "{call} {when}");
    }
}

/// The inputs on either medium, then the bundle on either.
#[test]
fn a_kill_while_a_journals_file_is_written_leaves_nothing_that_counts() {
    let base = Drill::new();
    for when in 1..=4 {
        let drill = base.copy();
        killed(&drill, "renameat", when);
        assert_eq!(partial(&drill).len(), 1, "{when}");
        assert_eq!(begun(&drill), when > 2, "{when}");
        if begun(&drill) {
            resumed(&drill, LATER);
        } else {
            let said = interrupted(&run(&mut drill.resume_command(LATER)), &drill, "S-JOURNAL");
            assert!(said.contains("Nothing was begun."), "{said}");
            succeed(&mut drill.run_command(&planned(&drill)));
        }
        assert!(partial(&drill).is_empty(), "{when}");
    }
}
