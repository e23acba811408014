//! `sent_at` moves the times of a payload, and changes nothing else.

use core::time::Duration;

use serde_json::{Value, json};
use twt_chat_webhooks::{EventType, Payload, Timestamp, fixtures};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS};
use crate::entry_points::decode;

const SENT: i64 = 1_765_439_941;
const CREATED: i64 = 1_765_439_652;

fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_unix(unix_seconds).unwrap()
}

/// All times of the payload: the time of the envelope, then the times of the items.
fn times(payload: &Payload) -> Vec<i64> {
    let items = payload.event.contents().map(|item| item.created_at().unix_seconds());
    [payload.created_at.unix_seconds()].into_iter().chain(items).collect()
}

#[test]
fn every_time_moves_by_the_same_amount() {
    for event_type in EventType::DOCUMENTED {
        let payload = fixtures::payload(event_type).unwrap();
        for now in [SENT, SENT + 1, SENT - 1, 0, -1, 4_000_000_000] {
            let moved = payload.clone().sent_at(at(now));
            assert_eq!(times(&moved), [now, now - (SENT - CREATED)]);
            assert_eq!(moved.check_freshness(at(now), Duration::ZERO), Ok(()));
            assert_eq!(moved.validate(), Ok(()));
            assert_eq!(moved.sent_at(at(SENT)), payload);
        }
    }
}

#[test]
fn every_item_of_a_batch_moves() {
    for event in EVENTS {
        let mut body = Body::of(event).value();
        let item = body["content"][0].clone();
        body["content"] = [1, 2, 3]
            .map(|created_at| {
                let mut item = item.clone();
                item["created_at"] = json!(created_at);
                item
            })
            .into();
        body["created_at"] = json!(10);
        let moved = decode(&body.to_string()).sent_at(at(1_010));
        assert_eq!(times(&moved), [1_010, 1_001, 1_002, 1_003]);
    }
}

#[test]
fn a_time_stops_at_the_first_or_last_second_of_the_calendar() {
    let payload = fixtures::unreplied();
    let (first, last) = (Timestamp::MIN.unix_seconds(), Timestamp::MAX.unix_seconds());
    assert_eq!(times(&payload.clone().sent_at(Timestamp::MIN)), [first, first]);
    assert_eq!(times(&payload.clone().sent_at(Timestamp::MAX)), [last, last - (SENT - CREATED)]);

    let mut late = payload.sent_at(Timestamp::MIN);
    if let twt_chat_webhooks::Event::Unreplied(messages) = &mut late.event {
        messages[0].created_at = Timestamp::MAX;
    }
    assert_eq!(times(&late.clone().sent_at(Timestamp::MAX)), [last, last]);
    assert_eq!(times(&late.sent_at(at(first + 1))), [first + 1, last]);
}

#[test]
fn nothing_but_the_times_changes() {
    for event in EVENTS {
        let body =
            Body::of(event).add("region", r#"{"created_at":1765439652}"#).add("content[0].edited_at", "1765439652");
        let mut expected = body.value();
        let moved = decode(&body.text()).sent_at(at(SENT + 1_000));
        expected["created_at"] = json!(SENT + 1_000);
        expected["content"][0]["created_at"] = json!(CREATED + 1_000);
        assert_eq!(serde_json::to_value(moved).unwrap(), expected);
    }
}

#[test]
fn the_content_of_an_unknown_event_does_not_change() {
    for content in [json!([{"created_at": CREATED}]), json!({"created_at": CREATED}), json!(CREATED), Value::Null] {
        let mut expected = Body::of(EVENT_OF_TOMORROW).set("content", &content.to_string()).value();
        let moved = decode(&expected.to_string()).sent_at(at(0));
        expected["created_at"] = json!(0);
        assert_eq!(serde_json::to_value(moved).unwrap(), expected);
    }
}
