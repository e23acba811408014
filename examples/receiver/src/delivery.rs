//! What is in a signed body: the records that the inbox keeps.

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;
use twt_chat_webhooks::{Event, EventType, Partial, Payload};

/// How many times its own size a body may grow when each item gets a body of its own.
const MAX_GROWTH: usize = 16;
/// If a body has more bad items than this, it is one record.
const MAX_REJECTED: usize = 1_000;

/// Up to this size, a body is taken apart at once, which takes less than a millisecond. Anything larger goes to a thread
/// that may be busy.
pub const MAX_SMALL: usize = 16 * 1024;

/// Does what the size of a body makes slow. `None` stands for a panic.
pub async fn apart<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if size <= MAX_SMALL { Some(work()) } else { spawn_blocking(work).await.ok() }
}

/// The records of a delivery on their way into the inbox.
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

pub struct Delivery {
    pub records: Vec<Record>,
    /// What to log. It holds nothing that a visitor wrote.
    pub summary: String,
}

/// An item, or a whole body that has no items or cannot be decoded.
pub struct Record {
    /// The idempotency key. A repeated item has the same key, even in another envelope. The key of a whole body is the
    /// hash of its bytes.
    pub key: String,
    pub event: Option<String>,
    /// A whole request body with this one item.
    pub body: Vec<u8>,
    /// Why it cannot be decoded, which makes it a dead letter.
    pub problem: Option<String>,
}

impl Delivery {
    /// Takes any body. A body that cannot be decoded is kept too, because decoding would fail again if the platform
    /// sent the body again.
    pub fn from_slice(body: &[u8]) -> Self {
        let whole = |event: Option<&EventType>, problem| {
            vec![Record { key: hash(&[b"body\0", body]), event: event.map(name), body: body.to_owned(), problem }]
        };
        let (records, summary) = match Payload::from_slice_partial(body) {
            Ok(decoded) if decoded.rejected.len() > MAX_REJECTED => {
                let problem = "content: more than 1000 items cannot be decoded".to_owned();
                (whole(Some(&decoded.payload.event_type()), Some(problem)), summary(&decoded))
            }
            Ok(decoded) => {
                let records = items(&decoded, body);
                let size: usize = records.iter().map(|record| record.body.len()).sum();
                let fits = !records.is_empty() && size <= body.len() * MAX_GROWTH;
                let event = decoded.payload.event_type();
                (if fits { records } else { whole(Some(&event), None) }, summary(&decoded))
            }
            Err(error) => (whole(error.event_type(), Some(error.to_string())), format!("a dead letter: {error}")),
        };
        Self { records, summary }
    }
}

/// A record for each item. An unknown event has none.
fn items(decoded: &Partial, body: &[u8]) -> Vec<Record> {
    let Partial { payload, rejected, .. } = decoded;
    let event = payload.event_type();
    let only = payload.event.contents().len() + rejected.len() == 1;
    let mut envelope = payload.clone();
    let mut with = |item: Value| {
        if only {
            return body.to_owned();
        }
        let mut body = envelope_without_items(&mut envelope, &event);
        body["content"] = Value::Array(vec![item]);
        body.to_string().into_bytes()
    };
    let mut good = payload.event.contents();
    let mut bad = rejected.iter().peekable();
    let mut records = Vec::new();
    // In the order of the body.
    for index in 0..payload.event.contents().len() + rejected.len() {
        let record = if let Some(item) = bad.next_if(|item| item.index == index) {
            let key = hash(&[b"item\0", event.as_str().as_bytes(), b"\0", item.raw.to_string().as_bytes()]);
            let problem = Some(item.error.to_string());
            Record { key, event: Some(name(&event)), body: with(item.raw.clone()), problem }
        } else {
            let Some(item) = good.next() else { break };
            let body = with(serde_json::to_value(item).unwrap_or_default());
            Record { key: item.key().to_string(), event: Some(name(&event)), body, problem: None }
        };
        records.push(record);
    }
    records
}

fn envelope_without_items(payload: &mut Payload, event: &EventType) -> Value {
    if payload.event.contents().len() > 0 {
        payload.event = Event::from_parts(event.clone(), Value::Array(Vec::new())).unwrap_or(payload.event.clone());
    }
    serde_json::to_value(payload).unwrap_or_default()
}

/// The name of an event, escaped and cut: that of an unknown event may be anything.
fn name(event: &EventType) -> String {
    event.as_str().escape_debug().take(64).collect()
}

fn summary(Partial { payload, rejected, .. }: &Partial) -> String {
    let dead = if rejected.is_empty() { String::new() } else { format!(", dead letters: {}", rejected.len()) };
    format!("{}{dead}", payload.summary())
}

fn hash(parts: &[&[u8]]) -> String {
    let hash = parts.iter().fold(Sha256::new(), Digest::chain_update).finalize();
    hash.iter().fold("sha256:".to_owned(), |hex, byte| hex + &format!("{byte:02x}"))
}
