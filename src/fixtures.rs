//! Fixtures: the bodies of the platform's *Event Types* page, as text and as payloads that are built in code.
//!
//! Use them to test a handler:
//!
//! ```
//! use twt_chat_webhooks::{Payload, fixtures};
//!
//! let payload = Payload::from_slice(fixtures::UNREPLIED.as_bytes())?;
//! assert_eq!(payload, fixtures::unreplied());
//! assert_eq!(payload.validate(), Ok(()));
//!
//! // Change the fields of a fixture to get another payload.
//! let mut payload = fixtures::unreplied();
//! payload.webhook_id.clear();
//! assert!(payload.validate().is_err());
//! # Ok::<(), twt_chat_webhooks::DecodeError>(())
//! ```
//!
//! Each content type has a builder. Use it to build items of your own:
//!
//! ```
//! use twt_chat_webhooks::{Payload, Status, Timestamp, UnrepliedContent};
//!
//! let written = Timestamp::from_unix(1_765_439_652)?;
//! let sent = Timestamp::from_unix(1_765_439_941)?;
//! let message = UnrepliedContent::builder("Visitor15", written)
//!     .message_content("Is anybody there?")
//!     .status(Status::Queued)
//!     .push_times(2)
//!     .build();
//! let payload = Payload::new(sent, "58946f5f583edd94f5cf87e3534d04fb", message);
//! assert_eq!(Payload::from_slice(&payload.to_vec()), Ok(payload));
//! # Ok::<(), twt_chat_webhooks::TimestampError>(())
//! ```
//!
//! To get a payload with unknown fields, decode JSON, for example with `serde_json::from_value(json!({ … }))`. To get
//! an unknown event, you can also use [`Event::from_parts`](crate::Event::from_parts).
//!
//! # A fixture of today
//!
//! The bodies are from December 2025. If your handler checks the age of a payload, change the time of the fixture:
//!
#![cfg_attr(feature = "std", doc = "```")]
#![cfg_attr(not(feature = "std"), doc = "```text")]
//! use std::time::{Duration, SystemTime};
//! use twt_chat_webhooks::{Timestamp, fixtures};
//!
//! let now = Timestamp::from(SystemTime::now());
//! let fresh = fixtures::unreplied().sent_at(now);
//! assert!(fresh.check_freshness(now, Duration::from_secs(60)).is_ok());
//! ```
//!
//! # All documented events
//!
//! [`body`] and [`payload`] return the fixture of an event type. With [`EventType::DOCUMENTED`], a test covers all
//! documented events, and also those that a later version adds:
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
//!
//! # Text that a database refuses
//!
//! [`HOSTILE`] is a body that the platform may send, but that a database may refuse or change. Use it to test how your
//! handler stores what it receives. The handler should answer 200, and what it reads back should be what it has stored.
//! A handler that answers with an error gets the same body again, because the platform retries.
//!
//! ```
//! use twt_chat_webhooks::{Payload, Timestamp, fixtures};
//!
//! let payload = Payload::from_slice(fixtures::HOSTILE.as_bytes())?;
//! assert_eq!(payload, fixtures::hostile());
//!
//! // Texts with a NUL, which PostgreSQL refuses in `text` and in `jsonb`.
//! assert_eq!(payload.webhook_id, "\0");
//! let message = &payload.event.as_unreplied().unwrap()[0];
//! assert!(message.visitor_name.contains('\0'));
//! assert!(message.message_content.contains('\0'));
//! // A time that few databases can store, and a number beyond `i64`.
//! assert_eq!(message.created_at, Timestamp::MIN);
//! assert_eq!(message.time_sec, u64::MAX);
//! # Ok::<(), twt_chat_webhooks::DecodeError>(())
//! ```
//!
//! # Property tests
//!
//! The feature `arbitrary` and the crate `arbitrary` generate random payloads. About half of them pass
//! [`Payload::validate`]. If a payload is encoded and decoded again, the result is the same payload. Nearly all
//! payloads are old, or from the future. [`Payload::sent_at`] makes a payload fresh, so that the test reaches the code
//! behind [`Payload::check_freshness`]. With proptest:
//!
#![cfg_attr(not(doctest), doc = "```rust,ignore")]
#![cfg_attr(doctest, doc = "```text")]
//! use std::time::SystemTime;
//!
//! use arbitrary::{Arbitrary, Unstructured};
//! use proptest::prelude::*;
//! use twt_chat_webhooks::{Payload, Timestamp};
//!
//! fn payload() -> impl Strategy<Value = Payload> {
//!     let bytes = proptest::collection::vec(any::<u8>(), 512);
//!     bytes.prop_filter_map("too short", |bytes| {
//!         let payload = Payload::arbitrary(&mut Unstructured::new(&bytes)).ok()?;
//!         let now = Timestamp::from(SystemTime::now());
//!         Some(payload.sent_at(now))
//!     })
//! }
//!
//! proptest! {
//!     #[test]
//!     fn the_handler_takes_every_payload(payload in payload()) {
//!         prop_assert_eq!(handle(&payload.to_vec()), 200);
//!     }
//! }
//! ```

