//! Carries the dialogue between the screen and a terminal of its own, and keeps what was shown:
//! page up looks back, with shift or without.
//!
//! The terminal of the image's screen, `bterm`, forgets what has left it. So the dialogue gets
//! another one behind it, whose octets pass through here.
//!
//! **Invariant:** what is typed goes to the dialogue and is kept nowhere; while somebody looks back
//! nothing that is typed goes anywhere.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, Command};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    InputModes, OptionalActions, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};
use zeroize::Zeroizing;

use super::shown::Shown;
use crate::args::Line;
use crate::halt::Halt;

use ceremony::rule::RuleId;

/// What a terminal sends for page up and page down.
const PAGE_UP: &[u8] = b"\x1b[5~";
const PAGE_DOWN: &[u8] = b"\x1b[6~";

/// Octets that are read at once.
const ROOM: usize = 4096;

/// Leads the dialogue on standard input and output until it ends.
pub(crate) fn carry(line: Line) -> Result<(), Halt> {
    let screen = tty(std::io::stdin().as_fd()).map_err(|error| failed(&error))?;
    let mut carrier = Carrier::begin(screen, line).map_err(|error| failed(&error))?;
    let ended = carrier.carry();
    let Carrier { terminal, mut dialogue, .. } = carrier;
    // Where the screen has gone, the dialogue is told so: its terminal is gone as well.
    drop(terminal);
    let status = dialogue.wait();
    ended.map_err(|error| failed(&error))?;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Halt::Told(Box::new(Halt::media(
            RuleId::S_LIVE,
            "the dialogue",
            status.to_string(),
        )))),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &std::io::Error) -> Halt {
    Halt::media(RuleId::S_TERMINAL, "a terminal of the dialogue's own", error.to_string())
}

fn tty(fd: std::os::fd::BorrowedFd<'_>) -> std::io::Result<File> {
    Ok(File::from(fd.try_clone_to_owned()?))
}

/// The screen, the dialogue's terminal, and what went from the latter to the former.
struct Carrier {
    screen: File,
    terminal: File,
    dialogue: Child,
    size: (usize, usize),
    shown: Shown,
    /// What was typed and may be the beginning of a key's sequence.
    typed: Zeroizing<Vec<u8>>,
    /// How many rows people look back.
    back: usize,
}

/// What people press.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Up,
    Down,
    /// Anything that the dialogue gets.
    Other(u8),
}

impl Carrier {
    fn begin(screen: File, line: Line) -> std::io::Result<Self> {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&terminal)?;
        unlockpt(&terminal)?;
        let name = ptsname(&terminal, Vec::new())?;
        let name = name.to_str().map_err(std::io::Error::other)?;
        let inner = File::options().read(true).write(true).open(name)?;
        let mut before = tcgetattr(&screen)?;
        before.input_modes.insert(InputModes::IUTF8);
        tcsetattr(&inner, OptionalActions::Now, &before)?;
        let size = tcgetwinsize(&screen)?;
        tcsetwinsize(&inner, size)?;
        before.make_raw();
        tcsetattr(&screen, OptionalActions::Now, &before)?;
        let mut dialogue = Command::new("setsid");
        let here = match line {
            Line::Screen => "screen",
            Line::Console => "console",
            Line::Serial => "serial",
        };
        dialogue.args(["-c", "gishiki", "live", "--here", here]);
        dialogue.stdin(inner.try_clone()?).stdout(inner.try_clone()?).stderr(inner);
        Ok(Self {
            screen,
            terminal: File::from(terminal),
            dialogue: dialogue.spawn()?,
            size: rows_and_columns(size),
            shown: Shown::default(),
            typed: Zeroizing::new(Vec::new()),
            back: 0,
        })
    }

    /// Returns when nobody writes to the dialogue's terminal any more.
    fn carry(&mut self) -> std::io::Result<()> {
        let mut octets = Zeroizing::new([0; ROOM]);
        loop {
            let mut ready = [
                PollFd::new(&self.screen, PollFlags::IN),
                PollFd::new(&self.terminal, PollFlags::IN),
            ];
            match poll(&mut ready, None) {
                Err(Errno::INTR) => continue,
                polled => polled?,
            };
            let [typed, said] = ready.map(|one| !one.revents().is_empty());
            if said {
                match self.terminal.read(octets.as_mut_slice()) {
                    // So the kernel says that nobody has the other end open.
                    Ok(0) => return Ok(()),
                    Err(error) if Errno::from_io_error(&error) == Some(Errno::IO) => return Ok(()),
                    read => self.say(octets.get(..read?).unwrap_or_default())?,
                }
            }
            if typed {
                let count = self.screen.read(octets.as_mut_slice())?;
                if count == 0 {
                    return Ok(());
                }
                self.typed.extend(octets.get(..count).unwrap_or_default());
                while let Some(key) = next(&mut self.typed) {
                    self.press(&key)?;
                }
            }
        }
    }

    /// The dialogue says something: it is shown now, or when people look no longer back.
    fn say(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.shown.take(octets);
        if self.back == 0 { self.screen.write_all(octets) } else { Ok(()) }
    }

    fn press(&mut self, key: &Key) -> std::io::Result<()> {
        let (rows, columns) = self.size;
        let page = rows.saturating_sub(2).max(1);
        let back = match key {
            Key::Up => (self.back + page).min(self.shown.furthest(columns, rows)),
            Key::Down => self.back.saturating_sub(page),
            Key::Other(octet) if self.back == 0 => return self.terminal.write_all(&[*octet]),
            Key::Other(_) => 0,
        };
        if back == 0 && self.back == 0 {
            return Ok(());
        }
        self.back = back;
        let drawn = match back {
            0 => self.shown.now(columns, rows),
            back => self.shown.before(columns, rows, back),
        };
        self.screen.write_all(drawn.as_bytes())
    }
}

/// Rows and columns; those of the oldest terminals where nobody says how many.
fn rows_and_columns(size: Winsize) -> (usize, usize) {
    match (size.ws_row, size.ws_col) {
        (0, _) | (_, 0) => (24, 80),
        (rows, columns) => (rows.into(), columns.into()),
    }
}

/// The next key of what was typed; none where its sequence has not ended.
fn next(typed: &mut Vec<u8>) -> Option<Key> {
    for (sequence, key) in [(PAGE_UP, Key::Up), (PAGE_DOWN, Key::Down)] {
        if typed.starts_with(sequence) {
            typed.drain(..sequence.len());
            return Some(key);
        }
    }
    let begun = [PAGE_UP, PAGE_DOWN].iter().any(|sequence| sequence.starts_with(typed));
    if begun || typed.is_empty() {
        return None;
    }
    Some(Key::Other(typed.remove(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_keys_are_known_however_they_come_and_the_rest_passes() {
        let keys = |octets: &[u8], typed: &mut Vec<u8>| {
            typed.extend(octets);
            std::iter::from_fn(|| next(typed)).collect::<Vec<Key>>()
        };
        let mut typed = Vec::new();
        assert_eq!(keys(b"a\x1b[5~\n", &mut typed), [Key::Other(b'a'), Key::Up, Key::Other(b'\n')]);
        assert_eq!(keys(b"\x1b[", &mut typed), []);
        assert_eq!(keys(b"6~", &mut typed), [Key::Down]);
        // Another sequence is the dialogue's.
        let other = [b'\x1b', b'[', b'A'].map(Key::Other);
        assert_eq!(keys(b"\x1b[A", &mut typed), other);
        assert_eq!(keys("時".as_bytes(), &mut typed).len(), 3);
        assert!(typed.is_empty());
    }
}
