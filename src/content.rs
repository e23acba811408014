//! The items in the content of a documented event, one for each message or form.

mod offline_form;
mod pre_chat_form;
mod unreplied;

use alloc::string::String;
use core::fmt::Debug;

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

// Each of these modules exports a content type and its builder. The crate root exports all of them again.
pub use self::offline_form::*;
pub use self::pre_chat_form::*;
use self::sealed::{AnyItem, Internal};
pub use self::unreplied::*;
use crate::documented::documented;
use crate::event_type::EventType;
use crate::item_key::ItemKey;
use crate::timestamp::Timestamp;

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
    fn event_type(&self) -> EventType;
    /// The subject of the conversation, or `""`.
    fn subject(&self) -> &str;
    /// The visitor's name, such as `Visitor15`, or `""`.
    fn visitor_name(&self) -> &str;
    /// When the visitor wrote the message, or when the form was created.
    fn created_at(&self) -> Timestamp;
    /// The message or the form as text, or `""`.
    fn message_content(&self) -> &str;
    /// The name of the project that the conversation belongs to, or `""`.
    fn property_name(&self) -> &str;
    /// The visitor's nickname, or `None` if the visitor has none.
    fn visitor_nickname(&self) -> Option<&str>;
    /// The customer identifier, or `None` for a visitor who is not identified.
    fn sbs(&self) -> Option<&str>;
    /// The nickname of the assigned agent, or `None` if no agent is assigned.
    fn assigned_agent_nickname(&self) -> Option<&str>;
    /// The unknown fields of the item, unchanged.
    fn extra(&self) -> &Map<String, Value>;

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

/// The private half of [`Content`]. Other crates cannot name this module, so they cannot implement `Content`.
pub(crate) mod sealed {
    use crate::documented::documented;
    use crate::item_key::KeyParts;

    pub trait Sealed: Keyed {
        /// The item with its concrete type, in a variant of [`AnyItem`].
        fn item(&self, _: Internal) -> AnyItem<'_>;
    }

    /// What the idempotency key of an item contains. The file of each content type implements it.
    #[diagnostic::on_unimplemented(message = "`{Self}` does not say which of its fields make the key of an item")]
    pub trait Keyed {
        /// The fields that tell the item from all other items of its event, however often the item is delivered.
        ///
        /// A field that can change between a delivery and its retry must not be among them. For each content type, the
        /// list is the same in every version, because the keys are stored.
        fn key_parts(&self, _: Internal) -> KeyParts<'_>;
    }

    /// An argument that other crates cannot build. Without it, they could call [`Sealed::item`] on a `dyn Content`.
    #[derive(Debug, Clone, Copy)]
    pub struct Internal;

    macro_rules! any_item {
        ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
            /// An item of any documented event.
            #[derive(Debug, Clone, Copy)]
            pub enum AnyItem<'a> {
                $($Variant(&'a super::$Content),)*
            }

            impl AnyItem<'_> {
                /// The name of the item's event on the wire.
                pub(crate) fn event(self) -> &'static str {
                    match self {
                        $(Self::$Variant(_) => stringify!($NAME),)*
                    }
                }
            }
        };
    }

    documented! { any_item }
}

