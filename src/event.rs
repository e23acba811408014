//! Events: the name and the content of an event, which are two fields of the envelope.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::slice;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;

use crate::content::{self, Content};
use crate::documented::documented;
use crate::error::DecodeError;
use crate::event_type::EventType;
use crate::item::{Keep, KeepAll, read_items, write_items};
use crate::unknown::UnknownName;
use crate::wire::{self, Buffered, Fault, Problem, Source, Writer};

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
    name: UnknownName,
    content: Value,
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
    /// Builds an event from its type or name, and its content.
    ///
    /// The content of a documented event is decoded by the same rules as a body. For an unknown event, the function
    /// keeps the content and never fails.
    ///
    /// The function also decodes [an item that you have mended](crate::guide::mending).
    ///
    /// ```
    /// use serde_json::json;
    /// use twt_chat_webhooks::Event;
    ///
    /// let event = Event::from_parts("EVENT_OF_TOMORROW", json!({"visitor": "Visitor15"}))?;
    /// assert_eq!(event.as_unknown().map(|event| event.name()), Some("EVENT_OF_TOMORROW"));
    ///
    /// let content = json!([{"created_at": "now"}]);
    /// let error = Event::from_parts("UNREPLIED", content).unwrap_err();
    /// assert_eq!(error.path(), "content[0].created_at");
    /// # Ok::<(), twt_chat_webhooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] of the kind [`Data`](crate::DecodeErrorKind::Data) if the content of a documented event is
    /// malformed, or nested deeper than a body can be. The error has an event type, and no line, column, `webhook_id`
    /// or `created_at`.
    pub fn from_parts(event_type: impl Into<EventType>, content: Value) -> Result<Self, DecodeError> {
        match event_type.into() {
            EventType::Unknown(name) => Ok(Self::Unknown(UnknownEvent { name, content })),
            event_type => {
                let event = Buffered::of_content(&content)
                    .and_then(|content| read_content(event_type.clone(), &mut content.cursor(), &mut KeepAll));
                drop_deep(content);
                event.map_err(|fault| DecodeError::data(fault.in_field("content"), None, Arc::new(event_type.into())))
            }
        }
    }

    /// The items of a documented event, as [`Content`].
    ///
    /// The iterator is empty for an unknown event. Use [`as_unknown`](Self::as_unknown) to get its content.
    ///
    /// ```
    /// use twt_chat_webhooks::fixtures;
    ///
    /// let event = fixtures::unreplied().event;
    /// assert_eq!(event.contents().len(), 1);
    /// let last = event.contents().next_back().map(|item| item.created_at());
    /// assert_eq!(last.map(|at| at.unix_seconds()), Some(1_765_439_652));
    /// ```
    #[must_use]
    pub fn contents(&self) -> impl ExactSizeIterator<Item = &dyn Content> + DoubleEndedIterator {
        Contents::of(self)
    }

    /// The event, if it is unknown, or `None`.
    #[must_use]
    pub fn as_unknown(&self) -> Option<&UnknownEvent> {
        match self {
            Self::Unknown(event) => Some(event),
            _ => None,
        }
    }
}

/// Drops a value without recursion. A value that was built in code can be nested so deeply that recursion would
/// overflow the stack.
fn drop_deep(value: Value) {
    let mut values = Vec::from([value]);
    while let Some(value) = values.pop() {
        match value {
            Value::Array(items) => values.extend(items),
            Value::Object(fields) => values.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
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
                #[doc = concat!(
                    "The items, if the event is [`", stringify!($Variant), "`](Self::", stringify!($Variant),
                    "), or `None`.",
                )]
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

        /// Reads the content of an event of the given type.
        fn read_content<'de, S: Source<'de>, K: Keep<'de, S>>(
            event_type: EventType,
            source: &mut S,
            keep: &mut K,
        ) -> Result<Event, Fault> {
            match event_type {
                $(EventType::$Variant => read_items(source, keep).map(Event::$Variant),)*
                EventType::Unknown(name) => {
                    let content = keep.unknown(source)?;
                    Ok(Event::Unknown(UnknownEvent { name, content }))
                }
            }
        }

        impl Serialize for EventContent<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.0 {
                    $(Event::$Variant(items) => items.serialize(serializer),)*
                    Event::Unknown(event) => event.content.serialize(serializer),
                }
            }
        }

        /// Writes the content of an event, without its name.
        pub(crate) fn write_content(event: &Event, writer: &mut Writer) {
            match event {
                $(Event::$Variant(items) => write_items(items, writer),)*
                Event::Unknown(event) => writer.value(&event.content),
            }
        }

        /// The iterator of [`Event::contents`].
        enum Contents<'a> {
            $($Variant(slice::Iter<'a, content::$Content>),)*
            Unknown,
        }

        impl<'a> Contents<'a> {
            fn of(event: &'a Event) -> Self {
                match event {
                    $(Event::$Variant(items) => Self::$Variant(items.iter()),)*
                    Event::Unknown(_) => Self::Unknown,
                }
            }
        }

        impl<'a> Iterator for Contents<'a> {
            type Item = &'a dyn Content;

            fn next(&mut self) -> Option<Self::Item> {
                match self {
                    $(Self::$Variant(items) => items.next().map(as_content),)*
                    Self::Unknown => None,
                }
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                match self {
                    $(Self::$Variant(items) => items.size_hint(),)*
                    Self::Unknown => (0, Some(0)),
                }
            }
        }

        impl DoubleEndedIterator for Contents<'_> {
            fn next_back(&mut self) -> Option<Self::Item> {
                match self {
                    $(Self::$Variant(items) => items.next_back().map(as_content),)*
                    Self::Unknown => None,
                }
            }
        }

        impl ExactSizeIterator for Contents<'_> {}
    };
}

