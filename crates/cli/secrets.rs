//! Keeps a PIN where it belongs: from the keyboard, or an open file descriptor, into the token.
//!
//! No PIN is ever in an argument, the environment, a file, a log or a core dump; what held one is
//! overwritten. A terminal that is silent for a PIN gets its echo back, whatever ends the question
//! (`signals.rs`).

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ceremony::fault::Fault;
use ceremony::rule::RuleId;
use rustix::fs::OFlags;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use token::{LONGEST, Pin, TooLong};

use crate::halt::Halt;
use crate::lang::{Lang, pick};

/// How a line begins that waits for somebody to type, and no other line: people see at a glance
/// that it is their turn.
pub(crate) const PROMPT: &str = "> ";

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
    pub(crate) fn take(&mut self, prompt: &str, lang: Lang) -> Result<Pin, Halt> {
        match self {
            Self::Terminal => typed(prompt, lang),
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

/// A descriptor that was named for a PIN is open, and can be read. Asked before anything else is
/// opened: whatever is opened next gets the first number that is free, and would be taken for it.
#[expect(unsafe_code, reason = "a descriptor number from the command line has no owner yet")]
pub(crate) fn judge_descriptor(named: Option<u32>) -> Result<(), Halt> {
    let Some(named) = named else { return Ok(()) };
    let refused = |found: &str| {
        let asked = format!(
            "descriptor {named} of --pin-fd, open for reading, as by a redirection `{named}< …`; without --pin-fd the PIN is asked for at the terminal"
        );
        Err(Halt::media(RuleId::S_TERMINAL, asked, found))
    };
    let Ok(number @ 0..) = RawFd::try_from(named) else { return refused("no such number") };
    // SAFETY: it is asked for its flags only; the kernel refuses a number that is not open.
    let flags = rustix::fs::fcntl_getfl(unsafe { BorrowedFd::borrow_raw(number) });
    match flags {
        Err(_) => refused("none that is open"),
        Ok(flags) if flags.contains(OFlags::PATH) => refused("one that cannot be read"),
        Ok(flags) if flags & OFlags::RWMODE == OFlags::WRONLY => {
            refused("one that is only written")
        }
        Ok(_) => Ok(()),
    }
}

/// A PIN from the keyboard. An empty line is none: the token, which would count it, is not asked.
/// The terminal is silent before it is asked for, so that nothing of it is
/// shown, however early it is typed; what was typed before the question is no answer to it.
fn typed(prompt: &str, lang: Lang) -> Result<Pin, Halt> {
    let failed = |error: std::io::Error| no_pin(&error.to_string());
    let mut tty = File::options().read(true).write(true).open("/dev/tty").map_err(failed)?;
    let leaves = pick(lang, "   (やめるには Ctrl-D)\n", "   (to leave: Ctrl-D)\n");
    tty.write_all(leaves.as_bytes()).map_err(failed)?;
    let _asked = Asked::silent(tty.try_clone().map_err(failed)?, prompt).map_err(failed)?;
    loop {
        tty.write_all(format!("{PROMPT}{prompt}").as_bytes()).map_err(failed)?;
        let line = read_line(tty.as_fd());
        // Enter was not shown either.
        tty.write_all(b"\n").map_err(failed)?;
        match line? {
            (_, true) => return Err(no_pin("the end of the terminal's input")),
            (pin, false) if pin.is_no_pin() => {
                let none = pick(
                    lang,
                    "   ✗ PIN ではありません。トークンには尋ねていません\n",
                    "   ✗ that is no PIN; the token was not asked\n",
                );
                tty.write_all(none.as_bytes()).map_err(failed)?;
            }
            (pin, false) => return Ok(pin),
        }
    }
}

/// The question that waits at the terminal now, if one does.
static WAITING: Mutex<Option<Waiting>> = Mutex::new(None);

/// A question at a terminal, and how the terminal was before it fell silent for it.
#[derive(Debug)]
struct Waiting {
    tty: File,
    prompt: String,
    before: Option<Termios>,
}

/// While this lives, a question waits: after a stop it is shown once more, and where it is for a
/// PIN the terminal has no echo.
#[must_use]
pub(crate) struct Asked;

impl Asked {
    /// A question whose answer is shown as it is typed.
    pub(crate) fn shown(tty: File, prompt: &str) -> Self {
        *waiting_now() = Some(Waiting { tty, prompt: prompt.to_string(), before: None });
        Self
    }

    fn silent(tty: File, prompt: &str) -> std::io::Result<Self> {
        let before = Some(tcgetattr(&tty)?);
        let waiting = Waiting { tty, prompt: prompt.to_string(), before };
        // Whoever restores it waits until it is both silent and known to be.
        let mut now = waiting_now();
        waiting.hush()?;
        *now = Some(waiting);
        Ok(Self)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(waiting) = waiting_now().take() {
            waiting.restore();
        }
    }
}

impl Waiting {
    fn hush(&self) -> std::io::Result<()> {
        let Some(before) = &self.before else { return Ok(()) };
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        Ok(tcsetattr(&self.tty, OptionalActions::Flush, &silent)?)
    }

    /// What was typed of a PIN and not read goes: with echo, somebody else would read it.
    fn restore(&self) {
        if let Some(before) = &self.before {
            // A terminal that has gone needs no echo.
            let _ = tcsetattr(&self.tty, OptionalActions::Flush, before);
        }
    }
}

fn waiting_now() -> MutexGuard<'static, Option<Waiting>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The process is about to end, or to stop: the terminal has its echo again.
pub(crate) fn restore_echo() {
    if let Some(waiting) = waiting_now().as_ref() {
        waiting.restore();
    }
}

/// The process goes on after a stop: what was asked is asked once more.
pub(crate) fn ask_again() {
    if let Some(waiting) = waiting_now().as_ref()
        && waiting.hush().is_ok()
    {
        let _ = (&waiting.tty).write_all(format!("\n{PROMPT}{}", waiting.prompt).as_bytes());
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
        rule: RuleId::S_TERMINAL,
        asked: "a PIN, typed at the terminal or from the descriptor that was named".to_string(),
        found: found.to_string(),
    })
}
