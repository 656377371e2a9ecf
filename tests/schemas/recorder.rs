//! Asks a type through serde what it is made of.
//!
//! A type is read from nothing: whatever it asks for is noted in a tree of [`Shape`]s, and it is
//! given a stand-in. What a type refuses is read again with the next stand-in, until it is content.

use std::cell::RefCell;
use std::rc::Rc;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_spanned::de::{SpannedDeserializer, is_spanned};
use toml::Value;
use toml::value::Datetime;
use toml_datetime::de::{DatetimeDeserializer, is_datetime};

use super::forms::{TEXTS, TIMES};

/// What a type asks for at one place.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// It was not asked yet.
    Unknown,
    /// A table with these entries.
    Table(Vec<(&'static str, Slot)>),
    /// A table whose entries the document names: one of them.
    Map(Slot, Slot),
    /// An array, and its length if that is fixed.
    List(Option<usize>, Slot),
    /// One of these variants, with what is in it; and which one is read.
    Choice(Vec<(&'static str, Option<Slot>)>, usize),
    /// A value of its own; and how many stand-ins it refused.
    Text(usize),
    Time(usize),
    Number,
    Truth,
}

/// A place, shared by the tree and by whoever reads it.
pub(super) type Slot = Rc<RefCell<Shape>>;

fn slot() -> Slot {
    Rc::new(RefCell::new(Shape::Unknown))
}

/// Returns the shape of a document.
pub(super) fn shape<T: DeserializeOwned>() -> Slot {
    let root = slot();
    read::<T>(&root);
    let (mut judged, mut waiting) = (0, choices(&root));
    while let Some(choice) = waiting.get(judged).cloned() {
        judged += 1;
        let Shape::Choice(variants, _) = choice.borrow().clone() else { unreachable!() };
        for number in 0..variants.len() {
            let mut variants = choice.borrow_mut();
            let Shape::Choice(_, now) = &mut *variants else { unreachable!() };
            *now = number;
            drop(variants);
            read::<T>(&root);
        }
        waiting = choices(&root);
    }
    root
}

/// Reads the type until it takes every stand-in.
fn read<T: DeserializeOwned>(root: &Slot) {
    loop {
        let last = Rc::new(RefCell::new(slot()));
        let Err(refused) = T::deserialize(Recorder { slot: root.clone(), last: last.clone() })
        else {
            return;
        };
        // A type refuses a value as soon as it has read it, so it is the last one.
        let last = last.borrow().clone();
        let mut shape = last.borrow_mut();
        match &mut *shape {
            Shape::Text(tried) if *tried + 1 < TEXTS.len() => *tried += 1,
            Shape::Time(tried) if *tried + 1 < TIMES.len() => *tried += 1,
            shape => panic!("no stand-in is taken: {shape:?}: {refused}"),
        }
    }
}

/// Every choice in a tree.
fn choices(at: &Slot) -> Vec<Slot> {
    match &*at.borrow() {
        Shape::Table(entries) => entries.iter().flat_map(|(_, inner)| choices(inner)).collect(),
        Shape::Map(name, inner) => [choices(name), choices(inner)].concat(),
        Shape::List(_, inner) => choices(inner),
        Shape::Choice(..) => vec![at.clone()],
        Shape::Unknown | Shape::Text(_) | Shape::Time(_) | Shape::Number | Shape::Truth => vec![],
    }
}

/// A document of this shape, with every entry once.
pub(super) fn instance(at: &Slot) -> Value {
    match &*at.borrow() {
        Shape::Unknown => panic!("a place that nothing asked for"),
        Shape::Table(entries) => Value::Table(
            entries.iter().map(|(n, inner)| (n.to_string(), instance(inner))).collect(),
        ),
        Shape::Map(name, inner) => {
            let name = instance(name).as_str().unwrap().to_string();
            Value::Table([(name, instance(inner))].into_iter().collect())
        }
        Shape::List(length, inner) => Value::Array(vec![instance(inner); length.unwrap_or(1)]),
        Shape::Choice(variants, now) => match &variants[*now] {
            (name, None) => Value::String(name.to_string()),
            (name, Some(inner)) => {
                Value::Table([(name.to_string(), instance(inner))].into_iter().collect())
            }
        },
        Shape::Text(tried) => Value::String(TEXTS[*tried].to_string()),
        Shape::Time(tried) => Value::Datetime(TIMES[*tried].parse().unwrap()),
        Shape::Number => Value::Integer(1),
        Shape::Truth => Value::Boolean(false),
    }
}

/// What a type is read from at one place.
#[derive(Clone)]
struct Recorder {
    slot: Slot,
    /// The last value that was given.
    last: Rc<RefCell<Slot>>,
}

impl Recorder {
    fn at(&self, slot: &Slot) -> Self {
        Self { slot: slot.clone(), last: self.last.clone() }
    }

    /// Notes what is asked for here, unless it is known; and returns what is known.
    fn asked(&self, shape: impl FnOnce() -> Shape) -> Shape {
        let mut known = self.slot.borrow_mut();
        if matches!(*known, Shape::Unknown) {
            *known = shape();
        }
        known.clone()
    }

    /// The same of a value of its own.
    fn value(&self, shape: Shape) -> Shape {
        *self.last.borrow_mut() = self.slot.clone();
        self.asked(|| shape)
    }
}

impl IntoDeserializer<'_, Error> for Recorder {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Methods that ask for a number: 1.
macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.value(Shape::Number);
            visitor.visit_u64(1)
        }
    )*};
}

