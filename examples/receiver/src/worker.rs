//! The worker: takes items from the inbox, has them worked on and forwarded, and notes how that ended.

use std::fs::File;
use std::iter;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use twt_chat_webhooks::Payload;

use crate::delivery;
use crate::forward::{MAX_TIME, Webhook};
use crate::inbox::{Claim, Inbox, Outcome};
use crate::message::Channel;
use crate::server::GRACE;

/// How often to look for items whose pause is over, and for items that another receiver on the same inbox has kept.
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

/// A queue of rows: the work, or the messages to one channel. A lane that waits does not hold up the others.
#[derive(Clone)]
enum Lane {
    Work {
        work: Work,
        workers: usize,
    },
    /// Sends one message at a time, with a pause after each.
    Forward(Arc<Webhook>),
}

/// Works and forwards until `stop`, and then gives what has begun some time to end.
pub async fn run(
    inbox: Inbox,
    lock: File,
    workers: usize,
    work: Work,
    webhooks: Vec<Webhook>,
    stop: CancellationToken,
) {
    if stop.run_until_cancelled(begin(&inbox, &lock)).await.is_none() {
        return;
    }
    let forward = webhooks.into_iter().map(|webhook| Lane::Forward(Arc::new(webhook)));
    let lanes = iter::once(Lane::Work { work, workers }).chain(forward);
    let lanes: JoinSet<_> = lanes.map(|lane| lane.run(inbox.clone(), stop.clone())).collect();
    lanes.join_all().await;
}

impl Lane {
    async fn run(self, inbox: Inbox, stop: CancellationToken) {
        let (most, pace, grace) = match &self {
            Self::Work { workers, .. } => (*workers, Duration::ZERO, GRACE),
            // If the receiver did not wait for the answer, it would send the message again at the next start.
            Self::Forward(webhook) => (1, webhook.pace(), MAX_TIME),
        };
        let mut arrivals = inbox.arrivals.subscribe();
        let mut running = JoinSet::new();
        let mut ended = Vec::new();
        // The receiver before this one may have sent a message a moment ago.
        let mut next = Instant::now() + pace;
        while !stop.is_cancelled() {
            let free = if Instant::now() < next { 0 } else { most - running.len() };
            // If the inbox cannot be written, nothing begins, and what has ended is noted later.
            if let Some(claims) = inbox.exchange(self.channel(), ended.clone(), free).await {
                ended.clear();
                for claim in claims {
                    running.spawn(self.clone().attempt(claim));
                }
            }
            tokio::select! {
                Some(outcome) = running.join_next() => {
                    ended.extend(outcome);
                    next = Instant::now() + pace;
                }
                _ = arrivals.changed(), if running.len() < most && next <= Instant::now() => {}
                () = sleep_until(next), if running.is_empty() && Instant::now() < next => {}
                () = sleep(LOOK) => {}
                () = stop.cancelled() => {}
            }
            ended.extend(iter::from_fn(|| running.try_join_next()?.ok()));
        }
        let rest = async {
            while let Some(outcome) = running.join_next().await {
                ended.extend(outcome);
            }
        };
        let _ = timeout(grace, rest).await;
        // What is not noted is done again.
        while !ended.is_empty() && inbox.exchange(self.channel(), ended.clone(), 0).await.is_none() {
            sleep(LOOK).await;
        }
    }

    /// `None` stands for the work.
    fn channel(&self) -> Option<Channel> {
        match self {
            Self::Work { .. } => None,
            Self::Forward(webhook) => Some(webhook.channel),
        }
    }

    /// Makes an attempt in a task of its own, so that a panic is a failure like any other.
    async fn attempt(self, Claim { id, attempt, position, body }: Claim) -> Outcome {
        let to = self.channel().map_or(String::new(), |channel| format!(" to {}", channel.name()));
        let task = async move {
            let payload = delivery::item(&body, position)?;
            match self {
                Self::Work { work, .. } => Ok(work(Item { id, attempt, payload }).await?),
                // The error of a panic quotes its message, which may hold what a visitor wrote.
                Self::Forward(webhook) => spawn_blocking(move || webhook.send(&payload))
                    .await
                    .unwrap_or_else(|_| Err("the forwarding panicked".to_owned().into())),
            }
        };
        let result = match tokio::spawn(timeout(MAX_WORK, task)).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(format!("the work took longer than {MAX_WORK:?}").into()),
            Err(_) => Err("the work panicked".to_owned().into()),
        };
        if let Err(failure) = &result {
            tracing::warn!("item {id}{to}, attempt {attempt}: {}", failure.problem);
        }
        Outcome { id, attempt, result }
    }
}

/// Waits for the lock. Of several receivers on one inbox, only the one that holds the lock works.
///
/// The operating system releases the lock when the process that holds it ends, in whatever way. If a row is still in
/// work when this receiver gets the lock, the attempt was cut off.
async fn begin(inbox: &Inbox, lock: &File) {
    while lock.try_lock().is_err() {
        sleep(LOOK).await;
    }
    while inbox.take_back().await.is_none() {
        sleep(LOOK).await;
    }
}
