//! # Through serde
//!
//! The types of a payload implement `Serialize` and `Deserialize` by the rules of
//! [Reading and writing](super::reading). The rules hold for any self-describing format, for `serde_json::from_value`,
//! for `#[serde(flatten)]`, and for types of your own that contain a payload, an event or an item. The error of the
//! format contains the text of a [`DecodeError`](crate::DecodeError), with the path of the field:
//!
//! ```
//! use serde_json::json;
//! use twt_chat_webhooks::Payload;
//!
//! let body = json!({
//!     "created_at": 1765439941,
//!     "event": "OFFLINE_FORM_SUBMIT",
//!     "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
//!     "content": [{"created_at": "yesterday"}],
//! });
//! let error = serde_json::from_value::<Payload>(body).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "OFFLINE_FORM_SUBMIT content[0].created_at: \
//!      expected Unix seconds, found a string",
//! );
//! ```
//!
//! Such an error has no line and no column, because the crate does not see the text of the body. To get the position
//! of a fault, decode the whole body with [`from_slice`](crate::Payload::from_slice). `serde_json` may add a line and
//! a column of its own, which do not point at the fault. For an untagged enum, serde replaces the error with a text of
//! its own.
//!
//! An error about a type of your own comes from serde, and can quote the body. For example, serde quotes a string that
//! stands in the place of your struct.
//!
//! If you use `#[serde(flatten)]`:
//!
//! - A flattened `Payload` or item takes all remaining keys. Put it after all other flattened fields.
//! - Do not give your own fields the name of a field of the payload or the item.
//! - A flattened [`Event`](crate::Event) reads `event` and `content` without removing them. So a flattened map beside
//!   the `Event` also receives both. To keep the other keys, flatten a `Payload` instead of an `Event` and a map.
