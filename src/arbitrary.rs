//! The feature `arbitrary`: random payloads, to fuzz and property-test code that handles payloads.
//!
//! All payloads are canonical: if a payload is encoded and decoded again, the result is the same payload. So a field is
//! never `Some("")`, and an unknown field never has a documented name.
//!
//! Half of the payloads are plausible: they pass [`Payload::validate`], so they get further into the code under test.
//! The other half holds any canonical values.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use arbitrary::{Arbitrary, Error, Result, Unstructured, size_hint};
use serde_json::{Map, Value};

use crate::content;
use crate::documented::documented;
use crate::event::{Event, UnknownEvent};
use crate::event_type::EventType;
use crate::item::{Item, ValueMut};
use crate::payload::{self, Payload};
use crate::status::{DocumentedStatus, Status};
use crate::timestamp::Timestamp;
use crate::unknown::{UnknownName, UnknownStatus};
use crate::validate::MAX_PUSH_TIMES;
use crate::wire;

/// How many bytes of random input a value takes: the minimum and the maximum.
type SizeHint = (usize, Option<usize>);

/// Generates an item. `fill` fills in the documented fields. The unknown fields are random.
fn filled_item<'a, T: Item>(
    u: &mut Unstructured<'a>,
    mut fill: impl FnMut(&mut Unstructured<'a>, &str, ValueMut<'_>) -> Result<()>,
) -> Result<T> {
    let mut item = T::blank();
    let mut filled = Ok(());
    item.each_value(|name, _, value| filled = filled.and_then(|()| fill(u, name, value)));
    filled?;
    *item.extra_mut() = any_extra(u, T::FIELDS)?;
    Ok(item)
}

/// Fills in a field with any canonical value.
fn fill_any(u: &mut Unstructured<'_>, value: ValueMut<'_>) -> Result<()> {
    match value {
        ValueMut::String(text) => *text = u.arbitrary()?,
        // An empty text is decoded as `None`.
        ValueMut::Option(text) => *text = u.arbitrary::<Option<String>>()?.and_then(wire::some_text),
        ValueMut::Timestamp(time) => *time = u.arbitrary()?,
        ValueMut::Status(status) => *status = u.arbitrary()?,
        ValueMut::u32(number) => *number = u.arbitrary()?,
        ValueMut::u64(number) => *number = u.arbitrary()?,
    }
    Ok(())
}

fn item_size_hint<T: Item>(depth: usize) -> SizeHint {
    let mut hint = EXTRA_SIZE_HINT;
    T::blank().each_value(|_, _, value| {
        let of_value = match value {
            ValueMut::String(_) => String::size_hint(depth),
            ValueMut::Option(_) => Option::<String>::size_hint(depth),
            ValueMut::Timestamp(_) => Timestamp::size_hint(depth),
            ValueMut::Status(_) => Status::size_hint(depth),
            ValueMut::u32(_) => u32::size_hint(depth),
            ValueMut::u64(_) => u64::size_hint(depth),
        };
        hint = size_hint::and(hint, of_value);
    });
    hint
}

/// When an item was created, and how many seconds later its payload was sent.
struct Wait {
    created_at: Timestamp,
    seconds: u32,
}

impl Wait {
    const LONGEST: u32 = 24 * 60 * 60;

    /// Generates a wait of up to a day that ends when the payload is sent.
    fn until(sent: Timestamp, u: &mut Unstructured<'_>) -> Result<Self> {
        let seconds = u.int_in_range(0..=Self::LONGEST)?;
        let created_at = Timestamp::saturating_from_unix(sent.unix_seconds() - i64::from(seconds));
        Ok(Self { created_at, seconds })
    }
}

/// Fills in a field so that the item passes [`Payload::validate`].
fn fill_plausible(u: &mut Unstructured<'_>, wait: &Wait, name: &str, value: ValueMut<'_>) -> Result<()> {
    match (name, value) {
        ("created_at", ValueMut::Timestamp(time)) => *time = wait.created_at,
        ("push_times", ValueMut::u32(number)) => *number = u.int_in_range(1..=MAX_PUSH_TIMES)?,
        ("time_sec", ValueMut::u64(number)) => *number = wait.seconds.into(),
        (_, ValueMut::String(text)) => {
            *text = u.arbitrary()?;
            if text.is_empty() {
                text.push_str("test");
            }
        }
        (_, ValueMut::Status(status)) => *status = u.choose(Status::DOCUMENTED)?.clone(),
        // `validate` has no rule for other fields.
        (_, value) => fill_any(u, value)?,
    }
    Ok(())
}

