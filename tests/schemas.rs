//! The JSON Schemas of the documents that people write are what the types of the product say, and
//! take what its readers take.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what else a type of serde, of TOML or of Rust can be is in no document"
)]

mod comments;
mod forms;
mod learner;
mod recorder;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ceremony::anchor::Anchor;
use ceremony::cps::Cps;
use ceremony::plan::Plan;
use ceremony::policy::Policy;
use ceremony::room::Room;
use ceremony::roster::Roster;
use ceremony::tool_release::ToolRelease;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use toml::{Table, Value};

use self::comments::Comments;
use self::learner::{Read, schema, takes, written};
use crate::forms::samples;
use crate::support::{document, gishiki, root, run, succeed};

/// Where the schemas are: the program is compiled from them, so they are part of its sources.
const FOLDER: &str = "crates/cli/schemas";

/// A kind of document: its name, its reader, the name of its type, and how its schema is learnt.
struct Kind {
    name: &'static str,
    read: Read,
    of: &'static str,
    learn: fn(Read) -> Json,
}

const KINDS: [Kind; 7] = [
    kind::<Anchor>("anchor", "Anchor", |octets| Anchor::parse(octets).map(drop)),
    kind::<Cps>("cps", "Cps", |octets| Cps::parse(octets).map(drop)),
    kind::<Plan>("plan", "Plan", |octets| Plan::parse(octets).map(drop)),
    kind::<Policy>("policy", "Policy", |octets| Policy::parse(octets).map(drop)),
    kind::<Room>("room", "Room", |octets| Room::parse(octets).map(drop)),
    kind::<ToolRelease>("release", "ToolRelease", |octets| ToolRelease::parse(octets).map(drop)),
    kind::<Roster>("roster", "Roster", |octets| Roster::parse(octets).map(drop)),
];

const fn kind<T: DeserializeOwned>(name: &'static str, of: &'static str, read: Read) -> Kind {
    Kind { name, read, of, learn: schema::<T> }
}

impl Kind {
    /// The kind of a document, by the name of its file or of its kind.
    fn of(name: &str) -> &'static Self {
        let stem = Path::new(name).file_stem().unwrap().to_str().unwrap();
        KINDS.iter().find(|kind| kind.name == stem).unwrap_or_else(|| panic!("{name}"))
    }

    fn file(&self) -> String {
        format!("{FOLDER}/{}.schema.json", self.name)
    }
}

#[test]
fn the_schemas_are_what_the_types_say() {
    let comments = Comments::read();
    for kind in &KINDS {
        let mut known = (kind.learn)(kind.read);
        comments.describe(&mut known, kind.name, kind.of);
        known["$schema"] = "http://json-schema.org/draft-07/schema#".into();
        known["title"] = format!("{}.toml", kind.name).into();
        described(kind.name, &known);
        document(&kind.file(), &(serde_json::to_string_pretty(&known).unwrap() + "\n"));
    }
}

/// Every entry has words for whoever writes it.
fn described(place: &str, schema: &Json) {
    for (name, entry) in schema["properties"].as_object().into_iter().flatten() {
        let place = format!("{place}.{name}");
        let said = entry["description"].as_str().unwrap_or_default();
        assert!(said.ends_with('.') && !said.contains("]("), "{place}: {said:?}");
        described(&place, entry);
    }
    for inner in ["items", "additionalProperties"].iter().filter_map(|inner| schema.get(inner)) {
        described(place, inner);
    }
}

#[test]
fn the_program_prints_each_schema() {
    for kind in &KINDS {
        let kept = fs::read_to_string(root().join(kind.file())).unwrap();
        assert_eq!(succeed(gishiki().args(["schema", kind.name])), kept, "{}", kind.name);
    }
    assert_eq!(run(gishiki().args(["schema", "transcript"])).status.code(), Some(64));
}

/// Every document below a folder whose kind has a schema.
fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            documents(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
}

/// The first line of a document leads to the schema of its kind; returns how many there are.
fn named(folder: &Path) -> usize {
    let mut found = Vec::new();
    documents(folder, &mut found);
    for path in &found {
        let text = fs::read_to_string(path).unwrap();
        let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema "));
        let named = named.unwrap_or_else(|| panic!("{}: no schema is named", path.display()));
        let kind = Kind::of(path.to_str().unwrap());
        let schema = fs::read_to_string(path.parent().unwrap().join(named));
        let schema = schema.unwrap_or_else(|error| panic!("{}: {named}: {error}", path.display()));
        assert_eq!(schema, fs::read_to_string(root().join(kind.file())).unwrap());
    }
    found.len()
}

#[test]
fn every_document_names_its_schema() {
    assert!(named(&root().join("ceremony-plans")) > 20);
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca");
    succeed(gishiki().args(["new", "ca"]).arg(&ca));
    assert_eq!(named(&ca), 4);
}

/// The plan of a CA that is drafted names the schema beside that of the CA's policy.
#[test]
fn a_drafted_plan_names_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("a/b/ca");
    fs::create_dir_all(&ca).unwrap();
    fs::create_dir_all(folder.path().join(FOLDER)).unwrap();
    for kind in &KINDS {
        fs::copy(root().join(kind.file()), folder.path().join(kind.file())).unwrap();
    }
    for name in ["cps.toml", "policy.toml", "roster.toml"] {
        let text = fs::read_to_string(root().join("ceremony-plans/mdoc-root").join(name)).unwrap();
        fs::write(ca.join(name), text.replacen("#:schema ../", "#:schema ../../", 1)).unwrap();
    }
    succeed(gishiki().args(["new", "genesis"]).arg(ca.join("first")));
    assert_eq!(named(&ca), 4);
}

