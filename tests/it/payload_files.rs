//! Decodes the bodies in `fixtures/`. Each file shows one special case.

use serde_json::{Value, json};
use twt_chat_webhooks::{Content, Event, Payload, Status};

use crate::body::EVENT_OF_TOMORROW;
use crate::entry_points::{decode, relay};

const UNKNOWN_EVENTS: [&str; 4] = [
    include_str!("fixtures/unknown_event.json"),
    include_str!("fixtures/unknown_event_with_object.json"),
    include_str!("fixtures/unknown_event_with_text.json"),
    include_str!("fixtures/unknown_event_with_null.json"),
];
const UNKNOWN_FIELDS: &str = include_str!("fixtures/unknown_fields.json");
const UNKNOWN_STATUS: &str = include_str!("fixtures/unknown_status.json");
const NUMBERS_AS_STRINGS: &str = include_str!("fixtures/numbers_as_strings.json");
const NUMBERS_AS_FLOATS: &str = include_str!("fixtures/numbers_as_floats.json");
const CONTENT_BEFORE_EVENT: &str = include_str!("fixtures/content_before_event.json");
const SEVERAL_ITEMS: &str = include_str!("fixtures/several_items.json");
const CHINESE: &str = include_str!("fixtures/chinese.json");
const EMOJI_AND_SURROGATES: &str = include_str!("fixtures/emoji_and_surrogates.json");
const FORM_WITH_JSON: &str = include_str!("fixtures/form_with_json.json");

fn value(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

fn messages(payload: &Payload) -> Vec<&str> {
    payload.event.contents().map(Content::message_content).collect()
}

#[test]
fn a_body_in_the_form_of_the_platform_is_written_back_unchanged() {
    let bodies = [
        UNKNOWN_FIELDS,
        UNKNOWN_STATUS,
        CONTENT_BEFORE_EVENT,
        SEVERAL_ITEMS,
        CHINESE,
        EMOJI_AND_SURROGATES,
        FORM_WITH_JSON,
    ];
    for body in bodies.into_iter().chain(UNKNOWN_EVENTS) {
        assert_eq!(relay(body), value(body));
    }
}

#[test]
fn unknown_events_keep_their_names_and_contents() {
    for body in UNKNOWN_EVENTS {
        let Event::Unknown(event) = decode(body).event else { panic!("{EVENT_OF_TOMORROW} should be unknown") };
        assert_eq!((event.name(), event.content()), (EVENT_OF_TOMORROW, &value(body)["content"]));
    }
}

#[test]
fn unknown_fields_are_in_extra() {
    let payload = decode(UNKNOWN_FIELDS);
    assert_eq!(payload.extra()["api_version"], json!("2026-01"));
    assert_eq!(payload.extra()["delivery"], json!({"attempt": 2, "previous": [null, 1_765_439_641]}));
    let item = payload.event.contents().next().unwrap();
    assert_eq!(item.extra()["field_of_tomorrow"], json!(18_446_744_073_709_551_615_u64));
    assert_eq!((payload.extra().len(), item.extra().len()), (2, 3));
}

#[test]
fn an_unknown_status_is_kept() {
    let Event::Unreplied(messages) = decode(UNKNOWN_STATUS).event else { panic!("the event should be UNREPLIED") };
    assert!(matches!(&messages[0].status, Status::Unknown(status) if status.as_str() == "9"));
    assert!(matches!(&messages[1].status, Status::Unknown(status) if status.as_str() == "transferred"));
}

#[test]
fn numbers_as_strings_or_floats_are_written_as_integers() {
    for body in [NUMBERS_AS_STRINGS, NUMBERS_AS_FLOATS] {
        let mut expected = value(body);
        expected["created_at"] = json!(1_765_439_941);
        expected["content"][0]["created_at"] = json!(1_765_439_652);
        expected["content"][0]["status"] = json!("2");
        expected["content"][0]["push_times"] = json!(4);
        expected["content"][0]["time_sec"] = json!(289);
        assert_ne!(expected, value(body));
        assert_eq!(relay(body), expected);
    }
}

#[test]
fn content_before_event_is_written_in_the_order_of_the_page() {
    assert!(CONTENT_BEFORE_EVENT.find("\"content\"") < CONTENT_BEFORE_EVENT.find("\"event\""));
    let body = String::from_utf8(decode(CONTENT_BEFORE_EVENT).to_vec()).unwrap();
    let envelope = r#"{"created_at":1765439941,"event":"UNREPLIED","webhook_id":"58946f5f583edd94f5cf87e3534d04fb","#;
    assert!(body.strip_prefix(envelope).unwrap().starts_with(r#""content":[{"subject":"#));
}

#[test]
fn several_items_stay_in_order() {
    let payload = decode(SEVERAL_ITEMS);
    assert_eq!(messages(&payload), ["Hello?", "Is anybody there?", ""]);
    let customers: Vec<_> = payload.event.contents().map(|item| item.sbs()).collect();
    assert_eq!(customers, [None, Some("234442313"), None]);
}

#[test]
fn text_in_any_script_is_kept() {
    assert_eq!(messages(&decode(CHINESE)), ["您好，请问什么时候发货？\n订单号：2025-1211"]);
    assert_eq!(decode(CHINESE).event.contents().next().unwrap().visitor_nickname(), Some("贵宾"));
    assert_eq!(messages(&decode(EMOJI_AND_SURROGATES)), ["🙂 👩‍👩‍👧 🙂 你好 \0 \u{fffd} \\ud83d"]);
}

#[test]
fn a_form_that_is_json_stays_text() {
    let payload = decode(FORM_WITH_JSON);
    let form = value(messages(&payload)[0]);
    let content = json!([{"event": "UNREPLIED"}]);
    assert_eq!(
        form,
        json!({"name": "Ada", "phone": "", "agreed": true, "note": "she said \"hi\"\n", "content": content})
    );
}
