//! Event types: the names of events, which are in the field `event` of the envelope. The platform's *Event Types* page
//! defines them.

use alloc::borrow::Cow;
use alloc::string::String;

use serde::de::{Deserialize, Deserializer};

use crate::as_text::{compare_as_text, convert_as_text, show_as_text};
use crate::documented::documented;
use crate::unknown::UnknownName;
use crate::wire::{self, Fault, Kind, Source};

/// The type of an event: a documented event type, or the name of an unknown event.
///
/// ```
/// use twt_chat_webhooks::EventType;
///
/// assert_eq!(EventType::from("UNREPLIED"), EventType::Unreplied);
///
/// let unknown = EventType::from("EVENT_OF_TOMORROW");
/// assert!(matches!(unknown, EventType::Unknown(_)));
/// assert_eq!(unknown.as_str(), "EVENT_OF_TOMORROW");
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
    /// An unknown event: one that is not documented in this version. Build one with `EventType::from(name)`.
    Unknown(UnknownName),
}

macro_rules! event_types {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        impl EventType {
            /// The documented event types, in the order of the platform's page. A later version may have more.
            pub const DOCUMENTED: &'static [Self] = &[$(Self::$Variant),*];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$Variant => stringify!($NAME),)*
                    Self::Unknown(name) => name.as_str(),
                }
            }

            /// The event type with this name, or `None` if the name is unknown.
            fn from_documented(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($NAME) => Some(Self::$Variant),)*
                    _ => None,
                }
            }
        }
    };
}

documented! { event_types }

show_as_text! { EventType }
convert_as_text! { EventType, UnknownName }
compare_as_text! { EventType }

/// Reads a name from a string.
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
