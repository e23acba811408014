//! The other ways to read and write these bodies, each as a user would write it.
//!
//! They know the documented shape and promise no more than it: what is unknown is dropped or an error, `null` is an
//! error in a text field, a digit string is one in a number.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::shapes::{Exact, Form, Unreplied};

pub type ExactUnreplied = Exact<String, Unreplied<String>>;
pub type ExactForm = Exact<String, Form<String>>;

pub type ZeroCopyUnreplied<'a> = Exact<Borrowed<'a>, Unreplied<Borrowed<'a>>>;
pub type ZeroCopyForm<'a> = Exact<Borrowed<'a>, Form<Borrowed<'a>>>;

/// Text that stays in the body, unless it holds an escape. A plain `&str` could not hold a message of two lines.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

/// `serde_json` with nothing kept: what finding the end of each value costs.
pub fn scan(body: &[u8]) -> IgnoredAny {
    serde_json::from_slice(body).unwrap()
}

/// The least that a reader on top of `serde_json` can cost: nothing is copied, and UTF-8 was checked beforehand.
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

/// simd-json writes into the body that it reads, so a handler that goes on using the body has to copy it.
pub fn simd<T: DeserializeOwned>(body: &[u8]) -> T {
    simd_json::from_slice(&mut body.to_vec()).unwrap()
}

pub fn to_vec<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}
