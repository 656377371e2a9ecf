//! What happens when the machine refuses memory.
//!
//! Memory for an input is requested in steps, each of which may fail with an error (`files.rs`),
//! and every input has a bound. If memory for ordinary work is refused, the standard library prints
//! how many octets were requested and aborts; a token's module may abort as well. The process
//! cannot continue then, and ends with an exit code of its own.
//!
//! **Deliberately absent:** a message of gishiki. A process without memory prints nothing besides
//! the message of the standard library; the same command is then given again.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGABRT;
use signal_hook::flag::register_conditional_shutdown;

/// The exit code of a process that was aborted for lack of memory: "operating system error" of
/// sysexits.
const REFUSED: i32 = 71;

/// How many octets of the stack are touched at the start.
///
/// If the system refuses memory to a growing stack later, a signal ends the process, without an
/// exit code.
const STACK: usize = 1 << 20;

/// Makes every later abort end the process with its exit code.
pub(crate) fn heed() {
    reach();
    // If this fails, an abort ends the process by its signal, as it does by default.
    let _ = register_conditional_shutdown(SIGABRT, REFUSED, Arc::new(AtomicBool::new(true)));
}

/// Touches the stack up to this size.
#[inline(never)]
fn reach() {
    let stack = [0_u8; STACK];
    std::hint::black_box(&stack);
}
