//! Names and codes that the platform sends and its page does not list.
//!
//! They are opaque, so that none can be built that this version documents, and so that a value which a later version documents
//! does not silently take another arm of a user's `match`. Build them through the `From<&str>` of the type they belong to.

use alloc::string::String;

/// The name of an event that this version does not document.
///
/// ```
/// use twt_chat_webhooks::EventType;
///
/// let EventType::Unknown(name) = EventType::from("SESSION_STARTED") else { panic!("documented by now") };
/// assert_eq!(name.as_str(), "SESSION_STARTED");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnknownName(pub(crate) String);

/// A status that this version does not document.
///
/// ```
/// use twt_chat_webhooks::Status;
///
/// let Status::Unknown(status) = Status::from("7") else { panic!("documented by now") };
/// assert_eq!(status.as_str(), "7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnknownStatus(pub(crate) String);

impl UnknownName {
    /// The name as the platform wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UnknownStatus {
    /// The status as the platform wrote it; an integer in decimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
