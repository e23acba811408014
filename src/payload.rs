//! The envelope around an event: the body of a request.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::{self, FromStr};

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::error::{self, DecodeError};
use crate::event::{self, ContentOf, Event, EventContent};
use crate::event_type::EventType;
use crate::partial::Partial;
use crate::timestamp::Timestamp;
use crate::wire::{self, Accept, Buffered, Fault, Step, Text, Visit, json};

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
        // One UTF-8 check for the whole body; `serde_json::from_slice` would check each string by itself.
        match str::from_utf8(body) {
            Ok(text) => text.parse(),
            Err(_) => Err(error::explain(body, diagnose)),
        }
    }

    /// Decodes the body of a request, and puts aside the items that cannot be decoded, so that one bad item does not lose the
    /// rest of the batch.
    ///
    /// ```
    /// use twt_chat_webhooks::Payload;
    ///
    /// let body = br#"{
    ///     "created_at": 1765439941,
    ///     "event": "OFFLINE_FORM_SUBMIT",
    ///     "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
    ///     "content": [{"created_at": "yesterday"}, {"created_at": 1765439652}]
    /// }"#;
    /// let partial = Payload::from_slice_partial(body)?;
    /// assert_eq!(partial.payload.event.contents().count(), 1);
    /// assert_eq!(partial.rejected[0].index, 0);
    /// assert_eq!(partial.rejected[0].error.path(), "content[0].created_at");
    /// # Ok::<(), twt_chat_webhooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the envelope cannot be read, or if the content of a documented event is no array.
    pub fn from_slice_partial(body: &[u8]) -> Result<Partial, DecodeError> {
        crate::partial::decode(body)
    }

    /// The type of the event.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        self.event.event_type()
    }

    /// The top-level fields that this version does not document, as they came. Those of an item are in the item.
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
        let mut body = Vec::with_capacity(128 + 384 * self.event.contents().size_hint().0.max(1));
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
        if let Some(payload) = json::read(body, |json| Self::deserialize(json)) {
            return Ok(payload);
        }
        serde_json::from_str(body).map_err(|_| error::explain(body.as_bytes(), diagnose))
    }
}

/// The documented fields of the envelope, in the order of the page.
pub(crate) const FIELDS: &[&str] = &["created_at", "event", "webhook_id", "content"];

/// Decodes a body once more to learn what is wrong with it and where, after putting its fields into the order of the page: that
/// way the order they came in makes no difference.
pub(crate) fn diagnose(body: &mut Buffered<'_>) -> Fault {
    body.arrange_fields(FIELDS);
    let event_type = body.field_mut("event").map(|name| EventType::deserialize(&*name));
    if let (Some(Ok(event_type)), Some(content)) = (event_type, body.field_mut("content")) {
        event::arrange_content(content, &event_type);
    }
    // If all else can be read, it is the content of an event that is not documented.
    let in_content = || Fault::undocumented().within(Step::Field("content".into()));
    Payload::deserialize(&*body).err().unwrap_or_else(in_content)
}

enum Key {
    CreatedAt,
    Event,
    WebhookId,
    Content,
    Unknown(String),
}

struct Keys;

impl Accept<'_> for Keys {
    type Value = Key;
    const EXPECTED: &'static str = wire::KEY;

    fn text<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(match key {
            "created_at" => Key::CreatedAt,
            "event" => Key::Event,
            "webhook_id" => Key::WebhookId,
            "content" => Key::Content,
            _ => Key::Unknown(wire::unknown_key(key)),
        })
    }
}

/// `event` and `content`, as far as they have come.
enum Progress<'de> {
    Neither,
    Named(EventType),
    Unnamed(Buffered<'de>),
    Both(Event),
}

struct Envelope;

impl<'de> Accept<'de> for Envelope {
    type Value = Payload;
    const EXPECTED: &'static str = "an object";

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Payload, A::Error> {
        let mut created_at = None;
        let mut webhook_id = None;
        let mut progress = Progress::Neither;
        let mut extra = Map::new();
        while let Some(key) = map.next_key_seed(Visit(Keys))? {
            match key {
                Key::CreatedAt if created_at.is_some() => return Err(A::Error::duplicate_field("created_at")),
                Key::CreatedAt => created_at = Some(map.next_value::<Timestamp>()?),
                Key::WebhookId if webhook_id.is_some() => return Err(A::Error::duplicate_field("webhook_id")),
                Key::WebhookId => webhook_id = Some(map.next_value_seed(Visit(Text))?),
                Key::Event => {
                    progress = match progress {
                        Progress::Neither => Progress::Named(map.next_value()?),
                        Progress::Unnamed(content) => {
                            let event = ContentOf(map.next_value()?).deserialize(&content);
                            Progress::Both(event.map_err(A::Error::custom)?)
                        }
                        Progress::Named(_) | Progress::Both(_) => {
                            return Err(A::Error::duplicate_field("event"));
                        }
                    }
                }
                Key::Content => {
                    progress = match progress {
                        Progress::Neither => Progress::Unnamed(map.next_value()?),
                        Progress::Named(event_type) => Progress::Both(map.next_value_seed(ContentOf(event_type))?),
                        Progress::Unnamed(_) | Progress::Both(_) => {
                            return Err(A::Error::duplicate_field("content"));
                        }
                    }
                }
                Key::Unknown(key) => {
                    extra.insert(key, map.next_value()?);
                }
            }
        }
        let Some(created_at) = created_at else { return Err(A::Error::missing_field("created_at")) };
        let Some(webhook_id) = webhook_id else { return Err(A::Error::missing_field("webhook_id")) };
        match progress {
            Progress::Both(event) => Ok(Payload { created_at, webhook_id, event, extra }),
            Progress::Named(_) => Err(A::Error::missing_field("content")),
            Progress::Neither | Progress::Unnamed(_) => Err(A::Error::missing_field("event")),
        }
    }
}

/// From any self-describing format, by the rules of the [crate page](crate#reading).
///
/// An error is that of the format. It quotes no value of a documented field, but does not know the path either;
/// [`Payload::from_slice`] does.
impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::read(Envelope, deserializer)
    }
}

/// In the order of the page, then the fields that this version does not document.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(FIELDS.len() + self.extra.len()))?;
        map.serialize_entry("created_at", &self.created_at)?;
        map.serialize_entry("event", &self.event_type())?;
        map.serialize_entry("webhook_id", &self.webhook_id)?;
        map.serialize_entry("content", &EventContent(&self.event))?;
        for (key, value) in &self.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
