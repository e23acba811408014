//! Deliveries: what to store of a request, whatever its body holds.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;
use core::{fmt, str};

use serde_json::{Map, Value};

use crate::content::Content;
use crate::error::{DecodeError, Envelope};
use crate::event_type::EventType;
use crate::freshness::{FreshnessError, check_freshness};
use crate::item::Item;
use crate::item_key::hash_key;
use crate::items::{Keep, too_many};
use crate::partial::Partial;
use crate::payload::{Payload, read_body};
use crate::summary::{Summary, escape_name};
use crate::timestamp::Timestamp;
use crate::wire::{Fault, Json, JsonMark, Kind, Source};

/// A request, taken apart into [`Record`]s to store.
///
/// Any body becomes at least one record. Insert the records into a table with a unique key: then your handler loses
/// nothing, and stores no item twice. `Verifier::receive` verifies a request and returns its delivery in one call.
///
/// ```
/// use twt_chat_webhooks::{Delivery, Payload, fixtures};
///
/// let delivery = Delivery::from_slice(fixtures::UNREPLIED.as_bytes());
/// for record in delivery.records() {
///     println!("insert {:?}: {:?}", record.event(), record.problem());
/// }
/// assert_eq!(delivery.to_string(), "UNREPLIED: 1 item, sent 2025-12-11T07:59:01Z");
///
/// // Later, in a worker:
/// let record = &delivery.records()[0];
/// assert_eq!(Payload::from_slice(&record.body), Ok(fixtures::unreplied()));
///
/// // A body that cannot be decoded is a record too.
/// let delivery = Delivery::from_slice(b"a form, perhaps");
/// assert!(delivery.records()[0].error.is_some());
/// ```
///
/// `Display` writes one line for a log. Neither `Display` nor `Debug` shows what a visitor wrote.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Delivery {
    records: Vec<Record>,
    event_type: Option<EventType>,
    created_at: Option<Timestamp>,
    /// `None` for an unknown event whose content is not an array, and for a body that cannot be decoded.
    items: Option<usize>,
    is_decoded: bool,
}

/// What to store of a request: one item in its envelope, or the whole body. [`Delivery::records`] returns the records
/// of a request.
///
/// There is one record for each item of a documented event, whether the item can be decoded or not. The whole body is
/// one record if
///
/// - the event is unknown,
/// - the content of a documented event has no items,
/// - more than [`Partial::MAX_REJECTED`] items cannot be decoded,
/// - the body cannot be decoded at all, or
/// - the bodies of the records would together be more than 16 times as long as the request. This happens if there are
///   many items in a large envelope.
///
/// `Debug` shows neither the body nor the key.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Record {
    /// The idempotency key, for a unique column. It has at most 1024 bytes.
    ///
    /// The key of a good item is the text of its [`ItemKey`](crate::ItemKey). Any other key is `sha256:` and 64 hex
    /// digits. The key of an item that cannot be decoded depends only on the event and on the text of the item. So a
    /// retry with another `created_at` or `webhook_id` in its envelope has the same keys.
    ///
    /// The key of a whole body depends on all its bytes, also on those of the envelope. If the envelope of a retry is
    /// different, the body of the retry is a new record. So an event may be handled twice, but no event is lost.
    pub key: String,
    /// The type of the event, if it could be read.
    pub event_type: Option<EventType>,
    /// The body to store. If there is no [`error`](Self::error), [`Payload::from_slice`] decodes it.
    ///
    /// The record of an item has the body of the request without the other items. Any other record has the whole body
    /// of the request. The text of the item and the text around the items are exactly as they came, with all unknown
    /// fields.
    pub body: Vec<u8>,
    /// Why the body cannot be decoded, or `None` if it can.
    ///
    /// The path of this error counts the items of the whole request, so it can be `content[2].created_at`. The body of
    /// a record of one item has only this item. So if you decode this body, the path of the same fault is
    /// `content[0].created_at`. The error of an item has no line and no column.
    ///
    /// Under some features of `serde_json`, decoding can refuse unknown data with a private key of `serde_json`. Such
    /// data is stored without an error here. See [`UnknownEvent`](crate::UnknownEvent).
    pub error: Option<DecodeError>,
}

