//! The whole life of the sample CA: its goldens, its history on two real tokens, and power cuts in
//! every ceremony of it.

pub(crate) mod history;
mod judges;
mod kills;
mod people;
mod remains;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use self::history::{CEREMONIES, History, plan};
use crate::support::terminal::SO_PIN;
use crate::support::{
    SOFTHSM, files, gishiki, renewing, replaced, root, run, serials, succeed, text, to_be_signed,
    with_serials,
};

fn golden(ceremony: &str) -> std::path::PathBuf {
    root().join("golden/mdoc-root").join(ceremony)
}

#[test]
fn every_golden_of_the_history_is_what_a_rehearsal_gives() {
    let (plans, goldens) =
        (root().join("ceremony-plans/mdoc-root"), root().join("golden/mdoc-root"));
    if renewing() {
        fs::remove_dir_all(&goldens).unwrap();
        succeed(gishiki().arg("rehearse").arg(&plans).arg("--out").arg(&goldens));
    }
    let mut rehearse = gishiki();
    rehearse.arg("rehearse").arg(&plans).arg("--compare").arg(&goldens);
    let said = succeed(rehearse.env("TZ", "America/St_Johns").current_dir("/"));
    for ceremony in CEREMONIES {
        assert!(said.contains(&format!("the same: {}\n", golden(ceremony).display())), "{said}");
    }
    // The last alone, on the goldens of those before it.
    let mut rehearse = gishiki();
    rehearse.arg("rehearse").arg(plan(CEREMONIES[11])).arg("--compare").arg(golden(CEREMONIES[11]));
    succeed(rehearse.current_dir("/"));
    assert_eq!(said.lines().count(), CEREMONIES.len(), "a ceremony that the tests do not know");
    // A golden that no plan gives.
    let folder = tempfile::tempdir().unwrap();
    crate::support::copy(&plans, &folder.path().join("plans"));
    fs::remove_dir_all(folder.path().join("plans").join(CEREMONIES[11])).unwrap();
    let mut rehearse = gishiki();
    rehearse.arg("rehearse").arg(folder.path().join("plans")).arg("--compare").arg(&goldens);
    let output = run(&mut rehearse);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(text(&output).contains(CEREMONIES[11]), "{}", text(&output));
}

#[test]
fn the_whole_ledger_is_judged_by_one_command() {
    let ledger = root().join("golden/mdoc-root");
    let said = succeed(gishiki().arg("verify").arg(&ledger).arg("--rehearsal"));
    assert!(CEREMONIES.iter().all(|ceremony| said.contains(&format!("✓ {ceremony} "))), "{said}");
    for (flag, code) in [(None, 7), (Some("--drill"), 4)] {
        let output = run(gishiki().arg("verify").arg(&ledger).args(flag));
        assert_eq!(output.status.code(), Some(code), "{flag:?}: {}", text(&output));
    }
}

/// A ceremony is proved while the next is replayed; the faults come in the order of the ledger.
#[test]
fn what_is_wrong_with_the_earlier_ceremony_is_said_first() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let take = |ceremony: &str| crate::support::copy(&golden(ceremony), &ledger.join(ceremony));
    CEREMONIES[..3].iter().for_each(|ceremony| take(ceremony));
    let refused = |place: &str| {
        let output = run(gishiki().arg("verify").arg(&ledger).arg("--rehearsal"));
        let said = text(&output);
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains(place), "{place}: {said}");
        said
    };
    // The third shows when it is replayed, the second when it is proved and compared.
    let transcript = ledger.join(CEREMONIES[2]).join("transcript.jsonl");
    fs::write(&transcript, "no record\n").unwrap();
    assert!(refused(CEREMONIES[2]).contains(&format!("✓ {} ", CEREMONIES[1])));
    fs::write(ledger.join(CEREMONIES[1]).join("ds-0001.der"), "no certificate").unwrap();
    let said = refused(&format!("{}/ds-0001.der", CEREMONIES[1]));
    assert!(said.contains(&format!("✓ {} ", CEREMONIES[0])), "{said}");
    assert!(!said.contains(&format!("✓ {} ", CEREMONIES[1])), "{said}");
    // A signature that does not hold is no other's fault either.
    let transcript = ledger.join(CEREMONIES[0]).join("transcript.sigstore.json");
    fs::write(&transcript, "{}").unwrap();
    assert!(!refused(CEREMONIES[0]).contains('✓'));
}

