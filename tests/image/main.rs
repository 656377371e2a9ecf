//! The live image, built by Nix and booted in QEMU: no part of it is a stand-in. It needs what
//! `nix/setup` installs, and the inputs in the store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says what it measured"
)]

mod ceremony;
mod machine;
mod measured;
mod medium;
mod recipe;
mod screen;
mod stops;
#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Builds an attribute of `default.nix`; its place in the store.
fn built(attribute: &str) -> PathBuf {
    built_of(&support::root(), attribute)
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

/// Whether a pinned package has left the mirror, so that everything is built from a lock made anew.
fn refreshed() -> bool {
    std::env::var("GISHIKI_STALE_LOCK").as_deref() == Ok("1")
}
