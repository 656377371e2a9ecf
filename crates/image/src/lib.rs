//! The live image from outside: what it is made of, which octets it must have, what firmware will
//! measure, and how it gets onto a stick.
//!
//! Nothing here runs on the image's own word. `recipe` reads derivations as texts and recomputes
//! every path; `medium` and `unified` read the ISO octet by octet. Only `fetch`, for
//! `seed` and `collect`, calls other programs.

mod archive;
mod collect;
mod fetch;
mod lock;
mod medium;
mod pin;
mod recipe;
mod seed;
mod stick;
mod unified;

pub use archive::Archive;
pub use ceremony::fault::Fault;
pub use collect::archive;
pub use lock::{Fixed, Locks};
pub use medium::unified_kernel_image;
pub use pin::Pin;
pub use recipe::{Proved, verify};
pub use seed::{refresh, seed};
pub use stick::write;
pub use unified::{Measured, measure};

use std::path::Path;

use ceremony::language::Bilingual;
use ceremony::rule::RuleId;
use os::said;

/// The fault for a file that cannot be read or written.
fn unusable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(RuleId::S_FILE, Bilingual::plain(path.display()), said(error))
}
