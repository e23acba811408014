//! The summary of a payload is one line that is safe to log.

use std::collections::HashSet;

use serde_json::{Value, json};
use twt_chat_webhooks::{Event, EventType, Payload, Timestamp, fixtures};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS, every_path};

fn unknown(name: &str, content: Value) -> Payload {
    Payload::new(Timestamp::UNIX_EPOCH, "canary", Event::from_parts(name, content).unwrap())
}

fn summary(payload: &Payload) -> String {
    let summary = payload.summary();
    assert_eq!(format!("{summary:?}"), format!("Summary({summary})"));
    summary.to_string()
}

#[test]
fn a_summary_has_the_event_the_number_of_items_and_the_time() {
    for event_type in EventType::DOCUMENTED {
        let mut payload = fixtures::payload(event_type).unwrap();
        assert_eq!(summary(&payload), format!("{event_type}: 1 item, sent 2025-12-11T07:59:01Z"));

        let item = json!(payload.event)["content"][0].to_string();
        payload.created_at = Timestamp::MIN;
        for (content, items) in [("[]", "0 items"), ("[{},{},{}]", "3 items")] {
            let content = content.replace("{}", &item);
            payload.event = Event::from_parts(event_type.clone(), content.parse().unwrap()).unwrap();
            assert_eq!(summary(&payload), format!("{event_type}: {items}, sent -9999-01-01T00:00:00Z"));
        }
    }
}

#[test]
fn an_unknown_event_is_named_in_quotes() {
    for (content, items) in [
        (json!([]), "0 items"),
        (json!([{"visitor_name": "canary"}]), "1 item"),
        (json!([1, null]), "2 items"),
        (json!({"visitor_name": "canary"}), "content is not an array"),
        (json!("canary"), "content is not an array"),
        (json!(null), "content is not an array"),
    ] {
        let expected = format!(r#"unknown event "{EVENT_OF_TOMORROW}": {items}, sent 1970-01-01T00:00:00Z"#);
        assert_eq!(summary(&unknown(EVENT_OF_TOMORROW, content)), expected);
    }
}

#[test]
fn the_name_of_an_unknown_event_is_escaped_and_cut() {
    let at_the_limit = "N".repeat(64);
    let rows = [
        (String::new(), r#""""#.to_owned()),
        (at_the_limit.clone(), format!("\"{at_the_limit}\"")),
        (format!("{at_the_limit}N"), format!("\"{at_the_limit}\"...")),
        ("N".repeat(1 << 20), format!("\"{at_the_limit}\"...")),
        ("a\"b\\c".into(), r#""a\"b\\c""#.into()),
        ("a\nb\rc\td".into(), r#""a\nb\rc\td""#.into()),
        ("\0\u{1b}[31m".into(), r#""\u{0}\u{1b}[31m""#.into()),
        // A right-to-left override, and letters beyond ASCII.
        ("\u{202e}é已".into(), r#""\u{202e}\u{e9}\u{5df2}""#.into()),
        // No escape is cut in the middle.
        ("\n".repeat(33), format!("\"{}\"...", r"\n".repeat(32))),
        (format!("{}\n", "N".repeat(63)), format!("\"{}\"...", "N".repeat(63))),
        (format!("{}\n", "N".repeat(62)), format!("\"{}\\n\"", "N".repeat(62))),
    ];
    for (name, shown) in rows {
        let expected = format!("unknown event {shown}: 0 items, sent 1970-01-01T00:00:00Z");
        assert_eq!(summary(&unknown(&name, json!([]))), expected);
    }
}

#[test]
fn a_summary_is_a_short_line_of_printable_ascii() {
    for name in [
        "\u{10ffff}".repeat(100),
        "\u{7f}\u{80}\u{85}\u{2028}\u{feff}".repeat(100),
        (0..=u8::MAX).map(char::from).collect(),
    ] {
        let mut payload = unknown(&name, json!(vec![0; 1_000]));
        payload.created_at = Timestamp::MIN;
        let summary = summary(&payload);
        assert!(summary.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{summary}");
        assert!(summary.len() <= 128, "{summary}");
    }
}

#[test]
fn a_summary_shows_no_text_of_a_visitor_and_no_id() {
    for event in EVENTS {
        let mut body = Body::of(event).add("canary", r#""canary""#).add("content[0].canary", r#""canary""#);
        for path in every_path(event) {
            let is_text =
                body.value().pointer(&format!("/{}", path.replace("[0].", "/0/"))).is_some_and(Value::is_string);
            if is_text && path != "event" {
                body = body.set(&path, r#""canary""#);
            }
        }
        let payload: Payload = body.text().parse().unwrap();
        assert_eq!(payload.webhook_id, "canary");
        assert_eq!(payload.event.contents().next().unwrap().message_content(), "canary");
        assert_eq!(summary(&payload), format!("{event}: 1 item, sent 2025-12-11T07:59:01Z"));
    }
}

#[test]
fn different_payloads_can_have_the_same_summary() {
    let (payload, mut other) = (fixtures::unreplied(), fixtures::unreplied());
    other.webhook_id.clear();
    assert_eq!(payload.summary(), other.summary());
    other.created_at = Timestamp::UNIX_EPOCH;
    assert_ne!(payload.summary(), other.summary());
    let summaries = HashSet::from(
        [payload.summary(), other.summary(), fixtures::unreplied().summary()].map(|summary| summary.to_string()),
    );
    assert_eq!(summaries.len(), 2);
}
