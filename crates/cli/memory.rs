//! What happens where the machine gives no memory.
//!
//! Whatever an input names as its size is asked for in steps that may be refused (`files.rs`), and
//! every input has a bound. What is left is the memory of ordinary work: where that is refused, the
//! standard library says how many octets were asked for and aborts, and so does a module of a
//! token. Nobody can go on from there; the process ends with the exit code that says so.
//!
//! **Deliberately absent:** words of our own. A process that has no memory left says nothing but
//! what the standard library has said; the next command is the one that was given.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGABRT;
use signal_hook::flag::register_conditional_shutdown;

/// The exit code of a process that was aborted, for want of memory: sysexits' "operating system
/// error".
const REFUSED: i32 = 71;

/// How much of the stack is there before anything is done. What is refused to a stack that grows
/// ends a process by a signal, which has no exit code.
const STACK: usize = 1 << 20;

/// From now on an abort ends the process with its exit code.
pub(crate) fn heed() {
    reach();
    // Without it an abort is one as ever.
    let _ = register_conditional_shutdown(SIGABRT, REFUSED, Arc::new(AtomicBool::new(true)));
}

/// The stack has reached so far once this was called.
#[inline(never)]
fn reach() {
    let stack = [0_u8; STACK];
    std::hint::black_box(&stack);
}
