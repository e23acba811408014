//! The three bodies of the platform's *Event Types* page, as text and as values built in code.
//!
//! For the tests of a handler:
//!
//! ```
//! use twt_chat_webhooks::{Payload, fixtures};
//!
//! assert_eq!(Payload::from_slice(fixtures::UNREPLIED.as_bytes())?, fixtures::unreplied());
//! assert_eq!(fixtures::PRE_CHAT_FORM_SUBMIT.parse::<Payload>()?, fixtures::pre_chat_form_submit());
//! assert_eq!(fixtures::OFFLINE_FORM_SUBMIT.parse::<Payload>()?, fixtures::offline_form_submit());
//!
//! // Another one: the fields are public, and each content type has a builder.
//! let mut payload = fixtures::unreplied();
//! payload.webhook_id.clear();
//! assert!(payload.validate().is_err());
//! # Ok::<(), twt_chat_webhooks::DecodeError>(())
//! ```

use crate::content::{OfflineFormContent, PreChatFormContent, UnrepliedContent};
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
