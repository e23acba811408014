//! The records of a delivery on their way into the inbox.

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use twt_chat_webhooks::Record;

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
