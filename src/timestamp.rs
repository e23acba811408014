//! Timestamps: points in time, in the form in which the platform sends them.

use alloc::string::ToString;
use core::fmt;
use core::ops::Sub;
use core::str::FromStr;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use time::{Date, Month, OffsetDateTime};

use crate::wire::{self, Fault, Field, Integer, Scalar, Source};

/// A point in time in whole Unix seconds, always UTC, within the years −9999 to 9999.
///
/// ```
/// use core::time::Duration;
/// use twt_chat_webhooks::Timestamp;
///
/// let sent = Timestamp::from_unix(1_765_439_941)?;
/// assert_eq!(sent.to_string(), "2025-12-11T07:59:01Z");
///
/// let written = Timestamp::from_unix(1_765_439_652)?;
/// assert_eq!(sent.duration_since(written), Some(Duration::from_secs(289)));
/// assert_eq!(written.duration_since(sent), None);
/// assert_eq!((written - sent).whole_seconds(), -289);
///
/// let at = time::OffsetDateTime::from(sent);
/// assert_eq!((at.year(), at.hour()), (2025, 7));
/// assert_eq!(Timestamp::from(at), sent);
/// assert!(Timestamp::MIN < sent && sent < Timestamp::MAX);
/// # Ok::<(), twt_chat_webhooks::TimestampError>(())
/// ```
///
/// On the wire, a timestamp is a number of Unix seconds. Reading also accepts a digit string and a float without a
/// fraction. A time outside the years −9999 to 9999 is an error, because it is most likely in milliseconds.
///
/// # Conversions
///
/// The crate reads no clock. With the feature `std`, `Timestamp::from(SystemTime::now())` is the current time. Without
/// this feature, convert from a `time::OffsetDateTime`, as the example above shows.
///
/// For other crates, convert the [`unix_seconds`](Self::unix_seconds). Every `Timestamp` is in the range of chrono. The
/// range of jiff is smaller by about a day at each end, so the conversion to jiff can fail:
///
#[cfg_attr(not(doctest), doc = "```rust,ignore")]
#[cfg_attr(doctest, doc = "```text")]
/// use twt_chat_webhooks::{Timestamp, TimestampError};
///
/// // Always `Some`.
/// fn to_chrono(at: Timestamp) -> Option<chrono::DateTime<chrono::Utc>> {
///     chrono::DateTime::from_timestamp(at.unix_seconds(), 0)
/// }
///
/// fn to_jiff(at: Timestamp) -> Result<jiff::Timestamp, jiff::Error> {
///     jiff::Timestamp::from_second(at.unix_seconds())
/// }
///
/// fn from_chrono(
///     at: chrono::DateTime<chrono::Utc>,
/// ) -> Result<Timestamp, TimestampError> {
///     Timestamp::from_unix(at.timestamp())
/// }
///
/// fn from_jiff(at: jiff::Timestamp) -> Result<Timestamp, TimestampError> {
///     Timestamp::from_unix(at.as_second())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);
    /// The earliest timestamp: -9999-01-01T00:00:00Z.
    pub const MIN: Self = Self(-377_705_116_800);
    /// The latest timestamp: 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// The point in time `seconds` after the Unix epoch, or before it if `seconds` is negative.
    ///
    /// # Errors
    ///
    /// [`TimestampError`] if the time is before [`MIN`](Self::MIN) or after [`MAX`](Self::MAX).
    pub const fn from_unix(seconds: i64) -> Result<Self, TimestampError> {
        if seconds < Self::MIN.0 || seconds > Self::MAX.0 {
            Err(TimestampError::OUT_OF_RANGE)
        } else {
            Ok(Self(seconds))
        }
    }

    /// The same as [`from_unix`](Self::from_unix), but returns the nearest timestamp if `seconds` is out of range.
    pub(crate) fn saturating_from_unix(seconds: i64) -> Self {
        Self(seconds.clamp(Self::MIN.0, Self::MAX.0))
    }

    /// The seconds since the Unix epoch. The number is negative for a time before the epoch.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to `self`, or `None` if `self` is before `earlier`.
    #[must_use]
    pub fn duration_since(self, earlier: Self) -> Option<core::time::Duration> {
        let seconds = u64::try_from(self.0 - earlier.0).ok()?;
        Some(core::time::Duration::from_secs(seconds))
    }

    /// The point in time `duration` later, or `None` if this is after [`MAX`](Self::MAX).
    ///
    /// A timestamp has no fraction of a second, so only the whole seconds of `duration` are added.
    ///
    /// ```
    /// use core::time::Duration;
    /// use twt_chat_webhooks::Timestamp;
    ///
    /// let later = Timestamp::UNIX_EPOCH.checked_add(Duration::from_millis(2_500));
    /// assert_eq!(later.map(Timestamp::unix_seconds), Some(2));
    /// assert_eq!(Timestamp::MAX.checked_add(Duration::from_secs(1)), None);
    /// ```
    #[must_use]
    pub fn checked_add(self, duration: core::time::Duration) -> Option<Self> {
        Self::from_unix(self.0.checked_add_unsigned(duration.as_secs())?).ok()
    }

    /// The point in time `duration` earlier, or `None` if this is before [`MIN`](Self::MIN).
    ///
    /// Only the whole seconds of `duration` are subtracted, as in [`checked_add`](Self::checked_add).
    ///
    /// ```
    /// use core::time::Duration;
    /// use twt_chat_webhooks::Timestamp;
    ///
    /// let earlier = Timestamp::UNIX_EPOCH.checked_sub(Duration::from_millis(2_500));
    /// assert_eq!(earlier.map(Timestamp::unix_seconds), Some(-2));
    /// assert_eq!(Timestamp::MIN.checked_sub(Duration::from_secs(1)), None);
    /// ```
    #[must_use]
    pub fn checked_sub(self, duration: core::time::Duration) -> Option<Self> {
        Self::from_unix(self.0.checked_sub_unsigned(duration.as_secs())?).ok()
    }
}

