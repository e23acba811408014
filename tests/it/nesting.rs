//! A body that is nested too deeply is an error, never a stack overflow.

use serde_json::Value;
use twt_chat_webhooks::{DecodeErrorKind, Event, Payload};

use crate::body::{Body, EVENT_OF_TOMORROW};
use crate::entry_points::{error_of, failures};
use crate::malformed::{is_syntax, places};

/// The largest depth of arrays and objects that `serde_json` accepts.
const LIMIT: usize = 127;

fn arrays(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

fn objects(depth: usize) -> String {
    r#"{"a":"#.repeat(depth - 1) + "{}" + &"}".repeat(depth - 1)
}

#[test]
fn a_hundred_thousand_nested_arrays_or_objects_are_an_error() {
    for (event, path) in places() {
        for json in [arrays(100_000), objects(100_000), "[".repeat(100_000), r#"{"a":"#.repeat(100_000)] {
            for text in Body::of(event).set(path, &json).both_orders() {
                let error = is_syntax(text.as_bytes());
                assert!(error.to_string().contains("recursion limit exceeded"), "{error}");
            }
        }
    }
    let text = Body::unreplied().add("content[0].trace", &arrays(100_000)).text();
    // All ways refuse the body. `failures` leaves out CBOR, because only JSON can be converted to CBOR.
    assert_eq!(failures(&text).len(), 13);
    is_syntax(arrays(100_000).as_bytes());
}

#[test]
fn nesting_is_allowed_up_to_the_limit_of_serde_json() {
    // The number says how many levels of the body are around the value.
    let places = [("UNREPLIED", "trace", 1), ("UNREPLIED", "content[0].trace", 3), (EVENT_OF_TOMORROW, "content", 1)];
    for (event, path, around) in places {
        for nested in [arrays, objects] {
            let deepest = Body::of(event).set(path, &nested(LIMIT - around));
            for text in deepest.both_orders() {
                let payload = Payload::from_slice(text.as_bytes()).unwrap();
                assert_eq!(serde_json::to_value(&payload).unwrap(), deepest.value());
                // The limit is the same if the body has another fault, so this fault is reported.
                let error = error_of(&text.replace("\"webhook_id\"", "\"webhook\""));
                assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, "webhook_id"));
            }
            for text in Body::of(event).set(path, &nested(LIMIT - around + 1)).both_orders() {
                assert!(serde_json::from_str::<Value>(&text).is_err());
                is_syntax(text.as_bytes());
            }
        }
    }
}

/// With `arbitrary_precision` or `raw_value`, `Value` refuses the first object, and does not see the deep nesting.
#[test]
fn what_is_nested_too_deeply_is_not_json_whatever_comes_first() {
    for first in [r#"{"$serde_json::private::Number":"five"}"#, r#"{"$serde_json::private::RawValue":"[[["}"#] {
        let text = Body::unreplied().add("first", first).add("trace", &arrays(LIMIT)).text();
        let error = is_syntax(text.as_bytes());
        assert!(error.to_string().contains("the body is not JSON that can be read"), "{error}");
    }
}

/// With `arbitrary_precision`, `serde_json` passes a number as an object. This object must not count as a level.
#[test]
fn a_number_may_stand_in_the_deepest_array() {
    for number in ["1", "1.5", "1e0", "-0"] {
        for (depth, is_read) in [(LIMIT - 1, true), (LIMIT, false)] {
            let json = "[".repeat(depth) + number + &"]".repeat(depth);
            for text in Body::unreplied().set("trace", &json).both_orders() {
                let payload = Payload::from_slice(text.as_bytes()).ok();
                assert_eq!(payload.is_some(), is_read, "{number}");
                assert_eq!(serde_json::from_str(&text).ok(), payload);
            }
        }
    }
}

#[test]
fn any_depth_up_to_the_limit_is_kept() {
    for depth in 1..=LIMIT - 3 {
        for nested in [arrays, objects] {
            let json = nested(depth);
            for (event, path) in
                [("UNREPLIED", "trace"), ("UNREPLIED", "content[0].trace"), (EVENT_OF_TOMORROW, "content")]
            {
                let body = Body::of(event).set(path, &json);
                for text in body.both_orders() {
                    let payload = Payload::from_slice(text.as_bytes()).unwrap();
                    assert_eq!(serde_json::to_value(&payload).unwrap(), body.value(), "{depth}");
                }
            }
        }
    }
}

#[test]
fn nesting_up_to_the_limit_is_never_a_syntax_fault() {
    for path in ["created_at", "event", "webhook_id", "trace", "content[0].subject", "content[0].push_times"] {
        let around = if path.contains('.') { 3 } else { 1 };
        for text in Body::unreplied().set(path, &arrays(LIMIT - around)).set("content[0].time_sec", "[]").both_orders()
        {
            assert_eq!(error_of(&text).kind(), DecodeErrorKind::Data, "{path}");
        }
    }
}

/// A value of alternating arrays and objects, built in code.
fn deep_value(depth: usize) -> Value {
    (0..depth).fold(Value::Null, |value, level| match level % 2 {
        0 => Value::Array(vec![value]),
        _ => Value::Object([("a".to_owned(), value)].into_iter().collect()),
    })
}

#[test]
fn content_built_in_code_may_be_nested_as_deeply_as_in_a_body() {
    for event in crate::body::EVENTS {
        let mut content = Body::of(event).value()["content"].take();
        // The envelope, the content and the item are around it.
        content[0]["trace"] = deep_value(LIMIT - 3);
        assert!(Event::from_parts(event, content.clone()).is_ok());

        content[0]["trace"] = deep_value(LIMIT - 2);
        let error = Event::from_parts(event, content).unwrap_err();
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, "content"));
        assert_eq!(error.to_string(), format!("{event} content: nested too deeply"));
    }
}

/// Dropping such a value recursively would also overflow the stack.
#[test]
fn content_built_in_code_and_nested_a_million_times_is_an_error() {
    for event in crate::body::EVENTS {
        let error = Event::from_parts(event, deep_value(1_000_000)).unwrap_err();
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, "content"));
    }
}

#[test]
fn from_value_refuses_a_value_that_is_nested_too_deeply() {
    // With a deeper value, `serde_json` itself would overflow the stack when it drops the value.
    let mut body = Body::of("EVENT_OF_TOMORROW").value();
    body["content"] = deep_value(2_000);
    let error = serde_json::from_value::<Payload>(body).unwrap_err();
    assert_eq!(error.to_string(), "nested too deeply");
}
