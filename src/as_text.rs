//! Types that stand for a text on the wire: how they are shown, made from the text, compared and ordered.
//!
//! [`EventType`](crate::EventType) and [`Status`](crate::Status) use all of these macros.

/// Writes the traits that show a value as its text.
macro_rules! show_as_text {
    ($Type:ident) => {
        /// The text on the wire.
        impl AsRef<str> for $Type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        /// The text on the wire.
        impl ::core::fmt::Display for $Type {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

/// Writes the conversions between an enum and its text on the wire. The arguments are the enum and the type that its
/// variant `Unknown` holds.
macro_rules! convert_as_text {
    ($Type:ident, $Unknown:ident) => {
        /// A documented text becomes its own variant. Any other text becomes `Unknown`.
        impl From<&str> for $Type {
            fn from(text: &str) -> Self {
                Self::from_documented(text).unwrap_or_else(|| Self::Unknown($Unknown(text.into())))
            }
        }

        /// A documented text becomes its own variant. Any other text becomes `Unknown`.
        impl From<String> for $Type {
            fn from(text: String) -> Self {
                Self::from_documented(&text).unwrap_or(Self::Unknown($Unknown(text)))
            }
        }

        /// The same as `From<&str>`. It never fails.
        impl ::core::str::FromStr for $Type {
            type Err = ::core::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(text.into())
            }
        }

        /// Writes the text on the wire, as a string.
        impl ::serde::Serialize for $Type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

/// Writes the traits that compare values of a type by their text on the wire.
macro_rules! compare_as_text {
    ($Type:ident) => {
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

pub(crate) use {compare_as_text, convert_as_text, show_as_text};
