//! Learns the schema of a document: its entries from the [`Shape`] of its type, and what is taken
//! at each of them from the product's own reader, which is asked about one changed document after
//! another.

use ceremony::rule::RuleId;
use ceremony::violation::Violation;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use toml::{Table, Value};

use super::forms::{self, NUMBERS, TEXTS, TIMES};
use super::recorder::{Shape, Slot, instance, shape};

/// The product's reader of a document.
pub(super) type Read = fn(&[u8]) -> Result<(), Vec<Violation>>;

/// Whether a document is of its form; it may break any other rule.
pub(super) fn takes(read: Read, text: &str) -> bool {
    let violations = read(text.as_bytes()).err().unwrap_or_default();
    violations.iter().all(|violation| violation.rule != RuleId::S_FORM)
}

/// Learns the schema of a type's documents.
pub(super) fn schema<T: DeserializeOwned>(read: Read) -> Json {
    let root = shape::<T>();
    let document = instance(&root);
    // What the type refuses, the reader refuses too, after a long search for all errors.
    let judge = |value: &Value| {
        let text = written(value);
        toml::from_str::<T>(&text).is_ok() && takes(read, &text)
    };
    let all = |value: Value| judge(&value);
    assert!(judge(&document), "{}", written(&document));
    of(&root, &all, &document)
}

