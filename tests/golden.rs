//! The golden of the first ceremony: a rehearsal gives the same octets, wherever and however it is
//! held.

use std::fs;

use crate::support::{files, genesis, genesis_golden, gishiki, sample_ca, succeed};

#[test]
fn a_rehearsal_reproduces_every_golden_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    succeed(gishiki().arg("rehearse").arg(genesis()).arg("--out").arg(&out));
    let (golden, today) = (files(&genesis_golden()), files(&out));
    let names: Vec<_> = golden.keys().collect();
    assert_eq!(names, today.keys().collect::<Vec<_>>());
    for (name, octets) in &golden {
        assert!(
            today[name] == *octets,
            "{name} differs: renew the golden deliberately, and name the clause"
        );
    }
    succeed(gishiki().arg("rehearse").arg(genesis()).arg("--compare").arg(genesis_golden()));
}

#[test]
fn another_place_zone_locale_and_order_give_the_same_octets() {
    let folder = tempfile::tempdir().unwrap();
    let plan = sample_ca(&folder.path().join("another place/ca"));
    let text = fs::read_to_string(plan.join("plan.toml")).unwrap();
    let (head, tables) = text.split_once("[key.g1]").unwrap();
    let (key, rest) = tables.split_once("[certificate.root-g1]").unwrap();
    let (certificate, crls) = rest.split_once("[crls]").unwrap();
    let head = head.replace("sequence = 1", "sequence = 0x1").replace(
        "window   = { from = 2026-04-01T10:00:00+09:00,",
        "window= {from= 2026-04-01 10:00:00+09:00,",
    );
    let other = format!(
        "{head}\n[crls]{crls}\n# another order\n[certificate.root-g1]{certificate}\n[key.g1]{key}\n"
    );
    assert_ne!(text, other);
    fs::write(plan.join("plan.toml"), other).unwrap();
    let out = folder.path().join("out");
    let mut command = gishiki();
    command.env("TZ", "America/St_Johns").env("LC_ALL", "ja_JP.UTF-8").current_dir("/");
    succeed(command.arg("rehearse").arg(&plan).arg("--out").arg(&out));
    assert!(files(&out) == files(&genesis_golden()));
}

#[test]
fn the_golden_is_a_rehearsal_that_verifies_and_nothing_more() {
    let golden = genesis_golden();
    let said = succeed(gishiki().arg("verify").arg(&golden).arg("--rehearsal"));
    assert!(said.contains("rehearsal, consistent"), "{said}");
    succeed(gishiki().arg("verify").arg(genesis()).arg(&golden).arg("--rehearsal"));
    for (extra, code) in [(None, 7), (Some("--drill"), 4)] {
        let status = gishiki().arg("verify").arg(&golden).args(extra).output().unwrap().status;
        assert_eq!(status.code(), Some(code), "{extra:?}");
    }
}

#[test]
fn a_golden_file_that_differs_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let golden = folder.path().join("golden");
    crate::support::copy(&genesis_golden(), &golden);
    fs::write(golden.join("root-g1.txt"), "other").unwrap();
    let output =
        gishiki().arg("rehearse").arg(genesis()).arg("--compare").arg(&golden).output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("root-g1.txt"));
}
