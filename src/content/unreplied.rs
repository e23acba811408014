//! `UNREPLIED`: a visitor's message has not been answered in time.

use alloc::string::String;
use core::time::Duration;

use serde_json::{Map, Value};

use super::content;
use super::sealed::{Internal, Keyed};
use crate::item_key::{KeyPart, KeyParts};
use crate::status::Status;
use crate::timestamp::Timestamp;

/// A visitor's message that no agent has answered. Build one with [`builder`](Self::builder).
///
/// The platform pushes the message up to four times, and stops when an agent answers. The account sets how long the
/// platform waits before the first push and between later pushes.
///
/// ```
/// use twt_chat_webhooks::{Status, Timestamp, UnrepliedContent};
///
/// let created_at = Timestamp::from_unix(1_765_439_652)?;
/// let content = UnrepliedContent::builder("Visitor15", created_at)
///     .message_content("Is anybody there?")
///     .status(Status::Queued)
///     .push_times(3)
///     .time_sec(289)
///     .build();
///
/// assert_eq!(content.timeout().as_secs(), 289);
/// assert_eq!(content.remaining_pushes(), 1);
/// assert!(!content.is_last_push());
/// # Ok::<(), twt_chat_webhooks::TimestampError>(())
/// ```
///
/// # In a database
///
/// A `BIGINT` column in SQL holds an `i64`. [`created_at`](Self::created_at), [`push_times`](Self::push_times) and the
/// number of a [`status`](Self::status) always fit. [`time_sec`](Self::time_sec) is a `u64`, so a larger value is
/// possible, although no visitor waits that long:
///
/// ```
/// use twt_chat_webhooks::UnrepliedContent;
///
/// /// The second column is `NULL` for an unknown status that is not a plain integer.
/// fn columns(message: &UnrepliedContent) -> (i64, Option<i64>, i64, i64) {
///     (
///         message.created_at.unix_seconds(),
///         message.status.number(),
///         message.push_times.into(),
///         i64::try_from(message.time_sec).unwrap_or(i64::MAX),
///     )
/// }
///
/// let event = twt_chat_webhooks::fixtures::unreplied().event;
/// let messages = event.as_unreplied().unwrap_or_default();
/// assert_eq!(columns(&messages[0]), (1_765_439_652, Some(1), 4, 289));
/// ```
///
/// The fields are those of the platform's *Event Types* page, in the same order. `Debug` shows what the visitor wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UnrepliedContent {
    /// The subject of the conversation, such as `New Conversation`. `""` if there is none.
    pub subject: String,
    /// The visitor's name, such as `Visitor15`. `""` if there is none.
    pub visitor_name: String,
    /// When the visitor wrote the message, in Unix seconds on the wire.
    pub created_at: Timestamp,
    /// The message. `""` if it is empty.
    pub message_content: String,
    /// The name of the project that the conversation belongs to. `""` if there is none.
    pub property_name: String,
    /// The visitor's nickname. `None` if the visitor has none.
    ///
    /// On the wire, `None` is `""`. `Some("")` is written as `""` too, so it reads back as `None`.
    pub visitor_nickname: Option<String>,
    /// The customer identifier. `None` for a visitor who is not identified. `Some("")` reads back as `None`.
    pub sbs: Option<String>,
    /// The status of the conversation. The platform writes it as a string that holds a number.
    pub status: Status,
    /// Which push of the message this is, from 1 to [`MAX_PUSH_TIMES`](Self::MAX_PUSH_TIMES).
    pub push_times: u32,
    /// How long the visitor had waited when this push was sent, in seconds.
    ///
    /// In the documented example this equals the envelope's `created_at` minus the item's.
    /// [In a database](Self#in-a-database) shows how to store it in an integer column.
    pub time_sec: u64,
    /// The nickname of the assigned agent. `None` if no agent is assigned. `Some("")` reads back as `None`.
    pub assigned_agent_nickname: Option<String>,
    pub(crate) extra: Map<String, Value>,
}

content! {
    UnrepliedContent, UnrepliedContentBuilder {
        subject: String, "Conversation subject";
        visitor_name: String, "Visitor name";
        created_at: Timestamp, "Message creation timestamp";
        message_content: String, "Message body";
        property_name: String, "Project name";
        visitor_nickname: Option<String>, "Visitor nickname, empty for none";
        sbs: Option<String>, "Customer identifier, empty for none";
        status: Status = Status::Unreplied, "Status of the conversation";
        push_times: u32 = 1, "Number of pushes";
        time_sec: u64 = 0, "How long the visitor has waited, in seconds";
        assigned_agent_nickname: Option<String>, "Assigned agent nickname, empty for none";
    }
}

impl Keyed for UnrepliedContent {
    fn key_parts(&self, _: Internal) -> KeyParts<'_> {
        KeyParts::new([
            KeyPart::Number(self.created_at.unix_seconds()),
            KeyPart::Number(self.push_times.into()), // each push is an item of its own
            KeyPart::Name(&self.property_name),
            KeyPart::Name(&self.visitor_name),
            KeyPart::Message(&self.message_content),
        ])
    }
}

impl UnrepliedContent {
    /// The item of the full example on the platform's page.
    pub(crate) fn example(created_at: Timestamp) -> Self {
        Self::builder("Visitor15", created_at)
            .subject("New Conversation")
            .message_content("1")
            .property_name("test")
            .visitor_nickname("visitor nickname")
            .status(Status::Unreplied)
            .push_times(4)
            .time_sec(289)
            .assigned_agent_nickname("ctccccd")
            .build()
    }

    /// The number of the last push. The platform's page gives this stop condition: "Agent replied or push count >= 4".
    pub const MAX_PUSH_TIMES: u32 = 4;

    /// How long the visitor has waited: [`time_sec`](Self::time_sec) as a duration.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.time_sec)
    }

    /// Whether this is the last push. After it, the platform does not push the message again, even if no agent answers.
    #[must_use]
    pub fn is_last_push(&self) -> bool {
        self.remaining_pushes() == 0
    }

    /// How many pushes can still follow, if no agent answers.
    #[must_use]
    pub fn remaining_pushes(&self) -> u32 {
        Self::MAX_PUSH_TIMES.saturating_sub(self.push_times)
    }
}
