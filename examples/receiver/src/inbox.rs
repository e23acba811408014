//! The inbox: what has been received, in a database. All SQL is here and in `schema.sql`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{iter, thread};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Result, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use crate::Error;
use crate::delivery::{Delivery, Row};
use crate::message::Channel;

/// How many writes may wait, and how many share a commit.
const MAX_WAITING: usize = 128;
/// How long to wait for another process that writes. The server waits longer than this for the inbox (`MAX_WRITE`).
const BUSY: Duration = Duration::from_secs(1);
/// The pauses between two attempts to work on an item, in milliseconds. If the attempt after the last pause fails, the
/// row is dead.
const WORK_PAUSES: [i64; 4] = [1_000, 2_000, 4_000, 8_000];
/// The same for a channel: 15 minutes in all.
const CHANNEL_PAUSES: [i64; 10] = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000, 240_000, 420_000];
/// The longest `Retry-After` that is obeyed, in milliseconds. If more time than this is left of a pause, the clock has
/// been set back, and the pause is ignored.
const MAX_RETRY_AFTER: i64 = 86_400_000;
/// The version of `schema.sql`. Version 0 had no channels.
const VERSION: i64 = 1;
const CREATE: &str = concat!("BEGIN IMMEDIATE;", include_str!("schema.sql"), "COMMIT");
const UPGRADE: &str = concat!(
    "BEGIN IMMEDIATE;
    ALTER TABLE item RENAME TO old_item;
    DROP INDEX item_delivery;
    DROP INDEX item_due;
    DROP INDEX item_in_work;
    DROP TRIGGER delivery_without_items;",
    include_str!("schema.sql"),
    "INSERT INTO item (id, delivery, position, key, event, state, in_work, attempts, due_at, problem)
        SELECT id, delivery, position, key, event, state, in_work, attempts, due_at, problem FROM old_item;
    DROP TABLE old_item;
    COMMIT"
);

pub fn open(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    const TABLES: &str = "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version";
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | flags)?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
    match connection.query_row(TABLES, [], |row| Ok((row.get(0)?, row.get(1)?)))? {
        (VERSION, _) => {}
        (0, 0) => connection.execute_batch(CREATE)?,
        (0, _) => connection.execute_batch(UPGRADE)?,
        _ => return Err("it belongs to a newer version of the receiver".into()),
    }
    Ok(connection)
}

/// The inbox of a running receiver. One thread does all writes. It puts the writes that wait into one commit, because
/// each commit has to wait for the disk.
#[derive(Clone)]
pub struct Inbox {
    writes: mpsc::Sender<Write>,
    /// Tells the worker that there may be something new.
    pub arrivals: watch::Sender<()>,
    channels: Arc<[Channel]>,
}

type Write = Box<dyn FnOnce(&Transaction<'_>) -> Result<Confirm> + Send>;
/// Tells the task that asked for a write that the write is committed.
type Confirm = Box<dyn FnOnce() + Send>;

/// A row that is now in work.
pub struct Claim {
    pub id: i64,
    pub attempt: u32,
    pub position: Option<u32>,
    pub body: Vec<u8>,
}

/// How an attempt ended.
#[derive(Clone)]
pub struct Outcome {
    pub id: i64,
    pub attempt: u32,
    pub result: Result<(), Failure>,
}

/// Why an attempt failed.
#[derive(Clone)]
pub struct Failure {
    /// What to show in the log and in `receiver list`.
    pub problem: String,
    /// How long the channel wants to receive nothing.
    pub retry_after: Option<Duration>,
}

impl From<String> for Failure {
    fn from(problem: String) -> Self {
        Self { problem, retry_after: None }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        error.to_string().escape_debug().take(500).collect::<String>().into()
    }
}

/// The pauses after a failed attempt, in milliseconds.
fn pauses(channel: Option<Channel>) -> &'static [i64] {
    if channel.is_some() { &CHANNEL_PAUSES } else { &WORK_PAUSES }
}

/// The methods return `None` if their write was not committed. The log says why.
impl Inbox {
    pub fn new(mut connection: Connection, channels: Arc<[Channel]>) -> Self {
        let (writes, mut waiting) = mpsc::channel(MAX_WAITING);
        thread::spawn(move || {
            while let Some(first) = waiting.blocking_recv() {
                let others = iter::from_fn(|| waiting.try_recv().ok());
                let writes = iter::once(first).chain(others).take(MAX_WAITING).collect();
                match commit(&mut connection, writes) {
                    Ok(confirms) => confirms.into_iter().for_each(|confirm| confirm()),
                    // `commit` has dropped the writes, and with each write the sender of its answer. So the tasks that
                    // asked for the writes get `None`.
                    Err(error) => tracing::error!("the inbox cannot be written: {error}"),
                }
            }
        });
        Self { writes, arrivals: watch::Sender::default(), channels }
    }

