//! Payloads: an event in its envelope, which is the body of a request. The platform's *Payload Structure* page defines
//! the envelope.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::{self, FromStr};

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::content::Content;
use crate::error::{DecodeError, Envelope};
use crate::event::Event;
use crate::event_parts::{EventContent, Parts, write_content};
use crate::event_type::EventType;
use crate::items::{Keep, KeepAll};
use crate::timestamp::Timestamp;
use crate::wire::{self, Buffered, Fault, Field, Fields, Json, Scalar, Source, Writer};

/// The decoded body of a webhook request: an event in its envelope. Build one with [`Payload::new`].
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
///
/// `Debug` shows what visitors wrote, and their names and identifiers. To log a payload, use
/// [`summary`](Self::summary).
///
/// The [`guide`](crate::guide) shows what to do with a payload. These pages say how it is read and written:
///
/// - [Reading and writing](crate::guide::reading): what the crate accepts, and what it writes.
/// - [Through serde](crate::guide::through_serde): in other formats, and in types of your own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Payload {
    /// When the platform sent the request, in Unix seconds on the wire.
    pub created_at: Timestamp,
    /// The "unique webhook identifier", 32 lower-case hex digits in the platform's example.
    ///
    /// The platform does not say whether this id names the endpoint or the delivery. So do not use it to recognize a
    /// retry. Use [`ItemKey`](crate::ItemKey) instead.
    pub webhook_id: String,
    /// The event with its content.
    pub event: Event,
    pub(crate) extra: Map<String, Value>,
}

impl Payload {
    /// Builds a payload without unknown fields.
    ///
    /// `event` is one item, a `Vec` or an array of items, or an [`Event`]. Unknown fields come only from decoding, for
    /// example with `serde_json::from_value(json!({ … }))`.
    ///
    /// ```
    /// use twt_chat_webhooks::{EventType, Payload, PreChatFormContent, Timestamp};
    ///
    /// let written = Timestamp::from_unix(1_765_439_652)?;
    /// let form = PreChatFormContent::builder("Visitor15", written);
    /// let form = form.sbs("234442313").build();
    /// let payload = Payload::new(written, "58946f5f583edd94f5cf87e3534d04fb", form);
    /// assert_eq!(payload.event_type(), EventType::PreChatFormSubmit);
    /// # Ok::<(), twt_chat_webhooks::TimestampError>(())
    /// ```
    #[must_use]
    pub fn new(created_at: Timestamp, webhook_id: impl Into<String>, event: impl Into<Event>) -> Self {
        Self { created_at, webhook_id: webhook_id.into(), event: event.into(), extra: Map::new() }
    }

    /// Decodes the body of a request by the rules of [Reading](crate::guide::reading).
    ///
    /// This is the fastest way to decode. [`FromStr`] does the same for text.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if
    ///
    /// - the body is not UTF-8, is not JSON, or is cut off,
    /// - a required field is missing, or
    /// - a documented field is repeated, or holds a wrong value.
    ///
    /// If a body has several faults, any one of them may be reported.
    pub fn from_slice(body: &[u8]) -> Result<Self, DecodeError> {
        // UTF-8 is checked once for the whole body.
        str::from_utf8(body).map_err(|error| DecodeError::not_utf8(body, error))?.parse()
    }

