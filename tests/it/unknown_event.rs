//! An unknown event is kept with its name and its whole content.

use serde_json::{Value, json};
use twt_chat_webhooks::{DecodeErrorKind, Event, EventType, UnknownEvent};

use crate::body::{Body, ENVELOPE_FIELDS, EVENT_OF_TOMORROW, EVENTS};
use crate::entry_points::{decode, refuse, relay};

const CONTENTS: [&str; 15] = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "18446744073709551615",
    r#""text""#,
    r#""""#,
    "[]",
    "{}",
    r#"[1,[2,[3,{"a":[null]}]]]"#,
    r#"[{"visitor_name":"Visitor15","created_at":"not a number"},null,"访客 🙂"]"#,
    r#"{"status":{"push_times":"four"},"":{"":""},"content":[],"event":"UNREPLIED"}"#,
    r#"{"a":1,"b":{"a":2,"a":3},"a":4}"#,
    r#"{"a":"5"}"#,
];

#[test]
fn an_unknown_event_keeps_its_whole_content() {
    for json in CONTENTS {
        let body = Body::of(EVENT_OF_TOMORROW).set("content", json);
        for text in body.both_orders() {
            let payload = decode(&text);
            let event = payload.event.as_unknown().unwrap();
            assert_eq!(event.name(), EVENT_OF_TOMORROW);
            assert_eq!(event.content(), &serde_json::from_str::<Value>(json).unwrap());
            let parts = json!({ "event": EVENT_OF_TOMORROW, "content": event.content() });
            assert_eq!(serde_json::to_value(event).unwrap(), parts);
            assert_eq!(&event.clone().into_content(), event.content());
            assert_eq!(payload.event.contents().count(), 0);
            assert_eq!(relay(&text), body.value());
        }
    }
}

#[test]
fn every_other_name_than_a_documented_one_is_an_unknown_event() {
    let names = [
        "",
        " ",
        "unreplied",
        "UNREPLIED ",
        " UNREPLIED",
        "UNREPLIED\0",
        "UNREPLIE",
        "Unreplied",
        "OFFLINE_FORM",
        "新会话",
    ];
    for name in names {
        let json = serde_json::to_string(name).unwrap();
        let body = Body::unreplied().set("event", &json).set("content", r#"[{"push_times":"four"}]"#);
        for text in body.both_orders() {
            let payload = decode(&text);
            assert_eq!(payload.event.as_unknown().map(UnknownEvent::name), Some(name));
            assert_eq!(payload.event_type(), EventType::from(name));
            assert_eq!(relay(&text), body.value());
        }
    }
}

#[test]
fn a_documented_name_is_recognized_however_it_is_escaped() {
    for text in Body::unreplied().set("event", r#""\u0055NREPL\u0049ED""#).both_orders() {
        assert_eq!(decode(&text).event_type(), EventType::Unreplied);
        assert_eq!(relay(&text), Body::unreplied().value());
    }
}

#[test]
fn a_documented_event_with_malformed_content_is_an_error_and_never_unknown() {
    for event in EVENTS {
        let rows = [
            ("null", "content"),
            ("{}", "content"),
            (r#""text""#, "content"),
            ("4", "content"),
            ("true", "content"),
            ("[null]", "content[0]"),
            ("[[]]", "content[0]"),
            (r#"["text"]"#, "content[0]"),
            ("[4]", "content[0]"),
            ("[{}]", "content[0].created_at"),
        ];
        for (json, path) in rows {
            for text in Body::of(event).set("content", json).both_orders() {
                let error = refuse(&text);
                assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path), "{text}");
            }
        }
    }
}

#[test]
fn a_documented_event_without_items_is_decoded() {
    for event in EVENTS {
        let body = Body::of(event).with_items(0);
        for text in body.both_orders() {
            assert_eq!(decode(&text).event_type().as_str(), event);
            assert_eq!(relay(&text), body.value());
        }
    }
}

#[test]
fn a_field_of_the_envelope_that_is_missing_or_null_is_an_error_for_an_unknown_event_too() {
    for event in [EVENT_OF_TOMORROW, "UNREPLIED"] {
        for field in ENVELOPE_FIELDS {
            for text in Body::of(event).without(field).both_orders() {
                let error = refuse(&text);
                assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, field), "{text}");
            }
        }
        for field in ["created_at", "event", "webhook_id"] {
            for text in Body::of(event).set(field, "null").both_orders() {
                let error = refuse(&text);
                assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, field), "{text}");
            }
        }
    }
}

#[test]
fn from_parts_decodes_a_documented_name_and_keeps_any_other() {
    for json in CONTENTS {
        let content: Value = serde_json::from_str(json).unwrap();
        let event = Event::from_parts(EVENT_OF_TOMORROW, content.clone()).unwrap();
        assert_eq!(
            event.as_unknown().map(|event| (event.name(), event.content())),
            Some((EVENT_OF_TOMORROW, &content))
        );
    }
    for name in EVENTS {
        let body = Body::of(name);
        let event = Event::from_parts(name, body.value()["content"].clone()).unwrap();
        assert_eq!(event, decode(&body.text()).event);
        assert_eq!(event.event_type().as_str(), name);
        assert!(Event::from_parts(name, json!(null)).is_err());
        assert!(Event::from_parts(name, json!([true])).is_err());
        assert!(Event::from_parts(EventType::from(name), json!([{}])).is_err());
    }
}
