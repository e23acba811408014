//! `PRE_CHAT_FORM_SUBMIT`: a visitor has filled in the form before the chat.

use alloc::string::String;

use serde_json::{Map, Value};

use super::content;
use super::sealed::{Internal, Keyed};
use crate::item_key::{KeyPart, KeyParts};
use crate::timestamp::Timestamp;

/// A form that a visitor submitted before the chat: name, phone number, and other fields that the account has set.
/// Build one with [`builder`](Self::builder).
///
/// On the platform's page, the trigger of this event is a copy of the trigger of `UNREPLIED`. This is a mistake. The
/// use case on the page is right: the visitor submits the form before the chat.
///
/// ```
/// use twt_chat_webhooks::{PreChatFormContent, Timestamp};
///
/// let created_at = Timestamp::from_unix(1_765_439_652)?;
/// let content = PreChatFormContent::builder("Visitor15", created_at)
///     .message_content("Name: Ada, phone: 555 0100")
///     .sbs("234442313")
///     .build();
///
/// assert_eq!(content.sbs.as_deref(), Some("234442313"));
/// assert_eq!(content.assigned_agent_nickname, None);
/// # Ok::<(), twt_chat_webhooks::TimestampError>(())
/// ```
///
/// The fields are those of the platform's *Event Types* page, in the same order. `Debug` shows what the visitor wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PreChatFormContent {
    /// The subject of the conversation, such as `New Conversation`. `""` if there is none.
    pub subject: String,
    /// The visitor's name, such as `Visitor15`. `""` if there is none.
    pub visitor_name: String,
    /// When the form was created, in Unix seconds on the wire.
    pub created_at: Timestamp,
    /// What the visitor filled in, as text. `""` if there is nothing.
    pub message_content: String,
    /// The name of the project that the conversation belongs to. `""` if there is none.
    pub property_name: String,
    /// The visitor's nickname. `None` if the visitor has none.
    ///
    /// On the wire, `None` is `""`. `Some("")` is written as `""` too, so it reads back as `None`.
    pub visitor_nickname: Option<String>,
    /// The customer identifier. `None` for a visitor who is not identified. `Some("")` reads back as `None`.
    pub sbs: Option<String>,
    /// The nickname of the assigned agent. `None` if no agent is assigned. `Some("")` reads back as `None`.
    pub assigned_agent_nickname: Option<String>,
    pub(crate) extra: Map<String, Value>,
}

content! {
    PreChatFormContent, PreChatFormContentBuilder {
        subject: String, "Conversation subject";
        visitor_name: String, "Visitor name";
        created_at: Timestamp, "Form created at";
        message_content: String, "Form content";
        property_name: String, "Project name";
        visitor_nickname: Option<String>, "Visitor nickname, empty for none";
        sbs: Option<String>, "Customer identifier, empty for none";
        assigned_agent_nickname: Option<String>, "Assigned agent nickname, empty for none";
    }
}

impl Keyed for PreChatFormContent {
    fn key_parts(&self, _: Internal) -> KeyParts<'_> {
        KeyParts::new([
            KeyPart::Number(self.created_at.unix_seconds()),
            KeyPart::Number(0), // the place of `push_times` in the key of a message
            KeyPart::Name(&self.property_name),
            KeyPart::Name(&self.visitor_name),
            KeyPart::Message(&self.message_content),
        ])
    }
}

impl PreChatFormContent {
    /// The item of the full example on the platform's page.
    pub(crate) fn example(created_at: Timestamp) -> Self {
        Self::builder("Visitor15", created_at)
            .subject("New Conversation")
            .message_content("1")
            .property_name("test")
            .visitor_nickname("visitor nickname")
            .assigned_agent_nickname("ctccccd")
            .build()
    }
}
