//! Checking a payload against what the platform documents, and for its age. Both are opt-in: decoding believes what it
//! can read.
//!
//! ```
//! use twt_chat_webhooks::{Payload, Rule, Status, Timestamp, UnrepliedContent, validate};
//!
//! let written = Timestamp::from_unix(1_765_439_652)?;
//! let message = UnrepliedContent::builder("Visitor15", written)
//!     .subject("Hello")
//!     .property_name("shop")
//!     .push_times(5)
//!     .build();
//! let payload = Payload::new(written, "not an id", message);
//!
//! let error = payload.validate().unwrap_err();
//! let found: Vec<_> = error.violations().iter().map(|violation| (violation.path(), violation.rule())).collect();
//! assert_eq!(found, [
//!     ("webhook_id", Rule::MalformedWebhookId),
//!     ("content[0].push_times", Rule::PushTimesOutOfRange),
//! ]);
//!
//! // Single values, by the same rules:
//! assert_eq!(validate::webhook_id("58946f5f583edd94f5cf87e3534d04fb"), Ok(()));
//! assert_eq!(validate::push_times(validate::MAX_PUSH_TIMES + 1), Err(Rule::PushTimesOutOfRange));
//! assert_eq!(validate::status(&Status::from("7")), Err(Rule::UndocumentedStatus));
//! # Ok::<(), twt_chat_webhooks::TimestampError>(())
//! ```

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::content::UnrepliedContent;
use crate::content::sealed::{AnyItem, Internal};
use crate::payload::Payload;
use crate::status::Status;
use crate::timestamp::Timestamp;

/// The number of pushes after which the platform stops.
pub const MAX_PUSH_TIMES: u32 = UnrepliedContent::MAX_PUSH_TIMES;

/// The length of a `webhook_id`, in lower-case hex digits.
pub const WEBHOOK_ID_LENGTH: usize = 32;

/// Checks a `webhook_id` for its form, that of the platform's example.
///
/// # Errors
///
/// [`Rule::MalformedWebhookId`] unless it is [`WEBHOOK_ID_LENGTH`] lower-case hex digits.
pub fn webhook_id(id: &str) -> Result<(), Rule> {
    let well_formed = id.len() == WEBHOOK_ID_LENGTH && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ensure(well_formed, Rule::MalformedWebhookId)
}

/// Checks a number of pushes.
///
/// # Errors
///
/// [`Rule::PushTimesOutOfRange`] unless it is 1 to [`MAX_PUSH_TIMES`].
pub fn push_times(times: u32) -> Result<(), Rule> {
    ensure((1..=MAX_PUSH_TIMES).contains(&times), Rule::PushTimesOutOfRange)
}

/// Checks that a status is documented.
///
/// # Errors
///
/// [`Rule::UndocumentedStatus`] if it is not.
pub fn status(status: &Status) -> Result<(), Rule> {
    ensure(!matches!(status, Status::Unknown(_)), Rule::UndocumentedStatus)
}

/// Everything about a payload that is not as the platform documents it. Made by [`Payload::validate`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValidationError {
    violations: Vec<Violation>,
}

impl ValidationError {
    /// What was found, in the order of the body. Never empty.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

/// All violations in one line: `webhook_id: must be …; content[0].push_times: must be …`.
impl fmt::Display for ValidationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.violations.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{violation}")?;
        }
        Ok(())
    }
}

impl core::error::Error for ValidationError {}

/// One thing that is not as documented.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{path}: {rule}")]
pub struct Violation {
    path: String,
    rule: Rule,
}

impl Violation {
    /// The place in the payload, such as `content[0].push_times`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The rule that is broken there.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

/// A rule that the platform's page states or its examples keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// The event is not one that this version documents. Its content is not checked.
    #[error("must be a documented event")]
    UndocumentedEvent,
    /// The `webhook_id` is not [`WEBHOOK_ID_LENGTH`] lower-case hex digits.
    #[error("must be {WEBHOOK_ID_LENGTH} lower-case hex digits")]
    MalformedWebhookId,
    /// The event carries no item.
    #[error("must hold at least one item")]
    EmptyContent,
    /// A `subject`, `visitor_name` or `property_name` is empty. (A message may be.)
    #[error("must not be empty")]
    EmptyText,
    /// An item was created after the payload was sent.
    #[error("must not be later than the payload's created_at")]
    CreatedAfterSent,
    /// The number of pushes is not 1 to [`MAX_PUSH_TIMES`].
    #[error("must be 1 to {MAX_PUSH_TIMES}")]
    PushTimesOutOfRange,
    /// The status is not one that this version documents.
    #[error("must be a documented status")]
    UndocumentedStatus,
}