impl Record {
    /// The name of the event for a text column. A documented name is unchanged. An unknown name may be anything, so
    /// quotation marks, backslashes and all characters outside printable ASCII are escaped, and the name is cut after
    /// 64 characters.
    #[must_use]
    pub fn event(&self) -> Option<String> {
        self.event_type.as_ref().map(|event_type| escape_name(event_type.as_str()).0)
    }

    /// The text of the [`error`](Self::error) for a text column. It contains nothing that a visitor wrote.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.error.as_ref().map(ToString::to_string)
    }
}

/// Shows the event and the error. Shows neither the body nor the key, which hold what a visitor wrote.
impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Record")
            .field("event", &self.event())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl Delivery {
    /// Takes the body of a request apart. Never fails: a body that cannot be decoded is a record with an error.
    ///
    /// Verify the signature first, or call `Verifier::receive`, which does both.
    #[must_use]
    pub fn from_slice(body: &[u8]) -> Self {
        let mut outline = Outline::default();
        let read = match str::from_utf8(body) {
            Ok(text) => read_body(text, &mut outline)
                .map(|payload| (text, payload))
                .map_err(|fault| DecodeError::explain(text, fault)),
            Err(error) => Err(DecodeError::not_utf8(body, error)),
        };
        match read {
            Ok((text, payload)) => outline.into_delivery(text, &payload),
            Err(error) => Self {
                event_type: error.event_type().cloned(),
                created_at: error.created_at(),
                items: None,
                is_decoded: false,
                records: Vec::from([whole(body, error.event_type().cloned(), Some(error))]),
            },
        }
    }

    /// The records, in the order of the body. There is at least one.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Takes the records out of the delivery.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// The type of the event, if it could be read.
    #[must_use]
    pub fn event_type(&self) -> Option<&EventType> {
        self.event_type.as_ref()
    }

    /// When the platform sent the request: the `created_at` of the envelope, if it could be read.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    /// Checks the time of the request, as [`Payload::check_freshness`] does. Returns `Ok` if the time could not be
    /// read.
    ///
    /// # Errors
    ///
    /// - [`FreshnessError::Stale`] if the request is too old.
    /// - [`FreshnessError::FromTheFuture`] if its `created_at` is too far in the future.
    pub fn check_freshness(&self, now: Timestamp, tolerance: Duration) -> Result<(), FreshnessError> {
        self.created_at.map_or(Ok(()), |sent| check_freshness(sent, now, tolerance))
    }
}

/// Writes one line, such as `UNREPLIED: 3 items, sent 2025-12-11T07:59:01Z, 1 record in error`.
impl fmt::Display for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut errors = self.records.iter().filter_map(|record| record.error.as_ref());
        match (self.is_decoded, &self.event_type, self.created_at) {
            (true, Some(event_type), Some(sent)) => {
                let is_documented = !matches!(event_type, EventType::Unknown(_));
                write!(formatter, "{}", Summary { name: event_type.as_str(), is_documented, items: self.items, sent })?;
                match errors.count() {
                    0 => Ok(()),
                    1 => formatter.write_str(", 1 record in error"),
                    count => write!(formatter, ", {count} records in error"),
                }
            }
            _ => errors.try_for_each(|error| write!(formatter, "1 record in error: {error}")),
        }
    }
}

/// Shows the line of `Display`.
impl fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Delivery({self})")
    }
}

fn whole(body: &[u8], event_type: Option<EventType>, error: Option<DecodeError>) -> Record {
    Record { key: hash_key([b"body", b"", body]), event_type, body: body.into(), error }
}

