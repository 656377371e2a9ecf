//! The documents are correct: their links have targets, and their commands print what is shown.
//!
//! Blocks of `sh` are run as they stand; blocks of `console` are commands behind `$ `, each with
//! what it prints. There `…` stands for anything: on a line of its own for any lines, at the end of
//! a line for the rest of it.

mod first_use;
mod readings;
mod siblings;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{GISHIKI, genesis, gishiki, root, run, succeed, text};

/// One fenced block: its language and its lines.
struct Block {
    language: String,
    lines: Vec<String>,
}

/// One command of a `console` block, and what it is said to print.
struct Said {
    command: String,
    printed: Vec<String>,
}

fn read(name: &str) -> String {
    let path = root().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of a document, and its lines outside of them.
fn parts(name: &str) -> (Vec<Block>, Vec<String>) {
    let (mut found, mut outside): (Vec<Block>, Vec<String>) = (Vec::new(), Vec::new());
    let mut open = false;
    for line in read(name).lines() {
        match line.trim_start().strip_prefix("```") {
            Some(language) if !open => {
                found.push(Block { language: language.to_string(), lines: Vec::new() });
                open = true;
            }
            Some(_) => open = false,
            None if open => found.last_mut().unwrap().lines.push(line.to_string()),
            None => outside.push(line.to_string()),
        }
    }
    assert!(!open, "{name}: a block without its end");
    (found, outside)
}

/// The fenced blocks of a document.
fn blocks(name: &str) -> Vec<Block> {
    parts(name).0
}

/// The texts of a document's `sh` blocks.
fn shell(name: &str) -> Vec<String> {
    let blocks = blocks(name).into_iter().filter(|block| block.language == "sh");
    blocks.map(|block| block.lines.join("\n")).collect()
}

/// The commands of a document's `console` blocks.
fn console(name: &str) -> Vec<Said> {
    let mut found: Vec<Said> = Vec::new();
    for block in blocks(name).into_iter().filter(|block| block.language == "console") {
        for line in block.lines {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    found.push(Said { command: command.to_string(), printed: Vec::new() });
                }
                None => found.last_mut().unwrap().take(line),
            }
        }
    }
    found
}

impl Said {
    /// The next line: of the command, if the one before ends with `\`, else of what is printed.
    fn take(&mut self, line: String) {
        match self.command.strip_suffix('\\') {
            Some(begun) if self.printed.is_empty() => {
                self.command = format!("{begun} {}", line.trim_start());
            }
            _ => self.printed.push(line),
        }
    }
}

/// A shell in which `gishiki` is the program under test.
fn bash(script: &str, folder: &Path) -> Command {
    let program = PathBuf::from(GISHIKI);
    let path =
        format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(folder).env("PATH", path);
    command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
    command
}

/// Whether these lines are what was said, with `…` for anything.
fn matches(said: &[String], printed: &[String]) -> bool {
    match said.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "…" => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed.split_first().is_some_and(|(found, others)| {
            let same = match line.strip_suffix('…') {
                Some(beginning) => found.starts_with(beginning),
                None => found.trim_end() == line,
            };
            same && matches(rest, others)
        }),
    }
}

/// Runs the commands of a document's `console` blocks, and compares.
fn tour(name: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    for part in ["ceremony-plans", "golden"] {
        std::os::unix::fs::symlink(root().join(part), folder.path().join(part)).unwrap();
    }
    let said = console(name);
    for Said { command, printed } in &said {
        let output = run(&mut bash(&format!("{{ {command}; }} 2>&1"), folder.path()));
        let found: Vec<String> = text(&output).lines().map(str::to_string).collect();
        assert!(
            matches(printed, &found),
            "{name}: {command}\nsaid:\n{}\nprinted:\n{}",
            printed.join("\n"),
            found.join("\n")
        );
    }
    said.len()
}

