//! Writing is exact: the documented fields in the order of the page and in the platform's form, then the extras.

use serde_json::{Value, json};
use twt_chat_webhooks::{
    Event, EventType, Payload, PreChatFormContent, Timestamp, UnknownEvent, UnrepliedContent, fixtures,
};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS};
use crate::entry_points::decode;

/// The body that `to_vec` writes, which must be the body that `serde_json` writes.
fn encoded(payload: &Payload) -> String {
    let body = String::from_utf8(payload.to_vec()).unwrap();
    assert_eq!(serde_json::to_string(payload).unwrap(), body);
    body
}

fn form(text: &str) -> PreChatFormContent {
    PreChatFormContent::builder(text, Timestamp::UNIX_EPOCH).sbs(text).message_content("plain").build()
}

/// The writer looks at eight bytes at a time.
#[test]
fn every_character_is_written_as_serde_json_writes_it_wherever_it_stands() {
    let characters = ('\0'..='\u{ff}').chain("你🙂\u{2028}\u{10ffff}".chars());
    for character in characters {
        for before in 0..20 {
            for after in [0, 1, 3, 4, 8] {
                let text = format!("{}{character}{}", "a".repeat(before), "z".repeat(after));
                let body = encoded(&Payload::new(Timestamp::UNIX_EPOCH, &*text, form(&text)));
                assert!(body.matches(&serde_json::to_string(&text).unwrap()).count() >= 3, "{body}");
            }
        }
    }
}

