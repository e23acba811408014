//! Every way to decode a `Payload` keeps the same promises. Other modules decode with [`decode`] and [`refuse`], which
//! try all ways.

use std::io::Cursor;

use ciborium::Value as Cbor;
use serde::de::{DeserializeOwned, Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::Value;
use twt_chat_webhooks::{DecodeError, Payload};

use crate::body::{Body, EVENTS};

#[derive(Deserialize)]
struct Own {
    payload: Payload,
}

#[derive(Deserialize)]
struct Flattened {
    received_by: String,
    #[serde(flatten)]
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Untagged {
    Other {
        #[allow(dead_code)]
        other: bool,
    },
    Webhook(Payload),
}

#[derive(Deserialize)]
#[serde(tag = "source", content = "body")]
enum AdjacentlyTagged {
    Chat(Payload),
}

#[derive(Deserialize)]
#[serde(tag = "source")]
enum InternallyTagged {
    Chat(Payload),
}

type DecodeWay = fn(&str) -> Result<Payload, String>;

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Adds fields at the start of the body.
fn with_fields(fields: &str, body: &str) -> String {
    body.replacen('{', &format!("{{{fields},"), 1)
}

fn partial(body: &str) -> Result<Payload, String> {
    let mut partial = Payload::from_slice_partial(body.as_bytes()).map_err(|error| error.to_string())?;
    match partial.rejected.pop() {
        None => Ok(partial.payload),
        Some(rejected) => Err(rejected.error.to_string()),
    }
}

fn own_struct(body: &str) -> Result<Payload, String> {
    read(&format!(r#"{{"payload":{body}}}"#)).map(|Own { payload }| payload)
}

fn flattened(body: &str) -> Result<Payload, String> {
    read(&with_fields(r#""received_by":"us""#, body)).map(|Flattened { received_by, payload }| {
        assert_eq!(received_by, "us");
        payload
    })
}

fn untagged(body: &str) -> Result<Payload, String> {
    read(body).map(|either| match either {
        Untagged::Webhook(payload) => payload,
        Untagged::Other { .. } => panic!("the body has no field `other`"),
    })
}

fn adjacently_tagged(text: &str) -> Result<Payload, String> {
    read(text).map(|AdjacentlyTagged::Chat(payload)| payload)
}

fn internally_tagged(body: &str) -> Result<Payload, String> {
    read(&with_fields(r#""source":"Chat""#, body)).map(|InternallyTagged::Chat(payload)| payload)
}

fn cbor(body: &str) -> Result<Payload, String> {
    let mut bytes = Vec::new();
    ciborium::into_writer(&to_cbor(body), &mut bytes).unwrap();
    ciborium::from_reader(bytes.as_slice()).map_err(|error| error.to_string())
}

/// Converts JSON to CBOR. Repeated keys stay repeated.
pub(crate) fn to_cbor(json: &str) -> Cbor {
    serde_json::from_str::<Cbor>(json).map(numbers_as_numbers).unwrap()
}

/// With `arbitrary_precision`, `serde_json` passes each number as a map with one private key. Turns such maps back into
/// numbers.
fn numbers_as_numbers(value: Cbor) -> Cbor {
    match value {
        Cbor::Array(items) => Cbor::Array(items.into_iter().map(numbers_as_numbers).collect()),
        Cbor::Map(fields) => match fields.as_slice() {
            [(Cbor::Text(key), Cbor::Text(digits))] if key == "$serde_json::private::Number" => {
                let integer = digits.parse::<i128>().ok().and_then(|integer| integer.try_into().ok());
                integer.map_or_else(|| Cbor::Float(digits.parse().unwrap()), Cbor::Integer)
            }
            _ => Cbor::Map(fields.into_iter().map(|(key, value)| (key, numbers_as_numbers(value))).collect()),
        },
        value => value,
    }
}

const WAYS: [(&str, DecodeWay); 14] = [
    ("from_slice", |body| Payload::from_slice(body.as_bytes()).map_err(|error| error.to_string())),
    ("FromStr", |body| body.parse().map_err(|error: DecodeError| error.to_string())),
    ("from_slice_partial", partial),
    ("serde_json::from_str", read),
    ("serde_json::from_slice", |body| serde_json::from_slice(body.as_bytes()).map_err(|error| error.to_string())),
    ("from_reader", |body| serde_json::from_reader(Cursor::new(body)).map_err(|error| error.to_string())),
    ("a user's struct", own_struct),
    ("flatten", flattened),
    ("an untagged enum", untagged),
    ("an adjacently tagged enum", |body| adjacently_tagged(&format!(r#"{{"source":"Chat","body":{body}}}"#))),
    ("an adjacently tagged enum, tag last", |body| adjacently_tagged(&format!(r#"{{"body":{body},"source":"Chat"}}"#))),
    ("an internally tagged enum", internally_tagged),
    ("CBOR", cbor),
    (FROM_VALUE, |body| serde_json::from_value(read(body)?).map_err(|error| error.to_string())),
];

/// The only way that cannot see repeated keys.
const FROM_VALUE: &str = "from_value";

/// Decodes the body in every way. All ways must give the same payload.
#[track_caller]
pub(crate) fn decode(body: &str) -> Payload {
    let payload = Payload::from_slice(body.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{body}"));
    for (way, decode) in WAYS {
        assert_eq!(decode(body).as_ref(), Ok(&payload), "{way}: {body}");
    }
    payload
}

/// Decodes the body in every way, encodes the payload, and returns the result as a `Value`.
#[track_caller]
pub(crate) fn relay(body: &str) -> Value {
    serde_json::from_slice(&decode(body).to_vec()).unwrap()
}

/// Asserts that every way refuses the body, and returns the error of `from_slice`.
#[track_caller]
pub(crate) fn refuse(body: &str) -> DecodeError {
    for (way, decode) in WAYS {
        assert!(decode(body).is_err(), "{way} accepted {body}");
    }
    error_of(body)
}

/// Does the same as [`refuse`] for a body with a repeated key, which `from_value` cannot see.
#[track_caller]
pub(crate) fn refuse_repetition(body: &str) -> DecodeError {
    for (way, decode) in WAYS.into_iter().filter(|(way, _)| *way != FROM_VALUE) {
        assert!(decode(body).is_err(), "{way} accepted {body}");
    }
    error_of(body)
}

/// The texts of the errors of all ways that refuse the body.
pub(crate) fn failures(body: &str) -> Vec<String> {
    // Only JSON can be converted to CBOR, and only an object can get more fields.
    let is_json = serde_json::from_str::<Value>(body).is_ok();
    let is_object = body.starts_with('{');
    let ways = WAYS.into_iter().filter(|(way, _)| match *way {
        "CBOR" => is_json,
        "flatten" | "an internally tagged enum" => is_object,
        _ => true,
    });
    ways.filter_map(|(_, decode)| decode(body).err()).collect()
}

/// Returns the error of `from_slice`. `FromStr` must give the same error.
#[track_caller]
pub(crate) fn error_of(body: &str) -> DecodeError {
    let Err(error) = Payload::from_slice(body.as_bytes()) else { panic!("from_slice accepted {body}") };
    assert_eq!(body.parse::<Payload>().as_ref(), Err(&error), "{body}");
    error
}

/// The text of the error without the position. The position depends on the order of the keys.
pub(crate) fn without_position(error: &DecodeError) -> String {
    error.to_string().split_once(" (line ").unwrap().0.to_owned()
}

#[test]
fn every_way_decodes_every_documented_body_in_both_orders() {
    for event in EVENTS {
        let body = Body::of(event);
        for text in body.both_orders() {
            assert_eq!(relay(&text), body.value(), "{text}");
        }
    }
}

#[test]
fn a_flattened_payload_does_not_take_the_other_fields_of_the_struct() {
    let body = Body::unreplied().add("trace", r#"{"id":1}"#);
    for text in body.both_orders() {
        let payload = flattened(&text).unwrap();
        assert_eq!(serde_json::to_value(&payload).unwrap(), body.value());
    }
}

/// The only way without our text: serde drops the errors of the variants of an untagged enum.
const SILENT: &str = "an untagged enum";

#[test]
fn every_way_names_the_field_and_what_was_expected_and_found() {
    let rows = [
        ("content[0].push_times", r#""four""#, "expected an unsigned integer, found a string"),
        ("content[0].push_times", "4.5", "expected an unsigned integer, found a number with a fraction"),
        ("content[0].time_sec", "true", "expected an unsigned integer, found a boolean"),
        (
            "content[0].created_at",
            "1765439652000",
            "expected Unix seconds, found a number out of range; are these milli",
        ),
        ("content[0].status", "[]", "expected a status (a string or an integer), found an array"),
        ("created_at", "null", "expected Unix seconds, found null"),
        ("webhook_id", "58946", "expected a string, found a number"),
        ("content[0].subject", "{}", "expected a string, found an object"),
        ("content", "{}", "expected an array, found an object"),
        ("content", "289", "expected an array, found a number"),
    ];
    for (path, json, wording) in rows {
        for text in Body::unreplied().set(path, json).both_orders() {
            names_the_field(&text, &format!("UNREPLIED {path}: {wording}"));
        }
    }
    for path in ["created_at", "webhook_id", "content", "content[0].status", "content[0].push_times"] {
        for text in Body::unreplied().without(path).both_orders() {
            names_the_field(&text, &format!("UNREPLIED {path}: the field is missing"));
        }
    }
    for text in Body::unreplied().set("event", "4").both_orders() {
        names_the_field(&text, "event: expected the name of an event, found a number");
    }
    for text in Body::unreplied().with_items(2).set_item(1, "null").both_orders() {
        names_the_field(&text, "UNREPLIED content[1]: expected an object, found null");
    }
}

#[track_caller]
fn names_the_field(body: &str, wording: &str) {
    for (way, decode) in WAYS.into_iter().filter(|(way, _)| *way != SILENT) {
        let error = decode(body).unwrap_err();
        assert!(error.contains(wording), "{way}: {error:?} for {body}");
    }
}

#[test]
fn every_way_that_sees_repeated_keys_names_the_repeated_field() {
    for path in ["created_at", "event", "content[0].sbs"] {
        for text in Body::unreplied().add(path, "null").both_orders() {
            for (way, decode) in WAYS.into_iter().filter(|(way, _)| ![SILENT, FROM_VALUE].contains(way)) {
                let error = decode(&text).unwrap_err();
                // There are two faults: the repetition and the value `null`. Either of them may be reported.
                assert!(error.contains(path), "{way}: {error:?} for {text}");
            }
        }
    }
}

/// A value of a format that marks what is optional, what is a newtype, and what it cannot read.
enum Marked {
    Some(Value),
    Newtype(Value),
    Unreadable,
}

impl<'de> Deserializer<'de> for Marked {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Self::Some(value) => visitor.visit_some(value),
            Self::Newtype(value) => visitor.visit_newtype_struct(value),
            Self::Unreadable => Err(Error::invalid_type(Unexpected::Other("a comment"), &visitor)),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[test]
fn a_value_that_a_format_marks_as_optional_or_as_a_newtype_is_read_as_itself() {
    for event in EVENTS {
        let body = Body::of(event).value();
        for marked in [Marked::Some(body.clone()), Marked::Newtype(body.clone())] {
            assert_eq!(serde_json::to_value(Payload::deserialize(marked).unwrap()).unwrap(), body);
        }
    }
}

#[test]
fn a_format_that_cannot_read_a_value_can_say_what_was_expected() {
    let error = Payload::deserialize(Marked::Unreadable).unwrap_err();
    assert_eq!(error.to_string(), "invalid type: a comment, expected a value");
}
