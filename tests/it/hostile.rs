//! A body may contain objects with a private key of `serde_json`. With some of its features, `serde_json` itself passes
//! numbers and raw values as such objects.
//!
//! In a documented field, such an object is an object like any other. In an extra or in unknown content, the crate
//! keeps what `Value` reads, which may be a number or a raw value.

use serde_json::{Number, Value};
use twt_chat_webhooks::{DecodeErrorKind, Payload};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS, NUMBERS, every_path};
use crate::entry_points::{error_of, failures};

const OBJECTS: [&str; 12] = [
    r#"{"$serde_json::private::Number":"5"}"#,
    r#"{"$serde_json::private::Number":"\u0035"}"#,
    r#"{"$serde_json::private::Numbe\u0072":"5"}"#,
    r#"{"$serde_json::private::Numbe\u0072":"\u0035"}"#,
    r#"{"$serde_json::private::Number":5}"#,
    r#"{"$serde_json::private::Number":"five"}"#,
    r#"{"$serde_json::private::Number":"\u0066ive"}"#,
    r#"{"$serde_json::private::Number":{"$serde_json::private::Number":"5"}}"#,
    r#"{"$serde_json::private::RawValue":"5"}"#,
    r#"{"$serde_json::private::RawValue":"\u0035"}"#,
    r#"{"$serde_json::private::RawValue":"\"text\""}"#,
    r#"{"$serde_json::private::RawValue":"[[["}"#,
];

#[test]
fn an_object_with_a_private_key_is_an_error_in_a_documented_field() {
    for event in EVENTS {
        for path in every_path(event) {
            for json in OBJECTS {
                for text in Body::of(event).set(&path, json).both_orders() {
                    let error = Payload::from_slice(text.as_bytes()).expect_err(&text);
                    assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path.as_str()), "{text}");
                    assert!(error.to_string().contains("found an object"), "{error}: {text}");
                    assert!(serde_json::from_str::<Payload>(&text).is_err());
                }
            }
        }
    }
}

#[test]
fn from_reader_refuses_an_object_with_a_private_key_too() {
    for json in OBJECTS {
        for path in ["content[0].push_times", "content[0].time_sec", "created_at", "content[0].status"] {
            for text in Body::unreplied().set(path, json).both_orders() {
                assert!(serde_json::from_reader::<_, Payload>(text.as_bytes()).is_err(), "{text}");
            }
        }
    }
}

/// With `arbitrary_precision`, serde buffers a number as such an object. So only without this feature does every way to
/// decode refuse the object.
#[test]
fn without_arbitrary_precision_no_entry_point_reads_such_an_object_as_a_number() {
    let has_arbitrary_precision = "1e999".parse::<Number>().is_ok();
    let every_way_but_cbor = 13;
    // For the CBOR body, `serde_json` converts the first four objects to numbers, so this body is valid.
    for json in OBJECTS.iter().take(4).filter(|_| !has_arbitrary_precision) {
        for path in NUMBERS {
            for text in Body::unreplied().set(path, json).both_orders() {
                assert!(failures(&text).len() >= every_way_but_cbor, "{text}");
            }
        }
    }
}

#[test]
fn from_value_refuses_an_object_with_a_private_key_too() {
    for json in OBJECTS {
        // With `arbitrary_precision`, `Value` reads some of these objects as numbers. Then they are valid numbers.
        let Ok(object @ Value::Object(_)) = serde_json::from_str::<Value>(json) else { continue };
        for field in ["push_times", "time_sec", "created_at", "status", "subject"] {
            let mut body = Body::unreplied().value();
            body["content"][0][field] = object.clone();
            let error = serde_json::from_value::<Payload>(body).expect_err(json);
            assert!(error.to_string().contains("found an object"), "{error}: {json}");
        }
    }
}

#[test]
fn an_object_with_a_private_key_as_an_item_or_a_body_lacks_its_fields() {
    for event in EVENTS {
        for json in OBJECTS {
            for text in Body::of(event).set_item(0, json).both_orders() {
                let error = Payload::from_slice(text.as_bytes()).expect_err(&text);
                // The item lacks its fields, whatever the features are. If `Value` refuses the object, the error may
                // report that fault instead.
                let is_value = serde_json::from_str::<Value>(json).is_ok();
                assert!(!is_value || error.path() == "content[0].created_at", "{error}: {text}");
            }
        }
    }
    for json in OBJECTS.into_iter().filter(|json| serde_json::from_str::<Value>(json).is_ok()) {
        let error = Payload::from_slice(json.as_bytes()).expect_err(json);
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, "created_at"), "{error}: {json}");
    }
}

