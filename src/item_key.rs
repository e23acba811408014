//! Idempotency keys: the key of an item, and the hash that is the key of any other record.

use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};
use core::str;

use hmac_sha256::Hash;

/// The idempotency key of an item: it is the same each time the item is delivered, and other items have other keys.
///
/// The platform retries a delivery that is not answered with 200 in time, so a handler can receive an item twice. Store
/// the key of each item that you handle, and skip an item whose key is stored. (If a visitor writes the same text twice
/// within a second, both items have the same key.)
///
/// This code keeps the keys in memory. To keep them across restarts, [store them in a
/// database](crate::guide::repeated_items#storing-keys):
///
/// ```
/// use std::collections::HashSet;
/// use twt_chat_webhooks::{Payload, fixtures};
///
/// fn handle(payload: &Payload, handled: &mut HashSet<String>) {
///     for item in payload.contents() {
///         if handled.insert(item.key().to_string()) {
///             println!("a new item of {}", payload.event_type());
///         }
///     }
/// }
///
/// let mut handled = HashSet::new();
/// handle(&fixtures::unreplied(), &mut handled);
/// handle(&fixtures::unreplied(), &mut handled);
/// let key = concat!(
///     r#"["UNREPLIED",1765439652,4,"test","Visitor15","#,
///     r#""6b86b273ff34fce19d6b804eff5a3f57"]"#,
/// );
/// assert_eq!(Vec::from_iter(handled), [key]);
/// ```
///
/// # The text of a key
///
/// `Display` writes the key as a compact JSON array: the name of the event, the `created_at` of the item, `push_times`
/// (0 for a form), `property_name`, `visitor_name`, and the hash of the message. `Eq`, `Ord` and `Hash` use the same
/// parts in this order, and the whole message.
///
/// ```text
/// ["UNREPLIED",1765439652,4,"test","Visitor15","6b86b273ff34fce19d6b804eff5a3f57"]
/// ```
///
/// - The last part is the hash of the message: the first 128 bits of its SHA-256, as 32 hex digits. The message itself
///   is not in the text.
/// - A name of more than 64 bytes is cut after 64 bytes, or up to three bytes earlier if a character would be split.
///   `#` and the hash of the whole name follow. This hash has the same form as that of the message.
/// - `"` and `\` are written as `\"` and `\\`. A character below U+0020 is written as `\u` and four lower-case hex
///   digits.
///
/// This form will not change in a later version. The text is always shorter than 1024 bytes. Different keys have
/// different texts, unless two messages or two names have the same hash. Finding such a pair takes about 2^64 attempts.
///
/// [Repeated items](crate::guide::repeated_items) says which fields the key contains and why, and how to store it.
///
/// # Privacy
///
/// `Display` and `Debug` show the names of the project and the visitor. They do not show the message, but somebody who
/// guesses a message can use the hash to check the guess.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey<'a> {
    /// The name of the event on the wire.
    pub(crate) event: &'static str,
    pub(crate) parts: KeyParts<'a>,
}

/// The parts of a key after the name of the event. The places that an event does not need hold `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyParts<'a>([Option<KeyPart<'a>>; MAX_PARTS]);

/// The largest number of parts. The documented events have five parts, so there is one spare place.
const MAX_PARTS: usize = 6;

impl<'a> KeyParts<'a> {
    pub(crate) fn new<const N: usize>(parts: [KeyPart<'a>; N]) -> Self {
        const { assert!(N <= MAX_PARTS, "MAX_PARTS in item_key.rs must be larger") };
        let mut places = [None; MAX_PARTS];
        for (place, part) in places.iter_mut().zip(parts) {
            *place = Some(part);
        }
        Self(places)
    }
}

/// A part of a key: a field of an item, and how the text of the key shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum KeyPart<'a> {
    /// A number. The text shows its digits.
    Number(i64),
    /// A name. The text shows it, and cuts it if it is long.
    Name(&'a str),
    /// What a visitor wrote. The text shows its hash only.
    Message(&'a str),
}

/// Writes a compact JSON array, for a unique column. See [The text of a key](#the-text-of-a-key).
impl fmt::Display for ItemKey<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{}", Name(self.event))?;
        for part in self.parts.0.iter().flatten() {
            match part {
                KeyPart::Number(number) => write!(formatter, ",{number}")?,
                KeyPart::Name(name) => write!(formatter, ",{}", Name(name))?,
                KeyPart::Message(message) => write!(formatter, ",\"{}\"", half_hash(message))?,
            }
        }
        formatter.write_char(']')
    }
}

/// Shows the text of `Display`, which does not contain the message.
impl fmt::Debug for ItemKey<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ItemKey({self})")
    }
}

/// The maximum length of a name that is not cut, in bytes.
///
/// It keeps a key shorter than 1024 bytes. In the worst case, a byte of a name is written as six bytes, such as
/// `\u0000`. Two such names, of the project and the visitor, take 838 bytes with their quotes and hashes. This leaves
/// 185 bytes for the other parts.
const NAME_LENGTH: usize = 64;

/// A name as a JSON string, which is cut if the name is long.
///
/// Two different names are never written alike. Without its quotes and escapes, a whole name has at most 64 bytes. A
/// cut name has at least 94 bytes: 61 bytes of the name, `#`, and 32 hex digits.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = *self;
        // `get` returns `None` if `end` is inside a character or after the end of the name.
        let kept = (0..=name.len().min(NAME_LENGTH)).rev().find_map(|end| name.get(..end)).unwrap_or_default();
        formatter.write_char('"')?;
        let mut rest = kept;
        while let Some(at) = rest.find(|character| matches!(character, '"' | '\\' | '\0'..='\x1f')) {
            let (plain, escaped) = rest.split_at(at);
            formatter.write_str(plain)?;
            let mut characters = escaped.chars();
            match characters.next() {
                Some(control @ '\0'..='\x1f') => write!(formatter, "\\u{:04x}", u32::from(control))?,
                other => other.into_iter().try_for_each(|character| write!(formatter, "\\{character}"))?,
            }
            rest = characters.as_str();
        }
        formatter.write_str(rest)?;
        if kept.len() < name.len() {
            write!(formatter, "#{}", half_hash(name))?;
        }
        formatter.write_char('"')
    }
}

/// The first 128 bits of the SHA-256 of a text.
fn half_hash(text: &str) -> Hex<16> {
    let hash = Hash::hash(text.as_bytes());
    Hex(hash.first_chunk().copied().unwrap_or_default())
}

/// The key of a record that is not a good item: the SHA-256 of three parts.
///
/// The first part is the kind of the record, `body` or `item`, so that a body and an item with the same text have
/// different keys. A line feed follows the first and the second part, which contain no line feed themselves.
pub(crate) fn hash_key(parts: [&[u8]; 3]) -> String {
    let mut hash = Hash::new();
    let [kind, name, text] = parts;
    for part in [kind, b"\n", name, b"\n", text] {
        hash.update(part);
    }
    format!("sha256:{}", Hex(hash.finalize()))
}

/// Bytes as lower-case hex digits.
pub(crate) struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' - 10 + half };
        let digits = self.0.map(|byte| [digit(byte >> 4), digit(byte & 0xf)]);
        formatter.write_str(str::from_utf8(digits.as_flattened()).unwrap_or_default())
    }
}
