//! An error has the fields of the envelope that could be read, so that a handler can log them.

use serde_json::json;
use twt_chat_webhooks::{DecodeError, DecodeErrorKind, Event, EventType, Payload, Timestamp};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS};
use crate::entry_points::error_of;

const SENT: i64 = 1_765_439_941;
const WEBHOOK_ID: &str = "58946f5f583edd94f5cf87e3534d04fb";

fn envelope(error: &DecodeError) -> (Option<&str>, Option<&str>, Option<i64>) {
    let sent = error.created_at().map(Timestamp::unix_seconds);
    (error.event_type().map(EventType::as_str), error.webhook_id(), sent)
}

#[test]
fn the_error_for_a_bad_item_has_the_whole_envelope() {
    for event in EVENTS {
        for body in [
            Body::of(event).set_item(0, "null"),
            Body::of(event).set("content", "{}"),
            Body::of(event).without("content"),
        ] {
            for text in body.both_orders() {
                assert_eq!(envelope(&error_of(&text)), (Some(event), Some(WEBHOOK_ID), Some(SENT)), "{text}");
            }
        }
    }
}

#[test]
fn the_error_for_a_bad_field_of_the_envelope_has_the_other_fields() {
    for event in EVENTS.into_iter().chain([EVENT_OF_TOMORROW]) {
        for json in ["null", "true", "[]", "4.5"] {
            let rows = [
                ("created_at", (Some(event), Some(WEBHOOK_ID), None)),
                ("event", (None, Some(WEBHOOK_ID), Some(SENT))),
                ("webhook_id", (Some(event), None, Some(SENT))),
            ];
            for (field, known) in rows {
                let bodies = [Body::of(event).set(field, json), Body::of(event).without(field)];
                for text in bodies.iter().flat_map(Body::both_orders) {
                    assert_eq!(envelope(&error_of(&text)), known, "{text}");
                }
            }
        }
    }
}

#[test]
fn the_envelope_of_an_error_is_read_by_the_usual_rules() {
    let body = Body::unreplied()
        .set("created_at", r#""1765439941""#)
        .set("webhook_id", r#""访客\u0000""#)
        .set("event", r#""unreplied""#)
        .add("trace", r#"{"webhook_id":"another"}"#)
        .add("created_at", "7");
    let error = error_of(&body.text());
    // The test does not check `created_at` of the error, because the body has two values for it.
    assert_eq!((error.path(), error.event_type()), ("created_at", Some(&EventType::from("unreplied"))));
    assert_eq!(error.webhook_id(), Some("访客\0"));
}

#[test]
fn the_error_for_a_truncated_body_has_the_fields_before_the_cut() {
    for event in EVENTS {
        let body = Body::of(event);
        let text = body.text();
        let starts = ["\"event\"", "\"webhook_id\"", "\"content\""].map(|key| text.find(key).unwrap());
        let ends = [event.len() + "\"event\":\"\"".len(), WEBHOOK_ID.len() + "\"webhook_id\":\"\"".len()];
        for end in 0..text.len() {
            let error = error_of(&text[..end]);
            assert_eq!(error.kind(), DecodeErrorKind::Truncated);
            let known = (
                (end >= starts[0] + ends[0]).then_some(event),
                (end >= starts[1] + ends[1]).then_some(WEBHOOK_ID),
                // A number counts only with the comma behind it. Without the comma, a digit may be missing.
                (end >= starts[0]).then_some(SENT),
            );
            assert_eq!(envelope(&error), known, "{}", &text[..end]);
        }
    }
}

#[test]
fn a_truncated_number_is_not_read_as_a_shorter_number() {
    let text = Body::unreplied().backwards();
    let number = text.rfind("1765439941").unwrap();
    for digits in 1..=10 {
        let error = error_of(&text[..number + digits]);
        assert_eq!(envelope(&error), (Some("UNREPLIED"), Some(WEBHOOK_ID), None), "{digits} digits");
    }
}

#[test]
fn a_truncated_key_does_not_hide_the_fields_before_it() {
    let envelope_only = Body::unreplied().text();
    let before_content = &envelope_only[..envelope_only.find("\"content\"").unwrap()];
    for rest in ["", "\"", "\"line2", "\"line2\"", "\"line2\":", "\"line2\":7", "\"line2\":{\"a\":7", "\"line2\":[7,7"]
    {
        let error = error_of(&format!("{before_content}{rest}"));
        assert_eq!(envelope(&error), (Some("UNREPLIED"), Some(WEBHOOK_ID), Some(SENT)), "{rest}");
    }
}

#[test]
fn the_error_for_a_body_that_is_not_json_or_not_utf8_has_the_fields_before_the_fault() {
    let before = Body::unreplied().text();
    let before = &before[..before.find("\"content\"").unwrap()];
    let broken: [&[u8]; 7] = [
        b"content:[]}",
        b"\"content\":[}",
        b"\"a\":tru}",
        b"\"a\":\"\\x\"}",
        b"\"a\":\"\xff\"}",
        b"\"a\xff\":1}",
        b"\"a\" 7",
    ];
    for rest in broken {
        let error = Payload::from_slice(&[before.as_bytes(), rest].concat()).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::Syntax);
        assert_eq!(envelope(&error), (Some("UNREPLIED"), Some(WEBHOOK_ID), Some(SENT)), "{error}");
    }
    let error = error_of(&format!("{}]", Body::unreplied().text()));
    assert_eq!(envelope(&error), (Some("UNREPLIED"), Some(WEBHOOK_ID), Some(SENT)));
}

#[test]
fn the_error_for_a_body_without_an_envelope_has_no_field_of_it() {
    for text in ["", " ", "4", "null", "[]", "{}", "true", r#""UNREPLIED""#, r#"[{"event":"UNREPLIED"}]"#, "<html>"] {
        assert_eq!(envelope(&error_of(text)), (None, None, None), "{text}");
    }
}

#[test]
fn the_error_of_from_parts_has_the_event_type() {
    for event in EVENTS {
        assert_eq!(envelope(&Event::from_parts(event, json!([4])).unwrap_err()), (Some(event), None, None));
    }
}

#[test]
fn the_error_of_a_rejected_item_has_the_whole_envelope() {
    for event in EVENTS {
        for text in Body::of(event).with_items(2).set_item(1, "null").both_orders() {
            let rejected = Payload::from_slice_partial(text.as_bytes()).unwrap().rejected;
            assert_eq!(envelope(&rejected[0].error), (Some(event), Some(WEBHOOK_ID), Some(SENT)));
        }
    }
}
