//! What a TPM measures of the image is what `gishiki image pin` computes from its octets.

use std::process::{Child, Command};

use crate::drill_iso;
use crate::machine::{Machine, Plugged};
use crate::support::{GISHIKI, succeed};

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

#[test]
fn a_tpm_measures_what_was_computed() {
    let iso = drill_iso();
    let pin = succeed(Command::new(GISHIKI).args(["image", "pin"]).arg(&iso));
    let pin: toml::Table = toml::from_str(&pin).unwrap();
    let tpm = Tpm::new();
    let more = tpm.arguments();
    let mut machine = Machine::boot(&Plugged { iso: &iso, media: Vec::new(), serial: true, more });
    machine.reach_menu();
    for (register, name) in [("PCR 4 ", "pcr-4"), ("PCR 11", "pcr-11")] {
        let asked = format!("{register} {}", pin[name].as_str().unwrap());
        assert!(machine.log.contains(&asked), "{asked}:\n{}", machine.log);
    }
    let none = format!("PCR 12 {}", "0".repeat(64));
    assert!(machine.log.contains(&none), "{none}:\n{}", machine.log);
    assert!(machine.log.contains("Secure Boot: off"), "{}", machine.log);
}