documented! { events }

fn as_content<T: Content>(item: &T) -> &dyn Content {
    item
}

/// The fields `event` and `content` of an object that is being read. They can come in either order.
pub(crate) struct Parts<M> {
    event_type: Option<EventType>,
    event: Option<Event>,
    /// The start and the end of the content, if `content` came before `event`.
    skipped: Option<(M, M)>,
}

impl<M: Copy + PartialEq> Parts<M> {
    pub(crate) const NEW: Self = Self { event_type: None, event: None, skipped: None };

    /// Reads the value of the field `event`.
    #[inline]
    pub(crate) fn read_event_field<'de, S: Source<'de, Mark = M>>(&mut self, source: &mut S) -> Result<(), Fault> {
        self.event_type = Some(EventType::read(source)?);
        Ok(())
    }

    /// Reads the value of the field `content`. If `event` has not been read yet, skips the value and marks its place.
    #[inline]
    pub(crate) fn read_content_field<'de, S: Source<'de, Mark = M>, K: Keep<'de, S>>(
        &mut self,
        source: &mut S,
        keep: &mut K,
    ) -> Result<(), Fault> {
        if let Some(event_type) = self.event_type.take() {
            self.event = Some(read_content(event_type, source, keep)?);
        } else {
            let start = source.mark();
            source.skip()?;
            self.skipped = Some((start, source.mark()));
        }
        Ok(())
    }

    /// Returns the event after all fields of the object have been read. Reads content that was skipped.
    #[inline]
    pub(crate) fn finish<'de, S: Source<'de, Mark = M>, K: Keep<'de, S>>(
        self,
        source: &mut S,
        keep: &mut K,
    ) -> Result<Event, Fault> {
        match self {
            Self { event: Some(event), .. } => Ok(event),
            Self { event_type: Some(event_type), skipped: Some(skipped), .. } => {
                read_skipped(event_type, skipped, source, keep).map_err(|fault| fault.in_field("content"))
            }
            // A field is missing. This never happens, because the caller has checked that both are there.
            _ => Err(Fault::new(Problem::Missing, source.offset())),
        }
    }
}

#[cold]
fn read_skipped<'de, S: Source<'de>, K: Keep<'de, S>>(
    event_type: EventType,
    (start, end): (S::Mark, S::Mark),
    source: &mut S,
    keep: &mut K,
) -> Result<Event, Fault> {
    let here = source.mark();
    source.return_to(start);
    let event = read_content(event_type, source, keep)?;
    // `skip` accepts some text that is not JSON, such as `1-2`, and can go further than the reader did.
    if source.mark() != end {
        return Err(Fault::not_json());
    }
    source.return_to(here);
    Ok(event)
}

/// Reads an object with the keys `event` and `content`. Other keys are ignored.
///
/// # Errors
///
/// The error of the format contains the text of a [`DecodeError`]. See
/// [Through serde](crate::guide::through_serde).
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let buffered = Buffered::read(deserializer)?;
        read_event(&mut buffered.cursor()).map_err(|fault| D::Error::custom(DecodeError::buffered(fault, &buffered)))
    }
}

fn read_event<'de, S: Source<'de>>(source: &mut S) -> Result<Event, Fault> {
    let mut parts = Parts::NEW;
    wire::read_object! { source, required: 0b11, {
        event => parts.read_event_field(source),
        content => parts.read_content_field(source, &mut KeepAll),
    } _key => source.skip() }
    parts.finish(source, &mut KeepAll)
}

/// Reads an object with the keys `event` and `content`. Other keys are ignored.
///
/// # Errors
///
/// Fails as [`Event`] does, and also if the event is documented.
impl<'de> Deserialize<'de> for UnknownEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Event::deserialize(deserializer)? {
            Event::Unknown(event) => Ok(event),
            _ => Err(D::Error::custom("expected an unknown event, found a documented one")),
        }
    }
}

/// Writes an object with the keys `event` and `content`.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_parts(self.name(), &EventContent(self), serializer)
    }
}

/// Writes an object with the keys `event` and `content`.
impl Serialize for UnknownEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_parts(self.name(), self.content(), serializer)
    }
}

fn serialize_parts<S: Serializer>(name: &str, content: &impl Serialize, serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_struct("Event", 2)?;
    object.serialize_field("event", name)?;
    object.serialize_field("content", content)?;
    object.end()
}

/// Serializes the content of an event, without its name.
pub(crate) struct EventContent<'a>(pub &'a Event);
