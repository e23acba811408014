//! The SQL of the SQLite inbox. Each statement runs in a transaction that no other writer can come between.

use std::collections::HashSet;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Result, Transaction};

use crate::delivery::{Arrival, Entry};
use crate::store::{Claim, Plan, Prune, Retry, Trouble, VERSION, Verdict, millis};

/// The clock of the database, in Unix milliseconds. It stands still while a statement changes rows.
macro_rules! now {
    () => {
        "CAST(unixepoch('subsec') * 1000 AS INTEGER)"
    };
}
pub(super) use now;

/// Index: the unique one on `key`. No race: if two groups hold the same key, the second group finds the record of the
/// first group.
const KEEP_RECORD: &str = "INSERT INTO record (received_at, key, event, body) VALUES (unixepoch(), ?1, ?2, ?3)
    ON CONFLICT DO NOTHING";
/// Inserts the row of a new record for one lane.
const KEEP_ITEM: &str = concat!(
    "INSERT INTO item (record, channel, state, due_at, problem) VALUES (?1, ?2, iif(?3 IS NULL, 'waiting', 'dead'), ",
    now!(),
    ", ?3)"
);

/// Finds the item of a stale record. If the inbox holds the item, the stale record is not kept. Index: the unique one
/// on `key`.
pub(super) const IS_HELD: &str = "SELECT 1 FROM record WHERE key = ?1";
/// Whether `retry` has put back the stale dead letter of an item. `NULL` if there is no such letter. Index: the unique
/// one on `key`, and `item_record`.
pub(super) const IS_PUT_BACK: &str = "SELECT max(state <> 'dead') FROM record JOIN item ON item.record = record.id
    WHERE key = 'stale:' || ?1";
/// Deletes the stale dead letter of an item that has arrived in a fresh delivery. Index: the unique one on `key`, and
/// `item_record`.
pub(super) const REPLACE_STALE: &str =
    "DELETE FROM item WHERE record = (SELECT id FROM record WHERE key = 'stale:' || ?1)";

pub(super) fn keep(transaction: &Transaction<'_>, arrival: &Arrival, lanes: &[&str]) -> Result<usize> {
    let mut is_held = transaction.prepare_cached(IS_HELD)?;
    let mut is_put_back = transaction.prepare_cached(IS_PUT_BACK)?;
    let mut keep_record = transaction.prepare_cached(KEEP_RECORD)?;
    let mut keep_item = transaction.prepare_cached(KEEP_ITEM)?;
    let mut replace_stale = transaction.prepare_cached(REPLACE_STALE)?;
    let mut new = 0;
    for Entry { key, fresh_key, problem, record } in arrival.entries() {
        let put_back: Option<bool> =
            if fresh_key.is_none() { is_put_back.query_row([&key], |row| row.get(0))? } else { None };
        let held = fresh_key.map_or(Ok(put_back == Some(true)), |key| is_held.exists([key]))?;
        if held || keep_record.execute((&key, record.event(), &record.body))? == 0 {
            continue;
        }
        new += 1;
        let record = transaction.last_insert_rowid();
        if put_back.is_some() {
            replace_stale.execute([&key])?;
        }
        // There is no message about an item that cannot be decoded.
        for lane in lanes.iter().filter(|lane| lane.is_empty() || problem.is_none() || fresh_key.is_some()) {
            keep_item.execute((record, lane, &problem))?;
        }
    }
    Ok(new)
}

const REHEARSE: &str = "SAVEPOINT rehearsal";
/// The commit still writes the pages that the rehearsal has changed, as it does for a delivery.
const TAKE_BACK_REHEARSAL: &str = "ROLLBACK TO rehearsal; RELEASE rehearsal";
/// Writes a page to the disk, although no value changes.
const PROBE: &str = "UPDATE version SET version = version";

pub(super) fn probe(transaction: &Transaction<'_>, rehearsal: &Arrival, lanes: &[&str]) -> Result<()> {
    transaction.execute_batch(REHEARSE)?;
    keep(transaction, rehearsal, lanes)?;
    transaction.execute_batch(TAKE_BACK_REHEARSAL)?;
    transaction.execute(PROBE, []).map(drop)
}

const CHECK_VERSION: &str = "SELECT oldest FROM version";

/// Says what is wrong if this receiver is too old for the tables.
pub(super) fn check_version(connection: &Connection) -> Result<Option<Trouble>> {
    let oldest: i32 = connection.prepare_cached(CHECK_VERSION)?.query_row([], |row| row.get(0))?;
    Ok((oldest > VERSION).then_some(Trouble::TooOld))
}

