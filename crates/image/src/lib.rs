//! The live image from outside: what it is made of, which octets it must have, what firmware will
//! measure, and how it gets onto a stick.
//!
//! Nothing here runs on the image's own word. `recipe` reads derivations as texts and recomputes
//! every path; `medium` and `unified` read the ISO octet by octet. Only `seed` calls other
//! programs.

mod lock;
mod medium;
mod pin;
mod recipe;
mod seed;
mod stick;
mod unified;

pub use lock::{Fixed, Locks};
pub use medium::unified_kernel_image;
pub use pin::Pin;
pub use recipe::verify;
pub use seed::{refresh, seed};
pub use stick::write;
pub use unified::{Measured, measure};

/// Why an image, its recipe or its locks are not as they must be. Each says what was asked and what
/// was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {asked}; {found}")]
pub struct Fault {
    /// `S-LOCK`, `S-SOURCES`, `S-RECIPE`, `S-BUILT`, `S-PIN`, `S-STICK` or `S-FILE`.
    pub rule: &'static str,
    /// What was asked.
    pub asked: String,
    /// What was found.
    pub found: String,
}

impl Fault {
    pub(crate) fn new(
        rule: &'static str,
        asked: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { rule, asked: asked.into(), found: found.into() }
    }

    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::new("S-FILE", path.display().to_string(), error.to_string())
    }
}
