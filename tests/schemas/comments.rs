//! Descriptions of entries: the comments of the types' own source.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value as Json;
use syn::{Attribute, Fields, GenericArgument, Item, PathArguments, Type};

use crate::support::root;

/// The files that declare what a document is made of.
const FILES: [&str; 16] = [
    "anchor",
    "cps",
    "cps/amount",
    "key",
    "language",
    "plan",
    "policy",
    "policy/decision",
    "policy/duty",
    "record",
    "room",
    "roster",
    "token/attribute",
    "tool_release",
    "x509/address",
    "x509/name",
];

/// A type of the source: its comment, and its entries or variants, with theirs.
struct Declared {
    file: &'static str,
    comment: String,
    parts: Vec<Part>,
}

struct Part {
    name: String,
    comment: String,
    of: Option<Type>,
}

/// The types of the source, by name. A name may stand in several files.
pub(super) struct Comments(BTreeMap<String, Vec<Declared>>);

impl Comments {
    pub(super) fn read() -> Self {
        let mut all: BTreeMap<String, Vec<Declared>> = BTreeMap::new();
        for file in FILES {
            let text = fs::read_to_string(root().join(format!("crates/ceremony/src/{file}.rs")));
            for item in syn::parse_file(&text.unwrap()).unwrap().items {
                let (name, attributes, parts) = match &item {
                    Item::Struct(item) => (&item.ident, &item.attrs, parts(&item.fields)),
                    Item::Enum(item) => (
                        &item.ident,
                        &item.attrs,
                        item.variants
                            .iter()
                            .map(|v| Part {
                                name: name(&v.ident, &v.attrs),
                                comment: comment(&v.attrs),
                                of: None,
                            })
                            .collect(),
                    ),
                    _ => continue,
                };
                let declared = Declared { file, comment: comment(attributes), parts };
                all.entry(name.to_string()).or_default().push(declared);
            }
        }
        Self(all)
    }

    /// Describes a document whose type is declared in this file under this name.
    pub(super) fn describe(&self, schema: &mut Json, file: &str, name: &str) {
        let declared = self.find(file, name).unwrap();
        schema["description"] = declared.comment.clone().into();
        self.within(schema, declared);
    }

    fn find(&self, file: &str, name: &str) -> Option<&Declared> {
        let all = self.0.get(name)?;
        let own = all.iter().find(|declared| declared.file == file);
        own.or_else(|| {
            assert_eq!(all.len(), 1, "{name} is declared in several files");
            all.first()
        })
    }

    /// Describes the entries of a table, or the variants of a choice.
    fn within(&self, schema: &mut Json, declared: &Declared) {
        if let Some(words) = schema.get("enum").cloned() {
            let mut said = schema["description"].as_str().unwrap_or_default().to_string();
            for word in words.as_array().unwrap() {
                let part = declared.part(word.as_str().unwrap());
                said.push_str(&format!("\n- `{}`: {}", part.name(word), part.comment));
            }
            schema["description"] = said.trim().into();
            return;
        }
        let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) else {
            return;
        };
        for (name, schema) in properties {
            let part = declared.part(name);
            schema["description"] = part.comment.clone().into();
            if let Some(of) = &part.of {
                self.typed(schema, declared.file, of);
            }
        }
    }

    /// Describes what a type is made of, through what holds it.
    fn typed(&self, schema: &mut Json, file: &str, of: &Type) {
        let (name, arguments) = match of {
            Type::Array(array) => {
                return self.typed(&mut schema["items"], file, &array.elem);
            }
            Type::Path(path) => {
                let last = path.path.segments.last().unwrap();
                let PathArguments::AngleBracketed(inner) = &last.arguments else {
                    if let Some(declared) = self.find(file, &last.ident.to_string()) {
                        if schema.get("description").is_none() {
                            schema["description"] = declared.comment.clone().into();
                        }
                        self.within(schema, declared);
                    }
                    return;
                };
                let types = inner.args.iter().filter_map(|argument| match argument {
                    GenericArgument::Type(inner) => Some(inner),
                    _ => None,
                });
                (last.ident.to_string(), types.collect::<Vec<_>>())
            }
            _ => panic!("{file}: a document is made of paths and arrays"),
        };
        match (name.as_str(), &arguments[..]) {
            ("Spanned" | "Option", [inner]) => self.typed(schema, file, inner),
            ("Vec", [inner]) => self.typed(&mut schema["items"], file, inner),
            ("BTreeMap", [_, inner]) => {
                self.typed(&mut schema["additionalProperties"], file, inner);
            }
            _ => panic!("{file}: a document is not made of {name}"),
        }
    }
}

impl Declared {
    /// The entry or variant of this name in a document.
    fn part(&self, name: &str) -> &Part {
        let found = self.parts.iter().find(|part| plain(&part.name) == plain(name));
        found.unwrap_or_else(|| panic!("{}: nothing declares `{name}`", self.file))
    }
}

impl Part {
    fn name<'w>(&self, word: &'w Json) -> &'w str {
        word.as_str().unwrap()
    }
}

/// A name as it is compared: `not_before` is `not-before`, and `WrapTrusted` is `wrap-trusted`.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn parts(fields: &Fields) -> Vec<Part> {
    let part = |field: &syn::Field| {
        let ident = field.ident.as_ref()?;
        let comment = comment(&field.attrs);
        Some(Part { name: name(ident, &field.attrs), comment, of: Some(field.ty.clone()) })
    };
    fields.iter().filter_map(part).collect()
}

/// The name of a field or variant: its own, or that which serde is told.
fn name(own: &syn::Ident, attributes: &[Attribute]) -> String {
    let mut name = own.to_string();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute
            .parse_nested_meta(|meta| {
                let value: Option<syn::LitStr> =
                    meta.value().ok().map(|value| value.parse()).transpose()?;
                if let Some(value) = value.filter(|_| meta.path.is_ident("rename")) {
                    name = value.value();
                }
                Ok(())
            })
            .unwrap();
    }
    name
}

/// The paragraphs of a comment. A schema has no links.
fn comment(attributes: &[Attribute]) -> String {
    let line = |attribute: &Attribute| match &attribute.meta {
        syn::Meta::NameValue(doc) if doc.path.is_ident("doc") => match &doc.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    };
    let lines: Vec<String> = attributes.iter().filter_map(line).collect();
    let paragraphs: Vec<String> = lines
        .split(|line| line.trim().is_empty())
        .map(|lines| lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "))
        .collect();
    paragraphs.join("\n\n")
}
