//! The live image, built by Nix and booted in QEMU: no part of it is a stand-in. It needs what
//! `nix/setup` installs, and the inputs in the store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says what it measured"
)]

mod archive;
mod ceremony;
mod lock;
mod machine;
mod measured;
mod medium;
mod recipe;
mod screen;
mod signed;
mod stops;
#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The repository that is built: this one; or, where a locked package has left the mirror, the copy
/// that `./test` made with a lock of today.
fn repository() -> PathBuf {
    std::env::var_os("GISHIKI_REPOSITORY").map_or_else(support::root, PathBuf::from)
}

/// Whether it is that copy.
fn refreshed() -> bool {
    repository() != support::root()
}

/// Builds an attribute of `default.nix`; its place in the store.
fn built(attribute: &str) -> PathBuf {
    built_of(&repository(), attribute)
}

/// The same of another copy of the repository.
fn built_of(repository: &Path, attribute: &str) -> PathBuf {
    let mut build = Command::new("nix-build");
    build.arg(repository).args(["--no-out-link", "--no-build-output", "-A", attribute]);
    PathBuf::from(support::succeed(&mut build).trim())
}

/// The drill image of the first ceremony.
fn drill_iso() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("drills.mdoc-root.2026-04-genesis").join("gishiki.iso")).clone()
}
