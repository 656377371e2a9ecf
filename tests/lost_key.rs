//! The only token with the root key is lost, and no copy of the key exists: the CA goes on with the
//! next generation, without links (5.7.2).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{copy, gishiki, root, run, succeed, text};

/// The sample's first two ceremonies and the one after the loss, and the ledger of their rehearsal.
fn held(folder: &Path) -> (PathBuf, PathBuf) {
    let (from, plans) = (root().join("ceremony-plans/mdoc-root"), folder.join("plans"));
    for ceremony in ["2026-04-genesis", "2026-06-ds"] {
        copy(&from.join(ceremony), &plans.join(ceremony));
    }
    for name in ["cps.toml", "cps.ja.txt", "policy.toml", "roster.toml"] {
        fs::copy(from.join(name), plans.join(name)).unwrap();
    }
    let lost = plans.join("2026-09-lost");
    fs::create_dir(&lost).unwrap();
    fs::copy(root().join("tests/lost_key/plan.toml"), lost.join("plan.toml")).unwrap();
    let ledger = folder.join("ledger");
    succeed(gishiki().arg("rehearse").arg(&plans).arg("--out").arg(&ledger));
    (plans, ledger)
}

fn ask(language: &str, command: &str, place: &Path, ledger: Option<&Path>) -> String {
    let mut gishiki = gishiki();
    gishiki.args(["--lang", language, command]).arg(place);
    let from = ledger.into_iter().flat_map(|ledger| [Path::new("--ledger"), ledger]);
    text(&run(gishiki.args(from)))
}

#[test]
fn a_ca_goes_on_without_its_lost_key() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, ledger) = held(folder.path());
    let verified = succeed(gishiki().arg("verify").arg(&ledger).arg("--rehearsal"));
    assert!(verified.contains("2026-09-lost"), "{verified}");
    let sealed = ledger.join("2026-09-lost");
    assert!(sealed.join("root-g2.der").exists());
    let certificates = fs::read_dir(&sealed).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "der")
    });
    assert_eq!(certificates.count(), 1, "the root and no link");
    for (script, words) in [
        ("script.en.md", "the root key `g1` was lost with its HSM and that there is no copy of it"),
        ("script.ja.md", "ルート鍵 `g1` が暗号モジュールとともに失われ、その複製がない"),
    ] {
        let script = fs::read_to_string(sealed.join(script)).unwrap();
        assert_eq!(script.matches(words).count(), 2, "each organisation says it: {script}");
    }
    let lost = plans.join("2026-09-lost");
    for (language, words) in [
        (
            "en",
            "S-CRL-GAP: a CRL of g1 on every day on which something that it signed is valid; none from 2026-10-14T00:00:00+09:00 until 2026-10-29T23:59:59+09:00",
        ),
        (
            "ja",
            "S-CRL-GAP: g1 が署名したものが有効なすべての日に、g1 の CRL; 2026-10-14T00:00:00+09:00 から 2026-10-29T23:59:59+09:00 までなし",
        ),
    ] {
        let checked = ask(language, "check", &lost, Some(&ledger));
        assert!(checked.contains(words), "{checked}");
    }
}

#[test]
fn a_state_says_what_is_left_of_a_lost_key() {
    let folder = tempfile::tempdir().unwrap();
    let (_, ledger) = held(folder.path());
    for (language, words) in [
        (
            "en",
            [
                "lost with its token 2026-09-28T10:00:00+09:00",
                "(2026-06-ds)  the key signs no more; what it signed is valid until 2026-10-29T23:59:59+09:00",
                "no proved copy",
            ],
        ),
        (
            "ja",
            [
                "暗号モジュールとともに喪失 2026-09-28T10:00:00+09:00",
                "(2026-06-ds)  これより後の CRL はないが、署名したものは 2026-10-29T23:59:59+09:00 まで有効",
                "検証済みの複製なし",
            ],
        ),
    ] {
        let state = ask(language, "state", &ledger, None);
        for words in words {
            assert!(state.contains(words), "{words}: {state}");
        }
    }
    let json = succeed(gishiki().arg("state").arg(&ledger).arg("--json"));
    let state: Value = serde_json::from_str(&json).unwrap();
    let batch = &state["crl-batches"][1];
    assert_eq!(batch["ceremony"], "2026-06-ds");
    assert_eq!(batch["crls"][0]["key"], "g1");
    assert_eq!(batch["crls"][0]["superseded-by"], Value::Null, "g2 takes nothing's place");
}

/// What comes after the loss: the lost key is not there any more, for anything.
#[test]
fn a_lost_key_never_signs_again() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, ledger) = held(folder.path());
    let renewal = plans.join("2026-12-after");
    copy(&root().join("ceremony-plans/mdoc-root/2026-09-renewal"), &renewal);
    let path = renewal.join("plan.toml");
    let plan = fs::read_to_string(&path).unwrap();
    let (from, to) = ("after    = \"2026-06-ds\"", "after    = \"2026-09-lost\"");
    assert_eq!(plan.matches(from).count(), 1);
    let plan = plan.replace(from, to).replace("\"2026-09-renewal\"", "\"2026-12-after\"");
    fs::write(&path, &plan).unwrap();
    let said = ask("en", "check", &renewal, Some(&ledger));
    assert!(said.contains("S-REFERENCE") && said.contains("a root key that exists"), "{said}");
    let again = "\n[lost.g1]\nreason = \"FAKE\"\napproved-by = [\"j-lis\", \"digital-agency\"]\n";
    fs::write(&path, plan + again).unwrap();
    let said = ask("en", "check", &renewal, Some(&ledger));
    assert!(said.contains("S-LOST"), "{said}");
}

#[test]
fn another_account_of_the_loss_is_a_difference_of_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let (plans, ledger) = held(folder.path());
    let (old, new) = (plans.join("2026-09-lost"), folder.path().join("plans/other"));
    copy(&old, &new);
    let plan = fs::read_to_string(new.join("plan.toml")).unwrap();
    assert_eq!(plan.matches("burnt with its safe").count(), 1);
    fs::write(new.join("plan.toml"), plan.replace("burnt with its safe", "was stolen")).unwrap();
    let mut diff = gishiki();
    diff.args(["--lang", "en", "diff"]).arg(&old).arg(&new).arg("--ledger").arg(&ledger);
    let output = run(&mut diff);
    assert_eq!(output.status.code(), Some(8));
    let said = text(&output);
    assert!(said.contains("# decided before\n  lost g1"), "{said}");
}
