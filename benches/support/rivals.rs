//! The rivals: other ways to decode and encode the bodies, each as a user would write it.
//!
//! They read only the documented shape. Unknown data is dropped or causes an error. `null` in a text field is an error,
//! and so is a digit string in the place of a number.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::shapes::{Exact, Form, Unreplied};

pub type ExactUnreplied = Exact<String, Unreplied<String>>;
pub type ExactForm = Exact<String, Form<String>>;

pub type ZeroCopyUnreplied<'a> = Exact<Borrowed<'a>, Unreplied<Borrowed<'a>>>;
pub type ZeroCopyForm<'a> = Exact<Borrowed<'a>, Form<Borrowed<'a>>>;

/// Text that is borrowed from the body, and copied only if it has an escape. A `&str` cannot hold text with an escape,
/// such as a message of two lines.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

/// Finds the end of each value with `serde_json`, and keeps nothing.
pub fn scan(body: &[u8]) -> IgnoredAny {
    serde_json::from_slice(body).unwrap()
}

/// The cheapest way on top of `serde_json`: it copies no text, and UTF-8 has been checked before.
pub fn zero_copy<'a, T: Deserialize<'a>>(body: &'a str) -> T {
    serde_json::from_str(body).unwrap()
}

pub fn from_slice<T: DeserializeOwned>(body: &[u8]) -> T {
    serde_json::from_slice(body).unwrap()
}

pub fn value_then_from_value<T: DeserializeOwned>(body: &[u8]) -> T {
    let value = serde_json::from_slice(body).unwrap();
    serde_json::from_value(value).unwrap()
}

pub fn sonic<T: DeserializeOwned>(body: &[u8]) -> T {
    sonic_rs::from_slice(body).unwrap()
}

/// simd-json overwrites the body while it reads, so a handler that needs the body afterwards has to copy it first.
pub fn simd<T: DeserializeOwned>(body: &[u8]) -> T {
    simd_json::from_slice(&mut body.to_vec()).unwrap()
}

pub fn to_vec<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}
