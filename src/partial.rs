//! Decoding that keeps the good items of a body.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, mem, str};

use serde::de::{Deserialize, DeserializeOwned};
use serde_json::Value;

use crate::content::Item;
use crate::error::{DecodeError, Envelope};
use crate::event::Event;
use crate::payload::{self, Payload};
use crate::wire::{Buffered, Fault, Step};

/// A payload, and what of its content could not be decoded.
///
/// Made by [`Payload::from_slice_partial`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Partial {
    /// The payload with the items that could be decoded, in their order. Encoding it writes these only.
    pub payload: Payload,
    /// The items that could not, in their order.
    pub rejected: Vec<Rejected>,
}

/// An item that could not be decoded.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rejected {
    /// Its index in the `content` of the body.
    pub index: usize,
    /// The item as it came. Of a key that is there twice, this holds the last value.
    pub raw: Value,
    /// What is wrong with it. The path is that in the body; line and column are `None`.
    pub error: DecodeError,
}

/// Without the item, which holds a customer's message.
impl fmt::Debug for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Rejected")
            .field("index", &self.index)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

pub(crate) fn decode(body: &[u8]) -> Result<Partial, DecodeError> {
    match Payload::from_slice(body) {
        Ok(payload) => Ok(Partial { payload, rejected: Vec::new() }),
        Err(error) => decode_items(body).unwrap_or(Err(error)),
    }
}

/// Decodes the envelope with its items taken out, then the items one by one. `None` if the body is none that holds items.
#[cold]
fn decode_items(body: &[u8]) -> Option<Result<Partial, DecodeError>> {
    let text = str::from_utf8(body).ok()?;
    let mut body = serde_json::from_str::<Buffered<'_>>(text).ok()?;
    let items = mem::take(body.field_mut("content")?.items_mut()?);
    let envelope = Arc::new(Envelope::of(body.fields()));
    let Ok(mut payload) = Payload::deserialize(&body) else {
        let fault = payload::diagnose(&mut body);
        return Some(Err(DecodeError::data(fault, Some(text), envelope)));
    };
    let rejected = match &mut payload.event {
        Event::Unreplied(kept) => sift(items, kept, &envelope),
        Event::PreChatFormSubmit(kept) => sift(items, kept, &envelope),
        Event::OfflineFormSubmit(kept) => sift(items, kept, &envelope),
        Event::Unknown(_) => return None,
    };
    Some(Ok(Partial { payload, rejected }))
}

fn sift<T: Item + DeserializeOwned>(
    items: Vec<Buffered<'_>>,
    kept: &mut Vec<T>,
    envelope: &Arc<Envelope>,
) -> Vec<Rejected> {
    let mut rejected = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        if let Ok(item) = T::deserialize(&item) {
            kept.push(item);
            continue;
        }
        let mut arranged = item.clone();
        arranged.arrange_fields(T::FIELDS);
        let fault = T::deserialize(&arranged).err().unwrap_or_else(Fault::undocumented);
        let error = DecodeError::in_content(fault.within(Step::Item(index)), Arc::clone(envelope));
        rejected.push(Rejected { index, raw: item.into_value(), error });
    }
    rejected
}
