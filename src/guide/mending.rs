//! # Mending an item
//!
//! If you know what is wrong with an item, correct its JSON and decode it again with
//! [`Event::from_parts`](crate::Event::from_parts). This code corrects a time that was sent in milliseconds:
//!
//! ```
//! use serde_json::Value;
//! use twt_chat_webhooks::{Event, Payload, fixtures};
//!
//! let body = fixtures::UNREPLIED.replace("1765439652", "1765439652000");
//! let mut partial = Payload::from_slice_partial(body.as_bytes())?;
//! let rejected = partial.rejected.remove(0);
//! assert_eq!(rejected.error.path(), "content[0].created_at");
//!
//! let mut item: Value = serde_json::from_str(&rejected.raw)?;
//! if let Some(milliseconds) = item["created_at"].as_i64() {
//!     item["created_at"] = (milliseconds / 1_000).into();
//! }
//! let event_type = partial.payload.event_type();
//! let mut mended = partial.payload.clone(); // keeps the unknown fields of the envelope
//! mended.event = Event::from_parts(event_type, Value::Array(vec![item]))?;
//! assert_eq!(mended, fixtures::unreplied());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! If `from_parts` fails, the path of its error belongs to the mended content, not to the body. So the first item is
//! `content[0]`, whatever its index in the body was.
