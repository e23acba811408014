//! Typed webhook events of the TWT Chat live-chat platform.
//!
//! The platform sends a `POST` request with a JSON body when a visitor's message stays unanswered, or when a visitor
//! submits a form. This crate turns the body into a [`Payload`] and back, and keeps everything that it does not know.
//! The crate is pure data: it opens no connection and reads no clock, and the HTTP handler is yours.
//!
//! # Getting started
//!
//! ```sh
//! cargo add twt-chat-webhooks --features signature
//! ```
//!
//! This handler loses nothing. It answers 403 to a wrong signature and 200 to everything else:
//!
#![cfg_attr(feature = "signature", doc = "```")]
#![cfg_attr(not(feature = "signature"), doc = "```text")]
//! use twt_chat_webhooks::{AppSecret, Event, ReceiveError, Verifier, fixtures};
//!
//! fn handle(verifier: &Verifier, body: &[u8], signature: Option<&[u8]>) -> u16 {
//!     let decoded = match verifier.decode_partial(body, signature) {
//!         Ok(decoded) => decoded,
//!         Err(ReceiveError::Signature(_)) => return 403,
//!         Err(error) => {
//!             keep(body, &error.to_string());
//!             return 200;
//!         }
//!     };
//!     if let Some(item) = decoded.rejected.first() {
//!         keep(body, &item.error.to_string()); // the other items are in `payload`
//!     }
//!     match decoded.payload.event {
//!         Event::Unreplied(messages) => {
//!             for message in messages {
//!                 println!("{} waits: {:?}", message.visitor_name, message.timeout());
//!             }
//!         }
//!         Event::PreChatFormSubmit(forms) => println!("{} forms", forms.len()),
//!         Event::OfflineFormSubmit(forms) => println!("{} forms", forms.len()),
//!         _ => keep(body, "an event that this code does not handle yet"),
//!     }
//!     200
//! }
//!
//! /// Keeps a body for a person to look at: in a table, in a queue, or in a file.
//! fn keep(body: &[u8], why: &str) {
//!     eprintln!("kept {} bytes: {why}", body.len());
//! }
//!
//! // A test: a request as the platform sends it.
//! let secret = AppSecret::new("the AppSecret of your account")?;
//! let request = secret.sign_payload(&fixtures::unreplied());
//! let (_, signature) = request.header();
//! let verifier = Verifier::new(secret);
//! assert_eq!(handle(&verifier, &request.body, Some(signature.as_bytes())), 200);
//! assert_eq!(handle(&verifier, &request.body, None), 403);
//! # Ok::<(), twt_chat_webhooks::InvalidSecret>(())
//! ```
//!
//! With axum it runs like this. The [other frameworks][frameworks] differ only in how they hand over the header and
//! the body:
//!
//! ```text
//! use axum::http::{HeaderMap, HeaderValue, StatusCode};
//! use axum::{Router, body::Bytes, extract::State, routing::post};
//! use twt_chat_webhooks::SIGNATURE_HEADER;
//!
//! async fn receive(
//!     State(verifier): State<Arc<Verifier>>,
//!     headers: HeaderMap,
//!     body: Bytes, // the raw bytes, never text or JSON
//! ) -> StatusCode {
//!     let signature = headers.get(SIGNATURE_HEADER).map(HeaderValue::as_bytes);
//!     let status = handle(&verifier, &body, signature);
//!     StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
//! }
//!
//! let routes = Router::new().route("/webhooks", post(receive));
//! let app = routes.with_state(Arc::new(verifier));
//! axum::serve(TcpListener::bind("127.0.0.1:3000").await?, app).await?;
//! ```
//!
//! The platform repeats a delivery that is not answered with 200 within 5 seconds. A body that cannot be decoded now
//! cannot be decoded the next time either, so keep the body and answer 200. If the body cannot be kept, answer 503,
//! and the platform sends it again. Leave slow work to another task.
//!
//! Without the feature `signature`, [`Payload::from_slice`] and [`Payload::from_slice_partial`] decode a body, and
//! verifying the signature is up to you.
//!
//! # Events
//!
//! | event | what has happened | each item of `content` |
//! |---|---|---|
//! | `UNREPLIED` | a visitor's message has not been answered in time | [`UnrepliedContent`] |
//! | `PRE_CHAT_FORM_SUBMIT` | a visitor has filled in the form before the chat | [`PreChatFormContent`] |
//! | `OFFLINE_FORM_SUBMIT` | a visitor has left a message while no agent was online | [`OfflineFormContent`] |
//!
//! The platform announces that it will add events. Until a version of this crate documents an event, the event arrives
//! as [`Event::Unknown`] with its name and its whole content. [`UnknownEvent`] shows how to read such an event into a
//! type of your own, and what happens to your code when a later version documents the event.
//!
//! # Recipes
//!
//! | to | see |
//! |---|---|
//! | recognize an item that is delivered twice | [`ItemKey`] |
//! | mend an item that cannot be decoded | [`Rejected`](Rejected#mending-an-item) |
//! | treat all documented events alike, or write an item as JSON | [`Content`] |
//! | make one payload for each item | [`Payload`](Payload#one-payload-for-each-item) |
//! | store payloads, as JSON or in another format | [`Payload`](Payload#storing) |
//! | find requests that are old, and know what to answer | [`Payload`](Payload#old-requests) |
//! | log a payload without what visitors wrote | [`Payload::summary`] |
//! | count events by their type | [`Payload::event_type`] |
//! | put numbers into integer columns | [`UnrepliedContent`](UnrepliedContent#in-a-database) |
//! | get the current time, and convert to `chrono`, `jiff` and `time` | [`Timestamp`](Timestamp#conversions) |
//! | build test data, with a time of today or at random | [`fixtures`] |
//! | send a signed request to a handler | [`AppSecret::sign_payload`][signing] |
//! | change the secret without losing a request | [`Verifier`][rotation] |
//!
//! # Reading and writing
//!
//! Reading is tolerant where nothing is lost by it: a number may arrive as a string, and a text as `null`. Unknown
//! fields, statuses and events are kept and written back. Writing is exact: the documented fields come first, in the
//! order of the platform's page. [`Payload`](Payload#reading) lists the rules, and says how exactly
//! [unknown data](Payload#unknown-data) is kept.
//!
//! The same rules hold [through serde](Payload#through-serde), in any self-describing format, and for types of your
//! own that hold a payload, an event or an item.
//!
//! # Errors
//!
//! A [`DecodeError`] names the place, what was expected there, and which kind of value was found:
//!
//! ```text
//! UNREPLIED content[0].push_times: expected an unsigned integer, found a string (line 15, column 20)
//! ```
//!
//! If a body has several faults, any one of them may be reported. An error also holds what could be read of the
//! envelope. Neither `Display` nor `Debug` of an error shows a value of the body, so errors are safe to log.
//!
//! `Debug` of a [`Payload`] or of anything in it does show what visitors wrote. [`Payload::summary`] is safe to log.
//!
//! # Validation
//!
//! Decoding accepts what it can read. [`Payload::validate`] tells whether a payload is also what the platform
//! documents, and reports every violation at once. It is meant for fixtures and for monitoring. Do not refuse requests
//! for a violation, because an event that the platform adds is a violation too.
//!
//! With the feature `schemars`, `schemars::schema_for!(Payload)` is the JSON Schema of what the platform documents, and
//! of what this crate writes. A body that is read with tolerance need not match it.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | `std` in the dependencies; without it the crate needs only `alloc` |
//! | `signature` | | verifying and signing: `Verifier`, `AppSecret`, `Signature` |
//! | `schemars` | | `JsonSchema` for the types |
//! | `arbitrary` | | `Arbitrary` for the types, to fuzz a handler with |
//!
//! # Stability
//!
//! The crate follows semantic versioning. It needs Rust 1.88, and a newer requirement comes with a minor version. A
//! newly documented event, status or field comes with a minor version too. The paths in errors are stable, and the
//! wording of errors is not. The public dependencies are `serde`, `serde_json` and `time`, and `schemars` and
//! `arbitrary` with the features of their names. To name their types, add these crates to your own dependencies.
//!
#![cfg_attr(feature = "signature", doc = "[frameworks]: signature#in-a-framework")]
#![cfg_attr(feature = "signature", doc = "[signing]: AppSecret::sign_payload")]
#![cfg_attr(feature = "signature", doc = "[rotation]: Verifier")]
// Without the feature, the links lead to the page of docs.rs.
#![cfg_attr(not(feature = "signature"), doc = "[frameworks]: https://docs.rs/twt-chat-webhooks")]
#![cfg_attr(not(feature = "signature"), doc = "[signing]: https://docs.rs/twt-chat-webhooks")]
#![cfg_attr(not(feature = "signature"), doc = "[rotation]: https://docs.rs/twt-chat-webhooks")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Nothing that arrives may make the library panic. (Examples, tests and benches are free to.)
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core, unreachable_pub)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod content;
mod documented;
mod error;
mod event;
mod event_type;
pub mod fixtures;
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

/// Compiles and runs what the README shows.
#[cfg(all(doctest, feature = "signature"))]
#[doc = include_str!("../README.md")]
struct Readme;

// `Content`, and the content types with their builders.
pub use crate::content::*;
pub use crate::error::{DecodeError, DecodeErrorKind};
pub use crate::event::{Event, UnknownEvent};
pub use crate::event_type::EventType;
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
pub use crate::validate::{FreshnessError, Rule, ValidationError, Violation};
