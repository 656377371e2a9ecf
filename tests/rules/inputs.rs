//! Cases that change the sample CA's plan, policy or roster: read and compiled in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ceremony::compile::{Compiled, compile};
use ceremony::inputs::{Documents, Inputs};
use ceremony::ledger::{Standing, State};
use ceremony::plan::Plan;
use ceremony::record::Mode;
use ceremony::rules::broken;
use ceremony::violation::Violation;

use super::case::{Case, Change};
use crate::support::{root, state_after};

/// The documents of a CA.
const OF_CA: [&str; 3] = ["cps.toml", "policy.toml", "roster.toml"];

/// The document of a CA that the sample does not have.
const RELEASE: &str = "release.toml";

/// The inputs, as text, and where they were changed.
#[derive(Debug)]
pub(super) struct Texts {
    ceremony: String,
    state: Arc<State>,
    text: BTreeMap<String, String>,
    changed: Vec<(String, Range<usize>)>,
}

impl Texts {
    pub(super) fn sample() -> Self {
        Self::of("2026-04-genesis")
    }

    /// A ceremony of the sample CA, with its requests, on the state before it.
    pub(super) fn of(ceremony: &str) -> Self {
        let read = |path: std::path::PathBuf| fs::read_to_string(path).unwrap();
        let above = root().join("ceremony-plans/mdoc-root");
        let mut text: BTreeMap<String, String> = fs::read_dir(above.join(ceremony))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
            .filter(|(name, _)| name == "plan.toml" || name.ends_with(".csr"))
            .map(|(name, path)| (name, read(path)))
            .collect();
        for name in OF_CA {
            text.insert(name.to_string(), read(above.join(name)));
        }
        let plan = Plan::parse(text["plan.toml"].as_bytes()).unwrap();
        let state = state_after(plan.after.get_ref());
        Self { ceremony: ceremony.to_string(), state, text, changed: Vec::new() }
    }

    pub(super) fn changed(case: &Case) -> Self {
        let mut texts = case.body.on.as_deref().map_or_else(Self::sample, Self::of);
        let state = Arc::make_mut(&mut texts.state);
        for name in &case.body.forget {
            assert!(state.certificates.remove_mut(name.as_str()), "{}: {name}", case.name);
        }
        for name in &case.body.withhold {
            let name = name.parse().unwrap();
            assert!(state.certificates.contains_key(&name), "{}: {name}", case.name);
            state.set_standing(&name, Standing::Withheld);
        }
        state.stopped.extend(&case.body.stopped);
        for (name, at) in &case.body.compromised {
            let key = state.keys.get_mut(name.as_str());
            key.unwrap_or_else(|| panic!("{}: {name}", case.name)).compromised = Some(*at);
        }
        if let Some(digest) = case.body.abandoned {
            state.last.as_mut().unwrap().abandoned = Some(digest);
        }
        for change in &case.body.change {
            texts.change(&case.name, change);
        }
        texts
    }

    /// The documents, each with its name behind that of the case.
    pub(super) fn documents(self, case: &str) -> Vec<(String, String)> {
        let documents = self.text.into_iter().filter(|(name, _)| name.ends_with(".toml"));
        documents.map(|(name, text)| (format!("{case} {name}"), text)).collect()
    }

    /// The sample CA with another policy.
    pub(super) fn with_policy(text: String) -> Self {
        let mut texts = Self::sample();
        texts.text.insert("policy.toml".to_string(), text);
        texts
    }

    pub(super) fn policy(&self) -> &str {
        &self.text["policy.toml"]
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    fn change(&mut self, case: &str, change: &Change) {
        if change.whole {
            assert!(change.file == RELEASE || self.text.contains_key(&change.file), "{case}");
            self.text.insert(change.file.clone(), change.put.clone());
            return self.changed.push((change.file.clone(), 0..change.put.len()));
        }
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
        fs::create_dir_all(ca.join(&self.ceremony)).unwrap();
        let document = "cps.ja.txt";
        fs::copy(root().join("ceremony-plans/mdoc-root").join(document), ca.join(document))
            .unwrap();
        for (name, text) in &self.text {
            let above = OF_CA.contains(&name.as_str()) || name == RELEASE;
            let folder = if above { ca.to_path_buf() } else { ca.join(&self.ceremony) };
            fs::write(folder.join(name), text).unwrap();
        }
    }

    pub(super) fn compiled(&self, mode: Mode) -> Result<Compiled, Vec<Violation>> {
        let inputs = self.inputs()?;
        let compiled = compile(&inputs, &self.state, mode)?;
        match compiled.checks.iter().find(|check| check.prove().is_err()) {
            None => Ok(compiled),
            Some(check) => Err(vec![inputs.refused_possession(&check.subject)]),
        }
    }

    /// Which rows of the table of rules these texts break.
    pub(super) fn broken(&self) -> BTreeSet<usize> {
        self.inputs().map(|inputs| broken(&inputs, &self.state)).unwrap_or_default()
    }

    fn inputs(&self) -> Result<Inputs, Vec<Violation>> {
        let octets = |name: &str| self.text[name].as_bytes();
        let files = self.text.iter().filter(|(name, _)| name.ends_with(".csr"));
        let files = files.map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect();
        let documents = Documents {
            plan: octets("plan.toml"),
            cps: octets("cps.toml"),
            policy: octets("policy.toml"),
            roster: octets("roster.toml"),
            release: self.text.get(RELEASE).map(String::as_bytes),
        };
        Inputs::read(documents, &files)
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
    texts.compiled(Mode::Real).err().unwrap_or_default()
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
    assert!(!violation.asked.en.is_empty() && !violation.found.en.is_empty(), "{}", case.name);
    let file = violation.place.input.to_string();
    let span = violation.place.span.clone();
    let touches = |place: &Range<usize>| span.start <= place.end && place.start <= span.end;
    let inside = texts.changed.iter().any(|(name, place)| *name == file && touches(place));
    let there = texts.text[&file].get(span.clone()).unwrap_or_default();
    let at = |at: &String| at.split("; ").any(|at| !there.is_empty() && there.starts_with(at));
    if inside || case.at.as_ref().is_some_and(at) {
        return violation.rule.to_string();
    }
    format!("{} at {file} `{there}`", violation.rule)
}
