//! A policy whose HSMs clone keys by their own means: people perform and attest it, the copy is
//! read back, and signs a CRL.

use std::fs;

use crate::support::{gishiki, root, run, text};

#[test]
fn a_clone_that_people_made_is_read_back_and_proved() {
    let folder = tempfile::tempdir().unwrap();
    let plans = folder.path().join("ceremony-plans/mdoc-root");
    let ledger = folder.path().join("golden/mdoc-root");
    let sample = root().join("ceremony-plans/mdoc-root");
    let read = |name: &str| fs::read_to_string(sample.join(name)).unwrap();
    let write = |name: &str, text: &str| {
        fs::create_dir_all(plans.join(name).parent().unwrap()).unwrap();
        fs::write(plans.join(name), text).unwrap();
    };
    write("policy.toml", &read("policy.toml").replace("\"wrap-trusted\"", "\"vendor\""));
    for name in ["cps.toml", "cps.ja.txt", "roster.toml"] {
        write(name, &read(name));
    }
    write("2026-04-genesis/plan.toml", &read("2026-04-genesis/plan.toml"));
    let backup = read("2026-12-backup-drill/plan.toml")
        .replace("2026-12-backup-drill", "2026-06-clone")
        .replace("2026-10-ds-compromise", "2026-04-genesis")
        .replace("2026-12-25T", "2026-06-29T")
        .replace("2027-03-24", "2026-09-20");
    write("2026-06-clone/plan.toml", &backup);
    for ceremony in ["2026-04-genesis", "2026-06-clone"] {
        let mut rehearse = gishiki();
        rehearse.arg("rehearse").arg(plans.join(ceremony)).arg("--out").arg(ledger.join(ceremony));
        let output = run(&mut rehearse);
        assert!(output.status.success(), "{}", text(&output));
    }
    let graph = fs::read_to_string(ledger.join("2026-06-clone/graph.txt")).unwrap();
    let place = |what: &str| graph.find(what).unwrap_or_else(|| panic!("no {what}:\n{graph}"));
    assert!(place(" clone-g1-vault ") < place(" inspect-g1-vault "));
    assert!(place(" inspect-g1-vault ") < place(" sign-crl-g1-on-vault: 1 under g1 on vault"));
    assert!(!graph.contains(" copy-g1-vault"));
    let state = run(gishiki().arg("state").arg(&ledger).arg("--json"));
    let state: serde_json::Value = serde_json::from_slice(&state.stdout).unwrap();
    assert_eq!(state["spares"][0]["copies"], serde_json::json!(["g1"]));
}
