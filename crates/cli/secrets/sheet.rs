//! A sheet on the screen, for one pair of eyes.
//!
//! **Invariant:** whatever ends the sheet, the screen and what the terminal keeps of lines that
//! have scrolled away are cleared; so they are before it, that nothing is above it.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use crate::files::said;
use crate::halt::Halt;

/// Clears the screen and goes to its first line, then clears what has scrolled away.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J\x1b[3J";

/// The terminal that now shows a sheet.
static SHOWN: Mutex<Option<File>> = Mutex::new(None);

/// A sheet that is on the screen for as long as this exists.
#[must_use]
pub(crate) struct Sheet;

impl Sheet {
    /// Shows a text on a screen of its own.
    pub(crate) fn show(text: &str) -> Result<Self, Halt> {
        let failed = |error: std::io::Error| super::no_pin(said(&error));
        let mut tty = super::terminal().map_err(failed)?;
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(tty.try_clone().map_err(failed)?);
        // From here on it is cleared, also after half a sheet.
        let sheet = Self;
        tty.write_all(CLEAR).and_then(|()| tty.write_all(text.as_bytes())).map_err(failed)?;
        Ok(sheet)
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        clear();
    }
}

/// Clears the sheet that is shown, if there is one.
pub(super) fn clear() {
    if let Some(mut tty) = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone shows nothing.
        let _ = tty.write_all(CLEAR);
    }
}

/// Rows and columns of the terminal; `None` if it does not say.
pub(crate) fn size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(super::terminal().ok()?).ok()?;
    Some((size.ws_row, size.ws_col)).filter(|(rows, columns)| *rows > 0 && *columns > 0)
}