#[test]
fn every_number_is_written_as_serde_json_writes_it() {
    let powers = (0..20).map(|power| 10_u64.pow(power));
    let numbers = (0..1_000).chain(powers.flat_map(|power| [power - 1, power, power + 1])).chain([u64::MAX]);
    for number in numbers {
        let seconds = i64::try_from(number).unwrap_or(i64::MAX);
        for seconds in [seconds, -seconds] {
            let at = Timestamp::from_unix(seconds.clamp(-377_705_116_800, 253_402_300_799)).unwrap();
            let push_times = u32::try_from(number).unwrap_or(u32::MAX);
            let message = UnrepliedContent::builder("", at).time_sec(number).push_times(push_times).build();
            let body = encoded(&Payload::new(at, "", message));
            assert!(body.starts_with(&format!(r#"{{"created_at":{},"#, at.unix_seconds())), "{body}");
            assert!(body.contains(&format!(r#","push_times":{push_times},"#)), "{body}");
            assert!(body.contains(&format!(r#","time_sec":{number},"#)), "{body}");
        }
    }
}

#[test]
fn unknown_data_is_written_as_serde_json_writes_it_at_any_depth() {
    for depth in [0, 1, 60, 120] {
        for leaf in ["null", "\"\\u0000\\\"\"", "1e-7", "18446744073709551615", "0.1", "{}"] {
            let json = format!("{}{leaf}{}", r#"[{"\n":"#.repeat(depth / 2), "}]".repeat(depth / 2));
            let unknown = Body::of(EVENT_OF_TOMORROW).set("content", &json).add("trace", &json);
            encoded(&decode(&unknown.text()));
            let known = Body::unreplied().add(r#"content[0].\""#, &json).add(r"\u0001", &json).add("content[0].z", "1");
            encoded(&decode(&known.text()));
        }
    }
}

#[test]
fn a_batch_is_written_with_a_comma_between_its_items() {
    for count in 0..4 {
        let payload = Payload::new(Timestamp::UNIX_EPOCH, "", vec![form("Visitor15"); count]);
        assert_eq!(encoded(&payload).matches("},{").count(), count.saturating_sub(1));
        assert_eq!(decode(&encoded(&payload)), payload);
    }
}

#[test]
fn the_documented_example_is_encoded_byte_for_byte_without_its_white_space() {
    for event in EVENTS {
        let documented = fixtures::body(&event.into()).unwrap();
        let compact = documented.replace('\n', "").replace("\": ", "\":");
        assert_eq!(compact, Body::of(event).text());
        assert_eq!(encoded(&decode(documented)), compact);
        assert_eq!(encoded(&decode(&Body::of(event).backwards())), compact);
    }
}

#[test]
fn every_field_is_written_in_the_form_of_the_platform() {
    let sent = Body::unreplied()
        .set("created_at", r#""1765439941""#)
        .set("content[0].created_at", "1765439652.0")
        .set("content[0].status", "3")
        .set("content[0].push_times", r#""004""#)
        .set("content[0].time_sec", "289.0")
        .set("content[0].visitor_nickname", "null")
        .without("content[0].sbs")
        .without("content[0].subject");
    let written = Body::unreplied()
        .set("content[0].status", r#""3""#)
        .set("content[0].visitor_nickname", r#""""#)
        .set("content[0].subject", r#""""#);
    for text in sent.both_orders() {
        assert_eq!(encoded(&decode(&text)), written.text());
    }
}

#[test]
fn the_extras_come_last() {
    for event in EVENTS {
        let written =
            Body::of(event).add("a", "1").add("b", "[]").add("content[0].a", "{}").add("content[0].b", "null");
        let sent = Body::of(event)
            .add_first("content[0].b", "null")
            .add_first("content[0].a", "{}")
            .add_first("b", "[]")
            .add_first("a", "1");
        assert_eq!(encoded(&decode(&sent.text())), written.text());
    }
}

#[test]
fn only_the_characters_that_json_requires_are_escaped() {
    let text = "\"\\/\u{0}\u{1f}\u{7f}\n\t 访客 🙂 \u{2028}</script>";
    let json = serde_json::to_string(text).unwrap();
    for event in EVENTS {
        let body = Body::of(event).set("content[0].message_content", &json);
        assert_eq!(encoded(&decode(&body.text())), body.text());
        // The result does not depend on the escapes of the body.
        let escaped = json.replace("访", "\\u8bbf").replace("🙂", "\\uD83D\\ude42").replace('/', "\\/");
        let sent = Body::of(event).set("content[0].message_content", &escaped);
        assert_eq!(encoded(&decode(&sent.text())), body.text());
    }
}

#[test]
fn an_unknown_event_is_written_in_the_documented_order() {
    for content in ["null", "7", r#""text""#, r#"{"a":[1]}"#, "[]"] {
        let body = Body::of(EVENT_OF_TOMORROW).set("content", content);
        for text in body.both_orders() {
            assert_eq!(encoded(&decode(&text)), body.text());
        }
    }
}

#[test]
fn the_smallest_and_largest_numbers_are_written_in_full() {
    let body = Body::unreplied()
        .set("created_at", "253402300799")
        .set("content[0].created_at", "-377705116800")
        .set("content[0].push_times", "4294967295")
        .set("content[0].time_sec", "18446744073709551615");
    assert_eq!(encoded(&decode(&body.text())), body.text());
}

/// A part alone has the same form as in a body.
#[test]
fn each_part_of_a_body_can_be_written_and_read_alone() {
    let payload = fixtures::unreplied();
    let Event::Unreplied(messages) = &payload.event else { panic!("the event should be UNREPLIED") };
    let item = &Body::unreplied().value()["content"][0];
    assert_eq!(&serde_json::to_value(&messages[0]).unwrap(), item);
    assert_eq!(serde_json::from_value::<UnrepliedContent>(item.clone()).unwrap(), messages[0]);
    assert_eq!(serde_json::to_value(&messages[0].status).unwrap(), json!("1"));
    assert_eq!(serde_json::to_value(payload.event_type()).unwrap(), json!("UNREPLIED"));
    assert_eq!(serde_json::from_value::<EventType>(json!("UNREPLIED")).unwrap(), EventType::Unreplied);
    assert_eq!(serde_json::to_value(payload.created_at).unwrap(), json!(1_765_439_941));

    let event = serde_json::to_value(&payload.event).unwrap();
    assert_eq!(event, json!({"event": "UNREPLIED", "content": [item]}));
    assert_eq!(serde_json::from_value::<Event>(event).unwrap(), payload.event);
}

#[test]
fn an_event_alone_needs_its_name_and_its_content_once() {
    let content = r#"{"visitor_name":"Visitor15"}"#;
    let (name, content) = (format!(r#""event":"{EVENT_OF_TOMORROW}""#), format!(r#""content":{content}"#));
    let unknown: UnknownEvent = serde_json::from_str(&format!("{{{name},{content}}}")).unwrap();
    assert_eq!((unknown.name(), unknown.content()), (EVENT_OF_TOMORROW, &json!({"visitor_name": "Visitor15"})));
    for text in [format!("{{{content},{name}}}"), format!(r#"{{"channel":"web",{name},{content}}}"#)] {
        assert_eq!(serde_json::from_str::<UnknownEvent>(&text).unwrap(), unknown);
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), Event::Unknown(unknown.clone()));
    }

    for (text, message) in [
        (format!("{{{content}}}"), "event: the field is missing"),
        (format!("{{{name}}}"), "content: the field is missing"),
        (format!("{{{name},{content},{name}}}"), "event: the field is there twice"),
        (format!("{{{name},{content},{content}}}"), "content: the field is there twice"),
    ] {
        let error = serde_json::from_str::<Event>(&text).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }

    let error = serde_json::from_str::<UnknownEvent>(r#"{"event":"UNREPLIED","content":[]}"#).unwrap_err();
    assert!(error.to_string().starts_with("expected an unknown event, found a documented one"), "{error}");
}

#[test]
fn white_space_in_a_body_makes_no_difference() {
    for event in EVENTS {
        let value: Value = Body::of(event).value();
        let pretty = serde_json::to_string_pretty(&value).unwrap().replace('\n', "\r\n\t ");
        assert_eq!(encoded(&decode(&pretty)), Body::of(event).text());
    }
}
