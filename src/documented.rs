//! The list of the documented events.
//!
//! Code that differs between events is generated from this list, or is an exhaustive `match`. Three other places
//! repeat the list: the enums [`Event`](crate::Event) and [`EventType`](crate::EventType), and the list of events on
//! the crate page. CONTRIBUTING.md lists the steps to add an event. If you forget a step, a compile error or a failing
//! test reports it.

/// Calls a macro with the list of the documented events, in the order of the platform's page. An entry has
///
/// - the name on the wire, which is also the name of a constant in [`fixtures`](crate::fixtures),
/// - the variant in [`Event`](crate::Event) and [`EventType`](crate::EventType),
/// - the content type,
/// - the name of a function in [`fixtures`](crate::fixtures) and of a JSON file in `src/fixtures`, and
/// - the method of [`Event`](crate::Event) that returns the items of this event.
macro_rules! documented {
    ($callback:ident) => {
        $callback! {
            UNREPLIED Unreplied UnrepliedContent unreplied as_unreplied,
            PRE_CHAT_FORM_SUBMIT PreChatFormSubmit PreChatFormContent pre_chat_form_submit as_pre_chat_form_submit,
            OFFLINE_FORM_SUBMIT OfflineFormSubmit OfflineFormContent offline_form_submit as_offline_form_submit,
        }
    };
}

pub(crate) use documented;
