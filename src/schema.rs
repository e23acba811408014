//! JSON Schema of what the platform sends, for the feature `schemars`.
//!
//! A schema says what the platform's pages say: every documented field is there, numbers are integers, a status is a string. The
//! tolerant readings (a digit string, a missing text) are not in it, and neither are the limits of [`validate`](crate::validate).
//! What may grow stays open: other events with any content, other statuses, other fields. So whatever the crate writes conforms.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::content;
use crate::documented::documented;
use crate::event::Event;
use crate::event_type::EventType;
use crate::fixtures;
use crate::payload::{self, Payload};
use crate::status::{DocumentedStatus, Status};
use crate::timestamp::Timestamp;

/// The names of a type in a schema. Another crate may have an `Event` too, so the crate is part of the one that tells them apart.
macro_rules! name {
    ($Type:ident) => {
        fn schema_name() -> ::alloc::borrow::Cow<'static, str> {
            stringify!($Type).into()
        }

        fn schema_id() -> ::alloc::borrow::Cow<'static, str> {
            concat!("twt_chat_webhooks::", stringify!($Type)).into()
        }
    };
}

/// The schema of a content type, from its fields in the order of the page.
macro_rules! item {
    ($Type:ident, $Variant:ident { $($field:ident $description:literal,)* }) => {
        /// The item as the platform documents it, with every documented field; others are allowed.
        #[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
        impl ::schemars::JsonSchema for $Type {
            $crate::schema::name! { $Type }

            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                $crate::schema::item_object(&$crate::EventType::$Variant, [$(
                    $crate::schema::item_property(
                        stringify!($field),
                        $description,
                        |item: &Self| &item.$field,
                        generator,
                    ),
                )*])
            }
        }
    };
}

pub(crate) use {item, name};

/// The type whose form a field has on the wire.
pub(crate) trait OnWire {
    type As: JsonSchema;
}

macro_rules! on_wire {
    ($($Type:ty => $As:ty,)*) => {$(
        impl OnWire for $Type {
            type As = $As;
        }
    )*};
}

on_wire! {
    String => String,
    // The platform writes none as an empty text.
    Option<String> => String,
    u32 => u32,
    u64 => u64,
    Status => Status,
    Timestamp => Timestamp,
}

type Property = (&'static str, Schema);

/// An object in which all these fields are there, and others may be.
fn object(description: &str, properties: impl IntoIterator<Item = Property>) -> Schema {
    let mut required = Vec::new();
    let mut schemas = Map::new();
    for (name, schema) in properties {
        required.push(name);
        schemas.insert(name.into(), schema.into());
    }
    json_schema!({ "description": description, "type": "object", "properties": schemas, "required": required })
}

fn property<T: JsonSchema>(name: &'static str, description: &str, generator: &mut SchemaGenerator) -> Property {
    let mut schema = generator.subschema_for::<T>();
    schema.insert("description".into(), description.into());
    (name, schema)
}

pub(crate) fn item_object(event_type: &EventType, properties: impl IntoIterator<Item = Property>) -> Schema {
    object(&format!("An item of the content of {event_type}"), properties)
}

/// A field of an item; the function only says which type it has.
pub(crate) fn item_property<T, F: OnWire>(
    name: &'static str,
    description: &str,
    _: fn(&T) -> &F,
    generator: &mut SchemaGenerator,
) -> Property {
    property::<F::As>(name, description, generator)
}

/// An object with these fields of the envelope, in which the name of the event decides what its content is.
fn envelope_object(description: &str, fields: &[&'static str], generator: &mut SchemaGenerator) -> Schema {
    let mut schema = object(description, fields.iter().map(|name| envelope_property(name, generator)));
    let contents: Vec<_> = EventType::DOCUMENTED.iter().filter_map(|event| content_of(event, generator)).collect();
    schema.insert("allOf".into(), contents.into());
    schema
}

/// A field of the envelope, in the words of the *Payload Structure* page.
fn envelope_property(name: &'static str, generator: &mut SchemaGenerator) -> Property {
    match name {
        "created_at" => property::<Timestamp>(name, "When the request was sent", generator),
        "event" => property::<EventType>(name, "Event name, which decides what `content` is", generator),
        "webhook_id" => property::<String>(name, "Unique webhook identifier", generator),
        _ => property::<Value>(name, "What the event carries, an array for the documented ones", generator),
    }
}

macro_rules! contents {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        /// What the content of a documented event is.
        fn content_of(event_type: &EventType, generator: &mut SchemaGenerator) -> Option<Value> {
            let items = match event_type {
                $(EventType::$Variant => generator.subschema_for::<Vec<content::$Content>>(),)*
                EventType::Unknown(_) => return None,
            };
            Some(json!({
                "if": { "properties": { "event": { "const": event_type } }, "required": ["event"] },
                "then": { "properties": { "content": items } },
            }))
        }
    };
}

documented! { contents }

/// The body of a request as the platform documents it, with the three documented bodies as examples.
///
/// The repository has it as `schema/payload.schema.json`.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for Payload {
    name! { Payload }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let description = "The body of a webhook request of TWT Chat: an event in its envelope";
        let mut schema = envelope_object(description, payload::FIELDS, generator);
        let examples: Vec<_> = EventType::DOCUMENTED.iter().filter_map(fixtures::payload).collect();
        schema.insert("examples".into(), json!(examples));
        schema
    }
}

/// An object of `event` and `content`, as the event is written by itself.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for Event {
    name! { Event }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        envelope_object("An event and what it carries", &["event", "content"], generator)
    }
}

/// Any string, with the documented names as examples.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for EventType {
    name! { EventType }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Event name; more may be added",
            "type": "string",
            "examples": Self::DOCUMENTED,
        })
    }
}

/// Any string, with the documented statuses as examples.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for Status {
    name! { Status }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": format!("Status ({})", statuses_in_words()),
            "type": "string",
            "examples": Self::DOCUMENTED,
        })
    }
}

/// One of the documented integers.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for DocumentedStatus {
    name! { DocumentedStatus }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": format!("Status ({})", statuses_in_words()),
            "type": "integer",
            "enum": documented_statuses().collect::<Vec<_>>(),
        })
    }
}

fn documented_statuses() -> impl Iterator<Item = DocumentedStatus> {
    Status::DOCUMENTED.iter().filter_map(Status::documented)
}

/// `1: unreplied, 2: queued, …`, as the *Event Types* page has it.
fn statuses_in_words() -> String {
    documented_statuses().map(|status| format!("{}: {status}", u8::from(status))).collect::<Vec<_>>().join(", ")
}

/// An integer in the range of the type.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for Timestamp {
    name! { Timestamp }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Unix seconds",
            "type": "integer",
            "format": "int64",
            "minimum": Self::MIN,
            "maximum": Self::MAX,
        })
    }
}
