//! Keeps a PIN where it belongs: from the keyboard, or an open file descriptor, into the token.
//!
//! No PIN is ever in an argument, the environment, a file, a log or a core dump; what held one is
//! overwritten.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{BorrowedFd, RawFd};

use ceremony::run::Fault;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use token::Pin;

use crate::exit::Halt;

/// More octets than this has no PIN.
const LONGEST: usize = 256;

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
            Self::Terminal => typed(prompt).map_err(|error| no_pin(&error.to_string())),
            Self::Descriptor(descriptor) => {
                let open = descriptor.ok_or_else(|| no_pin("the descriptor was read already"))?;
                let (pin, last) = read_line(open)?;
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
fn typed(prompt: &str) -> std::io::Result<Pin> {
    let mut tty = File::options().read(true).write(true).open("/dev/tty")?;
    let _silent = Silent::make(tty.try_clone()?)?;
    tty.write_all(prompt.as_bytes())?;
    Ok(Pin::new(rpassword::read_password()?.into_bytes()))
}

/// A terminal without echo, until this is dropped.
struct Silent {
    tty: File,
    before: Termios,
}

impl Silent {
    fn make(tty: File) -> std::io::Result<Self> {
        let before = tcgetattr(&tty)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&tty, OptionalActions::Flush, &silent)?;
        Ok(Self { tty, before })
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that has gone needs no echo.
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.before);
    }
}

/// The next PIN of a descriptor, and whether it was the last. Read octet by octet: those behind it
/// stay where they are.
#[expect(unsafe_code, reason = "a descriptor number from the command line has no owner yet")]
fn read_line(descriptor: RawFd) -> Result<(Pin, bool), Halt> {
    // SAFETY: the caller of gishiki opened this descriptor for us, and nothing here closes it.
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    // It never grows beyond its room: a PIN that was moved would be left where it was.
    let mut pin = Vec::with_capacity(LONGEST);
    let mut octet = [0];
    let end = loop {
        match rustix::io::read(descriptor, &mut octet) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => break Err(error.to_string()),
            Ok(0) if pin.is_empty() => break Err("no line left in the descriptor".into()),
            Ok(0) => break Ok(true),
            Ok(_) if octet == *b"\n" => break Ok(false),
            Ok(_) if pin.len() == LONGEST => break Err("a line that is too long".into()),
            Ok(_) => pin.extend(octet),
        }
    };
    let pin = Pin::new(pin);
    end.map(|last| (pin, last)).map_err(|found: String| no_pin(&found))
}

fn no_pin(found: &str) -> Halt {
    Halt::Interrupted(Fault {
        rule: "S-TERMINAL",
        asked: "a PIN from the terminal or from --pin-fd".to_string(),
        found: found.to_string(),
    })
}
