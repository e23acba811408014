//! Idempotency keys of items.

use core::fmt::{self, Write};

use crate::timestamp::Timestamp;

/// The idempotency key of an item: it is the same each time the item is delivered, and other items have other keys.
///
/// The platform retries a delivery that is not answered with 200 in time, so a handler can receive an item twice. Store
/// the key of each item that you handle, and skip an item whose key is stored. (If a visitor writes the same text twice
/// within a second, both items have the same key.)
///
/// This code keeps the keys in memory. To keep them across restarts, [store them in a database](#storing-keys):
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
/// let key = r#"["UNREPLIED",1765439652,4,"test","Visitor15","af63ac4c86019afc"]"#;
/// assert_eq!(Vec::from_iter(handled), [key]);
/// ```
///
/// # What the key contains
///
/// | part | why |
/// |---|---|
/// | the name of the event | A visitor can fill in both forms in the same second. |
/// | the `created_at` of the item | A visitor can write the same message again later. |
/// | `push_times`, or 0 for a form | Each push of an unanswered message counts as a new item. |
/// | `property_name` and `visitor_name` | Visitors of two projects can have the same name. |
/// | `message_content` | A visitor can write two messages in the same second. |
///
/// `Eq`, `Ord` and `Hash` use these parts in this order. They use the whole message, not its hash.
///
/// The other fields of an item are not in the key, because they may change between a delivery and its retry: `status`,
/// `subject`, `assigned_agent_nickname`, `visitor_nickname`, `sbs` and `time_sec`.
///
/// The fields `webhook_id` and `created_at` of the envelope are not in the key either. The platform does not say
/// whether `webhook_id` names the endpoint or the delivery, or whether a retry has a new `created_at`.
///
/// # Storing keys
///
/// `Display` writes the key as a compact JSON array with these parts in this order:
///
/// ```text
/// ["UNREPLIED",1765439652,4,"test","Visitor15","af63ac4c86019afc"]
/// ```
///
/// - The last part is the 64-bit FNV-1a hash of the message, as 16 hex digits. The message itself is not in the text.
/// - A name of more than 64 bytes is cut after 64 bytes, or up to three bytes earlier if a character would be split.
///   `#` and the FNV-1a hash of the whole name follow.
/// - `"` and `\` are written as `\"` and `\\`. A character below U+0020 is written as `\u` and four lower-case hex
///   digits.
///
/// This form will not change in a later version. It is always shorter than 1024 bytes.
///
/// Different keys have different texts, unless two hashes collide. FNV-1a is not a cryptographic hash. So visitors can
/// write two messages in the same second whose hashes collide. A handler then skips the second message as a retry of
/// the first.
///
/// In a database, store the keys in a unique column. In `SQLite` and `PostgreSQL`:
///
/// ```sql
/// CREATE TABLE handled (item_key VARCHAR(1024) PRIMARY KEY);
/// INSERT INTO handled (item_key) VALUES (?) ON CONFLICT DO NOTHING;
/// ```
///
/// If the `INSERT` adds no row, the item was delivered before. Handle the item in the same transaction as the `INSERT`:
/// if handling fails, the key is rolled back too, and the retry is not skipped.
///
/// The column must compare byte by byte. With a collation that ignores case, the keys of `visitor15` and `Visitor15`
/// would be equal. `MySQL` and `MariaDB` have such a default: there, use `VARBINARY(1024)` and `INSERT IGNORE`.
///
/// # Items without a key
///
/// The items of an unknown event have no key, because their fields are unknown. An item that was
/// [rejected](crate::Rejected) and a body that cannot be decoded have no key either. In these cases, use a hash of the
/// raw body instead. The verified signature of the request is such a hash:
///
#[cfg_attr(feature = "signature", doc = "```")]
#[cfg_attr(not(feature = "signature"), doc = "```text")]
/// use twt_chat_webhooks::{AppSecret, Event, Payload, Signature, SignatureError};
///
/// /// The keys of a delivery. `signature` is the value of the header, already verified.
/// fn keys(payload: &Payload, signature: &str) -> Result<Vec<String>, SignatureError> {
///     if payload.contents().len() == 0 {
///         // Parsing accepts either case, and `Display` writes lower case.
///         return Ok(vec![signature.parse::<Signature>()?.to_string()]);
///     }
///     Ok(payload.contents().map(|item| item.key().to_string()).collect())
/// }
///
/// let unknown = Event::from_parts("EVENT_OF_TOMORROW", [1, 2].into()).unwrap();
/// let mut payload = twt_chat_webhooks::fixtures::unreplied();
/// payload.event = unknown;
/// let request = AppSecret::new("s3cret").unwrap().sign_payload(&payload);
/// let (_, signature) = request.header();
/// assert_eq!(keys(&payload, &signature), Ok(vec![signature]));
/// ```
///
/// Item keys and signatures can be stored in the same column. The text of an item key starts with `[`, so it never
/// equals a signature.
///
/// A signature recognizes a retry only if the platform sends the same bytes again. The platform does not document
/// whether it does. The signature also changes when the secret changes.
///
/// # Privacy
///
/// `Display` and `Debug` show the names of the project and the visitor. They do not show the message, but somebody who
/// guesses a message can use the hash to check the guess.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey<'a> {
    /// The name of the event on the wire.
    pub(crate) event: &'static str,
    pub(crate) created_at: Timestamp,
    /// 0 for a form.
    pub(crate) push_times: u32,
    pub(crate) property_name: &'a str,
    pub(crate) visitor_name: &'a str,
    pub(crate) message_content: &'a str,
}

/// Writes a compact JSON array, for a unique column. See [Storing keys](#storing-keys).
impl fmt::Display for ItemKey<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            r#"[{},{},{},{},{},"{:016x}"]"#,
            Name(self.event),
            self.created_at.unix_seconds(),
            self.push_times,
            Name(self.property_name),
            Name(self.visitor_name),
            fnv1a(self.message_content),
        )
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
/// `\u0000`. Two such names, of the project and the visitor, take 806 bytes with their quotes and hashes. This leaves
/// 217 bytes for the other parts.
const NAME_LENGTH: usize = 64;

/// A name as a JSON string, which is cut if the name is long.
///
/// Two different names are never written alike, unless their hashes collide. Without its quotes and escapes, a whole
/// name has at most 64 bytes. A cut name has at least 78 bytes: 61 bytes of the name, `#`, and 16 hex digits.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = *self;
        // `get` returns `None` if `end` is inside a character or after the end of the name.
        let kept = (0..=NAME_LENGTH).rev().find_map(|end| name.get(..end)).unwrap_or_default();
        formatter.write_char('"')?;
        for character in kept.chars() {
            match character {
                '"' | '\\' => write!(formatter, "\\{character}")?,
                '\0'..='\x1f' => write!(formatter, "\\u{:04x}", u32::from(character))?,
                _ => formatter.write_char(character)?,
            }
        }
        if kept.len() < name.len() {
            write!(formatter, "#{:016x}", fnv1a(name))?;
        }
        formatter.write_char('"')
    }
}

/// The hash of a text by the algorithm FNV-1a with 64 bits.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
