//! `docs/readings.md` explains every number of a reading of the CP/CPS that somebody meets: in the
//! code, in a document, in the sample.

use std::collections::BTreeSet;

use regex::Regex;

use super::read;
use crate::support::{files, root};

/// The numbers that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let number = Regex::new(r"\bD[1-9][0-9]?\b").unwrap();
    number.find_iter(text).map(|found| found.as_str().to_string()).collect()
}

/// The numbers that have a row.
fn explained(page: &str) -> BTreeSet<String> {
    let text = read(page);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| D"));
    rows.map(|row| format!("D{}", row.split(' ').next().unwrap())).collect()
}

#[test]
fn every_reading_that_is_named_is_explained() {
    let pages = ["docs/readings.md", "docs/readings.ja.md"].map(explained);
    let mut used = BTreeSet::new();
    for folder in ["crates", "ceremony-plans", "docs", "tests/rules"] {
        for (name, octets) in files(&root().join(folder)) {
            let is_text = [".rs", ".toml", ".md"].iter().any(|end| name.ends_with(end));
            if is_text && !name.starts_with("readings.") {
                used.extend(named(std::str::from_utf8(&octets).unwrap()));
            }
        }
    }
    for explained in pages {
        assert_eq!(explained, used);
    }
}
