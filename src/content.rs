//! What an event carries: one item for each message or form.

mod offline_form;
mod pre_chat_form;
mod unreplied;

use alloc::string::String;
use core::fmt::Debug;

use serde::de::{Deserializer, Error};
use serde_json::{Map, Value};

pub use self::offline_form::{OfflineFormContent, OfflineFormContentBuilder};
pub use self::pre_chat_form::{PreChatFormContent, PreChatFormContentBuilder};
pub use self::unreplied::{UnrepliedContent, UnrepliedContentBuilder};
use crate::event_type::EventType;
use crate::timestamp::Timestamp;
use crate::wire::Field;

/// The eight fields that the items of all three documented events share.
///
/// For code that treats the events alike, such as a relay to a chat channel; see [`Event::contents`](crate::Event::contents).
/// Sealed: new methods may come with new fields.
///
/// ```
/// use twt_chat_webhooks::{Content, fixtures};
///
/// let payload = fixtures::offline_form_submit();
/// for content in payload.event.contents() {
///     assert_eq!(content.visitor_name(), "Visitor15");
///     assert_eq!(content.sbs(), None);
/// }
/// ```
pub trait Content: sealed::Sealed + Debug + Send + Sync {
    /// The event that carries such items.
    fn event_type(&self) -> EventType;
    /// The subject of the conversation.
    fn subject(&self) -> &str;
    /// The visitor's name, such as `Visitor15`.
    fn visitor_name(&self) -> &str;
    /// When the message or the form was created.
    fn created_at(&self) -> Timestamp;
    /// The message or the form, as text.
    fn message_content(&self) -> &str;
    /// The project that the conversation belongs to.
    fn property_name(&self) -> &str;
    /// The visitor's nickname, if any.
    fn visitor_nickname(&self) -> Option<&str>;
    /// The customer identifier, if the visitor is known.
    fn sbs(&self) -> Option<&str>;
    /// The nickname of the agent, if one is assigned.
    fn assigned_agent_nickname(&self) -> Option<&str>;
    /// The fields that this version does not document, as they came.
    fn extra(&self) -> &Map<String, Value>;
}

mod sealed {
    pub trait Sealed {}
}

/// What decoding needs to know of a content type.
pub(crate) trait Item: Content + Sized {
    /// The documented fields, in the order of the page.
    const FIELDS: &[&str];

    /// Reads an item and does something with it on the spot, which saves moving it out through all the layers of a parser.
    fn read_then<'de, D: Deserializer<'de>, R>(deserializer: D, then: impl FnOnce(Self) -> R) -> Result<R, D::Error>;
}

/// What a missing field means.
#[cold]
pub(crate) fn absent<T: Field, E: Error>(name: &'static str) -> Result<T, E> {
    T::absent().ok_or_else(|| E::missing_field(name))
}