    async fn write<T, W>(&self, write: W) -> Option<T>
    where
        T: Send + 'static,
        W: FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let write = |transaction: &Transaction<'_>| {
            let value = write(transaction)?;
            Ok(Box::new(move || drop(sender.send(value))) as Confirm)
        };
        self.writes.send(Box::new(write)).await.ok()?;
        answer.await.ok()
    }

    /// Keeps a delivery, and returns how many of its items are new.
    pub async fn keep(&self, delivery: Delivery) -> Option<usize> {
        let channels = Arc::clone(&self.channels);
        let new = self.write(move |transaction| keep(transaction, &delivery, &channels)).await;
        self.arrivals.send_replace(());
        new
    }

    /// Commits a write that changes nothing. A full disk shows in no other way.
    pub async fn probe(&self) -> Option<()> {
        self.write(|transaction| transaction.pragma_update(None, "user_version", VERSION)).await
    }

    /// Puts back the rows that were in work when a receiver ended. The attempt that was cut off counts, because the
    /// work itself may have ended the receiver.
    pub async fn take_back(&self) -> Option<usize> {
        const TAKE_BACK: &str = "UPDATE item SET in_work = 0, problem = 'the receiver ended before this was done',
            state = iif(attempts > iif(channel IS NULL, ?1, ?2), 'dead', 'waiting') WHERE in_work = 1";
        let most = [WORK_PAUSES.len(), CHANNEL_PAUSES.len()].map(usize::cast_signed);
        self.write(move |transaction| transaction.execute(TAKE_BACK, most)).await
    }

    /// Notes how attempts ended and takes items to work on, or to forward to the channel, in one commit.
    pub async fn exchange(&self, channel: Option<Channel>, ended: Vec<Outcome>, free: usize) -> Option<Vec<Claim>> {
        self.write(move |transaction| {
            for outcome in &ended {
                note(transaction, channel, outcome)?;
            }
            claim(transaction, channel, free)
        })
        .await
    }
}

/// All or nothing: if one write fails, none is committed.
fn commit(connection: &mut Connection, writes: Vec<Write>) -> Result<Vec<Confirm>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let confirms = writes.into_iter().map(|write| write(&transaction)).collect::<Result<_>>()?;
    transaction.commit()?;
    Ok(confirms)
}

fn keep(transaction: &Transaction<'_>, delivery: &Delivery, channels: &[Channel]) -> Result<usize> {
    const WORK: &str = "INSERT INTO item (delivery, position, key, event, state, due_at, problem)
        SELECT ?1, ?2, ?3, ?4, iif(?6 IS NULL, 'waiting', 'dead'), ?5, ?6
        WHERE NOT EXISTS (SELECT 1 FROM item WHERE key = ?3)";
    const FORWARD: &str = "INSERT INTO item (delivery, position, key, event, state, due_at, channel)
        VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6)";
    let Delivery { body, rows, .. } = delivery;
    let now = now();
    transaction.execute("INSERT INTO delivery (received_at, body) VALUES (?1, ?2)", (now / 1_000, body))?;
    let delivery = transaction.last_insert_rowid();
    let (mut work, mut forward) = (transaction.prepare_cached(WORK)?, transaction.prepare_cached(FORWARD)?);
    let mut new = 0;
    for Row { position, key, event, problem } in rows {
        let inserted = work.execute((delivery, position, key, event, now, problem))?;
        new += inserted;
        // There is no message about an item that cannot be decoded.
        if inserted > 0 && problem.is_none() {
            for channel in channels {
                forward.execute((delivery, position, key, event, now, channel.name()))?;
            }
        }
    }
    if new == 0 {
        transaction.execute("DELETE FROM delivery WHERE id = ?1", [delivery])?;
    }
    Ok(new)
}