/// The bodies of all records are together at most this many times as long as the request.
const MAX_GROWTH: usize = 16;

/// What a delivery keeps of a body: the place of each item, and its key or its fault. The items themselves are dropped.
#[derive(Default)]
struct Outline {
    items: Vec<(Range<usize>, Result<String, Fault>)>,
    bad: usize,
    /// The number of items in the content of an unknown event. `None` if this content is not an array.
    unknown: Option<usize>,
}

impl<'de> Keep<'de, Json<'de>> for Outline {
    fn good<T: Item + Content>(&mut self, items: &mut Vec<T>, start: JsonMark, source: &Json<'de>) {
        if let Some(item) = items.pop() {
            // `to_string` reserves more memory than the key needs. There can be many keys, so this memory is released.
            let mut key = item.key().to_string();
            key.shrink_to_fit();
            self.items.push((start.position()..source.offset(), Ok(key)));
        }
    }

    fn bad(&mut self, fault: Fault, index: usize, start: JsonMark, source: &mut Json<'de>) -> Result<(), Fault> {
        if self.bad == Partial::MAX_REJECTED {
            return Err(too_many(source));
        }
        self.bad += 1;
        source.text_from(start)?;
        self.items.push((start.position()..source.offset(), Err(fault.in_item(index).in_field("content"))));
        Ok(())
    }

    /// Only counts the items.
    fn unknown(&mut self, source: &mut Json<'de>) -> Result<Value, Fault> {
        if source.kind()? == Kind::Array {
            let mut count = 0;
            let mut array = source.open()?;
            while source.next_item(&mut array)? {
                source.skip_strict()?;
                count += 1;
            }
            self.unknown = Some(count);
        } else {
            source.skip_strict()?;
        }
        Ok(Value::Null)
    }

    fn extra(&mut self, _: &mut Map<String, Value>, _: Cow<'de, str>, source: &mut Json<'de>) -> Result<(), Fault> {
        source.skip_strict()
    }
}

impl Outline {
    /// `payload` is the payload without its items and its unknown data.
    fn into_delivery(self, text: &str, payload: &Payload) -> Delivery {
        let event_type = payload.event_type();
        let is_documented = payload.event.as_unknown().is_none();
        Delivery {
            created_at: Some(payload.created_at),
            items: if is_documented { Some(self.items.len()) } else { self.unknown },
            is_decoded: true,
            records: self.into_records(text, payload, &event_type),
            event_type: Some(event_type),
        }
    }

    fn into_records(self, text: &str, payload: &Payload, event_type: &EventType) -> Vec<Record> {
        let envelope = Arc::new(Envelope::from(payload));
        let error = |fault| DecodeError::data(fault, None, Arc::clone(&envelope));
        let (before, after) = match (self.items.first(), self.items.last()) {
            (Some((first, _)), Some((last, _))) => (text.get(..first.start), text.get(last.end..)),
            _ => (None, None),
        };
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let items: usize = self.items.iter().map(|(place, _)| place.len()).sum();
        let length = (before.len() + after.len()).saturating_mul(self.items.len()).saturating_add(items);
        if self.items.is_empty() || length > text.len().saturating_mul(MAX_GROWTH) {
            let first_fault = self.items.into_iter().find_map(|(_, key)| key.err());
            return Vec::from([whole(text.as_bytes(), Some(event_type.clone()), first_fault.map(error))]);
        }
        let record = |(place, key): (Range<usize>, Result<String, Fault>)| {
            let item = text.get(place).unwrap_or_default();
            let (key, error) = match key {
                Ok(key) => (key, None),
                Err(fault) => {
                    (hash_key([b"item", event_type.as_str().as_bytes(), item.as_bytes()]), Some(error(fault)))
                }
            };
            Record { key, event_type: Some(event_type.clone()), body: [before, item, after].concat().into(), error }
        };
        self.items.into_iter().map(record).collect()
    }
}
