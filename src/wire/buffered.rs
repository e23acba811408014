//! A buffered value of any serde format, and a cursor over it.
//!
//! A buffered value is a list of tokens in the order in which the format hands them over. So repeated keys are kept,
//! and the cursor is an index into the list.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{Fault, Kind, MAX_DEPTH, Numeric, PrivateKeys, Problem, Source};

/// A buffered value of any serde format.
pub(crate) struct Buffered<'de>(Vec<Token<'de>>);

enum Token<'de> {
    Null,
    Boolean(bool),
    Number(Numeric),
    Str(Cow<'de, str>),
    /// A string that the format handed over by `visit_string`. [`number_in`] needs to know this.
    String(String),
    /// A value that JSON cannot hold. Holds its name for an error text.
    Foreign(&'static str),
    /// The start of an array. Holds the number of tokens that belong to its items.
    Array(usize),
    /// The start of an object. Holds the number of tokens of its keys and values. Each key is followed by its value.
    Object(usize),
}

/// Initial capacity: the number of tokens of a body with one `UNREPLIED` item.
const USUAL_TOKENS: usize = 32;

impl<'de> Buffered<'de> {
    pub(crate) fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut tokens = Vec::new();
        deserializer.deserialize_any(Fill { tokens: &mut tokens, depth: 0 })?;
        Ok(Self(tokens))
    }

    /// Buffers the content of an event.
    ///
    /// Fails if the content is nested deeper than a body can be. Only a `Value` that does not come from a body can be
    /// nested so deeply.
    pub(crate) fn of_content(content: &'de Value) -> Result<Self, Fault> {
        let mut tokens = Vec::new();
        // In a body, the envelope is the first level of nesting.
        let mut fill = Fill { tokens: &mut tokens, depth: 1 };
        fill.value(content).map_err(|TooDeep| Fault::new(Problem::TooDeep, 0))?;
        Ok(Self(tokens))
    }

    /// Makes a cursor that points at the value.
    pub(crate) fn cursor(&self) -> TokenCursor<'_> {
        TokenCursor { tokens: &self.0, position: 0 }
    }
}

/// The visitor that appends the tokens of one value.
///
/// Most default methods of [`Visitor`] fail with an error that quotes the value. The visitor implements all of these.
/// The other default methods, such as `visit_i8`, only call a method that is implemented here.
struct Fill<'a, 'de> {
    tokens: &'a mut Vec<Token<'de>>,
    depth: u8,
}

#[derive(Debug, thiserror::Error)]
#[error("nested too deeply")]
struct TooDeep;

