//! A pseudo-terminal for a process, with simulated people who do what the script says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{PIN, succeed};

/// The PIN of every drill token's security officer.
pub(crate) const SO_PIN: &str = "drill-so-pin";

/// How long a test waits for an expected output, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// The beginning of a line that waits for input, and of no other line.
const PROMPT: &str = "> ";
const WHO: [&str; 2] = ["who confirms (ids, by spaces): ", "確認した者の ID(空白区切り): "];

/// The answer of somebody who has written the head from the screen into the script.
pub(crate) const NOTED: [&str; 2] = [
    "noted in the script; confirmed on the screen by (ids, by spaces): ",
    "構築手順書に書き留め、画面で確認した者の ID(空白区切り): ",
];

/// The question before the PIN of a card.
pub(crate) const AT_CARD: &str = "; Enter, no or failed: ";

/// The first words of the head that is to be noted: the line after the one with the pen. How to
/// stop is said below it.
pub(crate) fn shown_head(said: &str) -> String {
    let shown = said.rsplit('✎').next().unwrap();
    shown.lines().nth(1).unwrap().trim().to_string()
}

/// What the plates of a room's tokens say, by the token's name.
fn plates(room: &str) -> BTreeMap<String, String> {
    let mut plates = BTreeMap::new();
    let mut token = None;
    for line in room.lines() {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            token = (table == "token").then_some("root").or_else(|| table.strip_prefix("spare."));
        }
        if let (Some(token), Some(serial)) = (token, line.trim().strip_prefix("serial")) {
            let serial = serial.trim_start_matches([' ', '=']).trim_matches('"');
            plates.insert(format!("plate of {token}"), serial.to_string());
        }
    }
    plates
}

