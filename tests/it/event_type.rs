//! An event type is compared and ordered by its name on the wire.

use std::collections::{BTreeMap, HashSet};

use twt_chat_webhooks::{EventType, Payload};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS};

#[test]
fn the_documented_event_types_have_the_names_of_the_page_in_its_order() {
    assert_eq!(
        EventType::DOCUMENTED.iter().map(EventType::as_str).collect::<Vec<_>>(),
        EVENTS,
        "EVENTS in tests/it/body.rs lacks an event"
    );
}

#[test]
fn an_event_type_is_compared_with_text() {
    for name in EVENTS.into_iter().chain([EVENT_OF_TOMORROW, "", "unreplied"]) {
        let event_type = EventType::from(name);
        assert_eq!(event_type, name);
        assert_eq!(event_type, *name);
        assert_ne!(event_type, "UNREPLIED ");
        assert_ne!(event_type, *"UNREPLIED ");
        assert_eq!(name, event_type);
        assert_eq!(*name, event_type);
        assert_ne!("UNREPLIED ", event_type);
        assert_eq!(event_type.as_ref(), name);
        if let EventType::Unknown(unknown) = &event_type {
            assert_eq!((unknown.as_ref(), unknown.to_string().as_str()), (name, name));
            assert_eq!(format!("{unknown:>20}|"), format!("{name:>20}|"));
        }
    }
}

/// The order does not depend on the documented events, so it stays the same when a later version documents an event.
#[test]
fn event_types_are_ordered_by_their_names() {
    let names =
        ["", EVENT_OF_TOMORROW, "OFFLINE_FORM_SUBMIT", "PRE_CHAT_FORM_SUBMIT", "UNREPLIED", "UNREPLIED2", "新会话"];
    let event_types = names.map(EventType::from);
    for (event_type, name) in event_types.iter().zip(names) {
        for (other, other_name) in event_types.iter().zip(names) {
            assert_eq!(event_type.cmp(other), name.cmp(other_name));
            assert_eq!(event_type.partial_cmp(other), Some(name.cmp(other_name)));
            assert_eq!(event_type == other, name == other_name);
        }
    }
    assert_eq!(event_types.iter().cloned().collect::<HashSet<_>>().len(), names.len());
}

#[test]
fn events_are_counted_by_their_type() {
    let mut counts = BTreeMap::<EventType, u32>::new();
    for name in ["UNREPLIED", EVENT_OF_TOMORROW, "UNREPLIED", "OFFLINE_FORM_SUBMIT"] {
        let payload: Payload = Body::of(name).text().parse().unwrap();
        *counts.entry(payload.event_type()).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(event_type, count)| (event_type.as_str(), *count)).collect();
    assert_eq!(counts, [(EVENT_OF_TOMORROW, 1), ("OFFLINE_FORM_SUBMIT", 1), ("UNREPLIED", 2)]);
}
