//! How long things may take, as a value that the tests can set.

use std::time::Duration;

/// The times that the receiver keeps to. [`Timings::default`] has the real ones.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Timings {
    /// How long the head of a request may take to arrive, and how long its body.
    pub read: Duration,
    /// How long the inbox may take for a delivery. The platform waits 5 s for the answer.
    pub write: Duration,
    /// How long a connection is kept. Without this limit, a client that does not read its answers would keep its
    /// connection forever.
    pub age: Duration,
    /// How long running requests and work may go on once the receiver is told to stop.
    pub grace: Duration,
    /// How long a channel may take to answer.
    pub answer: Duration,
    /// How long an attempt to work on an item may take.
    pub work: Duration,
    /// How much older or newer a delivery may be, by the clock of the machine. `None` allows any age.
    pub tolerance: Option<Duration>,
    /// How often to look for rows that are due and for receivers that are gone.
    pub look: Duration,
    /// The pauses between two attempts to work on an item. If the attempt after the last pause fails, the row is dead.
    pub work_pauses: Vec<Duration>,
    /// The pauses between two attempts to send a message to a channel. They are 15 minutes in all.
    pub channel_pauses: Vec<Duration>,
    /// How often to say in the log that rows wait for a channel that is not set.
    pub remind: Duration,
    /// SQLite: how long to wait for another process that writes. This time is shorter than `write`.
    pub busy: Duration,
    /// SQLite: how long a receiver may show no sign of life before others take its rows.
    pub silence: Duration,
    /// PostgreSQL: how long a statement may take, and how long opening a connection may take. This time is shorter
    /// than `write` and `idle`. On SQLite, only `receiver list` keeps to it.
    pub statement: Duration,
    /// PostgreSQL: after this time without a statement, PostgreSQL closes the session of a receiver, and the receiver
    /// counts as gone.
    pub idle: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        let seconds = |pauses: &[u64]| pauses.iter().copied().map(Duration::from_secs).collect();
        Self {
            read: Duration::from_secs(10),
            write: Duration::from_secs(3),
            age: Duration::from_secs(60),
            grace: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            work: Duration::from_secs(60),
            tolerance: None,
            look: Duration::from_millis(500),
            work_pauses: seconds(&[1, 2, 4, 8]),
            channel_pauses: seconds(&[1, 2, 4, 8, 15, 30, 60, 120, 240, 420]),
            remind: Duration::from_secs(86_400),
            busy: Duration::from_secs(1),
            silence: Duration::from_secs(8),
            statement: Duration::from_secs(2),
            idle: Duration::from_secs(4),
        }
    }
}