/// The error for a time outside the years −9999 to 9999, and for a text that is not a time.
///
/// ```
/// use twt_chat_webhooks::Timestamp;
///
/// let milliseconds = 1_765_439_941_000;
/// assert!(Timestamp::from_unix(milliseconds).is_err());
///
/// let error = "yesterday".parse::<Timestamp>().unwrap_err().to_string();
/// assert_eq!(error, "expected a time in UTC, such as 2025-12-11T07:59:01Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{0}")]
pub struct TimestampError(&'static str);

impl TimestampError {
    const OUT_OF_RANGE: Self =
        Self("outside the years -9999 to 9999: Unix seconds are expected; are these milliseconds?");
    const NO_TIME: Self = Self("expected a time in UTC, such as 2025-12-11T07:59:01Z");
}

/// Writes RFC 3339 in UTC, such as `2025-12-11T07:59:01Z`. A year below 0 is written as `-` and four digits.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from(*self);
        let sign = if at.year() < 0 { "-" } else { "" };
        let (year, month, day) = (at.year().unsigned_abs(), u8::from(at.month()), at.day());
        let (hour, minute, second) = at.to_hms();
        write!(formatter, "{sign}{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Reads the text that `Display` writes, and no other text. (For a text that holds Unix seconds, parse an `i64` and use
/// [`from_unix`](Timestamp::from_unix).)
///
/// ```
/// use twt_chat_webhooks::Timestamp;
///
/// let sent: Timestamp = "2025-12-11T07:59:01Z".parse()?;
/// assert_eq!(sent.unix_seconds(), 1_765_439_941);
/// # Ok::<(), twt_chat_webhooks::TimestampError>(())
/// ```
///
/// # Errors
///
/// [`TimestampError`] for any other text. A time with an offset, or with a fraction of a second, is an error too.
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        // `parse_date_time` also accepts digits in another form, such as `+7` or `007`.
        parse_date_time(text).filter(|at| at.to_string() == text).ok_or(TimestampError::NO_TIME)
    }
}

fn parse_date_time(text: &str) -> Option<Timestamp> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    // The year can start with `-`, so the date is split from its end.
    let (date, day) = date.rsplit_once('-')?;
    let (year, month) = date.rsplit_once('-')?;
    let (hour, time) = time.split_once(':')?;
    let (minute, second) = time.split_once(':')?;
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    let at = date.with_hms(hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?).ok()?;
    Some(at.assume_utc().into())
}

impl From<Timestamp> for OffsetDateTime {
    fn from(timestamp: Timestamp) -> Self {
        // Every timestamp is in the range of `OffsetDateTime`, so this addition never saturates.
        Self::UNIX_EPOCH.saturating_add(time::Duration::seconds(timestamp.0))
    }
}

/// Rounds down to the whole second. A time outside the years −9999 to 9999 in UTC becomes [`Timestamp::MIN`] or
/// [`Timestamp::MAX`].
impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        Self::saturating_from_unix(at.unix_timestamp())
    }
}

/// Rounds down to the whole second, also for a time before 1970. A time outside the years −9999 to 9999 becomes
/// [`Timestamp::MIN`] or [`Timestamp::MAX`].
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use twt_chat_webhooks::Timestamp;
///
/// let now = Timestamp::from(SystemTime::now());
/// println!("{now}"); // 2025-12-11T07:59:01Z
///
/// let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_millis(1_500);
/// assert_eq!(Timestamp::from(before_1970).unix_seconds(), -2);
/// ```
#[cfg(feature = "std")]
#[cfg_attr(docsrs, doc(cfg(feature = "std")))]
impl From<std::time::SystemTime> for Timestamp {
    fn from(at: std::time::SystemTime) -> Self {
        let whole_seconds = |duration: core::time::Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self::saturating_from_unix(match at.duration_since(std::time::SystemTime::UNIX_EPOCH) {
            Ok(since) => whole_seconds(since),
            Err(before) => {
                let before = before.duration();
                -whole_seconds(before) - i64::from(before.subsec_nanos() > 0)
            }
        })
    }
}

/// The time from `earlier` to `self`. It is negative if `self` is before `earlier`.
impl Sub for Timestamp {
    type Output = time::Duration;

    fn sub(self, earlier: Self) -> time::Duration {
        time::Duration::seconds(self.0 - earlier.0)
    }
}

/// Writes the Unix seconds as an integer.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// Reads Unix seconds from an integer, a digit string (with `-` in front for a time before 1970), or a float
/// without a fraction.
///
/// # Errors
///
/// Fails for any other value, and for a time outside the years −9999 to 9999.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        wire::deserialize(deserializer, |source| Self::read(source))
    }
}

impl Integer for Timestamp {
    const EXPECTED: &'static str = "Unix seconds";
    const OUT_OF_RANGE: &'static str = "a number out of range; are these milliseconds?";
    const IS_SIGNED: bool = true;

    fn from_integer(integer: i128) -> Option<Self> {
        Self::from_unix(i64::try_from(integer).ok()?).ok()
    }
}

impl Field for Timestamp {
    const IS_REQUIRED: bool = true;

    fn blank() -> Self {
        Self::UNIX_EPOCH
    }

    #[inline]
    fn read<'de, S: Source<'de>>(source: &mut S) -> Result<Self, Fault> {
        Self::read_integer(source)
    }

    #[inline]
    fn scalar(&self) -> Scalar<'_> {
        Scalar::Signed(self.0)
    }
}
