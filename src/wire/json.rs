//! A cursor over JSON text. It accepts exactly what `serde_json` accepts. If the text is not JSON, the cursor reports a
//! fault without a reason. [`DecodeError`](crate::DecodeError) later takes the reason from `serde_json`.
//!
//! The cursor itself reads strings without escapes, and unsigned integers of up to 19 digits. Other strings and numbers
//! are rare in a body, so the cursor hands the text of each one to `serde_json`.

use alloc::borrow::Cow;
use alloc::string::String;

use serde_json::{Number, Value};

use super::swar::must_be_escaped;
use super::{Fault, Key, Kind, MAX_DEPTH, Numeric, Problem, Source};

/// Every number with this many digits fits a `u64`.
const MAX_DIGITS: usize = 19;

pub(crate) struct Json<'de> {
    text: &'de str,
    position: usize,
    depth: u8,
}

/// The state of an array or an object: whether its first element comes next.
pub(crate) struct Open {
    is_first: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Mark {
    position: usize,
    depth: u8,
}

impl Mark {
    /// The number of bytes before the saved position.
    pub(crate) fn position(self) -> usize {
        self.position
    }
}

impl<'de> Json<'de> {
    /// Makes a cursor that points at the first value of the text.
    pub(crate) fn new(text: &'de str) -> Self {
        let mut json = Self { text, position: 0, depth: 0 };
        json.peek();
        json
    }

