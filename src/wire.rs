//! How values are read and written in every format.
//!
//! The readers of the crate are plain loops over keys and items. They are generic over one trait, [`Source`]. The
//! trait has two implementations: a cursor over JSON text, and a cursor over a buffered value. A body is read from its
//! text. To read from a serde `Deserializer`, the crate first buffers the value.

mod buffered;
mod fault;
mod field;
mod json;
mod swar;
mod write;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub(crate) use self::buffered::{Buffered, TokenCursor};
pub(crate) use self::fault::{Fault, Problem};
pub(crate) use self::field::{
    Field, Fields, Integer, Key, Scalar, SerdeFields, check_required, key, read_extra, read_object, read_required_text,
    repeated, required, some_text,
};
pub(crate) use self::json::{Json, Mark as JsonMark};
pub(crate) use self::write::Writer;

/// The deepest nesting of a body. `serde_json` has the same limit.
const MAX_DEPTH: u8 = 127;

/// Where values come from: a cursor that points at the next value.
///
/// A method that reads or skips a value moves the cursor past this value. Before `string`, `number`, `boolean` or
/// `open` is called, [`kind`](Self::kind) must have returned the kind of the value.
pub(crate) trait Source<'de> {
    /// The state of an array or an object that is being read.
    type Open;
    /// A saved position of the cursor. See [`return_to`](Self::return_to).
    type Mark: Copy + PartialEq;

    /// The kind of the next value. The cursor does not move.
    fn kind(&mut self) -> Result<Kind, Fault>;

    fn string(&mut self) -> Result<Cow<'de, str>, Fault>;

    fn number(&mut self) -> Result<Numeric, Fault>;

    fn boolean(&mut self) -> Result<bool, Fault>;

    /// Moves into an array or an object.
    fn open(&mut self) -> Result<Self::Open, Fault>;

    /// Whether another item follows. If not, the cursor moves past the array.
    fn next_item(&mut self, array: &mut Self::Open) -> Result<bool, Fault>;

    /// Whether another field follows. If not, the cursor moves past the object.
    fn next_field(&mut self, object: &mut Self::Open) -> Result<bool, Fault>;

    /// Reads the key of a field. The cursor then points at the value.
    fn key(&mut self) -> Result<Cow<'de, str>, Fault>;

    /// Skips the next key and returns `true` if the cursor can tell quickly that this key is `key`. Otherwise returns
    /// `false`, and the caller reads the key.
    #[inline]
    fn pass_key(&mut self, _: Key) -> bool {
        false
    }

    /// Reads the key of the next field, or returns `None` at the end of the object.
    #[inline]
    fn next_key(&mut self, object: &mut Self::Open) -> Result<Option<Cow<'de, str>>, Fault> {
        if self.next_field(object)? { self.key().map(Some) } else { Ok(None) }
    }

    /// Skips the next value. In JSON text, this does not check most of the syntax, which makes it fast.
    /// [`skip_strict`](Self::skip_strict) checks all of the syntax.
    fn skip(&mut self) -> Result<(), Fault>;

    /// The position of the cursor, for [`return_to`](Self::return_to).
    fn mark(&self) -> Self::Mark;

    /// Moves the cursor back to a saved position.
    fn return_to(&mut self, mark: Self::Mark);

    /// The number of bytes that have been read. It is 0 for a buffered value, which has no JSON text.
    fn offset(&self) -> usize;

    /// Whether the scalar that was just read is certainly complete. If the body was cut off after `"created_at": 17`,
    /// more digits may be missing.
    fn is_complete(&mut self) -> bool {
        true
    }

    /// Reads an object whose first key is a [private key](PrivateKeys), as `serde_json` does.
    fn private(&mut self) -> Result<Value, Fault>;

    /// Moves into an object. Fails if the next value is not an object.
    #[inline]
    fn open_object(&mut self) -> Result<Self::Open, Fault> {
        match self.kind()? {
            Kind::Object => self.open(),
            _ => Err(self.unexpected("an object")),
        }
    }

    /// Moves into an array. Fails if the next value is not an array.
    #[inline]
    fn open_array(&mut self) -> Result<Self::Open, Fault> {
        match self.kind()? {
            Kind::Array => self.open(),
            _ => Err(self.unexpected("an array")),
        }
    }

    /// Reads any value. With [`PrivateKeys::Obey`], the result is the `Value` that `serde_json` itself would read.
    fn value(&mut self, private: PrivateKeys) -> Result<Value, Fault> {
        Ok(match self.kind()? {
            Kind::Null => self.skip().map(|()| Value::Null)?,
            Kind::Boolean => self.boolean()?.into(),
            Kind::Number => match self.number()? {
                Numeric::Unsigned(number) => number.into(),
                Numeric::Float(number) => number.into(),
                Numeric::Other(number) => Value::Number(number),
            },
            Kind::String => Value::String(self.string()?.into_owned()),
            Kind::Array => {
                let mut array = self.open()?;
                let mut items = Vec::new();
                while self.next_item(&mut array)? {
                    items.push(self.value(private)?);
                }
                Value::Array(items)
            }
            Kind::Object => {
                let start = self.mark();
                let mut object = self.open()?;
                let mut fields = Map::new();
                while let Some(key) = self.next_key(&mut object)? {
                    if fields.is_empty() && key.starts_with(PRIVATE_PREFIX) && private == PrivateKeys::Obey {
                        self.return_to(start);
                        return self.private();
                    }
                    let value = self.value(private)?;
                    fields.insert(key.into_owned(), value);
                }
                Value::Object(fields)
            }
            Kind::Foreign(_) => return Err(self.unexpected("a JSON value")),
        })
    }

    /// Skips the next value. Fails if the text of the value is not JSON, or if a key of a buffered value is not a
    /// string.
    fn skip_strict(&mut self) -> Result<(), Fault> {
        match self.kind()? {
            Kind::String => self.string().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Array => {
                let mut array = self.open()?;
                while self.next_item(&mut array)? {
                    self.skip_strict()?;
                }
                Ok(())
            }
            Kind::Object => {
                let mut object = self.open()?;
                while self.next_key(&mut object)?.is_some() {
                    self.skip_strict()?;
                }
                Ok(())
            }
            Kind::Null | Kind::Boolean | Kind::Foreign(_) => self.skip(),
        }
    }

    /// The fault for the next value, which is of the wrong kind.
    #[cold]
    fn unexpected(&mut self, expected: &'static str) -> Fault {
        match self.kind() {
            Ok(kind) => self.fault_at_value(Problem::Unexpected { expected, found: kind.name() }),
            Err(fault) => fault,
        }
    }

    /// A fault in the next value. Its offset is the end of a scalar, or the bracket that opens an array or an object.
    #[cold]
    fn fault_at_value(&mut self, problem: Problem) -> Fault {
        let opened = match self.kind() {
            Ok(Kind::Array | Kind::Object) => self.open().map(drop),
            _ => self.skip(),
        };
        match opened {
            Ok(()) => Fault::new(problem, self.offset()),
            Err(fault) => fault,
        }
    }

    /// A fault in the value that was just read.
    #[cold]
    fn fault_after_value(&self, problem: Problem) -> Fault {
        Fault::new(problem, self.offset())
    }
}

