//! Handles signals while a ceremony is held, or a PIN is asked for.
//!
//! On a signal, the terminal gets its echo back, a message says how to go on, and then the default
//! action of the signal takes place.
//!
//! **Invariant:** a signal that was ignored when the process began stays ignored. On the live
//! image, Ctrl-C does not end a ceremony.
//!
//! **Deliberately absent:** an orderly shutdown. Records are durable before any effect, so a
//! process may end at any point.

use std::io::Write as _;
use std::path::PathBuf;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::journal::Journal;
use crate::lang::{Lang, pick};
use crate::secrets;

/// The signals that end or stop a process, and that a terminal or the end of a session can send.
const ENDS: [i32; 5] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP];

/// Watches for signals until the process ends.
///
/// `said` is what people are told when the process ends: of a ceremony [`words`].
pub(crate) fn watch(said: impl Fn() -> String + Send + 'static) {
    let ignored = ignored();
    let heeded = ENDS.into_iter().filter(|signal| !is_in(ignored, *signal));
    // Without handlers, the default action takes place; the PIN is as secret as before.
    let Ok(mut signals) = Signals::new(heeded.chain([SIGCONT])) else { return };
    let watching = move || {
        for signal in signals.forever() {
            match signal {
                SIGCONT => {}
                SIGTSTP => {
                    secrets::leave_terminal();
                    let _ = emulate_default_handler(SIGTSTP);
                    secrets::ask_again();
                }
                ends => {
                    secrets::leave_terminal();
                    let _ = std::io::stderr().write_all(said().as_bytes());
                    let _ = emulate_default_handler(ends);
                }
            }
        }
    };
    let _ = std::thread::Builder::new().name("signals".into()).spawn(watching);
}

/// Returns the message that says how to go on after the process has ended.
///
/// `go_on` is the command that goes on with the ceremony in `journals`.
pub(crate) fn words(journals: &[PathBuf], go_on: &str, lang: Lang) -> String {
    if Journal::is_begun(journals) {
        let kept = pick(
            lang,
            "中断しました。記録は保たれています。次で再開してください:",
            "interrupted. The journal is kept. Go on with:",
        );
        return format!("\n{kept}\n  {go_on}\n");
    }
    pick(
        lang,
        "\n中断しました。何も始まっていません。もう一度始めてください。\n",
        "\ninterrupted. Nothing was begun. Begin once more.\n",
    )
    .to_string()
}

/// Returns the signals that this process ignores, as the kernel's bit mask.
///
/// Returns all signals if the mask cannot be parsed.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap_or(u64::MAX))
}

fn is_in(mask: u64, signal: i32) -> bool {
    let bit = u32::try_from(signal - 1).ok().and_then(|bit| 1_u64.checked_shl(bit));
    bit.is_some_and(|bit| mask & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_a_bit_for_each_signal() {
        assert!(is_in(0b10, SIGINT) && !is_in(0b10, SIGTERM) && is_in(1 << 14, SIGTERM));
    }
}
