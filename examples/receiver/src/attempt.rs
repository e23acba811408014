//! One attempt to work on an item, or to send a message about an item.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use twt_chat_webhooks::Payload;

use crate::channel::Channel;
use crate::delivery::apart;
use crate::store::{Claim, Failure, Outcome};
use crate::timings::Timings;
use crate::worker::Kind;

/// How many threads there may be in addition to one for each worker. A thread is left over if its work was given up
/// but still blocks the thread. If all threads are in use, no work begins until one ends.
const MAX_LEFT: usize = 100;
/// How many threads there are for what the work itself hands to `spawn_blocking`, name lookups among it.
const MAX_SPAWNED: usize = 512;
/// How long work that is told to stop may take to reach its next `await`.
const MAX_STOP: Duration = Duration::from_millis(200);

/// What is worked on: an item of an event, or a whole body.
#[derive(Debug)]
pub struct Item {
    /// The number of the row in the inbox, as `receiver list` shows it.
    pub id: i64,
    /// The number of this attempt. The first attempt is 1.
    pub attempt: u32,
    /// The envelope with this one item, or the whole body. A body is kept whole if its event is unknown, if the body
    /// has no items, or if the body has many items in a large envelope.
    pub payload: Payload,
}

/// Any error, or a text: `Err("the ticket system is away".into())`.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What [`run`](crate::run) takes: a function that works on an item.
pub type Work = fn(Item) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The place of the work. It is apart from the server, so that the work may block threads without harm to the server.
///
/// Each attempt has a thread of its own, which it may block. Timers, sockets and what the work spawns belong to a
/// runtime that the server does not use.
pub struct Workshop {
    work: Work,
    most: usize,
    runtime: Option<Runtime>,
    /// The number of threads that run work, also of work that was given up.
    threads: Arc<AtomicUsize>,
    is_full: AtomicBool,
}

impl Workshop {
    pub fn new(work: Work, most: usize) -> std::io::Result<Self> {
        // The threads of the work come from the same pool. If the pool were too small, items would wait there, and the
        // limit of time would end attempts that never began.
        let pool = most + MAX_LEFT + MAX_SPAWNED;
        let runtime =
            Builder::new_multi_thread().thread_name("work").max_blocking_threads(pool).enable_all().build()?;
        Ok(Self { work, most, runtime: Some(runtime), threads: Arc::default(), is_full: AtomicBool::new(false) })
    }

    /// How many attempts may begin beside those that run. The log says when all threads are blocked, and when one is
    /// free again.
    fn free(&self, running: usize) -> usize {
        let free = (self.most + MAX_LEFT).saturating_sub(self.threads.load(Ordering::Relaxed));
        // While an attempt runs, not all threads are blocked: the attempt may end and free its thread.
        let is_full = free == 0 && running == 0;
        if self.is_full.swap(is_full, Ordering::Relaxed) != is_full {
            if is_full {
                tracing::error!("no work begins any more: all threads are blocked by work that was given up");
            } else {
                tracing::info!("work begins again: a thread that was blocked has ended");
            }
        }
        free
    }

    /// Works on the item on a thread of its own, until the work is done or `stop` is cancelled. If the work panics, the
    /// sender of the result is dropped.
    fn start(
        &self,
        item: Item,
        stop: CancellationToken,
    ) -> Result<oneshot::Receiver<Option<Result<(), Error>>>, Error> {
        let runtime = self.runtime.as_ref().ok_or("the receiver ends")?;
        let (sender, result) = oneshot::channel();
        let (work, handle, thread) = (self.work, runtime.handle().clone(), Thread::count(&self.threads));
        // The runtime keeps the thread for the next work. Starting a thread for each item would cost about a tenth of
        // what a delivery costs.
        runtime.spawn_blocking(move || {
            let result = handle.block_on(async { stop.run_until_cancelled(work(item)).await });
            drop(thread);
            let _ = sender.send(result);
        });
        Ok(result)
    }
}

/// Counts a thread as long as it runs work.
struct Thread(Arc<AtomicUsize>);

impl Thread {
    fn count(threads: &Arc<AtomicUsize>) -> Self {
        threads.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(threads))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Dropping a workshop does not wait for work that still runs.
impl Drop for Workshop {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the attempts of a lane need.
#[derive(Clone)]
pub struct Attempts {
    pub kind: Kind,
    pub timings: Arc<Timings>,
    /// Cancelled at the end of the session. From then on, the rows may belong to another receiver.
    pub over: CancellationToken,
}

impl Attempts {
    /// `None` stands for the work.
    pub fn channel(&self) -> Option<Channel> {
        match &self.kind {
            Kind::Work(_) => None,
            Kind::Forward(webhook) => Some(webhook.channel),
        }
    }

    /// How many attempts may begin beside those that run. For the work, this depends on the free threads. For a
    /// channel, this is always 1, because `Lane::most` already limits a channel to one attempt at a time.
    pub fn free(&self, running: usize) -> usize {
        match &self.kind {
            Kind::Work(workshop) => workshop.free(running),
            Kind::Forward(_) => 1,
        }
    }

    pub async fn make(self, Claim { id, attempt, body }: Claim) -> Outcome {
        let mut result = match apart(body.len(), move || Payload::from_slice(&body)).await {
            Some(Ok(payload)) => self.with(id, attempt, payload).await,
            Some(Err(error)) => Err(Error::from(error).into()),
            None => Err("decoding panicked".to_owned().into()),
        };
        if let Err(failure) = &mut result {
            if failure.is_final {
                failure.problem = format!("{}; then run `receiver retry {id}`", failure.problem);
            }
            let to = self.channel().map_or(String::new(), |channel| format!(" to {}", channel.name()));
            tracing::warn!("item {id}{to}, attempt {attempt}: {}", failure.problem);
        }
        Outcome { id, attempt, result }
    }

    async fn with(&self, id: i64, attempt: i32, payload: Payload) -> Result<(), Failure> {
        match &self.kind {
            Kind::Work(workshop) => {
                let item = Item { id, attempt: attempt.try_into().unwrap_or(u32::MAX), payload };
                Ok(self.work(workshop, item).await?)
            }
            // The error of a panic is replaced: it quotes the message of the panic, which may hold what a visitor
            // wrote.
            Kind::Forward(webhook) => {
                let (webhook, over) = (Arc::clone(webhook), self.over.clone());
                let sent = spawn_blocking(move || webhook.send(&payload, &over)).await;
                sent.unwrap_or_else(|_| Err("the forwarding panicked".to_owned().into()))
            }
        }
    }

    async fn work(&self, workshop: &Workshop, item: Item) -> Result<(), Error> {
        let panicked = || Error::from("the work panicked");
        let limit = self.timings.work;
        let stop = self.over.child_token();
        // If this future is dropped, the work is told to stop.
        let _stop_work = stop.clone().drop_guard();
        let mut result = workshop.start(item, stop.clone())?;
        if let Ok(result) = timeout(limit, &mut result).await {
            return result.map_err(|_| panicked())?.unwrap_or_else(|| Err("the work was stopped".into()));
        }
        stop.cancel();
        match timeout(MAX_STOP, result).await {
            Ok(_) => Err(format!("the work took longer than {limit:?}").into()),
            Err(_) => Err(format!("the work took longer than {limit:?}, and still blocks its thread").into()),
        }
    }
}
