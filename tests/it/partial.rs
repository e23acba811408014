//! One bad item does not lose the batch.

use serde_json::{Value, json};
use twt_chat_webhooks::{Content, DecodeErrorKind, EventType, Partial, Payload};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS};

#[track_caller]
fn partial(text: &str) -> Partial {
    Payload::from_slice_partial(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn batch(event: &str) -> Body {
    let mut body = Body::of(event).with_items(5);
    for index in 0..5 {
        body = body.set(&format!("content[{index}].message_content"), &format!("\"message {index}\""));
        body = body.add(&format!("content[{index}].rating"), &index.to_string());
    }
    body.add("trace", "[1]")
}

#[test]
fn in_a_batch_of_5_with_2_bad_items_3_are_kept_and_2_rejected() {
    for event in EVENTS {
        let body = batch(event).set("content[1].created_at", r#""now""#).set("content[3].subject", "{\"a\":4}");
        let mut expected = body.value();
        let items = expected["content"].as_array_mut().unwrap();
        let bad = [items.remove(3), items.remove(1)];
        for text in body.both_orders() {
            let Partial { payload, rejected, .. } = partial(&text);
            assert_eq!(serde_json::to_value(&payload).unwrap(), expected);
            let messages: Vec<_> = payload.event.contents().map(Content::message_content).collect();
            assert_eq!(messages, ["message 0", "message 2", "message 4"]);

            let [first, second] = rejected.as_slice() else { panic!("{rejected:?}") };
            assert_eq!((first.index, second.index), (1, 3));
            let raw = |json: &str| serde_json::from_str::<Value>(json).unwrap();
            assert_eq!([raw(&second.raw), raw(&first.raw)], bad);
            assert_eq!((first.error.path(), second.error.path()), ("content[1].created_at", "content[3].subject"));
            for error in [&first.error, &second.error] {
                assert_eq!(error.kind(), DecodeErrorKind::Data);
                assert_eq!((error.line(), error.column()), (None, None));
                assert_eq!(error.event_type().map(EventType::as_str), Some(event));
            }
            let wording = format!("{event} content[1].created_at: expected Unix seconds, found a string");
            assert_eq!(first.error.to_string(), wording);
        }
        assert!(Payload::from_slice(body.text().as_bytes()).is_err());
    }
}

#[test]
fn a_bad_item_of_any_kind_is_rejected() {
    for event in EVENTS {
        for json in ["null", "true", "4", "-0.5", r#""text""#, "[]", "[[{}]]", "{}", r#"{"created_at":[4]}"#] {
            for text in batch(event).set_item(4, json).both_orders() {
                let Partial { payload, rejected, .. } = partial(&text);
                assert_eq!(payload.event.contents().count(), 4);
                let [only] = rejected.as_slice() else { panic!("{rejected:?}") };
                assert_eq!((only.index, &*only.raw), (4, json));
                assert!(only.error.path().starts_with("content[4]"), "{}", only.error);
            }
        }
    }
}

#[test]
fn the_text_of_a_bad_item_is_kept_exactly_as_it_came() {
    let items = [
        "{ }",
        "-0",
        "1E+2",
        "12345678901234567890123",
        "\"\\u0061\\/\"",
        "[ 1 ,\t2\r\n]",
        "{\"sbs\": \"one\", \"sbs\":\"two\", \"created_at\": 1e9}",
        "{\"z\":1.50,\"a\":[{\"b\":1,\"b\":2}],\"subject\":7}",
        "{\"$serde_json::private::Number\":\"x\"}",
    ];
    for event in EVENTS {
        for item in items {
            for text in batch(event).both_orders() {
                // The item stands between white space, which does not belong to it.
                let text = text.replacen("\"content\":[", &format!("\"content\":[ \n{item}\t ,"), 1);
                let rejected = partial(&text).rejected;
                let [only] = rejected.as_slice() else { panic!("{rejected:?}") };
                assert_eq!((only.index, &*only.raw), (0, item));
            }
        }
    }
}

#[test]
fn more_than_1_000_bad_items_are_an_error_of_the_content() {
    for event in EVENTS {
        for bad in ["1", "{}", r#"{"a":1}"#, r#"{"created_at":1,"created_at":1}"#] {
            for [before, after] in [["", ""], ["", r#","more":[]"#]] {
                let body = |count: usize| {
                    let good = Body::of(event).value()["content"][0].to_string();
                    let items = [vec![good; 3], vec![bad.to_owned(); count]].concat().join(",");
                    Body::of(event).set("content", &format!("[{before}{items}]{after}"))
                };
                for text in body(Partial::MAX_REJECTED).both_orders() {
                    let Partial { payload, rejected, .. } = partial(&text);
                    assert_eq!((payload.contents().len(), rejected.len()), (3, 1_000));
                }
                for text in body(Partial::MAX_REJECTED + 1).both_orders() {
                    let error = Payload::from_slice_partial(text.as_bytes()).unwrap_err();
                    assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, "content"));
                    assert!(
                        error.to_string().starts_with(&format!("{event} content: too many items cannot be decoded"))
                    );
                    assert_eq!(error.event_type().map(EventType::as_str), Some(event));
                    // What follows the items must still be JSON.
                    let error = Payload::from_slice_partial(&text.as_bytes()[..text.len() - 1]).unwrap_err();
                    assert_eq!(error.kind(), DecodeErrorKind::Truncated);
                }
            }
        }
    }
}

#[test]
fn an_item_with_a_repeated_key_is_rejected() {
    for event in EVENTS {
        for text in batch(event).add("content[2].sbs", "\"one\"").both_orders() {
            let rejected = partial(&text).rejected;
            let [only] = rejected.as_slice() else { panic!("{rejected:?}") };
            assert_eq!((only.index, only.error.path()), (2, "content[2].sbs"));
        }
    }
}

#[test]
fn a_batch_may_be_all_good_or_all_bad() {
    for event in EVENTS {
        for text in batch(event).both_orders() {
            let Partial { payload, rejected, .. } = partial(&text);
            assert_eq!(Ok(payload), Payload::from_slice(text.as_bytes()));
            assert!(rejected.is_empty());
        }
        let body = (0..5).fold(batch(event), |body, index| body.set_item(index, "null"));
        for text in body.both_orders() {
            let Partial { payload, rejected, .. } = partial(&text);
            assert_eq!((payload.event_type().as_str(), payload.event.contents().count()), (event, 0));
            assert_eq!(rejected.iter().map(|rejected| rejected.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
            assert_eq!(payload.extra()["trace"], json!([1]));
        }
    }
}

#[test]
fn an_unreadable_envelope_is_still_an_error() {
    for event in EVENTS {
        let bad_item = batch(event).set_item(1, "null");
        let rows = [
            (bad_item.clone().set("created_at", "true"), "created_at"),
            (bad_item.clone().set("event", "4"), "event"),
            (bad_item.clone().without("event"), "event"),
            (bad_item.clone().set("webhook_id", "null"), "webhook_id"),
            (bad_item.clone().add("webhook_id", "\"again\""), "webhook_id"),
            (bad_item.clone().add("content", "[]"), "content"),
            (bad_item.clone().set("content", "{}"), "content"),
            (bad_item.clone().set("content", "null"), "content"),
            (bad_item.without("content"), "content"),
        ];
        for (body, path) in rows {
            for text in body.both_orders() {
                let error = Payload::from_slice_partial(text.as_bytes()).unwrap_err();
                assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path), "{text}");
                assert!(error.line().is_some());
            }
        }
    }
}

#[test]
fn an_unknown_event_has_no_bad_items() {
    for content in ["null", "[null,4,{}]", r#"{"created_at":"now"}"#] {
        let body = Body::of(EVENT_OF_TOMORROW).set("content", content);
        for text in body.both_orders() {
            let Partial { payload, rejected, .. } = partial(&text);
            assert_eq!(serde_json::to_value(&payload).unwrap(), body.value());
            assert!(rejected.is_empty());
        }
    }
}

#[test]
fn a_body_that_is_not_json_is_an_error() {
    let text = batch("UNREPLIED").set_item(1, "null").text();
    for end in 0..text.len() {
        let error = Payload::from_slice_partial(&text.as_bytes()[..end]).unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::Truncated);
    }
    for spoilt in [format!("{text}x"), format!("{text}{text}"), text.replacen("null", "nul", 1)] {
        assert_eq!(Payload::from_slice_partial(spoilt.as_bytes()).unwrap_err().kind(), DecodeErrorKind::Syntax);
    }
    let not_utf8 = text.replace("Visitor15", "\u{7f}").into_bytes().into_iter().map(|byte| byte | (byte / 0x7f) << 7);
    let error = Payload::from_slice_partial(&not_utf8.collect::<Vec<_>>()).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::Syntax);
}

/// The envelope and the good items, with their extras, are the same with and without the bad item.
#[test]
fn a_bad_item_changes_nothing_else_in_the_payload() {
    let extra = r#"{"z":1.10,"a":123456789012345678901234567890,"z":2.50,"m":-0.0,"e":1E2}"#;
    let body = batch("UNREPLIED").add("zebra", extra).add("content[0].zebra", extra).add("content[4].apple", extra);
    let [good, bad] = [body.clone().set("content", "[]"), body.set_item(2, "null")];
    for (good, bad) in good.both_orders().into_iter().zip(bad.both_orders()) {
        let mut expected: Value = serde_json::from_str(&bad).unwrap();
        expected["content"].as_array_mut().unwrap().remove(2);
        let Partial { payload, rejected, .. } = partial(&bad);
        assert_eq!(rejected.len(), 1);
        assert_eq!(serde_json::to_value(&payload).unwrap(), expected);
        assert_eq!(payload.extra(), Payload::from_slice(good.as_bytes()).unwrap().extra());
    }
}
