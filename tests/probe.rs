//! `gishiki probe`: it asks a token before the day, says what will stop the ceremony, and leaves
//! nothing behind, whatever fails.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::kill::small_ca;
use crate::nss;
use crate::support::{
    Drill, PIN, SOFTHSM, faulty_module, genesis, gishiki, listed_on, run, succeed, text,
};

impl Drill {
    /// `gishiki probe …` on this drill's token.
    pub(crate) fn probe_command(&self, plan: Option<&Path>) -> Command {
        let mut command = gishiki();
        command.arg("probe").args(plan).arg("--room").arg(self.path("room.toml"));
        self.env(&mut command).args(["--pin-fd", "0"]);
        command.stdin(fs::File::open(self.path("pin")).unwrap());
        command
    }

    /// Every object on this drill's token, with its attributes, as another program lists them.
    pub(crate) fn inventory(&self) -> String {
        listed_on(self, &self.serial)
    }
}

/// What a probe printed, and its exit code.
pub(crate) fn probed(mut command: Command) -> (String, Option<i32>) {
    let output = run(&mut command);
    let said = text(&output);
    assert!(!said.contains("panicked"), "{said}");
    (said, output.status.code())
}

#[test]
fn a_token_that_holds_is_said_to_hold_and_nothing_is_left_on_it() {
    let drill = Drill::new();
    let before = drill.inventory();
    let (said, code) = probed(drill.probe_command(Some(&genesis())));
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains('✗') && !said.contains('–'), "{said}");
    for held in [
        "✓ what it says it is: ",
        "CKM_EC_KEY_PAIR_GEN, CKM_ECDSA",
        "✓ key pair with the attributes of `audit`",
        "✓ key pair with the attributes of `g1`",
        "✓ signature of a key like `g1`",
        "✓ key like `g1` is not wrapped out: CKR_",
        "✓ data object",
        "✓ what is on it is as before: 0 objects",
        "Nothing was found that stops the ceremony.",
    ] {
        assert!(said.contains(held), "{held}: {said}");
    }
    assert_eq!(drill.inventory(), before);
    let (said, code) = probed({
        let mut command = drill.probe_command(Some(&genesis()));
        command.args(["--lang", "ja"]);
        command
    });
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("✓ `g1` は取り出せない") && said.contains("見つかりませんでした"),
        "{said}"
    );
    // And the ceremony that it speaks of is one.
    succeed(&mut drill.run_command(&small_ca(&drill.path("ca"))));
}

#[test]
fn without_a_plan_only_what_needs_no_login_is_asked() {
    let drill = Drill::new();
    drill.write_room(&faulty_module());
    let mut command = drill.probe_command(None);
    command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_LOG", drill.path("calls"));
    let (said, code) = probed(command);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("only what needs no login was asked"), "{said}");
    let calls = fs::read_to_string(drill.path("calls")).unwrap();
    assert!(calls.contains("C_GetMechanismList") && !calls.contains("C_Login"), "{calls}");
}

/// Whatever fails, and wherever the probe is killed, the token holds what it held before.
#[test]
fn a_probe_that_fails_leaves_nothing_behind() {
    let base = Drill::new();
    base.write_room(&faulty_module());
    let plan = genesis();
    let before = base.inventory();
    let log = base.path("calls");
    let mut counted = base.probe_command(Some(&plan));
    counted.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_LOG", &log);
    assert_eq!(probed(counted).1, Some(0));
    let calls = fs::read_to_string(log).unwrap();
    let made = ["C_GenerateKeyPair", "C_CreateObject", "C_GenerateKey", "C_DestroyObject"];
    let mut points: Vec<String> = calls
        .lines()
        .enumerate()
        .filter(|(index, line)| index % 23 == 0 || made.contains(&line.split(' ').nth(1).unwrap()))
        .flat_map(|(index, _)| {
            ["error=30", "error-after=30", "kill-before", "kill-after"]
                .map(|fault| format!("{}:{fault}", index + 1))
        })
        .collect();
    points.extend(
        [
            "C_GenerateKeyPair#*:nothing",
            "C_GenerateKeyPair#*:error-after=30",
            "C_Sign#1:other-digest",
            "C_Sign#2:zero-r",
            "C_WrapKey#*:octets",
            "C_CreateObject#1:error-after=31",
            "C_GetAttributeValue#*:flip=103",
        ]
        .map(String::from),
    );
    let (mut stopped, mut died) = (0, 0);
    for at in &points {
        let mut command = base.probe_command(Some(&plan));
        command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at);
        let (said, code) = probed(command);
        match code {
            Some(3) => stopped += 1,
            None => died += 1,
            other => assert_eq!(other, Some(0), "{at}: {said}"),
        }
        assert_eq!(base.inventory(), before, "{at}: {said}");
    }
    println!("{} faults, {stopped} stopped, {died} killed", points.len());
    assert!(stopped > 20 && died > 20, "{stopped} {died}");
}

