//! The worker: takes items from the inbox, has them worked on, and notes how that ended.

use std::fs::File;
use std::pin::Pin;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use twt_chat_webhooks::Payload;

use crate::delivery;
use crate::inbox::{Claim, Inbox, Outcome};
use crate::server::GRACE;

/// How often to look for items whose pause is over, and for those that another receiver on the same inbox has taken.
const LOOK: Duration = Duration::from_millis(500);
/// How long the work on an item may take.
const MAX_WORK: Duration = Duration::from_secs(60);

/// An item of an event.
#[derive(Debug)]
pub struct Item {
    /// Its number in the inbox.
    pub id: i64,
    /// 1 the first time.
    pub attempt: u32,
    /// The envelope with this one item. An unknown event comes whole.
    pub payload: Payload,
}

/// Any error, or a text: `Err("the ticket system is away".into())`.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What [`run`](crate::run) takes: a function that works on an item.
pub type Work = fn(Item) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Works until `stop`, and then gives the work that has begun some time to end.
pub async fn run(inbox: Inbox, lock: File, workers: usize, work: Work, stop: CancellationToken) {
    if stop.run_until_cancelled(begin(&inbox, &lock)).await.is_none() {
        return;
    }
    let mut running = JoinSet::new();
    let mut ended = Vec::new();
    while !stop.is_cancelled() {
        // If the inbox cannot be written, nothing begins, and what has ended is noted later.
        if let Some(claims) = inbox.exchange(ended.clone(), workers - running.len()).await {
            ended.clear();
            for claim in claims {
                running.spawn(attempt(claim, work));
            }
        }
        tokio::select! {
            Some(outcome) = running.join_next() => ended.extend(outcome),
            () = inbox.arrivals.notified(), if running.len() < workers => {}
            () = sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
        ended.extend(std::iter::from_fn(|| running.try_join_next()?.ok()));
    }
    let rest = async {
        while let Some(outcome) = running.join_next().await {
            ended.extend(outcome);
        }
    };
    let _ = timeout(GRACE, rest).await;
    let _ = inbox.exchange(ended, 0).await;
}

/// Waits for its turn. Of several receivers on one inbox, the one that holds the lock works.
///
/// The operating system releases the lock when that process ends, in whatever way. So whatever is marked as in work
/// once the lock is held was cut off.
async fn begin(inbox: &Inbox, lock: &File) {
    while lock.try_lock().is_err() {
        sleep(LOOK).await;
    }
    while inbox.take_back().await.is_none() {
        sleep(LOOK).await;
    }
}

/// Works on an item in a task of its own, so that a panic is a failure like any other.
async fn attempt(Claim { id, attempt, position, body }: Claim, work: Work) -> Outcome {
    let task = async move { work(Item { id, attempt, payload: delivery::item(&body, position)? }).await };
    let problem = match tokio::spawn(timeout(MAX_WORK, task)).await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(error))) => Some(error.to_string().escape_debug().take(500).collect()),
        Ok(Err(_)) => Some(format!("the work took longer than {MAX_WORK:?}")),
        Err(_) => Some("the work panicked".to_owned()),
    };
    if let Some(problem) = &problem {
        tracing::warn!("item {id}, attempt {attempt}: {problem}");
    }
    Outcome { id, attempt, problem }
}
