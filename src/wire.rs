//! How values are read from the wire, written once.
//!
//! Everything is read with `deserialize_any` and a visitor that answers every kind of value, because serde's own refusals quote
//! the value, and the values are customers' messages.

mod buffered;
pub(crate) mod json;

use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

pub(crate) use self::buffered::{Buffered, Fault, Key, Problem, Step};

/// What may stand at one place of the wire: a method for each kind of JSON value, refusing it unless it is overridden.
pub(crate) trait Accept<'de>: Sized {
    type Value;

    /// Completes "expected …".
    const EXPECTED: &'static str;

    fn null<E: Error>(self) -> Result<Self::Value, E> {
        Err(unexpected(Self::EXPECTED, "null"))
    }

    fn boolean<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(unexpected(Self::EXPECTED, "a boolean"))
    }

    fn unsigned<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(unexpected(Self::EXPECTED, "a number"))
    }

    fn signed<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(unexpected(Self::EXPECTED, "a number"))
    }

    fn float<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(unexpected(Self::EXPECTED, "a number"))
    }

    /// An integer of more than 64 bits, which only formats other than JSON have, as far as JSON can hold it.
    fn wide<E: Error>(self, _: Option<Number>) -> Result<Self::Value, E> {
        self.float(f64::INFINITY)
    }

    fn text<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Err(unexpected(Self::EXPECTED, "a string"))
    }

    fn borrowed_text<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        self.text(text)
    }

    fn owned_text<E: Error>(self, text: String) -> Result<Self::Value, E> {
        self.text(&text)
    }

    fn array<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(unexpected(Self::EXPECTED, "an array"))
    }

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        match buffered::disguised_number(map)? {
            Some(number) => visit_number(&number, Visit(self)),
            None => Err(unexpected(Self::EXPECTED, "an object")),
        }
    }
}

#[cold]
pub(crate) fn unexpected<E: Error>(expected: &str, found: &str) -> E {
    E::custom(format_args!("expected {expected}, found {found}"))
}

/// The one visitor. Also a seed, so that a reader can be handed to `next_value_seed`.
pub(crate) struct Visit<A>(pub A);

pub(crate) fn read<'de, A: Accept<'de>, D: Deserializer<'de>>(
    accept: A,
    deserializer: D,
) -> Result<A::Value, D::Error> {
    deserializer.deserialize_any(Visit(accept))
}

