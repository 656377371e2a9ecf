//! People at a terminal: input is judged as in a real ceremony, and the PIN is passed only to the
//! token.

mod breaks;
mod kana;
mod screen;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::terminal::{Terminal, first_words};
use crate::support::{Drill, GISHIKI, IN_WINDOW, LATER, PIN, genesis, gishiki, gishiki_at, run};

/// `gishiki COMMAND …` on this drill's token, asking people who hold the papers of the first
/// ceremony.
fn open(drill: &Drill, command: &[&str], time: &str) -> Terminal {
    open_at(gishiki_at(time), drill, "en", command)
}

/// The same with a program whose clock is said already.
fn open_at(mut asked: Command, drill: &Drill, lang: &str, command: &[&str]) -> Terminal {
    drill.env(&mut asked).args(["--lang", lang]).args(command);
    asked.arg("--room").arg(drill.path("room.toml")).arg("--out").arg(drill.path("out"));
    for medium in ["A", "B"] {
        asked.arg("--journal").arg(drill.path(medium));
    }
    Terminal::open(&asked).with_papers(gishiki().arg("check").arg(genesis()).arg("--drill"))
}

fn begun(drill: &Drill) -> Terminal {
    open(drill, &["run", genesis().to_str().unwrap()], IN_WINDOW)
}

pub(crate) fn resumed(drill: &Drill) -> Terminal {
    open(drill, &["resume"], LATER)
}

/// What is no answer, and a no that is taken back: the question comes again.
fn judge_what_is_no_answer(terminal: &mut Terminal) {
    // An unknown id, nobody, somebody of another role: the question comes again.
    terminal.until("Entry");
    assert!(terminal.types("p99").contains("✗ no participant: p99"));
    assert!(terminal.types("").contains("✗ type an id"));
    assert!(terminal.types("p01").contains("R-WHO-OPERATES"));
    assert!(terminal.types("p99、p01").contains("✗ no participant: p99"));
    // Octets that are no text end nothing.
    terminal.presses(b"p0\xe3\x81\n");
    let asked = terminal.asked_again();
    assert!(asked.contains("✗ that cannot be read as text: type it again"), "{asked}");
    // A no can be taken back, and so can who said it.
    let said = terminal.types("No.");
    assert!(said.contains("This stops the ceremony for good"), "{said}");
    assert!(said.ends_with("who says so (ids): "));
    assert!(terminal.types("p12").ends_with("reason: "));
    assert!(terminal.types("NO").ends_with("who says so (ids): "));
    assert!(terminal.types("no").ends_with("> who confirms (ids, by spaces): "));
}

/// A difference that is none, and one that is corrected before it counts.
fn judge_the_clock(terminal: &mut Terminal) {
    let asked = terminal.until("Clock");
    assert!(asked.ends_with("offset-seconds (-30…30): "), "{asked}");
    assert!(asked.contains("the machine's clock: 2026-04-01T10:30:"), "{asked}");
    assert!(asked.contains("difference = the machine's minus the one carried in"), "{asked}");
    assert!(terminal.types("thirty").contains("✗ not a whole number"));
    assert!(terminal.types("31").contains("✗ not a whole number from -30 to 30"));
    // A wrong value that could be a right one is corrected before it counts.
    assert!(terminal.types("back").ends_with("offset-seconds (-30…30): "), "nothing is before it");
    assert!(terminal.types("3").ends_with("reference: "));
    assert!(terminal.types("back").ends_with("offset-seconds (-30…30): "));
    assert!(terminal.types("-3").ends_with("reference: "));
    assert!(terminal.types("the other watch").ends_with("who confirms (ids, by spaces): "));
    assert!(terminal.types("back").ends_with("reference: "));
}