/// Forks, gaps, older copies, mixed ledgers: what the ledger refuses, and by which rule.
#[test]
fn a_ledger_is_one_history() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let take = |ceremony: &str| crate::support::copy(&golden(ceremony), &ledger.join(ceremony));
    CEREMONIES[..4].iter().for_each(|ceremony| take(ceremony));
    let verdict = || run(gishiki().arg("verify").arg(&ledger).arg("--rehearsal"));
    assert!(verdict().status.success());
    let refused = |what: &str, rule: &str| {
        let output = verdict();
        let said = text(&output);
        assert!(!output.status.success() && said.contains(rule), "{what}: {said}");
    };
    // A gap: the ceremony in the middle is gone.
    fs::remove_dir_all(ledger.join(CEREMONIES[1])).unwrap();
    refused("a gap", "S-LEDGER");
    take(CEREMONIES[1]);
    // Another name.
    fs::rename(ledger.join(CEREMONIES[3]), ledger.join("2026-11-other")).unwrap();
    refused("another name", "S-LEDGER");
    fs::remove_dir_all(ledger.join("2026-11-other")).unwrap();
    // A fork: a second ceremony after the same one.
    let other = folder.path().join("ceremony-plans/mdoc-root");
    crate::support::copy(&root().join("ceremony-plans/mdoc-root"), &other);
    let text_of = fs::read_to_string(other.join("2026-09-renewal/plan.toml")).unwrap();
    let fork = text_of
        .replace("ceremony = \"2026-09-renewal\"", "ceremony = \"2026-09-fork\"")
        .replace("serials  = \"", "serials  = \"00ff")
        .replacen("\"   # openssl", "\"  # openssl", 1);
    let seed = fork.find("serials  = \"").unwrap() + 12;
    let fork = format!("{}{}", &fork[..seed + 64], &fork[seed + 68..]);
    fs::create_dir_all(other.join("2026-09-fork")).unwrap();
    for name in ["ds-0003.csr", "ds-0004.csr"] {
        fs::copy(other.join("2026-09-renewal").join(name), other.join("2026-09-fork").join(name))
            .unwrap();
    }
    fs::write(other.join("2026-09-fork/plan.toml"), fork).unwrap();
    let mut rehearse = gishiki();
    rehearse.arg("rehearse").arg(other.join("2026-09-fork")).arg("--ledger").arg(&ledger);
    succeed(rehearse.arg("--out").arg(ledger.join("2026-09-fork")));
    refused("a fork", "S-LEDGER");
    // Each branch alone is a history; what followed the one does not follow the other.
    fs::remove_dir_all(ledger.join("2026-09-renewal")).unwrap();
    assert!(verdict().status.success(), "{}", text(&verdict()));
    take(CEREMONIES[3]);
    refused("what followed the other branch", "S-LEDGER");
}

/// The key's point and identifier of every root key that a ledger made, by its name.
fn points(ledger: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for ceremony in CEREMONIES {
        let Ok(text) = fs::read_to_string(ledger.join(ceremony).join("transcript.jsonl")) else {
            continue;
        };
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let event = &record["event"];
            let op = event["op"].as_str().unwrap_or_default();
            if let (Some(key), "answered") =
                (op.strip_prefix("generate-g"), event["kind"].as_str().unwrap())
            {
                let point = event["answer"]["point"].as_str().unwrap();
                found.push((format!("g{key}"), ceremony::hex::decode(point).unwrap()));
            }
        }
    }
    found
}

