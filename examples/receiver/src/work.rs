//! What to do with an item: your own code goes here.

#![allow(clippy::unused_async, reason = "your own code will wait for other systems")]

use receiver::{Error, Item};
use twt_chat_webhooks::Event;

/// Works on one item of an event.
///
/// Each item arrives here at least once. It arrives again if this function fails, panics or takes longer than a minute,
/// and if the receiver ends in the middle. Its `id` is the same each time. The text of an error goes to the log and to
/// `receiver list`, so it should not hold what a visitor wrote.
///
/// This function may block its thread: each call has a thread of its own, apart from the server. After a minute the
/// receiver gives up. It stops this function at the next `await`, but it cannot stop code that blocks, so such code
/// should have its own limit of time. What you spawn with `tokio::spawn` shares a few threads with all other items and
/// must not block them; use `spawn_blocking` there. After about 100 calls that never end, no more begin.
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
