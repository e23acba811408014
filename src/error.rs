//! Why a body could not be decoded, and finding out where.
//!
//! Decoding itself keeps no track of the place. After a failure, [`explain`] reads the body again, this time into a buffer whose
//! errors know their path, and with the same readers.

mod locate;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt::{self, Write};
use core::str;

use serde::de::{Deserialize, MapAccess};

use self::locate::{Position, locate};
use crate::event_type::EventType;
use crate::timestamp::Timestamp;
use crate::wire::{self, Accept, Buffered, Fault, Key, Step, Text, Visit};

/// Why a body, or the content given to [`Event::from_parts`](crate::Event::from_parts), could not be decoded.
///
/// It says where, what was expected there, and which kind of value was found. It never shows a value of the body: these are
/// customers' messages, and errors end up in logs.
///
/// ```
/// use twt_chat_webhooks::{DecodeErrorKind, EventType, Payload, fixtures};
///
/// let body = fixtures::UNREPLIED.replace(r#""push_times": 4"#, r#""push_times": "four""#);
/// let error = Payload::from_slice(body.as_bytes()).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "UNREPLIED content[0].push_times: expected an unsigned integer, found a string (line 15, column 20)",
/// );
/// assert_eq!(error.kind(), DecodeErrorKind::Data);
/// assert_eq!(error.path(), "content[0].push_times");
/// assert_eq!((error.line(), error.column()), (Some(15), Some(20)));
///
/// // What could be read of the envelope, to answer or to log by.
/// assert_eq!(error.event_type(), Some(&EventType::Unreplied));
/// assert_eq!(error.webhook_id(), Some("58946f5f583edd94f5cf87e3534d04fb"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DecodeError(Box<Inner>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Inner {
    kind: DecodeErrorKind,
    path: String,
    message: String,
    position: Option<Position>,
    /// Shared by all the errors of a body.
    envelope: Arc<Envelope>,
}

/// What kind of failure a [`DecodeError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The body is not JSON, not UTF-8, nested too deeply, or has a number that `serde_json` cannot hold.
    Syntax,
    /// The body ends too early; an empty one as well.
    Truncated,
    /// The body is JSON, but not what the platform documents.
    Data,
}

impl DecodeError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// The place in the body, such as `content[0].push_times`; `""` for the body itself, and where it is not JSON.
    ///
    /// Of a missing or repeated field, it names the field. It holds documented names and indices only.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The line in the body, from 1; `None` where there is no text.
    ///
    /// Line and column point at the last byte of the offending text or number, at the bracket that opens an array or an object,
    /// and for a missing field at the bracket that closes the object.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.0.position.map(|position| position.line)
    }

    /// The column in the line, in bytes, from 1 (0: before the first); `None` where there is no text.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.0.position.map(|position| position.column)
    }

    /// The type of the event, if it could be read.
    #[must_use]
    pub fn event_type(&self) -> Option<&EventType> {
        self.0.envelope.event_type.as_ref()
    }

    /// The envelope's `webhook_id`, if it could be read.
    #[must_use]
    pub fn webhook_id(&self) -> Option<&str> {
        self.0.envelope.webhook_id.as_deref()
    }

    /// When the platform sent the body, if that could be read.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.0.envelope.created_at
    }

    /// Of content apart from the text it came in, if any.
    pub(crate) fn in_content(fault: Fault, envelope: Arc<Envelope>) -> Self {
        Self::data(fault.within(Step::Field("content".into())), None, envelope)
    }

    /// Of what is wrong with a body, or with a value that is no text.
    pub(crate) fn data(fault: Fault, text: Option<&str>, envelope: Arc<Envelope>) -> Self {
        let (steps, problem, message) = fault.into_parts();
        let position = text.map(|text| locate(text, &steps, problem));
        Self(Box::new(Inner { kind: DecodeErrorKind::Data, path: render(&steps), message, position, envelope }))
    }
}

fn render(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Field(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Step::Item(index) => {
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
            }
        }
    }
    path
}

