//! # Testing a handler
//!
//! [`fixtures`](crate::fixtures) has the documented body of each event, as text and as a payload, and each content type
//! has a builder. Sign a payload to get a request like one from the platform:
//!
#![cfg_attr(all(feature = "signature", feature = "std"), doc = "```")]
#![cfg_attr(not(all(feature = "signature", feature = "std")), doc = "```text")]
//! use std::time::SystemTime;
//! use twt_chat_webhooks::{AppSecret, Verifier, fixtures};
//!
//! fn handle(verifier: &Verifier, body: &[u8], signature: Option<&[u8]>) -> u16 {
//!     verifier.receive(body, signature).map_or(403, |_delivery| 200)
//! }
//!
//! let secret = AppSecret::new("s3cret")?;
//! // The documented bodies are from December 2025. This one is sent now.
//! let payload = fixtures::unreplied().sent_at(SystemTime::now().into());
//! let request = secret.sign_payload(&payload);
//! let (_, signature) = request.header();
//!
//! let verifier = Verifier::new(secret);
//! let signature = Some(signature.as_bytes());
//! assert_eq!(handle(&verifier, &request.body, signature), 200);
//! assert_eq!(handle(&verifier, b"{}", signature), 403);
//! assert_eq!(handle(&verifier, &request.body, None), 403);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! These cases find most mistakes:
//!
//! - each documented event: [`EventType::DOCUMENTED`](crate::EventType::DOCUMENTED) with
//!   [`fixtures::payload`](crate::fixtures::payload)
//! - the same request twice
//! - an unknown event: [`Event::from_parts`](crate::Event::from_parts) with the name `EVENT_OF_TOMORROW`
//! - an item that cannot be decoded, between good ones
//! - text that a database refuses: [`fixtures::HOSTILE`](crate::fixtures::HOSTILE)
//! - an old request: a fixture without `sent_at`
//! - a wrong signature, and none
//!
//! The example `trigger` of the repository prints commands that send most of these requests to a running handler.
//!
//! For random payloads, switch on the feature `arbitrary`. The module
//! [`fixtures`](crate::fixtures#property-tests) shows a property test.