fn note(transaction: &Transaction<'_>, channel: Option<Channel>, outcome: &Outcome) -> Result<()> {
    const NOTE: &str = "UPDATE item SET in_work = 0, state = ?2, due_at = ?3, problem = ?4 WHERE id = ?1";
    const PAUSE: &str = "INSERT OR REPLACE INTO pause (channel, until) VALUES (?1, ?2)";
    let Outcome { id, attempt, result } = outcome;
    let (state, pause) = match (result, pauses(channel).get(*attempt as usize - 1)) {
        (Ok(()), _) => ("done", 0),
        (Err(_), Some(pause)) => ("waiting", *pause),
        (Err(_), None) => ("dead", 0),
    };
    let problem = result.as_ref().err().map(|failure| &failure.problem);
    transaction.prepare_cached(NOTE)?.execute((id, state, now() + pause, problem))?;
    if let (Some(channel), Err(Failure { retry_after: Some(wait), .. })) = (channel, result) {
        let wait = i64::try_from(wait.as_millis()).unwrap_or(MAX_RETRY_AFTER).min(MAX_RETRY_AFTER);
        transaction.prepare_cached(PAUSE)?.execute((channel.name(), now() + wait))?;
    }
    Ok(())
}

fn claim(transaction: &Transaction<'_>, channel: Option<Channel>, most: usize) -> Result<Vec<Claim>> {
    // If the time until a row is due is longer than the longest pause, the clock has been set back. Such a row is taken
    // now. A channel that has asked for a pause gets a limit of 0, so that SQLite does not look at each row that waits.
    const CLAIM: &str = "UPDATE item SET in_work = 1, attempts = attempts + 1 WHERE id IN (
            SELECT id FROM item WHERE channel IS ?1 AND state = 'waiting' AND in_work = 0
                AND (due_at <= ?2 OR due_at > ?2 + ?3)
            ORDER BY due_at, id
            LIMIT iif(EXISTS (SELECT 1 FROM pause WHERE channel = ?1 AND until > ?2 AND until <= ?2 + ?4), 0, ?5)
        ) RETURNING id, attempts, position, (SELECT body FROM delivery WHERE delivery.id = item.delivery)";
    let (name, longest) = (channel.map(Channel::name), pauses(channel).last());
    let mut claim = transaction.prepare_cached(CLAIM)?;
    let claims = claim.query_map((name, now(), longest, MAX_RETRY_AFTER, most.cast_signed()), |row| {
        Ok(Claim { id: row.get(0)?, attempt: row.get(1)?, position: row.get(2)?, body: row.get(3)? })
    })?;
    claims.collect()
}

/// The next rows after an `id`, each in a line without anything that a visitor wrote.
///
/// Each call returns at most 1,000 rows, because the write-ahead log of the database grows as long as a read lasts.
pub fn list(inbox: &Connection, dead: bool, json: bool, after: i64) -> Result<Vec<(i64, String)>> {
    const LIST: &str = "WITH listed AS (
            SELECT item.id, event, channel, state, attempts, problem,
                strftime('%Y-%m-%dT%H:%M:%SZ', received_at, 'unixepoch') AS received_at
            FROM item JOIN delivery ON delivery.id = item.delivery
            WHERE item.id > ?3 AND (state = 'dead' OR NOT ?1) ORDER BY item.id LIMIT 1000
        ) SELECT id, iif(?2, json_object('id', id, 'event', event, 'channel', channel, 'state', state,
                'received_at', received_at, 'attempts', attempts, 'problem', problem),
            format('%6d %s %-7s %2d %-8s %s %s', id, received_at, state, attempts, ifnull(channel, '-'),
                ifnull(event, '-'), problem))
        FROM listed";
    inbox.prepare_cached(LIST)?.query_map((dead, json, after), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The body in which an item came.
pub fn body(inbox: &Connection, id: i64) -> Result<Option<Vec<u8>>> {
    const BODY: &str = "SELECT body FROM delivery WHERE id = (SELECT delivery FROM item WHERE id = ?1)";
    inbox.query_row(BODY, [id], |row| row.get(0)).optional()
}

/// Puts a row back to waiting, or all rows that are dead.
pub fn retry(inbox: &Connection, id: Option<i64>) -> Result<usize> {
    const RETRY: &str = "UPDATE item SET state = 'waiting', attempts = 0, due_at = ?2, problem = NULL
        WHERE in_work = 0 AND iif(?1 IS NULL, state = 'dead', id = ?1)";
    inbox.execute(RETRY, (id, now()))
}

/// Deletes rows that are done, a thousand at a time, so that a running receiver can write in between.
pub fn prune(inbox: &Connection, days: u32) -> Result<usize> {
    const PRUNE: &str = "DELETE FROM item WHERE id IN (
        SELECT item.id FROM item JOIN delivery ON delivery.id = item.delivery
        WHERE state = 'done' AND received_at < ?1 LIMIT 1000)";
    let before = now() / 1_000 - i64::from(days) * 86_400;
    iter::repeat_with(|| inbox.execute(PRUNE, [before])).take_while(|deleted| !matches!(deleted, Ok(0))).sum()
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(i64::MAX)
}
