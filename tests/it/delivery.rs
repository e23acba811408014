//! Every body becomes records to store. Nothing of it is lost, and each record has a key of its own.

use core::time::Duration;
use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use twt_chat_webhooks::{
    DecodeError, DecodeErrorKind, Delivery, EventType, FreshnessError, OfflineFormContent, Partial, Payload,
    PreChatFormContent, Record, Timestamp, UnrepliedContent, fixtures,
};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS};
use crate::item_key::sha256;

fn records(body: &str) -> Vec<Record> {
    Delivery::from_slice(body.as_bytes()).into_records()
}

fn text(record: &Record) -> &str {
    str::from_utf8(&record.body).unwrap()
}

fn keys(body: &str) -> Vec<String> {
    records(body).into_iter().map(|record| record.key).collect()
}

#[track_caller]
fn only(body: &str) -> Record {
    let [record] = records(body).try_into().unwrap_or_else(|records| panic!("{records:?}"));
    record
}

/// The key of a record that is no good item.
fn hash(text: &str) -> String {
    format!("sha256:{}", sha256(text))
}

#[test]
fn a_body_with_one_item_is_one_record_with_all_its_bytes() {
    for event in EVENTS {
        let event_type = EventType::from(event);
        let documented = fixtures::body(&event_type).unwrap();
        let payload = fixtures::payload(&event_type).unwrap();
        for body in Body::of(event).both_orders().into_iter().chain([documented.to_owned()]) {
            let record = only(&body);
            assert_eq!(text(&record), body);
            assert_eq!(record.key, payload.contents().next().unwrap().key().to_string());
            assert_eq!((record.event_type.as_ref(), record.event().as_deref()), (Some(&event_type), Some(event)));
            assert_eq!((&record.error, record.problem()), (&None, None));
            assert_eq!(Payload::from_slice(&record.body), Ok(payload.clone()));
        }
    }
}

