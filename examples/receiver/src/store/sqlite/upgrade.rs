//! Makes a new database use a log, makes the tables, and upgrades those of older receivers.

use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result as SqlResult, Transaction, TransactionBehavior};
use twt_chat_webhooks::{Delivery, Record};

use super::is_locked;
use crate::Error;
use crate::store::Trouble;

/// How long a start waits before it tries again to make a new database use a log.
const LOG_PAUSE: Duration = Duration::from_millis(10);
/// The `user_version` that `sqlite.sql` sets. This receiver refuses a larger number, whatever the table `version`
/// says. So if a change of the tables leaves them usable for this receiver, the change must not raise the number.
const CURRENT: i32 = 2;
const CREATE: &str = include_str!("../sqlite.sql");
const TABLES: &str = "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version";
/// Sets the old tables aside. Receivers up to 0.2 had one body for all items of a delivery. Version 0 of the tables
/// had no channels.
const SET_ASIDE: &str = "
    ALTER TABLE item RENAME TO old_item;
    DROP TRIGGER delivery_without_items;
    DROP INDEX item_delivery;
    DROP INDEX item_due;
    DROP INDEX item_in_work;";
const DROP_OLD: &str = "DROP TABLE old_item; DROP TABLE delivery; DROP TABLE IF EXISTS pause;";
const OLD_ITEMS: &str = "SELECT id, delivery, position, key, event, state, attempts, due_at, problem, channel
    FROM old_item ORDER BY delivery, position, id";
const OLD_ITEMS_WITHOUT_CHANNELS: &str =
    "SELECT id, delivery, position, key, event, state, attempts, due_at, problem, NULL
    FROM old_item ORDER BY delivery, position, id";

/// Makes a new database use a log, the file `-wal`. While another process writes to the new database, SQLite fails at
/// once, whatever `busy_timeout` says.
pub(super) fn use_log(connection: &Connection, limit: Duration) -> SqlResult<()> {
    let end = Instant::now() + limit;
    loop {
        let used = connection.execute_batch("PRAGMA journal_mode = WAL");
        if !used.as_ref().is_err_and(is_locked) || Instant::now() > end {
            return used;
        }
        thread::sleep(LOG_PAUSE);
    }
}

/// Upgrades the tables in one transaction. A second receiver waits, and then finds that there is nothing left to do.
pub(super) fn upgrade(connection: &Connection) -> Result<(), Error> {
    let version = || connection.query_row(TABLES, [], |row| Ok((row.get(0)?, row.get(1)?)));
    if version()?.0 == CURRENT {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    match version()? {
        (0, 0) => transaction.execute_batch(CREATE)?,
        (0, _) => from_old(&transaction, OLD_ITEMS_WITHOUT_CHANNELS)?,
        (1, _) => from_old(&transaction, OLD_ITEMS)?,
        (CURRENT, _) => {}
        _ => return Err(Trouble::TooOld.into()),
    }
    Ok(transaction.commit()?)
}

/// Gives each old row the record that this version makes of its item. The row keeps its number.
fn from_old(transaction: &Transaction<'_>, rows: &str) -> Result<(), Error> {
    const RECEIVED: &str = "SELECT received_at, body FROM delivery WHERE id = ?1";
    const RECORD: &str = "INSERT INTO record (received_at, key, event, body) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE SET key = key RETURNING id";
    const ITEM: &str = "INSERT INTO item (id, record, channel, state, attempts, due_at, problem)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    transaction.execute_batch(SET_ASIDE)?;
    transaction.execute_batch(CREATE)?;
    let (mut rows, mut item) = (transaction.prepare(rows)?, transaction.prepare(ITEM)?);
    let (mut received, mut insert) = (transaction.prepare(RECEIVED)?, transaction.prepare(RECORD)?);
    let mut rows = rows.query([])?;
    let mut opened: Option<(i64, i64, Vec<u8>, Vec<Record>)> = None;
    while let Some(row) = rows.next()? {
        let (delivery, position): (i64, Option<u32>) = (row.get(1)?, row.get(2)?);
        if opened.as_ref().is_none_or(|(open, ..)| *open != delivery) {
            let (at, body): (i64, Vec<u8>) = received.query_row([delivery], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let records = Delivery::from_slice(&body).into_records();
            opened = Some((delivery, at, body, records));
        }
        let Some((_, at, body, records)) = &opened else { continue };
        // If this version takes the body apart in another way, the row keeps its old key and gets the whole body.
        let (old_key, old_event): (String, Option<String>) = (row.get(3)?, row.get(4)?);
        let record: i64 = match records.get(position.unwrap_or(0) as usize) {
            Some(record) => insert.query_row((at, &record.key, record.event(), &record.body), |row| row.get(0))?,
            None => insert.query_row((at, old_key, old_event, body), |row| row.get(0))?,
        };
        let (id, state, attempts): (i64, String, i64) = (row.get(0)?, row.get(5)?, row.get(6)?);
        let (due_at, problem, channel): (i64, Option<String>, Option<String>) = (row.get(7)?, row.get(8)?, row.get(9)?);
        item.execute((id, record, channel.unwrap_or_default(), state, attempts, due_at, problem))?;
    }
    drop((rows, item, received, insert));
    Ok(transaction.execute_batch(DROP_OLD)?)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    use super::super::is_locked;
    use super::use_log;

    #[test]
    fn a_start_waits_for_a_new_database_that_is_locked_but_only_for_a_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let [first, second] = [(); 2].map(|()| Connection::open(file.path()).unwrap());
        first.execute_batch("BEGIN IMMEDIATE; CREATE TABLE held (id)").unwrap();
        let (start, limit) = (Instant::now(), Duration::from_millis(50));
        assert!(is_locked(&use_log(&second, limit).unwrap_err()));
        assert!(start.elapsed() >= limit);
        first.execute_batch("COMMIT").unwrap();
        use_log(&second, limit).unwrap();
    }
}
