//! Typed webhook events of the TWT Chat live-chat platform.
//!
//! The platform sends a `POST` with a JSON body when a visitor's message stays unanswered, or when a visitor fills in a form. This
//! crate turns such a body into a [`Payload`] and back, and keeps whatever it does not know. It is pure data: it opens no
//! connection, reads no clock, and leaves the HTTP handler to you.
//!
//! # Getting started
//!
//! ```toml
//! [dependencies]
//! twt-chat-webhooks = { version = "0.1", features = ["signature"] }
//! ```
//!
//! To name types of the public dependencies, add those too: `serde` with `derive` and `serde_json` to read an unknown event into
//! a type of your own, `time` to convert a [`Timestamp`].
//!
//! Verify and decode the raw body in your handler, and answer with a status:
//!
#![cfg_attr(feature = "signature", doc = "```")]
#![cfg_attr(not(feature = "signature"), doc = "```text")]
//! use twt_chat_webhooks::{AppSecret, Event, Verifier};
//!
//! fn handle(verifier: &Verifier, body: &[u8], signature: Option<&[u8]>) -> u16 {
//!     let payload = match verifier.decode(body, signature) {
//!         Ok(payload) => payload,
//!         Err(error) => {
//!             eprintln!("refused: {error}"); // says where and what, never what the visitor wrote
//!             return error.http_status(); // 403 or 400
//!         }
//!     };
//!     match payload.event {
//!         Event::Unreplied(messages) => {
//!             for message in messages {
//!                 println!("{} has waited for {:?}", message.visitor_name, message.timeout());
//!             }
//!         }
//!         Event::PreChatFormSubmit(forms) => println!("{} forms", forms.len()),
//!         Event::OfflineFormSubmit(forms) => println!("{} forms", forms.len()),
//!         Event::Unknown(event) => println!("{}, which is newer than this code", event.name()),
//!         _ => {} // documented by a later version of the crate
//!     }
//!     200
//! }
//!
//! let secret = AppSecret::new("the AppSecret of your account")?;
//! let request = secret.sign_payload(&twt_chat_webhooks::fixtures::unreplied());
//! let verifier = Verifier::new(secret);
//! assert_eq!(handle(&verifier, &request.body, Some(request.signature.to_string().as_bytes())), 200);
//! assert_eq!(handle(&verifier, &request.body, None), 403);
//! # Ok::<(), twt_chat_webhooks::InvalidSecret>(())
//! ```
//!
//! The platform expects the answer within 5 seconds and tries again otherwise, so hand slow work to a task of its own and answer
//! 200 at once, for events you do not know too. Whether it tries again after a 400 is not documented; if you would rather not have a
//! body again that cannot be read, keep it and answer 200. `verifier` is an ordinary value: build it once and share it. Without the feature
//! `signature`, [`Payload::from_slice`] decodes, and verifying is up to you.
//!
//! # Events
//!
//! | event | what has happened | each item of `content` |
//! |---|---|---|
//! | `UNREPLIED` | a visitor's message has not been answered in time | [`UnrepliedContent`] |
//! | `PRE_CHAT_FORM_SUBMIT` | a visitor has filled in the form before the chat | [`PreChatFormContent`] |
//! | `OFFLINE_FORM_SUBMIT` | a visitor has left a message while no agent was online | [`OfflineFormContent`] |
//!
//! # Reading
//!
//! Reading is tolerant where nothing is lost by it, and never invents data:
//!
//! | in the body | in the payload |
//! |---|---|
//! | a documented event | its variant of [`Event`]; an error if its content is malformed |
//! | any other event | [`Event::Unknown`], with its name and its whole content |
//! | a field that is not documented | kept in `extra()`, and written back |
//! | text that is `""`, `null` or missing | `""`, or `None` where the field is an `Option` |
//! | anything else where a text belongs, such as a number | an error |
//! | an integer as number or as digits in a string; up to 2^48 also as float without a fraction | the integer; anything else is an error |
//! | a status `"1"` to `"4"`, as string or integer | its variant of [`Status`] |
//! | any other string, or integer of 64 bits, as status | [`Status::Unknown`], and written back as string |
//! | a time beyond the years −9999 to 9999, such as milliseconds | an error |
//! | a documented field twice in one object | an error |
//! | a missing or `null` number, status, `event` or `webhook_id`, or no `content` | an error |
//! | `content` that is no array | an error; for an event that is not documented, kept |
//!
//! The order of the keys makes no difference. Writing is exact: the documented fields in the order of the platform's page, then
//! the others; numbers as numbers; `""` for `None`.
//!
//! What is not documented is held as a [`serde_json::Value`], and kept as exactly as that does: it sorts keys unless its feature
//! `preserve_order` is on, and keeps the last of a repeated key. Unless `arbitrary_precision` is on, it rounds integers beyond 64 bits
//! and long fractions, and a number beyond `f64` is an error. JSON that is nested 128 levels deep is an error in any case. None of
//! its features changes what documented fields hold, except where a float has a fraction in the last digits of an `f64`: it may go
//! unseen.
//!
//! [`Payload::from_slice`] is the fastest way in, and the one whose errors know the path. [`Payload`], [`Event`], [`UnknownEvent`], the
//! content types, [`EventType`], [`Status`] and [`Timestamp`] also implement `Serialize` and `Deserialize` by the same rules, for any
//! self-describing format, under `#[serde(flatten)]` and in enums of your own. A flattened [`Payload`] or item takes every key that is
//! left: put it after all other flattened fields, and give your own fields names that it has not. A flattened [`Event`] takes its two
//! keys from nobody, so a flattened map beside it holds them too; to keep what else is there, flatten a [`Payload`] instead of both.
//!
//! # Errors
//!
//! A [`DecodeError`] names the place, what was expected there and which kind of value was found:
//!
//! ```text
//! UNREPLIED content[0].push_times: expected an unsigned integer, found a string (line 15, column 20)
//! ```
//!
//! It also holds what could be read of the envelope, and no word of a customer's. (The `Debug` of a [`Payload`] does show them.) To lose
//! no more of a batch than the items that cannot be read, use [`Payload::from_slice_partial`], or `Verifier::decode_partial`.
//!
//! # Events that the crate does not know
//!
//! The platform announces that it will add events. Until a version of this crate documents one, it arrives as
//! [`Event::Unknown`], and [`UnknownEvent`] shows how to read it into a type of your own. All enums are `#[non_exhaustive]`, so a later
//! version can add a variant without breaking your code: the event then takes the `_` arm of your `match` instead. If that must
//! not happen unnoticed, match on [`event_type().as_str()`](EventType::as_str), and take the content as JSON, which every version has:
//!
//! ```
//! use serde_json::{Value, json};
//! use twt_chat_webhooks::Event;
//!
//! /// `None` for any other event.
//! fn event_of_tomorrow(event: &Event) -> Option<Value> {
//!     match event.event_type().as_str() {
//!         "EVENT_OF_TOMORROW" => Some(serde_json::to_value(event).ok()?["content"].take()),
//!         _ => None,
//!     }
//! }
//!
//! let event = Event::from_parts("EVENT_OF_TOMORROW", json!([{"visitor_name": "Visitor15"}]))?;
//! assert_eq!(event_of_tomorrow(&event), Some(json!([{"visitor_name": "Visitor15"}])));
//! # Ok::<(), twt_chat_webhooks::DecodeError>(())
//! ```
//!
//! # Fixtures for your tests
//!
//! [`fixtures`] holds the three bodies of the platform's page, as text and as values. Each content type has a builder for others:
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
//! let body = payload.to_vec();
//! assert_eq!(Payload::from_slice(&body), Ok(payload));
//! # Ok::<(), twt_chat_webhooks::TimestampError>(())
//! ```
//!
//! The fields of an item are public, to change one of a fixture. A payload that holds what no version documents comes from JSON:
//! [`Payload::from_slice`], or `serde_json::from_value(json!({ … }))`; an unknown event also from [`Event::from_parts`].
//!
//! # Validation
//!
//! Decoding accepts what it can read. Whether a payload is also what the platform documents, [`Payload::validate`] tells, with every
//! violation at once; see [`validate`]. It is meant for fixtures and for monitoring: an event that the platform adds is a violation
//! too, so do not refuse requests for it.
//!
//! [`Payload::check_freshness`] limits how long a captured request can be replayed; the time is yours to read:
//! `time::OffsetDateTime::now_utc().into()`, with the feature `std` of `time`. Whether a retry comes with a new `created_at` is not
//! documented, so leave room for retries.
//!
//! With the feature `schemars`, `schemars::schema_for!(Payload)` is the JSON Schema of what the platform documents, and of what this
//! crate writes. A body that is read with tolerance need not match it.
//!
//! # Telling deliveries apart
//!
//! The platform calls `webhook_id` a "unique webhook identifier" and does not say whether it names the endpoint or the delivery, nor
//! whether a retry repeats the body to the byte. Neither is a safe key for idempotency. Use what has happened: the event type with an
//! item's `property_name`, `visitor_name` and `created_at`, and for an unanswered message its
//! [`push_times`](UnrepliedContent::push_times), since each push of it is news.
//!
//! # Storing and replaying
//!
//! Store the raw body and its signature if you may want to verify again: a signature holds for these bytes only. If a payload is
//! enough, [`Payload::to_vec`] writes all that it holds, and [`Payload::from_slice`] reads it back, with a later version of this crate
//! as well. An event or a field that was unknown may be documented by then, and is read by its rules.
//!
//! # In a framework
//!
//! Ask for the body as bytes, never as text or as JSON. The package `examples/receiver` of the repository is a whole receiver with
//! axum; the other frameworks differ only in how they hand over the body and the header. `handle` is the function
//! [above](#getting-started), and all other names are those of the framework:
//!
//! ```text
//! use twt_chat_webhooks::signature::SIGNATURE_HEADER;
//!
//! // axum
//! async fn receive(State(verifier): State<Arc<Verifier>>, headers: HeaderMap, body: Bytes) -> StatusCode {
//!     let signature = headers.get(SIGNATURE_HEADER).map(HeaderValue::as_bytes);
//!     let status = handle(&verifier, &body, signature);
//!     StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
//! }
//!
//! // actix-web
//! async fn receive(verifier: web::Data<Verifier>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
//!     let signature = request.headers().get(SIGNATURE_HEADER).map(|value| value.as_bytes());
//!     let status = handle(&verifier, &body, signature);
//!     HttpResponse::new(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
//! }
//!
//! // AWS Lambda (lambda_http); the body may come in base64, which `lambda_http` has undone
//! async fn receive(verifier: &Verifier, request: Request) -> Result<Response<Body>, Error> {
//!     let signature = request.headers().get(SIGNATURE_HEADER).map(|value| value.as_bytes());
//!     let status = handle(verifier, request.body().as_ref(), signature);
//!     Ok(Response::builder().status(status).body(Body::Empty)?)
//! }
//!
//! // Cloudflare Workers (worker)
//! async fn receive(verifier: &Verifier, mut request: Request) -> worker::Result<Response> {
//!     let signature = request.headers().get(SIGNATURE_HEADER)?;
//!     let body = request.bytes().await?;
//!     let status = handle(verifier, &body, signature.as_deref().map(str::as_bytes));
//!     Ok(Response::empty()?.with_status(status))
//! }
//! ```
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
//! The crate follows semantic versioning. It needs Rust 1.88; a newer requirement comes with a minor version. A newly documented
//! event, status or field comes with a minor version too. The paths in errors are stable, the wording is not. Of its dependencies,
//! `serde`, `serde_json` and `time` are public, and `schemars` and `arbitrary` with the features of their names.
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
