//! Each documented body is the same as text and as a value.

use serde_json::Value;
use twt_chat_webhooks::{Event, EventType, Payload, Status, Timestamp, fixtures};

use crate::body::EVENT_OF_TOMORROW;
use crate::entry_points::decode;

fn documented() -> impl Iterator<Item = (&'static str, Payload)> {
    let fixture = |event_type| Some((fixtures::body(event_type)?, fixtures::payload(event_type)?));
    EventType::DOCUMENTED.iter().filter_map(fixture)
}

/// Removes the line breaks, and the space behind each key. The texts of the page contain no such line break or space.
fn without_white_space(body: &str) -> String {
    body.replace('\n', "").replace("\": ", "\":")
}

#[test]
fn the_text_of_a_fixture_decodes_to_its_value() {
    for (body, payload) in documented() {
        assert_eq!(Payload::from_slice(body.as_bytes()).unwrap(), payload);
        assert_eq!(body.parse::<Payload>().unwrap(), payload);
    }
}

#[test]
fn the_value_of_a_fixture_encodes_to_its_text_without_white_space() {
    for (body, payload) in documented() {
        assert_eq!(String::from_utf8(payload.to_vec()).unwrap(), without_white_space(body));
        assert_eq!(serde_json::to_string(&payload).unwrap(), without_white_space(body));
        assert_eq!(serde_json::to_value(&payload).unwrap(), serde_json::from_str::<Value>(body).unwrap());
    }
}

#[test]
fn each_documented_event_has_a_fixture() {
    let event_types: Vec<_> = documented().map(|(_, payload)| payload.event_type()).collect();
    assert_eq!(event_types, EventType::DOCUMENTED);
}

#[test]
fn a_fixture_is_found_by_its_event_type() {
    for (event_type, body, payload) in [
        (EventType::Unreplied, fixtures::UNREPLIED, fixtures::unreplied()),
        (EventType::PreChatFormSubmit, fixtures::PRE_CHAT_FORM_SUBMIT, fixtures::pre_chat_form_submit()),
        (EventType::OfflineFormSubmit, fixtures::OFFLINE_FORM_SUBMIT, fixtures::offline_form_submit()),
    ] {
        assert_eq!(fixtures::body(&event_type), Some(body));
        assert_eq!(fixtures::payload(&event_type), Some(payload));
    }
    for name in [EVENT_OF_TOMORROW, "", "unreplied"] {
        assert_eq!(fixtures::body(&name.into()), None);
        assert_eq!(fixtures::payload(&name.into()), None);
    }
}

#[test]
fn only_the_accessor_of_the_event_returns_the_item() {
    let items = |event: &Event| {
        let unreplied = event.as_unreplied().map(<[_]>::len);
        let pre_chat = event.as_pre_chat_form_submit().map(<[_]>::len);
        let offline = event.as_offline_form_submit().map(<[_]>::len);
        [unreplied, pre_chat, offline]
    };
    let payloads = [fixtures::unreplied(), fixtures::pre_chat_form_submit(), fixtures::offline_form_submit()];
    let events = payloads.each_ref().map(|payload| items(&payload.event));
    assert_eq!(events, [[Some(1), None, None], [None, Some(1), None], [None, None, Some(1)]]);
    let push_times = payloads.each_ref().map(|payload| payload.contents().next().unwrap().push_times());
    assert_eq!(push_times, [Some(4), None, None]);
    for payload in &payloads {
        let messages: Vec<_> = payload.contents().filter_map(|item| item.as_unreplied()).collect();
        assert_eq!(messages, payload.event.as_unreplied().unwrap_or_default().iter().collect::<Vec<_>>());
    }
}

#[test]
fn each_fixture_passes_validation() {
    for (_, payload) in documented() {
        assert_eq!(payload.validate(), Ok(()));
    }
}

#[test]
fn the_documented_time_sec_is_the_time_from_the_message_to_the_push() {
    let payload = fixtures::unreplied();
    let message = &payload.event.as_unreplied().unwrap()[0];
    assert_eq!(payload.created_at.duration_since(message.created_at), Some(message.timeout()));
    assert_eq!(message.status, Status::Unreplied);
    assert!(message.is_last_push());
}

#[test]
fn the_hostile_text_decodes_to_its_value_and_is_encoded_without_a_loss() {
    let hostile = fixtures::hostile();
    assert_eq!(decode(fixtures::HOSTILE), hostile);
    assert_eq!(Payload::from_slice(&hostile.to_vec()).unwrap(), hostile);
    let text: Value = serde_json::from_str(fixtures::HOSTILE).unwrap();
    assert_eq!(serde_json::to_value(&hostile).unwrap(), text);
}

#[test]
fn the_hostile_body_has_what_databases_refuse() {
    let hostile = fixtures::hostile();
    let [message] = hostile.event.as_unreplied().unwrap() else { panic!("the body has one item") };
    let nuls = [hostile.webhook_id.as_str(), &message.visitor_name, &message.message_content, message.status.as_str()];
    assert!(nuls.iter().all(|text| text.contains('\0')));
    assert!(message.property_name.chars().count() > 255);
    assert_eq!(message.visitor_nickname.as_deref().map(str::len), Some(4));
    assert_eq!((message.created_at, message.push_times, message.time_sec), (Timestamp::MIN, u32::MAX, u64::MAX));
    // The envelope has the time of the other fixtures, so a check of its age passes after `sent_at`.
    assert_eq!(hostile.created_at, fixtures::unreplied().created_at);
}