#[test]
fn the_history_on_softhsm_signs_the_same_octets() {
    let history = History::new();
    for ceremony in CEREMONIES {
        let output = history.run(ceremony, Path::new(SOFTHSM), None);
        assert!(output.status.success(), "{ceremony}: {}", text(&output));
    }
    assert!(history.verify().contains("drill, consistent: 1805 signatures verified"));
    let rehearsed = points(&root().join("golden/mdoc-root"));
    let real = points(&history.ledger());
    assert_eq!((rehearsed.len(), real.len()), (3, 3));
    let identifier = |point: &[u8]| {
        let curve = ceremony::key::Curve::P384;
        ceremony::key::PublicKey::from_point(curve, point).unwrap().key_identifier()
    };
    let serials = |ceremony: &&str| serials(&history.out(ceremony), &golden(ceremony));
    let serials: Vec<_> = CEREMONIES.iter().flat_map(serials).collect();
    let mut structures = 0;
    for ceremony in CEREMONIES {
        let (out, golden) = (files(&history.out(ceremony)), files(&golden(ceremony)));
        assert!(out["graph.txt"] == golden["graph.txt"], "{ceremony}: another graph");
        for (name, octets) in &golden {
            if !name.ends_with(".crl") && !name.ends_with(".der") {
                continue;
            }
            let mut filled = to_be_signed(octets).to_vec();
            for ((_, from), (_, to)) in rehearsed.iter().zip(&real) {
                filled = replaced(&filled, from, to);
                filled = replaced(&filled, &identifier(from), &identifier(to));
            }
            filled = with_serials(&filled, &serials);
            assert!(to_be_signed(&out[name]) == filled, "{ceremony}/{name}: other octets");
            structures += 1;
        }
    }
    println!("{structures} structures of the history signed alike");
    // On the lost token: the audit key, g2 and g3; g1 was destroyed on both. On the one in its
    // place: the copies of g2 and g3, and the new audit key.
    assert_eq!(history.keys_on("DRILL mdoc-root"), (3, 3));
    assert_eq!(history.keys_on("DRILL vault"), (3, 3));
    for (name, octets) in files(history.folder()) {
        let secret = octets.windows(SO_PIN.len()).any(|window| window == SO_PIN.as_bytes());
        assert!(name == "pin" || !secret, "the SO PIN is in {name}");
    }
}

/// A token that shows another head than the ledger's has seen another history.
#[test]
fn a_ledger_that_is_older_than_the_token_stops_the_run() {
    let history = History::new();
    for ceremony in &CEREMONIES[..2] {
        assert!(history.run(ceremony, Path::new(SOFTHSM), None).status.success());
    }
    // The same tokens with the ledger of an earlier day.
    fs::remove_dir_all(history.out(CEREMONIES[1])).unwrap();
    for medium in ["A", "B"] {
        let journal = history.folder().join(format!("{medium}-{}", CEREMONIES[1]));
        fs::remove_dir_all(journal).unwrap();
    }
    let told = |said: &str| {
        said.contains("S-LEDGER-HEAD")
            && said.contains("the head with which the ledger at hand ends, sequence 1 (")
            && said.contains("the token's head is of a later ceremony, sequence 2 (")
            && said.contains("give the newer ledger")
    };
    // The probe says before the day what the ceremony would stop at.
    let (said, code) = history.probed(CEREMONIES[1]);
    assert!(code == Some(3) && told(&said) && said.contains("✗ ledger head on it"), "{said}");
    let output = history.run(CEREMONIES[1], Path::new(SOFTHSM), None);
    let said = text(&output);
    assert!(!output.status.success() && told(&said), "{said}");
    // With the first ceremony's plan and no ledger, the CA's own keys are strange: they stay.
    let (said, code) = history.probed(CEREMONIES[0]);
    assert!(code == Some(3) && said.contains("Remove nothing"), "{said}");
    for key in ["audit", "g1"] {
        assert!(said.contains(&format!("private-key `mdoc-root {key}`")), "{key}: {said}");
    }
    assert!(!said.contains("remove what is more"), "{said}");
    assert_eq!(history.keys_on("DRILL mdoc-root"), (2, 2), "nothing was changed");
}

/// The beginning of a plan that comes after the aborted ceremony, a day later.
fn after_the_aborted() -> String {
    let before = fs::read_to_string(plan(CEREMONIES[1]).join("plan.toml")).unwrap();
    let head = &before[..before.find("[application").unwrap()];
    head.replace("2026-06-30", "2026-07-01")
        .replace("= 2\n", "= 3\n")
        .replace("\"2026-06-ds\"", "\"2026-07-release\"")
        .replace("after    = \"2026-04-genesis\"", "after    = \"2026-06-ds\"")
        .replace("39784aac", "4a784aac")
}

