//! Unknown event names and unknown statuses.
//!
//! Both types are opaque: only this crate can build them, so they never hold a documented text. To get an unknown
//! value, use `From<&str>` of [`EventType`](crate::EventType) or [`Status`](crate::Status). A documented text becomes
//! its own variant, and any other text becomes `Unknown`.

use alloc::string::String;

use crate::as_text::show_as_text;

/// The name of an unknown event.
///
/// `Display` and `AsRef<str>` give the text of the name, and names are ordered by their text.
///
/// ```
/// use twt_chat_webhooks::EventType;
///
/// let EventType::Unknown(name) = EventType::from("EVENT_OF_TOMORROW") else {
///     panic!("documented by now")
/// };
/// assert_eq!(name.as_str(), "EVENT_OF_TOMORROW");
/// assert_eq!(name.to_string(), "EVENT_OF_TOMORROW");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownName(pub(crate) String);

/// An unknown status.
///
/// `Display` and `AsRef<str>` give the text of the status, and statuses are ordered by their text.
///
/// ```
/// use twt_chat_webhooks::Status;
///
/// let Status::Unknown(status) = Status::from("99") else {
///     panic!("documented by now")
/// };
/// assert_eq!(status.as_str(), "99");
/// assert_eq!(status.to_string(), "99");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownStatus(pub(crate) String);

impl UnknownName {
    /// The name as the platform wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UnknownStatus {
    /// The status as the platform wrote it. If the platform wrote a number, this is the integer in decimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

show_as_text! { UnknownName }
show_as_text! { UnknownStatus }
