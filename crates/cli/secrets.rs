//! Brings a PIN, or a line of a share of one, from the keyboard or from an open file descriptor to
//! whoever puts it into the token (`pins.rs`), and nowhere else.
//!
//! No PIN is ever in an argument, the environment, a file, a log or a core dump; memory that held a
//! PIN is overwritten. A terminal whose echo is off for a PIN gets it back however the question
//! ends (`signals.rs`).

pub(crate) mod sheet;

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ceremony::fault::Fault;
use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use ceremony::says;
use rustix::fs::OFlags;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use token::{LONGEST, Pin, TooLong};

use crate::files::said;
use crate::halt::Halt;
use crate::lang::{Lang, pick};
use crate::rows;

/// The beginning of every line that waits for input, and of no other line.
///
/// People see at a glance that it is their turn.
pub(crate) const PROMPT: &str = "> ";

/// The source of PINs.
#[derive(Debug)]
pub(crate) enum PinSource {
    /// The terminal, without echo.
    Terminal,
    /// An open file descriptor with one PIN on each line, in the order in which they are asked for.
    ///
    /// `None` after its end was read. The last line needs no line end.
    Descriptor(Option<RawFd>),
}

/// Disables core dumps, and access to this process by other processes of the same user.
pub(crate) fn keep_out_of_dumps() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    // Both calls fail only on kernels without these features, which write no dumps either.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Keeps the memory of this process out of any swap, where no limit of locked memory holds for it:
/// so it is on the live image, which has no swap besides. Under a limit, memory that a ceremony
/// needs later would be refused.
pub(crate) fn keep_out_of_swap() {
    use rustix::mm::{MlockAllFlags, mlockall};
    use rustix::thread::{CapabilitySet, capabilities};
    let may = |sets: CapabilitySet| sets.contains(CapabilitySet::IPC_LOCK);
    if capabilities(None).is_ok_and(|sets| may(sets.effective)) {
        let _ = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE);
    }
}

impl PinSource {
    /// The source that a command line names: this descriptor, otherwise the terminal.
    pub(crate) fn of(descriptor: Option<u32>) -> Self {
        let number = |fd| Self::Descriptor(i32::try_from(fd).ok());
        descriptor.map_or(Self::Terminal, number)
    }

    /// Returns a PIN for one login. A failed login is never retried automatically.
    ///
    /// What people type who have no PIN never goes to the token, which would count it as a failed
    /// attempt.
    pub(crate) fn take(&mut self, prompt: &str, lang: Lang) -> Result<Pin, Halt> {
        self.tell(pick(lang, "   (中断するには Ctrl-D)\n", "   (to leave: Ctrl-D)\n"))?;
        loop {
            let pin = self.line(prompt)?;
            if !self.is_terminal() || !pin.is_no_pin() {
                return Ok(pin);
            }
            self.tell(pick(
                lang,
                "   ✗ PIN ではありません。トークンには渡していません\n",
                "   ✗ that is no PIN; the token was not asked\n",
            ))?;
        }
    }

    /// Whether people type here, who can try again.
    pub(crate) const fn is_terminal(&self) -> bool {
        matches!(self, Self::Terminal)
    }

    /// Tells people something, if there are any.
    pub(crate) fn tell(&self, text: &str) -> Result<(), Halt> {
        match self {
            Self::Terminal => terminal()
                .and_then(|mut tty| {
                    let text = rows::fit(&tty, text);
                    tty.write_all(text.as_bytes())
                })
                .map_err(|error| no_pin(said(&error))),
            Self::Descriptor(_) => Ok(()),
        }
    }

    /// Returns one line, which is not shown.
    pub(crate) fn line(&mut self, prompt: &str) -> Result<Pin, Halt> {
        match self {
            Self::Terminal => typed(prompt),
            Self::Descriptor(descriptor) => {
                let open = descriptor.ok_or_else(|| {
                    no_pin(says!("既に最後まで読んだ記述子", "the descriptor was read already"))
                })?;
                let (pin, last) = line_of(open)?;
                if last {
                    *descriptor = None;
                }
                Ok(pin)
            }
        }
    }
}

/// Checks that the descriptor that was named for PINs is open and readable.
///
/// Call this before any file is opened: a newly opened file gets the lowest free number, and could
/// be mistaken for the descriptor.
#[expect(unsafe_code, reason = "a descriptor number from the command line has no owner yet")]
pub(crate) fn judge_descriptor(named: Option<u32>) -> Result<(), Halt> {
    let Some(named) = named else { return Ok(()) };
    let refused = |found: Bilingual| {
        let asked = says!(
            "読み出し用に開いた --pin-fd の記述子 {named}(`{named}< …` のように渡す)。--pin-fd がなければ PIN は端末で尋ねる",
            "descriptor {named} of --pin-fd, open for reading, as by a redirection `{named}< …`; without --pin-fd the PIN is asked for at the terminal"
        );
        Err(Halt::media(RuleId::S_TERMINAL, asked, found))
    };
    let Ok(number @ 0..) = RawFd::try_from(named) else {
        return refused(says!("あり得ない番号", "no such number"));
    };
    // SAFETY: the descriptor is only asked for its flags; the kernel refuses a number that is not
    // open.
    let flags = rustix::fs::fcntl_getfl(unsafe { BorrowedFd::borrow_raw(number) });
    match flags {
        Err(_) => refused(says!("開かれていない記述子", "none that is open")),
        Ok(flags) if flags.contains(OFlags::PATH) => {
            refused(says!("読み出せない記述子", "one that cannot be read"))
        }
        Ok(flags) if flags & OFlags::RWMODE == OFlags::WRONLY => {
            refused(says!("書き込み専用の記述子", "one that is open for writing only"))
        }
        Ok(_) => Ok(()),
    }
}

