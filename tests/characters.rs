//! Products by the limits that their makers document: each holds a first ceremony under the policy
//! that fits it, or the probe says before the day why not (`docs/hsm-products.md`).

use std::fs;
use std::path::PathBuf;
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
        match self.character {
            "pin-pad" | "card-set-preloaded" => command.env("FAULTY_PIN", PIN),
            _ => command,
        }
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
/// Not said in a template, and not told afterwards.
const NO_RECOVERY: (&str, &str) = (
    "[token]\n",
    "[token]\nleave-out = [\"sign-recover\", \"verify-recover\"]\nnot-told = [\"sign-recover\", \"verify-recover\"]\n",
);
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

/// The PIN is typed at the device: the program brings none, and a wrong one here costs no try.
#[test]
fn a_pin_pad_is_where_people_are_sent() {
    let product = Product::new("pin-pad", &[]);
    fs::write(product.drill.path("pin"), "").unwrap();
    let (said, _) = product.probe();
    assert!(said.contains("enter it at the HSM itself"), "{said}");
    product.holds();
}

/// Every use of a key wants the PIN: in a drill from its descriptor, one line for each request.
#[test]
fn a_key_that_always_authenticates_is_asked_for_each_time() {
    let product = Product::new("always-authenticates", &[]);
    fs::write(product.drill.path("pin"), format!("{PIN}\n").repeat(40)).unwrap();
    product.holds();
}

/// AES for octets only: a mechanism that wraps nothing, as the token says, may fail at it in its
/// own words. One that gives a key out all the same is refused.
#[test]
fn what_a_token_says_of_its_mechanisms_is_read_and_not_believed() {
    let product = Product::new("encrypts-only", &[VENDOR]);
    let (said, code) = product.probe();
    assert_eq!(code, Some(0), "{said}");
    let is_kept = "✓ key like `g1` is not wrapped out: no wrapping mechanism";
    assert!(said.contains(is_kept), "{said}");
    let mut command = product.drill.probe_command(Some(&product.plan));
    product.with(&mut command).env("FAULTY_AT", "C_WrapKey#1:octets");
    let (said, code) = probed(command);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("R-NO-TRANSFER") && said.contains("gives a private key away"), "{said}");
    product.completes();
}

/// YubiHSM 2: what it refuses is not said, what it does not know is not told, the head is on paper.
#[test]
fn a_module_without_session_keys_and_data_objects() {
    let product = Product::new("no-wrap-trusted", &[VENDOR, ON_PAPER, NO_RECOVERY]);
    let (said, code) = product.probe();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("this module makes no session keys"), "{said}");
    let mut lasting = product.drill.probe_command(Some(&product.plan));
    let before = product.drill.inventory();
    let (said, code) = probed({
        product.with(lasting.arg("--lasting"));
        lasting
    });
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Nothing was found that stops the ceremony. "), "{said}");
    assert_eq!(product.drill.inventory(), before);
    product.completes();
    // Without these lines it says which.
    let bare = Product::new("no-wrap-trusted", &[]);
    let mut lasting = bare.drill.probe_command(Some(&bare.plan));
    let (said, code) = probed({
        bare.with(lasting.arg("--lasting"));
        lasting
    });
    assert_eq!(code, Some(3), "{said}");
    let refused = "refused: private wrap-with-trusted, private sign-recover, public verify-recover";
    assert!(said.contains(refused) && said.contains("leave-out"), "{said}");
    assert!(said.contains("backup = \"vendor\""), "{said}");
    assert!(said.contains("on = \"paper\""), "{said}");
}

/// CloudHSM: keys and certificates only, no recovery, and public keys that are private.
#[test]
fn a_module_that_keeps_keys_and_certificates_only() {
    Product::new("keys-and-certificates", &[VENDOR, ON_PAPER, NO_RECOVERY]).holds();
    let (said, code) = Product::new("keys-and-certificates", &[]).probe();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("private sign-recover, public verify-recover"), "{said}");
    assert!(said.contains("leave-out") && said.contains("on = \"paper\""), "{said}");
}

/// SmartCard-HSM: its keys last whatever is asked, and may derive: no policy allows that, and the
/// probe leaves nothing of them. Its own certificate is named by the policy.
#[test]
fn a_card_that_ignores_usages_is_refused_before_the_day() {
    let product = Product::new("card", &[VENDOR, ON_PAPER]);
    let certificate = crate::support::genesis_golden().join("root-g1.der");
    let mut write = Command::new("pkcs11-tool");
    write.args([
        "--module", SOFTHSM, "--login", "--pin", PIN, "--label", "C.DevAut", "--type", "cert",
    ]);
    write.args(["--token-label", "DRILL mdoc-root", "--write-object"]).arg(certificate);
    succeed(product.drill.env(&mut write));
    let (said, code) = product.probe();
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("of others: certificate `C.DevAut`") && said.contains("may-hold"),
        "{said}"
    );
    let policy = product.plan.join("../policy.toml");
    let text = fs::read_to_string(&policy).unwrap();
    let lines = "[token]\nmay-hold = [{ class = \"certificate\", label = \"C.DevAut\" }]";
    fs::write(policy, text.replace("[token]", lines)).unwrap();
    let (said, code) = product.probe();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("✓ what is on it: 1 objects"), "{said}");
    assert!(said.contains("private audit with derive = false [R-KEY-IN-HSM]"), "{said}");
    assert!(said.contains("makes another key"), "{said}");
}
