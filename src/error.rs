//! Why a body could not be decoded.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use core::fmt::{self, Write};
use core::mem;
use core::str::{Utf8Chunk, Utf8Error};

use crate::event_type::EventType;
use crate::timestamp::Timestamp;
use crate::wire::{self, Buffered, Fault, Field, Json, Kind, Problem, Source};

/// Why a body, or the content given to [`Event::from_parts`](crate::Event::from_parts), could not be decoded.
///
/// It says where, what was expected there, and which kind of value was found. It never shows a value of the body: these
/// are customers' messages, and errors end up in logs.
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
    problem: Problem,
    path: String,
    position: Option<Position>,
    /// Shared by all errors of a body.
    envelope: Arc<Envelope>,
}

/// What kind of failure a [`DecodeError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The body is not JSON, not UTF-8, nested too deeply, or has a number that `serde_json` cannot hold.
    Syntax,
    /// The body ends too early. An empty body does too.
    Truncated,
    /// The body is JSON, but not what the platform documents.
    Data,
}

impl DecodeError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        match self.0.problem {
            Problem::NotJson { .. } | Problem::NotUtf8 => DecodeErrorKind::Syntax,
            Problem::Truncated { .. } => DecodeErrorKind::Truncated,
            Problem::Unexpected { .. }
            | Problem::Missing
            | Problem::Repeated
            | Problem::TooDeep
            | Problem::PrivateKey => DecodeErrorKind::Data,
        }
    }

    /// The place in the body, such as `content[0].push_times`; `""` for the body itself, and where it is not JSON.
    ///
    /// If a field is missing or repeated, the path names that field. A path holds documented names and indices only.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The line in the body, from 1; `None` where there is no text.
    ///
    /// Line and column point at the last byte of the offending text or number, at the bracket that opens an array or an
    /// object, and for a missing field at the bracket that closes the object.
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

    /// The error for what is wrong with a value. The position needs the text.
    pub(crate) fn data(fault: Fault, text: Option<&str>, envelope: Arc<Envelope>) -> Self {
        let (problem, path, offset) = fault.into_parts();
        let position = text.map(|text| Position::of_offset(text, offset));
        Self(Box::new(Inner { problem, path, position, envelope }))
    }

    /// The error for a value that was buffered.
    #[cold]
    pub(crate) fn buffered(fault: Fault, buffered: &Buffered<'_>) -> Self {
        let mut envelope = Envelope::default();
        // A buffered value has no syntax that could be wrong.
        let _ = envelope.read(&mut buffered.cursor());
        Self::data(fault, None, Arc::new(envelope))
    }

    /// The error for a text that failed to decode. If the text is not JSON, the error says so, even if a value is wrong
    /// too.
    #[cold]
    pub(crate) fn explain(text: &str, fault: Fault) -> Self {
        let (envelope, is_json) = Envelope::of_text(text);
        if is_json {
            return Self::data(fault, Some(text), envelope);
        }
        Self::syntax(text, None, envelope)
    }

    /// The error for a body that is not UTF-8.
    #[cold]
    pub(crate) fn not_utf8(body: &[u8], error: Utf8Error) -> Self {
        let chunk = body.utf8_chunks().next();
        let text = chunk.as_ref().map_or("", Utf8Chunk::valid);
        let (envelope, _) = Envelope::of_text(text);
        Self::syntax(text, Some(error), envelope)
    }

    /// The error for a text that is not JSON, or that is followed by bytes that are not UTF-8.
    fn syntax(text: &str, not_utf8: Option<Utf8Error>, envelope: Arc<Envelope>) -> Self {
        // A body that ends within a character is cut off.
        let is_cut = not_utf8.is_none_or(|error| error.error_len().is_none());
        let (problem, position) = match wire::json_error(text) {
            Some(error) if !error.is_eof() => (Problem::NotJson { reason: reason(&error) }, Position::of(&error)),
            Some(error) if is_cut => (Problem::Truncated { reason: reason(&error) }, Position::of(&error)),
            None if not_utf8.is_none() => {
                // `serde_json` stopped at one of its private keys instead.
                (Problem::NotJson { reason: "expected value".into() }, Position::of_offset(text, text.len()))
            }
            _ => {
                let Position { line, column } = Position::of_offset(text, text.len());
                (Problem::NotUtf8, Position { line, column: column + 1 })
            }
        };
        Self(Box::new(Inner { problem, path: String::new(), position: Some(position), envelope }))
    }
}

