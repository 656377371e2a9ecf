//! Secure Boot with a key of one's own, by the steps of `docs/image.md`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::{Machine, Plugged};
use crate::medium::Sticks;
use crate::support::{GISHIKI, succeed};
use crate::{built, drill_iso, repository};

/// The key that Debian's firmware for tests trusts.
const KEY: &str = "/usr/share/ovmf/PkKek-1-snakeoil.key";
const CERTIFICATE: &str = "/usr/share/ovmf/PkKek-1-snakeoil.pem";

/// The drill's unified kernel image, signed, on a medium.
fn signed_iso(uki: &Path, folder: &Path) -> PathBuf {
    let key = folder.join("key.pem");
    let mut open = Command::new("openssl");
    succeed(open.args(["pkey", "-in", KEY, "-passin", "pass:snakeoil", "-out"]).arg(&key));
    std::fs::create_dir(folder.join("signed")).unwrap();
    let mut sign = Command::new("sbsign");
    sign.arg("--key").arg(key).args(["--cert", CERTIFICATE, "--output"]);
    succeed(sign.arg(folder.join("signed/gishiki.efi")).arg(uki));
    let mut build = Command::new("nix-build");
    build.current_dir(folder).args(["--no-out-link", "--no-build-output", "-E"]);
    let isos = format!("(import {}).isoOf ./signed", repository().display());
    PathBuf::from(succeed(build.arg(isos)).trim()).join("gishiki.iso")
}

fn measured(uki: &Path) -> String {
    succeed(Command::new(GISHIKI).args(["image", "measure"]).arg(uki))
}

#[test]
fn a_signed_image_starts_under_secure_boot_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let uki = built("drills.mdoc-root.2026-04-genesis.uki").join("gishiki.efi");
    let iso = signed_iso(&uki, folder.path());
    // The signature is the only difference that firmware could measure.
    assert_eq!(measured(&folder.path().join("signed/gishiki.efi")), measured(&uki));
    let sticks = Sticks::new(&iso);
    let mut machine = Machine::boot(&Plugged {
        media: vec![&sticks.a, &sticks.b, &sticks.token],
        secure_boot: true,
        ..Plugged::of(&iso)
    });
    machine.reach_menu();
    assert!(machine.log.contains("Secure Boot: on"), "{}", machine.log);
    machine.send("1");
    machine.expect("who confirms (ids, by spaces): ");
    drop(machine);

    let iso = drill_iso();
    let mut machine = Machine::boot(&Plugged { secure_boot: true, ..Plugged::of(&iso) });
    machine.expect("Access Denied");
}
