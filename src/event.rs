//! Events: the envelope's `event` and `content` taken together.

mod coding;

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::de::{Deserialize, DeserializeSeed};
use serde_json::Value;

pub(crate) use self::coding::{ContentOf, EventContent, arrange_content};
use crate::content::{Content, OfflineFormContent, PreChatFormContent, UnrepliedContent};
use crate::error::DecodeError;
use crate::event_type::EventType;
use crate::unknown::UnknownName;
use crate::wire::{Buffered, Fault};

/// An event and what it carries.
///
/// The documented events are variants of their own; any other is kept whole, under its name.
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
/// Where one event is expected, the methods are shorter than a `match`:
///
/// ```
/// use twt_chat_webhooks::fixtures;
///
/// assert!(fixtures::unreplied().event.as_unreplied().is_some_and(|messages| messages[0].is_last_push()));
/// assert_eq!(fixtures::unreplied().event.as_pre_chat_form_submit(), None);
/// assert_eq!(fixtures::offline_form_submit().event.as_offline_form_submit().map(|forms| forms.len()), Some(1));
/// ```
///
/// By itself it is written as an object of `event` and `content`, and read from one; other keys are passed over. Use
/// [`Payload`](crate::Payload) where nothing may be lost.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// `UNREPLIED`: messages that have not been answered in time.
    Unreplied(Vec<UnrepliedContent>),
    /// `PRE_CHAT_FORM_SUBMIT`: forms filled in before the chat.
    PreChatFormSubmit(Vec<PreChatFormContent>),
    /// `OFFLINE_FORM_SUBMIT`: forms filled in while no agent was online.
    OfflineFormSubmit(Vec<OfflineFormContent>),
    /// An event that this version does not document. Build one with [`Event::from_parts`].
    Unknown(UnknownEvent),
}

/// An event that this version does not document, with its whole content.
///
/// To read one into a type of your own:
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
///     "event": "SESSION_STARTED",
///     "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
///     "content": [{"visitor_name": "Visitor15"}]
/// }"#;
/// let payload = Payload::from_slice(body)?;
/// let event = payload.event.as_unknown().ok_or("documented by now")?;
/// assert_eq!(event.name(), "SESSION_STARTED");
///
/// let sessions = Vec::<Session>::deserialize(event.content())?;
/// assert_eq!(sessions[0].visitor_name, "Visitor15");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnknownEvent {
    name: UnknownName,
    content: Value,
}

impl UnknownEvent {
    /// The name of the event.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The content: any JSON, an array or not.
    #[must_use]
    pub fn content(&self) -> &Value {
        &self.content
    }
}

impl Event {
    /// Puts an event together from its name and its content.
    ///
    /// The content of a documented event is decoded by the same rules as a body; the result is never
    /// [`Unknown`](Self::Unknown) then. For any other name this never fails.
    ///
    /// ```
    /// use serde_json::json;
    /// use twt_chat_webhooks::Event;
    ///
    /// let event = Event::from_parts("SESSION_STARTED", json!({"visitor_name": "Visitor15"}))?;
    /// assert_eq!(event.as_unknown().map(|event| event.name()), Some("SESSION_STARTED"));
    ///
    /// let error = Event::from_parts("UNREPLIED", json!([{"created_at": "now"}])).unwrap_err();
    /// assert_eq!(error.path(), "content[0].created_at");
    /// # Ok::<(), twt_chat_webhooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] of the kind [`Data`](crate::DecodeErrorKind::Data) if the content of a documented event is malformed.
    /// It has no line and no column, and of the envelope only the event type.
    pub fn from_parts(event_type: impl Into<EventType>, content: Value) -> Result<Self, DecodeError> {
        match event_type.into() {
            EventType::Unknown(name) => Ok(Self::Unknown(UnknownEvent { name, content })),
            event_type => Self::documented_from_value(event_type, &content),
        }
    }

    fn documented_from_value(event_type: EventType, content: &Value) -> Result<Self, DecodeError> {
        if let Ok(event) = ContentOf(event_type.clone()).deserialize(content) {
            return Ok(event);
        }
        let fault = Buffered::deserialize(content).ok().and_then(|mut content| {
            arrange_content(&mut content, &event_type);
            ContentOf(event_type.clone()).deserialize(&content).err()
        });
        let fault = fault.unwrap_or_else(Fault::undocumented);
        Err(DecodeError::in_content(fault, Arc::new(event_type.into())))
    }

    /// The type of the event.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Unreplied(_) => EventType::Unreplied,
            Self::PreChatFormSubmit(_) => EventType::PreChatFormSubmit,
            Self::OfflineFormSubmit(_) => EventType::OfflineFormSubmit,
            Self::Unknown(event) => EventType::Unknown(event.name.clone()),
        }
    }

    /// The items of a documented event, whichever it is, by the fields they share.
    ///
    /// There are none for an unknown event: ask [`as_unknown`](Self::as_unknown) for its content.
    pub fn contents(&self) -> impl Iterator<Item = &dyn Content> {
        let (unreplied, pre_chat, offline): (&[_], &[_], &[_]) = match self {
            Self::Unreplied(items) => (items, &[], &[]),
            Self::PreChatFormSubmit(items) => (&[], items, &[]),
            Self::OfflineFormSubmit(items) => (&[], &[], items),
            Self::Unknown(_) => (&[], &[], &[]),
        };
        let unreplied = unreplied.iter().map(as_content::<UnrepliedContent>);
        let pre_chat = pre_chat.iter().map(as_content::<PreChatFormContent>);
        let offline = offline.iter().map(as_content::<OfflineFormContent>);
        unreplied.chain(pre_chat).chain(offline)
    }

    /// The messages, if this is [`Unreplied`](Self::Unreplied).
    #[must_use]
    pub fn as_unreplied(&self) -> Option<&[UnrepliedContent]> {
        match self {
            Self::Unreplied(items) => Some(items),
            _ => None,
        }
    }

    /// The forms, if this is [`PreChatFormSubmit`](Self::PreChatFormSubmit).
    #[must_use]
    pub fn as_pre_chat_form_submit(&self) -> Option<&[PreChatFormContent]> {
        match self {
            Self::PreChatFormSubmit(items) => Some(items),
            _ => None,
        }
    }

    /// The forms, if this is [`OfflineFormSubmit`](Self::OfflineFormSubmit).
    #[must_use]
    pub fn as_offline_form_submit(&self) -> Option<&[OfflineFormContent]> {
        match self {
            Self::OfflineFormSubmit(items) => Some(items),
            _ => None,
        }
    }

    /// The event, if this version does not document it.
    #[must_use]
    pub fn as_unknown(&self) -> Option<&UnknownEvent> {
        match self {
            Self::Unknown(event) => Some(event),
            _ => None,
        }
    }
}

fn as_content<T: Content>(item: &T) -> &dyn Content {
    item
}

macro_rules! from_items {
    ($($Content:ident => $event:ident)*) => {$(
        impl From<$Content> for Event {
            fn from(item: $Content) -> Self {
                Self::$event(Vec::from([item]))
            }
        }

        impl From<Vec<$Content>> for Event {
            fn from(items: Vec<$Content>) -> Self {
                Self::$event(items)
            }
        }

        impl<const N: usize> From<[$Content; N]> for Event {
            fn from(items: [$Content; N]) -> Self {
                Self::$event(Vec::from(items))
            }
        }
    )*};
}

from_items! {
    UnrepliedContent => Unreplied
    PreChatFormContent => PreChatFormSubmit
    OfflineFormContent => OfflineFormSubmit
}
