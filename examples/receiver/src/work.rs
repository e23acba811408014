//! What to do with an item: your own code goes here.

#![allow(clippy::unused_async, reason = "your own code will wait for other systems")]

use receiver::{Error, Item};
use twt_chat_webhooks::Event;

/// Works on one item of an event, or on a body that is kept whole: [`Item::payload`] says when.
///
/// Each item that can be decoded arrives here at least once, unless it is a dead letter because of `TOLERANCE`. If this
/// function fails, panics or takes longer than a minute, or if the receiver ends or loses PostgreSQL in the middle, the
/// item arrives again, up to five times in all. After that, its row is dead until an operator retries it. The `id` of
/// the item is the same each time. The text of an error goes to the log, to `receiver list` and to the page for
/// operators, so the text should not hold what a visitor wrote.
///
/// This function may block its thread: each call has a thread of its own, apart from the server. After a minute the
/// receiver gives up. The receiver stops this function at the next `await`, but it cannot stop code that blocks. Give
/// such code its own limit of time. What you spawn with `tokio::spawn` shares a few threads with all other items and
/// must not block them; use `spawn_blocking` there. If about 100 calls block their threads without an end, no call
/// begins until one of them ends.
pub async fn work(item: Item) -> Result<(), Error> {
    match &item.payload.event {
        // Tell the agents. After `is_last_push`, the platform does not remind you again.
        Event::Unreplied(_messages) => Ok(()),
        // Look the visitor up before the chat begins.
        Event::PreChatFormSubmit(_forms) => Ok(()),
        // Open a ticket.
        Event::OfflineFormSubmit(_forms) => Ok(()),
        // The platform has added an event. `as_unknown` returns the name and the whole content of the event.
        _ => Ok(()),
    }
}
