//! A cursor over JSON text, which accepts what serde_json accepts.
//!
//! It only finds out that a text is not JSON, and not why: serde_json says so when the fault is explained. Escaped text, and any
//! number that is not a short unsigned integer, are rare in a body. serde_json reads these, literal by literal.

use alloc::borrow::Cow;
use alloc::string::String;

use serde_json::{Number, Value};

use super::{Fault, Kind, MAX_DEPTH, Numeric, Problem, Source};

/// The most digits of which every number fits a `u64`.
const MAX_DIGITS: usize = 19;

pub(crate) struct Json<'de> {
    text: &'de str,
    position: usize,
    depth: u8,
}

/// An array or an object whose next element is the first one, or not.
pub(crate) struct Open {
    is_first: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Mark {
    position: usize,
    depth: u8,
}

impl<'de> Json<'de> {
    /// Stands in front of the first value.
    pub(crate) fn new(text: &'de str) -> Self {
        let mut json = Self { text, position: 0, depth: 0 };
        json.peek();
        json
    }

    /// Fails unless only white space is left.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        if self.peek().is_some() { Err(Fault::not_json()) } else { Ok(()) }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// The next byte that is not white space.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.position += 1,
                byte => return byte,
            }
        }
    }

    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.position..).unwrap_or_default()
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(Fault::not_json());
        }
        self.position += word.len();
        Ok(())
    }

    /// The text whose opening quote comes next.
    #[inline]
    fn quoted(&mut self) -> Result<Cow<'de, str>, Fault> {
        let start = self.position + 1;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = plain_length(rest);
        if rest.get(length) != Some(&b'"') {
            return self.escaped();
        }
        let end = start + length;
        self.position = end + 1;
        self.text.get(start..end).map(Cow::Borrowed).ok_or_else(Fault::not_json)
    }

    #[cold]
    fn escaped(&mut self) -> Result<Cow<'de, str>, Fault> {
        let start = self.position;
        self.skip_quoted()?;
        let literal = self.text.get(start..self.position).unwrap_or_default();
        serde_json::from_str::<String>(literal).map(Cow::Owned).map_err(|_| Fault::not_json())
    }

    /// Passes a text up to the next quote that is not escaped.
    fn skip_quoted(&mut self) -> Result<(), Fault> {
        self.position += 1;
        loop {
            let rest = self.rest();
            let length = plain_length(rest);
            self.position += length + 1;
            match rest.get(length) {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.position += 1,
                _ => return Err(Fault::not_json()),
            }
        }
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
        let is_whole = match end - self.position {
            1 => true,
            2..=MAX_DIGITS => self.byte() != Some(b'0'),
            _ => false,
        };
        let is_more = matches!(self.text.as_bytes().get(end), Some(b'.' | b'e' | b'E'));
        (is_whole && !is_more).then_some((number, end))
    }

    /// Any other number. What it holds depends on the features of serde_json.
    #[cold]
    fn other_number(&mut self) -> Result<Numeric, Fault> {
        let start = self.position;
        self.skip_number();
        let literal = self.text.get(start..self.position).unwrap_or_default();
        literal.parse::<Number>().map(Numeric::Other).map_err(|_| Fault::not_json())
    }

    fn skip_number(&mut self) {
        let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        self.position += self.rest().iter().take_while(is_part).count();
    }

    /// Passes an array or an object by counting brackets, whichever they are.
    fn skip_nested(&mut self) -> Result<(), Fault> {
        let mut depth = 0_usize;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.skip_quoted()?;
                    continue;
                }
                Some(b'[' | b'{') => depth += 1,
                Some(b']' | b'}') => depth -= 1,
                Some(_) => {}
                None => return Err(Fault::not_json()),
            }
            self.position += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Passes the bracket that closes, or moves to the next element. Does not check that a value follows a comma: `[1,]` fails
    /// when the value is read.
    #[inline]
    fn advance(&mut self, open: &mut Open, close: u8) -> Result<bool, Fault> {
        match self.peek() {
            Some(byte) if byte == close => {
                self.position += 1;
                self.depth -= 1;
                return Ok(false);
            }
            Some(_) if open.is_first => open.is_first = false,
            Some(b',') => {
                self.position += 1;
                self.peek();
            }
            _ => return Err(Fault::not_json()),
        }
        Ok(true)
    }
}

impl<'de> Source<'de> for Json<'de> {
    type Open = Open;
    type Mark = Mark;

    #[inline]
    fn kind(&mut self) -> Result<Kind, Fault> {
        Ok(match self.byte() {
            Some(b'"') => Kind::Text,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'n') => Kind::Null,
            Some(b't' | b'f') => Kind::Boolean,
            _ => return Err(Fault::not_json()),
        })
    }

    #[inline]
    fn text(&mut self) -> Result<Cow<'de, str>, Fault> {
        self.quoted()
    }

    #[inline]
    fn number(&mut self) -> Result<Numeric, Fault> {
        match self.unsigned() {
            Some((number, end)) => {
                self.position = end;
                Ok(Numeric::Unsigned(number))
            }
            None => self.other_number(),
        }
    }

    fn boolean(&mut self) -> Result<bool, Fault> {
        match self.byte() {
            Some(b't') => self.word("true").map(|()| true),
            _ => self.word("false").map(|()| false),
        }
    }

    #[inline]
    fn open(&mut self) -> Result<Open, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::not_json());
        }
        self.depth += 1;
        self.position += 1;
        Ok(Open { is_first: true })
    }

    #[inline]
    fn next_item(&mut self, array: &mut Open) -> Result<bool, Fault> {
        self.advance(array, b']')
    }

    #[inline]
    fn next_key(&mut self, object: &mut Open) -> Result<Option<Cow<'de, str>>, Fault> {
        if !self.advance(object, b'}')? {
            return Ok(None);
        }
        if self.byte() != Some(b'"') {
            return Err(Fault::not_json());
        }
        let key = self.quoted()?;
        if self.peek() != Some(b':') {
            return Err(Fault::not_json());
        }
        self.position += 1;
        self.peek();
        Ok(Some(key))
    }

    fn skip(&mut self) -> Result<(), Fault> {
        match self.kind()? {
            Kind::Null => self.word("null"),
            Kind::Boolean => self.boolean().map(drop),
            Kind::Text => self.skip_quoted(),
            Kind::Array | Kind::Object => self.skip_nested(),
            Kind::Number | Kind::Foreign(_) => {
                self.skip_number();
                Ok(())
            }
        }
    }

    fn mark(&self) -> Mark {
        Mark { position: self.position, depth: self.depth }
    }

    fn return_to(&mut self, mark: Mark) {
        self.position = mark.position;
        self.depth = mark.depth;
    }

    fn offset(&self) -> usize {
        self.position
    }

    fn is_behind_value(&mut self) -> bool {
        matches!(self.peek(), Some(b',' | b'}'))
    }

    #[cold]
    fn private(&mut self) -> Result<Value, Fault> {
        let start = self.position;
        self.check()?;
        let literal = self.text.get(start..self.position).unwrap_or_default();
        serde_json::from_str(literal).map_err(|_| Fault::new(Problem::PrivateKey, start + 1))
    }
}

/// How many bytes come before the first quote, backslash or control character.
///
/// Kept inline: as a function of its own it costs a tenth of the whole decoding.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }

    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        // SWAR: sets the high bit of each byte that is less than the one subtracted from it. A borrow can set too many bits, but
        // only above the lowest one that is right, which is the first in the text.
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
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    bytes.len() - rest.len() + rest.iter().position(is_special).unwrap_or(rest.len())
}