#[test]
fn a_batch_becomes_one_record_for_each_item_in_the_order_of_the_body() {
    for event in EVENTS {
        let body = Body::of(event).with_items(4).add("trace", r#"{"a":[1.50,1e2]}"#);
        let body = body.set("content[1].message_content", "\"two\"").add("content[1].rating", "1.50");
        let body = body.set("content[2].created_at", r#""now""#).set_item(3, r#"{"sbs":"a", "sbs":"b"}"#);
        for text_of_body in body.both_orders() {
            let records = records(&text_of_body);
            assert_eq!(records.len(), 4);
            let errors: Vec<_> = records.iter().map(|record| record.error.as_ref().map(DecodeError::path)).collect();
            assert_eq!(errors[..3], [None, None, Some("content[2].created_at")]);
            assert!(errors[3].is_some_and(|path| path.starts_with("content[3].")));
            let partial = Payload::from_slice_partial(text_of_body.as_bytes()).unwrap();
            let keys: Vec<_> = partial.payload.contents().map(|item| item.key().to_string()).collect();
            assert_eq!([&records[0].key, &records[1].key], [&keys[0], &keys[1]]);
            assert_eq!(records.iter().map(|record| &record.key).collect::<HashSet<_>>().len(), 4);

            // The envelope is around each item, with its extras.
            for record in &records {
                assert!(text(record).contains(r#""trace":{"a":[1.50,1e2]}"#));
                let value: Value = serde_json::from_slice(&record.body).unwrap();
                assert_eq!(value["content"].as_array().map(Vec::len), Some(1));
                assert_eq!(record.event().as_deref(), Some(event));
            }
            assert!(text(&records[1]).contains(r#""rating":1.50"#));
            assert!(text(&records[3]).contains(r#"[{"sbs":"a", "sbs":"b"}]"#));
            // Decoding a record reports the path in the record.
            let error = Payload::from_slice(&records[2].body).unwrap_err();
            assert_eq!(error.path(), "content[0].created_at");
        }
    }
}

#[test]
fn the_key_of_a_bad_item_depends_on_the_event_and_its_text_only() {
    for (index, event) in EVENTS.into_iter().enumerate() {
        let bad = r#"{"created_at": "now", "created_at":1}"#;
        let key = hash(&format!("item\n{event}\n{bad}"));
        let body = Body::of(event).set_item(0, bad);
        let other = Body::of(event).with_items(3).set("webhook_id", "\"x\"").set("created_at", "1").set_item(1, bad);
        for body in body.both_orders() {
            assert_eq!(only(&body).key, key);
        }
        for body in other.both_orders() {
            assert_eq!(records(&body)[1].key, key);
        }
        let other_event = EVENTS[(index + 1) % EVENTS.len()];
        assert_ne!(only(&Body::of(other_event).set_item(0, bad).text()).key, key);
        assert_ne!(only(&Body::of(event).set_item(0, &bad.replace(' ', "")).text()).key, key);
    }
}

#[test]
fn a_body_that_is_no_list_of_items_is_one_record_with_the_hash_of_all_its_bytes() {
    let unknown = |content| Body::of(EVENT_OF_TOMORROW).set("content", content);
    let rows = [
        (unknown("[]").text(), Some(EVENT_OF_TOMORROW), false),
        (unknown("[1,2]").text(), Some(EVENT_OF_TOMORROW), false),
        (unknown("null").text(), Some(EVENT_OF_TOMORROW), false),
        (Body::unreplied().set("content", "[]").text(), Some("UNREPLIED"), false),
        (Body::unreplied().set("content", "{}").text(), Some("UNREPLIED"), true),
        (Body::unreplied().without("webhook_id").text(), Some("UNREPLIED"), true),
        (Body::unreplied().set("event", "7").text(), None, true),
        (Body::unreplied().text() + "x", Some("UNREPLIED"), true),
        (String::new(), None, true),
        ("null".into(), None, true),
        ("a=b&c=d".into(), None, true),
    ];
    for (body, event, is_error) in rows {
        let record = only(&body);
        assert_eq!((text(&record), record.event().as_deref()), (&*body, event));
        assert_eq!(record.key, hash(&format!("body\n\n{body}")));
        assert_eq!(record.error.is_some(), is_error, "{body}");
        assert_eq!(record.error, Payload::from_slice(body.as_bytes()).err());
    }
    let record = Delivery::from_slice(b"{\"\xff").into_records().remove(0);
    assert_eq!(
        (&record.body[..], record.error.map(|error| error.kind())),
        (&b"{\"\xff"[..], Some(DecodeErrorKind::Syntax))
    );
}

/// Two events with the same content are two events.
#[test]
fn an_unknown_event_in_a_new_envelope_has_a_new_key() {
    for content in ["[]", "{}", "[1]"] {
        let first = Body::of(EVENT_OF_TOMORROW).set("content", content);
        let second = first.clone().set("created_at", "1765439942");
        assert_ne!(keys(&first.text()), keys(&second.text()));
        assert_eq!(keys(&first.text()), keys(&first.text()));
    }
}

#[test]
fn an_item_and_a_body_with_the_same_text_have_different_keys() {
    let bad = r#"{"event":"UNREPLIED"}"#;
    let item = only(&Body::unreplied().set_item(0, bad).text()).key;
    for body in [bad.to_owned(), format!("UNREPLIED\n{bad}"), format!("item\nUNREPLIED\n{bad}")] {
        assert_ne!(only(&body).key, item);
    }
}

#[test]
fn more_than_1_000_bad_items_are_one_record() {
    let item = r#"{"message_content":"An item without a time cannot be decoded."}"#;
    for (count, expected) in [(Partial::MAX_REJECTED, 1_000), (Partial::MAX_REJECTED + 1, 1)] {
        let body = Body::unreplied().set("content", &format!("[{}]", vec![item; count].join(","))).text();
        let records = records(&body);
        assert_eq!(records.len(), expected);
        if expected == 1 {
            let error = records[0].error.as_ref().unwrap();
            assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, "content"));
            assert_eq!(text(&records[0]), body);
        }
    }
}

#[test]
fn records_that_would_be_more_than_16_times_as_long_as_the_body_are_one_record() {
    let body = |envelope: usize, items: &[&str]| {
        let body = Body::of("OFFLINE_FORM_SUBMIT").add("trace", &format!("\"{}\"", "t".repeat(envelope)));
        body.set("content", &format!("[{}]", items.join(","))).text()
    };
    let good = r#"{"created_at":1}"#;
    let small = body(0, &[good; 17]);
    assert_eq!(records(&small).len(), 17);
    let large = body(10_000, &[good; 17]);
    let record = only(&large);
    assert_eq!((text(&record), &record.error), (&*large, &None));
    assert_eq!(records(&body(10_000, &[good; 16])).len(), 16);
    // With 17 items of 16 bytes, an envelope of 4336 bytes makes the records exactly 16 times as long as the body.
    let padding = 4336 - (small.len() - 17 * good.len() - 16);
    let exact = body(padding, &[good; 17]);
    assert_eq!(records(&exact).iter().map(|record| record.body.len()).sum::<usize>(), 16 * exact.len());
    only(&body(padding + 1, &[good; 17]));
    // The first bad item says why the whole body cannot be decoded.
    let bad = only(&body(
        10_000,
        &[good, "1", good, "2", good, good, good, good, good, good, good, good, good, good, good, good, good, good],
    ));
    assert_eq!(bad.error.as_ref().map(DecodeError::path), Some("content[1]"));

    for count in [1, 2, 15, 16, 17, 100] {
        for envelope in [0, 100, 1_000, 64 << 10] {
            let body = body(envelope, &vec![good; count]);
            let total: usize = records(&body).iter().map(|record| record.body.len()).sum();
            assert!(total <= 16 * body.len(), "{count} items, {envelope}");
        }
    }
}

#[test]
fn the_name_of_an_event_for_a_column_is_escaped_and_cut() {
    let event =
        |name: &str| only(&Body::unreplied().set("event", &serde_json::to_string(name).unwrap()).text()).event();
    assert_eq!(event("EVENT_OF_TOMORROW").as_deref(), Some("EVENT_OF_TOMORROW"));
    assert_eq!(event("a\0b\n").as_deref(), Some(r"a\u{0}b\n"));
    assert_eq!(event("").as_deref(), Some(""));
    for name in ["\0", "a", "\u{202e}", "访", "🙂", "\"", "\\"] {
        let event = event(&name.repeat(5_000)).unwrap();
        assert!((50..=64).contains(&event.len()), "{event}");
        assert!(event.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{event}");
    }
}

#[test]
fn a_record_shows_its_event_and_its_error() {
    let [good, bad] = records(&Body::unreplied().with_items(2).set_item(1, "1").text()).try_into().unwrap();
    assert_eq!(format!("{good:?}"), r#"Record { event: Some("UNREPLIED"), error: None, .. }"#);
    let error = bad.error.as_ref().unwrap();
    assert_eq!(bad.problem(), Some(error.to_string()));
    assert_eq!(format!("{bad:?}"), format!(r#"Record {{ event: Some("UNREPLIED"), error: Some({error:?}), .. }}"#));
}

#[test]
fn the_line_for_the_log_says_how_many_records_are_in_error() {
    let line = |body: Body| Delivery::from_slice(body.text().as_bytes()).to_string();
    assert_eq!(line(Body::unreplied()), "UNREPLIED: 1 item, sent 2025-12-11T07:59:01Z");
    let batch = Body::unreplied().with_items(4).set_item(1, "1");
    assert_eq!(line(batch.clone()), "UNREPLIED: 4 items, sent 2025-12-11T07:59:01Z, 1 record in error");
    assert_eq!(line(batch.set_item(3, "[]")), "UNREPLIED: 4 items, sent 2025-12-11T07:59:01Z, 2 records in error");
    let unknown = Body::of(EVENT_OF_TOMORROW);
    let sent = "sent 2025-12-11T07:59:01Z";
    assert_eq!(
        line(unknown.clone().set("content", "[1,{},3]")),
        format!("unknown event \"EVENT_OF_TOMORROW\": 3 items, {sent}")
    );
    assert_eq!(
        line(unknown.set("content", "{}")),
        format!("unknown event \"EVENT_OF_TOMORROW\": content is not an array, {sent}")
    );
    assert_eq!(
        line(Body::unreplied().set("content", "{}")),
        "1 record in error: UNREPLIED content: expected an array, found an object (line 1, column 104)"
    );
    for payload in [fixtures::unreplied(), fixtures::offline_form_submit()] {
        assert_eq!(Delivery::from_slice(&payload.to_vec()).to_string(), payload.summary().to_string());
    }
    let delivery = Delivery::from_slice(b"");
    assert!(format!("{delivery:?}").starts_with("Delivery(1 record in error: the body ends too early"));
}

#[test]
fn the_time_of_a_request_is_checked_where_it_can_be_read() {
    let delivery = |body: Body| Delivery::from_slice(body.text().as_bytes());
    let sent = Timestamp::from_unix(1_765_439_941).unwrap();
    let hour = Duration::from_secs(3_600);
    let later = sent.checked_add(2 * hour).unwrap();
    for body in [Body::unreplied(), Body::unreplied().set("content", "{}"), Body::of(EVENT_OF_TOMORROW)] {
        let delivery = delivery(body);
        assert_eq!(delivery.created_at(), Some(sent));
        assert_eq!(delivery.check_freshness(sent, Duration::ZERO), Ok(()));
        assert_eq!(delivery.check_freshness(later, 2 * hour), Ok(()));
        let stale = delivery.check_freshness(later, hour);
        assert!(matches!(stale, Err(FreshnessError::Stale { age, .. }) if age == 2 * hour));
        let early = sent.checked_sub(2 * hour).unwrap();
        let ahead = delivery.check_freshness(early, hour);
        assert!(matches!(ahead, Err(FreshnessError::FromTheFuture { ahead, .. }) if ahead == 2 * hour));
    }
    let unreadable = delivery(Body::unreplied().set("created_at", "\"now\""));
    assert_eq!((unreadable.created_at(), unreadable.check_freshness(later, hour)), (None, Ok(())));
    assert_eq!(unreadable.event_type(), Some(&EventType::Unreplied));
}

/// With some features of `serde_json`, an unknown object with a private key is refused when the record is decoded.
#[test]
fn unknown_data_with_a_private_key_is_stored_and_never_shown() {
    for key in ["$serde_json::private::Number", "$serde_json::private::RawValue"] {
        let json = format!(r#"{{"{key}":"canary"}}"#);
        for body in [
            Body::of(EVENT_OF_TOMORROW).set("content", &json),
            Body::of(EVENT_OF_TOMORROW).set("content", &format!("[{json}]")),
            Body::unreplied().add("trace", &json),
        ] {
            for body in body.both_orders() {
                let delivery = Delivery::from_slice(body.as_bytes());
                assert_eq!(delivery.records()[0].error, None);
                assert_eq!(text(&delivery.records()[0]), body);
                let shown = Payload::from_slice(body.as_bytes())
                    .map_or_else(|error| format!("{error:?}{error}"), |_| String::new());
                assert!(!format!("{shown}{delivery:?}").contains("canary"));
            }
        }
    }
}

/// Compares the records with what `from_slice_partial` says of the same body, and with the items of the body.
#[track_caller]
pub(crate) fn assert_nothing_is_lost(body: &[u8]) {
    let delivery = Delivery::from_slice(body);
    let records = delivery.records();
    assert!(records.iter().map(|record| record.body.len()).sum::<usize>() <= 16 * body.len());
    for record in records {
        assert!(record.key.len() <= 1_024);
        assert!(record.event().is_none_or(|event| event.len() <= 64));
    }
    let partial = Payload::from_slice_partial(body);
    let envelope = partial.as_ref().map_or_else(
        |error| (error.event_type().cloned(), error.created_at()),
        |partial| (Some(partial.payload.event_type()), Some(partial.payload.created_at)),
    );
    // A private key of `serde_json` is an error for `from_slice_partial` under some of its features.
    if !body.windows(7).any(|part| part == b"private") {
        assert_eq!((delivery.event_type().cloned(), delivery.created_at()), envelope);
    }

    let Ok(Partial { payload, rejected, .. }) = partial else {
        assert_eq!((records.len(), &*records[0].body), (1, body));
        return;
    };
    let count = payload.contents().len() + rejected.len();
    if count == 0 || (records.len() == 1 && count > 1) {
        assert_eq!((records.len(), &*records[0].body), (1, body));
        assert_eq!(records[0].error.as_ref(), rejected.first().map(|rejected| &rejected.error));
        return;
    }
    assert_eq!(records.len(), count);
    let mut good = payload.contents();
    for (index, record) in records.iter().enumerate() {
        if let Some(rejected) = rejected.iter().find(|rejected| rejected.index == index) {
            assert_eq!(record.error.as_ref(), Some(&rejected.error));
            assert!(record.key.starts_with("sha256:"));
            let again = Payload::from_slice_partial(&record.body).unwrap();
            assert_eq!((again.rejected.len(), &again.rejected[0].raw), (1, &rejected.raw));
            assert_eq!(again.payload.extra(), payload.extra());
        } else {
            let item = good.next().unwrap();
            assert_eq!((&record.error, &record.key), (&None, &item.key().to_string()));
            let part = Payload::from_slice(&record.body).unwrap();
            assert_eq!(serde_json::to_value(part.contents().next()).unwrap(), serde_json::to_value(item).unwrap());
            assert_eq!((part.contents().len(), part.extra()), (1, payload.extra()));
            assert_eq!((part.created_at, &part.webhook_id), (payload.created_at, &payload.webhook_id));
        }
    }
    assert!(good.next().is_none());
}

/// An item of any event in which one field of the key is `value`, and the other fields are the same.
fn item(kind: u32, field: u32, value: &str, number: u32) -> Payload {
    let (mut property, mut visitor, mut message) = ("p", "v", "m");
    let (mut at, mut push_times) = (1, 1);
    match field {
        0 => property = value,
        1 => visitor = value,
        2 => message = value,
        3 => at = i64::from(number),
        _ => push_times = number,
    }
    let at = Timestamp::from_unix(at).unwrap();
    macro_rules! build {
        ($Content:ident) => {
            $Content::builder(visitor, at).property_name(property).message_content(message)
        };
    }
    match kind {
        0 => Payload::new(at, "", build!(PreChatFormContent).build()),
        1 => Payload::new(at, "", build!(OfflineFormContent).build()),
        _ => Payload::new(at, "", build!(UnrepliedContent).push_times(push_times).build()),
    }
}

fn value() -> impl Strategy<Value = String> {
    let parts = select(vec!["", "a", "\"", "\\", "\0", "\u{1f}", "#", ",", "ü", "访", "🙂", "]", "1"]);
    let filled = (parts.clone(), 0..80_usize, parts).prop_map(|(part, count, end)| part.repeat(count) + end);
    prop_oneof![filled, ".{0,70}"]
}

proptest! {
    #[test]
    fn the_same_item_in_a_new_envelope_has_the_same_key(
        kind in 0..3_u32, field in 0..5_u32, text in value(), number in any::<u32>(), id in value(),
    ) {
        let payload = item(kind, field, &text, number);
        let mut again = payload.clone();
        again.webhook_id = id;
        again.created_at = Timestamp::from_unix(7).unwrap();
        let key = |payload: &Payload| only(str::from_utf8(&payload.to_vec()).unwrap()).key;
        let first = key(&payload);
        prop_assert_eq!(&key(&again), &first);
        prop_assert!(first.len() < 1_024 && serde_json::from_str::<Value>(&first).is_ok());
        // In a batch with another item, too.
        let body = String::from_utf8(payload.to_vec()).unwrap();
        let batch = body.replacen("\"content\":[", "\"content\":[{\"created_at\":\"x\"},", 1);
        prop_assert_eq!(&keys(&batch)[1], &first);
    }
}

/// A million pairs of items that differ in one field, or are the same.
#[test]
fn items_that_differ_in_one_field_never_share_a_key() {
    let mut seed = 1_u64;
    let mut random = |limit: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 33).unwrap() % limit
    };
    let parts = ["a", "\"", "\\", "\0", "#", "ü", "访", "1", "e3b0c44298fc1c149afbf4c8996fb924"];
    let key = |kind, field, value: &str, number| {
        let payload = item(kind, field, value, number);
        payload.contents().next().map(|item| item.key().to_string())
    };
    for _ in 0..1_000_000 {
        let mut draw = || {
            let [first, count, last, number] = [9, 6, 9, 1 << 20].map(&mut random);
            let [first, last] = [first, last].map(|part| parts[part as usize]);
            (first.repeat(count as usize) + last, number)
        };
        let ((one, first), (other, second)) = (draw(), draw());
        let kind = random(3);
        // Only a message has `push_times`.
        let field = random(if kind == 2 { 5 } else { 4 });
        let is_same = if field < 3 { one == other } else { first == second };
        assert_eq!(key(kind, field, &one, first) == key(kind, field, &other, second), is_same, "{one:?} {other:?}");
    }
}
