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
use crate::event::{Event, EventContent, Parts, write_content};
use crate::event_type::EventType;
use crate::item::{Keep, KeepAll};
use crate::timestamp::Timestamp;
use crate::wire::{self, Buffered, Fault, Field, Fields, Json, Scalar, Source, Writer};

/// The decoded body of a webhook request: an event in its envelope.
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
/// # Reading
///
/// Reading is tolerant as long as nothing is lost, and it never invents data:
///
/// | in the body | in the payload |
/// |---|---|
/// | a documented event | its variant of [`Event`]; an error if its content is malformed |
/// | an unknown event | [`Event::Unknown`], with its name and its whole content |
/// | an unknown field | kept in `extra()`, and written back |
/// | a text field that is `""`, `null` or missing | `""`, or `None` if the field is an `Option` |
/// | a text field with any other value, such as a number | an error |
/// | an integer field with an integer, or with a digit string such as `"4"` | the integer |
/// | an integer field with a float without a fraction, up to 2^48 | the integer |
/// | an integer field with any other value | an error |
/// | the status 1, 2, 3 or 4, as a string or an integer | its variant of [`Status`](crate::Status) |
/// | any other string or 64-bit integer as a status | [`Status::Unknown`](crate::Status::Unknown) |
/// | a float without a fraction, up to 2^48, as a status | the same as for the integer |
/// | a status with any other value | an error |
/// | a time outside the years −9999 to 9999, such as milliseconds | an error |
/// | a documented field twice in one object | an error |
/// | a missing or `null` number, status, `event` or `webhook_id` | an error |
/// | missing `content` | an error |
/// | `content` that is not an array | an error for a documented event; kept for an unknown event |
///
/// The order of the keys makes no difference.
///
/// # Writing
///
/// Writing is exact. The documented fields come first, in the order of the platform's page. The unknown fields follow.
/// Numbers are written as numbers, a status as a string, and `None` as `""`.
///
/// # Unknown data
///
/// Unknown fields and the content of an unknown event are held as [`serde_json::Value`]s. Three features of
/// `serde_json` make a `Value` more exact. Switch them on in your own `Cargo.toml`:
///
/// | feature of `serde_json` | what happens without it |
/// |---|---|
/// | `preserve_order` | The keys of an object are sorted. |
/// | `float_roundtrip` | A float can change its last digits each time it is read and written. |
/// | `arbitrary_precision` | Integers beyond 64 bits and long fractions are rounded. Numbers beyond `f64` are errors. |
///
/// Without `float_roundtrip`, a float can change unless it has at most 15 digits and an exponent between −22 and 22.
/// Without `arbitrary_precision`, an integer beyond 64 bits is a float, so it can change in the same way.
///
/// If an unknown key is repeated, its last value is kept. JSON that is nested 128 levels deep is always an error.
///
/// The features do not change documented fields, with one exception. A float in an integer field may have a fraction
/// that is so small that only its last digits show it. The features can decide whether such a float is an error, or is
/// read as the nearest integer.
///
/// # Through serde
///
/// The types of this crate implement `Serialize` and `Deserialize` by the same rules. The rules hold for any
/// self-describing format, for `serde_json::from_value`, for `#[serde(flatten)]`, and for types of your own that
/// contain a payload, an event or an item. The error of the format contains the text of a [`DecodeError`], with the
/// path of the field:
///
/// ```
/// use serde_json::json;
/// use twt_chat_webhooks::Payload;
///
/// let body = json!({
///     "created_at": 1765439941,
///     "event": "OFFLINE_FORM_SUBMIT",
///     "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
///     "content": [{"created_at": "yesterday"}],
/// });
/// let error = serde_json::from_value::<Payload>(body).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "OFFLINE_FORM_SUBMIT content[0].created_at: \
///      expected Unix seconds, found a string",
/// );
/// ```
///
/// Line and column need the text of the body. So only [`from_slice`](Self::from_slice) and [`FromStr`] report them, and
/// [`from_slice_partial`](Self::from_slice_partial) if it fails. `serde_json` may add a line and a column of its own,
/// which do not point at the fault. For an untagged enum, serde replaces the error with a text of its own.
///
/// If you use `#[serde(flatten)]`:
///
/// - A flattened `Payload` or item takes all remaining keys. Put it after all other flattened fields.
/// - Do not give your own fields the name of a field of the payload or the item.
/// - A flattened [`Event`] reads `event` and `content` without removing them. So a flattened map beside the `Event`
///   also receives both. To keep the other keys, flatten a `Payload` instead of an `Event` and a map.
///
/// # Storing
///
/// If you may want to verify the signature again, store the raw body and the signature, because the signature is right
/// for these bytes only. Otherwise store the JSON of [`to_vec`](Self::to_vec). A later version of this crate can read
/// this JSON too. If that version documents an event or a field that is unknown now, it reads the event or the field by
/// the rules for documented ones.
///
/// JSON, YAML, RON, CBOR and `MessagePack` can store the types. (In `MessagePack`, write an [`Event`] with
/// `rmp_serde::to_vec_named`, which keeps the names of the fields.) With `arbitrary_precision`, store JSON rather than
/// RON or compact `MessagePack`: `serde_json` then hands over a number in unknown data as an object that these two
/// formats cannot hold.
///
/// bincode and postcard can write the types but cannot read them, because their data does not contain the names and
/// types of fields. In such a format, store the JSON as bytes:
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use twt_chat_webhooks::{Payload, fixtures};
///
/// #[derive(Serialize, Deserialize)]
/// struct Job {
///     attempts: u32,
///     body: Vec<u8>,
/// }
///
/// let job = Job { attempts: 0, body: fixtures::unreplied().to_vec() };
/// assert_eq!(Payload::from_slice(&job.body), Ok(fixtures::unreplied()));
/// ```
///
/// # One payload for each item
///
/// This code splits a payload with several items. Each part keeps the envelope with its unknown fields. An unknown
/// event is not split, and a documented event without items gives no parts:
///
/// ```
/// use std::mem;
/// use twt_chat_webhooks::{Event, Payload};
///
/// fn split(mut payload: Payload) -> Vec<Payload> {
///     let events = match &mut payload.event {
///         Event::Unreplied(items) => single(items),
///         Event::PreChatFormSubmit(items) => single(items),
///         Event::OfflineFormSubmit(items) => single(items),
///         _ => return vec![payload],
///     };
///     let part = |event| {
///         let mut part = payload.clone();
///         part.event = event;
///         part
///     };
///     events.into_iter().map(part).collect()
/// }
///
/// fn single<T: Into<Event>>(items: &mut Vec<T>) -> Vec<Event> {
///     mem::take(items).into_iter().map(T::into).collect()
/// }
///
/// let body = br#"{
///     "created_at": 1765439941,
///     "event": "OFFLINE_FORM_SUBMIT",
///     "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
///     "content": [{"created_at": 1765439652}, {"created_at": 1765439653}],
///     "region": "eu"
/// }"#;
/// let parts = split(Payload::from_slice(body)?);
/// assert_eq!(parts.len(), 2);
/// assert!(parts.iter().all(|part| part.contents().len() == 1));
/// assert!(parts.iter().all(|part| part.extra()["region"] == "eu"));
/// # Ok::<(), twt_chat_webhooks::DecodeError>(())
/// ```
///
/// # Old requests
///
/// A signature does not expire, and only the `created_at` of the body says when a request was sent. So an attacker who
/// has captured a request can replay it later. Two checks together stop this:
///
/// - Store the [key](crate::ItemKey) of each item that you handle, and skip an item whose key is stored.
/// - Use [`check_freshness`](Self::check_freshness) to find a payload that is older than your oldest stored key:
///
#[cfg_attr(feature = "std", doc = "```")]
#[cfg_attr(not(feature = "std"), doc = "```text")]
/// use std::time::{Duration, SystemTime};
/// use twt_chat_webhooks::{Payload, Timestamp, fixtures};
///
/// /// Keep item keys at least this long.
/// const TOLERANCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
///
/// fn is_fresh(payload: &Payload) -> bool {
///     let now = Timestamp::from(SystemTime::now());
///     payload.check_freshness(now, TOLERANCE).is_ok()
/// }
///
/// let now = Timestamp::from(SystemTime::now());
/// assert!(is_fresh(&fixtures::unreplied().sent_at(now)));
/// ```
///
/// - **Tolerance.** The platform does not document how long it retries a delivery, or whether a retry has a new
///   `created_at`. Choose a tolerance that is longer than any outage of your receiver. With a tolerance of minutes, you
///   lose the retries that arrive after an outage.
/// - **Answer.** Answer 200 to a stale payload and keep its body, but do not handle it. The signature is right, so the
///   platform has written the body. After an error, the platform may retry, and the body is then even older.
/// - **Clocks.** [`FromTheFuture`](crate::FreshnessError::FromTheFuture) means that a clock is wrong, most likely your
///   own. Keep the body in this case too, and check the clock.
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
    pub fn new(created_at: Timestamp, webhook_id: impl Into<String>, event: impl Into<Event>) -> Self {
        Self { created_at, webhook_id: webhook_id.into(), event: event.into(), extra: Map::new() }
    }

    /// Decodes the body of a request by the rules of [Reading](Self#reading).
    ///
    /// This is the fastest way to decode. [`FromStr`] does the same for text.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if
    ///
    /// - the body is not UTF-8, is not JSON, or is cut off, or
    /// - a documented field is missing, is repeated, or holds a wrong value.
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

    /// The unknown fields of the envelope, unchanged. The unknown fields of an item are in the `extra()` of the item.
    #[must_use]
    pub fn extra(&self) -> &Map<String, Value> {
        &self.extra
    }

    /// Encodes the payload as compact JSON: the documented fields in the order of the page, then the unknown fields.
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

/// The documented fields of the envelope, in the order of the page.
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

/// Reads a payload from any self-describing format, by the rules of [Reading](Payload#reading).
///
/// # Errors
///
/// The error of the format contains the text of a [`DecodeError`], with the path of the field and without any value.
/// See [Through serde](Payload#through-serde).
impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let buffered = Buffered::read(deserializer)?;
        read(&mut buffered.cursor(), &mut KeepAll)
            .map_err(|fault| D::Error::custom(DecodeError::buffered(fault, &buffered)))
    }
}

/// Writes the documented fields in the order of the page, then the unknown fields.
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
