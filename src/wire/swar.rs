//! SWAR: eight bytes of text as one word. The reader and the writer look for the same bytes.

/// A word of eight copies of `byte`.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks the bytes that JSON must escape in a string, by the high bit of each: quotes, backslashes and control
/// characters.
///
/// A subtraction sets the high bit of each byte that is smaller than the subtracted byte, and `!word` removes the bytes
/// that are not ASCII. The borrow of a subtraction can also mark a byte that needs no escape, but only above a byte that
/// needs one. So the lowest mark is always right, and the lowest byte of the word comes first in the text.
#[inline]
pub(super) const fn must_be_escaped(word: u64) -> u64 {
    let control = word.wrapping_sub(each(0x20));
    let quote = (word ^ each(b'"')).wrapping_sub(each(1));
    let backslash = (word ^ each(b'\\')).wrapping_sub(each(1));
    (control | quote | backslash) & !word & each(0x80)
}
