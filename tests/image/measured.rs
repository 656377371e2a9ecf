//! What a TPM measures of the image is what `gishiki image` computes from its octets; and a stick
//! has those octets.

use std::process::{Child, Command};

use crate::drill_iso;
use crate::machine::{Machine, Plugged};
use crate::support::{GISHIKI, run, succeed, text};

/// A TPM in software, until it is dropped.
struct Tpm {
    swtpm: Child,
    folder: tempfile::TempDir,
}

impl Tpm {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut swtpm = Command::new("swtpm");
        swtpm.args(["socket", "--tpm2", "--tpmstate"]);
        swtpm.arg(format!("dir={}", folder.path().display())).arg("--ctrl");
        swtpm.arg(format!("type=unixio,path={}", folder.path().join("control").display()));
        let tpm = Self { swtpm: swtpm.spawn().unwrap(), folder };
        while !tpm.folder.path().join("control").exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        tpm
    }

    fn arguments(&self) -> Vec<String> {
        let control = self.folder.path().join("control");
        let socket = format!("socket,id=tpm-control,path={}", control.display());
        let parts = ["-tpmdev", "emulator,id=tpm,chardev=tpm-control", "-device"];
        let mut arguments = vec!["-chardev".to_string(), socket];
        arguments.extend(parts.map(String::from));
        arguments.push("tpm-tis,tpmdev=tpm".to_string());
        arguments
    }
}

impl Drop for Tpm {
    fn drop(&mut self) {
        let _ = self.swtpm.kill();
        let _ = self.swtpm.wait();
    }
}

/// The unified kernel image inside the ISO is the one that is built, and is measured alike.
#[test]
fn the_unified_kernel_image_is_measured_by_itself() {
    let uki = crate::built("drills.mdoc-root.2026-04-genesis.uki").join("gishiki.efi");
    let pin = succeed(Command::new(GISHIKI).args(["image", "pin"]).arg(drill_iso()));
    let measured = succeed(Command::new(GISHIKI).args(["image", "measure"]).arg(&uki));
    let table = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
    let (pin, measured) = (table(&pin), table(&measured));
    assert_eq!(measured.len(), 2);
    for (register, value) in &measured {
        assert_eq!(pin.get(register), Some(value), "{register}");
    }
    let digest = ::ceremony::hex::Digest::of(&std::fs::read(uki).unwrap());
    assert_eq!(pin["uki-sha256"].as_str().unwrap(), digest.to_string());
}

#[test]
fn an_image_is_written_to_a_new_file_and_never_over_one() {
    let iso = drill_iso();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("stick.img");
    let write = || {
        let mut write = Command::new(GISHIKI);
        run(write.args(["--lang", "en", "image", "write"]).arg(&iso).arg(&to))
    };
    let output = write();
    assert!(output.status.success(), "{}", text(&output));
    let octets = std::fs::read(&iso).unwrap();
    assert!(text(&output).contains(&::ceremony::hex::Digest::of(&octets).to_string()));
    assert!(std::fs::read(&to).unwrap() == octets);
    std::fs::write(&to, b"precious").unwrap();
    let output = write();
    assert_eq!(output.status.code(), Some(5));
    assert!(text(&output).contains("S-STICK"), "{}", text(&output));
    assert_eq!(std::fs::read(&to).unwrap(), b"precious");
}

#[test]
fn an_image_on_a_cd_starts_and_knows_its_octets() {
    let iso = drill_iso();
    let mut machine = Machine::boot(&Plugged { cd: true, ..Plugged::of(&iso) });
    machine.reach_menu();
    let digest = ::ceremony::hex::Digest::of(&std::fs::read(&iso).unwrap()).to_string();
    assert!(machine.log.contains(&digest), "{}", machine.log);
}

#[test]
fn a_tpm_measures_what_was_computed() {
    let iso = drill_iso();
    let pin = succeed(Command::new(GISHIKI).args(["image", "pin"]).arg(&iso));
    let pin: toml::Table = toml::from_str(&pin).unwrap();
    let tpm = Tpm::new();
    let more = tpm.arguments();
    let mut machine = Machine::boot(&Plugged { more, ..Plugged::of(&iso) });
    machine.reach_menu();
    for (register, name) in [("PCR 4 ", "pcr-4"), ("PCR 11", "pcr-11")] {
        let asked = format!("{register} {}", pin[name].as_str().unwrap());
        assert!(machine.log.contains(&asked), "{asked}:\n{}", machine.log);
    }
    let none = format!("PCR 12 {}", "0".repeat(64));
    assert!(machine.log.contains(&none), "{none}:\n{}", machine.log);
    assert!(machine.log.contains("Secure Boot: off"), "{}", machine.log);
}
