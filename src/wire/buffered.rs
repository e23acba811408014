//! A value read before it is known what it means, and the error that knows where in such a value something is wrong.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::{iter, slice};

use serde::de::value::MapDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Number, Value};

use super::{Accept, KEY, Visit, read, unexpected};

/// Any JSON value. Unlike [`Value`] it keeps every key of an object, repeated ones too, in the order of the body, and borrows
/// what it can.
#[derive(Clone)]
pub(crate) enum Buffered<'de> {
    Null,
    Boolean(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Number(Number),
    Text(Cow<'de, str>),
    /// Text that was handed over as a `String`.
    OwnedText(String),
    Array(Vec<Buffered<'de>>),
    Object(Vec<(Cow<'de, str>, Buffered<'de>)>),
    /// In the place of the first value of a field that comes once more, in an object that is [arranged](Self::arrange_fields).
    Repeated,
}

/// Most objects are items: room for one at once.
const USUAL_FIELDS: usize = 11;

impl<'de> Deserialize<'de> for Buffered<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(Anything, deserializer)
    }
}

struct Anything;

impl<'de> Accept<'de> for Anything {
    type Value = Buffered<'de>;
    const EXPECTED: &'static str = "a JSON value";

    fn null<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Buffered::Null)
    }

    fn boolean<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Buffered::Boolean(value))
    }

    fn unsigned<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Buffered::Unsigned(number))
    }

    fn signed<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Buffered::Signed(number))
    }

    fn float<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Buffered::Float(number))
    }

    fn wide<E: Error>(self, number: Option<Number>) -> Result<Self::Value, E> {
        number.map(Buffered::Number).ok_or_else(|| unexpected(Self::EXPECTED, "a number out of range"))
    }

    fn text<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Buffered::Text(Cow::Owned(text.into())))
    }

    fn borrowed_text<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Buffered::Text(Cow::Borrowed(text)))
    }

    fn owned_text<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Buffered::OwnedText(text))
    }

    fn array<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Buffered::Array(items))
    }

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let sized = map.size_hint().is_some();
        let mut fields = Vec::new();
        while let Some(key) = map.next_key_seed(Visit(Key))? {
            if fields.is_empty() {
                fields = Vec::with_capacity(USUAL_FIELDS);
            }
            fields.push((key, map.next_value()?));
        }
        fields.shrink_to_fit();
        Ok(match number_in(&fields, sized) {
            Some(number) => Buffered::Number(number),
            None => Buffered::Object(fields),
        })
    }
}

/// Stands for the name of a field that is not documented, where errors must not show it. No documented name is empty.
const UNDOCUMENTED: &str = "";

/// The key under which `serde_json` hands numbers over, as an object, once its feature `arbitrary_precision` is on.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// Whether `serde_json` has its feature `arbitrary_precision`, which any crate in the build can switch on.
fn arbitrary_precision() -> bool {
    "1e999".parse::<Number>().is_ok()
}

/// The number that arrived as an object, if it did. A body that writes such an object itself is not taken in: `serde_json` hands
/// over the text of a number as a `String`, and that of a body never. Only where serde buffers, under `flatten` or in an untagged
/// enum, both look alike, but the object then knows its size.
fn number_in(fields: &[(Cow<'_, str>, Buffered<'_>)], sized: bool) -> Option<Number> {
    let [(key, value)] = fields else { return None };
    if key != NUMBER_KEY || !arbitrary_precision() {
        return None;
    }
    match value {
        Buffered::OwnedText(text) => text.parse().ok(),
        Buffered::Text(text) if sized => text.parse().ok(),
        _ => None,
    }
}

/// The number that arrived where no object is expected, if it did.
#[cold]
pub(super) fn disguised_number<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Number>, A::Error> {
    if !arbitrary_precision() {
        return Ok(None);
    }
    Ok(match Anything.object(map)? {
        Buffered::Number(number) => Some(number),
        _ => None,
    })
}

/// The key of an object, whichever it is.
pub(crate) struct Key;

impl<'de> Accept<'de> for Key {
    type Value = Cow<'de, str>;
    const EXPECTED: &'static str = KEY;

    fn text<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.owned_text(text.into())
    }

    fn borrowed_text<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn owned_text<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

