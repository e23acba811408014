//! The order of the keys does not change the payload. If a body has a single fault, the order changes only the position
//! of the error.

use serde_json::Value;
use twt_chat_webhooks::Payload;

use crate::body::{Body, ENVELOPE_FIELDS, EVENT_OF_TOMORROW, EVENTS};
use crate::entry_points::{decode, error_of, without_position};

/// All orders of the four fields of the envelope.
fn orders() -> Vec<[&'static str; 4]> {
    let fields = ENVELOPE_FIELDS;
    let mut orders = Vec::new();
    for (a, b, c, d) in (0..256).map(|n| (n / 64, n / 16 % 4, n / 4 % 4, n % 4)) {
        if a != b && a != c && a != d && b != c && b != d && c != d {
            orders.push([fields[a], fields[b], fields[c], fields[d]]);
        }
    }
    orders
}

/// The envelope of the body in this order, with an unknown field in the middle.
fn in_order(body: &Body, order: [&str; 4]) -> String {
    let value = body.value();
    let field = |name: &str| format!("{name:?}:{}", value[name]);
    let [a, b, c, d] = order.map(field);
    format!(r#"{{{a},{b},"trace":[1],{c},{d}}}"#)
}

#[test]
fn keys_in_any_order_give_the_same_payload() {
    assert_eq!(orders().len(), 24);
    for event in EVENTS.into_iter().chain([EVENT_OF_TOMORROW]) {
        let expected = Body::of(event).add("trace", "[1]").value();
        for order in orders() {
            let payload = decode(&in_order(&Body::of(event), order));
            assert_eq!(serde_json::to_value(&payload).unwrap(), expected, "{order:?}");
        }
    }
}

#[test]
fn keys_of_an_item_in_any_rotation_give_the_same_payload() {
    for event in EVENTS {
        let body = Body::of(event).add("content[0].rating", "5");
        let Value::Object(item) = &body.value()["content"][0] else { panic!("an item should be an object") };
        let mut fields: Vec<_> = item.iter().map(|(key, value)| format!("{key:?}:{value}")).collect();
        for _ in 0..fields.len() {
            fields.rotate_left(1);
            let text = body.clone().set_item(0, &format!("{{{}}}", fields.join(","))).text();
            assert_eq!(serde_json::to_value(decode(&text)).unwrap(), body.value());
        }
    }
}

#[test]
fn a_single_fault_gives_the_same_error_in_any_order() {
    let broken = [
        Body::unreplied().set("event", "4"),
        Body::unreplied().set("content[0].push_times", r#""four""#),
        Body::unreplied().set("created_at", "null"),
        Body::unreplied().set("content", "{}"),
        Body::unreplied().with_items(3).set("content[2].subject", "4"),
        Body::of(EVENT_OF_TOMORROW).set("created_at", "4.5"),
    ];
    for body in broken {
        let expected = error_of(&body.text());
        for order in orders() {
            let error = error_of(&in_order(&body, order));
            assert_eq!((error.kind(), error.path()), (expected.kind(), expected.path()), "{order:?}");
            assert_eq!(without_position(&error), without_position(&expected), "{order:?}");
        }
    }
}

#[test]
fn one_of_two_faults_is_reported_in_any_order() {
    for event in EVENTS {
        let body = Body::of(event).set("content[0].subject", "4").set("created_at", "true");
        for order in orders() {
            let error = error_of(&in_order(&body, order));
            assert!(["content[0].subject", "created_at"].contains(&error.path()), "{error}");
        }
    }
}

#[test]
fn many_items_may_come_before_their_event() {
    let items = 500;
    let text = Body::unreplied().with_items(items).backwards();
    assert_eq!(Payload::from_slice(text.as_bytes()).unwrap().event.contents().count(), items);
}