/// Takes a new owner number, which no receiver had before.
const ENTER: &str = "INSERT INTO receiver (beat, process, lanes) VALUES (0, ?1, ?2) RETURNING id";
/// All receivers should have the same pace. If they do not, the last one that starts sets it.
const SET_PACE: &str = concat!(
    "INSERT INTO channel (name, gap, next_at, pause) VALUES (?1, ?2, ",
    now!(),
    ", 0) ON CONFLICT DO UPDATE SET gap = excluded.gap"
);

pub(super) fn enter(
    transaction: &Transaction<'_>,
    plan: &Plan,
    process: Option<&str>,
) -> Result<std::result::Result<i64, Trouble>> {
    if let Some(trouble) = check_version(transaction)? {
        return Ok(Err(trouble));
    }
    for channel in &plan.channels {
        transaction.execute(SET_PACE, (channel.name(), millis(channel.pace)))?;
    }
    let lanes = serde_json::Value::from(plan.lanes()).to_string();
    transaction.query_row(ENTER, (process, lanes), |row| row.get(0)).map(Ok)
}

const IS_KNOWN: &str = "SELECT 1 FROM receiver WHERE id = ?1";
const BEAT: &str = "UPDATE receiver SET beat = beat + 1 WHERE id = ?1";

/// Whether the table still has this owner. Another receiver that takes an owner for dead deletes its entry.
pub(super) fn is_known(transaction: &Transaction<'_>, owner: i64) -> Result<bool> {
    transaction.prepare_cached(IS_KNOWN)?.exists([owner])
}

pub(super) fn beat(transaction: &Transaction<'_>, owner: i64) -> Result<()> {
    transaction.prepare_cached(BEAT)?.execute([owner]).map(drop)
}

/// Index: the primary key. Race: if the row has another owner by now, or if a later attempt has begun, the outcome of
/// an attempt changes nothing. Owner and attempt are both compared, because `retry` counts the attempts from 0 again.
pub(super) const NOTE: &str = concat!(
    "UPDATE item SET owner = NULL, state = ?4, due_at = ",
    now!(),
    " + ?5, pause = ?5, problem = ?6 WHERE id = ?1 AND owner = ?2 AND attempts = ?3"
);
/// Race: only the holder notes the end of a message. So an answer that comes after the channel was freed changes
/// nothing.
const NOTE_PACE: &str = concat!(
    "UPDATE channel SET holder = NULL, next_at = ",
    now!(),
    " + max(gap, ?3), pause = max(gap, ?3) WHERE name = ?1 AND holder = ?2"
);

pub(super) fn note(
    transaction: &Transaction<'_>,
    owner: i64,
    lane: &str,
    (id, attempt): (i64, i32),
    verdict: &Verdict,
    problem: Option<&str>,
) -> Result<()> {
    let Verdict { state, pause, channel_pause } = verdict;
    transaction.prepare_cached(NOTE)?.execute((id, owner, attempt, state, pause, problem))?;
    if !lane.is_empty() {
        transaction.prepare_cached(NOTE_PACE)?.execute((lane, owner, channel_pause))?;
    }
    Ok(())
}

/// Index: `item_due`, in its order. While a channel has a holder or a pause, the limit is 0, so that SQLite does not
/// look at each row that waits.
pub(super) const CLAIM: &str = concat!(
    "UPDATE item SET owner = ?1, attempts = attempts + 1 WHERE id IN (
        SELECT id FROM item WHERE channel = ?2 AND state = 'waiting' AND owner IS NULL AND due_at <= ",
    now!(),
    " ORDER BY due_at, id LIMIT iif(?2 = ''
            OR EXISTS (SELECT 1 FROM channel WHERE name = ?2 AND holder IS NULL AND next_at <= ",
    now!(),
    "), ?3, 0)
    ) RETURNING id, attempts, (SELECT body FROM record WHERE record.id = item.record)"
);
/// Makes this owner the one that sends to the channel.
const HOLD: &str = "UPDATE channel SET holder = ?1 WHERE name = ?2";

