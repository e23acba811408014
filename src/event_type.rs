//! The name of an event, as it stands in the envelope's `event` field.

use alloc::borrow::Cow;
use alloc::string::String;
use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::documented::documented;
use crate::unknown::{UnknownName, compare_as_text};
use crate::wire::{self, Fault, Kind, Source};

/// The type of an event: one that the platform documents on its *Event Types* page, or a name it has added since.
///
/// ```
/// use twt_chat_webhooks::EventType;
///
/// assert_eq!(EventType::from("UNREPLIED"), EventType::Unreplied);
///
/// let newer = EventType::from("EVENT_OF_TOMORROW");
/// assert!(matches!(newer, EventType::Unknown(_)));
/// assert_eq!(newer.as_str(), "EVENT_OF_TOMORROW");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// `UNREPLIED`: a visitor's message has not been answered in time.
    Unreplied,
    /// `PRE_CHAT_FORM_SUBMIT`: a visitor has filled in the form before the chat.
    PreChatFormSubmit,
    /// `OFFLINE_FORM_SUBMIT`: a visitor has left a message while no agent was online.
    OfflineFormSubmit,
    /// An event that this version does not document. Build one with `EventType::from(name)`.
    Unknown(UnknownName),
}

macro_rules! event_types {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        impl EventType {
            /// The event types of the platform's page, in its order. A later version may have more.
            pub const DOCUMENTED: &'static [Self] = &[$(Self::$Variant),*];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$Variant => stringify!($NAME),)*
                    Self::Unknown(name) => name.as_str(),
                }
            }

            fn from_documented_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($NAME) => Some(Self::$Variant),)*
                    _ => None,
                }
            }
        }
    };
}

documented! { event_types }

/// A documented name becomes its own variant, any other is kept.
impl From<&str> for EventType {
    fn from(name: &str) -> Self {
        Self::from_documented_name(name).unwrap_or_else(|| Self::Unknown(UnknownName(name.into())))
    }
}

/// A documented name becomes its own variant, any other is kept.
impl From<String> for EventType {
    fn from(name: String) -> Self {
        Self::from_documented_name(&name).unwrap_or(Self::Unknown(UnknownName(name)))
    }
}

impl FromStr for EventType {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(name.into())
    }
}

/// The name on the wire.
impl fmt::Display for EventType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

compare_as_text! { EventType }

/// As the name on the wire.
impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// From a string.
impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::deserialize(deserializer, |source| Self::read(source))
    }
}

impl EventType {
    #[inline]
    pub(crate) fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault> {
        match source.kind()? {
            Kind::String => Ok(match source.string()? {
                Cow::Borrowed(name) => name.into(),
                Cow::Owned(name) => name.into(),
            }),
            _ => Err(source.unexpected("the name of an event")),
        }
    }
}
