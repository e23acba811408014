//! Says in the log that rows wait for a channel that is not set.

use std::sync::Arc;

use tokio::time::sleep;

use crate::cli::url_variable;
use crate::inbox::Inbox;
use crate::store::Standing;
use crate::timings::Timings;

/// Logs a warning for each channel that is not set but has rows that wait: at the start, and after each
/// `Timings::remind`.
pub async fn remind(inbox: Inbox, timings: Arc<Timings>) {
    loop {
        match inbox.store.overview().await {
            Ok(standings) => {
                for standing in standings.iter().filter(|standing| standing.waiting > 0) {
                    let Standing { channel, waiting, .. } = standing;
                    if !channel.is_empty() && inbox.metrics.channels.iter().all(|set| set.name() != channel) {
                        let variable = url_variable(channel);
                        tracing::warn!("{channel} is not set, but rows wait for it: {waiting}; set {variable}");
                    }
                }
                sleep(timings.remind).await;
            }
            // The inbox does not answer, so the next try is soon.
            Err(trouble) => {
                tracing::debug!("nobody knows what waits for channels that are not set: {trouble}");
                sleep(timings.look).await;
            }
        }
    }
}
