//! Reads a document as a type, and reads on behind what is wrong in it.
//!
//! The TOML library stops at the first error and says no more than a sentence. This reader says at
//! which entry it stopped, and takes [`Mend`]s: entries to leave out, and entries to read as a
//! stand-in, which is whatever the type asks for at that place. **No document is accepted by it**:
//! it is asked only about documents that were refused already.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Display;
use core::iter::Enumerate;
use core::ops::Range;
use core::slice;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_spanned::de::{SpannedDeserializer, is_spanned};
use toml::Spanned;
use toml::de::{DeInteger, DeString, DeValue};
use toml::value::Datetime;
use toml_datetime::de::{DatetimeDeserializer, is_datetime};

/// A text for each type that is written as one. A stand-in is read as each of them in turn, until
/// the type takes one.
const TEXTS: [&str; 6] = [
    "a",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "11 days",
    "+00:00",
    "R-A",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==",
];
/// A time for each type that is written as one.
const TIMES: [&str; 2] = ["2026-01-01T00:00:00Z", "2026-01-01"];

/// One step from a value to what is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// To the entry of this name.
    Entry(String),
    /// From an entry to its name.
    Name,
    /// To the element at this place.
    Item(usize),
}

/// What is read in another way than it is written.
#[derive(Debug, Default)]
pub(super) struct Mend {
    /// Whether the entry is left out.
    pub(super) left_out: bool,
    /// Whether a stand-in is read, and how many were tried before.
    pub(super) stand_in: Option<usize>,
    /// Entries that the table lacks.
    pub(super) added: Vec<&'static str>,
    /// What is read in another way in it.
    pub(super) within: BTreeMap<Step, Self>,
}

impl Mend {
    /// Whether a stand-in has no other form that could be tried.
    pub(super) fn is_exhausted(&self) -> bool {
        self.stand_in.is_some_and(|tried| tried >= TEXTS.len().max(TIMES.len()))
    }
}

/// Where and why a document is not of its type.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
pub(super) struct Refused {
    /// What serde or the type says.
    pub(super) said: String,
    /// The way to the entry, from the inside to the outside.
    pub(super) way: Vec<Step>,
    pub(super) why: Why,
}

/// Why an entry is refused, as far as it matters for what is behind it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why {
    /// The table lacks this entry.
    Missing(&'static str),
    /// The table has no entry of this name.
    Unknown,
    /// The value is wrong.
    Wrong,
}

impl Refused {
    fn within(mut self, step: Step) -> Self {
        self.way.push(step);
        self
    }
}

impl serde::de::Error for Refused {
    fn custom<T: Display>(said: T) -> Self {
        Self { said: said.to_string(), way: Vec::new(), why: Why::Wrong }
    }

    fn missing_field(field: &'static str) -> Self {
        let said = alloc::format!("missing field `{field}`");
        Self { why: Why::Missing(field), ..Self::custom(said) }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let said = match expected {
            [] => alloc::format!("unknown field `{field}`, there are no fields"),
            known => {
                alloc::format!("unknown field `{field}`, expected {}", one_of(known))
            }
        };
        Self { why: Why::Unknown, ..Self::custom(said) }
    }
}

/// Lists names as serde does.
fn one_of(names: &[&str]) -> String {
    match names {
        [one] => alloc::format!("`{one}`"),
        [one, two] => alloc::format!("`{one}` or `{two}`"),
        more => {
            let more: Vec<String> = more.iter().map(|name| alloc::format!("`{name}`")).collect();
            alloc::format!("one of {}", more.join(", "))
        }
    }
}

/// What is written at a place.
#[derive(Debug, Clone, Copy)]
enum Written<'t> {
    /// Nothing: the place is in a stand-in.
    Nothing,
    Name(&'t Spanned<DeString<'t>>),
    Value(&'t Spanned<DeValue<'t>>),
}

/// What is read at a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'t> {
    written: Written<'t>,
    mend: Option<&'t Mend>,
}

