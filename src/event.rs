//! Events: the name and the content of an event, which are two fields of the envelope.

use alloc::vec::Vec;

use serde_json::Value;

use crate::content;
use crate::documented::documented;
use crate::event_type::EventType;
use crate::unknown::UnknownName;

/// An event with its content.
///
/// Each documented event has a variant. An unknown event is kept with its name and its whole content.
///
/// ```
/// use twt_chat_webhooks::{Event, fixtures};
///
/// match fixtures::unreplied().event {
///     Event::Unreplied(messages) => assert_eq!(messages[0].push_times, 4),
///     Event::Unknown(event) => println!("{}: {}", event.name(), event.content()),
///     _ => {}
/// }
/// ```
///
/// If you expect one event, a method is shorter than a `match`:
///
/// ```
/// use twt_chat_webhooks::fixtures;
///
/// let event = fixtures::unreplied().event;
/// assert!(event.as_unreplied().is_some_and(|messages| messages[0].is_last_push()));
/// assert_eq!(event.as_pre_chat_form_submit(), None);
/// assert_eq!(event.as_offline_form_submit(), None);
/// ```
///
/// Serde writes an `Event` as an object with the keys `event` and `content`. When serde reads an `Event`, other keys
/// are ignored. To keep them, read a [`Payload`](crate::Payload).
///
/// `Debug` shows what visitors wrote. To log an event, use its [`name`](Self::name), or
/// [`Payload::summary`](crate::Payload::summary).
///
/// # Events of a later version
///
/// A later version of the crate can document an event that is [`Unknown`](Self::Unknown) now. The event then has a
/// variant of its own, so it takes the `_` arm of your `match`. If your code must handle the event in every version,
/// match on its [`name`](Self::name) and take its content as JSON:
///
/// ```
/// use serde_json::{Value, json};
/// use twt_chat_webhooks::Event;
///
/// /// The content of the event, or `None` for any other event.
/// fn event_of_tomorrow(event: &Event) -> Option<Value> {
///     match event.name() {
///         "EVENT_OF_TOMORROW" => {
///             let mut event = serde_json::to_value(event).ok()?;
///             Some(event["content"].take())
///         }
///         _ => None,
///     }
/// }
///
/// let content = json!([{"visitor_name": "Visitor15"}]);
/// let event = Event::from_parts("EVENT_OF_TOMORROW", content.clone())?;
/// assert_eq!(event_of_tomorrow(&event), Some(content));
/// # Ok::<(), twt_chat_webhooks::DecodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// `UNREPLIED`: messages that have not been answered in time.
    Unreplied(Vec<content::UnrepliedContent>),
    /// `PRE_CHAT_FORM_SUBMIT`: forms filled in before the chat.
    PreChatFormSubmit(Vec<content::PreChatFormContent>),
    /// `OFFLINE_FORM_SUBMIT`: forms filled in while no agent was online.
    OfflineFormSubmit(Vec<content::OfflineFormContent>),
    /// An unknown event: one that is not documented in this version. Build one with [`Event::from_parts`].
    Unknown(UnknownEvent),
}

/// An unknown event, with its whole content.
///
/// `Debug` shows the content, which may hold what visitors wrote.
///
/// `serde_json` has private keys. With its feature `arbitrary_precision` or `raw_value`, `serde_json` gives a special
/// meaning to an object whose first key is a private key. The crate then reads such an object as `serde_json` does. If
/// `serde_json` refuses the object, decoding fails, and the error shows no text of the event. A
/// [`Delivery`](crate::Delivery) does not read unknown data, so the record of such a body has no error. But decoding
/// the body of the record later can fail.
///
/// This code reads an unknown event into a type that the code defines:
///
/// ```
/// use serde::Deserialize;
/// use twt_chat_webhooks::Payload;
///
/// #[derive(Deserialize)]
/// struct Session {
///     visitor_name: String,
/// }
///
/// let body = br#"{
///     "created_at": 1765439941,
///     "event": "EVENT_OF_TOMORROW",
///     "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
///     "content": [{"visitor_name": "Visitor15"}]
/// }"#;
/// let payload = Payload::from_slice(body)?;
/// let event = payload.event.as_unknown().ok_or("documented by now")?;
/// assert_eq!(event.name(), "EVENT_OF_TOMORROW");
///
/// let sessions = Vec::<Session>::deserialize(event.content())?;
/// assert_eq!(sessions[0].visitor_name, "Visitor15");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A later version of the crate may document the event. [Events of a later version](Event#events-of-a-later-version)
/// shows code that works in both versions. The items of an unknown event have no [`ItemKey`](crate::ItemKey).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnknownEvent {
    pub(crate) name: UnknownName,
    pub(crate) content: Value,
}

impl UnknownEvent {
    /// The name of the event.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The content. It can be any JSON, not only an array.
    #[must_use]
    pub fn content(&self) -> &Value {
        &self.content
    }

    /// Takes the content out of the event, without a copy.
    ///
    /// ```
    /// use serde_json::json;
    /// use twt_chat_webhooks::Event;
    ///
    /// match Event::from_parts("EVENT_OF_TOMORROW", json!({"a": 1}))? {
    ///     Event::Unknown(event) => assert_eq!(event.into_content(), json!({"a": 1})),
    ///     _ => println!("documented by now"),
    /// }
    /// # Ok::<(), twt_chat_webhooks::DecodeError>(())
    /// ```
    #[must_use]
    pub fn into_content(self) -> Value {
        self.content
    }
}

impl Event {
    /// The event, if it is unknown, or `None`.
    #[must_use]
    pub fn as_unknown(&self) -> Option<&UnknownEvent> {
        match self {
            Self::Unknown(event) => Some(event),
            _ => None,
        }
    }
}

macro_rules! events {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        impl Event {
            /// The type of the event.
            #[must_use]
            pub fn event_type(&self) -> EventType {
                match self {
                    $(Self::$Variant(_) => EventType::$Variant,)*
                    Self::Unknown(event) => EventType::Unknown(event.name.clone()),
                }
            }

            /// The name of the event on the wire, without a copy.
            ///
            /// ```
            /// assert_eq!(twt_chat_webhooks::fixtures::unreplied().event.name(), "UNREPLIED");
            /// ```
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$Variant(_) => stringify!($NAME),)*
                    Self::Unknown(event) => event.name(),
                }
            }

            $(
                #[doc = concat!("The items, if the event is `", stringify!($NAME), "`, or `None`.")]
                #[must_use]
                pub fn $as_name(&self) -> Option<&[content::$Content]> {
                    match self {
                        Self::$Variant(items) => Some(items),
                        _ => None,
                    }
                }
            )*
        }

        $(
            impl From<content::$Content> for Event {
                fn from(item: content::$Content) -> Self {
                    Self::$Variant(Vec::from([item]))
                }
            }

            impl From<Vec<content::$Content>> for Event {
                fn from(items: Vec<content::$Content>) -> Self {
                    Self::$Variant(items)
                }
            }

            impl<const N: usize> From<[content::$Content; N]> for Event {
                fn from(items: [content::$Content; N]) -> Self {
                    Self::$Variant(Vec::from(items))
                }
            }
        )*
    };
}

documented! { events }
