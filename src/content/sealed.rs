//! The private half of [`Content`](super::Content). Other crates cannot name this module, so they cannot implement
//! `Content`.

use alloc::string::String;

use serde_json::{Map, Value};

use crate::documented::documented;
use crate::item_key::KeyParts;
use crate::timestamp::Timestamp;

pub trait Sealed: Keyed {
    /// The item with its concrete type, in a variant of [`AnyItem`].
    fn item(&self, _: Internal) -> AnyItem<'_>;
}

/// What the idempotency key of an item contains. The file of each content type implements it.
#[diagnostic::on_unimplemented(message = "`{Self}` does not say which of its fields make the key of an item")]
pub trait Keyed {
    /// The fields that distinguish the item from all other items of its event. They are the same each time the item is
    /// delivered.
    ///
    /// A field that can change between a delivery and its retry must not be among them. For each content type, the
    /// list is the same in every version, because the keys are stored.
    fn key_parts(&self, _: Internal) -> KeyParts<'_>;
}

/// An argument that other crates cannot build. Without it, they could call [`Sealed::item`] on a `dyn Content`.
#[derive(Debug, Clone, Copy)]
pub struct Internal;

/// The fields that the items of all documented events share, with the unknown fields.
pub(crate) struct Shared<'a> {
    pub subject: &'a str,
    pub visitor_name: &'a str,
    pub created_at: Timestamp,
    pub message_content: &'a str,
    pub property_name: &'a str,
    pub visitor_nickname: Option<&'a str>,
    pub sbs: Option<&'a str>,
    pub assigned_agent_nickname: Option<&'a str>,
    pub extra: &'a Map<String, Value>,
}

macro_rules! any_item {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        /// An item of any documented event.
        #[derive(Debug, Clone, Copy)]
        pub enum AnyItem<'a> {
            $($Variant(&'a super::$Content),)*
        }

        impl<'a> AnyItem<'a> {
            /// The name of the item's event on the wire.
            pub(crate) fn event(self) -> &'static str {
                match self {
                    $(Self::$Variant(_) => stringify!($NAME),)*
                }
            }

            pub(crate) fn shared(self) -> Shared<'a> {
                match self {
                    $(Self::$Variant(item) => Shared {
                        subject: &item.subject,
                        visitor_name: &item.visitor_name,
                        created_at: item.created_at,
                        message_content: &item.message_content,
                        property_name: &item.property_name,
                        visitor_nickname: item.visitor_nickname.as_deref(),
                        sbs: item.sbs.as_deref(),
                        assigned_agent_nickname: item.assigned_agent_nickname.as_deref(),
                        extra: &item.extra,
                    },)*
                }
            }
        }

        $(
            impl Sealed for super::$Content {
                fn item(&self, _: Internal) -> AnyItem<'_> {
                    AnyItem::$Variant(self)
                }
            }
        )*
    };
}

documented! { any_item }