/// `UNREPLIED content[0].push_times: expected …, found … (line 15, column 20)`
impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { problem, path, position, envelope } = &*self.0;
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
        write!(formatter, "{problem}")?;
        match position {
            Some(Position { line, column }) => write!(formatter, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

/// Without `webhook_id` and `created_at`, which come from the body.
impl fmt::Debug for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { problem, path, position, envelope } = &*self.0;
        formatter
            .debug_struct("DecodeError")
            .field("kind", &self.kind())
            .field("event", &envelope.documented_event())
            .field("path", path)
            .field("message", &problem.to_string())
            .field("line", &position.map(|position| position.line))
            .field("column", &position.map(|position| position.column))
            .finish_non_exhaustive()
    }
}

impl core::error::Error for DecodeError {}

/// As `serde_json` counts: lines from 1, and columns in bytes, of the last byte that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Position {
    line: usize,
    column: usize,
}

impl Position {
    fn of(error: &serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }

    fn of_offset(text: &str, offset: usize) -> Self {
        let read = text.as_bytes().get(..offset).unwrap_or_default();
        let mut lines = read.split(|&byte| byte == b'\n');
        let column = lines.next_back().map_or(0, <[u8]>::len);
        Self { line: lines.count() + 1, column }
    }
}

/// What `serde_json` says is wrong with a text that is not JSON: one of its fixed texts, here without the position.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.into(),
        None => text,
    }
}

/// What could be read of the envelope.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Envelope {
    pub event_type: Option<EventType>,
    pub webhook_id: Option<String>,
    pub created_at: Option<Timestamp>,
}

impl From<EventType> for Envelope {
    fn from(event_type: EventType) -> Self {
        Self { event_type: Some(event_type), ..Self::default() }
    }
}

impl Envelope {
    /// The envelope of a text up to where it stops being JSON, and whether all of it is JSON.
    fn of_text(text: &str) -> (Arc<Self>, bool) {
        let mut envelope = Self::default();
        let mut json = Json::new(text);
        let is_json = envelope.read(&mut json).and_then(|()| json.end()).is_ok();
        (Arc::new(envelope), is_json)
    }

    /// Reads what can be read, and fails only if the source is not JSON.
    fn read<'de, S: Source<'de>>(&mut self, source: &mut S) -> Result<(), Fault> {
        if source.kind()? != Kind::Object {
            return source.check();
        }
        let mut seen = [false; 3];
        let mut object = source.open()?;
        while let Some(key) = source.next_key(&mut object)? {
            let start = source.mark();
            source.check()?;
            let end = source.mark();
            source.return_to(start);
            // If a field is there twice, neither value can be believed.
            let [event, webhook_id, created_at] = &mut seen;
            match &*key {
                "event" => {
                    let is_first = !mem::replace(event, true);
                    self.event_type = EventType::read(source).ok().filter(|_| is_first);
                }
                "webhook_id" => {
                    let is_first = !mem::replace(webhook_id, true);
                    self.webhook_id = wire::read_text(source).ok().filter(|_| is_first);
                }
                "created_at" => {
                    let is_first = !mem::replace(created_at, true);
                    let time = Timestamp::read(source).ok();
                    self.created_at = time.filter(|_| is_first && source.is_complete());
                }
                _ => {}
            }
            source.return_to(end);
        }
        Ok(())
    }

    fn documented_event(&self) -> Option<&str> {
        self.event_type.as_ref().filter(|event| !matches!(event, EventType::Unknown(_))).map(EventType::as_str)
    }
}
