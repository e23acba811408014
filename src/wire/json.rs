//! The fast way through a body: a JSON parser with nothing in it that the bodies of the platform do not need.
//!
//! It reads text into the same visitors as everything else, and either succeeds or [declines](Declined): malformed JSON, values that
//! a visitor does not take, deep nesting. `serde_json` then reads the body from its beginning and has the last word, so this
//! parser has no errors to explain and no limits to keep, and need not be complete. It must only never accept what `serde_json`
//! does not, nor read it otherwise. What is rare in a body, escaped text and numbers other than unsigned integers, it hands to
//! `serde_json` literal by literal.
//!
//! For the documented body that is a fifth fewer instructions in all than through the deserializer of `serde_json`.

use alloc::string::String;
use core::fmt::Display;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Far below the limit of `serde_json`, and far above what is documented.
const MAX_DEPTH: u8 = 32;

/// The most digits of which every number fits a `u64`.
const MAX_DIGITS: usize = 19;

/// Reads a whole text.
pub(crate) fn read<'de, T>(text: &'de str, read: impl FnOnce(&mut Json<'de>) -> Result<T, Declined>) -> Option<T> {
    let mut json = Json { text, position: 0, depth: 0 };
    let value = read(&mut json).ok()?;
    json.peek().is_none().then_some(value)
}

/// This parser does not take the text; it does not say why.
#[derive(Debug, thiserror::Error)]
#[error("declined")]
pub(crate) struct Declined;

impl Error for Declined {
    #[cold]
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

pub(crate) struct Json<'de> {
    text: &'de str,
    position: usize,
    depth: u8,
}

impl<'de> Json<'de> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// The next byte that is not white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.position += 1,
                byte => return byte,
            }
        }
    }

    #[inline]
    fn consume(&mut self, byte: u8) -> Result<(), Declined> {
        if self.peek() != Some(byte) {
            return Err(Declined);
        }
        self.position += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Declined> {
        let rest = self.text.as_bytes().get(self.position..);
        if !rest.is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            return Err(Declined);
        }
        self.position += word.len();
        Ok(())
    }

    /// The text up to the next quote, if nothing in it is escaped; the position is behind its opening quote.
    #[inline]
    fn plain_text(&mut self) -> Result<Option<&'de str>, Declined> {
        let rest = self.text.get(self.position..).ok_or(Declined)?;
        let length = plain_length(rest.as_bytes());
        match rest.as_bytes().get(length) {
            Some(b'"') => {
                self.position += length + 1;
                rest.get(..length).map(Some).ok_or(Declined)
            }
            Some(b'\\') => Ok(None),
            _ => Err(Declined),
        }
    }

    /// The text up to the next quote that is not escaped.
    #[cold]
    fn escaped_text(&mut self) -> Result<String, Declined> {
        let start = self.position - 1;
        let mut escaped = false;
        let rest = self.text.as_bytes().get(self.position..).ok_or(Declined)?;
        let length = rest.iter().position(|&byte| {
            let closes = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            closes
        });
        self.position += length.ok_or(Declined)? + 1;
        let literal = self.text.get(start..self.position).ok_or(Declined)?;
        serde_json::from_str(literal).map_err(|_| Declined)
    }

    /// An unsigned integer and where it ends, unless the number is more than that.
    #[inline]
    fn unsigned(&self) -> Option<(u64, usize)> {
        let mut number = 0_u64;
        let mut end = self.position;
        while let Some(digit @ b'0'..=b'9') = self.text.as_bytes().get(end) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            end += 1;
        }
        let whole = match end - self.position {
            1 => true,
            2..=MAX_DIGITS => self.byte() != Some(b'0'),
            _ => false,
        };
        let more = matches!(self.text.as_bytes().get(end), Some(b'.' | b'e' | b'E'));
        (whole && !more).then_some((number, end))
    }

    /// Any other number: what it is depends on the features of `serde_json`.
    #[cold]
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Declined> {
        let literal = self.text.get(self.position..).ok_or(Declined)?;
        let literal = match literal.find(|byte| !matches!(byte, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')) {
            Some(end) => literal.get(..end).ok_or(Declined)?,
            None => literal,
        };
        self.position += literal.len();
        let mut number = serde_json::Deserializer::from_str(literal);
        let value = number.deserialize_any(visitor).map_err(|_| Declined)?;
        number.end().map_err(|_| Declined)?;
        Ok(value)
    }

    /// Reads an array or an object to its end.
    #[inline]
    fn nested<T>(
        &mut self,
        close: u8,
        read: impl FnOnce(&mut Elements<'_, 'de>) -> Result<T, Declined>,
    ) -> Result<T, Declined> {
        if self.depth == MAX_DEPTH {
            return Err(Declined);
        }
        self.depth += 1;
        self.position += 1;
        let mut elements = Elements { json: self, close, place: Place::Start };
        let value = read(&mut elements)?;
        if elements.place != Place::End {
            return Err(Declined);
        }
        self.depth -= 1;
        Ok(value)
    }
}