impl<'de> Fill<'_, 'de> {
    fn push(self, token: Token<'de>) {
        self.tokens.push(token);
    }

    /// Starts an array or an object, and returns the index of its token.
    fn open(&mut self) -> Result<usize, TooDeep> {
        if self.depth == MAX_DEPTH {
            return Err(TooDeep);
        }
        if self.tokens.is_empty() {
            self.tokens.reserve(USUAL_TOKENS);
        }
        self.depth += 1;
        Ok(self.reserve_token())
    }

    /// Appends a token that [`close`](Self::close) overwrites later, and returns its index.
    fn reserve_token(&mut self) -> usize {
        self.tokens.push(Token::Null);
        self.tokens.len() - 1
    }

    /// Ends the array or the object whose token is at `place`: writes this token with the number of tokens after it.
    fn close(&mut self, place: usize, token: fn(usize) -> Token<'de>) {
        let length = self.tokens.len() - place - 1;
        if let Some(opened) = self.tokens.get_mut(place) {
            *opened = token(length);
        }
    }

    fn nested(&mut self) -> Fill<'_, 'de> {
        Fill { tokens: self.tokens, depth: self.depth }
    }

    fn value(&mut self, value: &'de Value) -> Result<(), TooDeep> {
        match value {
            Value::Null => self.tokens.push(Token::Null),
            Value::Bool(value) => self.tokens.push(Token::Boolean(*value)),
            Value::Number(number) => self.tokens.push(Token::Number(Numeric::Other(number.clone()))),
            Value::String(text) => self.tokens.push(Token::Str(text.into())),
            Value::Array(items) => {
                let mut nested = self.nested();
                let place = nested.open()?;
                items.iter().try_for_each(|item| nested.value(item))?;
                nested.close(place, Token::Array);
            }
            Value::Object(fields) => {
                let mut nested = self.nested();
                let place = nested.open()?;
                for (key, value) in fields {
                    nested.tokens.push(Token::Str(key.into()));
                    nested.value(value)?;
                }
                nested.close(place, Token::Object);
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Fill<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(Token::Null);
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.push(Token::Null);
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.push(Token::Boolean(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.push(Token::Number(Numeric::Unsigned(value)));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.push(Token::Number(match u64::try_from(value) {
            Ok(value) => Numeric::Unsigned(value),
            Err(_) => Numeric::Other(value.into()),
        }));
        Ok(())
    }

    fn visit_u128<E>(self, value: u128) -> Result<(), E> {
        self.push(wide(Number::from_u128(value)));
        Ok(())
    }

    fn visit_i128<E>(self, value: i128) -> Result<(), E> {
        self.push(wide(Number::from_i128(value)));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.push(Token::Number(Numeric::Float(value)));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.push(Token::Str(Cow::Owned(value.into())));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<(), E> {
        self.push(Token::Str(Cow::Borrowed(value)));
        Ok(())
    }

    fn visit_string<E>(self, value: String) -> Result<(), E> {
        self.push(Token::String(value));
        Ok(())
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<(), E> {
        self.push(Token::Foreign("bytes"));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let place = self.open().map_err(A::Error::custom)?;
        while seq.next_element_seed(self.nested())?.is_some() {}
        self.close(place, Token::Array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let is_sized = map.size_hint().is_some();
        // With `arbitrary_precision`, a number arrives as a map. Such a map does not count as a level of nesting.
        let must_be_number = self.depth == MAX_DEPTH && has_arbitrary_precision();
        let place = if must_be_number { self.reserve_token() } else { self.open().map_err(A::Error::custom)? };
        while map.next_key_seed(self.nested())?.is_some() {
            map.next_value_seed(self.nested())?;
        }
        self.close(place, Token::Object);
        if let Some(number) = number_in(self.tokens.get(place + 1..).unwrap_or_default(), is_sized) {
            self.tokens.truncate(place);
            self.tokens.push(Token::Number(Numeric::Other(number)));
        } else if must_be_number {
            return Err(A::Error::custom(TooDeep));
        }
        Ok(())
    }

    /// A tagged value of CBOR or YAML.
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<(), A::Error> {
        // `IgnoredAny` accepts any value. With another visitor, the format could reject the value and quote it.
        IgnoredAny.visit_enum(data)?;
        self.push(Token::Foreign("a tagged value"));
        Ok(())
    }
}

/// The token of an integer that may be wider than 64 bits. `number` is `None` if a `Number` cannot hold the integer.
fn wide<'de>(number: Option<Number>) -> Token<'de> {
    number.map_or(Token::Foreign("a number out of range"), |number| Token::Number(Numeric::Other(number)))
}

/// With the feature `arbitrary_precision`, `serde_json` hands over a number as an object with this single key.
const NUMBER_KEY: &str = "$serde_json::private::Number";

/// Whether the feature `arbitrary_precision` of `serde_json` is on. Any crate in the build can switch it on.
fn has_arbitrary_precision() -> bool {
    "1e999".parse::<Number>().is_ok()
}

/// The number that `serde_json` handed over as an object, or `None` if `fields` are those of an ordinary object.
///
/// An ordinary object can have the same key. How the key and the value arrive tells a number from such an object:
///
/// - Directly from `serde_json`, the value of a number arrives by `visit_string`, and its key does not. In an ordinary
///   object, either both arrive by `visit_string` or neither does.
/// - Under `flatten` and in an untagged enum, serde has buffered the object, so its size is known. A number is then an
///   owned string. A string with escapes or from a reader is owned too, so its object can be taken for a number.
fn number_in(fields: &[Token<'_>], is_sized: bool) -> Option<Number> {
    let [Token::Str(key), value] = fields else { return None };
    if key != NUMBER_KEY || !has_arbitrary_precision() {
        return None;
    }
    match value {
        Token::String(text) => text.parse().ok(),
        Token::Str(Cow::Owned(text)) if is_sized => text.parse().ok(),
        _ => None,
    }
}

/// A cursor over the tokens of a buffered value.
pub(crate) struct TokenCursor<'a> {
    tokens: &'a [Token<'a>],
    position: usize,
}

impl<'a> TokenCursor<'a> {
    fn token(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.position)
    }

    /// The index after the last token of the value at the cursor. `length` is the number of tokens after the first one.
    fn end_of(&self, length: usize) -> usize {
        self.position + 1 + length
    }
}

/// The fault for a missing token. No token is ever missing, because [`Fill`] writes the right lengths.
#[cold]
fn missing_token() -> Fault {
    Fault::not_json()
}

impl<'a> Source<'a> for TokenCursor<'a> {
    /// The index at which the array or the object ends.
    type Open = usize;
    type Mark = usize;

    fn kind(&mut self) -> Result<Kind, Fault> {
        Ok(match self.token().ok_or_else(missing_token)? {
            Token::Null => Kind::Null,
            Token::Boolean(_) => Kind::Boolean,
            Token::Number(_) => Kind::Number,
            Token::Str(_) | Token::String(_) => Kind::String,
            Token::Foreign(name) => Kind::Foreign(name),
            Token::Array(_) => Kind::Array,
            Token::Object(_) => Kind::Object,
        })
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        let text = match self.token() {
            Some(Token::Str(text)) => text.as_ref(),
            Some(Token::String(text)) => text.as_str(),
            _ => return Err(self.unexpected("a string")),
        };
        self.position += 1;
        Ok(Cow::Borrowed(text))
    }

    fn number(&mut self) -> Result<Numeric, Fault> {
        let Some(Token::Number(number)) = self.token() else { return Err(self.unexpected("a number")) };
        self.position += 1;
        Ok(number.clone())
    }

    fn boolean(&mut self) -> Result<bool, Fault> {
        let Some(Token::Boolean(value)) = self.token() else { return Err(self.unexpected("a boolean")) };
        self.position += 1;
        Ok(*value)
    }

    fn open(&mut self) -> Result<usize, Fault> {
        let Some(Token::Array(length) | Token::Object(length)) = self.token() else { return Err(missing_token()) };
        let end = self.end_of(*length);
        self.position += 1;
        Ok(end)
    }

    fn next_item(&mut self, end: &mut usize) -> Result<bool, Fault> {
        Ok(self.position < *end)
    }

    fn next_field(&mut self, end: &mut usize) -> Result<bool, Fault> {
        Ok(self.position < *end)
    }

    fn key(&mut self) -> Result<Cow<'a, str>, Fault> {
        match self.kind()? {
            Kind::String => self.string(),
            _ => Err(self.unexpected("a string as key")),
        }
    }

    fn skip(&mut self) -> Result<(), Fault> {
        let length = match self.token() {
            Some(Token::Array(length) | Token::Object(length)) => *length,
            _ => 0,
        };
        self.position = self.end_of(length);
        Ok(())
    }

    fn mark(&self) -> usize {
        self.position
    }

    fn return_to(&mut self, mark: usize) {
        self.position = mark;
    }

    fn offset(&self) -> usize {
        0
    }

    /// Writes the object as JSON text, and lets `serde_json` read this text.
    #[cold]
    fn private(&mut self) -> Result<Value, Fault> {
        let value = self.value(PrivateKeys::Ignore)?;
        value.to_string().parse().map_err(|_| Fault::new(Problem::PrivateKey, 0))
    }
}
