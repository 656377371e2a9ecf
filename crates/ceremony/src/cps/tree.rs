//! A document as a tree of entries, so that a path of the CP/CPS leads to a value and its place.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ops::Range;

use toml::de::{DeString, DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// The entries and tables of a document by their dotted paths, with their places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree(BTreeMap<String, (Option<Value>, Range<usize>)>);

/// What a path leads to.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// The value; `None` if there is no such entry.
    pub(crate) value: Option<Value>,
    /// Its place, or that of the last table on the way to it.
    pub(crate) span: Range<usize>,
}

impl Tree {
    /// Reads a document whose form was already judged. A text that is no TOML has no entries.
    pub(crate) fn of(text: &str) -> Self {
        let mut tree = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            tree.add(text, "", table.get_ref());
        }
        tree
    }

    fn add(&mut self, text: &str, above: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = key.get_ref();
            let path = if above.is_empty() { name.to_string() } else { format!("{above}.{name}") };
            // A table under a heading has no place of its own, so its name is shown.
            let inner = value.get_ref().as_table();
            let inline = text.get(value.span()).is_some_and(|found| found.starts_with('{'));
            let span = if inner.is_none() || inline { value.span() } else { key.span() };
            if let Some(inner) = inner {
                self.add(text, &path, inner);
            }
            self.0.insert(path, (plain(value.get_ref()), span));
        }
    }

    /// Returns the path of every entry and table.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Follows a dotted path from the top.
    pub(crate) fn at(&self, path: &str) -> Found {
        let mut above = path;
        loop {
            if let Some((value, span)) = self.0.get(above) {
                let value = if above == path { value.clone() } else { None };
                return Found { value, span: span.clone() };
            }
            match above.rsplit_once('.') {
                Some((parent, _)) => above = parent,
                None => return Found { value: None, span: 0..0 },
            }
        }
    }
}

/// The value without its places.
fn plain(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()?)
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().ok()?),
        DeValue::Boolean(is) => Value::Boolean(*is),
        DeValue::Datetime(at) => Value::Datetime(*at),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|i| plain(i.get_ref())).collect::<Option<Vec<_>>>()?)
        }
        DeValue::Table(entries) => {
            let entry = |(key, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
                Some((key.get_ref().to_string(), plain(value.get_ref())?))
            };
            Value::Table(entries.iter().map(entry).collect::<Option<Table>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    const TEXT: &str = "[root]\nvalidity = \"5 years\"\n[act.copy]\nby = { custodian = 0x2 }\n";

    #[test]
    fn a_path_leads_to_a_value_and_its_place() {
        let tree = Tree::of(TEXT);
        let found = tree.at("root.validity");
        assert_eq!(found.value, Some(Value::String("5 years".into())));
        assert_eq!(TEXT.get(found.span).unwrap(), "\"5 years\"");
        assert_eq!(tree.at("act.copy.by.custodian").value, Some(Value::Integer(2)));
        let value = tree.at("act.copy").value.unwrap();
        assert_eq!(crate::canonical::written(&value), "{ by = { custodian = 2 } }");
    }

    #[test]
    fn a_path_to_nothing_ends_at_the_last_table() {
        let tree = Tree::of(TEXT);
        let inline = "{ custodian = 0x2 }";
        for (path, place) in [("act.copy.by.auditor", inline), ("root.no", "root"), ("no.no", "")] {
            let found = tree.at(path);
            assert_eq!(found.value, None, "{path}");
            assert_eq!(TEXT.get(found.span).unwrap(), place, "{path}");
        }
        let below = tree.at("root.validity.more");
        assert_eq!((below.value, TEXT.get(below.span).unwrap()), (None, "\"5 years\""));
    }
}
