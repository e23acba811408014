//! Typed webhook events of the TWT Chat live-chat platform.
//!
//! The platform sends a `POST` request with a JSON body when a visitor's message stays unanswered, or when a visitor
//! submits a form. This crate decodes the body into a [`Payload`], and encodes payloads for tests. It opens no
//! connection and reads no clock: you write the HTTP handler.
//!
//! # Getting started
//!
//! ```sh
//! cargo add twt-chat-webhooks --features signature
//! cargo add axum
//! cargo add tokio --features full
//! cargo add rusqlite --features bundled
//! ```
//!
//! This is a complete program. It stores the items of each request, answers, and works on the items afterwards:
//!
// The package `examples/handlers` compiles and tests this program. When the doc tests run, the block is `text`,
// because a block with `ignore` would be reported as an ignored test.
#![cfg_attr(not(doctest), doc = "```rust,ignore")]
#![cfg_attr(doctest, doc = "```text")]
#![doc = include_str!("guide/handlers/axum_sqlite.rs")]
//! ```
//!
//! Start it with `TWT_APP_SECRET=… cargo run`. [A durable handler](guide::handler) explains it, and says what to
//! answer. In a clone of the repository, the example `trigger` prints a command that sends a signed event to it.
//!
//! `Verifier::decode` verifies and decodes a body without storing it. [`Payload::from_slice`] decodes a body that is
//! verified already:
//!
//! ```
//! use twt_chat_webhooks::{Event, Payload, fixtures};
//!
//! let payload = Payload::from_slice(fixtures::UNREPLIED.as_bytes())?;
//! match payload.event {
//!     Event::Unreplied(messages) => assert_eq!(messages[0].push_times, 4),
//!     Event::PreChatFormSubmit(forms) => println!("{} forms", forms.len()),
//!     Event::OfflineFormSubmit(forms) => println!("{} forms", forms.len()),
//!     event => println!("unknown event {:?}", event.name()),
//! }
//! # Ok::<(), twt_chat_webhooks::DecodeError>(())
//! ```
//!
//! # Events
//!
//! - `UNREPLIED`: a visitor's message has not been answered in time. Each item of `content` is an [`UnrepliedContent`].
//! - `PRE_CHAT_FORM_SUBMIT`: a visitor has filled in the form before the chat. Each item is a [`PreChatFormContent`].
//! - `OFFLINE_FORM_SUBMIT`: a visitor has left a message while no agent was online. Each item is an
//!   [`OfflineFormContent`].
//!
//! Any other event is an [unknown event](UnknownEvent). The crate keeps its name and its whole content.
//!
//! # Features
//!
//! - `std`, on by default: `Timestamp` from `SystemTime`, and `std` in the dependencies. Without `std`, only `alloc` is
//!   needed.
//! - `signature`: verifying and signing with `Verifier`, `AppSecret` and `Signature`.
//! - `schemars`: `JsonSchema` for [`Payload`], [`Event`], the content types and the types of their fields.
//! - `arbitrary`: `Arbitrary` for the same types, to fuzz a handler with. It switches on `std`.
//!
//! # Where to read more
//!
//! - Receive requests, and know what to answer: [A durable handler](guide::handler)
//! - Take a request apart into records to store: [`Delivery`]
//! - Choose columns, and know what a database refuses: [Storing](guide::storing)
//! - Recognize an item that is delivered twice: [Repeated items](guide::repeated_items), [`ItemKey`]
//! - Detect old requests that are sent again: [Old requests](guide::old_requests)
//! - Know how values are read and written: [Reading and writing](guide::reading)
//! - Find out why a body cannot be decoded: [`DecodeError`]
//! - Find out why a signature does not match: [`SignatureError::Mismatch`][mismatch]
//! - Decode a body although some of its items are bad: [`Payload::from_slice_partial`]
//! - Correct an item that cannot be decoded: [Mending](guide::mending)
//! - Treat all documented events alike, or write an item as JSON: [`Content`]
//! - Use payloads in serde types of your own: [Through serde](guide::through_serde)
//! - Store payloads in CBOR, YAML or another format: [Other formats](guide::other_formats)
//! - Get the types in TypeScript or Python: [Other languages](guide::other_languages)
//! - Test and fuzz a handler: [Testing](guide::testing), [`fixtures`]
//! - Log a payload without what visitors wrote: [`Payload::summary`]
//! - Count events by their type: [`Payload::event_type`]
//! - Put numbers into integer columns: [`UnrepliedContent`](UnrepliedContent#in-a-database)
//! - Get the current time, or convert to `chrono`, `jiff` or `time`: [`Timestamp`](Timestamp#conversions)
//! - Check that a payload is as the platform documents it: [`validate`]
//! - Sign a request for the test of a handler: [`AppSecret::sign_payload`][signing]
//! - Change the secret without losing a request: [`Verifier`][rotation]
//!
//! # Stability
//!
//! The crate follows semantic versioning. It needs Rust 1.88. A minor version can need a newer Rust, and can document
//! more events, statuses and fields. The paths in errors are stable, but the wording of errors is not.
//!
//! The public dependencies are `serde`, `serde_json` and `time`. The features `schemars` and `arbitrary` add the crates
//! of the same names. To name the types of these crates, add the crates to your own dependencies.
//!
#![cfg_attr(feature = "signature", doc = "[signing]: AppSecret::sign_payload")]
#![cfg_attr(feature = "signature", doc = "[rotation]: Verifier")]
#![cfg_attr(feature = "signature", doc = "[mismatch]: SignatureError::Mismatch")]
// Without the feature `signature`, the module does not exist, so the links lead to docs.rs.
#![cfg_attr(not(feature = "signature"), doc = "[signing]: https://docs.rs/twt-chat-webhooks")]
#![cfg_attr(not(feature = "signature"), doc = "[rotation]: https://docs.rs/twt-chat-webhooks")]
#![cfg_attr(not(feature = "signature"), doc = "[mismatch]: https://docs.rs/twt-chat-webhooks")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
// No input may make the library panic. These lints do not apply to examples, tests and benchmarks.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core, unreachable_pub)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod as_text;
mod content;
mod contents;
mod delivery;
mod documented;
mod error;
mod event;
mod event_parts;
mod event_type;
pub mod fixtures;
mod freshness;
pub mod guide;
mod item;
mod item_key;
mod items;
mod partial;
mod payload;
#[cfg(feature = "schemars")]
mod schema;
mod sent_at;
#[cfg(feature = "signature")]
#[cfg_attr(docsrs, doc(cfg(feature = "signature")))]
pub mod signature;
mod status;
mod summary;
mod timestamp;
mod unknown;
pub mod validate;
mod wire;

// These are `Content`, and the content types with their builders.
pub use crate::content::*;
pub use crate::delivery::{Delivery, Record};
pub use crate::error::{DecodeError, DecodeErrorKind};
pub use crate::event::{Event, UnknownEvent};
pub use crate::event_type::EventType;
pub use crate::freshness::FreshnessError;
pub use crate::item_key::ItemKey;
pub use crate::partial::{Partial, Rejected};
pub use crate::payload::Payload;
#[cfg(feature = "schemars")]
pub use crate::schema::DocumentedPayload;
#[cfg(feature = "signature")]
#[cfg_attr(docsrs, doc(cfg(feature = "signature")))]
#[doc(inline)]
pub use crate::signature::{
    AppSecret, ReceiveError, SIGNATURE_HEADER, SecretError, Signature, SignatureError, SignedBody, Verifier,
};
pub use crate::status::{DocumentedStatus, Status, StatusError};
pub use crate::summary::Summary;
pub use crate::timestamp::{Timestamp, TimestampError};
pub use crate::unknown::{UnknownName, UnknownStatus};
#[doc(inline)]
pub use crate::validate::{Rule, ValidationError, Violation};