/// With `arbitrary_precision` or `raw_value`, `Value` refuses some of these objects.
#[test]
fn the_error_for_an_object_that_value_refuses_has_its_line_and_column() {
    for json in OBJECTS.into_iter().filter(|json| serde_json::from_str::<Value>(json).is_err()) {
        for nested in [json.to_owned(), format!(r#"{{"a":{json}}}"#), format!(r#"[0,{{"a":0,"b":{json}}}]"#)] {
            for path in ["trace", "content[0].trace"] {
                for text in Body::unreplied().add(path, &nested).both_orders() {
                    let error = error_of(&text);
                    assert_eq!((error.line(), error.column()), (Some(1), text.find(json).map(|at| at + 1)), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_rejected_item_keeps_an_object_with_a_private_key_unchanged() {
    for json in OBJECTS {
        for json in [json.to_owned(), format!("[{{\"a\":{json}}}]")] {
            let body = Body::unreplied().set("content[0].created_at", "null").add("content[0].trace", &json);
            for text in body.both_orders() {
                let partial = Payload::from_slice_partial(text.as_bytes()).unwrap();
                assert!(partial.rejected[0].raw.contains(&format!(r#""trace":{json}"#)));
            }
        }
    }
}

/// Asserts that the crate keeps what `Value` reads, in both orders. If `Value` refuses the body, the order must still
/// make no difference.
#[track_caller]
fn is_kept_as_value_keeps_it(body: &Body) {
    let [forwards, backwards] = body.both_orders().map(|text| {
        let payload = Payload::from_slice(text.as_bytes()).map(|payload| serde_json::to_value(&payload).unwrap());
        if let Ok(expected) = serde_json::from_str::<Value>(&text) {
            assert_eq!(payload.as_ref(), Ok(&expected), "{text}");
        }
        payload.ok()
    });
    assert_eq!(forwards, backwards, "{}", body.text());
}

#[test]
fn unknown_data_with_a_private_key_is_kept_as_value_reads_it() {
    for json in OBJECTS {
        for nested in [json.to_owned(), format!("[{json},{{\"a\":{json}}}]")] {
            let bodies = [
                Body::unreplied().add("trace", &nested),
                Body::unreplied().add("content[0].trace", &nested),
                Body::of(EVENT_OF_TOMORROW).set("content", &nested),
                Body::of(EVENT_OF_TOMORROW).set_item(0, &nested),
            ];
            bodies.iter().for_each(is_kept_as_value_keeps_it);
            for value in bodies.iter().filter_map(|body| serde_json::from_str::<Value>(&body.text()).ok()) {
                let payload: Payload = serde_json::from_value(value.clone()).unwrap();
                assert_eq!(serde_json::to_value(&payload).unwrap(), value);
            }
        }
    }
}

#[test]
fn a_private_key_beside_documented_keys_is_an_unknown_key() {
    for key in ["$serde_json::private::Number", "$serde_json::private::RawValue", r"$serde_json::private::Numbe\u0072"]
    {
        for json in [r#""5""#, r#""\u0035""#, "5", "null", "{}"] {
            for place in ["", "content[0]."] {
                let path = format!("{place}{key}");
                for body in [Body::unreplied().add(&path, json), Body::unreplied().add_first(&path, json)] {
                    let value = &serde_json::from_str::<Value>(json).unwrap();
                    for text in body.both_orders() {
                        let payload =
                            Payload::from_slice(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
                        let item = payload.event.contents().next().unwrap();
                        let extra = if place.is_empty() { payload.extra() } else { item.extra() };
                        assert_eq!(extra.values().collect::<Vec<_>>(), [value], "{text}");
                        let from_reader: Payload = serde_json::from_reader(text.as_bytes()).expect(&text);
                        assert_eq!(from_reader, payload, "{text}");
                    }
                }
            }
        }
    }
}

/// With `arbitrary_precision`, a `Value` keeps all digits, and so do extras and unknown content.
#[test]
fn unknown_numbers_are_kept_as_value_reads_them() {
    let numbers = [
        "1.10",
        "1E2",
        "-0",
        "-0.0",
        "0.1e-7",
        "123456789012345678901234567890",
        "-123456789012345678901234567890",
        "0.1234567890123456789012345678901234567890",
        "1e400",
        "18446744073709551616",
        "9007199254740993.0",
        "1e-400",
    ];
    for number in numbers {
        for json in [number.to_owned(), format!("[{number},{{\"a\":{number}}}]")] {
            let bodies = [
                Body::unreplied().add("trace", &json),
                Body::unreplied().add("content[0].trace", &json),
                Body::of(EVENT_OF_TOMORROW).set("content", &json),
            ];
            bodies.iter().for_each(is_kept_as_value_keeps_it);
        }
    }
}