impl<'de, A: Accept<'de>> DeserializeSeed<'de> for Visit<A> {
    type Value = A::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, A: Accept<'de>> Visitor<'de> for Visit<A> {
    type Value = A::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(A::EXPECTED)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.0.null()
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        self.0.null()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        self.0.boolean(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.0.unsigned(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        match u64::try_from(value) {
            Ok(value) => self.0.unsigned(value),
            Err(_) => self.0.signed(value),
        }
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Self::Value, E> {
        match u64::try_from(value) {
            Ok(value) => self.0.unsigned(value),
            Err(_) => self.0.wide(Number::from_u128(value)),
        }
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Self::Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.0.wide(Number::from_i128(value)),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.0.float(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        self.0.text(value)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Self::Value, E> {
        self.0.borrowed_text(value)
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        self.0.owned_text(value)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Self::Value, E> {
        Err(unexpected(A::EXPECTED, "bytes"))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Self::Value, S::Error> {
        self.0.array(seq)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
        self.0.object(map)
    }
}

/// Hands a number over as `serde_json` does without `arbitrary_precision`.
fn visit_number<'de, V: Visitor<'de>, E: Error>(number: &Number, visitor: V) -> Result<V::Value, E> {
    if let Some(number) = number.as_u64() {
        visitor.visit_u64(number)
    } else if let Some(number) = number.as_i64() {
        visitor.visit_i64(number)
    } else {
        visitor.visit_f64(number.as_f64().unwrap_or(f64::INFINITY))
    }
}

/// What the key of a typed object is expected to be.
pub(crate) const KEY: &str = "a string as key";

/// Copies the key of a field that is not documented, away from the path of those that are.
#[cold]
pub(crate) fn unknown_key(key: &str) -> String {
    key.into()
}

/// Text that must be there.
pub(crate) struct Text;

impl Accept<'_> for Text {
    type Value = String;
    const EXPECTED: &'static str = "a string";

    fn text<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.into())
    }

    fn owned_text<E: Error>(self, text: String) -> Result<String, E> {
        Ok(text)
    }
}

/// Text of which the platform sends none as `""`, and for which we take `null` as well.
struct TextOrNull;

impl Accept<'_> for TextOrNull {
    type Value = String;
    const EXPECTED: &'static str = Text::EXPECTED;

    fn null<E: Error>(self) -> Result<String, E> {
        Ok(String::new())
    }

    fn text<E: Error>(self, text: &str) -> Result<String, E> {
        Text.text(text)
    }

    fn owned_text<E: Error>(self, text: String) -> Result<String, E> {
        Text.owned_text(text)
    }
}

/// An integer that is read from a number, from a digit string, or from a float without a fraction.
pub(crate) trait Integer: Sized {
    const EXPECTED: &'static str = "an unsigned integer";
    const OUT_OF_RANGE: &'static str = "a number out of range";
    const SIGNED: bool = false;

    fn from_integer(integer: i128) -> Option<Self>;
}

impl Integer for u32 {
    fn from_integer(integer: i128) -> Option<Self> {
        integer.try_into().ok()
    }
}

impl Integer for u64 {
    fn from_integer(integer: i128) -> Option<Self> {
        integer.try_into().ok()
    }
}

pub(crate) struct IntegerOf<T>(PhantomData<T>);

impl<T: Integer> IntegerOf<T> {
    pub(crate) const NEW: Self = Self(PhantomData);

    fn in_range<E: Error>(integer: i128) -> Result<T, E> {
        T::from_integer(integer).ok_or_else(|| Self::out_of_range(integer < 0))
    }

    #[cold]
    fn out_of_range<E: Error>(negative: bool) -> E {
        let found = if negative && !T::SIGNED { "a negative number" } else { T::OUT_OF_RANGE };
        unexpected(T::EXPECTED, found)
    }
}

impl<T: Integer> Accept<'_> for IntegerOf<T> {
    type Value = T;
    const EXPECTED: &'static str = T::EXPECTED;

    fn unsigned<E: Error>(self, number: u64) -> Result<T, E> {
        Self::in_range(number.into())
    }

    fn signed<E: Error>(self, number: i64) -> Result<T, E> {
        Self::in_range(number.into())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn float<E: Error>(self, number: f64) -> Result<T, E> {
        // Without its feature `float_roundtrip`, `serde_json` may be off by a unit or two in the last place. Up to 2^48 that is
        // an eighth at most, so the integer is certain; beyond, it would be a guess. A fraction as small as that goes unseen.
        const CERTAIN: f64 = (1_u64 << 48) as f64;
        const PRECISION: f64 = f64::EPSILON * 2.0;
        if number.is_nan() || number.abs() > CERTAIN {
            return Err(Self::out_of_range(number < 0.0));
        }
        let nearest = (number + 0.5_f64.copysign(number)) as i64;
        if (number - nearest as f64).abs() > number.abs() * PRECISION {
            return Err(unexpected(T::EXPECTED, "a number with a fraction"));
        }
        Self::in_range(nearest.into())
    }

    fn text<E: Error>(self, text: &str) -> Result<T, E> {
        let digits = if T::SIGNED { text.strip_prefix('-').unwrap_or(text) } else { text };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unexpected(T::EXPECTED, "a string"));
        }
        // Digits that `i128` cannot hold are beyond every range there is.
        Self::in_range(text.parse().unwrap_or(i128::MAX))
    }
}

/// A type that a documented field has: how it is read, written, and what its absence means.
pub(crate) trait Field: Sized {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    fn write(&self) -> impl Serialize;

    /// What stands for a missing field, where the platform has such a thing.
    fn absent() -> Option<Self> {
        None
    }
}

/// Reads the type of field that the place asks for.
pub(crate) struct FieldSeed<T>(PhantomData<T>);

impl<T> FieldSeed<T> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<'de, T: Field> DeserializeSeed<'de> for FieldSeed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::read(deserializer)
    }
}

impl Field for String {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(TextOrNull, deserializer)
    }

    fn write(&self) -> impl Serialize {
        self.as_str()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

impl Field for Option<String> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::read(deserializer).map(some_text)
    }

    fn write(&self) -> impl Serialize {
        self.as_deref().unwrap_or_default()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

macro_rules! integer_field {
    ($($Type:ty)*) => {$(
        impl Field for $Type {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(IntegerOf::NEW, deserializer)
            }

            fn write(&self) -> impl Serialize {
                *self
            }
        }
    )*};
}

integer_field! { u32 u64 }

/// The platform writes `""` for "none".
pub(crate) fn some_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
