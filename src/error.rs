//! [`DecodeError`]: why a body could not be decoded.

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
/// The text of the error says where the fault is, what was expected, and which kind of value was found. Neither
/// `Display` nor `Debug` of the error shows a value of the body, except the name of a documented event. So the error
/// is safe to log.
///
/// ```
/// use twt_chat_webhooks::{DecodeErrorKind, EventType, Payload};
///
/// let body = br#"{
///     "created_at": 1765439941,
///     "event": "OFFLINE_FORM_SUBMIT",
///     "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
///     "content": [{"created_at": "yesterday"}]
/// }"#;
/// let error = Payload::from_slice(body).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "OFFLINE_FORM_SUBMIT content[0].created_at: \
///      expected Unix seconds, found a string (line 5, column 42)",
/// );
/// assert_eq!(error.kind(), DecodeErrorKind::Data);
/// assert_eq!(error.path(), "content[0].created_at");
/// assert_eq!((error.line(), error.column()), (Some(5), Some(42)));
///
/// // The fields of the envelope that could be read.
/// assert_eq!(error.event_type(), Some(&EventType::OfflineFormSubmit));
/// assert_eq!(error.webhook_id(), Some("58946f5f583edd94f5cf87e3534d04fb"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DecodeError(Box<DecodeErrorInner>);

#[derive(Clone, PartialEq, Eq, Hash)]
struct DecodeErrorInner {
    problem: Problem,
    path: String,
    position: Option<LineColumn>,
    /// The fields of the envelope that could be read. All errors of the same body share them.
    envelope: Arc<Envelope>,
}

/// The kind of a [`DecodeError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The body is not JSON, not UTF-8, nested too deeply, or has a number that `serde_json` cannot hold. (If the
    /// content given to [`Event::from_parts`](crate::Event::from_parts) is nested too deeply, the kind is
    /// [`Data`](Self::Data).)
    Syntax,
    /// The body ends too early, or is empty.
    Truncated,
    /// The body is JSON, but does not follow the rules of [Reading](crate::guide::reading).
    Data,
}

impl DecodeError {
    /// The kind of the error.
    #[must_use]
    pub fn kind(&self) -> DecodeErrorKind {
        match self.0.problem {
            Problem::NotJson { .. } | Problem::NotUtf8 => DecodeErrorKind::Syntax,
            Problem::Truncated { .. } => DecodeErrorKind::Truncated,
            Problem::Unexpected { .. }
            | Problem::Missing
            | Problem::Repeated
            | Problem::TooManyRejected
            | Problem::TooDeep
            | Problem::PrivateKey => DecodeErrorKind::Data,
        }
    }

    /// The path of the fault in the body, such as `content[0].push_times`. The path is `""` for the body itself, and if
    /// the body is not JSON.
    ///
    /// If a field is missing or repeated, the path names this field. A path holds only documented names and indices.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// The line in the body. The first line is 1.
    ///
    /// `None` for an error of [`Event::from_parts`](crate::Event::from_parts), and for the error of an item in
    /// [`Rejected`](crate::Rejected) or [`Record`](crate::Record).
    ///
    /// Line and column point at:
    ///
    /// - the last byte of the value, if the fault is in a string, a number, a boolean or `null`,
    /// - the opening bracket, if the fault is in an array or an object as a whole,
    /// - the closing bracket of the object, if a field is missing,
    /// - the byte at which `serde_json` stopped, if the body is not JSON,
    /// - the first byte that is not UTF-8, if the body is not UTF-8.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.0.position.map(|position| position.line)
    }

    /// The column in the line, in bytes. The first column is 1, and 0 means before the first column. `None` if
    /// [`line`](Self::line) is `None`.
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

    /// The envelope's `created_at`, if it could be read.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        self.0.envelope.created_at
    }

    /// The error for a fault in a body that is JSON, or in a buffered value. The error has a position only if the
    /// `text` of the body is given.
    pub(crate) fn data(fault: Fault, text: Option<&str>, envelope: Arc<Envelope>) -> Self {
        let (mut problem, path, offset) = fault.into_parts();
        if let Problem::Unexpected { found: found @ "a string", .. } = &mut problem
            && path.is_empty()
        {
            *found = "a string; is this JSON inside a JSON string?";
        }
        let position = text.map(|text| LineColumn::of_offset(text, offset));
        Self(Box::new(DecodeErrorInner { problem, path, position, envelope }))
    }

    /// The error for a fault in a buffered value.
    #[cold]
    pub(crate) fn buffered(fault: Fault, buffered: &Buffered<'_>) -> Self {
        let mut envelope = Envelope::default();
        // This fails only at a key that is not a string. The fields before this key are kept.
        let _ = envelope.read(&mut buffered.cursor());
        Self::data(fault, None, Arc::new(envelope))
    }

    /// The error for a text that failed to decode. If the text is not JSON, the error reports this instead of the
    /// fault.
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

    /// The error for a body that is not JSON or not UTF-8. `text` is the part of the body before the first byte that is
    /// not UTF-8.
    fn syntax(text: &str, not_utf8: Option<Utf8Error>, envelope: Arc<Envelope>) -> Self {
        // Whether the body ends where `text` ends: all of the body is UTF-8, or its last character is cut off. If not,
        // a byte that is not UTF-8 follows, and an early end of `text` does not mean that the body ends too early.
        let is_cut = not_utf8.is_none_or(|error| error.error_len().is_none());
        let (problem, position) = match wire::json_error(text) {
            Some(error) if !error.is_eof() => {
                (Problem::NotJson { reason: reason(&error) + hint(text) }, LineColumn::of(&error))
            }
            Some(error) if is_cut => {
                let is_empty = not_utf8.is_none() && text.trim_ascii().is_empty();
                let hint = if is_empty { "; the body is empty" } else { "" };
                (Problem::Truncated { reason: reason(&error) + hint }, LineColumn::of(&error))
            }
            None if not_utf8.is_none() => {
                // This happens only if `serde_json` accepts a text that the cursor has refused. No such text is known.
                (Problem::NotJson { reason: "expected value".into() }, LineColumn::of_offset(text, text.len()))
            }
            _ => {
                let LineColumn { line, column } = LineColumn::of_offset(text, text.len());
                (Problem::NotUtf8, LineColumn { line, column: column + 1 })
            }
        };
        Self(Box::new(DecodeErrorInner { problem, path: String::new(), position: Some(position), envelope }))
    }
}

