//! SWAR: eight bytes of text as one word. The reader and the writer of JSON both use it to find the bytes that need an
//! escape.

/// A word of eight copies of `byte`.
const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Sets the high bit of each byte that JSON must escape in a string, and clears all other bits. These bytes are
/// quotes, backslashes and control characters.
///
/// A subtraction sets the high bit of each byte that is smaller than the subtracted byte. `!word` removes the marks of
/// bytes that are not ASCII. The borrow of a subtraction can also mark a byte that needs no escape, but only above a
/// byte that needs one. So the lowest mark is always right. Callers that use its place load the word in little-endian
/// order. The lowest byte is then the first one in the text.
#[inline]
pub(super) const fn must_be_escaped(word: u64) -> u64 {
    let control = word.wrapping_sub(each(0x20));
    let quote = (word ^ each(b'"')).wrapping_sub(each(1));
    let backslash = (word ^ each(b'\\')).wrapping_sub(each(1));
    (control | quote | backslash) & !word & each(0x80)
}
