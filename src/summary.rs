//! Summaries: a payload in one line, for a log.

use alloc::vec::Vec;
use core::fmt::{self, Write};

use crate::payload::Payload;
use crate::timestamp::Timestamp;

/// A payload in one line that is safe to log: the event, the number of items, and when it was sent. Made by
/// [`Payload::summary`].
///
/// Both `Display` and `Debug` show this line. It contains no text that a visitor wrote, no name of a visitor, and no
/// id. The name of an unknown event is written in quotes. Characters other than printable ASCII are escaped, and the
/// name is cut after 64 characters.
///
/// ```
/// use twt_chat_webhooks::{Event, Payload, fixtures};
///
/// let payload = fixtures::unreplied();
/// let summary = payload.summary().to_string();
/// assert_eq!(summary, "UNREPLIED: 1 item, sent 2025-12-11T07:59:01Z");
///
/// let unknown = Event::from_parts("EVENT_OF_\nTOMORROW", [1, 2, 3].into())?;
/// let payload = Payload::new(payload.created_at, "", unknown);
/// let summary = payload.summary().to_string();
/// assert!(summary.starts_with(r#"unknown event "EVENT_OF_\nTOMORROW": 3 items"#));
/// # Ok::<(), twt_chat_webhooks::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Summary<'a> {
    name: &'a str,
    is_documented: bool,
    /// `None` for an unknown event whose content is not an array.
    items: Option<usize>,
    sent: Timestamp,
}

impl Payload {
    /// Returns the payload in one line that is safe to log. (`Debug` of a payload is not safe to log, because it shows
    /// what visitors wrote.)
    ///
    /// ```
    /// let payload = twt_chat_webhooks::fixtures::offline_form_submit();
    /// println!("received {}", payload.summary());
    /// ```
    #[must_use]
    pub fn summary(&self) -> Summary<'_> {
        let unknown = self.event.as_unknown();
        Summary {
            name: self.event.name(),
            is_documented: unknown.is_none(),
            items: match unknown {
                Some(event) => event.content().as_array().map(Vec::len),
                None => Some(self.contents().len()),
            },
            sent: self.created_at,
        }
    }
}

/// Writes one line, such as `UNREPLIED: 1 item, sent 2025-12-11T07:59:01Z`.
impl fmt::Display for Summary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_documented {
            formatter.write_str(self.name)?;
        } else {
            write!(formatter, "unknown event {}", Quoted(self.name))?;
        }
        match self.items {
            Some(1) => formatter.write_str(": 1 item")?,
            Some(items) => write!(formatter, ": {items} items")?,
            None => formatter.write_str(": content is not an array")?,
        }
        write!(formatter, ", sent {}", self.sent)
    }
}

/// Shows the line of `Display`.
impl fmt::Debug for Summary<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Summary({self})")
    }
}

/// A text from a body, which is written in quotes, escaped, and cut after 64 characters. Each character of an escape
/// counts.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = 64_usize;
        formatter.write_char('"')?;
        for character in self.0.chars() {
            let escaped = character.escape_default();
            let Some(left) = room.checked_sub(escaped.len()) else {
                return formatter.write_str("\"...");
            };
            room = left;
            write!(formatter, "{escaped}")?;
        }
        formatter.write_char('"')
    }
}
