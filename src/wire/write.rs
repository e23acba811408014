//! The writer of JSON text. It writes what `serde_json` writes for the same value, at a third of the cost.
//!
//! The writer itself writes keys, text without escapes, and integers. Text with escapes and unknown data are rare in a
//! body, so the writer leaves both to `serde_json`.

use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;

use serde::Serialize;
use serde_json::{Map, Value};

use super::swar::must_be_escaped;
use super::{Fields, Key, Scalar};

/// A body that is being written.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.0
    }

    /// Copies JSON text into the body.
    #[inline]
    pub(crate) fn raw(&mut self, json: &[u8]) {
        self.0.extend_from_slice(json);
    }

    /// The place where an array or an object starts. See [`open_at`](Self::open_at).
    #[inline]
    pub(crate) fn start(&self) -> usize {
        self.0.len()
    }

    /// Writes the opening bracket of an array or an object at its start. Every element was written with a comma in
    /// front, and the bracket replaces the comma of the first element.
    #[inline]
    pub(crate) fn open_at(&mut self, start: usize, bracket: u8) {
        if let Some(comma) = self.0.get_mut(start) {
            *comma = bracket;
        }
    }

    /// Writes the rest of a string after its opening quote.
    fn rest_of_string(&mut self, text: &str) {
        if is_plain(text.as_bytes()) {
            self.raw(text.as_bytes());
            self.0.push(b'"');
        } else {
            self.0.pop();
            self.value(text);
        }
    }

    fn unsigned(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut start = digits.len();
        for pair in digits.as_chunks_mut::<2>().0.iter_mut().rev() {
            let rest = number % 100;
            *pair = PAIRS.get(rest as usize).copied().unwrap_or_default();
            number /= 100;
            start -= 2;
            if number == 0 {
                // If the pair holds only one digit, skips the zero in front of it.
                start += usize::from(rest < 10);
                break;
            }
        }
        self.raw(digits.get(start..).unwrap_or_default());
    }

    /// Writes any value with `serde_json`.
    #[cold]
    pub(crate) fn value(&mut self, value: &(impl Serialize + ?Sized)) {
        // This never fails, because all keys of a `Value` are strings.
        let json = serde_json::to_vec(value);
        debug_assert!(json.is_ok());
        self.raw(&json.unwrap_or_default());
    }

    /// Writes the unknown fields of an object, and closes the object.
    #[inline]
    pub(crate) fn close_object(&mut self, extra: &Map<String, Value>) {
        if extra.is_empty() {
            self.0.push(b'}');
        } else {
            // The map is written with its braces. A comma takes the place of the first brace.
            let start = self.start();
            self.value(extra);
            self.open_at(start, b',');
        }
    }
}

impl Fields for Writer {
    type Error = Infallible;

    // Inlined, so that the key is copied as a constant.
    #[inline(always)]
    fn field(&mut self, key: Key, value: Scalar<'_>) -> Result<(), Infallible> {
        match value {
            Scalar::Text(text) => {
                self.raw(key.before_text().as_bytes());
                self.rest_of_string(text);
            }
            Scalar::Signed(number) => {
                self.raw(key.before_value().as_bytes());
                if number < 0 {
                    self.0.push(b'-');
                }
                self.unsigned(number.unsigned_abs());
            }
            Scalar::Unsigned(number) => {
                self.raw(key.before_value().as_bytes());
                self.unsigned(number);
            }
        }
        Ok(())
    }
}

/// The two digits of each number below 100.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it")]
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// Whether JSON can hold the text as it is.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    // Checks a text of eight or more bytes in whole words. The last word holds the last eight bytes, and can overlap
    // with the word before. This is cheaper than a loop over the bytes that are left.
    let word = |bytes: &[u8; 8]| must_be_escaped(u64::from_le_bytes(*bytes)) == 0;
    if let Some(last) = text.last_chunk() {
        return text.as_chunks().0.iter().all(word) && word(last);
    }
    let half = |bytes: [u8; 4]| u64::from(u32::from_le_bytes(bytes));
    match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => must_be_escaped(half(*first) | half(*last) << 32) == 0,
        _ => text.iter().all(|byte| !matches!(byte, b'"' | b'\\' | ..0x20)),
    }
}