use crate::content::{self, UnrepliedContent};
use crate::documented::documented;
use crate::event_type::EventType;
use crate::payload::Payload;
use crate::timestamp::Timestamp;

const SENT: Timestamp = timestamp(1_765_439_941);
const WEBHOOK_ID: &str = "58946f5f583edd94f5cf87e3534d04fb";

/// The `created_at` of the item in each full example on the platform's page.
const CREATED: Timestamp = timestamp(1_765_439_652);

const fn timestamp(seconds: i64) -> Timestamp {
    match Timestamp::from_unix(seconds) {
        Ok(timestamp) => timestamp,
        Err(_) => Timestamp::UNIX_EPOCH,
    }
}

macro_rules! fixtures {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        $(
            #[doc = concat!("The documented body of the event `", stringify!($NAME), "`, as text.")]
            pub const $NAME: &str = include_str!(concat!("fixtures/", stringify!($name), ".json"));

            #[doc = concat!("[`", stringify!($NAME), "`] as a payload.")]
            #[must_use]
            pub fn $name() -> Payload {
                Payload::new(SENT, WEBHOOK_ID, content::$Content::example(CREATED))
            }
        )*

        /// The documented body of an event as text, or `None` for an unknown event.
        #[must_use]
        pub fn body(event_type: &EventType) -> Option<&'static str> {
            match event_type {
                $(EventType::$Variant => Some($NAME),)*
                EventType::Unknown(_) => None,
            }
        }

        /// The documented body of an event as a payload, or `None` for an unknown event.
        #[must_use]
        pub fn payload(event_type: &EventType) -> Option<Payload> {
            match event_type {
                $(EventType::$Variant => Some($name()),)*
                EventType::Unknown(_) => None,
            }
        }
    };
}

documented! { fixtures }

/// A body of the event `UNREPLIED` that is hard to store, as text.
///
/// The crate reads the body, and encodes and decodes it without a loss. A database may refuse or change:
///
/// - the NUL in `webhook_id`, `visitor_name`, `message_content` and the unknown `status`
/// - the control characters, invisible characters, quotation marks, escapes and U+10FFFF in `message_content`
/// - the SQL in `subject`, the text `NULL` in `sbs`, and the single space in `assigned_agent_nickname`
/// - the emoji in `visitor_nickname`, which has four bytes in UTF-8, and the 256 characters of `property_name`
/// - the year -9999 in the `created_at` of the item, `u32::MAX` in `push_times`, and `u64::MAX` in `time_sec`
///
/// [The module page](self#text-that-a-database-refuses) shows how to use it.
pub const HOSTILE: &str = include_str!("fixtures/hostile.json");

/// [`HOSTILE`] as a payload.
#[must_use]
pub fn hostile() -> Payload {
    let message = UnrepliedContent::builder("Visitor\0 15", Timestamp::MIN)
        .subject("'); DROP TABLE deliveries; --")
        .message_content(
            "\0\u{1}\u{8}\t\n\u{c}\r\u{1f} \u{7f}\u{85}\u{a0}\u{2028}\u{202e}\u{200b}\u{feff}\u{ffff} e\u{301} 😀 \
             \u{10ffff} ' \" ` \\ \\0 %s %00 {0} ${HOME} <script>alert(1)</script>",
        )
        .property_name("x".repeat(256))
        .visitor_nickname("😀")
        .sbs("NULL")
        .status("\0".into())
        .push_times(u32::MAX)
        .time_sec(u64::MAX)
        .assigned_agent_nickname(" ")
        .build();
    Payload::new(SENT, "\0", message)
}