    /// The type of the event.
    ///
    /// Event types can be the keys of a map. This code counts events by their type:
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use twt_chat_webhooks::{EventType, fixtures};
    ///
    /// let mut received: BTreeMap<EventType, u64> = BTreeMap::new();
    /// for payload in [fixtures::unreplied(), fixtures::offline_form_submit()] {
    ///     *received.entry(payload.event_type()).or_default() += 1;
    /// }
    /// assert_eq!(received[&EventType::Unreplied], 1);
    /// ```
    ///
    /// [`Event::name`] returns the name on the wire without a copy.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        self.event.event_type()
    }

    /// The items of a documented event, like [`Event::contents`]. For an unknown event, the iterator is empty.
    ///
    /// ```
    /// use twt_chat_webhooks::fixtures;
    ///
    /// let payload = fixtures::unreplied();
    /// assert_eq!(payload.contents().len(), 1);
    /// for item in payload.contents() {
    ///     println!("{} wrote at {}", item.visitor_name(), item.created_at());
    /// }
    /// ```
    #[must_use]
    pub fn contents(&self) -> impl ExactSizeIterator<Item = &dyn Content> + DoubleEndedIterator {
        self.event.contents()
    }

    /// The unknown fields of the envelope. The unknown fields of an item are in the `extra()` of the item.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    /// Encodes the payload as compact JSON: the documented fields in the order of the platform's page, then the
    /// unknown fields.
    ///
    /// ```
    /// use twt_chat_webhooks::{Payload, fixtures};
    ///
    /// let body = fixtures::unreplied().to_vec();
    /// assert!(body.starts_with(br#"{"created_at":1765439941,"event":"UNREPLIED","#));
    /// assert_eq!(Payload::from_slice(&body), Ok(fixtures::unreplied()));
    /// ```
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        // Initial capacity: room for items of the usual size.
        let mut writer = Writer::with_capacity(128 + 384 * self.contents().len().max(1));
        let object = writer.start();
        let Ok(()) = writer.field(wire::key!(created_at), self.created_at.scalar());
        let Ok(()) = writer.field(wire::key!(event), Scalar::Text(self.event.name()));
        let Ok(()) = writer.field(wire::key!(webhook_id), Scalar::Text(&self.webhook_id));
        writer.open_at(object, b'{');
        writer.raw(wire::key!(content).before_value().as_bytes());
        write_content(&self.event, &mut writer);
        writer.close_object(&self.extra);
        writer.into_body()
    }
}

impl From<&Payload> for Envelope {
    fn from(payload: &Payload) -> Self {
        Self {
            event_type: Some(payload.event_type()),
            webhook_id: Some(payload.webhook_id.clone()),
            created_at: Some(payload.created_at),
        }
    }
}

/// Decodes a body that is text already, such as a fixture, in the same way as [`Payload::from_slice`].
///
/// # Errors
///
/// [`DecodeError`] as for [`Payload::from_slice`].
impl FromStr for Payload {
    type Err = DecodeError;

    fn from_str(body: &str) -> Result<Self, DecodeError> {
        read_body(body, &mut KeepAll).map_err(|fault| DecodeError::explain(body, fault))
    }
}

/// The documented fields of the envelope, in the order of the platform's page.
pub(crate) const FIELDS: &[&str] = &["created_at", "event", "webhook_id", "content"];

/// Reads a whole body.
pub(crate) fn read_body<'de>(body: &'de str, keep: &mut impl Keep<'de, Json<'de>>) -> Result<Payload, Fault> {
    let mut json = Json::new(body);
    let payload = read(&mut json, keep)?;
    json.expect_end()?;
    Ok(payload)
}

fn read<'de, S: Source<'de>>(source: &mut S, keep: &mut impl Keep<'de, S>) -> Result<Payload, Fault> {
    let mut created_at = Timestamp::UNIX_EPOCH;
    let mut webhook_id = String::new();
    let mut parts = Parts::NEW;
    let mut extra = Map::new();
    wire::read_object! { source, required: 0b1111, {
        created_at => created_at.read_into(source),
        event => parts.read_event_field(source),
        webhook_id => wire::read_required_text(source).map(|text| webhook_id = text),
        content => parts.read_content_field(source, keep),
    } key => keep.extra(&mut extra, key, source) }
    let event = parts.finish(source, keep)?;
    Ok(Payload { created_at, webhook_id, event, extra })
}

/// Reads a payload from any self-describing format, by the rules of [Reading](crate::guide::reading).
///
/// # Errors
///
/// The error of the format contains the text of a [`DecodeError`], with the path of the field and without any value.
/// See [Through serde](crate::guide::through_serde).
impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let buffered = Buffered::read(deserializer)?;
        read(&mut buffered.cursor(), &mut KeepAll)
            .map_err(|fault| D::Error::custom(DecodeError::buffered(fault, &buffered)))
    }
}

/// Writes the documented fields in the order of the platform's page, then the unknown fields.
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