/// A ceremony that people stop is sealed and enters the ledger; what it issued is withheld until
/// the next plan says what becomes of it.
#[test]
fn a_ceremony_that_was_aborted_is_part_of_the_ledger() {
    let history = History::new();
    let module = Path::new(SOFTHSM);
    assert!(history.run(CEREMONIES[0], module, None).status.success());
    // Refused at the papers, it is closed in the next session.
    let early = history.copy();
    early.answers("default = \"as-planned\"\n[op.papers]\nrefuse = \"a page is missing\"\n");
    assert!(!early.run(CEREMONIES[1], module, None).status.success());
    early.answers("default = \"as-planned\"\n");
    let output = early.resume(CEREMONIES[1], module, 1, None);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    history.answers(
        "default = \"as-planned\"\n[op.complete-j-lis]\nrefuse = \"a seal number was misread\"\n",
    );
    let output = history.run(CEREMONIES[1], module, None);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for aborted in [&early, &history] {
        // Its certificates are withheld: nobody is asked whether they were handed over.
        let out = aborted.out(CEREMONIES[1]);
        let after = fs::read_to_string(out.join("after.jsonl")).unwrap();
        assert!(after.contains("exit-") && !after.contains("hand-over"), "{after}");
        let said = succeed(gishiki().arg("verify").arg(&out).arg("--drill"));
        assert!(said.contains("\n  postscript complete; "), "{said}");
    }
    let sealed = files(&history.out(CEREMONIES[1]));
    assert!(!sealed.keys().any(|name| name.ends_with(".der") || name.ends_with(".crl")));
    history.verify();
    let state = || -> Value {
        let said = succeed(gishiki().arg("state").arg(history.ledger()).arg("--json"));
        serde_json::from_str(&said).unwrap()
    };
    let withheld = |state: &Value| -> Vec<bool> {
        let all = state["certificates"].as_array().unwrap().iter();
        let issued = all.filter(|one| one["name"].as_str().unwrap().starts_with("ds-"));
        issued.map(|one| one["withheld"].as_bool().unwrap()).collect()
    };
    assert_eq!(withheld(&state()), [true, true]);
    // The next plan: without a word about them, and with one.
    let ca = history.folder().join("ca");
    crate::support::copy(&root().join("ceremony-plans/mdoc-root"), &ca);
    let next = ca.join("2026-07-release");
    fs::create_dir(&next).unwrap();
    let head = after_the_aborted();
    let crls = "[crls]\nnext-ceremony = 2026-09-28\n";
    let check = |plan: String| {
        fs::write(next.join("plan.toml"), plan).unwrap();
        run(gishiki().arg("check").arg(&next).arg("--ledger").arg(history.ledger()))
    };
    let output = check(format!("{head}{crls}"));
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("S-RELEASE"), "{}", text(&output));
    let release = "release = [\"ds-0001\", \"ds-0002\"]\n";
    let output = check(format!("{head}{release}{crls}"));
    assert!(output.status.success(), "{}", text(&output));
    // It can be rehearsed on the drill's ledger, and is then held.
    let mut rehearse = gishiki();
    rehearse.arg("rehearse").arg(&next).arg("--ledger").arg(history.ledger());
    succeed(rehearse.arg("--out").arg(history.folder().join("rehearsed")));
    history.answers("default = \"as-planned\"\n");
    let output = history.run_plan(&next, module, None);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(withheld(&state()), [false, false]);
    // What was signed in the one is handed out by the other.
    let mut verify = Command::new("openssl");
    verify.args(["verify", "-no_check_time", "-CAfile"]).arg(history.folder().join("root.pem"));
    let mut convert = Command::new("openssl");
    convert
        .args(["x509", "-inform", "DER", "-in"])
        .arg(history.out(CEREMONIES[0]).join("root-g1.der"));
    succeed(convert.arg("-out").arg(history.folder().join("root.pem")));
    for name in ["ds-0001.der", "ds-0002.der"] {
        verify.arg(history.out("2026-07-release").join(name));
    }
    succeed(&mut verify);
    let after = fs::read_to_string(history.out("2026-07-release").join("after.jsonl")).unwrap();
    assert!(after.contains("hand-over-released"));
    let graph = |folder: &Path| fs::read_to_string(folder.join("graph.txt")).unwrap();
    let held = history.out("2026-07-release");
    assert!(graph(&held) == graph(&history.folder().join("rehearsed")), "another graph");
    history.verify();
}
