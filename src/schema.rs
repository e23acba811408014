//! The feature `schemars`: JSON Schemas of what the platform documents.
//!
//! In these schemas, every documented field is required, numbers are integers, and a [`Status`] is a string. This is
//! also the form that the crate writes. The schemas do not allow the other forms that the crate can read, such as a
//! number in a string, or a missing text field.
//!
//! The schemas allow unknown fields, unknown statuses, and unknown events with any content. There are two exceptions.
//! The schema of [`DocumentedPayload`] does not allow unknown events. The schema of [`DocumentedStatus`] allows only
//! the documented integers. No schema contains the limits of [`validate`](crate::validate). So everything that the
//! crate writes matches the schema of its type.
//!
//! Objects have schemas of their own, with names. [`Status`] and [`Timestamp`] have no named schema: a Python
//! generator would make a class from a named schema, and an instance of this class does not equal `"1"`.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, json};

use crate::content;
use crate::documented::documented;
use crate::event::{Event, UnknownEvent};
use crate::event_type::EventType;
use crate::fixtures;
use crate::item::{Item, ValueMut};
use crate::payload::{self, Payload};
use crate::status::{DocumentedStatus, Status};
use crate::timestamp::Timestamp;

/// Writes the two functions that name a type in a schema. The id contains the name of the crate, because another crate
/// may have a type of the same name.
macro_rules! schema_names {
    ($Type:ident) => {
        fn schema_name() -> Cow<'static, str> {
            stringify!($Type).into()
        }

        fn schema_id() -> Cow<'static, str> {
            concat!("twt_chat_webhooks::", stringify!($Type)).into()
        }
    };
}

type Property = (&'static str, Schema);

/// The schema of an object in which these fields are required, and other fields are allowed.
fn object_schema(description: &str, properties: impl IntoIterator<Item = Property>) -> Schema {
    let mut required = Vec::new();
    let mut schemas = Map::new();
    for (name, schema) in properties {
        required.push(name);
        schemas.insert(name.into(), schema.into());
    }
    json_schema!({ "description": description, "type": "object", "properties": schemas, "required": required })
}

/// The schema of a field. It has no `format`, because a validator in strict mode refuses a format that it does not
/// know. For `uint32`, a `maximum` says the same.
fn property_schema<T: JsonSchema>(name: &'static str, description: &str, generator: &mut SchemaGenerator) -> Property {
    let mut schema = generator.subschema_for::<T>();
    if schema.remove("format") == Some("uint32".into()) {
        schema.insert("maximum".into(), u32::MAX.into());
    }
    schema.insert("description".into(), description.into());
    (name, schema)
}

/// The schema of an item of the event.
fn item_schema<T: Item>(event_type: &EventType, generator: &mut SchemaGenerator) -> Schema {
    let mut properties = Vec::new();
    T::blank().each_value(|name, description, value| {
        properties.push(match value {
            // On the wire, `None` is `""`.
            ValueMut::String(_) | ValueMut::Option(_) => property_schema::<String>(name, description, generator),
            ValueMut::Timestamp(_) => property_schema::<Timestamp>(name, description, generator),
            ValueMut::Status(_) => property_schema::<Status>(name, description, generator),
            ValueMut::u32(_) => property_schema::<u32>(name, description, generator),
            ValueMut::u64(_) => property_schema::<u64>(name, description, generator),
        });
    });
    object_schema(&format!("An item of the content of {event_type}"), properties)
}

/// A type that is written as an object with an event: a [`Payload`], or an [`Event`] by itself.
trait EventObject {
    const NAME: &'static str;
    const DESCRIPTION: &'static str;
    const FIELDS: &'static [&'static str];
}

impl EventObject for Payload {
    const NAME: &'static str = "Payload";
    const DESCRIPTION: &'static str = "The body of a webhook request of TWT Chat";
    const FIELDS: &'static [&'static str] = payload::FIELDS;
}

impl EventObject for Event {
    const NAME: &'static str = "Event";
    const DESCRIPTION: &'static str = "An event with its content";
    const FIELDS: &'static [&'static str] = &["event", "content"];
}

/// The content of an event: items of a documented event, or unknown content.
trait AnyContent {
    const VARIANT: &'static str;
    const DESCRIPTION: &'static str;

    fn event(generator: &mut SchemaGenerator) -> Property;
    fn content(generator: &mut SchemaGenerator) -> Property;
}

impl AnyContent for UnknownEvent {
    const VARIANT: &'static str = "Unknown";
    const DESCRIPTION: &'static str = "an unknown event";

    fn event(generator: &mut SchemaGenerator) -> Property {
        let (name, mut schema) = property_schema::<EventType>("event", "Name of an unknown event", generator);
        schema.insert("not".into(), json!({ "enum": EventType::DOCUMENTED }));
        (name, schema)
    }

    /// The schema lists all JSON types. If a schema has no type, some code generators take it for an object.
    fn content(_: &mut SchemaGenerator) -> Property {
        let schema = json_schema!({
            "description": "Content of an unknown event: any JSON",
            "type": ["array", "object", "string", "number", "boolean", "null"],
        });
        ("content", schema)
    }
}

/// The schema of an object `E` with an event whose content is `C`. It has a name of its own, such as
/// `UnrepliedPayload`, so that code generators make a type with this name.
struct ObjectWith<E, C>(PhantomData<(E, C)>);

