//! A repeated documented key is an error. If an unknown key is repeated, its last value is kept.

use serde_json::{Value, json};
use twt_chat_webhooks::{DecodeErrorKind, Payload};

use crate::body::{Body, ENVELOPE_FIELDS, EVENT_OF_TOMORROW, EVENTS, every_path};
use crate::entry_points::{decode, refuse_repetition, relay};

/// The JSON text of the field's value in the body.
fn again(body: &Body, path: &str) -> String {
    let value = body.value();
    match path.strip_prefix("content[0].") {
        Some(field) => value["content"][0][field].to_string(),
        None => value[path].to_string(),
    }
}

#[track_caller]
fn is_refused(body: &Body, path: &str) {
    for text in body.both_orders() {
        let error = refuse_repetition(&text);
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path), "{text}");
        assert!(error.to_string().contains("twice"), "{error}");
    }
}

#[test]
fn a_repeated_documented_key_is_an_error() {
    for event in EVENTS {
        for path in every_path(event) {
            let body = Body::of(event);
            let json = again(&body, &path);
            is_refused(&body.clone().add(&path, &json), &path);
            is_refused(&body.add_first(&path, &json), &path);
        }
    }
}

/// If a value is also wrong, there are two faults at one path. Either of them may be reported.
#[test]
fn a_repeated_key_is_an_error_whatever_its_values_are() {
    let unknown = ENVELOPE_FIELDS.map(str::to_owned).to_vec();
    for (event, paths) in
        EVENTS.map(|event| (event, every_path(event))).into_iter().chain([(EVENT_OF_TOMORROW, unknown)])
    {
        for path in paths {
            for json in ["null", "4", r#""four""#, "[]", "[{}]", "{}"] {
                for body in [Body::of(event).add(&path, json), Body::of(event).add_first(&path, json)] {
                    for text in body.both_orders() {
                        let error = refuse_repetition(&text);
                        assert_eq!(error.kind(), DecodeErrorKind::Data, "{text}");
                        assert!(error.path().starts_with(&path), "{error}: {text}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_escaped_key_is_the_same_key() {
    for event in EVENTS {
        for path in every_path(event) {
            // Writes the last letter of the key as an escape.
            let (rest, last) = path.split_at(path.len() - 1);
            let escaped = format!("{rest}\\u{:04x}", u32::from(last.chars().next().unwrap()));
            let body = Body::of(event);
            let json = again(&body, &path);

            let renamed = body.clone().without(&path).add(&escaped, &json);
            for text in renamed.both_orders() {
                assert_eq!(relay(&text), body.value(), "{text}");
            }
            is_refused(&body.clone().add(&escaped, &json), &path);
            is_refused(&body.add_first(&escaped, &json), &path);
        }
    }
}

#[test]
fn a_repeated_key_is_an_error_even_if_its_first_value_was_empty() {
    for event in EVENTS {
        for field in ["subject", "sbs"] {
            let path = format!("content[0].{field}");
            for (first, second) in [("null", r#""text""#), (r#""""#, r#""""#), ("null", "null")] {
                is_refused(&Body::of(event).set(&path, first).add(&path, second), &path);
            }
        }
    }
    for content in ["null", "[]", "{}"] {
        is_refused(&Body::of(EVENT_OF_TOMORROW).add("content", content), "content");
        is_refused(&Body::of(EVENT_OF_TOMORROW).set("content", "null").add("content", content), "content");
    }
}

#[test]
fn a_repeated_key_of_the_envelope_is_an_error_for_an_unknown_event_too() {
    for path in ENVELOPE_FIELDS {
        let body = Body::of(EVENT_OF_TOMORROW);
        let json = again(&body, path);
        is_refused(&body.add(path, &json), path);
    }
}

#[test]
fn the_last_value_of_a_repeated_unknown_key_is_kept() {
    for event in EVENTS {
        let body = Body::of(event).add("trace", "1").add("trace", r#"{"a":1,"a":2}"#);
        let body = body.add("content[0].rating", r#""first""#).add("content[0].rating", "null");
        let expected = body.value();
        assert_eq!((&expected["trace"], &expected["content"][0]["rating"]), (&json!({"a": 2}), &json!(null)));
        assert_eq!(relay(&body.text()), expected);

        // In the opposite order, the other value is the last.
        let text = body.backwards();
        let expected: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&expected["trace"], &expected["content"][0]["rating"]), (&json!(1), &json!("first")));
        assert_eq!(relay(&text), expected);
    }
}

#[test]
fn a_key_that_is_documented_elsewhere_may_be_repeated() {
    let body = Body::unreplied().add("subject", "1").add("subject", "2").add("content[0].event", "1");
    let body = body.add("content[0].event", "2").add("trace", r#"{"created_at":1,"created_at":2}"#);
    let payload = decode(&body.text());
    assert_eq!(payload.extra()["subject"], json!(2));
    assert_eq!(relay(&body.text()), body.value());
}

#[test]
fn two_items_may_have_the_same_keys() {
    let body = Body::unreplied().with_items(2);
    assert_eq!(Payload::from_slice(body.text().as_bytes()).unwrap().event.contents().count(), 2);
    is_refused(&body.add("content[1].sbs", "null"), "content[1].sbs");
}
