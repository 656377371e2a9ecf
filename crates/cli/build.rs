//! The build's identity: which source the program is made from, for `--version` and for every
//! transcript.
//!
//! In a repository it is the last commit that changed the program's sources, and whether they were
//! changed since. Elsewhere the builder says it, as the digest of the sources (`GISHIKI_SOURCE`).
#![expect(clippy::panic, reason = "a wrong identity stops the build")]

use std::env::var;
use std::path::Path;
use std::process::Command;

/// The files that the program is made from; the image is built from the same (`nix/default.nix`).
const SOURCES: [&str; 3] = ["Cargo.toml", "Cargo.lock", "crates"];

fn main() {
    println!("cargo::rerun-if-env-changed=GISHIKI_SOURCE");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    let identity = commit().or_else(given).unwrap_or_else(|| "source unknown".to_string());
    println!("cargo::rustc-env=GISHIKI_IDENTITY={identity}");
}

/// Returns the commit, if this folder is a repository itself and not inside another one.
fn commit() -> Option<String> {
    let here = var("CARGO_MANIFEST_DIR").ok()?;
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&top).canonicalize().ok()? != Path::new(&here).canonicalize().ok()? {
        return None;
    }
    // A release build names its commit exactly. A debug build is not repeated merely because its
    // sources were committed.
    if var("PROFILE").as_deref() == Ok("release") {
        let head = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
        println!("cargo::rerun-if-changed={head}");
    }
    let mut last = vec!["rev-list", "-1", "HEAD", "--"];
    last.extend(SOURCES);
    let commit = git(&last).filter(|commit| !commit.is_empty())?;
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(SOURCES);
    let changed = if git(&status)?.is_empty() { "" } else { ", changed" };
    Some(format!("commit {commit}{changed}"))
}

fn git(arguments: &[&str]) -> Option<String> {
    // Asking for the state of the tree must not write into the repository.
    let mut git = Command::new("git");
    let output = git.arg("--no-optional-locks").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}

/// Returns the digest of the sources that the builder gives, if any.
fn given() -> Option<String> {
    let digest = var("GISHIKI_SOURCE").ok()?;
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if digest.len() != 64 || !digest.chars().all(hex) {
        panic!("GISHIKI_SOURCE: asked 64 hexadecimal digits; found {digest:?}");
    }
    Some(format!("source {digest}"))
}