/// A payload is too old, or from the future. Made by [`Payload::check_freshness`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FreshnessError {
    /// It was sent longer ago than is tolerated.
    #[error("sent {} s ago, which is too long", age.as_secs())]
    Stale {
        /// How long ago it was sent.
        age: Duration,
    },
    /// It claims to have been sent later than is tolerated.
    #[error("sent {} s in the future", ahead.as_secs())]
    FromTheFuture {
        /// How far in the future it claims to have been sent.
        ahead: Duration,
    },
}

impl Payload {
    /// Checks the payload against what the platform documents, decoded or built alike, and changes nothing.
    ///
    /// An undocumented event is a violation itself, and is checked no further than its envelope. The form of
    /// `webhook_id` is that of the platform's one example. See [`validate`](crate::validate) for an example.
    ///
    /// # Errors
    ///
    /// [`ValidationError`] with every violation, not only the first.
    pub fn validate(&self) -> Result<(), ValidationError> {
        let mut report = Report::default();
        let documented = self.event.as_unknown().is_none();
        report.add("event", ensure(documented, Rule::UndocumentedEvent));
        report.add("webhook_id", webhook_id(&self.webhook_id));
        let empty = self.event.contents().next().is_none();
        report.add("content", ensure(!documented || !empty, Rule::EmptyContent));
        for (index, content) in self.event.contents().enumerate() {
            let mut check = |field, result| report.add(format_args!("content[{index}].{field}"), result);
            check("subject", not_empty(content.subject()));
            check("visitor_name", not_empty(content.visitor_name()));
            check("created_at", ensure(content.created_at() <= self.created_at, Rule::CreatedAfterSent));
            check("property_name", not_empty(content.property_name()));
            // The rules for the fields that only one event has.
            match content.item(Internal) {
                AnyItem::Unreplied(message) => {
                    check("status", status(&message.status));
                    check("push_times", push_times(message.push_times));
                }
                AnyItem::PreChatFormSubmit(_) | AnyItem::OfflineFormSubmit(_) => {}
            }
        }
        if report.0.is_empty() { Ok(()) } else { Err(ValidationError { violations: report.0 }) }
    }

    /// Checks that the payload was sent within `tolerance` of `now`, inclusive and in both directions.
    ///
    /// The platform signs no time apart from the body, so the body's own `created_at` is what limits how long a
    /// captured request can be replayed. Verify the signature first. No clock is read: pass the time.
    /// [Old requests](Payload#old-requests) shows how, how to choose the tolerance, and what to answer.
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
    /// [`FreshnessError::Stale`] or [`FreshnessError::FromTheFuture`].
    pub fn check_freshness(&self, now: Timestamp, tolerance: Duration) -> Result<(), FreshnessError> {
        if let Some(age) = now.duration_since(self.created_at).filter(|age| *age > tolerance) {
            return Err(FreshnessError::Stale { age });
        }
        if let Some(ahead) = self.created_at.duration_since(now).filter(|ahead| *ahead > tolerance) {
            return Err(FreshnessError::FromTheFuture { ahead });
        }
        Ok(())
    }
}

#[derive(Default)]
struct Report(Vec<Violation>);

impl Report {
    /// Writes the path out only if there is something to report.
    fn add(&mut self, path: impl fmt::Display, result: Result<(), Rule>) {
        if let Err(rule) = result {
            self.0.push(Violation { path: path.to_string(), rule });
        }
    }
}

fn ensure(holds: bool, rule: Rule) -> Result<(), Rule> {
    if holds { Ok(()) } else { Err(rule) }
}

fn not_empty(text: &str) -> Result<(), Rule> {
    ensure(!text.is_empty(), Rule::EmptyText)
}
