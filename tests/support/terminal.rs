//! A terminal of its own for a process, and people there who do what the script says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{PIN, succeed};

/// The PIN of every drill token's security officer.
pub(crate) const SO_PIN: &str = "drill-so-pin";

/// How a line begins that waits for somebody to type, and no other line.
const PROMPT: &str = "> ";
const WHO: &str = "who confirms (ids, by spaces): ";

/// Whoever wrote the head on the screen into the script says so.
const NOTED: &str = "noted in the script; confirmed on the screen by (ids, by spaces): ";

/// A process at a terminal. It is asked in English.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    /// Everything on the screen until now.
    pub(crate) said: String,
    /// How much of it was answered.
    read: usize,
    /// Values of the papers and of the room, by the first words of their prompts.
    pub(crate) values: BTreeMap<String, String>,
}

impl Terminal {
    /// Runs a command with this as its controlling terminal.
    pub(crate) fn open(command: &Command) -> Self {
        let pty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&pty).unwrap();
        unlockpt(&pty).unwrap();
        let name = ptsname(&pty, Vec::new()).unwrap().into_string().unwrap();
        let side = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        // It becomes the program: it is no leader of a group, so it forks nothing.
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        let child = session.stdin(side()).stdout(side()).stderr(side()).spawn().unwrap();
        let (keys, mut out) = (File::from(pty.try_clone().unwrap()), File::from(pty));
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut octets = [0; 4_096];
            // Linux says EIO at the end of the last process that has the terminal.
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
            ("SO PIN", SO_PIN),
        ];
        let values = values.map(|(name, value)| (name.to_string(), value.to_string())).into();
        Self { child, keys, screen, said: String::new(), read: 0, values }
    }

    /// People hold the papers of a plan: the values that `check` says of it.
    pub(crate) fn with_papers(mut self, check: &mut Command) -> Self {
        let checked = succeed(check);
        for name in ["graph", "bindings"] {
            let line = checked.lines().find(|line| line.trim().starts_with(name)).unwrap();
            let value = line.split_whitespace().last().unwrap().to_string();
            self.values.insert(name.to_string(), value);
        }
        self
    }

    /// What was said since the last answer, once it ends with a prompt; nothing at the end. A
    /// prompt is known by how its line begins: any other line may be cut in two where a read ends.
    pub(crate) fn prompt(&mut self) -> Option<String> {
        loop {
            let open = &self.said[self.read..];
            let last = open.rsplit('\n').next().unwrap_or_default();
            if last.starts_with(PROMPT) && last.ends_with(": ") {
                return Some(open.to_string());
            }
            match self.screen.recv_timeout(Duration::from_secs(60)) {
                Ok(octets) => self.said.push_str(&String::from_utf8_lossy(&octets)),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(error) => panic!("{error}: {}", self.said),
            }
        }
    }

    /// The prompt that comes after the one at hand, which nobody answers.
    pub(crate) fn asked_again(&mut self) -> String {
        self.read = self.said.len();
        self.prompt().unwrap_or_else(|| panic!("{}", self.said))
    }

    pub(crate) fn answer(&mut self, line: &str) {
        self.read = self.said.len();
        self.presses(format!("{line}\n").as_bytes());
    }

    /// Types something at the prompt that is there, and gives the prompt that follows.
    pub(crate) fn types(&mut self, line: &str) -> String {
        self.prompt().unwrap();
        self.answer(line);
        self.prompt().unwrap_or_else(|| panic!("{}", self.said))
    }

    /// Answers as planned until a step with this title asks its question; the prompt.
    pub(crate) fn until(&mut self, title: &str) -> String {
        loop {
            let open = self.prompt().unwrap_or_else(|| panic!("no {title}: {}", self.said));
            if open.contains(&format!(". {title} [")) {
                return open;
            }
            self.as_planned(&open);
        }
    }

    /// Answers as planned to the end; the exit code, as a shell gives it.
    pub(crate) fn finish(&mut self) -> Option<i32> {
        while let Some(open) = self.prompt() {
            self.as_planned(&open);
        }
        let status = self.child.wait().unwrap();
        status.code().or(status.signal().map(|signal| 128 + signal))
    }

    /// Answers this prompt as planned.
    pub(crate) fn goes_on(&mut self, open: &str) {
        self.as_planned(open);
    }

    /// Answers as planned until two people are asked to consent to something; the prompt.
    pub(crate) fn until_asked_to_consent(&mut self) -> String {
        loop {
            let open = self.prompt().unwrap_or_else(|| panic!("no consent: {}", self.said));
            if open.ends_with("who consent; otherwise no: ") {
                return open;
            }
            self.as_planned(&open);
        }
    }

    /// Answers as planned until this is asked; the prompt.
    pub(crate) fn until_prompt(&mut self, asked: &str) -> String {
        loop {
            let open = self.prompt().unwrap_or_else(|| panic!("no {asked}: {}", self.said));
            if open.ends_with(&format!("{PROMPT}{asked}")) {
                return open;
            }
            self.as_planned(&open);
        }
    }

    /// Waits for the end, and answers nothing any more; the exit code, as a shell gives it.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        while let Ok(octets) = self.screen.recv_timeout(Duration::from_secs(5)) {
            self.said.push_str(&String::from_utf8_lossy(&octets));
        }
        status.code().or(status.signal().map(|signal| 128 + signal))
    }

    /// The side of the terminal that the test holds.
    pub(crate) const fn pty(&self) -> &File {
        &self.keys
    }

    fn as_planned(&mut self, open: &str) {
        let prompt = open.rsplit("\n> ").next().unwrap();
        if prompt == WHO {
            // The duties stand between the title of the step and its first question.
            let step = self.said.rsplit("\n── ").next().unwrap().to_string();
            return self.answer(&people(&step).join(" "));
        }
        if prompt == NOTED {
            let head = open.lines().rev().nth(1).unwrap().trim().to_string();
            self.values.insert("head".into(), head);
            return self.answer("p13");
        }
        if prompt.contains("as read aloud") {
            return self.answer(&first_words(open));
        }
        let known = self.values.iter().find(|(name, _)| prompt.starts_with(name.as_str()));
        let (_, value) = known.unwrap_or_else(|| panic!("{prompt}: {open}"));
        self.answer(&value.clone());
    }

    /// Keys that are no line, such as Ctrl-C.
    pub(crate) fn presses(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
    }

    /// The process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
pub(crate) fn first_words(open: &str) -> String {
    let mut below = open.lines().skip_while(|line| line.trim().len() != 64).skip(1);
    below.next().unwrap_or_else(|| panic!("{open}")).trim().to_string()
}