#[test]
fn what_people_type_is_judged_as_in_the_room() {
    let drill = Drill::new();
    let mut terminal = begun(&drill);
    judge_what_is_no_answer(&mut terminal);
    // A deviation is written down, and the question comes again.
    assert!(terminal.types("deviation").ends_with("who says so (ids): "));
    assert!(terminal.types("p13").contains("✗ p13, who has not entered yet"));
    assert!(terminal.types("p12").ends_with("reason: "));
    assert!(terminal.types("").ends_with("reason: "), "a deviation has a reason");
    assert!(terminal.types("the badge hung the wrong way").contains(". Entry ["));
    assert!(terminal.said.contains("✓ recorded"), "{}", terminal.said);
    // The papers are never shown, and words in another order are others.
    let asked = terminal.until("Papers");
    let graph = terminal.values["graph"].clone();
    assert!(!asked.contains(&graph[..16]), "{asked}");
    let seven = graph[..14].to_string();
    assert!(terminal.types(&seven).contains("✗ fewer than 8 words (7): type it again"));
    assert!(terminal.types(&"0".repeat(64)).contains("✗ does not agree\r\n"));
    assert!(terminal.types(&graph).contains("✓ agrees"));
    judge_the_clock(&mut terminal);
    // After the login the PIN is nowhere.
    let shown = terminal.until("Fingerprint");
    let program = PathBuf::from(format!("/proc/{}", terminal.process()));
    for file in ["cmdline", "environ"] {
        let octets = fs::read(program.join(file)).unwrap();
        assert!(!octets.is_empty() && !String::from_utf8_lossy(&octets).contains(PIN), "{file}");
    }
    assert!(!terminal.said.contains(PIN), "no echo");
    for journal in ["A/journal.jsonl", "B/journal.jsonl"] {
        assert!(!fs::read_to_string(drill.path(journal)).unwrap().contains(PIN), "{journal}");
    }
    let limits = fs::read_to_string(program.join("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    // Another fingerprint than the one on the screen; then its first words.
    let words = first_words(&shown);
    let mut other: Vec<&str> = words.split(' ').collect();
    other.swap(0, 2);
    assert!(terminal.types(&other.join(" ")).contains("✗ does not agree\r\n"));
    let said = terminal.types(&words);
    assert!(said.contains("✓ agrees"), "{said}");
    // One of them says no: it is closed, sealed and handed out to nobody.
    terminal.until("Completion");
    assert!(terminal.types("no").ends_with("who says so (ids): "));
    terminal.types("p01");
    terminal.answer("a seal was broken");
    assert_eq!(terminal.finish(), Some(1), "{}", terminal.said);
    let said = drill.verify();
    assert!(said.contains(": a seal was broken; nothing is handed out"), "{said}");
    let transcript = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    assert!(transcript.contains("the badge hung the wrong way"));
    // What was refused from people is on record, by its question and without its value.
    let mistaken = transcript.lines().filter(|line| line.contains(r#""kind":"mistaken""#));
    let mistaken: Vec<String> = mistaken
        .map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["result"], "refused");
            ["op", "question"].map(|name| record["event"][name].as_str().unwrap()).join(" ")
        })
        .collect();
    assert_eq!(mistaken[..4], ["entry-p01 by"; 4]);
    assert_eq!(
        mistaken[4..],
        [
            "papers graph",
            "papers graph",
            "clock offset-seconds",
            "clock offset-seconds",
            "fingerprint-root-g1 sha256"
        ]
    );
    assert!(!transcript.contains(&other.join(" ")) && !transcript.contains("p99"));
}

#[test]
fn people_consent_to_a_new_medium_and_type_the_head_that_they_noted() {
    let drill = Drill::new();
    let mut terminal = begun(&drill);
    terminal.until("Fingerprint");
    let shown = terminal.said.split("head of the record (").skip(1);
    let heads: Vec<String> =
        shown.map(|after| after.lines().nth(1).unwrap().trim().to_string()).collect();
    assert_eq!(heads.len(), 3, "two keys and one run of sheets: {}", terminal.said);
    terminal.presses(b"\x03");
    assert_eq!(terminal.ends(), Some(130), "{}", terminal.said);
    fs::remove_dir_all(drill.path("B")).unwrap();
    let mut terminal = resumed(&drill);
    let asked = terminal.prompt().unwrap();
    assert!(asked.contains("!! ") && asked.contains("new journal medium"), "{asked}");
    assert!(terminal.types("p99 p01").contains("✗ no participant: p99"));
    terminal.answer("p01 p03");
    terminal.until("Papers");
    for name in ["graph", "bindings"] {
        let value = terminal.values[name].clone();
        assert!(terminal.types(&value).contains("✓ agrees"), "{name}");
    }
    // An older head is another one; the last one is it.
    assert!(terminal.types(&heads[0]).contains("✗ does not agree"));
    assert!(terminal.types(heads.last().unwrap()).contains("✓ agrees"));
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    assert!(drill.verify().contains("drill, consistent"));
    let transcript = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    assert!(transcript.contains("\"new-medium\":[\"p01\",\"p03\"]"));
}

#[test]
fn who_does_not_consent_keeps_the_journal_as_it_is() {
    let drill = Drill::new();
    let answers = "default = \"as-planned\"\n[op.clock]\nfacts = { offset-seconds = \"99\" }\n";
    fs::write(drill.path("answers.toml"), answers).unwrap();
    assert_eq!(run(&mut drill.run_command(&genesis())).status.code(), Some(6));
    fs::remove_dir_all(drill.path("B")).unwrap();
    let journal = fs::read(drill.path("A/journal.jsonl")).unwrap();
    let mut terminal = resumed(&drill);
    assert!(terminal.types("no").ends_with("who says so (ids): "));
    terminal.types("p13");
    terminal.answer("that medium is not ours");
    assert_eq!(terminal.finish(), Some(5), "{}", terminal.said);
    assert!(terminal.said.contains("that medium is not ours"), "{}", terminal.said);
    assert_eq!(fs::read(drill.path("A/journal.jsonl")).unwrap(), journal);
}

/// Before anything else, so that no PIN can be in a dump of it.
#[test]
fn no_process_of_ours_can_be_dumped() {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-e", "trace=prctl,prlimit64,open,openat", GISHIKI, "check"]);
    let said = String::from_utf8(run(traced.arg(genesis())).stderr).unwrap();
    let at = |what: &str| said.find(what).unwrap_or_else(|| panic!("{what}: {said}"));
    let dumpable = at("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE) = 0");
    let core = at("RLIMIT_CORE, {rlim_cur=0, rlim_max=0}");
    assert!(dumpable.max(core) < at("plan.toml"), "{said}");
}

/// Whether what is typed at this terminal is shown.
fn has_echo(terminal: &Terminal) -> bool {
    let modes = rustix::termios::tcgetattr(terminal.pty()).unwrap().local_modes;
    modes.contains(rustix::termios::LocalModes::ECHO)
}

fn signal(terminal: &Terminal, name: &str) {
    let process = terminal.process().to_string();
    assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed().as_secs() < 60, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn whatever_ends_the_question_for_a_pin_gives_the_echo_back() {
    let base = Drill::new();
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let drill = base.copy();
        let mut terminal = begun(&drill);
        let asked = terminal.until_login();
        let names = ["\n> HSM (label DRILL mdoc-root, serial ", "), user PIN: "];
        assert!(names.iter().all(|name| asked.contains(name)), "{asked}");
        assert!(!has_echo(&terminal), "{name}");
        match name {
            "INT" => terminal.presses(b"half-a-pin\x03"),
            name => signal(&terminal, name),
        }
        assert_eq!(terminal.ends(), Some(code), "{name}: {}", terminal.said);
        assert!(has_echo(&terminal), "{name}");
        let said = terminal.said.clone();
        assert!(
            said.contains("The journal is kept. Go on with:\r\n  gishiki --lang en resume --room"),
            "{said}"
        );
        assert!(!said.contains("half-a-pin"), "{said}");
    }
}

#[test]
fn a_question_that_is_stopped_is_asked_again() {
    let drill = Drill::new();
    let mut terminal = begun(&drill);
    let stat = format!("/proc/{}/stat", terminal.process());
    let state = || fs::read_to_string(&stat).unwrap().contains(") T ");
    terminal.until("Entry");
    terminal.presses(b"p0\x1a");
    until("it stops", state);
    signal(&terminal, "CONT");
    let asked = terminal.asked_again();
    assert!(asked.ends_with("> who confirms (ids, by spaces): "), "{}", terminal.said);
    terminal.until_login();
    // What is no PIN is not tried.
    for none in ["", "no"] {
        let asked = terminal.types(none);
        assert!(asked.contains("✗ that is no PIN") && asked.ends_with("user PIN: "), "{asked}");
    }
    assert!(!has_echo(&terminal));
    terminal.presses(b"half\x1a");
    until("it stops", state);
    assert!(has_echo(&terminal));
    signal(&terminal, "CONT");
    until("it is silent again", || !has_echo(&terminal));
    assert!(terminal.asked_again().ends_with("PIN: "), "{}", terminal.said);
    assert_eq!(terminal.finish(), Some(0), "{}", terminal.said);
    assert!(!terminal.said.contains(PIN) && !terminal.said.contains("half"), "{}", terminal.said);
    assert!(terminal.said.contains("(to leave: Ctrl-D)"), "{}", terminal.said);
    let transcript = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    assert!(!transcript.contains("CKR_PIN"), "the token counted none");
    assert!(drill.verify().contains("drill, consistent"));
}

/// The clock of a drill's commands from now on. What runs already sees it too.
fn set_clock(drill: &Drill, time: &str) {
    // In one step: the clock is read at any time.
    let (next, clock) = (drill.path("clock.next"), drill.path("clock"));
    fs::write(&next, format!("@{time}\n")).unwrap();
    fs::rename(next, clock).unwrap();
}

/// A command whose clock stands at this time, until it is set.
fn with_clock(drill: &Drill, command: &[&str], time: &str) -> Terminal {
    set_clock(drill, time);
    let mut asked = gishiki_at(IN_WINDOW);
    asked.env_remove("FAKETIME").env("FAKETIME_TIMESTAMP_FILE", drill.path("clock"));
    asked.env("FAKETIME_NO_CACHE", "1");
    open_at(asked, drill, "en", command)
}

#[test]
fn a_clock_outside_the_window_is_shown_and_set_before_anything_is_durable() {
    let drill = Drill::new();
    let run = ["run", genesis().to_str().unwrap()].map(String::from);
    let run = run.each_ref().map(String::as_str);
    let set = "> set it and press Enter; no stops: ";
    let nothing = || !drill.path("A").exists() && !drill.path("B").exists();
    let (from, until) = ("2026-04-01T10:00:00+09:00", "2026-04-01T17:00:00+09:00");
    // Somebody sees a battery that is empty, and goes to mend it.
    let mut terminal = with_clock(&drill, &run, "1970-01-01 00:00:05");
    let asked = terminal.prompt().unwrap();
    assert!(asked.contains("✗ the clock does not agree") && asked.ends_with(set), "{asked}");
    assert!(asked.contains(&format!("asked: a time between {from} and {until}")), "{asked}");
    assert!(asked.contains("found: 1970-01-01T09:00:0"), "{asked}");
    terminal.answer("no");
    assert_eq!(terminal.finish(), Some(5), "{}", terminal.said);
    assert!(terminal.said.contains("S-WINDOW"), "{}", terminal.said);
    assert!(terminal.said.contains("Nothing was begun.") && nothing(), "{}", terminal.said);
    // Set to another wrong time, it is asked again; set right, it goes on at once.
    let mut terminal = with_clock(&drill, &run, "2026-04-01 08:00:01");
    assert!(terminal.prompt().unwrap().contains("found: 2026-04-01T17:0"));
    set_clock(&drill, "2026-04-01 00:59:00");
    let asked = terminal.types("");
    assert!(asked.contains("found: 2026-04-01T09:5") && asked.ends_with(set), "{asked}");
    assert!(nothing(), "nothing is durable before the clock is right");
    set_clock(&drill, IN_WINDOW);
    assert!(terminal.types("").contains(". First in the room ["), "{}", terminal.said);
    terminal.until("Fingerprint");
    terminal.presses(b"\x03");
    assert_eq!(terminal.ends(), Some(130), "{}", terminal.said);
    judge_later_clocks(&drill, &terminal.values["head"]);
}

/// The same where a ceremony goes on: before its last record, and after its window.
fn judge_later_clocks(drill: &Drill, head: &str) {
    let media = || ["A", "B"].map(|medium| crate::support::files(&drill.path(medium)));
    let before = media();
    let mut terminal = with_clock(drill, &["resume"], "2026-04-01 01:00:00");
    let asked = terminal.prompt().unwrap();
    assert!(asked.contains("asked: a time not before the last record, 2026-04-01T10:30:"));
    assert!(asked.contains("found: 2026-04-01T10:0"), "{asked}");
    // It is wrong, not late: nobody closes a ceremony for it.
    assert!(terminal.types("late").ends_with("> set it and press Enter; no stops: "));
    terminal.answer("no");
    assert_eq!(terminal.finish(), Some(6), "{}", terminal.said);
    assert!(terminal.said.contains("S-TIME-BACK"), "{}", terminal.said);
    assert!(media() == before, "nothing is durable before the clock is right");
    // After the window: a wrong clock is set, and a right one closes the ceremony as aborted.
    let mut terminal = with_clock(drill, &["resume"], "2026-04-01 08:00:01");
    let asked = terminal.prompt().unwrap();
    let late = "late if it is right, to close as aborted; no stops: ";
    assert!(asked.contains("asked: a time between ") && asked.ends_with(late), "{asked}");
    assert!(terminal.types("").ends_with(late), "{}", terminal.said);
    assert!(media() == before, "{}", terminal.said);
    terminal.values.insert("head".into(), head.into());
    terminal.answer("late");
    assert_eq!(terminal.finish(), Some(1), "{}", terminal.said);
    assert!(terminal.said.contains("aborted, and sealed: 2026-04-genesis"), "{}", terminal.said);
    let said = drill.verify();
    assert!(said.contains("stopped by S-WINDOW: resumed at "), "{said}");
    assert!(said.contains("\nrules that refused: S-WINDOW\n"), "{said}");
}
