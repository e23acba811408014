//! The envelope around an event: the body of a request.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::{self, FromStr};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::content::{Bad, Content};
use crate::error::DecodeError;
use crate::event::{Event, EventContent, Parts};
use crate::event_type::EventType;
use crate::timestamp::Timestamp;
use crate::wire::{self, Buffered, Fault, Field, Json, Source};

/// The body of a webhook request: an event in its envelope.
///
/// ```
/// use twt_chat_webhooks::{Event, Payload, fixtures};
///
/// let payload = Payload::from_slice(fixtures::UNREPLIED.as_bytes())?;
/// assert_eq!(payload.created_at.to_string(), "2025-12-11T07:59:01Z");
/// if let Event::Unreplied(messages) = &payload.event {
///     assert_eq!(messages[0].visitor_name, "Visitor15");
/// }
/// # Ok::<(), twt_chat_webhooks::DecodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Payload {
    /// When the platform sent the request.
    pub created_at: Timestamp,
    /// The "unique webhook identifier", 32 lower-case hex digits in the platform's example.
    ///
    /// The platform does not say whether it names the endpoint or the delivery: do not use it to tell deliveries apart.
    pub webhook_id: String,
    /// What has happened.
    pub event: Event,
    pub(crate) extra: Map<String, Value>,
}

impl Payload {
    /// A payload without unknown fields. Takes one item, a `Vec` or an array of items, or an [`Event`].
    ///
    /// ```
    /// use twt_chat_webhooks::{EventType, Payload, PreChatFormContent, Timestamp};
    ///
    /// let written = Timestamp::from_unix(1_765_439_652)?;
    /// let form = PreChatFormContent::builder("Visitor15", written).message_content("Name: Ada").build();
    /// let payload = Payload::new(written, "58946f5f583edd94f5cf87e3534d04fb", form);
    /// assert_eq!(payload.event_type(), EventType::PreChatFormSubmit);
    /// # Ok::<(), twt_chat_webhooks::TimestampError>(())
    /// ```
    pub fn new(created_at: Timestamp, webhook_id: impl Into<String>, event: impl Into<Event>) -> Self {
        Self { created_at, webhook_id: webhook_id.into(), event: event.into(), extra: Map::new() }
    }

    /// Decodes the body of a request. This is the fast way; [`FromStr`] does the same for text.
    ///
    /// # Errors
    ///
    /// [`DecodeError`]: the body is not UTF-8, not JSON or cut off, or a documented field does not hold what it should.
    pub fn from_slice(body: &[u8]) -> Result<Self, DecodeError> {
        // UTF-8 is checked once for the whole body.
        str::from_utf8(body).map_err(|error| DecodeError::not_utf8(body, error))?.parse()
    }

    /// The type of the event.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        self.event.event_type()
    }

    /// The items of a documented event, as [`Event::contents`] gives them.
    #[must_use]
    pub fn contents(&self) -> impl ExactSizeIterator<Item = &dyn Content> + DoubleEndedIterator {
        self.event.contents()
    }

    /// The unknown fields of the envelope, as they came. Those of an item are in the item.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    /// Encodes the payload as compact JSON: the documented fields in the order of the page, then the extras.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        // Text keys and a growing buffer leave nothing that could fail.
        let body = self.try_to_vec();
        debug_assert!(body.is_ok());
        body.unwrap_or_default()
    }

    #[cfg(feature = "std")]
    fn try_to_vec(&self) -> serde_json::Result<Vec<u8>> {
        // Room for items of the usual size: growing the buffer step by step costs 7 %.
        let mut body = Vec::with_capacity(128 + 384 * self.contents().len().max(1));
        serde_json::to_writer(&mut body, self)?;
        Ok(body)
    }

    /// Without `std`, `serde_json` writes only into buffers of its own.
    #[cfg(not(feature = "std"))]
    fn try_to_vec(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

impl FromStr for Payload {
    type Err = DecodeError;

    fn from_str(body: &str) -> Result<Self, DecodeError> {
        read_text(body, None).map_err(|fault| DecodeError::explain(body, fault))
    }
}

/// The documented fields of the envelope, in the order of the page.
pub(crate) const FIELDS: &[&str] = &["created_at", "event", "webhook_id", "content"];

/// Reads a whole body. Bad items are put aside as in [`read_items`](crate::content::read_items).
pub(crate) fn read_text(body: &str, bad: Option<&mut Vec<Bad>>) -> Result<Payload, Fault> {
    let mut json = Json::new(body);
    let payload = read(&mut json, bad)?;
    json.end()?;
    Ok(payload)
}

fn read<'de, S: Source<'de>>(source: &mut S, mut bad: Option<&mut Vec<Bad>>) -> Result<Payload, Fault> {
    let mut created_at = Timestamp::UNIX_EPOCH;
    let mut webhook_id = String::new();
    let mut parts = Parts::NEW;
    let mut extra = Map::new();
    wire::read_object! { source, required: 0b1111, {
        created_at => created_at.read_into(source),
        event => parts.read_event(source),
        webhook_id => wire::read_text(source).map(|text| webhook_id = text),
        content => parts.read_content(source, bad.as_deref_mut()),
    } key => wire::read_extra(&mut extra, key, source) }
    let event = parts.finish(source, bad)?;
    Ok(Payload { created_at, webhook_id, event, extra })
}

/// From any self-describing format, by the rules of the [crate page](crate#reading).
///
/// An error of the format holds the text of a [`DecodeError`], with the path of the field and without any value.
impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let buffered = Buffered::read(deserializer)?;
        read(&mut buffered.cursor(), None).map_err(|fault| D::Error::custom(DecodeError::buffered(fault, &buffered)))
    }
}

/// In the order of the page, then the unknown fields.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(FIELDS.len() + self.extra.len()))?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.serialize_entry("event", self.event.name())?;
        map.serialize_entry("webhook_id", &self.webhook_id)?;
        map.serialize_entry("content", &EventContent(&self.event))?;
        for (key, value) in &self.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
