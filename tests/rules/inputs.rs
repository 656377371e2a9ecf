//! Cases that change the sample CA's plan, policy or roster: read and compiled in this process.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use ceremony::compile::{Compiled, Inputs, compile};
use ceremony::violation::Violation;

use super::case::{Case, Change};
use crate::support::{genesis, nothing, root};

/// The three inputs, as text, and where they were changed.
#[derive(Debug)]
pub(super) struct Texts {
    text: BTreeMap<String, String>,
    changed: Vec<(String, Range<usize>)>,
}

impl Texts {
    pub(super) fn sample() -> Self {
        let read = |path: std::path::PathBuf| fs::read_to_string(path).unwrap();
        let above = root().join("ceremony-plans/mdoc-root");
        let text = [
            ("plan.toml", read(genesis().join("plan.toml"))),
            ("policy.toml", read(above.join("policy.toml"))),
            ("roster.toml", read(above.join("roster.toml"))),
        ];
        let text = text.into_iter().map(|(name, text)| (name.to_string(), text)).collect();
        Self { text, changed: Vec::new() }
    }

    pub(super) fn changed(case: &Case) -> Self {
        let mut texts = Self::sample();
        for change in &case.body.change {
            texts.change(&case.name, change);
        }
        texts
    }

    fn change(&mut self, case: &str, change: &Change) {
        let text = self.text.get_mut(&change.file).unwrap_or_else(|| panic!("{case}: no file"));
        let part = change.table.as_ref().map_or(0..text.len(), |name| table(case, text, name));
        let at = match &change.find {
            None => part.end..part.end,
            Some(find) => {
                let found: Vec<usize> =
                    text[part.clone()].match_indices(find.as_str()).map(|(at, _)| at).collect();
                let [at] = found.as_slice() else {
                    panic!("{case}: `{find}` stands {} times in {}", found.len(), change.file);
                };
                part.start + at..part.start + at + find.len()
            }
        };
        text.replace_range(at.clone(), &change.put);
        let (grown, shrunk) = (change.put.len(), at.len());
        for (file, place) in &mut self.changed {
            if *file == change.file && place.start >= at.end {
                *place = place.start + grown - shrunk..place.end + grown - shrunk;
            }
        }
        self.changed.push((change.file.clone(), at.start..at.start + grown));
    }

    /// The sample CA with these texts in a folder of its own.
    pub(super) fn write(&self, ca: &Path) {
        fs::create_dir_all(ca.join("2026-04-genesis")).unwrap();
        fs::write(ca.join("2026-04-genesis/plan.toml"), &self.text["plan.toml"]).unwrap();
        fs::write(ca.join("policy.toml"), &self.text["policy.toml"]).unwrap();
        fs::write(ca.join("roster.toml"), &self.text["roster.toml"]).unwrap();
    }

    pub(super) fn compiled(&self) -> Result<Compiled, Vec<Violation>> {
        let octets = |name: &str| self.text[name].as_bytes();
        let inputs = Inputs::read(
            octets("plan.toml"),
            octets("policy.toml"),
            octets("roster.toml"),
            &[].into(),
        )?;
        compile(&inputs, &nothing())
    }
}

/// From a table's heading to the next one.
fn table(case: &str, text: &str, name: &str) -> Range<usize> {
    let heading = format!("[{name}]\n");
    let starts: Vec<usize> = text
        .match_indices(&heading)
        .map(|(at, _)| at)
        .filter(|at| text[..*at].is_empty() || text[..*at].ends_with('\n'))
        .collect();
    let [start] = starts.as_slice() else { panic!("{case}: no single [{name}]") };
    let rest = &text[start + heading.len()..];
    let end = rest.find("\n[").map_or(text.len(), |at| start + heading.len() + at + 1);
    *start..end
}

pub(super) fn violations(texts: &Texts) -> Vec<Violation> {
    texts.compiled().err().unwrap_or_default()
}

pub(super) fn judge(case: &Case) -> Vec<String> {
    let texts = Texts::changed(case);
    let mut rules: Vec<String> =
        violations(&texts).iter().map(|violation| named(case, &texts, violation)).collect();
    rules.sort();
    rules
}

/// The rule, and the place if it is neither in what was changed nor what the case names.
fn named(case: &Case, texts: &Texts, violation: &Violation) -> String {
    assert!(!violation.asked.is_empty() && !violation.found.is_empty(), "{}", case.name);
    let file = violation.place.input.to_string();
    let span = violation.place.span.clone();
    let touches = |place: &Range<usize>| span.start <= place.end && place.start <= span.end;
    let inside = texts.changed.iter().any(|(name, place)| *name == file && touches(place));
    let there = texts.text[&file].get(span.clone()).unwrap_or_default();
    let at = |at: &String| !there.is_empty() && there.starts_with(at.as_str());
    if inside || case.at.as_ref().is_some_and(at) {
        return violation.rule.to_string();
    }
    format!("{} at {file} `{there}`", violation.rule)
}