pub(super) fn claim(transaction: &Transaction<'_>, owner: i64, lane: &str, most: usize) -> Result<Vec<Claim>> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let most = if lane.is_empty() { most.cast_signed() } else { 1 };
    let mut claim = transaction.prepare_cached(CLAIM)?;
    let claims = claim
        .query_map((owner, lane, most), |row| Ok(Claim { id: row.get(0)?, attempt: row.get(1)?, body: row.get(2)? }))?;
    let claims = claims.collect::<Result<Vec<_>>>()?;
    if !lane.is_empty() && !claims.is_empty() {
        transaction.prepare_cached(HOLD)?.execute((owner, lane))?;
    }
    Ok(claims)
}

/// The start of the two statements that put rows back to waiting. A row that is in work is not changed.
macro_rules! put_back {
    () => {
        concat!(
            "UPDATE item SET state = 'waiting', attempts = 0, problem = NULL, pause = 0, due_at = ",
            now!(),
            " WHERE owner IS NULL AND "
        )
    };
}
/// Index: the primary key.
pub(super) const RETRY_ONE: &str = concat!(put_back!(), "id = ?1 AND (?2 OR state <> 'done') RETURNING channel");
/// Index: `item_dead`. The statement changes at most 1,000 rows, so that a running receiver can write in between.
pub(super) const RETRY_DEAD: &str =
    concat!(put_back!(), "id IN (SELECT id FROM item WHERE state = 'dead' LIMIT 1000) RETURNING channel");
/// Lifts the pause of a channel. `next_at - pause` is when the last message ended. The next message waits for the
/// gap after this time.
const LIFT: &str = "UPDATE channel SET next_at = next_at - pause + gap, pause = gap WHERE name = ?1 AND pause > gap";

pub(super) fn retry(transaction: &Transaction<'_>, retry: Retry) -> Result<u64> {
    let mut statement =
        transaction.prepare_cached(if matches!(retry, Retry::Dead) { RETRY_DEAD } else { RETRY_ONE })?;
    let mut rows = match retry {
        Retry::Dead => statement.query([])?,
        Retry::One(id) => statement.query((id, true))?,
        Retry::NotDone(id) => statement.query((id, false))?,
    };
    let (mut channels, mut count) = (HashSet::<String>::new(), 0);
    while let Some(row) = rows.next()? {
        channels.insert(row.get(0)?);
        count += 1;
    }
    for channel in channels {
        transaction.prepare_cached(LIFT)?.execute([channel])?;
    }
    Ok(count)
}

/// Index: the primary key. The trigger `record_without_items` deletes a record that has no row left. A row that is in
/// work is not deleted.
const DELETE: &str = "DELETE FROM item WHERE id = ?1 AND owner IS NULL RETURNING record";
/// Index: `item_record`.
const LEFT: &str = "SELECT count(*) FROM item WHERE record = ?1";

pub(super) fn delete(transaction: &Transaction<'_>, id: i64) -> Result<Option<u64>> {
    let record: Option<i64> = transaction.query_row(DELETE, [id], |row| row.get(0)).optional()?;
    let left = |record| transaction.query_row(LEFT, [record], |row| row.get(0));
    Ok(record.map(left).transpose()?.map(i64::cast_unsigned))
}

/// Empties the log of the database. The first column of the result says whether another process has prevented this.
const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// In milliseconds.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout";
/// How long to wait for those that read. Meanwhile nobody can write, and a backup may read for minutes.
const MAX_EMPTY: Duration = Duration::from_millis(50);

/// Writes the log of the database into its file, and empties the log. Returns `false` if another process has prevented
/// this.
pub(super) fn empty_log(connection: &Connection) -> Result<bool> {
    let usual: u32 = connection.query_row(BUSY_TIMEOUT, [], |row| row.get(0))?;
    connection.busy_timeout(MAX_EMPTY)?;
    let is_busy = connection.query_row(EMPTY_LOG, [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(Duration::from_millis(usual.into()))?;
    Ok(!is_busy?)
}

/// No index: the statement reads rows until it has found 1,000. The trigger `record_without_items` deletes the records.
/// The statement deletes at most 1,000 rows, so that a running receiver can write in between.
const PRUNE: &str = "DELETE FROM item WHERE id IN (
    SELECT item.id FROM item JOIN record ON record.id = item.record
    WHERE state = ?1 AND received_at < unixepoch() - ?2 * 86400
        AND ifnull(event IN (SELECT value FROM json_each(?3)), ?4) LIMIT 1000)";

pub(super) fn prune(transaction: &Transaction<'_>, prune: &Prune) -> Result<u64> {
    let events = serde_json::Value::from(prune.events()).to_string();
    let rows = transaction.execute(PRUNE, (prune.state(), prune.days, events, prune.event.is_none()))?;
    Ok(rows as u64)
}
