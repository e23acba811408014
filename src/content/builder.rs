//! The builders of the content types.

/// Writes the builder of a content type. The arguments are those of `content!`, without the descriptions.
macro_rules! builder {
    ($Type:ident, $Builder:ident { $($field:ident: $Field:ident $(<$Inner:ident>)? $(= $default:expr)?;)* }) => {
        impl $Type {
            /// Starts a builder from the two fields that have no default.
            ///
            /// Text fields start empty. The other setters document their defaults. To pass
            /// [`Payload::validate`](crate::Payload::validate), set `subject` and `property_name` too.
            pub fn builder(visitor_name: impl Into<String>, created_at: Timestamp) -> $Builder {
                $Builder(Self {
                    visitor_name: visitor_name.into(),
                    created_at,
                    $($($field: $default,)?)*
                    ..$crate::item::Item::blank()
                })
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
            $($crate::content::builder::setter! { $Type $field $Field $(<$Inner>)? $(= $default)? })*

            /// Returns the item. Never fails.
            #[must_use]
            pub fn build(self) -> $Type {
                self.0
            }
        }
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

pub(super) use {builder, setter};
