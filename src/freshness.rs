//! Freshness: whether a request was sent recently enough.

use core::time::Duration;

use crate::payload::Payload;
use crate::timestamp::Timestamp;

/// The error if a payload or a delivery is too old or from the future. Made by [`Payload::check_freshness`] and
/// [`Delivery::check_freshness`](crate::Delivery::check_freshness).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FreshnessError {
    /// The payload was sent longer ago than the tolerance.
    #[error("sent {} s ago, which is too long", age.as_secs())]
    Stale {
        /// How long ago the payload was sent.
        age: Duration,
    },
    /// The `created_at` of the payload is in the future, by more than the tolerance.
    #[error("sent {} s in the future", ahead.as_secs())]
    FromTheFuture {
        /// How far the `created_at` is in the future.
        ahead: Duration,
    },
}

impl Payload {
    /// Checks that the difference between `created_at` and `now` is at most `tolerance`, in either direction.
    ///
    /// This limits how long a captured request can be replayed. Verify the signature first, because only a verified
    /// `created_at` can be trusted. The crate reads no clock, so pass the current time. [Old
    /// requests](crate::guide::old_requests) shows how to do this, how to choose the tolerance, and what to answer.
    ///
    /// ```
    /// use core::time::Duration;
    /// use twt_chat_webhooks::{FreshnessError, Timestamp, fixtures};
    ///
    /// let payload = fixtures::unreplied();
    /// let now = Timestamp::from_unix(payload.created_at.unix_seconds() + 600)?;
    /// assert!(payload.check_freshness(now, Duration::from_secs(600)).is_ok());
    /// let error = payload.check_freshness(now, Duration::from_secs(300)).unwrap_err();
    /// assert!(matches!(error, FreshnessError::Stale { age, .. } if age.as_secs() == 600));
    /// # Ok::<(), twt_chat_webhooks::TimestampError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`FreshnessError::Stale`] if the payload is too old.
    /// - [`FreshnessError::FromTheFuture`] if its `created_at` is too far in the future.
    pub fn check_freshness(&self, now: Timestamp, tolerance: Duration) -> Result<(), FreshnessError> {
        check_freshness(self.created_at, now, tolerance)
    }
}

pub(crate) fn check_freshness(sent: Timestamp, now: Timestamp, tolerance: Duration) -> Result<(), FreshnessError> {
    if let Some(age) = now.duration_since(sent).filter(|age| *age > tolerance) {
        return Err(FreshnessError::Stale { age });
    }
    if let Some(ahead) = sent.duration_since(now).filter(|ahead| *ahead > tolerance) {
        return Err(FreshnessError::FromTheFuture { ahead });
    }
    Ok(())
}
