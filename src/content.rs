//! The items in the content of a documented event, one for each message or form.

mod builder;
mod offline_form;
mod pre_chat_form;
pub(crate) mod sealed;
mod unreplied;

use alloc::string::String;
use core::fmt::Debug;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

// Each of these modules exports a content type and its builder. The crate root exports all of them again.
pub use self::offline_form::*;
pub use self::pre_chat_form::*;
use self::sealed::{AnyItem, Internal};
pub use self::unreplied::*;
use crate::documented::documented;
use crate::event_type::EventType;
use crate::item::{Item, read_item};
use crate::item_key::ItemKey;
use crate::timestamp::Timestamp;
use crate::wire::{self, SerdeFields};

/// The eight fields that the items of all documented events share.
///
/// Use the trait in code that treats all events alike, such as a relay to a chat channel.
/// [`Payload::contents`](crate::Payload::contents) returns the items as `&dyn Content`. The trait is sealed, so that a
/// later version can add methods.
///
/// ```
/// use twt_chat_webhooks::{Content, Payload, fixtures};
///
/// fn notices(payload: &Payload) -> Vec<String> {
///     let notice = |item: &dyn Content| match item.push_times() {
///         Some(push) => format!("{} waits (push {push})", item.visitor_name()),
///         None => format!("{} filled in a form", item.visitor_name()),
///     };
///     payload.contents().map(notice).collect()
/// }
///
/// assert_eq!(notices(&fixtures::unreplied()), ["Visitor15 waits (push 4)"]);
/// let form = fixtures::offline_form_submit();
/// assert_eq!(notices(&form), ["Visitor15 filled in a form"]);
/// ```
///
/// A `&dyn Content` is serialized like the item itself:
///
/// ```
/// use twt_chat_webhooks::fixtures;
///
/// let payload = fixtures::unreplied();
/// for item in payload.contents() {
///     let json = serde_json::to_value(item)?;
///     assert_eq!(json["visitor_name"], "Visitor15");
///     assert_eq!(json["time_sec"], 289);
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// `Debug` of a `&dyn Content` shows what visitors wrote. To identify an item in a log, use its
/// [`event_type`](Self::event_type) and its [`created_at`](Self::created_at).
pub trait Content: sealed::Sealed + Debug + Send + Sync {
    /// The type of the event that the item belongs to.
    fn event_type(&self) -> EventType {
        self.item(Internal).event().into()
    }

    /// The subject of the conversation, or `""`.
    fn subject(&self) -> &str {
        self.item(Internal).shared().subject
    }

    /// The visitor's name, such as `Visitor15`, or `""`.
    fn visitor_name(&self) -> &str {
        self.item(Internal).shared().visitor_name
    }

    /// When the visitor wrote the message, or when the form was created.
    fn created_at(&self) -> Timestamp {
        self.item(Internal).shared().created_at
    }

    /// The message or the form as text, or `""`.
    fn message_content(&self) -> &str {
        self.item(Internal).shared().message_content
    }

    /// The name of the project that the conversation belongs to, or `""`.
    fn property_name(&self) -> &str {
        self.item(Internal).shared().property_name
    }

    /// The visitor's nickname, or `None` if the visitor has none.
    fn visitor_nickname(&self) -> Option<&str> {
        self.item(Internal).shared().visitor_nickname
    }

    /// The customer identifier, or `None` for a visitor who is not identified.
    fn sbs(&self) -> Option<&str> {
        self.item(Internal).shared().sbs
    }

    /// The nickname of the assigned agent, or `None` if no agent is assigned.
    fn assigned_agent_nickname(&self) -> Option<&str> {
        self.item(Internal).shared().assigned_agent_nickname
    }

    /// The unknown fields of the item.
    fn extra(&self) -> &Map<String, Value> {
        self.item(Internal).shared().extra
    }

