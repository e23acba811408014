//! How each type of field is read and written.

use alloc::borrow::Cow;
use alloc::string::String;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Fault, Kind, Numeric, PrivateKeys, Problem, Source};

/// A type that a documented field can have.
pub(crate) trait Field: Sized {
    /// Whether a missing field is an error. If not, it holds [`blank`](Self::blank).
    const IS_REQUIRED: bool;

    /// The value of a field that has not been read.
    fn blank() -> Self;

    fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault>;

    /// Reads a value into the place of another.
    #[inline]
    fn read_into<'de, S: Source<'de>>(&mut self, source: &mut S) -> Result<(), Fault> {
        *self = Self::read(source)?;
        Ok(())
    }

    fn write(&self) -> impl Serialize;
}

/// Reads an object.
///
/// Takes the source, a bit mask of the required fields, the documented fields in the order of the page with the
/// expression that reads each, and a name for the key of an unknown field with the expression that reads it. An unknown
/// field is not named in the path of a fault.
///
/// The platform writes the fields in the order of its page. So the key is first compared with the one that should come
/// next, which costs much less than to read it. The order makes no difference to the result.
macro_rules! read_object {
    (
        $source:ident, required: $required:expr,
        { $($field:ident => $read:expr,)* } $unknown:ident => $read_unknown:expr
    ) => {{
        const NAMES: &[&str] = &[$(stringify!($field)),*];

        /// The index of a field in the order of the page, and in a bit mask.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy)]
        enum FieldIndex {
            $($field,)*
        }
        const ORDER: &[FieldIndex] = &[$(FieldIndex::$field),*];
        const { assert!(ORDER.len() <= 32, "more fields than bits") };

        let mut seen = 0_u32;
        let mut expected = ORDER.first().copied();
        let mut object = $source.open_object()?;
        while $source.next_field(&mut object)? {
            let is_expected = match expected {
                $(Some(FieldIndex::$field) => $source.is_key(stringify!($field)),)*
                None => false,
            };
            let index = if is_expected {
                $source.pass_key(expected.and_then(|index| NAMES.get(index as usize)).copied().unwrap_or_default())?;
                expected
            } else {
                let $unknown = $source.key()?;
                match &*$unknown {
                    $(stringify!($field) => Some(FieldIndex::$field),)*
                    _ => {
                        $read_unknown?;
                        None
                    }
                }
            };
            let Some(index) = index else { continue };
            let bit = 1 << index as u32;
            let read = if seen & bit == 0 {
                match index {
                    $(FieldIndex::$field => $read,)*
                }
            } else {
                Err($source.fault_at_value($crate::wire::Problem::Repeated))
            };
            if let Err(fault) = read {
                return Err(fault.in_field(NAMES.get(index as usize).copied().unwrap_or_default()));
            }
            seen |= bit;
            // The first field is expected behind the last one, for an object whose last field comes first.
            expected = ORDER.get(index as usize + 1).or(ORDER.first()).copied();
        }
        $crate::wire::check_required($required & !seen, NAMES, $source.offset())?;
    }};
}

pub(crate) use read_object;

/// The bit mask of the fields that are required.
pub(crate) const fn required(mut fields: &[bool]) -> u32 {
    let mut mask = 0;
    while let [rest @ .., is_required] = fields {
        mask = mask << 1 | *is_required as u32;
        fields = rest;
    }
    mask
}

/// Fails if a required field of the object that was just read is missing. `missing` has a bit for each such field.
#[inline]
pub(crate) fn check_required(missing: u32, names: &[&str], offset: usize) -> Result<(), Fault> {
    if missing == 0 { Ok(()) } else { Err(missing_field(missing, names, offset)) }
}

#[cold]
fn missing_field(missing: u32, names: &[&str], offset: usize) -> Fault {
    let name = names.get(missing.trailing_zeros() as usize).copied().unwrap_or_default();
    Fault::new(Problem::Missing, offset).in_field(name)
}

/// Keeps an unknown field. The path of a fault does not name it.
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

    fn write(&self) -> impl Serialize {
        self.as_str()
    }
}

/// Reads text that must be there.
#[inline]
pub(crate) fn read_required_text<'de, S: Source<'de>>(source: &mut S) -> Result<String, Fault> {
    match source.kind()? {
        Kind::String => Ok(source.string()?.into_owned()),
        _ => Err(source.unexpected("a string")),
    }
}

/// Text that may be absent, where absence means something.
impl Field for Option<String> {
    const IS_REQUIRED: bool = false;

    fn blank() -> Self {
        None
    }

    #[inline]
    fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault> {
        String::read(source).map(some_text)
    }

    fn write(&self) -> impl Serialize {
        self.as_deref().unwrap_or_default()
    }
}

/// The platform writes `""` for "none".
pub(crate) fn some_text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// An integer that is read from a number, from a digit string, or from a float without a fraction.
pub(crate) trait Integer: Sized {
    const EXPECTED: &'static str = "an unsigned integer";
    const OUT_OF_RANGE: &'static str = "a number out of range";
    const IS_SIGNED: bool = false;

    fn from_integer(integer: i128) -> Option<Self>;

    #[inline]
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
        Err(source.fault_behind(Problem::Unexpected { expected: Self::EXPECTED, found }))
    }
}

/// The integer in a digit string, or the name of what was found instead.
fn parse_digits(text: &str, is_signed: bool) -> Result<i128, &'static str> {
    let digits = if is_signed { text.strip_prefix('-').unwrap_or(text) } else { text };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a string");
    }
    // Digits that `i128` cannot hold are out of every range.
    Ok(text.parse().unwrap_or(i128::MAX))
}

impl Numeric {
    /// The integer that this number is, or the name of what was found instead. A number that is too large for an exact
    /// answer becomes the largest or the smallest `i128`, which is out of every range.
    #[cold]
    pub(crate) fn to_integer(&self) -> Result<i128, &'static str> {
        match self {
            Self::Unsigned(number) => Ok((*number).into()),
            Self::Float(number) => float_to_integer(*number),
            Self::Other(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Ok(number.into()),
                (_, Some(number)) => Ok(number.into()),
                // With `arbitrary_precision` there are numbers beyond `f64`.
                _ => float_to_integer(number.as_f64().unwrap_or(f64::INFINITY)),
            },
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn float_to_integer(number: f64) -> Result<i128, &'static str> {
    // Without its feature `float_roundtrip`, serde_json may be off by one or two units in the last place. Up to 2^48
    // that is at most an eighth, so the integer is certain. A fraction as small as that goes unseen. Beyond 2^48 the
    // integer is a guess.
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

            fn write(&self) -> impl Serialize {
                *self
            }
        }
    )*};
}

unsigned_field! { u32 u64 }
