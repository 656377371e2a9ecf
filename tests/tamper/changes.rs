//! Every small change of a record: each value another, each member and element away, added, twice
//! or in another order.

use ceremony::record::Record;
use ceremony::time::Offset;
use serde_json::{Map, Value, json};

use super::forger::{Book, derived, mirrored};

/// A changed record.
pub(super) struct Change {
    /// Which field: the kind of event and of operation, and the path in it.
    pub(super) field: String,
    /// What was done to it.
    pub(super) how: &'static str,
    /// The record after it, with what follows from it.
    pub(super) record: Value,
    /// The signature among the record's that was changed.
    pub(super) suspect: Option<usize>,
}

/// What a value may plausibly be instead, by the last member of its path.
pub(super) struct Vocabulary {
    ops: Vec<Value>,
    people: Vec<Value>,
    /// One in how many characters of a string is changed.
    stride: usize,
}

const KINDS: [&str; 13] = [
    "opened",
    "asked",
    "answered",
    "lost",
    "adopted",
    "orphan-removed",
    "refused",
    "mistaken",
    "noted",
    "deviation",
    "resumed",
    "closed",
    "sealed",
];
const ANSWERS: [&str; 9] =
    ["identity", "done", "objects", "key", "denied", "yielded", "signatures", "heads", "left"];
const ATTRIBUTES: [&str; 19] = [
    "token",
    "private",
    "modifiable",
    "sensitive",
    "extractable",
    "wrap-with-trusted",
    "always-sensitive",
    "never-extractable",
    "local",
    "sign",
    "sign-recover",
    "decrypt",
    "unwrap",
    "derive",
    "verify",
    "verify-recover",
    "encrypt",
    "wrap",
    "trusted",
];

impl Vocabulary {
    pub(super) fn of(book: &Book, stride: usize) -> Self {
        let graph = book.graph();
        Self {
            ops: graph.ops().iter().step_by(4).map(|op| json!(op.name)).collect(),
            people: graph.people().keys().map(|person| json!(person.as_str())).collect(),
            stride,
        }
    }

    fn words(&self, member: &str) -> Vec<Value> {
        let words = |words: &[&str]| words.iter().map(|word| json!(word)).collect();
        match member {
            "op" => self.ops.clone(),
            "by" => self.people.clone(),
            "origin" => [words(&["gishiki", "token"]), self.people.clone()].concat(),
            "kind" => words(&KINDS),
            "mode" => words(&["rehearsal", "drill", "real"]),
            "end" => words(&["completed", "aborted"]),
            "result" => words(&["begun", "done", "lost", "refused", "noted"]),
            "from" => words(&["people", "token"]),
            "token" => words(&ANSWERS),
            "rule" => words(&["people", "S-WINDOW", "S-NO-SUCH-RULE"]),
            _ => Vec::new(),
        }
    }

    /// Every change of a record of a book.
    pub(super) fn changes(&self, book: &Book, index: usize) -> Vec<Change> {
        let record = &book.records[index];
        let mut found = Vec::new();
        let mut walk =
            Walk { vocabulary: self, record, prefix: prefix(book, record), found: &mut found };
        walk.value(&mut Vec::new(), record);
        walk.times();
        found
    }
}

/// The kind of event, and of the operation that it is about.
fn prefix(book: &Book, record: &Value) -> String {
    let event = &record["event"];
    let kind = event["kind"].as_str().unwrap();
    let op = event.get("op").and_then(|op| book.graph().op(op.as_str().unwrap()));
    op.map_or_else(|| kind.to_string(), |op| format!("{kind} {}", op.act.kind()))
}

#[derive(Clone)]
enum Place {
    Member(String),
    Element(usize),
}

struct Walk<'a> {
    vocabulary: &'a Vocabulary,
    record: &'a Value,
    prefix: String,
    found: &'a mut Vec<Change>,
}

