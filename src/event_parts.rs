//! The two fields of an event, `event` and `content`: how an event is built from them, read in any order, and written.

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;

use crate::documented::documented;
use crate::error::DecodeError;
use crate::event::{Event, UnknownEvent};
use crate::event_type::EventType;
use crate::items::{Keep, KeepAll, read_items, write_items};
use crate::wire::{self, Buffered, Fault, Problem, Source, Writer};

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
    // `skip` accepts some text that is not JSON, such as `1-2`. In `1-2`, the reader stops before the `-`, but `skip`
    // has moved past it. So the text is not JSON if the two ends differ.
    if source.mark() != end {
        return Err(Fault::not_json());
    }
    source.return_to(here);
    Ok(event)
}

macro_rules! content_by_event {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
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

        /// Writes the content of an event, without its name.
        pub(crate) fn write_content(event: &Event, writer: &mut Writer) {
            match event {
                $(Event::$Variant(items) => write_items(items, writer),)*
                Event::Unknown(event) => writer.value(&event.content),
            }
        }
    };
}

documented! { content_by_event }

/// The content of an event, without its name.
pub(crate) struct EventContent<'a>(pub &'a Event);

impl Serialize for EventContent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Event::Unknown(event) => event.content.serialize(serializer),
            event => serializer.collect_seq(event.contents()),
        }
    }
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
