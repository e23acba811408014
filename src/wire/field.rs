//! How each type of field is read and written.

use alloc::borrow::Cow;
use alloc::string::String;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::{Fault, Kind, Numeric, PrivateKeys, Problem, Source};

/// The type of a documented field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a field",
    note = "implement `Field` in src/wire/field.rs, and add a variant to `ValueMut` in src/item.rs"
)]
pub(crate) trait Field: Sized {
    /// Whether a missing field is an error. If not, a missing field holds [`blank`](Self::blank).
    const IS_REQUIRED: bool;

    /// The value before the field is read.
    fn blank() -> Self;

    fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault>;

    /// Reads a value and assigns the value to `self`.
    #[inline]
    fn read_into<'de, S: Source<'de>>(&mut self, source: &mut S) -> Result<(), Fault> {
        *self = Self::read(source)?;
        Ok(())
    }

    /// The value as it is written.
    fn scalar(&self) -> Scalar<'_>;
}

/// The value of a documented field, as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar<'a> {
    Text(&'a str),
    Signed(i64),
    Unsigned(u64),
}

/// Takes documented fields of an item or of the envelope, in the order of the platform's page.
pub(crate) trait Fields {
    type Error;

    fn field(&mut self, key: Key, value: Scalar<'_>) -> Result<(), Self::Error>;
}

/// Writes fields as the entries of a serde map.
pub(crate) struct SerdeFields<M>(pub M);

impl<M: SerializeMap> Fields for SerdeFields<M> {
    type Error = M::Error;

    fn field(&mut self, key: Key, value: Scalar<'_>) -> Result<(), M::Error> {
        self.0.serialize_entry(key.name(), &value)
    }
}

impl Serialize for Scalar<'_> {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Signed(number) => serializer.serialize_i64(number),
            Self::Unsigned(number) => serializer.serialize_u64(number),
        }
    }
}

/// Reads an object. The arguments are:
///
/// - the source,
/// - a bit mask of the required fields,
/// - the documented fields in the order of the platform's page, each with an expression that reads its value,
/// - a variable for the key of an unknown field, with an expression that reads the value of that field.
///
/// The path of a fault does not name an unknown field.
///
/// The platform writes the fields in the order of its page. So the code is one walk over the fields in this order.
/// Each step compares the next key with the key of its field, which costs much less than reading the key. If no step
/// takes the key before the end of the walk, the key is read and looked up. The value of an unknown field is then read
/// at once. For a documented field, a new walk starts, which skips the steps before the step of this field.
macro_rules! read_object {
    (
        $source:ident, required: $required:expr,
        { $($field:ident => $read:expr,)* } $unknown:ident => $read_unknown:expr
    ) => {{
        const NAMES: &[&str] = &[$(stringify!($field)),*];

        /// A documented field. Its number is the index of the field in the order of the platform's page, and also the
        /// index of the bit of the field in a bit mask.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, PartialEq)]
        enum FieldIndex {
            $($field,)*
        }
        const { assert!(NAMES.len() <= 32, "more fields than bits") };

        let mut seen = 0_u32;
        // The field whose key was looked up. Its value comes next. The steps must not compare this value with a key,
        // because a string value can look like a key.
        let mut pending = None;
        let mut object = $source.open_object()?;
        let mut is_open = $source.next_field(&mut object)?;
        'walk: while is_open {
            $(
                if match pending {
                    None => $source.pass_key($crate::wire::key!($field)),
                    Some(index) => index == FieldIndex::$field,
                } {
                    pending = None;
                    let bit = 1 << FieldIndex::$field as u32;
                    let read = if seen & bit == 0 { $read } else { Err($crate::wire::repeated($source)) };
                    if let Err(fault) = read {
                        return Err(fault.in_field(stringify!($field)));
                    }
                    seen |= bit;
                    if !$source.next_field(&mut object)? {
                        break 'walk;
                    }
                }
            )*
            let $unknown = $source.key()?;
            pending = match &*$unknown {
                $(stringify!($field) => Some(FieldIndex::$field),)*
                _ => {
                    $read_unknown?;
                    is_open = $source.next_field(&mut object)?;
                    None
                }
            };
        }
        $crate::wire::check_required($required & !seen, NAMES, $source.offset())?;
    }};
}

