//! Decoding that keeps the good items of a body if other items are bad.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, str};

use crate::content::Content;
use crate::error::{DecodeError, Envelope};
use crate::item::Item;
use crate::items::{Keep, too_many};
use crate::payload::{self, Payload};
use crate::wire::{Fault, Json, JsonMark};

/// A payload with the items that could be decoded, and the items that could not.
///
/// [`Payload::from_slice_partial`] returns it, and so does `Verifier::decode_partial`.
///
/// `Debug` shows what visitors wrote in the decoded items, but nothing that they wrote in the rejected items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Partial {
    /// The payload with the items that could be decoded, in the order of the body. Encoding it writes only these items.
    pub payload: Payload,
    /// The items that could not be decoded, in the order of the body.
    pub rejected: Vec<Rejected>,
}

/// An item that could not be decoded.
///
/// `Debug` shows the index and the error. It does not show the item, which may hold what a visitor wrote.
///
/// [Mending](crate::guide::mending) shows how to correct an item and decode it again.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rejected {
    /// The index of the item in the `content` of the body.
    pub index: usize,
    /// The JSON text of the item, exactly as it came. Repeated keys, the order of the keys, the digits of numbers and
    /// white space inside the item are kept.
    pub raw: String,
    /// What is wrong with the item. The path of the error starts at the body. The error has no line and no column.
    pub error: DecodeError,
}

/// Shows the index and the error. Does not show the item, which may hold what a visitor wrote.
impl fmt::Debug for Rejected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Rejected")
            .field("index", &self.index)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl Partial {
    /// The largest number of bad items that [`Payload::from_slice_partial`] puts aside. If a body has more bad items,
    /// the function fails. The error has the kind [`Data`](crate::DecodeErrorKind::Data) and the path `content`.
    pub const MAX_REJECTED: usize = 1_000;
}

impl Payload {
    /// Decodes the body of a request, even if some of its items cannot be decoded.
    ///
    /// Such items are in [`Partial::rejected`], and all other items are in [`Partial::payload`].
    /// [Mending](crate::guide::mending) shows how to correct a rejected item.
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
    /// [`DecodeError`] if
    ///
    /// - the body is not UTF-8, is not JSON, or is cut off,
    /// - the envelope cannot be read,
    /// - the content of a documented event is not an array, or
    /// - more than [`Partial::MAX_REJECTED`] items are bad.
    ///
    /// If a body has several faults, any one of them may be reported.
    pub fn from_slice_partial(body: &[u8]) -> Result<Partial, DecodeError> {
        let text = str::from_utf8(body).map_err(|error| DecodeError::not_utf8(body, error))?;
        let mut set_aside = SetAside(Vec::new());
        let payload = payload::read_body(text, &mut set_aside).map_err(|fault| DecodeError::explain(text, fault))?;
        let envelope = Arc::new(Envelope::from(&payload));
        let reject = |BadItem { index, raw, fault }| {
            let error = DecodeError::data(fault, None, Arc::clone(&envelope));
            Rejected { index, raw, error }
        };
        Ok(Partial { payload, rejected: set_aside.0.into_iter().map(reject).collect() })
    }
}

/// An item that could not be decoded.
struct BadItem {
    index: usize,
    raw: String,
    fault: Fault,
}

/// Keeps the good items, and sets the bad ones aside.
struct SetAside(Vec<BadItem>);

impl<'de> Keep<'de, Json<'de>> for SetAside {
    fn good<T: Item + Content>(&mut self, _: &mut Vec<T>, _: JsonMark, _: &Json<'de>) {}

    fn bad(&mut self, fault: Fault, index: usize, start: JsonMark, source: &mut Json<'de>) -> Result<(), Fault> {
        if self.0.len() == Partial::MAX_REJECTED {
            return Err(too_many(source));
        }
        let raw = source.text_from(start)?.into();
        self.0.push(BadItem { index, raw, fault: fault.in_item(index).in_field("content") });
        Ok(())
    }
}
