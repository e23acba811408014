//! Summaries: a payload in one line, for a log.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::payload::Payload;
use crate::timestamp::Timestamp;

/// A payload in one line that is safe to log: the event, the number of items, and when it was sent. Made by
/// [`Payload::summary`].
///
/// Both `Display` and `Debug` show this line. It contains no text that a visitor wrote, no name of a visitor, and no
/// id. The name of an unknown event is written in quotes. Quotation marks, backslashes and all characters outside
/// printable ASCII are escaped, and the name is cut after 64 characters.
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
    pub(crate) name: &'a str,
    pub(crate) is_documented: bool,
    /// `None` for an unknown event whose content is not an array.
    pub(crate) items: Option<usize>,
    pub(crate) sent: Timestamp,
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

/// The maximum length of the name of an unknown event, after escaping.
const NAME_LENGTH: usize = 64;

/// A text from a body, which is written in quotes, escaped, and cut.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, is_cut) = escape_name(self.0);
        write!(formatter, "\"{name}\"{}", if is_cut { "..." } else { "" })
    }
}

/// Escapes quotation marks, backslashes and all characters outside printable ASCII, and cuts the result after 64
/// characters. Each character of an escape counts. Returns the result, and whether it was cut.
pub(crate) fn escape_name(name: &str) -> (String, bool) {
    let mut escaped_name = String::new();
    for character in name.chars() {
        let escaped = character.escape_default();
        if escaped_name.len() + escaped.len() > NAME_LENGTH {
            return (escaped_name, true);
        }
        escaped_name.extend(escaped);
    }
    (escaped_name, false)
}
