//! Keeps a PIN where it belongs: from the keyboard, or an open file descriptor, into the token.
//!
//! No PIN is ever in an argument, the environment, a file, a log or a core dump; what held one is
//! overwritten.

use std::io::Read as _;
use std::os::fd::{FromRawFd as _, RawFd};

use ceremony::run::Fault;
use token::Pin;

use crate::exit::Halt;

/// Where a PIN comes from.
#[derive(Debug)]
pub(crate) enum PinSource {
    /// The terminal, without echo.
    Terminal,
    /// An open file descriptor, until its end or the first line's end; read once.
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
            Self::Terminal => {
                let typed = rpassword::prompt_password(prompt)
                    .map_err(|error| no_pin(&error.to_string()))?;
                Ok(Pin::new(typed.into_bytes()))
            }
            Self::Descriptor(descriptor) => {
                let descriptor =
                    descriptor.take().ok_or_else(|| no_pin("the descriptor was read already"))?;
                read_descriptor(descriptor)
            }
        }
    }
}

#[expect(unsafe_code, reason = "a descriptor number from the command line has no owner yet")]
fn read_descriptor(descriptor: RawFd) -> Result<Pin, Halt> {
    // SAFETY: the caller of gishiki opened this descriptor for us and names it once; nothing else
    // here owns it.
    let file = unsafe { std::fs::File::from_raw_fd(descriptor) };
    let mut octets = Vec::with_capacity(256);
    file.take(256).read_to_end(&mut octets).map_err(|error| no_pin(&error.to_string()))?;
    let end = octets.iter().position(|octet| *octet == b'\n').unwrap_or(octets.len());
    let rest = octets.split_off(end);
    drop(Pin::new(rest));
    Ok(Pin::new(octets))
}

fn no_pin(found: &str) -> Halt {
    Halt::Interrupted(Fault {
        rule: "S-TERMINAL",
        asked: "a PIN from the terminal or from --pin-fd".to_string(),
        found: found.to_string(),
    })
}
