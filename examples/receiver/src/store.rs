//! The inbox: what has been received, in a database. The server, the worker and the commands use the database through
//! two traits.
//!
//! `store/sqlite.rs` and `store/postgres.rs` implement them. All SQL is there, and each statement uses the clock of the
//! database. An item has one row for the work on it and one for each channel. A row that is in work names its owner.

mod postgres;
mod sqlite;
mod wait;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use twt_chat_webhooks::EventType;

use crate::Error;
use crate::channel::Channel;
use crate::delivery::Arrival;
use crate::timings::Timings;

pub use self::wait::Wait;

/// The version of the tables that this receiver makes. The tables hold two numbers: `version`, and `oldest`, the
/// version of the oldest receiver that can use them. A change of the tables raises `version`. It also raises `oldest`,
/// unless older receivers can use the changed tables.
const VERSION: i32 = 2;
/// How many deliveries share a commit at most.
const MAX_GROUP: usize = 128;
/// The longest `Retry-After` that is obeyed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);
/// The problem of a row whose attempt was cut off.
const CUT_OFF: &str = "the receiver ended before this was done";

/// A database with what has been received.
#[async_trait]
pub trait Store: Send + Sync {
    /// Keeps the records of a delivery. Returns how many are new, once they are on the disk.
    async fn keep(&self, arrival: Arrival) -> Result<usize, Trouble>;

    /// Keeps a made-up delivery and takes it back. Then commits a write that changes nothing that counts, because only
    /// a commit shows that the disk is full.
    async fn probe(&self) -> Result<(), Trouble>;

    /// Takes a new owner number. As long as the session lasts, the other receivers leave the rows of this owner alone.
    async fn enter(&self) -> Result<Box<dyn Session>, Trouble>;

    /// Puts the rows of owners that are gone back to waiting. An attempt that was cut off counts as failed, because
    /// the work itself may have ended the receiver. Also corrects the times of rows if the clock of the database has
    /// been set back.
    async fn tidy(&self) -> Result<(), Trouble>;

    /// The next rows after the row with the ID `after`, at most 1,000. With `dead`, only rows that are dead.
    async fn list(&self, dead: bool, after: i64) -> Result<Vec<Row>, Trouble>;

    /// The body of the record to which a row belongs.
    async fn body(&self, id: i64) -> Result<Option<Vec<u8>>, Trouble>;

    /// How many rows of the work and of each channel are not done. A lane without such rows is left out. The cost does
    /// not grow with the rows that are done.
    async fn overview(&self) -> Result<Vec<Standing>, Trouble>;

    /// The rows that `which` names: at most `most` of them, after the first `skip`.
    async fn rows(&self, which: Which, most: u32, skip: u32) -> Result<Vec<Row>, Trouble>;

    /// Puts rows back to waiting. Returns the number of these rows. Also lifts the pauses that the channels of these
    /// rows asked for. The pace of a channel still holds.
    async fn retry(&self, retry: Retry) -> Result<u64, Trouble>;

    /// Deletes a row. If this was the last row of its record, also deletes the record with the body. Returns how many
    /// rows the record still has, or `None` if there is no such row or the row is in work.
    async fn delete(&self, id: i64) -> Result<Option<u64>, Trouble>;

    /// Deletes at most 1,000 rows, and the records that then have no row. Returns the number of deleted rows.
    async fn prune(&self, prune: &Prune) -> Result<u64, Trouble>;

    /// Copies everything that is committed to a new file. Others can write meanwhile.
    async fn backup(&self, file: &Path) -> Result<(), Trouble>;

    /// Ends the use of the database. The caller must not write anything after that.
    async fn close(&self);
}

/// The session of a receiver that works. During this time, the receiver owns rows under one number.
#[async_trait]
pub trait Session: Send + Sync {
    /// Notes how attempts ended, and takes rows that are due, at most `free`. An outcome is noted only if the row still
    /// belongs to this owner and to this attempt.
    ///
    /// A call also shows that the owner is alive, so each lane calls this function at least every `Timings::look`.
    async fn exchange(&self, lane: Option<Channel>, ended: &[Outcome], free: usize) -> Result<Vec<Claim>, Trouble>;