/// Generates one or more plausible items.
fn plausible_items<T: Item>(u: &mut Unstructured<'_>, sent: Timestamp) -> Result<Vec<T>> {
    let mut items = Vec::new();
    loop {
        let wait = Wait::until(sent, u)?;
        items.push(filled_item(u, |u, name, value| fill_plausible(u, &wait, name, value))?);
        if !u.arbitrary()? {
            return Ok(items);
        }
    }
}

const EXTRA_SIZE_HINT: SizeHint = (1, None);

/// Generates unknown fields. `documented` holds the names that they must not have.
fn any_extra(u: &mut Unstructured<'_>, documented: &[&str]) -> Result<Map<String, Value>> {
    let mut extra = any_object(u, NESTING)?;
    extra.retain(|name, _| !documented.contains(&name.as_str()));
    Ok(extra)
}

/// The deepest nesting of unknown content and of unknown fields. It is far below the 127 levels that `serde_json` can
/// read.
const NESTING: u8 = 8;

const VALUE_SIZE_HINT: SizeHint = (1, None);

fn any_value(u: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    let last_kind = if depth == 0 { 5 } else { 7 };
    Ok(match u.int_in_range(0..=last_kind)? {
        0 => Value::Null,
        1 => u.arbitrary::<bool>()?.into(),
        2 => u.arbitrary::<i64>()?.into(),
        3 => u.arbitrary::<u64>()?.into(),
        // `serde_json` reads such a float exactly, even without its feature `float_roundtrip`.
        4 => (f64::from(u.arbitrary::<i32>()?) / 4.0).into(),
        5 => u.arbitrary::<String>()?.into(),
        6 => any_array(u, depth - 1)?.into(),
        _ => any_object(u, depth - 1)?.into(),
    })
}

fn any_array(u: &mut Unstructured<'_>, depth: u8) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    while u.arbitrary()? {
        items.push(any_value(u, depth)?);
    }
    Ok(items)
}

fn any_object(u: &mut Unstructured<'_>, depth: u8) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    while u.arbitrary()? {
        let (name, value) = (u.arbitrary::<String>()?, any_value(u, depth)?);
        // With its feature `arbitrary_precision` or `raw_value`, `serde_json` does not read an object with such a key
        // as an object.
        if !name.starts_with(wire::PRIVATE_PREFIX) {
            fields.insert(name, value);
        }
    }
    Ok(fields)
}

/// Generates a canonical payload: if [`to_vec`](Payload::to_vec) encodes it, [`Payload::from_slice`] decodes the same
/// payload again.
///
/// About half of the payloads pass [`Payload::validate`]. They are sent in the years 2025 to 2034, and their items are
/// created up to a day earlier. The other half holds any values that can be encoded and decoded without a change.
///
/// ```
/// use arbitrary::{Arbitrary, Unstructured};
/// use twt_chat_webhooks::Payload;
///
/// let bytes: Vec<u8> = (0..=255).collect();
/// let payload = Payload::arbitrary(&mut Unstructured::new(&bytes))?;
/// assert_eq!(Payload::from_slice(&payload.to_vec()), Ok(payload));
/// # Ok::<(), arbitrary::Error>(())
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
impl<'a> Arbitrary<'a> for Payload {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let is_plausible = u.arbitrary()?;
        let (created_at, webhook_id, event) = if is_plausible {
            let created_at = Timestamp::saturating_from_unix(u.int_in_range(PLAUSIBLE_SECONDS)?);
            (created_at, format!("{:032x}", u.arbitrary::<u128>()?), plausible_event(u, created_at)?)
        } else {
            (u.arbitrary()?, u.arbitrary()?, u.arbitrary()?)
        };
        Ok(Self { created_at, webhook_id, event, extra: any_extra(u, payload::FIELDS)? })
    }

    /// The hint of a payload that is not plausible. Such a payload can take fewer bytes than a plausible one.
    fn size_hint(depth: usize) -> SizeHint {
        size_hint::and_all(&[
            bool::size_hint(depth),
            Timestamp::size_hint(depth),
            String::size_hint(depth),
            Event::size_hint(depth),
            EXTRA_SIZE_HINT,
        ])
    }
}

/// The Unix seconds of the years 2025 to 2034.
const PLAUSIBLE_SECONDS: RangeInclusive<i64> = 1_735_689_600..=2_051_222_399;