impl<'t> Reader<'t> {
    /// Reads a document with these mends.
    pub(super) const fn of(document: &'t Spanned<DeValue<'t>>, mend: &'t Mend) -> Self {
        Self { written: Written::Value(document), mend: Some(mend) }
    }

    /// Reads what is written at a place in this one.
    fn at(mend: Option<&'t Mend>, step: &Step, written: Written<'t>) -> Self {
        let mend = mend.and_then(|mend| mend.within.get(step));
        let stands_in = mend.is_some_and(|mend| mend.stand_in.is_some());
        Self { written: if stands_in { Written::Nothing } else { written }, mend }
    }

    /// Whether a stand-in is read.
    const fn is_stand_in(self) -> bool {
        matches!(self.written, Written::Nothing)
    }

    /// Returns the next of these that a stand-in is read as.
    fn next_of(self, forms: &[&'static str]) -> Result<&'static str, Refused> {
        let tried = self.mend.and_then(|mend| mend.stand_in).unwrap_or(0);
        let form = forms.get(tried).copied();
        form.ok_or_else(|| Refused::custom("no stand-in is of this type"))
    }

    fn span(self) -> Range<usize> {
        match self.written {
            Written::Nothing => 0..0,
            Written::Name(name) => name.span(),
            Written::Value(value) => value.span(),
        }
    }

    /// Returns the entries of a stand-in.
    const fn entries(self, added: &'t [&'static str]) -> Entries<'t> {
        Entries { written: None, added, mend: self.mend, next: None }
    }

    fn number<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.is_stand_in() { visitor.visit_u64(1) } else { self.deserialize_any(visitor) }
    }
}

