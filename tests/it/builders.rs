//! Every value can be built outside the crate without JSON, and every field of it can be read.

use core::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};
use twt_chat_webhooks::{
    Content, DocumentedStatus, Event, EventType, OfflineFormContent, OfflineFormContentBuilder, Payload,
    PreChatFormContent, PreChatFormContentBuilder, Status, StatusError, Timestamp, TimestampError, UnrepliedContent,
    UnrepliedContentBuilder,
};

use crate::body::EVENT_OF_TOMORROW;

const WEBHOOK_ID: &str = "58946f5f583edd94f5cf87e3534d04fb";

fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_unix(unix_seconds).unwrap()
}

fn json_of(payload: &Payload) -> Value {
    serde_json::from_slice(&payload.to_vec()).unwrap()
}

#[test]
fn an_unreplied_message_is_built_field_by_field() {
    let builder: UnrepliedContentBuilder = UnrepliedContent::builder("visitor", at(1))
        .subject("subject")
        .message_content("message")
        .property_name("property")
        .visitor_nickname("nickname")
        .sbs("customer")
        .status(Status::Pending)
        .push_times(2)
        .time_sec(3)
        .assigned_agent_nickname("agent");
    let message = builder.build();

    assert_eq!(message.subject, "subject");
    assert_eq!(message.visitor_name, "visitor");
    assert_eq!(message.created_at, at(1));
    assert_eq!(message.message_content, "message");
    assert_eq!(message.property_name, "property");
    assert_eq!(message.visitor_nickname.as_deref(), Some("nickname"));
    assert_eq!(message.sbs.as_deref(), Some("customer"));
    assert_eq!(message.status, Status::Pending);
    assert_eq!(message.push_times, 2);
    assert_eq!(message.time_sec, 3);
    assert_eq!(message.assigned_agent_nickname.as_deref(), Some("agent"));
    assert!(message.extra().is_empty());

    let item = json!({
        "subject": "subject",
        "visitor_name": "visitor",
        "created_at": 1,
        "message_content": "message",
        "property_name": "property",
        "visitor_nickname": "nickname",
        "sbs": "customer",
        "status": "3",
        "push_times": 2,
        "time_sec": 3,
        "assigned_agent_nickname": "agent",
    });
    assert_has(&message, &item);
}

/// Asserts that an item is written with these fields. A later version of the page may have more fields.
fn assert_has(item: &impl Serialize, fields: &Value) {
    let written = serde_json::to_value(item).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(written.get(name), Some(value), "{name}");
    }
}

#[test]
fn a_pre_chat_form_is_built_field_by_field() {
    let builder: PreChatFormContentBuilder = PreChatFormContent::builder("visitor", at(1))
        .subject("subject")
        .message_content("form")
        .property_name("property")
        .visitor_nickname("nickname")
        .sbs("customer")
        .assigned_agent_nickname("agent");
    let form = builder.build();

    assert_eq!(form.subject, "subject");
    assert_eq!(form.visitor_name, "visitor");
    assert_eq!(form.created_at, at(1));
    assert_eq!(form.message_content, "form");
    assert_eq!(form.property_name, "property");
    assert_eq!(form.visitor_nickname.as_deref(), Some("nickname"));
    assert_eq!(form.sbs.as_deref(), Some("customer"));
    assert_eq!(form.assigned_agent_nickname.as_deref(), Some("agent"));
    assert!(form.extra().is_empty());
    assert_has(&form, &form_item());
}

#[test]
fn an_offline_form_is_built_field_by_field() {
    let builder: OfflineFormContentBuilder = OfflineFormContent::builder("visitor", at(1))
        .subject("subject")
        .message_content("form")
        .property_name("property")
        .visitor_nickname("nickname")
        .sbs("customer")
        .assigned_agent_nickname("agent");
    let form = builder.build();

    assert_eq!(form.subject, "subject");
    assert_eq!(form.visitor_name, "visitor");
    assert_eq!(form.created_at, at(1));
    assert_eq!(form.message_content, "form");
    assert_eq!(form.property_name, "property");
    assert_eq!(form.visitor_nickname.as_deref(), Some("nickname"));
    assert_eq!(form.sbs.as_deref(), Some("customer"));
    assert_eq!(form.assigned_agent_nickname.as_deref(), Some("agent"));
    assert!(form.extra().is_empty());
    assert_has(&form, &form_item());
}

fn form_item() -> Value {
    json!({
        "subject": "subject",
        "visitor_name": "visitor",
        "created_at": 1,
        "message_content": "form",
        "property_name": "property",
        "visitor_nickname": "nickname",
        "sbs": "customer",
        "assigned_agent_nickname": "agent",
    })
}

