//! Decoding that keeps the good items of a body.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, str};

use serde_json::Value;

use crate::content::Bad;
use crate::error::{DecodeError, Envelope};
use crate::payload::{self, Payload};

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

impl Payload {
    /// Decodes the body of a request, and puts aside the items that cannot be decoded, so that one bad item does not lose the
    /// rest of the batch.
    ///
    /// ```
    /// use twt_chat_webhooks::Payload;
    ///
    /// let body = br#"{
    ///     "created_at": 1765439941,
    ///     "event": "OFFLINE_FORM_SUBMIT",
    ///     "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
    ///     "content": [{"created_at": "yesterday"}, {"created_at": 1765439652}]
    /// }"#;
    /// let partial = Payload::from_slice_partial(body)?;
    /// assert_eq!(partial.payload.event.contents().count(), 1);
    /// assert_eq!(partial.rejected[0].index, 0);
    /// assert_eq!(partial.rejected[0].error.path(), "content[0].created_at");
    /// # Ok::<(), twt_chat_webhooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the envelope cannot be read, or if the content of a documented event is no array.
    pub fn from_slice_partial(body: &[u8]) -> Result<Partial, DecodeError> {
        let text = str::from_utf8(body).map_err(|error| DecodeError::not_utf8(body, error))?;
        let mut bad = Vec::new();
        let payload = payload::read_text(text, Some(&mut bad)).map_err(|fault| DecodeError::explain(text, fault))?;
        let envelope = Arc::new(Envelope {
            event_type: Some(payload.event_type()),
            webhook_id: Some(payload.webhook_id.clone()),
            created_at: Some(payload.created_at),
        });
        let reject = |Bad { index, raw, fault }| {
            let error = DecodeError::data(fault.in_field("content"), None, Arc::clone(&envelope));
            Rejected { index, raw, error }
        };
        Ok(Partial { payload, rejected: bad.into_iter().map(reject).collect() })
    }
}