    /// The idempotency key of the item. It is the same each time the item is delivered.
    ///
    /// [`ItemKey`] says what the key contains, and how to store it.
    fn key(&self) -> ItemKey<'_> {
        ItemKey { event: self.item(Internal).event(), parts: self.key_parts(Internal) }
    }

    /// The item, if it belongs to the event `UNREPLIED`, or `None`.
    fn as_unreplied(&self) -> Option<&UnrepliedContent> {
        match self.item(Internal) {
            AnyItem::Unreplied(message) => Some(message),
            _ => None,
        }
    }

    /// The `push_times` of an `UNREPLIED` item, or `None` for a form.
    fn push_times(&self) -> Option<u32> {
        self.as_unreplied().map(|message| message.push_times)
    }
}

macro_rules! content_types {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        $(
            impl $Content {
                /// The unknown fields of the item.
                #[must_use]
                pub fn extra(&self) -> &Map<String, Value> {
                    &self.extra
                }

                /// The idempotency key of the item. It is the same each time the item is delivered.
                ///
                /// [`ItemKey`](crate::ItemKey) says what the key contains, and how to store it.
                #[must_use]
                pub fn key(&self) -> ItemKey<'_> {
                    Content::key(self)
                }
            }

            impl Content for $Content {}

            /// Reads an item by the rules of [Reading](crate::guide::reading).
            ///
            /// # Errors
            ///
            /// The error of the format contains the text of a [`DecodeError`](crate::DecodeError). See
            /// [Through serde](crate::guide::through_serde).
            impl<'de> Deserialize<'de> for $Content {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    wire::deserialize(deserializer, |source| read_item(source))
                }
            }

            /// Writes the documented fields in the order of the platform's page, then the unknown fields.
            impl Serialize for $Content {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serialize_item(self, serializer)
                }
            }
        )*

        /// Serializes the item in the same way as its own type.
        impl Serialize for dyn Content + '_ {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.item(Internal) {
                    $(AnyItem::$Variant(item) => item.serialize(serializer),)*
                }
            }
        }
    };
}

documented! { content_types }

fn serialize_item<T: Item, S: Serializer>(item: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut fields = SerdeFields(serializer.serialize_map(Some(T::FIELDS.len() + item.extra().len()))?);
    item.each_field(&mut fields)?;
    for (key, value) in item.extra() {
        fields.0.serialize_entry(key, value)?;
    }
    fields.0.end()
}

/// Implements [`Item`] for a content type, and writes its builder.
///
/// The arguments are the content type, its builder, and the documented fields in the order of the platform's page.
/// Each field has its type and its description in the schema. A field that is neither text nor a `Timestamp` also has
/// its default in the builder.
macro_rules! content {
    ($Type:ident, $Builder:ident {
        $($field:ident: $Field:ident $(<$Inner:ident>)? $(= $default:expr)?, $description:literal;)*
    }) => {
        impl $crate::item::Item for $Type {
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn blank() -> Self {
                Self { $($field: $crate::wire::Field::blank(),)* extra: Map::new() }
            }

            // Not inlined, so that the compiler can use one copy of the code for two types with the same fields.
            #[inline(never)]
            fn read<'de, S: $crate::wire::Source<'de>>(&mut self, source: &mut S) -> Result<(), $crate::wire::Fault> {
                use $crate::wire::{self, Field};
                let required = wire::required(&[$(<$Field $(<$Inner>)? as Field>::IS_REQUIRED),*]);
                wire::read_object! { source, required: required, {
                    $($field => self.$field.read_into(source),)*
                } key => wire::read_extra(self.extra_mut(), key, source) }
                Ok(())
            }

            #[inline]
            fn each_field<F: $crate::wire::Fields>(&self, fields: &mut F) -> Result<(), F::Error> {
                $(fields.field($crate::wire::key!($field), $crate::wire::Field::scalar(&self.$field))?;)*
                Ok(())
            }

            fn each_value(&mut self, mut visit: impl FnMut(&'static str, &'static str, $crate::item::ValueMut<'_>)) {
                $(visit(stringify!($field), $description, $crate::item::ValueMut::$Field(&mut self.$field));)*
            }

            fn extra(&self) -> &Map<String, Value> {
                &self.extra
            }

            fn extra_mut(&mut self) -> &mut Map<String, Value> {
                &mut self.extra
            }
        }

        $crate::content::builder::builder! {
            $Type, $Builder { $($field: $Field $(<$Inner>)? $(= $default)?;)* }
        }
    };
}

use content;