#[test]
fn the_shared_fields_are_read_through_the_trait_content() {
    macro_rules! event {
        ($Content:ident) => {
            Event::from(
                $Content::builder("visitor", at(1))
                    .subject("subject")
                    .message_content("message")
                    .property_name("property")
                    .visitor_nickname("nickname")
                    .sbs("customer")
                    .assigned_agent_nickname("agent")
                    .build(),
            )
        };
    }
    let events = [event!(UnrepliedContent), event!(PreChatFormContent), event!(OfflineFormContent)];
    let event_types: Vec<_> = events.iter().map(Event::event_type).collect();
    assert_eq!(event_types, EventType::DOCUMENTED, "`events` in tests/it/builders.rs lacks an event");
    for (event, event_type) in events.iter().zip(EventType::DOCUMENTED) {
        let contents: Vec<&dyn Content> = event.contents().collect();
        assert_eq!(contents.len(), 1, "{event_type}");
        let content = contents[0];
        assert_eq!(content.event_type(), *event_type);
        assert_eq!(content.subject(), "subject");
        assert_eq!(content.visitor_name(), "visitor");
        assert_eq!(content.created_at(), at(1));
        assert_eq!(content.message_content(), "message");
        assert_eq!(content.property_name(), "property");
        assert_eq!(content.visitor_nickname(), Some("nickname"));
        assert_eq!(content.sbs(), Some("customer"));
        assert_eq!(content.assigned_agent_nickname(), Some("agent"));
        assert_eq!(content.extra(), &Map::new());
    }
}

#[test]
fn a_field_that_is_not_set_has_its_default() {
    let message = UnrepliedContent::builder("visitor", at(1)).build();
    let item = json!({
        "subject": "",
        "visitor_name": "visitor",
        "created_at": 1,
        "message_content": "",
        "property_name": "",
        "visitor_nickname": "",
        "sbs": "",
        "status": "1",
        "push_times": 1,
        "time_sec": 0,
        "assigned_agent_nickname": "",
    });
    assert_has(&message, &item);
    assert_eq!(message.visitor_nickname, None);
    assert_eq!(message.sbs, None);
    assert_eq!(message.assigned_agent_nickname, None);

    let item = json!({
        "subject": "",
        "visitor_name": "visitor",
        "created_at": 1,
        "message_content": "",
        "property_name": "",
        "visitor_nickname": "",
        "sbs": "",
        "assigned_agent_nickname": "",
    });
    let forms: [Event; 2] = [
        PreChatFormContent::builder("visitor", at(1)).build().into(),
        OfflineFormContent::builder("visitor", at(1)).build().into(),
    ];
    for form in forms {
        let content = form.contents().next().unwrap();
        assert_eq!(content.visitor_nickname(), None);
        assert_eq!(content.sbs(), None);
        assert_eq!(content.assigned_agent_nickname(), None);
        assert_has(&content, &item);
    }
}

#[test]
fn an_empty_text_in_an_optional_setter_means_none() {
    macro_rules! check {
        ($Content:ident) => {
            let item = $Content::builder("visitor", at(1));
            let set = item.clone().visitor_nickname("nickname").sbs("customer").assigned_agent_nickname("agent");
            assert_ne!(set, item);
            assert_eq!(set.visitor_nickname("").sbs("").assigned_agent_nickname(String::new()), item);
        };
    }
    check!(UnrepliedContent);
    check!(PreChatFormContent);
    check!(OfflineFormContent);
}

#[test]
fn an_empty_text_in_an_optional_field_reads_back_as_none() {
    let mut form = PreChatFormContent::builder("visitor", at(1)).build();
    let without = Payload::new(at(1), WEBHOOK_ID, form.clone());
    form.visitor_nickname = Some(String::new());
    form.sbs = Some(String::new());
    form.assigned_agent_nickname = Some(String::new());
    let with_empty_text = Payload::new(at(1), WEBHOOK_ID, form);

    assert_ne!(with_empty_text, without);
    assert_eq!(Payload::from_slice(&with_empty_text.to_vec()).unwrap(), without);
}

#[test]
fn the_public_fields_of_a_built_value_can_be_changed() {
    let mut payload = Payload::new(at(1), WEBHOOK_ID, UnrepliedContent::builder("visitor", at(1)).build());
    payload.created_at = at(2);
    payload.webhook_id = "other".into();
    let Event::Unreplied(messages) = &mut payload.event else { panic!("the event should be UNREPLIED") };
    messages[0].visitor_name = "another visitor".into();
    messages[0].status = Status::Replied;
    messages.push(UnrepliedContent::builder("one more", at(2)).build());

    let body = json_of(&payload);
    assert_eq!(body["created_at"], 2);
    assert_eq!(body["webhook_id"], "other");
    assert_eq!(body["content"][0]["visitor_name"], "another visitor");
    assert_eq!(body["content"][0]["status"], "4");
    assert_eq!(body["content"][1]["visitor_name"], "one more");
}

