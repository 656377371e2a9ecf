//! The table of every duty of the sample's CP/CPS: what it says is to be run can be run.

use std::collections::BTreeSet;
use std::fs;

use ceremony::policy::Policy;

use crate::support::{gishiki, root, run};

/// The commands of the page's last table, by its rows.
fn rows(page: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let (_, table) = text.rsplit_once("|---|---|---|---|\n").unwrap();
    let commands = |row: &str| {
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let code = cell.split('`').skip(1).step_by(2);
        code.filter(|code| code.starts_with("gishiki")).map(str::to_string).collect()
    };
    table.lines().map(commands).collect()
}

/// There is a limit to how many records are read (docs/bounds.md).
#[test]
fn a_folder_holds_so_many_records() {
    let folder = tempfile::tempdir().unwrap();
    let most = ceremony::bounds::DONE.most;
    for number in 0..=most {
        fs::write(folder.path().join(format!("{number}.toml")), "").unwrap();
    }
    let shown = || {
        let mut command = gishiki();
        command
            .args(["--lang", "en", "duties", "--at", "2026-04-01", "--records"])
            .arg(folder.path());
        command.arg("--ca").arg(root().join("ceremony-plans/mdoc-root"));
        let ledger = root().join("golden/utopia-mdl");
        let output = run(command.arg("--ledger").arg(ledger));
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = shown();
    assert!(code == Some(5) && said.contains(&format!("{} files; ask who", most + 1)), "{said}");
    // One fewer is read, and the first of them is no record.
    fs::remove_file(folder.path().join("0.toml")).unwrap();
    let (code, said) = shown();
    assert!(code == Some(5) && said.contains("1.toml") && said.contains("S-FORM"), "{said}");
}

#[test]
fn each_of_the_73_duties_names_its_command() {
    let (english, japanese) = (rows("docs/duties.md"), rows("docs/duties.ja.md"));
    assert_eq!(english.len(), 73);
    assert_eq!(english, japanese);
    assert_eq!(english.iter().filter(|commands| commands.is_empty()).count(), 11);
    let policy = fs::read(root().join("ceremony-plans/mdoc-root/policy.toml")).unwrap();
    let policy = Policy::parse(&policy).unwrap();
    let commands: BTreeSet<&String> = english.iter().flatten().collect();
    let mut done = BTreeSet::new();
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        match words.as_slice() {
            ["gishiki-dts", verb] => assert!(["sync", "probe"].contains(verb), "{command}"),
            ["gishiki", "duties", "done", duty] => {
                assert!(policy.duty.contains_key(*duty), "{command}");
                done.insert((*duty).to_string());
            }
            ["gishiki", words @ ..] => {
                let (options, verbs): (Vec<&str>, Vec<&str>) =
                    words.iter().copied().partition(|word| word.starts_with("--"));
                let output = run(gishiki().args(verbs).arg("--help"));
                let help = String::from_utf8(output.stdout).unwrap();
                assert!(output.status.success(), "{command}");
                assert!(options.iter().all(|option| help.contains(option)), "{command}");
            }
            _ => panic!("{command}"),
        }
    }
    // All but one that no row of the list has: of the building's own alarm.
    let all: BTreeSet<String> = policy.duty.keys().map(ToString::to_string).collect();
    let others: Vec<&String> = all.difference(&done).collect();
    assert_eq!(others, ["intrusion-detection"]);
}