#[test]
fn the_readme_prints_what_it_says() {
    assert!(tour("README.md") >= 12);
    assert!(tour("README.ja.md") >= 12);
}

#[test]
fn the_calendar_is_shown_as_its_document_says() {
    assert_eq!(tour("docs/duties.md"), 1);
    assert_eq!(tour("docs/duties.ja.md"), 1);
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let commands = shell("README.md");
    assert_eq!(commands, shell("README.ja.md"));
    assert_eq!(commands.len(), 2);
    assert!(root().join(&commands[1]).is_file());
    let folder = tempfile::tempdir().unwrap();
    let words: Vec<&str> = commands[0].split_whitespace().collect();
    assert_eq!(words[..6], ["cargo", "run", "--release", "--bin", "gishiki", "--"]);
    assert_eq!(root().join(words[7]), genesis());
    let out = folder.path().join(words[9]);
    succeed(gishiki().current_dir(root()).args(&words[6..9]).arg(&out));
    assert!(out.join("manifest.json").is_file());
}

#[test]
fn the_drill_on_a_token_can_be_followed() {
    let commands = shell("docs/on-a-token.md");
    assert_eq!(commands, shell("docs/on-a-token.ja.md"), "one procedure in two languages");
    // Its first two blocks install SoftHSM and build gishiki; `./test` has done both.
    assert!(commands[0].contains("apt-get install") && commands[1].contains("cargo build"));
    let script = format!("set -euo pipefail\n{}", commands[2..].join("\n"));
    let folder = tempfile::tempdir().unwrap();
    let mut command = bash(&script, &root());
    let printed = succeed(command.env("TMPDIR", folder.path()));
    for said in ["the drill is prepared", "completed: 2026-04-genesis (drill)", "drill, consistent"]
    {
        assert!(printed.contains(said), "{said}:\n{printed}");
    }
}

/// Every document of ours below a folder; what a rehearsal or a build wrote is none.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let ours = !name.starts_with('.') && !["golden", "target", "FIRST", "OUT"].contains(&name);
        if path.is_dir() && ours {
            found.extend(documents(&path));
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for document in documents(&root()) {
        let text = std::fs::read_to_string(&document).unwrap();
        for after in text.split("](").skip(1) {
            let link = after.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let file = link.split('#').next().unwrap();
            let place = document.parent().unwrap().join(file);
            assert!(file.is_empty() || place.exists(), "{}: {link}", document.display());
            links += 1;
        }
    }
    assert!(links > 30, "{links} links");
}

/// The guides say which files a change touches; each of them is there.
#[test]
fn every_file_that_a_guide_names_is_there() {
    let mut named = 0;
    for guide in ["CONTRIBUTING.md", "SECURITY.md", "RELEASING.md", "docs/ARCHITECTURE.md"] {
        let text = read(guide);
        for word in text.split('`').skip(1).step_by(2) {
            let first = word.split('/').next().unwrap();
            let ours = ["crates", "tests", "docs", "nix", "golden", "ceremony-plans", ".ci"];
            let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if ours.contains(&first) && plain && !word.contains("NAME") {
                assert!(root().join(word).exists(), "{guide}: {word}");
                named += 1;
            }
        }
    }
    assert!(named > 60, "{named} files");
}

#[test]
fn every_decision_is_listed() {
    let list = read("docs/decisions/README.md");
    let mut decisions = 0;
    for entry in std::fs::read_dir(root().join("docs/decisions")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == "README.md" {
            continue;
        }
        assert!(list.contains(&format!("]({name})")), "{name} is not listed");
        let text = read(&format!("docs/decisions/{name}"));
        for part in ["**Context.**", "**Decision.**", "**Given up.**"] {
            assert!(text.contains(part), "{name}: {part}");
        }
        decisions += 1;
    }
    assert_eq!(list.matches("\n| [").count(), decisions);
}