impl<'de> Deserializer<'de> for Recorder {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value(Shape::Text(0)) {
            Shape::Text(tried) => visitor.visit_str(TEXTS[tried]),
            other => panic!("asked for a text where it was {other:?}"),
        }
    }

    numbers! {
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_i8
        deserialize_i16 deserialize_i32 deserialize_i64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.value(Shape::Truth);
        visitor.visit_bool(false)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.asked(|| Shape::List(None, slot())) {
            Shape::List(_, inner) => visitor.visit_seq(Parts::of(&self, vec![("", inner)])),
            other => panic!("asked for a list where it was {other:?}"),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, n: usize, visitor: V) -> Result<V::Value, Error> {
        match self.asked(|| Shape::List(Some(n), slot())) {
            Shape::List(_, inner) => visitor.visit_seq(Parts::of(&self, vec![("", inner); n])),
            other => panic!("asked for a list where it was {other:?}"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.asked(|| Shape::Map(slot(), slot())) {
            Shape::Map(name, inner) => visitor.visit_map(Parts {
                name: Some(self.at(&name)),
                ..Parts::of(&self, vec![("", inner)])
            }),
            other => panic!("asked for a table where it was {other:?}"),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if is_spanned(name) {
            return visitor.visit_map(SpannedDeserializer::new(self, 0..0));
        }
        if is_datetime(name) {
            let Shape::Time(tried) = self.value(Shape::Time(0)) else { unreachable!() };
            let at: Datetime = TIMES[tried].parse().unwrap();
            return visitor.visit_map(DatetimeDeserializer::new(at));
        }
        match self.asked(|| Shape::Table(fields.iter().map(|field| (*field, slot())).collect())) {
            Shape::Table(entries) => visitor.visit_map(Parts::of(&self, entries)),
            other => panic!("asked for a table where it was {other:?}"),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let all = || Shape::Choice(variants.iter().map(|name| (*name, None)).collect(), 0);
        match self.asked(all) {
            Shape::Choice(_, now) => visitor.visit_enum(Variant { of: self, now }),
            other => panic!("asked for a choice where it was {other:?}"),
        }
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple_struct identifier ignored_any f32 f64
    }
}

/// The parts of a table or an array.
struct Parts {
    of: Recorder,
    /// The name of the one entry, where the document names it.
    name: Option<Recorder>,
    left: std::vec::IntoIter<(&'static str, Slot)>,
    next: Option<Slot>,
}

impl Parts {
    fn of(of: &Recorder, parts: Vec<(&'static str, Slot)>) -> Self {
        Self { of: of.clone(), name: None, left: parts.into_iter(), next: None }
    }
}

impl<'de> MapAccess<'de> for Parts {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((name, inner)) = self.left.next() else { return Ok(None) };
        self.next = Some(inner);
        match self.name.take() {
            Some(name) => seed.deserialize(name).map(Some),
            None => {
                let name: StrDeserializer<'_, Error> = name.into_deserializer();
                seed.deserialize(name).map(Some)
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.of.at(&self.next.take().unwrap()))
    }
}

impl<'de> SeqAccess<'de> for Parts {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some((_, inner)) = self.left.next() else { return Ok(None) };
        seed.deserialize(self.of.at(&inner)).map(Some)
    }
}

/// The variant that is read.
struct Variant {
    of: Recorder,
    now: usize,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let Shape::Choice(variants, now) = self.of.slot.borrow().clone() else { unreachable!() };
        let name: StrDeserializer<'_, Error> = variants[now].0.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let mut shape = self.of.slot.borrow_mut();
        let Shape::Choice(variants, _) = &mut *shape else { unreachable!() };
        let inner = variants[self.now].1.get_or_insert_with(slot).clone();
        drop(shape);
        seed.deserialize(self.of.at(&inner))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        panic!("no document has a variant with several values")
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        panic!("no document has a variant with entries")
    }
}