/// How many bytes come before the first quote, backslash or control character.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }

    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        // The high bit of each byte that is less than the one subtracted from it. A borrow can set too many, but only above
        // the lowest one, which comes first in the text.
        let chunk = u64::from_le_bytes(*chunk);
        let quote = chunk ^ each(b'"');
        let backslash = chunk ^ each(b'\\');
        let found = (chunk.wrapping_sub(each(0x20)) & !chunk)
            | (quote.wrapping_sub(each(1)) & !quote)
            | (backslash.wrapping_sub(each(1)) & !backslash);
        let found = found & each(0x80);
        if found != 0 {
            return bytes.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = tail;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    bytes.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

impl<'de> Deserializer<'de> for &mut Json<'de> {
    type Error = Declined;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Declined> {
        match self.peek() {
            Some(b'"') => {
                self.position += 1;
                match self.plain_text()? {
                    Some(text) => visitor.visit_borrowed_str(text),
                    None => visitor.visit_str(&self.escaped_text()?),
                }
            }
            Some(b'{') => self.nested(b'}', |elements| visitor.visit_map(elements)),
            Some(b'[') => self.nested(b']', |elements| visitor.visit_seq(elements)),
            Some(b'-' | b'0'..=b'9') => match self.unsigned() {
                Some((number, end)) => {
                    self.position = end;
                    visitor.visit_u64(number)
                }
                None => self.number(visitor),
            },
            Some(b'n') => self.word("null").and_then(|()| visitor.visit_unit()),
            Some(b't') => self.word("true").and_then(|()| visitor.visit_bool(true)),
            Some(b'f') => self.word("false").and_then(|()| visitor.visit_bool(false)),
            _ => Err(Declined),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The elements of an array, or the fields of an object.
struct Elements<'a, 'de> {
    json: &'a mut Json<'de>,
    close: u8,
    place: Place,
}

#[derive(PartialEq)]
enum Place {
    Start,
    Middle,
    End,
}

impl Elements<'_, '_> {
    /// Goes to the next element, if there is one. That it is one, and not a bracket after a comma, shows when it is read.
    #[inline]
    fn advance(&mut self) -> Result<bool, Declined> {
        match (self.json.peek(), &self.place) {
            (Some(byte), _) if byte == self.close => {
                self.json.position += 1;
                self.place = Place::End;
                return Ok(false);
            }
            (_, Place::Start) => self.place = Place::Middle,
            (Some(b','), Place::Middle) => self.json.position += 1,
            _ => return Err(Declined),
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Declined;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Declined> {
        if self.advance()? { seed.deserialize(&mut *self.json).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Declined;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Declined> {
        if !self.advance()? {
            return Ok(None);
        }
        self.json.consume(b'"')?;
        match self.json.plain_text()? {
            Some(key) => seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some),
            None => seed.deserialize(self.json.escaped_text()?.as_str().into_deserializer()).map(Some),
        }
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Declined> {
        self.json.consume(b':')?;
        seed.deserialize(&mut *self.json)
    }
}