impl<'de> IntoDeserializer<'de, Refused> for Reader<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Methods that read a number: 1, if it is a stand-in.
macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            self.number(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Refused;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let value = match self.written {
            Written::Nothing => return visitor.visit_str(self.next_of(&TEXTS)?),
            Written::Name(name) => return visitor.visit_str(name.get_ref()),
            Written::Value(value) => value.get_ref(),
        };
        match value {
            DeValue::String(text) => visitor.visit_str(text),
            DeValue::Integer(number) => visitor.visit_i64(integer(number)?),
            DeValue::Float(number) => {
                let known = number.as_str().parse();
                visitor.visit_f64(known.map_err(|_| Refused::custom("invalid value"))?)
            }
            DeValue::Boolean(truth) => visitor.visit_bool(*truth),
            DeValue::Datetime(at) => visitor.visit_map(DatetimeDeserializer::new(*at)),
            DeValue::Array(items) => {
                visitor.visit_seq(Items { written: items.iter().enumerate(), mend: self.mend })
            }
            DeValue::Table(table) => {
                let added = self.mend.map_or(&[][..], |mend| &mend.added);
                let mend = self.mend;
                visitor.visit_map(Entries { written: Some(table.iter()), added, mend, next: None })
            }
        }
    }

    numbers! {
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_i8
        deserialize_i16 deserialize_i32 deserialize_i64 deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.is_stand_in() { visitor.visit_bool(false) } else { self.deserialize_any(visitor) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        self.deserialize_tuple(0, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if self.is_stand_in() {
            visitor.visit_seq(StandIns { next: 0, length, mend: self.mend })
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.is_stand_in() {
            visitor.visit_map(self.entries(&[]))
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if is_spanned(name) {
            return visitor.visit_map(SpannedDeserializer::new(self, self.span()));
        }
        if !self.is_stand_in() {
            return self.deserialize_any(visitor);
        }
        if is_datetime(name) {
            let at: Datetime = self.next_of(&TIMES)?.parse().map_err(Refused::custom)?;
            return visitor.visit_map(DatetimeDeserializer::new(at));
        }
        visitor.visit_map(self.entries(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let text = match self.written {
            Written::Nothing => {
                let first = variants.first().copied();
                let name = first.ok_or_else(|| Refused::custom("an enum without variants"))?;
                return visitor.visit_enum(Variant { name, value: self });
            }
            Written::Name(name) => name.get_ref().as_ref(),
            Written::Value(value) => match value.get_ref() {
                DeValue::String(text) => text.as_ref(),
                DeValue::Table(table) if table.len() == 1 => {
                    let entries = table.iter();
                    let mend = self.mend;
                    let entries = Entries { written: Some(entries), added: &[], mend, next: None };
                    return visitor.visit_enum(MapAccessDeserializer::new(entries));
                }
                DeValue::Table(_) => {
                    return Err(Refused::custom("wanted exactly 1 element, more than 1 element"));
                }
                DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_) => return Err(Refused::custom("wanted string or table")),
            },
        };
        let text: StrDeserializer<'_, Refused> = text.into_deserializer();
        visitor.visit_enum(text)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple_struct identifier ignored_any
    }
}

fn integer(number: &DeInteger<'_>) -> Result<i64, Refused> {
    i64::from_str_radix(number.as_str(), number.radix())
        .map_err(|_| Refused::custom("integer number overflowed"))
}

/// The entries of a table: those that are written and not left out, then those that are added.
struct Entries<'t> {
    written: Option<toml::map::Iter<'t, Spanned<DeString<'t>>, Spanned<DeValue<'t>>>>,
    added: &'t [&'static str],
    mend: Option<&'t Mend>,
    next: Option<(Step, Reader<'t>)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refused> {
        let left_out = |step: &Step| {
            self.mend.and_then(|mend| mend.within.get(step)).is_some_and(|mend| mend.left_out)
        };
        let written = self.written.as_mut().and_then(|written| {
            let mut kept = written.map(|(name, value)| {
                (
                    Step::Entry(name.get_ref().to_string()),
                    Written::Name(name),
                    Written::Value(value),
                )
            });
            kept.find(|(step, _, _)| !left_out(step))
        });
        let (step, name, value) = match (written, self.added.split_first()) {
            (Some(written), _) => written,
            (None, Some((first, rest))) => {
                self.added = rest;
                let step = Step::Entry((*first).to_string());
                let value = Reader::at(self.mend, &step, Written::Nothing);
                self.next = Some((step, value));
                let name: StrDeserializer<'_, Refused> = (*first).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
            (None, None) => return Ok(None),
        };
        let value = Reader::at(self.mend, &step, value);
        let name = Reader::at(value.mend, &Step::Name, name);
        let read = seed.deserialize(name);
        self.next = Some((step.clone(), value));
        read.map(Some).map_err(|refused| refused.within(Step::Name).within(step))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let next = self.next.take();
        let (step, value) = next.ok_or_else(|| Refused::custom("a value before its name"))?;
        seed.deserialize(value).map_err(|refused| refused.within(step))
    }
}

/// The elements of an array.
#[derive(Debug)]
struct Items<'t> {
    written: Enumerate<slice::Iter<'t, Spanned<DeValue<'t>>>>,
    mend: Option<&'t Mend>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        let Some((number, value)) = self.written.next() else { return Ok(None) };
        let step = Step::Item(number);
        let reader = Reader::at(self.mend, &step, Written::Value(value));
        seed.deserialize(reader).map(Some).map_err(|refused| refused.within(step))
    }
}

/// The elements of a stand-in for an array.
#[derive(Debug)]
struct StandIns<'t> {
    next: usize,
    length: usize,
    mend: Option<&'t Mend>,
}

impl<'de> SeqAccess<'de> for StandIns<'de> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refused> {
        if self.next == self.length {
            return Ok(None);
        }
        let step = Step::Item(self.next);
        self.next += 1;
        let reader = Reader::at(self.mend, &step, Written::Nothing);
        seed.deserialize(reader).map(Some).map_err(|refused| refused.within(step))
    }
}

/// A variant of a stand-in for an enum, with a stand-in in it if it has a value.
#[derive(Debug)]
struct Variant<'t> {
    name: &'static str,
    value: Reader<'t>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let name: StrDeserializer<'_, Refused> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(self.value)
    }

    fn tuple_variant<V: Visitor<'de>>(self, n: usize, visitor: V) -> Result<V::Value, Refused> {
        self.value.deserialize_tuple(n, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_map(self.value.entries(fields))
    }
}
