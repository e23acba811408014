//! What to do with an item: your own code goes here.

#![allow(clippy::unused_async, reason = "your own code will wait for other systems")]

use receiver::{Error, Item};
use twt_chat_webhooks::Event;

/// Works on one item of an event.
///
/// Each item arrives here at least once. It arrives again if this function fails, panics or takes longer than a minute,
/// and if the receiver ends in the middle. Its `id` is the same each time. The text of an error goes to the log and to
/// `receiver list`, so it should not hold what a visitor wrote.
pub async fn work(item: Item) -> Result<(), Error> {
    match &item.payload.event {
        // Tell the agents. After `is_last_push`, the platform does not remind you again.
        Event::Unreplied(_message) => Ok(()),
        // Look the visitor up before the chat begins.
        Event::PreChatFormSubmit(_form) => Ok(()),
        // Open a ticket.
        Event::OfflineFormSubmit(_form) => Ok(()),
        // The platform has added an event. `as_unknown` has its name and its whole content.
        _ => Ok(()),
    }
}