/// Writes `UNREPLIED content[0].push_times: expected …, found … (line 15, column 20)`.
impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecodeErrorInner { problem, path, position, envelope } = &*self.0;
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
            Some(LineColumn { line, column }) => write!(formatter, " (line {line}, column {column})"),
            None => Ok(()),
        }
    }
}

/// Shows everything except `webhook_id`, `created_at` and the name of an unknown event, because these are values of the
/// body.
impl fmt::Debug for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecodeErrorInner { problem, path, position, envelope } = &*self.0;
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

/// The line and the column of the last byte that was read. Both are counted as in `serde_json`: lines from 1, columns
/// in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct LineColumn {
    line: usize,
    column: usize,
}

impl LineColumn {
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

/// The message of `serde_json` for a text that is not JSON, without the position. It is a fixed text, so it never
/// quotes the body.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.into(),
        None => text,
    }
}

/// What a body that is not JSON probably is, if its start shows a common mistake. `text` is the part of the body before
/// the first byte that is not UTF-8.
fn hint(text: &str) -> &'static str {
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.%+".contains(byte);
    match text.as_bytes() {
        [0xef, 0xbb, 0xbf, ..] => "; the body starts with a byte order mark (BOM)",
        // The first byte of gzip. The second one is not UTF-8, so `text` ends after the first.
        [0x1f, ..] => "; is the body compressed?",
        // The start of `{"` in base64.
        [b'e', b'y', b'J', ..] => "; is the body encoded in base64?",
        [b'{', b'\'', ..] => "; JSON has double quotes, not single ones",
        [b'[', b'o', b'b', ..] => "; a JavaScript object was sent as text, without JSON.stringify",
        [b'-', b'-', ..] => "; is the body a multipart form?",
        [first, rest @ ..] if is_key(first) && rest.iter().find(|byte| !is_key(byte)) == Some(&b'=') => {
            "; is the body a form, such as a=b&c=d?"
        }
        _ => "",
    }
}

/// The fields of the envelope that could be read.
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
    /// The fields of the envelope in the part of the text that is JSON, and whether the whole text is JSON.
    fn of_text(text: &str) -> (Arc<Self>, bool) {
        let mut envelope = Self::default();
        let mut json = Json::new(text);
        let is_json = envelope.read(&mut json).and_then(|()| json.expect_end()).is_ok();
        (Arc::new(envelope), is_json)
    }

    /// Reads the fields that can be read. Fails only if a text is not JSON, or if a key of a buffered value is not a
    /// string.
    fn read<'de, S: Source<'de>>(&mut self, source: &mut S) -> Result<(), Fault> {
        if source.kind()? != Kind::Object {
            return source.skip_strict();
        }
        let mut seen = [false; 3];
        let mut object = source.open()?;
        while let Some(key) = source.next_key(&mut object)? {
            let start = source.mark();
            source.skip_strict()?;
            let end = source.mark();
            source.return_to(start);
            // If a field is repeated, it is not clear which value is right, so neither is used.
            let [event, webhook_id, created_at] = &mut seen;
            match &*key {
                "event" => {
                    let is_first = !mem::replace(event, true);
                    self.event_type = EventType::read(source).ok().filter(|_| is_first);
                }
                "webhook_id" => {
                    let is_first = !mem::replace(webhook_id, true);
                    self.webhook_id = wire::read_required_text(source).ok().filter(|_| is_first);
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
