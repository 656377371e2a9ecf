//! People at a terminal, played on a pseudo-terminal: what is typed is judged as it is in the room,
//! and the PIN is nowhere but in the token.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::{
    Drill, GISHIKI, IN_WINDOW, LATER, PIN, at_time, genesis, gishiki, run, succeed,
};

/// `script` gives the program a terminal of its own; it is the program's parent.
struct Terminal {
    script: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    /// Everything on the screen until now.
    said: String,
    /// How much of it was answered.
    read: usize,
    /// Values of the papers and of the room, by the beginning of their prompts.
    values: BTreeMap<String, String>,
}

const WHO: &str = "who confirms (ids, by spaces): ";

impl Terminal {
    /// `gishiki COMMAND …` on this drill's token, asking people.
    fn open(drill: &Drill, command: &str, time: &str) -> Self {
        let path = |name: &str| drill.path(name).display().to_string();
        let line = format!(
            "exec {GISHIKI} {command} --lang en --room {} --journal {} --journal {} --out {}",
            path("room.toml"),
            path("A"),
            path("B"),
            path("out")
        );
        // The clock is set for the program alone.
        let clock = at_time("true", time);
        let set = clock.get_envs().map(|(name, value)| {
            format!("{}='{}'", name.display(), value.unwrap_or_default().display())
        });
        let set: Vec<String> = set.collect();
        let line = format!("export {}; {line}", set.join(" "));
        let mut script = Command::new("script");
        script.args(["-qefc", &line, "/dev/null"]).env("LC_ALL", "C.UTF-8").env("TERM", "dumb");
        drill.env(&mut script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = script.spawn().unwrap();
        let (keys, mut out) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut octets = [0; 4_096];
            while let Ok(count @ 1..) = out.read(&mut octets) {
                if send.send(octets[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let values = [
            ("offset-seconds", "0"),
            ("reference", "radio clock"),
            ("second-factor", "token card"),
            ("PIN", PIN),
        ];
        let values = values.map(|(name, value)| (name.to_string(), value.to_string())).into();
        Self { script, keys, screen, said: String::new(), read: 0, values }
    }

    /// What was said since the last answer, once it ends with a prompt; nothing at the end.
    fn prompt(&mut self) -> Option<String> {
        loop {
            let open = &self.said[self.read..];
            let last = open.rsplit('\n').next().unwrap_or_default();
            if last.ends_with(": ") || last.ends_with("PIN:") {
                return Some(open.to_string());
            }
            match self.screen.recv_timeout(Duration::from_secs(60)) {
                Ok(octets) => self.said.push_str(&String::from_utf8_lossy(&octets)),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(error) => panic!("{error}: {}", self.said),
            }
        }
    }

    fn answer(&mut self, line: &str) {
        self.read = self.said.len();
        self.keys.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Types something at the prompt that is there, and gives the prompt that follows.
    fn types(&mut self, line: &str) -> String {
        self.prompt().unwrap();
        self.answer(line);
        self.prompt().unwrap_or_else(|| panic!("{}", self.said))
    }

    /// Answers as planned until a step with this title asks its question; the prompt.
    fn until(&mut self, title: &str) -> String {
        loop {
            let open = self.prompt().unwrap_or_else(|| panic!("no {title}: {}", self.said));
            if open.contains(&format!(". {title} [")) {
                return open;
            }
            self.as_planned(&open);
        }
    }

    /// Answers as planned to the end; the exit code.
    fn finish(&mut self) -> Option<i32> {
        while let Some(open) = self.prompt() {
            self.as_planned(&open);
        }
        self.script.wait().unwrap().code()
    }

    fn as_planned(&mut self, open: &str) {
        let prompt = open.rsplit('\n').next().unwrap();
        if prompt == WHO {
            // The duties stand between the title of the step and its first question.
            let step = self.said.rsplit("\n── ").next().unwrap().to_string();
            return self.answer(&people(&step).join(" "));
        }
        let name = prompt.split([' ', ':']).next().unwrap();
        if prompt.contains("as read aloud") {
            return self.answer(&first_words(open));
        }
        let value = self.values.get(name).unwrap_or_else(|| panic!("{prompt}: {open}")).clone();
        self.answer(&value);
    }

    /// The program itself, below `script`.
    fn program(&self) -> PathBuf {
        let script = self.script.id();
        let children = fs::read_to_string(format!("/proc/{script}/task/{script}/children"));
        PathBuf::from(format!("/proc/{}", children.unwrap().trim()))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// As many as are asked for, of each duty of a step: `key custodian 2 of A (p04), B (p05)`.
fn people(step: &str) -> Vec<String> {
    let mut by = Vec::new();
    for line in step.lines().filter_map(|line| line.trim_end().strip_prefix("   ")) {
        let Some((role, persons)) = line.split_once(" of ") else { continue };
        let Some(Ok(count)) = role.rsplit(' ').next().map(str::parse::<usize>) else { continue };
        let ids = persons.split('(').skip(1).map(|part| part.split(')').next().unwrap());
        by.extend(ids.take(count).map(String::from));
    }
    assert!(!by.is_empty(), "{step}");
    by
}

/// The first line of words below a digest on the screen.
fn first_words(open: &str) -> String {
    let mut below = open.lines().skip_while(|line| line.trim().len() != 64).skip(1);
    below.next().unwrap_or_else(|| panic!("{open}")).trim().to_string()
}

/// The values that stand on the script's first page.
fn papers(terminal: &mut Terminal) {
    let checked = succeed(gishiki().arg("check").arg(genesis()));
    for name in ["graph", "bindings"] {
        let line = checked.lines().find(|line| line.trim().starts_with(name)).unwrap();
        let value = line.split_whitespace().last().unwrap().to_string();
        terminal.values.insert(name.to_string(), value);
    }
}

#[test]
fn what_people_type_is_judged_as_in_the_room() {
    let drill = Drill::new();
    let command = format!("run {}", genesis().display());
    let mut terminal = Terminal::open(&drill, &command, IN_WINDOW);
    papers(&mut terminal);
    // An unknown id, nobody, somebody of another role: the question comes again.
    terminal.until("Entry");
    assert!(terminal.types("p99").contains("✗ no participant: p99"));
    assert!(terminal.types("").contains("✗ no participant: –"));
    assert!(terminal.types("p01").contains("R-WHO-OPERATES"));
    // A deviation is written down, and the question comes again.
    assert!(terminal.types("deviation").ends_with("who says so (ids): "));
    assert!(terminal.types("p13").ends_with("reason: "));
    assert!(terminal.types("").ends_with("reason: "), "a deviation has a reason");
    assert!(terminal.types("the badge hung the wrong way").contains(". Entry ["));
    // The papers are never shown, and words in another order are others.
    let asked = terminal.until("Papers");
    let graph = terminal.values["graph"].clone();
    assert!(!asked.contains(&graph[..16]), "{asked}");
    assert!(terminal.types(&"0".repeat(64)).contains("✗ does not agree"));
    assert!(terminal.types(&graph).contains("✓ agrees"));
    assert!(terminal.until("Clock").ends_with("offset-seconds (-30…30): "));
    assert!(terminal.types("31").contains("✗ does not agree"));
    // After the login the PIN is nowhere.
    let shown = terminal.until("Fingerprint");
    let program = terminal.program();
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
    assert!(terminal.types(&other.join(" ")).contains("✗ does not agree"));
    let said = terminal.types(&words);
    assert!(said.contains("✓ agrees"), "{said}");
    // One of them says no: it is closed, sealed and handed out to nobody.
    terminal.until("Completion");
    assert!(terminal.types("no").ends_with("who says so (ids): "));
    terminal.types("p01");
    terminal.answer("a seal was broken");
    assert_eq!(terminal.finish(), Some(1), "{}", terminal.said);
    assert!(drill.verify().contains("aborted   people: a seal was broken"));
    let transcript = fs::read_to_string(drill.path("out/transcript.jsonl")).unwrap();
    assert!(transcript.contains("the badge hung the wrong way"));
}

#[test]
fn people_consent_to_a_new_medium_and_type_the_head_that_they_noted() {
    let drill = Drill::new();
    let command = format!("run {}", genesis().display());
    let mut terminal = Terminal::open(&drill, &command, IN_WINDOW);
    papers(&mut terminal);
    terminal.until("Fingerprint");
    let heads = terminal.said.lines().filter_map(|line| line.trim().strip_prefix("head: "));
    let heads: Vec<String> = heads.map(String::from).collect();
    terminal.keys.write_all(b"\x03").unwrap();
    assert_eq!(terminal.finish(), Some(130), "{}", terminal.said);
    fs::remove_dir_all(drill.path("B")).unwrap();
    let mut terminal = Terminal::open(&drill, "resume", LATER);
    papers(&mut terminal);
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
    let mut terminal = Terminal::open(&drill, "resume", LATER);
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
