//! `OFFLINE_FORM_SUBMIT`: a visitor has left a message while no agent was online.

use alloc::string::String;

use serde_json::{Map, Value};

use super::content;
use super::sealed::{Internal, Keyed};
use crate::item_key::{KeyPart, KeyParts};
use crate::timestamp::Timestamp;

/// A form that a visitor filled in while all agents were offline: name, phone number, and the message. Build one with
/// [`builder`](Self::builder).
///
/// ```
/// use twt_chat_webhooks::{OfflineFormContent, Timestamp};
///
/// let created_at = Timestamp::from_unix(1_765_439_652)?;
/// let content = OfflineFormContent::builder("Visitor15", created_at)
///     .message_content("Please call me back.")
///     .build();
///
/// assert_eq!(content.message_content, "Please call me back.");
/// # Ok::<(), twt_chat_webhooks::TimestampError>(())
/// ```
///
/// The fields are those of the platform's *Event Types* page, in the same order. `Debug` shows what the visitor wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OfflineFormContent {
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
    OfflineFormContent, OfflineFormContentBuilder {
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

impl Keyed for OfflineFormContent {
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

impl OfflineFormContent {
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
