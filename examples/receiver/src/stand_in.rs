//! Stands in for `Content::key`, `Payload::summary` and `Serialize for dyn Content`.

use twt_chat_webhooks::{Content, Event, Payload};

pub fn summary(payload: &Payload) -> String {
    match &payload.event {
        Event::Unknown(event) => {
            format!("unknown event \"{}\"", event.name().escape_debug().take(64).collect::<String>())
        }
        documented => format!("{}, items: {}", payload.event_type(), documented.contents().count()),
    }
}

pub fn key(content: &dyn Content) -> String {
    let pushes = format!("{content:?}")
        .split_once(" push_times: ")
        .and_then(|(_, rest)| rest.split_once(',').and_then(|(number, _)| number.parse::<u32>().ok()));
    let message = content
        .message_content()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    serde_json::json!([
        content.event_type().as_str(),
        content.created_at().unix_seconds(),
        pushes.unwrap_or(0),
        content.property_name(),
        content.visitor_name(),
        format!("{message:016x}")
    ])
    .to_string()
}

pub fn only(event: Event, index: usize) -> Event {
    fn one<T>(items: Vec<T>, index: usize) -> Vec<T> {
        items.into_iter().skip(index).take(1).collect()
    }
    match event {
        Event::Unreplied(items) => one(items, index).into(),
        Event::PreChatFormSubmit(items) => one(items, index).into(),
        Event::OfflineFormSubmit(items) => one(items, index).into(),
        other => other,
    }
}