impl Walk<'_> {
    fn value(&mut self, path: &mut Vec<Place>, value: &Value) {
        match value {
            Value::String(text) => self.text(path, text),
            Value::Number(number) => {
                let number = number.as_i64().unwrap();
                self.change(path, "one more", json!(number + 1));
                self.change(path, "one less", json!(number - 1));
            }
            Value::Bool(flag) => self.change(path, "the contrary", json!(!flag)),
            Value::Array(elements) => {
                self.elements(path, elements);
                for (index, element) in elements.iter().enumerate() {
                    if !of_many(index, elements.len()) {
                        continue;
                    }
                    path.push(Place::Element(index));
                    self.value(path, element);
                    path.pop();
                }
            }
            Value::Object(members) => {
                self.members(path, members);
                for (name, member) in members {
                    path.push(Place::Member(name.clone()));
                    self.value(path, member);
                    path.pop();
                }
            }
            Value::Null => panic!("no null in a record"),
        }
    }

    fn text(&mut self, path: &[Place], text: &str) {
        for word in self.vocabulary.words(last_member(path)) {
            self.change(path, "another word", word);
        }
        let characters: Vec<char> = text.chars().collect();
        let stride = match characters.len() {
            0..=8 => 1,
            9..=32 => self.vocabulary.stride,
            _ => self.vocabulary.stride * 4,
        };
        // Every record begins at another character, so that none is left out of a field that comes
        // often.
        let number = self.record["number"].as_u64().unwrap();
        let first = usize::try_from(number).unwrap() % stride;
        for index in (first..characters.len()).step_by(stride) {
            let mut other = characters.clone();
            other[index] = neighbour(other[index]);
            self.change(path, "a character", json!(other.iter().collect::<String>()));
        }
        let (less, last) = match characters.split_last() {
            Some((last, less)) => (less.iter().collect::<String>(), *last),
            None => (String::new(), '0'),
        };
        self.change(path, "a character less", json!(less));
        self.change(path, "a character more", json!(format!("{text}{last}")));
        self.change(path, "nothing", json!(""));
        if characters.len() == 64 {
            self.change(path, "the first 16 digits", json!(&text[..16]));
            self.change(path, "the first 15 digits", json!(&text[..15]));
        }
        if matches!(path.iter().rev().nth(1), Some(Place::Member(name)) if name == "signatures") {
            self.change(path, "n − s for s", json!(mirrored(text)));
        }
    }

    fn elements(&mut self, path: &[Place], elements: &[Value]) {
        let name = last_member(path);
        for index in (0..elements.len()).filter(|index| of_many(*index, elements.len())) {
            let mut less = elements.to_vec();
            let element = less.remove(index);
            self.change(path, "an element less", json!(less));
            let mut twice = elements.to_vec();
            twice.insert(index, element);
            self.change(path, "an element twice", json!(twice));
            let mut swapped = elements.to_vec();
            if index + 1 < swapped.len() {
                swapped.swap(index, index + 1);
                self.change(path, "another order", json!(swapped));
            }
        }
        let more = match name {
            "by" => self.vocabulary.people.clone(),
            "objects" => vec![json!({ "class": "private-key", "id": "00", "label": "x" })],
            _ => vec![json!("00")],
        };
        for element in more.into_iter().filter(|element| !elements.contains(element)) {
            let mut added = [elements, &[element]].concat();
            added.sort_by_key(Value::to_string);
            self.change(path, "an element more", json!(added));
        }
    }

    fn members(&mut self, path: &[Place], members: &Map<String, Value>) {
        for name in members.keys() {
            let mut less = members.clone();
            let value = less.remove(name);
            let how =
                if value == Some(json!(false)) { "a false member less" } else { "a member less" };
            self.change(path, how, json!(less));
        }
        let mut more = vec![("x", json!("x"), "a member more")];
        if ["private", "public"].contains(&last_member(path)) {
            for attribute in ATTRIBUTES.into_iter().filter(|name| !members.contains_key(*name)) {
                more.push((attribute, json!(false), "a false attribute more"));
                more.push((attribute, json!(true), "a true attribute more"));
            }
        }
        let digest = "0".repeat(64);
        more.push((
            "predecessor",
            json!({ "head": digest, "postscript": digest }),
            "a member more",
        ));
        for (name, value, how) in more {
            let mut added = members.clone();
            added.insert(name.to_string(), value);
            self.change(path, how, json!(added));
        }
    }

    /// Another time, and the same time written in another way.
    fn times(&mut self) {
        let path = [Place::Member("at".to_string())];
        let record: Record = serde_json::from_value(self.record.clone()).unwrap();
        for (seconds, how) in [(1, "a second later"), (-1, "a second earlier")] {
            let mut other = record.clone();
            other.at = other.at.plus_seconds(seconds);
            self.change(&path, how, serde_json::to_value(&other).unwrap()["at"].clone());
        }
        let (year, month, day, hour, minute, second) = record.at.utc();
        let zulu = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        self.change(&path, "the same in UTC", json!(zulu));
        let utc = record.at.at(Offset::UTC).to_string();
        self.change(&path, "the same in UTC, as an offset", json!(utc));
    }

    fn change(&mut self, path: &[Place], how: &'static str, value: Value) {
        let mut record = self.record.clone();
        let place = path.iter().fold(&mut record, |value, place| match place {
            Place::Member(name) => &mut value[name.as_str()],
            Place::Element(index) => &mut value[*index],
        });
        if *place == value {
            return;
        }
        *place = value;
        let in_event = matches!(path.first(), Some(Place::Member(name)) if name == "event");
        let number = self.record["number"].as_u64().unwrap();
        let record = if in_event { derived(record, number) } else { record };
        let suspect = path.iter().rev().find_map(|place| match place {
            Place::Element(index) => Some(*index),
            Place::Member(_) => None,
        });
        self.found.push(Change { field: self.field(path), how, record, suspect });
    }

    /// `at`, `number` …: of every record. Of an event: its kind, its operation's kind, and the
    /// path.
    fn field(&self, path: &[Place]) -> String {
        let mut names = String::new();
        let mut attributes = false;
        for place in path {
            match place {
                Place::Member(name) if attributes && !name.is_empty() => names.push_str(".*"),
                Place::Member(name) => {
                    names.push_str(if names.is_empty() { "" } else { "." });
                    names.push_str(name);
                    attributes = ["private", "public"].contains(&name.as_str());
                }
                Place::Element(_) => names.push_str("[]"),
            }
        }
        match names.strip_prefix("event") {
            Some(rest) => {
                let rest = rest.trim_start_matches('.');
                format!("{}: {}", self.prefix, rest.strip_prefix("answer.").unwrap_or(rest))
            }
            None => names,
        }
    }
}

/// Of a long sheet the first and the last two stand for all: each signature is judged by the same
/// lines.
const fn of_many(index: usize, count: usize) -> bool {
    count <= 4 || index < 1 || index + 2 >= count
}

fn last_member(path: &[Place]) -> &str {
    let member = path.iter().rev().find_map(|place| match place {
        Place::Member(name) => Some(name.as_str()),
        Place::Element(_) => None,
    });
    member.unwrap_or_default()
}

/// Another character of its kind.
fn neighbour(character: char) -> char {
    match character {
        '9' => '8',
        'f' => 'e',
        'z' => 'y',
        'Z' => 'Y',
        '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from_u32(u32::from(character) + 1).unwrap(),
        '-' => '_',
        _ => '-',
    }
}