#[test]
fn what_stops_the_ceremony_is_named_with_what_to_do() {
    let base = Drill::new();
    base.write_room(&faulty_module());
    for (at, rule, advice) in [
        ("C_Sign#1:other-digest", "S-SIGNATURE", "do not use this token"),
        ("C_Sign#2:s-is-n", "S-SIGNATURE", "do not use this token"),
        ("C_WrapKey#*:octets", "R-NO-TRANSFER", "must not be used"),
        ("C_WrapKey#*:error=30", "C_WrapKey: CKR_DEVICE_ERROR", "did not refuse"),
        ("C_GetAttributeValue#*:flip=103", "R-KEY-IN-HSM", "makes another key"),
        ("C_CreateObject#1:error=d1", "CKR_TEMPLATE_INCONSISTENT", "on = \"paper\""),
        ("C_GenerateKeyPair#1:error=30", "CKR_DEVICE_ERROR", ""),
    ] {
        let mut command = base.probe_command(Some(&genesis()));
        command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_AT", at);
        let (said, code) = probed(command);
        assert_eq!(code, Some(3), "{at}: {said}");
        assert!(said.contains(rule) && said.contains(advice), "{at}: {said}");
        assert!(said.contains("✗") && said.contains("will stop"), "{at}: {said}");
    }
}

#[test]
fn a_wrong_pin_is_tried_once_and_nothing_else_is_asked() {
    let drill = Drill::new();
    drill.write_room(&faulty_module());
    fs::write(drill.path("pin"), "another-pin").unwrap();
    let mut command = drill.probe_command(Some(&genesis()));
    command.env("FAULTY_MODULE", SOFTHSM).env("FAULTY_LOG", drill.path("calls"));
    let (said, code) = probed(command);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("CKR_PIN_INCORRECT") && said.contains("one wrong PIN was counted"),
        "{said}"
    );
    let calls = fs::read_to_string(drill.path("calls")).unwrap();
    assert_eq!(calls.matches("C_Login").count(), 1);
    assert!(!calls.contains("C_GenerateKeyPair"));
}

/// NSS gives keys out that say NEVER_EXTRACTABLE: seen before the day.
#[test]
fn softokn_is_refused_before_the_day() {
    let (folder, initialize) = nss::database();
    let digest = ceremony::hex::Digest::of(&fs::read(nss::SOFTOKN).unwrap());
    let room = format!(
        "format = 1\ndrill = true\nterminal = \"nss\"\n[token]\nmodule = \"{}\"\nsha256 = \"{digest}\"\n\
         serial = \"{}\"\nlabel = \"{}\"\ninitialize = \"{initialize}\"\n",
        nss::SOFTOKN,
        nss::SERIAL,
        nss::LABEL
    );
    fs::write(folder.path().join("room.toml"), room).unwrap();
    let mut command = gishiki();
    command.arg("probe").arg(genesis()).arg("--room").arg(folder.path().join("room.toml"));
    command.args(["--pin-fd", "0"]).stdin(fs::File::open(folder.path().join("pin")).unwrap());
    let (said, code) = probed(command);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("R-NO-TRANSFER") && said.contains("it must not be used"), "{said}");
}

/// What needs no login is looked at by `run` itself while nothing is begun.
#[test]
fn a_wrong_token_stops_the_run_before_anyone_enters() {
    let mut drill = Drill::new();
    drill.serial = drill.new_token("mdoc-root");
    drill.write_room(Path::new(SOFTHSM));
    let output = run(&mut drill.run_command(&genesis()));
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("S-DRILL") && said.contains("Nothing was begun"), "{said}");
    assert!(!drill.path("A").exists() && !said.contains("Roll call"), "{said}");
}

/// A later ceremony: the keys of its ledger are on the token, and the token for the copy is asked
/// as well.
#[test]
fn a_backup_is_asked_of_both_tokens() {
    let drill = Drill::new();
    let vault = drill.new_token("DRILL vault");
    let plan = small_ca(&drill.path("ca"));
    let mut genesis = drill.run_command(&plan);
    succeed(&mut genesis);
    fs::create_dir(drill.path("ledger")).unwrap();
    fs::rename(drill.path("out"), drill.path("ledger/2026-04-genesis")).unwrap();
    let backup = fs::read_to_string(plan.join("../2026-12-backup-drill/plan.toml")).unwrap();
    let backup = backup
        .replace("2026-12-backup-drill", "2026-04-backup")
        .replace("2026-10-ds-compromise", "2026-04-genesis")
        .replace("= 5\n", "= 2\n")
        .replace("2026-12-25T", "2026-04-03T")
        .replace("2027-03-24", "2026-04-06");
    fs::create_dir(plan.join("../2026-04-backup")).unwrap();
    fs::write(plan.join("../2026-04-backup/plan.toml"), backup).unwrap();
    let room = fs::read_to_string(drill.path("room.toml")).unwrap();
    let of_vault = room.split("[token]").nth(1).unwrap().replace(&drill.serial, &vault);
    fs::write(drill.path("room.toml"), format!("{room}\n[spare.vault]{of_vault}")).unwrap();
    fs::write(drill.path("pin"), format!("{PIN}\n{PIN}\n")).unwrap();
    let both = || [&drill.serial, &vault].map(|serial| listed_on(&drill, serial));
    let before = both();
    let mut command = drill.probe_command(Some(&plan.join("../2026-04-backup")));
    command.arg("--ledger").arg(drill.path("ledger"));
    let (said, code) = probed(command);
    println!("{said}");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("✓ what is on it: 5 objects"), "{said}");
    assert!(said.contains("✓ ledger head on it"), "{said}");
    assert!(
        said.contains("spare token vault") && said.contains("✓ what is on it: 0 objects"),
        "{said}"
    );
    assert_eq!(said.matches("✓ mechanisms of a copy").count(), 2, "{said}");
    assert_eq!(both(), before);
}