impl<'de> Buffered<'de> {
    /// The value as it stands in the body. Of a repeated key, the last one is kept.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Null | Self::Repeated => Value::Null,
            Self::Boolean(value) => value.into(),
            Self::Unsigned(number) => number.into(),
            Self::Signed(number) => number.into(),
            Self::Float(number) => number.into(),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::OwnedText(text) => Value::String(text),
            Self::Array(items) => items.into_iter().map(Self::into_value).collect(),
            Self::Object(fields) => {
                fields.into_iter().map(|(key, value)| (key.into_owned(), value.into_value())).collect()
            }
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Unsigned(_) | Self::Signed(_) | Self::Float(_) | Self::Number(_))
    }

    /// The fields of an object, in the order of the body.
    pub(crate) fn fields(&self) -> &[(Cow<'de, str>, Self)] {
        match self {
            Self::Object(fields) => fields,
            _ => &[],
        }
    }

    /// The first field of that name.
    pub(crate) fn field_mut(&mut self, name: &str) -> Option<&mut Self> {
        match self {
            Self::Object(fields) => fields.iter_mut().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The items of an array.
    pub(crate) fn items_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Prepares what should be an object for finding out what is wrong with it: puts its fields into the order of `names`, and the
    /// rest behind them, without their names; what is wrong with a field that is there twice is that. If it is a number instead,
    /// it must not arrive as an object.
    pub(crate) fn arrange_fields(&mut self, names: &[&str]) {
        match self {
            Self::Object(fields) => {
                for (key, _) in fields.iter_mut().filter(|(key, _)| !names.contains(&&**key)) {
                    *key = Cow::Borrowed(UNDOCUMENTED);
                }
                fields.sort_by_cached_key(|(key, _)| names.iter().position(|name| key == name).unwrap_or(names.len()));
                for same in fields.chunk_by_mut(|(key, _), (next, _)| key == next && key != UNDOCUMENTED) {
                    if let [(_, value), _, ..] = same {
                        *value = Self::Repeated;
                    }
                }
            }
            Self::Number(_) => *self = Self::Unsigned(0),
            _ => {}
        }
    }
}

/// What is wrong with a buffered value, and where. Boxed, so that the results of what goes well stay small.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// From the innermost to the outermost.
    steps: Vec<Step>,
    problem: Problem,
    message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Field(String),
    Item(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    Value,
    Missing,
    Repeated,
}

impl Fault {
    /// Of a failure in what is not documented. There, with some of its features, `serde_json` refuses objects with keys that it
    /// keeps for itself, and its own error quotes them.
    pub(crate) fn undocumented() -> Self {
        Self::custom("expected JSON without the private keys of serde_json")
    }

    pub(crate) fn within(mut self, step: Step) -> Self {
        self.0.steps.push(step);
        self
    }

    fn new(problem: Problem, message: &dyn Display) -> Self {
        Self(Box::new(Inner { steps: Vec::new(), problem, message: message.to_string() }))
    }

    fn repeated() -> Self {
        Self::new(Problem::Repeated, &"the field is there twice")
    }

    /// The steps from the outside in, what kind of problem it is, and what to say of it.
    pub(crate) fn into_parts(self) -> (Vec<Step>, Problem, String) {
        let Inner { mut steps, problem, message } = *self.0;
        steps.reverse();
        (steps, problem, message)
    }
}

impl Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(Problem::Value, &message)
    }

    fn missing_field(name: &'static str) -> Self {
        Self::new(Problem::Missing, &"the field is missing").within(Step::Field(name.into()))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::repeated().within(Step::Field(name.into()))
    }
}

impl<'de> Deserializer<'de> for &'de Buffered<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Buffered::Null => visitor.visit_unit(),
            Buffered::Boolean(value) => visitor.visit_bool(*value),
            Buffered::Unsigned(number) => visitor.visit_u64(*number),
            Buffered::Signed(number) => visitor.visit_i64(*number),
            Buffered::Float(number) => visitor.visit_f64(*number),
            // As `serde_json` does: there are such numbers only with `arbitrary_precision`.
            Buffered::Number(number) => {
                visitor.visit_map(MapDeserializer::new(iter::once((NUMBER_KEY, number.to_string()))))
            }
            Buffered::Text(text) => visitor.visit_borrowed_str(text),
            Buffered::OwnedText(text) => visitor.visit_borrowed_str(text),
            Buffered::Array(items) => visitor.visit_seq(Items { items: items.iter(), index: 0 }),
            Buffered::Object(fields) => visitor.visit_map(Fields { fields: fields.iter(), current: None }),
            Buffered::Repeated => Err(Fault::repeated()),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Items<'a, 'de> {
    items: slice::Iter<'a, Buffered<'de>>,
    index: usize,
}

impl<'a> SeqAccess<'a> for Items<'a, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(item).map(Some).map_err(|fault| fault.within(Step::Item(index)))
    }
}

struct Fields<'a, 'de> {
    fields: slice::Iter<'a, (Cow<'de, str>, Buffered<'de>)>,
    current: Option<&'a (Cow<'de, str>, Buffered<'de>)>,
}

impl<'a> MapAccess<'a> for Fields<'a, '_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.current = self.fields.next();
        match self.current {
            Some((key, _)) => seed.deserialize(key.as_ref().into_deserializer()).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        match self.current.take() {
            Some((key, value)) => seed.deserialize(value).map_err(|fault| match &**key {
                UNDOCUMENTED => Fault::undocumented(),
                name => fault.within(Step::Field(name.into())),
            }),
            None => Err(Fault::custom("a value was asked for before its key")),
        }
    }
}
