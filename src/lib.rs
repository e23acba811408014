//! Typed webhook events of the TWT Chat live-chat platform.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod content;
mod error;
mod event;
mod event_type;
pub mod fixtures;
mod partial;
mod payload;
mod status;
mod timestamp;
mod unknown;
pub mod validate;
mod wire;

pub use crate::content::{
    Content, OfflineFormContent, OfflineFormContentBuilder, PreChatFormContent, PreChatFormContentBuilder,
    UnrepliedContent, UnrepliedContentBuilder,
};
pub use crate::error::{DecodeError, DecodeErrorKind};
pub use crate::event::{Event, UnknownEvent};
pub use crate::event_type::EventType;
pub use crate::partial::{Partial, Rejected};
pub use crate::payload::Payload;
pub use crate::status::{Status, StatusCode, StatusCodeError};
pub use crate::timestamp::{Timestamp, TimestampError};
pub use crate::unknown::{UnknownName, UnknownStatus};
pub use crate::validate::{FreshnessError, Rule, ValidationError, Violation};
