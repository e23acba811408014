//! `examples/decode.rs` prints every field, and lets no body control the terminal.

use serde_json::Value;
use twt_chat_webhooks::{Payload, fixtures};

use crate::body::Body;

use self::decode::Description;

#[path = "../../examples/decode.rs"]
#[expect(dead_code, reason = "the tests read no file and print nothing")]
mod decode;

fn describe(body: &str) -> String {
    Description(&body.parse::<Payload>().unwrap()).to_string()
}

/// The body with the numbers that its items lack. A later version of the page may have more numbers.
fn with_numbers(body: &str) -> String {
    let mut body: Value = serde_json::from_str(body).unwrap();
    let documented = Body::of(body["event"].as_str().unwrap()).value()["content"][0].clone();
    for item in body["content"].as_array_mut().unwrap() {
        for (name, value) in documented.as_object().unwrap().iter().filter(|(_, value)| value.is_number()) {
            item.as_object_mut().unwrap().entry(name).or_insert(value.clone());
        }
    }
    body.to_string()
}

#[test]
fn a_waiting_visitor_is_described_in_full() {
    assert_eq!(
        describe(fixtures::UNREPLIED),
        "event       UNREPLIED
sent        2025-12-11T07:59:01Z
webhook     58946f5f583edd94f5cf87e3534d04fb
  visitor   Visitor15 (visitor nickname)
  customer  not identified
  project   test
  subject   New Conversation
  written   2025-12-11T07:54:12Z
  message   1
  agent     ctccccd
  status    unreplied
  waited    4 min 49 s
  push      4 of 4, the last
",
    );
}

#[test]
fn a_form_is_described_without_a_waiting_time() {
    for body in [fixtures::PRE_CHAT_FORM_SUBMIT, fixtures::OFFLINE_FORM_SUBMIT] {
        let description = describe(body);
        assert!(description.contains("  visitor   Visitor15 (visitor nickname)\n"), "{description}");
        assert!(!description.contains("waited"), "{description}");
    }
}

#[test]
fn unknown_fields_and_statuses_are_shown_too() {
    let body = r#"{
        "created_at": 1765439941,
        "event": "UNREPLIED",
        "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
        "content": [{"created_at": 1765439652, "status": "7", "push_times": 2, "time_sec": 3725, "language": "zh"}],
        "region": {"id": 1}
    }"#;
    let description = describe(&with_numbers(body));
    for line in [
        "also        region: {\"id\":1}\n",
        "  also      language: \"zh\"\n",
        "  status    7 (unknown)\n",
        "  waited    1 h 2 min 5 s\n",
        "  push      2 of 4, 2 more unless an agent replies\n",
    ] {
        assert!(description.contains(line), "{line}{description}");
    }
}

#[test]
fn an_unknown_event_shows_its_name_and_content() {
    let body = r#"{
        "created_at": 1765439941,
        "event": "EVENT_OF_TOMORROW",
        "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
        "content": {"visitor_name": "Visitor15"}
    }"#;
    assert_eq!(
        describe(body),
        "event       EVENT_OF_TOMORROW
sent        2025-12-11T07:59:01Z
webhook     58946f5f583edd94f5cf87e3534d04fb
content     {\"visitor_name\":\"Visitor15\"}
",
    );
}

#[test]
fn no_body_can_control_the_terminal() {
    // Escape, CSI (the C1 form of escape and bracket), bell, line breaks, delete, and right-to-left override.
    let nasty = r"a\u001b[2J\u009b31m\u0007\r\n\u007f\u202eb";
    let shown = r"a\u{1b}[2J\u{9b}31m\u{7}\r\n\u{7f}\u{202e}b";
    let message = format!(
        r#"{{"created_at": 1, "event": "UNREPLIED", "webhook_id": "{nasty}", "{nasty}": "", "content": [{{
            "subject": "{nasty}", "visitor_name": "{nasty}", "created_at": 1, "message_content": "{nasty}",
            "property_name": "{nasty}", "visitor_nickname": "{nasty}", "sbs": "{nasty}", "status": "{nasty}",
            "push_times": 1, "time_sec": 1, "assigned_agent_nickname": "{nasty}", "{nasty}": ""
        }}]}}"#
    );
    let description = describe(&with_numbers(&message));
    assert_eq!(description.matches(shown).count(), 11, "{description}");
    assert_eq!(description.lines().count(), 15, "{description}");
    assert!(!description.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{description:?}");

    let unknown = format!(r#"{{"created_at": 1, "event": "{nasty}", "webhook_id": "", "content": "{nasty}"}}"#);
    let description = describe(&unknown);
    assert!(description.contains(shown), "{description}");
    assert_eq!(description.lines().count(), 4, "{description}");
    assert!(!description.contains(|c: char| c != '\n' && (c.is_control() || c == '\u{202e}')), "{description:?}");
}