#[test]
fn a_payload_is_built_from_one_item_or_many_of_every_event() {
    fn check<T: Clone>(item: &T, event_type: &EventType)
    where
        Event: From<T> + From<Vec<T>> + From<[T; 2]> + From<[T; 0]>,
    {
        let item = || item.clone();
        let one = Payload::new(at(1), WEBHOOK_ID, item());
        let vector = Payload::new(at(1), WEBHOOK_ID, vec![item(), item()]);
        let array = Payload::new(at(1), WEBHOOK_ID, [item(), item()]);
        let none = Payload::new(at(1), WEBHOOK_ID, [] as [T; 0]);
        let event = Payload::new(at(1), WEBHOOK_ID, Event::from(item()));

        assert_eq!(vector, array);
        assert_eq!(event, one);
        for (payload, items) in [(one, 1), (array, 2), (none, 0)] {
            assert_eq!(payload.event_type(), *event_type);
            assert_eq!(payload.event.contents().count(), items);
            assert_eq!(json_of(&payload)["event"], event_type.as_str());
        }
    }
    check(&UnrepliedContent::builder("visitor", at(1)).build(), &EventType::Unreplied);
    check(&PreChatFormContent::builder("visitor", at(1)).build(), &EventType::PreChatFormSubmit);
    check(&OfflineFormContent::builder("visitor", at(1)).build(), &EventType::OfflineFormSubmit);
}

#[test]
fn the_items_of_every_event_are_reached_from_either_end() {
    fn check(event: &Event) {
        let mut contents = event.contents();
        let mut next = [None; 4];
        next[0] = contents.next_back();
        next[1] = contents.next();
        assert_eq!(contents.len(), 1);
        next[2] = contents.next_back();
        next[3] = contents.next_back();
        let names = next.map(|item| item.map(Content::visitor_name));
        assert_eq!(names, [Some("third"), Some("first"), Some("second"), None]);
    }
    let names = ["first", "second", "third"];
    check(&names.map(|name| UnrepliedContent::builder(name, at(1)).build()).into());
    check(&names.map(|name| PreChatFormContent::builder(name, at(1)).build()).into());
    check(&names.map(|name| OfflineFormContent::builder(name, at(1)).build()).into());

    let unknown = Event::from_parts(EVENT_OF_TOMORROW, json!([{}])).unwrap();
    assert!(unknown.contents().next_back().is_none());
}

#[test]
fn an_unknown_event_is_built_from_its_name_and_any_content() {
    for content in [json!(null), json!("text"), json!([1, {"a": null}]), json!({"a": []})] {
        let event = Event::from_parts(EVENT_OF_TOMORROW, content.clone()).unwrap();
        let unknown = event.as_unknown().unwrap();
        assert_eq!(unknown.name(), EVENT_OF_TOMORROW);
        assert_eq!(unknown.content(), &content);

        let payload = Payload::new(at(1), WEBHOOK_ID, event);
        let body = json!({
            "created_at": 1,
            "event": EVENT_OF_TOMORROW,
            "webhook_id": WEBHOOK_ID,
            "content": content,
        });
        assert_eq!(json_of(&payload), body);
    }
}

#[test]
fn an_unknown_name_or_status_is_built_from_its_text() {
    let EventType::Unknown(name) = EventType::from(EVENT_OF_TOMORROW) else { panic!("the name should be unknown") };
    assert_eq!(name.as_str(), EVENT_OF_TOMORROW);
    let Status::Unknown(status) = Status::from("99") else { panic!("the status should be unknown") };
    assert_eq!(status.as_str(), "99");
}

#[test]
fn the_text_of_a_documented_value_never_builds_an_unknown_value() {
    for event_type in EventType::DOCUMENTED {
        assert!(!matches!(event_type, EventType::Unknown(_)));
        assert_eq!(EventType::from(event_type.as_str()), *event_type);
        assert_eq!(EventType::from(event_type.to_string()), *event_type);
        assert_eq!(event_type.as_str().parse().as_ref(), Ok(event_type));
    }
    for status in Status::DOCUMENTED {
        assert!(!matches!(status, Status::Unknown(_)));
        assert_eq!(Status::from(status.as_str()), *status);
        assert_eq!(Status::from(status.to_string()), *status);
        assert_eq!(status.as_str().parse().as_ref(), Ok(status));
        assert_eq!(status.documented().map(Status::from).as_ref(), Some(status));
    }
}

#[test]
fn a_number_that_is_no_timestamp_or_no_status_is_an_error() {
    let error: TimestampError = Timestamp::from_unix(i64::MAX).unwrap_err();
    assert_eq!(
        error.to_string(),
        "outside the years -9999 to 9999: Unix seconds are expected; are these milliseconds?",
    );
    let error: StatusError = DocumentedStatus::try_from(99).unwrap_err();
    assert_eq!(error.to_string(), "no documented status has the number 99");
}

#[test]
fn the_remaining_pushes_count_down_to_zero() {
    let pushes = [(0, 4), (1, 3), (2, 2), (3, 1), (4, 0), (5, 0), (u32::MAX, 0)];
    for (push_times, remaining) in pushes {
        let message = UnrepliedContent::builder("visitor", at(1)).push_times(push_times).build();
        assert_eq!(message.remaining_pushes(), remaining, "after {push_times}");
        assert_eq!(message.is_last_push(), remaining == 0, "after {push_times}");
    }
}

#[test]
fn the_timeout_is_a_duration_for_every_time_sec() {
    for seconds in [0, 289, u64::MAX] {
        let message = UnrepliedContent::builder("visitor", at(1)).time_sec(seconds).build();
        assert_eq!(message.timeout(), Duration::from_secs(seconds));
    }
}
