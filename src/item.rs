//! The trait [`Item`], for code that treats all content types alike. An item is a list of documented fields and a map
//! of unknown fields.

use alloc::string::String;

use serde_json::{Map, Value};

use crate::status::Status;
use crate::timestamp::Timestamp;
use crate::wire::{Fault, Fields, Source};

/// A content type. The macro `content!` implements this trait, with one line for each field.
pub(crate) trait Item: Sized {
    /// The names of the documented fields, in the order of the platform's page.
    const FIELDS: &'static [&'static str];

    /// An item before any field is read.
    fn blank() -> Self;

    /// Reads an item into this blank item. This avoids an `Option` for each field.
    fn read<'de, S: Source<'de>>(&mut self, source: &mut S) -> Result<(), Fault>;

    /// Hands the key and the value of each documented field to `fields`, in the order of the platform's page. Writers
    /// use this method.
    fn each_field<F: Fields>(&self, fields: &mut F) -> Result<(), F::Error>;

    /// Calls `visit` with the name, the description and the value of each documented field, in the order of the
    /// platform's page. `Payload::sent_at`, the schema and `arbitrary` use this method.
    fn each_value(&mut self, visit: impl FnMut(&'static str, &'static str, ValueMut<'_>));

    /// The unknown fields.
    fn extra(&self) -> &Map<String, Value>;

    /// The unknown fields, to add one.
    fn extra_mut(&mut self) -> &mut Map<String, Value>;
}

/// Reads one item.
pub(crate) fn read_item<'de, T: Item, S: Source<'de>>(source: &mut S) -> Result<T, Fault> {
    let mut item = T::blank();
    item.read(source)?;
    Ok(item)
}

/// The value of a documented field. There is a variant for each type that a field can have, with the name of the type.
#[allow(non_camel_case_types)]
#[cfg_attr(not(feature = "arbitrary"), expect(dead_code, reason = "only `arbitrary` changes values of all types"))]
pub(crate) enum ValueMut<'a> {
    String(&'a mut String),
    Option(&'a mut Option<String>),
    Timestamp(&'a mut Timestamp),
    Status(&'a mut Status),
    u32(&'a mut u32),
    u64(&'a mut u64),
}
