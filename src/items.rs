//! Reads and writes the items of a documented event. The trait [`Keep`] decides what a reader keeps of a body.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use serde_json::{Map, Value};

use crate::content::Content;
use crate::item::Item;
use crate::wire::{Fault, PrivateKeys, Problem, Source, Writer, read_extra};

/// Decides what a reader keeps of a body: of the items, of the content of an unknown event, and of the unknown fields
/// of the envelope.
///
/// The readers are generic over this trait, so that a program which only decodes whole payloads contains no code of the
/// other implementations.
pub(crate) trait Keep<'de, S: Source<'de>> {
    /// Handles an item that was read without a fault. The item is the last one of `items`, and starts at `start` in
    /// the source. An implementation may take the item out of `items`.
    fn good<T: Item + Content>(&mut self, items: &mut Vec<T>, start: S::Mark, source: &S);

    /// Handles an item with a fault, and moves the source past the item. An error ends the whole decoding.
    fn bad(&mut self, fault: Fault, index: usize, start: S::Mark, source: &mut S) -> Result<(), Fault>;

    /// Reads the content of an unknown event.
    fn unknown(&mut self, source: &mut S) -> Result<Value, Fault> {
        source.value(PrivateKeys::Obey)
    }

    /// Reads the value of an unknown field of the envelope.
    fn extra(&mut self, extra: &mut Map<String, Value>, key: Cow<'de, str>, source: &mut S) -> Result<(), Fault> {
        read_extra(extra, key, source)
    }
}

/// Keeps all items. The first bad item is an error.
pub(crate) struct KeepAll;

impl<'de, S: Source<'de>> Keep<'de, S> for KeepAll {
    #[inline]
    fn good<T: Item + Content>(&mut self, _: &mut Vec<T>, _: S::Mark, _: &S) {}

    #[inline]
    fn bad(&mut self, fault: Fault, index: usize, _: S::Mark, _: &mut S) -> Result<(), Fault> {
        Err(fault.in_item(index))
    }
}

/// The fault for a body with too many bad items.
#[cold]
pub(crate) fn too_many<'de>(source: &impl Source<'de>) -> Fault {
    source.fault_after_value(Problem::TooManyRejected)
}

/// Reads the items of a documented event. An item that is not JSON is always an error.
pub(crate) fn read_items<'de, T: Item + Content, S: Source<'de>, K: Keep<'de, S>>(
    source: &mut S,
    keep: &mut K,
) -> Result<Vec<T>, Fault> {
    let mut items = Vec::new();
    let mut array = source.open_array()?;
    let mut index = 0;
    while source.next_item(&mut array)? {
        if items.is_empty() {
            // Nearly every body has one item.
            items.reserve_exact(1);
        }
        let start = source.mark();
        items.push(T::blank());
        match items.last_mut().map_or(Ok(()), |item| item.read(source)) {
            Ok(()) => keep.good(&mut items, start, source),
            Err(fault) => {
                items.pop();
                keep.bad(fault, index, start, source)?;
            }
        }
        index += 1;
    }
    Ok(items)
}

/// Writes an array of items.
pub(crate) fn write_items<T: Item>(items: &[T], writer: &mut Writer) {
    let array = writer.start();
    for item in items {
        writer.raw(b",");
        let object = writer.start();
        let Ok(()) = item.each_field(writer);
        writer.open_at(object, b'{');
        writer.close_object(item.extra());
    }
    if items.is_empty() {
        writer.raw(b"[");
    }
    writer.open_at(array, b'[');
    writer.raw(b"]");
}
