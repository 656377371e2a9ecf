//! The time that a ceremony is reckoned to take: in the agenda of the script, from the policy.

use std::collections::BTreeMap;
use std::fs;

use crate::support::root;

/// The acts of tokens, by the beginnings of their operations' names.
const TOKEN: [&str; 15] = [
    "identify",
    "login",
    "inventory",
    "read-",
    "copy-",
    "inspect-",
    "destroy-",
    "clear-",
    "generate-",
    "sign-",
    "wrap-",
    "write-head",
    "seal",
    "logout",
    "remove-",
];

/// The seconds of a policy: the general ones, and those of kinds of acts.
fn seconds(ca: &str) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(root().join("ceremony-plans").join(ca).join("policy.toml"));
    let policy: toml::Table = text.unwrap().parse().unwrap();
    let pace = policy["pace"].as_table().unwrap();
    let acts = pace["act"].as_table().unwrap();
    let numbers = pace.iter().chain(acts).filter_map(|(name, value)| {
        Some((name.clone(), u64::try_from(value.as_integer()?).unwrap()))
    });
    numbers.collect()
}

/// The seconds of an operation, read from its line in `graph.txt`.
fn of(line: &str, pace: &BTreeMap<String, u64>, participants: u64) -> u64 {
    let (_, rest) = line.split_once(' ').unwrap();
    let name = rest.split([' ', ':']).next().unwrap();
    let kind = |known: &&String| name == *known || name.starts_with(&format!("{known}-"));
    let general = match TOKEN.iter().any(|one| name.starts_with(one)) {
        true => "token",
        false => "people",
    };
    let act = pace.keys().find(kind).map_or(pace[general], |known| pace[known]);
    let by = rest.split_once("] by ").unwrap().1;
    let cards = match (name, by.contains("signed by")) {
        ("seal", _) => participants,
        (_, true) if name.starts_with("exit-") => 1,
        (_, true) => {
            let duties = by.split(';').next().unwrap().split(", ");
            duties.map(|duty| duty.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
        }
        (_, false) => 0,
    };
    let head = if line.ends_with("the head is noted") { pace["head"] } else { 0 };
    act + cards * pace["signature"] + head
}

#[test]
fn the_agenda_has_the_minutes_of_the_policy() {
    for ca in ["mdoc-root", "utopia-mdl"] {
        let pace = seconds(ca);
        let mut ceremonies = 0;
        for golden in fs::read_dir(root().join("golden").join(ca)).unwrap() {
            let golden = golden.unwrap().path();
            let Ok(graph) = fs::read_to_string(golden.join("graph.txt")) else { continue };
            let numbered = |line: &&str| {
                let number = line.split(' ').next().unwrap();
                number.len() == 3 && number.parse::<u32>().is_ok()
            };
            let script = fs::read_to_string(golden.join("script.en.md")).unwrap();
            let lines: Vec<&str> = graph.lines().filter(numbered).collect();
            let participants = lines.iter().filter(|line| line[4..].starts_with("exit-")).count();
            let stand_by = lines[0].split_once(" of ").unwrap().1.split([';', ',']).next().unwrap();
            let participants = participants as u64 + stand_by.split_whitespace().count() as u64;
            let all: u64 = lines.iter().map(|line| of(line, &pace, participants)).sum();
            let row = format!("| all | 1 – {} | {} |", lines.len(), all.div_ceil(60));
            assert!(script.contains(&row), "{}: {row}", golden.display());
            ceremonies += 1;
        }
        assert!(ceremonies >= 5, "{ca}: {ceremonies}");
    }
}
