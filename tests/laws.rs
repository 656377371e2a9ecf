//! Laws of the project that a machine can check: what the core must not be able to do, and how
//! large files and functions may be.

mod circles;
mod languages;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{document, root, succeed};

/// Every source file of ours below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn of(folder: &str) -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| (path.clone(), fs::read_to_string(path).unwrap());
    sources(&root().join(folder)).into_iter().map(read).collect()
}

#[test]
fn the_core_is_no_std_and_stays_so() {
    let files = of("crates/ceremony/src");
    assert!(files.len() > 30);
    let lib = &files.iter().find(|(path, _)| path.ends_with("src/lib.rs")).unwrap().1;
    assert!(lib.contains("#![no_std]"));
    for (path, text) in &files {
        // On the host `extern crate std` would pass unseen.
        assert!(!text.contains("extern crate std"), "{}", path.display());
        assert!(!text.contains("std::"), "{}: the core has no std", path.display());
    }
}

#[test]
fn the_core_stands_on_few_crates() {
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(root());
    tree.args([
        "tree",
        "-p",
        "ceremony",
        "-e",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--no-dedupe",
    ]);
    let names: BTreeSet<String> = succeed(&mut tree)
        .lines()
        .filter_map(|line| line.split(' ').next().map(String::from))
        .collect();
    println!("crates in the core without proc-macros: {}", names.len());
    assert!(names.contains("x509-cert") && names.len() < 60, "{}: {names:?}", names.len());
}

#[test]
fn no_signing_key_stands_in_the_core_or_the_command_line() {
    for folder in ["crates/ceremony/src", "crates/cli"] {
        for (path, text) in of(folder) {
            for word in ["SigningKey", "SecretKey", "sign_prehash", "PrehashSigner"] {
                assert!(!text.contains(word), "{}: {word}", path.display());
            }
        }
    }
}

#[test]
fn a_token_request_cannot_be_copied_or_made_elsewhere() {
    let text = fs::read_to_string(root().join("crates/ceremony/src/token.rs")).unwrap();
    let (before, after) = text.split_once("pub enum TokenRequest {").unwrap();
    let derive = before.rsplit("#[derive(").next().unwrap();
    assert!(!derive.contains("Clone"), "a request is performed once");
    let (body, _) = after.split_once("\n}").unwrap();
    let variants =
        body.lines().filter(|line| line.starts_with("    ") && line.trim_end().ends_with('{'));
    let empty = body.lines().filter(|line| line.trim_end().ends_with("{},"));
    let count = variants.count() + empty.count();
    assert_eq!(body.matches("#[non_exhaustive]").count(), count, "every variant is ours to make");
    for folder in ["crates/token/src", "crates/cli"] {
        for (path, text) in of(folder) {
            assert!(!text.contains("for_tests"), "{}", path.display());
        }
    }
}

#[test]
fn files_functions_and_lines_are_short() {
    for folder in ["crates", "tests", "benches"] {
        for (path, text) in of(folder) {
            let shown = path.strip_prefix(root()).unwrap().display().to_string();
            assert!(text.lines().count() <= 500, "{shown}: {} lines", text.lines().count());
            for (number, line) in text.lines().enumerate() {
                let length = line.chars().count();
                // Sentences of documents and rows of tables stand as they are.
                let sentence =
                    line.contains('"') || line.ends_with('\\') || shown.contains("script/");
                let most = if sentence { 420 } else { 100 };
                assert!(length <= most, "{shown}:{}: {length}", number + 1);
            }
            for (name, length) in functions(&text) {
                // The sentences of a closed set of acts stand in one match.
                let most = if shown.contains("script/") { 220 } else { 80 };
                assert!(length <= most, "{shown}: {name} has {length} lines");
            }
        }
    }
}

/// Functions by name, with their number of lines, by indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(at) = line.find("fn ") else { continue };
        let plain = line[..at].trim();
        let head = [
            "",
            "pub",
            "pub(crate)",
            "pub(super)",
            "const",
            "pub const",
            "pub(crate) const",
            "pub(super) const",
        ];
        if !head.contains(&plain) {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| *line == close) {
            let name = line[at + 3..].split(['(', '<']).next().unwrap_or_default();
            found.push((name.to_string(), length));
        }
    }
    found
}

