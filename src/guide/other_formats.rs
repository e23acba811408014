//! # Other formats
//!
//! JSON, YAML, RON, CBOR and `MessagePack` can store the types. (In `MessagePack`, write an [`Event`](crate::Event)
//! with `rmp_serde::to_vec_named`, which keeps the names of the fields.)
//!
//! If the feature `arbitrary_precision` of `serde_json` is on, do not use RON or `rmp_serde::to_vec`. `serde_json`
//! then hands over each number in unknown data as an object that these two formats cannot hold.
//!
//! bincode and postcard can write the types but cannot read them, because their data does not contain the names and
//! types of fields. In such a format, store the JSON as bytes:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use twt_chat_webhooks::{Payload, fixtures};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Job {
//!     attempts: u32,
//!     body: Vec<u8>,
//! }
//!
//! let job = Job { attempts: 0, body: fixtures::unreplied().to_vec() };
//! assert_eq!(Payload::from_slice(&job.body), Ok(fixtures::unreplied()));
//! ```
