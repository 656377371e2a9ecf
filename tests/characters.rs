//! Products by the limits that their makers document: each holds a first ceremony under the policy
//! that fits it, or the probe says before the day why not (`docs/hsm-products.md`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::kill::small_ca;
use crate::probe::probed;
use crate::support::{Drill, PIN, SOFTHSM, faulty_module, run, succeed, text};

/// A token of this character, and a plan with these lines of the policy.
struct Product {
    drill: Drill,
    plan: PathBuf,
    character: &'static str,
}

impl Product {
    fn new(character: &'static str, policy: &[(&str, &str)]) -> Self {
        let drill = Drill::new();
        drill.write_room(&faulty_module());
        let plan = small_ca(&drill.path("ca"));
        let path = plan.join("../policy.toml");
        let mut text = fs::read_to_string(&path).unwrap();
        for (from, to) in policy {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        fs::write(path, text).unwrap();
        Self { drill, plan, character }
    }

    fn with<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_CHARACTER", self.character);
        command.env("FAULTY_DEVICE_PIN", PIN)
    }

    /// What the probe says, and its exit code; the token holds afterwards what it held before.
    fn probe(&self) -> (String, Option<i32>) {
        let before = self.drill.inventory();
        let mut command = self.drill.probe_command(Some(&self.plan));
        self.with(&mut command);
        let probed = probed(command);
        assert_eq!(self.drill.inventory(), before, "{}", probed.0);
        println!("{}: {:?}\n{}", self.character, probed.1, probed.0);
        probed
    }

    /// The first ceremony is held, and verifies.
    fn completes(&self) {
        let output = run(self.with(&mut self.drill.run_command(&self.plan)));
        assert!(output.status.success(), "{}: {}", self.character, text(&output));
        assert!(self.drill.verify().contains("drill, consistent"));
        assert!(self.drill.path("out/root-g1.der").exists());
    }

    /// The probe finds nothing, and it is so.
    fn holds(&self) {
        let (said, code) = self.probe();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("Nothing was found that stops the ceremony"), "{said}");
        self.completes();
    }
}

const VENDOR: (&str, &str) = ("\"wrap-trusted\"", "\"vendor\"");
const ON_PAPER: (&str, &str) = ("on      = \"token\"", "on      = \"paper\"");

#[test]
fn one_card_of_n_and_its_passphrase() {
    Product::new("card-set", &[]).holds();
}

#[test]
fn k_cards_of_n_are_loaded_first() {
    let (said, code) = Product::new("card-set-of-k", &[]).probe();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("C_Login: CKR_TOKEN_NOT_RECOGNIZED"), "{said}");
    assert!(said.contains("as by `preload`"), "{said}");
    // Then a passphrase is asked for, which nobody looks at.
    let product = Product::new("card-set-preloaded", &[]);
    fs::write(product.drill.path("pin"), "whatever").unwrap();
    product.holds();
}