    /// Puts back what is still in work, and ends the session.
    async fn leave(&self) -> Result<(), Trouble>;
}

/// Which rows [`Store::retry`] puts back. A row that is in work is left alone.
#[derive(Debug, Clone, Copy)]
pub enum Retry {
    /// At most 1,000 rows that are dead.
    Dead,
    /// The row with this ID.
    One(i64),
    /// The row with this ID, if it is not done. A button that is pressed twice must not repeat what is done by then.
    NotDone(i64),
}

/// Which rows [`Store::prune`] deletes.
#[derive(Clone)]
pub struct Prune {
    /// Only rows of records that were received more than this number of days ago.
    pub days: u32,
    /// The rows that are dead, instead of those that are done.
    pub dead: bool,
    /// Only rows of this event, written as `receiver list` shows its name. With `None`, the rows of the documented
    /// events and of records whose event could not be read. The rows of an unknown event stay until an operator names
    /// the event.
    pub event: Option<String>,
}

impl Prune {
    fn state(&self) -> &'static str {
        if self.dead { "dead" } else { "done" }
    }

    fn events(&self) -> Vec<&str> {
        let documented = || EventType::DOCUMENTED.iter().map(EventType::as_str).collect();
        self.event.as_deref().map_or_else(documented, |event| vec![event])
    }
}

/// Why the inbox did not do what was asked.
#[derive(Debug)]
pub enum Trouble {
    /// The database refused, or could not be reached. The text says why. It holds nothing that a visitor wrote.
    Away(String),
    /// The owner number is not valid any more. The rows that were in work may belong to another receiver.
    Lost(String),
    /// A newer receiver has changed the tables, and this receiver is too old to use them.
    TooOld,
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(why) | Self::Lost(why) => formatter.write_str(why),
            Self::TooOld => formatter.write_str("it belongs to a newer version of the receiver"),
        }
    }
}

impl std::error::Error for Trouble {}

/// A row that is now in work.
pub struct Claim {
    pub id: i64,
    /// The number of this attempt. The first attempt is 1.
    pub attempt: i32,
    pub body: Vec<u8>,
}

/// How an attempt ended.
pub struct Outcome {
    pub id: i64,
    pub attempt: i32,
    pub result: Result<(), Failure>,
}

/// Why an attempt failed.
#[derive(Debug)]
pub struct Failure {
    /// What to show in the log and in `receiver list`.
    pub problem: String,
    /// The pause that the channel asked for with `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Whether the row is dead at once, because each further attempt would fail until a person acts.
    pub is_final: bool,
}

impl From<String> for Failure {
    fn from(problem: String) -> Self {
        Self { problem, retry_after: None, is_final: false }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        error.to_string().escape_debug().take(500).collect::<String>().into()
    }
}

/// What `receiver list` shows of a row. It holds nothing that a visitor wrote.
pub struct Row {
    pub id: i64,
    pub event: Option<String>,
    /// Empty for the work.
    pub channel: String,
    /// `waiting`, `in work`, `done` or `dead`.
    pub state: String,
    /// `None` if the state is not `waiting`.
    pub wait: Option<Wait>,
    /// When the record was received, such as `2026-01-31T23:59:59Z`.
    pub received_at: String,
    pub attempts: i32,
    pub problem: Option<String>,
}

/// Which rows to show. The empty channel stands for the work.
#[derive(Debug, Clone)]
pub enum Which {
    /// The rows of a channel that wait, in the order in which they are taken.
    Waiting(String),
    /// The rows of a channel that are dead, the newest first.
    Dead(String),
    /// The row with this ID.
    One(i64),
}

/// How many rows of a channel, or of the work, are not done.
#[derive(Debug, Default)]
pub struct Standing {
    /// Empty for the work.
    pub channel: String,
    pub waiting: i64,
    pub in_work: i64,
    pub dead: i64,
    /// The age of the oldest row that waits or is in work, since it was received.
    pub oldest: Option<Duration>,
}