/// The [`Key`] of a documented field.
macro_rules! key {
    ($field:ident) => {
        $crate::wire::Key(concat!(",\"", stringify!($field), "\":\""))
    };
}

/// The key of a documented field, as it is written between another field and a text: `,"subject":"`.
///
/// All forms of the key are parts of this constant.
#[derive(Clone, Copy)]
pub(crate) struct Key(pub(crate) &'static str);

impl Key {
    /// `,"subject":"`
    #[inline(always)]
    pub(crate) fn before_text(self) -> &'static str {
        self.0
    }

    /// `,"subject":`
    #[inline(always)]
    pub(crate) fn before_value(self) -> &'static str {
        self.0.get(..self.0.len() - 1).unwrap_or_default()
    }

    /// `"subject":`
    #[inline(always)]
    pub(crate) fn with_colon(self) -> &'static str {
        self.0.get(1..self.0.len() - 1).unwrap_or_default()
    }

    /// `subject`
    #[inline(always)]
    pub(crate) fn name(self) -> &'static str {
        self.0.get(2..self.0.len() - 3).unwrap_or_default()
    }
}

pub(crate) use key;
pub(crate) use read_object;

/// The bit mask of the required fields. `fields` says for each field whether it is required.
pub(crate) const fn required(mut fields: &[bool]) -> u32 {
    let mut mask = 0;
    while let [rest @ .., is_required] = fields {
        mask = mask << 1 | *is_required as u32;
        fields = rest;
    }
    mask
}

/// Fails if a required field is missing. `missing` is the bit mask of the missing required fields.
#[inline]
pub(crate) fn check_required(missing: u32, names: &[&str], offset: usize) -> Result<(), Fault> {
    if missing == 0 { Ok(()) } else { Err(missing_field(missing, names, offset)) }
}

#[cold]
fn missing_field(missing: u32, names: &[&str], offset: usize) -> Fault {
    let name = names.get(missing.trailing_zeros() as usize).copied().unwrap_or_default();
    Fault::new(Problem::Missing, offset).in_field(name)
}

/// The fault for a field that has been read before. Its value comes next.
#[cold]
#[inline(never)]
pub(crate) fn repeated<'de>(source: &mut impl Source<'de>) -> Fault {
    source.fault_at_value(Problem::Repeated)
}

/// Reads the value of an unknown field and keeps the field in `extra`. `#[cold]` keeps this code out of the loop over
/// documented fields.
#[cold]
pub(crate) fn read_extra<'de, S: Source<'de>>(
    extra: &mut Map<String, Value>,
    key: Cow<'de, str>,
    source: &mut S,
) -> Result<(), Fault> {
    let value = source.value(PrivateKeys::Obey)?;
    extra.insert(key.into_owned(), value);
    Ok(())
}

/// Text that may be absent. The platform sends `""`; `null` is accepted too.
impl Field for String {
    const IS_REQUIRED: bool = false;

    fn blank() -> Self {
        Self::new()
    }

    #[inline]
    fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault> {
        match source.kind()? {
            Kind::Null => source.skip().map(|()| Self::new()),
            _ => read_required_text(source),
        }
    }

    #[inline]
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(self)
    }
}

/// Reads a text field that must not be missing or `null`.
#[inline]
pub(crate) fn read_required_text<'de, S: Source<'de>>(source: &mut S) -> Result<String, Fault> {
    match source.kind()? {
        Kind::String => Ok(source.string()?.into_owned()),
        _ => Err(source.unexpected("a string")),
    }
}

/// Text that may be absent. Absent text and `""` are both `None`.
impl Field for Option<String> {
    const IS_REQUIRED: bool = false;

    fn blank() -> Self {
        None
    }

    #[inline]
    fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault> {
        String::read(source).map(some_text)
    }

