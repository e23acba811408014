//! How an event is read and written: its content, given its name.

use alloc::vec::Vec;
use core::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value;

use super::{Event, UnknownEvent};
use crate::content::{Item, OfflineFormContent, PreChatFormContent, UnrepliedContent};
use crate::event_type::EventType;
use crate::wire::{self, Accept, Buffered, Key, Visit};

/// Reads the content of an event whose type is known.
pub(crate) struct ContentOf(pub EventType);

impl<'de> DeserializeSeed<'de> for ContentOf {
    type Value = Event;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Event, D::Error> {
        match self.0 {
            EventType::Unreplied => Visit(Items::NEW).deserialize(deserializer).map(Event::Unreplied),
            EventType::PreChatFormSubmit => Visit(Items::NEW).deserialize(deserializer).map(Event::PreChatFormSubmit),
            EventType::OfflineFormSubmit => Visit(Items::NEW).deserialize(deserializer).map(Event::OfflineFormSubmit),
            EventType::Unknown(name) => {
                let content = Value::deserialize(deserializer)?;
                Ok(Event::Unknown(UnknownEvent { name, content }))
            }
        }
    }
}

struct Items<T>(PhantomData<T>);

impl<T> Items<T> {
    const NEW: Self = Self(PhantomData);
}

impl<'de, T: Item> Accept<'de> for Items<T> {
    type Value = Vec<T>;
    const EXPECTED: &'static str = "an array";

    fn array<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while seq.next_element_seed(Push(&mut items))?.is_some() {}
        Ok(items)
    }
}

struct Push<'a, T>(&'a mut Vec<T>);

impl<'de, T: Item> DeserializeSeed<'de> for Push<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        T::read_then(deserializer, |item| {
            if self.0.is_empty() {
                // Nearly every body carries one item.
                self.0.reserve_exact(1);
            }
            self.0.push(item);
        })
    }
}

/// Puts the fields of each item into the order of the page, so that of several faults the same one is always the first. Content
/// that is not documented is taken out, for its reader is not ours and may quote it.
pub(crate) fn arrange_content(content: &mut Buffered<'_>, event_type: &EventType) {
    let fields = match event_type {
        EventType::Unreplied => UnrepliedContent::FIELDS,
        EventType::PreChatFormSubmit => PreChatFormContent::FIELDS,
        EventType::OfflineFormSubmit => OfflineFormContent::FIELDS,
        EventType::Unknown(_) => return *content = Buffered::Null,
    };
    for item in content.items_mut().into_iter().flatten() {
        item.arrange_fields(fields);
    }
}

/// From an object of `event` and `content`; other keys are passed over.
impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::read(NameAndContent, deserializer)
    }
}

/// From an object of `event` and `content`; an error if the event is documented.
impl<'de> Deserialize<'de> for UnknownEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Event::deserialize(deserializer)? {
            Event::Unknown(event) => Ok(event),
            _ => Err(wire::unexpected("an event that is not documented", "one that is")),
        }
    }
}

struct NameAndContent;

impl<'de> Accept<'de> for NameAndContent {
    type Value = Event;
    const EXPECTED: &'static str = "an object";

    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
        let mut event_type = None;
        let mut content = None;
        while let Some(key) = map.next_key_seed(Visit(Key))? {
            match &*key {
                "event" if event_type.is_some() => return Err(A::Error::duplicate_field("event")),
                "event" => event_type = Some(map.next_value()?),
                "content" if content.is_some() => return Err(A::Error::duplicate_field("content")),
                "content" => content = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let Some(event_type) = event_type else { return Err(A::Error::missing_field("event")) };
        let Some(content): Option<Buffered<'_>> = content else { return Err(A::Error::missing_field("content")) };
        ContentOf(event_type).deserialize(&content).map_err(A::Error::custom)
    }
}

/// As an object of `event` and `content`.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_parts(&self.event_type(), &EventContent(self), serializer)
    }
}

/// As an object of `event` and `content`.
impl Serialize for UnknownEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_parts(self.name(), self.content(), serializer)
    }
}

fn serialize_parts<S: Serializer>(
    event: &(impl Serialize + ?Sized),
    content: &impl Serialize,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_struct("Event", 2)?;
    object.serialize_field("event", event)?;
    object.serialize_field("content", content)?;
    object.end()
}

/// The content alone.
pub(crate) struct EventContent<'a>(pub &'a Event);

impl Serialize for EventContent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Event::Unreplied(items) => items.serialize(serializer),
            Event::PreChatFormSubmit(items) => items.serialize(serializer),
            Event::OfflineFormSubmit(items) => items.serialize(serializer),
            Event::Unknown(event) => event.content.serialize(serializer),
        }
    }
}
