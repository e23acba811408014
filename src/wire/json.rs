//! A cursor over JSON text, which accepts what `serde_json` accepts.
//!
//! It finds out whether a text is JSON. If not, `serde_json` gives the reason when the fault is explained. Escaped
//! text, and any number that is not a short unsigned integer, are rare in a body. `serde_json` reads these, literal by
//! literal.

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
    pub(crate) fn expect_end(&mut self) -> Result<(), Fault> {
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

    fn keyword(&mut self, keyword: &str) -> Result<(), Fault> {
        if !self.rest().starts_with(keyword.as_bytes()) {
            return Err(Fault::not_json());
        }
        self.position += keyword.len();
        Ok(())
    }

    /// The text whose opening quote comes next.
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
            let end = plain_end(self.text.as_bytes(), self.position);
            self.position = end + 1;
            match self.text.as_bytes().get(end) {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.position += 1,
                _ => return Err(Fault::not_json()),
            }
        }
    }

    /// Moves from behind a key to its value.
    #[inline]
    fn colon(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b':') {
            return Err(Fault::not_json());
        }
        self.position += 1;
        self.peek();
        Ok(())
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

    /// Any other number. What it holds depends on the features of `serde_json`.
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

    /// Passes an array or an object by counting the brackets outside of texts, whichever they are.
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

    /// Passes the bracket that closes, or moves to the next element. Does not check that a value follows a comma:
    /// `[1,]` fails when the value is read.
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

    // Nearly every key is one that is expected, so this is rare.
    #[inline(never)]
    fn key(&mut self) -> Result<Cow<'de, str>, Fault> {
        if self.byte() != Some(b'"') {
            return Err(Fault::not_json());
        }
        let key = self.quoted()?;
        self.colon()?;
        Ok(key)
    }

    #[inline]
    fn is_key(&self, key: &str) -> bool {
        let rest = self.rest().strip_prefix(b"\"").and_then(|rest| rest.strip_prefix(key.as_bytes()));
        rest.is_some_and(|rest| rest.starts_with(b"\""))
    }

    #[inline]
    fn pass_key(&mut self, key: &str) -> Result<(), Fault> {
        self.position += key.len() + 2;
        self.colon()
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

/// The byte eight times.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// SWAR: sets the high bit of each zero byte. A borrow can also mark a later byte. The lowest marked byte is always
/// right, and it is the first in the text.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(each(1)) & !word & each(0x80)
}

/// The index of the byte to which the lowest bit belongs.
const fn first(bits: u64) -> usize {
    bits.trailing_zeros() as usize / 8
}

/// The next eight bytes, if there are so many.
#[inline]
fn load_word(bytes: &[u8], position: usize) -> Option<u64> {
    bytes.get(position..)?.first_chunk().copied().map(u64::from_le_bytes)
}

/// Where the first quote, backslash or control character stands from `start` on.
///
/// Kept inline: as a function of its own it costs a tenth of the whole decoding.
#[inline]
fn plain_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some(word) = load_word(bytes, end) {
        let controls = word.wrapping_sub(each(0x20)) & !word & each(0x80);
        let found = controls | zeros(word ^ each(b'"')) | zeros(word ^ each(b'\\'));
        if found != 0 {
            return end + first(found);
        }
        end += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | ..0x20);
    end + bytes.get(end..).unwrap_or_default().iter().take_while(is_plain).count()
}

/// How many bytes are looked at together where most bytes do not matter. Compilers use vector instructions for so many.
const CHUNK: usize = 16;

/// Whether a bracket or a backslash may be among the bytes. With the bit 0x20 set, `[`, `\` and `]` become `{`, `|` and
/// `}`, so one range covers all five. A `|` is found too, which only costs time.
fn has_significant(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, byte| found | matches!(byte | 0x20, b'{'..=b'}'))
}

fn has_odd_quotes(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |is_odd, &byte| is_odd ^ (byte == b'"'))
}
