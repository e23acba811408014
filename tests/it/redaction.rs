//! An error shows no value of the body, no unknown key, and no unknown name.

use core::error::Error;

use serde_json::{Value, json};
use twt_chat_webhooks::{DecodeError, Delivery, Event, EventType, Payload, Rejected};

use crate::body::{Body, EVENTS, every_path, item_fields};
use crate::entry_points;

/// Each value below contains one of these texts. No error may show them. The last one is `canary` in hex.
const CANARIES: [&str; 3] = ["canary", "4242424242", "63616e617279"];

const VALUES: [&str; 12] = [
    r#""canary""#,
    r#""4242424242424242424242""#,
    "4242424242424242424242",
    "-4242424242424242",
    "4242424242.4242",
    "4242424242e200",
    r#"["canary"]"#,
    "[4242424242]",
    r#"{"canary":"canary"}"#,
    r#"{"canary":4242424242,"canary":4242424242}"#,
    r#"[{"created_at":"canary","canary":"canary"}]"#,
    r#""can\u0061ry canary"#,
];

fn assert_silent(shown: &str) {
    for canary in CANARIES {
        assert!(!shown.to_lowercase().contains(canary), "{shown}");
    }
}

/// Asserts that nothing that the error shows contains a canary.
fn inspect(error: &DecodeError) {
    assert!(error.source().is_none());
    for shown in
        [error.to_string(), format!("{error:#}"), format!("{error:?}"), format!("{error:#?}"), error.path().to_owned()]
    {
        assert_silent(&shown);
    }
}

/// Decodes the body with `from_slice` and `from_slice_partial`, and inspects the errors. Returns whether `from_slice`
/// failed.
fn inspect_ours(body: &[u8]) -> bool {
    if let Ok(partial) = Payload::from_slice_partial(body).inspect_err(inspect) {
        for rejected in partial.rejected {
            inspect(&rejected.error);
            let Rejected { index, error, .. } = &rejected;
            assert_eq!(format!("{rejected:?}"), format!("Rejected {{ index: {index}, error: {error:?}, .. }}"));
        }
    }
    inspect_delivery(body);
    Payload::from_slice(body).inspect_err(inspect).is_err()
}

/// A delivery shows nothing of the body but the name of the event, and its records show no more.
fn inspect_delivery(body: &[u8]) {
    let delivery = Delivery::from_slice(body);
    let name = delivery.records()[0].event().unwrap_or_default();
    for shown in [delivery.to_string(), format!("{delivery:?}"), format!("{:#?}", delivery.records())] {
        assert_silent(&if name.is_empty() { shown } else { shown.replace(&name, "") });
    }
    for record in delivery.records() {
        record.error.iter().for_each(inspect);
        record.problem().iter().for_each(|problem| assert_silent(problem));
    }
}

/// Decodes the body in every way, and inspects the errors. Returns whether `from_slice` failed.
fn inspect_all(body: &[u8]) -> bool {
    if let Ok(text) = str::from_utf8(body) {
        for error in entry_points::failures(text) {
            assert_silent(&error);
        }
    }
    inspect_ours(body)
}

/// The paths of all documented fields and of two unknown fields.
fn paths(event: &str) -> Vec<String> {
    every_path(event).into_iter().chain(["canary", "content[0].canary"].map(str::to_owned)).collect()
}

#[test]
fn no_error_shows_the_value_that_it_refuses() {
    let mut failed = 0;
    for event in EVENTS.into_iter().chain(["canary"]) {
        for path in paths(event) {
            for json in VALUES {
                for text in Body::of(event).set(&path, json).both_orders() {
                    failed += usize::from(inspect_all(text.as_bytes()));
                }
            }
        }
    }
    assert!(failed > 700, "only {failed} bodies failed");
}

