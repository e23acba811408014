//! The list of the documented events, the only one.
//!
//! Code that differs by event is generated from this list, or is an exhaustive `match`. CONTRIBUTING.md lists the
//! steps to add an event, and what asks for a forgotten one.

/// Hands the documented events to a macro, in the order of the platform's page. An entry holds
///
/// - the name on the wire, which is also the name of the constant in [`fixtures`](crate::fixtures),
/// - the variant of [`Event`](crate::Event) and of [`EventType`](crate::EventType),
/// - the content type,
/// - the name of the function and of the JSON file in [`fixtures`](crate::fixtures), and
/// - the accessor of [`Event`](crate::Event).
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
