//! Statuses of a conversation. The platform's *Event Types* page defines them.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt;
use core::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer};
use serde_repr::{Deserialize_repr, Serialize_repr};

use crate::as_text::{compare_as_text, convert_as_text, show_as_text};
use crate::unknown::UnknownStatus;
use crate::wire::{self, Fault, Field, Kind, Problem, Scalar, Source};

/// Writes both enums, and all code that differs between statuses, from the list of the documented statuses.
///
/// To read this macro, read each `$( … )*` as one line for each status of the list below. Everything else is ordinary
/// code. An entry of the list has the doc of the variant, its name, its number, and its name in words. The number is
/// the value of [`DocumentedStatus`]. Its digits are the text of [`Status`] on the wire.
macro_rules! documented_statuses {
    ($($(#[$doc:meta])* $Name:ident = $number:literal, $words:literal;)*) => {
        /// The status of a conversation. The platform sends it as a string that holds a number.
        ///
        /// Each documented status has a variant. Any other string or integer is an unknown status: it is kept as
        /// [`Unknown`](Self::Unknown), and written back as a string.
        ///
        /// ```
        /// use twt_chat_webhooks::{DocumentedStatus, Status};
        ///
        /// let status = Status::from("2");
        /// assert_eq!(status, Status::Queued);
        /// assert_eq!(status, "2");
        /// assert_eq!(status.documented(), Some(DocumentedStatus::Queued));
        ///
        /// let unknown = Status::from("99");
        /// assert!(matches!(unknown, Status::Unknown(_)));
        /// assert_eq!(unknown.as_str(), "99");
        /// assert_eq!(unknown.documented(), None);
        /// assert_eq!(unknown.number(), Some(99));
        /// ```
        ///
        /// To store a status, use a text column and [`as_str`](Self::as_str), which keeps every status. For an integer
        /// column, use [`number`](Self::number), which is `None` for an unknown status that is not a plain integer.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Status {
            $(
                $(#[$doc])*
                ///
                #[doc = concat!("On the wire: `\"", $number, "\"`.")]
                $Name,
            )*
            /// An unknown status: one that is not documented in this version. Build one with `Status::from(text)`.
            Unknown(UnknownStatus),
        }

        /// A documented status in its integer form.
        ///
        /// Serde writes a `DocumentedStatus` as an integer, and reads it from an integer. (It writes a [`Status`] as a
        /// string.) `as u8` and `u8::from` return the integer too.
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
            /// The documented statuses, in the order of the platform's page. A later version may have more.
            ///
            /// ```
            /// use twt_chat_webhooks::Status;
            ///
            /// let documented = Status::DOCUMENTED.iter().filter_map(Status::documented);
            /// let menu: Vec<_> = documented.map(|status| status.to_string()).collect();
            /// assert_eq!(menu[..2], ["unreplied", "queued"]);
            /// ```
            pub const DOCUMENTED: &'static [Self] = &[$(Self::$Name),*];

            /// The text on the wire. It is a number, such as `1`, for every documented status.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$Name => concat!($number),)*
                    Self::Unknown(status) => status.as_str(),
                }
            }

            /// The status in its integer form, or `None` if it is unknown.
            ///
            /// `Display` of a [`DocumentedStatus`] writes the status in words.
            #[must_use]
            pub fn documented(&self) -> Option<DocumentedStatus> {
                match self {
                    $(Self::$Name => Some(DocumentedStatus::$Name),)*
                    Self::Unknown(_) => None,
                }
            }

            /// The documented status with this text on the wire, or `None` if the status is unknown.
            fn from_documented(text: &str) -> Option<Self> {
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
            type Error = StatusError;

            fn try_from(number: u8) -> Result<Self, StatusError> {
                match number {
                    $($number => Ok(Self::$Name),)*
                    _ => Err(StatusError(number)),
                }
            }
        }

        /// Writes the status in words, in lower case.
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
    /// The status as a number, or `None` if its text is not a plain integer. An unknown status can have a number too.
    ///
    /// A plain integer is written in decimal digits, without a leading zero. It can have a `-` in front, but `-0` is
    /// not plain. It is in the range of `i64`. So two statuses never have the same number, and
    /// `Status::from(number.to_string())` returns the same status again.
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
        // `parse` alone would also accept a `+` and leading zeros.
        let is_plain = matches!(digits.as_bytes(), [b'1'..=b'9', ..]) || text == "0";
        if is_plain { text.parse().ok() } else { None }
    }
}

show_as_text! { Status }
convert_as_text! { Status, UnknownStatus }
compare_as_text! { Status }

/// Returns the integer form, like `as u8`.
impl From<DocumentedStatus> for u8 {
    fn from(status: DocumentedStatus) -> Self {
        status as Self
    }
}

/// The error for a number that no documented status has.
///
/// ```
/// use twt_chat_webhooks::DocumentedStatus;
///
/// let error = DocumentedStatus::try_from(99).unwrap_err();
/// assert_eq!(error.to_string(), "no documented status has the number 99");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("no documented status has the number {0}")]
pub struct StatusError(u8);

/// Reads a status from a string, an integer, or a float without a fraction.
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
        Err(source.fault_after_value(Problem::Unexpected { expected: EXPECTED, found }))
    }

    #[inline]
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(self.as_str())
    }
}