/// A process at a terminal, which asks in English or in Japanese.
pub(crate) struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    /// Everything on the screen until now.
    pub(crate) said: String,
    /// How much of the screen was already answered.
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
        // Both become the program: there is no leader of a group, so nothing is forked. A job in a
        // shell's background ignores Ctrl-C and Ctrl-\, one under nohup a hang-up, and so would
        // whatever it starts.
        let mut session = Command::new("env");
        session.args(["--default-signal=INT,QUIT,HUP,TERM", "setsid", "--ctty"]);
        session.arg(command.get_program()).args(command.get_args());
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
            // Linux returns EIO when the last process that has the terminal ends.
            while let Ok(count @ 1..) = out.read(&mut octets) {
                if send.send(octets[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let values = [
            ("attendance", "present"),
            ("offset-seconds", "0"),
            ("reference", "radio clock"),
            ("second-factor", "token card"),
            ("出欠", "出席"),
            ("時計の差", "0"),
            ("持ち込んだ時計", "電波時計"),
            ("第二の認証要素", "トークンカード"),
            ("PIN of the card of", PIN),
        ];
        let values = values.map(|(name, value)| (name.to_string(), value.to_string()));
        let mut values = BTreeMap::from(values);
        let mut arguments = command.get_args();
        if arguments.any(|argument| argument == "--room")
            && let Some(room) = arguments.next()
        {
            values.extend(plates(&std::fs::read_to_string(room).unwrap_or_default()));
        }
        Self { child, keys, screen, said: String::new(), read: 0, values }
    }

    /// Gives people the papers of a plan: the values that `check` prints for it.
    pub(crate) fn with_papers(mut self, check: &mut Command) -> Self {
        let checked = succeed(check);
        for name in ["graph", "bindings"] {
            let line = checked.lines().find(|line| line.trim().starts_with(name)).unwrap();
            let value = line.split_whitespace().last().unwrap().to_string();
            self.values.insert(name.to_string(), value);
        }
        self
    }

    /// Returns what was printed since the last answer, up to a prompt; `None` at the end.
    ///
    /// A prompt is recognised by the beginning of its line, because a read may cut any other line.
    pub(crate) fn prompt(&mut self) -> Option<String> {
        loop {
            let open = &self.said[self.read..];
            // On a narrow screen a prompt goes on in rows that begin with its margin.
            let rows = open.split('\n').rev();
            let begins = |row: &&str| row.starts_with(PROMPT) || !row.starts_with("  ");
            if rows.clone().find(begins).is_some_and(|row| row.starts_with(PROMPT))
                && open.ends_with(": ")
            {
                return Some(open.to_string());
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(octets) => self.said.push_str(&String::from_utf8_lossy(&octets)),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(error) => panic!("{error}: {}", self.said),
            }
        }
    }

    /// Returns the next prompt after the current one, which is not answered.
    pub(crate) fn asked_again(&mut self) -> String {
        self.read = self.said.len();
        self.prompt().unwrap_or_else(|| panic!("{}", self.said))
    }

    pub(crate) fn answer(&mut self, line: &str) {
        self.read = self.said.len();
        self.presses(format!("{line}\n").as_bytes());
    }

    /// Types something at the current prompt, and returns the next prompt.
    pub(crate) fn types(&mut self, line: &str) -> String {
        self.prompt().unwrap();
        self.answer(line);
        self.prompt().unwrap_or_else(|| panic!("{}", self.said))
    }

    /// Answers as planned until a step with this title asks its question; returns the prompt.
    pub(crate) fn until(&mut self, title: &str) -> String {
        loop {
            let open = self.prompt().unwrap_or_else(|| panic!("no {title}: {}", self.said));
            if open.contains(&format!(". {title} [")) {
                return open;
            }
            self.as_planned(&open);
        }
    }

    /// Answers as planned to the end; returns the exit code, as a shell does.
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

    /// Answers as planned until two people are asked to consent to something; returns the prompt.
    pub(crate) fn until_asked_to_consent(&mut self) -> String {
        loop {
            let open = self.prompt().unwrap_or_else(|| panic!("no consent: {}", self.said));
            if open.ends_with("who consent; otherwise no: ") {
                return open;
            }
            self.as_planned(&open);
        }
    }

    /// Answers as planned until this is asked; returns the prompt.
    pub(crate) fn until_prompt(&mut self, asked: &str) -> String {
        loop {
            let open = self.prompt().unwrap_or_else(|| panic!("no {asked}: {}", self.said));
            if open.ends_with(&format!("{PROMPT}{asked}")) {
                return open;
            }
            self.as_planned(&open);
        }
    }

    /// Answers as planned until the PIN of an HSM is asked for.
    pub(crate) fn until_login(&mut self) -> String {
        loop {
            let open = self.prompt().unwrap_or_else(|| panic!("no login: {}", self.said));
            if open.ends_with(", user PIN: ") {
                return open;
            }
            self.as_planned(&open);
        }
    }

    /// Waits for the end without answering; returns the exit code, as a shell does.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        let limit = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() < limit => std::thread::sleep(Duration::from_millis(20)),
                None => panic!("it does not end: {}", self.said),
            }
        };
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
        let prompt = open.rsplit("\n> ").next().unwrap().replace("\r\n  ", " ");
        let prompt = prompt.as_str();
        if WHO.contains(&prompt) {
            // The duties stand between the title of the step and its first question.
            let step = self.said.rsplit("\n── ").next().unwrap().to_string();
            return self.answer(&people(&step).join(" "));
        }
        if NOTED.contains(&prompt) {
            self.values.insert("head".into(), shown_head(open));
            return self.answer("p13");
        }
        if prompt.ends_with(AT_CARD) {
            return self.answer("");
        }
        if prompt.ends_with("SO PIN: ") {
            return self.answer(SO_PIN);
        }
        if ["user PIN: ", "利用者の PIN: "].iter().any(|end| prompt.ends_with(end)) {
            return self.answer(PIN);
        }
        if prompt.contains("as read aloud") || prompt.contains("読み上げた初め") {
            return self.answer(&first_words(open));
        }
        let token = open.split("(token ").nth(1).and_then(|rest| rest.split(')').next());
        let plate = format!("plate of {}", token.unwrap_or("root"));
        let is_of_plate = ["plate: ", "銘板の製造番号: "].contains(&prompt);
        let prompt = if is_of_plate { &plate } else { prompt };
        let is_of = |name: &str| prompt.starts_with(name) || prompt.ends_with(name);
        let known = self.values.iter().find(|(name, _)| is_of(name));
        let (_, value) = known.unwrap_or_else(|| panic!("{prompt}: {open}"));
        self.answer(&value.clone());
    }

    /// Sends keys that are not a line, such as Ctrl-C.
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

/// As many as are asked for, of each duty of a step: `key custodian 2 of A (p04), B (p05)`, or in
/// Japanese `秘密鍵管理者 2 名: A (p04), B (p05)`.
fn people(step: &str) -> Vec<String> {
    let mut by = Vec::new();
    for line in step.lines().filter_map(|line| line.trim_end().strip_prefix("   ")) {
        let in_japanese = || line.split_once(" 名: ").or_else(|| line.split_once(" 名): "));
        let Some((role, persons)) = line.split_once(" of ").or_else(in_japanese) else { continue };
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
