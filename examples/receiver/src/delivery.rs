//! The records of a delivery on their way into the inbox.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use twt_chat_webhooks::{Delivery, Payload, Record, UnrepliedContent};

/// Up to this size, a body is taken apart on the thread of the request, because this takes little time. A larger body
/// goes to a thread that may block.
pub const MAX_SMALL: usize = 16 * 1024;

/// Runs `work`, which takes longer for a larger body. A large body goes to another thread; `None` means that the work
/// panicked there.
pub async fn apart<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if size <= MAX_SMALL { Some(work()) } else { spawn_blocking(work).await.ok() }
}

pub struct Arrival {
    pub records: Vec<Record>,
    /// Why the delivery is stale, if it is older or newer than `TOLERANCE` allows.
    pub stale: Option<String>,
    /// The room in memory that the records take. The room is free again when the inbox has dropped the arrival.
    pub room: Option<OwnedSemaphorePermit>,
}

/// What the inbox keeps of a record.
pub struct Entry<'a> {
    /// The key of the record. A stale record has `stale:` before its key, so that a fresh delivery of the same item
    /// can still be kept.
    pub key: Cow<'a, str>,
    /// The key of a stale record without `stale:`, and `None` for any other record. If the inbox holds this key, the
    /// stale record is not kept.
    pub fresh_key: Option<&'a str>,
    /// Why the record is a dead letter.
    pub problem: Option<String>,
    pub record: &'a Record,
}

impl Arrival {
    /// What to keep of each record. A record that cannot be decoded is a dead letter in any case. So it is not marked
    /// as stale, and its problem says why it cannot be decoded.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.records.iter().map(|record| match &self.stale {
            Some(stale) if record.error.is_none() => Entry {
                key: format!("stale:{}", record.key).into(),
                fresh_key: Some(&record.key),
                problem: Some(stale.clone()),
                record,
            },
            _ => Entry { key: Cow::Borrowed(&record.key), fresh_key: None, problem: record.problem(), record },
        })
    }

    /// The size of all bodies together.
    pub fn bytes(&self) -> usize {
        self.records.iter().map(|record| record.body.len()).sum()
    }
}

/// A made-up message, with which the health check does what a delivery does. Its key is close to those of the messages
/// that arrive now, so it uses the same part of the index. No two keys are equal, so no two checks wait for each other.
pub fn rehearsal() -> Arrival {
    let now = SystemTime::now();
    let unique = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let visitor = format!("health check {} {unique}", std::process::id());
    let message = UnrepliedContent::builder(visitor, now.into()).build();
    let records = Delivery::from_slice(&Payload::new(now.into(), "", message).to_vec()).into_records();
    Arrival { records, stale: None, room: None }
}