fn terminal() -> std::io::Result<File> {
    File::options().read(true).write(true).open("/dev/tty")
}

/// Reads a line from the keyboard.
///
/// The echo is off before the prompt is shown, so a PIN that is typed early is not shown either.
/// Input that was typed before the prompt is discarded.
fn typed(prompt: &str) -> Result<Pin, Halt> {
    let failed = |error: std::io::Error| no_pin(said(&error));
    let mut tty = terminal().map_err(failed)?;
    let _asked = Asked::silent(tty.try_clone().map_err(failed)?, prompt).map_err(failed)?;
    let shown = rows::fit(&tty, &format!("{PROMPT}{prompt}"));
    tty.write_all(shown.as_bytes()).map_err(failed)?;
    let line = read_line(tty.as_fd());
    rows::answered();
    // The Enter key was not echoed.
    tty.write_all(b"\n").map_err(failed)?;
    match line? {
        (_, true) => Err(no_pin(says!("端末の入力の終わり", "the end of the terminal's input"))),
        (pin, false) => Ok(pin),
    }
}

/// The question that now waits for an answer at the terminal, if there is one.
static WAITING: Mutex<Option<Waiting>> = Mutex::new(None);

/// A question at a terminal, and the terminal's settings before its echo was turned off.
#[derive(Debug)]
struct Waiting {
    tty: File,
    prompt: String,
    before: Option<Termios>,
}

/// A guard that exists while a question waits for its answer.
///
/// If the process is stopped and continued meanwhile, the question is shown again; for a PIN, the
/// echo is off while the guard exists.
#[must_use]
pub(crate) struct Asked;

impl Asked {
    /// Begins a question whose answer is echoed.
    pub(crate) fn shown(tty: File, prompt: &str) -> Self {
        *waiting_now() = Some(Waiting { tty, prompt: prompt.to_string(), before: None });
        Self
    }

    fn silent(tty: File, prompt: &str) -> std::io::Result<Self> {
        let before = Some(tcgetattr(&tty)?);
        let waiting = Waiting { tty, prompt: prompt.to_string(), before };
        // The lock is held until the echo is off and `WAITING` is set, so that a signal restores
        // the echo only after both.
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

    /// Restores the echo, and discards the part of a PIN that was typed but not read.
    ///
    /// With the echo on, that part would go to whatever reads the terminal next.
    fn restore(&self) {
        if let Some(before) = &self.before {
            // A terminal that is gone needs no echo.
            let _ = tcsetattr(&self.tty, OptionalActions::Flush, before);
        }
    }
}

fn waiting_now() -> MutexGuard<'static, Option<Waiting>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Restores the echo, and clears a sheet, because the process is about to end or to stop.
pub(crate) fn leave_terminal() {
    sheet::clear();
    if let Some(waiting) = waiting_now().as_ref() {
        waiting.restore();
    }
}

/// Shows the waiting question again, because the process was stopped and goes on.
pub(crate) fn ask_again() {
    if let Some(waiting) = waiting_now().as_ref()
        && waiting.hush().is_ok()
    {
        let shown = rows::fit(&waiting.tty, &format!("\n{PROMPT}{}", waiting.prompt));
        let _ = (&waiting.tty).write_all(shown.as_bytes());
    }
}

/// Reads the next PIN from a descriptor, and returns whether the end was reached.
#[expect(unsafe_code, reason = "a descriptor number from the command line has no owner yet")]
fn line_of(descriptor: RawFd) -> Result<(Pin, bool), Halt> {
    // SAFETY: the caller of gishiki opened this descriptor for us, and nothing here closes it.
    let (pin, last) = read_line(unsafe { BorrowedFd::borrow_raw(descriptor) })?;
    if last && pin.is_empty() {
        return Err(no_pin(says!("残りの行のない記述子", "no line left in the descriptor")));
    }
    Ok((pin, last))
}

/// Reads one line, and returns whether the end of the input was reached.
///
/// It reads octet by octet into the PIN's own memory, so no other buffer holds the PIN, and the
/// lines after it stay unread.
fn read_line(from: BorrowedFd<'_>) -> Result<(Pin, bool), Halt> {
    let mut pin = Pin::empty();
    let mut octet = zeroize::Zeroizing::new([0]);
    loop {
        match rustix::io::read(from, octet.as_mut_slice()) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(no_pin(said(&error.into()))),
            Ok(0) => return Ok((pin, true)),
            Ok(_) if *octet == *b"\n" => return Ok((pin, false)),
            Ok(_) => {
                let [next] = *octet;
                pin.push(next).map_err(|TooLong| {
                    no_pin(says!(
                        "{LONGEST} オクテットを超える行",
                        "a line of more than {LONGEST} octets"
                    ))
                })?;
            }
        }
    }
}

fn no_pin(found: Bilingual) -> Halt {
    let asked = says!(
        "PIN(端末で入力するか、指定された記述子から読むもの)",
        "a PIN, typed at the terminal or from the descriptor that was named"
    );
    Halt::Interrupted(Fault::new(RuleId::S_TERMINAL, asked, found))
}