/// The names of all entries of a document, at any depth, but not what people chose as names.
fn entries(table: &toml::Table, found: &mut Vec<String>) {
    for (name, value) in table {
        if let Some(inner) = value.as_table() {
            entries(inner, found);
            continue;
        }
        found.push(name.clone());
        let items = value.as_array().into_iter().flatten();
        items.filter_map(toml::Value::as_table).for_each(|inner| entries(inner, found));
    }
}

#[test]
fn every_entry_is_documented() {
    let text = read("docs/plan-format.md");
    let mut found = Vec::new();
    let folders = |of: &std::path::Path| {
        let listed = std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
        listed.filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    let documents = folders(&root().join("ceremony-plans")).into_iter().flat_map(|ca| {
        let plans = folders(&ca).into_iter().map(|plan| plan.join("plan.toml"));
        let of_ca = ["cps.toml", "policy.toml", "roster.toml"].map(|name| ca.join(name));
        of_ca.into_iter().chain(plans).collect::<Vec<_>>()
    });
    for path in documents {
        let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
        entries(&table, &mut found);
        let acts = table.get("act").and_then(toml::Value::as_table);
        found.extend(acts.into_iter().flat_map(|acts| acts.keys().cloned()));
        // Under an act's `by` stand roles, which the policy chose.
        let roles = table.get("role").and_then(toml::Value::as_table);
        let roles: Vec<String> = roles.into_iter().flat_map(|t| t.keys().cloned()).collect();
        found.retain(|entry| !roles.contains(entry));
    }
    assert!(found.len() > 100);
    for entry in found {
        let alone = text.contains(&format!("`{entry}`")) || text.contains(&format!("[{entry}]"));
        let among = [format!("{{ {entry},"), format!(", {entry},"), format!(", {entry} }}")];
        assert!(alone || among.iter().any(|way| text.contains(way)), "{entry}");
    }
}

/// `docs/bounds.md`: every bound of the program, with its reason.
#[test]
fn the_document_of_bounds_is_the_list_in_the_code() {
    let mut text = include_str!("documents/bounds.md").to_string();
    text.push_str("\n| of what | at most | why it is enough |\n|---|---|---|\n");
    for bound in ceremony::bounds::ALL {
        let digits = bound.most.to_string();
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().map(|g| str::from_utf8(g).unwrap()).collect();
        let ceremony::bounds::Bound { what, unit, why, .. } = bound;
        text.push_str(&format!("| {what} | {} {unit} | {why} |\n", groups.join(",")));
    }
    crate::support::document("docs/bounds.md", &text);
}

/// `docs/words.txt`: the words that papers and screens have for octets, for who reads them without
/// the program.
#[test]
fn the_list_of_words_is_that_of_the_code() {
    let mut text = String::new();
    for octet in 0..=u8::MAX {
        let words = ceremony::words::words(&[octet, octet]);
        text.push_str(&format!("{octet:02x} {}\n", words.join(" ")));
    }
    crate::support::document("docs/words.txt", &text);
}

/// `docs/words-ja.txt`: the same of the words in kana, with the Latin letters that are typed.
#[test]
fn the_list_of_words_in_kana_is_that_of_the_code() {
    let mut text = String::new();
    for (place, word) in ceremony::words::list().into_iter().enumerate() {
        text.push_str(&format!("{place:4} {word} {}\n", ceremony::words::latin(word)));
    }
    crate::support::document("docs/words-ja.txt", &text);
}

/// The workspace has more than one program: `cargo run` needs to be told which.
#[test]
fn every_cargo_run_names_its_program() {
    let mut found = 0;
    for name in ["README.md", "README.ja.md", "docs/image.md", "docs/image.ja.md"] {
        for line in read(name).lines().filter(|line| line.contains("cargo run ")) {
            assert!(line.contains("cargo run --release --bin gishiki -- "), "{name}: {line}");
            found += 1;
        }
    }
    assert_eq!(found, 4);
}
