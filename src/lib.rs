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
//! cargo add axum && cargo add tokio --features full
//! ```
//!
//! This is a complete receiver with axum. Start it with `TWT_APP_SECRET=… cargo run`:
//!
//! ```text
//! use axum::{Router, body::Bytes, extract::State, routing::post};
//! use axum::http::{HeaderMap, StatusCode};
//! use std::{env, error::Error, sync::Arc};
//! use twt_chat_webhooks::{AppSecret, Event, ReceiveError, SIGNATURE_HEADER, Verifier};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn Error>> {
//!     let verifier = Verifier::new(AppSecret::new(env::var("TWT_APP_SECRET")?)?);
//!     let routes = Router::new().route("/webhooks/twt-chat", post(receive));
//!     let app = routes.with_state(Arc::new(verifier));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//!
//! async fn receive(
//!     State(verifier): State<Arc<Verifier>>,
//!     headers: HeaderMap,
//!     body: Bytes, // the raw bytes, because the signature covers them
//! ) -> StatusCode {
//!     let signature = headers.get(SIGNATURE_HEADER).map(|value| value.as_bytes());
//!     match verifier.decode(&body, signature).map(|payload| payload.event) {
//!         Ok(Event::Unreplied(messages)) => println!("{} messages", messages.len()),
//!         Ok(Event::PreChatFormSubmit(forms)) => println!("{} forms", forms.len()),
//!         Ok(Event::OfflineFormSubmit(forms)) => println!("{} forms", forms.len()),
//!         Ok(event) => println!("unknown event {:?}", event.name()), // store the body
//!         Err(ReceiveError::Signature(_)) => return StatusCode::FORBIDDEN,
//!         Err(error) => eprintln!("{error}"), // store the body
//!     }
//!     StatusCode::OK
//! }
//! ```
//!
//! In the repository, `cargo run --example trigger` prints a command that sends a signed event to this receiver.
//!
//! Answer 200 to every body with a right signature, even if it cannot be decoded. Otherwise the platform retries the
//! delivery. The module [`signature`][signature] has a handler that loses nothing, and shows how to call it from axum,
//! actix-web, Lambda and Workers. Without the feature `signature`, use [`Payload::from_slice`] to decode a body.
//!
//! # Events
//!
//! | event | what has happened | each item of `content` |
//! |---|---|---|
//! | `UNREPLIED` | a visitor's message has not been answered in time | [`UnrepliedContent`] |
//! | `PRE_CHAT_FORM_SUBMIT` | a visitor has filled in the form before the chat | [`PreChatFormContent`] |
//! | `OFFLINE_FORM_SUBMIT` | a visitor has left a message while no agent was online | [`OfflineFormContent`] |
//!
//! Any other event is an [unknown event](UnknownEvent). The crate keeps its name and its whole content.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | `std` in the dependencies and `Timestamp` from `SystemTime`; without `std`, only `alloc` is needed |
//! | `signature` | | verifying and signing: `Verifier`, `AppSecret`, `Signature` |
//! | `schemars` | | `JsonSchema` for the types |
//! | `arbitrary` | | `Arbitrary` for the types, to fuzz a handler with |
//!
//! # Where to read more
//!
//! | to | see |
//! |---|---|
//! | know how values are read and written | [`Payload`](Payload#reading) |
//! | decode a body although some of its items are bad | [`Payload::from_slice_partial`] |
//! | find out why a body cannot be decoded | [`DecodeError`] |
//! | recognize an item that is delivered twice | [`ItemKey`] |
//! | mend an item that cannot be decoded | [`Rejected`](Rejected#mending-an-item) |
//! | treat all documented events alike, or write an item as JSON | [`Content`] |
//! | make one payload for each item | [`Payload`](Payload#one-payload-for-each-item) |
//! | store payloads, as JSON or in another format | [`Payload`](Payload#storing) |
//! | use payloads in serde types of your own | [`Payload`](Payload#through-serde) |
//! | detect replayed requests, and know what to answer | [`Payload`](Payload#old-requests) |
//! | log a payload without what visitors wrote | [`Payload::summary`] |
//! | count events by their type | [`Payload::event_type`] |
//! | put numbers into integer columns | [`UnrepliedContent`](UnrepliedContent#in-a-database) |
//! | get the current time, or convert to `chrono`, `jiff` or `time` | [`Timestamp`](Timestamp#conversions) |
//! | build test data: documented bodies, bodies of today, or random payloads | [`fixtures`] |
//! | check that a payload is as the platform documents it | [`validate`] |
//! | send a signed request to a handler | [`AppSecret::sign_payload`][signing] |
//! | change the secret without losing a request | [`Verifier`][rotation] |
//!
//! # Stability
//!
//! The crate follows semantic versioning. It needs Rust 1.88. A minor version can need a newer Rust, and can document
//! more events, statuses and fields. The paths in errors are stable, but the wording of errors is not.
//!
//! The public dependencies are `serde`, `serde_json` and `time`. The features `schemars` and `arbitrary` add the crates
//! of the same names. To name the types of these crates, add the crates to your own dependencies.
//!
#![cfg_attr(feature = "signature", doc = "[signature]: signature")]
#![cfg_attr(feature = "signature", doc = "[signing]: AppSecret::sign_payload")]
#![cfg_attr(feature = "signature", doc = "[rotation]: Verifier")]
// Without the feature `signature`, the module does not exist, so the links lead to docs.rs.
#![cfg_attr(not(feature = "signature"), doc = "[signature]: https://docs.rs/twt-chat-webhooks")]
#![cfg_attr(not(feature = "signature"), doc = "[signing]: https://docs.rs/twt-chat-webhooks")]
#![cfg_attr(not(feature = "signature"), doc = "[rotation]: https://docs.rs/twt-chat-webhooks")]
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
mod content;
mod delivery;
mod documented;
mod error;
mod event;
mod event_type;
pub mod fixtures;
mod freshness;
mod item;
mod item_key;
mod partial;
mod payload;
#[cfg(feature = "schemars")]
mod schema;
#[cfg(feature = "signature")]
#[cfg_attr(docsrs, doc(cfg(feature = "signature")))]
pub mod signature;
mod status;
mod summary;
mod timestamp;
mod unknown;
pub mod validate;
mod wire;

/// Compiles and runs the code of the README as a doc test.
#[cfg(all(doctest, feature = "signature"))]
#[doc = include_str!("../README.md")]
struct Readme;

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
#[cfg(feature = "signature")]
#[cfg_attr(docsrs, doc(cfg(feature = "signature")))]
#[doc(inline)]
pub use crate::signature::{
    AppSecret, InvalidSecret, ReceiveError, SIGNATURE_HEADER, Signature, SignatureError, SignedBody, Verifier,
};
pub use crate::status::{DocumentedStatus, Status, UndocumentedStatus};
pub use crate::summary::Summary;
pub use crate::timestamp::{Timestamp, TimestampError};
pub use crate::unknown::{UnknownName, UnknownStatus};
#[doc(inline)]
pub use crate::validate::{Rule, ValidationError, Violation};
