//! Files use each other in one direction; only a parent and its children, however deep, may use
//! each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::of;
use crate::support::root;

/// A file's place among the modules of its crate: `x509/judge/issued.rs` is `x509::judge::issued`.
type Module = Vec<String>;

/// The paths behind `crate`, `self` and `super` of a text, with every name of a `use` by itself.
fn paths(text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("::") {
        let head = text[..at].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
        let begins = !text[..at - head.len()].ends_with(':');
        if begins && ["crate", "self", "super"].contains(&head) {
            let mut rest = &text[at..];
            branch(&mut rest, vec![head.to_string()], &mut found);
        }
    }
    found
}

/// What is behind one name: `::name`, `::{…, …}`, or nothing more.
fn branch(rest: &mut &str, path: Module, found: &mut Vec<Module>) {
    let Some(behind) = rest.strip_prefix("::") else {
        return found.push(path);
    };
    *rest = behind;
    if let Some(group) = rest.strip_prefix('{') {
        *rest = group.trim_start();
        while !rest.starts_with('}') && !rest.is_empty() {
            one(rest, &path, found);
            // `as other`, a comma, and the space around them.
            *rest = rest.trim_start_matches(|c: char| c != ',' && c != '}');
            *rest = rest.trim_start_matches(',').trim_start();
        }
        *rest = rest.strip_prefix('}').unwrap_or(rest);
        return;
    }
    one(rest, &path, found);
}

fn one(rest: &mut &str, path: &[String], found: &mut Vec<Module>) {
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let (name, behind) = rest.split_at(length);
    *rest = behind;
    branch(rest, [path, &[name.to_string()]].concat(), found);
}

/// The code of a file: without comments, and without its tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The files of a crate, and which others each of them uses, without its parents and children.
fn uses(folder: &str) -> BTreeMap<Module, BTreeSet<Module>> {
    let place = |path: &Path| -> Module {
        let inner = path.strip_prefix(root().join(folder)).unwrap().with_extension("");
        let parts = inner.components().map(|part| part.as_os_str().to_str().unwrap().to_string());
        parts.filter(|part| !["lib", "main", "mod"].contains(&part.as_str())).collect()
    };
    let mut files: BTreeMap<Module, String> =
        of(folder).iter().map(|(path, text)| (place(path), code(text))).collect();
    // It is compiled in tests only, and meets the program at its edges (0087).
    files.retain(|file, _| file.first().is_none_or(|room| room != "simulator"));
    let used = |from: &Module, path: Module| -> Option<Module> {
        let mut at = if path.first()? == "crate" { Vec::new() } else { from.clone() };
        for name in path {
            match name.as_str() {
                "crate" | "self" => {}
                "super" => at.truncate(at.len().saturating_sub(1)),
                _ => at.push(name),
            }
        }
        while !files.contains_key(&at) {
            at.pop()?;
        }
        (!at.starts_with(from) && !from.starts_with(&at)).then_some(at)
    };
    let all = |(from, text): (&Module, &String)| {
        (from.clone(), paths(text).into_iter().filter_map(|path| used(from, path)).collect())
    };
    files.iter().map(all).collect()
}

/// Everything that can be reached from a file.
fn reached(uses: &BTreeMap<Module, BTreeSet<Module>>, from: &Module) -> BTreeSet<Module> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        open.extend(uses[next].iter().filter(|used| found.insert((*used).clone())));
    }
    found
}

/// The files that reach each other, knot by knot, and the uses of which each knot is made.
fn knots(folder: &str) -> Vec<(String, Vec<String>)> {
    let uses = uses(folder);
    let reach: BTreeMap<&Module, BTreeSet<Module>> =
        uses.keys().map(|file| (file, reached(&uses, file))).collect();
    let together = |a: &Module, b: &Module| reach[a].contains(b) && reach[b].contains(a);
    let name = |file: &Module| file.join("/");
    let mut found = Vec::new();
    for first in uses.keys() {
        let knot: Vec<&Module> = uses.keys().filter(|file| together(first, file)).collect();
        if knot.first() != Some(&first) {
            continue;
        }
        let inner = |from: &Module, to: &Module| knot.contains(&from) && knot.contains(&to);
        let threads = uses.iter().flat_map(|(from, used)| used.iter().map(move |to| (from, to)));
        let threads = threads.filter(|(from, to)| inner(from, to));
        let threads = threads.map(|(from, to)| format!("{} → {}", name(from), name(to))).collect();
        let files: Vec<String> = knot.iter().map(|file| name(file)).collect();
        found.push((format!("{folder}: {}", files.join(" ")), threads));
    }
    found
}

#[test]
fn files_use_each_other_in_one_direction() {
    let folders = [
        "crates/ceremony/src",
        "crates/os/src",
        "crates/token/src",
        "crates/image/src",
        "crates/cli",
    ]
    .map(knots);
    let found: BTreeMap<String, Vec<String>> = folders.into_iter().flatten().collect();
    let told: String = found
        .iter()
        .map(|(knot, threads)| format!("{knot}\n  {}\n", threads.join("\n  ")))
        .collect();
    assert!(found.is_empty(), "{told}");
}

#[test]
fn a_path_is_read_in_every_form() {
    let found = paths("use crate::a::{b::C, d as e, f::{g, h}};\nlet x = super::super::i::j();");
    let found: Vec<String> = found.iter().map(|path| path.join(" ")).collect();
    let asked = ["crate a b C", "crate a d", "crate a f g", "crate a f h", "super super i j"];
    assert_eq!(found, asked);
}