/// What becomes of a row after an attempt.
struct Verdict {
    state: &'static str,
    /// Milliseconds until the row is due again.
    pause: i64,
    /// Milliseconds until the channel may get the next message, if the channel asked for a pause.
    channel_pause: i64,
}

/// What a store knows about the receiver that uses it.
#[derive(Clone)]
pub struct Plan {
    /// The channels to which this receiver forwards.
    pub channels: Vec<Channel>,
    pub timings: Arc<Timings>,
}

impl Plan {
    /// The names of the lanes. The work has the empty name, because an index can be used for `= ''`, but not for a
    /// comparison that treats `NULL` as a value.
    fn lanes(&self) -> Vec<&'static str> {
        let channels = self.channels.iter().map(|channel| channel.name());
        std::iter::once("").chain(channels).collect()
    }

    fn pauses(&self, lane: Option<Channel>) -> &[Duration] {
        if lane.is_some() { &self.timings.channel_pauses } else { &self.timings.work_pauses }
    }

    fn judge(&self, lane: Option<Channel>, outcome: &Outcome) -> Verdict {
        let pauses =
            usize::try_from(outcome.attempt).ok().and_then(|attempt| self.pauses(lane).get(attempt.max(1) - 1));
        let (state, pause) = match (&outcome.result, pauses) {
            (Ok(()), _) => ("done", Duration::ZERO),
            (Err(failure), Some(pause)) if !failure.is_final => ("waiting", *pause),
            (Err(_), _) => ("dead", Duration::ZERO),
        };
        let asked = outcome.result.as_ref().err().and_then(|failure| failure.retry_after);
        let channel_pause = asked.unwrap_or_default().min(MAX_RETRY_AFTER);
        Verdict { state, pause: millis(pause), channel_pause: millis(channel_pause) }
    }
}

/// How many attempts a row has at most: one before each pause, and one after the last pause.
fn attempts(pauses: &[Duration]) -> i32 {
    i32::try_from(pauses.len() + 1).unwrap_or(i32::MAX)
}

pub fn lane_name(lane: Option<Channel>) -> &'static str {
    lane.map_or("", Channel::name)
}

fn millis(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}

/// The URL of PostgreSQL, or `None` if the setting is a path.
fn url(inbox: &Path) -> Option<&str> {
    inbox.to_str().filter(|text| text.starts_with("postgres://") || text.starts_with("postgresql://"))
}

/// Whether the setting can be the name of an inbox. The problem does not quote a URL, which may hold a password.
pub fn check(inbox: &Path) -> Result<(), String> {
    match url(inbox) {
        Some(url) => postgres::Address::parse(url).map(drop),
        None if inbox.to_string_lossy().contains("://") => {
            Err("INBOX: expected a path, or a URL that starts with postgres://".to_owned())
        }
        None => Ok(()),
    }
}

/// What to call the inbox in an error. A password in the URL is left out.
pub fn name(inbox: &Path) -> String {
    let address = url(inbox).map(|url| postgres::Address::parse(url).map_or(String::new(), |url| url.to_string()));
    address.unwrap_or_else(|| inbox.display().to_string())
}

/// Opens the inbox that a setting names: a `postgres://` URL, or the path of a SQLite file.
///
/// With `create`, makes the tables if there are none. Without `create`, fails if there are none, but still makes them
/// in a SQLite file that is empty. Tables of an older version are upgraded in any case.
pub async fn open(inbox: &Path, create: bool, plan: Plan) -> Result<Arc<dyn Store>, Error> {
    check(inbox)?;
    let opened = if let Some(url) = url(inbox) {
        postgres::open(&postgres::Address::parse(url)?, create, plan).await.map_err(Error::from)
    } else {
        let path = inbox.to_owned();
        tokio::task::spawn_blocking(move || sqlite::open(&path, create, plan)).await?
    };
    opened.map_err(|error| format!("cannot open the inbox {}: {error}", name(inbox)).into())
}