/// Writes a document: each entry at the top is a line.
pub(super) fn written(document: &Value) -> String {
    let entries = document.as_table().unwrap().iter();
    entries.map(|(name, value)| format!("{} = {}\n", quoted(name), inline(value))).collect()
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(truth) => truth.to_string(),
        Value::Datetime(at) => at.to_string(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Table(entries) => {
            let entry =
                |(name, value): (&String, &Value)| format!("{} = {}", quoted(name), inline(value));
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    assert!(!text.contains(['"', '\\', '\n']), "{text}");
    format!("\"{text}\"")
}

/// Learns the schema at a place: `judge` says whether a value is taken there, and `now` is one.
fn of(at: &Slot, judge: &dyn Fn(Value) -> bool, now: &Value) -> Json {
    match &*at.borrow() {
        Shape::Table(entries) => table(entries, judge, now.as_table().unwrap()),
        Shape::Map(_, inner) => {
            let (name, value) = now.as_table().unwrap().iter().next().unwrap();
            let one = |name: &str, value: Value| {
                Value::Table([(name.to_string(), value)].into_iter().collect())
            };
            let names =
                leaf(&|name| name.as_str().is_some_and(|name| judge(one(name, value.clone()))));
            let mut map = json!({
                "type": "object",
                "additionalProperties": of(inner, &|value| judge(one(name, value)), value),
            });
            if let Some(pattern) = names.get("pattern") {
                map["propertyNames"] = json!({ "pattern": pattern });
            }
            if !judge(Value::Table(Table::new())) {
                map["minProperties"] = json!(1);
            }
            map
        }
        Shape::List(length, inner) => list(*length, inner, judge, now.as_array().unwrap()),
        Shape::Choice(variants, _) => choice(variants, judge),
        Shape::Text(_) | Shape::Time(_) | Shape::Number | Shape::Truth => leaf(judge),
        Shape::Unknown => panic!("a place that nothing asked for"),
    }
}

fn table(entries: &[(&'static str, Slot)], judge: &dyn Fn(Value) -> bool, now: &Table) -> Json {
    let mut properties = Map::new();
    let (mut required, mut least) = (Vec::new(), now.clone());
    for (name, inner) in entries {
        let with = |value: Value| {
            let mut changed = now.clone();
            changed.insert(name.to_string(), value);
            judge(Value::Table(changed))
        };
        properties.insert(name.to_string(), of(inner, &with, &now[*name]));
        let mut without = now.clone();
        without.remove(*name);
        if judge(Value::Table(without)) {
            least.remove(*name);
        } else {
            required.push(*name);
        }
    }
    let mut known = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        known["required"] = json!(required);
    }
    let mut more = now.clone();
    more.insert("zz-unknown".to_string(), Value::Integer(1));
    if !judge(Value::Table(more)) {
        known["additionalProperties"] = json!(false);
    }
    // Where all others cannot be left out together, one of them is there.
    if !judge(Value::Table(least.clone())) {
        let alone = |name: &&&str| {
            let mut one = least.clone();
            one.insert(name.to_string(), now[**name].clone());
            judge(Value::Table(one))
        };
        let others = entries.iter().map(|(name, _)| name).filter(|name| !required.contains(name));
        let any: Vec<_> = others.filter(alone).map(|name| json!({ "required": [name] })).collect();
        assert!(!any.is_empty(), "no entry alone is enough: {least:?}");
        known["anyOf"] = json!(any);
    }
    known
}

fn list(length: Option<usize>, inner: &Slot, judge: &dyn Fn(Value) -> bool, now: &[Value]) -> Json {
    let with = |value: Value| {
        let mut items = now.to_vec();
        items[0] = value;
        judge(Value::Array(items))
    };
    let mut known = json!({ "type": "array", "items": of(inner, &with, &now[0]) });
    let of_length = |length: usize| judge(Value::Array(vec![now[0].clone(); length]));
    let length = length.unwrap_or(0);
    let shortest = (0..=length + 1).find(|length| of_length(*length)).unwrap();
    if shortest > 0 {
        known["minItems"] = json!(shortest);
    }
    if !of_length(shortest + 1) {
        known["maxItems"] = json!(shortest);
    }
    known
}

/// Variants without values are words, those with values are tables of one entry.
fn choice(variants: &[(&'static str, Option<Slot>)], judge: &dyn Fn(Value) -> bool) -> Json {
    let (mut words, mut tables) = (Vec::<&str>::new(), Map::new());
    for (name, inner) in variants {
        match inner {
            None => words.extend(judge(Value::String(name.to_string())).then_some(*name)),
            Some(inner) => {
                let with = |value: Value| {
                    judge(Value::Table([(name.to_string(), value)].into_iter().collect()))
                };
                tables.insert(name.to_string(), of(inner, &with, &instance(inner)));
            }
        }
    }
    match (words.is_empty(), tables.is_empty()) {
        (false, true) => json!({ "type": "string", "enum": words }),
        (true, false) => json!({
            "type": "object",
            "properties": tables,
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        }),
        _ => panic!("variants of two kinds: {variants:?}"),
    }
}

/// Returns the schema of values of one kind, of which these samples are taken.
type Form = fn(&[bool]) -> Option<Json>;

/// Learns what a value of its own may be, by trying all kinds of values.
fn leaf(judge: &dyn Fn(Value) -> bool) -> Json {
    let times = TIMES.iter().map(|at| Value::Datetime(at.parse().unwrap()));
    let kinds: [(Vec<Value>, Form); 7] = [
        (NUMBERS.map(Value::Integer).to_vec(), forms::number),
        (TEXTS.iter().map(|text| Value::String(text.to_string())).collect(), forms::text),
        (times.collect(), forms::time),
        (vec![false.into(), true.into()], |_| Some(json!({ "type": "boolean" }))),
        (vec![Value::Float(1.5)], |_| Some(json!({ "type": "number" }))),
        (vec![Value::Array(Vec::new())], |_| Some(json!({ "type": "array" }))),
        (vec![Value::Table(Table::new())], |_| Some(json!({ "type": "object" }))),
    ];
    let taken: Vec<Vec<bool>> = kinds
        .iter()
        .map(|(samples, _)| samples.iter().map(|sample| judge(sample.clone())).collect())
        .collect();
    if !taken.iter().flatten().any(|taken| !taken) {
        return json!({});
    }
    let mut any = Vec::new();
    for ((samples, form), taken) in kinds.iter().zip(&taken).filter(|(_, t)| t.contains(&true)) {
        let words = || samples.iter().zip(taken).filter(|(_, taken)| **taken);
        any.push(form(taken).unwrap_or_else(|| {
            panic!("no form of tests/schemas/forms.rs: {:?}", words().collect::<Vec<_>>())
        }));
    }
    match any.len() {
        1 => any.remove(0),
        _ => json!({ "anyOf": any }),
    }
}
