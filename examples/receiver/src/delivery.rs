//! The records of a delivery on their way into the inbox.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use twt_chat_webhooks::{Delivery, Payload, Record, UnrepliedContent};

/// Up to this size, a body is taken apart at once, which takes less than a millisecond. Anything larger goes to a
/// thread that may be busy.
pub const MAX_SMALL: usize = 16 * 1024;

/// Does what the size of a body makes slow. `None` stands for a panic.
pub async fn apart<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if size <= MAX_SMALL { Some(work()) } else { spawn_blocking(work).await.ok() }
}

pub struct Arrival {
    pub records: Vec<Record>,
    /// The room in memory that they take. It is free again when the inbox has dropped them.
    pub room: Option<OwnedSemaphorePermit>,
}

impl Arrival {
    /// The size of the bodies.
    pub fn bytes(&self) -> usize {
        self.records.iter().map(|record| record.body.len()).sum()
    }
}

/// A made-up message, with which the health check does what a delivery does. Its key is close to those of the messages
/// that arrive now, so it uses the same part of the index. No two keys are equal, so no two checks wait for each other.
pub fn rehearsal() -> Vec<Record> {
    let now = SystemTime::now();
    let unique = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let visitor = format!("health check {} {unique}", std::process::id());
    let message = UnrepliedContent::builder(visitor, now.into()).build();
    Delivery::from_slice(&Payload::new(now.into(), "", message).to_vec()).into_records()
}
