//! The status of a conversation.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt;
use core::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_repr::{Deserialize_repr, Serialize_repr};

use crate::unknown::UnknownStatus;
use crate::wire::{self, Fault, Field, Kind, Problem, Source};

/// The status of a conversation, which the platform sends as a string that holds a number.
///
/// The *Event Types* page lists four; any other string or integer is kept.
///
/// ```
/// use twt_chat_webhooks::{Status, StatusCode};
///
/// let status = Status::from("2");
/// assert_eq!(status, Status::Queued);
/// assert_eq!(status.code(), Some(StatusCode::Queued));
/// assert_eq!(status.as_str(), "2");
///
/// let newer = Status::from("7");
/// assert!(matches!(newer, Status::Unknown(_)));
/// assert_eq!(newer.code(), None);
///
/// // The four, for a menu, say.
/// let words = Status::DOCUMENTED.map(|status| status.code().map(|code| code.to_string()));
/// assert_eq!(words[0].as_deref(), Some("unreplied"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// `"1"`: no agent has answered.
    Unreplied,
    /// `"2"`: the visitor waits in the queue.
    Queued,
    /// `"3"`: pending.
    Pending,
    /// `"4"`: an agent has answered.
    Replied,
    /// A status that this version does not document. Build one with `Status::from(text)`.
    Unknown(UnknownStatus),
}

impl Status {
    /// Every status of the platform's page, in its order.
    pub const DOCUMENTED: [Self; 4] = [Self::Unreplied, Self::Queued, Self::Pending, Self::Replied];

    /// The text on the wire: a number, such as `"1"`, unless the platform sent something else.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unreplied => "1",
            Self::Queued => "2",
            Self::Pending => "3",
            Self::Replied => "4",
            Self::Unknown(status) => status.as_str(),
        }
    }

    /// The integer form, or `None` for a status that this version does not document.
    #[must_use]
    pub fn code(&self) -> Option<StatusCode> {
        match self {
            Self::Unreplied => Some(StatusCode::Unreplied),
            Self::Queued => Some(StatusCode::Queued),
            Self::Pending => Some(StatusCode::Pending),
            Self::Replied => Some(StatusCode::Replied),
            Self::Unknown(_) => None,
        }
    }

    fn documented(text: &str) -> Option<Self> {
        match text {
            "1" => Some(Self::Unreplied),
            "2" => Some(Self::Queued),
            "3" => Some(Self::Pending),
            "4" => Some(Self::Replied),
            _ => None,
        }
    }
}

/// A documented status becomes its own variant, any other text is kept.
impl From<&str> for Status {
    fn from(text: &str) -> Self {
        Self::documented(text).unwrap_or_else(|| Self::Unknown(UnknownStatus(text.into())))
    }
}

/// A documented status becomes its own variant, any other text is kept.
impl From<String> for Status {
    fn from(text: String) -> Self {
        Self::documented(&text).unwrap_or(Self::Unknown(UnknownStatus(text)))
    }
}

impl From<StatusCode> for Status {
    fn from(code: StatusCode) -> Self {
        match code {
            StatusCode::Unreplied => Self::Unreplied,
            StatusCode::Queued => Self::Queued,
            StatusCode::Pending => Self::Pending,
            StatusCode::Replied => Self::Replied,
        }
    }
}

/// The text on the wire. For words, see [`StatusCode`].
impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// As the text on the wire.
impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// From a string or an integer.
impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::deserialize(deserializer, |source| Self::read(source))
    }
}

impl Field for Status {
    const IS_REQUIRED: bool = true;

    fn blank() -> Self {
        Self::Unreplied
    }

    fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault> {
        const EXPECTED: &str = "a status (a string or an integer)";
        const RANGE: RangeInclusive<i128> = i64::MIN as i128..=u64::MAX as i128;
        let found = match source.kind()? {
            Kind::Text => {
                return Ok(match source.text()? {
                    Cow::Borrowed(text) => text.into(),
                    Cow::Owned(text) => text.into(),
                });
            }
            Kind::Number => match source.number()?.to_integer() {
                Ok(integer) if RANGE.contains(&integer) => return Ok(integer.to_string().into()),
                Ok(_) => "a number out of range",
                Err(found) => found,
            },
            _ => return Err(source.unexpected(EXPECTED)),
        };
        Err(source.fault_behind(Problem::Unexpected { expected: EXPECTED, found }))
    }

    fn write(&self) -> impl Serialize {
        self
    }
}

/// A documented status in its integer form, for a database column, say. To store others too, store [`Status::as_str`].
///
/// Serialized as the integer, where [`Status`] is a string:
///
/// ```
/// use twt_chat_webhooks::{Status, StatusCode};
///
/// assert_eq!(serde_json::to_string(&StatusCode::Pending)?, "3");
/// assert_eq!(StatusCode::try_from(3), Ok(StatusCode::Pending));
/// assert_eq!(StatusCode::Pending as u8, 3);
/// assert_eq!(StatusCode::Pending.to_string(), "pending");
/// assert_eq!(Status::from(StatusCode::Pending), Status::Pending);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize_repr, Deserialize_repr)]
#[repr(u8)]
#[non_exhaustive]
pub enum StatusCode {
    /// No agent has answered.
    Unreplied = 1,
    /// The visitor waits in the queue.
    Queued = 2,
    /// Pending.
    Pending = 3,
    /// An agent has answered.
    Replied = 4,
}

/// No documented status has this number.
///
/// ```
/// use twt_chat_webhooks::StatusCode;
///
/// assert_eq!(StatusCode::try_from(7).unwrap_err().to_string(), "no documented status has the code 7");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("no documented status has the code {0}")]
pub struct StatusCodeError(u8);

impl TryFrom<u8> for StatusCode {
    type Error = StatusCodeError;

    fn try_from(code: u8) -> Result<Self, StatusCodeError> {
        match code {
            1 => Ok(Self::Unreplied),
            2 => Ok(Self::Queued),
            3 => Ok(Self::Pending),
            4 => Ok(Self::Replied),
            _ => Err(StatusCodeError(code)),
        }
    }
}

/// In words, in lower case.
impl fmt::Display for StatusCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Unreplied => "unreplied",
            Self::Queued => "queued",
            Self::Pending => "pending",
            Self::Replied => "replied",
        })
    }
}