macro_rules! arbitrary_events {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        $(
            /// Generates a canonical item, with any unknown fields.
            #[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
            impl<'a> Arbitrary<'a> for content::$Content {
                fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
                    filled_item(u, |u, _, value| fill_any(u, value))
                }

                fn size_hint(depth: usize) -> SizeHint {
                    item_size_hint::<Self>(depth)
                }
            }
        )*

        /// Generates any event, documented or unknown.
        #[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
        impl<'a> Arbitrary<'a> for Event {
            fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
                match u.arbitrary()? {
                    $(EventType::$Variant => u.arbitrary().map(Self::$Variant),)*
                    unknown @ EventType::Unknown(_) => {
                        Self::from_parts(unknown, any_value(u, NESTING)?).map_err(|_| Error::IncorrectFormat)
                    }
                }
            }

            fn size_hint(depth: usize) -> SizeHint {
                // The list of items of a documented event may need no bytes: the minimum is 0.
                size_hint::and(EventType::size_hint(depth), (0, None))
            }
        }

        fn plausible_event(u: &mut Unstructured<'_>, sent: Timestamp) -> Result<Event> {
            match u.choose(EventType::DOCUMENTED)? {
                $(EventType::$Variant => plausible_items(u, sent).map(Event::$Variant),)*
                EventType::Unknown(_) => Err(Error::IncorrectFormat),
            }
        }
    };
}

documented! { arbitrary_events }

/// Generates an unknown event with any content.
#[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
impl<'a> Arbitrary<'a> for UnknownEvent {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let name = EventType::Unknown(u.arbitrary()?);
        match Event::from_parts(name, any_value(u, NESTING)?) {
            Ok(Event::Unknown(event)) => Ok(event),
            _ => Err(Error::IncorrectFormat),
        }
    }

    fn size_hint(depth: usize) -> SizeHint {
        size_hint::and(UnknownName::size_hint(depth), VALUE_SIZE_HINT)
    }
}

/// Generates each documented event type with the same probability, and an unknown event type with this probability too.
#[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
impl<'a> Arbitrary<'a> for EventType {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        match documented_or_not(u, Self::DOCUMENTED)? {
            Some(documented) => Ok(documented),
            None => u.arbitrary().map(Self::Unknown),
        }
    }

    fn size_hint(depth: usize) -> SizeHint {
        size_hint::and(CHOICE_SIZE_HINT, size_hint::or((0, Some(0)), UnknownName::size_hint(depth)))
    }
}

/// Generates each documented status with the same probability, and an unknown status with this probability too.
#[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
impl<'a> Arbitrary<'a> for Status {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        match documented_or_not(u, Self::DOCUMENTED)? {
            Some(documented) => Ok(documented),
            None => u.arbitrary().map(Self::Unknown),
        }
    }

    fn size_hint(depth: usize) -> SizeHint {
        size_hint::and(CHOICE_SIZE_HINT, size_hint::or((0, Some(0)), UnknownStatus::size_hint(depth)))
    }
}

/// Chooses one of the documented values, or `None` for an unknown value.
fn documented_or_not<T: Clone>(u: &mut Unstructured<'_>, documented: &[T]) -> Result<Option<T>> {
    let index = u.choose_index(documented.len() + 1)?;
    Ok(documented.get(index).cloned())
}

/// The size hint of a choice among at most 256 values.
const CHOICE_SIZE_HINT: SizeHint = (1, Some(1));

/// Generates each documented status with the same probability.
#[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
impl<'a> Arbitrary<'a> for DocumentedStatus {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(Status::DOCUMENTED)?.documented().ok_or(Error::IncorrectFormat)
    }

    fn size_hint(_: usize) -> SizeHint {
        CHOICE_SIZE_HINT
    }
}

/// Generates any text that is not a documented name.
#[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
impl<'a> Arbitrary<'a> for UnknownName {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match EventType::from(u.arbitrary::<String>()?) {
            EventType::Unknown(name) => name,
            _ => Self(String::new()),
        })
    }
}

/// Generates any text that is not a documented status.
#[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
impl<'a> Arbitrary<'a> for UnknownStatus {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match Status::from(u.arbitrary::<String>()?) {
            Status::Unknown(status) => status,
            _ => Self(String::new()),
        })
    }
}

/// Generates any second from [`Timestamp::MIN`] to [`Timestamp::MAX`].
#[cfg_attr(docsrs, doc(cfg(feature = "arbitrary")))]
impl<'a> Arbitrary<'a> for Timestamp {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let seconds = u.int_in_range(Self::MIN.unix_seconds()..=Self::MAX.unix_seconds())?;
        Self::from_unix(seconds).map_err(|_| Error::IncorrectFormat)
    }

    fn size_hint(_: usize) -> SizeHint {
        // The range has 631 billion seconds, which takes 40 bits.
        (5, Some(5))
    }
}