/// The prefix of every private key of `serde_json`.
pub(crate) const PRIVATE_PREFIX: &str = "$serde_json::private::";

/// How to read an object whose first key is a private key of `serde_json`.
///
/// With its feature `arbitrary_precision`, `serde_json` reads such an object as a number. With `raw_value`, it reads
/// the object as JSON that is stored in a string. In both cases it can reject the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrivateKeys {
    /// Read the object as `serde_json` does.
    Obey,
    /// Read the object like any other object.
    Ignore,
}

/// The kind of a value, which is known before the value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
    /// A kind that JSON does not have, such as bytes. Holds its name for an error text.
    Foreign(&'static str),
}

impl Kind {
    /// The name of the kind in an error text.
    fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
            Self::Foreign(name) => name,
        }
    }
}

/// A number.
#[derive(Debug, Clone)]
pub(crate) enum Numeric {
    Unsigned(u64),
    /// A float from a buffered value. In formats other than JSON, it can be infinite or NaN.
    Float(f64),
    /// A number in the form of `serde_json`. In JSON text, these are negative numbers, floats, and numbers of more
    /// than 19 digits. In a buffered value, any number can have this form.
    Other(Number),
}

/// Reads a value from any serde format, with a reader of this crate.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnOnce(&mut TokenCursor<'_>) -> Result<T, Fault>,
) -> Result<T, D::Error> {
    let buffered = Buffered::read(deserializer)?;
    read(&mut buffered.cursor()).map_err(D::Error::custom)
}

/// The error of `serde_json` for a text that is not JSON.
#[cold]
pub(crate) fn json_error(text: &str) -> Option<serde_json::Error> {
    serde_json::from_str::<Parsed>(text).err()
}

/// A value that `serde_json` has parsed in full, and that was dropped at once. A `Value` would take many times the
/// memory of the text, and `IgnoredAny` does not parse numbers.
struct Parsed;

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Parsed {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        while fields.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
