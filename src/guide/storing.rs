//! # Storing
//!
#![doc = include_str!("storing.md")]
//!
//! # Other things to store
//!
//! If you may want to verify the signature again, store the raw body and the signature, because the signature is right
//! for these bytes only. To store a payload that you have built or changed, store the JSON of
//! [`to_vec`](crate::Payload::to_vec). A later version of this crate can read this JSON too. If that version documents
//! an event or a field that is unknown now, it reads the event or the field by the rules for documented ones.
