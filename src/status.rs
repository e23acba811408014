//! The status of a conversation.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::convert::Infallible;
use core::fmt;
use core::ops::RangeInclusive;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_repr::{Deserialize_repr, Serialize_repr};

use crate::unknown::{UnknownStatus, compare_as_text};
use crate::wire::{self, Fault, Field, Kind, Problem, Source};

/// Writes both enums, and everything that differs by status, from the one list of the documented statuses.
///
/// An entry has the doc of the variant, its name, its number and its words. The number is both the text on the wire
/// and the value of [`DocumentedStatus`].
macro_rules! documented_statuses {
    ($($(#[$doc:meta])* $Name:ident = $number:literal, $words:literal;)*) => {
        /// The status of a conversation, which the platform sends as a string that holds a number.
        ///
        /// The statuses of the *Event Types* page have variants. Any other string or integer is kept as
        /// [`Unknown`](Self::Unknown), and written back as that string.
        ///
        /// ```
        /// use twt_chat_webhooks::{DocumentedStatus, Status};
        ///
        /// let status = Status::from("2");
        /// assert_eq!(status, Status::Queued);
        /// assert_eq!(status, "2");
        /// assert_eq!(status.documented(), Some(DocumentedStatus::Queued));
        ///
        /// let newer = Status::from("99");
        /// assert!(matches!(newer, Status::Unknown(_)));
        /// assert_eq!(newer.as_str(), "99");
        /// assert_eq!(newer.documented(), None);
        /// assert_eq!(newer.number(), Some(99));
        /// ```
        ///
        /// To store a status, use [`as_str`](Self::as_str), which keeps every status. An integer column can take
        /// [`number`](Self::number), which is `None` for an unknown status that is no number.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Status {
            $(
                $(#[$doc])*
                ///
                #[doc = concat!("On the wire: `\"", $number, "\"`.")]
                $Name,
            )*
            /// A status that this version does not document. Build one with `Status::from(text)`.
            Unknown(UnknownStatus),
        }

        /// A documented status in its integer form.
        ///
        /// Serde writes it as the integer, and reads it from one. [`Status`] is a string on the wire. `as u8` and
        /// `u8::from` give the integer too.
        ///
        /// ```
        /// use twt_chat_webhooks::{DocumentedStatus, Status};
        ///
        /// assert_eq!(serde_json::to_string(&DocumentedStatus::Pending)?, "3");
        /// let status: DocumentedStatus = serde_json::from_str("3")?;
        /// assert_eq!(status, DocumentedStatus::Pending);
        /// assert_eq!(u8::from(DocumentedStatus::Pending), 3);
        /// assert_eq!(DocumentedStatus::try_from(3), Ok(DocumentedStatus::Pending));
        /// assert_eq!(DocumentedStatus::Pending.to_string(), "pending");
        /// assert_eq!(Status::from(DocumentedStatus::Pending), Status::Pending);
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize_repr, Deserialize_repr)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum DocumentedStatus {
            $(
                $(#[$doc])*
                $Name = $number,
            )*
        }

        impl Status {
            /// The statuses of the platform's page, in its order. A later version may have more.
            ///
            /// ```
            /// use twt_chat_webhooks::Status;
            ///
            /// let documented = Status::DOCUMENTED.iter().filter_map(Status::documented);
            /// let menu: Vec<_> = documented.map(|status| status.to_string()).collect();
            /// assert_eq!(menu[..2], ["unreplied", "queued"]);
            /// ```
            pub const DOCUMENTED: &'static [Self] = &[$(Self::$Name),*];

            /// The text on the wire: a number, such as `"1"`, unless the platform sent something else.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$Name => concat!($number),)*
                    Self::Unknown(status) => status.as_str(),
                }
            }

            /// The status in its integer form, or `None` if this version does not document it.
            ///
            /// `Display` of the result gives the status in words.
            #[must_use]
            pub fn documented(&self) -> Option<DocumentedStatus> {
                match self {
                    $(Self::$Name => Some(DocumentedStatus::$Name),)*
                    Self::Unknown(_) => None,
                }
            }

            fn from_documented_text(text: &str) -> Option<Self> {
                match text {
                    $(concat!($number) => Some(Self::$Name),)*
                    _ => None,
                }
            }
        }

        impl From<DocumentedStatus> for Status {
            fn from(status: DocumentedStatus) -> Self {
                match status {
                    $(DocumentedStatus::$Name => Self::$Name,)*
                }
            }
        }

        impl TryFrom<u8> for DocumentedStatus {
            type Error = UndocumentedStatus;

            fn try_from(number: u8) -> Result<Self, UndocumentedStatus> {
                match number {
                    $($number => Ok(Self::$Name),)*
                    _ => Err(UndocumentedStatus(number)),
                }
            }
        }

        /// In words, in lower case.
        impl fmt::Display for DocumentedStatus {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(match self {
                    $(Self::$Name => $words,)*
                })
            }
        }
    };
}

documented_statuses! {
    /// No agent has answered.
    Unreplied = 1, "unreplied";
    /// The visitor waits in the queue.
    Queued = 2, "queued";
    /// Pending. The platform's page does not say what the conversation waits for.
    Pending = 3, "pending";
    /// An agent has answered.
    Replied = 4, "replied";
}

impl Status {
    /// The status as a number, unknown ones too, or `None` if it is not an integer in plain decimal digits.
    ///
    /// Plain means: no sign but a `-` in front, no leading zero, no `-0`, and within the range of `i64`. So two
    /// statuses never have the same number, and `Status::from(number.to_string())` is the status again.
    ///
    /// ```
    /// use twt_chat_webhooks::Status;
    ///
    /// assert_eq!(Status::Replied.number(), Some(4));
    /// assert_eq!(Status::from("12").number(), Some(12));
    /// assert_eq!(Status::from("012").number(), None);
    /// assert_eq!(Status::from("closed").number(), None);
    /// ```
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        let text = self.as_str();
        let digits = text.strip_prefix('-').unwrap_or(text);
        // `parse` also takes a `+` and leading zeros.
        let is_plain = matches!(digits.as_bytes(), [b'1'..=b'9', ..]) || text == "0";
        if is_plain { text.parse().ok() } else { None }
    }
}

/// A documented status becomes its own variant, any other text is kept.
impl From<&str> for Status {
    fn from(text: &str) -> Self {
        Self::from_documented_text(text).unwrap_or_else(|| Self::Unknown(UnknownStatus(text.into())))
    }
}

/// A documented status becomes its own variant, any other text is kept.
impl From<String> for Status {
    fn from(text: String) -> Self {
        Self::from_documented_text(&text).unwrap_or(Self::Unknown(UnknownStatus(text)))
    }
}

/// The same as `From<&str>`: parsing never fails.
impl FromStr for Status {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

/// The text on the wire. For words, see [`DocumentedStatus`].
impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

compare_as_text! { Status }

/// The integer form, which `as u8` gives too.
impl From<DocumentedStatus> for u8 {
    fn from(status: DocumentedStatus) -> Self {
        status as Self
    }
}

/// No documented status has this number.
///
/// ```
/// use twt_chat_webhooks::DocumentedStatus;
///
/// let error = DocumentedStatus::try_from(99).unwrap_err();
/// assert_eq!(error.to_string(), "no documented status has the number 99");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("no documented status has the number {0}")]
pub struct UndocumentedStatus(u8);

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
            Kind::String => {
                return Ok(match source.string()? {
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