/// The mechanical half of a content type: reading, writing, [`Content`], and the builder.
///
/// Names the struct, its builder, its event, the documented fields in the order of the page, and for each field that the
/// other events do not have its type and the builder's default.
macro_rules! content {
    ($Type:ident, $Builder:ident, $event:ident {
        $($field:ident)*
    } $({
        $($own:ident: $Own:ty = $default:expr;)*
    })?) => {
        impl $Type {
            /// Starts an item from what has no natural default. Texts are empty, and the rest as its setter says, until set.
            ///
            /// (To pass [`Payload::validate`](crate::Payload::validate), set `subject` and `property_name`.)
            pub fn builder(visitor_name: impl Into<String>, created_at: Timestamp) -> $Builder {
                $Builder($Type {
                    visitor_name: visitor_name.into(),
                    created_at,
                    subject: String::new(),
                    message_content: String::new(),
                    property_name: String::new(),
                    visitor_nickname: None,
                    sbs: None,
                    assigned_agent_nickname: None,
                    $($($own: $default,)*)?
                    extra: Map::new(),
                })
            }

            /// The fields that this version does not document, as they came.
            #[must_use]
            pub fn extra(&self) -> &Map<String, Value> {
                &self.extra
            }
        }

        #[doc = concat!("Builds [`", stringify!($Type), "`], from [`", stringify!($Type), "::builder`].")]
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
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[must_use]
        pub struct $Builder($Type);

        impl $Builder {
            $crate::content::setters! { $Type text subject message_content property_name }
            $crate::content::setters! { $Type optional visitor_nickname sbs assigned_agent_nickname }
            $($(
                #[doc = concat!(
                    "Sets [`", stringify!($own), "`](", stringify!($Type), "::", stringify!($own), "), which is `",
                    stringify!($default), "` unless set.",
                )]
                pub fn $own(mut self, $own: $Own) -> Self {
                    self.0.$own = $own;
                    self
                }
            )*)?

            /// The item.
            #[must_use]
            pub fn build(self) -> $Type {
                self.0
            }
        }

        impl $crate::content::sealed::Sealed for $Type {}

        impl Content for $Type {
            fn event_type(&self) -> EventType {
                EventType::$event
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
            use serde::de::{Deserialize, Deserializer, Error, MapAccess};
            use serde::ser::{Serialize, SerializeMap, Serializer};
            use $crate::content::absent;
            use $crate::wire::{self, Accept, Field, FieldSeed, Visit};

            #[allow(non_camel_case_types)]
            enum Key {
                $($field,)*
                Unknown(String),
            }

            struct Keys;

            impl Accept<'_> for Keys {
                type Value = Key;
                const EXPECTED: &'static str = wire::KEY;

                #[inline]
                fn text<E: Error>(self, key: &str) -> Result<Key, E> {
                    Ok(match key {
                        $(stringify!($field) => Key::$field,)*
                        _ => Key::Unknown(wire::unknown_key(key)),
                    })
                }
            }

            struct Then<F>(F);

            impl<'de, R, F: FnOnce($Type) -> R> Accept<'de> for Then<F> {
                type Value = R;
                const EXPECTED: &'static str = "an object";

                fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<R, A::Error> {
                    $(let mut $field = None;)*
                    let mut extra = Map::new();
                    while let Some(key) = map.next_key_seed(Visit(Keys))? {
                        match key {
                            $(Key::$field => {
                                if $field.is_some() {
                                    return Err(A::Error::duplicate_field(stringify!($field)));
                                }
                                $field = Some(map.next_value_seed(FieldSeed::NEW)?);
                            })*
                            Key::Unknown(key) => {
                                extra.insert(key, map.next_value()?);
                            }
                        }
                    }
                    Ok((self.0)($Type {
                        $($field: match $field {
                            Some(value) => value,
                            None => absent(stringify!($field))?,
                        },)*
                        extra,
                    }))
                }
            }

            impl Item for $Type {
                const FIELDS: &[&str] = &[$(stringify!($field)),*];

                fn read_then<'de, D: Deserializer<'de>, R>(
                    deserializer: D,
                    then: impl FnOnce(Self) -> R,
                ) -> Result<R, D::Error> {
                    wire::read(Then(then), deserializer)
                }
            }

            /// By the rules of the [crate page](crate#reading).
            impl<'de> Deserialize<'de> for $Type {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    Self::read_then(deserializer, |item| item)
                }
            }

            /// In the order of the page, then the fields that this version does not document.
            impl Serialize for $Type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let mut map = serializer.serialize_map(Some(Self::FIELDS.len() + self.extra.len()))?;
                    $(map.serialize_entry(stringify!($field), &Field::write(&self.$field))?;)*
                    for (key, value) in &self.extra {
                        map.serialize_entry(key, value)?;
                    }
                    map.end()
                }
            }
        };

        #[cfg(feature = "arbitrary")]
        $crate::arbitrary::item! { $Type { $($field)* } }

        #[cfg(feature = "schemars")]
        $crate::schema::item! { $Type, $event { $($field)* } }
    };
}

/// The setters of a builder whose fields are text; an optional one takes an empty text for `None`.
macro_rules! setters {
    ($Type:ident text $($field:ident)*) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](", stringify!($Type), "::", stringify!($field), ").")]
        pub fn $field(mut self, $field: impl Into<String>) -> Self {
            self.0.$field = $field.into();
            self
        }
    )*};
    ($Type:ident optional $($field:ident)*) => {$(
        #[doc = concat!("Sets [`", stringify!($field), "`](", stringify!($Type), "::", stringify!($field), "); an empty text means `None`.")]
        pub fn $field(mut self, $field: impl Into<String>) -> Self {
            self.0.$field = $crate::wire::some_text($field.into());
            self
        }
    )*};
}

use {content, setters};