/// `UNREPLIED content[0].push_times: expected …, found … (line 15, column 20)`
impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { path, message, position, envelope, .. } = &*self.0;
        let event = envelope.documented_event();
        if let Some(event) = event {
            formatter.write_str(event)?;
        }
        if event.is_some() && !path.is_empty() {
            formatter.write_char(' ')?;
        }
        formatter.write_str(path)?;
        if event.is_some() || !path.is_empty() {
            formatter.write_str(": ")?;
        }
        formatter.write_str(message)?;
        match position {
            Some(Position { line, column }) => write!(formatter, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

/// Without `webhook_id` and `created_at`, which come from the body.
impl fmt::Debug for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, path, message, position, envelope } = &*self.0;
        formatter
            .debug_struct("DecodeError")
            .field("kind", kind)
            .field("event", &envelope.documented_event())
            .field("path", path)
            .field("message", message)
            .field("line", &position.map(|position| position.line))
            .field("column", &position.map(|position| position.column))
            .finish_non_exhaustive()
    }
}

impl core::error::Error for DecodeError {}

/// What could be read of the envelope.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Envelope {
    event_type: Option<EventType>,
    webhook_id: Option<String>,
    created_at: Option<Timestamp>,
}

impl From<EventType> for Envelope {
    fn from(event_type: EventType) -> Self {
        Self { event_type: Some(event_type), ..Self::default() }
    }
}

impl Envelope {
    pub(crate) fn of(fields: &[(Cow<'_, str>, Buffered<'_>)]) -> Self {
        // Of a field that is there twice, neither is the one to believe.
        let only = |name| {
            let mut values = fields.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
            values.next().filter(|_| values.next().is_none())
        };
        Self {
            event_type: only("event").and_then(|value| EventType::deserialize(value).ok()),
            webhook_id: only("webhook_id").and_then(|value| wire::read(Text, value).ok()),
            created_at: only("created_at").and_then(|value| Timestamp::deserialize(value).ok()),
        }
    }

    /// Of a text that is not JSON to its end.
    fn of_beginning(text: &str) -> Self {
        let mut fields = Vec::new();
        let beginning = Beginning(&mut fields);
        // Where it stops being JSON is known already.
        let _ = wire::read(beginning, &mut serde_json::Deserializer::from_str(text));
        Self::of(&fields)
    }

    fn documented_event(&self) -> Option<&str> {
        self.event_type.as_ref().filter(|event| !matches!(event, EventType::Unknown(_))).map(EventType::as_str)
    }
}

struct Beginning<'a, 'de>(&'a mut Vec<(Cow<'de, str>, Buffered<'de>)>);

impl<'de> Accept<'de> for Beginning<'_, 'de> {
    type Value = ();
    const EXPECTED: &'static str = "an object";

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        loop {
            match map.next_key_seed(Visit(Key)) {
                Ok(Some(key)) => self.0.push((key, map.next_value()?)),
                Ok(None) => return Ok(()),
                Err(error) => {
                    // A number that is cut off looks like a shorter one, so one is believed only if a comma follows it.
                    let reason = error.to_string();
                    if reason.starts_with("EOF while parsing an object") || reason.starts_with("expected `,` or `}`") {
                        self.0.pop_if(|(_, value)| value.is_number());
                    }
                    return Err(error);
                }
            }
        }
    }
}

/// Finds out why a body could not be decoded, given how to find out what is wrong with one that is JSON.
#[cold]
pub(crate) fn explain(body: &[u8], diagnose: fn(&mut Buffered<'_>) -> Fault) -> DecodeError {
    let text = body.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let not_utf8 = str::from_utf8(body).err();
    let error = match serde_json::from_str::<Buffered<'_>>(text) {
        Ok(mut body) if not_utf8.is_none() => {
            let fault = diagnose(&mut body);
            return DecodeError::data(fault, Some(text), Arc::new(Envelope::of(body.fields())));
        }
        Ok(_) => None,
        Err(error) => Some(error),
    };

    let (kind, message, position) = match (error, not_utf8) {
        (Some(error), _) if !error.is_eof() => {
            let message = format!("the body is not JSON that can be read: {}", reason(&error));
            (DecodeErrorKind::Syntax, message, Position::of(&error))
        }
        (Some(error), not_utf8) if not_utf8.is_none_or(|error| error.error_len().is_none()) => {
            let message = format!("the body ends too early: {}", reason(&error));
            (DecodeErrorKind::Truncated, message, Position::of(&error))
        }
        _ => (DecodeErrorKind::Syntax, "the body is not UTF-8".into(), Position::after(text)),
    };
    let envelope = Arc::new(Envelope::of_beginning(text));
    DecodeError(Box::new(Inner { kind, path: String::new(), message, position: Some(position), envelope }))
}

/// What `serde_json` says is wrong with a text that is not JSON: always one of its fixed texts. We say ourselves where.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.into(),
        None => text,
    }
}
