//! What is in a signed body: the rows that the inbox keeps, and the item that a row stands for.

use serde_json::Value;
use sha2::{Digest, Sha256};
use twt_chat_webhooks::{Event, EventType, Partial, Payload};

use crate::Error;

pub struct Delivery {
    pub body: Vec<u8>,
    pub rows: Vec<Row>,
    /// What to log. It holds nothing that a visitor wrote.
    pub summary: String,
}

/// An item, or a whole body that has no items or cannot be decoded.
pub struct Row {
    /// The index of the item, or `None` for the whole body.
    pub position: Option<u32>,
    /// The idempotency key. A repeated item has the same key, even in another envelope. The key of a whole body is the
    /// hash of its bytes.
    pub key: String,
    pub event: Option<String>,
    /// Why it cannot be decoded, which makes it a dead letter.
    pub problem: Option<String>,
}

impl Delivery {
    /// Takes any body. A body that cannot be decoded is kept too, because decoding would fail again if the platform
    /// sent the body again.
    pub fn new(body: Vec<u8>) -> Self {
        let whole = |event: Option<&EventType>, problem| {
            vec![Row { position: None, key: hash(&[&body]), event: event.map(name), problem }]
        };
        let (rows, summary) = match Payload::from_slice_partial(&body) {
            Ok(decoded) => match items(&decoded) {
                none if none.is_empty() => (whole(Some(&decoded.payload.event_type()), None), summary(&decoded)),
                items => (items, summary(&decoded)),
            },
            Err(error) => (whole(error.event_type(), Some(error.to_string())), format!("a dead letter: {error}")),
        };
        Self { body, rows, summary }
    }
}

/// A row for each item. An unknown event has none.
fn items(Partial { payload, rejected, .. }: &Partial) -> Vec<Row> {
    let event = payload.event_type();
    let row =
        |index, key, problem| Row { position: u32::try_from(index).ok(), key, event: Some(name(&event)), problem };
    let indices = (0..).filter(|index| rejected.binary_search_by_key(index, |item| item.index).is_err());
    let decoded = indices.zip(payload.event.contents()).map(|(index, item)| row(index, item.key().to_string(), None));
    let rejected = rejected.iter().map(|item| {
        let key = hash(&[event.as_str().as_bytes(), b"\0", item.raw.to_string().as_bytes()]);
        row(item.index, key, Some(item.error.to_string()))
    });
    decoded.chain(rejected).collect()
}

/// The payload with nothing but the item at that position of the body.
pub fn item(body: &[u8], position: Option<u32>) -> Result<Payload, Error> {
    let Partial { mut payload, mut rejected, .. } = Payload::from_slice_partial(body)?;
    let Some(position) = position else { return Ok(payload) };
    match rejected.binary_search_by_key(&(position as usize), |item| item.index) {
        Ok(found) => return Err(rejected.swap_remove(found).error.into()),
        Err(before) => {
            let item = serde_json::to_value(payload.event.contents().nth(position as usize - before))?;
            payload.event = Event::from_parts(payload.event_type(), Value::Array(vec![item]))?;
        }
    }
    Ok(payload)
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
    hash.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}