#[test]
fn no_error_shows_the_values_around_the_fault() {
    for event in EVENTS {
        for path in paths(event) {
            let mut body =
                Body::of(event).add("canary", r#"{"canary":4242424242}"#).add("content[0].canary", "[\"canary\"]");
            for other in ["webhook_id", "content[0].subject", "content[0].message_content", "content[0].sbs"] {
                body = body.set(other, r#""canary 4242424242""#);
            }
            let broken = [
                body.clone().set(&path, "[{]"),
                body.clone().set(&path, "\"\\x canary\""),
                body.clone().set(&path, "[[]]"),
            ];
            for text in broken.iter().flat_map(Body::both_orders) {
                inspect_all(text.as_bytes());
            }
            let twice = body.clone().set(&path, "null").add(&path, r#""canary""#);
            assert!(path.ends_with("canary") || inspect_all(twice.text().as_bytes()));
        }
    }
}

#[test]
fn no_error_shows_the_text_of_a_truncated_or_damaged_body() {
    let body = Body::unreplied().set("event", r#""canary""#).add("canary", r#"{"canary":[4242424242,"canary"]}"#);
    for text in
        [body, Body::unreplied().set("content[0].subject", r#""canary 4242424242""#)].iter().flat_map(Body::both_orders)
    {
        for end in 0..text.len() {
            assert!(inspect_all(&text.as_bytes()[..end]));
            let mut spoilt = text.clone().into_bytes();
            spoilt[end] = 0xff;
            assert!(inspect_all(&spoilt));
            spoilt[end] = b'\\';
            inspect_all(&spoilt);
        }
        assert!(inspect_all(format!("{text} canary").as_bytes()));
        assert!(inspect_all(format!("{text}\"4242424242\"").as_bytes()));
    }
    for body in [
        r#""canary""#,
        "canary",
        "4242424242",
        "[\"canary\"]",
        r#"{"canary":4242424242}"#,
        r#"{"canary"}"#,
        "{canary:1}",
    ] {
        assert!(inspect_all(body.as_bytes()));
    }
}

#[test]
fn an_error_does_not_name_an_unknown_event() {
    for text in Body::of("CANARY").without("webhook_id").both_orders() {
        let error = Payload::from_slice(text.as_bytes()).unwrap_err();
        inspect(&error);
        assert!(error.to_string().starts_with("webhook_id: the field is missing"), "{error}");
        assert_eq!(error.event_type().map(EventType::as_str), Some("CANARY"));
    }
}

#[test]
fn no_error_of_from_parts_shows_a_value() {
    for event in EVENTS {
        for field in item_fields(event) {
            for json in VALUES.iter().filter_map(|json| serde_json::from_str::<Value>(json).ok()) {
                let mut content = Body::of(event).value()["content"].take();
                content[0][&field] = json.clone();
                for content in [content, json!([json]), json] {
                    if let Err(error) = Event::from_parts(event, content) {
                        inspect(&error);
                    }
                }
            }
        }
    }
}

/// With `arbitrary_precision` or `raw_value`, `Value` refuses some objects with a private key of `serde_json`. The
/// error of `Value` quotes what the object contains.
#[test]
fn no_error_shows_unknown_data_that_value_refuses() {
    const NUMBER: &str = "$serde_json::private::Number";
    const RAW_VALUE: &str = "$serde_json::private::RawValue";

    let inner =
        [json!({ NUMBER: "canary" }), json!({ NUMBER: 4_242_424_242_u64 }), json!({ RAW_VALUE: 4_242_424_242_u64 })];
    // The string is JSON itself, and `serde_json` reads this JSON internally.
    let outer = inner.each_ref().map(|inner| json!({ RAW_VALUE: inner.to_string() }));
    for object in inner.iter().chain(&outer).chain([&json!({ RAW_VALUE: "canary" })]) {
        let refused_at = |path| serde_json::from_str::<Value>(&object.to_string()).is_err().then_some(path);
        let check = |body: Body, path| {
            for text in body.both_orders() {
                inspect_ours(text.as_bytes());
                let error = Payload::from_slice(text.as_bytes()).err();
                assert_eq!(error.as_ref().map(DecodeError::path), refused_at(path), "{text}");
            }
        };
        // Some of these fields are documented for another object.
        for (field, path) in [
            ("canary", ""),
            ("subject", ""),
            ("content[0].canary", "content[0]"),
            ("content[0].content", "content[0]"),
            ("content[0].status", "content[0]"),
        ] {
            check(Body::of("PRE_CHAT_FORM_SUBMIT").add(field, &object.to_string()), path);
        }
        for content in [object.clone(), json!([object]), json!([{ "subject": object }])] {
            check(Body::of("canary").set("content", &content.to_string()), "content");
        }
        for (event, field) in [("UNREPLIED", "canary"), ("OFFLINE_FORM_SUBMIT", "push_times")] {
            let mut content = Body::of(event).value()["content"].take();
            content[0][field] = object.clone();
            let error = Event::from_parts(event, content).inspect_err(inspect).err();
            assert_eq!(error.as_ref().map(DecodeError::path), refused_at("content[0]"));
        }
    }
}

#[test]
fn the_webhook_id_of_an_error_has_an_accessor_and_is_not_in_debug() {
    let body = Body::unreplied().set("webhook_id", r#""canary""#).set("content[0].push_times", "true");
    let error = Payload::from_slice(body.text().as_bytes()).unwrap_err();
    assert_eq!(error.webhook_id(), Some("canary"));
    inspect(&error);
}
