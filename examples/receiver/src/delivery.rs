//! The records of a delivery on their way into the inbox.

use std::borrow::Cow;
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
    /// The problem of a delivery that is older or newer than `TOLERANCE`.
    pub stale: Option<String>,
    /// The room in memory that they take. It is free again when the inbox has dropped them.
    pub room: Option<OwnedSemaphorePermit>,
}

/// What the inbox keeps of a record.
pub struct Entry<'a> {
    /// The key of the record. With `stale:` before it, the record does not stand in the way of a fresh delivery.
    pub key: Cow<'a, str>,
    /// The key of a stale record without `stale:`. If the inbox holds this key, there is nothing to keep.
    pub fresh_key: Option<&'a str>,
    /// Why the record is a dead letter.
    pub problem: Option<String>,
    pub record: &'a Record,
}

impl Arrival {
    /// A record that cannot be decoded is a dead letter in any case, so it keeps its key and its problem.
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

    /// The size of the bodies.
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
