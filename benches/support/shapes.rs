//! The documented shapes, as a user of serde would derive them.
//!
//! These types have their own file, because a program of the benchmark `size` uses only them.

use serde::{Deserialize, Serialize};

/// The exact shape of the envelope, around one type of item. `Text` is [`String`] or a borrowed text.
#[derive(Serialize, Deserialize)]
pub struct Exact<Text, Item> {
    created_at: i64,
    event: Text,
    webhook_id: Text,
    content: Vec<Item>,
}

/// The exact shape of an UNREPLIED item.
#[derive(Serialize, Deserialize)]
pub struct Unreplied<Text> {
    subject: Text,
    visitor_name: Text,
    created_at: i64,
    message_content: Text,
    property_name: Text,
    visitor_nickname: Text,
    sbs: Text,
    status: Text,
    push_times: u32,
    time_sec: u64,
    assigned_agent_nickname: Text,
}

/// The exact shape of a `PRE_CHAT_FORM_SUBMIT` or an `OFFLINE_FORM_SUBMIT` item.
#[derive(Serialize, Deserialize)]
pub struct Form<Text> {
    subject: Text,
    visitor_name: Text,
    created_at: i64,
    message_content: Text,
    property_name: Text,
    visitor_nickname: Text,
    sbs: Text,
    assigned_agent_nickname: Text,
}

/// The idiomatic derive, which the serde manual leads to: a flattened enum with `event` as its tag and `content` as its
/// content.
#[derive(Serialize, Deserialize)]
pub struct Idiomatic {
    created_at: i64,
    webhook_id: String,
    #[serde(flatten)]
    event: IdiomaticEvent,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", content = "content", rename_all = "SCREAMING_SNAKE_CASE")]
enum IdiomaticEvent {
    Unreplied(Vec<Unreplied<String>>),
    PreChatFormSubmit(Vec<Form<String>>),
    OfflineFormSubmit(Vec<Form<String>>),
}

impl Idiomatic {
    /// The number of items.
    pub fn count(&self) -> usize {
        match &self.event {
            IdiomaticEvent::Unreplied(items) => items.len(),
            IdiomaticEvent::PreChatFormSubmit(items) | IdiomaticEvent::OfflineFormSubmit(items) => items.len(),
        }
    }
}
