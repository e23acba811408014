//! Validation: checks that a payload is as the platform documents it. Decoding does not check this. To check that a
//! payload is not too old, use [`Payload::check_freshness`].
//!
//! [`Payload::validate`] is meant for fixtures and for monitoring. Do not reject requests because of a violation: an
//! unknown event is a violation too. This code reports all violations of a payload:
//!
//! ```
//! use twt_chat_webhooks::{Payload, Rule, Status, Timestamp, UnrepliedContent};
//! use twt_chat_webhooks::validate;
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
//! let [first, second] = error.violations() else { panic!("{error}") };
//! assert_eq!(first.path(), "webhook_id");
//! assert_eq!(first.rule(), Rule::MalformedWebhookId);
//! assert_eq!(second.path(), "content[0].push_times");
//! assert_eq!(second.rule(), Rule::PushTimesOutOfRange);
//!
//! // These functions check single values by the same rules.
//! assert_eq!(validate::webhook_id("58946f5f583edd94f5cf87e3534d04fb"), Ok(()));
//! assert_eq!(validate::push_times(5), Err(Rule::PushTimesOutOfRange));
//! assert_eq!(validate::status(&Status::from("7")), Err(Rule::UndocumentedStatus));
//! # Ok::<(), twt_chat_webhooks::TimestampError>(())
//! ```

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::content::UnrepliedContent;
use crate::content::sealed::{AnyItem, Internal};
use crate::event_type::EventType;
pub use crate::freshness::FreshnessError;
use crate::payload::Payload;
use crate::status::Status;

/// The largest `push_times`. After this push, the platform does not push the message again.
pub const MAX_PUSH_TIMES: u32 = UnrepliedContent::MAX_PUSH_TIMES;

/// The length of a `webhook_id`, in lower-case hex digits.
pub const WEBHOOK_ID_LENGTH: usize = 32;

/// Checks that a `webhook_id` has the form of the platform's example.
///
/// # Errors
///
/// [`Rule::MalformedWebhookId`] if the id is not exactly [`WEBHOOK_ID_LENGTH`] lower-case hex digits.
pub fn webhook_id(id: &str) -> Result<(), Rule> {
    let well_formed = id.len() == WEBHOOK_ID_LENGTH && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    ensure(well_formed, Rule::MalformedWebhookId)
}

/// Checks that `push_times` is from 1 to [`MAX_PUSH_TIMES`].
///
/// # Errors
///
/// [`Rule::PushTimesOutOfRange`] if it is 0 or larger than [`MAX_PUSH_TIMES`].
pub fn push_times(times: u32) -> Result<(), Rule> {
    ensure((1..=MAX_PUSH_TIMES).contains(&times), Rule::PushTimesOutOfRange)
}

/// Checks that a status is documented.
///
/// # Errors
///
/// [`Rule::UndocumentedStatus`] if the status is unknown.
pub fn status(status: &Status) -> Result<(), Rule> {
    ensure(!matches!(status, Status::Unknown(_)), Rule::UndocumentedStatus)
}

/// All violations of the rules in a payload. Made by [`Payload::validate`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValidationError {
    violations: Vec<Violation>,
}

impl ValidationError {
    /// The violations, in the order of the body. There is at least one.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

/// Writes all violations in one line: `webhook_id: must be …; content[0].push_times: must be …`.
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

/// A rule that a payload breaks, and the path to the place where the payload breaks the rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{path}: {rule}")]
pub struct Violation {
    path: String,
    rule: Rule,
}

impl Violation {
    /// The path to the place in the payload, such as `content[0].push_times`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The rule that the payload breaks at this path.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

/// A rule that [`Payload::validate`] checks. The platform's pages state the rule, or all of their examples follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// The event is unknown. Its content is not checked.
    #[error("must be a documented event")]
    UndocumentedEvent,
    /// The event is unknown, but in upper case its name would be documented. Its content is not checked.
    #[error("must be in upper case, as the name of the documented event is")]
    EventInAnotherCase,
    /// The `webhook_id` is not [`WEBHOOK_ID_LENGTH`] lower-case hex digits.
    #[error("must be {WEBHOOK_ID_LENGTH} lower-case hex digits")]
    MalformedWebhookId,
    /// The content of the event has no item.
    #[error("must hold at least one item")]
    EmptyContent,
    /// A `subject`, `visitor_name` or `property_name` is empty. (The other text fields may be empty.)
    #[error("must not be empty")]
    EmptyText,
    /// An item was created after the payload was sent.
    #[error("must not be later than the payload's created_at")]
    CreatedAfterSent,
    /// The `push_times` is not from 1 to [`MAX_PUSH_TIMES`].
    #[error("must be 1 to {MAX_PUSH_TIMES}")]
    PushTimesOutOfRange,
    /// The status is unknown.
    #[error("must be a documented status")]
    UndocumentedStatus,
}

impl Payload {
    /// Checks that the payload is as the platform documents it. The [`Rule`]s say what is checked.
    ///
    /// The check is the same for a payload that was decoded and for one that was built in code. For an unknown event,
    /// only the envelope is checked, and the event itself is a violation. See [`validate`](crate::validate) for an
    /// example.
    ///
    /// # Errors
    ///
    /// [`ValidationError`] with all violations, not only the first.
    pub fn validate(&self) -> Result<(), ValidationError> {
        let mut report = Report::default();
        report.add("event", documented_event(self.event.name()));
        report.add("webhook_id", webhook_id(&self.webhook_id));
        let is_unknown = self.event.as_unknown().is_some();
        let is_empty = self.event.contents().next().is_none();
        report.add("content", ensure(is_unknown || !is_empty, Rule::EmptyContent));
        for (index, content) in self.event.contents().enumerate() {
            let mut check = |field, result| report.add(format_args!("content[{index}].{field}"), result);
            check("subject", not_empty(content.subject()));
            check("visitor_name", not_empty(content.visitor_name()));
            check("created_at", ensure(content.created_at() <= self.created_at, Rule::CreatedAfterSent));
            check("property_name", not_empty(content.property_name()));
            // The rules for fields that not all events have.
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
}

/// Collects violations.
#[derive(Default)]
struct Report(Vec<Violation>);

impl Report {
    /// Adds a violation if `result` is an error. Otherwise the path is not formatted, because formatting is costly.
    fn add(&mut self, path: impl fmt::Display, result: Result<(), Rule>) {
        if let Err(rule) = result {
            self.0.push(Violation { path: path.to_string(), rule });
        }
    }
}

fn documented_event(name: &str) -> Result<(), Rule> {
    let mut names = EventType::DOCUMENTED.iter().map(EventType::as_str);
    match names.find(|documented| documented.eq_ignore_ascii_case(name)) {
        Some(documented) => ensure(documented == name, Rule::EventInAnotherCase),
        None => Err(Rule::UndocumentedEvent),
    }
}

fn ensure(holds: bool, rule: Rule) -> Result<(), Rule> {
    if holds { Ok(()) } else { Err(rule) }
}

fn not_empty(text: &str) -> Result<(), Rule> {
    ensure(!text.is_empty(), Rule::EmptyText)
}
