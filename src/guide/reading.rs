//! # Reading and writing
//!
//! ## Reading
//!
//! Reading is tolerant as long as nothing is lost, and it never invents data:
//!
//! | in the body | in the payload |
//! |---|---|
//! | a documented event | its variant of [`Event`](crate::Event); an error if its content is malformed |
//! | an unknown event | [`Event::Unknown`](crate::Event::Unknown), with its name and its whole content |
//! | an unknown field | kept in `extra()`, and written back |
//! | a text field of an item that is `""`, `null` or missing | `""`, or `None` if the field is an `Option` |
//! | a text field with any other value, such as a number | an error |
//! | an integer field with an integer in its range, also as a digit string such as `"4"` | the integer |
//! | an integer field with a float without a fraction, up to 2^48 | the integer |
//! | an integer field with any other value | an error |
//! | a documented status, as a string or an integer | its variant of [`Status`](crate::Status) |
//! | any other string or 64-bit integer as a status | [`Status::Unknown`](crate::Status::Unknown) |
//! | a float without a fraction, up to 2^48, as a status | the same as for the integer |
//! | a status with any other value | an error |
//! | a time outside the years −9999 to 9999, such as milliseconds | an error |
//! | a documented field twice in one object | an error |
//! | a missing or `null` number, status, `event` or `webhook_id` | an error |
//! | missing `content` | an error |
//! | `content` that is not an array | an error for a documented event; kept for an unknown event |
//!
//! The order of the keys makes no difference.
//!
//! ## Writing
//!
//! Writing is exact. The documented fields come first, in the order of the platform's page. The unknown fields follow.
//! Numbers are written as numbers, a status as a string, and `None` as `""`.
//!
//! ## Unknown data
//!
//! Unknown fields and the content of an unknown event are held as [`serde_json::Value`]s. Three features of
//! `serde_json` make a `Value` more exact. Switch them on in your own `Cargo.toml`:
//!
//! - `preserve_order`: without this feature, the keys of an object are sorted.
//! - `float_roundtrip`: without this feature, a float can change its last digits each time it is read and written.
//! - `arbitrary_precision`: without this feature, integers beyond 64 bits and long fractions are rounded, and numbers
//!   beyond `f64` are errors.
//!
//! Without `float_roundtrip`, a float does not change if it is an integer of at most 15 digits, multiplied or divided
//! by a power of ten up to 10^22. Any other float can change. Without `arbitrary_precision`, an integer beyond 64 bits
//! is a float, so it can change in the same way.
//!
//! If an unknown key is repeated, its last value is kept. JSON that is nested 128 levels deep or deeper is always an
//! error.
//!
//! The features do not change how documented fields are read, with one exception: a float in an integer field that
//! differs from the nearest integer only in its last digits. The features decide whether such a float is read as this
//! integer, or is an error. A number beyond `f64` in a documented field is always an error. This error names the field
//! only with `arbitrary_precision`.
