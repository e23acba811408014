//! How values are read and written, whatever the format.
//!
//! The readers of the crate are plain loops over keys and items. They are generic over a [`Source`] only, which is a
//! cursor over JSON text or over a buffered value. A value of any other `Deserializer` is buffered first, by the one
//! serde visitor of the crate.

mod buffered;
mod fault;
mod field;
mod json;

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::de::{Deserializer, Error, IgnoredAny};
use serde_json::{Map, Number, Value};

pub(crate) use self::buffered::{Buffered, TokenCursor};
pub(crate) use self::fault::{Fault, Problem};
pub(crate) use self::field::{
    Field, Integer, check_required, read_extra, read_object, read_required_text, required, some_text,
};
pub(crate) use self::json::Json;

/// How deep a body can be nested: `serde_json`'s own limit.
const MAX_DEPTH: u8 = 127;

/// Where values come from: a cursor that stands in front of the next value.
///
/// A method that reads or passes a value leaves the cursor behind it. `text`, `number`, `boolean` and `open` expect
/// that [`kind`](Self::kind) has named the value.
pub(crate) trait Source<'de> {
    /// An array or an object that is being read.
    type Open;
    /// A place to return to.
    type Mark: Copy + PartialEq;

    /// The kind of the next value, which is not passed.
    fn kind(&mut self) -> Result<Kind, Fault>;

    fn string(&mut self) -> Result<Cow<'de, str>, Fault>;

    fn number(&mut self) -> Result<Numeric, Fault>;

    fn boolean(&mut self) -> Result<bool, Fault>;

    /// Enters an array or an object.
    fn open(&mut self) -> Result<Self::Open, Fault>;

    /// Whether another item follows. Leaves the array if none does.
    fn next_item(&mut self, array: &mut Self::Open) -> Result<bool, Fault>;

    /// Whether another field follows. Leaves the object if none does.
    fn next_field(&mut self, object: &mut Self::Open) -> Result<bool, Fault>;

    /// Reads the key of a field. The value comes next.
    fn key(&mut self) -> Result<Cow<'de, str>, Fault>;

    /// Whether the key that comes next is this one. `false` is always a safe answer: the caller then reads the key.
    #[inline]
    fn is_key(&self, _: &str) -> bool {
        false
    }

    /// Passes the key for which [`is_key`](Self::is_key) said `true`.
    #[inline]
    fn pass_key(&mut self, _: &str) -> Result<(), Fault> {
        self.key().map(drop)
    }

    /// The key of the next field, if another follows.
    #[inline]
    fn next_key(&mut self, object: &mut Self::Open) -> Result<Option<Cow<'de, str>>, Fault> {
        if self.next_field(object)? { self.key().map(Some) } else { Ok(None) }
    }

    /// Passes the next value. In JSON text, only `null`, `true` and `false` are checked. Whoever needs the rest checked
    /// reads the value later.
    fn skip(&mut self) -> Result<(), Fault>;

    /// The place where the cursor stands.
    fn mark(&self) -> Self::Mark;

    fn return_to(&mut self, mark: Self::Mark);

    /// How many bytes of the text have been read. A buffered value has no text, so the number is 0.
    fn offset(&self) -> usize;

    /// Whether the value that was just read is complete. At the end of a text that was cut off, a number may be too
    /// short.
    fn is_complete(&mut self) -> bool {
        true
    }

    /// Reads an object with a [private key](PrivateKeys) as `serde_json` does.
    fn private(&mut self) -> Result<Value, Fault>;

    /// Enters an object, or fails because the next value is none.
    #[inline]
    fn open_object(&mut self) -> Result<Self::Open, Fault> {
        match self.kind()? {
            Kind::Object => self.open(),
            _ => Err(self.unexpected("an object")),
        }
    }

    /// Enters an array, or fails because the next value is none.
    #[inline]
    fn open_array(&mut self) -> Result<Self::Open, Fault> {
        match self.kind()? {
            Kind::Array => self.open(),
            _ => Err(self.unexpected("an array")),
        }
    }

    /// Reads any value and keeps what `serde_json`'s `Value` keeps of it.
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

    /// Passes the next value like [`skip`](Self::skip), but fails if it is not JSON.
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

    /// The fault of a value that is of the wrong kind.
    #[cold]
    fn unexpected(&mut self, expected: &'static str) -> Fault {
        match self.kind() {
            Ok(kind) => self.fault_at_value(Problem::Unexpected { expected, found: kind.name() }),
            Err(fault) => fault,
        }
    }

    /// A fault of the next value. It is placed behind a scalar, but at the bracket that opens an array or an object.
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

    /// A fault of the value that was just read.
    #[cold]
    fn fault_behind(&self, problem: Problem) -> Fault {
        Fault::new(problem, self.offset())
    }
}

/// What every private key of `serde_json` begins with.
pub(crate) const PRIVATE_PREFIX: &str = "$serde_json::private::";

/// What to do with an object whose first key is a private key of `serde_json`. With some of its features, `serde_json`
/// takes such an object for a number, or for JSON in a text, and may refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrivateKeys {
    /// Do what `serde_json` does.
    Obey,
    /// Keep the object as it came.
    Ignore,
}

/// What a value is, before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
    /// What JSON lacks, such as bytes.
    Foreign(&'static str),
}

impl Kind {
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

/// A number, in the cheapest form that holds it.
#[derive(Debug, Clone)]
pub(crate) enum Numeric {
    Unsigned(u64),
    /// A float from a buffered value. Formats other than JSON have infinities and NaN.
    Float(f64),
    Other(Number),
}

/// Reads a value from any serde format.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl FnOnce(&mut TokenCursor<'_>) -> Result<T, Fault>,
) -> Result<T, D::Error> {
    let buffered = Buffered::read(deserializer)?;
    read(&mut buffered.cursor()).map_err(D::Error::custom)
}

/// What `serde_json` finds wrong with a text that is not JSON.
#[cold]
pub(crate) fn json_error(text: &str) -> Option<serde_json::Error> {
    let error = serde_json::from_str::<Value>(text).err();
    // An error about data is that of a private key, and can quote the text. `IgnoredAny` has no private keys.
    error.filter(|error| !error.is_data()).or_else(|| serde_json::from_str::<IgnoredAny>(text).err())
}