#[test]
fn nothing_is_left_undone() {
    // In halves, so that this file has none of them.
    let forbidden = [["to", "do!("], ["#[ign", "ore"], ["unimple", "mented!("]];
    let forbidden = forbidden.map(|halves| halves.concat());
    for folder in ["crates", "tests"] {
        for (path, text) in of(folder) {
            for word in &forbidden {
                assert!(!text.contains(word.as_str()), "{}: {word}", path.display());
            }
        }
    }
}

/// How often each file says `unwrap_or_default`, in `tests/laws/defaults.txt`. It may mean that
/// nothing is as good as what is empty; where it means that something cannot happen, it hides the
/// day on which it does. A new one is seen in review, and one that goes takes its line with it.
#[test]
fn every_silent_default_is_counted() {
    let mut counted = String::new();
    for (path, text) in of("crates") {
        let count = text.matches(".unwrap_or_default()").count();
        if count > 0 {
            let shown = path.strip_prefix(root()).unwrap().display();
            counted.push_str(&format!("{shown} {count}\n"));
        }
    }
    document("tests/laws/defaults.txt", &counted);
}

/// A machine that waits for words that nobody says any more is noticed here, in a moment, and not
/// after minutes in front of each.
#[test]
fn the_images_tests_wait_for_what_the_program_asks() {
    let texts = [of("crates/cli"), of("crates/ceremony/src")].concat();
    let said = |words: &str| texts.iter().any(|(_, text)| text.contains(words));
    let test = fs::read_to_string(root().join("tests/image/ceremony.rs")).unwrap();
    let (_, list) = test.split_once("const PROMPTS: ").unwrap();
    let (list, _) = list.split_once("];").unwrap();
    let prompts: Vec<&str> = list.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert!(prompts.len() > 10, "{prompts:?}");
    for prompt in prompts {
        // A name and, in brackets, what is asked stand in different places of the source.
        let (name, asked) = prompt.split_once(" (").unwrap_or((prompt, ""));
        let words = if asked.contains('…') { name } else { prompt };
        let words = words.trim_start_matches('(').trim_end_matches(": ").trim_end_matches(')');
        assert!(said(words), "{prompt:?} is asked nowhere");
    }
}

#[test]
fn decisions_are_numbered_and_what_is_free_is_said() {
    let readme = fs::read_to_string(root().join("docs/decisions/README.md")).unwrap();
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(root().join("docs/decisions")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name == "README.md" {
            continue;
        }
        let number = name[..4].to_string();
        assert_eq!(readme.matches(&format!("| [{number}]({name}) | ")).count(), 1, "{name}");
        assert!(files.insert(number), "{name}: a number twice");
    }
    let (_, said) = readme.split_once("No decision has the numbers ").unwrap();
    let (said, _) = said.split_once('.').unwrap();
    let last: usize = files.last().unwrap().parse().unwrap();
    let free: Vec<usize> = (1..last).filter(|n| !files.contains(&format!("{n:04}"))).collect();
    let said: Vec<usize> = said.split([',', ' ', '\n']).filter_map(|n| n.parse().ok()).collect();
    assert_eq!(said, free, "the numbers that docs/decisions/README.md says are free");
}

/// `rust-version` is a promise: it names the compiler that everything is tested with.
#[test]
fn the_oldest_compiler_is_the_one_that_is_tested() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let field = |text: &str, name: &str| -> String {
        let behind = text.split_once(&format!("{name} = \"")).unwrap().1;
        behind.split('"').next().unwrap().to_string()
    };
    let oldest = field(&read("Cargo.toml"), "rust-version");
    assert_eq!(field(&read("rust-toolchain.toml"), "channel"), format!("{oldest}.0"));
}

#[test]
fn every_test_file_is_one() {
    let main = fs::read_to_string(root().join("tests/main.rs")).unwrap();
    for entry in fs::read_dir(root().join("tests")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        if path.extension().is_some_and(|ending| ending == "rs") && name != "main" {
            assert!(main.contains(&format!("mod {name};")), "{name} is in no test");
        }
    }
}