macro_rules! serialize_content {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
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

documented! { serialize_content }

/// Writes the code that is alike for all content types: reading, writing, [`Content`], the builder, and the traits of
/// the features `arbitrary` and `schemars`.
///
/// The arguments are the content type, its builder, its variant in the enums, and the documented fields in the order of
/// the page. Each field has its type and its description in the schema. A field that is neither text nor a `Timestamp`
/// also has its default in the builder.
macro_rules! content {
    ($Type:ident, $Builder:ident, $Variant:ident {
        $($field:ident: $Field:ident $(<$Inner:ident>)? $(= $default:expr)?, $description:literal;)*
    }) => {
        impl $Type {
            /// Starts a builder from the two fields that have no default.
            ///
            /// Text fields start empty. The other setters document their defaults. To pass
            /// [`Payload::validate`](crate::Payload::validate), set `subject` and `property_name` too.
            pub fn builder(visitor_name: impl Into<String>, created_at: Timestamp) -> $Builder {
                $Builder($Type {
                    visitor_name: visitor_name.into(),
                    created_at,
                    $($($field: $default,)?)*
                    ..<Self as $crate::item::Item>::blank()
                })
            }

            /// The unknown fields of the item, unchanged.
            #[must_use]
            pub fn extra(&self) -> &Map<String, Value> {
                &self.extra
            }

            /// The idempotency key of the item. It is the same each time the item is delivered.
            ///
            /// [`ItemKey`](crate::ItemKey) says what the key contains, and how to store it.
            #[must_use]
            pub fn key(&self) -> $crate::ItemKey<'_> {
                $crate::content::Content::key(self)
            }
        }

        #[doc = concat!("Builds [`", stringify!($Type), "`]. Made by [`", stringify!($Type), "::builder`].")]
        ///
        /// ```
        #[doc = concat!("use twt_chat_webhooks::{Timestamp, ", stringify!($Type), "};")]
        ///
        #[doc = concat!("let item = ", stringify!($Type), "::builder(\"Visitor15\", Timestamp::UNIX_EPOCH)")]
        ///     .subject("New Conversation")
        ///     .property_name("test")
        ///     .sbs("")
        ///     .build();
        /// assert_eq!(item.visitor_name, "Visitor15");
        /// assert_eq!(item.sbs, None);
        /// ```
        ///
        /// `Debug` shows the text fields of the item, which may hold what a visitor wrote.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[must_use]
        pub struct $Builder($Type);

        impl $Builder {
            $($crate::content::setter! { $Type $field $Field $(<$Inner>)? $(= $default)? })*

            /// Returns the item. Never fails.
            #[must_use]
            pub fn build(self) -> $Type {
                self.0
            }
        }

        impl $crate::content::sealed::Sealed for $Type {
            fn item(&self, _: $crate::content::sealed::Internal) -> $crate::content::sealed::AnyItem<'_> {
                $crate::content::sealed::AnyItem::$Variant(self)
            }
        }

        impl $crate::content::Content for $Type {
            fn event_type(&self) -> $crate::EventType {
                $crate::EventType::$Variant
            }

            fn subject(&self) -> &str {
                &self.subject
            }

            fn visitor_name(&self) -> &str {
                &self.visitor_name
            }

            fn created_at(&self) -> Timestamp {
                self.created_at
            }

            fn message_content(&self) -> &str {
                &self.message_content
            }

            fn property_name(&self) -> &str {
                &self.property_name
            }

            fn visitor_nickname(&self) -> Option<&str> {
                self.visitor_nickname.as_deref()
            }

            fn sbs(&self) -> Option<&str> {
                self.sbs.as_deref()
            }

            fn assigned_agent_nickname(&self) -> Option<&str> {
                self.assigned_agent_nickname.as_deref()
            }

            fn extra(&self) -> &Map<String, Value> {
                &self.extra
            }
        }

        const _: () = {
            use serde::de::{Deserialize, Deserializer};
            use serde::ser::{Serialize, SerializeMap, Serializer};
            use $crate::item::{Item, read_item};
            use $crate::wire::{self, Fault, Field, Fields, SerdeFields, Source};

            const FIELDS: &[&str] = &[$(stringify!($field)),*];

            impl Item for $Type {
                fn blank() -> Self {
                    Self { $($field: Field::blank(),)* extra: Map::new() }
                }

                // Not inlined, so that a linker which optimizes can merge the readers of two equal types.
                #[inline(never)]
                fn read<'de, S: Source<'de>>(&mut self, source: &mut S) -> Result<(), Fault> {
                    let required = wire::required(&[$(<$Field $(<$Inner>)? as Field>::IS_REQUIRED),*]);
                    wire::read_object! { source, required: required, {
                        $($field => self.$field.read_into(source),)*
                    } key => wire::read_extra(&mut self.extra, key, source) }
                    Ok(())
                }

                #[inline]
                fn each_field<F: Fields>(&self, fields: &mut F) -> Result<(), F::Error> {
                    $(fields.field(wire::key!($field), self.$field.scalar())?;)*
                    Ok(())
                }
            }

            /// Reads an item by the rules of [Reading](crate::guide::reading).
            ///
            /// # Errors
            ///
            /// The error of the format contains the text of a [`DecodeError`](crate::DecodeError). See
            /// [Through serde](crate::guide::through_serde).
            impl<'de> Deserialize<'de> for $Type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    wire::deserialize(deserializer, |source| read_item(source))
                }
            }

            /// Writes the documented fields in the order of the page, then the unknown fields.
            impl Serialize for $Type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let mut fields = SerdeFields(serializer.serialize_map(Some(FIELDS.len() + self.extra.len()))?);
                    self.each_field(&mut fields)?;
                    for (key, value) in &self.extra {
                        fields.0.serialize_entry(key, value)?;
                    }
                    fields.0.end()
                }
            }
        };

        #[cfg(feature = "arbitrary")]
        $crate::arbitrary::impl_arbitrary! { $Type { $($field)* } }

        #[cfg(feature = "schemars")]
        $crate::schema::impl_schema! { $Type, $Variant { $($field $description,)* } }
    };
}

/// Writes the setter of a field in a builder. `visitor_name` and `created_at` have no setter, because `builder` takes
/// them.
macro_rules! setter {
    ($Type:ident visitor_name $Field:ident) => {};
    ($Type:ident created_at $Field:ident) => {};
    ($Type:ident $field:ident String) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](", stringify!($Type), "::", stringify!($field), ").")]
        pub fn $field(mut self, $field: impl Into<String>) -> Self {
            self.0.$field = $field.into();
            self
        }
    };
    ($Type:ident $field:ident Option<String>) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](", stringify!($Type), "::", stringify!($field), ").")]
        ///
        /// An empty text means `None`.
        pub fn $field(mut self, $field: impl Into<String>) -> Self {
            self.0.$field = $crate::wire::some_text($field.into());
            self
        }
    };
    ($Type:ident $field:ident $Field:ident = $default:expr) => {
        #[doc = concat!("Sets [`", stringify!($field), "`](", stringify!($Type), "::", stringify!($field), ").")]
        ///
        #[doc = concat!("The default is `", stringify!($default), "`.")]
        pub fn $field(mut self, $field: $Field) -> Self {
            self.0.$field = $field;
            self
        }
    };
    ($Type:ident $field:ident $Field:ident) => {
        compile_error!(concat!("`", stringify!($field), ": ", stringify!($Field), "` needs a default: `= …`"));
    };
}

use {content, setter};
