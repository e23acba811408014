//! The idempotency key of an item.

use core::fmt::{self, Write};

use crate::timestamp::Timestamp;

/// An idempotency key: it tells an item from every other, however often the item is delivered.
///
/// The platform repeats a delivery that is not answered with 200 in time, so a handler can receive an item twice. Two
/// items with the same key are the same item. Keep the keys that you have handled, and skip an item whose key is
/// among them. (A visitor who writes the same text twice within a second has written one item by this rule.)
///
/// This keeps the keys in memory. [A database](#storing-keys) keeps them across restarts:
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
/// | the name of the event | a visitor can fill in both forms in the same second |
/// | the item's `created_at` | a later message is another message |
/// | `push_times`, or 0 for a form | each push of an unanswered message is news |
/// | `property_name` and `visitor_name` | visitors of two projects may have the same name |
/// | `message_content` | a visitor can write two messages in the same second |
///
/// `Eq`, `Ord` and `Hash` compare these parts in this order, with the whole message.
///
/// The other fields are left out because they may change between a delivery and its retry: the status, the subject,
/// the assigned agent, the nickname, `sbs`, and `time_sec`. The envelope is left out too. The platform does not say
/// whether its `webhook_id` names the endpoint or the delivery, nor whether a retry has a new `created_at`.
///
/// # Storing keys
///
/// `Display` gives the key as a compact JSON array with these parts in this order:
///
/// ```text
/// ["UNREPLIED",1765439652,4,"test","Visitor15","af63ac4c86019afc"]
/// ```
///
/// - The last part is the 64-bit FNV-1a hash of the message, as 16 hex digits. The message itself is not in the text.
/// - A name of more than 64 bytes is cut to its first 64 bytes, or up to three fewer so that no character is split.
///   `#` and the FNV-1a hash of the whole name follow.
/// - `"` and `\` have a `\` in front. The characters below U+0020 are written as `\u` and four lower-case hex digits.
///
/// This form will not change in a later version. It has less than 1024 bytes, however long the names and the message
/// are. Different keys have different texts, unless two hashes collide. FNV-1a is not a cryptographic hash, so
/// visitors can make two messages of their own collide on purpose, if both have the same second. The second message
/// then seems to be a repetition.
///
/// In a database, let a unique column do the work:
///
/// ```sql
/// CREATE TABLE handled (item_key VARCHAR(1024) PRIMARY KEY);
/// INSERT INTO handled (item_key) VALUES (?) ON CONFLICT DO NOTHING;
/// ```
///
/// If the `INSERT` adds no row, the item is a repetition. Handle the item in the same transaction, so that a failure
/// does not leave its key behind. The column must compare byte by byte: a collation that ignores case takes
/// `visitor15` for `Visitor15`. If the database has such a collation by default, use `VARBINARY(1024)`.
///
/// # Where there is no key
///
/// The items of an unknown event have no key, because the crate does not know their fields. The same is true for an
/// item that was [rejected](crate::Rejected), and for a body that cannot be decoded. Use a hash of the raw body
/// instead. The verified signature of the request is such a hash:
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
/// A text of `Display` starts with `[`, so it never equals a signature, and both kinds of key can share a column. Such
/// a hash recognizes a retry only if the platform sends the same bytes again, which is not documented. It changes with
/// the secret too.
///
/// # Privacy
///
/// Both `Display` and `Debug` show the names of the project and of the visitor, and neither shows the message. Whoever
/// guesses the message can check the guess with the hash.
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

/// A compact JSON array, for a unique column. See [Storing keys](#storing-keys).
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

/// The text of `Display`, without the message.
impl fmt::Debug for ItemKey<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ItemKey({self})")
    }
}

/// The length in bytes up to which a name is written whole.
///
/// A byte of a name takes six bytes in the worst case, as `\u0000`. The names of the project and of the visitor then
/// take 806 bytes together, with their quotes and hashes. This leaves 217 bytes for the rest.
const NAME_LENGTH: usize = 64;

/// A name as a JSON string, cut if it is long.
///
/// A name that is written whole has at most 64 bytes. A name that is cut has at least 78: 61 bytes of its own, `#`
/// and the hash. So no name that is written whole looks like one that is cut.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = *self;
        // `get` is `None` within a character, and behind the end of the name.
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
