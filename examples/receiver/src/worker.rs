//! The worker: takes rows from the inbox, has them worked on and forwarded, and notes the outcomes.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempts, Workshop};
use crate::forward::Webhook;
use crate::inbox::Inbox;
use crate::store::{Session, Trouble};
use crate::timings::Timings;

/// The shortest time between two queries for messages to a channel, however many deliveries arrive.
const ASK: Duration = Duration::from_millis(20);

/// Works and forwards until `stop`. Then waits for the attempts that are running, but only for a limited time.
///
/// The database gives this receiver a number, under which it owns rows. If the number is lost, because the database
/// was away for too long, other receivers may have these rows. So the receiver stops all attempts, and takes a new
/// number.
///
/// # Errors
///
/// Returns an error if a newer receiver has changed the tables, so that this one cannot go on.
pub async fn run(
    inbox: Inbox,
    lanes: Vec<Lane>,
    timings: Arc<Timings>,
    stop: CancellationToken,
) -> Result<(), Trouble> {
    let mut away = false;
    while !stop.is_cancelled() {
        let entered = match stop.run_until_cancelled(inbox.store.enter()).await {
            None => return Ok(()),
            Some(Err(Trouble::TooOld)) => return Err(Trouble::TooOld),
            Some(entered) => entered,
        };
        match entered {
            Ok(session) => {
                if std::mem::take(&mut away) {
                    tracing::info!("the inbox is back, and the work goes on");
                }
                match in_session(&inbox, &lanes, &timings, session.into(), &stop).await {
                    Ok(()) => {}
                    Err(Trouble::TooOld) => return Err(Trouble::TooOld),
                    Err(trouble) => tracing::error!("all work is stopped and begins again: {trouble}"),
                }
            }
            Err(trouble) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::error!("the work waits for the inbox: {trouble}");
                }
            }
        }
        stop.run_until_cancelled(sleep(timings.look)).await;
    }
    Ok(())
}

/// Works under one number, until `stop` or until the number is lost.
async fn in_session(
    inbox: &Inbox,
    lanes: &[Lane],
    timings: &Arc<Timings>,
    session: Arc<dyn Session>,
    stop: &CancellationToken,
) -> Result<(), Trouble> {
    // Dropping the guard stops all attempts of this session.
    let over = CancellationToken::new();
    let _stop_attempts = over.clone().drop_guard();
    let mut running = JoinSet::new();
    for lane in lanes {
        let attempts = Attempts { kind: lane.kind.clone(), timings: Arc::clone(timings), over: over.clone() };
        running.spawn(lane.clone().run(inbox.clone(), Arc::clone(&session), attempts, stop.clone()));
    }
    let tidy = async {
        loop {
            match inbox.store.tidy().await {
                Err(Trouble::TooOld) => return Trouble::TooOld,
                Err(trouble) => tracing::debug!("the inbox is not tidied: {trouble}"),
                Ok(()) => {}
            }
            sleep(timings.look).await;
        }
    };
    let ended = async {
        while let Some(ended) = running.join_next().await {
            ended.unwrap_or_else(|_| Err(Trouble::Lost("a lane has panicked".to_owned())))?;
        }
        Ok(())
    };
    let ended = tokio::select! {
        ended = ended => ended,
        too_old = tidy => Err(too_old),
    };
    // `leave` puts the rows that are still in work back to waiting. If the number is lost, other receivers do this.
    over.cancel();
    running.abort_all();
    if let Err(trouble) = session.leave().await {
        tracing::error!("what is in work is left to the other receivers: {trouble}");
    }
    ended
}

/// A queue of rows: the work, or the messages to one channel. A lane that waits does not hold up the others.
#[derive(Clone)]
pub struct Lane {
    pub kind: Kind,
    /// How many rows are in work at a time.
    pub most: usize,
}

#[derive(Clone)]
pub enum Kind {
    Work(Arc<Workshop>),
    /// Sends one message at a time. The inbox keeps the pace, for all receivers together.
    Forward(Arc<Webhook>),
}

impl Lane {
    async fn run(
        self,
        inbox: Inbox,
        session: Arc<dyn Session>,
        attempts: Attempts,
        stop: CancellationToken,
    ) -> Result<(), Trouble> {
        let (channel, timings) = (attempts.channel(), Arc::clone(&attempts.timings));
        // If the receiver did not wait for the answer of a channel, the message would be sent again at the next start.
        let grace = if channel.is_some() { timings.answer } else { timings.grace };
        let mut arrivals = inbox.arrivals.subscribe();
        let mut running = JoinSet::new();
        let mut ended = Vec::new();
        // Before this time, the lane takes nothing, whatever arrives.
        let mut next = Instant::now();
        // Whether a message has just ended. Then others may wait for the pace of the channel.
        let mut paced = false;
        // When the lane first saw that the receiver has to stop.
        let mut told_to_stop = None;
        loop {
            let stops = stop.is_cancelled();
            let now = Instant::now();
            let is_over = stops && now - *told_to_stop.get_or_insert(now) > grace;
            let due = now >= next;
            let free = if due && !stops { attempts.free(running.len()).min(self.most - running.len()) } else { 0 };
            // This call also shows the other receivers that this receiver is alive, as long as an attempt runs.
            match session.exchange(channel, &ended, free).await {
                Ok(claims) => {
                    // The inbox keeps the pace. `next` only saves queries that would return nothing.
                    if let Some(channel) = channel {
                        if !ended.is_empty() {
                            (paced, next) = (true, after(channel.pace));
                        } else if due {
                            (paced, next) = (false, after(ASK));
                        }
                    }
                    inbox.metrics.attempted(channel, &ended);
                    ended.clear();
                    for claim in claims {
                        running.spawn(attempts.clone().make(claim));
                    }
                }
                // No attempt begins. The outcomes are noted at the next exchange. If an outcome is never noted, its
                // attempt is made again.
                Err(Trouble::Away(why)) => tracing::error!("the inbox cannot be written: {why}"),
                Err(trouble) => return Err(trouble),
            }
            if stops && running.is_empty() && ended.is_empty() || is_over {
                return Ok(());
            }
            let look = after(timings.look);
            let wake = if paced && running.is_empty() { next.min(look) } else { look };
            let arrival = async {
                sleep_until(next).await;
                arrivals.changed().await
            };
            tokio::select! {
                Some(outcome) = running.join_next() => ended.push(outcome.map_err(panicked)?),
                _ = arrival, if !stops && running.len() < self.most => {}
                () = sleep_until(wake) => {}
                () = stop.cancelled(), if !stops => {}
            }
            while let Some(outcome) = running.try_join_next() {
                ended.push(outcome.map_err(panicked)?);
            }
        }
    }
}

fn after(time: Duration) -> Instant {
    Instant::now() + time
}

/// The trouble of an attempt that ended without an outcome. `leave` then puts its row back to waiting.
fn panicked(_: JoinError) -> Trouble {
    Trouble::Lost("an attempt has panicked outside the work".to_owned())
}