    #[inline]
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Text(self.as_deref().unwrap_or_default())
    }
}

/// `None` for `""`, because the platform writes `""` for an absent text.
pub(crate) fn some_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// An integer type. It is read from an integer, from a digit string, or from a float without a fraction.
pub(crate) trait Integer: Sized {
    const EXPECTED: &'static str = "an unsigned integer";
    const OUT_OF_RANGE: &'static str = "a number out of range";
    const IS_SIGNED: bool = false;

    fn from_integer(integer: i128) -> Option<Self>;

    // Not inlined: a copy in each field would make programs larger, but no faster.
    #[inline(never)]
    fn read_integer<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault> {
        let integer = match source.kind()? {
            Kind::Number => match source.number()? {
                Numeric::Unsigned(number) => Ok(number.into()),
                number => number.to_integer(),
            },
            Kind::String => parse_digits(&source.string()?, Self::IS_SIGNED),
            _ => return Err(source.unexpected(Self::EXPECTED)),
        };
        let found = match integer {
            Ok(integer) => match Self::from_integer(integer) {
                Some(value) => return Ok(value),
                None if integer < 0 && !Self::IS_SIGNED => "a negative number",
                None => Self::OUT_OF_RANGE,
            },
            Err(found) => found,
        };
        Err(source.fault_after_value(Problem::Unexpected { expected: Self::EXPECTED, found }))
    }
}

/// The integer in a digit string. The error says what was found instead.
fn parse_digits(text: &str, is_signed: bool) -> Result<i128, &'static str> {
    let digits = if is_signed { text.strip_prefix('-').unwrap_or(text) } else { text };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a string");
    }
    // An integer beyond `i128` is out of range for every integer type.
    Ok(text.parse().unwrap_or(i128::MAX))
}

impl Numeric {
    /// The number as an integer. The error says what was found instead.
    ///
    /// A float that is too large to be exact becomes `i128::MAX` or `i128::MIN`. Both are out of range for every
    /// integer type, so the caller reports them as out of range.
    #[cold]
    pub(crate) fn to_integer(&self) -> Result<i128, &'static str> {
        match self {
            Self::Unsigned(number) => Ok((*number).into()),
            Self::Float(number) => float_to_integer(*number),
            Self::Other(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Ok(number.into()),
                (_, Some(number)) => Ok(number.into()),
                // With `arbitrary_precision`, a number can be beyond `f64`.
                _ => float_to_integer(number.as_f64().unwrap_or(f64::INFINITY)),
            },
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn float_to_integer(number: f64) -> Result<i128, &'static str> {
    // Without its feature `float_roundtrip`, serde_json can read a float with an error of two units in the last place.
    // Up to 2^48 this error is at most 1/8, so the nearest integer is certain. Beyond 2^48 the integer would be a
    // guess. A fraction that is smaller than this error is not noticed.
    const CERTAIN: f64 = (1_u64 << 48) as f64;
    const PRECISION: f64 = f64::EPSILON * 2.0;
    if number.is_nan() || number.abs() > CERTAIN {
        return Ok(if number < 0.0 { i128::MIN } else { i128::MAX });
    }
    let nearest = (number + 0.5_f64.copysign(number)) as i64;
    if (number - nearest as f64).abs() > number.abs() * PRECISION {
        return Err("a number with a fraction");
    }
    Ok(nearest.into())
}

macro_rules! unsigned_field {
    ($($Type:ty)*) => {$(
        impl Integer for $Type {
            #[inline]
            fn from_integer(integer: i128) -> Option<Self> {
                integer.try_into().ok()
            }
        }

        impl Field for $Type {
            const IS_REQUIRED: bool = true;

            fn blank() -> Self {
                0
            }

            #[inline]
            fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault> {
                Self::read_integer(source)
            }

            #[inline]
            fn scalar(&self) -> Scalar<'_> {
                Scalar::Unsigned((*self).into())
            }
        }
    )*};
}

unsigned_field! { u32 u64 }
