//! The public types that need no feature implement the common traits.

use core::error::Error;
use core::fmt::{Debug, Display};
use core::hash::Hash;
use core::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use twt_chat_webhooks::{
    Content, DecodeError, DecodeErrorKind, Delivery, DocumentedStatus, Event, EventType, FreshnessError, ItemKey,
    OfflineFormContent, OfflineFormContentBuilder, Partial, Payload, PreChatFormContent, PreChatFormContentBuilder,
    Record, Rejected, Rule, Status, StatusError, Summary, Timestamp, TimestampError, UnknownEvent, UnknownName,
    UnknownStatus, UnrepliedContent, UnrepliedContentBuilder, ValidationError, Violation,
};

fn is_plain_data<T: Debug + Clone + Send + Sync + PartialEq + Eq + Hash + Unpin + 'static>() {}
fn is_on_the_wire<T: Serialize + DeserializeOwned>() {}
fn is_an_error<T: Error + Send + Sync + 'static>() {}
fn is_shown<T: Display>() {}
fn is_copied_and_ordered<T: Copy + Ord>() {}
fn is_compared_as_text<T: Ord + AsRef<str> + PartialEq<str> + PartialEq<&'static str>>()
where
    str: PartialEq<T>,
    &'static str: PartialEq<T>,
{
}
fn is_ordered_text<T: Ord + AsRef<str> + Display>() {}
fn is_parsed<T: FromStr>() {}
fn is_an_item<T: Content>() {}

#[test]
fn every_public_type_that_needs_no_feature_is_plain_data() {
    is_plain_data::<Payload>();
    is_plain_data::<Partial>();
    is_plain_data::<Rejected>();
    is_plain_data::<Delivery>();
    is_plain_data::<Record>();
    is_plain_data::<Event>();
    is_plain_data::<UnknownEvent>();
    is_plain_data::<EventType>();
    is_plain_data::<UnknownName>();
    is_plain_data::<UnrepliedContent>();
    is_plain_data::<UnrepliedContentBuilder>();
    is_plain_data::<PreChatFormContent>();
    is_plain_data::<PreChatFormContentBuilder>();
    is_plain_data::<OfflineFormContent>();
    is_plain_data::<OfflineFormContentBuilder>();
    is_plain_data::<Status>();
    is_plain_data::<UnknownStatus>();
    is_plain_data::<DocumentedStatus>();
    is_plain_data::<StatusError>();
    is_plain_data::<Timestamp>();
    is_plain_data::<TimestampError>();
    is_plain_data::<DecodeError>();
    is_plain_data::<DecodeErrorKind>();
    is_plain_data::<ValidationError>();
    is_plain_data::<Violation>();
    is_plain_data::<Rule>();
    is_plain_data::<FreshnessError>();
    is_plain_data::<ItemKey<'static>>();
    is_plain_data::<Summary<'static>>();
}

#[test]
fn the_types_on_the_wire_implement_serialize_and_deserialize() {
    is_on_the_wire::<Payload>();
    is_on_the_wire::<Event>();
    is_on_the_wire::<EventType>();
    is_on_the_wire::<UnrepliedContent>();
    is_on_the_wire::<PreChatFormContent>();
    is_on_the_wire::<OfflineFormContent>();
    is_on_the_wire::<Status>();
    is_on_the_wire::<DocumentedStatus>();
    is_on_the_wire::<Timestamp>();
}

#[test]
fn the_error_types_implement_error() {
    is_an_error::<DecodeError>();
    is_an_error::<StatusError>();
    is_an_error::<TimestampError>();
    is_an_error::<ValidationError>();
    is_an_error::<FreshnessError>();
}

#[test]
fn the_types_implement_the_other_common_traits() {
    is_shown::<EventType>();
    is_shown::<Status>();
    is_shown::<DocumentedStatus>();
    is_shown::<Timestamp>();
    is_shown::<ItemKey<'static>>();
    is_shown::<Summary<'static>>();
    is_shown::<Delivery>();
    is_parsed::<Payload>();
    is_parsed::<EventType>();
    is_parsed::<Status>();
    is_parsed::<Timestamp>();
    is_compared_as_text::<EventType>();
    is_compared_as_text::<Status>();
    is_ordered_text::<UnknownName>();
    is_ordered_text::<UnknownStatus>();
    is_copied_and_ordered::<DocumentedStatus>();
    is_copied_and_ordered::<Timestamp>();
    is_copied_and_ordered::<ItemKey<'static>>();
    is_an_item::<UnrepliedContent>();
    is_an_item::<PreChatFormContent>();
    is_an_item::<OfflineFormContent>();
}

#[test]
fn a_result_with_a_decode_error_has_at_most_16_bytes() {
    assert!(size_of::<Result<(), DecodeError>>() <= 16);
}
