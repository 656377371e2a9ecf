//! Connects the screen with a pseudo-terminal for the dialogue, and keeps what was shown, so that
//! page up (with or without shift) scrolls back.
//!
//! `bterm`, the terminal of the image's screen, does not keep lines that scrolled off. So the
//! dialogue runs on a pseudo-terminal, and its output passes through this module.
//!
//! **Invariant:** input goes to the dialogue and is not kept. While somebody scrolls back, input is
//! discarded.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, Command};

use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    InputModes, OptionalActions, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};
use zeroize::Zeroizing;

use super::shown::Shown;
use crate::args::Line;
use crate::files::said;
use crate::halt::Halt;

/// The sequences that a terminal sends for page up and page down.
const PAGE_UP: &[u8] = b"\x1b[5~";
const PAGE_DOWN: &[u8] = b"\x1b[6~";

/// The size of a read in octets.
const ROOM: usize = 4096;

/// Runs the dialogue on standard input and output until it ends.
pub(crate) fn carry(line: Line) -> Result<(), Halt> {
    let screen = tty(std::io::stdin().as_fd()).map_err(|error| failed(&error))?;
    let mut carrier = Carrier::begin(screen, line).map_err(|error| failed(&error))?;
    let ended = carrier.carry();
    let Carrier { terminal, mut dialogue, .. } = carrier;
    // If the screen is gone, closing the pseudo-terminal tells the dialogue so.
    drop(terminal);
    let status = dialogue.wait();
    ended.map_err(|error| failed(&error))?;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Halt::Told(Box::new(Halt::media(
            RuleId::S_LIVE,
            says!("対話", "the dialogue"),
            Bilingual::plain(status),
        )))),
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &std::io::Error) -> Halt {
    let asked = says!("対話のための端末", "a terminal of the dialogue's own");
    Halt::media(RuleId::S_TERMINAL, asked, said(error))
}

fn tty(fd: std::os::fd::BorrowedFd<'_>) -> std::io::Result<File> {
    Ok(File::from(fd.try_clone_to_owned()?))
}

/// The screen, the dialogue's pseudo-terminal, and the dialogue's output so far.
struct Carrier {
    screen: File,
    terminal: File,
    dialogue: Child,
    size: (usize, usize),
    shown: Shown,
    /// Input that may be the beginning of a key's escape sequence.
    typed: Zeroizing<Vec<u8>>,
    /// How many rows people have scrolled back.
    back: usize,
}

/// A key press.
#[derive(Debug, PartialEq, Eq)]
enum Key {
    Up,
    Down,
    /// One octet of any other input, which goes to the dialogue.
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

    /// Carries input and output until the dialogue's terminal is closed.
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
                    // The kernel reports in this way that the other end is closed.
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

    /// Keeps output of the dialogue, and shows it unless people have scrolled back.
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

/// Returns rows and columns of the screen; 24 and 80 if they are unknown.
fn rows_and_columns(size: Winsize) -> (usize, usize) {
    match (size.ws_row, size.ws_col) {
        (0, _) | (_, 0) => (24, 80),
        (rows, columns) => (rows.into(), columns.into()),
    }
}

/// Removes the next key from the input; returns `None` while its sequence is incomplete.
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
        // Any other sequence goes to the dialogue.
        let other = [b'\x1b', b'[', b'A'].map(Key::Other);
        assert_eq!(keys(b"\x1b[A", &mut typed), other);
        assert_eq!(keys("時".as_bytes(), &mut typed).len(), 3);
        assert!(typed.is_empty());
    }
}
