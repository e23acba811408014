//! The documented bodies, as text and as values, are the same.

use serde_json::Value;
use twt_chat_webhooks::{Event, EventType, Payload, Status, fixtures};

use crate::body::EVENT_OF_TOMORROW;

fn documented() -> impl Iterator<Item = (&'static str, Payload)> {
    let fixture = |event_type| Some((fixtures::body(event_type)?, fixtures::payload(event_type)?));
    EventType::DOCUMENTED.iter().filter_map(fixture)
}

/// The page breaks lines between fields and puts a space behind a key; its texts hold neither.
fn without_white_space(body: &str) -> String {
    body.replace('\n', "").replace("\": ", "\":")
}

#[test]
fn the_text_decodes_to_the_value() {
    for (body, payload) in documented() {
        assert_eq!(Payload::from_slice(body.as_bytes()).unwrap(), payload);
        assert_eq!(body.parse::<Payload>().unwrap(), payload);
    }
}

#[test]
fn the_value_encodes_to_the_text_byte_for_byte_less_white_space() {
    for (body, payload) in documented() {
        assert_eq!(String::from_utf8(payload.to_vec()).unwrap(), without_white_space(body));
        assert_eq!(serde_json::to_string(&payload).unwrap(), without_white_space(body));
        assert_eq!(serde_json::to_value(&payload).unwrap(), serde_json::from_str::<Value>(body).unwrap());
    }
}

#[test]
fn there_is_one_for_each_documented_event() {
    let event_types: Vec<_> = documented().map(|(_, payload)| payload.event_type()).collect();
    assert_eq!(event_types, EventType::DOCUMENTED);
}

#[test]
fn it_is_found_by_its_name_and_by_its_event_type() {
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
fn the_item_is_one_of_its_event_and_of_no_other() {
    let items = |event: &Event| {
        let unreplied = event.as_unreplied().map(<[_]>::len);
        let pre_chat = event.as_pre_chat_form_submit().map(<[_]>::len);
        let offline = event.as_offline_form_submit().map(<[_]>::len);
        [unreplied, pre_chat, offline]
    };
    let payloads = [fixtures::unreplied(), fixtures::pre_chat_form_submit(), fixtures::offline_form_submit()];
    let events = payloads.map(|payload| items(&payload.event));
    assert_eq!(events, [[Some(1), None, None], [None, Some(1), None], [None, None, Some(1)]]);
}

#[test]
fn they_are_what_validation_expects() {
    for (_, payload) in documented() {
        assert_eq!(payload.validate(), Ok(()));
    }
}

#[test]
fn the_documented_visitor_has_waited_from_the_message_to_the_push() {
    let payload = fixtures::unreplied();
    let message = &payload.event.as_unreplied().unwrap()[0];
    assert_eq!(payload.created_at.duration_since(message.created_at), Some(message.timeout()));
    assert_eq!(message.status, Status::Unreplied);
    assert!(message.is_last_push());
}