    /// Fails unless only white space is left.
    pub(crate) fn expect_end(&mut self) -> Result<(), Fault> {
        if self.peek().is_some() { Err(Fault::not_json()) } else { Ok(()) }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Skips white space and returns the next byte.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.position += 1,
                byte => return byte,
            }
        }
    }

    /// Skips the value at `start`, and returns its text. Fails if this text is not JSON.
    pub(crate) fn text_from(&mut self, start: Mark) -> Result<&'de str, Fault> {
        self.return_to(start);
        self.skip_strict()?;
        Ok(self.text.get(start.position..self.position).unwrap_or_default())
    }

    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.position..).unwrap_or_default()
    }

    /// Skips `null`, `true` or `false`.
    fn keyword(&mut self, keyword: &str) -> Result<(), Fault> {
        if !self.rest().starts_with(keyword.as_bytes()) {
            return Err(Fault::not_json());
        }
        self.position += keyword.len();
        Ok(())
    }

    /// Reads the string whose opening quote comes next.
    #[inline]
    fn quoted(&mut self) -> Result<Cow<'de, str>, Fault> {
        let start = self.position + 1;
        let end = plain_end(self.text.as_bytes(), start);
        if self.text.as_bytes().get(end) == Some(&b'"')
            && let Some(text) = self.text.get(start..end)
        {
            self.position = end + 1;
            return Ok(Cow::Borrowed(text));
        }
        self.escaped()
    }

    /// Reads a string that has escapes, or that is not valid.
    #[cold]
    fn escaped(&mut self) -> Result<Cow<'de, str>, Fault> {
        let start = self.position;
        self.skip_quoted()?;
        let literal = self.text.get(start..self.position).unwrap_or_default();
        serde_json::from_str::<String>(literal).map(Cow::Owned).map_err(|_| Fault::not_json())
    }

    /// Skips a string up to its closing quote. Does not check its escapes.
    fn skip_quoted(&mut self) -> Result<(), Fault> {
        self.position += 1;
        loop {
            let end = plain_end(self.text.as_bytes(), self.position);
            self.position = end + 1;
            match self.text.as_bytes().get(end) {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.position += 1,
                _ => return Err(Fault::not_json()),
            }
        }
    }

    /// Moves from the end of a key to its value.
    #[inline]
    fn colon(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b':') {
            return Err(Fault::not_json());
        }
        self.position += 1;
        self.peek();
        Ok(())
    }

    /// An unsigned integer and the position of its end, or `None` for a number that has another form or more than
    /// [`MAX_DIGITS`] digits.
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

    /// Reads any other number. What a `Number` can hold depends on the features of `serde_json`.
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

    /// Skips an array or an object by counting brackets outside of strings. `[` and `{` count alike.
    fn skip_nested(&mut self) -> Result<(), Fault> {
        let mut depth = 0_usize;
        let mut is_text = false;
        let mut is_escaped = false;
        let (chunks, tail) = self.rest().as_chunks();
        for chunk in chunks.iter().map(<[u8; CHUNK]>::as_slice).chain([tail]) {
            if !is_escaped && !has_significant(chunk) {
                is_text ^= has_odd_quotes(chunk);
                self.position += chunk.len();
                continue;
            }
            for byte in chunk {
                self.position += 1;
                match byte {
                    _ if is_escaped => is_escaped = false,
                    b'"' => is_text = !is_text,
                    b'\\' => is_escaped = true,
                    b'[' | b'{' if !is_text => depth += 1,
                    b']' | b'}' if !is_text => depth -= 1,
                    _ => continue,
                }
                if depth == 0 {
                    return Ok(());
                }
            }
        }
        Err(Fault::not_json())
    }

    /// Skips the closing bracket, or moves to the next element. Does not check that a value follows a comma: `[1,]`
    /// fails when the value is read.
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
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'n') => Kind::Null,
            Some(b't' | b'f') => Kind::Boolean,
            _ => return Err(Fault::not_json()),
        })
    }

    #[inline]
    fn string(&mut self) -> Result<Cow<'de, str>, Fault> {
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
            Some(b't') => self.keyword("true").map(|()| true),
            _ => self.keyword("false").map(|()| false),
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
    fn next_field(&mut self, object: &mut Open) -> Result<bool, Fault> {
        self.advance(object, b'}')
    }

    // Nearly every key is skipped by `pass_key`, so this function is rarely called.
    #[inline(never)]
    fn key(&mut self) -> Result<Cow<'de, str>, Fault> {
        if self.byte() != Some(b'"') {
            return Err(Fault::not_json());
        }
        let key = self.quoted()?;
        self.colon()?;
        Ok(key)
    }

    // Inlined into each step of a walk over the fields, where the key and its length are constants.
    #[inline(always)]
    fn pass_key(&mut self, key: Key) -> bool {
        let key = key.with_colon().as_bytes();
        let is_next = self.rest().starts_with(key);
        if is_next {
            self.position += key.len();
            self.peek();
        }
        is_next
    }

    fn skip(&mut self) -> Result<(), Fault> {
        match self.kind()? {
            Kind::Null => self.keyword("null"),
            Kind::Boolean => self.boolean().map(drop),
            Kind::String => self.skip_quoted(),
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

    fn is_complete(&mut self) -> bool {
        self.text.as_bytes().get(..self.position).is_some_and(|read| read.ends_with(b"\""))
            || matches!(self.peek(), Some(b',' | b'}'))
    }

    #[cold]
    fn private(&mut self) -> Result<Value, Fault> {
        let start = self.position;
        self.skip_strict()?;
        let literal = self.text.get(start..self.position).unwrap_or_default();
        serde_json::from_str(literal).map_err(|_| Fault::new(Problem::PrivateKey, start + 1))
    }
}

/// The index of the first marked byte.
const fn first(bits: u64) -> usize {
    bits.trailing_zeros() as usize / 8
}

/// The eight bytes at `position` as a word, or `None` if fewer are left.
#[inline]
fn load_word(bytes: &[u8], position: usize) -> Option<u64> {
    bytes.get(position..)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// The position of the first quote, backslash or control character at or after `start`.
///
/// `#[inline]` matters: without it, decoding costs a tenth more.
#[inline]
fn plain_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some(word) = load_word(bytes, end) {
        let found = must_be_escaped(word);
        if found != 0 {
            return end + first(found);
        }
        end += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | ..0x20);
    end + bytes.get(end..).unwrap_or_default().iter().take_while(is_plain).count()
}

/// The number of bytes that [`skip_nested`](Json::skip_nested) checks at once. Compilers use vector instructions for 16
/// bytes.
const CHUNK: usize = 16;

/// Whether a bracket or a backslash may be among the bytes.
///
/// With the bit 0x20 set, `[`, `\` and `]` become `{`, `|` and `}`. So one comparison with a range finds all five
/// bytes. It also finds `|`, which only costs time.
fn has_significant(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, byte| found | matches!(byte | 0x20, b'{'..=b'}'))
}

fn has_odd_quotes(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |is_odd, &byte| is_odd ^ (byte == b'"'))
}
