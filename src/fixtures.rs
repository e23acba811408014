//! The three bodies of the platform's *Event Types* page, as text and as values built in code.
//!
//! For the tests of a handler:
//!
//! ```
//! use twt_chat_webhooks::{Payload, fixtures};
//!
//! let payload = Payload::from_slice(fixtures::UNREPLIED.as_bytes())?;
//! assert_eq!(payload, fixtures::unreplied());
//! assert_eq!(payload.validate(), Ok(()));
//!
//! // To make another payload, change its fields, or use the content types' builders.
//! let mut payload = fixtures::unreplied();
//! payload.webhook_id.clear();
//! assert!(payload.validate().is_err());
//! # Ok::<(), twt_chat_webhooks::DecodeError>(())
//! ```
//!
//! The bodies are from December 2025. If your handler checks how old a body is, move it to now with
//! [`Payload::sent_at`].
//!
//! [`body`] and [`payload`] find a fixture by its event type. With [`EventType::DOCUMENTED`], a test sees every
//! documented event, and those of a later version too:
//!
//! ```
//! use twt_chat_webhooks::{EventType, Payload, fixtures};
//!
//! for event_type in EventType::DOCUMENTED {
//!     let body = fixtures::body(event_type).unwrap();
//!     assert_eq!(body.parse().ok(), fixtures::payload(event_type));
//! }
//! assert_eq!(fixtures::body(&EventType::from("EVENT_OF_TOMORROW")), None);
//! ```

use crate::content::{OfflineFormContent, PreChatFormContent, UnrepliedContent};
use crate::event::Event;
use crate::event_type::EventType;
use crate::payload::Payload;
use crate::status::Status;
use crate::timestamp::Timestamp;

/// The documented body of an `UNREPLIED` event, as the page prints it.
pub const UNREPLIED: &str = include_str!("fixtures/unreplied.json");

/// The documented body of a `PRE_CHAT_FORM_SUBMIT` event, as the page prints it.
pub const PRE_CHAT_FORM_SUBMIT: &str = include_str!("fixtures/pre_chat_form_submit.json");

/// The documented body of an `OFFLINE_FORM_SUBMIT` event, as the page prints it.
pub const OFFLINE_FORM_SUBMIT: &str = include_str!("fixtures/offline_form_submit.json");

const SENT: Timestamp = timestamp(1_765_439_941);
const CREATED: Timestamp = timestamp(1_765_439_652);
const WEBHOOK_ID: &str = "58946f5f583edd94f5cf87e3534d04fb";

const fn timestamp(seconds: i64) -> Timestamp {
    match Timestamp::from_unix(seconds) {
        Ok(timestamp) => timestamp,
        Err(_) => Timestamp::UNIX_EPOCH,
    }
}

/// [`UNREPLIED`] as a value.
#[must_use]
pub fn unreplied() -> Payload {
    let message = UnrepliedContent::builder("Visitor15", CREATED)
        .subject("New Conversation")
        .message_content("1")
        .property_name("test")
        .visitor_nickname("visitor nickname")
        .status(Status::Unreplied)
        .push_times(4)
        .time_sec(289)
        .assigned_agent_nickname("ctccccd")
        .build();
    Payload::new(SENT, WEBHOOK_ID, message)
}

/// [`PRE_CHAT_FORM_SUBMIT`] as a value.
#[must_use]
pub fn pre_chat_form_submit() -> Payload {
    let form = PreChatFormContent::builder("Visitor15", CREATED)
        .subject("New Conversation")
        .message_content("1")
        .property_name("test")
        .visitor_nickname("visitor nickname")
        .assigned_agent_nickname("ctccccd")
        .build();
    Payload::new(SENT, WEBHOOK_ID, form)
}

/// [`OFFLINE_FORM_SUBMIT`] as a value.
#[must_use]
pub fn offline_form_submit() -> Payload {
    let form = OfflineFormContent::builder("Visitor15", CREATED)
        .subject("New Conversation")
        .message_content("1")
        .property_name("test")
        .visitor_nickname("visitor nickname")
        .assigned_agent_nickname("ctccccd")
        .build();
    Payload::new(SENT, WEBHOOK_ID, form)
}

/// The documented body of an event as the page prints it, or `None` if this version does not document the event.
#[must_use]
pub fn body(event_type: &EventType) -> Option<&'static str> {
    match event_type {
        EventType::Unreplied => Some(UNREPLIED),
        EventType::PreChatFormSubmit => Some(PRE_CHAT_FORM_SUBMIT),
        EventType::OfflineFormSubmit => Some(OFFLINE_FORM_SUBMIT),
        EventType::Unknown(_) => None,
    }
}

/// The documented body of an event as a value, or `None` if this version does not document the event.
#[must_use]
pub fn payload(event_type: &EventType) -> Option<Payload> {
    match event_type {
        EventType::Unreplied => Some(unreplied()),
        EventType::PreChatFormSubmit => Some(pre_chat_form_submit()),
        EventType::OfflineFormSubmit => Some(offline_form_submit()),
        EventType::Unknown(_) => None,
    }
}

impl Payload {
    /// The payload as if it had been sent at `created_at`. The `created_at` of each item moves by the same amount.
    ///
    /// A time that would leave the range of [`Timestamp`] becomes [`Timestamp::MIN`] or [`Timestamp::MAX`].
    /// `time_sec` is a duration and stays. Unknown fields and the content of an unknown event stay too, because the
    /// crate does not know which of their numbers are times.
    ///
    /// ```
    /// use core::time::Duration;
    /// use twt_chat_webhooks::{Timestamp, fixtures};
    ///
    /// let now = Timestamp::from_unix(1_800_000_000)?; // Timestamp::from(SystemTime::now())
    /// let fresh = fixtures::unreplied().sent_at(now);
    /// assert_eq!(fresh.check_freshness(now, Duration::ZERO), Ok(()));
    ///
    /// let message = &fresh.event.as_unreplied().unwrap()[0];
    /// assert_eq!((now - message.created_at).whole_seconds(), 289);
    /// # Ok::<(), twt_chat_webhooks::TimestampError>(())
    /// ```
    #[must_use]
    pub fn sent_at(mut self, created_at: Timestamp) -> Self {
        let seconds = created_at.unix_seconds() - self.created_at.unix_seconds();
        let shift = |time: &mut Timestamp| *time = Timestamp::saturating_from_unix(time.unix_seconds() + seconds);
        self.created_at = created_at;
        match &mut self.event {
            Event::Unreplied(items) => items.iter_mut().for_each(|item| shift(&mut item.created_at)),
            Event::PreChatFormSubmit(items) => items.iter_mut().for_each(|item| shift(&mut item.created_at)),
            Event::OfflineFormSubmit(items) => items.iter_mut().for_each(|item| shift(&mut item.created_at)),
            Event::Unknown(_) => {}
        }
        self
    }
}