impl<E: EventObject, C: AnyContent> JsonSchema for ObjectWith<E, C> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}{}", C::VARIANT, E::NAME).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("twt_chat_webhooks::{}", Self::schema_name()).into()
    }

    /// The descriptions of the fields are from the platform's *Payload Structure* page.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let field = |name: &&'static str| match *name {
            "created_at" => property_schema::<Timestamp>(name, "When the request was sent", generator),
            "event" => C::event(generator),
            "webhook_id" => property_schema::<String>(name, "Unique webhook identifier", generator),
            _ => C::content(generator),
        };
        object_schema(&format!("{}: {}", E::DESCRIPTION, C::DESCRIPTION), E::FIELDS.iter().map(field))
    }
}

macro_rules! schema_contents {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        $(
            /// An object with all documented fields. Unknown fields are allowed.
            #[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
            impl JsonSchema for content::$Content {
                schema_names! { $Content }

                fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                    item_schema::<Self>(&EventType::$Variant, generator)
                }
            }

            impl AnyContent for content::$Content {
                const VARIANT: &'static str = stringify!($Variant);
                const DESCRIPTION: &'static str = concat!("the event ", stringify!($NAME));

                fn event(_: &mut SchemaGenerator) -> Property {
                    let name = EventType::$Variant;
                    ("event", json_schema!({ "description": "Event name", "type": "string", "const": name }))
                }

                fn content(generator: &mut SchemaGenerator) -> Property {
                    property_schema::<Vec<Self>>("content", "Items of the event", generator)
                }
            }
        )*

        /// The schemas of an object `E`, one for each documented event.
        fn documented_parts<E: EventObject>(generator: &mut SchemaGenerator) -> Vec<Schema> {
            [$(generator.subschema_for::<ObjectWith<E, content::$Content>>(),)*].into()
        }
    };
}

documented! { schema_contents }

/// The schema of an object `E` with any event. The name of the event decides which part of the schema applies.
fn any_event<E: EventObject>(generator: &mut SchemaGenerator) -> Schema {
    let mut parts = documented_parts::<E>(generator);
    parts.push(generator.subschema_for::<ObjectWith<E, UnknownEvent>>());
    json_schema!({ "description": E::DESCRIPTION, "oneOf": parts })
}

/// Adds the documented bodies as the examples of a schema.
fn with_examples(mut schema: Schema) -> Schema {
    let examples: Vec<_> = EventType::DOCUMENTED.iter().filter_map(fixtures::payload).collect();
    schema.insert("examples".into(), json!(examples));
    schema
}

/// The schema of the body of a request, as the platform documents it. The documented bodies are the examples of the
/// schema.
///
/// Every payload that this crate writes matches this schema. The crate can also read bodies that do not match it, for
/// example a body with a number in a string.
///
/// `schemars::schema_for!(Payload)` returns the schema.
///
/// The schema has a named part for each documented event, and one for all unknown events: `UnrepliedPayload`,
/// `PreChatFormSubmitPayload`, `OfflineFormSubmitPayload` and `UnknownPayload`. Code generators of other languages make
/// a type from each part. In the repository, `schema/payload.schema.json` is this schema.
///
/// This schema does not suit every code generator. In the part for unknown events, `event` is any string except the
/// documented names, and some generators ignore the exception. Their code may then take a malformed documented body
/// for an unknown event. [`DocumentedPayload`] is the schema without this part.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for Payload {
    schema_names! { Payload }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        with_examples(any_event::<Self>(generator))
    }
}

/// The closed schema: the body of a request with a documented event. It is meant for code generators.
///
/// The type has no values. It only names a schema: `schemars::schema_for!(DocumentedPayload)` returns the schema of
/// [`Payload`] without the part for unknown events. Therefore:
///
/// - Generated TypeScript narrows the type of a body by its `event`.
/// - A generated Python model refuses a malformed documented body. It does not take the body for an unknown event.
///
/// Unknown fields and unknown statuses match the schema. An unknown event does not match, and the platform may add
/// events. So look at `event` first, and keep a body whose event is unknown.
///
/// In the repository, `schema/documented-payload.schema.json` is this schema. `schema/openapi.json` describes the
/// requests, and has the schema as the component `DocumentedPayload`.
///
/// ```
/// use schemars::schema_for;
/// use twt_chat_webhooks::{DocumentedPayload, EventType};
///
/// let schema = schema_for!(DocumentedPayload);
/// let parts = schema.get("oneOf").and_then(|parts| parts.as_array()).unwrap();
/// assert_eq!(parts[0]["$ref"], "#/$defs/UnrepliedPayload");
/// assert_eq!(parts.len(), EventType::DOCUMENTED.len());
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DocumentedPayload {}

#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for DocumentedPayload {
    schema_names! { DocumentedPayload }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let parts = documented_parts::<Payload>(generator);
        with_examples(json_schema!({
            "description": "The body of a webhook request of TWT Chat with a documented event",
            "oneOf": parts,
        }))
    }
}

/// An object with the keys `event` and `content`, which is the form of an event by itself.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for Event {
    schema_names! { Event }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        any_event::<Self>(generator)
    }
}

/// Any string, with the documented names as examples.
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for EventType {
    schema_names! { EventType }

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
    schema_names! { Status }

    fn inline_schema() -> bool {
        true
    }

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
    schema_names! { DocumentedStatus }

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

/// The text `1: unreplied, 2: queued, …`, as on the platform's *Event Types* page.
fn statuses_in_words() -> String {
    documented_statuses().map(|status| format!("{}: {status}", u8::from(status))).collect::<Vec<_>>().join(", ")
}

/// An integer of Unix seconds, from [`Timestamp::MIN`] to [`Timestamp::MAX`].
#[cfg_attr(docsrs, doc(cfg(feature = "schemars")))]
impl JsonSchema for Timestamp {
    schema_names! { Timestamp }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Unix seconds",
            "type": "integer",
            "minimum": Self::MIN,
            "maximum": Self::MAX,
        })
    }
}
