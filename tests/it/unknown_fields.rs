//! An unknown field is kept, in the envelope and in an item.

use serde_json::{Value, json};
use twt_chat_webhooks::{Event, Payload};

use crate::body::{Body, EVENTS};
use crate::entry_points::{decode, relay};

const VALUES: [&str; 12] = [
    "null",
    "false",
    "0",
    "-9223372036854775808",
    "18446744073709551615",
    "0.25",
    r#""""#,
    r#""访客 \ud83d\ude42 \u0000""#,
    "[]",
    r#"[[],{},[{"a":[null,1.5]}]]"#,
    "{}",
    r#"{"created_at":"not a time","content":{"event":null},"":[]}"#,
];

const KEYS: [&str; 8] =
    ["trace", "", " created_at", "Created_At", "访客", r"a\u0000\ud83d\ude42", "extra", "$serde_json::private"];

fn items_extra(payload: &Payload) -> &serde_json::Map<String, Value> {
    payload.event.contents().next().unwrap().extra()
}

#[test]
fn an_unknown_field_is_kept_and_written_back() {
    for event in EVENTS {
        for (place, key) in ["", "content[0]."].into_iter().flat_map(|place| KEYS.map(|key| (place, key))) {
            for json in VALUES {
                let body = Body::of(event).add(&format!("{place}{key}"), json);
                for text in body.both_orders() {
                    let payload = Payload::from_slice(text.as_bytes()).unwrap();
                    assert_eq!(serde_json::to_value(&payload).unwrap(), body.value(), "{text}");
                }
                if key == "trace" {
                    assert_eq!(relay(&body.text()), body.value());
                }
            }
        }
    }
}

#[test]
fn extra_holds_the_unknown_fields_and_no_other() {
    for event in EVENTS {
        let plain = decode(&Body::of(event).text());
        assert!(plain.extra().is_empty() && items_extra(&plain).is_empty());

        let body = Body::of(event).add("trace", r#"{"id":[1]}"#).add_first("content[0].rating", "null");
        for text in body.both_orders() {
            let payload = decode(&text);
            assert_eq!(Value::Object(payload.extra().clone()), json!({"trace": {"id": [1]}}));
            assert_eq!(Value::Object(items_extra(&payload).clone()), json!({"rating": null}));
        }
    }
}

#[test]
fn a_field_that_is_documented_elsewhere_is_unknown_here() {
    // Fields of an item in the envelope, fields of the envelope in an item, and fields of UNREPLIED in a form.
    let rows = [
        ("UNREPLIED", "push_times", r#""four""#),
        ("UNREPLIED", "subject", "4"),
        ("UNREPLIED", "content[0].webhook_id", "null"),
        ("UNREPLIED", "content[0].content", r#"{"event":4}"#),
        ("PRE_CHAT_FORM_SUBMIT", "content[0].status", "true"),
        ("PRE_CHAT_FORM_SUBMIT", "content[0].push_times", r#""four""#),
        ("OFFLINE_FORM_SUBMIT", "content[0].time_sec", "-1.5"),
        ("OFFLINE_FORM_SUBMIT", "content[0].event", "null"),
    ];
    for (event, path, json) in rows {
        let body = Body::of(event).add(path, json);
        for text in body.both_orders() {
            let payload = decode(&text);
            assert_eq!(payload.extra().len() + items_extra(&payload).len(), 1);
            assert_eq!(relay(&text), body.value(), "{text}");
        }
    }
}

#[test]
fn each_content_type_has_its_extras_without_the_trait() {
    let event = |name| decode(&Body::of(name).add("content[0].rating", "5").text()).event;
    for extra in [
        event("UNREPLIED").as_unreplied().unwrap()[0].extra(),
        event("PRE_CHAT_FORM_SUBMIT").as_pre_chat_form_submit().unwrap()[0].extra(),
        event("OFFLINE_FORM_SUBMIT").as_offline_form_submit().unwrap()[0].extra(),
    ] {
        assert_eq!(Value::Object(extra.clone()), json!({"rating": 5}));
    }
}

/// A `Value` sorts the keys. With `preserve_order`, it keeps their order.
#[test]
fn the_extras_are_in_the_order_of_a_value() {
    let keys = |extra: &serde_json::Map<String, Value>| extra.keys().cloned().collect::<Vec<_>>();
    for event in EVENTS {
        let body = ["zebra", "apple", "mango", "apple"].into_iter().fold(Body::of(event), |body, key| {
            body.add(&format!("content[0].{key}"), "{}").add_first(key, r#"{"z":1,"a":2}"#)
        });
        for text in body.both_orders() {
            let Value::Object(value) = serde_json::from_str(&text).unwrap() else {
                panic!("a body should be an object")
            };
            let Value::Object(item) = &value["content"][0] else { panic!("an item should be an object") };
            let unknown =
                |keys: Vec<String>| keys.into_iter().filter(|key| ["zebra", "apple", "mango"].contains(&&**key));
            let payload = decode(&text);
            assert_eq!(keys(payload.extra()), unknown(keys(&value)).collect::<Vec<_>>());
            assert_eq!(keys(items_extra(&payload)), unknown(keys(item)).collect::<Vec<_>>());
            assert_eq!(payload.extra()["zebra"].to_string(), value["zebra"].to_string());
        }
    }
}

#[test]
fn every_item_keeps_its_own_extras() {
    let body = Body::unreplied().with_items(3).add("content[0].rating", "0").add("content[2].rating", "2");
    for text in body.both_orders() {
        let payload = decode(&text);
        let ratings: Vec<_> = payload.event.contents().map(|item| item.extra().get("rating").cloned()).collect();
        assert_eq!(ratings, [Some(json!(0)), None, Some(json!(2))]);
        assert_eq!(relay(&text), body.value());
    }
}

/// With `arbitrary_precision`, a `Value` keeps the digits of these numbers.
#[test]
fn from_parts_keeps_unknown_numbers_as_a_value_does() {
    let numbers = ["-0", "0.0000001", "-0.0", "1E2", "1.10", "123456789012345678901234567890", "18446744073709551615"];
    for json in numbers.into_iter().chain([r#"[{"a":-0},[0.0000001]]"#]) {
        let value: Value = serde_json::from_str(json).unwrap();
        for event in EVENTS.into_iter().chain(["EVENT_OF_TOMORROW"]) {
            let mut content = Body::of(event).value()["content"].take();
            content[0]["trace"] = value.clone();
            let event = Event::from_parts(event, content).unwrap();
            let written: Value = serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
            assert_eq!(written["content"][0]["trace"].to_string(), value.to_string());
        }
    }
}