/// A document, and whether the product's reader takes it.
struct Judged {
    of: String,
    kind: &'static str,
    text: String,
    takes: bool,
}

/// Asks the Python package `jsonschema` whether documents, read by Python's own TOML library, are
/// of their schemas.
fn by_jsonschema(documents: &[Judged]) -> Vec<bool> {
    let lines: String = documents
        .iter()
        .map(|judged| format!("{}\n", json!({ "kind": judged.kind, "text": judged.text })))
        .collect();
    let mut python = Command::new(root().join(".venv/bin/python"));
    python.arg(root().join("tests/schemas/validate.py")).arg(root().join(FOLDER));
    let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writes = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writes.join().unwrap();
    assert!(output.status.success());
    let verdicts: Vec<bool> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verdicts.len(), documents.len());
    verdicts
}

/// Judges documents with the reader and with the schema, which must agree; returns how many are
/// taken and refused.
fn agree(documents: &[Judged]) -> (usize, usize) {
    let verdicts = by_jsonschema(documents);
    let differ = documents.iter().zip(verdicts).filter(|(judged, schema)| judged.takes != *schema);
    let differ: Vec<String> = differ
        .map(|(judged, schema)| format!("{}: reader {}, schema {schema}", judged.of, judged.takes))
        .collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    let taken = documents.iter().filter(|judged| judged.takes).count();
    (taken, documents.len() - taken)
}

#[test]
fn what_is_of_its_form_is_of_its_schema() {
    let samples = samples().into_iter().map(|(name, text, _)| (name, text));
    let cases = crate::rules::accepted_texts();
    let all: Vec<Judged> = samples
        .chain(cases)
        .map(|(of, text)| {
            let kind = Kind::of(of.rsplit(' ').next().unwrap());
            Judged { takes: takes(kind.read, &text), kind: kind.name, text, of }
        })
        .collect();
    let (taken, refused) = agree(&all);
    assert!(taken > 100 && refused == 0, "{taken} {refused}");
}

/// Values of every kind; none of them is the beginning of a time, which JSON cannot tell from text.
fn others() -> [Value; 8] {
    [
        Value::Boolean(true),
        Value::Integer(-7),
        Value::Integer(7),
        Value::Float(0.5),
        Value::String("?".into()),
        Value::String(String::new()),
        Value::Array(vec![Value::Array(Vec::new())]),
        Value::Table(Table::from_iter([("zz-unknown".to_string(), Value::Boolean(true))])),
    ]
}

/// Every change of one value of a document, with what it does; entries of maps and lists that were
/// changed in the same way already are left.
struct Changes<'a> {
    kind: &'static str,
    document: &'a Value,
    seen: &'a mut BTreeSet<String>,
    found: Vec<(String, Value)>,
}

impl Changes<'_> {
    /// Notes a change of what stands at this way.
    fn note(&mut self, way: &[String], place: &str, what: &str, change: impl FnOnce(&mut Value)) {
        if !self.seen.insert(format!("{} {place}: {what}", self.kind)) {
            return;
        }
        let mut changed = self.document.clone();
        let mut at = &mut changed;
        for step in way {
            at = match at {
                Value::Table(entries) => entries.get_mut(step).unwrap(),
                Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
                _ => unreachable!(),
            };
        }
        change(at);
        self.found.push((format!("{}: {what}", way.join(".")), changed));
    }

    fn within(&mut self, way: &[String], place: &str, value: &Value, schema: &Json) {
        if !way.is_empty() {
            for other in others() {
                self.note(way, place, &format!("{other:?}"), |at| *at = other.clone());
            }
        }
        let step = |step: &str| [way, &[step.to_string()]].concat();
        match value {
            Value::Table(entries) => {
                self.note(way, place, "one more", |at| {
                    at.as_table_mut().unwrap().insert("zz-unknown".into(), Value::Boolean(true));
                });
                for (name, inner) in entries {
                    let of = &schema["properties"][name];
                    let known = !of.is_null();
                    let place = format!("{place}.{}", if known { name } else { "*" });
                    self.note(way, &place, "left out", |at| {
                        at.as_table_mut().unwrap().remove(name);
                    });
                    self.note(way, &place, "renamed", |at| {
                        let entries = at.as_table_mut().unwrap();
                        let value = entries.remove(name).unwrap();
                        entries.insert(format!("_{name}"), value);
                    });
                    let of = if known { of } else { &schema["additionalProperties"] };
                    self.within(&step(name), &place, inner, of);
                }
            }
            Value::Array(items) => {
                self.note(way, place, "emptied", |at| at.as_array_mut().unwrap().clear());
                for (number, inner) in items.iter().enumerate() {
                    let place = format!("{place}[]");
                    self.within(&step(&number.to_string()), &place, inner, &schema["items"]);
                }
            }
            _ => {}
        }
    }
}

/// Each document with one entry left out, renamed or added, or one value of another kind: schema
/// and reader refuse the same.
#[test]
fn what_the_reader_refuses_is_refused_by_the_schema() {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (name, text, _) in samples() {
        let kind = Kind::of(&name);
        let schema = fs::read_to_string(root().join(kind.file())).unwrap();
        let schema: Json = serde_json::from_str(&schema).unwrap();
        let document = Value::Table(toml::from_str(&text).unwrap());
        let mut changes =
            Changes { kind: kind.name, document: &document, seen: &mut seen, found: Vec::new() };
        changes.within(&[], "", &document, &schema);
        for (of, changed) in changes.found {
            let text = written(&changed);
            let takes = takes(kind.read, &text);
            all.push(Judged { of: format!("{name}: {of}"), kind: kind.name, text, takes });
        }
    }
    let (taken, refused) = agree(&all);
    assert!(taken > 200 && refused > 1500, "{taken} {refused}");
}
