//! Keeps a PIN where it belongs: from the keyboard, or an open file descriptor, into the token.
//!
//! No PIN is ever in an argument, the environment, a file, a log or a core dump; what held one is
//! overwritten. A terminal that is silent for a PIN gets its echo back, whatever ends the question
//! (`signals.rs`).

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ceremony::run::Fault;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use token::{LONGEST, Pin, TooLong};

use crate::exit::Halt;
use crate::people::PROMPT;

/// Where a PIN comes from.
#[derive(Debug)]
pub(crate) enum PinSource {
    /// The terminal, without echo.
    Terminal,
    /// An open file descriptor with one PIN a line, in the order in which they are asked for; none
    /// when its end was read. The last line needs no end.
    Descriptor(Option<RawFd>),
}

/// No core dump, and no other process of this user may look into this one.
pub(crate) fn keep_out_of_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    // Both can only fail on kernels without them, which have no dumps to keep it out of.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

impl PinSource {
    /// Takes a PIN. Each one is used for one login; a failure is never retried by itself.
    pub(crate) fn take(&mut self, prompt: &str) -> Result<Pin, Halt> {
        match self {
            Self::Terminal => typed(prompt),
            Self::Descriptor(descriptor) => {
                let open = descriptor.ok_or_else(|| no_pin("the descriptor was read already"))?;
                let (pin, last) = line_of(open)?;
                if last {
                    *descriptor = None;
                }
                Ok(pin)
            }
        }
    }
}

/// A PIN from the keyboard. The terminal is silent before it is asked for, so that nothing of it is
/// shown, however early it is typed; what was typed before the question is no answer to it.
fn typed(prompt: &str) -> Result<Pin, Halt> {
    let failed = |error: std::io::Error| no_pin(&error.to_string());
    let mut tty = File::options().read(true).write(true).open("/dev/tty").map_err(failed)?;
    let _silence = Silence::begin(tty.try_clone().map_err(failed)?, prompt).map_err(failed)?;
    tty.write_all(format!("{PROMPT}{prompt}").as_bytes()).map_err(failed)?;
    let line = read_line(tty.as_fd());
    // Enter was not shown either.
    tty.write_all(b"\n").map_err(failed)?;
    match line? {
        (_, true) => Err(no_pin("the end of the terminal's input")),
        (pin, false) => Ok(pin),
    }
}

/// The terminal that is silent now, and how it was before.
static SILENT: Mutex<Option<Silent>> = Mutex::new(None);

/// A terminal without echo, and the question that it is silent for.
#[derive(Debug)]
struct Silent {
    tty: File,
    before: Termios,
    prompt: String,
}

/// While this lives, the terminal has no echo.
#[must_use]
struct Silence;

impl Silence {
    fn begin(tty: File, prompt: &str) -> std::io::Result<Self> {
        let before = tcgetattr(&tty)?;
        let silent = Silent { tty, before, prompt: prompt.to_string() };
        // Whoever restores it waits until it is both silent and known to be.
        let mut now = silent_now();
        silent.hush()?;
        *now = Some(silent);
        Ok(Self)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(silent) = silent_now().take() {
            silent.restore();
        }
    }
}

impl Silent {
    fn hush(&self) -> std::io::Result<()> {
        let mut silent = self.before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        Ok(tcsetattr(&self.tty, OptionalActions::Flush, &silent)?)
    }

    /// What was typed of a PIN and not read goes: with echo, somebody else would read it.
    fn restore(&self) {
        // A terminal that has gone needs no echo.
        let _ = tcsetattr(&self.tty, OptionalActions::Flush, &self.before);
    }
}

fn silent_now() -> MutexGuard<'static, Option<Silent>> {
    SILENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process is about to end, or to stop: the terminal has its echo again.
pub(crate) fn restore_echo() {
    if let Some(silent) = silent_now().as_ref() {
        silent.restore();
    }
}

/// The process goes on after a stop: where a PIN was asked for, it is asked for once more.
pub(crate) fn ask_again() {
    if let Some(silent) = silent_now().as_ref()
        && silent.hush().is_ok()
    {
        let _ = (&silent.tty).write_all(format!("\n{PROMPT}{}", silent.prompt).as_bytes());
    }
}

/// The next PIN of a descriptor, and whether it was the last.
#[expect(unsafe_code, reason = "a descriptor number from the command line has no owner yet")]
fn line_of(descriptor: RawFd) -> Result<(Pin, bool), Halt> {
    // SAFETY: the caller of gishiki opened this descriptor for us, and nothing here closes it.
    let (pin, last) = read_line(unsafe { BorrowedFd::borrow_raw(descriptor) })?;
    if last && pin.is_empty() {
        return Err(no_pin("no line left in the descriptor"));
    }
    Ok((pin, last))
}

/// A line, and whether it ended with the end of everything. Read octet by octet into the room that
/// a PIN has: nothing else holds it, and those behind it stay where they are.
fn read_line(from: BorrowedFd<'_>) -> Result<(Pin, bool), Halt> {
    let mut pin = Pin::empty();
    let mut octet = zeroize::Zeroizing::new([0]);
    loop {
        match rustix::io::read(from, octet.as_mut_slice()) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(no_pin(&error.to_string())),
            Ok(0) => return Ok((pin, true)),
            Ok(_) if *octet == *b"\n" => return Ok((pin, false)),
            Ok(_) => {
                let [next] = *octet;
                let longest = format!("a line of more than {LONGEST} octets");
                pin.push(next).map_err(|TooLong| no_pin(&longest))?;
            }
        }
    }
}

fn no_pin(found: &str) -> Halt {
    Halt::Interrupted(Fault {
        rule: "S-TERMINAL",
        asked: "a PIN, typed at the terminal or from the descriptor that was named".to_string(),
        found: found.to_string(),
    })
}
