//! Comparing and ordering by the text on the wire, for [`EventType`](crate::EventType) and [`Status`](crate::Status).

/// Writes the traits that compare values of a type by their text on the wire.
macro_rules! compare_as_text {
    ($Type:ident) => {
        /// The text on the wire.
        impl AsRef<str> for $Type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        /// Compares the text on the wire.
        impl PartialEq<str> for $Type {
            fn eq(&self, text: &str) -> bool {
                self.as_str() == text
            }
        }

        /// Compares the text on the wire.
        impl PartialEq<&str> for $Type {
            fn eq(&self, text: &&str) -> bool {
                self.as_str() == *text
            }
        }

        /// Compares the text on the wire.
        impl PartialEq<$Type> for str {
            fn eq(&self, value: &$Type) -> bool {
                self == value.as_str()
            }
        }

        /// Compares the text on the wire.
        impl PartialEq<$Type> for &str {
            fn eq(&self, value: &$Type) -> bool {
                *self == value.as_str()
            }
        }

        /// Orders values by their text on the wire, byte by byte. A later version keeps this order.
        impl Ord for $Type {
            fn cmp(&self, other: &Self) -> ::core::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        /// The same order as [`Ord`].
        impl PartialOrd for $Type {
            fn partial_cmp(&self, other: &Self) -> Option<::core::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
    };
}

pub(crate) use compare_as_text;
